//! The operator pages, for feeds that work, that fail and that are hostile.

use std::sync::Arc;

use newswire::daemon::{Engine, FeedSelection};
use newswire::model::{Incident, IncidentKind, SubscriberCount};
use newswire::store::{Reader, Write, transact};
use newswire::telemetry::{Metrics, Problem, Readiness};
use newswire::web;
use serde_json::Value;
use url::Url;

use super::site::Site;
use crate::docs::{JSON, documented, keys};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss};

const EVIL: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;";

/// The site of the engine, with operator pages.
async fn site(world: &World, engine: &Engine) -> Site {
    site_with(world, engine, Readiness::default()).await
}

/// The same with this readiness.
async fn site_with(world: &World, engine: &Engine, readiness: Readiness) -> Site {
    let reader = Reader::open(&world.database()).unwrap();
    let operator_pages = web::OperatorPages {
        reader,
        clock: world.clock.clone(),
        metrics: Metrics::new("0", world.now()),
        readiness,
    };
    let served = Arc::clone(engine.served());
    let site = web::Site::new(Arc::clone(&served), web::Settings::default());
    Site::serving(site.with_operator_pages(operator_pages), served).await
}

/// Two feeds: one that works, and one that worked once and has been missing for a day.
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
async fn the_overview_begins_with_what_needs_attention() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let answer = site.get("/status", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let page = answer.text();
    assert!(page.contains("1 thing needs attention."), "{page}");
    let need = page.find("class=\"problem failing\"").expect("a feed that needs attention");
    for word in ["Lost garden", "; 3 polls in", "newswire add"] {
        assert!(page[need..].contains(word), "{word} is missing in {}", &page[need..]);
    }
    for state in ["state=failing", "state=ok"] {
        assert!(page.contains(&format!("status?{state}")), "{state}");
    }
    assert!(page.matches("<svg").count() == 6 && page.contains("8 polls, "), "plots");
    assert!(page.contains("href=\"planet/\""), "outputs");
    assert!(page.contains("status/well.test-feed"), "its own page");
    // Nothing that the content security policy forbids.
    assert!(
        !page.contains(" style=") && !page.contains("<script") && !page.contains(" onerror="),
        "{page}"
    );
}

#[tokio::test]
async fn the_overview_is_filtered_by_state_tag_and_words() {
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
    assert_eq!(rows("sort=last_new&page=1").await, [true, true]);
    assert_eq!(rows("page=99999999999999999999").await, [true, true]);
    let refresh = "<meta http-equiv=\"refresh\" content=\"60\">";
    assert!(!site.get("/status", &[]).await.text().contains(refresh), "not requested");
    let fresh = site.get("/status?refresh", &[]).await.text();
    assert!(fresh.contains(refresh) && fresh.contains("status?state=failing&#38;refresh="), "kept");
}

#[tokio::test]
async fn status_json_has_the_documented_keys() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let answer = site.get("/status.json", &[]).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (&json["feeds_by_state"]["failing"], &json["feeds_by_state"]["ok"]),
        (&1.into(), &1.into())
    );
    let feeds = json["feeds"].as_array().unwrap();
    let lost = feeds.iter().find(|feed| feed["id"] == "lost.test-feed").unwrap();
    assert_eq!((&lost["state"], &lost["code"]), (&"failing".into(), &"not_found".into()));
    assert_eq!(lost["consecutive_failures"], 3);
    let toml = lost["remedy"]["toml"].as_str().unwrap();
    assert!(
        toml.starts_with("[[feed]]\nid = \"lost.test-feed\"\nurl = \"http://lost.test:"),
        "{toml}"
    );
    assert_eq!(json["outputs"][0]["items"], 3);
    let polls: u64 =
        json["hours"].as_array().unwrap().iter().filter_map(|h| h["polls"].as_u64()).sum();
    assert_eq!(polls, 8);
    for (object, head) in [
        (&json, "## `/status.json`"),
        (&json["feeds"][0], "## Feeds"),
        (&json["outputs"][0], "| key of an output |"),
        (&json["hours"][0], "| key of an hour |"),
    ] {
        assert_eq!(keys(object), documented(JSON, head), "{head}");
    }
}

#[tokio::test]
async fn problems_of_newswire_itself_come_first() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let readiness = Readiness::default();
    let site = site_with(&world, &engine, readiness.clone()).await;
    let troubles = async || {
        let json = site.get("/status.json", &[]).await.body;
        serde_json::from_slice::<Value>(&json).unwrap()["problems"].clone()
    };
    // `not_polled_yet` is not shown.
    assert_eq!(troubles().await, serde_json::json!([]));
    readiness.add(Problem::StoreFull);
    readiness.add(Problem::ConfigRejected);
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("3 things need attention."), "{page}");
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(at("store full") < at("config rejected"));
    assert!(at("Free space on that file system") < at("Lost garden"));
    let told = troubles().await;
    assert_eq!(told[1]["code"], "config_rejected");
    assert_eq!(told[1]["remedy"], Problem::ConfigRejected.remedy());
    readiness.remove(Problem::StoreFull);
    readiness.remove(Problem::ConfigRejected);
    let page = site.get("/status", &[]).await.text();
    assert!(
        page.contains("1 thing needs attention.") && !page.contains("config rejected"),
        "{page}"
    );
}

#[tokio::test]
async fn the_first_failure_of_a_working_feed_needs_no_attention() {
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
    // A feed that never worked needs attention at once.
    let page = look().await;
    assert!(page.contains("1 thing needs attention. 2 feeds."), "{page}");
    assert!(page.contains(">never.test-feed</a>"), "the id, because there is no title: {page}");
    let page = look().await;
    assert!(
        page.contains("1 thing needs attention.") && page.contains("<b>2</b> failing"),
        "{page}"
    );
    assert!(look().await.contains("2 things need attention."));
}

