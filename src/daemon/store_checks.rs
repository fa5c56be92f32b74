//! Checks of the database in the background: its structure after an unclean stop, and all of it once a week, one
//! table an hour.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use tracing::{debug, error, info};

use super::engine::{Engine, Error};
use crate::store::{self, ErrorCause, Reader, Store, Write};
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
