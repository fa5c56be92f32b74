//! Judges with each poll whether this machine is offline, and which feeds get another plan because of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use url::Url;

use super::report;
use super::start::Target;
use crate::fetch;
use crate::model::{FeedId, FeedKey, Plan, site};
use crate::schedule::{self, Judgement, LastOutcome, NetworkMonitor, NetworkState};
use crate::store::{self, Reader, Transaction};

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
