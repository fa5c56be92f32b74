//! The states of feeds, and the state of one feed with its reason and remedy. No other code decides it.

use jiff::{SignedDuration, Timestamp};

use super::remedy::{self, Remedy};
use super::silence::{Silence, SilenceKind, silence};
use crate::model::{FailureKind, FeedStatus, Outcome, ReasonKind};
use crate::text::amounts::{count, span};

/// Number of panics in a row that put a feed into quarantine.
const QUARANTINE_PANICS: u32 = 3;

/// Number of failures in a row from which on a feed that worked before needs attention. Most failures
/// pass after one poll.
const ATTENTION_FAILURES: u32 = 2;

/// Number of polls in a row without success from which on a feed has failed for long.
const LASTING_FAILURES: u32 = 3;
/// Time that these polls must have taken.
const LASTING_TIME: SignedDuration = SignedDuration::from_hours(6);

/// The health of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// State of the feed.
    pub state: State,
    /// Slug of the failure or of the kind of silence, else of the state.
    pub code: &'static str,
    /// Why the feed is in this state, plain text without a full stop; empty if it is OK.
    pub text: String,
    /// Since when it is in this state; `None`: unknown, or the feed is OK.
    pub since: Option<Timestamp>,
    /// What the operator can do; `None`: nothing.
    pub remedy: Option<Remedy>,
    /// Whether the operator should look at the feed.
    pub needs_attention: bool,
}

/// A feed with its health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedFeed {
    /// What is recorded about the feed.
    pub status: FeedStatus,
    /// What follows from it: the state of the feed with its causes.
    pub health: Health,
}

/// Determines the state of each feed at `now`.
#[must_use]
pub fn judge_all(statuses: Vec<FeedStatus>, now: Timestamp) -> Vec<JudgedFeed> {
    let judged = |status: FeedStatus| JudgedFeed { health: judge(&status, now), status };
    statuses.into_iter().map(judged).collect()
}

/// Decides the health of a feed.
#[must_use]
pub fn judge(status: &FeedStatus, now: Timestamp) -> Health {
    let silence = silence(status, now);
    let state = state(status, silence.is_some());
    match silence {
        Some(silence) if state == State::Silent => Health {
            state,
            code: silence.kind.slug(),
            text: silence_text(&silence, now),
            since: Some(silence.since),
            remedy: Some(remedy::of_silence(status, silence.kind)),
            needs_attention: true,
        },
        silence => {
            let failure = failure(status);
            let text = text(status, state, now);
            Health {
                state,
                code: match (state, silence, failure) {
                    (State::Failing, Some(silence), _) => silence.kind.slug(),
                    (State::Failing, None, Some(kind)) => kind.slug(),
                    _ => state.slug(),
                },
                text: match silence {
                    Some(silence) if state == State::Failing => {
                        format!("{}: {text}", silence.kind.text())
                    }
                    _ => text,
                },
                since: since(status, state),
                remedy: remedy::of_state(status, state, failure),
                needs_attention: needs_attention(status, state, now),
            }
        }
    }
}

/// Whether the operator should look at a feed in this state. The others are as the operator wants them, or pass by
/// themselves: most failures do after one poll, and a server asks for fewer requests for some hours.
fn needs_attention(status: &FeedStatus, state: State, now: Timestamp) -> bool {
    match state {
        State::Quarantined | State::Silent | State::Gone | State::Held | State::Moved => true,
        State::Failing => status.failures >= ATTENTION_FAILURES || status.last_success_at.is_none(),
        State::Throttled => fails_for_long(status, now),
        State::Offline | State::Paused | State::New | State::Ok => false,
    }
}

/// Whether polls have had no success for so long that it is an incident.
pub(super) fn fails_for_long(status: &FeedStatus, now: Timestamp) -> bool {
    let lasts = |since: Timestamp| now.duration_since(since) >= LASTING_TIME;
    status.failures >= LASTING_FAILURES && status.failing_since.is_some_and(lasts)
}

/// The number of feeds in each state, the worst state first; includes states without feeds.
#[must_use]
pub fn tally<'h>(healths: impl IntoIterator<Item = &'h Health>) -> Vec<(State, usize)> {
    let mut counts: Vec<(State, usize)> = State::ALL.iter().map(|state| (*state, 0)).collect();
    for health in healths {
        if let Some((_, count)) = counts.iter_mut().find(|(state, _)| *state == health.state) {
            *count += 1;
        }
    }
    counts
}

fn failure(status: &FeedStatus) -> Option<FailureKind> {
    match status.last_outcome? {
        Outcome::Failed(kind) => Some(kind),
        _ => None,
    }
}

