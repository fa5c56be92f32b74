//! What is done while the database cannot be written to: nothing is polled, what was published is
//! served on, it is told once in ten minutes, and writing is tried again until it works.
//!
//! Decides what passes and what ends the daemon; leaves the kinds of fault to `store`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{error, info};

use crate::clock::Clock;
use crate::store::{self, ErrorCause};
use crate::telemetry::{Event, Problem, Readiness};

/// What lasts is told again after so long.
pub(crate) const AGAIN: Duration = Duration::from_secs(10 * 60);

/// The troubles of one process; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Troubles {
    clock: Clock,
    readiness: Readiness,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What is wrong now, and whether that was told.
    now: Option<(ErrorCause, Told)>,
    /// When each fault was last told, on the monotonic scale.
    told_at: HashMap<ErrorCause, Duration>,
    /// What newswire cannot go on after, met by a task that cannot end it.
    fatal: Option<store::Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

impl Troubles {
    /// None yet.
    pub(crate) fn new(clock: Clock, readiness: Readiness) -> Self {
        Self { clock, readiness, state: Arc::default() }
    }

    /// The store failed.
    ///
    /// # Errors
    /// When that does not pass by itself: newswire cannot go on.
    pub(crate) fn met(&self, error: store::Error) -> Result<(), store::Error> {
        let (fault, now, mut state) = (error.cause(), self.clock.elapsed(), self.state());
        if !fault.may_pass() {
            state.fatal = Some(error.clone());
            return Err(error);
        }
        let again = state.told_at.get(&fault).is_some_and(|at| now.saturating_sub(*at) < AGAIN);
        let told = if again { Told::No } else { Told::Yes };
        if told == Told::Yes {
            state.told_at.insert(fault, now);
            error!(event = Event::StoreFailing.slug(), code = fault.slug(), "{error}");
        }
        if fault != ErrorCause::Bug {
            // Told once, it has been told for as long as it lasts.
            let before = state.now.map_or(Told::No, |(_, told)| told);
            let told = if before == Told::Yes { before } else { told };
            state.now = Some((fault, told));
            self.readiness.add(as_seen(fault));
        }
        Ok(())
    }

    /// It can be written to.
    pub(crate) fn over(&self) {
        if let Some((_, told)) = self.state().now.take() {
            for trouble in [Problem::StoreFull, Problem::StoreReadonly, Problem::StoreFailing] {
                self.readiness.remove(trouble);
            }
            if told == Told::Yes {
                let event = Event::StoreRecovered.slug();
                info!(event, "the database can be written to again: newswire goes on");
            }
        }
    }

    /// What is wrong now.
    ///
    /// # Errors
    /// When something was met that newswire cannot go on after.
    pub(crate) fn now(&self) -> Result<Option<ErrorCause>, store::Error> {
        let state = self.state();
        match &state.fatal {
            Some(error) => Err(error.clone()),
            None => Ok(state.now.map(|(fault, _)| fault)),
        }
    }

    // A panic cannot leave it half changed, so a poisoned lock is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The trouble's name for whoever asks whether newswire is ready.
fn as_seen(fault: ErrorCause) -> Problem {
    match fault {
        ErrorCause::Full => Problem::StoreFull,
        ErrorCause::ReadOnly => Problem::StoreReadonly,
        _ => Problem::StoreFailing,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn troubles() -> (Clock, Readiness, Troubles) {
        let (clock, readiness) = (Clock::manual(Timestamp::UNIX_EPOCH), Readiness::default());
        readiness.remove(Problem::NotPolledYet);
        (clock.clone(), readiness.clone(), Troubles::new(clock, readiness))
    }

    fn failed(fault: ErrorCause) -> store::Error {
        store::Error::Sqlite(fault, "a test".to_owned())
    }

    #[test]
    fn a_full_disk_passes_and_is_seen_until_it_does() {
        let (_, readiness, troubles) = troubles();
        troubles.met(failed(ErrorCause::Full)).unwrap();
        assert_eq!(troubles.now().unwrap(), Some(ErrorCause::Full));
        assert_eq!(readiness.problems(), [Problem::StoreFull]);
        troubles.over();
        assert_eq!(troubles.now().unwrap(), None);
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn a_failed_disk_and_a_broken_file_do_not_pass_whoever_met_them() {
        for fault in [ErrorCause::Io, ErrorCause::Corrupt, ErrorCause::WriterStopped] {
            let (_, _, troubles) = troubles();
            let met = troubles.met(failed(fault)).unwrap_err();
            assert_eq!(met.cause(), fault);
            assert_eq!(troubles.now().unwrap_err().cause(), fault);
        }
    }

    #[test]
    fn one_statement_that_fails_stops_nothing_else() {
        let (_, readiness, troubles) = troubles();
        troubles.met(failed(ErrorCause::Bug)).unwrap();
        assert_eq!(troubles.now().unwrap(), None);
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn what_lasts_is_told_once_in_ten_minutes_however_often_it_comes_and_goes() {
        let (clock, _, troubles) = troubles();
        let told = || troubles.state().told_at[&ErrorCause::Full];
        troubles.met(failed(ErrorCause::Full)).unwrap();
        for _ in 0..119 {
            clock.advance(Duration::from_secs(5));
            troubles.met(failed(ErrorCause::Full)).unwrap();
            assert_eq!(told(), Duration::ZERO);
            assert_eq!(troubles.state().now, Some((ErrorCause::Full, Told::Yes)));
        }
        troubles.over();
        troubles.met(failed(ErrorCause::Full)).unwrap();
        assert_eq!(
            troubles.state().now,
            Some((ErrorCause::Full, Told::No)),
            "and no word of its end"
        );
        clock.advance(Duration::from_secs(5));
        troubles.met(failed(ErrorCause::Full)).unwrap();
        assert_eq!(told(), AGAIN);
    }

    #[test]
    fn what_was_told_of_one_fault_hides_no_other() {
        let (clock, _, troubles) = troubles();
        troubles.met(failed(ErrorCause::Bug)).unwrap();
        clock.advance(Duration::from_secs(5));
        troubles.met(failed(ErrorCause::Full)).unwrap();
        assert_eq!(troubles.state().now, Some((ErrorCause::Full, Told::Yes)));
        assert_eq!(troubles.state().told_at[&ErrorCause::Full], Duration::from_secs(5));
    }
}
