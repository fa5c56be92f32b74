//! Copies of the database: taken beside a process that writes, and put back.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::error::{Error, ErrorCause, OpenError};
use super::open;
use super::transaction::Transaction;
use crate::files;

/// Why a copy was not taken or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database, or the copy, cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The finished copy cannot be read.
    #[error(transparent)]
    Store(Error),
    /// The source or the finished copy fails SQLite's check.
    #[error("the database {path} is damaged: {problem}")]
    Damaged {
        /// The file that fails the check.
        path: PathBuf,
        /// The first problem that SQLite reports.
        problem: String,
    },
    /// A file cannot be written, replaced or read.
    #[error("failed to write {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Source and destination are the same file.
    #[error("{0} is the database itself")]
    SameFile(PathBuf),
}

crate::model::codes! {
    BackupError:
    Self::Damaged { .. } => "database_damaged": "use an older copy of the database",
    Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "file_unwritable":
        "choose a folder that this user can write to",
    Self::Io { .. } => "file_unwritable": "choose a folder with enough space that this user can write to",
    Self::SameFile(_) => "same_file": "name another file",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
}

/// A copy that was taken or put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Size of the copy in bytes.
    pub bytes: u64,
    /// Number of feeds in it.
    pub feeds: u64,
    /// Number of items in it.
    pub items: u64,
    /// `restore` only: the previous database, kept under this name.
    pub previous: Option<PathBuf>,
}

/// Copies the database to `to`, as it is at this moment. Other processes may write to it meanwhile. The copy is
/// checked before it replaces a file at `to`, and only its owner can read it.
///
/// # Errors
/// See [`BackupError`]. A file at `to` is then unchanged.
pub fn backup(database: &Path, to: &Path) -> Result<Backup, BackupError> {
    refuse_same(database, to)?;
    let (copy, backup) = checked_copy(database, to)?;
    persist(copy, to)?;
    Ok(backup)
}

/// Replaces the database with a copy that [`backup`] made. No other process may have the database open. The
/// previous database is kept beside the new one, with the suffix `.before-restore`.
///
/// # Errors
/// See [`BackupError`]. The database is then unchanged.
pub fn restore(from: &Path, database: &Path) -> Result<Backup, BackupError> {
    refuse_same(from, database)?;
    let _lock = open::lock(database)?;
    let (copy, mut backup) = checked_copy(from, database)?;
    if let Ok(old) = fs::metadata(database) {
        // Only root can change the owner: the daemon that runs as another user must still open the file.
        let _ = chown(&copy, Some(old.uid()), Some(old.gid()));
        backup.previous = Some(keep_previous(database)?);
    }
    persist(copy, database)?;
    Ok(backup)
}

fn refuse_same(one: &Path, other: &Path) -> Result<(), BackupError> {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => Err(BackupError::SameFile(other)),
        _ => Ok(()),
    }
}

/// A copy of a database in one temporary file beside `to`, durable and without damage.
fn checked_copy(from: &Path, to: &Path) -> Result<(tempfile::TempPath, Backup), BackupError> {
    let failed = |source| BackupError::Io { path: to.to_owned(), source };
    // Created with mode 0600. SQLite writes into an empty file.
    let copy = tempfile::Builder::new()
        .prefix(".newswire-copy-")
        .tempfile_in(files::folder(to))
        .map_err(failed)?
        .into_temp_path();
    // One statement reads one state of the database, whatever is written meanwhile.
    let source = open::reader(from)?;
    source
        .execute("VACUUM INTO ?1", [copy.to_string_lossy()])
        .map_err(|error| copy_error(from, to, error))?;
    drop(source);
    let connection = open::reader(&copy)?;
    let transaction = Transaction::new(&connection);
    let unreadable = |error: Error| match error.cause() {
        ErrorCause::Corrupt | ErrorCause::Damaged => {
            BackupError::Damaged { path: from.to_owned(), problem: error.to_string() }
        }
        _ => BackupError::Store(error),
    };
    let mut problems = transaction.quick_check().map_err(unreadable)?;
    problems.extend(transaction.dangling().map_err(unreadable)?);
    if let Some(problem) = problems.into_iter().next() {
        return Err(BackupError::Damaged { path: from.to_owned(), problem });
    }
    let count = |table| transaction.count(table).map_err(unreadable);
    let (feeds, items) = (count("feed")?, count("item")?);
    drop(connection);
    let file = File::open(&copy).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    Ok((copy, Backup { bytes, feeds, items, previous: None }))
}

fn copy_error(from: &Path, to: &Path, error: rusqlite::Error) -> BackupError {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
            BackupError::Damaged { path: from.to_owned(), problem: error.to_string() }
        }
        Some(Code::DiskFull) => {
            let source = io::ErrorKind::StorageFull.into();
            BackupError::Io { path: to.to_owned(), source }
        }
        _ => OpenError::Sqlite { path: from.to_owned(), source: error }.into(),
    }
}

/// Gives the database a second name. A process that is killed after this leaves it in place.
fn keep_previous(database: &Path) -> Result<PathBuf, BackupError> {
    // SQLite would apply a write-ahead log to whatever database is beside it.
    open::truncate_log(database);
    let previous = open::ending(database, ".before-restore");
    let failed = |source| BackupError::Io { path: previous.clone(), source };
    let log = open::ending(database, "-wal");
    for path in [&previous, &open::ending(&previous, "-wal")] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        // Only a database that SQLite cannot read keeps its log.
        fs::rename(&log, open::ending(&previous, "-wal")).map_err(failed)?;
    }
    fs::hard_link(database, &previous).map_err(failed)?;
    Ok(previous)
}

/// Gives the copy its name, durably.
fn persist(copy: tempfile::TempPath, to: &Path) -> Result<(), BackupError> {
    files::persist(copy, to).map_err(|source| BackupError::Io { path: to.to_owned(), source })
}
