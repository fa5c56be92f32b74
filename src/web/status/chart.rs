//! Charts of the polls of the last day and the last two weeks: sums per hour or day, and bars for SVG.
//! Pure.
//!
//! Everything in a chart is also text: each chart has a title and a description, each bar a label, and the
//! page has a table with the same numbers.

use jiff::{SignedDuration, Timestamp};

use crate::store::{DELAY_BUCKETS, HourCounts};
use crate::text::amounts::{bytes, count, span};
use crate::text::dates;

/// Number of items by delivery delay; the buckets are [`DELAY_BUCKETS`].
pub(super) type Delays = [u64; DELAY_BUCKETS.len() + 1];

/// Width of the area for bars, in units of the drawing.
const WIDTH: usize = 320;
/// Height of the area for bars, in units of the drawing.
const HEIGHT: usize = 84;

/// The size of every chart.
pub(super) const SIZE: Size =
    Size { width: WIDTH, height: HEIGHT, total_height: HEIGHT + 24, label_y: HEIGHT + 18 };

/// The size of a chart, in units of the drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Height including the labels of the time axis.
    pub(super) total_height: usize,
    /// Vertical position of these labels.
    pub(super) label_y: usize,
}

/// The time that a chart covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// The last 24 hours, one bar per hour.
    Day,
    /// The last 14 days, one bar per day.
    Fortnight,
}

impl Period {
    fn bars(self) -> usize {
        match self {
            Self::Day => 24,
            Self::Fortnight => 14,
        }
    }

    fn seconds_per_bar(self) -> i64 {
        match self {
            Self::Day => SignedDuration::from_hours(1).as_secs(),
            Self::Fortnight => SignedDuration::from_hours(24).as_secs(),
        }
    }

    /// The name in headings.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "last 24 hours",
            Self::Fortnight => "last 14 days",
        }
    }

    fn label(self, at: Timestamp) -> String {
        let format = if self == Self::Day { "%H:%M" } else { "%-d %b" };
        at.strftime(format).to_string()
    }
}

/// The sums of one hour or one day.
#[derive(Debug, Clone, Default)]
pub(super) struct Interval {
    /// Start for people: `14:00`, `3 Nov`.
    pub(super) label: String,
    /// Start for programs, RFC 3339.
    pub(super) machine: String,
    pub(super) polls: u64,
    /// Polls with new or changed items.
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) failed: u64,
    pub(super) received_bytes: u64,
    pub(super) new_items: u64,
    pub(super) delays: Delays,
}

impl Interval {
    /// The received bytes for people.
    pub(super) fn bytes(&self) -> String {
        bytes(self.received_bytes as f64)
    }

    /// Median and 90th percentile of the delivery delay for people.
    pub(super) fn delay(&self) -> String {
        match (quantile(&self.delays, 0.5), quantile(&self.delays, 0.9)) {
            (Some(median), Some(p90)) => format!("{} / {}", seconds(median), seconds(p90)),
            _ => "–".to_owned(),
        }
    }
}

fn seconds(seconds: f64) -> String {
    span(seconds.round() as u64)
}

/// Sums the hours into the intervals of a period that ends now.
pub(super) fn intervals(hours: &[HourCounts], period: Period, now: Timestamp) -> Vec<Interval> {
    let (size, bars) = (period.seconds_per_bar(), period.bars());
    let last = now.as_second().div_euclid(size);
    let first = last + 1 - i64::try_from(bars).unwrap_or_default();
    let empty = |number| {
        let at = Timestamp::from_second(number * size).unwrap_or(now);
        Interval { label: period.label(at), machine: dates::rfc3339(at), ..Interval::default() }
    };
    let mut intervals: Vec<Interval> = (first..=last).map(empty).collect();
    for hour in hours {
        let number = hour.at.as_second().div_euclid(size) - first;
        let Some(interval) = usize::try_from(number).ok().and_then(|n| intervals.get_mut(n)) else {
            continue;
        };
        interval.polls += hour.polls;
        interval.failed += hour.failed;
        interval.unchanged += hour.unchanged;
        interval.changed += hour.polls.saturating_sub(hour.failed + hour.unchanged);
        interval.received_bytes += hour.wire_bytes;
        interval.new_items += hour.new_items;
        add(&mut interval.delays, &hour.delays);
    }
    intervals
}

