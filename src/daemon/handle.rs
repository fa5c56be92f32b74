//! Commands to the running daemon: from signals, the control socket and followed lists of feeds. They are
//! executed one at a time, each with a reply.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tracing::level_filters::LevelFilter;
use tracing::{error, info};

use super::change::Change;
use super::engine::FeedSelection;
use super::service_manager::notify;
use crate::config::{Config, Loaded, Style};
use crate::telemetry::{Event, Handle};

/// Loads the current config. Blocks.
pub type ConfigSource = Arc<dyn Fn() -> Loaded + Send + Sync>;

/// A command to the main loop.
#[derive(Debug)]
pub(crate) enum Command {
    /// Apply this config and send the result.
    Apply(Box<Config>, oneshot::Sender<Result<Change, String>>),
    /// Poll these feeds now, and send the result of each to the client.
    Poll(PollRequest),
    /// Record that a config was rejected because of errors.
    ReportRejected,
}

/// What happens to demands of servers when a command polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demands {
    Keep,
    /// Demands are ignored (`--force`).
    Ignore,
}

/// Feeds that a command asks the daemon to poll.
#[derive(Debug)]
pub(crate) struct PollRequest {
    pub(crate) feeds: FeedSelection,
    pub(crate) demands: Demands,
    /// Receives the polls that began, or why none did.
    pub(crate) started: oneshot::Sender<Result<StartedPolls, PollRefusal>>,
}

/// The polls that a command began.
#[derive(Debug)]
pub(crate) struct StartedPolls {
    /// Number of polls that began.
    pub(crate) number: usize,
    /// The result of each feed. The channel has a place for each of them.
    pub(crate) results: mpsc::Receiver<PollReport>,
}

/// The end of one poll, for the command that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PollReport {
    /// The result as one line.
    pub(crate) line: String,
    /// What became of the poll.
    pub(crate) end: ReportedEnd,
}

/// What became of a poll that a command asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportedEnd {
    /// The result is stored, also that of a failed poll.
    Stored,
    /// The feed was not requested, because it may not be requested yet.
    Held,
    /// The database did not take the result, or newswire panicked.
    Lost,
}

/// Why the daemon does not poll now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PollRefusal {
    /// No feed has this id or URL.
    UnknownFeed(String),
    /// The database cannot be written, or the daemon stops, as text.
    Unable(String),
}

/// Result of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadResult {
    /// The new config is applied.
    Applied {
        /// What changed in the config.
        change: Change,
        /// Warnings about the config as text; may be empty.
        warnings: String,
    },
    /// The config has errors, as text. The previous config stays.
    Rejected(String),
    /// The config could not be applied, with the reason. The previous config stays.
    Failed(String),
}

/// Sends commands to the daemon. Clones send to the same daemon.
#[derive(Clone)]
pub struct DaemonHandle {
    source: ConfigSource,
    commands: mpsc::Sender<Command>,
    /// Held during a reload.
    reloading: Arc<Mutex<()>>,
    /// A command requests all followed lists.
    lists: Arc<Notify>,
    log: Option<LogLevels>,
}

/// The log levels and their temporary changes.
#[derive(Debug, Clone)]
struct LogLevels {
    handle: Handle,
    /// The level of the config.
    configured: watch::Sender<LevelFilter>,
    /// Number of changes; only the last change is reverted after its time.
    changes: Arc<AtomicU64>,
}

/// The receiving end of the commands.
#[derive(Debug)]
pub struct Commands {
    /// Commands for the main loop.
    pub(crate) receiver: mpsc::Receiver<Command>,
    /// A handle for the control socket and followed lists.
    pub(crate) handle: DaemonHandle,
}

/// Creates both ends. `source` loads the config, `log` is the log and its configured level.
#[must_use]
pub fn handle(
    source: ConfigSource,
    log: Option<(Handle, LevelFilter)>,
) -> (DaemonHandle, Commands) {
    let (commands, receiver) = mpsc::channel(1);
    let log = log.map(|(handle, level)| LogLevels {
        handle,
        configured: watch::Sender::new(level),
        changes: Arc::default(),
    });
    let (reloading, lists) = (Arc::default(), Arc::default());
    let handle = DaemonHandle { source, commands, reloading, lists, log };
    (handle.clone(), Commands { receiver, handle })
}

