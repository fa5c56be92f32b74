//! Queries about one output: items by page, full-text search, one item, archive pages, and the months of the calendar in
//! which it has stories.
//!
//! Uses the same selection as the documents, so that a web page shows what the documents show.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use url::form_urlencoded;

use super::error::Error;
use super::filtered::{self, OutputFeeds};
use super::found::{Found, Scope};
use super::select::{self, BATCH, Batch, Position, complete, feeds_taken};
use super::site_pages::query_of;
use super::{archive, digest};
use crate::model::{FeedInfo, ItemKey, OutputItem};
use crate::render::{Document, Format, Output, Selector};
use crate::store::{ArchivePage, Reader, SearchQuery, Transaction};

/// Time for which the months are kept over publications: to find them costs a look at each feed for each month.
const MONTHS_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Number of archive pages that are kept in memory.
const PAGES: usize = 8;
/// Number of documents of queries that are kept in memory until the next publication.
const FILTERED: usize = 16;

/// Which items of an output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Words that title or text must contain; all items where empty.
    pub words: String,
    /// Only items of the feed with this id.
    pub feed: Option<String>,
    /// Only items of feeds with this tag.
    pub tag: Option<String>,
    /// Only items of this month, in the time zone of the output. Documents of a query ignore it.
    pub month: Option<Month>,
    /// Only items after this position.
    pub after: Option<Position>,
}

impl Query {
    /// Whether it selects some items only, whatever month or page of them it names.
    #[must_use]
    pub fn is_filter(&self) -> bool {
        !self.words.is_empty() || self.feed.is_some() || self.tag.is_some()
    }

    /// Whether it selects a feed of the output.
    pub(super) fn selects(&self, feed: &FeedInfo) -> bool {
        self.feed.as_deref().is_none_or(|id| feed.id.as_str() == id)
            && self.tag.as_ref().is_none_or(|tag| feed.tags.contains(tag))
    }

    /// Whether the stories have to contain words.
    pub(super) fn is_search(&self) -> bool {
        !self.words.trim().is_empty()
    }

    /// The query of a URL with the same filter, without month and position.
    #[must_use]
    pub fn to_url_query(&self) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        if !self.words.is_empty() {
            pairs.append_pair("q", &self.words);
        }
        for (name, value) in [("feed", &self.feed), ("tag", &self.tag)] {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        pairs.finish()
    }
}

/// Some items, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// The items with their stories.
    pub entries: Vec<OutputItem>,
    /// Where to continue; `None`: these were the last.
    pub more: Option<Position>,
}

/// What is at the address of the page of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoryAt {
    /// This item of the story, which need not be its lead.
    Here(Box<OutputItem>),
    /// The story is at the address of this item, its lead: the item of the address led it before, and is not shown now.
    Moved(ItemKey),
}

/// Everything that is stored of one output, as of its last publication. Every method blocks: call
/// it off the async threads.
pub struct Contents {
    pub(super) reader: Reader,
    pub(super) output: Arc<Output>,
    /// Archive pages that were requested, the last one first.
    pages: Mutex<VecDeque<(u32, Arc<Document>)>>,
    /// Documents of queries that were requested, the last one first, with the query.
    filtered: Mutex<VecDeque<(String, Arc<Document>)>>,
    /// Its months, once they were requested.
    months: OnceLock<Months>,
    /// Time of the publication.
    at: Timestamp,
}

/// The months of an output.
#[derive(Debug, Clone)]
struct Months {
    months: Arc<[Month]>,
    /// Time of the publication for which they were found.
    at: Timestamp,
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").field("output", &self.output.id).finish_non_exhaustive()
    }
}

impl Contents {
    /// The contents of this output as of a publication.
    #[must_use]
    pub fn new(reader: &Reader, output: &Arc<Output>, at: Timestamp) -> Self {
        let (pages, filtered, months) = Default::default();
        Self { reader: reader.clone(), output: Arc::clone(output), pages, filtered, months, at }
    }

    /// The contents with the months of an earlier publication, if these are of the same output and hour.
    #[must_use]
    pub fn following(self, before: Option<&Self>) -> Self {
        let same = before.filter(|before| Arc::ptr_eq(&before.output, &self.output));
        let months = same.and_then(|before| before.months.get());
        let is_recent = |kept: &&Months| {
            let age = self.at.duration_since(kept.at);
            // A new month appears at once.
            (SignedDuration::ZERO..MONTHS_FOR).contains(&age)
                && kept.months.first() == Some(&Month::of(self.at, &self.zone()))
        };
        match months.filter(is_recent).cloned() {
            Some(months) => Self { months: OnceLock::from(months), ..self },
            None => self,
        }
    }

