//! Four simulated days of cron with the real gate and a scripted origin: redirects to a hub, hosts at one address, a
//! list, rate limits, a clock that is set, an outage and processes that are killed. Every request is in the log of the
//! origin, and in that of the database's writes with its site.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use newswire::clock::Moment;
use newswire::config::Followed;
use newswire::daemon::{Engine, FeedSelection, FollowedLists, ListFollower, ListSelection};
use newswire::fetch::ResolveError;
use newswire::schedule::IntervalMode;
use newswire::store::{Usage, Write, usage};
use url::Url;

use crate::support::empty_folder;
use crate::support::origin::{Answer, Asked, Names, Origin};
use crate::support::process::driven;
use crate::support::world::{HOUR, World, ends, rss};

const DAY: Duration = Duration::from_secs(86_400);
const PASSES: u32 = 4 * 96;
const SHARED: [u8; 4] = [127, 2, 0, 1];
const SPACING: Duration = Duration::from_secs(2);

/// One request with its answer.
struct Request {
    at: Duration,
    key: String,
    is_conditional: bool,
    has_validator: bool,
    /// Time until which the server asked not to be asked: for the URL, or for its host.
    until: Duration,
}

type Log = Arc<Mutex<Vec<Request>>>;

/// A request as it was written before it was sent, with the monotonic time.
struct Written {
    at: Duration,
    url: String,
    host: String,
    address: String,
}

/// The answer to the nth request for a URL.
fn answer(asked: &Asked, nth: usize, hub: &Url) -> Answer {
    let full = || Answer::ok(rss(&[("b", "B"), ("a", "A")])).with("ETag", "\"1\"");
    let tagged = || match asked.header("if-none-match") {
        Some("\"1\"") => Answer::status(304).with("ETag", "\"1\""),
        _ => full(),
    };
    let host = asked.host.split('.').next().unwrap_or_default();
    match host.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "to" => Answer::redirect(302, hub),
        "throttles" if nth % 3 == 1 => Answer::status(429).with("Retry-After", 5 * 3600),
        "limits" => tagged().with("RateLimit", "\"all\";r=0;t=4000"),
        "fresh" => tagged().with("Cache-Control", "max-age=30000"),
        "breaks" if nth % 4 == 2 => Answer::status(503),
        "gone" => Answer::status(410),
        "lists" if asked.target.ends_with(".opml") => {
            Answer::status(429).with("Retry-After", 40_000)
        }
        "plain" | "shared" if nth > 30 => {
            Answer::ok(rss(&[("c", "C"), ("b", "B")])).with("ETag", "\"2\"")
        }
        _ => tagged(),
    }
}

/// How long the answer asks not to be asked.
fn asked_wait(answer: &Answer) -> u64 {
    let Answer::Plain { headers, .. } = answer else { return 0 };
    let waits = headers.iter().map(|(name, value)| match name.as_str() {
        "Retry-After" => value.parse().unwrap(),
        "Cache-Control" => value.trim_start_matches("max-age=").parse().unwrap(),
        "RateLimit" => 4000,
        _ => 0,
    });
    waits.max().unwrap_or_default()
}

struct Week {
    world: World,
    log: Log,
    written: Mutex<Vec<Written>>,
    urls: Vec<Url>,
    names: Arc<Names>,
    follower: FollowedLists,
    folder: tempfile::TempDir,
}

impl Week {
    async fn new() -> Self {
        let mut world = World::new().await;
        world.origin = Origin::any_address().await;
        world.schedule.per_host = 1;
        world.schedule.host_spacing = SPACING;
        world.schedule.interval_mode = IntervalMode::Auto;
        let (log, hub) = (Log::default(), world.origin.url("hub.test", "/feed"));
        let kinds = [
            ("to", 8),
            ("shared", 8),
            ("plain", 4),
            ("fresh", 2),
            ("breaks", 3),
            ("gone", 1),
            ("throttles", 2),
        ];
        let mut hosts: Vec<(String, &str)> = Vec::new();
        for (kind, count) in kinds {
            hosts.extend((0..count).map(|n| (format!("{kind}{n}.test"), "/feed")));
        }
        hosts.extend(["/1", "/2", "/3"].map(|path| ("limits.test".to_owned(), path)));
        hosts.extend(["/feed", "/feed#x"].map(|path| ("lists.test".to_owned(), path)));
        let urls = hosts.iter().map(|(host, path)| world.origin.url(host, path)).collect();
        hosts.extend([("hub.test".to_owned(), "/feed"), ("lists.test".to_owned(), "/x.opml")]);
        for (host, path) in &hosts {
            let path = path.split('#').next().unwrap();
            world.origin.route(host, path, [logged(&world, &log, &hub)]);
        }
        let address = |n: usize, host: &str| match host.starts_with("shared") {
            true => IpAddr::from(SHARED),
            false => IpAddr::from([127, 1, 0, u8::try_from(n).unwrap()]),
        };
        let names = hosts
            .iter()
            .enumerate()
            .map(|(n, (host, _))| (host.clone(), Ok(vec![address(n, host)])));
        let folder = empty_folder();
        let list = Followed::Web {
            url: world.origin.url("lists.test", "/x.opml"),
            interval: HOUR,
            copy: folder.path().join("x.opml"),
            is_known: true,
        };
        let follower = FollowedLists { lists: vec![list], fetch: world.fetch.clone() };
        let names = Arc::new(Names(names.collect()));
        let written = Mutex::default();
        Self { world, log, written, urls, names, follower, folder }
    }

