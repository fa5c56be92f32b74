//! Values of a JSON Feed that are of another type than the standard has. What is left out because of it is reported.

use serde_json::{Map, Value};

use super::context::Context;

/// What is read of a member.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A string or a number.
    Text,
    /// Strings and numbers, or one of them.
    Texts,
    /// Objects and strings, or one of them.
    People,
    /// Objects with a URL, or one of them.
    Files,
    Bool,
}

const FEED: &[(&str, Kind)] = &[
    ("title", Kind::Text),
    ("home_page_url", Kind::Text),
    ("feed_url", Kind::Text),
    ("description", Kind::Text),
    ("next_url", Kind::Text),
    ("icon", Kind::Text),
    ("favicon", Kind::Text),
    ("language", Kind::Text),
    ("authors", Kind::People),
    ("author", Kind::People),
    ("hubs", Kind::Files),
    ("expired", Kind::Bool),
];

const ITEM: &[(&str, Kind)] = &[
    ("id", Kind::Text),
    ("url", Kind::Text),
    ("external_url", Kind::Text),
    ("title", Kind::Text),
    ("content_html", Kind::Text),
    ("content_text", Kind::Text),
    ("summary", Kind::Text),
    ("image", Kind::Text),
    ("banner_image", Kind::Text),
    ("date_published", Kind::Text),
    ("date_modified", Kind::Text),
    ("language", Kind::Text),
    ("tags", Kind::Texts),
    ("authors", Kind::People),
    ("author", Kind::People),
    ("attachments", Kind::Files),
];

/// Reports members of the feed that are left out because of their type.
pub(super) fn check_feed(feed: &Map<String, Value>, context: &Context) {
    check(feed, FEED, "the feed", context);
}

/// Reports members of an item that are left out because of their type.
pub(super) fn check_item(item: &Map<String, Value>, context: &Context) {
    check(item, ITEM, "an item", context);
}

fn check(map: &Map<String, Value>, kinds: &[(&str, Kind)], owner: &str, context: &Context) {
    for (name, kind) in kinds {
        let left_out = map.get(*name).and_then(|value| left_out(value, *kind));
        if let Some(found) = left_out {
            context.report_each("wrong_type", || {
                format!("member {name:?} of {owner} is or contains {found}; left out")
            });
        }
    }
}

/// What of a value is left out, in words; `None` if all of it is read. Null is not a value.
fn left_out(value: &Value, kind: Kind) -> Option<&'static str> {
    match (kind, value) {
        (_, Value::Null)
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Text | Kind::Texts, Value::String(_) | Value::Number(_))
        | (Kind::People, Value::String(_) | Value::Object(_)) => None,
        (Kind::Files, Value::Object(file)) => match file.get("url") {
            Some(Value::String(url)) if !url.trim().is_empty() => None,
            _ => Some("an object without URL"),
        },
        (Kind::Texts | Kind::People | Kind::Files, Value::Array(list)) => {
            list.iter().find_map(|value| match value {
                Value::Array(_) => Some("a list in a list"),
                value => left_out(value, kind),
            })
        }
        (_, other) => Some(type_of(other)),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