fn add(sum: &mut Delays, more: &Delays) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The delay in seconds that a fraction of the items does not exceed, interpolated within its bucket;
/// `None`: no items.
pub(super) fn quantile(delays: &Delays, fraction: f64) -> Option<f64> {
    let all: u64 = delays.iter().sum();
    if all == 0 {
        return None;
    }
    let wanted = fraction * all as f64;
    let mut before = 0.0;
    for (bucket, items) in delays.iter().enumerate() {
        let items = *items as f64;
        if before + items >= wanted && items > 0.0 {
            let low = if bucket == 0 { 0 } else { DELAY_BUCKETS[bucket - 1] } as f64;
            let high = DELAY_BUCKETS.get(bucket).map_or(low * 2.0, |end| *end as f64);
            return Some(low + (high - low) * (wanted - before) / items);
        }
        before += items;
    }
    None
}

/// A bar chart with its axes and legend, drawn as SVG.
#[derive(Debug, Clone, Default)]
pub(super) struct Chart {
    /// Unique on the page.
    pub(super) id: String,
    pub(super) title: &'static str,
    /// What the chart shows, with the sums.
    pub(super) description: String,
    pub(super) bars: Vec<Bar>,
    pub(super) grid: Vec<GridLine>,
    /// Labels of the time axis.
    pub(super) labels: Vec<AxisLabel>,
    /// The legend; empty for a chart of one colour.
    pub(super) legend: Vec<LegendEntry>,
}

/// One bar of a chart.
#[derive(Debug, Clone, Default)]
pub(super) struct Bar {
    pub(super) left: f64,
    pub(super) width: f64,
    /// Its segments from the bottom up.
    pub(super) segments: Vec<Segment>,
    /// Text for the tooltip.
    pub(super) label: String,
}

/// A part of a bar in one colour.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) class: &'static str,
    pub(super) top: f64,
    pub(super) height: f64,
}

/// A horizontal line with its value.
#[derive(Debug, Clone)]
pub(super) struct GridLine {
    pub(super) top: f64,
    pub(super) label: String,
}

/// A label of the time axis.
#[derive(Debug, Clone)]
pub(super) struct AxisLabel {
    pub(super) left: f64,
    /// Value of `text-anchor` in SVG.
    pub(super) anchor: &'static str,
    pub(super) text: String,
}

/// A colour of a chart with its meaning.
#[derive(Debug, Clone)]
pub(super) struct LegendEntry {
    pub(super) class: &'static str,
    pub(super) text: &'static str,
}

/// An amount in one colour, before it is scaled.
struct Amount {
    class: &'static str,
    value: f64,
}

/// The three charts of a period.
pub(super) fn charts(intervals: &[Interval], period: Period) -> Vec<Chart> {
    vec![polls(intervals, period), received(intervals, period), delays(intervals, period)]
}

fn polls(intervals: &[Interval], period: Period) -> Chart {
    let polls: u64 = intervals.iter().map(|interval| interval.polls).sum();
    let failed: u64 = intervals.iter().map(|interval| interval.failed).sum();
    let new: u64 = intervals.iter().map(|interval| interval.new_items).sum();
    let amounts = |interval: &Interval| {
        vec![
            Amount { class: "same", value: interval.unchanged as f64 },
            Amount { class: "news", value: interval.changed as f64 },
            Amount { class: "bad", value: interval.failed as f64 },
        ]
    };
    let label = |interval: &Interval| {
        format!(
            "{}: {}, {} changed, {} failed",
            interval.label,
            count(interval.polls, "poll"),
            interval.changed,
            interval.failed
        )
    };
    Chart {
        id: format!("polls-{}", intervals.len()),
        title: "Polls",
        description: format!(
            "{}, {}, {failed} failed",
            count(polls, "poll"),
            count(new, "new item")
        ),
        legend: vec![
            LegendEntry { class: "news", text: "changed" },
            LegendEntry { class: "same", text: "unchanged" },
            LegendEntry { class: "bad", text: "failed" },
        ],
        ..linear(intervals, period, amounts, label, |top| format!("{top:.0}"))
    }
}

