//! Sorts the changed items of a document: edits, other items under the guid of a stored one, and items of the history that
//! were published again. Also the dates that a publisher changes, of which the last one is remembered.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::sorting::{Document, Read, Sorted, change, changed, facts, fingerprints, refusal};
use crate::dedupe::{
    self, Comparable, Fingerprint, GuidParts, GuidReuse, IdentityRule, PageTrust, Suspect, Text,
    Title, Touched, Updates, Weights,
};
use crate::model::{Item, ItemKey, KnownItem, ParsedFeed, ParsedItem};
use crate::store::{self, EditAction, Reader, Redated};

/// Number of stored items whose texts are in memory at once.
const COMPARED: usize = 32;

/// Known items of a document that are not what is stored of them.
#[derive(Default)]
pub(super) struct NotEdits {
    /// Other items under the guid of a stored one, with the key of that one.
    pub(super) others: Vec<(Read, ItemKey, GuidReuse)>,
    /// The items of which the document has an older version.
    pub(super) outdated: Vec<ItemKey>,
}

/// Sorts known items whose content differs, of `known` items of the document that are stored.
pub(super) fn sort_edited(
    document: &Document<'_>,
    (edited, known): (Vec<(Read, &KnownItem)>, usize),
    feed: &ParsedFeed,
    reader: &Reader,
    sorted: &mut Sorted,
) -> Result<NotEdits, store::Error> {
    let keys: Vec<ItemKey> = edited.iter().map(|(_, known)| known.key).collect();
    let before = fingerprints(document, &keys, reader)?;
    let given_away = given_away(document, (&edited, known), &before, (feed, reader))?;
    let (mut found, mut edits) = (NotEdits::default(), Vec::new());
    for (read, known) in edited {
        match given_away.get(&known.key) {
            Some(why) => found.others.push((read, known.key, *why)),
            None => edits.push((read, known)),
        }
    }
    let is_revived = |(read, known): &&(Read, &KnownItem)| {
        is_revived(document, before.get(&known.key), read, known)
    };
    let mut revived: HashSet<ItemKey> =
        edits.iter().filter(is_revived).map(|(_, known)| known.key).collect();
    if revived.len() > MAX_REVIVED {
        revived.clear();
    }
    let boilerplate = &document.state.boilerplate;
    let (again, edits): (Vec<_>, Vec<_>) =
        edits.into_iter().partition(|(_, known)| revived.contains(&known.key));
    for (read, known) in again {
        let change = (None, EditAction::Release);
        sorted.changed.push(changed(document, known.key, read, change, boilerplate));
    }
    let mut edits = edits.into_iter().peekable();
    while edits.peek().is_some() {
        let some: Vec<(Read, &KnownItem)> = edits.by_ref().take(COMPARED).collect();
        let keys: Vec<ItemKey> = some.iter().map(|(_, known)| known.key).collect();
        let kept = reader.read(|reader| reader.kept_items(&keys))?;
        for (mut read, known) in some {
            let (before, kept) = (before.get(&known.key), kept.get(&known.key));
            let parsed = &feed.items[read.found.index];
            if kept.is_some_and(|kept| is_outdated(document, parsed, kept, known)) {
                sorted.postponed = true;
                found.outdated.push(known.key);
                continue;
            }
            let touched = kept.map_or(Touched::Content, |kept| dedupe::touched(kept, &read.item));
            read.item.updated = date_of_change(&read.item, parsed, kept, touched);
            match change(document, before, &read, (&known.edits, touched)) {
                Some(action) => {
                    let change = (before, action);
                    sorted.changed.push(changed(document, known.key, read, change, boilerplate));
                }
                None => sorted.postponed |= touched == Touched::Content,
            }
        }
    }
    Ok(found)
}

/// Whether a version is older than the stored one and may be a copy from a cache.
fn is_outdated(
    document: &Document<'_>,
    parsed: &ParsedItem,
    kept: &Item,
    known: &KnownItem,
) -> bool {
    if document.target.subscription.dedupe.updates == Updates::Ignore {
        return false;
    }
    // The date of a change that Newswire shows again is its own, not the publisher's.
    let own = kept.updated.is_some() && kept.updated == known.edits.bumped_at;
    let first = kept.published.filter(|_| parsed.published.is_none());
    let stored = kept.updated.or(first).filter(|_| !own);
    let dates = parsed.updated.zip(stored);
    dates.is_some_and(|(updated, stored)| dedupe::is_outdated(updated, stored, document.now))
}

/// The date of the change that is published. Other addresses of pictures are not a change to a subscriber. Without
/// `published`, the first `updated` of an entry is its date of publication, and a later one that of a change
/// (RFC 4287 4.2.15).
fn date_of_change(
    item: &Item,
    parsed: &ParsedItem,
    kept: Option<&Item>,
    touched: Touched,
) -> Option<Timestamp> {
    if touched == Touched::Attributes {
        return None;
    }
    let first = kept.and_then(|kept| kept.published);
    let later = item.published.filter(|at| first.is_some_and(|first| *at > first));
    item.updated.or_else(|| later.filter(|_| parsed.published.is_none()))
}

