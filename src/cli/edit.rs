//! `newswire remove`, `pause`, `resume`, `tag` and `set`: change feeds in the config and in the running daemon.
//!
//! The config is checked with the change before a file is replaced. Then the daemon loads it, if one is running.

use std::fs;
use std::path::Path;

use super::append_feeds::{self, Error as FileError};
use super::error::CommandError;
use super::exit::Exit;
use super::known;
use super::terminal::{print, print_error, report};
use crate::config::{self, Config, Files, Loaded, PathChecks};
use crate::daemon::control::{self, ControlError, Reply, Request, send};
use crate::edit::{EditError, FeedEdit, edit_feed};
use crate::files;

/// Changes feeds of the config at `path`, and reloads it in the daemon. The changes are made together or not at all.
///
/// # Errors
/// When a feed is unknown, or the config would have errors; the error is printed.
pub(super) fn run(path: &Path, edits: &[(&str, FeedEdit<'_>)], done: &str) -> Result<Exit, Exit> {
    let before = Files::gather(path);
    let Loaded { config, report: found, .. } = before.clone().read(PathChecks::Existence);
    let Some(config) = config.filter(|_| found.errors() == 0) else {
        return Err(report(&append_feeds::invalid(found)));
    };
    let database = config::load(path).database;
    let mut files = before.clone();
    for (name, edit) in edits {
        files = edit_one(files, (&config, &database), name, *edit)?;
    }
    let Loaded { report: found, .. } = files.clone().read(PathChecks::Existence);
    if found.errors() > 0 {
        return Err(report(&append_feeds::unfit(found)));
    }
    let mut changed = false;
    for (path, old, new) in before.changes(&files) {
        replace(path, old, new).map_err(|error| report(&error))?;
        changed = true;
    }
    if !changed {
        print("no change: the config has these values already\n");
        return Ok(Exit::Ok);
    }
    print(&format!("{done}\n"));
    Ok(apply(&database))
}

/// The files with the edit of the feed that has the name as id or URL, or as derived id.
fn edit_one(
    files: Files,
    (config, database): (&Config, &Path),
    name: &str,
    edit: FeedEdit<'_>,
) -> Result<Files, Exit> {
    let url = || url_of_id(config, database, name);
    let edited = match edit_feed(&files, name, edit) {
        Err(error @ EditError::NoFeed { .. }) => match url() {
            Some(url) => edit_feed(&files, &url, edit),
            None => {
                let known = known::feeds(config, database);
                let is_followed = known.iter().any(|known| known.is(name));
                return Err(match is_followed {
                    true => report(&error),
                    false => report(&known::unknown_in(name, &known)),
                });
            }
        },
        edited => edited,
    };
    let edited = edited.map_err(|error| report(&error))?;
    Ok(files.with(&edited.path, edited.after))
}

/// URL of the feed that has this id, which may be derived; `None`: no feed has it.
pub(super) fn url_of_id(config: &Config, database: &Path, id: &str) -> Option<String> {
    let feeds = known::feeds(config, database);
    let found = feeds.iter().find(|known| known.feed.id.as_str() == id)?;
    Some(found.subscription.feed.url.to_string())
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
