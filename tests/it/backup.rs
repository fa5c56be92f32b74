//! Copies of the database: `newswire backup` and `newswire restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
    assert!(restored.out.contains("newswire.db.before-restore"), "{}", restored.out);
    assert!(folder.join("newswire.db.before-restore").exists());
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
    for (name, code) in [("damaged.db", 74), ("empty.db", 66), ("text.db", 74), ("none.db", 66)] {
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
    for name in old {
        fs::write(copies.join(name), b"").unwrap();
    }
    ok(&newswire(folder, &["backup", "--keep", "2", "copies"]));
    let names = fs::read_dir(&copies).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!((names[0].as_str(), names[2].as_str()), (old[1], old[2]));
}
