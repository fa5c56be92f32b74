//! A response of a server: what its headers and its body make of the poll, and the plan of the next one.
//!
//! The first byte chooses the status and whether the request was conditional. Lines of headers follow, then an empty line,
//! then the body.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use newswire::fetch::{Fetcher, Request, Response, Settings, Step, SystemResolver, Wanted};
use newswire::model::{FeedId, FetchOutcome, Freshness, Hints, Validators};
use newswire::schedule;
use tokio::runtime::{Builder, Runtime};
use url::Url;

const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);
const STATUSES: [u16; 16] =
    [200, 203, 202, 204, 226, 301, 302, 304, 308, 401, 403, 404, 410, 429, 500, 503];
const MAX_BODY: u64 = 256 * 1024;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// As in `fetch`: no time that a header gives is longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime can be made"));
static FETCHER: LazyLock<Fetcher> = LazyLock::new(|| {
    Fetcher::new(Arc::new(SystemResolver::new())).expect("a client can be made")
});

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let (headers, body) = split(rest);
    let status = STATUSES[usize::from(*first) % STATUSES.len()];
    let url = Url::parse("https://example.org/feeds/all.xml").expect("a constant is a URL");
    let settings = Settings { max_body: MAX_BODY, ..Settings::default() };
    let known = Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None };
    let conditional = first & 16 > 0;
    let validators = if conditional { known } else { Validators::default() };
    let request = Request {
        url: &url,
        wanted: Wanted::Feed,
        validators: &validators,
        validators_from: None,
        known_body: None,
        known_lifetime: conditional.then_some(Duration::from_secs(3600)),
        settings: &settings,
        now: NOW,
    };
    let mut answer = http::Response::new(body.to_vec());
    *answer.status_mut() = http::StatusCode::from_u16(status).expect("a constant is a status");
    *answer.headers_mut() = headers.clone();
    let mut exchange = FETCHER.exchange(request).expect("the settings make a client");
    match RUNTIME.block_on(exchange.answer(answer)) {
        Err(failure) => planned(&FetchOutcome::Failed(failure), Freshness::default()),
        Ok(Step::Redirected { freshness }) => {
            assert!(exchange.url().scheme() != "http" && exchange.url().fragment().is_none());
            in_range(freshness);
        }
        Ok(Step::Done(response)) => {
            in_range(response.freshness);
            consistent(&response, &headers, status);
            planned(&response.outcome, response.freshness);
        }
    }
});

/// The headers up to the first empty line, and the rest.
fn split(data: &[u8]) -> (HeaderMap, &[u8]) {
    let (mut headers, mut rest) = (HeaderMap::new(), data);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        // A map of headers holds some ten thousand.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

fn in_range(freshness: Freshness) {
    let positive = |time: SignedDuration| assert!(time > SignedDuration::ZERO, "{freshness:?}");
    // A date may be as late as the year 9999.
    freshness.remaining.into_iter().for_each(positive);
    freshness.retry_after.into_iter().for_each(positive);
    freshness.host_pause.into_iter().for_each(positive);
    assert!(freshness.host_pause.is_none_or(|pause| pause <= DAY * 7), "{freshness:?}");
    let longest = LONGEST.unsigned_abs();
    assert!(freshness.lifetime.is_none_or(|lifetime| lifetime <= longest), "{freshness:?}");
}

fn consistent(response: &Response, headers: &HeaderMap, status: u16) {
    assert_eq!(response.status, Some(status));
    let modified = matches!(response.outcome, FetchOutcome::Modified);
    assert!(!modified || response.body.is_some());
    let size = response.body.as_ref().map_or(0, |body| body.bytes.len() as u64);
    assert!(size <= MAX_BODY, "{size} bytes");
    // RFC 9110 8.8.3: what is sent back is what was received, byte for byte.
    if let (true, Some(kept)) = (modified && status != 304, &response.validators) {
        let sent = |name| headers.get(name).map(|value: &HeaderValue| value.as_bytes().to_vec());
        assert_eq!((&kept.etag, &kept.last_modified), (&sent(ETAG), &sent(LAST_MODIFIED)));
    }
}

/// The next poll is not earlier than the interval, and never postponed for longer than a week.
fn planned(outcome: &FetchOutcome, freshness: Freshness) {
    let settings = schedule::Settings::default();
    let feed = FeedId::new("a").expect("a constant is an id");
    let plan = schedule::plan(&schedule::Inputs {
        settings: &settings,
        feed: &feed,
        outcome,
        failures: 2,
        freshness,
        hints: &Hints::default(),
        learned: None,
        unconditional: None,
        promise: None,
        now: NOW,
    });
    let wait = plan.at.duration_since(NOW);
    assert!(wait >= SignedDuration::from_hours(1), "{plan:?}");
    assert!(wait <= DAY * 7 + SignedDuration::from_mins(30), "{plan:?}");
    if let Some(asked) = freshness.retry_after {
        assert!(wait >= asked.min(DAY * 7), "{plan:?}");
    }
}
