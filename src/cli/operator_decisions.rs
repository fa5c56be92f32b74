//! `newswire split`, `join` and `release`: permanent decisions of the operator. While the daemon runs, it
//! notices them and publishes the result.

use std::sync::Arc;

use super::error::CommandError;
use super::known;
use super::why::item::name;
use crate::clock::Clock;
use crate::config::Config;
use crate::dedupe;
use crate::model::FeedInfo;
use crate::store::{
    self, ItemSummary, OpenError, OperatorDecision, Reader, Store, Transaction, Write,
};
use crate::stories::{Matcher, Policies};
use crate::text::amounts::count;

/// Why a decision was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading or writing the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No item has this name.
    #[error("no item has the id, URL or number {0:?}")]
    NoSuchItem(String),
    /// Several items have this name.
    #[error("{name:?} matches several items")]
    Ambiguous {
        /// Id, URL or number that was given.
        name: String,
        /// The items, one per line.
        items: String,
    },
    /// No feed has this name.
    #[error(transparent)]
    NoSuchFeed(#[from] CommandError),
    /// Both arguments of `join` name the same item.
    #[error("{0:?} and {1:?} are the same item")]
    SameItem(String, String),
}

crate::model::codes! {
    Error:
    Self::NoSuchItem(_) => "unknown_item": "the merged feeds contain the ids and URLs of the items; 'newswire why ITEM' shows the number of one",
    Self::Ambiguous { items, .. } => "ambiguous_item": format!("name one by its number:\n{items}"),
    Self::SameItem(..) => "same_item": "name another item; 'newswire why ITEM' shows the items that it was compared with",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
    Self::NoSuchFeed(error) => error,
}

/// The only item among `found`, or the one whose id or number is exactly `name`.
///
/// # Errors
/// When there is none, or more than one.
pub fn only(found: Vec<ItemSummary>, name: &str) -> Result<ItemSummary, Error> {
    let number = name.parse().ok();
    let exact = |item: &&ItemSummary| item.id == name || Some(item.key.0) == number;
    if let Some(item) = found.iter().find(exact) {
        return Ok(item.clone());
    }
    match <[ItemSummary; 1]>::try_from(found) {
        Ok([item]) => Ok(item),
        Err(several) if several.is_empty() => Err(Error::NoSuchItem(name.to_owned())),
        Err(several) => {
            let items: Vec<String> =
                several.iter().map(|item| format!("  {}", self::name(item))).collect();
            Err(Error::Ambiguous { name: name.to_owned(), items: items.join("\n") })
        }
    }
}

/// Separates an item from its story permanently.
///
/// # Errors
/// See [`Error`].
pub async fn split(config: &Config, clock: &Clock, item: &str) -> Result<String, Error> {
    let item = find(config, item)?;
    record(config, clock, OperatorDecision::Split(item.key)).await?;
    Ok(format!("{} is now a story of one item\n", name(&item)))
}

/// Puts two items into one story permanently.
///
/// # Errors
/// See [`Error`].
pub async fn join(config: &Config, clock: &Clock, a: &str, b: &str) -> Result<String, Error> {
    let (first, second) = (find(config, a)?, find(config, b)?);
    if first.key == second.key {
        return Err(Error::SameItem(a.to_owned(), b.to_owned()));
    }
    record(config, clock, OperatorDecision::Join(first.key, second.key)).await?;
    Ok(format!("{} and {} are now one story\n", name(&first), name(&second)))
}

/// The items that a release publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Those that the burst guard holds, and those that were old when the feed was added.
    Held,
    /// Those that filters keep out.
    Filtered,
}

impl From<bool> for Release {
    /// The items that a release with or without the option `--filtered` publishes.
    fn from(filtered: bool) -> Self {
        if filtered { Self::Filtered } else { Self::Held }
    }
}

/// Releases the held items of a feed, or those that its filters keep out.
///
/// # Errors
/// See [`Error`].
pub async fn release(
    config: &Config,
    clock: &Clock,
    feed: &str,
    release: Release,
) -> Result<String, Error> {
    let path = &config.store.path;
    let feeds = Reader::open(path)?.read(|reader| reader.feeds())?;
    let configured = known::feeds(config, path);
    let key = known::find(&configured, feed).and_then(|known| known.feed.key);
    let name = known::FeedName::new(feed);
    let is_meant =
        |stored: &&FeedInfo| name.is_of(&stored.id, &stored.url) || Some(stored.key) == key;
    let found = feeds.iter().find(is_meant);
    let found = found.ok_or_else(|| known::unloaded(feed, &configured))?;
    let decision = match release {
        Release::Filtered => OperatorDecision::ReleaseFiltered(found.key),
        Release::Held => OperatorDecision::Release(found.key),
    };
    let released = record(config, clock, decision).await?;
    Ok(format!("{}: {} released\n", found.id, count(released as u64, "item")))
}

/// Writes a decision. A running daemon applies it; without one this process does. Returns the number of
/// items that it concerns.
async fn record(
    config: &Config,
    clock: &Clock,
    decision: OperatorDecision,
) -> Result<usize, Error> {
    let path = &config.store.path;
    let write = Write::Decide { decision, at: clock.now() };
    let items = store::transact(path, |transaction| transaction.apply(&write))??;
    let store = match Store::open(path, clock.clone()) {
        Ok(store) => Arc::new(store),
        Err(OpenError::InUse { .. }) => return Ok(items),
        Err(error) => return Err(error.into()),
    };
    let policies = store.reader().read(|reader| policies(config, reader))?;
    Matcher::new(store, clock.clone(), policies, config.window()).catch_up().await?;
    Ok(items)
}

/// The matching settings of each feed.
pub(super) fn policies(
    config: &Config,
    reader: &Transaction<'_>,
) -> Result<Policies, store::Error> {
    let subscriptions = || config.subscriptions.iter();
    let feeds = reader.feeds()?.into_iter().filter_map(|feed| {
        let subscription = subscriptions().find(|s| s.feed.url.as_str() == feed.url)?;
        Some((feed.key, Arc::clone(&subscription.dedupe)))
    });
    Ok(Policies { feeds: feeds.collect(), others: Arc::clone(&config.dedupe) })
}

fn find(config: &Config, name: &str) -> Result<ItemSummary, Error> {
    let reader = Reader::open(&config.store.path)?;
    let url_key = dedupe::canonical::url_key(name);
    only(reader.read(|reader| reader.find_items(name, url_key.as_ref()))?, name)
}
