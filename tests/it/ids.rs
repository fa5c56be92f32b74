//! Ids are permanent: an output shows an item always under the same id.

use std::collections::BTreeMap;

use newswire::daemon::{Engine, FeedSelection};
use newswire::dedupe::AcrossFeeds;
use newswire::model::Conditions;
use url::Url;

use crate::support::papers::{AGENCY, Story, rss, story, with};
use crate::support::world::{World, poll, published_under_another_id, shown};

const ID: &str = "tag:owner.test,2025:1";

/// Two feeds with the same id and different texts. The text of the owner arrived first.
async fn two(world: &World) -> Vec<Url> {
    let pages = [("owner.test", "Harbour", &AGENCY[..2]), ("copier.test", "Orchard", &AGENCY[2..])];
    for (host, title, paragraphs) in pages {
        let link = format!("https://{host}/a");
        let one = Story { guid: ID, link, ..story("1", title, paragraphs) };
        world.origin.route(host, "/feed", [rss(&[one])]);
    }
    ["owner.test", "copier.test"].map(|host| world.origin.url(host, "/feed")).to_vec()
}

/// The daemon, with an output of these feeds.
async fn open(world: &World, urls: &[Url], feeds: &[&str]) -> Engine {
    let mut config = world.config(urls);
    let feeds = feeds.iter().map(|&feed| feed.to_owned()).collect();
    config.outputs[0].filter.include = vec![Conditions { feeds, ..Conditions::default() }];
    world.open_with(config).await
}

/// Ids by title.
fn ids(engine: &Engine) -> BTreeMap<String, String> {
    let text = |item: &serde_json::Value, field: &str| item[field].as_str().unwrap().to_owned();
    shown(engine).iter().map(|item| (text(item, "title"), text(item, "id"))).collect()
}

#[tokio::test]
async fn a_feed_that_joins_an_output_takes_no_ids_from_its_items() {
    let world = World::new().await;
    let urls = two(&world).await;
    let engine = open(&world, &urls, &["copier.test-feed"]).await;
    for url in &urls {
        poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
    }
    assert_eq!(ids(&engine)["Orchard"], ID, "its owner is not in this output");
    drop(engine);
    let mut before = BTreeMap::new();
    for _ in 0..2 {
        let engine = open(&world, &urls, &["copier.test-feed", "owner.test-feed"]).await;
        engine.publish().await.unwrap();
        let ids = ids(&engine);
        assert_eq!(ids["Orchard"], ID, "as it was shown");
        assert!(ids["Harbour"].starts_with("urn:uuid:"), "{ids:?}");
        if !before.is_empty() {
            assert_eq!(ids, before);
        }
        before = ids;
    }
    // Only the owner remains. It keeps the other id under which it was published.
    let engine = open(&world, &urls, &["owner.test-feed"]).await;
    engine.publish().await.unwrap();
    assert_eq!(ids(&engine)["Harbour"], before["Harbour"]);
}

#[tokio::test]
async fn a_feed_that_leaves_an_output_changes_no_ids() {
    for across_feeds in [AcrossFeeds::Off, AcrossFeeds::Text] {
        let world = World::new().await;
        let urls = two(&world).await;
        // The same text, so that both are one story.
        let same = story("1", "Harbour", &AGENCY[..2]);
        let link = "https://copier.test/a".to_owned();
        world.origin.route("copier.test", "/feed", [rss(&[Story { guid: ID, link, ..same }])]);
        let open = async |feeds: &[&str]| {
            let mut config = with(world.config(&urls), |s| s.across_feeds = across_feeds);
            let feeds = feeds.iter().map(|&feed| feed.to_owned()).collect();
            config.outputs[0].filter.include = vec![Conditions { feeds, ..Conditions::default() }];
            world.open_with(config).await
        };
        let engine = open(&["owner.test-feed", "copier.test-feed"]).await;
        for url in &urls {
            poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
        }
        let published = |engine: &Engine| -> Vec<(String, String)> {
            let pick = |item: &serde_json::Value| {
                let text = |field: &str| item[field].as_str().unwrap().to_owned();
                (text("url"), text("id"))
            };
            shown(engine).iter().map(pick).collect()
        };
        let before = published(&engine);
        assert!(before.contains(&("https://owner.test/a".to_owned(), ID.to_owned())));
        drop(engine);
        let engine = open(&["copier.test-feed"]).await;
        engine.publish().await.unwrap();
        let [(url, id)] = &published(&engine)[..] else { panic!("{:?}", published(&engine)) };
        assert_eq!(url, "https://copier.test/a");
        // A story that both carry was shown under the id of its owner, so that it is not shown again.
        assert_eq!(id == ID, across_feeds == AcrossFeeds::Text, "{id}");
        let as_before = before.iter().find(|(shown, _)| shown == url);
        assert!(as_before.is_none_or(|(_, was)| was == id), "{before:?}");
    }
}

#[tokio::test]
async fn published_ids_are_kept_across_a_restart() {
    let world = World::new().await;
    let urls = two(&world).await;
    let all = ["copier.test-feed", "owner.test-feed"];
    let engine = open(&world, &urls, &all).await;
    for url in &urls {
        poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
    }
    let file = world.folder.path().join("www/planet.atom");
    let good = std::fs::read(&file).unwrap();
    drop(engine);
    published_under_another_id(&world.database()).await;
    let engine = open(&world, &urls, &all).await;
    let error = engine.publish().await.unwrap_err().to_string();
    assert!(error.contains("with the published id"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), good, "the last good one stays");
}

#[tokio::test]
async fn a_story_appears_once_even_if_its_lead_is_not_the_oldest_item() {
    let world = World::new().await;
    let mut urls = Vec::new();
    for (n, date) in
        ["Sun, 01 Jun 2025 09:00:00 GMT", "Sun, 01 Jun 2025 08:00:00 GMT"].iter().enumerate()
    {
        let host = format!("paper{n}.test");
        let link = format!("https://{host}/a");
        let one = story("1", "Ferry aground", &AGENCY);
        world.origin.route(&host, "/feed", [rss(&[Story { link, date, ..one }])]);
        urls.push(world.origin.url(&host, "/feed"));
    }
    let engine = world.open(&urls).await;
    for url in &urls {
        poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
    }
    let items = shown(&engine);
    assert_eq!(items.len(), 1, "{items:#?}");
}
