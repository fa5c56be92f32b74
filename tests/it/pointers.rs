//! Posts of bots that announce the articles of a blog, in another feed.

use std::sync::Arc;

use newswire::daemon::{Engine, FeedSelection};
use newswire::dedupe::AcrossFeeds;
use url::Url;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, in_json, one, story};
use crate::support::world::{HOUR, World, poll, shown_as};

const HEADLINE: &str = "How the gulls came to our harbour town";
const LINK: &str = "&lt;p&gt;&lt;a href=\"https://ann.test/gulls/?utm_source=m\"&gt;https://ann.test/gulls&lt;/a&gt;&lt;/p&gt;";

fn blog(world: &World, title: &str) -> Url {
    let link = "https://ann.test/gulls/".to_owned();
    one(world, "ann.test", Story { link, ..story("gulls", title, &AGENCY) })
}

/// The feed of a bot with one post, which has no title.
fn bot(world: &World, says: &str) -> Url {
    bot_at(world, "m.test", says)
}

fn bot_at(world: &World, host: &str, says: &str) -> Url {
    let post = format!(
        "<rss version=\"2.0\"><channel><title>Bot</title><item><guid>https://{host}/@ann/1</guid>\
         <link>https://{host}/@ann/1</link><pubDate>Sun, 01 Jun 2025 08:01:10 GMT</pubDate>\
         <description>{says}</description></item></channel></rss>"
    );
    world.origin.route(host, "/feed", [Answer::ok(post)]);
    world.origin.url(host, "/feed")
}

async fn polled(world: &World, engine: &Engine, feed: &Url) {
    world.clock.advance(HOUR);
    poll(engine, FeedSelection::Named(vec![feed.to_string()])).await;
}

#[tokio::test]
async fn a_post_that_only_announces_an_article_joins_its_story() {
    for (says, stories) in [
        (format!("&lt;p&gt;{HEADLINE}&lt;/p&gt;{LINK}"), 1),
        (LINK.to_owned(), 1),
        (format!("&lt;p&gt;I do not agree at all&lt;/p&gt;{LINK}"), 2),
        (format!("&lt;p&gt;{HEADLINE}: a long read&lt;/p&gt;{LINK}"), 2),
    ] {
        let world = World::new().await;
        let urls = [blog(&world, HEADLINE), bot(&world, &says)];
        let engine = world.open(&urls).await;
        polled(&world, &engine, &urls[0]).await;
        polled(&world, &engine, &urls[1]).await;
        let shown = shown_as(&engine, "url");
        assert_eq!(shown.len(), stories, "{says}");
        assert!(shown.contains(&"https://ann.test/gulls/".to_owned()), "{says}: {shown:?}");
        // A new headline over the same text.
        blog(&world, "Uninvited guests on the roofs of the old town");
        polled(&world, &engine, &urls[0]).await;
        assert_eq!(shown_as(&engine, "url").len(), stories, "{says}");
    }
}

#[tokio::test]
async fn an_article_is_not_hidden_behind_a_post_that_came_first() {
    let world = World::new().await;
    let says = format!("&lt;p&gt;{HEADLINE}&lt;/p&gt;{LINK}");
    let urls = [blog(&world, HEADLINE), bot(&world, &says)];
    let engine = world.open(&urls).await;
    polled(&world, &engine, &urls[1]).await;
    polled(&world, &engine, &urls[0]).await;
    assert_eq!(shown_as(&engine, "url").len(), 2);
}

#[tokio::test]
async fn a_post_with_links_to_two_articles_does_not_join_them() {
    let world = World::new().await;
    let bread = story("bread", "Bakers in the old town raise the price of a loaf", &AGENCY[2..]);
    let bread = Story { link: "https://bread.test/loaf-2025/".to_owned(), ..bread };
    let link = "&lt;p&gt;&lt;a href=\"https://bread.test/loaf-2025/\"&gt;https://bread.test/loaf-2025/&lt;/a&gt;&lt;/p&gt;";
    let gulls = Story {
        link: "https://ann.test/gulls/".to_owned(),
        ..story("gulls", HEADLINE, &AGENCY[..2])
    };
    let urls = [
        one(&world, "ann.test", gulls),
        one(&world, "bread.test", bread),
        bot(&world, &format!("{LINK}{link}")),
    ];
    let engine = world.open(&urls).await;
    for feed in &urls {
        polled(&world, &engine, feed).await;
    }
    assert_eq!(shown_as(&engine, "url").len(), 3);
}

#[tokio::test]
async fn posts_of_a_feed_that_is_compared_by_links_are_not_found_by_their_words() {
    for (across_feeds, stories) in [(AcrossFeeds::Text, 1), (AcrossFeeds::Link, 2)] {
        let world = World::new().await;
        let says =
            "&lt;p&gt;The herring gulls came to our harbour town in the winter of 1962.&lt;/p&gt;";
        let urls = [bot_at(&world, "m.test", says), bot_at(&world, "n.test", says)];
        let mut config = in_json(world.config(&urls));
        Arc::make_mut(&mut config.subscriptions[0].dedupe).across_feeds = across_feeds;
        let engine = world.open_with(config).await;
        polled(&world, &engine, &urls[0]).await;
        polled(&world, &engine, &urls[1]).await;
        assert_eq!(shown_as(&engine, "url").len(), stories, "{across_feeds:?}");
    }
}
