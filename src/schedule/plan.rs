//! When a feed is polled next, and why then: a pure function of what is known.
//!
//! `next = now + max(interval, freshness, hint)` after a success; after a failure a ladder that
//! never ends; then jitter, only ever later, so that a promise to a server is never broken.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::settings::{Heed, Settings};
use crate::model::{FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, Reason, ReasonKind};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// However long a server asks us to stay away, we look again after a week.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// All that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// In force for this feed.
    pub settings: &'a Settings,
    /// Whose plan it is: seeds the jitter.
    pub feed: &'a FeedId,
    /// How this poll ended.
    pub outcome: &'a FetchOutcome,
    /// In a row, this one included; 0 after a success.
    pub failures: u32,
    /// What the response said of itself.
    pub freshness: Freshness,
    /// What the document says of itself, this one or the last that was read.
    pub hints: &'a Hints,
    /// When the poll ended.
    pub now: Timestamp,
}

/// Decides when the feed is polled next.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let mut best = base(inputs);
    let hints = match inputs.settings.hints {
        Heed::Heed => [freshness(inputs), hint(inputs)],
        Heed::Ignore => [None, None],
    };
    // Retry-After is no hint but an answer: it is kept in any case.
    for floor in hints.into_iter().chain([retry_after(inputs)]).flatten() {
        if floor.wait > best.wait {
            best = floor;
        }
    }
    let at = later(inputs.now, best.wait + jitter(inputs, best.wait));
    let skipped = Skipped::of(inputs);
    match skipped.next_allowed(at) {
        Some(moved) if moved > at => Plan {
            // Not all at the stroke of the hour.
            at: later(moved, jitter(inputs, HOUR)),
            reason: Reason {
                kind: ReasonKind::Hint,
                text: format!("{}, moved out of the feed's skipHours and skipDays", best.text),
            },
        },
        _ => Plan { at, reason: Reason { kind: best.kind, text: best.text } },
    }
}

/// The hours and days in which the publisher wants no visit. RSS 2.0 `skipHours`, `skipDays`, GMT.
struct Skipped<'a> {
    hours: &'a [u8],
    days: &'a [u8],
}

impl<'a> Skipped<'a> {
    fn of(inputs: &Inputs<'a>) -> Self {
        match inputs.settings.hints {
            Heed::Heed => Self { hours: &inputs.hints.skip_hours, days: &inputs.hints.skip_days },
            Heed::Ignore => Self { hours: &[], days: &[] },
        }
    }

    /// The first moment from `at` on that is allowed; `None` when none is, which nobody can mean.
    fn next_allowed(&self, at: Timestamp) -> Option<Timestamp> {
        let mut second = at.as_second();
        for _ in 0..=7 * 24 {
            let hour = u8::try_from(second.div_euclid(3600).rem_euclid(24)).unwrap_or_default();
            // The epoch was a Thursday.
            let day = (second.div_euclid(86_400) + 3).rem_euclid(7);
            let day = u8::try_from(day).unwrap_or_default();
            if !self.hours.contains(&hour) && !self.days.contains(&day) {
                return Timestamp::from_second(second).ok().map(|allowed| allowed.max(at));
            }
            second = (second.div_euclid(3600) + 1) * 3600;
        }
        None
    }
}

/// One input that asks for a wait.
struct Floor {
    wait: Duration,
    kind: ReasonKind,
    text: String,
}

impl Floor {
    fn new(wait: Duration, kind: ReasonKind, text: impl Into<String>) -> Self {
        Self { wait, kind, text: text.into() }
    }
}

/// What the outcome alone asks for.
fn base(inputs: &Inputs<'_>) -> Floor {
    let interval = inputs.settings.interval;
    match inputs.outcome {
        FetchOutcome::Modified | FetchOutcome::NotModified => {
            Floor::new(interval, ReasonKind::Interval, format!("interval {}", short(interval)))
        }
        // RFC 9110 15.5.11: gone is meant to be for good; a slow probe finds out when it was not.
        FetchOutcome::Gone => Floor::new(
            7 * DAY,
            ReasonKind::Gone,
            "the server says the feed is gone: a probe a week",
        ),
        FetchOutcome::Throttled => {
            let wait = ladder(inputs.failures.saturating_add(1), DAY).max(interval);
            Floor::new(wait, ReasonKind::Throttled, "the server asks to slow down")
        }
        FetchOutcome::Failed(failure) => backoff(inputs, failure.kind),
    }
}

/// The wait after a failure: once soon, for most failures pass; then twice as long each time.
fn backoff(inputs: &Inputs<'_>, kind: FailureKind) -> Floor {
    let interval = inputs.settings.interval;
    if inputs.failures <= 1 && is_transient(kind) {
        let wait = (interval / 4).max(5 * MINUTE).min(interval);
        return Floor::new(wait, ReasonKind::Retry, "first failure: once more, soon");
    }
    let cap = match kind {
        FailureKind::Unauthorized
        | FailureKind::Forbidden
        | FailureKind::NotFound
        | FailureKind::NotAFeed
        | FailureKind::Malformed
        | FailureKind::TooLarge
        | FailureKind::BadUrl
        | FailureKind::BlockedAddress => 2 * DAY,
        _ => DAY,
    };
    let wait = ladder(inputs.failures, cap).max(interval);
    let text = format!("{} failures in a row: {}", inputs.failures, short(wait));
    Floor::new(wait, ReasonKind::Backoff, text)
}

