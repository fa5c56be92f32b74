//! Stories that arrived last, whatever their dates.
//!
//! The documents are in the order of dates. A feed that is polled every few hours, or whose server was down for a day, brings
//! stories that are older than all that fill a document by then. By their dates they would be in no document ever. So a
//! document has room first for the stories that arrived last, as many as it has items. What a feed had published before it
//! was added is not among them: it is shown by its date alone.

use std::collections::HashSet;

use super::error::Error;
use super::select::{Batch, Feeds};
use crate::model::{ItemKey, OutputItem};
use crate::render::{Output, Selector};
use crate::store::{self, ItemHead, Transaction};

/// The stories that arrived last in an output, the last one first, by its archive pages, of which one still grows. At most as
/// many as the documents have; none of an output with digests.
pub(super) fn latest(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Vec<ItemHead>, store::Error> {
    if output.digest.is_some() {
        return Ok(Vec::new());
    }
    let mut keys = Vec::with_capacity(output.items);
    let mut page = reader.growing_page(&output.id)?;
    while let Some(read) = page.take() {
        keys.extend(read.items.iter().rev());
        if keys.len() < output.items && read.number > 1 {
            page = reader.archive_page(&output.id, read.number - 1)?;
        }
    }
    keys.truncate(output.items);
    reader.after_addition(&keys)
}

/// Adds the stories of these feeds that arrived last and are too old for what was selected by date. Returns the keys of all
/// that arrived last.
///
/// # Errors
/// When the store fails.
pub(super) fn add_latest(
    reader: &Transaction<'_>,
    (output, feeds): (&Output, &Feeds),
    selector: &Selector<'_>,
    entries: &mut Vec<OutputItem>,
) -> Result<HashSet<ItemKey>, Error> {
    let heads = latest(reader, output)?;
    let latest: HashSet<ItemKey> = heads.iter().map(|head| head.key).collect();
    let selected: HashSet<ItemKey> = entries.iter().map(|entry| entry.key).collect();
    let missing: Vec<ItemHead> = heads
        .into_iter()
        .filter(|it| feeds.contains_key(&it.feed) && !selected.contains(&it.key))
        .collect();
    if !missing.is_empty() {
        let mut batch = Batch::load(reader, &missing, feeds)?;
        let late = missing.iter().filter_map(|head| batch.lead(*head, selector)).collect();
        selector.add_late(entries, late, &latest);
    }
    Ok(latest)
}
