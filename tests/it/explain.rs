//! `newswire explain` for codes, keys, feeds and items; the lists of codes are complete.

use std::path::Path;

use newswire::model::ParseWarning;
use newswire::model::code;
use serde_json::Value;

use crate::cli::{configured, local, newswire};
use crate::docs::sources;
use crate::support::empty_folder;
use crate::support::origin::Origin;

#[test]
fn explain_prints_meaning_cause_and_remedy_of_a_code() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["explain", "unknown_key"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for part in
        ["unknown_key (what is wrong with a config)", "Cause: the name is misspelled", "Remedy: "]
    {
        assert!(run.out.contains(part), "{part} is missing in\n{}", run.out);
    }
    let json = newswire(folder.path(), &["explain", "unknown_key", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json[0]["code"], "unknown_key");
    assert!(json[0]["remedy"].as_str().unwrap().contains("suggestion"));
}

#[test]
fn explain_without_a_name_lists_all_codes() {
    let folder = empty_folder();
    let list = newswire(folder.path(), &["explain"]);
    assert_eq!(list.code, 0);
    for part in
        ["Errors that end a command\n", "  database_in_use ", "  tls_failed ", "  back_off "]
    {
        assert!(list.out.contains(part), "{part} is missing in\n{}", list.out);
    }
    let json: Value =
        serde_json::from_str(&newswire(folder.path(), &["explain", "--json"]).out).unwrap();
    let lines = list.out.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(json.as_array().unwrap().len(), lines);
}

#[test]
fn explain_prints_default_tables_and_example_of_a_key() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["explain", "schedule.interval"]);
    for part in ["Time between two polls", "\"1h\"", "[schedule]", "[[feed]]", "[[server]]"] {
        assert!(run.out.contains(part), "{part} is missing in\n{}", run.out);
    }
}

#[test]
fn an_unknown_name_is_an_error_with_a_suggestion() {
    let folder = empty_folder();
    let run = newswire(folder.path(), &["explain", "unknwon_key"]);
    assert_eq!((run.code, run.out.as_str()), (64, ""));
    assert!(run.err.contains("did you mean \"unknown_key\"?"), "{}", run.err);
    assert!(run.err.ends_with("newswire explain unknown_name\n"), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_prints_feeds_and_items_as_why_does() {
    let origin = Origin::start().await;
    let folder = configured(&[local(&origin, "/feed")]);
    newswire(folder.path(), &["poll"]);
    for name in ["127.0.0.1-feed", "https://site.test/a"] {
        let told = newswire(folder.path(), &["explain", name]);
        let why = newswire(folder.path(), &["why", name]);
        assert_eq!(told.code, 0, "{name}: {}", told.err);
        let names = |text: &str| -> Vec<String> {
            text.lines().filter_map(|line| Some(line.get(..14)?.to_owned())).collect()
        };
        assert_eq!(names(&told.out), names(&why.out), "{name}");
    }
}

/// The first argument of each `call(`, if it is a string.
fn first_arguments<'t>(text: &'t str, call: &str) -> Vec<&'t str> {
    let behind = text.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    behind.filter_map(|rest| rest.split('"').next()).collect()
}

/// The codes of diagnostics that docs/codes.md has.
pub(crate) fn config_codes() -> impl Iterator<Item = &'static str> {
    let texts = code::texts().iter();
    texts.filter(|text| text.group == "What is wrong with a config").map(|text| text.code)
}

#[test]
fn every_diagnostic_of_the_config_is_in_the_list() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config"), &mut text);
    let mut codes = Vec::new();
    for call in ["::error(", "::warning(", ".error(", ".warning(", "warn("] {
        codes.extend(first_arguments(&text, call));
    }
    // Codes that are passed to a parser of values.
    let named = text.split('"').skip(1).step_by(2);
    codes.extend(named.filter(|word| word.starts_with("bad_") && !word.contains(' ')));
    assert!(codes.len() > 30, "only {} were found", codes.len());
    for code in codes {
        let message = "is not in docs/codes.md; add it there and to tests/it/faults.rs";
        assert!(config_codes().any(|known| known == code), "{code} {message}");
    }
}

#[test]
fn every_code_of_the_lists_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let of_config: Vec<&str> = config_codes().collect();
    for (room, codes) in [("config", &*of_config), ("parse", ParseWarning::CODES)] {
        let mut text = String::new();
        // Parse warnings come from all rooms that read items.
        let rooms: &[&str] =
            if room == "parse" { &["parse", "dedupe", "normalise", "poll"] } else { &[room] };
        for room in rooms {
            sources(&root.join(room), &mut text);
        }
        for code in codes {
            assert!(text.contains(&format!("\"{code}\"")), "{code} is used nowhere in {room}");
        }
    }
}
