//! The bytes that are looked at, and what is known of how they came.

use crate::model::{Hop, Validators};

/// A document and how it was come by.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Document {
    pub(in crate::cli) bytes: Vec<u8>,
    pub(in crate::cli) content_type: Option<String>,
    /// The redirects on the way.
    pub(in crate::cli) hops: Vec<Hop>,
    pub(in crate::cli) validators: Validators,
}
