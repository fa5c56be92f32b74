//! When a stored plan is due, if the clock may have been set in the meantime, and the plans of polls that a promise to a
//! server ended. Pure.
//!
//! The time of the last poll and the planned time were written by the same clock, so that the wait between them is
//! right even if that clock was wrong. A clock that is behind the last poll was set back, or has no battery.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::plan::{short, spread};
use crate::clock::Moment;
use crate::model::{
    ClockMark, Considered, FeedId, Plan, Promise, PromiseScope, Reason, ReasonKind, StoredPlan,
};

/// Shortest time between two polls of a feed after the clock was set, if the plan did not ask for a shorter one.
const MINIMUM: SignedDuration = SignedDuration::from_mins(15);
/// Longest wait of any plan: `Retry-After` or an ended feed, and a week of skipDays.
const LONGEST: SignedDuration = SignedDuration::from_hours(15 * 24);
/// Difference of two clocks that is not a sign of a clock that was set.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// The time when a stored plan is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    /// Time of the next poll.
    pub due: Timestamp,
    /// Whether the clock was set back behind the last poll, so that the stored time is wrong.
    pub moved: bool,
}

/// When the plan is due by the clock that shows `now`.
#[must_use]
pub fn resume(stored: StoredPlan, now: Timestamp) -> Resumed {
    let StoredPlan { next_poll_at: next, last_poll_at, reason } = stored;
    let latest = |from: Timestamp| from.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
    // A feed that is new, or has another URL.
    let Some(last) = last_poll_at.filter(|_| next > Timestamp::UNIX_EPOCH) else {
        return Resumed { due: next.min(latest(now)), moved: false };
    };
    let wait = next.duration_since(last);
    if last > now.saturating_add(TOLERANCE).unwrap_or(Timestamp::MAX) {
        // Without a positive wait, an earlier run has already moved the plan.
        return match wait.is_positive() {
            true => Resumed { due: after(now, wait.min(LONGEST)), moved: true },
            false => Resumed { due: next.min(latest(now)), moved: false },
        };
    }
    // A feed that is gone may never be polled again.
    let due = if reason == ReasonKind::Gone { next } else { next.min(latest(last)) };
    let minimum = if wait.is_positive() { wait.min(MINIMUM) } else { MINIMUM };
    Resumed { due: due.max(after(last, minimum)), moved: false }
}

/// What has to be done with stored times because of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockChange {
    /// Nothing: the clock that they are by is unknown, and this one is behind them.
    Keep,
    /// They are by this clock from now on.
    Adopt(ClockMark),
    /// They are moved by this time, because the clock was set since they were written.
    Move(ClockMark, SignedDuration),
}

/// A jump of the clock from which its dates are not believed at once.
const LARGE_JUMP: SignedDuration = SignedDuration::from_hours(1);
/// Time since the last poll after which the clock of another run of the machine may be wrong.
const LONG_OFF: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Time without deletions after the clock was set.
const NO_DELETIONS: SignedDuration = SignedDuration::from_hours(24);

/// Compares the clock that stored times are by with the clock now. Within one run of the machine, the difference of the
/// wall clock to the time since its start changes only if the clock is set; after another start nothing is known.
/// `last_poll` is the latest stored time of a poll.
#[must_use]
pub fn clock_change(
    stored: Option<&ClockMark>,
    boot: String,
    last_poll: Option<Timestamp>,
    now: Moment,
) -> ClockChange {
    let since_boot = i64::try_from(now.since_boot.as_millis()).unwrap_or(i64::MAX);
    let offset = now.wall.as_millisecond().saturating_sub(since_boot);
    let mark = |set_at| ClockMark { boot: boot.clone(), offset, set_at };
    let set_before = stored.and_then(|stored| stored.set_at);
    match stored.filter(|stored| stored.boot == boot) {
        Some(stored) => {
            let by = SignedDuration::from_millis(offset.saturating_sub(stored.offset));
            // Less is a correction of a clock that is inaccurate.
            if by.abs() <= TOLERANCE {
                ClockChange::Adopt(mark(set_before))
            } else if by.abs() <= LARGE_JUMP {
                ClockChange::Move(mark(set_before), by)
            } else {
                ClockChange::Move(mark(Some(now.wall)), by)
            }
        }
        None if last_poll.is_some_and(|last| last.duration_since(now.wall) > TOLERANCE) => {
            ClockChange::Keep
        }
        None if last_poll.is_some_and(|last| now.wall.duration_since(last) > LONG_OFF) => {
            ClockChange::Adopt(mark(Some(now.wall)))
        }
        None => ClockChange::Adopt(mark(set_before)),
    }
}

