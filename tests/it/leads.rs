//! Which item leads a story may change; the id under which an output shows the story does not.

use newswire::config::Config;
use newswire::daemon::{Engine, FeedSelection};
use newswire::model::{Conditions, ItemKey};
use newswire::render::{Digest, DigestPeriod};
use newswire::store::{OperatorDecision, Store, Write, transact};
use serde_json::Value;
use url::Url;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, rss, story};
use crate::support::world::{HOUR, World, poll, shown};
use crate::web::site::Site;

const TITLE: &str = "Ferry aground";

/// Three papers with one story.
struct Papers {
    world: World,
    urls: Vec<Url>,
}

impl Papers {
    async fn new() -> Self {
        let world = World::new().await;
        let mut urls = Vec::new();
        for paper in ["gull", "pier", "tide"] {
            let (host, link) = (format!("{paper}.test"), format!("https://{paper}.test/a"));
            world.origin.route(
                &host,
                "/feed",
                [rss(&[Story { link, ..story(paper, TITLE, &AGENCY) }])],
            );
            urls.push(world.origin.url(&host, "/feed"));
        }
        Self { world, urls }
    }

    /// The daemon with some of the feeds in its config, after a publication.
    async fn with(&self, feeds: &[usize]) -> Engine {
        let urls: Vec<Url> = feeds.iter().map(|&feed| self.urls[feed].clone()).collect();
        self.published(self.world.config(&urls)).await
    }

    /// The daemon with all feeds in its config and some of them in the output, after a publication.
    async fn showing(&self, feeds: &[&str]) -> Engine {
        self.published(self.including(feeds)).await
    }

    /// A config with all feeds, of which some are in the output.
    fn including(&self, feeds: &[&str]) -> Config {
        let mut config = self.world.config(&self.urls);
        let feeds = feeds.iter().map(|paper| format!("{paper}.test-feed")).collect();
        config.outputs[0].filter.include = vec![Conditions { feeds, ..Conditions::default() }];
        config
    }

    async fn published(&self, config: Config) -> Engine {
        let engine = self.world.open_with(config).await;
        engine.publish().await.unwrap();
        engine
    }

    async fn poll(&self, engine: &Engine, feed: usize) {
        poll(engine, FeedSelection::Named(vec![self.urls[feed].to_string()])).await;
    }
}

/// URL and id of each item of the output.
fn stories(engine: &Engine) -> Vec<(String, String)> {
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    shown(engine).iter().map(|item| (text(item, "url"), text(item, "id"))).collect()
}

/// URL and id of the only one.
fn story_of(engine: &Engine) -> (String, String) {
    let mut stories = stories(engine);
    assert_eq!(stories.len(), 1, "{stories:?}");
    stories.remove(0)
}

