//! An `[[output]]` of the config: formats, rules, presentation and token of one merged feed.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use url::{Url, form_urlencoded};

use super::digest::Digest;
use super::media::PodcastChannel;
use super::{shown, text};
use crate::model::{FeedKey, Filter};
use crate::text::bidi;
use crate::text::sha256::sha256;

/// A format that an output is published in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Atom 1.0, RFC 4287.
    Atom,
    /// RSS 2.0.
    Rss,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[Self::Atom, Self::Rss, Self::Json];

    /// The stable name: in file names, in the config and in the database.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Atom => "atom",
            Self::Rss => "rss",
            Self::Json => "json",
        }
    }

    /// The format of that file name extension.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.extension() == extension)
    }

    /// Name on pages and in link titles: `JSON Feed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Atom => "Atom",
            Self::Rss => "RSS",
            Self::Json => "JSON Feed",
        }
    }

    /// The value of `Content-Type`, RFC 4287 7, RFC 7303, JSON Feed 1.1.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }

    /// The media type without parameters, for links.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.content_type().split(';').next().unwrap_or_default()
    }
}

/// One outbound merged feed.
#[derive(Debug, Clone)]
pub struct Output {
    /// Name of its files and path on the server: `[a-z0-9._-]{1,64}`.
    pub id: String,
    /// Title of the merged feed.
    pub title: String,
    /// Subtitle of the merged feed.
    pub description: Option<String>,
    /// Page that the feed belongs to; `None`: the page of the output on this server.
    pub link: Option<Url>,
    /// Publisher of the merged feed.
    pub author: Option<String>,
    /// Formats of the documents.
    pub formats: Vec<Format>,
    /// Absolute directory that they are written to; `None`: they are only served.
    pub directory: Option<PathBuf>,
    /// Token that subscribers must send; `None`: the output is public.
    pub token: Option<Token>,
    /// Number of the newest stories that are always shown.
    pub items: usize,
    /// Stories younger than this are shown in addition, up to [`Output::MAX_ITEMS`].
    pub max_age: Option<Duration>,
    /// Maximum number of stories of one feed.
    pub per_feed: Option<usize>,
    /// Maximum number of stories of one feed, in percent of `items`, 1 to 100.
    pub per_feed_percent: Option<usize>,
    /// Minimum number of feeds of this output that a story must be in.
    pub min_feeds: Option<usize>,
    /// Which items it takes.
    pub filter: Filter,
    /// How links and titles of its items are changed.
    pub rewrite: Rewrite,
    /// What the operator adds to its pages.
    pub theme: Theme,
    /// Presentation of its stories.
    pub presentation: Presentation,
    /// Whether clients that accept deltas (RFC 3229) get them.
    pub deltas: bool,
    /// When it publishes digests of its stories; `None`: it publishes the stories.
    pub digest: Option<Digest>,
    /// Whether its pages are written into the directory too.
    pub site: bool,
    /// Whether browsers get its pages: from this server, or as files.
    pub has_pages: bool,
    /// URL of this server for subscribers; ends with a slash.
    pub base_url: Url,
    /// Permanent id of the output, with the time when it was made.
    pub identity: OutputIdentity,
    /// Which of its stories the documents have; `None`: those of the config.
    pub filtered: Option<Filtered>,
    /// Feeds that are polled with a login: neither its pages nor the list of feeds name their URLs.
    pub private_feeds: Arc<BTreeSet<FeedKey>>,
}

/// Some stories of an output that have a page and documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filtered {
    /// Those of this query of a URL.
    Query(String),
    /// Those of this page of the static site: its path below the root without extension, `planet/tag/rust`.
    Page(String),
}

/// The permanent id of an output. It contains no address, so that it survives a change of the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputIdentity {
    /// The id, an IRI: `atom:id` of the document.
    pub id: String,
    /// Time when the id was made.
    pub since: Timestamp,
}

impl OutputIdentity {
    /// A new id that is made from this text and time.
    #[must_use]
    pub fn new(seed: &str, since: Timestamp) -> Self {
        Self { id: text::iri(&format!("output {seed} {since}")).into_owned(), since }
    }
}

