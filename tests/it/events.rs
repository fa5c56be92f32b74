//! The log: every event is as documented, and goes to the right place.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use assert_cmd::cargo::CommandCargoExt as _;
use newswire::daemon::FeedSelection;
use newswire::telemetry::Event;
use serde_json::Value;
use tracing::level_filters::LevelFilter;

use crate::service::{heard, notified, signal};
use crate::support::empty_folder;
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss};

/// A row of docs/reference/events.md.
struct Row {
    level: String,
    id: String,
    /// Fields that every line has.
    always: BTreeSet<String>,
    sometimes: BTreeSet<String>,
}

fn rows() -> HashMap<String, Row> {
    let docs = include_str!("../../docs/reference/events.md");
    let cells = |line: &str| {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        (cells.len() == 7).then_some(cells)
    };
    let row = |cells: Vec<String>| {
        let fields = |optional: bool| {
            let words = cells[4].split_whitespace();
            let words = words.filter(|word| word.ends_with('?') == optional);
            words.map(|word| word.trim_matches(['`', '?']).to_owned()).collect()
        };
        let row = Row {
            level: cells[2].clone(),
            id: cells[3].trim_matches('`').to_owned(),
            always: fields(false),
            sometimes: fields(true),
        };
        (cells[1].trim_matches('`').to_owned(), row)
    };
    docs.lines().filter(|line| line.starts_with("| `")).filter_map(cells).map(row).collect()
}

