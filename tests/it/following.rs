//! Followed lists of feeds (`[[subscriptions]]`), from files and from the web.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use newswire::cli::run::fetch_lists;
use newswire::config::{self, Config, Followed, Loaded, Style};
use newswire::daemon::control::{Request, send};
use newswire::daemon::{
    self, ConfigSource, Engine, FollowedLists, Inputs, ListChange, ListFollower, ListSelection,
};
use newswire::fetch::Fetcher;
use newswire::poll::{Gate, Ledger};
use newswire::store::Store;
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::cli::{configured, local, newswire};
use crate::daemon::{connected, free_address, until};
use crate::support::empty_folder;
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, rss};
use crate::web::site::ask;

const HEAD: &str = "version = 1\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\ncontact = \"me@example.org\"\n\
    allow_networks = [\"127.0.0.0/8\"]\n[web]\nlisten = \"off\"\npublic_url = \"https://planet.test/\"\n\
    [[output]]\nid = \"planet\"\n";

pub(crate) fn load(folder: &Path, text: &str) -> Loaded {
    config::read(format!("{HEAD}{text}"), &folder.join("newswire.toml"), folder)
}

pub(crate) fn good(folder: &Path, text: &str) -> Config {
    let Loaded { config, report, .. } = load(folder, text);
    config.unwrap_or_else(|| panic!("{}", report.draw(Style::Plain)))
}

pub(crate) fn opml(urls: &[&str]) -> String {
    let feeds: String = urls.iter().map(|url| format!("<outline xmlUrl='{url}'/>")).collect();
    format!("<opml><body><outline text='folder'>{feeds}</outline></body></opml>")
}

pub(crate) fn urls(config: &Config) -> Vec<&str> {
    config.subscriptions.iter().map(|s| s.feed.url.as_str()).collect()
}

fn copy(config: &Config) -> &Path {
    match config.followed.as_slice() {
        [Followed::Web { copy, .. }] => copy,
        other => panic!("{other:?}"),
    }
}

/// A follower of the lists of this config.
fn follower(world: &World, config: &Config) -> (ListFollower, FollowedLists) {
    let fetcher = Arc::new(Fetcher::new(world.origin.resolver()).unwrap());
    let gate = Gate::new(fetcher, Ledger::beside(&config.store.path), world.clock.clone());
    let lists = FollowedLists { lists: config.followed.clone(), fetch: world.fetch.clone() };
    (ListFollower::new(gate, world.clock.clone()), lists)
}

/// A daemon with this config, and the sender that ends it.
pub(crate) async fn started(
    world: &World,
    source: ConfigSource,
) -> (JoinHandle<Result<(), daemon::Error>>, oneshot::Sender<()>) {
    let config = source().config.unwrap();
    let (clock, resolver) = (world.clock.clone(), world.origin.resolver());
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let engine = Engine::open(config, clock.clone(), resolver).await.unwrap();
    let follower = ListFollower::new(engine.gate().clone(), clock);
    let (_handle, commands) = daemon::handle(source, None);
    let inputs = Inputs { commands, sockets: Vec::new(), follower };
    (tokio::spawn(daemon::run_with(engine, inputs, stopped)), stop)
}

/// The answer at this path, after the clock has advanced until `holds` is true for it.
pub(crate) async fn answer(
    world: &World,
    (address, path): (SocketAddr, &str),
    holds: impl Fn(&str) -> bool,
) -> String {
    let mut text = String::new();
    for _ in 0..2_000 {
        text = ask(address, "localhost", "GET", path, &[]).await.text();
        if holds(&text) {
            return text;
        }
        world.clock.advance(Duration::from_millis(500));
    }
    panic!("{path}: {text}");
}

