//! The control socket: a file beside the database that only the user of the daemon and root can open. A client
//! sends one line of JSON and gets one line of JSON.

mod socket;

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::unix::WriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tracing::{debug, warn};

pub(super) use self::socket::check_addresses;
pub use self::socket::{CONTROL_SOCKET, is_socket_of, socket_of};
use self::socket::{connect, short};
use super::engine::FeedSelection;
use super::handle::{DaemonHandle, Demands, PollRefusal, ReloadResult, ReportedEnd, StartedPolls};
use crate::clock::Clock;
use crate::telemetry::{Problem, Readiness};
use crate::text::amounts::count;
use crate::web;

/// Longest request, in bytes.
const MAX_REQUEST: u64 = 1 << 16;
/// Longest line of a reply, in bytes.
const MAX_REPLY: u64 = 1 << 20;
/// Largest number of requests that are served at the same time.
const MAX_CLIENTS: usize = 16;
/// Time limit for receiving a request, and for sending a line to a client that does not read.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two signs of life while polls run.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// Number of signs of life without a result after which polls that cannot be stored are no longer waited for.
const PATIENCE: u32 = 6;
/// Time limit for the first line of a reply, which the daemon sends before it does what was asked.
const FIRST_LINE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for each further line.
const LINE_TIMEOUT: Duration = Duration::from_secs(60);

/// A request to the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Report whether the daemon is ready.
    Ready,
    /// Load the config again and apply it.
    Reload,
    /// Poll feeds now, even if they are not due.
    Poll {
        /// Ids or URLs; empty: all feeds.
        feeds: Vec<String>,
        /// Whether feeds are polled even if their servers asked to wait.
        force: bool,
    },
    /// Change the log levels for a limited time.
    LogLevel {
        /// Filter of levels, such as `debug` or `info,newswire::fetch=debug`.
        levels: String,
        /// Seconds until the levels of the config apply again.
        seconds: u64,
    },
}

/// The reply of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The daemon did what was asked. The last reply.
    Done {
        /// The result: one line, or those of `/readyz`.
        message: String,
        /// Warnings about the config; may be empty.
        warnings: String,
    },
    /// A result before the end, one line; empty as a sign of life. Another reply follows.
    Progress(String),
    /// No feed has this id or URL.
    UnknownFeed(String),
    /// The config has errors, as text.
    Rejected(String),
    /// The daemon could not do what was asked, with the reason. The last reply.
    Failed(String),
}

