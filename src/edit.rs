//! Changes one `[[feed]]` of a config without changing anything else: comments, order and spaces stay.

use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, Item, Table, Value};

use crate::config::{Files, Kind, Section};

/// A change of one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedEdit<'a> {
    /// Remove the `[[feed]]` section of the feed.
    Remove,
    /// Set a key to a value as TOML, or as text for keys that take text; an empty value removes the key.
    Set {
        /// Name of the key.
        key: &'a str,
        /// The value as TOML or text; empty: remove the key.
        value: &'a str,
    },
    /// Add and remove tags.
    Tag {
        /// Tags that the feed gets in addition.
        add: &'a [String],
        /// Tags that the feed loses.
        remove: &'a [String],
    },
}

/// A file of a config with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Text of the file before the change.
    pub before: String,
    /// Its text with the change.
    pub after: String,
}

/// Why a feed cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No file has a `[[feed]]` with this id or URL.
    #[error("no [[feed]] in {path} has the id or URL {name:?}", path = .path.display())]
    NoFeed {
        /// The id or URL that was asked for.
        name: String,
        /// The main file of the config.
        path: PathBuf,
    },
    /// A file is not TOML.
    #[error("{0} is not TOML: {1}")]
    Syntax(PathBuf, String),
    /// The text of a value is not TOML.
    #[error("cannot parse the value of {key}: {value:?} is not a {}", expected(key))]
    Value {
        /// Name of the key.
        key: String,
        /// The value that was given, as written.
        value: String,
    },
}

crate::model::codes! {
    EditError:
    Self::NoFeed { .. } => "unknown_feed":
        "'newswire list' lists the feeds; a feed of a followed list is changed in that list",
    Self::Syntax(..) => "config_has_errors": "correct the errors; 'newswire check' lists them",
    Self::Value { key, .. } => "invalid_value": match kind(key) {
        Some(Kind::Flag | Kind::Number { .. }) => format!("'newswire explain feed.{key}' describes the value"),
        _ => "write text in quotes, a list in brackets: 'tags=[\"a\", \"b\"]'".to_owned(),
    },
}

fn kind(key: &str) -> Option<Kind> {
    Section::Feed.key(key).map(|key| key.kind)
}

/// What a key takes, as a noun.
fn expected(key: &str) -> &'static str {
    match kind(key) {
        Some(Kind::Flag) => "flag: true or false",
        Some(Kind::Number { .. }) => "number",
        Some(Kind::Choices(_) | Kind::List(_)) => "list in TOML",
        _ => "TOML value",
    }
}

/// The file with the feed that has the id or URL `name`, with the change. A file that does not change has the same text.
///
/// # Errors
/// See [`EditError`].
pub fn edit_feed(files: &Files, name: &str, edit: FeedEdit<'_>) -> Result<EditedFile, EditError> {
    for (path, before) in files.texts() {
        if let Some(after) = edited(path, before, (name, edit))? {
            return Ok(EditedFile { path: path.to_owned(), before: before.to_owned(), after });
        }
    }
    let main = files.texts().next().map(|(path, _)| path.to_owned());
    Err(EditError::NoFeed { name: name.to_owned(), path: main.unwrap_or_default() })
}

