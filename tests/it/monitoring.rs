//! Metrics, readiness, and the alerts and the dashboard that use them.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use newswire::config::Config;
use newswire::daemon::Engine;
use newswire::fetch::{ResolveError, Resolver};
use newswire::web::MetricsPage;
use regex::Regex;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use crate::daemon::{Running, connected, free_address, until};
use crate::docs::documented;
use crate::support::origin::Answer;
use crate::support::world::{World, rss};
use crate::web::site::{Answer as Seen, ask, run};

const HOST: &str = "site.test";

/// The reference of metrics.
const METRICS: &str = include_str!("../../docs/reference/metrics.md");

/// The names of the metrics in a scrape, without the suffixes of histograms.
fn names(scrape: &str) -> BTreeSet<String> {
    let types = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// A daemon that serves, with these feeds.
struct Watched {
    world: World,
    address: SocketAddr,
    running: Running,
}

impl Watched {
    async fn start(world: World, urls: &[Url], change: impl FnOnce(&mut Config)) -> Self {
        let resolver = world.origin.resolver();
        Self::with(world, urls, resolver, change).await
    }

    async fn with(
        world: World,
        urls: &[Url],
        resolver: Arc<dyn Resolver>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let address = free_address().await;
        let mut config = world.config(urls);
        config.web.listen = vec![address.into()];
        config.web.metrics = MetricsPage::Feeds;
        change(&mut config);
        let engine = Engine::open(config, world.clock.clone(), resolver).await.unwrap();
        let running = Running::start(engine);
        connected(address).await;
        Self { world, address, running }
    }

    async fn get(&self, path: &str) -> Seen {
        ask(self.address, "localhost", "GET", path, &[]).await
    }

    async fn metrics(&self) -> String {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status, 200);
        answer.text()
    }

    /// Waits until every feed was polled so often.
    async fn polled(&self, times: usize) {
        let database = self.world.database();
        let world = &self.world;
        until(world, "every feed was polled", || {
            let reader = newswire::store::Reader::open(&database).unwrap();
            let polled = reader.read(|reader| {
                let mut feeds = reader.feed_statuses()?.into_iter();
                feeds.try_fold(true, |all, feed| {
                    Ok::<_, newswire::store::Error>(
                        all && reader.polls(feed.info.key, 99)?.len() >= times,
                    )
                })
            });
            polled.unwrap()
        })
        .await;
    }

    /// Waits until the daemon is ready, and returns that answer.
    ///
    /// A poll is stored a moment before the daemon hears of it.
    async fn ready(&self) -> Seen {
        for _ in 0..2_000 {
            let answer = self.get("/readyz").await;
            if answer.status == 200 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("not ready: {}", self.get("/readyz?verbose").await.text());
    }
}

/// The value of one series.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("there is no {series} in\n{metrics}"));
    line.parse().unwrap()
}

/// One feed that answers, one that does not, and one that is forbidden.
async fn three_feeds() -> (World, Vec<Url>) {
    let world = World::new().await;
    let mut urls = Vec::new();
    for (path, answer) in [
        ("/good", Answer::ok(rss(&[("1", "Secret title"), ("2", "Two")]))),
        ("/bad", Answer::status(404)),
    ] {
        world.origin.route(HOST, path, [answer]);
        urls.push(world.origin.url(HOST, path));
    }
    urls.push("http://10.0.0.1/feed".parse().unwrap());
    (world, urls)
}

#[test]
fn the_metrics_are_those_of_the_reference_and_count() {
    run(async {
        let (world, urls) = three_feeds().await;
        let watched = Watched::start(world, &urls, |_| {}).await;
        watched.polled(1).await;
        until(&watched.world, "it was published", || {
            watched.world.folder.path().join("www/planet.json").exists()
        })
        .await;
        let metrics = watched.metrics().await;
        let documented: BTreeSet<String> = documented(METRICS, "| metric |")
            .iter()
            .filter_map(|name| Some(name.split('{').next()?.to_owned()))
            .collect();
        let missing: Vec<_> = documented.difference(&names(&metrics)).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "documented, but not in\n{metrics}");
        let unknown: Vec<_> = names(&metrics).difference(&documented).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "not documented");
        assert_eq!(value(&metrics, "newswire_polls_total{outcome=\"modified\"}"), 1.0);
        assert_eq!(value(&metrics, "newswire_polls_total{outcome=\"not_found\"}"), 1.0);
        assert_eq!(
            value(&metrics, "newswire_blocked_requests_total{reason=\"blocked_address\"}"),
            1.0
        );
        assert_eq!(value(&metrics, "newswire_items_total{result=\"new\"}"), 2.0);
        assert_eq!(value(&metrics, "newswire_feeds{state=\"ok\"}"), 1.0);
        assert_eq!(value(&metrics, "newswire_feeds{state=\"failing\"}"), 2.0);
        assert_eq!(value(&metrics, "newswire_poll_duration_seconds_count"), 3.0);
        assert_eq!(value(&metrics, "newswire_panics_total"), 0.0);
        assert!(value(&metrics, "newswire_poll_lag_seconds") < 60.0, "new feeds are not late");
        assert!(value(&metrics, "newswire_received_bytes_total") > 100.0);
        assert!(value(&metrics, "newswire_store_size_bytes") >= 4_096.0);
        assert!(value(&metrics, "newswire_store_wal_size_bytes") > 4_096.0);
        assert!(value(&metrics, "newswire_store_filesystem_free_bytes") > 0.0);
        assert_eq!(value(&metrics, "newswire_delivery_delay_seconds_count"), 0.0, "first poll");
        assert!(!metrics.contains("://") && !metrics.contains("Secret"), "{metrics}");
        watched.running.stop().await.unwrap();
    });
}

