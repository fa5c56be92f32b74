//! Whether the wall clock can be trusted. Nothing is polled while it is certainly wrong. After it has jumped, nothing is
//! polled for ten minutes and nothing is deleted for a day: a clock that is ahead for a moment must neither date items,
//! for they keep their dates, nor expire every text.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::telemetry::{Event, Problem, Readiness};

/// Difference to the time since the start of the machine from which the clock has jumped. A suspend is not a jump.
pub(super) const JUMP: SignedDuration = SignedDuration::from_hours(1);
/// Time without polls after a jump. A clock that is corrected soon dates no item.
const NO_POLLS: Duration = Duration::from_secs(10 * 60);
/// Time without deletions after a jump.
const NO_DELETIONS: Duration = Duration::from_secs(24 * 60 * 60);
/// Time since the last poll after which a start waits with deletions too.
const LONG_OFF: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The state of the wall clock.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    clock: Clock,
    readiness: Readiness,
    /// Wall clock and time since the start of the machine at the last look.
    last: (Timestamp, Duration),
    /// Monotonic time until which nothing is polled.
    doubted_until: Duration,
    /// Monotonic time until which nothing is deleted.
    kept_until: Duration,
    trust: Trust,
}

/// Whether the time is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The time is possible.
    Trusted,
    /// It has just jumped.
    Doubted,
    /// It is before this version of newswire was made.
    Untrusted,
}

impl ClockWatch {
    /// The state at the start; `last_poll` is the time of the last poll of any feed, `jump` by how much the clock was set
    /// since the process before.
    pub(crate) fn new(
        clock: Clock,
        readiness: Readiness,
        (last_poll, jump): (Option<Timestamp>, SignedDuration),
    ) -> Self {
        let now = clock.now();
        let last = (now, clock.since_boot());
        let trust = Trust::Trusted;
        let (doubted_until, kept_until) = (Duration::ZERO, Duration::ZERO);
        let mut watch = Self { clock, readiness, last, doubted_until, kept_until, trust };
        if jump.abs() > JUMP {
            watch.jumped(jump);
        } else if let Some(last_poll) = last_poll {
            let difference = now.duration_since(last_poll);
            if difference < -JUMP {
                watch.jumped(difference);
            } else if difference > LONG_OFF {
                watch.keep();
            }
        }
        watch.look();
        watch
    }

    /// Looks at the clock. Returns whether it can be trusted.
    pub(crate) fn look(&mut self) -> Trust {
        let (now, boot) = (self.clock.now(), self.clock.since_boot());
        let passed = SignedDuration::try_from(boot.saturating_sub(self.last.1));
        let jump = now.duration_since(self.last.0) - passed.unwrap_or(SignedDuration::MAX);
        self.last = (now, boot);
        if jump.abs() > JUMP {
            self.jumped(jump);
        } else if self.clock.elapsed() >= self.kept_until {
            self.readiness.remove(Problem::ClockJumped);
        }
        let trust = match now < self.clock.earliest() {
            true => Trust::Untrusted,
            false => Trust::Trusted,
        };
        if trust != self.trust {
            let (event, code) = (Event::ClockChanged.slug(), Problem::ClockUntrusted.slug());
            match trust {
                Trust::Untrusted => {
                    self.readiness.add(Problem::ClockUntrusted);
                    warn!(event, code, at = %now, "clock wrong, nothing is polled");
                }
                Trust::Trusted | Trust::Doubted => {
                    self.readiness.remove(Problem::ClockUntrusted);
                    self.keep();
                    info!(event, code, at = %now, "clock set");
                }
            }
            self.trust = trust;
        }
        match trust {
            Trust::Trusted if self.clock.elapsed() < self.doubted_until => Trust::Doubted,
            trust => trust,
        }
    }

    /// Whether texts that are past retention may be deleted.
    pub(crate) fn may_delete(&mut self) -> bool {
        self.look() == Trust::Trusted && self.clock.elapsed() >= self.kept_until
    }

