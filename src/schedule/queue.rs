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
pub struct HostLimit {
    /// At once.
    pub at_once: usize,
    /// Between two starts.
    pub spacing: Duration,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueStep {
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
    start_spacing: Duration,
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
    gate: HostLimit,
    /// When it is due; of one that waits, since when.
    due: Timestamp,
    state: State,
    /// The host that it belongs to once its poll is over.
    moves: Option<String>,
}

/// Where a feed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not due yet.
    Sleeping,
    /// In its host's queue.
    Waiting,
    /// Being polled.
    Running,
    /// The same, and no longer wanted.
    Leaving,
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
    pub fn new(concurrency: usize, start_spacing: Duration) -> Self {
        Self {
            concurrency: concurrency.max(1),
            start_spacing,
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

    /// Adds a feed that is due at `due`, or changes one: a poll under way goes on, and its end says
    /// when the feed is due again.
    pub fn add(&mut self, feed: FeedKey, host: &str, gate: HostLimit, due: Timestamp) {
        let gate = HostLimit { at_once: gate.at_once.max(1), ..gate };
        let state = match self.take(feed) {
            Some(State::Running | State::Leaving) => {
                // Until then it counts where it started.
                if let Some(slot) = self.feeds.get_mut(&feed) {
                    (slot.gate, slot.state) = (gate, State::Running);
                    slot.moves = Some(host.to_owned());
                }
                return;
            }
            _ => State::Sleeping,
        };
        self.feeds.insert(feed, Slot { host: host.to_owned(), gate, due, state, moves: None });
        self.sleeping.push(Reverse((due, feed)));
    }

    /// Lets go of a feed; a poll under way goes on.
    pub fn remove(&mut self, feed: FeedKey) {
        match self.take(feed) {
            Some(State::Running | State::Leaving) => {
                if let Some(slot) = self.feeds.get_mut(&feed) {
                    slot.state = State::Leaving;
                }
            }
            _ => drop(self.feeds.remove(&feed)),
        }
    }

    /// So many polls at once from now on.
    pub fn bound(&mut self, concurrency: usize) {
        self.concurrency = concurrency.max(1);
    }

    /// Takes the feed out of its host's queue; tells where it stood.
    fn take(&mut self, feed: FeedKey) -> Option<State> {
        let slot = self.feeds.get_mut(&feed)?;
        if slot.state == State::Waiting
            && let Some(host) = self.hosts.get_mut(&slot.host)
        {
            host.waiting.retain(|waiting| *waiting != feed);
            slot.state = State::Sleeping;
        }
        Some(slot.state)
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

    /// When the poll was due that should have begun first; a host that asked for a pause is not late.
    #[must_use]
    pub fn first_due(&self, now: Moment) -> Option<Timestamp> {
        let waiting = self.hosts.values().filter_map(|host| {
            let slot = self.feeds.get(host.waiting.front()?)?;
            (host.opens <= now.elapsed + slot.gate.spacing).then_some(slot.due)
        });
        waiting.chain(self.next_due()).min()
    }

    /// Says what to do now. Call it until it says [`QueueStep::Wait`].
    pub fn turn(&mut self, now: Moment) -> QueueStep {
        self.wake(now.wall);
        if self.running >= self.concurrency {
            return QueueStep::Wait(now.elapsed + LONGEST_NAP);
        }
        match self.open.peek() {
            Some(Reverse((opens, _, _))) if *opens <= now.elapsed => {
                if now.elapsed < self.next_start {
                    return QueueStep::Wait(self.next_start);
                }
                self.start(now)
            }
            _ => QueueStep::Wait(self.until(now)),
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
        let left = slot.state == State::Leaving;
        (slot.due, slot.state) = (due, State::Sleeping);
        self.running = self.running.saturating_sub(1);
        if let Some(host) = self.hosts.get_mut(&slot.host) {
            host.running = host.running.saturating_sub(1);
        }
        let (name, gate) = (slot.host.clone(), slot.gate);
        if let Some(host) = slot.moves.take() {
            slot.host = host;
        }
        if left {
            self.feeds.remove(&feed);
        } else {
            self.sleeping.push(Reverse((due, feed)));
        }
        self.offer(&name, gate);
    }

    /// Moves feeds that are due to their host's queue.
    fn wake(&mut self, wall: Timestamp) {
        while let Some(Reverse((due, feed))) = self.sleeping.peek().copied() {
            if due > wall {
                break;
            }
            self.sleeping.pop();
            let Some(slot) = self.feeds.get_mut(&feed) else { continue };
            // It was removed or changed since it lay down.
            if slot.state != State::Sleeping || slot.due != due {
                continue;
            }
            slot.state = State::Waiting;
            // From here on it waits for us; before, newswire or the machine may have slept.
            slot.due = wall;
            let (name, gate) = (slot.host.clone(), slot.gate);
            self.hosts.entry(name.clone()).or_default().waiting.push_back(feed);
            self.offer(&name, gate);
        }
    }

    /// Lines the host up if it has somebody waiting and room for him.
    fn offer(&mut self, name: &str, gate: HostLimit) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        if host.queued || host.waiting.is_empty() || host.running >= gate.at_once {
            return;
        }
        host.queued = true;
        self.ticket += 1;
        self.open.push(Reverse((host.opens, self.ticket, name.to_owned())));
    }

    /// Starts the first feed of the host whose gate opened first.
    fn start(&mut self, now: Moment) -> QueueStep {
        let Some(Reverse((_, _, name))) = self.open.pop() else {
            return QueueStep::Wait(self.until(now));
        };
        let Some(host) = self.hosts.get_mut(&name) else { return QueueStep::Wait(now.elapsed) };
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
        // All that waited there may have been removed.
        let Some(feed) = host.waiting.pop_front() else { return self.turn(now) };
        let Some(slot) = self.feeds.get_mut(&feed) else { return QueueStep::Wait(now.elapsed) };
        slot.state = State::Running;
        let gate = slot.gate;
        host.running += 1;
        self.next_start = now.elapsed + self.start_spacing;
        host.opens = now.elapsed + gate.spacing;
        if let Some(address) = host.address {
            self.addresses.insert(address, now.elapsed + gate.spacing / SHARED);
        }
        self.running += 1;
        self.offer(&name, gate);
        QueueStep::Poll(feed)
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
