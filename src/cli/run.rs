//! `newswire run`: the daemon, until SIGTERM or Ctrl-C, with the config read
//! again at SIGHUP.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::Clock;
use crate::config::{self, Config, Followed};
use crate::daemon::{self, Ask, Engine, Error, Follower, Freshness, Outside, Remote, Source};
use crate::fetch::{Resolver, SystemResolver};
use crate::telemetry::Handle;

/// Runs the daemon until it is told to stop, and drains; a second signal ends it at once. SIGHUP has
/// the config read again.
///
/// # Errors
/// When newswire itself cannot go on.
pub async fn run(path: &Path, config: Config, log: Handle) -> Result<(), Error> {
    let ended = work(path, config, log).await;
    if let Err(error) = &ended {
        daemon::tell_failure(error);
    }
    ended
}

async fn work(path: &Path, config: Config, log: Handle) -> Result<(), Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    let given = daemon::given_sockets();
    // From here on no signal ends it untimely.
    let (told_to_stop, hangup) = (until_told_to_stop(), signal(SignalKind::hangup()));
    let (mut told_to_stop, source) = (pin!(told_to_stop), source(path));
    let asking = daemon::patience("asking for lists of feeds");
    let config = tokio::select! {
        () = &mut told_to_stop => return Ok(()),
        config = listed(config, Ask::Missing, clock.clone(), resolver.clone(), &source) => config?,
    };
    drop(asking);
    let (remote, orders) = daemon::remote(source, Some((log, config.log.level)));
    if let Ok(hangup) = hangup {
        tokio::spawn(on(hangup, remote));
    }
    let follower = Follower::new(clock.clone(), Arc::clone(&resolver) as Arc<dyn Resolver>)?;
    let engine = Engine::open(config, clock, resolver).await?;
    let outside = Outside { orders, given, follower };
    daemon::run_within(engine, outside, told_to_stop).await
}

/// Reads the config at `path` as it is when it is called.
fn source(path: &Path) -> Source {
    let path = path.to_owned();
    Arc::new(move || config::load(&path))
}

/// Has the config read again at each SIGHUP. What came of it is in the log.
async fn on(mut hangup: Signal, remote: Remote) {
    while hangup.recv().await.is_some() {
        drop(remote.reload().await);
    }
}

/// The config with the lists on the web that are due as they are now, for a single pass.
///
/// # Errors
/// When no HTTP client can be made.
pub(super) async fn current(path: &Path, config: Config) -> Result<Config, Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    listed(config, Ask::Due, clock, resolver, &source(path)).await
}

/// The config with the lists on the web as they are now, where they can be had.
///
/// # Errors
/// When no HTTP client can be made.
pub async fn listed(
    config: Config,
    which: Ask,
    clock: Clock,
    resolver: Arc<dyn Resolver>,
    source: &Source,
) -> Result<Config, Error> {
    if !config.followed.iter().any(|list| matches!(list, Followed::Web { .. })) {
        return Ok(config);
    }
    let follower = Follower::new(clock, resolver)?;
    let lists = (config.followed.clone(), config.fetch.clone());
    match follower.ask(&lists, which).await {
        Freshness::New => Ok(source().config.unwrap_or(config)),
        Freshness::Same => Ok(config),
    }
}

/// Resolves at the first SIGTERM or SIGINT, and from then on lets the second one end the process.
/// They are caught from the call on.
pub(crate) fn until_told_to_stop() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            // Without handlers the signals keep their default effect, and the store survives that.
            return std::future::pending().await;
        };
        first(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            first(&mut terminate, &mut interrupt).await;
            #[expect(clippy::exit, reason = "asked twice: do not drain")]
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
