//! An item that came again with other words: an edit worth showing, or another item under its guid. Pure.

use jiff::{SignedDuration, Timestamp};

use super::appearance::Touched;
use super::evidence::at_once;
use super::fingerprint::{Comparable, Fingerprint};
use super::likeness::{likeness, slots};
use super::tuning::{EXACT_WORDS, SHORT_WORDS, TITLE_SUPPORT};
use super::words::Words;
use crate::model::EditCounts;

/// The smallest change that is shown: this part of the words, or this number of words (some 50 characters).
const PART: f32 = 0.1;
const WORDS: usize = 9;

/// What a page that an old and a new text have in common proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageTrust {
    /// They are the same item: the page is one of many of the feed.
    Sameness,
    /// The same, but the guid is the title, so that the same title under it proves nothing.
    SamenessWithoutTitle,
    /// Nothing: the link may be constant, as of a feed with only one item.
    Nothing,
}

/// Whether the publisher gave the guid of one item to another: title, text and date all differ, and the page
/// too if it proves anything.
#[must_use]
pub fn is_another(old: &Comparable, new: &Comparable, page: PageTrust) -> bool {
    let (was, is) = (&old.fingerprint, &new.fingerprint);
    let trusted = page != PageTrust::Nothing;
    let same_page = trusted && was.url_key.is_some() && was.url_key == is.url_key;
    let same_date = match (was.published, is.published) {
        (Some(old), Some(new)) => at_once(old, new),
        // Without dates they may be the same.
        _ => trusted && (was.url_key.is_none() || is.url_key.is_none()),
    };
    let framed = was.title.is_sibling(&is.title) || was.title.is_variant(&is.title);
    let same_title = was.title.alike(&is.title) >= 0.5 && !framed;
    if same_page || same_date {
        return false;
    }
    if same_title {
        return match page {
            PageTrust::Sameness => false,
            PageTrust::SamenessWithoutTitle => {
                let pages = was.url_key.is_some() && is.url_key.is_some();
                let whole = old.size.min(new.size) >= EXACT_WORDS;
                pages && whole && likeness(old, new).containment < TITLE_SUPPORT
            }
            PageTrust::Nothing => is_next_issue(old, new),
        };
    }
    // Its file may be constant, and so may the words around title and date.
    let keyless =
        |it: &Fingerprint| it.url_key.is_none() && it.guid.is_none() && it.global_id.is_none();
    let redated = was.published.is_some() && is.published.is_some();
    let renamed = !was.title.is_empty() && !is.title.is_empty();
    if keyless(was) && keyless(is) && redated && renamed {
        return true;
    }
    let nothing = |item: &Comparable| item.fingerprint.title.is_empty() && item.size < EXACT_WORDS;
    !nothing(old) && !nothing(new) && likeness(old, new).containment < TITLE_SUPPORT
}

/// Time from which a constant title may be that of the next issue, which comes once a day or less often.
const NEXT_ISSUE: SignedDuration = SignedDuration::from_hours(20);
/// Part of a text that two issues have in common at most: a sentence of 48 words is more.
const NOTHING_SHARED: f32 = 0.05;

/// Whether a whole text with another date has no sentence of the old one.
fn is_next_issue(old: &Comparable, new: &Comparable) -> bool {
    let dates = old.fingerprint.published.zip(new.fingerprint.published);
    let later = dates.is_some_and(|(old, new)| new.duration_since(old) >= NEXT_ISSUE);
    let whole = old.size.min(new.size) >= SHORT_WORDS;
    later && whole && likeness(old, new).containment <= NOTHING_SHARED
}

/// Maximum number of changes of an item that are all taken. One that changes more often is generated, not edited: then
/// only one change an hour is taken.
const CHANGES: u32 = 24;
const HOUR: i64 = 3_600;
/// The same for changes of attributes alone, which leave the others a part of the number. Then one a day is taken, so
/// that addresses of pictures stay valid.
const CHANGES_OF_ATTRIBUTES: u32 = 12;
const DAY: i64 = 24 * HOUR;
/// A change is shown as one this often, and not again within this time.
const BUMPS: u32 = 3;
const BUMP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Whether a change of an item may be taken now. `last` is the time of the poll before: the first poll of an hour, or
/// of a day, takes the change, because no time of the last change is stored.
#[must_use]
pub fn may_change(
    edits: &EditCounts,
    touched: Touched,
    last: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let (limit, period) = match touched {
        Touched::Content => (CHANGES, HOUR),
        Touched::Attributes => (CHANGES_OF_ATTRIBUTES, DAY),
    };
    let period = |at: Timestamp| at.as_second().div_euclid(period);
    edits.changes < limit || last.is_none_or(|last| period(last) != period(now))
}