impl Presentation {
    /// The time zone of dates and periods; UTC by default.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.time_zone.clone().unwrap_or(TimeZone::UTC)
    }
}

impl Output {
    /// Maximum number of stories in a document, also with `max_age`.
    pub const MAX_ITEMS: usize = 5_000;

    /// The file name, and the path below the root of the server: `planet.atom`.
    #[must_use]
    pub fn file_name(&self, format: Format) -> String {
        format!("{}.{}", self.id, format.extension())
    }

    /// The page that the feed belongs to: `link`, else the page of the output, with the token. `None`: there is none.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        let root = &self.base_url;
        let page = match (&self.link, &self.filtered) {
            (Some(link), None) => return Some(link.to_string()),
            (None, None) => format!("{root}{}/", self.id),
            (_, Some(Filtered::Query(query))) => format!("{root}{}/?{query}", self.id),
            (_, Some(Filtered::Page(page))) => format!("{root}{page}.html"),
        };
        self.has_pages.then(|| self.with_token(page))
    }

    /// The absolute URL of the page of a story; `None`: stories have no pages.
    #[must_use]
    pub fn story_page(&self, key: i64) -> Option<String> {
        // The server answers for both names.
        let extension = if self.site { ".html" } else { "" };
        let page = || format!("{}{}/story/{key}{extension}", self.base_url, self.id);
        self.has_pages.then(|| self.with_token(page()))
    }

    /// The configured language of stories without one, if it is valid.
    pub(super) fn language(&self) -> Option<&str> {
        self.presentation.language.as_deref().filter(|language| shown::is_language(language))
    }

    /// The path of an archive page below the directory and the root of the server: `planet/archive/7.atom`.
    #[must_use]
    pub fn archive_name(&self, number: u32, format: Format) -> String {
        format!("{}/archive/{number}.{}", self.id, format.extension())
    }

    /// The absolute URL of an archive page.
    #[must_use]
    pub fn archive_url(&self, number: u32, format: Format) -> String {
        format!("{}{}", self.base_url, self.archive_name(number, format))
    }

    /// Whether the number of stories of one feed is limited.
    #[must_use]
    pub fn limits_feeds(&self) -> bool {
        self.per_feed.is_some() || self.per_feed_percent.is_some()
    }

    /// Largest number of stories on an archive page: half of `items`, 10 to 50. So stories that wait for the next page are
    /// nearly always still in the subscription document; when one leaves it, its page is complete with fewer.
    #[must_use]
    pub fn archive_page(&self) -> usize {
        (self.items / 2).clamp(10, 50)
    }

    /// The URL with the token, for links that subscribers follow.
    #[must_use]
    pub fn with_token(&self, url: String) -> String {
        match &self.token {
            Some(token) => {
                let separator = if url.contains('?') { '&' } else { '?' };
                format!("{url}{separator}{}", token.query())
            }
            None => url,
        }
    }

    /// The absolute URL of a document: its `rel=self`.
    #[must_use]
    pub fn self_url(&self, format: Format) -> String {
        let (root, name) = (&self.base_url, self.file_name(format));
        match &self.filtered {
            None => format!("{root}{name}"),
            Some(Filtered::Query(query)) => format!("{root}{name}?{query}"),
            Some(Filtered::Page(page)) => format!("{root}{page}.{}", format.extension()),
        }
    }
}

/// How much of a story is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// Summary and content of the item, as the publisher has them.
    #[default]
    Full,
    /// The summary, else the beginning of the content, as plain text.
    Summary,
    /// Only title and link.
    None,
}

/// Which date of a story is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShownDate {
    /// Publication date; the date when it was first seen if there is none.
    #[default]
    Published,
    /// Date when newswire first saw it, for readers that skip items with an old date.
    FirstSeen,
}

/// Where other feeds with a story are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlsoAt {
    /// In links and fields of the format, which few readers show.
    #[default]
    Links,
    /// Also in a line after the content.
    Content,
}

