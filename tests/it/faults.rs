//! Every diagnostic of a config and every failure of a feed: code, position, help.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use newswire::fetch::ResolveError;
use newswire::model::{FailureKind, FetchOutcome};
use serde_json::Value;

use crate::cli::{configured, newswire};
use crate::explain::config_codes;
use crate::support::client::Client;
use crate::support::empty_folder;
use crate::support::origin::{Answer, Names, Origin};

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Configs with one diagnostic each: text, code and position.
const FAULTS: &[(&str, &str, &str)] = &[
    ("", "missing_version", "newswire.toml"),
    ("version = 1\n[x", "syntax", "newswire.toml:2:"),
    ("[schedule]\nintervall = \"1h\"", "unknown_key", "newswire.toml:2:1"),
    ("[database]", "unknown_section", "newswire.toml:1:2"),
    ("[schedule]\nhost_spacing = \"0s\"", "zero_host_spacing", "newswire.toml:2:16"),
    ("[fetch]\nauthorization = { file = \"urls\" }", "readable_secret", "newswire.toml:2:17"),
    ("[schedule]\ninterval = 30", "wrong_type", "newswire.toml:2:12"),
    ("[log]\nlevel = \"loud\"", "unknown_value", "newswire.toml:2:9"),
    ("[schedule]\nper_host = 17", "out_of_range", "newswire.toml:2:12"),
    ("[[feed]]\ntitle = \"a\"", "missing_key", "newswire.toml:1:1"),
    ("[fetch]\ncontact = \" \"", "empty_value", "newswire.toml:2:11"),
    ("version = 2", "unsupported_version", "newswire.toml:1:11"),
    ("[schedule]\ninterval = \"soon\"", "bad_duration", "newswire.toml:2:12"),
    ("[fetch]\nmax_body = \"10\"", "bad_size", "newswire.toml:2:12"),
    ("[[feed]]\nurl = \"ftp://a.b/\"", "bad_url", "newswire.toml:2:7"),
    ("[[feed]]\nfile = \"none\"", "feed_file_unreadable", "newswire.toml:2:8"),
    ("[web]\nlisten = \"x\"", "bad_address", "newswire.toml:2:10"),
    ("[web]\nhosts = [\"https://a.b/\"]", "bad_host", "newswire.toml:2:10"),
    ("[fetch]\nallow_networks = [\"x\"]", "bad_network", "newswire.toml:2:19"),
    ("[fetch]\nuser_agent = \"Ä\"", "bad_header", "newswire.toml:2:14"),
    ("[fetch]\nuser_agent = \"Mozilla/5.0\"", "masquerading_user_agent", "newswire.toml:2:14"),
    ("[fetch]\nauthorization = \"x\"", "bad_secret", "newswire.toml:2:17"),
    ("[[output]]\nid = \"a\"\ntoken = { env = \"SHORT\" }", "bad_token", "newswire.toml:3:9"),
    ("[fetch]\nca = \"/dev/null\"", "bad_certificates", "newswire.toml:2:6"),
    ("[[output]]\nid = \"a\"\nexclude = { title = \"(\" }", "bad_regex", "newswire.toml:3:21"),
    (
        "[[feed]]\nurl = \"https://a.b/\"\nremove = [\"p:hover\"]",
        "bad_selector",
        "newswire.toml:3:11",
    ),
    ("[[output]]\nid = \"a\"\nlanguage = \"english\"", "bad_language", "newswire.toml:3:12"),
    ("[[output]]\nid = \"a\"\ntitle_prefix = \" \"", "bad_title_prefix", "newswire.toml:3:16"),
    ("[[output]]\nid = \"A\"", "bad_id", "newswire.toml:2:6"),
    ("[[subscriptions]]\nfile = \"none\"", "bad_list", "newswire.toml:2:8"),
    ("[[subscriptions]]\nfile = \"urls\"", "list_entry_skipped", "newswire.toml:2:8"),
    ("[[subscriptions]]\nfile = \"planet.ini\"", "ignored_setting", "newswire.toml:2:8"),
    ("[schedule]\ninterval = \"1m\"", "interval_too_short", "newswire.toml:2:12"),
    ("[schedule]\ninterval = \"10m\"", "interval_below_recommended", "newswire.toml:2:12"),
    ("[dedupe]\nwindow = \"30d\"", "window_too_long", "newswire.toml:2:10"),
    ("[fetch]\ntimeout = \"1h\"", "timeout_above_recommended", "newswire.toml:2:11"),
    ("[schedule]\nmin_interval = \"2d\"", "contradiction", "newswire.toml:2:16"),
    (
        "[[feed]]\nid = \"x\"\nurl = \"https://a.b/1\"\n[[feed]]\nid = \"x\"\nurl = \"https://a.b/2\"",
        "duplicate_feed",
        "newswire.toml:5:6",
    ),
    ("[[output]]\nid = \"a\"\n[[output]]\nid = \"a\"", "duplicate_output", "newswire.toml:4:6"),
    (
        "[[feed]]\nurl = \"https://a.b/1\"\n[[feed]]\nurl = \"https://a.b/1\"",
        "merged_feeds",
        "newswire.toml:4:7",
    ),
    (
        "[[feed]]\nurl = \"https://a.b/1\"\n[[feed]]\nurl = \"https://a.b/1#x\"",
        "merged_feeds",
        "newswire.toml:4:7",
    ),
    ("[schedule]\npublisher_hints = \"ignore\"", "publisher_hints_ignored", "newswire.toml:2:19"),
    (
        "[[output]]\nid = \"a\"\ncontent = \"none\"\nalso_at = \"content\"",
        "no_effect",
        "newswire.toml:4:11",
    ),
    ("[[output]]\nid = \"a\"\nicon = \"https://a.b/i.ico\"", "icon_too_small", "newswire.toml:3:8"),
    (
        "[[output]]\nid = \"a\"\nexclude = { min_words = 9, max_words = 8 }",
        "filter_matches_nothing",
        "newswire.toml:3:40",
    ),
    ("version = 1", "no_outputs", "newswire.toml"),
    ("[[feed]]\nurl = \"https://a.b/\"", "no_contact", "newswire.toml"),
    ("[web]\nlisten = \"off\"\n[[output]]\nid = \"a\"", "no_public_url", "newswire.toml:2:10"),
    (
        "[web]\nlisten = \"off\"\n[[output]]\nid = \"a\"\ndirectory = \"www\"",
        "no_link",
        "newswire.toml:3:1",
    ),
    ("[web]\nlisten = \"0.0.0.0:8420\"", "host_names_unchecked", "newswire.toml:2:10"),
    ("[[feed]]\nurl = \"http://127.0.0.1/f\"", "address_not_allowed", "newswire.toml:2:7"),
    ("[[output]]\nid = \"a\"\ninclude = { tags = [\"x\"] }", "no_such_feed", "newswire.toml:3:21"),
    ("[[output]]\nid = \"a\"\ndirectory = \"own\"", "list_not_replaced", "newswire.toml:3:13"),
];