fn received(intervals: &[Interval], period: Period) -> Chart {
    let all: u64 = intervals.iter().map(|interval| interval.received_bytes).sum();
    let amounts =
        |interval: &Interval| vec![Amount { class: "news", value: interval.received_bytes as f64 }];
    let label = |interval: &Interval| format!("{}: {}", interval.label, interval.bytes());
    Chart {
        id: format!("bytes-{}", intervals.len()),
        title: "Received",
        description: format!("{} in total", bytes(all as f64)),
        ..linear(intervals, period, amounts, label, |top| bytes(top).replace(".0 ", " "))
    }
}

/// A chart with a linear scale from 0 to the largest bar.
fn linear(
    intervals: &[Interval],
    period: Period,
    amounts: impl Fn(&Interval) -> Vec<Amount>,
    label: impl Fn(&Interval) -> String,
    unit: impl Fn(f64) -> String,
) -> Chart {
    let all: Vec<Vec<Amount>> = intervals.iter().map(amounts).collect();
    let sum = |amounts: &Vec<Amount>| amounts.iter().map(|amount| amount.value).sum::<f64>();
    let top = round_up(all.iter().map(sum).fold(0.0, f64::max));
    let bar = |(n, (interval, amounts)): (usize, (&Interval, Vec<Amount>))| {
        let mut bottom = HEIGHT as f64;
        let amounts = amounts.into_iter().filter(|amount| amount.value > 0.0);
        let segments = amounts.map(|amount| {
            let height = amount.value / top * HEIGHT as f64;
            bottom -= height;
            Segment { class: amount.class, top: bottom, height }
        });
        let segments = segments.collect();
        Bar { segments, label: label(interval), ..empty_bar(n, intervals.len()) }
    };
    Chart {
        bars: intervals.iter().zip(all).enumerate().map(bar).collect(),
        grid: vec![
            GridLine { top: 0.0, label: unit(top) },
            GridLine { top: HEIGHT as f64 / 2.0, label: unit(top / 2.0) },
        ],
        labels: axis_labels(intervals, period),
        ..Chart::default()
    }
}

/// The delivery delays, with a logarithmic scale from a minute to two weeks.
fn delays(intervals: &[Interval], period: Period) -> Chart {
    let (low, high) = (60_f64.ln(), (14.0 * 86_400_f64).ln());
    let height = |seconds: f64| {
        ((seconds.max(61.0).ln() - low) / (high - low) * HEIGHT as f64).clamp(1.0, HEIGHT as f64)
    };
    let bar = |(n, interval): (usize, &Interval)| {
        let median = quantile(&interval.delays, 0.5).map(height);
        let p90 = quantile(&interval.delays, 0.9).map(height);
        let mut segments = Vec::new();
        if let (Some(median), Some(p90)) = (median, p90) {
            let height = HEIGHT as f64;
            segments.push(Segment { class: "same", top: height - p90, height: p90 - median });
            segments.push(Segment { class: "news", top: height - median, height: median });
        }
        let label = format!("{}: {}", interval.label, interval.delay());
        Bar { segments, label, ..empty_bar(n, intervals.len()) }
    };
    let mut sum = Delays::default();
    intervals.iter().for_each(|interval| add(&mut sum, &interval.delays));
    let description = match (quantile(&sum, 0.5), quantile(&sum, 0.9)) {
        (Some(median), Some(p90)) => {
            format!("median {}, 90th percentile {}", seconds(median), seconds(p90))
        }
        _ => "no delays recorded yet".to_owned(),
    };
    let grid = [(604_800.0, "1w"), (86_400.0, "1d"), (3_600.0, "1h"), (300.0, "5m")];
    let line = |(seconds, label): (f64, &str)| GridLine {
        top: HEIGHT as f64 - height(seconds),
        label: label.to_owned(),
    };
    Chart {
        id: format!("delay-{}", intervals.len()),
        title: "Delivery delay",
        description,
        legend: vec![
            LegendEntry { class: "news", text: "median" },
            LegendEntry { class: "same", text: "90th percentile" },
        ],
        bars: intervals.iter().enumerate().map(bar).collect(),
        grid: grid.map(line).to_vec(),
        labels: axis_labels(intervals, period),
    }
}

