//! `newswire plan`: what a config will cost and bring, by what is recorded, and beside it what
//! another config would; before anything is applied.

use std::collections::HashMap;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::words::{bytes, span};
use crate::config::Config;
use crate::model::{FeedKey, FeedStatus, ReasonKind};
use crate::schedule::{self, FeedTraffic, Forecast};
use crate::store::FeedHistory;

const DAY: f64 = 86_400.0;

/// One feed in one or both configs.
#[derive(Debug)]
struct Row {
    id: String,
    now: Option<Forecast>,
    then: Option<Forecast>,
    /// Median of the delays that were recorded, in seconds.
    recorded: Option<f64>,
}

/// The what-if of a config, or of two.
#[derive(Debug)]
pub struct WhatIf {
    rows: Vec<Row>,
    now: Forecast,
    then: Option<Forecast>,
    /// Median and 95th percentile of all delays that were recorded.
    recorded: (Option<f64>, Option<f64>),
}

/// What was learned of each feed, by its key.
pub type Rhythms = HashMap<FeedKey, Vec<Timestamp>>;

impl WhatIf {
    /// Looks ahead: with `current` as it is, and with `new` if there is one.
    #[must_use]
    pub fn look(
        current: &Config,
        new: Option<&Config>,
        statuses: &[FeedStatus],
        past: &HashMap<FeedKey, FeedHistory>,
        (rhythms, at): (&Rhythms, Timestamp),
    ) -> Self {
        let by_url: HashMap<&str, &FeedStatus> =
            statuses.iter().map(|status| (status.info.url.as_str(), status)).collect();
        let forecast = |config: &Config| -> HashMap<String, Forecast> {
            let of = |subscription: &crate::poll::Subscription| {
                let status = by_url.get(subscription.feed.url.as_str());
                let key = status.map(|status| status.info.key);
                let known = key.and_then(|key| past.get(&key)).map(known).unwrap_or_default();
                let seen = key.and_then(|key| rhythms.get(&key));
                let learned = seen.and_then(|seen| schedule::learned(seen, at));
                let known = FeedTraffic { learned, ..known };
                (subscription.feed.url.to_string(), Forecast::of(&subscription.schedule, &known))
            };
            config.subscriptions.iter().map(of).collect()
        };
        let (mut now, mut then) = (forecast(current), new.map(forecast));
        let mut urls: Vec<String> =
            now.keys().chain(then.iter().flat_map(HashMap::keys)).cloned().collect();
        urls.sort_unstable();
        urls.dedup();
        let sum = |forecasts: &HashMap<String, Forecast>| {
            let mut all = Forecast::default();
            forecasts.values().for_each(|forecast| all.add(forecast));
            all
        };
        let (all_now, all_then) = (sum(&now), then.as_ref().map(sum));
        let mut delays: Vec<f64> = past.values().flat_map(|past| past.delays.clone()).collect();
        let rows = urls.into_iter().map(|url| {
            let status = by_url.get(url.as_str());
            let past = status.and_then(|status| past.get(&status.info.key));
            let mut own = past.map(|past| past.delays.clone()).unwrap_or_default();
            Row {
                id: status.map_or_else(|| url.clone(), |status| status.info.id.to_string()),
                now: now.remove(&url),
                then: then.as_mut().and_then(|then| then.remove(&url)),
                recorded: quantile(&mut own, 0.5),
            }
        });
        Self {
            rows: rows.collect(),
            now: all_now,
            then: all_then,
            recorded: (quantile(&mut delays, 0.5), quantile(&mut delays, 0.95)),
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let mut heading = vec!["FEED", "REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"];
        if self.then.is_some() {
            heading.extend(["REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"].map(|_| ""));
            for (n, name) in
                ["NEW: REQUESTS/DAY", "BYTES/DAY", "UNCHANGED", "MEDIAN", "P95"].iter().enumerate()
            {
                heading[6 + n] = name;
            }
        }
        table.set_header(heading);
        let mut add = |name: &str, now: Option<&Forecast>, then: Option<&Forecast>| {
            let mut cells = vec![Cell::new(name)];
            let sides = [Some(now), self.then.as_ref().map(|_| then)];
            for side in sides.into_iter().flatten() {
                cells.extend(
                    columns(side).map(|text| Cell::new(text).set_alignment(CellAlignment::Right)),
                );
            }
            table.add_row(cells);
        };
        for row in &self.rows {
            add(&row.id, row.now.as_ref(), row.then.as_ref());
        }
        add("all", Some(&self.now), self.then.as_ref());
        let time = |seconds: Option<f64>| {
            seconds.map_or_else(|| "unknown".to_owned(), |seconds| span(seconds as u64))
        };
        format!(
            "{}\n\nUNCHANGED: polls that find nothing. MEDIAN, P95: until half and 95 % of the items are seen,\n\
             as forecast; recorded in the last two weeks: median {}, p95 {}.\n",
            table.trim_fmt(),
            time(self.recorded.0),
            time(self.recorded.1)
        )
    }

    /// For programs: rates are per day, times in seconds.
    #[must_use]
    pub fn json(&self) -> Value {
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
                "current": row.now.as_ref().map(side),
                "new": row.then.as_ref().map(side),
                "recorded_delay_median": row.recorded,
            })).collect::<Vec<_>>(),
            "current": side(&self.now),
            "new": self.then.as_ref().map(side),
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

fn known(past: &FeedHistory) -> FeedTraffic {
    let days = (past.span / DAY).max(1.0 / 24.0);
    let nothing = past.not_modified + past.same_body;
    let not_modified = if nothing == 0 { 1.0 } else { past.not_modified as f64 / nothing as f64 };
    let asked = past
        .considered
        .iter()
        .filter(|input| matches!(input.kind, ReasonKind::Freshness | ReasonKind::PublisherHint));
    FeedTraffic {
        arrivals_a_day: past.arrivals as f64 / days,
        mean_bytes: past.mean_bytes,
        not_modified,
        requested_wait: Duration::from_secs(
            asked.map(|input| input.wait).max().unwrap_or_default(),
        ),
        learned: None,
    }
}

fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}
