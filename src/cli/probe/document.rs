//! The bytes that are looked at, and what is known of how they came.

use crate::model::{Hop, Validators};

/// A document and how it was come by.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: Option<String>,
    /// The redirects on the way.
    pub(super) hops: Vec<Hop>,
    pub(super) validators: Validators,
}