/// Whether what is too old by the clock that shows `now` may be deleted: one that was set is believed after a day.
#[must_use]
pub fn may_delete(mark: Option<&ClockMark>, now: Timestamp) -> bool {
    let set_at = mark.and_then(|mark| mark.set_at);
    set_at.is_none_or(|set_at| now.duration_since(set_at) >= NO_DELETIONS)
}

/// By how much the wall clock was set between two moments of one process; zero: less than an hour.
#[must_use]
pub fn jump_between(before: Moment, now: Moment) -> SignedDuration {
    let passed = now.since_boot.saturating_sub(before.since_boot);
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    let jump = now.wall.duration_since(before.wall).saturating_sub(passed);
    if jump.abs() > LARGE_JUMP { jump } else { SignedDuration::ZERO }
}

fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// The shortest time to the next start of a feed that has just been planned to wait for `wait`.
pub(super) fn minimum(wait: SignedDuration) -> Duration {
    Duration::try_from(wait.min(MINIMUM)).unwrap_or_default()
}

/// The plan of a feed that may not be requested because of a promise: after its end, and spread, so that not all feeds
/// of a site are polled at once then.
#[must_use]
pub fn after_promise(feed: &FeedId, promise: &Promise, now: Timestamp) -> Plan {
    let who = match promise.scope {
        PromiseScope::Url => "the server",
        PromiseScope::Host => "the host",
        PromiseScope::Address => "another host at this address",
    };
    let wait = span(now, promise.until);
    let text = format!("{who} asks to wait {} ({})", short(wait.unsigned_abs()), promise.reason);
    planned(feed, (promise.until, ReasonKind::Throttled), text, now)
}

