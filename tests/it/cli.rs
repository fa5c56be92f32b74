//! The commands: output and exit codes.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A command that ended: its exit code and what it printed.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn newswire(folder: &Path, arguments: &[&str]) -> Finished {
    let output = Command::cargo_bin("newswire")
        .unwrap()
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .args(arguments)
        .output()
        .unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a config that allows feeds on this machine.
pub(crate) fn configured(feeds: &[String]) -> TempDir {
    let folder = empty_folder();
    let feeds: String = feeds.iter().map(|url| format!("[[feed]]\nurl = \"{url}\"\n")).collect();
    let text = format!(
        "version = 1\n[schedule]\ninterval = \"1h\"\nhost_spacing = \"1ms\"\n[fetch]\ncontact = \"me@example.org\"\n\
         allow_networks = [\"127.0.0.1\"]\n\
         [web]\nlisten = \"off\"\npublic_url = \"https://planet.test/\"\n\
         [[output]]\nid = \"planet\"\ndirectory = \"www\"\n{feeds}"
    );
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    folder
}

/// A URL of the origin with its IP address, which needs no name server.
pub(crate) fn local(origin: &Origin, path: &str) -> String {
    origin.route("127.0.0.1", path, [Answer::ok(rss(&[("a", "A"), ("b", "B")]))]);
    origin.url("127.0.0.1", path).to_string()
}

