//! Explains the selection to commands: whether an output shows an item, or why not, and what the filters of a config
//! match of the stored items, for `newswire check` and `newswire replay`.
//!
//! The conditions are the same as in a publication, in the same order.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::Error;
use super::select::{Batch, Feeds, Merge, feeds};
use crate::model::{Conditions, FeedKey, Filter, ItemKey, OutputItem, Refusal, Subject};
use crate::render::{Output, Selector};
use crate::store::{self, ItemHead, ItemSummary, Transaction};

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
) -> Result<Visibility, store::Error> {
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

/// Number of the newest items that are examined for an output, and for each feed.
const EXAMINED: usize = 1_000;
/// Number of titles that are kept of a rule.
const EXAMPLES: usize = 5;

/// What one rule matches of the newest items that it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterEffect {
    /// The rule as the config has it.
    pub rule: String,
    /// Number of items that were examined.
    pub examined: usize,
    /// Number of these items that the rule matches.
    pub matched: usize,
    /// Titles of the newest of them.
    pub titles: Vec<String>,
}

impl FilterEffect {
    fn new(rule: &str) -> Self {
        Self { rule: rule.to_owned(), ..Self::default() }
    }

    fn add(&mut self, entry: &OutputItem, matched: bool) {
        self.examined += 1;
        self.matched += usize::from(matched);
        if matched && self.titles.len() < EXAMPLES {
            let item = &entry.item;
            let title = item.title.as_deref().or(item.url.as_deref()).unwrap_or("untitled");
            self.titles.push(format!("{title} ({})", entry.feed.id));
        }
    }
}

fn subject(entry: &OutputItem) -> Subject<'_> {
    Subject::new(&entry.feed.id, &entry.feed.tags, &entry.item, entry.first_seen)
}

/// The effect of each table of the output that has conditions on items.
///
/// # Errors
/// When the store fails.
pub fn output_filter_effects(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Vec<FilterEffect>, Error> {
    let tables: Vec<&Conditions> =
        output.filter.tables().filter(|table| !table.is_of_feeds()).collect();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let feeds = feeds(reader, |_| true)?;
    let heads = Merge::new(reader, feeds.keys().copied())?.next_batch(EXAMINED)?;
    let keys: Vec<ItemKey> = heads.iter().map(|head| head.key).collect();
    let entries = reader.output_items(&keys, &feeds)?;
    let mut effects = Vec::with_capacity(tables.len());
    for table in tables {
        let mut effect = FilterEffect::new(&table.text);
        for entry in keys.iter().filter_map(|key| entries.get(key)) {
            if table.takes_feed(&entry.feed.id, &entry.feed.tags) {
                effect.add(entry, table.is_met(&subject(entry)));
            }
        }
        effects.push(effect);
    }
    Ok(effects)
}

/// The effect of each rule of the filters of feeds, on the items of these feeds that were seen since: how many of them
/// it keeps out, or would keep out if they were new.
///
/// # Errors
/// When the store fails.
pub fn feed_filter_effects(
    reader: &Transaction<'_>,
    filters: &HashMap<FeedKey, &[Filter]>,
    since: Timestamp,
) -> Result<Vec<FilterEffect>, Error> {
    let feeds = feeds(reader, |feed| filters.contains_key(&feed.key))?;
    let mut effects: Vec<FilterEffect> = Vec::new();
    let mut keys: Vec<FeedKey> = feeds.keys().copied().collect();
    keys.sort_unstable();
    for feed in keys {
        let recent = reader.recent_items(feed, EXAMINED)?;
        let items: Vec<ItemKey> = recent.iter().map(|recent| recent.key).collect();
        let entries = reader.output_items(&items, &feeds)?;
        let entries = items.iter().filter_map(|key| entries.get(key));
        let entries: Vec<&OutputItem> = entries.filter(|entry| entry.first_seen >= since).collect();
        for filter in filters[&feed] {
            let not_included = (!filter.include.is_empty()).then_some(Filter::NOT_INCLUDED);
            let rules = filter.exclude.iter().map(|table| table.text.as_str()).chain(not_included);
            for rule in rules {
                let at = effects.iter().position(|effect| effect.rule == rule);
                let at = at.unwrap_or_else(|| {
                    effects.push(FilterEffect::new(rule));
                    effects.len() - 1
                });
                for entry in &entries {
                    let refusal = filter.refusal(&subject(entry));
                    let refused = refusal.as_ref().map(Refusal::rule) == Some(rule);
                    effects[at].add(entry, refused);
                }
            }
        }
    }
    Ok(effects)
}
