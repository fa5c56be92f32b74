//! What polls did over time as bars, ready to be drawn as SVG: pure.
//!
//! Everything that can be seen can be read: each plot has a title and a description, each bar its
//! own words, and the same figures stand in a table.

use super::steps::{Delays, Span, Step, quantile, within};
use crate::text::amounts::bytes;

/// The room for bars, in the units of the drawing.
const WIDTH: usize = 320;
const HEIGHT: usize = 84;

/// The room of a drawing.
pub(super) const ROOM: Room =
    Room { width: WIDTH, height: HEIGHT, whole: HEIGHT + 24, words: HEIGHT + 18 };

/// The room of a drawing, in its own units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) width: usize,
    /// Where bars stand.
    pub(super) height: usize,
    /// With what is below.
    pub(super) whole: usize,
    /// Where the words below stand.
    pub(super) words: usize,
}

/// A drawing of bars.
#[derive(Debug, Clone, Default)]
pub(super) struct Plot {
    /// Unique on its page.
    pub(super) id: String,
    pub(super) title: &'static str,
    /// What it shows, in a sentence with its figures.
    pub(super) says: String,
    pub(super) bars: Vec<Bar>,
    /// Lines across, with what they stand for: height from the top, words.
    pub(super) lines: Vec<(f64, String)>,
    /// Below: place from the left, anchor, words.
    pub(super) labels: Vec<(f64, &'static str, String)>,
    /// What the colours stand for: class, words.
    pub(super) keys: Vec<(&'static str, &'static str)>,
}

/// One bar: its parts from the bottom up.
#[derive(Debug, Clone, Default)]
pub(super) struct Bar {
    pub(super) left: f64,
    pub(super) width: f64,
    /// Class, top and height.
    pub(super) parts: Vec<(&'static str, f64, f64)>,
    /// What it stands for.
    pub(super) says: String,
}

/// The three plots of a span.
pub(super) fn plots(steps: &[Step], over: Span) -> Vec<Plot> {
    vec![polls(steps, over), received(steps, over), waits(steps, over)]
}

fn polls(steps: &[Step], over: Span) -> Plot {
    let sum = |of: fn(&Step) -> u64| steps.iter().map(of).sum::<u64>();
    let (polls, failed) = (sum(|step| step.polls), sum(|step| step.failed));
    let new = sum(|step| step.new);
    let bar = |step: &Step| {
        let parts = vec![
            ("same", step.unchanged as f64),
            ("news", step.brought as f64),
            ("bad", step.failed as f64),
        ];
        let says = format!(
            "{}: {} polls, {} brought something, {} failed",
            step.when, step.polls, step.brought, step.failed
        );
        (parts, says)
    };
    Plot {
        id: format!("polls-{}", steps.len()),
        title: "Polls",
        says: format!("{polls} polls, {new} new items, {failed} failures"),
        keys: vec![("news", "brought something"), ("same", "unchanged"), ("bad", "failed")],
        ..amounts(steps, over, bar, |top| format!("{top:.0}"))
    }
}

fn received(steps: &[Step], over: Span) -> Plot {
    let all: u64 = steps.iter().map(|step| step.wire).sum();
    let bar = |step: &Step| {
        (vec![("news", step.wire as f64)], format!("{}: {}", step.when, step.bytes()))
    };
    Plot {
        id: format!("bytes-{}", steps.len()),
        title: "Bytes received",
        says: format!("{} in all", bytes(all as f64)),
        ..amounts(steps, over, bar, |top| bytes(top).replace(".0 ", " "))
    }
}

/// The amounts that a bar is made of, by class, from the bottom up; and what it stands for.
type Told = (Vec<(&'static str, f64)>, String);

/// Bars on a scale from nought to the largest.
fn amounts(
    steps: &[Step],
    over: Span,
    bar: impl Fn(&Step) -> Told,
    unit: impl Fn(f64) -> String,
) -> Plot {
    let bars: Vec<_> = steps.iter().map(bar).collect();
    let sum = |parts: &[(&str, f64)]| parts.iter().map(|(_, amount)| amount).sum::<f64>();
    let top = round_up(bars.iter().map(|(parts, _)| sum(parts)).fold(0.0, f64::max));
    let drawn = |(n, (parts, says)): (usize, Told)| {
        let mut foot = HEIGHT as f64;
        let parts = parts.into_iter().filter(|(_, amount)| *amount > 0.0);
        let parts = parts.map(|(class, amount)| {
            let height = amount / top * HEIGHT as f64;
            foot -= height;
            (class, foot, height)
        });
        let parts = parts.collect();
        let (left, width) = place(n, steps.len());
        Bar { left, width, parts, says }
    };
    let lines = vec![(0.0, unit(top)), (HEIGHT as f64 / 2.0, unit(top / 2.0))];
    Plot {
        bars: bars.into_iter().enumerate().map(drawn).collect(),
        lines,
        labels: labels(steps, over),
        ..Plot::default()
    }
}

/// From a minute to two weeks, each line ten times as long, as it were.
fn waits(steps: &[Step], over: Span) -> Plot {
    let (low, high) = (60_f64.ln(), (14.0 * 86_400_f64).ln());
    let height = |seconds: f64| {
        ((seconds.max(61.0).ln() - low) / (high - low) * HEIGHT as f64).clamp(1.0, HEIGHT as f64)
    };
    let bar = |(n, step): (usize, &Step)| {
        let (left, width) = place(n, steps.len());
        let (half, most) = (quantile(&step.delays, 0.5), quantile(&step.delays, 0.9));
        let mut parts = Vec::new();
        if let (Some(half), Some(most)) = (half, most) {
            let (half, most) = (height(half), height(most));
            parts.push(("same", HEIGHT as f64 - most, most - half));
            parts.push(("news", HEIGHT as f64 - half, half));
        }
        Bar { left, width, parts, says: format!("{}: {}", step.when, step.delay()) }
    };
    let mut delays = Delays::default();
    for step in steps {
        delays.iter_mut().zip(step.delays).for_each(|(sum, more)| *sum += more);
    }
    let says = match (quantile(&delays, 0.5), quantile(&delays, 0.9)) {
        (Some(half), Some(most)) => format!(
            "half of the new items seen within {}, nine tenths within {}",
            within(half),
            within(most)
        ),
        _ => "no new items".to_owned(),
    };
    let line = |(seconds, name): (f64, &str)| (HEIGHT as f64 - height(seconds), name.to_owned());
    Plot {
        id: format!("delay-{}", steps.len()),
        title: "From publication to here",
        says,
        keys: vec![("news", "half within"), ("same", "nine tenths within")],
        bars: steps.iter().enumerate().map(bar).collect(),
        lines: [(604_800.0, "1w"), (86_400.0, "1d"), (3_600.0, "1h"), (300.0, "5m")]
            .map(line)
            .to_vec(),
        labels: labels(steps, over),
    }
}

fn place(n: usize, count: usize) -> (f64, f64) {
    let room = WIDTH as f64 / count.max(1) as f64;
    (n as f64 * room + room * 0.12, room * 0.76)
}

fn labels(steps: &[Step], over: Span) -> Vec<(f64, &'static str, String)> {
    let when = |n: usize| steps.get(n).map(|step| step.when.clone()).unwrap_or_default();
    let middle = steps.len() / 2;
    let now = if over == Span::Day { "now" } else { "today" };
    vec![
        (0.0, "start", when(0)),
        (place(middle, steps.len()).0, "start", when(middle)),
        (WIDTH as f64, "end", now.to_owned()),
    ]
}

/// The next number that people like to count by: 1, 2 or 5 and noughts.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let like = [1.0, 2.0, 5.0, 10.0].into_iter().find(|n| n * power >= most);
    (like.unwrap_or(10.0) * power).max(2.0)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::steps::{hour, steps};
    use super::*;

    #[test]
    fn bars_never_leave_their_room() {
        let now = Timestamp::from_second(100 * 3_600).unwrap();
        for hours in
            [vec![], vec![hour(99, 7)], (0..100).map(|n| hour(n, 7 + n as u64 * 31)).collect()]
        {
            for plot in plots(&steps(&hours, Span::Day, now), Span::Day) {
                for bar in plot.bars {
                    assert!(bar.left >= 0.0 && bar.left + bar.width <= WIDTH as f64);
                    for (_, top, height) in bar.parts {
                        assert!(
                            top >= -1e-6 && height >= 0.0 && top + height <= HEIGHT as f64 + 1e-6
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn scales_end_at_round_numbers() {
        assert_eq!(
            [0.0, 1.0, 3.0, 17.0, 50.0, 51.0].map(round_up),
            [1.0, 2.0, 5.0, 20.0, 50.0, 100.0]
        );
    }
}
