//! One exchange: follows redirects hop by hop. `response` interprets the last response.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header;
use url::{Host, Url};

use super::budget::{Budget, Progress, Reservation};
use super::freshness::freshness;
use super::request::Connector;
use super::resolve::{LookupError, ResolveError};
use super::settings::Settings;
use super::{classify, request, response};
use crate::model::{Failure, FailureKind, FetchOutcome, Freshness, Hop, ParseWarning, Validators};
use crate::text::chars::shortened;

/// One request for a document.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// URL of the first request, before redirects.
    pub url: &'a Url,
    /// What it asks for.
    pub wanted: request::Wanted,
    /// Validators of the last good representation; empty for an unconditional request.
    pub validators: &'a Validators,
    /// URL whose response sent the validators. They are sent to no other; `None`: they belong to every hop.
    pub validators_from: Option<&'a Url>,
    /// SHA-256 of the body that the validators belong to.
    pub known_body: Option<[u8; 32]>,
    /// Freshness lifetime of that response by `max-age`, which a 304 renews.
    pub known_lifetime: Option<Duration>,
    /// The settings of this feed.
    pub settings: &'a Settings,
    /// Time of the request (UTC), used for a `Retry-After` of a server that sends no `Date`.
    pub now: Timestamp,
}

/// The result of one exchange.
#[derive(Debug)]
pub struct Response {
    /// How the exchange ended.
    pub outcome: FetchOutcome,
    /// The HTTP status of the last hop; `None` without a response.
    pub status: Option<u16>,
    /// The URL of the last hop.
    pub url: Url,
    /// The address of the server of the last hop; `None` behind a proxy.
    pub remote: Option<IpAddr>,
    /// Redirects that were followed, in order.
    pub hops: Vec<Hop>,
    /// Validators for the next request; `None` keeps the previous ones.
    pub validators: Option<Validators>,
    /// The document; only with [`FetchOutcome::Modified`], or its beginning with [`FailureKind::Truncated`] or
    /// [`FailureKind::Timeout`].
    pub body: Option<Body>,
    /// SHA-256 of the decoded body of a complete response, changed or not; `None` for a part of one (226, or cut).
    pub body_hash: Option<[u8; 32]>,
    /// Age of the document by the clock of the server: `Date` less `Last-Modified`.
    pub document_age: Option<SignedDuration>,
    /// Freshness and retry hints in the headers of any status.
    pub freshness: Freshness,
    /// Received size of the body, in bytes before decoding.
    pub wire_bytes: u64,
    /// Size of the body, in bytes after decoding.
    pub body_bytes: u64,
}

/// The body of a response with a document.
#[derive(Debug)]
pub struct Body {
    /// The body without content coding.
    pub bytes: Vec<u8>,
    /// Value of the `Content-Type` header.
    pub content_type: Option<String>,
    /// Values of the headers `Link`, joined by commas (RFC 9110 5.3).
    pub links: Option<String>,
    /// Memory of the document and of what is read from it; kept until that is stored.
    pub memory: Option<Reservation>,
    /// Whether bytes after the end of the compressed document were ignored.
    pub surplus: bool,
}

impl Body {
    /// What was ignored while the body was decoded, as a parse warning.
    #[must_use]
    pub fn parse_warning(&self) -> Option<ParseWarning> {
        let message = || "bytes after the end of the compressed document are ignored".to_owned();
        self.surplus.then(|| ParseWarning::new("junk_after", None, message()))
    }
}

impl Response {
    /// The result when there was no response.
    #[must_use]
    pub fn failed(url: Url, failure: Failure) -> Self {
        Self {
            outcome: FetchOutcome::Failed(failure),
            status: None,
            remote: None,
            url,
            hops: Vec::new(),
            validators: None,
            body: None,
            body_hash: None,
            document_age: None,
            freshness: Freshness::default(),
            wire_bytes: 0,
            body_bytes: 0,
        }
    }
}

/// An exchange under way: one request for each hop. The caller decides when each request is sent.
pub struct Exchange<'a> {
    connector: Connector,
    request: Request<'a>,
    response: Response,
    seen: HashSet<Url>,
    budget: Budget,
    progress: Progress,
}

