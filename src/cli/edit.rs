//! `newswire remove`, `pause`, `resume`, `tag` and `set`: change feeds in the config and in the running daemon.
//!
//! The config is checked with the change before a file is replaced. Then the daemon loads it, if one is running.

use std::fs;
use std::path::{Path, PathBuf};

use super::append_feeds::{self, Error as FileError};
use super::error::CommandError;
use super::exit::Exit;
use super::known::{self, Known};
use super::terminal::{print, print_error, report};
use crate::config::{Config, Files, Loaded, PathChecks, Section};
use crate::daemon::control::{self, ControlError, Reply, Request, send};
use crate::edit::{EditError, FeedEdit, edit_feed};
use crate::files;

/// Removes the key that pauses a feed.
pub(super) const RESUME: FeedEdit<'static> = FeedEdit::Set { key: "paused", value: "" };

/// Changes feeds of the config at `path`, and reloads it in the daemon. The changes are made together or not at all.
/// Prints `done`, and then the names of the feeds that changed.
///
/// # Errors
/// When a feed is unknown, or the config would have errors; the error is printed.
pub(super) fn run(path: &Path, edits: &[(&str, FeedEdit<'_>)], done: &str) -> Result<Exit, Exit> {
    let lock = append_feeds::lock(path).map_err(|error| report(&error))?;
    let (changed, database) = change(path, edits)?;
    drop(lock);
    if changed.is_empty() {
        print("no change: the config has these values already\n");
        return Ok(Exit::Ok);
    }
    print(&format!("{done} {}\n", changed.join(", ")));
    Ok(apply(&database))
}

/// Replaces the files that change, while the lock of the config is held. Returns the names of the feeds that changed,
/// each once, and the path of the database.
fn change<'n>(
    path: &Path,
    edits: &[(&'n str, FeedEdit<'_>)],
) -> Result<(Vec<&'n str>, PathBuf), Exit> {
    let before = Files::gather(path);
    let Loaded { config, report: found, database, .. } = before.read(PathChecks::Existence);
    let Some(config) = config.filter(|_| found.errors() == 0) else {
        return Err(report(&append_feeds::invalid(found)));
    };
    let known = known::feeds(&config, &database);
    let (mut files, mut changed) = (before.clone(), Vec::new());
    for &(name, edit) in edits {
        let after = match edited(&files, &known, name, edit) {
            Ok(after) => after,
            // An earlier name was that of the same feed.
            Err(EditError::NoFeed { .. })
                if edit == FeedEdit::Remove && edited(&before, &known, name, edit).is_ok() =>
            {
                continue;
            }
            Err(error) => return Err(refused(&error, name, &known)),
        };
        let after = match edit == RESUME {
            true => resumed((&files, after), (&known, &database), name)?,
            false => after,
        };
        if files.changes(&after).next().is_some() && !changed.contains(&name) {
            changed.push(name);
        }
        files = after;
    }
    let found = files.read(PathChecks::Existence).report;
    if found.errors() > 0 {
        return Err(report(&append_feeds::unfit(found)));
    }
    // All files or none: a change in two of them would else be made by half.
    for (path, ..) in before.changes(&files) {
        let allowed = fs::canonicalize(path).and_then(|path| files::check_replaceable(&path));
        allowed.map_err(|error| report(&FileError::Replace(path.to_owned(), error)))?;
    }
    let mut replaced = 0;
    for (path, old, new) in before.changes(&files) {
        replace(path, old, new).map_err(|error| report(&error))?;
        replaced += 1;
    }
    if replaced == 0 {
        // One edit may have undone another one.
        changed.clear();
    }
    Ok((changed, database))
}

/// The files in which the feed is polled again: `before`, if it was not paused; `after`, the files without its key; or
/// these with a key that prevails over the `[[server]]` or `[schedule]` that pauses it.
fn resumed(
    (before, after): (&Files, Files),
    (known, database): (&[Known<'_>], &Path),
    name: &str,
) -> Result<Files, Exit> {
    match is_paused(&after, database, name) {
        true => {
            let resumed = FeedEdit::Set { key: "paused", value: "false" };
            edited(&after, known, name, resumed).map_err(|error| refused(&error, name, known))
        }
        // Its key may be paused = false.
        false if known.iter().any(|known| known.is(name)) && !is_paused(before, database, name) => {
            Ok(before.clone())
        }
        false => Ok(after),
    }
}

/// Whether these files pause the feed.
fn is_paused(files: &Files, database: &Path, name: &str) -> bool {
    let Some(config) = files.read(PathChecks::Existence).config else { return false };
    let known = known::feeds(&config, database);
    known.iter().any(|known| known.is(name) && known.subscription.schedule.paused)
}

/// The files with the edit of the feed that has the name as id or URL, or as derived id.
fn edited(
    files: &Files,
    known: &[Known<'_>],
    name: &str,
    edit: FeedEdit<'_>,
) -> Result<Files, EditError> {
    let edit = match edit {
        // Nothing would be left that the check of the config could report.
        FeedEdit::Set { key, value: "" } if Section::Feed.key(key).is_none() => {
            FeedEdit::Set { key, value: "?" }
        }
        edit => edit,
    };
    let edited = match edit_feed(files, name, edit) {
        Err(error @ EditError::NoFeed { .. }) => {
            let Some(url) = url_in(known, name) else { return Err(error) };
            edit_feed(files, url, edit)?
        }
        edited => edited?,
    };
    Ok(files.clone().with(&edited.path, edited.after))
}

/// Prints why a feed cannot be changed.
fn refused(error: &EditError, name: &str, known: &[Known<'_>]) -> Exit {
    match error {
        EditError::NoFeed { .. } if !known.iter().any(|known| known.is(name)) => {
            report(&known::unknown_in(name, known))
        }
        error => report(error),
    }
}

/// URL of the feed that has this id, which may be derived; `None`: no feed has it.
pub(super) fn url_of_id(config: &Config, database: &Path, id: &str) -> Option<String> {
    url_in(&known::feeds(config, database), id).map(str::to_owned)
}

/// URL of the known feed that has this id; `None`: no feed has it.
fn url_in<'k>(known: &'k [Known<'_>], id: &str) -> Option<&'k str> {
    let found = known.iter().find(|known| known.feed.id.as_str() == id)?;
    Some(found.subscription.feed.url.as_str())
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

/// Makes a running daemon load the config; prints nothing if none is running.
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
