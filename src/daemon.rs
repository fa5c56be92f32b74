//! The long-lived process: the loop, reload, drain, the word to systemd.
//!
//! ```text
//! engine   the rooms put together for one config
//! setup    what a config comes to; another one takes its place at a reload
//! change   what a reload changed, in words
//! round    polls under way and those that wait for their turn
//! matching finds the stories of what polls brought
//! press    publishes when something changed
//! doors    sockets that readers come in by
//! remote   how the running daemon is told something
//! control  the socket for that
//! lists    lists of feeds that are followed
//! lookout  how all is, now and then; incidents
//! trouble  what is wrong with the database, and whether it may pass
//! tally    the status line
//! manager  the word to systemd
//! trouble  what is done while the database cannot be written to
//! ```
//!
//! The loop never waits for the slowest feed: due polls are spawned, each result re-queues its
//! feed, and publication is debounced in a task of its own. Leaves one poll to `poll`, one
//! publication to `outputs`, and what a person sees to `cli`.

mod change;
pub mod control;
mod doors;
mod engine;
mod lists;
mod lookout;
mod manager;
mod matching;
mod press;
mod remote;
mod round;
mod setup;
mod tally;
mod trouble;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::{mpsc, watch};
use tracing::{error, info};

pub use self::change::Change;
use self::control::Control;
use self::doors::Doors;
pub use self::doors::given_sockets;
use self::engine::Health;
pub use self::engine::{Engine, Error, Which};
pub use self::lists::{Ask, Follower, Freshness};
use self::lookout::Lookout;
pub use self::manager::{Patience, patience};
use self::manager::{rhythm, tell};
use self::matching::Matching;
use self::press::Press;
use self::remote::Order;
pub use self::remote::{Orders, Remote, Source, Verdict, remote};
use self::round::Round;
use self::setup::Lists;
use self::tally::Tally;
use crate::config::Config;
use crate::poll::{Polled, Target};
use crate::telemetry::{Event, Part, Problem, Reload};
use crate::web::Listener;

/// The web server beats every second; after this it does not.
const WEB_BEAT: Duration = Duration::from_secs(10);
/// How often bodies past retention are looked for.
const FORGET: Duration = Duration::from_secs(60 * 60);

/// What reaches the daemon from outside while it runs.
#[derive(Debug)]
pub struct Outside {
    /// Who tells it something.
    pub orders: Orders,
    /// The sockets that the service manager holds for it.
    pub given: Vec<Listener>,
    /// Asks for lists of feeds.
    pub follower: Follower,
}

/// Polls, publishes and serves until `shutdown` resolves; then drains and returns. Nobody tells it
/// anything meanwhile.
///
/// # Errors
/// When the store fails, or the address cannot be listened on.
pub async fn run(engine: Engine, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let first = engine.publish_documents().await;
    let doors = Doors::open(engine.site(), Vec::new(), engine.setup().web.listen)?;
    // Nothing is heard, ever.
    let (_silent, heard) = mpsc::channel(1);
    let (lists, _) = watch::channel(Arc::clone(&engine.setup().lists));
    work(engine, first, (doors, heard, lists), shutdown).await
}

/// The same, and hears of a changed config through the control socket, from whoever has the remote,
/// and by the lists of feeds that are followed.
///
/// # Errors
/// When the store fails, or the address cannot be listened on.
pub async fn run_within(
    engine: Engine,
    outside: Outside,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let Outside { orders: Orders { heard, remote }, given, follower } = outside;
    let mut shutdown = pin!(shutdown);
    // Until the control socket is gone, nobody else may make one.
    let _held = Arc::clone(engine.store());
    // What is kept is there before anybody is let in: who came to a socket of the service manager
    // while newswire was restarted must not hear that there is no such feed.
    let first = tokio::select! {
        () = &mut shutdown => return Ok(()),
        first = engine.publish_documents() => first,
    };
    let doors = Doors::open(engine.site(), given, engine.setup().web.listen)?;
    let _control = Control::open(&engine.setup().store, remote.clone());
    let (lists, followed) = watch::channel(Arc::clone(&engine.setup().lists));
    let following = tokio::spawn(follower.follow(followed, remote));
    let result = work(engine, first, (doors, heard, lists), shutdown).await;
    following.abort();
    result
}

