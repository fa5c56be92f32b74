//! A config that is read again while the daemon runs: all of it is put in force, or nothing.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use newswire::config;
use newswire::daemon::control::{Reply, Request, ask, socket_of};
use newswire::daemon::{self, Change, Engine, Follower, Outside, Remote, Source, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::daemon::{free_address, until};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, rss};

const HEAD: &str =
    "version = 1\n[fetch]\ncontact = \"me@example.org\"\nallow_networks = [\"127.0.0.0/8\"]\n";

/// A daemon whose config is a file.
struct Running {
    world: World,
    remote: Remote,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    daemon: JoinHandle<Result<(), daemon::Error>>,
}

impl Running {
    /// With `feeds` on the origin, each with one item, and a config of the first `configured` of them.
    async fn start(hosts: &[&str], configured: usize) -> Self {
        let world = World::new().await;
        for host in hosts {
            world.origin.route(host, "/feed", [Answer::ok(rss(&[(host, host)]))]);
        }
        let address = free_address().await;
        let path = world.folder.path().join("newswire.toml");
        let loads = path.clone();
        let source: Source = Arc::new(move || config::load(&loads));
        let running = |world, remote, stop, daemon| Self { world, remote, address, stop, daemon };
        write(&world, address, &hosts[..configured], "");
        let config = source().config.unwrap();
        let (clock, resolver) = (world.clock.clone(), world.origin.resolver());
        let follower = Follower::new(clock.clone(), resolver.clone()).unwrap();
        let engine = Engine::open(config, clock, resolver).await.unwrap();
        let (remote, orders) = daemon::remote(source, None);
        let outside = Outside { orders, given: Vec::new(), follower };
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let daemon = tokio::spawn(daemon::run_within(engine, outside, stopped));
        running(world, remote, stop, daemon)
    }

    fn write(&self, hosts: &[&str], more: &str) {
        write(&self.world, self.address, hosts, more);
    }

    async fn reload(&self) -> Change {
        match self.remote.reload().await {
            Verdict::Taken { change, .. } => change,
            other => panic!("{other:?}"),
        }
    }

    async fn get(&self, path: &str) -> String {
        get(self.address, path).await
    }

    fn asked(&self, host: &str) -> usize {
        self.world.origin.asked().iter().filter(|asked| asked.host == host).count()
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.daemon.await.unwrap().unwrap();
    }
}

