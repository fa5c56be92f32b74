//! Posts of bots that announce the articles of a blog, in another feed.

use newswire::daemon::{Engine, FeedSelection};
use url::Url;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, one, story};
use crate::support::world::{HOUR, World, poll, shown_as};

const HEADLINE: &str = "How the gulls came to our harbour town";
const LINK: &str = "&lt;p&gt;&lt;a href=\"https://ann.test/gulls/?utm_source=m\"&gt;https://ann.test/gulls&lt;/a&gt;&lt;/p&gt;";

fn blog(world: &World, title: &str) -> Url {
    let link = "https://ann.test/gulls/".to_owned();
    one(world, "ann.test", Story { link, ..story("gulls", title, &AGENCY) })
}

/// The feed of a bot with one post, which has no title.
fn bot(world: &World, says: &str) -> Url {
    let post = format!(
        "<rss version=\"2.0\"><channel><title>Bot</title><item><guid>https://m.test/@ann/1</guid>\
         <link>https://m.test/@ann/1</link><pubDate>Sun, 01 Jun 2025 08:01:10 GMT</pubDate>\
         <description>{says}</description></item></channel></rss>"
    );
    world.origin.route("m.test", "/feed", [Answer::ok(post)]);
    world.origin.url("m.test", "/feed")
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
