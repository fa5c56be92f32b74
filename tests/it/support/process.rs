//! The two ways in which feeds are polled: by cron, a process for each pass, and by one daemon.

use std::sync::Arc;
use std::time::Duration;

use newswire::daemon::{Engine, FeedSelection};
use newswire::store::Reader;
use rusqlite::Connection;
use url::Url;

use crate::daemon::Running;
use crate::support::origin::Names;
use crate::support::world::{World, ends};

/// What polls the feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    Cron,
    Daemon,
}

impl Process {
    pub(crate) const ALL: [Self; 2] = [Self::Cron, Self::Daemon];

    /// Polls what is due, and advances the clock after each of these steps.
    pub(crate) async fn run(
        self,
        world: &World,
        (urls, names): (&[Url], &Arc<Names>),
        steps: impl IntoIterator<Item = Duration>,
    ) {
        let open = || {
            let (config, names) = (world.config(urls), Arc::clone(names));
            async { Engine::open(config, world.clock.clone(), names).await.unwrap() }
        };
        match self {
            Self::Cron => {
                for step in steps {
                    ends(&open().await, FeedSelection::Due).await;
                    world.clock.advance(step);
                }
            }
            Self::Daemon => {
                let running = Running::start(open().await);
                for step in steps {
                    settle(world).await;
                    world.clock.advance(step);
                }
                running.stop().await.unwrap();
            }
        }
    }
}

/// Waits until the daemon has polled every feed that is due.
pub(crate) async fn settle(world: &World) {
    let reader = Reader::open(&world.database()).unwrap();
    for _ in 0..20_000 {
        let now = world.now();
        let statuses = reader.read(|reader| reader.feed_statuses()).unwrap();
        if !statuses.is_empty() && statuses.iter().all(|feed| feed.next_poll_at > now) {
            return;
        }
        // Sockets and the writer thread need real time, the timers of the daemon that of the manual clock.
        tokio::time::sleep(Duration::from_millis(1)).await;
        world.clock.advance(Duration::from_millis(50));
    }
    panic!("a feed that is due is not polled");
}

/// Whether a request is being answered, or the result of one is not stored yet.
fn is_polling(world: &World, database: &Connection) -> bool {
    let sql = "SELECT EXISTS (SELECT 1 FROM asked JOIN feed ON asked.by = 'feed:' || feed.name
               WHERE asked.scope = 'url' AND asked.at > ifnull(feed.last_poll_at, 0))";
    let is_polling = || database.query_row(sql, [], |row| row.get(0)).unwrap();
    world.origin.is_answering() || is_polling()
}

/// Whether stored times are by the clock as it is now, to a minute.
fn is_clock_followed(world: &World, database: &Connection) -> bool {
    let sql = "SELECT offset FROM clock";
    let stored: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
    let (now, since_boot) = (world.now().as_millisecond(), world.clock.since_boot().as_millis());
    (stored + i64::try_from(since_boot).unwrap() - now).abs() < 60_000
}

/// Advances the clock by this time, in steps in which the daemon can work. While a poll runs, or the daemon has not seen
/// yet that the clock was set, it advances slowly: limits of time are on the manual clock, and a busy machine needs real
/// time for sockets and the writer thread.
pub(crate) async fn elapse(world: &World, time: Duration) {
    let database = Connection::open(world.database()).unwrap();
    let end = world.clock.elapsed() + time;
    let mut turns = 0;
    while world.clock.elapsed() < end {
        tokio::time::sleep(Duration::from_millis(1)).await;
        // A poll that is given up has no result: the wait for it has an end.
        let slowly =
            turns < 400 && (is_polling(world, &database) || !is_clock_followed(world, &database));
        turns = if slowly { turns + 1 } else { 0 };
        let step = Duration::from_millis(if slowly { 10 } else { 5_000 });
        world.clock.advance(step.min(end - world.clock.elapsed()));
    }
}

/// Advances the clock while the work runs, so that it waits for turns and slow servers.
pub(crate) async fn driven<T>(world: &World, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(Duration::from_millis(1)) => {
                world.clock.advance(Duration::from_millis(200));
            }
        }
    }
}
