//! A parsed document, the same for all dialects: the result of `parse` and the input of `normalise`.
//!
//! Nothing here is safe to publish: HTML is as the publisher wrote it, dates may be wrong, links may have any
//! scheme. URLs are resolved against `xml:base` and the address of the document.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{Category, Enclosure, Image, Person, Podcast, SourceInfo};

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// RSS 0.91 to 0.94, 2.0 and what calls itself so.
    Rss2,
    /// RSS 0.90, 1.0, 1.1: the RDF branch.
    Rss1,
    /// Atom 1.0, RFC 4287.
    Atom,
    /// Atom 0.3 and its relatives.
    Atom03,
    /// JSON Feed 1.0, 1.1.
    Json,
    /// Channel Definition Format.
    Cdf,
}

impl Dialect {
    /// The stable slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Rss2 => "rss2",
            Self::Rss1 => "rss1",
            Self::Atom => "atom",
            Self::Atom03 => "atom03",
            Self::Json => "json",
            Self::Cdf => "cdf",
        }
    }
}

/// What a text field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextKind {
    /// Text as it is to be read: `<` is a less-than sign.
    #[default]
    Plain,
    /// An HTML fragment, unsafe.
    Html,
}

/// A text construct, RFC 4287 3.1, entities of the carrying XML already decoded once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// How to read `value`.
    pub kind: TextKind,
    /// The text or the HTML.
    pub value: String,
    /// Language by the nearest `xml:lang`, a BCP 47 tag.
    pub language: Option<String>,
    /// The base that relative references inside the HTML resolve against.
    pub base: Option<String>,
}

impl Text {
    /// Maximum size of a text in bytes; the end of a longer one is left out.
    pub const MAX: usize = 256 * 1024;

    /// Plain text without language or base.
    #[must_use]
    pub fn plain(value: impl Into<String>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }

    /// HTML without language or base.
    #[must_use]
    pub fn html(value: impl Into<String>) -> Self {
        Self { kind: TextKind::Html, value: value.into(), ..Self::default() }
    }
}

/// RFC 4287 4.2.7; `href` is absolute where a base was known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Target of the link.
    pub href: String,
    /// `alternate` where none was given.
    pub rel: String,
    /// Media type of the target, as the publisher gives it.
    pub media_type: Option<String>,
    /// Title of the link.
    pub title: Option<String>,
    /// Language of the target, a BCP 47 tag.
    pub hreflang: Option<String>,
    /// Size of the target in bytes, as the publisher gives it.
    pub length: Option<u64>,
}

/// The program that made the document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Generator {
    /// Name of the program.
    pub name: String,
    /// URL of the program's page.
    pub uri: Option<String>,
    /// Version of the program.
    pub version: Option<String>,
}

/// What the publisher asks of clients that poll the feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// RSS 2.0 `ttl`, in seconds.
    pub ttl: Option<u64>,
    /// RSS 1.0 `sy:updatePeriod` over `sy:updateFrequency`, in seconds.
    pub period: Option<u64>,
    /// RSS 2.0 `skipHours`, GMT, 0 to 23.
    pub skip_hours: Vec<u8>,
    /// RSS 2.0 `skipDays`, Monday 0 to Sunday 6.
    pub skip_days: Vec<u8>,
    /// JSON Feed `expired`: no more items will come.
    pub expired: bool,
    /// Absolute URLs of the WebSub hubs.
    pub hubs: Vec<String>,
    /// Address that the feed gives for itself (`rel=self`), absolute.
    pub self_url: Option<String>,
    /// RFC 5005 `prev-archive` or `next`, JSON Feed `next_url`, absolute.
    pub older: Option<String>,
    /// RFC 5005 `fh:complete`: items that are absent were removed.
    pub complete: bool,
}

/// The image of a feed. RSS 2.0 `image`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedImage {
    /// URL and size of the image.
    pub picture: Image,
    /// Title; usually that of the feed.
    pub title: Option<String>,
    /// URL of the page that it links to.
    pub link: Option<String>,
    /// Description of the image (RSS 2.0 `description`).
    pub description: Option<String>,
}

impl From<Image> for FeedImage {
    fn from(picture: Image) -> Self {
        Self { picture, ..Self::default() }
    }
}

/// A feed document as it was parsed, before its texts are normalised.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedFeed {
    /// Dialect of the document; `None`: not detected yet.
    pub dialect: Option<Dialect>,
    /// `atom:id`, `rdf:about` of the channel.
    pub id: Option<String>,
    /// Title of the feed (`atom:title`, RSS and JSON `title`).
    pub title: Option<Text>,
    /// Subtitle of the feed (`atom:subtitle`, RSS and JSON `description`).
    pub subtitle: Option<Text>,
    /// Every link of the feed.
    pub links: Vec<Link>,
    /// `pubDate` of the channel.
    pub published: Option<Timestamp>,
    /// Time of the last change of the feed (`atom:updated`, RSS `lastBuildDate`).
    pub updated: Option<Timestamp>,
    /// Authors of the feed, or else its owner or webmaster.
    pub authors: Vec<Person>,
    /// Authors of the items that name none: those of the feed.
    pub item_authors: Vec<Person>,
    /// Number of these that were not read because there are too many.
    pub surplus_authors: usize,
    /// Contributors of the feed.
    pub contributors: Vec<Person>,
    /// Categories of the feed.
    pub categories: Vec<Category>,
    /// Copyright notice of the feed (`atom:rights`, RSS `copyright`).
    pub rights: Option<Text>,
    /// Language of the feed, a BCP 47 tag.
    pub language: Option<String>,
    /// The program that made it.
    pub generator: Option<Generator>,
    /// Small image of the feed (`atom:icon`, JSON `favicon`).
    pub icon: Option<String>,
    /// `atom:logo`, RSS `image`, JSON `icon`, `itunes:image`.
    pub image: Option<FeedImage>,
    /// Whether the episodes of the podcast are not for children.
    pub explicit: Option<bool>,
    /// Whether the publisher keeps the podcast out of directories (`itunes:block`, `podcast:block`).
    pub block: bool,
    /// Polling hints of the publisher.
    pub hints: Hints,
    /// The items, in document order.
    pub items: Vec<ParsedItem>,
    /// The document is incomplete: the absence of an item means nothing.
    pub partial: bool,
}

