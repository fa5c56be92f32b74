//! Dates that do not lie: never ahead of us, never from before feeds, never changed before published.

use jiff::{SignedDuration, Timestamp};

/// A publisher's clock may be this much ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(10);
/// 1990-01-01T00:00:00Z. Nothing was published on the web before it; what says so is an unset clock.
const EARLIEST: i64 = 631_152_000;

/// The date, `now` where it is a little ahead of it, `None` where it cannot be true.
///
/// So that no feed can put itself on top of the merged one: an item without a date stands where it
/// was first seen.
fn honest(date: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let ahead = date.duration_since(now);
    (ahead <= SKEW && date.as_second() >= EARLIEST).then(|| date.min(now))
}

/// Published and updated, from what the publisher says of both.
///
/// RFC 4287 4.1.2: an Atom entry must say when it was updated and may say when it was published; so
/// one date alone is the date it was published. A change before that is none.
pub(super) fn both(
    published: Option<Timestamp>,
    updated: Option<Timestamp>,
    now: Timestamp,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let updated = updated.and_then(|date| honest(date, now));
    let Some(published) = published.map_or(updated, |date| honest(date, now)) else {
        return (None, None);
    };
    (Some(published), updated.filter(|date| *date > published))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(offset: i64) -> Option<Timestamp> {
        Timestamp::from_second(NOW + offset).ok()
    }

    fn dates(published: Option<Timestamp>, updated: Option<Timestamp>) -> [Option<Timestamp>; 2] {
        let (published, updated) = both(published, updated, at(0).unwrap());
        [published, updated]
    }

    #[test]
    fn a_date_in_the_future_is_none_and_a_small_skew_is_now() {
        assert_eq!(dates(at(601), None), [None, None]);
        assert_eq!(dates(at(600), None), [at(0), None]);
        assert_eq!(dates(at(0), at(3600)), [at(0), None]);
        assert_eq!(dates(at(-60), at(60)), [at(-60), at(0)]);
        assert_eq!(dates(at(3600), at(-60)), [None, None]);
    }

    #[test]
    fn a_date_before_1990_is_none() {
        for old in [i64::from(i32::MIN), 0, EARLIEST - 1] {
            assert_eq!(dates(Timestamp::from_second(old).ok(), None), [None, None]);
        }
        assert_eq!(dates(Some(Timestamp::MIN), Some(Timestamp::MAX)), [None, None]);
        assert_eq!(
            dates(Timestamp::from_second(EARLIEST).ok(), None)[0],
            Timestamp::from_second(EARLIEST).ok()
        );
    }

    #[test]
    fn an_update_is_later_than_publication_or_none() {
        assert_eq!(dates(at(-60), at(-90)), [at(-60), None]);
        assert_eq!(dates(at(-60), at(-60)), [at(-60), None]);
        assert_eq!(dates(at(-60), at(-30)), [at(-60), at(-30)]);
    }

    #[test]
    fn an_update_alone_is_the_publication() {
        assert_eq!(dates(None, at(-60)), [at(-60), None]);
        assert_eq!(dates(None, None), [None, None]);
    }
}
