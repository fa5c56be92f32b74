//! An outage of the network under the daemon: documents are served, no feed is blamed, and its end is noticed at once.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use newswire::daemon::{Engine, FeedSelection};
use newswire::fetch::{ResolveError, Resolver};
use newswire::model::{FeedStatus, ReasonKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::daemon::{Running, connected, free_address, until};
use crate::support::origin::{Answer, Asked};
use crate::support::process::elapse;
use crate::support::world::{HOUR, World, poll, rss};

/// Leads every name to this machine while the network is there.
#[derive(Debug, Default)]
struct Network {
    away: AtomicBool,
}

impl Resolver for Network {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let answer = match self.away.load(Ordering::SeqCst) {
            true => Err(ResolveError::Failed(host.to_owned(), "no route".to_owned())),
            false => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
        };
        async move { answer }.boxed()
    }
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = connected(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn all(world: &World, holds: impl Fn(&FeedStatus) -> bool) -> bool {
    let statuses = world.statuses();
    !statuses.is_empty() && statuses.iter().all(holds)
}

#[tokio::test]
async fn the_end_of_an_outage_is_noticed_within_a_minute() {
    let world = World::new().await;
    let hosts: Vec<String> = (0..24).map(|n| format!("h{n}.test")).collect();
    let log: Arc<std::sync::Mutex<Vec<Timestamp>>> = Arc::default();
    for host in &hosts {
        let (log, clock) = (Arc::clone(&log), world.clock.clone());
        let answer = move |_: &Asked| {
            log.lock().unwrap().push(clock.now());
            Answer::ok(rss(&[("a", "A")]))
        };
        world.origin.route(host, "/feed", [Answer::dynamic(answer)]);
    }
    let urls: Vec<_> = hosts.iter().map(|host| world.origin.url(host, "/feed")).collect();
    let (mut config, network) = (world.config(&urls), Arc::new(Network::default()));
    let address = free_address().await;
    config.web.listen = vec![address.into()];
    let resolver: Arc<dyn Resolver> = Arc::clone(&network) as Arc<dyn Resolver>;
    let engine = Engine::open(config, world.clock.clone(), resolver).await.unwrap();
    let running = Running::start(engine);
    until(&world, "all are polled", || all(&world, |feed| feed.last_success_at.is_some())).await;
    until(&world, "it is published", || world.folder.path().join("www/planet.json").exists()).await;

    network.away.store(true, Ordering::SeqCst);
    world.clock.advance(2 * HOUR);
    let offline = |feed: &FeedStatus| feed.reason == ReasonKind::Offline;
    until(&world, "the outage is noticed", || all(&world, offline)).await;
    // So long that only the tries are left, and every feed was tried several times.
    elapse(&world, HOUR).await;
    assert!(all(&world, |feed| feed.failures == 0), "a feed is blamed");
    let document = get(address, "/planet.json").await;
    assert!(document.starts_with("HTTP/1.1 200") && document.contains("\"A\""), "{document}");

    let end = world.now();
    network.away.store(false, Ordering::SeqCst);
    let succeeded = |feed: &FeedStatus| feed.last_success_at.is_some_and(|at| at >= end);
    until(&world, "every feed is polled again", || all(&world, succeeded)).await;
    let asked: Vec<Timestamp> =
        log.lock().unwrap().iter().copied().filter(|at| *at >= end).collect();
    let (first, last) = (*asked.iter().min().unwrap(), *asked.iter().max().unwrap());
    assert_eq!(asked.len(), hosts.len(), "one request for each feed");
    assert!(last.duration_since(end).as_secs() <= 60, "{}", last.duration_since(end));
    // Not all at once: over 30 s, of which chance takes a little at both ends.
    assert!(last.duration_since(first).as_secs() >= 20, "{}", last.duration_since(first));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_failure_that_began_an_outage_is_taken_back_in_a_later_process() {
    let world = World::new().await;
    let (good, portal) = (Answer::ok(rss(&[("a", "A")])), Answer::status(511));
    world.origin.route("a.test", "/feed", [good.clone()]);
    world.origin.route("b.test", "/feed", [good, portal]);
    let urls = ["a.test", "b.test"].map(|host| world.origin.url(host, "/feed"));
    let network = Arc::new(Network::default());
    let open = async || {
        let resolver: Arc<dyn Resolver> = Arc::clone(&network) as Arc<dyn Resolver>;
        Engine::open(world.config(&urls), world.clock.clone(), resolver).await.unwrap()
    };
    let named = |n: usize| FeedSelection::Named(vec![urls[n].to_string()]);
    let engine = open().await;
    poll(&engine, FeedSelection::All).await;
    let failures = || world.statuses().iter().map(|feed| feed.failures).collect::<Vec<_>>();
    world.clock.advance(2 * HOUR);
    network.away.store(true, Ordering::SeqCst);
    poll(&engine, named(0)).await;
    assert_eq!(failures(), [1, 0], "one failure is no outage");
    drop(engine);
    let engine = open().await;
    world.clock.advance(2 * HOUR);
    network.away.store(false, Ordering::SeqCst);
    poll(&engine, named(1)).await;
    network.away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        world.clock.advance(2 * HOUR);
        poll(&engine, named(0)).await;
        assert!(all(&world, |feed| feed.reason == ReasonKind::Offline));
        assert_eq!(failures(), [0, 0], "the outage had begun before");
    }
}

#[tokio::test]
async fn behind_a_captive_portal_feeds_are_tried_ever_more_rarely() {
    let world = World::new().await;
    let hosts: Vec<String> = (0..4).map(|n| format!("h{n}.test")).collect();
    let logged_in = Arc::new(AtomicBool::new(true));
    for host in &hosts {
        let logged_in = Arc::clone(&logged_in);
        let portal = world.origin.url("portal.test", "/login");
        let answer = move |_: &Asked| match logged_in.load(Ordering::SeqCst) {
            true => Answer::ok(rss(&[("a", "A")])),
            false => Answer::redirect(302, &portal),
        };
        world.origin.route(host, "/feed", [Answer::dynamic(answer)]);
    }
    world.origin.route("portal.test", "/login", [Answer::ok("<html><title>Log in</title></html>")]);
    let urls: Vec<_> = hosts.iter().map(|host| world.origin.url(host, "/feed")).collect();
    let running = Running::start(world.open(&urls).await);
    until(&world, "all are polled", || all(&world, |feed| feed.last_success_at.is_some())).await;
    logged_in.store(false, Ordering::SeqCst);
    world.clock.advance(2 * HOUR);
    let offline = |feed: &FeedStatus| feed.reason == ReasonKind::Offline;
    until(&world, "the portal is recognised", || all(&world, offline)).await;
    let before = world.origin.asked().len();
    elapse(&world, HOUR).await;
    let portal = |asked: &&Asked| asked.host == "portal.test";
    let asked = world.origin.asked().split_off(before).iter().filter(portal).count();
    // Four feeds, each planned after 15 to 60 minutes, and seven tries, each after twice the time.
    assert!(asked <= 25, "{asked} polls in an hour");
    assert!(all(&world, |feed| feed.failures == 0), "a feed is blamed");
    let end = world.now();
    logged_in.store(true, Ordering::SeqCst);
    let succeeded = |feed: &FeedStatus| feed.last_success_at.is_some_and(|at| at >= end);
    elapse(&world, Duration::from_secs(16 * 60)).await;
    assert!(all(&world, succeeded), "not all were polled within 16 minutes of the login");
    running.stop().await.unwrap();
}
