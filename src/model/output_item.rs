//! A story as an output shows it: the lead item, the feed it came from, and who else carries it.
//!
//! `outputs` fills it from the store, `render` renders it; neither changes it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::{FeedId, FeedKey};
use super::item::{Image, Item, ItemKey, StoryKey};

/// What a feed's publisher says of the feed; every text plain, every URL absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedProfile {
    /// The feed's title.
    pub title: Option<String>,
    /// The site's page, http or https.
    pub site_url: Option<String>,
    /// `atom:id` of the feed where it has one.
    pub atom_id: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// The feed's icon or image.
    pub image: Option<Image>,
    /// Who may do what with it.
    pub rights: Option<String>,
}

/// A feed as an entry's attribution needs it: what the operator says, then what the publisher says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedInfo {
    /// Its row.
    pub key: FeedKey,
    /// Its stable name.
    pub id: FeedId,
    /// Where it is polled; never with userinfo.
    pub url: String,
    /// The operator's title, else the publisher's, else the host name; plain text, never empty.
    pub title: String,
    /// Given by the operator.
    pub tags: Vec<String>,
    /// The publisher's own words.
    pub profile: FeedProfile,
}

/// One story in one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputItem {
    /// The row of the lead item.
    pub key: ItemKey,
    /// The story.
    pub story: StoryKey,
    /// Minted once and kept: a globally unique IRI (RFC 4287 4.2.6).
    pub outward_id: String,
    /// When newswire first saw the lead.
    pub first_seen: Timestamp,
    /// `min(published, first_seen)`, fixed at first sight: an entry never moves.
    pub sort_at: Timestamp,
    /// The lead.
    pub item: Item,
    /// The feed of the lead; shared, for one feed has many entries.
    pub feed: Arc<FeedInfo>,
    /// The same story in other feeds, in the order they were first seen.
    pub also: Vec<AlsoAt>,
}

impl OutputItem {
    /// When it was published, for a reader that must have a date.
    #[must_use]
    pub fn published(&self) -> Timestamp {
        self.item.published.unwrap_or(self.first_seen)
    }

    /// When it was last changed; never before it was published.
    #[must_use]
    pub fn updated(&self) -> Timestamp {
        self.item.updated.map_or(self.published(), |updated| updated.max(self.published()))
    }
}

/// Another feed that carries the same story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlsoAt {
    /// The page there.
    pub url: Option<String>,
    /// Its title there.
    pub title: Option<String>,
    /// The feed that carries it.
    pub feed: Arc<FeedInfo>,
}
