//! The daemon: main loop, reload, shutdown, service manager.
//!
//! ```text
//! engine            the rooms below, put together for one config
//! error             why the daemon cannot start, such as a database that was lost
//! replan            new plans for feeds whose settings have changed; longer intervals for servers with a bandwidth budget
//! setup             the feeds, outputs and limits of one config; replaced at a reload
//! change            the difference between two setups, as text
//! polls             running polls and the queue of feeds
//! stage_tasks       the tasks that match new items and publish changed outputs
//! listeners         the sockets of the web server, and the web site
//! handle            commands to the daemon from signals, the control socket and followed lists
//! control           the control socket
//! lists             requests for followed lists of feeds, and looks at those that are files
//! list_state        copy, plan and last failure of each followed list
//! clock_watch       whether the wall clock can be trusted
//! database          the database beside the main loop: queries, checks, behaviour while it cannot be written
//! outage_watch      the end of an outage of the network
//! incident_watch    incidents of feeds and outputs, once a minute
//! service_manager   messages to systemd, and the status line of the unit
//! ```
//!
//! The loop does not wait for slow feeds: it spawns due polls, each result puts its feed back into the queue,
//! and a separate task publishes with a delay. `poll` makes one poll, `outputs` one publication, `cli` prints.

mod change;
mod clock_watch;
pub mod control;
mod database;
mod engine;
mod error;
mod handle;
mod incident_watch;
mod list_state;
mod listeners;
mod lists;
mod outage_watch;
mod polls;
mod replan;
mod service_manager;
mod setup;
mod stage_tasks;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

pub use self::change::Change;
use self::clock_watch::{ClockWatch, Trust};
use self::control::{Control, Controlled};
use self::database::StoreChecks;
use self::engine::StoreHealth;
pub use self::engine::{Engine, FeedSelection};
pub use self::error::Error;
use self::handle::{Command, Demands, PollRefusal, PollRequest, StartedPolls};
pub use self::handle::{Commands, ConfigSource, DaemonHandle, ReloadResult, handle};
use self::incident_watch::IncidentWatch;
pub use self::list_state::{keep_list_files, list_response, list_statuses};
use self::listeners::Listeners;
pub use self::listeners::inherited_sockets;
pub use self::lists::{ListChange, ListFollower, ListSelection};
use self::outage_watch::OutageWatch;
use self::polls::Polls;
pub use self::replan::{KnownTraffic, apply_budgets, plan_under};
use self::service_manager::{StatusLine, extend_time, notify, status_interval};
pub use self::setup::FollowedLists;
use self::stage_tasks::{Matching, Publishing};
use crate::config::Config;
use crate::files;
use crate::poll::{PollEnd, Target, Trigger};
use crate::store::{self, OpenError};
use crate::telemetry::{Event, Part, Problem, Reload};
use crate::web::Listener;

/// The web server signals every second. Without a signal for this time it is considered stalled.
const WEB_STALLED: Duration = Duration::from_secs(10);
/// Time after which a pass starts no more hosts that were never asked.
const LONGEST_START: Duration = Duration::from_secs(4 * 60);
/// Time from the start until digests are closed: feeds that were due meanwhile are polled first.
const DIGEST_DELAY: Duration = Duration::from_secs(10 * 60);
/// Interval of the removal of expired data.
const CLEAN_UP: Duration = Duration::from_secs(60 * 60);
/// Longest time for which the main loop removes expired data without a look at signals and polls.
const CLEAN_UP_STEP: Duration = Duration::from_secs(1);

/// Inputs of a running daemon.
#[derive(Debug)]
pub struct Inputs {
    /// Commands to the daemon.
    pub commands: Commands,
    /// Sockets from the service manager.
    pub sockets: Vec<Listener>,
    /// Fetches lists of feeds.
    pub follower: ListFollower,
}

/// Checks before a start what would end it: the database cannot be used or was lost, or an address cannot be listened on.
/// Creates at most the folder of the database.
///
/// # Errors
/// When the daemon could not start.
pub fn check_start(config: &Config) -> Result<(), Error> {
    let database = &config.store.path;
    store::check_unused(database)?;
    control::check_addresses(&config.web.listen, database)?;
    listeners::check_addresses(&config.web.listen)?;
    error::check_known(config)?;
    let folder = files::folder(database);
    let usable = files::create_folder(folder).and_then(|()| files::check_writable(folder));
    Ok(usable.map_err(|source| OpenError::Io { path: database.clone(), source })?)
}

