//! A damaged database: nothing altered is published, `newswire verify` finds it and `newswire repair` repairs it.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::backup::{other_program, pipe};
use crate::cli::{Finished, configured, newswire};
use crate::crash;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

const FEED: &str = "<rss version='2.0'><channel><title>T</title><link>https://site.test/</link>\
    <item><guid isPermaLink='false'>one</guid><title>First</title><description>The text of the first item.</description></item>\
    <item><title>Second</title><link>https://site.test/2</link><description>Another text.</description></item>\
    </channel></rss>";

/// A folder in which the feed was polled once.
fn polled(origin: &Origin) -> TempDir {
    origin.route("127.0.0.1", "/feed", std::iter::repeat_n(Answer::ok(FEED), 9));
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let first = run(folder.path(), &["poll"]);
    assert_eq!(first.code, 0, "{}", first.err);
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Finished {
    newswire(folder, &[arguments, &["--config", "newswire.toml"]].concat())
}

fn ids(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("www/planet.atom")).unwrap();
    text.split("<id>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

fn altered_is_not_published(folder: &Path) {
    std::fs::remove_dir_all(folder.join("www")).unwrap();
    let published = run(folder, &["poll"]);
    assert_eq!(published.code, 74, "{}", published.err);
    assert!(!published.err.contains("report"), "{}", published.err);
    assert!(published.err.contains("newswire verify"), "{}", published.err);
    assert!(!folder.join("www/planet.atom").exists());
}

fn repaired(folder: &Path) {
    let checked = run(folder, &["verify"]);
    assert_eq!(checked.code, 74, "{}", checked.out);
    assert!(checked.err.contains("newswire repair"), "{}", checked.err);
    assert!(!checked.err.contains("newswire verify"), "{}", checked.err);
    let repaired = run(folder, &["repair"]);
    assert_eq!(repaired.code, 0, "{}", repaired.err);
    assert!(
        repaired.out.contains("the previous file is newswire.db.damaged-1"),
        "{}",
        repaired.out
    );
    assert!(folder.join("newswire.db.damaged-1").exists());
    assert!(repaired.out.contains("  items"), "{}", repaired.out);
    let again = run(folder, &["poll", "--all", "--force"]);
    assert_eq!(again.code, 0, "{}", again.err);
    // The search index is made again.
    let database = Connection::open(folder.join("newswire.db")).unwrap();
    let sql = "SELECT count(*) FROM search WHERE search MATCH 'another OR text'";
    assert!(database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() > 0);
    drop(database);
    let checked = run(folder, &["verify"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_text_is_not_published_and_is_read_again_after_a_repair() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let before = ids(folder.path());
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    let changed = database
        .execute("UPDATE body SET content = replace(content, 'first', 'furst'), summary = replace(summary, 'first', 'furst')", [])
        .unwrap();
    assert_eq!(changed, 2);
    drop(database);
    altered_is_not_published(folder.path());
    repaired(folder.path());
    assert_eq!(ids(folder.path()), before);
    let text = std::fs::read_to_string(folder.path().join("www/planet.atom")).unwrap();
    assert!(
        text.contains("The text of the first item.") && text.contains("Another text."),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_rows_are_not_published_and_a_repair_keeps_the_ids() {
    for damage in [
        "UPDATE feed SET profile = replace(profile, 'site.test', 'sote.test')",
        "UPDATE feed SET title = 'Altered'",
        // One bit, which a repair finds.
        "UPDATE feed SET url = replace(url, '/feed', '/geed')",
        "UPDATE publication SET shown = replace(shown, 'urn:', 'urm:')",
        "UPDATE item SET updated_at = 1795600800000",
        "UPDATE archive_page SET items = '[2,1]'",
        "UPDATE archive_page SET last_item_id = 0",
        "UPDATE output SET id = replace(id, 'urn:', 'urm:') WHERE name = 'planet'",
        "UPDATE feed SET active = 0",
        "UPDATE feed SET guids_reused = 1",
        "DELETE FROM output WHERE name = 'planet'",
    ] {
        let origin = Origin::start().await;
        let folder = polled(&origin);
        let before = ids(folder.path());
        let document = std::fs::read(folder.path().join("www/planet.atom")).unwrap();
        let database = Connection::open(folder.path().join("newswire.db")).unwrap();
        database.execute_batch(damage).unwrap();
        drop(database);
        assert_eq!(run(folder.path(), &["verify"]).code, 74, "{damage}");
        altered_is_not_published(folder.path());
        // The documents from which the id of the output can be read back.
        std::fs::create_dir_all(folder.path().join("www")).unwrap();
        std::fs::write(folder.path().join("www/planet.atom"), document).unwrap();
        repaired(folder.path());
        assert_eq!(ids(folder.path()), before, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_state_of_a_feed_is_reset_and_the_feed_is_polled() {
    for damage in [
        "last_modified = CAST('Fri, 01 Jan 2100 00:00:00 GMT' AS BLOB), request_key = request_key || 'x'",
        "etag = CAST('\"other\"' AS BLOB)",
        "effective_url = replace(url, '/feed', '/other')",
        "next_poll_at = next_poll_at + (1 << 45)",
        "next_poll_at = next_poll_at + (1 << 45), plan_reason = 'gone'",
        "last_poll_at = last_poll_at + (1 << 45)",
        "last_success_at = NULL",
        "publisher_hints = '{', plan_inputs = '['",
    ] {
        let origin = Origin::start().await;
        let folder = polled(&origin);
        let folder = folder.path();
        let before = ids(folder);
        let database = Connection::open(folder.join("newswire.db")).unwrap();
        // Three hours later.
        let sql = format!(
            "UPDATE asked SET at = at - 10800000; UPDATE promise SET until = until - 10800000, at = at - 10800000;
             UPDATE feed SET {damage}"
        );
        database.execute_batch(&sql).unwrap();
        drop(database);
        let checked = run(folder, &["verify"]);
        assert_eq!(checked.code, 74, "{damage}: {}", checked.out);
        assert!(checked.out.contains("the state of feed"), "{damage}: {}", checked.out);
        let polled = run(folder, &["poll"]);
        assert_eq!(polled.code, 0, "{damage}: {}{}", polled.out, polled.err);
        assert_eq!(origin.count(), 2, "{damage}: {}", polled.out);
        let request = origin.last();
        assert_eq!(request.target, "/feed", "{damage}");
        for header in ["if-none-match", "if-modified-since"] {
            assert_eq!(request.header(header), None, "{damage}");
        }
        assert_eq!(ids(folder), before, "{damage}");
        let checked = run(folder, &["verify"]);
        assert_eq!(checked.code, 0, "{damage}: {}", checked.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_id_of_an_output_is_named_with_what_it_means() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let folder = folder.path();
    let database = Connection::open(folder.join("newswire.db")).unwrap();
    database.execute("DELETE FROM output WHERE name = 'planet'", []).unwrap();
    drop(database);
    altered_is_not_published(folder);
    let checked = run(folder, &["verify"]);
    assert!(checked.out.contains("the id of the output planet is lost"), "{}", checked.out);
    // Its Atom document, from which the id could be read back, is lost too.
    let repaired = run(folder, &["repair"]);
    assert_eq!(repaired.code, 0, "{}{}", repaired.out, repaired.err);
    let message = "the id of the output planet is lost, and no Atom document has it: feed readers take the output for \
                   another feed, unless a copy is restored with 'newswire restore FILE'\n";
    assert!(repaired.out.contains(message), "{}", repaired.out);
    let polled = run(folder, &["poll", "--all", "--force"]);
    assert_eq!(polled.code, 0, "{}{}", polled.out, polled.err);
    assert!(folder.join("www/planet.atom").exists());
    assert_eq!(run(folder, &["verify"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_date_of_a_document_is_not_published() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let folder = folder.path();
    let database = Connection::open(folder.join("newswire.db")).unwrap();
    let dates = "SELECT max(modified_at) < unixepoch() * 1000 + 60000 FROM document";
    let credible = || database.query_row(dates, [], |row| row.get::<_, bool>(0)).unwrap();
    database.execute("UPDATE document SET modified_at = modified_at + (1 << 45)", []).unwrap();
    assert!(!credible());
    assert_eq!(run(folder, &["verify"]).code, 74);
    std::fs::remove_dir_all(folder.join("www")).unwrap();
    let published = run(folder, &["poll"]);
    assert_eq!(published.code, 0, "{}", published.err);
    assert!(credible());
    assert_eq!(run(folder, &["verify"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_whose_identity_is_damaged_does_not_come_twice() {
    // Found as another item, and not found at all.
    for (damage, code) in [("SET item_id = 3 - item_id", 74), ("SET digest = zeroblob(16)", 0)] {
        let origin = Origin::start().await;
        let folder = polled(&origin);
        let folder = folder.path();
        let before = ids(folder);
        let database = Connection::open(folder.join("newswire.db")).unwrap();
        let sql = format!(
            "PRAGMA ignore_check_constraints = ON; UPDATE identity {damage} WHERE item_id = 1;
                           UPDATE feed SET etag = NULL, last_modified = NULL, body_hash = NULL"
        );
        database.execute_batch(&sql).unwrap();
        drop(database);
        assert_eq!(run(folder, &["verify"]).code, 74, "{damage}");
        let polled = run(folder, &["poll", "--all", "--force"]);
        assert_eq!(polled.code, code, "{damage}: {}{}", polled.out, polled.err);
        assert_eq!(ids(folder), before, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_definition_of_a_table_is_no_reason_to_report_a_bug() {
    for name in ["output", "item", "item_order"] {
        let origin = Origin::start().await;
        let folder = polled(&origin);
        let before = ids(folder.path());
        let database = Connection::open(folder.path().join("newswire.db")).unwrap();
        let damage = "UPDATE sqlite_schema SET sql = replace(replace(sql, 'since ', 'sinbe '), 'feed_id', 'feed_ie')
                      WHERE name = ";
        let sql = format!("PRAGMA writable_schema = ON; {damage}'{name}'");
        database.execute_batch(&sql).unwrap();
        drop(database);
        altered_is_not_published(folder.path());
        repaired(folder.path());
        assert_eq!(ids(folder.path()), before, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_altered_beside_a_daemon_is_found_by_the_next_process() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let folder = folder.path();
    let mut daemon = crash::start(folder);
    while !folder.join("newswire.sock").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let database = Connection::open(folder.join("newswire.db")).unwrap();
    let damage = "PRAGMA writable_schema = ON;
                  UPDATE sqlite_schema SET sql = replace(sql, 'page_owner', 'page_ownes') WHERE name = 'item'";
    database.execute_batch(damage).unwrap();
    drop(database);
    let (status, verify) = (run(folder, &["status"]), run(folder, &["verify"]));
    // The daemon continues with the definitions that it has read, until its end.
    let reload = run(folder, &["reload"]);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!(reload.code, 0, "{}", reload.err);
    assert_eq!(verify.code, 74, "{}{}", verify.out, verify.err);
    for run in [status, run(folder, &["run"])] {
        assert_eq!(run.code, 74, "{}{}", run.out, run.err);
        assert!(run.err.contains("the definition of item"), "{}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_differs_from_its_table_is_not_published() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let database = Connection::open(folder.path().join("newswire.db")).unwrap();
    // The index does not follow a change while the schema does not have it.
    let damage = "PRAGMA writable_schema = ON;
             CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'item_order';
             DELETE FROM sqlite_schema WHERE name = 'item_order';
             PRAGMA writable_schema = RESET;
             UPDATE item SET story_id = 1;
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema SELECT * FROM kept";
    database.execute_batch(damage).unwrap();
    drop(database);
    assert_eq!(run(folder.path(), &["verify"]).code, 74);
    altered_is_not_published(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_page_is_found_and_a_repair_keeps_the_ids() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let before = ids(folder.path());
    let path = folder.path().join("newswire.db");
    let database = Connection::open(&path).unwrap();
    let number =
        |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs();
    let page = number("SELECT rootpage FROM sqlite_schema WHERE name = 'body'");
    let size = number("PRAGMA page_size");
    drop(database);
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start((page - 1) * size)).unwrap();
    file.write_all(&[0x5a; 512]).unwrap();
    drop(file);
    altered_is_not_published(folder.path());
    repaired(folder.path());
    assert_eq!(ids(folder.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intact_database_has_no_problem() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let checked = run(folder.path(), &["verify"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(checked.out.contains("no damage found in 2 items and 2 texts\n"), "{}", checked.out);
    let before = std::fs::read(folder.path().join("newswire.db")).unwrap();
    for arguments in [&["repair"][..], &["repair", "newswire.db"]] {
        let repaired = run(folder.path(), arguments);
        assert_eq!(repaired.code, 0, "{}", repaired.err);
        assert!(repaired.out.contains("no damage found"), "{}", repaired.out);
    }
    assert_eq!(std::fs::read(folder.path().join("newswire.db")).unwrap(), before);
    assert!(!folder.path().join("newswire.db.damaged-1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_is_readable_by_its_owner_alone() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let mode = std::fs::metadata(folder.path().join("newswire.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_file_that_is_no_database_of_this_version_stays_as_it_is() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    assert_eq!(run(folder, &["backup", "newer.db"]).code, 0);
    Connection::open(at("newer.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    other_program(&at("places.sqlite"));
    std::fs::write(at("empty.db"), b"").unwrap();
    std::fs::write(at("text.db"), "no database\n".repeat(100)).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    pipe(&at("pipe"));
    let names = || {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    for (name, code, exit) in [
        ("missing.db", "no_file", 66),
        ("-", "no_file", 66),
        ("empty.db", "database_empty", 66),
        ("newer.db", "database_newer", 65),
        ("places.sqlite", "database_of_other_program", 65),
        ("text.db", "not_a_database", 65),
        ("folder", "not_a_file", 65),
        ("pipe", "not_a_file", 65),
    ] {
        let read = || if name == "pipe" { None } else { std::fs::read(at(name)).ok() };
        let bytes = read();
        for command in ["verify", "repair", "restore"] {
            let run = newswire(folder, &[command, name]);
            assert_eq!(run.code, exit, "{command} {name}: {}{}", run.out, run.err);
            assert!(run.err.contains(&format!("newswire explain {code}\n")), "{}", run.err);
            for wrong in ["[store]", "'newswire run'", "'newswire repair'", "'newswire verify'"] {
                assert!(!run.err.contains(wrong), "{command} {name}: {}", run.err);
            }
        }
        assert_eq!(read(), bytes, "{name}");
    }
    assert_eq!(names(), before, "no file is created beside them");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_checked_without_writing_to_its_folder() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let copies = folder.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    assert_eq!(run(folder.path(), &["backup", "copies/a.db"]).code, 0);
    std::fs::copy(folder.path().join("newswire.db"), copies.join("b.db")).unwrap();
    for name in ["copies/a.db", "copies/b.db"] {
        for command in ["verify", "repair", "restore"] {
            let run = newswire(folder.path(), &[command, name]);
            assert_eq!(run.code, 0, "{command} {name}: {}", run.err);
        }
    }
    assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lost_any_table_is_repaired_once() {
    let origin = Origin::start().await;
    let folder = polled(&origin);
    let folder = folder.path();
    let database = Connection::open(folder.join("newswire.db")).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search%'";
    let mut statement = database.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| row.get(0)).unwrap();
    let tables: Vec<String> = tables.map(Result::unwrap).collect();
    drop(statement);
    drop(database);
    assert!(tables.len() > 20 && tables.contains(&"item".to_owned()), "{tables:?}");
    for table in tables.iter().filter(|table| *table != "feed") {
        let _ = std::fs::remove_file(folder.join("lost.db"));
        assert_eq!(run(folder, &["backup", "lost.db"]).code, 0);
        let database = Connection::open(folder.join("lost.db")).unwrap();
        let sql = format!("PRAGMA foreign_keys = OFF; DROP TABLE {table}");
        database.execute_batch(&sql).unwrap();
        drop(database);
        let repaired = newswire(folder, &["repair", "lost.db"]);
        assert!(
            repaired.code == 0 || repaired.out.contains("no damage"),
            "{table}: {}",
            repaired.err
        );
        if table == "item" {
            let lost = "  items                    0 (nothing could be read)\n";
            assert!(repaired.out.contains(lost), "{}", repaired.out);
            assert!(repaired.out.contains("restore --from-outputs"), "{}", repaired.out);
        }
        let checked = newswire(folder, &["verify", "lost.db"]);
        assert_eq!(checked.code, 0, "{table}: {}{}", checked.out, checked.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_end_is_repaired_and_one_without_its_beginning_is_not() {
    let origin = Origin::start().await;
    // The rows are behind the list of tables, and many.
    let items: Vec<(String, String)> =
        (0..300).map(|n| (format!("g{n}"), format!("Note {n} of the harbour"))).collect();
    let items: Vec<(&str, &str)> = items.iter().map(|(a, b)| (&**a, &**b)).collect();
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&items))]);
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let folder = folder.path();
    assert_eq!(run(folder, &["poll"]).code, 0);
    let path = folder.join("newswire.db");
    assert_eq!(run(folder, &["backup", "copy.db"]).code, 0);
    // Not of the copy: in a compact file the last part of the list of tables may be at the end.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(folder.join("cut.db"), &whole[..whole.len() * 3 / 4]).unwrap();
    let checked = newswire(folder, &["verify", "cut.db"]);
    assert_eq!(checked.code, 74, "{}{}", checked.out, checked.err);
    assert!(checked.err.contains("'newswire repair cut.db'"), "{}", checked.err);
    let repaired = newswire(folder, &["repair", "cut.db"]);
    assert_eq!(repaired.code, 0, "{}{}", repaired.out, repaired.err);
    assert_eq!(newswire(folder, &["verify", "cut.db"]).code, 0);
    // The list of tables is on the first page.
    let mut bytes = whole.clone();
    bytes[100..4096].fill(0xa5);
    std::fs::write(folder.join("newswire.db"), &bytes).unwrap();
    let _ = std::fs::remove_file(folder.join("newswire.db-wal"));
    let checked = run(folder, &["verify"]);
    assert_eq!(checked.code, 74, "{}{}", checked.out, checked.err);
    assert!(!checked.err.contains("newswire verify"), "{}", checked.err);
    let repaired = run(folder, &["repair"]);
    assert_eq!(repaired.code, 74, "{}{}", repaired.out, repaired.err);
    let remedies = ["newswire explain nothing_readable", "restore FILE", "restore --from-outputs"];
    assert!(remedies.iter().all(|text| repaired.err.contains(text)), "{}", repaired.err);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    // Both remedies of the message work.
    assert_eq!(run(folder, &["restore", "copy.db"]).code, 0);
    std::fs::rename(&path, folder.join("old.db")).unwrap();
    assert_eq!(run(folder, &["restore", "--from-outputs"]).code, 0);
}
