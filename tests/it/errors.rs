//! Every error that ends a command, provoked: its code, its exit code, the place that it names and what it
//! tells to do.

use std::path::Path;
use std::process::{Command, Stdio};

use newswire::clock::Clock;
use newswire::store::Store;

use crate::cli::{Said, configured, local, newswire};
use crate::support::origin::{Answer, Origin};
use crate::support::world::rss;

/// A command that fails: its arguments, the code, the exit code, the place and the remedy that it names.
type Case<'a> = (&'a [&'a str], &'a str, i32, &'a str, &'a str);

fn held(said: &Said, (arguments, code, exit, place, remedy): Case<'_>) {
    let whole = format!("{arguments:?}: {}\n{}", said.code, said.err);
    assert_eq!(said.code, exit, "{whole}");
    assert!(said.err.ends_with(&format!("newswire explain {code}\n")), "{code}: {whole}");
    assert!(said.err.contains(place), "no {place:?} in {whole}");
    assert!(said.err.contains(remedy), "no {remedy:?} in {whole}");
    // The bare words of the system help nobody.
    assert!(!said.err.contains("newswire: No such") && !said.err.contains("error: os error"));
}

fn hold(folder: &Path, case: Case<'_>) {
    held(&newswire(folder, case.0), case);
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
fn a_command_line_without_sense_and_a_config_that_is_not_there() {
    let empty = tempfile::tempdir().unwrap();
    for case in [
        (&["frobnicate"][..], "usage", 64, "frobnicate", "--help"),
        (&["run"], "no_config", 66, "/etc/newswire", "newswire init"),
        (&["explain", "zzz"], "unknown_code", 64, "\"zzz\"", "newswire status"),
        (&["init", "no/such/x.toml"], "file_unwritable", 73, "no/such/x.toml", "choose a folder"),
        (&["man", "/dev/null/x"], "file_unwritable", 73, "/dev/null/x", "choose a folder"),
        (&["probe", "no-such"], "file_unreadable", 66, "no-such", "name a file"),
        (&["import", "no-such"], "list_unreadable", 66, "no-such", "name a file"),
        (&["add", "mailto:a@b.c"], "bad_feed_address", 64, "mailto:a@b.c", "write it as"),
        (&["add", "https://a:b@c.d/"], "secret_in_address", 64, "address", "authorization"),
    ] {
        hold(empty.path(), case);
    }
    newswire(empty.path(), &["init"]);
    for case in [
        (&["init"][..], "file_exists", 73, "newswire.toml", "name another file"),
        (&["status"], "no_database", 66, "newswire.db", "newswire run"),
        (&["reload"], "not_running", 69, "newswire.sock", "newswire run"),
        (&["replay", "--since", "soon"], "bad_age", 64, "--since", "a number and a unit"),
    ] {
        hold(empty.path(), case);
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
        (&broken, "config_has_errors", 78, "broken.toml:2:1", "did you mean \"interval\"?"),
    ] {
        hold(folder.path(), case);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_several_feeds_is_a_choice_of_the_operator() {
    let origin = Origin::start().await;
    let link = |path: &str| {
        format!("<link rel='alternate' type='application/rss+xml' href='{path}' title='T'/>")
    };
    let page = format!("<html><head>{}{}</head><body/></html>", link("/a"), link("/b"));
    origin.route("127.0.0.1", "/", [Answer::ok(page)]);
    let folder = configured(&[]);
    let url = origin.url("127.0.0.1", "/").to_string();
    let arguments = ["add", &url];
    hold(folder.path(), (&arguments, "several_feeds", 64, &url, "newswire add http://127.0.0.1"));
}

#[test]
fn lists_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let outline = |n: usize| format!("<outline xmlUrl='https://example.org/{n}'/>");
    let outlines: String = (0..20_001).map(outline).collect();
    let lists: [(&str, Vec<u8>, &str, &str); 7] = [
        ("large", vec![b'x'; (10 << 20) + 1], "list_too_large", "10 MiB"),
        (
            "long",
            format!("<opml><body>{outlines}</body></opml>").into_bytes(),
            "list_too_long",
            "several lists",
        ),
        ("bytes", b"https://a.example/\xff\xfe".to_vec(), "list_encoding", "UTF-8"),
        ("empty", Vec::new(), "list_empty", "once more"),
        ("feed", rss(&[("a", "A")]).into_bytes(), "not_a_list", "a list is OPML"),
        ("cut", b"<opml><body><outline text='a".to_vec(), "list_broken", "once more"),
        ("bare", b"<opml><body/></opml>".to_vec(), "list_without_feeds", "entry by entry"),
    ];
    for (name, bytes, code, remedy) in lists {
        write(folder.path(), name, bytes);
        hold(folder.path(), (&["import", name], code, 65, name, remedy));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_and_items_that_are_not_there() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed"), local(&origin, "/other")]);
    newswire(folder.path(), &["poll"]);
    let page = "https://site.test/a";
    for case in [
        (&["poll", "nobody"][..], "unknown_feed", 64, "\"nobody\"", "newswire status"),
        (&["release", "nobody"], "unknown_feed", 64, "\"nobody\"", "newswire status"),
        (&["why", "nobody"], "unknown_item", 64, "\"nobody\"", "newswire why"),
        (&["split", page], "several_items", 64, page, "by its number"),
        (&["join", "1", "1"], "same_item", 64, "\"1\"", "name another one"),
    ] {
        hold(folder.path(), case);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_room() {
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
        Said { code, out: String::new(), err: String::from_utf8(err).unwrap() }
    };
    for (arguments, code, exit, place, remedy) in [
        (&["replay"][..], "no_room_for_copy", 73, "/no/such", "set TMPDIR"),
        (&["poll", "--dry-run"], "no_room_for_copy", 73, "/no/such", "set TMPDIR"),
        (&["demo"], "demo_cannot_start", 69, "/no/such", "temporary folder"),
    ] {
        let said = bare(arguments, Stdio::null());
        held(&said, (arguments, code, exit, place, remedy));
    }
    let arguments = &["probe", "--conformance"];
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let said = bare(arguments, full.into());
    held(&said, (arguments, "broken_pipe", 74, "standard output", "run it once more"));
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
        hold(at, (&["poll"], "database_in_use", 75, "newswire.db", "stop that one first"));
        sql("PRAGMA user_version = 1");
        hold(at, (&["split", "1"], "database_older", 74, "newswire.db", "move the file aside"));
        sql(&format!("PRAGMA user_version = {known}"));
    }
    sql("PRAGMA user_version = 99");
    hold(at, (&["status"], "database_newer", 65, "schema 99", "install the newer"));
    sql(&format!("PRAGMA user_version = {known}"));
    sql("UPDATE feed SET profile = 'x'");
    hold(at, (&["status"], "database_unreadable", 74, "database", "restore a copy"));
    sql("UPDATE feed SET profile = '{}'; ALTER TABLE item RENAME TO gone");
    hold(at, (&["why", "1"], "store_bug", 74, "database", "please report this"));
    sql("PRAGMA application_id = 7");
    hold(at, (&["status"], "database_foreign", 65, "newswire.db", "another [store] path"));
    write(at, "newswire.db", vec![7; 8192]);
    hold(at, (&["status"], "database_broken", 74, "newswire.db", "check that it is"));
    with(at, "elsewhere.toml", "[schedule]", "hints = \"heed\"");
    let text = std::fs::read_to_string(at.join("elsewhere.toml")).unwrap();
    write(at, "elsewhere.toml", format!("{text}[store]\npath = \"newswire.toml/x.db\"\n"));
    let arguments = ["poll", "--config", "elsewhere.toml"];
    hold(
        at,
        (&arguments, "database_unreachable", 73, "newswire.toml/x.db", "check that its folder"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_and_addresses_that_cannot_be_had() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    let at = folder.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = taken.local_addr().unwrap().to_string();
    with(at, "taken.toml", "[web]", &format!("listen = \"{here}\""));
    let run = ["run", "--config", "taken.toml"];
    hold(at, (&run, "address_in_use", 69, &here, "[web] listen"));
    with(at, "elsewhere.toml", "[web]", "listen = \"192.0.2.1:8420\"");
    let run = ["run", "--config", "elsewhere.toml"];
    hold(at, (&run, "address_elsewhere", 69, "192.0.2.1:8420", "[web] listen"));
}

/// What a test cannot bring about on any machine, made by hand: it must read as well as the others.
#[test]
fn what_cannot_be_provoked_tells_what_to_do_all_the_same() {
    use newswire::cli::subscribe;
    use newswire::model::Coded;
    use newswire::{daemon, outputs, store};
    let io = |kind: std::io::ErrorKind| std::io::Error::from(kind);
    let listen =
        |kind| daemon::Error::Listen { address: "127.0.0.1:80".parse().unwrap(), source: io(kind) };
    let other = std::io::ErrorKind::Other;
    let check = outputs::Error::Check {
        name: "planet.atom".to_owned(),
        source: newswire::render::CheckError::DuplicateId("x".to_owned()),
    };
    let write = outputs::Error::Write { path: "www/planet.atom".into(), source: io(other) };
    let made: [(&dyn Coded, &str, &str, &str); 10] = [
        (&write, "output_unwritable", "www/planet.atom", "check that"),
        (&subscribe::Error::Changed("a.toml".into()), "config_changed", "a.toml", "once more"),
        (
            &subscribe::Error::Replace("a.toml".into(), io(other)),
            "config_unwritable",
            "a.toml",
            "its folder must allow it",
        ),
        (&newswire::cli::fault::Fault::Runtime(io(other)), "no_runtime", "threads", "raise"),
        (&store::Error::Closed, "store_ended", "database", "start newswire again"),
        (&check, "publish_check", "planet.atom", "please report"),
        (
            &outputs::Error::Panicked("planet".to_owned()),
            "publish_panicked",
            "planet",
            "please report",
        ),
        (&listen(std::io::ErrorKind::PermissionDenied), "address_denied", "127.0.0.1:80", "[web]"),
        (&listen(other), "address_unusable", "127.0.0.1:80", "[web] listen"),
        (&listen(std::io::ErrorKind::AddrInUse), "address_in_use", "127.0.0.1:80", "[web] listen"),
    ];
    for (error, code, place, remedy) in made {
        let said = error.to_string();
        assert_eq!(error.code(), code);
        assert!(said.contains(place) && said.contains(remedy), "{code}: {said}");
    }
}
