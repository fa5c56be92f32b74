//! The silence detector: finds feeds that still answer but have stopped publishing. Pure.
//!
//! A feed counts as silent if it has had no new item for much longer than usual, measured by the gaps
//! between its items and by its longest gap. A feed with too few items is never silent, and a holiday
//! is no silence. What most answers were since the last new item gives the kind of silence.

use jiff::{SignedDuration, Timestamp};

use crate::model::{FailureKind, FeedActivity, FeedStatus, Outcome};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Shortest time from the oldest to the newest item of a feed that can be silent, in seconds.
const MIN_HISTORY: i64 = 14 * DAY;
/// Smallest number of gaps between its items.
const MIN_GAPS: usize = 6;
/// Smallest number of polls since the last new item, in case newswire did not run.
const MIN_POLLS: u32 = 5;
/// Shortest silence of any feed, in seconds.
const MIN_SILENCE: i64 = 3 * DAY;
/// Longest holiday that is allowed for, in seconds.
const MAX_HOLIDAY: i64 = 21 * DAY;
/// Time after which a web page in place of the feed is not an accident, in seconds.
const PAGE_AFTER: i64 = DAY;
/// Time after which a document without items is not an accident, in seconds.
const EMPTY_AFTER: i64 = 2 * DAY;

/// What a silent feed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SilenceKind {
    /// Most answers are "not modified".
    StuckValidator,
    /// Most answers are the same document.
    FrozenCopy,
    /// The document changes, but has no new items.
    OldItems,
    /// The document has no items.
    EmptyDocument,
    /// A web page or another document with status 200 instead of the feed.
    SoftNotFound,
}

impl SilenceKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::StuckValidator,
        Self::FrozenCopy,
        Self::OldItems,
        Self::EmptyDocument,
        Self::SoftNotFound,
    ];

    /// Stable slug, for JSON and metrics.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::StuckValidator => "stuck_validator",
            Self::FrozenCopy => "frozen_copy",
            Self::OldItems => "old_items",
            Self::EmptyDocument => "empty_document",
            Self::SoftNotFound => "soft_404",
        }
    }

    /// What the server does, without a full stop.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::StuckValidator => "the server always answers \"not modified\"",
            Self::FrozenCopy => "the server always sends the same document",
            Self::OldItems => "the document changes, but has no new items",
            Self::EmptyDocument => "the document has no items",
            Self::SoftNotFound => "the server sends another document instead of the feed",
        }
    }
}

/// The silence of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// What the feed answers.
    pub kind: SilenceKind,
    /// Time of the last new item or the last good document.
    pub since: Timestamp,
    /// Time without new items after which the feed counts as silent, see [`threshold`]; `None`: unknown.
    pub threshold: Option<SignedDuration>,
}

/// The silence of the feed; `None`: it is not silent.
#[must_use]
pub fn silence(status: &FeedStatus, now: Timestamp) -> Option<Silence> {
    let activity = &status.activity;
    let lasts = |since: Timestamp, seconds: i64| now.duration_since(since).as_secs() >= seconds;
    if status.last_outcome == Some(Outcome::Failed(FailureKind::NotAFeed)) && status.items > 0 {
        let since = status.failing_since.filter(|since| lasts(*since, PAGE_AFTER))?;
        let is_page = status.last_status == Some(200);
        let kind = SilenceKind::SoftNotFound;
        return is_page.then_some(Silence { kind, since, threshold: None });
    }
    if status.failures > 0 {
        return None;
    }
    let threshold = threshold(activity);
    if let Some(since) = activity.empty_since {
        let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs());
        let kind = SilenceKind::EmptyDocument;
        let is_silent = lasts(since, EMPTY_AFTER.max(longest));
        return is_silent.then_some(Silence { kind, since, threshold });
    }
    let limit = threshold?;
    let since =
        [status.last_new_at, activity.moments.first().copied()].into_iter().flatten().max()?;
    let polls = activity.not_modified + activity.same_body + activity.nothing_new;
    if polls < MIN_POLLS || !lasts(since, limit.as_secs()) {
        return None;
    }
    Some(Silence { kind: kind(activity), since, threshold })
}

/// What most answers since the last new item were.
fn kind(activity: &FeedActivity) -> SilenceKind {
    let most = activity.not_modified.max(activity.same_body).max(activity.nothing_new);
    if most == activity.nothing_new {
        SilenceKind::OldItems
    } else if most == activity.same_body {
        SilenceKind::FrozenCopy
    } else {
        SilenceKind::StuckValidator
    }
}

