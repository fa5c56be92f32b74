//! Whether one output shows one item, and why not: the same conditions in the same order as in a
//! publication.

use std::sync::Arc;

use jiff::Timestamp;

use super::select::{Batch, Feeds};
use crate::model::{ItemKey, OutputItem};
use crate::render::{Output, Selector};
use crate::store::{Error, ItemHead, ItemSummary, Transaction};

/// Whether an output shows an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// It is shown, at this position from the top, counted from 1.
    Shown(usize),
    /// It is the same story as this item, which is shown for both.
    Follows(ItemKey),
    /// It is held until the operator releases it: the slug of the reason.
    Held(String),
    /// Its feed is no longer configured.
    FeedGone,
    /// The output does not take its feed.
    FeedNotTaken,
    /// A filter of its feed keeps it out: the rule.
    Filtered(String),
    /// The filter of the output does not take it: the rule.
    NotTaken(String),
    /// Its text was deleted because it is older than `retention`.
    PastRetention,
    /// Number of feeds that carry its story: too few for the output.
    TooFewFeeds(usize),
    /// It is listed in the digest with this title.
    InDigest(String),
    /// It is in no digest: its period is not closed, its feed has more than `per_feed` in it, or it is older than the
    /// output or its feed.
    NotInDigest,
    /// Newer stories fill the output, or the share of its feed.
    NoRoom,
}

/// Whether `output`, which shows these entries, shows `item`.
///
/// # Errors
/// When the store fails.
pub fn visibility(
    reader: &Transaction<'_>,
    (output, shown): (&Output, &[OutputItem]),
    item: &ItemSummary,
    now: Timestamp,
) -> Result<Visibility, Error> {
    if let Some(rule) = &item.filtered_by {
        return Ok(Visibility::Filtered(rule.clone()));
    }
    if let Some(why) = &item.held {
        return Ok(Visibility::Held(why.clone()));
    }
    let selector = Selector::new(output, now);
    let feeds = reader.shown_feeds()?;
    let Some(feed) = feeds.iter().find(|feed| feed.key == item.feed) else {
        return Ok(Visibility::FeedGone);
    };
    if !selector.takes_feed(&feed.id, &feed.tags) {
        return Ok(Visibility::FeedNotTaken);
    }
    let taken: Feeds = feeds
        .into_iter()
        .filter(|feed| selector.takes_feed(&feed.id, &feed.tags))
        .map(|feed| (feed.key, Arc::new(feed)))
        .collect();
    let head =
        ItemHead { feed: item.feed, key: item.key, story: item.story, sort_at: item.sort_at };
    let batch = Batch::load(reader, &[head], &taken)?;
    let Some(own) = batch.entry(item.key) else { return Ok(Visibility::PastRetention) };
    if let Some(refusal) = selector.refusal(own) {
        return Ok(Visibility::NotTaken(refusal.rule().to_owned()));
    }
    let carried = batch.carried(head, &selector);
    if carried.feeds < selector.min_feeds() {
        return Ok(Visibility::TooFewFeeds(carried.feeds));
    }
    if let Some(lead) = carried.lead.filter(|lead| *lead != item.key) {
        return Ok(Visibility::Follows(lead));
    }
    if output.digest.is_some() {
        let digest = reader.digest_with(&output.id, item.key)?;
        return Ok(digest.map_or(Visibility::NotInDigest, |(_, title)| Visibility::InDigest(title)));
    }
    let place = shown.iter().position(|entry| entry.key == item.key);
    Ok(place.map_or(Visibility::NoRoom, |place| Visibility::Shown(place + 1)))
}
