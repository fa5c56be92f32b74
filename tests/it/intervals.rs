//! Intervals that are learned, which is the default, with the real poller.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::daemon::FeedSelection;
use newswire::model::Validators;
use newswire::schedule::IntervalMode;
use newswire::store::{SharedDocument, Store, Write};
use url::Url;

use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, ends, poll};

const DAY: u32 = 24;

async fn learning() -> World {
    let mut world = World::new().await;
    world.schedule.interval_mode = IntervalMode::Auto;
    world.schedule.per_host = 1;
    world
}

/// A document with an item at each of these times before `now`.
fn dated(now: Timestamp, hours_ago: &[i64]) -> String {
    let item = |hours: &i64| {
        let at = now - SignedDuration::from_hours(*hours);

        format!("<item><guid>g{hours}</guid><title>t{hours}</title><dc:date>{at}</dc:date></item>")
    };
    let items: String = hours_ago.iter().map(item).collect();
    format!(
        "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>Site</title>{items}</channel></rss>"
    )
}

/// Requests to the host in each of these numbers of days, with a pass of cron every quarter of an hour.
async fn requests(world: &World, host: &str, days: &[u32]) -> Vec<usize> {
    let urls = [world.origin.url(host, "/feed")];
    let mut counts = Vec::new();
    for days in days {
        let before = world.origin.count();
        for _ in 0..days * DAY * 4 {
            ends(&world.open(&urls).await, FeedSelection::Due).await;
            world.clock.advance(HOUR / 4);
        }
        counts.push(world.origin.count() - before);
    }
    counts
}

#[tokio::test]
async fn a_feed_that_never_changes_is_asked_ever_more_rarely() {
    let undated = "<rss version=\"2.0\"><channel><title>Site</title>\
                   <item><guid>a</guid><title>A</title></item></channel></rss>";
    let empty = "<rss version=\"2.0\"><channel><title>Site</title></channel></rss>";
    for document in [undated, empty] {
        let world = learning().await;
        world.origin.route("a.test", "/feed", [Answer::ok(document)]);
        let counts = requests(&world, "a.test", &[1, 1, 1]).await;
        assert!(counts[0] <= 8 && counts[2] <= 3, "{counts:?}: {document}");
    }
}

#[tokio::test]
async fn the_dates_of_the_first_document_determine_the_first_interval() {
    for (hours_ago, hours) in [
        ([9_000, 9_024, 9_048].as_slice(), 24..26),
        (&[24, 744, 1464], 24..26),
        (&[2, 26, 50, 74], 4..6),
        (&[0, 1, 2, 3, 4], 1..2),
    ] {
        let world = learning().await;
        let document = Answer::ok(dated(world.now(), hours_ago)).with("ETag", "\"1\"");
        world.origin.route("a.test", "/feed", [document]);
        let engine = world.open(&[world.origin.url("a.test", "/feed")]).await;
        let polled = poll(&engine, FeedSelection::All).await;
        let wait = polled[0].plan.at.duration_since(world.now()).as_hours();
        assert!(hours.contains(&wait), "{hours_ago:?}: {wait} hours");
    }
}

/// A document of ten items, one an hour, the last at this hour, all dated a year ago.
fn misdated(hour: i64) -> String {
    let at = "2024-06-01T12:00:00Z";
    let item = |n: i64| {
        let title = format!("news {} of {} in {n}", n * 7919 % 1000, n * 104_729 % 1000);
        format!(
            "<item><link>http://a.test/{n}</link><title>{title}</title><dc:date>{at}</dc:date></item>"
        )
    };
    let items: String = (hour - 9..=hour).rev().map(item).collect();
    format!(
        "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>Site</title>{items}</channel></rss>"
    )
}

#[tokio::test]
async fn a_feed_whose_dates_are_wrong_loses_no_items() {
    let world = learning().await;
    let urls = [world.origin.url("a.test", "/feed")];
    let mut warnings = Vec::new();
    for quarter in 0..4 * 24 * 4 {
        let hour = 100 + quarter / 4;
        let tag = format!("\"{hour}\"");
        let document = Answer::ok(misdated(hour)).with("ETag", &tag);
        world.origin.route("a.test", "/feed", [document]);
        ends(&world.open(&urls).await, FeedSelection::Due).await;
        warnings.extend(world.status().parse_warnings);
        world.clock.advance(HOUR / 4);
    }
    // The first interval is a day, because the feed seems to be silent.
    assert!(warnings.iter().any(|it| it.code == "missed_items"), "{warnings:?}");
    let (status, polls) = (world.status(), world.origin.count());
    // The burst guard holds the first ones.
    let items = status.items + status.activity.held;
    assert!((4 * 24 - 24..=4 * 24 + 9).contains(&items), "{items} items");
    assert!(polls < 80, "{polls} requests");
}

