//! The task of the stories stage: matches what polls brought as soon as it is committed.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::engine::Engine;
use super::press::Nudge;
use super::trouble::Troubles;
use crate::clock::Clock;
use crate::stories::Matcher;

/// What could not be written is tried again after this.
const RETRY: Duration = Duration::from_secs(5);

/// The task; it ends with [`Matching::stop`], or when this is dropped.
#[derive(Debug)]
pub(crate) struct Matching(JoinHandle<()>);

impl Drop for Matching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Matching {
    /// Starts the task; `nudge` hears of what may be shown.
    pub(crate) fn start(engine: &Engine, nudge: Option<Nudge>) -> Self {
        let stage = Stage {
            matcher: engine.matcher().clone(),
            clock: engine.clock().clone(),
            troubles: engine.troubles().clone(),
            nudge,
        };
        let pending = engine.store().pending();
        Self(tokio::spawn(stage.run(pending)))
    }

    /// Ends the task. What is still pending is matched by the next call of the matcher.
    pub(crate) async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

struct Stage {
    matcher: Matcher,
    clock: Clock,
    troubles: Troubles,
    nudge: Option<Nudge>,
}

impl Stage {
    async fn run(self, mut pending: tokio::sync::watch::Receiver<u64>) {
        loop {
            match self.matcher.catch_up().await {
                Ok(0) => {}
                Ok(_) => {
                    if let Some(nudge) = &self.nudge {
                        nudge.nudge();
                    }
                }
                Err(error) => {
                    // What does not pass ends the loop, which asks for it.
                    let _ = self.troubles.met(error);
                    self.clock.sleep_until(self.clock.elapsed() + RETRY).await;
                    continue;
                }
            }
            if pending.changed().await.is_err() {
                return;
            }
        }
    }
}