/// The text with the change; `None`: it has no such feed.
fn edited(
    path: &Path,
    text: &str,
    (name, edit): (&str, FeedEdit<'_>),
) -> Result<Option<String>, EditError> {
    if !text.contains("feed") {
        return Ok(None);
    }
    let document = text.parse::<DocumentMut>();
    let mut document =
        document.map_err(|error| EditError::Syntax(path.to_owned(), error.to_string()))?;
    let Some(feeds) = document.get_mut("feed").and_then(Item::as_array_of_tables_mut) else {
        return Ok(None);
    };
    let is_named = |table: &Table| {
        let is = |key: &str| table.get(key).and_then(Item::as_str) == Some(name);
        // A feed that has an id in the database only is looked for by the URL of its file.
        let file = table.get("file").and_then(Item::as_str);
        let is_file = |file: &str| {
            name == file
                || name.strip_prefix("file://").is_some_and(|path| Path::new(path).ends_with(file))
        };
        is("id") || is("url") || file.is_some_and(is_file)
    };
    let Some(at) = feeds.iter().position(is_named) else { return Ok(None) };
    if edit == FeedEdit::Remove
        && let Some(after) = without_section(text, at)
    {
        return Ok(Some(after));
    }
    change(feeds, at, edit)?;
    let after = document.to_string();
    // The parser reads CRLF as LF.
    let after = if text.contains("\r\n") && !after.contains("\r\n") {
        after.replace('\n', "\r\n")
    } else {
        after
    };
    Ok(Some(after))
}

/// The text without the section of a feed and the comment right above it; `None`: sections are nested in it.
fn without_section(text: &str, at: usize) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let table = document.get("feed")?.as_array_of_tables()?.get(at)?;
    if table.iter().any(|(_, item)| item.is_table() || item.is_array_of_tables()) {
        return None;
    }
    let ends = table.iter().filter_map(|(_, item)| item.span()).map(|span| span.end);
    let header = table.span()?;
    let end = ends.chain([header.end]).max()?;
    let end = text[end..].find('\n').map_or(text.len(), |line| end + line + 1);
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |line| line + 1);
    let mut start = line_start(header.start);
    while start > 0 {
        let above = line_start(start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    // One of the empty lines around it goes with it.
    let (before, after) = (&text[..start], &text[end..]);
    let before = match before.strip_suffix("\r\n").or_else(|| before.strip_suffix('\n')) {
        Some(shorter) if shorter.is_empty() || shorter.ends_with('\n') => shorter,
        _ => before,
    };
    Some(format!("{before}{after}"))
}

fn change(feeds: &mut ArrayOfTables, at: usize, edit: FeedEdit<'_>) -> Result<(), EditError> {
    let Some(table) = feeds.get_mut(at) else { return Ok(()) };
    match edit {
        FeedEdit::Remove => drop(feeds.remove(at)),
        FeedEdit::Set { key, value: "" } => drop(table.remove(key)),
        FeedEdit::Set { key, value } => set(table, key, parsed(key, value)?),
        FeedEdit::Tag { add, remove } => {
            let written = table.get("tags").and_then(Item::as_array).cloned().unwrap_or_default();
            let mut tags = written;
            tags.retain(|tag| tag.as_str().is_none_or(|tag| !remove.iter().any(|it| it == tag)));
            for tag in add {
                if !tags.iter().any(|known| known.as_str() == Some(tag)) {
                    tags.push(tag.as_str());
                }
            }
            match tags.is_empty() {
                true => drop(table.remove("tags")),
                false => set(table, "tags", Value::Array(tidy(tags))),
            }
        }
    }
    Ok(())
}

/// Sets a key; the comment and the spaces around its value stay.
fn set(table: &mut Table, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(known) => {
            *value.decor_mut() = known.decor().clone();
            *known = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

/// The first element of a list has no space before it.
fn tidy(mut tags: Array) -> Array {
    if let Some(first) = tags.get_mut(0)
        && first.decor().prefix().and_then(|prefix| prefix.as_str()) == Some(" ")
    {
        first.decor_mut().set_prefix("");
    }
    tags
}

/// A value as TOML; text may be written without quotes for keys that do not take numbers, flags or lists. The value of
/// an unknown key is text, so that the check of the config reports the key.
fn parsed(key: &str, value: &str) -> Result<Value, EditError> {
    let is_text = kind(key).is_none_or(Kind::is_text);
    let quoted = value.starts_with(['"', '\'']);
    if is_text && !quoted {
        return Ok(Value::from(value));
    }
    let invalid = |_| EditError::Value { key: key.to_owned(), value: value.to_owned() };
    value.parse::<Value>().map_err(invalid)
}
