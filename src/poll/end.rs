//! How a poll ends: with a result that is stored, or without a request, because a promise forbids it. Also judges with each
//! poll whether this machine is offline, and which feeds get another plan because of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::gate::{COMMAND_GAP, Denial, Denied};
use super::report::{self, PollMetrics, PollReport};
use super::start::Target;
use crate::fetch::{self, Reservation};
use crate::model::{Address, Asker, FeedId, FeedKey, FetchOutcome, HoldReason, Plan, site};
use crate::schedule::{self, Judgement, LastOutcome, NetworkMonitor, NetworkState};
use crate::store::{
    self, ErrorCause, FeedState, NewItem, PollCounts, PollUpdate, Reader, Store, Transaction, Write,
};
use crate::telemetry::Metrics;

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// Row of the feed.
    pub feed: FeedKey,
    /// Outcome of the fetch, or of parsing if that failed.
    pub outcome: FetchOutcome,
    /// Numbers of new and changed items.
    pub recorded: PollCounts,
    /// Number of new items that the burst guard holds.
    pub burst: usize,
    /// Time of the next poll with its reason.
    pub plan: Plan,
    /// Duration of the poll.
    pub duration: Duration,
    /// Time of the request of a command or another feed whose document was read; `None`: the poll made a request.
    pub document_at: Option<Timestamp>,
    /// Other feeds that have another plan now, because this machine was offline when they were polled, or no longer is.
    pub replanned: Vec<(FeedKey, Timestamp)>,
    /// Address of the feed from now on; `None`: no change.
    pub address: Option<Address>,
}

/// The end of a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollEnd {
    /// The exchange ended, and its result is stored.
    Polled(Polled),
    /// A promise ended the exchange. Nothing was fetched, and the feed has another plan.
    Held(Held),
}

/// A poll that a promise ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Row of the feed.
    pub feed: FeedKey,
    /// Time of the next poll with its reason.
    pub plan: Plan,
    /// The promise that denied the request.
    pub denied: Denied,
}

impl PollEnd {
    /// Row of the feed.
    #[must_use]
    pub fn feed(&self) -> FeedKey {
        match self {
            Self::Polled(polled) => polled.feed,
            Self::Held(held) => held.feed,
        }
    }

    /// Time of the next poll with its reason.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        match self {
            Self::Polled(polled) => &polled.plan,
            Self::Held(held) => &held.plan,
        }
    }
}

/// The result of an exchange, ready to be stored.
#[derive(Debug)]
pub struct Finished {
    /// The feed, with the settings of the poll.
    pub(super) target: Target,
    /// The feed before the poll.
    pub(super) before: FeedState,
    /// URL of the request.
    pub(super) asked: Url,
    pub(super) metrics: PollMetrics,
    pub(super) update: Arc<PollUpdate>,
    /// Time of the document, if it was fetched before the poll.
    pub(super) document_at: Option<Timestamp>,
    pub(super) duration: Duration,
    /// The memory that its items occupy.
    pub(super) _memory: Option<Reservation>,
}

impl Finished {
    /// The feed, with the settings of the poll.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Logs and counts the stored poll.
    pub(super) fn end(self, recorded: PollCounts, counted: Option<&Metrics>) -> Polled {
        let Self { target, before, asked, metrics, update, document_at, duration, .. } = self;
        let lives = update.address.as_ref().and_then(|address| address.effective.as_ref());
        let report = PollReport {
            asked: &asked,
            status: update.status,
            outcome: &update.outcome,
            recorded,
            plan: &update.plan,
            duration,
            moved: lives.filter(|url| Some(*url) != before.address.effective.as_ref()),
        };
        report::log(&target, &before, &report);
        let is_burst = |new: &&NewItem| new.held == Some(HoldReason::Burst);
        let burst = update.new.iter().filter(is_burst).count();
        let (feed, outcome, plan) = (target.key, update.outcome.clone(), update.plan.clone());
        if let Some(counted) = counted {
            metrics.count(counted, &outcome, recorded, duration);
        }
        let others = update.exonerated.iter().chain(&update.released);
        let replanned = others.map(|(feed, plan)| (*feed, plan.at)).collect();
        let address = update.address.clone();
        Polled { feed, outcome, recorded, burst, plan, duration, document_at, replanned, address }
    }
}

/// A poll that the store could not take.
#[derive(Debug)]
pub struct Unstored {
    /// Why the transaction failed.
    pub error: store::Error,
    /// The result, if it can be stored once the failure has passed. The server is not asked a second time for it.
    pub finished: Option<Box<Finished>>,
}

impl Unstored {
    /// A damaged value or a faulty statement would fail again.
    pub(super) fn of(error: store::Error, finished: Box<Finished>) -> Self {
        let passes =
            matches!(error.cause(), ErrorCause::Full | ErrorCause::ReadOnly | ErrorCause::Busy);
        Self { error, finished: passes.then_some(finished) }
    }
}

impl From<store::Error> for Unstored {
    fn from(error: store::Error) -> Self {
        Self { error, finished: None }
    }
}

