//! Polls from the origin to the output.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use newswire::config::Config;
use newswire::daemon::FeedSelection;
use newswire::model::{FailureKind, FetchOutcome};
use tokio::sync::Semaphore;

use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss, shown, shown_as};

const HOST: &str = "site.test";

fn tagged(etag: &str, items: &[(&str, &str)]) -> Answer {
    Answer::Tagged { etag: etag.to_owned(), body: rss(items).into_bytes() }
}

#[tokio::test]
async fn a_new_document_brings_its_items_and_the_next_poll_brings_nothing() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [tagged("\"1\"", &[("b", "B"), ("a", "A")])]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let first = poll(&engine, FeedSelection::Due).await;
    assert_eq!((first[0].outcome.slug(), first[0].recorded.new), ("modified", 2));
    assert_eq!(shown_as(&engine, "title"), ["B", "A"]);
    let before = engine.served().document("planet.atom").unwrap();
    world.clock.advance(2 * HOUR);
    let second = poll(&engine, FeedSelection::Due).await;
    assert_eq!((second[0].outcome.slug(), second[0].recorded.new), ("not_modified", 0));
    assert_eq!(world.origin.last().header("if-none-match"), Some("\"1\""));
    // The same content has the same entity tag and date.
    assert!(Arc::ptr_eq(&before, &engine.served().document("planet.atom").unwrap()));
}

#[tokio::test]
async fn feeds_that_are_not_due_are_not_polled() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    poll(&engine, FeedSelection::Due).await;
    drop(engine);
    world.clock.advance(HOUR / 2);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    assert_eq!(poll(&engine, FeedSelection::Due).await, []);
    assert_eq!(poll(&engine, FeedSelection::All).await.len(), 1);
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn validators_survive_errors_and_restarts() {
    let world = World::new().await;
    let good = || tagged("\"1\"", &[("a", "A")]);
    world.origin.route(
        HOST,
        "/feed",
        [good(), good(), Answer::status(500), Answer::ok("<html>login</html>"), good()],
    );
    let url = [world.origin.url(HOST, "/feed")];
    for expected in ["modified", "not_modified", "server_error", "not_a_feed", "not_modified"] {
        let engine = world.open(&url).await;
        assert_eq!(poll(&engine, FeedSelection::All).await[0].outcome.slug(), expected);
        engine.publish().await.unwrap();
        assert_eq!(shown_as(&engine, "title"), ["A"], "{expected}");
        world.clock.advance(24 * HOUR);
    }
    assert_eq!(world.origin.last().header("if-none-match"), Some("\"1\""));
}

#[tokio::test]
async fn a_new_url_or_user_agent_is_requested_without_validators() {
    let mut world = World::new().await;
    world.origin.route(HOST, "/feed", [tagged("\"1\"", &[("a", "A")])]);
    world.origin.route(HOST, "/new", [tagged("\"1\"", &[("a", "A")])]);
    let id = |config: &mut newswire::config::Config| {
        config.subscriptions[0].feed.id = Some(newswire::model::FeedId::new("site").unwrap());
    };
    let mut config = world.config(&[world.origin.url(HOST, "/feed")]);
    id(&mut config);
    poll(&world.open_with(config).await, FeedSelection::All).await;
    let mut config = world.config(&[world.origin.url(HOST, "/new")]);
    id(&mut config);
    let engine = world.open_with(config.clone()).await;
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!(world.origin.last().header("if-none-match"), None);
    // The feed kept its identity and its item.
    assert_eq!((polled[0].recorded.new, shown(&engine).len()), (0, 1));
    drop(engine);
    world.fetch.user_agent = Some("other".to_owned());
    config.subscriptions[0].fetch = Arc::new(world.fetch.clone());
    poll(&world.open_with(config).await, FeedSelection::All).await;
    assert_eq!(world.origin.last().header("if-none-match"), None);
    assert_eq!(world.origin.last().header("user-agent"), Some("other"));
}

