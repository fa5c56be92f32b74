//! ONE poll of ONE feed: fetch > parse > normalise > dedupe > plan > store.
//!
//! ```text
//! state := store.feed_state(feed)
//! fetch(url, validators) | body of a 200 that is new
//!   | parse | identify | store.known | normalise what is new or changed
//! plan(outcome, failures, freshness, hints)
//! store.record(everything, in one transaction)
//! ```
//!
//! Alone knows this order. Does not decide: the rooms it calls do. Leaves whose turn it is and
//! publication to the daemon. A feed's failure is data here; `Err` means that the store failed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tracing::{debug, info, warn};
use url::Url;

use crate::clock::Clock;
use crate::fetch::{self, Fetcher};
use crate::model::{
    Failure, FailureKind, Feed, FeedId, FeedKey, FetchOutcome, Hints, Plan, StoryKey,
};
use crate::store::{
    self, Bytes, ChangedItem, DocumentFacts, FeedState, Memory, NewItem, PollUpdate, Reader,
    Recorded, Store,
};
use crate::{dedupe, normalise, parse, schedule};

/// A feed with the settings in force for it: the config's defaults and its own keys.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The feed.
    pub feed: Feed,
    /// How often; shared by all feeds that override nothing.
    pub schedule: Arc<schedule::Settings>,
    /// What a request looks like; shared by all feeds that override nothing.
    pub fetch: Arc<fetch::Settings>,
    /// Newest items kept of one document.
    pub max_items: usize,
}

/// A subscription that the store knows.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its row.
    pub key: FeedKey,
    /// Its stable name.
    pub id: FeedId,
    /// What the config says.
    pub subscription: Arc<Subscription>,
}

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// The feed.
    pub feed: FeedKey,
    /// How the fetch, and then the reading, ended.
    pub outcome: FetchOutcome,
    /// What it brought.
    pub recorded: Recorded,
    /// When next, and why then.
    pub plan: Plan,
    /// How long it took.
    pub duration: Duration,
}

/// Polls feeds; one serves them all.
#[derive(Debug, Clone)]
pub struct Poller {
    fetcher: Arc<Fetcher>,
    store: Arc<Store>,
    clock: Clock,
    dedupe: dedupe::Settings,
    /// One permit a core: a document of 10 MB must not stall the loop, nor ten of them the machine.
    cpu: Arc<Semaphore>,
}

/// What a document brought.
struct Reading {
    facts: DocumentFacts,
    new: Vec<NewItem>,
    changed: Vec<ChangedItem>,
}

impl Poller {
    /// Puts the rooms together.
    #[must_use]
    pub fn new(
        fetcher: Arc<Fetcher>,
        store: Arc<Store>,
        clock: Clock,
        dedupe: dedupe::Settings,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { fetcher, store, clock, dedupe, cpu: Arc::new(Semaphore::new(cores)) }
    }

    /// Polls one feed and records all that follows from it.
    ///
    /// # Errors
    /// When the store fails; whatever the feed does is an outcome.
    pub async fn poll(&self, target: &Target) -> Result<Polled, store::Error> {
        let begun = self.clock.moment();
        let state = self.state(target.key).await?;
        let memory = usable(&state, &target.subscription);
        let mut response = self.fetch(target, &memory, begun.wall).await;
        let body = response.body.take();
        let mut reading = None;
        if let Some(body) = body {
            match self.read(target, body, &response.url, begun.wall).await {
                Ok(read) => reading = Some(read?),
                Err(failure) => response.outcome = FetchOutcome::Failed(failure),
            }
        }
        let duration = self.clock.elapsed().saturating_sub(begun.elapsed);
        let update = self.update(target, &state, memory, response, reading, (begun.wall, duration));
        let (outcome, plan) = (update.outcome.clone(), update.plan.clone());
        let recorded = self.store.record(update).await?;
        let polled = Polled { feed: target.key, outcome, recorded, plan, duration };
        log(target, &state, &polled);
        Ok(polled)
    }

