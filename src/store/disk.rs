//! Size of the database, and free space of the file system that it is on.

use std::path::Path;
use std::{fs, io};

use rusqlite::Row;

use super::error::Error;
use super::transaction::{Reader, Transaction};
use crate::files;

/// Nothing is fetched while less than this is free, in bytes: polls under way and other programs need space too.
const NEEDED: u64 = 16 * 1024 * 1024;

/// Whether the file system has enough free space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskSpace {
    /// At least the needed bytes are free.
    Enough,
    /// There is so little that fetching has to stop.
    Low {
        /// Free space of the file system, in bytes.
        free: u64,
        /// Bytes that have to be free.
        needed: u64,
    },
}

/// Asks the file system of the database. One that cannot be asked counts as having enough.
pub(super) fn space(database: &Path) -> DiskSpace {
    match rustix::fs::statvfs(files::folder(database)) {
        // Blocks that are reserved for root do not count.
        Ok(disk) => compare(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize),
        Err(_) => DiskSpace::Enough,
    }
}

/// Compares with what is needed: on a small file system a quarter of it.
fn compare(free: u64, size: u64) -> DiskSpace {
    let needed = NEEDED.min(size / 4);
    if free < needed { DiskSpace::Low { free, needed } } else { DiskSpace::Enough }
}

/// Size of the database and free space beside it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseSize {
    /// Size of the database file.
    pub database: u64,
    /// Size of its write-ahead log.
    pub log: u64,
    /// Free space of the file system, for this user.
    pub free: u64,
}

/// Free pages that stay in the database at least, for what is written next: 1 MiB.
const SPARE: usize = 128;

impl Transaction<'_> {
    /// Returns free pages at the end of the database to the file system, moving others there; a sixteenth of the pages may
    /// stay free. At most `limit` in one step. Returns how many.
    pub(super) fn return_pages(&self, limit: usize) -> Result<usize, Error> {
        let count = |what: &str| {
            let read = |row: &Row<'_>| row.get::<_, i64>(0);
            let count = self.connection.pragma_query_value(None, what, read)?;
            Ok::<_, Error>(usize::try_from(count).unwrap_or_default())
        };
        let spare = SPARE.max(count("page_count")? / 16);
        let excess = count("freelist_count")?.saturating_sub(spare).min(limit);
        if excess > 0 {
            // Each row is a page.
            let mut pages =
                self.connection.prepare(&format!("PRAGMA incremental_vacuum({excess})"))?;
            let mut rows = pages.raw_query();
            while rows.next()?.is_some() {}
        }
        Ok(excess)
    }
}

impl Reader {
    /// Size of the database, and free space of its file system.
    ///
    /// # Errors
    /// When the system does not report them.
    pub fn sizes(&self) -> io::Result<DatabaseSize> {
        let path = self.path();
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let system = rustix::fs::statvfs(path)?;
        Ok(DatabaseSize {
            database: fs::metadata(path)?.len(),
            // The log does not exist before the first write and after a clean end.
            log: fs::metadata(log).map_or(0, |log| log.len()),
            free: system.f_bavail.saturating_mul(system.f_frsize),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn below_16_mib_or_a_quarter_of_a_small_disk_is_low() {
        assert_eq!(compare(16 * MIB, 100_000 * MIB), DiskSpace::Enough);
        let short = DiskSpace::Low { free: 16 * MIB - 1, needed: 16 * MIB };
        assert_eq!(compare(16 * MIB - 1, 100_000 * MIB), short);
        assert_eq!(compare(MIB, 4 * MIB), DiskSpace::Enough);
        assert_eq!(compare(0, 4 * MIB), DiskSpace::Low { free: 0, needed: MIB });
    }

    #[test]
    fn a_missing_folder_is_not_a_full_disk() {
        assert_eq!(space(Path::new("/no/such/folder/newswire.db")), DiskSpace::Enough);
        let folder = tempfile::tempdir().unwrap();
        // A machine that builds this has enough space.
        assert_eq!(space(&folder.path().join("newswire.db")), DiskSpace::Enough);
    }
}
