//! Computes when a feed is polled next, and why. Pure.
//!
//! After a success: `next = now + max(interval, freshness lifetime, publisher hint, Retry-After)`. After a failure:
//! exponential back-off up to a day. Jitter only makes waits longer, so that no limit of a server is broken.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::learned::{Learned, LearnedFrom};
use super::settings::{IntervalMode, PublisherHints, Settings};
use crate::model::{
    Considered, FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, Promise, Reason,
    ReasonKind,
};
use crate::text::amounts::count;
use crate::text::sha256::Sha256;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// After this number of consecutive panics a feed is quarantined for a day.
const PANICS: u32 = 3;
/// Longest expected delay of a poll, in seconds: the time between two passes of cron.
const LATENESS: i64 = 15 * 60 - 1;
/// Number of weekly polls of a feed that is gone.
const GONE_POLLS: u32 = 4;
/// Time over which polls are spread after an outage: all together, and for each feed.
const AFTER_OUTAGE: Duration = Duration::from_secs(30);
const AFTER_OUTAGE_EACH: Duration = Duration::from_millis(50);
/// Wait of a feed that is not polled again: a hundred years.
pub const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Longest wait that `Retry-After` can cause.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The same with its name in texts.
const LONGEST_WAIT: (Duration, &str) = (RETRY_AFTER_MAX, "the longest wait");

/// The inputs of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Settings of the feed.
    pub settings: &'a Settings,
    /// Id of the feed, which seeds the jitter.
    pub feed: &'a FeedId,
    /// Outcome of the poll.
    pub outcome: &'a FetchOutcome,
    /// Number of consecutive failures, this one included; 0 after a success.
    pub failures: u32,
    /// Freshness lifetime and `Retry-After` of the response.
    pub freshness: Freshness,
    /// Publisher hints of the last document that was read.
    pub hints: &'a Hints,
    /// The learned interval, if it is known.
    pub learned: Option<Learned>,
    /// The wait before a request without validators, if the next request has to be one.
    pub unconditional: Option<UnconditionalWait>,
    /// The promise about the URL, its site or its address that ends last.
    pub promise: Option<&'a Promise>,
    /// End of the poll.
    pub now: Timestamp,
}

/// Why the next request has no validators, and how long it has to wait: it costs a complete document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnconditionalWait {
    /// The rest of a day since the last complete document.
    Rest {
        /// Time from now until a day has passed since the last complete document.
        rest: Duration,
        /// The reason as a phrase.
        why: &'static str,
    },
    /// Longer with each document that could not be kept.
    Repeated {
        /// Number of these documents in a row.
        times: u32,
        /// The reason as a phrase.
        why: &'static str,
    },
}

impl Inputs<'_> {
    /// Time between two successful polls.
    fn interval(&self) -> Duration {
        self.settings.interval_of(self.learned.map(|learned| learned.interval))
    }
}

/// Computes the plan of the next poll.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let mut best = base(inputs);
    let hints = match inputs.settings.publisher_hints {
        PublisherHints::Follow => [freshness(inputs), hint(inputs)],
        PublisherHints::Ignore => [None, None],
    };
    // Retry-After is not a hint: it is always followed.
    let always = [requested_wait(inputs), promised(inputs), unconditional(inputs)];
    let mut considered = vec![best.considered()];
    for floor in hints.into_iter().chain(always).flatten() {
        considered.push(floor.considered());
        if floor.wait > best.wait {
            best = floor;
        }
    }
    let jitter_of = |wait| {
        let jitter = jitter(inputs, wait);
        (jitter, MinimumWait::new(jitter, ReasonKind::Jitter, "later-only jitter").considered())
    };
    let (spread, note) = jitter_of(best.wait);
    considered.push(note);
    let at = later(inputs.now, best.wait + spread);
    let longest = inputs.settings.max_interval;
    let latest = later(inputs.now, longest);
    let allowed = Skipped::of(inputs).next_allowed(at);
    match allowed.map(|allowed| allowed.min(latest)).filter(|moved| *moved > at) {
        Some(moved) => {
            let text = match allowed > Some(moved) {
                true => format!(
                    "{}, moved by the feed's skipHours and skipDays to max_interval, {}",
                    best.text,
                    short(longest)
                ),
                false => format!("{}, moved out of the feed's skipHours and skipDays", best.text),
            };
            // Spread, so that not all feeds are polled at the start of the hour.
            let at = later(moved, jitter_of(HOUR).0);
            let wait = at.duration_since(inputs.now).try_into().unwrap_or_default();
            considered
                .push(MinimumWait::new(wait, ReasonKind::SkipHours, text.clone()).considered());
            Plan { at, reason: Reason { kind: ReasonKind::SkipHours, text }, considered }
        }
        None => Plan { at, reason: Reason { kind: best.kind, text: best.text }, considered },
    }
}

