//! Opening the database: lock, pragmas, schema.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};
use url::Url;

use super::error::{Error, OpenError};
use super::{backup, database_file, row_digest};
use crate::files;

/// "NWIR": identifies a file as a database of Newswire.
pub(super) const APPLICATION_ID: i64 = 0x4E57_4952;

/// The schema. Until 1.0 is released, a database of another schema cannot be opened.
const SQL: &str = include_str!("schema.sql");

/// Version of the schema.
pub const SCHEMA: usize = 33;

/// Held while this process may write. The system releases it when the process ends in any way.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock beside the database, creating its folder.
///
/// # Errors
/// When another process holds it, or the folder cannot be written.
pub(crate) fn lock(path: &Path) -> Result<Lock, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        files::create_folder(folder).map_err(io)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(lock_path(path))
        .map_err(io)?;
    match lock_with_retries(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut file)),
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0).map_err(io)?;
    file.rewind().map_err(io)?;
    writeln!(file, "{}", std::process::id()).map_err(io)?;
    backup::remove_abandoned_repair(path);
    Ok(Lock { _file: file })
}

/// The error for a database whose lock another process holds.
fn in_use(path: &Path, lock: &mut File) -> OpenError {
    let mut holder = String::new();
    let _ = lock.read_to_string(&mut holder);
    let holder = match holder.trim() {
        "" => "(unknown)".to_owned(),
        pid => pid.to_owned(),
    };
    OpenError::InUse { path: path.to_owned(), holder }
}

/// Checks that no process has the database at `path` open for writing. Writes nothing.
///
/// # Errors
/// When one has.
pub fn check_unused(path: &Path) -> Result<(), OpenError> {
    let Ok(mut file) = File::open(lock_path(path)) else { return Ok(()) };
    match lock_with_retries(&file) {
        Err(TryLockError::WouldBlock) => Err(in_use(path, &mut file)),
        _ => Ok(()),
    }
}

/// Takes the lock of the database at `path`; `None`: another process holds it, or it was never opened. Writes
/// nothing.
pub(crate) fn at_rest(path: &Path) -> Option<Lock> {
    let file = File::open(lock_path(path)).ok().filter(|_| path.exists())?;
    lock_with_retries(&file).ok()?;
    Some(Lock { _file: file })
}

/// Whether a process has a database open for writing.
#[derive(Debug)]
pub enum Usage {
    /// A process has it open.
    InUse,
    /// No process has it open.
    Unused,
    /// The lock file cannot be read, for this reason.
    Unknown(io::Error),
}

