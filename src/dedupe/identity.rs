//! What identifies an item within its feed, and whether the item changed.
//!
//! The guid identifies it, else its page, else its file, else its words. Keys of different feeds are never compared: the
//! store keeps them by feed. Whether items of different feeds are one story is decided in `verdict`.

use std::collections::{HashMap, HashSet};

use super::canonical;
use super::digest::{Hasher, digest};
use super::settings::IdentityRule;
use crate::model::{Digest, GuidUse, ParseWarning, ParsedItem, is_played};

/// An item of a document with the keys by which it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Index of the item in the document.
    pub index: usize,
    /// The key of the item within its feed.
    pub identity: Digest,
    /// Other keys under which the item may be stored, from an earlier document: the most specific first.
    pub others: [Option<OtherKey>; LEVELS - 1],
    /// Keys of the guids of its copies in the document, which were left out.
    pub copies: Vec<Digest>,
    /// Digest of everything that a subscriber would notice; dates and counters are left out.
    pub content_digest: Digest,
    /// Digest of its canonical URL; `None`: the URL does not identify it.
    pub url_key: Option<Digest>,
}

impl Identified {
    /// Whether other items of the document have the same guid, or the same link if they have no guid.
    #[must_use]
    pub fn shares_its_key(&self) -> bool {
        self.others.iter().flatten().any(|other| other.needs == Needs::Content)
    }

    /// The item with another identity; the former one becomes another key.
    #[must_use]
    pub fn with_identity(mut self, identity: Digest) -> Self {
        for other in self.others.iter_mut().flatten().filter(|other| other.key == identity) {
            other.key = self.identity;
        }
        Self { identity, ..self }
    }

    /// All keys but the identity.
    pub fn other_keys(&self) -> impl Iterator<Item = Digest> {
        self.others.iter().flatten().map(|other| other.key)
    }
}

/// A key under which an item may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherKey {
    /// Digest of a guid, link or title, as items are stored under it.
    pub key: Digest,
    /// What else must be the same.
    pub needs: Needs,
}

/// What a stored item with the same key must have in common with an item of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: the key is as specific as the identity, or more.
    Nothing,
    /// The URL of the page.
    Page,
    /// All that a subscriber would notice.
    Content,
}

/// The items of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    /// The items in document order, without copies.
    pub items: Vec<Identified>,
    /// Number of items that are copies, or older versions, of another item of the document.
    pub copies: usize,
    /// Number of items that share their guid, or the link that replaces it, with another item.
    pub sharing: usize,
}

impl Identities {
    /// Parse warnings about copies and shared keys.
    #[must_use]
    pub fn parse_warnings(&self) -> Vec<ParseWarning> {
        let mut found = Vec::new();
        if self.copies > 0 {
            let message = format!("{} items are copies of another item; left out", self.copies);
            found.push(ParseWarning::new("copied_items", None, message));
        }
        if self.sharing > 0 {
            let message = format!(
                "{} items share their guid or link with another item; title, date and text distinguish them",
                self.sharing
            );
            found.push(ParseWarning::new("shared_keys", None, message));
        }
        found
    }
}

/// Number of kinds of keys.
const LEVELS: usize = 4;

/// The keys of one item, each more specific than the one before: guid (or page, file, or words); guid and page (or
/// words); these with title and date; all.
struct Keys {
    levels: [Digest; LEVELS],
    /// Whether a guid that others have too counts together with the page.
    backing: Backing,
    /// Key that copies of an item under other guids share.
    copy: Option<CopyKeys>,
    /// Key that all versions of an item share, if its dates distinguish the versions.
    version: Option<Digest>,
    content_digest: Digest,
}

/// What distinguishes items with the same guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backing {
    Page,
    /// They have no page.
    Content,
}

/// Keys of an item that may be a copy of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CopyKeys {
    page: Digest,
    /// Of page, date and words.
    all: Digest,
}

