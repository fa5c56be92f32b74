//! The archive pages of an output, RFC 5005 4: filled in order of arrival, rendered when requested,
//! and written to the output's directory once.

use std::cmp::Reverse;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use super::files::write_document;
use super::ids::{self, AssignedId};
use super::select::{BATCH, Batch, complete, feeds, feeds_taken};
use crate::model::{Entry, ItemKey};
use crate::render::{self, Document, Format, Output, Page, Selector};
use crate::store::{ArchivePage, Arrivals, Reader};

/// Freshness lifetime of an archive page: its items stay, only corrections would change it.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Number of arrivals that are looked at in one step.
const ARRIVALS: usize = 1024;

/// What one step adds to the archive.
pub(super) struct Growth {
    /// The pages that changed; the last one is the one that still grows.
    pub(super) pages: Vec<ArchivePage>,
    /// New id assignments for the items on them.
    pub(super) assigned: Vec<AssignedId>,
    /// Whether anything was looked at.
    pub(super) any: bool,
    /// Whether there is more to look at.
    pub(super) more: bool,
}

/// Puts the next arrivals on pages.
///
/// # Errors
/// When the store fails.
pub(super) fn next(reader: &Reader, output: &Output, now: Timestamp) -> Result<Growth, Error> {
    let growing = reader.growing_page(&output.id)?.unwrap_or_else(first);
    let arrivals = reader.arrivals(&growing, ARRIVALS)?;
    let selector = Selector::new(output, now);
    let shown = feeds_taken(reader, output)?;
    let mut taken = Vec::new();
    for heads in arrivals.heads.chunks(BATCH) {
        let batch = Batch::load(reader, heads, &shown)?;
        taken.extend(heads.iter().filter_map(|head| batch.completed(*head, &selector)));
    }
    let assigned = ids::to_assign(reader, &output.id, &taken, &shown)?;
    let pages = grow(growing, output.archive_page(), &taken, &arrivals);
    let (any, more) = (arrivals.count > 0, arrivals.count >= ARRIVALS);
    Ok(Growth { pages, assigned, any, more })
}

/// The page that an archive begins with.
pub(super) fn first() -> ArchivePage {
    ArchivePage { number: 1, items: Vec::new(), seen: ItemKey(0), late: 0 }
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

/// The numbers of the oldest and the newest page that are complete and have an item to show. Empty
/// where there is none.
///
/// # Errors
/// When the store fails.
pub(super) fn complete_pages(
    reader: &Reader,
    output: &Output,
) -> Result<RangeInclusive<u32>, Error> {
    let growing = reader.growing_page(&output.id)?;
    let oldest = reader.oldest_page(&output.id)?;
    Ok(oldest.unwrap_or(1)..=growing.map_or(0, |growing| growing.number - 1))
}

/// The archive page of this number.
pub(super) fn page(number: u32, complete: &RangeInclusive<u32>) -> Page {
    Page::Archive { number, newest: *complete.end(), oldest: *complete.start() }
}

/// The items of an archive page that can still be shown, newest first.
///
/// # Errors
/// When the store fails.
pub(super) fn entries(
    reader: &Reader,
    output: &Output,
    number: u32,
) -> Result<Option<Vec<Entry>>, Error> {
    let Some(page) = reader.archive_page(&output.id, number)? else { return Ok(None) };
    // Also items of feeds that the output no longer takes: an archive page keeps its items.
    let mut entries = reader.entries(&page.items, &feeds(reader, |_| true)?)?;
    let mut entries: Vec<Entry> = page.items.iter().filter_map(|key| entries.remove(key)).collect();
    entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
    complete(reader, output, &mut entries, &feeds_taken(reader, output)?)?;
    Ok(Some(entries))
}

/// Renders and checks an archive page.
///
/// # Errors
/// When the document does not pass the check.
pub(super) fn document(
    output: &Output,
    format: Format,
    page: Page,
    entries: &[Entry],
) -> Result<Document, Error> {
    let bytes = render::render_page(output, format, page, entries);
    if let Err(source) = render::check(output, format, &bytes, entries) {
        return Err(Error::Check { name: page.self_url(output, format), source });
    }
    Ok(Document::prepare(format, bytes, None, MAX_AGE).at(&page.self_url(output, format)))
}

/// Writes the archive pages that are not in the directory. Writes all of them where the newest one
/// would be different today: then the addresses have changed. That is checked unless `written`, the
/// newest page written before, is the newest one.
///
/// # Errors
/// When the store fails, a page does not pass the check, or a file cannot be written.
pub(super) fn write(
    reader: &Reader,
    output: &Output,
    directory: &Path,
    complete: &RangeInclusive<u32>,
    written: Option<u32>,
) -> Result<(), Error> {
    let newest = *complete.end();
    for &format in &output.formats {
        let path = |number| directory.join(output.archive_name(number, format));
        let mut anew = false;
        for number in complete.clone().rev() {
            let last = number + 1 >= newest && written != Some(newest);
            if !last && !anew && path(number).exists() {
                continue;
            }
            let Some(entries) = entries(reader, output, number)? else { continue };
            let document = document(output, format, page(number, complete), &entries)?;
            // The page before the newest gets a link to the newest: that alone does not count.
            let there = std::fs::read(path(number)).ok();
            anew |= number == newest && there.is_some_and(|there| there != document.body);
            let (folder, name) = (directory.join(&output.id).join("archive"), path(number));
            let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
            write_document(&folder, &name, &document)
                .map_err(|source| Error::Write { path: folder.join(&name), source })?;
        }
    }
    Ok(())
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
        };
        let pages = grow(first(), 2, &keys(&[3, 4, 8, 7, 9]), &arrivals(12));
        assert_eq!(pages, [page(1, &[3, 4], 4, 0), page(2, &[8, 7], 8, 0), page(3, &[9], 12, 1)]);
        let again = grow(pages[2].clone(), 2, &[], &arrivals(20));
        assert_eq!(again, [page(3, &[9], 20, 1)]);
        let full = grow(pages[2].clone(), 2, &keys(&[21]), &arrivals(21));
        assert_eq!(full, [page(3, &[9, 21], 21, 1), page(4, &[], 21, 1)]);
    }
}
