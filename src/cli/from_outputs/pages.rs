//! The archive pages of published documents.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::ItemKey;
use crate::outputs::{PublishedItem, PublishedItems};
use crate::render::Output;
use crate::store::{self, ArchivePage, Store, Transaction};

/// The archive pages that the database lacks.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// The pages to write, in their order. The last one grows from now on, if there is a page after those of the database.
    pub(super) rows: Vec<ArchivePage>,
    /// Number of pages that were read back.
    pub(super) read: usize,
    /// Numbers of the pages that no file has. They are written without items, so that the links from page to page lead
    /// through the whole archive.
    pub(super) missing: Vec<u32>,
}

/// The archive pages of an output that the database lacks; `keys` are the items by their ids in the output.
pub(super) fn pages(
    store: &Store,
    output: &Output,
    published: &PublishedItems,
    keys: &HashMap<String, ItemKey>,
) -> Result<Pages, store::Error> {
    store.reader().read(|reader| pages_in(reader, output, (published, keys)))
}

fn pages_in(
    reader: &Transaction<'_>,
    output: &Output,
    (published, keys): (&PublishedItems, &HashMap<String, ItemKey>),
) -> Result<Pages, store::Error> {
    let (newest, growing) = (reader.newest_item()?, reader.growing_page(&output.id)?);
    let (first, late, begun) =
        growing.map_or((1, 0, Vec::new()), |page| (page.number, page.late, page.items));
    let mut pages = BTreeMap::new();
    for (number, items) in &published.archive {
        let mut items = in_order_of_arrival(items, keys);
        // The database has the pages before the growing one, unless their rows were lost.
        if *number < first {
            let known = reader.archive_page(&output.id, *number)?;
            if items.is_empty() || known.is_some_and(|page| !page.items.is_empty()) {
                continue;
            }
            let archived = reader.archived(&output.id, &items)?;
            items.retain(|key| !archived.contains(key));
        }
        pages.insert(*number, items);
    }
    let mut found = Pages { read: pages.len(), ..Pages::default() };
    for number in published.missing.iter().copied() {
        if number >= first || reader.archive_page(&output.id, number)?.is_none() {
            let items = if number == first { begun.clone() } else { Vec::new() };
            pages.insert(number, items);
            found.missing.push(number);
        }
    }
    let Some(last) = pages.keys().next_back().copied() else { return Ok(found) };
    let archived = published.archive.iter().flat_map(|(_, items)| in_order_of_arrival(items, keys));
    let archived: HashSet<ItemKey> = archived.chain(pages.values().flatten().copied()).collect();
    // A page without items expires with the page after it: otherwise its files would be removed at once.
    let mut seen = newest;
    for (number, items) in pages.into_iter().rev() {
        seen = items.iter().copied().max().unwrap_or(seen);
        found.rows.push(ArchivePage { number, items, seen, late });
    }
    found.rows.reverse();
    if last >= first {
        let mut items = in_order_of_arrival(&published.current, keys);
        items.retain(|key| !archived.contains(key));
        found.rows.push(ArchivePage { number: last + 1, items, seen: newest, late });
    }
    Ok(found)
}

/// The items of a document that the database has. The newest comes first in a document and last on a page.
fn in_order_of_arrival(items: &[PublishedItem], keys: &HashMap<String, ItemKey>) -> Vec<ItemKey> {
    items.iter().rev().filter_map(|item| keys.get(&item.id).copied()).collect()
}
