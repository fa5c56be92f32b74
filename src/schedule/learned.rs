//! Learns the interval of a feed from the times of its items. Pure.
//!
//! For a given number of requests to all feeds, items are seen soonest on average if the interval of each feed is
//! proportional to the square root of its mean gap. A feed that publishes every hour is polled every hour, a daily one
//! five times a day, a monthly one once a day.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::Validators;

/// Items that are closer to each other count as one, in seconds.
const SITTING: i64 = 15 * 60;
/// Weight of the newest gap in the moving average.
const WEIGHT: f64 = 0.3;
/// Share of the silence since the newest item that counts as a gap.
const SILENCE: f64 = 0.5;
/// Factor for servers that send the complete document each time.
const COSTLY: f64 = 2.0;

/// What a poll without news costs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollCost {
    /// A response 304, without a document.
    Conditional,
    /// A complete document, because the server sends no validators.
    Complete,
}

impl PollCost {
    /// The cost of requests to a server that sent these validators; `None`: it has sent no document yet.
    #[must_use]
    pub fn of(validators: Option<&Validators>) -> Self {
        match validators {
            Some(validators) if validators.is_empty() => Self::Complete,
            _ => Self::Conditional,
        }
    }
}

/// The learned interval; `None`: nothing is known yet.
///
/// `times` has the time of each item, in any order: its publication, or its first sight. `start` is the interval of a
/// feed with a gap of an hour, and of a feed about which nothing is known. `cost`: see [`PollCost`].
#[must_use]
pub fn learned(
    times: &[Timestamp],
    start: Duration,
    cost: PollCost,
    now: Timestamp,
) -> Option<Duration> {
    let moments = moments(times, now);
    let newest = *moments.last()?;
    let silence = (now.as_second() - newest) as f64;
    let gaps = moments.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
    let mean = gaps.reduce(|mean, gap| mean * (1.0 - WEIGHT) + gap * WEIGHT);
    let start = start.as_secs_f64();
    let interval = match mean {
        Some(mean) => (mean.max(silence * SILENCE) * HOUR).sqrt() * start / HOUR,
        // One item, or items without dates: longer with the silence.
        None => (silence * HOUR).sqrt().max(HOUR) * start / HOUR,
    };
    let factor = match cost {
        PollCost::Conditional => 1.0,
        PollCost::Complete => COSTLY,
    };
    Some(Duration::from_secs_f64((interval * factor).clamp(1.0, 1e9)))
}

const HOUR: f64 = 3600.0;

/// The times in ascending order, in Unix seconds; times that are close to each other count once.
fn moments(times: &[Timestamp], now: Timestamp) -> Vec<i64> {
    let mut moments: Vec<i64> =
        times.iter().map(|at| at.as_second().min(now.as_second())).collect();
    moments.sort_unstable();
    moments.dedup_by(|next, kept| *next - *kept < SITTING);
    moments
}

/// Fewest different times of items from which a rate is estimated.
const MIN_MOMENTS: usize = 5;
/// Shortest time over which a rate is estimated, in seconds.
const MIN_SPAN: i64 = 24 * 3600;

/// Number of times a day at which items came, from the times of the items; `None`: there are too few, or they are too
/// close to each other. The silence since the newest item counts.
#[must_use]
pub fn arrivals_per_day(times: &[Timestamp], now: Timestamp) -> Option<f64> {
    let moments = moments(times, now);
    let span = now.as_second() - moments.first()?;
    let known = moments.len() >= MIN_MOMENTS && span >= MIN_SPAN;
    known.then(|| (moments.len() - 1) as f64 * 24.0 * HOUR / span as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(3600);

    fn hours(times: &[i64], now: i64) -> Option<f64> {
        let at = |hour: &i64| Timestamp::from_second(hour * 3600).unwrap();
        let times: Vec<Timestamp> = times.iter().map(at).collect();
        learned(&times, START, PollCost::Conditional, at(&now))
            .map(|interval| interval.as_secs_f64() / 3600.0)
    }

    #[test]
    fn a_regular_feed_is_polled_more_often_than_it_publishes() {
        let daily = hours(&[0, 24, 48, 72, 96], 100).unwrap();
        assert!((4.5..5.5).contains(&daily), "{daily}");
        let hourly = hours(&[0, 1, 2, 3, 4, 5], 5).unwrap();
        assert!((0.9..1.1).contains(&hourly), "{hourly}");
        let monthly = hours(&[0, 720, 1440], 1500).unwrap();
        assert!(monthly > 24.0, "{monthly}");
    }

    #[test]
    fn a_rate_needs_five_times_within_a_day_or_more() {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let rate = |times: &[i64], now| {
            let times: Vec<Timestamp> = times.iter().map(|hour| at(*hour)).collect();
            arrivals_per_day(&times, at(now))
        };
        assert_eq!(rate(&[0, 12, 24, 36, 48], 48), Some(2.0));
        assert_eq!(rate(&[0, 12, 24, 36, 48], 96), Some(1.0));
        assert_eq!(rate(&[0, 12, 24, 36], 48), None);
        assert_eq!(rate(&[0, 1, 2, 3, 4, 5], 6), None);
        assert_eq!(rate(&[7; 50], 90), None);
    }

    #[test]
    fn the_interval_follows_faster_and_slower_publishing() {
        let faster = hours(&[0, 24, 48, 72, 73, 74, 75, 76], 76).unwrap();
        assert!(faster < 3.5, "{faster}");
        let silent = hours(&[0, 1, 2, 3, 4], 504).unwrap();
        assert!(silent > 15.0, "{silent}");
        // A feed that stopped years ago, read for the first time.
        let dead = hours(&[0, 24, 48], 20_000).unwrap();
        assert!(dead > 90.0, "{dead}");
    }

    #[test]
    fn items_of_one_sitting_count_once() {
        assert_eq!(hours(&[0, 0, 0, 0], 0), Some(1.0));
        assert_eq!(hours(&[], 6), None);
        let burst = hours(&[0, 168, 168, 168, 336, 336, 336], 336).unwrap();
        assert!((12.0..14.0).contains(&burst), "{burst}");
    }

    #[test]
    fn a_feed_without_dates_starts_with_an_hour_and_stretches() {
        assert_eq!(hours(&[10, 10, 10], 10), Some(1.0));
        assert_eq!(hours(&[10, 10, 10], 26), Some(4.0));
    }

    #[test]
    fn complete_documents_are_asked_for_half_as_often() {
        let times = [Timestamp::UNIX_EPOCH, Timestamp::from_second(86_400).unwrap()];
        let of = |cost| learned(&times, START, cost, times[1]).unwrap();
        assert_eq!(of(PollCost::Complete), 2 * of(PollCost::Conditional));
    }

    #[test]
    fn the_start_scales_all_intervals() {
        let times = [Timestamp::UNIX_EPOCH, Timestamp::from_second(86_400).unwrap()];
        assert_eq!(
            learned(&times, 2 * START, PollCost::Conditional, times[1]),
            learned(&times, START, PollCost::Complete, times[1])
        );
    }
}
