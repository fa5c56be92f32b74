//! The stories of a query in its order: that of the dates, or that of arrival for a search.
//!
//! A story is of a query if any of its items meets all of it: the output takes the item, its feed is one of those that the query
//! selects, and it has the words. Each story has one place in the order, also over several pages: that of the item that
//! shows it, or, in a search, of the last item that arrived with the words.

use jiff::Timestamp;

use super::contents::Query;
use super::error::Error;
use super::ids::OtherLeads;
use super::select::{
    BATCH, Batch, Feeds, FoundStory, Position, ShownFeeds, Walk, feeds_taken, first_of,
};
use crate::model::{ItemKey, OutputItem};
use crate::render::{Output, Selector};
use crate::store::{Hits, ItemHead, SearchQuery, Transaction};

/// Number of candidates that are looked at for one query.
pub(super) const CANDIDATES: usize = 2048;

/// What a query selects of an output.
pub(super) struct Scope<'a> {
    reader: &'a Transaction<'a>,
    query: &'a Query,
    selector: Selector<'a>,
    taken: Feeds,
    selected: Feeds,
    words: Option<SearchQuery>,
    /// Start and end of the month.
    month: Option<(Timestamp, Timestamp)>,
}

/// Some stories of a query.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The items that show them, in the order of the query.
    pub(super) entries: Vec<OutputItem>,
    /// The leads of those that another item leads in the output.
    pub(super) others: OtherLeads,
    /// Where to continue; `None`: these were the last.
    pub(super) more: Option<Position>,
    /// Number of items that were looked at.
    pub(super) looked_at: usize,
}

impl<'a> Scope<'a> {
    /// Reads which feeds the query selects. Not of an output with digests.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn of(
        reader: &'a Transaction<'a>,
        output: &'a Output,
        query: &'a Query,
    ) -> Result<Self, Error> {
        let taken = feeds_taken(reader, output)?;
        let mut selected = taken.clone();
        selected.retain(|_, feed| query.selects(feed));
        let zone = output.presentation.zone();
        Ok(Self {
            reader,
            query,
            // Only `max_age` uses the time, and a query is not limited by age.
            selector: Selector::new(output, Timestamp::MAX),
            taken,
            selected,
            words: SearchQuery::read(&query.words),
            month: query.month.map(|month| (month.start(&zone), month.end(&zone))),
        })
    }

    /// The same stories as far as they are of a month, which begins and ends then.
    pub(super) fn set_month(&mut self, start: Timestamp, end: Timestamp) {
        self.month = Some((start, end));
    }

    /// The feeds of the output, and those that the query selects.
    pub(super) fn feeds(&self) -> ShownFeeds<'_> {
        ShownFeeds { taken: &self.taken, selected: &self.selected }
    }

    /// The conditions of the output.
    pub(super) fn selector(&self) -> &Selector<'a> {
        &self.selector
    }

    /// At most `limit` stories after the position of the query, not completed.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn find(&self, limit: usize) -> Result<Found, Error> {
        // Search results are in the order of arrival: they are compared with the bounds one by one.
        let by_date = self.month.filter(|_| !self.query.is_search());
        let end = by_date.map(|(_, end)| Position { sort_at: end, key: ItemKey(0) });
        let (after, candidates) = (self.query.after.or(end), self.selected.keys().copied());
        let mut walk = Walk::start(self.reader, &self.query.words, after, candidates)?;
        let (mut found, mut last_found, mut batch) = (Found::default(), None, BATCH);
        loop {
            let Hits { mut heads, last } = walk.next_batch(batch)?;
            // Each further batch of a search costs as much as the whole search.
            batch = (4 * batch).min(CANDIDATES);
            found.looked_at += heads.len();
            let is_end = heads.is_empty();
            if let Some((start, end)) = by_date {
                heads.retain(|head| (start..end).contains(&head.sort_at));
            }
            for heads in heads.chunks(BATCH) {
                for (position, story) in self.stories(heads)? {
                    if found.entries.len() == limit {
                        found.more = last_found;
                        return Ok(found);
                    }
                    last_found = Some(position);
                    found.entries.push(story.into_entry(&mut found.others));
                }
            }
            let is_older = |last: &ItemHead| by_date.is_some_and(|(start, _)| last.sort_at < start);
            let Some(last) = last.filter(|last| !is_older(last)) else { return Ok(found) };
            // Where no text has the phrase, many were looked at for it.
            if found.looked_at >= CANDIDATES || is_end {
                found.more = Some(Position { sort_at: last.sort_at, key: last.key });
                return Ok(found);
            }
        }
    }

    /// The stories that have their place in the order at one of these items, with the place.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn stories(&self, heads: &[ItemHead]) -> Result<Vec<(Position, FoundStory)>, Error> {
        let heads = heads.iter().copied().filter(|head| self.selected.contains_key(&head.feed));
        let heads: Vec<ItemHead> = heads.collect();
        let mut batch = Batch::load(self.reader, &heads, &self.taken)?;
        let mut stories = Vec::new();
        for head in heads {
            if !self.has_place_at(head, &batch) {
                continue;
            }
            let found = batch.story(head, &self.selector, &self.selected);
            let Some(story) = found.filter(|story| self.is_in_month(&story.entry)) else {
                continue;
            };
            stories.push((Position { sort_at: head.sort_at, key: head.key }, story));
        }
        Ok(stories)
    }

    /// Whether the story of an item has its place at this item.
    fn has_place_at(&self, head: ItemHead, batch: &Batch) -> bool {
        let taken = batch.taken(head, &self.selector);
        let Some(words) = &self.words else {
            return first_of(&taken, &self.selected) == Some(head);
        };
        let mut later = taken
            .iter()
            .filter(|member| member.key > head.key && self.selected.contains_key(&member.feed));
        taken.contains(&head)
            && !later.any(|it| batch.entry(it.key).is_some_and(|entry| has_words(entry, words)))
    }

    fn is_in_month(&self, entry: &OutputItem) -> bool {
        self.month.is_none_or(|(start, end)| (start..end).contains(&entry.sort_at))
    }
}

/// Whether an item is one that a search finds.
fn has_words(entry: &OutputItem, words: &SearchQuery) -> bool {
    let text = entry.item.text();
    words.matches(&[entry.item.title.as_deref().unwrap_or_default(), &text])
}
