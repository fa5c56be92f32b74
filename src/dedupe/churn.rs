//! Recognises items that the feed showed before under another guid. Pure.
//!
//! Used only for complete documents, and only for stored items that are missing in the document: a stored item that is
//! still in it was not renamed. `poll` reads the stored items.

use std::collections::{HashMap, HashSet};

use super::titles::Title;
use crate::model::{ItemKey, ItemTraits, RecentItem, RecognisedBy};

/// An item that seems new, with what it may be recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnrecognisedItem {
    /// Index of the item in the document.
    pub index: usize,
    /// Whether items of the document share its guid or link: then another date is another item.
    pub shares_its_key: bool,
    /// URL, title, date and text of the item.
    pub seen: ItemTraits,
}

/// A kept item that has another guid in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecognisedItem {
    /// Index of the item in the document.
    pub index: usize,
    /// Key of the stored item that is kept.
    pub key: ItemKey,
    /// What the two have in common.
    pub way: RecognisedBy,
}

/// Minimum number of unrecognised items, and half of the document, for a migration instead of a coincidence.
const MIGRATION: usize = 5;
/// Longest difference of two dates that count as the same, in seconds.
const MINUTE: i64 = 60;

/// Which of the unrecognised items are kept ones under a new guid; `known` items of the document were
/// recognised as they are, `gone` are kept items that are not in it.
#[must_use]
pub fn recognised(
    unrecognised: &[UnrecognisedItem],
    gone: &[RecentItem],
    known: usize,
) -> Vec<RecognisedItem> {
    let migrated = unrecognised.len() >= MIGRATION && unrecognised.len() >= known;
    let (mut found, mut taken) = (Vec::new(), HashSet::new());
    let mut matched: HashSet<usize> = HashSet::new();
    for way in [RecognisedBy::Page, RecognisedBy::Text, RecognisedBy::Path, RecognisedBy::Title] {
        let rivals = rivals(unrecognised, way);
        let mut kept: HashMap<String, Vec<&RecentItem>> = HashMap::new();
        for candidate in gone {
            if let Some(mark) = mark(&candidate.seen, way) {
                kept.entry(mark).or_default().push(candidate);
            }
        }
        for new in unrecognised {
            let Some(mark) = mark(&new.seen, way) else { continue };
            // A mark that several items have identifies none of them.
            let alone = rivals.get(&mark) == Some(&1);
            let Some([RecentItem { key, seen, .. }]) = kept.get(&mark).map(Vec::as_slice) else {
                continue;
            };
            if alone
                && !matched.contains(&new.index)
                && !taken.contains(key)
                && (!new.shares_its_key || same_minute(&new.seen, seen) != Some(false))
                && holds(way, &new.seen, seen, migrated)
            {
                taken.insert(*key);
                matched.insert(new.index);
                found.push(RecognisedItem { index: new.index, key: *key, way });
            }
        }
    }
    found
}

fn rivals(unrecognised: &[UnrecognisedItem], way: RecognisedBy) -> HashMap<String, usize> {
    let mut rivals = HashMap::new();
    for mark in unrecognised.iter().filter_map(|new| mark(&new.seen, way)) {
        *rivals.entry(mark).or_default() += 1;
    }
    rivals
}

/// What an item is looked up by.
fn mark(seen: &ItemTraits, way: RecognisedBy) -> Option<String> {
    match way {
        RecognisedBy::Page => seen.url_key.map(|key| format!("{key:?}")),
        RecognisedBy::Text => seen.text_digest.map(|key| key.to_string()),
        RecognisedBy::Path => {
            let url = url::Url::parse(seen.url.as_deref()?).ok()?;
            let path =
                format!("{}?{}", url.path().trim_end_matches('/'), url.query().unwrap_or_default());
            // "/blog" identifies no item.
            (path.len() >= 8 && path.chars().any(|c| c.is_ascii_digit() || c == '-'))
                .then_some(path)
        }
        RecognisedBy::Title => {
            let title = Title::new(seen.title.as_deref());
            (!title.is_empty()).then(|| title.digest().to_string())
        }
    }
}

/// Whether the dates are the same; `None` if one is missing.
fn same_minute(new: &ItemTraits, old: &ItemTraits) -> Option<bool> {
    let (new, old) = new.published.zip(old.published)?;
    Some((new.as_second() - old.as_second()).abs() <= MINUTE)
}

