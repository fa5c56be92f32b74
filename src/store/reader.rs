//! The reading half: a small pool of read-only connections, and every verb that reads. Leaves the
//! statements to the files that know the tables.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;

use super::archive::{self, ArchivePage, Arrivals};
use super::error::{Error, ErrorCause, OpenError};
use super::feeds::{self, FeedState};
use super::history::{self, BurstHistory, FeedHistory, PollRecord};
use super::matching::{self, Decisions, PendingItem, StoredFingerprint, StoryItem};
use super::read::{self, IdConflict, ItemHead};
use super::receipts::{self, ItemFilter, ItemHistory, ItemSummary};
use super::search::{self, Hits};
use super::sizes::{self, DatabaseSize};
use super::tally::{self, HourCounts};
use super::{editions, incidents, items, open};
use crate::model::{
    AlsoAt, Considered, Digest, FeedInfo, FeedKey, FeedStatus, Incident, ItemKey, KnownItem, Match,
    OutputItem, RecentItem, StoredItem, StoryKey,
};

/// The reading half; any number of processes may have one.
#[derive(Debug, Clone)]
pub struct Reader {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// So many idle read connections are kept; more are opened when needed.
const IDLE_READERS: usize = 4;

/// Every verb blocks: call it off the async threads.
impl Reader {
    /// Opens an existing database for reading only.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let first = open::reader(path)?;
        Ok(Self { path: path.into(), idle: Arc::new(Mutex::new(vec![first])) })
    }

