//! The program as people call it: what it says, and the number it exits with.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn newswire(folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::cargo_bin("newswire")
        .unwrap()
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .args(arguments)
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A config that may ask this machine, in a folder of its own.
fn configured(feeds: &[String]) -> TempDir {
    let folder = folder();
    let feeds: String = feeds.iter().map(|url| format!("[[feed]]\nurl = \"{url}\"\n")).collect();
    let text = format!(
        "version = 1\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\ncontact = \"me@example.org\"\n\
         allow_networks = [\"127.0.0.1\"]\n\
         [web]\nlisten = \"off\"\npublic_url = \"https://planet.test/\"\n\
         [[output]]\nid = \"planet\"\ndirectory = \"www\"\n{feeds}"
    );
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    folder
}

/// The origin by its number: no name server is asked.
fn local(origin: &Origin, path: &str) -> String {
    origin.route("127.0.0.1", path, [Answer::ok(rss(&[("a", "A"), ("b", "B")]))]);
    origin.url("127.0.0.1", path).to_string()
}

#[test]
fn without_arguments_it_tells_what_it_can_do() {
    let said = newswire(folder().path(), &[]);
    assert_eq!(said.code, 64);
    for word in ["run", "poll", "check", "init", "status", "demo", "--config"] {
        assert!(said.err.contains(word), "{word} is missing in\n{}", said.err);
    }
    let version = newswire(folder().path(), &["--version"]);
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("newswire ", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(newswire(folder().path(), &["frobnicate"]).code, 64);
    assert_eq!(newswire(folder().path(), &["poll", "--all", "x"]).code, 64);
}

#[test]
fn init_writes_a_config_that_check_accepts_and_never_overwrites() {
    let folder = folder();
    let said = newswire(folder.path(), &["init"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("newswire check --config newswire.toml"), "{}", said.out);
    let check = newswire(folder.path(), &["check"]);
    assert_eq!(check.code, 0, "{}", check.out);
    assert!(check.out.contains("0 errors, 1 warning"), "{}", check.out);
    std::fs::write(folder.path().join("newswire.toml"), "mine").unwrap();
    let again = newswire(folder.path(), &["init"]);
    assert_eq!(again.code, 73);
    assert!(again.err.contains("exists already"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap(), "mine");
}

#[test]
fn check_tells_what_is_wrong_and_exits_with_78() {
    let folder = folder();
    std::fs::write(folder.path().join("x.toml"), "[schedule]\nintervall = \"1h\"\n").unwrap();
    let said = newswire(folder.path(), &["check", "--config", "x.toml"]);
    assert_eq!(said.code, 78);
    assert!(said.out.contains("x.toml:2:1") && said.out.contains("did you mean"), "{}", said.out);
    let json = newswire(folder.path(), &["check", "--config", "x.toml", "--json"]);
    let faults: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json.code, 78);
    assert!(faults.as_array().unwrap().iter().any(|fault| fault["line"] == 2));
    for command in ["run", "poll", "status"] {
        let said = newswire(folder.path(), &[command, "--config", "x.toml"]);
        assert_eq!((said.code, said.out.as_str()), (78, ""), "{command}");
        assert!(said.err.contains("did you mean"), "{}", said.err);
    }
}

#[test]
fn a_missing_config_is_told_with_all_the_places_that_were_looked_at() {
    let folder = folder();
    let said = newswire(folder.path(), &["run"]);
    assert_eq!(said.code, 66);
    for place in
        ["newswire.toml", ".config/newswire/newswire.toml", "/etc/newswire", "newswire init"]
    {
        assert!(said.err.contains(place), "{place} is missing in {}", said.err);
    }
    assert_eq!(newswire(folder.path(), &["check", "--config", "none.toml"]).code, 66);
    // The config in the home folder is found.
    let home = folder.path().join(".config/newswire");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("newswire.toml"), "version = 1\n").unwrap();
    assert_eq!(newswire(folder.path(), &["check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_tells_each_feed_in_a_line_and_writes_the_merged_feeds() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/broken", [Answer::status(500)]);
    let broken = origin.url("127.0.0.1", "/broken").to_string();
    let folder = configured(&[local(&origin, "/feed"), broken]);
    let said = newswire(folder.path(), &["poll"]);
    // A feed's failure is data, not a failed run.
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("127.0.0.1-feed: 2 new, 0 changed\n"), "{}", said.out);
    assert!(said.out.contains("127.0.0.1-broken: failed (server_error)"), "{}", said.out);
    assert!(
        said.out.ends_with("2 feeds polled, 1 failed; 2 new items, 0 changed\n"),
        "{}",
        said.out
    );
    for name in ["planet.atom", "planet.rss", "planet.json"] {
        let text = std::fs::read_to_string(folder.path().join("www").join(name)).unwrap();
        assert!(text.contains("https://planet.test/planet."), "{name}: {text}");
    }
    // Nothing is due now.
    assert!(newswire(folder.path(), &["poll"]).out.starts_with("0 feeds polled"));
    let named = newswire(folder.path(), &["poll", "127.0.0.1-feed"]);
    assert!(named.out.starts_with("127.0.0.1-feed: not modified\n1 feeds polled"), "{}", named.out);
    let unknown = newswire(folder.path(), &["poll", "nobody"]);
    assert_eq!(unknown.code, 64);
    assert!(unknown.err.contains("\"nobody\"") && unknown.err.contains("newswire status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_of_every_feed_in_a_table_and_in_json() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let early = newswire(folder.path(), &["status"]);
    assert_eq!(early.code, 66);
    assert!(early.err.contains("newswire run"), "{}", early.err);
    newswire(folder.path(), &["poll"]);
    let table = newswire(folder.path(), &["status"]);
    for word in ["127.0.0.1-feed", "modified", "in 1h", "1 feeds, 0 failing, 2 items"] {
        assert!(table.out.contains(word), "{word} is missing in\n{}", table.out);
    }
    let json: Value =
        serde_json::from_str(&newswire(folder.path(), &["status", "--json"]).out).unwrap();
    assert_eq!(json["feeds"][0]["items"], 2);
    assert_eq!(json["feeds"][0]["last_outcome"], "modified");
    assert_eq!(json["feeds"][0]["reason"], "interval");
}
