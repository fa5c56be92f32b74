//! `newswire run`: runs the daemon until SIGTERM or Ctrl-C; SIGHUP reloads the config.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::Clock;
use crate::config::{self, Config, Followed};
use crate::daemon::{
    self, ConfigSource, DaemonHandle, Engine, FollowedLists, Inputs, ListChange, ListFollower,
    ListSelection,
};
use crate::fetch::{Fetcher, Resolver, SystemResolver};
use crate::poll::{Gate, Ledger};
use crate::telemetry::Handle;

/// Runs the daemon until the first stop signal and lets it finish its work; a second signal ends the process.
///
/// # Errors
/// When the daemon cannot start or continue.
pub(super) async fn run(path: &Path, config: Config, log: Handle) -> Result<(), daemon::Error> {
    let result = start(path, config, log).await;
    if let Err(error) = &result {
        daemon::notify_failure(error);
    }
    result
}

async fn start(path: &Path, config: Config, log: Handle) -> Result<(), daemon::Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    let sockets = daemon::inherited_sockets();
    // From here on a signal does not end the process by itself.
    let (stop, hangup) = (stop_signal(), signal(SignalKind::hangup()));
    let (mut stop, source) = (pin!(stop), source(path));
    let extension = daemon::extend_startup("fetching lists of feeds");
    let which = ListSelection::DueWithoutCopy;
    let config = tokio::select! {
        () = &mut stop => return Ok(()),
        config = fetch_lists(config, which, clock.clone(), resolver.clone(), &source) => config?,
    };
    drop(extension);
    let (handle, commands) = daemon::handle(source, Some((log, config.log.level)));
    if let Ok(hangup) = hangup {
        tokio::spawn(reload_on(hangup, handle));
    }
    let engine = Engine::open(config, clock.clone(), resolver).await?;
    let follower = ListFollower::new(engine.gate().clone(), clock);
    let inputs = Inputs { commands, sockets, follower };
    daemon::run_with(engine, inputs, stop).await
}

/// Loads the config at `path` at each call.
fn source(path: &Path) -> ConfigSource {
    let path = path.to_owned();
    Arc::new(move || config::load(&path))
}

/// Reloads the config at each SIGHUP. The result is logged.
async fn reload_on(mut hangup: Signal, handle: DaemonHandle) {
    while hangup.recv().await.is_some() {
        drop(handle.reload().await);
    }
}

/// Fetches the lists of feeds that are due and returns the config with their feeds, for a single pass.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(super) async fn with_current_lists(
    path: &Path,
    config: Config,
) -> Result<Config, daemon::Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    fetch_lists(config, ListSelection::Due, clock, resolver, &source(path)).await
}

/// Fetches lists of feeds and returns the config with their feeds. A list that cannot be fetched keeps its
/// last copy.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub async fn fetch_lists(
    config: Config,
    which: ListSelection,
    clock: Clock,
    resolver: Arc<dyn Resolver>,
    source: &ConfigSource,
) -> Result<Config, daemon::Error> {
    if !config.followed.iter().any(|list| matches!(list, Followed::Web { .. })) {
        return Ok(config);
    }
    let ledger = Ledger::beside(&config.store.path);
    let gate = Gate::new(Arc::new(Fetcher::new(resolver)?), ledger, clock.clone());
    let follower = ListFollower::new(gate, clock);
    let lists = FollowedLists { lists: config.followed.clone(), fetch: config.fetch.clone() };
    match follower.fetch(&lists, which).await {
        ListChange::Changed => Ok(source().config.unwrap_or(config)),
        ListChange::Unchanged => Ok(config),
    }
}

/// Resolves at the first SIGTERM or SIGINT; a second one ends the process. Signals are caught from the call
/// on, not only from the first poll of the future.
pub(super) fn stop_signal() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            // Without handlers the signals end the process, which the store survives.
            return std::future::pending().await;
        };
        first(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            first(&mut terminate, &mut interrupt).await;
            #[expect(clippy::exit, reason = "the second signal: end without finishing the polls")]
            std::process::exit(1);
        });
    }
}

async fn first(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
