//! `newswire status`, `logs` and `health`: what is known about the feeds and the daemon.

use std::fs::File;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::arguments::Format;
use super::config_file::{self, path, print_diagnostics};
use super::exit::Exit;
use super::known::FeedName;
use super::terminal::{failed, print, print_text, report};
use super::{fitting, health, known, list, status};
use crate::clock::Clock;
use crate::config::{self, Config, Loaded};
use crate::daemon;
use crate::health::ListStatus;
use crate::model::FeedInfo;
use crate::store::Reader;

/// `logs`: the last polls of a feed.
pub(super) fn logs(config: Option<&Path>, feed: &str, lines: u16) -> Result<(), Exit> {
    let (reader, config) = config_file::database_with_config(config)?;
    let now = Clock::system().now();
    let feeds =
        reader.read(|reader| known::statuses(config.as_ref(), reader, now)).map_err(failed)?;
    let Some(found) = known::named_in(&feeds, feed) else {
        return Err(report(&known::unknown(feed, feeds.iter().map(|feed| feed.info.id.as_str()))));
    };
    let polls = reader.read(|reader| reader.polls(found.info.key, usize::from(lines)));
    print_text(&list::polls(&found.info.id, &polls.map_err(failed)?, found.last_poll_at));
    Ok(())
}

/// `health`. Works with a config that has errors, which must not hide a daemon that runs with the previous one.
pub(super) fn check_health(given: Option<&Path>) -> Result<Exit, Exit> {
    let path = path(given)?;
    let Loaded { report, database, listen, .. } = config::load(&path);
    if !path.exists() {
        return Err(print_diagnostics(&path, &report));
    }
    let (text, exit) = health::check(&listen, &database);
    print_text(&text);
    Ok(exit)
}

/// Which feeds `status` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// All, or those that are named.
    All,
    /// Only those of them that fail, have stopped publishing or are gone.
    Failing,
}

/// `status`: a table of feeds, or JSON.
pub(super) fn show_status(
    config: Option<&Path>,
    (named, listed): (&[String], Listed),
    format: Format,
) -> Result<Exit, Exit> {
    let (reader, config) = config_file::database_with_config(config)?;
    let now = Clock::system().now();
    let mut feeds =
        reader.read(|reader| known::statuses(config.as_ref(), reader, now)).map_err(failed)?;
    if let Some(unknown) = named.iter().find(|name| known::named_in(&feeds, name).is_none()) {
        let ids = feeds.iter().map(|feed| feed.info.id.as_str());
        return Err(report(&known::unknown(unknown, ids)));
    }
    let names: Vec<FeedName<'_>> = named.iter().map(|name| FeedName::new(name)).collect();
    let is_named = |FeedInfo { id, url, .. }: &FeedInfo| names.iter().any(|it| it.is_of(id, url));
    feeds.retain(|feed| named.is_empty() || is_named(&feed.info));
    // Lists are not part of a question about feeds.
    let lists = if named.is_empty() { lists(config.as_ref(), now) } else { Vec::new() };
    let exit = status::overall(&feeds, &lists, now).0;
    if listed == Listed::Failing {
        feeds.retain(|feed| status::is_failing(feed, now));
        let is_any = !feeds.is_empty() || lists.iter().any(|list| list.failure.is_some());
        if !is_any && format == Format::Text {
            print("no feed fails\n");
            return Ok(Exit::Ok);
        }
    }
    let from = now.as_second().div_euclid(86_400) - 14;
    let subscribers = reader.read(|reader| reader.subscriber_counts(from)).map_err(failed)?;
    match format {
        Format::Json => {
            print(&format!("{:#}\n", status::json(&feeds, &lists, &subscribers, now)));
        }
        Format::Text => {
            let table = status::table(&feeds, now, fitting::width(&io::stdout()));
            print_text(&format!("{table}{}", status::failing_lists(&lists, now)));
        }
    }
    Ok(exit)
}

/// The followed lists; without a config none are known.
fn lists(config: Option<&Config>, now: Timestamp) -> Vec<ListStatus> {
    config.map(|config| daemon::list_statuses(&config.followed, now)).unwrap_or_default()
}

/// Added to the line of a config that has errors, such as a followed list in a file that was never readable.
const CONFIG_ERRORS: &str = "the config has errors: run 'newswire check'";

/// Whether this user may not read a file.
fn is_denied(path: &Path) -> bool {
    File::open(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// `status --check`: one line; a database that cannot be read is critical, and a config that cannot be found unknown.
pub(super) fn check_status(config: Option<&Path>) -> Result<Exit, Exit> {
    let path = match config_file::find(config) {
        Ok(path) => path,
        Err(error) => {
            print(&status::plugin_line(Exit::Unknown, &error.to_string()));
            return Ok(Exit::Unknown);
        }
    };
    let Loaded { config, database, .. } = config::load(&path);
    let now = Clock::system().now();
    let feeds = Reader::open(&database).map_err(daemon::Error::from).and_then(|reader| {
        Ok(reader.read(|reader| known::statuses(config.as_ref(), reader, now))?)
    });
    let (exit, line) = match feeds {
        Ok(feeds) => status::overall(&feeds, &lists(config.as_ref(), now), now),
        // Of another user: nothing is known.
        Err(error) if is_denied(&database) => (Exit::Unknown, error.to_string()),
        Err(error) => (Exit::Down, error.to_string()),
    };
    let (exit, line) = match (config, exit) {
        (Some(_), exit) => (exit, line),
        (None, Exit::Ok) => (Exit::Degraded, format!("{line}; {CONFIG_ERRORS}")),
        (None, exit) => (exit, format!("{line}; {CONFIG_ERRORS}")),
    };
    print(&status::plugin_line(exit, &line));
    Ok(exit)
}
