//! How the files of an output and the database differ, for `newswire verify`, for the start of a process and for a pass of
//! `newswire poll`. Also files that are left in a folder after a change of the config, and outputs that were not written to
//! their folder yet.
//!
//! A pass of `newswire poll` that brought nothing does not render the documents to find out whether the files are what would
//! be written now. It compares one digest, the basis, with the one that the last pass stored. The daemon does not use it: it
//! needs the documents in memory.
//!
//! Newswire deletes no document: clients may still request it. But a document that is never written again looks to its
//! subscribers like a feed without news, so that the operator has to know of it.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use jiff::Timestamp;

use super::error::Error;
use super::files::{existing, is_written};
use super::recovery::{PublishedDocuments, RecoveryError, published_documents, written_pages};
use super::{archive, feed_list, site_manifest, static_site};
use crate::files;
use crate::model::ItemKey;
use crate::render::{self, Coding, Format, Output};
use crate::store::{self, OutputFolder, Transaction};
use crate::text::sha256::sha256;

/// Longest document that is looked at, in bytes.
const MAX_DOCUMENT: u64 = 1 << 30;

/// How an output differs from the database: documents in its directory that are missing, damaged or have other bytes than
/// were published last, ids that no item has, and archive pages that the database lacks. A daemon may publish meanwhile.
///
/// # Errors
/// When the database fails, or a document cannot be read.
pub fn differences(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Vec<String>, RecoveryError> {
    let lacks = |number: u32| {
        format!(
            "output {}: archive page {number} is not in the database; 'newswire restore --from-outputs' reads it back",
            output.id
        )
    };
    let mut found: Vec<String> =
        archive::missing_pages(reader, output)?.into_iter().map(lacks).collect();
    let Some(directory) = &output.directory else { return Ok(found) };
    if !was_written(reader, output)? {
        return Ok(found);
    }
    for format in &output.formats {
        let path = directory.join(output.file_name(*format));
        let Some(hash) = reader.document_hash(&output.id, format.extension())? else { continue };
        match fs::read(&path) {
            Ok(bytes) if sha256(&bytes) == hash => {}
            Ok(_) => found.push(format!("{} is not what was published last", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                found.push(format!("{} does not exist", path.display()));
            }
            Err(error) => return Err(RecoveryError::Read(path, error)),
        }
    }
    found.extend(missing_files(reader, output, directory)?);
    if output.token.is_none() {
        found.extend(feed_list::difference(directory));
    }
    let published = !reader.publication(&output.id)?.unwrap_or_default().is_empty();
    // What was never written is not damaged.
    let is_site = |folder: &PathBuf| output.site && published && site_manifest::exists(folder);
    if let Some(folder) = static_site::folder(output).filter(is_site) {
        let different = site_manifest::differences(&folder);
        found.extend(different.map_err(|error| RecoveryError::Read(folder, error))?);
    }
    let documents = match published_documents(output) {
        Err(error @ RecoveryError::Damaged { .. }) => {
            found.push(error.to_string());
            return Ok(found);
        }
        documents => documents?,
    };
    let Some(documents) = documents else { return Ok(found) };
    found.extend(damaged_pages(output, directory, &documents));
    let text = |id: &String| {
        format!("output {} has an item {id}, which is not in the database", output.id)
    };
    found.extend(unknown_ids(reader, output, &documents)?.iter().map(text));
    Ok(found)
}

/// The number of items in the documents of these outputs that are not in the database, as after the restore of an older copy.
///
/// # Errors
/// When the database fails, or a document cannot be read.
pub fn unknown_items(reader: &Transaction<'_>, outputs: &[Output]) -> Result<usize, RecoveryError> {
    let mut unknown: HashSet<String> = HashSet::new();
    for output in outputs {
        if let Some(documents) = published_documents(output)? {
            unknown.extend(unknown_ids(reader, output, &documents)?);
        }
    }
    Ok(unknown.len())
}

/// The files of archive pages that do not exist, in one line: there may be thousands.
fn missing_files(
    reader: &Transaction<'_>,
    output: &Output,
    directory: &Path,
) -> Result<Option<String>, RecoveryError> {
    let pages = archive::complete_pages(reader, output)?;
    let names = pages.flat_map(|number| {
        output.formats.iter().map(move |format| output.archive_name(number, *format))
    });
    let mut missing =
        names.map(|name| directory.join(name)).filter(|path| path.symlink_metadata().is_err());
    let Some(first) = missing.next() else { return Ok(None) };
    Ok(Some(match missing.count() {
        0 => format!("{} does not exist", first.display()),
        more => format!("{} and {more} more files of the archive do not exist", first.display()),
    }))
}

/// The damaged files of archive pages, which no publication writes again while they exist.
fn damaged_pages(output: &Output, directory: &Path, documents: &PublishedDocuments) -> Vec<String> {
    let folder = directory.join(&output.id);
    let pages = documents.damaged.iter().filter(|path| path.starts_with(&folder));
    let text = |path: &PathBuf| {
        format!("{} is damaged; move it away, and it is written again", path.display())
    };
    pages.map(text).collect()
}

/// The ids in the documents that no item of the database has.
fn unknown_ids(
    reader: &Transaction<'_>,
    output: &Output,
    documents: &PublishedDocuments,
) -> Result<Vec<String>, RecoveryError> {
    let (mut stories, mut digests) = (documents.stories.ids(), documents.digests.ids());
    let known = reader.items_with_ids(&output.id, &stories)?;
    let known: HashSet<String> = known.into_iter().map(|(id, _)| id).collect();
    stories.retain(|id| !known.contains(id));
    let closed = reader.digest_ids(&output.id)?;
    let closed: HashSet<String> = closed.into_iter().map(|(_, id)| id).collect();
    digests.retain(|id| !closed.contains(id));
    stories.append(&mut digests);
    Ok(stories)
}

/// A document with items of an output of which a database without items knows nothing; `None`: there is none. The first
/// publication would replace it, and its items would come again under other ids.
///
/// # Errors
/// When the database fails.
pub fn unknown_document(
    reader: &Transaction<'_>,
    outputs: &[Output],
) -> Result<Option<PathBuf>, store::Error> {
    if reader.newest_item()? > ItemKey(0) {
        return Ok(None);
    }
    for output in outputs {
        if !is_known(reader, output)?
            && let Some(path) = document_with_items(output)
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether the output was published from the database, or read back into it.
fn is_known(reader: &Transaction<'_>, output: &Output) -> Result<bool, store::Error> {
    for format in Format::ALL {
        if reader.document_hash(&output.id, format.extension())?.is_some() {
            return Ok(true);
        }
    }
    Ok(reader.registered_output(&output.id)?.is_some()
        || reader.growing_page(&output.id)?.is_some()
        || reader.digest_numbers(&output.id)?.is_some())
}

/// A document in the directory of the output that Newswire wrote and that has items, or a compressed one.
#[must_use]
pub fn document_with_items(output: &Output) -> Option<PathBuf> {
    let directory = output.directory.as_ref()?;
    let subscription = Format::ALL.iter().map(|format| (*format, output.file_name(*format)));
    let pages = written_pages(output, directory).unwrap_or_default();
    let archive = pages.iter().flat_map(|number| {
        Format::ALL.iter().map(move |format| (*format, output.archive_name(*number, *format)))
    });
    let mut files =
        subscription.chain(archive).map(|(format, name)| (format, directory.join(name)));
    files.find_map(|(format, path)| {
        let (path, coding) = existing(&path).next()?;
        has_own_items(format, &path, coding).then_some(path)
    })
}

/// Whether a file is a document of Newswire with items. It may be damaged; another program may have written it.
fn has_own_items(format: Format, path: &Path, coding: Coding) -> bool {
    // Not a pipe, which is never read to its end.
    let file = files::open_regular(path).and_then(|file| files::read_bounded(file, MAX_DOCUMENT));
    let Ok(Some(bytes)) = file else { return false };
    let Some(bytes) = coding.decode(&bytes, MAX_DOCUMENT as usize) else { return false };
    let text = String::from_utf8_lossy(&bytes);
    let is_own = |(head, _): (&str, &str)| head.contains("<generator>newswire</generator>");
    match format {
        Format::Atom => text.split_once("<entry").is_some_and(is_own),
        Format::Rss => text.split_once("<item>").is_some_and(is_own),
        Format::Json => {
            let items = text.split_once("\"items\"");
            items.is_some_and(|(_, items)| items.contains("\"_newswire\""))
        }
    }
}

/// The files of an output before a pass publishes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// Revision of the store.
    pub(super) revision: i64,
    /// Whether the files are what would be written now.
    pub(super) current: bool,
}

/// Looks at the files of an output.
///
/// # Errors
/// When the store fails.
pub(super) fn files_before(
    reader: &Transaction<'_>,
    output: &Output,
    now: Timestamp,
) -> Result<Before, Error> {
    let revision = reader.revision()?;
    let complete = archive::complete_pages(reader, output)?;
    let current = reader.has_basis(&output.id, &basis_digest(output, revision, &complete), now)?
        && static_site::is_current(output)
        && match output.directory.as_deref() {
            Some(directory) => {
                has_documents(reader, output, directory)?
                    && archive::has_all_pages(output, directory, &complete)
            }
            None => true,
        };
    Ok(Before { revision, current })
}

/// SHA-256 of all that the files of the output depend on. `revision` is that of the store before
/// anything was selected.
///
/// # Errors
/// When the store fails.
pub(super) fn basis(
    reader: &Transaction<'_>,
    output: &Output,
    revision: i64,
) -> Result<[u8; 32], Error> {
    Ok(basis_digest(output, revision, &archive::complete_pages(reader, output)?))
}

fn basis_digest(output: &Output, revision: i64, complete: &RangeInclusive<u32>) -> [u8; 32] {
    let announced = archive::announced(output, complete);
    sha256(format!("{:?}", (settings_digest(output), revision, announced)))
}

/// SHA-256 of all settings of an output and of the version that writes its files.
pub(super) fn settings_digest(output: &Output) -> [u8; 32] {
    let token = output.token.as_ref().map(render::Token::query);
    // `Debug` shows every setting of the output but the token.
    sha256(format!("{:?}", (env!("CARGO_PKG_VERSION"), output, token)))
}

/// Whether the directory has the documents that were published last, with their siblings.
fn has_documents(
    reader: &Transaction<'_>,
    output: &Output,
    directory: &Path,
) -> Result<bool, store::Error> {
    for format in &output.formats {
        let name = output.file_name(*format);
        let published = reader.document_hash(&output.id, format.extension())?;
        let there = std::fs::read(directory.join(&name)).ok();
        let same = there.is_some_and(|body| {
            published == Some(sha256(&body)) && is_written(directory, &name, &body)
        });
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Files of an output in a folder that no publication writes any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftFiles {
    /// Id of the output, which the config may not have any more.
    pub output: String,
    /// The folder.
    pub directory: PathBuf,
    /// Names of documents, and of folders with a slash at the end, below it.
    pub files: Vec<String>,
}

impl fmt::Display for LeftFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, directory, files } = self;
        let (files, directory) = (files.join(", "), directory.display());
        write!(f, "output {output} is no longer written to {directory}, which still has {files}")
    }
}

/// What to do about [`LeftFiles`].
pub const LEFT_FILES_REMEDY: &str = "delete these files, or let the web server redirect their URLs: subscribers see a feed without news";

/// The folders of all outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFolders {
    /// Those that are written to, and those with files that are left.
    pub folders: Vec<OutputFolder>,
    /// The files that are left.
    pub left: Vec<LeftFiles>,
}

/// The folders of these outputs, and those with files that are left of others or of other settings.
///
/// # Errors
/// When the database fails.
pub fn output_folders(
    reader: &Transaction<'_>,
    outputs: &[Output],
) -> Result<OutputFolders, store::Error> {
    let written = outputs.iter().filter_map(|output| Some((folder_of(output)?, Some(output))));
    let written: Vec<_> = written.collect();
    let mut former = reader.output_folders()?;
    let places: HashSet<_> = written.iter().map(|(folder, _)| place(folder)).collect();
    former.retain(|folder| !places.contains(&place(folder)));
    let (mut folders, mut left) = (Vec::new(), Vec::new());
    for (folder, output) in written.into_iter().chain(former.into_iter().map(|it| (it, None))) {
        let directory = PathBuf::from(&folder.path);
        let files = left_in(&directory, &folder.output, output);
        if !files.is_empty() {
            left.push(LeftFiles { output: folder.output.clone(), directory, files });
        } else if output.is_none() {
            continue;
        }
        folders.push(folder);
    }
    folders.sort_by(|a, b| (&a.output, &a.path).cmp(&(&b.output, &b.path)));
    Ok(OutputFolders { folders, left })
}

/// The folder that an output is written to.
pub(super) fn folder_of(output: &Output) -> Option<OutputFolder> {
    let path = std::path::absolute(output.directory.as_ref()?).ok()?;
    Some(OutputFolder { output: output.id.clone(), path: path.to_str()?.to_owned() })
}

/// An output and the folder itself, whatever path leads to it: its documents are not left there after a change of the
/// path.
fn place(folder: &OutputFolder) -> (String, PathBuf) {
    let path = Path::new(&folder.path);
    (folder.output.clone(), path.canonicalize().unwrap_or_else(|_| path.to_owned()))
}

/// The files of the output `id` in a folder that `output` does not write; `None`: it writes none there.
fn left_in(directory: &Path, id: &str, output: Option<&Output>) -> Vec<String> {
    let is_written = |format: &Format| output.is_some_and(|output| output.formats.contains(format));
    let mut files = Vec::new();
    let pages = directory.join(id);
    let mut has_pages = output.is_none() && site_manifest::exists(&pages);
    for format in Format::ALL.iter().filter(|format| !is_written(format)) {
        let name = format!("{id}.{}", format.extension());
        let own = |(path, coding): (PathBuf, _)| has_own_items(*format, &path, coding);
        if existing(&directory.join(&name)).any(own) {
            files.push(name);
        }
        let archived = has_pages_in(&pages.join("archive"), *format);
        match output {
            Some(_) if archived => files.push(format!("{id}/archive/*.{}", format.extension())),
            _ => has_pages |= archived,
        }
    }
    if has_pages {
        files.push(format!("{id}/"));
    }
    files
}

/// Whether a folder has an archive page in a format.
fn has_pages_in(archive: &Path, format: Format) -> bool {
    let Ok(entries) = std::fs::read_dir(archive) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('.'));
        parts.is_some_and(|(number, end)| {
            let extension = end.split('.').next();
            number.parse::<u32>().is_ok() && extension == Some(format.extension())
        })
    })
}

