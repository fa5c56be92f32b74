//! The feed of a poll with its settings.

use std::sync::Arc;

use crate::model::{Feed, FeedId, FeedKey, Filter};
use crate::normalise::Selector;
use crate::{dedupe, fetch, schedule};

/// A feed with its effective settings.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// URL, id, title and tags of the feed.
    pub feed: Feed,
    /// Settings of the schedule; shared by feeds with the same values.
    pub schedule: Arc<schedule::Settings>,
    /// Settings of requests; shared by feeds with the same values.
    pub fetch: Arc<fetch::Settings>,
    /// Settings of deduplication; shared by feeds with the same values.
    pub dedupe: Arc<dedupe::Settings>,
    /// Filters that an item must pass to enter: of the feed, of its server and of its lists; shared by feeds.
    pub filters: Arc<[Filter]>,
    /// Selectors of parts that are removed from items: of the feed, of its lists and of its server.
    pub remove: Arc<[Selector]>,
    /// Maximum number of items read from a document; the newest are kept.
    pub max_items: usize,
}

/// A subscription with its row in the store.
#[derive(Debug, Clone)]
pub struct Target {
    /// Row of the feed.
    pub key: FeedKey,
    /// Stable id of the feed.
    pub id: FeedId,
    /// The feed and its settings.
    pub subscription: Arc<Subscription>,
}