#[tokio::test]
async fn feeds_of_one_document_fetch_it_once_in_the_learned_interval() {
    let world = learning().await;
    let hub = world.origin.url("hub.test", "/feed");
    let body = dated(world.now(), &[2, 26, 50, 74]).into_bytes();
    world.origin.route("hub.test", "/feed", [Answer::Tagged { etag: "\"1\"".to_owned(), body }]);
    let hosts = ["a.test", "b.test", "c.test"];
    for host in hosts {
        world.origin.route(host, "/feed", [Answer::redirect(302, &hub)]);
    }
    let urls = hosts.map(|host| world.origin.url(host, "/feed"));
    for _ in 0..3 * DAY * 4 {
        ends(&world.open(&urls).await, FeedSelection::Due).await;
        world.clock.advance(HOUR / 4);
    }
    let asked = world.origin.asked().into_iter().filter(|asked| asked.host == "hub.test").count();
    // A daily feed has an interval of about five hours, which grows with its silence.
    assert!((5..=16).contains(&asked), "{asked} requests in three days");
    assert!(world.statuses().iter().all(|feed| feed.items == 4 && feed.failures == 0));
}

/// A daily feed that was polled once, and its URL.
async fn daily() -> (World, Url) {
    let world = learning().await;
    let document = Answer::ok(dated(world.now(), &[2, 26, 50, 74])).with("ETag", "\"1\"");
    world.origin.route("a.test", "/feed", [document]);
    let url = world.origin.url("a.test", "/feed");
    ends(&world.open(std::slice::from_ref(&url)).await, FeedSelection::Due).await;
    (world, url)
}

#[tokio::test]
async fn a_command_delays_a_feed_by_an_hour_at_most() {
    let (world, url) = daily().await;
    let urls = [url.clone()];
    let due = world.status().next_poll_at;
    let early = due.duration_since(world.now()) - SignedDuration::from_mins(5);
    world.clock.advance(Duration::try_from(early).unwrap());
    // As `probe` does, which stores no poll.
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let now = world.now().as_millisecond();
    database.execute("UPDATE asked SET at = ?1, by = 'command'", [now]).unwrap();
    drop(database);
    let mut waited = Duration::ZERO;
    while world.origin.count() < 2 {
        world.clock.advance(HOUR / 12);
        waited += HOUR / 12;
        ends(&world.open(&urls).await, FeedSelection::Due).await;
        assert!(waited <= 2 * HOUR, "it was not asked again");
    }
    assert!(waited >= HOUR, "asked {waited:?} after the command");
}

#[tokio::test]
async fn a_poll_does_not_read_a_document_that_is_older_than_its_own() {
    let (world, url) = daily().await;
    let urls = [url.clone()];
    let older = SharedDocument {
        url: url.to_string(),
        final_url: url.to_string(),
        hops: Vec::new(),
        content_type: None,
        links: None,
        validators: Validators::default(),
        hash: [1; 32],
        body: dated(world.now(), &[50, 74, 98]).into_bytes(),
        at: world.now() - SignedDuration::from_hours(1),
    };
    let store = Store::open(&world.database(), world.clock.clone()).unwrap();
    store.write(Write::Share(Box::new(older))).await.unwrap();
    drop(store);
    let due = world.status().next_poll_at.duration_since(world.now());
    world.clock.advance(Duration::try_from(due).unwrap() - HOUR / 6);
    // As a command that stores no document.
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let now = world.now().as_millisecond();
    database.execute("UPDATE asked SET at = ?1, by = 'command'", [now]).unwrap();
    drop(database);
    for _ in 0..2 * 12 {
        world.clock.advance(HOUR / 12);
        ends(&world.open(&urls).await, FeedSelection::Due).await;
    }
    assert_eq!((world.origin.count(), world.status().items), (2, 4));
}
