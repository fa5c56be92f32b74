//! Outputs with digests: each period is closed once, with every story once, and never rewritten.

mod changed;
mod killed;
mod restored;
mod served;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use newswire::config::Config;
use newswire::daemon::{Engine, FeedSelection};
use newswire::parse::{Input, parse};
use newswire::render::{Digest, DigestPeriod, Format, Images, Output};
use newswire::store::{Reader, StoredDigest, Write};
use serde_json::Value;

use crate::daemon::{Running, until};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, shown};

const HOST: &str = "site.test";
const DAILY: Digest = Digest { every: DigestPeriod::Daily, hour: 6, excerpts: true };

/// A world with one feed whose items have dates.
struct Desk {
    world: World,
    items: Mutex<Vec<String>>,
}

impl Desk {
    async fn at(now: &str) -> Self {
        let world = World::new().await;
        world.clock.set_wall(now.parse().unwrap());
        let desk = Self { world, items: Mutex::default() };
        desk.route();
        desk
    }

    fn config(&self, change: impl FnOnce(&mut Output)) -> Config {
        let mut config = self.world.config(&[self.world.origin.url(HOST, "/feed")]);
        config.outputs[0].digest = Some(DAILY);
        config.outputs[0].items = Digest::ITEMS;
        change(&mut config.outputs[0]);
        config
    }

    async fn open(&self, change: impl FnOnce(&mut Output)) -> Engine {
        self.world.open_with(self.config(change)).await
    }

    /// The feed shows another story with this date.
    fn write(&self, title: &str, date: &str) {
        let at: Timestamp = date.parse().unwrap();
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let item = format!(
            "<item><guid isPermaLink=\"false\">{title}</guid><title>{title}</title><link>https://site.test/{title}?a&amp;b</link>\
             <description>&lt;p&gt;About {title}.&lt;img src=\"https://site.test/{title}.png\"&gt;&lt;/p&gt;</description>\
             <pubDate>{date}</pubDate></item>"
        );
        self.items.lock().unwrap().push(item);
        self.route();
    }

    /// The feed shows only what is written from now on.
    fn forget(&self) {
        self.items.lock().unwrap().clear();
        self.route();
    }

    fn route(&self) {
        let items = self.items.lock().unwrap().concat();
        let document = format!(
            "<rss version=\"2.0\"><channel><title>Site</title><link>https://site.test/</link>{items}</channel></rss>"
        );
        self.world.origin.route(HOST, "/feed", [Answer::ok(document)]);
    }

    /// Moves both clocks to this time and makes a pass.
    async fn pass(&self, engine: &Engine, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        let by = now.duration_since(self.world.now());
        self.world.clock.advance(Duration::try_from(by).unwrap());
        poll(engine, FeedSelection::All).await;
    }

    fn digests(&self) -> Vec<StoredDigest> {
        let reader = Reader::open(&self.world.database()).unwrap();
        let mut all = reader.read(|reader| reader.digests("planet", (0, u32::MAX), 1_000)).unwrap();
        all.reverse();
        all
    }

    /// End and titles of each digest, in the order in which they were closed.
    fn listed(&self) -> Vec<(String, String)> {
        let listed = |digest: StoredDigest| (digest.ends_at.to_string(), digest.summary);
        self.digests().into_iter().map(listed).collect()
    }

    fn www(&self) -> PathBuf {
        self.world.folder.path().join("www")
    }

    /// The documents as they are in the directory.
    fn files(&self) -> HashMap<String, String> {
        let read = |name: &str| std::fs::read_to_string(self.www().join(name)).unwrap();
        ["planet.atom", "planet.rss", "planet.json"].map(|n| (n.to_owned(), read(n))).into()
    }
}

fn pair(end: &str, titles: &str) -> (String, String) {
    (end.to_owned(), titles.to_owned())
}

