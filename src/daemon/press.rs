//! Publishes when something changed, but not for each change: a burst of polls is one publication.
//!
//! A task of its own, so that a slow disk never holds up a poll.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::error;

use super::engine::Engine;
use crate::clock::Clock;
use crate::poll::Polled;
use crate::publication::Publisher;
use crate::publish::Output;

/// A publication waits until nothing has changed for so long,
const QUIET: Duration = Duration::from_secs(1);
/// but no longer than this.
const LONGEST: Duration = Duration::from_secs(10);

/// The task that publishes.
#[derive(Debug)]
pub(crate) struct Press {
    /// Counts the changes; closing it ends the task after a last publication.
    changes: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Press {
    /// Starts the task.
    pub(crate) fn start(engine: &Engine) -> Self {
        let (changes, seen) = watch::channel(0);
        let (publisher, outputs) = (engine.publisher().clone(), engine.outputs().to_vec());
        let task = tokio::spawn(work(publisher, outputs, seen, engine.clock().clone()));
        Self { changes, task }
    }

    /// A poll ended; there is something to publish if it changed something.
    pub(crate) fn count(&self, polled: &Polled) {
        if polled.recorded.new + polled.recorded.changed > 0 {
            self.nudge();
        }
    }

    /// There is something to publish.
    pub(crate) fn nudge(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Publishes what is waiting to be, and ends.
    pub(crate) async fn finish(self) {
        drop(self.changes);
        let _ = self.task.await;
    }
}

async fn work(
    publisher: Publisher,
    outputs: Vec<Arc<Output>>,
    mut changes: watch::Receiver<u64>,
    clock: Clock,
) {
    while changes.changed().await.is_ok() {
        settle(&mut changes, &clock).await;
        for output in &outputs {
            if let Err(error) = publisher.publish(output).await {
                error!(output = output.id, "{}: {error}", output.id);
            }
        }
        // A feed may have told its title.
        if let Err(error) = publisher.list(&outputs).await {
            error!("the list of feeds: {error}");
        }
    }
}

/// Returns once the changes have paused, or have gone on for long enough.
async fn settle(changes: &mut watch::Receiver<u64>, clock: &Clock) {
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
