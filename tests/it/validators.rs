//! Which validators are sent to servers that handle them well, badly, or not at all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::clock::Clock;
use newswire::daemon::{Engine, FeedSelection};
use newswire::model::FeedStatus;
use newswire::store::{Reader, ValidatorUse};
use url::Url;

use crate::support::origin::{Answer, Asked};
use crate::support::world::{HOUR, World, ends, poll};

const SITE: &str = "site.test";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Number of items that were published by now, one each `gap` hours.
fn published(clock: &Clock, gap: i64) -> i64 {
    clock.now().as_second() / (gap * 3600)
}

/// The document with the items up to the `last`.
fn document(last: i64, gap: i64) -> String {
    let item = |n: i64| {
        let at = Timestamp::from_second(n * gap * 3600).unwrap();
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!(
            "<item><guid isPermaLink=\"false\">{n}</guid><title>Item {n}</title>\
             <link>https://site.test/{n}</link><pubDate>{date}</pubDate></item>"
        )
    };
    let items: String = (last - 9..=last).rev().map(item).collect();
    format!(
        "<rss version=\"2.0\"><channel><title>Site</title><link>https://site.test/</link>{items}</channel></rss>"
    )
}

fn is_conditional(asked: &Asked) -> bool {
    asked.header("if-none-match").is_some() || asked.header("if-modified-since").is_some()
}

/// A server that handles entity tags as it should.
fn honest(clock: &Clock, gap: i64) -> Answer {
    let clock = clock.clone();
    Answer::dynamic(move |asked| {
        let last = published(&clock, gap);
        let etag = format!("\"{last}\"");
        if asked.header("if-none-match") == Some(&etag) {
            return Answer::status(304).with("ETag", etag);
        }
        Answer::ok(document(last, gap)).with("ETag", etag)
    })
}

/// One feed with this server.
async fn feed_with(answer: impl FnOnce(&Clock) -> Answer) -> World {
    let world = World::new().await;
    let answer = answer(&world.clock);
    world.origin.route(SITE, "/feed", [answer]);
    world
}

/// Number of items that came, after a pass.
async fn items(world: &World) -> u64 {
    pass(world).await;
    world.status().items
}

/// One pass of a process that ends, as with cron.
async fn pass(world: &World) -> Engine {
    let engine = world.open(&[world.origin.url(SITE, "/feed")]).await;
    poll(&engine, FeedSelection::Due).await;
    engine
}

/// Polls what is due every so often. Returns the times of the requests without validators, in hours.
async fn run(world: &World, step: Duration, steps: u32) -> Vec<i64> {
    let mut unconditional = Vec::new();
    for _ in 0..steps {
        let before = world.origin.count();
        pass(world).await;
        let hour = world.clock.elapsed().as_secs().cast_signed() / 3600;
        let asked = world.origin.asked().split_off(before);
        unconditional.extend(asked.iter().filter(|asked| !is_conditional(asked)).map(|_| hour));
        world.clock.advance(step);
    }
    unconditional
}

fn validator_use(world: &World) -> ValidatorUse {
    let reader = Reader::open(&world.database()).unwrap();
    let key = world.status().info.key;
    reader.read(|reader| reader.feed_state(key)).unwrap().trust.validator_use
}

fn shortest_rest(unconditional: &[i64]) -> Option<i64> {
    unconditional.windows(2).map(|pair| pair[1] - pair[0]).min()
}

#[tokio::test]
async fn an_honest_site_that_publishes_rarely_is_always_asked_with_validators() {
    let world = feed_with(|clock| honest(clock, 9 * 24)).await;
    let unconditional = run(&world, 6 * HOUR, 4 * 90).await;
    assert_eq!(unconditional, [0]);
    assert_eq!(validator_use(&world), ValidatorUse::Both);
    assert!(world.origin.count() > 90, "{} requests", world.origin.count());
}

