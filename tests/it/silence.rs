//! Feeds that respond but stopped publishing are detected and reported once; quiet feeds are not.

use std::net::SocketAddr;
use std::time::Duration;

use newswire::daemon::{self, Engine, FeedSelection};
use newswire::health::{State, judge};
use newswire::model::IncidentKind;
use newswire::store::Reader;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::daemon::{connected, until};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll};

const HOST: &str = "site.test";

/// A document with items of these days of May, the last one the newest.
fn may(days: std::ops::RangeInclusive<u32>, built: u32) -> String {
    let item = |day: u32| {
        format!(
            "<item><guid>{day}</guid><title>Day {day}</title><pubDate>{day:02} May 2025 08:00:00 GMT</pubDate></item>"
        )
    };
    let items: String = days.rev().map(item).collect();
    format!(
        "<rss version=\"2.0\"><channel><title>Daily</title><description>{built}</description>{items}</channel></rss>"
    )
}

/// Polls twice a day for a number of days.
async fn watch(world: &World, engine: &Engine, days: u32) {
    for _ in 0..2 * days {
        poll(engine, FeedSelection::All).await;
        world.clock.advance(12 * HOUR);
    }
}

/// 304, and the same document for the one request without validators.
fn stuck() -> Vec<Answer> {
    let mut answers = vec![Answer::status(304); 40];
    answers[15] = Answer::ok(may(1..=31, 0)).with("ETag", "\"1\"");
    answers
}

/// The state of a daily feed with these responses from June on.
async fn dead(answers: impl IntoIterator<Item = Answer>) -> (World, String) {
    let world = World::new().await;
    let living = [Answer::ok(may(1..=31, 0)).with("ETag", "\"1\"")];
    world.origin.route(HOST, "/feed", living.into_iter().chain(answers));
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    watch(&world, &engine, 9).await;
    let status = world.status();
    assert_eq!(judge(&status, world.now()).state, State::Ok, "not yet: {:?}", status.activity);
    watch(&world, &engine, 6).await;
    let health = judge(&world.status(), world.now());
    assert_eq!(health.state, State::Silent, "{:?}", world.status().activity);
    assert!(health.remedy.is_some());
    (world, health.code.to_owned())
}

#[tokio::test]
async fn a_server_that_always_answers_304_is_detected() {
    let (_, cause) = dead(stuck()).await;
    assert_eq!(cause, "stuck_validator");
}

#[tokio::test]
async fn a_document_that_never_changes_is_detected() {
    let (_, cause) = dead([Answer::ok(may(1..=31, 0))]).await;
    assert_eq!(cause, "frozen_copy");
}

#[tokio::test]
async fn a_rebuilt_document_of_old_items_is_detected() {
    let (_, cause) = dead((1..60).map(|n| Answer::ok(may(20..=31, n)))).await;
    assert_eq!(cause, "old_items");
}

#[tokio::test]
async fn a_document_without_items_is_detected_sooner() {
    let world = World::new().await;
    let empty = "<rss version=\"2.0\"><channel><title>Daily</title></channel></rss>";
    world.origin.route(HOST, "/feed", [Answer::ok(may(1..=31, 0)), Answer::ok(empty)]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    watch(&world, &engine, 1).await;
    assert_eq!(judge(&world.status(), world.now()).state, State::Ok);
    watch(&world, &engine, 3).await;
    let health = judge(&world.status(), world.now());
    assert_eq!((health.state, health.code), (State::Silent, "empty_document"));
}

#[tokio::test]
async fn a_web_page_instead_of_the_feed_is_reported() {
    let world = World::new().await;
    let page = "<!doctype html><title>Not here</title><p>Sorry";
    world.origin.route(HOST, "/feed", [Answer::ok(may(1..=31, 0)), Answer::ok(page)]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    watch(&world, &engine, 4).await;
    let health = judge(&world.status(), world.now());
    assert_eq!((health.state, health.code), (State::Failing, "soft_404"));
}

#[tokio::test]
async fn a_feed_that_publishes_again_is_ok() {
    let (world, _) = dead(stuck()).await;
    let body =
        may(1..=31, 0).replace("<item>", "<item><guid>new</guid><title>New</title></item><item>");
    world.origin.route(HOST, "/feed", [Answer::ok(body)]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let status = world.status();
    assert_eq!(judge(&status, world.now()).state, State::Ok);
    assert!(
        status.activity.longest_gap.unwrap().as_hours() > 14 * 24,
        "and the pause is remembered"
    );
}

async fn get(address: SocketAddr, path: &str, header: &str) -> String {
    let mut stream = connected(address).await;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_incident_is_one_entry_of_the_operator_feed_across_restarts() {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", [Answer::ok(may(1..=31, 0)), Answer::status(404)]);
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut config = world.config(&[world.origin.url(HOST, "/feed")]);
    config.web.listen = vec![address.into()];
    // Three failures, and a day of them.
    let engine = world.open_with(config.clone()).await;
    watch(&world, &engine, 2).await;
    drop(engine);
    let reader =
        || Reader::open(&world.database()).unwrap().read(|reader| reader.incidents(9)).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let engine = world.open_with(config.clone()).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(daemon::run(engine, async { drop(stopped.await) }));
        until(&world, "the incident is told of", || reader().len() == 1).await;
        let mut answer = String::new();
        while !answer.starts_with("HTTP/1.1 200") {
            world.clock.advance(Duration::from_secs(1));
            answer = get(address, "/health.atom", "").await;
        }
        assert!(
            answer.contains("Content-Type: application/atom+xml")
                || answer.contains("content-type: application/atom+xml"),
            "{answer}"
        );
        assert_eq!(answer.matches("<entry").count(), 1, "{answer}");
        assert!(answer.contains("Failing: Daily") && answer.contains("/status/site.test-feed"));
        ids.push(answer.split("<id>").nth(2).unwrap().split('<').next().unwrap().to_owned());
        let etag = answer.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap();
        let again = get(address, "/health.atom", &format!("If-None-Match: {etag}\r\n")).await;
        assert!(again.starts_with("HTTP/1.1 304"), "{again}");
        stop.send(()).unwrap();
        task.await.unwrap().unwrap();
    }
    assert_eq!(ids[0], ids[1]);
    // It works again.
    world.origin.route(HOST, "/feed", [Answer::ok(may(1..=31, 0))]);
    let engine = world.open_with(config).await;
    poll(&engine, FeedSelection::All).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(daemon::run(engine, async { drop(stopped.await) }));
    until(&world, "the incident is over", || reader()[0].resolved_at.is_some()).await;
    let over = reader();
    assert_eq!((over.len(), over[0].kind), (1, IncidentKind::Failing));
    assert!(over[0].text.starts_with("The feed works again."), "{}", over[0].text);
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
}
