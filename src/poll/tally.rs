//! What a poll adds to what is counted.

use std::time::Duration;

use jiff::Timestamp;

use super::reading::Reading;
use crate::model::{FailureKind, FetchOutcome};
use crate::store::{FeedState, PollCounts};
use crate::telemetry::{ItemCounts, Metrics, Poll};

/// What is known of a poll before it is stored.
pub(super) struct Tally {
    bytes: u64,
    items: usize,
    dropped: usize,
    delays: Vec<Duration>,
}

impl Tally {
    pub(super) fn new(
        before: &FeedState,
        bytes: u64,
        reading: Option<&Reading>,
        now: Timestamp,
    ) -> Self {
        let Some(reading) = reading else {
            return Self { bytes, items: 0, dropped: 0, delays: Vec::new() };
        };
        // What a feed brings at its first poll is as old as it is, and we are not late.
        let news = reading.brought.new.iter().filter(|new| before.items > 0 && new.held.is_none());
        let delay = |published: Timestamp| {
            Duration::try_from(now.duration_since(published)).unwrap_or_default()
        };
        let delays = news.filter_map(|new| new.item.published.map(delay)).collect();
        Self { bytes, items: reading.items, dropped: reading.dropped, delays }
    }

    /// Counts the poll, now that it is stored.
    pub(super) fn count(
        &self,
        metrics: &Metrics,
        outcome: &FetchOutcome,
        recorded: PollCounts,
        took: Duration,
    ) {
        let PollCounts { new, changed, held, .. } = recorded;
        let items = ItemCounts {
            new,
            changed,
            unchanged: self.items.saturating_sub(new + changed + held),
            held,
            dropped: self.dropped,
        };
        metrics.polled(&Poll {
            outcome: outcome.slug(),
            blocked: blocked(outcome),
            duration: took,
            received_bytes: self.bytes,
            items,
            delivery_delays: &self.delays,
        });
        if matches!(outcome, FetchOutcome::Failed(failure) if failure.kind == FailureKind::Panicked)
        {
            metrics.panicked();
        }
    }
}

/// Why newswire itself forbade the request, or where it led.
fn blocked(outcome: &FetchOutcome) -> Option<&'static str> {
    match outcome {
        FetchOutcome::Failed(failure) => match failure.kind {
            FailureKind::BlockedAddress | FailureKind::BadUrl | FailureKind::InsecureRedirect => {
                Some(failure.kind.slug())
            }
            _ => None,
        },
        _ => None,
    }
}
