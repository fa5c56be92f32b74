//! How a poll ends.

use std::time::Duration;

use jiff::Timestamp;

use super::gate::Denied;
use crate::model::{FeedKey, FetchOutcome, Plan};
use crate::store::PollCounts;

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// Row of the feed.
    pub feed: FeedKey,
    /// Outcome of the fetch, or of parsing if that failed.
    pub outcome: FetchOutcome,
    /// Numbers of new and changed items.
    pub recorded: PollCounts,
    /// Time of the next poll with its reason.
    pub plan: Plan,
    /// Duration of the poll.
    pub duration: Duration,
    /// Other feeds that have another plan now, because this machine was offline when they were polled.
    pub replanned: Vec<(FeedKey, Timestamp)>,
}

/// The end of a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollEnd {
    /// The exchange ended, and its result is stored.
    Polled(Polled),
    /// A promise ended the exchange. Nothing was fetched, and the feed has another plan.
    Held(Held),
}

/// A poll that a promise ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Row of the feed.
    pub feed: FeedKey,
    /// Time of the next poll with its reason.
    pub plan: Plan,
    /// The promise.
    pub denied: Denied,
}

impl PollEnd {
    /// Row of the feed.
    #[must_use]
    pub fn feed(&self) -> FeedKey {
        match self {
            Self::Polled(polled) => polled.feed,
            Self::Held(held) => held.feed,
        }
    }

    /// Time of the next poll with its reason.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        match self {
            Self::Polled(polled) => &polled.plan,
            Self::Held(held) => &held.plan,
        }
    }
}
