//! The gate: the one function that sends requests, for tasks and for commands.
//!
//! Before each request of an exchange, redirects included, the gate reads the ledger. A promise about the URL, its site
//! or its address ends the exchange; the gate never waits for the end of a promise. Otherwise the request waits for
//! its turn, is written to the ledger, and is sent. What the response asks for becomes promises.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;
use url::Url;

use super::documents::{self, Documents};
use super::lanes::{Lanes, Turn, Waiting};
use super::ledger::{self, Answered, Ledger};
use crate::clock::Clock;
use crate::fetch::{self, Exchange, Fetcher, Step};
use crate::model::{Asked, Asker, Freshness, LedgerEntry, Promise, PromiseScope, site};
use crate::store::{self, SharedDocument};
use crate::telemetry::{Metrics, RequestKind};

/// Least time between two requests for a URL that a command makes.
pub const COMMAND_GAP: SignedDuration = SignedDuration::from_mins(5);
/// Longest time for which a request of a command delays a poll. Its result is not stored.
const COMMAND_DELAY: SignedDuration = SignedDuration::from_hours(1);

/// Limits of the requests to one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of simultaneous requests.
    pub at_once: usize,
    /// Minimum time between the starts of two requests.
    pub spacing: Duration,
}

/// Which promises a request keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It is due: demands of servers are kept, and requests without a result count for the whole interval.
    Scheduled {
        /// Time between two requests for one URL.
        interval: Duration,
        /// Time of the last request that had a result; `None`: none had.
        last: Option<Timestamp>,
    },
    /// A command: demands of servers are kept, and no URL is requested twice within [`COMMAND_GAP`].
    Command,
    /// `--force`: only the turns of site and address are kept.
    Forced {
        /// Start of the command, which requests a URL once for all feeds that lead to it.
        since: Timestamp,
    },
}

impl Urgency {
    fn is_forced(self) -> bool {
        matches!(self, Self::Forced { .. })
    }
}

/// A request with its origin and its limits.
#[derive(Debug)]
pub struct Visit<'a> {
    /// URL, validators and settings of the request.
    pub request: fetch::Request<'a>,
    /// The task or command that makes the request.
    pub by: Asker,
    /// Which promises it keeps.
    pub urgency: Urgency,
    /// Limits of the sites that are asked.
    pub limits: Limits,
    /// Whether other feeds are read from the URL too.
    pub is_shared: bool,
    /// What the ledger has about the first URL and its site; `None`: it is read.
    pub known: Option<LedgerEntry>,
}

/// How a request with its redirects ended.
#[derive(Debug)]
pub enum Answer {
    /// The exchange has ended.
    Finished(Box<FinishedExchange>),
    /// A promise ended the exchange before one of its requests.
    Denied(Box<Denied>),
}

/// An exchange that has ended.
#[derive(Debug)]
pub struct FinishedExchange {
    /// The response. Its waits are the longest of all hops.
    pub response: fetch::Response,
    /// Promises that the caller has to write; empty if they are written.
    pub promises: Vec<Promise>,
    /// Time of the last request; `None`: none was sent.
    pub asked_at: Option<Timestamp>,
    /// The document, if other feeds may be read from it: several are, or a redirect led to it.
    pub shared: Option<Arc<SharedDocument>>,
}

impl FinishedExchange {
    /// An exchange without a request.
    pub(super) fn unsent(response: fetch::Response) -> Self {
        Self { response, promises: Vec::new(), asked_at: None, shared: None }
    }
}

/// An exchange that a promise ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Time from which the request is allowed.
    pub until: Timestamp,
    /// The promise that forbids the request.
    pub reason: Denial,
    /// URL that may not be requested now.
    pub url: Url,
}

/// Why a request was denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// A server asked for the wait.
    Demand(Promise),
    /// The URL was requested a short time ago.
    Recent {
        /// Time of that request.
        at: Timestamp,
        /// The task or command that made the request.
        by: Asker,
    },
}

impl Denial {
    /// The stable slug: that of the promise, or `recent`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Demand(promise) => promise.reason.slug(),
            Self::Recent { .. } => "recent",
        }
    }
}