/// Whether the guid, or the link, of a stored item was reused for another item. `kept` is what is stored of it, if the
/// document has one item only.
fn is_another(
    document: &Document<'_>,
    known: &KnownItem,
    (before, kept): (Option<&Fingerprint>, Option<&Item>),
    read: &Read,
) -> bool {
    let page = match document.target.subscription.dedupe.identity {
        IdentityRule::Key => return false,
        _ if document.single => PageTrust::Nothing,
        _ if read.item.guid.is_some() && read.item.guid == read.item.title => {
            PageTrust::SamenessWithoutTitle
        }
        _ => PageTrust::Sameness,
    };
    if kept.is_some_and(|kept| dedupe::is_another_episode(kept, &read.item)) {
        return true;
    }
    let Some(before) = before else { return false };
    let mut before = before.clone();
    // The first date of the item, or the last one.
    let dates = known.dated.zip(read.item.published);
    if let Some((dated, _)) = dates.filter(|(was, is)| dedupe::at_once(*was, *is)) {
        before.published = Some(dated);
    }
    let comparable = |fingerprint: Fingerprint| -> Comparable {
        fingerprint.comparable(&document.state.boilerplate, &Weights::default())
    };
    // Compared with the new date.
    let facts = facts(document, read, None);
    let own = read.text.own_words(&HashSet::new());
    let after = Fingerprint::without_sketch(&read.item, read.text.clone(), facts, &own);
    dedupe::is_another(&comparable(before), &comparable(after), page)
}

/// The stored items of these edited ones whose guids other items have now, and why. `known` is the number of items of the
/// document that are stored.
fn given_away(
    document: &Document<'_>,
    (edited, known): (&[(Read, &KnownItem)], usize),
    before: &HashMap<ItemKey, Fingerprint>,
    (feed, reader): (&ParsedFeed, &Reader),
) -> Result<HashMap<ItemKey, GuidReuse>, store::Error> {
    let keys = || edited.iter().map(|(_, known)| known.key).collect::<Vec<ItemKey>>();
    let kept = match document.single && !edited.is_empty() {
        true => reader.read(|reader| reader.kept_items(&keys()))?,
        false => HashMap::new(),
    };
    let is_another = |(read, known): &&(Read, &KnownItem)| {
        is_another(document, known, (before.get(&known.key), kept.get(&known.key)), read)
    };
    let suspects: Vec<&(Read, &KnownItem)> = edited.iter().filter(is_another).collect();
    if document.single || suspects.is_empty() {
        return Ok(suspects.iter().map(|(_, known)| (known.key, GuidReuse::Place)).collect());
    }
    let titles: Vec<Title> =
        suspects.iter().map(|(read, _)| Title::new(read.item.title.as_deref())).collect();
    let none = Fingerprint::default();
    let pairs = suspects.iter().zip(&titles);
    let shown: Vec<Suspect<'_>> = pairs
        .map(|((read, known), is)| {
            let before = before.get(&known.key).unwrap_or(&none);
            Suspect {
                // A guid that is the title proves nothing.
                guid: read.item.guid.as_deref().filter(|_| read.item.guid != read.item.title),
                was: &before.title,
                is,
                before: known.dated.or(before.published).unwrap_or(before.seen),
                after: read.item.published.unwrap_or(document.now),
            }
        })
        .collect();
    let title = |item: &ParsedItem| {
        Title::new(item.title.as_ref().map(|title| title.value.as_str())).digest()
    };
    let titles = feed.items.iter().map(title).collect();
    let found = dedupe::given_away(&shown, (&GuidParts::new(&feed.items), known), &titles);
    let given = suspects.iter().zip(found);
    Ok(given.filter_map(|((_, known), reuse)| Some((known.key, reuse?))).collect())
}

/// Maximum number of items of the history that one document may bring up again. More were dated anew.
const MAX_REVIVED: usize = 5;

/// Whether an item that is held as history was published again: with a date after the first poll, which no other item
/// of the document has, and with other words.
fn is_revived(
    document: &Document<'_>,
    before: Option<&Fingerprint>,
    read: &Read,
    known: &KnownItem,
) -> bool {
    let (Some(since), Some(date)) = (known.history_since, read.item.published) else {
        return false;
    };
    let near = |other: &&Timestamp| dedupe::at_once(**other, date);
    let own_date = document.dates.iter().flatten().filter(near).count() <= 1;
    let own = |text: &Text| text.own_words(&document.state.boilerplate);
    let reworded =
        || before.is_none_or(|it| dedupe::is_worth_showing(&own(&it.text), &own(&read.text)));
    date > since && own_date && reworded() && refusal(document, &read.item).is_none()
}

/// The date that the publisher gave an item.
pub(super) fn date_of(item: &ParsedItem) -> Option<Timestamp> {
    item.published.or(item.updated)
}

/// The new date of a stored item, if it has one. Milliseconds are stored.
pub(super) fn redated(
    key: ItemKey,
    was: Option<Timestamp>,
    is: Option<Timestamp>,
) -> Option<Redated> {
    let date = is?;
    let same = was.is_some_and(|was| was.as_millisecond() == date.as_millisecond());
    (!same).then_some(Redated { key, date })
}

/// Minimum number of new dates, and half of the stored items of the document, that may be the time of the build.
const OF_BUILD: usize = 3;

/// Removes new dates that change at each build and so prove nothing. `known` is the number of stored items of the document.
pub(super) fn remember(redated: &mut Vec<Redated>, known: usize) {
    if redated.len() >= OF_BUILD && 2 * redated.len() > known {
        redated.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_forgotten_if_most_stored_items_have_new_ones() {
        for (redated, known, expected) in
            [(1, 1, 1), (2, 2, 2), (3, 3, 0), (3, 5, 0), (3, 6, 3), (4, 10, 4)]
        {
            let date = Timestamp::UNIX_EPOCH;
            let mut dates: Vec<Redated> =
                (0..redated).map(|n| Redated { key: ItemKey(n), date }).collect();
            remember(&mut dates, known);
            assert_eq!(dates.len(), expected, "{redated} of {known}");
        }
    }
}
