//! `newswire run`: the daemon, until SIGTERM or Ctrl-C.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Engine, Error};
use crate::fetch::SystemResolver;

/// Runs the daemon until it is told to stop, and drains; a second signal ends it at once.
///
/// # Errors
/// When newswire itself cannot go on.
pub async fn run(config: Config) -> Result<(), Error> {
    let engine = Engine::open(config, Clock::system(), Arc::new(SystemResolver::new())).await?;
    daemon::run(engine, until_told_to_stop()).await
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
