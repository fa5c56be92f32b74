//! One attempt to fetch one feed: how it ended, what to send next time, and when that is.
//!
//! A feed's failure is data: it is stored, scheduled on and shown. Every kind has a stable slug.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::code::Coded;

/// The validators of the last good representation, as opaque bytes.
///
/// RFC 9110 8.8: both are sent back unchanged, quotes, `W/` and odd dates included. They belong
/// together: a new 200 replaces the pair, never one half.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag`, sent as `If-None-Match`.
    pub etag: Option<Vec<u8>>,
    /// `Last-Modified`, sent as `If-Modified-Since`.
    pub last_modified: Option<Vec<u8>>,
}

impl Validators {
    /// Nothing to ask conditionally with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchOutcome {
    /// A representation arrived whole (200, or 226 as a part of one).
    Modified,
    /// 304, or a 200 whose bytes are those of the last one.
    NotModified,
    /// 429, or 503 with `Retry-After`: not an error, a request to slow down.
    Throttled,
    /// 410.
    Gone,
    /// Anything else.
    Failed(Failure),
}

impl FetchOutcome {
    /// The outcome without what there is to say of it.
    #[must_use]
    pub fn kind(&self) -> Outcome {
        match self {
            Self::Modified => Outcome::Modified,
            Self::NotModified => Outcome::NotModified,
            Self::Throttled => Outcome::Throttled,
            Self::Gone => Outcome::Gone,
            Self::Failed(failure) => Outcome::Failed(failure.kind),
        }
    }

    /// The stable name used in the database, the logs and the page.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.kind().slug()
    }

    /// The publisher answered with the feed, or said that it is unchanged.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Modified | Self::NotModified)
    }
}

/// How a poll ended, as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The document was another one.
    Modified,
    /// The document was the same.
    NotModified,
    /// The server asked for fewer requests.
    Throttled,
    /// The server said that the feed is gone.
    Gone,
    /// The poll failed.
    Failed(FailureKind),
}

impl Outcome {
    /// Those that are no failure.
    pub const WITHOUT_FAILURES: &'static [Self] =
        &[Self::Modified, Self::NotModified, Self::Throttled, Self::Gone];

    /// The stable name.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::NotModified => "not_modified",
            Self::Throttled => "throttled",
            Self::Gone => "gone",
            Self::Failed(kind) => kind.slug(),
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        let known = Self::WITHOUT_FAILURES.iter().copied().find(|outcome| outcome.slug() == slug);
        known.or_else(|| FailureKind::from_slug(slug).map(Self::Failed))
    }

    /// The publisher answered with the feed, or said that it is unchanged.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Modified | Self::NotModified)
    }
}

/// What went wrong with one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What, where and why, and what to do: a lowercase fragment, free of control characters.
    pub message: String,
}

impl Failure {
    /// Puts kind and message together.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl Coded for Failure {
    fn code(&self) -> &'static str {
        self.kind.slug()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Declares [`FailureKind`] with its slugs, so that no kind can be without one.
macro_rules! failure_kinds {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal,)*) => {
        /// The classes of failure; each has a stable slug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FailureKind { $($(#[$doc])* $kind,)* }

        impl FailureKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The kind of that name.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
            }
        }
    };
}

