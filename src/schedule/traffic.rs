//! The expected traffic of feeds: forecasts of the cost and the effect of settings, and bandwidth budgets of servers. Pure.
//!
//! A forecast is made from recorded polls. Items are assumed to come at random, at the recorded rate. The polls of a week are
//! planned in turn, each by [`plan()`] as a poll that brought nothing, or failed as the last one did. The number of
//! requests, the share of polls without news, the traffic and the delay of items follow from these.
//!
//! A budget makes intervals longer, so that the expected traffic fits.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::learned::Learned;
use super::plan::{Inputs, LastPoll, plan};
use super::settings::Settings;
use crate::model::{Considered, FeedId, FetchOutcome, Hints};

const DAY: f64 = 86_400.0;
/// Time whose polls are planned: skipDays has the days of a week.
const PLANNED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Number of polls that are planned where all times between them are alike but for the jitter.
const ALIKE: usize = 64;
/// Shortest time between two polls.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// Recorded traffic of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FeedTraffic {
    /// Number of times a day at which items come.
    pub arrivals_a_day: f64,
    /// Mean size of a complete response as sent, in bytes.
    pub mean_bytes: f64,
    /// Share of the polls without news that were answered without a body, 0 to 1.
    pub not_modified: f64,
}

/// What the polls of a feed are planned from, besides its settings.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// Id of the feed, which seeds the jitter.
    pub feed: &'a FeedId,
    /// Every input of the current plan.
    pub considered: &'a [Considered],
    /// Publisher hints of the last document that was read.
    pub hints: &'a Hints,
    /// The learned interval, if it is known.
    pub learned: Option<Learned>,
    /// Outcome of the last poll and number of consecutive failures; `None`: the feed does not fail.
    pub failing: Option<(&'a FetchOutcome, u32)>,
    /// Time of the forecast.
    pub now: Timestamp,
}

impl<'a> Outlook<'a> {
    /// The times between the polls of a week, in seconds; at least one. Fewer where they are alike.
    fn gaps(&self, settings: &'a Settings) -> Vec<f64> {
        let last = LastPoll { at: self.now, considered: self.considered };
        let mut inputs = last.inputs((settings, self.feed), self.hints, self.learned);
        if let Some((outcome, failures)) = self.failing {
            // The back-off is longer than the rest of a day, and the last plan had both.
            inputs = Inputs { outcome, failures, unconditional: None, ..inputs };
        }
        let next = |inputs: &Inputs<'_>| plan(inputs).at.max(inputs.now + SHORTEST);
        inputs.now = next(&inputs);
        let end = inputs.now.saturating_add(PLANNED).unwrap_or(Timestamp::MAX);
        let skips = !self.hints.skip_hours.is_empty() || !self.hints.skip_days.is_empty();
        let most = if skips || self.failing.is_some() { usize::MAX } else { ALIKE };
        let mut gaps = Vec::new();
        while inputs.now < end && gaps.len() < most {
            inputs.failures += u32::from(self.failing.is_some());
            let at = next(&inputs);
            gaps.push(at.duration_since(inputs.now).as_secs_f64());
            inputs.now = at;
        }
        gaps
    }
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
    /// Arrivals a day that come between two polls, by the time between these in minutes, rounded up.
    waits: BTreeMap<u32, f64>,
}

impl Forecast {
    /// The forecast for one feed.
    #[must_use]
    pub fn of(settings: &Settings, traffic: &FeedTraffic, outlook: &Outlook<'_>) -> Self {
        let gaps = outlook.gaps(settings);
        let days = gaps.iter().sum::<f64>() / DAY;
        let arrivals = traffic.arrivals_a_day;
        // Probability that no item comes within a gap (Poisson), for all of them.
        let nothing: f64 = gaps.iter().map(|gap| (-arrivals * gap / DAY).exp()).sum();
        let requests = gaps.len() as f64;
        let mut waits = BTreeMap::new();
        for gap in &gaps {
            *waits.entry((gap / 60.0).ceil().max(1.0) as u32).or_default() +=
                arrivals * gap / DAY / days;
        }
        Self {
            requests: requests / days,
            bytes: (requests - nothing * traffic.not_modified) * traffic.mean_bytes / days,
            unchanged: nothing / days,
            waits,
        }
    }

