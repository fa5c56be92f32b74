//! What identifies an item within its feed, and whether the item changed.
//!
//! The guid identifies it, else its page, else its file, else its words. Keys of different feeds are never compared: the
//! store keeps them by feed. Whether items of different feeds are one story is decided in `verdict`.

use std::collections::{HashMap, HashSet};

use super::canonical;
use super::ids::{Hasher, digest};
use super::revisions::superseded;
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
    /// Keys that other rules give to the item, under which it is stored if the operator changed the rule.
    pub former: Vec<OtherKey>,
    /// Keys of the guids of its copies in the document, which were left out.
    pub copies: Vec<Digest>,
    /// Key of its discussion and its date, which stays if title and link are replaced; `None`: another item has it too, or
    /// it has a guid.
    pub discussion: Option<Digest>,
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
    /// The title, which a guid or link that is used again does not have.
    Title,
    /// The date of publication.
    Date,
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
    /// The keys of other rules.
    former: Vec<OtherKey>,
    /// Whether a guid that others have too counts together with the page.
    backing: Backing,
    /// Key that copies of an item under other guids share.
    copy: Option<CopyKeys>,
    /// Key that all versions of an item share, if its dates distinguish the versions.
    version: Option<Digest>,
    discussion: Option<Discussion>,
    content_digest: Digest,
    /// Digest of the page.
    page: Option<Digest>,
}

/// Keys of an item without a guid that stay if its title and link are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Discussion {
    /// Of the page of its comments.
    comments: Digest,
    /// Of this page and the date.
    key: Digest,
}

/// What distinguishes items with the same guid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backing {
    Page,
    /// They have no page.
    Content,
}

impl Backing {
    fn needs(self) -> Needs {
        match self {
            Self::Page => Needs::Page,
            Self::Content => Needs::Content,
        }
    }
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
        let ([first, second], former) = by_rule(rule, [alone, with_page], (&part(title), &date));
        let levels = [first, second, parts, all];
        let dates = item.published.is_some() && item.updated.is_some();
        let version = guid.filter(|_| dates).map(|_| parts);
        let backing = if page.is_some() { Backing::Page } else { Backing::Content };
        let says_something =
            [&item.title, &item.content, &item.summary].iter().any(|it| it.is_some());
        // Without dates, they may be the events of a log.
        let copied = rule != IdentityRule::Key && says_something && !date.is_empty();
        let discussion = discussion(item).filter(|_| rule == IdentityRule::Auto);
        let page = page.map(|_| digest(&[b"page", place.as_bytes()]));
        let copy = page.filter(|_| copied).map(|page| CopyKeys {
            page,
            all: digest(&[b"copy", place.as_bytes(), &date, &words]),
        });
        let content_digest = digest_with(item, &words);
        Self { levels, former, backing, copy, version, discussion, content_digest, page }
    }

    /// The keys by other rules of an item whose identity is the key of `level`.
    fn former(&self, level: usize) -> Vec<OtherKey> {
        let mut former = self.former.clone();
        match level {
            0 => {}
            // The guid is not enough.
            1 => former.iter_mut().filter(|it| it.needs == Needs::Nothing).for_each(|it| {
                it.needs = self.backing.needs();
            }),
            // It shares them with another item.
            _ => former.clear(),
        }
        former
    }

    /// The other keys of an item whose identity is the key of `level`.
    fn others(&self, level: usize) -> [Option<OtherKey>; LEVELS - 1] {
        let mut others = [None; LEVELS - 1];
        let rest = (0..LEVELS).rev().filter(|other| self.levels[*other] != self.levels[level]);
        for (place, other) in others.iter_mut().zip(rest) {
            let needs = match other {
                _ if other > level => Needs::Nothing,
                _ if level == 1 => self.backing.needs(),
                _ => Needs::Content,
            };
            *place = Some(OtherKey { key: self.levels[other], needs });
        }
        others
    }
}

/// The two least specific keys of an item by a rule, and its keys by other rules.
fn by_rule(
    rule: IdentityRule,
    [alone, with_page]: [Digest; 2],
    (title, date): (&[u8], &[u8]),
) -> ([Digest; 2], Vec<OtherKey>) {
    let titled = || digest(&[b"title", &alone, title]);
    let dated = || digest(&[b"date", &alone, date]);
    let (keys, former, needs) = match rule {
        // The others are more specific.
        IdentityRule::Auto | IdentityRule::Key => {
            ([alone, with_page], vec![titled(), dated()], Needs::Nothing)
        }
        IdentityRule::Title => ([titled(); 2], vec![dated(), with_page, alone], Needs::Title),
        IdentityRule::Date => ([dated(); 2], vec![titled(), with_page, alone], Needs::Date),
    };
    (keys, former.into_iter().map(|key| OtherKey { key, needs }).collect())
}

