//! Running polls and the queue of feeds.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::warn;

use super::engine::Engine;
use super::error::Error;
use super::handle::{PollReport, ReportedEnd};
use crate::model::FeedKey;
use crate::poll::{Finished, PollEnd, Target, Trigger, Unstored, result_line};
use crate::schedule::{Queue, QueueStep};
use crate::store::ErrorCause;
use crate::telemetry::Problem;

/// Time limit for running polls at shutdown.
const FINISH_TIMEOUT: Duration = Duration::from_secs(3);

/// A task that ended: its id and the result of the poll.
pub(crate) type Ended = Result<(Id, Result<PollEnd, Unstored>), JoinError>;

/// Running polls and the queue of feeds.
#[derive(Debug)]
pub(crate) struct Polls {
    pub(crate) queue: Queue,
    running: JoinSet<Result<PollEnd, Unstored>>,
    trigger: Trigger,
    /// Whether a feed is polled again after its poll, as in the daemon.
    repeats: bool,
    /// The feed of each task, needed when a task panics.
    targets: HashMap<Id, Target>,
    /// Results that the store could not take. They are stored when it works again.
    unstored: Vec<Finished>,
    /// Feeds that a command asked for.
    asked: HashMap<FeedKey, AskedPoll>,
}

/// A poll that a command asked for, with the clients that wait for its result.
#[derive(Debug)]
struct AskedPoll {
    trigger: Trigger,
    clients: Vec<mpsc::Sender<PollReport>>,
}

impl Polls {
    /// No running polls, and this queue.
    pub(crate) fn new(queue: Queue, trigger: Trigger) -> Self {
        let (running, targets) = (JoinSet::new(), HashMap::new());
        Self {
            queue,
            running,
            trigger,
            repeats: false,
            targets,
            unstored: Vec::new(),
            asked: HashMap::new(),
        }
    }

    /// The same, for a daemon.
    pub(crate) fn repeating(queue: Queue) -> Self {
        Self { repeats: true, ..Self::new(queue, Trigger::Due) }
    }

