//! The end of a poll as a line of text, for the commands that poll.

use jiff::Timestamp;

use super::end::{Held, PollEnd};
use super::gate::{Denial, Denied};
use crate::model::{Coded as _, FeedId, FetchOutcome};
use crate::store::PollCounts;
use crate::text::amounts::{ago, ahead};

/// The result of one feed.
#[must_use]
pub fn result_line(id: &FeedId, end: &PollEnd, now: Timestamp) -> String {
    let polled = match end {
        PollEnd::Polled(polled) => polled,
        PollEnd::Held(Held { denied, .. }) => {
            return format!("{id}: held: {}; --force polls it", denial_line(denied, now));
        }
    };
    let document = polled.document_at.map_or_else(String::new, |at| {
        format!(", from the document that was requested {}", ago(at, now))
    });
    match &polled.outcome {
        FetchOutcome::Failed(failure) => {
            let help = failure.help.as_deref();
            let help = help.map_or_else(String::new, |help| format!("; {help}"));
            format!("{id}: failed ({}): {failure}{help}", failure.code())
        }
        FetchOutcome::Throttled | FetchOutcome::Gone => {
            format!("{id}: {}, {}", polled.outcome.slug(), polled.plan.reason.text)
        }
        FetchOutcome::NotModified => format!("{id}: not modified{document}"),
        FetchOutcome::Modified => {
            let PollCounts { new, changed, filtered, .. } = polled.recorded;
            let filtered = match filtered {
                0 => String::new(),
                filtered => format!(", {filtered} filtered"),
            };
            format!("{id}: {new} new, {changed} changed{filtered}{document}")
        }
    }
}

/// Until when a URL is not requested, and why.
#[must_use]
pub fn denial_line(denied: &Denied, now: Timestamp) -> String {
    let (until, url) = (denied.until.strftime("%Y-%m-%d %H:%M:%SZ"), &denied.url);
    let why = match &denied.reason {
        Denial::Demand(promise) => format!("{} of {}", promise.reason, promise.response_url),
        Denial::Recent { at, .. } => format!("requested {}", ago(*at, now)),
    };
    format!("{url} is not requested before {until}, {}: {why}", ahead(denied.until, now))
}
