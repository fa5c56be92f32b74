//! A clock that is set while the machine runs, over passes of cron, each of which is another process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::daemon::FeedSelection;
use newswire::model::Outcome;
use rusqlite::Connection;
use url::Url;

use crate::daemon::Running;
use crate::support::origin::Answer;
use crate::support::process::{Process, elapse};
use crate::support::world::{HOUR, World, ends, rss};

fn good() -> Answer {
    Answer::ok(rss(&[("a", "A")]))
}

/// Sets the clock by this number of days.
fn set_by(world: &World, days: i64) {
    world.clock.set_wall(world.now() + SignedDuration::from_hours(24 * days));
}

/// Passes for this number of quarters of an hour. Returns the number of requests.
async fn passes(world: &World, urls: &[Url], quarters: u32) -> usize {
    let before = world.origin.count();
    for _ in 0..quarters {
        ends(&world.open(urls).await, FeedSelection::Due).await;
        world.clock.advance(HOUR / 4);
    }
    world.origin.count() - before
}

#[tokio::test]
async fn a_clock_that_is_ahead_at_the_start_of_a_process_breaks_no_promise() {
    let world = World::new().await;
    let held = Answer::status(429).with("Retry-After", 86_400);
    world.origin.route("a.test", "/feed", [held, good()]);
    let urls = [world.origin.url("a.test", "/feed")];
    assert_eq!(passes(&world, &urls, 4).await, 1);
    for days in [365, -365, -3650, 3650] {
        set_by(&world, days);
        assert_eq!(passes(&world, &urls, 20).await, 0, "set by {days} days");
    }
    // 21 hours have passed.
    assert!(passes(&world, &urls, 24).await > 0);
    assert!(world.status().last_outcome.is_some_and(Outcome::is_success));
}

/// A feed that records the monotonic time of each request.
fn recorded_feed(world: &World) -> ([Url; 1], Arc<Mutex<Vec<Duration>>>) {
    let (clock, times) = (world.clock.clone(), Arc::<Mutex<Vec<Duration>>>::default());
    let log = Arc::clone(&times);
    let answer = Answer::dynamic(move |_| {
        log.lock().unwrap().push(clock.elapsed());
        good()
    });
    world.origin.route("a.test", "/feed", [answer]);
    ([world.origin.url("a.test", "/feed")], times)
}

#[tokio::test]
async fn a_feed_is_polled_at_its_interval_whatever_the_clock_shows() {
    let world = World::new().await;
    let (urls, times) = recorded_feed(&world);
    for days in [365, -365, 1, -1, -3650] {
        passes(&world, &urls, 24).await;
        set_by(&world, days);
    }
    passes(&world, &urls, 24).await;
    let times = times.lock().unwrap();
    let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let usual = HOUR..=HOUR * 3 / 2;
    assert!(gaps.iter().all(|gap| usual.contains(gap)), "{gaps:?}");
    assert!(times.len() > 25, "{} requests in 36 hours", times.len());
}

/// Times of all requests in three hours, in which the clock is set by these milliseconds every minute. Cron has a pass in
/// each `every` minutes.
async fn polled_while(process: Process, every: u64, by: impl Fn(u64) -> i64) -> Vec<Duration> {
    let world = World::new().await;
    let (urls, times) = recorded_feed(&world);
    let running = match process {
        Process::Daemon => Some(Running::start(world.open(&urls).await)),
        Process::Cron => None,
    };
    for minute in 0..180 {
        let before = world.clock.elapsed();
        match process {
            Process::Daemon => elapse(&world, Duration::from_secs(20)).await,
            Process::Cron if minute % every == 0 => {
                ends(&world.open(&urls).await, FeedSelection::Due).await;
            }
            Process::Cron => {}
        }
        world.clock.advance(Duration::from_secs(60).saturating_sub(world.clock.elapsed() - before));
        world.clock.set_wall(world.now() + SignedDuration::from_millis(by(minute)));
    }
    if let Some(running) = running {
        running.stop().await.unwrap();
    }
    times.lock().unwrap().clone()
}

#[tokio::test]
async fn a_clock_that_is_set_every_minute_neither_repeats_nor_starves_a_feed() {
    const HOUR_MS: i64 = 3_600_000;
    let by = |name: &str, minute: u64| match name {
        "an hour back each minute" => -HOUR_MS,
        // A clock that keeps local time, over two changes of the season.
        "summer time" if minute == 40 => HOUR_MS,
        "summer time" if minute == 130 => -HOUR_MS,
        // A leap second, spread over a day and at once.
        "leap smear" if minute.is_multiple_of(2) => -1,
        "leap second" if minute == 60 => -1_000,
        _ => 0,
    };
    for process in Process::ALL {
        for name in ["an hour back each minute", "summer time", "leap smear", "leap second"] {
            // A clock that was set by more than an hour since the last pass is not used.
            let every = if name.starts_with("an hour") { 1 } else { 5 };
            let times = polled_while(process, every, |minute| by(name, minute)).await;
            let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            // The daemon takes the clock for wrong for minutes after each jump.
            let most = if name.starts_with("an hour") { HOUR * 9 / 4 } else { HOUR * 2 };
            let bar = HOUR / 2..=most;
            assert!(gaps.iter().all(|gap| bar.contains(gap)), "{process:?}, {name}: {gaps:?}");
            assert!(times.len() >= 2, "{process:?}, {name}: {times:?}");
        }
    }
}