failure_kinds! {
    /// The URL, or a redirect's, is no http(s) URL, has a forbidden port or credentials.
    BadUrl = "bad_url",
    /// The host name does not exist (NXDOMAIN, or no address records).
    NameNotFound = "name_not_found",
    /// The resolver failed or timed out.
    Resolver = "resolver_failed",
    /// The address is private, loopback or otherwise not public, and `allow_networks` does not open it.
    BlockedAddress = "blocked_address",
    /// No TCP connection: nobody answers.
    Connect = "connect_failed",
    /// No TCP connection: the host is there and refuses.
    Refused = "connection_refused",
    /// TLS failed: certificate, name or protocol.
    Tls = "tls_failed",
    /// The whole exchange took longer than `timeout`.
    Timeout = "timeout",
    /// The connection broke or the peer spoke no HTTP.
    BadResponse = "bad_response",
    /// Fewer bytes than announced, or a chunked body without its end.
    Truncated = "truncated",
    /// A redirect leads to a document that shares nothing with the feed.
    DifferentFeed = "different_feed",
    /// More redirects than allowed, or a loop.
    TooManyRedirects = "too_many_redirects",
    /// A redirect from https to http.
    InsecureRedirect = "insecure_redirect",
    /// 401.
    Unauthorized = "unauthorized",
    /// 403, 402, 451.
    Forbidden = "forbidden",
    /// 404.
    NotFound = "not_found",
    /// Another 4xx, or a status that makes no sense here.
    ClientError = "client_error",
    /// 5xx.
    ServerError = "server_error",
    /// The decoded body is larger than `max_body`, or swells out of proportion.
    TooLarge = "too_large",
    /// The content coding is unknown or broken.
    BadCoding = "bad_coding",
    /// The body is a web page, or empty, or no feed that newswire knows.
    NotAFeed = "not_a_feed",
    /// A feed that cannot be read.
    Malformed = "malformed",
    /// newswire itself panicked on this feed: a bug, kept to this feed.
    Panicked = "panicked",
}

/// What a response says about its own freshness, RFC 9111 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freshness {
    /// How much longer the response stays fresh: `max-age` or `Expires - Date`, less `Age`.
    pub remaining: Option<SignedDuration>,
    /// `Retry-After`, relative to now.
    pub retry_after: Option<SignedDuration>,
    /// The host's budget is used up for so long: `x-ratelimit-remaining` and `-reset`.
    pub host_pause: Option<SignedDuration>,
}

/// One redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Where it led.
    pub location: String,
}

/// Where a feed lives, beside what the config says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// Adopted after permanent redirects; `None`: as configured.
    pub effective: Option<Url>,
    /// Where permanent redirects point, not believed yet.
    pub candidate: Option<MoveCandidate>,
}

/// A move on probation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCandidate {
    /// Where to.
    pub url: Url,
    /// When it was first seen, without a break since.
    pub since: Timestamp,
}

/// When a feed is polled next, and why then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Wall-clock.
    pub at: Timestamp,
    /// The input that won.
    pub reason: Reason,
    /// Every input that asked for a wait, the winner among them, in the order they were looked at.
    pub considered: Vec<Considered>,
}

/// One input of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// What asked.
    pub kind: ReasonKind,
    /// For people.
    pub text: String,
    /// For how long, in seconds, capped as it was.
    pub wait: u64,
}

/// Why a feed is polled when it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What won.
    pub kind: ReasonKind,
    /// For people, a fragment: "configured interval 1h".
    pub text: String,
}

/// The inputs of a plan, by the name they are stored under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Never polled.
    New,
    /// The configured interval.
    Interval,
    /// The response is fresh for longer than the interval.
    Freshness,
    /// The feed's own `ttl` or syndication period.
    PublisherHint,
    /// `skipHours` or `skipDays`.
    SkipHours,
    /// The first failure after a success: once more, soon.
    Retry,
    /// Failures in a row.
    BackOff,
    /// newswire panicked on it again and again: a mistake of ours, which must not cost the others.
    Quarantine,
    /// `Retry-After`, or a throttling without one.
    Throttled,
    /// 410: a slow probe.
    Gone,
    /// This machine is offline: no feed's fault.
    Offline,
    /// A little later than asked for, so that feeds drift apart.
    Jitter,
}

impl ReasonKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::New,
        Self::Interval,
        Self::Freshness,
        Self::PublisherHint,
        Self::SkipHours,
        Self::Retry,
        Self::BackOff,
        Self::Quarantine,
        Self::Throttled,
        Self::Gone,
        Self::Offline,
        Self::Jitter,
    ];

    /// The stable name.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Interval => "interval",
            Self::Freshness => "freshness",
            Self::PublisherHint => "publisher_hint",
            Self::SkipHours => "skip_hours",
            Self::Retry => "retry",
            Self::BackOff => "back_off",
            Self::Quarantine => "quarantine",
            Self::Throttled => "throttled",
            Self::Gone => "gone",
            Self::Offline => "offline",
            Self::Jitter => "jitter",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}