    /// Compares the clocks. After a jump of the wall clock, stored times are moved with it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn follow_clock(&mut self, engine: &Engine) -> Result<(), Error> {
        let now = engine.clock().moment();
        self.queue.watch_clock(now);
        let Some(jump) = self.queue.take_jump() else { return Ok(()) };
        let seconds = jump.as_secs();
        warn!(seconds, "wall clock jumped, next polls are recomputed");
        engine.setup().resume_unstarted(&mut self.queue, now.wall, jump);
        engine.follow_clock().await
    }

    /// Starts all polls that are due and within the limits. Returns the time of the next check on the monotonic
    /// clock.
    pub(crate) fn start_due(&mut self, engine: &Engine) -> Duration {
        for finished in std::mem::take(&mut self.unstored) {
            let (poller, target) = (engine.poller().clone(), finished.target().clone());
            let task = self.running.spawn(async move { poller.store(Box::new(finished)).await });
            self.targets.insert(task.id(), target);
        }
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
                    let asked = self.asked.get(&feed);
                    let trigger = asked.map_or(self.trigger, |asked| asked.trigger);
                    // On the heap: tokio copies a task several times until it runs.
                    let poll = Box::pin(async move { poller.poll(&polled, trigger).await });
                    let task = self.running.spawn(poll);
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
    ) -> Result<Option<PollEnd>, Error> {
        // The plan of the poll is by the clock as it is now.
        self.queue.watch_clock(engine.clock().moment());
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(target) = self.targets.remove(&id) else { return Ok(None) };
        let feed = target.key;
        match ended {
            Ok((_, Ok(mut end))) => {
                let replanned = match &mut end {
                    PollEnd::Polled(polled) => {
                        engine.readiness().remove(Problem::NotPolledYet);
                        self.queue.trust(feed);
                        engine.replan(&target, polled).await
                    }
                    PollEnd::Held(_) => {
                        self.queue.unasked(feed);
                        Ok(())
                    }
                };
                self.queue.done(feed, end.plan().at);
                self.requeue(engine, &end);
                let line = result_line(&target.id, &end, engine.clock().now());
                self.answer(feed, &PollReport { line, end: reported(&end) });
                let paused = self.keep_paused(engine, &target).await;
                replanned.and(paused).map(|()| Some(end))
            }
            Ok((_, Err(Unstored { error, finished: Some(finished) }))) if self.repeats => {
                // The feed counts as being polled until the result is stored.
                self.unstored.push(*finished);
                Err(error.into())
            }
            Ok((_, Err(Unstored { error, .. }))) => {
                // The result is lost: the feed is polled again, soon for a temporary failure.
                let again = match error.cause() {
                    ErrorCause::Bug | ErrorCause::Damaged => engine.retry_in_an_hour(),
                    _ => engine.retry_soon(),
                };
                self.queue.done(feed, again);
                let line = format!("{}: not stored: {error}", target.id);
                self.answer(feed, &PollReport { line, end: ReportedEnd::Lost });
                Err(error.into())
            }
            Err(error) => {
                // `poll` catches panics of fetching and parsing; this one happened elsewhere.
                warn!(feed = %target.id, %error, "poll panicked");
                engine.metrics().panicked();
                self.queue.done(feed, engine.retry_in_an_hour());
                let line = format!("{}: newswire panicked", target.id);
                self.answer(feed, &PollReport { line, end: ReportedEnd::Lost });
                Ok(None)
            }
        }
    }

    /// Makes a feed due now.
    pub(crate) fn hasten(&mut self, engine: &Engine, feed: FeedKey) {
        if let Some(target) = engine.target(feed) {
            engine.setup().requeue_at(target, &mut self.queue, engine.clock().now());
        }
    }

    /// Polls a feed now, within the limits of its host, and sends the result to a client. A running poll is not
    /// repeated: its result is sent.
    pub(crate) fn ask(
        &mut self,
        engine: &Engine,
        target: &Target,
        (trigger, client): (Trigger, mpsc::Sender<PollReport>),
    ) {
        let asked = self.asked.entry(target.key);
        let asked = asked.or_insert_with(|| AskedPoll { trigger, clients: Vec::new() });
        asked.clients.push(client);
        if trigger.is_forced() {
            asked.trigger = trigger;
        }
        engine.setup().requeue_at(target, &mut self.queue, engine.clock().now());
    }

    /// Sends the result of a poll to the clients that wait for it.
    fn answer(&mut self, feed: FeedKey, report: &PollReport) {
        for client in self.asked.remove(&feed).into_iter().flat_map(|asked| asked.clients) {
            // The client may be gone. Its channel has a place for each of its feeds.
            let _ = client.try_send(report.clone());
        }
    }

    /// Takes a paused feed that a command polled out of the queue again.
    async fn keep_paused(&mut self, engine: &Engine, target: &Target) -> Result<(), Error> {
        if !target.subscription.schedule.paused {
            return Ok(());
        }
        self.queue.remove(target.key);
        engine.plan_pause(target.key).await
    }

    /// Moves the feeds that a poll gave another plan. A pass has only the feeds that it polls.
    fn requeue(&mut self, engine: &Engine, end: &PollEnd) {
        let PollEnd::Polled(polled) = end else { return };
        for (feed, due) in &polled.replanned {
            let target = engine.target(*feed).filter(|_| self.repeats);
            if let Some(target) = target.filter(|target| !target.subscription.schedule.paused) {
                engine.setup().requeue_at(target, &mut self.queue, *due);
            }
        }
    }

    /// Waits up to [`FINISH_TIMEOUT`] for running polls, then cancels them. `report` is called after each poll that ended.
    pub(crate) async fn finish(
        mut self,
        engine: &Engine,
        mut report: impl FnMut(&PollEnd),
    ) -> Result<(), Error> {
        let clock = engine.clock().clone();
        let until = clock.elapsed() + FINISH_TIMEOUT;
        let mut result = Ok(());
        while !self.running.is_empty() {
            tokio::select! {
                Some(ended) = self.next() => match self.record(engine, ended).await {
                    Ok(end) => end.iter().for_each(&mut report),
                    Err(error) => result = result.and(engine.tolerate(error)),
                },
                () = clock.sleep_until(until) => break,
            }
        }
        self.running.shutdown().await;
        result
    }
}

fn reported(end: &PollEnd) -> ReportedEnd {
    match end {
        PollEnd::Polled(_) => ReportedEnd::Stored,
        PollEnd::Held(_) => ReportedEnd::Held,
    }
}
