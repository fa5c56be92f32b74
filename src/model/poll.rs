//! One poll of one feed: outcome, validators, address and plan of the next poll, and which clock the stored times refer to.
//!
//! A failure of a feed is a value: it is stored, scheduled and shown. Every kind has a stable slug.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

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
    /// Whether there is no validator.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// Those that can be sent. `If-None-Match: *` asks whether there is any document (RFC 9110 13.1.2), so that every
    /// document would stay hidden behind a 304; an empty value asks nothing.
    #[must_use]
    pub fn usable(self) -> Self {
        let etag = self.etag.filter(|tag| !tag.trim_ascii().is_empty() && !has_any(tag));
        let last_modified = self.last_modified.filter(|date| !date.trim_ascii().is_empty());
        Self { etag, last_modified }
    }
}

/// Whether one of the members of a list of entity tags is `*`. In quotes it is a part of an entity tag.
fn has_any(tags: &[u8]) -> bool {
    let mut quoted = false;
    let members = tags.split(|byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    members.map(<[u8]>::trim_ascii).any(|member| matches!(member, b"*" | b"W/*"))
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchOutcome {
    /// A complete representation (200, or 226 as a part of one).
    Modified,
    /// 304, or a 200 whose bytes are those of the last one.
    NotModified,
    /// 429, or 503 with `Retry-After`: the server asks for fewer requests.
    Throttled,
    /// 410: the feed was removed for good.
    Gone,
    /// A network error, another status, or a document that cannot be used.
    Failed(Failure),
}

impl FetchOutcome {
    /// The outcome without the message.
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

    /// The stable slug, as in the database, the log and pages.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.kind().slug()
    }

    /// Whether the server sent the feed, or reported that it is unchanged.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Modified | Self::NotModified)
    }
}

impl From<Outcome> for FetchOutcome {
    /// The outcome without the message of a failure.
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Modified => Self::Modified,
            Outcome::NotModified => Self::NotModified,
            Outcome::Throttled => Self::Throttled,
            Outcome::Gone => Self::Gone,
            Outcome::Failed(kind) => Self::Failed(Failure::new(kind, "")),
        }
    }
}

/// Outcome of a poll, as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The document was modified.
    Modified,
    /// The document was the same.
    NotModified,
    /// The server asked for fewer requests.
    Throttled,
    /// The server reported that the feed is gone (410).
    Gone,
    /// The poll failed in this way.
    Failed(FailureKind),
}

impl Outcome {
    /// The outcomes that are not failures.
    pub const WITHOUT_FAILURES: &'static [Self] =
        &[Self::Modified, Self::NotModified, Self::Throttled, Self::Gone];

    /// The stable slug.
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

    /// The outcome with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        let known = Self::WITHOUT_FAILURES.iter().copied().find(|outcome| outcome.slug() == slug);
        known.or_else(|| FailureKind::from_slug(slug).map(Self::Failed))
    }

    /// Whether the server sent the feed, or reported that it is unchanged.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Modified | Self::NotModified)
    }
}

/// Why a poll of one feed failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind, which has a stable slug.
    pub kind: FailureKind,
    /// What failed, with which input, and why: a fragment in lower case without control characters.
    pub message: String,
    /// What the operator can do in this case; `None`: only the general text of the kind.
    pub help: Option<Cow<'static, str>>,
}

impl Failure {
    /// A failure without a specific help text.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    /// The same failure with this help.
    #[must_use]
    pub fn help(self, help: impl Into<Cow<'static, str>>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Coded for Failure {
    fn code(&self) -> &'static str {
        self.kind.slug()
    }

    fn help(&self) -> Option<Cow<'static, str>> {
        self.help.clone()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Declares [`FailureKind`] with the slug of each kind.
macro_rules! failure_kinds {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal,)*) => {
        /// The kinds of failure; each has a stable slug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FailureKind { $($(#[$doc])* $kind,)* }

        impl FailureKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable slug.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The kind with this slug.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
            }
        }
    };
}