/// Polls, publishes and serves until `shutdown` resolves, then finishes its work. Accepts no commands.
///
/// # Errors
/// When the database fails, or the address cannot be listened on.
pub async fn run(engine: Engine, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let engine = engine.delaying_digests(DIGEST_DELAY);
    engine.serve_documents().await;
    let listeners = Listeners::open(engine.site(), Vec::new(), &engine.setup().web.listen)?;
    // A channel without commands.
    let (_sender, commands) = mpsc::channel(1);
    let (lists, _) = watch::channel(Arc::clone(&engine.setup().lists));
    work(engine, (listeners, commands, lists), shutdown).await
}

/// The same, with commands from the control socket, from a [`DaemonHandle`] and from followed lists of feeds.
///
/// # Errors
/// When the database fails, or the address cannot be listened on.
pub async fn run_with(
    engine: Engine,
    inputs: Inputs,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let Inputs { commands: Commands { receiver, handle }, sockets, follower } = inputs;
    let engine = engine.delaying_digests(DIGEST_DELAY);
    let mut shutdown = pin!(shutdown);
    // Dropped after the lock: the last process closes the database, which writes its log into it.
    let _closing;
    // Keeps the lock of the database until the control socket is removed.
    let _lock = Arc::clone(engine.store());
    // The outputs are rendered before the first connection is accepted: clients that connected to a socket of
    // the service manager during a restart must not get "not found". What may take long follows: matching what is
    // pending after a kill, archive pages, files.
    let rendering = extend_time("rendering the outputs");
    tokio::select! {
        () = &mut shutdown => return Ok(()),
        () = engine.serve_documents() => {}
    }
    drop(rendering);
    let listeners = Listeners::open(engine.site(), sockets, &engine.setup().web.listen)?;
    let (readiness, clock) = (engine.readiness().clone(), engine.clock().clone());
    let controlled = Controlled { handle: handle.clone(), readiness: readiness.clone(), clock };
    let _control = Control::open(&engine.setup().store, controlled);
    let (lists, followed) = watch::channel(Arc::clone(&engine.setup().lists));
    let following = tokio::spawn(follower.follow(followed, handle, readiness));
    let result = work(engine, (listeners, receiver, lists), shutdown).await;
    following.abort();
    _closing = extend_time("closing the database");
    result
}

/// Reports a fatal error to the service manager (`sd_notify(3)`).
pub fn notify_failure(error: &Error) {
    /// Input/output error, used when the system gave no error number.
    const EIO: i32 = 5;
    let number = match error {
        Error::Listen { source, .. } => source.raw_os_error(),
        _ => None,
    };
    let number = u32::try_from(number.unwrap_or(EIO)).unwrap_or_default();
    notify(&[NotifyState::Errno(number), NotifyState::Status(&error.to_string())]);
}

/// Listeners, commands, and the sender of the followed lists.
type Channels = (Listeners, mpsc::Receiver<Command>, watch::Sender<Arc<FollowedLists>>);

async fn work(
    mut engine: Engine,
    (listeners, commands, lists): Channels,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let publishing = Publishing::start(&engine);
    let matching = Matching::start(&engine, Some(publishing.trigger_handle()));
    // Writes the files.
    publishing.trigger();
    let _incident_watch = IncidentWatch::start(&engine, lists.subscribe());
    engine.readiness().heartbeat(Part::Web, engine.clock().elapsed());
    notify(&[NotifyState::Ready, NotifyState::Status("started")]);
    let (feeds, outputs) = (engine.targets().len(), engine.outputs().len());
    let event = Event::Started.slug();
    info!(event, feeds, outputs, "daemon started");
    let trust = Trust::Trusted;
    let mut running = Running { commands, lists, publishing, matching, listeners, trust };
    let mut polls = Polls::repeating(engine.setup().queue(engine.clock().now()));
    let ended = running.run_loop(&mut engine, &mut polls, shutdown).await;
    notify(&[NotifyState::Stopping]);
    let _finishing = extend_time("finishing polls and publications");
    // The process ends after its threads.
    engine.store().reader().end_checks();
    let Running { publishing, matching, listeners, commands, .. } = running;
    // Later commands get the answer that the daemon is stopping.
    drop(commands);
    // No new connections, while running polls and responses finish.
    let closing = tokio::spawn(listeners.close());
    let drained = polls.finish(&engine, |_| ()).await;
    // The items of the last polls are published too.
    match matching.finish(&engine).await {
        Ok(0) => {}
        Ok(_) => publishing.trigger(),
        Err(error) => engine.tolerate(error.into())?,
    }
    publishing.finish().await;
    let _ = closing.await;
    engine.store_subscribers().await.or_else(|error| engine.tolerate(error))?;
    info!(event = Event::Stopped.slug(), "daemon stopped");
    ended.and(drained)
}

