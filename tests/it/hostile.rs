//! An origin that tries everything a server can ask for: waits in all spellings, odd validators, documents that
//! lead to each other. Passes of cron and a daemon ask it; its log shows when.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::fetch::ResolveError;
use newswire::model::Outcome;
use newswire::text::dates;
use url::Url;

use crate::support::origin::{Answer, Asked, Names, Origin};
use crate::support::process::Process;
use crate::support::world::{HOUR, World, rss};

const HOURS: u64 = 3600;

/// Time of each request since the start, by host.
type Log = Arc<Mutex<HashMap<String, Vec<Duration>>>>;

fn good() -> Answer {
    Answer::ok(rss(&[("a", "A")])).with("ETag", "\"1\"")
}

fn status(status: u16) -> Answer {
    match status {
        200 => good(),
        301..=308 => Answer::redirect(status, "/end"),
        other => Answer::status(other),
    }
}

/// The answers, one after another, and each request in the log.
fn logged(world: &World, log: &Log, host: &str, answers: Vec<Answer>) {
    let (clock, log) = (world.clock.clone(), Arc::clone(log));
    let answer = Answer::dynamic(move |asked| {
        let mut log = log.lock().unwrap();
        let times = log.entry(asked.host.clone()).or_default();
        times.push(clock.elapsed());
        answers[(times.len() - 1).min(answers.len() - 1)].clone()
    });
    world.origin.route(host, "/feed", [answer]);
    world.origin.route(host, "/end", [good()]);
}

async fn world() -> World {
    let mut world = World::new().await;
    world.origin = Origin::any_address().await;
    world.schedule.per_host = 1;
    world
}

/// Leads each host to an address that it has for itself.
fn names(urls: &[Url]) -> Arc<Names> {
    let host = |(n, url): (usize, &Url)| {
        let [.., high, low] = n.to_be_bytes();
        let address = std::net::Ipv4Addr::new(127, 1, high, low);
        (url.host_str().unwrap().to_owned(), Ok(vec![address.into()]))
    };
    Arc::new(Names(urls.iter().enumerate().map(host).collect()))
}

/// A quarter of an hour, for this number of hours.
fn quarters(hours: usize) -> impl Iterator<Item = Duration> {
    std::iter::repeat_n(HOUR / 4, hours * 4)
}

/// Responses that ask for six hours without a request.
fn six_hours(now: Timestamp) -> Vec<(&'static str, Answer)> {
    let (wait, later) = (6 * HOURS, now + SignedDuration::from_hours(6));
    let date = dates::http(later);
    let mut all = Vec::new();
    for code in [200, 301, 302, 303, 307, 308, 404, 410, 418, 429, 500, 503] {
        all.push(("Retry-After in seconds", status(code).with("Retry-After", wait)));
        all.push(("Retry-After as a date", status(code).with("Retry-After", &date)));
    }
    // RFC 9111 4: that of a redirect is not the freshness of its target.
    all.push(("max-age", good().with("Cache-Control", format!("max-age={wait}"))));
    all.push(("Expires", good().with("Expires", &date)));
    all.extend(by_fields(now));
    all
}

