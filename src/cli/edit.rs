//! `newswire remove`, `pause`, `resume`, `tag` and `set`: change feeds in the config and in the running daemon.
//!
//! The config is checked with the change before a file is replaced. Then the daemon loads it, if one is running.

use std::fs;
use std::path::Path;

use super::append_feeds::Error as FileError;
use super::error::CommandError;
use super::exit::Exit;
use super::terminal::{print, print_error, report};
use crate::config::{self, Files, Loaded, PathChecks, Report, Severity};
use crate::daemon::control::{self, ControlError, Reply, Request, send};
use crate::edit::{EditError, EditedFile, FeedEdit, edit_feed};
use crate::files;
use crate::store::Reader;

/// Changes feeds of the config at `path`, and reloads it in the daemon. The changes are made together or not at all.
///
/// # Errors
/// When a feed is unknown, or the config would have errors; the error is printed.
pub(super) fn run(path: &Path, edits: &[(&str, FeedEdit<'_>)], done: &str) -> Result<Exit, Exit> {
    let before = Files::gather(path);
    let before_report = before.clone().read(PathChecks::Existence).report;
    if before_report.errors() > 0 {
        return Err(report(&invalid(before_report, "it has errors")));
    }
    let database = config::load(path).database;
    let mut files = before.clone();
    for (name, edit) in edits {
        let edited = edit_one(&files, &database, name, *edit).map_err(|error| report(&error))?;
        files = files.with(&edited.path, edited.after.clone());
    }
    let Loaded { report: found, .. } = files.read(PathChecks::Existence);
    if found.errors() > 0 {
        return Err(report(&invalid(found, "it would have errors with the change")));
    }
    for (path, old, new) in before.changes(&files) {
        replace(path, old, new).map_err(|error| report(&error))?;
    }
    print(&format!("{done}\n"));
    Ok(apply(&database))
}

fn invalid(mut found: Report, reason: &'static str) -> FileError {
    found.diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    FileError::Invalid { report: Box::new(found), reason }
}

/// The edit by the name, or by the URL of the feed that has this derived id in the database.
fn edit_one(
    files: &Files,
    database: &Path,
    name: &str,
    edit: FeedEdit<'_>,
) -> Result<EditedFile, EditError> {
    let unknown = match edit_feed(files, name, edit) {
        Err(error @ EditError::NoFeed { .. }) => error,
        result => return result,
    };
    url_of_id(database, name).map_or(Err(unknown), |url| edit_feed(files, &url, edit))
}

/// URL of the feed that has this id in the database; `None`: no feed has it, or there is no database.
pub(super) fn url_of_id(database: &Path, id: &str) -> Option<String> {
    let feeds = Reader::open(database).ok()?.read(|tx| tx.feeds()).ok()?;
    feeds.into_iter().find(|feed| feed.id.as_str() == id).map(|feed| feed.url)
}

/// Replaces a file unless another program changed it meanwhile.
fn replace(path: &Path, before: &str, after: &str) -> Result<(), FileError> {
    // The target of a symbolic link, so that the link stays.
    let path = fs::canonicalize(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
    let now = fs::read_to_string(&path).map_err(|error| FileError::Read(path.clone(), error))?;
    if now != before {
        return Err(FileError::Changed(path));
    }
    files::replace(&path, after.as_bytes()).map_err(|error| FileError::Replace(path.clone(), error))
}

/// Makes a daemon that is running load the config; says nothing without one.
pub(super) fn apply_if_running(database: &Path) -> Exit {
    if control::socket_of(database).exists() { apply(database) } else { Exit::Ok }
}

/// Makes the daemon load the config, and prints what changed.
pub(super) fn apply(database: &Path) -> Exit {
    match send(database, &Request::Reload, |_| ()) {
        Ok(Reply::Done { message, warnings }) => {
            print_error(&warnings);
            print(&format!("the daemon: {message}\n"));
            Exit::Ok
        }
        Ok(Reply::Rejected(diagnostics)) => {
            print_error(&diagnostics);
            report(&CommandError::Rejected)
        }
        Ok(Reply::UnknownFeed(reason) | Reply::Progress(reason) | Reply::Failed(reason)) => {
            report(&CommandError::NotApplied(reason))
        }
        Err(ControlError::NotRunning { .. }) => {
            print("no daemon is running; the next start applies it\n");
            Exit::Ok
        }
        Err(error) => report(&error),
    }
}
