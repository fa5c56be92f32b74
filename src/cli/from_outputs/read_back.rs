//! What published documents become in the database: items, archive pages and digests.
//!
//! The copies of an item that several outputs published become one item: each part from the output that changes it least,
//! and of those that show it alike from the newest document.
//!
//! Each digest keeps its number, id, date and text. The stories in its text cannot be separated again. So all periods up to
//! the last digest stay closed, and no item of them comes in a later one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::model::ItemKey;
use crate::normalise;
use crate::outputs::{PublishedItem, PublishedItems};
use crate::render::{Content, Digest, Format, Output, ShownDate, digest_end};
use crate::store::{self, ArchivePage, Store, StoredDigest, Transaction};

/// The item in one output.
#[derive(Debug)]
struct Copy<'d> {
    output: &'d Output,
    item: &'d PublishedItem,
    /// Whether it is in the subscription document, whose texts are the newest.
    is_current: bool,
}

/// The copies of all items, by their ids.
#[derive(Debug, Default)]
pub(super) struct Copies<'d> {
    by_id: HashMap<&'d str, Vec<Copy<'d>>>,
    /// The ids in the order of the documents.
    ids: Vec<&'d str>,
}

/// An item that was made of its copies.
#[derive(Debug)]
pub(super) struct Merged<'d> {
    pub(super) item: PublishedItem,
    /// The output with its text.
    pub(super) output: &'d Output,
    /// Time of first sight; `None`: no output shows it.
    pub(super) first_seen: Option<Timestamp>,
    /// The outputs that show the item.
    pub(super) outputs: Vec<&'d Output>,
}

impl<'d> Copies<'d> {
    /// Adds the items of an output that the database does not know.
    pub(super) fn add(
        &mut self,
        output: &'d Output,
        published: &'d PublishedItems,
        known: &HashMap<String, ItemKey>,
    ) {
        let mut here = HashSet::new();
        for (n, items) in published.lists().enumerate() {
            for item in items {
                if known.contains_key(&item.id) || !here.insert(item.id.as_str()) {
                    continue;
                }
                let copies = self.by_id.entry(item.id.as_str()).or_default();
                if copies.is_empty() {
                    self.ids.push(item.id.as_str());
                }
                copies.push(Copy { output, item, is_current: n == 0 });
            }
        }
    }

    /// The items, in the order of the documents.
    pub(super) fn merged(&self) -> impl Iterator<Item = Merged<'d>> {
        self.ids.iter().filter_map(|id| merge(&self.by_id[id]))
    }
}

fn merge<'d>(copies: &[Copy<'d>]) -> Option<Merged<'d>> {
    // A copy on an archive page may be months old: a newer text matters more than links that no output changed.
    let text = least(copies, |Copy { output, is_current, .. }| {
        (content(output), !is_current, output.rewrite.strip_tracking)
    })?;
    let title = least(copies, |Copy { output, is_current, .. }| {
        let is_changed = !output.rewrite.titles.is_empty();
        let is_prefixed = output.presentation.title_prefix.is_some();
        // Atom and RSS show another title where the item has none.
        (is_changed, is_prefixed, !is_current, !output.formats.contains(&Format::Json))
    })?;
    let links = least(copies, |copy| copy.output.rewrite.strip_tracking)?;
    let date = least(copies, |copy| with_first_sight(copy.output))?;
    let seen = copies.iter().find(|copy| with_first_sight(copy.output));
    let named = copies.iter().find(|copy| copy.item.feed_url.is_some()).unwrap_or(text);
    let mut item = text.item.clone();
    item.item.title.clone_from(&title.item.item.title);
    item.item.links.clone_from(&links.item.item.links);
    item.item.comments.clone_from(&links.item.item.comments);
    item.item.published = date.item.item.published;
    item.item.updated = date.item.item.updated;
    item.feed_url.clone_from(&named.item.feed_url);
    item.feed_title.clone_from(&named.item.feed_title);
    item.number = copies.iter().find_map(|copy| copy.item.number);
    Some(Merged {
        item,
        output: text.output,
        first_seen: seen.and_then(|copy| copy.item.item.published),
        outputs: copies.iter().map(|copy| copy.output).collect(),
    })
}

/// The copy with the least rank; of several, the newest one, else the first one.
fn least<'c, 'd, R: Ord>(
    copies: &'c [Copy<'d>],
    rank: impl Fn(&Copy<'d>) -> R,
) -> Option<&'c Copy<'d>> {
    copies.iter().min_by_key(|copy| (rank(copy), Reverse(copy.is_current)))
}

/// How much of the text an output leaves out.
fn content(output: &Output) -> u8 {
    match output.presentation.content {
        Content::Full => 0,
        Content::Summary => 1,
        Content::None => 2,
    }
}

fn with_first_sight(output: &Output) -> bool {
    output.presentation.date == ShownDate::FirstSeen
}

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
    let is_private = output.token.is_some();
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
        found.rows.push(ArchivePage { number, items, seen, late, is_private });
    }
    found.rows.reverse();
    if last >= first {
        let mut items = in_order_of_arrival(&published.current, keys);
        items.retain(|key| !archived.contains(key));
        found.rows.push(ArchivePage { number: last + 1, items, seen: newest, late, is_private });
    }
    Ok(found)
}

/// The items of a document that the database has. The newest comes first in a document and last on a page.
fn in_order_of_arrival(items: &[PublishedItem], keys: &HashMap<String, ItemKey>) -> Vec<ItemKey> {
    items.iter().rev().filter_map(|item| keys.get(&item.id).copied()).collect()
}

