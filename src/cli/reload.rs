//! `newswire reload` and `newswire log-level`: send a command to the running daemon and print its reply.

use std::path::Path;

use super::error::CommandError;
use super::exit::Exit;
use super::terminal::{failed, print, print_error, report};
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

/// Sends a request to the daemon and prints its reply. `to_error` makes the error of a request that was not done.
fn request(
    path: &Path,
    request: &Request,
    to_error: fn(String) -> CommandError,
) -> Result<Exit, Exit> {
    let reply = send(&config::load(path).database, request, |_| ());
    print_reply(reply.map_err(failed)?, "").map_err(|reason| report(&to_error(reason)))
}

/// Prints the last reply of the daemon, after `begin`. The error is why the daemon did not do what was asked.
pub(super) fn print_reply(reply: Reply, begin: &str) -> Result<Exit, String> {
    match reply {
        Reply::Done { message, warnings } => {
            print_error(&warnings);
            print(&format!("{begin}{message}\n"));
            Ok(Exit::Ok)
        }
        Reply::Rejected(diagnostics) => {
            print_error(&diagnostics);
            Ok(report(&CommandError::Rejected))
        }
        Reply::UnknownFeed(reason) | Reply::Progress(reason) | Reply::Failed(reason) => Err(reason),
    }
}
