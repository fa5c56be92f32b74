//! Learns the interval of a feed from when its items came. Pure.
//!
//! For a given number of requests to all feeds, items are seen soonest on average if the interval of each feed is
//! proportional to the square root of its mean gap. A feed that publishes every hour is polled every hour, a daily one
//! five times a day, a monthly one once a day.
//!
//! The dates of the items show the gaps, from the first document on. Dates may be wrong: if a later poll brings items and
//! none has a date since about the poll before, the time of that poll counts too, and no date before the first known poll.
//! Wrong dates after that poll still count: the dates do not show which poll brought them.
//!
//! An item that came and went between two polls is lost. So the interval is at most half of the time in which new
//! items fill the document.
//!
//! Polls after now were made while the clock was ahead. They show nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{PollYield, Publishing, Validators};

/// Items that are closer to each other count as one, in seconds.
const SITTING: i64 = 15 * 60;
/// Longest usual time from the date of an item until it is in the document, in seconds.
const LAG: i64 = 3600;
/// Weight of the newest gap in the moving average.
const WEIGHT: f64 = 0.3;
/// Share of the silence since the newest item that counts as a gap.
const SILENCE: f64 = 0.5;
/// Factor for servers that send the complete document each time.
const COSTLY: f64 = 2.0;
/// Longest interval as a share of the time in which the document is replaced.
const OVERLAP: f64 = 0.5;
/// Share of the document that has to be replaced before that time is estimated: a few items may come at once.
const REPLACED: f64 = 0.5;
/// Smallest document whose replacement is evidence: a smaller one may be published at once.
const SMALLEST: usize = 5;
/// Estimated number of items that came, if none of the document was known: some of them were not seen.
const MISSED: usize = 2;

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

/// A learned interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    /// Time between two polls, before it is limited by the settings.
    pub interval: Duration,
    /// What it follows from.
    pub basis: LearnedFrom,
}

/// What a learned interval follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnedFrom {
    /// The gaps between the items, and the silence since the last one.
    Gaps,
    /// The time in which the document is replaced.
    Replacement,
}

/// The learned interval; `None`: nothing is known yet.
///
/// `start` is the interval of a feed with a gap of an hour, and of a feed about which nothing is known. `cost`: see
/// [`PollCost`].
#[must_use]
pub fn learned(
    publishing: &Publishing,
    start: Duration,
    cost: PollCost,
    now: Timestamp,
) -> Option<Learned> {
    let publishing = &until(publishing, now);
    let start = start.as_secs_f64() / HOUR;
    let factor = match cost {
        PollCost::Conditional => 1.0,
        PollCost::Complete => COSTLY,
    };
    let by_gaps = by_gaps(publishing, now).map(|interval| (interval * factor, LearnedFrom::Gaps));
    let by_replacement =
        replacement(&publishing.polls, now).map(|time| (time * OVERLAP, LearnedFrom::Replacement));
    let shortest = by_gaps.into_iter().chain(by_replacement).min_by(|a, b| a.0.total_cmp(&b.0));
    shortest.map(|(interval, basis)| {
        let interval = Duration::from_secs_f64((interval * start).clamp(1.0, 1e9));
        Learned { interval, basis }
    })
}

/// The same without the polls that are in the future.
fn until(publishing: &Publishing, now: Timestamp) -> Publishing {
    let polls = publishing.polls.iter().filter(|poll| poll.at <= now).copied().collect();
    Publishing { times: publishing.times.clone(), polls }
}

/// The interval in seconds by the gaps between the items.
fn by_gaps(publishing: &Publishing, now: Timestamp) -> Option<f64> {
    let moments = moments(publishing, now);
    let newest = *moments.last()?;
    let silence = (now.as_second() - newest) as f64;
    let gaps = moments.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
    let mean = gaps.reduce(|mean, gap| mean * (1.0 - WEIGHT) + gap * WEIGHT);
    Some(match mean {
        Some(mean) => (mean.max(silence * SILENCE) * HOUR).sqrt(),
        // One item, or items without dates: longer with the silence.
        None => (silence * HOUR).sqrt().max(HOUR),
    })
}

const HOUR: f64 = 3600.0;

/// When items came, in ascending order, in Unix seconds; times that are close to each other count once.
fn moments(publishing: &Publishing, now: Timestamp) -> Vec<i64> {
    let mut dates: Vec<i64> =
        publishing.times.iter().map(|at| at.as_second().min(now.as_second())).collect();
    let came = |pair: &[PollYield]| {
        let (before, at) = (pair[0].at.as_second(), pair[1].at.as_second());
        let is_dated = || dates.iter().any(|date| (before - LAG..=at).contains(date));
        (pair[1].new > 0 && !is_dated()).then_some(at)
    };
    let mut moments: Vec<i64> = publishing.polls.windows(2).filter_map(came).collect();
    if let (false, Some(first)) = (moments.is_empty(), publishing.polls.first()) {
        let first = first.at.as_second();
        dates.retain(|date| *date > first);
        moments.push(first);
    }
    moments.extend(&dates);
    moments.sort_unstable();
    moments.dedup_by(|next, kept| *next - *kept < SITTING);
    moments
}