/// Whether the rest agrees: a page may get another item, a title may come again.
fn holds(way: RecognisedBy, new: &ItemTraits, old: &ItemTraits, migrated: bool) -> bool {
    let title = |seen: &ItemTraits| Title::new(seen.title.as_deref());
    let (mine, others) = (title(new), title(old));
    let same_title = mine.digest() == others.digest();
    let same_text = new.text_digest.is_some() && new.text_digest == old.text_digest;
    let same_minute = same_minute(new, old) == Some(true);
    if mine.is_sibling(&others) && !same_text {
        return false;
    }
    match way {
        RecognisedBy::Page => {
            same_text || same_minute || same_title && (mine.len() >= 3 || migrated)
        }
        RecognisedBy::Text => {
            same_title || same_minute || new.title.is_none() || mine.alike(&others) >= 0.5
        }
        RecognisedBy::Path => same_title || same_text,
        RecognisedBy::Title => same_minute || migrated && mine.len() >= 3,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::model::EditCounts;

    use super::*;

    fn seen(url: &str, title: &str, at: i64, text: i64) -> ItemTraits {
        ItemTraits {
            url: Some(url.to_owned()),
            url_key: super::super::canonical::url_key(url),
            title: Some(title.to_owned()),
            published: Some(Timestamp::from_second(at).unwrap()),
            text_digest: Some(text),
        }
    }

    fn kept(key: i64, seen: ItemTraits) -> RecentItem {
        RecentItem { key: ItemKey(key), seen, edits: EditCounts::default() }
    }

    fn one(new: ItemTraits, old: ItemTraits) -> Option<RecognisedBy> {
        let unrecognised = [UnrecognisedItem { index: 0, shares_its_key: false, seen: new }];
        recognised(&unrecognised, &[kept(1, old)], 9).first().map(|known| known.way)
    }

    #[test]
    fn of_items_that_share_a_key_one_with_another_date_is_another() {
        let old = kept(1, seen("https://e.example/status", "Gate two closed", 1_000, 7));
        let found = |at| {
            let seen = seen("https://e.example/status", "Gate two closed again", at, 7);
            let new = UnrecognisedItem { index: 0, shares_its_key: true, seen };
            recognised(&[new], std::slice::from_ref(&old), 9).len()
        };
        assert_eq!((found(1_000), found(90_000)), (1, 0));
    }

    #[test]
    fn a_new_guid_for_the_same_page_path_title_or_text_is_the_same_item() {
        let old = || seen("http://old.example/2026/a-post", "A long post", 1_000, 7);
        assert_eq!(
            one(seen("https://old.example/2026/a-post", "A long post", 99_000, 7), old()),
            Some(RecognisedBy::Page)
        );
        assert_eq!(
            one(seen("https://new.example/2026/a-post", "A long post", 99_000, 8), old()),
            Some(RecognisedBy::Path)
        );
        assert_eq!(
            one(seen("https://new.example/?p=7", "A long post", 1_030, 8), old()),
            Some(RecognisedBy::Title)
        );
        assert_eq!(
            one(seen("https://new.example/?p=7", "A long post", 99_000, 7), old()),
            Some(RecognisedBy::Text)
        );
    }

    #[test]
    fn an_item_with_only_the_same_page_or_title_is_new() {
        let old = || seen("https://e.example/deal", "Deal of the day", 1_000, 7);
        assert_eq!(
            one(seen("https://e.example/deal", "A lamp for tonight", 90_000, 8), old()),
            None
        );
        assert_eq!(one(seen("https://e.example/x", "Deal of the day", 90_000, 8), old()), None);
        let part =
            |n, text| seen("https://e.example/walk", &format!("The walk, part {n}"), 1_000, text);
        assert_eq!(one(part(2, 8), part(1, 7)), None);
    }

    #[test]
    fn when_everything_moves_at_once_a_title_is_enough() {
        let titles = [
            "The red barn burns",
            "Five ways to sleep",
            "On ferries and fog",
            "Bread is dear now",
            "A lamp at sea",
        ];
        let at = |host: &str, n: usize, date| {
            seen(&format!("https://{host}/{n}"), titles[n], date, n as i64 + date)
        };
        let gone: Vec<RecentItem> =
            (0..5).map(|n| kept(n as i64, at("old.example", n, 1_000))).collect();
        let unrecognised: Vec<UnrecognisedItem> = (0..5)
            .map(|n| UnrecognisedItem {
                index: n,
                shares_its_key: false,
                seen: at("new.example", n, 900_000),
            })
            .collect();
        assert_eq!(recognised(&unrecognised, &gone, 0).len(), 5);
        assert_eq!(recognised(&unrecognised[..2], &gone, 0).len(), 0);
    }
}