/// Sends requests. Clones share turns and ledger.
#[derive(Debug, Clone)]
pub struct Gate {
    fetcher: Arc<Fetcher>,
    ledger: Ledger,
    clock: Clock,
    lanes: Arc<Lanes>,
    demands: Arc<Demands>,
    documents: Arc<Documents>,
    metrics: Option<Metrics>,
}

/// Demands of servers that this process knows of, also those that are not written yet.
#[derive(Debug, Default)]
struct Demands {
    loaded: OnceCell<()>,
    open: Mutex<HashMap<(PromiseScope, String), Promise>>,
}

impl Gate {
    /// A gate with this ledger.
    #[must_use]
    pub fn new(fetcher: Arc<Fetcher>, ledger: Ledger, clock: Clock) -> Self {
        let (lanes, demands, documents) = (Arc::default(), Arc::default(), Arc::default());
        Self { fetcher, ledger, clock, lanes, demands, documents, metrics: None }
    }

    /// The same gate, which counts its requests.
    #[must_use]
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Reads the configuration of the resolver again.
    pub(super) fn reread_resolver(&self) {
        self.fetcher.reread_resolver();
    }

    /// Whether a connection to the server of this URL can be opened. No request is sent.
    pub(super) async fn reaches(&self, url: &Url, settings: &fetch::Settings) -> bool {
        self.fetcher.reaches(url, settings).await
    }

    /// Moves the promises that this process knows of with the clock.
    pub fn move_clock(&self, by: SignedDuration) {
        let mut open = self.demands.open.lock().unwrap_or_else(PoisonError::into_inner);
        for promise in open.values_mut() {
            promise.until = promise.until.saturating_add(by).unwrap_or(promise.until);
            promise.at = promise.at.saturating_add(by).unwrap_or(promise.at);
        }
    }

    /// Whether the ledger is in the database of this process.
    pub(super) fn has_ledger_of_polls(&self) -> bool {
        self.ledger.is_of_polls()
    }

    /// Makes one exchange, unless a promise forbids it.
    ///
    /// # Errors
    /// When the ledger cannot be read or written; then no further request is sent.
    pub async fn fetch(&self, mut visit: Visit<'_>) -> Result<Answer, store::Error> {
        let asked = visit.request.url.clone();
        if fetch::is_local(&asked) {
            // No server is asked, so that there is nothing to keep and nothing to note.
            let response = fetch::read_local(&visit.request).await;
            let (promises, asked_at, shared) = (Vec::new(), None, None);
            return Ok(Answer::Finished(Box::new(FinishedExchange {
                response,
                promises,
                asked_at,
                shared,
            })));
        }
        let (mut exchange, mut said) = match self.fetcher.exchange(visit.request) {
            Ok(exchange) => (exchange, Said::default()),
            Err(failure) => {
                let response = fetch::Response::failed(asked, failure);
                return Ok(Answer::Finished(Box::new(FinishedExchange::unsent(response))));
            }
        };
        let mut time = visit.request.settings.timeout;
        let response = loop {
            let known = visit.known.take();
            match self.hop((&visit, known), &mut exchange, &mut said, &mut time).await? {
                Hop::Redirected => {}
                Hop::Denied(denied) => {
                    if let Some(metrics) = &self.metrics {
                        metrics.held(denied.reason.slug());
                    }
                    self.ledger.promise(said.promises).await?;
                    return Ok(Answer::Denied(Box::new(denied)));
                }
                Hop::Unreachable(failure) => break exchange.fail(failure),
                Hop::Done(response) => break *response,
            }
        };
        let freshness = said.longest(response.freshness);
        let mut promises = said.promises;
        if !self.ledger.is_of_polls() || !matches!(visit.by, Asker::Feed(_)) {
            self.ledger.promise(std::mem::take(&mut promises)).await?;
        }
        let response = fetch::Response { freshness, ..response };
        let (asked_at, shared) = (said.asked_at, said.shared);
        Ok(Answer::Finished(Box::new(FinishedExchange { response, promises, asked_at, shared })))
    }