    /// One process: the list, and the feeds that are due. A process that is killed ends with its first request.
    async fn pass(&self, names: Arc<Names>, is_killed: bool) {
        let mut config = self.world.config(&self.urls);
        let writes = self.folder.path().join("writes.jsonl");
        config.store.write_log = Some(writes.clone());
        let start = self.world.clock.moment();
        let engine = Engine::open(config, self.world.clock.clone(), names).await.unwrap();
        let follower = ListFollower::new(engine.gate().clone(), self.world.clock.clone());
        driven(&self.world, follower.fetch(&self.follower, ListSelection::Due)).await;
        let (before, logged) = (self.world.origin.count(), self.log.lock().unwrap().len());
        let first = async {
            while !is_killed || self.world.origin.count() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = driven(&self.world, ends(&engine, FeedSelection::Due)) => {}
            () = first, if is_killed => {}
        }
        drop((engine, follower));
        if is_killed {
            self.world.origin.is_left().await;
            // It has not read what these responses ask for.
            for request in &mut self.log.lock().unwrap()[logged..] {
                request.until = request.at;
            }
        }
        while matches!(usage(&self.world.database()), Usage::InUse) {
            tokio::task::yield_now().await;
        }
        self.take_written(&writes, start);
    }

    /// Moves the requests of one process from the log of its writes.
    fn take_written(&self, writes: &Path, start: Moment) {
        let text = std::fs::read_to_string(writes).unwrap();
        std::fs::remove_file(writes).unwrap();
        let lines = text.lines().filter(|line| line.starts_with("{\"Asked\""));
        let mut written = self.written.lock().unwrap();
        for line in lines {
            let Ok(Write::Asked(requests)) = serde_json::from_str(line) else { panic!("{line}") };
            written.extend(requests.into_iter().map(|asked| Written {
                at: start.elapsed + asked.at.duration_since(start.wall).unsigned_abs(),
                url: asked.url,
                host: asked.host,
                address: asked.address.unwrap(),
            }));
        }
    }

    async fn run(&self) {
        let down: HashMap<_, _> =
            self.names.0.keys().map(|host| (host.clone(), Err(failed(host)))).collect();
        let down = Arc::new(Names(down));
        for n in 0..PASSES {
            match n {
                100 => self.set_by(365),
                150 => self.set_by(-365),
                200 => self.set_by(-3650),
                210 => self.set_by(3650),
                _ => {}
            }
            let is_offline = (250..290).contains(&n);
            let names = if is_offline { &down } else { &self.names };
            self.pass(Arc::clone(names), n % 20 == 7).await;
            self.world.clock.advance(HOUR / 4);
            if n == 294 {
                self.check_outage();
            }
        }
    }

    fn set_by(&self, days: i64) {
        let clock = &self.world.clock;
        clock.set_wall(clock.now() + SignedDuration::from_hours(24 * days));
    }

    /// 75 minutes after the outage no feed waits because of it, and none was blamed for it.
    fn check_outage(&self) {
        for feed in self.world.statuses() {
            assert_ne!(feed.reason, newswire::model::ReasonKind::Offline, "{}", feed.info.url);
            let is_bad =
                ["gone", "breaks", "throttles"].iter().any(|kind| feed.info.url.contains(kind));
            let message = feed.last_message.as_deref().unwrap_or_default();
            assert!(is_bad || feed.failures == 0, "{} was blamed: {message}", feed.info.url);
        }
    }
}

fn failed(host: &str) -> ResolveError {
    ResolveError::Failed(host.to_owned(), "no route".to_owned())
}

