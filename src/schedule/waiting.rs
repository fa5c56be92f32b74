//! Feeds that are due and still wait for others in the queue. Pure.
//!
//! Hosts that were never asked start slowly: many new feeds must not make a burst of requests. Feeds during whose poll the
//! process was killed are polled last and alone: if one of them exhausts the memory, the others have been polled before.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::model::FeedKey;

/// Number of new hosts that start without a wait.
pub const FREE_HOSTS: usize = 16;
/// Spacing of new hosts is computed from no more than this, the default of `host_spacing`.
const USUAL_SPACING: Duration = Duration::from_secs(2);
/// Further new hosts may follow each other this many times faster than requests to one host: with the default of
/// `host_spacing`, one in half a second.
const NEW_HOSTS: u32 = 4;

/// Shortest time between the starts of two new hosts after the first ones.
#[must_use]
pub fn new_host_spacing(host_spacing: Duration) -> Duration {
    host_spacing.min(USUAL_SPACING) / NEW_HOSTS
}

/// New hosts that wait for their start. The default has none: all hosts are known.
#[derive(Debug, Default)]
pub(super) struct Ramp {
    /// Hosts that were asked before; `None`: all.
    known: Option<HashSet<String>>,
    waiting: VecDeque<String>,
    started: usize,
    /// Monotonic time of the earliest start of another new host.
    next: Duration,
}

impl Ramp {
    pub(super) fn new(known: HashSet<String>) -> Self {
        Self { known: Some(known), ..Self::default() }
    }

    /// Whether the host was never asked.
    pub(super) fn is_new(&self, host: &str) -> bool {
        self.known.as_ref().is_some_and(|known| !known.contains(host))
    }

    /// Adds a new host with a waiting feed.
    pub(super) fn push(&mut self, host: &str) {
        self.waiting.push_back(host.to_owned());
    }

    /// Takes the next host.
    pub(super) fn pop(&mut self) -> Option<String> {
        self.waiting.pop_front()
    }

    /// Takes all hosts that wait.
    pub(super) fn take_waiting(&mut self) -> VecDeque<String> {
        std::mem::take(&mut self.waiting)
    }

    /// Monotonic time of the start of the next host; `None`: no host waits.
    pub(super) fn opens(&self) -> Option<Duration> {
        let next = if self.started < FREE_HOSTS { Duration::ZERO } else { self.next };
        (!self.waiting.is_empty()).then_some(next)
    }

    /// Whether the next host may start now.
    pub(super) fn is_open(&self, now: Duration) -> bool {
        self.opens().is_some_and(|opens| opens <= now)
    }

    /// Records the start of a host, which is known from now on.
    pub(super) fn started(&mut self, host: &str, spacing: Duration, now: Duration) {
        self.started += 1;
        self.next = now + new_host_spacing(spacing);
        if let Some(known) = &mut self.known {
            known.insert(host.to_owned());
        }
    }
}

/// Longest time that an isolated feed waits for others. Then no further poll starts before its own.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The isolated feeds of a queue.
#[derive(Debug, Default)]
pub(super) struct Isolation {
    feeds: HashSet<FeedKey>,
    /// Those that are due, with the monotonic time since when they wait.
    waiting: VecDeque<(Duration, FeedKey)>,
    /// The isolated feed that is being polled.
    running: Option<FeedKey>,
}

impl Isolation {
    pub(super) fn add(&mut self, feed: FeedKey) {
        self.feeds.insert(feed);
    }

    /// The feed is no longer isolated. A poll in progress stays alone until its end.
    pub(super) fn remove(&mut self, feed: FeedKey) {
        self.feeds.remove(&feed);
    }

    /// Adds a feed that is due, if it is isolated.
    pub(super) fn wait(&mut self, feed: FeedKey, now: Duration) -> bool {
        let isolated = self.feeds.contains(&feed);
        if isolated {
            self.waiting.push_back((now, feed));
        }
        isolated
    }

    /// Takes a feed out of those that wait.
    pub(super) fn forget(&mut self, feed: FeedKey) {
        self.waiting.retain(|(_, waiting)| *waiting != feed);
    }

    /// The feed that has waited longest.
    pub(super) fn next(&self) -> Option<FeedKey> {
        self.waiting.front().map(|(_, feed)| *feed)
    }

    /// Whether an isolated feed has waited for too long.
    pub(super) fn is_impatient(&self, now: Duration) -> bool {
        self.waiting.front().is_some_and(|(since, _)| now.saturating_sub(*since) >= PATIENCE)
    }

    /// Records the start of its poll.
    pub(super) fn start(&mut self, feed: FeedKey) {
        self.forget(feed);
        self.running = Some(feed);
    }

    /// Records the end of a poll.
    pub(super) fn ended(&mut self, feed: FeedKey) {
        if self.running == Some(feed) {
            self.running = None;
        }
    }

    /// Whether no other poll may start now, because an isolated feed is being polled.
    pub(super) fn occupies(&self, running: usize) -> bool {
        running > 0 && self.running.is_some()
    }
}
