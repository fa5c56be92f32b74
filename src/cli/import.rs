//! `newswire import`: the feeds of a list as `[[feed]]` blocks; and `newswire export`, the way back.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::Path;

use super::subscribe::{self, Said, To};
use crate::config::Config;
use crate::daemon;
use crate::model::{Feed, FeedInfo};
use crate::opml::{self, Entry, Head, List, MAX_BYTES};
use crate::poll::Subscription;
use crate::store::{OpenError, Reader};

/// Why there is nothing to import.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("failed to read {0}: {1}: name a file, or - for standard input")]
    Read(String, io::Error),
    /// What stands in it.
    #[error("{0} is no list of feeds that can be read: {1}")]
    List(String, opml::Error),
    /// There is not one feed in it.
    #[error("there is no feed in {0} that newswire can take; why, is told entry by entry:\n{1}")]
    Nothing(String, String),
    /// The config.
    #[error(transparent)]
    Append(#[from] subscribe::Error),
}

crate::model::codes! {
    Error:
    Self::Read(..) => "list_unreadable",
    Self::Nothing(..) => "list_without_feeds",
    ;
    Self::List(_, error) => error,
    Self::Append(error) => error,
}

/// Reads the list in `file`, and prints its feeds as blocks or appends them to the config. Those
/// that are configured already are left out.
///
/// # Errors
/// When the list cannot be read or has no feed, or the config cannot be changed.
pub(super) fn run(file: &Path, given: Option<&Path>, to: To) -> Result<Said, Error> {
    let name = name(file);
    let list = read(file, &name)?;
    let config = subscribe::config(given, to)?;
    let mut aside = String::new();
    for left in &list.left_out {
        let _ = writeln!(aside, "{name}:{}: left out {:?}: {}", left.line, left.what, left.why);
    }
    if list.entries.is_empty() {
        return Err(Error::Nothing(name, aside));
    }
    let feeds: Vec<Feed> = list.entries.into_iter().map(feed).collect();
    let (new, known) = subscribe::parted(feeds, config.as_ref().map(|(_, config)| config));
    for feed in &known {
        let _ = writeln!(aside, "{name}: {} is configured already", feed.url);
    }
    let (known, left) = (known.len(), list.left_out.len());
    let _ = writeln!(
        aside,
        "{name}: new: {}, configured already: {known}, left out: {left}",
        new.len()
    );
    let answer = match config {
        Some((path, _)) if to == To::Config && !new.is_empty() => {
            subscribe::append(&path, &new, &subscribe::blocks(&new))?;
            format!("feeds added to {}: {}\n", path.display(), new.len())
        }
        _ if to == To::Config => String::new(),
        _ => subscribe::blocks(&new),
    };
    Ok(Said { answer, aside })
}

fn read(file: &Path, name: &str) -> Result<List, Error> {
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

fn feed(entry: Entry) -> Feed {
    Feed { id: None, url: entry.url, title: entry.title, tags: entry.tags }
}

/// The configured feeds as OPML, with what the database knows of them, if there is one.
///
/// # Errors
/// When there is one that cannot be read.
pub(super) fn export(config: &Config) -> Result<String, daemon::Error> {
    let known = match Reader::open(&config.store.path) {
        Ok(reader) => reader.read(|reader| reader.feeds())?,
        Err(OpenError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let known: HashMap<&str, &FeedInfo> = known.iter().map(|i| (i.url.as_str(), i)).collect();
    let entry = |subscription: &Subscription| {
        let feed = &subscription.feed;
        let known = known.get(feed.url.as_str()).and_then(|info| Entry::of(info));
        let entry = known.unwrap_or_else(|| Entry {
            url: feed.url.clone(),
            title: None,
            page: None,
            tags: Vec::new(),
        });
        // What the config says now, the database learns at the next start.
        Entry { title: feed.title.clone().or(entry.title), tags: feed.tags.clone(), ..entry }
    };
    let entries: Vec<Entry> = config.subscriptions.iter().map(entry).collect();
    let title = match config.outputs.as_slice() {
        [one] => one.title.clone(),
        _ => "Newswire".to_owned(),
    };
    Ok(opml::write(&Head { title, created: None }, &entries))
}
