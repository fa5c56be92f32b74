//! `newswire run`: runs the daemon until SIGTERM or Ctrl-C. SIGHUP reloads the config; with a terminal it ends the daemon.
//!
//! `newswire reload` and `newswire log-level` send a command to the running daemon and print its reply.

use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::level_filters::LevelFilter;

use super::exit::{CommandError, Exit};
use super::init;
use super::online::create_missing;
use super::terminal::{failed, print, print_error, report};
use crate::clock::Clock;
use crate::config::{self, Config, Files, Followed, PathChecks};
use crate::daemon::control::{Reply, Request, send};
use crate::daemon::{
    self, ConfigSource, DaemonHandle, Engine, FeedSelection, FollowedLists, Inputs, ListChange,
    ListFollower, ListSelection,
};
use crate::fetch::{Fetcher, Resolver, SystemResolver};
use crate::poll::{Gate, Ledger};
use crate::telemetry::Handle;
use crate::web::{ListenAddress, samples};

/// Runs the daemon until the first stop signal and lets it finish its work; a second signal ends the process.
///
/// # Errors
/// When the daemon cannot start or continue.
pub(super) async fn run(
    path: &Path,
    overrides: Overrides,
    config: Config,
    log: Handle,
) -> Result<(), daemon::Error> {
    let result = start((path, overrides), config, log).await;
    if let Err(error) = &result {
        daemon::notify_failure(error);
    }
    result
}

/// What options of the command line and the service manager replace in the config, also after a reload.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides {
    /// `listen` in [web]; `None`: not replaced.
    pub(super) listen: Option<Vec<ListenAddress>>,
    /// `level` in [log]; `None`: not replaced.
    pub(super) level: Option<LevelFilter>,
    /// Whether the service manager has the sockets of the web server, so that `listen` has no effect.
    pub(super) has_sockets: bool,
}

impl Overrides {
    /// Replaces the values of the config.
    pub(super) fn apply(&self, config: &mut Config) {
        if let Some(level) = self.level {
            config.log.level = level;
        }
        if let Some(listen) = &self.listen {
            config.web.listen.clone_from(listen);
            let base_url = config.web.base_url();
            for output in &mut config.outputs {
                output.base_url = base_url.clone();
            }
        }
        let is_served = self.has_sockets || !config.web.listen.is_empty();
        for output in &mut config.outputs {
            output.has_pages = output.site || is_served;
        }
    }
}

async fn start(
    (path, overrides): (&Path, Overrides),
    mut config: Config,
    log: Handle,
) -> Result<(), daemon::Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    let sockets = daemon::inherited_sockets();
    let overrides = Overrides { has_sockets: !sockets.is_empty(), ..overrides };
    overrides.apply(&mut config);
    // From here on a signal does not end the process by itself.
    let (stop, hangup) = (stop_signal().map(drop), signal(SignalKind::hangup()));
    // The terminal is closed, or the process has none.
    let (stop, hangup) = match hangup {
        Ok(hangup) if io::stdin().is_terminal() => (stop_or(stop, Some(hangup)), None),
        hangup => (stop_or(stop, None), hangup.ok()),
    };
    serve_samples(&config, &clock).await;
    let at_reload = source(path, overrides, PathChecks::Writing);
    let (handle, commands) = daemon::handle(at_reload, Some((log, config.log.level)));
    if let Some(hangup) = hangup {
        tokio::spawn(reload_on(hangup, handle));
    }
    let engine = Engine::open(config, clock.clone(), resolver).await?;
    let follower = ListFollower::new(engine.gate().clone(), clock);
    let inputs = Inputs { commands, sockets, follower };
    daemon::run_with(engine, inputs, stop).await
}

/// Resolves when `stop` does, or at the first of these signals.
async fn stop_or(stop: impl Future<Output = ()>, hangup: Option<Signal>) {
    let Some(mut hangup) = hangup else { return stop.await };
    tokio::select! {
        () = stop => {}
        _ = hangup.recv() => {
            let help = "'newswire reload' loads the config again";
            tracing::info!(help, "stopping because of SIGHUP, as the daemon was started on a terminal");
        }
    }
}

/// Loads the config at `path` at each call. With [`PathChecks::Writing`], it has the errors of `newswire check`.
fn source(path: &Path, overrides: Overrides, paths: PathChecks) -> ConfigSource {
    let path = path.to_owned();
    Arc::new(move || {
        let mut loaded = Files::gather(&path).read(paths);
        if let Some(config) = &mut loaded.config {
            overrides.apply(config);
        }
        loaded
    })
}

/// Serves the sample feeds until the process ends, if the config has some. Without them the daemon is still of
/// use, so an error is only logged.
async fn serve_samples(config: &Config, clock: &Clock) {
    let Some(address) = config.web.samples else { return };
    if !config.subscriptions.iter().any(|it| init::is_sample(config, &it.feed.url)) {
        return;
    }
    match TcpListener::bind(address).await {
        Ok(listener) => {
            tokio::spawn(samples::serve(listener, clock.clone(), std::future::pending()));
        }
        Err(error) => tracing::warn!(%address, %error, "cannot serve the sample feeds"),
    }
}

/// Reloads the config at each SIGHUP. The result is logged.
async fn reload_on(mut hangup: Signal, handle: DaemonHandle) {
    while hangup.recv().await.is_some() {
        drop(handle.reload().await);
    }
}

