//! Months of feeds, simulated twice from one seed: once undisturbed, and once with kills in the middle of a pass,
//! reloads of a daemon in the middle of its polls, restarts with the feeds in another order, clocks that jump and servers
//! that fail. Both publish the same.
//!
//! In the suite one seed over 14 days. By hand more of them, for example one year of 200 feeds:
//! `NEWSWIRE_SEEDS=1 NEWSWIRE_FEEDS=200 NEWSWIRE_DAYS=365 cargo test --release --test it year::`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use newswire::config::{Config, Loaded, Report};
use newswire::daemon::{self, Engine, Error, FeedSelection, Inputs, ListFollower, ReloadResult};
use newswire::poll::Trigger;
use newswire::store::OpenError;
use serde_json::Value;
use tokio::sync::oneshot;
use url::Url;

use crate::support::origin::Answer;
use crate::support::world::{HOUR, World};

const DAY: i64 = 86_400;
/// Items in a document.
const WINDOW: i64 = 12;
/// Days at the end in which nothing is disturbed and nothing new is published.
const QUIET: i64 = 4;
/// Feeds that print the same stories.
const PAPERS: usize = 3;

/// The size of a simulation.
#[derive(Clone, Copy)]
struct Size {
    feeds: usize,
    days: i64,
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

/// A number that depends on these numbers alone (the finalizer of splitmix64).
fn number(of: [u64; 4]) -> u64 {
    of.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Whether it happens: once in `n` cases.
fn once_in(n: u64, of: [u64; 4]) -> bool {
    number(of).is_multiple_of(n)
}

/// Words of a text, from a vocabulary in which few words are frequent.
fn words(seed: u64, text: u64, count: u64) -> Vec<String> {
    let word = |n| {
        let (a, b) = (number([seed, text, n, 1]) % 6_000, number([seed, text, n, 2]) % 6_000);
        let rank = a * b / 6_000;
        format!("{}{rank}", ["ta", "mo", "ri", "sel", "vund"][(rank % 5) as usize])
    };
    (0..count).map(word).collect()
}

/// A feed of the simulation. Its document depends on the seed and the day alone.
#[derive(Clone, Copy)]
struct Source {
    seed: u64,
    n: u64,
}

impl Source {
    fn is_paper(self) -> bool {
        self.n < PAPERS as u64
    }

    /// Days between two items.
    fn gap(self) -> i64 {
        if self.is_paper() { 1 } else { [1, 2, 3, 7][(self.n % 4) as usize] }
    }

    /// One item. `day` is the day of its publication, `age` its age in days.
    fn item(self, at: i64, day: i64, age: i64) -> String {
        let Self { seed, n } = self;
        let (story, title) = match self.is_paper() {
            true => (day as u64, format!("Story {day}")),
            false => (number([n, day as u64, 0, 0]), format!("Item {n} of {day}")),
        };
        let mut text = words(seed, story, 90);
        if self.is_paper() {
            // As papers print it: cut from the end, a word less here and there.
            text.truncate(90 - 8 * n as usize);
            text.remove(20 + 5 * n as usize);
        }
        if age >= 2 && once_in(4, [seed, n, day as u64, 3]) {
            text.insert(30, "corrected".to_owned());
        }
        let guid = match n % 5 {
            // No guid: the link identifies it.
            4 => String::new(),
            _ => format!("<guid isPermaLink=\"false\">{n}-{day}</guid>"),
        };
        let date = Timestamp::from_second(at + n as i64).unwrap();
        let printer = DateTimePrinter::new();
        let date = match n % 7 {
            // No date: the first poll that sees it gives it one.
            6 => String::new(),
            _ => format!(
                "<pubDate>{}</pubDate>",
                printer.timestamp_to_rfc9110_string(&date).unwrap()
            ),
        };
        format!(
            "<item>{guid}<title>{title}</title><link>https://h{n}.test/{day}</link>\
             <description>&lt;p&gt;{}&lt;/p&gt;</description>{date}</item>",
            text.join(" ")
        )
    }

    /// The document on a day, counted from the start; no item is published in the last days.
    fn document(self, start: i64, day: i64, last: i64) -> String {
        let gap = self.gap();
        let newest = day.min(last) / gap;
        let items: String = (0..WINDOW)
            .map(|back| newest - back)
            .filter(|number| *number >= 0)
            .map(|number| self.item(start + number * gap * DAY, number * gap, day - number * gap))
            .collect();
        format!(
            "<rss version=\"2.0\"><channel><title>Feed {}</title>{items}</channel></rss>",
            self.n
        )
    }

    /// How its server answers on a day. Nothing is disturbed in the last days.
    fn answer(self, start: i64, day: i64, last: i64) -> Answer {
        let body = self.document(start, day, last);
        let tagged =
            || Answer::Tagged { etag: format!("\"{day}\""), body: body.clone().into_bytes() };
        // A paper that fails for days brings its copy when the window of comparison is over.
        let most = if self.is_paper() { 40 } else { 20 };
        let quiet = day > last || self.is_paper() && day % 3 != 0;
        match number([self.seed, self.n, day as u64, 4]) % most {
            _ if quiet => tagged(),
            0 => Answer::status(503),
            1 => {
                let half = &body[..body.len() / 2];
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                Answer::Raw(format!("{head}{half}").into_bytes())
            }
            2 => Answer::Raw(Vec::new()),
            _ => tagged(),
        }
    }
}

/// What subscribers saw: the titles of every published id.
#[derive(Default)]
struct Seen {
    titles: BTreeMap<String, BTreeSet<String>>,
}

impl Seen {
    fn look(&mut self, file: &Path) {
        // A first pass whose clock has jumped publishes nothing.
        if self.titles.is_empty() && !file.exists() {
            return;
        }
        let feed: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for item in feed["items"].as_array().unwrap() {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            self.titles.entry(text("id")).or_default().insert(text("title"));
        }
    }

    /// The id of each title.
    fn ids(&self) -> BTreeMap<String, String> {
        let mut ids = BTreeMap::new();
        for (id, titles) in &self.titles {
            for title in titles {
                let other = ids.insert(title.clone(), id.clone());
                assert_eq!(other, None, "\"{title}\" was published twice");
            }
        }
        ids
    }
}

/// One world in which months pass.
struct Simulation {
    world: World,
    urls: Vec<Url>,
    seed: u64,
    size: Size,
    /// Day that the servers have.
    day: Arc<AtomicU64>,
    seen: Seen,
    kills: usize,
    reloads: usize,
    /// Requests, and titles and dates in the document, of each pass.
    trace: Vec<String>,
    traced: usize,
}

impl Simulation {
    async fn new(seed: u64, size: Size) -> Self {
        let world = World::new().await;
        let start = world.now().as_second();
        let day = Arc::new(AtomicU64::new(0));
        let last = size.days - QUIET;
        let urls = (0..size.feeds).map(|n| {
            let (source, day) = (Source { seed, n: n as u64 }, Arc::clone(&day));
            let answer =
                move |_: &_| source.answer(start, day.load(Ordering::Relaxed) as i64, last);
            world.origin.route(&format!("h{n}.test"), "/feed", [Answer::dynamic(answer)]);
            world.origin.url(&format!("h{n}.test"), "/feed")
        });
        let urls = urls.collect();
        Self {
            world,
            urls,
            seed,
            size,
            day,
            seen: Seen::default(),
            kills: 0,
            reloads: 0,
            trace: Vec::new(),
            traced: 0,
        }
    }

    fn config(&self, turn: u64) -> Config {
        let mut urls = self.urls.clone();
        urls.sort_by_key(|url| {
            number([
                self.seed,
                turn,
                url.as_str().len() as u64,
                u64::from(url.as_str().as_bytes()[8]),
            ])
        });
        if turn == 0 {
            urls.clone_from(&self.urls);
        }
        let mut config = self.world.config(&urls);
        // Of a few days, so that a story that comes too late to the documents is missed.
        config.outputs[0].items = 3 * self.size.feeds;
        config
    }

    /// The engine, as soon as the tasks of the one before have ended that a kill left behind.
    async fn open(&self, config: Config) -> Engine {
        for _ in 0..10_000 {
            let (clock, resolver) = (self.world.clock.clone(), self.world.origin.resolver());
            match Engine::open(config.clone(), clock, resolver).await {
                Err(Error::Open(OpenError::InUse { .. })) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                opened => return opened.unwrap(),
            }
        }
        panic!("seed {}: the database stays in use", self.seed);
    }

    /// One pass in its own process, as cron starts it: a change of the clock is noticed at the start.
    async fn pass(&mut self, config: Config) {
        let engine = self.open(config).await;
        daemon::pass(&engine, (&FeedSelection::Due, Trigger::Due), |_, _| ()).await.unwrap();
        let file = self.document();
        self.seen.look(&file);
        let asked = self.world.origin.asked();
        let mut requests: Vec<String> = asked[self.traced..]
            .iter()
            .map(|it| format!("{} {:?}", it.host, it.header("if-none-match")))
            .collect();
        // Polls of one pass run at the same time.
        requests.sort_unstable();
        self.traced = asked.len();
        let feed = std::fs::read(file).ok();
        let feed: Value = feed.map_or(Value::Null, |feed| serde_json::from_slice(&feed).unwrap());
        let items = feed["items"].as_array().cloned().unwrap_or_default();
        let items: Vec<String> = items
            .iter()
            .map(|item| format!("{} {}", item["title"], item["date_published"]))
            .collect();
        self.trace.push(format!("{}: {requests:?} {items:?}", self.world.now()));
    }

    /// A pass that is given up after some requests, or after some steps.
    async fn killed(&mut self, config: Config, chance: u64) {
        let engine = self.open(config).await;
        let due = (&FeedSelection::Due, Trigger::Due);
        let pass = daemon::pass(&engine, due, |_, _| ());
        let enough = self.world.origin.count() + (chance % self.size.feeds as u64) as usize;
        let steps = chance / 7 % 400;
        let killed = async {
            let mut after = 0;
            while after < steps {
                tokio::task::yield_now().await;
                after += u64::from(self.world.origin.count() >= enough);
            }
        };
        let mut ended = false;
        tokio::select! {
            biased;
            () = killed => {}
            done = pass => { done.unwrap(); ended = true; }
        }
        self.kills += usize::from(!ended);
    }

    /// The daemon polls what is due. Its config is reloaded twice meanwhile: without one feed, and with all of them.
    async fn reloaded(&mut self, chance: u64) {
        let config = self.config(chance);
        let engine = self.open(config.clone()).await;
        let clock = self.world.clock.clone();
        let follower = ListFollower::new(engine.gate().clone(), clock);
        let current = Arc::new(Mutex::new(config));
        let (shared, database) = (Arc::clone(&current), self.world.database());
        let (handle, commands) = daemon::handle(
            Arc::new(move || Loaded {
                config: Some(shared.lock().unwrap().clone()),
                report: Report::default(),
                database: database.clone(),
                listen: Vec::new(),
            }),
            None,
        );
        let inputs = Inputs { commands, sockets: Vec::new(), follower };
        let (stop, stopped) = oneshot::channel::<()>();
        let (begun, due) = (self.world.origin.count(), self.due() as u64);
        let stopped = async { drop(stopped.await) };
        let running = tokio::spawn(daemon::run_with(engine, inputs, stopped));
        let removed = (chance / 11) as usize % self.urls.len();
        // The feed that is left out is not polled between the reloads.
        let first = chance / 13 % due.max(1);
        let second = first + chance / 17 % due.saturating_sub(first).max(1);
        for (n, requests, without) in [(1, first, Some(removed)), (2, second, None)] {
            let enough = begun + requests as usize;
            self.until("enough is polled", |it| it.world.origin.count() >= enough).await;
            let mut config = self.config(chance + n);
            if let Some(without) = without {
                let url = &self.urls[without];
                config.subscriptions.retain(|subscription| subscription.feed.url != *url);
            }
            *current.lock().unwrap() = config;
            let result = handle.reload().await;
            assert!(matches!(result, ReloadResult::Applied { .. }), "{result:?}");
            self.reloads += 1;
            if let Some(without) = without {
                let site = format!("https://h{without}.test/");
                self.until("it is published without the feed", |it| !it.shows(&site)).await;
                self.seen.look(&self.document());
            }
        }
        self.until("everything is polled", |it| it.due() == 0).await;
        stop.send(()).unwrap();
        self.until("the daemon has stopped", |_| running.is_finished()).await;
        running.await.unwrap().unwrap();
    }

    /// Whether the document has an item of this site.
    fn shows(&self, site: &str) -> bool {
        let feed = std::fs::read(self.document()).unwrap_or_default();
        let feed: Value = serde_json::from_slice(&feed).unwrap_or_default();
        let items = feed["items"].as_array().cloned().unwrap_or_default();
        items.iter().any(|item| item["url"].as_str().is_some_and(|url| url.starts_with(site)))
    }

    fn document(&self) -> PathBuf {
        self.world.folder.path().join("www/planet.json")
    }

    /// Number of feeds that are due.
    fn due(&self) -> usize {
        let now = self.world.now();
        self.world.statuses().iter().filter(|feed| feed.next_poll_at <= now).count()
    }

    /// Runs the tasks and advances the clock until a condition is true.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..60_000 {
            if holds(self) {
                return;
            }
            // Sockets and the writer thread need real time.
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.world.clock.advance(Duration::from_millis(100));
        }
        panic!("seed {}: it never came about that {what}", self.seed);
    }

