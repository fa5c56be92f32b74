//! How a feed has published so far: what its interval is learned from.

use jiff::Timestamp;

/// What is known about when the items of a feed came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publishing {
    /// Times of the newest items: the date of publication, or of first sight if that is earlier. Of a feed without items,
    /// the time when it was added.
    pub times: Vec<Timestamp>,
    /// The last successful polls, the oldest first.
    pub polls: Vec<PollYield>,
}

/// What a successful poll brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollYield {
    /// Start of the poll.
    pub at: Timestamp,
    /// Number of new items that are shown.
    pub new: usize,
    /// The same, with those that are held or that a filter kept out.
    pub unseen: usize,
    /// Number of different items of the document; `None`: it was unchanged, or a part of the feed.
    pub items: Option<usize>,
}
