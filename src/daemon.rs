//! The long-lived process: the loop, the drain, the word to systemd.
//!
//! The loop never waits for the slowest feed: due polls are spawned, each result re-queues its
//! feed, and publication is debounced in a task of its own. Leaves one poll to `poll`, one
//! publication to `publication`, and what a person sees to `cli`.

mod engine;
mod lists;
mod press;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::{error, info, warn};

pub use self::engine::{Engine, Error, Which};
pub use self::lists::{Ask, Change, Follower, Seen};
use self::press::Press;
use crate::model::{FeedKey, FetchOutcome};
use crate::poll::{Polled, Target};
use crate::schedule::Turn;
use crate::telemetry::Trouble;
use crate::{store, web};

/// Polls in flight get so long to end once the daemon was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// The status line of the unit is never older than this.
const STATUS: Duration = Duration::from_secs(5);
/// How often bodies past retention are looked for.
const FORGET: Duration = Duration::from_secs(60 * 60);

/// A poll that ended, as the loop learns of it.
pub(crate) type Ended = Result<(Id, Result<Polled, store::Error>), JoinError>;

/// Polls, publishes and serves until `shutdown` resolves; then drains and returns.
///
/// # Errors
/// When the store fails, or the address cannot be listened on.
pub async fn run(engine: Engine, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let shutdown = async {
        shutdown.await;
        Ending::Stop
    };
    run_until(engine, shutdown).await.map(drop)
}

/// What comes after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Stop,
    /// Another run, of another config: systemd need not know.
    Renew,
}

/// The same, until `shutdown` says how it ends.
///
/// # Errors
/// When the store fails, or the address cannot be listened on.
pub async fn run_until(
    engine: Engine,
    shutdown: impl Future<Output = Ending>,
) -> Result<Ending, Error> {
    let (stop, stopped) = watch::channel(());
    let server = serve(&engine, stopped.clone()).await?;
    // What is kept is served at once; an output that cannot be published is logged, not fatal.
    if let Err(error) = engine.publish().await {
        error!("{error}");
    }
    let press = Press::start(&engine);
    notify(&[NotifyState::Ready, NotifyState::Status("started")]);
    let (feeds, outputs) = (engine.targets().len(), engine.outputs().len());
    info!(feeds, outputs, "newswire is up: feeds: {feeds}, outputs: {outputs}");
    let mut ending = Ending::Stop;
    let result = poll_on(&engine, &press, async { ending = shutdown.await }).await;
    if ending == Ending::Stop {
        notify(&[NotifyState::Stopping]);
    }
    drop(stop);
    press.finish().await;
    if let Some(server) = server {
        let _ = server.await;
    }
    match ending {
        Ending::Stop => info!("newswire has stopped"),
        Ending::Renew => info!("newswire takes over a changed list of feeds"),
    }
    result.map(|()| ending)
}

/// Polls the chosen feeds once, each when its host's turn comes, and publishes every output.
///
/// `report` is told of each poll as it ends.
///
/// # Errors
/// When a feed is asked for that is not configured, the store fails, or an output cannot be
/// published.
pub async fn pass(
    engine: &Engine,
    which: &Which,
    mut report: impl FnMut(&Target, &Polled),
) -> Result<(), Error> {
    let (queue, mut left) = engine.pass(which)?;
    let mut round = Round::of(engine, queue);
    while left > 0 {
        let until = round.start_due();
        tokio::select! {
            Some(ended) = round.next() => {
                left -= 1;
                if let Some(polled) = round.settle(ended)?
                    && let Some(target) = engine.target(polled.feed)
                {
                    report(target, &polled);
                }
            }
            () = engine.clock().sleep_until(until) => {}
        }
    }
    engine.publish().await
}

/// Starts the web server, if one is configured.
async fn serve(
    engine: &Engine,
    mut stopped: watch::Receiver<()>,
) -> Result<Option<tokio::task::JoinHandle<()>>, Error> {
    let Some(address) = engine.listen() else { return Ok(None) };
    let listener =
        TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    info!(%address, "serving on http://{address}/");
    let shutdown = async move { while stopped.changed().await.is_ok() {} };
    let listener = web::Listener::Tcp(
        listener.into_std().map_err(|source| Error::Listen { address, source })?,
    );
    let serving = web::serve(listener, Arc::clone(engine.site()), shutdown);
    Ok(Some(tokio::spawn(async move {
        if let Err(error) = serving.await {
            error!("the web server has stopped: {error}");
        }
    })))
}

/// The loop.
async fn poll_on(
    engine: &Engine,
    press: &Press,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let clock = engine.clock().clone();
    let mut round = Round::new(engine);
    let mut tally = Tally::default();
    let (mut status_at, mut forget_at) = (clock.elapsed(), clock.elapsed() + FORGET);
    let mut visits = engine.visits().await?;
    tokio::pin!(shutdown);
    loop {
        let until = round.start_due().min(status_at).min(forget_at);
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = round.next() => {
                if let Some(polled) = round.settle(ended)? {
                    tally.count(&polled);
                    press.count(&polled);
                }
            }
            () = clock.sleep_until(until) => {}
        }
        if clock.elapsed() >= status_at {
            status_at = clock.elapsed() + STATUS;
            round.tell();
            notify(&[NotifyState::Status(&tally.line(engine, round.queue.next_due()))]);
            let before = std::mem::replace(&mut visits, engine.visits().await?);
            if visits != before {
                // The operator moved stories, or let some through.
                engine.look_again()?;
                press.nudge();
            }
        }
        if clock.elapsed() >= forget_at {
            forget_at = clock.elapsed() + FORGET;
            engine.forget().await?;
        }
    }
    round.drain(press).await
}