impl DaemonHandle {
    /// Changes the log levels for a limited time; then the level of the config applies again.
    ///
    /// # Errors
    /// When a level is invalid, or this process has no log.
    pub(crate) fn set_log_levels(&self, levels: &str, time: Duration) -> Result<(), String> {
        let log = self.log.clone().ok_or("this process has no log that can be changed")?;
        log.handle.set_levels(levels).map_err(|error| error.to_string())?;
        let change = log.changes.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            if log.changes.load(Ordering::Relaxed) == change {
                log.handle.set_level(*log.configured.borrow());
            }
        });
        Ok(())
    }

    /// Asks the main loop to poll feeds now; returns when the polls have begun.
    pub(crate) async fn poll(
        &self,
        feeds: FeedSelection,
        demands: Demands,
    ) -> Result<StartedPolls, PollRefusal> {
        let (started, polls) = oneshot::channel();
        let request = PollRequest { feeds, demands, started };
        // Not kept: the error of a daemon that has stopped has the other end of the reply.
        let _ = self.commands.send(Command::Poll(request)).await;
        match polls.await {
            Ok(polls) => polls,
            Err(_) => Err(PollRefusal::Unable("the daemon is stopping".to_owned())),
        }
    }

    /// Asks for a request for each followed list, also if it is not due.
    pub(crate) fn request_lists(&self) {
        self.lists.notify_one();
    }

    /// Waits until a command asks for all followed lists.
    pub(crate) async fn lists_requested(&self) {
        self.lists.notified().await;
    }

    /// Loads the config and applies it, completely or not at all.
    pub async fn reload(&self) -> ReloadResult {
        let _guard = self.reloading.lock().await;
        match NotifyState::monotonic_usec_now() {
            // `sd_notify(3)`: with the time of its start.
            Ok(since) => notify(&[NotifyState::Reloading, since]),
            Err(_) => notify(&[NotifyState::Reloading]),
        }
        let result = self.load_and_apply().await;
        notify(&[NotifyState::Ready]);
        match &result {
            ReloadResult::Applied { change, .. } => {
                let event = Event::ConfigReloaded.slug();
                info!(event, changes = %change, "config reloaded");
            }
            ReloadResult::Rejected(diagnostics) => error!(
                event = Event::ConfigRejected.slug(),
                text = first_error(diagnostics),
                diagnostics,
                "config rejected, previous config stays"
            ),
            ReloadResult::Failed(text) => {
                let event = Event::ConfigRejected.slug();
                error!(event, text, "config not applied, previous config stays");
            }
        }
        result
    }

    async fn load_and_apply(&self) -> ReloadResult {
        let source = Arc::clone(&self.source);
        let Ok(Loaded { config, report, .. }) = tokio::task::spawn_blocking(move || source()).await
        else {
            return ReloadResult::Failed("loading it panicked; please report this".to_owned());
        };
        let text = || if report.is_empty() { String::new() } else { report.draw(Style::Plain) };
        let Some(config) = config else {
            // For the metrics; the caller gets the result from here.
            let _ = self.commands.send(Command::ReportRejected).await;
            return ReloadResult::Rejected(text());
        };
        let (reply, result) = oneshot::channel();
        let level = config.log.level;
        // Not kept, as in `poll`.
        let _ = self.commands.send(Command::Apply(Box::new(config), reply)).await;
        match result.await {
            Ok(Ok(change)) => {
                if let Some(log) = &self.log
                    && log.configured.send_replace(level) != level
                {
                    log.changes.fetch_add(1, Ordering::Relaxed);
                    log.handle.set_level(level);
                }
                ReloadResult::Applied { change, warnings: text() }
            }
            Ok(Err(reason)) => ReloadResult::Failed(reason),
            Err(_) => ReloadResult::Failed("the daemon is stopping".to_owned()),
        }
    }
}

impl fmt::Debug for DaemonHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DaemonHandle").finish_non_exhaustive()
    }
}

/// The first error with its position.
fn first_error(report: &str) -> String {
    let error = report.lines().skip_while(|line| !line.starts_with("error"));
    error.take(2).map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn a_daemon_that_has_stopped_refuses_commands_at_once() {
        let text = || "version = 1\n[[output]]\nid = \"all\"\n".to_owned();
        let read = move || crate::config::read(text(), Path::new("newswire.toml"), Path::new("/"));
        let (handle, commands) = handle(Arc::new(read), None);
        drop(commands);
        let limit = Duration::from_secs(10);
        let polled = tokio::time::timeout(limit, handle.poll(FeedSelection::All, Demands::Keep));
        let refusal = polled.await.expect("it ends").expect_err("nothing polls");
        assert_eq!(refusal, PollRefusal::Unable("the daemon is stopping".to_owned()));
        let reloaded = tokio::time::timeout(limit, handle.reload()).await.expect("it ends");
        assert_eq!(reloaded, ReloadResult::Failed("the daemon is stopping".to_owned()));
    }
}