#[test]
fn feeds_of_a_list_file_are_polled_like_feeds_of_the_config() {
    let folder = empty_folder();
    let list = opml(&["https://a.example/", "https://b.example/", "gopher://c.example/"]);
    std::fs::write(folder.path().join("x.opml"), list).unwrap();
    let text = "[[feed]]\nurl = \"https://b.example/\"\ntitle = \"B\"\ntags = [\"own\"]\ninterval = \"3h\"\n\
        [[server]]\nhost = \"a.example\"\ninterval = \"5h\"\n\
        [[subscriptions]]\nfile = \"x.opml\"\ntags = [\"list\", \"own\"]\n";
    let Loaded { config, report, .. } = load(folder.path(), text);
    let config = config.unwrap();
    let [b, a] = config.subscriptions.as_slice() else { panic!("{:?}", urls(&config)) };
    assert_eq!((b.feed.title.as_deref(), b.schedule.interval), (Some("B"), 3 * HOUR));
    assert_eq!(b.feed.tags, ["own", "folder", "list"]);
    assert_eq!((a.feed.url.as_str(), a.schedule.interval), ("https://a.example/", 5 * HOUR));
    assert_eq!(a.feed.tags, ["folder", "list", "own"]);
    let drawn = report.draw(Style::Plain);
    assert!(drawn.contains("gopher") && drawn.contains("0 errors, 1 warning"), "{drawn}");
}

#[test]
fn a_list_that_cannot_be_read_is_an_error_with_its_position() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("page"), "<html/>").unwrap();
    for (text, code) in [
        ("file = \"nowhere\"", "bad_list"),
        ("file = \"page\"", "bad_list"),
        ("file = \"page\"\nurl = \"https://a.example/\"", "missing_key"),
        ("tags = [\"a\"]", "missing_key"),
        ("url = \"gopher://a.example/\"", "bad_url"),
        ("url = \"https://a.example/\"\ninterval = \"1m\"", "interval_too_short"),
        ("url = \"https://a.example/\"\ntitle = \"x\"", "unknown_key"),
    ] {
        let Loaded { config, report, .. } =
            load(folder.path(), &format!("[[subscriptions]]\n{text}\n"));
        assert!(config.is_none(), "{text}");
        assert!(report.diagnostics.iter().any(|fault| fault.code == code), "{text}: {report:?}");
    }
}

#[tokio::test]
async fn a_list_on_the_web_is_fetched_conditionally_and_keeps_its_copy() {
    let world = World::new().await;
    let folder = world.folder.path();
    let (one, two) = (opml(&["https://a.example/"]), opml(&["https://b.example/"]));
    let answers = [
        Answer::ok(one).with("ETag", "\"1\""),
        Answer::status(304),
        Answer::status(500),
        Answer::ok("<opml><body><outline xmlUrl='https://c.example/'>"),
        Answer::ok("<opml><body/></opml>"),
        Answer::ok(two),
    ];
    world.origin.route("list.test", "/x.opml", answers);
    let url = world.origin.url("list.test", "/x.opml");
    let text = format!("[[subscriptions]]\nurl = \"{url}\"\ntags = [\"x\"]\n");
    let config = good(folder, &text);
    assert_eq!(urls(&config), Vec::<&str>::new());
    let (clock, resolver) = (world.clock.clone(), world.origin.resolver());
    let (place, written) = (folder.to_owned(), text.clone());
    let source: ConfigSource = Arc::new(move || load(&place, &written));
    let config = fetch_lists(config, (clock, resolver), &source, ListSelection::Due).await.unwrap();
    assert_eq!(urls(&config), ["https://a.example/"]);
    assert_eq!(config.subscriptions[0].feed.tags, ["folder", "x"]);
    assert_eq!(config.subscriptions[0].feed.title, None, "the publisher's title is shown");
    let (follower, lists) = follower(&world, &config);
    let ask = || follower.fetch(&lists, ListSelection::Due);
    assert_eq!((ask().await, world.origin.count()), (ListChange::Unchanged, 1), "it is not due");
    world.clock.advance(25 * HOUR);
    assert_eq!((ask().await, world.origin.count()), (ListChange::Unchanged, 2));
    assert_eq!(world.origin.last().header("if-none-match"), Some("\"1\""));
    world.clock.advance(25 * HOUR);
    // A failure and an incomplete or empty list change nothing.
    for n in 3..=5 {
        assert_eq!((ask().await, world.origin.count()), (ListChange::Unchanged, n));
        assert_eq!(urls(&good(folder, &text)), ["https://a.example/"]);
        world.clock.advance(50 * HOUR);
    }
    assert_eq!(ask().await, ListChange::Changed);
    assert_eq!(urls(&good(folder, &text)), ["https://b.example/"]);
    // A damaged copy counts as none: the whole list is requested at once.
    std::fs::write(copy(&config), "broken").unwrap();
    let damaged = good(folder, &text);
    assert_eq!(urls(&damaged), Vec::<&str>::new());
    world.clock.advance(HOUR);
    let (follower, lists) = self::follower(&world, &damaged);
    assert_eq!(
        (follower.fetch(&lists, ListSelection::Due).await, world.origin.count()),
        (ListChange::Changed, 7)
    );
    assert_eq!(world.origin.last().header("if-none-match"), None);
    assert_eq!(urls(&good(folder, &text)), ["https://b.example/"]);
    // Until the config is loaded again.
    world.clock.advance(HOUR);
    assert_eq!(
        (follower.fetch(&lists, ListSelection::Due).await, world.origin.count()),
        (ListChange::Unchanged, 7)
    );
}

