//! The operator's pages: what they tell of feeds that are well, that fail and that mean harm.

use std::sync::Arc;

use newswire::daemon::{Engine, FeedSelection};
use newswire::store::Reader;
use newswire::telemetry::{Metrics, Trouble, Vitals};
use newswire::web;
use serde_json::Value;
use url::Url;

use super::site::Site;
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss};

const EVIL: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;";

/// The engine's site, with the operator's pages.
async fn site(world: &World, engine: &Engine) -> Site {
    ailing(world, engine, Vitals::default()).await
}

/// The same with these signs of life.
async fn ailing(world: &World, engine: &Engine, vitals: Vitals) -> Site {
    let reader = Reader::open(&world.database()).unwrap();
    let backstage = web::Backstage {
        reader,
        clock: world.clock.clone(),
        metrics: Metrics::new("0", world.now()),
        vitals,
    };
    let served = Arc::clone(engine.served());
    let site = web::Site::new(Arc::clone(&served), web::Settings::default());
    Site::serving(site.with_backstage(backstage), served).await
}

/// Two feeds: one that is well, and one that was well once and is not found since, for a day.
async fn two(world: &World) -> (Engine, Vec<Url>) {
    let urls = vec![world.origin.url("well.test", "/feed"), world.origin.url("lost.test", "/feed")];
    world.origin.route(
        "well.test",
        "/feed",
        [Answer::ok(rss(&[("a", "A tale"), ("b", "Another")]))],
    );
    let lost = rss(&[("c", "C")]).replace("<title>Site</title>", "<title>Lost garden</title>");
    world.origin.route("lost.test", "/feed", [Answer::ok(lost), Answer::status(404)]);
    let mut config = world.config(&urls);
    config.subscriptions[0].feed.tags = vec!["tales".to_owned()];
    let engine = world.open_with(config).await;
    for _ in 0..4 {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(8 * HOUR);
    }
    (engine, urls)
}

#[tokio::test]
async fn the_page_tells_first_of_what_needs_the_operator_and_what_to_do() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let answer = site.get("/status", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let page = answer.text();
    assert!(page.contains("One thing needs you."), "{page}");
    let need = page.find("class=\"need failing\"").expect("a need");
    for word in ["Lost garden", "3 times in", "newswire add"] {
        assert!(page[need..].contains(word), "{word} is missing in {}", &page[need..]);
    }
    for state in ["state=failing", "state=well"] {
        assert!(page.contains(&format!("status?{state}")), "{state}");
    }
    assert!(page.matches("<svg").count() == 6 && page.contains("8 polls, "), "plots");
    assert!(page.contains("href=\"planet\""), "outputs");
    assert!(page.contains("status/well.test-feed"), "its own page");
    // Nothing that the policy would forbid.
    assert!(
        !page.contains(" style=") && !page.contains("<script") && !page.contains(" onerror="),
        "{page}"
    );
}

#[tokio::test]
async fn the_page_is_filtered_by_state_tag_and_words() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let rows = async |query: &str| {
        let page = site.get(&format!("/status?{query}"), &[]).await.text();
        ["well.test-feed", "lost.test-feed"].map(|id| page.contains(&format!("status/{id}\"")))
    };
    assert_eq!(rows("state=failing").await, [false, true]);
    assert_eq!(rows("tag=tales").await, [true, false]);
    assert_eq!(rows("q=GARDEN+lost").await, [false, true]);
    assert_eq!(rows("q=nothing-of-this-kind").await, [false, false]);
    assert_eq!(rows("sort=news&page=1").await, [true, true]);
    assert_eq!(rows("page=99999999999999999999").await, [true, true]);
    let refresh = "<meta http-equiv=\"refresh\" content=\"60\">";
    assert!(!site.get("/status", &[]).await.text().contains(refresh), "nobody asked for it");
    let fresh = site.get("/status?fresh", &[]).await.text();
    assert!(fresh.contains(refresh) && fresh.contains("status?state=failing&#38;fresh="), "kept");
}

#[tokio::test]
async fn programs_get_the_same() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let answer = site.get("/status.json", &[]).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&json["states"]["failing"], &json["states"]["well"]), (&1.into(), &1.into()));
    let feeds = json["feeds"].as_array().unwrap();
    let lost = feeds.iter().find(|feed| feed["id"] == "lost.test-feed").unwrap();
    assert_eq!((&lost["state"], &lost["cause"]), (&"failing".into(), &"not_found".into()));
    assert_eq!(lost["failures"], 3);
    assert!(lost["toml"].as_str().unwrap().starts_with("[[feed]]\nurl = \"http://lost.test:"));
    assert_eq!(json["outputs"][0]["stories"], 3);
    let polls: u64 =
        json["hours"].as_array().unwrap().iter().filter_map(|h| h["polls"].as_u64()).sum();
    assert_eq!(polls, 8);
}

#[tokio::test]
async fn what_newswire_itself_suffers_from_is_told_at_once_and_first_of_all() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let vitals = Vitals::default();
    let site = ailing(&world, &engine, vitals.clone()).await;
    let troubles = async || {
        let json = site.get("/status.json", &[]).await.body;
        serde_json::from_slice::<Value>(&json).unwrap()["troubles"].clone()
    };
    // That nothing was polled yet passes by itself.
    assert_eq!(troubles().await, serde_json::json!([]));
    vitals.ails(Trouble::StoreFull);
    vitals.ails(Trouble::ConfigRefused);
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("3 things need you."), "{page}");
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(at("store full") < at("config refused"));
    assert!(at("make some where it lies") < at("Lost garden"));
    let told = troubles().await;
    assert_eq!(told[1]["slug"], "config_refused");
    assert_eq!(told[1]["remedy"], Trouble::ConfigRefused.remedy());
    vitals.heals(Trouble::StoreFull);
    vitals.heals(Trouble::ConfigRefused);
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("One thing needs you.") && !page.contains("config refused"), "{page}");
}