#[test]
fn every_error_of_a_config_has_its_place_and_code() {
    let folder = empty_folder();
    write(folder.path(), "urls", "https://a.b/\nexec:rm\n");
    write(folder.path(), "planet.ini", "[https://a.b/]\nname = A\nexclude = casino\n");
    std::fs::create_dir(folder.path().join("own")).unwrap();
    write(folder.path(), "own/subscriptions.opml", "<opml/>");
    for (text, code, place) in FAULTS {
        write(folder.path(), "newswire.toml", text);
        let mut check = Command::cargo_bin("newswire").unwrap();
        check.current_dir(folder.path()).env_clear().env("SHORT", "short").arg("check");
        let output = check.output().unwrap();
        let drawn = String::from_utf8(output.stdout).unwrap();
        let told = drawn.split("\n\n").find(|fault| fault.contains(&format!("[{code}]")));
        let told = told.unwrap_or_else(|| panic!("{code} is not told of\n{text}\n=>\n{drawn}"));
        assert!(told.contains(&format!("--> {place}")), "{code}: no {place} in\n{told}");
    }
    write(folder.path(), "newswire.toml", "[log]\nlevel = \"info\"\n");
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    write(folder.path(), "conf.d/a.toml", "[log]\nlevel = \"warn\"\n");
    let said = newswire(folder.path(), &["check"]);
    assert!(
        said.out.contains("[duplicate_key]") && said.out.contains("a.toml:2:1"),
        "{}",
        said.out
    );
    let empty = empty_folder();
    let said = newswire(empty.path(), &["check", "--config", "none.toml"]);
    assert!(
        said.out.contains("[unreadable]") && said.out.contains("newswire init"),
        "{}",
        said.out
    );
    let provoked: BTreeSet<&str> = FAULTS.iter().map(|(_, code, _)| *code).collect();
    // The others are provoked there, each with its place and what was meant.
    let there = [
        include_str!("config/doubts.rs"),
        include_str!("mistakes/output.rs"),
        include_str!("mistakes/places.rs"),
        include_str!("mistakes/server.rs"),
        include_str!("mistakes/syntax.rs"),
    ];
    // Who may write everywhere, as root in a container, cannot provoke the last one.
    let apart = ["unreadable", "not_utf8", "duplicate_key", "unwritable", "unknown_variable"];
    for code in config_codes().filter(|code| !apart.contains(code)) {
        let named = |text: &&str| text.contains(&format!("\"{code}\""));
        let told = provoked.contains(code) || there.iter().any(named);
        assert!(told, "{code}: write a config that has it");
    }
}