/// A complete document that an earlier exchange brought.
#[derive(Debug)]
pub struct KnownDocument {
    /// URL that sent it.
    pub url: Url,
    /// Redirects that led from the URL of the request to it.
    pub hops: Vec<Hop>,
    /// `ETag` and `Last-Modified` of the response.
    pub validators: Validators,
    /// SHA-256 of the body.
    pub hash: [u8; 32],
    /// The document after decompression.
    pub body: Body,
}

/// The result of one hop.
#[derive(Debug)]
pub enum Step {
    /// The server redirected to [`Exchange::url`].
    Redirected {
        /// Retry hints of the redirect.
        freshness: Freshness,
    },
    /// The exchange has ended.
    Done(Box<Response>),
}

impl<'a> Exchange<'a> {
    /// An exchange before its first request.
    pub(crate) fn new(connector: Connector, budget: Budget, request: Request<'a>) -> Self {
        let failure = Failure::new(FailureKind::BadUrl, "never asked");
        let mut url = request.url.clone();
        // A fragment is not part of a request (RFC 9110 4.2.5).
        url.set_fragment(None);
        let seen = HashSet::from([url.clone()]);
        let response = Response::failed(url, failure);
        let progress = Progress::default();
        Self { connector, request, response, seen, budget, progress }
    }

