//! `newswire repair`: replaces a damaged database with a copy of what can be read of it.

use std::fmt::Write as _;
use std::path::Path;

use super::config_file::load_path;
use super::exit::Exit;
use super::terminal::{print_text, report};
use crate::dedupe::Text;
use crate::store::{self, FileError, RepairError, Repaired, RepairedTable, TextToIndex};

/// `repair`: a file, or the database of the config.
pub(super) fn command(config: Option<&Path>, file: Option<&Path>) -> Result<(), Exit> {
    match file {
        Some(file) => run_file(file),
        None => run(&load_path(config)?),
    }
}

/// Repairs the database of the config at `path`. One without damage stays.
///
/// # Errors
/// When the database cannot be opened or replaced; the error is printed.
fn run(path: &Path) -> Result<(), Exit> {
    match store::check(path) {
        Ok(checked) if checked.problems.is_empty() => return intact(path),
        // A database that cannot be opened as a whole may still be read table by table.
        Err(error) if !error.is_damage() => return Err(report(&error)),
        _ => {}
    }
    replace(path).map_err(|error| report(&error))
}

/// Repairs the database at `path`, which the command line names.
///
/// # Errors
/// The same.
fn run_file(path: &Path) -> Result<(), Exit> {
    match store::check_copy(path) {
        Ok(checked) if checked.problems.is_empty() => return intact(path),
        Err(error) if !error.is_damage() => return Err(report(&error)),
        _ => {}
    }
    replace(path).map_err(|error| match error {
        RepairError::Open(error) => report(&FileError::from(error)),
        error @ RepairError::Nothing { .. } => report(&error),
    })
}

fn intact(path: &Path) -> Result<(), Exit> {
    print_text(&format!("{}: no damage found; the database stays as it is\n", path.display()));
    Ok(())
}

fn replace(path: &Path) -> Result<(), RepairError> {
    store::repair(path, words).map(|repaired| print_text(&text(path, &repaired)))
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
    let Repaired { damaged, tables, altered } = repaired;
    let mut text = format!(
        "{}: replaced by a copy of what could be read; the previous file is {}\n",
        path.display(),
        damaged.display()
    );
    let (mut others, mut lost) = (Vec::new(), false);
    for table in tables {
        let RepairedTable { name, rows, orphans, is_complete } = table;
        lost |= name == "item" && (!is_complete || *orphans > 0);
        match content(name) {
            Some(content) if rows + orphans > 0 || !is_complete => {
                let _ = writeln!(text, "  {content:<16} {rows:>9}{}", remark(table));
            }
            None if !is_complete => others.push(name.as_str()),
            _ => {}
        }
    }
    if !others.is_empty() {
        let _ = writeln!(text, "a part could not be read of the tables {}", others.join(", "));
    }
    if *altered > 0 {
        let _ = writeln!(
            text,
            "{altered} damaged texts were removed; they are read again from the feeds"
        );
    }
    if lost {
        text.push_str(
            "items are lost; 'newswire restore --from-outputs' reads back those that outputs published\n",
        );
    }
    text
}

/// What is missing of a table.
fn remark(table: &RepairedTable) -> String {
    let RepairedTable { rows, orphans, is_complete, .. } = table;
    match (rows + orphans, *orphans, is_complete) {
        (0, _, false) => " (nothing could be read)".to_owned(),
        (_, 0, false) => " (a part could not be read)".to_owned(),
        (_, 0, true) => String::new(),
        (_, orphans, _) => format!(" ({orphans} more belong to rows that could not be read)"),
    }
}
