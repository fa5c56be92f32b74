//! One exchange: redirects hop by hop, then the answer by its status.

use std::collections::HashSet;
use std::net::IpAddr;

use jiff::Timestamp;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, StatusCode};
use url::Url;

use super::freshness::freshness;
use super::guard::Guard;
use super::settings::Settings;
use super::{body, classify, request};
use crate::model::{Failure, FailureKind, FetchOutcome, Freshness, Hop, Validators};

/// What to ask for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The configured address.
    pub url: &'a Url,
    /// Of the last good representation; empty: an unconditional request.
    pub validators: &'a Validators,
    /// SHA-256 of the body that the validators belong to.
    pub known_body: Option<[u8; 32]>,
    /// In force for this feed.
    pub settings: &'a Settings,
    /// When it is asked; only to read a `Retry-After` from a server that sends no `Date`.
    pub now: Timestamp,
}

/// What came of it.
#[derive(Debug)]
pub struct Response {
    /// How it ended.
    pub outcome: FetchOutcome,
    /// HTTP; `None`: no response.
    pub status: Option<u16>,
    /// Where the last hop answered, or would have.
    pub url: Url,
    /// The address that the last answer came from; `None` behind a proxy, too.
    pub remote: Option<IpAddr>,
    /// Redirects that were followed, in order.
    pub hops: Vec<Hop>,
    /// What to send from now on; `None`: what was sent so far.
    pub validators: Option<Validators>,
    /// Only with [`FetchOutcome::Modified`].
    pub body: Option<Body>,
    /// SHA-256 of the decoded bytes of a 200, also where they were known; none of a part (226).
    pub body_hash: Option<[u8; 32]>,
    /// What the response says about itself, whatever its status.
    pub freshness: Freshness,
    /// Of the body, as it came over the wire.
    pub wire_bytes: u64,
    /// Of the body, decoded.
    pub body_bytes: u64,
}

/// A document.
#[derive(Debug)]
pub struct Body {
    /// Decoded.
    pub bytes: Vec<u8>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
}

impl Response {
    /// A response that never came.
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
            freshness: Freshness::default(),
            wire_bytes: 0,
            body_bytes: 0,
        }
    }
}

/// Follows redirects to an answer, and reads it.
pub(crate) async fn run(client: &Client, guard: &Guard, request: &Request<'_>) -> Response {
    let headers = request::headers(request.settings, request.validators);
    let mut response =
        Response::failed(request.url.clone(), Failure::new(FailureKind::BadUrl, "never asked"));
    let mut seen = HashSet::from([request.url.clone()]);
    loop {
        let mut headers = headers.clone();
        // RFC 9110 15.4: what was meant for one origin is nobody else's business.
        if response.url.origin() == request.url.origin() {
            headers.extend(request::own_headers(request.settings));
        }
        match hop(client, guard, &response.url, headers).await {
            Err(failure) => {
                response.outcome = FetchOutcome::Failed(failure);
                return response;
            }
            Ok(answer) => {
                response.status = Some(answer.status().as_u16());
                let direct = request.settings.proxy.is_none();
                response.remote = answer.remote_addr().filter(|_| direct).map(|at| at.ip());
                response.freshness = freshness(answer.headers(), request.now);
                let next = match location(&answer, &response.url, request.settings) {
                    None => return read(answer, request, response).await,
                    Some(next) => next,
                };
                let next = next.and_then(|next| {
                    follow(&mut response, &mut seen, next, answer.status(), request.settings)
                });
                if let Err(failure) = next {
                    response.outcome = FetchOutcome::Failed(failure);
                    return response;
                }
            }
        }
    }
}

/// One request. The URL is judged here, since a literal address never asks the resolver.
///
/// The conditions go along to every hop: they were received from the last one, and RFC 9110 13.2.1
/// has servers ignore them on an answer that is neither 2xx nor the resource's own.
async fn hop(
    client: &Client,
    guard: &Guard,
    url: &Url,
    headers: HeaderMap,
) -> Result<reqwest::Response, Failure> {
    guard.check_url(url)?;
    client.get(url.clone()).headers(headers).send().await.map_err(|error| classify::failure(&error))
}

/// Where a redirect leads; `None`: it is none.
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
    // RFC 9110 10.2.2: a reference relative to the URL that was asked.
    let target = std::str::from_utf8(location.as_bytes()).ok().and_then(|l| from.join(l).ok());
    Some(target.map_or_else(
        || {
            Err(Failure::new(
                FailureKind::BadUrl,
                "the server redirects to something that is no address: open it in a browser, and write where it ends into url",
            ))
        },
        |mut target| {
            target.set_fragment(None);
            Ok(target)
        },
    ))
}

