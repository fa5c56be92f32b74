//! What needs attention: the commands, the JSON and their exit codes answer alike.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Finished, configured, local, newswire};
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A poll that was not refused.
fn poll(folder: &TempDir) -> Finished {
    let run = newswire(folder.path(), &["poll", "--all", "--force"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    run
}

/// Whether the first feed needs attention: by `status`, `status --check`, `status --failing` and the JSON.
fn answers(folder: &TempDir) -> [bool; 4] {
    let status = |option: &[&str]| newswire(folder.path(), &[&["status"], option].concat());
    let json: Value = serde_json::from_str(&status(&["--json"]).out).unwrap();
    [
        status(&[]).code != 0,
        !status(&["--check"]).out.starts_with("NEWSWIRE OK: "),
        status(&["--failing"]).out != "no feed needs attention\n",
        json["feeds"][0]["needs_attention"] == true,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_poll_needs_no_attention_and_two_do() {
    let origin = Origin::start().await;
    let good = Answer::ok(rss(&[("a", "A")]));
    let answers_of_server = [good, Answer::status(500), Answer::status(404)];
    origin.route("127.0.0.1", "/f", answers_of_server);
    let folder = configured(&[origin.url("127.0.0.1", "/f").to_string()]);
    for (needs, line) in [
        (false, "NEWSWIRE OK: 1 of 1 feeds ok, 0 failing\n"),
        (false, "NEWSWIRE OK: 0 of 1 feeds ok, 1 failing\n"),
        (true, "NEWSWIRE CRITICAL: 0 of 1 feeds ok, 1 failing\n"),
    ] {
        poll(&folder);
        assert_eq!(answers(&folder), [needs; 4], "{line}");
        assert_eq!(newswire(folder.path(), &["status", "--check"]).out, line);
    }
    let status = newswire(folder.path(), &["status"]).out;
    assert!(status.contains("not_found (404; 2 polls without success)"), "{status}");
    let why = newswire(folder.path(), &["why", "127.0.0.1-f"]).out;
    assert!(why.contains("; 2 polls in ") && !why.contains("2 times"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_and_a_gone_feed_are_counted_and_explained() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/slow", [Answer::status(429)]);
    origin.route("127.0.0.1", "/gone", [Answer::status(410)]);
    let slow = origin.url("127.0.0.1", "/slow").to_string();
    let gone = origin.url("127.0.0.1", "/gone").to_string();
    let folder = configured(&[local(&origin, "/feed"), slow, gone]);
    let polled = poll(&folder).out;
    assert!(polled.contains("3 feeds polled, 0 failed, 1 throttled, 1 gone; "), "{polled}");
    let check = newswire(folder.path(), &["status", "--check"]);
    let line = "NEWSWIRE WARNING: 1 of 3 feeds ok, 0 failing, 1 gone, 1 throttled; \
                127.0.0.1-gone needs attention\n";
    assert_eq!((check.code, &*check.out), (1, line));
    for (feed, text) in [("slow", "asks for fewer requests"), ("gone", "that the feed is gone")] {
        let logs = newswire(folder.path(), &["logs", &format!("127.0.0.1-{feed}")]).out;
        assert!(logs.ends_with(&format!("{text}\n")), "{logs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_gives_the_reason_of_its_exit_code() {
    let origin = Origin::start().await;
    let folder = configured(&[]);
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    for option in [&["status"][..], &["status", "--failing"]] {
        let none = newswire(folder.path(), option);
        assert_eq!(none.code, 1, "{}", none.out);
        assert!(none.out.ends_with("no feeds: 'newswire add URL' adds one\n"), "{}", none.out);
    }
    // A paused feed is not polled, as the operator wants it.
    let path = folder.path().join("newswire.toml");
    let text = fs::read_to_string(&path).unwrap();
    let url = local(&origin, "/feed");
    fs::write(&path, format!("{text}\n[[feed]]\nurl = \"{url}\"\npaused = true\n")).unwrap();
    let check = newswire(folder.path(), &["status", "--check"]);
    let line = "NEWSWIRE OK: 0 of 1 feeds ok, 0 failing, 1 paused\n";
    assert_eq!((check.code, &*check.out), (0, line));
    assert_eq!(newswire(folder.path(), &["status"]).code, 0);
}