#[tokio::test]
async fn a_story_keeps_its_id_when_the_feed_that_leads_it_is_removed() {
    let papers = Papers::new().await;
    let engine = papers.with(&[0, 1, 2]).await;
    for feed in 0..3 {
        papers.poll(&engine, feed).await;
    }
    let (url, id) = story_of(&engine);
    assert_eq!(url, "https://gull.test/a");
    drop(engine);
    // Feeds are removed, come back, and are removed in another order.
    for feeds in [&[1, 2][..], &[2], &[1, 2], &[0, 1, 2], &[2], &[0, 2], &[1]] {
        for _ in 0..2 {
            let engine = papers.with(feeds).await;
            let lead = ["gull", "pier", "tide"][feeds[0]];
            assert_eq!(
                story_of(&engine),
                (format!("https://{lead}.test/a"), id.clone()),
                "{feeds:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_story_keeps_its_id_when_the_text_of_its_lead_is_deleted() {
    let papers = Papers::new().await;
    let engine = papers.with(&[0, 1, 2]).await;
    papers.poll(&engine, 0).await;
    let id = story_of(&engine).1;
    papers.world.clock.advance(24 * HOUR);
    papers.poll(&engine, 1).await;
    papers.poll(&engine, 2).await;
    assert_eq!(story_of(&engine), ("https://gull.test/a".to_owned(), id.clone()));
    drop(engine);
    let store = Store::open(&papers.world.database(), papers.world.clock.clone()).unwrap();
    let cutoff = papers.world.now() - jiff::SignedDuration::from_hours(1);
    assert_eq!(store.write(Write::ForgetBodies { cutoff, limit: 10 }).await.unwrap(), 1);
    drop(store);
    let engine = papers.with(&[0, 1, 2]).await;
    assert_eq!(story_of(&engine), ("https://pier.test/a".to_owned(), id));
}

#[tokio::test]
async fn a_feed_with_an_earlier_copy_that_joins_an_output_repeats_no_story() {
    let papers = Papers::new().await;
    let engine = papers.showing(&["pier"]).await;
    for feed in 0..3 {
        papers.poll(&engine, feed).await;
    }
    let (url, id) = story_of(&engine);
    assert_eq!(url, "https://pier.test/a");
    drop(engine);
    for feeds in [&["gull", "pier"][..], &["gull"], &["tide"], &["tide", "gull"]] {
        let engine = papers.showing(feeds).await;
        assert_eq!(story_of(&engine).1, id, "{feeds:?}");
    }
}

#[tokio::test]
async fn a_copy_that_arrives_after_its_lead_was_removed_repeats_no_story() {
    let papers = Papers::new().await;
    let engine = papers.with(&[0, 1, 2]).await;
    papers.poll(&engine, 0).await;
    let id = story_of(&engine).1;
    drop(engine);
    let engine = papers.with(&[1, 2]).await;
    assert_eq!(stories(&engine), []);
    papers.poll(&engine, 2).await;
    assert_eq!(story_of(&engine), ("https://tide.test/a".to_owned(), id.clone()));
    papers.poll(&engine, 1).await;
    assert_eq!(story_of(&engine).1, id);
}

#[tokio::test]
async fn a_story_that_is_in_the_archive_alone_comes_back_under_its_id() {
    let papers = Papers::new().await;
    let config = |feeds: &[usize]| {
        let urls: Vec<Url> = feeds.iter().map(|&feed| papers.urls[feed].clone()).collect();
        let mut config = papers.world.config(&urls);
        config.outputs[0].items = 1;
        config
    };
    let engine = papers.published(config(&[0, 1, 2])).await;
    for feed in 0..3 {
        papers.poll(&engine, feed).await;
    }
    let id = story_of(&engine).1;
    papers.world.clock.advance(2 * HOUR);
    let link = "https://gull.test/b".to_owned();
    let date = "Sun, 01 Jun 2025 13:00:00 GMT";
    let newer = Story { link, date, ..story("2", "Bread is dear", &["The mills stood still."]) };
    papers.world.origin.route("gull.test", "/feed", [rss(&[newer])]);
    papers.poll(&engine, 0).await;
    assert_eq!(story_of(&engine).0, "https://gull.test/b");
    drop(engine);
    let engine = papers.published(config(&[1, 2])).await;
    assert_eq!(story_of(&engine), ("https://pier.test/a".to_owned(), id));
}

#[tokio::test]
async fn stories_that_are_split_after_a_change_of_the_lead_have_different_ids() {
    for lead_again in [true, false] {
        let papers = Papers::new().await;
        let engine = papers.with(&[0, 1]).await;
        for feed in 0..2 {
            papers.poll(&engine, feed).await;
        }
        let (_, id) = story_of(&engine);
        drop(engine);
        drop(papers.with(&[1]).await);
        if lead_again {
            drop(papers.with(&[0, 1]).await);
        }
        let item = ItemKey(2);
        let split =
            Write::Decide { decision: OperatorDecision::Split(item), at: papers.world.now() };
        transact(&papers.world.database(), |transaction| transaction.apply(&split))
            .unwrap()
            .unwrap();
        let mut before = Vec::new();
        for _ in 0..3 {
            let engine = papers.with(&[0, 1]).await;
            papers.world.clock.advance(2 * HOUR);
            papers.poll(&engine, 0).await;
            let mut now = stories(&engine);
            now.sort();
            assert_eq!(now.len(), 2, "{now:?}");
            assert_ne!(now[0].1, now[1].1, "{now:?}");
            let keeps = usize::from(!lead_again);
            assert_eq!(now[keeps].1, id, "the one that subscribers have keeps it: {now:?}");
            assert!(before.is_empty() || before == now, "{before:?} {now:?}");
            before = now;
        }
    }
}

#[tokio::test]
async fn a_copy_on_the_archive_page_of_its_first_lead_is_not_listed_twice() {
    let papers = Papers::new().await;
    let small = |hosts: &[&str]| {
        let mut config = papers.including(hosts);
        config.outputs[0].items = 10;
        // Its pages are not completed when a story leaves the documents.
        config.outputs[0].per_feed = Some(10);
        config
    };
    let engine = papers.published(small(&["gull"])).await;
    papers.poll(&engine, 0).await;
    let id = story_of(&engine).1;
    drop(engine);
    let engine = papers.published(small(&["tide", "pier"])).await;
    papers.poll(&engine, 2).await;
    assert_eq!(story_of(&engine).1, id);
    // Other stories complete the page.
    let others: Vec<String> = (0..12).map(|n| format!("note{n}")).collect();
    let notes: Vec<Story<'_>> = others.iter().map(|note| story(note, note, &[note])).collect();
    papers.world.origin.route("pier.test", "/feed", [rss(&notes)]);
    papers.world.clock.advance(2 * HOUR);
    papers.poll(&engine, 1).await;
    let site = Site::before(engine.served().clone()).await;
    let page = site.get("/planet/archive/1.json", &[]).await;
    assert_eq!(page.status, 200);
    let page: Value = serde_json::from_slice(&page.body).unwrap();
    let items = page["items"].as_array().unwrap();
    let same: Vec<&Value> = items.iter().filter(|item| item["title"] == TITLE).collect();
    assert_eq!((same.len(), &same[0]["id"]), (1, &id.into()), "{same:?}");
}

#[tokio::test]
async fn a_story_is_in_one_digest_whatever_becomes_of_its_lead() {
    let papers = Papers::new().await;
    let date = "Sun, 01 Jun 2025 13:00:00 GMT";
    for paper in ["gull", "pier", "tide"] {
        let (host, link) = (format!("{paper}.test"), format!("https://{paper}.test/a"));
        let copy = Story { link, date, ..story(paper, TITLE, &AGENCY) };
        papers.world.origin.route(&host, "/feed", [rss(&[copy])]);
    }
    let daily = |feeds: &[usize]| {
        let urls: Vec<Url> = feeds.iter().map(|&feed| papers.urls[feed].clone()).collect();
        let mut config = papers.world.config(&urls);
        config.outputs[0].digest =
            Some(Digest { every: DigestPeriod::Daily, hour: 6, excerpts: false });
        config
    };
    let mut engine = papers.published(daily(&[0, 1, 2])).await;
    for feeds in [&[0, 1, 2][..], &[1, 2], &[2]] {
        papers.world.clock.advance(2 * HOUR);
        papers.poll(&engine, feeds[0]).await;
        papers.world.clock.advance(24 * HOUR);
        engine.publish().await.unwrap();
        drop(engine);
        engine = papers.published(daily(&feeds[1..])).await;
        let digests = shown(&engine);
        assert_eq!(digests.len(), 1, "{digests:?}");
    }
}

fn date(day: usize, hour: usize) -> String {
    format!("{day:02} Jun 2025 {hour:02}:00:00 GMT")
}

/// A document with items of these names and dates.
fn document(items: &[(String, String)]) -> Answer {
    let items = items.iter().map(|(name, date)| Story { date, ..story(name, name, &[name]) });
    rss(&items.collect::<Vec<_>>())
}

#[tokio::test]
async fn stories_that_an_output_passed_are_shown_and_archived_when_their_feed_joins() {
    let papers = Papers::new().await;
    let small = |hosts: &[&str]| {
        let mut config = papers.including(hosts);
        config.outputs[0].items = 10;
        config
    };
    let note = |paper: &str, n: usize| (format!("{paper}{n}"), date(1, 14 + n / 2));
    let notes = |paper: &str| -> Vec<_> { (0..12).map(|n| note(paper, n)).collect() };
    papers.world.origin.route("gull.test", "/feed", [document(&notes("gull"))]);
    papers.world.origin.route("tide.test", "/feed", [document(&notes("tide")[8..11])]);
    let engine = papers.published(small(&["gull"])).await;
    papers.world.clock.advance(12 * HOUR);
    for feed in [0, 2] {
        papers.poll(&engine, feed).await;
    }
    let of = |engine: &Engine, paper: &str| {
        stories(engine).iter().filter(|(url, _)| url.contains(paper)).count()
    };
    assert_eq!((of(&engine, "gull"), of(&engine, "tide")), (10, 0));
    drop(engine);
    let engine = papers.published(small(&["gull", "tide"])).await;
    assert_eq!((of(&engine, "gull"), of(&engine, "tide")), (7, 3));
    // They stay where they are, and are in the archive when they leave.
    engine.publish().await.unwrap();
    assert_eq!(of(&engine, "tide"), 3);
    let later: Vec<_> = (0..12).map(|n| (format!("pier{n}"), date(2, 1))).collect();
    papers.world.origin.route("gull.test", "/feed", [document(&later)]);
    papers.world.clock.advance(2 * HOUR);
    papers.poll(&engine, 0).await;
    assert_eq!((of(&engine, "pier"), of(&engine, "tide")), (10, 0));
    let site = Site::before(engine.served().clone()).await;
    let (mut next, mut titles) = (Some("/planet.json".to_owned()), Vec::new());
    while let Some(path) = next {
        let page = site.get(&path, &[]).await;
        let page: Value = serde_json::from_slice(&page.body).unwrap();
        let items = page["items"].as_array().unwrap();
        titles.extend(items.iter().map(|item| item["title"].as_str().unwrap().to_owned()));
        next = page["next_url"].as_str().map(|url| url.replace("http://127.0.0.1:8420", ""));
    }
    titles.sort();
    titles.dedup();
    assert_eq!(titles.iter().filter(|title| title.starts_with("tide")).count(), 3, "{titles:?}");
}
