//! The writer thread: group commit. What is written is in `write`.

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
/// A commit waits at most this long for more commands to join it.
const GROUP_TIME: Duration = Duration::from_millis(50);

/// Receives the result of a command, once it is durable.
type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// A request to the thread.
#[derive(Debug)]
enum Command {
    Write(Box<Write>, Answer<Applied>),
    /// Checks that the database can be written to.
    CheckWritable(Answer<()>),
    /// Frees the pages that the connection keeps in memory.
    ReleaseMemory(Answer<()>),
    /// A number that changes when another process wrote to the database.
    Version(Answer<i64>),
}

/// A command that is applied and waits for the commit.
enum Done {
    Write(Box<Write>, Result<Applied, Error>, Answer<Applied>),
    /// A command without a value.
    Other(Result<(), Error>, Answer<()>),
    Version(Result<i64, Error>, Answer<i64>),
}

/// State of the thread.
#[derive(Debug)]
pub(crate) struct WriterState {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    /// Counts the commits after which items may be pending.
    pub(crate) pending: watch::Sender<u64>,
    /// Log of all committed writes, one line of JSON each.
    pub(crate) log: Option<File>,
}

/// Handle of the writer thread. Dropping it ends the thread after the waiting commands.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub(crate) fn start(state: WriterState) -> std::io::Result<Self> {
        let (commands, waiting) = mpsc::channel(GROUP);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(state, waiting))?;
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

    /// Checks that a durable write is possible. Changes no data.
    pub(crate) async fn check_writable(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::CheckWritable(answer), answered).await
    }

    /// Frees the pages that the connection keeps in memory.
    pub(crate) async fn release_memory(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::ReleaseMemory(answer), answered).await
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
    /// Applies the command inside the open transaction.
    fn work(self, connection: &Connection) -> Done {
        match self {
            Self::Write(write, answer) => {
                let applied = Transaction::new(connection).apply_unindexed(&write);
                Done::Write(write, applied, answer)
            }
            Self::CheckWritable(answer) => Done::Other(open::touch(connection), answer),
            Self::ReleaseMemory(answer) => {
                Done::Other(open::release_memory(connection).map_err(Error::from), answer)
            }
            Self::Version(answer) => {
                // Asked of the writer's own connection, it counts the commits of others alone.
                let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0));
                Done::Version(version.map_err(Error::from), answer)
            }
        }
    }

    /// Whether a power cut may undo it: see [`Write::is_losable`].
    fn is_losable(&self) -> bool {
        matches!(self, Self::Write(write, _) if write.is_losable())
    }

    /// Answers with an error. The caller may have been cancelled.
    fn refuse(self, why: Error) {
        match self {
            Self::Write(_, answer) => drop(answer.send(Err(why))),
            Self::CheckWritable(answer) | Self::ReleaseMemory(answer) => {
                drop(answer.send(Err(why)));
            }
            Self::Version(answer) => drop(answer.send(Err(why))),
        }
    }
}

impl Done {
    fn result(&self) -> Result<(), Error> {
        match self {
            Self::Write(_, applied, _) => applied.as_ref().map(drop).map_err(Clone::clone),
            Self::Other(proved, _) => proved.clone(),
            Self::Version(version, _) => version.as_ref().map(drop).map_err(Clone::clone),
        }
    }

    /// Answers with the result of the commit. The caller may have been cancelled; the write is done anyway.
    fn answer(self, committed: Result<(), Error>) {
        match self {
            Self::Write(_, applied, answer) => drop(answer.send(committed.and(applied))),
            Self::Other(proved, answer) => drop(answer.send(committed.and(proved))),
            Self::Version(version, answer) => drop(answer.send(committed.and(version))),
        }
    }
}

/// A rejected statement has a bug or met damage, such as an index that does not fit its table.
fn examined(connection: &Connection, error: Error) -> Error {
    if error.cause() != ErrorCause::Bug {
        return error;
    }
    match Transaction::new(connection).integrity(1) {
        Ok(found) if found.is_empty() => error,
        Ok(found) => Error::Sqlite(ErrorCause::Damaged, format!("{error}; {}", found.join("; "))),
        Err(damage) => damage,
    }
}

/// Applies the writes of a group anew, each in a savepoint, because one of them failed. Savepoints cost a copy of each
/// page that is written, and writes hardly ever fail.
fn apply_alone(connection: &Connection, group: &mut [Done]) -> Result<(), Error> {
    connection.execute_batch("ROLLBACK; BEGIN IMMEDIATE")?;
    for done in group {
        if let Done::Write(write, applied, _) = done {
            *applied = in_savepoint(connection, write).map_err(|error| examined(connection, error));
            // A full or failing disk rolls back the whole transaction.
            if connection.is_autocommit() {
                return applied.as_ref().map(drop).map_err(Clone::clone);
            }
        }
    }
    Ok(())
}

/// Applies a write in a savepoint: if it fails, only it is undone, not its group.
fn in_savepoint(connection: &Connection, write: &Write) -> Result<Applied, Error> {
    connection.execute_batch("SAVEPOINT job")?;
    let result = Transaction::new(connection).apply_unindexed(write);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    match (result, connection.execute_batch(end)) {
        // If SQLite has rolled back the whole transaction, the savepoint is gone.
        (Err(error), _) => Err(error),
        (Ok(_), Err(error)) => Err(error.into()),
        (Ok(value), Ok(())) => Ok(value),
    }
}

