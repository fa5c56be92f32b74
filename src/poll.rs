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

mod batch;
mod documents;
mod edits;
mod end;
mod gate;
mod lanes;
mod ledger;
mod reading;
mod report;
mod sorting;
mod start;
mod validators;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use url::Url;

pub use self::documents::MAX_SHARED;
pub use self::end::{Finished, Held, PollEnd, Polled, Unstored};
use self::end::{Observed, Outage, Outages, hold, read_before};
pub use self::gate::{
    Answer, COMMAND_GAP, Denial, Denied, FinishedExchange, Gate, Limits, Urgency, Visit,
};
pub use self::ledger::Ledger;
use self::reading::{Document, Ending, Reading, feed_match_of};
pub(crate) use self::report::log_registered;
use self::report::{PollMetrics, log_reset};
pub use self::report::{denial_line, result_line};
use self::sorting::Extent;
use self::start::{Before, Pace, Starts};
pub use self::start::{Subscription, Target};
use self::validators::Evidence;
use crate::clock::{Clock, Moment};
use crate::fetch;
use crate::model::{
    Asker, Failure, FailureKind, FetchOutcome, Hop, LedgerEntry, Outcome, Plan, PollYield, Promise,
    PromiseScope, Publishing, Validators,
};
use crate::schedule::{self, FeedMatch, Learned, NetworkState};
use crate::store::{
    self, Bytes, CachedResponse, FeedState, PollUpdate, Store, ValidatorTrust, Write,
};
use crate::telemetry::Metrics;

/// Size in bytes from which only one document is read at a time.
const LARGE: usize = 1024 * 1024;

/// Why a feed is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Its plan is due.
    Due,
    /// The operator named it: demands of servers are kept, and no URL is requested twice within five minutes.
    Command,
    /// The operator insists (`--force`).
    Forced {
        /// Start of the command. A URL that several feeds lead to is requested once by each command.
        since: Timestamp,
    },
}

impl Trigger {
    /// Whether the demands of servers are ignored.
    #[must_use]
    pub fn is_forced(self) -> bool {
        matches!(self, Self::Forced { .. })
    }
}

/// Polls feeds. One poller is shared by all feeds.
#[derive(Debug, Clone)]
pub struct Poller {
    gate: Gate,
    store: Arc<Store>,
    clock: Clock,
    metrics: Option<Metrics>,
    /// Polls that are about to start.
    starts: Starts,
    /// One permit per core, so that documents do not occupy all threads.
    cpu: Arc<Semaphore>,
    /// One permit for documents larger than [`LARGE`]: the memory to read one is a multiple of its size.
    large: Arc<Semaphore>,
    /// Detects that this machine is offline.
    outages: Outages,
}

/// A poll in progress, with the state from its start.
struct Begun<'a> {
    target: &'a Target,
    state: FeedState,
    /// How the feed has published lately; empty for a fixed interval.
    publishing: Publishing,
    /// URL of the request: from the config, or the target of a permanent redirect.
    asked: Url,
    memory: CachedResponse,
    /// The validators that are sent.
    validators: Validators,
    at: Timestamp,
    /// By how much the clock was set during the exchange; zero: it was not.
    jump: SignedDuration,
    trigger: Trigger,
    /// What the ledger has about the URL of the request and its site; `None`: it is read.
    known: Option<LedgerEntry>,
    is_shared: bool,
}

/// A response with what was read from it.
struct Fetched {
    exchange: FinishedExchange,
    reading: Option<Reading>,
    /// Time of the document, if it was fetched before the poll.
    document_at: Option<Timestamp>,
    /// The memory of the document, until its items are stored.
    memory: Option<fetch::Reservation>,
}

impl Fetched {
    /// Whether it is the known feed with new items.
    fn has_new_items(&self) -> bool {
        let reading = self.reading.as_ref().filter(|it| it.feed_match == FeedMatch::Same);
        reading.is_some_and(|reading| !reading.brought.new.is_empty())
    }
}

/// How an exchange ended.
enum Exchanged {
    Finished(Box<Finished>),
    Held(Box<Held>),
}

