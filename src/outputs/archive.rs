//! The archive pages of an output, RFC 5005 4: filled in order of arrival, rendered when requested,
//! and written to the output's directory once, after the subscription documents.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::digest;
use super::error::Error;
use super::files::sibling;
use super::ids::{self, AssignedId, Lead};
use super::select::{BATCH, Feeds, Taken, complete, feeds, feeds_taken};
use crate::files::Batch as Files;
use crate::model::{ItemKey, OutputItem};
use crate::render::{
    self, Coding, Document, Effort, Format, Output, Page, PreviousPublication, Rendered, Selector,
};
use crate::store::{self, ArchivePage, Arrivals, Reader, Transaction};

/// Freshness lifetime of an archive page: its items stay, only corrections would change it.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Number of pages that are written at once, and made durable together.
const AT_ONCE: usize = 16;
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
    let pages = grow(growing, output.archive_page(), &keys(&leads), &arrivals);
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
    let pages = grow(growing, output.archive_page(), &keys(&joined), &passed);
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
    let following = ArchivePage { number: growing.number + 1, items: Vec::new(), ..growing };
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

/// Feeds by their row: all that are configured, and those that the output takes.
pub(super) struct PageFeeds {
    all: Feeds,
    taken: Feeds,
}

impl PageFeeds {
    /// Reads them.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn load(reader: &Transaction<'_>, output: &Output) -> Result<Self, Error> {
        let all = feeds(reader, |_| true)?;
        let selector = Selector::new(output, Timestamp::MAX);
        let mut taken = all.clone();
        taken.retain(|_, feed| selector.takes_feed(&feed.id, &feed.tags));
        Ok(Self { all, taken })
    }
}

/// The items of an archive page that can still be shown, newest first; `None`: there is no such page. A page that the
/// database lacks between others is empty, so that the links from page to page lead through the whole archive.
///
/// # Errors
/// When the store fails.
pub(super) fn entries(
    reader: &Transaction<'_>,
    output: &Output,
    (number, numbers): (u32, &RangeInclusive<u32>),
    feeds: &PageFeeds,
) -> Result<Option<Vec<OutputItem>>, Error> {
    if output.digest.is_some() {
        return Ok(Some(digest::of_page(reader, output, number)?));
    }
    let Some(page) = reader.archive_page(&output.id, number)? else {
        return Ok(numbers.contains(&number).then(Vec::new));
    };
    // Also items of feeds that the output no longer takes: an archive page keeps its items.
    let mut entries = reader.output_items(&page.items, &feeds.all)?;
    let mut entries: Vec<OutputItem> =
        page.items.iter().filter_map(|key| entries.remove(key)).collect();
    entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
    complete(reader, output, &mut entries, &feeds.taken)?;
    // Items that led one story in turn have one id.
    let mut ids = HashSet::new();
    entries.retain(|entry| ids.insert(entry.outward_id.clone()));
    Ok(Some(entries))
}