/// One feed a host, named as it; `more` may hold keys of its own.
fn write(world: &World, address: SocketAddr, hosts: &[&str], more: &str) {
    let feeds: String = hosts
        .iter()
        .map(|host| {
            let (id, url) = (host.trim_end_matches(".test"), world.origin.url(host, "/feed"));
            format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n")
        })
        .collect();
    let text = format!(
        "{HEAD}[web]\nlisten = \"{address}\"\n[[output]]\nid = \"planet\"\ndirectory = \"www\"\n{feeds}{more}\n"
    );
    std::fs::write(world.folder.path().join("newswire.toml"), text).unwrap();
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn failed(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_new_is_polled_what_is_gone_is_not_shown_and_what_stays_is_left_alone() {
    let running = Running::start(&["a.test", "b.test", "c.test"], 2).await;
    let all = || running.asked("a.test") + running.asked("b.test") == 2;
    until(&running.world, "both feeds are polled", all).await;
    running.write(&["b.test", "c.test"], "");
    let change = running.reload().await;
    assert_eq!((change.added, change.removed), (vec!["c".to_owned()], vec!["a".to_owned()]));
    assert!(change.changed.is_empty() && change.restart.is_empty());
    until(&running.world, "the new feed is polled", || running.asked("c.test") == 1).await;
    assert_eq!((running.asked("a.test"), running.asked("b.test")), (1, 1), "left alone");
    let shown = || {
        let path = running.world.folder.path().join("www/planet.json");
        let document = std::fs::read_to_string(path).unwrap();
        document.contains("c.test") && !document.contains("a.test")
    };
    until(&running.world, "the output follows", shown).await;
    running.end().await;
}

#[tokio::test]
async fn monitors_hear_of_a_config_that_was_refused_until_one_is_taken() {
    let running = Running::start(&["a.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let (series, time) = (
        "newswire_config_last_reload_successful",
        "newswire_config_last_reload_success_timestamp_seconds",
    );
    let metric = async |name: &str| {
        let metrics = running.get("/metrics").await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap().to_owned()
    };
    let started = metric(time).await;
    running.world.clock.advance(std::time::Duration::from_secs(1));
    running.write(&["a.test"], "intervall = \"1h\"");
    assert!(matches!(running.remote.reload().await, Verdict::Refused(_)));
    while metric(series).await != "0" {}
    assert_eq!(metric(time).await, started);
    let ready = running.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("config_rejected\n"), "{ready}");
    running.write(&["a.test"], "");
    running.reload().await;
    assert_eq!(metric(series).await, "1");
    assert_ne!(metric(time).await, started);
    // The poll may not be stored yet.
    while !running.get("/readyz").await.starts_with("HTTP/1.1 200") {}
    running.end().await;
}

#[tokio::test]
async fn a_config_with_an_error_changes_nothing_whatever_else_stands_in_it() {
    let running = Running::start(&["a.test", "b.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let socket = socket_of(&running.world.database());
    for broken in ["[[feed]]\nurl = \"ftp://x.example/\"", "intervall = \"1h\"", "[[", "\u{0}"] {
        running.write(&["b.test"], broken);
        let Verdict::Refused(report) = running.remote.reload().await else { panic!("{broken}") };
        assert!(report.contains("newswire.toml:"), "{report}");
        // The same through the socket, for `newswire reload`.
        let database = running.world.database();
        let asked = tokio::task::spawn_blocking(move || ask(&database, &Request::Reload));
        assert_eq!(asked.await.unwrap().unwrap(), Reply::Refused(report));
    }
    running.world.clock.advance(HOUR / 2);
    assert_eq!((running.asked("a.test"), running.asked("b.test")), (1, 0));
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    running.write(&["a.test"], "");
    let database = running.world.database();
    let asked = tokio::task::spawn_blocking(move || ask(&database, &Request::Reload));
    assert!(matches!(asked.await.unwrap().unwrap(), Reply::Done { .. }));
    running.end().await;
    assert!(!socket.exists(), "the socket goes with the daemon");
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_and_nothing_else_of_that_config_is_in_force() {
    let mut running = Running::start(&["a.test", "b.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let old = std::mem::replace(&mut running.address, taken.local_addr().unwrap());
    running.write(&["a.test", "b.test"], "");
    let verdict = running.remote.reload().await;
    assert!(failed(&verdict).contains("failed to listen on"), "{verdict:?}");
    assert!(get(old, "/healthz").await.contains("200 OK"), "the old address is still served");
    running.world.clock.advance(HOUR / 2);
    assert_eq!(running.asked("b.test"), 0);
    drop(taken);
    assert_eq!(running.reload().await.values, ["web.listen"]);
    assert!(running.get("/healthz").await.contains("200 OK"), "the new address is served");
    until(&running.world, "the new feed is polled", || running.asked("b.test") == 1).await;
    running.end().await;
}

#[tokio::test]
async fn an_interval_that_was_changed_counts_from_the_last_poll_and_only_for_its_feed() {
    let running = Running::start(&["a.test", "b.test"], 2).await;
    let both = || running.asked("a.test") + running.asked("b.test") == 2;
    until(&running.world, "both feeds are polled", both).await;
    until(&running.world, "both are planned", || {
        running.world.statuses().iter().all(|status| status.last_poll_at.is_some())
    })
    .await;
    let url = running.world.origin.url("a.test", "/feed");
    running
        .write(&["b.test"], &format!("[[feed]]\nid = \"a\"\nurl = \"{url}\"\ninterval = \"20m\""));
    assert_eq!(running.reload().await.changed, ["a"]);
    running.world.clock.advance(HOUR / 2);
    until(&running.world, "it is polled by the new interval", || running.asked("a.test") == 2)
        .await;
    assert_eq!(running.asked("b.test"), 1);
    let status = running.world.statuses();
    let a = status.iter().find(|status| status.info.id.as_str() == "a").unwrap();
    assert!(a.reason_text.contains("20m"), "{}", a.reason_text);
    running.end().await;
}

#[tokio::test]
async fn our_own_port_on_another_address_waits_for_a_restart_and_the_rest_is_in_force() {
    let mut running = Running::start(&["a.test", "b.test"], 1).await;
    let old = running.address;
    running.address.set_ip([0, 0, 0, 0].into());
    running.write(&["a.test", "b.test"], "");
    let change = running.reload().await;
    assert_eq!((change.restart, change.added), (vec!["web.listen"], vec!["b".to_owned()]));
    assert!(get(old, "/healthz").await.contains("200 OK"));
    running.end().await;
}

#[tokio::test]
async fn what_only_a_restart_changes_is_named() {
    let running = Running::start(&["a.test"], 1).await;
    running.write(&["a.test"], "[store]\npath = \"other.db\"\n[log]\nformat = \"json\"");
    assert_eq!(running.reload().await.restart, ["store.path", "log.format"]);
    let change = running.reload().await;
    assert_eq!(change.restart, ["store.path", "log.format"], "until it is done");
    assert!(change.to_string().contains("restart newswire for store.path, log.format"));
    assert!(!running.world.folder.path().join("other.db").exists());
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_refused_and_no_answer_lost_while_the_config_is_read_again() {
    let running = Running::start(&["a.test", "b.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let (address, done) = (running.address, Arc::clone(&over));
    let reading = tokio::spawn(async move {
        let mut answers = 0;
        while !done.load(Ordering::SeqCst) {
            assert!(get(address, "/planet.json").await.starts_with("HTTP/1.1 200"));
            answers += 1;
        }
        answers
    });
    for round in 0..20 {
        let hosts = if round % 2 == 0 { &["a.test", "b.test"][..] } else { &["a.test"] };
        running.write(hosts, "");
        running.reload().await;
    }
    over.store(true, Ordering::SeqCst);
    assert!(reading.await.unwrap() > 0);
    assert_eq!(running.asked("a.test"), 1, "a reload polls nothing that has not changed");
    running.end().await;
}