#[test]
fn openmetrics_is_for_clients_that_accept_it() {
    run(async {
        let (world, urls) = three_feeds().await;
        let watched = Watched::start(world, &urls, |_| {}).await;
        let asked = ["Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5"];
        let open = ask(watched.address, "localhost", "GET", "/metrics", &asked).await;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(open.header("content-type"), Some(kind));
        assert!(open.text().ends_with("\n# EOF\n") && open.text().matches("# EOF").count() == 1);
        assert!(open.text().contains("# TYPE newswire_polls counter\n"));
        let plain = watched.get("/metrics").await;
        assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(plain.header("cache-control"), Some("no-store"));
        assert!(plain.text().contains("# TYPE newswire_polls_total counter\n"));
        assert!(!plain.text().contains("# EOF"));
        let head = ask(watched.address, "localhost", "HEAD", "/metrics", &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        watched.running.stop().await.unwrap();
    });
}

#[test]
fn five_hundred_feeds_make_fewer_than_two_thousand_series() {
    run(async {
        let world = World::new().await;
        let url = |n| world.origin.url(HOST, &format!("/{n}"));
        let urls: Vec<Url> = (0..500).map(url).collect();
        let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
        let watched = Watched::start(world, &urls, |_| {}).await;
        let all = series(&watched.metrics().await);
        assert!((1_000..=2_000).contains(&all), "{all}");
        watched.running.stop().await.unwrap();
        let world = World::new().await;
        let on = |config: &mut Config| config.web.metrics = MetricsPage::On;
        let watched = Watched::start(world, &urls, on).await;
        let few = series(&watched.metrics().await);
        assert!(few < 150, "{few}");
        watched.running.stop().await.unwrap();
    });
}

#[test]
fn metrics_are_for_the_operator_and_can_be_switched_off() {
    run(async {
        let world = World::new().await;
        let watched = Watched::start(world, &[], |config| {
            config.web.public_url = Some("https://planet.test/".parse().unwrap());
        })
        .await;
        // There is no feed to wait for.
        watched.ready().await;
        for path in ["/metrics", "/readyz?verbose", "/status", "/status.json"] {
            let through = async |host, fields: &[&str]| {
                ask(watched.address, host, "GET", path, fields).await.status
            };
            assert_eq!(through("localhost", &[]).await, 200);
            assert_eq!(through("planet.test", &[]).await, 404);
            assert_eq!(through("localhost", &["X-Forwarded-For: 192.0.2.1"]).await, 404);
            assert_eq!(through("localhost", &["Via: 1.1 proxy"]).await, 404);
            assert_eq!(through("localhost", &["Sec-Fetch-Site: cross-site"]).await, 403);
            assert_eq!(through("evil.test", &[]).await, 421);
        }
        assert_eq!(ask(watched.address, "planet.test", "GET", "/readyz", &[]).await.status, 200);
        watched.running.stop().await.unwrap();
        let off = |config: &mut Config| config.web.metrics = MetricsPage::Off;
        let watched = Watched::start(World::new().await, &[], off).await;
        assert_eq!(watched.get("/metrics").await.status, 404);
        watched.running.stop().await.unwrap();
    });
}

#[test]
fn newswire_is_ready_after_the_first_stored_poll() {
    run(async {
        let world = World::new().await;
        let gate = Arc::new(Semaphore::new(0));
        let held = Answer::Held(Arc::clone(&gate), Box::new(Answer::ok(rss(&[("1", "One")]))));
        world.origin.route(HOST, "/slow", [held]);
        let url = world.origin.url(HOST, "/slow");
        let watched = Watched::start(world, &[url], |_| {}).await;
        assert_eq!(watched.get("/healthz").await.text(), "ok\n");
        let early = watched.get("/readyz").await;
        assert_eq!((early.status, &*early.text()), (503, "not_polled_yet\n"));
        let verbose: Value =
            serde_json::from_str(&watched.get("/readyz?verbose").await.text()).unwrap();
        assert_eq!(verbose["ready"], false);
        assert_eq!(verbose["problems"][0]["code"], "not_polled_yet");
        gate.add_permits(1);
        watched.polled(1).await;
        assert_eq!(watched.ready().await.text(), "ready\n");
        let metrics = watched.get("/metrics").await.text();
        assert!(metrics.contains("newswire_problem{code=\"not_polled_yet\"} 0\n"), "{metrics}");
        watched.running.stop().await.unwrap();
    });
}

/// Panics for one host.
struct Poison(Arc<dyn Resolver>);

impl Resolver for Poison {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        assert!(!host.starts_with("poison"), "a mistake in newswire");
        self.0.resolve(host)
    }
}

