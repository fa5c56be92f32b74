//! The endpoints for supervisors and monitors: `/healthz`, `/readyz` and the values of `/metrics`.

use std::time::Duration;

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::health::{Health, judge, tally};
use crate::model::{FeedStatus, SubscriberCount};
use crate::outputs::{Served, ServedOutput};
use crate::store::Reader;
use crate::telemetry::{
    Exposition, FeedSample, OutputSample, Part, Problem, Readiness, Sample, StoreSample,
};

use super::response::{TEXT, line, uncached};
use super::settings::MetricsPage;
use super::site::Error;

/// Time without a heartbeat after which a part counts as stalled.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// 200, as long as the process answers.
pub(super) fn alive() -> Response {
    line(StatusCode::OK, "ok\n")
}

/// A reason why newswire is not ready.
struct Reason {
    /// Slug of the problem, or the part with `_stalled`.
    code: String,
    /// What is wrong, without a full stop.
    text: String,
    /// What to do, a sentence.
    remedy: &'static str,
}

impl From<Problem> for Reason {
    fn from(problem: Problem) -> Self {
        let (code, text) = (problem.slug().to_owned(), problem.text().to_owned());
        Self { code, text, remedy: problem.remedy() }
    }
}

impl Reason {
    fn json(&self) -> Value {
        json!({ "code": self.code, "text": self.text, "remedy": self.remedy })
    }
}

/// Problems with which newswire works.
fn warnings(readiness: &Readiness) -> Vec<Reason> {
    let problems = readiness.problems().into_iter();
    problems.filter(|problem| !problem.degrades()).map(Reason::from).collect()
}

fn reasons(readiness: &Readiness, now: Duration) -> Vec<Reason> {
    let problems = readiness.problems().into_iter().filter(|problem| problem.degrades());
    let problems = problems.map(Reason::from);
    let stalled = Part::ALL.iter().filter_map(|part| {
        let age = now.saturating_sub(readiness.last_heartbeat(*part)?);
        (age > STALLED_AFTER).then(|| Reason {
            code: format!("{}_stalled", part.slug()),
            text: format!("the {} has had no heartbeat for {} s", part.slug(), age.as_secs()),
            remedy: "See the log, and restart newswire.",
        })
    });
    problems.chain(stalled).collect()
}

/// `ready`, or one code per line; then one line per warning.
#[must_use]
pub fn readiness_lines(readiness: &Readiness, now: Duration) -> String {
    lines(&reasons(readiness, now), readiness)
}

fn lines(reasons: &[Reason], readiness: &Readiness) -> String {
    let mut text: String = match reasons.is_empty() {
        true => "ready\n".to_owned(),
        false => reasons.iter().map(|reason| format!("{}\n", reason.code)).collect(),
    };
    text.extend(warnings(readiness).iter().map(|reason| format!("warning: {}\n", reason.code)));
    text
}

/// These lines with the status 200 or 503.
pub(super) fn ready(readiness: &Readiness, now: Duration, headers: &HeaderMap) -> Response {
    let reasons = reasons(readiness, now);
    uncached(status(&reasons), TEXT, &lines(&reasons, readiness), headers)
}

/// The same with all details, as JSON.
pub(super) fn ready_verbose(readiness: &Readiness, now: Duration, headers: &HeaderMap) -> Response {
    let reasons = reasons(readiness, now);
    let problems = reasons.iter().map(Reason::json);
    let warnings = warnings(readiness);
    let parts = Part::ALL.iter().filter_map(|part| {
        let age = now.saturating_sub(readiness.last_heartbeat(*part)?);
        Some((part.slug().to_owned(), json!({ "heartbeat_age_seconds": age.as_secs_f64() })))
    });
    let answer = json!({
        "ready": reasons.is_empty(),
        "problems": problems.collect::<Vec<_>>(),
        "warnings": warnings.iter().map(Reason::json).collect::<Vec<_>>(),
        "parts": parts.collect::<serde_json::Map<String, Value>>(),
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": now.as_secs(),
    });
    uncached(status(&reasons), "application/json", &format!("{answer:#}\n"), headers)
}

