//! `newswire repair`: replaces a damaged database with a copy of what can be read of it.

use std::fmt::Write as _;
use std::path::Path;

use super::config_file::{self, load_path};
use super::exit::Exit;
use super::terminal::{failed, print_text, report};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::dedupe::Text;
use crate::outputs;
use crate::render::Output;
use crate::store::{
    self, FileError, RegisteredOutput, RepairError, Repaired, RepairedTable, TextToIndex,
    Transaction,
};

/// `repair`: a file, or the database of the config.
pub(super) fn command(config: Option<&Path>, file: Option<&Path>) -> Result<(), Exit> {
    match file {
        Some(file) => run_file(file),
        None => {
            let database = load_path(config)?;
            run(&database, config::load(&config_file::path(config)?).config.as_ref())
        }
    }
}

/// Repairs the database of a config, which may have errors, at `path`. One without damage stays.
///
/// # Errors
/// When the database cannot be opened or replaced; the error is printed.
fn run(path: &Path, config: Option<&Config>) -> Result<(), Exit> {
    match store::check(path) {
        Ok(checked) if checked.problems.is_empty() => return intact(path),
        // A database that cannot be opened as a whole may still be read table by table.
        Err(error) if !error.is_damage() => return Err(report(&error)),
        _ => {}
    }
    let repaired = replace(path).map_err(failed)?;
    let is_output_lost = |table: &RepairedTable| table.name == "output" && !table.is_complete;
    if let Some(config) = config.filter(|_| repaired.tables.iter().any(is_output_lost)) {
        print_text(&read_back_ids(path, &config.outputs)?);
    }
    Ok(())
}

/// Gives outputs whose permanent id was lost the id that their Atom document has.
fn read_back_ids(path: &Path, outputs: &[Output]) -> Result<String, Exit> {
    let since = Clock::system().now();
    let mut text = String::new();
    let register = |tx: &Transaction<'_>| {
        for output in outputs {
            if tx.registered_output(&output.id)?.is_some() {
                continue;
            }
            let name = output.id.clone();
            let _ = match outputs::published_id(output) {
                Ok(Some(id)) => {
                    let of_document = RegisteredOutput { name, id, since };
                    tx.register_outputs(&[of_document])?;
                    writeln!(
                        text,
                        "the id of the output {} was read back from its Atom document",
                        output.id
                    )
                }
                _ => writeln!(
                    text,
                    "the id of the output {name} is lost, and no Atom document has it: feed readers take the output for \
                     another feed, unless a copy is restored with 'newswire restore FILE'"
                ),
            };
        }
        Ok(())
    };
    match store::transact(path, register) {
        Ok(Ok(())) => Ok(text),
        Ok(Err(error)) => Err(report(&error)),
        Err(error) => Err(report(&error)),
    }
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
    replace(path).map(drop).map_err(|error| match error {
        RepairError::Open(error) => report(&FileError::from(error)),
        error @ RepairError::Nothing { .. } => report(&error),
    })
}

fn intact(path: &Path) -> Result<(), Exit> {
    print_text(&format!("{}: no damage found; the database stays as it is\n", path.display()));
    Ok(())
}

fn replace(path: &Path) -> Result<Repaired, RepairError> {
    let repaired = store::repair(path, words)?;
    print_text(&text(path, &repaired));
    Ok(repaired)
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