/// Whether an item changed so often that only one change an hour is taken.
#[must_use]
pub fn is_limited(changes: u64) -> bool {
    changes >= u64::from(CHANGES)
}

/// Time after its date of change from which no cache has an older version of an item.
const CACHED: SignedDuration = SignedDuration::from_hours(24);

/// Whether a version that was last changed at `updated` is an older copy from a cache of the one that is stored, which
/// was changed at `stored`. Later it is the publisher's own: a clock was wrong, or an edit was taken back.
#[must_use]
pub fn is_outdated(updated: Timestamp, stored: Timestamp, now: Timestamp) -> bool {
    // The clocks of two servers of a publisher differ a little.
    let earlier = updated < stored && !at_once(updated, stored);
    earlier && now.duration_since(stored) < CACHED
}

/// Whether a change of an item may be shown as one, now.
#[must_use]
pub fn may_bump(edits: &EditCounts, now: Timestamp) -> bool {
    edits.bumps < BUMPS && edits.bumped_at.is_none_or(|at| now.duration_since(at) >= BUMP_AFTER)
}

/// Whether an edit is worth showing again: a tenth of the text, or a sentence.
#[must_use]
pub fn is_worth_showing(old: &Words, new: &Words) -> bool {
    let longer = old.0.len().max(new.0.len());
    let changed = longer - slots(&old.0, &new.0, None).kept.min(longer);
    changed >= WORDS || changed > 0 && changed as f32 >= longer as f32 * PART
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{Text, Title, Weights};
    use super::*;

    fn says(url: u8, title: &str, text: &str, at: i64) -> Comparable {
        let fingerprint = Fingerprint {
            url_key: Some([url; 16]),
            title: Title::new(Some(title)),
            text: Text::of_html(text),
            published: Some(Timestamp::from_second(at).unwrap()),
            ..Fingerprint::default()
        };
        fingerprint.comparable(&HashSet::new(), &Weights::default())
    }

    const FERRY: &str = "The ferry to the island ran aground in thick fog this morning.";
    const BREAD: &str = "Bakers in the old town have raised the price of a loaf again.";

    #[test]
    fn a_constant_link_proves_nothing() {
        let old = says(1, "Ferry aground", FERRY, 1_000);
        let another = |new: &Comparable| super::is_another(&old, new, PageTrust::Nothing);
        assert!(another(&says(1, "Dear bread", BREAD, 90_000)));
        for edit in [
            says(1, "Ferry aground again", BREAD, 90_000),
            says(1, "Dear bread", FERRY, 90_000),
            says(1, "Dear bread", BREAD, 1_000),
        ] {
            assert!(!another(&edit), "{edit:?}");
        }
    }

    #[test]
    fn a_whole_text_of_the_next_day_is_the_next_issue_of_the_only_item() {
        let text = |n: u32| (0..60).map(|k| format!("word{} ", (k * 7919 + n) % 40_009)).collect();
        let (text, other): (String, String) = (text(1), text(20));
        let old = says(1, "Weather for Onver", &text, 1_000);
        let is_another = |at, text: &str| {
            let new = says(1, "Weather for Onver", text, at);
            super::is_another(&old, &new, PageTrust::Nothing)
        };
        assert!(is_another(90_000, &other));
        assert!(!is_another(9_000, &other), "an edit of the same day");
        assert!(!is_another(90_000, &format!("{other} {text}")), "it still has the old text");
        assert!(!is_another(90_000, FERRY), "a short text");
    }

    #[test]
    fn the_same_title_proves_nothing_if_it_is_the_guid() {
        let old = says(1, "Ferry aground", FERRY, 1_000);
        let is_another =
            |new: &Comparable| super::is_another(&old, new, PageTrust::SamenessWithoutTitle);
        assert!(is_another(&says(2, "Ferry aground", BREAD, 90_000)));
        for edit in [
            says(1, "Ferry aground", BREAD, 90_000),
            says(2, "Ferry aground", FERRY, 90_000),
            says(2, "Ferry aground", BREAD, 1_000),
            says(2, "Ferry aground", "Soon.", 90_000),
        ] {
            assert!(!is_another(&edit), "{edit:?}");
        }
    }

    #[test]
    fn without_a_key_another_title_and_date_make_another_item() {
        let keyless = |title, at| {
            let mut found = says(1, title, FERRY, at);
            found.fingerprint.url_key = None;
            found
        };
        let old = keyless("News, Monday", 1_000);
        for (new, expected) in [
            (keyless("News, Tuesday", 90_000), true),
            (keyless("News, Tuesday", 1_000), false),
            (keyless("News, Monday, corrected", 90_000), false),
            (says(1, "News, Tuesday", FERRY, 90_000), false),
        ] {
            assert_eq!(is_another(&old, &new, PageTrust::Sameness), expected, "{new:?}");
        }
    }

    #[test]
    fn only_where_nothing_is_the_same_is_it_another_thing() {
        let is_another =
            |old: &Comparable, new: &Comparable| super::is_another(old, new, PageTrust::Sameness);
        let old = says(1, "Ferry aground", FERRY, 1_000);
        assert!(is_another(&old, &says(2, "Dear bread", BREAD, 90_000)));
        for edit in [
            says(1, "Dear bread", BREAD, 90_000),
            says(2, "Ferry aground again", BREAD, 90_000),
            says(2, "Dear bread", FERRY, 90_000),
            says(2, "Dear bread", BREAD, 1_000),
        ] {
            assert!(!is_another(&old, &edit), "{edit:?}");
        }
    }

    #[test]
    fn after_many_changes_an_item_takes_one_an_hour_and_of_attributes_one_a_day() {
        let at = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
        let may = |changes, touched, last, now| {
            let edits = EditCounts { changes, ..EditCounts::default() };
            may_change(&edits, touched, Some(at(last)), at(now))
        };
        let (content, attributes) = (Touched::Content, Touched::Attributes);
        assert!(may(23, content, 10, 30) && may(11, attributes, 10, 30));
        assert!(!may(24, content, 10, 30) && !may(12, attributes, 10, 30));
        assert!(may(99, content, 30, 70) && !may(99, attributes, 30, 70));
        assert!(may(99, attributes, 30, 1_450));
    }

    #[test]
    fn an_older_version_is_a_copy_from_a_cache_for_a_day() {
        let at = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
        let is_outdated =
            |updated, stored, now| super::is_outdated(at(updated), at(stored), at(now));
        assert!(is_outdated(0, 180, 190) && is_outdated(0, 180, 1_600));
        assert!(!is_outdated(0, 180, 1_620), "after a day it is the publisher's");
        assert!(!is_outdated(179, 180, 190), "clocks differ");
        assert!(!is_outdated(180, 180, 190) && !is_outdated(190, 180, 190));
    }

    #[test]
    fn an_item_is_shown_again_a_limited_number_of_times() {
        let at = |hours: i64| Timestamp::from_second(hours * 3_600).unwrap();
        let edits = |changes, bumps, bumped_at| EditCounts { changes, bumps, bumped_at };
        assert!(may_bump(&edits(0, 2, Some(at(0))), at(24)));
        assert!(!may_bump(&edits(0, 2, Some(at(0))), at(23)));
        assert!(!may_bump(&edits(0, 3, None), at(99)));
    }

    #[test]
    fn a_comma_is_not_worth_showing_and_a_sentence_is() {
        let (old, new) = (Words::of_text(FERRY), Words::of_text(&format!("{FERRY} {BREAD}")));
        assert!(is_worth_showing(&old, &new));
        assert!(!is_worth_showing(&new, &Words::of_text(&format!("{FERRY}, {BREAD}!"))));
        assert!(!is_worth_showing(&new, &Words::of_text(&format!("{FERRY} {BREAD} Yes"))));
    }
}