fn state(status: &FeedStatus, is_silent: bool) -> State {
    if status.reason == ReasonKind::Paused {
        return State::Paused;
    }
    let Some(outcome) = status.last_outcome else { return State::New };
    match (outcome, status.failures) {
        (Outcome::Failed(FailureKind::Panicked), QUARANTINE_PANICS..) => State::Quarantined,
        (Outcome::Gone, _) => State::Gone,
        (Outcome::Throttled, _) => State::Throttled,
        (Outcome::Modified | Outcome::NotModified, _) if is_silent => State::Silent,
        (Outcome::Modified | Outcome::NotModified, _) if status.activity.held > 0 => State::Held,
        (Outcome::Modified | Outcome::NotModified, _) if status.address.effective.is_some() => {
            State::Moved
        }
        (Outcome::Modified | Outcome::NotModified, _) => State::Ok,
        // A failure while this machine was offline is not counted.
        (_, 0) => State::Offline,
        _ => State::Failing,
    }
}

fn since(status: &FeedStatus, state: State) -> Option<Timestamp> {
    match state {
        State::Failing | State::Quarantined | State::Gone | State::Throttled => {
            status.failing_since
        }
        State::Offline => status.last_poll_at,
        _ => None,
    }
}

fn text(status: &FeedStatus, state: State, now: Timestamp) -> String {
    let lasting = status.failing_since.map(|since| {
        let seconds = now.duration_since(since).as_secs().max(0).unsigned_abs();
        match status.failures {
            0 | 1 => String::new(),
            // The failures may be of several kinds.
            polls => format!("; {polls} polls in {} without success", span(seconds)),
        }
    });
    let lasting = lasting.unwrap_or_default();
    match state {
        State::Failing => {
            let message = status.last_message.as_deref().unwrap_or("the last poll failed");
            format!("{message}{lasting}")
        }
        State::Quarantined => {
            format!("newswire panicked on this feed and does not poll it for a day{lasting}")
        }
        State::Gone => format!("the server answers that the feed is gone{lasting}"),
        State::Throttled => format!("the server asks for fewer requests{lasting}"),
        State::Held => format!("the burst guard holds {}", count(status.activity.held, "item")),
        State::Moved => match &status.address.effective {
            Some(url) => format!("moved permanently and polled at {url}"),
            None => String::new(),
        },
        State::Offline => "this machine seems to be offline".to_owned(),
        State::Paused => "paused in the config".to_owned(),
        State::New => "not polled yet".to_owned(),
        State::Silent | State::Ok => String::new(),
    }
}

fn silence_text(silence: &Silence, now: Timestamp) -> String {
    let seconds = |duration: jiff::SignedDuration| duration.as_secs().max(0).unsigned_abs();
    let lasts = span(seconds(now.duration_since(silence.since)));
    let text = silence.kind.text();
    match (silence.kind, silence.threshold) {
        (SilenceKind::EmptyDocument | SilenceKind::SoftNotFound, _) | (_, None) => {
            format!("{text} (for {lasts})")
        }
        (_, Some(threshold)) => {
            let threshold = span(seconds(threshold));
            format!("no new items for {lasts}, expected within {threshold}: {text}")
        }
    }
}

/// Declares [`State`] with its slugs, the worst state first.
macro_rules! states {
    ($($(#[$doc:meta])* $state:ident = $slug:literal, $group:literal;)*) => {
        /// The state of a feed, ordered from the worst.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum State { $($(#[$doc])* $state,)* }

        impl State {
            /// Every state, the worst first.
            pub const ALL: &'static [Self] = &[$(Self::$state,)*];

            /// The stable name, as metrics, JSON and URLs have it.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$state => $slug,)* }
            }

            /// The label of the group of feeds in this state.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $(Self::$state => $group,)* }
            }

            /// The state with this slug.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.slug() == slug)
            }
        }
    };
}

states! {
    /// Newswire panicked on it several times in a row, and does not poll it for a day.
    Quarantined = "quarantined", "quarantined";
    /// Its last polls failed.
    Failing = "failing", "failing";
    /// It answers, but has had no new items for much longer than usual.
    Silent = "silent", "silent";
    /// Its server answers that it is gone (410).
    Gone = "gone", "gone";
    /// Its server asks for fewer requests.
    Throttled = "throttled", "throttled";
    /// The burst guard holds items of it until the operator releases them.
    Held = "held", "with held items";
    /// It has moved permanently.
    Moved = "moved", "moved";
    /// It could not be reached, because this machine seems to be offline.
    Offline = "offline", "offline";
    /// The operator paused it: it is not polled.
    Paused = "paused", "paused";
    /// It has not been polled yet.
    New = "new", "not polled yet";
    /// Its last poll succeeded.
    Ok = "ok", "OK";
}

