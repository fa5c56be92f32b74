//! The stories of a query in its order: that of the dates, or that of arrival for a search.
//!
//! A story is of a query if any of its items meets all of it: the output takes the item, its feed is one of those that the query
//! selects, and it has the words. Each story has one place in the order, also over several pages: that of the item that
//! shows it, or, in a search, of the last item that arrived with the words.
//!
//! A page begins after a position, and the page before it, with newer items, ends there. So its items are found by going from
//! the position towards newer ones. Also the months of the calendar in which an output has stories.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::contents::{Contents, Month, Query};
use super::error::Error;
use super::ids::OtherLeads;
use super::select::{
    BATCH, Batch, Feeds, FoundStory, Position, ShownFeeds, Walk, feeds_taken, first_of,
};
use crate::model::{FeedKey, ItemKey, OutputItem};
use crate::render::{Output, Selector};
use crate::store::{Hits, ItemHead, SearchQuery, Start, Transaction};

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

impl Contents {
    /// The query of the page of `limit` items before that of `query` in the order, which begins with newer ones; `None`:
    /// there is no newer item.
    ///
    /// # Errors
    /// When the store fails.
    pub fn newer(&self, query: &Query, limit: usize) -> Result<Option<Query>, Error> {
        let Some(position) = query.after else { return Ok(None) };
        let page = Page { query, position, limit };
        let found = self.reader.read(|reader| match &self.output.digest {
            Some(_) => self.newer_digests(reader, page),
            None => self.newer_items(reader, page),
        })?;
        let after = match found {
            NewerFound::Nothing => return Ok(None),
            NewerFound::First => None,
            NewerFound::After(position) => Some(position),
        };
        Ok(Some(Query { after, ..query.clone() }))
    }

    /// Of stories: those from the position on, in the order of the pages, which is that of arrival for a search.
    fn newer_items(&self, reader: &Transaction<'_>, page: Page<'_>) -> Result<NewerFound, Error> {
        let scope = Scope::of(reader, &self.output, page.query)?;
        let feeds: Vec<FeedKey> = scope.feeds().selected.keys().copied().collect();
        let mut newer = Newer { scope, limit: page.limit, count: 0, found: NewerFound::Nothing };
        let words = page.query.words.trim();
        let (mut from, mut batch, mut looked_at) = (page.position, 2 * page.limit, 0);
        loop {
            let hits = match words {
                "" => all_from(reader, &feeds, from, batch)?,
                words => reader.search_from(words, from.key, batch)?,
            };
            looked_at += hits.heads.len();
            newer.add(&hits.heads)?;
            let (NewerFound::First | NewerFound::Nothing, Some(last)) = (newer.found, hits.last)
            else {
                return Ok(newer.found);
            };
            if looked_at >= CANDIDATES {
                return Ok(NewerFound::After(Position { sort_at: last.sort_at, key: last.key }));
            }
            from = Position { sort_at: last.sort_at, key: ItemKey(last.key.0 + 1) };
            // Each further batch of a search costs as much as the whole search.
            batch = (4 * batch).min(CANDIDATES);
        }
    }

    /// Of digests, of which there are few: from the newest one on.
    fn newer_digests(&self, reader: &Transaction<'_>, page: Page<'_>) -> Result<NewerFound, Error> {
        let all = Query { after: None, ..page.query.clone() };
        let mut newer = VecDeque::new();
        let mut count = 0;
        self.walk_digests(reader, &all, |entry| {
            let position = Position { sort_at: entry.sort_at, key: entry.key };
            if position < page.position {
                return ControlFlow::Break(());
            }
            count += 1;
            newer.push_back(position);
            if newer.len() > page.limit + 1 {
                newer.pop_front();
            }
            ControlFlow::Continue(())
        })?;
        Ok(match newer.front() {
            None => NewerFound::Nothing,
            Some(_) if count <= page.limit => NewerFound::First,
            Some(position) => NewerFound::After(*position),
        })
    }
}

/// The next items of these feeds from a position on, the oldest first: all up to the last one, at most `limit` of a feed.
fn all_from(
    reader: &Transaction<'_>,
    feeds: &[FeedKey],
    from: Position,
    limit: usize,
) -> Result<Hits, Error> {
    let mut heads = reader.items_from(feeds, (from.sort_at, from.key), limit)?;
    let mut of_feed: HashMap<FeedKey, usize> = HashMap::new();
    // Behind it, items of a feed may be missing.
    let end = heads.iter().position(|head| {
        let count = of_feed.entry(head.feed).or_default();
        *count += 1;
        *count == limit
    });
    let Some(end) = end else { return Ok(Hits { heads, last: None }) };
    heads.truncate(end + 1);
    let last = heads.last().copied();
    Ok(Hits { heads, last })
}

