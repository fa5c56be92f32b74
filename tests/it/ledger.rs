//! The ledger of promises over the whole request log of a scripted origin: cron passes, redirects, lists, kills,
//! outages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use newswire::config::Followed;
use newswire::daemon::{Engine, FeedSelection, FollowedLists, ListFollower, ListSelection};
use newswire::fetch::{Fetcher, ResolveError, Resolver};
use newswire::model::{Outcome, ReasonKind};
use newswire::poll::{Gate, Ledger, PollEnd};
use newswire::store::{Usage, usage};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use url::Url;

use crate::cli::{configured, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Names, Origin};
use crate::support::process::driven;
use crate::support::world::{HOUR, World, ends, poll, rss};

fn good() -> Answer {
    Answer::ok(rss(&[("a", "A"), ("b", "B")]))
}

fn tagged(etag: &str) -> Answer {
    Answer::Tagged { etag: etag.to_owned(), body: rss(&[("a", "A")]).into_bytes() }
}

fn throttled(seconds: u64) -> Answer {
    Answer::status(429).with("Retry-After", seconds)
}

/// A world in which a host gets one request at a time.
async fn world() -> World {
    let mut world = World::new().await;
    world.schedule.per_host = 1;
    world
}

/// One pass of another process over the feeds that are due.
async fn cron(world: &World, urls: &[Url]) -> Vec<PollEnd> {
    ends(&world.open(urls).await, FeedSelection::Due).await
}

/// Paths of the requests to a host.
fn asked(world: &World, host: &str) -> Vec<String> {
    let all = world.origin.asked().into_iter();
    all.filter(|asked| asked.host == host).map(|asked| asked.target).collect()
}

#[tokio::test]
async fn a_pass_ends_while_a_host_is_held_and_later_passes_keep_the_hold() {
    let world = world().await;
    for path in ["/1", "/2"] {
        world.origin.route("a.test", path, [throttled(86_400), good()]);
    }
    for path in ["/3", "/4"] {
        world.origin.route("a.test", path, [good()]);
    }
    let urls = ["/1", "/2", "/3", "/4"].map(|path| world.origin.url("a.test", path));
    let first = cron(&world, &urls).await;
    let held = first.iter().filter(|end| matches!(end, PollEnd::Held(_))).count();
    assert_eq!((first.len(), held, world.origin.count()), (4, 2, 2), "{first:?}");
    for _ in 0..23 {
        world.clock.advance(HOUR);
        cron(&world, &urls).await;
        assert_eq!(world.origin.count(), 2, "the host was asked during its hold");
    }
    for _ in 0..4 {
        world.clock.advance(HOUR);
        cron(&world, &urls).await;
    }
    let mut paths = asked(&world, "a.test");
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths, ["/1", "/2", "/3", "/4"]);
    let good = |outcome: Option<Outcome>| outcome.is_some_and(Outcome::is_success);
    assert!(world.statuses().iter().all(|feed| good(feed.last_outcome)));
}

#[tokio::test]
async fn an_exhausted_rate_limit_holds_the_host_over_passes() {
    for reset in ["7200".to_owned(), (World::new().await.now().as_second() + 7200).to_string()] {
        let world = world().await;
        let limited = good().with("X-RateLimit-Remaining", "0").with("X-RateLimit-Reset", &reset);
        world.origin.route("a.test", "/1", [limited]);
        world.origin.route("a.test", "/2", [good()]);
        let urls = ["/1", "/2"].map(|path| world.origin.url("a.test", path));
        let first = cron(&world, &urls).await;
        assert!(first.iter().any(|end| matches!(end, PollEnd::Held(_))), "{first:?}");
        world.clock.advance(HOUR + HOUR / 2);
        cron(&world, &urls).await;
        assert_eq!(world.origin.count(), 1, "asked before {reset}");
        world.clock.advance(HOUR);
        cron(&world, &urls).await;
        assert!(asked(&world, "a.test").contains(&"/2".to_owned()));
    }
}

