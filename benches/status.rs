//! How long the operator's pages take with many feeds: over HTTP, from a database with a hundred items
//! and two weeks of hourly polls of each feed.

#![allow(clippy::print_stdout, missing_docs, reason = "a bench is read by a person")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use newswire::clock::Clock;
use newswire::model::Feed;
use newswire::outputs::Served;
use newswire::store::{Lists, Reader, Store};
use newswire::telemetry::Metrics;
use newswire::web;
use rusqlite::{Connection, params};

const ITEMS: i64 = 100;
const POLLS: i64 = 14 * 24;
const HOUR: i64 = 3_600_000;
const TIMES: usize = 20;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{:>6}  {:<32} {:>9} {:>9} {:>9}", "feeds", "page", "median", "slowest", "bytes");
    for feeds in [100, 500, 1_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("newswire.db");
        let clock = Clock::system();
        runtime.block_on(fill(&path, feeds, &clock));
        let reader = Reader::open(&path).expect("a database");
        let metrics = Metrics::new("0", clock.now());
        let operator_pages =
            web::OperatorPages { reader, clock, metrics, readiness: Default::default() };
        let site = web::Site::new(Arc::new(Served::new()), web::Settings::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let site = Arc::new(site.with_operator_pages(operator_pages));
        runtime.spawn(web::serve(web::Listener::Tcp(listener), site, std::future::pending()));
        for page in ["/status", "/status?state=well&sort=news", "/status.json", "/status/feed-7"] {
            measure(address, feeds, page);
        }
    }
}

fn measure(address: SocketAddr, feeds: usize, page: &str) {
    let mut times: Vec<(Duration, usize)> = (0..TIMES).map(|_| get(address, page)).collect();
    times.sort();
    let (median, bytes) = times[TIMES / 2];
    let slowest = times[TIMES - 1].0;
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    println!("{feeds:>6}  {page:<32} {:>9} {:>9} {bytes:>9}", ms(median), ms(slowest));
}

#[expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]
fn get(address: SocketAddr, page: &str) -> (Duration, usize) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    let host = format!("localhost:{}", address.port());
    write!(stream, "GET {page} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    (begun.elapsed(), answer.len())
}

/// Feeds with items and polls, as weeks would have left them.
async fn fill(path: &Path, feeds: usize, clock: &Clock) {
    let store = Store::open(path, clock.clone()).expect("a database");
    let feed = |n: usize| Feed {
        id: Some(newswire::model::FeedId::new(&format!("feed-{n}")).expect("an id")),
        url: format!("https://site{n}.example/feed.xml").parse().expect("a URL"),
        title: Some(format!("The journal of things number {n}")),
        tags: vec![format!("tag{}", n % 9)],
        removal: Default::default(),
    };
    store
        .register((0..feeds).map(feed).collect(), Lists::Known, clock.now())
        .await
        .expect("registered");
    drop(store);
    let now = clock.now().as_millisecond();
    let mut database = Connection::open(path).expect("the same");
    let all = database.transaction().expect("a transaction");
    for feed in 1..=feeds as i64 {
        for n in 0..ITEMS {
            let (id, at) = ((feed - 1) * ITEMS + n + 1, now - (ITEMS - n) * 7 * HOUR);
            all.execute(
                "INSERT INTO item (id, feed_id, story_id, outward_id, fingerprint, first_seen_at, sort_at, title)
                 VALUES (?1, ?2, ?1, 'urn:x:' || ?1, x'', ?3, ?3, 'An item number ' || ?1)",
                params![id, feed, at],
            )
            .expect("an item");
        }
        for n in 0..POLLS {
            all.execute(
                "INSERT INTO poll VALUES (?1, ?2, 'not_modified', 304, 120, 0, 0, 0, 0, NULL)",
                params![feed, now - n * HOUR],
            )
            .expect("a poll");
        }
    }
    for n in 0..POLLS {
        let hour = now / HOUR - n;
        all.execute("INSERT INTO poll_hour VALUES (?1, 1000, 20, 900, 5000000, 80)", [hour])
            .expect("an hour");
        for bucket in 0..9 {
            all.execute("INSERT INTO delivery_delay VALUES (?1, ?2, 9)", [hour, bucket])
                .expect("delays");
        }
    }
    let failing = "UPDATE feed SET last_poll_at = ?1, last_outcome = iif(id % 20, 'not_modified', 'server_error'),
                          failures = iif(id % 20, 0, 9), failing_since = iif(id % 20, NULL, ?1 - 90000000),
                          last_message = iif(id % 20, NULL, 'the server has a fault of its own (HTTP 500)'),
                          last_new_at = ?1, next_poll_at = ?1 + 3600000, items = 100";
    all.execute(failing, [now]).expect("feeds");
    all.commit().expect("a database");
}