/// The plan of a feed that could not be reached because this machine is offline: soon, but spread, so that not all
/// feeds are polled at once when the network is back.
#[must_use]
pub fn while_offline(feed: &FeedId, now: Timestamp) -> Plan {
    let wait = 15 * MINUTE + (45 * MINUTE).mul_f64(share(feed, now));
    let text = "this machine seems to be offline".to_owned();
    let considered = vec![MinimumWait::new(wait, ReasonKind::Offline, text.clone()).considered()];
    Plan { at: later(now, wait), reason: Reason { kind: ReasonKind::Offline, text }, considered }
}

/// The plan of a feed that waited because this machine was offline, when a server has been reached again. `waiting` is
/// the number of these feeds: they are spread over 30 s, or more if they are many.
#[must_use]
pub fn after_outage(feed: &FeedId, waiting: usize, now: Timestamp) -> Plan {
    let many = u32::try_from(waiting).unwrap_or(u32::MAX);
    let over = AFTER_OUTAGE.max(AFTER_OUTAGE_EACH.saturating_mul(many));
    let wait = over.mul_f64(share(feed, now));
    let text = "this machine was offline until a moment ago".to_owned();
    let considered = vec![MinimumWait::new(wait, ReasonKind::Offline, text.clone()).considered()];
    Plan { at: later(now, wait), reason: Reason { kind: ReasonKind::Offline, text }, considered }
}

/// Hours and days in which the publisher asks not to be polled. RSS 2.0 `skipHours`, `skipDays`, GMT.
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

    /// The first allowed time from `at` on; `None`: all hours are skipped, which cannot be intended.
    fn next_allowed(&self, at: Timestamp) -> Option<Timestamp> {
        let mut second = at.as_second();
        for _ in 0..=7 * 24 {
            // A poll may start late, with cron by a quarter of an hour.
            if self.allows(second) && self.allows(second + LATENESS) {
                return Timestamp::from_second(second).ok().map(|allowed| allowed.max(at));
            }
            second = (second.div_euclid(3600) + 1) * 3600;
        }
        None
    }
}

/// One input of a plan, with the wait that it requires.
struct MinimumWait {
    wait: Duration,
    kind: ReasonKind,
    text: String,
}

impl MinimumWait {
    fn new(wait: Duration, kind: ReasonKind, text: impl Into<String>) -> Self {
        Self { wait, kind, text: text.into() }
    }

    /// The wait that was asked for, at most `longest`; the text then has the limit with its name.
    fn limited(
        asked: Duration,
        (longest, limit): (Duration, &str),
        kind: ReasonKind,
        text: String,
    ) -> Self {
        let text = match asked > longest {
            true => format!("{text}; waits {}, {limit}", short(longest)),
            false => text,
        };
        Self::new(asked.min(longest), kind, text)
    }

    fn considered(&self) -> Considered {
        Considered { kind: self.kind, text: self.text.clone(), wait: self.wait.as_secs() }
    }
}

/// The wait that the outcome requires.
fn base(inputs: &Inputs<'_>) -> MinimumWait {
    let interval = inputs.interval();
    match inputs.outcome {
        FetchOutcome::Modified | FetchOutcome::NotModified => {
            let text = match (inputs.settings.interval_mode, inputs.learned) {
                (IntervalMode::Fixed, _) => format!("interval {}", short(interval)),
                (IntervalMode::Auto, Some(learned)) => {
                    let basis = match learned.basis {
                        LearnedFrom::Gaps => "its items and its silence",
                        LearnedFrom::Replacement => "how soon other items replace its items",
                    };
                    format!("interval {}, learned from {basis}", short(interval))
                }
                (IntervalMode::Auto, None) => {
                    format!("interval {}, until enough of its items are known", short(interval))
                }
            };
            MinimumWait::new(interval, ReasonKind::Interval, text)
        }
        // RFC 9110 15.5.11: gone is likely permanent. A few weekly polls notice if it is not.
        FetchOutcome::Gone if inputs.failures <= GONE_POLLS => {
            let text = format!(
                "the server reports that the feed is gone: polled once a week, {} left",
                count((GONE_POLLS + 1 - inputs.failures.max(1)).into(), "time")
            );
            MinimumWait::new(7 * DAY, ReasonKind::Gone, text)
        }
        FetchOutcome::Gone => {
            let text =
                "the server reports that the feed is gone: not polled until its [[feed]] changes";
            MinimumWait::new(NEVER, ReasonKind::Gone, text)
        }
        FetchOutcome::Throttled => {
            let wait = exponential(inputs.failures.saturating_add(1)).max(interval);
            MinimumWait::new(wait, ReasonKind::Throttled, "the server asks to slow down")
        }
        FetchOutcome::Failed(failure) => back_off(inputs, failure.kind),
    }
}

