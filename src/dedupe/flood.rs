//! Which items of a burst are shown. A feed that has far more new items at once than ever before was moved, imported,
//! re-dated or broken into, and subscribers should not get all of them. Pure.

use jiff::{SignedDuration, Timestamp};

use super::evidence::MINUTE;
use super::settings::{BurstGuard, Settings};
use crate::model::HoldReason;

/// Number of new items at once that are always allowed, in addition to
const ALWAYS: usize = 5;
/// this many times the usual number.
const TIMES: f32 = 3.0;
/// Items that are dated closer together than this do not show how often a feed publishes.
const SPAN: SignedDuration = SignedDuration::from_hours(1);
/// Longest time without new items for which the usual number is expected afterwards, in days: a feed that was quiet for
/// longer was not merely served from a stale copy.
const LONGEST_QUIET: f32 = 31.0;
/// Maximum number of recent items with a date that no other item has which always pass, as of a weekly blog that reports
/// from a conference. What was moved or imported has more, or one date for all.
const OWN_DATES: usize = 20;
/// Longest time that a publisher's date may be before the last successful poll for an item that is new.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// What is known of how a feed publishes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rhythm {
    /// Which document of the feed this is.
    pub document: DocumentOrder,
    /// New items of each of its last polls that brought any, the first one left out.
    pub bursts: Vec<u32>,
    /// Items a day, over what is known.
    pub per_day: f32,
    /// Time of the last successful poll; `None`: never.
    pub last_success: Option<Timestamp>,
    /// Time of the last poll with new items; `None`: unknown.
    pub last_new: Option<Timestamp>,
}

/// Which of the documents of a feed the present one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DocumentOrder {
    /// The first one that was read.
    #[default]
    First,
    /// A document was read before.
    Later,
}

/// How many new items at once are nothing out of the ordinary.
#[must_use]
pub fn budget(rhythm: &Rhythm, now: Timestamp) -> usize {
    let mut bursts = rhythm.bursts.clone();
    bursts.sort_unstable();
    // The 95th percentile.
    let usual = bursts
        .get((bursts.len() * 95 / 100).min(bursts.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0);
    let days = |since: Timestamp| now.duration_since(since).as_secs_f32() / 86_400.0;
    // A server may have answered with an empty or an old document.
    let quiet = rhythm.last_new.map_or(0.0, days).min(LONGEST_QUIET);
    let away = rhythm.last_success.map_or(0.0, days).max(quiet);
    let expected = (usual as f32).max(rhythm.per_day * away.max(0.0));
    ALWAYS + (expected * TIMES).ceil() as usize
}

/// Items a day, by when they were published: what is known of a feed that was just added.
#[must_use]
pub fn per_day(published: impl Iterator<Item = Timestamp>) -> f32 {
    let (mut first, mut last, mut count) = (Timestamp::MAX, Timestamp::MIN, 0_u32);
    for at in published {
        (first, last, count) = (first.min(at), last.max(at), count + 1);
    }
    let span = if count > 1 { last.duration_since(first) } else { SignedDuration::ZERO };
    if span < SPAN { 0.0 } else { count as f32 / (span.as_secs_f32() / 86_400.0) }
}

/// Number of dates that are more than a minute from all others.
fn own_dates<'d>(dates: impl Iterator<Item = &'d Timestamp>) -> usize {
    let mut seconds: Vec<i64> = dates.map(|date| date.as_second()).collect();
    seconds.sort_unstable();
    let apart = |a: usize, b: usize| seconds[b] - seconds[a] > MINUTE;
    let alone = |at: &usize| {
        (*at == 0 || apart(at - 1, *at)) && (at + 1 == seconds.len() || apart(*at, at + 1))
    };
    (0..seconds.len()).filter(alone).count()
}

