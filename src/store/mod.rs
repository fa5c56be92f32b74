//! The database: one SQLite file. The only room that uses SQL.
//!
//! Each write is a value of [`Write`]. One writer thread applies all waiting writes in one durable transaction
//! (group commit). Reads use a small pool of read-only connections. [`Transaction`] has every query and every
//! statement, each in the file of its table:
//!
//! | tables | file |
//! |---|---|
//! | `feed` | `feeds.rs` |
//! | `poll`, `poll_hour`, `delivery_delay` | `polls.rs`, `feeds.rs` |
//! | `promise`, `asked` | `promises.rs`, `manners.rs` |
//! | `clock` | `promises.rs` |
//! | `shared_document` | `shared_documents.rs` |
//! | `item`, `identity`, `body` | `items.rs`, `poll_update.rs`, `item_order.rs`, `item_history.rs` |
//! | `pending`, `fingerprint`, `item_match`, `decision`, `word_weight` | `matches.rs` |
//! | `search` | `search.rs`, `search_query.rs`, `folding.rs` |
//! | `output`, `publication`, `output_item_id`, `document`, `revision` | `outputs.rs` |
//! | `output_folder`, `subscriber_count` | `outputs.rs` |
//! | `archive_page`, `released` | `archive.rs` |
//! | `digest`, `digest_state` | `digests.rs` |
//! | `incident` | `incidents.rs` |
//! | `store_check` | `check.rs` |
//!
//! `database_file.rs` examines the file and distinguishes failing reads from damage, `item_digest.rs` has the digests of the
//! texts and `row_digest.rs` those of other rows, `recovery.rs` has items read back from documents, `repair.rs` copies what
//! can be read of a damaged file, `backup.rs` has copies and their temporary files.
//!
//! The store decides nothing: not what is one story, what is shown, or when a feed is due.

mod archive;
mod backup;
mod check;
mod database_file;
mod digests;
mod error;
mod feeds;
mod folding;
mod incidents;
mod item_digest;
mod item_history;
mod item_order;
mod items;
mod manners;
mod matches;
mod open;
mod outputs;
mod poll_update;
mod polls;
mod promises;
mod recovery;
mod registration;
mod repair;
mod row_digest;
mod search;
mod search_query;
mod shared_documents;
#[cfg(test)]
mod tests;
mod transaction;
mod values;
mod write;
mod writer;

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

pub use archive::{ArchivePage, Arrivals};
pub use backup::{Backup, BackupError, Scratch, backup, restore, temporary_backup};
pub use check::{CheckReport, check, check_copy};
pub use database_file::{DatabaseSize, DiskSpace, FileError, examined};
pub use digests::{ClosedPeriods, DigestState, StoredDigest};
pub use error::{Error, ErrorCause, OpenError};
pub use feeds::{FeedState, host_of};
pub use item_history::{ItemFilter, ItemHistory, ItemSummary};
pub use item_order::{ItemHead, ShownMark, Start};
pub use items::IdConflict;
pub use manners::{FeedBytes, Manners, PromiseTally, RequestTally};
pub use matches::{Matches, OperatorDecision, PendingItem, StoredFingerprint};
pub use open::{SCHEMA, Usage, check_unused, is_in_use, usage};
pub use outputs::{IdHolder, OutputFolder, RegisteredOutput};
pub use poll_update::{
    Bytes, CachedResponse, ChangedItem, DocumentFacts, EditAction, GuidChange, Heading, NewItem,
    PollCounts, PollUpdate, Redated, TextIndex, ValidatorTrust, ValidatorUse,
};
pub use polls::{BurstHistory, DELAY_BUCKETS, FeedHistory, HourCounts, PollRecord};
pub use promises::UnsuccessfulPoll;
pub use recovery::RecoveredItem;
pub use registration::{ConfiguredFeed, Lists, RegisteredFeed, new_feeds};
pub use repair::{RepairError, Repaired, RepairedTable, TextToIndex, repair};
pub use row_digest::renew_digests;
pub use search::{Hits, search_words};
pub use search_query::Query as SearchQuery;
pub use shared_documents::SharedDocument;
pub use transaction::{Reader, Transaction, copy, transact};
pub use write::Write;

use crate::clock::Clock;
use crate::model::{Feed, ItemKey};

/// `[store]`: path of the database and retention of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Path of the database file; absolute once the config is loaded.
    pub path: PathBuf,
    /// How long the texts of items are kept. Ids are kept forever, so that no item repeats.
    pub retention: Duration,
    /// Log of every write to the database, a line of JSON each. For tests; not a config key.
    pub write_log: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("newswire.db"),
            retention: Duration::from_secs(400 * 86_400),
            write_log: None,
        }
    }
}

/// The version of the SQLite that is built in.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Device and inode of a file.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let meta = std::fs::metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

/// The database, open for writing by this process alone.
#[derive(Debug)]
pub struct Store {
    // Dropped in this order: the writer finishes before the lock is released.
    writer: writer::Writer,
    reader: Reader,
    pending: watch::Receiver<u64>,
    unclean: bool,
    /// Device and inode of the file that is open.
    file: (u64, u64),
    _lock: open::Lock,
}

impl Drop for Store {
    /// SQLite removes its log when the last connection closes, which has to be the writer's.
    fn drop(&mut self) {
        self.reader.close_idle();
    }
}