#[tokio::test]
async fn a_period_is_closed_at_its_hour_with_its_stories() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk.open(|_| {}).await;
    desk.pass(&engine, "2026-11-24T07:00:00Z").await;
    assert_eq!(shown(&engine), [] as [Value; 0]);
    desk.write("early", "2026-11-24T08:00:00Z");
    desk.write("late", "2026-11-25T05:00:00Z");
    desk.pass(&engine, "2026-11-25T05:30:00Z").await;
    assert_eq!(desk.listed(), []);
    // Of the next period, though it is known when this one is closed.
    desk.write("next", "2026-11-25T06:10:00Z");
    desk.pass(&engine, "2026-11-25T07:00:00Z").await;
    assert_eq!(desk.listed(), [pair("2026-11-25T06:00:00Z", "late · early")]);
    desk.pass(&engine, "2026-11-26T07:00:00Z").await;
    let both = [pair("2026-11-25T06:00:00Z", "late · early"), pair("2026-11-26T06:00:00Z", "next")];
    assert_eq!(desk.listed(), both);
    // An empty period has no entry.
    desk.pass(&engine, "2026-11-27T07:00:00Z").await;
    assert_eq!(desk.listed(), both);
    let entries = shown(&engine);
    assert_eq!(entries[0]["title"], "Thursday, 26 November 2026");
    assert_eq!(entries[1]["title"], "Wednesday, 25 November 2026");
    assert_eq!(entries[1]["date_published"], "2026-11-25T06:00:00Z");
    let id = entries[0]["id"].as_str().unwrap();
    assert!(id.starts_with("tag:"), "{id}");
    let html = entries[1]["content_html"].as_str().unwrap();
    assert!(html.contains("<a href=\"https://site.test/late?a&amp;b\">late</a>"), "{html}");
    assert!(html.contains("About early.") && html.contains("<bdi>Site</bdi>"), "{html}");
    assert!(!html.contains("<img"), "images = \"link\" loads nothing: {html}");
}

#[tokio::test]
async fn a_digest_keeps_its_text_when_items_change_or_leave() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk.open(|_| {}).await;
    desk.write("first", "2026-11-24T08:00:00Z");
    desk.pass(&engine, "2026-11-24T09:00:00Z").await;
    desk.pass(&engine, "2026-11-25T07:00:00Z").await;
    let (stored, files) = (desk.digests(), desk.files());
    assert_eq!(stored.len(), 1);
    // Corrected, and then taken away by a filter.
    desk.forget();
    let corrected = "<rss version=\"2.0\"><channel><title>Site</title><item><guid isPermaLink=\"false\">first</guid>\
        <title>first, corrected</title><link>https://site.test/first?a&amp;b</link><description>Sorry</description></item></channel></rss>";
    desk.world.origin.route(HOST, "/feed", [Answer::ok(corrected)]);
    desk.pass(&engine, "2026-11-25T09:00:00Z").await;
    assert_eq!((desk.digests(), desk.files()), (stored.clone(), files.clone()));
    drop(engine);
    let exclude = newswire::model::Conditions {
        feeds: vec![desk.world.status().info.id.to_string()],
        ..newswire::model::Conditions::default()
    };
    let engine = desk.open(|output| output.filter.exclude = vec![exclude]).await;
    desk.pass(&engine, "2026-11-26T07:00:00Z").await;
    assert_eq!((desk.digests(), desk.files()), (stored, files));
}

#[tokio::test]
async fn a_late_story_is_in_the_next_digest_and_none_is_twice() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk.open(|_| {}).await;
    desk.write("history", "2026-11-20T07:00:00Z");
    desk.pass(&engine, "2026-11-24T07:00:00Z").await;
    desk.write("a", "2026-11-24T10:00:00Z");
    desk.pass(&engine, "2026-11-25T07:00:00Z").await;
    desk.write("late", "2026-11-24T12:00:00Z");
    desk.write("b", "2026-11-25T08:00:00Z");
    // The period that is closed already does not get it.
    desk.pass(&engine, "2026-11-25T09:00:00Z").await;
    assert_eq!(desk.listed(), [pair("2026-11-25T06:00:00Z", "a")]);
    desk.pass(&engine, "2026-11-26T07:00:00Z").await;
    desk.pass(&engine, "2026-11-26T09:00:00Z").await;
    assert_eq!(desk.listed()[1..], [pair("2026-11-26T06:00:00Z", "b · late")]);
    desk.pass(&engine, "2026-11-27T07:00:00Z").await;
    assert_eq!(desk.listed().len(), 2, "history of the feed is no news");
}