    /// A document with the newest items of a query, at most as many as the output shows.
    ///
    /// # Errors
    /// When the store fails, or the document does not pass the check.
    pub fn filtered(&self, query: &Query, format: Format) -> Result<Option<Arc<Document>>, Error> {
        if !self.output.formats.contains(&format) {
            return Ok(None);
        }
        let lock = || self.filtered.lock().unwrap_or_else(PoisonError::into_inner);
        let url_query = query.to_url_query();
        let is_it =
            |held: &&(String, Arc<Document>)| held.0 == url_query && held.1.format == format;
        if let Some((_, document)) = lock().iter().find(is_it) {
            return Ok(Some(Arc::clone(document)));
        }
        let mut entries = self.reader.read(|reader| self.newest(reader, query))?;
        // The results of a search are in the order of arrival.
        entries.sort_by_key(|entry| Reverse((entry.sort_at, entry.key)));
        let output = filtered::of_query(&self.output, query, &self.feeds()?);
        let Some(document) = filtered::document(&output, format, &entries)? else {
            return Ok(None);
        };
        let document = Arc::new(document);
        let mut filtered = lock();
        filtered.push_front((url_query, Arc::clone(&document)));
        filtered.truncate(FILTERED);
        Ok(Some(document))
    }

    /// The items of a query for a document: the newest, and those that arrived last.
    fn newest(&self, reader: &Transaction<'_>, query: &Query) -> Result<Vec<OutputItem>, Error> {
        let newest = Query { month: None, after: None, ..query.clone() };
        if self.output.digest.is_some() {
            return Ok(self.browse_digests(reader, &newest, self.output.items)?.entries);
        }
        let scope = Scope::of(reader, &self.output, &newest)?;
        let Found { mut entries, mut others, .. } = scope.find(self.output.items)?;
        // The results of a search are those that arrived last.
        if !newest.is_search() {
            let shown = (&*self.output, scope.feeds());
            let (_, late) = select::add_latest(reader, shown, scope.selector(), &mut entries)?;
            others.extend(late);
        }
        let shown = (&mut *entries, &others);
        select::complete_for_document(reader, &self.output, shown, scope.feeds().taken)?;
        Ok(entries)
    }

    /// At most `limit` items.
    ///
    /// # Errors
    /// When the store fails.
    pub fn browse(&self, query: &Query, limit: usize) -> Result<Results, Error> {
        self.reader.read(|reader| self.browse_in(reader, query, limit))
    }

    fn browse_in(
        &self,
        reader: &Transaction<'_>,
        query: &Query,
        limit: usize,
    ) -> Result<Results, Error> {
        if self.output.digest.is_some() {
            return self.browse_digests(reader, query, limit);
        }
        let scope = Scope::of(reader, &self.output, query)?;
        let Found { mut entries, more, .. } = scope.find(limit)?;
        complete(reader, &self.output, &mut entries, scope.feeds().taken)?;
        Ok(Results { entries, more })
    }

    /// The digests of a query. None is of one feed or tag.
    fn browse_digests(
        &self,
        reader: &Transaction<'_>,
        query: &Query,
        limit: usize,
    ) -> Result<Results, Error> {
        let mut results = Results::default();
        self.walk_digests(reader, query, |entry| {
            if results.entries.len() == limit {
                let last = results.entries.last();
                results.more = last.map(|e| Position { sort_at: e.sort_at, key: e.key });
                return ControlFlow::Break(());
            }
            results.entries.push(entry);
            ControlFlow::Continue(())
        })?;
        Ok(results)
    }

