//! The order of polls: feeds that are due, under a global limit and a limit for each host. Pure.
//!
//! The daemon calls [`Queue::next`] with the time and polls what it returns. Each step takes logarithmic time in the
//! number of feeds, also when many feeds wait for one host.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::resume;
use super::waiting::{Isolation, Ramp};
use crate::clock::Moment;
use crate::model::FeedKey;

/// Longest time between two looks at the wall clock, so that a clock that jumps back does not delay feeds.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Change of the difference between wall clock and time since the start of the machine that counts as a jump, in
/// milliseconds.
const JUMP: i64 = 5_000;

/// Time without a call after which the process or the machine was suspended: the daemon calls at least every
/// [`LONGEST_WAIT`].
const PAUSE: Duration = Duration::from_secs(90);
/// Time over which feeds that became due during a pause are spread.
const AFTER_PAUSE: Duration = Duration::from_secs(30);

/// Limits of the requests to one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimit {
    /// Maximum number of simultaneous requests.
    pub at_once: usize,
    /// Minimum time between two starts.
    pub spacing: Duration,
}

/// What the daemon has to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueStep {
    /// Poll this feed, and call [`Queue::done`] at the end.
    Poll(FeedKey),
    /// Nothing before this monotonic time, unless a poll ends.
    Wait(Duration),
}

/// All feeds, with the order of their polls.
#[derive(Debug)]
pub struct Queue {
    /// Maximum number of simultaneous polls.
    concurrency: usize,
    /// Minimum time between two starts, for all hosts together: after a start, a suspend or a jump of the clock, many
    /// feeds are due at once.
    start_spacing: Duration,
    /// Monotonic time of the earliest next start.
    next_start: Duration,
    /// Whether the process or the machine was suspended since the last call of [`Queue::next`].
    paused: bool,
    /// After a pause: the time between two starts, for this number of them.
    slowed: Option<(Duration, usize)>,
    running: usize,
    feeds: HashMap<FeedKey, Slot>,
    /// Feeds that are not due yet, by due time.
    sleeping: BinaryHeap<Reverse<(Timestamp, FeedKey)>>,
    hosts: HashMap<String, Host>,
    /// Hosts with a waiting feed and below their limit, by the monotonic time of the next allowed start.
    open: BinaryHeap<Reverse<(Duration, u64, String)>>,
    /// Hosts that were never asked, which start slowly.
    ramp: Ramp,
    /// Feeds that may exhaust the memory: they are polled last and alone.
    isolation: Isolation,
    /// Orders hosts with the same time: hosts take turns.
    ticket: u64,
    /// Time of the last turn.
    turn: Option<Moment>,
    /// Size of a jump of the wall clock that was not taken yet.
    jump: Option<SignedDuration>,
}

#[derive(Debug)]
struct Slot {
    host: String,
    gate: HostLimit,
    /// Time when it is due; of a waiting feed, since when it waits.
    due: Timestamp,
    /// Planned time, and the difference of the clocks when it was planned.
    plan: Timestamp,
    offset: Option<i64>,
    /// Monotonic time of the last start in this process.
    started: Option<Duration>,
    /// Monotonic time before which it must not start, whatever the wall clock shows.
    rests: Duration,
    state: State,
    /// The host that it belongs to after its poll.
    new_host: Option<String>,
}

/// State of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waiting until its poll is due.
    Sleeping,
    /// Due, and in the queue of its host.
    Waiting,
    /// Being polled now.
    Running,
    /// Being polled, and removed afterwards.
    Removed,
}

#[derive(Debug, Default)]
struct Host {
    waiting: VecDeque<FeedKey>,
    running: usize,
    /// Monotonic time of the earliest next start.
    opens: Duration,
    /// Whether the host is in `open`.
    queued: bool,
}

impl Slot {
    /// When it is due after a jump of the wall clock: its wait continues. A suspend is not a jump, because the time since
    /// the start of the machine contains it.
    fn due_after_jump(&self, now: Moment) -> Timestamp {
        let offset_now = offset(now);
        let moved = offset_now - self.offset.unwrap_or(offset_now);
        let due = self.plan.saturating_add(SignedDuration::from_millis(moved));
        let rest = self.rests.saturating_sub(now.elapsed);
        let rest = SignedDuration::try_from(rest).unwrap_or(SignedDuration::MAX);
        let earliest = now.wall.saturating_add(rest).unwrap_or(Timestamp::MAX);
        due.unwrap_or(earliest).max(earliest)
    }
}

/// Time until the start after this one: `usual`, or longer after a pause.
fn spacing(slowed: &mut Option<(Duration, usize)>, usual: Duration) -> Duration {
    let Some((each, left)) = *slowed else { return usual };
    *slowed = (left > 1).then_some((each, left - 1));
    each
}