    /// Sends the next request of the exchange, unless a promise forbids it.
    async fn hop(
        &self,
        (visit, known): (&Visit<'_>, Option<LedgerEntry>),
        exchange: &mut Exchange<'_>,
        said: &mut Said,
        time: &mut Duration,
    ) -> Result<Hop, store::Error> {
        let Entered { url, host, address, entry, mut turn } =
            match self.enter((visit, known), exchange, (said, time)).await? {
                Ok(entered) => entered,
                Err(hop) => return Ok(hop),
            };
        let at = self.clock.now();
        self.ledger
            .asked(Asked {
                url: url.to_string(),
                host: host.clone(),
                address: address.map(|address| address.to_string()),
                by: visit.by.clone(),
                conditional: exchange.is_conditional(),
                forced: visit.urgency.is_forced(),
                promised: !entry.promises.is_empty() || self.has_demands(),
                at,
            })
            .await?;
        let (site, limits, since_last) = (host.as_str(), visit.limits, None);
        let waiting = Waiting { url: url.as_str(), site, address, limits, since_last };
        self.lanes.sent(waiting, &mut turn, self.clock.elapsed());
        said.asked_at = Some(at);
        if let Some(metrics) = &self.metrics {
            metrics.requested(match exchange.is_conditional() {
                true => RequestKind::Conditional,
                false => RequestKind::Unconditional,
            });
        }
        let begun = self.clock.elapsed();
        let step = exchange.step(*time).await;
        *time = time.saturating_sub(self.clock.elapsed().saturating_sub(begun));
        let (status, freshness) = match &step {
            Step::Redirected { freshness } => (None, *freshness),
            Step::Done(response) => (ledger::status(response), response.freshness),
        };
        let answered = Answered { url: &url, host: &host, address, status, freshness };
        self.note(said, answered, &entry).await?;
        if let Step::Done(response) = &step {
            said.shared = self.keep(visit, response, at);
        }
        // The next request to the site has to see what this response asked for, and the document.
        drop(turn);
        Ok(match step {
            Step::Redirected { .. } => Hop::Redirected,
            Step::Done(response) => Hop::Done(response),
        })
    }

    /// Keeps the document of a response for other feeds that may be read from it.
    fn keep(
        &self,
        visit: &Visit<'_>,
        response: &fetch::Response,
        at: Timestamp,
    ) -> Option<Arc<SharedDocument>> {
        if visit.by == Asker::Image {
            return None;
        }
        if visit.is_shared || !response.hops.is_empty() {
            return self.documents.keep(response, at);
        }
        if visit.urgency.is_forced() {
            // Another feed of this command may lead to it.
            self.documents.keep_recent(response, at);
        }
        None
    }

    /// Waits for the turn of the next request. The inner error ends the exchange.
    async fn enter(
        &self,
        (visit, known): (&Visit<'_>, Option<LedgerEntry>),
        exchange: &mut Exchange<'_>,
        (said, time): (&mut Said, &mut Duration),
    ) -> Result<Result<Entered, Hop>, store::Error> {
        let (url, host) = (exchange.url().clone(), site(exchange.url()).to_owned());
        let mut entry = match known {
            Some(entry) => entry,
            None => self.ledger.entry(url.as_str(), &host).await?,
        };
        if let Some(hop) = self.forbidden(visit, (exchange, said), &entry).await? {
            return Ok(Err(hop));
        }
        let begun = self.clock.elapsed();
        let resolved = tokio::time::timeout(*time, exchange.addresses()).await;
        *time = time.saturating_sub(self.clock.elapsed().saturating_sub(begun));
        let address = match resolved {
            // Several hosts at one address usually have the same first one.
            Ok(Ok(addresses)) => addresses.into_iter().min(),
            Ok(Err(failure)) => return Ok(Err(Hop::Unreachable(failure))),
            Err(_) => return Ok(Err(Hop::Unreachable(exchange.lookup_timed_out()))),
        };
        let now = self.clock.now();
        let since_last = entry.host_asked.map(|at| now.duration_since(at).unsigned_abs());
        let (site, limits) = (host.as_str(), visit.limits);
        let waiting = Waiting { url: url.as_str(), site, address, limits, since_last };
        let turn = self.lanes.turn(waiting, &self.clock).await.ok_or(store::Error::Closed)?;
        if turn.waited {
            // Another feed may have fetched the document, or the server may have asked to wait.
            entry = self.ledger.entry(url.as_str(), &host).await?;
            if let Some(hop) = self.forbidden(visit, (exchange, said), &entry).await? {
                return Ok(Err(hop));
            }
        }
        if !visit.urgency.is_forced()
            && let Some(promise) = self.demand((&url, &host, address), self.clock.now()).await?
        {
            let (until, reason) = (promise.until, Denial::Demand(promise));
            return Ok(Err(Hop::Denied(Denied { until, reason, url })));
        }
        Ok(Ok(Entered { url, host, address, entry, turn }))
    }

    /// The end of the exchange, if the next request is not needed or not allowed.
    async fn forbidden(
        &self,
        visit: &Visit<'_>,
        (exchange, said): (&mut Exchange<'_>, &mut Said),
        entry: &LedgerEntry,
    ) -> Result<Option<Hop>, store::Error> {
        let (url, now) = (exchange.url().clone(), self.clock.now());
        if has_answer(visit, entry, now)
            && let Some(document) = self.document(visit, &url).await?
            && !documents::is_outdated(&document, visit, entry)
            && let Some(known) = documents::known(&document)
        {
            said.shared = Some(document);
            return Ok(Some(Hop::Done(Box::new(exchange.end_with(known)))));
        }
        Ok(denied(visit, entry, &url, now).map(Hop::Denied))
    }

    /// The last document of a URL that another feed was read from.
    async fn document(
        &self,
        visit: &Visit<'_>,
        url: &Url,
    ) -> Result<Option<Arc<SharedDocument>>, store::Error> {
        let recent = match visit.urgency {
            Urgency::Forced { since } => self.documents.of_command(url, since),
            _ => None,
        };
        match recent.or_else(|| self.documents.of(url)) {
            Some(document) => Ok(Some(document)),
            None => Ok(self.ledger.shared_document(url).await?.map(Arc::new)),
        }
    }

    /// Adds the promises of a response.
    async fn note(
        &self,
        said: &mut Said,
        answered: Answered<'_>,
        entry: &LedgerEntry,
    ) -> Result<(), store::Error> {
        let mut known = entry.promises.clone();
        if let Some(address) = answered.address
            && answered.is_throttled()
        {
            let (scope, key) = (PromiseScope::Address, address.to_string());
            known.extend(self.ledger.promises_about(scope, key).await?);
        }
        let mut open = self.demands.open.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(open.values().cloned());
        let new = ledger::promises_of(&answered, &known, self.clock.now());
        for promise in new.iter().filter(|promise| promise.reason.is_demand()) {
            open.insert((promise.scope, promise.key.clone()), promise.clone());
        }
        drop(open);
        said.add(answered.freshness);
        said.promises.extend(new);
        Ok(())
    }

    /// The demand of a server about URL, site or address that ends last.
    async fn demand(
        &self,
        (url, host, address): (&Url, &str, Option<IpAddr>),
        now: Timestamp,
    ) -> Result<Option<Promise>, store::Error> {
        let load = || async {
            // URLs and sites are read before each request.
            let addresses = self.ledger.open_promises(&[PromiseScope::Address], now).await?;
            let mut open = self.demands.open.lock().unwrap_or_else(PoisonError::into_inner);
            for promise in addresses {
                open.insert((promise.scope, promise.key.clone()), promise);
            }
            Ok::<_, store::Error>(())
        };
        self.demands.loaded.get_or_try_init(load).await?;
        let mut open = self.demands.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_empty() {
            return Ok(None);
        }
        let recent = ledger::recent_since(now);
        open.retain(|_, promise| promise.until > now || promise.at >= recent);
        let keys = [
            Some((PromiseScope::Url, url.to_string())),
            Some((PromiseScope::Host, host.to_owned())),
            address.map(|address| (PromiseScope::Address, address.to_string())),
        ];
        let found = keys.into_iter().flatten().filter_map(|key| open.get(&key).cloned());
        Ok(found.filter(|promise| promise.is_open(now)).max_by_key(|promise| promise.until))
    }

    /// Writes the demands that this process knows of, for a ledger that did not exist when they were made.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn write_demands(&self) -> Result<(), store::Error> {
        let known = {
            let open = self.demands.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().cloned().collect()
        };
        self.ledger.promise(known).await
    }

    fn has_demands(&self) -> bool {
        !self.demands.open.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// A request whose turn it is.
struct Entered {
    url: Url,
    host: String,
    address: Option<IpAddr>,
    entry: LedgerEntry,
    turn: Turn,
}

/// The result of one hop.
enum Hop {
    Redirected,
    Denied(Denied),
    /// The host has no address that may be contacted.
    Unreachable(crate::model::Failure),
    Done(Box<fetch::Response>),
}

/// What the responses of an exchange asked for.
#[derive(Default)]
struct Said {
    promises: Vec<Promise>,
    freshness: Freshness,
    asked_at: Option<Timestamp>,
    /// The document, if other feeds may be read from it.
    shared: Option<Arc<SharedDocument>>,
}

impl Said {
    fn add(&mut self, other: Freshness) {
        self.freshness = self.longest(other);
    }

    /// The longest waits of all hops.
    fn longest(&self, other: Freshness) -> Freshness {
        Freshness {
            remaining: self.freshness.remaining.max(other.remaining),
            lifetime: other.lifetime,
            retry_after: self.freshness.retry_after.max(other.retry_after),
            host_pause: self.freshness.host_pause.max(other.host_pause),
        }
    }
}

/// Whether the URL was requested by another feed or a command less than an interval ago, so that its document may be kept.
fn has_answer(visit: &Visit<'_>, entry: &LedgerEntry, now: Timestamp) -> bool {
    let interval = match visit.urgency {
        Urgency::Scheduled { interval, .. } => {
            SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX)
        }
        Urgency::Command => COMMAND_GAP,
        Urgency::Forced { .. } => return by_this_command(visit, entry).is_some(),
    };
    entry.url_asked.as_ref().is_some_and(|(at, by)| {
        let gap = now.duration_since(*at);
        let is_other = *by != visit.by || visit.by == Asker::Command;
        is_other && (SignedDuration::ZERO..interval).contains(&gap)
    })
}

/// The time at which a command with `--force` requested the URL for another feed.
fn by_this_command(visit: &Visit<'_>, entry: &LedgerEntry) -> Option<Timestamp> {
    let Urgency::Forced { since } = visit.urgency else { return None };
    let (at, by) = entry.url_asked.as_ref()?;
    (*by != visit.by && matches!(by, Asker::Feed(_)) && *at >= since).then_some(*at)
}

/// Whether the URL is that of the first request of the exchange.
fn is_first(visit: &Visit<'_>, url: &Url) -> bool {
    let mut first = visit.request.url.clone();
    first.set_fragment(None);
    first == *url
}

/// Whether what is known about the URL and its site forbids the request.
fn denied(visit: &Visit<'_>, entry: &LedgerEntry, url: &Url, now: Timestamp) -> Option<Denied> {
    let denied = |until, reason| Some(Denied { until, reason, url: url.clone() });
    if visit.urgency.is_forced() {
        // There was no document that can be shared.
        let at = by_this_command(visit, entry)?;
        let (_, by) = entry.url_asked.clone()?;
        let until = at.saturating_add(COMMAND_GAP).unwrap_or(Timestamp::MAX);
        return denied(until, Denial::Recent { at, by });
    }
    if let Some(promise) = entry.demand(now) {
        return denied(promise.until, Denial::Demand(promise.clone()));
    }
    // A time in the future: the clock was set back.
    let (at, by) = entry.url_asked.clone().filter(|(at, _)| *at <= now)?;
    let gap = match visit.urgency {
        Urgency::Forced { .. } => return None,
        Urgency::Command => COMMAND_GAP,
        Urgency::Scheduled { interval, last } => {
            let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
            // Commands must not keep a feed from being polled.
            let overdue = last.is_none_or(|last| now.duration_since(last) >= interval * 2);
            match &by {
                Asker::Command if overdue => COMMAND_GAP,
                Asker::Command => interval.min(COMMAND_DELAY),
                // The document of a feed with the same URL is not stored yet, or there was none.
                asker if *asker != visit.by && is_first(visit, url) => COMMAND_GAP,
                asker if *asker != visit.by => return None,
                // It was killed before it had a result.
                _ if last.is_none_or(|last| at > last) => interval,
                _ => return None,
            }
        }
    };
    let until = at.saturating_add(gap).unwrap_or(Timestamp::MAX);
    if until <= now { None } else { denied(until, Denial::Recent { at, by }) }
}
