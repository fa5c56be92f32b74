//! What settings will cost and bring, by what is recorded of the past. Pure.
//!
//! Items come at random, at the rate at which they came; a poll is due every interval, or later
//! where the publisher asks for that. From these two follow the requests, the share of polls that
//! find nothing, the bytes, and how long an item waits until it is seen.

use std::time::Duration;

use super::settings::{IntervalMode, PublisherHints, Settings};

const DAY: f64 = 86_400.0;
/// Jitter makes waits longer by a twentieth, as a mean.
const JITTER: f64 = 1.05;

/// What is known of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FeedTraffic {
    /// Moments a day at which items come.
    pub arrivals_a_day: f64,
    /// Of a whole answer, on the wire.
    pub mean_bytes: f64,
    /// Of the polls that found nothing, the share that cost no body.
    pub not_modified: f64,
    /// The longest wait that the publisher asks for.
    pub asked: Duration,
    /// What its rhythm asks for.
    pub learned: Option<Duration>,
}

/// What is to be expected of a feed, or of many.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecast {
    /// Requests a day.
    pub requests: f64,
    /// Bytes a day on the wire.
    pub bytes: f64,
    /// Requests a day that find nothing.
    pub unchanged: f64,
    /// How often items come, and the interval within which one is seen: arrivals a day, seconds.
    waits: Vec<(f64, f64)>,
}

impl Forecast {
    /// Of one feed.
    #[must_use]
    pub fn of(settings: &Settings, known: &FeedTraffic) -> Self {
        let interval = match (settings.interval_mode, known.learned) {
            (IntervalMode::Auto, Some(learned)) => learned
                .clamp(settings.min_interval, settings.max_interval.max(settings.min_interval)),
            _ => settings.interval,
        };
        let asked = match settings.publisher_hints {
            PublisherHints::Follow => known.asked.min(settings.max_interval),
            PublisherHints::Ignore => Duration::ZERO,
        };
        let interval = interval.max(asked).as_secs_f64().max(1.0) * JITTER;
        let requests = DAY / interval;
        // Nothing came within the interval: e to the minus rate times time.
        let nothing = (-known.arrivals_a_day * interval / DAY).exp();
        let whole = 1.0 - nothing * known.not_modified;
        Self {
            requests,
            bytes: requests * whole * known.mean_bytes,
            unchanged: requests * nothing,
            waits: vec![(known.arrivals_a_day, interval)],
        }
    }

    /// Of this one and another.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.unchanged += other.unchanged;
        self.waits.extend_from_slice(&other.waits);
    }

    /// The share of requests that find nothing.
    #[must_use]
    pub fn unchanged_share(&self) -> f64 {
        if self.requests > 0.0 { self.unchanged / self.requests } else { 0.0 }
    }

    /// Within how many seconds this share of all items is seen; `None`: no items are to be expected.
    #[must_use]
    pub fn delay(&self, share: f64) -> Option<f64> {
        let all: f64 = self.waits.iter().map(|(arrivals, _)| arrivals).sum();
        if all <= 0.0 {
            return None;
        }
        // An item comes at any moment of an interval: seen within t are t/interval of them.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn every(hours: u64) -> Settings {
        Settings { interval: Duration::from_secs(hours * 3600), ..Settings::default() }
    }

    const DAILY: FeedTraffic = FeedTraffic {
        arrivals_a_day: 1.0,
        mean_bytes: 1000.0,
        not_modified: 1.0,
        asked: Duration::ZERO,
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
    fn a_server_without_304s_costs_a_body_each_time() {
        let costly = FeedTraffic { not_modified: 0.0, ..DAILY };
        let forecast = Forecast::of(&every(1), &costly);
        assert!((forecast.bytes - forecast.requests * 1000.0).abs() < 1e-6);
    }

    #[test]
    fn what_the_publisher_asks_for_and_what_is_learned_count() {
        let patient = FeedTraffic { asked: Duration::from_secs(6 * 3600), ..DAILY };
        assert!(Forecast::of(&every(1), &patient).requests < 4.0);
        let ignored = Settings { publisher_hints: PublisherHints::Ignore, ..every(1) };
        assert!(Forecast::of(&ignored, &patient).requests > 20.0);
        let auto = Settings { interval_mode: IntervalMode::Auto, ..every(1) };
        let learned = FeedTraffic { learned: Some(Duration::from_secs(12 * 3600)), ..DAILY };
        assert!(Forecast::of(&auto, &learned).requests < 2.0);
    }

    #[test]
    fn feeds_add_up_and_the_busy_ones_weigh_more() {
        let mut sum = Forecast::of(&every(1), &FeedTraffic { arrivals_a_day: 9.0, ..DAILY });
        sum.add(&Forecast::of(&every(10), &DAILY));
        assert!(sum.delay(0.5).unwrap() < 3600.0);
        assert!(sum.delay(0.99).unwrap() > 3.0 * 3600.0);
        assert_eq!(Forecast::of(&every(1), &FeedTraffic::default()).delay(0.5), None);
    }
}
