//! What is kept behind an output: answers a reader's questions and makes the pages of the archive.
//!
//! Leaves which item leads its story to the door, so that a page shows what the documents show.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::error::Error;
use super::ids::Lent;
use super::walk::Walk;
use super::{archive, pages};
use crate::model::{Entry, FeedInfo, FeedKey, ItemKey};
use crate::publish::{
    Document, Format, Found, Leaf, Output, Place, Question, Selector, Source, Stacks, StacksError,
};
use crate::store::{ArchivePage, Head, Hits, Reader};

/// So many candidates are looked up at once,
const BATCH: usize = 64;
/// and so many in all for one question.
const CANDIDATES: usize = 2048;
/// So many pages of the archive are held ready.
const READY: usize = 8;

/// Feeds by row.
type Feeds = HashMap<FeedKey, Arc<FeedInfo>>;
/// Those items that a selection takes and that lead their story there.
type Leads = fn(&Reader, &[Head], &Feeds, &Selector<'_>) -> Result<Vec<Entry>, Error>;
/// Gives entries what they need beside their items.
type Complete = fn(&Reader, &Output, &mut [Entry], &Feeds) -> Result<Vec<Lent>, Error>;

/// Everything that is kept of one output, as it was when it was last published.
pub(crate) struct Holdings {
    reader: Reader,
    output: Arc<Output>,
    /// Pages of the archive that were asked for, the last one first.
    ready: Mutex<VecDeque<(u32, Arc<Document>)>>,
    leads: Leads,
    complete: Complete,
}

impl fmt::Debug for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holdings").field("output", &self.output.id).finish_non_exhaustive()
    }
}

impl Holdings {
    /// Of this output; `leads` and `complete` do as for the documents.
    pub(crate) fn new(
        reader: &Reader,
        output: &Arc<Output>,
        leads: Leads,
        complete: Complete,
    ) -> Self {
        let (reader, output) = (reader.clone(), Arc::clone(output));
        Self { reader, output, ready: Mutex::default(), leads, complete }
    }

    /// The numbers of the oldest and the newest page that are full and have something to show.
    pub(crate) fn pages(&self) -> Result<RangeInclusive<u32>, Error> {
        let growing = self.reader.growing_page(&self.output.id)?;
        let oldest = self.reader.oldest_page(&self.output.id)?;
        Ok(oldest.unwrap_or(1)..=growing.map_or(0, |growing| growing.number - 1))
    }

    /// What stands on a page of the archive and can still be shown, the newest first.
    fn page(&self, number: u32) -> Result<Option<Vec<Entry>>, Error> {
        let Some(page) = self.reader.archive_page(&self.output.id, number)? else {
            return Ok(None);
        };
        // Also of a feed that the output no longer takes: what stands here stays.
        let mut entries = self.reader.entries(&page.items, &feeds(&self.reader, |_| true)?)?;
        let mut entries: Vec<Entry> =
            page.items.iter().filter_map(|key| entries.remove(key)).collect();
        entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
        (self.complete)(&self.reader, &self.output, &mut entries, &self.taken()?)?;
        Ok(Some(entries))
    }

    /// The feeds that the output takes.
    fn taken(&self) -> Result<Feeds, Error> {
        let selector = Selector::new(&self.output, Timestamp::MAX);
        feeds(&self.reader, |feed| selector.takes_feed(&feed.id, &feed.tags))
    }

    /// Writes the archive, if the output is written; `written` is the newest page that was.
    pub(crate) fn write(
        &self,
        pages: &RangeInclusive<u32>,
        written: Option<u32>,
    ) -> Result<(), Error> {
        match &self.output.directory {
            Some(directory) => {
                pages::write(&self.output, directory, pages, written, |number| self.page(number))
            }
            None => Ok(()),
        }
    }

