//! Keeps everything in one SQLite file; the only room that speaks SQL.
//!
//! One writer thread drains the waiting updates into one durable transaction; readers are a small
//! pool of read-only connections. Everything that one poll changes is one update. Leaves deciding
//! what is the same thing, what is shown and when a feed is due to the rooms beside it.

mod archive;
mod error;
mod feeds;
mod history;
mod open;
mod read;
mod record;
mod rows;
mod search;
pub mod settings;
#[cfg(test)]
mod tests;
mod update;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;

pub use archive::ArchivePage;
pub use error::{Error, OpenError};
pub use feeds::{FeedState, FeedStatus, Registered};
pub use history::{Past, PastPoll};
pub use read::Head;
pub use settings::Settings;
pub use update::{
    Bytes, ChangedItem, DocumentFacts, Judge, Memory, NewItem, PollUpdate, Recorded, Trust,
};

use crate::clock::Clock;
use crate::model::{AlsoAt, Digest, Entry, Feed, FeedInfo, FeedKey, ItemKey, Known, StoryKey};

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

    /// Writes pages of an output's archive that are new or have grown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archive(&self, output: String, pages: Vec<ArchivePage>) -> Result<(), Error> {
        self.writer.write(move |connection| archive::write(connection, &output, &pages)).await
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

    /// The items that have all `words` in title or text, the latest first, seen before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(
        &self,
        words: &str,
        before: Option<ItemKey>,
        limit: usize,
    ) -> Result<Vec<Head>, Error> {
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

    /// The next `limit` items of all feeds in order of arrival, behind `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn arrivals(&self, after: ItemKey, limit: usize) -> Result<Vec<Head>, Error> {
        self.with(|connection| archive::arrivals(connection, after, limit))
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
