//! Stage 1: one poll of one feed. Fetch, parse, normalise, identify, plan, store.
//!
//! ```text
//! state := store.feed_state(feed)
//! fetch(url, validators) | new body of a 200 response
//!   | parse | identify | store.known | normalise new and changed items | sort
//!   (edited, known under another guid, held, new)
//! plan(outcome, failures, freshness, hints)
//! store.write_poll(all changes in one transaction; new items are pending until `stories` matches them)
//! ```
//!
//! The only code that knows this order. Other rooms make the decisions; the daemon chooses the feed and
//! publishes. A failure of a feed is an outcome; `Err` means that the store failed.

mod feed_sites;
mod reading;
mod report;
mod sorting;
mod target;
mod validators;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use url::Url;

use self::reading::{Document, Reading};
use self::report::{PollMetrics, PollReport};
use self::sorting::Extent;
pub use self::target::{Subscription, Target};
use crate::clock::Clock;
use crate::fetch::{self, Fetcher};
use crate::model::{Failure, FailureKind, FeedKey, FetchOutcome, Plan};
use crate::schedule::{self, FeedMatch, IntervalMode, NetworkMonitor, NetworkState};
use crate::store::{self, Bytes, CachedResponse, FeedState, PollCounts, PollUpdate, Store};
use crate::telemetry::Metrics;

/// Size in bytes from which only one document is read at a time.
const LARGE: usize = 1024 * 1024;

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// Row of the feed.
    pub feed: FeedKey,
    /// Outcome of the fetch, or of parsing if that failed.
    pub outcome: FetchOutcome,
    /// Numbers of new and changed items.
    pub recorded: PollCounts,
    /// Time of the next poll with its reason.
    pub plan: Plan,
    /// Duration of the poll.
    pub duration: Duration,
    /// IP address that answered.
    pub remote: Option<IpAddr>,
    /// Time during which the host wants no requests.
    pub host_pause: Option<SignedDuration>,
}

/// Polls feeds. One poller is shared by all feeds.
#[derive(Debug, Clone)]
pub struct Poller {
    fetcher: Arc<Fetcher>,
    store: Arc<Store>,
    clock: Clock,
    metrics: Option<Metrics>,
    /// One permit per core, so that documents do not occupy all threads.
    cpu: Arc<Semaphore>,
    /// One permit for documents larger than [`LARGE`]: the memory to read one is a multiple of its size.
    large: Arc<Semaphore>,
    /// Detects that this machine is offline.
    network: Arc<Mutex<NetworkMonitor>>,
}

/// A poll in progress, with the state from its start.
struct Begun<'a> {
    target: &'a Target,
    state: FeedState,
    /// Arrival times of the last items; empty unless the interval is learned from them.
    seen: Vec<Timestamp>,
    /// URL of the request: from the config, or the target of a permanent redirect.
    asked: Url,
    memory: CachedResponse,
    at: Timestamp,
}

