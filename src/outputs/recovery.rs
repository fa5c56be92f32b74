//! Reads back what an output published into its directory, for `newswire restore --from-outputs` and
//! `newswire verify`.
//!
//! Each document is read in the first format that is whole, in the order JSON, Atom, RSS: JSON names the feed of every
//! item. Titles lose the prefix of the output, and texts the line that names other feeds, so that neither is published
//! twice.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;
use url::Url;

use super::files::existing;
use crate::model::{Failure, FailureKind, ItemKey, Link, ParsedItem};
use crate::parse;
use crate::render::{self, AlsoAt, Coding, Format, Output, also_at_starts};
use crate::store;

/// Longest document that is read from a compressed file, in bytes.
const MAX_DOCUMENT: usize = 1 << 30;
/// Largest number of a story that is read back: larger ones are not exact in every reader of JSON.
const MAX_NUMBER: i64 = 1 << 53;
/// Largest number of an archive page that is read back. Pages that are missing before it are listed.
const MAX_PAGE: u32 = 1_000_000;

/// What an output published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedDocuments {
    /// The id of its feed, which only Atom has; `None`: no Atom document with it was found.
    pub id: Option<String>,
    /// Documents with stories.
    pub stories: PublishedItems,
    /// Documents with digests. Those of both kinds are there until the first publication after a change of `digest`.
    pub digests: PublishedItems,
    /// Damaged files of documents that another format has whole.
    pub damaged: Vec<PathBuf>,
}

/// The items of the documents of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedItems {
    /// Items of the complete archive pages, by the number of the page.
    pub archive: Vec<(u32, Vec<PublishedItem>)>,
    /// Items of the subscription document.
    pub current: Vec<PublishedItem>,
    /// Numbers of the archive pages without a file that are between others, or that another document links to.
    pub missing: Vec<u32>,
}

impl PublishedItems {
    /// The items of each document, the subscription document first: its texts are the newest.
    pub fn lists(&self) -> impl Iterator<Item = &Vec<PublishedItem>> {
        [&self.current].into_iter().chain(self.archive.iter().map(|(_, items)| items))
    }

    /// The ids of all items, each once, in their order.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let ids: BTreeSet<&String> = self.lists().flatten().map(|item| &item.id).collect();
        ids.into_iter().cloned().collect()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists().all(Vec::is_empty)
    }
}

/// An item as a published document has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedItem {
    /// Its id in the output.
    pub id: String,
    /// URL of the feed that it is attributed to; `None`: the document names none.
    pub feed_url: Option<String>,
    /// Title of that feed.
    pub feed_title: Option<String>,
    /// Its number in the names of pages; `None`: the document does not have it, as Atom and RSS.
    pub number: Option<ItemKey>,
    /// Whether it is a digest of the output.
    pub is_digest: bool,
    /// The item, as any document of a publisher is parsed.
    pub item: ParsedItem,
}

/// Why the documents of an output cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// A file or folder cannot be read.
    #[error("failed to read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// All files of a document are damaged.
    #[error("cannot read the published document in {}: {failure}", names(.files))]
    Damaged {
        /// The files, one for each format that there is.
        files: Vec<PathBuf>,
        /// What is wrong with the first of them.
        failure: Box<Failure>,
    },
    /// Reading the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

crate::model::codes! {
    RecoveryError:
    Self::Read(..) => "file_unreadable": "run the command as a user who can read the directory of the output",
    Self::Damaged { files, .. } => "published_document_damaged": match files.len() {
        1 => "replace the file with a whole copy, or move it away, then repeat the command",
        _ => "replace one of the files with a whole copy, or move all of them away, then repeat the command",
    },
    ;
    Self::Store(error) => error,
}

