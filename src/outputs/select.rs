//! Which stored items an output shows, newest first, and which arrived last.
//!
//! The candidates of all feeds are merged newest first and read a little at a time, so that a
//! selection costs what it shows and not what is stored. They are judged in batches: one statement
//! reads the items of a batch and the other members of their stories.
//!
//! The documents are in the order of dates. A feed that is polled every few hours, or whose server was down for a day, brings
//! stories that are older than all that fill a document by then. By their dates they would be in no document ever. So a
//! document has room first for the stories that arrived last, as many as it has items. What a feed had published before it
//! was added is not among them: it is shown by its date alone.

use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::Error;
use super::ids::{self, Assignments, Lead, Named, OtherLeads};
use super::{digest, rewrite};
use crate::model::{FeedInfo, FeedKey, ItemKey, OutputItem, StoryKey};
use crate::render::{AddResult, Output, Selector};
use crate::store::{self, Hits, ItemHead, Start, Transaction};

/// Number of candidates that are read at once.
pub(super) const BATCH: usize = 64;
/// Number of items of one feed that are read at once.
const PER_FEED: usize = 32;

/// Feeds by their key.
pub(super) type Feeds = HashMap<FeedKey, Arc<FeedInfo>>;

/// What an output shows, and the ids that it assigns for that.
pub(super) struct Selection {
    /// The selected items, in the order of the documents.
    pub(super) entries: Vec<OutputItem>,
    /// What is newest by date, also where stories that arrived lately take its place.
    pub(super) by_date: Vec<Lead>,
    /// The ids that the output assigns.
    pub(super) ids: Assignments,
    /// When the oldest entry that is shown for its age leaves; `None`: none is.
    pub(super) until: Option<Timestamp>,
    /// Stories that are not newer have no room; `None`: there is room.
    pub(super) displaced: Option<Timestamp>,
}

/// The stories that the output shows, newest first.
///
/// # Errors
/// When the store fails.
pub fn select(
    reader: &Transaction<'_>,
    output: &Output,
    now: Timestamp,
) -> Result<Vec<OutputItem>, Error> {
    Ok(selection(reader, output, now)?.entries)
}

/// As [`select`], with the ids that the output assigns.
///
/// # Errors
/// When the store fails.
pub(super) fn selection(
    reader: &Transaction<'_>,
    output: &Output,
    now: Timestamp,
) -> Result<Selection, Error> {
    if let Some(rule) = output.digest {
        let entries = digest::newest(reader, output)?;
        let until = Some(rule.end_after(now, &output.presentation.zone()));
        let (by_date, ids) = Default::default();
        return Ok(Selection { entries, by_date, ids, until, displaced: None });
    }
    let mut selector = Selector::new(output, now);
    let feeds = feeds(reader, |feed| selector.takes_feed(&feed.id, &feed.tags))?;
    selector = selector.among(feeds.len());
    let mut merge = Merge::new(reader, feeds.keys().copied())?;
    let mut entries = Vec::new();
    'output: loop {
        let heads = merge.next_batch(BATCH)?;
        if heads.is_empty() {
            break;
        }
        let mut batch = Batch::load(reader, &heads, &feeds)?;
        for head in heads {
            let Some(entry) = batch.lead(head, &selector) else { continue };
            match selector.try_add(head.feed, head.sort_at) {
                AddResult::Taken => entries.push(entry),
                // The rest of this feed is older and would be refused as well.
                AddResult::Skipped => merge.drop_feed(head.feed),
                AddResult::Full => break 'output,
            }
        }
    }
    let newest = entries.iter().map(Lead::from).collect();
    let shown = ShownFeeds { taken: &feeds, selected: &feeds };
    let (latest, others) = add_latest(reader, (output, shown), &selector, &mut entries)?;
    let by_date = entries.iter().filter(|entry| !latest.contains(&entry.story));
    let oldest = by_date.map(|entry| entry.sort_at).min().unwrap_or(Timestamp::MAX);
    let displaced = (entries.len() >= output.items).then_some(oldest);
    let members = attach_also(reader, &mut entries, &feeds)?;
    let leads: Vec<Lead> = entries.iter().map(Lead::from).collect();
    let continued = ids::continued(reader, &output.id, &leads, &members)?;
    let ids = ids::assign(reader, &output.id, (&mut entries, &others), &feeds, continued)?;
    rewrite::apply(&output.rewrite, &mut entries);
    selector.arrange(&mut entries);
    Ok(Selection { entries, by_date: newest, ids, until: selector.until(), displaced })
}

