//! `newswire backup` and `newswire restore`: copies of the database. `newswire verify`: checks it and what the outputs
//! published from it. `newswire repair`: replaces a damaged one with a copy of what can be read of it.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::arguments::BackupRequest;
use super::config_file::{self, load_path};
use super::exit::{CommandError, Exit};
use super::terminal::{failed, print, print_error, print_text, report};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::dedupe::Text;
use crate::files;
use crate::outputs::{self, LEFT_FILES_REMEDY, LeftFiles, RecoveryError};
use crate::render::Output;
use crate::store::{
    self, Backup, BackupError, CheckReport, FileError, Reader, RegisteredOutput, RepairError,
    Repaired, RepairedTable, TextToIndex, Transaction,
};
use crate::text::amounts::{bytes, count};

/// Writes a copy of the database to a file, to a folder that keeps the newest `keep` copies, or to standard output
/// if `to` is `-`.
///
/// # Errors
/// When the copy cannot be made or written; the error is printed.
pub(super) fn backup(database: &Path, request: &BackupRequest, clock: &Clock) -> Result<(), Exit> {
    let (to, keep) = (request.to.as_path(), request.keep);
    if to == Path::new("-") && keep.is_none() {
        return to_standard_output(database);
    }
    let file = if to.is_dir() {
        to.join(clock.now().strftime(&format!("{PREFIX}%Y%m%dT%H%M%SZ{SUFFIX}")).to_string())
    } else if keep.is_some() {
        return Err(report(&CommandError::NoFolder(to.to_owned())));
    } else {
        to.to_owned()
    };
    let backup = store::backup(database, &file).map_err(failed)?;
    print(&format!("copied {} to {}\n", summary(&backup), file.display()));
    if let Some(keep) = keep {
        remove_old(to, &file, usize::from(keep))
            .map_err(|source| report(&BackupError::Io { path: to.to_owned(), source }))?;
    }
    Ok(())
}

/// Names of the copies in a folder: `newswire-20261128T093000Z.db`, which sort by time.
const PREFIX: &str = "newswire-";
const SUFFIX: &str = ".db";

/// Removes the oldest copies of the folder, so that `keep` stay with the one that was just made; other files stay.
fn remove_old(folder: &Path, new: &Path, keep: usize) -> io::Result<()> {
    let ours = mark(new)?;
    let mut copies: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // The new copy stays also if others have later names: the clock may have been wrong.
        let is_other = entry.file_name().to_str().is_some_and(is_name_of_copy) && path != new;
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_other && is_file() && mark(&path).is_ok_and(|mark| mark == ours) {
            copies.push(path);
        }
    }
    copies.sort();
    let old = copies.len().saturating_sub(keep.saturating_sub(1));
    copies[..old].iter().try_for_each(|path| match std::fs::remove_file(path) {
        // Another backup has removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    })
}

fn is_name_of_copy(name: &str) -> bool {
    let time = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    time.is_some_and(|time| {
        time.len() == 16 && time.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'T' | b'Z'))
    })
}

/// What the databases of Newswire have in common at their beginning, in every version: the name of the format, and the
/// id of the application (<https://sqlite.org/fileformat.html>, 1.3).
fn mark(path: &Path) -> io::Result<([u8; 16], [u8; 4])> {
    let (mut format, mut between, mut application) = ([0; 16], [0; 52], [0; 4]);
    let mut file = files::open_regular(path)?;
    file.read_exact(&mut format)?;
    file.read_exact(&mut between)?;
    file.read_exact(&mut application)?;
    Ok((format, application))
}

/// The copy is made and checked beside the database first: a pipe cannot take back what it was given.
fn to_standard_output(database: &Path) -> Result<(), Exit> {
    if io::stdout().is_terminal() {
        return Err(report(&CommandError::Terminal));
    }
    let failed = |error| report(&CommandError::Stdio(error));
    let copy = store::temporary_backup(database).map_err(|error| report(&error))?;
    let mut out = io::stdout().lock();
    let sent = std::fs::File::open(copy.path()).and_then(|mut file| io::copy(&mut file, &mut out));
    sent.and_then(|_| out.flush()).map_err(failed)
}

/// Replaces the database with a copy.
///
/// # Errors
/// When the copy is unusable, or the database is in use; the error is printed.
pub(super) fn restore(from: &Path, database: &Path) -> Result<(), Exit> {
    let backup = store::restore(from, database).map_err(failed)?;
    let mut text = format!("restored {} to {}\n", summary(&backup), database.display());
    if let Some(previous) = &backup.previous {
        text.push_str(&format!("the previous database is {}\n", previous.display()));
    }
    print(&text);
    Ok(())
}

/// A hint after the restore of a copy that lacks items of the outputs; empty: it has all, or that is unknown.
pub(super) fn newer_outputs(config: Option<&Config>) -> String {
    let unknown = |config: &Config| -> Option<usize> {
        let reader = Reader::open(&config.store.path).ok()?;
        reader.read(|reader| outputs::unknown_items(reader, &config.outputs)).ok()
    };
    match config.and_then(unknown) {
        None | Some(0) => String::new(),
        Some(number) => format!(
            "the outputs have {} that the copy lacks; before the next poll, \
             'newswire restore --from-outputs' reads them back, so that none is lost or shown twice\n",
            count(number as u64, "item")
        ),
    }
}

fn summary(backup: &Backup) -> String {
    let size = bytes(backup.bytes as f64);
    format!("{}, {} ({size})", count(backup.feeds, "feed"), count(backup.items, "item"))
}