#[tokio::test]
async fn a_changed_item_changes_in_place_and_keeps_id_and_date() {
    let world = World::new().await;
    world.origin.route(
        HOST,
        "/feed",
        [
            Answer::ok(rss(&[("a", "A"), ("b", "B")])),
            Answer::ok(rss(&[("c", "C"), ("a", "A, corrected")])),
        ],
    );
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let before = shown(&engine);
    world.clock.advance(2 * HOUR);
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!((polled[0].recorded.new, polled[0].recorded.changed), (1, 1));
    let after = shown(&engine);
    let find = |items: &[serde_json::Value], title: &str| {
        items
            .iter()
            .find(|item| item["title"] == title)
            .cloned()
            .unwrap_or_else(|| panic!("{title}"))
    };
    let (old, new) = (find(&before, "A"), find(&after, "A, corrected"));
    assert_eq!((&old["id"], &old["date_published"]), (&new["id"], &new["date_published"]));
    // An item that is no longer in the document stays in the output.
    assert_eq!(find(&after, "B")["id"], find(&before, "B")["id"]);
    assert_eq!(after.len(), 3);
}

#[tokio::test]
async fn items_without_a_guid_are_recognised_by_link_or_by_text() {
    let document = |title: &str| {
        format!(
            "<rss version='2.0'><channel><title>S</title>\
             <item><link>https://site.test/1</link><title>{title}</title></item>\
             <item><title>only words</title><description>and more</description></item></channel></rss>"
        )
    };
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(document("one")), Answer::ok(document("other"))]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    assert_eq!(poll(&engine, FeedSelection::All).await[0].recorded.new, 2);
    let before = shown_as(&engine, "id");
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!((polled[0].recorded.new, polled[0].recorded.changed), (0, 1));
    assert_eq!(shown_as(&engine, "id"), before);
}

#[tokio::test]
async fn the_same_url_in_two_feeds_is_one_story() {
    let world = World::new().await;
    let with_link = |guid: &str, link: &str| {
        format!(
            "<rss version='2.0'><channel><title>Feed {guid}</title><item><guid isPermaLink='false'>{guid}</guid>\
             <title>{guid}</title><link>{link}</link></item></channel></rss>"
        )
    };
    world.origin.route(
        "a.test",
        "/",
        [Answer::ok(with_link("one", "https://story.test/x?utm_source=a"))],
    );
    world.origin.route(
        "b.test",
        "/",
        [Answer::ok(with_link("two", "http://www.story.test/x#top"))],
    );
    let engine =
        world.open(&[world.origin.url("a.test", "/"), world.origin.url("b.test", "/")]).await;
    poll(&engine, FeedSelection::All).await;
    assert_eq!(shown(&engine).len(), 1, "{:#?}", shown(&engine));
    let atom = engine.served().document("planet.atom").unwrap();
    let atom = String::from_utf8_lossy(&atom.body).into_owned();
    assert!(atom.contains("Feed one") && atom.contains("Feed two"), "{atom}");
}