    /// Lets all days pass; `disturbed`: with kills, reloads, restarts and jumps of the clock.
    async fn run(&mut self, disturbed: bool) {
        self.run_with(disturbed, disturbed).await;
    }

    /// The same with or without kills and reloads, whose moments depend on the threads of this machine.
    async fn run_with(&mut self, disturbed: bool, kills: bool) {
        let last = self.size.days - QUIET;
        for day in 0..self.size.days {
            self.day.store(day as u64, Ordering::Relaxed);
            let seed = self.seed;
            let chance = |of| number([seed, day as u64, of, 5]);
            let disturbed = disturbed && day <= last;
            // Items of a first pass ever whose clock is wrong by days are too old for comparisons later.
            let jumps = disturbed && day > 0 && chance(3) % 9 == 0;
            if jumps {
                self.jump(chance(4)).await;
            }
            self.world.clock.advance(8 * HOUR);
            if disturbed && kills {
                match chance(0) % 3 {
                    // At the first request.
                    _ if day == 0 => self.killed(self.config(0), 1).await,
                    0 => self.killed(self.config(chance(1)), chance(2)).await,
                    // After a jump nothing is polled for ten minutes.
                    1 if !jumps => self.reloaded(chance(6)).await,
                    _ => {}
                }
            }
            let turn = if disturbed { chance(5) } else { 0 };
            self.pass(self.config(turn)).await;
            for _ in 0..2 {
                self.world.clock.advance(8 * HOUR);
                self.pass(self.config(turn)).await;
            }
        }
    }

