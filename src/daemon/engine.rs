//! The rooms below, put together for one config: store, poller, matcher, publisher, web site.
//!
//! Used by the daemon and by a single pass (`newswire poll`).

mod steps;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;
use url::Url;

use super::clock_watch::JUMP;
use super::database::{StoreFailures, read};
use super::error::{self, Error};
use super::listeners;
use super::replan::{paused_plan, revised};
use super::service_manager::extend_time;
use super::setup::Setup;
use crate::clock::Clock;
use crate::config::Config;
use crate::fetch::{Fetcher, Resolver};
use crate::model::{ClockMark, FeedKey};
use crate::outputs::{self, Publisher, Served};
use crate::poll::{Gate, Ledger, Polled, Poller, Target};
use crate::render::Output;
use crate::schedule::{ClockChange, LastPoll, Queue, clock_change, may_delete};
use crate::store::{self, DiskSpace, Store, Write};
use crate::stories::Matcher;
use crate::telemetry::{Metrics, Problem, Readiness};
use crate::web;

/// The feeds that a single pass polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedSelection {
    /// The feeds that are due.
    Due,
    /// All feeds that are not paused.
    All,
    /// All feeds, also those that are paused.
    WithPaused,
    /// Feeds by id or URL.
    Named(Vec<String>),
}

/// Result of a check of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreHealth {
    /// The database can be written.
    Ok,
    /// It failed before and works again.
    Recovered,
    /// It cannot be written.
    Failing,
}

/// Size of the write-ahead log, in bytes, from which a program must be keeping it from being reused. SQLite truncates it
/// to 64 MiB when it is reused.
const LARGE_LOG: u64 = 128 * 1024 * 1024;

/// Store, poller, matcher, publisher and web site of one process.
#[derive(Debug)]
pub struct Engine {
    clock: Clock,
    store: Arc<Store>,
    gate: Gate,
    poller: Poller,
    publisher: Publisher,
    static_sites: web::StaticSites,
    served: Arc<Served>,
    site: Arc<web::Site>,
    image_proxy: web::ImageProxy,
    matcher: Matcher,
    setup: Setup,
    metrics: Metrics,
    readiness: Readiness,
    store_failures: StoreFailures,
    /// By how much the clock was set since the process before; zero: it was not.
    clock_jump: SignedDuration,
}

