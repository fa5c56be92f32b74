//! Whose turn it is: due feeds, host by host, under a global bound and a gate for each host.
//!
//! Pure: told the time, answers what to poll. Every step costs the logarithm of the number of
//! feeds, however many wait behind one host. Leaves polling to the daemon.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Moment;
use crate::model::FeedKey;

/// A wall-clock that jumps back must not put a feed to sleep: it is looked at this often, at least.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// Two addresses of one host that are throttled within this time are the host's own limit.
const EVIDENCE: Duration = Duration::from_secs(10 * 60);
/// Hosts at one address share a machine, or a network of caches that bears more: they are asked
/// this many times closer than one host is.
const SHARED: u32 = 10;
/// A host is left alone for a day at most; its feeds have waits of their own.
const LONGEST_HOLD: Duration = Duration::from_secs(24 * 60 * 60);

/// How many requests one host gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// At once.
    pub at_once: usize,
    /// Between two starts.
    pub spacing: Duration,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Poll this feed, and say [`Queue::done`] when it is over.
    Poll(FeedKey),
    /// Nothing before then, on the monotonic scale, unless a poll ends.
    Wait(Duration),
}

/// The feeds, in the order of their turns.
#[derive(Debug)]
pub struct Queue {
    /// Polls at once, over all hosts.
    concurrency: usize,
    /// Between two starts, whatever the host: a start, a suspend or a jump of the clock makes many
    /// feeds due at once.
    pace: Duration,
    /// Monotonic; no start is before.
    next_start: Duration,
    running: usize,
    feeds: HashMap<FeedKey, Slot>,
    /// Not due yet, by due time.
    sleeping: BinaryHeap<Reverse<(Timestamp, FeedKey)>>,
    hosts: HashMap<String, Host>,
    /// Monotonic, by address: the next start to any host there is not before.
    addresses: HashMap<IpAddr, Duration>,
    /// Hosts that have somebody waiting and room for him, by when the gate opens.
    open: BinaryHeap<Reverse<(Duration, u64, String)>>,
    /// Breaks ties among hosts in the order they came: hosts take turns.
    ticket: u64,
}

#[derive(Debug)]
struct Slot {
    host: String,
    gate: Gate,
    due: Timestamp,
}

#[derive(Debug, Default)]
struct Host {
    waiting: VecDeque<FeedKey>,
    running: usize,
    /// Monotonic; the next start is not before.
    opens: Duration,
    /// Whether the host stands in `open` already.
    queued: bool,
    /// Where it was found.
    address: Option<IpAddr>,
    /// The feed that was throttled last, and when.
    throttled: Option<(FeedKey, Duration)>,
}

impl Queue {
    /// An empty queue: so many polls at once, so much time between the starts of two of them.
    #[must_use]
    pub fn new(concurrency: usize, pace: Duration) -> Self {
        Self {
            concurrency: concurrency.max(1),
            pace,
            next_start: Duration::ZERO,
            running: 0,
            feeds: HashMap::new(),
            sleeping: BinaryHeap::new(),
            hosts: HashMap::new(),
            addresses: HashMap::new(),
            open: BinaryHeap::new(),
            ticket: 0,
        }
    }

    /// Adds a feed that is due at `due`.
    pub fn add(&mut self, feed: FeedKey, host: &str, gate: Gate, due: Timestamp) {
        let gate = Gate { at_once: gate.at_once.max(1), ..gate };
        self.feeds.insert(feed, Slot { host: host.to_owned(), gate, due });
        self.sleeping.push(Reverse((due, feed)));
    }

