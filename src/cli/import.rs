//! `newswire import` converts a list of feeds to `[[feed]]` blocks; `newswire export` writes OPML.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::Path;

use super::append_feeds::{self, CommandOutput, Destination};
use crate::config::{self, Config};
use crate::daemon;
use crate::model::{Feed, FeedInfo, Removal};
use crate::opml::{self, FeedList, ListedFeed, MAX_BYTES, OpmlHead};
use crate::poll::Subscription;
use crate::store::{OpenError, Reader};
use crate::text::bidi;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read {0}: {1}")]
    Read(String, io::Error),
    /// The file is not a list of feeds, or a damaged one.
    #[error("cannot import {0}: {1}")]
    List(String, opml::Error),
    /// The list contains no feed that can be imported.
    #[error("no feed in {name} can be imported\n{skipped}")]
    NoFeeds {
        /// Name of the file, or `standard input`.
        name: String,
        /// Each skipped entry with its reason, one per line.
        skipped: String,
    },
    /// The list contains no entry at all.
    #[error("{0} contains no feeds")]
    NoEntries(String),
    /// The config cannot be changed.
    #[error(transparent)]
    Append(#[from] append_feeds::Error),
}

crate::model::codes! {
    Error:
    Self::Read(..) => "list_unreadable": "name a file, or - for standard input",
    Self::NoFeeds { .. } => "list_without_feeds": "the lines above give the reason for each entry",
    Self::NoEntries(_) => "list_without_feeds": "export the subscriptions again; each feed of an OPML file has an xmlUrl",
    ;
    Self::List(_, error) => error,
    Self::Append(error) => error,
}

/// Reads the list in `file` and prints its feeds as blocks or appends them to the config. Feeds that the
/// config already contains are skipped.
///
/// # Errors
/// When the list cannot be read or has no feed, or the config cannot be changed.
pub(super) fn run(
    file: &Path,
    config_path: Option<&Path>,
    destination: Destination,
) -> Result<CommandOutput, Error> {
    let name = name(file);
    let list = read(file, &name)?;
    let config = append_feeds::config(config_path, destination)?;
    let mut stderr = String::new();
    for entry in list.skipped.iter().chain(&list.repeated) {
        let _ =
            writeln!(stderr, "{name}:{}: skipped {:?}: {}", entry.line, entry.name, entry.reason);
    }
    for note in &list.ignored {
        let _ = writeln!(stderr, "{name}:{}: ignored {:?}: {}", note.line, note.name, note.reason);
    }
    match (list.feeds.is_empty(), stderr.is_empty()) {
        (true, true) => return Err(Error::NoEntries(name)),
        (true, false) => return Err(Error::NoFeeds { name, skipped: stderr }),
        (false, _) => {}
    }
    let feeds: Vec<Feed> = list.feeds.into_iter().map(feed).collect();
    let config_feeds = config.as_ref().map(|(_, config)| config);
    let (new, known) = append_feeds::new_and_known(feeds, config_feeds);
    for feed in &known {
        let _ = writeln!(stderr, "{name}: {} is already configured", feed.url);
    }
    let (listed, skipped) = (known.len() + new.len(), list.skipped.len() + list.repeated.len());
    let (added, stdout) = match config {
        Some((path, _)) if destination == Destination::Config && !new.is_empty() => {
            let added = append_feeds::append(&path, new, config::feed_block)?;
            let stdout = format!("feeds added to {}: {added}\n", path.display());
            (added, if added > 0 { stdout } else { String::new() })
        }
        _ if destination == Destination::Config => (0, String::new()),
        _ => (new.len(), append_feeds::blocks(&new)),
    };
    let known = listed - added;
    let _ = writeln!(stderr, "{name}: {added} new, {known} already configured, {skipped} skipped");
    Ok(CommandOutput { stdout, stderr })
}

fn read(file: &Path, name: &str) -> Result<FeedList, Error> {
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|f| f.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Error::Read(name.to_owned(), error))?;
    opml::read(&bytes).map_err(|error| Error::List(name.to_owned(), error))
}

fn name(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
}

fn feed(listed: ListedFeed) -> Feed {
    let ListedFeed { url, title, tags, .. } = listed;
    Feed { id: None, url, title, tags, removal: Removal::Hide }
}

/// The configured feeds as OPML, with titles and pages from the database, if there is one. Feeds that are files of this
/// machine are left out, because no program could import them.
///
/// # Errors
/// When the database exists and cannot be read.
pub(super) fn export(config: &Config) -> Result<CommandOutput, daemon::Error> {
    let known = match Reader::open(&config.store.path) {
        Ok(reader) => reader.read(|reader| reader.feeds())?,
        Err(OpenError::Missing { .. } | OpenError::Empty { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let known: HashMap<&str, &FeedInfo> = known.iter().map(|i| (i.url.as_str(), i)).collect();
    let listed = |subscription: &Subscription| {
        let feed = &subscription.feed;
        let known = known.get(feed.url.as_str()).and_then(|info| ListedFeed::from_info(info));
        let listed = known.unwrap_or_else(|| ListedFeed {
            url: feed.url.clone(),
            title: None,
            page: None,
            tags: Vec::new(),
        });
        // The database receives changes of the config at the next start.
        let title = feed.title.clone().or(listed.title);
        // Without a title, the host is written.
        let title = title.filter(|title| title.chars().any(is_visible));
        ListedFeed { title, tags: feed.tags.clone(), ..listed }
    };
    let is_web =
        |subscription: &&Subscription| matches!(subscription.feed.url.scheme(), "http" | "https");
    let feeds: Vec<ListedFeed> = config.subscriptions.iter().filter(is_web).map(listed).collect();
    let stderr = match config.subscriptions.len() - feeds.len() {
        0 => String::new(),
        files => format!("feeds left out, because they are files of this machine: {files}\n"),
    };
    let title = match config.outputs.as_slice() {
        [one] => one.title.clone(),
        _ => "Newswire".to_owned(),
    };
    let stdout = opml::write(&OpmlHead { title, created: None }, &feeds);
    Ok(CommandOutput { stdout, stderr })
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !bidi::is_control(c)
}
