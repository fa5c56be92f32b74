//! `newswire plan`: forecasts requests, traffic and delays under a config from recorded polls, and compares
//! them with another config.

use std::collections::HashMap;

use comfy_table::{Cell, CellAlignment};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::terminal;
use crate::config::Config;
use crate::daemon::{KnownTraffic, apply_budgets};
use crate::model::{FeedId, FeedKey, FeedStatus, FetchOutcome, Publishing};
use crate::schedule::{self, FeedTraffic, Forecast, Learned, Outlook, PollCost};
use crate::store::FeedHistory;
use crate::text::amounts::{bytes, count, span};

/// Length of a day, in seconds.
const DAY: f64 = 86_400.0;

/// Shortest recorded time from which traffic is forecast, in seconds.
const MIN_RECORDED: f64 = DAY;

/// Number of failures in a row after which a feed is assumed to fail on. One passes soon.
const LASTING: u32 = 2;

/// What a forecast is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    /// Polls of at least [`MIN_RECORDED`].
    Polls,
    /// The dates of the items. The traffic is unknown.
    Dates,
    /// The settings. Only the requests are known.
    Settings,
}

impl Basis {
    fn slug(self) -> &'static str {
        match self {
            Self::Polls => "polls",
            Self::Dates => "dates",
            Self::Settings => "settings",
        }
    }
}

/// The forecast of one feed.
#[derive(Debug)]
struct Estimate {
    forecast: Forecast,
    basis: Basis,
    /// Whether the feed is assumed to fail on.
    failing: bool,
}

impl Estimate {
    /// The forecast under the settings of a feed. One that fails brings nothing.
    fn new(
        settings: &schedule::Settings,
        (id, status): (&FeedId, Option<&FeedStatus>),
        past: Option<&FeedHistory>,
        published: &Publishing,
        at: Timestamp,
    ) -> Self {
        let failing = status.filter(|status| status.failures >= LASTING).and_then(|status| {
            let outcome = status.last_outcome.filter(|outcome| !outcome.is_success())?;
            Some((FetchOutcome::from(outcome), status.failures))
        });
        let dated = schedule::arrivals_per_day(published, at);
        let recorded = past.is_some_and(|past| past.span >= MIN_RECORDED);
        let (basis, arrivals) = match (past.filter(|_| recorded), dated) {
            (Some(past), _) => (Basis::Polls, past.arrivals as f64 * DAY / past.span),
            (None, Some(dated)) => (Basis::Dates, dated),
            (None, None) => (Basis::Settings, 0.0),
        };
        let traffic = match failing {
            None => FeedTraffic { arrivals_a_day: arrivals, ..past.map(known).unwrap_or_default() },
            Some(_) => FeedTraffic::default(),
        };
        let unknown = FeedHistory::default();
        let FeedHistory { considered, hints, .. } = past.unwrap_or(&unknown);
        let outlook = Outlook {
            feed: id,
            considered,
            hints,
            learned: learned(settings, past, published, at),
            failing: failing.as_ref().map(|(outcome, failures)| (outcome, *failures)),
            now: at,
        };
        let forecast = Forecast::of(settings, &traffic, &outlook);
        Self { forecast, basis, failing: failing.is_some() }
    }
}

/// The forecast of all feeds together.
#[derive(Debug, Default)]
struct Total {
    /// Requests per day of all feeds.
    requests: f64,
    /// The forecast of the feeds with recorded polls.
    recorded: Forecast,
    /// The forecast of these, and of the feeds with dates.
    dated: Forecast,
    /// Number of feeds without recorded polls.
    unrecorded: usize,
    /// Number of feeds without recorded polls and dates.
    unknown: usize,
    /// Number of feeds that are assumed to fail on.
    failing: usize,
}

impl Total {
    fn of<'e>(estimates: impl Iterator<Item = &'e Estimate>) -> Self {
        let mut total = Self::default();
        for Estimate { forecast, basis, failing } in estimates {
            total.requests += forecast.requests;
            total.failing += usize::from(*failing);
            if *basis == Basis::Polls {
                total.recorded.add(forecast);
            } else {
                total.unrecorded += 1;
            }
            if *basis == Basis::Settings {
                total.unknown += 1;
            } else {
                total.dated.add(forecast);
            }
        }
        total
    }

    /// What the sums do not contain, as lines of text.
    fn notes(&self) -> String {
        let mut notes = String::new();
        let mut note = |number: usize, text: &str| {
            if number > 0 {
                notes.push_str(&format!("{} {text}\n", count(number as u64, "feed")));
            }
        };
        note(
            self.unrecorded,
            "recorded for less than a day: traffic is unknown and not in the sums.",
        );
        let dated = self.unrecorded - self.unknown;
        note(dated, "of these: delays and unchanged polls are estimated from the dates of items.");
        note(
            self.unknown,
            "of these: delays are unknown too, because fewer than five dates are known.",
        );
        note(
            self.failing,
            "failing: the requests are those of its back-off, until the next success.",
        );
        notes
    }
}

