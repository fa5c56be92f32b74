//! The interval that is learned from the times at which a feed's items came, for `interval = "auto"`. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// Minimum number of gaps between items.
const FEWEST: usize = 3;
/// Weight of the newest gap in the moving average.
const WEIGHT: f64 = 0.3;
/// Items come at random. After this share of the mean gap, half of all polls find a new one.
const EVERY_SECOND: f64 = std::f64::consts::LN_2;

/// The interval at which about half of all polls find a new item; `None`: too few items are known.
///
/// `seen` has the time of first sight of each item, in any order.
#[must_use]
pub fn learned(seen: &[Timestamp], now: Timestamp) -> Option<Duration> {
    let mut moments: Vec<i64> = seen.iter().map(|at| at.as_second()).collect();
    moments.sort_unstable();
    moments.dedup();
    let gaps = moments.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
    if moments.len() <= FEWEST {
        return None;
    }
    let mean = gaps.reduce(|mean, gap| mean * (1.0 - WEIGHT) + gap * WEIGHT)?;
    // The time since the last item counts as soon as it is longer than the mean.
    let silence = (now.as_second() - moments.last()?) as f64;
    let mean = if silence > mean { mean * (1.0 - WEIGHT) + silence * WEIGHT } else { mean };
    Some(Duration::from_secs_f64((mean * EVERY_SECOND).clamp(1.0, 1e9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: &[i64]) -> Vec<Timestamp> {
        hours.iter().map(|hour| Timestamp::from_second(hour * 3600).unwrap()).collect()
    }

    fn hours(seen: &[i64], now: i64) -> Option<f64> {
        let now = Timestamp::from_second(now * 3600).unwrap();
        learned(&at(seen), now).map(|interval| interval.as_secs_f64() / 3600.0)
    }

    #[test]
    fn a_regular_feed_is_polled_more_often_than_it_publishes() {
        let daily = hours(&[0, 24, 48, 72, 96], 100).unwrap();
        assert!((16.0..17.0).contains(&daily), "{daily}");
        let hourly = hours(&[0, 1, 2, 3, 4, 5], 5).unwrap();
        assert!((0.6..0.8).contains(&hourly), "{hourly}");
    }

    #[test]
    fn the_interval_follows_faster_and_slower_publishing() {
        let faster = hours(&[0, 24, 48, 72, 73, 74, 75, 76], 76).unwrap();
        assert!(faster < 8.0, "{faster}");
        let silent = hours(&[0, 1, 2, 3, 4], 104).unwrap();
        assert!(silent > 15.0, "{silent}");
    }

    #[test]
    fn items_of_one_poll_count_once_and_few_items_are_not_enough() {
        assert_eq!(hours(&[0, 0, 0, 0, 5], 6), None);
        assert_eq!(hours(&[], 6), None);
    }
}
