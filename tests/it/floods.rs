//! Protection of subscribers: floods, items claimed by another feed, repeated items.

use std::collections::BTreeSet;

use newswire::config::Config;
use newswire::daemon::FeedSelection;
use newswire::dedupe::Updates;
use newswire::health::{JudgedFeed, State, conditions, judge};
use newswire::model::Conditions;
use newswire::poll::{PollEnd, result_line};
use serde_json::Value;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, again, all, rss, story, with};
use crate::support::world::{HOUR, World, poll, shown, shown_as};

fn alone(config: &mut Config, feed: &str) {
    let mut output = config.outputs[0].clone();
    output.id = "alone".to_owned();
    let conditions = Conditions { feeds: vec![feed.to_owned()], ..Conditions::default() };
    output.filter.include = vec![conditions];
    config.outputs.push(output);
}

async fn victims_output(poison: bool, first: bool) -> (String, Vec<Value>) {
    let world = World::new().await;
    let id = "tag:victim.test,2025:1";
    let own = Story {
        guid: id,
        link: "https://victim.test/a".to_owned(),
        ..story("1", "Ferry aground", &AGENCY[..2])
    };
    world.origin.route("victim.test", "/feed", [rss(&[own])]);
    let victim = world.origin.url("victim.test", "/feed");
    let mut urls = vec![victim];
    for n in 0..10 {
        let host = format!("poison{n}.test");
        let text =
            "Buy our pills, they are the best pills for every pain and they are cheap. ".repeat(12);
        let fake = Story {
            guid: id,
            title: if n % 2 == 0 { "Ferry aground" } else { "Pills" },
            link: "https://victim.test/a".to_owned(),
            text,
            date: "Fri, 01 Jan 2038 00:00:00 GMT",
        };
        world.origin.route(&host, "/feed", [rss(&[fake])]);
        if poison {
            urls.push(world.origin.url(&host, "/feed"));
        }
    }
    if first {
        urls.reverse();
    }
    let mut config = world.config(&urls);
    alone(&mut config, "victim.test-feed");
    let engine = world.open_with(config).await;
    for url in &urls {
        poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
    }
    let body = engine.served().document("alone.atom").unwrap().body.to_vec();
    let body = String::from_utf8(body).unwrap().replace(&format!(":{}", world.origin.port()), "");
    (body, shown(&engine))
}

#[tokio::test]
async fn a_feed_cannot_change_hide_or_claim_items_of_another_feed() {
    let (clean, _) = victims_output(false, false).await;
    for first in [false, true] {
        let (body, merged) = victims_output(true, first).await;
        assert_eq!(body, clean);
        let ferry = |item: &&Value| item["content_html"].as_str().unwrap().contains("Halcyon");
        assert_eq!(merged.iter().filter(ferry).count(), 1, "it stands in the merged feed");
        let ids: BTreeSet<&str> = merged.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), merged.len(), "one id, one item");
    }
}

