//! One exchange: follows redirects hop by hop, then interprets the response by its status.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap};
use url::{Host, Url};

use super::budget::{Budget, Progress, Reservation};
use super::connector::Connector;
use super::freshness::{document_age, freshness, renewed};
use super::resolve::{LookupError, ResolveError};
use super::settings::Settings;
use super::{body, classify, request};
use crate::model::{Failure, FailureKind, FetchOutcome, Freshness, Hop, ParseWarning, Validators};
use crate::text::file_kind;

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
    /// The document; only with [`FetchOutcome::Modified`], or its beginning with [`FailureKind::Truncated`].
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
        /// Freshness and retry hints of the redirect.
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
        Box::new(std::mem::replace(&mut self.response, next))
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
        let answer = sent.map_err(|error| {
            classify::through_proxy(classify::failure(&error), request.settings)
        })?;
        self.answered(answer).await
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
                self.response = read(answer, &request, response, memory).await;
                if !is_broken(&self.response.outcome) {
                    self.connector.kept.insert(&url, request.now);
                }
                Ok(Step::Done(self.end()))
            }
            Some(next) => {
                follow(response, &mut self.seen, next?, answer.status(), request.settings)?;
                Ok(Step::Redirected { freshness: self.response.freshness })
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
        if matches!(failure.kind, FailureKind::Truncated | FailureKind::TooLarge | FailureKind::Reset))
}