/// The feeds that `takes` accepts, of those whose items may be in outputs.
pub(super) fn feeds(
    reader: &Transaction<'_>,
    takes: impl Fn(&FeedInfo) -> bool,
) -> Result<Feeds, Error> {
    let feeds = reader.shown_feeds()?.into_iter().filter(takes);
    Ok(feeds.map(|feed| (feed.key, Arc::new(feed))).collect())
}

/// The feeds that the output takes.
pub(super) fn feeds_taken(reader: &Transaction<'_>, output: &Output) -> Result<Feeds, Error> {
    let selector = Selector::new(output, Timestamp::MAX);
    feeds(reader, |feed| selector.takes_feed(&feed.id, &feed.tags))
}

/// Completes entries: which other feeds carry the story, and the id that the output shows.
///
/// `feeds` are the feeds of the output; items of other feeds have no effect here.
///
/// # Errors
/// When the store fails.
pub(super) fn complete(
    reader: &Transaction<'_>,
    output: &Output,
    entries: &mut [OutputItem],
    feeds: &Feeds,
) -> Result<(), Error> {
    attach_also(reader, entries, feeds)?;
    let none = OtherLeads::new();
    ids::assign(reader, &output.id, (&mut *entries, &none), feeds, Vec::new())?;
    rewrite::apply(&output.rewrite, entries);
    Ok(())
}

/// As [`complete`], for a document: the ids are those of the stories in the output, whichever of their items is shown
/// here, and also where the lead has changed since they were published. `others` are the leads of stories that another
/// item shows.
///
/// # Errors
/// When the store fails.
pub(super) fn complete_for_document(
    reader: &Transaction<'_>,
    output: &Output,
    (entries, others): (&mut [OutputItem], &OtherLeads),
    feeds: &Feeds,
) -> Result<(), Error> {
    let members = attach_also(reader, entries, feeds)?;
    let leads = ids::leads_of(entries, others);
    let leads: Vec<Lead> = leads.into_iter().map(|named| named.lead).collect();
    let continued = ids::continued(reader, &output.id, &leads, &members)?;
    ids::assign(reader, &output.id, (&mut *entries, others), feeds, continued)?;
    rewrite::apply(&output.rewrite, entries);
    Ok(())
}

/// Adds to each entry the other feeds of the output that carry its story. Returns the members of the stories.
fn attach_also(
    reader: &Transaction<'_>,
    entries: &mut [OutputItem],
    feeds: &Feeds,
) -> Result<Members, Error> {
    let stories: Vec<StoryKey> = entries.iter().map(|entry| entry.story).collect();
    let members = reader.members(&stories)?;
    let keys: Vec<ItemKey> = members.values().flatten().map(|head| head.key).collect();
    let mut also = reader.also_at(&keys, feeds)?;
    for entry in entries {
        let Some(members) = members.get(&entry.story) else { continue };
        let others = members.iter().filter(|head| head.key != entry.key);
        entry.also = others.filter_map(|head| also.remove(&head.key)).collect();
    }
    Ok(members)
}

/// Some candidates with their content, and the other members of their stories.
pub(super) struct Batch {
    entries: HashMap<ItemKey, OutputItem>,
    members: Members,
    /// Items that were returned already, each for its story.
    led: HashSet<ItemKey>,
}

