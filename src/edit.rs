//! Changes one `[[feed]]` of a config without changing anything else: comments, order and spaces stay, and everything outside
//! the lines that change stays byte for byte.

mod list;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, Item, Table, Value};
use url::Url;

use crate::config::{Files, Kind, Section};
use crate::text::quoted::in_quotes;

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
    #[error("no [[feed]] in {path} has the id or URL {name}", path = .path.display(), name = in_quotes(.name))]
    NoFeed {
        /// The id or URL that was asked for.
        name: String,
        /// The main file of the config.
        path: PathBuf,
    },
    /// Several `[[feed]]` have this id or URL.
    #[error("several [[feed]] have the id or URL {name}: {}", each_place(.places), name = in_quotes(.name))]
    SeveralFeeds {
        /// The id or URL that was asked for.
        name: String,
        /// File and line of each.
        places: Vec<(PathBuf, usize)>,
    },
    /// The feed is in an inline list, whose form an edit would not keep.
    #[error("the feed {name} is in an inline list in {path}", path = .path.display(), name = in_quotes(.name))]
    Inline {
        /// The id or URL that was asked for.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A file is not TOML.
    #[error("{0} is not TOML: {1}")]
    Syntax(PathBuf, String),
    /// A secret is not written into a config.
    #[error("the value of {0} is a secret, and secrets belong in separate files")]
    Secret(String),
    /// The text of a value is not TOML.
    #[error("cannot parse the value of {key}: {value} is not a {}", expected(key), value = in_quotes(.value))]
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
        "'newswire list' lists the feeds",
    Self::SeveralFeeds { .. } => "ambiguous_feed": "make them one [[feed]] first",
    Self::Inline { .. } => "unknown_feed": "write it as a separate section, under [[feed]]",
    Self::Secret(key) => "invalid_value": match kind(key) {
        Some(Kind::Secrets) => format!("write '{key}={{ NAME = {{ file = \"PATH\" }} }}'"),
        _ => format!("write '{key}={{ file = \"PATH\" }}'"),
    },
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

fn each_place(places: &[(PathBuf, usize)]) -> String {
    let each = places.iter().map(|(path, line)| format!("{}:{line}", path.display()));
    each.collect::<Vec<_>>().join(", ")
}

/// The file with the feed that has the id or URL `name`, with the change. A file that does not change has the same text.
///
/// # Errors
/// See [`EditError`].
pub fn edit_feed(files: &Files, name: &str, edit: FeedEdit<'_>) -> Result<EditedFile, EditError> {
    let mut found = named(files, name)?;
    // Another section of the same URL counts too, whatever its id.
    if let [FoundFeed { url: Some(url), .. }] = &found[..] {
        found = named(files, &url.clone())?;
    }
    match &found[..] {
        [] => {
            let main = files.texts().next().map(|(path, _)| path.to_owned());
            Err(EditError::NoFeed { name: name.to_owned(), path: main.unwrap_or_default() })
        }
        [FoundFeed { path, text, at, .. }] => {
            let after = edited(path, text, (*at, edit))?;
            Ok(EditedFile { path: path.to_path_buf(), before: (*text).to_owned(), after })
        }
        several => {
            let place = |it: &FoundFeed<'_>| (it.path.to_path_buf(), it.line);
            let places = several.iter().map(place).collect();
            Err(EditError::SeveralFeeds { name: name.to_owned(), places })
        }
    }
}

/// One `[[feed]]` of a file.
struct FoundFeed<'f> {
    path: &'f Path,
    /// Text of the file.
    text: &'f str,
    /// Number of the section among those of the file, from 0.
    at: usize,
    /// Line of its header, from 1.
    line: usize,
    url: Option<String>,
}

