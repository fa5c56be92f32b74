//! Where one item stands in one output, and why it is not shown where it is not: the same questions in
//! the same order as a publication asks them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Entry, FeedInfo, FeedKey, ItemKey};
use crate::publish::{Output, Selector};
use crate::store::{Error, Named, Reader};

/// Where an item stands in an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// It is shown, at this place from the top, counted from 1.
    Shown(usize),
    /// It is one story with this item, which is shown for both.
    Follows(ItemKey),
    /// It waits for a word of the operator: the slug of why.
    Waits(String),
    /// Its feed is no longer configured.
    FeedGone,
    /// The output does not take its feed.
    FeedNotTaken,
    /// The output does not take what it says.
    NotTaken,
    /// Its text is past retention.
    PastRetention,
    /// Only so many feeds carry its story.
    TooFewFeeds(usize),
    /// Newer stories fill the output, or its feed's part of it.
    NoRoom,
}

/// Where `item` stands in `output`, which shows these entries.
///
/// # Errors
/// When the store fails.
pub fn stand(
    reader: &Reader,
    (output, shown): (&Output, &[Entry]),
    item: &Named,
    now: Timestamp,
) -> Result<Stand, Error> {
    if let Some(why) = &item.held {
        return Ok(Stand::Waits(why.clone()));
    }
    let selector = Selector::new(output, now);
    let feeds = reader.feeds()?;
    let Some(feed) = feeds.iter().find(|feed| feed.key == item.feed) else {
        return Ok(Stand::FeedGone);
    };
    if !selector.takes_feed(&feed.id, &feed.tags) {
        return Ok(Stand::FeedNotTaken);
    }
    let taken: HashMap<FeedKey, Arc<FeedInfo>> = feeds
        .into_iter()
        .filter(|feed| selector.takes_feed(&feed.id, &feed.tags))
        .map(|feed| (feed.key, Arc::new(feed)))
        .collect();
    let members = reader.members(&[item.story])?.remove(&item.story).unwrap_or_default();
    let mut keys: Vec<ItemKey> = members.iter().map(|member| member.key).collect();
    if keys.is_empty() {
        keys.push(item.key);
    }
    let entries = reader.entries(&keys, &taken)?;
    let Some(own) = entries.get(&item.key) else { return Ok(Stand::PastRetention) };
    if !selector.takes_item(&own.item) {
        return Ok(Stand::NotTaken);
    }
    keys.retain(|key| entries.get(key).is_some_and(|entry| selector.takes_item(&entry.item)));
    let carriers: HashSet<FeedKey> = keys.iter().map(|key| entries[key].feed.key).collect();
    if carriers.len() < selector.min_feeds() {
        return Ok(Stand::TooFewFeeds(carriers.len()));
    }
    if let Some(lead) = keys.first().filter(|lead| **lead != item.key) {
        return Ok(Stand::Follows(*lead));
    }
    let place = shown.iter().position(|entry| entry.key == item.key);
    Ok(place.map_or(Stand::NoRoom, |place| Stand::Shown(place + 1)))
}
