//! The database beside the main loop: queries, checks, and behaviour while it cannot be written.
//!
//! The checks run in the background: of its structure after an unclean stop, and of all of it once a week, one table an hour.
//!
//! While it cannot be written there are no polls, published documents are still served, the failure is logged once in ten
//! minutes, and writing is tried again. Temporary failures are distinguished from those that end the daemon. `store` defines
//! the kinds of failures.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tracing::{debug, error, info};

use super::engine::Engine;
use super::error::Error;
use crate::clock::Clock;
use crate::store::{self, ErrorCause, Reader, Store, Transaction, Write};
use crate::telemetry::{Event, Problem, Readiness};

/// Time between two complete checks.
const INTERVAL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The checks of one process.
#[derive(Debug)]
pub(crate) struct StoreChecks {
    /// Tables that the current check has not reached yet.
    left: Arc<Mutex<VecDeque<String>>>,
}

impl StoreChecks {
    /// Checks the structure of the database in the background if the last stop was unclean.
    pub(crate) fn start(engine: &Engine) -> Self {
        if engine.store().ended_uncleanly() {
            let (reader, readiness) = (engine.store().reader().clone(), engine.readiness().clone());
            tokio::task::spawn_blocking(move || {
                report(reader.check(|reader| reader.quick_check()), &readiness);
            });
        }
        Self { left: Arc::default() }
    }

    /// The same for a single pass, which waits for the result.
    ///
    /// # Errors
    /// When the database is damaged.
    pub(crate) async fn check_unclean(engine: &Engine) -> Result<(), Error> {
        if !engine.store().ended_uncleanly() {
            return Ok(());
        }
        let reader = engine.store().reader().clone();
        let checking =
            tokio::task::spawn_blocking(move || reader.check(|reader| reader.quick_check()));
        let found = checking.await.map_err(|_| store::Error::Closed)??.unwrap_or_default();
        if found.is_empty() { Ok(()) } else { Err(damaged(&found).into()) }
    }

    /// Checks the next table in the background, if the last complete check is a week ago. Called once an hour.
    pub(crate) fn next(&mut self, engine: &Engine) {
        let (store, readiness) = (Arc::clone(engine.store()), engine.readiness().clone());
        let (left, now) = (Arc::clone(&self.left), engine.clock().now());
        let check = move || {
            let reader = store.reader();
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if left.is_empty() {
                let checked_at = reader.read(|reader| reader.checked_at())?;
                if checked_at.is_some_and(|at| now.duration_since(at).abs() < INTERVAL) {
                    return Ok(None);
                }
                left.extend(reader.read(|reader| reader.tables())?);
            }
            let Some(table) = left.pop_front() else { return Ok(None) };
            let intact = check_table(reader, &table, &readiness);
            Ok::<_, store::Error>(Some(left.is_empty() && intact))
        };
        let store = Arc::clone(engine.store());
        tokio::spawn(async move {
            match tokio::task::spawn_blocking(check).await {
                Ok(Ok(Some(true))) => complete(&store, now).await,
                Ok(Err(error)) => debug!(%error, "database not checked"),
                _ => {}
            }
        });
    }
}

async fn complete(store: &Store, at: jiff::Timestamp) {
    match store.write(Write::Checked { at }).await {
        Ok(_) => info!("database checked, no damage found"),
        Err(error) => debug!(%error, "check of the database not recorded"),
    }
}

/// Returns whether the table is intact.
fn check_table(reader: &Reader, table: &str, readiness: &Readiness) -> bool {
    report(reader.check(|reader| reader.check_table(table)), readiness)
}

/// Reports damage. Returns true if the check is complete and found none.
fn report(found: Result<Option<Vec<String>>, store::Error>, readiness: &Readiness) -> bool {
    let error = match found {
        Ok(None) => return false,
        Ok(Some(found)) if found.is_empty() => return true,
        Ok(Some(found)) => damaged(&found),
        Err(error) => error,
    };
    let (event, cause) = (Event::StoreFailing.slug(), error.cause());
    error!(event, code = cause.slug(), text = %error, help = cause.remedy(), "database damaged");
    if matches!(cause, ErrorCause::Corrupt | ErrorCause::Damaged) {
        readiness.add(Problem::StoreDamaged);
    }
    false
}