/// Whether a process has the database at `path` open for writing. Writes nothing.
#[must_use]
pub fn usage(path: &Path) -> Usage {
    let file = match File::open(lock_path(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Usage::Unused,
        Err(error) => return Usage::Unknown(error),
    };
    match lock_with_retries(&file) {
        Ok(()) => Usage::Unused,
        Err(TryLockError::WouldBlock) => Usage::InUse,
        Err(TryLockError::Error(error)) => Usage::Unknown(error),
    }
}

/// Whether a process uses the database, without the wait of [`usage`]; true if that is unknown.
#[must_use]
pub fn is_in_use(path: &Path) -> bool {
    match File::open(lock_path(path)) {
        // Shared, so that commands that ask at the same time do not take each other for a user.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Takes the lock, with retries for 100 ms: a child process that is being started holds the files of its parent
/// until it executes its program.
fn lock_with_retries(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            done => return done,
        }
    }
    file.try_lock()
}

/// Path of the lock file. The database itself is not locked, because that would collide with SQLite's locks.
fn lock_path(path: &Path) -> PathBuf {
    ending(path, ".lock")
}

/// The path with `end` appended to the name.
pub(crate) fn ending(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Creates the file, unless it exists, for this user alone: feeds that need a login are in it. SQLite gives the
/// files beside it the same mode.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(OpenError::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Whether the process that wrote last did not end cleanly: it left changes in the write-ahead log.
pub(crate) fn ended_uncleanly(path: &Path) -> bool {
    std::fs::metadata(ending(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Auto-vacuum and the size of pages have to be chosen before the first page of a new database is written. A page of 8 KiB has room
/// for several texts and fingerprints, so that less of it stays empty, and half as many are written.
const WRITING: &str =
    "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
    PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -4096;
    PRAGMA temp_store = MEMORY;";

/// Adds the functions of SQL that newswire has, and keeps this many prepared statements, with their plans. Otherwise
/// SQLite compiles a statement with `LIMIT ?` again for each value.
fn prepare(connection: &Connection, count: usize) -> rusqlite::Result<()> {
    row_digest::register(connection)?;
    connection.set_prepared_statement_cache_capacity(count);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Opens for writing and brings the schema up to date.
///
/// # Errors
/// When the file is not ours, is newer than this newswire, or SQLite fails.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    open_writer(path).map_err(|error| examined(path, error))
}

fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    match database_file::examine_type(path) {
        Err(OpenError::Missing { .. }) | Ok(()) => {}
        Err(error) => return Err(error),
    }
    create_private(path)?;
    let mut connection = Connection::open(path).map_err(sqlite)?;
    let _ = check(&connection, path)?;
    // FULL, not NORMAL: what was published must survive a power cut, or its ids would be minted again.
    connection.execute_batch(WRITING).map_err(sqlite)?;
    prepare(&connection, 128).map_err(sqlite)?;
    create(&mut connection).map_err(sqlite)?;
    check_definitions(&connection).map_err(sqlite)?;
    if forget_statistics(&connection).map_err(sqlite)? {
        // A connection keeps the statistics that it has read.
        drop(connection);
        return open_writer(path);
    }
    Ok(connection)
}

/// Removes the statistics of `ANALYZE`; whether there were any. With them, SQLite chooses other plans than those that the
/// tests examine: it takes tables for long that were empty at the time, and reads all items or fingerprints for each batch.
fn forget_statistics(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')";
    let any = connection.query_row(sql, [], |row| row.get::<_, i64>(0))? > 0;
    if any {
        let drop = "DROP TABLE IF EXISTS sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4";
        connection.execute_batch(drop)?;
    }
    Ok(any)
}

/// Opens for writing beside a process that holds the lock. The schema must be this version's.
///
/// # Errors
/// When the file is not ours, has another schema, or SQLite fails.
pub(crate) fn beside(path: &Path) -> Result<Connection, OpenError> {
    open_beside(path).map_err(|error| examined(path, error))
}

fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(sqlite)?;
    let _ = check(&connection, path)?;
    let found: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sqlite)?;
    let known = SCHEMA as i64;
    if found < known {
        return Err(OpenError::Older { path: path.to_owned(), found, known });
    }
    connection.execute_batch(WRITING).map_err(sqlite)?;
    row_digest::register(&connection).map_err(sqlite)?;
    Ok(connection)
}

/// Opens for reading.
///
/// # Errors
/// When there is no database, it is not ours or newer, a definition is altered, or SQLite fails.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    compared(path, another_reader(path)?)
}

/// The same without a comparison of the definitions, where this process has opened the database before.
///
/// # Errors
/// The same, but for definitions.
pub(super) fn another_reader(path: &Path) -> Result<Connection, OpenError> {
    let opened = match open_reader(path, Access::Shared) {
        // A user who may not write to the folder, or has no space, can read a database that no process uses.
        Err(error) if error.is_unwritable() && is_complete(path) => {
            open_reader(path, Access::Unchanging)
        }
        opened => opened,
    };
    opened.map_err(|error| examined(path, error))
}

/// Opens a copy for reading, which this process does not have open. Creates no files beside it.
///
/// # Errors
/// The same.
pub(crate) fn copy_reader(path: &Path) -> Result<Connection, OpenError> {
    database_file::examine(path)?;
    let access = if is_complete(path) { Access::Unchanging } else { Access::Shared };
    let connection = open_reader(path, access).map_err(|error| examined(path, error))?;
    compared(path, connection)
}

/// A connection whose definitions are this version's.
pub(super) fn compared(path: &Path, connection: Connection) -> Result<Connection, OpenError> {
    match check_definitions(&connection) {
        Ok(()) => Ok(connection),
        Err(source) => Err(examined(path, OpenError::Sqlite { path: path.to_owned(), source })),
    }
}

/// The error with its true cause.
fn examined(path: &Path, error: OpenError) -> OpenError {
    match database_file::after_opening(path, &error) {
        Some(source) => OpenError::Unreadable { path: path.to_owned(), source },
        None => match error {
            OpenError::Sqlite { source, path } if is_no_database(&source) => {
                OpenError::NotDatabase { path, kind: None }
            }
            error => error,
        },
    }
}

fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
}

/// How a file is opened for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Beside a process that may write to it. SQLite needs the files beside it.
    Shared,
    /// As a file that nothing changes. Nothing is created beside it.
    Unchanging,
}

fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let url = std::path::absolute(path).ok().and_then(|path| Url::from_file_path(path).ok());
    match url {
        Some(mut url) if access == Access::Unchanging => {
            url.set_query(Some("immutable=1"));
            Connection::open_with_flags(url.as_str(), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        _ => Connection::open_with_flags(path, flags),
    }
}

/// Whether no process has the database open, and all of it is in its file.
fn is_complete(path: &Path) -> bool {
    !ended_uncleanly(path) && matches!(usage(path), Usage::Unused)
}

/// Frees the pages that a connection keeps in memory.
pub(super) fn release_memory(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA shrink_memory")
}

fn open_reader(path: &Path, access: Access) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    database_file::examine_type(path)?;
    let connection = connect(path, access).map_err(sqlite)?;
    connection
        .execute_batch(
            "PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4096;",
        )
        .map_err(sqlite)?;
    prepare(&connection, 64).map_err(sqlite)?;
    match check(&connection, path)? {
        Content::Blank => Err(OpenError::Empty { path: path.to_owned() }),
        Content::Tables => Ok(connection),
    }
}