impl Store {
    /// Opens or creates the database.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        Self::start(path, clock, None)
    }

    /// Opens or creates the database, and appends every committed [`Write`] to a file, as a line of JSON.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_logged(path: &Path, clock: Clock, log: &Path) -> Result<Self, OpenError> {
        let file = File::options().create(true).append(true).open(log);
        let file = file.map_err(|source| OpenError::Io { path: log.to_owned(), source })?;
        Self::start(path, clock, Some(file))
    }

    fn start(path: &Path, clock: Clock, log: Option<File>) -> Result<Self, OpenError> {
        let lock = open::lock(path)?;
        let unclean = open::ended_uncleanly(path);
        let connection = open::writer(path)?;
        let (sender, pending) = watch::channel(0);
        let state = writer::WriterState { connection, clock, pending: sender, log };
        let writer = writer::Writer::start(state)
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let reader = Reader::open(path)?;
        let file =
            identity(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { writer, reader, pending, unclean, file, _lock: lock })
    }

    /// Checks that the file that is open is still at its path.
    ///
    /// # Errors
    /// When it was removed or replaced. Writes to it succeed, and are lost when this process ends.
    pub fn check_in_place(&self) -> Result<(), Error> {
        let path = self.reader.path();
        let what = match identity(path) {
            Ok(file) if file == self.file => return Ok(()),
            Ok(_) => "replaced",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "removed",
            // The disk or the permissions have changed: the next write meets that.
            Err(_) => return Ok(()),
        };
        let text = format!("{} was {what} while newswire has it open", path.display());
        Err(Error::Sqlite(ErrorCause::Removed, text))
    }

    /// Read-only access, which never waits for writes.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whether the process that had the database open before did not end cleanly.
    #[must_use]
    pub fn ended_uncleanly(&self) -> bool {
        self.unclean
    }

    /// Number of commits after which items may be pending.
    #[must_use]
    pub fn pending(&self) -> watch::Receiver<u64> {
        self.pending.clone()
    }

    /// Applies a write durably and completely, or not at all. Returns the number of rows that it is about, for
    /// the kinds of writes that count them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(&self, write: Write) -> Result<usize, Error> {
        Ok(self.writer.write(write).await?.count)
    }

    /// Makes the feed table agree with the config. Returns the feeds in the same order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(
        &self,
        feeds: Vec<Feed>,
        lists: Lists,
        at: Timestamp,
    ) -> Result<Vec<RegisteredFeed>, Error> {
        Ok(self.writer.write(Write::Register { feeds, lists, at }).await?.registered)
    }

    /// Writes the ids of the outputs that have none yet. Returns the permanent ones of all, in the same order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register_outputs(
        &self,
        outputs: Vec<RegisteredOutput>,
    ) -> Result<Vec<RegisteredOutput>, Error> {
        Ok(self.writer.write(Write::RegisterOutputs(outputs)).await?.outputs)
    }

    /// Writes the result of one poll durably and completely, or not at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_poll(
        &self,
        update: impl Into<Arc<PollUpdate>>,
    ) -> Result<PollCounts, Error> {
        Ok(self.writer.write(Write::Poll(update.into())).await?.recorded)
    }

    /// Writes the hash of a document that is about to be published. Returns the time of its last difference.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_document(
        &self,
        output: String,
        format: &'static str,
        hash: [u8; 32],
        at: Timestamp,
    ) -> Result<Timestamp, Error> {
        let write = Write::Document { output, format: format.to_owned(), hash, at };
        Ok(self.writer.write(write).await?.modified.unwrap_or(at))
    }

    /// Checks that a durable write is possible. Changes no data.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check_writable(&self) -> Result<(), Error> {
        self.writer.check_writable().await
    }

    /// Closes idle connections, and frees the pages of the database that the others keep in memory. The system still
    /// has them in its own cache.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_memory(&self) -> Result<(), Error> {
        self.reader.release_memory()?;
        self.writer.release_memory().await
    }

    /// Whether the file system of the database has enough free space. If not, the write-ahead log is truncated
    /// first. Blocks.
    #[must_use]
    pub fn disk_space(&self) -> DiskSpace {
        match database_file::space(self.reader.path()) {
            DiskSpace::Enough => DiskSpace::Enough,
            DiskSpace::Low { .. } => {
                open::truncate_log(self.reader.path());
                database_file::space(self.reader.path())
            }
        }
    }

    /// A number that changes when another process wrote to the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn data_version(&self) -> Result<i64, Error> {
        self.writer.version().await
    }

    /// Writes archive pages that are new or have grown, and the ids, other than their own, that the output
    /// shows items under from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_archive_pages(
        &self,
        output: String,
        pages: Vec<ArchivePage>,
        item_ids: Vec<(ItemKey, String)>,
    ) -> Result<(), Error> {
        self.write(Write::Archive { output, pages, item_ids }).await.map(drop)
    }

    /// Writes what an output shows, and the ids, other than their own, that it shows items under from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_publication(
        &self,
        output: String,
        shown: String,
        item_ids: Vec<(ItemKey, String)>,
    ) -> Result<(), Error> {
        self.write(Write::Publication { output, shown, item_ids }).await.map(drop)
    }
}