#[tokio::test]
async fn a_failing_feed_is_polled_less_often_but_always_again() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::status(500)]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let polled = poll(&engine, FeedSelection::All).await;
        waits.push(polled[0].plan.at.duration_since(world.now()).as_secs());
        world.clock.advance(Duration::from_secs(10));
    }
    assert!(
        waits[0] >= 900 && waits.windows(2).all(|pair| pair[1] * 10 >= pair[0] * 9),
        "{waits:?}"
    );
    assert!(waits[11] <= 3 * 24 * 3600, "{waits:?}");
    let status = world.status();
    assert_eq!((status.failures, status.last_status), (12, Some(500)));
    assert_eq!(status.failing_since, Some("2025-06-01T12:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn retry_after_is_respected() {
    let world = World::new().await;
    let answer = Answer::status(429).with("Retry-After", "36000");
    world.origin.route(HOST, "/feed", [answer]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!(polled[0].outcome, FetchOutcome::Throttled);
    assert!(polled[0].plan.at.duration_since(world.now()) >= SignedDuration::from_hours(10));
    assert!(world.status().reason_text.contains("asks to wait"), "{}", world.status().reason_text);
}

#[tokio::test]
async fn a_broken_feed_does_not_affect_other_feeds() {
    let world = World::new().await;
    world.origin.route("bad.test", "/", [Answer::Raw(b"nonsense".to_vec())]);
    world.origin.route("html.test", "/", [Answer::ok("<html><body>no feed</body></html>")]);
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let urls = [("bad.test", "/"), ("html.test", "/"), (HOST, "/feed")]
        .map(|(h, p)| world.origin.url(h, p));
    let engine = world.open(&urls).await;
    let polled = poll(&engine, FeedSelection::All).await;
    let slugs: Vec<_> = polled.iter().map(|poll| poll.outcome.slug()).collect();
    assert_eq!(slugs[1..], [FailureKind::NotAFeed.slug(), "modified"]);
    assert!(!polled[0].outcome.is_success());
    assert_eq!(shown_as(&engine, "title"), ["A"]);
}

#[tokio::test]
async fn a_feed_is_read_with_any_media_type() {
    let world = World::new().await;
    let types = ["text/html", "application/octet-stream", "image/png", "nonsense", "text/plain"];
    let urls: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(n, kind)| {
            let host = format!("h{n}.test");
            let guid = format!("g{n}");
            let body = rss(&[(guid.as_str(), "x")]);
            world.origin.route(&host, "/", [Answer::ok(body).with("Content-Type", kind)]);
            world.origin.url(&host, "/")
        })
        .collect();
    let engine = world.open(&urls).await;
    for polled in poll(&engine, FeedSelection::All).await {
        assert_eq!(polled.recorded.new, 1);
    }
}

#[tokio::test]
async fn a_new_build_date_is_not_a_change() {
    let world = World::new().await;
    let dated = |date: &str| {
        let build = format!("<lastBuildDate>{date}</lastBuildDate><item>");
        Answer::ok(rss(&[("a", "A")]).replacen("<item>", &build, 1))
    };
    let days = ["Sun, 01 Jun 2025 10:00:00 GMT", "Sun, 01 Jun 2025 11:00:00 GMT"];
    world.origin.route(HOST, "/feed", days.map(dated));
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let before = engine.served().document("planet.atom").unwrap();
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!((polled[0].recorded.new, polled[0].recorded.changed), (0, 0));
    assert!(Arc::ptr_eq(&before, &engine.served().document("planet.atom").unwrap()));
}

#[tokio::test]
async fn a_host_gets_no_more_requests_at_once_than_allowed() {
    let mut world = World::new().await;
    world.schedule.per_host = 2;
    let gate = Arc::new(Semaphore::new(0));
    let held = || Answer::Held(Arc::clone(&gate), Box::new(Answer::ok(rss(&[("a", "A")]))));
    let urls: Vec<_> = (0..6)
        .map(|n| {
            world.origin.route(HOST, &format!("/{n}"), [held()]);
            world.origin.url(HOST, &format!("/{n}"))
        })
        .collect();
    let engine = world.open(&urls).await;
    let release = async {
        // Two requests arrive. Others follow only after the responses.
        while world.origin.count() < 2 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(6);
    };
    let (polled, ()) = tokio::join!(poll(&engine, FeedSelection::All), release);
    assert_eq!((polled.len(), world.origin.most_at_once(HOST)), (6, 2));
}

#[tokio::test]
async fn all_hosts_together_get_no_more_requests_at_once_than_allowed() {
    let mut world = World::new().await;
    world.concurrency = 3;
    let gate = Arc::new(Semaphore::new(0));
    let urls: Vec<_> = (0..9)
        .map(|n| {
            let held = Answer::Held(Arc::clone(&gate), Box::new(Answer::ok(rss(&[("a", "A")]))));
            world.origin.route(&format!("h{n}.test"), "/", [held]);
            world.origin.url(&format!("h{n}.test"), "/")
        })
        .collect();
    let engine = world.open(&urls).await;
    let release = async {
        while world.origin.count() < 3 {
            tokio::task::yield_now().await;
        }
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.origin.count(), 3);
        gate.add_permits(9);
    };
    let (polled, ()) = tokio::join!(poll(&engine, FeedSelection::All), release);
    assert_eq!(polled.len(), 9);
}

