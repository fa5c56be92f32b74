//! An item as newswire keeps it: absolute links, honest dates, plain titles, safe HTML.
//!
//! Made by `normalise` and by nothing else; so whatever holds an [`Item`] may pass it on as it is.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::FeedInfo;
use crate::text::html;

/// The row of an item in the store; meaningless outside one database.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct ItemKey(pub i64);

/// The row of a story in the store: the items that are the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoryKey(pub i64);

/// One entry of one feed (Atom: entry, RSS: item), normalised.
///
/// Every text is free of characters that XML cannot carry; every URL is absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Item {
    /// The publisher's own id (`atom:id`, `guid`, `rdf:about`, JSON `id`), trimmed, never changed.
    pub guid: Option<String>,
    /// The page of the item (`rel=alternate`), http or https.
    pub url: Option<String>,
    /// Plain text, one line; `None` where the publisher gave none (a microblog).
    pub title: Option<String>,
    /// Plain text.
    pub summary: Option<String>,
    /// Sanitised HTML.
    pub content: Option<String>,
    /// When the publisher says it was published; never later than it was first seen.
    pub published: Option<Timestamp>,
    /// When the publisher says it was last changed; never later than the poll that saw it.
    pub updated: Option<Timestamp>,
    /// BCP 47, of the item or inherited from the feed.
    pub language: Option<String>,
    /// What has no column of its own.
    pub details: Details,
}

impl Item {
    /// What it says, as plain text: of the content, else the summary.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match (&self.content, &self.summary) {
            (Some(content), _) => html::to_text(content).into(),
            (None, summary) => summary.as_deref().unwrap_or_default().into(),
        }
    }
}

/// The parts of an item that are only ever read together with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Who wrote it; never inherited from the feed (outputs do that, visibly).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// As the publisher filed it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// Attached files, the main one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
    /// A picture that stands for the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The page with the comments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// The feed that this one copied the item from (`atom:source`, RSS `source`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInfo>,
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// JSON Feed `external_url`, Atom `rel=related` or `rel=via`: what a link-blog points at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// `itunes:duration`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
}

/// A person construct, RFC 4287 3.2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// How the person is called; may be empty where only an address is known.
    pub name: String,
    /// The person's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Kept for identity; never published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// RFC 4287 4.2.2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Category {
    /// The category itself.
    pub term: String,
    /// The scheme (an IRI) that the term is of; RSS `domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// What to show instead of the term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// An attached file: RSS `enclosure`, Atom `rel=enclosure`, JSON Feed `attachments`, `media:content`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Enclosure {
    /// Absolute, http or https.
    pub url: String,
    /// The media type, as `audio/mpeg`; guessed from the URL where the publisher gave none.
    pub media_type: String,
    /// In bytes, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// What the file is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// In seconds, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
}

/// A picture: `media:thumbnail`, `itunes:image`, JSON Feed `image`, RSS `image`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// Absolute, http or https.
    pub url: String,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// The feed that an aggregating feed names as the item's origin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceInfo {
    /// `atom:id` of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The feed document itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed_url: Option<String>,
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