/// Feeds that fail: path, which is the code, response, and a part of the help.
fn failures() -> Vec<(&'static str, Answer, &'static str)> {
    let raw = |text: &str| Answer::Raw(text.as_bytes().to_vec());
    vec![
        ("bad_url", Answer::redirect(302, "ftp://a.example/"), "open the URL in a browser"),
        ("unauthorized", Answer::status(401), "set authorization"),
        ("forbidden", Answer::status(403), "ask the site owner for access"),
        ("not_found", Answer::status(404), "look for the new URL"),
        ("client_error", Answer::status(418), "check the URL"),
        ("server_error", Answer::status(500), "polls the feed again later"),
        ("too_large", Answer::ok(vec![b'x'; 3000]), "raise max_body"),
        ("bad_coding", Answer::ok("x").with("Content-Encoding", "compress"), "report this"),
        ("not_a_feed", Answer::ok("<html><body/></html>"), "look for the URL"),
        ("malformed", Answer::ok("{\"items\": ["), "report it to the publisher"),
        (
            "truncated",
            raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>"),
            "polls the feed again later",
        ),
        ("connection_reset", raw(""), "polls the feed again later"),
        ("bad_response", raw("nonsense\r\n\r\n"), "report it to the site owner"),
        ("timeout", Answer::Stall(Vec::new()), "raise timeout"),
        ("too_many_redirects", Answer::redirect(302, "/too_many_redirects"), "to the final URL"),
        ("blocked_address", Answer::redirect(302, "http://10.0.0.1/"), "allow_networks"),
        ("connect_failed", Answer::redirect(302, "http://255.255.255.255/"), "with curl"),
    ]
}

/// Changes the config: small documents, short time limits, many polls at a time.
fn with_tight_limits(folder: &Path) {
    let text = std::fs::read_to_string(folder.join("newswire.toml")).unwrap();
    let limits = "[\"127.0.0.1\", \"255.255.255.255\"]\nmax_body = \"2 KiB\"\ntimeout = \"2s\"";
    let text = text
        .replace("[\"127.0.0.1\"]", limits)
        .replace("[schedule]\n", "[schedule]\nper_host = 16\n");
    write(folder, "newswire.toml", text);
}

/// Failures that are tested in `tls.rs`, `redirects.rs` and `feed_files.rs`; a panic needs a bug in Newswire.
const ELSEWHERE: &[&str] = &[
    "tls_failed",
    "no_tls",
    "insecure_redirect",
    "different_feed",
    "panicked",
    "feed_file_unreadable",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_a_feed_has_a_code_and_help() {
    let origin = Origin::start().await;
    let mut urls = Vec::new();
    for (slug, answer, _) in failures() {
        let path = format!("/{slug}");
        origin.route("127.0.0.1", &path, [answer]);
        urls.push(origin.url("127.0.0.1", &path).to_string());
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    urls.push(format!("http://{closed}/connection_refused"));
    let folder = configured(&urls);
    with_tight_limits(folder.path());
    let polled = newswire(folder.path(), &["poll"]);
    assert_eq!(polled.code, 0, "{}", polled.err);
    let status = newswire(folder.path(), &["status", "--json"]);
    assert_eq!(status.code, 2, "no feed is well");
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let mut told = BTreeSet::new();
    let all = failures().into_iter().map(|(slug, _, remedy)| (slug, remedy));
    let all = all.chain([("connection_refused", "check the port")]);
    let printed = |slug: &str| {
        polled.out.lines().find(|line| line.contains(&format!("({slug})"))).unwrap_or_default()
    };
    for (slug, remedy) in all {
        let feeds = status["feeds"].as_array().unwrap();
        let ends = format!("/{slug}");
        let feed =
            feeds.iter().find(|feed| feed["url"].as_str().unwrap().ends_with(&ends)).unwrap();
        let (outcome, message) = (&feed["last_outcome"], feed["last_message"].as_str().unwrap());
        assert!(outcome == slug, "{slug}: {outcome}: {message}");
        assert!(printed(slug).contains(remedy), "{slug}: no {remedy:?} in {:?}", printed(slug));
        assert!(!message.contains(remedy), "{slug}: the message contains the help");
        told.insert(slug);
    }
    for (error, remedy) in [
        (ResolveError::NotFound("a.test".to_owned()), "check the URL"),
        (
            ResolveError::Failed("a.test".to_owned(), "x".to_owned()),
            "check the name servers of this machine (/etc/resolv.conf)",
        ),
    ] {
        let client = Client::new(Names::but("a.test", Err(error)));
        let response = client.get(&"http://a.test/".parse().unwrap()).await;
        let FetchOutcome::Failed(failure) = response.outcome else { panic!("it was found") };
        assert!(failure.message.contains("a.test"), "{failure}");
        assert_eq!(failure.help.as_deref(), Some(remedy));
        told.insert(failure.kind.slug());
    }
    for kind in FailureKind::ALL {
        let slug = kind.slug();
        assert!(told.contains(slug) || ELSEWHERE.contains(&slug), "{slug} is not provoked");
    }
}
