//! Every write to the database is a value of one enum, applied by one function, so that writes can be logged,
//! replayed and tested.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::archive::ArchivePage;
use super::digests::ClosedPeriods;
use super::error::Error;
use super::matches::{Matches, OperatorDecision};
use super::outputs::{OutputFolder, RegisteredOutput};
use super::poll_update::{PollCounts, PollUpdate};
use super::recovery::RecoveredItem;
use super::registration::{Lists, RegisteredFeed};
use super::search::Unindexed;
use super::shared_documents::SharedDocument;
use super::transaction::Transaction;
use crate::model::{
    Asked, ClockMark, Feed, FeedKey, Incident, ItemKey, Plan, Promise, SubscriberCount,
};

/// A write to the database, applied completely or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {
    /// Makes the database agree with the config.
    Register {
        /// The feeds of the config, in its order.
        feeds: Vec<Feed>,
        /// Whether these are the feeds of all lists too.
        lists: Lists,
        /// Time of the write.
        at: Timestamp,
    },
    /// Ids for the outputs that have none yet.
    RegisterOutputs(Vec<RegisteredOutput>),
    /// The folders that outputs are or were written to.
    OutputFolders(Vec<OutputFolder>),
    /// The archive pages in a folder are written from other settings or feeds than before.
    ArchiveBasis {
        /// The output and its folder.
        folder: OutputFolder,
        /// Serialised by `outputs`; opaque to the store.
        basis: String,
    },
    /// New plans for these feeds, because the config has changed.
    Replan(Vec<(FeedKey, Plan)>),
    /// Feeds that were being polled when the process before was killed.
    Suspects(Vec<FeedKey>),
    /// Resets the state of a feed if it differs from what was written.
    ResetState(FeedKey),
    /// Moves the times of polls, plans and promises, because the clock was set.
    Clock {
        /// The clock that they are by afterwards.
        mark: ClockMark,
        /// By how much they are moved; zero: only the clock is noted.
        by: SignedDuration,
    },
    /// Requests that are about to be sent.
    Asked(Vec<Asked>),
    /// Promises of responses that belong to no poll.
    Promises(Vec<Promise>),
    /// A document that a feed will be read from.
    Share(Box<SharedDocument>),
    /// The result of one poll.
    Poll(Arc<PollUpdate>),
    /// The result of the stories stage for some pending items.
    Matches(Matches),
    /// A decision of the operator.
    Decide {
        /// What the operator decided.
        decision: OperatorDecision,
        /// Time of the write.
        at: Timestamp,
    },
    /// Takes items out of their stories, to be matched again.
    Regroup {
        /// Items first seen since this time.
        since: Timestamp,
    },
    /// The weights of words from now on.
    Weights {
        /// Time when they were learned.
        at: Timestamp,
        /// Serialised `dedupe::Weights`; opaque to the store.
        learnt: Vec<u8>,
    },
    /// A document is about to be published.
    Document {
        /// Id of the output.
        output: String,
        /// File extension of the format.
        format: String,
        /// SHA-256 of the document.
        hash: [u8; 32],
        /// Time of the write.
        at: Timestamp,
    },
    /// Archive pages that are new or have grown.
    Archive {
        /// Id of the output.
        output: String,
        /// The pages that are new or have grown since the last write.
        pages: Vec<ArchivePage>,
        /// Ids that the output shows items under from now on, other than their own.
        item_ids: Vec<(ItemKey, String)>,
    },
    /// Periods of an output with digests are closed.
    Digests(ClosedPeriods),
    /// What an output shows from now on.
    Publication {
        /// Id of the output.
        output: String,
        /// The items with what is shown of them.
        shown: String,
        /// Ids that the output shows items under from now on, other than their own.
        item_ids: Vec<(ItemKey, String)>,
    },
    /// All files of an output are written.
    Basis {
        /// Id of the output.
        output: String,
        /// SHA-256 of all that the files depend on.
        basis: [u8; 32],
        /// Time when an item becomes too old for the output; `None`: none does.
        until: Option<Timestamp>,
    },
    /// The database was checked completely.
    Checked {
        /// Time of the end of the check.
        at: Timestamp,
    },
    /// Items that are read back from published documents.
    Recover {
        /// The items, those first that lead their stories.
        items: Vec<RecoveredItem>,
        /// Time of the write.
        at: Timestamp,
    },
    /// Incidents that are new or have changed.
    Incidents(Vec<Incident>),
    /// Numbers of subscribers; larger numbers that are stored stay.
    Subscribers(Vec<SubscriberCount>),
    /// Deletes bodies past retention.
    ForgetBodies {
        /// Bodies of items first seen before this time.
        cutoff: Timestamp,
        /// Maximum number of bodies to delete.
        limit: usize,
    },
    /// Returns free pages of the database to the file system.
    ReturnPages {
        /// Maximum number of pages.
        limit: usize,
    },
    /// Deletes promises that ended, requests and shared documents before this time.
    ForgetPromises {
        /// Time until which they are deleted.
        cutoff: Timestamp,
        /// Time until which shared documents are deleted that no feed is read from.
        unread: Timestamp,
    },
    /// Deletes fingerprints that left the window.
    ForgetFingerprints {
        /// Fingerprints made before this time.
        cutoff: Timestamp,
    },
}

