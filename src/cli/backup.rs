//! `newswire backup` and `newswire restore`: copies of the database.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::arguments::BackupRequest;
use super::error::CommandError;
use super::exit::Exit;
use super::terminal::{failed, print, report};
use crate::clock::Clock;
use crate::config::Config;
use crate::files;
use crate::outputs;
use crate::store::{self, Backup, BackupError, Reader};
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