/// Whether the database lacks the page although it has later ones: its row is lost.
fn is_gap(reader: &Transaction<'_>, output: &Output, number: u32) -> Result<bool, Error> {
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
fn rendered(
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
fn is_written(output: &Output, directory: &Path, number: u32) -> bool {
    let path = |format: &Format| directory.join(output.archive_name(number, *format));
    output.formats.iter().all(|format| path(format).exists())
}

/// Whether the directory has the page in any format.
fn has_file(output: &Output, directory: &Path, number: u32) -> bool {
    let path = |format: &Format| directory.join(output.archive_name(number, *format));
    Format::ALL.iter().any(|format| path(format).exists())
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

/// Writes the archive pages of one output to its directory, some at a time.
///
/// Each page is written once: when it is complete. The newest page is written again when the next
/// one is complete, to link to it. All pages are written again where the newest one would be
/// different today, which is looked at once: then the addresses or the look have changed.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Number of the newest page when the directory was last looked at; `None`: never.
    newest: Option<u32>,
    /// Number of the oldest page when older ones were last removed; `None`: never.
    oldest: Option<u32>,
    /// Pages still to be written.
    waiting: BTreeSet<u32>,
}

impl Writer {
    /// Writes the next pages, a bounded number. Returns how many; 0: all pages are in the directory.
    ///
    /// # Errors
    /// When the store fails, a page does not pass the check, or a file cannot be written. What could
    /// not be written is tried again by the next call.
    pub(super) fn write(
        &mut self,
        reader: &Reader,
        output: &Output,
        directory: &Path,
    ) -> Result<usize, Error> {
        let complete = reader.read(|reader| complete_pages(reader, output))?;
        self.look(reader, output, directory, &complete)?;
        self.remove_expired(output, directory, &complete)?;
        loop {
            let numbers: Vec<u32> = self.waiting.iter().copied().take(AT_ONCE).collect();
            let written = self.write_pages(reader, output, (directory, &complete), &numbers)?;
            // There may be nothing to write of these pages, and still of those after them.
            if written > 0 || self.waiting.is_empty() {
                return Ok(written);
            }
        }
    }

    /// Writes the pages that became complete since the last publication, before it is replaced: what leaves the
    /// subscription document is in the archive then (RFC 5005 4). An output that is new in its directory, and one that
    /// lacks more pages than are written at once, is published first.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(super) fn write_before(
        &mut self,
        reader: &Reader,
        output: &Output,
        directory: &Path,
    ) -> Result<usize, Error> {
        let published = |format: &Format| directory.join(output.file_name(*format)).exists();
        if !output.formats.iter().any(published) {
            return Ok(0);
        }
        let complete = reader.read(|reader| complete_pages(reader, output))?;
        // Nearly always: no page became complete. The call after the publication looks at all pages.
        if self.waiting.is_empty() && self.newest == Some(*complete.end()) {
            return Ok(0);
        }
        self.look(reader, output, directory, &complete)?;
        let missing = |number: &u32| !is_written(output, directory, *number);
        let numbers: Vec<u32> = self.waiting.iter().copied().filter(missing).collect();
        if numbers.len() > AT_ONCE {
            return Ok(0);
        }
        self.write_pages(reader, output, (directory, &complete), &numbers)
    }

    /// Writes these pages, which no longer wait then. Returns how many had to be written.
    fn write_pages(
        &mut self,
        reader: &Reader,
        output: &Output,
        (directory, complete): (&Path, &RangeInclusive<u32>),
        numbers: &[u32],
    ) -> Result<usize, Error> {
        if numbers.is_empty() {
            return Ok(0);
        }
        let folder = directory.join(&output.id).join("archive");
        let failed = |source| Error::Write { path: folder.clone(), source };
        let feeds = reader.read(|reader| PageFeeds::load(reader, output))?;
        let (mut files, mut written) = (Files::new(&folder), 0);
        for &number in numbers {
            let (entries, is_gap) = reader.read(|reader| {
                let entries = entries(reader, output, (number, complete), &feeds)?;
                Ok::<_, Error>((entries, is_gap(reader, output, number)?))
            })?;
            // The files of a page that the database lacks are all that is left of it: they can be read back.
            let is_kept = is_gap && has_file(output, directory, number);
            let Some(entries) = entries.filter(|_| !is_kept) else { continue };
            let page = page(number, complete);
            written += 1;
            for Rendered { format, bytes } in rendered(output, &output.formats, page, &entries)? {
                let name = format!("{number}.{}", format.extension());
                add(&mut files, &name, &bytes).map_err(failed)?;
            }
        }
        if written > 0 {
            files.commit().map_err(failed)?;
        }
        self.waiting.retain(|number| !numbers.contains(number));
        Ok(written)
    }

    /// Looks which pages have to be written, unless they are known.
    fn look(
        &mut self,
        reader: &Reader,
        output: &Output,
        directory: &Path,
        complete: &RangeInclusive<u32>,
    ) -> Result<(), Error> {
        // A page may have expired while it waited.
        self.waiting.retain(|number| complete.contains(number));
        if self.newest == Some(*complete.end()) && !self.waiting.is_empty() {
            return Ok(());
        }
        let first_look = self.newest.is_none();
        let last = self.await_missing(complete, |number| is_written(output, directory, number));
        if let Some(last) = last.filter(|_| first_look)
            && !is_current(reader, output, directory, last, complete)?
        {
            self.waiting.extend(complete.clone());
        }
        self.newest = Some(*complete.end());
        Ok(())
    }

    /// Removes the pages whose texts are all past retention. The oldest one that is left is written again: it may have such
    /// texts too, and links to a page that was removed.
    fn remove_expired(
        &mut self,
        output: &Output,
        directory: &Path,
        complete: &RangeInclusive<u32>,
    ) -> Result<(), Error> {
        let oldest = *complete.start();
        if oldest == 1 || self.oldest == Some(oldest) {
            return Ok(());
        }
        let folder = directory.join(&output.id).join("archive");
        let expired = expired_files(&folder, oldest)
            .map_err(|source| Error::Write { path: folder.clone(), source })?;
        for path in &expired {
            std::fs::remove_file(path)
                .map_err(|source| Error::Write { path: path.clone(), source })?;
        }
        if !expired.is_empty() && complete.contains(&oldest) {
            self.waiting.insert(oldest);
        }
        self.oldest = Some(oldest);
        Ok(())
    }

    /// Adds the pages that are not written, and the one that was the newest until now, which it returns. Those that wait
    /// already continue to wait: a page may become complete while an older one waits to be written again.
    fn await_missing(
        &mut self,
        complete: &RangeInclusive<u32>,
        written: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let last = self.newest.or_else(|| complete.clone().rev().find(|number| written(*number)));
        self.waiting.extend(complete.clone().filter(|number| !written(*number)));
        // Written when it was the newest: without a link to the one after it.
        self.waiting.extend(last.filter(|last| complete.contains(last) && last < complete.end()));
        last
    }
}

/// The files of pages before the oldest one, with their siblings.
fn expired_files(folder: &Path, oldest: u32) -> io::Result<Vec<PathBuf>> {
    let files = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let paths = files.map(|file| file.map(|file| file.path())).collect::<Result<Vec<_>, _>>()?;
    let is_expired = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.split('.').next().and_then(|number| number.parse::<u32>().ok());
        number.is_some_and(|number| number < oldest)
    };
    Ok(paths.into_iter().filter(is_expired).collect())
}

