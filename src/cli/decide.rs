//! `newswire split`, `join` and `release`: the operator's word, for good. Also while the daemon runs, which
//! notices and publishes.

use std::sync::Arc;

use super::item::name;
use crate::clock::Clock;
use crate::config::Config;
use crate::dedupe;
use crate::store::{
    self, ItemSummary, OpenError, OperatorDecision, Reader, Store, Transaction, Write,
};
use crate::stories::{Matcher, Policies};

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
pub fn meant(found: Vec<ItemSummary>, asked: &str) -> Result<ItemSummary, Error> {
    let number = asked.parse().ok();
    let exact = |item: &&ItemSummary| item.id == asked || Some(item.key.0) == number;
    if let Some(item) = found.iter().find(exact) {
        return Ok(item.clone());
    }
    match <[ItemSummary; 1]>::try_from(found) {
        Ok([item]) => Ok(item),
        Err(several) if several.is_empty() => Err(Error::NoSuchItem(asked.to_owned())),
        Err(several) => {
            let list: Vec<String> =
                several.iter().map(|item| format!("  {}", name(item))).collect();
            Err(Error::Several { asked: asked.to_owned(), list: list.join("\n") })
        }
    }
}

/// Makes an item a story by itself, for good.
///
/// # Errors
/// See [`Error`].
pub async fn split(config: &Config, clock: &Clock, asked: &str) -> Result<String, Error> {
    let item = find(config, asked)?;
    decide(config, clock, OperatorDecision::Split(item.key)).await?;
    Ok(format!("{} stands alone from now on\n", name(&item)))
}

/// Makes one story of two items, for good.
///
/// # Errors
/// See [`Error`].
pub async fn join(config: &Config, clock: &Clock, a: &str, b: &str) -> Result<String, Error> {
    let (first, second) = (find(config, a)?, find(config, b)?);
    if first.key == second.key {
        return Err(Error::OneItem(a.to_owned(), b.to_owned()));
    }
    decide(config, clock, OperatorDecision::Join(first.key, second.key)).await?;
    Ok(format!("{} and {} are one story from now on\n", name(&first), name(&second)))
}

/// Lets the held items of a feed be shown.
///
/// # Errors
/// See [`Error`].
pub async fn release(config: &Config, clock: &Clock, asked: &str) -> Result<String, Error> {
    let feeds = Reader::open(&config.store.path)?.read(|reader| reader.feeds())?;
    let feed = feeds.iter().find(|feed| feed.id.as_str() == asked || feed.url == asked);
    let feed = feed.ok_or_else(|| Error::NoSuchFeed(asked.to_owned()))?;
    let released = decide(config, clock, OperatorDecision::Release(feed.key)).await?;
    Ok(format!("{}: {released} items let through\n", feed.id))
}

/// Writes a decision; the daemon acts upon it where one runs, else this process does.
async fn decide(
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

/// What counts as one story, feed by feed, as the config says.
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

fn find(config: &Config, asked: &str) -> Result<ItemSummary, Error> {
    let reader = Reader::open(&config.store.path)?;
    let url_key = dedupe::canonical::url_key(asked);
    meant(reader.read(|reader| reader.find_items(asked, url_key.as_ref()))?, asked)
}
