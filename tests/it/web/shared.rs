//! Stories that several feeds have, by feed, tag and search: each is found by any of its items, under one id.

use std::collections::BTreeSet;

use newswire::config::Config;
use newswire::daemon::{Engine, FeedSelection};
use newswire::model::{Conditions, ItemKey};
use serde_json::Value;
use url::Url;

use super::choices::link;
use super::page::{Planet, titles};
use super::site::{Site, run};
use crate::support::papers::{AGENCY, Story, rss, story};
use crate::support::world::{self, World, poll};

const TITLE: &str = "Ferry aground";

/// Three papers with one story. Only the second one has a paragraph about a zeppelin.
struct Papers {
    world: World,
    urls: [Url; 3],
}

impl Papers {
    async fn new() -> Self {
        let world = World::new().await;
        let [a, b, c, d] = AGENCY;
        let text = [a, b, c, d, "Our zeppelin desk adds that the weather is improving."];
        let urls = [("gull", 4), ("pier", 5), ("tide", 4)].map(|(paper, paragraphs)| {
            let (host, link) = (format!("{paper}.test"), format!("https://{paper}.test/a"));
            let story = Story { link, ..story(paper, TITLE, &text[..paragraphs]) };
            world.origin.route(&host, "/feed", [rss(&[story])]);
            world.origin.url(&host, "/feed")
        });
        Self { world, urls }
    }

    /// A config with some of the feeds, each with its tag.
    fn config(&self, feeds: &[(usize, &str)]) -> Config {
        let urls: Vec<Url> = feeds.iter().map(|(feed, _)| self.urls[*feed].clone()).collect();
        let mut config = self.world.config(&urls);
        for (subscription, (_, tag)) in config.subscriptions.iter_mut().zip(feeds) {
            subscription.feed.tags = vec![(*tag).to_owned()];
        }
        config
    }

    /// The daemon after a publication.
    async fn open(&self, config: Config) -> (Engine, Site) {
        let engine = self.world.open_with(config).await;
        engine.publish().await.unwrap();
        let site = Site::before(engine.served().clone()).await;
        (engine, site)
    }

    /// The daemon after it has polled all feeds in this order.
    async fn polled(&self, config: Config) -> (Engine, Site) {
        let (engine, site) = self.open(config).await;
        for url in &self.urls {
            poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
        }
        (engine, site)
    }
}

const ALL: [(usize, &str); 3] = [(0, "one"), (1, "x"), (2, "x")];

/// URL and id of each item of a document.
async fn items(site: &Site, path: &str) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&site.get(path, &[]).await.text()).unwrap();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let items = document["items"].as_array().unwrap();
    items.iter().map(|item| (text(item, "url"), text(item, "id"))).collect()
}

fn of(paper: &str, id: &str) -> Vec<(String, String)> {
    vec![(format!("https://{paper}.test/a"), id.to_owned())]
}

#[test]
fn a_story_is_of_each_feed_tag_and_search_that_has_one_of_its_items() {
    run(async {
        for min_feeds in [None, Some(2)] {
            let papers = Papers::new().await;
            let mut config = papers.config(&ALL);
            config.outputs[0].min_feeds = min_feeds;
            let (_engine, site) = papers.polled(config).await;
            let id = items(&site, "/planet.json").await.remove(0).1;
            for (query, paper) in [
                ("feed=gull.test-feed", "gull"),
                ("feed=pier.test-feed", "pier"),
                ("feed=tide.test-feed", "tide"),
                ("tag=one", "gull"),
                ("tag=x", "pier"),
                ("q=ferry", "gull"),
                ("q=zeppelin", "gull"),
                ("q=zeppelin&feed=pier.test-feed", "pier"),
                ("q=ferry&tag=x", "pier"),
            ] {
                let found = items(&site, &format!("/planet.json?{query}")).await;
                assert_eq!(found, of(paper, &id), "{query}, {min_feeds:?}");
                let page = site.get(&format!("/planet/?{query}"), &[]).await;
                assert_eq!(titles(&page).len(), 1, "{query}, {min_feeds:?}");
            }
            for query in ["q=airship", "q=zeppelin&feed=tide.test-feed", "tag=y"] {
                let found = items(&site, &format!("/planet.json?{query}")).await;
                assert!(found.is_empty(), "{query}: {found:?}");
            }
        }
    });
}

#[test]
fn the_id_of_a_story_is_the_same_in_every_document_whichever_item_shows_it() {
    run(async {
        let papers = Papers::new().await;
        let (engine, site) = papers.polled(papers.config(&ALL)).await;
        let id = items(&site, "/planet.json").await.remove(0).1;
        assert_eq!(items(&site, "/planet.json?tag=x").await, of("pier", &id));
        drop((engine, site));
        // The item that shows it to the tag leaves the tag.
        let (engine, site) = papers.open(papers.config(&[(0, "one"), (1, "y"), (2, "x")])).await;
        assert_eq!(items(&site, "/planet.json?tag=x").await, of("tide", &id));
        assert_eq!(items(&site, "/planet.json?tag=y").await, of("pier", &id));
        drop((engine, site));
        // The lead leaves the output.
        let (engine, site) = papers.open(papers.config(&ALL[1..])).await;
        assert_eq!(items(&site, "/planet.json").await, of("pier", &id));
        assert_eq!(items(&site, "/planet.json?feed=tide.test-feed").await, of("tide", &id));
        assert_eq!(items(&site, "/planet.json?q=ferry").await, of("pier", &id));
        drop((engine, site));
        let (_engine, site) = papers.open(papers.config(&ALL)).await;
        assert_eq!(items(&site, "/planet.json").await, of("gull", &id));
        assert_eq!(items(&site, "/planet.json?tag=x").await, of("pier", &id));
    });
}

