//! The control socket: a file beside the database that only the daemon's user and root may open.
//! A line of JSON in, a line of JSON out, then the end.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::remote::{Remote, Verdict};

/// The longest line that is asked.
const LONGEST: u64 = 4096;
/// So long a line may take to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// A reload answers within this, or something is very wrong.
const ANSWER: Duration = Duration::from_secs(60);

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Read the config again and put it in force.
    Reload,
    /// Log from these levels on.
    LogLevel {
        /// `debug`, or `info,newswire::fetch=debug`.
        levels: String,
        /// For so many seconds; then as the config says.
        seconds: u64,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Done; what there is to say about it, and what is to be warned of.
    Done {
        /// One line.
        said: String,
        /// Empty: nothing.
        warnings: String,
    },
    /// The config has errors, drawn for people.
    Refused(String),
    /// It could not be done.
    Failed(String),
}

/// Why the daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error(
        "no newswire runs on this database: {path} cannot be reached: {source}; start it with 'newswire run' or 'systemctl start newswire', or restart it if [store] path was changed since"
    )]
    Nobody {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The socket is not ours to open.
    #[error(
        "not permitted to control the newswire behind {path}: only its own user and root are; try sudo"
    )]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// It gave no answer.
    #[error("newswire gave no answer at {path}: {source}; its log tells more")]
    NoAnswer {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

crate::model::codes! {
    AskError:
    Self::Nobody { .. } => "not_running",
    Self::Denied { .. } => "not_permitted",
    Self::NoAnswer { .. } => "no_answer",
}

/// Where the daemon of this database listens: `newswire.sock` beside `newswire.db`.
#[must_use]
pub fn socket_of(database: &Path) -> PathBuf {
    if database.extension().is_some_and(|extension| extension == "db") {
        return database.with_extension("sock");
    }
    let mut name = database.as_os_str().to_owned();
    name.push(".sock");
    name.into()
}

/// Asks the daemon of this database, and waits for its answer. Blocks.
///
/// # Errors
/// See [`AskError`].
pub fn ask(database: &Path, request: &Request) -> Result<Reply, AskError> {
    let path = socket_of(database);
    let mut stream = match std::os::unix::net::UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(AskError::Denied { path });
        }
        Err(source) => return Err(AskError::Nobody { path, source }),
    };
    let mut talk = || {
        stream.set_read_timeout(Some(ANSWER))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = String::new();
        io::BufReader::new(&stream).take(1 << 20).read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    talk().map_err(|source: io::Error| AskError::NoAnswer { path: path.clone(), source })
}

/// The socket, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Listens beside the database. Where that cannot be, newswire runs without: SIGHUP still works.
    pub(crate) fn open(database: &Path, remote: Remote) -> Option<Self> {
        let path = socket_of(database);
        match bind(&path) {
            Ok((listener, owner)) => {
                Some(Self { path, task: tokio::spawn(accept(listener, owner, remote)) })
            }
            Err(error) => {
                warn!(
                    "no control socket at {}: {error}; 'newswire reload' will not work, SIGHUP will",
                    path.display()
                );
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

/// Listens at `path`; also answers with the user that the socket belongs to. Whoever holds the
/// database's lock, as we do, may take the place of a socket that a dead newswire left.
fn bind(path: &Path) -> io::Result<(UnixListener, u32)> {
    // Under another name until only its owner may open it.
    let hidden = path.with_extension("sock.new");
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden)?;
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&hidden, path)?;
    Ok((listener, std::fs::metadata(path)?.uid()))
}

/// One at a time: whoever has a right to be here can wait.
async fn accept(listener: UnixListener, owner: u32, remote: Remote) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Beside the mode of the file: a descriptor may have been passed on.
                let uid = stream.peer_cred().map(|peer| peer.uid());
                if !matches!(uid, Ok(uid) if uid == owner || uid == 0) {
                    warn!("the control socket was opened by another user, who gets no answer");
                    continue;
                }
                if let Err(error) = answer(stream, &remote).await {
                    debug!(%error, "somebody at the control socket went away");
                }
            }
            Err(error) => {
                debug!(%error, "the control socket cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, remote: &Remote) -> io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut line = String::new();
    let mut reading = BufReader::new(reading.take(LONGEST));
    tokio::time::timeout(PATIENCE, reading.read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Reload) => match remote.reload().await {
            Verdict::Taken { change, warnings } => {
                Reply::Done { said: change.to_string(), warnings }
            }
            Verdict::Refused(report) => Reply::Refused(report),
            Verdict::Failed(why) => Reply::Failed(why),
        },
        Ok(Request::LogLevel { levels, seconds }) => {
            match remote.log(&levels, Duration::from_secs(seconds)) {
                Ok(()) => Reply::Done {
                    said: format!("logging {levels} for {seconds} s, then as the config says"),
                    warnings: String::new(),
                },
                Err(why) => Reply::Failed(why),
            }
        }
        Err(error) => Reply::Failed(format!("newswire does not understand the question: {error}")),
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    writing.write_all(&line).await
}