/// The shortest time, in seconds, in which new items filled the document; `None`: a large part of it has never been
/// replaced. Times end now, so that bursts are forgotten in silence. The first document shows nothing: what
/// came before it is unknown.
fn replacement(polls: &[PollYield], now: Timestamp) -> Option<f64> {
    let polls = since_empty(polls);
    let items = polls.iter().rev().find_map(|poll| poll.items.filter(|items| *items > 0))?;
    let mut came = 0;
    let times = polls.windows(2).rev().filter_map(|pair| {
        came += pair[1].unseen * if is_replaced(&pair[1]) { MISSED } else { 1 };
        let share = came as f64 / items as f64;
        let time = now.duration_since(pair[0].at).as_secs_f64().max(0.0);
        (items >= SMALLEST && share >= REPLACED).then_some(time / share)
    });
    times.min_by(f64::total_cmp)
}

/// The polls after the last empty document, which shows nothing about those after it. Those of an address that the feed
/// had before count as empty.
fn since_empty(polls: &[PollYield]) -> &[PollYield] {
    let empty = polls.iter().rposition(|poll| poll.items == Some(0));
    &polls[empty.map_or(0, |at| at + 1)..]
}

/// Whether no item of the document was known.
fn is_replaced(poll: &PollYield) -> bool {
    poll.items.is_some_and(|items| items >= SMALLEST && poll.unseen >= items)
}

/// Time since the poll before the last one, if items were probably missed between the two: no item of the last document
/// was known. Not if the feed publishes whole documents at once, and is quiet after each.
#[must_use]
pub fn missed_since(polls: &[PollYield]) -> Option<SignedDuration> {
    let last = polls.last()?;
    let polls: Vec<PollYield> = polls.iter().filter(|poll| poll.at <= last.at).copied().collect();
    let (last, before) = since_empty(&polls).split_last()?;
    let previous = before.last().filter(|_| is_replaced(last))?;
    let mut earlier = before.windows(2).skip(1).filter(|pair| is_replaced(&pair[0])).peekable();
    let is_whole = earlier.peek().is_some() && earlier.all(|pair| pair[1].unseen == 0);
    (!is_whole).then(|| last.at.duration_since(previous.at))
}

/// Fewest different times of items from which a rate is estimated.
const MIN_MOMENTS: usize = 5;
/// Shortest time over which a rate is estimated, in seconds.
const MIN_SPAN: i64 = 24 * 3600;

