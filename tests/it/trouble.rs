//! A database that cannot be written to for a while: what was published stands, and nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use newswire::clock::Clock;
use newswire::daemon;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::daemon::until;
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, rss};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_somebody_keeps_locked_stops_the_polls_and_nothing_else() {
    let world = World::new().await;
    let (one, two) = (rss(&[("a", "A")]), rss(&[("b", "B"), ("a", "A")]));
    world.origin.route("site.test", "/feed", [Answer::ok(one), Answer::ok(two)]);
    let engine = world.open(&[world.origin.url("site.test", "/feed")]).await;
    let shelf = Arc::clone(engine.shelf());
    let shows = |title: &str| {
        let document = shelf.document("planet.json");
        document.is_some_and(|d| String::from_utf8_lossy(&d.body).contains(&format!("\"{title}\"")))
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(daemon::run(engine, async { drop(stopped.await) }));
    until(&world, "A is published", || shows("A")).await;
    let other = Connection::open(world.database()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    world.clock.advance(2 * HOUR);
    // SQLite waits five seconds for whoever has the lock.
    let real = Clock::system();
    while real.elapsed() < Duration::from_secs(7) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        world.clock.advance(Duration::from_secs(1));
    }
    assert!(!running.is_finished(), "it has ended: {:?}", running.await);
    assert!(shows("A") && !shows("B"));
    other.execute_batch("COMMIT").unwrap();
    // The poll that could not be kept was never made: it is made again.
    until(&world, "B is published", || shows("B")).await;
    assert_eq!(world.status().items, 2);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