/// Time without new items after which a feed counts as silent; `None`: too few items are known.
///
/// The larger of twice its longest gap and four times the gap that a tenth of its gaps exceed, and on top
/// a holiday of up to seven median gaps, for feeds that one person writes.
#[must_use]
pub fn threshold(activity: &FeedActivity) -> Option<SignedDuration> {
    let gaps = Gaps::new(&activity.moments)?;
    // The feed of a conference publishes for a week.
    if seconds(activity.oldest?, *activity.moments.first()?) < MIN_HISTORY {
        return None;
    }
    let longest = activity.longest_gap.map_or(0, |gap| gap.as_secs()).max(gaps.longest);
    let usual = (2 * longest).max(4 * gaps.p90).max(MIN_SILENCE);
    Some(SignedDuration::from_secs(usual + (7 * gaps.median).min(MAX_HOLIDAY)))
}

/// The gaps between items, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// Half of the gaps are shorter.
    pub median: i64,
    /// A tenth of the gaps are longer.
    pub p90: i64,
    /// The longest gap.
    pub longest: i64,
}

impl Gaps {
    /// The gaps between these times, the newest first; `None`: fewer than six gaps.
    #[must_use]
    pub fn new(moments: &[Timestamp]) -> Option<Self> {
        let gaps = moments.windows(2).map(|pair| seconds(pair[1], pair[0]));
        // Items with the same time count as one.
        let mut gaps: Vec<i64> = gaps.filter(|gap| *gap > 0).collect();
        if gaps.len() < MIN_GAPS {
            return None;
        }
        gaps.sort_unstable();
        let quantile = |tenths: usize| gaps[(gaps.len() - 1) * tenths / 10];
        Some(Self { median: quantile(5), p90: quantile(9), longest: quantile(10) })
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// The detector on simulated feeds: its false alarms, and how soon it finds a feed that ended.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FeedId, FeedInfo, FeedKey, FeedProfile, ReasonKind};

    const DAY: f64 = 86_400.0;
    /// Number of days that each feed is watched.
    const DAYS: usize = 730;
    const SEEDS: u64 = 60;

    /// A reproducible random number generator: splitmix64.
    struct Random(u64);

    impl Random {
        fn fraction(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// An exponentially distributed time with this mean.
        fn wait(&mut self, mean: f64) -> f64 {
            -mean * (1.0 - self.fraction()).ln()
        }
    }

    /// How often a simulated publisher publishes.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Habit {
        /// Forty a day on weekdays, five on others, none on a long weekend at times.
        News,
        /// One a day or so, two weeks of holiday in summer.
        Daily,
        /// One a week, give or take, four weeks of holiday in summer.
        Weekly,
        /// One a month, at any time.
        Monthly,
        /// Daily for half a year, then nothing until the next season.
        Seasonal,
        /// Ten within two days, and then nothing for some weeks.
        Bursty,
        /// A conference: many within a week, then none.
        OneOff,
    }

    const HABITS: [Habit; 7] = [
        Habit::News,
        Habit::Daily,
        Habit::Weekly,
        Habit::Monthly,
        Habit::Seasonal,
        Habit::Bursty,
        Habit::OneOff,
    ];

    /// Publication times in seconds, from a year before the first of [`DAYS`].
    fn moments(habit: Habit, random: &mut Random) -> Vec<f64> {
        let (mut at, end, mut moments) = (-365.0 * DAY, DAYS as f64 * DAY, Vec::new());
        while at < end {
            let day = (at / DAY).rem_euclid(365.0);
            let summer = |days: f64| (200.0..200.0 + days).contains(&day);
            at += match habit {
                Habit::News if (at / DAY).rem_euclid(7.0) < 5.0 => random.wait(DAY / 40.0),
                Habit::News => random.wait(DAY / 5.0),
                Habit::Daily if summer(14.0) => (214.1 - day) * DAY,
                Habit::Daily => random.wait(DAY),
                Habit::Weekly if summer(28.0) => (228.1 - day) * DAY,
                Habit::Weekly => (5.0 + 4.0 * random.fraction()) * DAY,
                Habit::Monthly => (15.0 + 30.0 * random.fraction()) * DAY,
                Habit::Seasonal if day > 182.0 => (365.1 - day) * DAY,
                Habit::Seasonal => random.wait(DAY),
                Habit::Bursty if random.fraction() < 0.1 => (10.0 + 20.0 * random.fraction()) * DAY,
                Habit::Bursty => random.wait(DAY / 5.0),
                Habit::OneOff if moments.len() < 80 => random.wait(DAY / 12.0),
                Habit::OneOff => end,
            };
            moments.push(at);
        }
        if habit == Habit::OneOff {
            // The conference is in the watched time.
            moments.iter_mut().for_each(|at| *at += 375.0 * DAY);
        }
        moments.retain(|at| *at < end);
        moments
    }

    fn stamp(seconds: f64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds as i64).unwrap()
    }