/// Paths in one line.
fn names(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Reads the documents that `output` wrote into its directory; `None`: it wrote none.
///
/// # Errors
/// See [`RecoveryError`].
pub fn published_documents(output: &Output) -> Result<Option<PublishedDocuments>, RecoveryError> {
    let Some(directory) = &output.directory else { return Ok(None) };
    let mut damaged = Vec::new();
    let mut of_kind = [Collected::default(), Collected::default()];
    let subscription = |format| directory.join(output.file_name(format));
    let kind = |document: &WholeDocument| {
        usize::from(document.has_digests().unwrap_or(output.digest.is_some()))
    };
    let current = first_whole(output, subscription, &mut damaged)?;
    let mut any = current.is_some();
    if let Some(document) = current {
        let found = &mut of_kind[kind(&document)];
        found.linked.extend(document.older);
        found.items.current = document.items;
    }
    for number in written_pages(output, directory)? {
        let path = |format| directory.join(output.archive_name(number, format));
        if let Some(page) = first_whole(output, path, &mut damaged)? {
            any = true;
            let found = &mut of_kind[kind(&page)];
            found.linked.extend(page.older);
            found.items.archive.push((number, page.items));
        }
    }
    if !any {
        return Ok(None);
    }
    let id = published_id(output)?;
    let atom = subscription(Format::Atom);
    if id.is_none() && atom.exists() && !damaged.contains(&atom) {
        damaged.push(atom);
    }
    let [stories, digests] = of_kind.map(Collected::finish);
    Ok(Some(PublishedDocuments { id, stories, digests, damaged }))
}

/// The documents of one kind, while they are read.
#[derive(Default)]
struct Collected {
    items: PublishedItems,
    /// Numbers of the archive pages that they link to.
    linked: BTreeSet<u32>,
}

impl Collected {
    fn finish(self) -> PublishedItems {
        let missing = missing_pages(&self.items.archive, &self.linked);
        PublishedItems { missing, ..self.items }
    }
}

/// The ids of the items on an archive page in the directory; `None`: it cannot be read, or is damaged.
pub(super) fn page_ids(output: &Output, directory: &Path, number: u32) -> Option<Vec<String>> {
    let path = |format| directory.join(output.archive_name(number, format));
    let page = first_whole(output, path, &mut Vec::new()).ok().flatten()?;
    Some(page.items.into_iter().map(|item| item.id).collect())
}

/// The id of the feed in the Atom documents of the output; `None`: it has none in a directory.
///
/// # Errors
/// See [`RecoveryError`].
pub fn published_id(output: &Output) -> Result<Option<String>, RecoveryError> {
    let Some(directory) = &output.directory else { return Ok(None) };
    // Also of a document that was cut: the id comes before the items.
    let id = |name: String| -> Result<Option<String>, RecoveryError> {
        let file = existing(&directory.join(name)).next();
        let bytes = file.map(|(path, coding)| read((&path, coding)));
        let Some(bytes) = bytes.transpose()?.flatten() else { return Ok(None) };
        Ok(parse_document(output, Format::Atom, &bytes).ok().and_then(|parsed| parsed.feed.id))
    };
    if let Some(id) = id(output.file_name(Format::Atom))? {
        return Ok(Some(id));
    }
    // Archive pages have the id of the feed (RFC 5005 4).
    for number in written_pages(output, directory)?.into_iter().rev() {
        if let Some(id) = id(output.archive_name(number, Format::Atom))? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The numbers of the archive pages that the directory has in any format.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn written_pages(
    output: &Output,
    directory: &Path,
) -> Result<BTreeSet<u32>, RecoveryError> {
    let folder = directory.join(&output.id).join("archive");
    let failed = |error| RecoveryError::Read(folder.clone(), error);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries.map_err(failed)?,
    };
    let mut numbers = BTreeSet::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let Some((number, extension)) = name.to_str().and_then(|name| name.split_once('.')) else {
            continue;
        };
        // A compressed file has a second extension.
        let extension = extension.split('.').next().unwrap_or_default();
        if Format::from_extension(extension).is_some() {
            numbers.extend(page_number(number));
        }
    }
    Ok(numbers)
}

/// The largest number of a story page in the directory; 0: it has no story page.
#[must_use]
pub fn newest_story_page(output: &Output) -> i64 {
    let Some(directory) = &output.directory else { return 0 };
    let entries = fs::read_dir(directory.join(&output.id).join("story")).into_iter().flatten();
    let number = |entry: io::Result<fs::DirEntry>| {
        let name = entry.ok()?.file_name();
        name.to_str()?.strip_suffix(".html")?.parse().ok().filter(|it| *it <= MAX_NUMBER)
    };
    entries.filter_map(number).max().unwrap_or_default()
}

/// Numbers of the pages that no file has, from the oldest to the newest one that has a file or is linked to.
fn missing_pages(archive: &[(u32, Vec<PublishedItem>)], linked: &BTreeSet<u32>) -> Vec<u32> {
    let found: BTreeSet<u32> = archive.iter().map(|(number, _)| *number).collect();
    let (oldest, newest) = (found.union(linked).min(), found.union(linked).max());
    let (Some(oldest), Some(newest)) = (oldest, newest) else { return Vec::new() };
    (*oldest..=*newest).filter(|number| !found.contains(number)).collect()
}

/// A document that is whole.
struct WholeDocument {
    /// Number of the archive page before it, which it links to.
    older: Option<u32>,
    items: Vec<PublishedItem>,
}

impl WholeDocument {
    /// Whether it has digests; `None`: it has no items. A story whose feed gives it the id of a digest is among others.
    fn has_digests(&self) -> Option<bool> {
        (!self.items.is_empty()).then(|| self.items.iter().all(|item| item.is_digest))
    }
}

/// How a file was read.
enum Found {
    Whole(WholeDocument),
    Damaged(Failure),
    Nothing,
}

/// A document in the first format that is whole; `None`: it has no file. `path` is that of its file in a format. Damaged
/// files that another one replaces are added to `damaged`.
fn first_whole(
    output: &Output,
    path: impl Fn(Format) -> PathBuf,
    damaged: &mut Vec<PathBuf>,
) -> Result<Option<WholeDocument>, RecoveryError> {
    let mut formats = [Format::Json, Format::Atom, Format::Rss];
    // Files in other formats are those of an earlier config.
    formats.sort_by_key(|format| !output.formats.contains(format));
    let (mut found, mut failures) = (None::<WholeDocument>, Vec::new());
    let paths: Vec<(Format, PathBuf)> = formats.map(|format| (format, path(format))).into();
    let files = paths.iter().flat_map(|(format, path)| existing(path).map(|it| (*format, it)));
    for (format, (path, coding)) in files {
        if found.is_some() && !output.formats.contains(&format) {
            break;
        }
        match document(output, format, (&path, coding))? {
            Found::Whole(document) if !document.items.is_empty() => {
                found = Some(document);
                break;
            }
            // Another file may have items.
            Found::Whole(document) => found = found.or(Some(document)),
            Found::Damaged(failure) => failures.push((path, failure)),
            Found::Nothing => {}
        }
    }
    let (files, failures): (Vec<PathBuf>, Vec<Failure>) = failures.into_iter().unzip();
    match (found, failures.into_iter().next()) {
        (None, Some(failure)) => Err(RecoveryError::Damaged { files, failure: Box::new(failure) }),
        (found, _) => {
            damaged.extend(files);
            Ok(found)
        }
    }
}

/// The content of a file in this coding; empty if it is damaged. `None`: it does not exist.
fn read((path, coding): (&Path, Coding)) -> Result<Option<Vec<u8>>, RecoveryError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(coding.decode(&bytes, MAX_DOCUMENT).unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecoveryError::Read(path.to_owned(), error)),
    }
}