impl Engine {
    /// Opens the database and applies the config to it.
    ///
    /// # Errors
    /// When the database cannot be opened or fails, or the HTTP client cannot be set up.
    pub async fn open(
        config: Config,
        clock: Clock,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, Error> {
        let path = config.store.path.clone();
        let opened = Self::open_with_ledger(config, clock, resolver, None).await;
        opened.map_err(|error| examined(&path, error))
    }

    /// The engine of a daemon that begins to poll: see [`Publisher::delaying_digests`].
    #[must_use]
    pub fn delaying_digests(self, by: Duration) -> Self {
        Self { publisher: self.publisher.delaying_digests(by), ..self }
    }

    /// The error with its true cause, as [`store::examined`] finds it. Blocks.
    #[must_use]
    pub fn examined(&self, error: Error) -> Error {
        examined(self.store.reader().path(), error)
    }

    /// As [`Engine::open`], with the ledger of another database, for a run on a copy.
    ///
    /// # Errors
    /// When the database cannot be opened or fails, or the HTTP client cannot be set up.
    pub async fn open_with_ledger(
        config: Config,
        clock: Clock,
        resolver: Arc<dyn Resolver>,
        ledger: Option<Ledger>,
    ) -> Result<Self, Error> {
        let extension = extend_time("opening the database");
        error::check_known(&config)?;
        let path = &config.store.path;
        let store = Arc::new(match &config.store.write_log {
            Some(log) => Store::open_logged(path, clock.clone(), log)?,
            None => Store::open(path, clock.clone())?,
        });
        mark_suspects(&store).await?;
        let clock_jump = follow_clock(&store, &clock).await?;
        let setup = Setup::of(config, &store, &clock).await?;
        drop(extension);
        let ledger = ledger.unwrap_or_else(|| Ledger::of_store(Arc::clone(&store)));
        let served = Arc::new(Served::default());
        let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), clock.now());
        let gate = Gate::new(Arc::new(Fetcher::new(resolver)?), ledger, clock.clone())
            .counting(metrics.clone());
        let readiness = Readiness::default();
        let operator_pages = web::OperatorPages {
            reader: store.reader().clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            readiness: readiness.clone(),
        };
        let (site, image_proxy) = listeners::site(&setup, &served, gate.clone(), operator_pages);
        let (shared, policies) = (Arc::clone(&store), setup.policies());
        let matcher = Matcher::new(shared, clock.clone(), policies, setup.window);
        Ok(Self {
            gate: gate.clone(),
            poller: Poller::new(gate.clone(), Arc::clone(&store), clock.clone())
                .counting(metrics.clone()),
            publisher: Publisher::new(Arc::clone(&store), Arc::clone(&served), clock.clone())
                .counting(metrics.clone()),
            static_sites: web::StaticSites::new(Arc::clone(&served)),
            site: Arc::new(site),
            image_proxy,
            store_failures: StoreFailures::new(
                clock.clone(),
                readiness.clone(),
                store.reader().path(),
            ),
            matcher,
            clock,
            store,
            served,
            setup,
            metrics,
            readiness,
            clock_jump,
        })
    }

    /// Applies another config. Returns the previous setup.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub(crate) async fn apply(&mut self, config: Config) -> Result<Setup, Error> {
        let setup = Setup::of(config, &self.store, &self.clock).await?;
        let before = std::mem::replace(&mut self.setup, setup);
        self.poller.reread_resolver();
        self.site.configure(self.setup.web.clone());
        self.image_proxy.configure(self.setup.image_requests());
        self.matcher.configure(self.setup.policies());
        if before.window != self.setup.window {
            self.matcher.set_window(self.setup.window);
        }
        Ok(before)
    }

    /// Keeps the values that only a restart changes, so that each reload reports them again.
    pub(crate) fn keep_restart_values(&mut self, before: Setup) {
        self.setup.store = before.store;
        self.setup.log.format = before.log.format;
    }

    /// All feeds, in the order of the config.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.setup.targets
    }

    /// The outputs of the current config, in its order.
    #[must_use]
    pub fn outputs(&self) -> &[Arc<Output>] {
        &self.setup.output_set.outputs
    }

    /// The documents that the web server serves.
    #[must_use]
    pub fn served(&self) -> &Arc<Served> {
        &self.served
    }

    /// The clock of this process.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// By how much the clock was set since the process before; zero: it was not, or not while the machine ran.
    #[must_use]
    pub fn clock_jump(&self) -> SignedDuration {
        self.clock_jump
    }

    /// Whether the clock was set so far since the process before that a single pass polls nothing.
    #[must_use]
    pub fn clock_jumped(&self) -> bool {
        self.clock_jump.abs() > JUMP
    }

    /// The feed with this key, if it is configured.
    #[must_use]
    pub fn target(&self, key: FeedKey) -> Option<&Target> {
        self.setup.target(key)
    }

    /// The proxy for images on pages.
    #[must_use]
    pub fn image_proxy(&self) -> &web::ImageProxy {
        &self.image_proxy
    }

    /// What the daemon made of the current config.
    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The content of the web server.
    pub(crate) fn site(&self) -> &Arc<web::Site> {
        &self.site
    }

    /// Removes copies of images that are too old.
    pub(crate) async fn tidy_images(&self) {
        let images = self.image_proxy.clone();
        // A panic would have been reported already.
        let _ = tokio::task::spawn_blocking(move || images.tidy()).await;
    }

    /// The metrics of this process.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The liveness signals and conditions of this process.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The matcher of the stories stage.
    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// The gate of all requests of this process.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn poller(&self) -> &Poller {
        &self.poller
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// The writer of static sites.
    pub(crate) fn static_sites(&self) -> &web::StaticSites {
        &self.static_sites
    }

    /// The state of failures of the database.
    pub(crate) fn store_failures(&self) -> &StoreFailures {
        &self.store_failures
    }

    /// Checks the place of the file, the free space of the disk and, after a failure, whether the database can be written again.
    ///
    /// # Errors
    /// When a permanent failure was recorded.
    pub(crate) async fn check_store(&self) -> Result<StoreHealth, Error> {
        let store = Arc::clone(&self.store);
        let look = move || {
            let log = store.reader().sizes().map_or(0, |it| it.log);
            (store.disk_space(), log, store.check_in_place())
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let (room, log, in_place) = looked.unwrap_or((DiskSpace::Enough, 0, Ok(())));
        match log > LARGE_LOG {
            true => self.readiness.add(Problem::LogLarge),
            false => self.readiness.remove(Problem::LogLarge),
        }
        let before = self.store_failures.current()?;
        let written = match (in_place, room, before) {
            (Err(error), _, _) => Err(error),
            (Ok(()), DiskSpace::Low { free, needed }, _) => {
                Err(store::Error::NoRoom { free, wanted: needed })
            }
            (Ok(()), DiskSpace::Enough, None) => return Ok(StoreHealth::Ok),
            (Ok(()), DiskSpace::Enough, Some(_)) => self.store.check_writable().await,
        };
        match written {
            Ok(()) => {
                self.store_failures.clear();
                Ok(StoreHealth::Recovered)
            }
            Err(error) => {
                self.store_failures.record(error)?;
                Ok(StoreHealth::Failing)
            }
        }
    }

    /// Records a temporary failure of the database.
    ///
    /// # Errors
    /// Returns any other error.
    pub(crate) fn tolerate(&self, error: Error) -> Result<(), Error> {
        match error {
            Error::Store(error) => Ok(self.store_failures.record(error)?),
            error => Err(error),
        }
    }

    /// Time of the next poll of a feed whose poll could not be stored.
    pub(crate) fn retry_soon(&self) -> Timestamp {
        self.clock.now().saturating_add(SignedDuration::from_secs(30)).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Time of the next poll of a feed whose poll ended unexpectedly.
    pub(crate) fn retry_in_an_hour(&self) -> Timestamp {
        self.clock.now().saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
    }

    /// Number of selected feeds.
    ///
    /// # Errors
    /// When a name is not configured.
    pub fn count(&self, selection: &FeedSelection) -> Result<usize, Error> {
        self.chosen(selection).map(|chosen| chosen.len())
    }

    /// A queue of the selected feeds, all due now, and their number.
    ///
    /// # Errors
    /// When a name is not configured.
    pub(crate) fn queue_once(&self, selection: &FeedSelection) -> Result<(Queue, usize), Error> {
        let (chosen, now) = (self.chosen(selection)?, self.clock.now());
        let count = chosen.len();
        // In this order, although all are due.
        let place = |n: usize| SignedDuration::from_millis(i64::try_from(count - n).unwrap_or(0));
        let due = |n| now.saturating_sub(place(n)).unwrap_or(now);
        let chosen = chosen.into_iter().enumerate().map(|(n, target)| (target, due(n)));
        Ok((self.setup.queue_of(chosen, Duration::ZERO), count))
    }

    /// Moves a feed whose address changed to the queue of its site.
    pub(crate) fn adopt(&mut self, polled: &Polled, queue: &mut Queue) {
        if let Some(address) = &polled.address {
            self.setup.adopt((polled.feed, address), queue, polled.plan.at);
        }
    }

    /// Plans no poll for a paused feed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn plan_pause(&self, feed: FeedKey) -> Result<(), Error> {
        let registered = self.setup.registered().iter().find(|registered| registered.key == feed);
        let considered = registered.map_or(&[][..], |registered| &registered.considered);
        let plan = paused_plan(considered, self.clock.now());
        self.store.write(Write::Replan(vec![(feed, plan)])).await?;
        Ok(())
    }

    /// The selected feeds.
    ///
    /// # Errors
    /// When a name is not configured.
    pub(crate) fn selected(&self, selection: &FeedSelection) -> Result<Vec<Target>, Error> {
        Ok(self.chosen(selection)?.into_iter().cloned().collect())
    }

    fn chosen(&self, selection: &FeedSelection) -> Result<Vec<&Target>, Error> {
        match selection {
            FeedSelection::All => Ok(self.setup.not_paused().collect()),
            FeedSelection::WithPaused => Ok(self.targets().iter().collect()),
            FeedSelection::Due => Ok(self.setup.due(self.clock.now())),
            FeedSelection::Named(names) => self.named(names),
        }
    }

    fn named(&self, names: &[String]) -> Result<Vec<&Target>, Error> {
        let mut chosen = Vec::with_capacity(names.len());
        for name in names {
            let url = Url::parse(name.trim()).ok();
            let named = |target: &&Target| {
                target.id.as_str() == name || url.as_ref() == Some(&target.subscription.feed.url)
            };
            let found = self.targets().iter().find(named);
            chosen.push(found.ok_or_else(|| Error::NoSuchFeed(name.clone()))?);
        }
        chosen.sort_by_key(|target| target.key);
        chosen.dedup_by_key(|target| target.key);
        Ok(chosen)
    }

    /// Plans the next poll again when the settings of the feed changed during the poll.
    pub(crate) async fn replan(
        &self,
        polled_as: &Target,
        polled: &mut Polled,
    ) -> Result<(), Error> {
        let Some(target) = self.target(polled_as.key) else { return Ok(()) };
        let (old, new) = (&polled_as.subscription.schedule, &target.subscription.schedule);
        if old == new {
            return Ok(());
        }
        let (now, reader) = (self.clock.now(), self.store.reader().clone());
        let considered = polled.plan.considered.clone();
        let (key, id, settings) = (target.key, target.id.clone(), Arc::clone(new));
        let work = move || {
            let last = LastPoll { at: now, considered: &considered };
            let outdated = last.is_outdated(&settings);
            let revise =
                || reader.read(|reader| revised(reader, (key, &id), &settings, &last, now));
            outdated.then(revise).transpose()
        };
        if let Some(plan) = tokio::task::spawn_blocking(work).await.unwrap_or(Ok(None))? {
            polled.plan = plan.clone();
            self.store.write(Write::Replan(vec![(key, plan)])).await?;
        }
        Ok(())
    }

    /// Stores the plans that differ because the clock was set back, for the next pass.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn keep_moved_plans(&self) -> Result<(), Error> {
        let moved = self.setup.moved_plans(self.clock.now());
        if !moved.is_empty() {
            self.store.write(Write::Replan(moved)).await?;
        }
        Ok(())
    }

    /// Moves stored times with the clock, if it was set since they were written.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn follow_clock(&self) -> Result<(), Error> {
        let by = follow_clock(&self.store, &self.clock).await?;
        self.gate.move_clock(by);
        Ok(())
    }

    /// Frees the pages of the database that idle connections keep in memory.
    pub(crate) async fn release_memory(&self) -> Result<(), Error> {
        Ok(self.store.release_memory().await?)
    }

    /// A number that changes when another process writes to the database.
    pub(crate) async fn external_changes(&self) -> Result<i64, Error> {
        Ok(self.store.data_version().await?)
    }

    /// Time of the last poll of any feed.
    pub(crate) fn last_poll(&self) -> Option<Timestamp> {
        self.setup.registered().iter().filter_map(|feed| feed.last_poll_at).max()
    }

    /// Computes the intervals of feeds of servers with a bandwidth budget again.
    pub(crate) async fn refresh_budgets(&mut self) -> Result<(), Error> {
        Ok(self.setup.refresh_budgets(self.store.reader(), self.clock.now()).await?)
    }

    /// Whether the clock can be believed so far that texts are deleted by it.
    async fn is_clock_believed(&self) -> Result<bool, Error> {
        Ok(may_delete(clock_mark(&self.store).await?.0.as_ref(), self.clock.now()))
    }

    /// Stores the numbers of subscribers.
    pub(crate) async fn store_subscribers(&self) -> Result<(), Error> {
        let counts = self.site.subscribers();
        if !counts.is_empty() {
            self.store.write(Write::Subscribers(counts.clone())).await?;
            self.site.forget_subscribers(&counts);
        }
        Ok(())
    }
}