#[tokio::test]
async fn a_redirect_to_a_held_url_is_not_followed() {
    let world = world().await;
    let hub = world.origin.url("hub.test", "/feed");
    for host in ["a.test", "b.test"] {
        world.origin.route(host, "/feed", [Answer::redirect(302, &hub)]);
    }
    world.origin.route("hub.test", "/feed", [throttled(7200), good()]);
    let urls = ["a.test", "b.test"].map(|host| world.origin.url(host, "/feed"));
    for _ in 0..8 {
        cron(&world, &urls).await;
        world.clock.advance(HOUR / 4);
    }
    assert_eq!(asked(&world, "hub.test").len(), 1, "{:?}", world.origin.asked());
    world.clock.advance(HOUR);
    cron(&world, &urls).await;
    assert!(asked(&world, "hub.test").len() > 1);
}

#[tokio::test]
async fn waits_of_a_redirect_are_kept() {
    // RFC 9111 4: the freshness lifetime is that of the redirect, not of its target.
    for (status, name, value, requests) in [
        (302, "Retry-After", "14400", 1..=1),
        (302, "Cache-Control", "max-age=14400", 3..=4),
        (301, "Cache-Control", "max-age=86400", 3..=4),
    ] {
        let world = world().await;
        let to = world.origin.url("b.test", "/feed");
        world.origin.route("a.test", "/feed", [Answer::redirect(status, to).with(name, value)]);
        world.origin.route("b.test", "/feed", [good()]);
        let urls = [world.origin.url("a.test", "/feed")];
        for _ in 0..15 {
            cron(&world, &urls).await;
            world.clock.advance(HOUR / 4);
        }
        let count = asked(&world, "a.test").len();
        assert!(requests.contains(&count), "{status} {name}: {count} requests");
    }
}

#[tokio::test]
async fn three_feeds_of_one_document_fetch_it_once_an_interval() {
    let world = world().await;
    let hub = world.origin.url("hub.test", "/feed");
    world.origin.route("hub.test", "/feed", [tagged("\"1\"")]);
    let hosts = ["a.test", "b.test", "c.test"];
    for host in hosts {
        world.origin.route(host, "/feed", [Answer::redirect(302, &hub)]);
    }
    let urls = hosts.map(|host| world.origin.url(host, "/feed"));
    for _ in 0..(24 * 4) {
        cron(&world, &urls).await;
        world.clock.advance(HOUR / 4);
    }
    let requests = asked(&world, "hub.test").len();
    assert!((20..=24).contains(&requests), "{requests} requests in 24 intervals");
    let statuses = world.statuses();
    assert!(statuses.iter().all(|feed| feed.items == 1 && feed.failures == 0), "{statuses:?}");
}

#[tokio::test]
async fn a_document_is_shared_before_it_is_stored() {
    for per_host in [1, 16] {
        let mut world = World::new().await;
        world.schedule.per_host = per_host;
        let hub = world.origin.url("hub.test", "/feed");
        let document = Box::new(tagged("\"1\""));
        let slow = Answer::Slow(world.clock.clone(), Duration::from_secs(10), document);
        world.origin.route("hub.test", "/feed", [slow]);
        let hosts: Vec<String> = (0..8).map(|n| format!("h{n}.test")).collect();
        for host in &hosts {
            world.origin.route(host, "/feed", [Answer::redirect(302, &hub)]);
        }
        let urls: Vec<Url> = hosts.iter().map(|host| world.origin.url(host, "/feed")).collect();
        driven(&world, cron(&world, &urls)).await;
        let requests = asked(&world, "hub.test").len();
        assert_eq!(requests, 1, "{requests} requests for one document, {per_host} at once");
        assert!(world.statuses().iter().all(|feed| feed.items == 1), "{:?}", world.statuses());
    }
}

