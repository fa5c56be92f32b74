//! What polls did, put together hour by hour or day by day: pure.

use jiff::{SignedDuration, Timestamp};

use crate::model::words::{bytes, span};
use crate::store::{DELAY_BUCKETS, HourCounts};

/// How many items took how long: see [`DELAY_BUCKETS`].
pub(super) type Delays = [u64; DELAY_BUCKETS.len() + 1];

/// How far back, and in which steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// By the hour.
    Day,
    /// By the day.
    Fortnight,
}

impl Span {
    fn steps(self) -> usize {
        match self {
            Self::Day => 24,
            Self::Fortnight => 14,
        }
    }

    fn step(self) -> SignedDuration {
        match self {
            Self::Day => SignedDuration::from_hours(1),
            Self::Fortnight => SignedDuration::from_hours(24),
        }
    }

    /// What it is called in a heading.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "last 24 hours",
            Self::Fortnight => "last 14 days",
        }
    }

    fn label(self, at: Timestamp) -> String {
        let form = if self == Self::Day { "%H:%M" } else { "%-d %b" };
        at.strftime(form).to_string()
    }
}

/// All that happened in one step.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    /// When it began, for people.
    pub(super) when: String,
    /// For machines.
    pub(super) machine: String,
    pub(super) polls: u64,
    pub(super) brought: u64,
    pub(super) unchanged: u64,
    pub(super) failed: u64,
    pub(super) wire: u64,
    pub(super) new: u64,
    pub(super) delays: Delays,
}

impl Step {
    /// For people.
    pub(super) fn bytes(&self) -> String {
        bytes(self.wire as f64)
    }

    /// For people: how late half of the items were, and nine tenths.
    pub(super) fn delay(&self) -> String {
        match (quantile(&self.delays, 0.5), quantile(&self.delays, 0.9)) {
            (Some(half), Some(most)) => format!("{} / {}", within(half), within(most)),
            _ => "–".to_owned(),
        }
    }
}

/// A number of seconds as the bucket allows to say it.
pub(super) fn within(seconds: f64) -> String {
    span(seconds.round() as u64)
}

/// The hours put together into the steps of a span that ends now.
pub(super) fn steps(hours: &[HourCounts], over: Span, now: Timestamp) -> Vec<Step> {
    let (size, count) = (over.step().as_secs(), over.steps());
    let last = now.as_second().div_euclid(size);
    let begin = last + 1 - i64::try_from(count).unwrap_or_default();
    let mut steps: Vec<Step> = (begin..=last)
        .map(|number| {
            let at = Timestamp::from_second(number * size).unwrap_or(now);
            let machine = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            Step { when: over.label(at), machine, ..Step::default() }
        })
        .collect();
    for hour in hours {
        let number = hour.at.as_second().div_euclid(size) - begin;
        let Some(step) = usize::try_from(number).ok().and_then(|n| steps.get_mut(n)) else {
            continue;
        };
        step.polls += hour.polls;
        step.failed += hour.failed;
        step.unchanged += hour.unchanged;
        step.brought += hour.polls.saturating_sub(hour.failed + hour.unchanged);
        step.wire += hour.wire_bytes;
        step.new += hour.new_items;
        for (sum, more) in step.delays.iter_mut().zip(hour.delays) {
            *sum += more;
        }
    }
    steps
}

/// Within how many seconds this share of the counted items came; `None`: there are none.
pub(super) fn quantile(delays: &Delays, share: f64) -> Option<f64> {
    let all: u64 = delays.iter().sum();
    if all == 0 {
        return None;
    }
    let wanted = share * all as f64;
    let mut before = 0.0;
    for (bucket, count) in delays.iter().enumerate() {
        let count = *count as f64;
        if before + count >= wanted && count > 0.0 {
            let low = if bucket == 0 { 0 } else { DELAY_BUCKETS[bucket - 1] } as f64;
            let high = DELAY_BUCKETS.get(bucket).map_or(low * 2.0, |end| *end as f64);
            return Some(low + (high - low) * (wanted - before) / count);
        }
        before += count;
    }
    None
}

/// An hour with so many polls, for tests.
#[cfg(test)]
pub(super) fn hour(number: i64, polls: u64) -> HourCounts {
    let mut delays = [0; DELAY_BUCKETS.len() + 1];
    delays[3] = 10;
    HourCounts {
        at: Timestamp::from_second(number * 3_600).unwrap(),
        polls,
        failed: 1,
        unchanged: polls - 3,
        wire_bytes: 1_000,
        new_items: 10,
        delays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_fall_into_the_steps_of_a_day_and_of_two_weeks() {
        let now = Timestamp::from_second(100 * 3_600 + 59).unwrap();
        let hours = [hour(76, 9), hour(77, 10), hour(100, 20), hour(101, 40)];
        let day = steps(&hours, Span::Day, now);
        let polls: Vec<u64> = day.iter().map(|step| step.polls).collect();
        assert_eq!((polls.len(), polls[0], polls[23], polls.iter().sum::<u64>()), (24, 10, 20, 30));
        assert_eq!((day[23].brought, day[23].failed, day[23].unchanged), (2, 1, 17));
        let fortnight = steps(&hours, Span::Fortnight, now);
        let polls: Vec<u64> = fortnight.iter().map(|step| step.polls).collect();
        assert_eq!((polls.len(), polls[12], polls[13]), (14, 19, 60));
    }

    #[test]
    fn a_delay_is_read_from_its_bucket() {
        let mut delays = [0; DELAY_BUCKETS.len() + 1];
        assert_eq!(quantile(&delays, 0.5), None);
        delays[3] = 100;
        assert_eq!(quantile(&delays, 0.5).map(f64::round), Some(2_700.0));
        delays[0] = 900;
        assert_eq!(quantile(&delays, 0.5).map(f64::round), Some(167.0));
    }
}
