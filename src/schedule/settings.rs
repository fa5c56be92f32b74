//! `[schedule]`: how often. Every key may be repeated in a `[[feed]]`.

use std::time::Duration;

/// What the publisher's hints are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublisherHints {
    /// Freshness, `ttl`, update periods, `skipHours` and `skipDays` delay a poll.
    #[default]
    Follow,
    /// They do not; `Retry-After` still does.
    Ignore,
}

/// Where the interval comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalMode {
    /// `interval`, always.
    #[default]
    Fixed,
    /// Learned from how often the feed publishes; `interval` until that is known.
    Auto,
}

/// How often a feed is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Between two polls of a feed that answers.
    pub interval: Duration,
    /// Whether `interval` is only for the beginning.
    pub interval_mode: IntervalMode,
    /// Never sooner than this, whatever the publisher says.
    pub min_interval: Duration,
    /// Hints of the publisher and back-off never push a poll out further than this.
    pub max_interval: Duration,
    /// Whether hints of the publisher delay a poll.
    pub publisher_hints: PublisherHints,
    /// Simultaneous requests to one host.
    pub per_host: usize,
    /// Between the starts of two requests to one host.
    pub host_spacing: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60 * 60),
            interval_mode: IntervalMode::Fixed,
            min_interval: Duration::from_secs(15 * 60),
            max_interval: Duration::from_secs(24 * 60 * 60),
            publisher_hints: PublisherHints::Follow,
            per_host: 1,
            host_spacing: Duration::from_secs(2),
        }
    }
}
