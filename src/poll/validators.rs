//! Validators and body hash kept between polls, and the check whether `304 Not Modified` is reliable.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::fetch;
use crate::model::{FetchOutcome, Validators};
use crate::store::{CachedResponse, FeedState, NotModifiedTrust};

/// Time after which the document is requested without validators. Some servers return 304 forever.
const CHECK_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);
/// The same for servers that have returned a wrong 304.
const UNRELIABLE_CHECK_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The cached response, if it belongs to this URL and these request headers.
pub(super) fn usable(state: &FeedState, asked: &Url, settings: &fetch::Settings) -> CachedResponse {
    let request_key = key(asked, settings);
    if state.response.request_key == request_key {
        state.response.clone()
    } else {
        CachedResponse { request_key, ..CachedResponse::default() }
    }
}

/// RFC 9110 8.8.3: a validator belongs to one representation of one resource.
pub(super) fn key(asked: &Url, settings: &fetch::Settings) -> String {
    format!("{asked} {}", fetch::request_shape(settings))
}

/// Whether this request is sent without validators, to check the server.
pub(super) fn is_checked(trust: NotModifiedTrust, now: Timestamp) -> bool {
    let interval = if trust.unreliable { UNRELIABLE_CHECK_AFTER } else { CHECK_AFTER };
    trust.last_full_at.is_some_and(|at| now.duration_since(at) >= interval)
}

/// The validators to send; none if the server is checked.
pub(super) fn conditions(
    memory: &CachedResponse,
    trust: NotModifiedTrust,
    now: Timestamp,
) -> Validators {
    if is_checked(trust, now) { Validators::default() } else { memory.validators.clone() }
}

/// Reliability of the server's 304 responses after this poll; `None` if unchanged.
pub(super) fn trust(
    before: NotModifiedTrust,
    memory: &CachedResponse,
    response: &fetch::Response,
    now: Timestamp,
) -> Option<NotModifiedTrust> {
    if response.status != Some(200) || !response.outcome.is_success() {
        return None;
    }
    // The server returned 304 before, but the document has changed.
    let caught = is_checked(before, now)
        && !memory.validators.is_empty()
        && memory.body_hash.is_some()
        && response.outcome == FetchOutcome::Modified;
    Some(NotModifiedTrust { last_full_at: Some(now), unreliable: before.unreliable || caught })
}

/// The cached response after this poll; `None` if unchanged.
///
/// A failure changes nothing. With the validators of an unreadable document, its items would stay
/// hidden. `request_key` is that of the next request, so that the response is kept over a permanent
/// redirect.
pub(super) fn remembered(
    memory: CachedResponse,
    response: &fetch::Response,
    request_key: String,
) -> Option<CachedResponse> {
    let answered = Some(response.url.to_string());
    let now = if response.status == Some(304) && memory.url != answered {
        // 304 from a URL that never sent the document: the next request has no validators.
        CachedResponse {
            request_key,
            url: answered,
            validators: Validators::default(),
            ..memory.clone()
        }
    } else if response.outcome.is_success() {
        let validators = response.validators.clone().unwrap_or_else(|| memory.validators.clone());
        let body_hash = response.body_hash.or(memory.body_hash);
        CachedResponse { request_key, validators, body_hash, url: answered }
    } else {
        // RFC 9110 15.5.13: the server rejects the conditions; the next request has none.
        let validators = match response.status {
            Some(412) => Validators::default(),
            _ => memory.validators.clone(),
        };
        CachedResponse { request_key, validators, ..memory.clone() }
    };
    (now != memory).then_some(now)
}