/// A route that answers by host, and logs.
fn logged(world: &World, log: &Log, hub: &Url) -> Answer {
    let (clock, log, hub) = (world.clock.clone(), Arc::clone(log), hub.clone());
    Answer::dynamic(move |asked| {
        let mut log = log.lock().unwrap();
        let key = format!("{}{}", asked.host, asked.target);
        let nth = log.iter().filter(|request| request.key == key).count();
        let (answer, at) = (answer(asked, nth, &hub), clock.elapsed());
        let is_slow = ["shared", "hub", "limits"].iter().any(|kind| asked.host.starts_with(kind));
        log.push(Request {
            at,
            key,
            is_conditional: asked.header("if-none-match").is_some(),
            has_validator: matches!(&answer, Answer::Plain { headers, .. } if headers.iter().any(|(name, _)| name == "ETag")),
            until: at + Duration::from_secs(asked_wait(&answer)),
        });
        // Longer than the spacing, so that only the limit of requests at once keeps them apart.
        match is_slow {
            true => Answer::Slow(clock.clone(), SPACING + SPACING / 2, Box::new(answer)),
            false => answer,
        }
    })
}

#[tokio::test]
async fn days_of_cron_with_everything_keep_every_promise() {
    let week = Week::new().await;
    week.run().await;
    let log = week.log.lock().unwrap();
    let mut by_url: HashMap<&str, Vec<&Request>> = HashMap::new();
    for request in log.iter() {
        by_url.entry(&request.key).or_default().push(request);
    }
    let mut unconditional = 0;
    for (url, requests) in &by_url {
        for pair in requests.windows(2) {
            let (before, next) = (pair[0], pair[1]);
            assert!(
                next.at >= before.until,
                "{url}: asked before the end of a promise, at {:?}",
                next.at
            );
            // A process that was killed, and that read no document, knows no validator.
            unconditional += usize::from(before.has_validator && !next.is_conditional);
        }
        let most = if *url == "gone0.test/feed" { 1 } else { 4 * 30 };
        assert!(requests.len() <= most, "{url}: {} requests in four days", requests.len());
    }
    // The rate limit is the host's.
    let limits = log.iter().filter(|request| request.key.starts_with("limits")).collect::<Vec<_>>();
    for pair in limits.windows(2) {
        assert!(
            pair[1].at >= pair[0].until,
            "limits.test: asked before its reset, at {:?}",
            pair[1].at
        );
    }
    let polled =
        ["/1", "/2", "/3"].map(|path| by_url.contains_key(format!("limits.test{path}").as_str()));
    assert_eq!(polled, [true; 3], "a feed of the limited host was never polled");
    assert!(unconditional * 20 <= log.len(), "{unconditional} of {} requests", log.len());
    let lists = by_url["lists.test/x.opml"].len() as u64;
    assert!((5..=4 * DAY.as_secs() / 40_000 + 1).contains(&lists), "{lists} requests for the list");
    check_turns(&week);
    let written = week.written.lock().unwrap();
    for (url, requests) in &by_url {
        let known = written.iter().filter(|asked| asked.url.contains(&port_less(url, &week)));
        assert!(known.count() >= requests.len(), "{url}: a request was not written");
    }
}

/// The text that the URL of a request has after its scheme.
fn port_less(key: &str, week: &Week) -> String {
    let (host, path) = key.split_once('/').unwrap();
    format!("{host}:{}/{path}", week.world.origin.port())
}

/// All requests to a site, to an address and to a URL are apart, over all callers and processes. No more than allowed are open
/// at once, to a site and to an address.
fn check_turns(week: &Week) {
    let mut written = week.written.lock().unwrap();
    written.sort_by_key(|asked| asked.at);
    type Key = fn(&Written) -> &String;
    let by: [(Key, Duration); 3] = [
        (|asked| &asked.host, SPACING),
        (|asked| &asked.url, HOUR / 4),
        (|asked| &asked.address, SPACING / 10),
    ];
    for (key, least) in by {
        let mut last: HashMap<&String, Duration> = HashMap::new();
        for asked in written.iter() {
            let before = last.insert(key(asked), asked.at);
            let rest = before.map_or(Duration::MAX, |before| asked.at - before);
            assert!(rest >= least, "{}: {rest:?} after a request, at {:?}", key(asked), asked.at);
        }
    }
    let shared = written.iter().filter(|asked| asked.address == "127.2.0.1");
    let sites: HashSet<&String> = shared.map(|asked| &asked.host).collect();
    assert_eq!(sites.len(), 8, "sites at the shared address");
    let most = |place: &str| week.world.origin.most_at_once(place);
    for host in week.names.0.keys() {
        assert_eq!(most(host), 1, "{host}");
    }
    assert_eq!(most("127.2.0.1"), 2, "eight sites at one address");
}