fn parse_document(output: &Output, format: Format, bytes: &[u8]) -> Result<parse::Parsed, Failure> {
    parse::parse_published(parse::Input {
        bytes,
        content_type: Some(format.content_type()),
        url: &output.base_url,
        max_items: usize::MAX,
    })
}

/// The document in a file, if it is whole. A repaired document may lack items, or the feeds of its items.
fn document(
    output: &Output,
    format: Format,
    file: (&Path, Coding),
) -> Result<Found, RecoveryError> {
    let Some(bytes) = read(file)? else { return Ok(Found::Nothing) };
    let feed = match parse_document(output, format, &bytes) {
        Err(failure) => return Ok(Found::Damaged(failure)),
        Ok(parsed) if parsed.feed.partial => {
            let message = "the document is incomplete";
            return Ok(Found::Damaged(Failure::new(FailureKind::Malformed, message)));
        }
        Ok(parsed) => parsed.feed,
    };
    let sources = match format {
        Format::Json => json_extensions(&bytes),
        Format::Atom | Format::Rss => Ok(HashMap::new()),
    };
    let sources = match sources {
        Ok(sources) => sources,
        Err(error) => {
            let message = format!("cannot parse the JSON document: {error}");
            return Ok(Found::Damaged(Failure::new(FailureKind::Malformed, message)));
        }
    };
    let own_urls = own_urls(output, &feed.links);
    let item = |mut item: ParsedItem| {
        let id = item.id.clone()?;
        let source_id = item.source.as_ref().and_then(|source| source.id.clone());
        let in_json = sources.get(&id).cloned().unwrap_or_default();
        let (feed_url, feed_title) = match item.source.take() {
            Some(source) => (source.feed_url, source.title),
            None => (in_json.feed_url, in_json.feed_title),
        };
        undress(output, &mut item, feed_title.as_deref());
        let is_from_output = match &feed_url {
            Some(url) => own_urls.contains(url),
            // Atom names no URL for an item without a page.
            None => source_id.is_some() && source_id == feed.id,
        };
        let is_digest = is_from_output && render::digest_end(&id).is_some();
        Some(PublishedItem { id, feed_url, feed_title, number: in_json.number, is_digest, item })
    };
    let older = older_page(output, &feed.links);
    let items = feed.items.into_iter().filter_map(item).collect();
    Ok(Found::Whole(WholeDocument { older, items }))
}

