//! `newswire demo`: runs the daemon with sample feeds from a local server, in a temporary folder.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use url::Url;

use super::init;
use super::run::stop_signal;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, Engine};
use crate::fetch::{self, SystemResolver};
use crate::model::{Feed, FeedId, Removal};
use crate::poll::Subscription;
use crate::render::{Format, Output, OutputIdentity};
use crate::schedule;
use crate::store;
use crate::telemetry;
use crate::web::{self, samples};

/// Interval of the sample feeds: short, so that changes are soon visible.
const INTERVAL: Duration = Duration::from_secs(5);

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No port or no temporary folder is available.
    #[error("failed to start the demo: {0}")]
    Start(#[from] io::Error),
    /// The daemon that serves the demo failed.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
}

crate::model::codes! {
    Error:
    Self::Start(_) => "demo_cannot_start": "the demo needs a free port on 127.0.0.1 and a writable temporary folder (TMPDIR)",
    ;
    Self::Daemon(error) => error,
}

/// Runs the demo until Ctrl-C; prints the addresses with `print`.
///
/// # Errors
/// When it cannot start, or the daemon fails.
pub(super) async fn run(print: impl FnOnce(&str)) -> Result<(), Error> {
    let folder = tempfile::Builder::new().prefix("newswire-demo-").tempdir()?;
    let usual = web::Settings::default().listen.first().and_then(web::ListenAddress::reachable);
    let usual = usual.unwrap_or(init::ANY_ADDRESS);
    let (listen, site) = (init::free_address(usual)?, TcpListener::bind("127.0.0.1:0").await?);
    let sources = site.local_addr()?;
    let clock = Clock::system();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = samples::serve(site, clock.clone(), async move { drop(stopped.await) });
    let server = tokio::spawn(serving);
    let config = config(folder.path(), listen, sources);
    let engine = Engine::open(config, clock, Arc::new(SystemResolver::new())).await?;
    print(&welcome(listen, sources));
    let result = daemon::run(engine, stop_signal().map(drop)).await;
    drop(stop);
    // The server ends with its last connection; the demo does not wait for that.
    server.abort();
    Ok(result?)
}

fn welcome(listen: SocketAddr, sources: SocketAddr) -> String {
    let seconds = INTERVAL.as_secs();
    format!(
        "newswire demo: {} sample feeds, polled every {seconds} seconds, merged into one.\n\n  \
         look       http://{listen}/\n  \
         subscribe  http://{listen}/demo.atom   (or demo.rss, demo.json)\n  \
         sources    http://{sources}/\n\n\
         The tide gauge gains an item every {} seconds. The lamp is broken on purpose. Two feeds report the\n\
         return of the ferry, which is one story in the merged feed. Ctrl-C stops the demo; nothing is kept.\n",
        samples::FEEDS.len(),
        samples::GROWTH.as_secs(),
    )
}

/// The output of the demo, which is also written to `folder`.
fn output(folder: &Path, base_url: Url) -> Output {
    Output {
        id: "demo".to_owned(),
        title: "Newswire demo".to_owned(),
        description: Some("Six sample feeds in one".to_owned()),
        link: None,
        author: None,
        formats: Format::ALL.to_vec(),
        directory: Some(folder.join("www")),
        token: None,
        items: 50,
        max_age: None,
        per_feed: Some(20),
        per_feed_percent: None,
        min_feeds: None,
        filter: Default::default(),
        rewrite: Default::default(),
        theme: Default::default(),
        presentation: Default::default(),
        deltas: false,
        digest: None,
        site: false,
        has_pages: true,
        base_url,
        identity: OutputIdentity::new("demo", Timestamp::UNIX_EPOCH),
        filtered: None,
        private_feeds: Arc::default(),
    }
}

/// The config of the demo.
fn config(folder: &Path, listen: SocketAddr, sources: SocketAddr) -> Config {
    let schedule = schedule::Settings {
        interval: INTERVAL,
        interval_mode: schedule::IntervalMode::Fixed,
        min_interval: INTERVAL,
        per_host: 4,
        host_spacing: Duration::from_millis(100),
        ..schedule::Settings::default()
    };
    let fetch = fetch::Settings {
        contact: Some(format!("http://{listen}/")),
        allow_networks: vec![ipnet::IpNet::from(sources.ip())],
        ..fetch::Settings::default()
    };
    let web = web::Settings { listen: vec![listen.into()], ..web::Settings::default() };
    let output = output(folder, web.base_url());
    let (schedule, fetch) = (Arc::new(schedule), Arc::new(fetch));
    let subscription = |path: &&str| Subscription {
        feed: Feed {
            id: path.split('/').next().and_then(|name| FeedId::new(name).ok()),
            url: Url::parse(&format!("http://{sources}/{path}")).expect("an address makes a URL"),
            title: None,
            tags: vec!["demo".to_owned()],
            removal: Removal::Hide,
        },
        schedule: Arc::clone(&schedule),
        fetch: Arc::clone(&fetch),
        dedupe: Arc::default(),
        filters: Arc::default(),
        remove: Arc::default(),
        max_items: 1_000,
    };
    Config {
        schedule: Arc::clone(&schedule),
        fetch: (*fetch).clone(),
        subscriptions: samples::FEEDS.iter().map(subscription).collect(),
        followed: Vec::new(),
        concurrency: 8,
        dedupe: Default::default(),
        store: store::Settings { path: folder.join("newswire.db"), ..store::Settings::default() },
        web,
        log: telemetry::Settings::default(),
        outputs: vec![output],
    }
}