    /// Judges a feed day by day. Returns the first day on which it is silent, and the number of alarms.
    fn watch(moments: &[f64], death: f64) -> (Option<usize>, usize) {
        let info = FeedInfo {
            key: FeedKey(1),
            id: FeedId::new("x").unwrap(),
            url: "https://x.example/".to_owned(),
            title: "x".to_owned(),
            tags: Vec::new(),
            profile: FeedProfile::default(),
        };
        let mut status = FeedStatus {
            next_poll_at: stamp(0.0),
            reason: ReasonKind::Interval,
            last_poll_at: Some(stamp(0.0)),
            last_outcome: Some(Outcome::NotModified),
            last_status: Some(304),
            items: 1,
            ..FeedStatus::unpolled(info)
        };
        let (mut first, mut alarms, mut was, mut next) = (None, 0, false, 0);
        for day in 0..DAYS {
            let now = day as f64 * DAY;
            let before = next;
            while next < moments.len() && moments[next] <= now.min(death) {
                next += 1;
            }
            let activity = &mut status.activity;
            if next > before {
                if let Some(last) = status.last_new_at {
                    let gap = stamp(now).duration_since(last);
                    activity.longest_gap = activity.longest_gap.max(Some(gap));
                }
                status.last_new_at = Some(stamp(now));
                let newest = moments[next.saturating_sub(FeedActivity::MOMENTS)..next].iter().rev();
                activity.oldest = moments.first().map(|at| stamp(*at));
                activity.moments = newest.map(|at| stamp(*at)).collect();
                activity.not_modified = 0;
            } else {
                activity.not_modified += 24;
            }
            let silent = silence(&status, stamp(now)).is_some();
            if silent && !was {
                alarms += 1;
                first = first.or(Some(day));
            }
            was = silent;
        }
        (first, alarms)
    }

    #[test]
    fn ended_feeds_are_found_with_few_false_alarms() {
        let (mut wrong, mut found, mut dead, mut report) = (0, 0, 0, String::new());
        for habit in HABITS {
            let (mut alarms, mut seen, mut late) = (0, 0, Vec::new());
            for seed in 0..SEEDS {
                let moments = moments(habit, &mut Random(seed * 7_919 + habit as u64));
                alarms += watch(&moments, f64::MAX).1;
                // Within its season, if it has one.
                let death = (365.0 + 120.0) * DAY;
                let last = moments.iter().rev().find(|at| **at <= death).copied().unwrap_or(death);
                let killed: Vec<f64> = moments.into_iter().filter(|at| *at <= death).collect();
                let (first, _) = watch(&killed, death);
                if let Some(day) = first.filter(|day| *day as f64 * DAY > last) {
                    seen += 1;
                    late.push(day as f64 - last / DAY);
                }
            }
            late.sort_by(f64::total_cmp);
            let years = SEEDS as f64 * DAYS as f64 / 365.0;
            let median = late.get(late.len() / 2).copied().unwrap_or_default();
            report += &format!(
                "{habit:?}: {alarms} false alarms in {years} feed years; {seen} of {SEEDS} deaths seen, after {median:.0} days\n"
            );
            match habit {
                // No detector can know that the conference is over.
                Habit::OneOff => assert_eq!(alarms, 0, "{report}"),
                // The first pause of a season is an alarm, the second is not.
                Habit::Seasonal => assert!(alarms as u64 <= SEEDS, "{report}"),
                _ => {
                    wrong += alarms;
                    dead += SEEDS as usize;
                    found += seen;
                }
            }
        }
        let (precision, recall) =
            (found as f64 / (found + wrong) as f64, found as f64 / dead as f64);
        report += &format!("precision {precision:.3}, recall {recall:.3}");
        assert!(precision > 0.98, "{report}");
        assert!(recall > 0.98, "{report}");
    }

    #[test]
    fn slugs_of_silence_are_stable() {
        let names: Vec<&str> = SilenceKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(
            names,
            ["stuck_validator", "frozen_copy", "old_items", "empty_document", "soft_404"]
        );
    }
}