/// Passes by itself, as a rule.
fn is_transient(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Resolver
            | FailureKind::Connect
            | FailureKind::Timeout
            | FailureKind::BadResponse
            | FailureKind::Truncated
            | FailureKind::ServerError
    )
}

/// 30 minutes, doubled with each failure, up to `cap`; it never ends, so a feed is never given up.
fn ladder(failures: u32, cap: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (30 * MINUTE * (1 << doublings)).min(cap)
}

/// The response is fresh for longer: asking again before would be asking a cache. RFC 9111 4.2.
fn freshness(inputs: &Inputs<'_>) -> Option<Floor> {
    let remaining = Duration::try_from(inputs.freshness.remaining?).ok()?;
    let wait = remaining.min(inputs.settings.max_interval);
    Some(Floor::new(wait, ReasonKind::Freshness, format!("fresh for {}", short(remaining))))
}

/// RSS 2.0 `ttl`, RSS 1.0 syndication module, JSON Feed `expired`.
fn hint(inputs: &Inputs<'_>) -> Option<Floor> {
    if inputs.hints.expired {
        return Some(Floor::new(7 * DAY, ReasonKind::Hint, "the feed says that it has ended"));
    }
    let (name, seconds) = match (inputs.hints.ttl, inputs.hints.period) {
        (Some(ttl), period) if Some(ttl) >= period => ("ttl", ttl),
        (_, Some(period)) => ("update period", period),
        (Some(ttl), None) => ("ttl", ttl),
        (None, None) => return None,
    };
    let asked = Duration::from_secs(seconds);
    let wait = asked.min(inputs.settings.max_interval);
    Some(Floor::new(wait, ReasonKind::Hint, format!("the feed's {name} is {}", short(asked))))
}

/// RFC 9110 10.2.3: never earlier, whatever the outcome was.
fn retry_after(inputs: &Inputs<'_>) -> Option<Floor> {
    let asked = Duration::try_from(inputs.freshness.retry_after?).ok()?;
    let text = format!("the server asks to wait {}", short(asked));
    Some(Floor::new(asked.min(RETRY_AFTER_MAX), ReasonKind::Throttled, text))
}

/// Up to a tenth of the wait and half an hour, only ever later, so that feeds drift apart.
///
/// A hash of feed and time, not a random number: the same inputs give the same plan.
fn jitter(inputs: &Inputs<'_>, wait: Duration) -> Duration {
    let mut hash = Sha256::new();
    hash.update(inputs.feed.as_str());
    hash.update(inputs.now.as_millisecond().to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let share =
        f64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])) / f64::from(u32::MAX);
    (wait / 10).min(HOUR / 2).mul_f64(share)
}

