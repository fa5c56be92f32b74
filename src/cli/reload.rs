//! `newswire reload`: has the running daemon read its config again, and brings its verdict home.

use std::path::Path;

use crate::config;
use crate::daemon::control::{AskError, Reply, Request, ask};

/// Asks the daemon that runs on the database of the config at `path`, broken or not.
///
/// # Errors
/// When no daemon could be asked.
pub(super) fn run(path: &Path) -> Result<Reply, AskError> {
    ask(&config::load(path).database, &Request::Reload)
}