/// Rolls back a group that could not be committed. None of its commands was answered yet.
fn undo(connection: &Connection, fault: ErrorCause) {
    // SQLite leaves the transaction open on a full disk.
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    if fault == ErrorCause::Full {
        // Moves the content of the write-ahead log into the database and frees the log's space.
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// Answers all waiting commands with an error, because waiting for the database once per command takes too long.
fn refuse(first: Command, waiting: &mut mpsc::Receiver<Command>, why: &Error) {
    let mut next = Some(first);
    while let Some(command) = next {
        command.refuse(why.clone());
        next = waiting.try_recv().ok();
    }
}

/// Commands of one transaction.
struct Group {
    /// The error that ended the transaction early.
    result: Result<(), Error>,
    done: Vec<Done>,
    /// A command that was received and needs another transaction.
    carried: Option<Command>,
}

/// Applies a command and those that wait behind it. A group that a power cut may undo ends before the first command
/// that must survive it.
fn group(state: &WriterState, first: Command, waiting: &mut mpsc::Receiver<Command>) -> Group {
    let (begun, losable) = (state.clock.elapsed(), first.is_losable());
    let (mut group, mut next) = (Vec::new(), Some(first));
    while let Some(command) = next {
        if losable && !command.is_losable() {
            return Group { result: Ok(()), done: group, carried: Some(command) };
        }
        let done = command.work(&state.connection);
        let ended = done.result();
        group.push(done);
        if ended.is_err() {
            let result = match state.connection.is_autocommit() {
                // A full or failing disk rolls back the whole transaction.
                true => ended,
                false => apply_alone(&state.connection, &mut group),
            };
            return Group { result, done: group, carried: None };
        }
        let more = group.len() < GROUP && state.clock.elapsed().saturating_sub(begun) < GROUP_TIME;
        next = if more { waiting.try_recv().ok() } else { None };
    }
    Group { result: Ok(()), done: group, carried: None }
}

/// Indexes the words of the whole group and commits.
fn commit(connection: &Connection, group: &[Done]) -> Result<(), Error> {
    for done in group {
        if let Done::Write(write, Ok(applied), _) = done {
            Transaction::new(connection).index(write, applied)?;
        }
    }
    Ok(connection.execute_batch("COMMIT")?)
}

/// Logs what was committed, and wakes the stories stage where items may be pending.
fn publish(state: &mut WriterState, group: &[Done]) {
    let mut marks = false;
    for done in group {
        let Done::Write(write, Ok(applied), _) = done else { continue };
        marks |= write.marks(applied);
        if let Some(log) = &mut state.log
            && let Ok(line) = serde_json::to_string(write)
        {
            // The log is for tests and debugging: an error here is not a reason to fail.
            let _ = writeln!(log, "{line}");
        }
    }
    if marks {
        state.pending.send_modify(|count| *count += 1);
    }
}

/// The thread: waits for a command, applies it with those that wait behind it, commits, answers.
fn run(mut state: WriterState, mut waiting: mpsc::Receiver<Command>) {
    let mut carried = None;
    while let Some(first) = carried.take().or_else(|| waiting.blocking_recv()) {
        // Requests are written before they are sent: they need to survive the process, not the machine.
        let begin = match first.is_losable() {
            true => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
            false => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
        };
        if let Err(error) = state.connection.execute_batch(begin) {
            refuse(first, &mut waiting, &error.into());
            continue;
        }
        let group = group(&state, first, &mut waiting);
        carried = group.carried;
        let committed = group.result.and_then(|()| commit(&state.connection, &group.done));
        match &committed {
            Ok(()) => publish(&mut state, &group.done),
            Err(error) => undo(&state.connection, error.cause()),
        }
        for done in group.done {
            done.answer(committed.clone());
        }
    }
    // Where another connection stays open, the log is left empty: the stop was clean. Fails without harm while one is used.
    let _ = state.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;

    use super::*;

    /// Runs the thread on these writes, which all wait when it starts. Returns the result of each.
    fn ran(connection: Connection, sizes: &[usize]) -> Vec<Result<(), ErrorCause>> {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let state = WriterState { connection, clock, pending: watch::Sender::new(0), log: None };
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
        run(state, waiting);
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
    fn a_full_disk_undoes_the_whole_group() {
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

    #[test]
    fn a_write_that_fails_is_undone_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let connection = open::writer(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TRIGGER refuse AFTER INSERT ON word_weight WHEN length(new.data) = 2
                 BEGIN SELECT RAISE(FAIL, 'refused'); END",
            )
            .unwrap();
        let ended = ran(connection, &[1, 2, 2, 3, 4, 2]);
        let is_ok: Vec<bool> = ended.iter().map(Result::is_ok).collect();
        assert_eq!(is_ok, [true, false, false, true, true, false]);
        assert_eq!(kept(&path), Some(4), "the write before a failed one remains");
    }

    /// Number of times that SQLite found the lock taken.
    static MET: AtomicUsize = AtomicUsize::new(0);

    fn give_up(_: i32) -> bool {
        MET.fetch_add(1, Ordering::SeqCst);
        false
    }

    #[test]
    fn all_waiting_writes_fail_at_once_if_the_database_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        let mut connection = open::writer(&path).unwrap();
        connection.busy_handler(Some(give_up)).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let ended = ran(connection, &[1, 2, 3]);
        assert_eq!(ended, [Err(ErrorCause::Busy); 3]);
        // The checkpoint at the thread's end meets it as well.
        assert_eq!(MET.load(Ordering::SeqCst), 1 + 1, "the lock was waited for again");
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(kept(&path), None);
    }
}
