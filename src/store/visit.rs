//! One write by a process that is not the daemon, which may be running: the operator's commands.
//!
//! SQLite keeps the two apart; the daemon notices. Leaves what is written to the caller.

use std::path::Path;

use rusqlite::TransactionBehavior;

use super::error::{Error, OpenError};
use super::open;
use super::write::{Write, apply};

/// Applies a write to an existing database; answers how many items it is about.
///
/// # Errors
/// The outer one: the database cannot be opened. The inner one: it fails; then nothing was done.
pub fn visit(path: &Path, write: &Write) -> Result<Result<usize, Error>, OpenError> {
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
    let mut transact = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied = apply(&transaction, write)?;
        transaction.commit()?;
        Ok(applied.count)
    };
    Ok(transact())
}

/// Copies a database, as it is at this moment, to a new file.
///
/// # Errors
/// When either cannot be opened, or the disk is full.
pub fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    if let Some(_rest) = open::at_rest(from) {
        // SQLite would write to the files beside it, if only who reads them.
        for end in ["", "-wal"] {
            let (from, to) = (open::ending(from, end), open::ending(to, end));
            if end.is_empty() || from.exists() {
                std::fs::copy(&from, &to)
                    .map_err(|source| OpenError::Io { path: to.clone(), source })?;
            }
        }
        return open::reader(to).map(drop);
    }
    let reader = open::reader(from)?;
    let sqlite = |source| OpenError::Sqlite { path: to.to_owned(), source };
    reader.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(sqlite)?;
    Ok(())
}