impl Batch {
    /// Reads the items of `heads`, and of their stories.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn load(
        reader: &Transaction<'_>,
        heads: &[ItemHead],
        feeds: &Feeds,
    ) -> Result<Self, store::Error> {
        let (members, keys) = with_members(reader, heads)?;
        let entries = reader.output_items(&keys, feeds)?;
        for head in heads {
            entries.get(&head.key).map_or(Ok(()), |entry| head.check(entry))?;
        }
        Ok(Self { entries, members, led: HashSet::new() })
    }

    /// An item with its content, unless it has none any more.
    pub(super) fn entry(&self, key: ItemKey) -> Option<&OutputItem> {
        self.entries.get(&key)
    }

    /// The item as an entry, if the output takes it and it leads its story there.
    pub(super) fn lead(&mut self, head: ItemHead, selector: &Selector<'_>) -> Option<OutputItem> {
        let carried = self.carried(head, selector);
        let is_lead = carried.feeds >= selector.min_feeds() && carried.lead == Some(head.key);
        if !is_lead || !self.led.insert(head.key) {
            return None;
        }
        self.entries.remove(&head.key)
    }

    /// The story of an item as the selected feeds have it, if the output shows it and it was not returned already. A story is
    /// of a feed or a tag if any of its items is that the output takes. The first of these shows it.
    pub(super) fn story(
        &mut self,
        head: ItemHead,
        selector: &Selector<'_>,
        selected: &Feeds,
    ) -> Option<FoundStory> {
        let taken = self.taken(head, selector);
        let is_enough = number_of_feeds(&taken) >= selector.min_feeds();
        let shown = first_of(&taken, selected).filter(|_| is_enough)?;
        if !self.led.insert(shown.key) {
            return None;
        }
        let lead = taken.first().filter(|lead| lead.key != shown.key);
        let lead = lead.and_then(|lead| self.entries.get(&lead.key)).map(Named::from);
        Some(FoundStory { entry: self.entries.remove(&shown.key)?, lead })
    }

    /// The item as an entry, whether it leads its story or not, if the output takes it and shows the story.
    pub(super) fn item(&mut self, head: ItemHead, selector: &Selector<'_>) -> Option<OutputItem> {
        if self.shows(head, selector) { self.entries.remove(&head.key) } else { None }
    }

    /// Whether the output takes the item, and shows its story by this or another item.
    pub(super) fn shows(&self, head: ItemHead, selector: &Selector<'_>) -> bool {
        let taken = self.taken(head, selector);
        number_of_feeds(&taken) >= selector.min_feeds() && taken.contains(&head)
    }

    /// The story of an item as far as the output takes it.
    pub(super) fn carried(&self, head: ItemHead, selector: &Selector<'_>) -> Carried {
        let taken = self.taken(head, selector);
        let feeds = number_of_feeds(&taken);
        Carried { lead: taken.first().map(|member| member.key), feeds }
    }

    /// The items of the story of an item that the output takes, the first seen first.
    pub(super) fn taken(&self, head: ItemHead, selector: &Selector<'_>) -> Vec<ItemHead> {
        let takes = |key: &ItemKey| {
            self.led.contains(key)
                || self.entries.get(key).is_some_and(|entry| selector.takes_item(entry))
        };
        let alone = [head];
        let members = self.members.get(&head.story).map_or(&alone[..], Vec::as_slice);
        members.iter().filter(|member| takes(&member.key)).copied().collect()
    }
}

/// Number of feeds that these items are of.
fn number_of_feeds(items: &[ItemHead]) -> usize {
    items.iter().map(|item| item.feed).collect::<HashSet<FeedKey>>().len()
}

/// A story of a query.
pub(super) struct FoundStory {
    /// The item that shows it.
    pub(super) entry: OutputItem,
    /// Its lead in the output, if this is another item.
    pub(super) lead: Option<Named>,
}

/// The item that shows a story where only some feeds are selected: the first of its items there, so that it changes only
/// when this item leaves.
pub(super) fn first_of(taken: &[ItemHead], selected: &Feeds) -> Option<ItemHead> {
    taken.iter().copied().find(|member| selected.contains_key(&member.feed))
}

/// The feeds of an output.
#[derive(Clone, Copy)]
pub(super) struct ShownFeeds<'f> {
    /// All that the output takes.
    pub(super) taken: &'f Feeds,
    /// Those of them that are selected.
    pub(super) selected: &'f Feeds,
}

/// The members of a story that an output takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carried {
    /// The one that was seen first, so that the lead never changes; `None`: the output takes none.
    pub(super) lead: Option<ItemKey>,
    /// Number of feeds that have one.
    pub(super) feeds: usize,
}

/// Which of some items an output takes, and the other members of their stories.
pub(super) struct Taken {
    items: HashSet<ItemKey>,
    members: Members,
    min_feeds: usize,
}