/// The bar number `n` of `bars`, without segments.
fn empty_bar(n: usize, bars: usize) -> Bar {
    let room = WIDTH as f64 / bars.max(1) as f64;
    Bar { left: n as f64 * room + room * 0.12, width: room * 0.76, ..Bar::default() }
}

fn axis_labels(intervals: &[Interval], period: Period) -> Vec<AxisLabel> {
    let start = |n: usize| AxisLabel {
        left: if n == 0 { 0.0 } else { empty_bar(n, intervals.len()).left },
        anchor: "start",
        text: intervals.get(n).map(|interval| interval.label.clone()).unwrap_or_default(),
    };
    let now = if period == Period::Day { "now" } else { "today" };
    let end = AxisLabel { left: WIDTH as f64, anchor: "end", text: now.to_owned() };
    vec![start(0), start(intervals.len() / 2), end]
}

/// The next larger number of the form 1, 2 or 5 times a power of ten, so that half of it is a whole number: at least 2, and 6 in
/// place of 5.
fn round_up(value: f64) -> f64 {
    if value <= 2.0 {
        return 2.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|n| n * power >= value);
    match factor.unwrap_or(10.0) * power {
        5.0 => 6.0,
        top => top,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour with this many polls.
    fn hour(number: i64, polls: u64) -> HourCounts {
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

    #[test]
    fn hours_are_summed_into_the_intervals_of_a_period() {
        let now = Timestamp::from_second(100 * 3_600 + 59).unwrap();
        let hours = [hour(76, 9), hour(77, 10), hour(100, 20), hour(101, 40)];
        let day = intervals(&hours, Period::Day, now);
        let polls: Vec<u64> = day.iter().map(|interval| interval.polls).collect();
        assert_eq!((polls.len(), polls[0], polls[23], polls.iter().sum::<u64>()), (24, 10, 20, 30));
        assert_eq!((day[23].changed, day[23].failed, day[23].unchanged), (2, 1, 17));
        let fortnight = intervals(&hours, Period::Fortnight, now);
        let polls: Vec<u64> = fortnight.iter().map(|interval| interval.polls).collect();
        assert_eq!((polls.len(), polls[12], polls[13]), (14, 19, 60));
    }

    #[test]
    fn quantiles_are_interpolated_within_their_bucket() {
        let mut delays = [0; DELAY_BUCKETS.len() + 1];
        assert_eq!(quantile(&delays, 0.5), None);
        delays[3] = 100;
        assert_eq!(quantile(&delays, 0.5).map(f64::round), Some(2_700.0));
        delays[0] = 900;
        assert_eq!(quantile(&delays, 0.5).map(f64::round), Some(167.0));
    }

    #[test]
    fn bars_stay_inside_of_their_chart() {
        let now = Timestamp::from_second(100 * 3_600).unwrap();
        for hours in
            [vec![], vec![hour(99, 7)], (0..100).map(|n| hour(n, 7 + n as u64 * 31)).collect()]
        {
            for chart in charts(&intervals(&hours, Period::Day, now), Period::Day) {
                for bar in chart.bars {
                    assert!(bar.left >= 0.0 && bar.left + bar.width <= WIDTH as f64);
                    for Segment { top, height, .. } in bar.segments {
                        assert!(top >= -1e-6 && height >= 0.0);
                        assert!(top + height <= HEIGHT as f64 + 1e-6);
                    }
                }
            }
        }
    }

    #[test]
    fn scales_end_at_round_numbers_with_a_whole_half() {
        assert_eq!(
            [0.0, 1.0, 3.0, 5.0, 6.0, 17.0, 50.0, 51.0].map(round_up),
            [2.0, 2.0, 6.0, 6.0, 10.0, 20.0, 50.0, 100.0]
        );
        for value in 0..10_000 {
            let top = round_up(f64::from(value));
            assert!(top >= f64::from(value) && top % 2.0 == 0.0, "{value}: {top}");
        }
    }
}
