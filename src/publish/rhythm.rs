//! How often an output changes, and so for how long a reader may keep it: pure.

use std::time::Duration;

use crate::model::Entry;

/// No reader need ask more often: less than any interval that a polite one polls at.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// There are readers that ask no sooner than this says, so a quiet output must not sleep for a day.
const LONGEST: Duration = Duration::from_secs(3 * 60 * 60);
/// Stories that come within this are one change.
const AT_ONCE: i64 = 60;
/// So many changes tell the rhythm.
const CHANGES: usize = 32;

/// For how long a reader may keep a document of these entries without asking again: the median of
/// the time between two changes, from five minutes to three hours.
#[must_use]
pub fn max_age(entries: &[Entry]) -> Duration {
    let mut times: Vec<i64> = entries.iter().map(|entry| entry.sort_at.as_second()).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let mut last = times.first().copied().unwrap_or_default();
    let mut gaps = Vec::new();
    for at in times {
        if last - at > AT_ONCE && gaps.len() < CHANGES {
            gaps.push(last - at);
            last = at;
        }
    }
    gaps.sort_unstable();
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
    Duration::from_secs(median.max(0).unsigned_abs()).clamp(SHORTEST, LONGEST)
}