    /// How many polls are under way.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// When the next feed is due, if none waits for its host; for the status line.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.sleeping.peek().map(|Reverse((due, _))| *due)
    }

    /// Says what to do now. Call it until it says [`Turn::Wait`].
    pub fn turn(&mut self, now: Moment) -> Turn {
        self.wake(now.wall);
        if self.running >= self.concurrency {
            return Turn::Wait(now.elapsed + LONGEST_NAP);
        }
        match self.open.peek() {
            Some(Reverse((opens, _, _))) if *opens <= now.elapsed => {
                if now.elapsed < self.next_start {
                    return Turn::Wait(self.next_start);
                }
                self.start(now)
            }
            _ => Turn::Wait(self.until(now)),
        }
    }

    /// Lets no request to the feed's host start before `until`, on the monotonic scale.
    pub fn hold(&mut self, feed: FeedKey, until: Duration) {
        let Some(slot) = self.feeds.get(&feed) else { return };
        if let Some(host) = self.hosts.get_mut(&slot.host) {
            host.opens = host.opens.max(until);
        }
    }

    /// The feed's host was found at this address, maybe with many others.
    pub fn met(&mut self, feed: FeedKey, address: IpAddr) {
        let Some(slot) = self.feeds.get(&feed) else { return };
        if let Some(host) = self.hosts.get_mut(&slot.host) {
            host.address = Some(address);
        }
    }

    /// The server asked this feed to slow down, for as long as `wait`. One address may be at fault;
    /// a second one of the host within ten minutes means the host.
    pub fn throttled(&mut self, feed: FeedKey, wait: Duration, now: Moment) {
        let Some(slot) = self.feeds.get(&feed) else { return };
        let Some(host) = self.hosts.get_mut(&slot.host) else { return };
        let earlier = host.throttled.replace((feed, now.elapsed));
        let another = earlier
            .is_some_and(|(other, at)| other != feed && now.elapsed.saturating_sub(at) <= EVIDENCE);
        if another {
            self.hold(feed, now.elapsed + wait.min(LONGEST_HOLD));
        }
    }

    /// A poll has ended; the feed is due again at `due`.
    pub fn done(&mut self, feed: FeedKey, due: Timestamp) {
        let Some(slot) = self.feeds.get_mut(&feed) else { return };
        slot.due = due;
        self.running = self.running.saturating_sub(1);
        if let Some(host) = self.hosts.get_mut(&slot.host) {
            host.running = host.running.saturating_sub(1);
        }
        let (name, gate) = (slot.host.clone(), slot.gate);
        self.sleeping.push(Reverse((due, feed)));
        self.offer(&name, gate);
    }

    /// Moves feeds that are due to their host's queue.
    fn wake(&mut self, wall: Timestamp) {
        while let Some(Reverse((due, feed))) = self.sleeping.peek().copied() {
            if due > wall {
                break;
            }
            self.sleeping.pop();
            let Some(slot) = self.feeds.get(&feed) else { continue };
            let (name, gate) = (slot.host.clone(), slot.gate);
            self.hosts.entry(name.clone()).or_default().waiting.push_back(feed);
            self.offer(&name, gate);
        }
    }

    /// Lines the host up if it has somebody waiting and room for him.
    fn offer(&mut self, name: &str, gate: Gate) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        if host.queued || host.waiting.is_empty() || host.running >= gate.at_once {
            return;
        }
        host.queued = true;
        self.ticket += 1;
        self.open.push(Reverse((host.opens, self.ticket, name.to_owned())));
    }

    /// Starts the first feed of the host whose gate opened first.
    fn start(&mut self, now: Moment) -> Turn {
        let Some(Reverse((_, _, name))) = self.open.pop() else {
            return Turn::Wait(self.until(now));
        };
        let Some(host) = self.hosts.get_mut(&name) else { return Turn::Wait(now.elapsed) };
        host.queued = false;
        if let Some(free) = host.address.and_then(|address| self.addresses.get(&address)) {
            host.opens = host.opens.max(*free);
        }
        if host.opens > now.elapsed {
            // It was held since it lined up, or another host at its address was asked just now.
            let gate = host.waiting.front().and_then(|feed| self.feeds.get(feed)).map(|s| s.gate);
            if let Some(gate) = gate {
                self.offer(&name, gate);
            }
            return self.turn(now);
        }
        let Some(feed) = host.waiting.pop_front() else { return Turn::Wait(now.elapsed) };
        let Some(gate) = self.feeds.get(&feed).map(|slot| slot.gate) else {
            return Turn::Wait(now.elapsed);
        };
        host.running += 1;
        self.next_start = now.elapsed + self.pace;
        host.opens = now.elapsed + gate.spacing;
        if let Some(address) = host.address {
            self.addresses.insert(address, now.elapsed + gate.spacing / SHARED);
        }
        self.running += 1;
        self.offer(&name, gate);
        Turn::Poll(feed)
    }

    /// When something may change by itself.
    fn until(&self, now: Moment) -> Duration {
        let gate = self.open.peek().map(|Reverse((opens, _, _))| *opens);
        let due = self.next_due().map(|due| {
            let wait = due.duration_since(now.wall);
            now.elapsed + Duration::try_from(wait).unwrap_or(Duration::ZERO)
        });
        let nap = now.elapsed + LONGEST_NAP;
        [gate, due].into_iter().flatten().fold(nap, Duration::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: Gate = Gate { at_once: 1, spacing: Duration::from_secs(2) };

    fn at(seconds: u64) -> Moment {
        let wall = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        Moment { wall, elapsed: Duration::from_secs(seconds) }
    }

    #[test]
    fn many_feeds_that_are_due_at_once_start_one_after_another() {
        let mut queue = Queue::new(8, Duration::from_secs(1));
        for key in 0..3 {
            queue.add(FeedKey(key), &format!("h{key}"), GATE, Timestamp::UNIX_EPOCH);
        }
        for second in 0..3 {
            assert!(matches!(queue.turn(at(second)), Turn::Poll(_)), "{second}");
            let next = Duration::from_secs(second + 1);
            let Turn::Wait(until) = queue.turn(at(second)) else { panic!("two at once") };
            assert!(second == 2 || until == next, "{until:?}");
        }
    }

    #[test]
    fn a_host_that_is_held_gets_nothing_and_the_others_go_on() {
        let mut queue = queue(&[(1, "a"), (2, "a"), (3, "b")]);
        assert_eq!(queue.turn(at(0)), Turn::Poll(FeedKey(1)));
        queue.hold(FeedKey(1), Duration::from_secs(100));
        assert_eq!(queue.turn(at(0)), Turn::Poll(FeedKey(3)));
        queue.done(FeedKey(1), Timestamp::MAX);
        assert!(matches!(queue.turn(at(50)), Turn::Wait(_)));
        assert_eq!(queue.turn(at(100)), Turn::Poll(FeedKey(2)));
    }

    #[test]
    fn hosts_at_one_address_are_asked_one_after_another() {
        let mut queue = queue(&[(1, "a"), (2, "b"), (3, "c")]);
        let gate = Gate { at_once: 1, spacing: Duration::from_secs(50) };
        for key in 1..=3 {
            assert_eq!(queue.turn(at(0)), Turn::Poll(FeedKey(key)));
            let last = if key == 3 { 2 } else { 1 };
            queue.met(FeedKey(key), IpAddr::from([192, 0, 2, last]));
            queue.add(
                FeedKey(key),
                ["a", "b", "c"][usize::try_from(key).unwrap() - 1],
                gate,
                wall(60),
            );
            queue.done(FeedKey(key), wall(60));
        }
        // a and b live at one address, c at another.
        assert_eq!(queue.turn(at(60)), Turn::Poll(FeedKey(1)));
        assert_eq!(queue.turn(at(60)), Turn::Poll(FeedKey(3)));
        assert!(matches!(queue.turn(at(64)), Turn::Wait(_)));
        assert_eq!(queue.turn(at(65)), Turn::Poll(FeedKey(2)));
    }

    fn wall(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_second_throttled_address_of_a_host_means_the_host() {
        let mut queue = queue(&[(1, "a"), (2, "a"), (3, "a")]);
        let hour = Duration::from_secs(3600);
        assert_eq!(queue.turn(at(0)), Turn::Poll(FeedKey(1)));
        queue.throttled(FeedKey(1), hour, at(1));
        queue.done(FeedKey(1), Timestamp::MAX);
        assert_eq!(queue.turn(at(2)), Turn::Poll(FeedKey(2)), "one address may be at fault");
        queue.throttled(FeedKey(2), hour, at(3));
        queue.done(FeedKey(2), Timestamp::MAX);
        assert!(matches!(queue.turn(at(3000)), Turn::Wait(_)));
        assert_eq!(queue.turn(at(3603)), Turn::Poll(FeedKey(3)));
    }

    fn queue(feeds: &[(i64, &str)]) -> Queue {
        let mut queue = Queue::new(8, Duration::ZERO);
        for (key, host) in feeds {
            queue.add(FeedKey(*key), host, GATE, Timestamp::UNIX_EPOCH);
        }
        queue
    }

    fn started(queue: &mut Queue, now: Moment) -> Vec<i64> {
        std::iter::from_fn(|| match queue.turn(now) {
            Turn::Poll(feed) => Some(feed.0),
            Turn::Wait(_) => None,
        })
        .collect()
    }

    #[test]
    fn a_host_is_asked_once_at_a_time_and_hosts_take_turns() {
        let mut queue = queue(&[(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c")]);
        assert_eq!(started(&mut queue, at(0)), [1, 4, 5]);
        assert_eq!(queue.turn(at(100)), Turn::Wait(Duration::from_secs(130)), "a is still busy");
        queue.done(FeedKey(1), at(10_000).wall);
        assert_eq!(started(&mut queue, at(100)), [2]);
    }

    #[test]
    fn two_requests_to_one_host_start_no_closer_than_its_spacing() {
        let mut queue = queue(&[(1, "a"), (2, "a")]);
        assert_eq!(started(&mut queue, at(10)), [1]);
        queue.done(FeedKey(1), at(10_000).wall);
        assert_eq!(queue.turn(at(11)), Turn::Wait(Duration::from_secs(12)));
        assert_eq!(started(&mut queue, at(12)), [2]);
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
        assert_eq!(queue.turn(at(0)), Turn::Wait(Duration::from_secs(20)));
        assert_eq!(started(&mut queue, at(20)), [1]);
        assert_eq!(started(&mut queue, at(9_999)), [] as [i64; 0]);
    }

    #[test]
    fn a_jump_of_the_wall_clock_is_noticed_within_half_a_minute() {
        let mut queue = Queue::new(8, Duration::ZERO);
        queue.add(FeedKey(1), "a", GATE, at(1_000_000).wall);
        assert_eq!(queue.turn(at(5)), Turn::Wait(Duration::from_secs(35)));
    }

    #[test]
    fn a_host_with_many_feeds_does_not_hold_up_the_others() {
        let mut feeds: Vec<(i64, &str)> = (0..1_000).map(|key| (key, "big")).collect();
        feeds.push((5_000, "small"));
        let mut queue = queue(&feeds);
        assert_eq!(started(&mut queue, at(0)), [0, 5_000]);
    }
}
