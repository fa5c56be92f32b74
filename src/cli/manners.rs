//! `newswire manners`: how this installation treats the servers that it polls, by the ids of the Feed Reader Behavior
//! project, as far as the ledger and the log of polls show it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;

use crate::model::{PromiseReason, site};
use crate::store::{Manners, RequestTally};
use crate::text::amounts::{bytes, count, span};

/// Number of sites that are listed.
const LISTED: usize = 10;
/// Time over which traffic is added up.
pub(super) const TRAFFIC: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Least time between two requests for one URL.
const URL_GAP: Duration = Duration::from_secs(5 * 60);
/// Least time between two requests to one site.
const HOST_GAP: Duration = Duration::from_millis(1_900);
/// Least time between two requests without validators for one URL whose server sends some.
const FULL_GAP: Duration = Duration::from_secs(24 * 3600);
/// Timestamps have milliseconds: an earlier request by less than this is on time.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// The score of one id.
#[derive(Debug)]
struct Score {
    id: &'static str,
    what: &'static str,
    /// What was measured, as text.
    measured: String,
    /// `None`: nothing was measured.
    kept: Option<bool>,
}

/// Traffic and requests of one site.
#[derive(Debug, Default)]
struct Host {
    requests: RequestTally,
    polls: u64,
    wire_bytes: u64,
}

/// The result of `newswire manners`.
#[derive(Debug)]
pub(super) struct MannersReport {
    scores: Vec<Score>,
    urls: RequestTally,
    /// Sites with the most bytes, the largest first; then all others.
    hosts: Vec<(String, Host)>,
    manners: Manners,
}

impl MannersReport {
    pub(super) fn new(manners: Manners) -> Self {
        let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
        for (name, requests) in &manners.hosts {
            hosts.entry(name.clone()).or_default().requests = *requests;
        }
        for feed in &manners.bytes {
            let Ok(url) = Url::parse(&feed.url) else { continue };
            let host = hosts.entry(site(&url).to_owned()).or_default();
            host.polls += feed.polls;
            host.wire_bytes += feed.wire_bytes;
        }
        let mut hosts: Vec<(String, Host)> = hosts.into_iter().collect();
        hosts.sort_by_key(|(_, host)| std::cmp::Reverse(host.wire_bytes));
        Self { scores: scores(&manners), urls: manners.urls, hosts, manners }
    }

    /// Tables of the scores and of the sites with the most bytes.
    pub(super) fn text(&self) -> String {
        let mut table = table(["ID", "RULE", "MEASURED", "KEPT"]);
        for score in &self.scores {
            let kept = match score.kept {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "no data",
            };
            table.add_row([score.id, score.what, &score.measured, kept]);
        }
        let RequestTally { requests, forced, .. } = self.urls;
        let mut text = format!("{}\n\n", table.trim_fmt());
        let often = self.manners.often_unconditional;
        let _ = writeln!(
            text,
            "{}, {} with validators; {} without validators twice within 24 hours",
            count(requests, "request"),
            share(self.urls),
            count(often, "URL"),
        );
        if forced > 0 {
            let forced = count(forced, "request");
            let _ = writeln!(text, "{forced} with --force, which no rule counts");
        }
        text.push('\n');
        if self.hosts.iter().all(|(_, host)| host.wire_bytes == 0) {
            text.push_str("No responses with a body in 14 days\n");
            return text;
        }
        let mut table = hosts_table();
        for (name, host) in self.hosts.iter().filter(|(_, host)| host.wire_bytes > 0).take(LISTED) {
            table.add_row([
                name.clone(),
                bytes(host.wire_bytes as f64),
                host.polls.to_string(),
                host.requests.requests.to_string(),
                share(host.requests),
                gap(host.requests.shortest),
            ]);
        }
        let _ = writeln!(text, "Sites with the most bytes in 14 days\n\n{}", table.trim_fmt());
        text
    }

    pub(super) fn json(&self) -> Value {
        let score = |score: &Score| json!({ "id": score.id, "rule": score.what, "measured": score.measured, "kept": score.kept });
        let promise = |tally: &crate::store::PromiseTally| {
            json!({
                "reason": tally.reason.slug(),
                "promises": tally.promises,
                "earliest_seconds": tally.earliest.map(|early| early.as_secs_f64()),
            })
        };
        let host = |(name, host): &(String, Host)| {
            let mut value = requests(&host.requests);
            value["host"] = json!(name);
            value["polls"] = json!(host.polls);
            value["wire_bytes"] = json!(host.wire_bytes);
            value
        };
        json!({
            "scores": self.scores.iter().map(score).collect::<Vec<_>>(),
            "promises": self.manners.promises.iter().map(promise).collect::<Vec<_>>(),
            "requests": requests(&self.urls),
            "requests_to_servers_with_validators": requests(&self.manners.with_validators),
            "urls_often_unconditional": self.manners.often_unconditional,
            "hosts": self.hosts.iter().map(host).collect::<Vec<_>>(),
        })
    }
}

fn requests(tally: &RequestTally) -> Value {
    let seconds = |gap: Option<Duration>| gap.map(|gap| gap.as_secs_f64());
    json!({
        "requests": tally.requests,
        "conditional": tally.conditional,
        "forced": tally.forced,
        "shortest_seconds": seconds(tally.shortest),
        "shortest_unconditional_seconds": seconds(tally.full_shortest),
    })
}