#[tokio::test]
async fn a_feed_that_worked_may_fail_once_before_anybody_has_to_look() {
    let world = World::new().await;
    let urls = ["once.test", "never.test"].map(|host| world.origin.url(host, "/feed"));
    let well = rss(&[("a", "A tale")]).replace("<title>Site</title>", "");
    world.origin.route("once.test", "/feed", [Answer::ok(well), Answer::status(500)]);
    world.origin.route("never.test", "/feed", [Answer::status(404)]);
    let engine = world.open(&urls).await;
    let site = site(&world, &engine).await;
    let look = async || {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(12 * HOUR);
        site.get("/status", &[]).await.text()
    };
    // One that never worked was written down wrongly.
    let page = look().await;
    assert!(page.contains("One thing needs you. 2 feeds."), "{page}");
    assert!(page.contains(">never.test-feed</a>"), "its id, for it has no title: {page}");
    let page = look().await;
    assert!(page.contains("One thing needs you.") && page.contains("<b>2</b> failing"), "{page}");
    assert!(look().await.contains("2 things need you."));
}

#[tokio::test]
async fn what_is_asked_for_comes_back_without_control_characters() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    for path in ["/status?q=%00lost%1b", "/planet?q=%00lost%1b"] {
        let page = site.get(path, &["Accept: text/html"]).await.text();
        assert!(page.contains("value=\"lost\""), "{path}: {page}");
        assert!(!page.contains(['\0', '\x1b']), "{path}");
    }
}

#[tokio::test]
async fn a_feed_has_a_page_with_its_past_its_plan_and_its_items() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let page = site.get("/status/well.test-feed", &[]).await.text();
    for word in ["interval 1h", "decided", "later-only jitter", "ETag", "modified", "200", "A tale"]
    {
        assert!(page.contains(word), "{word} is missing in\n{page}");
    }
    assert!(page.contains("../planet/story/"), "the story as published");
    let story = page.split("../planet/story/").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(site.get(&format!("/planet/story/{story}"), &[]).await.status, 200);
    let lost = site.get("/status/lost.test-feed", &[]).await.text();
    assert!(lost.contains("not found") && lost.contains("404"), "{lost}");
    for path in ["/status/nobody", "/status/", "/status/%2e%2e%2fx", "/status/a/b"] {
        assert_eq!(site.get(path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_publishers_write_is_text_on_every_page() {
    let world = World::new().await;
    let title = format!("<![CDATA[{EVIL}]]>");
    let evil =
        rss(&[("a", &title)]).replace("<title>Site</title>", &format!("<title>{title}</title>"));
    let evil = evil.replace("https://site.test/a", "javascript:alert(3)");
    world.origin.route(
        "evil.test",
        "/feed",
        [Answer::ok(evil), Answer::ok("<html><title><script>x")],
    );
    let mut config = world.config(&[world.origin.url("evil.test", "/feed")]);
    config.subscriptions[0].feed.tags = vec![EVIL.to_owned()];
    let engine = world.open_with(config).await;
    for _ in 0..2 {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(HOUR);
    }
    let site = site(&world, &engine).await;
    for path in [
        "/status",
        "/status?q=%3Cscript%3E%22",
        "/status?tag=%22%3E%3Cscript%3E",
        "/status/evil.test-feed",
    ] {
        let page = site.get(path, &[]).await.text();
        assert!(!page.contains("<script") && !page.contains("<img"), "{path}: {page}");
        assert!(!page.contains("href=\"javascript:"), "{path}");
    }
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("alert(1)"), "it is shown as what it is: {page}");
}

#[tokio::test]
async fn an_output_that_cannot_be_published_is_told_of_until_it_can() {
    let world = World::new().await;
    world.origin.route("well.test", "/feed", [Answer::ok(rss(&[("a", "A tale")]))]);
    let mut config = world.config(&[world.origin.url("well.test", "/feed")]);
    let blocked = world.folder.path().join("blocked");
    std::fs::write(&blocked, "a file where the folder should be").unwrap();
    config.outputs[0].directory = Some(blocked.clone());
    let engine = world.open_with(config).await;
    assert!(engine.publish().await.is_err());
    let site = site(&world, &engine).await;
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("not published") && page.contains("One thing needs you"), "{page}");
    let json: Value = serde_json::from_slice(&site.get("/status.json", &[]).await.body).unwrap();
    assert!(json["outputs"][0]["refused"].as_str().unwrap().contains("blocked"), "{json:#}");
    std::fs::remove_file(&blocked).unwrap();
    engine.publish().await.unwrap();
    assert!(!site.get("/status", &[]).await.text().contains("not published"));
}

#[tokio::test]
async fn who_has_no_backstage_has_no_such_pages() {
    let site = Site::open().await;
    for path in ["/status", "/status.json", "/status/x", "/health.atom"] {
        assert_eq!(site.get(path, &[]).await.status, 404, "{path}");
    }
}
