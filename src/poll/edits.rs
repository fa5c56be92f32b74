//! Sorts the changed items of a document: edits, other items under the guid of a stored one, and items of the history that
//! were published again.

use std::collections::HashSet;

use jiff::Timestamp;

use super::sorting::{Document, Read, Sorted, change, changed, fingerprints, is_another, refusal};
use crate::dedupe::{self, Fingerprint, Text, Touched, Updates};
use crate::model::{Item, ItemKey, KnownItem, ParsedItem};
use crate::store::{self, EditAction, Reader};

/// Sorts known items whose content differs. Returns those that are other items under the guid of a stored one, with the
/// key of that one. `items` are those of the document.
pub(super) fn sort_edited(
    document: &Document<'_>,
    edited: Vec<(Read, &KnownItem)>,
    items: &[ParsedItem],
    reader: &Reader,
    sorted: &mut Sorted,
) -> Result<Vec<(Read, ItemKey)>, store::Error> {
    let keys: Vec<ItemKey> = edited.iter().map(|(_, known)| known.key).collect();
    let before = fingerprints(document, &keys, reader)?;
    let is_revived = |(read, known): &&(Read, &KnownItem)| {
        is_revived(document, before.get(&known.key), read, known)
    };
    let mut revived: HashSet<ItemKey> =
        edited.iter().filter(is_revived).map(|(_, known)| known.key).collect();
    if revived.len() > MAX_REVIVED {
        revived.clear();
    }
    let boilerplate = &document.state.boilerplate;
    let mut others = Vec::new();
    let mut edited = edited.into_iter().peekable();
    while edited.peek().is_some() {
        let some: Vec<(Read, &KnownItem)> = edited.by_ref().take(COMPARED).collect();
        let keys: Vec<ItemKey> = some.iter().map(|(_, known)| known.key).collect();
        let kept = reader.read(|reader| reader.kept_items(&keys))?;
        for (mut read, known) in some {
            let (before, kept) = (before.get(&known.key), kept.get(&known.key));
            if is_another(document, (before, kept), &read) {
                others.push((read, known.key));
                continue;
            }
            if revived.contains(&known.key) {
                let change = (None, EditAction::Release);
                sorted.changed.push(changed(document, known.key, read, change, boilerplate));
                continue;
            }
            let parsed = &items[read.found.index];
            if kept.is_some_and(|kept| is_outdated(document, parsed, kept, known)) {
                sorted.postponed = true;
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
    Ok(others)
}

/// Number of stored items whose texts are in memory at once.
const COMPARED: usize = 32;

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
