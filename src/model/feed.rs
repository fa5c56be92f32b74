//! A feed: a subscribed source document, one `[[feed]]` in the config; its description by the publisher, and its state.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::item::Image;
use super::parsed::ParseWarning;
use super::poll::{Address, Outcome, ReasonKind};

/// What happens to the stories of a feed that is no longer configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Removal {
    /// They leave the outputs.
    #[default]
    Hide,
    /// They stay in the outputs for as long as texts are kept.
    Keep,
}

/// Row id of a feed; valid in one database only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedKey(pub i64);

/// The stable id of a feed: `id` in the config, else derived from its URL once and stored.
///
/// 1 to 64 characters of `a-z 0-9 . _ -`, so it is safe in a path, a log line and a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedId(String);

/// A string that is not a valid [`FeedId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', not {0:?}")]
pub struct BadFeedId(pub String);

impl FeedId {
    /// Length of the longest id, in characters.
    pub const MAX: usize = 64;

    /// Checks an id.
    ///
    /// # Errors
    /// When it is empty, too long or has a character outside `a-z 0-9 . _ -`.
    pub fn new(id: &str) -> Result<Self, BadFeedId> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if (1..=Self::MAX).contains(&id.len()) && id.chars().all(fits) {
            Ok(Self(id.to_owned()))
        } else {
            Err(BadFeedId(id.to_owned()))
        }
    }

    /// A readable id made of host and path of the URL.
    ///
    /// Two URLs may give the same id; the store then appends `-2`, `-3` and so on.
    #[must_use]
    pub fn derive(url: &Url) -> Self {
        let host = url.host_str().unwrap_or("feed");
        let host = host.strip_prefix("www.").unwrap_or(host);
        let text = match url.scheme() {
            // The folders are of interest to no subscriber.
            "file" => url.path().rsplit('/').next().unwrap_or_default().to_owned(),
            _ => format!("{host}{}", url.path()),
        };
        let mut id = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' | '.' | '_' => id.push(c),
                _ if id.ends_with('-') => {}
                _ => id.push('-'),
            }
        }
        id.truncate(Self::MAX - 4);
        Self(match id.trim_matches(['-', '.']) {
            "" => "feed".to_owned(),
            id => id.to_owned(),
        })
    }

    /// The id with a number appended, for feeds whose URLs give the same id.
    #[must_use]
    pub fn numbered(&self, n: usize) -> Self {
        Self(format!("{}-{n}", self.0))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A feed as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Id in the config; `None`: the store derives one from the URL.
    pub id: Option<FeedId>,
    /// URL in the config: http or https, without userinfo; or file, for a file of this machine.
    pub url: Url,
    /// Title that is shown instead of the publisher's.
    pub title: Option<String>,
    /// Tags by which outputs select feeds.
    pub tags: Vec<String>,
    /// What happens to its stories when it is no longer configured.
    pub removal: Removal,
}

/// What a selector of `remove` took away from the items of one document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Removed {
    /// The selector in the config.
    pub selector: String,
    /// Number of elements that the selector removed.
    pub elements: usize,
    /// Number of items that lost an element.
    pub items: usize,
    /// Beginning of the text of one of the elements; `None`: they have no text.
    pub example: Option<String>,
}

/// The description of a feed in its document. Texts are plain, URLs are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedProfile {
    /// Title of the feed, plain text.
    pub title: Option<String>,
    /// URL of the site, http or https.
    pub site_url: Option<String>,
    /// `atom:id` of the feed.
    pub atom_id: Option<String>,
    /// Language, a BCP 47 tag.
    pub language: Option<String>,
    /// The feed's icon or image.
    pub image: Option<Image>,
    /// Copyright notice of the feed (`atom:rights`, RSS `copyright`), plain text.
    pub rights: Option<String>,
}

/// A feed as the attribution of an item needs it: from the config, else from the publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedInfo {
    /// Key of the feed.
    pub key: FeedKey,
    /// Stable id of the feed.
    pub id: FeedId,
    /// URL in the config, without userinfo.
    pub url: String,
    /// Title from the config, else the publisher's, else the host name; plain text, never empty.
    pub title: String,
    /// Tags from the config.
    pub tags: Vec<String>,
    /// Description of the feed in its document.
    pub profile: FeedProfile,
}

/// State of a feed, as it is recorded. `health` judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// Id, title, URL and tags.
    pub info: FeedInfo,
    /// Time of the next poll.
    pub next_poll_at: Timestamp,
    /// Reason for that time.
    pub reason: ReasonKind,
    /// The reason as a phrase.
    pub reason_text: String,
    /// Number of consecutive failures.
    pub failures: u32,
    /// Time of the first of them; `None`: the feed is not failing.
    pub failing_since: Option<Timestamp>,
    /// Time of the last poll; `None`: never polled.
    pub last_poll_at: Option<Timestamp>,
    /// Outcome of the last poll; `None`: never polled.
    pub last_outcome: Option<Outcome>,
    /// HTTP status of the last poll; `None`: no response.
    pub last_status: Option<u16>,
    /// Message of the last failure.
    pub last_message: Option<String>,
    /// URL of the last response, if it was redirected.
    pub last_url: Option<String>,
    /// Time of the last success; `None`: never.
    pub last_success_at: Option<Timestamp>,
    /// Time of the last new item; `None`: never.
    pub last_new_at: Option<Timestamp>,
    /// Number of items that were ever new and not held.
    pub items: u64,
    /// Slug of the dialect of the last document.
    pub dialect: Option<String>,
    /// Parse warnings of the last document.
    pub parse_warnings: Vec<ParseWarning>,
    /// What the selectors of `remove` took away from the last document.
    pub removed: Vec<Removed>,
    /// Address after permanent redirects.
    pub address: Address,
    /// What shows whether it still publishes.
    pub activity: FeedActivity,
}

