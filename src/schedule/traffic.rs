//! The expected traffic of feeds: forecasts of the cost and the effect of settings, and bandwidth budgets of servers. Pure.
//!
//! A forecast is made from recorded polls. Items are assumed to come at random, at the recorded rate. A poll is due every
//! interval, or later if the publisher asks for that. The number of requests, the share of polls without news, the traffic
//! and the delay of items follow from these.
//!
//! A budget makes intervals longer, so that the expected traffic fits.

use std::time::Duration;

use super::settings::{PublisherHints, Settings};

const DAY: f64 = 86_400.0;
/// Mean factor by which jitter makes waits longer.
const JITTER: f64 = 1.05;

/// Recorded traffic of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FeedTraffic {
    /// Number of times a day at which items come.
    pub arrivals_a_day: f64,
    /// Mean size of a complete response as sent, in bytes.
    pub mean_bytes: f64,
    /// Share of the polls without news that were answered without a body, 0 to 1.
    pub not_modified: f64,
    /// The longest wait that the publisher asks for.
    pub requested_wait: Duration,
    /// The learned interval, if it is traffic.
    pub learned: Option<Duration>,
}

/// Forecast for one feed, or for several.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecast {
    /// Number of requests per day.
    pub requests: f64,
    /// Bytes a day on the wire.
    pub bytes: f64,
    /// Requests a day that find nothing.
    pub unchanged: f64,
    /// For each feed: arrivals a day, and the interval in seconds.
    waits: Vec<(f64, f64)>,
}

impl Forecast {
    /// The forecast for one feed.
    #[must_use]
    pub fn of(settings: &Settings, traffic: &FeedTraffic) -> Self {
        let interval = settings.interval_of(traffic.learned);
        let asked = match settings.publisher_hints {
            PublisherHints::Follow => traffic.requested_wait.min(settings.max_interval),
            PublisherHints::Ignore => Duration::ZERO,
        };
        let interval = interval.max(asked).as_secs_f64().max(1.0) * JITTER;
        let requests = DAY / interval;
        // Probability that no item comes within an interval (Poisson).
        let nothing = (-traffic.arrivals_a_day * interval / DAY).exp();
        let whole = 1.0 - nothing * traffic.not_modified;
        Self {
            requests,
            bytes: requests * whole * traffic.mean_bytes,
            unchanged: requests * nothing,
            waits: vec![(traffic.arrivals_a_day, interval)],
        }
    }

