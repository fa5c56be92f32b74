//! `newswire repair`: replaces a damaged database by a copy of what can be read of it.

use std::fmt::Write as _;
use std::path::Path;

use super::exit::Exit;
use super::terminal::{print, report};
use crate::dedupe::Text;
use crate::store::{self, Repaired, TextToIndex};

/// Repairs the database at `path`. One without damage stays.
///
/// # Errors
/// When the database cannot be opened or replaced; the error is printed.
pub(super) fn run(path: &Path) -> Result<(), Exit> {
    // A database that cannot be opened as a whole may still be read table by table.
    if store::check(path).is_ok_and(|checked| checked.problems.is_empty()) {
        print(&format!("{}: no damage found; the database stays as it is\n", path.display()));
        return Ok(());
    }
    let repaired = store::repair(path, words).map_err(|error| report(&error))?;
    print(&text(path, &repaired));
    Ok(())
}

/// What the rows of a table are; `None`: of no interest to an operator.
fn content(table: &str) -> Option<&'static str> {
    Some(match table {
        "feed" => "feeds",
        "poll" => "polls",
        "item" => "items",
        "body" => "texts",
        "item_match" => "matches",
        "decision" => "decisions",
        "archive_page" => "archive pages",
        "incident" => "incidents",
        "output" => "outputs",
        "promise" => "promises",
        _ => return None,
    })
}

/// The words of an item for the search index.
fn words(text: &TextToIndex) -> String {
    let (_, plain) = Text::with_plain(text.content.as_deref(), text.summary.as_deref());
    store::search_words(text.title.as_deref(), &plain)
}

fn text(path: &Path, repaired: &Repaired) -> String {
    let Repaired { damaged, rows, incomplete, altered } = repaired;
    let mut text = format!(
        "{}: replaced by a copy of what could be read; the previous file is {}\n",
        path.display(),
        damaged.display()
    );
    for (table, rows) in rows.iter().filter(|(_, rows)| *rows > 0) {
        let is_part = incomplete.contains(table);
        let Some(name) = content(table).or(is_part.then_some(table.as_str())) else { continue };
        let part = if is_part { " (a part could not be read)" } else { "" };
        let _ = writeln!(text, "  {name:<16} {rows:>9}{part}");
    }
    if *altered > 0 {
        let _ = writeln!(
            text,
            "{altered} damaged texts were removed; they are read again from the feeds"
        );
    }
    text
}
