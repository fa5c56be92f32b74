//! The daemon: polls due feeds, publishes, serves, stops, and locks its database.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use newswire::daemon::{self, Engine, Error, FeedSelection};
use newswire::model::Coded as _;
use newswire::outputs::{Publisher, Served};
use newswire::store::{OpenError, Store};
use newswire::web::ListenAddress;
use rusqlite::Connection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::support::origin::Answer;
use crate::support::process::settle;
use crate::support::world::{HOUR, World, poll, rss};

const HOST: &str = "site.test";

/// A running daemon.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub(crate) fn start(engine: Engine) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(daemon::run(engine, async { drop(stopped.await) }));
        Self { stop, task }
    }

    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}

/// Runs the tasks and advances the clock until a condition is true.
pub(crate) async fn until(world: &World, what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        // Sockets and the writer thread need real time, the timers of the daemon that of the manual clock.
        tokio::time::sleep(Duration::from_millis(1)).await;
        world.clock.advance(Duration::from_millis(100));
    }
    panic!("it never came about that {what}; {} requests so far", world.origin.count());
}

pub(crate) async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Connects to a daemon that may still be starting.
pub(crate) async fn connected(address: SocketAddr) -> TcpStream {
    for _ in 0..10_000 {
        if let Ok(stream) = TcpStream::connect(address).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("nobody listens on {address}");
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn due_feeds_are_polled_and_their_items_are_served() {
    let world = World::new().await;
    let (one, two) = (rss(&[("a", "A")]), rss(&[("b", "B"), ("a", "A")]));
    world.origin.route(HOST, "/feed", [Answer::ok(one), Answer::ok(two)]);
    let mut config = world.config(&[world.origin.url(HOST, "/feed")]);
    let address = free_address().await;
    config.web.listen = vec![address.into()];
    let engine = world.open_with(config).await;
    let served = Arc::clone(engine.served());
    let running = Running::start(engine);
    let shows = |title: &str| {
        let document = served.document("planet.json");
        document.is_some_and(|d| String::from_utf8_lossy(&d.body).contains(&format!("\"{title}\"")))
    };
    until(&world, "the feed is polled", || world.status().items == 1).await;
    until(&world, "A is published", || shows("A")).await;
    let answer = get(address, "/planet.atom").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(">A</title>"), "{answer}");
    world.clock.advance(2 * HOUR);
    until(&world, "the feed is polled again", || world.status().items == 2).await;
    until(&world, "B is published", || shows("B")).await;
    running.stop().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it still listens");
}

#[tokio::test]
async fn at_the_start_outputs_are_served_before_pending_items_are_matched() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("b", "B"), ("a", "A")]))]);
    let urls = [world.origin.url(HOST, "/feed")];
    let engine = world.open(&urls).await;
    poll(&engine, FeedSelection::All).await;
    drop(engine);
    // As after a kill between a poll and the match of its items.
    let database = Connection::open(world.database()).unwrap();
    let hide = "UPDATE item SET hidden = 'pending' WHERE title = 'B';
                INSERT INTO pending (item_id) SELECT id FROM item WHERE title = 'B'";
    database.execute_batch(hide).unwrap();
    let pending = "SELECT count(*) FROM pending";
    let pending = || database.query_row(pending, [], |row| row.get::<_, i64>(0)).unwrap();
    let www = world.folder.path().join("www");
    std::fs::remove_dir_all(&www).unwrap();
    let engine = world.open(&urls).await;
    let outputs = engine.outputs().to_vec();
    drop(engine);
    let store = Arc::new(Store::open(&world.database(), world.clock.clone()).unwrap());
    let served = Arc::new(Served::default());
    let publisher = Publisher::new(store, Arc::clone(&served), world.clock.clone());
    publisher.serve(&outputs).await;
    let shows = |served: &Served, title: &str| {
        let document = served.document("planet.json");
        document.is_some_and(|d| String::from_utf8_lossy(&d.body).contains(&format!("\"{title}\"")))
    };
    assert!(shows(&served, "A") && !shows(&served, "B"));
    assert!(served.subscriptions().is_some());
    assert!(pending() == 1 && !www.exists(), "what may take long follows");
    drop(publisher);
    let engine = world.open(&urls).await;
    let served = Arc::clone(engine.served());
    let running = Running::start(engine);
    until(&world, "the other item is served", || shows(&served, "B")).await;
    until(&world, "the files are written", || www.join("planet.json").exists()).await;
    assert_eq!(pending(), 0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_first_publication_after_the_start_has_another_date() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let served = Arc::clone(engine.served());
    let running = Running::start(engine);
    let date = || served.document("planet.json").map(|document| document.last_modified.clone());
    let has_item = || {
        let document = served.document("planet.json");
        document.is_some_and(|it| String::from_utf8_lossy(&it.body).contains("\"A\""))
    };
    let mut before = None;
    // Slowly, so that the poll and the pause after it are over within the second.
    while !has_item() {
        before = date();
        tokio::time::sleep(Duration::from_millis(1)).await;
        world.clock.advance(Duration::from_millis(1));
    }
    assert!(before.is_some(), "nothing is published at the start");
    assert_ne!(date(), before, "another document with the same date");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_link_to_new_archive_pages_comes_with_another_date() {
    let world = World::new().await;
    let items: Vec<(String, String)> =
        (0..25).map(|n| (format!("n{n}"), format!("N{n}"))).collect();
    let items: Vec<(&str, &str)> = items.iter().map(|(a, b)| (&**a, &**b)).collect();
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&items))]);
    let mut config = world.config(&[world.origin.url(HOST, "/feed")]);
    config.outputs[0].items = 10;
    let engine = world.open_with(config).await;
    let served = Arc::clone(engine.served());
    let running = Running::start(engine);
    let mut contents = HashMap::new();
    loop {
        if let Some(document) = served.document("planet.json") {
            let first =
                contents.entry(document.last_modified.clone()).or_insert(document.body.clone());
            assert_eq!(*first, document.body, "two contents with the same date");
            if String::from_utf8_lossy(&document.body).contains("planet/archive/2.json") {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        world.clock.advance(Duration::from_millis(1));
    }
    assert!(contents.len() >= 3, "nothing, then the items, then the link: {}", contents.len());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_daemon_serves_on_all_its_addresses() {
    let world = World::new().await;
    let mut config = world.config(&[]);
    let (tcp, path) = (free_address().await, world.folder.path().join("web.sock"));
    config.web.listen = vec![tcp.into(), ListenAddress::Unix { path: path.clone(), mode: 0o600 }];
    let running = Running::start(world.open_with(config).await);
    drop(connected(tcp).await);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.stop().await.unwrap();
    assert!(!path.exists(), "the socket is left");
}

#[tokio::test]
async fn a_running_poll_is_finished_before_the_daemon_stops() {
    let world = World::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Answer::Held(Arc::clone(&gate), Box::new(Answer::ok(rss(&[("a", "A")]))));
    world.origin.route(HOST, "/feed", [held]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let running = Running::start(engine);
    until(&world, "the origin is asked", || world.origin.count() == 1).await;
    let stopping = tokio::spawn(running.stop());
    tokio::task::yield_now().await;
    gate.add_permits(1);
    stopping.await.unwrap().unwrap();
    assert_eq!(world.status().items, 1);
    // Its items were published.
    let file = std::fs::read_to_string(world.folder.path().join("www/planet.rss")).unwrap();
    assert!(file.contains("<title>A</title>"), "{file}");
}

#[tokio::test]
async fn a_poll_that_does_not_end_is_cancelled_at_the_stop() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::Stall(Vec::new())]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let running = Running::start(engine);
    until(&world, "the origin is asked", || world.origin.count() == 1).await;
    let stopping = tokio::spawn(running.stop());
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    // The loop may not have reached its end yet; the clock advances until it has.
    while !stopping.is_finished() {
        world.clock.advance(Duration::from_secs(5));
        tokio::task::yield_now().await;
    }
    stopping.await.unwrap().unwrap();
    assert_eq!(world.status().last_poll_at, None);
}

#[tokio::test]
async fn a_second_daemon_gets_the_process_id_of_the_first() {
    let world = World::new().await;
    let _first = world.open(&[]).await;
    let second =
        Engine::open(world.config(&[]), world.clock.clone(), world.origin.resolver()).await;
    let error = second.expect_err("refused");
    assert!(matches!(error, Error::Open(OpenError::InUse { .. })), "{error}");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
}

#[tokio::test]
async fn an_address_in_use_is_an_error_before_the_first_poll() {
    let world = World::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = world.config(&[world.origin.url(HOST, "/feed")]);
    config.web.listen = vec![taken.local_addr().unwrap().into()];
    let error =
        daemon::run(world.open_with(config).await, std::future::pending()).await.unwrap_err();
    assert_eq!(error.code(), "address_in_use");
    assert!(error.help().unwrap().contains("[web] listen"), "{error}");
    assert_eq!(world.origin.count(), 0);
}

#[tokio::test]
async fn polls_of_many_due_feeds_are_spread_at_the_start() {
    let world = World::new().await;
    let urls: Vec<_> = (0..100)
        .map(|n| {
            let host = format!("h{n}.test");
            world.origin.route(&host, "/", [Answer::ok(rss(&[("a", "A")]))]);
            world.origin.url(&host, "/")
        })
        .collect();
    let running = Running::start(world.open(&urls).await);
    // The clock does not advance: only feeds that are due now are polled.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(world.origin.count() < 20, "{} at once", world.origin.count());
    until(&world, "all are asked", || world.origin.count() == 100).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_polls_only_what_is_due() {
    let world = World::new().await;
    world.origin.route("a.test", "/", [Answer::ok(rss(&[("a", "A")]))]);
    world.origin.route("b.test", "/", [Answer::ok(rss(&[("b", "B")]))]);
    let (a, b) = (world.origin.url("a.test", "/"), world.origin.url("b.test", "/"));
    let running = Running::start(world.open(std::slice::from_ref(&a)).await);
    until(&world, "a is polled", || world.status().items == 1).await;
    running.stop().await.unwrap();
    world.clock.advance(HOUR / 2);
    let running = Running::start(world.open(&[a, b]).await);
    until(&world, "b is polled", || world.statuses().iter().all(|feed| feed.items == 1)).await;
    running.stop().await.unwrap();
    let hosts: Vec<_> = world.origin.asked().into_iter().map(|asked| asked.host).collect();
    assert_eq!(hosts, ["a.test", "b.test"]);
}

#[tokio::test]
async fn a_feed_that_moves_meanwhile_takes_turns_with_the_feeds_of_its_new_site() {
    let mut world = World::new().await;
    (world.schedule.per_host, world.concurrency) = (1, 2);
    let moved = world.origin.url("new.test", "/moved");
    world.origin.route("old.test", "/feed", [Answer::redirect(301, &moved)]);
    let feeds = [("new.test", "/moved"), ("new.test", "/own"), ("other.test", "/feed")];
    for (host, path) in feeds {
        world.origin.route(host, path, [Answer::ok(rss(&[("a", "A")]))]);
    }
    let urls = [("old.test", "/feed"), feeds[1], feeds[2]];
    let urls = urls.map(|(host, path)| world.origin.url(host, path));
    let running = Running::start(world.open(&urls).await);
    let count = |host: &str| world.origin.asked().iter().filter(|asked| asked.host == host).count();
    for _ in 0..8 {
        settle(&world).await;
        world.clock.advance(24 * HOUR);
    }
    let adopted =
        || world.statuses().iter().any(|feed| feed.address.effective == Some(moved.clone()));
    until(&world, "the new address is adopted", adopted).await;
    settle(&world).await;
    // The new site does not answer. Its two feeds take one place.
    let held = Arc::new(Semaphore::new(0));
    for path in ["/moved", "/own"] {
        let answer = Answer::Held(Arc::clone(&held), Box::new(Answer::ok(rss(&[("a", "A")]))));
        world.origin.route("new.test", path, [answer]);
    }
    for _ in 0..3 {
        let other = count("other.test");
        world.clock.advance(2 * HOUR);
        let is_planned = || {
            let mut feeds = world.statuses().into_iter();
            feeds.any(|feed| feed.info.url.contains("other") && feed.next_poll_at > world.now())
        };
        let is_polled = || count("other.test") > other && is_planned();
        until(&world, "the other site is asked", is_polled).await;
    }
    held.add_permits(10);
    running.stop().await.unwrap();
}
