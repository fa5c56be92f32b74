//! Whose turn it is, tried on a clock that is a number.

use std::time::Duration;

use jiff::Timestamp;

use super::queue::{HostLimit, Queue, QueueStep};
use crate::clock::Moment;
use crate::model::FeedKey;

const GATE: HostLimit = HostLimit { at_once: 1, spacing: Duration::from_secs(2) };

fn at(seconds: u64) -> Moment {
    let wall = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
    let elapsed = Duration::from_secs(seconds);
    Moment { wall, elapsed, since_boot: elapsed }
}

#[test]
fn many_feeds_that_are_due_at_once_start_one_after_another() {
    let mut queue = Queue::new(8, Duration::from_secs(1));
    for key in 0..3 {
        queue.add(FeedKey(key), &format!("h{key}"), GATE, Timestamp::UNIX_EPOCH);
    }
    for second in 0..3 {
        assert!(matches!(queue.next(at(second)), QueueStep::Poll(_)), "{second}");
        let next = Duration::from_secs(second + 1);
        let QueueStep::Wait(until) = queue.next(at(second)) else { panic!("two at once") };
        assert!(second == 2 || until == next, "{until:?}");
    }
}

fn queue(feeds: &[(i64, &str)]) -> Queue {
    let mut queue = Queue::new(8, Duration::ZERO);
    for (key, host) in feeds {
        queue.add(FeedKey(*key), host, GATE, Timestamp::UNIX_EPOCH);
    }
    queue
}

fn started(queue: &mut Queue, now: Moment) -> Vec<i64> {
    std::iter::from_fn(|| match queue.next(now) {
        QueueStep::Poll(feed) => Some(feed.0),
        QueueStep::Wait(_) => None,
    })
    .collect()
}

#[test]
fn isolated_feeds_are_polled_after_all_others_and_alone() {
    let mut queue = queue(&[(1, "a"), (2, "b"), (3, "c"), (4, "d")]);
    queue.isolate(FeedKey(1));
    queue.isolate(FeedKey(3));
    let empty = [] as [i64; 0];
    assert_eq!(started(&mut queue, at(0)), [2, 4], "not while others run");
    queue.done(FeedKey(2), at(100).wall);
    assert_eq!(started(&mut queue, at(1)), empty);
    queue.done(FeedKey(4), at(10).wall);
    assert_eq!(started(&mut queue, at(2)), [1]);
    assert_eq!(started(&mut queue, at(10)), empty, "4 is due, and 1 is alone");
    // No result yet: it stays isolated.
    queue.done(FeedKey(1), at(50).wall);
    assert_eq!(started(&mut queue, at(11)), [4], "before 3");
    queue.done(FeedKey(4), at(1_000).wall);
    assert_eq!(started(&mut queue, at(12)), [3]);
    queue.trust(FeedKey(3));
    queue.done(FeedKey(3), at(100).wall);
    assert_eq!(started(&mut queue, at(50)), [1]);
    queue.trust(FeedKey(1));
    queue.done(FeedKey(1), at(100).wall);
    assert_eq!(started(&mut queue, at(100)).len(), 3, "as all others");
}

#[test]
fn isolated_feeds_wait_no_longer_than_half_an_hour() {
    let mut queue = queue(&[(1, "a"), (2, "b")]);
    queue.isolate(FeedKey(1));
    for minute in 0..30 {
        assert_eq!(started(&mut queue, at(minute * 60)), [2], "{minute}");
        queue.done(FeedKey(2), at(minute * 60).wall);
    }
    assert_eq!(started(&mut queue, at(30 * 60)), [1]);
    queue.remove(FeedKey(1));
    queue.done(FeedKey(1), at(0).wall);
    assert_eq!(started(&mut queue, at(30 * 60 + 2)), [2]);
}

