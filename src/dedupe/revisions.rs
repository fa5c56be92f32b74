//! Items of one document that are one article, although not all of their words are the same: versions under one guid
//! and link, one text under several guids, or one text at several places of a site. Pure.
//!
//! A page that other items of the document have is constant and proves nothing. Events of a log and reports of a monitor
//! have one page too, so that short texts count only with the same time.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::evidence::{Naming, Wording, naming, wording};
use super::likeness::slots;
use super::paragraphs::Text;
use super::titles::Title;
use super::tuning::{EXACT_WORDS, SHORT_WORDS};
use super::words::Words;
use crate::model::{Digest, ParsedItem, is_played};

/// Largest number of items that are versions of one article. A page that more items have is constant.
const VERSIONS: usize = 3;
const DAY: i64 = 86_400;

/// The items of a document that another one supersedes, each with the place of that one: the one that was updated last,
/// or else has the longest text, or else comes first. `kept` are the places of the items without exact copies.
pub(super) fn superseded(
    items: &[ParsedItem],
    kept: &[usize],
    page: impl Fn(usize) -> Option<Digest>,
) -> HashMap<usize, usize> {
    let mut found = HashMap::new();
    let mut dates: HashMap<i64, usize> = HashMap::new();
    kept.iter()
        .filter_map(|at| date(&items[*at]))
        .for_each(|at| *dates.entry(at).or_default() += 1);
    for group in groups(kept, page) {
        let own = |at: i64| group.iter().filter(|it| date(&items[**it]) == Some(at)).count();
        let others = |at: i64| dates.get(&at).is_some_and(|count| *count > own(at));
        let versions = versions(items, &group);
        let is_constant = kept.len() == group.len();
        let one = |a: &Version<'_>, b: &Version<'_>| match relation(a, b, others) {
            Some(Relation::AtOnce) => true,
            Some(Relation::Later) => !is_constant,
            None => false,
        };
        supersede(&versions, one, &mut found);
    }
    let free: Vec<usize> = kept.iter().copied().filter(|at| !found.contains_key(at)).collect();
    let moment = |at: usize| {
        let title = items[at].title.as_ref()?;
        Some((date(&items[at])?, title.value.as_str()))
    };
    for group in groups(&free, moment) {
        let one = |a: &Version<'_>, b: &Version<'_>| a.is_long_copy_of(b);
        supersede(&versions(items, &group), one, &mut found);
    }
    found
}

/// The places that have a key in common, where they are few.
fn groups<K: Eq + std::hash::Hash>(
    places: &[usize],
    key: impl Fn(usize) -> Option<K>,
) -> Vec<Vec<usize>> {
    let mut groups: HashMap<K, Vec<usize>> = HashMap::new();
    for at in places {
        if let Some(key) = key(*at) {
            groups.entry(key).or_default().push(*at);
        }
    }
    groups.into_values().filter(|group| (2..=VERSIONS).contains(&group.len())).collect()
}

/// Adds all items of a group but the latest, if each is one article with it.
fn supersede(
    group: &[Version<'_>],
    one: impl Fn(&Version<'_>, &Version<'_>) -> bool,
    found: &mut HashMap<usize, usize>,
) {
    let Some(latest) = group.iter().max_by_key(|version| version.rank()) else { return };
    let others = || group.iter().filter(|version| version.place != latest.place);
    if others().all(|other| one(latest, other)) {
        found.extend(others().map(|other| (other.place, latest.place)));
    }
}

/// Time of publication or else of the last change, in seconds; `None`: the time of day is missing.
fn date(item: &ParsedItem) -> Option<i64> {
    let second = item.published.or(item.updated)?.as_second();
    (second.rem_euclid(DAY) != 0).then_some(second)
}

/// How an item relates to another version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// They have one date, or RFC 4287 says that they are versions of one entry.
    AtOnce,
    /// The dates differ, or are not known.
    Later,
}

/// An item with what is compared of it.
struct Version<'a> {
    place: usize,
    item: &'a ParsedItem,
    guid: Option<&'a str>,
    title: Title,
    words: Words,
}

fn versions<'a>(items: &'a [ParsedItem], places: &[usize]) -> Vec<Version<'a>> {
    let version = |place: &usize| {
        let item = &items[*place];
        let value =
            |text: &'a Option<crate::model::Text>| text.as_ref().map(|it| it.value.as_str());
        let text = Text::of_item(value(&item.content), value(&item.summary));
        Version {
            place: *place,
            item,
            guid: item.id.as_deref().filter(|guid| !guid.is_empty()),
            title: Title::new(value(&item.title)),
            words: text.own_words(&HashSet::new()),
        }
    };
    places.iter().map(version).collect()
}

