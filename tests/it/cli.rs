//! The program as people call it: what it says, and the number it exits with.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn newswire(folder: &Path, arguments: &[&str]) -> Said {
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
pub(crate) fn configured(feeds: &[String]) -> TempDir {
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
pub(crate) fn local(origin: &Origin, path: &str) -> String {
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
    for next in ["newswire add URL", "newswire run", "newswire check"] {
        assert!(said.out.contains(next), "{next} is missing in\n{}", said.out);
    }
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
    let hasty = newswire(folder.path(), &["poll", "127.0.0.1-feed"]);
    assert!(hasty.out.contains("127.0.0.1-feed: polled 0s ago, left alone"), "{}", hasty.out);
    let named = newswire(folder.path(), &["poll", "127.0.0.1-feed", "--force"]);
    assert!(named.out.starts_with("127.0.0.1-feed: not modified\n1 feed polled"), "{}", named.out);
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
    for word in ["127.0.0.1-feed", "modified", "in 1h", "1 feed, 0 failing, 2 items"] {
        assert!(table.out.contains(word), "{word} is missing in\n{}", table.out);
    }
    let json: Value =
        serde_json::from_str(&newswire(folder.path(), &["status", "--json"]).out).unwrap();
    assert_eq!(json["feeds"][0]["items"], 2);
    assert_eq!(json["feeds"][0]["last_outcome"], "modified");
    assert_eq!(json["feeds"][0]["next_poll_reason"], "interval");
}

#[tokio::test(flavor = "multi_thread")]
async fn probe_shows_what_a_document_says_and_what_had_to_be_mended() {
    let origin = Origin::start().await;
    let broken = "<rss version='2.0'><channel><title>R&D</title><item><guid>1</guid><title>One</title>\
        <pubDate>Mon, 06 Jan 2025 10:00:00 +0100</pubDate></item></channel></rss>";
    origin.route("127.0.0.1", "/feed", [Answer::ok(broken).with("ETag", "\"1\"")]);
    let folder = configured(&[]);
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let said = newswire(folder.path(), &["probe", &url]);
    assert_eq!(said.code, 0, "{}", said.err);
    for line in [
        "format         rss2\n",
        "charset        UTF-8, by default\n",
        "read by        newswire\n",
        "ETag           \"1\"\n",
        "title          R&D\n",
        "mended         bare_ampersand at byte 36: `&` where no reference begins\n",
        "items          1\n",
        "  id           1\n",
        "  published    2025-01-06T09:00:00Z\n",
    ] {
        assert!(said.out.contains(line), "{line:?} is missing in\n{}", said.out);
    }
    let json: Value =
        serde_json::from_str(&newswire(folder.path(), &["probe", &url, "--json"]).out).unwrap();
    assert_eq!(json["entries"][0]["id"], "1");
    assert_eq!(json["charset"]["name"], "UTF-8");
    let nothing = newswire(folder.path(), &["probe", "no-such-file"]);
    assert_eq!(nothing.code, 66);
    origin.route("127.0.0.1", "/page", [Answer::ok("<html><body>x</body></html>")]);
    let page = newswire(folder.path(), &["probe", origin.url("127.0.0.1", "/page").as_str()]);
    assert_eq!(page.code, 65);
    assert!(page.err.contains("a web page, not a feed"), "{}", page.err);
    // Without a config that opens it, this machine is not asked.
    let elsewhere = crate::cli::folder();
    let refused = newswire(elsewhere.path(), &["probe", &url]);
    assert_eq!(refused.code, 65);
    assert!(refused.err.contains("allow_networks"), "{}", refused.err);
}

#[test]
fn conformance_answers_every_line_and_ends_with_none() {
    let folder = folder();
    let feed = folder.path().join("feed.xml");
    std::fs::write(&feed, rss(&[("a", "A")])).unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, "<html/>").unwrap();
    let lines = format!(
        "{}\ttext/xml\thttps://site.test/\n{}\t\t\nno-such-file\n",
        feed.display(),
        page.display()
    );
    let mut command = Command::cargo_bin("newswire").unwrap();
    let output = command.args(["probe", "--conformance"]).write_stdin(lines).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ok: Vec<_> = answers.iter().map(|answer| answer["ok"].as_bool().unwrap()).collect();
    assert_eq!((output.status.code(), ok), (Some(0), vec![true, false, false]));
    assert_eq!(answers[0]["entries"][0]["title"], "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_tells_every_input_of_the_plan_and_which_one_won() {
    let origin = Origin::start().await;
    let body = rss(&[("a", "A")]);
    let answer = Answer::ok(body).with("Cache-Control", "max-age=7200").with("ETag", "\"1\"");
    origin.route("127.0.0.1", "/feed", [answer]);
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    newswire(folder.path(), &["poll"]);
    let said = newswire(folder.path(), &["why", "127.0.0.1-feed"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for part in [
        "because        fresh for 2h\n",
        "considered           1h  interval 1h\n",
        "considered           2h  fresh for 2h  <- won\n",
        "later-only jitter\n",
        "ETag           \"1\"\n",
        "host gate      127.0.0.1: 1 at once",
        "modified       200",
    ] {
        assert!(said.out.contains(part), "{part:?} is missing in\n{}", said.out);
    }
    let json: Value =
        serde_json::from_str(&newswire(folder.path(), &["why", "127.0.0.1-feed", "--json"]).out)
            .unwrap();
    assert_eq!(json["considered"][1]["kind"], "freshness");
    assert_eq!(json["polls"][0]["new_items"], 1);
    assert_eq!(newswire(folder.path(), &["why", "nobody"]).code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_tells_what_a_config_costs_and_beside_it_what_another_would() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    newswire(folder.path(), &["poll"]);
    let old = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    let new = old.replace("[schedule]\n", "[schedule]\ninterval = \"4h\"\n");
    std::fs::write(folder.path().join("new.toml"), new).unwrap();
    let json = newswire(folder.path(), &["plan", "--config", "new.toml", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let requests = |side: &str| json[side]["requests_per_day"].as_f64().unwrap();
    assert!((requests("current") / requests("new") - 4.0).abs() < 1e-6, "{json}");
    assert_eq!(json["feeds"][0]["id"], "127.0.0.1-feed");
    let text = newswire(folder.path(), &["plan"]).out;
    assert!(text.contains("22.9") && text.contains("REQUESTS/DAY"), "{text}");
    // Nothing was applied.
    assert_eq!(std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap(), old);
}