/// Tells the service manager why newswire cannot go on, `sd_notify(3)`.
pub fn tell_failure(error: &Error) {
    /// Input/output error: what there is where the system gave no number.
    const EIO: i32 = 5;
    let number = match error {
        Error::Listen { source, .. } => source.raw_os_error(),
        _ => None,
    };
    let number = u32::try_from(number.unwrap_or(EIO)).unwrap_or_default();
    tell(&[NotifyState::Errno(number), NotifyState::Status(&error.to_string())]);
}

async fn work(
    mut engine: Engine,
    first: Result<(), Error>,
    (doors, heard, lists): (Doors, mpsc::Receiver<Order>, watch::Sender<Arc<Lists>>),
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let press = Press::start(&engine);
    let matching = Matching::start(&engine, Some(press.nudger()));
    // What could not be published the press tells, and tries again.
    if first.is_err() {
        press.nudge();
    }
    let _lookout = Lookout::start(&engine);
    engine.readiness().heartbeat(Part::Web, engine.clock().elapsed());
    tell(&[NotifyState::Ready, NotifyState::Status("started")]);
    let (feeds, outputs) = (engine.targets().len(), engine.outputs().len());
    let event = Event::Started.slug();
    info!(event, feeds, outputs, "newswire is up: feeds: {feeds}, outputs: {outputs}");
    let mut running = Running { heard, lists, press, doors };
    let mut round = Round::of(engine.setup().queue(engine.clock().now()));
    let ended = running.poll_on(&mut engine, &mut round, shutdown).await;
    tell(&[NotifyState::Stopping]);
    let Running { press, doors, heard, .. } = running;
    // Who asks for something now hears that it is too late.
    drop(heard);
    // No new connection from here on, while polls in flight and answers under way come to an end.
    let closing = tokio::spawn(doors.close());
    let drained = round.drain(&engine).await;
    matching.stop().await;
    // What the last polls brought is published still.
    match engine.matcher().catch_up().await {
        Ok(0) => {}
        Ok(_) => press.nudge(),
        Err(error) => engine.survive(error.into())?,
    }
    press.finish().await;
    let _ = closing.await;
    info!(event = Event::Stopped.slug(), "newswire has stopped");
    ended.and(drained)
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
    let mut round = Round::of(queue);
    let matching = Matching::start(engine, None);
    while left > 0 {
        let until = round.start_due(engine);
        tokio::select! {
            Some(ended) = round.next() => {
                left -= 1;
                if let Some(polled) = round.settle(engine, ended).await?
                    && let Some(target) = engine.target(polled.feed)
                {
                    report(target, &polled);
                }
            }
            () = engine.clock().sleep_until(until) => {}
        }
    }
    matching.stop().await;
    engine.publish_changed().await
}

/// What the loop works with beside the engine.
struct Running {
    heard: mpsc::Receiver<Order>,
    lists: watch::Sender<Arc<Lists>>,
    press: Press,
    doors: Doors,
}

