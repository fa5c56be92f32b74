//! What is past `retention` and `[dedupe] window` is nowhere any more: not in the database, on pages, in files.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use newswire::config::Config;
use newswire::daemon::{Engine, FeedSelection};
use newswire::outputs::Served;
use newswire::render::Coding;
use rusqlite::Connection;
use url::Url;

use crate::daemon::{Running, until};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss};
use crate::web::site::{Site, run};

/// A word of each old title and text.
const OLD: &str = "Zanzibar";
const DAY: std::time::Duration = HOUR.saturating_mul(24);

/// Files that show old texts at first: written first, later and last.
const FIRST_FILES: [&str; 3] = ["planet.atom", "planet/archive/2.json", "planet/index.html"];

/// Two feeds that report the same stories; archive pages of ten stories and a static site.
fn config(world: &World) -> Config {
    let mut config = world.config(&feeds(world));
    config.store.retention = DAY * 10;
    Arc::make_mut(&mut config.dedupe).window = DAY * 5;
    for subscription in &mut config.subscriptions {
        Arc::make_mut(&mut subscription.dedupe).window = DAY * 5;
    }
    (config.outputs[0].items, config.outputs[0].site) = (10, true);
    config
}

fn feeds(world: &World) -> [Url; 2] {
    ["a.test", "b.test"].map(|host| world.origin.url(host, "/feed"))
}

/// From now on both feeds show these items.
fn publish(world: &World, word: &str, numbers: std::ops::Range<usize>) {
    let items: Vec<(String, String)> =
        numbers.map(|n| (format!("n{n}"), format!("{word} {n}"))).collect();
    let items: Vec<(&str, &str)> = items.iter().map(|(a, b)| (&**a, &**b)).collect();
    for feed in feeds(world) {
        world.origin.route(feed.host_str().unwrap(), "/feed", [Answer::ok(rss(&items))]);
    }
}

/// Number of rows of each table that are about the first `newest` items.
fn rows(database: &Connection, newest: i64) -> [i64; 4] {
    [
        "body WHERE item_id",
        "fingerprint WHERE item_id",
        "search WHERE rowid",
        "pending WHERE item_id",
    ]
    .map(|rows| {
        let sql = format!("SELECT count(*) FROM {rows} <= ?1");
        database.query_row(&sql, [newest], |row| row.get(0)).unwrap()
    })
}

/// The files below a folder that show the word. A compressed copy has the bytes of the file beside it.
fn files_with(folder: &Path, word: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, word));
            continue;
        }
        // The daemon has renamed a temporary file meanwhile.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let name = path.to_str().unwrap();
        let coding =
            Coding::COMPRESSED.into_iter().find(|it| name.ends_with(&format!(".{}", it.suffix())));
        let shows = match coding {
            Some(coding) => {
                let plain = std::fs::read(path.with_extension("")).unwrap_or_default();
                !coding.decodes_to(&bytes, &plain)
            }
            None => String::from_utf8_lossy(&bytes).contains(word),
        };
        if shows {
            found.insert(name.to_owned());
        }
    }
    found
}

/// The pages and documents that lead from the start page, and those of them that show the word.
async fn pages_with(served: &Arc<Served>, word: &str) -> (usize, BTreeSet<String>) {
    const BASE: &str = "http://127.0.0.1:8420";
    let (site, base) = (Site::before(Arc::clone(served)).await, Url::parse(BASE).unwrap());
    let first =
        ["/", "/planet/", "/planet.atom", "/planet.rss", "/planet.json", "/planet/archive/1.json"];
    let mut waiting: VecDeque<String> = first.map(str::to_owned).into();
    let (mut seen, mut found) = (BTreeSet::from_iter(waiting.clone()), BTreeSet::new());
    while let Some(path) = waiting.pop_front() {
        let text = String::from_utf8_lossy(&site.get(&path, &[]).await.body).into_owned();
        if text.contains(word) {
            found.insert(path.clone());
        }
        let links = text.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        for (link, _) in links {
            let link = base.join(&path).unwrap().join(&link.replace("&amp;", "&")).unwrap();
            let local = link.as_str().strip_prefix(BASE).unwrap_or_default();
            let local = local.split('#').next().unwrap_or_default();
            if local.starts_with('/') && seen.insert(local.to_owned()) {
                waiting.push_back(local.to_owned());
            }
        }
    }
    (seen.len(), found)
}

