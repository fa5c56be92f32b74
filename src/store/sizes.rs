//! How large the database is, and how much room there is left for it.

use std::fs;
use std::io;
use std::path::Path;

/// In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseSize {
    /// The file.
    pub database: u64,
    /// Its write-ahead log.
    pub log: u64,
    /// What we may still write where it lies.
    pub free: u64,
}

pub(crate) fn of(path: &Path) -> io::Result<DatabaseSize> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let system = rustix::fs::statvfs(path)?;
    Ok(DatabaseSize {
        database: fs::metadata(path)?.len(),
        // It is not there before the first write and after a clean end.
        log: fs::metadata(log).map_or(0, |log| log.len()),
        free: system.f_bavail.saturating_mul(system.f_frsize),
    })
}
