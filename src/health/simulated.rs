//! The silence detector on simulated feeds: its false alarms, and how soon it finds a feed that ended.

use jiff::Timestamp;

use super::silence::{SilenceKind, silence};
use crate::model::{
    Address, FeedActivity, FeedId, FeedInfo, FeedKey, FeedProfile, FeedStatus, Outcome, ReasonKind,
};

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
    let mut status = FeedStatus {
        info: FeedInfo {
            key: FeedKey(1),
            id: FeedId::new("x").unwrap(),
            url: "https://x.example/".to_owned(),
            title: "x".to_owned(),
            tags: Vec::new(),
            profile: FeedProfile::default(),
        },
        next_poll_at: stamp(0.0),
        reason: ReasonKind::Interval,
        reason_text: String::new(),
        failures: 0,
        failing_since: None,
        last_poll_at: Some(stamp(0.0)),
        last_outcome: Some(Outcome::NotModified),
        last_status: Some(304),
        last_message: None,
        last_url: None,
        last_success_at: None,
        last_new_at: None,
        items: 1,
        dialect: None,
        removed: Vec::new(),
        parse_warnings: Vec::new(),
        address: Address::default(),
        activity: FeedActivity::default(),
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
    let (precision, recall) = (found as f64 / (found + wrong) as f64, found as f64 / dead as f64);
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
