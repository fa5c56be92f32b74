//! A document that `probe`, `add` or `check --online` shows, or the reason why it cannot be shown.

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

use crate::fetch;
use crate::model::{Coded, Failure, Hop, Outcome, ParseWarning, Validators};
use crate::opml;
use crate::parse::{self, Input, Parsed};
use crate::poll::{Denied, denial_line};
use crate::store;

/// Upper limit of items that are read from one document.
pub(super) const MAX_ITEMS: usize = 100_000;

/// A document and what is known about its transfer.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// Address of the last hop, or of the file.
    pub(super) url: Url,
    /// The body without content coding.
    pub(super) bytes: Vec<u8>,
    /// Value of the `Content-Type` header.
    pub(super) content_type: Option<String>,
    /// Values of the headers `Link`, joined by commas.
    pub(super) links: Option<String>,
    /// Redirects that were followed, in order.
    pub(super) hops: Vec<Hop>,
    /// `ETag` and `Last-Modified` of the response.
    pub(super) validators: Validators,
    /// SHA-256 of the body; `None`: of a file.
    pub(super) hash: Option<[u8; 32]>,
    /// What was ignored while the body was decoded.
    pub(super) ignored: Option<ParseWarning>,
    /// Time when an earlier command requested it; `None`: this one did, or it is a file.
    pub(super) requested_at: Option<Timestamp>,
}

/// Why a document cannot be shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DocumentError {
    /// It could not be fetched or parsed.
    #[error("{0}")]
    Failed(Failure),
    /// The server answered without a document.
    #[error("{} (HTTP {status})", absence(*outcome))]
    Absent {
        /// How the exchange ended.
        outcome: Outcome,
        /// HTTP status of the last response.
        status: u16,
        /// Whether the ledger keeps what the server asked for.
        recorded: bool,
    },
    /// A promise to the server forbids the request now.
    #[error("{}", denial_line(denied, *now))]
    Held {
        /// The promise, with its end and its reason.
        denied: Box<Denied>,
        /// Time of the command (UTC).
        now: Timestamp,
    },
    /// It is not a list of feeds that can be followed.
    #[error(transparent)]
    List(#[from] opml::Error),
    /// The ledger of promises cannot be read or written.
    #[error(transparent)]
    Ledger(store::Error),
}

impl DocumentError {
    /// The codes of this type alone.
    #[cfg(test)]
    pub(super) const CODES: &'static [&'static str] = &["held"];
}

impl Coded for DocumentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code(),
            Self::Absent { outcome, .. } => outcome.slug(),
            Self::Held { .. } => "held",
            Self::List(error) => error.code(),
            Self::Ledger(error) => error.code(),
        }
    }

    fn help(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Failed(failure) => failure.help(),
            Self::Absent { outcome: Outcome::Gone, .. } => {
                Some("look for another feed on the site".into())
            }
            Self::Absent { outcome: Outcome::Throttled, recorded: false, .. } => Some(
                "wait before you repeat the command; without a database Newswire cannot record until when"
                    .into(),
            ),
            Self::Absent { outcome: Outcome::Throttled, .. } => Some(
                "repeat the command later; Newswire does not ask the server before the time that it named".into(),
            ),
            Self::Absent { outcome: Outcome::NotModified, .. } => {
                Some("--force requests the complete document".into())
            }
            Self::Absent { .. } => Some("try the URL with 'curl -v'".into()),
            Self::Held { .. } => Some("wait; --force requests it anyway".into()),
            Self::List(error) => error.help(),
            Self::Ledger(error) => error.help(),
        }
    }
}

impl From<Failure> for DocumentError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn absence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Gone => "the server reports that the feed is gone permanently",
        Outcome::Throttled => "the server asks clients to send fewer requests",
        Outcome::NotModified => "the document has not changed since the last poll",
        _ => "the server sent no document",
    }
}

impl Document {
    /// The document as input of the parser.
    pub(super) fn input(&self) -> Input<'_> {
        let content_type = self.content_type.as_deref();
        Input { bytes: &self.bytes, content_type, url: &self.url, max_items: MAX_ITEMS }
    }

    /// Parses the document as a feed.
    pub(super) fn parse(&self) -> Result<Parsed, Failure> {
        let at_target = |failure| fetch::after_redirects(failure, &self.hops, &self.url);
        let mut parsed = parse::parse(self.input()).map_err(at_target)?;
        parsed.parse_warnings.extend(self.ignored.clone());
        Ok(parsed)
    }

    /// The redirects that led from `url` to the document: those after the one to `url`, or all.
    pub(super) fn hops_from(&self, url: &Url) -> &[Hop] {
        let to_url = self.hops.iter().rposition(|hop| hop.location == url.as_str());
        &self.hops[to_url.map_or(0, |hop| hop + 1)..]
    }

    /// Where the feed at `requested` is now: the target of the permanent redirects at the start of the
    /// chain (RFC 9110 15.4.2, 15.4.9). A temporary redirect and all that follow it do not count.
    pub(super) fn permanent_url(&self, requested: &Url) -> Url {
        let permanent = self.hops.iter().take_while(|hop| matches!(hop.status, 301 | 308));
        let last = permanent.last().and_then(|hop| Url::parse(&hop.location).ok());
        last.unwrap_or_else(|| requested.clone())
    }
}
