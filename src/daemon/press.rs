//! Publishes when something changed, but not for each change: a burst of polls is one publication.
//!
//! A task of its own, so that a slow disk never holds up a poll.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::error;

use super::engine::Engine;
use super::setup::Edition;
use super::trouble::{AGAIN, Troubles};
use crate::clock::Clock;
use crate::outputs::{self, ArchiveState, Publisher};
use crate::telemetry::Event;

/// A publication waits until nothing has changed for so long,
const QUIET: Duration = Duration::from_millis(500);
/// but no longer than this.
const LONGEST: Duration = Duration::from_secs(1);
/// What could not be written is tried again after so long.
const RETRY: Duration = Duration::from_secs(30);

/// The task that publishes.
#[derive(Debug)]
pub(crate) struct Press {
    /// What is published, and how often it changed; closing it ends the task after a last publication.
    changes: watch::Sender<(Arc<Edition>, u64)>,
    task: JoinHandle<()>,
}

/// Says that there is something to publish.
#[derive(Debug, Clone)]
pub(crate) struct Nudge(watch::Sender<(Arc<Edition>, u64)>);

impl Nudge {
    pub(crate) fn nudge(&self) {
        self.0.send_modify(|(_, count)| *count += 1);
    }
}

impl Press {
    /// Starts the task.
    pub(crate) fn start(engine: &Engine) -> Self {
        let (changes, seen) = watch::channel((Arc::clone(&engine.setup().edition), 0));
        let (clock, troubles) = (engine.clock().clone(), engine.troubles().clone());
        let grumble = Grumble { clock, troubles, told: HashMap::new() };
        let task = tokio::spawn(work(engine.publisher().clone(), seen, grumble));
        Self { changes, task }
    }

    /// There is something to publish.
    pub(crate) fn nudge(&self) {
        self.nudger().nudge();
    }

    /// For a task that knows when there is something to publish.
    pub(crate) fn nudger(&self) -> Nudge {
        Nudge(self.changes.clone())
    }

    /// Something else is to be published from now on.
    pub(crate) fn renew(&self, edition: Arc<Edition>) {
        self.changes.send_modify(|(current, count)| (*current, *count) = (edition, *count + 1));
    }

    /// Publishes what is waiting to be, and ends.
    pub(crate) async fn finish(self) {
        drop(self.changes);
        let _ = self.task.await;
    }
}

async fn work(
    publisher: Publisher,
    mut changes: watch::Receiver<(Arc<Edition>, u64)>,
    mut grumble: Grumble,
) {
    let clock = grumble.clock.clone();
    let mut again = None;
    loop {
        // After the documents that clients poll, and never before them.
        if write_archives(&publisher, &mut changes, &mut grumble).await {
            again = again.or(Some(clock.elapsed() + RETRY));
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = clock.sleep_until(again.unwrap_or_default()), if again.is_some() => {}
        }
        settle(&mut changes, &clock).await;
        let edition = Arc::clone(&changes.borrow_and_update().0);
        publisher.keep_only(&edition.outputs);
        let mut may_pass = false;
        for output in &edition.outputs {
            if let Err(error) = publisher.publish(output).await {
                may_pass |= grumble.about(&output.id, error);
            }
        }
        // A feed may have told its title.
        if let Err(error) = publisher.list(&edition.outputs, &edition.hidden).await {
            may_pass |= grumble.about("subscriptions.opml", error);
        }
        again = may_pass.then(|| clock.elapsed() + RETRY);
    }
}

/// Writes archive pages until all are in their directories, or there is something to publish first.
/// Returns whether something that could not be written may be written later.
async fn write_archives(
    publisher: &Publisher,
    changes: &mut watch::Receiver<(Arc<Edition>, u64)>,
    grumble: &mut Grumble,
) -> bool {
    let edition = Arc::clone(&changes.borrow().0);
    let mut may_pass = false;
    for output in &edition.outputs {
        // Also an error: then the task is to end.
        while matches!(changes.has_changed(), Ok(false)) {
            match publisher.write_archive(output).await {
                Ok(ArchiveState::Unfinished) => {}
                Ok(ArchiveState::Complete) => break,
                Err(error) => {
                    may_pass |= grumble.about(&output.id, error);
                    break;
                }
            }
        }
    }
    may_pass
}

/// Tells what could not be published, and what lasts not too often.
struct Grumble {
    clock: Clock,
    troubles: Troubles,
    /// What was told of each document last, and when.
    told: HashMap<String, (String, Duration)>,
}

impl Grumble {
    /// Tells it; whether it may pass when it is tried again.
    fn about(&mut self, output: &str, error: outputs::Error) -> bool {
        let event = match error {
            outputs::Error::Store(error) => {
                // What does not pass ends the loop, which asks for it.
                let _ = self.troubles.met(error);
                return true;
            }
            outputs::Error::Write { .. } => Event::OutputWriteFailed,
            outputs::Error::Check { .. } | outputs::Error::Panicked(_) => Event::OutputRejected,
        };
        let (text, now) = (error.to_string(), self.clock.elapsed());
        let lasts = self
            .told
            .get(output)
            .is_some_and(|(said, at)| *said == text && now.saturating_sub(*at) < AGAIN);
        if !lasts {
            error!(event = event.slug(), output, "{output}: {text}");
            self.told.insert(output.to_owned(), (text, now));
        }
        event == Event::OutputWriteFailed
    }
}

/// Returns once the changes have paused, or have gone on for long enough.
async fn settle(changes: &mut watch::Receiver<(Arc<Edition>, u64)>, clock: &Clock) {
    let last = clock.elapsed() + LONGEST;
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
