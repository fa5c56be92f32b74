//! Reads back what an output published into its directory, for `newswire restore --from-outputs` and
//! `newswire verify`.
//!
//! The formats are read in the order JSON, Atom, RSS: JSON names the feed of every item. Titles lose the
//! prefix of the output, and texts the line that names other feeds, so that neither is published twice.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;
use url::Url;

use super::{site_manifest, static_site};
use crate::model::{Failure, ParsedItem};
use crate::parse;
use crate::render::{AlsoAt, Format, Output, also_at_starts};
use crate::store::{self, Transaction};
use crate::text::sha256::sha256;

/// What an output published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedDocuments {
    /// The id of its feed, which only Atom has; `None`: no Atom document was found.
    pub id: Option<String>,
    /// Items of the complete archive pages, by the number of the page.
    pub archive: Vec<(u32, Vec<PublishedItem>)>,
    /// Items of the subscription document.
    pub current: Vec<PublishedItem>,
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
    /// The item, as any document of a publisher is parsed.
    pub item: ParsedItem,
}

/// Why the documents of an output cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// A file or folder cannot be read.
    #[error("failed to read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// A document cannot be parsed.
    #[error("{0}: {1}")]
    Document(PathBuf, Box<Failure>),
    /// Reading the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

crate::model::codes! {
    RecoveryError:
    Self::Read(..) => "file_unreadable": "run the command as a user who can read the directory of the output",
    ;
    Self::Document(_, failure) => &**failure,
    Self::Store(error) => error,
}

/// Reads the documents that `output` wrote into its directory; `None`: it wrote none.
///
/// # Errors
/// See [`RecoveryError`].
pub fn published_documents(output: &Output) -> Result<Option<PublishedDocuments>, RecoveryError> {
    let Some(directory) = &output.directory else { return Ok(None) };
    let mut found = PublishedDocuments::default();
    let preferred = [Format::Json, Format::Atom, Format::Rss];
    let exists = |format: &Format| directory.join(output.file_name(*format)).exists();
    let Some(format) = preferred.into_iter().find(exists) else { return Ok(None) };
    let (_, current) = read(output, format, &directory.join(output.file_name(format)))?;
    found.current = current;
    found.id = published_id(output)?;
    for number in written_pages(output, directory, format)? {
        let path = directory.join(output.archive_name(number, format));
        found.archive.push((number, read(output, format, &path)?.1));
    }
    Ok(Some(found))
}

/// The id of the feed in the Atom document of the output; `None`: it has none in a directory.
///
/// # Errors
/// See [`RecoveryError`].
pub fn published_id(output: &Output) -> Result<Option<String>, RecoveryError> {
    let path = output.directory.as_ref().map(|it| it.join(output.file_name(Format::Atom)));
    match path.filter(|path| path.exists()) {
        Some(path) => Ok(read(output, Format::Atom, &path)?.0),
        None => Ok(None),
    }
}

/// The numbers of the archive pages that the directory has in this format, ascending.
fn written_pages(
    output: &Output,
    directory: &Path,
    format: Format,
) -> Result<Vec<u32>, RecoveryError> {
    let folder = directory.join(&output.id).join("archive");
    let failed = |error| RecoveryError::Read(folder.clone(), error);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(format.extension()));
        numbers.extend(number.and_then(|number| number.strip_suffix('.')?.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The id of the feed and the items of a document.
fn read(
    output: &Output,
    format: Format,
    path: &Path,
) -> Result<(Option<String>, Vec<PublishedItem>), RecoveryError> {
    let bytes = fs::read(path).map_err(|error| RecoveryError::Read(path.to_owned(), error))?;
    let parsed = parse::parse(parse::Input {
        bytes: &bytes,
        content_type: Some(format.content_type()),
        url: &output.base_url,
        max_items: usize::MAX,
    });
    let failed = |failure| RecoveryError::Document(path.to_owned(), Box::new(failure));
    let feed = parsed.map_err(failed)?.feed;
    let sources = if format == Format::Json { json_sources(&bytes) } else { HashMap::new() };
    let item = |mut item: ParsedItem| {
        let id = item.id.clone()?;
        let (feed_url, feed_title) = match (item.source.take(), sources.get(&id)) {
            (Some(source), _) => (source.feed_url, source.title),
            (None, Some((url, title))) => (url.clone(), title.clone()),
            (None, None) => (None, None),
        };
        undress(output, &mut item, feed_title.as_deref());
        Some(PublishedItem { id, feed_url, feed_title, item })
    };
    Ok((feed.id, feed.items.into_iter().filter_map(item).collect()))
}

/// URL and title of the feed of each item of a JSON document, by the id of the item.
fn json_sources(bytes: &[u8]) -> HashMap<String, (Option<String>, Option<String>)> {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let items = document["items"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let source = |item: &Value| {
        let source = &item["_newswire"]["source"];
        Some((text(&item["id"])?, (text(&source["feed_url"]), text(&source["title"]))))
    };
    items.filter_map(source).collect()
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

/// How the directory of an output differs from the database: documents that are missing or have other bytes than
/// were published last, and ids that no item has. A daemon may publish meanwhile.
///
/// # Errors
/// When the database fails, or a document cannot be read.
pub fn differences(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Vec<String>, RecoveryError> {
    let Some(directory) = &output.directory else { return Ok(Vec::new()) };
    let mut found = Vec::new();
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
    let published = !reader.publication(&output.id)?.unwrap_or_default().is_empty();
    if let Some(folder) = static_site::folder(output).filter(|_| output.site && published) {
        let different = site_manifest::differences(&folder);
        found.extend(different.map_err(|error| RecoveryError::Read(folder, error))?);
    }
    let Some(documents) = published_documents(output)? else { return Ok(found) };
    let pages = documents.archive.iter().map(|(_, items)| items);
    let items = pages.chain([&documents.current]).flatten();
    let mut ids: Vec<String> = items.map(|item| item.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let known: HashSet<String> = match output.digest {
        Some(_) => reader.digest_ids(&output.id)?.into_iter().map(|(_, id)| id).collect(),
        None => reader.items_with_ids(&output.id, &ids)?.into_iter().map(|(id, _)| id).collect(),
    };
    let unknown = ids.iter().filter(|id| !known.contains(*id));
    found.extend(
        unknown.map(|id| {
            format!("output {} has an item {id}, which is not in the database", output.id)
        }),
    );
    Ok(found)
}