failure_kinds! {
    /// The URL, or that of a redirect, is not http or https, or has a forbidden port or credentials.
    BadUrl = "bad_url",
    /// The host name does not exist (NXDOMAIN, or no address records).
    NameNotFound = "name_not_found",
    /// The resolver failed or timed out.
    Resolver = "resolver_failed",
    /// The address is private, loopback or otherwise not public, and `allow_networks` does not open it.
    BlockedAddress = "blocked_address",
    /// No TCP connection: no answer.
    Connect = "connect_failed",
    /// No TCP connection: the host refuses it.
    Refused = "connection_refused",
    /// TLS failed: certificate, name or protocol.
    Tls = "tls_failed",
    /// The server does not use TLS on this port.
    NoTls = "no_tls",
    /// The whole exchange took longer than `timeout`.
    Timeout = "timeout",
    /// The server closed or reset the connection before its response.
    Reset = "connection_reset",
    /// The response is not HTTP, or not a valid response to the request.
    BadResponse = "bad_response",
    /// Fewer bytes than announced, or a chunked body without its end.
    Truncated = "truncated",
    /// A redirect leads to a document that is not the same feed.
    DifferentFeed = "different_feed",
    /// More redirects than allowed, or a loop.
    TooManyRedirects = "too_many_redirects",
    /// A redirect from https to http.
    InsecureRedirect = "insecure_redirect",
    /// HTTP status 401.
    Unauthorized = "unauthorized",
    /// HTTP status 402, 403 or 451.
    Forbidden = "forbidden",
    /// HTTP status 404.
    NotFound = "not_found",
    /// Another 4xx, or an unexpected status.
    ClientError = "client_error",
    /// HTTP status 5xx, or a status that is not valid.
    ServerError = "server_error",
    /// The decoded body is larger than `max_body`, or its compression ratio is too high.
    TooLarge = "too_large",
    /// The content coding is unknown or broken.
    BadCoding = "bad_coding",
    /// The body is a web page, empty, or in an unknown format.
    NotAFeed = "not_a_feed",
    /// The feed cannot be parsed.
    Malformed = "malformed",
    /// The file of the feed does not exist, cannot be read, or is not a regular file.
    FeedFile = "feed_file_unreadable",
    /// newswire panicked on this feed: a bug.
    Panicked = "panicked",
}

/// Freshness of a response, RFC 9111 4.2, and waits that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freshness {
    /// Remaining freshness lifetime: `max-age` or `Expires - Date`, less `Age`.
    pub remaining: Option<SignedDuration>,
    /// Freshness lifetime by `max-age`, without the age; a later 304 renews it. RFC 9111 4.3.4.
    pub lifetime: Option<Duration>,
    /// `Retry-After`, relative to now.
    pub retry_after: Option<SignedDuration>,
    /// Time until the host accepts requests again: `x-ratelimit-remaining` and `-reset`.
    pub host_pause: Option<SignedDuration>,
}

/// One redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// 300, 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Target of the redirect.
    pub location: String,
}

/// Address of a feed, if it is not the configured one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// URL that was adopted after permanent redirects; `None`: as configured.
    pub effective: Option<Url>,
    /// Target of permanent redirects that is not adopted yet.
    pub candidate: Option<MoveCandidate>,
}

/// A target of permanent redirects that is not adopted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCandidate {
    /// Target of the redirects.
    pub url: Url,
    /// Time of the first redirect to it, without another result since.
    pub since: Timestamp,
}

/// When a feed is polled next, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Time of the next poll.
    pub at: Timestamp,
    /// The input that decided.
    pub reason: Reason,
    /// Every input that asked for a wait, the deciding one included, in order of evaluation.
    pub considered: Vec<Considered>,
}

/// A plan as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredPlan {
    /// Time of the next poll; the epoch: as soon as possible.
    pub next_poll_at: Timestamp,
    /// Time of the last poll, by the same clock; `None`: never polled.
    pub last_poll_at: Option<Timestamp>,
    /// The input that decided.
    pub reason: ReasonKind,
}

/// One input of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Kind of the input.
    pub kind: ReasonKind,
    /// The input as a phrase.
    pub text: String,
    /// The wait in seconds, after the cap.
    pub wait: u64,
}

/// Reason of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Kind of the input that decided.
    pub kind: ReasonKind,
    /// The input as a phrase: "interval 1h".
    pub text: String,
}

/// The kinds of inputs of a plan; each has a stable slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// The feed was never polled.
    New,
    /// The configured or learned interval.
    Interval,
    /// The response is fresh for longer than the interval.
    Freshness,
    /// The feed's own `ttl` or syndication period.
    PublisherHint,
    /// `skipHours` or `skipDays` of the feed (RSS 2.0).
    SkipHours,
    /// The first failure after a success: an early retry.
    Retry,
    /// Consecutive failures: the interval grows.
    BackOff,
    /// newswire panicked on the feed repeatedly.
    Quarantine,
    /// `Retry-After`, or a throttling without one.
    Throttled,
    /// The next request has no validators.
    Unconditional,
    /// 410: a weekly poll, later none.
    Gone,
    /// This machine is offline.
    Offline,
    /// Random extra wait, so that polls of different feeds spread.
    Jitter,
    /// The feed is paused in the config.
    Paused,
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
        Self::Unconditional,
        Self::Gone,
        Self::Offline,
        Self::Jitter,
        Self::Paused,
    ];

    /// The stable slug.
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
            Self::Unconditional => "unconditional",
            Self::Gone => "gone",
            Self::Offline => "offline",
            Self::Jitter => "jitter",
            Self::Paused => "paused",
        }
    }

    /// The kind with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

/// The wall clock in relation to the time since the start of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMark {
    /// Identifies one run of the machine.
    pub boot: String,
    /// Wall clock less the time since the start of the machine, in milliseconds.
    pub offset: i64,
    /// When it was last found to be set by more than an hour, or to continue after more than a week; `None`: never.
    pub set_at: Option<Timestamp>,
}
