//! `[[output]]`: one outbound merged feed, as configured.

use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;
use url::Url;

use super::look::Look;
use super::shown;
use super::token::Token;

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
