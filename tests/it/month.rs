//! A simulated month of 200 feeds on servers of every kind. The log of all requests is compared with the
//! rules of the schedule.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::clock::Moment;
use newswire::model::{
    Failure, FailureKind, FeedId, FeedKey, FetchOutcome, Freshness, Hints, Plan,
};
use newswire::schedule::{HostLimit, Inputs, Queue, QueueStep, Settings, plan};

const FEEDS: i64 = 200;
const DAYS: i64 = 30;
const SPACING: Duration = Duration::from_secs(2);
/// Duration of one exchange.
const EXCHANGE: i64 = 1;

/// Behaviour of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Temper {
    Plain,
    Fresh,
    Ttl,
    SkipsNights,
    Throttles,
    Fails,
    Flaky,
    Gone,
    NotThere,
}

const TEMPERS: [Temper; 10] = [
    Temper::Plain,
    Temper::Fresh,
    Temper::Plain,
    Temper::Ttl,
    Temper::SkipsNights,
    Temper::Throttles,
    Temper::Fails,
    Temper::Flaky,
    Temper::Gone,
    Temper::NotThere,
];

/// A request with its response.
struct Asked {
    at: i64,
    /// Earliest time of the next request, as set by the server.
    promise: i64,
}

struct Feed {
    id: FeedId,
    host: String,
    temper: Temper,
    failures: u32,
    log: Vec<Asked>,
}

impl Feed {
    fn new(n: i64) -> Self {
        // A quarter of the feeds is on one host.
        let host = if n % 4 == 0 { "crowd.test".to_owned() } else { format!("h{n}.test") };
        let temper = TEMPERS[usize::try_from(n).unwrap() % TEMPERS.len()];
        let id = FeedId::new(&format!("feed-{n}")).unwrap();
        Self { id, host, temper, failures: 0, log: Vec::new() }
    }

    fn failed(kind: FailureKind) -> FetchOutcome {
        FetchOutcome::Failed(Failure::new(kind, "x"))
    }

    /// Response to the next request, and the earliest time of the one after it.
    fn answer(&self, at: i64) -> (FetchOutcome, Freshness, Hints, i64) {
        let (nth, mut freshness, mut hints) =
            (self.log.len(), Freshness::default(), Hints::default());
        let mut promise = at;
        let outcome = match self.temper {
            Temper::Plain => FetchOutcome::NotModified,
            Temper::Fresh => {
                freshness.remaining = Some(SignedDuration::from_hours(7));
                promise = at + 7 * 3600;
                FetchOutcome::Modified
            }
            Temper::Ttl => {
                hints.ttl = Some(3 * 3600);
                promise = at + 3 * 3600;
                FetchOutcome::NotModified
            }
            Temper::SkipsNights => {
                hints.skip_hours = (0..6).collect();
                FetchOutcome::NotModified
            }
            Temper::Throttles if nth % 5 == 0 => {
                freshness.retry_after = Some(SignedDuration::from_hours(9));
                promise = at + 9 * 3600;
                FetchOutcome::Throttled
            }
            Temper::Throttles => FetchOutcome::NotModified,
            Temper::Fails => Self::failed(FailureKind::ServerError),
            Temper::Flaky if nth % 3 == 0 => Self::failed(FailureKind::Timeout),
            Temper::Flaky => FetchOutcome::Modified,
            Temper::Gone => FetchOutcome::Gone,
            Temper::NotThere => Self::failed(FailureKind::NotFound),
        };
        (outcome, freshness, hints, promise)
    }
}