/// Whether a database was initialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A file without tables.
    Blank,
    /// A database of this schema.
    Tables,
}

/// Rejects a database of another program and one of another schema.
fn check(connection: &Connection, path: &Path) -> Result<Content, OpenError> {
    let number = |pragma: &str| {
        connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
            .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
    };
    let (application, found, known) =
        (number("application_id")?, number("user_version")?, SCHEMA as i64);
    // A new file has no tables and no id yet.
    let blank = application == 0 && number("page_count")? <= 1;
    if application != APPLICATION_ID && !blank {
        return Err(OpenError::NotOurs { path: path.to_owned(), found: application });
    }
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    if found < known && !blank {
        return Err(OpenError::Older { path: path.to_owned(), found, known });
    }
    Ok(if blank { Content::Blank } else { Content::Tables })
}

/// Names and definitions of tables, indexes and triggers.
fn definitions(connection: &Connection) -> rusqlite::Result<HashMap<String, String>> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Reports a definition that is missing or altered. SQLite does not notice a bit that flips in one, and a statement
/// that fails because of it looks like a bug.
pub(super) fn check_definitions(connection: &Connection) -> rusqlite::Result<()> {
    static EXPECTED: OnceLock<HashMap<String, String>> = OnceLock::new();
    let expected = match EXPECTED.get() {
        Some(expected) => expected,
        None => {
            let new = Connection::open_in_memory()?;
            new.execute_batch(SQL)?;
            let definitions = definitions(&new)?;
            EXPECTED.get_or_init(|| definitions)
        }
    };
    let found = definitions(connection)?;
    match expected.iter().find(|(name, sql)| found.get(*name) != Some(sql)) {
        None => Ok(()),
        Some((name, _)) => Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_CORRUPT),
            Some(format!("the definition of {name} differs from what was written")),
        )),
    }
}

/// Moves the write-ahead log into the database and truncates it, with a separate connection. If that fails, the
/// log stays as it is.
pub(crate) fn truncate_log(path: &Path) {
    if let Ok(connection) = beside(path) {
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// Writes the version of the schema again, so that a page has to reach the disk.
pub(crate) fn touch(connection: &Connection) -> Result<(), Error> {
    let schema: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(connection.pragma_update(None, "user_version", schema)?)
}

/// Creates the tables of a new database.
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let at: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if at > 0 {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch(SQL)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA as i64)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::super::{Lists, Store};
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_full_disk_keeps_nobody_from_reading() {
        let of = |code| {
            let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            OpenError::Sqlite { path: "newswire.db".into(), source }.is_unwritable()
        };
        use rusqlite::ffi::{SQLITE_CORRUPT, SQLITE_FULL, SQLITE_IOERR_SHMSIZE, SQLITE_READONLY};
        assert!([SQLITE_FULL, SQLITE_IOERR_SHMSIZE, SQLITE_READONLY].into_iter().all(of));
        assert!(!of(SQLITE_CORRUPT));
    }

    #[test]
    fn statistics_change_no_plan_and_a_close_leaves_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let open = || writer(&path).unwrap();
        let pending = "EXPLAIN QUERY PLAN SELECT item.id
                       FROM (SELECT item_id FROM pending ORDER BY id LIMIT ?1) wanted
                       JOIN item ON item.id = wanted.item_id";
        let plan = |connection: &Connection| -> String {
            prepare(connection, 1).unwrap();
            let mut steps = connection.prepare(pending).unwrap();
            let steps = steps.query_map([256], |row| row.get::<_, String>(3)).unwrap();
            steps.map(|step| step.unwrap() + "; ").collect()
        };
        let without = plan(&open());
        assert!(!without.contains("SCAN item"), "{without}");
        // As an operator may take them, when nothing is pending.
        let statistics = "ANALYZE; DELETE FROM sqlite_stat1;
                          INSERT INTO sqlite_stat1 VALUES ('item', 'sqlite_autoindex_item_1', '20000 1');
                          ANALYZE sqlite_schema;";
        open().execute_batch(statistics).unwrap();
        let with = plan(&Connection::open(&path).unwrap());
        assert!(with.contains("SCAN item"), "the statistics make no difference: {with}");
        assert_eq!(plan(&open()), without);
        assert_eq!(plan(&Connection::open(&path).unwrap()), without);
        assert!(!ended_uncleanly(&path));
    }

    #[tokio::test]
    async fn a_clean_stop_leaves_the_database_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), Clock::system()).unwrap();
        // The reader of another part is dropped later.
        let reader = store.reader().clone();
        reader.read(|reader| reader.feeds()).unwrap();
        store.register(Vec::new(), Lists::Known, Clock::system().now()).await.unwrap();
        drop(store);
        let files = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort_unstable();
        assert_eq!(names, ["newswire.db", "newswire.db.lock"]);
    }
}
