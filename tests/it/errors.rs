//! Errors that end a command: code, exit code, the place that the message names, and the help.

use std::path::Path;
use std::process::{Command, Stdio};

use newswire::clock::Clock;
use newswire::store::Store;

use crate::cli::{Finished, configured, local, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A command that fails: arguments, code, exit code, a part of the message, a part of the help.
pub(crate) type Case<'a> = (&'a [&'a str], &'a str, i32, &'a str, &'a str);

fn assert_error(run: &Finished, (arguments, code, exit, place, remedy): Case<'_>) {
    let whole = format!("{arguments:?}: {}\n{}", run.code, run.err);
    assert_eq!(run.code, exit, "{whole}");
    assert!(run.err.ends_with(&format!("newswire explain {code}\n")), "{code}: {whole}");
    assert!(run.err.contains(place), "no {place:?} in {whole}");
    assert!(run.err.contains(remedy), "no {remedy:?} in {whole}");
    // The message of the system alone is not enough.
    assert!(!run.err.contains("newswire: No such") && !run.err.contains("error: os error"));
}

pub(crate) fn assert_fails(folder: &Path, case: Case<'_>) {
    assert_error(&newswire(folder, case.0), case);
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// The same config with one line more in a table.
fn with(folder: &Path, name: &str, table: &str, line: &str) {
    let text = std::fs::read_to_string(folder.join("newswire.toml")).unwrap();
    let table = format!("{table}\n");
    let key = line.split(' ').next().unwrap();
    let (before, behind) = text.split_once(&table).unwrap();
    let behind: String = match behind.strip_prefix(&format!("{key} = ")) {
        Some(old) => old.split_once('\n').unwrap().1.to_owned(),
        None => behind.to_owned(),
    };
    write(folder, name, format!("{before}{table}{line}\n{behind}"));
}

#[test]
fn an_invalid_command_line_and_a_missing_config() {
    let empty = empty_folder();
    for case in [
        (&["frobnicate"][..], "usage", 64, "frobnicate", "--help"),
        (&["poll"], "no_config", 66, "/etc/newswire", "newswire init"),
        (&["explain", "zzz"], "unknown_name", 64, "\"zzz\"", "newswire status"),
        (&["init", "/dev/null/x.toml"], "file_unwritable", 73, "/dev/null/", "choose a folder"),
        (&["man", "/dev/null/x"], "file_unwritable", 73, "/dev/null/x", "choose a folder"),
        (&["probe", "no-such"], "file_unreadable", 66, "no-such", "name a file"),
        (&["import", "no-such"], "list_unreadable", 66, "no-such", "name a file"),
        (&["add", "mailto:a@b.c"], "invalid_feed_url", 64, "mailto:a@b.c", "write it as"),
        (&["add", "https//c.d/x"], "invalid_feed_url", 64, "https//c.d/x", "\"https://c.d/x\""),
        (&["add", "https://a:b@c.d/"], "password_in_url", 64, "URL", "authorization"),
    ] {
        assert_fails(empty.path(), case);
    }
    newswire(empty.path(), &["init"]);
    for case in [
        (&["init"][..], "file_exists", 73, "newswire.toml", "name another file"),
        (&["status"], "no_database", 66, "newswire.db", "newswire run"),
        (&["reload"], "not_running", 69, "newswire.sock", "newswire run"),
        (&["replay", "--since", "soon"], "invalid_duration", 64, "--since", "a number and a unit"),
    ] {
        assert_fails(empty.path(), case);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_cannot_be_appended_to() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(&[]);
    write(folder.path(), "broken.toml", "[schedule]\nintervall = \"1h\"\n");
    write(folder.path(), "urls", "https://example.org/feed\n");
    let add = ["add", &url, "--config", "none.toml"];
    let broken = ["import", "urls", "--append", "--config", "broken.toml"];
    for case in [
        (&add[..], "config_unreadable", 66, "none.toml", "newswire init"),
        (&broken, "config_has_errors", 78, "broken.toml:2:1", "newswire check"),
    ] {
        assert_fails(folder.path(), case);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_several_feeds() {
    let origin = Origin::start().await;
    let link = |path: &str| {
        format!("<link rel='alternate' type='application/rss+xml' href='{path}' title='T'/>")
    };
    let page = format!("<html><head>{}{}</head><body/></html>", link("/a"), link("/b"));
    origin.route("127.0.0.1", "/", [Answer::ok(page)]);
    let folder = configured(&[]);
    let url = origin.url("127.0.0.1", "/").to_string();
    let arguments = ["add", &url];
    assert_fails(
        folder.path(),
        (&arguments, "multiple_feeds", 64, &url, "newswire add http://127.0.0.1"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_feeds_and_one_whose_feed_has_another_type() {
    let origin = Origin::start().await;
    let link = |path: &str| format!("<link rel=alternate type=application/json href={path}>");
    let page = format!("<title>x</title>{}{}", link("/api"), link("/feed"));
    let feed = r#"{"version": "https://jsonfeed.org/version/1", "title": "J", "items": []}"#;
    origin.route("127.0.0.1", "/", [Answer::ok(page)]);
    origin.route("127.0.0.1", "/api", [Answer::ok("{}")]);
    origin.route("127.0.0.1", "/feed", [Answer::ok(feed)]);
    origin.route("127.0.0.1", "/none", [Answer::ok("<p>no feeds <a href=/x>here</a>")]);
    let folder = configured(&[]);
    let none = origin.url("127.0.0.1", "/none").to_string();
    assert_fails(folder.path(), (&["add", &none], "no_feed_linked", 65, &none, "rss.xml"));
    assert_eq!(origin.count(), 1, "usual paths are only offered");
    let url = origin.url("127.0.0.1", "/").to_string();
    let added = newswire(folder.path(), &["add", &url]);
    assert_eq!(added.code, 0, "{}", added.err);
    assert_eq!(origin.count(), 1 + 2, "the likeliest is fetched, once: {:?}", origin.asked());
    let config = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    assert!(config.contains("/feed\""), "{config}");
}

#[test]
fn invalid_lists_of_feeds() {
    let folder = empty_folder();
    let outline = |n: usize| format!("<outline xmlUrl='https://example.org/{n}'/>");
    let outlines: String = (0..20_001).map(outline).collect();
    let lists: [(&str, Vec<u8>, &str, &str); 7] = [
        ("large", vec![b'x'; (10 << 20) + 1], "list_too_large", "10 MiB"),
        (
            "long",
            format!("<opml><body>{outlines}</body></opml>").into_bytes(),
            "list_too_many_entries",
            "several lists",
        ),
        ("bytes", b"https://a.example/\xff\xfe".to_vec(), "list_not_utf8", "UTF-8"),
        ("empty", Vec::new(), "list_empty", "again"),
        ("feed", rss(&[("a", "A")]).into_bytes(), "not_a_feed_list", "a list is OPML"),
        ("cut", b"<opml><body><outline text='a".to_vec(), "list_malformed", "again"),
        ("bare", b"<opml><body/></opml>".to_vec(), "list_without_feeds", "xmlUrl"),
    ];
    for (name, bytes, code, remedy) in lists {
        write(folder.path(), name, bytes);
        assert_fails(folder.path(), (&["import", name], code, 65, name, remedy));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_feeds_and_items() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed"), local(&origin, "/other")]);
    newswire(folder.path(), &["poll"]);
    let page = "https://site.test/a";
    for case in [
        (&["poll", "nobody"][..], "unknown_feed", 64, "\"nobody\"", "newswire list"),
        (&["release", "nobody"], "unknown_feed", 64, "\"nobody\"", "newswire list"),
        (&["why", "nobody"], "unknown_item", 64, "\"nobody\"", "newswire list"),
        (&["split", page], "ambiguous_item", 64, page, "by its number"),
        (&["join", "1", "1"], "same_item", 64, "\"1\"", "name another item"),
    ] {
        assert_fails(folder.path(), case);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_folder_that_does_not_exist() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    newswire(folder.path(), &["poll"]);
    let bare = |arguments: &[&str], out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_newswire"));
        command.current_dir(folder.path()).env_clear().env("TMPDIR", "/no/such").args(arguments);
        let list = std::fs::File::open(folder.path().join("newswire.toml")).unwrap();
        let child = command.stdin(list).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let (code, err) = (output.status.code().unwrap_or(-1), output.stderr);
        Finished { code, out: String::new(), err: String::from_utf8(err).unwrap() }
    };
    for (arguments, code, exit, place, remedy) in [
        (&["replay"][..], "temp_dir_unusable", 73, "/no/such", "set TMPDIR"),
        (&["poll", "--dry-run"], "temp_dir_unusable", 73, "/no/such", "set TMPDIR"),
        (&["demo"], "demo_cannot_start", 69, "/no/such", "temporary folder"),
    ] {
        let run = bare(arguments, Stdio::null());
        assert_error(&run, (arguments, code, exit, place, remedy));
    }
    let arguments = &["probe", "--conformance"];
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = bare(arguments, full.into());
    assert_error(&run, (arguments, "stdio_failed", 74, "standard output", "repeat the command"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let at = folder.path();
    newswire(at, &["poll"]);
    let database = at.join("newswire.db");
    let sql =
        |sql: &str| rusqlite::Connection::open(&database).unwrap().execute_batch(sql).unwrap();
    let known = newswire::store::SCHEMA;
    {
        let _store = Store::open(&database, Clock::system()).unwrap();
        assert_fails(at, (&["poll"], "database_in_use", 75, "newswire.db", "stop that process"));
        sql("PRAGMA user_version = 1");
        assert_fails(
            at,
            (&["split", "1"], "database_older", 65, "newswire.db", "move the file away"),
        );
        sql(&format!("PRAGMA user_version = {known}"));
    }
    // A dry run works on a copy, and names the database.
    for (schema, code) in [(1, "database_older"), (99, "database_newer")] {
        sql(&format!("PRAGMA user_version = {schema}"));
        let said = "the database newswire.db has schema";
        assert_fails(at, (&["poll", "--dry-run"], code, 65, said, "version"));
    }
    sql("PRAGMA user_version = 99");
    assert_fails(at, (&["status"], "database_newer", 65, "schema 99", "install the newer"));
    sql(&format!("PRAGMA user_version = {known}"));
    sql("UPDATE feed SET profile = 'x'");
    assert_fails(at, (&["status"], "database_unreadable", 74, "database", "restore a copy"));
    sql("UPDATE feed SET profile = '{}'; ALTER TABLE item RENAME TO gone");
    assert_fails(at, (&["why", "1"], "database_damaged", 74, "newswire.db", "newswire repair"));
    sql("PRAGMA application_id = 7");
    assert_fails(
        at,
        (&["status"], "database_of_other_program", 65, "newswire.db", "another path in [store]"),
    );
    write(at, "newswire.db", vec![7; 8192]);
    assert_fails(at, (&["status"], "database_damaged", 74, "newswire.db", "restore FILE"));
    write(at, "newswire.db", "");
    assert_fails(at, (&["status"], "database_empty", 66, "newswire.db", "newswire poll"));
    with(at, "elsewhere.toml", "[schedule]", "publisher_hints = \"follow\"");
    let text = std::fs::read_to_string(at.join("elsewhere.toml")).unwrap();
    write(at, "elsewhere.toml", format!("{text}[store]\npath = \"newswire.toml/x.db\"\n"));
    let arguments = ["poll", "--config", "elsewhere.toml"];
    assert_fails(
        at,
        (&arguments, "database_folder_unusable", 73, "newswire.toml/x.db", "check that the folder"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_and_addresses_that_cannot_be_used() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let at = folder.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = taken.local_addr().unwrap().to_string();
    with(at, "taken.toml", "[web]", &format!("listen = \"{here}\""));
    let run = ["run", "--config", "taken.toml"];
    assert_fails(at, (&run, "address_in_use", 69, &here, "[web] listen"));
    with(at, "elsewhere.toml", "[web]", "listen = \"192.0.2.1:8420\"");
    let run = ["run", "--config", "elsewhere.toml"];
    assert_fails(at, (&run, "address_not_available", 69, "192.0.2.1:8420", "[web] listen"));
}

/// Errors that cannot be caused on every machine.
#[test]
fn errors_that_cannot_be_provoked_have_help_too() {
    use newswire::cli::append_feeds;
    use newswire::cli::exit::CommandError;
    use newswire::model::Coded;
    use newswire::{daemon, outputs, store};
    let io = |kind: std::io::ErrorKind| std::io::Error::from(kind);
    let listen =
        |kind| daemon::Error::Listen { address: "127.0.0.1:80".parse().unwrap(), source: io(kind) };
    let other = std::io::ErrorKind::Other;
    let socket = daemon::Error::Listen {
        address: "unix:/no/web.sock".parse().unwrap(),
        source: io(std::io::ErrorKind::NotFound),
    };
    let check = outputs::Error::Check {
        name: "planet.atom".to_owned(),
        source: newswire::render::CheckError::DuplicateId("x".to_owned()),
    };
    let write = outputs::Error::Write { path: "www/planet.atom".into(), source: io(other) };
    let made: [(&dyn Coded, &str, &str, &str); 11] = [
        (&write, "output_unwritable", "www/planet.atom", "check that"),
        (&append_feeds::Error::Changed("a.toml".into()), "config_changed", "a.toml", "repeat"),
        (
            &append_feeds::Error::Replace("a.toml".into(), io(other)),
            "config_unwritable",
            "a.toml",
            "can write to the folder",
        ),
        (&CommandError::Runtime(io(other)), "no_threads", "threads", "raise"),
        (&store::Error::Closed, "store_ended", "database", "start newswire again"),
        (&check, "document_check_failed", "planet.atom", "please report"),
        (
            &outputs::Error::Panicked("planet".to_owned()),
            "render_panicked",
            "planet",
            "please report",
        ),
        (
            &listen(std::io::ErrorKind::PermissionDenied),
            "address_not_permitted",
            "127.0.0.1:80",
            "[web]",
        ),
        (&socket, "socket_unusable", "unix:/no/web.sock", "/run/newswire"),
        (&listen(other), "address_unusable", "127.0.0.1:80", "[web] listen"),
        (&listen(std::io::ErrorKind::AddrInUse), "address_in_use", "127.0.0.1:80", "[web] listen"),
    ];
    for (error, code, place, remedy) in made {
        let (text, help) = (error.to_string(), error.help().unwrap());
        assert_eq!(error.code(), code);
        assert!(text.contains(place) && help.contains(remedy), "{code}: {text}\n{help}");
    }
}

#[test]
fn a_feed_does_not_get_the_url_of_another_one() {
    let folder = empty_folder();
    let feeds =
        ["https://a.test/", "https://b.test/"].map(|url| format!("[[feed]]\nurl = \"{url}\"\n"));
    write(folder.path(), "newswire.toml", format!("version = 1\n{}", feeds.concat()));
    let arguments = ["set", "https://b.test/", "url=https://a.test/"];
    let place = "another feed has this URL";
    assert_fails(folder.path(), (&arguments, "invalid_value", 64, place, "newswire list"));
}

#[tokio::test(flavor = "multi_thread")]
async fn probe_and_add_request_nothing_with_a_broken_config() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(&[]);
    let valid = std::fs::read_to_string(folder.path().join("newswire.toml")).unwrap();
    write(folder.path(), "feed.xml", rss(&[("a", "A")]));
    for line in ["kontact = \"x\"\n[fetch]\n", "[fetch\n"] {
        write(folder.path(), "newswire.toml", valid.replace("[fetch]\n", line));
        for command in [&["probe", &*url][..], &["add", "--print", &url]] {
            let run = newswire(folder.path(), command);
            assert_eq!((run.code, run.out.as_str()), (78, ""), "{command:?}: {}", run.err);
            assert!(run.err.contains("newswire.toml:"), "{}", run.err);
        }
        // A file needs no config.
        assert_eq!(newswire(folder.path(), &["probe", "feed.xml"]).code, 0);
    }
    assert_eq!(origin.count(), 0);
}
