//! `newswire split`, `join` and `release`: permanent decisions of the operator. While the daemon runs, it
//! notices them and publishes the result.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::exit::CommandError;
use super::known;
use super::why::item::name;
use crate::clock::Clock;
use crate::config::Config;
use crate::dedupe;
use crate::model::{FeedInfo, ItemKey, StoryKey};
use crate::store::{
    self, ItemSummary, OpenError, OperatorDecision, Reader, Store, Transaction, Write,
};
use crate::stories::{Matcher, Policies};
use crate::text::amounts::count;
use crate::text::quoted::in_quotes;

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
    #[error("no item has the id, URL or number {}", in_quotes(.0))]
    NoSuchItem(String),
    /// Several items have this name.
    #[error("{name} matches several items", name = in_quotes(.name))]
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
    #[error("{} and {} are the same item", in_quotes(.0), in_quotes(.1))]
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
    let items = [first.key, second.key];
    let (first, second) = (name(&first), name(&second));
    let recorded = record(config, clock, OperatorDecision::Join(items[0], items[1])).await?;
    if recorded.is_left_to_daemon {
        return Ok(format!(
            "{first} and {second} are one story from now on; the daemon publishes it\n"
        ));
    }
    let others = others(config, items)?;
    let with = match others.as_slice() {
        [] => String::new(),
        [one] => format!(", with item {one}"),
        several => format!(", with items {}", several.join(", ")),
    };
    Ok(format!("{first} and {second} are now one story{with}\n"))
}

/// Numbers of the other items of the stories of these two.
fn others(config: &Config, items: [ItemKey; 2]) -> Result<Vec<String>, Error> {
    let members = Reader::open(&config.store.path)?.read(|reader| {
        let stories: Vec<StoryKey> = reader.story_keys(&items)?.into_values().collect();
        reader.members(&stories)
    })?;
    let members = members.into_values().flatten().map(|head| head.key);
    let others: BTreeSet<ItemKey> = members.filter(|key| !items.contains(key)).collect();
    Ok(others.iter().map(|key| key.0.to_string()).collect())
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
    let released = record(config, clock, decision).await?.items;
    Ok(format!("{}: {} released\n", found.id, count(released as u64, "item")))
}

/// A decision that was written.
struct Recorded {
    /// Number of items that it concerns.
    items: usize,
    /// Whether a running daemon matches them, possibly later.
    is_left_to_daemon: bool,
}

/// Writes a decision. A running daemon applies it; without one this process does.
async fn record(
    config: &Config,
    clock: &Clock,
    decision: OperatorDecision,
) -> Result<Recorded, Error> {
    let path = &config.store.path;
    let write = Write::Decide { decision, at: clock.now() };
    let items = store::transact(path, |transaction| transaction.apply(&write))??;
    let store = match Store::open(path, clock.clone()) {
        Ok(store) => Arc::new(store),
        Err(OpenError::InUse { .. }) => return Ok(Recorded { items, is_left_to_daemon: true }),
        Err(error) => return Err(error.into()),
    };
    let policies = store.reader().read(|reader| policies(config, reader))?;
    Matcher::new(store, clock.clone(), policies, config.window()).catch_up().await?;
    Ok(Recorded { items, is_left_to_daemon: false })
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