#[test]
fn a_feed_that_causes_panics_is_quarantined() {
    run(async {
        let world = World::new().await;
        world.origin.route(HOST, "/good", [Answer::ok(rss(&[("1", "One")]))]);
        let urls = [world.origin.url(HOST, "/good"), world.origin.url("poison.test", "/feed")];
        let resolver = Arc::new(Poison(world.origin.resolver()));
        let watched = Watched::with(world, &urls, resolver, |_| {}).await;
        for times in 1..=3 {
            watched.polled(times).await;
            watched.world.clock.advance(Duration::from_secs(3 * 3_600));
        }
        let metrics = watched.metrics().await;
        assert_eq!(value(&metrics, "newswire_panics_total"), 3.0);
        assert_eq!(value(&metrics, "newswire_feeds{state=\"quarantined\"}"), 1.0);
        assert_eq!(value(&metrics, "newswire_feeds{state=\"ok\"}"), 1.0);
        let statuses = watched.world.statuses();
        let poison = statuses.iter().find(|status| status.info.url.contains("poison")).unwrap();
        assert_eq!((poison.reason.slug(), poison.failures), ("quarantine", 3));
        watched.running.stop().await.unwrap();
    });
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\b(?:newswire|process)_[a-z_]+").unwrap();
    let rooms = ["newswire_build"];
    let names = name.find_iter(text).map(|name| name.as_str().to_owned());
    names.filter(|name| !rooms.contains(&&**name)).collect()
}

#[test]
fn alerts_and_dashboard_use_existing_metrics() {
    run(async {
        let (world, urls) = three_feeds().await;
        let watched = Watched::start(world, &urls, |_| {}).await;
        watched.polled(1).await;
        let metrics = watched.metrics().await;
        let there: BTreeSet<&str> = metrics
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        let rules = include_str!("../../docs/monitoring/rules.yml");
        let tests = include_str!("../../docs/monitoring/rules_test.yml");
        let board = include_str!("../../docs/monitoring/dashboard.json");
        for (file, text, least) in [("rules", rules, 9), ("tests", tests, 9), ("board", board, 20)]
        {
            let names = named(text);
            assert!(names.len() >= least, "{file} names {names:?}");
            for name in names {
                assert!(there.contains(&*name), "{file} names {name}, which is not there");
            }
        }
        let board: Value = serde_json::from_str(board).unwrap();
        assert!(board["panels"].as_array().unwrap().len() >= 12);
        for alert in [
            "FeedStale",
            "ManyFeedsFailing",
            "ManyFeedsThrottled",
            "OutputStale",
            "ConfigReloadFailed",
            "StoreNearFull",
            "PollLag",
            "Panic",
        ] {
            assert!(rules.contains(&format!("- alert: {alert}\n")), "{alert}");
            assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert} is not tried");
        }
        watched.running.stop().await.unwrap();
    });
}

#[tokio::test]
async fn metrics_have_no_titles_and_no_texts_of_feeds() {
    let world = World::new().await;
    let document =
        rss(&[("secret-guid", "secret title")]).replace("<title>Site", "<title>secret site");
    world.origin.route(HOST, "/feed", [Answer::ok(document)]);
    let failing = Answer::status(302).with("Location", "http://secret:user@secret.test/");
    world.origin.route(HOST, "/broken", [failing]);
    let urls = ["/feed", "/broken"].map(|path| world.origin.url(HOST, path));
    let watched = Watched::start(world, &urls, |_| ()).await;
    watched.polled(1).await;
    let metrics = watched.metrics().await;
    assert!(metrics.contains("newswire_feed_consecutive_failures"), "{metrics}");
    assert!(!metrics.contains("secret"), "{metrics}");
    watched.running.stop().await.unwrap();
}
