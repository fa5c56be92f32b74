//! `newswire verify`: checks the database and what the outputs published from it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::config_file::{self, load_path};
use super::exit::Exit;
use super::terminal::{failed, print_error, print_text, report};
use crate::config::{self, Config};
use crate::outputs::{self, LEFT_FILES_REMEDY, LeftFiles, RecoveryError};
use crate::store::{self, CheckReport, Reader};
use crate::text::amounts::count;

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
        "'newswire poll' or a restart of the daemon writes files again that are missing, move damaged ones away first; after the loss of the database, \
         run 'newswire restore --from-outputs' first",
    ;
    Self::Documents(error) => error,
}

/// Number of times that an output is compared: the daemon may publish meanwhile.
const ATTEMPTS: usize = 3;

/// `verify`: a file, or the database of the config with the files of its outputs.
pub(super) fn command(config: Option<&Path>, file: Option<&Path>) -> Result<Exit, Exit> {
    match file {
        Some(file) => run_file(file),
        None => {
            let (database, path) = (load_path(config)?, config_file::path(config)?);
            run(&database, (&path, config::load(&path).config.as_ref()))
        }
    }
}

/// Checks the database at `path`, which the command line names.
///
/// # Errors
/// When it is damaged or cannot be opened; the error is printed.
fn run_file(path: &Path) -> Result<Exit, Exit> {
    let checked = match store::check_copy(path) {
        Err(error) if error.is_damage() => damage(error.to_string()),
        checked => checked.map_err(failed)?,
    };
    print_text(&text(path, &checked));
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
fn run(path: &Path, (file, config): (&Path, Option<&Config>)) -> Result<Exit, Exit> {
    let checked = match store::check(path) {
        Err(error) if error.is_damage() => damage(error.to_string()),
        checked => checked.map_err(failed)?,
    };
    print_text(&text(path, &checked));
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

fn text(path: &Path, checked: &CheckReport) -> String {
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
