//! How the running daemon is told something: by a signal, through the control socket, by a list of
//! feeds that changed. One order at a time, each with its answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tracing::level_filters::LevelFilter;
use tracing::{error, info};

use super::change::Change;
use super::manager::tell;
use crate::config::{Config, Loaded, Style};
use crate::telemetry::{Event, Handle};

/// Reads the config as it is now. Blocks.
pub type Source = Arc<dyn Fn() -> Loaded + Send + Sync>;

/// What the loop is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Put this config in the place of the one in force.
    Renew(Box<Config>, oneshot::Sender<Result<Change, String>>),
    /// The config has errors: the one in force stays.
    Refuse,
}

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The new config is in force; what it changed, and the warnings about it.
    Taken {
        /// What it changed.
        change: Change,
        /// Drawn for people; empty: none.
        warnings: String,
    },
    /// The config has errors, drawn for people; the old one stays in force.
    Refused(String),
    /// It could not be put in force; the old one stays.
    Failed(String),
}

/// Tells the daemon something; cheap to clone.
#[derive(Clone)]
pub struct Remote {
    source: Source,
    orders: mpsc::Sender<Order>,
    turn: Arc<Mutex<()>>,
    log: Option<Log>,
}

/// What is logged.
#[derive(Debug, Clone)]
struct Log {
    handle: Handle,
    /// As the config says.
    configured: watch::Sender<LevelFilter>,
    /// Counts the changes: only the last one is undone.
    changes: Arc<AtomicU64>,
}

/// What the daemon listens to.
#[derive(Debug)]
pub struct Orders {
    pub(crate) heard: mpsc::Receiver<Order>,
    pub(crate) remote: Remote,
}

/// Both ends; `source` reads the config, `log` is what is logged, and from which level on.
#[must_use]
pub fn remote(source: Source, log: Option<(Handle, LevelFilter)>) -> (Remote, Orders) {
    let (orders, heard) = mpsc::channel(1);
    let log = log.map(|(handle, level)| Log {
        handle,
        configured: watch::Sender::new(level),
        changes: Arc::default(),
    });
    let remote = Remote { source, orders, turn: Arc::default(), log };
    (remote.clone(), Orders { heard, remote })
}

impl Remote {
    /// Logs from other levels on for a while; then as the config says.
    ///
    /// # Errors
    /// When a word is no level, or nothing is logged here.
    pub(crate) fn log(&self, levels: &str, during: Duration) -> Result<(), String> {
        let log = self.log.clone().ok_or("this newswire has no log that could be changed")?;
        log.handle.set_levels(levels).map_err(|error| error.to_string())?;
        let change = log.changes.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::spawn(async move {
            tokio::time::sleep(during).await;
            if log.changes.load(Ordering::Relaxed) == change {
                log.handle.set_level(*log.configured.borrow());
            }
        });
        Ok(())
    }

    /// Reads the config and puts it in force: all of it, or nothing.
    pub async fn reload(&self) -> Verdict {
        let _turn = self.turn.lock().await;
        match NotifyState::monotonic_usec_now() {
            // `sd_notify(3)`: a reload is told with the time that it began.
            Ok(since) => tell(&[NotifyState::Reloading, since]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
        let verdict = self.renew().await;
        tell(&[NotifyState::Ready]);
        match &verdict {
            Verdict::Taken { change, .. } => {
                let event = Event::ConfigReloaded.slug();
                info!(event, "the config was read again: {change}");
            }
            Verdict::Refused(report) => error!(
                event = Event::ConfigRejected.slug(),
                report,
                "the config is refused, the old one stays in force: {}",
                first(report)
            ),
            Verdict::Failed(why) => {
                let event = Event::ConfigRejected.slug();
                error!(event, "the config cannot be put in force, the old one stays: {why}");
            }
        }
        verdict
    }

    async fn renew(&self) -> Verdict {
        let source = Arc::clone(&self.source);
        let Ok(Loaded { config, report, .. }) = tokio::task::spawn_blocking(move || source()).await
        else {
            return Verdict::Failed("reading it panicked: please report this".to_owned());
        };
        let drawn = || if report.is_empty() { String::new() } else { report.draw(Style::Plain) };
        let Some(config) = config else {
            // For the monitors; whoever asked hears of it from here.
            let _ = self.orders.send(Order::Refuse).await;
            return Verdict::Refused(drawn());
        };
        let (answer, answered) = oneshot::channel();
        let level = config.log.level;
        let sent = self.orders.send(Order::Renew(Box::new(config), answer)).await;
        match answered.await {
            Ok(Ok(change)) if sent.is_ok() => {
                if let Some(log) = &self.log
                    && log.configured.send_replace(level) != level
                {
                    log.changes.fetch_add(1, Ordering::Relaxed);
                    log.handle.set_level(level);
                }
                Verdict::Taken { change, warnings: drawn() }
            }
            Ok(Err(why)) => Verdict::Failed(why),
            _ => Verdict::Failed("newswire is stopping".to_owned()),
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

/// The first error and its place.
fn first(report: &str) -> String {
    let error = report.lines().skip_while(|line| !line.starts_with("error"));
    error.take(2).map(str::trim).collect::<Vec<_>>().join(" ")
}
