//! The documents are true: every test that they name exists, and the references list all names.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use newswire::health;
use newswire::model::{Incident, IncidentKind};
use newswire::render::{Format, render};
use serde_json::Value;

use crate::outputs::sample::{entries, output};

/// The names in the first column of the table in a reference, below the line that begins with `head`.
pub(crate) fn documented(reference: &str, head: &str) -> BTreeSet<String> {
    let table = reference.lines().skip_while(|line| !line.starts_with(head));
    let rows = table.skip_while(|line| !line.starts_with("|---")).skip(1);
    let first = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2));
    let names: BTreeSet<String> = first.flatten().map(str::to_owned).collect();
    assert!(!names.is_empty(), "there is no table below {head}");
    names
}

/// The reference of JSON.
pub(crate) const JSON: &str = include_str!("../../docs/reference/json.md");

/// The keys of a JSON object.
pub(crate) fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}

/// All sources below a folder, one after the other.
pub(crate) fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_manners_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manners = std::fs::read_to_string(root.join("docs/manners.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests/it"), &mut code);
    let rows = manners.lines().filter(|line| line.starts_with("| FRB") || line.starts_with("| - "));
    let mut seen = 0;
    for row in rows {
        let test = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        let test = test.trim().trim_matches('`');
        assert!(code.contains(&format!("fn {test}(")), "there is no test {test}: {row}");
        seen += 1;
    }
    assert!(seen > 70, "only {seen} rows were found");
}

#[test]
fn every_id_of_the_list_is_in_the_manners() {
    let ids = [
        1..=4,
        10..=16,
        20..=24,
        30..=37,
        50..=51,
        60..=66,
        70..=71,
        80..=88,
        90..=90,
        100..=106,
        110..=120,
        130..=137,
        140..=141,
    ];
    let manners = include_str!("../../docs/manners.md");
    for id in ids.into_iter().flatten() {
        assert!(manners.contains(&format!("FRB{id:03}")), "FRB{id:03} is missing");
    }
}

#[test]
fn the_json_reference_lists_every_key_of_an_incident() {
    let incident = Incident {
        kind: IncidentKind::Gone,
        subject: "garden".to_owned(),
        name: "Garden".to_owned(),
        state: "gone".to_owned(),
        text: "gone".to_owned(),
        remedy: String::new(),
        toml: None,
        since: Timestamp::UNIX_EPOCH,
        opened_at: Timestamp::UNIX_EPOCH,
        changed_at: Timestamp::UNIX_EPOCH,
        resolved_at: None,
    };
    let json = health::json::incident(&incident);
    assert_eq!(keys(&json), documented(JSON, "| key of an incident |"));
}

#[test]
fn the_json_reference_lists_every_key_of_the_json_feed_extension() {
    let feed: Value = serde_json::from_slice(&render(&output(), Format::Json, &entries())).unwrap();
    let items = feed["items"].as_array().unwrap();
    let found: BTreeSet<String> = items.iter().flat_map(|item| keys(&item["_newswire"])).collect();
    assert_eq!(found, documented(JSON, "## `_newswire`"));
}
