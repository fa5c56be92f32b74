//! What a decision about sameness needs to know of an item that is already kept.

use super::feed::FeedKey;
use super::item::{ItemKey, StoryKey};

/// 128 bits of a SHA-256: equal means the same, for all purposes here.
pub type Digest = [u8; 16];

/// An item of the same feed that is already kept, found by its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its row.
    pub key: ItemKey,
    /// Over everything a reader would notice; dates and counters are left out.
    pub fingerprint: Digest,
}

/// A kept item that a new one may be the same story as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its row.
    pub key: ItemKey,
    /// The story it belongs to.
    pub story: StoryKey,
    /// Whose it is.
    pub feed: FeedKey,
}
