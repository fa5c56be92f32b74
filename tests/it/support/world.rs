//! A world in a temp folder: manual clock, real store, real fetcher, scripted origin.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use newswire::clock::Clock;
use newswire::config::Config;
use newswire::daemon::{self, Engine, FeedSelection};
use newswire::model::{Feed, FeedStatus, Removal};
use newswire::poll::{PollEnd, Polled, Subscription, Trigger};
use newswire::render::{Format, Output, OutputIdentity};
use newswire::store::Reader;
use newswire::{dedupe, fetch, schedule, store, web};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use super::empty_folder;
use super::origin::Origin;

/// Everything that one test needs; what is in the folder goes with it.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) origin: Origin,
    pub(crate) clock: Clock,
    pub(crate) fetch: fetch::Settings,
    pub(crate) schedule: schedule::Settings,
    pub(crate) concurrency: usize,
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

impl World {
    pub(crate) async fn new() -> Self {
        Self {
            folder: empty_folder(),
            origin: Origin::start().await,
            clock: Clock::manual("2025-06-01T12:00:00Z".parse().unwrap()),
            fetch: fetch::Settings {
                allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
                ..fetch::Settings::default()
            },
            // The clock is moved by hand: nothing may wait for a host's spacing.
            schedule: schedule::Settings {
                per_host: 16,
                host_spacing: Duration::ZERO,
                interval_mode: schedule::IntervalMode::Fixed,
                ..schedule::Settings::default()
            },
            concurrency: 64,
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("newswire.db")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One output of everything, one feed for each URL.
    pub(crate) fn config(&self, urls: &[Url]) -> Config {
        let (schedule, fetch) = (Arc::new(self.schedule.clone()), Arc::new(self.fetch.clone()));
        let subscription = |url: &Url| Subscription {
            feed: Feed {
                id: None,
                url: url.clone(),
                title: None,
                tags: Vec::new(),
                removal: Removal::Hide,
            },
            schedule: Arc::clone(&schedule),
            fetch: Arc::clone(&fetch),
            dedupe: Arc::new(dedupe::Settings { initial_items: 10_000, ..Default::default() }),
            remove: Arc::default(),
            filters: Arc::default(),
            max_items: 1_000,
        };
        let web = web::Settings { listen: Vec::new(), ..web::Settings::default() };
        Config {
            schedule: Arc::clone(&schedule),
            fetch: self.fetch.clone(),
            concurrency: self.concurrency,
            dedupe: Default::default(),
            store: store::Settings { path: self.database(), ..store::Settings::default() },
            log: Default::default(),
            outputs: vec![output(web.base_url(), self.folder.path().join("www"))],
            subscriptions: urls.iter().map(subscription).collect(),
            followed: Vec::new(),
            web,
        }
    }

    /// The rooms put together, as the daemon has them.
    pub(crate) async fn open(&self, urls: &[Url]) -> Engine {
        self.open_with(self.config(urls)).await
    }

    pub(crate) async fn open_with(&self, config: Config) -> Engine {
        Engine::open(config, self.clock.clone(), self.origin.resolver()).await.unwrap()
    }

    /// What the database says of each feed.
    pub(crate) fn statuses(&self) -> Vec<FeedStatus> {
        Reader::open(&self.database()).unwrap().read(|reader| reader.feed_statuses()).unwrap()
    }

    /// What it says of the only feed.
    pub(crate) fn status(&self) -> FeedStatus {
        let mut all = self.statuses();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

fn output(base_url: Url, directory: PathBuf) -> Output {
    Output {
        id: "planet".to_owned(),
        title: "Planet".to_owned(),
        description: None,
        link: None,
        author: None,
        formats: Format::ALL.to_vec(),
        directory: Some(directory),
        token: None,
        items: 100,
        max_age: None,
        per_feed: None,
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
        identity: OutputIdentity::new("planet", Timestamp::UNIX_EPOCH),
        filtered: None,
        private_feeds: Arc::default(),
    }
}

/// Polls once and publishes; what each poll brought, in the order of the feeds.
pub(crate) async fn poll(engine: &Engine, which: FeedSelection) -> Vec<Polled> {
    let mut polled = Vec::new();
    for end in ends(engine, which).await {
        match end {
            PollEnd::Polled(one) => polled.push(one),
            PollEnd::Held(held) => panic!("held: {held:?}"),
        }
    }
    polled
}

/// Polls once and publishes; how each poll ended, in the order of the feeds. What is not due is polled as with --force.
pub(crate) async fn ends(engine: &Engine, which: FeedSelection) -> Vec<PollEnd> {
    let trigger = match which {
        FeedSelection::Due => Trigger::Due,
        _ => Trigger::Forced { since: engine.clock().now() },
    };
    let mut ends = Vec::new();
    daemon::pass(engine, (&which, trigger), |_, end| ends.push(end.clone())).await.unwrap();
    ends.sort_by_key(PollEnd::feed);
    ends
}

/// The items of the output as JSON Feed shows them.
pub(crate) fn shown(engine: &Engine) -> Vec<Value> {
    let document = engine.served().document("planet.json").expect("published");
    let feed: Value = serde_json::from_slice(&document.body).unwrap();
    feed["items"].as_array().unwrap().clone()
}

/// One field of each item of the output.
pub(crate) fn shown_as(engine: &Engine, field: &str) -> Vec<String> {
    let text = |item: Value| item[field].as_str().unwrap_or_default().to_owned();
    shown(engine).into_iter().map(text).collect()
}

/// An RSS document with these guids and titles, the first one the newest.
pub(crate) fn rss(items: &[(&str, &str)]) -> String {
    let item = |(n, (guid, title)): (usize, &(&str, &str))| {
        format!(
            "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
             <link>https://site.test/{guid}</link><description>About {title}</description>\
             <pubDate>Sun, 01 Jun 2025 {:02}:00:00 GMT</pubDate></item>",
            11 - n % 12
        )
    };
    let items: String = items.iter().enumerate().map(item).collect();
    format!(
        "<rss version=\"2.0\"><channel><title>Site</title><link>https://site.test/</link>{items}</channel></rss>"
    )
}

/// Changes the last publication of the output `planet`, as if an item had been published under another id.
pub(crate) async fn published_under_another_id(database: &Path) {
    let store = store::Store::open(database, Clock::system()).unwrap();
    let reader = Reader::open(database).unwrap();
    let published = reader.read(|reader| reader.publication("planet")).unwrap().unwrap();
    let (before, rest) = published.split_once('"').unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let altered = format!("{before}\"urn:x:another\"{after}");
    store.write_publication("planet".to_owned(), altered, Vec::new()).await.unwrap();
}
