//! How a poll ends: with a result that is stored, or without a request, because a promise forbids it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::gate::{COMMAND_GAP, Denial, Denied};
use super::report::{self, PollMetrics, PollReport};
use super::start::Target;
use crate::fetch::Reservation;
use crate::model::{Address, Asker, FeedKey, FetchOutcome, HoldReason, Plan};
use crate::schedule;
use crate::store::{self, ErrorCause, FeedState, NewItem, PollCounts, PollUpdate, Store, Write};
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
    report::log_held(target, &denied, &plan);
    Ok(Held { feed: target.key, plan, denied })
}