/// Number of requests for a list that always answers like this, which is looked at once an hour for 60 days.
async fn requests_in_60_days(answer: Answer, interval: &str) -> usize {
    let world = World::new().await;
    world.origin.route("list.test", "/x.opml", [answer]);
    let url = world.origin.url("list.test", "/x.opml");
    let text = format!("[[subscriptions]]\nurl = \"{url}\"\ninterval = \"{interval}\"\n");
    for _ in 0..60 * 24 {
        let (follower, lists) = follower(&world, &good(world.folder.path(), &text));
        follower.fetch(&lists, ListSelection::Due).await;
        world.clock.advance(HOUR);
    }
    world.origin.count()
}

#[tokio::test]
async fn a_list_is_requested_no_more_often_than_its_interval_and_a_gone_one_once_a_week() {
    let list = || Answer::ok(opml(&["https://a.example/"]));
    assert_eq!(requests_in_60_days(list(), "14d").await, 5);
    let gone = requests_in_60_days(Answer::status(410), "6h").await;
    assert!((8..=9).contains(&gone), "{gone}");
}

#[tokio::test]
async fn a_list_that_was_never_read_is_requested_again_soon() {
    let world = World::new().await;
    let list = Answer::ok(opml(&["https://a.example/"]));
    world.origin.route("list.test", "/x.opml", [Answer::status(404), list]);
    let url = world.origin.url("list.test", "/x.opml");
    let config = good(world.folder.path(), &format!("[[subscriptions]]\nurl = \"{url}\"\n"));
    let (follower, lists) = follower(&world, &config);
    assert_eq!(follower.fetch(&lists, ListSelection::Due).await, ListChange::Unchanged);
    world.clock.advance(3 * HOUR);
    assert_eq!(follower.fetch(&lists, ListSelection::Due).await, ListChange::Changed);
}

#[tokio::test]
async fn lists_of_several_sites_are_fetched_at_the_same_time() {
    let world = World::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let mut text = String::new();
    for host in ["one.test", "two.test"] {
        let list = Answer::ok(opml(&[&format!("https://{host}/feed")]));
        world.origin.route(host, "/x.opml", [Answer::Held(Arc::clone(&gate), Box::new(list))]);
        let section =
            format!("[[subscriptions]]\nurl = \"{}\"\n", world.origin.url(host, "/x.opml"));
        // A section that occurs twice is one list.
        text += &section.repeat(2);
    }
    let config = good(world.folder.path(), &text);
    let (follower, lists) = follower(&world, &config);
    let fetching = tokio::spawn(async move { follower.fetch(&lists, ListSelection::Due).await });
    until(&world, "both are requested", || world.origin.count() == 2).await;
    gate.add_permits(2);
    assert_eq!(fetching.await.unwrap(), ListChange::Changed);
    assert_eq!(world.origin.count(), 2);
    let urls_of_lists = ["https://one.test/feed", "https://two.test/feed"];
    assert_eq!(urls(&good(world.folder.path(), &text)), urls_of_lists);
}