#[tokio::test]
async fn an_honest_site_that_stops_is_tested_ever_more_rarely_and_not_accused() {
    let world = feed_with(|clock| {
        let (clock, end) = (clock.clone(), published(clock, 24) + 3);
        Answer::dynamic(move |asked| {
            let last = published(&clock, 24).min(end);
            let etag = format!("\"{last}\"");
            match asked.header("if-none-match") == Some(&etag) {
                true => Answer::status(304),
                false => Answer::ok(document(last, 24)).with("ETag", etag),
            }
        })
    })
    .await;
    let unconditional = run(&world, 6 * HOUR, 4 * 100).await;
    assert!((3..=5).contains(&unconditional.len()), "{unconditional:?}");
    assert!(shortest_rest(&unconditional).unwrap() >= 8 * 24, "{unconditional:?}");
    assert_eq!(validator_use(&world), ValidatorUse::Both);
}

#[tokio::test]
async fn a_pause_of_newswire_is_no_reason_to_distrust_a_server() {
    let world = feed_with(|clock| honest(clock, 24)).await;
    run(&world, 6 * HOUR, 8).await;
    world.clock.advance(9 * DAY);
    assert_eq!(run(&world, 6 * HOUR, 8).await, [] as [i64; 0]);
    assert_eq!(validator_use(&world), ValidatorUse::Both);
}

#[tokio::test]
async fn a_server_that_sends_only_new_items_is_not_distrusted() {
    // RFC 3229
    let world = feed_with(|clock| {
        let clock = clock.clone();
        Answer::dynamic(move |asked| {
            let last = published(&clock, 24);
            let etag = format!("\"{last}\"");
            let answer = match asked.header("if-none-match") {
                Some(known) if known == etag => Answer::status(304),
                Some(_) => {
                    let part = Answer::ok(document(last, 24)).with("IM", "feed");
                    let Answer::Plain { headers, body, .. } = part else { unreachable!() };
                    Answer::Plain { status: 226, headers, body }
                }
                None => Answer::ok(document(last, 24)),
            };
            answer.with("ETag", etag)
        })
    })
    .await;
    assert_eq!(run(&world, 6 * HOUR, 4 * 30).await, [0]);
    assert_eq!(validator_use(&world), ValidatorUse::Both);
}

#[tokio::test]
async fn a_lying_server_is_tested_daily_until_it_answers_a_condition_with_news() {
    // Its entity tag never changes, until it is repaired after 60 days.
    let world = feed_with(|clock| {
        let (clock, start) = (clock.clone(), clock.now());
        Answer::dynamic(move |asked| {
            let last = published(&clock, 24);
            let repaired = clock.now().duration_since(start) > SignedDuration::from_hours(60 * 24);
            let etag = if repaired { format!("\"{last}\"") } else { "\"x\"".to_owned() };
            match asked.header("if-none-match") == Some(&etag) {
                true => Answer::status(304),
                false => Answer::ok(document(last, 24)).with("ETag", etag),
            }
        })
    })
    .await;
    let unconditional = run(&world, 6 * HOUR, 4 * 50).await;
    let first_test = unconditional[1];
    assert!((8 * 24..16 * 24).contains(&first_test), "{unconditional:?}");
    assert_eq!(validator_use(&world), ValidatorUse::Unreliable);
    let daily = unconditional.len() as i64 - 2;
    let days = (50 * 24 - first_test) / 24;
    assert!((days - 3..=days).contains(&daily), "{daily} tests in {days} days");
    assert!(shortest_rest(&unconditional).unwrap() >= 24, "{unconditional:?}");
    run(&world, 6 * HOUR, 4 * 20).await;
    assert_eq!(validator_use(&world), ValidatorUse::Both);
    assert_eq!(run(&world, 6 * HOUR, 4 * 5).await, [] as [i64; 0]);
}

#[tokio::test]
async fn the_date_is_sent_alone_to_a_server_whose_entity_tag_never_matches() {
    // RFC 9110 13.1.3: If-Modified-Since is ignored beside If-None-Match.
    let world = feed_with(|clock| {
        let clock = clock.clone();
        Answer::dynamic(move |asked| {
            let last = published(&clock, 24 * 5);
            let date = format!("{last}");
            match (asked.header("if-none-match"), asked.header("if-modified-since")) {
                (None, Some(known)) if known == date => Answer::status(304),
                _ => Answer::ok(document(last, 24 * 5))
                    .with("ETag", format!("\"{last}-gzip\""))
                    .with("Last-Modified", date),
            }
        })
    })
    .await;
    run(&world, 6 * HOUR, 4 * 20).await;
    assert_eq!(validator_use(&world), ValidatorUse::DateAlone);
    let last = world.origin.last();
    assert_eq!(last.header("if-none-match"), None);
    assert!(last.header("if-modified-since").is_some());
    let asked = world.origin.asked();
    let with_tag = asked.iter().filter(|asked| asked.header("if-none-match").is_some()).count();
    assert_eq!(with_tag, 2, "of {}", asked.len());
    assert_eq!(world.status().items, 14);
}