/// Whether the page in the directory is what would be written today, with or without a link to the
/// page after it. Compares one format: addresses and look are the same in all.
fn is_current(
    reader: &Reader,
    output: &Output,
    directory: &Path,
    number: u32,
    complete: &RangeInclusive<u32>,
) -> Result<bool, Error> {
    let entries = reader.read(|reader| {
        // The files of a page that the database lacks stay as they are.
        if is_gap(reader, output, number)? {
            return Ok(None);
        }
        let feeds = PageFeeds::load(reader, output)?;
        entries(reader, output, (number, complete), &feeds)
    })?;
    let (Some(format), Some(entries)) = (output.formats.first(), entries) else { return Ok(true) };
    let path = directory.join(output.archive_name(number, *format));
    let Ok(there) = std::fs::read(path) else { return Ok(false) };
    let same = |newest| {
        let page = page(number, &(*complete.start()..=newest));
        render::render_page(output, *format, page, &entries) == there
    };
    Ok(same(*complete.end()) || (number < *complete.end() && same(number)))
}

/// Adds a page and its gzip sibling. An archive page is requested rarely and by few clients: the
/// other codings would cost more than they save.
fn add(files: &mut Files, name: &str, bytes: &[u8]) -> io::Result<()> {
    files.add(&sibling(name, Coding::Gzip), &Coding::Gzip.encode(bytes, Effort::Fast), None)?;
    files.add(name, bytes, None)?;
    // Written by an earlier version: it must not be older than the page.
    for coding in [Coding::Brotli, Coding::Zstd] {
        files.remove(&sibling(name, coding));
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
    fn a_page_that_becomes_complete_while_another_waits_is_written_too() {
        let mut writer = Writer { newest: Some(4), oldest: None, waiting: [3].into() };
        assert_eq!(writer.await_missing(&(1..=5), |number| number <= 4), Some(4));
        assert_eq!(writer.waiting, [3, 4, 5].into());
        let mut writer = Writer::default();
        assert_eq!(writer.await_missing(&(1..=5), |number| number != 5 && number != 2), Some(4));
        assert_eq!(writer.waiting, [2, 4, 5].into());
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