    /// Adds another feed's forecast.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.unchanged += other.unchanged;
        for (minutes, arrivals) in &other.waits {
            *self.waits.entry(*minutes).or_default() += arrivals;
        }
    }

    /// Share of requests without news, 0 to 1.
    #[must_use]
    pub fn unchanged_share(&self) -> f64 {
        if self.requests > 0.0 { self.unchanged / self.requests } else { 0.0 }
    }

    /// Time in seconds within which this share of all items is seen; `None`: no items are expected.
    #[must_use]
    pub fn delay(&self, share: f64) -> Option<f64> {
        let all: f64 = self.waits.values().sum();
        if all <= 0.0 {
            return None;
        }
        // Items come at any time between two polls: a share of t / gap is seen within t.
        let seen = |t: f64| {
            let seen = self
                .waits
                .iter()
                .map(|(minutes, arrivals)| arrivals * (t / (60.0 * f64::from(*minutes))).min(1.0));
            seen.sum::<f64>() / all
        };
        let longest = self.waits.keys().next_back().copied().unwrap_or_default();
        let (mut low, mut high) = (0.0, 60.0 * f64::from(longest));
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
    use crate::model::{Failure, FailureKind, ReasonKind};
    use crate::schedule::{IntervalMode, LearnedFrom, PublisherHints};

    fn every(hours: u64) -> Settings {
        let (interval, interval_mode) = (Duration::from_secs(hours * 3600), IntervalMode::Fixed);
        Settings { interval, interval_mode, ..Settings::default() }
    }

    const DAILY: FeedTraffic =
        FeedTraffic { arrivals_a_day: 1.0, mean_bytes: 1000.0, not_modified: 1.0 };

    /// What the forecast of a feed is made from, besides its settings.
    #[derive(Default)]
    struct Known {
        considered: Vec<Considered>,
        hints: Hints,
        learned: Option<Learned>,
        failing: Option<(FetchOutcome, u32)>,
    }

    impl Known {
        fn forecast(&self, settings: &Settings, traffic: &FeedTraffic) -> Forecast {
            let Self { considered, hints, learned, failing } = self;
            let outlook = Outlook {
                feed: &FeedId::new("a").unwrap(),
                considered,
                hints,
                learned: *learned,
                failing: failing.as_ref().map(|(outcome, failures)| (outcome, *failures)),
                now: Timestamp::UNIX_EPOCH,
            };
            Forecast::of(settings, traffic, &outlook)
        }
    }

    fn daily(settings: &Settings) -> Forecast {
        Known::default().forecast(settings, &DAILY)
    }

    fn requests(known: &Known, settings: &Settings) -> f64 {
        known.forecast(settings, &DAILY).requests
    }

    #[test]
    fn twice_as_often_is_twice_the_requests_and_half_the_delay() {
        let (one, two) = (daily(&every(1)), daily(&every(2)));
        assert!((one.requests / two.requests - 2.0).abs() < 0.05);
        assert!((two.delay(0.5).unwrap() / one.delay(0.5).unwrap() - 2.0).abs() < 0.05);
        // Half of the items are seen within half an interval, which jitter makes 5 % longer.
        assert!((one.delay(0.5).unwrap() - 1890.0).abs() < 30.0);
        assert!((one.delay(0.95).unwrap() - 3590.0).abs() < 60.0);
        // What is found is found either way: the bytes hardly differ where 304s cost nothing.
        assert!(one.bytes / two.bytes < 1.05 && one.unchanged_share() > two.unchanged_share());
    }

    #[test]
    fn the_forecast_of_many_frequent_polls_is_small() {
        let settings = Settings { interval: HOUR / 12, ..every(1) };
        let mut sum = daily(&settings);
        assert!((240.0..290.0).contains(&sum.requests), "{}", sum.requests);
        for _ in 0..100 {
            sum.add(&daily(&settings));
        }
        assert!(sum.waits.len() <= 5, "{:?}", sum.waits);
    }

    #[test]
    fn a_server_without_304_sends_a_body_each_time() {
        let costly = FeedTraffic { not_modified: 0.0, ..DAILY };
        let forecast = Known::default().forecast(&every(1), &costly);
        assert!((forecast.bytes - forecast.requests * 1000.0).abs() < 1e-6);
    }

    #[test]
    fn what_the_server_asks_for_and_learned_intervals_count() {
        let asked = |kind| {
            let text = "six hours".to_owned();
            let considered = vec![Considered { kind, text, wait: 6 * 3600 }];
            Known { considered, ..Known::default() }
        };
        let fresh = asked(ReasonKind::Freshness);
        assert!(requests(&fresh, &every(1)) < 4.0);
        let ignored = Settings { publisher_hints: PublisherHints::Ignore, ..every(1) };
        assert!(requests(&fresh, &ignored) > 20.0);
        assert!(requests(&asked(ReasonKind::Throttled), &ignored) < 4.0);
        let auto = Settings { interval_mode: IntervalMode::Auto, ..every(1) };
        let (interval, basis) = (12 * HOUR, LearnedFrom::Gaps);
        let learned = Known { learned: Some(Learned { interval, basis }), ..Known::default() };
        assert!(requests(&learned, &auto) < 2.0);
    }

    #[test]
    fn hours_and_days_that_are_skipped_have_no_polls_in_the_forecast() {
        let hints = Hints { skip_hours: (0..20).collect(), ..Hints::default() };
        let evening = Known { hints, ..Known::default() }.forecast(&every(1), &DAILY);
        assert!((2.5..4.5).contains(&evening.requests), "{}", evening.requests);
        // Most items come in the long gap and wait for its end.
        assert!(evening.delay(0.5).unwrap() > 7.0 * 3600.0);
        assert!(evening.delay(0.95).unwrap() < 22.0 * 3600.0);
        let hints = Hints { skip_days: vec![1, 2], ..Hints::default() };
        let five_days = requests(&Known { hints, ..Known::default() }, &every(1));
        assert!((five_days / (22.9 * 5.0 / 7.0) - 1.0).abs() < 0.1, "{five_days}");
    }

    #[test]
    fn a_failing_feed_has_its_back_off_in_the_forecast() {
        let failing = |outcome, failures| {
            let failing = Some((outcome, failures));
            requests(&Known { failing, ..Known::default() }, &every(1))
        };
        let error = |kind| FetchOutcome::Failed(Failure::new(kind, ""));
        let dead = failing(error(FailureKind::NotFound), 7);
        assert!((0.9..=1.0).contains(&dead), "{dead}");
        let new = failing(error(FailureKind::NotFound), 1);
        assert!((1.0..2.0).contains(&new), "{new}");
        let gone = failing(FetchOutcome::Gone, 1);
        assert!((0.1..=0.15).contains(&gone), "{gone}");
        assert!(failing(FetchOutcome::Gone, 9) < 0.001);
    }

    #[test]
    fn forecasts_of_feeds_are_added() {
        let busy = FeedTraffic { arrivals_a_day: 9.0, ..DAILY };
        let mut sum = Known::default().forecast(&every(1), &busy);
        sum.add(&daily(&every(10)));
        assert!(sum.delay(0.5).unwrap() < 3600.0);
        assert!(sum.delay(0.99).unwrap() > 3.0 * 3600.0);
        let none = Known::default().forecast(&every(1), &FeedTraffic::default());
        assert_eq!(none.delay(0.5), None);
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