/// How an output changes links and titles. Identity and outward id of an item stay as they are.
#[derive(Debug, Clone, Default)]
pub struct Rewrite {
    /// Whether query parameters that only track readers are removed from links.
    pub strip_tracking: bool,
    /// Replacements of parts of titles, in order: a regular expression, and the text with `$1` for groups.
    pub titles: Vec<(Regex, String)>,
}

/// What the operator adds to the pages of an output.
#[derive(Clone, Default)]
pub struct Theme {
    /// CSS after the style sheet of Newswire.
    pub stylesheet: Option<Arc<str>>,
    /// Whether that is the only style sheet.
    pub stylesheet_only: bool,
    /// HTML above the page; the operator is trusted.
    pub header: Option<Arc<str>>,
    /// HTML below the page; the operator is trusted.
    pub footer: Option<Arc<str>>,
    /// Picture above the title.
    pub logo: Option<Logo>,
}

/// A picture of the operator.
#[derive(Clone)]
pub struct Logo {
    /// Content of the picture file.
    pub bytes: Arc<[u8]>,
    /// Media type of the file: `image/png`.
    pub media_type: &'static str,
}

impl Theme {
    /// Whether pages have the style sheet of Newswire.
    #[must_use]
    pub fn has_own_style(&self) -> bool {
        !self.stylesheet_only || self.stylesheet.is_none()
    }
}

impl fmt::Debug for Theme {
    /// Only digests: the texts are long, but each change of one has to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = |text: &Option<Arc<str>>| text.as_ref().map(|text| sha256(text.as_bytes()));
        f.debug_struct("Theme")
            .field("stylesheet", &digest(&self.stylesheet))
            .field("stylesheet_only", &self.stylesheet_only)
            .field("header", &digest(&self.header))
            .field("footer", &digest(&self.footer))
            .field("logo", &self.logo)
            .finish()
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.media_type, sha256(&self.bytes))
    }
}

/// What lists of stories on pages show below a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageText {
    /// The beginning of the text.
    #[default]
    Excerpt,
    /// The whole text, if the output has it.
    Full,
}

/// How the pages of an output show pictures of other sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Images {
    /// As links, so that no other site learns who reads the page.
    #[default]
    Link,
    /// As pictures, which browsers load from their sites.
    Direct,
    /// As small copies, which browsers load from this server.
    Proxy,
}

/// The presentation of the stories of an output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presentation {
    /// URL of a square picture for the output: `atom:icon`, RSS `image`, JSON Feed `icon`, `itunes:image`.
    pub icon: Option<Url>,
    /// Language of stories without one, BCP 47.
    pub language: Option<String>,
    /// How much of a story is shown.
    pub content: Content,
    /// Prefix of each title.
    pub title_prefix: Option<TitlePrefix>,
    /// Which date of a story is shown.
    pub date: ShownDate,
    /// Where other feeds with the story are named.
    pub also_at: AlsoAt,
    /// What lists on pages show of a text.
    pub page_text: PageText,
    /// How pages show pictures.
    pub images: Images,
    /// Time zone of the dates on pages; `None`: UTC.
    pub time_zone: Option<TimeZone>,
    /// What makes it a podcast, which shows only episodes; `None`: it is an ordinary feed.
    pub podcast: Option<PodcastChannel>,
}

/// A prefix of titles; `{source}` is replaced by the title of the feed: `"{source}: "`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitlePrefix(String);

/// Placeholder for the title of the feed.
const SOURCE: &str = "{source}";

/// Why a text is not a title prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It has no visible text.
    #[error("the title prefix has no visible text")]
    Empty,
    /// It has another placeholder, or a single brace.
    #[error("unknown placeholder {0} in the title prefix")]
    Unknown(String),
}

impl FromStr for TitlePrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let rest = text.replace(SOURCE, "");
        if let Some(at) = rest.find(['{', '}']) {
            let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
            return Err(PrefixError::Unknown(rest[at..end].to_owned()));
        }
        match text::line(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(PrefixError::Empty),
        }
    }
}

impl TitlePrefix {
    /// The title with the prefix. `title` and `source` are single lines.
    pub(super) fn apply(&self, title: &str, source: &str) -> String {
        let (source, title) = bidi::isolated(source, title);
        let composed = format!("{}{title}", self.0.replace(SOURCE, &source));
        text::line(&composed).unwrap_or(composed)
    }

