//! `newswire restore --from-outputs` with digests: after the loss of the database none comes again or changes.

use newswire::cli::from_outputs;
use newswire::config::Config;
use newswire::outputs::differences;
use newswire::render::{Digest, Output};
use newswire::store::{Reader, StoredDigest};

use super::{DAILY, Desk};

/// An output with digests, and another one with the stories.
fn config(desk: &Desk, change: impl Fn(&mut Output)) -> Config {
    let mut config = desk.config(&change);
    let stories = Output { id: "all".to_owned(), digest: None, ..config.outputs[0].clone() };
    config.outputs.push(stories);
    config
}

impl Desk {
    pub(super) fn lose_the_database(&self) {
        for entry in std::fs::read_dir(self.world.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("newswire.db") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

/// What the documents show of the digests; the time of closing is not among it.
fn published(digests: Vec<StoredDigest>) -> Vec<(u32, String, String, String, String, String)> {
    let shown = |it: StoredDigest| {
        (it.number, it.id, it.ends_at.to_string(), it.title, it.summary, it.html)
    };
    digests.into_iter().map(shown).collect()
}

async fn lost_and_restored(change: impl Fn(&mut Output), with_stories: bool) {
    let desk = Desk::at("2026-11-01T07:00:00Z").await;
    let configured = || {
        let mut config = config(&desk, &change);
        config.outputs.truncate(if with_stories { 2 } else { 1 });
        config
    };
    let engine = desk.world.open_with(configured()).await;
    for day in 1..=12 {
        desk.forget();
        desk.write(&format!("day{day}"), &format!("2026-11-{day:02}T08:00:00Z"));
        desk.pass(&engine, &format!("2026-11-{:02}T07:00:00Z", day + 1)).await;
    }
    // Known, and in no digest yet.
    desk.write("waiting", "2026-11-13T06:30:00Z");
    desk.pass(&engine, "2026-11-13T09:00:00Z").await;
    let (digests, files) = (desk.digests(), desk.files());
    assert_eq!(digests.len(), 12);
    drop(engine);
    desk.lose_the_database();
    let recovery = from_outputs::run(&configured(), &desk.world.clock).await.unwrap();
    assert_eq!((recovery.digests, recovery.items), (12, if with_stories { 13 } else { 0 }));
    assert_eq!(published(desk.digests()), published(digests.clone()));
    let engine = desk.world.open_with(configured()).await;
    engine.publish().await.unwrap();
    for name in ["planet.atom", "planet.json"] {
        assert_eq!(desk.files()[name], files[name], "{name}");
    }
    let reader = Reader::open(&desk.world.database()).unwrap();
    let output = &configured().outputs[0];
    assert_eq!(reader.read(|reader| differences(reader, output)).unwrap(), Vec::<String>::new());
    // The feed still has everything, and nothing of it comes again.
    for day in 1..=12 {
        desk.write(&format!("day{day}"), &format!("2026-11-{day:02}T08:00:00Z"));
    }
    desk.pass(&engine, "2026-11-13T12:00:00Z").await;
    desk.pass(&engine, "2026-11-14T07:00:00Z").await;
    desk.pass(&engine, "2026-11-15T07:00:00Z").await;
    let after = desk.digests();
    assert_eq!(published(after[..12].to_vec()), published(digests));
    assert_eq!(after[12].summary, "waiting");
    assert_eq!((after[12].number, after.len()), (13, 13));
    // Once more: all is known.
    drop(engine);
    let again = from_outputs::run(&configured(), &desk.world.clock).await.unwrap();
    assert_eq!((again.digests, again.items), (0, 0));
    assert_eq!(desk.digests(), after);
}

#[tokio::test]
async fn digests_are_read_back_with_their_numbers_ids_and_texts() {
    lost_and_restored(|_| {}, true).await;
}

#[tokio::test]
async fn digests_are_read_back_where_no_other_output_has_their_stories() {
    lost_and_restored(|output| output.site = true, false).await;
}

#[tokio::test]
async fn digests_without_a_page_are_read_back_too() {
    lost_and_restored(|output| output.has_pages = false, true).await;
}

#[tokio::test]
async fn titles_without_excerpts_are_read_back_too() {
    let change = |output: &mut Output| output.digest = Some(Digest { excerpts: false, ..DAILY });
    lost_and_restored(change, true).await;
}