fn examined(path: &Path, error: Error) -> Error {
    match error {
        Error::Store(error) => Error::Store(store::examined(path, error)),
        Error::Publication(outputs::Error::Store(error)) => {
            Error::Publication(outputs::Error::Store(store::examined(path, error)))
        }
        error => error,
    }
}

/// Marks the feeds that were being polled when the process before was killed: its death may be the work of one of them.
async fn mark_suspects(store: &Store) -> Result<(), store::Error> {
    if !store.ended_uncleanly() {
        return Ok(());
    }
    let suspects = read(store.reader(), |reader| reader.polls_without_result()).await?;
    if !suspects.is_empty() {
        let feeds = suspects.len();
        warn!(feeds, "killed during polls, these feeds are polled last and alone");
        store.write(Write::Suspects(suspects)).await?;
    }
    Ok(())
}

/// Moves stored times with the clock. Returns by how much.
async fn follow_clock(store: &Store, clock: &Clock) -> Result<SignedDuration, store::Error> {
    let Some(boot) = clock.boot() else { return Ok(SignedDuration::ZERO) };
    let (stored, last_poll) = clock_mark(store).await?;
    let (mark, by) = match clock_change(stored.as_ref(), boot, last_poll, clock.moment()) {
        ClockChange::Keep => return Ok(SignedDuration::ZERO),
        ClockChange::Adopt(mark) => (mark, SignedDuration::ZERO),
        ClockChange::Move(mark, by) => (mark, by),
    };
    if stored.as_ref() != Some(&mark) {
        store.write(Write::Clock { mark, by }).await?;
    }
    Ok(by)
}

/// The clock that stored times are by, and the latest time of a poll.
async fn clock_mark(store: &Store) -> Result<(Option<ClockMark>, Option<Timestamp>), store::Error> {
    read(store.reader(), |reader| reader.clock_mark()).await
}
