//! When a feed is polled next, and why then: a pure function of what is known.
//!
//! `next = now + max(interval, freshness, hint)` after a success; after a failure a ladder that
//! never ends; then jitter, only ever later, so that a promise to a server is never broken.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::settings::{IntervalMode, PublisherHints, Settings};
use crate::model::{
    Considered, FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, Reason, ReasonKind,
};
use crate::text::amounts::count;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// After so many panics in a row a feed is left alone for a day.
const PANICS: u32 = 3;
/// However long a server asks us to stay away, we look again after a week.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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
    /// What the feed's rhythm asks for, where it is known.
    pub learned: Option<Duration>,
    /// When the poll ended.
    pub now: Timestamp,
}

impl Inputs<'_> {
    /// Between two polls of a feed that answers.
    fn interval(&self) -> Duration {
        let settings = self.settings;
        match (settings.interval_mode, self.learned) {
            (IntervalMode::Auto, Some(learned)) => learned
                .clamp(settings.min_interval, settings.max_interval.max(settings.min_interval)),
            _ => settings.interval,
        }
    }
}

/// Decides when the feed is polled next.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let mut best = base(inputs);
    let hints = match inputs.settings.publisher_hints {
        PublisherHints::Follow => [freshness(inputs), hint(inputs)],
        PublisherHints::Ignore => [None, None],
    };
    // Retry-After is no hint but an answer: it is kept in any case.
    let mut considered = vec![best.considered()];
    for floor in hints.into_iter().chain([retry_after(inputs)]).flatten() {
        considered.push(floor.considered());
        if floor.wait > best.wait {
            best = floor;
        }
    }
    let jitter_of = |wait| {
        let jitter = jitter(inputs, wait);
        (jitter, Floor::new(jitter, ReasonKind::Jitter, "later-only jitter").considered())
    };
    let (spread, note) = jitter_of(best.wait);
    considered.push(note);
    let at = later(inputs.now, best.wait + spread);
    match Skipped::of(inputs).next_allowed(at).filter(|allowed| *allowed > at) {
        Some(allowed) => {
            let text = format!("{}, moved out of the feed's skipHours and skipDays", best.text);
            // Not all at the stroke of the hour.
            let at = later(allowed, jitter_of(HOUR).0);
            let wait = at.duration_since(inputs.now).try_into().unwrap_or_default();
            considered.push(Floor::new(wait, ReasonKind::SkipHours, text.clone()).considered());
            Plan { at, reason: Reason { kind: ReasonKind::SkipHours, text }, considered }
        }
        None => Plan { at, reason: Reason { kind: best.kind, text: best.text }, considered },
    }
}

/// When a feed is tried again that could not be reached because this machine is offline: soon, but
/// not all of them at once when the network comes back.
#[must_use]
pub fn while_offline(feed: &FeedId, now: Timestamp) -> Plan {
    let wait = MINUTE + (10 * MINUTE).mul_f64(share(feed, now));
    let text = "this machine seems to be offline: no feed's fault".to_owned();
    let considered = vec![Floor::new(wait, ReasonKind::Offline, text.clone()).considered()];
    Plan { at: later(now, wait), reason: Reason { kind: ReasonKind::Offline, text }, considered }
}

/// The hours and days in which the publisher wants no visit. RSS 2.0 `skipHours`, `skipDays`, GMT.
struct Skipped<'a> {
    hours: &'a [u8],
    days: &'a [u8],
}

impl<'a> Skipped<'a> {
    fn of(inputs: &Inputs<'a>) -> Self {
        match inputs.settings.publisher_hints {
            PublisherHints::Follow => {
                Self { hours: &inputs.hints.skip_hours, days: &inputs.hints.skip_days }
            }
            PublisherHints::Ignore => Self { hours: &[], days: &[] },
        }
    }

