//! `newswire reload` and `newswire log-level`: have the running daemon do something, and bring its
//! answer home.

use std::path::Path;

use super::exit::Exit;
use super::fault::Fault;
use super::voice::{complain, eprint, failing, say};
use crate::config;
use crate::daemon::control::{Reply, Request, ask};

/// Has the daemon that runs on the database of the config at `path`, broken or not, read it again.
pub(super) fn reload(path: &Path) -> Result<Exit, Exit> {
    told(path, &Request::Reload, Fault::NotInForce)
}

/// Has it log from these levels on, for as long as `during` says.
pub(super) fn log_level(path: &Path, levels: &str, during: &str) -> Result<Exit, Exit> {
    let during = config::duration(during).map_err(|why| failing(&Fault::Span(why)))?;
    let (levels, seconds) = (levels.to_owned(), during.as_secs().unsigned_abs());
    told(path, &Request::LogLevel { levels, seconds }, Fault::Level)
}

fn told(path: &Path, request: &Request, failed: fn(String) -> Fault) -> Result<Exit, Exit> {
    let answer = ask(&config::load(path).database, request);
    Ok(match answer.map_err(|error| complain(&error, Exit::from(&error)))? {
        Reply::Done { said, warnings } => {
            eprint(&warnings);
            say(&format!("{said}\n"));
            Exit::Ok
        }
        Reply::Refused(report) => {
            eprint(&report);
            failing(&Fault::Refused)
        }
        Reply::Failed(why) => failing(&failed(why)),
    })
}
