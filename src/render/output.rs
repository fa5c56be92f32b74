//! `[[output]]` as configured: formats, rules, look and token of one merged feed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use regex::Regex;
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

use super::{shown, text};
use crate::text::bidi;

/// An outbound format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// RFC 4287.
    Atom,
    /// RSS 2.0.
    Rss,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[Self::Atom, Self::Rss, Self::Json];

    /// The file name extension, the name in the config and in the database.
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

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Atom => "Atom",
            Self::Rss => "RSS",
            Self::Json => "JSON Feed",
        }
    }

    /// The `Content-Type` header, RFC 4287 7, RFC 7303, JSON Feed 1.1.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }

    /// The media type alone, as links carry it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.content_type().split(';').next().unwrap_or_default()
    }
}

/// What an output takes in, or leaves out.
///
/// As `include` an item must meet every kind of condition that is given, and one of the values of
/// each; as `exclude` meeting any one leaves it out.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Tags of the feed.
    pub tags: Vec<String>,
    /// Ids of feeds.
    pub feeds: Vec<String>,
    /// Matched against the title.
    pub title: Option<Regex>,
    /// Matched against the text of the content.
    pub content: Option<Regex>,
    /// Names of authors, compared without case.
    pub authors: Vec<String>,
    /// Categories (term or label), compared without case.
    pub categories: Vec<String>,
    /// Languages, RFC 4647 3.3.1: `en` is also met by `en-GB`, and nothing by an unknown one.
    pub languages: Vec<String>,
    /// Whether there is a file to play or to keep.
    pub enclosures: Option<bool>,
}

/// One outbound merged feed.
#[derive(Debug, Clone)]
pub struct Output {
    /// File name and path on the server: `[a-z0-9._-]{1,64}`.
    pub id: String,
    /// The feed's title.
    pub title: String,
    /// The feed's subtitle.
    pub description: Option<String>,
    /// The page that the feed belongs to; the server's index page where not given.
    pub link: Option<Url>,
    /// Who publishes the merged feed.
    pub author: Option<String>,
    /// Which documents are made.
    pub formats: Vec<Format>,
    /// Where they are written; absolute once the config is loaded. `None`: only served.
    pub directory: Option<PathBuf>,
    /// What a subscriber must know; `None`: everybody may read it.
    pub token: Option<Token>,
    /// The newest so many stories are always shown.
    pub items: usize,
    /// Stories younger than this are always shown too, up to [`Output::MAX_ITEMS`].
    pub max_age: Option<Duration>,
    /// At most so many of one feed.
    pub per_feed: Option<usize>,
    /// At most so many percent of `items` of one feed.
    pub share: Option<usize>,
    /// Only stories that so many of the output's feeds carry.
    pub min_feeds: Option<usize>,
    /// What gets in; everything where empty.
    pub include: Rules,
    /// What is left out.
    pub exclude: Rules,
    /// How its stories look.
    pub look: Look,
    /// The address under which the outside knows this server; ends with a slash.
    pub base_url: Url,
}

impl Output {
    /// No document grows beyond this, whatever `max_age` says.
    pub const MAX_ITEMS: usize = 5_000;

    /// `planet.atom`: the file name, and the path below the server's root.
    #[must_use]
    pub fn file_name(&self, format: Format) -> String {
        format!("{}.{}", self.id, format.extension())
    }

    /// The page that the feed belongs to: `link`, else the index page of this server.
    #[must_use]
    pub fn page(&self) -> &str {
        self.link.as_ref().unwrap_or(&self.base_url).as_str()
    }

    /// The language of stories that do not say, as every format can carry it.
    pub(super) fn language(&self) -> Option<&str> {
        self.look.language.as_deref().filter(|language| shown::is_language(language))
    }

    /// `planet/archive/7.atom`: the path of a page of the archive, below folder and server's root.
    #[must_use]
    pub fn archive_name(&self, number: u32, format: Format) -> String {
        format!("{}/archive/{number}.{}", self.id, format.extension())
    }

    /// The absolute address of a page of the archive.
    #[must_use]
    pub fn archive_url(&self, number: u32, format: Format) -> String {
        format!("{}{}", self.base_url, self.archive_name(number, format))
    }

    /// So many stories stand on a page of the archive: no more than on the subscription document,
    /// so that what waits for the next page is usually still there.
    #[must_use]
    pub fn archive_page(&self) -> usize {
        self.items.clamp(10, 50)
    }

