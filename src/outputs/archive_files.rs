//! The files of archive pages in the directory of an output: each written once, after the subscription documents.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::info;

use super::archive::{complete_pages, entries, is_gap, is_written, page, rendered};
use super::differences::{folder_of, settings_digest};
use super::error::Error;
use super::files::{holds, sibling};
use super::recovery::page_ids;
use super::select::feeds_taken;
use crate::files::Batch as Files;
use crate::model::{FeedInfo, FeedKey};
use crate::render::{self, Coding, Effort, Format, Output, Rendered};
use crate::store::{self, Reader, Transaction};
use crate::text::sha256::sha256;

/// Number of pages that are written at once, and made durable together.
const AT_ONCE: usize = 16;

/// The folder of the archive pages of an output.
fn folder(output: &Output, directory: &Path) -> PathBuf {
    directory.join(&output.id).join("archive")
}

/// Whether the directory has the page in any format.
fn has_file(output: &Output, directory: &Path, number: u32) -> bool {
    let path = |format: &Format| directory.join(output.archive_name(number, *format));
    Format::ALL.iter().any(|format| path(format).exists())
}

/// The items of an archive page in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stories,
    Digests,
}

impl Kind {
    /// What the output publishes.
    fn of(output: &Output) -> Self {
        if output.digest.is_some() { Self::Digests } else { Self::Stories }
    }
}

/// What was found in the directory of an output that publishes `wanted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    wanted: Kind,
    archive: Kind,
}

/// Writes the archive pages of one output to its directory, some at a time.
///
/// Each page is written once: when it is complete. The newest page is written again when the next
/// one is complete, to link to it. All pages are written again where the newest one would be
/// different today, which is looked at once, and where the settings of the output have changed. Pages with the stories of a
/// feed are written again when it leaves the output or returns, and when it gets another title.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Number of the newest page when the directory was last looked at; `None`: never.
    newest: Option<u32>,
    /// Number of the oldest page when older ones were last removed; `None`: never.
    oldest: Option<u32>,
    /// Number of the oldest digest when its page was last looked at; `None`: never.
    oldest_digest: Option<u32>,
    /// The kind of the pages in the directory when it was first looked at; `None`: never.
    found: Option<Found>,
    /// Pages still to be written.
    waiting: BTreeSet<u32>,
    /// What the pages are written from once none waits; `None`: never looked at.
    basis: Option<Basis>,
    /// The same as the database has it; `None`: unknown.
    stored_basis: Option<Basis>,
}

/// What all archive pages of an output are written from, other than the items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Basis {
    /// SHA-256 of the settings of the output.
    settings: [u8; 32],
    /// The feeds that it takes, with a digest of what pages show of them.
    feeds: BTreeMap<FeedKey, u64>,
}

impl Basis {
    fn of(reader: &Transaction<'_>, output: &Output) -> Result<Self, Error> {
        let mut feeds = BTreeMap::new();
        // A digest keeps its text, whatever becomes of its feeds.
        if output.digest.is_none() {
            let taken = feeds_taken(reader, output)?.into_values();
            feeds.extend(taken.map(|feed| (feed.key, shown_of(&feed))));
        }
        Ok(Self { settings: settings_digest(output), feeds })
    }

    /// The feeds that only one of the two has, and those that pages show differently.
    fn other_feeds(&self, other: &Self) -> Vec<FeedKey> {
        let differs = |feed: &&FeedKey| self.feeds.get(feed) != other.feeds.get(feed);
        let all: BTreeSet<&FeedKey> = self.feeds.keys().chain(other.feeds.keys()).collect();
        all.into_iter().filter(differs).copied().collect()
    }
}

/// Digest of what pages show of a feed.
fn shown_of(feed: &FeedInfo) -> u64 {
    let digest = sha256(format!("{:?}", (&feed.id, &feed.url, &feed.title, &feed.tags)));
    u64::from_le_bytes(std::array::from_fn(|at| digest[at]))
}