impl Poller {
    /// A poller without metrics.
    #[must_use]
    pub fn new(fetcher: Arc<Fetcher>, store: Arc<Store>, clock: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            fetcher,
            store,
            clock,
            metrics: None,
            cpu: Arc::new(Semaphore::new(cores)),
            large: Arc::new(Semaphore::new(1)),
            network: Arc::default(),
        }
    }

    /// The poller with metrics.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Reads the configuration of the resolver again.
    pub fn reread_resolver(&self) {
        self.fetcher.reread_resolver();
    }

    /// Polls one feed and stores the result.
    ///
    /// # Errors
    /// If the store fails. A failure of the feed is an outcome.
    pub async fn poll(&self, target: &Target) -> Result<Polled, store::Error> {
        let moment = self.clock.moment();
        let (state, seen) = self.state(target).await?;
        let subscription = &target.subscription;
        let asked = state.address.effective.clone();
        let asked = asked.unwrap_or_else(|| subscription.feed.url.clone());
        let memory = validators::usable(&state, &asked, &subscription.fetch);
        let begun = Begun { target, state, seen, asked, memory, at: moment.wall };
        let mut response = self.fetch(&begun).await;
        let body = response.body.take();
        let mut reading = None;
        // The memory is reserved until the items are stored.
        let mut _memory = None;
        if let Some(mut body) = body {
            _memory = body.memory.take();
            let extent = if response.body_hash.is_some() { Extent::Whole } else { Extent::Part };
            match self.read(&begun, (body, extent), &response.url).await {
                Ok(read) => reading = Some(read?),
                Err(failure) => response.outcome = FetchOutcome::Failed(failure),
            }
        }
        let duration = self.clock.elapsed().saturating_sub(moment.elapsed);
        let (host_pause, remote) = (response.freshness.host_pause, response.remote);
        let poll_metrics =
            PollMetrics::new(&begun.state, response.wire_bytes, reading.as_ref(), begun.at);
        let update = self.update(&begun, response, reading, duration);
        let (outcome, plan, status) = (update.outcome.clone(), update.plan.clone(), update.status);
        let lives = update.address.as_ref().and_then(|address| address.effective.clone());
        let recorded = self.store.write_poll(update).await?;
        let moved =
            lives.as_ref().filter(|url| Some(*url) != begun.state.address.effective.as_ref());
        let (asked, said, then) = (&begun.asked, &outcome, &plan);
        let report =
            PollReport { asked, status, outcome: said, recorded, plan: then, duration, moved };
        report::log(target, &begun.state, &report);
        if let Some(metrics) = &self.metrics {
            poll_metrics.count(metrics, &outcome, recorded, duration);
        }
        Ok(Polled { feed: target.key, outcome, recorded, plan, duration, remote, host_pause })
    }

    async fn state(&self, target: &Target) -> Result<(FeedState, Vec<Timestamp>), store::Error> {
        let (reader, feed) = (self.store.reader().clone(), target.key);
        let pace = target.subscription.schedule.interval_mode;
        let read = move || {
            reader.read(|reader| {
                let seen = match pace {
                    IntervalMode::Auto => reader.arrival_times(feed)?,
                    IntervalMode::Fixed => Vec::new(),
                };
                Ok((reader.feed_state(feed)?, seen))
            })
        };
        off_thread(read).await.map_err(|_| store::Error::Closed)?
    }

    /// Fetches the feed. A panic is a failure of this feed.
    async fn fetch(&self, begun: &Begun<'_>) -> fetch::Response {
        let validators = validators::conditions(&begun.memory, begun.state.trust, begun.at);
        let request = fetch::Request {
            url: &begun.asked,
            validators: &validators,
            known_body: begun.memory.body_hash,
            settings: &begun.target.subscription.fetch,
            now: begun.at,
        };
        let fetching = AssertUnwindSafe(self.fetcher.fetch(request)).catch_unwind();
        fetching
            .await
            .unwrap_or_else(|_| fetch::Response::failed(begun.asked.clone(), panicked("fetching")))
    }

    /// Reads a new document on a blocking thread.
    ///
    /// The outer error is a failure of the feed, the inner one of the store.
    async fn read(
        &self,
        begun: &Begun<'_>,
        (body, extent): (fetch::Body, Extent),
        url: &Url,
    ) -> Result<Result<Reading, store::Error>, Failure> {
        let large = if body.bytes.len() > LARGE {
            Arc::clone(&self.large).acquire_owned().await.ok()
        } else {
            None
        };
        let Ok(permit) = Arc::clone(&self.cpu).acquire_owned().await else {
            return Ok(Err(store::Error::Closed));
        };
        let (target, state, now) = (begun.target.clone(), begun.state.clone(), begun.at);
        let (asked, url, reader) = (begun.asked.clone(), url.clone(), self.store.reader().clone());
        off_thread(move || {
            let _permits = (permit, large);
            let (target, state, asked, url, body) = (&target, &state, &asked, &url, &body);
            reading::read(&Document { target, state, asked, url, body, extent, now }, &reader)
        })
        .await
        .unwrap_or_else(|_| Err(panicked("reading")))
    }

    /// All changes of this poll as one value.
    fn update(
        &self,
        begun: &Begun<'_>,
        response: fetch::Response,
        reading: Option<Reading>,
        duration: Duration,
    ) -> PollUpdate {
        let Begun { target, state, at, .. } = begun;
        let (failures, plan) = self.plan(begun, &response, reading.as_ref());
        let feed_match = match (&reading, &response.outcome) {
            (Some(reading), _) => reading.feed_match,
            (None, FetchOutcome::NotModified) => FeedMatch::Same,
            (None, _) => FeedMatch::NotRead,
        };
        let configured = &target.subscription.feed.url;
        let address = schedule::address(&schedule::MoveObservation {
            configured,
            before: &state.address,
            hops: &response.hops,
            outcome: &response.outcome,
            feed_match,
            now: *at,
        });
        let next = address.effective.as_ref().unwrap_or(configured);
        let request_key = validators::key(next, &target.subscription.fetch);
        let (facts, brought) = match reading {
            Some(reading) => (Some(reading.facts), reading.brought),
            None => (None, sorting::Sorted::default()),
        };
        let redirected = response.url != *configured && response.status.is_some();
        PollUpdate {
            feed: target.key,
            at: *at,
            duration,
            status: response.status,
            redirected_to: redirected.then(|| response.url.to_string()),
            bytes: Bytes { wire: response.wire_bytes, body: response.body_bytes },
            plan,
            failures,
            trust: validators::trust(state.trust, &begun.memory, &response, *at),
            response: validators::remembered(begun.memory.clone(), &response, request_key),
            address: (address != state.address).then_some(address),
            outcome: response.outcome,
            document: facts,
            new: brought.new,
            changed: brought.changed,
            guid_changes: brought.renamed,
        }
    }

    /// Number of consecutive failures, and the time of the next poll.
    fn plan(
        &self,
        begun: &Begun<'_>,
        response: &fetch::Response,
        reading: Option<&Reading>,
    ) -> (u32, Plan) {
        let (target, before) = (begun.target, begun.state.failures);
        let host = begun.asked.host_str().unwrap_or_default();
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        let state_before = network.state();
        let state = network.observe(host, &response.outcome, self.clock.elapsed());
        drop(network);
        report::log_network(state_before, state);
        if state == NetworkState::Offline {
            return (before, schedule::while_offline(&target.id, self.clock.now()));
        }
        let failures = if response.outcome.is_success() { 0 } else { before.saturating_add(1) };
        let plan = schedule::plan(&schedule::Inputs {
            settings: &target.subscription.schedule,
            feed: &target.id,
            outcome: &response.outcome,
            failures,
            freshness: response.freshness,
            hints: reading.map_or(&begun.state.hints, |reading| &reading.facts.hints),
            learned: schedule::learned(&begun.seen, begun.at),
            now: self.clock.now(),
        });
        (failures, plan)
    }
}

/// Runs work on a blocking thread; `Err` if it panicked.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

fn panicked(what: &str) -> Failure {
    Failure::new(FailureKind::Panicked, format!("newswire panicked while {what} this feed"))
        .help("report it with the URL of the feed")
}