/// The wait after a failure: a short one first, because most failures pass, then doubled with each failure.
fn back_off(inputs: &Inputs<'_>, kind: FailureKind) -> MinimumWait {
    let interval = inputs.interval();
    if kind == FailureKind::Panicked && inputs.failures >= PANICS {
        let text = "newswire panicked on this feed repeatedly: quarantined for a day";
        return MinimumWait::new(DAY.max(interval), ReasonKind::Quarantine, text);
    }
    if inputs.failures <= 1 && is_transient(kind) {
        let wait = (interval / 4).max(5 * MINUTE).min(interval);
        return MinimumWait::new(wait, ReasonKind::Retry, "first failure: one early retry");
    }
    let wait = exponential(inputs.failures).max(interval);
    let text =
        format!("{} in a row: back-off {}", count(inputs.failures.into(), "failure"), short(wait));
    MinimumWait::new(wait, ReasonKind::BackOff, text)
}

/// Whether failures of this kind usually pass soon. A server that reports an error itself gets no early retry.
fn is_transient(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Resolver
            | FailureKind::Connect
            | FailureKind::Refused
            | FailureKind::Reset
            | FailureKind::Timeout
            | FailureKind::Truncated
    )
}

/// 30 minutes, doubled with each failure, up to a day. A feed is never given up.
fn exponential(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (30 * MINUTE * (1 << doublings)).min(DAY)
}

/// The freshness lifetime that remains: an earlier request could be answered by a cache. RFC 9111 4.2.
fn freshness(inputs: &Inputs<'_>) -> Option<MinimumWait> {
    let remaining = Duration::try_from(inputs.freshness.remaining?).ok()?;
    let text = format!("fresh for {}", short(remaining));
    let limit = (inputs.settings.max_interval, "max_interval");
    Some(MinimumWait::limited(remaining, limit, ReasonKind::Freshness, text))
}

/// RSS 2.0 `ttl`, RSS 1.0 syndication module, JSON Feed `expired`.
fn hint(inputs: &Inputs<'_>) -> Option<MinimumWait> {
    let limit = (inputs.settings.max_interval, "max_interval");
    if inputs.hints.expired {
        let text = "the feed is marked as ended".to_owned();
        return Some(MinimumWait::limited(7 * DAY, limit, ReasonKind::PublisherHint, text));
    }
    let (name, seconds) = match (inputs.hints.ttl, inputs.hints.period) {
        (Some(ttl), period) if Some(ttl) >= period => ("ttl", ttl),
        (_, Some(period)) => ("update period", period),
        (Some(ttl), None) => ("ttl", ttl),
        (None, None) => return None,
    };
    let asked = Duration::from_secs(seconds);
    let text = match asked > YEAR {
        true => format!("the feed's {name} is more than a year"),
        false => format!("the feed's {name} is {}", short(asked)),
    };
    Some(MinimumWait::limited(asked, limit, ReasonKind::PublisherHint, text))
}

/// A complete document at most once a day from a server that takes no validators, and ever more rarely from one that
/// cuts its document.
fn unconditional(inputs: &Inputs<'_>) -> Option<MinimumWait> {
    let (wait, why) = match inputs.unconditional? {
        UnconditionalWait::Rest { rest, why } => (rest, why),
        UnconditionalWait::Repeated { times, why } => (exponential(times), why),
    };
    Some(MinimumWait::new(wait.min(DAY), ReasonKind::Unconditional, why))
}

/// RFC 9110 10.2.3: `Retry-After` counts after any outcome.
fn requested_wait(inputs: &Inputs<'_>) -> Option<MinimumWait> {
    let asked = Duration::try_from(inputs.freshness.retry_after?).ok()?;
    let text = format!("the server asks to wait {}", short(asked));
    Some(MinimumWait::limited(asked, LONGEST_WAIT, ReasonKind::Throttled, text))
}