#[tokio::test]
async fn a_cut_document_keeps_its_items_but_no_validators_and_no_hash() {
    let world = feed_with(|clock| {
        let (clock, cut) = (clock.clone(), AtomicBool::new(true));
        Answer::dynamic(move |asked| {
            let last = published(&clock, 24 * 365);
            if asked.header("if-none-match").is_some() {
                return Answer::status(304);
            }
            let whole = document(last, 24 * 365);
            let half = whole.find("<title>Item").map(|_| whole.len() / 2).unwrap_or_default();
            let body = match cut.swap(false, SeqCst) {
                true => whole[..half].to_owned(),
                false => whole,
            };
            Answer::ok(body).with("ETag", "\"1\"")
        })
    })
    .await;
    let salvaged = items(&world).await;
    assert!((3..=5).contains(&salvaged), "{salvaged}");
    assert_eq!(validator_use(&world), ValidatorUse::Cut);
    assert_eq!(run(&world, HOUR, 30).await, [2], "once more, and then with validators");
    assert_eq!(items(&world).await, 10);
    assert_eq!(validator_use(&world), ValidatorUse::Both);
}

#[tokio::test]
async fn a_body_that_ends_early_is_a_failure_whose_items_are_kept() {
    let whole = document(20_000 / 30, 24 * 30);
    let half = whole[..whole.len() / 2].to_owned();
    let raw =
        format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n{half}", whole.len());
    let world = feed_with(|_| Answer::Raw(raw.into_bytes())).await;
    let salvaged = items(&world).await;
    assert!((3..=6).contains(&salvaged), "{salvaged}");
    let outcome = world.status().last_outcome.unwrap();
    assert_eq!((outcome.slug(), world.status().failures), ("truncated", 1));
    world.clock.advance(HOUR);
    pass(&world).await;
    assert_eq!(world.origin.count(), 2);
    assert!(!is_conditional(&world.origin.last()));
}

/// A server that sends a document only to requests without validators.
fn rejecting(clock: &Clock, rejection: Answer) -> Answer {
    let clock = clock.clone();
    Answer::dynamic(move |asked| match is_conditional(asked) {
        true => rejection.clone(),
        false => Answer::ok(document(published(&clock, 24), 24)).with("ETag", "\"1\""),
    })
}

#[tokio::test]
async fn a_server_that_rejects_conditions_is_asked_without_them_once_a_day() {
    for status in [400, 412] {
        let world = feed_with(|clock| rejecting(clock, Answer::status(status))).await;
        let unconditional = run(&world, HOUR, 24 * 20).await;
        assert!(shortest_rest(&unconditional).unwrap() >= 24, "{unconditional:?}");
        assert!((16..=21).contains(&unconditional.len()), "{unconditional:?}");
        assert_eq!(validator_use(&world), ValidatorUse::Refused);
        // With A-IM, without it, and after the first request without validators; then once a week.
        assert!(world.origin.count() <= unconditional.len() + 3 + 2, "few conditional requests");
    }
}

#[tokio::test]
async fn whatever_fails_with_validators_is_tried_without_them_within_a_day() {
    let statuses = [
        204, 226, 401, 402, 403, 404, 405, 406, 408, 415, 416, 417, 418, 422, 428, 429, 431, 500,
        501, 503, 599, 999,
    ];
    let mut rejections: Vec<(String, Answer)> =
        statuses.map(|status| (format!("h{status}.test"), Answer::status(status))).into();
    rejections.push(("empty.test".to_owned(), Answer::ok("")));
    rejections.push(("closed.test".to_owned(), Answer::Raw(Vec::new())));
    for some in rejections.chunks(8) {
        reject_conditions(some).await;
    }
}

