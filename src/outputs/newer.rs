//! The page before a page: the way back to newer items.
//!
//! A page begins after a position, and the page before it ends there. So its items are found by going from the position
//! towards newer ones.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use super::contents::{Contents, Query};
use super::error::Error;
use super::found::{CANDIDATES, Scope};
use super::select::{BATCH, Position};
use crate::model::{FeedKey, ItemKey};
use crate::store::{Hits, ItemHead, Transaction};

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
            Found::Nothing => return Ok(None),
            Found::First => None,
            Found::After(position) => Some(position),
        };
        Ok(Some(Query { after, ..query.clone() }))
    }

    /// Of stories: those from the position on, in the order of the pages, which is that of arrival for a search.
    fn newer_items(&self, reader: &Transaction<'_>, page: Page<'_>) -> Result<Found, Error> {
        let scope = Scope::of(reader, &self.output, page.query)?;
        let feeds: Vec<FeedKey> = scope.feeds().selected.keys().copied().collect();
        let mut newer = Newer { scope, limit: page.limit, count: 0, found: Found::Nothing };
        let words = page.query.words.trim();
        let (mut from, mut batch, mut looked_at) = (page.position, 2 * page.limit, 0);
        loop {
            let hits = match words {
                "" => all_from(reader, &feeds, from, batch)?,
                words => reader.search_from(words, from.key, batch)?,
            };
            looked_at += hits.heads.len();
            newer.add(&hits.heads)?;
            let (Found::First | Found::Nothing, Some(last)) = (newer.found, hits.last) else {
                return Ok(newer.found);
            };
            if looked_at >= CANDIDATES {
                return Ok(Found::After(Position { sort_at: last.sort_at, key: last.key }));
            }
            from = Position { sort_at: last.sort_at, key: ItemKey(last.key.0 + 1) };
            // Each further batch of a search costs as much as the whole search.
            batch = (4 * batch).min(CANDIDATES);
        }
    }

    /// Of digests, of which there are few: from the newest one on.
    fn newer_digests(&self, reader: &Transaction<'_>, page: Page<'_>) -> Result<Found, Error> {
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
            None => Found::Nothing,
            Some(_) if count <= page.limit => Found::First,
            Some(position) => Found::After(*position),
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
enum Found {
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
    found: Found,
}

impl Newer<'_> {
    fn add(&mut self, heads: &[ItemHead]) -> Result<(), Error> {
        for heads in heads.chunks(BATCH) {
            for (place, _) in self.scope.stories(heads)? {
                self.count += 1;
                if self.count > self.limit {
                    self.found = Found::After(place);
                    return Ok(());
                }
                self.found = Found::First;
            }
        }
        Ok(())
    }
}
