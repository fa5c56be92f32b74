//! Identity and matching: what is known about stored items, and the decisions about them.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::FeedKey;
use super::item::{Item, ItemKey, StoryKey};

/// First 128 bits of a SHA-256. Equal digests mean equal values.
pub type Digest = [u8; 16];

/// Number of changes of an item that were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EditCounts {
    /// Number of times that its words were replaced.
    pub changes: u32,
    /// Number of times that a change was shown as one.
    pub bumps: u32,
    /// Time of the last such change; `None`: never.
    pub bumped_at: Option<Timestamp>,
}

/// An item among those that may be one story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryItem {
    /// Row of the item.
    pub key: ItemKey,
    /// Row of its feed. A story has at most one item of a feed.
    pub feed: FeedKey,
    /// Time of publication; `None`: the publisher gave none. Such items are ordered after all others.
    pub published: Option<Timestamp>,
    /// The publisher's id of the item, else its outward id: the order of items with the same date.
    pub id: String,
    /// Current story of the item.
    pub story: StoryKey,
}

/// Decisions of the operator about some items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decisions {
    /// Each of these items is a story by itself.
    pub split: HashSet<ItemKey>,
    /// These pairs are one story, whatever their texts are.
    pub joined: Vec<(ItemKey, ItemKey)>,
}

/// A stored item of the same feed, found by its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownItem {
    /// Key of the item.
    pub key: ItemKey,
    /// Digest of everything that a subscriber would notice, without dates and counters.
    pub content_digest: Digest,
    /// Digest of its canonical URL; `None`: its URL does not identify it.
    pub url_key: Option<Digest>,
    /// Number of changes that were applied.
    pub edits: EditCounts,
    /// Time of first sight of an item that is held as history; `None`: it is not.
    pub history_since: Option<Timestamp>,
    /// Last date that the publisher gave; `None`: none.
    pub dated: Option<Timestamp>,
}

/// A stored item of the same feed, with what it can be recognised by when its guid changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentItem {
    /// Key of the item.
    pub key: ItemKey,
    /// The URL, title, date and text of the item.
    pub seen: ItemTraits,
    /// Last date that the publisher gave; `None`: none.
    pub dated: Option<Timestamp>,
    /// Number of changes that were applied.
    pub edits: EditCounts,
}

/// What a new and a stored item of one feed are compared by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemTraits {
    /// URL of its page.
    pub url: Option<String>,
    /// Digest of its canonical URL; `None`: its URL does not identify it.
    pub url_key: Option<Digest>,
    /// Title, plain text; `None` where the publisher gives none.
    pub title: Option<String>,
    /// Time of publication, from the publisher.
    pub published: Option<Timestamp>,
    /// Digest of the words of its text; `None`: too few words.
    pub text_digest: Option<i64>,
    /// Digest of all that a subscriber would notice.
    pub content_digest: Option<Digest>,
}

/// The rule that decided a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// The same canonical URL.
    SamePage,
    /// One id that is unique in the world.
    SameId,
    /// The texts have the same words.
    SameText,
    /// Most of one text is in the other.
    SimilarText,
    /// The same long title.
    SameTitle,
    /// The same title except for a number, a version or a day. Keeps items apart.
    Series,
    /// Two titles that differ over texts that share words about neither. Keeps items apart.
    OtherTitle,
    /// The same text except for numbers, days and names. Keeps items apart.
    Template,
    /// Similar text on two pages of one site. Keeps items apart: a site does not publish one thing twice.
    SameSite,
    /// One contains the other among other texts, as a round-up does. Keeps items apart.
    Collection,
}

impl Rule {
    /// Every rule.
    pub const ALL: &'static [Self] = &[
        Self::SamePage,
        Self::SameId,
        Self::SameText,
        Self::SimilarText,
        Self::SameTitle,
        Self::Series,
        Self::OtherTitle,
        Self::Template,
        Self::SameSite,
        Self::Collection,
    ];

    /// The stable slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::SamePage => "same_page",
            Self::SameId => "same_id",
            Self::SameText => "same_text",
            Self::SimilarText => "similar_text",
            Self::SameTitle => "same_title",
            Self::Series => "series",
            Self::OtherTitle => "other_title",
            Self::Template => "template",
            Self::SameSite => "same_site",
            Self::Collection => "collection",
        }
    }

    /// The rule with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.slug() == slug)
    }
}

/// The decision that two items are, or are not, the same story.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The item that was compared: the later one.
    pub item: ItemKey,
    /// The item that it was compared with: the earlier one.
    pub other: ItemKey,
    /// The rule that decided.
    pub rule: Rule,
    /// Measured score, from 0 to 1.
    pub score: f32,
    /// Required score, from 0 to 1.
    pub threshold: f32,
    /// Whether they are one story.
    pub same: bool,
}

/// Whose site the URL of an item is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PageOwner {
    /// The site that the feed itself came from.
    FeedSite,
    /// The site that the feed names as its own, which is not verified.
    ClaimedSite,
    /// Another site, or the item has no URL.
    #[default]
    OtherSite,
}

/// Whether a feed uses guids as unique ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum GuidUse {
    /// Each guid identifies one item.
    #[default]
    Unique,
    /// The feed gave one guid to different items. From then on a guid counts only together with the URL.
    Reused,
}

/// How a stored item was recognised under a new guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecognisedBy {
    /// The same canonical URL of the page.
    Page,
    /// The same path on another host.
    Path,
    /// The same title at the same minute.
    Title,
    /// The same words of the text.
    Text,
}

impl RecognisedBy {
    /// The stable slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Path => "path",
            Self::Title => "title",
            Self::Text => "text",
        }
    }
}

/// Why an item is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldReason {
    /// It was old when the feed was added.
    History,
    /// It came with unusually many others.
    Burst,
    /// A filter of its feed keeps it out.
    Filtered,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[Self::History, Self::Burst, Self::Filtered];

    /// The stable slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Burst => "burst",
            Self::Filtered => "filtered",
        }
    }
}

/// A stored item with what its fingerprint is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// Key of the item.
    pub key: ItemKey,
    /// Key of its feed.
    pub feed: FeedKey,
    /// The item without language and date of change.
    pub item: Item,
    /// Time of first sight.
    pub seen: Timestamp,
    /// Digest of its canonical URL; `None`: its URL does not identify it.
    pub url_key: Option<Digest>,
    /// Whose site its URL is on.
    pub page_owner: PageOwner,
}