/// Why a request to the daemon failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No daemon listens on the socket.
    #[error("no daemon is running with this database: cannot connect to {path}: {source}")]
    NotRunning {
        /// Path of the control socket.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// This user may not open the socket.
    #[error("permission denied for the control socket {path}")]
    NotPermitted {
        /// Path of the control socket.
        path: PathBuf,
    },
    /// The daemon did not reply in time.
    #[error("no answer from the daemon within {seconds} s on {path}")]
    Timeout {
        /// Path of the control socket.
        path: PathBuf,
        /// The time limit.
        seconds: u64,
    },
    /// The daemon closed the connection before the end of its reply.
    #[error("the daemon ended before it replied on {path}")]
    Ended {
        /// Path of the control socket.
        path: PathBuf,
    },
    /// The exchange with the daemon failed.
    #[error("the daemon did not reply on {path}: {source}")]
    NoAnswer {
        /// Path of the control socket.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

crate::model::codes! {
    ControlError:
    Self::NotRunning { .. } => "not_running":
        "start it with 'newswire run' or 'systemctl start newswire'; after a change of [store] path, restart it",
    Self::NotPermitted { .. } => "not_permitted": "run the command as root (sudo) or as the user of the daemon",
    Self::Timeout { .. } => "no_answer": "the daemon is busy or was stopped by a signal: check its log and 'systemctl status newswire'",
    Self::Ended { .. } => "no_answer": "its log has the reason ('journalctl -u newswire'); start it again, then repeat the command",
    Self::NoAnswer { .. } => "no_answer": "check the log of the daemon",
}

/// Sends a request to the daemon of this database and waits for the reply. `progress` gets the lines before it. Blocks.
///
/// # Errors
/// See [`ControlError`].
pub fn send(
    database: &Path,
    request: &Request,
    mut progress: impl FnMut(&str),
) -> Result<Reply, ControlError> {
    let path = socket_of(database);
    let mut stream = match connect(&path) {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(ControlError::NotPermitted { path });
        }
        Err(source) if source.kind() == io::ErrorKind::InvalidInput => {
            return Err(ControlError::NoAnswer { path, source });
        }
        Err(source) => return Err(ControlError::NotRunning { path, source }),
    };
    let mut limit = FIRST_LINE_TIMEOUT;
    let mut exchange = || {
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut reading = io::BufReader::new(&stream);
        let first = read_line(&mut reading)?;
        limit = LINE_TIMEOUT;
        stream.set_read_timeout(Some(limit))?;
        last_reply(first, reading, &mut progress)
    };
    exchange().map_err(|source: io::Error| no_reply(path, source, limit))
}

/// The error for an exchange that failed.
fn no_reply(path: PathBuf, source: io::Error, limit: Duration) -> ControlError {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    match source.kind() {
        WouldBlock | TimedOut => ControlError::Timeout { path, seconds: limit.as_secs() },
        // A reply without its end is one, too.
        UnexpectedEof | ConnectionReset | BrokenPipe => ControlError::Ended { path },
        _ => ControlError::NoAnswer { path, source },
    }
}

/// Reads one line of a reply.
fn read_line(reading: &mut impl io::BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    reading.take(MAX_REPLY).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// The last line of a reply that begins with `first`. `progress` gets the lines before it.
fn last_reply(
    first: Reply,
    mut reading: impl io::BufRead,
    mut progress: impl FnMut(&str),
) -> io::Result<Reply> {
    let mut reply = first;
    while let Reply::Progress(line) = reply {
        if !line.is_empty() {
            progress(&line);
        }
        reply = read_line(&mut reading)?;
    }
    Ok(reply)
}

/// Reads the lines of a reply as a client does, for `tests/fuzz`.
///
/// # Errors
/// When a line is no reply.
#[cfg(fuzzing)]
pub fn reply_from(stream: impl io::Read, progress: impl FnMut(&str)) -> io::Result<Reply> {
    let mut reading = io::BufReader::new(stream);
    last_reply(read_line(&mut reading)?, reading, progress)
}

/// Replies to one client as the daemon does, for `tests/fuzz`.
///
/// # Errors
/// When the client cannot be read from or written to.
#[cfg(fuzzing)]
pub async fn reply_to(stream: UnixStream, handle: DaemonHandle) -> io::Result<()> {
    let daemon = Controlled { handle, readiness: Readiness::default(), clock: Clock::system() };
    reply(stream, &daemon).await
}

/// The daemon behind a control socket.
#[derive(Clone)]
pub(crate) struct Controlled {
    /// Takes commands.
    pub(crate) handle: DaemonHandle,
    /// What keeps it from being ready.
    pub(crate) readiness: Readiness,
    /// Since when parts have no heartbeat.
    pub(crate) clock: Clock,
}

/// The control socket of this process; removed on drop.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Creates the socket beside the database. On failure the daemon runs without it; SIGHUP still works.
    pub(crate) fn open(database: &Path, daemon: Controlled) -> Option<Self> {
        let path = socket_of(database);
        match bind(&path) {
            Ok((listener, owner)) => {
                Some(Self { path, task: tokio::spawn(accept(listener, owner, daemon)) })
            }
            Err(error) => {
                let path = path.display();
                warn!(%path, %error, "control socket unavailable; SIGHUP reloads the config");
                None
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens at `path` and returns the owner of the socket. This process holds the lock of the database, so that
/// it may replace a socket that a process left behind.
fn bind(path: &Path) -> io::Result<(UnixListener, u32)> {
    // Created under another name until the mode is set.
    let hidden = path.with_extension("sock.new");
    let _ = std::fs::remove_file(&hidden);
    let (bound, _folder) = short(&hidden)?;
    let listener = UnixListener::bind(bound)?;
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&hidden, path)?;
    Ok((listener, std::fs::metadata(path)?.uid()))
}

/// Accepts clients. Their requests are served at the same time, because polls take a while.
async fn accept(listener: UnixListener, owner: u32, daemon: Controlled) {
    let slots = Arc::new(Semaphore::new(MAX_CLIENTS));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // In addition to the mode of the file, because descriptors can be passed on.
                let uid = stream.peer_cred().map(|peer| peer.uid());
                if !matches!(uid, Ok(uid) if uid == owner || uid == 0) {
                    warn!("control request of another user rejected");
                    continue;
                }
                let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                    refuse(&stream);
                    continue;
                };
                let daemon = daemon.clone();
                tokio::spawn(async move {
                    let _slot = slot;
                    if let Err(error) = reply(stream, &daemon).await {
                        debug!(%error, "control client disconnected");
                    }
                });
            }
            Err(error) => {
                debug!(%error, "control socket cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Replies that too many requests are served already. A new connection has space for this line.
fn refuse(stream: &UnixStream) {
    let reply =
        Reply::Failed(format!("the daemon serves {MAX_CLIENTS} other commands; try again later"));
    let mut line = serde_json::to_vec(&reply).unwrap_or_default();
    line.push(b'\n');
    let _ = stream.try_write(&line);
}

async fn reply(mut stream: UnixStream, daemon: &Controlled) -> io::Result<()> {
    let Controlled { handle, readiness, clock } = daemon;
    let (reading, mut writing) = stream.split();
    let mut line = String::new();
    let mut reading = BufReader::new(reading.take(MAX_REQUEST));
    tokio::time::timeout(REQUEST_TIMEOUT, reading.read_line(&mut line)).await??;
    // The client notices soon when the daemon does not answer. What was asked is done also if the client has given up.
    let _ = send_line(&mut writing, &Reply::Progress(String::new())).await;
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Ready) => Reply::Done {
            message: web::readiness_lines(readiness, clock.elapsed()),
            warnings: String::new(),
        },
        Ok(Request::Reload) => match handle.reload().await {
            ReloadResult::Applied { change, warnings } => {
                Reply::Done { message: change.to_string(), warnings }
            }
            ReloadResult::Rejected(report) => Reply::Rejected(report),
            ReloadResult::Failed(reason) => Reply::Failed(reason),
        },
        Ok(Request::Poll { feeds, force }) => poll((feeds, force), daemon, &mut writing).await?,
        Ok(Request::LogLevel { levels, seconds }) => {
            match handle.set_log_levels(&levels, Duration::from_secs(seconds)) {
                Ok(()) => Reply::Done {
                    message: format!("logging {levels} for {seconds} s"),
                    warnings: String::new(),
                },
                Err(reason) => Reply::Failed(reason),
            }
        }
        Err(error) => Reply::Failed(format!("invalid request: {error}")),
    };
    send_line(&mut writing, &reply).await
}

/// Polls feeds and sends the result of each as progress.
async fn poll(
    (feeds, force): (Vec<String>, bool),
    Controlled { handle, readiness, .. }: &Controlled,
    writing: &mut WriteHalf<'_>,
) -> io::Result<Reply> {
    let selection = match (feeds.is_empty(), force) {
        (false, _) => FeedSelection::Named(feeds),
        (true, false) => FeedSelection::All,
        (true, true) => FeedSelection::WithPaused,
    };
    if selection == FeedSelection::WithPaused {
        // Not waited for: their new feeds are polled as soon as they are known.
        handle.request_lists();
    }
    let demands = if force { Demands::Ignore } else { Demands::Keep };
    let started = match handle.poll(selection, demands).await {
        Ok(started) => started,
        Err(PollRefusal::UnknownFeed(name)) => return Ok(Reply::UnknownFeed(name)),
        Err(PollRefusal::Unable(reason)) => return Ok(Reply::Failed(reason)),
    };
    wait_for_polls(started, readiness, SIGN_OF_LIFE, writing).await
}

/// Waits for the end of all polls. Sends the line of each as progress, and an empty one after each `sign_of_life` without
/// a result: the client notices when the daemon does not answer any more.
async fn wait_for_polls(
    StartedPolls { number, mut results }: StartedPolls,
    readiness: &Readiness,
    sign_of_life: Duration,
    writing: &mut (impl AsyncWrite + Unpin),
) -> io::Result<Reply> {
    let mut ends = PollEnds::default();
    let mut quiet = 0;
    loop {
        match tokio::time::timeout(sign_of_life, results.recv()).await {
            Ok(Some(report)) => {
                quiet = 0;
                ends.add(report.end);
                send_line(writing, &Reply::Progress(report.line)).await?;
            }
            Ok(None) if ends.number() < number => {
                return Ok(Reply::Failed("the daemon is stopping".to_owned()));
            }
            Ok(None) => return Ok(ends.reply(number)),
            Err(_) => {
                quiet += 1;
                let problem = readiness.problems().into_iter().find(|it| it.stops_polls());
                if let Some(problem) = problem.filter(|_| quiet >= PATIENCE) {
                    return Ok(Reply::Failed(not_stored((ends.number(), number), problem)));
                }
                send_line(writing, &Reply::Progress(String::new())).await?;
            }
        }
    }
}

/// Why a command does not wait for the rest of its polls.
fn not_stored((ended, number): (usize, usize), problem: Problem) -> String {
    let (text, feeds) = (problem.text(), count(number as u64, "feed"));
    format!("{text}; {ended} of {feeds} polled, the daemon polls the rest later")
}

/// Numbers of polls that ended, by what became of them.
#[derive(Debug, Default)]
struct PollEnds {
    stored: usize,
    held: usize,
    lost: usize,
}

impl PollEnds {
    fn add(&mut self, end: ReportedEnd) {
        match end {
            ReportedEnd::Stored => self.stored += 1,
            ReportedEnd::Held => self.held += 1,
            ReportedEnd::Lost => self.lost += 1,
        }
    }

    fn number(&self) -> usize {
        self.stored + self.held + self.lost
    }

    /// The result of a command that polled `number` feeds: a failure if a result is lost.
    fn reply(&self, number: usize) -> Reply {
        if self.lost > 0 {
            let (lost, feeds) = (self.lost, count(number as u64, "feed"));
            return Reply::Failed(format!(
                "the results of {lost} of {feeds} were not stored; the daemon polls them again"
            ));
        }
        let polled = format!("{} polled by the daemon", count(self.stored as u64, "feed"));
        let message = match self.held {
            0 => polled,
            held => format!("{polled}, {held} held"),
        };
        Reply::Done { message, warnings: String::new() }
    }
}

async fn send_line(writing: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    tokio::time::timeout(REQUEST_TIMEOUT, writing.write_all(&line)).await?
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::daemon::handle::PollReport;

    /// The reply for polls of which these ended, and the lines of progress. The sender of the rest waits.
    async fn reply_after(
        ends: &[ReportedEnd],
        waiting: usize,
        problems: &[Problem],
    ) -> (Reply, Vec<String>) {
        let number = ends.len() + waiting;
        let (sender, results) = mpsc::channel(number);
        for (at, end) in ends.iter().enumerate() {
            let report = PollReport { line: format!("feed {at}"), end: *end };
            sender.try_send(report).expect("the channel has a place for each result");
        }
        let _waiting = (waiting > 0).then_some(sender);
        let readiness = Readiness::default();
        problems.iter().for_each(|problem| readiness.add(*problem));
        let mut written = Vec::new();
        let started = StartedPolls { number, results };
        let sign_of_life = Duration::from_millis(1);
        let reply = wait_for_polls(started, &readiness, sign_of_life, &mut written).await;
        let lines = written.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines = lines.map(|line| match serde_json::from_slice(line) {
            Ok(Reply::Progress(line)) => line,
            other => panic!("{other:?} is no progress"),
        });
        (reply.expect("nothing fails to write"), lines.collect())
    }

    #[tokio::test]
    async fn a_socket_may_have_a_path_that_is_longer_than_an_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a".repeat(60)).join("b".repeat(60));
        std::fs::create_dir_all(&deep).expect("a deep folder");
        let path = socket_of(&deep.join("newswire.db"));
        assert!(path.as_os_str().len() > 120);
        let (_listener, _) = bind(&path).expect("a socket");
        assert!(path.exists() && connect(&path).is_ok());
    }

    #[test]
    fn a_daemon_that_does_not_reply_is_named_as_such() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("newswire.db");
        let listener = std::os::unix::net::UnixListener::bind(socket_of(&database));
        let listener = listener.expect("a socket");
        let ends = std::thread::spawn(move || {
            for sent in [&b""[..], b"{\"progress\":\"\"}\n{\"do"] {
                let (mut stream, _) = listener.accept().expect("a client");
                stream.write_all(sent).expect("the client reads");
            }
        });
        for _ in 0..2 {
            let error = send(&database, &Request::Ready, |_| ()).expect_err("it ends");
            assert!(error.to_string().starts_with("the daemon ended before"), "{error}");
        }
        ends.join().expect("no panic");
        let limit = Duration::from_secs(5);
        let error = no_reply(database, io::ErrorKind::WouldBlock.into(), limit);
        assert!(error.to_string().starts_with("no answer from the daemon within 5 s"), "{error}");
    }

    #[tokio::test]
    async fn a_result_that_is_not_stored_makes_the_command_fail() {
        let ends = [ReportedEnd::Stored, ReportedEnd::Lost, ReportedEnd::Held];
        let (reply, lines) = reply_after(&ends, 0, &[]).await;
        let expected = "the results of 1 of 3 feeds were not stored; the daemon polls them again";
        assert_eq!(reply, Reply::Failed(expected.to_owned()));
        assert_eq!(lines, ["feed 0", "feed 1", "feed 2"]);
        let (reply, _) = reply_after(&[ReportedEnd::Stored, ReportedEnd::Held], 0, &[]).await;
        let message = "1 feed polled by the daemon, 1 held".to_owned();
        assert_eq!(reply, Reply::Done { message, warnings: String::new() });
    }

    #[tokio::test]
    async fn polls_that_a_full_disk_holds_up_are_not_waited_for() {
        let (reply, lines) = reply_after(&[ReportedEnd::Stored], 2, &[Problem::StoreFull]).await;
        let expected = "the file system of the database is full; 1 of 3 feeds polled, the daemon polls the rest later";
        assert_eq!(reply, Reply::Failed(expected.to_owned()));
        // Thirty seconds: six signs of life, the last of which is the reply.
        assert_eq!(lines, ["feed 0", "", "", "", "", ""]);
        assert_eq!(SIGN_OF_LIFE * PATIENCE, Duration::from_secs(30));
    }
}
