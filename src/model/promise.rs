//! Promises to servers: until when something is not requested, who asked for that, and what was requested.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::feed::FeedId;

/// What a promise is about; each scope has a stable slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseScope {
    /// One URL; the key is the URL without fragment.
    Url,
    /// All URLs of a site; the key is the registrable domain, see [`super::site`].
    Host,
    /// All hosts at one IP address; the key is the address.
    Address,
}

impl PromiseScope {
    /// The stable slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Host => "host",
            Self::Address => "address",
        }
    }

    /// The scope with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Url, Self::Host, Self::Address].into_iter().find(|it| it.slug() == slug)
    }
}

/// Why a promise was made; each reason has a stable slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseReason {
    /// `Retry-After` (RFC 9110 10.2.3).
    RetryAfter,
    /// A rate limit without requests left (`RateLimit`, `x-ratelimit-*`).
    RateLimit,
    /// A 429 without `Retry-After`, or several throttled URLs of one host.
    Throttled,
    /// A 5xx, or 5xx of several URLs of one host.
    ServerErrors,
    /// The response is fresh (RFC 9111 4.2).
    Fresh,
}

impl PromiseReason {
    /// Every reason.
    pub const ALL: &'static [Self] =
        &[Self::RetryAfter, Self::RateLimit, Self::Throttled, Self::ServerErrors, Self::Fresh];

    /// The stable slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::RetryAfter => "retry_after",
            Self::RateLimit => "rate_limit",
            Self::Throttled => "throttled",
            Self::ServerErrors => "server_errors",
            Self::Fresh => "fresh",
        }
    }

    /// The reason with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.slug() == slug)
    }

    /// Whether the server asked for the wait, so that only `--force` ends it sooner.
    #[must_use]
    pub fn is_demand(self) -> bool {
        !matches!(self, Self::Fresh)
    }
}

impl fmt::Display for PromiseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RetryAfter => "Retry-After",
            Self::RateLimit => "rate limit",
            Self::Throttled => "throttled",
            Self::ServerErrors => "several server errors",
            Self::Fresh => "fresh",
        })
    }
}

/// A promise: nothing that it is about is requested before `until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// What the promise is about.
    pub scope: PromiseScope,
    /// The URL, site or address.
    pub key: String,
    /// Site of the URL whose response led to the promise.
    pub host: String,
    /// End of the promise (UTC).
    pub until: Timestamp,
    /// Why it was made.
    pub reason: PromiseReason,
    /// URL whose response led to the promise.
    pub response_url: String,
    /// Time when it was made (UTC).
    pub at: Timestamp,
}

impl Promise {
    /// Whether it has not ended. A promise from the future was made by a clock that was set back since; the plans of
    /// feeds contain the rest of its wait.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let tolerance = SignedDuration::from_mins(1);
        self.until > now && self.at.duration_since(now) <= tolerance
    }
}

/// Who makes a request. As text: `feed:ID`, `list`, `image` or `command`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asker {
    /// A poll of this feed.
    Feed(FeedId),
    /// A list of feeds that is followed.
    List,
    /// The page of an output that shows an image.
    Image,
    /// A command of the operator that stores no poll: `probe`, `check --online`, `add`, a dry run.
    Command,
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(id) => write!(f, "feed:{id}"),
            Self::List => f.write_str("list"),
            Self::Image => f.write_str("image"),
            Self::Command => f.write_str("command"),
        }
    }
}

/// A text that names no [`Asker`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} makes no requests")]
pub struct BadAsker(pub String);

impl FromStr for Asker {
    type Err = BadAsker;

    fn from_str(text: &str) -> Result<Self, BadAsker> {
        let bad = || BadAsker(text.to_owned());
        match (text, text.strip_prefix("feed:")) {
            (_, Some(id)) => FeedId::new(id).map(Self::Feed).map_err(|_| bad()),
            ("list", _) => Ok(Self::List),
            ("image", _) => Ok(Self::Image),
            ("command", _) => Ok(Self::Command),
            _ => Err(bad()),
        }
    }
}

/// A request, written before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// URL of the request, without fragment.
    pub url: String,
    /// Site of the URL.
    pub host: String,
    /// IP address of the host; `None` behind a proxy.
    pub address: Option<String>,
    /// Who makes the request.
    pub by: Asker,
    /// Whether it has validators.
    pub conditional: bool,
    /// Whether the operator insists on it (`--force`), so that it breaks no promise.
    pub forced: bool,
    /// Whether the ledger may have promises about its URL, site or address.
    pub promised: bool,
    /// Time of the request (UTC).
    pub at: Timestamp,
}

/// What is known about one URL and its site before a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerEntry {
    /// Promises about the URL and its site, also those that have ended.
    pub promises: Vec<Promise>,
    /// The last request for the URL: time and asker.
    pub url_asked: Option<(Timestamp, Asker)>,
    /// Time of the last request to the site.
    pub host_asked: Option<Timestamp>,
}

impl LedgerEntry {
    /// The last demand of a server that has not ended at `now`. One of the future does not count: the clock was set
    /// back since.
    #[must_use]
    pub fn demand(&self, now: Timestamp) -> Option<&Promise> {
        let open = self.promises.iter().filter(|it| it.reason.is_demand() && it.is_open(now));
        open.max_by_key(|promise| promise.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_from_the_future_holds_nothing() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let promise = Promise {
            scope: PromiseScope::Url,
            key: "http://a.test/".to_owned(),
            host: "a.test".to_owned(),
            until: at(2_000),
            reason: PromiseReason::RetryAfter,
            response_url: "http://a.test/".to_owned(),
            at: at(1_000),
        };
        let entry = LedgerEntry { promises: vec![promise], ..LedgerEntry::default() };
        assert!(entry.demand(at(1_500)).is_some());
        assert!(entry.demand(at(2_000)).is_none());
        // The clock was set back.
        assert!(entry.demand(at(500)).is_none());
    }

    #[test]
    fn an_asker_is_read_back_from_its_text() {
        let feed = Asker::Feed(FeedId::new("a.b").unwrap());
        for asker in [feed, Asker::List, Asker::Image, Asker::Command] {
            assert_eq!(asker.to_string().parse(), Ok(asker));
        }
        assert!("feed:".parse::<Asker>().is_err());
        assert!("cron".parse::<Asker>().is_err());
    }
}
