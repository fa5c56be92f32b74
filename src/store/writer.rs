//! The one writer thread: group commit. Leaves what is written to the verbs that send it work.

use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::{Error, Fault};
use super::search;
use crate::clock::Clock;

/// At most so many updates share one commit.
const GROUP: usize = 256;
/// A commit is not put off longer than this for more updates to join.
const GROUP_TIME: Duration = Duration::from_millis(50);

/// Does the work inside the open transaction, and returns what to do once the commit is durable.
/// Where there is no transaction to work in, it is told why.
type Job = Box<dyn FnOnce(Result<&Connection, Error>) -> Answer + Send>;
/// Told how the commit ended.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// The way to the writer thread; dropping it lets the thread finish what waits and end.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(connection: Connection, clock: Clock) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(GROUP);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(&connection, waiting, &clock))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a savepoint of the next transaction; returns once it is durable.
    ///
    /// # Errors
    /// When the work fails (it alone is undone), the commit fails (the whole group is undone), or
    /// the thread has ended.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |open| {
            let result = open.and_then(|connection| in_savepoint(connection, work));
            Box::new(move |committed| {
                // The asker may have gone; the work is done all the same.
                let _ = answer.send(committed.and(result));
            })
        });
        let jobs = self.jobs.as_ref().ok_or(Error::Closed)?;
        jobs.send(job).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Undoes `work` alone when it fails, so that one bad update does not spoil its group.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    connection.execute_batch("SAVEPOINT job")?;
    let result = work(connection);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end)?;
    result
}

/// Nothing of a group that could not be committed was promised.
fn undo(connection: &Connection, fault: Fault) {
    // SQLite leaves the transaction open on a full disk.
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    if fault == Fault::Full {
        // What the log holds is in the database then, and the log gives its room back.
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// The thread: waits for one job, takes along whatever waits behind it, commits, answers.
fn run(connection: &Connection, mut waiting: mpsc::Receiver<Job>, clock: &Clock) {
    while let Some(first) = waiting.blocking_recv() {
        let begun = clock.elapsed();
        let mut answers = Vec::new();
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            first(Err(error.into()))(Ok(()));
            continue;
        }
        answers.push(first(Ok(connection)));
        while answers.len() < GROUP && clock.elapsed().saturating_sub(begun) < GROUP_TIME {
            let Ok(job) = waiting.try_recv() else { break };
            answers.push(job(Ok(connection)));
        }
        let caught_up = search::catch_up(connection);
        let committed = caught_up.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
        if let Err(error) = &committed {
            undo(connection, error.fault());
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
    // Leaves one file behind instead of three; fails harmlessly while a reader is open.
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;");
}
