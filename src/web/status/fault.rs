//! Why there is no page for the operator.

use crate::publish::StacksError;
use crate::store;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What lies behind an output.
    #[error(transparent)]
    Stacks(#[from] StacksError),
    /// The template.
    #[error(transparent)]
    Template(#[from] askama::Error),
}