/// Successful responses and a 429, with each field that can ask for a wait.
fn by_fields(now: Timestamp) -> Vec<(&'static str, Answer)> {
    let (wait, later) = (6 * HOURS, now + SignedDuration::from_hours(6));
    let (epoch, skewed) = (later.as_second(), now - SignedDuration::from_hours(24 * 365));
    let limited = |name: &str, reset: i64| {
        good().with(&format!("{name}-Remaining"), 0).with(&format!("{name}-Reset"), reset)
    };
    let cached = |value: &str| good().with("Cache-Control", value);
    let folded = format!(
        "HTTP/1.1 200 OK\r\nCache-Control: public,\r\n max-age={wait}\r\nConnection: close\r\n\r\n{}",
        rss(&[("a", "A")])
    );
    vec![
        ("several", status(429).with("Retry-After", 60).with("Retry-After", wait)),
        ("joined", status(503).with("Retry-After", format!("60, {wait}"))),
        (
            "obsolete date",
            status(429).with("Retry-After", later.strftime("%A, %d-%b-%y %H:%M:%S GMT")),
        ),
        ("asctime", status(429).with("Retry-After", later.strftime("%a %b %e %H:%M:%S %Y"))),
        ("x-ratelimit, seconds", limited("X-RateLimit", 6 * 3600)),
        ("x-ratelimit, epoch", limited("X-RateLimit", epoch)),
        ("x-ratelimit, milliseconds", limited("X-RateLimit", epoch * 1000)),
        ("ratelimit", limited("RateLimit", 6 * 3600)),
        ("x-rate-limit", limited("X-Rate-Limit", epoch)),
        (
            "ratelimit, draft 7",
            good().with("RateLimit", format!("limit=9, remaining=0, reset={wait}")),
        ),
        ("ratelimit, draft 8", good().with("RateLimit", format!("\"default\";r=0;t={wait}"))),
        (
            "ratelimit, two policies",
            good()
                .with("RateLimit-Policy", "\"burst\";q=9;w=60, \"day\";q=99;w=86400")
                .with("RateLimit", format!("\"burst\";r=5;t=9, \"day\";r=0;t={wait}")),
        ),
        ("429 with a reset alone", status(429).with("X-RateLimit-Reset", epoch)),
        ("429 with ratelimit-reset alone", status(429).with("RateLimit-Reset", wait)),
        ("upper case", cached(&format!("Private, MAX-AGE={wait}"))),
        ("quoted", cached(&format!("max-age=\"{wait}\""))),
        ("age", cached(&format!("max-age={}", 8 * HOURS)).with("Age", 2 * HOURS)),
        ("twice", cached(&format!("max-age={wait}, max-age=0"))),
        ("no-cache of a field", cached(&format!("max-age={wait}, no-cache=\"Set-Cookie\""))),
        (
            "a clock that is a year behind",
            good()
                .with("Date", dates::http(skewed))
                .with("Expires", dates::http(skewed + SignedDuration::from_hours(6))),
        ),
        ("folded", Answer::Raw(folded.into_bytes())),
    ]
}

#[tokio::test]
async fn a_wait_is_kept_in_every_spelling_and_no_longer_than_needed() {
    for process in Process::ALL {
        keep_waits(process).await;
    }
}

async fn keep_waits(process: Process) {
    let (world, log) = (world().await, Log::default());
    let cases = six_hours(world.now());
    let mut urls = Vec::new();
    for (n, (_, answer)) in cases.iter().enumerate() {
        let host = format!("h{n}.test");
        logged(&world, &log, &host, vec![answer.clone(), good()]);
        urls.push(world.origin.url(&host, "/feed"));
    }
    process.run(&world, (&urls, &names(&urls)), quarters(9)).await;
    let log = log.lock().unwrap();
    for (n, (name, answer)) in cases.iter().enumerate() {
        let times = &log[&format!("h{n}.test")];
        let next = times.get(1).map(|next| *next - times[0]);
        let Answer::Plain { status: 410, .. } = answer else {
            let next = next.unwrap_or_else(|| panic!("{process:?}, {name} {n}: not asked again"));
            assert!(next >= 6 * HOUR, "{process:?}, {name} {n}: asked after {next:?}");
            assert!(next <= 8 * HOUR, "{process:?}, {name} {n}: asked only after {next:?}");
            continue;
        };
        assert_eq!(next, None, "gone: asked after {next:?}");
    }
}

#[tokio::test]
async fn nonsense_is_no_wait_and_no_wait_is_endless() {
    for process in Process::ALL {
        survive_nonsense(process).await;
    }
}

