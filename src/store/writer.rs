//! The one writer thread: group commit. Leaves what is written to `write`.

use std::fs::File;
use std::io::Write as _;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::error::{Error, ErrorCause};
use super::open;
use super::transaction::Transaction;
use super::write::{Applied, Write};
use crate::clock::Clock;

/// At most this many commands share one commit.
const GROUP: usize = 256;
/// A commit is not put off longer than this for more commands to join.
const GROUP_TIME: Duration = Duration::from_millis(50);

/// Receives how a command ended, once that is durable.
type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// What the thread is asked for.
#[derive(Debug)]
enum Command {
    Write(Box<Write>, Answer<Applied>),
    /// Tries whether the database can be written to.
    Prove(Answer<()>),
    /// A number that changes when another process wrote to the database.
    Version(Answer<i64>),
}

/// A command that is done, as far as it can be before the commit.
enum Done {
    Write(Box<Write>, Result<Applied, Error>, Answer<Applied>),
    Prove(Result<(), Error>, Answer<()>),
    Version(Result<i64, Error>, Answer<i64>),
}

/// What the thread works with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    /// Counts the commits after which items may be pending.
    pub(crate) pending: watch::Sender<u64>,
    /// Gets every write that was committed, one line of JSON each.
    pub(crate) log: Option<File>,
}

/// The way to the writer thread; dropping it lets the thread finish what waits and end.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(desk: Desk) -> std::io::Result<Self> {
        let (commands, waiting) = mpsc::channel(GROUP);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(desk, waiting))?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Applies a write in a savepoint of the next transaction; returns once it is durable.
    ///
    /// # Errors
    /// When the write fails (it alone is undone), the commit fails (the whole group is undone), or
    /// the thread has ended.
    pub(crate) async fn write(&self, write: Write) -> Result<Applied, Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Write(Box::new(write), answer), answered).await
    }

    /// Tries whether the database can be written to, durably; changes nothing.
    pub(crate) async fn prove(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Prove(answer), answered).await
    }

    /// A number that changes when another process wrote to the database.
    pub(crate) async fn version(&self) -> Result<i64, Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Version(answer), answered).await
    }

    async fn ask<T>(
        &self,
        command: Command,
        answered: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        let commands = self.commands.as_ref().ok_or(Error::Closed)?;
        commands.send(command).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Command {
    /// Does it, inside the open transaction.
    fn work(self, connection: &Connection) -> Done {
        match self {
            Self::Write(write, answer) => {
                let applied = in_savepoint(connection, &write);
                Done::Write(write, applied, answer)
            }
            Self::Prove(answer) => Done::Prove(open::touch(connection), answer),
            Self::Version(answer) => {
                // Asked of the writer's own connection, it counts the commits of others alone.
                let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0));
                Done::Version(version.map_err(Error::from), answer)
            }
        }
    }

    /// Ends it without a transaction to work in. The asker may have gone.
    fn refuse(self, why: Error) {
        match self {
            Self::Write(_, answer) => drop(answer.send(Err(why))),
            Self::Prove(answer) => drop(answer.send(Err(why))),
            Self::Version(answer) => drop(answer.send(Err(why))),
        }
    }
}

impl Done {
    fn result(&self) -> Result<(), Error> {
        match self {
            Self::Write(_, applied, _) => applied.as_ref().map(drop).map_err(Clone::clone),
            Self::Prove(proved, _) => proved.clone(),
            Self::Version(version, _) => version.as_ref().map(drop).map_err(Clone::clone),
        }
    }

    /// Answers, now that it is known how the commit ended. The asker may have gone; the work is done all the
    /// same.
    fn answer(self, committed: Result<(), Error>) {
        match self {
            Self::Write(_, applied, answer) => drop(answer.send(committed.and(applied))),
            Self::Prove(proved, answer) => drop(answer.send(committed.and(proved))),
            Self::Version(version, answer) => drop(answer.send(committed.and(version))),
        }
    }
}

/// Undoes a write alone when it fails, so that one bad update does not spoil its group.
fn in_savepoint(connection: &Connection, write: &Write) -> Result<Applied, Error> {
    connection.execute_batch("SAVEPOINT job")?;
    let result = Transaction::new(connection).apply_unindexed(write);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    match (result, connection.execute_batch(end)) {
        // Where SQLite has undone the whole transaction, there is no savepoint any more.
        (Err(error), _) => Err(error),
        (Ok(_), Err(error)) => Err(error.into()),
        (Ok(value), Ok(())) => Ok(value),
    }
}

