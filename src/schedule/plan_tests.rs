//! Plans: never before a floor, never never.

use proptest::prelude::*;

use super::learned::{Learned, LearnedFrom};
use super::plan::*;
use super::settings::{IntervalMode, PublisherHints, Settings};
use std::sync::LazyLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Failure, FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, ReasonKind,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn failed(kind: FailureKind) -> FetchOutcome {
    FetchOutcome::Failed(Failure::new(kind, "x"))
}

/// The plan of a feed at the epoch, with the parts that a test does not care for filled in.
fn planned(outcome: &FetchOutcome, failures: u32, freshness: Freshness, hints: &Hints) -> Plan {
    let feed = FeedId::new("a").unwrap();
    let settings = Settings { interval_mode: IntervalMode::Fixed, ..Settings::default() };
    plan(&Inputs { outcome, failures, freshness, hints, ..usual(&settings, &feed) })
}

/// A successful poll at the epoch, without anything that the publisher or the server asks for.
fn usual<'a>(settings: &'a Settings, feed: &'a FeedId) -> Inputs<'a> {
    static NO_HINTS: LazyLock<Hints> = LazyLock::new(Hints::default);
    Inputs {
        settings,
        feed,
        outcome: &FetchOutcome::NotModified,
        failures: 0,
        freshness: Freshness::default(),
        hints: &NO_HINTS,
        learned: None,
        unconditional: None,
        promise: None,
        now: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn hours_and_days_that_the_publisher_skips_are_left_out() {
    // The epoch is a Thursday, midnight; the interval of an hour would end in hour 1.
    let hints = Hints { skip_hours: vec![1, 2, 3], ..Hints::default() };
    let ok = FetchOutcome::NotModified;
    let next = planned(&ok, 0, Freshness::default(), &hints);
    assert!((4 * HOUR..5 * HOUR).contains(&wait(&next)), "{next:?}");
    assert!(next.reason.text.contains("skipHours"), "{next:?}");
    let hints = Hints { skip_days: vec![3], ..Hints::default() };
    let next = planned(&ok, 0, Freshness::default(), &hints);
    assert_eq!(next.at.to_string()[..11], *"1970-01-02T", "the Friday after");
}

#[test]
fn hints_never_delay_a_poll_beyond_max_interval() {
    let ok = FetchOutcome::NotModified;
    let long = Some(10 * 86_400);
    for hints in [
        Hints { skip_days: vec![3, 4, 5, 6, 0, 1], ..Hints::default() },
        Hints { ttl: long, ..Hints::default() },
        Hints { period: long, ..Hints::default() },
        Hints { expired: true, ..Hints::default() },
    ] {
        let next = planned(&ok, 0, Freshness::default(), &hints);
        assert!((DAY..=DAY + HOUR / 2).contains(&wait(&next)), "{next:?}");
        assert!(
            next.reason.text.ends_with("max_interval, 1d")
                || next.reason.text.ends_with("; waits 1d, max_interval"),
            "{next:?}"
        );
    }
    let endless = Hints { ttl: Some(u64::MAX / 1000), ..Hints::default() };
    let next = planned(&ok, 0, Freshness::default(), &endless);
    assert_eq!(next.reason.text, "the feed's ttl is more than a year; waits 1d, max_interval");
    let next = planned(&ok, 0, fresh(10 * 86_400), &Hints::default());
    assert_eq!(next.reason.text, "fresh for 10d; waits 1d, max_interval");
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
    let settings = Settings { publisher_hints: PublisherHints::Ignore, ..Settings::default() };
    let hints = Hints { ttl: Some(80_000), skip_hours: vec![1], ..Hints::default() };
    let fresh =
        Freshness { remaining: Some(SignedDuration::from_hours(20)), ..Freshness::default() };
    let at = |freshness| plan(&Inputs { freshness, hints: &hints, ..usual(&settings, &feed) });
    assert!(wait(&at(fresh)) < 2 * HOUR);
    let told = Freshness { retry_after: Some(SignedDuration::from_hours(20)), ..fresh };
    assert!(wait(&at(told)) >= 20 * HOUR);
}

fn wait(plan: &Plan) -> Duration {
    Duration::from_millis(plan.at.as_millisecond().unsigned_abs())
}

fn fresh(seconds: i64) -> Freshness {
    Freshness { remaining: Some(SignedDuration::from_secs(seconds)), ..Freshness::default() }
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
        Freshness { retry_after: Some(SignedDuration::from_hours(50)), ..Freshness::default() };
    let plan = planned(&FetchOutcome::Throttled, 1, freshness, &Hints::default());
    assert_eq!(plan.reason.kind, ReasonKind::Throttled);
    assert_eq!(plan.reason.text, "the server asks to wait 2d 2h");
    assert!(wait(&plan) >= 50 * HOUR);
}

#[test]
fn a_wait_that_is_cut_is_shown_with_its_limit() {
    let ten_days = Some(SignedDuration::from_hours(240));
    let freshness = Freshness { retry_after: ten_days, ..Freshness::default() };
    let plan = planned(&FetchOutcome::Throttled, 1, freshness, &Hints::default());
    assert_eq!(plan.reason.text, "the server asks to wait 10d; waits 7d, the longest wait");
    assert!(wait(&plan) <= RETRY_AFTER_MAX + HOUR / 2);
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
    for kind in FailureKind::ALL {
        let plan = planned(&failed(*kind), 30, Freshness::default(), &Hints::default());
        assert!((DAY..=DAY + HOUR / 2).contains(&wait(&plan)), "{kind:?}: {plan:?}");
    }
}

#[test]
fn a_feed_that_newswire_panics_on_is_left_alone_for_a_day() {
    let plan = |failures| {
        let outcome = failed(FailureKind::Panicked);
        planned(&outcome, failures, Freshness::default(), &Hints::default())
    };
    for failures in [1, 2] {
        assert!(wait(&plan(failures)) < 2 * HOUR);
    }
    for failures in [3, 4, 100] {
        let plan = plan(failures);
        assert!((DAY..DAY + HOUR).contains(&wait(&plan)), "{plan:?}");
        assert_eq!(plan.reason.kind, ReasonKind::Quarantine);
    }
    let other = failed(FailureKind::Timeout);
    let plan = planned(&other, 3, Freshness::default(), &Hints::default());
    assert_eq!(plan.reason.kind, ReasonKind::BackOff);
}

#[test]
fn a_feed_that_is_gone_is_polled_weekly_four_times_and_then_never() {
    let gone =
        |failures| planned(&FetchOutcome::Gone, failures, Freshness::default(), &Hints::default());
    for failures in 1..=4 {
        let plan = gone(failures);
        assert!(wait(&plan) >= 7 * DAY && wait(&plan) <= 8 * DAY, "{plan:?}");
    }
    assert!(gone(4).reason.text.ends_with("1 time left"), "{:?}", gone(4).reason);
    for failures in [5, 6, 1000] {
        assert!(wait(&gone(failures)) >= NEVER, "{failures}");
    }
}

#[test]
fn a_server_that_reports_an_error_gets_no_early_retry() {
    let first = |kind| {
        let outcome = failed(kind);
        wait(&planned(&outcome, 1, Freshness::default(), &Hints::default()))
    };
    for kind in [FailureKind::Refused, FailureKind::Reset, FailureKind::Timeout] {
        assert!(first(kind) < HOUR / 2, "{kind:?}");
    }
    let reported = [FailureKind::ServerError, FailureKind::ClientError, FailureKind::Forbidden];
    for kind in reported.into_iter().chain([FailureKind::BadResponse]) {
        assert!(first(kind) >= HOUR, "{kind:?}");
    }
    let throttled = planned(&FetchOutcome::Throttled, 1, Freshness::default(), &Hints::default());
    assert!(wait(&throttled) >= HOUR);
}

#[test]
fn a_complete_document_is_requested_at_most_once_a_day() {
    let feed = FeedId::new("a").unwrap();
    let settings = Settings::default();
    let planned = |unconditional| {
        let (outcome, unconditional) = (&FetchOutcome::Modified, Some(unconditional));
        wait(&plan(&Inputs { outcome, unconditional, ..usual(&settings, &feed) }))
    };
    let rest = |rest| planned(UnconditionalWait::Rest { rest, why: "x" });
    assert!(rest(20 * HOUR) >= 20 * HOUR && rest(900 * DAY) <= DAY + HOUR);
    let cut = |times| planned(UnconditionalWait::Repeated { times, why: "x" });
    assert!(cut(1) < 2 * HOUR && cut(4) >= 4 * HOUR && cut(99) >= DAY);
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
            ..Freshness::default()
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

#[test]
fn an_interval_that_is_learned_stays_within_its_bounds_and_says_so() {
    let feed = FeedId::new("a").unwrap();
    let settings = Settings { interval_mode: IntervalMode::Auto, ..Settings::default() };
    let planned = |learned| plan(&Inputs { learned, ..usual(&settings, &feed) });
    for (learned, least, most) in [
        (None, HOUR, 2 * HOUR),
        (Some(5 * HOUR), 5 * HOUR, 6 * HOUR),
        (Some(MINUTE), 15 * MINUTE, HOUR),
        (Some(30 * DAY), DAY, DAY + HOUR),
    ] {
        let basis = LearnedFrom::Gaps;
        let plan = planned(learned.map(|interval| Learned { interval, basis }));
        assert!((least..most).contains(&wait(&plan)), "{learned:?}: {plan:?}");
        let word = if learned.is_some() { "learned" } else { "until enough of its items" };
        assert!(plan.reason.text.contains(word), "{plan:?}");
    }
}