/// Target of a redirect; `None` for other responses.
fn location(
    answer: &reqwest::Response,
    from: &Url,
    settings: &Settings,
) -> Option<Result<Url, Failure>> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        || settings.max_redirects == 0
    {
        return None;
    }
    let location = answer.headers().get(header::LOCATION)?;
    // RFC 9110 10.2.2: relative to the requested URL.
    let target = std::str::from_utf8(location.as_bytes()).ok().and_then(|l| from.join(l).ok());
    Some(target.map_or_else(
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

/// Help for redirects that lead nowhere.
const OPEN_IN_BROWSER: &str = "open the URL in a browser, and set url to the final URL";

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

/// Interprets the final response by its status.
async fn read(
    answer: reqwest::Response,
    request: &Request<'_>,
    mut response: Response,
    memory: Reservation,
) -> Response {
    let conditional = !request.validators.is_empty();
    if is_challenge(answer.headers()) {
        let failure = challenged(answer.status().as_u16());
        response.outcome = FetchOutcome::Failed(failure);
        return response;
    }
    match answer.status().as_u16() {
        // RFC 9110 15.3.4: 203 is a 200 that a proxy transformed.
        200 | 203 => return document(answer, request, response, memory).await,
        // RFC 3229 10.4.1: only the new items; absent items are not removed ones.
        226 if conditional && is_feed_delta(answer.headers()) => {
            let mut response = document(answer, request, response, memory).await;
            response.body_hash = None;
            return response;
        }
        // Some bot protections answer 202 with a page for browsers.
        202 => {
            let read = document(answer, request, response, memory).await;
            let failure = match &read.body {
                Some(body) if file_kind::is_challenge(&body.bytes) => challenged(202),
                _ => rejected(202, request.settings),
            };
            let outcome = FetchOutcome::Failed(failure);
            return Response { outcome, body: None, body_hash: None, validators: None, ..read };
        }
        304 if conditional => {
            response.validators = Some(refreshed(request.validators, answer.headers()));
            response.freshness = renewed(answer.headers(), request.known_lifetime, request.now);
            response.outcome = FetchOutcome::NotModified;
        }
        304 => {
            let message = "the server answered 304 to an unconditional request";
            let failure =
                Failure::new(FailureKind::BadResponse, message).help("report it to the site owner");
            response.outcome = FetchOutcome::Failed(failure);
        }
        // RFC 9110 15.3.5, 15.3.6: no content, so nothing changes.
        204 | 205 => response.outcome = FetchOutcome::NotModified,
        410 => response.outcome = FetchOutcome::Gone,
        // RFC 6585 4
        429 => response.outcome = FetchOutcome::Throttled,
        503 if response.freshness.retry_after.is_some() => {
            response.outcome = FetchOutcome::Throttled;
        }
        status => {
            let failure = rejected(status, request.settings);
            response.outcome = FetchOutcome::Failed(failure);
        }
    }
    response
}

fn is_feed_delta(headers: &HeaderMap) -> bool {
    let manipulations = headers.get_all("im").iter().filter_map(|value| value.to_str().ok());
    let mut names = manipulations.flat_map(|value| value.split(','));
    names.any(|name| name.trim().eq_ignore_ascii_case("feed"))
}

/// Reads a 200 response. Both validators are replaced together, even by nothing (RFC 9110 8.8).
async fn document(
    answer: reqwest::Response,
    request: &Request<'_>,
    mut response: Response,
    memory: Reservation,
) -> Response {
    let validators = received(answer.headers());
    response.document_age = document_age(answer.headers());
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let max = request.settings.max_body;
    if answer.content_length().is_some_and(|length| length > max) {
        // Not a byte of the body is read.
        response.outcome = FetchOutcome::Failed(body::too_large(max));
        return response;
    }
    match Box::pin(body::read(answer, max, memory)).await {
        Err(failure) => response.outcome = FetchOutcome::Failed(failure),
        Ok(part) if part.cut.is_some() => {
            response.wire_bytes = part.wire_bytes;
            response.body_bytes = part.bytes.len() as u64;
            let (bytes, memory, surplus) = (part.bytes, Some(part.memory), part.surplus);
            response.body = Some(Body { bytes, content_type, memory, surplus });
            response.outcome = part.cut.map_or(FetchOutcome::Modified, FetchOutcome::Failed);
        }
        Ok(whole) => {
            response.wire_bytes = whole.wire_bytes;
            response.body_bytes = whole.bytes.len() as u64;
            response.validators = Some(validators);
            response.body_hash = Some(whole.hash);
            if request.known_body == Some(whole.hash) {
                response.outcome = FetchOutcome::NotModified;
            } else {
                response.outcome = FetchOutcome::Modified;
                let (bytes, memory, surplus) = (whole.bytes, Some(whole.memory), whole.surplus);
                response.body = Some(Body { bytes, content_type, memory, surplus });
            }
        }
    }
    response
}

fn received(headers: &HeaderMap) -> Validators {
    let bytes = |name| headers.get(name).map(|value| value.as_bytes().to_vec());
    Validators { etag: bytes(header::ETAG), last_modified: bytes(header::LAST_MODIFIED) }
}

/// RFC 9111 3.2, 4.3.4: a 304 replaces the validators that it contains.
fn refreshed(sent: &Validators, headers: &HeaderMap) -> Validators {
    let now = received(headers);
    Validators {
        etag: now.etag.or_else(|| sent.etag.clone()),
        last_modified: now.last_modified.or_else(|| sent.last_modified.clone()),
    }
}

/// Headers with which bot protections mark a challenge, also in responses with the status 200 or 202.
const CHALLENGES: [(&str, &str); 4] = [
    ("cf-mitigated", "challenge"),
    ("sg-captcha", "challenge"),
    ("x-amzn-waf-action", "captcha"),
    ("x-amzn-waf-action", "challenge"),
];

/// Whether the response is a challenge for browsers.
fn is_challenge(headers: &HeaderMap) -> bool {
    let has = |(name, value): &(&str, &str)| headers.get(*name).is_some_and(|found| found == value);
    CHALLENGES.iter().any(has)
}

/// The failure for a challenge for browsers.
fn challenged(status: u16) -> Failure {
    let message = format!("the server answered with a challenge for browsers (HTTP {status})");
    Failure::new(FailureKind::Forbidden, message)
        .help("ask the publisher to exempt the feed from it")
}

/// The failure for a status without a document.
fn rejected(status: u16, settings: &Settings) -> Failure {
    if let (407, Some(proxy)) = (status, &settings.proxy) {
        return classify::refused_login(proxy, settings);
    }
    let (kind, meaning, help) = match status {
        401 if settings.headers.is_empty() => (
            FailureKind::Unauthorized,
            "the feed requires a login",
            "set authorization in its [[feed]]",
        ),
        401 => (
            FailureKind::Unauthorized,
            "the server rejected the login",
            "check authorization in its [[feed]]",
        ),
        402 | 403 | 451 if settings.contact.is_none() => (
            FailureKind::Forbidden,
            "the server refuses access",
            "set contact in [fetch], so that the site owner knows who polls, and ask for access",
        ),
        402 | 403 | 451 => {
            (FailureKind::Forbidden, "the server refuses access", "ask the site owner for access")
        }
        404 => (
            FailureKind::NotFound,
            "there is no document at this URL",
            "look for the new URL of the feed on the site",
        ),
        500..=599 => {
            (FailureKind::ServerError, "the server reports an internal error", classify::RETRIED)
        }
        _ => (
            FailureKind::ClientError,
            "the server rejected the request",
            "check the URL with 'curl -v'",
        ),
    };
    Failure::new(kind, format!("{meaning} (HTTP {status})")).help(help)
}
