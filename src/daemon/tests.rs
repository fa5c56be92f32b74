//! Tests of the main loop with a feed on loopback.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::clock::Clock;
use crate::config;
use crate::fetch::SystemResolver;
use crate::store::{Reader, Write};

const FEED: &str = "<rss version='2.0'><channel><title>T</title>\
                    <item><guid>a</guid><title>A</title></item></channel></rss>";

/// A server of one feed. Returns its port and the number of its requests.
async fn origin(document: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, requests) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::Relaxed);
            drop(stream.read(&mut [0; 4096]).await);
            let length = document.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(format!("{head}{document}").as_bytes()).await.unwrap();
        }
    });
    (port, requests)
}

/// An engine with one feed, on this port, which is polled once. With its clock and the path of its database.
async fn polled(port: u16, folder: &Path) -> (Engine, Clock, PathBuf) {
    let text = format!(
        "version = 1\n[fetch]\nallow_networks = [\"127.0.0.1\"]\n[web]\nlisten = \"off\"\n\
         [[output]]\nid = \"all\"\n[[feed]]\nid = \"one\"\nurl = \"http://127.0.0.1:{port}/\"\n"
    );
    let loaded = config::read(text, &folder.join("newswire.toml"), folder);
    let clock = Clock::manual("2027-01-01T12:00:00Z".parse().unwrap());
    let resolver = Arc::new(SystemResolver::new());
    let engine = Engine::open(loaded.config.unwrap(), clock.clone(), resolver).await.unwrap();
    pass(&engine, (&FeedSelection::All, Trigger::Due), |_, _| {}).await.unwrap();
    (engine, clock, loaded.database)
}

#[tokio::test]
async fn a_removal_of_many_texts_is_done_in_short_steps() {
    let item = |n| format!("<item><guid>{n}</guid><title>Title {n}</title></item>");
    let items: String = (0..1_200).map(item).collect();
    let document = format!("<rss version='2.0'><channel><title>T</title>{items}</channel></rss>");
    let (folder, (port, _)) = (tempfile::tempdir().unwrap(), origin(document).await);
    let (engine, clock, database) = polled(port, folder.path()).await;
    let texts = || store::check(&database).unwrap().texts;
    assert_eq!(texts(), 1_200);
    clock.advance(Duration::from_secs(401 * 24 * 60 * 60));
    for left in [700, 200] {
        assert!(!engine.drop_expired(clock.elapsed()).await.unwrap());
        assert_eq!(texts(), left);
    }
    assert!(engine.drop_expired(Duration::MAX).await.unwrap());
    assert_eq!(texts(), 0);
}

#[tokio::test]
async fn polls_start_and_the_watchdog_is_notified_while_a_match_takes_long() {
    let folder = tempfile::tempdir().unwrap();
    let (port, requests) = origin(FEED.to_owned()).await;
    let (engine, clock, database) = polled(port, folder.path()).await;
    assert_eq!(requests.load(Ordering::Relaxed), 1);
    // A match that is under way and does not end.
    let matcher = engine.matcher().clone();
    let mut long = Box::pin(matcher.step());
    while long.as_mut().now_or_never().is_some() {
        long = Box::pin(matcher.step());
    }
    let readiness = engine.readiness().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let daemon = tokio::spawn(run(engine, async { drop(stopped.await) }));
    let advance = async |holds: &dyn Fn() -> bool| {
        for _ in 0..2_000 {
            if holds() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            clock.advance(Duration::from_millis(100));
        }
        false
    };
    let notified = || readiness.last_heartbeat(Part::Scheduler);
    assert!(advance(&|| notified().is_some()).await, "the daemon does not start");
    // Another process makes all items pending.
    let regroup = Write::Regroup { since: Timestamp::UNIX_EPOCH };
    store::transact(&database, |transaction| transaction.apply(&regroup)).unwrap().unwrap();
    let pending = || {
        let reader = Reader::open(&database).unwrap();
        reader.read(|reader| reader.pending(10)).unwrap().len()
    };
    let later = clock.elapsed() + Duration::from_secs(15);
    assert!(advance(&|| notified() > Some(later)).await, "the watchdog is not notified");
    clock.advance(Duration::from_secs(2 * 60 * 60));
    assert!(advance(&|| requests.load(Ordering::Relaxed) > 1).await, "no poll starts");
    assert_eq!(pending(), 1);
    drop(long);
    assert!(advance(&|| pending() == 0).await, "the other process' items are not matched");
    stop.send(()).unwrap();
    daemon.await.unwrap().unwrap();
}