#[tokio::test]
async fn search_words_are_shown_without_control_characters() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    for path in ["/status?q=%00lost%1b", "/planet/?q=%00lost%1b"] {
        let page = site.get(path, &["Accept: text/html"]).await.text();
        assert!(page.contains("value=\"lost\""), "{path}: {page}");
        assert!(!page.contains(['\0', '\x1b']), "{path}");
    }
}

#[tokio::test]
async fn the_page_of_a_feed_has_its_polls_its_plan_and_its_items() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    let page = site.get("/status/well.test-feed", &[]).await.text();
    for word in
        ["interval 1h", "(decides)", "later-only jitter", "ETag", "modified", "200", "A tale"]
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
async fn text_of_publishers_is_escaped_on_every_page() {
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
async fn an_output_that_cannot_be_published_needs_attention() {
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
    assert!(page.contains("not published") && page.contains("1 thing needs attention"), "{page}");
    let json: Value = serde_json::from_slice(&site.get("/status.json", &[]).await.body).unwrap();
    assert!(json["outputs"][0]["failure_text"].as_str().unwrap().contains("blocked"), "{json:#}");
    std::fs::remove_file(&blocked).unwrap();
    engine.publish().await.unwrap();
    assert!(!site.get("/status", &[]).await.text().contains("not published"));
}

#[tokio::test]
async fn a_site_without_operator_pages_answers_404() {
    let site = Site::open().await;
    for path in ["/status", "/status.json", "/status/x", "/health.atom"] {
        assert_eq!(site.get(path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_browser_gets_the_incidents_as_a_page() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let mut incidents = Vec::new();
    for (kind, name, resolved_at) in [
        (IncidentKind::Failing, EVIL, None),
        (IncidentKind::Silent, "Old garden", Some(world.now())),
    ] {
        incidents.push(Incident {
            kind,
            subject: name.to_owned(),
            name: name.to_owned(),
            state: "not_found".to_owned(),
            text: "the server reports that the feed does not exist".to_owned(),
            remedy: "Look for another address.".to_owned(),
            toml: None,
            since: world.now(),
            opened_at: world.now(),
            changed_at: world.now(),
            resolved_at,
        });
    }
    let write = Write::Incidents(incidents);
    transact(&world.database(), |transaction| transaction.apply(&write)).unwrap().unwrap();
    let site = site(&world, &engine).await;
    let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    let page = site.get("/health.atom", &[browser]).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("vary").unwrap().contains("Accept"));
    let text = page.text();
    let (open, resolved) = text.split_once("<h2 id=\"resolved\">").unwrap();
    assert!(open.contains("&#60;script&#62;alert(1)") && !text.contains("<script"), "{text}");
    assert!(open.contains("Look for another address.") && !open.contains("Old garden"), "{text}");
    assert!(resolved.contains("Old garden"), "{text}");
}

#[tokio::test]
async fn subscribers_are_counted_and_only_their_number_is_stored() {
    let world = World::new().await;
    let (engine, _) = two(&world).await;
    let site = site(&world, &engine).await;
    // One program in three formats: with the random key of a day, two share a counter in one of 4,096 runs.
    for (path, agent) in [
        ("/planet.atom", "Reeder/5"),
        ("/planet.json", "Reeder/5"),
        ("/planet.atom?q=tale", "Reeder/5"),
        ("/planet.rss", "Feedbin feed-id:7 - 30 subscribers"),
    ] {
        assert_eq!(site.get(path, &[&format!("User-Agent: {agent}")]).await.status, 200);
    }
    // Neither pages nor what fails.
    for (path, header) in [
        ("/planet/", "User-Agent: Firefox"),
        ("/planet.atom", "Sec-Fetch-Mode: navigate"),
        ("/none.atom", "User-Agent: Lost/1"),
    ] {
        site.get(path, &[header]).await;
    }
    let json =
        |answer: &super::site::Answer| -> Value { serde_json::from_str(&answer.text()).unwrap() };
    let today = json(&site.get("/status.json", &[]).await);
    let count = &today["outputs"][0]["subscribers"][0];
    assert_eq!((&count["clients"], &count["reported"]), (&1.into(), &30.into()));
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("31<span class=\"facts\">1 client, 30 by services, on "), "{page}");
    let metrics = site.get("/metrics", &[]).await.text();
    assert!(metrics.contains("newswire_output_clients{output=\"planet\"} 1\n"), "{metrics}");
    let line = "newswire_output_reported_subscribers{output=\"planet\"} 30\n";
    assert!(metrics.contains(line), "{metrics}");
    // A number that is stored is never lowered by a process that counts from zero.
    let day = world.now().as_second().div_euclid(86_400);
    let count = |day, clients, reported| SubscriberCount {
        output: "planet".to_owned(),
        day,
        clients,
        reported,
    };
    for counts in [vec![count(day, 5, 2), count(day - 1, 40, 0)], vec![count(day, 3, 30)]] {
        let write = Write::Subscribers(counts);
        transact(&world.database(), |transaction| transaction.apply(&write)).unwrap().unwrap();
    }
    let counts = Reader::open(&world.database()).unwrap();
    let counts = counts.read(|reader| reader.subscriber_counts(0)).unwrap();
    assert_eq!(counts, [count(day - 1, 40, 0), count(day, 5, 30)]);
    // The last whole day is shown.
    let page = site.get("/status", &[]).await.text();
    assert!(page.contains("40<span class=\"facts\">40 clients, 0 by services"), "{page}");
}
