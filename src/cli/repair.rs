//! `newswire repair`: replaces a damaged database by a copy of what can be read of it.

use std::fmt::Write as _;
use std::path::Path;

use super::exit::Exit;
use super::terminal::{print, report};
use crate::dedupe::Text;
use crate::store::{self, Repaired, TextToIndex};

/// Repairs the database at `path`.
///
/// # Errors
/// When the database cannot be opened or replaced; the error is printed.
pub(super) fn run(path: &Path) -> Result<(), Exit> {
    let repaired = store::repair(path, words).map_err(|error| report(&error))?;
    print(&text(path, &repaired));
    Ok(())
}

/// The words of an item for the search index.
fn words(text: &TextToIndex) -> String {
    let (_, plain) = Text::with_plain(text.content.as_deref(), text.summary.as_deref());
    store::search_words(text.title.as_deref(), &plain)
}

fn text(path: &Path, repaired: &Repaired) -> String {
    let Repaired { damaged, rows, incomplete, altered } = repaired;
    let mut text = format!(
        "{}: replaced by a copy of what could be read; the previous file is {}; number of rows by table:\n",
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
