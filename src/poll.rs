//! ONE poll of ONE feed: fetch > parse > normalise > dedupe > plan > store.

use std::sync::Arc;

use crate::model::Feed;
use crate::{fetch, schedule};

/// A feed with the settings in force for it: the config's defaults and its own keys.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The feed.
    pub feed: Feed,
    /// How often; shared by all feeds that override nothing.
    pub schedule: Arc<schedule::Settings>,
    /// What a request looks like; shared by all feeds that override nothing.
    pub fetch: Arc<fetch::Settings>,
    /// Newest items kept of one document.
    pub max_items: usize,
}
