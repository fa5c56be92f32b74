//! The tasks of the later stages. One publishes changed outputs. It waits for a pause, so that many polls cause one
//! publication, and it is a task of its own, so that a slow disk does not delay polls. The other one matches new items as
//! soon as they are committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::error;

use super::database::{LOG_AGAIN, StoreFailures};
use super::engine::Engine;
use super::setup::OutputSet;
use crate::clock::Clock;
use crate::model::Coded as _;
use crate::outputs::{self, ArchiveState, Publisher};
use crate::store;
use crate::stories::Matcher;
use crate::telemetry::{Event, Problem, Readiness};
use crate::web::StaticSites;

/// Time without changes after which outputs are published.
const QUIET: Duration = Duration::from_millis(500);
/// Longest time from a change to its publication.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// Longest time for which the clock is not read while digests are waited for.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Time after which a failed write is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Handle of the task that publishes.
#[derive(Debug)]
pub(crate) struct Publishing {
    /// The outputs, and a number that increases with each change. Closing it ends the task after a last publication.
    changes: watch::Sender<(Arc<OutputSet>, u64)>,
    task: JoinHandle<()>,
}

/// Requests publications from other tasks. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PublishTrigger(watch::Sender<(Arc<OutputSet>, u64)>);

impl PublishTrigger {
    /// Requests a publication of all outputs.
    pub(crate) fn trigger(&self) {
        self.0.send_modify(|(_, count)| *count += 1);
    }
}

impl Publishing {
    /// Starts the task that publishes the outputs.
    pub(crate) fn start(engine: &Engine) -> Self {
        let (changes, seen) = watch::channel((Arc::clone(&engine.setup().output_set), 0));
        let (clock, store_failures) = (engine.clock().clone(), engine.store_failures().clone());
        let readiness = engine.readiness().clone();
        let logged = HashMap::new();
        let error_log = ErrorLog { clock, store_failures, readiness, logged, unwritten: None };
        let writers = Writers {
            publisher: engine.publisher().clone(),
            static_sites: engine.static_sites().clone(),
        };
        let task = tokio::spawn(work(writers, seen, error_log));
        Self { changes, task }
    }

    /// Requests a publication of all outputs.
    pub(crate) fn trigger(&self) {
        self.trigger_handle().trigger();
    }

    /// A trigger for another task.
    pub(crate) fn trigger_handle(&self) -> PublishTrigger {
        PublishTrigger(self.changes.clone())
    }

    /// Replaces the outputs and requests a publication.
    pub(crate) fn replace(&self, output_set: Arc<OutputSet>) {
        self.changes.send_modify(|(current, count)| (*current, *count) = (output_set, *count + 1));
    }

    /// Publishes pending changes and ends the task.
    pub(crate) async fn finish(self) {
        drop(self.changes);
        let _ = self.task.await;
    }
}

/// The publisher of documents and the writer of static sites.
struct Writers {
    publisher: Publisher,
    static_sites: StaticSites,
}

async fn work(
    writers: Writers,
    mut changes: watch::Receiver<(Arc<OutputSet>, u64)>,
    mut error_log: ErrorLog,
) {
    let clock = error_log.clock.clone();
    let publisher = &writers.publisher;
    let mut retry_at = None;
    // The documents were published when the daemon started.
    let mut last_second = clock.now().as_second();
    loop {
        // Archive pages and static sites are written after the documents that clients poll.
        let rest = write_the_rest(&writers, &mut changes, &mut error_log).await;
        if rest.temporary {
            retry_at = retry_at.or(Some(clock.elapsed() + RETRY));
        }
        error_log.report();
        let output_set = Arc::clone(&changes.borrow().0);
        // The link to new archive pages is published as any other change.
        if !rest.unannounced {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = clock.sleep_until(retry_at.unwrap_or_default()), if retry_at.is_some() => {}
                () = wait_for_digest(publisher, &output_set, &clock) => {}
            }
        }
        wait_for_pause(&mut changes, &clock).await;
        wait_for_second(&mut changes, &clock, last_second).await;
        let output_set = Arc::clone(&changes.borrow_and_update().0);
        publisher.keep_only(&output_set.outputs);
        let mut temporary = false;
        error_log.unwritten = None;
        for output in &output_set.outputs {
            if let Err(error) = publisher.publish(output).await {
                temporary |= error_log.log(&output.id, error);
            }
        }
        // The title of a feed may have changed.
        if let Err(error) = publisher.list(&output_set.outputs).await {
            temporary |= error_log.log("subscriptions.opml", error);
        }
        retry_at = temporary.then(|| clock.elapsed() + RETRY);
        last_second = clock.now().as_second();
    }
}

