//! What can go wrong with a command before any room is asked.

use std::io;
use std::path::PathBuf;

/// Why a command could not begin, or not say what it found.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No threads.
    #[error(
        "the system gives newswire no threads: {0}: raise its limits on processes and open files"
    )]
    Runtime(io::Error),
    /// Standard input or output.
    #[error("failed to read standard input or to write standard output: {0}: run it once more")]
    Pipe(io::Error),
    /// An age on the command line.
    #[error("--since: {0}")]
    Age(String),
    /// Pages and the like that are written to a folder.
    #[error("failed to write {0}: {1}: choose a folder that you may write to")]
    Write(PathBuf, io::Error),
    /// The running newswire did not take the new config.
    #[error("the config is refused, the old one stays in force: mend it, then reload once more")]
    Refused,
    /// It took it, and cannot work by it.
    #[error(
        "the config cannot be put in force, the old one stays: {0}: mend that, then reload once more"
    )]
    NotInForce(String),
    /// How long something is to last.
    #[error("--for: {0}")]
    Span(String),
    /// It does not log from there on.
    #[error("the log stays as it is: {0}")]
    Level(String),
    /// Nothing is known of it.
    #[error(
        "nothing is known of {asked:?}{near}: 'newswire explain' lists the codes, 'newswire status' the feeds"
    )]
    Unknown {
        /// What was asked for.
        asked: String,
        /// What was probably meant; or empty.
        near: String,
    },
}

crate::model::codes! {
    Fault:
    Self::Runtime(_) => "no_runtime",
    Self::Pipe(_) => "broken_pipe",
    Self::Age(_) => "bad_age",
    Self::Write(..) => "file_unwritable",
    Self::Refused => "config_refused",
    Self::NotInForce(_) => "config_not_in_force",
    Self::Span(_) => "bad_span",
    Self::Level(_) => "unknown_level",
    Self::Unknown { .. } => "unknown_code",
}
