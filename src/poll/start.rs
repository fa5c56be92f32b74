//! What is known before a poll begins: the feed with its settings, what the store has of it, how often it publishes, and
//! the interval that follows from that.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::batch::Batch;
use super::validators::{self, Rhythm};
use crate::health::silence;
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
    /// Whether the configured URL is requested first, because the feed is silent at the address that was adopted.
    pub(super) requests_configured: bool,
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
        let Self { feed, mode, at, .. } = self;
        let publishing = match mode {
            IntervalMode::Auto => reader.publishing(feed)?,
            IntervalMode::Fixed => Publishing::default(),
        };
        let state = reader.feed_state(feed)?;
        let rhythm = match validators::may_be_tested(state.trust, at) {
            true => validators::rhythm(&state, &reader.feed_activity(feed)?, at),
            false => Rhythm::Usual,
        };
        let requests_configured = self.requests_configured(&state, reader)?;
        let asked = state.address.effective.clone().unwrap_or(self.configured);
        let mut url = asked.clone();
        url.set_fragment(None);
        let known = reader.ledger_entry(url.as_str(), site(&url))?;
        let is_shared = reader.is_shared(url.as_str(), feed)?;
        Ok(Before { state, publishing, rhythm, asked, known, is_shared, requests_configured })
    }

    /// Whether the configured URL is requested before the adopted one. This is the first poll since the feed has been silent
    /// for the time after which [`silence`] reports it, for twice that time, for four times, and so on.
    fn requests_configured(
        &self,
        state: &FeedState,
        reader: &Transaction<'_>,
    ) -> Result<bool, store::Error> {
        let (Some(_), Some(last), 0) =
            (&state.address.effective, state.last_poll_at, state.failures)
        else {
            return Ok(false);
        };
        let activity = reader.feed_activity(self.feed)?;
        let since = state.last_new_at.max(activity.moments.first().copied());
        let is_due = since
            .zip(silence::threshold(&activity))
            .is_some_and(|(since, limit)| has_doubled((since, limit), last, self.at));
        if !is_due {
            return Ok(false);
        }
        let mut url = self.configured.clone();
        url.set_fragment(None);
        // A poll that was held or killed has requested it: once is enough.
        let asked = reader.ledger_entry(url.as_str(), site(&url))?.url_asked;
        Ok(asked.is_none_or(|(at, _)| at <= last))
    }
}

/// Whether the time since `since` has become this limit, or a doubling of it, between two polls.
fn has_doubled(
    (since, limit): (Timestamp, SignedDuration),
    last_poll: Timestamp,
    now: Timestamp,
) -> bool {
    let times = |at: Timestamp| at.duration_since(since).as_secs() / limit.as_secs().max(1);
    times(now).checked_ilog2() > times(last_poll).checked_ilog2()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_acted_on_once_at_each_doubling_of_the_limit() {
        let day = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        let since_and_limit = (day(0), SignedDuration::from_hours(10 * 24));
        let days: Vec<i64> =
            (1..200).filter(|now| has_doubled(since_and_limit, day(now - 1), day(*now))).collect();
        assert_eq!(days, [10, 20, 40, 80, 160]);
    }
}
