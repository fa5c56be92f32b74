//! The items of many feeds, newest first, read a little at a time from each.
//!
//! Costs one look at every feed and then only what is taken, however much is kept.

use std::collections::{BinaryHeap, HashMap, VecDeque};

use jiff::Timestamp;

use crate::model::{FeedKey, ItemKey, StoryKey};
use crate::publish::Place;
use crate::store::{Error, Head, Reader};

/// So many items of one feed are read at once.
const PAGE: usize = 32;

/// Where the walk stands.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    reader: &'a Reader,
    /// The next item of each feed, the newest on top.
    next: BinaryHeap<(Timestamp, ItemKey, FeedKey)>,
    pages: HashMap<FeedKey, VecDeque<Head>>,
}

impl<'a> Merge<'a> {
    /// Starts at the newest item of each feed.
    pub(crate) fn new(
        reader: &'a Reader,
        feeds: impl Iterator<Item = FeedKey>,
    ) -> Result<Self, Error> {
        Self::behind(reader, feeds, None)
    }

    /// Starts behind a place in the order.
    pub(crate) fn behind(
        reader: &'a Reader,
        feeds: impl Iterator<Item = FeedKey>,
        place: Option<Place>,
    ) -> Result<Self, Error> {
        let mut merge = Self { reader, next: BinaryHeap::new(), pages: HashMap::new() };
        for feed in feeds {
            let head = |Place { sort_at, key }| Head { feed, key, story: StoryKey(key.0), sort_at };
            // One, not a page: most feeds of a large instance are not in the newest hundred.
            merge.read(feed, place.map(head), 1)?;
        }
        Ok(merge)
    }

    /// The next `limit` items, newest first; fewer at the end.
    pub(crate) fn next_batch(&mut self, limit: usize) -> Result<Vec<Head>, Error> {
        let mut batch = Vec::with_capacity(limit);
        while batch.len() < limit {
            let Some((_, _, feed)) = self.next.pop() else { break };
            // A feed that was dropped may still stand on the heap.
            let Some(page) = self.pages.get_mut(&feed) else { continue };
            let Some(head) = page.pop_front() else { continue };
            match page.front() {
                Some(head) => self.next.push((head.sort_at, head.key, feed)),
                None => self.read(feed, Some(head), PAGE)?,
            }
            batch.push(head);
        }
        Ok(batch)
    }

    /// Leaves the rest of a feed out.
    pub(crate) fn drop_feed(&mut self, feed: FeedKey) {
        self.pages.remove(&feed);
    }

    /// Reads on in one feed.
    fn read(&mut self, feed: FeedKey, after: Option<Head>, limit: usize) -> Result<(), Error> {
        let page = self.reader.newest(feed, after, limit)?;
        if let Some(head) = page.first() {
            self.next.push((head.sort_at, head.key, feed));
            self.pages.insert(feed, page.into());
        }
        Ok(())
    }
}