/// Why a command does not read the document of `document_at` once more: nothing would be requested, and nothing can be
/// new. `None`: the feed was not polled since then.
pub(super) fn read_before(
    asked: &Url,
    last_poll_at: Option<Timestamp>,
    document_at: Timestamp,
) -> Option<Denied> {
    let until = document_at.saturating_add(COMMAND_GAP).unwrap_or(Timestamp::MAX);
    let reason = Denial::Recent { at: document_at, by: Asker::Command };
    (last_poll_at >= Some(document_at)).then(|| Denied { until, reason, url: asked.clone() })
}

/// Plans the next poll after the end of the promise. A command does not change the plan of a feed that is not due.
pub(super) async fn hold(
    store: &Store,
    (target, is_due): (&Target, bool),
    denied: Denied,
    now: Timestamp,
) -> Result<Held, store::Error> {
    let plan = match &denied.reason {
        Denial::Demand(promise) => schedule::after_promise(&target.id, promise, now),
        Denial::Recent { at, .. } => schedule::after_unfinished(&target.id, *at, denied.until, now),
    };
    if is_due {
        store.write(Write::Replan(vec![(target.key, plan.clone())])).await?;
    }
    report::log_held(target, &denied, &plan, now);
    Ok(Held { feed: target.key, plan, denied })
}

/// The state of this machine's network. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Outages(Arc<Mutex<NetworkMonitor>>);

/// What one poll shows about the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<'a> {
    pub(super) target: &'a Target,
    pub(super) response: &'a fetch::Response,
    /// Number of consecutive failures before this poll.
    pub(super) failures: u32,
    /// Time of the request (UTC).
    pub(super) at: Timestamp,
}

/// The judgement about the network after one poll.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) state: NetworkState,
    /// Whether the failure of this feed before was this machine's.
    pub(super) was_blamed: bool,
    /// Feeds whose last failure was this machine's, with their next plans.
    pub(super) exonerated: Vec<(FeedKey, Plan)>,
    /// Feeds that waited because of an outage that is over, with their next plans.
    pub(super) released: Vec<(FeedKey, Plan)>,
}

impl Outages {
    /// Judges whether this machine is offline.
    pub(super) async fn judge(
        &self,
        Observed { target, response, failures, at }: Observed<'_>,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Outage, store::Error> {
        let this = LastOutcome {
            feed: target.key,
            id: target.id.clone(),
            site: site(&target.subscription.feed.url).to_owned(),
            outcome: response.outcome.kind(),
            status: response.status,
            redirected_to: (!response.hops.is_empty()).then(|| response.url.to_string()),
            body_hash: response.body_hash,
            failures: failures.saturating_add(1),
        };
        let needs_others = self.lock().needs_others(&this);
        let others = match needs_others {
            true => read(reader, |reader| reader.polls_since_success()).await?,
            false => Vec::new(),
        };
        let evidence: Vec<LastOutcome> =
            others.iter().filter(|other| other.feed != target.key).map(last_outcome).collect();
        let (before, judgement) = {
            let mut network = self.lock();
            (network.state(), network.judge(&this, &evidence, &(at..=now)))
        };
        let Judgement { state, exonerated, mut was_blamed, is_back } = judgement;
        if state == NetworkState::Offline && failures > 0 && !was_blamed {
            // By a process before this one.
            let key = target.key;
            was_blamed = read(reader, move |reader| reader.failed_since_success(key)).await?;
        }
        report::log_network(before, state);
        let plan = |(feed, id): (FeedKey, FeedId)| (feed, schedule::while_offline(&id, now));
        let exonerated = exonerated.into_iter().map(plan).collect();
        let mut waiting = match is_back {
            true => read(reader, |reader| reader.feeds_waiting_for_network()).await?,
            false => Vec::new(),
        };
        waiting.retain(|(feed, _)| *feed != target.key);
        let number = waiting.len();
        let plan = |(feed, id): (FeedKey, FeedId)| (feed, schedule::after_outage(&id, number, now));
        let released = waiting.into_iter().map(plan).collect();
        Ok(Outage { state, was_blamed, exonerated, released })
    }

    fn lock(&self) -> MutexGuard<'_, NetworkMonitor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read<T: Send + 'static>(
    reader: &Reader,
    query: impl FnOnce(&Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
) -> Result<T, store::Error> {
    let reader = reader.clone();
    let read = tokio::task::spawn_blocking(move || reader.read(query));
    read.await.map_err(|_| store::Error::Closed)?
}

fn last_outcome(poll: &store::UnsuccessfulPoll) -> LastOutcome {
    let url = Url::parse(&poll.url).ok();
    LastOutcome {
        feed: poll.feed,
        id: poll.id.clone(),
        site: url.as_ref().map(site).unwrap_or_default().to_owned(),
        outcome: poll.outcome,
        status: poll.status,
        redirected_to: poll.redirected_to.clone(),
        body_hash: None,
        failures: poll.failures,
    }
}