    /// A pass with a wrong clock, which is set right afterwards.
    async fn jump(&mut self, chance: u64) {
        let (before, elapsed) = (self.world.now(), self.world.clock.elapsed());
        let by = Duration::from_secs(3600 * (chance % 400));
        let wrong = if (chance / 1000).is_multiple_of(2) { before + by } else { before - by };
        self.world.clock.set_wall(wrong);
        self.pass(self.config(0)).await;
        self.world.clock.set_wall(before + (self.world.clock.elapsed() - elapsed));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "a failure names the seed to repeat")]
async fn months_with_kills_reloads_jumps_and_failures_publish_what_quiet_months_do() {
    let seeds = from_environment("NEWSWIRE_SEEDS", 1);
    let first = from_environment("NEWSWIRE_FIRST_SEED", 1);
    let size = Size {
        feeds: from_environment("NEWSWIRE_FEEDS", 5) as usize,
        days: from_environment("NEWSWIRE_DAYS", 14) as i64,
    };
    let (mut kills, mut reloads) = (0, 0);
    for seed in first..first + seeds {
        let mut quiet = Simulation::new(seed, size).await;
        quiet.run(false).await;
        let mut disturbed = Simulation::new(seed, size).await;
        disturbed.run(true).await;
        let (wanted, ids) = (quiet.seen.ids(), disturbed.seen.ids());
        let mut out = std::io::stdout();
        let Simulation { kills: killed, reloads: reloaded, .. } = disturbed;
        let titles = wanted.len();
        writeln!(out, "seed {seed}: {titles} titles, {killed} kills, {reloaded} reloads").unwrap();
        let titles = |ids: &BTreeMap<String, String>| ids.keys().cloned().collect::<BTreeSet<_>>();
        let published = titles(&ids);
        let differ: Vec<String> =
            published.symmetric_difference(&titles(&wanted)).cloned().collect();
        assert!(differ.is_empty(), "seed {seed}: published in one of the two alone: {differ:?}");
        // A story has the id of the paper that was read first.
        let own = |ids: BTreeMap<String, String>| {
            ids.into_iter()
                .filter(|(title, _)| title.starts_with("Item"))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(own(ids), own(wanted), "seed {seed}");
        kills += killed;
        reloads += reloaded;
    }
    // Other seeds may have no reload.
    let enough = kills > 0 && (reloads > 0 || first > 1);
    assert!(enough, "{kills} passes were killed, {reloads} configs reloaded");
}

#[tokio::test]
async fn a_seed_run_twice_leaves_equal_traces() {
    let size = Size { feeds: 5, days: 12 };
    let mut traces = Vec::new();
    for _ in 0..2 {
        // Restarts with the feeds in another order, jumps of the clock and failures.
        let mut simulation = Simulation::new(3, size).await;
        // The order in which polls that run at the same time end is that of this machine.
        simulation.world.concurrency = 1;
        simulation.run_with(true, false).await;
        traces.push(simulation.trace);
    }
    let [first, second] = traces.try_into().unwrap();
    assert!(first.len() >= 36, "{} passes", first.len());
    let differ = first.iter().zip(&second).position(|(one, other)| one != other);
    assert_eq!(differ.map(|at| (&first[at], &second[at])), None);
    assert_eq!(first.len(), second.len());
}