/// The page for which the page before it is looked for.
#[derive(Clone, Copy)]
struct Page<'a> {
    query: &'a Query,
    /// Its items are after this position.
    position: Position,
    /// Number of items on a page.
    limit: usize,
}

/// Where the page before another page begins.
#[derive(Clone, Copy)]
enum NewerFound {
    /// There is no newer item.
    Nothing,
    /// It is the first page.
    First,
    /// After this position.
    After(Position),
}

/// Counts the stories that the output shows, from older to newer ones.
struct Newer<'a> {
    scope: Scope<'a>,
    limit: usize,
    count: usize,
    found: NewerFound,
}

impl Newer<'_> {
    fn add(&mut self, heads: &[ItemHead]) -> Result<(), Error> {
        for heads in heads.chunks(BATCH) {
            for (place, _) in self.scope.stories(heads)? {
                self.count += 1;
                if self.count > self.limit {
                    self.found = NewerFound::After(place);
                    return Ok(());
                }
                self.found = NewerFound::First;
            }
        }
        Ok(())
    }
}

/// Maximum number of months with a page.
const MONTHS: usize = 240;
/// Number of items and feeds that are looked at for the months whose newest item shows no story.
const LOOKED_AT: usize = 8 * CANDIDATES;

impl Contents {
    /// The months, the newest first, at most [`MONTHS`]. A month is listed without stories only where very many items would have to
    /// be looked at to find that it has none.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn find_months(&self, reader: &Transaction<'_>) -> Result<Vec<Month>, Error> {
        if self.output.digest.is_some() {
            return self.digest_months(reader);
        }
        let (zone, all) = (self.zone(), Query::default());
        let mut scope = Scope::of(reader, &self.output, &all)?;
        let feeds: Vec<FeedKey> = scope.feeds().taken.keys().copied().collect();
        let newest = self.newest_of_months(reader, &feeds)?;
        let month_of = |at: Timestamp| Month::of(at, &zone);
        // Nearly always the newest item of a month shows a story.
        let mut shown = HashSet::new();
        for heads in newest.chunks(BATCH) {
            let stories = scope.stories(heads)?;
            shown.extend(stories.into_iter().map(|(place, _)| month_of(place.sort_at)));
        }
        let (mut months, mut looked_at) = (Vec::with_capacity(newest.len()), 0);
        for month in newest.iter().map(|head| month_of(head.sort_at)) {
            let mut has_stories = shown.contains(&month) || looked_at >= LOOKED_AT;
            if !has_stories {
                scope.set_month(month.start(&zone), month.end(&zone));
                let found = scope.find(1)?;
                looked_at += found.looked_at + feeds.len();
                // The page of a month that is not looked at to its end leads on.
                has_stories = !found.entries.is_empty() || found.more.is_some();
            }
            months.extend(Some(month).filter(|_| has_stories));
        }
        Ok(months)
    }

    /// The newest item of each month in which one of these feeds has an item, the newest first.
    fn newest_of_months(
        &self,
        reader: &Transaction<'_>,
        feeds: &[FeedKey],
    ) -> Result<Vec<ItemHead>, Error> {
        let zone = self.zone();
        let mut months: Vec<ItemHead> = Vec::new();
        let mut before = Timestamp::MAX;
        let mut found = reader.newest_before(feeds, before)?;
        while let Some((newest, feed)) = found.filter(|_| months.len() < MONTHS) {
            let month = Month::of(newest, &zone);
            let position = Start::Position(before, ItemKey(i64::MIN));
            months.extend(reader.newest_items(feed, position, 1)?);
            before = month.start(&zone).min(newest);
            // A look at each feed is needed only where this one has no item in the month before.
            let own = reader.newest_before(&[feed], before)?;
            let is_next = |(at, _): &(Timestamp, FeedKey)| Month::of(*at, &zone) == month.before();
            found = match own.filter(is_next) {
                Some(own) => Some(own),
                None => reader.newest_before(feeds, before)?,
            };
        }
        Ok(months)
    }

    /// The months in which digests were closed, the newest first.
    fn digest_months(&self, reader: &Transaction<'_>) -> Result<Vec<Month>, Error> {
        let (zone, ends) = (self.zone(), reader.digest_ends(&self.output.id)?);
        let months: BTreeSet<Month> =
            ends.into_iter().map(|(_, at)| Month::of(at, &zone)).collect();
        Ok(months.into_iter().rev().take(MONTHS).collect())
    }
}