    /// The title without the prefix that [`TitlePrefix::apply`] wrote; `None`: it has another beginning.
    #[must_use]
    pub fn removed(&self, shown: &str, source: &str) -> Option<String> {
        const ISOLATES: [char; 2] = ['\u{2068}', '\u{2069}'];
        let (isolated, _) = bidi::isolated(source, shown);
        let beginnings = [source, &isolated].map(|source| self.0.replace(SOURCE, source));
        let beginnings = beginnings.iter().filter_map(|beginning| text::line(beginning));
        let mut titles = beginnings.filter_map(|beginning| {
            let title = shown.strip_prefix(&beginning)?.trim().trim_matches(ISOLATES);
            (self.apply(title, source) == shown).then(|| title.to_owned())
        });
        titles.next()
    }
}

/// The secret of an output, which its subscribers send. It is compared in constant time, and never appears in
/// logs, pages or messages.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token with this secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Whether `sent` is the secret, in a time that does not depend on how much of it is right.
    #[must_use]
    pub fn matches(&self, sent: &[u8]) -> bool {
        // Hashes have equal length, and clients cannot choose at which byte they differ.
        let (own, sent) = (sha256(self.0.as_bytes()), sha256(sent));
        let differing = own.iter().zip(sent.iter()).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differing) == 0
    }

    /// The query of a URL with this token: `token=…`.
    #[must_use]
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).append_pair("token", &self.0).finish()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_with_another_text_of_the_same_size_is_another_setting() {
        let theme = |header: &str| {
            let logo = Logo { bytes: header.as_bytes().into(), media_type: "image/png" };
            let header = Some(header.into());
            [Theme { header, ..Theme::default() }, Theme { logo: Some(logo), ..Theme::default() }]
        };
        for (old, new) in theme("© 2025").iter().zip(&theme("© 2026")) {
            assert_ne!(format!("{old:?}"), format!("{new:?}"));
        }
    }

    #[test]
    fn a_title_prefix_has_one_placeholder() {
        let prefix: TitlePrefix = "[{source}]  ".parse().unwrap();
        assert_eq!(prefix.apply("A title", "Feed A"), "[Feed A] A title");
        assert_eq!(prefix.removed("[Feed A] A title", "Feed A").as_deref(), Some("A title"));
        assert_eq!(prefix.removed("[Feed B] A title", "Feed A"), None);
        let plain: TitlePrefix = "Planet: ".parse().unwrap();
        assert_eq!(plain.apply("A title", "Feed A"), "Planet: A title");
        let unknown = |text: &str| text.parse::<TitlePrefix>().unwrap_err();
        assert_eq!(unknown("{feed}: "), PrefixError::Unknown("{feed}".to_owned()));
        assert_eq!(unknown("{source: "), PrefixError::Unknown("{source: ".to_owned()));
        assert_eq!(unknown("a} "), PrefixError::Unknown("}".to_owned()));
        assert_eq!(unknown(" \u{200b}"), PrefixError::Empty);
    }

    #[test]
    fn titles_from_right_to_left_are_isolated() {
        let prefix: TitlePrefix = "{source}: ".parse().unwrap();
        assert_eq!(prefix.apply("חדשות", "Radio"), "\u{2068}Radio\u{2069}: \u{2068}חדשות\u{2069}");
        let shown = prefix.apply("News", "רדיו");
        assert_eq!(prefix.removed(&shown, "רדיו").as_deref(), Some("News"));
        assert_eq!(prefix.apply("News", "רדיו"), "\u{2068}רדיו\u{2069}: \u{2068}News\u{2069}");
        assert_eq!(prefix.apply("{source}", "A"), "A: {source}");
    }

    #[test]
    fn only_the_whole_token_matches_and_it_is_never_shown() {
        let token = Token::new("s3cret & more".to_owned());
        assert!(token.matches(b"s3cret & more"));
        for wrong in ["", "s3cret & mor", "s3cret & more ", "S3cret & more"] {
            assert!(!token.matches(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "***");
        assert_eq!(token.query(), "token=s3cret+%26+more");
    }
}