/// Returns when an output has to be published for a digest. The time is compared once a minute, because the clock of the
/// machine may be set.
async fn wait_for_digest(publisher: &Publisher, output_set: &OutputSet, clock: &Clock) {
    loop {
        let waits = output_set.outputs.iter().filter_map(|output| publisher.next_digest(output));
        let Some(wait) = waits.min() else { return std::future::pending().await };
        if wait.is_zero() {
            return;
        }
        clock.sleep_until(clock.elapsed() + wait.min(LOOK_AGAIN)).await;
    }
}

/// How the rest was written.
#[derive(Debug, Default)]
struct Rest {
    /// Whether a write failed that may succeed later.
    temporary: bool,
    /// Whether documents have to link to new archive pages.
    unannounced: bool,
}

/// Writes archive pages, then static sites, until all are written or a change has to be published first.
async fn write_the_rest(
    Writers { publisher, static_sites }: &Writers,
    changes: &mut watch::Receiver<(Arc<OutputSet>, u64)>,
    error_log: &mut ErrorLog,
) -> Rest {
    let output_set = Arc::clone(&changes.borrow().0);
    let mut rest = Rest::default();
    for output in &output_set.outputs {
        // An error means that the task has to end.
        while matches!(changes.has_changed(), Ok(false)) {
            match publisher.write_archive(output).await {
                Ok(ArchiveState::Unfinished) => {}
                Ok(state) => {
                    rest.unannounced |= state == ArchiveState::Unannounced;
                    break;
                }
                Err(error) => {
                    rest.temporary |= error_log.log(&output.id, error);
                    break;
                }
            }
        }
    }
    for output in &output_set.outputs {
        while matches!(changes.has_changed(), Ok(false)) {
            match static_sites.write(output).await {
                Ok(step) if step.is_complete => break,
                Ok(_) => {}
                Err(error) => {
                    rest.temporary |= error_log.log(&output.id, error);
                    break;
                }
            }
        }
    }
    rest
}

/// The condition of a file that could not be written; `None`: another error.
pub(super) fn unwritten_problem(error: &outputs::Error) -> Option<Problem> {
    let outputs::Error::Write { .. } = error else { return None };
    let is_full = error.code() == Problem::OutputDiskFull.slug();
    Some(if is_full { Problem::OutputDiskFull } else { Problem::OutputUnwritable })
}

/// Logs publication errors. The same error of a document is logged at most once in [`LOG_AGAIN`].
struct ErrorLog {
    clock: Clock,
    store_failures: StoreFailures,
    readiness: Readiness,
    /// Why a file could not be written since the last publication began; `None`: all were written.
    unwritten: Option<Problem>,
    /// The last error of each document and the time when it was logged.
    logged: HashMap<String, (String, Duration)>,
}

impl ErrorLog {
    /// Reports whether all files of the outputs are written.
    fn report(&self) {
        for problem in [Problem::OutputUnwritable, Problem::OutputDiskFull] {
            match self.unwritten == Some(problem) {
                true => self.readiness.add(problem),
                false => self.readiness.remove(problem),
            }
        }
    }

    /// Logs an error. Returns whether it may be temporary.
    fn log(&mut self, output: &str, error: outputs::Error) -> bool {
        let event = match error {
            outputs::Error::Store(error) => {
                // The main loop ends on a permanent failure.
                let _ = self.store_failures.record(error);
                return true;
            }
            outputs::Error::Write { .. } => Event::OutputWriteFailed,
            outputs::Error::Check { .. } | outputs::Error::Panicked(_) => Event::OutputRejected,
        };
        self.unwritten = self.unwritten.or(unwritten_problem(&error));
        let (text, now) = (error.to_string(), self.clock.elapsed());
        let is_repeated = self
            .logged
            .get(output)
            .is_some_and(|(last, at)| *last == text && now.saturating_sub(*at) < LOG_AGAIN);
        if !is_repeated {
            let help = error.help().unwrap_or_default();
            error!(
                event = event.slug(),
                code = error.code(),
                output,
                text,
                help = &*help,
                "output not published"
            );
            self.logged.insert(output.to_owned(), (text, now));
        }
        event == Event::OutputWriteFailed
    }
}

/// Returns after [`QUIET`] without changes, at the latest after [`MAX_DELAY`].
async fn wait_for_pause(changes: &mut watch::Receiver<(Arc<OutputSet>, u64)>, clock: &Clock) {
    let last = clock.elapsed() + MAX_DELAY;
    loop {
        let quiet = (clock.elapsed() + QUIET).min(last);
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = clock.sleep_until(quiet) => return,
        }
        if clock.elapsed() >= last {
            return;
        }
    }
}