    /// An address as a subscriber needs it to follow: with the token, which they know already.
    #[must_use]
    pub fn with_token(&self, url: String) -> String {
        match &self.token {
            Some(token) => format!("{url}?{}", token.query()),
            None => url,
        }
    }

    /// The absolute address of one document: its `rel=self`.
    #[must_use]
    pub fn self_url(&self, format: Format) -> String {
        format!("{}{}", self.base_url, self.file_name(format))
    }
}

/// How much of a story an output shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// All that the publisher gave.
    #[default]
    Full,
    /// The publisher's summary, else the beginning of the text, as plain text.
    Summary,
    /// Title and link alone.
    None,
}

/// Which date a story carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShownDate {
    /// When it was published; first seen where the publisher does not say.
    #[default]
    Published,
    /// When newswire first saw it: for readers that skip what comes late with an old date.
    FirstSeen,
}

/// Where an output tells who else carries a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlsoAt {
    /// In links and fields, which hardly any reader shows.
    #[default]
    Links,
    /// And in a line below the text.
    Content,
}

/// How the stories of one output look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// A square picture for the whole output: `atom:icon`, RSS `image`, JSON Feed `icon`.
    pub icon: Option<Url>,
    /// BCP 47, of stories that do not say. None where the output has many languages.
    pub language: Option<String>,
    /// How much of a story is shown.
    pub content: Content,
    /// Put before each title.
    pub title_prefix: Option<TitlePrefix>,
    /// Which date a story carries.
    pub date: ShownDate,
    /// Where other feeds with the story are named.
    pub also_at: AlsoAt,
}

/// A text before each title, with `{source}` for the name of the feed: `"{source}: "`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitlePrefix(String);

/// The only name that a prefix knows.
const SOURCE: &str = "{source}";

/// Why a text is no title prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It would show nothing.
    #[error("a prefix that shows nothing")]
    Empty,
    /// It has braces around something else.
    #[error("{0} is unknown in a title prefix")]
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
    /// The title behind the prefix. Both are lines.
    pub(super) fn before(&self, title: &str, source: &str) -> String {
        let (source, title) = bidi::isolated(source, title);
        let composed = format!("{}{title}", self.0.replace(SOURCE, &source));
        text::line(&composed).unwrap_or(composed)
    }
}

/// The secret that opens an output to its subscribers. Compared in constant time; appears in no log,
/// page or message.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes the secret as it is.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Whether `offered` is the secret, in a time that tells nothing of how much of it is right.
    #[must_use]
    pub fn opens(&self, offered: &[u8]) -> bool {
        // Hashes have one length, and nobody can choose two that differ late.
        let (ours, theirs) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(offered));
        let differing = ours.iter().zip(theirs.iter()).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differing) == 0
    }

    /// `token=…`: what follows the `?` of an address that a subscriber may have.
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
    fn a_prefix_knows_the_source_and_nothing_else() {
        let prefix: TitlePrefix = "[{source}]  ".parse().unwrap();
        assert_eq!(prefix.before("A title", "Feed A"), "[Feed A] A title");
        let plain: TitlePrefix = "Planet: ".parse().unwrap();
        assert_eq!(plain.before("A title", "Feed A"), "Planet: A title");
        let unknown = |text: &str| text.parse::<TitlePrefix>().unwrap_err();
        assert_eq!(unknown("{feed}: "), PrefixError::Unknown("{feed}".to_owned()));
        assert_eq!(unknown("{source: "), PrefixError::Unknown("{source: ".to_owned()));
        assert_eq!(unknown("a} "), PrefixError::Unknown("}".to_owned()));
        assert_eq!(unknown(" \u{200b}"), PrefixError::Empty);
    }

    #[test]
    fn what_is_written_from_right_to_left_turns_nothing_round() {
        let prefix: TitlePrefix = "{source}: ".parse().unwrap();
        assert_eq!(prefix.before("חדשות", "Radio"), "\u{2068}Radio\u{2069}: \u{2068}חדשות\u{2069}");
        assert_eq!(prefix.before("News", "רדיו"), "\u{2068}רדיו\u{2069}: \u{2068}News\u{2069}");
        assert_eq!(prefix.before("{source}", "A"), "A: {source}");
    }

    #[test]
    fn only_the_whole_secret_opens_and_it_is_never_shown() {
        let token = Token::new("s3cret & more".to_owned());
        assert!(token.opens(b"s3cret & more"));
        for wrong in ["", "s3cret & mor", "s3cret & more ", "S3cret & more"] {
            assert!(!token.opens(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "***");
        assert_eq!(token.query(), "token=s3cret+%26+more");
    }
}