#[test]
fn a_host_is_asked_once_at_a_time_and_hosts_take_turns() {
    let mut queue = queue(&[(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c")]);
    assert_eq!(started(&mut queue, at(0)), [1, 4, 5]);
    assert_eq!(queue.next(at(100)), QueueStep::Wait(Duration::from_secs(130)), "a is still busy");
    queue.done(FeedKey(1), at(10_000).wall);
    assert_eq!(started(&mut queue, at(100)), [2]);
}

#[test]
fn two_requests_to_one_host_start_no_closer_than_its_spacing() {
    let mut queue = queue(&[(1, "a"), (2, "a")]);
    assert_eq!(started(&mut queue, at(10)), [1]);
    queue.done(FeedKey(1), at(10_000).wall);
    assert_eq!(queue.next(at(11)), QueueStep::Wait(Duration::from_secs(12)));
    assert_eq!(started(&mut queue, at(12)), [2]);
}

#[test]
fn a_poll_without_a_request_delays_no_other_of_its_host() {
    let mut queue = queue(&[(1, "a"), (2, "a")]);
    assert_eq!(started(&mut queue, at(10)), [1]);
    queue.unasked(FeedKey(1));
    queue.done(FeedKey(1), at(10_000).wall);
    assert_eq!(started(&mut queue, at(10)), [2]);
}

#[test]
fn no_more_polls_run_than_the_bound_allows() {
    let mut queue = Queue::new(2, Duration::ZERO);
    for key in 0..5 {
        queue.add(FeedKey(key), &format!("host{key}"), GATE, Timestamp::UNIX_EPOCH);
    }
    assert_eq!(started(&mut queue, at(0)).len(), 2);
    queue.done(FeedKey(0), at(10_000).wall);
    assert_eq!(started(&mut queue, at(0)).len(), 1);
}

#[test]
fn a_feed_is_not_polled_before_it_is_due_nor_twice_at_once() {
    let mut queue = Queue::new(8, Duration::ZERO);
    queue.add(FeedKey(1), "a", GATE, at(20).wall);
    assert_eq!(queue.next(at(0)), QueueStep::Wait(Duration::from_secs(20)));
    assert_eq!(started(&mut queue, at(20)), [1]);
    assert_eq!(started(&mut queue, at(9_999)), [] as [i64; 0]);
}

#[test]
fn a_jump_of_the_wall_clock_is_noticed_within_half_a_minute() {
    let mut queue = Queue::new(8, Duration::ZERO);
    queue.add(FeedKey(1), "a", GATE, at(1_000_000).wall);
    assert_eq!(queue.next(at(5)), QueueStep::Wait(Duration::from_secs(35)));
}

#[test]
fn a_host_with_many_feeds_does_not_hold_up_the_others() {
    let mut feeds: Vec<(i64, &str)> = (0..1_000).map(|key| (key, "big")).collect();
    feeds.push((5_000, "small"));
    let mut queue = queue(&feeds);
    assert_eq!(started(&mut queue, at(0)), [0, 5_000]);
}

#[test]
fn a_removed_feed_is_polled_no_more_from_any_place_in_the_queue() {
    let mut queue = queue(&[(1, "a"), (2, "a"), (3, "b"), (4, "c")]);
    assert_eq!(queue.next(at(0)), QueueStep::Poll(FeedKey(1)));
    queue.remove(FeedKey(1));
    queue.remove(FeedKey(2));
    queue.remove(FeedKey(3));
    assert_eq!(started(&mut queue, at(10)), [4]);
    queue.done(FeedKey(1), Timestamp::UNIX_EPOCH);
    queue.done(FeedKey(4), Timestamp::MAX);
    assert_eq!(started(&mut queue, at(100)), [] as [i64; 0]);
    assert_eq!(queue.running(), 0);
}

#[test]
fn a_feed_that_comes_back_while_its_poll_is_under_way_is_not_polled_twice_at_once() {
    let mut queue = queue(&[(1, "a")]);
    assert_eq!(queue.next(at(0)), QueueStep::Poll(FeedKey(1)));
    queue.remove(FeedKey(1));
    queue.add(FeedKey(1), "b", GATE, Timestamp::UNIX_EPOCH);
    assert_eq!(started(&mut queue, at(10)), [] as [i64; 0]);
    queue.done(FeedKey(1), at(20).wall);
    assert_eq!(started(&mut queue, at(20)), [1]);
    queue.add(FeedKey(2), "a", GATE, Timestamp::UNIX_EPOCH);
    assert_eq!(started(&mut queue, at(20)), [2], "it has moved, its old host is free");
}

#[test]
fn a_feed_that_is_given_another_time_is_polled_then_and_once() {
    let mut queue = queue(&[(1, "a"), (2, "b")]);
    queue.add(FeedKey(1), "a", GATE, at(50).wall);
    queue.add(FeedKey(2), "b", GATE, Timestamp::UNIX_EPOCH);
    assert_eq!(started(&mut queue, at(0)), [2]);
    assert_eq!(started(&mut queue, at(50)), [1]);
    queue.add(FeedKey(3), "c", GATE, at(90).wall);
    queue.add(FeedKey(3), "c", GATE, at(70).wall);
    assert_eq!(started(&mut queue, at(70)), [3]);
    queue.done(FeedKey(3), Timestamp::MAX);
    assert_eq!(started(&mut queue, at(90)), [] as [i64; 0]);
}

#[test]
fn the_most_overdue_poll_determines_the_delay() {
    let mut queue = queue(&[(1, "a"), (2, "a"), (3, "b")]);
    let first = |queue: &Queue, second| queue.first_due(at(second)).map(|due| due.as_second());
    assert_eq!(first(&queue, 0), Some(0));
    assert_eq!(queue.next(at(0)), QueueStep::Poll(FeedKey(1)));
    assert_eq!(queue.next(at(0)), QueueStep::Poll(FeedKey(3)));
    assert_eq!(first(&queue, 1), Some(0), "one waits for its host");
    queue.done(FeedKey(3), at(50).wall);
    queue.remove(FeedKey(2));
    // It was not polled before.
    queue.add(FeedKey(4), "c", GATE, Timestamp::UNIX_EPOCH);
    queue.add(FeedKey(5), "c", GATE, Timestamp::UNIX_EPOCH);
    assert_eq!(queue.next(at(40)), QueueStep::Poll(FeedKey(4)));
    assert_eq!(first(&queue, 45), Some(40));
}

const YEAR: u64 = 365 * 86_400;

/// A moment with the wall clock set by this number of seconds.
fn set_by(jump: i64, elapsed: u64) -> Moment {
    let start = 1_800_000_000;
    let wall = Timestamp::from_second(start + jump + elapsed.cast_signed()).unwrap();
    let elapsed = Duration::from_secs(elapsed);
    Moment { wall, elapsed, since_boot: elapsed }
}

/// A queue whose feeds were polled once and have to wait for an hour.
fn polled_queue(count: i64) -> Queue {
    let mut queue = Queue::new(100, Duration::ZERO);
    for key in 0..count {
        queue.add(FeedKey(key), &format!("h{key}"), GATE, set_by(0, 0).wall);
    }
    assert_eq!(started(&mut queue, set_by(0, 0)).len(), usize::try_from(count).unwrap());
    for key in 0..count {
        queue.done(FeedKey(key), set_by(0, 3600).wall);
    }
    queue
}

/// Monotonic time of the next start, if the wall clock is off by this number of seconds.
fn next_start(queue: &mut Queue, jump: i64, from: u64) -> u64 {
    let mut elapsed = from;
    loop {
        match queue.next(set_by(jump, elapsed)) {
            QueueStep::Poll(_) => return elapsed,
            QueueStep::Wait(until) => elapsed = (until.as_secs()).max(elapsed + 1),
        }
    }
}

#[test]
fn a_clock_that_is_set_back_ten_years_changes_no_wait() {
    let mut queue = polled_queue(1);
    assert_eq!(next_start(&mut queue, -10 * YEAR.cast_signed(), 60), 3600);
    assert!(queue.take_jump().is_some_and(|jump| jump.is_negative()));
    assert_eq!(queue.take_jump(), None);
}

#[test]
fn after_a_suspend_overdue_feeds_are_polled() {
    let mut queue = polled_queue(1);
    let slept = Duration::from_secs(8 * 3600);
    let Moment { elapsed, since_boot, .. } = set_by(0, 60);
    let wall = set_by(8 * 3600, 60).wall;
    let now = Moment { wall, elapsed, since_boot: since_boot + slept };
    assert_eq!(started(&mut queue, now), [0]);
    assert_eq!(queue.take_jump(), None);
}

#[test]
fn after_a_pause_overdue_feeds_are_spread_over_half_a_minute_and_hosts_keep_their_limits() {
    // Suspended: the monotonic clock does not advance. Stopped: it does.
    for stands_still in [true, false] {
        for (feeds, hosts) in [(10_usize, 10_usize), (300, 100), (3, 1)] {
            let mut queue = Queue::new(64, Duration::from_millis(20));
            let host = |key: usize| format!("h{}", key % hosts);
            for key in 0..feeds {
                let feed = FeedKey(i64::try_from(key).unwrap());
                queue.add(feed, &host(key), GATE, set_by(0, 3_600).wall);
            }
            assert_eq!(started(&mut queue, set_by(0, 60)), [] as [i64; 0]);
            let slept = if stands_still { 0 } else { 8 * 3_600 };
            let (mut elapsed, end) = (Duration::from_secs(90 + slept), 90 + 8 * 3_600);
            let (begun, mut starts) = (elapsed, Vec::new());
            while starts.len() < feeds {
                let passed = elapsed - begun;
                let wall = set_by(0, end).wall + passed;
                let now = Moment { wall, elapsed, since_boot: Duration::from_secs(end) + passed };
                match queue.next(now) {
                    QueueStep::Poll(feed) => {
                        starts.push((passed, host(usize::try_from(feed.0).unwrap())));
                        queue.done(feed, set_by(0, end + 3_600).wall);
                    }
                    QueueStep::Wait(until) => {
                        elapsed = until.max(elapsed + Duration::from_millis(1));
                    }
                }
            }
            let (first, last) = (starts[0].0, starts[feeds - 1].0);
            assert!(first.is_zero(), "{first:?}");
            assert!((29..=60).contains(&last.as_secs()), "{feeds} feeds: {last:?}");
            for name in 0..hosts {
                let name = format!("h{name}");
                let own: Vec<_> = starts.iter().filter(|start| start.1 == name).collect();
                assert!(own.windows(2).all(|two| two[1].0 - two[0].0 >= GATE.spacing), "{name}");
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_forward_breaks_no_promise() {
    let mut queue = polled_queue(1);
    assert_eq!(next_start(&mut queue, 8 * 3600, 60), 3600);
}

#[test]
fn a_clock_that_is_a_year_ahead_and_back_again_changes_no_wait() {
    let mut queue = polled_queue(3);
    assert_eq!(started(&mut queue, set_by(YEAR.cast_signed(), 60)), [] as [i64; 0]);
    assert_eq!(next_start(&mut queue, 0, 120), 3600);
}

/// A queue of 20 new hosts and one known host, which are all due.
fn ramping() -> Queue {
    let mut queue = Queue::new(64, Duration::ZERO).ramping(["known".to_owned()].into());
    for key in 0..20 {
        queue.add(FeedKey(key), &format!("new{key}"), GATE, Timestamp::UNIX_EPOCH);
    }
    queue.add(FeedKey(100), "known", GATE, Timestamp::UNIX_EPOCH);
    queue
}

#[test]
fn new_hosts_start_slowly_and_do_not_delay_known_ones() {
    let mut queue = ramping();
    let first = started(&mut queue, at(0));
    assert_eq!((first.len(), first[0]), (17, 100), "{first:?}");
    assert_eq!(queue.next(at(0)), QueueStep::Wait(Duration::from_millis(500)));
    assert_eq!(queue.running(), 17, "feeds that wait occupy no slot");
    for second in 1..=4 {
        assert_eq!(started(&mut queue, at(second)), [15 + i64::try_from(second).unwrap()]);
    }
    assert!(started(&mut queue, at(9)).is_empty());
}

#[test]
fn new_hosts_that_wait_can_be_left_for_the_next_pass() {
    let mut queue = ramping();
    started(&mut queue, at(0));
    assert_eq!(queue.postpone_new(), 4);
    assert_eq!(started(&mut queue, at(60)), [] as [i64; 0]);
    assert_eq!(queue.postpone_new(), 0);
}
