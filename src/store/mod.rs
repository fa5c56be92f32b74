//! Keeps everything in one SQLite file; the only room that speaks SQL.
//!
//! One writer thread drains the waiting updates into one durable transaction; readers are a small
//! pool of read-only connections. Everything that one poll changes is one update. Leaves deciding
//! what is the same thing, what is shown and when a feed is due to the rooms beside it.

mod archive;
mod desk;
mod editions;
mod error;
mod feeds;
mod history;
mod incidents;
mod items;
mod open;
mod pairs;
mod question;
mod read;
mod reader;
mod receipts;
mod record;
mod room;
mod rows;
mod search;
pub mod settings;
mod sizes;
mod sketches;
mod tally;
#[cfg(test)]
mod tests;
mod update;
#[cfg(test)]
mod upgrade_tests;
mod visit;
mod writer;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

pub use archive::{ArchivePage, Arrivals};
pub use desk::{Arrived, Desk, Exceptional, Placed, Witness};
pub use error::{Error, Fault, OpenError};
pub use feeds::{FeedState, Registered};
pub use history::{Bursts, Past, PastPoll};
pub use open::{SCHEMA, is_in_use};
pub use read::{Claim, Head};
pub use reader::Reader;
pub use receipts::{Named, Receipt, Which};
pub use room::Room;
pub use search::Hits;
pub use settings::Settings;
pub use sizes::Sizes;
pub use sketches::Sketched;
pub use tally::{DELAYS, Hour};
pub use update::{
    Bytes, Change, ChangedItem, DocumentFacts, Judge, Memory, NewItem, PollUpdate, Recorded,
    Renamed, TextKeys, Trust,
};

pub use visit::{copy, visit};

use crate::clock::Clock;
pub use crate::model::FeedStatus;
use crate::model::{Feed, FeedKey, Incident, ItemKey, Plan};

/// The version of the SQLite that is built in.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// The database, open for writing by this process alone.
#[derive(Debug)]
pub struct Store {
    // Dropped in this order: the writer finishes before the lock is given up.
    writer: writer::Writer,
    reader: Reader,
    _lock: open::Lock,
}

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

    /// Writes other plans for these feeds: the config has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replan(&self, plans: Vec<(FeedKey, Plan)>) -> Result<(), Error> {
        self.writer.write(move |connection| feeds::replan(connection, &plans)).await
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

    /// Tries whether the database can be written to, durably; changes nothing.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn prove(&self) -> Result<(), Error> {
        self.writer.write(open::touch).await
    }

    /// Whether there is room for more where the database lies; asks the file system, and gives back
    /// first what the write-ahead log can do without. Blocks.
    #[must_use]
    pub fn room(&self) -> Room {
        match room::room(self.reader.path()) {
            Room::Enough => Room::Enough,
            Room::Short { .. } => {
                open::give_back(self.reader.path());
                room::room(self.reader.path())
            }
        }
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

    /// Writes incidents that are new or have changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_incidents(&self, incidents: Vec<Incident>) -> Result<(), Error> {
        self.writer.write(move |connection| incidents::write(connection, &incidents)).await
    }

    /// Writes pages of an output's archive that are new or have grown, and under which ids other than
    /// their own it shows items from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archive(
        &self,
        output: String,
        pages: Vec<ArchivePage>,
        lent: Vec<(ItemKey, String)>,
    ) -> Result<(), Error> {
        let write = move |connection: &Connection| {
            editions::lend(connection, &output, &lent)?;
            archive::write(connection, &output, &pages)
        };
        self.writer.write(write).await
    }

    /// Remembers what an output shows, and under which ids other than their own it shows items from
    /// now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_edition(
        &self,
        output: String,
        shown: String,
        lent: Vec<(ItemKey, String)>,
    ) -> Result<(), Error> {
        let write = move |connection: &Connection| {
            editions::lend(connection, &output, &lent)?;
            editions::write_edition(connection, &output, &shown)
        };
        self.writer.write(write).await
    }

    /// Deletes at most `limit` bodies of items first seen before `cutoff`; tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_bodies(&self, cutoff: Timestamp, limit: usize) -> Result<usize, Error> {
        self.writer.write(move |connection| record::forget_bodies(connection, cutoff, limit)).await
    }
}