/// Whether the guids of one document are useful, and what identifies its items. `known` is what earlier documents of the
/// feed showed of its guids. A key that several items share identifies none of them: they are distinguished by page,
/// title, date or text.
#[must_use]
pub fn identify(items: &[ParsedItem], known: GuidUse, rule: IdentityRule) -> (GuidUse, Identities) {
    let judged = (known == GuidUse::Unique).then(|| Keyed::new(items, IdentityRule::Auto));
    let guids = judged.as_ref().map_or(known, |keyed| guid_use(items, keyed));
    let keyed = judged.filter(|_| rule == IdentityRule::Auto);
    let keyed = keyed.unwrap_or_else(|| Keyed::new(items, rule));
    (guids, identities(items, &keyed, guids))
}

/// The items of a document with their keys under a rule, which are made from all of their texts.
struct Keyed {
    keys: Vec<Keys>,
    distinct: Distinct,
}

impl Keyed {
    fn new(items: &[ParsedItem], rule: IdentityRule) -> Self {
        let keys: Vec<Keys> = items.iter().map(|item| Keys::new(item, rule)).collect();
        let distinct = distinct(items, &keys, rule);
        Self { keys, distinct }
    }
}

fn identities(items: &[ParsedItem], keyed: &Keyed, guids: GuidUse) -> Identities {
    let Keyed { keys, distinct: Distinct { kept, superseded } } = keyed;
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
    let names = left_out((kept, superseded), keys, first);
    let discussion = |at: usize| keys[at].discussion.filter(|_| kept.len() > 1);
    // A page of comments that several items have is the forum of the site.
    let forums = counts(kept.iter().filter_map(|at| Some(discussion(*at)?.comments)));
    let identified = |index: &usize| {
        let (keys, level) = (&keys[*index], levels[index]);
        Identified {
            index: *index,
            identity: keys.levels[level],
            others: keys.others(level),
            former: keys.former(level),
            copies: names.get(index).cloned().unwrap_or_default(),
            discussion: discussion(*index).filter(|it| forums[&it.comments] == 1).map(|it| it.key),
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

/// The places of the items without copies and older versions.
struct Distinct {
    kept: Vec<usize>,
    /// The items that another one supersedes although it is no copy, with that one.
    superseded: HashMap<usize, usize>,
}

fn distinct(items: &[ParsedItem], keys: &[Keys], rule: IdentityRule) -> Distinct {
    let mut kept = without_copies(items, keys);
    let superseded = match rule {
        IdentityRule::Auto => superseded(items, &kept, |at| keys[at].page),
        // The operator chose what distinguishes items.
        IdentityRule::Key | IdentityRule::Title | IdentityRule::Date => HashMap::new(),
    };
    kept.retain(|at| !superseded.contains_key(at));
    Distinct { kept, superseded }
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
    (kept, superseded): (&[usize], &HashMap<usize, usize>),
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
        let owner = owner.or_else(|| superseded.get(&index));
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

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// The keys of an item without a guid that the page of its comments and its date make. A date without a time is that of
/// other items too.
fn discussion(item: &ParsedItem) -> Option<Discussion> {
    let page = canonical::within_feed(item.page().filter(|_| guid(item).is_none())?);
    let comments = canonical::within_feed(item.comments.as_deref()?);
    let date = item.published.or(item.updated)?.as_second();
    let names_it = comments != page && date % DAY != 0;
    names_it.then(|| Discussion {
        comments: digest(&[b"comments", comments.as_bytes()]),
        key: digest(&[b"discussion", comments.as_bytes(), &date.to_be_bytes()]),
    })
}

/// The key of an item whose guid or page was given to another item before.
#[must_use]
pub fn reused(item: &ParsedItem) -> Digest {
    Keys::new(item, IdentityRule::Auto).levels[2]
}

/// Largest part of a document's items that may share a guid before its guids are ignored, 0 to 1.
const SHARED: f32 = 0.05;

/// Whether so large a part of a document's items share guids that the guids of the feed are useless. `keyed` is by
/// [`IdentityRule::Auto`].
fn guid_use(items: &[ParsedItem], keyed: &Keyed) -> GuidUse {
    let Keyed { keys, distinct: Distinct { kept, .. } } = keyed;
    let with_guid = || kept.iter().copied().filter(|at| guid(&items[*at]).is_some());
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
    if podcast.block {
        hasher.part(b"block");
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
