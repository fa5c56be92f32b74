//! What is polled: a feed with its settings, and its row in the store.

use std::sync::Arc;

use crate::model::{Feed, FeedId, FeedKey};
use crate::{dedupe, fetch, schedule};

/// A feed with the settings in force for it: the config's defaults and its own keys.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The feed.
    pub feed: Feed,
    /// How often; shared by all feeds that override nothing.
    pub schedule: Arc<schedule::Settings>,
    /// What a request looks like; shared by all feeds that override nothing.
    pub fetch: Arc<fetch::Settings>,
    /// What counts as the same thing; shared by all feeds that override nothing.
    pub dedupe: Arc<dedupe::Settings>,
    /// Newest items kept of one document.
    pub max_items: usize,
}

/// A subscription that the store knows.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its row.
    pub key: FeedKey,
    /// Its stable name.
    pub id: FeedId,
    /// What the config says.
    pub subscription: Arc<Subscription>,
}