fn damaged(found: &[String]) -> store::Error {
    store::Error::Sqlite(ErrorCause::Damaged, found.join("; "))
}

/// Time after which a lasting failure is logged again.
pub(crate) const LOG_AGAIN: Duration = Duration::from_secs(10 * 60);

/// The failures of the database in this process. Clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct StoreFailures {
    clock: Clock,
    readiness: Readiness,
    state: Arc<Mutex<State>>,
    database: Arc<Path>,
}

#[derive(Debug, Default)]
struct State {
    /// The current failure, and whether it was logged.
    current: Option<(ErrorCause, Logged)>,
    /// Time of the last log message by kind, on the monotonic clock.
    logged_at: HashMap<ErrorCause, Duration>,
    /// A permanent failure. The main loop ends because of it.
    fatal: Option<store::Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logged {
    Yes,
    No,
}

impl StoreFailures {
    /// The state without failures.
    pub(crate) fn new(clock: Clock, readiness: Readiness, database: &Path) -> Self {
        Self { clock, readiness, state: Arc::default(), database: database.into() }
    }

    /// Records a failure, and logs it unless the same kind was logged within [`LOG_AGAIN`].
    ///
    /// # Errors
    /// Returns a permanent failure.
    pub(crate) fn record(&self, error: store::Error) -> Result<(), store::Error> {
        let error = store::examined(&self.database, error);
        let (cause, now, mut state) = (error.cause(), self.clock.elapsed(), self.state());
        if !cause.may_pass() {
            state.fatal = Some(error.clone());
            return Err(error);
        }
        let is_recent =
            state.logged_at.get(&cause).is_some_and(|at| now.saturating_sub(*at) < LOG_AGAIN);
        let logged = if is_recent { Logged::No } else { Logged::Yes };
        if logged == Logged::Yes {
            state.logged_at.insert(cause, now);
            let (event, code) = (Event::StoreFailing.slug(), cause.slug());
            error!(event, code, text = %error, help = cause.remedy(), "database failing");
        }
        if cause == ErrorCause::Damaged {
            // Other feeds and outputs are not affected. Only a repair ends it.
            self.readiness.add(Problem::StoreDamaged);
        } else if cause != ErrorCause::Bug {
            // Logged once, it counts as logged until it ends.
            let before = state.current.map_or(Logged::No, |(_, logged)| logged);
            let logged = if before == Logged::Yes { before } else { logged };
            state.current = Some((cause, logged));
            self.readiness.add(problem_of(cause));
        }
        Ok(())
    }

    /// Records that the database can be written again.
    pub(crate) fn clear(&self) {
        if let Some((_, logged)) = self.state().current.take() {
            for problem in [Problem::StoreFull, Problem::StoreReadonly, Problem::StoreFailing] {
                self.readiness.remove(problem);
            }
            if logged == Logged::Yes {
                let event = Event::StoreRecovered.slug();
                info!(event, "database recovered");
            }
        }
    }

    /// The current temporary failure.
    ///
    /// # Errors
    /// Returns a permanent failure that was recorded before.
    pub(crate) fn current(&self) -> Result<Option<ErrorCause>, store::Error> {
        let state = self.state();
        match &state.fatal {
            Some(error) => Err(error.clone()),
            None => Ok(state.current.map(|(cause, _)| cause)),
        }
    }