/// `now + wait`, to the end of time at most.
fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A duration for people: `1h 30m`.
fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .take(2)
        .map(|(n, unit)| format!("{n}{unit}"))
        .collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Failure;

    fn failed(kind: FailureKind) -> FetchOutcome {
        FetchOutcome::Failed(Failure::new(kind, "x"))
    }

    /// The plan of a feed at the epoch, with the parts that a test does not care for filled in.
    fn planned(outcome: &FetchOutcome, failures: u32, freshness: Freshness, hints: &Hints) -> Plan {
        let feed = FeedId::new("a").unwrap();
        let (settings, now) = (Settings::default(), Timestamp::UNIX_EPOCH);
        plan(&Inputs { settings: &settings, feed: &feed, outcome, failures, freshness, hints, now })
    }

    #[test]
    fn hours_and_days_that_the_publisher_skips_are_left_out() {
        // The epoch is a Thursday, midnight; the interval of an hour would end in hour 1.
        let hints = Hints { skip_hours: vec![1, 2, 3], ..Hints::default() };
        let ok = FetchOutcome::NotModified;
        let next = planned(&ok, 0, Freshness::default(), &hints);
        assert!((4 * HOUR..5 * HOUR).contains(&wait(&next)), "{next:?}");
        assert!(next.reason.text.contains("skipHours"), "{next:?}");
        let hints = Hints { skip_days: vec![3, 4, 5, 6], ..Hints::default() };
        let next = planned(&ok, 0, Freshness::default(), &hints);
        assert_eq!(next.at.to_string()[..11], *"1970-01-05T", "the Monday after");
    }

    #[test]
    fn a_publisher_who_skips_every_hour_cannot_mean_it() {
        for hints in [
            Hints { skip_hours: (0..24).collect(), ..Hints::default() },
            Hints { skip_days: (0..7).collect(), ..Hints::default() },
        ] {
            let next = planned(&FetchOutcome::NotModified, 0, Freshness::default(), &hints);
            assert_eq!(next.reason.kind, ReasonKind::Interval);
            assert!(wait(&next) < 2 * HOUR);
        }
    }

    #[test]
    fn hints_may_be_ignored_for_a_feed_but_retry_after_never() {
        let feed = FeedId::new("a").unwrap();
        let settings = Settings { hints: Heed::Ignore, ..Settings::default() };
        let hints = Hints { ttl: Some(80_000), skip_hours: vec![1], ..Hints::default() };
        let fresh =
            Freshness { remaining: Some(SignedDuration::from_hours(20)), ..Freshness::default() };
        let at = |freshness| {
            let (outcome, now) = (&FetchOutcome::NotModified, Timestamp::UNIX_EPOCH);
            let (settings, feed, hints) = (&settings, &feed, &hints);
            plan(&Inputs { settings, feed, outcome, failures: 0, freshness, hints, now })
        };
        assert!(wait(&at(fresh)) < 2 * HOUR);
        let told = Freshness { retry_after: Some(SignedDuration::from_hours(20)), ..fresh };
        assert!(wait(&at(told)) >= 20 * HOUR);
    }

    fn wait(plan: &Plan) -> Duration {
        Duration::from_millis(plan.at.as_millisecond().unsigned_abs())
    }

    fn fresh(seconds: i64) -> Freshness {
        Freshness { remaining: Some(SignedDuration::from_secs(seconds)), retry_after: None }
    }

    #[test]
    fn a_feed_that_answers_is_polled_after_its_interval() {
        let plan = planned(&FetchOutcome::NotModified, 0, Freshness::default(), &Hints::default());
        assert_eq!(plan.reason.kind, ReasonKind::Interval);
        assert_eq!(plan.reason.text, "interval 1h");
        assert!(wait(&plan) >= HOUR && wait(&plan) <= HOUR + 6 * MINUTE);
    }

    #[test]
    fn a_response_that_stays_fresh_is_not_asked_for_again_before() {
        let plan = planned(&FetchOutcome::NotModified, 0, fresh(3 * 3600), &Hints::default());
        assert_eq!(plan.reason.kind, ReasonKind::Freshness);
        assert!(wait(&plan) >= 3 * HOUR);
    }

    #[test]
    fn a_server_cannot_silence_a_feed_for_years() {
        let year = fresh(365 * 86_400);
        let hints = Hints { ttl: Some(u64::MAX), ..Hints::default() };
        let plan = planned(&FetchOutcome::Modified, 0, year, &hints);
        assert!(wait(&plan) <= DAY + HOUR / 2);
    }

    #[test]
    fn retry_after_is_kept_even_when_it_is_longer_than_everything_else() {
        let freshness =
            Freshness { remaining: None, retry_after: Some(SignedDuration::from_hours(50)) };
        let plan = planned(&FetchOutcome::Throttled, 1, freshness, &Hints::default());
        assert_eq!(plan.reason.kind, ReasonKind::Throttled);
        assert!(wait(&plan) >= 50 * HOUR);
    }

    #[test]
    fn the_first_failure_is_tried_again_soon_and_the_rest_ever_more_slowly() {
        let outcome = failed(FailureKind::Timeout);
        let waits: Vec<Duration> = (1..=30)
            .map(|n| wait(&planned(&outcome, n, Freshness::default(), &Hints::default())))
            .collect();
        assert!(waits[0] < HOUR / 2, "{:?}", waits[0]);
        assert!(waits[1] >= HOUR && waits[3] >= 4 * HOUR);
        assert!(waits.iter().all(|wait| *wait <= DAY + HOUR / 2), "never given up");
    }

    #[test]
    fn a_feed_that_is_gone_is_probed_once_a_week() {
        let plan = planned(&FetchOutcome::Gone, 3, Freshness::default(), &Hints::default());
        assert!(wait(&plan) >= 7 * DAY && wait(&plan) <= 8 * DAY);
    }

    proptest! {
        #[test]
        fn no_plan_is_before_any_floor(
            failures in 0_u32..100,
            remaining in -10_i64..10_000_000,
            retry in -10_i64..10_000_000,
            ttl in 0_u64..1_000_000,
            kind in 0..FailureKind::ALL.len(),
            failing: bool,
        ) {
            let outcome = if failing { failed(FailureKind::ALL[kind]) } else { FetchOutcome::Modified };
            let freshness = Freshness {
                remaining: Some(SignedDuration::from_secs(remaining)),
                retry_after: Some(SignedDuration::from_secs(retry)),
            };
            let hints = Hints { ttl: Some(ttl), ..Hints::default() };
            let got = wait(&planned(&outcome, failures, freshness, &hints));
            let max = Settings::default().max_interval;
            let floor = |seconds: i64, cap: Duration| Duration::from_secs(seconds.max(0).unsigned_abs()).min(cap);
            prop_assert!(got >= floor(remaining, max));
            prop_assert!(got >= floor(retry, RETRY_AFTER_MAX));
            prop_assert!(got >= Duration::from_secs(ttl).min(max));
            prop_assert!(got >= 5 * MINUTE);
            prop_assert!(got <= RETRY_AFTER_MAX + HOUR / 2);
        }
    }
}