impl Writer {
    /// Writes the next pages, a bounded number. Returns how many; 0: all pages are in the directory, or it has those of
    /// the other kind.
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
        if self.has_other_kind(reader, output, directory)? {
            return Ok(0);
        }
        let complete = reader.read(|reader| complete_pages(reader, output))?;
        self.look(reader, output, directory, &complete)?;
        self.remove_expired(output, directory, &complete)?;
        self.look_at_oldest(reader, output, directory, &complete)?;
        self.look_at_basis(reader, output, &complete)?;
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
        if self.has_other_kind(reader, output, directory)? {
            return Ok(0);
        }
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
        // Before pages are written: otherwise those of feeds that are new would be rendered twice.
        self.look_at_basis(reader, output, &complete)?;
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
        let folder = folder(output, directory);
        let failed = |source| Error::Write { path: folder.clone(), source };
        let feeds = reader.read(|reader| feeds_taken(reader, output))?;
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
                if !is_there(&folder, &name, &bytes) {
                    add(&mut files, &name, &bytes).map_err(failed)?;
                }
            }
        }
        if written > 0 {
            files.commit().map_err(failed)?;
        }
        self.waiting.retain(|number| !numbers.contains(number));
        Ok(written)
    }

    /// Whether the directory has pages of the other kind, because the output has changed from stories to digests or back.
    /// Both kinds have the same file names. Until the other kind is removed, no page is written, and no document links to the
    /// archive.
    ///
    /// # Errors
    /// When the store fails, or the folder cannot be read.
    pub(super) fn has_other_kind(
        &mut self,
        reader: &Reader,
        output: &Output,
        directory: &Path,
    ) -> Result<bool, Error> {
        let wanted = Kind::of(output);
        if let Some(found) = self.found.filter(|found| found.wanted == wanted) {
            return Ok(found.archive != wanted);
        }
        let pages = page_files(&folder(output, directory))?;
        // The newest page that the database knows shows the kind of all, unless a change was interrupted.
        let archive = reader.read(|reader| {
            for number in pages.keys().rev() {
                if let Known::As(kind) = known(reader, output, (directory, *number))? {
                    return Ok(kind);
                }
            }
            Ok::<_, Error>(wanted)
        })?;
        *self = Self { found: Some(Found { wanted, archive }), ..Self::default() };
        Ok(archive != wanted)
    }

    /// Removes the pages of the other kind, to be called when no published document leads to them any more. Those that
    /// the database does not know stay: `newswire restore --from-outputs` can read them back.
    ///
    /// # Errors
    /// When the store fails, or a file cannot be read or removed.
    pub(super) fn remove_other_kind(
        &mut self,
        reader: &Reader,
        output: &Output,
        directory: &Path,
    ) -> Result<(), Error> {
        if !self.has_other_kind(reader, output, directory)? {
            return Ok(());
        }
        let wanted = Kind::of(output);
        let mut removed = 0;
        for (number, files) in page_files(&folder(output, directory))? {
            let page = reader.read(|reader| known(reader, output, (directory, number)))?;
            if page != Known::No && page != Known::As(wanted) {
                remove(files)?;
                removed += 1;
            }
        }
        info!(output = output.id, pages = removed, "archive replaced after a change of digest");
        self.found = Some(Found { wanted, archive: wanted });
        Ok(())
    }

    /// Looks whether the oldest page has a digest whose text was deleted, so that it has to be written again: the page of the
    /// digest is removed too.
    fn look_at_oldest(
        &mut self,
        reader: &Reader,
        output: &Output,
        directory: &Path,
        complete: &RangeInclusive<u32>,
    ) -> Result<(), Error> {
        let (Some(_), page) = (output.digest, *complete.start()) else { return Ok(()) };
        let digests = reader.read(|reader| reader.digest_numbers(&output.id))?;
        let oldest = digests.map(|(oldest, _)| oldest);
        if oldest == self.oldest_digest || !complete.contains(&page) {
            return Ok(());
        }
        if !is_current(reader, output, directory, page, complete)? {
            self.waiting.insert(page);
        }
        self.oldest_digest = oldest;
        Ok(())
    }

    /// Looks which pages were written from other settings or feeds.
    fn look_at_basis(
        &mut self,
        reader: &Reader,
        output: &Output,
        complete: &RangeInclusive<u32>,
    ) -> Result<(), Error> {
        let Some(folder) = folder_of(output) else { return Ok(()) };
        let first_look = self.basis.is_none();
        let (basis, stored, pages) = reader.read(|reader| {
            let basis = Basis::of(reader, output)?;
            let stored = if first_look { reader.archive_basis(&folder)? } else { None };
            let stored: Option<Basis> = stored.and_then(|text| serde_json::from_str(&text).ok());
            let pages = match self.basis.as_ref().or(stored.as_ref()) {
                Some(before) if before.settings != basis.settings => complete.clone().collect(),
                Some(before) if *before != basis => {
                    reader.pages_with_feeds(&output.id, &basis.other_feeds(before))?
                }
                _ => Vec::new(),
            };
            Ok::<_, Error>((basis, stored, pages))
        })?;
        self.basis = Some(basis);
        self.stored_basis = stored.or_else(|| self.stored_basis.take());
        self.waiting.extend(pages.into_iter().filter(|number| complete.contains(number)));
        Ok(())
    }

    /// What the pages were written from, to be stored; `None`: the database has it, or pages that were written from
    /// something else still wait. Of pages that were never looked at, or read back, nothing is known: they are taken as
    /// they are.
    pub(super) fn new_basis(&mut self) -> Option<String> {
        let is_known = self.stored_basis.is_some();
        if self.stored_basis == self.basis || (is_known && !self.waiting.is_empty()) {
            return None;
        }
        self.stored_basis.clone_from(&self.basis);
        serde_json::to_string(self.basis.as_ref()?).ok()
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
        let folder = folder(output, directory);
        let mut expired = page_files(&folder)?;
        expired.retain(|number, _| *number < oldest);
        let any = !expired.is_empty();
        remove(expired.into_values().flatten())?;
        if any && complete.contains(&oldest) {
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
        // A file with this number is not of this archive.
        let is_new = |number: &u32| self.newest.is_some_and(|newest| *number > newest);
        self.waiting.extend(complete.clone().filter(is_new));
        // Written when it was the newest: without a link to the one after it.
        self.waiting.extend(last.filter(|last| complete.contains(last) && last < complete.end()));
        last
    }
}

