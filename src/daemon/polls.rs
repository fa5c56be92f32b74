//! Running polls and the queue of feeds.

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

/// Time limit for running polls at shutdown.
const FINISH_TIMEOUT: Duration = Duration::from_secs(3);

/// A task that ended: its id and the result of the poll.
pub(crate) type Ended = Result<(Id, Result<Polled, store::Error>), JoinError>;

/// Running polls and the queue of feeds.
#[derive(Debug)]
pub(crate) struct Polls {
    pub(crate) queue: Queue,
    running: JoinSet<Result<Polled, store::Error>>,
    /// The feed of each task, needed when a task panics.
    targets: HashMap<Id, Target>,
}

impl Polls {
    /// No running polls, and this queue.
    pub(crate) fn new(queue: Queue) -> Self {
        Self { queue, running: JoinSet::new(), targets: HashMap::new() }
    }

    /// Starts all polls that are due and within the limits. Returns the time of the next check on the monotonic
    /// clock.
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
                    let (poller, polled) = (engine.poller().clone(), target.clone());
                    let task = self.running.spawn(async move { poller.poll(&polled).await });
                    self.targets.insert(task.id(), target);
                }
            }
        }
    }

    /// Updates the metric of overdue polls, and ends the condition `not_polled_yet` when no poll is due or running.
    pub(crate) fn update_metrics(&self, engine: &Engine) {
        let now = engine.clock().moment();
        let due = self.queue.first_due(now);
        engine.metrics().due(due);
        if self.running.is_empty() && due.is_none_or(|due| due > now.wall) {
            engine.readiness().remove(Problem::NotPolledYet);
        }
    }

    /// Waits for the next poll that ends; forever while none runs.
    pub(crate) async fn next(&mut self) -> Option<Ended> {
        match self.running.join_next_with_id().await {
            Some(ended) => Some(ended),
            None => std::future::pending().await,
        }
    }

    /// Puts the feed of a poll that ended back into the queue.
    ///
    /// # Errors
    /// When the database failed; the feed is in the queue again.
    pub(crate) async fn record(
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
                let replanned = engine.replan(&target, &mut polled).await;
                self.apply_host_limits(engine, feed, &polled);
                self.queue.done(feed, polled.plan.at);
                replanned.map(|()| Some(polled))
            }
            Ok((_, Err(error))) => {
                // The poll was not stored: the feed is polled again, soon for a temporary failure.
                let again = match error.cause() {
                    ErrorCause::Bug | ErrorCause::Damaged => engine.retry_in_an_hour(),
                    _ => engine.retry_soon(),
                };
                self.queue.done(feed, again);
                Err(error.into())
            }
            Err(error) => {
                // `poll` catches panics of fetching and parsing; this one happened elsewhere.
                warn!(feed = %target.id, %error, "poll panicked");
                engine.metrics().panicked();
                self.queue.done(feed, engine.retry_in_an_hour());
                Ok(None)
            }
        }
    }

    /// Applies `Retry-After` and rate limits of the response to the other feeds of the host.
    fn apply_host_limits(&mut self, engine: &Engine, feed: FeedKey, polled: &Polled) {
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

    /// Waits up to [`FINISH_TIMEOUT`] for running polls, then cancels them.
    pub(crate) async fn finish(mut self, engine: &Engine) -> Result<(), Error> {
        let clock = engine.clock().clone();
        let until = clock.elapsed() + FINISH_TIMEOUT;
        let mut result = Ok(());
        while !self.running.is_empty() {
            tokio::select! {
                Some(ended) = self.next() => match self.record(engine, ended).await {
                    Ok(_) => {}
                    Err(error) => result = result.and(engine.tolerate(error)),
                },
                () = clock.sleep_until(until) => break,
            }
        }
        self.running.shutdown().await;
        result
    }
}
