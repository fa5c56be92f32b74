//! Copies of the database: `newswire backup` and `newswire restore`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::cli::{Finished, configured, local, newswire};
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// The ids of the published feed.
fn published(folder: &Path) -> Vec<String> {
    let feed = fs::read_to_string(folder.join("www/planet.json")).unwrap();
    let feed: serde_json::Value = serde_json::from_str(&feed).unwrap();
    let ids = feed["items"].as_array().unwrap().iter();
    ids.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn ok(run: &Finished) {
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_copy_publishes_the_same_ids() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(std::slice::from_ref(&url));
    let folder = folder.path();
    ok(&newswire(folder, &["poll"]));
    let ids = published(folder);
    let copied = newswire(folder, &["backup", "copy.db"]);
    ok(&copied);
    assert!(copied.out.starts_with("copied 1 feed, 2 items ("), "{}", copied.out);
    let mode = fs::metadata(folder.join("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "texts of feeds with a login are in it");
    // What comes after the copy is lost with the database.
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("c", "C")]))]);
    ok(&newswire(folder, &["poll", "--all", "--force"]));
    let restored = newswire(folder, &["restore", "copy.db"]);
    ok(&restored);
    assert!(restored.out.contains("newswire.db.before-restore-1"), "{}", restored.out);
    assert!(folder.join("newswire.db.before-restore-1").exists());
    fs::remove_dir_all(folder.join("www")).unwrap();
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A"), ("b", "B")]))]);
    ok(&newswire(folder, &["poll", "--all", "--force"]));
    assert_eq!(published(folder), ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_for_standard_output_is_a_whole_database() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    ok(&newswire(folder.path(), &["poll"]));
    let output = assert_cmd::Command::cargo_bin("newswire")
        .unwrap()
        .current_dir(folder.path())
        .args(["backup", "-"])
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"SQLite format 3\0"));
    fs::write(folder.path().join("piped.db"), output.stdout).unwrap();
    ok(&newswire(folder.path(), &["restore", "piped.db"]));
    let left = fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let temporary = left.iter().filter(|name| name.to_string_lossy().starts_with('.'));
    assert_eq!(temporary.count(), 0, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_copy_is_rejected_and_the_database_stays() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let folder = folder.path();
    ok(&newswire(folder, &["poll"]));
    ok(&newswire(folder, &["backup", "copy.db"]));
    let before = published(folder);
    let mut bytes = fs::read(folder.join("copy.db")).unwrap();
    let length = bytes.len();
    bytes[length / 2..].fill(0xa5);
    fs::write(folder.join("damaged.db"), &bytes).unwrap();
    fs::write(folder.join("empty.db"), b"").unwrap();
    fs::write(folder.join("text.db"), "not a database\n".repeat(100)).unwrap();
    for (name, code) in [("damaged.db", 74), ("empty.db", 66), ("text.db", 65), ("none.db", 66)] {
        let run = newswire(folder, &["restore", name]);
        assert_eq!(run.code, code, "{name}: {}{}", run.out, run.err);
        assert!(run.err.contains(name), "{name}: {}", run.err);
    }
    let itself = newswire(folder, &["restore", "newswire.db"]);
    assert_eq!(itself.code, 64, "{}", itself.err);
    ok(&newswire(folder, &["poll", "--all", "--force"]));
    assert_eq!(published(folder), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_the_newest_copies_and_all_other_files() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let folder = folder.path();
    ok(&newswire(folder, &["poll"]));
    let copies = folder.join("copies");
    let missing = newswire(folder, &["backup", "--keep", "2", "copies"]);
    assert_eq!(missing.code, 64, "{}", missing.err);
    fs::create_dir(&copies).unwrap();
    let old = ["newswire-20250101T000000Z.db", "newswire-20260101T000000Z.db", "notes.txt"];
    for name in &old[..2] {
        ok(&newswire(folder, &["backup", &format!("copies/{name}")]));
    }
    fs::write(copies.join(old[2]), b"").unwrap();
    ok(&newswire(folder, &["backup", "--keep", "2", "copies"]));
    let names = fs::read_dir(&copies).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!((names[0].as_str(), names[2].as_str()), (old[1], old[2]));
}

/// A folder with a database of two items.
async fn polled(origin: &Origin) -> TempDir {
    let folder = configured(&[local(origin, "/feed")]);
    ok(&newswire(folder.path(), &["poll"]));
    folder
}

/// Creates a pipe.
pub(crate) fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// Creates a database of another program.
pub(crate) fn other_program(path: &Path) {
    let other = Connection::open(path).unwrap();
    other.execute_batch("CREATE TABLE place (name); INSERT INTO place VALUES ('here')").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_copy_stays_among_later_names_and_so_does_what_is_no_copy() {
    let origin = Origin::start().await;
    let folder = polled(&origin).await;
    let folder = folder.path();
    let copies = folder.join("copies");
    fs::create_dir(&copies).unwrap();
    // The clock was ahead once.
    let late = ["newswire-29990101T000000Z.db", "newswire-29990102T000000Z.db"];
    for name in late {
        ok(&newswire(folder, &["backup", &format!("copies/{name}")]));
    }
    let others =
        [1, 2, 3, 4, 5].map(|day| copies.join(format!("newswire-2000010{day}T000000Z.db")));
    fs::create_dir(&others[0]).unwrap();
    fs::write(&others[1], "mine").unwrap();
    fs::write(&others[2], "not a database\n".repeat(100)).unwrap();
    other_program(&others[3]);
    symlink("../newswire.db", &others[4]).unwrap();
    let run = newswire(folder, &["backup", "--keep", "2", "copies"]);
    ok(&run);
    let new = copies.join(run.out.trim_end().rsplit('/').next().unwrap());
    assert!(new.exists(), "{}", run.out);
    assert!(!copies.join(late[0]).exists() && copies.join(late[1]).exists());
    for other in others {
        assert!(fs::symlink_metadata(&other).is_ok(), "{other:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_replaces_an_older_copy_and_no_other_file() {
    let origin = Origin::start().await;
    let folder = polled(&origin).await;
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    fs::write(at("newswire.db-wal"), b"").unwrap();
    fs::write(at("notes.txt"), "mine").unwrap();
    other_program(&at("places.sqlite"));
    pipe(&at("pipe"));
    let _socket = UnixListener::bind(at("socket")).unwrap();
    symlink("newswire.toml", at("link")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    let others = ["newswire.toml", "notes.txt", "places.sqlite"];
    let before = others.map(|name| fs::read(at(name)).unwrap());
    for (name, exit) in [
        ("newswire.toml", 73),
        ("notes.txt", 73),
        ("places.sqlite", 73),
        ("pipe", 73),
        ("socket", 73),
        ("link", 73),
        ("dangling", 73),
        ("newswire.db", 64),
        ("newswire.db-wal", 64),
        ("newswire.db.lock", 64),
    ] {
        let kind = || fs::symlink_metadata(at(name)).unwrap().file_type();
        let was = kind();
        let run = newswire(folder, &["backup", name]);
        assert_eq!(run.code, exit, "{name}: {}{}", run.out, run.err);
        assert!(run.err.contains(name) && run.err.contains("another file"), "{}", run.err);
        assert_eq!(kind(), was, "{name}");
    }
    assert_eq!(others.map(|name| fs::read(at(name)).unwrap()), before);
    assert!(!at("nowhere").exists());
    fs::write(at("new.db"), b"").unwrap();
    for _ in 0..2 {
        ok(&newswire(folder, &["backup", "new.db"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_never_replaces_a_database_that_a_process_uses() {
    let origin = Origin::start().await;
    let (folder, other) = (polled(&origin).await, polled(&origin).await);
    let lock = fs::File::create(other.path().join("newswire.db.lock")).unwrap();
    lock.lock().unwrap();
    let to = other.path().join("newswire.db").display().to_string();
    let run = newswire(folder.path(), &["backup", &to]);
    assert_eq!(run.code, 73, "{}", run.err);
    assert!(run.err.contains("but a database that was in use"), "{}", run.err);
    lock.unlock().unwrap();
    let _ = fs::remove_file(other.path().join("newswire.db-wal"));
    ok(&newswire(folder.path(), &["backup", &to]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_restore_keeps_the_database_that_it_replaces() {
    let origin = Origin::start().await;
    let folder = polled(&origin).await;
    let folder = folder.path();
    ok(&newswire(folder, &["backup", "copy.db"]));
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("c", "C")]))]);
    ok(&newswire(folder, &["poll", "--all", "--force"]));
    for _ in 0..2 {
        ok(&newswire(folder, &["restore", "copy.db"]));
    }
    let items = |name: &str| {
        let database = Connection::open(folder.join(name)).unwrap();
        database.query_row("SELECT count(*) FROM item", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(items("newswire.db.before-restore-1"), 3);
    assert_eq!(items("newswire.db.before-restore-2"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_without_items_replaces_no_items() {
    let origin = Origin::start().await;
    let folder = polled(&origin).await;
    let new = configured(&[]);
    ok(&newswire(new.path(), &["poll"]));
    ok(&newswire(new.path(), &["backup", "empty.db"]));
    let empty = new.path().join("empty.db").display().to_string();
    let before = fs::read(folder.path().join("newswire.db")).unwrap();
    let run = newswire(folder.path(), &["restore", &empty]);
    assert_eq!(run.code, 65, "{}{}", run.out, run.err);
    assert!(run.err.contains("newswire.db has 2"), "{}", run.err);
    assert_eq!(fs::read(folder.path().join("newswire.db")).unwrap(), before);
    // The remedy of the message.
    fs::rename(folder.path().join("newswire.db"), folder.path().join("old.db")).unwrap();
    ok(&newswire(folder.path(), &["restore", &empty]));
}

#[test]
fn copies_for_standard_output_are_not_counted() {
    let folder = configured(&[]);
    let run = newswire(folder.path(), &["backup", "--keep", "2", "-"]);
    assert_eq!((run.code, run.out.as_str()), (64, ""), "{}", run.err);
}

#[test]
fn generated_files_replace_only_generated_files() {
    let folder = configured(&[]);
    let folder = folder.path();
    fs::create_dir_all(folder.join("man/man1")).unwrap();
    fs::write(folder.join("man/man1/newswire-add.1"), "mine").unwrap();
    let run = newswire(folder, &["man", "man"]);
    assert_eq!(run.code, 73, "{}", run.err);
    assert_eq!(fs::read(folder.join("man/man1/newswire-add.1")).unwrap(), b"mine");
    for _ in 0..2 {
        ok(&newswire(folder, &["man", "other"]));
    }
    pipe(&folder.join("newswire.schema.json"));
    let run = newswire(folder, &["init", "new.toml"]);
    assert_eq!(run.code, 73, "{}", run.err);
    assert!(!folder.join("new.toml").exists());
    fs::remove_file(folder.join("newswire.schema.json")).unwrap();
    for name in ["new.toml", "newer.toml"] {
        ok(&newswire(folder, &["init", name]));
    }
}