#[tokio::test]
async fn a_forced_command_fetches_a_document_once_for_all_feeds() {
    for (answer, items) in [(tagged("\"1\""), 1), (Answer::status(500), 0), (throttled(7200), 0)] {
        let world = World::new().await;
        let hub = world.origin.url("hub.test", "/feed");
        world.origin.route("hub.test", "/feed", [answer]);
        let hosts: Vec<String> = (0..6).map(|n| format!("h{n}.test")).collect();
        for host in &hosts {
            world.origin.route(host, "/feed", [Answer::redirect(302, &hub)]);
        }
        let mut urls: Vec<Url> = hosts.iter().map(|host| world.origin.url(host, "/feed")).collect();
        urls.push(hub.clone());
        let engine = world.open(&urls).await;
        for command in 1..=3 {
            driven(&world, ends(&engine, FeedSelection::All)).await;
            let requests = asked(&world, "hub.test").len();
            assert_eq!(requests, command, "{requests} requests of {command} commands");
            world.clock.advance(Duration::from_secs(1));
        }
        for host in &hosts {
            assert_eq!(asked(&world, host).len(), 3, "{host}");
        }
        let statuses = world.statuses();
        assert!(statuses.iter().filter(|feed| feed.items == items).count() >= hosts.len());
    }
}

#[tokio::test]
async fn validators_go_only_to_the_hop_that_sent_them() {
    let world = world().await;
    let end = world.origin.url("b.test", "/feed");
    world.origin.route("a.test", "/feed", [Answer::redirect(302, &end)]);
    world.origin.route("b.test", "/feed", [tagged("\"b\"")]);
    let engine = world.open(&[world.origin.url("a.test", "/feed")]).await;
    for _ in 0..3 {
        poll(&engine, FeedSelection::All).await;
    }
    let sent = |host: &str| -> Vec<bool> {
        let all = world.origin.asked().into_iter().filter(|asked| asked.host == host);
        all.map(|asked| asked.header("if-none-match").is_some()).collect()
    };
    assert_eq!(sent("a.test"), [false; 3]);
    assert_eq!(sent("b.test"), [false, true, true]);
    // The redirect ends: the validators of the other URL are not sent.
    world.origin.route("a.test", "/feed", [tagged("\"a\"")]);
    for _ in 0..2 {
        poll(&engine, FeedSelection::All).await;
    }
    let values = world.origin.asked().into_iter().filter(|asked| asked.host == "a.test");
    let values: Vec<_> =
        values.map(|asked| asked.header("if-none-match").map(str::to_owned)).collect();
    assert_eq!(values[3..], [None, Some("\"a\"".to_owned())]);
}

#[tokio::test]
async fn a_poll_that_was_killed_counts_as_a_request() {
    let world = world().await;
    let gate = Arc::new(Semaphore::new(0));
    world.origin.route("a.test", "/feed", [Answer::Held(Arc::clone(&gate), Box::new(good()))]);
    let urls = [world.origin.url("a.test", "/feed")];
    for start in 0..10 {
        let engine = world.open(&urls).await;
        let before = world.origin.count();
        tokio::select! {
            _ = ends(&engine, FeedSelection::Due) => {}
            () = async { while world.origin.count() == before { tokio::task::yield_now().await } } => {}
        }
        assert_eq!(world.origin.count(), 1, "start {start}");
        drop(engine);
        // The polls that were cancelled hold the database for a moment.
        while matches!(usage(&world.database()), Usage::InUse) {
            tokio::task::yield_now().await;
        }
        world.clock.advance(Duration::from_secs(30));
    }
    gate.add_permits(10);
    world.clock.advance(HOUR);
    cron(&world, &urls).await;
    world.clock.advance(HOUR);
    cron(&world, &urls).await;
    assert_eq!(world.status().last_outcome, Some(Outcome::Modified));
}

async fn cron_with(world: &World, urls: &[Url], resolver: Arc<dyn Resolver>) -> Vec<PollEnd> {
    let engine = Engine::open(world.config(urls), world.clock.clone(), resolver).await.unwrap();
    ends(&engine, FeedSelection::Due).await
}