impl Version<'_> {
    /// The latest has the highest.
    fn rank(&self) -> (Option<Timestamp>, usize, Reverse<usize>) {
        let changed = self.item.updated.or(self.item.published);
        (changed, self.words.0.len(), Reverse(self.place))
    }

    fn has_words_of(&self, other: &Self) -> bool {
        self.words.0.len() == other.words.0.len() && self.words.digest() == other.words.digest()
    }

    /// Whether both have one audio or video file, or one has none.
    fn may_have_file_of(&self, other: &Self) -> bool {
        let file = |item: &ParsedItem| {
            let mut files = item.enclosures.iter();
            files
                .find(|file| is_played(&file.media_type.to_ascii_lowercase()))
                .map(|file| file.url.clone())
        };
        file(self.item).zip(file(other.item)).is_none_or(|(one, another)| one == another)
    }

    /// Whether each text has own words at a place, other than where an excerpt is cut inside a word.
    fn replaces_words_of(&self, other: &Self) -> bool {
        let (a, b) = (self.words.0.as_slice(), other.words.0.as_slice());
        let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        slots(&shorter[..shorter.len().saturating_sub(1)], longer, None).places > 0
    }

    fn is_long_copy_of(&self, other: &Self) -> bool {
        self.words.size() >= SHORT_WORDS
            && self.has_words_of(other)
            && self.title.digest() == other.title.digest()
            && self.may_have_file_of(other)
    }
}