/// Largest number of a digest that is read back. Later digests get the numbers after it.
const MAX_DIGEST: u32 = 10_000_000;

/// The digests that an output published, in the order of their ends.
pub(super) fn digests(
    output: &Output,
    published: &PublishedItems,
    now: Timestamp,
) -> Vec<StoredDigest> {
    // Also a digest without a URL is on the page of its number.
    let first = |page: u32| page.saturating_sub(1).saturating_mul(Digest::ARCHIVE_PAGE) + 1;
    let current = published.current.iter().map(|item| (1, item));
    let pages = published.archive.iter();
    let pages = pages.flat_map(|(page, items)| items.iter().map(move |item| (first(*page), item)));
    let by_id: HashMap<&str, (u32, &PublishedItem)> =
        current.chain(pages).map(|(least, item)| (&*item.id, (least, item))).collect();
    let mut found: Vec<(u32, (Option<u32>, StoredDigest))> =
        by_id.into_values().map(|(least, item)| (least, digest(output, item, now))).collect();
    found.sort_by(|(_, (_, a)), (_, (_, b))| (a.ends_at, &a.id).cmp(&(b.ends_at, &b.id)));
    let mut last = 0;
    let numbered = found.into_iter().map(|(least, (number, digest))| {
        last = number.filter(|number| *number > last).unwrap_or(least.max(last + 1));
        StoredDigest { number: last, ..digest }
    });
    numbered.collect()
}

/// A digest, with the number in the URL of its page.
fn digest(
    output: &Output,
    published: &PublishedItem,
    now: Timestamp,
) -> (Option<u32>, StoredDigest) {
    let context = normalise::Context { now, document_url: &output.base_url, feed_language: None };
    let item = normalise::item(&published.item, &context);
    let name = item.url.as_deref().and_then(|url| url.split('?').next()?.rsplit('/').next());
    let number = name.and_then(|name| name.strip_suffix(".html").unwrap_or(name).parse().ok());
    let number = number.filter(|number| *number <= MAX_DIGEST);
    let shown_at = item.published.unwrap_or(now);
    let ends_at = digest_end(&published.id).unwrap_or(shown_at);
    let closed_at = match output.presentation.date {
        ShownDate::Published => ends_at,
        ShownDate::FirstSeen => shown_at,
    };
    let digest = StoredDigest {
        number: 0,
        id: published.id.clone(),
        ends_at,
        closed_at,
        title: item.title.unwrap_or_default(),
        summary: item.summary.unwrap_or_default(),
        html: item.content.unwrap_or_default(),
        items: Vec::new(),
    };
    (number, digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Files, PathChecks};
    use crate::model::{Link, ParsedItem, Text};

    #[test]
    fn a_digest_with_a_number_out_of_range_gets_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        std::fs::write(&path, "version = 1\n[[output]]\nid = \"daily\"\n").unwrap();
        let config = Files::gather(&path).read(PathChecks::Existence).config.unwrap();
        let digest = |name: &str| PublishedItem {
            id: name.to_owned(),
            feed_url: None,
            feed_title: None,
            number: None,
            is_digest: true,
            item: ParsedItem {
                links: vec![Link {
                    href: format!("https://e.org/daily/digest/{name}.html"),
                    rel: "alternate".to_owned(),
                    ..Link::default()
                }],
                ..ParsedItem::default()
            },
        };
        let current = ["4294967294", "4294967295", "7"].map(digest).into();
        let published = PublishedItems { current, ..PublishedItems::default() };
        let found = digests(&config.outputs[0], &published, Timestamp::UNIX_EPOCH);
        assert_eq!(found.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 7]);
    }

    #[test]
    fn an_edited_text_and_title_count_more_than_old_ones_with_all_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        let outputs = "[[output]]\nid = \"whole\"\n\
                       [[output]]\nid = \"stripped\"\nstrip_tracking = true\nformats = [\"atom\"]\n\
                       [[output]]\nid = \"short\"\ncontent = \"summary\"\n";
        std::fs::write(&path, format!("version = 1\n{outputs}")).unwrap();
        let config = Files::gather(&path).read(PathChecks::Existence).config.unwrap();
        let text = |value: &str| Some(Text { value: value.to_owned(), ..Text::default() });
        let published = |name: &str| PublishedItem {
            id: "1".to_owned(),
            feed_url: None,
            feed_title: None,
            number: None,
            is_digest: false,
            item: ParsedItem { title: text(name), content: text(name), ..ParsedItem::default() },
        };
        let items = ["old", "edited", "short"].map(published);
        let merged = |current: [bool; 3]| {
            let copies = config.outputs.iter().zip(&items).zip(current);
            let copy = |((output, item), is_current)| Copy { output, item, is_current };
            let merged = merge(&copies.map(copy).collect::<Vec<_>>()).unwrap().item.item;
            (merged.title.unwrap().value, merged.content.unwrap().value)
        };
        let pair = |title: &str, text: &str| (title.to_owned(), text.to_owned());
        assert_eq!(merged([false, true, false]), pair("edited", "edited"));
        assert_eq!(merged([true, true, true]), pair("old", "old"));
        assert_eq!(merged([false, false, false]), pair("old", "old"));
        // A text that was cut is never the whole one.
        assert_eq!(merged([false, false, true]), pair("short", "old"));
    }
}