#[tokio::test]
async fn an_outage_is_recognised_by_passes_that_poll_one_feed_each() {
    let world = world().await;
    let hosts: Vec<String> = (0..6).map(|n| format!("h{n}.test")).collect();
    let mut urls = Vec::new();
    for host in &hosts {
        world.origin.route(host, "/feed", [tagged("\"1\"")]);
        urls.push(world.origin.url(host, "/feed"));
    }
    cron(&world, &urls).await;
    let down = |host: &String| {
        (host.clone(), Err(ResolveError::Failed(host.clone(), "no route".to_owned())))
    };
    let down = Arc::new(Names(hosts.iter().map(down).collect()));
    for _ in 0..(10 * 12) {
        world.clock.advance(HOUR / 12);
        cron_with(&world, &urls, down.clone()).await;
    }
    let statuses = world.statuses();
    assert!(statuses.iter().all(|feed| feed.failures == 0), "{statuses:?}");
    assert!(statuses.iter().all(|feed| feed.reason == ReasonKind::Offline), "{statuses:?}");
    let end = world.now();
    for _ in 0..15 {
        world.clock.advance(HOUR / 12);
        cron(&world, &urls).await;
    }
    let again =
        |feed: &newswire::model::FeedStatus| feed.last_success_at.is_some_and(|at| at >= end);
    assert!(world.statuses().iter().all(again), "not all were asked within 75 minutes");
}

#[tokio::test]
async fn no_feed_is_blamed_for_a_captive_portal() {
    let world = world().await;
    let hosts = ["a.test", "b.test", "c.test", "d.test"];
    let portal = world.origin.url("portal.test", "/login");
    world.origin.route("portal.test", "/login", [Answer::ok("<html><title>Log in</title></html>")]);
    for host in hosts {
        world.origin.route(host, "/feed", [good(), Answer::redirect(302, &portal)]);
    }
    let urls = hosts.map(|host| world.origin.url(host, "/feed"));
    cron(&world, &urls).await;
    world.clock.advance(HOUR + HOUR / 2);
    cron(&world, &urls).await;
    let statuses = world.statuses();
    assert!(statuses.iter().all(|feed| feed.failures == 0), "{statuses:?}");
}

/// The origin of the commands, with a feed that has a validator.
async fn commanded() -> (Origin, TempDir, String) {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/feed", [tagged("\"1\"")]);
    let url = origin.url("127.0.0.1", "/feed").to_string();
    (origin, configured(std::slice::from_ref(&url)), url)
}

