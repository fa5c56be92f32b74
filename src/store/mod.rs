//! Keeps everything in one SQLite file; the only room that speaks SQL.
//!
//! One writer thread drains the waiting updates into one durable transaction; readers are a small
//! pool of read-only connections. Everything that one poll changes is one update. Leaves deciding
//! what is the same thing, what is shown and when a feed is due to the rooms beside it.

mod desk;
mod error;
mod feeds;
mod history;
mod items;
mod open;
mod read;
mod receipts;
mod record;
mod rows;
pub mod settings;
mod sketches;
#[cfg(test)]
mod tests;
mod update;
#[cfg(test)]
mod upgrade_tests;
mod visit;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;

pub use desk::{Desk, Exceptional, Placed, Witness};
pub use error::{Error, OpenError};
pub use feeds::{FeedState, FeedStatus, Registered};
pub use history::{Bursts, Past, PastPoll};
pub use read::{Claim, Head};
pub use receipts::{Named, Receipt};
pub use settings::Settings;
pub use sketches::Sketched;
pub use update::{
    Arrived, Bytes, Change, ChangedItem, DocumentFacts, Judge, Memory, NewItem, PollUpdate,
    Recorded, Renamed, TextKeys, Trust,
};

pub use visit::{copy, visit};

use crate::clock::Clock;
use crate::model::{
    AlsoAt, Digest, Entry, Feed, FeedInfo, FeedKey, ItemKey, Kept, Known, StoryKey,
};

/// The database, open for writing by this process alone.
#[derive(Debug)]
pub struct Store {
    // Dropped in this order: the writer finishes before the lock is given up.
    writer: writer::Writer,
    reader: Reader,
    _lock: open::Lock,
}

/// The reading half; any number of processes may have one.
#[derive(Debug, Clone)]
pub struct Reader {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// So many idle read connections are kept; more are opened when needed.
const IDLE_READERS: usize = 4;

impl Store {
    /// Opens or creates the database and brings its schema up to date.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        let lock = open::lock(path)?;
        let connection = open::writer(path)?;
        let writer = writer::Writer::start(connection, clock)
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let reader = Reader::open(path)?;
        Ok(Self { writer, reader, _lock: lock })
    }

    /// The reading half.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Makes the database agree with the config; answers in the same order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(
        &self,
        feeds: Vec<Feed>,
        now: Timestamp,
    ) -> Result<Vec<Registered>, Error> {
        self.writer.write(move |connection| feeds::register(connection, &feeds, now)).await
    }

    /// Writes everything of one poll, durably, or nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, update: PollUpdate) -> Result<Recorded, Error> {
        self.writer.write(move |connection| record::poll(connection, &update)).await
    }

    /// Remembers what is about to be published; tells when the document last became different.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_document(
        &self,
        output: String,
        format: &'static str,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Timestamp, Error> {
        self.writer
            .write(move |connection| record::document(connection, &output, format, &hash, now))
            .await
    }

    /// Remembers what words prove from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_weights(&self, now: Timestamp, learnt: Vec<u8>) -> Result<(), Error> {
        self.writer.write(move |connection| sketches::write_weights(connection, now, &learnt)).await
    }

    /// A number that changes when somebody else wrote to the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visits(&self) -> Result<i64, Error> {
        // Asked of the writer's own connection, it counts the commits of others alone.
        let ask = |connection: &Connection| {
            Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
        };
        self.writer.write(ask).await
    }

    /// Deletes the keys of items taken in before `cutoff`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sketches(&self, cutoff: Timestamp) -> Result<usize, Error> {
        self.writer.write(move |connection| sketches::forget(connection, cutoff)).await
    }

    /// Deletes at most `limit` bodies of items first seen before `cutoff`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_bodies(&self, cutoff: Timestamp, limit: usize) -> Result<usize, Error> {
        self.writer.write(move |connection| record::forget_bodies(connection, cutoff, limit)).await
    }
}

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

    /// Lends a connection to `work`.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path).map_err(|error| Error::Sqlite(error.to_string()))?,
        };
        let result = work(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        result
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
    ) -> Result<HashMap<Digest, Known>, Error> {
        self.with(|connection| read::known(connection, feed, identities))
    }

    /// The newest kept items of a feed, with what each may be recognised by under another guid.
    ///
    /// # Errors
    /// When the database fails.
    pub fn kept(&self, feed: FeedKey, limit: usize) -> Result<Vec<Kept>, Error> {
        self.with(|connection| read::kept(connection, feed, limit))
    }

    /// These items as they are compared.
    ///
    /// # Errors
    /// When the database fails.
    pub fn witnesses(&self, keys: &[ItemKey]) -> Result<Vec<Witness>, Error> {
        self.with(|connection| Desk::new(connection, Timestamp::UNIX_EPOCH).witnesses(keys))
    }

    /// The items that somebody may mean by `text`, the latest first: an id, an address as it is or as
    /// it is compared (`url_key`), or a number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, text: &str, url_key: Option<&Digest>) -> Result<Vec<Named>, Error> {
        self.with(|connection| receipts::find(connection, text, url_key))
    }

    /// What is remembered of an item.
    ///
    /// # Errors
    /// When the database fails.
    pub fn receipt(&self, item: Named) -> Result<Receipt, Error> {
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
    pub fn bursts(&self, feed: FeedKey, now: Timestamp) -> Result<Bursts, Error> {
        self.with(|connection| history::bursts(connection, feed, now))
    }

    /// The keys of all items taken in since, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sketches(&self, since: Timestamp) -> Result<Vec<Sketched>, Error> {
        self.with(|connection| sketches::since(connection, since))
    }

    /// What words prove, as last learnt, and when.
    ///
    /// # Errors
    /// When the database fails.
    pub fn weights(&self) -> Result<Option<(Timestamp, Vec<u8>)>, Error> {
        self.with(sketches::weights)
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
    pub fn polls(&self, feed: FeedKey, limit: usize) -> Result<Vec<PastPoll>, Error> {
        self.with(|connection| history::polls(connection, feed, limit))
    }

    /// What the past tells of each feed; reads whole tables.
    ///
    /// # Errors
    /// When the database fails.
    pub fn past(&self) -> Result<HashMap<FeedKey, Past>, Error> {
        self.with(history::past)
    }

    /// Every configured feed with how it is doing, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn statuses(&self) -> Result<Vec<FeedStatus>, Error> {
        self.with(feeds::statuses)
    }

    /// The next `limit` items of one feed in the order, behind `after`, or from the newest on.
    ///
    /// # Errors
    /// When the database fails.
    pub fn newest(
        &self,
        feed: FeedKey,
        after: Option<Head>,
        limit: usize,
    ) -> Result<Vec<Head>, Error> {
        self.with(|connection| read::newest(connection, feed, after, limit))
    }

    /// The items with these keys; those of other feeds, or past retention, are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn entries(
        &self,
        keys: &[ItemKey],
        feeds: &HashMap<FeedKey, Arc<FeedInfo>>,
    ) -> Result<HashMap<ItemKey, Entry>, Error> {
        self.with(|connection| read::entries(connection, keys, feeds))
    }

    /// The members of those of these stories that have more than one, the earliest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn members(&self, stories: &[StoryKey]) -> Result<HashMap<StoryKey, Vec<Head>>, Error> {
        self.with(|connection| read::members(connection, stories))
    }

    /// Those of these items whose publisher's id another feed's item had first, the earliest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn claims(&self, keys: &[ItemKey]) -> Result<Vec<Claim>, Error> {
        self.with(|connection| read::claims(connection, keys))
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
