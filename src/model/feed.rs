//! A feed: a subscribed source document, one `[[feed]]` in the config.
//!
//! Leaves how it is polled to `schedule` and `fetch`, and what the publisher says of it to
//! [`super::output_item::FeedInfo`].

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

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
}
