//! What is known before a poll begins: the feed with its settings, what the store has of it, how often it publishes, and
//! the interval that follows from that.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::batch::Batch;
use super::validators::{self, Rhythm};
use crate::model::{Feed, FeedId, FeedKey, Filter, LedgerEntry, Validators, site};
use crate::normalise::Selector;
use crate::schedule::{self, IntervalMode, PollCost};
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
    /// Times of the last items; empty unless the interval is learned from them.
    pub(super) times: Vec<Timestamp>,
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
    interval_mode: IntervalMode,
    configured: Url,
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
        let start = Start {
            feed: target.key,
            interval_mode: subscription.schedule.interval_mode,
            configured: subscription.feed.url.clone(),
            at,
        };
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
        let Self { feed, interval_mode, configured, at } = self;
        let times = match interval_mode {
            IntervalMode::Auto => reader.item_times(feed)?,
            IntervalMode::Fixed => Vec::new(),
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
        Ok(Before { state, times, rhythm, asked, known, is_shared })
    }
}

/// What is known about how often a feed publishes, before a poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace<'a> {
    pub(super) schedule: &'a schedule::Settings,
    /// Times of the newest items; the time when the feed was added, if it has none.
    pub(super) times: &'a [Timestamp],
    pub(super) has_items: bool,
    /// Validators of the last document; `None`: there was none.
    pub(super) validators: Option<&'a Validators>,
    pub(super) now: Timestamp,
}

impl Pace<'_> {
    /// The interval by the settings and by what is learned so far.
    pub(super) fn interval(&self) -> Duration {
        self.schedule.interval_of(self.learned(self.times, self.validators))
    }

    /// The interval that is learned with the times of new items and the validators of a new response; `None`: it is
    /// fixed, or nothing is known.
    pub(super) fn after(
        &self,
        new: Vec<Timestamp>,
        validators: Option<&Validators>,
    ) -> Option<Duration> {
        // Without an item, the only known time is that when the feed was added.
        let known = if self.has_items || new.is_empty() { self.times } else { &[] };
        let times: Vec<Timestamp> = known.iter().copied().chain(new).collect();
        self.learned(&times, validators.or(self.validators))
    }

    fn learned(&self, times: &[Timestamp], validators: Option<&Validators>) -> Option<Duration> {
        match self.schedule.interval_mode {
            IntervalMode::Fixed => None,
            IntervalMode::Auto => {
                let (start, cost) = (self.schedule.interval, PollCost::of(validators));
                schedule::learned(times, start, cost, self.now)
            }
        }
    }
}
