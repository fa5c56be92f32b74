//! What can go wrong with the store. Leaves exit codes to `cli`.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::Coded;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes to it.
    #[error("the database {path} is in use by the process {holder}")]
    InUse {
        /// Path of the database.
        path: PathBuf,
        /// Id of that process, or `(unknown)`.
        holder: String,
    },
    /// Written by a newer newswire.
    #[error(
        "the database {path} has schema {found}; this version of newswire supports up to schema {known}"
    )]
    Newer {
        /// Path of the database.
        path: PathBuf,
        /// Schema version of the database.
        found: i64,
        /// The latest schema version known here.
        known: i64,
    },
    /// Written by an older newswire.
    #[error(
        "the database {path} has schema {found}; this version of newswire needs schema {known}"
    )]
    Older {
        /// Path of the database.
        path: PathBuf,
        /// Schema version of the database.
        found: i64,
        /// The schema version that is needed.
        known: i64,
    },
    /// A file of something else.
    #[error("{path} is a SQLite database of another program (application id {found:#x})")]
    NotOurs {
        /// Path of the file.
        path: PathBuf,
        /// SQLite `application_id` of the file.
        found: i64,
    },
    /// There is no database yet, and the caller only wants to read.
    #[error("there is no database at {path} yet")]
    Missing {
        /// Path where it was expected.
        path: PathBuf,
    },
    /// An empty file, and the caller only wants to read.
    #[error("the database file {path} is empty")]
    Empty {
        /// Path of the database.
        path: PathBuf,
    },
    /// The path is a folder, a socket or another file that is not regular.
    #[error("{path} is {kind}, not a database file")]
    NotRegular {
        /// Path of the database.
        path: PathBuf,
        /// Kind of the file, with an article: `a folder`.
        kind: &'static str,
    },
    /// A file of another kind, or a database without its first page.
    #[error("{path} is {}", no_database(*.kind))]
    NotDatabase {
        /// Path of the file.
        path: PathBuf,
        /// What it is, with an article; `None`: unknown.
        kind: Option<&'static str>,
    },
    /// The folder or the lock file.
    #[error("failed to open the database {path}: {source}")]
    Io {
        /// Path of the database or of its lock file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// SQLite found damage, but the system fails to read the file.
    #[error("failed to read the database {path}: {source}")]
    Unreadable {
        /// Path of the database.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// SQLite refused the file.
    #[error("failed to open the database {path}: {source}")]
    Sqlite {
        /// Path of the database.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
}

/// What a file is that is no database.
fn no_database(kind: Option<&str>) -> String {
    match kind {
        Some(kind) => format!("{kind}, not a database"),
        None => "not a database, or its first page is destroyed".to_owned(),
    }
}

crate::model::codes! {
    OpenError:
    Self::InUse { .. } => "database_in_use": "stop that process first, or set another path in [store]",
    Self::Newer { .. } => "database_newer": "install the newer version again, or restore a copy that you made before the upgrade",
    Self::Older { .. } => "database_older": "use the older version, or move the file away: 'newswire restore --from-outputs' then reads back the published items",
    Self::NotOurs { .. } => "database_of_other_program": "set another path in [store]",
    Self::Missing { .. } => "no_database":
        "'newswire run' or 'newswire poll' creates it; if it was lost, 'newswire restore' brings it back",
    Self::NotRegular { .. } => "not_a_file": "set path in [store] to a file",
    Self::NotDatabase { .. } => "database_damaged":
        "set another path in [store] if this file is not the database; otherwise 'newswire restore FILE' replaces it with a copy",
    Self::Empty { .. } => "database_empty": "restore a copy if there was a database here; 'newswire run' or 'newswire poll' starts a new one",
    Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "database_permission_denied":
        "run newswire as the user who owns the database, or give this user access to the file and its folder",
    Self::Io { source, .. } if is_full(source) => "store_full": "free space on the disk",
    Self::Io { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => "disk_readonly":
        "mount the disk for writing, or set another path in [store]",
    Self::Io { .. } => "database_folder_unusable": "check that the folder exists and that this user can write to it",
    Self::Unreadable { .. } => "store_io": ErrorCause::Io.remedy(),
    Self::Sqlite { source, .. } if ErrorCause::of(source) == ErrorCause::Full => "store_full": "free space on the disk",
    Self::Sqlite { source, .. } if ErrorCause::of(source) == ErrorCause::ReadOnly => "database_permission_denied":
        "give this user access to the file and its folder, and mount the disk for writing",
    Self::Sqlite { source, .. } if ErrorCause::of(source) == ErrorCause::Io => "store_io": ErrorCause::Io.remedy(),
    Self::Sqlite { source, .. } if ErrorCause::of(source) == ErrorCause::Busy => "store_busy": ErrorCause::Busy.remedy(),
    Self::Sqlite { .. } => "database_damaged": ErrorCause::Damaged.remedy(),
}

impl OpenError {
    /// The same error of another database, of which the one that was opened is a copy.
    pub(super) fn of_original(mut self, database: &Path) -> Self {
        let (Self::InUse { path, .. }
        | Self::Newer { path, .. }
        | Self::Older { path, .. }
        | Self::NotOurs { path, .. }
        | Self::Missing { path }
        | Self::Empty { path }
        | Self::NotRegular { path, .. }
        | Self::NotDatabase { path, .. }
        | Self::Io { path, .. }
        | Self::Unreadable { path, .. }
        | Self::Sqlite { path, .. }) = &mut self;
        database.clone_into(path);
        self
    }

    /// Whether SQLite cannot write the files beside the database, which it needs also for reading.
    pub(super) fn is_unwritable(&self) -> bool {
        let is_unwritable = |cause| matches!(cause, ErrorCause::ReadOnly | ErrorCause::Full);
        matches!(self, Self::Sqlite { source, .. } if is_unwritable(ErrorCause::of(source)))
    }

    /// Whether the file is a damaged database, of which a part may be readable.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if ErrorCause::of(source) == ErrorCause::Corrupt)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What is wrong with the database, or with the disk below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCause {
    /// The disk or a quota is full.
    Full,
    /// Permissions or the file system forbid writing, or even opening it.
    ReadOnly,
    /// Another process kept it locked for longer than newswire waits.
    Busy,
    /// Its file was removed or replaced while newswire has it open: what is written would be lost.
    Removed,
    /// The disk failed: the last writes may be lost, even if a second attempt succeeds.
    Io,
    /// SQLite finds the structure of the file damaged.
    Corrupt,
    /// A value is not what newswire wrote.
    Damaged,
    /// The writer thread has ended.
    WriterStopped,
    /// One statement or one value failed because of a bug in newswire; everything else continues.
    Bug,
}

impl ErrorCause {
    /// All causes, in the order of their definition.
    pub const ALL: &'static [Self] = &[
        Self::Full,
        Self::ReadOnly,
        Self::Busy,
        Self::Removed,
        Self::Io,
        Self::Corrupt,
        Self::Damaged,
        Self::WriterStopped,
        Self::Bug,
    ];

    /// Stable slug, which is also the error code: `store_full`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Full => "store_full",
            Self::ReadOnly => "store_readonly",
            Self::Busy => "store_busy",
            Self::Removed => "store_removed",
            Self::Io => "store_io",
            Self::Corrupt => "store_corrupt",
            Self::Damaged => "store_damaged",
            Self::WriterStopped => "store_ended",
            Self::Bug => "store_bug",
        }
    }

    /// What to do, a fragment.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Full => "free space on the disk; newswire then continues by itself",
            Self::ReadOnly => {
                "give this user access to the file and its folder, and mount the disk for writing"
            }
            Self::Busy => "find the program that has it open with 'fuser newswire.db'",
            Self::Removed => {
                "move the file back, or stop newswire, restore a copy, and start it again"
            }
            Self::Io => {
                "check the disk (dmesg, smartctl), then start newswire again; the database may be intact"
            }
            Self::Corrupt | Self::Damaged => {
                "run 'newswire verify' and 'newswire repair', or restore a copy"
            }
            Self::WriterStopped => "start newswire again, and report the panic in its log",
            Self::Bug => "please report this",
        }
    }

    /// Whether it may pass while newswire runs. What does not ends it: after a failed fsync nobody
    /// knows what is on the disk, and a database that is broken must not be written to.
    #[must_use]
    pub fn may_pass(self) -> bool {
        use ErrorCause::{Bug, Busy, Damaged, Full, ReadOnly, Removed};
        matches!(self, Full | ReadOnly | Busy | Removed | Damaged | Bug)
    }

    pub(super) fn of(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        // A shared-memory file that cannot grow: nothing but want of room makes it so.
        const NO_ROOM_FOR_SHM: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
        // The tables are strict: newswire wrote no value of another type.
        if let rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) = error
        {
            return Self::Damaged;
        }
        let Some(known) = error.sqlite_error() else { return Self::Bug };
        match (known.code, known.extended_code) {
            (Code::DiskFull, _) | (_, NO_ROOM_FOR_SHM) => Self::Full,
            (Code::ReadOnly | Code::CannotOpen, _) => Self::ReadOnly,
            (Code::DatabaseBusy | Code::DatabaseLocked, _) => Self::Busy,
            (Code::SystemIoFailure, _) => Self::Io,
            (Code::DatabaseCorrupt | Code::NotADatabase, _) => Self::Corrupt,
            _ => Self::Bug,
        }
    }
}