/// What the config says of an output that was not written yet: its documents in the directory, or its pages.
///
/// # Errors
/// When the database fails.
pub fn unwritten(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Option<String>, store::Error> {
    let (Some(directory), id) = (&output.directory, &output.id) else { return Ok(None) };
    let directory = directory.display();
    if !was_written(reader, output)? {
        return Ok(Some(format!("output {id} was not written to {directory} yet")));
    }
    let has_pages = static_site::folder(output).is_none_or(|it| site_manifest::exists(&it));
    let is_missing = output.site && !has_pages;
    Ok(is_missing.then(|| format!("the pages of output {id} were not written to {directory} yet")))
}

/// Whether the documents of an output were written to its directory.
fn was_written(reader: &Transaction<'_>, output: &Output) -> Result<bool, store::Error> {
    let Some(folder) = folder_of(output) else { return Ok(false) };
    let (place_of, folders) = (place(&folder), reader.output_folders()?);
    Ok(folders.contains(&folder) || folders.iter().any(|written| place(written) == place_of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Effort;

    #[test]
    fn only_documents_of_newswire_with_items_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("planet");
        let has_items = |format, text: &str| {
            Coding::ALL.iter().all(|coding| {
                fs::write(&path, coding.encode(text.as_bytes(), Effort::Fast)).unwrap();
                has_own_items(format, &path, *coding)
            })
        };
        let own = "<generator>newswire</generator>";
        assert!(has_items(Format::Atom, &format!("<feed>{own}<entry><id>1")));
        assert!(!has_items(Format::Atom, &format!("<feed>{own}</feed>")));
        let copied = format!("<feed><entry><source>{own}</source></entry></feed>");
        assert!(!has_items(Format::Atom, &copied), "another program merged the feed");
        assert!(has_items(Format::Rss, &format!("<rss><channel>{own}<item>")));
        assert!(!has_items(Format::Rss, "<rss><channel><generator>venus</generator><item>"));
        assert!(has_items(Format::Json, r#"{"items": [{"id": "1", "_newswire": {}"#));
        assert!(!has_items(Format::Json, r#"{"_newswire": {}, "items": [{"id": "1"}]}"#));
        assert!(!has_own_items(Format::Json, &folder.path().join("none"), Coding::Identity));
        fs::write(&path, "damaged").unwrap();
        assert!(!has_own_items(Format::Json, &path, Coding::Gzip));
    }
}