/// Different posts of a blog.
fn posts(
    prefix: &str,
    host: &str,
    dates: &[&'static str],
    range: std::ops::Range<usize>,
) -> Answer {
    let subjects =
        ["bread", "ropes", "lamps", "gulls", "tides", "nets", "maps", "bells", "salt", "oars"];
    let guids: Vec<String> = range.clone().map(|n| format!("{prefix}{n}")).collect();
    let titles: Vec<String> = range
        .clone()
        .map(|n| format!("On {} and {} in {n}", subjects[n % 10], subjects[n / 10 % 10]))
        .collect();
    let items: Vec<Story<'_>> = range
        .enumerate()
        .map(|(i, n)| Story {
            guid: &guids[i],
            title: &titles[i],
            link: format!("https://{host}/{n}"),
            text: format!(
                "What I know of {} I learnt at {n} from an old man with {n} hats.",
                subjects[n % 10]
            ),
            date: dates[i % dates.len()],
        })
        .collect();
    rss(&items)
}

#[tokio::test]
async fn a_site_that_moves_and_dates_all_items_anew_causes_no_flood() {
    let world = World::new().await;
    let old = ["Thu, 01 May 2025 08:00:00 GMT"];
    let now = ["Sun, 01 Jun 2025 13:30:00 GMT"];
    let before = posts("http://old.test/?p=", "old.test", &old, 0..30);
    // Every item has another guid and host, and forty items are new.
    let after = posts("https://new.test/post-", "new.test", &now, 0..70);
    world.origin.route("blog.test", "/feed", [before, after]);
    let url = world.origin.url("blog.test", "/feed");
    let engine = world.open(std::slice::from_ref(&url)).await;
    all(&engine).await;
    let first: BTreeSet<String> = shown_as(&engine, "id").into_iter().collect();
    assert_eq!(first.len(), 30);
    world.clock.advance(2 * HOUR);
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!(polled[0].recorded.guid_changes, 30);
    assert_eq!((polled[0].recorded.new, polled[0].recorded.held), (5, 35));
    let line =
        result_line(&world.status().info.id, &PollEnd::Polled(polled[0].clone()), world.now());
    assert!(line.ends_with("; 35 held: newswire release blog.test-feed"), "{line}");
    let second: BTreeSet<String> = shown_as(&engine, "id").into_iter().collect();
    assert!(first.is_subset(&second), "the old ones kept their ids");
    assert_eq!(second.len(), 35);
    let status = world.status();
    assert_eq!((status.activity.held, status.activity.older), (35, 0));
    let health = judge(&status, world.now());
    assert_eq!((health.state, &*health.text), (State::Held, "the burst guard holds 35 items"));
    // Held items are known: they are not new in the next poll.
    again(&world, &engine).await;
    assert_eq!(shown(&engine).len(), 35);
}

#[tokio::test]
async fn the_first_poll_of_a_feed_brings_its_newest_items() {
    let world = World::new().await;
    let dates = ["Sun, 01 Jun 2025 08:00:00 GMT"];
    world.origin.route("blog.test", "/feed", [posts("p", "blog.test", &dates, 0..80)]);
    let url = world.origin.url("blog.test", "/feed");
    let config = with(world.config(&[url]), |settings| settings.initial_items = 20);
    let engine = world.open_with(config).await;
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!((polled[0].recorded.new, polled[0].recorded.held), (20, 60));
    assert_eq!(shown(&engine).len(), 20);
    // As configured, without release by the operator.
    let status = world.status();
    assert_eq!((status.activity.held, status.activity.older), (0, 60));
    let health = judge(&status, world.now());
    assert_eq!(health.state, State::Ok);
    assert_eq!(conditions(&[JudgedFeed { status, health }], world.now()), []);
}

async fn edited(updates: Updates) -> [Value; 2] {
    let world = World::new().await;
    let before = rss(&[story("1", "Ferry aground", &AGENCY[..1])]);
    let after = rss(&[story("1", "Ferry afloat again", &AGENCY[..3])]);
    world.origin.route("gull.test", "/feed", [before, after]);
    let url = world.origin.url("gull.test", "/feed");
    let config = with(world.config(&[url]), |settings| settings.updates = updates);
    let engine = world.open_with(config).await;
    all(&engine).await;
    let first = shown(&engine).remove(0);
    again(&world, &engine).await;
    let mut items = shown(&engine);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["id"], first["id"]);
    assert_eq!(items[0]["date_published"], first["date_published"]);
    [first, items.remove(0)]
}

#[tokio::test]
async fn an_edit_is_published_as_configured() {
    let [_, silent] = edited(Updates::Silent).await;
    assert_eq!(
        (silent["title"].as_str(), silent.get("date_modified")),
        (Some("Ferry afloat again"), None)
    );
    let [before, ignored] = edited(Updates::Ignore).await;
    assert_eq!(before, ignored);
    let [_, bumped] = edited(Updates::Bump).await;
    assert_eq!(bumped["title"], "Ferry afloat again");
    assert_eq!(bumped["date_modified"], "2025-06-01T14:00:00Z");
}

#[tokio::test]
async fn an_item_that_returns_to_its_feed_is_not_new() {
    let world = World::new().await;
    let a = || story("1", "The first of two", &["Some words of the first."]);
    let b = || story("2", "Another thing", &["Quite different ones of the second."]);
    let answers = [rss(&[a()]), rss(&[b()]), rss(&[a(), b()])];
    world.origin.route("gull.test", "/feed", answers);
    let engine = world.open(&[world.origin.url("gull.test", "/feed")]).await;
    all(&engine).await;
    for _ in 0..2 {
        world.clock.advance(200 * HOUR);
        all(&engine).await;
    }
    assert_eq!(shown(&engine).len(), 2);
}