#[tokio::test]
async fn each_missed_period_with_stories_has_its_digest() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk.open(|_| {}).await;
    desk.pass(&engine, "2026-11-24T07:00:00Z").await;
    drop(engine);
    for (title, date) in [("a", "24T08"), ("b", "25T08"), ("d", "27T08"), ("e", "28T07")] {
        desk.write(title, &format!("2026-11-{date}:00:00Z"));
    }
    let engine = desk.open(|_| {}).await;
    desk.pass(&engine, "2026-11-28T08:00:00Z").await;
    let expected = [
        pair("2026-11-25T06:00:00Z", "a"),
        pair("2026-11-26T06:00:00Z", "b"),
        pair("2026-11-28T06:00:00Z", "d"),
    ];
    assert_eq!(desk.listed(), expected);
    let titles: Vec<Value> = shown(&engine).iter().map(|entry| entry["id"].clone()).collect();
    assert_eq!(titles.len(), 3);
}

#[tokio::test]
async fn each_day_is_closed_once_when_the_clocks_are_set() {
    for (zone, days, closed) in [
        // Summer time begins at 02:00 on 29 March, and ends at 03:00 on 25 October.
        ("Europe/Berlin", ["2026-03-28", "2026-03-31"], ["28T01", "29T01", "30T00", "31T00"]),
        ("Europe/Berlin", ["2026-10-24", "2026-10-27"], ["24T00", "25T00", "26T01", "27T01"]),
    ] {
        let [first, last] = days.map(|day| day.parse::<jiff::civil::Date>().unwrap());
        let begin = format!("{}T22:30:00Z", first.yesterday().unwrap());
        let desk = Desk::at(&begin).await;
        let engine = desk
            .open(|output| {
                output.digest = Some(Digest { hour: 2, ..DAILY });
                output.presentation.time_zone = Some(TimeZone::get(zone).unwrap());
            })
            .await;
        let mut now: Timestamp = begin.parse().unwrap();
        let end = format!("{last}T03:00:00Z").parse().unwrap();
        while now < end {
            desk.forget();
            desk.write(&format!("at{}", now.as_second()), &now.to_string());
            desk.pass(&engine, &(now + HOUR / 2).to_string()).await;
            now += HOUR;
        }
        let ends: Vec<String> =
            desk.digests().iter().map(|d| d.ends_at.strftime("%dT%H").to_string()).collect();
        assert_eq!(ends, closed, "{zone}");
        let stories: usize = desk.digests().iter().map(|digest| digest.items.len()).sum();
        let mut keys: Vec<_> = desk.digests().iter().flat_map(|d| d.items.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), stories, "no story is twice");
    }
}

#[tokio::test]
async fn a_corrected_clock_closes_no_period_twice() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk.open(|_| {}).await;
    desk.write("a", "2026-11-24T08:00:00Z");
    desk.pass(&engine, "2026-11-24T09:00:00Z").await;
    desk.pass(&engine, "2026-11-25T06:01:00Z").await;
    assert_eq!(desk.listed().len(), 1);
    // Set back over the end, and over it again.
    desk.world.clock.set_wall("2026-11-25T05:50:00Z".parse().unwrap());
    desk.write("b", "2026-11-25T05:40:00Z");
    desk.pass(&engine, "2026-11-25T05:55:00Z").await;
    desk.pass(&engine, "2026-11-25T06:05:00Z").await;
    assert_eq!(desk.listed().len(), 1);
    // A year ahead by mistake: what is known is closed there.
    desk.world.clock.set_wall("2027-11-25T07:00:00Z".parse().unwrap());
    desk.pass(&engine, "2027-11-25T09:30:00Z").await;
    let ahead = desk.listed();
    desk.world.clock.set_wall("2026-11-25T10:00:00Z".parse().unwrap());
    desk.pass(&engine, "2026-11-25T12:30:00Z").await;
    assert_eq!(desk.listed(), ahead);
    desk.write("c", "2026-11-26T05:00:00Z");
    desk.pass(&engine, "2026-11-26T07:00:00Z").await;
    desk.write("d", "2026-11-26T08:00:00Z");
    desk.pass(&engine, "2026-11-27T07:00:00Z").await;
    let ends: Vec<String> = desk.digests().iter().map(|d| d.ends_at.to_string()).collect();
    let mut once = ends.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ends.len(), "{ends:?}");
    let titles: Vec<String> = desk.listed().into_iter().map(|(_, titles)| titles).collect();
    let mut stories: Vec<&str> = titles.iter().flat_map(|titles| titles.split(" · ")).collect();
    stories.sort_unstable();
    assert_eq!(stories, ["a", "b", "c", "d"], "{titles:?}");
}

