//! Polls under way, and feeds that wait for their turn.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::warn;

use super::engine::{Engine, Error};
use crate::model::{FeedKey, FetchOutcome};
use crate::poll::{Polled, Target};
use crate::schedule::{Queue, QueueStep};
use crate::store::{self, ErrorCause};
use crate::telemetry::Problem;

/// Polls in flight get so long to end once the daemon was told to stop.
const DRAIN: Duration = Duration::from_secs(3);

/// A poll that ended, as the loop learns of it.
pub(crate) type Ended = Result<(Id, Result<Polled, store::Error>), JoinError>;

/// Feeds that are being polled, and those that wait for their turn.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) queue: Queue,
    running: JoinSet<Result<Polled, store::Error>>,
    /// What a task polls: a task that panics cannot say so itself.
    targets: HashMap<Id, Target>,
}

impl Round {
    /// The feeds of `queue`.
    pub(crate) fn of(queue: Queue) -> Self {
        Self { queue, running: JoinSet::new(), targets: HashMap::new() }
    }

    /// Starts what may start now; answers when to look again, on the monotonic scale.
    pub(crate) fn start_due(&mut self, engine: &Engine) -> Duration {
        loop {
            match self.queue.next(engine.clock().moment()) {
                QueueStep::Wait(until) => return until,
                QueueStep::Poll(feed) => {
                    let Some(target) = engine.target(feed).cloned() else {
                        self.queue.remove(feed);
                        self.queue.done(feed, Timestamp::MAX);
                        continue;
                    };
                    let (poller, asked) = (engine.poller().clone(), target.clone());
                    let task = self.running.spawn(async move { poller.poll(&asked).await });
                    self.targets.insert(task.id(), target);
                }
            }
        }
    }

    /// Tells the monitors how far behind the polls are, and of the first cycle: all that was due has
    /// been asked.
    pub(crate) fn tell(&self, engine: &Engine) {
        let now = engine.clock().moment();
        let due = self.queue.first_due(now);
        engine.metrics().due(due);
        if self.running.is_empty() && due.is_none_or(|due| due > now.wall) {
            engine.readiness().remove(Problem::NotPolledYet);
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
    /// When the store failed; the feed is queued all the same.
    pub(crate) async fn settle(
        &mut self,
        engine: &Engine,
        ended: Ended,
    ) -> Result<Option<Polled>, Error> {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(target) = self.targets.remove(&id) else { return Ok(None) };
        let feed = target.key;
        match ended {
            Ok((_, Ok(mut polled))) => {
                engine.readiness().remove(Problem::NotPolledYet);
                let caught_up = engine.catch_up(&target, &mut polled).await;
                self.heed(engine, feed, &polled);
                self.queue.done(feed, polled.plan.at);
                caught_up.map(|()| Some(polled))
            }
            Ok((_, Err(error))) => {
                // It was never made: the feed is asked again, soon if the database mends.
                let again = match error.cause() {
                    ErrorCause::Bug => engine.in_an_hour(),
                    _ => engine.soon(),
                };
                self.queue.done(feed, again);
                Err(error.into())
            }
            Err(error) => {
                // Panics in fetching and reading are caught in poll; this is one beyond them.
                warn!("a poll ended without an answer: {error}");
                engine.metrics().panicked();
                self.queue.done(feed, engine.in_an_hour());
                Ok(None)
            }
        }
    }

    /// What a server asked for goes for its other feeds too.
    fn heed(&mut self, engine: &Engine, feed: FeedKey, polled: &Polled) {
        let now = engine.clock().moment();
        if polled.outcome == FetchOutcome::Throttled {
            let wait = polled.plan.at.duration_since(now.wall);
            self.queue.throttled(feed, wait.try_into().unwrap_or_default(), now);
        }
        if let Some(remote) = polled.remote {
            self.queue.set_address(feed, remote);
        }
        if let Some(pause) = polled.host_pause.and_then(|pause| Duration::try_from(pause).ok()) {
            self.queue.pause_host(feed, now.elapsed + pause);
        }
    }

    /// Lets polls in flight end, as long as [`DRAIN`]; then they are dropped, and were never made.
    pub(crate) async fn drain(mut self, engine: &Engine) -> Result<(), Error> {
        let clock = engine.clock().clone();
        let until = clock.elapsed() + DRAIN;
        let mut result = Ok(());
        while !self.running.is_empty() {
            tokio::select! {
                Some(ended) = self.next() => match self.settle(engine, ended).await {
                    Ok(_) => {}
                    Err(error) => result = result.and(engine.survive(error)),
                },
                () = clock.sleep_until(until) => break,
            }
        }
        self.running.shutdown().await;
        result
    }
}