impl Keys {
    fn new(item: &ParsedItem, rule: IdentityRule) -> Self {
        let words = words(item);
        let (guid, page) = (guid(item), item.page());
        let part = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_owned();
        let title = item.title.as_ref().map(|title| title.value.as_str());
        let date = item.published.or(item.updated);
        let date = date.map(|date| date.as_second().to_be_bytes().to_vec()).unwrap_or_default();
        // A picture may be that of a category, or a logo.
        let file =
            item.enclosures.iter().find(|file| is_played(&file.media_type.to_ascii_lowercase()));
        let file = file.map(|file| file.url.as_str());
        let file = file.filter(|_| guid.is_none() && page.is_none());
        let place = page.or(file).map(canonical::within_feed).unwrap_or_default();
        let alone = match (guid, page, file) {
            // RFC 4287 4.2.6.1: compared character by character.
            (Some(guid), ..) => digest(&[b"guid", guid.as_bytes()]),
            (None, Some(_), _) => digest(&[b"page", place.as_bytes()]),
            (None, None, Some(_)) => digest(&[b"file", place.as_bytes()]),
            (None, None, None) => words,
        };
        // Without a title, only the words distinguish two items with the same date.
        let named: &[u8] = if title.is_some() { b"" } else { &words };
        let parts = digest(&[b"parts", &part(guid), place.as_bytes(), &part(title), named, &date]);
        let all = digest(&[b"all", &parts, &words]);
        let with_page = match (guid, page) {
            (Some(guid), Some(_)) => digest(&[b"guid+page", guid.as_bytes(), place.as_bytes()]),
            (Some(_), None) => parts,
            (None, Some(_)) => alone,
            (None, None) => words,
        };
        let levels = match rule {
            IdentityRule::Auto | IdentityRule::Key => [alone, with_page, parts, all],
            IdentityRule::Title => {
                let titled = digest(&[b"title", &alone, &part(title)]);
                [titled, titled, parts, all]
            }
            IdentityRule::Date => {
                let dated = digest(&[b"date", &alone, &date]);
                [dated, dated, parts, all]
            }
        };
        let dates = item.published.is_some() && item.updated.is_some();
        let version = guid.filter(|_| dates).map(|_| parts);
        let backing = if page.is_some() { Backing::Page } else { Backing::Content };
        let says_something =
            [&item.title, &item.content, &item.summary].iter().any(|it| it.is_some());
        // Without dates, they may be the events of a log.
        let copied = rule != IdentityRule::Key && says_something && !date.is_empty();
        let copy = page.filter(|_| copied).map(|_| CopyKeys {
            page: digest(&[b"page", place.as_bytes()]),
            all: digest(&[b"copy", place.as_bytes(), &date, &words]),
        });
        Self { levels, backing, copy, version, content_digest: digest_with(item, &words) }
    }

    /// The other keys of an item whose identity is the key of `level`.
    fn others(&self, level: usize) -> [Option<OtherKey>; LEVELS - 1] {
        let mut others = [None; LEVELS - 1];
        let rest = (0..LEVELS).rev().filter(|other| self.levels[*other] != self.levels[level]);
        for (place, other) in others.iter_mut().zip(rest) {
            let needs = match other {
                _ if other > level => Needs::Nothing,
                _ if level == 1 && self.backing == Backing::Page => Needs::Page,
                _ => Needs::Content,
            };
            *place = Some(OtherKey { key: self.levels[other], needs });
        }
        others
    }
}

