//! What a poll reads from the store before it begins.

use jiff::Timestamp;
use url::Url;

use super::batch::Batch;
use super::target::Target;
use super::validators::{self, Rhythm};
use crate::model::{FeedKey, LedgerEntry, site};
use crate::schedule::IntervalMode;
use crate::store::{self, FeedState, Reader, Transaction};

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