impl Begun<'_> {
    /// Makes a request of the configured URL that led to the adopted address one of that address.
    fn leave_out_redirects_to_adopted(&mut self, hops: &mut Vec<Hop>) {
        let adopted = self.state.address.effective.as_ref().filter(|it| **it != self.asked);
        let Some(adopted) = adopted else { return };
        if let Some(at) = hops.iter().position(|hop| hop.location == adopted.as_str()) {
            hops.drain(..=at);
            self.asked = adopted.clone();
        }
    }

    /// What this response shows about the server's handling of validators.
    fn evidence<'e>(
        &'e self,
        response: &'e fetch::Response,
        reading: Option<&Reading>,
    ) -> Evidence<'e> {
        let state = &self.state;
        Evidence {
            sent: validators::sent(&self.memory, &self.validators),
            memory: &self.memory,
            response,
            news: reading.is_some_and(Reading::has_news),
            ending: reading.map_or(Ending::Complete, |reading| reading.ending),
            before: state.last_outcome.zip(state.last_success),
            now: self.at,
        }
    }

    /// What is known about the server's handling of validators after a response.
    fn trust(&self, evidence: &Evidence<'_>, network: NetworkState) -> ValidatorTrust {
        match network {
            NetworkState::Online => validators::trust(self.state.trust, evidence),
            // A captive portal may have answered.
            NetworkState::Offline => self.state.trust,
        }
    }

    /// What the feed shows about how often it publishes.
    fn pace(&self) -> Pace<'_> {
        let validators = self.state.last_success.map(|_| &self.memory.validators);
        let schedule = &self.target.subscription.schedule;
        let publishing = &self.publishing;
        Pace { schedule, publishing, has_items: self.state.items > 0, validators, now: self.at }
    }

    /// The interval that the feed's items show, those of the new document included.
    fn learned(&self, response: &fetch::Response, reading: Option<&Reading>) -> Option<Learned> {
        let seen = self.state.last_success.map(|_| self.at);
        let new =
            reading.into_iter().flat_map(|reading| reading.new_times(seen, self.at)).collect();
        let unchanged = PollYield { at: self.at, new: 0, unseen: 0, items: None };
        let brought = reading.map_or(unchanged, |reading| reading.brought(self.at));
        let brought = response.outcome.is_success().then_some(brought);
        self.pace().after(new, brought, response.validators.as_ref())
    }
}