/// The plan of a feed whose URL was requested at `asked_at` without a result.
#[must_use]
pub fn after_unfinished(
    feed: &FeedId,
    asked_at: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Plan {
    // The text is stored, so that it names no age.
    let at = asked_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let text = format!("requested at {at} without a result that was stored for this feed");
    planned(feed, (until, ReasonKind::BackOff), text, now)
}

fn planned(
    feed: &FeedId,
    (until, kind): (Timestamp, ReasonKind),
    text: String,
    now: Timestamp,
) -> Plan {
    let wait = span(now, until);
    // Less than the jitter of feeds that were polled, so that the feed that was held comes first.
    let longest = (wait / 20).min(SignedDuration::from_mins(15)).unsigned_abs();
    let at = spread(feed, until, longest);
    let considered =
        vec![Considered { kind, text: text.clone(), wait: wait.unsigned_abs().as_secs() }];
    Plan { at, reason: Reason { kind, text }, considered }
}

/// Time from one moment to a later one; zero if it is not later.
fn span(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PromiseReason;

    const DAY: i64 = 24;
    const YEAR: i64 = 365 * DAY;
    /// A time at which the clock is right, in hours since 1970.
    const NOW: i64 = 56 * YEAR;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    /// Hours until a feed is due that was polled at `last` and planned for `next`.
    fn hours(last: i64, next: i64, now: i64) -> (f64, bool) {
        let stored = StoredPlan {
            next_poll_at: at(next),
            last_poll_at: Some(at(last)),
            reason: ReasonKind::Interval,
        };
        let resumed = resume(stored, at(now));
        (resumed.due.duration_since(at(now)).as_secs_f64() / 3600.0, resumed.moved)
    }

    #[test]
    fn nothing_is_deleted_for_a_day_after_the_clock_was_set() {
        let moment = |hour: i64, since_boot: u64| {
            let since_boot = Duration::from_secs(3600 * since_boot);
            Moment { wall: at(hour), elapsed: Duration::ZERO, since_boot }
        };
        let mark = |stored: Option<&ClockMark>, boot: &str, last, now| match clock_change(
            stored,
            boot.to_owned(),
            Some(at(last)),
            now,
        ) {
            ClockChange::Adopt(mark) | ClockChange::Move(mark, _) => mark,
            ClockChange::Keep => panic!("kept"),
        };
        let first = mark(None, "a", NOW, moment(NOW, 5));
        assert!(may_delete(None, at(NOW)) && may_delete(Some(&first), at(NOW)));
        // Set by 500 days, found by this process, by the next one and after a start of the machine.
        let later = NOW + 500 * DAY;
        let set = mark(Some(&first), "a", NOW, moment(later, 5));
        let next = mark(Some(&set), "a", later, moment(later + 1, 6));
        let booted = mark(Some(&next), "b", later + 1, moment(later + 2, 1));
        for mark in [&set, &next, &booted] {
            assert!(!may_delete(Some(mark), at(later + DAY - 1)));
            assert!(may_delete(Some(mark), at(later + DAY)));
        }
        // Set back: a day from then on.
        let back = mark(Some(&next), "a", later, moment(NOW + 2, 7));
        assert!(!may_delete(Some(&back), at(NOW + 2 + DAY - 1)));
        // A machine that was off for a month, or whose clock is wrong.
        let off = mark(Some(&first), "b", NOW, moment(NOW + 30 * DAY, 1));
        assert!(!may_delete(Some(&off), at(NOW + 30 * DAY + 1)));
        let short = mark(Some(&first), "b", NOW, moment(NOW + 6 * DAY, 1));
        assert!(may_delete(Some(&short), at(NOW + 6 * DAY)));
        // A correction of some minutes.
        let stored = ClockMark { offset: first.offset - 600_000, ..first };
        assert_eq!(mark(Some(&stored), "a", NOW, moment(NOW, 5)).set_at, None);
    }

    #[test]
    fn a_plan_is_kept_over_a_restart() {
        assert_eq!(hours(NOW - 1, NOW + 3, NOW), (3.0, false));
        assert_eq!(hours(NOW - 9, NOW - 5, NOW), (-5.0, false), "overdue");
    }

    #[test]
    fn after_a_clock_was_set_back_ten_years_the_wait_counts_from_now() {
        assert_eq!(hours(NOW, NOW + 4, NOW - 10 * YEAR), (4.0, true));
        // The moved plan is kept by the next run.
        assert_eq!(hours(NOW, NOW - 10 * YEAR + 4, NOW - 10 * YEAR + 1), (3.0, false));
        assert_eq!(hours(NOW, NOW - 10 * YEAR + 4, NOW - 10 * YEAR + 5), (-1.0, false));
    }

    #[test]
    fn a_boot_without_battery_clock_neither_forgets_nor_repeats_a_poll() {
        assert_eq!(hours(NOW, NOW + 24, 0), (24.0, true));
        // Moved in 1970, and then the clock was corrected.
        assert_eq!(hours(NOW, 24, NOW), (0.25, false));
    }

    #[test]
    fn stored_times_move_with_a_clock_that_is_set_while_the_machine_runs() {
        let moment = |hour: i64, since_boot: u64| {
            let since_boot = Duration::from_secs(3600 * since_boot);
            Moment { wall: at(hour), elapsed: Duration::ZERO, since_boot }
        };
        let change = |stored: Option<&ClockMark>, boot: &str, now| {
            clock_change(stored, boot.to_owned(), Some(at(NOW)), now)
        };
        let ClockChange::Adopt(mark) = change(None, "a", moment(NOW, 5)) else { panic!() };
        assert_eq!(change(Some(&mark), "a", moment(NOW + 2, 7)), ClockChange::Adopt(mark.clone()));
        let ahead = change(Some(&mark), "a", moment(NOW + YEAR, 5));
        let year = SignedDuration::from_hours(YEAR);
        let ClockChange::Move(ahead, by) = ahead else { panic!("{ahead:?}") };
        assert_eq!(by, year);
        let ClockChange::Move(back, by) = change(Some(&ahead), "a", moment(NOW, 5)) else {
            panic!()
        };
        assert_eq!((by, back.offset, back.set_at), (-year, mark.offset, Some(at(NOW))));
        // Another start of the machine: only a clock that is behind the last poll is certainly wrong.
        assert_eq!(change(Some(&mark), "b", moment(0, 0)), ClockChange::Keep);
        assert!(matches!(change(Some(&mark), "b", moment(NOW + YEAR, 0)), ClockChange::Adopt(_)));
    }

    #[test]
    fn a_plan_that_no_server_can_ask_for_is_cut_off() {
        assert_eq!(hours(NOW, NOW + YEAR, NOW), (15.0 * 24.0, false));
    }

    #[test]
    fn a_new_feed_is_due_at_once_and_a_gone_one_never() {
        let new = StoredPlan {
            next_poll_at: at(0),
            last_poll_at: Some(at(NOW)),
            reason: ReasonKind::New,
        };
        assert_eq!(resume(new, at(NOW)).due, at(0));
        let gone = StoredPlan { next_poll_at: at(3 * NOW), reason: ReasonKind::Gone, ..new };
        assert_eq!(resume(gone, at(NOW)).due, at(3 * NOW));
    }

    #[test]
    fn feeds_of_a_held_host_are_polled_after_its_end_one_after_another() {
        let (now, until) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(7200).unwrap());
        let promise = Promise {
            scope: PromiseScope::Host,
            key: "a.test".to_owned(),
            host: "a.test".to_owned(),
            until,
            reason: PromiseReason::RetryAfter,
            response_url: "http://a.test/".to_owned(),
            at: now,
        };
        let plan = |id: &str| after_promise(&FeedId::new(id).unwrap(), &promise, now);
        let (one, two) = (plan("one"), plan("two"));
        assert!(one.at >= until && two.at >= until && one.at != two.at);
        assert_eq!(one.reason.text, "the host asks to wait 2h (Retry-After)");
    }
}