/// Number of times a day at which items came; `None`: they are too few, or too close to each other. The silence since the
/// newest item counts.
#[must_use]
pub fn arrivals_per_day(publishing: &Publishing, now: Timestamp) -> Option<f64> {
    let moments = moments(&until(publishing, now), now);
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
        learned(&dated(times), START, PollCost::Conditional, at(&now))
            .map(|learned| learned.interval.as_secs_f64() / 3600.0)
    }

    fn dated(times: Vec<Timestamp>) -> Publishing {
        Publishing { times, polls: Vec::new() }
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
            arrivals_per_day(&dated(times), at(now))
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
        let known = dated(times.to_vec());
        let of = |cost| learned(&known, START, cost, times[1]).unwrap().interval;
        assert_eq!(of(PollCost::Complete), 2 * of(PollCost::Conditional));
    }

    #[test]
    fn the_start_scales_all_intervals() {
        let times = [Timestamp::UNIX_EPOCH, Timestamp::from_second(86_400).unwrap()];
        let known = dated(times.to_vec());
        assert_eq!(
            learned(&known, 2 * START, PollCost::Conditional, times[1]),
            learned(&known, START, PollCost::Complete, times[1])
        );
    }

    /// A poll at this minute with this number of unknown items in a document of ten.
    fn brought(minute: i64, unseen: usize) -> PollYield {
        let at = Timestamp::from_second(minute * 60).unwrap();
        let items = (unseen > 0).then_some(10);
        PollYield { at, new: unseen, unseen, items }
    }

    /// The interval in minutes after these polls of a feed whose items all have the same old date.
    fn minutes(polls: &[PollYield], now: i64) -> (f64, LearnedFrom) {
        let old = Timestamp::from_second(-365 * 86_400).unwrap();
        let known = Publishing { times: vec![old], polls: polls.to_vec() };
        let now = Timestamp::from_second(now * 60).unwrap();
        let learned = learned(&known, START, PollCost::Conditional, now).unwrap();
        (learned.interval.as_secs_f64() / 60.0, learned.basis)
    }

    /// The share of the items that are published in two weeks and never seen, and the number of polls a day. One item
    /// comes every `gap` minutes, with an old date.
    fn simulated(gap: i64) -> (f64, f64) {
        let (mut now, mut polls, mut last, mut missed) = (0, vec![brought(0, 10)], 10, 0);
        let end = 14 * 24 * 60;
        while now < end {
            let count = 10 + now / gap;
            let unseen = (count - last).min(10);
            missed += (count - last - unseen) * i64::from(now > 2 * 24 * 60);
            last = count;
            if now > 0 {
                polls.push(brought(now, usize::try_from(unseen).unwrap()));
            }
            let (interval, _) = minutes(&polls[polls.len().saturating_sub(60)..], now);
            now += (interval as i64).clamp(15, 24 * 60) * 21 / 20;
        }
        (missed as f64 * gap as f64 / end as f64, polls.len() as f64 / 14.0)
    }

    #[test]
    fn a_feed_with_wrong_dates_is_polled_as_often_as_its_items_come() {
        for (gap, most) in [(60, 40.0), (240, 20.0), (24 * 60, 8.0), (10, 40.0)] {
            let (missed, polls) = simulated(gap);
            assert!(missed == 0.0 && polls < most, "{gap} min: {missed} missed, {polls} a day");
        }
    }

    #[test]
    fn polls_of_a_clock_that_was_ahead_change_no_interval() {
        let hour = |n: i64| Timestamp::from_second(n * 3600).unwrap();
        let times: Vec<Timestamp> = (0..48).map(hour).collect();
        let poll = |n: i64| PollYield { at: hour(n), new: 1, unseen: 1, items: Some(10) };
        let polls: Vec<PollYield> = (40..48).map(poll).collect();
        let mut after = polls.clone();
        // Six hours of a clock that is 40 days ahead, and a poll since then.
        after.splice(7..7, (0..6).map(|n| poll(40 * 24 + 41 + n)));
        let of = |polls: Vec<PollYield>| {
            let known = Publishing { times: times.clone(), polls };
            learned(&known, START, PollCost::Conditional, hour(48))
        };
        assert_eq!(of(after.clone()), of(polls));
        assert_eq!(missed_since(&after), None);
        let replaced = PollYield { unseen: 10, ..poll(48) };
        after.push(replaced);
        assert_eq!(missed_since(&after), Some(SignedDuration::from_hours(1)));
    }

    #[test]
    fn a_document_that_overlaps_little_with_the_one_before_shortens_the_interval() {
        let first = brought(0, 10);
        // All of it is new after 40 minutes: more items came than these.
        let (all, basis) = minutes(&[first, brought(40, 10)], 40);
        assert!(basis == LearnedFrom::Replacement && (all - 10.0).abs() < 0.1, "{all}");
        // Eight of ten, so that ten come in 50 minutes.
        let (most, _) = minutes(&[first, brought(40, 8)], 40);
        assert!((most - 25.0).abs() < 0.1, "{most}");
        let (few, basis) = minutes(&[first, brought(40, 2)], 40);
        assert!(basis == LearnedFrom::Gaps && few > 45.0, "{few}");
        // A burst is forgotten in silence, and the first document is not a burst.
        let empty = PollYield { items: Some(0), ..brought(0, 0) };
        assert_eq!(minutes(&[first, empty, brought(40, 10)], 40).1, LearnedFrom::Gaps);
        let quiet = [first, brought(40, 8), brought(60, 0), brought(2400, 0)];
        let (wait, basis) = minutes(&quiet, 2400);
        assert!(basis == LearnedFrom::Gaps && wait > 240.0, "{wait}");
        assert_eq!(minutes(&[first], 0).1, LearnedFrom::Gaps);
    }

    #[test]
    fn the_return_after_an_outage_is_no_sign_of_a_fast_feed() {
        let days = |n: i64| n * 24 * 60;
        let (wait, basis) = minutes(&[brought(0, 10), brought(days(9), 10)], days(9));
        assert!(basis == LearnedFrom::Gaps && wait > 12.0 * 60.0, "{wait}");
    }

    #[test]
    fn items_are_missed_unless_the_feed_publishes_whole_documents_at_once() {
        let since = |polls: &[PollYield]| missed_since(polls).map(|time| time.as_mins());
        let first = brought(0, 10);
        assert_eq!(since(&[first]), None);
        assert_eq!(since(&[first, brought(60, 9)]), None);
        assert_eq!(since(&[first, brought(60, 10)]), Some(60));
        let empty = PollYield { items: Some(0), ..brought(30, 0) };
        assert_eq!(since(&[first, empty, brought(60, 10)]), None);
        let small = PollYield { items: Some(2), ..brought(60, 2) };
        assert_eq!(since(&[first, small]), None);
        let busy = [first, brought(60, 10), brought(90, 4), brought(150, 10)];
        assert_eq!(since(&busy), Some(60));
        let daily = [first, brought(60, 10), brought(90, 0), brought(150, 10)];
        assert_eq!(since(&daily), None);
    }
}