    fn browsed(&self, question: &Question, limit: usize) -> Result<Found, Error> {
        // Only `max_age` looks at the time, and a reader's question has no bound of age.
        let selector = Selector::new(&self.output, Timestamp::MAX);
        let shown = feeds(&self.reader, |feed| {
            selector.takes_feed(&feed.id, &feed.tags)
                && question.feed.as_deref().is_none_or(|id| feed.id.as_str() == id)
                && question.tag.as_ref().is_none_or(|tag| feed.tags.contains(tag))
        })?;
        let mut walk = Walk::start(&self.reader, question, shown.keys().copied())?;
        let (mut found, mut looked_at) = (Found::default(), 0);
        'walk: loop {
            let Hits { heads, last } = walk.next_batch(BATCH)?;
            looked_at += heads.len();
            for entry in (self.leads)(&self.reader, &heads, &shown, &selector)? {
                if found.entries.len() == limit {
                    let before = found.entries.last();
                    found.more = before.map(|e| Place { sort_at: e.sort_at, key: e.key });
                    break 'walk;
                }
                found.entries.push(entry);
            }
            let Some(last) = last else { break };
            // Where no text has the phrase, many were looked at for it.
            if looked_at >= CANDIDATES || heads.is_empty() {
                found.more = Some(Place { sort_at: last.sort_at, key: last.key });
                break;
            }
        }
        (self.complete)(&self.reader, &self.output, &mut found.entries, &self.taken()?)?;
        Ok(found)
    }

    fn kept(&self, number: u32, format: Format) -> Result<Option<Arc<Document>>, Error> {
        let lock = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |held: &&(u32, Arc<Document>)| held.0 == number && held.1.format == format;
        if let Some((_, document)) = lock().iter().find(is_it) {
            return Ok(Some(Arc::clone(document)));
        }
        let pages = self.pages()?;
        if !(1..=*pages.end()).contains(&number) || !self.output.formats.contains(&format) {
            return Ok(None);
        }
        let Some(entries) = self.page(number)? else { return Ok(None) };
        let leaf = Leaf::Archived { number, newest: *pages.end(), oldest: *pages.start() };
        let document = Arc::new(pages::document(&self.output, format, leaf, &entries)?);
        let mut ready = lock();
        ready.push_front((number, Arc::clone(&document)));
        ready.truncate(READY);
        Ok(Some(document))
    }
}

impl Stacks for Holdings {
    fn browse(&self, question: &Question, limit: usize) -> Result<Found, StacksError> {
        self.browsed(question, limit).map_err(|error| StacksError(error.to_string()))
    }

    fn story(&self, key: ItemKey) -> Result<Option<Entry>, StacksError> {
        let read = || -> Result<Option<Entry>, Error> {
            let (selector, shown) = (Selector::new(&self.output, Timestamp::MAX), self.taken()?);
            // As if it had just arrived: so what waits for a word of the operator is not there.
            let before = ArchivePage {
                seen: ItemKey(key.0.saturating_sub(1)),
                late: i64::MAX,
                ..archive::first()
            };
            let arrived = self.reader.arrivals(&before, 1)?.heads;
            let head = arrived.into_iter().filter(|head| head.key == key).collect::<Vec<_>>();
            let mut entry = (self.leads)(&self.reader, &head, &shown, &selector)?;
            (self.complete)(&self.reader, &self.output, &mut entry, &shown)?;
            Ok(entry.pop())
        };
        read().map_err(|error| StacksError(error.to_string()))
    }

    fn sources(&self) -> Result<Vec<Source>, StacksError> {
        let shown = self.taken().map_err(|error| StacksError(error.to_string()))?;
        let source = |feed: &Arc<FeedInfo>| Source {
            id: feed.id.to_string(),
            title: feed.title.clone(),
            tags: feed.tags.clone(),
        };
        let mut sources: Vec<Source> = shown.values().map(source).collect();
        sources.sort_by_cached_key(|source| (source.title.to_lowercase(), source.id.clone()));
        Ok(sources)
    }

    fn archived(&self, number: u32, format: Format) -> Result<Option<Arc<Document>>, StacksError> {
        self.kept(number, format).map_err(|error| StacksError(error.to_string()))
    }
}

/// Those of the configured feeds that `takes` takes.
pub(crate) fn feeds(reader: &Reader, takes: impl Fn(&FeedInfo) -> bool) -> Result<Feeds, Error> {
    let feeds = reader.feeds()?.into_iter().filter(takes);
    Ok(feeds.map(|feed| (feed.key, Arc::new(feed))).collect())
}