/// The hourly work: numbers of subscribers, what has become too old, the next check of the database, budgets. Returns the
/// time until it continues.
async fn tidy(
    engine: &mut Engine,
    may_delete: bool,
    store_checks: &mut StoreChecks,
) -> Result<Duration, Error> {
    engine.tidy_images().await;
    engine.store_subscribers().await.or_else(|error| engine.tolerate(error))?;
    if may_delete {
        let until = engine.clock().elapsed() + CLEAN_UP_STEP;
        let removed = engine.drop_expired(until).await;
        if !removed.or_else(|error| engine.tolerate(error).map(|()| true))? {
            return Ok(Duration::ZERO);
        }
    }
    store_checks.next(engine);
    let refreshed = engine.refresh_budgets().await;
    refreshed.or_else(|error| engine.tolerate(error))?;
    Ok(CLEAN_UP)
}

/// Polls the selected feeds once, within the limits of their hosts, and publishes every output. A feed that may not be
/// requested now gets another plan; the pass does not wait for it.
///
/// `report` is called after each poll. Returns the number of feeds on new hosts that are left for the next pass.
///
/// # Errors
/// When a selected feed is not configured, the database fails, or an output cannot be published.
pub async fn pass(
    engine: &Engine,
    polled: (&FeedSelection, Trigger),
    report: impl FnMut(&Target, &PollEnd),
) -> Result<usize, Error> {
    Ok(pass_until(engine, polled, std::future::pending(), report).await?.left)
}

/// As [`pass`]. When `stop` resolves, no further poll starts, and what was stored is published.
///
/// # Errors
/// As [`pass`].
pub async fn pass_until(
    engine: &Engine,
    (selection, trigger): (&FeedSelection, Trigger),
    stop: impl Future<Output = ()>,
    mut report: impl FnMut(&Target, &PollEnd),
) -> Result<Passed, Error> {
    if engine.clock().now() < engine.clock().earliest() {
        return Err(Error::Clock(engine.clock().now()));
    }
    StoreChecks::check_unclean(engine).await?;
    engine.keep_moved_plans().await?;
    let (queue, mut remaining) = engine.queue_once(selection)?;
    if engine.clock_jumped() && !trigger.is_forced() {
        // Its items would be dated by a clock that may be wrong. The next pass finds the clock as it is now.
        let (event, code) = (Event::ClockChanged.slug(), Problem::ClockJumped.slug());
        let seconds = engine.clock_jump().as_secs();
        warn!(event, code, seconds, "clock jumped, nothing is polled in this run");
        remaining = 0;
    }
    let mut polls = Polls::new(queue, trigger);
    let matching = Matching::start(engine, None);
    let mut stop = pin!(stop);
    let mut report = |end: &PollEnd| {
        if let Some(target) = engine.target(end.feed()) {
            report(target, end);
        }
    };
    let polled = (&mut polls, remaining);
    let mut passed = poll_each(engine, polled, (selection, stop.as_mut()), &mut report).await?;
    let mut finished = Ok(());
    if let Some(unpolled) = &mut passed.unpolled {
        let report = |end: &PollEnd| {
            *unpolled = unpolled.saturating_sub(1);
            report(end);
        };
        finished = polls.finish(engine, report).await;
    }
    matching.stop().await;
    if passed.unpolled.is_none() {
        engine.drop_expired(Duration::MAX).await?;
    }
    let published = engine.publish_changed().await;
    let recorded = incident_watch::record_publication(engine, &published).await;
    finished.and(published).and(recorded.map_err(Into::into)).map(|()| passed)
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Number of feeds on new hosts that are left for the next pass: they start slowly, and a pass of the feeds that are due
    /// must not keep the database from the next one.
    pub left: usize,
    /// Number of feeds that were not polled because it was stopped; `None`: it was not.
    pub unpolled: Option<usize>,
}

/// Polls `remaining` feeds of the queue.
async fn poll_each(
    engine: &Engine,
    (polls, mut remaining): (&mut Polls, usize),
    (selection, mut stop): (&FeedSelection, Pin<&mut impl Future<Output = ()>>),
    mut report: impl FnMut(&PollEnd),
) -> Result<Passed, Error> {
    let mut left = 0;
    let end = engine.clock().elapsed() + LONGEST_START;
    while remaining > 0 {
        if *selection == FeedSelection::Due && engine.clock().elapsed() >= end {
            let postponed = polls.queue.postpone_new();
            left += postponed;
            remaining -= postponed.min(remaining);
        }
        if remaining == 0 {
            break;
        }
        polls.follow_clock(engine).await?;
        let until = polls.start_due(engine);
        tokio::select! {
            Some(ended) = polls.next() => {
                remaining -= 1;
                if let Some(end) = polls.record(engine, ended).await? {
                    report(&end);
                }
            }
            () = &mut stop => return Ok(Passed { left, unpolled: Some(remaining) }),
            () = engine.clock().sleep_until(until) => {}
        }
    }
    Ok(Passed { left, unpolled: None })
}