    /// URL of the next request.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.response.url
    }

    /// Whether the next request has validators: only a request to the URL that sent them.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        let from = self.request.validators_from;
        !self.request.validators.is_empty() && from.is_none_or(|url| *url == self.response.url)
    }

    /// The validators of the next request.
    fn validators(&self) -> &'a Validators {
        static NONE: Validators = Validators { etag: None, last_modified: None };
        if self.is_conditional() { self.request.validators } else { &NONE }
    }

    /// Addresses of the host of the next request that may be contacted; none behind a proxy.
    ///
    /// # Errors
    /// When the URL may not be requested, or the host name has no such address.
    pub async fn addresses(&self) -> Result<Vec<IpAddr>, Failure> {
        self.check()?;
        match self.response.url.host() {
            _ if self.request.settings.proxy.is_some() => Ok(Vec::new()),
            Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
            Some(Host::Domain(name)) => {
                self.connector.resolver.lookup(name).await.map_err(|error| classify::lookup(&error))
            }
            None => Ok(Vec::new()),
        }
    }

    /// Whether the next URL may be requested, as far as it shows itself.
    fn check(&self) -> Result<(), Failure> {
        let guard = &self.connector.resolver.guard;
        guard.check_url(&self.response.url)?;
        match self.request.settings.proxy {
            Some(_) => guard.check_proxied(&self.response.url),
            None => Ok(()),
        }
    }

    /// The failure when [`Exchange::addresses`] takes longer than the exchange may.
    #[must_use]
    pub fn lookup_timed_out(&self) -> Failure {
        let (host, limit) = (self.response.url.host_str(), self.request.settings.timeout);
        let error = ResolveError::timed_out(host.unwrap_or_default(), limit);
        classify::lookup(&LookupError::Resolve(error))
    }

    /// Ends the exchange with a document that an earlier exchange brought from the next URL.
    pub fn end_with(&mut self, document: KnownDocument) -> Response {
        let mut response = self.end();
        response.url = document.url;
        response.hops.extend(document.hops);
        response.status = Some(200);
        response.validators = Some(document.validators);
        response.body_hash = Some(document.hash);
        response.body_bytes = document.body.bytes.len() as u64;
        if self.request.known_body == Some(document.hash) {
            response.outcome = FetchOutcome::NotModified;
        } else {
            response.outcome = FetchOutcome::Modified;
            response.body = Some(document.body);
        }
        *response
    }

    /// The exchange ended by a failure of the next request.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Response {
        let failure = after_redirects(failure, &self.response.hops, &self.response.url);
        Response { outcome: FetchOutcome::Failed(failure), ..self.response }
    }

    /// Sends the next request, which may take `limit`. After a redirect, another request follows.
    pub async fn step(&mut self, limit: Duration) -> Step {
        let failure = match self.hop_within(limit).await {
            Some(Ok(step)) => return step,
            Some(Err(failure)) => failure,
            None => {
                let seconds = self.request.settings.timeout.as_secs_f32();
                let message = format!("the exchange took longer than {seconds} s");
                Failure::new(FailureKind::Timeout, message)
                    .help("raise timeout if the server is always this slow")
            }
        };
        self.response.outcome = FetchOutcome::Failed(failure);
        Step::Done(self.end())
    }

    /// As [`Exchange::hop`]; `None`: it takes longer than `limit`, without the time that it waits for memory.
    async fn hop_within(&mut self, limit: Duration) -> Option<Result<Step, Failure>> {
        let progress = self.progress.clone();
        // On the heap: the futures around it are moved several times, and copied whole each time.
        let mut hop = Box::pin(self.hop());
        let (mut waited, mut left) = (Duration::ZERO, limit);
        loop {
            if let Ok(result) = tokio::time::timeout(left, &mut hop).await {
                return Some(result);
            }
            let total = progress.waited();
            (left, waited) = (total.saturating_sub(waited), total);
            if left.is_zero() {
                return None;
            }
        }
    }

    /// The result, which leaves an exchange that was never asked.
    fn end(&mut self) -> Box<Response> {
        let failure = Failure::new(FailureKind::BadUrl, "never asked");
        let next = Response::failed(self.response.url.clone(), failure);
        let mut ended = std::mem::replace(&mut self.response, next);
        if let FetchOutcome::Failed(failure) = ended.outcome {
            let failure = after_redirects(failure, &ended.hops, &ended.url);
            ended.outcome = FetchOutcome::Failed(failure);
        }
        Box::new(ended)
    }

    /// Sends one request. The URL is checked here, because a literal address does not use the resolver.
    async fn hop(&mut self) -> Result<Step, Failure> {
        let (request, url) = (self.request, self.response.url.clone());
        self.check()?;
        let headers = request::headers(request.settings, request.wanted, self.validators());
        let mut headers = request::with_host(&url, &headers);
        // RFC 9110 15.4: headers with credentials go only to the origin that they are for.
        if url.origin() == request.url.origin() {
            headers.extend(request::own_headers(request.settings));
        }
        let kept = self.connector.kept.take(&url, request.now);
        let send = |headers| self.connector.client.get(url.clone()).headers(headers).send();
        let sent = match send(headers.clone()).await {
            // RFC 9112 9.3.1: the server closed the kept connection while the request was on its way.
            Err(error) if kept && classify::is_closed(&error) => send(headers).await,
            sent => sent,
        };
        match sent {
            Ok(answer) => self.answered(answer).await,
            Err(error) if classify::is_throttled(&error) => {
                self.response.outcome = FetchOutcome::Throttled;
                Ok(Step::Done(self.end()))
            }
            Err(error) => Err(classify::through_proxy(classify::failure(&error), request.settings)),
        }
    }

    /// Interprets the answer to a request: a redirect, or the end of the exchange.
    async fn answered(&mut self, answer: reqwest::Response) -> Result<Step, Failure> {
        let (request, url) = (self.request, self.response.url.clone());
        let response = &mut self.response;
        response.status = Some(answer.status().as_u16());
        let direct = request.settings.proxy.is_none();
        response.remote = answer.remote_addr().filter(|_| direct).map(|at| at.ip());
        response.freshness = freshness(answer.headers(), answer.status().as_u16(), request.now);
        match location(&answer, &url, request.settings) {
            None => {
                // Without a response, so that a failure while reading keeps what is known.
                let placeholder = Response { freshness: response.freshness, ..self.known() };
                let request = Request { validators: self.validators(), ..request };
                let response = std::mem::replace(&mut self.response, placeholder);
                let memory = self.budget.reserve(self.progress.clone());
                self.response = response::read(answer, &request, response, memory).await;
                if !is_broken(&self.response.outcome) {
                    self.connector.kept.insert(&url, request.now);
                }
                Ok(Step::Done(self.end()))
            }
            Some(next) => {
                follow(response, &mut self.seen, next?, answer.status(), request.settings)?;
                // RFC 9111 4: it is the time for which the redirect may be reused, not the target.
                let freshness = Freshness { remaining: None, lifetime: None, ..response.freshness };
                response.freshness = freshness;
                Ok(Step::Redirected { freshness })
            }
        }
    }

    /// Interprets an answer that did not come from the network, for `tests/fuzz`.
    ///
    /// # Errors
    /// When the server redirects to a URL that is not followed.
    #[cfg(fuzzing)]
    pub async fn answer(&mut self, answer: impl Into<reqwest::Response>) -> Result<Step, Failure> {
        self.answered(answer.into()).await
    }

    /// What is known of the response before its body.
    fn known(&self) -> Response {
        let Response { url, hops, status, remote, .. } = &self.response;
        let failure = Failure::new(FailureKind::BadResponse, "the response was not read");
        let (hops, status, remote) = (hops.clone(), *status, *remote);
        Response { hops, status, remote, ..Response::failed(url.clone(), failure) }
    }
}

impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("response", &self.response).finish_non_exhaustive()
    }
}

/// Whether the connection cannot be used for another request.
fn is_broken(outcome: &FetchOutcome) -> bool {
    matches!(outcome, FetchOutcome::Failed(failure)
        if matches!(failure.kind, FailureKind::Truncated | FailureKind::Timeout | FailureKind::TooLarge | FailureKind::Reset))
}

/// Target of a redirect; `None` for other responses.
fn location(
    answer: &reqwest::Response,
    from: &Url,
    settings: &Settings,
) -> Option<Result<Url, Failure>> {
    // RFC 9110 15.4.1: the target of a 300 is the choice that the server prefers.
    if !matches!(answer.status().as_u16(), 300..=303 | 307 | 308) || settings.max_redirects == 0 {
        return None;
    }
    let location = answer.headers().get(header::LOCATION)?;
    // RFC 9110 10.2.2: relative to the requested URL.
    Some(from.join(&ascii(location.as_bytes())).ok().map_or_else(
        || {
            Err(Failure::new(FailureKind::BadUrl, "the server redirects to an invalid URL")
                .help(OPEN_IN_BROWSER))
        },
        |mut target| {
            target.set_fragment(None);
            Ok(target)
        },
    ))
}

/// The failure with the URL that redirects led to, which the operator did not choose: the remedy is another one then.
#[must_use]
pub fn after_redirects(failure: Failure, hops: &[Hop], url: &Url) -> Failure {
    let mut target = url.clone();
    // A message shows no password.
    let _ = target.set_username("").and_then(|()| target.set_password(None));
    if hops.is_empty() || failure.message.contains(target.as_str()) {
        return failure;
    }
    let message = format!("redirected to {}: {}", shortened(target.as_str()), failure.message);
    let help = match failure.kind {
        FailureKind::BadUrl | FailureKind::NameNotFound => Some(OPEN_IN_BROWSER.into()),
        FailureKind::BlockedAddress => Some(BLOCKED_TARGET.into()),
        _ => failure.help,
    };
    Failure { kind: failure.kind, message, help }
}

/// The value of a header with other bytes than ASCII in percent-encoding, as browsers read them.
fn ascii(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value {
        match byte.is_ascii() {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Help for an address in a private network that the operator did not choose: a redirect or a page leads there.
pub const BLOCKED_TARGET: &str = "open the URL in a browser; set allow_networks in its [[feed]] only if the feed is meant to be in that network";

/// Maximum length of the URL of a redirect, in bytes: the least that servers should support (RFC 9110 4.1).
const MAX_URL: usize = 8_000;

/// Help for redirects that lead nowhere.
pub(super) const OPEN_IN_BROWSER: &str = "open the URL in a browser, and set url to the final URL";

/// Accepts the next hop, unless it exceeds the limit, repeats a URL, or changes from https to http.
fn follow(
    response: &mut Response,
    seen: &mut HashSet<Url>,
    next: Url,
    status: StatusCode,
    settings: &Settings,
) -> Result<(), Failure> {
    if response.url.scheme() == "https" && next.scheme() == "http" {
        let message = "the server redirects from https to http";
        return Err(Failure::new(FailureKind::InsecureRedirect, message)
            .help("set url to the https URL of the feed"));
    }
    if next.as_str().len() > MAX_URL {
        let message = format!("the server redirects to a URL of more than {MAX_URL} bytes");
        return Err(Failure::new(FailureKind::BadUrl, message).help(OPEN_IN_BROWSER));
    }
    if response.hops.len() >= settings.max_redirects {
        let message = format!("the server redirects more than {} times", settings.max_redirects);
        return Err(Failure::new(FailureKind::TooManyRedirects, message)
            .help("open the URL in a browser; raise max_redirects if it leads to the feed"));
    }
    if !seen.insert(next.clone()) {
        let message = "the server redirects in a loop";
        return Err(Failure::new(FailureKind::TooManyRedirects, message).help(OPEN_IN_BROWSER));
    }
    response.hops.push(Hop { status: status.as_u16(), location: next.to_string() });
    response.url = next;
    Ok(())
}
