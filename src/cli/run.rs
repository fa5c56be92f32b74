//! `newswire run`: the daemon, until SIGTERM or Ctrl-C; anew when a list of feeds that it follows has
//! changed.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::warn;

use crate::clock::Clock;
use crate::config::{Config, Files, Followed, Look};
use crate::daemon::{self, Ask, Change, Ending, Engine, Error, Follower, Seen};
use crate::fetch::{Resolver, SystemResolver};
use crate::store::OpenError;

/// What a dropped poll still does with the database is done within so many tenths of a second.
const LETTING_GO: u32 = 100;

/// Runs the daemon until it is told to stop, and drains; a second signal ends it at once.
///
/// # Errors
/// When newswire itself cannot go on.
pub async fn run(path: &Path, config: Config) -> Result<(), Error> {
    let resolver = Arc::new(SystemResolver::new());
    let again = reader(path);
    let config = listed(config, Ask::Missing, Clock::system(), resolver.clone(), &again).await?;
    follow(config, Clock::system(), resolver, again, until_told_to_stop()).await
}

/// The config with the lists on the web that are due as they are now, for a single pass.
///
/// # Errors
/// When no HTTP client can be made.
pub(super) async fn current(path: &Path, config: Config) -> Result<Config, Error> {
    let (clock, resolver) = (Clock::system(), Arc::new(SystemResolver::new()));
    listed(config, Ask::Due, clock, resolver, reader(path)).await
}

/// Reads the config as it stood when this was made, with its lists as they stand when it is called.
fn reader(path: &Path) -> impl Fn() -> Option<Config> + use<> {
    let files = Files::gather(path);
    move || files.read(Look::Quick).config
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
    again: impl Fn() -> Option<Config>,
) -> Result<Config, Error> {
    if !config.followed.iter().any(|list| matches!(list, Followed::Web { .. })) {
        return Ok(config);
    }
    let follower = Follower::new(config.fetch.clone(), clock, resolver)?;
    match follower.ask(&config.followed, which).await {
        Change::Some => Ok(again().unwrap_or(config)),
        Change::None => Ok(config),
    }
}

/// Runs the daemon, and once more with what `again` reads whenever a list has changed, until `stop`.
///
/// # Errors
/// When newswire itself cannot go on.
pub async fn follow(
    mut config: Config,
    clock: Clock,
    resolver: Arc<dyn Resolver>,
    again: impl Fn() -> Option<Config>,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let follower = Follower::new(config.fetch.clone(), clock.clone(), Arc::clone(&resolver))?;
    let mut stop = pin!(stop);
    let mut engine = Engine::open(config.clone(), clock.clone(), Arc::clone(&resolver)).await?;
    loop {
        let mut seen = Seen::now(&config.followed);
        let mut next = None;
        let ending = async {
            tokio::select! {
                () = &mut stop => Ending::Stop,
                new = renewed(&follower, &config.followed, &mut seen, &again) => {
                    next = Some(new);
                    Ending::Renew
                }
            }
        };
        if daemon::run_until(engine, ending).await? == Ending::Stop {
            return Ok(());
        }
        config = next.unwrap_or(config);
        engine = reopened(&config, &clock, &resolver).await?;
    }
}

/// The config with a list that has changed; one that cannot be read leaves all as it is.
async fn renewed(
    follower: &Follower,
    followed: &[Followed],
    seen: &mut Seen,
    again: &impl Fn() -> Option<Config>,
) -> Config {
    loop {
        follower.changed(followed, seen).await;
        match again() {
            Some(config) => return config,
            None => warn!(
                "a list of feeds has changed and cannot be read: 'newswire check' tells why; the feeds stay as they were"
            ),
        }
    }
}

async fn reopened(
    config: &Config,
    clock: &Clock,
    resolver: &Arc<dyn Resolver>,
) -> Result<Engine, Error> {
    let mut tries = 0;
    loop {
        match Engine::open(config.clone(), clock.clone(), Arc::clone(resolver)).await {
            Err(Error::Open(OpenError::InUse { .. })) if tries < LETTING_GO => tries += 1,
            opened => return opened,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Resolves at the first SIGTERM or SIGINT, and from then on lets the second one end the process.
pub(crate) async fn until_told_to_stop() {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
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

async fn first(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