#[tokio::test]
async fn a_week_has_one_digest_with_both_dates_in_its_title() {
    let desk = Desk::at("2026-11-23T07:00:00Z").await;
    let engine = desk
        .open(|output| {
            output.digest = Some(Digest {
                every: DigestPeriod::Weekly(Weekday::Monday),
                hour: 0,
                excerpts: false,
            });
            output.presentation.language = Some("de".to_owned());
            output.presentation.time_zone = Some(TimeZone::get("Europe/Berlin").unwrap());
        })
        .await;
    desk.write("a", "2026-11-24T08:00:00Z");
    desk.pass(&engine, "2026-11-26T07:00:00Z").await;
    desk.write("b", "2026-11-29T22:59:00Z");
    desk.pass(&engine, "2026-11-29T23:05:00Z").await;
    assert_eq!(desk.listed(), [pair("2026-11-29T23:00:00Z", "b · a")]);
    let entry = &shown(&engine)[0];
    assert_eq!(entry["title"], "23. November 2026 – 29. November 2026");
    assert!(!entry["content_html"].as_str().unwrap().contains("About"), "{entry}");
}

#[tokio::test]
async fn a_digest_limits_each_feed_and_shows_pictures_where_pages_do() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk
        .open(|output| {
            output.per_feed = Some(2);
            output.presentation.images = Images::Direct;
        })
        .await;
    for hour in 8..12 {
        desk.write(&format!("h{hour}"), &format!("2026-11-24T{hour:02}:00:00Z"));
    }
    desk.pass(&engine, "2026-11-25T07:00:00Z").await;
    assert_eq!(desk.listed(), [pair("2026-11-25T06:00:00Z", "h11 · h10")]);
    let html = desk.digests()[0].html.clone();
    assert!(html.contains("<img src=\"https://site.test/h11.png\" alt=\"\">"), "{html}");
}

#[tokio::test]
async fn closing_is_stored_before_anything_is_published() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    desk.write("a", "2026-11-24T08:00:00Z");
    let log = desk.world.folder.path().join("writes.jsonl");
    let mut config = desk.config(|_| {});
    config.store.write_log = Some(log.clone());
    let engine = desk.world.open_with(config).await;
    desk.pass(&engine, "2026-11-24T09:00:00Z").await;
    // Nothing can be written: as if the process ended between closing and publication.
    std::fs::remove_dir_all(desk.www()).unwrap();
    std::fs::write(desk.www(), "in the way").unwrap();
    desk.pass_without_publication(&engine, "2026-11-25T07:00:00Z").await;
    let closed = desk.digests();
    assert_eq!(closed.len(), 1);
    drop(engine);
    std::fs::remove_file(desk.www()).unwrap();
    desk.write("b", "2026-11-24T10:00:00Z");
    let engine = desk.open(|_| {}).await;
    engine.publish().await.unwrap();
    desk.pass(&engine, "2026-11-25T09:00:00Z").await;
    assert_eq!(desk.digests(), closed);
    assert_eq!(shown(&engine)[0]["id"].as_str(), Some(&*closed[0].id));
    let atom = &desk.files()["planet.atom"];
    assert!(atom.contains(&closed[0].id));
    // In the log the closing is before the documents that show it.
    let text = std::fs::read_to_string(&log).unwrap();
    let writes: Vec<Write> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |wanted: &dyn Fn(&Write) -> bool| writes.iter().rposition(wanted).unwrap();
    let closing =
        at(&|write| matches!(write, Write::Digests(closed) if !closed.digests.is_empty()));
    let shown_at =
        at(&|write| matches!(write, Write::Publication { shown, .. } if shown.contains("tag:")));
    assert!(closing < shown_at, "{closing} {shown_at}");
}

impl Desk {
    /// A pass whose publication fails.
    async fn pass_without_publication(&self, engine: &Engine, now: &str) {
        let by = now.parse::<Timestamp>().unwrap().duration_since(self.world.now());
        self.world.clock.advance(Duration::try_from(by).unwrap());
        assert!(engine.publish().await.is_err());
    }
}

