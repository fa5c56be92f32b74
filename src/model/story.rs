//! What a decision about sameness needs to know of an item that is already kept, and what was decided.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::FeedKey;
use super::item::{Item, ItemKey};

/// 128 bits of a SHA-256: equal means the same, for all purposes here.
pub type Digest = [u8; 16];

/// How often the publisher's changes of an item were taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edits {
    /// Number of times that its words were replaced.
    pub changes: u32,
    /// Number of times that a change was shown as one.
    pub bumps: u32,
    /// Time of the last such change; `None`: never.
    pub bumped_at: Option<Timestamp>,
}

/// An item of the same feed that is already kept, found by its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its row.
    pub key: ItemKey,
    /// Digest of everything that a subscriber would notice; dates and counters are left out.
    pub content_digest: Digest,
    /// Of its canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// How often its changes were taken over.
    pub edits: Edits,
}

/// An item of the same feed that is already kept, with what it may be recognised by when its guid
/// changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its row.
    pub key: ItemKey,
    /// What it is compared by.
    pub seen: Seen,
    /// How often its changes were taken over.
    pub edits: Edits,
}

/// What an item of a feed and a kept one are compared by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Its page.
    pub url: Option<String>,
    /// Of its canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// Plain.
    pub title: Option<String>,
    /// When the publisher said it was published.
    pub published: Option<Timestamp>,
    /// Of the words of its text; `None`: too few to say anything.
    pub text_key: Option<i64>,
}

/// The rung of the ladder that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// One canonical URL.
    SamePage,
    /// One id that is unique in the world.
    SameId,
    /// The same words.
    SameText,
    /// Most of one text stands in the other.
    SimilarText,
    /// The same long title.
    SameTitle,
    /// The same title but for a number, a version, a day: parts.
    Series,
    /// The same text but for the numbers, days and names in it: parts.
    Template,
    /// Much the same text on two pages of one site: parts, for a site tells its own things apart.
    SameSite,
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
        Self::Template,
        Self::SameSite,
    ];

    /// A stable short name, as the database and `newswire why` show it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::SamePage => "same_page",
            Self::SameId => "same_id",
            Self::SameText => "same_text",
            Self::SimilarText => "similar_text",
            Self::SameTitle => "same_title",
            Self::Series => "series",
            Self::Template => "template",
            Self::SameSite => "same_site",
        }
    }

    /// The rule of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.slug() == slug)
    }
}

/// A decision about two items, with its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tie {
    /// The later row.
    pub item: ItemKey,
    /// The earlier row.
    pub other: ItemKey,
    /// What decided.
    pub rule: Rule,
    /// What it measured, from 0 to 1.
    pub score: f32,
    /// What it asked for.
    pub threshold: f32,
    /// Whether they are one story.
    pub same: bool,
}

/// Whose page an item links to, as seen from its feed's own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Standing {
    /// One on the site that the feed itself came from.
    Home,
    /// One on the site that the feed says it belongs to, which it may say of any.
    Claimed,
    /// Somebody else's, or nobody's.
    #[default]
    Abroad,
}

/// What a feed's guids are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Guids {
    /// A guid names one item.
    #[default]
    Sound,
    /// The feed gave one guid to different things; from then on a guid counts only with its page.
    Shared,
}

/// By what a kept item was recognised under a new guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// The same page.
    Page,
    /// The same path on another host.
    Path,
    /// The same title at the same minute.
    Title,
    /// The same words.
    Text,
}

impl Way {
    /// A stable short name, as the database and `newswire why` show it.
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
pub enum Hold {
    /// It was old when the feed was added.
    History,
    /// It came with too many others.
    Burst,
}

impl Hold {
    /// Every reason.
    pub const ALL: &'static [Self] = &[Self::History, Self::Burst];

    /// A stable short name, as the database shows it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Burst => "burst",
        }
    }
}

/// A kept item with what a fingerprint is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptItem {
    /// Row of the item.
    pub key: ItemKey,
    /// Row of its feed.
    pub feed: FeedKey,
    /// The item without its details.
    pub item: Item,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Digest of its canonical URL, where that says something.
    pub url_key: Option<Digest>,
    /// Whose page it links to.
    pub standing: Standing,
}