/// Takes the hop, unless it is one too many or a step down.
fn follow(
    response: &mut Response,
    seen: &mut HashSet<Url>,
    next: Url,
    status: StatusCode,
    settings: &Settings,
) -> Result<(), Failure> {
    if response.url.scheme() == "https" && next.scheme() == "http" {
        let message = "the server redirects from https to http, which anybody on the way could have done: write the https address of the feed into url";
        return Err(Failure::new(FailureKind::InsecureRedirect, message));
    }
    if response.hops.len() >= settings.max_redirects {
        let message = format!(
            "more than {} redirects: raise max_redirects if they lead somewhere",
            settings.max_redirects
        );
        return Err(Failure::new(FailureKind::TooManyRedirects, message));
    }
    if !seen.insert(next.clone()) {
        let message = "the server redirects in a circle: open the address in a browser, and write the one where it ends into url";
        return Err(Failure::new(FailureKind::TooManyRedirects, message));
    }
    response.hops.push(Hop { status: status.as_u16(), location: next.to_string() });
    response.url = next;
    Ok(())
}

/// The answer by its status.
async fn read(
    answer: reqwest::Response,
    request: &Request<'_>,
    mut response: Response,
) -> Response {
    let conditional = !request.validators.is_empty();
    match answer.status().as_u16() {
        200 => return document(answer, request, response).await,
        // RFC 3229 10.4.1: only what is new since; what is absent means nothing.
        226 if conditional && is_feed_delta(answer.headers()) => {
            let mut response = document(answer, request, response).await;
            response.body_hash = None;
            return response;
        }
        304 if conditional => {
            response.validators = Some(refreshed(request.validators, answer.headers()));
            response.outcome = FetchOutcome::NotModified;
        }
        304 => {
            let message = "the server says that nothing changed to a request that was not conditional: tell the site owner";
            response.outcome =
                FetchOutcome::Failed(Failure::new(FailureKind::BadResponse, message));
        }
        // RFC 9110 15.3.5, 15.3.6: there is nothing to show, so nothing changes.
        204 | 205 => response.outcome = FetchOutcome::NotModified,
        410 => response.outcome = FetchOutcome::Gone,
        // RFC 6585 4
        429 => response.outcome = FetchOutcome::Throttled,
        503 if response.freshness.retry_after.is_some() => {
            response.outcome = FetchOutcome::Throttled;
        }
        status => response.outcome = FetchOutcome::Failed(refused(status, answer.headers())),
    }
    response
}

fn is_feed_delta(headers: &HeaderMap) -> bool {
    let manipulations = headers.get_all("im").iter().filter_map(|value| value.to_str().ok());
    let mut names = manipulations.flat_map(|value| value.split(','));
    names.any(|name| name.trim().eq_ignore_ascii_case("feed"))
}

/// A 200: both validators are replaced, be it by nothing, for they are a pair. RFC 9110 8.8.
async fn document(
    answer: reqwest::Response,
    request: &Request<'_>,
    mut response: Response,
) -> Response {
    let validators = received(answer.headers());
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    match body::read(answer, request.settings.max_body).await {
        Err(failure) => response.outcome = FetchOutcome::Failed(failure),
        Ok(whole) => {
            response.wire_bytes = whole.wire;
            response.body_bytes = whole.bytes.len() as u64;
            response.validators = Some(validators);
            response.body_hash = Some(whole.hash);
            if request.known_body == Some(whole.hash) {
                response.outcome = FetchOutcome::NotModified;
            } else {
                response.outcome = FetchOutcome::Modified;
                response.body = Some(Body { bytes: whole.bytes, content_type });
            }
        }
    }
    response
}

fn received(headers: &HeaderMap) -> Validators {
    let bytes = |name| headers.get(name).map(|value| value.as_bytes().to_vec());
    Validators { etag: bytes(header::ETAG), last_modified: bytes(header::LAST_MODIFIED) }
}

/// RFC 9111 3.2, 4.3.4: a 304 updates what it names and leaves the rest.
fn refreshed(sent: &Validators, headers: &HeaderMap) -> Validators {
    let now = received(headers);
    Validators {
        etag: now.etag.or_else(|| sent.etag.clone()),
        last_modified: now.last_modified.or_else(|| sent.last_modified.clone()),
    }
}

/// A status that is no feed.
fn refused(status: u16, headers: &HeaderMap) -> Failure {
    let challenge = headers.get("cf-mitigated").is_some_and(|value| value == "challenge");
    let (kind, meaning) = match status {
        _ if challenge => (
            FailureKind::Forbidden,
            "an anti-bot challenge stands before the feed: ask the publisher to let feed readers through",
        ),
        401 => (
            FailureKind::Unauthorized,
            "the feed asks for a login: set authorization in its [[feed]]",
        ),
        402 | 403 | 451 => (
            FailureKind::Forbidden,
            "the server refuses: it may not like this user agent or network: set contact, and ask to be let through",
        ),
        404 => (
            FailureKind::NotFound,
            "there is no feed at this address: it may have moved, look on the site for its new one",
        ),
        500..=599 => {
            (FailureKind::ServerError, "the server has a fault of its own: it is asked again later")
        }
        _ => (
            FailureKind::ClientError,
            "the server answers with something that is no feed: check its address",
        ),
    };
    Failure::new(kind, format!("{meaning} (HTTP {status})"))
}
