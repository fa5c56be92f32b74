//! `docs/reference/json.md` lists the keys of all JSON that commands print.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::{configured, local, newswire};
use crate::support::origin::Origin;

const REFERENCE: &str = include_str!("../../docs/reference/json.md");

/// The names of all keys in a value.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.keys().cloned());
            object.values().for_each(|inner| keys(inner, found));
        }
        Value::Array(values) => values.iter().for_each(|inner| keys(inner, found)),
        _ => {}
    }
}

/// The section of a command.
fn section(command: &str) -> &'static str {
    let heading = format!("\n## `newswire {command} --json`\n");
    let (_, rest) = REFERENCE.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    rest.split("\n## ").next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_lists_every_key_of_the_json_of_commands() {
    let origin = Origin::start().await;
    let url = local(&origin, "/feed");
    let folder = configured(&[url.clone(), local(&origin, "/other")]);
    newswire(folder.path(), &["poll"]);
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "version = 1\n[shedule]\n").unwrap();
    for arguments in [
        &["check", "--json"][..],
        &["check", "--json", "--config", "broken.toml"],
        &["check", "--json", "--online"],
        &["probe", "--json", "--force", &url],
        &["manners", "--json"],
        &["why", "--json", "127.0.0.1-feed"],
        &["why", "--json", "1"],
        &["plan", "--json"],
        &["replay", "--json"],
        &["explain", "--json", "timeout"],
    ] {
        let output = newswire(folder.path(), arguments);
        let json: Value = serde_json::from_str(&output.out).unwrap();
        let mut found = BTreeSet::new();
        keys(&json, &mut found);
        assert!(!found.is_empty() || arguments == ["check", "--json"], "{arguments:?}");
        let section = section(arguments[0]);
        for key in found {
            assert!(section.contains(&format!("`{key}`")), "{arguments:?}: {key} is missing");
        }
    }
}
