//! An output that is changed from stories to digests and back, and an archive page whose digests lose their texts.

use std::time::Duration;

use jiff::Timestamp;
use newswire::cli::from_outputs;
use newswire::outputs::{differences, published_documents};
use newswire::render::Output;
use newswire::store::Reader;

use super::Desk;

/// Small archive pages of stories.
fn stories(output: &mut Output) {
    (output.digest, output.items) = (None, 10);
}

impl Desk {
    /// The ids on each archive page in the directory, the oldest page first.
    fn pages(&self) -> Vec<Vec<String>> {
        let folder = self.www().join("planet/archive");
        let page = |number: usize| {
            let text = std::fs::read_to_string(folder.join(format!("{number}.json"))).ok()?;
            let page: serde_json::Value = serde_json::from_str(&text).unwrap();
            let items = page["items"].as_array().unwrap().iter();
            Some(items.map(|item| item["id"].as_str().unwrap().to_owned()).collect())
        };
        let pages: Vec<Vec<String>> = (1..).map_while(page).collect();
        let files = std::fs::read_dir(folder).map_or(0, Iterator::count);
        assert_eq!(files, 6 * pages.len(), "each in three formats, with compressed siblings");
        pages
    }

    /// How the files differ from the database.
    fn differences(&self, change: fn(&mut Output)) -> Vec<String> {
        let (reader, config) = (Reader::open(&self.world.database()).unwrap(), self.config(change));
        reader.read(|reader| differences(reader, &config.outputs[0])).unwrap()
    }

    /// The feed shows more stories of the first day, as many as two archive pages have and some more.
    fn write_stories(&self) {
        for n in 0..25 {
            self.write(&format!("story{n}"), &format!("2026-11-01T08:{n:02}:00Z"));
        }
    }
}

fn are_digests(page: &[String]) -> bool {
    page.iter().all(|id| id.starts_with("tag:"))
}

#[tokio::test]
async fn the_archive_of_the_other_kind_is_replaced_when_digest_changes() {
    let desk = Desk::at("2026-11-01T07:00:00Z").await;
    let engine = desk.open(stories).await;
    desk.write_stories();
    desk.pass(&engine, "2026-11-01T09:00:00Z").await;
    let of_stories = desk.pages();
    assert!(of_stories.len() == 2 && !are_digests(&of_stories[0]), "{of_stories:?}");
    drop(engine);
    let none: fn(&mut Output) = |_| {};
    let engine = desk.open(none).await;
    desk.pass(&engine, "2026-11-02T07:00:00Z").await;
    assert_eq!(desk.pages(), [] as [Vec<String>; 0]);
    assert_eq!(desk.differences(none), [] as [String; 0]);
    for day in 2..=12 {
        desk.forget();
        desk.write(&format!("day{day}"), &format!("2026-11-{day:02}T08:00:00Z"));
        desk.pass(&engine, &format!("2026-11-{:02}T07:00:00Z", day + 1)).await;
    }
    let of_digests = desk.pages();
    assert!(of_digests.len() == 1 && are_digests(&of_digests[0]), "{of_digests:?}");
    assert_eq!(desk.differences(none), [] as [String; 0]);
    drop(engine);
    // The archive of stories continues, with those that came meanwhile.
    let engine = desk.open(stories).await;
    desk.pass(&engine, "2026-11-13T08:00:00Z").await;
    let again = desk.pages();
    assert!(again.len() == 3 && again.starts_with(&of_stories), "{again:?}");
    assert!(!again.iter().any(|page| are_digests(page)), "{again:?}");
    assert!(desk.files()["planet.atom"].contains("planet/archive/3.atom"));
    assert_eq!(desk.differences(stories), [] as [String; 0]);
}

#[tokio::test]
async fn stories_of_an_output_that_has_digests_now_are_read_back_as_stories() {
    let desk = Desk::at("2026-11-01T07:00:00Z").await;
    let engine = desk.open(stories).await;
    desk.write_stories();
    desk.pass(&engine, "2026-11-01T09:00:00Z").await;
    drop(engine);
    desk.lose_the_database();
    let recovery = from_outputs::run(&desk.config(|_| {}), &desk.world.clock).await.unwrap();
    assert_eq!((recovery.items, recovery.digests, recovery.pages), (25, 0, 2));
    let engine = desk.open(|_| {}).await;
    desk.pass(&engine, "2026-11-01T10:00:00Z").await;
    desk.pass(&engine, "2026-11-02T07:00:00Z").await;
    let digests = desk.digests();
    assert!(digests.len() == 1 && digests[0].html.contains("story24"), "{digests:?}");
    assert_eq!(desk.differences(|_| {}), [] as [String; 0]);
}

