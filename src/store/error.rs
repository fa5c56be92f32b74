//! What can go wrong with the store. Leaves exit codes to `cli`.

use std::path::PathBuf;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes to it.
    #[error(
        "the database {path} is in use by newswire process {holder}: stop that one first, or give this one another [store] path"
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// "4711", or "(unknown)".
        holder: String,
    },
    /// Written by a newer newswire.
    #[error(
        "the database {path} has schema {found}, this newswire knows schemas up to {known}: install the newer newswire again, or restore the copy made before the upgrade"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The latest schema version known here.
        known: i64,
    },
    /// In use by an older newswire.
    #[error(
        "the database {path} has schema {found} and is in use by an older newswire, this one needs schema {known}: restart the running one first"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The schema version that is needed.
        known: i64,
    },
    /// A file of something else.
    #[error(
        "{path} is a SQLite database of another program (application id {found:#x}): give newswire another [store] path"
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Its application id.
        found: i64,
    },
    /// There is none yet, and the caller only wants to read.
    #[error(
        "there is no database at {path} yet: start newswire with 'newswire run' or 'newswire poll' first"
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The folder or the lock file.
    #[error(
        "failed to open the database {path}: {source}: check that its folder exists and that this user may write there"
    )]
    Io {
        /// The database.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite.
    #[error(
        "failed to open the database {path}: {source}: check that it is a newswire database, that this user may write there, and that the disk is not full"
    )]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

crate::model::codes! {
    OpenError:
    Self::InUse { .. } => "database_in_use",
    Self::Newer { .. } => "database_newer",
    Self::Older { .. } => "database_older",
    Self::NotOurs { .. } => "database_foreign",
    Self::Missing { .. } => "no_database",
    Self::Io { .. } => "database_unreachable",
    Self::Sqlite { .. } => "database_broken",
}

/// Why a read or a write failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// SQLite, as text: one failed commit is the answer to many updates.
    #[error(
        "the database failed: {0}: check that its disk has room and can be written to, then try again"
    )]
    Sqlite(String),
    /// The writer thread has ended.
    #[error(
        "the part that writes to the database has stopped: start newswire anew, and please report this"
    )]
    Closed,
    /// A value in the database is not what this newswire wrote.
    #[error(
        "the database holds something unreadable: {0}: check it with sqlite3, or restore a copy"
    )]
    Corrupt(String),
}

crate::model::codes! {
    Error:
    Self::Sqlite(_) => "database_failed",
    Self::Closed => "writer_stopped",
    Self::Corrupt(_) => "database_unreadable",
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
