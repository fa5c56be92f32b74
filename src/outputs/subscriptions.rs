//! The list of the feeds behind the outputs, as OPML.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::Error;
use super::files::write_atomically;
use crate::model::{FeedInfo, FeedKey};
use crate::opml;
use crate::render::{Output, Selector};
use crate::store::{self, Transaction};

/// File name of the list.
pub(super) const FILE: &str = "subscriptions.opml";

/// Every feed that an output without a token takes, except the hidden ones. `None`: every output has a token.
///
/// # Errors
/// When the store fails.
pub(super) fn list(
    reader: &Transaction<'_>,
    outputs: &[Arc<Output>],
    hidden: &HashSet<FeedKey>,
) -> Result<Option<String>, store::Error> {
    let open: Vec<&Arc<Output>> = open(outputs).collect();
    let title = match open.as_slice() {
        [] => return Ok(None),
        [one] => one.title.clone(),
        _ => "Newswire".to_owned(),
    };
    let taken = |feed: &FeedInfo| {
        let takes =
            |o: &&Arc<Output>| Selector::new(o, Timestamp::MIN).takes_feed(&feed.id, &feed.tags);
        !hidden.contains(&feed.key) && open.iter().any(takes)
    };
    let feeds = reader.feeds()?;
    let entries: Vec<opml::ListedFeed> =
        feeds.iter().filter(|feed| taken(feed)).filter_map(opml::ListedFeed::from_info).collect();
    Ok(Some(opml::write(&opml::OpmlHead { title, created: None }, &entries)))
}

/// Writes the list into the directory of each output without a token.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(outputs: &[Arc<Output>], list: Option<&str>) -> Result<(), Error> {
    for directory in open(outputs).filter_map(|output| output.directory.as_ref()) {
        write_atomically(directory, FILE, list.unwrap_or_default().as_bytes())
            .map_err(|source| Error::Write { path: directory.join(FILE), source })?;
    }
    Ok(())
}

fn open(outputs: &[Arc<Output>]) -> impl Iterator<Item = &Arc<Output>> {
    outputs.iter().filter(|output| output.token.is_none())
}
