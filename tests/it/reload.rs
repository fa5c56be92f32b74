//! Reloads of the config: applied completely or not at all.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use newswire::config;
use newswire::daemon::control::{Reply, Request, send, socket_of};
use newswire::daemon::{
    self, Change, ConfigSource, DaemonHandle, Engine, Inputs, ListFollower, ReloadResult,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::daemon::{connected, free_address, until};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, rss};

const HEAD: &str =
    "version = 1\n[fetch]\ncontact = \"me@example.org\"\nallow_networks = [\"127.0.0.0/8\"]\n";

/// A daemon with a config file.
pub(crate) struct Running {
    pub(crate) world: World,
    pub(crate) handle: DaemonHandle,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    daemon: JoinHandle<Result<(), daemon::Error>>,
}

impl Running {
    /// Starts with a feed of one item on each host, of which the first `configured` are in the config.
    pub(crate) async fn start(hosts: &[&str], configured: usize) -> Self {
        let world = World::new().await;
        for host in hosts {
            world.origin.route(host, "/feed", [Answer::ok(rss(&[(host, host)]))]);
        }
        let address = free_address().await;
        let path = world.folder.path().join("newswire.toml");
        let loads = path.clone();
        let source: ConfigSource = Arc::new(move || config::load(&loads));
        let running = |world, handle, stop, daemon| Self { world, handle, address, stop, daemon };
        write(&world, address, &hosts[..configured], "");
        let config = source().config.unwrap();
        let (clock, resolver) = (world.clock.clone(), world.origin.resolver());
        let engine = Engine::open(config, clock.clone(), resolver).await.unwrap();
        let follower = ListFollower::new(engine.gate().clone(), clock);
        let (handle, commands) = daemon::handle(source, None);
        let inputs = Inputs { commands, sockets: Vec::new(), follower };
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let daemon = tokio::spawn(daemon::run_with(engine, inputs, stopped));
        running(world, handle, stop, daemon)
    }

    pub(crate) fn write(&self, hosts: &[&str], more: &str) {
        write(&self.world, self.address, hosts, more);
    }

