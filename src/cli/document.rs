//! Fetches one document for `probe`, `add` and `check --online`, as a poll would, and parses it.

use std::borrow::Cow;
use std::sync::Arc;

use url::Url;

use crate::clock::Clock;
use crate::fetch::{self, Fetcher, FetcherError, SystemResolver};
use crate::model::{Coded, Failure, FetchOutcome, Hop, Outcome, Validators};
use crate::parse::{self, Input, Parsed};

/// Upper limit of items that are read from one document.
pub(super) const MAX_ITEMS: usize = 100_000;

/// A document and what is known about its transfer.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// Address of the last hop, or of the file.
    pub(super) url: Url,
    /// The decoded body.
    pub(super) bytes: Vec<u8>,
    /// The `Content-Type` header.
    pub(super) content_type: Option<String>,
    /// Redirects that were followed, in order.
    pub(super) hops: Vec<Hop>,
    /// `ETag` and `Last-Modified` of the response.
    pub(super) validators: Validators,
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
        /// The HTTP status.
        status: u16,
    },
}

impl Coded for DocumentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code(),
            Self::Absent { outcome, .. } => outcome.slug(),
        }
    }

    fn help(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Failed(failure) => failure.help(),
            Self::Absent { outcome: Outcome::Gone, .. } => {
                Some("look for another feed on the site, or remove this one".into())
            }
            Self::Absent { outcome: Outcome::Throttled, .. } => Some(
                "wait, then try again; poll the feed less often if this happens repeatedly".into(),
            ),
            Self::Absent { .. } => Some("try the URL with 'curl -v'".into()),
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
        _ => "the server sent no document",
    }
}

/// Fetches `url` with a separate HTTP client.
pub(super) async fn fetch(
    url: &Url,
    settings: &fetch::Settings,
) -> Result<Result<Document, DocumentError>, FetcherError> {
    let fetcher = Fetcher::new(Arc::new(SystemResolver::new()))?;
    Ok(fetch_with(&fetcher, url, settings).await)
}

/// Fetches `url`, with the address guard and the limits of a poll.
pub(super) async fn fetch_with(
    fetcher: &Fetcher,
    url: &Url,
    settings: &fetch::Settings,
) -> Result<Document, DocumentError> {
    let validators = &Validators::default();
    let now = Clock::system().now();
    let request =
        fetch::Request { url, validators, known_body: None, known_lifetime: None, settings, now };
    let response = fetcher.fetch(request).await;
    match (response.outcome, response.body) {
        (_, Some(body)) => Ok(Document {
            url: response.url,
            bytes: body.bytes,
            content_type: body.content_type,
            hops: response.hops,
            validators: response.validators.unwrap_or_default(),
        }),
        (FetchOutcome::Failed(failure), None) => Err(DocumentError::Failed(failure)),
        (outcome, None) => Err(DocumentError::Absent {
            outcome: outcome.kind(),
            status: response.status.unwrap_or_default(),
        }),
    }
}

impl Document {
    /// The document as input of the parser.
    pub(super) fn input(&self) -> Input<'_> {
        let content_type = self.content_type.as_deref();
        Input { bytes: &self.bytes, content_type, url: &self.url, max_items: MAX_ITEMS }
    }

    /// Parses the document.
    pub(super) fn parse(&self) -> Result<Parsed, Failure> {
        parse::parse(self.input())
    }

    /// Where the feed at `requested` is now: the target of the permanent redirects at the start of the
    /// chain (RFC 9110 15.4.2, 15.4.9). A temporary redirect and all that follow it do not count.
    pub(super) fn permanent_url(&self, requested: &Url) -> Url {
        let permanent = self.hops.iter().take_while(|hop| matches!(hop.status, 301 | 308));
        let last = permanent.last().and_then(|hop| Url::parse(&hop.location).ok());
        last.unwrap_or_else(|| requested.clone())
    }
}
