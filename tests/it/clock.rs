//! A clock that is set while the machine runs, over passes of cron, each of which is another process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use newswire::daemon::FeedSelection;
use newswire::model::Outcome;
use url::Url;

use crate::support::origin::Answer;
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

#[tokio::test]
async fn a_feed_is_polled_at_its_interval_whatever_the_clock_shows() {
    let world = World::new().await;
    let (clock, times) = (world.clock.clone(), Arc::<Mutex<Vec<Duration>>>::default());
    let log = Arc::clone(&times);
    let answer = Answer::dynamic(move |_| {
        log.lock().unwrap().push(clock.elapsed());
        good()
    });
    world.origin.route("a.test", "/feed", [answer]);
    let urls = [world.origin.url("a.test", "/feed")];
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
