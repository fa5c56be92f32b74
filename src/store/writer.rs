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
/// Where there is no transaction to work in, it is told why. Answers how the work ended, too.
type Job = Box<dyn FnOnce(Result<&Connection, Error>) -> (Result<(), Error>, Answer) + Send>;
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
            let ended = result.as_ref().map(drop).map_err(Clone::clone);
            let answer = move |committed: Result<(), Error>| {
                // The asker may have gone; the work is done all the same.
                let _ = answer.send(committed.and(result));
            };
            (ended, Box::new(answer))
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
    match (result, connection.execute_batch(end)) {
        // Where SQLite has undone the whole transaction, there is no savepoint any more.
        (Err(error), _) => Err(error),
        (Ok(_), Err(error)) => Err(error.into()),
        (Ok(value), Ok(())) => Ok(value),
    }
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

/// Nobody waits in turn for a database that cannot be written to: all are told at once.
fn refuse(first: Job, waiting: &mut mpsc::Receiver<Job>, why: &Error) {
    let mut next = Some(first);
    while let Some(job) = next {
        let (_, answer) = job(Err(why.clone()));
        answer(Ok(()));
        next = waiting.try_recv().ok();
    }
}

/// Does one job and whatever waits behind it; what ended the transaction before its time, if
/// anything did.
fn group(
    connection: &Connection,
    first: Job,
    waiting: &mut mpsc::Receiver<Job>,
    clock: &Clock,
) -> (Result<(), Error>, Vec<Answer>) {
    let begun = clock.elapsed();
    let (mut answers, mut next) = (Vec::new(), Some(first));
    while let Some(job) = next {
        let (ended, answer) = job(Ok(connection));
        answers.push(answer);
        // A disk that is full or fails undoes more than the statement that met it.
        if connection.is_autocommit() {
            return (ended, answers);
        }
        let more = answers.len() < GROUP && clock.elapsed().saturating_sub(begun) < GROUP_TIME;
        next = if more { waiting.try_recv().ok() } else { None };
    }
    (Ok(()), answers)
}

/// The thread: waits for one job, takes along whatever waits behind it, commits, answers.
fn run(connection: &Connection, mut waiting: mpsc::Receiver<Job>, clock: &Clock) {
    while let Some(first) = waiting.blocking_recv() {
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            refuse(first, &mut waiting, &error.into());
            continue;
        }
        let (done, answers) = group(connection, first, &mut waiting, clock);
        let caught_up = done.and_then(|()| search::catch_up(connection));
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use jiff::Timestamp;

    use super::super::open;
    use super::*;

    fn start(connection: Connection) -> Writer {
        Writer::start(connection, Clock::manual(Timestamp::UNIX_EPOCH)).unwrap()
    }

    fn fault(ended: Result<usize, Error>) -> Result<usize, Fault> {
        ended.map_err(|error| error.fault())
    }

    #[tokio::test]
    async fn a_full_disk_ends_the_whole_group_is_told_as_such_and_keeps_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let connection = open::writer(&path).unwrap();
        connection.execute_batch("CREATE TABLE filling (bytes BLOB)").unwrap();
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
        let writer = start(connection);
        let (go, wait) = channel();
        let put = |bytes: usize| {
            writer.write(move |connection| {
                let sql = "INSERT INTO filling VALUES (zeroblob(?1))";
                Ok(connection.execute(sql, [bytes as i64])?)
            })
        };
        let held = writer.write(move |connection| {
            let _ = wait.recv();
            Ok(connection.execute("INSERT INTO filling VALUES ('')", [])?)
        });
        let (one, two, three, ()) =
            tokio::join!(held, put(1 << 20), put(1), async { go.send(()).unwrap() });
        assert_eq!(fault(one), Err(Fault::Full));
        assert_eq!(fault(two), Err(Fault::Full));
        assert_eq!(fault(three), Ok(1), "it is in a group of its own");
        let kept = Connection::open(&path).unwrap();
        let kept = kept.query_row("SELECT count(*) FROM filling", [], |row| row.get::<_, i64>(0));
        assert_eq!(kept.unwrap(), 1);
    }

    /// How often SQLite met the lock.
    static MET: AtomicUsize = AtomicUsize::new(0);
    /// Everybody waits.
    static WAITING: AtomicBool = AtomicBool::new(false);

    fn give_up(_: i32) -> bool {
        MET.fetch_add(1, Ordering::SeqCst);
        while !WAITING.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        false
    }

    #[tokio::test]
    async fn all_who_wait_for_a_database_that_is_locked_are_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let mut connection = open::writer(&path).unwrap();
        connection.busy_handler(Some(give_up)).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writer = start(connection);
        let touch = || writer.write(|connection| open::touch(connection).map(|()| 0));
        let (one, two, three, ()) = tokio::join!(touch(), touch(), touch(), async {
            WAITING.store(true, Ordering::SeqCst);
        });
        for told in [one, two, three] {
            assert_eq!(fault(told), Err(Fault::Busy));
        }
        assert_eq!(MET.load(Ordering::SeqCst), 1, "the lock was waited for again");
        other.execute_batch("COMMIT").unwrap();
        // This handler waits for nobody, and SQLite may hold the lock for a moment more.
        let mut after = fault(touch().await);
        for _ in 0..100 {
            if after == Ok(0) {
                break;
            }
            std::thread::yield_now();
            after = fault(touch().await);
        }
        assert_eq!(after, Ok(0));
    }
}
