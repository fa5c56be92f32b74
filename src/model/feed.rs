//! A feed: a subscribed source document, one `[[feed]]` in the config.
//!
//! Leaves how it is polled to `schedule` and `fetch`, and what the publisher says of it to
//! [`super::output_item::FeedInfo`].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::item::Image;
use super::parsed::ParseWarning;
use super::poll::{Address, Outcome, ReasonKind};

/// The row of a feed in the store; meaningless outside one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedKey(pub i64);

/// The stable name of a feed: the config's `id`, else derived from its URL once and kept.
///
/// 1 to 64 characters of `a-z 0-9 . _ -`, so it is safe in a path, a log line and a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedId(String);

/// Why a string is no [`FeedId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', not {0:?}")]
pub struct BadFeedId(pub String);

impl FeedId {
    /// The longest id, in characters.
    pub const MAX: usize = 64;

    /// Takes `id` as it is.
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

    /// A readable id made from the URL: host and path, without what every feed URL has.
    ///
    /// Two URLs may give the same id; whoever registers feeds appends `-2`, `-3` and so on.
    #[must_use]
    pub fn derive(url: &Url) -> Self {
        let host = url.host_str().unwrap_or("feed");
        let host = host.strip_prefix("www.").unwrap_or(host);
        let mut id = String::new();
        for c in format!("{host}{}", url.path()).chars().flat_map(char::to_lowercase) {
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

    /// The id with a number behind it, to tell feeds apart whose URLs derive the same id.
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

/// A configured feed: what the operator says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Given in the config; `None` until the store has derived one from the URL.
    pub id: Option<FeedId>,
    /// Where it is polled, as configured; http or https, no userinfo.
    pub url: Url,
    /// Shown instead of the publisher's title.
    pub title: Option<String>,
    /// What an output may include or exclude it by.
    pub tags: Vec<String>,
}

/// What a feed's publisher says of the feed; every text plain, every URL absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedProfile {
    /// The feed's title.
    pub title: Option<String>,
    /// The site's page, http or https.
    pub site_url: Option<String>,
    /// `atom:id` of the feed where it has one.
    pub atom_id: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// The feed's icon or image.
    pub image: Option<Image>,
    /// Who may do what with it.
    pub rights: Option<String>,
}

/// A feed as an entry's attribution needs it: what the operator says, then what the publisher says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedInfo {
    /// Its row.
    pub key: FeedKey,
    /// Its stable name.
    pub id: FeedId,
    /// Where it is polled; never with userinfo.
    pub url: String,
    /// The operator's title, else the publisher's, else the host name; plain text, never empty.
    pub title: String,
    /// Given by the operator.
    pub tags: Vec<String>,
    /// The publisher's own words.
    pub profile: FeedProfile,
}

/// One line of `newswire status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// Name, title, address, tags.
    pub info: FeedInfo,
    /// When it is due.
    pub next_poll_at: Timestamp,
    /// The input that won.
    pub reason: ReasonKind,
    /// The same for people.
    pub reason_text: String,
    /// In a row.
    pub failures: u32,
    /// Since when, if it is failing.
    pub failing_since: Option<Timestamp>,
    /// `None`: never polled.
    pub last_poll_at: Option<Timestamp>,
    /// How the last poll ended; `None`: never polled.
    pub last_outcome: Option<Outcome>,
    /// HTTP.
    pub last_status: Option<u16>,
    /// What there is to say of it.
    pub last_message: Option<String>,
    /// Where redirects led.
    pub last_url: Option<String>,
    /// `None`: never.
    pub last_success_at: Option<Timestamp>,
    /// When an item was last new.
    pub last_new_at: Option<Timestamp>,
    /// Items ever kept.
    pub items: u64,
    /// The dialect's slug.
    pub dialect: Option<String>,
    /// Things mended in the last document.
    pub parse_warnings: Vec<ParseWarning>,
    /// Where it lives now, beside the config.
    pub address: Address,
    /// For telling a quiet feed from a dead one.
    pub activity: FeedActivity,
}

/// What is recorded of how a feed publishes, and of what its server says since the last news.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedActivity {
    /// Where its oldest item stands in time.
    pub oldest: Option<Timestamp>,
    /// Where its newest items stand in time, the newest first: at most [`FeedActivity::MOMENTS`].
    pub moments: Vec<Timestamp>,
    /// The longest time without a new item that ended with one.
    pub longest_gap: Option<SignedDuration>,
    /// Since the last news: polls answered "not modified",
    pub not_modified: u32,
    /// with the same body again,
    pub same_body: u32,
    /// and with another document that had nothing new in it.
    pub nothing_new: u32,
    /// Since when its document has no items at all, though it had some.
    pub empty_since: Option<Timestamp>,
    /// Items of a burst, which wait for a word of the operator.
    pub held: u64,
    /// Items that were old when the feed was added, and are not shown for that.
    pub older: u64,
}

impl FeedActivity {
    /// So many of the newest items tell a feed's cadence.
    pub const MOMENTS: usize = 60;
}

/// What requests are counted by: `example.co.uk` for `blog.example.co.uk`, an address as it is.
#[must_use]
pub fn site(url: &Url) -> &str {
    match url.host() {
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
    fn an_id_that_could_leave_its_folder_is_refused() {
        for bad in ["", "a/b", "Ä", "A", "a b", &"x".repeat(65)] {
            assert!(FeedId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_owner_is_one_site() {
        for (url, expected) in [
            ("https://www.example.co.uk/feed", "example.co.uk"),
            ("https://a.b.example.com/", "example.com"),
            // A suffix below which strangers live side by side.
            ("https://ann.github.io/feed", "ann.github.io"),
            ("http://127.0.0.1:8080/", "127.0.0.1"),
            ("http://[::1]/", "[::1]"),
            ("http://localhost/", "localhost"),
        ] {
            assert_eq!(site(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