fn wall(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn moment(second: i64) -> Moment {
    Moment { wall: wall(second), elapsed: Duration::from_secs(second.unsigned_abs()) }
}

/// The month: every feed with its log.
fn month() -> Vec<Feed> {
    let settings = Settings::default();
    let mut feeds: Vec<Feed> = (0..FEEDS).map(Feed::new).collect();
    let mut queue = Queue::new(64, Duration::ZERO);
    for (n, feed) in (0..).zip(&feeds) {
        queue.add(FeedKey(n), &feed.host, HostLimit { at_once: 1, spacing: SPACING }, wall(0));
    }
    let mut running: Vec<(i64, FeedKey, Plan)> = Vec::new();
    let mut now = 0;
    while now < DAYS * 86_400 {
        running.retain(|(ends, key, plan)| {
            let over = *ends <= now;
            if over {
                queue.done(*key, plan.at);
            }
            !over
        });
        match queue.next(moment(now)) {
            QueueStep::Poll(key) => {
                let feed = &mut feeds[usize::try_from(key.0).unwrap()];
                let (outcome, freshness, hints, promise) = feed.answer(now);
                feed.log.push(Asked { at: now, promise });
                feed.failures = if outcome.is_success() { 0 } else { feed.failures + 1 };
                let inputs = Inputs {
                    settings: &settings,
                    feed: &feed.id,
                    outcome: &outcome,
                    failures: feed.failures,
                    freshness,
                    hints: &hints,
                    learned: None,
                    promise: None,
                    now: wall(now + EXCHANGE),
                };
                running.push((now + EXCHANGE, key, plan(&inputs)));
            }
            QueueStep::Wait(until) => {
                let until = i64::try_from(until.as_secs_f64().ceil() as u64).unwrap();
                let ends = running.iter().map(|(ends, _, _)| *ends).min().unwrap_or(i64::MAX);
                now = until.min(ends).max(now + 1);
            }
        }
    }
    feeds
}

#[test]
fn no_request_in_a_month_is_too_early_and_no_host_gets_too_many() {
    let feeds = month();
    let mut by_host: HashMap<&str, Vec<i64>> = HashMap::new();
    for feed in &feeds {
        for pair in feed.log.windows(2) {
            let (before, next) = (&pair[0], &pair[1]);
            assert!(next.at >= before.promise, "{:?} {} at {}", feed.temper, feed.id, next.at);
            assert!(next.at - before.at >= 15 * 60, "{:?} twice within 15 minutes", feed.temper);
        }
        by_host.entry(&feed.host).or_default().extend(feed.log.iter().map(|asked| asked.at));
        if feed.temper == Temper::SkipsNights {
            let at_night = feed.log.iter().skip(1).filter(|asked| asked.at / 3600 % 24 < 6).count();
            assert_eq!(at_night, 0, "{} was asked in hours it skips", feed.id);
        }
    }
    for (host, mut times) in by_host {
        times.sort_unstable();
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= 2, "{host} was asked twice within two seconds");
        }
    }
}

#[test]
fn every_feed_is_polled_at_its_expected_rate_all_month() {
    for feed in month() {
        let a_day = feed.log.len() as f64 / DAYS as f64;
        let (least, most) = match feed.temper {
            Temper::Plain => (20.0, 24.0),
            Temper::Fresh => (3.0, 3.5),
            Temper::Ttl => (7.0, 8.0),
            Temper::SkipsNights => (15.0, 18.5),
            Temper::Throttles => (7.0, 15.0),
            Temper::Flaky => (20.0, 40.0),
            Temper::Fails => (0.8, 1.5),
            Temper::NotThere => (0.4, 1.0),
            Temper::Gone => (0.1, 0.3),
        };
        assert!((least..most).contains(&a_day), "{:?}: {a_day:.2} a day", feed.temper);
    }
}

#[test]
fn two_hundred_feeds_need_far_fewer_requests_than_hourly_polls() {
    let requests: usize = month().iter().map(|feed| feed.log.len()).sum();
    let (a_day, hourly) = (requests as f64 / DAYS as f64, (FEEDS * 24) as f64);
    assert!(a_day < 0.6 * hourly, "{a_day:.0} requests a day instead of {hourly:.0}");
}
