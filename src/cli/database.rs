//! `newswire db`: checks and repairs the database.

use std::fmt::Write as _;
use std::path::Path;

use super::arguments::DbCommand;
use super::exit::Exit;
use super::terminal::{print, report};
use crate::dedupe::Text;
use crate::store::{self, CheckReport, ErrorCause, Repaired, TextToIndex};

/// The database is damaged; the problems were printed before.
#[derive(Debug, thiserror::Error)]
#[error("the database is damaged")]
pub struct Damaged;

crate::model::codes! {
    Damaged:
    Self => "database_damaged": ErrorCause::Damaged.remedy(),
}

/// Runs the command on the database at `path`.
///
/// # Errors
/// When the database is damaged, cannot be opened, or cannot be repaired; the error is printed.
pub(super) fn run(what: DbCommand, path: &Path) -> Result<Exit, Exit> {
    match what {
        DbCommand::Check => {
            let checked = store::check(path).map_err(|error| report(&error))?;
            print(&check_text(path, &checked));
            if checked.problems.is_empty() { Ok(Exit::Ok) } else { Err(report(&Damaged)) }
        }
        DbCommand::Repair => {
            let repaired = store::repair(path, words).map_err(|error| report(&error))?;
            print(&repair_text(path, &repaired));
            Ok(Exit::Ok)
        }
    }
}

/// The words of an item for the search index.
fn words(text: &TextToIndex) -> String {
    let (_, plain) = Text::with_plain(text.content.as_deref(), text.summary.as_deref());
    store::search_words(text.title.as_deref(), &plain)
}

fn check_text(path: &Path, checked: &CheckReport) -> String {
    let CheckReport { problems, items, texts } = checked;
    if problems.is_empty() {
        return format!("{}: no damage found in {items} items and {texts} texts\n", path.display());
    }
    let mut text = format!("{}: {} problems\n", path.display(), problems.len());
    for problem in problems {
        let _ = writeln!(text, "  {}", problem.replace('\n', " "));
    }
    text
}

fn repair_text(path: &Path, repaired: &Repaired) -> String {
    let Repaired { damaged, rows, incomplete, altered } = repaired;
    let mut text = format!(
        "{}: replaced by a copy of what could be read; the damaged database is {}\n",
        path.display(),
        damaged.display()
    );
    for (table, rows) in rows.iter().filter(|(_, rows)| *rows > 0) {
        let part = if incomplete.contains(table) { " (a part could not be read)" } else { "" };
        let _ = writeln!(text, "  {table:<16} {rows:>9}{part}");
    }
    if *altered > 0 {
        let _ = writeln!(
            text,
            "{altered} damaged texts were removed; they are read again from the feeds"
        );
    }
    text
}
