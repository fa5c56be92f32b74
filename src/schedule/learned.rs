//! How often a feed publishes, learned from when its items came: for `interval = "auto"`. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// Fewer gaps than this are no rhythm.
const FEWEST: usize = 3;
/// The weight of the newest gap among all before it.
const WEIGHT: f64 = 0.3;
/// Items come at random, as a rule; after this share of the mean gap every second poll brings one.
const EVERY_SECOND: f64 = std::f64::consts::LN_2;

/// The interval at which about every second poll brings something; `None`: too little is known.
///
/// `seen` are the moments at which items came, in any order, many of one document at one moment.
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
    // Silence counts as soon as it is longer than usual.
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
    fn a_steady_feed_is_polled_somewhat_more_often_than_it_publishes() {
        let daily = hours(&[0, 24, 48, 72, 96], 100).unwrap();
        assert!((16.0..17.0).contains(&daily), "{daily}");
        let hourly = hours(&[0, 1, 2, 3, 4, 5], 5).unwrap();
        assert!((0.6..0.8).contains(&hourly), "{hourly}");
    }

    #[test]
    fn a_change_of_pace_is_followed_and_silence_too() {
        let faster = hours(&[0, 24, 48, 72, 73, 74, 75, 76], 76).unwrap();
        assert!(faster < 8.0, "{faster}");
        let silent = hours(&[0, 1, 2, 3, 4], 104).unwrap();
        assert!(silent > 15.0, "{silent}");
    }

    #[test]
    fn many_items_at_once_are_one_and_a_few_are_no_rhythm() {
        assert_eq!(hours(&[0, 0, 0, 0, 5], 6), None);
        assert_eq!(hours(&[], 6), None);
    }
}