/// The sections of the feed that has the id or URL `name`.
fn named<'f>(files: &'f Files, name: &str) -> Result<Vec<FoundFeed<'f>>, EditError> {
    let (mut found, url) = (Vec::new(), parsed_url(name));
    for (path, text) in files.texts().filter(|(_, text)| text.contains("feed")) {
        let document = Document::parse(text);
        let document =
            document.map_err(|error| EditError::Syntax(path.to_owned(), error.to_string()))?;
        match document.get("feed") {
            Some(Item::ArrayOfTables(feeds)) => {
                let named = feeds
                    .iter()
                    .enumerate()
                    .filter(|(_, feed)| is_named(feed, (name, url.as_ref())));
                found.extend(named.map(|(at, feed)| {
                    let start = feed.span().map_or(0, |span| span.start);
                    let line = text[..start].matches('\n').count() + 1;
                    let url = feed.get("url").and_then(Item::as_str).map(str::to_owned);
                    FoundFeed { path, text, at, line, url }
                }));
            }
            Some(Item::Value(Value::Array(feeds))) => {
                let mut tables = feeds.iter().filter_map(Value::as_inline_table);
                if tables.any(|feed| is_named(&feed.clone().into_table(), (name, url.as_ref()))) {
                    let (name, path) = (name.to_owned(), path.to_owned());
                    return Err(EditError::Inline { name, path });
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a feed has this id or URL, as written or as Newswire shows it.
fn is_named(feed: &Table, (name, named): (&str, Option<&Url>)) -> bool {
    let text = |key: &str| feed.get(key).and_then(Item::as_str);
    // A feed that has an id in the database only is looked for by the URL of its file.
    let is_file = |file: &str| {
        name == file
            || name.strip_prefix("file://").is_some_and(|path| Path::new(path).ends_with(file))
    };
    let is_url =
        |known: &str| known == name || parsed_url(known).is_some_and(|it| Some(&it) == named);
    text("id") == Some(name) || text("url").is_some_and(is_url) || text("file").is_some_and(is_file)
}

fn parsed_url(text: &str) -> Option<Url> {
    Url::parse(text.trim()).ok()
}

/// The text with the change of the feed number `at`.
fn edited(path: &Path, text: &str, (at, edit): (usize, FeedEdit<'_>)) -> Result<String, EditError> {
    let removed = match edit {
        FeedEdit::Remove => without_section(text, at),
        FeedEdit::Set { key, value: "" } => without_key(text, at, key),
        _ => None,
    };
    if let Some(after) = removed {
        return Ok(after);
    }
    let document = text.parse::<DocumentMut>();
    let mut document =
        document.map_err(|error| EditError::Syntax(path.to_owned(), error.to_string()))?;
    if let Some(feeds) = document.get_mut("feed").and_then(Item::as_array_of_tables_mut) {
        change(feeds, at, edit)?;
    }
    // The parser reads CRLF as LF, and leaves a byte order mark out.
    Ok(with_endings_of(text, &document.to_string()))
}

fn change(feeds: &mut ArrayOfTables, at: usize, edit: FeedEdit<'_>) -> Result<(), EditError> {
    let Some(table) = feeds.get_mut(at) else { return Ok(()) };
    match edit {
        FeedEdit::Remove => drop(feeds.remove(at)),
        FeedEdit::Set { key, value: "" } => drop(table.remove(key)),
        FeedEdit::Set { key, value } => set(table, key, parsed(key, value)?),
        FeedEdit::Tag { add, remove } => {
            let written = table.get("tags").and_then(Item::as_array).cloned();
            let mut tags = written.unwrap_or_default();
            let at = |tags: &Array, tag: &str| tags.iter().position(|it| it.as_str() == Some(tag));
            for tag in remove {
                while let Some(at) = at(&tags, tag) {
                    list::remove(&mut tags, at);
                }
            }
            for tag in add {
                if at(&tags, tag).is_none() {
                    list::push(&mut tags, tag);
                }
            }
            match tags.is_empty() {
                true => drop(table.remove("tags")),
                false => set(table, "tags", Value::Array(tags)),
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

/// A value as TOML; text may be written without quotes for keys that do not take numbers, flags or lists. The value of
/// an unknown key is text, so that the check of the config reports the key.
fn parsed(key: &str, value: &str) -> Result<Value, EditError> {
    let is_text = kind(key).is_none_or(Kind::is_text);
    let quoted = value.starts_with(['"', '\'']);
    if is_text && !quoted {
        return Ok(Value::from(value));
    }
    // A message must not repeat a secret.
    let is_secret = matches!(kind(key), Some(Kind::Secret | Kind::Secrets));
    if is_secret && (quoted || value.parse::<Value>().is_err()) {
        return Err(EditError::Secret(key.to_owned()));
    }
    let invalid = |_| EditError::Value { key: key.to_owned(), value: value.to_owned() };
    value.parse::<Value>().map_err(invalid)
}

const BYTE_ORDER_MARK: char = '\u{feff}';

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
    let lines = with_comment(text, header.start..end);
    // One of the empty lines around it goes with it.
    let (before, after) = (&text[..lines.start], &text[lines.end..]);
    let before = match before.strip_suffix("\r\n").or_else(|| before.strip_suffix('\n')) {
        Some(shorter) if shorter.is_empty() || shorter.ends_with('\n') => shorter,
        _ => before,
    };
    Some(format!("{before}{after}"))
}

/// The text without a key of a feed and the comment right above it; `None`: the key is not there, or in several parts.
fn without_key(text: &str, at: usize, key: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let table = document.get("feed")?.as_array_of_tables()?.get(at)?;
    let (name, item) = table.get_key_value(key)?;
    let value = item.as_value()?;
    let lines = with_comment(text, name.span()?.start..value.span()?.end);
    Some(format!("{}{}", &text[..lines.start], &text[lines.end..]))
}

/// The lines of a range, and those with comments right above them.
fn with_comment(text: &str, range: Range<usize>) -> Range<usize> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |line| line + 1);
    let mut start = line_start(range.start);
    while start > 0 {
        let above = line_start(start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    let end = text[range.end..].find('\n').map_or(text.len(), |line| range.end + line + 1);
    start..end
}

/// The text `after`, where each line that `before` has too keeps its bytes, with the line ending. A line in place of
/// another one ends as that one, and a new line as the one above.
fn with_endings_of(before: &str, after: &str) -> String {
    let mark = before.strip_prefix(BYTE_ORDER_MARK).map(|_| BYTE_ORDER_MARK);
    let known: Vec<&str> =
        before.trim_start_matches(BYTE_ORDER_MARK).split_inclusive('\n').collect();
    let lines: Vec<&str> =
        after.trim_start_matches(BYTE_ORDER_MARK).split_inclusive('\n').collect();
    let same =
        |a: &str, b: &str| a.trim_end_matches(['\r', '\n']) == b.trim_end_matches(['\r', '\n']);
    let head = known.iter().zip(&lines).take_while(|(a, b)| same(a, b)).count();
    let rest = known.len().min(lines.len()) - head;
    let tails = known.iter().rev().zip(lines.iter().rev()).take(rest);
    let tail = tails.take_while(|(a, b)| same(a, b)).count();
    let above = known.get(head.saturating_sub(1)).copied().unwrap_or_default();
    let (changed, replaced) = (&lines[head..lines.len() - tail], &known[head..known.len() - tail]);
    let mut text: String = mark.into_iter().collect();
    text.extend(known[..head].iter().copied());
    // A new line behind the last one that had no end.
    if !text.is_empty() && !text.ends_with('\n') && !changed.is_empty() {
        text.push('\n');
    }
    for (at, line) in changed.iter().enumerate() {
        let model = replaced.get(at).copied().unwrap_or(above);
        match line.strip_suffix('\n').filter(|_| model.ends_with("\r\n")) {
            Some(line) => text.extend([line.trim_end_matches('\r'), "\r\n"]),
            None => text.push_str(line),
        }
    }
    text.extend(known[known.len() - tail..].iter().copied());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_not_change_keep_their_ends() {
        let before = "\u{feff}a = 1\r\nb = 2\nc = 3\r\nd = 4";
        let after = "a = 1\nb = 2\nc = 5\nx = 6\nd = 4";
        let expected = "\u{feff}a = 1\r\nb = 2\nc = 5\r\nx = 6\nd = 4";
        assert_eq!(with_endings_of(before, after), expected);
        assert_eq!(with_endings_of("a\r\nb\r\n", "a\nx\nb\n"), "a\r\nx\r\nb\r\n");
        assert_eq!(with_endings_of("a\nb", "a\nb\nc\n"), "a\nb\nc\n");
    }
}