/// A promise to the site or its address. One to the URL is its `Retry-After`.
fn promised(inputs: &Inputs<'_>) -> Option<MinimumWait> {
    let promise = inputs.promise?;
    let wait = Duration::try_from(promise.until.duration_since(inputs.now)).ok()?;
    let text = format!("the host asks to wait {} ({})", short(wait), promise.reason);
    Some(MinimumWait::limited(wait, LONGEST_WAIT, ReasonKind::Throttled, text))
}

/// Jitter: up to a tenth of the wait and at most half an hour, so that polls of different feeds spread.
///
/// It is a hash of feed and time, not a random number: the same inputs give the same plan.
fn jitter(inputs: &Inputs<'_>, wait: Duration) -> Duration {
    (wait / 10).min(HOUR / 2).mul_f64(share(inputs.feed, inputs.now))
}

/// A pseudo-random time for this feed within a span, so that feeds that are due together are spread.
#[must_use]
pub fn spread(feed: &FeedId, now: Timestamp, over: Duration) -> Timestamp {
    later(now, over.mul_f64(share(feed, now)))
}

/// A pseudo-random number from 0 to 1.
fn share(feed: &FeedId, now: Timestamp) -> f64 {
    let mut hash = Sha256::new();
    hash.update(feed.as_str());
    hash.update(now.as_millisecond().to_be_bytes());
    let hash: [u8; 32] = hash.finish();
    f64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])) / f64::from(u32::MAX)
}

/// `now + wait`, at most the latest timestamp.
fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A duration as text: `1h 30m`.
pub(super) fn short(duration: Duration) -> String {
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

/// The poll that a plan was made after.
#[derive(Debug, Clone, Copy)]
pub struct LastPoll<'a> {
    /// Time of the poll.
    pub at: Timestamp,
    /// Every input of its plan.
    pub considered: &'a [Considered],
}

impl LastPoll<'_> {
    /// Whether its plan would differ under these settings.
    #[must_use]
    pub fn is_outdated(&self, settings: &Settings) -> bool {
        // The plan of a failing feed does not depend on these settings.
        let Some(interval) = self.of(ReasonKind::Interval) else { return false };
        let of_publisher = self.of(ReasonKind::Freshness).max(self.of(ReasonKind::PublisherHint));
        let other_interval = match settings.interval_mode {
            IntervalMode::Fixed => interval != settings.interval,
            // The learned interval is not known here; the next poll uses it.
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

    /// The inputs of a plan after this poll, under other settings perhaps: as if it had brought nothing. Waits that a
    /// server asked for stay as they are.
    pub(super) fn inputs<'i>(
        &self,
        (settings, feed): (&'i Settings, &'i FeedId),
        hints: &'i Hints,
        learned: Option<Learned>,
    ) -> Inputs<'i> {
        let asked = |kind| SignedDuration::try_from(self.of(kind)?).ok();
        let freshness = Freshness {
            remaining: asked(ReasonKind::Freshness),
            retry_after: asked(ReasonKind::Throttled),
            ..Freshness::default()
        };
        let unconditional = self.of(ReasonKind::Unconditional).map(|rest| {
            let why = "the next request has no validators";
            UnconditionalWait::Rest { rest, why }
        });
        Inputs {
            settings,
            feed,
            outcome: &FetchOutcome::NotModified,
            failures: 0,
            freshness,
            hints,
            learned,
            unconditional,
            promise: None,
            now: self.at,
        }
    }

    fn of(&self, kind: ReasonKind) -> Option<Duration> {
        let of_kind = self.considered.iter().filter(|one| one.kind == kind);
        let wait = of_kind.map(|one| one.wait).max()?;
        Some(Duration::from_secs(wait))
    }
}

/// The plan that the last poll would have had under these settings: a changed interval counts from the last poll, and
/// waits that a server or a failure asked for stay as they are.
#[must_use]
pub fn revise(
    settings: &Settings,
    feed: &FeedId,
    last: &LastPoll<'_>,
    hints: &Hints,
    learned: Option<Learned>,
) -> Plan {
    plan(&last.inputs((settings, feed), hints, learned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn hours(hours: u32) -> Settings {
        let interval_mode = IntervalMode::Fixed;
        Settings { interval: hours * HOUR, interval_mode, ..Settings::default() }
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
            unconditional: None,
            promise: None,
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
    fn a_changed_interval_counts_from_the_last_poll() {
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
    fn waits_that_a_server_asked_for_are_kept() {
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