    async fn state(&self, feed: FeedKey) -> Result<FeedState, store::Error> {
        let reader = self.store.reader().clone();
        off_thread(move || reader.feed_state(feed)).await.map_err(|_| store::Error::Closed)?
    }

    /// Fetches; a panic in there is a failure of this feed.
    async fn fetch(&self, target: &Target, memory: &Memory, now: Timestamp) -> fetch::Response {
        let subscription = &target.subscription;
        let request = fetch::Request {
            url: &subscription.feed.url,
            validators: &memory.validators,
            known_body: memory.body_hash,
            settings: &subscription.fetch,
            now,
        };
        let fetching = AssertUnwindSafe(self.fetcher.fetch(request)).catch_unwind();
        fetching.await.unwrap_or_else(|_| {
            fetch::Response::failed(subscription.feed.url.clone(), panicked("fetching"))
        })
    }

    /// Reads a new document, off the async threads.
    ///
    /// The outer error is the feed's, the inner one the store's.
    async fn read(
        &self,
        target: &Target,
        body: fetch::Body,
        url: &Url,
        now: Timestamp,
    ) -> Result<Result<Reading, store::Error>, Failure> {
        let Ok(permit) = Arc::clone(&self.cpu).acquire_owned().await else {
            return Ok(Err(store::Error::Closed));
        };
        let (target, url, reader) = (target.clone(), url.clone(), self.store.reader().clone());
        off_thread(move || {
            let _permit = permit;
            read(&target, &body, &url, &reader, now)
        })
        .await
        .unwrap_or_else(|_| Err(panicked("reading")))
    }

    /// Everything that this poll changes, as one value.
    fn update(
        &self,
        target: &Target,
        state: &FeedState,
        memory: Memory,
        response: fetch::Response,
        reading: Option<Reading>,
        (at, duration): (Timestamp, Duration),
    ) -> PollUpdate {
        let failures =
            if response.outcome.is_success() { 0 } else { state.failures.saturating_add(1) };
        let hints = reading.as_ref().map_or(&state.hints, |reading| &reading.facts.hints);
        let plan = self.plan(target, &response, failures, hints);
        let (facts, new, changed) = match reading {
            Some(reading) => (Some(reading.facts), reading.new, reading.changed),
            None => (None, Vec::new(), Vec::new()),
        };
        let (dedupe, feed) = (self.dedupe.clone(), target.key);
        let redirected = response.url != target.subscription.feed.url && response.status.is_some();
        PollUpdate {
            feed,
            at,
            duration,
            status: response.status,
            redirected_to: redirected.then(|| response.url.to_string()),
            bytes: Bytes { wire: response.wire_bytes, body: response.body_bytes },
            plan,
            failures,
            memory: remembered(memory, &response),
            outcome: response.outcome,
            document: facts,
            new,
            changed,
            judge: Box::new(move |_, candidates| -> Option<StoryKey> {
                dedupe::same_story(&dedupe, feed, candidates)
            }),
        }
    }

    fn plan(
        &self,
        target: &Target,
        response: &fetch::Response,
        failures: u32,
        hints: &Hints,
    ) -> Plan {
        schedule::plan(&schedule::Inputs {
            settings: &target.subscription.schedule,
            feed: &target.id,
            outcome: &response.outcome,
            failures,
            freshness: response.freshness,
            hints,
            now: self.clock.now(),
        })
    }
}

/// Runs blocking work where blocking is allowed; `Err` when it panicked.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

fn panicked(what: &str) -> Failure {
    Failure::new(
        FailureKind::Panicked,
        format!(
            "newswire panicked while {what} this feed: please report it with the feed's address"
        ),
    )
}

/// What is remembered, if it was learnt with this URL and this request shape.
fn usable(state: &FeedState, subscription: &Subscription) -> Memory {
    // RFC 9110 8.8.3: a validator belongs to one representation of one resource.
    let shape = fetch::request_shape(&subscription.fetch);
    let request_key = format!("{} {shape}", subscription.feed.url);
    if state.memory.request_key == request_key {
        state.memory.clone()
    } else {
        Memory { request_key, ..Memory::default() }
    }
}