async fn survive_nonsense(process: Process) {
    let (world, log) = (world().await, Log::default());
    let answers = [
        good().with("Retry-After", "soon"),
        good().with("Retry-After", "-5"),
        good().with("Retry-After", "0"),
        good().with("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
        good().with("Cache-Control", "max-age=-1"),
        good().with("Cache-Control", "max-age=1e9"),
        good().with("Cache-Control", "no-store, max-age=99999"),
        good().with("Cache-Control", "s-maxage=99999"),
        good().with("Expires", "0"),
        good().with("Cache-Control", "max-age=99999").with("Age", 99_999),
        good().with("RateLimit", "\"default\";r=5;t=99999"),
        good().with("RateLimit-Policy", "\"default\";q=0;w=99999"),
        good().with("X-RateLimit-Remaining", 3).with("X-RateLimit-Reset", 99_999),
        Answer::status(304),
    ];
    let mut urls = Vec::new();
    for (n, answer) in answers.iter().enumerate() {
        let host = format!("h{n}.test");
        logged(&world, &log, &host, vec![good(), answer.clone(), good()]);
        urls.push(world.origin.url(&host, "/feed"));
    }
    let endless = "Retry-After: 99999999999999999999999";
    logged(
        &world,
        &log,
        "endless.test",
        vec![Answer::status(429).with("Retry-After", &endless[13..]), good()],
    );
    urls.push(world.origin.url("endless.test", "/feed"));
    let days = std::iter::repeat_n(24 * HOUR, 9);
    process.run(&world, (&urls, &names(&urls)), quarters(4).chain(days)).await;
    for (n, answer) in answers.iter().enumerate() {
        let times = log.lock().unwrap()[&format!("h{n}.test")].clone();
        let Answer::Plain { headers, .. } = answer else { panic!() };
        assert!(times.len() >= 3, "{process:?}, {headers:?}: asked at {times:?}");
    }
    assert!(log.lock().unwrap()["endless.test"].len() >= 2, "a server silenced its feed");
}

const TAGS: &[&str] = &[
    "\"a\"",
    "W/\"a\"",
    "a",
    "W/a",
    "\"\"",
    "\"a,b\"",
    "\"a b\"",
    "\"a\\\"b\"",
    "\"a-gzip\"",
    "\"a;br\"",
    "'a'",
    "W/\"W/\\\"a\\\"\"",
    "\"*\"",
    "0",
    "\"1234567890123456789012345678901234567890\"",
];

const DATES: &[&str] = &[
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "1994-11-06T08:49:37Z",
    "yesterday",
    "0",
    "Sun, 06 Nov 2094 08:49:37 GMT",
];

#[tokio::test]
async fn every_spelling_of_a_validator_comes_back_byte_for_byte() {
    for process in Process::ALL {
        return_validators(process).await;
    }
}

async fn return_validators(process: Process) {
    let world = world().await;
    let mut urls = Vec::new();
    let body = || Answer::ok(rss(&[("a", "A")]));
    let mut cases: Vec<(Option<&str>, Option<&str>)> = Vec::new();
    cases.extend(TAGS.iter().map(|tag| (Some(*tag), None)));
    cases.extend(DATES.iter().map(|date| (None, Some(*date))));
    cases.push((Some(TAGS[1]), Some(DATES[0])));
    for (n, (tag, date)) in cases.iter().enumerate() {
        let mut answer = body();
        if let Some(tag) = tag {
            answer = answer.with("ETag", tag);
        }
        if let Some(date) = date {
            answer = answer.with("Last-Modified", date);
        }
        let host = format!("h{n}.test");
        world.origin.route(&host, "/feed", [answer, Answer::status(304)]);
        urls.push(world.origin.url(&host, "/feed"));
    }
    process.run(&world, (&urls, &names(&urls)), quarters(3)).await;
    for (n, (tag, date)) in cases.iter().enumerate() {
        let host = format!("h{n}.test");
        let asked: Vec<Asked> =
            world.origin.asked().into_iter().filter(|asked| asked.host == host).collect();
        assert!(asked.len() >= 2, "{tag:?} {date:?}");
        for asked in &asked[1..] {
            assert_eq!(asked.header("if-none-match"), *tag, "{date:?}");
            assert_eq!(asked.header("if-modified-since"), *date, "{tag:?}");
        }
        assert_eq!(asked[0].header("if-none-match").or(asked[0].header("if-modified-since")), None);
    }
}

#[tokio::test]
async fn a_304_changes_the_lifetime_for_the_next_polls() {
    for process in Process::ALL {
        renew_lifetimes(process).await;
    }
}

async fn renew_lifetimes(process: Process) {
    let (world, log) = (world().await, Log::default());
    let fresh = |answer: Answer, hours: u64| {
        answer.with("Cache-Control", format!("max-age={}", hours * HOURS))
    };
    let not_modified = || Answer::status(304);
    let answers = vec![
        fresh(good(), 2),
        not_modified(),
        fresh(not_modified(), 5),
        not_modified(),
        not_modified().with("Cache-Control", "no-cache"),
        not_modified(),
    ];
    logged(&world, &log, "a.test", answers);
    let urls = [world.origin.url("a.test", "/feed")];
    process.run(&world, (&urls, &names(&urls)), quarters(24)).await;
    let times = log.lock().unwrap()["a.test"].clone();
    let gaps: Vec<u64> =
        times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs() / HOURS).collect();
    assert_eq!(gaps[..6], [2, 2, 5, 5, 1, 1], "{process:?}: hours between the requests");
}