impl Running {
    /// The loop.
    async fn poll_on(
        &mut self,
        engine: &mut Engine,
        round: &mut Round,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let clock = engine.clock().clone();
        let mut tally = Tally::of(engine.setup().registered());
        let (mut status_at, mut forget_at) = (clock.elapsed(), clock.elapsed() + FORGET);
        // Nought is no number of SQLite's: all is looked at again once it gives one.
        let visits = engine.visits().await.or_else(|error| engine.survive(error).map(|()| 0));
        let (rhythm, mut visits) = (rhythm(), visits?);
        tokio::pin!(shutdown);
        loop {
            // Nothing is fetched that cannot be kept.
            let due = match engine.troubles().now()? {
                None => round.start_due(engine),
                Some(_) => status_at,
            };
            let until = due.min(status_at).min(forget_at);
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(order) = self.heard.recv() => {
                    self.obey(order, engine, round).await;
                    tally.renew(engine.setup().registered());
                }
                Some(ended) = round.next() => match round.settle(engine, ended).await {
                    Ok(Some(polled)) => tally.count(&polled, clock.elapsed()),
                    Ok(None) => {}
                    Err(error) => engine.survive(error)?,
                },
                () = clock.sleep_until(until) => {}
            }
            if clock.elapsed() >= status_at {
                status_at = clock.elapsed() + rhythm;
                self.look_round(engine, &mut visits).await?;
                round.tell(engine);
                let (feeds, next) = (engine.targets().len(), round.queue.next_due());
                let line = tally.line(feeds, next, clock.elapsed());
                engine.troubles().now()?;
                tell(&[NotifyState::Status(&with_troubles(engine, line))]);
            }
            if clock.elapsed() >= forget_at {
                forget_at = clock.elapsed() + FORGET;
                engine.forget().await.or_else(|error| engine.survive(error))?;
            }
        }
    }

    /// What is looked at now and then: whether the database can be written to, and whether the operator
    /// moved stories in it, or let some through.
    async fn look_round(&mut self, engine: &Engine, visits: &mut i64) -> Result<(), Error> {
        let health = engine.examine().await?;
        let before = *visits;
        // The writer has just said that it cannot: who asks again waits for the same lock again.
        if health != Health::Ill {
            match engine.visits().await {
                Ok(now) => *visits = now,
                Err(error) => engine.survive(error)?,
            }
        }
        self.beat(engine);
        if *visits != before || health == Health::Mended {
            // The operator may have decided about items: they are pending.
            if let Err(error) = engine.matcher().catch_up().await {
                return engine.survive(error.into());
            }
            self.press.nudge();
        }
        Ok(())
    }

    /// The loop has turned and the writer has answered; where the web server goes on too, all is well.
    fn beat(&self, engine: &Engine) {
        let (readiness, now) = (engine.readiness(), engine.clock().elapsed());
        readiness.heartbeat(Part::Scheduler, now);
        readiness.heartbeat(Part::Writer, now);
        let web = readiness.last_heartbeat(Part::Web).unwrap_or_default();
        if !self.doors.any() || web + WEB_BEAT >= now {
            tell(&[NotifyState::Watchdog]);
        } else {
            error!("the web server does not move any more: the watchdog is told nothing");
        }
    }

    async fn obey(&mut self, order: Order, engine: &mut Engine, round: &mut Round) {
        match order {
            Order::Renew(config, answer) => {
                let renewed = self.renew(*config, engine, round).await;
                if let Err(Error::Store(error)) = &renewed {
                    // Where that does not pass, the loop ends once the asker has his answer.
                    let _ = engine.troubles().met(error.clone());
                }
                match &renewed {
                    // The fault is the database's, and told of as such.
                    Err(Error::Store(_)) => {}
                    Ok(_) => read_again(engine, Reload::Accepted),
                    Err(_) => read_again(engine, Reload::Rejected),
                }
                // Whoever asked may have gone.
                let _ = answer.send(renewed.map_err(|error| error.to_string()));
            }
            Order::Refuse => read_again(engine, Reload::Rejected),
        }
    }

    /// Puts another config in force. What may fail comes first, so that nothing is done by halves.
    async fn renew(
        &mut self,
        config: Config,
        engine: &mut Engine,
        round: &mut Round,
    ) -> Result<Change, Error> {
        let next = self.doors.prepare(config.web.listen)?;
        let before = engine.renew(config).await?;
        let setup = engine.setup();
        let change = Change::between(&before, setup, &next);
        self.doors.switch(next);
        engine.readiness().heartbeat(Part::Web, engine.clock().elapsed());
        setup.requeue(&before, &mut round.queue, engine.clock().now());
        self.press.renew(Arc::clone(&setup.edition));
        self.lists.send_replace(Arc::clone(&setup.lists));
        engine.keep(before);
        Ok(change)
    }
}

/// The status line, with what is wrong before it: `config_rejected; 497/500 feeds ok, …`.
fn with_troubles(engine: &Engine, line: String) -> String {
    let troubles = engine.readiness().problems().into_iter();
    let told = troubles.filter(|trouble| *trouble != Problem::NotPolledYet).map(Problem::slug);
    told.map(str::to_owned).chain([line]).collect::<Vec<_>>().join("; ")
}

/// Tells the monitors how reading the config again ended.
fn read_again(engine: &Engine, how: Reload) {
    engine.metrics().reloaded(how, engine.clock().now());
    match how {
        Reload::Accepted => engine.readiness().remove(Problem::ConfigRejected),
        Reload::Rejected => engine.readiness().add(Problem::ConfigRejected),
    }
}
