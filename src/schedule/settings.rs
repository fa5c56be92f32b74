//! `[schedule]`: poll intervals. Every key may be repeated in a `[[feed]]`.

use std::time::Duration;

/// Whether the publisher's hints are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublisherHints {
    /// Freshness, `ttl`, update periods, `skipHours` and `skipDays` delay a poll.
    #[default]
    Follow,
    /// They do not delay a poll; `Retry-After` still does.
    Ignore,
}

/// How the interval is determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalMode {
    /// Always `interval`, whatever the feed publishes.
    Fixed,
    /// Learned from how often the feed publishes; `interval` until enough is known.
    #[default]
    Auto,
}

/// How often a feed is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Time between two successful polls.
    pub interval: Duration,
    /// Whether the interval is fixed or learned.
    pub interval_mode: IntervalMode,
    /// Shortest interval that can be learned.
    pub min_interval: Duration,
    /// Longest wait that hints of the publisher can cause, and longest learned interval.
    pub max_interval: Duration,
    /// Whether hints of the publisher delay a poll.
    pub publisher_hints: PublisherHints,
    /// Maximum number of simultaneous requests to one host.
    pub per_host: usize,
    /// Minimum time between the starts of two requests to one host.
    pub host_spacing: Duration,
    /// Bytes a day that all feeds of the server together may receive; `None`: no limit.
    pub budget: Option<u64>,
    /// Whether the feed is not polled, except by a command.
    pub paused: bool,
}

impl Settings {
    /// Time between two successful polls of a feed with this learned interval; `None`: nothing is learned yet.
    #[must_use]
    pub fn interval_of(&self, learned: Option<Duration>) -> Duration {
        match (self.interval_mode, learned) {
            (IntervalMode::Auto, Some(learned)) => {
                learned.clamp(self.min_interval, self.max_interval.max(self.min_interval))
            }
            _ => self.interval,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60 * 60),
            interval_mode: IntervalMode::default(),
            min_interval: Duration::from_secs(15 * 60),
            max_interval: Duration::from_secs(24 * 60 * 60),
            publisher_hints: PublisherHints::Follow,
            per_host: 1,
            host_spacing: Duration::from_secs(2),
            budget: None,
            paused: false,
        }
    }
}