/// The parts of a running daemon beside the engine.
struct Running {
    commands: mpsc::Receiver<Command>,
    lists: watch::Sender<Arc<FollowedLists>>,
    publishing: Publishing,
    matching: Matching,
    listeners: Listeners,
    trust: Trust,
}

impl Running {
    /// Runs the daemon until `shutdown` resolves or an error ends it.
    async fn run_loop(
        &mut self,
        engine: &mut Engine,
        polls: &mut Polls,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let clock = engine.clock().clone();
        let mut status = StatusLine::new(engine.setup().registered());
        let (mut status_at, mut clean_up_at) = (clock.elapsed(), clock.elapsed() + CLEAN_UP);
        // SQLite never returns 0, so that after a failure the first number counts as a change.
        let changes = engine.external_changes().await;
        let mut changes = changes.or_else(|error| engine.tolerate(error).map(|()| 0))?;
        let interval = status_interval();
        let before = (engine.last_poll(), engine.clock_jump());
        let mut clock_watch = ClockWatch::new(clock.clone(), engine.readiness().clone(), before);
        let mut store_checks = StoreChecks::start(engine);
        let mut outage = OutageWatch::new(engine);
        tokio::pin!(shutdown);
        loop {
            polls.follow_clock(engine).await.or_else(|error| engine.tolerate(error))?;
            // Feeds are not fetched while the result cannot be stored or dated.
            self.trust = clock_watch.look();
            let due = match (engine.store_failures().current()?, self.trust) {
                (None, Trust::Trusted) => polls.start_due(engine),
                _ => status_at,
            };
            let until = due.min(status_at).min(clean_up_at);
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(command) = self.commands.recv() => {
                    self.execute(command, engine, polls).await;
                    status.reset(engine.setup().registered());
                }
                Some(ended) = polls.next() => match polls.record(engine, ended).await {
                    Ok(end) => take_result(end, engine, (&mut *polls, &mut status, &mut outage)),
                    Err(error) => engine.tolerate(error)?,
                },
                feed = outage.reached() => polls.hasten(engine, feed),
                () = clock.sleep_until(until) => {}
            }
            if clock.elapsed() >= status_at {
                status_at = clock.elapsed() + interval;
                outage.look(engine);
                self.check(engine, &mut changes).await?;
                polls.update_metrics(engine);
                let (feeds, next) = (engine.targets().len(), polls.queue.next_due());
                let line = status.line(feeds, next, clock.elapsed());
                engine.store_failures().current()?;
                notify(&[NotifyState::Status(&with_conditions(engine, line))]);
            }
            if clock.elapsed() >= clean_up_at {
                let wait = tidy(engine, clock_watch.may_delete(), &mut store_checks).await?;
                clean_up_at = clock.elapsed() + wait;
            }
        }
    }

    /// Checks whether the database can be written, and whether another process changed it.
    async fn check(&mut self, engine: &Engine, changes: &mut i64) -> Result<(), Error> {
        let health = engine.check_store().await?;
        let before = *changes;
        // A failing writer would wait for the same lock again.
        if health != StoreHealth::Failing {
            match engine.external_changes().await {
                Ok(now) => *changes = now,
                Err(error) => engine.tolerate(error)?,
            }
            if let Err(error) = engine.release_memory().await {
                engine.tolerate(error)?;
            }
        }
        self.signal_alive(engine);
        if *changes != before || health == StoreHealth::Recovered {
            // A decision of the operator makes items pending. Matching them may take long.
            self.matching.wake();
            self.publishing.trigger();
        }
        Ok(())
    }

    /// Signals to the watchdog that main loop, writer and web server work.
    fn signal_alive(&self, engine: &Engine) {
        let (readiness, now) = (engine.readiness(), engine.clock().elapsed());
        readiness.heartbeat(Part::Scheduler, now);
        readiness.heartbeat(Part::Writer, now);
        let web = readiness.last_heartbeat(Part::Web).unwrap_or_default();
        if !self.listeners.any() || web + WEB_STALLED >= now {
            notify(&[NotifyState::Watchdog]);
        } else {
            error!("web server stalled, watchdog not notified");
        }
    }

    async fn execute(&mut self, command: Command, engine: &mut Engine, polls: &mut Polls) {
        match command {
            Command::Apply(config, reply) => {
                let result = self.apply(*config, engine, polls).await;
                if let Err(Error::Store(error)) = &result {
                    // A permanent failure ends the loop after the reply.
                    let _ = engine.store_failures().record(error.clone());
                }
                match &result {
                    // Reported as a failure of the database.
                    Err(Error::Store(_)) => {}
                    Ok(_) => record_reload(engine, Reload::Accepted),
                    Err(_) => record_reload(engine, Reload::Rejected),
                }
                // The receiver may no longer exist.
                let _ = reply.send(result.map_err(|error| error.to_string()));
            }
            Command::Poll(request) => poll_now(request, engine, (polls, self.trust)),
            Command::ReportRejected => record_reload(engine, Reload::Rejected),
        }
    }

    /// Applies another config. Steps that can fail come first, so that it is applied completely or not at all.
    async fn apply(
        &mut self,
        config: Config,
        engine: &mut Engine,
        polls: &mut Polls,
    ) -> Result<Change, Error> {
        control::check_addresses(&config.web.listen, &engine.setup().store)?;
        let next = self.listeners.prepare(&config.web.listen)?;
        let before = engine.apply(config).await?;
        let setup = engine.setup();
        let change = Change::between(&before, setup, &next);
        self.listeners.switch(next);
        engine.readiness().heartbeat(Part::Web, engine.clock().elapsed());
        setup.requeue(&before, &mut polls.queue, engine.clock().now());
        self.publishing.replace(Arc::clone(&setup.output_set));
        self.lists.send_replace(Arc::clone(&setup.lists));
        engine.keep_restart_values(before);
        Ok(change)
    }
}