#[tokio::test]
async fn digests_read_back_in_every_format_and_on_archive_pages() {
    let desk = Desk::at("2026-10-01T07:00:00Z").await;
    let engine = desk.open(|output| output.items = 3).await;
    let mut now: Timestamp = "2026-10-01T07:00:00Z".parse().unwrap();
    for day in 0..25 {
        desk.forget();
        desk.write(&format!("day{day}"), &now.to_string());
        desk.pass(&engine, &(now + HOUR).to_string()).await;
        now += 24 * HOUR;
    }
    desk.pass(&engine, &now.to_string()).await;
    assert_eq!(desk.digests().len(), 25);
    let ids = |name: &str, format: Format| -> Vec<String> {
        let bytes = std::fs::read(desk.www().join(name)).unwrap();
        let input = Input {
            bytes: &bytes,
            content_type: Some(format.content_type()),
            url: &"https://e.org/".parse().unwrap(),
            max_items: 1_000,
        };
        let feed = parse(input).unwrap().feed;
        feed.items.into_iter().map(|item| item.id.unwrap()).collect()
    };
    let all: Vec<String> = desk.digests().into_iter().rev().map(|digest| digest.id).collect();
    for format in Format::ALL {
        let extension = format.extension();
        // All that are on no archive page yet, though items is 3.
        assert_eq!(ids(&format!("planet.{extension}"), *format), all[..5]);
        assert_eq!(ids(&format!("planet/archive/2.{extension}"), *format), all[5..15]);
        assert_eq!(ids(&format!("planet/archive/1.{extension}"), *format), all[15..]);
    }
    let atom = std::fs::read_to_string(desk.www().join("planet.atom")).unwrap();
    assert!(
        atom.contains("rel=\"prev-archive\" href=\"http://127.0.0.1:8420/planet/archive/2.atom\"")
    );
}

#[tokio::test]
async fn the_daemon_closes_a_period_ten_minutes_after_its_start_and_then_on_time() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    desk.write("a", "2026-11-24T08:00:00Z");
    let engine = desk.open(|_| {}).await;
    desk.pass(&engine, "2026-11-24T09:00:00Z").await;
    drop(engine);
    desk.write("b", "2026-11-25T03:00:00Z");
    desk.world.clock.advance(22 * HOUR);
    let started = desk.world.now();
    let running = Running::start(desk.open(|_| {}).await);
    until(&desk.world, "the feed is polled", || desk.world.origin.count() == 2).await;
    desk.world.clock.advance(Duration::from_secs(500));
    until(&desk.world, "the missed period is closed", || desk.digests().len() == 1).await;
    let waited = desk.digests()[0].closed_at.duration_since(started);
    assert!(waited.as_secs() >= 600, "{waited}");
    assert_eq!(desk.listed()[0].1, "b · a");
    desk.write("c", "2026-11-25T12:00:00Z");
    let wait =
        "2026-11-26T05:59:00Z".parse::<Timestamp>().unwrap().duration_since(desk.world.now());
    desk.world.clock.advance(Duration::try_from(wait).unwrap());
    until(&desk.world, "the next one is closed", || desk.digests().len() == 2).await;
    let late = desk.digests()[1].closed_at.duration_since("2026-11-26T06:00:00Z".parse().unwrap());
    assert!((0..120).contains(&late.as_secs()), "{late}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_static_site_has_a_page_for_each_digest_that_the_entries_link_to() {
    let desk = Desk::at("2026-11-24T07:00:00Z").await;
    let engine = desk.open(|output| output.site = true).await;
    desk.write("a", "2026-11-24T08:00:00Z");
    desk.pass(&engine, "2026-11-25T07:00:00Z").await;
    desk.write("b", "2026-11-25T08:00:00Z");
    desk.pass(&engine, "2026-11-26T07:00:00Z").await;
    let read = |name: &str| std::fs::read_to_string(desk.www().join(name)).unwrap();
    let index = read("planet/index.html");
    // The newest digest is there as a whole, the other one by its titles.
    assert!(index.contains("<a href=\"https://site.test/b?a&amp;b\">b</a>"), "{index}");
    assert!(!index.contains("https://site.test/a?") && index.contains("story/1.html"), "{index}");
    assert!(index.contains("About b.") && !index.contains("About a."), "{index}");
    let page = read("planet/story/1.html");
    assert!(page.contains("Wednesday, 25 November 2026") && page.contains("About a."), "{page}");
    assert!(!desk.www().join("planet/feed").exists());
    let url = shown(&engine)[0]["url"].as_str().unwrap().to_owned();
    assert_eq!(url, "http://127.0.0.1:8420/planet/story/2.html");
    assert_eq!(read("planet/2026-11.html").matches("<article").count(), 2);
}