/// Polls what is due of these hosts each hour. Returns the hours of the requests without validators, by host.
async fn run_all(
    world: &World,
    hosts: &[String],
    hours: std::ops::Range<i64>,
) -> HashMap<String, Vec<i64>> {
    let urls: Vec<_> = hosts.iter().map(|host| world.origin.url(host, "/feed")).collect();
    let (mut unconditional, mut seen) = (HashMap::<String, Vec<i64>>::new(), world.origin.count());
    for hour in hours {
        // A process for each pass, as with cron: an engine that is used again polls what its last pass had.
        ends(&world.open(&urls).await, FeedSelection::Due).await;
        let asked = world.origin.asked().split_off(seen);
        seen += asked.len();
        for asked in asked.iter().filter(|asked| !is_conditional(asked)) {
            unconditional.entry(asked.host.clone()).or_default().push(hour);
        }
        world.clock.advance(HOUR);
    }
    unconditional
}

fn host_of(status: &FeedStatus) -> String {
    Url::parse(&status.info.url).unwrap().host_str().unwrap().to_owned()
}

/// The validator use of each host.
fn uses(world: &World) -> HashMap<String, ValidatorUse> {
    let reader = Reader::open(&world.database()).unwrap();
    let of = |status: FeedStatus| {
        let state = reader.read(|reader| reader.feed_state(status.info.key)).unwrap();
        (host_of(&status), state.trust.validator_use)
    };
    world.statuses().into_iter().map(of).collect()
}

