//! A damaged database: nothing altered is published, `newswire verify` finds it and `newswire repair` repairs it.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::cli::{Finished, configured, newswire};
use crate::support::origin::{Answer, Origin};

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
