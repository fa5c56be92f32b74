//! The task of the stories stage: matches new items as soon as they are committed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use super::engine::Engine;
use super::publishing::PublishTrigger;
use super::store_failures::StoreFailures;
use crate::clock::Clock;
use crate::store;
use crate::stories::Matcher;

/// Time after which a failed match is tried again.
const RETRY: Duration = Duration::from_secs(5);

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
                        () = self.clock.sleep_until(self.clock.elapsed() + RETRY) => {}
                        _ = &mut stopped => return,
                    }
                }
            }
        }
    }
}