/// Identifies the items of one document. A key that several items share identifies none of them: they are
/// distinguished by page, title, date or text.
#[must_use]
pub fn identify(items: &[ParsedItem], guids: GuidUse, rule: IdentityRule) -> Identities {
    let keys: Vec<Keys> = items.iter().map(|item| Keys::new(item, rule)).collect();
    let kept = without_copies(items, &keys);
    let first = |index: usize| match guids {
        GuidUse::Reused if guid(&items[index]).is_some() => 1,
        _ => 0,
    };
    let mut levels: HashMap<usize, usize> = kept.iter().map(|at| (*at, first(*at))).collect();
    let alone = counts(kept.iter().map(|at| keys[*at].levels[0]));
    let sharing = kept.iter().filter(|at| alone[&keys[**at].levels[0]] > 1).count();
    for level in 0..LEVELS - 1 {
        let here = || kept.iter().copied().filter(|at| levels[at] == level);
        let counts = counts(here().map(|at| keys[at].levels[level]));
        let shared: Vec<usize> = here().filter(|at| counts[&keys[*at].levels[level]] > 1).collect();
        levels.extend(shared.into_iter().map(|at| (at, level + 1)));
    }
    let pages: Vec<Option<Digest>> =
        items.iter().map(|item| item.page().and_then(canonical::url_key)).collect();
    let urls = counts(kept.iter().filter_map(|at| pages[*at]));
    let left_out = left_out(&kept, &keys, first);
    let identified = |index: &usize| {
        let (keys, level) = (&keys[*index], levels[index]);
        Identified {
            index: *index,
            identity: keys.levels[level],
            others: keys.others(level),
            copies: left_out.get(index).cloned().unwrap_or_default(),
            content_digest: keys.content_digest,
            // A page that several items of one document link to is not the page of any of them.
            url_key: pages[*index].filter(|key| urls.get(key) == Some(&1)),
        }
    };
    let copies = items.len() - kept.len();
    Identities { items: kept.iter().map(identified).collect(), copies, sharing }
}