/// Checks that the old texts are in each table, in files and on pages.
async fn check_shown(database: &Connection, www: &Path, served: &Arc<Served>) {
    let [bodies, fingerprints, words, _] = rows(database, i64::MAX);
    assert_eq!([bodies, fingerprints, words], [50; 3]);
    let files = files_with(www, OLD);
    for page in FIRST_FILES {
        assert!(files.contains(www.join(page).to_str().unwrap()), "{page}: {files:?}");
    }
    let (_, pages) = pages_with(served, OLD).await;
    assert!(pages.contains("/planet/") && pages.contains("/planet/archive/1.json"), "{pages:?}");
    assert!(pages.iter().any(|page| page.contains("/story/")), "{pages:?}");
}

/// Checks that nothing of the first 50 items is left, and that the later ones are there.
async fn check_gone(database: &Connection, www: &Path, served: &Arc<Served>) {
    assert_eq!(rows(database, 50), [0; 4]);
    assert!(rows(database, i64::MAX)[0] > 0);
    assert_eq!(files_with(www, OLD), BTreeSet::new());
    assert!(!files_with(www, "Lisbon").is_empty());
    let (number, pages) = pages_with(served, OLD).await;
    assert_eq!(pages, BTreeSet::new());
    assert!(number > 20, "{number} pages");
    assert!(!pages_with(served, "Lisbon").await.1.is_empty());
}

/// A world whose feeds show old texts, which are not polled yet.
async fn with_old_texts() -> (World, Engine, Connection) {
    let world = World::new().await;
    publish(&world, OLD, 0..25);
    let engine = world.open_with(config(&world)).await;
    let database = Connection::open(world.database()).unwrap();
    (world, engine, database)
}

#[test]
fn what_is_past_retention_leaves_tables_files_and_pages_under_poll() {
    run(async {
        let (world, engine, database) = with_old_texts().await;
        let www = world.folder.path().join("www");
        poll(&engine, FeedSelection::All).await;
        check_shown(&database, &www, engine.served()).await;
        world.clock.advance(DAY * 12);
        publish(&world, "Lisbon", 25..50);
        poll(&engine, FeedSelection::All).await;
        check_gone(&database, &www, engine.served()).await;
    });
}

#[test]
fn what_is_past_retention_leaves_tables_files_and_pages_in_the_daemon() {
    run(async {
        let (world, engine, database) = with_old_texts().await;
        let www = world.folder.path().join("www");
        let served = Arc::clone(engine.served());
        let running = Running::start(engine);
        let shown = || {
            let files = files_with(&www, OLD);
            let shows = |page: &&str| files.contains(www.join(page).to_str().unwrap());
            FIRST_FILES.iter().all(shows) && rows(&database, i64::MAX)[3] == 0
        };
        until(&world, "the items are published", shown).await;
        check_shown(&database, &www, &served).await;
        publish(&world, "Lisbon", 25..50);
        world.clock.advance(DAY * 12);
        let gone = || rows(&database, 50) == [0; 4] && files_with(&www, OLD).is_empty();
        until(&world, "the old texts are gone", gone).await;
        let come = || rows(&database, i64::MAX)[0] == 50 && rows(&database, i64::MAX)[3] == 0;
        until(&world, "the new items are stored", come).await;
        until(&world, "they are published", || !files_with(&www, "Lisbon 49").is_empty()).await;
        running.stop().await.unwrap();
        check_gone(&database, &www, &served).await;
    });
}
