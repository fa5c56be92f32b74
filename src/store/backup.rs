//! Copies of the database: taken beside a process that writes, and put back.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::{Error, ErrorCause, OpenError};
use super::header::{self, FileError};
use super::open::{self, Usage};
use super::scratch::Scratch;
use super::transaction::Transaction;
use crate::files::{self, TargetError};

/// Why a copy was not taken or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database, or the finished copy, cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy to put back cannot be opened.
    #[error(transparent)]
    File(#[from] FileError),
    /// The name of the copy belongs to another file.
    #[error(transparent)]
    Target(#[from] TargetError),
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
        /// Path of the copy or of the database.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Source and destination are the same file.
    #[error("{0} is the database itself")]
    SameFile(PathBuf),
    /// The destination is a file that SQLite or Newswire keeps beside the database.
    #[error("{0} belongs to the database")]
    OfDatabase(PathBuf),
    /// The copy to put back has no items, and the database has some.
    #[error("{copy} has no items, and {database} has {items}; nothing was replaced")]
    NoItems {
        /// Path of the copy that was to be restored.
        copy: PathBuf,
        /// Path of the database.
        database: PathBuf,
        /// Number of items in the database.
        items: u64,
    },
}

crate::model::codes! {
    BackupError:
    Self::Target(TargetError::Occupied { .. }) => "file_exists": "name another file",
    Self::Target(TargetError::Io { .. }) => "file_unwritable": "choose a folder that this user can read and write to",
    Self::Damaged { .. } => "database_damaged": "use an older copy of the database",
    Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "file_unwritable":
        "choose a folder that this user can write to",
    Self::Io { .. } => "file_unwritable": "choose a folder with enough space that this user can write to",
    Self::SameFile(_) | Self::OfDatabase(_) => "same_file": "name another file",
    Self::NoItems { .. } => "copy_without_items": "name another copy; if this one is meant, move the database away first",
    ;
    Self::File(error) => error,
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
/// checked before it gets its name, and only its owner can read it. It replaces an older copy at `to`, and no other file.
///
/// # Errors
/// See [`BackupError`]. A file at `to` is then unchanged.
pub fn backup(database: &Path, to: &Path) -> Result<Backup, BackupError> {
    check_target(database, to)?;
    let (copy, backup) = checked_copy(&open::reader(database)?, database, to)?;
    persist(copy, to)?;
    Ok(backup)
}

/// A checked copy of the database as it is at this moment, in a temporary file beside it, which is removed on drop.
///
/// # Errors
/// See [`BackupError`].
pub fn temporary_backup(database: &Path) -> Result<Scratch, BackupError> {
    Ok(checked_copy(&open::reader(database)?, database, database)?.0)
}

/// Rejects a file that is not an older copy of a database.
fn check_target(database: &Path, to: &Path) -> Result<(), BackupError> {
    refuse_same(database, to)?;
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let beside = files::folder(to).canonicalize().ok().zip(to.file_name());
    let to_file = beside.map(|(folder, name)| folder.join(name));
    let files = ["-wal", "-shm", "-journal", ".lock"].map(|end| open::ending(&database, end));
    if to_file.is_some_and(|file| files.contains(&file)) {
        return Err(BackupError::OfDatabase(to.to_owned()));
    }
    let wanted = "a copy of a database of Newswire";
    files::check_target(to, wanted, header::is_ours)?;
    // SQLite would apply the log of the other database to the copy.
    if open::ended_uncleanly(to) || matches!(open::usage(to), Usage::InUse) {
        let (path, but) = (to.to_owned(), " but a database that was in use".to_owned());
        return Err(TargetError::Occupied { path, wanted, but }.into());
    }
    Ok(())
}

/// The file that a symbolic link refers to, so that the link stays.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let target = Some(path).filter(|path| path.is_symlink());
    target.and_then(|link| link.canonicalize().ok()).unwrap_or_else(|| path.to_owned())
}

/// Replaces the database with a copy that [`backup`] made. No other process may have the database open. The
/// previous database is kept beside the new one, with the suffix `.before-restore-1`, `-2` and so on.
///
/// # Errors
/// See [`BackupError`]. The database is then unchanged.
pub fn restore(from: &Path, database: &Path) -> Result<Backup, BackupError> {
    header::examine(from).map_err(FileError::from)?;
    refuse_same(from, database)?;
    let _lock = open::lock(database)?;
    let database = &resolved(database);
    // What the operator may have set by mistake. A damaged database is what `restore` is for.
    if let Err(error @ (OpenError::NotRegular { .. } | OpenError::NotOurs { .. })) =
        header::examine(database)
    {
        return Err(error.into());
    }
    let source = open::copy_reader(from).map_err(FileError::from)?;
    let (copy, mut backup) = checked_copy(&source, from, database)?;
    drop(source);
    if let (0, items @ 1..) = (backup.items, items(database)) {
        let (copy, database) = (from.to_owned(), database.clone());
        return Err(BackupError::NoItems { copy, database, items });
    }
    if let Ok(old) = fs::metadata(database) {
        // Only root can change the owner: the daemon that runs as another user must still open the file.
        let _ = chown(copy.path(), Some(old.uid()), Some(old.gid()));
        backup.previous = Some(keep_previous(database)?);
    }
    persist(copy, database)?;
    Ok(backup)
}

/// Number of items in a database; 0 if it cannot be read.
fn items(database: &Path) -> u64 {
    let connection = open::reader(database).ok();
    connection.map_or(0, |connection| Transaction::new(&connection).count("item").unwrap_or(0))
}

fn refuse_same(one: &Path, other: &Path) -> Result<(), BackupError> {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => Err(BackupError::SameFile(other)),
        _ => Ok(()),
    }
}

/// A copy of the database `from`, which `source` reads, in one temporary file beside `to`, durable and without damage.
fn checked_copy(
    source: &Connection,
    from: &Path,
    to: &Path,
) -> Result<(Scratch, Backup), BackupError> {
    let failed = |source| BackupError::Io { path: to.to_owned(), source };
    // SQLite writes into an empty file.
    let copy = Scratch::beside(to).map_err(failed)?;
    let path = copy.path();
    // One statement reads one state of the database, whatever is written meanwhile.
    source
        .execute("VACUUM INTO ?1", [path.to_string_lossy()])
        .map_err(|error| copy_error(from, to, error))?;
    let connection = open::copy_reader(path)?;
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
    let file = File::open(path).map_err(failed)?;
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
    let previous = files::numbered(database, "before-restore");
    let failed = |source| BackupError::Io { path: previous.clone(), source };
    let log = open::ending(database, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        // Only a database that SQLite cannot read keeps its log.
        fs::rename(&log, open::ending(&previous, "-wal")).map_err(failed)?;
    }
    fs::hard_link(database, &previous).map_err(failed)?;
    Ok(previous)
}

/// Gives the copy its name, durably.
fn persist(copy: Scratch, to: &Path) -> Result<(), BackupError> {
    copy.persist(to).map_err(|source| BackupError::Io { path: to.to_owned(), source })
}
