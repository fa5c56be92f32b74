//! The config as a JSON Schema, for editors: derived from the definitions, and as strict as the reader.
//!
//! A schema describes single values; only `newswire check` finds contradictions.

use serde_json::{Map, Value, json};

use super::definition::{Key, Kind, Section};
use super::format::LISTEN_ADDRESS;

const HEADER_NAME: &str = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";

/// The JSON Schema (draft 2020-12) of the config.
#[must_use]
pub fn schema() -> Value {
    let mut root = properties(Section::Top);
    for section in Section::tables() {
        let table = table(section);
        let value = match section.is_list() {
            true => json!({ "type": "array", "items": table, "description": section.doc() }),
            false => table,
        };
        root.insert(section.name().to_owned(), value);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "newswire.toml",
        "description": "The config of Newswire.",
        "type": "object",
        "additionalProperties": false,
        "properties": root,
    })
}

fn properties(section: Section) -> Map<String, Value> {
    section.accepted().map(|key| (key.name.to_owned(), property(key))).collect()
}

fn table(section: Section) -> Value {
    let mut table = json!({
        "type": "object",
        "description": section.doc(),
        "additionalProperties": false,
        "properties": properties(section),
    });
    let required: Vec<&str> =
        section.keys().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    if matches!(section, Section::Subscriptions | Section::Feed) {
        table["oneOf"] = json!([{ "required": ["file"] }, { "required": ["url"] }]);
    }
    table
}

/// The schema of a key with its texts.
fn property(key: &Key) -> Value {
    let mut value = of_kind(key.kind);
    let default = if key.default.is_empty() { "none" } else { key.default };
    let (format, since) = (key.kind.format(), key.since);
    let details = if key.details.is_empty() { "" } else { "\n\n" };
    let text = format!("{}{details}{}", key.doc, key.details);
    value["description"] =
        json!(format!("{text}\n\nDefault: {default}. Format: {format}. Since {since}."));
    if let Some(default) = parsed(key.default) {
        value["default"] = default;
    }
    value["examples"] = parsed(key.example).into_iter().collect();
    value["x-newswire"] = json!({
        "key": key.path(),
        "default": key.default,
        "unit": format,
        "since": since,
        "example": key.example,
    });
    value
}

fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Number { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
        Kind::Choices(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words }, "minItems": 1 })
        }
        Kind::Text(format) => (format.schema)(),
        Kind::List(format) => json!({ "type": "array", "items": (format.schema)() }),
        Kind::Listen => {
            let mut one = (LISTEN_ADDRESS.schema)();
            let items = one.clone();
            one["type"] = json!(["string", "array"]);
            one["items"] = items;
            one
        }
        Kind::Replacements => {
            let pair = json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 });
            json!({ "type": "array", "items": pair })
        }
        Kind::Secret => secret(),
        Kind::Secrets => json!({
            "type": "object",
            "propertyNames": { "pattern": HEADER_NAME },
            "additionalProperties": secret(),
        }),
        Kind::Rules => rules(),
    }
}

/// One table of conditions, or a list of them.
fn rules() -> Value {
    let mut table = json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": properties(Section::Rules),
    });
    let items = table.clone();
    table["type"] = json!(["object", "array"]);
    table["items"] = items;
    table
}

fn secret() -> Value {
    let text = |what| json!({ "type": "string", "pattern": r"\S", "description": what });
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "file": text("A file that other users cannot read (mode 600)."),
            "credential": text("A credential of systemd (LoadCredential=NAME:PATH)."),
            "env": text("An environment variable."),
        },
    })
}

/// A value written as TOML; `None`: there is none.
fn parsed(toml: &str) -> Option<Value> {
    let mut table: Map<String, Value> = toml::from_str(&format!("value = {toml}")).ok()?;
    table.remove("value")
}
