//! A feed: a subscribed source document, one `[[feed]]` in the config; its description by the publisher, and its state.
//!
//! How a feed has published so far: what its interval is learned from.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::item::Image;
use super::parsed::ParseWarning;
use super::poll::{Address, Outcome, ReasonKind};
use crate::text::quoted::in_quotes;
use crate::text::sha256::{hex, sha256};

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
#[error("an id has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', not {}", in_quotes(.0))]
pub struct BadFeedId(pub String);

/// Length of the longest derived id, in characters: a number fits behind it.
const MAX_DERIVED: usize = FeedId::MAX - 4;
/// Number of hexadecimal digits of a digest in an id.
const MARK: usize = 8;

/// What an id is derived from: host and path of a URL, or the name of a file.
fn source_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("feed");
    let host = host.strip_prefix("www.").unwrap_or(host);
    match url.scheme() {
        // The folders are of interest to no subscriber.
        "file" => url.path().rsplit('/').next().unwrap_or_default().to_owned(),
        _ => format!("{host}{}", url.path()),
    }
}

/// The escapes of letters that an id cannot have, such as those of Japanese. As bytes they tell a reader nothing.
fn letter_escapes(text: &str) -> impl Iterator<Item = usize> {
    let is_escape = |at: &usize| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|d| b"89abcdefABCDEF".contains(&d[0]) && d[1].is_ascii_hexdigit())
    };
    text.match_indices('%').map(|(at, _)| at).filter(is_escape)
}

/// The text in the characters of an id, never empty, of any length.
fn readable(text: &str) -> String {
    let (mut kept, mut from) = (String::new(), 0);
    for at in letter_escapes(text) {
        kept.push_str(&text[from..at]);
        from = at + "%e3".len();
    }
    kept.push_str(&text[from..]);
    let mut id = String::new();
    for c in kept.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '.' | '_' => id.push(c),
            _ if id.ends_with('-') => {}
            _ => id.push('-'),
        }
    }
    match id.trim_matches(['-', '.']) {
        "" => "feed".to_owned(),
        id => id.to_owned(),
    }
}

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

    /// A readable id made of host and path of the URL. If the URL has a query or letters that no id has, or the id would be
    /// too long, it ends with a part of a digest: host and path do not distinguish the feeds of such URLs, and an id must
    /// not depend on what other feeds there are. The query itself may be a secret.
    ///
    /// Two URLs may still give the same id, see [`FeedId::candidates`].
    #[must_use]
    pub fn derive(url: &Url) -> Self {
        let source = source_of(url);
        let readable = readable(&source);
        match url.query().filter(|query| !query.is_empty() && url.scheme() != "file") {
            None if readable.len() <= MAX_DERIVED && letter_escapes(&source).next().is_none() => {
                Self(readable)
            }
            query => Self::marked(&readable, &format!("{source}?{}", query.unwrap_or_default())),
        }
    }

    /// The ids for the feed with this URL, the best first. The first that no other feed has is taken; the second one names
    /// this URL alone.
    pub fn candidates(url: &Url) -> impl Iterator<Item = Self> {
        let own = Self::marked(&readable(&source_of(url)), url.as_str());
        let numbered = own.clone();
        let numbered = (2..).map(move |number: usize| Self(format!("{numbered}-{number}")));
        [Self::derive(url), own].into_iter().chain(numbered)
    }

    /// The beginning of a readable id, with a part of the digest of a text.
    fn marked(readable: &str, text: &str) -> Self {
        let kept = &readable[..readable.len().min(MAX_DERIVED - MARK - 1)];
        Self(format!("{}-{}", kept.trim_end_matches(['-', '.']), &hex(&sha256(text))[..MARK]))
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

/// What is known about when the items of a feed came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publishing {
    /// Times of the newest items: the date of publication, or of first sight if that is earlier. Of a feed without items,
    /// the time when it was added.
    pub times: Vec<Timestamp>,
    /// The last successful polls, the oldest first.
    pub polls: Vec<PollYield>,
}

/// What a successful poll brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollYield {
    /// Start of the poll.
    pub at: Timestamp,
    /// Number of new items that are shown.
    pub new: usize,
    /// The same, with those that are held or that a filter kept out.
    pub unseen: usize,
    /// Number of different items of the document; `None`: it was unchanged, or a part of the feed.
    pub items: Option<usize>,
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
    fn letters_that_no_id_has_are_left_out_of_a_derived_id() {
        let id = derived("https://example.org/ブログ/feed");
        assert_eq!(id, "example.org-feed-efd5c8ab");
        assert_ne!(id, derived("https://example.org/ニュース/feed"));
        assert_eq!(derived("https://example.org/a%20b%"), "example.org-a-20b");
    }

    #[test]
    fn derived_ids_are_always_valid_ids() {
        let long = format!("http://e.org/{}", "a/".repeat(200));
        let dots = format!("http://e.org/{}?x", ".".repeat(200));
        for url in ["https://x.org/%F0%9F%98%80/é", &long, &dots, "http://e.org/?ä=%20/.."] {
            for id in FeedId::candidates(&Url::parse(url).unwrap()).take(100) {
                assert_eq!(FeedId::new(id.as_str()), Ok(id));
            }
        }
    }

    #[test]
    fn an_id_distinguishes_queries_and_the_ends_of_long_paths() {
        let videos = "https://www.youtube.com/feeds/videos.xml?channel_id=";
        let [one, two] = ["UCaaa", "UCAAA"].map(|channel| derived(&format!("{videos}{channel}")));
        assert!(one.starts_with("youtube.com-feeds-videos.xml-") && one.len() == 37, "{one}");
        assert_ne!(one, two);
        assert_eq!(one, derived(&format!("{videos}UCaaa#x").replace("https", "http")));
        let path = format!("https://example.org/{}", "category/".repeat(8));
        assert_ne!(derived(&format!("{path}1/feed")), derived(&format!("{path}2/feed")));
        assert_eq!(derived("https://example.org/feed?"), "example.org-feed");
        let secret = derived("https://example.org/feed?key=hunter2");
        assert!(!secret.contains("hunter2") && !secret.contains("key"), "{secret}");
    }

    #[test]
    fn the_second_candidate_for_an_id_is_that_of_one_url_alone() {
        let second =
            |url: &str| FeedId::candidates(&Url::parse(url).unwrap()).nth(1).unwrap().to_string();
        let urls = ["http://e.org/feed", "https://e.org/feed", "https://e.org:81/feed"];
        assert!(urls.iter().all(|url| derived(url) == "e.org-feed"));
        let seconds: std::collections::HashSet<String> = urls.map(second).into_iter().collect();
        assert_eq!(seconds.len(), 3);
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