/// What to remember from now on; `None`: no change.
///
/// An error teaches nothing, and neither does a document that could not be read: its validators
/// would hide the items in it for ever.
fn remembered(memory: Memory, response: &fetch::Response) -> Option<Memory> {
    if !response.outcome.is_success() {
        return None;
    }
    let validators = response.validators.clone().unwrap_or_else(|| memory.validators.clone());
    let body_hash = response.body_hash.or(memory.body_hash);
    let now = Memory { request_key: memory.request_key.clone(), validators, body_hash };
    (now != memory).then_some(now)
}

/// Document to new and changed items: parse > identify > known > normalise.
fn read(
    target: &Target,
    body: &fetch::Body,
    url: &Url,
    reader: &Reader,
    now: Timestamp,
) -> Result<Result<Reading, store::Error>, Failure> {
    let parsed = parse::parse(parse::Input {
        bytes: &body.bytes,
        content_type: body.content_type.as_deref(),
        url,
        max_items: target.subscription.max_items,
    })?;
    let feed = parsed.feed;
    let identified = dedupe::identify(&feed.items);
    let identities: Vec<_> = identified.iter().map(|item| item.identity).collect();
    let known = match reader.known(target.key, &identities) {
        Ok(known) => known,
        Err(error) => return Ok(Err(error)),
    };
    let context =
        normalise::Context { now, document_url: url, feed_language: feed.language.as_deref() };
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    // From the end: the oldest item gets the first row, so that rows ascend with age.
    for found in identified.iter().rev() {
        let parsed = &feed.items[found.index];
        match known.get(&found.identity) {
            Some(known) if known.fingerprint == found.fingerprint => {}
            Some(known) => changed.push(ChangedItem {
                key: known.key,
                url_key: found.url_key,
                fingerprint: found.fingerprint,
                item: normalise::item(parsed, &context),
            }),
            None => {
                let item = normalise::item(parsed, &context);
                let own_id = dedupe::own_id(&target.id, &found.identity);
                let global = item.guid.as_deref().and_then(dedupe::global_id);
                new.push(NewItem {
                    identity: found.identity,
                    url_key: found.url_key,
                    fingerprint: found.fingerprint,
                    outward_id: global.map_or_else(|| own_id.clone(), str::to_owned),
                    own_id,
                    first_seen: now,
                    item,
                });
            }
        }
    }
    let facts = DocumentFacts {
        profile: normalise::profile(&feed, url),
        dialect: feed.dialect.map(crate::model::Dialect::slug),
        complaints: parsed.complaints,
        hints: feed.hints,
    };
    Ok(Ok(Reading { facts, new, changed }))
}

/// The one line that a poll logs: loud when a feed's state changed or items came, else for debugging.
fn log(target: &Target, before: &FeedState, polled: &Polled) {
    let (feed, outcome) = (target.id.as_str(), polled.outcome.slug());
    let Recorded { new, joined, changed } = polled.recorded;
    let duration_ms = polled.duration.as_millis();
    let next = polled.plan.at.to_string();
    match &polled.outcome {
        FetchOutcome::Failed(failure) if before.failures == 0 => {
            warn!(feed, outcome, duration_ms, next, "{feed}: {failure}");
        }
        _ if before.failures == 0 && !polled.outcome.is_success() => {
            warn!(
                feed,
                outcome, duration_ms, next, "{feed}: {outcome}, {}", polled.plan.reason.text
            );
        }
        _ if before.failures > 0 && polled.outcome.is_success() => {
            info!(
                feed,
                outcome, new, joined, changed, duration_ms, next, "{feed}: works again, {new} new"
            );
        }
        _ if new + changed > 0 => {
            info!(
                feed,
                outcome,
                new,
                joined,
                changed,
                duration_ms,
                next,
                "{feed}: {new} new, {changed} changed"
            );
        }
        _ => debug!(feed, outcome, duration_ms, next, "{feed}: {outcome}"),
    }
}