/// Difference of the wall clock to the time since the start of the machine, in milliseconds.
fn offset(moment: Moment) -> i64 {
    let since_boot = i64::try_from(moment.since_boot.as_millis()).unwrap_or(i64::MAX);
    moment.wall.as_millisecond().saturating_sub(since_boot)
}

impl Queue {
    /// An empty queue with these limits.
    #[must_use]
    pub fn new(concurrency: usize, start_spacing: Duration) -> Self {
        Self {
            concurrency: concurrency.max(1),
            start_spacing,
            next_start: Duration::ZERO,
            paused: false,
            slowed: None,
            running: 0,
            feeds: HashMap::new(),
            sleeping: BinaryHeap::new(),
            hosts: HashMap::new(),
            open: BinaryHeap::new(),
            ramp: Ramp::default(),
            isolation: Isolation::default(),
            ticket: 0,
            turn: None,
            jump: None,
        }
    }

    /// The queue, in which hosts other than `known` start slowly and after the feeds of known hosts.
    #[must_use]
    pub fn ramping(self, known: HashSet<String>) -> Self {
        Self { ramp: Ramp::new(known), ..self }
    }

    /// Removes the feeds of new hosts that wait for their start. Returns their number.
    pub fn postpone_new(&mut self) -> usize {
        let hosts = self.ramp.take_waiting();
        let hosts: Vec<_> = hosts.iter().filter_map(|host| self.hosts.remove(host)).collect();
        let feeds: Vec<FeedKey> = hosts.into_iter().flat_map(|host| host.waiting).collect();
        for feed in &feeds {
            self.feeds.remove(feed);
        }
        feeds.len()
    }

    /// Adds a feed, or changes one. A running poll continues; its end sets the next due time.
    pub fn add(&mut self, feed: FeedKey, host: &str, gate: HostLimit, due: Timestamp) {
        let gate = HostLimit { at_once: gate.at_once.max(1), ..gate };
        let state = match self.take(feed) {
            Some(State::Running | State::Removed) => {
                // Until the end it counts for the host where it started.
                if let Some(slot) = self.feeds.get_mut(&feed) {
                    (slot.gate, slot.state) = (gate, State::Running);
                    slot.new_host = Some(host.to_owned());
                }
                return;
            }
            _ => State::Sleeping,
        };
        let before = self.feeds.get(&feed);
        let slot = Slot {
            host: host.to_owned(),
            gate,
            due,
            plan: due,
            offset: self.turn.map(offset),
            started: before.and_then(|slot| slot.started),
            rests: before.map_or(Duration::ZERO, |slot| slot.rests),
            state,
            new_host: None,
        };
        self.feeds.insert(feed, slot);
        self.sleeping.push(Reverse((due, feed)));
    }

    /// Removes a feed. A running poll continues.
    pub fn remove(&mut self, feed: FeedKey) {
        match self.take(feed) {
            Some(State::Running | State::Removed) => {
                if let Some(slot) = self.feeds.get_mut(&feed) {
                    slot.state = State::Removed;
                }
            }
            _ => drop(self.feeds.remove(&feed)),
        }
    }

    /// Sets the maximum number of simultaneous polls.
    pub fn set_concurrency(&mut self, concurrency: usize) {
        self.concurrency = concurrency.max(1);
    }

    /// Takes the feed out of its host's queue. Returns its state before that.
    fn take(&mut self, feed: FeedKey) -> Option<State> {
        let slot = self.feeds.get_mut(&feed)?;
        if slot.state == State::Waiting {
            slot.state = State::Sleeping;
            self.isolation.forget(feed);
            if let Some(host) = self.hosts.get_mut(&slot.host) {
                host.waiting.retain(|waiting| *waiting != feed);
            }
        }
        Some(slot.state)
    }

