//! Messages to the service manager (`sd_notify(3)`), and the status line of the unit. Without a service manager they have no
//! effect.

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use sd_notify::NotifyState;

use crate::model::FeedKey;
use crate::poll::Polled;
use crate::store::RegisteredFeed;

/// Interval of the status line of the unit.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of the messages that extend the time limit of a start or a stop.
const EXTENSION_INTERVAL: Duration = Duration::from_secs(5);
/// Time by which each of these messages extends the limit.
const EXTENSION: Duration = Duration::from_secs(30);

/// Sends a message; errors are ignored.
pub(crate) fn notify(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

/// Extends the time limit of the start or the stop until it is dropped.
#[derive(Debug)]
pub(crate) struct TimeExtension {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for TimeExtension {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Extends the time limit of the start or the stop during a step that takes longer with a larger database or a slower
/// disk. `step` is its name in the status line.
#[must_use]
pub(crate) fn extend_time(step: &'static str) -> TimeExtension {
    let (end, ended) = channel::<()>();
    let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
    let extend =
        move || notify(&[NotifyState::ExtendTimeoutUsec(extension), NotifyState::Status(step)]);
    // Before the step: it may end before the thread runs.
    extend();
    let repeat = move || {
        while ended.recv_timeout(EXTENSION_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            extend();
        }
    };
    let thread = std::thread::Builder::new().name("extension".to_owned()).spawn(repeat);
    TimeExtension { end: Some(end), thread: thread.ok() }
}

/// Interval of the status line and of the signals to the watchdog: at most a third of its period.
pub(crate) fn status_interval() -> Duration {
    sd_notify::watchdog_enabled().map_or(STATUS_INTERVAL, |period| STATUS_INTERVAL.min(period / 3))
}

/// Time over which new items are counted.
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// Resolution of the counter.
const STEP: Duration = Duration::from_secs(60);

/// Numbers of feeds and new items.
#[derive(Debug, Default)]
pub(crate) struct StatusLine {
    polled: HashSet<FeedKey>,
    failing: HashSet<FeedKey>,
    /// New items by steps of the monotonic clock.
    new: VecDeque<(u64, usize)>,
}

impl StatusLine {
    /// The state of the feeds in the database, without new items.
    pub(crate) fn new(feeds: &[RegisteredFeed]) -> Self {
        let mut status = Self::default();
        status.reset(feeds);
        status
    }

    /// Replaces the feeds after a reload.
    pub(crate) fn reset(&mut self, feeds: &[RegisteredFeed]) {
        let polled = feeds.iter().filter(|feed| feed.last_poll_at.is_some());
        self.polled = polled.map(|feed| feed.key).collect();
        let failing = feeds.iter().filter(|feed| feed.failures > 0);
        self.failing = failing.map(|feed| feed.key).collect();
    }

    /// Counts a poll that ended.
    pub(crate) fn count(&mut self, polled: &Polled, elapsed: Duration) {
        self.polled.insert(polled.feed);
        if polled.outcome.is_success() {
            self.failing.remove(&polled.feed);
        } else {
            self.failing.insert(polled.feed);
        }
        let step = elapsed.as_secs() / STEP.as_secs();
        match self.new.back_mut() {
            Some((last, count)) if *last == step => *count += polled.recorded.new,
            _ => self.new.push_back((step, polled.recorded.new)),
        }
    }

    /// The line: `497/500 feeds ok, 3 failing; 41 new items in 1h; next poll 12:04Z`.
    pub(crate) fn line(
        &mut self,
        feeds: usize,
        next: Option<Timestamp>,
        elapsed: Duration,
    ) -> String {
        let oldest = elapsed.saturating_sub(WINDOW).as_secs() / STEP.as_secs();
        while self.new.front().is_some_and(|(step, _)| *step < oldest) {
            self.new.pop_front();
        }
        let new: usize = self.new.iter().map(|(_, count)| count).sum();
        let failing = self.failing.len();
        let ok = self.polled.len().saturating_sub(failing);
        let next = next.map_or_else(|| "none".to_owned(), |at| at.strftime("%H:%MZ").to_string());
        format!("{ok}/{feeds} feeds ok, {failing} failing; {new} new items in 1h; next poll {next}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FetchOutcome, Plan, Reason, ReasonKind};
    use crate::store::PollCounts;

    fn polled(feed: i64, outcome: FetchOutcome, new: usize) -> Polled {
        let reason = Reason { kind: ReasonKind::Interval, text: String::new() };
        Polled {
            feed: FeedKey(feed),
            outcome,
            recorded: PollCounts { new, ..PollCounts::default() },
            burst: 0,
            plan: Plan { at: Timestamp::UNIX_EPOCH, reason, considered: Vec::new() },
            duration: Duration::ZERO,
            document_at: None,
            replanned: Vec::new(),
            address: None,
        }
    }

    #[test]
    fn the_line_shows_feeds_and_the_new_items_of_the_last_hour() {
        let mut status = StatusLine::default();
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        status.count(&polled(1, FetchOutcome::Modified, 40), minutes(0));
        status.count(&polled(2, FetchOutcome::Gone, 0), minutes(30));
        status.count(&polled(3, FetchOutcome::Modified, 2), minutes(30));
        let noon = Some(Timestamp::from_second(12 * 3600 + 240).unwrap());
        let line = status.line(4, noon, minutes(60));
        assert_eq!(line, "2/4 feeds ok, 1 failing; 42 new items in 1h; next poll 12:04Z");
        status.count(&polled(2, FetchOutcome::NotModified, 0), minutes(61));
        let line = status.line(4, None, minutes(61));
        assert_eq!(line, "3/4 feeds ok, 0 failing; 2 new items in 1h; next poll none");
    }
}