/// For each new item, given by its date in the document's order (the newest first), whether it waits.
#[must_use]
pub fn admit(
    settings: &Settings,
    rhythm: &Rhythm,
    dates: &[Option<Timestamp>],
    now: Timestamp,
) -> Vec<Option<HoldReason>> {
    let last = rhythm.last_success.map(|last| rhythm.last_new.map_or(last, |new| new.min(last)));
    let since = last.and_then(|last| last.checked_sub(SLACK).ok());
    let fresh =
        |date: &Option<Timestamp>| date.zip(since).is_none_or(|(date, since)| date >= since);
    let (room, hold) = match rhythm.document {
        DocumentOrder::First => (settings.initial_items, HoldReason::History),
        DocumentOrder::Later if settings.burst_guard == BurstGuard::Off => {
            (usize::MAX, HoldReason::Burst)
        }
        DocumentOrder::Later => {
            let own = own_dates(dates.iter().filter(|date| fresh(date)).flatten());
            let own = if own <= OWN_DATES { own } else { 0 };
            (budget(rhythm, now).max(own), HoldReason::Burst)
        }
    };
    if dates.len() <= room {
        return vec![None; dates.len()];
    }
    let mut order: Vec<usize> = (0..dates.len()).collect();
    // The newest first; without dates, as the document has them.
    order.sort_by_key(|i| std::cmp::Reverse(dates[*i]));
    if rhythm.document == DocumentOrder::Later {
        order.retain(|i| fresh(&dates[*i]));
    }
    let mut holds = vec![Some(hold); dates.len()];
    for i in order.into_iter().take(room) {
        holds[i] = None;
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hours * 3_600).unwrap()
    }

    fn passed(rhythm: &Rhythm, dates: &[Option<Timestamp>]) -> Vec<usize> {
        let holds = admit(&Settings::default(), rhythm, dates, at(0));
        holds.iter().enumerate().filter(|(_, hold)| hold.is_none()).map(|(i, _)| i).collect()
    }

    fn known() -> Rhythm {
        Rhythm {
            document: DocumentOrder::Later,
            bursts: vec![1, 2, 1, 3, 2],
            per_day: 4.0,
            last_success: Some(at(-1)),
            last_new: None,
        }
    }

    #[test]
    fn a_new_feed_brings_its_newest() {
        let dates: Vec<_> = (0..80).map(|n| Some(at(-n))).collect();
        assert_eq!(passed(&Rhythm::default(), &dates), (0..50).collect::<Vec<_>>());
        let undated = vec![None; 60];
        assert_eq!(passed(&Rhythm::default(), &undated), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_feed_usually_brings_passes() {
        assert_eq!(passed(&known(), &vec![Some(at(0)); 9]).len(), 9);
    }

    #[test]
    fn of_a_burst_the_news_passes_and_the_rest_waits() {
        let mut dates = vec![Some(at(0)), Some(at(-1))];
        dates.extend((0..212).map(|n| Some(at(-1_000 - n))));
        assert_eq!(passed(&known(), &dates), [0, 1]);
        let redated = vec![Some(at(0)); 214];
        assert_eq!(passed(&known(), &redated).len(), 14, "five, and three times the usual");
    }

    #[test]
    fn after_a_long_absence_more_is_usual() {
        let away = Rhythm { last_success: Some(at(-24 * 10)), ..known() };
        let dates: Vec<_> = (0..60).map(|n| Some(at(-4 * n))).collect();
        assert_eq!(passed(&away, &dates).len(), 60);
    }

    #[test]
    fn after_a_stale_document_more_is_usual_but_not_after_a_year() {
        let stale = |days: i64| Rhythm {
            bursts: Vec::new(),
            per_day: 1.0,
            last_new: Some(at(-24 * days)),
            ..known()
        };
        let daily: Vec<_> = (0..20).map(|n| Some(at(-24 * n))).collect();
        assert_eq!(passed(&stale(20), &daily).len(), 20);
        assert_eq!(budget(&stale(365), at(0)), 5 + 93);
    }

    #[test]
    fn a_day_with_many_dated_posts_passes_and_an_archive_does_not() {
        let quiet = Rhythm { bursts: vec![1], per_day: 0.1, ..known() };
        let day: Vec<_> = (0..12).map(|n| Some(at(-n))).collect();
        assert_eq!(passed(&quiet, &day).len(), 12);
        let old: Vec<_> = (0..12).map(|n| Some(at(-2_000 - n))).collect();
        assert_eq!(passed(&quiet, &old).len(), 0);
        assert_eq!(passed(&quiet, &[Some(at(0)); 12]).len(), 8, "one date for all");
        let many: Vec<_> = (0..21).map(|n| Some(at(-n))).collect();
        assert_eq!(passed(&quiet, &many).len(), 8);
    }

    #[test]
    fn a_feed_that_was_just_added_is_known_by_the_dates_of_its_items() {
        let busy = per_day((0..48).map(|n| at(-n)));
        assert!((24.0..26.0).contains(&busy), "{busy}");
        let added =
            Rhythm { bursts: Vec::new(), per_day: busy, last_success: Some(at(-12)), ..known() };
        assert_eq!(budget(&added, at(0)), 42);
        assert_eq!(per_day([at(0); 30].into_iter()), 0.0, "all at the same time gives no rate");
    }

    #[test]
    fn an_operator_may_let_everything_pass() {
        let settings = Settings { burst_guard: BurstGuard::Off, ..Settings::default() };
        let dates = vec![Some(at(0)); 214];
        assert!(admit(&settings, &known(), &dates, at(0)).iter().all(Option::is_none));
    }
}