/// Whether the directory has archive pages of the other kind. An error is met again when pages are written.
pub(super) fn has_other_archive(writer: &Mutex<Writer>, reader: &Reader, output: &Output) -> bool {
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = output.directory.as_deref();
    directory.is_some_and(|to| writer.has_other_kind(reader, output, to).unwrap_or(false))
}

/// What the database knows of an archive page in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All of its items.
    As(Kind),
    /// It has no items.
    Empty,
    /// Not all of its items, or it cannot be read.
    No,
}

fn known(
    reader: &Transaction<'_>,
    output: &Output,
    (directory, number): (&Path, u32),
) -> Result<Known, store::Error> {
    let ids = match page_ids(output, directory, number) {
        None => return Ok(Known::No),
        Some(ids) if ids.is_empty() => return Ok(Known::Empty),
        Some(ids) => ids,
    };
    let has_all = |known: HashSet<String>| ids.iter().all(|id| known.contains(id));
    let stories = reader.items_with_ids(&output.id, &ids)?;
    if has_all(stories.into_iter().map(|(id, _)| id).collect()) {
        return Ok(Known::As(Kind::Stories));
    }
    let digests = reader.digest_ids(&output.id)?;
    let are_digests = has_all(digests.into_iter().map(|(_, id)| id).collect());
    Ok(if are_digests { Known::As(Kind::Digests) } else { Known::No })
}

/// The files of the archive pages in a folder, with their siblings, by the number of the page.
fn page_files(folder: &Path) -> Result<BTreeMap<u32, Vec<PathBuf>>, Error> {
    let failed = |source| Error::Write { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files: BTreeMap<u32, Vec<PathBuf>> = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.split('.').next().and_then(|number| number.parse().ok());
        if let Some(number) = number {
            files.entry(number).or_default().push(path);
        }
    }
    Ok(files)
}

fn remove(files: impl IntoIterator<Item = PathBuf>) -> Result<(), Error> {
    for path in files {
        std::fs::remove_file(&path).map_err(|source| Error::Write { path, source })?;
    }
    Ok(())
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
        let feeds = feeds_taken(reader, output)?;
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

/// Whether the folder has the page and its gzip sibling as they would be written: its date stays then.
fn is_there(folder: &Path, name: &str, bytes: &[u8]) -> bool {
    [Coding::Identity, Coding::Gzip].iter().all(|coding| holds(folder, name, *coding, bytes))
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

    #[test]
    fn a_page_that_becomes_complete_while_another_waits_is_written_too() {
        let mut writer = Writer { newest: Some(4), waiting: [3].into(), ..Writer::default() };
        assert_eq!(writer.await_missing(&(1..=5), |number| number <= 4), Some(4));
        assert_eq!(writer.waiting, [3, 4, 5].into());
        let mut writer = Writer::default();
        assert_eq!(writer.await_missing(&(1..=5), |number| number != 5 && number != 2), Some(4));
        assert_eq!(writer.waiting, [2, 4, 5].into());
        // A file of another archive that was kept has the number.
        let mut writer = Writer { newest: Some(0), ..Writer::default() };
        writer.await_missing(&(1..=1), |_| true);
        assert_eq!(writer.waiting, [1].into());
    }
}
