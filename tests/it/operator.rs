//! What an operator meets between two polls: commands one after another, cron without a daemon, files that are left.

use std::fs;
use std::path::Path;

use assert_cmd::cargo::CommandCargoExt as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Finished, configured, local, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

fn ok(folder: &TempDir, arguments: &[&str]) -> Finished {
    let run = newswire(folder.path(), arguments);
    assert_eq!(run.code, 0, "{arguments:?}\n{}{}", run.out, run.err);
    run
}

fn config(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("newswire.toml")).unwrap()
}

/// Replaces a text in the config.
fn change(folder: &TempDir, before: &str, after: &str) {
    let text = config(folder);
    assert!(text.contains(before), "{before}");
    fs::write(folder.path().join("newswire.toml"), text.replace(before, after)).unwrap();
}

/// A folder with a database and no feeds.
fn with_database() -> TempDir {
    let folder = configured(&[]);
    ok(&folder, &["poll"]);
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_was_looked_at_is_added_without_another_request() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    for look in [&["probe", &url][..], &["add", "--print", &url]] {
        let (folder, before) = (with_database(), origin.count());
        ok(&folder, look);
        let again = ok(&folder, &["probe", &url]).out;
        assert!(again.contains("by another command; --force requests it again"), "{again}");
        ok(&folder, &["add", &url]);
        assert!(config(&folder).contains(&format!("url = \"{url}\"")));
        let polled = ok(&folder, &["poll"]).out;
        assert!(polled.contains("2 new"), "{polled}");
        assert_eq!(origin.count(), before + 1, "{look:?}");
        let other = with_database();
        ok(&other, look);
        ok(&other, &["probe", "--force", &url]);
        assert_eq!(origin.count(), before + 3, "{look:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_moved_is_added_at_its_new_url_after_a_probe() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    origin.route("127.0.0.1", "/old", [Answer::redirect(301, &url)]);
    let old = origin.url("127.0.0.1", "/old").to_string();
    let folder = with_database();
    let probed = ok(&folder, &["probe", &old]).out;
    let added = ok(&folder, &["add", &old]).out;
    assert!(probed.contains("301 to ") && added.contains(&url), "{probed}{added}");
    assert!(config(&folder).contains(&format!("url = \"{url}\"")));
    ok(&folder, &["poll"]);
    assert_eq!(origin.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_just_read_leads_to_the_same_result_without_a_request() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let link = "<link rel=alternate type=application/rss+xml href=/feed>";
    let page = |text: String| Answer::ok(text).with("Content-Type", "text/html");
    origin.route("127.0.0.1", "/", [page(link.to_owned())]);
    origin.route("127.0.0.1", "/two", [page(format!("{link}{}", link.replace("feed>", "x>")))]);
    let at = |path: &str| origin.url("127.0.0.1", path).to_string();
    let folder = with_database();
    for _ in 0..2 {
        let run = newswire(folder.path(), &["add", &at("/two")]);
        assert!(run.err.contains("links to several feeds"), "{}{}", run.out, run.err);
    }
    assert_eq!(origin.count(), 1);
    ok(&folder, &["add", &at("/")]);
    let again = ok(&folder, &["add", &at("/")]).out;
    assert_eq!(again, format!("{url} is already configured\n"));
    assert_eq!(origin.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_a_moment_ago_is_not_requested_again() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A")])), Answer::status(500)]);
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let folder = with_database();
    ok(&folder, &["probe", &url]);
    assert_eq!(newswire(folder.path(), &["probe", "--force", &url]).code, 69);
    // The document of the first request is not the answer to the second one.
    let run = newswire(folder.path(), &["probe", &url]);
    assert!(run.err.contains("newswire explain held"), "{}{}", run.out, run.err);
    assert_eq!(origin.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_the_config_while_no_daemon_runs() {
    let origin = Origin::start().await;
    let urls = ["/a", "/b", "/c", "/d"].map(|path| local(&origin, path));
    let folder = configured(&urls);
    ok(&folder, &["poll"]);
    ok(&folder, &["remove", "127.0.0.1-a"]);
    ok(&folder, &["pause", "127.0.0.1-b"]);
    // A paused feed stays paused under another address.
    let (old, new) =
        (format!("\"{}\"", urls[1]), format!("\"{}2\"\nid = \"127.0.0.1-b\"", urls[1]));
    change(&folder, &old, &new);
    ok(&folder, &["tag", "127.0.0.1-c", "news"]);
    ok(&folder, &["set", "127.0.0.1-d", "interval=5h"]);
    let status = newswire(folder.path(), &["status"]).out;
    assert!(status.contains("3 feeds, 0 failing, 1 paused"), "{status}");
    assert!(!status.contains("127.0.0.1-a"), "{status}");
    let json: Value = serde_json::from_str(&ok(&folder, &["status", "--json"]).out).unwrap();
    let feeds = json["feeds"].as_array().unwrap();
    let of = |id: &str| feeds.iter().find(|feed| feed["id"] == id).unwrap();
    assert_eq!(of("127.0.0.1-b")["state"], "paused");
    assert_eq!(of("127.0.0.1-c")["tags"], serde_json::json!(["news"]));
    let due = |id: &str| {
        let time = of(id)["next_poll_at"].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap()
    };
    let later = due("127.0.0.1-d").duration_since(due("127.0.0.1-c"));
    assert!(later.as_hours() >= 3, "{later}");
    let top = ok(&folder, &["top"]).out;
    assert!(top.contains("3 feeds") && top.contains("paused"), "{top}");
    change(&folder, &new, &old);
    ok(&folder, &["resume", "127.0.0.1-b"]);
    let status = newswire(folder.path(), &["status", "127.0.0.1-b"]).out;
    assert!(status.contains("1 feed, 0 failing") && !status.contains("paused"), "{status}");
    let before = newswire(folder.path(), &["status", "--json"]).out;
    ok(&folder, &["poll"]);
    let next = |text: &str| {
        let json: Value = serde_json::from_str(text).unwrap();
        let feeds = json["feeds"].as_array().unwrap().clone();
        feeds.into_iter().map(|feed| feed["next_poll_at"].clone()).collect::<Vec<_>>()
    };
    let after = newswire(folder.path(), &["status", "--json"]).out;
    assert_eq!(next(&before), next(&after), "the plans are those of the next pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn top_shows_feeds_before_the_first_poll() {
    let origin = Origin::start().await;
    let folder = configured(&[]);
    ok(&folder, &["add", &local(&origin, "/feed")]);
    let top = ok(&folder, &["top"]).out;
    assert!(top.contains("1 feed") && top.contains("127.0.0.1-feed"), "{top}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_names_the_command_that_reads_newer_outputs_back() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    ok(&folder, &["poll"]);
    ok(&folder, &["backup", "copy.db"]);
    let restored = ok(&folder, &["restore", "copy.db"]).out;
    assert!(!restored.contains("--from-outputs"), "{restored}");
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("a", "A"), ("b", "B"), ("c", "C")]))]);
    ok(&folder, &["poll", "--all", "--force"]);
    let restored = ok(&folder, &["restore", "copy.db"]).out;
    assert!(restored.contains("the outputs have 1 item that the copy lacks"), "{restored}");
    assert!(restored.contains("'newswire restore --from-outputs' reads them back"), "{restored}");
    let both = ok(&folder, &["restore", "copy.db", "--from-outputs"]).out;
    assert!(!both.contains("the copy lacks"), "{both}");
    ok(&folder, &["poll"]);
    ok(&folder, &["verify"]);
}

/// What the daemon logs at its start.
fn log_of_a_start(folder: &Path) -> String {
    let log = folder.join("log");
    let socket = newswire::daemon::control::socket_of(&folder.join("newswire.db"));
    // Of a daemon that was killed.
    let _ = fs::remove_file(&socket);
    let mut command = std::process::Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder).args(["run", "--config", "newswire.toml"]);
    command.stdin(std::process::Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let mut daemon = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    fs::read_to_string(log).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_outputs_that_are_no_longer_written_are_named() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    change(&folder, "directory = \"www\"\n", "directory = \"www\"\nsite = true\n");
    ok(&folder, &["poll"]);
    let left = |expected: &[&str]| {
        ok(&folder, &["poll"]);
        let (verified, log) = (ok(&folder, &["verify"]).out, log_of_a_start(folder.path()));
        for text in expected {
            assert!(verified.contains(text), "{text}\n{verified}");
        }
        let is_left = !expected.is_empty();
        assert_eq!(verified.contains("no longer written"), is_left, "{verified}");
        assert_eq!(log.contains("files of an output are no longer written"), is_left, "{log}");
    };
    left(&[]);
    // Another path of the same folder.
    std::os::unix::fs::symlink("www", folder.path().join("link")).unwrap();
    change(&folder, "\"www\"", "\"www/\"");
    left(&[]);
    change(&folder, "\"www/\"", "\"www/../link\"");
    left(&[]);
    change(&folder, "\"www/../link\"", "\"www\"");
    left(&[]);
    change(&folder, "site = true\n", "formats = [\"atom\", \"json\"]\n");
    left(&["output planet is no longer written to ", "www, which still has planet.rss\n"]);
    change(&folder, "\"www\"", "\"web\"");
    left(&["www, which still has planet.atom, planet.rss, planet.json\n"]);
    change(&folder, "id = \"planet\"", "id = \"world\"");
    left(&["web, which still has planet.atom, planet.json\n", "www, which still has planet.atom"]);
    // Nothing is deleted, and what the operator deletes is forgotten, also if another program uses the names.
    fs::remove_dir_all(folder.path().join("www")).unwrap();
    let web = folder.path().join("web");
    for entry in fs::read_dir(&web).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("planet.") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(web.join("planet.atom"), "<feed><generator>Venus</generator><entry/></feed>")
        .unwrap();
    left(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_takes_nothing_for_damage_that_was_never_written() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    change(&folder, "directory = \"www\"\n", "");
    ok(&folder, &["poll"]);
    change(&folder, "id = \"planet\"\n", "id = \"planet\"\ndirectory = \"www\"\n");
    let verified = ok(&folder, &["verify"]).out;
    assert!(verified.contains("output planet was not written to "), "{verified}");
    ok(&folder, &["poll"]);
    ok(&folder, &["verify"]);
    change(&folder, "directory = \"www\"\n", "directory = \"www\"\nsite = true\n");
    let verified = ok(&folder, &["verify"]).out;
    assert!(verified.contains("the pages of output planet were not written to "), "{verified}");
    ok(&folder, &["poll"]);
    assert!(ok(&folder, &["verify"]).out.ends_with("the files of 1 output match it\n"));
    fs::remove_file(folder.path().join("www/planet/index.html")).unwrap();
    assert_eq!(newswire(folder.path(), &["verify"]).code, 74);
}

#[test]
fn check_warns_of_feeds_in_files_that_cannot_be_read() {
    let folder = configured(&[]);
    change(&folder, "directory = \"www\"\n", "");
    let text = config(&folder);
    fs::write(folder.path().join("newswire.toml"), format!("{text}[[feed]]\nfile = \"x.xml\"\n"))
        .unwrap();
    let check = ok(&folder, &["check"]).out;
    assert!(check.contains("warning[feed_file_unreadable]: cannot read "), "{check}");
    assert!(check.contains("x.xml: No such file") && check.contains("1 warning"), "{check}");
    fs::create_dir(folder.path().join("x.xml")).unwrap();
    let check = ok(&folder, &["check"]).out;
    assert!(check.contains("not a regular file"), "{check}");
    fs::remove_dir(folder.path().join("x.xml")).unwrap();
    fs::write(folder.path().join("x.xml"), rss(&[("a", "A")])).unwrap();
    assert!(ok(&folder, &["check"]).out.contains("0 warnings"));
}

#[test]
fn init_creates_the_folder_of_the_config() {
    let folder = empty_folder();
    ok(&folder, &["init", "x/y/z.toml"]);
    assert!(folder.path().join("x/y/z.toml").exists());
    ok(&folder, &["check", "--config", "x/y/z.toml"]);
    fs::write(folder.path().join("file"), "").unwrap();
    let run = newswire(folder.path(), &["init", "file/z.toml"]);
    assert_eq!(run.code, 73, "{}", run.err);
    assert!(run.err.contains("file"), "{}", run.err);
}