impl Taken {
    /// Reads the items of `heads`, and of their stories; their texts only where the output has conditions on items.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn load(
        reader: &Transaction<'_>,
        heads: &[ItemHead],
        feeds: &Feeds,
        selector: &Selector<'_>,
    ) -> Result<Self, Error> {
        let (members, keys) = with_members(reader, heads)?;
        let items = if selector.takes_whole_feeds() {
            reader.items_with_text(&keys, feeds)?
        } else {
            let entries = reader.output_items(&keys, feeds)?.into_values();
            entries.filter(|it| selector.takes_item(it)).map(|it| it.key).collect()
        };
        Ok(Self { items, members, min_feeds: selector.min_feeds() })
    }

    /// The lead of the story that this item completes: the item itself, or, where `min_feeds` asks
    /// for several feeds, an earlier item.
    pub(super) fn completed(&self, head: ItemHead) -> Option<ItemHead> {
        let alone = [head];
        let members = self.members.get(&head.story).map_or(&alone[..], Vec::as_slice);
        let taken = members.iter().filter(|m| m.key <= head.key && self.items.contains(&m.key));
        let taken: Vec<&ItemHead> = taken.collect();
        let (last, before) = taken.split_last().filter(|(last, _)| last.key == head.key)?;
        let mut feeds: HashSet<FeedKey> = before.iter().map(|member| member.feed).collect();
        let short = feeds.len() < self.min_feeds;
        feeds.insert(last.feed);
        (short && feeds.len() >= self.min_feeds).then(|| *taken[0])
    }
}

/// The members of stories, the first seen first.
pub(super) type Members = HashMap<StoryKey, Vec<ItemHead>>;

/// The members of the stories that several items have, and the keys of all items of these stories.
fn with_members(
    reader: &Transaction<'_>,
    heads: &[ItemHead],
) -> Result<(Members, Vec<ItemKey>), store::Error> {
    let stories: Vec<StoryKey> = heads.iter().map(|head| head.story).collect();
    let members = reader.members(&stories)?;
    for head in heads {
        let story = members.get(&head.story);
        if head.story.0 != head.key.0 && !story.is_some_and(|heads| heads.contains(head)) {
            // Not found by the index of the stories.
            return Err(head.altered());
        }
    }
    let others = members.values().flatten().map(|head| head.key);
    let mut keys: Vec<ItemKey> = heads.iter().map(|head| head.key).chain(others).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok((members, keys))
}

/// A position between two items, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Sort time of the item before it.
    pub sort_at: Timestamp,
    /// Key of the item before it.
    pub key: ItemKey,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sort_at.as_millisecond(), self.key.0)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, key) = text.rsplit_once('-').ok_or(())?;
        let sort_at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        Ok(Self { sort_at: sort_at.ok_or(())?, key: ItemKey(key.parse().map_err(drop)?) })
    }
}

/// The items of many feeds, newest first, read a little at a time from each.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    reader: &'a Transaction<'a>,
    /// The next item of each feed, the newest on top.
    next: BinaryHeap<(Timestamp, ItemKey, FeedKey)>,
    pages: HashMap<FeedKey, VecDeque<ItemHead>>,
}

impl<'a> Merge<'a> {
    /// Starts at the newest item of each feed.
    pub(super) fn new(
        reader: &'a Transaction<'a>,
        feeds: impl Iterator<Item = FeedKey>,
    ) -> Result<Self, store::Error> {
        Self::after(reader, feeds, None)
    }

    /// Starts after a position.
    fn after(
        reader: &'a Transaction<'a>,
        feeds: impl Iterator<Item = FeedKey>,
        position: Option<Position>,
    ) -> Result<Self, store::Error> {
        let mut merge = Self { reader, next: BinaryHeap::new(), pages: HashMap::new() };
        let start = position.map_or(Start::Newest, |at| Start::Position(at.sort_at, at.key));
        for feed in feeds {
            // One, not a page: most feeds of a large instance are not in the newest hundred.
            merge.read(feed, start, 1)?;
        }
        Ok(merge)
    }

    /// The next `limit` items, newest first; fewer at the end.
    pub(super) fn next_batch(&mut self, limit: usize) -> Result<Vec<ItemHead>, store::Error> {
        let mut batch = Vec::with_capacity(limit);
        while batch.len() < limit {
            let Some((_, _, feed)) = self.next.pop() else { break };
            // A dropped feed may still be on the heap.
            let Some(page) = self.pages.get_mut(&feed) else { continue };
            let Some(head) = page.pop_front() else { continue };
            match page.front() {
                Some(head) => self.next.push((head.sort_at, head.key, feed)),
                None => self.read(feed, Start::Behind(head), PER_FEED)?,
            }
            batch.push(head);
        }
        Ok(batch)
    }

    /// Leaves out the rest of a feed.
    fn drop_feed(&mut self, feed: FeedKey) {
        self.pages.remove(&feed);
    }