/// Result of a write.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Applied {
    /// The rows of the feeds, after `Register`, in its order.
    pub(crate) registered: Vec<RegisteredFeed>,
    /// The rows of the outputs, after `RegisterOutputs`, in its order.
    pub(crate) outputs: Vec<RegisteredOutput>,
    /// Counts of a poll.
    pub(crate) recorded: PollCounts,
    /// Time of the last difference of a document.
    pub(crate) modified: Option<Timestamp>,
    /// Number of rows that the write is about, for the kinds that count them.
    pub(crate) count: usize,
    /// Keys of recovered items with their places in the write.
    pub(super) recovered: Vec<(ItemKey, usize)>,
    /// Texts that go into the search index with the commit.
    pub(super) unindexed: Vec<Unindexed>,
}

impl Write {
    /// Whether items may be pending after the write.
    pub(crate) fn marks(&self, applied: &Applied) -> bool {
        match self {
            Self::Poll(_) => applied.recorded.new + applied.recorded.changed > 0,
            Self::Decide { .. } | Self::Regroup { .. } | Self::Recover { .. } => true,
            _ => false,
        }
    }

    /// Whether the write may be lost in a power cut, though not when the process is killed. Then it is committed
    /// without waiting for the disk.
    pub(crate) fn is_losable(&self) -> bool {
        // The next start after a power cut finds the same suspects.
        matches!(self, Self::Asked(_) | Self::Suspects(_))
    }

    /// Whether outputs may change after the write.
    fn concerns_outputs(&self, applied: &Applied) -> bool {
        match self {
            Self::Poll(update) => update.document.is_some(),
            Self::Matches(_) | Self::Decide { .. } | Self::Regroup { .. } => true,
            Self::Recover { .. } => true,
            Self::Register { .. } | Self::ForgetBodies { .. } => applied.count > 0,
            Self::RegisterOutputs(_)
            | Self::OutputFolders(_)
            | Self::ArchiveBasis { .. }
            | Self::Replan(_)
            | Self::Suspects(_)
            | Self::ResetState(_)
            | Self::Clock { .. }
            | Self::Asked(_)
            | Self::Promises(_)
            | Self::Share(_)
            | Self::ForgetPromises { .. }
            | Self::ReturnPages { .. }
            | Self::Weights { .. }
            | Self::Document { .. }
            | Self::Archive { .. }
            | Self::Digests(_)
            | Self::Publication { .. }
            | Self::Basis { .. }
            | Self::Checked { .. }
            | Self::Incidents(_)
            | Self::Subscribers(_)
            | Self::ForgetFingerprints { .. } => false,
        }
    }
}

