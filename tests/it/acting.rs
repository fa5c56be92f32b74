//! Commands that change the config, and that act on the running daemon over its control socket.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;
use newswire::clock::Clock;
use newswire::daemon::control::socket_of;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Finished, configured, local, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A running daemon; killed on drop.
struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path) -> Self {
        let mut command = Command::cargo_bin("newswire").unwrap();
        command.current_dir(folder).args(["run", "--config", "newswire.toml"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Self(command.spawn().unwrap());
        until(|| socket_of(&folder.join("newswire.db")).exists());
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(mut met: impl FnMut() -> bool) {
    let clock = Clock::system();
    let begun = clock.elapsed();
    while !met() {
        assert!(clock.elapsed() - begun < Duration::from_secs(120), "waited too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder with a config that has comments everywhere.
fn folder(urls: &[&str]) -> TempDir {
    let folder = empty_folder();
    let feeds: String = urls
        .iter()
        .enumerate()
        .map(|(n, url)| {
            format!("\n# feed {n}\n[[feed]]   # here\nurl = \"{url}\"\nid = \"f{n}\"  # its id\n")
        })
        .collect();
    let text = format!(
        "# top\nversion = 1\n\n[schedule]\nhost_spacing = \"1ms\"   # fast\n[fetch]\nallow_networks = [\"127.0.0.1\"]\n\
         [web]\nlisten = \"off\"\npublic_url = \"https://planet.test/\"\n[[output]]\nid = \"planet\"\ndirectory = \"www\"\n{feeds}\n# the end\n"
    );
    fs::write(folder.path().join("newswire.toml"), text).unwrap();
    folder
}

fn config(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("newswire.toml")).unwrap()
}

fn ok(folder: &TempDir, arguments: &[&str]) -> Finished {
    let run = newswire(folder.path(), arguments);
    assert_eq!(run.code, 0, "{arguments:?}\n{}{}", run.out, run.err);
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_with_a_feed_is_done_by_the_running_daemon() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = folder(&[&url]);
    let _daemon = Daemon::start(folder.path());
    let published = folder.path().join("www/planet.json");
    let shows = |title: &str| fs::read_to_string(&published).is_ok_and(|text| text.contains(title));
    until(|| shows("\"title\": \"A\""));
    // Once more within five minutes: kept, and said.
    let held = ok(&folder, &["poll", "f0"]);
    assert!(held.out.contains("f0: held: ") && held.out.contains("requested"), "{}", held.out);
    assert!(held.out.ends_with("0 feeds polled by the daemon, 1 held\n"), "{}", held.out);
    assert_eq!(origin.count(), 1);
    origin.route("127.0.0.1", "/feed", [Answer::ok(rss(&[("n", "New"), ("a", "A"), ("b", "B")]))]);
    let forced = ok(&folder, &["poll", "--force", &url]);
    assert!(forced.out.starts_with("f0: 1 new, 0 changed\n"), "{}", forced.out);
    assert_eq!(origin.count(), 2);
    let all = ok(&folder, &["poll", "--all"]);
    assert!(all.out.contains("f0: held: "), "{}", all.out);
    // A dry run does not reach the daemon, which would store the items.
    let dry = ok(&folder, &["poll", "--dry-run", "--force", "f0"]);
    assert!(!dry.out.contains("by the daemon"), "{}", dry.out);
    assert_eq!(origin.count(), 3);
    let unknown = newswire(folder.path(), &["poll", "nothing"]);
    assert_eq!(unknown.code, 64, "{}", unknown.err);
    assert!(unknown.err.contains("no feed has the id or URL \"nothing\""), "{}", unknown.err);
    until(|| shows("New"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_feeds_keep_every_comment_and_reach_the_daemon() {
    let origin = Origin::start().await;
    let (first, second) = (local(&origin, "/first"), local(&origin, "/second"));
    let folder = folder(&[&first]);
    let before = config(&folder);
    let _daemon = Daemon::start(folder.path());
    until(|| origin.count() == 1);
    let added = ok(
        &folder,
        &[
            "add",
            "--allow-network",
            "127.0.0.1",
            "--id",
            "two",
            "--title",
            "Two",
            "--tag",
            "t",
            "--interval",
            "2h",
            &second,
        ],
    );
    assert!(added.out.contains("the daemon: feeds added: 1 (two)"), "{}", added.out);
    assert!(config(&folder).starts_with(&before), "{}", config(&folder));
    assert!(config(&folder).contains("interval = \"2h\""), "{}", config(&folder));
    let set = ok(&folder, &["set", "two", "interval=3h", "title=New title"]);
    assert!(set.out.contains("the daemon: feeds changed: 1 (two)"), "{}", set.out);
    ok(&folder, &["tag", "two", "x", "--remove", "t"]);
    let text = config(&folder);
    for part in ["interval = \"3h\"", "title = \"New title\"", "tags = [\"x\"]"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let paused = ok(&folder, &["pause", "f0", "two"]);
    assert!(paused.out.contains("the daemon: feeds changed: 2 (f0, two)"), "{}", paused.out);
    let status = newswire(folder.path(), &["status"]);
    assert!(status.out.contains("2 paused"), "{}", status.out);
    ok(&folder, &["resume", "f0", "two"]);
    assert!(newswire(folder.path(), &["status"]).out.contains("0 failing"));
    assert!(!newswire(folder.path(), &["status"]).out.contains("paused"));
    let removed = ok(&folder, &["remove", "two"]);
    assert!(removed.out.contains("the daemon: feeds removed: 1 (two)"), "{}", removed.out);
    assert_eq!(config(&folder), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_would_be_an_error_changes_nothing() {
    let folder = folder(&["https://a.test/feed", "https://b.test/feed"]);
    let before = config(&folder);
    for (arguments, code, says) in [
        (&["set", "f0", "interval=1s"][..], 64, "interval_too_short"),
        (&["set", "f0", "interval=fast"], 64, "bad_duration"),
        (&["set", "f0", "nonsense=\"1\""], 64, "unknown key"),
        (&["set", "f0", "intervall=2h"], 64, "did you mean \"interval\"?"),
        (&["set", "f0", "intervall="], 64, "did you mean \"interval\"?"),
        (&["set", "f0", "interval=2h", "nonsense="], 64, "unknown_key"),
        (&["remove", "f0", "f0", "nothing"], 64, "unknown_feed"),
        (&["resume", "f0", "nothing"], 64, "unknown_feed"),
        (&["set", "f0", "paused=yes"], 64, "\"yes\" is not a flag: true or false"),
        (&["set", "f0", "per_host=x y"], 64, "invalid_value"),
        (&["set", "f1", "id=f0"], 64, "f0"),
        (&["set", "f1", "url=https://a.test/feed"], 64, "is used twice"),
        (&["set", "f1", "=1h"], 64, "write KEY=VALUE"),
        (&["pause", "f0", "nothing"], 64, "unknown_feed"),
        (&["set", "f0", "interval"], 64, "write KEY=VALUE"),
        (
            &["set", "f0", "interval=1h", "title=A", "interval=2h"],
            64,
            "\"interval\" has several values",
        ),
        (&["tag", "f0", "a", "b", "--remove", "b"], 64, "the tag \"b\" is both added and removed"),
    ] {
        let run = newswire(folder.path(), arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}{}", run.out, run.err);
        assert!(run.err.contains(says), "{arguments:?}: {}", run.err);
        // A line of a config that does not exist would mislead.
        assert!(!run.err.contains("newswire.toml:"), "{arguments:?}: {}", run.err);
        assert_eq!(config(&folder), before, "{arguments:?}");
    }
    let one = newswire(folder.path(), &["add", "--id", "x", "https://c.test/", "https://d.test/"]);
    assert_eq!(one.code, 64, "{}", one.err);
}

#[test]
fn commands_that_change_the_config_at_the_same_time_lose_nothing() {
    let folder = folder(&["https://a.test/feed", "https://b.test/feed"]);
    let mut lines = vec!["set f1 interval=3h".to_owned(), "pause f1".to_owned()];
    for n in 0..4 {
        let list = format!("<opml><body><outline xmlUrl='https://l{n}.test/'/></body></opml>");
        fs::write(folder.path().join(format!("{n}.opml")), list).unwrap();
        lines.extend([format!("tag f0 t{n}"), format!("import --append {n}.opml")]);
    }
    let start = |line: &String| {
        let mut command = Command::cargo_bin("newswire").unwrap();
        command.current_dir(folder.path()).env_clear().args(line.split(' '));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let running: Vec<Child> = lines.iter().map(start).collect();
    for (line, child) in lines.iter().zip(running) {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{line}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    let text = config(&folder);
    let numbered =
        (0..4).flat_map(|n| [format!("\"t{n}\""), format!("url = \"https://l{n}.test/\"")]);
    for part in numbered.chain(["interval = \"3h\"", "paused = true"].map(str::to_owned)) {
        assert_eq!(text.matches(&part).count(), 1, "{part}: {text}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "a file is left");
}

#[test]
fn the_last_feed_on_an_own_server_can_be_removed() {
    let folder = folder(&["http://127.0.0.1/feed"]);
    let other = "[[feed]]\nurl = \"https://example.org/feed\"\nhost_spacing = \"2s\"\n";
    let text = config(&folder).replace("\"1ms\"", "\"0s\"") + other;
    fs::write(folder.path().join("newswire.toml"), text).unwrap();
    ok(&folder, &["remove", "f0"]);
    assert!(ok(&folder, &["check"]).out.contains("warning[zero_host_spacing]"));
}

#[test]
fn a_command_removes_what_a_killed_one_left() {
    let folder = folder(&["https://a.test/feed"]);
    let at = |name: &str| folder.path().join(name);
    let left = [".newswire-replacement-a1B2c3", "conf.d/.newswire-replacement-a1B2c3"];
    fs::create_dir(at("conf.d")).unwrap();
    for name in left.into_iter().chain([".newswire.backup"]) {
        fs::write(at(name), "").unwrap();
    }
    ok(&folder, &["tag", "f0", "x"]);
    assert!(at(".newswire.backup").exists() && left.iter().all(|name| !at(name).exists()));
}

#[test]
fn a_feed_that_is_named_twice_is_one_and_only_changed_feeds_are_printed() {
    let folder = folder(&["https://a.test/feed", "https://b.test/feed", "https://c.test/feed"]);
    ok(&folder, &["pause", "f0"]);
    ok(&folder, &["set", "f2", "paused=false"]);
    for (arguments, printed) in [
        (&["resume", "f0", "f1", "f2"][..], "resumed f0\n"),
        (&["resume", "f2"], "no change: "),
        (&["pause", "f0", "https://a.test/feed", "f1", "f1"], "paused f0, f1\n"),
        (&["pause", "f1"], "no change: "),
        (&["tag", "f1", "x", "x"], "changed the tags of f1\n"),
        (&["set", "f1", "interval=2h", "title=B"], "changed f1\n"),
        (&["remove", "f0", "f0", "https://a.test/feed", "f1"], "removed f0, f1\n"),
    ] {
        let run = ok(&folder, arguments);
        assert!(run.out.starts_with(printed), "{arguments:?}: {}", run.out);
    }
    let text = config(&folder);
    assert!(!text.contains("a.test") && !text.contains("b.test"), "{text}");
    assert!(text.contains("c.test") && text.contains("paused = false"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_loads_each_feed_that_one_command_adds() {
    let origin = Origin::start().await;
    let [known, first, second] = ["/known", "/first", "/second"].map(|path| local(&origin, path));
    let folder = folder(&[&known]);
    let _daemon = Daemon::start(folder.path());
    until(|| origin.count() == 1);
    let added = ok(&folder, &["add", &first, &second]);
    let loaded = "the daemon: feeds added: 1 (127.0.0.1-";
    assert_eq!(added.out.matches(loaded).count(), 2, "{}", added.out);
    assert!(added.out.find("1 (127.0.0.1-first)") < added.out.find(&second), "{}", added.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_feed_is_not_polled_and_stays_in_the_outputs() {
    let origin = Origin::start().await;
    let (first, second) = (local(&origin, "/first"), local(&origin, "/second"));
    let other = [Answer::ok(rss(&[("c", "Cedar"), ("d", "Dogwood")]))];
    origin.route("127.0.0.1", "/second", other);
    let folder = folder(&[&first, &second]);
    ok(&folder, &["poll", "f0"]);
    ok(&folder, &["pause", "f0"]);
    let polled = ok(&folder, &["poll"]);
    assert!(polled.out.starts_with("f1: 2 new"), "{}", polled.out);
    assert_eq!(origin.count(), 2);
    let json = fs::read_to_string(folder.path().join("www/planet.json")).unwrap();
    assert!(json.contains(&first) && json.contains(&second), "{json}");
    assert_eq!(json.matches("\"id\": ").count(), 4, "{json}");
    // It is not among all feeds, unless that is forced.
    let all = ok(&folder, &["poll", "--all", "--force"]).out;
    assert!(all.contains("f0: ") && all.contains("f1: "), "{all}");
    for arguments in [&["poll", "--all"][..], &["poll", "--all", "--dry-run"]] {
        let all = ok(&folder, arguments).out;
        assert!(!all.contains("f0: ") && all.contains("f1: "), "{all}");
    }
    // A command polls it, and it stays paused.
    ok(&folder, &["poll", "--force", "f0"]);
    assert!(newswire(folder.path(), &["status", "f0"]).out.contains("1 paused"));
    // It has no next poll and causes no requests.
    for command in ["status", "why"] {
        let json: Value =
            serde_json::from_str(&ok(&folder, &[command, "f0", "--json"]).out).unwrap();
        let feed = if command == "status" { &json["feeds"][0] } else { &json };
        assert_eq!((&feed["id"], &feed["next_poll_at"]), (&"f0".into(), &Value::Null), "{json}");
    }
    let why = ok(&folder, &["why", "f0"]).out;
    assert!(why.contains("next poll      never\n"), "{why}");
    let plan: Value = serde_json::from_str(&ok(&folder, &["plan", "--json"]).out).unwrap();
    assert_eq!(plan["feeds"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(plan["feeds"][0]["id"], "f1");
}

#[test]
fn the_daemon_logs_each_warning_of_the_config_with_its_fields() {
    let folder = folder(&[]);
    let text = config(&folder).replace("version = 1\n", "").replace("directory = \"www\"\n", "");
    fs::write(folder.path().join("newswire.toml"), text).unwrap();
    let log = folder.path().join("log");
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder.path()).args(["run", "--config", "newswire.toml"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let _daemon = Daemon(command.spawn().unwrap());
    until(|| fs::read_to_string(&log).is_ok_and(|text| text.contains("daemon started")));
    let text = fs::read_to_string(&log).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings: Vec<Value> = lines.filter(|line| line["level"] == "WARN").collect();
    assert_eq!(warnings.len(), 1, "{text}");
    assert_eq!(warnings[0]["message"], "config warning");
    assert_eq!(warnings[0]["code"], "missing_version");
    assert_eq!(warnings[0]["help"], "write version = 1 at the top of the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_are_listed_with_their_state_and_their_last_polls() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    origin.route("127.0.0.1", "/bad", std::iter::repeat_n(Answer::status(404), 3));
    let bad = origin.url("127.0.0.1", "/bad").to_string();
    let folder = folder(&[&url, &bad]);
    ok(&folder, &["poll"]);
    assert_eq!(ok(&folder, &["list", "--ids"]).out, "f0\nf1\n");
    let list = ok(&folder, &["list"]);
    assert!(list.out.contains(&url) && list.out.ends_with("2 feeds\n"), "{}", list.out);
    let failing = newswire(folder.path(), &["status", "--failing"]);
    assert!(failing.out.contains("f1") && !failing.out.contains("f0"), "{}", failing.out);
    let one = newswire(folder.path(), &["status", "f0"]);
    assert!(one.out.contains("1 feed, 0 failing"), "{}", one.out);
    assert_eq!(newswire(folder.path(), &["status", "nothing"]).code, 64);
    // Every command takes every form of a URL.
    let capitals = format!("  {}", url.replacen("http://", "HTTP://", 1));
    for arguments in [
        &["status"][..],
        &["logs"],
        &["why"],
        &["explain"],
        &["config"],
        &["release"],
        &["pause"],
        &["resume"],
        &["set", "interval=2h"],
        &["tag", "x"],
        &["poll"],
        &["poll", "--dry-run"],
        &["remove"],
    ] {
        let mut all = arguments.to_vec();
        all.insert(1, &capitals);
        ok(&folder, &all);
    }
    let logs = ok(&folder, &["logs", "f1"]);
    assert!(logs.out.contains("not_found") && logs.out.contains("404"), "{}", logs.out);
    assert_eq!(logs.out.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_addresses_are_added_and_one_that_fails_stops_none() {
    let origin = Origin::start().await;
    let (first, second) = (local(&origin, "/first"), local(&origin, "/second"));
    origin.route("127.0.0.1", "/bad", [Answer::status(404)]);
    let bad = origin.url("127.0.0.1", "/bad").to_string();
    let folder = folder(&[]);
    let feed_scheme = format!("feed:{second}");
    let run = newswire(folder.path(), &["add", "--tag", "both", &first, &bad, &feed_scheme]);
    assert_eq!(run.code, 69, "{}{}", run.out, run.err);
    let listed = ok(&folder, &["list", "--json"]).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let urls: Vec<&str> =
        listed.as_array().unwrap().iter().map(|feed| feed["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [first, second]);
    assert!(listed.as_array().unwrap().iter().all(|feed| feed["tags"][0] == "both"), "{listed}");
}

#[test]
fn a_command_of_another_program_leads_to_the_right_one() {
    let folder = empty_folder();
    for (word, meant) in [
        ("rm", "newswire remove"),
        ("fetch", "newswire poll"),
        ("refresh", "newswire poll"),
        ("start", "newswire run"),
        ("ls", "newswire list"),
        ("db", "newswire verify"),
    ] {
        let run = newswire(folder.path(), &[word]);
        assert_eq!(run.code, 64);
        assert!(run.err.contains(&format!("help: use '{meant}")), "{word}: {}", run.err);
        // Similar words are not suggested beside it.
        assert!(!run.err.contains("tip:"), "{word}: {}", run.err);
    }
}

#[test]
fn completions_ask_the_program_for_the_names_of_feeds() {
    let folder = empty_folder();
    for shell in ["bash", "zsh", "fish"] {
        let script = newswire(folder.path(), &["completions", shell]).out;
        for part in ["newswire list ", "--ids", "--tags"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
    let zsh = newswire(folder.path(), &["completions", "zsh"]).out;
    assert!(zsh.matches("_newswire_feeds").count() > 8, "{zsh}");
}

#[test]
fn completions_have_the_feeds_of_the_config_that_the_line_names() {
    let folder = empty_folder();
    let other = folder.path().join("other.toml");
    let text = "version = 1\n[[output]]\nid = \"x\"\n[[feed]]\nid = \"garden\"\nurl = \"https://a.test/\"\n\
                tags = [\"green\", \"my own\", \"$(touch run)\"]\n";
    fs::write(&other, text).unwrap();
    let program = Command::cargo_bin("newswire").unwrap().get_program().to_owned();
    let script = newswire(folder.path(), &["completions", "bash"]).out;
    fs::write(folder.path().join("script"), script).unwrap();
    let complete = |words: &str| {
        let text = format!(
            "newswire() {{ \"$NEWSWIRE\" \"$@\"; }}; . ./script; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _newswire_with_names newswire \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        bash.current_dir(folder.path()).env("NEWSWIRE", &program).args(["--norc", "-c", &text]);
        let Ok(run) = bash.output() else { return None };
        Some(String::from_utf8(run.stdout).unwrap())
    };
    for (words, ids) in [
        ("newswire pause --config other.toml ''", "garden\n"),
        ("newswire -c other.toml pause ''", "garden\n"),
        ("newswire --config = other.toml status gar", "garden\n"),
        ("newswire -cother.toml status gar", "garden\n"),
        ("newswire -c other.toml tag gar", "garden\n"),
        ("newswire -c other.toml tag garden ''", "\\$\\(touch\\ run\\) green my\\ own\n"),
        ("newswire -c other.toml tag garden x --remove my", "my\\ own\n"),
        ("newswire -c other.toml add --tag = gr", "green\n"),
        // Files, which the shell completes.
        ("newswire status --config =", "\n"),
        ("newswire --config = s", "\n"),
        ("newswire config -c other.toml gar", "garden\n"),
        ("newswire pause ''", "\n"),
    ] {
        // A machine without bash has nothing to complete.
        assert!(complete(words).is_none_or(|found| found == ids), "{words}: {:?}", complete(words));
    }
    assert!(!folder.path().join("run").exists(), "a tag was executed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_the_daemon_has_not_loaded_is_not_called_unknown() {
    let origin = Origin::start().await;
    let folder = folder(&[&local(&origin, "/feed")]);
    let _daemon = Daemon::start(folder.path());
    until(|| origin.count() == 1);
    let url = local(&origin, "/hand");
    let text = format!("{}\n[[feed]]\nid = \"hand\"\nurl = \"{url}\"\n", config(&folder));
    fs::write(folder.path().join("newswire.toml"), text).unwrap();
    for arguments in [&["poll", "hand"], &["poll", &*url], &["release", "hand"]] {
        let run = newswire(folder.path(), arguments);
        assert_eq!(run.code, 69, "{arguments:?}: {}", run.err);
        assert!(run.err.contains("it is not loaded yet"), "{arguments:?}: {}", run.err);
        assert!(run.err.contains("'newswire reload'"), "{arguments:?}: {}", run.err);
    }
    let why = ok(&folder, &["why", "hand"]).out;
    assert!(why.contains("next poll      due\n"), "{why}");
    let why: Value = serde_json::from_str(&ok(&folder, &["why", "hand", "--json"]).out).unwrap();
    assert_eq!(why["next_poll_at"], Value::Null);
    ok(&folder, &["reload"]);
    // Its address as a browser passes it on.
    ok(&folder, &["poll", &format!("feed:{url}")]);
    ok(&folder, &["release", "hand"]);
}

#[test]
fn an_id_that_another_feed_has_is_refused() {
    let urls = ["https://a.example/feed", "https://b.example/feed"].map(str::to_owned);
    let folder = configured(&urls);
    let config = folder.path().join("newswire.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    let run = newswire(folder.path(), &["set", &urls[0], "id=b.example-feed"]);
    assert_eq!(run.code, 64, "{}{}", run.out, run.err);
    assert!(run.err.contains("the id is that of the feed"), "{}", run.err);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), before);
    let text = before.replacen("/feed\"\n", "/feed\"\nid = \"b.example-feed\"\n", 1);
    std::fs::write(&config, text).unwrap();
    let run = newswire(folder.path(), &["check"]);
    assert_eq!(run.code, 78, "{}", run.out);
    // Its own derived id may be written down.
    std::fs::write(&config, before).unwrap();
    let run = newswire(folder.path(), &["set", &urls[0], "id=a.example-feed"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn options_for_a_configured_feed_are_named_as_commands() {
    let url = "https://a.example/feed".to_owned();
    let folder = configured(std::slice::from_ref(&url));
    let all = "--tag x --title other --id oo --interval 3h --allow-network 127.0.0.1";
    let arguments = ["add", &url].into_iter().chain(all.split(' ')).collect::<Vec<_>>();
    let run = newswire(folder.path(), &arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    let set = "  newswire set https://a.example/feed id=oo title=other interval=3h 'allow_networks=[\"127.0.0.1/32\"]'\n";
    assert!(run.err.contains("the options were not applied"), "{}", run.err);
    assert!(run.err.contains(set), "{}", run.err);
    assert!(run.err.contains("  newswire tag https://a.example/feed x\n"), "{}", run.err);
    let command = "set https://a.example/feed id=oo title=other interval=3h allow_networks=[\"127.0.0.1/32\"]";
    let run = newswire(folder.path(), &command.split(' ').collect::<Vec<_>>());
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn an_import_names_repeated_entries_and_the_daemon() {
    let folder = configured(&[]);
    let entry = |name: &str| format!("<outline text='{name}' xmlUrl='https://a.example/feed'/>\n");
    let opml = format!("<opml><body>\n{}{}</body></opml>", entry("one"), entry("two"));
    std::fs::write(folder.path().join("a.opml"), opml).unwrap();
    let run = newswire(folder.path(), &["import", "--append", "a.opml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("a.opml:3: skipped \"two\": its URL is that of an"), "{}", run.err);
    assert!(run.err.contains("1 new, 0 already configured, 1 skipped"), "{}", run.err);
    assert!(run.out.contains("no daemon is running; the next start applies it"), "{}", run.out);
}

#[test]
fn a_write_protected_config_is_not_changed() {
    use std::os::unix::fs::PermissionsExt as _;
    let url = "https://a.example/feed".to_owned();
    let folder = configured(std::slice::from_ref(&url));
    let config = folder.path().join("newswire.toml");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o444)).unwrap();
    let before = std::fs::read(&config).unwrap();
    let run = newswire(folder.path(), &["tag", &url, "x"]);
    assert_eq!(run.code, 73, "{}{}", run.out, run.err);
    assert!(run.err.contains("newswire explain config_unwritable"), "{}", run.err);
    assert_eq!(std::fs::read(&config).unwrap(), before);
}

#[test]
fn the_daemon_replies_before_it_does_what_was_asked() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let folder = folder(&["https://a.invalid/feed"]);
    let _daemon = Daemon::start(folder.path());
    let socket = socket_of(&folder.path().join("newswire.db"));
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all(b"{\"ask\":\"reload\"}\n").unwrap();
    let lines: Vec<String> = BufReader::new(stream).lines().map(Result::unwrap).collect();
    assert_eq!(lines[0], "{\"progress\":\"\"}");
    assert!(lines.len() == 2 && lines[1].starts_with("{\"done\":"), "{lines:?}");
}

#[test]
fn health_asks_the_daemon_of_the_database_whatever_it_listens_on() {
    let folder = folder(&["https://a.invalid/feed"]);
    let daemon = Daemon::start(folder.path());
    // The socket is there before the daemon is ready.
    until(|| newswire(folder.path(), &["health"]).code == 0);
    assert_eq!(ok(&folder, &["health"]).out, "ready\n");
    // The config names an address, and the daemon was started with another one.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    fs::write(folder.path().join("newswire.toml"), config(&folder).replace("off", &address))
        .unwrap();
    assert_eq!(ok(&folder, &["health"]).out, "ready\n");
    drop(daemon);
    let run = newswire(folder.path(), &["health"]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.out.starts_with("down: no process uses "), "{}", run.out);
}
