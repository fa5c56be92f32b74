//! Errors of commands that no room below reports: of the command line, of standard input and output, of the
//! answer of the daemon.

use std::io;
use std::path::PathBuf;

use crate::daemon::control::ControlError;
use crate::files::{self, TargetError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The daemon does not poll.
    #[error("the daemon does not poll now: {0}")]
    NotPolled(String),
    /// The async runtime cannot be started.
    #[error("cannot start threads: {0}")]
    Runtime(io::Error),
    /// Standard input or standard output failed.
    #[error("failed to read standard input or to write standard output: {0}")]
    Stdio(io::Error),
    /// An option does not hold a duration.
    #[error("cannot parse {option}: {value:?} is not a duration")]
    Duration {
        /// Name of the option: `--since`, `--for`.
        option: &'static str,
        /// Value of the option, as written.
        value: String,
    },
    /// A file cannot be written.
    #[error("failed to write {0}: {1}")]
    Write(PathBuf, io::Error),
    /// `backup -` without a pipe or a file.
    #[error("a database is not written to a terminal")]
    Terminal,
    /// A file that a command would replace is another one.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// `backup --keep` needs a folder.
    #[error("{0} is not an existing folder")]
    NoFolder(PathBuf),
    /// The daemon rejected the config, whose errors were printed before.
    #[error("the daemon rejected the config and continues with the previous one")]
    Rejected,
    /// The config has no errors, but the daemon could not apply it.
    #[error("the daemon could not apply the config and continues with the previous one: {0}")]
    NotApplied(String),
    /// The config was changed, and the daemon gave no answer.
    #[error("the change is in the config, but the daemon has not applied it: {0}")]
    NotAnswered(ControlError),
    /// `set` with two values for one key.
    #[error("{0:?} has several values")]
    RepeatedKey(String),
    /// `set` with the URL of another feed: both would be one.
    #[error("the config was not changed: another feed has this URL")]
    SameUrl,
    /// `tag` adds and removes the same tag.
    #[error("the tag {0:?} is both added and removed")]
    RepeatedTag(String),
    /// The daemon did not change its log levels.
    #[error("the daemon did not change its log levels: {0}")]
    LogLevel(String),
    /// No feed has this name.
    #[error("no feed has the id or URL {name:?}")]
    UnknownFeed {
        /// Id or URL that was asked for.
        name: String,
        /// The most similar id.
        similar: Option<String>,
    },
    /// The config has the feed, and the daemon or the database does not know it yet.
    #[error("the config has the feed {0:?}, but it is not loaded yet")]
    NotLoaded(String),
    /// Neither a feed nor an item has this name.
    #[error("no feed and no item has the id, URL or number {name:?}")]
    UnknownTarget {
        /// Id, URL or number that was asked for.
        name: String,
        /// The most similar id of a feed.
        similar: Option<String>,
    },
    /// `explain` was called with an unknown name.
    #[error("{name:?} is not a code, a config key, a feed or an item")]
    UnknownName {
        /// Name that was asked for.
        name: String,
        /// The most similar known name.
        similar: Option<String>,
    },
}

crate::model::codes! {
    CommandError:
    Self::Target(TargetError::Occupied { .. }) => "file_exists": "name another file",
    Self::Target(TargetError::Io { .. }) => "file_unwritable": "choose a folder that this user can read and write to",
    Self::Runtime(_) => "no_threads": "raise the limits on processes and open files",
    Self::Stdio(_) => "stdio_failed": "check the program or the disk that the output goes to, then repeat the command",
    Self::Duration { .. } => "invalid_duration": "use a number and a unit, such as \"45s\", \"12h\", \"30d\"",
    Self::Write(_, error) => "file_unwritable": files::remedy(error).unwrap_or("choose a folder that this user can write to"),
    Self::Terminal => "output_is_terminal": "write it to a file or a pipe: 'newswire backup - > FILE'",
    Self::NoFolder(_) => "not_a_folder": "create the folder first; --keep removes old copies from it",
    Self::NotPolled(_) => "not_polled": "'newswire health' shows the condition",
    Self::Rejected => "config_rejected": "correct the errors, then run 'newswire reload'",
    Self::NotApplied(_) => "config_not_applied": "correct the cause, then run 'newswire reload'",
    Self::NotAnswered(ControlError::NotPermitted { .. }) => "not_permitted":
        "run 'newswire reload' as root (sudo) or as the user of the daemon",
    Self::NotAnswered(_) => "no_answer":
        "check the log of the daemon and 'systemctl status newswire', then run 'newswire reload' or restart the daemon",
    Self::RepeatedKey(_) => "usage": "name each key once",
    Self::SameUrl => "invalid_value": "remove one of the two: 'newswire list' lists the feeds with their URLs",
    Self::RepeatedTag(_) => "usage": "name it once",
    Self::LogLevel(_) => "invalid_log_level": "use error, warn, info, debug or trace; for one module, \"info,newswire::fetch=debug\"",
    Self::UnknownFeed { similar, .. } => "unknown_feed": match similar {
        Some(similar) => format!("did you mean {similar:?}? 'newswire list' lists the feeds"),
        None => "'newswire list' lists the feeds".to_owned(),
    },
    Self::NotLoaded(_) => "feed_not_loaded":
        "'newswire reload' makes the running daemon load the config; without a daemon, 'newswire poll' loads it",
    Self::UnknownTarget { similar, .. } => "unknown_item": match similar {
        Some(similar) => format!("did you mean the feed {similar:?}? 'newswire list' lists the feeds"),
        None => "'newswire list' lists the feeds; the merged feeds contain the ids and URLs of the items".to_owned(),
    },
    Self::UnknownName { similar, .. } => "unknown_name": match similar {
        Some(similar) => format!("did you mean {similar:?}?"),
        None => "'newswire explain' lists the codes, 'newswire status' the feeds".to_owned(),
    },
}
