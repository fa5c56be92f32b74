//! Publishes when something changed, but not for each change: a burst of polls is one publication.
//!
//! A task of its own, so that a slow disk never holds up a poll.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::error;

use super::engine::Engine;
use super::setup::Edition;
use crate::clock::Clock;
use crate::poll::Polled;
use crate::publication::Publisher;

/// A publication waits until nothing has changed for so long,
const QUIET: Duration = Duration::from_secs(1);
/// but no longer than this.
const LONGEST: Duration = Duration::from_secs(10);

/// The task that publishes.
#[derive(Debug)]
pub(crate) struct Press {
    /// What is published, and how often it changed; closing it ends the task after a last publication.
    changes: watch::Sender<(Arc<Edition>, u64)>,
    task: JoinHandle<()>,
}

impl Press {
    /// Starts the task.
    pub(crate) fn start(engine: &Engine) -> Self {
        let (changes, seen) = watch::channel((Arc::clone(&engine.setup().edition), 0));
        let task = tokio::spawn(work(engine.publisher().clone(), seen, engine.clock().clone()));
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
        self.changes.send_modify(|(_, count)| *count += 1);
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
    clock: Clock,
) {
    while changes.changed().await.is_ok() {
        settle(&mut changes, &clock).await;
        let edition = Arc::clone(&changes.borrow_and_update().0);
        publisher.keep_only(&edition.outputs);
        for output in &edition.outputs {
            if let Err(error) = publisher.publish(output).await {
                error!(output = output.id, "{}: {error}", output.id);
            }
        }
        // A feed may have told its title.
        if let Err(error) = publisher.list(&edition.outputs, &edition.hidden).await {
            error!("the list of feeds: {error}");
        }
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