impl Poller {
    /// A poller without metrics.
    #[must_use]
    pub fn new(gate: Gate, store: Arc<Store>, clock: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            gate,
            store,
            clock,
            metrics: None,
            starts: Starts::default(),
            cpu: Arc::new(Semaphore::new(cores)),
            large: Arc::new(Semaphore::new(1)),
            outages: Outages::default(),
        }
    }

    /// The poller with metrics.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Reads the configuration of the resolver again.
    pub fn reread_resolver(&self) {
        self.gate.reread_resolver();
    }

    /// Whether a connection to the server of this feed can be opened. No request is sent.
    pub async fn reaches(&self, target: &Target) -> bool {
        let Subscription { feed, fetch, .. } = &*target.subscription;
        self.gate.reaches(&feed.url, fetch).await
    }

    /// Polls one feed and stores the result.
    ///
    /// # Errors
    /// If the store fails. A failure of the feed is an outcome.
    pub async fn poll(&self, target: &Target, trigger: Trigger) -> Result<PollEnd, Unstored> {
        match self.exchange(target, trigger).await? {
            Exchanged::Finished(finished) => self.store(finished).await,
            Exchanged::Held(held) => Ok(PollEnd::Held(*held)),
        }
    }

    /// Stores the result of an exchange.
    ///
    /// # Errors
    /// If the store fails; the error contains the result if it can be stored later.
    pub async fn store(&self, finished: Box<Finished>) -> Result<PollEnd, Unstored> {
        match self.store.write_poll(Arc::clone(&finished.update)).await {
            Ok(recorded) => Ok(PollEnd::Polled(finished.end(recorded, self.metrics.as_ref()))),
            Err(error) => Err(Unstored::of(error, finished)),
        }
    }

    /// Fetches and reads one feed, and decides what is stored.
    async fn exchange(&self, target: &Target, trigger: Trigger) -> Result<Exchanged, store::Error> {
        let (moment, before) = (self.clock.moment(), self.before(target).await?);
        let Before { state, publishing, rhythm, asked, known, is_shared, requests_configured } =
            before;
        let memory = validators::usable(&state, &asked, &target.subscription.fetch);
        let validators = validators::conditions(&memory, &state, rhythm, moment.wall);
        let mut begun = Begun {
            target,
            state,
            publishing,
            asked,
            memory,
            validators,
            at: moment.wall,
            jump: SignedDuration::ZERO,
            trigger,
            known: Some(known),
            is_shared,
        };
        let of_configured = match requests_configured {
            true => self.request_configured(&mut begun, moment).await?,
            false => None,
        };
        let fetched = match of_configured {
            Some(fetched) => Ok(fetched),
            None => self.request(&mut begun, moment).await?,
        };
        let Fetched { mut exchange, reading, document_at, memory } = match fetched {
            Ok(fetched) => fetched,
            Err(denied) => return self.held((target, trigger), *denied).await,
        };
        let duration = self.clock.elapsed().saturating_sub(moment.elapsed);
        let (response, shared) = (&exchange.response, exchange.shared.take());
        let metrics =
            PollMetrics::new(&begun.state, response.wire_bytes, reading.as_ref(), begun.at);
        let observed = Observed { target, response, failures: begun.state.failures, at: begun.at };
        let outage = self.outages.judge(observed, self.store.reader(), self.clock.now()).await?;
        let update = self.update(&begun, (exchange, outage), reading, duration);
        let (target, Begun { state: before, asked, .. }) = (target.clone(), begun);
        Ok(Exchanged::Finished(Box::new(Finished {
            target,
            before,
            asked,
            metrics,
            update: Arc::new(PollUpdate { shared, ..update }),
            document_at,
            duration,
            _memory: memory,
        })))
    }

    /// Requests and reads the feed; `Err`: a promise forbids it.
    async fn request(
        &self,
        begun: &mut Begun<'_>,
        moment: Moment,
    ) -> Result<Result<Fetched, Box<Denied>>, store::Error> {
        let mut exchange = match self.fetch(begun).await? {
            Answer::Finished(finished) => *finished,
            Answer::Denied(denied) => return Ok(Err(denied)),
        };
        // The time of the poll is that of its last request, not of the wait for its turn.
        begun.at = exchange.asked_at.unwrap_or(begun.at);
        begun.jump = schedule::jump_between(moment, self.clock.moment());
        if begun.jump != SignedDuration::ZERO {
            // The clock was set meanwhile. Items keep their dates, so that these are by the clock at the start.
            begun.at = moment.wall;
        }
        let shared = exchange.shared.as_ref();
        let document_at = shared.map(|it| it.at).filter(|_| exchange.asked_at.is_none());
        let reread = document_at.filter(|_| begun.trigger == Trigger::Command);
        let last_poll_at = begun.state.last_poll_at;
        if let Some(denied) = reread.and_then(|at| read_before(&begun.asked, last_poll_at, at)) {
            return Ok(Err(Box::new(denied)));
        }
        // Without a request, no server answered this poll.
        let response = &mut exchange.response;
        response.status = response.status.filter(|_| document_at.is_none());
        begun.leave_out_redirects_to_adopted(&mut response.hops);
        // The memory is reserved until the items are stored.
        let memory = response.body.as_mut().and_then(|body| body.memory.take());
        let reading = self.read_body(begun, response).await?;
        Ok(Ok(Fetched { exchange, reading, document_at, memory }))
    }

    /// Requests the configured URL of a feed that is silent at its adopted address. `Some`: it leads to that address, or it
    /// has new items. `None`: the adopted address is requested next.
    async fn request_configured(
        &self,
        begun: &mut Begun<'_>,
        moment: Moment,
    ) -> Result<Option<Fetched>, store::Error> {
        let configured = begun.target.subscription.feed.url.clone();
        let adopted = std::mem::replace(&mut begun.asked, configured);
        begun.known = None;
        if let Ok(fetched) = self.request(begun, moment).await? {
            let has_news =
                fetched.exchange.response.outcome.is_success() && fetched.has_new_items();
            // Whatever the adopted address answered, it is not requested twice.
            if begun.asked == adopted || has_news {
                return Ok(Some(fetched));
            }
            self.store.write(Write::Promises(fetched.exchange.promises)).await?;
        }
        begun.asked = adopted;
        Ok(None)
    }

    async fn held(
        &self,
        (target, trigger): (&Target, Trigger),
        denied: Denied,
    ) -> Result<Exchanged, store::Error> {
        let is_due = trigger == Trigger::Due;
        let held = hold(&self.store, (target, is_due), denied, self.clock.now()).await?;
        Ok(Exchanged::Held(Box::new(held)))
    }

    /// What the poll needs. A state that was altered is reset first.
    async fn before(&self, target: &Target) -> Result<Before, store::Error> {
        let (reader, now) = (self.store.reader(), self.clock.now());
        let before = self.starts.before(target, reader, now).await?;
        if !before.state.is_altered {
            return Ok(before);
        }
        log_reset(&target.id);
        self.store.write(Write::ResetState(target.key)).await?;
        self.starts.before(target, reader, now).await
    }

    /// Fetches the feed. A panic is a failure of this feed.
    async fn fetch(&self, begun: &Begun<'_>) -> Result<Answer, store::Error> {
        let schedule = &begun.target.subscription.schedule;
        let rereads = validators::is_reread(&begun.state, begun.at);
        let from = begun.memory.url.as_deref().and_then(|url| Url::parse(url).ok());
        let request = fetch::Request {
            url: &begun.asked,
            wanted: validators::wanted(&begun.memory),
            validators: &begun.validators,
            validators_from: from.as_ref(),
            known_body: begun.memory.body_hash.filter(|_| !rereads),
            known_lifetime: begun.memory.lifetime,
            settings: &begun.target.subscription.fetch,
            now: begun.at,
        };
        let urgency = match begun.trigger {
            Trigger::Due => {
                let (interval, last) = (begun.pace().interval(), begun.state.last_poll_at);
                Urgency::Scheduled { interval, last }
            }
            Trigger::Command => Urgency::Command,
            Trigger::Forced { since } => Urgency::Forced { since },
        };
        let limits = Limits { at_once: schedule.per_host, spacing: schedule.host_spacing };
        let known = begun.known.clone().filter(|_| self.gate.has_ledger_of_polls());
        let by = Asker::Feed(begun.target.id.clone());
        let is_shared = begun.is_shared;
        let visit = Visit { request, by, urgency, limits, is_shared, known };
        let fetching = AssertUnwindSafe(Box::pin(self.gate.fetch(visit))).catch_unwind();
        fetching.await.unwrap_or_else(|_| {
            let response = fetch::Response::failed(begun.asked.clone(), panicked("fetching"));
            Ok(Answer::Finished(Box::new(FinishedExchange::unsent(response))))
        })
    }

    /// Reads the document of the response, if it has one. An unreadable one becomes the outcome.
    async fn read_body(
        &self,
        begun: &Begun<'_>,
        response: &mut fetch::Response,
    ) -> Result<Option<Reading>, store::Error> {
        let Some(body) = response.body.take() else { return Ok(None) };
        let extent = if response.body_hash.is_some() { Extent::Whole } else { Extent::Part };
        match self.read(begun, (body, extent), &response.url).await {
            Ok(read) => Ok(Some(read?)),
            Err(failure) => {
                // The beginning of a document that was cut in transit need not be readable.
                if response.outcome.is_success() {
                    let failure = fetch::after_redirects(failure, &response.hops, &response.url);
                    response.outcome = FetchOutcome::Failed(failure);
                }
                Ok(None)
            }
        }
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
            let (target, state) = (&target, &state);
            let (asked, url, body) = (&asked, &url, &body);
            let document = Document { target, state, asked, url, body, extent, now };
            reading::read(&document, &reader)
        })
        .await
        .unwrap_or_else(|_| Err(panicked("reading")))
    }

    /// All changes of this poll as one value.
    fn update(
        &self,
        begun: &Begun<'_>,
        (fetched, outage): (FinishedExchange, Outage),
        reading: Option<Reading>,
        duration: Duration,
    ) -> PollUpdate {
        let Begun { target, state, at, .. } = begun;
        let FinishedExchange { response, promises, .. } = fetched;
        let evidence = begun.evidence(&response, reading.as_ref());
        let ending = evidence.ending;
        let trust = begun.trust(&evidence, outage.state);
        let (network, was_blamed) = (outage.state, outage.was_blamed);
        let said = Said { response: &response, promises: &promises, network, was_blamed };
        let (failures, plan) = self.plan(begun, &said, reading.as_ref(), trust);
        let configured = &target.subscription.feed.url;
        let address = schedule::address(&schedule::MoveObservation {
            configured,
            asked: &begun.asked,
            before: &state.address,
            hops: &response.hops,
            outcome: &response.outcome,
            feed_match: feed_match_of(reading.as_ref(), &response.outcome),
            failures: if network == NetworkState::Online { failures } else { 0 },
            last_success: state.last_success.filter(|_| network == NetworkState::Online),
            now: *at,
        });
        let next = address.effective.as_ref().unwrap_or(configured);
        let key = validators::key(next, &target.subscription.fetch);
        let request_key = evidence.next_key(key, trust);
        let read = reading.map(|reading| (Some(reading.facts), reading.brought));
        let (facts, brought) = read.unwrap_or_default();
        let redirected = response.url != *configured && response.status.is_some();
        PollUpdate {
            feed: target.key,
            at: *at,
            duration,
            promises,
            shared: None,
            exonerated: outage.exonerated,
            released: outage.released,
            status: response.status,
            redirected_to: redirected.then(|| response.url.to_string()),
            bytes: Bytes { wire: response.wire_bytes, body: response.body_bytes },
            plan,
            failures,
            trust: (trust != state.trust).then_some(trust),
            response: validators::remembered(begun.memory.clone(), &response, ending, request_key),
            address: (address != state.address).then_some(address),
            outcome: response.outcome,
            document: facts,
            new: brought.new,
            changed: brought.changed,
            guid_changes: brought.renamed,
            redated: brought.redated,
        }
    }

    /// Number of consecutive failures, and the time of the next poll.
    fn plan(
        &self,
        begun: &Begun<'_>,
        &Said { response, promises, network, was_blamed }: &Said<'_>,
        reading: Option<&Reading>,
        trust: ValidatorTrust,
    ) -> (u32, Plan) {
        let (target, before) = (begun.target, begun.state.failures);
        if network == NetworkState::Offline {
            let failures = before.saturating_sub(u32::from(was_blamed));
            return (failures, schedule::while_offline(&target.id, self.clock.now()));
        }
        let failures = match response.outcome {
            FetchOutcome::Modified | FetchOutcome::NotModified => 0,
            // Counted from the first 410, whatever failed before.
            FetchOutcome::Gone if begun.state.last_outcome != Some(Outcome::Gone) => 1,
            _ => before.saturating_add(1),
        };
        // Stored times are moved with the clock afterwards.
        let now = self.clock.now().saturating_sub(begun.jump).unwrap_or(begun.at);
        let wide = promises.iter().filter(|it| it.scope != PromiseScope::Url && it.until > now);
        let plan = schedule::plan(&schedule::Inputs {
            promise: wide.max_by_key(|promise| promise.until),
            settings: &target.subscription.schedule,
            feed: &target.id,
            outcome: &response.outcome,
            failures,
            freshness: response.freshness,
            hints: reading.map_or(&begun.state.hints, |reading| &reading.facts.hints),
            learned: begun.learned(response, reading),
            unconditional: validators::wait(trust, now),
            now,
        });
        let tested = (trust, begun.state.last_success);
        (failures, validators::in_time(plan, tested, (begun.pace().interval(), now)))
    }
}

/// What a poll brought, as the plan needs it.
struct Said<'a> {
    response: &'a fetch::Response,
    promises: &'a [Promise],
    network: NetworkState,
    /// Whether the failure of this feed before was this machine's.
    was_blamed: bool,
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