/// One entry of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedItem {
    /// `atom:id`, `guid`, `rdf:about`, JSON `id`; trimmed, otherwise as written.
    pub id: Option<String>,
    /// The id is the item's page (RSS `guid` without `isPermaLink="false"`).
    pub id_is_permalink: bool,
    /// Title of the item; `None` where the publisher gives none (a microblog).
    pub title: Option<Text>,
    /// Every link of the item.
    pub links: Vec<Link>,
    /// Time of publication, from the publisher (`atom:published`, RSS `pubDate`, `dc:date`).
    pub published: Option<Timestamp>,
    /// Time of the last change.
    pub updated: Option<Timestamp>,
    /// `atom:summary`, RSS `description` beside a `content:encoded`, JSON `summary`.
    pub summary: Option<Text>,
    /// `atom:content`, `content:encoded`, else RSS `description`; JSON `content_html` or `content_text`.
    pub content: Option<Text>,
    /// Authors of the item, or else of its source, or else of the feed (RFC 4287 4.2.1).
    pub authors: Vec<Person>,
    /// Whether the authors are those of the feed.
    pub authors_are_inherited: bool,
    /// Contributors of the item.
    pub contributors: Vec<Person>,
    /// Categories of the item.
    pub categories: Vec<Category>,
    /// Attached files (RSS `enclosure`, `atom:link`, `media:content`, JSON `attachments`).
    pub enclosures: Vec<Enclosure>,
    /// Images for previews (`media:thumbnail`, `itunes:image`, JSON `image`).
    pub thumbnails: Vec<Image>,
    /// Copyright notice of the item (`atom:rights`, `dc:rights`).
    pub rights: Option<Text>,
    /// The page with the comments.
    pub comments: Option<String>,
    /// The feed of the comments.
    pub comments_feed: Option<String>,
    /// The feed that it was copied from.
    pub source: Option<SourceInfo>,
    /// BCP 47, own or inherited inside the document.
    pub language: Option<String>,
    /// `itunes:duration`, in seconds.
    pub duration: Option<u32>,
    /// `itunes:season` and others; all empty if it is not an episode.
    pub podcast: Podcast,
    /// Parts that were not read because there are too many.
    pub surplus: Surplus,
}

/// Numbers of parts of an item that were not read because there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surplus {
    /// Authors beyond the limit.
    pub authors: usize,
    /// Categories beyond the limit.
    pub categories: usize,
    /// Attached files beyond the limit.
    pub files: usize,
    /// Preview images beyond the limit.
    pub images: usize,
    /// Transcripts beyond the limit.
    pub transcripts: usize,
    /// Chapters beyond the limit.
    pub chapters: usize,
}

impl ParsedItem {
    /// The page of the item: its alternate link, else an id that is a permalink.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        // RFC 4287 4.1.2: prefer text/html if there are several alternates.
        let html = |l: &&Link| l.media_type.as_deref().is_none_or(|t| t.contains("html"));
        let alternates =
            || self.links.iter().filter(|l| l.rel == "alternate" && !l.href.is_empty());
        alternates()
            .find(html)
            .or_else(|| alternates().next())
            .map(|l| l.href.as_str())
            .or_else(|| self.id.as_deref().filter(|_| self.id_is_permalink))
    }
}

/// Something in a document that had to be repaired or was left out, for a report to the publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseWarning {
    /// Slug of the kind, one of [`ParseWarning::CODES`].
    pub code: Cow<'static, str>,
    /// Byte offset in the decoded document, if it is known.
    pub offset: Option<usize>,
    /// What is wrong and why: a fragment in lower case.
    pub message: String,
}

impl ParseWarning {
    /// Slugs of all kinds of parse warnings.
    pub const CODES: &'static [&'static str] = &[
        "junk_before",
        "junk_after",
        "bad_bytes",
        "mixed_charset",
        "double_encoded",
        "mislabelled_charset",
        "undeclared_charset",
        "unknown_charset",
        "no_items",
        "too_many_items",
        "missed_items",
        "copied_items",
        "shared_keys",
        "blank_items",
        "too_many_parts",
        "long_text",
        "unusable_link",
        "reduced_html",
        "unlikely_date",
        "bad_item",
        "wrong_type",
        "repeated_element",
        "bad_chapter",
        "bad_date",
        "date_in_part",
        "ambiguous_date",
        "unknown_time_zone",
        "wrong_text_type",
        "unknown_namespace",
        "too_many_elements",
        "too_deep",
        "bare_ampersand",
        "bare_less_than",
        "bad_attribute",
        "unclosed_quote",
        "unclosed_tag",
        "unclosed_cdata",
        "stray_end_tag",
        "undeclared_prefix",
        "unknown_entity",
        "unread_entity",
        "broken_markup",
        "cut",
    ];

    /// A parse warning about a byte of the decoded document, or about all of it.
    #[must_use]
    pub fn new(code: &'static str, offset: Option<usize>, message: impl Into<String>) -> Self {
        debug_assert!(Self::CODES.contains(&code), "{code} is not in the list");
        Self { code: Cow::Borrowed(code), offset, message: message.into() }
    }
}