#[test]
fn the_reference_lists_every_event_with_its_message_id() {
    let rows = rows();
    let known: BTreeSet<&str> = Event::ALL.iter().map(|event| event.slug()).collect();
    assert_eq!(rows.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for event in Event::ALL {
        assert_eq!(rows[event.slug()].id, event.message_id(), "{}", event.slug());
    }
}

#[test]
fn the_catalog_has_cause_and_remedy_of_every_event() {
    let rows = rows();
    let catalog = include_str!("../../systemd/newswire.catalog");
    let mut entries: HashMap<&str, &str> = HashMap::new();
    for entry in catalog.split("\n-- ").skip(1) {
        let (id, text) = entry.split_once('\n').unwrap();
        assert_eq!(entries.insert(id, text), None, "{id} twice");
    }
    assert_eq!(entries.len(), Event::ALL.len());
    for event in Event::ALL {
        let text = entries[event.message_id()];
        let (head, body) = text.split_once("\n\n").unwrap();
        assert!(
            head.starts_with("Subject: ") && head.ends_with("\nDefined-By: newswire"),
            "{text}"
        );
        let (cause, remedy) = body.split_once("\n\n").expect("a cause, and behind it what to do");
        assert!(cause.len() > 40 && remedy.trim().len() > 20, "{text}");
        let row = &rows[event.slug()];
        for name in text.split('@').skip(1).step_by(2) {
            let field = name.strip_prefix("NEWSWIRE_").expect(name).to_ascii_lowercase();
            let has = row.always.contains(&field) || row.sometimes.contains(&field);
            assert!(has, "{}: @{name}@ is no field of it", event.slug());
        }
        assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    }
}

/// A log in memory, one JSON object a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Collects what this thread logs until the guard is dropped.
    fn open() -> (Self, tracing::subscriber::DefaultGuard) {
        // While there is one listener alone, tracing asks only it, on whichever thread: another test
        // that logs nothing would then turn a line off for this one.
        static OTHER: OnceLock<tracing::Dispatch> = OnceLock::new();
        let deaf = || tracing_subscriber::fmt().with_max_level(LevelFilter::OFF).finish().into();
        OTHER.get_or_init(deaf);
        let log = Self::default();
        let writer = log.clone();
        let json = tracing_subscriber::fmt().json().flatten_event(true).with_target(false);
        let json = json.with_max_level(tracing::Level::INFO).with_writer(move || writer.clone());
        (log, tracing::subscriber::set_default(json.finish()))
    }

    /// What was logged since the last call.
    fn take(&self) -> Vec<Value> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        let lines = String::from_utf8(lines).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// Compares a line with its row in the reference.
fn is_as_documented(line: &Value, rows: &HashMap<String, Row>) {
    let row = &rows[line["event"].as_str().expect("an event")];
    assert_eq!(line["level"], row.level, "{line}");
    let fixed = ["event", "timestamp", "level", "message"].map(str::to_owned);
    let has: BTreeSet<String> = line.as_object().unwrap().keys().cloned().collect();
    let must: BTreeSet<String> = row.always.iter().cloned().chain(fixed).collect();
    assert!(must.is_subset(&has), "{:?} are missing in {line}", must.difference(&has));
    let may: BTreeSet<String> = row.sometimes.union(&must).cloned().collect();
    assert!(has.is_subset(&may), "{:?} are not in the documents", has.difference(&may));
}

#[tokio::test]
async fn changes_of_a_feed_and_of_its_state_are_logged_once() {
    let world = World::new().await;
    let ok = || Answer::ok(rss(&[("a", "A")]));
    let more = Answer::ok(rss(&[("b", "B"), ("a", "A")]));
    let slow = || Answer::status(429).with("Retry-After", "60");
    let answers = [ok(), ok(), Answer::status(500), Answer::status(500), slow(), slow()];
    let then = [Answer::status(410), Answer::status(410), ok(), more];
    world.origin.route("site.test", "/feed", answers.into_iter().chain(then));
    let url = world.origin.url("site.test", "/feed");
    let engine = world.open(std::slice::from_ref(&url)).await;
    let rows = rows();
    let expected = [
        Some("feed_changed"),
        None,
        Some("feed_failing"),
        None,
        Some("feed_throttled"),
        None,
        Some("feed_gone"),
        None,
        Some("feed_recovered"),
        Some("feed_changed"),
    ];
    let (log, _guard) = Log::open();
    for (n, expected) in expected.into_iter().enumerate() {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(48 * HOUR);
        let mut lines = log.take();
        lines.retain(|line| line.get("feed").is_some());
        let names: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
        assert_eq!(names, expected.into_iter().collect::<Vec<_>>(), "poll {n}");
        for line in &lines {
            is_as_documented(line, &rows);
            assert_eq!(line["url"], url.as_str());
            assert!(line["duration_ms"].is_u64() && line["new"].is_u64(), "{line}");
            // The message is the name of the event: what varies is in the fields.
            let message = expected.unwrap().replace('_', " ");
            assert_eq!(
                (&line["message"], &line["feed"]),
                (&message.into(), &"site.test-feed".into())
            );
        }
        if expected == Some("feed_failing") {
            assert_eq!(
                (&lines[0]["status"], &lines[0]["code"]),
                (&500.into(), &"server_error".into())
            );
        }
    }
}

#[tokio::test]
async fn a_permanent_move_is_logged_once_with_both_urls() {
    let world = World::new().await;
    world.origin.route("new.test", "/feed", [Answer::ok(rss(&[("a", "A")]))]);
    let to = world.origin.url("new.test", "/feed");
    world.origin.route("site.test", "/feed", [Answer::redirect(301, &to)]);
    let url = world.origin.url("site.test", "/feed");
    let engine = world.open(std::slice::from_ref(&url)).await;
    let (rows, (log, _guard)) = (rows(), Log::open());
    for _ in 0..20 {
        poll(&engine, FeedSelection::All).await;
        world.clock.advance(24 * HOUR);
    }
    let mut lines = log.take();
    lines.retain(|line| line["event"] == "feed_moved");
    assert_eq!(lines.len(), 1, "{lines:?}");
    is_as_documented(&lines[0], &rows);
    assert_eq!((&lines[0]["url"], &lines[0]["to"]), (&url.as_str().into(), &to.as_str().into()));
}

#[tokio::test]
async fn a_publication_is_logged_as_documented() {
    let world = World::new().await;
    world.origin.route("site.test", "/feed", [Answer::ok(rss(&[("a", "A"), ("b", "B")]))]);
    let engine = world.open(&[world.origin.url("site.test", "/feed")]).await;
    let (rows, (log, _guard)) = (rows(), Log::open());
    poll(&engine, FeedSelection::All).await;
    engine.publish().await.unwrap();
    let mut lines = log.take();
    lines.retain(|line| line["event"] == "output_published");
    assert_eq!(lines.len(), 1, "{lines:?}");
    is_as_documented(&lines[0], &rows);
    assert_eq!((&lines[0]["output"], &lines[0]["items"]), (&"planet".into(), &2.into()));
}

/// The standard error of the program after it has started, written to a file.
fn logged(stream: impl Fn(&File) -> String) -> String {
    let folder = empty_folder();
    let config = "version = 1\n[web]\nlisten = \"off\"\n[fetch]\ncontact = \"x@y.z\"\n\
        [[feed]]\nurl = \"http://127.0.0.1:1/\"\n[[output]]\nid = \"planet\"\n";
    std::fs::write(folder.path().join("newswire.toml"), config).unwrap();
    let (address, manager) = notified(folder.path());
    let path = folder.path().join("log");
    let log = File::create(&path).unwrap();
    let mut command = Command::cargo_bin("newswire").unwrap();
    command.current_dir(folder.path()).arg("run").env_clear().env("HOME", folder.path());
    command.env("NOTIFY_SOCKET", &address).env("JOURNAL_STREAM", stream(&log));
    let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    heard(&manager, "STATUS=0/1");
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_log_goes_to_the_journal_only_if_it_is_standard_error() {
    // A child of a service, with its standard error in a file.
    let elsewhere = logged(|_| "1:1".to_owned());
    // Warnings about the config come first.
    let lines: Vec<&str> = elsewhere.lines().collect();
    assert!(lines.len() >= 2, "{elsewhere}");
    for line in lines {
        let object: Value = serde_json::from_str(line).expect(line);
        assert!(object["level"] == "INFO" || object["level"] == "WARN", "{line}");
    }
    // Standard error is the file that systemd named: no JSON is written to it.
    let named = logged(|log| {
        let meta = log.metadata().unwrap();
        format!("{}:{}", meta.dev(), meta.ino())
    });
    assert!(!named.contains('{'), "{named}");
}

#[test]
fn every_event_is_logged_somewhere() {
    fn sources(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if !path.ends_with("tests.rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut code = String::new();
    sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let code: String = code.split_whitespace().collect();
    for event in Event::ALL {
        let (call, argument) = (format!("Event::{event:?}.slug()"), format!("info,{event:?},"));
        let other = format!("warn,{event:?},");
        let named = format!("=>{{Event::{event:?}}}");
        let matched = format!("=>Event::{event:?},");
        let logged = [&call, &argument, &other, &named, &matched];
        assert!(logged.iter().any(|one| code.contains(one.as_str())), "{event:?} never happens");
    }
}