/// Something is wrong; the problems were printed before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is damaged.
    #[error("the database is damaged")]
    Damaged,
    /// The named database is damaged.
    #[error("{0} is damaged")]
    DamagedFile(PathBuf),
    /// An output is not what was published.
    #[error("the files of an output differ from the database")]
    OutputsDiffer,
    /// The files of an output cannot be read.
    #[error(transparent)]
    Documents(#[from] RecoveryError),
}

crate::model::codes! {
    Error:
    Self::Damaged => "database_damaged": "stop the daemon and run 'newswire repair', or restore a copy",
    Self::DamagedFile(path) => "database_damaged":
        format!("use an older copy, or 'newswire repair {}', which keeps what can be read of it", path.display()),
    Self::OutputsDiffer => "outputs_differ":
        "'newswire poll' or a restart of the daemon writes these files again; move damaged archive pages away first. After the loss of the \
         database, run 'newswire restore --from-outputs' first",
    ;
    Self::Documents(error) => error,
}

/// Number of times that an output is compared: the daemon may publish meanwhile.
const ATTEMPTS: usize = 3;

/// `verify`: a file, or the database of the config with the files of its outputs.
pub(super) fn verify(config: Option<&Path>, file: Option<&Path>) -> Result<Exit, Exit> {
    match file {
        Some(file) => verify_file(file),
        None => {
            let (database, path) = (load_path(config)?, config_file::path(config)?);
            verify_configured(&database, (&path, config::load(&path).config.as_ref()))
        }
    }
}

/// Checks the database at `path`, which the command line names.
///
/// # Errors
/// When it is damaged or cannot be opened; the error is printed.
fn verify_file(path: &Path) -> Result<Exit, Exit> {
    let checked = match store::check_copy(path) {
        Err(error) if error.is_damage() => damage(error.to_string()),
        checked => checked.map_err(failed)?,
    };
    print_text(&verified(path, &checked));
    match checked.problems.is_empty() {
        true => Ok(Exit::Ok),
        false => Err(report(&Error::DamagedFile(path.to_owned()))),
    }
}

/// A report that consists of the error with which SQLite does not open the file.
fn damage(problem: String) -> CheckReport {
    CheckReport { problems: vec![problem], ..CheckReport::default() }
}

/// Checks the database at `path`, and the files of the outputs; `config` is `None` if the file has errors, which leave
/// the check incomplete.
///
/// # Errors
/// When there is damage or a difference, the check is incomplete, or the database cannot be opened; the error is printed.
fn verify_configured(path: &Path, (file, config): (&Path, Option<&Config>)) -> Result<Exit, Exit> {
    let checked = match store::check(path) {
        Err(error) if error.is_damage() => damage(error.to_string()),
        checked => checked.map_err(failed)?,
    };
    print_text(&verified(path, &checked));
    if !checked.problems.is_empty() {
        return Err(report(&Error::Damaged));
    }
    let Some(config) = config else {
        print_error(
            "the config has errors, which 'newswire check' lists; the files of the outputs were not compared\n",
        );
        return Err(config_file::exit_of_invalid(file));
    };
    let reader = Reader::open(path).map_err(failed)?;
    let (mut files, mut problems) = (0, Vec::new());
    for left in left_files(&reader, config).map_err(failed)? {
        print_text(&format!("{left}\n  {LEFT_FILES_REMEDY}\n"));
    }
    for output in &config.outputs {
        let unwritten = reader.read(|reader| outputs::unwritten(reader, output)).map_err(failed)?;
        files += u64::from(output.directory.is_some() && unwritten.is_none());
        if let Some(note) = unwritten {
            print_text(&format!("{note}: 'newswire poll' or the running daemon writes them\n"));
        }
        let compare = || reader.read(|reader| outputs::differences(reader, output));
        let mut found = compare().map_err(failed)?;
        for _ in 1..ATTEMPTS {
            if found.is_empty() {
                break;
            }
            found = compare().map_err(failed)?;
        }
        problems.extend(found);
    }
    if problems.is_empty() {
        if files > 0 {
            print_text(&format!("the files of {} match it\n", count(files, "output")));
        }
        return Ok(Exit::Ok);
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}\n")).collect();
    print_text(&lines.concat());
    Err(report(&Error::OutputsDiffer))
}

/// The files of outputs that are no longer written, which is no damage.
fn left_files(reader: &Reader, config: &Config) -> Result<Vec<LeftFiles>, store::Error> {
    Ok(reader.read(|reader| outputs::output_folders(reader, &config.outputs))?.left)
}

fn verified(path: &Path, checked: &CheckReport) -> String {
    let CheckReport { problems, items, texts } = checked;
    if problems.is_empty() {
        let (items, texts) = (count(*items as u64, "item"), count(*texts as u64, "text"));
        return format!("{}: no damage found in {items} and {texts}\n", path.display());
    }
    let mut text = format!("{}: {}\n", path.display(), count(problems.len() as u64, "problem"));
    for problem in problems {
        let _ = writeln!(text, "  {}", problem.replace('\n', " "));
    }
    text
}

/// `repair`: a file, or the database of the config.
pub(super) fn repair(config: Option<&Path>, file: Option<&Path>) -> Result<(), Exit> {
    match file {
        Some(file) => repair_file(file),
        None => {
            let database = load_path(config)?;
            repair_configured(&database, config::load(&config_file::path(config)?).config.as_ref())
        }
    }
}

/// Repairs the database of a config, which may have errors, at `path`. One without damage stays.
///
/// # Errors
/// When the database cannot be opened or replaced; the error is printed.
fn repair_configured(path: &Path, config: Option<&Config>) -> Result<(), Exit> {
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
fn repair_file(path: &Path) -> Result<(), Exit> {
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
    print_text(&repaired_text(path, &repaired));
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

fn repaired_text(path: &Path, repaired: &Repaired) -> String {
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