    /// Where the database lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Lends a connection to `work`.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path)
                .map_err(|error| Error::Sqlite(ErrorCause::from(&error), error.to_string()))?,
        };
        let result = work(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        result
    }

    /// How large the database is, and how much room there is left for it.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn sizes(&self) -> std::io::Result<DatabaseSize> {
        sizes::of(&self.path)
    }

    /// What a poll needs to know before it asks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn feed_state(&self, feed: FeedKey) -> Result<FeedState, Error> {
        self.with(|connection| feeds::state(connection, feed))
    }

    /// Which of these identities the feed has shown before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn known(
        &self,
        feed: FeedKey,
        identities: &[Digest],
    ) -> Result<HashMap<Digest, KnownItem>, Error> {
        self.with(|connection| read::known(connection, feed, identities))
    }

    /// The newest kept items of a feed, with what each may be recognised by under another guid.
    ///
    /// # Errors
    /// When the database fails.
    pub fn kept(&self, feed: FeedKey, limit: usize) -> Result<Vec<RecentItem>, Error> {
        self.with(|connection| read::kept(connection, feed, limit))
    }

    /// At most `limit` items that the stories stage has not looked at, in the order of their marks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pending(&self, limit: usize) -> Result<Vec<PendingItem>, Error> {
        self.with(|connection| matching::pending(connection, limit))
    }

    /// For each of these items, those of other feeds with the same page or the same publisher's id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn doubles(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Vec<ItemKey>>, Error> {
        self.with(|connection| matching::doubles(connection, keys))
    }

    /// The fingerprints of those of these items that are in the window and not held.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fingerprints(&self, keys: &[ItemKey]) -> Result<Vec<StoredFingerprint>, Error> {
        self.with(|connection| matching::fingerprints(connection, keys))
    }

    /// Hands all fingerprints made since to `each`, the oldest item first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fingerprints_since(
        &self,
        since: Timestamp,
        each: impl FnMut(StoredFingerprint),
    ) -> Result<(), Error> {
        self.with(|connection| matching::fingerprints_since(connection, since, each))
    }

    /// What a fingerprint is made of, of those of these items that are not held.
    ///
    /// # Errors
    /// When the database fails.
    pub fn kept_items(&self, keys: &[ItemKey]) -> Result<Vec<StoredItem>, Error> {
        self.with(|connection| matching::kept_items(connection, keys))
    }

    /// Digests of the paragraphs that are boilerplate of these feeds.
    ///
    /// # Errors
    /// When the database fails.
    pub fn boilerplate(&self, feeds: &[FeedKey]) -> Result<HashMap<FeedKey, HashSet<u64>>, Error> {
        self.with(|connection| matching::boilerplate(connection, feeds))
    }

    /// Every tie that makes one story of one of these items and another; twice, if both are asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ties(&self, keys: &[ItemKey]) -> Result<Vec<Match>, Error> {
        self.with(|connection| matching::ties(connection, keys))
    }

    /// What the operator decided of these items.
    ///
    /// # Errors
    /// When the database fails.
    pub fn exceptions(&self, keys: &[ItemKey]) -> Result<Decisions, Error> {
        self.with(|connection| matching::exceptions(connection, keys))
    }

    /// These items in their places; those that are held are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn placed(&self, keys: &[ItemKey]) -> Result<Vec<StoryItem>, Error> {
        self.with(|connection| matching::placed(connection, keys))
    }

    /// The items that somebody may mean by `text`, the latest first: an id, an address as it is or as
    /// it is compared (`url_key`), or a number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, text: &str, url_key: Option<&Digest>) -> Result<Vec<ItemSummary>, Error> {
        self.with(|connection| receipts::find(connection, text, url_key))
    }

    /// What is remembered of an item.
    ///
    /// # Errors
    /// When the database fails.
    pub fn receipt(&self, item: ItemSummary) -> Result<ItemHistory, Error> {
        self.with(|connection| receipts::receipt(connection, item))
    }

    /// The story of each item first seen since.
    ///
    /// # Errors
    /// When the database fails.
    pub fn stories(&self, since: Timestamp) -> Result<HashMap<ItemKey, StoryKey>, Error> {
        self.with(|connection| history::stories(connection, since))
    }

    /// How a feed published lately.
    ///
    /// # Errors
    /// When the database fails.
    pub fn bursts(&self, feed: FeedKey, now: Timestamp) -> Result<BurstHistory, Error> {
        self.with(|connection| history::bursts(connection, feed, now))
    }

    /// What words prove, as last learnt, and when.
    ///
    /// # Errors
    /// When the database fails.
    pub fn weights(&self) -> Result<Option<(Timestamp, Vec<u8>)>, Error> {
        self.with(matching::weights)
    }

    /// Every configured feed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn feeds(&self) -> Result<Vec<FeedInfo>, Error> {
        self.with(feeds::active)
    }

    /// When the feed's last items came, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn rhythm(&self, feed: FeedKey) -> Result<Vec<Timestamp>, Error> {
        self.with(|connection| read::rhythm(connection, feed))
    }

    /// The last polls of a feed, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn polls(&self, feed: FeedKey, limit: usize) -> Result<Vec<PollRecord>, Error> {
        self.with(|connection| history::polls(connection, feed, limit))
    }

    /// Every input of the plan in force for a feed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn considered(&self, feed: FeedKey) -> Result<Vec<Considered>, Error> {
        self.with(|connection| history::considered(connection, feed))
    }

    /// What the past tells of each feed; reads whole tables.
    ///
    /// # Errors
    /// When the database fails.
    pub fn past(&self) -> Result<HashMap<FeedKey, FeedHistory>, Error> {
        self.with(history::past)
    }

    /// Every configured feed with how it is doing, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn statuses(&self) -> Result<Vec<FeedStatus>, Error> {
        self.with(feeds::statuses)
    }

    /// At most `limit` of the newest items of a feed by name, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn newest_named(
        &self,
        feed: FeedKey,
        which: ItemFilter,
        limit: usize,
    ) -> Result<Vec<ItemSummary>, Error> {
        self.with(|connection| receipts::newest(connection, feed, which, limit))
    }

    /// What all polls did, hour by hour, since; hours without a poll are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn hours(&self, since: Timestamp) -> Result<Vec<HourCounts>, Error> {
        self.with(|connection| tally::hours(connection, since))
    }

    /// Every incident that lasts, then at most `limit` of those that are over, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn incidents(&self, limit: usize) -> Result<Vec<Incident>, Error> {
        self.with(|connection| incidents::newest(connection, limit))
    }

    /// The next `limit` items of one feed in the order, behind `after`, or from the newest on.
    ///
    /// # Errors
    /// When the database fails.
    pub fn newest(
        &self,
        feed: FeedKey,
        after: Option<ItemHead>,
        limit: usize,
    ) -> Result<Vec<ItemHead>, Error> {
        self.with(|connection| read::newest(connection, feed, after, limit))
    }

    /// The items that have all `words` in title or text, the latest first, seen before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn search(
        &self,
        words: &str,
        before: Option<ItemKey>,
        limit: usize,
    ) -> Result<Hits, Error> {
        self.with(|connection| search::find(connection, words, before, limit))
    }

    /// The page of an output's archive that still grows; those before it are complete.
    ///
    /// # Errors
    /// When the database fails.
    pub fn growing_page(&self, output: &str) -> Result<Option<ArchivePage>, Error> {
        self.with(|connection| archive::growing(connection, output))
    }

    /// One page of an output's archive, complete or not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn archive_page(&self, output: &str, number: u32) -> Result<Option<ArchivePage>, Error> {
        self.with(|connection| archive::numbered(connection, output, number))
    }

    /// The number of the oldest page of an output's archive that may still have something to show.
    ///
    /// # Errors
    /// When the database fails.
    pub fn oldest_page(&self, output: &str) -> Result<Option<u32>, Error> {
        self.with(|connection| archive::oldest(connection, output))
    }

    /// The item that came last; 0 where there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn newest_item(&self) -> Result<ItemKey, Error> {
        self.with(|connection| Ok(ItemKey(items::next_key(connection)?.0 - 1)))
    }

    /// At most `limit` items of all feeds that arrived, or were released, since `page` was written.
    ///
    /// # Errors
    /// When the database fails.
    pub fn arrivals(&self, page: &ArchivePage, limit: usize) -> Result<Arrivals, Error> {
        self.with(|connection| archive::arrivals(connection, page, limit))
    }

    /// The items with these keys; those of other feeds, or past retention, are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn entries(
        &self,
        keys: &[ItemKey],
        feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<HashMap<ItemKey, OutputItem>, Error> {
        self.with(|connection| read::entries(connection, keys, feeds))
    }

    /// The members of those of these stories that have more than one, the earliest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn members(&self, stories: &[StoryKey]) -> Result<HashMap<StoryKey, Vec<ItemHead>>, Error> {
        self.with(|connection| read::members(connection, stories))
    }

    /// Those of these items whose publisher's id another feed's item had first, the earliest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn claims(&self, keys: &[ItemKey]) -> Result<Vec<IdConflict>, Error> {
        self.with(|connection| read::claims(connection, keys))
    }

    /// Those of these items that the output shows under an id that is not their own.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lent(&self, output: &str, keys: &[ItemKey]) -> Result<HashMap<ItemKey, String>, Error> {
        self.with(|connection| editions::lent(connection, output, keys))
    }

    /// Those of these ids that the output lent, each with the item that has it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn borrowers(&self, output: &str, ids: &[&str]) -> Result<HashMap<String, ItemKey>, Error> {
        self.with(|connection| editions::borrowers(connection, output, ids))
    }

    /// Those of these items that stand in the output's archive. Reads all of it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn archived(&self, output: &str, keys: &[ItemKey]) -> Result<HashSet<ItemKey>, Error> {
        self.with(|connection| archive::archived(connection, output, keys))
    }

    /// What the output showed last, as it was written.
    ///
    /// # Errors
    /// When the database fails.
    pub fn edition(&self, output: &str) -> Result<Option<String>, Error> {
        self.with(|connection| editions::edition(connection, output))
    }

    /// Whether the output's files were written on this basis, and no item has left it by age since.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_basis(&self, output: &str, basis: &[u8; 32], now: Timestamp) -> Result<bool, Error> {
        self.with(|connection| editions::has_basis(connection, output, basis, now))
    }

    /// SHA-256 of the document that was published last in this format, by its file extension.
    ///
    /// # Errors
    /// When the database fails.
    pub fn document_hash(&self, output: &str, format: &str) -> Result<Option<[u8; 32]>, Error> {
        self.with(|connection| editions::document_hash(connection, output, format))
    }

    /// A number that ascends with every write that may change what an output shows.
    ///
    /// # Errors
    /// When the database fails.
    pub fn revision(&self) -> Result<i64, Error> {
        self.with(editions::revision)
    }

    /// Page and title of each of these items, for "also at".
    ///
    /// # Errors
    /// When the database fails.
    pub fn also(
        &self,
        keys: &[ItemKey],
        feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<HashMap<ItemKey, AlsoAt>, Error> {
        self.with(|connection| read::also(connection, keys, feeds))
    }
}