impl Transaction<'_> {
    /// Applies a write with all that belongs to it, the search index included; returns the number of rows that
    /// it is about.
    ///
    /// # Errors
    /// When the database fails. The transaction must not be committed then.
    pub fn apply(&self, write: &Write) -> Result<usize, Error> {
        let applied = self.apply_unindexed(write)?;
        self.index(write, &applied)?;
        Ok(applied.count)
    }

    /// Indexes the words that a write brought.
    pub(super) fn index(&self, write: &Write, applied: &Applied) -> Result<(), Error> {
        match write {
            Write::Poll(update) => self.index_words(update, &applied.unindexed),
            Write::Recover { items, .. } => {
                let mut written = applied.recovered.iter();
                written
                    .try_for_each(|(key, at)| self.index_new(*key, &items[*at].text.search_words))
            }
            _ => Ok(()),
        }
    }

    /// Makes the database agree with the config. Also returns whether anything changed, as a number.
    fn count_register(
        &self,
        feeds: &[Feed],
        lists: Lists,
        at: Timestamp,
    ) -> Result<(Vec<RegisteredFeed>, usize), Error> {
        let before = self.connection.total_changes();
        let registered = self.register(feeds, lists, at)?;
        Ok((registered, usize::from(self.connection.total_changes() != before)))
    }

    /// Applies a write but for the search index: see [`Transaction::index`].
    pub(super) fn apply_unindexed(&self, write: &Write) -> Result<Applied, Error> {
        let mut applied = Applied::default();
        match write {
            Write::Register { feeds, lists, at } => {
                (applied.registered, applied.count) = self.count_register(feeds, *lists, *at)?;
            }
            Write::RegisterOutputs(outputs) => applied.outputs = self.register_outputs(outputs)?,
            Write::OutputFolders(folders) => self.write_output_folders(folders)?,
            Write::ArchiveBasis { folder, basis } => self.write_archive_basis(folder, basis)?,
            Write::Replan(plans) => self.replan(plans)?,
            Write::Suspects(feeds) => self.mark_suspects(feeds)?,
            Write::ResetState(feed) => applied.count = self.reset_altered_state(*feed)?,
            Write::Clock { mark, by } => self.move_clock(mark, *by)?,
            Write::Asked(asked) => self.write_asked(asked)?,
            Write::Promises(promises) => self.write_promises(promises)?,
            Write::Share(document) => self.share(document)?,
            Write::ForgetPromises { cutoff, unread } => {
                applied.count = self.forget_promises(*cutoff, *unread)?;
            }
            Write::Poll(update) => {
                (applied.recorded, applied.unindexed) = self.write_poll(update)?;
            }
            Write::Matches(matches) => self.write_matches(matches)?,
            Write::Decide { decision, at } => applied.count = self.decide(*decision, *at)?,
            Write::Regroup { since } => applied.count = self.regroup(*since)?,
            Write::Weights { at, learnt } => self.write_weights(*at, learnt)?,
            Write::Document { output, format, hash, at } => {
                applied.modified = Some(self.write_document(output, format, hash, *at)?);
            }
            Write::Archive { output, pages, item_ids } => {
                self.write_output_item_ids(output, item_ids)?;
                self.write_archive_pages(output, pages)?;
            }
            Write::Digests(closed) => self.close_periods(closed)?,
            Write::Publication { output, shown, item_ids } => {
                self.write_output_item_ids(output, item_ids)?;
                self.write_publication(output, shown)?;
            }
            Write::Basis { output, basis, until } => self.write_basis(output, basis, *until)?,
            Write::Recover { items, at } => {
                applied.recovered = self.recover(items, *at)?;
                applied.count = applied.recovered.len();
            }
            Write::Checked { at } => self.write_checked(*at)?,
            Write::Incidents(incidents) => self.write_incidents(incidents)?,
            Write::Subscribers(counts) => self.write_subscribers(counts)?,
            Write::ForgetBodies { cutoff, limit } => {
                applied.count = self.forget_bodies(*cutoff, *limit)?;
            }
            Write::ReturnPages { limit } => applied.count = self.return_pages(*limit)?,
            Write::ForgetFingerprints { cutoff } => {
                applied.count = self.forget_fingerprints(*cutoff)?;
            }
        }
        if write.concerns_outputs(&applied) {
            self.count_revision()?;
        }
        Ok(applied)
    }
}