#[tokio::test]
async fn feeds_that_differ_in_the_fragment_fetch_one_document() {
    for process in Process::ALL {
        share_document(process).await;
    }
}

async fn share_document(process: Process) {
    let (world, log) = (world().await, Log::default());
    logged(&world, &log, "a.test", vec![good()]);
    let urls = ["/feed", "/feed#one", "/feed#two"].map(|path| world.origin.url("a.test", path));
    process.run(&world, (&urls, &names(&urls)), quarters(12)).await;
    let requests = log.lock().unwrap()["a.test"].len();
    assert!((8..=12).contains(&requests), "{requests} requests in twelve hours");
    assert!(world.origin.asked().iter().all(|asked| asked.target == "/feed"));
    assert!(world.statuses().iter().all(|feed| feed.items == 1), "{:?}", world.statuses());
}

#[tokio::test]
async fn a_loop_of_redirects_is_asked_no_more_often_than_a_failing_feed() {
    for process in Process::ALL {
        follow_loop(process).await;
    }
}

async fn follow_loop(process: Process) {
    let (world, log) = (world().await, Log::default());
    let to = |host: &str| Answer::redirect(301, world.origin.url(host, "/feed"));
    logged(&world, &log, "a.test", vec![to("b.test")]);
    logged(&world, &log, "b.test", vec![to("a.test")]);
    let urls = [world.origin.url("a.test", "/feed")];
    process.run(&world, (&urls, &names(&urls)), quarters(48)).await;
    let log = log.lock().unwrap();
    for host in ["a.test", "b.test"] {
        assert!(log[host].len() <= 8, "{host}: {} requests in two days", log[host].len());
    }
    assert!(!world.status().last_outcome.is_some_and(Outcome::is_success));
}

#[tokio::test]
async fn every_kind_of_failure_is_asked_ever_more_rarely() {
    for process in Process::ALL {
        ask_failing(process).await;
    }
}

async fn ask_failing(process: Process) {
    let (world, log) = (world().await, Log::default());
    let codes = [400, 401, 403, 404, 406, 418, 429, 451, 500, 502, 503];
    let mut answers: Vec<Answer> = codes.into_iter().map(Answer::status).collect();
    answers.push(Answer::ok("<html><body>not a feed</body></html>"));
    answers.push(Answer::Raw(Vec::new()));
    let hosts: Vec<String> = (0..answers.len()).map(|n| format!("h{n}.test")).collect();
    for (host, answer) in hosts.iter().zip(answers) {
        logged(&world, &log, host, vec![answer]);
    }
    logged(&world, &log, "good.test", vec![good()]);
    let good = "good.test".to_owned();
    let urls: Vec<Url> =
        hosts.iter().chain([&good]).map(|host| world.origin.url(host, "/feed")).collect();
    process.run(&world, (&urls, &names(&urls)), quarters(48)).await;
    let log = log.lock().unwrap();
    for (n, host) in hosts.iter().enumerate() {
        let requests = log[host].len();
        assert!((4..=10).contains(&requests), "{n}: {requests} requests in two days");
    }
    assert!(log[&good].len() > 35);
}

#[tokio::test]
async fn hosts_that_cannot_be_reached_are_tried_ever_more_rarely() {
    for process in Process::ALL {
        reach_nothing(process).await;
    }
}

async fn reach_nothing(process: Process) {
    let world = world().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = Url::parse(&format!("http://refused.test:{}/", closed.port())).unwrap();
    let (unknown, reached) =
        (world.origin.url("unknown.test", "/"), world.origin.url("good.test", "/feed"));
    world.origin.route("good.test", "/feed", [good()]);
    let missing = Err(ResolveError::NotFound("unknown.test".to_owned()));
    let urls = [refused, unknown, reached];
    let names = Names::but("unknown.test", missing);
    process.run(&world, (&urls, &names), quarters(48)).await;
    for status in world.statuses() {
        let (url, failures) = (&status.info.url, status.failures);
        match url.contains("good.test") {
            true => assert_eq!(failures, 0, "{url}"),
            false => assert!((4..=10).contains(&failures), "{url}: {failures} failures"),
        }
    }
}