#[tokio::test]
async fn a_slow_list_does_not_delay_the_use_of_another() {
    let world = World::new().await;
    let folder = world.folder.path().to_owned();
    let gate = Arc::new(Semaphore::new(0));
    let mut text = String::new();
    for host in ["a.test", "b.test"] {
        world.origin.route(host, "/feed", [Answer::ok(rss(&[(host, host)]))]);
        let list = Answer::ok(opml(&[world.origin.url(host, "/feed").as_str()]));
        let slow = Answer::Held(Arc::clone(&gate), Box::new(list.clone()));
        world.origin.route(host, "/x.opml", [if host == "a.test" { slow } else { list }]);
        text += &format!("[[subscriptions]]\nurl = \"{}\"\n", world.origin.url(host, "/x.opml"));
    }
    let source: ConfigSource = Arc::new(move || load(&folder, &text));
    let (running, stop) = started(&world, source).await;
    let polled = |host: &str| {
        let asked = world.origin.asked();
        asked.iter().any(|asked| asked.host == host && asked.target == "/feed")
    };
    until(&world, "the feed of the other list is polled", || polled("b.test")).await;
    assert!(!polled("a.test"));
    gate.add_permits(1);
    until(&world, "the feed of the slow list is polled", || polled("a.test")).await;
    let lists = world.origin.asked().iter().filter(|asked| asked.target == "/x.opml").count();
    assert_eq!(lists, 2, "a list is not requested while its request runs");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shorter_interval_of_a_list_counts_from_its_last_request() {
    let world = World::new().await;
    world.origin.route("list.test", "/x.opml", [Answer::ok(opml(&["https://a.example/"]))]);
    let url = world.origin.url("list.test", "/x.opml");
    let requests = async |interval: &str| {
        let text = format!("[[subscriptions]]\nurl = \"{url}\"\ninterval = \"{interval}\"\n");
        let (follower, lists) = follower(&world, &good(world.folder.path(), &text));
        follower.fetch(&lists, ListSelection::Due).await;
        world.origin.count()
    };
    assert_eq!(requests("24h").await, 1);
    world.clock.advance(HOUR);
    assert_eq!((requests("24h").await, requests("2h").await), (1, 1));
    world.clock.advance(HOUR + HOUR / 2);
    assert_eq!((requests("24h").await, requests("2h").await), (1, 2));
}

#[tokio::test]
async fn a_command_requests_no_list_twice_within_five_minutes() {
    let world = World::new().await;
    let throttled = Answer::status(429).with("Retry-After", "3600");
    let answers = [Answer::ok(opml(&["https://a.example/"])), throttled];
    world.origin.route("list.test", "/x.opml", answers);
    let url = world.origin.url("list.test", "/x.opml");
    let config = good(world.folder.path(), &format!("[[subscriptions]]\nurl = \"{url}\"\n"));
    drop(Store::open(&config.store.path, world.clock.clone()).unwrap());
    let (follower, lists) = follower(&world, &config);
    // At the start, and minutes later: by command, when it is due, and while the server asks to wait.
    for (minutes, selection, requests) in [
        (0, ListSelection::Due, 1),
        (4, ListSelection::All, 1),
        (2, ListSelection::Due, 1),
        (0, ListSelection::All, 2),
        (50, ListSelection::All, 2),
        (20, ListSelection::All, 3),
    ] {
        world.clock.advance(Duration::from_secs(minutes * 60));
        follower.fetch(&lists, selection).await;
        assert_eq!(world.origin.count(), requests, "{selection:?} after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_forced_poll_lets_the_daemon_request_its_lists() {
    let world = World::new().await;
    let folder = world.folder.path().to_owned();
    let [a, b] = ["a.test", "b.test"].map(|host| {
        world.origin.route(host, "/feed", [Answer::ok(rss(&[(host, host)]))]);
        world.origin.url(host, "/feed").to_string()
    });
    world.origin.route("list.test", "/x.opml", [&a, &b].map(|feed| Answer::ok(opml(&[feed]))));
    let text =
        format!("[[subscriptions]]\nurl = \"{}\"\n", world.origin.url("list.test", "/x.opml"));
    let source: ConfigSource = Arc::new(move || load(&folder, &text));
    let (running, stop) = started(&world, source).await;
    let asked = |host: &str| world.origin.asked().iter().filter(|asked| asked.host == host).count();
    let poll = async |force| {
        let (database, feeds) = (world.database(), Vec::new());
        let ask = move || send(&database, &Request::Poll { feeds, force }, |_| ());
        let asking = tokio::task::spawn_blocking(ask);
        until(&world, "the daemon replies", || asking.is_finished()).await;
        asking.await.unwrap().unwrap()
    };
    until(&world, "the feed of the list is polled", || asked("a.test") == 1).await;
    world.clock.advance(Duration::from_secs(6 * 60));
    poll(false).await;
    assert_eq!(asked("list.test"), 1, "it is not due");
    poll(true).await;
    until(&world, "its new feed is polled", || asked("b.test") == 1).await;
    assert_eq!(asked("list.test"), 2);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_failing_list_is_a_warning_of_the_daemon_until_it_works() {
    let world = World::new().await;
    let folder = world.folder.path().to_owned();
    world.origin.route("a.test", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let feed = world.origin.url("a.test", "/feed").to_string();
    let answers = [Answer::status(404), Answer::ok(opml(&[&feed]))];
    world.origin.route("list.test", "/x.opml", answers);
    let list = world.origin.url("list.test", "/x.opml");
    let address = free_address().await;
    let text = format!("[[subscriptions]]\nurl = \"{list}\"\ninterval = \"1h\"\n");
    let source: ConfigSource = Arc::new(move || {
        let mut loaded = load(&folder, &text);
        if let Some(config) = &mut loaded.config {
            config.web.listen = vec![address.into()];
        }
        loaded
    });
    let (running, stop) = started(&world, source).await;
    drop(connected(address).await);
    let warns = |text: &str| text.contains("warning: list_failing\n");
    answer(&world, (address, "/readyz"), warns).await;
    let title = format!("List failing: {list}");
    answer(&world, (address, "/health.atom"), |text| text.contains(&title)).await;
    let page = answer(&world, (address, "/status"), |text| text.contains("list failing")).await;
    assert!(page.contains("newswire status"), "{page}");
    let json = answer(&world, (address, "/status.json"), |_| true).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["incidents"][0]["kind"], "list", "{json}");
    assert_eq!(json["incidents"][0]["code"], "not_found", "{json}");
    world.clock.advance(2 * HOUR);
    answer(&world, (address, "/readyz"), |text| !warns(text)).await;
    let resolved = format!("Resolved: {title}");
    let atom = answer(&world, (address, "/health.atom"), |text| text.contains(&resolved)).await;
    assert!(atom.contains("The list works again."), "{atom}");
    let polled = || world.origin.asked().iter().any(|asked| asked.host == "a.test");
    until(&world, "its feed is polled", polled).await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_a_failing_list_with_its_reason_and_its_remedy() {
    let world = World::new().await;
    world.origin.route("127.0.0.1", "/x.opml", [Answer::status(404)]);
    let folder = configured(&[local(&world.origin, "/feed")]);
    let path = folder.path().join("newswire.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let list = world.origin.url("127.0.0.1", "/x.opml");
    text.push_str(&format!("[[subscriptions]]\nurl = \"{list}\"\n"));
    std::fs::write(&path, text).unwrap();
    let polled = newswire(folder.path(), &["poll"]);
    assert_eq!(polled.code, 0, "{}{}", polled.out, polled.err);
    for part in [&*format!("warning: list {list}: "), "its feeds are missing (not_found)", "help: "]
    {
        assert!(polled.err.contains(part), "{part} is missing in {}", polled.err);
    }
    let status = newswire(folder.path(), &["status"]);
    assert!(status.out.contains(&format!("list {list}: ")), "{}", status.out);
    assert!(status.out.contains("in [[subscriptions]]"), "{}", status.out);
    let json = newswire(folder.path(), &["status", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["lists"][0]["url"], list.as_str());
    assert_eq!(json["lists"][0]["code"], "not_found");
    assert_eq!(json["lists"][0]["needs_attention"], true);
    let check = newswire(folder.path(), &["status", "--check"]);
    let begin = "NEWSWIRE WARNING: 1 of 1 feeds ok, 0 failing; list ";
    assert!(check.code == 1 && check.out.starts_with(begin), "{}", check.out);
    let online = newswire(folder.path(), &["check", "--online"]);
    assert!(online.out.contains(&format!("held    {list} ")), "{}", online.out);
    assert_eq!(world.origin.count(), 2, "a list is not requested twice within five minutes");
    let online = newswire(folder.path(), &["check", "--online", "--force"]);
    assert_eq!(online.code, 69, "{}", online.out);
    for part in [&*format!("failed  {list}: "), "\nlists: 1, of which 1 failed\n"] {
        assert!(online.out.contains(part), "{part} is missing in {}", online.out);
    }
}

#[tokio::test]
async fn the_daemon_applies_a_changed_list_and_keeps_old_items() {
    let world = World::new().await;
    let folder = world.folder.path().to_owned();
    let [a, b] = ["a.test", "b.test"].map(|host| {
        world.origin.route(host, "/feed", [Answer::ok(rss(&[(host, host)]))]);
        world.origin.url(host, "/feed").to_string()
    });
    let list = folder.join("x.opml");
    std::fs::write(&list, opml(&[&a])).unwrap();
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let source: ConfigSource = Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        load(&folder, "[[subscriptions]]\nfile = \"x.opml\"\n")
    });
    let (running, stop) = started(&world, source).await;
    let asked = |host: &str| world.origin.asked().iter().filter(|asked| asked.host == host).count();
    until(&world, "the first feed is polled", || asked("a.test") == 1).await;
    // A list that cannot be read changes nothing.
    std::fs::write(&list, "<opml>").unwrap();
    until(&world, "the broken list is looked at", || looks.load(Ordering::SeqCst) == 2).await;
    std::fs::write(&list, opml(&[&b])).unwrap();
    until(&world, "the second feed is polled", || asked("b.test") == 1).await;
    let statuses = || world.statuses().iter().map(|s| (s.info.url.clone(), s.items)).collect();
    until(&world, "its item is kept", || {
        let all: Vec<(String, u64)> = statuses();
        all == [(b.clone(), 1)]
    })
    .await;
    // The first feed returns with its item.
    std::fs::write(&list, opml(&[&b, &a])).unwrap();
    until(&world, "both are there", || {
        let all: Vec<(String, u64)> = statuses();
        all.len() == 2 && all.iter().all(|(_, items)| *items == 1)
    })
    .await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_fetches_the_list_first_and_else_uses_the_copy() {
    let world = World::new().await;
    world.origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let feed = world.origin.url("127.0.0.1", "/feed").to_string();
    let list = [Answer::ok(opml(&[&feed])), Answer::status(503)];
    world.origin.route("127.0.0.1", "/x.opml", list);
    let folder = configured(&[]);
    let path = folder.path().join("newswire.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let url = world.origin.url("127.0.0.1", "/x.opml");
    text.push_str(&format!("[[subscriptions]]\nurl = \"{url}\"\n"));
    std::fs::write(&path, text).unwrap();
    let first = newswire(folder.path(), &["poll"]);
    assert!(
        first.out.contains("1 feed polled, 0 failed; 1 new item"),
        "{}{}",
        first.out,
        first.err
    );
    // The first pass wrote its request to the ledger.
    let database = rusqlite::Connection::open(folder.path().join("newswire.db")).unwrap();
    assert_eq!(database.execute("DELETE FROM asked WHERE key = ?1", [url.as_str()]).unwrap(), 1);
    drop(database);
    let requests = || world.origin.asked().iter().filter(|asked| asked.target == "/x.opml").count();
    newswire(folder.path(), &["poll", "--all"]);
    assert_eq!(requests(), 1, "the list is not due");
    let again = newswire(folder.path(), &["poll", "--all", "--force"]);
    assert!(again.out.contains("1 feed polled, 0 failed"), "{}{}", again.out, again.err);
    assert_eq!(requests(), 2);
    let said = newswire(folder.path(), &["export"]);
    assert!(said.out.contains(&feed) && said.out.contains("category=\"folder\""), "{}", said.out);
    let why = newswire(folder.path(), &["why", &feed]);
    assert_eq!(why.code, 0, "{}", why.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_file_that_cannot_be_read_is_a_warning_of_the_status() {
    let world = World::new().await;
    let folder = configured(&[local(&world.origin, "/feed")]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    assert_eq!(newswire(folder.path(), &["status", "--check"]).code, 0);
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[[subscriptions]]\nfile = \"x.opml\"\n")).unwrap();
    std::fs::write(folder.path().join("x.opml"), "<html/>").unwrap();
    let check = newswire(folder.path(), &["status", "--check"]);
    let expected = "NEWSWIRE WARNING: 1 of 1 feeds ok, 0 failing; the config has errors";
    assert!(check.code == 1 && check.out.starts_with(expected), "{}", check.out);
}

#[test]
fn options_for_a_feed_of_a_list_are_printed_as_a_section_that_applies_them() {
    let folder = configured(&[]);
    let path = folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = format!("{text}[[subscriptions]]\nfile = \"x.opml\"\n");
    std::fs::write(&path, &text).unwrap();
    std::fs::write(folder.path().join("x.opml"), opml(&["https://a.example/feed"])).unwrap();
    let arguments = ["add", "https://a.example/feed", "--title", "ZZ", "--interval", "3h"];
    let run = newswire(folder.path(), &arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("not applied") && !run.err.contains("newswire set"), "{}", run.err);
    let section = run.err.lines().filter_map(|line| line.strip_prefix("  "));
    let section: String = section.map(|line| format!("{line}\n")).collect();
    assert!(section.starts_with("[[feed]]\n"), "{}", run.err);
    std::fs::write(&path, format!("{text}{section}")).unwrap();
    let config = newswire(folder.path(), &["config", "https://a.example/feed"]);
    for value in ["ZZ", "\"3h\""] {
        assert!(config.out.contains(value), "{value}: {}{}", config.out, config.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_of_a_feed_that_leaves_a_list_stay_unless_the_list_hides_them() {
    for (removed, stays) in
        [("", true), ("removed = \"keep\"\n", true), ("removed = \"hide\"\n", false)]
    {
        let world = World::new().await;
        let [a, b] = ["a", "b"].map(|name| {
            let path = format!("/{name}");
            world.origin.route("127.0.0.1", &path, [Answer::ok(rss(&[(name, name)]))]);
            world.origin.url("127.0.0.1", &path).to_string()
        });
        let folder = configured(&[]);
        let path = folder.path().join("newswire.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let lists = format!("[[subscriptions]]\nfile = \"x.opml\"\n{removed}");
        let outputs = "[[output]]\nid = \"all\"\ndirectory = \"www\"\n";
        std::fs::write(&path, format!("{text}{lists}{outputs}")).unwrap();
        std::fs::write(folder.path().join("x.opml"), opml(&[&a, &b])).unwrap();
        let first = newswire(folder.path(), &["poll"]);
        assert!(first.out.contains("2 feeds polled, 0 failed"), "{}{}", first.out, first.err);
        std::fs::write(folder.path().join("x.opml"), opml(&[&b])).unwrap();
        let second = newswire(folder.path(), &["poll", "--all", "--force"]);
        assert!(second.out.contains("1 feed polled, 0 failed"), "{}{}", second.out, second.err);
        let atom = std::fs::read_to_string(folder.path().join("www/all.atom")).unwrap();
        assert!(atom.contains(">b</title>"), "{atom}");
        assert_eq!(atom.contains(">a</title>"), stays, "{removed}: {atom}");
        let list = std::fs::read_to_string(folder.path().join("www/subscriptions.opml")).unwrap();
        assert!(list.contains(&b) && !list.contains(&a), "{list}");
    }
}
