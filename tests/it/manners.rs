//! Behaviour over time: moved and gone feeds, wrong 304 responses, no network.

use std::time::Duration;

use newswire::daemon::{Engine, FeedSelection};
use newswire::fetch::ResolveError;
use newswire::model::ReasonKind;

use crate::support::origin::{Answer, Names};
use crate::support::world::{World, poll, rss, shown, shown_as};

const OLD: &str = "old.test";
const NEW: &str = "new.test";
const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_permanent_redirect_is_adopted_after_a_week() {
    let world = World::new().await;
    let new = world.origin.url(NEW, "/feed");
    world.origin.route(OLD, "/feed", [Answer::redirect(301, &new)]);
    let body = || rss(&[("a", "A"), ("b", "B")]).into_bytes();
    world.origin.route(NEW, "/feed", [Answer::Tagged { etag: "\"1\"".to_owned(), body: body() }]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let ids = shown_as(&engine, "id");
    for _ in 0..8 {
        world.clock.advance(DAY);
        poll(&engine, FeedSelection::All).await;
    }
    assert_eq!(world.status().address.effective, Some(new.clone()));
    let before = world.origin.count();
    world.clock.advance(DAY);
    poll(&engine, FeedSelection::All).await;
    let asked: Vec<_> = world.origin.asked().split_off(before);
    assert_eq!(asked.len(), 1, "one request, no redirect");
    assert_eq!(asked[0].host, NEW);
    // The validators are still known, and no item is new.
    assert_eq!(asked[0].header("if-none-match"), Some("\"1\""));
    assert_eq!(shown_as(&engine, "id"), ids);
    assert_eq!(world.statuses().len(), 1);
}

/// A document of a feed that publishes every other day, and then this item. Its silence is reported after 22 days.
fn every_other_day(last: Option<&str>) -> String {
    let item = |(guid, date): (String, String)| {
        format!(
            "<item><guid isPermaLink=\"false\">{guid}</guid><title>{guid}</title>\
             <pubDate>{date} 2025 00:00:00 GMT</pubDate></item>"
        )
    };
    let usual = (0..9).map(|n| (format!("Item {n}"), format!("{} May", 15 + 2 * n)));
    let last = last.map(|guid| (guid.to_owned(), "02 Jun".to_owned()));
    let items: String = usual.chain(last).map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Site</title>{items}</channel></rss>")
}

/// A feed that has moved to another host, whose document never changes.
async fn moved_feed(world: &World) -> Engine {
    let new = world.origin.url(NEW, "/feed");
    world.origin.route(OLD, "/feed", [Answer::redirect(301, &new)]);
    let body = every_other_day(None).into_bytes();
    world.origin.route(NEW, "/feed", [Answer::Tagged { etag: "\"1\"".to_owned(), body }]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    daily(world, &engine, 8).await;
    assert_eq!(world.status().address.effective, Some(new));
    engine
}

/// Polls once a day. No poll fails. Returns the number of requests for the configured URL.
async fn daily(world: &World, engine: &Engine, days: u32) -> usize {
    let before = world.origin.count();
    for day in 0..days {
        let polled = poll(engine, FeedSelection::All).await;
        assert!(polled[0].outcome.is_success(), "day {day}: {:?}", polled[0].outcome);
        world.clock.advance(DAY);
    }
    let asked = world.origin.asked().split_off(before);
    asked.iter().filter(|asked| asked.host == OLD).count()
}

#[tokio::test]
async fn a_silent_address_is_left_when_the_configured_url_leads_to_news() {
    const THIRD: &str = "third.test";
    let world = World::new().await;
    let engine = moved_feed(&world).await;
    let third = world.origin.url(THIRD, "/feed");
    world.origin.route(OLD, "/feed", [Answer::redirect(301, &third)]);
    world.origin.route(THIRD, "/feed", [Answer::ok(every_other_day(Some("C")))]);
    assert_eq!(daily(&world, &engine, 12).await, 0, "it is silent for less than three weeks");
    daily(&world, &engine, 12).await;
    assert!(shown_as(&engine, "title").contains(&"C".to_owned()));
    assert_eq!(world.status().address.effective, Some(third));
}

#[tokio::test]
async fn a_silent_address_is_kept_whatever_else_the_configured_url_has() {
    for answer in [
        Answer::redirect(301, "http://new.test/feed"),
        Answer::status(404),
        Answer::status(410),
        Answer::status(503),
        Answer::status(429).with("Retry-After", 3600),
        Answer::ok("<html><body>This domain is for sale</body></html>"),
        Answer::ok(rss(&[("buy", "Buy this domain")])),
        // A copy that is not maintained any more.
        Answer::ok(every_other_day(None)),
        Answer::ok(rss(&[])),
    ] {
        let world = World::new().await;
        let engine = moved_feed(&world).await;
        let new = world.origin.url(NEW, "/feed");
        let answer = match answer {
            Answer::Plain { status: 301, .. } => Answer::redirect(301, &new),
            other => other,
        };
        world.origin.route(OLD, "/feed", [answer]);
        // After 22 and after 44 days of silence.
        assert_eq!(daily(&world, &engine, 60).await, 2);
        let status = world.status();
        assert_eq!((status.address.effective, status.items), (Some(new), 9));
    }
}

#[tokio::test]
async fn a_silent_address_that_fails_is_requested_once_a_poll() {
    for (answer, outcome) in [
        (Answer::status(503), "server_error"),
        (Answer::status(410), "gone"),
        (Answer::ok("<html><body>Soon</body></html>"), "not_a_feed"),
    ] {
        let world = World::new().await;
        let engine = moved_feed(&world).await;
        daily(&world, &engine, 14).await;
        world.origin.route(NEW, "/feed", [answer]);
        let before = world.origin.count();
        for _ in 0..3 {
            let polled = poll(&engine, FeedSelection::All).await;
            assert_eq!(polled[0].outcome.slug(), outcome, "no poll is held");
            world.clock.advance(DAY);
        }
        let hosts: Vec<String> =
            world.origin.asked().split_off(before).into_iter().map(|asked| asked.host).collect();
        assert_eq!(hosts.iter().filter(|host| *host == NEW).count(), 3, "{hosts:?}");
    }
}

#[tokio::test]
async fn a_silent_address_that_redirects_stays_adopted() {
    const CDN: &str = "cdn.test";
    let world = World::new().await;
    let engine = moved_feed(&world).await;
    let cdn = world.origin.url(CDN, "/feed");
    world.origin.route(NEW, "/feed", [Answer::redirect(302, &cdn)]);
    world.origin.route(CDN, "/feed", [Answer::ok(every_other_day(None))]);
    let before = world.origin.count();
    assert_eq!(daily(&world, &engine, 20).await, 1);
    // Each poll requests the adopted address and what it leads to.
    assert_eq!(world.origin.count() - before, 2 * 20 + 1);
    assert_eq!(daily(&world, &engine, 16).await, 0);
    world.origin.route(CDN, "/feed", [Answer::ok(every_other_day(Some("C")))]);
    assert_eq!(daily(&world, &engine, 1).await, 1);
    assert!(shown_as(&engine, "title").contains(&"C".to_owned()));
    assert_eq!(world.status().address.effective, Some(world.origin.url(NEW, "/feed")));
}

/// A document with this title and link of the channel, and with one item.
fn continued(title: &str, link: &str, (guid, page, date): (&str, &str, &str)) -> Answer {
    Answer::ok(format!(
        "<rss version=\"2.0\"><channel><title>{title}</title><link>{link}</link><item>\
         <guid isPermaLink=\"false\">{guid}</guid><title>Item {guid}</title><link>{page}</link>\
         <pubDate>{date} 2025 10:00:00 GMT</pubDate></item></channel></rss>"
    ))
}

#[tokio::test]
async fn a_feed_that_moves_without_its_old_items_is_known_by_title_and_site() {
    let link = "https://site.test/";
    let next = ("n", "https://www.site.test/n", "Mon, 02 Jun");
    let other_place = ("n", "https://parked.test/n", "Mon, 02 Jun");
    let old = ("n", "https://site.test/n", "Sun, 18 May");
    for (outcome, document) in [
        ("modified", continued("Site", "http://site.test", next)),
        ("different_feed", continued("Comments on: Site", link, next)),
        ("different_feed", continued("Site", "https://parked.test/", other_place)),
        ("different_feed", continued("Site", link, other_place)),
        // It would be published although it may have been before.
        ("different_feed", continued("Site", link, old)),
    ] {
        let world = World::new().await;
        let moved = Answer::redirect(301, world.origin.url(NEW, "/feed"));
        world.origin.route(OLD, "/feed", [Answer::ok(rss(&[("a", "A")])), moved]);
        world.origin.route(NEW, "/feed", [document]);
        let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
        for expected in ["modified", outcome] {
            assert_eq!(poll(&engine, FeedSelection::All).await[0].outcome.slug(), expected);
            world.clock.advance(DAY);
        }
        let is_candidate = world.status().address.candidate.is_some();
        assert_eq!(is_candidate, outcome == "modified");
    }
}

#[tokio::test]
async fn a_title_and_link_that_two_feeds_have_show_neither_of_them() {
    let world = World::new().await;
    let moved = Answer::redirect(301, world.origin.url(NEW, "/feed"));
    world.origin.route(OLD, "/feed", [Answer::ok(rss(&[("a", "A")])), moved]);
    world.origin.route(OLD, "/sport", [Answer::ok(rss(&[("s", "S")]))]);
    let sport =
        continued("Site", "https://site.test/", ("t", "https://site.test/t", "Mon, 02 Jun"));
    world.origin.route(NEW, "/feed", [sport]);
    let urls = ["/feed", "/sport"].map(|path| world.origin.url(OLD, path));
    let engine = world.open(&urls).await;
    poll(&engine, FeedSelection::All).await;
    world.clock.advance(DAY);
    let polled = poll(&engine, FeedSelection::All).await;
    let outcomes: Vec<&str> = polled.iter().map(|one| one.outcome.slug()).collect();
    assert!(outcomes.contains(&"different_feed"), "{outcomes:?}");
}

#[tokio::test]
async fn a_temporary_redirect_is_never_adopted() {
    let world = World::new().await;
    world.origin.route(OLD, "/feed", [Answer::redirect(302, world.origin.url(NEW, "/feed"))]);
    world.origin.route(NEW, "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    for _ in 0..20 {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(DAY);
    }
    assert_eq!(world.status().address, newswire::model::Address::default());
}

#[tokio::test]
async fn a_parked_domain_is_not_adopted_and_brings_no_items() {
    let world = World::new().await;
    let parked = rss(&[("buy", "Buy this domain"), ("now", "Now")]);
    let parked = parked.replace("<title>Site</title>", "<title>Domains</title>");
    let good = Answer::ok(rss(&[("a", "A")]));
    world.origin.route(OLD, "/feed", [good, Answer::redirect(301, world.origin.url(NEW, "/"))]);
    world.origin.route(NEW, "/", [Answer::ok(parked)]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    for _ in 0..12 {
        world.clock.advance(DAY);
        assert_eq!(poll(&engine, FeedSelection::All).await[0].outcome.slug(), "different_feed");
    }
    assert_eq!(shown_as(&engine, "title"), ["A"]);
    let status = world.status();
    assert_eq!(status.address.effective, None);
    assert!(status.last_message.unwrap().contains("is a different feed"));
}

#[tokio::test]
async fn a_feed_that_is_gone_is_polled_once_a_week_and_keeps_its_items() {
    let world = World::new().await;
    world.origin.route(OLD, "/feed", [Answer::ok(rss(&[("a", "A")])), Answer::status(410)]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    let gone = poll(&engine, FeedSelection::All).await;
    assert_eq!((gone[0].outcome.slug(), gone[0].plan.reason.kind), ("gone", ReasonKind::Gone));
    let wait = gone[0].plan.at.duration_since(world.now()).as_secs();
    assert!((7 * 86_400..8 * 86_400).contains(&wait), "{wait}");
    assert_eq!(shown(&engine).len(), 1);
}

#[tokio::test]
async fn a_partial_document_adds_items_and_removes_none() {
    // RFC 3229: 226 IM Used.
    let world = World::new().await;
    let whole = Answer::ok(rss(&[("b", "B"), ("a", "A")])).with("ETag", "\"1\"");
    let mut part = Answer::status(226).with("IM", "feed").with("ETag", "\"2\"");
    if let Answer::Plain { body, .. } = &mut part {
        *body = rss(&[("c", "C")]).into_bytes();
    }
    world.origin.route(OLD, "/feed", [whole, part, Answer::status(304)]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    poll(&engine, FeedSelection::All).await;
    assert_eq!(world.origin.last().header("a-im"), None);
    let second = poll(&engine, FeedSelection::All).await;
    assert_eq!(world.origin.last().header("a-im"), Some("feed"));
    assert_eq!((second[0].outcome.slug(), second[0].recorded.new), ("modified", 1));
    assert_eq!(shown(&engine).len(), 3);
    poll(&engine, FeedSelection::All).await;
    assert_eq!(world.origin.last().header("if-none-match"), Some("\"2\""));
}

#[tokio::test]
async fn a_server_that_fails_on_conditions_gets_none_the_next_time() {
    let world = World::new().await;
    let good = || Answer::ok(rss(&[("a", "A")])).with("ETag", "\"1\"");
    let rejected = || Answer::status(412);
    world.origin.route(OLD, "/feed", [good(), rejected(), rejected(), rejected(), good()]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    let (etag, new_items) = (Some("\"1\""), Some("feed"));
    for (days, expected) in [
        (0_u32, (None, None)),
        (0, (etag, new_items)),
        // Not within a day of the first request.
        (0, (etag, None)),
        (0, (etag, None)),
        (1, (None, None)),
        (0, (etag, None)),
    ] {
        world.clock.advance(days * DAY);
        poll(&engine, FeedSelection::All).await;
        let last = world.origin.last();
        assert_eq!((last.header("if-none-match"), last.header("a-im")), expected);
    }
}

#[tokio::test]
async fn every_request_is_conditional_once_a_validator_is_known() {
    let world = World::new().await;
    let urls: Vec<_> = (0..12)
        .map(|n| {
            let host = format!("h{n}.test");
            let etag = format!("\"{n}\"");
            let good =
                || Answer::Tagged { etag: etag.clone(), body: rss(&[("a", "A")]).into_bytes() };
            // A third of the polls fail.
            let answers = (0..40)
                .map(|k| if n % 3 == 0 && k % 4 == 3 { Answer::status(503) } else { good() });
            world.origin.route(&host, "/feed", answers);
            world.origin.url(&host, "/feed")
        })
        .collect();
    let engine = world.open(&urls).await;
    for _ in 0..(7 * 6) {
        poll(&engine, FeedSelection::Due).await;
        world.clock.advance(4 * Duration::from_secs(3600));
    }
    // One that failed after a good answer is tried without conditions, at most once in eight days.
    let mut allowed: std::collections::HashMap<String, u32> =
        (0..12).map(|n| (format!("h{n}.test"), if n % 3 == 0 { 2 } else { 1 })).collect();
    let asked = world.origin.asked();
    for request in asked.iter().filter(|asked| asked.header("if-none-match").is_none()) {
        let left = allowed.get_mut(&request.host).unwrap();
        *left = left.checked_sub(1).unwrap_or_else(|| panic!("{request:?}"));
    }
    assert!(asked.len() > 300, "{} requests", asked.len());
    assert_eq!(shown(&engine).len(), 1, "one story of twelve feeds");
}

#[tokio::test]
async fn a_304_without_a_previous_document_is_a_failure() {
    let world = World::new().await;
    let third = "third.test";
    let to = |host: &str| Answer::redirect(302, world.origin.url(host, "/feed"));
    world.origin.route(OLD, "/feed", [to(NEW), to(third), to(third)]);
    world.origin.route(NEW, "/feed", [Answer::ok(rss(&[("a", "A")])).with("Last-Modified", "x")]);
    let newer = Answer::ok(rss(&[("b", "B"), ("a", "A")]));
    world.origin.route(third, "/feed", [Answer::status(304), newer]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    for _ in 0..3 {
        poll(&engine, FeedSelection::All).await;
    }
    assert_eq!(world.origin.last().header("if-modified-since"), None);
    assert_eq!(shown_as(&engine, "title"), ["B", "A"]);
}

#[tokio::test]
async fn being_offline_is_no_failure_of_a_feed() {
    let world = World::new().await;
    let down = |host: &str| {
        (host.to_owned(), Err(ResolveError::Failed(host.to_owned(), "refused".to_owned())))
    };
    let hosts: Vec<String> = (0..12).map(|n| format!("h{n}.test")).collect();
    let names = Names(hosts.iter().map(|host| down(host)).collect());
    let urls: Vec<_> = hosts.iter().map(|host| world.origin.url(host, "/")).collect();
    let engine = newswire::daemon::Engine::open(
        world.config(&urls),
        world.clock.clone(),
        std::sync::Arc::new(names),
    )
    .await
    .unwrap();
    for _ in 0..5 {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(Duration::from_secs(700));
    }
    let statuses = world.statuses();
    let penalised = statuses.iter().filter(|feed| feed.failures > 0).count();
    assert!(penalised <= 2, "{penalised} feeds were blamed before it was plain");
    let offline = statuses.iter().filter(|feed| feed.reason == ReasonKind::Offline).count();
    assert!(offline >= 10, "{offline}");
}

#[tokio::test]
async fn hints_in_the_document_delay_the_next_poll() {
    let world = World::new().await;
    let document = rss(&[("a", "A")]).replace("<link>https://site.test/</link>", "<ttl>300</ttl>");
    world.origin.route(OLD, "/feed", [Answer::ok(document)]);
    let engine = world.open(&[world.origin.url(OLD, "/feed")]).await;
    let polled = poll(&engine, FeedSelection::All).await;
    assert_eq!(polled[0].plan.reason.kind, ReasonKind::PublisherHint);
    assert!(polled[0].plan.at.duration_since(world.now()).as_secs() >= 5 * 3600);
}
