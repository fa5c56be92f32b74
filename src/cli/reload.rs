//! `newswire reload` and `newswire log-level`: send a command to the running daemon and print its reply.

use std::path::Path;

use super::error::CommandError;
use super::exit::Exit;
use super::terminal::{print, print_error, report};
use crate::config;
use crate::daemon::control::{Reply, Request, send};

/// Reloads the config in the daemon. The config at `path` may have errors; only its database path is needed.
pub(super) fn reload(path: &Path) -> Result<Exit, Exit> {
    request(path, &Request::Reload, CommandError::NotApplied)
}

/// Changes the log levels of the daemon for the duration `time`.
pub(super) fn log_level(path: &Path, levels: &str, time: &str) -> Result<Exit, Exit> {
    let time = config::duration(time)
        .map_err(|_| report(&CommandError::Duration { option: "--for", value: time.to_owned() }))?;
    let (levels, seconds) = (levels.to_owned(), time.as_secs().unsigned_abs());
    request(path, &Request::LogLevel { levels, seconds }, CommandError::LogLevel)
}

fn request(
    path: &Path,
    request: &Request,
    failed: fn(String) -> CommandError,
) -> Result<Exit, Exit> {
    let reply =
        send(&config::load(path).database, request, |_| ()).map_err(|error| report(&error))?;
    Ok(match reply {
        Reply::Done { message, warnings } => {
            print_error(&warnings);
            print(&format!("{message}\n"));
            Exit::Ok
        }
        Reply::Rejected(diagnostics) => {
            print_error(&diagnostics);
            report(&CommandError::Rejected)
        }
        Reply::UnknownFeed(reason) | Reply::Progress(reason) | Reply::Failed(reason) => {
            report(&failed(reason))
        }
    })
}
