//! How much room there is left where the database lies.

use std::path::Path;

/// Below this nothing more is fetched: what is under way, and whoever shares the disk, need some too.
const LOW: u64 = 16 * 1024 * 1024;

/// Whether there is room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskSpace {
    /// There is.
    Enough,
    /// There is so little that fetching has to stop.
    Low {
        /// Bytes that are left to us.
        free: u64,
        /// Bytes that are wanted.
        wanted: u64,
    },
}

/// Looks at the file system that the database is on; one that cannot be asked has room.
pub(crate) fn room(database: &Path) -> DiskSpace {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    match rustix::fs::statvfs(folder.unwrap_or(Path::new("."))) {
        // What is kept for root is not ours.
        Ok(disk) => judge(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize),
        Err(_) => DiskSpace::Enough,
    }
}

/// On a small file system a quarter of it is enough.
fn judge(free: u64, size: u64) -> DiskSpace {
    let wanted = LOW.min(size / 4);
    if free < wanted { DiskSpace::Low { free, wanted } } else { DiskSpace::Enough }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn below_16_mib_there_is_too_little_and_on_a_small_disk_below_a_quarter_of_it() {
        assert_eq!(judge(16 * MIB, 100_000 * MIB), DiskSpace::Enough);
        let short = DiskSpace::Low { free: 16 * MIB - 1, wanted: 16 * MIB };
        assert_eq!(judge(16 * MIB - 1, 100_000 * MIB), short);
        assert_eq!(judge(MIB, 4 * MIB), DiskSpace::Enough);
        assert_eq!(judge(0, 4 * MIB), DiskSpace::Low { free: 0, wanted: MIB });
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_full_disk() {
        assert_eq!(room(Path::new("/no/such/folder/newswire.db")), DiskSpace::Enough);
        let folder = tempfile::tempdir().unwrap();
        // A machine that builds this has room.
        assert_eq!(room(&folder.path().join("newswire.db")), DiskSpace::Enough);
    }
}