    /// Reads the next items of one feed.
    fn read(&mut self, feed: FeedKey, start: Start, limit: usize) -> Result<(), store::Error> {
        let page = self.reader.newest_items(feed, start, limit)?;
        if let Some(head) = page.first() {
            self.next.push((head.sort_at, head.key, feed));
            self.pages.insert(feed, page.into());
        }
        Ok(())
    }
}

/// The candidates for a query, newest first: all items of some feeds, or those with certain words.
#[derive(Debug)]
pub(super) struct Walk<'a>(Candidates<'a>);

#[derive(Debug)]
enum Candidates<'a> {
    /// Merged from the feeds, in the order of the documents.
    All(Merge<'a>),
    /// From the word index, in order of arrival.
    Words { reader: &'a Transaction<'a>, words: &'a str, after: Option<Position> },
}

impl<'a> Walk<'a> {
    /// Starts after a position; `words` may be empty.
    pub(super) fn start(
        reader: &'a Transaction<'a>,
        words: &'a str,
        after: Option<Position>,
        feeds: impl Iterator<Item = FeedKey>,
    ) -> Result<Self, store::Error> {
        let words = words.trim();
        if words.is_empty() {
            return Ok(Self(Candidates::All(Merge::after(reader, feeds, after)?)));
        }
        Ok(Self(Candidates::Words { reader, words, after }))
    }

    /// The next `limit` items; fewer at the end, or where a phrase is rare.
    pub(super) fn next_batch(&mut self, limit: usize) -> Result<Hits, store::Error> {
        match &mut self.0 {
            Candidates::All(merge) => {
                let heads = merge.next_batch(limit)?;
                let last = heads.last().copied().filter(|_| heads.len() == limit);
                Ok(Hits { heads, last })
            }
            Candidates::Words { reader, words, after } => {
                let hits = reader.search(words, after.map(|position| position.key), limit)?;
                if let Some(last) = hits.last {
                    *after = Some(Position { sort_at: last.sort_at, key: last.key });
                }
                Ok(hits)
            }
        }
    }
}

/// The stories that arrived last in an output, the last one first, by its archive pages, of which one still grows. At most as
/// many as the documents have; none of an output with digests.
pub(super) fn latest_arrivals(
    reader: &Transaction<'_>,
    output: &Output,
) -> Result<Vec<ItemHead>, store::Error> {
    if output.digest.is_some() {
        return Ok(Vec::new());
    }
    let mut keys = Vec::with_capacity(output.items);
    let mut page = reader.growing_page(&output.id)?;
    while let Some(read) = page.take() {
        keys.extend(read.items.iter().rev());
        if keys.len() < output.items && read.number > 1 {
            page = reader.archive_page(&output.id, read.number - 1)?;
        }
    }
    keys.truncate(output.items);
    reader.after_addition(&keys)
}

/// Adds the stories of the selected feeds that arrived last and are too old for what was selected by date. Returns all
/// stories that arrived last, and the leads of those that another item shows.
///
/// # Errors
/// When the store fails.
pub(super) fn add_latest(
    reader: &Transaction<'_>,
    (output, feeds): (&Output, ShownFeeds<'_>),
    selector: &Selector<'_>,
    entries: &mut Vec<OutputItem>,
) -> Result<(HashSet<StoryKey>, OtherLeads), Error> {
    let heads = latest_arrivals(reader, output)?;
    let latest: HashSet<StoryKey> = heads.iter().map(|head| head.story).collect();
    let selected: HashSet<StoryKey> = entries.iter().map(|entry| entry.story).collect();
    let missing: Vec<ItemHead> = heads
        .into_iter()
        .filter(|it| feeds.taken.contains_key(&it.feed) && !selected.contains(&it.story))
        .collect();
    let mut others = OtherLeads::new();
    if !missing.is_empty() {
        let mut batch = Batch::load(reader, &missing, feeds.taken)?;
        let late = missing.iter().filter_map(|head| batch.story(*head, selector, feeds.selected));
        let late = late.map(|found| found.into_entry(&mut others)).collect();
        selector.add_late(entries, late, &latest);
    }
    Ok((latest, others))
}

impl FoundStory {
    /// The item that shows it; adds the lead to those of other stories.
    pub(super) fn into_entry(self, others: &mut OtherLeads) -> OutputItem {
        if let Some(lead) = self.lead {
            others.insert(lead.lead.story, lead);
        }
        self.entry
    }
}
