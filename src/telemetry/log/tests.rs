//! Hostile text in every sink, and the records of the journal.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::{info, subscriber, warn};

use super::*;

/// Texts of feeds that try to end a line, to colour a terminal, to turn text round or to forge a field.
const HOSTILE: &[&str] = &[
    "a\r\nERROR all is lost",
    "a\nMESSAGE=forged\nPRIORITY=0",
    "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}",
    "nul \0 del \u{7f} tab \t",
    "C1 \u{9b}31m \u{85} \u{90}",
    "lines\u{2028}and\u{2029}paragraphs",
    "\u{202e}txt.exe\u{202c} \u{2066}x\u{2069} \u{200f}\u{61c}",
    "quotes \" and \\ and } and </script>",
];

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// The line of `sink` for an event with `text` in its message and in a field.
fn logged(sink: impl Fn(Buffer) -> Sink, text: &str) -> String {
    let buffer = Buffer::default();
    subscriber::with_default(Registry::default().with(sink(buffer.clone())), || {
        warn!(event = Event::FeedFailing.slug(), feed = text, status = 500, "feed: {text}");
    });
    buffer.text()
}

#[test]
fn hostile_text_stays_on_its_line_of_text() {
    for hostile in HOSTILE {
        let said = logged(|buffer| text(move || buffer.clone(), false), hostile);
        let line = said.strip_suffix('\n').unwrap();
        assert!(!line.contains(is_hostile), "{line:?}");
        assert!(line.contains(" WARN feed: "), "{line}");
    }
    let said = logged(|buffer| text(move || buffer.clone(), false), HOSTILE[0]);
    assert!(said.contains(r"feed: a\r\nERROR all is lost"), "{said}");
}

#[test]
fn only_a_terminal_gets_colours() {
    let colours = logged(|buffer| text(move || buffer.clone(), true), "a");
    assert!(colours.starts_with("\u{1b}[2m20"), "{colours:?}");
    assert!(colours.contains("Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m feed: a "), "{colours:?}");
    let plain = logged(|buffer| text(move || buffer.clone(), false), "a");
    assert_eq!(plain.matches('\u{1b}').count(), 0);
    assert!(plain.contains("Z  WARN feed: a feed=a status=500\n"), "{plain}");
}

#[test]
fn hostile_text_stays_inside_its_json_string() {
    for hostile in HOSTILE {
        let said = logged(|buffer| json(move || buffer.clone()), hostile);
        let line = said.strip_suffix('\n').unwrap();
        assert!(!line.contains(is_hostile), "{line:?}");
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["feed"], *hostile);
        assert_eq!(object["message"], format!("feed: {hostile}"));
        assert_eq!((&object["event"], &object["status"]), (&"feed_failing".into(), &500.into()));
        assert_eq!(object["level"], "WARN");
    }
}

/// Parses a record as the journal does; no field may occur twice.
fn fields(mut record: &[u8]) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    while let Some(end) = record.iter().position(|byte| *byte == b'\n') {
        let name = String::from_utf8(record[..end].to_vec()).unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
        let (length, rest) = record[end + 1..].split_first_chunk().unwrap();
        let (value, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
        assert_eq!(rest[0], b'\n');
        let value = String::from_utf8(value.to_vec()).unwrap();
        assert_eq!(fields.insert(name, value), None);
        record = &rest[1..];
    }
    assert!(record.is_empty());
    fields
}

/// A test journal, and a sink that sends to it.
fn journal(folder: &std::path::Path) -> (UnixDatagram, Sink) {
    let path = folder.join("journal");
    let reading = UnixDatagram::bind(&path).unwrap();
    let journal = Journal::at(&path).unwrap();
    assert_eq!(reading.recv(&mut [0; 8]).unwrap(), 0, "the datagram that looks for the journal");
    (reading, journal.boxed())
}

fn received(journal: &UnixDatagram) -> HashMap<String, String> {
    let mut record = vec![0; 256 * 1024];
    let length = journal.recv(&mut record).unwrap();
    fields(&record[..length])
}