#[test]
fn without_arguments_the_help_is_printed() {
    let run = newswire(empty_folder().path(), &[]);
    assert_eq!(run.code, 64);
    for word in ["run", "poll", "check", "init", "status", "demo", "--config"] {
        assert!(run.err.contains(word), "{word} is missing in\n{}", run.err);
    }
    let version = newswire(empty_folder().path(), &["--version"]);
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("newswire ", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(newswire(empty_folder().path(), &["frobnicate"]).code, 64);
    assert_eq!(newswire(empty_folder().path(), &["poll", "--all", "x"]).code, 64);
}

#[test]
fn init_writes_a_valid_config_and_never_overwrites_a_file() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["init"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for next in ["newswire add URL", "newswire run", "newswire check"] {
        assert!(run.out.contains(next), "{next} is missing in\n{}", run.out);
    }
    let check = newswire(folder.path(), &["check"]);
    assert_eq!(check.code, 0, "{}", check.out);
    assert!(check.out.contains("0 errors, 0 warnings\nno feeds yet"), "{}", check.out);
    std::fs::write(folder.path().join("newswire.toml"), "mine").unwrap();
    let again = newswire(folder.path(), &["init"]);
    assert_eq!(again.code, 73);
    assert!(again.err.contains("already exists"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap(), "mine");
    let printed = newswire(folder.path(), &["init", "-"]);
    let example = include_str!("../../config.example.toml");
    assert_eq!((printed.code, printed.out.as_str()), (0, example), "{}", printed.err);
    assert!(!folder.path().join("-").exists());
}

#[test]
fn check_lists_errors_and_exits_with_78() {
    let folder = empty_folder();
    std::fs::write(folder.path().join("x.toml"), "[schedule]\nintervall = \"1h\"\n").unwrap();
    let run = newswire(folder.path(), &["check", "--config", "x.toml"]);
    assert_eq!(run.code, 78);
    assert!(run.out.contains("x.toml:2:1") && run.out.contains("did you mean"), "{}", run.out);
    let json = newswire(folder.path(), &["check", "--config", "x.toml", "--json"]);
    let faults: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json.code, 78);
    assert!(faults.as_array().unwrap().iter().any(|fault| fault["line"] == 2));
    for command in ["run", "poll", "status"] {
        let run = newswire(folder.path(), &[command, "--config", "x.toml"]);
        assert_eq!((run.code, run.out.as_str()), (78, ""), "{command}");
        assert!(run.err.contains("did you mean"), "{}", run.err);
    }
}

#[test]
fn a_missing_config_is_an_error_that_lists_the_searched_paths() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["poll"]);
    assert_eq!(run.code, 66);
    for place in
        ["newswire.toml", ".config/newswire/newswire.toml", "/etc/newswire", "newswire init"]
    {
        assert!(run.err.contains(place), "{place} is missing in {}", run.err);
    }
    assert_eq!(newswire(folder.path(), &["check", "--config", "none.toml"]).code, 66);
    // The config in the home folder is found.
    let home = folder.path().join(".config/newswire");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("newswire.toml"), "version = 1\n").unwrap();
    assert_eq!(newswire(folder.path(), &["check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_prints_one_line_per_feed_and_writes_the_merged_feeds() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/broken", [Answer::status(500)]);
    let broken = origin.url("127.0.0.1", "/broken").to_string();
    let folder = configured(&[local(&origin, "/feed"), broken]);
    let run = newswire(folder.path(), &["poll"]);
    // A feed that fails does not fail the command.
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert!(run.out.contains("127.0.0.1-feed: 2 new, 0 changed\n"), "{}", run.out);
    assert!(run.out.contains("127.0.0.1-broken: failed (server_error)"), "{}", run.out);
    assert!(run.out.ends_with("2 feeds polled, 1 failed; 2 new items, 0 changed\n"), "{}", run.out);
    for name in ["planet.atom", "planet.rss", "planet.json"] {
        let text = std::fs::read_to_string(folder.path().join("www").join(name)).unwrap();
        assert!(text.contains("https://planet.test/planet."), "{name}: {text}");
    }
    // No feed is due now.
    assert!(newswire(folder.path(), &["poll"]).out.starts_with("0 feeds polled"));
    let hasty = newswire(folder.path(), &["poll", "127.0.0.1-feed"]);
    assert!(
        hasty.out.contains("127.0.0.1-feed: held: ") && hasty.out.contains("requested 0s ago"),
        "{}",
        hasty.out
    );
    let named = newswire(folder.path(), &["poll", "127.0.0.1-feed", "--force"]);
    assert!(named.out.starts_with("127.0.0.1-feed: not modified\n1 feed polled"), "{}", named.out);
    let unknown = newswire(folder.path(), &["poll", "nobody"]);
    assert_eq!(unknown.code, 64);
    assert!(unknown.err.contains("\"nobody\"") && unknown.err.contains("newswire list"));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_every_feed_as_a_table_and_as_json() {
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
async fn probe_shows_the_content_of_a_document_and_its_parse_warnings() {
    let origin = Origin::start().await;
    let broken = "<rss version='2.0'><channel><title>R&D</title><item><guid>1</guid><title>One</title>\
        <pubDate>Mon, 06 Jan 2025 10:00:00 +0100</pubDate></item></channel></rss>";
    origin.route("127.0.0.1", "/feed", [Answer::ok(broken).with("ETag", "\"1\"")]);
    let folder = configured(&[]);
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let run = newswire(folder.path(), &["probe", &url]);
    assert_eq!(run.code, 0, "{}", run.err);
    for line in [
        "format         rss2\n",
        "charset        UTF-8, by default\n",
        "parser         newswire\n",
        "ETag           \"1\"\n",
        "title          R&D\n",
        "warning        bare_ampersand at byte 36: `&` is not the start of a reference; it must be written as &amp;\n",
        "items          1\n",
        "  id           1\n",
        "  published    2025-01-06T09:00:00Z\n",
    ] {
        assert!(run.out.contains(line), "{line:?} is missing in\n{}", run.out);
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
    // Without a config that allows it, this machine is not contacted.
    let elsewhere = empty_folder();
    let refused = newswire(elsewhere.path(), &["probe", &url]);
    assert_eq!(refused.code, 69);
    assert!(refused.err.contains("allow_networks"), "{}", refused.err);
    // The advice of the message helps: the settings of a configured feed hold for it.
    let text =
        format!("version = 1\n[[feed]]\nurl = \"{url}\"\nallow_networks = [\"127.0.0.1\"]\n");
    std::fs::write(elsewhere.path().join("newswire.toml"), text).unwrap();
    let allowed = newswire(elsewhere.path(), &["probe", &url]);
    assert_eq!(allowed.code, 0, "{}", allowed.err);
}

#[test]
fn conformance_prints_one_object_per_line_and_ends_with_the_input() {
    let folder = empty_folder();
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
async fn why_shows_the_inputs_of_the_plan_and_the_one_that_decided() {
    let origin = Origin::start().await;
    let body = rss(&[("a", "A")]);
    let answer = Answer::ok(body).with("Cache-Control", "max-age=7200").with("ETag", "\"1\"");
    origin.route("127.0.0.1", "/feed", [answer]);
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    newswire(folder.path(), &["poll"]);
    let run = newswire(folder.path(), &["why", "127.0.0.1-feed"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for part in [
        "reason         fresh for 2h\n",
        "considered           1h  interval 1h\n",
        "considered           2h  fresh for 2h  <- decided\n",
        "later-only jitter\n",
        "ETag           \"1\"\n",
        "host limits    127.0.0.1: at most 1 poll at a time",
        "modified       200",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing in\n{}", run.out);
    }
    let json: Value =
        serde_json::from_str(&newswire(folder.path(), &["why", "127.0.0.1-feed", "--json"]).out)
            .unwrap();
    assert_eq!(json["considered"][1]["kind"], "freshness");
    assert_eq!(json["polls"][0]["new_items"], 1);
    assert_eq!(newswire(folder.path(), &["why", "nobody"]).code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_forecasts_a_config_and_compares_it_with_another() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    newswire(folder.path(), &["poll"]);
    let old = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    let new = old.replace("interval = \"1h\"", "interval = \"4h\"");
    std::fs::write(folder.path().join("new.toml"), new).unwrap();
    let json = newswire(folder.path(), &["plan", "--config", "new.toml", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let requests = |side: &str| json[side]["requests_per_day"].as_f64().unwrap();
    assert!((requests("current") / requests("new") - 4.0).abs() < 0.2, "{json}");
    assert!((22.4..23.4).contains(&requests("current")), "{json}");
    assert_eq!(json["feeds"][0]["id"], "127.0.0.1-feed");
    // An id that is derived is not a key of the config.
    let one = newswire(folder.path(), &["config", "127.0.0.1-feed"]).out;
    assert!(one.contains("/feed\"") && one.contains("[[feed]]"), "{one}");
    // One poll shows neither traffic nor delays.
    for side in [&json["feeds"][0]["current"], &json["current"]] {
        for key in ["bytes_per_day", "unchanged_share", "delay_median", "delay_p95"] {
            assert_eq!(side[key], Value::Null, "{key}");
        }
    }
    let text = newswire(folder.path(), &["plan"]).out;
    assert!(text.contains("1 feed recorded for less than a day"), "{text}");
    assert!(text.contains("REQUESTS/DAY"), "{text}");
    // The config is unchanged.
    assert_eq!(std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap(), old);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_estimates_delays_from_the_dates_of_one_document() {
    let origin = Origin::start().await;
    let now = newswire::clock::Clock::system().now();
    let item = |number: i64| {
        let at = now - jiff::SignedDuration::from_hours(6 * number + 1);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!(
            "<item><title>Story {number}</title><guid>g{number}</guid><pubDate>{date}</pubDate></item>"
        )
    };
    let items: String = (0..50).map(item).collect();
    let document = format!("<rss><channel>{items}</channel></rss>");
    let folder = configured(&[local(&origin, "/dated"), local(&origin, "/feed")]);
    origin.route("127.0.0.1", "/dated", [Answer::ok(document)]);
    newswire(folder.path(), &["poll"]);
    let json = newswire(folder.path(), &["plan", "--json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let figures = |id: &str| {
        let feeds = json["feeds"].as_array().unwrap();
        feeds.iter().find(|feed| feed["id"] == id).unwrap()["current"].clone()
    };
    let dated = figures("127.0.0.1-dated");
    // Four items a day, polled each hour: five of six polls find nothing. The traffic is unknown after one poll.
    let unchanged = dated["unchanged_share"].as_f64().unwrap();
    assert!((0.8..0.9).contains(&unchanged), "{dated}");
    assert!(dated["delay_median"].as_f64().is_some_and(|delay| delay > 900.0), "{dated}");
    assert_eq!((&dated["bytes_per_day"], &dated["basis"]), (&Value::Null, &"dates".into()));
    let undated = figures("127.0.0.1-feed");
    assert_eq!((&undated["delay_median"], &undated["basis"]), (&Value::Null, &"settings".into()));
    let text = newswire(folder.path(), &["plan"]).out;
    assert!(text.contains("1 feed of these: delays and unchanged"), "{text}");
}