    /// Adds another feed's forecast.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.unchanged += other.unchanged;
        self.waits.extend_from_slice(&other.waits);
    }

    /// Share of requests without news, 0 to 1.
    #[must_use]
    pub fn unchanged_share(&self) -> f64 {
        if self.requests > 0.0 { self.unchanged / self.requests } else { 0.0 }
    }

    /// Time in seconds within which this share of all items is seen; `None`: no items are expected.
    #[must_use]
    pub fn delay(&self, share: f64) -> Option<f64> {
        let all: f64 = self.waits.iter().map(|(arrivals, _)| arrivals).sum();
        if all <= 0.0 {
            return None;
        }
        // Items come at any time of an interval: a share of t / interval is seen within t.
        let seen = |t: f64| {
            let seen =
                self.waits.iter().map(|(arrivals, interval)| arrivals * (t / interval).min(1.0));
            seen.sum::<f64>() / all
        };
        let (mut low, mut high) =
            (0.0, self.waits.iter().map(|(_, interval)| *interval).fold(0.0, f64::max));
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if seen(middle) < share { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// Longest interval that a budget leads to: a feed is never given up.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The expected traffic of one feed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetShare {
    /// Interval without the budget.
    pub interval: Duration,
    /// Mean size of a response as received, those without a body included, in bytes.
    pub mean_bytes: f64,
}

/// The factor by which the intervals of all feeds of a server become longer, at least 1. It is the same for all, so
/// that a feed that is polled more often than others still is.
#[must_use]
pub fn stretch(feeds: &[BudgetShare], bytes_a_day: u64) -> f64 {
    let of = |feed: &BudgetShare| DAY / feed.interval.as_secs_f64().max(1.0) * feed.mean_bytes;
    let expected: f64 = feeds.iter().map(of).sum();
    (expected / (bytes_a_day.max(1) as f64)).max(1.0)
}

/// The interval after the stretch, in whole minutes, so that it does not change with each poll.
#[must_use]
pub fn stretched(interval: Duration, factor: f64) -> Duration {
    if factor <= 1.0 {
        return interval;
    }
    let minutes = (interval.as_secs_f64() * factor / 60.0).min(1e9).ceil();
    Duration::from_secs(60 * minutes as u64).clamp(interval, LONGEST.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::IntervalMode;

    fn every(hours: u64) -> Settings {
        let (interval, interval_mode) = (Duration::from_secs(hours * 3600), IntervalMode::Fixed);
        Settings { interval, interval_mode, ..Settings::default() }
    }

    const DAILY: FeedTraffic = FeedTraffic {
        arrivals_a_day: 1.0,
        mean_bytes: 1000.0,
        not_modified: 1.0,
        requested_wait: Duration::ZERO,
        learned: None,
    };

    #[test]
    fn twice_as_often_is_twice_the_requests_and_half_the_delay() {
        let (one, two) = (Forecast::of(&every(1), &DAILY), Forecast::of(&every(2), &DAILY));
        assert!((one.requests / two.requests - 2.0).abs() < 1e-9);
        assert!((two.delay(0.5).unwrap() / one.delay(0.5).unwrap() - 2.0).abs() < 1e-6);
        // Half of the items are seen within half an interval.
        assert!((one.delay(0.5).unwrap() - 1800.0 * JITTER).abs() < 1.0);
        assert!((one.delay(0.95).unwrap() - 3420.0 * JITTER).abs() < 1.0);
        // What is found is found either way: the bytes hardly differ where 304s cost nothing.
        assert!(one.bytes / two.bytes < 1.05 && one.unchanged_share() > two.unchanged_share());
    }

    #[test]
    fn a_server_without_304_sends_a_body_each_time() {
        let costly = FeedTraffic { not_modified: 0.0, ..DAILY };
        let forecast = Forecast::of(&every(1), &costly);
        assert!((forecast.bytes - forecast.requests * 1000.0).abs() < 1e-6);
    }

    #[test]
    fn publisher_hints_and_learned_intervals_count() {
        let patient = FeedTraffic { requested_wait: Duration::from_secs(6 * 3600), ..DAILY };
        assert!(Forecast::of(&every(1), &patient).requests < 4.0);
        let ignored = Settings { publisher_hints: PublisherHints::Ignore, ..every(1) };
        assert!(Forecast::of(&ignored, &patient).requests > 20.0);
        let auto = Settings { interval_mode: IntervalMode::Auto, ..every(1) };
        let learned = FeedTraffic { learned: Some(Duration::from_secs(12 * 3600)), ..DAILY };
        assert!(Forecast::of(&auto, &learned).requests < 2.0);
    }

    #[test]
    fn forecasts_of_feeds_are_added() {
        let mut sum = Forecast::of(&every(1), &FeedTraffic { arrivals_a_day: 9.0, ..DAILY });
        sum.add(&Forecast::of(&every(10), &DAILY));
        assert!(sum.delay(0.5).unwrap() < 3600.0);
        assert!(sum.delay(0.99).unwrap() > 3.0 * 3600.0);
        assert_eq!(Forecast::of(&every(1), &FeedTraffic::default()).delay(0.5), None);
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn feeds_stretch_until_they_fit_in_the_same_proportion() {
        let feeds = [
            BudgetShare { interval: HOUR, mean_bytes: 100_000.0 },
            BudgetShare { interval: 2 * HOUR, mean_bytes: 300_000.0 },
        ];
        let factor = stretch(&feeds, 2_000_000);
        assert!((factor - 3.0).abs() < 1e-9, "{factor}");
        let intervals = feeds.map(|feed| stretched(feed.interval, factor));
        assert_eq!(intervals, [3 * HOUR, 6 * HOUR]);
        let after = [0, 1].map(|n| BudgetShare { interval: intervals[n], ..feeds[n] });
        assert!(stretch(&after, 2_000_000) <= 1.0 + 1e-9);
    }

    #[test]
    fn a_budget_that_is_kept_changes_nothing_and_none_ends_a_feed() {
        let feed = BudgetShare { interval: HOUR, mean_bytes: 10.0 };
        assert_eq!(stretched(HOUR, stretch(&[feed], 1_000_000)), HOUR);
        assert_eq!(stretched(HOUR, stretch(&[feed], 0)), 7 * 24 * HOUR);
    }
}
