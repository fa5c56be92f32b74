//! The budget of memory for the bodies of all feeds together.
//!
//! Each exchange may hold [`FREE`] bytes without a permit, which is enough for most feeds, so that ordinary feeds
//! never wait for large ones. A larger body takes permits while it is read and holds them until its items are
//! stored. Bodies that grow could wait for each other forever: when the budget is used up, one of them may exceed
//! it, and the others wait until it is done. The time that an exchange waits for memory does not count for its time limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Stopwatch;

/// Size in bytes that needs no permit.
const FREE: u64 = 256 * 1024;
/// Size of one permit in bytes.
const STEP: u64 = 512 * 1024;
/// Number of permits of all bodies together: one body of the greatest size. More of them at a time need more memory and
/// no less time, because one large document is read at a time.
const PERMITS: u32 = 20;

/// The budget. Clones share the permits.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    permits: Arc<Semaphore>,
    /// Held by the one body that may exceed the budget.
    beyond: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(PERMITS as usize)),
            beyond: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Budget {
    /// A reservation of no bytes. The time that it waits for permits is added to `progress`.
    pub(crate) fn reserve(&self, progress: Progress) -> Reservation {
        Reservation { budget: self.clone(), held: Vec::new(), covered: FREE, progress }
    }
}

/// Memory that is reserved for one body, until it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    held: Vec<OwnedSemaphorePermit>,
    /// Number of bytes that may be used.
    covered: u64,
    progress: Progress,
}

impl Reservation {
    /// Returns once `bytes` may be used.
    pub(crate) async fn grow(&mut self, bytes: u64) {
        while self.covered < bytes {
            let (permits, beyond) = (&self.budget.permits, &self.budget.beyond);
            if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
                self.add(permit, self.covered.saturating_add(STEP));
                continue;
            }
            let _waiting = self.progress.start_wait();
            tokio::select! {
                biased;
                // The semaphores are never closed.
                Ok(permit) = Arc::clone(permits).acquire_owned() => {
                    self.add(permit, self.covered.saturating_add(STEP));
                }
                Ok(permit) = Arc::clone(beyond).acquire_owned() => self.add(permit, u64::MAX),
                else => return,
            }
        }
    }

    fn add(&mut self, permit: OwnedSemaphorePermit, covered: u64) {
        self.held.push(permit);
        self.covered = covered;
    }
}

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
struct Waiting(Progress);

impl Progress {
    /// Begins a wait for memory.
    fn start_wait(&self) -> Waiting {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    const ALL: u64 = PERMITS as u64 * STEP + FREE;

    #[tokio::test]
    async fn small_bodies_never_wait() {
        let budget = Budget::default();
        let (mut large, mut larger) =
            (budget.reserve(Progress::default()), budget.reserve(Progress::default()));
        large.grow(ALL).await;
        larger.grow(ALL).await;
        for _ in 0..1_000 {
            let mut small = budget.reserve(Progress::default());
            assert!(small.grow(FREE).now_or_never().is_some());
        }
    }

    #[tokio::test]
    async fn one_body_may_exceed_the_budget_and_the_others_wait() {
        let budget = Budget::default();
        let mut all: Vec<Reservation> =
            (0..PERMITS).map(|_| budget.reserve(Progress::default())).collect();
        for each in &mut all {
            each.grow(FREE + STEP).await;
        }
        let mut last = all.pop().unwrap();
        // All of them grow: the first one continues, and its end lets the next one continue.
        last.grow(100 * STEP).await;
        let mut waiting = all.pop().unwrap();
        assert!(waiting.grow(FREE + 2 * STEP).now_or_never().is_none());
        drop(last);
        assert!(waiting.grow(FREE + 2 * STEP).now_or_never().is_some());
        drop((waiting, all));
        assert_eq!(budget.permits.available_permits(), PERMITS as usize);
        assert_eq!(budget.beyond.available_permits(), 1);
    }

    #[tokio::test]
    async fn waiting_for_memory_is_measured() {
        let budget = Budget::default();
        let progress = Progress::default();
        let reserve = || budget.reserve(Progress::default());
        let (mut first, mut second, mut third) =
            (reserve(), reserve(), budget.reserve(progress.clone()));
        first.grow(ALL).await;
        second.grow(ALL).await;
        assert_eq!(progress.waited(), Duration::ZERO);
        let mut growing = Box::pin(third.grow(FREE + 1));
        assert!((&mut growing).now_or_never().is_none());
        let before = progress.waited();
        while progress.waited() == before {
            tokio::task::yield_now().await;
        }
        drop(second);
        growing.await;
        let after = progress.waited();
        assert!(after > before);
        tokio::task::yield_now().await;
        assert_eq!(progress.waited(), after);
    }
}