#[tokio::test]
async fn the_archive_stays_until_the_other_kind_is_published() {
    let desk = Desk::at("2026-11-01T07:00:00Z").await;
    let engine = desk.open(stories).await;
    desk.write_stories();
    desk.pass(&engine, "2026-11-01T09:00:00Z").await;
    let of_stories = desk.pages();
    drop(engine);
    let engine = desk.open(|_| {}).await;
    // The document cannot be replaced.
    let document = desk.www().join("planet.json");
    std::fs::remove_file(&document).unwrap();
    std::fs::create_dir(&document).unwrap();
    engine.publish().await.unwrap_err();
    assert_eq!(desk.pages(), of_stories);
    std::fs::remove_dir(&document).unwrap();
    engine.publish().await.unwrap();
    assert_eq!(desk.pages(), [] as [Vec<String>; 0]);
}

#[tokio::test]
async fn archive_pages_that_the_database_does_not_know_are_kept() {
    let desk = Desk::at("2026-11-01T07:00:00Z").await;
    let engine = desk.open(stories).await;
    desk.write("first", "2026-11-01T07:30:00Z");
    desk.pass(&engine, "2026-11-01T08:00:00Z").await;
    drop(engine);
    let older = desk.world.folder.path().join("older.db");
    std::fs::copy(desk.world.database(), &older).unwrap();
    let engine = desk.open(stories).await;
    desk.write_stories();
    desk.pass(&engine, "2026-11-01T09:00:00Z").await;
    let of_stories = desk.pages();
    assert_eq!(of_stories.len(), 2);
    drop(engine);
    desk.lose_the_database();
    std::fs::copy(older, desk.world.database()).unwrap();
    let engine = desk.open(|_| {}).await;
    engine.publish().await.unwrap();
    assert_eq!(desk.pages(), of_stories);
    drop(engine);
    let recovery = from_outputs::run(&desk.config(|_| {}), &desk.world.clock).await.unwrap();
    assert_eq!((recovery.items + recovery.known, recovery.digests, recovery.pages), (20, 0, 2));
}

#[tokio::test]
async fn stories_with_ids_like_those_of_digests_are_read_back_as_stories() {
    let like_a_digest = |n: i64, source: &str| {
        let end: Timestamp = "2026-11-01T06:00:00Z".parse().unwrap();
        format!(
            "<item><guid isPermaLink=\"false\">tag:x.test,2026-11-01:y/{}</guid><title>x{n}</title>\
             <pubDate>Sun, 01 Nov 2026 08:50:0{n} GMT</pubDate><source url=\"{source}\">X</source></item>",
            end.as_second() + n
        )
    };
    for (others, root) in [(25, None), (0, Some("https://x.test/"))] {
        let desk = Desk::at("2026-11-01T07:00:00Z").await;
        let engine = desk.open(stories).await;
        if others > 0 {
            desk.write_stories();
        }
        let own = desk.config(stories).outputs[0].base_url.to_string();
        let source = format!("{}planet.atom", root.unwrap_or(&own));
        desk.items.lock().unwrap().extend((0..2).map(|n| like_a_digest(n, &source)));
        desk.route();
        desk.pass(&engine, "2026-11-01T09:00:00Z").await;
        let published = published_documents(&desk.config(stories).outputs[0]).unwrap().unwrap();
        assert!(published.digests.is_empty(), "{source}");
        assert_eq!(published.stories.ids().len(), others + 2, "{source}");
    }
}

#[tokio::test]
async fn an_archive_page_loses_a_digest_together_with_its_page() {
    let desk = Desk::at("2026-11-01T07:00:00Z").await;
    let open = || {
        let mut config = desk.config(|output| output.site = true);
        config.store.retention = Duration::from_secs(11 * 86_400);
        desk.world.open_with(config)
    };
    let mut engine = open().await;
    for day in 1..=12 {
        desk.forget();
        desk.write(&format!("day{day}"), &format!("2026-11-{day:02}T08:00:00Z"));
        desk.pass(&engine, &format!("2026-11-{:02}T07:00:00Z", day + 1)).await;
    }
    let ids: Vec<String> = desk.digests().into_iter().map(|digest| digest.id).collect();
    assert_eq!((ids.len(), desk.pages()[0].len()), (12, 10));
    for (lost, restarted) in [(3, false), (5, true)] {
        if restarted {
            drop(engine);
            engine = open().await;
        }
        // The text of the digest that was closed eleven days before is deleted, then the output is published.
        for hour in [8, 9] {
            desk.pass(&engine, &format!("2026-11-{:02}T{hour:02}:00:00Z", 12 + lost)).await;
        }
        let mut left = ids[lost..10].to_vec();
        left.reverse();
        assert_eq!(desk.pages(), [left]);
        let has_page =
            |number: usize| desk.www().join(format!("planet/story/{number}.html")).exists();
        assert!(!has_page(lost) && has_page(lost + 1));
    }
}