/// Waits from here on mean that a feed is not polled again.
const NEVER: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

impl FeedStatus {
    /// State of a feed that was never polled. It is due.
    #[must_use]
    pub fn unpolled(info: FeedInfo) -> Self {
        Self {
            info,
            next_poll_at: Timestamp::UNIX_EPOCH,
            reason: ReasonKind::New,
            reason_text: "never polled".to_owned(),
            failures: 0,
            failing_since: None,
            last_poll_at: None,
            last_outcome: None,
            last_status: None,
            last_message: None,
            last_url: None,
            last_success_at: None,
            last_new_at: None,
            items: 0,
            dialect: None,
            parse_warnings: Vec::new(),
            removed: Vec::new(),
            address: Address::default(),
            activity: FeedActivity::default(),
        }
    }

    /// Time of the next poll; `None`: the feed is paused, or gone and no longer tried.
    #[must_use]
    pub fn next_poll(&self) -> Option<Timestamp> {
        let waits = |last: Timestamp| self.next_poll_at.duration_since(last) >= NEVER;
        let is_gone = self.reason == ReasonKind::Gone && self.last_poll_at.is_some_and(waits);
        (self.reason != ReasonKind::Paused && !is_gone).then_some(self.next_poll_at)
    }
}

/// When a feed published, and how its server has answered since the last new item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedActivity {
    /// Time of its oldest item.
    pub oldest: Option<Timestamp>,
    /// Times of its newest items, the newest first; at most [`FeedActivity::MOMENTS`].
    pub moments: Vec<Timestamp>,
    /// Longest time between new items.
    pub longest_gap: Option<SignedDuration>,
    /// Number of polls since the last new item that were answered with 304.
    pub not_modified: u32,
    /// Number of polls since the last new item with the same body.
    pub same_body: u32,
    /// Number of polls since the last new item with another document without new items.
    pub nothing_new: u32,
    /// Time since when its document has no items; `None`: it has some, or never had.
    pub empty_since: Option<Timestamp>,
    /// Number of items that the burst guard holds.
    pub held: u64,
    /// Number of items that are held because they were old when the feed was added.
    pub older: u64,
    /// Number of items that filters of the feed keep out.
    pub filtered: u64,
}

impl FeedActivity {
    /// Number of items that the cadence of a feed is computed from.
    pub const MOMENTS: usize = 60;
}

/// Whether a URL has a user or a password (RFC 3986 3.2.1).
#[must_use]
pub fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The absolute URL of a reference (RFC 3986 5.2). A reference to a host without a scheme, in a feed that is a file, is on
/// the web: no publisher means a file of another machine.
#[must_use]
pub fn joined(base: &Url, reference: &str) -> Option<Url> {
    match base.scheme() {
        "file" if reference.starts_with("//") => Url::parse(&format!("https:{reference}")).ok(),
        _ => base.join(reference).ok(),
    }
}

/// The site of a URL, which requests are counted by: the registrable domain, as `example.co.uk` for
/// `blog.example.co.uk`; an IP address as it is. The site of a file is its path.
#[must_use]
pub fn site(url: &Url) -> &str {
    match url.host() {
        None if url.scheme() == "file" => url.path(),
        Some(Host::Domain(name)) => psl::domain_str(name).unwrap_or(name),
        _ => url.host_str().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(url: &str) -> String {
        FeedId::derive(&Url::parse(url).unwrap()).to_string()
    }

    #[test]
    fn an_id_is_derived_from_host_and_path() {
        assert_eq!(derived("https://www.example.org/blog/feed.xml"), "example.org-blog-feed.xml");
        assert_eq!(derived("https://example.org/"), "example.org");
        assert_eq!(derived("http://[::1]:8080/a//B"), "1-a-b");
        assert_eq!(derived("file:///srv/feeds/Status.xml"), "status.xml");
    }

    #[test]
    fn a_derived_id_is_always_a_valid_id_with_room_for_a_number() {
        for url in ["https://x.org/%F0%9F%98%80/é", &format!("http://e.org/{}", "a/".repeat(200))]
        {
            let id = FeedId::derive(&Url::parse(url).unwrap()).numbered(99);
            assert_eq!(FeedId::new(id.as_str()), Ok(id));
        }
    }

    #[test]
    fn an_id_that_could_leave_its_folder_is_rejected() {
        for bad in ["", "a/b", "Ä", "A", "a b", &"x".repeat(65)] {
            assert!(FeedId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_link_to_a_host_without_scheme_is_on_the_web_also_in_a_file() {
        for (base, reference, absolute) in [
            ("file:///srv/feed.xml", "//e.test/a", "https://e.test/a"),
            ("file:///srv/feed.xml", "a", "file:///srv/a"),
            ("file:///srv/feed.xml", "/a", "file:///a"),
            ("http://e.org/feed.xml", "//e.test/a", "http://e.test/a"),
        ] {
            let url = joined(&Url::parse(base).unwrap(), reference).unwrap();
            assert_eq!(url.as_str(), absolute, "{base} {reference}");
        }
    }

    #[test]
    fn a_site_is_a_registrable_domain() {
        for (url, expected) in [
            ("https://www.example.co.uk/feed", "example.co.uk"),
            ("https://a.b.example.com/", "example.com"),
            // A public suffix.
            ("https://ann.github.io/feed", "ann.github.io"),
            ("http://127.0.0.1:8080/", "127.0.0.1"),
            ("http://[::1]/", "[::1]"),
            ("http://localhost/", "localhost"),
            ("file:///srv/feed.xml", "/srv/feed.xml"),
        ] {
            assert_eq!(site(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
