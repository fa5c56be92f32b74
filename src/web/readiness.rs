//! Whether newswire lives, and whether it is of use: for supervisors and monitors.
//!
//! Asks nobody and waits for nothing: the rooms have told before.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::telemetry::{Part, Vitals};

use super::answer::{fresh, line};

/// A part that has not turned for so long is stuck.
const STALLED: Duration = Duration::from_secs(60);

/// The process answers: that is all there is to say.
pub(super) fn alive() -> Response {
    line(StatusCode::OK, "ok\n")
}

/// The slug of what keeps newswire from being ready, and what that means.
type Reason = (String, String);

fn reasons(vitals: &Vitals, now: Duration) -> Vec<Reason> {
    let troubles = vitals.troubles().into_iter();
    let troubles = troubles.map(|t| (t.slug().to_owned(), t.remedy().to_owned()));
    let stalled = Part::ALL.iter().filter_map(|part| {
        let since = now.saturating_sub(vitals.last_tick(*part)?);
        (since > STALLED).then(|| {
            let text = format!("the {} has not turned for {} s", part.slug(), since.as_secs());
            (format!("{}_stalled", part.slug()), text)
        })
    });
    troubles.chain(stalled).collect()
}

/// 200 and `ready`, or 503 and a slug a line.
pub(super) fn ready(vitals: &Vitals, now: Duration, headers: &HeaderMap) -> Response {
    let reasons = reasons(vitals, now);
    let text = match reasons.is_empty() {
        true => "ready\n".to_owned(),
        false => reasons.iter().map(|(slug, _)| format!("{slug}\n")).collect(),
    };
    fresh(status(&reasons), "text/plain; charset=utf-8", &text, headers)
}

/// The same with all that is known of it, as JSON.
pub(super) fn verbose(vitals: &Vitals, now: Duration, headers: &HeaderMap) -> Response {
    let reasons = reasons(vitals, now);
    let told: Vec<Value> =
        reasons.iter().map(|(slug, text)| json!({ "reason": slug, "text": text })).collect();
    let parts: serde_json::Map<String, Value> = Part::ALL
        .iter()
        .filter_map(|part| {
            let since = now.saturating_sub(vitals.last_tick(*part)?);
            Some((part.slug().to_owned(), json!({ "ticked_seconds_ago": since.as_secs_f64() })))
        })
        .collect();
    let answer = json!({
        "ready": reasons.is_empty(),
        "reasons": told,
        "parts": parts,
        "version": env!("CARGO_PKG_VERSION"),
        "up_seconds": now.as_secs(),
    });
    fresh(status(&reasons), "application/json", &format!("{answer:#}\n"), headers)
}

fn status(reasons: &[Reason]) -> StatusCode {
    if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