/// How two items of one page relate; `None`: they are two things. `others`: whether another item has a date,
/// which then proves nothing.
fn relation(a: &Version<'_>, b: &Version<'_>, others: impl Fn(i64) -> bool) -> Option<Relation> {
    let naming = naming(&a.title, &b.title, &HashSet::new());
    if naming == Naming::Numbered || !a.may_have_file_of(b) {
        return None;
    }
    // RFC 4287 4.1.1: entries with one id and different dates of update.
    let updates = a.item.updated.zip(b.item.updated);
    let revised = updates.is_some_and(|(one, another)| one != another)
        && a.guid.is_some()
        && a.guid == b.guid
        && a.item.published.is_some();
    // Two servers that are down at once, or one advert for two towns.
    if a.title.is_variant(&b.title) && !revised {
        return None;
    }
    let same_words = a.has_words_of(b);
    let wording = if same_words { Wording::Same } else { wording(&a.words, &b.words) };
    let size = a.words.size().min(b.words.size());
    // Without a guid, another word at a place makes another thing.
    let added = a.guid.is_some() && a.guid == b.guid
        || wording != Wording::Alike
        || !a.replaces_words_of(b);
    let alike = matches!(wording, Wording::Same | Wording::Alike) && size >= EXACT_WORDS && added;
    let (long, same_guid) = (size >= SHORT_WORDS, a.guid == b.guid);
    let (same_name, named) =
        (naming == Naming::Same, matches!(naming, Naming::Same | Naming::Alike));
    let dates = date(a.item).zip(date(b.item));
    match dates {
        Some((one, another)) if one == another && !others(one) => {
            let corrected = revised && size >= EXACT_WORDS && wording == Wording::Figures;
            let short = same_name && (same_words || a.words.0.is_empty() || b.words.0.is_empty());
            let one = match same_guid {
                true => alike && (named || revised) || corrected || short,
                false => alike && named && long,
            };
            (one || long && same_words).then_some(Relation::AtOnce)
        }
        Some((one, another)) if one != another => {
            (long && same_name && alike).then_some(Relation::Later)
        }
        _ => {
            let keyed = a.guid.is_some() && same_guid && same_name;
            (alike && named && (long || keyed)).then_some(Relation::Later)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 400 * DAY + 43_207;
    const FERRY: &str = "The ferry to the island ran aground in thick fog this morning at six.";

    fn long() -> String {
        (0..60).map(|n| format!("word{} ", n * 7919 % 4001)).collect()
    }

    /// Guid, title, second and text.
    type Entry<'a> = (&'a str, &'a str, i64, &'a str);

    fn item((guid, title, at, text): Entry<'_>) -> ParsedItem {
        ParsedItem {
            id: (!guid.is_empty()).then(|| guid.to_owned()),
            title: Some(crate::model::Text::plain(title)),
            content: (!text.is_empty()).then(|| crate::model::Text::plain(text)),
            published: (at > 0).then(|| Timestamp::from_second(at).unwrap()),
            ..ParsedItem::default()
        }
    }

    /// Whether two items of one page are one article in a document with another item.
    fn are_one(a: Entry<'_>, b: Entry<'_>) -> bool {
        let items = [item(a), item(b), item(("x", "Bread is dear now", NOON - 9_001, FERRY))];
        let found = superseded(&items, &[0, 1, 2], |at| (at < 2).then_some([1; 16]));
        assert!(!found.contains_key(&2));
        found.len() == 1
    }

    #[test]
    fn versions_under_one_guid_link_and_date_are_one_article() {
        let excerpt = &FERRY[..60];
        for guid in ["1", ""] {
            let old = (guid, "About the ferry", NOON, FERRY);
            for new in [
                (guid, "ABOUT THE FERRY", NOON, FERRY),
                (guid, "About\u{a0} the ferry", NOON, FERRY),
                (guid, "About the \u{2018}ferry\u{2019}", NOON, FERRY),
                (guid, "About the ferry (updated)", NOON, FERRY),
                (guid, "About the ferry", NOON, excerpt),
            ] {
                assert!(are_one(old, new) && are_one(new, old), "{new:?}");
            }
            for other in [
                (guid, "Bread is dear", NOON, FERRY),
                (guid, "About the ferry", NOON + 90_000, FERRY),
                (
                    guid,
                    "About the ferry",
                    NOON,
                    "Bakers have raised the price of a loaf again by far.",
                ),
            ] {
                assert!(!are_one(old, other) && !are_one(other, old), "{other:?}");
            }
        }
        let part = |title| ("1", title, NOON, FERRY);
        assert!(!are_one(part("The ferry, part 1"), part("The ferry, part 2")));
        assert!(are_one(("1", "Up", NOON, "ok"), ("1", "UP", NOON, "ok")));
        assert!(!are_one(("1", "Up", NOON, "ok"), ("1", "Down", NOON, "ok")));
        assert!(!are_one(("1", "Up", NOON, "ok"), ("2", "Up", NOON + 61, "ok")));
    }

    #[test]
    fn a_long_text_under_one_page_is_one_article_whatever_its_guid_and_date() {
        let (long, more) = (long(), format!("{} more", long()));
        let old = ("a#0", "About the ferry", NOON, &*long);
        for new in [
            ("a#1", "About the ferry", NOON + 90_000, &*long),
            ("a#1", "About the ferry", 0, &*long),
            ("a#1", "About the ferry", NOON + 90_000, &*more),
            ("a#1", "The ferry is afloat", NOON, &*long),
        ] {
            assert!(are_one(old, new) && are_one(new, old), "{new:?}");
        }
        let advert = |guid, title| (guid, title, NOON, &*long);
        assert!(!are_one(advert("1", "Cook wanted in Oslo"), advert("2", "Cook wanted in Bergen")));
        let report = |text| ("", "Outage", NOON, text);
        assert!(!are_one(report(FERRY), report(&FERRY.replace("ferry", "tanker"))));
        assert!(!are_one(old, ("a#1", "The ferry is afloat", NOON + 90_000, &*long)));
        assert!(!are_one(old, ("a#1", "About the ferry", NOON + 90_000, FERRY)));
    }

    #[test]
    fn the_version_that_was_updated_last_stays() {
        let version = |hour: i64, title: &str, text: &str| ParsedItem {
            updated: Some(Timestamp::from_second(NOON + hour * 3_600).unwrap()),
            ..item(("tag:e.org,2026:1", title, NOON, text))
        };
        let items = [
            version(1, "Post", FERRY),
            version(2, "Post, corrected", &FERRY.replace("six", "seven")),
            item(("x", "Bread is dear now", NOON - 9_001, FERRY)),
        ];
        let page = |at: usize| (at < 2).then_some([1; 16]);
        assert_eq!(superseded(&items, &[0, 1, 2], page), HashMap::from([(0, 1)]));
        let wiki = |hour: i64, text: &str| ParsedItem {
            updated: Some(Timestamp::from_second(NOON + hour * 3_600).unwrap()),
            ..item(("tag:e.org,2026:1", "Main page", 0, text))
        };
        let items =
            [wiki(2, &format!("{} A line more.", long())), wiki(1, &long()), items[2].clone()];
        assert_eq!(superseded(&items, &[0, 1, 2], page), HashMap::from([(1, 0)]));
        assert!(superseded(&items[..2], &[0, 1], page).is_empty(), "the page may be constant");
    }

    #[test]
    fn one_long_text_at_two_places_of_a_site_is_one_article() {
        let long = long();
        let items = [
            item(("a", "About the ferry", NOON, &long)),
            item(("b", "About the ferry", NOON, &long)),
            item(("c", "About the bread", NOON, &long)),
            item(("d", "About the ferry", NOON + 61, &long)),
        ];
        let page = |at: usize| Some([at as u8; 16]);
        assert_eq!(superseded(&items, &[0, 1, 2, 3], page), HashMap::from([(1, 0)]));
    }
}