    fn jumped(&mut self, by: SignedDuration) {
        self.keep();
        self.doubted_until = self.clock.elapsed() + NO_POLLS;
        self.readiness.add(Problem::ClockJumped);
        let (event, code) = (Event::ClockChanged.slug(), Problem::ClockJumped.slug());
        let seconds = by.as_secs();
        warn!(
            event,
            code, seconds, "clock jumped, nothing is polled for ten minutes or deleted for a day"
        );
    }

    fn keep(&mut self) {
        self.kept_until = self.clock.elapsed() + NO_DELETIONS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(days * 86_400).unwrap()
    }

    fn watch(last_poll: Option<i64>) -> (Clock, Readiness, ClockWatch) {
        let (clock, readiness) = (Clock::manual(at(20_000)), Readiness::default());
        readiness.remove(Problem::NotPolledYet);
        let last_poll = (last_poll.map(at), SignedDuration::ZERO);
        let watch = ClockWatch::new(clock.clone(), readiness.clone(), last_poll);
        (clock, readiness, watch)
    }

    #[test]
    fn nothing_is_deleted_for_a_day_after_a_jump() {
        let (clock, readiness, mut watch) = watch(None);
        clock.advance(HOUR);
        assert!(watch.may_delete());
        // 500 days ahead for a moment.
        let before = clock.now();
        clock.set_wall(at(20_500));
        assert!(!watch.may_delete());
        assert_eq!(readiness.problems(), [Problem::ClockJumped]);
        clock.set_wall(before);
        watch.look();
        for _ in 0..23 {
            clock.advance(HOUR);
            assert!(!watch.may_delete());
        }
        clock.advance(HOUR);
        assert!(watch.may_delete());
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn nothing_is_polled_for_ten_minutes_after_a_jump() {
        let (clock, _, mut watch) = watch(Some(19_999));
        assert_eq!(watch.look(), Trust::Trusted);
        clock.set_wall(at(20_500));
        assert_eq!(watch.look(), Trust::Doubted);
        clock.advance(Duration::from_secs(300));
        clock.set_wall(at(20_000));
        assert_eq!(watch.look(), Trust::Doubted);
        clock.advance(Duration::from_secs(599));
        assert_eq!(watch.look(), Trust::Doubted);
        clock.advance(Duration::from_secs(1));
        assert_eq!(watch.look(), Trust::Trusted);
    }

    #[test]
    fn a_clock_that_was_set_before_the_start_is_doubted() {
        for (jump, trust) in [(1, Trust::Trusted), (2, Trust::Doubted), (-2, Trust::Doubted)] {
            let (clock, readiness) = (Clock::manual(at(20_000)), Readiness::default());
            let jump = SignedDuration::from_hours(jump);
            let mut watch = ClockWatch::new(clock, readiness, (Some(at(20_000)), jump));
            assert_eq!(watch.look(), trust, "{jump}");
        }
    }

    #[test]
    fn small_corrections_of_the_clock_are_no_jump() {
        let (clock, readiness, mut watch) = watch(Some(19_999));
        for step in 0..100 {
            clock.advance(Duration::from_secs(60));
            clock.set_wall(
                clock.now() + SignedDuration::from_secs(if step % 2 == 0 { 3_599 } else { -3_599 }),
            );
            assert!(watch.may_delete());
        }
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn a_time_before_this_version_is_not_trusted() {
        let (clock, readiness, mut watch) = watch(None);
        clock.set_earliest(at(20_001));
        assert_eq!(watch.look(), Trust::Untrusted);
        assert_eq!(readiness.problems(), [Problem::ClockUntrusted]);
        clock.advance(DAY);
        assert_eq!(watch.look(), Trust::Trusted);
        assert!(!watch.may_delete(), "a day after it was set");
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn a_start_far_from_the_last_poll_waits_with_deletions() {
        for (last_poll, may) in [(20_002, false), (19_999, true), (19_500, false)] {
            let (clock, _, mut watch) = watch(Some(last_poll));
            assert_eq!(watch.may_delete(), may, "{last_poll}");
            clock.advance(DAY);
            assert!(watch.may_delete());
        }
    }
}
