//! Interprets the final response of an exchange by its status.

use reqwest::header::{self, HeaderMap};

use super::budget::Reservation;
use super::exchange::{Body, OPEN_IN_BROWSER, Request, Response};
use super::freshness::{document_age, renewed};
use super::settings::Settings;
use super::{body, classify};
use crate::model::{Failure, FailureKind, FetchOutcome, Validators};
use crate::text::file_kind;

/// Reads the final response.
pub(super) async fn read(
    answer: reqwest::Response,
    request: &Request<'_>,
    mut response: Response,
    memory: Reservation,
) -> Response {
    let conditional = !request.validators.is_empty();
    let status = answer.status().as_u16();
    if is_challenge(answer.headers()) {
        response.outcome = FetchOutcome::Failed(challenged(status));
        return response;
    }
    match status {
        // Some bot protections answer 202 with a page for browsers.
        202 => {
            let mut read = document(answer, request, response, memory).await;
            if read.body.as_ref().is_some_and(|body| file_kind::is_challenge(&body.bytes)) {
                let outcome = FetchOutcome::Failed(challenged(status));
                read = Response { outcome, body: None, body_hash: None, validators: None, ..read };
            }
            return read;
        }
        // RFC 9110 15.3.7: a part, which was not requested.
        206 => response.outcome = FetchOutcome::Failed(part(status)),
        // RFC 3229 10.4.1: only the new items; absent items are not removed ones.
        226 if conditional && is_feed_delta(answer.headers(), request.validators) => {
            let mut response = document(answer, request, response, memory).await;
            response.body_hash = None;
            return response;
        }
        226 => response.outcome = FetchOutcome::Failed(part(status)),
        // RFC 9110 15: an unknown 2xx is a 200. A response without content, as 204 and 205, is an empty document.
        200..=299 => return document(answer, request, response, memory).await,
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
        410 => response.outcome = FetchOutcome::Gone,
        // RFC 6585 4
        429 => response.outcome = FetchOutcome::Throttled,
        503 if response.freshness.retry_after.is_some() => {
            response.outcome = FetchOutcome::Throttled;
        }
        _ => response.outcome = FetchOutcome::Failed(rejected(status, request.settings)),
    }
    response
}

/// Whether a 226 contains the items that are new since the document with these validators.
fn is_feed_delta(headers: &HeaderMap, sent: &Validators) -> bool {
    let manipulations = headers.get_all("im").iter().filter_map(|value| value.to_str().ok());
    let mut names = manipulations.flat_map(|value| value.split(','));
    let is_feed = names.any(|name| name.trim().eq_ignore_ascii_case("feed"));
    // RFC 3229 10.5.1: the entity tag of the document that the part belongs to.
    let base = headers.get("delta-base").map(|value| opaque(value.as_bytes()));
    is_feed && base.is_none_or(|base| sent.etag.as_deref().map(opaque) == Some(base))
}

/// Failure for a part of a document that cannot be used.
fn part(status: u16) -> Failure {
    let message = format!("the server sent an unrequested part of the document (HTTP {status})");
    Failure::new(FailureKind::BadResponse, message).help("report it to the site owner")
}

/// Reads a response with a document. Both validators are replaced together, even by nothing (RFC 9110 8.8).
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
    let values = answer.headers().get_all(header::LINK).iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let links = Some(values.join(", ")).filter(|values| !values.is_empty());
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
            response.body = Some(Body { bytes, content_type, links, memory, surplus });
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
                response.body = Some(Body { bytes, content_type, links, memory, surplus });
            }
        }
    }
    response
}

/// The validators of a response, as far as they can be sent back.
fn received(headers: &HeaderMap) -> Validators {
    let bytes = |name| headers.get(name).map(|value| value.as_bytes().to_vec());
    Validators { etag: bytes(header::ETAG), last_modified: bytes(header::LAST_MODIFIED) }.usable()
}

/// RFC 9111 4.3.4: only a 304 with the entity tag of the stored document updates what is stored. Another entity tag
/// belongs to a document that was never received: with it, that document would stay hidden behind a 304.
fn refreshed(sent: &Validators, headers: &HeaderMap) -> Validators {
    let now = received(headers);
    let (named, stored) = (now.etag.as_deref().map(opaque), sent.etag.as_deref().map(opaque));
    match now.last_modified.clone() {
        date @ Some(_) if named.is_some() && named == stored => {
            Validators { etag: sent.etag.clone(), last_modified: date }
        }
        _ => sent.clone(),
    }
}

/// An entity tag without the mark of a weak one, for the weak comparison (RFC 9110 8.8.3.2).
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
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
        300..=399 => (
            FailureKind::ClientError,
            "the server redirects without a target that is followed",
            OPEN_IN_BROWSER,
        ),
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
        // RFC 9110 15: a status that is not valid counts as a 5xx.
        500.. => {
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