#[test]
fn every_item_of_a_story_has_a_page_and_its_former_lead_leads_to_it() {
    run(async {
        let papers = Papers::new().await;
        let (engine, site) = papers.polled(papers.config(&ALL)).await;
        for page in ["", "?feed=pier.test-feed", "?tag=x", "?q=zeppelin"] {
            let text = site.get(&format!("/planet/{page}"), &[]).await.text();
            let keys = text.split("/story/").skip(1).filter_map(|rest| rest.split('"').next());
            let keys: BTreeSet<&str> = keys.collect();
            assert_eq!(keys.len(), 1, "{page}");
            for key in keys {
                let story = site.get(&format!("/planet/story/{key}"), &[]).await;
                assert_eq!(story.status, 200, "{page}: {key}");
                assert!(story.text().contains(TITLE), "{page}: {key}");
            }
        }
        // The picture of an item needs the item, whether it leads or not.
        let contents = engine.served().output("planet").unwrap().contents.clone().unwrap();
        for key in 1..=3 {
            let entry = contents.item(ItemKey(key)).unwrap().unwrap();
            assert_eq!((entry.key, entry.also.len()), (ItemKey(key), 2));
        }
        drop((engine, site, contents));
        let (_engine, site) = papers.open(papers.config(&ALL[1..])).await;
        let former = site.get("/planet/story/1", &[]).await;
        assert_eq!((former.status, former.header("location")), (307, Some("2")));
        assert_eq!(site.get("/planet/story/2", &[]).await.status, 200);
        assert_eq!(site.get("/planet/story/4", &[]).await.status, 404);
    });
}

#[test]
fn an_item_that_an_output_never_showed_leads_nowhere() {
    run(async {
        let papers = Papers::new().await;
        let mut config = papers.config(&ALL);
        let tags = vec!["x".to_owned()];
        config.outputs[0].filter.include = vec![Conditions { tags, ..Conditions::default() }];
        let (_engine, site) = papers.polled(config).await;
        assert_eq!(items(&site, "/planet.json").await[0].0, "https://pier.test/a");
        let statuses = [1, 2, 3].map(|key| format!("/planet/story/{key}"));
        for (path, status) in statuses.iter().zip([404, 200, 200]) {
            assert_eq!(site.get(path, &[]).await.status, status, "{path}");
        }
    });
}

#[test]
fn each_story_of_two_feeds_is_on_one_page_in_one_place() {
    run(async {
        let names: Vec<String> = (0..90).map(|n| format!("n{n} and wind")).collect();
        let notes: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
        let (all, some) = (world::rss(&notes), world::rss(&notes[..60]));
        let planet = Planet::of([all, some], |_| ()).await;
        for (first, count) in [
            ("/planet/", 90),
            ("/planet/?q=n", 90),
            ("/planet/?q=wind+and", 90),
            ("/planet/?tag=news", 90),
            ("/planet/?feed=b.test-feed", 60),
            ("/planet/?q=n&feed=b.test-feed", 60),
        ] {
            let (mut pages, mut path) = (Vec::new(), Some(first.to_owned()));
            while let Some(next) = path {
                let page = planet.get(&next).await;
                path = link(&page.text(), "next");
                pages.push(page);
            }
            let shown: Vec<String> = pages.iter().flat_map(titles).collect();
            let different: BTreeSet<&String> = shown.iter().collect();
            assert_eq!((shown.len(), different.len()), (count, count), "{first}");
            let mut after = pages.pop().unwrap();
            while let Some(before) = pages.pop() {
                let newer = planet.get(&link(&after.text(), "prev").unwrap()).await;
                assert_eq!(titles(&newer), titles(&before), "{first}");
                after = newer;
            }
        }
    });
}

#[test]
fn a_page_without_stories_names_the_reason() {
    run(async {
        let papers = Papers::new().await;
        let none = || {
            let mut config = papers.config(&ALL);
            let title = regex::Regex::new("^nothing$").ok();
            config.outputs[0].filter.include = vec![Conditions { title, ..Conditions::default() }];
            config
        };
        let page = async |site: &Site, query: &str| {
            site.get(&format!("/planet/{query}"), &[]).await.text()
        };
        let (engine, site) = papers.open(none()).await;
        assert!(page(&site, "").await.contains("There are no stories yet. Try again in a moment."));
        drop((engine, site));
        let (engine, site) = papers.polled(none()).await;
        let text = page(&site, "").await;
        assert!(text.contains("There are no stories from these feeds at present."), "{text}");
        drop((engine, site));
        let (_engine, site) = papers.open(papers.config(&ALL)).await;
        for query in ["?q=-zzz", "?q=%E2%80%A6", "?q=%22%22"] {
            let text = page(&site, query).await;
            assert!(text.contains("The search has no word to look for."), "{query}: {text}");
        }
        assert!(page(&site, "?q=zzz").await.contains("No story matches."));
    });
}