/// The figures that are shown of a feed or of all feeds.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    /// Number of requests per day.
    requests: f64,
    /// Received bytes per day; `None`: unknown, as all that follow.
    bytes: Option<f64>,
    /// Share of polls without changes, 0 to 1.
    unchanged: Option<f64>,
    /// Median delay from publication to poll, in seconds.
    median: Option<f64>,
    /// 95th percentile of the delay, in seconds.
    p95: Option<f64>,
}

impl Figures {
    /// The figures from the forecasts whose traffic, and whose delays, are known.
    fn new(requests: f64, traffic: Option<&Forecast>, delays: Option<&Forecast>) -> Self {
        Self {
            requests,
            bytes: traffic.map(|forecast| forecast.bytes),
            unchanged: delays.map(Forecast::unchanged_share),
            median: delays.and_then(|forecast| forecast.delay(0.5)),
            p95: delays.and_then(|forecast| forecast.delay(0.95)),
        }
    }

    fn json(&self) -> Value {
        json!({
            "requests_per_day": self.requests,
            "bytes_per_day": self.bytes,
            "unchanged_share": self.unchanged,
            "delay_median": self.median,
            "delay_p95": self.p95,
        })
    }

    /// The figures in one line.
    fn line(self) -> String {
        let [requests, bytes, unchanged, median, p95] = self.columns();
        format!(
            "requests/day {requests}, bytes/day {bytes}, unchanged {unchanged}, median {median}, p95 {p95}"
        )
    }

    fn columns(&self) -> [String; 5] {
        let unknown = || "unknown".to_owned();
        let time = |seconds: Option<f64>| seconds.map_or_else(unknown, |s| span(s as u64));
        [
            format!("{:.1}", self.requests),
            self.bytes.map_or_else(unknown, bytes),
            self.unchanged.map_or_else(unknown, |share| format!("{:.0} %", 100.0 * share)),
            time(self.median),
            time(self.p95),
        ]
    }
}

impl From<&Estimate> for Figures {
    fn from(Estimate { forecast, basis, failing }: &Estimate) -> Self {
        let traffic = Some(forecast).filter(|_| *basis == Basis::Polls);
        let delays = Some(forecast).filter(|_| *basis != Basis::Settings && !failing);
        Self::new(forecast.requests, traffic, delays)
    }
}

impl From<&Total> for Figures {
    fn from(total: &Total) -> Self {
        let known = |forecast: &&Forecast| forecast.requests > 0.0;
        Self::new(
            total.requests,
            Some(&total.recorded).filter(known),
            Some(&total.dated).filter(known),
        )
    }
}

/// The forecasts of one feed under one or two configs.
#[derive(Debug)]
struct Row {
    id: String,
    /// Under the current config; `None` when it does not contain the feed.
    current: Option<Estimate>,
    /// Under the new config; `None` when there is none or it does not contain the feed.
    new: Option<Estimate>,
    /// Median of the recorded delays, in seconds.
    recorded: Option<f64>,
}

/// A row that is shown: a name, and the figures under the current and the new config.
type PlanRow<'n> = (&'n str, (Option<Figures>, Option<Figures>));

/// The forecasts of all feeds under one or two configs.
#[derive(Debug)]
pub(super) struct PlanReport {
    rows: Vec<Row>,
    current: Total,
    new: Option<Total>,
    /// Median and 95th percentile of all recorded delays, in seconds.
    recorded: (Option<f64>, Option<f64>),
}

/// How each feed has published lately.
pub(super) type PublishingOfFeeds = HashMap<FeedKey, Publishing>;

