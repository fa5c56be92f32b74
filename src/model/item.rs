//! An item as it is stored and published: absolute links, credible dates, plain titles, sanitised HTML.
//!
//! Only `normalise` makes an [`Item`], so that every [`Item`] is safe to publish.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::FeedInfo;
use crate::text::html;

/// Row id of an item; valid in one database only.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct ItemKey(pub i64);

/// Id of a story: the key of its first item.
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
    /// The publisher's summary (`atom:summary`, RSS `description`), plain text.
    pub summary: Option<String>,
    /// The content, sanitised HTML.
    pub content: Option<String>,
    /// Time of publication, from the publisher; never later than first sight.
    pub published: Option<Timestamp>,
    /// Time of the last change, from the publisher; never later than the poll that saw it.
    pub updated: Option<Timestamp>,
    /// Language of the item, or of the feed: a BCP 47 tag.
    pub language: Option<String>,
    /// Parts without a separate column.
    pub details: Details,
}

impl Item {
    /// The content as plain text, else the summary.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match (&self.content, &self.summary) {
            (Some(content), _) => html::to_text(content).into(),
            (None, summary) => summary.as_deref().unwrap_or_default().into(),
        }
    }
}

/// The parts of an item that are only read together with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Authors of the item; not inherited from the feed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// Categories given by the publisher.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// Attached files, the main one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
    /// Image for previews (`media:thumbnail`, `itunes:image`, JSON Feed `image`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The page with the comments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// The feed that this one copied the item from (`atom:source`, RSS `source`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInfo>,
    /// Copyright notice of the item (`atom:rights`, `dc:rights`), plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// JSON Feed `external_url`, Atom `rel=via`: what a link-blog points at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Other pages about the subject (Atom `rel=related`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<String>,
    /// `itunes:duration`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// The item as an episode of a podcast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub podcast: Option<Podcast>,
}

/// An episode of a podcast, in the terms of iTunes and Podcasting 2.0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Podcast {
    /// Number of the season.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub season: Option<u32>,
    /// Number of the episode in its season.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode: Option<u32>,
    /// Kind of the episode (`itunes:episodeType`); `None`: the publisher gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode_type: Option<EpisodeType>,
    /// Whether it is not for children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit: Option<bool>,
    /// Whether the publisher keeps it out of podcast directories (`itunes:block`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub block: bool,
    /// Transcripts in several formats or languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transcripts: Vec<PodcastFile>,
    /// The file with the chapters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chapters: Option<PodcastFile>,
    /// Chapters that the feed itself lists (Podlove Simple Chapters).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chapter_list: Vec<Chapter>,
}

/// The kinds of episodes that iTunes distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EpisodeType {
    /// The complete content of the show.
    Full,
    /// A short piece that announces the show.
    Trailer,
    /// Extra content.
    Bonus,
}

impl EpisodeType {
    /// The value of `itunes:episodeType`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Trailer => "trailer",
            Self::Bonus => "bonus",
        }
    }
}

/// A chapter of an episode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Chapter {
    /// Start in the playing time: `HH:MM:SS`, with `.mmm` if it has milliseconds.
    pub start: String,
    /// Title of the chapter, plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// URL of a page about it, http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// URL of an image, http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// A document about an episode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PodcastFile {
    /// URL, http or https.
    pub url: String,
    /// Media type of the document, such as `text/vtt`; may be empty.
    pub media_type: String,
    /// Language of the document, a BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// A person construct, RFC 4287 3.2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Name; may be empty if only an address is known.
    pub name: String,
    /// URL of the person's page, http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Email address; used to identify the person, never published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A category of an item, RFC 4287 4.2.2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Category {
    /// Name of the category.
    pub term: String,
    /// The scheme (an IRI) that the term is of; RSS `domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// Text to show instead of the term.
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
    /// Size in bytes; `None`: the publisher gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Title of the file, plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Duration in seconds; `None`: the publisher gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
}

/// Whether a media type is of audio or video. RFC 3534: `application/ogg` is either.
#[must_use]
pub fn is_played(media_type: &str) -> bool {
    ["audio/", "video/"].iter().any(|kind| media_type.starts_with(kind))
        || media_type == "application/ogg"
}

impl Enclosure {
    /// Whether it is audio or video.
    #[must_use]
    pub fn is_played(&self) -> bool {
        is_played(&self.media_type)
    }

    /// Whether it is a file to play or to download: no picture, page or file of unknown type.
    #[must_use]
    pub fn is_file(&self) -> bool {
        !matches!(
            self.media_type.as_str(),
            "" | "application/octet-stream"
                | "text/html"
                | "application/xhtml+xml"
                | "application/x-shockwave-flash"
        ) && !self.media_type.starts_with("image/")
    }
}

/// A picture: `media:thumbnail`, `itunes:image`, JSON Feed `image`, RSS `image`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// Absolute, http or https.
    pub url: String,
    /// Width in pixels; `None`: the publisher gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels; `None`: the publisher gives none.
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
    /// Title of the source feed, plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// URL of the site of the source feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The feed document itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed_url: Option<String>,
}

/// A story as an output shows it: the lead item, its feed, and the other feeds that carry the story.
///
/// `outputs` fills it from the store, `render` renders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputItem {
    /// Key of the lead item.
    pub key: ItemKey,
    /// Id of the story.
    pub story: StoryKey,
    /// Outward id of the item: a globally unique IRI that never changes (RFC 4287 4.2.6).
    pub outward_id: String,
    /// Time of first sight of the lead item.
    pub first_seen: Timestamp,
    /// Position in the order: `min(published, first_seen)` at first sight; changed only when an item of the
    /// history is published again.
    pub sort_at: Timestamp,
    /// The lead item of the story.
    pub item: Item,
    /// Feed of the lead item.
    pub feed: Arc<FeedInfo>,
    /// The same story in other feeds, in the order they were first seen.
    pub also: Vec<AlsoAt>,
}

impl OutputItem {
    /// Time of publication, else of first sight.
    #[must_use]
    pub fn published(&self) -> Timestamp {
        self.item.published.unwrap_or(self.first_seen)
    }

    /// Time of the last change; never before publication.
    #[must_use]
    pub fn updated(&self) -> Timestamp {
        self.item.updated.map_or(self.published(), |updated| updated.max(self.published()))
    }
}

/// Another feed that carries the same story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlsoAt {
    /// URL of the page in that feed.
    pub url: Option<String>,
    /// Title in that feed.
    pub title: Option<String>,
    /// The feed that carries it.
    pub feed: Arc<FeedInfo>,
}
