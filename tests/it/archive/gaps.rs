//! An archive page that is lost: its files with the database, its row alone, or the feed of its items.

use std::path::Path;

use newswire::cli::from_outputs;
use newswire::config::Config;
use newswire::outputs::differences;
use newswire::store::Reader;
use rusqlite::Connection;
use serde_json::Value;
use url::Url;

use super::{Library, notes, small, titles};
use crate::support::world::World;
use crate::web::site::{Site, run};

fn configured(world: &World, feeds: &[Url]) -> Config {
    let mut config = world.config(feeds);
    small(&mut config.outputs[0]);
    config
}

fn lose_the_database(world: &World) {
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("newswire.db") {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// Removes all documents of an archive page, the compressed ones included.
fn remove_page(archive: &Path, number: u32) {
    for entry in std::fs::read_dir(archive).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(&format!("{number}.")) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// What `newswire verify` finds.
fn found(world: &World, feeds: &[Url]) -> Vec<String> {
    let output = &configured(world, feeds).outputs[0];
    let reader = Reader::open(&world.database()).unwrap();
    reader.read(|reader| differences(reader, output)).unwrap()
}

#[test]
fn a_page_lost_with_the_database_is_empty_and_the_others_stay_linked() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..45)).await;
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        lose_the_database(&world);
        let archive = world.folder.path().join("www/planet/archive");
        remove_page(&archive, 2);
        let config = configured(&world, &feeds);
        let recovery = from_outputs::run(&config, &world.clock).await.unwrap();
        assert_eq!((recovery.pages, recovery.without_feed), (3, 0));
        assert_eq!(recovery.missing, [("planet".to_owned(), 2)]);
        let text = recovery.to_string();
        assert!(text.contains("the output planet lost archive page 2"), "{text}");
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        assert_eq!(found(&world, &feeds), Vec::<String>::new());
        let site = Site::before(engine.served().clone()).await;
        let library = Library { world, engine, site, feeds };
        let history = library.history("/planet.json").await;
        let sizes: Vec<usize> = history[1..].iter().map(|page| titles(page).len()).collect();
        assert_eq!(sizes, [10, 10, 0, 10]);
        for format in ["atom", "rss", "json"] {
            assert!(archive.join(format!("2.{format}")).exists(), "{format}");
        }
    });
}

#[test]
fn a_page_that_only_the_database_lost_is_found_and_read_back() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..45)).await;
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        let database = Connection::open(world.database()).unwrap();
        database.execute("DELETE FROM archive_page WHERE number = 2", []).unwrap();
        drop(database);
        let archive = world.folder.path().join("www/planet/archive");
        std::fs::remove_file(archive.join("2.json")).unwrap();
        let before = std::fs::read(archive.join("2.atom")).unwrap();
        let lacks = found(&world, &feeds);
        assert!(lacks.iter().any(|it| it.contains("archive page 2 is not in")), "{lacks:?}");
        // Ends, and keeps what is left of the page.
        let engine = world.open_with(configured(&world, &feeds)).await;
        engine.publish().await.unwrap();
        drop(engine);
        assert_eq!(std::fs::read(archive.join("2.atom")).unwrap(), before);
        let config = configured(&world, &feeds);
        let recovery = from_outputs::run(&config, &world.clock).await.unwrap();
        assert_eq!((recovery.items, recovery.pages, recovery.missing.len()), (0, 1, 0));
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        let page = std::fs::read(archive.join("2.json")).unwrap();
        assert_eq!(titles(&serde_json::from_slice::<Value>(&page).unwrap()).len(), 10);
        assert_eq!(found(&world, &feeds), Vec::<String>::new());
    });
}

#[test]
fn pages_of_feeds_that_are_not_configured_are_not_removed_after_a_restore() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(1, &notes(100..110)).await;
        library.arrive(0, &notes(0..25)).await;
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        lose_the_database(&world);
        let config = configured(&world, &feeds[..1]);
        let recovery = from_outputs::run(&config, &world.clock).await.unwrap();
        assert_eq!((recovery.without_feed, recovery.pages), (10, 3));
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        let archive = world.folder.path().join("www/planet/archive");
        for name in ["1.atom", "1.rss", "1.json", "2.json", "3.json"] {
            assert!(archive.join(name).exists(), "{name}");
        }
    });
}
