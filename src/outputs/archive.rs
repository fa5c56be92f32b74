//! The archive pages of an output, RFC 5005 4: filled in order of arrival, and rendered when requested or written.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::digest;
use super::error::Error;
use super::ids::{self, AssignedId, Lead};
use super::select::{BATCH, Feeds, Taken, complete, feeds_taken};
use crate::model::{ItemKey, OutputItem};
use crate::render::{
    self, Document, Effort, Format, Output, Page, PreviousPublication, Rendered, Selector,
};
use crate::store::{self, ArchivePage, Arrivals, Transaction};

/// Freshness lifetime of an archive page: its items stay, only corrections would change it.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Number of arrivals that are looked at in one step.
const ARRIVALS: usize = 1024;

/// What is left to do for an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveState {
    /// There may be more pages to write.
    Unfinished,
    /// Every page is written. The documents have to be published again to link to the newest one.
    Unannounced,
    /// Every page is written, and linked to.
    Complete,
}

/// What one step adds to the archive.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// The pages that changed; the last one is the one that still grows.
    pub(super) pages: Vec<ArchivePage>,
    /// New id assignments for the items on them.
    pub(super) assigned: Vec<AssignedId>,
    /// Whether any item or release was considered.
    pub(super) any: bool,
    /// Whether more items or releases are left.
    pub(super) more: bool,
}

/// Puts the next arrivals on pages.
///
/// # Errors
/// When the store fails.
pub(super) fn next(
    reader: &Transaction<'_>,
    output: &Output,
    now: Timestamp,
) -> Result<Growth, Error> {
    if output.digest.is_some() {
        return Ok(Growth { pages: Vec::new(), assigned: Vec::new(), any: false, more: false });
    }
    let growing = reader.growing_page(&output.id)?.unwrap_or_else(first);
    let arrivals = reader.arrivals(&growing, ARRIVALS)?;
    let selector = Selector::new(output, now);
    let shown = feeds_taken(reader, output)?;
    let mut taken = Vec::new();
    for heads in arrivals.heads.chunks(BATCH) {
        let here = Taken::load(reader, heads, &shown, &selector)?;
        taken.extend(heads.iter().filter_map(|head| here.completed(*head)));
    }
    let leads: Vec<Lead> = taken.iter().map(Lead::from).collect();
    let assigned = ids::to_assign(reader, &output.id, &leads, &shown)?;
    let pages = grow_in(output, growing, &keys(&leads), &arrivals);
    let (any, more) = (arrivals.count > 0, arrivals.count >= ARRIVALS);
    Ok(Growth { pages, assigned, any, more })
}

/// The page that an archive begins with.
pub(super) fn first() -> ArchivePage {
    ArchivePage { number: 1, items: Vec::new(), seen: ItemKey(0), late: 0, is_private: false }
}

/// The archive of an output that grows: see [`grow`].
fn grow_in(
    output: &Output,
    growing: ArchivePage,
    taken: &[ItemKey],
    arrivals: &Arrivals,
) -> Vec<ArchivePage> {
    let mut pages = grow(growing, output.archive_page(), taken, arrivals);
    for page in &mut pages {
        page.is_private |= output.token.is_some() && !page.items.is_empty();
    }
    pages
}

/// Puts `taken` (items of these arrivals, in their order) on `growing` and on as many new pages as
/// are needed, each of `size` items. The last page returned is the one that grows from now on.
fn grow(
    mut growing: ArchivePage,
    size: usize,
    taken: &[ItemKey],
    arrivals: &Arrivals,
) -> Vec<ArchivePage> {
    let mut full = Vec::new();
    for key in taken {
        growing.items.push(*key);
        if growing.items.len() >= size {
            let next = ArchivePage { number: growing.number + 1, ..first() };
            growing.seen = growing.items.iter().copied().max().unwrap_or_default();
            full.push(std::mem::replace(&mut growing, next));
        }
    }
    (growing.seen, growing.late) = (arrivals.seen, arrivals.late);
    full.push(growing);
    full
}