/// Returns when the second of the last publication is over. `Last-Modified`, and the dates of files as web servers compare
/// them, have whole seconds: two documents with the same date would be one to a client.
async fn wait_for_second<T>(changes: &mut watch::Receiver<T>, clock: &Clock, last_second: i64) {
    let now = clock.now();
    if last_second != now.as_second() {
        return;
    }
    let passed = Duration::from_nanos(u64::from(now.subsec_nanosecond().unsigned_abs()));
    let end = clock.elapsed() + Duration::from_secs(1).saturating_sub(passed);
    loop {
        tokio::select! {
            // The daemon stops: no later publication has the same date.
            changed = changes.changed() => if changed.is_err() { return },
            () = clock.sleep_until(end) => return,
        }
    }
}

/// Time after which a failed match is tried again.
const MATCH_RETRY: Duration = Duration::from_secs(5);

/// Longest time for which pending items are matched when the daemon stops. The next start continues.
const FINISH: Duration = Duration::from_secs(2);

/// Handle of the task. The task ends with [`Matching::stop`] or on drop.
#[derive(Debug)]
pub(crate) struct Matching {
    task: JoinHandle<()>,
    /// Wakes the task: another process may have made items pending.
    wake: Arc<Notify>,
    /// Closed to end the task when it has published what it matched.
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Matching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Matching {
    /// Starts the task; it uses `trigger` after each batch that it matched.
    pub(crate) fn start(engine: &Engine, trigger: Option<PublishTrigger>) -> Self {
        let wake = Arc::new(Notify::new());
        let stage = Stage {
            matcher: engine.matcher().clone(),
            clock: engine.clock().clone(),
            store_failures: engine.store_failures().clone(),
            trigger,
            wake: Arc::clone(&wake),
        };
        let pending = engine.store().pending();
        let (stop, stopped) = oneshot::channel();
        Self { task: tokio::spawn(stage.run(pending, stopped)), wake, stop: Some(stop) }
    }

    /// Looks for pending items that another process wrote.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the task after the batch that is under way: what it matched has to be published. Other pending items are
    /// matched by the next call of the matcher.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }

    /// Ends the task and matches the items of the last polls, for a few seconds at most. Returns their number.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn finish(self, engine: &Engine) -> Result<usize, store::Error> {
        self.stop().await;
        let (clock, mut all) = (engine.clock(), 0);
        let end = clock.elapsed() + FINISH;
        while clock.elapsed() < end {
            match engine.matcher().step().await? {
                0 => break,
                items => all += items,
            }
        }
        Ok(all)
    }
}

struct Stage {
    matcher: Matcher,
    clock: Clock,
    store_failures: StoreFailures,
    trigger: Option<PublishTrigger>,
    wake: Arc<Notify>,
}

impl Stage {
    async fn run(self, mut pending: watch::Receiver<u64>, mut stopped: oneshot::Receiver<()>) {
        loop {
            match self.matcher.step().await {
                Ok(0) => tokio::select! {
                    changed = pending.changed() => if changed.is_err() { return },
                    () = self.wake.notified() => {}
                    _ = &mut stopped => return,
                },
                Ok(_) => {
                    if let Some(trigger) = &self.trigger {
                        trigger.trigger();
                    }
                    if stopped.try_recv() == Err(TryRecvError::Closed) {
                        return;
                    }
                }
                Err(error) => {
                    // The main loop ends on a permanent failure.
                    let _ = self.store_failures.record(error);
                    tokio::select! {
                        () = self.clock.sleep_until(self.clock.elapsed() + MATCH_RETRY) => {}
                        _ = &mut stopped => return,
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn two_publications_are_never_in_the_same_second() {
        let clock = Clock::manual("2026-01-01T12:00:00.3Z".parse().unwrap());
        let (sender, mut changes) = watch::channel(0);
        let second = clock.now().as_second();
        assert!(wait_for_second(&mut changes, &clock, second - 1).now_or_never().is_some());
        {
            let mut wait = std::pin::pin!(wait_for_second(&mut changes, &clock, second));
            assert!(wait.as_mut().now_or_never().is_none());
            clock.advance(Duration::from_millis(600));
            sender.send_replace(1);
            assert!(wait.as_mut().now_or_never().is_none(), "another change does not shorten it");
            clock.advance(Duration::from_millis(100));
            wait.await;
        }
        // The daemon stops.
        let second = clock.now().as_second();
        drop(sender);
        wait_for_second(&mut changes, &clock, second).await;
    }
}