/// The URLs that the subscription documents of the output had when a document with these links was written: the server
/// may have another address now. The documents of another Newswire may have the same names.
fn own_urls(output: &Output, links: &[Link]) -> Vec<String> {
    let Some(link) = links.iter().find(|link| link.rel == "self") else { return Vec::new() };
    let archive = format!("/{}/archive/", output.id);
    let root = link.href.rsplit_once(&*archive).or_else(|| link.href.rsplit_once('/'));
    let (root, _) = root.unwrap_or_default();
    Format::ALL.iter().map(|format| format!("{root}/{}", output.file_name(*format))).collect()
}

/// Number of the archive page before a document with these links: `prev-archive`, in JSON `next_url`.
fn older_page(output: &Output, links: &[Link]) -> Option<u32> {
    let is_older = |link: &&Link| matches!(link.rel.as_str(), "prev-archive" | "next");
    let link = links.iter().find(is_older)?;
    let folder = format!("/{}/archive/", output.id);
    let (_, name) = link.href.rsplit_once(folder.as_str())?;
    page_number(name.split('.').next()?)
}

/// The number of an archive page; `None`: no page that Newswire wrote has this name.
fn page_number(name: &str) -> Option<u32> {
    name.parse().ok().filter(|number| (1..=MAX_PAGE).contains(number))
}

/// What only JSON documents have of an item.
#[derive(Clone, Default)]
struct InJson {
    feed_url: Option<String>,
    feed_title: Option<String>,
    number: Option<ItemKey>,
}

/// The extensions of the items of a JSON document, by their ids.
fn json_extensions(bytes: &[u8]) -> serde_json::Result<HashMap<String, InJson>> {
    let document: Value = serde_json::from_slice(bytes)?;
    let items = document["items"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let extension = |item: &Value| {
        let extension = &item["_newswire"];
        let source = &extension["source"];
        let number = extension["number"].as_i64().filter(|it| (1..=MAX_NUMBER).contains(it));
        let (feed_url, feed_title) = (text(&source["feed_url"]), text(&source["title"]));
        Some((text(&item["id"])?, InJson { feed_url, feed_title, number: number.map(ItemKey) }))
    };
    Ok(items.filter_map(extension).collect())
}

/// Removes what the output added to an item: the prefix of the title, and the line that names other feeds.
fn undress(output: &Output, item: &mut ParsedItem, feed_title: Option<&str>) {
    if let (Some(prefix), Some(title), Some(feed)) =
        (&output.presentation.title_prefix, &mut item.title, feed_title)
        && let Some(own) = prefix.removed(&title.value, feed)
    {
        title.value = own;
    }
    for text in [&mut item.content, &mut item.summary].into_iter().flatten() {
        if output.presentation.also_at != AlsoAt::Content || !text.value.ends_with("</p>") {
            continue;
        }
        // The output may have had another language then.
        let begins = also_at_starts().filter_map(|start| text.value.rfind(&start)).max();
        text.value.truncate(begins.unwrap_or(text.value.len()));
    }
}

/// Whether two URLs of feeds are the same; the fragment is not sent and does not count.
#[must_use]
pub fn is_same_feed(url: &Url, published: &str) -> bool {
    let without = |url: &Url| url[..url::Position::AfterQuery].to_owned();
    Url::parse(published).is_ok_and(|published| without(&published) == without(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_archive_reaches_are_no_pages() {
        assert_eq!(["1", "1000000"].map(page_number), [Some(1), Some(1_000_000)]);
        assert_eq!(["0", "-1", "4294967295", "x"].map(page_number), [None; 4]);
    }
}