/// The pages with the stories that are among the newest by date and were passed when they arrived: their feed was not
/// in the output then, or a filter kept them out. `None`: there are none. They are arrivals of the output now.
///
/// # Errors
/// When the store fails.
pub(super) fn with_joined(
    reader: &Transaction<'_>,
    output: &Output,
    (last, newest): (&PreviousPublication, &[Lead]),
) -> Result<Option<Growth>, Error> {
    let Some(growing) = reader.growing_page(&output.id)? else { return Ok(None) };
    let was_passed = |lead: &&Lead| lead.key <= growing.seen && !last.shows(lead.key);
    let mut joined: Vec<Lead> = newest.iter().filter(was_passed).copied().collect();
    let archived = reader.archived(&output.id, &keys(&joined))?;
    joined.retain(|lead| !archived.contains(&lead.key));
    if joined.is_empty() {
        return Ok(None);
    }
    joined.sort_unstable_by_key(|lead| lead.key);
    let assigned = ids::to_assign(reader, &output.id, &joined, &feeds_taken(reader, output)?)?;
    let passed = Arrivals { seen: growing.seen, late: growing.late, ..Arrivals::default() };
    let pages = grow_in(output, growing, &keys(&joined), &passed);
    Ok(Some(Growth { pages, assigned, ..Growth::default() }))
}

fn keys(leads: &[Lead]) -> Vec<ItemKey> {
    leads.iter().map(|lead| lead.key).collect()
}

/// The growing page, complete before it is full, and the one after it. `None` unless a story on it was in the last
/// publication and is not in the next one: nothing that was published is in no document (RFC 5005 4).
///
/// # Errors
/// When the store fails.
pub(super) fn completed_early(
    reader: &Transaction<'_>,
    output: &Output,
    (last, next): (&PreviousPublication, &[OutputItem]),
) -> Result<Option<Growth>, Error> {
    // An output that limits its feeds leaves stories out on purpose: nearly each new one makes another leave.
    if output.digest.is_some() || output.limits_feeds() {
        return Ok(None);
    }
    let Some(mut growing) = reader.growing_page(&output.id)? else { return Ok(None) };
    let stays = |key: &ItemKey| next.iter().any(|entry| entry.key == *key);
    if !growing.items.iter().any(|key| last.shows(*key) && !stays(key)) {
        return Ok(None);
    }
    let (number, items) = (growing.number + 1, Vec::new());
    let following = ArchivePage { number, items, is_private: false, ..growing };
    growing.seen = growing.items.iter().copied().max().unwrap_or_default();
    Ok(Some(Growth { pages: vec![growing, following], ..Growth::default() }))
}