/// Tells systemd, if it started us; a word that gets lost there harms nothing.
fn notify(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

/// Feeds that are being polled, and those that wait for their turn.
pub(crate) struct Round<'a> {
    engine: &'a Engine,
    queue: crate::schedule::Queue,
    running: JoinSet<Result<Polled, store::Error>>,
    /// Which feed a task polls: a task that panics cannot say so itself.
    feeds: HashMap<Id, FeedKey>,
}

impl<'a> Round<'a> {
    /// Every feed of the engine, when it is due.
    pub(crate) fn new(engine: &'a Engine) -> Self {
        Self::of(engine, engine.queue())
    }

    /// The feeds of `queue`.
    pub(crate) fn of(engine: &'a Engine, queue: crate::schedule::Queue) -> Self {
        Self { engine, queue, running: JoinSet::new(), feeds: HashMap::new() }
    }

    /// Starts what may start now; answers when to look again, on the monotonic scale.
    pub(crate) fn start_due(&mut self) -> Duration {
        loop {
            match self.queue.turn(self.engine.clock().moment()) {
                Turn::Wait(until) => return until,
                Turn::Poll(feed) => {
                    let Some(target) = self.engine.target(feed).cloned() else { continue };
                    let poller = self.engine.poller().clone();
                    let task = self.running.spawn(async move { poller.poll(&target).await });
                    self.feeds.insert(task.id(), feed);
                }
            }
        }
    }

    /// Tells the monitors how far behind the polls are, and of the first cycle: all that was due has
    /// been asked.
    fn tell(&self) {
        let now = self.engine.clock().moment();
        let due = self.queue.first_due(now);
        self.engine.metrics().due(due);
        if self.running.is_empty() && due.is_none_or(|due| due > now.wall) {
            self.engine.vitals().heals(Trouble::NoCycleYet);
        }
    }

    /// The next poll that ends; pending for ever while none runs.
    pub(crate) async fn next(&mut self) -> Option<Ended> {
        match self.running.join_next_with_id().await {
            Some(ended) => Some(ended),
            None => std::future::pending().await,
        }
    }

    /// Re-queues the feed of a poll that ended.
    ///
    /// # Errors
    /// When the store failed: then newswire itself cannot go on.
    pub(crate) fn settle(&mut self, ended: Ended) -> Result<Option<Polled>, Error> {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(feed) = self.feeds.remove(&id) else { return Ok(None) };
        match ended {
            Ok((_, Ok(polled))) => {
                self.engine.vitals().heals(Trouble::NoCycleYet);
                self.heed(feed, &polled);
                self.queue.done(feed, polled.plan.at);
                Ok(Some(polled))
            }
            Ok((_, Err(error))) => Err(error.into()),
            Err(error) => {
                // Panics in fetching and reading are caught in poll; this is one beyond them.
                warn!("a poll ended without an answer: {error}");
                self.engine.metrics().panicked();
                self.queue.done(feed, self.engine.in_an_hour());
                Ok(None)
            }
        }
    }

    /// What a server asked for goes for its other feeds too.
    fn heed(&mut self, feed: FeedKey, polled: &Polled) {
        let now = self.engine.clock().moment();
        if polled.outcome == FetchOutcome::Throttled {
            let wait = polled.plan.at.duration_since(now.wall);
            self.queue.throttled(feed, wait.try_into().unwrap_or_default(), now);
        }
        if let Some(remote) = polled.remote {
            self.queue.met(feed, remote);
        }
        if let Some(pause) = polled.host_pause.and_then(|pause| Duration::try_from(pause).ok()) {
            self.queue.hold(feed, now.elapsed + pause);
        }
    }

    /// Lets polls in flight end, as long as [`DRAIN`]; then they are dropped, and were never made.
    /// What the others bring is published still.
    async fn drain(mut self, press: &Press) -> Result<(), Error> {
        let clock = self.engine.clock().clone();
        let until = clock.elapsed() + DRAIN;
        let mut result = Ok(());
        while !self.running.is_empty() {
            tokio::select! {
                Some(ended) = self.next() => match self.settle(ended) {
                    Ok(Some(polled)) => press.count(&polled),
                    Ok(None) => {}
                    Err(error) => result = Err(error),
                },
                () = clock.sleep_until(until) => break,
            }
        }
        self.running.shutdown().await;
        result
    }
}

/// What the status line tells.
#[derive(Debug, Default)]
struct Tally {
    failing: std::collections::HashSet<FeedKey>,
    polled: std::collections::HashSet<FeedKey>,
    new: usize,
}

impl Tally {
    fn count(&mut self, polled: &Polled) {
        self.polled.insert(polled.feed);
        self.new += polled.recorded.new;
        if polled.outcome.is_success() {
            self.failing.remove(&polled.feed);
        } else {
            self.failing.insert(polled.feed);
        }
    }

    fn line(&self, engine: &Engine, next: Option<Timestamp>) -> String {
        let (all, failing) = (engine.targets().len(), self.failing.len());
        let ok = self.polled.len() - failing;
        let next =
            next.map_or_else(|| "none".to_owned(), |at| at.strftime("%H:%M:%SZ").to_string());
        format!(
            "{ok}/{all} feeds ok, {failing} failing; {} new items since start; next poll {next}",
            self.new
        )
    }
}