impl PlanReport {
    /// Forecasts the feeds of `current` and, if given, of `new`; paused feeds are not polled and not contained.
    #[must_use]
    pub(super) fn new(
        current: &Config,
        new: Option<&Config>,
        statuses: &[FeedStatus],
        past: &HashMap<FeedKey, FeedHistory>,
        (published, at): (&PublishingOfFeeds, Timestamp),
    ) -> Self {
        let by_url: HashMap<&str, &FeedStatus> =
            statuses.iter().map(|status| (status.info.url.as_str(), status)).collect();
        let unknown = Publishing::default();
        let estimates = |config: &Config| -> HashMap<String, Estimate> {
            let of = |subscription: &crate::poll::Subscription| {
                let status = by_url.get(subscription.feed.url.as_str());
                let key = status.map(|status| status.info.key);
                let history = key.and_then(|key| past.get(&key));
                let published = key.and_then(|key| published.get(&key)).unwrap_or(&unknown);
                let derived = || FeedId::derive(&subscription.feed.url);
                let id = status.map_or_else(derived, |status| status.info.id.clone());
                let feed = (&id, status.copied());
                let estimate = Estimate::new(&subscription.schedule, feed, history, published, at);
                (subscription.feed.url.to_string(), estimate)
            };
            let subscriptions = within_budgets(config, &by_url, past, (published, at));
            subscriptions.iter().filter(|it| !it.schedule.paused).map(of).collect()
        };
        let (mut by_current, mut by_new) = (estimates(current), new.map(estimates));
        let mut urls: Vec<String> =
            by_current.keys().chain(by_new.iter().flat_map(HashMap::keys)).cloned().collect();
        urls.sort_unstable();
        urls.dedup();
        let current = Total::of(by_current.values());
        let new = by_new.as_ref().map(|by_new| Total::of(by_new.values()));
        let mut delays: Vec<f64> = past.values().flat_map(|past| past.delays.clone()).collect();
        let rows = urls.into_iter().map(|url| {
            let status = by_url.get(url.as_str());
            let past = status.and_then(|status| past.get(&status.info.key));
            let mut own = past.map(|past| past.delays.clone()).unwrap_or_default();
            Row {
                id: status.map_or_else(|| url.clone(), |status| status.info.id.to_string()),
                current: by_current.remove(&url),
                new: by_new.as_mut().and_then(|by_new| by_new.remove(&url)),
                recorded: quantile(&mut own, 0.5),
            }
        });
        Self {
            rows: rows.collect(),
            current,
            new,
            recorded: (quantile(&mut delays, 0.5), quantile(&mut delays, 0.95)),
        }
    }

    /// The forecasts as a table, or as lines below each feed where the terminal is too narrow for one.
    #[must_use]
    pub(super) fn text(&self, width: Option<usize>) -> String {
        let new = self.new.as_ref().map(Figures::from);
        let of = |row: &Row| {
            (row.current.as_ref().map(Figures::from), row.new.as_ref().map(Figures::from))
        };
        let feeds = self.rows.iter().map(|row| (row.id.as_str(), of(row)));
        let all = ("all", (Some(Figures::from(&self.current)), new));
        let rows: Vec<PlanRow<'_>> = feeds.chain([all]).collect();
        let time = |seconds: Option<f64>| {
            seconds.map_or_else(|| "unknown".to_owned(), |seconds| span(seconds as u64))
        };
        let mut text = format!(
            "{}\n\nUNCHANGED: share of polls without changes. MEDIAN, P95: forecast delay from the\n\
             publication of an item to its poll. Recorded delays of the last two weeks:\n\
             median {}, p95 {}.\n",
            self.table(&rows, width).unwrap_or_else(|| self.lines(&rows)),
            time(self.recorded.0),
            time(self.recorded.1)
        );
        text.push_str(&self.current.notes());
        text
    }