/// The numbers of the oldest and the newest page that are complete and have an item to show. Empty
/// where there is none.
///
/// # Errors
/// When the store fails.
pub(super) fn complete_pages(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<RangeInclusive<u32>, store::Error> {
    if output.digest.is_some() {
        return digest::complete_pages(reader, output);
    }
    let growing = reader.growing_page(&output.id)?;
    let oldest = reader.oldest_page(&output.id)?;
    Ok(oldest.unwrap_or(1)..=growing.map_or(0, |growing| growing.number - 1))
}

/// The archive page of this number.
pub(super) fn page(number: u32, complete: &RangeInclusive<u32>) -> Page {
    Page::Archive { number, newest: *complete.end(), oldest: *complete.start() }
}

/// The items of an archive page that can still be shown, newest first; `None`: there is no such page. A page that the
/// database lacks between others is empty, so that the links from page to page lead through the whole archive.
///
/// `feeds` are those that the output takes. Its other conditions decided when the items arrived: a page keeps its items
/// (RFC 5005 4). But what was put on a page while the output had a token is shown without one only if the output takes it
/// today: another output may have the name now.
///
/// # Errors
/// When the store fails.
pub(super) fn entries(
    reader: &Transaction<'_>,
    output: &Output,
    (number, numbers): (u32, &RangeInclusive<u32>),
    feeds: &Feeds,
) -> Result<Option<Vec<OutputItem>>, Error> {
    if output.digest.is_some() {
        return Ok(Some(digest::of_page(reader, output, number)?));
    }
    let Some(page) = reader.archive_page(&output.id, number)? else {
        return Ok(numbers.contains(&number).then(Vec::new));
    };
    let mut entries = reader.output_items(&page.items, feeds)?;
    let mut entries: Vec<OutputItem> =
        page.items.iter().filter_map(|key| entries.remove(key)).collect();
    if page.is_private && output.token.is_none() {
        let selector = Selector::new(output, Timestamp::MAX);
        entries.retain(|entry| selector.takes_item(entry));
    }
    entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
    complete(reader, output, &mut entries, feeds)?;
    // Items that led one story in turn have one id.
    let mut ids = HashSet::new();
    entries.retain(|entry| ids.insert(entry.outward_id.clone()));
    Ok(Some(entries))
}

/// Whether the database lacks the page although it has later ones: its row is lost.
pub(super) fn is_gap(
    reader: &Transaction<'_>,
    output: &Output,
    number: u32,
) -> Result<bool, Error> {
    Ok(output.digest.is_none() && reader.archive_page(&output.id, number)?.is_none())
}

/// Numbers of the pages that the database lacks between those that it has.
///
/// # Errors
/// When the store fails.
pub(super) fn missing_pages(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Vec<u32>, store::Error> {
    let newest = reader.growing_page(&output.id)?.map_or(0, |growing| growing.number);
    let (mut has_older, mut missing) = (false, Vec::new());
    for number in 1..newest {
        match reader.archive_page(&output.id, number)? {
            Some(_) => has_older = true,
            None if has_older => missing.push(number),
            // An archive that was read back begins with the oldest page that had a file.
            None => {}
        }
    }
    Ok(missing)
}

/// Renders and checks an archive page in these formats.
pub(super) fn rendered(
    output: &Output,
    formats: &[Format],
    page: Page,
    entries: &[OutputItem],
) -> Result<Vec<Rendered>, Error> {
    render::render_checked(output, formats, page, entries).map_err(|rejected| Error::Check {
        name: page.self_url(output, rejected.format),
        source: rejected.error,
    })
}

/// Renders and checks an archive page in one format, to be served.
///
/// # Errors
/// When the document does not pass the check.
pub(super) fn document(
    output: &Output,
    format: Format,
    page: Page,
    entries: &[OutputItem],
) -> Result<Option<Document>, Error> {
    let url = page.self_url(output, format);
    let bytes = rendered(output, &[format], page, entries)?.pop().map(|document| document.bytes);
    Ok(bytes.map(|bytes| {
        Document::prepare(format, bytes, None, MAX_AGE).with_effort(Effort::Fast).at(&url)
    }))
}

/// Whether the directory has the page in every format of the output.
pub(super) fn is_written(output: &Output, directory: &Path, number: u32) -> bool {
    let path = |format: &Format| directory.join(output.archive_name(number, *format));
    output.formats.iter().all(|format| path(format).exists())
}

/// The newest archive page that the subscription document may link to: of an output with a
/// directory one that was written there, so that no link leads to a page that is not there yet.
pub(super) fn announced(output: &Output, complete: &RangeInclusive<u32>) -> Option<u32> {
    match &output.directory {
        None => Some(*complete.end()).filter(|_| !complete.is_empty()),
        // Pages are written oldest first: those before it were written too.
        Some(directory) => {
            complete.clone().rev().find(|number| is_written(output, directory, *number))
        }
    }
}

/// Whether the directory has all complete pages.
pub(super) fn has_all_pages(
    output: &Output,
    directory: &Path,
    complete: &RangeInclusive<u32>,
) -> bool {
    complete.clone().all(|number| is_written(output, directory, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[i64]) -> Vec<ItemKey> {
        keys.iter().copied().map(ItemKey).collect()
    }

    fn arrivals(seen: i64) -> Arrivals {
        Arrivals { seen: ItemKey(seen), late: 1, ..Arrivals::default() }
    }

    #[test]
    fn a_full_page_is_left_alone_and_the_next_one_begins() {
        let page = |number, items: &[i64], seen, late| ArchivePage {
            number,
            items: keys(items),
            seen: ItemKey(seen),
            late,
            is_private: false,
        };
        let pages = grow(first(), 2, &keys(&[3, 4, 8, 7, 9]), &arrivals(12));
        assert_eq!(pages, [page(1, &[3, 4], 4, 0), page(2, &[8, 7], 8, 0), page(3, &[9], 12, 1)]);
        let again = grow(pages[2].clone(), 2, &[], &arrivals(20));
        assert_eq!(again, [page(3, &[9], 20, 1)]);
        let full = grow(pages[2].clone(), 2, &keys(&[21]), &arrivals(21));
        assert_eq!(full, [page(3, &[9, 21], 21, 1), page(4, &[], 21, 1)]);
    }
}
