//! Stage 1, ONE poll of ONE feed: fetch > parse > normalise > identify > plan > store.
//!
//! ```text
//! state := store.feed_state(feed)
//! fetch(url, validators) | body of a 200 that is new
//!   | parse | identify | store.known | normalise what is new or changed | sort
//!   (edited, known under another guid, waiting, news)
//! plan(outcome, failures, freshness, hints)
//! store.write_poll(everything, as one value in one transaction; new items are pending until `stories` has matched them)
//! ```
//!
//! Alone knows this order. Does not decide: the rooms it calls do. Leaves whose turn it is and
//! publication to the daemon. A feed's failure is data here; `Err` means that the store failed.

mod homes;
mod log;
mod memory;
mod reading;
mod sorting;
mod tally;
mod target;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use url::Url;

use self::log::Line;
use self::reading::{Document, Reading};
use self::sorting::Extent;
use self::tally::Tally;
pub use self::target::{Subscription, Target};
use crate::clock::Clock;
use crate::fetch::{self, Fetcher};
use crate::model::{Failure, FailureKind, FeedKey, FetchOutcome, Plan};
use crate::schedule;
use crate::schedule::{FeedMatch, IntervalMode, NetworkMonitor, NetworkState};
use crate::store::{self, Bytes, CachedResponse, FeedState, PollCounts, PollUpdate, Store};
use crate::telemetry::Metrics;

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// The feed.
    pub feed: FeedKey,
    /// How the fetch, and then the reading, ended.
    pub outcome: FetchOutcome,
    /// What it brought.
    pub recorded: PollCounts,
    /// When next, and why then.
    pub plan: Plan,
    /// How long it took.
    pub duration: Duration,
    /// The address that answered.
    pub remote: Option<IpAddr>,
    /// For how long the host wants no request at all.
    pub host_pause: Option<SignedDuration>,
}

/// Polls feeds; one serves them all.
#[derive(Debug, Clone)]
pub struct Poller {
    fetcher: Arc<Fetcher>,
    store: Arc<Store>,
    clock: Clock,
    metrics: Option<Metrics>,
    /// One permit a core: a document of 10 MB must not stall the loop, nor ten of them the machine.
    cpu: Arc<Semaphore>,
    /// Whether it is us.
    network: Arc<Mutex<NetworkMonitor>>,
}

/// One poll under way: what was known when it began.
struct Begun<'a> {
    target: &'a Target,
    state: FeedState,
    /// When its last items came; only where the interval is learned from that.
    seen: Vec<Timestamp>,
    /// The address that is asked: the config's, or where that moved for good.
    asked: Url,
    memory: CachedResponse,
    at: Timestamp,
}

impl Poller {
    /// Puts the rooms together.
    #[must_use]
    pub fn new(fetcher: Arc<Fetcher>, store: Arc<Store>, clock: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            fetcher,
            store,
            clock,
            metrics: None,
            cpu: Arc::new(Semaphore::new(cores)),
            network: Arc::default(),
        }
    }

    /// Counts what polls bring.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Polls one feed and records all that follows from it.
    ///
    /// # Errors
    /// When the store fails; whatever the feed does is an outcome.
    pub async fn poll(&self, target: &Target) -> Result<Polled, store::Error> {
        let moment = self.clock.moment();
        let (state, seen) = self.state(target).await?;
        let subscription = &target.subscription;
        let asked = state.address.effective.clone();
        let asked = asked.unwrap_or_else(|| subscription.feed.url.clone());
        let memory = memory::usable(&state, &asked, &subscription.fetch);
        let begun = Begun { target, state, seen, asked, memory, at: moment.wall };
        let mut response = self.fetch(&begun).await;
        let body = response.body.take();
        let mut reading = None;
        if let Some(body) = body {
            let extent = if response.body_hash.is_some() { Extent::Whole } else { Extent::Part };
            match self.read(&begun, (body, extent), &response.url).await {
                Ok(read) => reading = Some(read?),
                Err(failure) => response.outcome = FetchOutcome::Failed(failure),
            }
        }
        let duration = self.clock.elapsed().saturating_sub(moment.elapsed);
        let (host_pause, remote) = (response.freshness.host_pause, response.remote);
        let tally = Tally::new(&begun.state, response.wire_bytes, reading.as_ref(), begun.at);
        let update = self.update(&begun, response, reading, duration);
        let (outcome, plan, status) = (update.outcome.clone(), update.plan.clone(), update.status);
        let lives = update.address.as_ref().and_then(|address| address.effective.clone());
        let recorded = self.store.write_poll(update).await?;
        let moved =
            lives.as_ref().filter(|url| Some(*url) != begun.state.address.effective.as_ref());
        let (asked, said, then) = (&begun.asked, &outcome, &plan);
        let line = Line { asked, status, outcome: said, recorded, plan: then, duration, moved };
        log::log(target, &begun.state, &line);
        if let Some(metrics) = &self.metrics {
            tally.count(metrics, &outcome, recorded, duration);
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

    /// Fetches; a panic in there is a failure of this feed.
    async fn fetch(&self, begun: &Begun<'_>) -> fetch::Response {
        let validators = memory::conditions(&begun.memory, begun.state.trust, begun.at);
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

    /// Reads a new document, off the async threads.
    ///
    /// The outer error is the feed's, the inner one the store's.
    async fn read(
        &self,
        begun: &Begun<'_>,
        (body, extent): (fetch::Body, Extent),
        url: &Url,
    ) -> Result<Result<Reading, store::Error>, Failure> {
        let Ok(permit) = Arc::clone(&self.cpu).acquire_owned().await else {
            return Ok(Err(store::Error::Closed));
        };
        let (target, state, now) = (begun.target.clone(), begun.state.clone(), begun.at);
        let (asked, url, reader) = (begun.asked.clone(), url.clone(), self.store.reader().clone());
        off_thread(move || {
            let _permit = permit;
            let (target, state, asked, url, body) = (&target, &state, &asked, &url, &body);
            reading::read(&Document { target, state, asked, url, body, extent, now }, &reader)
        })
        .await
        .unwrap_or_else(|_| Err(panicked("reading")))
    }

    /// Everything that this poll changes, as one value.
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
        let request_key = memory::key(next, &target.subscription.fetch);
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
            trust: memory::trust(state.trust, &begun.memory, &response, *at),
            response: memory::remembered(begun.memory.clone(), &response, request_key),
            address: (address != state.address).then_some(address),
            outcome: response.outcome,
            document: facts,
            new: brought.new,
            changed: brought.changed,
            guid_changes: brought.renamed,
        }
    }

    /// Failures in a row, and when next.
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
        log::network(state_before, state);
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

/// Runs blocking work where blocking is allowed; `Err` when it panicked.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

fn panicked(what: &str) -> Failure {
    Failure::new(FailureKind::Panicked, format!("newswire panicked while {what} this feed"))
        .help("report it with the URL of the feed")
}