fn table<const N: usize>(heading: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heading);
    table
}

fn hosts_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let right = |name| Cell::new(name).set_alignment(CellAlignment::Right);
    let heading = ["BYTES", "POLLS", "REQUESTS", "CONDITIONAL", "SHORTEST GAP"].map(right);
    table.set_header([Cell::new("SITE")].into_iter().chain(heading));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The share of requests with validators, such as `97 %`.
fn share(tally: RequestTally) -> String {
    match tally.requests {
        0 => "none".to_owned(),
        requests => format!("{:.0} %", 100.0 * tally.conditional as f64 / requests as f64),
    }
}

fn gap(gap: Option<Duration>) -> String {
    match gap {
        None => "-".to_owned(),
        Some(gap) if gap.as_secs() < 60 => format!("{:.1} s", gap.as_secs_f64()),
        Some(gap) => span(gap.as_secs()),
    }
}

fn scores(manners: &Manners) -> Vec<Score> {
    let promised = |id, what, reason: PromiseReason| {
        let tally = manners.promises.iter().find(|tally| tally.reason == reason);
        let earliest = tally.and_then(|tally| tally.earliest);
        let number = tally.map_or(0, |tally| tally.promises);
        let measured = match earliest {
            Some(early) => {
                format!("{}; earliest request {}", count(number, "promise"), from_end(early))
            }
            None => format!("{}; no request since", count(number, "promise")),
        };
        Score { id, what, measured, kept: earliest.map(|early| early >= -TOLERANCE) }
    };
    let shortest = |id, what, measured: Option<Duration>, least: Duration| Score {
        id,
        what,
        measured: measured.map_or_else(|| "fewer than two requests".to_owned(), |it| gap(Some(it))),
        kept: measured.map(|measured| measured >= least),
    };
    let conditional = manners.with_validators;
    let hosts = manners.hosts.iter().filter_map(|(_, tally)| tally.shortest).min();
    vec![
        Score {
            id: "FRB004",
            what: "validators are sent back",
            measured: format!("{} of the requests to servers that send some", share(conditional)),
            // The first request for a URL has none.
            kept: conditional.shortest.map(|_| conditional.conditional > 0),
        },
        shortest(
            "FRB012",
            "at most one request without validators in 24 hours",
            conditional.full_shortest,
            FULL_GAP,
        ),
        promised("FRB020", "Retry-After is followed", PromiseReason::RetryAfter),
        promised("FRB021", "a throttled URL is not requested", PromiseReason::Throttled),
        promised("FRB022", "a fresh response is not requested again", PromiseReason::Fresh),
        promised("-", "rate limits are followed", PromiseReason::RateLimit),
        shortest("FRB033", "requests to one site are spaced", hosts, HOST_GAP),
        shortest(
            "FRB070",
            "no URL is requested twice in five minutes",
            manners.urls.shortest,
            URL_GAP,
        ),
    ]
}

/// A time in relation to the end of a promise.
fn from_end(early: SignedDuration) -> String {
    let time = gap(Some(early.unsigned_abs()));
    if early.is_negative() { format!("{time} too early") } else { format!("{time} after the end") }
}

/// Time since which traffic is added up.
pub(super) fn since(now: Timestamp) -> Timestamp {
    now.saturating_sub(TRAFFIC).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PromiseTally;

    fn manners(earliest: i64, shortest: u64) -> Manners {
        let tally = RequestTally {
            requests: 10,
            conditional: 9,
            forced: 1,
            shortest: Some(Duration::from_secs(shortest)),
            full_shortest: None,
        };
        Manners {
            promises: vec![PromiseTally {
                reason: PromiseReason::RetryAfter,
                promises: 1,
                earliest: Some(SignedDuration::from_secs(earliest)),
            }],
            urls: tally,
            with_validators: tally,
            often_unconditional: 0,
            hosts: vec![("a.test".to_owned(), tally)],
            bytes: Vec::new(),
        }
    }

    fn kept(earliest: i64, shortest: u64) -> Vec<(&'static str, Option<bool>)> {
        let manners = manners(earliest, shortest);
        scores(&manners).into_iter().map(|score| (score.id, score.kept)).collect()
    }

    #[test]
    fn a_promise_that_was_broken_is_shown_as_broken() {
        let of = |scores: &[(&str, Option<bool>)], id: &str| {
            scores.iter().find(|(known, _)| *known == id).unwrap().1
        };
        let good = kept(60, 3600);
        assert_eq!((of(&good, "FRB020"), of(&good, "FRB070")), (Some(true), Some(true)));
        assert_eq!(of(&good, "FRB022"), None);
        let bad = kept(-60, 20);
        assert_eq!((of(&bad, "FRB020"), of(&bad, "FRB070")), (Some(false), Some(false)));
    }

    #[test]
    fn sites_are_listed_only_if_they_sent_bytes() {
        let text = MannersReport::new(manners(60, 3600)).text();
        assert!(text.ends_with("No responses with a body in 14 days\n"), "{text}");
    }
}
