//! How long an exchange waited for memory, which does not count for its time limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// The progress of one exchange. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Time of all waits for memory that have ended, and the start of the current one.
    waited: Duration,
    waiting_since: Option<Stopwatch>,
}

/// A wait for memory that lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Progress);

impl Progress {
    /// Begins a wait for memory.
    pub(crate) fn start_wait(&self) -> Waiting {
        self.state().waiting_since = Some(Stopwatch::start());
        Waiting(self.clone())
    }

    /// Time that the exchange waited for memory, which does not count as time of the server.
    pub(crate) fn waited(&self) -> Duration {
        let state = self.state();
        state.waited + state.waiting_since.map_or(Duration::ZERO, Stopwatch::elapsed)
    }

    // Every change is complete, so that a poisoned lock can be used.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Some(since) = state.waiting_since.take() {
            state.waited += since.elapsed();
        }
    }
}
