//! `newswire remove`, `pause`, `resume`, `tag` and `set`: change feeds in the config and in the running daemon.
//!
//! The config is checked with the change before a file is replaced. Then the daemon loads it, if one is running.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::append_feeds::{self, Error as FileError};
use super::arguments::ChangeCommand;
use super::exit::{CommandError, Exit};
use super::init;
use super::known::{self, Known};
use super::run::print_reply;
use super::terminal::{failed, print, print_error, report, style};
use crate::config::{Config, Diagnostic, Files, Loaded, PathChecks, Report, Section};
use crate::daemon::control::{self, ControlError, Request, send};
use crate::edit::{EditError, FeedEdit, edit_feed};
use crate::files;
use crate::model::FeedId;

/// Removes the key that pauses a feed.
const RESUME: FeedEdit<'static> = FeedEdit::Set { key: "paused", value: "" };

/// Runs the command on the config at `path`.
///
/// # Errors
/// As [`run`], and when the command names a key or a tag twice; the error is printed.
pub(super) fn command(path: &Path, command: &ChangeCommand) -> Result<Exit, Exit> {
    match command {
        ChangeCommand::Remove { samples: true, .. } => match init::sample_feeds(path) {
            samples if samples.is_empty() => {
                print("the config has no sample feeds\n");
                Ok(Exit::Ok)
            }
            samples => of_each(path, &samples, FeedEdit::Remove, "removed"),
        },
        ChangeCommand::Remove { feeds, .. } => of_each(path, feeds, FeedEdit::Remove, "removed"),
        ChangeCommand::Pause { feeds } => {
            of_each(path, feeds, FeedEdit::Set { key: "paused", value: "true" }, "paused")
        }
        ChangeCommand::Resume { feeds } => of_each(path, feeds, RESUME, "resumed"),
        ChangeCommand::Tag { feed, tags, remove } => {
            if let Some(tag) = tags.iter().find(|tag| remove.contains(tag)) {
                return Err(report(&CommandError::RepeatedTag(tag.clone())));
            }
            let edit = FeedEdit::Tag { add: tags, remove };
            run(path, &[(feed, edit)], "changed the tags of")
        }
        ChangeCommand::Set { feed, values } => {
            let mut edits: Vec<(&str, FeedEdit<'_>)> = Vec::with_capacity(values.len());
            for (at, (key, value)) in values.iter().enumerate() {
                if values[..at].iter().any(|(earlier, _)| earlier == key) {
                    return Err(report(&CommandError::RepeatedKey(key.clone())));
                }
                edits.push((feed.as_str(), FeedEdit::Set { key, value }));
            }
            // The others find the feed by the URL that it has until then.
            edits.sort_by_key(|(_, edit)| matches!(edit, FeedEdit::Set { key: "url" | "id", .. }));
            run(path, &edits, "changed")
        }
    }
}

/// The same edit of each of these feeds.
fn of_each(path: &Path, feeds: &[String], edit: FeedEdit<'_>, done: &str) -> Result<Exit, Exit> {
    let edits: Vec<(&str, FeedEdit<'_>)> = feeds.iter().map(|feed| (&**feed, edit)).collect();
    run(path, &edits, done)
}

/// Changes feeds of the config at `path`, and reloads it in the daemon. The changes are made together or not at all.
/// Prints `done`, and then the names of the feeds that changed.
///
/// # Errors
/// When a feed is unknown, or the config would have errors; the error is printed.
fn run(path: &Path, edits: &[(&str, FeedEdit<'_>)], done: &str) -> Result<Exit, Exit> {
    let lock = append_feeds::lock(path).map_err(failed)?;
    let Changed { names, database, warnings } = change(path, edits)?;
    drop(lock);
    if names.is_empty() {
        print("no change: the config has these values already\n");
        return Ok(Exit::Ok);
    }
    print(&format!("{done} {}\n", names.join(", ")));
    Ok(apply(&database, &warnings))
}

/// A change of the config.
struct Changed<'n> {
    /// Names of the feeds that changed, each once.
    names: Vec<&'n str>,
    /// Path of the database.
    database: PathBuf,
    /// The warnings that the change causes.
    warnings: Report,
}

/// Replaces the files that change, while the lock of the config is held.
fn change<'n>(path: &Path, edits: &[(&'n str, FeedEdit<'_>)]) -> Result<Changed<'n>, Exit> {
    let before = Files::gather(path);
    let Loaded { config, report: warnings, database, .. } = before.read(PathChecks::Existence);
    let Some(config) = config.filter(|_| warnings.errors() == 0) else {
        return Err(report(&append_feeds::invalid(warnings)));
    };
    let known = known::feeds(&config, &database);
    let (mut files, mut changed) = (before.clone(), Vec::new());
    let ids = edits.iter().map(|&(name, edit)| id_to_write(&known, name, edit));
    let ids: Vec<Option<FeedId>> = ids.collect();
    let with_ids = edits.iter().zip(&ids).flat_map(|(&(name, edit), id)| {
        let id = id.as_ref().map(|id| FeedEdit::Set { key: "id", value: id.as_str() });
        id.into_iter().chain([edit]).map(move |edit| (name, edit))
    });
    for (name, edit) in with_ids {
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
    let Loaded { config: after, report: found, .. } = files.read(PathChecks::Existence);
    if found.errors() > 0 {
        return Err(report(&append_feeds::unfit(found)));
    }
    let are_fewer = |after: Config| after.subscriptions.len() < config.subscriptions.len();
    if edits.iter().all(|(_, edit)| *edit != FeedEdit::Remove) && after.is_some_and(are_fewer) {
        return Err(report(&CommandError::SameUrl));
    }
    if replace_all(&before, &files).map_err(failed)? == 0 {
        // One edit may have undone another one.
        changed.clear();
    }
    Ok(Changed { names: changed, database, warnings: new_warnings(&warnings, found) })
}

/// The id that the section of a feed needs before its address changes: the feed was found by its address alone.
fn id_to_write(known: &[Known<'_>], name: &str, edit: FeedEdit<'_>) -> Option<FeedId> {
    let FeedEdit::Set { key: "url" | "file", .. } = edit else { return None };
    let Known { feed, subscription } = known::find(known, name)?;
    let id = feed.key.is_some().then(|| feed.id.clone())?;
    subscription.feed.id.is_none().then_some(id)
}

/// The diagnostics of a config that it did not have before.
pub(super) fn new_warnings(before: &Report, mut after: Report) -> Report {
    let is_known = |found: &Diagnostic| {
        let same =
            |known: &Diagnostic| (known.code, &known.message) == (found.code, &found.message);
        before.diagnostics.iter().any(same)
    };
    after.diagnostics.retain(|found| !is_known(found));
    after
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
        false if known::find(known, name).is_some() && !is_paused(before, database, name) => {
            Ok(before.clone())
        }
        false => Ok(after),
    }
}

/// Whether these files pause the feed.
fn is_paused(files: &Files, database: &Path, name: &str) -> bool {
    let Some(config) = files.read(PathChecks::Existence).config else { return false };
    let known = known::feeds(&config, database);
    known::find(&known, name).is_some_and(|known| known.subscription.schedule.paused)
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
        EditError::NoFeed { .. } => report(&match known::find(known, name) {
            Some(Known { subscription, .. }) => CommandError::OnlyListed {
                name: name.to_owned(),
                url: subscription.feed.url.to_string(),
            },
            None => known::unknown_in(name, known),
        }),
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

/// Replaces the files that change, all or none: a change in two of them would else be made by half. Returns their number.
fn replace_all(before: &Files, after: &Files) -> Result<usize, FileError> {
    for (path, ..) in before.changes(after) {
        let allowed = fs::canonicalize(path).and_then(|path| files::check_replaceable(&path));
        allowed.map_err(|error| FileError::Replace(path.to_owned(), error))?;
    }
    let mut replaced = 0;
    for (path, old, new) in before.changes(after) {
        replace(path, old, new)?;
        replaced += 1;
    }
    Ok(replaced)
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

/// Makes a running daemon load the config; prints only the new warnings if none is running.
pub(super) fn apply_if_running(database: &Path, warnings: &Report) -> Exit {
    if control::socket_of(database).exists() {
        return apply(database, warnings);
    }
    print_warnings(warnings);
    Exit::Ok
}

fn print_warnings(warnings: &Report) {
    if !warnings.is_empty() {
        print_error(&warnings.draw(style(&io::stderr())));
    }
}

/// Makes the daemon load the config, and prints what changed. The daemon sends all warnings; without it, the new ones are
/// printed.
pub(super) fn apply(database: &Path, warnings: &Report) -> Exit {
    match send(database, &Request::Reload, |_| ()) {
        Ok(reply) => print_reply(reply, "the daemon: ")
            .unwrap_or_else(|reason| report(&CommandError::NotApplied(reason))),
        Err(ControlError::NotRunning { .. }) => {
            print_warnings(warnings);
            print("no daemon is running; the next start applies it\n");
            Exit::Ok
        }
        Err(error) => report(&CommandError::NotAnswered(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Coded as _;

    #[test]
    fn a_daemon_that_does_not_answer_does_not_hide_that_the_config_changed() {
        let path = PathBuf::from("newswire.sock");
        let timeout = ControlError::Timeout { path: path.clone(), seconds: 5 };
        let denied = ControlError::NotPermitted { path };
        for (error, code) in [(timeout, "no_answer"), (denied, "not_permitted")] {
            let error = CommandError::NotAnswered(error);
            assert!(error.to_string().starts_with("the change is in the config, but"), "{error}");
            assert_eq!(error.code(), code);
            assert!(error.help().is_some_and(|help| help.contains("'newswire reload'")), "{error}");
        }
    }
}
