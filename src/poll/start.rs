//! What is known before a poll begins: the feed with its settings, what the store has of it, how often it publishes, and
//! the interval that follows from that.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::batch::Batch;
use super::validators::{self, Rhythm};
use crate::model::{
    Feed, FeedId, FeedKey, Filter, LedgerEntry, PollYield, Publishing, Validators, site,
};
use crate::normalise::Selector;
use crate::schedule::{self, IntervalMode, Learned, PollCost};
use crate::store::{self, FeedState, Reader, Transaction};
use crate::{dedupe, fetch};

/// A feed with its effective settings.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// URL, id, title and tags of the feed.
    pub feed: Feed,
    /// Settings of the schedule; shared by feeds with the same values.
    pub schedule: Arc<schedule::Settings>,
    /// Settings of requests; shared by feeds with the same values.
    pub fetch: Arc<fetch::Settings>,
    /// Settings of deduplication; shared by feeds with the same values.
    pub dedupe: Arc<dedupe::Settings>,
    /// Filters that an item must pass to enter: of the feed, of its server and of its lists; shared by feeds.
    pub filters: Arc<[Filter]>,
    /// Selectors of parts that are removed from items: of the feed, of its lists and of its server.
    pub remove: Arc<[Selector]>,
    /// Maximum number of items read from a document; the newest are kept.
    pub max_items: usize,
}

/// A subscription with its row in the store.
#[derive(Debug, Clone)]
pub struct Target {
    /// Row of the feed.
    pub key: FeedKey,
    /// Stable id of the feed.
    pub id: FeedId,
    /// The feed and its settings.
    pub subscription: Arc<Subscription>,
}

/// Polls that are about to start. Those that start at about the same time read in one transaction. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts(Batch<Start, Result<Before, store::Error>>);

/// What is read at the start of a poll.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) state: FeedState,
    /// How the feed has published lately; empty for a fixed interval.
    pub(super) publishing: Publishing,
    pub(super) rhythm: Rhythm,
    /// URL of the request: from the config, or the target of a permanent redirect.
    pub(super) asked: Url,
    pub(super) known: LedgerEntry,
    /// Whether another feed was last read from this URL.
    pub(super) is_shared: bool,
}

/// A poll that is about to start.
#[derive(Debug)]
struct Start {
    feed: FeedKey,
    configured: Url,
    mode: IntervalMode,
    at: Timestamp,
}

impl Starts {
    /// Reads what the poll of this feed needs.
    ///
    /// # Errors
    /// If the store fails.
    pub(super) async fn before(
        &self,
        target: &Target,
        reader: &Reader,
        at: Timestamp,
    ) -> Result<Before, store::Error> {
        let subscription = &target.subscription;
        let (configured, mode) =
            (subscription.feed.url.clone(), subscription.schedule.interval_mode);
        let start = Start { feed: target.key, configured, mode, at };
        let reader = reader.clone();
        let answer = move |starts| read(starts, reader.clone());
        self.0.ask(start, answer).await.ok_or(store::Error::Closed)?
    }
}

/// Reads for all these polls in one transaction.
async fn read(starts: Vec<Start>, reader: Reader) -> Vec<Result<Before, store::Error>> {
    let polls = starts.len();
    let all = move || {
        reader.read(|reader| Ok(starts.into_iter().map(|start| start.read(reader)).collect()))
    };
    match tokio::task::spawn_blocking(all).await {
        Ok(Ok(each)) => each,
        Ok(Err(error)) => (0..polls).map(|_| Err(store::Error::clone(&error))).collect(),
        Err(_) => Vec::new(),
    }
}

impl Start {
    fn read(self, reader: &Transaction<'_>) -> Result<Before, store::Error> {
        let Self { feed, configured, mode, at } = self;
        let publishing = match mode {
            IntervalMode::Auto => reader.publishing(feed)?,
            IntervalMode::Fixed => Publishing::default(),
        };
        let state = reader.feed_state(feed)?;
        let rhythm = match validators::may_be_tested(state.trust, at) {
            true => validators::rhythm(&state, &reader.feed_activity(feed)?, at),
            false => Rhythm::Usual,
        };
        let asked = state.address.effective.clone().unwrap_or(configured);
        let mut url = asked.clone();
        url.set_fragment(None);
        let known = reader.ledger_entry(url.as_str(), site(&url))?;
        let is_shared = reader.is_shared(url.as_str(), feed)?;
        Ok(Before { state, publishing, rhythm, asked, known, is_shared })
    }
}

/// What is known about how often a feed publishes, before a poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace<'a> {
    pub(super) schedule: &'a schedule::Settings,
    pub(super) publishing: &'a Publishing,
    pub(super) has_items: bool,
    /// Validators of the last document; `None`: there was none.
    pub(super) validators: Option<&'a Validators>,
    pub(super) now: Timestamp,
}

impl Pace<'_> {
    /// The interval by the settings and by what is learned so far.
    pub(super) fn interval(&self) -> Duration {
        self.schedule
            .interval_of(self.learned(self.publishing, self.validators).map(|it| it.interval))
    }

    /// The interval that is learned with the dates of new items, what this poll brought if it succeeded, and the
    /// validators of a new response; `None`: it is fixed, or nothing is known.
    pub(super) fn after(
        &self,
        new: Vec<Timestamp>,
        brought: Option<PollYield>,
        validators: Option<&Validators>,
    ) -> Option<Learned> {
        let mut known = self.publishing.clone();
        if !self.has_items && !new.is_empty() {
            // The only known time is that when the feed was added.
            known.times.clear();
        }
        known.times.extend(new);
        known.polls.extend(brought);
        self.learned(&known, validators.or(self.validators))
    }

    fn learned(&self, publishing: &Publishing, validators: Option<&Validators>) -> Option<Learned> {
        match self.schedule.interval_mode {
            IntervalMode::Fixed => None,
            IntervalMode::Auto => {
                let (start, cost) = (self.schedule.interval, PollCost::of(validators));
                schedule::learned(publishing, start, cost, self.now)
            }
        }
    }
}
