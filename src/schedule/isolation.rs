//! Feeds that are polled last and alone, because the process was killed while it polled them: if one of them exhausts
//! the memory, the others have been polled before. Pure.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::model::FeedKey;

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
