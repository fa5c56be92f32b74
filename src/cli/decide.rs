//! `newswire split`, `join` and `release`: the operator's word, for good. Also while the daemon runs, which
//! notices and publishes.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::item::name;
use crate::config::Config;
use crate::dedupe;
use crate::model::ItemKey;
use crate::poll::{self, Librarian};
use crate::store::{self, Desk, Named, OpenError, Reader};

/// Why the operator's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Nothing of that name.
    #[error(
        "no item has the id, the address or the number {0:?}: the id stands in the merged feed, the number in 'newswire why'"
    )]
    NoSuchItem(String),
    /// Several of that name.
    #[error("{asked:?} may be any of these, name one by its number:\n{list}")]
    Several {
        /// What was asked for.
        asked: String,
        /// One a line.
        list: String,
    },
    /// No feed of that name.
    #[error("no feed has the id or the URL {0:?}: 'newswire status' lists the feeds")]
    NoSuchFeed(String),
    /// An item cannot be joined with itself.
    #[error(
        "{0:?} and {1:?} are the same item: name another one, 'newswire why' shows what it was compared with"
    )]
    OneItem(String, String),
}

crate::model::codes! {
    Error:
    Self::NoSuchItem(_) => "unknown_item",
    Self::Several { .. } => "several_items",
    Self::NoSuchFeed(_) => "unknown_feed",
    Self::OneItem(..) => "same_item",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
}

/// The item that is meant.
///
/// # Errors
/// When there is none or several of that name, or the database fails.
pub fn meant(found: Vec<Named>, asked: &str) -> Result<Named, Error> {
    let number = asked.parse().ok();
    let exact = |item: &&Named| item.id == asked || Some(item.key.0) == number;
    if let Some(item) = found.iter().find(exact) {
        return Ok(item.clone());
    }
    match <[Named; 1]>::try_from(found) {
        Ok([item]) => Ok(item),
        Err(several) if several.is_empty() => Err(Error::NoSuchItem(asked.to_owned())),
        Err(several) => {
            let list: Vec<String> =
                several.iter().map(|item| format!("  {}", name(item))).collect();
            Err(Error::Several { asked: asked.to_owned(), list: list.join("\n") })
        }
    }
}

/// Lets an item stand alone, for good.
///
/// # Errors
/// See [`Error`].
pub fn split(path: &Path, now: Timestamp, asked: &str) -> Result<String, Error> {
    visit(path, now, |desk| {
        let item = match find(desk, asked)? {
            Ok(item) => item,
            Err(error) => return Ok(Err(error)),
        };
        let others = story(desk, &item)?;
        desk.decide(item.key, None)?;
        poll::rearrange(desk, others)?;
        Ok(Ok(format!("{} stands alone from now on\n", name(&item))))
    })
}

/// Makes one story of two items, for good.
///
/// # Errors
/// See [`Error`].
pub fn join(path: &Path, now: Timestamp, a: &str, b: &str) -> Result<String, Error> {
    visit(path, now, |desk| {
        let (first, second) = match (find(desk, a)?, find(desk, b)?) {
            (Ok(first), Ok(second)) => (first, second),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        };
        if first.key == second.key {
            return Ok(Err(Error::OneItem(a.to_owned(), b.to_owned())));
        }
        let mut all = story(desk, &first)?;
        all.append(&mut story(desk, &second)?);
        desk.decide(first.key, Some(second.key))?;
        poll::rearrange(desk, all)?;
        Ok(Ok(format!("{} and {} are one story from now on\n", name(&first), name(&second))))
    })
}

/// Lets through what waits of a feed.
///
/// # Errors
/// See [`Error`].
pub fn release(config: &Config, now: Timestamp, asked: &str) -> Result<String, Error> {
    let reader = Reader::open(&config.store.path)?;
    let feeds = reader.feeds()?;
    let feed = feeds.iter().find(|feed| feed.id.as_str() == asked || feed.url == asked);
    let feed = feed.ok_or_else(|| Error::NoSuchFeed(asked.to_owned()))?;
    let subscription = config.subscriptions.iter().find(|s| s.feed.url.as_str() == feed.url);
    let settings = subscription.map_or(&config.dedupe, |subscription| &subscription.dedupe);
    let librarian = Librarian::open(&reader, config.window(), now)?;
    visit(&config.store.path, now, |desk| {
        let released = desk.release(feed.key)?;
        librarian.place(desk, settings, &released)?;
        Ok(Ok(format!("{}: {} items let through\n", feed.id, released.len())))
    })
}

fn visit(
    path: &Path,
    now: Timestamp,
    work: impl FnOnce(&Desk<'_>) -> Result<Result<String, Error>, store::Error>,
) -> Result<String, Error> {
    store::visit(path, now, work)??
}

fn find(desk: &Desk<'_>, asked: &str) -> Result<Result<Named, Error>, store::Error> {
    let found = desk.find(asked, dedupe::canonical::url_key(asked).as_ref())?;
    Ok(meant(found, asked))
}

/// Everything of the item's story.
fn story(desk: &Desk<'_>, item: &Named) -> Result<BTreeSet<ItemKey>, store::Error> {
    let ties = desk.ties(&[item.key])?;
    let ends = ties.iter().flat_map(|tie| [tie.item, tie.other]);
    Ok(ends.chain([item.key]).collect())
}