    // Every change is complete, so that a poisoned lock can be used.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The problem that a failure is.
fn problem_of(cause: ErrorCause) -> Problem {
    match cause {
        ErrorCause::Full => Problem::StoreFull,
        ErrorCause::ReadOnly => Problem::StoreReadonly,
        _ => Problem::StoreFailing,
    }
}

/// Runs queries in one read transaction on a blocking thread.
///
/// # Errors
/// When the database fails, or the queries do.
pub(super) async fn read<T: Send + 'static>(
    reader: &Reader,
    queries: impl FnOnce(&Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
) -> Result<T, store::Error> {
    let reader = reader.clone();
    let work = move || reader.read(queries);
    tokio::task::spawn_blocking(work).await.map_err(|_| store::Error::Closed)?
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// A file that is not a database.
    const NO_DATABASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

    fn failures() -> (Clock, Readiness, StoreFailures) {
        let (clock, readiness) = (Clock::manual(Timestamp::UNIX_EPOCH), Readiness::default());
        readiness.remove(Problem::NotPolledYet);
        let failures = StoreFailures::new(clock.clone(), readiness.clone(), Path::new(NO_DATABASE));
        (clock, readiness, failures)
    }

    fn failed(cause: ErrorCause) -> store::Error {
        store::Error::Sqlite(cause, "a test".to_owned())
    }

    #[test]
    fn a_full_disk_is_a_temporary_failure() {
        let (_, readiness, failures) = failures();
        failures.record(failed(ErrorCause::Full)).unwrap();
        assert_eq!(failures.current().unwrap(), Some(ErrorCause::Full));
        assert_eq!(readiness.problems(), [Problem::StoreFull]);
        failures.clear();
        assert_eq!(failures.current().unwrap(), None);
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn a_failed_disk_and_a_damaged_file_are_permanent_failures() {
        for cause in [ErrorCause::Io, ErrorCause::Corrupt, ErrorCause::WriterStopped] {
            let (_, _, failures) = failures();
            let met = failures.record(failed(cause)).unwrap_err();
            assert_eq!(met.cause(), cause);
            assert_eq!(failures.current().unwrap_err().cause(), cause);
        }
    }

    #[test]
    fn a_failed_statement_is_no_lasting_failure() {
        let (_, readiness, failures) = failures();
        failures.record(failed(ErrorCause::Bug)).unwrap();
        assert_eq!(failures.current().unwrap(), None);
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn a_damaged_value_is_a_problem_that_does_not_stop_polls() {
        let (_, readiness, failures) = failures();
        failures.record(failed(ErrorCause::Damaged)).unwrap();
        assert_eq!(failures.current().unwrap(), None);
        failures.clear();
        assert_eq!(readiness.problems(), [Problem::StoreDamaged]);
    }

    #[test]
    fn a_lasting_failure_is_logged_once_in_ten_minutes() {
        let (clock, _, failures) = failures();
        let logged = || failures.state().logged_at[&ErrorCause::Full];
        failures.record(failed(ErrorCause::Full)).unwrap();
        for _ in 0..119 {
            clock.advance(Duration::from_secs(5));
            failures.record(failed(ErrorCause::Full)).unwrap();
            assert_eq!(logged(), Duration::ZERO);
            assert_eq!(failures.state().current, Some((ErrorCause::Full, Logged::Yes)));
        }
        failures.clear();
        failures.record(failed(ErrorCause::Full)).unwrap();
        assert_eq!(
            failures.state().current,
            Some((ErrorCause::Full, Logged::No)),
            "and its end is not logged"
        );
        clock.advance(Duration::from_secs(5));
        failures.record(failed(ErrorCause::Full)).unwrap();
        assert_eq!(logged(), LOG_AGAIN);
    }

    #[test]
    fn each_kind_of_failure_is_logged() {
        let (clock, _, failures) = failures();
        failures.record(failed(ErrorCause::Bug)).unwrap();
        clock.advance(Duration::from_secs(5));
        failures.record(failed(ErrorCause::Full)).unwrap();
        assert_eq!(failures.state().current, Some((ErrorCause::Full, Logged::Yes)));
        assert_eq!(failures.state().logged_at[&ErrorCause::Full], Duration::from_secs(5));
    }
}
