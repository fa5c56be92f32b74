//! What is remembered of a representation between two polls, and what a server's word is worth.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::fetch;
use crate::model::{FetchOutcome, Validators};
use crate::store::{CachedResponse, FeedState, NotModifiedTrust};

/// A server that says "not modified" for so long is asked for the whole once: some say it for ever.
const TRUST: SignedDuration = SignedDuration::from_hours(8 * 24);
/// One that was caught at it is asked once a day, which is as much as a site owner should bear.
const DISTRUST: SignedDuration = SignedDuration::from_hours(24);

/// What is remembered, if it was learnt at this address with this request shape.
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

/// Whether the conditions are left out this time, to see whether the server's word holds.
pub(super) fn is_checked(trust: NotModifiedTrust, now: Timestamp) -> bool {
    let patience = if trust.unreliable { DISTRUST } else { TRUST };
    trust.last_full_at.is_some_and(|at| now.duration_since(at) >= patience)
}

/// What to send: both validators, or nothing where the server's word is put to the test.
pub(super) fn conditions(
    memory: &CachedResponse,
    trust: NotModifiedTrust,
    now: Timestamp,
) -> Validators {
    if is_checked(trust, now) { Validators::default() } else { memory.validators.clone() }
}

/// What the server's word is worth after this poll; `None`: as before.
pub(super) fn trust(
    before: NotModifiedTrust,
    memory: &CachedResponse,
    response: &fetch::Response,
    now: Timestamp,
) -> Option<NotModifiedTrust> {
    if response.status != Some(200) || !response.outcome.is_success() {
        return None;
    }
    // It had said "not modified", and yet the document is another one.
    let caught = is_checked(before, now)
        && !memory.validators.is_empty()
        && memory.body_hash.is_some()
        && response.outcome == FetchOutcome::Modified;
    Some(NotModifiedTrust { last_full_at: Some(now), unreliable: before.unreliable || caught })
}

/// What to remember from now on; `None`: no change.
///
/// An error teaches nothing, and neither does a document that could not be read: its validators
/// would hide the items in it for ever. `request_key` is that of the address from now on: who
/// redirects for good hands on what was learnt through him.
pub(super) fn remembered(
    memory: CachedResponse,
    response: &fetch::Response,
    request_key: String,
) -> Option<CachedResponse> {
    let answered = Some(response.url.to_string());
    let now = if response.status == Some(304) && memory.url != answered {
        // Said by a server that never sent the document: the next request asks for the whole.
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
        // RFC 9110 15.5.13: the server chokes on the conditions; the next request has none.
        let validators = match response.status {
            Some(412) => Validators::default(),
            _ => memory.validators.clone(),
        };
        CachedResponse { request_key, validators, ..memory.clone() }
    };
    (now != memory).then_some(now)
}
