//! What a new user meets in the first minutes: commands before the first poll, mistakes, and commands to copy.

use std::fs;

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

/// A command that fails with this exit code.
fn fails(folder: &TempDir, code: i32, arguments: &[&str]) -> String {
    let run = newswire(folder.path(), arguments);
    assert_eq!(run.code, code, "{arguments:?}\n{}{}", run.out, run.err);
    run.err
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_has_its_final_id_right_after_it_is_added() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(&[]);
    ok(&folder, &["add", &url]);
    assert_eq!(ok(&folder, &["list", "--ids"]).out, "127.0.0.1-feed\n");
    let status = newswire(folder.path(), &["status"]);
    assert_eq!(status.code, 1, "{}", status.out);
    for part in ["127.0.0.1-feed", "1 feed, 0 failing, 1 not polled yet"] {
        assert!(status.out.contains(part), "{}", status.out);
    }
    let check = newswire(folder.path(), &["status", "--check"]);
    assert!(check.out.starts_with("NEWSWIRE WARNING: no feed was polled yet"), "{}", check.out);
    for name in ["127.0.0.1-feed", &url] {
        assert!(newswire(folder.path(), &["status", name]).out.contains("1 feed,"));
        let logs = ok(&folder, &["logs", name]).out;
        assert_eq!(
            logs,
            "127.0.0.1-feed was not polled yet: 'newswire poll 127.0.0.1-feed' polls it now\n"
        );
        assert!(ok(&folder, &["why", name]).out.contains("never polled"));
        assert!(ok(&folder, &["explain", name]).out.contains("never polled"));
        ok(&folder, &["config", name]);
    }
    ok(&folder, &["tag", "127.0.0.1-feed", "new"]);
    ok(&folder, &["poll", "127.0.0.1-feed"]);
    assert_eq!(ok(&folder, &["list", "--ids"]).out, "127.0.0.1-feed\n");
    // A feed that is written into the config by hand, whose URL gives the same id.
    let config = folder.path().join("newswire.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[[feed]]\nurl = \"{url}/\"\npaused = true\n")).unwrap();
    let ids = ok(&folder, &["list", "--ids"]).out;
    let [first, second] = ids.lines().collect::<Vec<_>>()[..] else { panic!("{ids}") };
    assert!(first == "127.0.0.1-feed" && second.starts_with("127.0.0.1-feed-"), "{ids}");
    let status = newswire(folder.path(), &["status"]).out;
    assert!(status.contains(second) && status.contains("1 paused"), "{status}");
    ok(&folder, &["resume", second]);
    ok(&folder, &["poll"]);
    assert_eq!(ok(&folder, &["list", "--ids"]).out, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_add_does_not_promise_polls() {
    let origin = Origin::start().await;
    let folder = configured(&["https://a.test/f".to_owned()]);
    for (path, status, help) in [
        ("/a", 500, "nothing was added; repeat the command later"),
        ("/b", 401, "write a [[feed]] with url and authorization"),
    ] {
        origin.route("127.0.0.1", path, [Answer::status(status)]);
        let url = origin.url("127.0.0.1", path).to_string();
        let error = fails(&folder, 69, &["add", "--allow-network", "127.0.0.1", &url]);
        assert!(error.contains(help) && !error.contains("polls"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_add_are_checked_before_a_request() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let (empty, folder) = (empty_folder(), configured(&["https://a.test/f".to_owned()]));
    for folder in [&empty, &folder] {
        for (option, value, says) in [
            ("--interval", "x", "bad_duration"),
            ("--interval", "1s", "interval_too_short"),
            ("--id", "Ä", "bad_id"),
            ("--tag", "", "a tag must not be empty"),
            ("--tag", "a,b", "contain a comma"),
        ] {
            let allow = ["add", "--allow-network", "127.0.0.1", option, value, &url];
            let error = fails(folder, 64, &allow);
            assert!(error.contains(says) && error.contains(option), "{error}");
            assert!(!error.contains("newswire.toml:"), "{error}");
        }
    }
    let error = fails(&folder, 64, &["add", "--id", "a.test-f", &url]);
    assert!(error.contains("the id is that of the feed"), "{error}");
    assert_eq!(origin.count(), 0);
    ok(&folder, &["add", "--interval", "2h", &url]);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_for_copying_carry_the_options_that_were_given() {
    let origin = Origin::start().await;
    let link =
        |path: &str| format!("<link rel=alternate type=application/rss+xml title=T href={path}>");
    let page = |body: String| Answer::ok(body).with("Content-Type", "text/html");
    origin.route("127.0.0.1", "/two", [page(format!("{}{}", link("/x"), link("/y")))]);
    origin.route("127.0.0.1", "/none", [page("<title>No feed</title>".to_owned())]);
    let url = |path: &str| origin.url("127.0.0.1", path).to_string();
    let folder = empty_folder();
    let given = ["add", "--tag", "a b", "--allow-network", "127.0.0.1", "--print"];
    let command = "  newswire add --tag 'a b' --allow-network 127.0.0.1/32 --print";
    for (path, to) in [("/two", "/x"), ("/none", "/feed")] {
        let page = url(path);
        let arguments: Vec<&str> = given.iter().copied().chain([page.as_str()]).collect();
        let error = newswire(folder.path(), &arguments).err;
        assert!(error.contains(&format!("{command} {}", url(to))), "{error}");
    }
    let blocked = url("/three");
    let arguments = ["run", "--listen", "127.0.0.1:1", "--log-level", "warn", &blocked];
    let error = fails(&folder, 69, &arguments);
    let command = "newswire run --listen 127.0.0.1:1 --log-level warn --allow-network 127.0.0.1";
    assert!(error.contains(&format!("{command} {blocked}")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_soon_after_add_reports_what_it_read() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(&[]);
    ok(&folder, &["add", &url]);
    let first = ok(&folder, &["poll", &url]).out;
    let line = "127.0.0.1-feed: 2 new, 0 changed, from the document that was requested ";
    assert!(first.starts_with(line), "{first}");
    for arguments in [&["poll", &url][..], &["poll", "--all"]] {
        let again = ok(&folder, arguments).out;
        assert!(again.contains("127.0.0.1-feed: held: ") && again.contains("requested"), "{again}");
        assert!(again.contains("0 feeds polled") && again.contains("1 feed held"), "{again}");
    }
    assert_eq!(origin.count(), 1);
    let logs = ok(&folder, &["logs", &url]).out;
    assert!(logs.lines().count() == 1 && !logs.contains("200"), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_redirect_to_a_configured_feed_is_no_error() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let page = "<link rel=alternate type=application/rss+xml href=/feed>".to_owned();
    origin.route("127.0.0.1", "/", [Answer::ok(page).with("Content-Type", "text/html")]);
    origin.route("127.0.0.1", "/old", [Answer::redirect(301, &url)]);
    let folder = configured(std::slice::from_ref(&url));
    ok(&folder, &["poll"]);
    for path in ["/", "/old"] {
        let run = ok(&folder, &["add", origin.url("127.0.0.1", path).as_str()]);
        assert_eq!(run.out, format!("{url} is already configured\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_asks_for_is_kept_before_the_first_feed() {
    let origin = Origin::start().await;
    let throttled = Answer::status(429).with("Retry-After", "3600");
    origin.route("127.0.0.1", "/feed", std::iter::repeat_n(throttled, 2));
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let folder = configured(&[]);
    fails(&folder, 69, &["add", &url]);
    let again = fails(&folder, 69, &["add", &url]);
    assert!(again.contains("is not requested before"), "{again}");
    assert_eq!(again.matches(&url).count(), 2, "the URL, and who asked for the wait: {again}");
    assert_eq!(origin.count(), 1);
    // Without a config there is no database, and none is created.
    let empty = empty_folder();
    let error = fails(&empty, 69, &["add", "--allow-network", "127.0.0.1", &url]);
    assert!(error.contains("without a database Newswire cannot record until when"), "{error}");
    assert!(fs::read_dir(empty.path()).unwrap().next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_address_means_http_for_add_and_import() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let bare = url.strip_prefix("http:").unwrap();
    let folder = configured(&[]);
    for (n, address) in [format!("feed:{bare}"), format!("feed:{}", &bare[2..])].iter().enumerate()
    {
        if n == 0 {
            fs::write(folder.path().join("urls"), format!("{address}\n")).unwrap();
            let imported = ok(&folder, &["import", "urls"]).out;
            assert!(imported.contains(&format!("url = \"{url}\"")), "{imported}");
        }
        let added = ok(&folder, &["add", address]).out;
        assert!(added.contains(&url), "{added}");
    }
    assert_eq!(origin.count(), 1);
}

#[test]
fn a_start_that_cannot_listen_changes_nothing_and_prints_no_links() {
    let folder = empty_folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for arguments in
        [&["run", "--listen", &address][..], &["run", "--listen", &address, "https://a.test/feed"]]
    {
        let run = newswire(folder.path(), arguments);
        assert_eq!(run.code, 69, "{}{}", run.out, run.err);
        assert!(run.err.starts_with("newswire: failed to listen on"), "{}", run.err);
        assert_eq!(run.out, "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_change_without_effect_is_reported_as_none() {
    let folder = configured(&["https://a.test/feed".to_owned()]);
    let id = "a.test-feed";
    ok(&folder, &["tag", id, "x"]);
    ok(&folder, &["pause", id]);
    for arguments in [
        &["tag", id, "x"][..],
        &["tag", id, "--remove", "nosuch"],
        &["pause", id],
        &["set", id, "interval="],
    ] {
        let run = ok(&folder, arguments);
        assert_eq!(run.out, "no change: the config has these values already\n", "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_feed_leads_to_the_right_id() {
    let origin = Origin::start().await;
    let url = local(&origin, "/garden.xml");
    let folder = configured(std::slice::from_ref(&url));
    let typed = "127.0.0.1-gardn.xml";
    for polled in [false, true] {
        if polled {
            ok(&folder, &["poll"]);
        } else {
            ok(&folder, &["poll", "--dry-run"]);
        }
        for arguments in [
            &["pause", typed][..],
            &["set", typed, "title=x"],
            &["poll", typed],
            &["why", typed],
            &["logs", typed],
            &["status", typed],
            &["release", typed],
        ] {
            if !polled && ["why", "logs", "status", "release"].contains(&arguments[0]) {
                continue;
            }
            let error = fails(&folder, 64, arguments);
            let help = "did you mean ";
            assert!(error.contains(help) && error.contains("\"127.0.0.1-garden.xml\"?"), "{error}");
        }
    }
    let error = fails(&folder, 64, &["pause", "garden"]);
    assert!(error.contains("did you mean \"127.0.0.1-garden.xml\"?"), "{error}");
    let error = fails(&folder, 64, &["why", "zzz"]);
    assert!(error.contains("no feed and no item has the id, URL or number \"zzz\""), "{error}");
    assert!(!error.contains("newswire why"), "{error}");
}

#[test]
fn a_command_without_its_argument_shows_all_choices() {
    let folder = empty_folder();
    for (command, choice) in [("restore", "--from-outputs"), ("probe", "URL|FILE")] {
        let error = fails(&folder, 64, &[command]);
        assert!(error.contains(choice), "{error}");
    }
}

#[test]
fn the_state_is_unknown_to_monitoring_without_a_config() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["status", "--check"]);
    // Unless this machine has a config in /etc.
    if !std::path::Path::new("/etc/newswire/newswire.toml").exists() {
        assert_eq!(run.code, 3, "{}{}", run.out, run.err);
        assert!(run.out.starts_with("NEWSWIRE UNKNOWN: no config file found"), "{}", run.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn add_shows_what_had_to_be_repaired() {
    let origin = Origin::start().await;
    let cut = rss(&[("a", "A"), ("b", "B")]);
    let cut = cut[..cut.len() - 30].to_owned();
    origin.route("127.0.0.1", "/feed", [Answer::ok(cut)]);
    let folder = configured(&[]);
    let run = ok(&folder, &["add", origin.url("127.0.0.1", "/feed").as_str()]);
    assert!(run.out.contains("  warning: "), "{}", run.out);
}

/// Bytes of files that are no text, with their names.
const NO_TEXT: &[(&str, &[u8], &str)] = &[
    ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x1b]0;x\x07", "a PNG image"),
    ("program", b"\x7fELF\x02\x01\x01\0\0\0\x1b[31m", "a program"),
    ("feed.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x1b[31m\xff", "a gzip file"),
    ("data", b"abc\0\x01\x1b[31m\xff", "a binary file"),
];

#[test]
fn a_file_that_is_no_text_is_named_and_not_printed() {
    let folder = configured(&[]);
    for (name, bytes, kind) in NO_TEXT {
        fs::write(folder.path().join(name), bytes).unwrap();
        for (arguments, code) in [
            (&["probe", name][..], 65),
            (&["import", name], 65),
            (&["verify", name], 65),
            (&["restore", name], 65),
            (&["check", "--config", name], 78),
            (&["run", "--config", name], 78),
            (&["config", "--config", name], 78),
            (&["list", "--config", name], 78),
            (&["tag", "--config", name, "x", "y"], 78),
            (&["replay", "--config", name], 78),
            (&["plan", "--config", name], 78),
        ] {
            let run = newswire(folder.path(), arguments);
            let text = format!("{}{}", run.out, run.err);
            assert_eq!(run.code, code, "{arguments:?}\n{text}");
            let named =
                text.contains(kind) || *kind == "a binary file" && text.contains("is not a");
            assert!(named, "{arguments:?}\n{text}");
            let printable = |c: char| c == '\n' || !c.is_control() && c != '\u{fffd}';
            assert!(text.chars().all(printable), "{arguments:?}\n{text:?}");
            assert!(text.lines().count() < 12, "{arguments:?}\n{text}");
        }
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), *bytes);
    }
}

#[test]
fn a_config_or_list_in_utf_16_is_named_as_such() {
    let folder = configured(&[]);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for mark in ["", "\u{feff}"] {
        let config = format!("{mark}version = 1\n[[output]]\nid = \"planet\"\n");
        fs::write(folder.path().join("wide.toml"), wide(&config)).unwrap();
        let check = newswire(folder.path(), &["check", "--config", "wide.toml"]);
        assert_eq!(check.code, 78, "{}", check.out);
        assert!(check.out.contains("the file is text in UTF-16"), "{}", check.out);
        assert!(check.out.contains("save it as UTF-8") && !check.out.contains('\0'));
        assert!(check.out.contains("1 error, 0 warnings"), "{}", check.out);
        let feed = format!("{mark}{}", rss(&[("a", "A")]));
        fs::write(folder.path().join("wide.xml"), wide(&feed)).unwrap();
        let probe = ok(&folder, &["probe", "wide.xml"]);
        assert!(probe.out.contains("UTF-16LE"), "{}", probe.out);
    }
    fs::write(folder.path().join("urls"), wide("https://a.test/feed\n")).unwrap();
    let error = fails(&folder, 65, &["import", "urls"]);
    assert!(error.contains("save it as UTF-8"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_the_operator_forces_is_no_offence_against_manners() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(std::slice::from_ref(&url));
    ok(&folder, &["poll"]);
    let measured = || {
        let out = ok(&folder, &["manners", "--json"]).out;
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let scores = json["scores"].as_array().unwrap().clone();
        // The config of the tests puts requests to one site close together.
        let broken = |score: &serde_json::Value| score["kept"] == false && score["id"] != "FRB033";
        let kept: Vec<_> = scores.into_iter().filter(broken).collect();
        (kept, json["requests"].clone())
    };
    for forced in 1..=2 {
        ok(&folder, &["poll", "--force", &url]);
        let (broken, requests) = measured();
        assert_eq!(broken, Vec::<serde_json::Value>::new());
        assert_eq!(
            (&requests["requests"], &requests["forced"]),
            (&(forced + 1).into(), &forced.into())
        );
        assert_eq!(requests["shortest_seconds"], serde_json::Value::Null);
    }
    let text = ok(&folder, &["manners"]).out;
    assert!(text.contains("2 requests with --force, which no rule counts"), "{text}");
}

#[test]
fn the_help_fits_a_terminal_of_80_columns() {
    let folder = empty_folder();
    for arguments in [&[][..], &["--help"], &["-h"]] {
        let run = newswire(folder.path(), arguments);
        let text = format!("{}{}", run.out, run.err);
        let (_, commands) = text.split_once("Set up:").unwrap();
        let (commands, _) = commands.split_once("Options:").unwrap();
        let long: Vec<&str> = commands.lines().filter(|line| line.chars().count() > 80).collect();
        assert_eq!(long, Vec::<&str>::new());
    }
}