    /// Visits the digests of a query after its position, the newest first.
    pub(super) fn walk_digests(
        &self,
        reader: &Transaction<'_>,
        query: &Query,
        mut visit: impl FnMut(OutputItem) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let search = SearchQuery::read(&query.words);
        let is_never_met = search.is_none() && !query.words.trim().is_empty();
        if query.feed.is_some() || query.tag.is_some() || is_never_met {
            return Ok(());
        }
        let zone = self.zone();
        let (start, end) = match query.month {
            Some(month) => (month.start(&zone), month.end(&zone)),
            None => (Timestamp::MIN, Timestamp::MAX),
        };
        let end = Position { sort_at: end, key: ItemKey(0) };
        let mut before = query.after.map_or(end, |after| after.min(end));
        let matches = |entry: &OutputItem| {
            let (title, text) = (entry.item.title.as_deref(), entry.item.text());
            search.as_ref().is_none_or(|it| it.matches(&[title.unwrap_or_default(), &text]))
        };
        loop {
            let entries = digest::before(reader, &self.output, (start, before), BATCH)?;
            let Some(last) = entries.last() else { return Ok(()) };
            before = Position { sort_at: last.sort_at, key: last.key };
            for entry in entries.into_iter().filter(matches) {
                if visit(entry).is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// One item, if the output takes it and shows its story, by this or another item.
    ///
    /// # Errors
    /// When the store fails.
    pub fn item(&self, key: ItemKey) -> Result<Option<OutputItem>, Error> {
        Ok(match self.story(key)? {
            Some(StoryAt::Here(entry)) => Some(*entry),
            Some(StoryAt::Moved(_)) | None => None,
        })
    }

    /// What is at the address of the page of a story that has the key of this item; `None`: nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub fn story(&self, key: ItemKey) -> Result<Option<StoryAt>, Error> {
        if self.output.digest.is_some() {
            let mut found =
                self.reader.read(|reader| digest::of_numbers(reader, &self.output, [key]))?;
            return Ok(found.pop().map(|entry| StoryAt::Here(Box::new(entry))));
        }
        self.reader.read(|reader| self.story_of_item(reader, key))
    }

    fn story_of_item(
        &self,
        reader: &Transaction<'_>,
        key: ItemKey,
    ) -> Result<Option<StoryAt>, Error> {
        // Only `max_age` uses the time, and a page is not limited by age.
        let selector = Selector::new(&self.output, Timestamp::MAX);
        // As if it had just arrived: an item that is held is not found.
        let before = ArchivePage {
            seen: ItemKey(key.0.saturating_sub(1)),
            late: i64::MAX,
            ..archive::first()
        };
        let arrived = reader.arrivals(&before, 1)?.heads;
        let Some(head) = arrived.into_iter().find(|head| head.key == key) else { return Ok(None) };
        let shown = feeds_taken(reader, &self.output)?;
        let mut batch = Batch::load(reader, &[head], &shown)?;
        if let Some(entry) = batch.item(head, &selector) {
            let mut entries = [entry];
            complete(reader, &self.output, &mut entries, &shown)?;
            let [entry] = entries;
            return Ok(Some(StoryAt::Here(Box::new(entry))));
        }
        let carried = batch.carried(head, &selector);
        let lead = carried.lead.filter(|_| carried.feeds >= selector.min_feeds());
        // A redirect from an item that the output never showed would reveal a story of another output.
        let was_shown = lead.is_some() && reader.archived(&self.output.id, &[key])?.contains(&key);
        Ok(lead.filter(|_| was_shown).map(StoryAt::Moved))
    }

    /// Whether a feed of the output was not polled yet, so that stories may come in a moment.
    ///
    /// # Errors
    /// When the store fails.
    pub fn awaits_feeds(&self) -> Result<bool, Error> {
        self.reader.read(|reader| {
            let shown = feeds_taken(reader, &self.output)?;
            Ok(reader.awaits_feeds(shown.into_keys())?)
        })
    }

    /// The months in which the output has stories, the newest first, bounded. A month whose first story arrives late may be
    /// missing for an hour.
    ///
    /// # Errors
    /// When the store fails.
    pub fn months(&self) -> Result<Arc<[Month]>, Error> {
        if let Some(kept) = self.months.get() {
            return Ok(Arc::clone(&kept.months));
        }
        let months = self.reader.read(|reader| self.find_months(reader))?;
        let found = || Months { months: months.into(), at: self.at };
        Ok(Arc::clone(&self.months.get_or_init(found).months))
    }

    /// The time zone of the months.
    pub(super) fn zone(&self) -> TimeZone {
        self.output.presentation.zone()
    }

    /// The feeds that the output takes.
    ///
    /// # Errors
    /// When the store fails.
    pub fn feeds(&self) -> Result<OutputFeeds, Error> {
        let feeds = self.reader.read(|reader| feeds_taken(reader, &self.output))?;
        Ok(OutputFeeds::new(&self.output, &feeds))
    }

    /// The query with the stories of the page of a static site that has this path, without extension: `tag/rust`. `None`:
    /// there is no such page.
    ///
    /// # Errors
    /// When the store fails.
    pub fn query_of_page(&self, stem: &str) -> Result<Option<Query>, Error> {
        Ok(query_of(stem, self.feeds()?.selectable()))
    }

    /// An archive page, if there is one of this number in this format.
    ///
    /// # Errors
    /// When the store fails, or the page does not pass the check.
    pub fn archive_page(
        &self,
        number: u32,
        format: Format,
    ) -> Result<Option<Arc<Document>>, Error> {
        let lock = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |held: &&(u32, Arc<Document>)| held.0 == number && held.1.format == format;
        if let Some((_, document)) = lock().iter().find(is_it) {
            return Ok(Some(Arc::clone(document)));
        }
        let complete = self.reader.read(|reader| archive::complete_pages(reader, &self.output))?;
        if !(1..=*complete.end()).contains(&number) || !self.output.formats.contains(&format) {
            return Ok(None);
        }
        let entries = self.reader.read(|reader| {
            let feeds = feeds_taken(reader, &self.output)?;
            archive::entries(reader, &self.output, (number, &complete), &feeds)
        })?;
        let Some(entries) = entries else { return Ok(None) };
        let page = archive::page(number, &complete);
        let Some(document) = archive::document(&self.output, format, page, &entries)? else {
            return Ok(None);
        };
        let document = Arc::new(document);
        let mut pages = lock();
        pages.push_front((number, Arc::clone(&document)));
        pages.truncate(PAGES);
        Ok(Some(document))
    }
}

/// A month of the calendar, in the time zone of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

impl Month {
    /// The month of a time in a zone.
    #[must_use]
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self(at.to_zoned_datetime(zone.clone()).date().first_of_month())
    }

    /// First day of the month.
    #[must_use]
    pub fn first_day(self) -> Date {
        self.0
    }

    /// The month before it; itself at the beginning of the calendar.
    #[must_use]
    pub(super) fn before(self) -> Self {
        Self(self.0.yesterday().map_or(self.0, Date::first_of_month))
    }

    /// When it begins in a zone; the earliest time of a zone that cannot represent it.
    #[must_use]
    pub fn start(self, zone: &TimeZone) -> Timestamp {
        zone.to_timestamp(self.0.into()).unwrap_or(Timestamp::MIN)
    }

    /// When the next month begins in a zone; the latest time at the end of the calendar.
    #[must_use]
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        let next = self.0.last_of_month().tomorrow();
        next.and_then(|day| zone.to_timestamp(day.into())).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for Month {
    /// Year and month, ISO 8601: `2023-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = ();

    /// Parses `2023-11`, the only form.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, month) = text.split_once('-').ok_or(())?;
        let number = |digits: &str| digits.parse::<i16>().map_err(drop);
        let month = i8::try_from(number(month)?).map_err(drop)?;
        let parsed = Self(Date::new(number(year)?, month, 1).map_err(drop)?);
        Some(parsed).filter(|parsed| parsed.to_string() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_one_form() {
        assert_eq!("2023-11".parse::<Month>().unwrap().to_string(), "2023-11");
        for text in ["", "2023", "2023-13", "2023-0", "2023-1", "+023-01", "2023-11-01", "-023-01"]
        {
            assert_eq!(text.parse::<Month>(), Err(()), "{text}");
        }
        assert!("2023-12".parse::<Month>() < "2024-01".parse::<Month>());
    }

    #[test]
    fn a_month_begins_at_midnight_of_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let march: Month = "2026-03".parse().unwrap();
        // Summer time begins within it.
        assert_eq!(march.start(&berlin), "2026-02-28T23:00:00Z".parse().unwrap());
        assert_eq!(march.end(&berlin), "2026-03-31T22:00:00Z".parse().unwrap());
        let before =
            Timestamp::from_millisecond(march.start(&berlin).as_millisecond() - 1).unwrap();
        assert_eq!(Month::of(before, &berlin).to_string(), "2026-02");
        assert_eq!(Month::of(march.start(&berlin), &berlin), march);
        assert_eq!("9999-12".parse::<Month>().unwrap().end(&TimeZone::UTC), Timestamp::MAX);
    }
}
