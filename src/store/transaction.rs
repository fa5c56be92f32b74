//! The one handle for reads and writes that belong together, and the connections that it comes from.
//!
//! Every query and every statement is a method of [`Transaction`], in the file of its table. A transaction
//! sees one state of the database from its first query to its end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use super::database_file::examined;
use super::error::{Error, OpenError};
use super::open;

/// An open transaction: all reads of one see the same state of the database, and its writes are committed
/// together.
#[derive(Debug, Clone, Copy)]
pub struct Transaction<'c> {
    pub(super) connection: &'c Connection,
}

impl<'c> Transaction<'c> {
    /// The handle of a transaction that the caller has begun and will end.
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }
}

/// Read access to a database: a small pool of read-only connections. Any number of processes may have one.
#[derive(Debug, Clone)]
pub struct Reader {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Whether checks end early.
    checks_ended: Arc<AtomicBool>,
}

/// Number of instructions of SQLite after which a check looks whether it has to end: some milliseconds.
const CHECK_STEPS: i32 = 10_000;

/// Number of idle connections that are kept; more are opened when needed.
const IDLE_CONNECTIONS: usize = 4;

/// Begins or ends a transaction by a statement that was parsed before.
fn begin_or_end(connection: &Connection, statement: &str) -> Result<(), Error> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

impl Reader {
    /// Opens an existing database for reading only.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let first = open::reader(path)?;
        let idle = Arc::new(Mutex::new(vec![first]));
        Ok(Self { path: path.into(), idle, checks_ended: Arc::default() })
    }

    /// Path of the database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in one read transaction. Blocks: call it off the async threads.
    ///
    /// # Errors
    /// When the database fails, or `work` does.
    pub fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.connection()?;
        begin_or_end(&connection, "BEGIN")?;
        let result = work(&Transaction::new(&connection));
        // A connection that cannot end its transaction is not used again.
        if begin_or_end(&connection, "COMMIT").is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_CONNECTIONS {
                idle.push(connection);
            }
        }
        result
    }

    /// The same on a new connection, for checks: FTS5 checks its index against the structure that the connection read
    /// first, and finds damage where the index has changed since then. `None`: [`Reader::end_checks`] ended it.
    ///
    /// # Errors
    /// When the database cannot be opened or fails, or `work` does.
    pub fn check<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut connection = open::reader(&self.path)?;
        let ended = Arc::clone(&self.checks_ended);
        connection.progress_handler(CHECK_STEPS, Some(move || ended.load(Ordering::Relaxed)))?;
        let transaction = connection.transaction()?;
        match work(&Transaction::new(&transaction)) {
            _ if self.checks_ended.load(Ordering::Relaxed) => Ok(None),
            result => result.map(Some),
        }
    }

    /// Ends the checks of this reader and its clones that run, and those that begin later: the process is about to end.
    pub fn end_checks(&self) {
        self.checks_ended.store(true, Ordering::Relaxed);
    }

    /// Closes the idle connections, also those of its clones.
    pub(super) fn close_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes the idle connections but one, and frees the pages that this one keeps in memory.
    pub(super) fn release_memory(&self) -> Result<(), Error> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.truncate(1);
        Ok(idle.iter().try_for_each(open::release_memory)?)
    }

    fn connection(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => Ok(open::another_reader(&self.path)?),
        }
    }
}

/// Runs `work` in one write transaction on an existing database, beside a daemon that may be running: SQLite
/// keeps the two apart, and the daemon notices the change.
///
/// # Errors
/// The outer one: the database cannot be opened. The inner one: `work` or the commit fails; then nothing is
/// written.
pub fn transact<T>(
    path: &Path,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
) -> Result<Result<T, Error>, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    // Held where no daemon runs, so that none starts meanwhile.
    let lock = open::lock(path);
    let mut connection = match &lock {
        Ok(_) => open::writer(path)?,
        Err(OpenError::InUse { .. }) => open::beside(path)?,
        Err(_) => return Err(lock.err().unwrap_or(OpenError::Missing { path: path.to_owned() })),
    };
    let transact = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&Transaction::new(&transaction))?;
        transaction.commit()?;
        Ok(result)
    };
    Ok(transact().map_err(|error| examined(path, error)))
}

/// Copies a database, as it is at this moment, to a new file.
///
/// # Errors
/// When one of the two cannot be opened, or the disk is full.
pub fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    if let Some(_lock) = open::at_rest(from) {
        // SQLite would write to the files beside the database even to read it.
        for end in ["", "-wal"] {
            let (from, to) = (open::ending(from, end), open::ending(to, end));
            if end.is_empty() || from.exists() {
                std::fs::copy(&from, &to)
                    .map_err(|source| OpenError::Io { path: to.clone(), source })?;
            }
        }
        return open::reader(to).map(drop).map_err(|error| error.of_original(from));
    }
    let reader = open::reader(from)?;
    let sqlite = |source| OpenError::Sqlite { path: to.to_owned(), source };
    reader.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(sqlite)?;
    Ok(())
}