#[tokio::test]
async fn the_holds_of_a_host_move_with_the_clock() {
    let world = World::new().await;
    let held = good().with("X-RateLimit-Remaining", "0").with("X-RateLimit-Reset", "80000");
    world.origin.route("a.test", "/1", [held]);
    world.origin.route("a.test", "/2", [good()]);
    let one = [world.origin.url("a.test", "/1")];
    passes(&world, &one, 1).await;
    set_by(&world, 365);
    // A feed that is added now is on the host that asked for a pause.
    let both = ["/1", "/2"].map(|path| world.origin.url("a.test", path));
    assert_eq!(passes(&world, &both, 8).await, 0);
}

/// The dates of all items.
fn dates(world: &World) -> Vec<Timestamp> {
    let database = Connection::open(world.database()).unwrap();
    let mut statement = database.prepare("SELECT first_seen_at, sort_at FROM item").unwrap();
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?])).unwrap();
    let rows: Vec<[i64; 2]> = rows.collect::<Result<_, _>>().unwrap();
    rows.into_iter().flatten().map(|at| Timestamp::from_millisecond(at).unwrap()).collect()
}

#[tokio::test]
async fn no_item_is_dated_by_a_clock_that_is_wrong_for_one_pass() {
    let world = World::new().await;
    world.origin.route("a.test", "/feed", [good(), Answer::ok(rss(&[("b", "B"), ("a", "A")]))]);
    let urls = [world.origin.url("a.test", "/feed")];
    assert_eq!(passes(&world, &urls, 8).await, 2);
    world.origin.route("a.test", "/feed", [Answer::ok(rss(&[("c", "C"), ("b", "B")]))]);
    for days in [500, -500, -20_000, 20_000] {
        set_by(&world, days);
        assert_eq!(passes(&world, &urls, 1).await, 0, "set by {days} days");
    }
    assert!(passes(&world, &urls, 8).await > 0);
    let (dates, day) = (dates(&world), SignedDuration::from_hours(24));
    assert_eq!(dates.len(), 6, "three items");
    assert!(dates.iter().all(|at| world.now().duration_since(*at).abs() < day), "{dates:?}");
}

#[tokio::test]
async fn a_clock_that_is_set_during_a_poll_does_not_date_its_items() {
    let world = World::new().await;
    let (clock, before) = (world.clock.clone(), world.now());
    let answer = Answer::dynamic(move |_| {
        clock.set_wall(clock.now() + SignedDuration::from_hours(24 * 500));
        good()
    });
    world.origin.route("a.test", "/feed", [answer]);
    let urls = [world.origin.url("a.test", "/feed")];
    assert_eq!(passes(&world, &urls, 1).await, 1);
    let (dates, day) = (dates(&world), SignedDuration::from_hours(24));
    assert!(dates.iter().all(|at| before.duration_since(*at).abs() < day), "{dates:?}");
    assert_eq!(dates.len(), 2);
}

#[tokio::test]
async fn a_clock_that_is_ahead_for_less_than_a_day_deletes_no_text() {
    let world = World::new().await;
    world.origin.route("a.test", "/feed", [good()]);
    let urls = [world.origin.url("a.test", "/feed")];
    let texts = || {
        let database = Connection::open(world.database()).unwrap();
        let count = database.query_row("SELECT count(*) FROM body", [], |row| row.get::<_, i64>(0));
        count.unwrap()
    };
    passes(&world, &urls, 4).await;
    // The feed shows nothing that would bring the text back.
    world.origin.route("a.test", "/feed", [Answer::ok(rss(&[]))]);
    set_by(&world, 500);
    for _ in 0..11 {
        passes(&world, &urls, 2).await;
        world.clock.advance(HOUR * 3 / 2);
        assert_eq!(texts(), 1);
    }
    set_by(&world, -500);
    passes(&world, &urls, 4).await;
    assert_eq!(texts(), 1);
    set_by(&world, 500);
    passes(&world, &urls, 2).await;
    world.clock.advance(HOUR * 24);
    passes(&world, &urls, 1).await;
    assert_eq!(texts(), 0, "a clock that stays ahead is believed");
}