/// Makes all that was asked an hour older, as if the next command came later.
fn wait_an_hour(folder: &TempDir) {
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    let hour = 3_600_000;
    database.execute("UPDATE asked SET at = at - ?1", [hour]).unwrap();
    database.execute("UPDATE feed SET last_poll_at = last_poll_at - ?1", [hour]).unwrap();
    newswire::store::renew_digests(&database).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_keep_a_retry_after_unless_forced() {
    let (origin, folder, url) = commanded().await;
    origin.route("127.0.0.1", "/feed", [throttled(7200), tagged("\"1\"")]);
    newswire(folder.path(), &["poll"]);
    wait_an_hour(&folder);
    let held = newswire(folder.path(), &["poll", &url]);
    assert!(held.out.contains("held: ") && held.out.contains("Retry-After"), "{}", held.out);
    let probed = newswire(folder.path(), &["probe", &url]);
    assert!(probed.err.contains("is not requested before"), "{}", probed.err);
    assert!(probed.err.contains("newswire explain held"), "{}", probed.err);
    for command in [["check", "--online"].as_slice(), &["poll", "--all", "--dry-run"]] {
        let run = newswire(folder.path(), command);
        assert!(run.out.contains("held"), "{command:?}: {}", run.out);
    }
    assert_eq!(origin.count(), 1);
    let forced = newswire(folder.path(), &["poll", &url, "--force"]);
    assert_eq!(origin.count(), 2, "{}", forced.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_count_as_conditional_requests() {
    let (origin, folder, url) = commanded().await;
    newswire(folder.path(), &["poll"]);
    let commands: [&[&str]; 3] =
        [&["check", "--online"], &["poll", &url, "--dry-run"], &["probe", &url]];
    for (n, command) in commands.into_iter().enumerate() {
        let early = newswire(folder.path(), command);
        assert_eq!(origin.count(), n + 1, "within five minutes: {command:?}\n{}", early.out);
        wait_an_hour(&folder);
        let run = newswire(folder.path(), command);
        assert_eq!(origin.count(), n + 2, "{command:?}: {}{}", run.out, run.err);
        assert_eq!(origin.last().header("if-none-match"), Some("\"1\""), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_throttled_is_asked_once_by_add_and_not_added() {
    let (origin, folder, _) = commanded().await;
    let url = origin.url("127.0.0.1", "/new").to_string();
    origin.route("127.0.0.1", "/new", [throttled(7200)]);
    // Creates the database.
    newswire(folder.path(), &["poll"]);
    let before = origin.count();
    // Of a daemon that was killed.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("newswire.sock")).unwrap());
    for _ in 0..2 {
        let run = newswire(folder.path(), &["add", &url]);
        assert!(run.code != 0 && run.out.is_empty(), "{}{}", run.out, run.err);
    }
    assert_eq!(origin.count(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_a_feed_costs_one_download() {
    let (origin, folder, _) = commanded().await;
    let url = origin.url("127.0.0.1", "/new").to_string();
    origin.route("127.0.0.1", "/new", [tagged("\"2\"")]);
    std::fs::write(
        folder.path().join("newswire.toml"),
        std::fs::read_to_string(configured(&[]).path().join("newswire.toml")).unwrap(),
    )
    .unwrap();
    let added = newswire(folder.path(), &["add", &url]);
    assert_eq!(added.code, 0, "{}", added.err);
    let polled = newswire(folder.path(), &["poll"]);
    assert_eq!(origin.count(), 1, "{}", polled.out);
    assert!(polled.out.contains("1 new item"), "{}", polled.out);
}

#[tokio::test]
async fn a_list_that_is_throttled_is_left_alone() {
    let world = World::new().await;
    let list = |status: u16| Answer::status(status);
    let path = "/x.opml";
    for (answer, least) in [(throttled(4 * 86_400), 4), (list(410), 7), (list(404), 1)] {
        world.origin.route("list.test", path, [answer]);
        let folder = empty_folder();
        let url = world.origin.url("list.test", path);
        let fetcher = Arc::new(Fetcher::new(world.origin.resolver()).unwrap());
        let ledger = Ledger::beside(Path::new(""));
        let gate = Gate::new(fetcher, ledger, world.clock.clone());
        let follower = ListFollower::new(gate, world.clock.clone());
        let copy = folder.path().join("copy.opml");
        let followed = Followed::Web { url, interval: HOUR, copy, is_known: true };
        let lists = FollowedLists { lists: vec![followed], fetch: world.fetch.clone() };
        let before = world.origin.count();
        let mut second = None;
        for hour in 0..(9 * 24) {
            follower.fetch(&lists, ListSelection::Due).await;
            if world.origin.count() == before + 2 {
                second = Some(hour);
                break;
            }
            world.clock.advance(HOUR);
        }
        let second = second.expect("asked again");
        assert!(least == 1 || second >= least * 24, "asked again after {second} hours");
    }
}

#[tokio::test]
async fn feeds_of_a_server_with_a_budget_are_polled_until_they_fit() {
    let mut world = world().await;
    // 24 times 10 kB a day for each of two feeds, of which a quarter fits.
    world.schedule.budget = Some(120_000);
    let mut body = rss(&[("a", "A")]);
    body.push_str(&" ".repeat(10_000 - body.len()));
    for path in ["/1", "/2"] {
        let changing = (0..200).map(|n| Answer::ok(format!("{body}<!-- {n} -->")));
        world.origin.route("a.test", path, changing);
    }
    let urls = ["/1", "/2"].map(|path| world.origin.url("a.test", path));
    for _ in 0..(48 * 2) {
        cron(&world, &urls).await;
        world.clock.advance(HOUR / 2);
    }
    for path in ["/1", "/2"] {
        let requests = asked(&world, "a.test").iter().filter(|asked| *asked == path).count();
        assert!((9..=14).contains(&requests), "{path}: {requests} requests in two days");
    }
}