/// Fetches lists of feeds and returns the config with their feeds, for a single pass of these feeds.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(super) async fn with_current_lists(
    path: &Path,
    config: Config,
    selection: &FeedSelection,
) -> Result<Config, daemon::Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    let source = source(path, Overrides::default(), PathChecks::Existence);
    let lists = match selection {
        FeedSelection::WithPaused => ListSelection::All,
        FeedSelection::Due | FeedSelection::All | FeedSelection::Named(_) => ListSelection::Due,
    };
    fetch_lists(config, (clock, resolver), &source, lists).await
}

/// Fetches lists of feeds and returns the config with their feeds. A list that cannot be fetched keeps its last copy. The
/// lists that are files get a copy.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub async fn fetch_lists(
    config: Config,
    (clock, resolver): (Clock, Arc<dyn Resolver>),
    source: &ConfigSource,
    selection: ListSelection,
) -> Result<Config, daemon::Error> {
    // Blocks, beside nothing else. The next run looks at the files again.
    let _ = daemon::keep_list_files(&config.followed, clock.now());
    if !config.followed.iter().any(|list| matches!(list, Followed::Web { .. })) {
        return Ok(config);
    }
    create_missing(&config.store.path, &clock);
    let ledger = Ledger::beside(&config.store.path);
    let gate = Gate::new(Arc::new(Fetcher::new(resolver)?), ledger, clock.clone());
    let follower = ListFollower::new(gate, clock);
    let lists = FollowedLists { lists: config.followed.clone(), fetch: config.fetch.clone() };
    match follower.fetch(&lists, selection).await {
        ListChange::Changed => Ok(source().config.unwrap_or(config)),
        ListChange::Unchanged => Ok(config),
    }
}

/// Resolves at the first SIGTERM or SIGINT, to its exit code; a second one ends the process. Signals are caught from the
/// call on, not only from the first poll of the future.
pub(super) fn stop_signal() -> impl Future<Output = Exit> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            // Without handlers the signals end the process, which the store survives.
            return std::future::pending().await;
        };
        let exit = first(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            let exit = first(&mut terminate, &mut interrupt).await;
            #[expect(clippy::exit, reason = "the second signal: end without finishing the polls")]
            std::process::exit(exit as i32);
        });
        exit
    }
}

async fn first(terminate: &mut Signal, interrupt: &mut Signal) -> Exit {
    tokio::select! {
        _ = terminate.recv() => Exit::Terminated,
        _ = interrupt.recv() => Exit::Interrupted,
    }
}

/// Reloads the config in the daemon. The config at `path` may have errors; only its database path is needed.
pub(super) fn reload(path: &Path) -> Result<Exit, Exit> {
    request(path, &Request::Reload, CommandError::NotApplied)
}

/// Changes the log levels of the daemon for the duration `time`.
pub(super) fn log_level(path: &Path, levels: &str, time: &str) -> Result<Exit, Exit> {
    let time = config::duration(time)
        .map_err(|_| report(&CommandError::Duration { option: "--for", value: time.to_owned() }))?;
    let (levels, seconds) = (levels.to_owned(), time.as_secs().unsigned_abs());
    request(path, &Request::LogLevel { levels, seconds }, CommandError::LogLevel)
}

/// Sends a request to the daemon and prints its reply. `to_error` makes the error of a request that was not done.
fn request(
    path: &Path,
    request: &Request,
    to_error: fn(String) -> CommandError,
) -> Result<Exit, Exit> {
    let reply = send(&config::load(path).database, request, |_| ());
    print_reply(reply.map_err(failed)?, "").map_err(|reason| report(&to_error(reason)))
}

/// Prints the last reply of the daemon, after `begin`. The error is why the daemon did not do what was asked.
pub(super) fn print_reply(reply: Reply, begin: &str) -> Result<Exit, String> {
    match reply {
        Reply::Done { message, warnings } => {
            print_error(&warnings);
            print(&format!("{begin}{message}\n"));
            Ok(Exit::Ok)
        }
        Reply::Rejected(diagnostics) => {
            print_error(&diagnostics);
            Ok(report(&CommandError::Rejected))
        }
        Reply::UnknownFeed(reason) | Reply::Progress(reason) | Reply::Failed(reason) => Err(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Loaded, Style};

    #[test]
    fn a_reload_has_the_errors_of_newswire_check() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let text = "version = 1\n[store]\npath = \"data\"\n[[output]]\nid = \"all\"\n";
        std::fs::write(&path, text).unwrap();
        let load = |paths| source(&path, Overrides::default(), paths)();
        assert!(load(PathChecks::Existence).config.is_some());
        let Loaded { config, report, .. } = load(PathChecks::Writing);
        let text = report.draw(Style::Plain);
        assert!(config.is_none() && text.contains("is a folder"), "{text}");
    }
    #[test]
    fn pages_are_served_on_sockets_of_the_service_manager_without_listen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        let text = "version = 1\n[web]\nlisten = \"off\"\n[[output]]\nid = \"all\"\n";
        std::fs::write(&path, text).unwrap();
        let has_pages = |overrides| {
            let loaded = source(&path, overrides, PathChecks::Existence)();
            loaded.config.unwrap().outputs[0].has_pages
        };
        assert!(!has_pages(Overrides::default()));
        assert!(has_pages(Overrides { has_sockets: true, ..Overrides::default() }));
        let listen = Some(vec!["127.0.0.1:8420".parse::<std::net::SocketAddr>().unwrap().into()]);
        assert!(has_pages(Overrides { listen, ..Overrides::default() }));
    }
}