#[tokio::test]
async fn after_the_clock_was_set_back_feeds_wait_again_and_are_polled() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let url = [world.origin.url(HOST, "/feed")];
    poll(&world.open(&url).await, FeedSelection::All).await;
    world.clock.set_wall("2015-06-01T12:00:00Z".parse().unwrap());
    let mut polled = Vec::new();
    for _ in 0..8 {
        polled.push(poll(&world.open(&url).await, FeedSelection::Due).await.len());
        world.clock.advance(Duration::from_secs(20 * 60));
    }
    assert_eq!(polled, [0, 0, 0, 0, 1, 0, 0, 0], "once, after an interval with jitter");
}

#[tokio::test]
async fn future_and_missing_dates_become_the_time_of_arrival() {
    let world = World::new().await;
    let document = "<rss version='2.0'><channel><title>S</title>\
        <item><guid>1</guid><title>future</title><pubDate>Mon, 01 Jan 2035 00:00:00 GMT</pubDate></item>\
        <item><guid>2</guid><title>none</title></item></channel></rss>";
    world.origin.route(HOST, "/feed", [Answer::ok(document)]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    for date in shown_as(&engine, "date_published") {
        assert_eq!(date, "2025-06-01T12:00:00Z");
    }
}

#[tokio::test]
async fn an_output_is_byte_for_byte_the_same_after_a_restart() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("a", "A"), ("b", "B")]))]);
    let url = [world.origin.url(HOST, "/feed")];
    let engine = world.open(&url).await;
    poll(&engine, FeedSelection::All).await;
    let names = ["planet.atom", "planet.rss", "planet.json"];
    let before = names.map(|name| engine.served().document(name).unwrap());
    drop(engine);
    let files =
        names.map(|name| std::fs::metadata(world.folder.path().join("www").join(name)).unwrap());
    world.clock.advance(24 * HOUR);
    let engine = world.open(&url).await;
    engine.publish().await.unwrap();
    for (n, name) in names.iter().enumerate() {
        let after = engine.served().document(name).unwrap();
        assert_eq!((&after.body, &after.etag), (&before[n].body, &before[n].etag));
        assert_eq!(after.modified, before[n].modified);
        let file = std::fs::metadata(world.folder.path().join("www").join(name)).unwrap();
        assert_eq!(
            file.modified().unwrap(),
            files[n].modified().unwrap(),
            "{name} was written again"
        );
    }
}

#[tokio::test]
async fn a_pass_renders_only_what_may_have_changed() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [tagged("\"1\"", &[("a", "A"), ("b", "B")])]);
    let url = [world.origin.url(HOST, "/feed")];
    let pass = async |config: Config| {
        let engine = world.open_with(config).await;
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(HOUR);
        // Only rendered documents are served.
        engine.served().document("planet.json").is_some()
    };
    let config = || world.config(&url);
    assert!(pass(config()).await, "the first pass");
    assert!(!pass(config()).await, "nothing is new");
    let file = world.folder.path().join("www/planet.atom.gz");
    std::fs::write(&file, "something else").unwrap();
    assert!(pass(config()).await, "a sibling was changed");
    assert!(!pass(config()).await);
    std::fs::remove_file(world.folder.path().join("www/planet.rss")).unwrap();
    assert!(pass(config()).await, "a file is missing");
    let mut other = config();
    other.outputs[0].title = "Another title".to_owned();
    assert!(pass(other.clone()).await, "the output has another title");
    assert!(!pass(other.clone()).await);
    other.subscriptions[0].feed.title = Some("Another feed".to_owned());
    assert!(pass(other.clone()).await, "the feed has another title");
    assert!(!pass(other.clone()).await);
    (other.outputs[0].items, other.outputs[0].max_age) = (1, Some(HOUR * 48));
    assert!(pass(other.clone()).await, "the output shows fewer items");
    assert!(!pass(other.clone()).await);
    world.clock.advance(HOUR * 48);
    assert!(pass(other).await, "an item left by its age");
    let items = std::fs::read_to_string(world.folder.path().join("www/planet.json")).unwrap();
    assert_eq!(items.matches("\"date_published\"").count(), 1);
}

#[tokio::test]
async fn a_removed_output_file_is_written_again() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let file = world.folder.path().join("www/planet.atom");
    std::fs::remove_file(&file).unwrap();
    engine.publish().await.unwrap();
    assert!(file.exists());
}