/// Takes over what a poll that is stored means for the queue and for the status line.
fn take_result(
    end: Option<PollEnd>,
    engine: &mut Engine,
    (polls, status, outage): (&mut Polls, &mut StatusLine, &mut OutageWatch),
) {
    if let Some(PollEnd::Polled(polled)) = end {
        outage.record(&polled, engine.clock().elapsed());
        engine.adopt(&polled, &mut polls.queue);
        status.count(&polled, engine.clock().elapsed());
    }
}

/// Starts the polls that a command asks for.
fn poll_now(request: PollRequest, engine: &Engine, (polls, trust): (&mut Polls, Trust)) {
    let PollRequest { feeds, demands, started } = request;
    let trigger = match demands {
        Demands::Keep => Trigger::Command,
        Demands::Ignore => Trigger::Forced { since: engine.clock().now() },
    };
    let problem = engine.store_failures().current();
    let result = match (problem, engine.selected(&feeds)) {
        (_, Err(Error::NoSuchFeed(name))) => Err(PollRefusal::UnknownFeed(name)),
        (Err(error), _) => Err(PollRefusal::Unable(error.to_string())),
        (Ok(Some(_)), _) => Err(PollRefusal::Unable("the database cannot be written".to_owned())),
        (_, Err(error)) => Err(PollRefusal::Unable(error.to_string())),
        _ if trust == Trust::Untrusted => Err(PollRefusal::Unable(
            "the clock of the system is wrong (check 'timedatectl')".to_owned(),
        )),
        _ if trust == Trust::Doubted => Err(PollRefusal::Unable(
            "the clock of the system has jumped, nothing is polled for ten minutes".to_owned(),
        )),
        (Ok(None), Ok(targets)) => {
            let (client, results) = mpsc::channel(targets.len().max(1));
            for target in &targets {
                polls.ask(engine, target, (trigger, client.clone()));
            }
            Ok(StartedPolls { number: targets.len(), results })
        }
    };
    // The client may be gone.
    let _ = started.send(result);
}

/// The status line after the conditions that degrade the daemon: `store_full; 497/500 feeds ok, …`.
fn with_conditions(engine: &Engine, line: String) -> String {
    let conditions = engine.readiness().problems().into_iter();
    let slugs = conditions.filter(|it| *it != Problem::NotPolledYet).map(Problem::slug);
    slugs.map(str::to_owned).chain([line]).collect::<Vec<_>>().join("; ")
}

/// Records the result of a reload in the metrics and in `/readyz`.
fn record_reload(engine: &Engine, result: Reload) {
    engine.metrics().reloaded(result, engine.clock().now());
    match result {
        Reload::Accepted => engine.readiness().remove(Problem::ConfigRejected),
        Reload::Rejected => engine.readiness().add(Problem::ConfigRejected),
    }
}
