//! Why an output was not published.

use std::io;
use std::path::PathBuf;

use crate::render::CheckError;
use crate::store;

/// Why an output was not published; the last good one stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A rendered document did not pass the read-back check.
    #[error("the new {name} was not published, the previous one stays: {source}")]
    Check {
        /// Name of the document, or id of its output.
        name: String,
        /// What is wrong with it.
        source: CheckError,
    },
    /// A file could not be written.
    #[error("failed to write {path}: {source}")]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Rendering this document panicked.
    #[error("newswire panicked while rendering {0}, the previous one stays")]
    Panicked(String),
}

crate::model::codes! {
    Error:
    Self::Check { .. } => "document_check_failed": "please report this with the message",
    Self::Write { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "output_permission_denied":
        "give this user write access to the folder; under systemd, add it to ReadWritePaths of the unit",
    Self::Write { source, .. }
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => "output_disk_full":
        "free space on the disk; newswire then publishes by itself",
    Self::Write { .. } => "output_unwritable": "check that the folder exists and that this user can write to it",
    Self::Panicked(_) => "render_panicked": "please report this with the log",
    ;
    Self::Store(error) => error,
}