    /// The table; `None`: the terminal is too narrow for it.
    fn table(&self, rows: &[PlanRow<'_>], width: Option<usize>) -> Option<String> {
        let mut heading = vec!["FEED", "REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"];
        if self.new.is_some() {
            heading.extend(["NEW: REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"]);
        }
        let columns = |figures: Option<Figures>| {
            figures.map_or_else(|| ["-"; 5].map(str::to_owned), |figures| figures.columns())
        };
        let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
        let cells = |current: Option<Figures>, new: Option<Figures>| -> Vec<Cell> {
            let sides = [Some(current), self.new.as_ref().map(|_| new)];
            sides.into_iter().flatten().flat_map(columns).map(right).collect()
        };
        let rows = rows.iter().map(|(name, (current, new))| (*name, cells(*current, *new)));
        terminal::fitted_table(&heading, &rows.collect::<Vec<_>>(), width)
    }

    /// The figures of each feed below its name.
    fn lines(&self, rows: &[PlanRow<'_>]) -> String {
        let side = |label: &str, figures: Option<Figures>| {
            let text = figures.map_or_else(|| "-".to_owned(), Figures::line);
            format!("\n  {label}{text}")
        };
        let row = |(name, (current, new)): &PlanRow<'_>| {
            let new = self.new.as_ref().map_or_else(String::new, |_| side("new: ", *new));
            format!("{name}{}{new}", side("", *current))
        };
        rows.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    /// The forecasts as JSON: rates per day, times in seconds.
    #[must_use]
    pub(super) fn json(&self) -> Value {
        let side = |estimate: &Estimate| {
            let mut figures = Figures::from(estimate).json();
            figures["basis"] = estimate.basis.slug().into();
            figures
        };
        json!({
            "feeds": self.rows.iter().map(|row| json!({
                "id": row.id,
                "current": row.current.as_ref().map(side),
                "new": row.new.as_ref().map(side),
                "recorded_delay_median": row.recorded,
            })).collect::<Vec<_>>(),
            "current": Figures::from(&self.current).json(),
            "new": self.new.as_ref().map(|total| Figures::from(total).json()),
            "recorded_delay_median": self.recorded.0,
            "recorded_delay_p95": self.recorded.1,
        })
    }
}

/// The feeds of a config with the intervals that the budgets of their servers lead to.
fn within_budgets(
    config: &Config,
    by_url: &HashMap<&str, &FeedStatus>,
    past: &HashMap<FeedKey, FeedHistory>,
    (published, at): (&PublishingOfFeeds, Timestamp),
) -> Vec<crate::poll::Subscription> {
    let mut subscriptions = config.subscriptions.clone();
    let known = |subscription: &crate::poll::Subscription| {
        let status = by_url.get(subscription.feed.url.as_str())?;
        let (history, seen) = (past.get(&status.info.key), published.get(&status.info.key));
        let learned = seen.and_then(|it| learned(&subscription.schedule, history, it, at));
        let learned = learned.map(|learned| learned.interval);
        Some(KnownTraffic { mean_bytes: history.and_then(mean_of_all), learned })
    };
    let known: Vec<_> = subscriptions.iter().map(|it| known(it).unwrap_or_default()).collect();
    apply_budgets(&mut subscriptions, &known);
    subscriptions
}

/// The interval that the items of the feed show.
fn learned(
    settings: &schedule::Settings,
    past: Option<&FeedHistory>,
    published: &Publishing,
    at: Timestamp,
) -> Option<Learned> {
    let cost = match past {
        Some(past) if past.same_body > past.not_modified => PollCost::Complete,
        _ => PollCost::Conditional,
    };
    schedule::learned(published, settings.interval, cost, at)
}

/// Mean size of all responses, those without a body included; `None`: there was none.
fn mean_of_all(past: &FeedHistory) -> Option<f64> {
    let with_body = past.polls.saturating_sub(past.not_modified) as f64;
    (past.polls > 0).then(|| past.mean_bytes * with_body / past.polls as f64)
}

/// The traffic of the recorded polls, without the arrivals of items.
fn known(past: &FeedHistory) -> FeedTraffic {
    let nothing = past.not_modified + past.same_body;
    let not_modified = if nothing == 0 { 1.0 } else { past.not_modified as f64 / nothing as f64 };
    FeedTraffic { arrivals_a_day: 0.0, mean_bytes: past.mean_bytes, not_modified }
}

fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_is_too_narrow_for_the_table_gets_lines() {
        let estimate =
            || Estimate { forecast: Forecast::default(), basis: Basis::Settings, failing: false };
        let id = "blog.example.org-feed.xml".to_owned();
        let row = Row { id, current: Some(estimate()), new: Some(estimate()), recorded: None };
        let (current, recorded) = (Total::default(), (None, None));
        let mut plan = PlanReport { rows: vec![row], current, new: None, recorded };
        assert!(plan.text(Some(80)).contains("REQUESTS/DAY  BYTES/DAY"));
        let line = "blog.example.org-feed.xml\n  requests/day 0.0, bytes/day unknown";
        let narrow = plan.text(Some(40));
        assert!(narrow.starts_with(line) && narrow.contains("\nall\n  requests"), "{narrow}");
        plan.new = Some(Total::default());
        let narrow = plan.text(Some(40));
        assert!(narrow.contains("\n  new: requests/day 0.0"), "{narrow}");
    }
}
