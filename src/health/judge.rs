//! How a feed is doing, in one word, with the reason and what to do: the one place that decides it.

use jiff::Timestamp;

use super::remedy::{self, Remedy};
use super::silence::{Silence, Silent, silence};
use super::state::State;
use crate::model::words::span;
use crate::model::{FailureKind, FeedStatus, Outcome};

/// So many panics in a row put a feed into quarantine.
const PANICS: u32 = 3;

/// From so many failures in a row on, somebody should look at a feed that worked before.
const AGAIN: u32 = 2;

/// How a feed is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// In one word.
    pub state: State,
    /// Slug of what exactly: of the failure, of the silence, or of the state itself.
    pub cause: &'static str,
    /// Why: a sentence, plain; empty where the feed is well.
    pub why: String,
    /// Since when; `None`: that is not known, or nothing is the matter.
    pub since: Option<Timestamp>,
    /// What to do.
    pub remedy: Option<Remedy>,
    /// Whether it failed only once, after it had worked: most failures pass by themselves.
    pub slip: bool,
}

impl Health {
    /// Whether somebody should look at it.
    #[must_use]
    pub fn needs_you(&self) -> bool {
        self.state.needs_you() && !self.slip
    }
}

/// A feed and how it is doing.
pub type Judged = (FeedStatus, Health);

/// Decides how each of these feeds is doing.
#[must_use]
pub fn judge_all(statuses: Vec<FeedStatus>, now: Timestamp) -> Vec<Judged> {
    let judged = |status: FeedStatus| {
        let health = judge(&status, now);
        (status, health)
    };
    statuses.into_iter().map(judged).collect()
}

/// Decides how a feed is doing.
#[must_use]
pub fn judge(status: &FeedStatus, now: Timestamp) -> Health {
    let state = state(status, now);
    match state {
        (State::Silent, Some(silent)) => {
            let remedy = remedy::silent(status, silent.kind);
            let (cause, since) = (silent.kind.slug(), Some(silent.since));
            let why = why_silent(&silent, now);
            Health { state: State::Silent, cause, why, since, remedy: Some(remedy), slip: false }
        }
        (state, silent) => {
            let kind = failure(status);
            let cause = match (state, silent, kind) {
                (State::Failing, Some(silent), _) => silent.kind.slug(),
                (State::Failing, None, Some(kind)) => kind.slug(),
                _ => state.slug(),
            };
            let why = match silent {
                Some(silent) if state == State::Failing => {
                    format!("{}: {}", silent.kind.says(), why(status, state, now))
                }
                _ => why(status, state, now),
            };
            Health {
                state,
                cause,
                why,
                since: since(status, state),
                remedy: remedy::of(status, state, kind),
                slip: state == State::Failing
                    && status.failures < AGAIN
                    && status.last_success_at.is_some(),
            }
        }
    }
}

/// How many of these feeds are in each state, the worst first; those without any are there too.
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

fn state(status: &FeedStatus, now: Timestamp) -> (State, Option<Silent>) {
    let Some(outcome) = status.last_outcome else { return (State::New, None) };
    let silent = silence(status, now);
    let state = match (outcome, status.failures) {
        (Outcome::Failed(FailureKind::Panicked), PANICS..) => State::Quarantined,
        (Outcome::Gone, _) => State::Gone,
        (Outcome::Throttled, _) => State::Throttled,
        (Outcome::Modified | Outcome::NotModified, _) if silent.is_some() => State::Silent,
        (Outcome::Modified | Outcome::NotModified, _) if status.activity.held > 0 => State::Held,
        (Outcome::Modified | Outcome::NotModified, _) if status.address.effective.is_some() => {
            State::Moved
        }
        (Outcome::Modified | Outcome::NotModified, _) => State::Well,
        // It failed, and that was not counted against it.
        (_, 0) => State::Offline,
        _ => State::Failing,
    };
    (state, silent)
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

fn why(status: &FeedStatus, state: State, now: Timestamp) -> String {
    let lasting = status.failing_since.map(|since| {
        let seconds = now.duration_since(since).as_secs().max(0).unsigned_abs();
        match status.failures {
            0 | 1 => String::new(),
            times => format!(" ({times} times in {})", span(seconds)),
        }
    });
    let lasting = lasting.unwrap_or_default();
    match state {
        State::Failing => {
            let message = status.last_message.as_deref().unwrap_or("the last poll failed");
            format!("{message}{lasting}")
        }
        State::Quarantined => format!(
            "newswire panicked on this feed {} times in a row, and leaves it alone for a day",
            status.failures
        ),
        State::Gone => format!("the server says that the feed is gone for good{lasting}"),
        State::Throttled => format!("the server asks to slow down{lasting}"),
        State::Held => match status.activity.held {
            1 => "1 item waits for your word".to_owned(),
            many => format!("{many} items wait for your word"),
        },
        State::Moved => match &status.address.effective {
            Some(url) => format!("moved for good, and asked at {url}"),
            None => String::new(),
        },
        State::Offline => "this machine seems to be offline: no feed's fault".to_owned(),
        State::New => "not polled yet".to_owned(),
        State::Silent | State::Well => String::new(),
    }
}

fn why_silent(silent: &Silent, now: Timestamp) -> String {
    let seconds = |duration: jiff::SignedDuration| duration.as_secs().max(0).unsigned_abs();
    let lasts = span(seconds(now.duration_since(silent.since)));
    let says = silent.kind.says();
    match (silent.kind, silent.patience) {
        (Silence::EmptyDocument | Silence::SoftNotFound, _) | (_, None) => {
            format!("{says}, for {lasts} now")
        }
        (_, Some(patience)) => format!(
            "nothing new for {lasts}, where by its habits something comes within {}: {says}",
            span(seconds(patience))
        ),
    }
}
