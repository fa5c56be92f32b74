//! What another config makes of a plan that was made before: pure.
//!
//! An interval that was changed counts from the last poll, not from the next one. Waits that a
//! server or a failure asked for stay as they are.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::plan::{Inputs, plan};
use super::settings::{IntervalMode, PublisherHints, Settings};
use crate::model::{Considered, FeedId, FetchOutcome, Freshness, Hints, Plan, ReasonKind};

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
