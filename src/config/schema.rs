//! The config as a JSON Schema, for editors: made of the list of keys, as strict as the reader.
//!
//! A schema sees one value at a time; what contradicts another one only `check` sees.

use serde_json::{Map, Value, json};
use toml::de::{DeTable, DeValue};

use super::key;
use super::kind::{Key, Kind};

const DURATION: &str = r"(\s*\d+(\.\d+)?\s*(w|wks?|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|millis?|milliseconds?),?)+\s*";
const URL: &str = r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+([/?#]\S*)?\s*$";
const NAME: &str = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";

/// The JSON Schema, draft 2020-12.
#[must_use]
pub fn schema() -> Value {
    let mut root = Map::new();
    for name in key::TABLES {
        let value = match *name {
            "version" => property(key::of("", name).expect("version is a key")),
            name => {
                let table = table(name);
                match key::LISTS.contains(&name) {
                    true => json!({ "type": "array", "items": table, "description": about(name) }),
                    false => table,
                }
            }
        };
        root.insert((*name).to_owned(), value);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "newswire.toml",
        "description": "The config of newswire: many feeds in, one wire out.",
        "type": "object",
        "additionalProperties": false,
        "properties": root,
    })
}

fn about(table: &str) -> &'static str {
    match table {
        "schedule" => "How often feeds are polled; every key may be repeated in a [[feed]].",
        "fetch" => "What a request looks like and may cost; may be repeated in a [[feed]].",
        "dedupe" => "What counts as the same thing; may be repeated in a [[feed]].",
        "store" => "The database.",
        "web" => "Where the merged feeds are served.",
        "log" => "What is logged, and how.",
        "output" => "A merged feed that people subscribe to.",
        "server" => "A server with manners of its own, for all feeds on it.",
        "subscriptions" => "A list of feeds that is followed.",
        _ => "A feed. Any key of [schedule], [fetch] and [dedupe] may be repeated here.",
    }
}

fn table(name: &str) -> Value {
    let holds = |key: &&Key| match name {
        "feed" => {
            let inherits = matches!(key.table, "schedule" | "dedupe" | "fetch");
            key.table == "feed" || inherits && key.name != "concurrency"
        }
        "server" => matches!(key.table, "server" | "schedule"),
        name => key.table == name,
    };
    let properties: Map<String, Value> =
        key::KEYS.iter().filter(holds).map(|key| (key.name.to_owned(), property(key))).collect();
    let mut table = json!({
        "type": "object",
        "description": about(name),
        "additionalProperties": false,
        "properties": properties,
    });
    match name {
        "feed" => table["required"] = json!(["url"]),
        "output" => table["required"] = json!(["id"]),
        "server" => table["required"] = json!(["host"]),
        "subscriptions" => {
            table["oneOf"] = json!([{ "required": ["file"] }, { "required": ["url"] }]);
        }
        _ => {}
    }
    table
}

/// One key, with all that there is to say of it.
fn property(key: &Key) -> Value {
    let mut value = of(key.kind);
    let default = if key.default.is_empty() { "none" } else { key.default };
    let (meaning, unit, since) = (key.meaning, key.kind.unit(), key.since);
    value["description"] =
        json!(format!("{meaning}\n\nDefault: {default}. {unit}. Since {since}."));
    if let Some(default) = json_of(key.default) {
        value["default"] = default;
    }
    value["examples"] = json_of(key.example).into_iter().collect();
    value["x-newswire"] = json!({
        "key": key.path(),
        "default": key.default,
        "unit": unit,
        "since": since,
        "example": key.example,
    });
    value
}

fn of(kind: Kind) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let list = |items: Value| json!({ "type": "array", "items": items });
    match kind {
        Kind::Text | Kind::Path => text(r"\S"),
        Kind::Duration => text(&format!("^{DURATION}$")),
        Kind::Interval => text(&format!("^(\\s*auto\\s*|{DURATION})$")),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Size => text(r"^\s*0*[1-9]\d*\s*([KkMmGg][Ii]?)?[Bb]\s*$"),
        Kind::Number(_, from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
        Kind::Choices(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words }, "minItems": 1 })
        }
        Kind::Texts => list(json!({ "type": "string" })),
        Kind::Networks => list(text(r"^\s*[0-9A-Fa-f:.]+(/\d{1,3})?\s*$")),
        Kind::Url => text(URL),
        Kind::Id => text(r"^[a-z0-9_-][a-z0-9._-]{0,63}$"),
        Kind::Host => text(r"^\s*[^\s/]+\s*$"),
        Kind::Language => text(r"^\s*[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\s*$"),
        Kind::Listen => text(r"^\s*(off|(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]):\d{1,5})\s*$"),
        Kind::Secret => secret(),
        Kind::Secrets => json!({
            "type": "object",
            "propertyNames": { "pattern": NAME },
            "additionalProperties": secret(),
        }),
        Kind::Rules => rules(),
    }
}

fn secret() -> Value {
    let text = |what| json!({ "type": "string", "pattern": r"\S", "description": what });
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "file": text("A file that nobody else may read, mode 600."),
            "credential": text("A credential that systemd passes: LoadCredential=NAME:PATH."),
            "env": text("An environment variable."),
        },
    })
}

fn rules() -> Value {
    let one = |name: &str| match name {
        "title" | "content" => json!({ "type": "string", "format": "regex" }),
        "enclosures" => json!({ "type": "boolean" }),
        "languages" => json!({ "type": "array", "items": of(Kind::Language) }),
        _ => json!({ "type": "array", "items": { "type": "string" } }),
    };
    let properties: Map<String, Value> =
        key::RULES.iter().map(|name| ((*name).to_owned(), one(name))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// A value written as TOML; `None` where there is none.
fn json_of(text: &str) -> Option<Value> {
    let line = format!("value = {text}");
    let table = DeTable::parse(&line).ok()?;
    table.get_ref().get("value").map(|value| value_of(value.get_ref()))
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(yes) => json!(yes),
        DeValue::Datetime(at) => json!(at.to_string()),
        DeValue::Array(array) => array.iter().map(|value| value_of(value.get_ref())).collect(),
        DeValue::Table(table) => {
            let pair = |(key, value): (
                &toml::Spanned<std::borrow::Cow<'_, str>>,
                &toml::Spanned<DeValue<'_>>,
            )| { (key.get_ref().to_string(), value_of(value.get_ref())) };
            Value::Object(table.iter().map(pair).collect())
        }
    }
}
