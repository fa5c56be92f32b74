//! Why a page cannot be made.

use crate::{outputs, store};

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A query about an output failed.
    #[error(transparent)]
    Outputs(#[from] outputs::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The template failed.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// Making the page panicked.
    #[error("{0}")]
    Panicked(String),
}