fn counts(keys: impl Iterator<Item = Digest>) -> HashMap<Digest, usize> {
    let mut counts = HashMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// The places of the items without exact copies, and of the versions of an entry the newest one.
///
/// Items with a date that differ only in the guid are copies, unless other items have their page too: then it is
/// constant.
///
/// RFC 4287 4.1.1: entries with the same id and different dates of update are versions of one entry.
fn without_copies(items: &[ParsedItem], keys: &[Keys]) -> Vec<usize> {
    let mut newest: HashMap<Digest, usize> = HashMap::new();
    for (index, keys) in keys.iter().enumerate() {
        let key = keys.version.unwrap_or(keys.levels[LEVELS - 1]);
        let known = newest.entry(key).or_insert(index);
        if items[*known].updated < items[index].updated {
            *known = index;
        }
    }
    let mut kept: Vec<usize> = newest.into_values().collect();
    kept.sort_unstable();
    let copy = |at: &usize| keys[*at].copy;
    let pages = counts(kept.iter().filter_map(copy).map(|copy| copy.page));
    let copies = counts(kept.iter().filter_map(copy).map(|copy| copy.all));
    let mut seen = HashSet::new();
    kept.retain(|at| {
        copy(at).is_none_or(|copy| seen.insert(copy.all) || pages[&copy.page] != copies[&copy.all])
    });
    kept
}

/// The keys of the copies that were left out, by the kept item. `level` is that of the key of an item.
fn left_out(
    kept: &[usize],
    keys: &[Keys],
    level: impl Fn(usize) -> usize,
) -> HashMap<usize, Vec<Digest>> {
    let mut owners: HashMap<Digest, usize> = HashMap::new();
    for at in kept {
        if let Some(copy) = keys[*at].copy {
            owners.entry(copy.all).or_insert(*at);
        }
    }
    let mut taken: HashSet<Digest> = kept.iter().flat_map(|at| keys[*at].levels).collect();
    let mut found: HashMap<usize, Vec<Digest>> = HashMap::new();
    for (index, keys) in keys.iter().enumerate() {
        let owner = keys.copy.and_then(|copy| owners.get(&copy.all));
        let key = keys.levels[level(index)];
        if let Some(owner) = owner.filter(|_| taken.insert(key)) {
            found.entry(*owner).or_default().push(key);
        }
    }
    found
}

fn guid(item: &ParsedItem) -> Option<&str> {
    item.id.as_deref().filter(|guid| !guid.is_empty())
}

/// The key of an item whose guid or page was given to another item before.
#[must_use]
pub fn reused(item: &ParsedItem) -> Digest {
    Keys::new(item, IdentityRule::Auto).levels[2]
}

/// Largest part of a document's items that may share a guid before its guids are ignored, 0 to 1.
const SHARED: f32 = 0.05;

/// Whether so large a part of a document's items share guids that the guids of the feed are useless.
#[must_use]
pub fn share_guids(items: &[ParsedItem]) -> GuidUse {
    let keys: Vec<Keys> = items.iter().map(|item| Keys::new(item, IdentityRule::Auto)).collect();
    let with_guid =
        || without_copies(items, &keys).into_iter().filter(|at| guid(&items[*at]).is_some());
    let counts = counts(with_guid().map(|at| keys[at].levels[0]));
    let wrong = with_guid().filter(|at| counts[&keys[*at].levels[0]] > 1).count();
    if wrong > 0 && wrong as f32 > items.len() as f32 * SHARED {
        GuidUse::Reused
    } else {
        GuidUse::Unique
    }
}

/// What an item without guid and page is recognised by.
fn words(item: &ParsedItem) -> Digest {
    let mut hasher = Hasher::default();
    hasher.part(b"words");
    for text in [&item.title, &item.content, &item.summary] {
        hasher.maybe(text.as_ref().map(|text| text.value.as_str()));
    }
    for enclosure in &item.enclosures {
        hasher.part(enclosure.url.as_bytes());
    }
    // A count, so that a file never reads like another part.
    hasher.part(&item.enclosures.len().to_be_bytes());
    hasher.finish()
}

/// Digest of everything in an item that a subscriber would notice; dates and counters are left out.
#[must_use]
pub fn content_digest(item: &ParsedItem) -> Digest {
    digest_with(item, &words(item))
}

fn digest_with(item: &ParsedItem, words: &Digest) -> Digest {
    let mut hasher = Hasher::default();
    hasher.part(words);
    // Without tracking parameters, which change no item.
    let bare = item.page().and_then(|page| canonical::without_trackers(page, "&"));
    hasher.maybe(bare.as_deref().or(item.page()));
    // A new editor of the feed changes no item.
    let own = if item.authors_are_inherited { &[][..] } else { &item.authors };
    for author in own {
        hasher.part(author.name.as_bytes());
    }
    // A count between the lists, so that an author never reads like a category.
    hasher.part(&own.len().to_be_bytes());
    for category in &item.categories {
        hasher.part(category.term.as_bytes());
    }
    let podcast = &item.podcast;
    for number in [podcast.season, podcast.episode].into_iter().flatten() {
        hasher.part(&number.to_be_bytes());
    }
    for file in podcast.transcripts.iter().chain(&podcast.chapters) {
        hasher.part(file.url.as_bytes());
    }
    for chapter in &podcast.chapter_list {
        hasher.part(chapter.start.as_bytes());
        hasher.maybe(chapter.title.as_deref());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Enclosure, Link, Text};

    fn item(guid: &str, page: &str, title: &str) -> ParsedItem {
        let link = Link { href: page.to_owned(), rel: "alternate".to_owned(), ..Link::default() };
        ParsedItem {
            id: (!guid.is_empty()).then(|| guid.to_owned()),
            links: if page.is_empty() { vec![] } else { vec![link] },
            title: Some(Text::plain(title)),
            ..ParsedItem::default()
        }
    }

    fn sound(items: &[ParsedItem]) -> Vec<Identified> {
        identify(items, GuidUse::Unique, IdentityRule::Auto).items
    }

    fn dated(item: ParsedItem, published: i64, updated: Option<i64>) -> ParsedItem {
        let at = |seconds| jiff::Timestamp::from_second(seconds).unwrap();
        ParsedItem { published: Some(at(published)), updated: updated.map(at), ..item }
    }

    fn holds(key: &Digest, item: &Identified) -> bool {
        item.others.iter().flatten().any(|other| other.key == *key)
    }

    #[test]
    fn a_guid_that_lost_its_worth_counts_with_its_page() {
        let items = [item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")];
        assert_eq!(share_guids(&items), GuidUse::Reused);
        let alone = identify(&items[..1], GuidUse::Reused, IdentityRule::Auto).items;
        assert_eq!(alone[0].identity, sound(&items)[0].identity, "also when it is alone");
        assert!(holds(&sound(&items[..1])[0].identity, &alone[0]));
        assert_eq!(share_guids(&items[..1]), GuidUse::Unique);
    }

    #[test]
    fn an_item_is_recognised_by_guid_else_page_else_words() {
        let first = sound(&[
            item("1", "http://e.org/a", "A"),
            item("", "http://e.org/b", "B"),
            item("", "", "C"),
        ]);
        let edited = sound(&[
            item("1", "http://e.org/x", "A2"),
            item("", "http://e.org/b", "B2"),
            item("", "", "C"),
        ]);
        for (before, after) in first.iter().zip(&edited) {
            assert_eq!(before.identity, after.identity);
        }
        let changed: Vec<bool> =
            first.iter().zip(&edited).map(|(a, b)| a.content_digest != b.content_digest).collect();
        assert_eq!(changed, [true, true, false]);
    }

    #[test]
    fn the_order_in_the_document_changes_no_identity() {
        let items = [item("1", "http://e.org/a", "A"), item("2", "http://e.org/b", "B")];
        let mut reversed = items.clone();
        reversed.reverse();
        let mut there: Vec<Digest> = sound(&items).iter().map(|i| i.identity).collect();
        there.reverse();
        assert_eq!(there, sound(&reversed).iter().map(|i| i.identity).collect::<Vec<_>>());
    }

    #[test]
    fn an_item_that_occurs_twice_in_a_document_is_one_item() {
        assert_eq!(
            sound(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/a", "A")]).len(),
            1
        );
    }

    #[test]
    fn items_that_differ_only_in_the_guid_are_one_item() {
        let at = |guid, page, title, date| dated(item(guid, page, title), date, None);
        let one = || at("1", "http://e.org/a", "A", 1_000);
        for (other, count) in [
            (at("2", "http://e.org/a", "A", 1_000), 1),
            (at("2", "http://e.org/b", "A", 1_000), 2),
            (at("2", "http://e.org/a", "B", 1_000), 2),
            (at("2", "http://e.org/a", "A", 1_001), 2),
            (at("2", "", "A", 1_000), 2),
        ] {
            assert_eq!(sound(&[one(), other.clone()]).len(), count, "{other:?}");
        }
        let others =
            [one(), at("2", "http://e.org/a", "A", 1_000), at("3", "http://e.org/a", "B", 9)];
        assert_eq!(sound(&others).len(), 3, "the page is constant");
        let undated = [item("1", "http://e.org/a", "A"), item("2", "http://e.org/a", "A")];
        assert_eq!(sound(&undated).len(), 2, "events of a log");
    }

    #[test]
    fn a_file_identifies_an_item_without_guid_and_link() {
        let episode = |file: &str, title| ParsedItem {
            enclosures: vec![Enclosure {
                url: file.to_owned(),
                media_type: "audio/mpeg".to_owned(),
                ..Enclosure::default()
            }],
            ..item("", "", title)
        };
        let first =
            sound(&[episode("http://e.org/1.mp3", "A"), episode("http://e.org/2.mp3", "B")]);
        let second = sound(&[
            episode("https://e.org/1.mp3", "A, corrected"),
            episode("http://e.org/3.mp3", "B"),
        ]);
        assert_eq!(first[0].identity, second[0].identity);
        assert_ne!(first[1].identity, second[1].identity);
        let shared =
            sound(&[episode("http://e.org/1.mp3", "C"), episode("http://e.org/1.mp3", "D")]);
        assert_ne!(shared[0].identity, shared[1].identity);
        let alone = shared[0].others.iter().flatten().find(|other| other.key == first[0].identity);
        assert_eq!(alone.map(|other| other.needs), Some(Needs::Content));
    }

    #[test]
    fn a_guid_that_every_item_has_does_not_swallow_items() {
        assert_eq!(
            sound(&[item("1", "http://e.org/a", "A"), item("1", "http://e.org/b", "B")]).len(),
            2
        );
    }

    #[test]
    fn items_that_share_a_key_differ_by_title_date_or_text() {
        let text = |value: &str| ParsedItem {
            title: None,
            content: Some(Text::plain(value)),
            ..item("", "http://e.org/status", "")
        };
        let day = |n: i64| dated(item("", "http://e.org/status", "Report"), n * 86_400, None);
        for items in [
            vec![item("", "http://e.org/status", "A"), item("", "http://e.org/status", "B")],
            vec![item("N/A", "N/A", "A"), item("N/A", "N/A", "B"), item("N/A", "N/A", "C")],
            vec![item("N/A", "", "A"), item("N/A", "", "B")],
            vec![day(1), day(2), day(3)],
            vec![text("one"), text("two")],
        ] {
            let found = identify(&items, GuidUse::Unique, IdentityRule::Auto);
            let keys: std::collections::HashSet<Digest> =
                found.items.iter().map(|item| item.identity).collect();
            assert_eq!(keys.len(), items.len(), "{items:?}");
            assert_eq!((found.copies, found.sharing), (0, items.len()), "{items:?}");
            assert_eq!(found.parse_warnings()[0].code, "shared_keys");
        }
    }

    #[test]
    fn an_item_keeps_its_key_when_the_items_that_shared_it_have_left() {
        let items = [item("", "http://e.org/status", "A"), item("", "http://e.org/status", "B")];
        let (both, alone) = (sound(&items), sound(&items[..1]));
        assert_ne!(both[0].identity, alone[0].identity);
        assert!(holds(&both[0].identity, &alone[0]) && !holds(&both[1].identity, &alone[0]));
        let back = both[1].others.iter().flatten().find(|other| other.key == alone[0].identity);
        assert_eq!(back.map(|other| other.needs), Some(Needs::Content));
    }

    #[test]
    fn versions_of_an_entry_are_one_item_the_newest() {
        let version = |hour: i64, text: &str| ParsedItem {
            content: Some(Text::plain(text)),
            ..dated(item("tag:e.org,2026:1", "http://e.org/1", "A"), 1_000, Some(hour * 3_600))
        };
        let found = identify(
            &[version(2, "old"), version(3, "new"), version(1, "older")],
            GuidUse::Unique,
            IdentityRule::Auto,
        );
        assert_eq!(found.items.iter().map(|item| item.index).collect::<Vec<_>>(), [1]);
        assert_eq!((found.copies, found.sharing), (2, 0));
        assert_eq!(found.parse_warnings()[0].code, "copied_items");
    }

    #[test]
    fn the_operator_may_choose_what_identifies_the_items_of_a_feed() {
        let (a, b) = (
            dated(item("1", "http://e.org/a", "A"), 1_000, None),
            dated(item("1", "http://e.org/a", "B"), 1_000, None),
        );
        let key = |item: &ParsedItem, rule| {
            identify(std::slice::from_ref(item), GuidUse::Unique, rule).items[0].identity
        };
        assert_eq!(key(&a, IdentityRule::Key), key(&b, IdentityRule::Key));
        assert_ne!(key(&a, IdentityRule::Title), key(&b, IdentityRule::Title));
        assert_eq!(key(&a, IdentityRule::Date), key(&b, IdentityRule::Date));
        let later = dated(a.clone(), 90_000, None);
        assert_ne!(key(&a, IdentityRule::Date), key(&later, IdentityRule::Date));
    }

    #[test]
    fn a_page_that_items_share_is_no_proof_of_sameness() {
        let items = [item("1", "http://e.org/all", "A"), item("2", "http://e.org/all", "B")];
        assert!(sound(&items).iter().all(|item| item.url_key.is_none()));
    }
}
