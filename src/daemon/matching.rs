//! The task of the stories stage: matches new items as soon as they are committed.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::engine::Engine;
use super::publishing::PublishTrigger;
use super::store_failures::StoreFailures;
use crate::clock::Clock;
use crate::stories::Matcher;

/// Time after which a failed match is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Handle of the task. The task ends with [`Matching::stop`] or on drop.
#[derive(Debug)]
pub(crate) struct Matching {
    task: JoinHandle<()>,
    /// Closed to end the task when it has published what it matched.
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Matching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Matching {
    /// Starts the task; it uses `trigger` after each match.
    pub(crate) fn start(engine: &Engine, trigger: Option<PublishTrigger>) -> Self {
        let stage = Stage {
            matcher: engine.matcher().clone(),
            clock: engine.clock().clone(),
            store_failures: engine.store_failures().clone(),
            trigger,
        };
        let pending = engine.store().pending();
        let (stop, stopped) = oneshot::channel();
        Self { task: tokio::spawn(stage.run(pending, stopped)), stop: Some(stop) }
    }

    /// Ends the task after a match that is under way: what it matched has to be published. Other pending items are
    /// matched by the next call of the matcher.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }
}

struct Stage {
    matcher: Matcher,
    clock: Clock,
    store_failures: StoreFailures,
    trigger: Option<PublishTrigger>,
}

impl Stage {
    async fn run(
        self,
        mut pending: tokio::sync::watch::Receiver<u64>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        loop {
            match self.matcher.catch_up().await {
                Ok(0) => {}
                Ok(_) => {
                    if let Some(trigger) = &self.trigger {
                        trigger.trigger();
                    }
                }
                Err(error) => {
                    // The main loop ends on a permanent failure.
                    let _ = self.store_failures.record(error);
                    tokio::select! {
                        () = self.clock.sleep_until(self.clock.elapsed() + RETRY) => continue,
                        _ = &mut stopped => return,
                    }
                }
            }
            tokio::select! {
                changed = pending.changed() => if changed.is_err() { return },
                _ = &mut stopped => return,
            }
        }
    }
}
