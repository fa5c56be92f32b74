//! A database that cannot be written for a while: published documents stay, and nothing is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use newswire::clock::Clock;
use newswire::daemon::FeedSelection;
use rusqlite::Connection;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use crate::daemon::{Running, connected, free_address, until};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss};
use crate::web::site::ask;

const FEEDS: usize = 15;
/// SQLite waits five seconds for a lock; a wait for each feed would take more than a minute.
const PATIENCE: Duration = Duration::from_secs(15);

/// Advances the clock until newswire reports the failure.
async fn ready(world: &World, address: SocketAddr, what: &str, holds: impl Fn(&Value) -> bool) {
    let real = Clock::system();
    loop {
        let answer = ask(address, "localhost", "GET", "/readyz?verbose", &[]).await;
        let said = serde_json::from_str(&answer.text()).unwrap();
        if holds(&said) {
            return;
        }
        assert!(real.elapsed() < PATIENCE, "it never came about that {what}: {said}");
        world.clock.advance(Duration::from_millis(100));
    }
}

/// Feeds whose second answer waits for a permit, and one that is due again five minutes after its second answer.
fn feeds_that_wait(world: &World, gate: &Arc<Semaphore>) -> Vec<Url> {
    let held = |body| Answer::Held(Arc::clone(gate), Box::new(Answer::ok(body)));
    let hosts = (0..FEEDS).map(|n| format!("site{n}.test"));
    let mut urls: Vec<_> = hosts
        .map(|host| {
            let (one, two) = (rss(&[("a", "A")]), rss(&[("b", "B"), ("a", "A")]));
            // B is in the second answer only: a result that is lost cannot be fetched again.
            let answers = [Answer::ok(one), held(two), Answer::status(304)];
            world.origin.route(&host, "/feed", answers);
            world.origin.url(&host, "/feed")
        })
        .collect();
    // Due again after five minutes, while the database is locked.
    let busy = Answer::status(429).with("Retry-After", 300);
    let route = [Answer::ok(rss(&[("c", "C")])), busy, Answer::status(304)];
    world.origin.route("other.test", "/feed", route);
    urls.push(world.origin.url("other.test", "/feed"));
    urls
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_database_is_reported_and_nothing_is_polled_until_it_is_back() {
    let world = World::new().await;
    world.origin.route("a.test", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let urls = [world.origin.url("a.test", "/feed")];
    let (mut config, address) = (world.config(&urls), free_address().await);
    config.web.listen = vec![address.into()];
    let engine = world.open_with(config).await;
    let served = Arc::clone(engine.served());
    let running = Running::start(engine);
    drop(connected(address).await);
    let document = || served.document("planet.json").map(|it| it.body.clone()).unwrap_or_default();
    let shows = || String::from_utf8_lossy(&document()).contains("\"A\"");
    until(&world, "A is published", shows).await;
    ready(&world, address, "it is ready", |said| !said.to_string().contains("not_polled_yet"))
        .await;
    let (here, away) = (world.database(), world.folder.path().join("elsewhere.db"));
    for replaced in [false, true] {
        std::fs::rename(&here, &away).unwrap();
        if replaced {
            std::fs::copy(&away, &here).unwrap();
        }
        let before = world.clock.elapsed();
        ready(&world, address, "it is missed", |said| said.to_string().contains("store_failing"))
            .await;
        assert!(world.clock.elapsed() - before < Duration::from_secs(60));
        let asked = world.origin.count();
        world.clock.advance(2 * HOUR);
        let served = ask(address, "localhost", "GET", "/planet.json", &[]).await;
        assert!(served.text().contains("\"A\""), "the documents are served");
        assert_eq!(world.origin.count(), asked);
        std::fs::rename(&away, &here).unwrap();
        until(&world, "it polls again", || world.origin.count() > asked).await;
        ready(&world, address, "it is ready", |said| !said.to_string().contains("store_")).await;
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_stops_only_the_polls() {
    let world = World::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let urls = feeds_that_wait(&world, &gate);
    let (mut config, address) = (world.config(&urls), free_address().await);
    config.web.listen = vec![address.into()];
    let engine = world.open_with(config).await;
    let served = Arc::clone(engine.served());
    let running = Running::start(engine);
    let shows = |title: &str| {
        let document = served.document("planet.json");
        document.is_some_and(|d| String::from_utf8_lossy(&d.body).contains(&format!("\"{title}\"")))
    };
    let with = |items| world.statuses().iter().filter(|feed| feed.items == items).count();
    until(&world, "all are polled", || with(1) == FEEDS + 1).await;
    until(&world, "A is published", || shows("A")).await;
    world.clock.advance(2 * HOUR);
    until(&world, "all are asked again", || world.origin.count() == 2 * (FEEDS + 1)).await;
    let throttled = || world.statuses().iter().any(|feed| feed.failures > 0);
    until(&world, "the other feed is throttled", throttled).await;
    let other = Connection::open(world.database()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    gate.add_permits(1_000);
    ready(&world, address, "the trouble is told", |said| {
        said.to_string().contains("store_failing")
    })
    .await;
    let asked = world.origin.count();
    world.clock.advance(HOUR / 4);
    let since = world.clock.elapsed();
    ready(&world, address, "the loop and the writer go on", |said| {
        let passed = (world.clock.elapsed() - since).as_secs_f64();
        let turned =
            |part: &str| said["parts"][part]["heartbeat_age_seconds"].as_f64().unwrap() < passed;
        turned("scheduler") && turned("writer")
    })
    .await;
    assert_eq!(world.origin.count(), asked, "nothing is fetched that cannot be kept");
    assert!(shows("A") && !shows("B"));
    other.execute_batch("COMMIT").unwrap();
    until(&world, "the results are stored", || with(2) == FEEDS).await;
    until(&world, "B is published", || shows("B")).await;
    let asked_for = |host: &str| world.origin.asked().iter().filter(|it| it.host == host).count();
    // Its wait is longer than the clock has moved on a machine that is busy.
    world.clock.advance(HOUR);
    until(&world, "the other feed is polled", || asked_for("other.test") >= 3).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_failing_database_is_not_an_invalid_output() {
    let world = World::new().await;
    world.origin.route("site.test", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let engine = world.open(&[world.origin.url("site.test", "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let other = Connection::open(world.database()).unwrap();
    other.execute_batch("ALTER TABLE item RENAME TO elsewhere").unwrap();
    let failed = engine.publish().await.unwrap_err();
    assert!(failed.to_string().contains("no such table"), "{failed}");
    assert!(engine.served().refusals().is_empty());
    assert!(engine.served().document("planet.json").is_some(), "what was published stands");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_keeps_the_log_from_being_reused_is_reported_until_it_ends() {
    let world = World::new().await;
    world.origin.route(
        "site.test",
        "/feed",
        [Answer::ok(rss(&[("a", "A")])), Answer::ok(rss(&[("b", "B")]))],
    );
    let mut config = world.config(&[world.origin.url("site.test", "/feed")]);
    let address = free_address().await;
    config.web.listen = vec![address.into()];
    let running = Running::start(world.open_with(config).await);
    until(&world, "the feed is polled", || world.status().items == 1).await;
    let reader = Connection::open(world.database()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM feed").unwrap();
    // As many pages as months of polls would write.
    let writer = Connection::open(world.database()).unwrap();
    writer.busy_timeout(Duration::from_secs(10)).unwrap();
    let junk = "PRAGMA synchronous = OFF; CREATE TABLE junk (x); \
        INSERT INTO junk VALUES (zeroblob(140 * 1024 * 1024)); DROP TABLE junk";
    writer.execute_batch(junk).unwrap();
    drop(writer);
    let log = world.folder.path().join("newswire.db-wal");
    let size = || std::fs::metadata(&log).map_or(0, |meta| meta.len() >> 20);
    assert!(size() >= 128, "{} MiB", size());
    let has = |said: &Value| said.to_string().contains("store_log_large");
    ready(&world, address, "the large log is reported", has).await;
    drop(reader);
    world.clock.advance(2 * HOUR);
    ready(&world, address, "the log is reused and small", |said| !has(said)).await;
    until(&world, "the log has its limit", || size() <= 64).await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_what_nothing_reads_is_found_within_a_week() {
    let world = World::new().await;
    world.origin.route("a.test", "/feed", [Answer::ok(rss(&[("a", "A"), ("b", "B")]))]);
    let (mut config, address) =
        (world.config(&[world.origin.url("a.test", "/feed")]), free_address().await);
    config.web.listen = vec![address.into()];
    let engine = world.open_with(config.clone()).await;
    poll(&engine, FeedSelection::All).await;
    drop(engine);
    // The index does not follow a change while the schema does not have it.
    let damage = "PRAGMA writable_schema = ON;
             CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'item_url';
             DELETE FROM sqlite_schema WHERE name = 'item_url';
             PRAGMA writable_schema = RESET;
             UPDATE item SET url_key = randomblob(16);
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema SELECT * FROM kept";
    Connection::open(world.database()).unwrap().execute_batch(damage).unwrap();
    let running = Running::start(world.open_with(config).await);
    drop(connected(address).await);
    let mut hours = 0;
    loop {
        let answer = ask(address, "localhost", "GET", "/readyz?verbose", &[]).await.text();
        if answer.contains("store_damaged") {
            break;
        }
        hours += 1;
        assert!(hours < 7 * 24, "{answer}");
        world.clock.advance(HOUR);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The table is one of two dozen; one is looked at each hour.
    running.stop().await.unwrap();
}