/// A server that fails on this percentage of the requests of the first hours, whatever they are sent with.
fn unreliable(world: &World, seed: u64, percent: u64, hours: i64) -> Answer {
    let (clock, start, honest) = (world.clock.clone(), world.now(), honest(&world.clock, 6));
    let requests = AtomicU64::new(seed << 32);
    Answer::dynamic(move |_| {
        // splitmix64
        let n = requests.fetch_add(1, SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let fails = (n >> 33) % 100 < percent;
        match fails && clock.now().duration_since(start).as_hours() < hours {
            true => Answer::status(500),
            false => honest.clone(),
        }
    })
}

#[tokio::test]
async fn a_server_that_fails_often_is_not_taken_for_one_that_rejects_conditions() {
    let world = World::new().await;
    let mut hosts = Vec::new();
    for (percent, hours) in [(50, 28 * 24), (70, 28 * 24), (70, 8 * 24), (100, 8 * 24)] {
        for seed in 1..=2 {
            let host = format!("p{percent}-h{hours}-s{seed}.test");
            let server = unreliable(&world, seed, percent, hours);
            world.origin.route(&host, "/feed", [server]);
            hosts.push(host);
        }
    }
    let hours = run_all(&world, &hosts, 0..28 * 24).await;
    let uses = uses(&world);
    for host in hosts {
        let unconditional = hours.get(&host).map_or(&[][..], Vec::as_slice);
        // The first documents may need several requests.
        let known = unconditional.iter().filter(|hour| **hour >= 8 * 24).count();
        assert!(known <= if host.contains("-h672-") { 9 } else { 2 }, "{host}: {unconditional:?}");
        if !host.contains("-h672-") {
            assert_eq!(uses[&host], ValidatorUse::Both, "{host}");
        }
    }
}

#[tokio::test]
async fn a_server_that_no_longer_rejects_conditions_is_trusted_again_within_ten_days() {
    let world = World::new().await;
    let hosts = [400, 403, 412, 500].map(|status| format!("h{status}.test"));
    for (host, status) in hosts.iter().zip([400, 403, 412, 500]) {
        let (clock, start, honest) = (world.clock.clone(), world.now(), honest(&world.clock, 24));
        let server = Answer::dynamic(move |asked| {
            let day = clock.now().duration_since(start).as_hours() / 24;
            match is_conditional(asked) && (2..5).contains(&day) {
                true => Answer::status(status),
                false => honest.clone(),
            }
        });
        world.origin.route(host, "/feed", [server]);
    }
    run_all(&world, &hosts, 0..15 * 24).await;
    let later = run_all(&world, &hosts, 15 * 24..20 * 24).await;
    assert!(later.is_empty(), "{later:?}");
    assert!(uses(&world).values().all(|it| *it == ValidatorUse::Both));
}

#[tokio::test]
async fn a_server_that_rejects_conditions_is_read_daily_again_after_an_outage() {
    let world = World::new().await;
    let mut hosts = Vec::new();
    for (status, days) in [(403, 1), (412, 3), (500, 5)] {
        let rejecting = rejecting(&world.clock, Answer::status(status));
        let (clock, start) = (world.clock.clone(), world.now());
        let server = Answer::dynamic(move |_| {
            let day = clock.now().duration_since(start).as_hours() / 24;
            if (6..6 + days).contains(&day) { Answer::status(503) } else { rejecting.clone() }
        });
        let host = format!("d{days}.test");
        world.origin.route(&host, "/feed", [server]);
        hosts.push(host);
    }
    let hours = run_all(&world, &hosts, 0..30 * 24).await;
    let uses = uses(&world);
    for host in hosts {
        let unconditional = &hours[&host];
        assert!(shortest_rest(unconditional).unwrap() >= 24, "{host}: {unconditional:?}");
        let longest = unconditional.windows(2).map(|pair| pair[1] - pair[0]).max();
        // A back-off of a day, and a day until the next request without conditions.
        assert!(longest.unwrap() <= 3 * 24, "{host}: {unconditional:?}");
        assert_eq!(uses[&host], ValidatorUse::Refused, "{host}");
    }
}

/// Polls servers for five days that reject every request with validators in their ways.
async fn reject_conditions(rejections: &[(String, Answer)]) {
    let world = World::new().await;
    for (host, rejection) in rejections {
        world.origin.route(host, "/feed", [rejecting(&world.clock, rejection.clone())]);
    }
    let hosts: Vec<String> = rejections.iter().map(|(host, _)| host.clone()).collect();
    let hours = run_all(&world, &hosts, 0..5 * 24).await;
    let reader = Reader::open(&world.database()).unwrap();
    for status in world.statuses() {
        let host = host_of(&status);
        let unconditional = &hours[&host];
        assert!(shortest_rest(unconditional).unwrap() >= 24, "{host}: {unconditional:?}");
        // A throttled feed waits at least as long as its back-off.
        let latest = if host == "h429.test" { 48 } else { 26 };
        assert!(unconditional[1] <= latest, "{host}: {unconditional:?}");
        let state = reader.read(|reader| reader.feed_state(status.info.key)).unwrap();
        assert_eq!(state.trust.validator_use, ValidatorUse::Refused, "{host}");
        assert!(status.items > 11, "{host}: {} items", status.items);
    }
}

#[tokio::test]
async fn a_failure_after_an_outage_is_no_rejection_of_validators() {
    for status in [404, 429, 503] {
        let world = feed_with(|clock| {
            let honest = honest(clock, 24);
            let (complete, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
            Answer::dynamic(move |asked| match is_conditional(asked) {
                false => {
                    complete.fetch_add(1, SeqCst);
                    honest.clone()
                }
                // The outage ends when the request without validators is sent.
                true if complete.load(SeqCst) < 2 => Answer::status(503),
                true if !failed.swap(true, SeqCst) => Answer::status(status),
                true => honest.clone(),
            })
        })
        .await;
        let unconditional = run(&world, HOUR, 24 * 5).await;
        assert_eq!(unconditional.len(), 2, "{status}: {unconditional:?}");
        assert_eq!(validator_use(&world), ValidatorUse::Both, "{status}");
    }
}

#[tokio::test]
async fn new_items_are_requested_again_after_a_failure_that_is_about_the_feed() {
    for status in [401, 403, 404, 410] {
        let world = feed_with(|clock| {
            let (honest, failed) = (honest(clock, 24), AtomicBool::new(false));
            Answer::dynamic(move |asked| match is_conditional(asked) {
                true if !failed.swap(true, SeqCst) => Answer::status(status),
                _ => honest.clone(),
            })
        })
        .await;
        run(&world, HOUR, 24 * 4).await;
        let asked = world.origin.asked();
        let for_new_items = asked.iter().filter(|asked| asked.header("a-im").is_some()).count();
        assert_eq!(for_new_items, asked.len() - 1, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_fails_on_requests_for_new_items_is_asked_for_the_whole_feed() {
    // RFC 3229
    let part = || Answer::status(226);
    for (failure, most) in [
        (part(), 1),
        (part().with("IM", "vcdiff"), 1),
        (part().with("IM", "feed").with("Delta-Base", "\"0\""), 1),
        (Answer::status(400), 1),
        (Answer::status(406), 1),
        // It may have another reason, until the request without validators works.
        (Answer::status(501), 24),
    ] {
        let world = feed_with(|clock| {
            let honest = honest(clock, 24);
            Answer::dynamic(move |asked| match asked.header("a-im") {
                Some(_) => failure.clone(),
                None => honest.clone(),
            })
        })
        .await;
        let unconditional = run(&world, HOUR, 24 * 3).await;
        let asked = world.origin.asked();
        let for_new_items = asked.iter().filter(|asked| asked.header("a-im").is_some()).count();
        assert!((1..=most).contains(&for_new_items), "{for_new_items} of {}", asked.len());
        assert_eq!(unconditional.len(), if most == 1 { 1 } else { 2 }, "{unconditional:?}");
        assert_eq!(validator_use(&world), ValidatorUse::Both);
        assert!(is_conditional(&world.origin.last()));
        assert!(world.status().items >= 12, "{}", world.status().items);
    }
}

#[tokio::test]
async fn a_failure_after_a_good_answer_is_tried_without_conditions_once() {
    for status in [403, 503] {
        let world = feed_with(|clock| {
            let clock = clock.clone();
            let start = clock.now();
            Answer::dynamic(move |asked| {
                let hours = clock.now().duration_since(start).as_secs() / 3600;
                match asked.header("if-none-match") {
                    _ if hours >= 48 => Answer::status(status),
                    Some(_) => Answer::status(304),
                    None => Answer::ok(document(600, 24 * 30)).with("ETag", "\"1\""),
                }
            })
        })
        .await;
        let unconditional = run(&world, HOUR, 24 * 7).await;
        assert_eq!(unconditional.len(), 2, "{status}: {unconditional:?}");
        assert!(unconditional[1] >= 48, "{unconditional:?}");
        assert!(is_conditional(&world.origin.last()));
    }
}

#[tokio::test]
async fn a_failure_of_both_requests_proves_nothing_about_conditions() {
    // The server is down when the first or the second request without conditions is sent.
    let world = World::new().await;
    let mut hosts = Vec::new();
    let cases = [(403, 24..30), (412, 24..30), (403, 50..54), (500, 50..54), (500, 24..720)];
    for (rejection, down) in cases {
        let host = format!("h{rejection}-{}-{}.test", down.start, down.end);
        let rejecting = rejecting(&world.clock, Answer::status(rejection));
        let (clock, start) = (world.clock.clone(), world.now());
        let server = Answer::dynamic(move |asked| {
            let hour = clock.now().duration_since(start).as_hours();
            let is_down = down.contains(&hour) && !is_conditional(asked);
            if is_down { Answer::status(503) } else { rejecting.clone() }
        });
        world.origin.route(&host, "/feed", [server]);
        hosts.push(host);
    }
    let hours = run_all(&world, &hosts, 0..10 * 24).await;
    let uses = uses(&world);
    for host in &hosts {
        let unconditional = &hours[host];
        assert!(shortest_rest(unconditional).unwrap() >= 24, "{host}: {unconditional:?}");
        let longest = unconditional.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(longest <= 3 * 24, "{host}: {unconditional:?}");
        let is_refused = uses[host] == ValidatorUse::Refused;
        assert_eq!(is_refused, !host.ends_with("-720.test"), "{host}: {unconditional:?}");
        // By the back-off five on the first day, then one a day.
        let count = world.origin.asked().iter().filter(|asked| asked.host == *host).count();
        assert!(count <= 24, "{host}: {count} requests");
    }
}

#[tokio::test]
async fn a_feed_that_is_gone_is_polled_four_more_times() {
    let world = feed_with(|clock| {
        let (clock, start) = (clock.clone(), clock.now());
        Answer::dynamic(move |_| match clock.now() == start {
            true => Answer::ok(document(600, 24 * 30)),
            false => Answer::status(410),
        })
    })
    .await;
    run(&world, 24 * HOUR, 100).await;
    assert_eq!(world.origin.count(), 1 + 1 + 4);
    let mut config = world.config(&[world.origin.url(SITE, "/feed")]);
    config.subscriptions[0].feed.title = Some("Another title".to_owned());
    let engine = world.open_with(config).await;
    poll(&engine, FeedSelection::Due).await;
    drop(engine);
    assert_eq!(world.origin.count(), 7, "its [[feed]] has changed");
    assert_eq!(items(&world).await, 10);
}