    fn allows(&self, second: i64) -> bool {
        let hour = u8::try_from(second.div_euclid(3600).rem_euclid(24)).unwrap_or_default();
        // The epoch was a Thursday.
        let day = (second.div_euclid(86_400) + 3).rem_euclid(7);
        let day = u8::try_from(day).unwrap_or_default();
        !self.hours.contains(&hour) && !self.days.contains(&day)
    }

    /// The first moment from `at` on that is allowed; `None` when none is, which nobody can mean.
    fn next_allowed(&self, at: Timestamp) -> Option<Timestamp> {
        let mut second = at.as_second();
        for _ in 0..=7 * 24 {
            // A turn may come a little late: the end of an allowed hour is none of it.
            if self.allows(second) && self.allows(second + 59) {
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

    fn considered(&self) -> Considered {
        Considered { kind: self.kind, text: self.text.clone(), wait: self.wait.as_secs() }
    }
}

/// What the outcome alone asks for.
fn base(inputs: &Inputs<'_>) -> Floor {
    let interval = inputs.interval();
    match inputs.outcome {
        FetchOutcome::Modified | FetchOutcome::NotModified => {
            let text = match (inputs.settings.interval_mode, inputs.learned) {
                (IntervalMode::Fixed, _) => format!("interval {}", short(interval)),
                (IntervalMode::Auto, Some(_)) => {
                    format!("interval {}, learned from how often it publishes", short(interval))
                }
                (IntervalMode::Auto, None) => {
                    format!("interval {}, until its rhythm is known", short(interval))
                }
            };
            Floor::new(interval, ReasonKind::Interval, text)
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
    let interval = inputs.interval();
    if kind == FailureKind::Panicked && inputs.failures >= PANICS {
        let text = "newswire panicked on this feed again and again: quarantined for a day";
        return Floor::new(DAY.max(interval), ReasonKind::Quarantine, text);
    }
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
    let text = format!("{} in a row: {}", count(inputs.failures.into(), "failure"), short(wait));
    Floor::new(wait, ReasonKind::BackOff, text)
}

/// Passes by itself, as a rule.
fn is_transient(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Resolver
            | FailureKind::Connect
            | FailureKind::Refused
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
        return Some(Floor::new(
            7 * DAY,
            ReasonKind::PublisherHint,
            "the feed says that it has ended",
        ));
    }
    let (name, seconds) = match (inputs.hints.ttl, inputs.hints.period) {
        (Some(ttl), period) if Some(ttl) >= period => ("ttl", ttl),
        (_, Some(period)) => ("update period", period),
        (Some(ttl), None) => ("ttl", ttl),
        (None, None) => return None,
    };
    let asked = Duration::from_secs(seconds);
    let wait = asked.min(inputs.settings.max_interval);
    Some(Floor::new(
        wait,
        ReasonKind::PublisherHint,
        format!("the feed's {name} is {}", short(asked)),
    ))
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
    (wait / 10).min(HOUR / 2).mul_f64(share(inputs.feed, inputs.now))
}

/// Puts a feed anywhere into a span of time, so that many that are due at once are asked one after
/// another, in no order that anybody could have wished for.
#[must_use]
pub fn spread(feed: &FeedId, now: Timestamp, over: Duration) -> Timestamp {
    later(now, over.mul_f64(share(feed, now)))
}

/// A number from nought to one that looks like chance.
fn share(feed: &FeedId, now: Timestamp) -> f64 {
    let mut hash = Sha256::new();
    hash.update(feed.as_str());
    hash.update(now.as_millisecond().to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    f64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])) / f64::from(u32::MAX)
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

/// The poll that a plan came of.
#[derive(Debug, Clone, Copy)]
pub struct LastPoll<'a> {
    /// When it was.
    pub at: Timestamp,
    /// Every input of the plan.
    pub considered: &'a [Considered],
}

impl LastPoll<'_> {
    /// Whether its plan would be another one under these settings.
    #[must_use]
    pub fn is_outdated(&self, settings: &Settings) -> bool {
        // A feed that fails waits for reasons of its own.
        let Some(interval) = self.of(ReasonKind::Interval) else { return false };
        let of_publisher = self.of(ReasonKind::Freshness).max(self.of(ReasonKind::PublisherHint));
        let other_interval = match settings.interval_mode {
            IntervalMode::Fixed => interval != settings.interval,
            // What was learned is not known here; the next poll will heed it.
            IntervalMode::Auto => {
                !(settings.min_interval..=settings.max_interval).contains(&interval)
            }
        };
        let other_hints = match settings.publisher_hints {
            PublisherHints::Follow => of_publisher.is_some_and(|wait| {
                wait > settings.max_interval && self.of(ReasonKind::Throttled).is_none()
            }),
            PublisherHints::Ignore => of_publisher.is_some(),
        };
        other_interval || other_hints
    }

    fn of(&self, kind: ReasonKind) -> Option<Duration> {
        let wait = self.considered.iter().find(|one| one.kind == kind)?.wait;
        Some(Duration::from_secs(wait))
    }
}

/// The plan that the last poll would have had under these settings.
#[must_use]
pub fn revise(
    settings: &Settings,
    feed: &FeedId,
    last: &LastPoll<'_>,
    hints: &Hints,
    learned: Option<Duration>,
) -> Plan {
    let asked = |kind| SignedDuration::try_from(last.of(kind)?).ok();
    let freshness = Freshness {
        remaining: asked(ReasonKind::Freshness),
        retry_after: asked(ReasonKind::Throttled),
        ..Freshness::default()
    };
    let outcome = &FetchOutcome::NotModified;
    let (failures, now) = (0, last.at);
    plan(&Inputs { settings, feed, outcome, failures, freshness, hints, learned, now })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn hours(hours: u32) -> Settings {
        Settings { interval: hours * HOUR, ..Settings::default() }
    }

    fn polled(settings: &Settings, freshness: Freshness) -> Plan {
        plan(&Inputs {
            settings,
            feed: &FeedId::new("a").unwrap(),
            outcome: &FetchOutcome::NotModified,
            failures: 0,
            freshness,
            hints: &Hints::default(),
            learned: None,
            now: Timestamp::UNIX_EPOCH,
        })
    }

    fn revised(settings: &Settings, before: &Plan) -> Option<Plan> {
        let last = LastPoll { at: Timestamp::UNIX_EPOCH, considered: &before.considered };
        let feed = FeedId::new("a").unwrap();
        let outdated = last.is_outdated(settings);
        outdated.then(|| revise(settings, &feed, &last, &Hints::default(), None))
    }

    #[test]
    fn an_interval_that_was_changed_counts_from_the_last_poll() {
        let before = polled(&hours(24), Freshness::default());
        assert_eq!(revised(&hours(24), &before), None, "nothing changed");
        let after = revised(&hours(2), &before).unwrap();
        let wait = after.at.as_second();
        assert!((2 * 3600..3 * 3600).contains(&wait), "{wait}");
        assert_eq!(after.reason.text, "interval 2h");
        let longer = revised(&hours(48), &before).unwrap();
        assert!(longer.at.as_second() >= 48 * 3600);
    }

    #[test]
    fn what_a_server_asked_for_is_kept() {
        let asked = |seconds| Some(SignedDuration::from_secs(seconds));
        let told = Freshness { retry_after: asked(36_000), ..Freshness::default() };
        let before = polled(&hours(24), told);
        let after = revised(&hours(1), &before).unwrap();
        assert!(after.at.as_second() >= 36_000, "{after:?}");
        let fresh = Freshness { remaining: asked(36_000), ..Freshness::default() };
        let before = polled(&hours(1), fresh);
        assert_eq!(revised(&hours(1), &before), None);
        let after = revised(&hours(2), &before).unwrap();
        assert!(after.at.as_second() >= 36_000, "{after:?}");
        let ignoring = Settings { publisher_hints: PublisherHints::Ignore, ..hours(2) };
        let after = revised(&ignoring, &before).unwrap();
        assert!(after.at.as_second() < 3 * 3600, "{after:?}");
    }
}