#[test]
fn a_journal_record_has_the_message_id_and_the_fields_of_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, sink) = journal(folder.path());
    subscriber::with_default(Registry::default().with(sink), || {
        let event = Event::FeedChanged.slug();
        let (status, code) = (Some(200_u16), None::<&str>);
        info!(event, feed = "planet", status, url = "a b", new = 3, code, "feed changed");
        tracing::debug!("nothing happened");
    });
    let record = received(&journal);
    let has = |name: &str, value: &str| {
        assert_eq!(record.get(name).map(String::as_str), Some(value), "{name} of {record:?}");
    };
    has("MESSAGE", "feed changed feed=planet status=200 url=\"a b\" new=3");
    has("MESSAGE_ID", Event::FeedChanged.message_id());
    has("PRIORITY", "6");
    has("SYSLOG_IDENTIFIER", "newswire");
    has("NEWSWIRE_EVENT", "feed_changed");
    has("NEWSWIRE_FEED", "planet");
    has("NEWSWIRE_STATUS", "200");
    has("NEWSWIRE_URL", "a b");
    has("NEWSWIRE_NEW", "3");
    assert!(!record.contains_key("NEWSWIRE_CODE"), "fields without a value are left out");
    let plain = received(&journal);
    assert_eq!((plain["PRIORITY"].as_str(), plain.get("MESSAGE_ID")), ("7", None));
}

#[test]
fn hostile_text_adds_no_field_to_a_journal_record() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, sink) = journal(folder.path());
    let long = "\u{e9}".repeat(100_000);
    subscriber::with_default(Registry::default().with(sink), || {
        for hostile in HOSTILE.iter().copied().chain([long.as_str()]) {
            warn!(event = "forged", feed = hostile, "feed: {hostile}");
        }
    });
    for _ in HOSTILE {
        let record = received(&journal);
        let mut names: Vec<&str> = record.keys().map(String::as_str).collect();
        names.sort_unstable();
        let known = ["CODE_FILE", "CODE_LINE", "MESSAGE", "NEWSWIRE_EVENT", "NEWSWIRE_FEED"];
        assert_eq!(names, [&known[..], &["PRIORITY", "SYSLOG_IDENTIFIER"]].concat());
        assert!(record.values().all(|value| !value.contains(is_hostile)), "{record:?}");
        assert_eq!(record["PRIORITY"], "4");
    }
    assert_eq!(received(&journal)["NEWSWIRE_FEED"].len(), 8 * 1024, "bounded");
}

#[test]
fn log_levels_change_at_run_time_also_for_one_room() {
    let buffer = Buffer::default();
    let (levels, handle) = reload::Layer::new(targets(LevelFilter::INFO));
    let handle = Handle(handle);
    let writer = buffer.clone();
    let sink = text(move || writer.clone(), false).with_filter(levels);
    subscriber::with_default(Registry::default().with(sink), || {
        let each = |mark: &str| {
            tracing::debug!(target: "newswire::poll", "poll {mark}");
            tracing::debug!(target: "newswire::fetch", "fetch {mark}");
            tracing::info!(target: "reqwest", "crate {mark}");
            tracing::error!(target: "rustls::client", "TLS {mark}");
            tracing::error!(target: "rustls_platform_verifier::verification", "TLS {mark}");
        };
        each("1");
        handle.set_level(LevelFilter::DEBUG);
        each("2");
        handle.set_levels("warn,newswire::fetch=debug").unwrap();
        each("3");
        for odd in ["loud", "off", "3", "warn,newswire::fetch=off", ""] {
            let error = handle.set_levels(odd).expect_err(odd).to_string();
            assert!(error.contains("is not a log level") && error.contains("trace"), "{error}");
        }
        each("4");
    });
    let said = buffer.text();
    let words: Vec<&str> = said.lines().map(|line| line.split("DEBUG ").nth(1).unwrap()).collect();
    assert_eq!(words, ["poll 2", "fetch 2", "fetch 3", "fetch 4"]);
}

#[test]
fn standard_error_is_the_journal_only_if_systemd_names_the_same_file() {
    // Under systemd the standard error of this test may be the journal.
    let named = std::env::var_os("JOURNAL_STREAM").is_some();
    assert!(!is_standard_error() || named);
}
