//! Copies of the database: taken beside a process that writes, and put back.
//!
//! Also the temporary file of a copy, and the folder of a repair. A process that is killed leaves them behind, as large as the
//! database. The next copy in the folder removes the file, and the next process with the database the folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::{TempDir, TempPath};

use super::database_file::{self, FileError};
use super::error::{Error, ErrorCause, OpenError};
use super::open::{self, Usage};
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
    files::check_target(to, wanted, database_file::is_ours)?;
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
    database_file::examine(from).map_err(FileError::from)?;
    refuse_same(from, database)?;
    let _lock = open::lock(database)?;
    let database = &resolved(database);
    // What the operator may have set by mistake. A damaged database is what `restore` is for.
    if let Err(error @ (OpenError::NotRegular { .. } | OpenError::NotOurs { .. })) =
        database_file::examine(database)
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

/// Begin of the names. SQLite adds a journal while it writes.
const PREFIX: &str = ".newswire-copy-";
const JOURNAL: &str = "-journal";

/// A temporary file, removed on drop. Its lock shows that the process lives.
#[derive(Debug)]
pub struct Scratch {
    path: TempPath,
    _lock: File,
}

impl Scratch {
    /// An empty file with mode 0600 in the folder of `to`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn beside(to: &Path) -> io::Result<Self> {
        let folder = files::folder(to);
        // Between the creation of a file and its lock no other process may take it for abandoned. A file system without
        // locks of folders has no protection from that.
        let guard = File::open(folder)?;
        let _ = guard.lock();
        remove_abandoned(folder)?;
        let (lock, path) =
            tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?.into_parts();
        let _ = lock.try_lock();
        Ok(Self { path, _lock: lock })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it a name in the same folder, durably; it replaces a file of that name.
    ///
    /// # Errors
    /// When the file system fails.
    pub(super) fn persist(self, to: &Path) -> io::Result<()> {
        files::persist(self.path, to)
    }
}

/// Removes the files of processes that were killed: those that no process has locked.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let file = folder.join(name.strip_suffix(JOURNAL).unwrap_or(name));
        let is_abandoned = match File::open(&file) {
            Ok(opened) => opened.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_abandoned {
            let journal = PathBuf::from(format!("{}{JOURNAL}", file.display()));
            for path in [&journal, &file] {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Begin of the names of folders of repairs.
const REPAIR: &str = ".newswire-repair-";
/// Length of the random part of their names.
const RANDOM: usize = 6;

/// End of the name of the folder for a database.
fn repair_suffix(database: &Path) -> String {
    format!("-{}", database.file_name().unwrap_or_default().to_string_lossy())
}

/// A folder beside a database for its repaired copy, removed on drop.
///
/// # Errors
/// When it cannot be created.
pub(super) fn repair_folder(database: &Path) -> io::Result<TempDir> {
    let suffix = repair_suffix(database);
    let mut name = tempfile::Builder::new();
    name.prefix(REPAIR).suffix(&suffix).rand_bytes(RANDOM).tempdir_in(files::folder(database))
}

/// Removes the folder of a repair of this database that was killed. The caller has the lock of the database, so that no
/// repair of it is running.
pub(super) fn remove_abandoned_repair(database: &Path) {
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let suffix = repair_suffix(&database);
    let is_abandoned = |name: &str| {
        let name = name.strip_prefix(REPAIR).and_then(|name| name.strip_suffix(&suffix));
        // With more it is of a database with a longer name.
        name.is_some_and(|random| random.len() == RANDOM)
    };
    let Ok(entries) = fs::read_dir(files::folder(&database)) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_abandoned) {
            // What cannot be removed is tried again by the next process.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_killed_processes_are_removed_and_those_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in
            [".newswire-copy-dead", ".newswire-copy-dead-journal", ".newswire-copy-x-journal"]
        {
            fs::write(at(name), "x").unwrap();
        }
        fs::write(at("newswire.db"), "x").unwrap();
        let first = Scratch::beside(&at("copy.db")).unwrap();
        let second = Scratch::beside(&at("copy.db")).unwrap();
        assert!(first.path().exists() && second.path().exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        second.persist(&at("copy.db")).unwrap();
        drop(first);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["copy.db", "newswire.db"]);
    }

    #[test]
    fn the_folder_of_a_killed_repair_is_removed_with_the_lock_of_its_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let left = |name: &str| {
            let left = repair_folder(&path(name)).unwrap().keep();
            fs::write(left.join("newswire.db"), "half").unwrap();
            left
        };
        let (own, other) = (left("newswire.db"), left("other-newswire.db"));
        fs::create_dir(path(".newswire-repair-newswire.db")).unwrap();
        drop(
            crate::store::Store::open(&path("newswire.db"), crate::clock::Clock::system()).unwrap(),
        );
        assert!(!own.exists() && other.exists());
        assert!(path(".newswire-repair-newswire.db").exists());
    }
}