/// Nothing of a group that could not be committed was promised.
fn undo(connection: &Connection, fault: ErrorCause) {
    // SQLite leaves the transaction open on a full disk.
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    if fault == ErrorCause::Full {
        // What the log holds is in the database then, and the log gives its room back.
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// While the database cannot be written to, commands do not wait for it in turn: all are answered at once.
fn refuse(first: Command, waiting: &mut mpsc::Receiver<Command>, why: &Error) {
    let mut next = Some(first);
    while let Some(command) = next {
        command.refuse(why.clone());
        next = waiting.try_recv().ok();
    }
}

/// Does one command and whatever waits behind it; what ended the transaction before its time, if
/// anything did.
fn group(
    desk: &Desk,
    first: Command,
    waiting: &mut mpsc::Receiver<Command>,
) -> (Result<(), Error>, Vec<Done>) {
    let begun = desk.clock.elapsed();
    let (mut group, mut next) = (Vec::new(), Some(first));
    while let Some(command) = next {
        let done = command.work(&desk.connection);
        let ended = done.result();
        group.push(done);
        // A disk that is full or fails undoes more than the statement that met it.
        if desk.connection.is_autocommit() {
            return (ended, group);
        }
        let more = group.len() < GROUP && desk.clock.elapsed().saturating_sub(begun) < GROUP_TIME;
        next = if more { waiting.try_recv().ok() } else { None };
    }
    (Ok(()), group)
}

/// What has to be done once for a whole group, and the commit.
fn commit(connection: &Connection, group: &[Done]) -> Result<(), Error> {
    for done in group {
        if let Done::Write(write, Ok(applied), _) = done {
            Transaction::new(connection).index(write, applied)?;
        }
    }
    Ok(connection.execute_batch("COMMIT")?)
}

/// Logs what was committed, and wakes the stories stage where items may be pending.
fn publish(desk: &mut Desk, group: &[Done]) {
    let mut marks = false;
    for done in group {
        let Done::Write(write, Ok(applied), _) = done else { continue };
        marks |= write.marks(applied);
        if let Some(log) = &mut desk.log
            && let Ok(line) = serde_json::to_string(write)
        {
            // A log is for tests and for looking into a database: it decides nothing.
            let _ = writeln!(log, "{line}");
        }
    }
    if marks {
        desk.pending.send_modify(|count| *count += 1);
    }
}

/// The thread: waits for one command, takes along whatever waits behind it, commits, answers.
fn run(mut desk: Desk, mut waiting: mpsc::Receiver<Command>) {
    while let Some(first) = waiting.blocking_recv() {
        if let Err(error) = desk.connection.execute_batch("BEGIN IMMEDIATE") {
            refuse(first, &mut waiting, &error.into());
            continue;
        }
        let (done, group) = group(&desk, first, &mut waiting);
        let committed = done.and_then(|()| commit(&desk.connection, &group));
        match &committed {
            Ok(()) => publish(&mut desk, &group),
            Err(error) => undo(&desk.connection, error.cause()),
        }
        for done in group {
            done.answer(committed.clone());
        }
    }
    // Leaves one file behind instead of three; fails harmlessly while a reader is open.
    let _ = desk.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;");
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;

    use super::*;

    /// Runs the thread on these writes, all of which wait when it starts; how each ended.
    fn ran(connection: Connection, sizes: &[usize]) -> Vec<Result<(), ErrorCause>> {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let desk = Desk { connection, clock, pending: watch::Sender::new(0), log: None };
        let (commands, waiting) = mpsc::channel(GROUP);
        let answers: Vec<_> = sizes
            .iter()
            .map(|size| {
                let (answer, answered) = oneshot::channel();
                let write = Write::Weights { at: Timestamp::UNIX_EPOCH, learnt: vec![7; *size] };
                commands.try_send(Command::Write(Box::new(write), answer)).unwrap();
                answered
            })
            .collect();
        drop(commands);
        run(desk, waiting);
        let ended = answers.into_iter().map(|answered| answered.blocking_recv().unwrap());
        ended.map(|ended| ended.map(drop).map_err(|error| error.cause())).collect()
    }

    fn kept(path: &Path) -> Option<i64> {
        let connection = Connection::open(path).unwrap();
        connection
            .query_row("SELECT length(data) FROM word_weight", [], |row| row.get::<_, i64>(0))
            .ok()
    }

    #[test]
    fn a_full_disk_ends_the_whole_group_is_told_as_such_and_keeps_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let connection = open::writer(&path).unwrap();
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
        let ended = ran(connection, &[1, 1 << 20, 2]);
        assert_eq!(
            ended,
            [Err(ErrorCause::Full), Err(ErrorCause::Full), Ok(())],
            "the last has its own group"
        );
        assert_eq!(kept(&path), Some(2));
    }

    /// How often SQLite met the lock.
    static MET: AtomicUsize = AtomicUsize::new(0);

    fn give_up(_: i32) -> bool {
        MET.fetch_add(1, Ordering::SeqCst);
        false
    }

    #[test]
    fn all_who_wait_for_a_database_that_is_locked_are_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let mut connection = open::writer(&path).unwrap();
        connection.busy_handler(Some(give_up)).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let ended = ran(connection, &[1, 2, 3]);
        assert_eq!(ended, [Err(ErrorCause::Busy); 3]);
        // The two statements at the thread's end meet it as well.
        assert_eq!(MET.load(Ordering::SeqCst), 1 + 2, "the lock was waited for again");
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(kept(&path), None);
    }
}
