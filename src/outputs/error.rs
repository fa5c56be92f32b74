//! Why an output was not published.

use std::io;
use std::path::PathBuf;

use crate::render::CheckError;
use crate::store;

/// Why an output was not published; the last good one stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A rendered document did not pass the read-back check.
    #[error(
        "the new {name} was not published, the last good one stays: {source}; please report this"
    )]
    Check {
        /// The document.
        name: String,
        /// What is wrong with it.
        source: CheckError,
    },
    /// A file could not be written.
    #[error(
        "failed to write {path}: {source}: check that the folder exists, belongs to this user and has room"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Rendering panicked.
    #[error("newswire panicked while rendering {0}, the last good one stays; please report this")]
    Panicked(String),
}

crate::model::codes! {
    Error:
    Self::Check { .. } => "publish_check",
    Self::Write { .. } => "output_unwritable",
    Self::Panicked(_) => "publish_panicked",
    ;
    Self::Store(error) => error,
}
