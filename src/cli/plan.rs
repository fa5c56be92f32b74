//! `newswire plan`: forecasts requests, traffic and delays under a config from recorded polls, and compares
//! them with another config.

use std::collections::HashMap;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Config;
use crate::model::words::{bytes, span};
use crate::model::{FeedKey, ReasonKind};
use crate::schedule::{self, Forecast, Known};
use crate::store::{FeedStatus, Past};

/// Length of a day, in seconds.
const DAY: f64 = 86_400.0;

/// The forecasts of one feed.
#[derive(Debug)]
struct Row {
    id: String,
    /// Under the current config; `None` when it does not contain the feed.
    current: Option<Forecast>,
    /// Under the new config; `None` when there is none or it does not contain the feed.
    new: Option<Forecast>,
    /// Median of the recorded delays, in seconds.
    recorded: Option<f64>,
}

/// The forecasts of all feeds under one or two configs.
#[derive(Debug)]
pub(super) struct PlanReport {
    rows: Vec<Row>,
    current: Forecast,
    new: Option<Forecast>,
    /// Median and 95th percentile of all recorded delays, in seconds.
    recorded: (Option<f64>, Option<f64>),
}

/// Publication times of the items of each feed.
pub(super) type PublicationTimes = HashMap<FeedKey, Vec<Timestamp>>;

impl PlanReport {
    /// Forecasts the feeds of `current` and, if given, of `new`.
    #[must_use]
    pub(super) fn new(
        current: &Config,
        new: Option<&Config>,
        statuses: &[FeedStatus],
        past: &HashMap<FeedKey, Past>,
        (times, at): (&PublicationTimes, Timestamp),
    ) -> Self {
        let by_url: HashMap<&str, &FeedStatus> =
            statuses.iter().map(|status| (status.info.url.as_str(), status)).collect();
        let forecast = |config: &Config| -> HashMap<String, Forecast> {
            let of = |subscription: &crate::poll::Subscription| {
                let status = by_url.get(subscription.feed.url.as_str());
                let key = status.map(|status| status.info.key);
                let known = key.and_then(|key| past.get(&key)).map(known).unwrap_or_default();
                let seen = key.and_then(|key| times.get(&key));
                let learned = seen.and_then(|seen| schedule::learned(seen, at));
                let known = Known { learned, ..known };
                (subscription.feed.url.to_string(), Forecast::of(&subscription.schedule, &known))
            };
            config.subscriptions.iter().map(of).collect()
        };
        let (mut by_current, mut by_new) = (forecast(current), new.map(forecast));
        let mut urls: Vec<String> =
            by_current.keys().chain(by_new.iter().flat_map(HashMap::keys)).cloned().collect();
        urls.sort_unstable();
        urls.dedup();
        let sum = |forecasts: &HashMap<String, Forecast>| {
            let mut all = Forecast::default();
            forecasts.values().for_each(|forecast| all.add(forecast));
            all
        };
        let (all_current, all_new) = (sum(&by_current), by_new.as_ref().map(sum));
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
            current: all_current,
            new: all_new,
            recorded: (quantile(&mut delays, 0.5), quantile(&mut delays, 0.95)),
        }
    }

    /// The forecasts as a table.
    #[must_use]
    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let mut heading = vec!["FEED", "REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"];
        if self.new.is_some() {
            heading.extend(["REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"].map(|_| ""));
            for (n, name) in
                ["NEW: REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"].iter().enumerate()
            {
                heading[6 + n] = name;
            }
        }
        table.set_header(heading);
        let mut add = |name: &str, current: Option<&Forecast>, new: Option<&Forecast>| {
            let mut cells = vec![Cell::new(name)];
            let sides = [Some(current), self.new.as_ref().map(|_| new)];
            for side in sides.into_iter().flatten() {
                cells.extend(
                    columns(side).map(|text| Cell::new(text).set_alignment(CellAlignment::Right)),
                );
            }
            table.add_row(cells);
        };
        for row in &self.rows {
            add(&row.id, row.current.as_ref(), row.new.as_ref());
        }
        add("all", Some(&self.current), self.new.as_ref());
        let time = |seconds: Option<f64>| {
            seconds.map_or_else(|| "unknown".to_owned(), |seconds| span(seconds as u64))
        };
        format!(
            "{}\n\nUNCHANGED: share of polls without changes. MEDIAN, P95: forecast delay from the publication of an\n\
             item to its poll. Recorded delays of the last two weeks: median {}, p95 {}.\n",
            table.trim_fmt(),
            time(self.recorded.0),
            time(self.recorded.1)
        )
    }

    /// The forecasts as JSON: rates per day, times in seconds.
    #[must_use]
    pub(super) fn json(&self) -> Value {
        let side = |forecast: &Forecast| {
            json!({
                "requests_per_day": forecast.requests,
                "bytes_per_day": forecast.bytes,
                "unchanged_share": forecast.unchanged_share(),
                "delay_median": forecast.delay(0.5),
                "delay_p95": forecast.delay(0.95),
            })
        };
        json!({
            "feeds": self.rows.iter().map(|row| json!({
                "id": row.id,
                "current": row.current.as_ref().map(side),
                "new": row.new.as_ref().map(side),
                "recorded_delay_median": row.recorded,
            })).collect::<Vec<_>>(),
            "current": side(&self.current),
            "new": self.new.as_ref().map(side),
            "recorded_delay_median": self.recorded.0,
            "recorded_delay_p95": self.recorded.1,
        })
    }
}

fn columns(forecast: Option<&Forecast>) -> [String; 5] {
    let Some(forecast) = forecast else { return ["-"; 5].map(str::to_owned) };
    let time = |share| {
        forecast.delay(share).map_or_else(|| "-".to_owned(), |seconds: f64| span(seconds as u64))
    };
    [
        format!("{:.1}", forecast.requests),
        bytes(forecast.bytes),
        format!("{:.0} %", 100.0 * forecast.unchanged_share()),
        time(0.5),
        time(0.95),
    ]
}

fn known(past: &Past) -> Known {
    let days = (past.span / DAY).max(1.0 / 24.0);
    let nothing = past.not_modified + past.same_body;
    let not_modified = if nothing == 0 { 1.0 } else { past.not_modified as f64 / nothing as f64 };
    let asked = past
        .considered
        .iter()
        .filter(|input| matches!(input.kind, ReasonKind::Freshness | ReasonKind::Hint));
    Known {
        arrivals_a_day: past.arrivals as f64 / days,
        mean_bytes: past.mean_bytes,
        not_modified,
        asked: Duration::from_secs(asked.map(|input| input.wait).max().unwrap_or_default()),
        learned: None,
    }
}

fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}