    pub(crate) async fn reload(&self) -> Change {
        match self.handle.reload().await {
            ReloadResult::Applied { change, .. } => change,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        get(self.address, path).await
    }

    fn asked(&self, host: &str) -> usize {
        self.world.origin.asked().iter().filter(|asked| asked.host == host).count()
    }

    pub(crate) async fn end(self) {
        self.stop.send(()).unwrap();
        while !self.daemon.is_finished() {
            // A poll may wait for its turn.
            self.world.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        self.daemon.await.unwrap().unwrap();
    }
}

/// Writes a config with one feed per host, named after it, followed by `more`.
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
    let mut stream = connected(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn failed(verdict: &ReloadResult) -> &str {
    match verdict {
        ReloadResult::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reload_polls_new_feeds_hides_removed_ones_and_keeps_the_others() {
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
        let document = std::fs::read_to_string(path).unwrap_or_default();
        document.contains("c.test") && !document.contains("a.test")
    };
    until(&running.world, "the output follows", shown).await;
    running.end().await;
}

#[tokio::test]
async fn a_rejected_config_is_a_warning_until_one_is_applied() {
    let running = Running::start(&["a.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    // The daemon hears of the poll a moment after the request.
    while !running.get("/readyz").await.starts_with("HTTP/1.1 200") {}
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
    assert!(matches!(running.handle.reload().await, ReloadResult::Rejected(_)));
    while metric(series).await != "0" {}
    assert_eq!(metric(time).await, started);
    let ready = running.get("/readyz").await;
    let warning = "ready\nwarning: config_rejected\n";
    assert!(ready.starts_with("HTTP/1.1 200") && ready.ends_with(warning), "{ready}");
    running.write(&["a.test"], "");
    running.reload().await;
    assert_eq!(metric(series).await, "1");
    assert_ne!(metric(time).await, started);
    assert!(running.get("/readyz").await.ends_with("ready\n"));
    running.end().await;
}

#[tokio::test]
async fn a_config_with_an_error_changes_nothing() {
    let running = Running::start(&["a.test", "b.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let socket = socket_of(&running.world.database());
    for broken in ["[[feed]]\nurl = \"ftp://x.example/\"", "intervall = \"1h\"", "[[", "\u{0}"] {
        running.write(&["b.test"], broken);
        let ReloadResult::Rejected(report) = running.handle.reload().await else {
            panic!("{broken}")
        };
        assert!(report.contains("newswire.toml:"), "{report}");
        // The same through the control socket.
        let database = running.world.database();
        let asked = tokio::task::spawn_blocking(move || send(&database, &Request::Reload, |_| ()));
        assert_eq!(asked.await.unwrap().unwrap(), Reply::Rejected(report));
    }
    running.world.clock.advance(HOUR / 2);
    assert_eq!((running.asked("a.test"), running.asked("b.test")), (1, 0));
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    running.write(&["a.test"], "");
    let database = running.world.database();
    let asked = tokio::task::spawn_blocking(move || send(&database, &Request::Reload, |_| ()));
    assert!(matches!(asked.await.unwrap().unwrap(), Reply::Done { .. }));
    running.end().await;
    assert!(!socket.exists(), "the socket goes with the daemon");
}

#[tokio::test]
async fn a_hundred_configs_with_errors_change_nothing() {
    let running = Running::start(&["a.test", "b.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let before = running.get("/planet.json").await;
    let path = running.world.folder.path().join("newswire.toml");
    let mut rejected = 0;
    for broken in crate::mistakes::broken_configs() {
        std::fs::write(&path, broken).unwrap();
        if config::load(&path).config.is_some() {
            // Only a start finds that the database cannot be there.
            continue;
        }
        match running.handle.reload().await {
            ReloadResult::Rejected(report) => assert!(report.contains("newswire.toml"), "{report}"),
            other => panic!("{other:?} of {broken}"),
        }
        rejected += 1;
    }
    assert!(rejected >= 100, "{rejected} configs");
    let body = |answer: &str| answer.split("\r\n\r\n").nth(1).unwrap().to_owned();
    assert_eq!(body(&running.get("/planet.json").await), body(&before));
    running.world.clock.advance(HOUR / 2);
    assert_eq!((running.asked("a.test"), running.asked("b.test")), (1, 0));
    running.write(&["a.test"], "");
    assert_eq!(running.reload().await.to_string(), "no changes");
    running.end().await;
}

#[tokio::test]
async fn a_reload_reads_files_with_secrets_again() {
    let running = Running::start(&["a.test", "b.test"], 1).await;
    let secret = running.world.folder.path().join("key");
    crate::config::private(&secret, "first");
    let more = format!(
        "[[feed]]\nid = \"b\"\nurl = \"{}\"\nheaders = {{ X-Key = {{ file = {secret:?} }} }}",
        running.world.origin.url("b.test", "/feed")
    );
    running.write(&["a.test"], &more);
    running.reload().await;
    let keys = || {
        let asked = running.world.origin.asked();
        let of_b = asked.iter().filter(|asked| asked.host == "b.test");
        of_b.map(|asked| asked.header("x-key").unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    until(&running.world, "the feed is polled", || keys() == ["first"]).await;
    crate::config::private(&secret, "second");
    running.reload().await;
    running.world.clock.advance(12 * HOUR);
    until(&running.world, "the feed is polled again", || keys().len() == 2).await;
    assert_eq!(keys(), ["first", "second"]);
    // A file that other users can read rejects the whole config.
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(running.handle.reload().await, ReloadResult::Rejected(_)));
    running.end().await;
}

#[tokio::test]
async fn a_config_with_an_address_in_use_changes_nothing() {
    let mut running = Running::start(&["a.test", "b.test"], 1).await;
    until(&running.world, "the feed is polled", || running.asked("a.test") == 1).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let old = std::mem::replace(&mut running.address, taken.local_addr().unwrap());
    running.write(&["a.test", "b.test"], "");
    let verdict = running.handle.reload().await;
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
async fn a_changed_interval_counts_from_the_last_poll_of_its_feed() {
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
async fn the_same_port_on_another_address_needs_a_restart() {
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
async fn a_reload_names_the_keys_that_need_a_restart() {
    let running = Running::start(&["a.test"], 1).await;
    running.write(&["a.test"], "[store]\npath = \"other.db\"\n[log]\nformat = \"json\"");
    assert_eq!(running.reload().await.restart, ["store.path", "log.format"]);
    let change = running.reload().await;
    assert_eq!(change.restart, ["store.path", "log.format"], "until the restart");
    assert!(change.to_string().contains("a restart is needed for: store.path, log.format"));
    assert!(!running.world.folder.path().join("other.db").exists());
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_refuses_no_connection_and_loses_no_response() {
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

#[tokio::test]
async fn a_reload_names_changed_outputs() {
    let running = Running::start(&["a.test"], 1).await;
    assert_eq!(running.reload().await.to_string(), "no changes");
    let path = running.world.folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let output = "directory = \"www\"\ntitle = \"Another title\"\n";
    std::fs::write(&path, text.replace("directory = \"www\"\n", output)).unwrap();
    let change = running.reload().await;
    assert_eq!(change.changed_outputs, ["planet"]);
    assert_eq!(change.to_string(), "outputs changed: 1 (planet)");
    running.end().await;
}

#[tokio::test]
async fn a_reload_names_each_feed_of_which_any_setting_changed() {
    let running = Running::start(&["a.test", "b.test"], 2).await;
    for line in [
        "include = { title = \"number 7\" }",
        "include = { title = \"number 8\" }",
        "exclude = { title = \"number 7\" }",
        "remove = [\".advert\"]",
        "max_items = 7",
        "tags = [\"t\"]",
        "title = \"B\"",
        "user_agent = \"Planet/1.0\"",
        "across_feeds = \"off\"",
        "max_interval = \"2d\"",
    ] {
        running.write(&["a.test", "b.test"], line);
        let change = running.reload().await;
        assert_eq!(change.changed, ["b"], "{line}");
        assert_eq!(change.to_string(), "feeds changed: 1 (b)", "{line}");
    }
    running.write(&["a.test", "b.test"], "");
    assert_eq!(running.reload().await.changed, ["b"]);
    let server = "[[server]]\nhost = \"a.test\"\nexclude = { title = \"number 7\" }";
    running.write(&["a.test", "b.test"], server);
    assert_eq!(running.reload().await.changed, ["a"]);
    running.end().await;
}

#[tokio::test]
async fn a_reload_names_every_section_that_changed() {
    let running = Running::start(&["a.test"], 1).await;
    for (more, values) in [
        ("[store]\nretention = \"90d\"", &["store.retention"][..]),
        ("[schedule]\nper_host = 2", &["store.retention", "schedule"]),
        ("[dedupe]\nupdates = \"bump\"", &["schedule", "dedupe"]),
        ("[log]\nlevel = \"debug\"", &["log.level", "dedupe"]),
    ] {
        running.write(&["a.test"], more);
        let change = running.reload().await;
        assert_eq!(change.values, values, "{more}");
        assert!(change.to_string().ends_with(&values.join(", ")), "{change}");
    }
    running.end().await;
}

#[tokio::test]
async fn the_web_server_does_not_take_the_path_of_the_control_socket() {
    let running = Running::start(&["a.test"], 1).await;
    let socket = socket_of(&running.world.database());
    let path = running.world.folder.path().join("newswire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let listen = format!("listen = [\"{}\", \"unix:{}\"]", running.address, socket.display());
    let text = text.replace(&format!("listen = \"{}\"", running.address), &listen);
    std::fs::write(&path, text).unwrap();
    let verdict = running.handle.reload().await;
    assert!(failed(&verdict).contains("the control socket"), "{verdict:?}");
    let database = running.world.database();
    let asked = tokio::task::spawn_blocking(move || send(&database, &Request::Ready, |_| ()));
    assert!(matches!(asked.await.unwrap().unwrap(), Reply::Done { .. }));
    running.end().await;
}