fn status(reasons: &[Reason]) -> StatusCode {
    if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Number of days whose subscribers are shown.
const DAYS: i64 = 14;

/// The first day whose subscribers are shown.
pub(super) fn subscribers_from(now: Timestamp) -> i64 {
    now.as_second().div_euclid(86_400) - DAYS
}

/// Stored numbers of subscribers with those that are counted now.
pub(super) fn with_today(
    mut stored: Vec<SubscriberCount>,
    counted: Vec<SubscriberCount>,
) -> Vec<SubscriberCount> {
    for new in counted {
        let same = |old: &&mut SubscriberCount| (&old.output, old.day) == (&new.output, new.day);
        match stored.iter_mut().find(same) {
            Some(old) => {
                old.clients = old.clients.max(new.clients);
                old.reported = old.reported.max(new.reported);
            }
            None => stored.push(new),
        }
    }
    stored.sort_by(|a, b| (&a.output, a.day).cmp(&(&b.output, b.day)));
    stored
}

/// The numbers of the last whole day, or else those of today.
pub(super) fn last_whole<'c>(
    counts: impl Iterator<Item = &'c SubscriberCount>,
    now: Timestamp,
) -> Option<&'c SubscriberCount> {
    let today = now.as_second().div_euclid(86_400);
    counts.max_by_key(|count| if count.day < today { count.day } else { i64::MIN })
}

/// The gauges of `/metrics`. Blocks. If the database fails, its values are missing.
pub(super) fn sample(
    (reader, readiness): (&Reader, &Readiness),
    served: &Served,
    page: MetricsPage,
    (now, today): (Timestamp, Vec<SubscriberCount>),
) -> Result<Sample, Error> {
    let statuses = reader.read(|reader| reader.feed_statuses());
    let stored = reader.read(|reader| reader.subscriber_counts(subscribers_from(now)));
    let subscribers = with_today(stored.unwrap_or_default(), today);
    let states = match &statuses {
        Ok(statuses) => {
            let healths: Vec<Health> = statuses.iter().map(|feed| judge(feed, now)).collect();
            tally(&healths).into_iter().map(|(state, count)| (state.slug(), count)).collect()
        }
        Err(_) => Vec::new(),
    };
    let statuses = statuses.unwrap_or_default();
    let feed = |status: &FeedStatus| FeedSample {
        id: status.info.id.to_string(),
        last_success: status.last_success_at,
        failures: status.failures,
    };
    let feeds = match page {
        MetricsPage::Feeds => statuses.iter().map(feed).collect(),
        MetricsPage::On | MetricsPage::Off => Vec::new(),
    };
    let output = |output: &ServedOutput| {
        let counts = subscribers.iter().filter(|count| count.output == output.id);
        OutputSample {
            id: output.id.clone(),
            items: output.items,
            subscribers: last_whole(counts, now).map(|count| (count.clients, count.reported)),
        }
    };
    let outputs = served.outputs().iter().map(|served| output(served)).collect();
    let store = reader.sizes().ok().map(|sizes| StoreSample {
        size_bytes: sizes.database,
        wal_size_bytes: sizes.log,
        filesystem_free_bytes: sizes.free,
    });
    let problems = readiness.problems();
    Ok(Sample { now, states, feeds, outputs, store, problems })
}

/// The text format for a scrape: OpenMetrics if the client accepts it, as Prometheus does.
pub(super) fn exposition(headers: &HeaderMap) -> Exposition {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut members = lines.flat_map(|line| line.split(','));
    let accepts_openmetrics = |member: &str| {
        let mut parts = member.split(';').map(str::trim);
        let named =
            parts.next().is_some_and(|n| n.eq_ignore_ascii_case("application/openmetrics-text"));
        let is_refusal = |part: &str| {
            matches!(part.split_once('='), Some((name, value)) if
            name.eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0))
        };
        named && !parts.any(is_refusal)
    };
    if members.any(accepts_openmetrics) { Exposition::OpenMetrics } else { Exposition::Prometheus }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn openmetrics_is_for_clients_that_accept_it() {
        let chosen = |accept: &'static str| {
            exposition(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
        };
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                          text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(chosen(prometheus), Exposition::OpenMetrics);
        assert_eq!(chosen("text/html, Application/OpenMetrics-Text"), Exposition::OpenMetrics);
        for accept in ["", "*/*", "text/plain", "application/openmetrics-text; Q=0"] {
            assert_eq!(chosen(accept), Exposition::Prometheus, "{accept}");
        }
        assert_eq!(exposition(&HeaderMap::new()), Exposition::Prometheus);
    }
}
