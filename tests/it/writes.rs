//! Every write to the database is a value: what was written, applied to an empty database, makes the same
//! database again.

use newswire::clock::Clock;
use newswire::daemon::FeedSelection;
use newswire::render::{Digest, DigestPeriod, Output};
use newswire::store::{OperatorDecision, Reader, Store, Write};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::papers::{AGENCY, again, all, one, rss, story};
use crate::support::world::{World, poll};

/// Every row of every table but the search index, whose segments depend on what shared a commit.
fn rows(database: &std::path::Path) -> Vec<(String, Vec<Vec<Value>>)> {
    let connection = Connection::open(database).unwrap();
    let mut names = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search%'
             ORDER BY name",
        )
        .unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
    let table = |name: String| {
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).map(|column| row.get::<_, Value>(column)).collect::<Result<Vec<_>, _>>()
        });
        let mut rows: Vec<Vec<Value>> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        rows.sort_by_cached_key(|row| format!("{row:?}"));
        (name, rows)
    };
    names.into_iter().map(table).collect()
}

/// What the search index finds.
fn found(database: &std::path::Path, words: &str) -> Vec<i64> {
    let hits =
        Reader::open(database).unwrap().read(|reader| reader.search(words, None, 100)).unwrap();
    hits.heads.iter().map(|head| head.key.0).collect()
}

/// The output with digests. The items are of the period that ended two hours ago.
fn daily(output: &Output) -> Output {
    let digest = Digest { every: DigestPeriod::Daily, hour: 10, excerpts: true };
    Output { id: "daily".to_owned(), digest: Some(digest), ..output.clone() }
}

/// Whether a write closes a period with stories.
fn closes(write: &Write) -> bool {
    matches!(write, Write::Digests(closed) if !closed.digests.is_empty())
}

#[tokio::test]
async fn the_log_of_all_writes_makes_the_same_database_again() {
    let world = World::new().await;
    let log = world.folder.path().join("writes.jsonl");
    let [a, b, c, d] = AGENCY;
    let urls = [
        one(&world, "gull.test", story("1", "Halcyon aground in fog", &[a, b, c])),
        one(&world, "pier.test", story("2", "Choir sings on stranded ferry", &[a, b, d])),
        one(&world, "tide.test", story("3", "Sandbank moved, ferry stuck", &[a, b, c, d])),
    ];
    let mut config = world.config(&urls);
    config.store.write_log = Some(log.clone());
    config.outputs.push(daily(&config.outputs[0]));
    let engine = world.open_with(config.clone()).await;
    all(&engine).await;
    // An item that is edited, one that is new, a feed that fails, a poll that brings nothing.
    let edited = [story("1", "Halcyon afloat again", &[b, c]), story("4", "Bread is dear", &[d])];
    world.origin.route("gull.test", "/feed", [rss(&edited)]);
    world.origin.route("pier.test", "/feed", [crate::support::origin::Answer::status(500)]);
    again(&world, &engine).await;
    drop(engine);
    // The operator's decision, and what follows from it.
    let store = Store::open_logged(&world.database(), world.clock.clone(), &log).unwrap();
    let item = store.reader().read(|reader| reader.find_items("1", None)).unwrap().remove(0).key;
    let decision = OperatorDecision::Split(item);
    store.write(Write::Decide { decision, at: world.now() }).await.unwrap();
    drop(store);
    let engine = world.open_with(config).await;
    poll(&engine, FeedSelection::Due).await;
    drop(engine);

    let text = std::fs::read_to_string(&log).unwrap();
    let writes: Vec<Write> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let kinds = |wanted: fn(&Write) -> bool| writes.iter().filter(|write| wanted(write)).count();
    assert!(kinds(|write| matches!(write, Write::Poll(_))) >= 6);
    assert_eq!(kinds(closes), 1);
    assert!(kinds(|write| matches!(write, Write::Matches(_))) >= 3);
    assert!(kinds(|write| matches!(write, Write::Publication { .. })) >= 2);
    let copy = world.folder.path().join("copy.db");
    let store = Store::open(&copy, Clock::manual(world.now())).unwrap();
    for write in writes {
        store.write(write).await.unwrap();
    }
    drop(store);
    let (before, after) = (rows(&world.database()), rows(&copy));
    assert!(before.iter().any(|(name, rows)| name == "item_match" && !rows.is_empty()));
    for (was, is) in before.iter().zip(&after) {
        assert_eq!(was, is);
    }
    for words in ["fog", "halcyon", "sandbank", "dear"] {
        assert_eq!(found(&world.database(), words), found(&copy, words), "{words}");
    }
    assert!(!found(&copy, "sandbank").is_empty());
}