/// Why a read or a write failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// SQLite, as text: one failed commit is the answer to many updates.
    #[error("the database failed: {1}")]
    Sqlite(ErrorCause, String),
    /// There is too little free space to continue.
    #[error("the disk of the database has {free} bytes of free space, {wanted} are needed")]
    NoRoom {
        /// Bytes that are left.
        free: u64,
        /// Bytes that are wanted.
        wanted: u64,
    },
    /// The writer thread has ended.
    #[error("the database writer has stopped")]
    Closed,
    /// A value in the database is not what this newswire wrote.
    #[error("the database contains an invalid value: {0}")]
    Corrupt(String),
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "database_unreadable",
            _ => self.cause().slug(),
        }
    }

    fn help(&self) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(self.cause().remedy()))
    }
}

impl Error {
    /// The error codes that do not come from an [`ErrorCause`].
    pub const CODES: &'static [&'static str] = &["database_unreadable"];

    /// Which of the known conditions caused the error.
    #[must_use]
    pub fn cause(&self) -> ErrorCause {
        match self {
            Self::Sqlite(fault, _) => *fault,
            Self::NoRoom { .. } => ErrorCause::Full,
            Self::Closed => ErrorCause::WriterStopped,
            Self::Corrupt(_) => ErrorCause::Damaged,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(ErrorCause::of(&error), error.to_string())
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Sqlite(ErrorCause::from(&error), error.to_string())
    }
}

impl From<&OpenError> for ErrorCause {
    fn from(error: &OpenError) -> Self {
        match error {
            OpenError::Sqlite { source, .. } => Self::of(source),
            OpenError::Unreadable { .. } | OpenError::NotRegular { .. } => Self::Io,
            OpenError::NotDatabase { .. } => Self::Corrupt,
            OpenError::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Self::ReadOnly
                }
                _ => Self::Io,
            },
            _ => Self::Bug,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