    /// Number of running polls.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Time when the next feed is due; `None`: no feed is waiting to be due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.sleeping.peek().map(|Reverse((due, _))| *due)
    }

    /// Due time of the most overdue feed. Feeds that wait longer than the spacing of their host do not count, and
    /// neither do those of new hosts.
    #[must_use]
    pub fn first_due(&self, now: Moment) -> Option<Timestamp> {
        let waiting = self.hosts.iter().filter_map(|(name, host)| {
            let slot = self.feeds.get(host.waiting.front()?)?;
            let opens = host.opens <= now.elapsed + slot.gate.spacing;
            (opens && !self.ramp.is_new(name)).then_some(slot.due)
        });
        waiting.chain(self.next_due()).min()
    }

    /// Returns what to do now. To be called until it returns [`QueueStep::Wait`].
    pub fn next(&mut self, now: Moment) -> QueueStep {
        self.watch_clock(now);
        let woken = self.wake(now);
        if std::mem::take(&mut self.paused) {
            self.slow_down(woken);
        }
        if self.running >= self.concurrency || self.isolation.occupies(self.running) {
            return QueueStep::Wait(now.elapsed + LONGEST_WAIT);
        }
        if self.isolation.is_impatient(now.elapsed) {
            return self.start_isolated(now);
        }
        let is_open = matches!(self.open.peek(), Some(Reverse((at, _, _))) if *at <= now.elapsed);
        if !is_open && !self.ramp.is_open(now.elapsed) {
            return self.start_isolated(now);
        }
        if now.elapsed < self.next_start {
            return QueueStep::Wait(self.next_start);
        }
        if !is_open {
            self.open_new(now.elapsed);
        }
        self.start(now)
    }

    /// Polls this feed last and alone from now on, until [`Queue::trust`].
    pub fn isolate(&mut self, feed: FeedKey) {
        self.isolation.add(feed);
    }

    /// The feed is polled like others again.
    pub fn trust(&mut self, feed: FeedKey) {
        self.isolation.remove(feed);
    }

    /// Starts the next isolated feed, if nothing else runs.
    fn start_isolated(&mut self, now: Moment) -> QueueStep {
        let Some(feed) = self.isolation.next() else { return QueueStep::Wait(self.until(now)) };
        if self.running > 0 {
            // The end of a poll is followed by another call.
            return QueueStep::Wait(now.elapsed + LONGEST_WAIT);
        }
        let Some(slot) = self.feeds.get_mut(&feed) else {
            self.isolation.forget(feed);
            return self.next(now);
        };
        let host = self.hosts.entry(slot.host.clone()).or_default();
        let opens = host.opens.max(self.next_start);
        if opens > now.elapsed {
            return QueueStep::Wait(opens.min(self.until(now)));
        }
        let spacing = spacing(&mut self.slowed, self.start_spacing);
        self.isolation.start(feed);
        (slot.state, slot.started) = (State::Running, Some(now.elapsed));
        host.running += 1;
        host.opens = now.elapsed + slot.gate.spacing;
        self.next_start = now.elapsed + spacing;
        self.running += 1;
        QueueStep::Poll(feed)
    }

    /// Opens the next new host that has a waiting feed.
    fn open_new(&mut self, now: Duration) {
        while let Some(name) = self.ramp.pop() {
            let first = self.hosts.get_mut(&name).and_then(|host| {
                host.queued = false;
                self.feeds.get(host.waiting.front()?)
            });
            // All its waiting feeds may have been removed.
            if let Some(gate) = first.map(|slot| slot.gate) {
                self.ramp.started(&name, gate.spacing, now);
                self.offer(&name, gate);
                return;
            }
        }
    }

    /// Compares the clocks. After a jump of the wall clock, the times of all sleeping feeds are computed anew.
    pub fn watch_clock(&mut self, now: Moment) {
        let before = self.turn.replace(now);
        let passed = before.map(|before| now.since_boot.saturating_sub(before.since_boot));
        self.paused |= passed.is_some_and(|passed| passed > PAUSE);
        let (before, after) = (before.map(offset), offset(now));
        let Some(before) = before else {
            for slot in self.feeds.values_mut() {
                slot.offset = Some(after);
            }
            return;
        };
        if (after - before).abs() <= JUMP {
            return;
        }
        self.jump = Some(SignedDuration::from_millis(after - before));
        self.sleeping.clear();
        for (feed, slot) in self.feeds.iter_mut().filter(|(_, slot)| slot.state == State::Sleeping)
        {
            slot.due = slot.due_after_jump(now);
            self.sleeping.push(Reverse((slot.due, *feed)));
        }
    }

    /// The size of a jump of the wall clock since the last call; `None`: there was none.
    pub fn take_jump(&mut self) -> Option<SignedDuration> {
        self.jump.take()
    }

    /// Whether the feed was started since the queue exists.
    #[must_use]
    pub fn was_started(&self, feed: FeedKey) -> bool {
        self.feeds.get(&feed).is_some_and(|slot| slot.started.is_some())
    }

    /// Records that a poll which is about to end sent no request: the next poll of its host need not wait for it.
    pub fn unasked(&mut self, feed: FeedKey) {
        let host = self.feeds.get(&feed).and_then(|slot| self.hosts.get_mut(&slot.host));
        if let Some(host) = host {
            host.opens = Duration::ZERO;
        }
    }

    /// Records the end of a poll. The feed is due again at `due`.
    pub fn done(&mut self, feed: FeedKey, due: Timestamp) {
        let Some(slot) = self.feeds.get_mut(&feed) else { return };
        let left = slot.state == State::Removed;
        (slot.due, slot.plan, slot.state) = (due, due, State::Sleeping);
        slot.offset = self.turn.map(offset);
        if let (Some(turn), Some(started)) = (self.turn, slot.started) {
            slot.rests = started + resume::minimum(due.duration_since(turn.wall));
        }
        self.running = self.running.saturating_sub(1);
        self.isolation.ended(feed);
        if let Some(host) = self.hosts.get_mut(&slot.host) {
            host.running = host.running.saturating_sub(1);
        }
        let (name, gate) = (slot.host.clone(), slot.gate);
        if let Some(host) = slot.new_host.take() {
            slot.host = host;
        }
        if left {
            self.feeds.remove(&feed);
        } else {
            self.sleeping.push(Reverse((due, feed)));
        }
        self.offer(&name, gate);
    }

    /// Spreads the next starts, of which there are `number`. A pass has no spacing and no pauses.
    fn slow_down(&mut self, number: usize) {
        let each = AFTER_PAUSE / u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
        if number > 1 && each > self.start_spacing && !self.start_spacing.is_zero() {
            self.slowed = Some((each, number - 1));
        }
    }

    /// Moves feeds that are due to their host's queue. Returns their number.
    fn wake(&mut self, Moment { wall, elapsed, .. }: Moment) -> usize {
        let mut woken = 0;
        while let Some(Reverse((due, feed))) = self.sleeping.peek().copied() {
            if due > wall {
                break;
            }
            self.sleeping.pop();
            let Some(slot) = self.feeds.get_mut(&feed) else { continue };
            // It was removed or changed meanwhile.
            if slot.state != State::Sleeping || slot.due != due {
                continue;
            }
            slot.state = State::Waiting;
            woken += 1;
            // It waits from now on. Before, the process or the machine may have been suspended.
            slot.due = wall;
            if self.isolation.wait(feed, elapsed) {
                continue;
            }
            let (name, gate) = (slot.host.clone(), slot.gate);
            self.hosts.entry(name.clone()).or_default().waiting.push_back(feed);
            self.offer(&name, gate);
        }
        woken
    }

    /// Adds the host to `open` if it has a waiting feed and is below its limit.
    fn offer(&mut self, name: &str, gate: HostLimit) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        if host.queued || host.waiting.is_empty() || host.running >= gate.at_once {
            return;
        }
        host.queued = true;
        if self.ramp.is_new(name) {
            self.ramp.push(name);
            return;
        }
        self.ticket += 1;
        self.open.push(Reverse((host.opens, self.ticket, name.to_owned())));
    }

    /// Starts the first feed of the first host in `open`.
    fn start(&mut self, now: Moment) -> QueueStep {
        let Some(Reverse((_, _, name))) = self.open.pop() else {
            return QueueStep::Wait(self.until(now));
        };
        let Some(host) = self.hosts.get_mut(&name) else { return QueueStep::Wait(now.elapsed) };
        host.queued = false;
        if host.opens > now.elapsed {
            // Another of its feeds has just started.
            let gate = host.waiting.front().and_then(|feed| self.feeds.get(feed)).map(|s| s.gate);
            if let Some(gate) = gate {
                self.offer(&name, gate);
            }
            return self.next(now);
        }
        // All its waiting feeds may have been removed.
        let Some(feed) = host.waiting.pop_front() else { return self.next(now) };
        let spacing = spacing(&mut self.slowed, self.start_spacing);
        let Some(slot) = self.feeds.get_mut(&feed) else { return QueueStep::Wait(now.elapsed) };
        slot.state = State::Running;
        slot.started = Some(now.elapsed);
        let gate = slot.gate;
        host.running += 1;
        self.next_start = now.elapsed + spacing;
        host.opens = now.elapsed + gate.spacing;
        self.running += 1;
        self.offer(&name, gate);
        QueueStep::Poll(feed)
    }

    /// Monotonic time of the next change without a call.
    fn until(&self, now: Moment) -> Duration {
        let gate = self.open.peek().map(|Reverse((opens, _, _))| *opens);
        let due = self.next_due().map(|due| {
            let wait = due.duration_since(now.wall);
            now.elapsed + Duration::try_from(wait).unwrap_or(Duration::ZERO)
        });
        let longest = now.elapsed + LONGEST_WAIT;
        [gate, due, self.ramp.opens()].into_iter().flatten().fold(longest, Duration::min)
    }
}