impl State {
    /// The label of one feed in this state.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            state => state.slug(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::health::{Condition, advance, conditions};
    use crate::model::{FeedId, FeedInfo, FeedKey, FeedProfile, Incident};

    const HOUR: i64 = 3_600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// A feed that worked before and whose last `failures` polls had no success, the first one at time 0.
    fn failed(outcome: Outcome, failures: u32) -> FeedStatus {
        let info = FeedInfo {
            key: FeedKey(1),
            id: FeedId::new("garden").unwrap(),
            url: "https://garden.example/feed".to_owned(),
            title: "Garden".to_owned(),
            tags: Vec::new(),
            profile: FeedProfile::default(),
        };
        FeedStatus {
            reason: ReasonKind::BackOff,
            failures,
            failing_since: (failures > 0).then(|| at(0)),
            last_poll_at: Some(at(0)),
            last_outcome: Some(outcome),
            last_message: Some("the server answers 404".to_owned()),
            last_success_at: Some(at(-HOUR)),
            items: 1,
            ..FeedStatus::unpolled(info)
        }
    }

    fn is_incident(status: FeedStatus, now: Timestamp) -> bool {
        !conditions(&judge_all(vec![status], now), now).is_empty()
    }

    #[test]
    fn a_feed_needs_attention_if_it_fails_twice_or_never_worked_or_is_held_up() {
        let failing = Outcome::Failed(FailureKind::NotFound);
        let never = FeedStatus { last_success_at: None, ..failed(failing, 1) };
        let mut held = failed(Outcome::Modified, 0);
        held.activity.held = 3;
        let mut moved = failed(Outcome::NotModified, 0);
        moved.address.effective = Some("https://new.example/feed".parse().unwrap());
        let paused = FeedStatus { reason: ReasonKind::Paused, ..failed(failing, 9) };
        for (status, hours, needs) in [
            (failed(failing, 1), 100, false),
            (failed(failing, 2), 0, true),
            (never, 0, true),
            (held, 0, true),
            (moved, 0, true),
            (failed(Outcome::Gone, 1), 0, true),
            (paused, 100, false),
            (failed(Outcome::Modified, 0), 0, false),
            (failed(Outcome::Throttled, 1), 100, false),
            (failed(Outcome::Throttled, 9), 5, false),
            (failed(Outcome::Throttled, 3), 6, true),
        ] {
            let health = judge(&status, at(hours * HOUR));
            assert_eq!(health.needs_attention, needs, "{health:?}");
        }
    }

    #[test]
    fn what_is_an_incident_needs_attention() {
        let outcomes = [Outcome::Throttled, Outcome::Gone, Outcome::Modified];
        let failures = FailureKind::ALL.iter().map(|kind| Outcome::Failed(*kind));
        for outcome in failures.chain(outcomes) {
            for (failures, hours) in [(1, 0), (2, 9), (3, 5), (3, 6), (9, 90)] {
                let now = at(hours * HOUR);
                let status = failed(outcome, failures);
                let health = judge(&status, now);
                assert!(health.needs_attention || !is_incident(status, now), "{health:?}");
            }
        }
    }

    #[test]
    fn a_failing_feed_that_is_throttled_meanwhile_does_not_work_again() {
        let now = at(7 * HOUR);
        let of = |outcome| conditions(&judge_all(vec![failed(outcome, 4)], now), now);
        let present = HashSet::from(["garden".to_owned()]);
        let step = |known: &[Incident], found: &[Condition]| advance(known, found, &present, now);
        let open = step(&[], &of(Outcome::Failed(FailureKind::NotFound)));
        let later = step(&open, &of(Outcome::Throttled));
        let [incident] = &*later else { panic!("{later:?}") };
        assert_eq!((&*incident.state, incident.resolved_at), ("throttled", None));
        assert!(!incident.remedy.is_empty(), "{incident:?}");
    }

    #[test]
    fn polls_without_success_are_not_counted_as_failures_of_the_last_kind() {
        for outcome in [Outcome::Failed(FailureKind::NotFound), Outcome::Throttled, Outcome::Gone] {
            let text = judge(&failed(outcome, 4), at(2 * HOUR)).text;
            assert!(text.ends_with("; 4 polls in 2h without success"), "{text}");
        }
        let panicked = judge(&failed(Outcome::Failed(FailureKind::Panicked), 3), at(HOUR));
        assert_eq!(panicked.state, State::Quarantined);
        assert!(!panicked.text.contains("times"), "{}", panicked.text);
    }
}
