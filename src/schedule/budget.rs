//! Bandwidth budgets of servers: longer intervals, so that the expected traffic fits. Pure.

use std::time::Duration;

const DAY: f64 = 86_400.0;
/// Longest interval that a budget leads to: a feed is never given up.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The expected traffic of one feed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetShare {
    /// Interval without the budget.
    pub interval: Duration,
    /// Mean size of a response as received, those without a body included, in bytes.
    pub mean_bytes: f64,
}

/// The factor by which the intervals of all feeds of a server become longer, at least 1. It is the same for all, so
/// that a feed that is polled more often than others still is.
#[must_use]
pub fn stretch(feeds: &[BudgetShare], bytes_a_day: u64) -> f64 {
    let of = |feed: &BudgetShare| DAY / feed.interval.as_secs_f64().max(1.0) * feed.mean_bytes;
    let expected: f64 = feeds.iter().map(of).sum();
    (expected / (bytes_a_day.max(1) as f64)).max(1.0)
}

/// The interval after the stretch, in whole minutes, so that it does not change with each poll.
#[must_use]
pub fn stretched(interval: Duration, factor: f64) -> Duration {
    if factor <= 1.0 {
        return interval;
    }
    let minutes = (interval.as_secs_f64() * factor / 60.0).min(1e9).ceil();
    Duration::from_secs(60 * minutes as u64).clamp(interval, LONGEST.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn feeds_stretch_until_they_fit_in_the_same_proportion() {
        let feeds = [
            BudgetShare { interval: HOUR, mean_bytes: 100_000.0 },
            BudgetShare { interval: 2 * HOUR, mean_bytes: 300_000.0 },
        ];
        let factor = stretch(&feeds, 2_000_000);
        assert!((factor - 3.0).abs() < 1e-9, "{factor}");
        let intervals = feeds.map(|feed| stretched(feed.interval, factor));
        assert_eq!(intervals, [3 * HOUR, 6 * HOUR]);
        let after = [0, 1].map(|n| BudgetShare { interval: intervals[n], ..feeds[n] });
        assert!(stretch(&after, 2_000_000) <= 1.0 + 1e-9);
    }

    #[test]
    fn a_budget_that_is_kept_changes_nothing_and_none_ends_a_feed() {
        let feed = BudgetShare { interval: HOUR, mean_bytes: 10.0 };
        assert_eq!(stretched(HOUR, stretch(&[feed], 1_000_000)), HOUR);
        assert_eq!(stretched(HOUR, stretch(&[feed], 0)), 7 * 24 * HOUR);
    }
}
