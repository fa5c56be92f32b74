//! Exit codes, after `sysexits.h` of BSD, the table that maps error codes to them, and the errors of commands that no room
//! below reports: of the command line, of standard input and output, of the answer of the daemon.
//!
//! Scripts may rely on these numbers. A feed that fails does not fail the command: that is data.

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::daemon::control::ControlError;
use crate::files::{self, TargetError};
use crate::model::Coded;
use crate::text::quoted::in_quotes;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command did what was asked.
    Ok = 0,
    /// `status` and `health`: some feeds need attention, or the daemon is not ready.
    Degraded = 1,
    /// `status` and `health`: all feeds fail or none is polled, or the daemon does not respond.
    Down = 2,
    /// `status --check`: the state is unknown.
    Unknown = 3,
    /// Invalid command line, or an unknown feed or item.
    Usage = 64,
    /// Invalid input: a database of another version or program, a document that is not a feed.
    DataErr = 65,
    /// A file, the config or the database does not exist.
    NoInput = 66,
    /// A service is unavailable: an address, a server, the daemon.
    Unavailable = 69,
    /// A bug in Newswire.
    Software = 70,
    /// A file cannot be created.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// A temporary condition: another process uses the database or the config.
    TempFail = 75,
    /// The operating system denied access to a file or a socket.
    NoPermission = 77,
    /// The config has errors.
    Config = 78,
    /// SIGINT ended `poll` before all feeds were polled, or was the second signal.
    Interrupted = 130,
    /// The same for SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// All exit codes.
    pub const ALL: &'static [Self] = &[
        Self::Ok,
        Self::Degraded,
        Self::Down,
        Self::Unknown,
        Self::Usage,
        Self::DataErr,
        Self::NoInput,
        Self::Unavailable,
        Self::Software,
        Self::CannotCreate,
        Self::Io,
        Self::TempFail,
        Self::NoPermission,
        Self::Config,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// Its meaning, for the manual and `docs/reference/exit-codes.md`.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => {
                "success, even if a feed fails; `newswire status` shows the state of the feeds"
            }
            Self::Degraded => {
                "only `newswire status` and `newswire health`: a feed or a list needs attention, there are no feeds or none was polled, an output cannot be written, the daemon is not ready or its state is unknown"
            }
            Self::Down => {
                "only `newswire status` and `newswire health`: all feeds that are not paused fail, no feed is polled although some are due, or the daemon does not respond"
            }
            Self::Unknown => {
                "only `newswire status --check`: the state is unknown, because there is no config or no permission to read the database"
            }
            Self::Usage => "the command line is invalid, or names an unknown feed or item",
            Self::DataErr => {
                "the database is of another version or program, or a document is neither a feed nor a list of feeds"
            }
            Self::NoInput => "the config, the database or a named file does not exist",
            Self::Unavailable => {
                "an address cannot be listened on, a feed cannot be fetched, or no daemon is running"
            }
            Self::Software => "a bug in Newswire; please report it",
            Self::CannotCreate => "a file cannot be created or written",
            Self::Io => "reading or writing failed: the disk is full, or the database is damaged",
            Self::TempFail => {
                "another process uses the database or changed the config at the same time, or the clock is wrong"
            }
            Self::NoPermission => "permission denied",
            Self::Config => "the config has errors",
            Self::Interrupted => {
                "SIGINT ended `newswire poll` before all feeds were polled, or was a second signal to `newswire run` or `newswire poll`"
            }
            Self::Terminated => {
                "SIGTERM ended `newswire poll` before all feeds were polled, or was a second signal to `newswire run` or `newswire poll`"
            }
        }
    }

    /// The exit code of an error.
    pub fn of(error: &impl Coded) -> Self {
        Self::of_code(error.code())
    }

    /// The exit code of an error code; [`Exit::Software`] for a code that is not in the table.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        let row = ERROR_CODES.iter().find(|(_, codes)| codes.contains(&code));
        row.map_or(Self::Software, |(exit, _)| *exit)
    }
}

/// The error codes of each exit code: the codes of errors that end a command, of feed failures, and of poll
/// outcomes without a document.
pub const ERROR_CODES: &[(Exit, &[&str])] = &[
    (
        Exit::Usage,
        &[
            "usage",
            "ambiguous_feed",
            "ambiguous_item",
            "invalid_duration",
            "invalid_feed_url",
            "invalid_log_level",
            "multiple_feeds",
            "not_a_folder",
            "one_url",
            "only_listed",
            "output_is_terminal",
            "invalid_value",
            "password_in_url",
            "same_file",
            "same_item",
            "unknown_feed",
            "unknown_item",
            "unknown_name",
            // A feed failure: the URL is not one that is polled.
            "bad_url",
        ],
    ),
    (
        Exit::DataErr,
        &[
            "copy_without_items",
            "database_newer",
            "database_of_other_program",
            "database_older",
            "items_without_feed",
            "list_empty",
            "list_malformed",
            "list_not_utf8",
            "list_too_large",
            "list_too_many_entries",
            "list_without_feeds",
            "no_feed_linked",
            "not_a_database",
            "not_a_feed_list",
            "not_a_file",
            "published_document_damaged",
            // Feed failures: the document.
            "bad_coding",
            "malformed",
            "not_a_feed",
            "different_feed",
            "too_large",
        ],
    ),
    (
        Exit::NoInput,
        &[
            "config_unreadable",
            "database_lost",
            "file_unreadable",
            "list_unreadable",
            "no_config",
            "no_database",
            "no_documents",
            "no_file",
            "database_empty",
            // Feed failures: the file.
            "feed_file_unreadable",
        ],
    ),
    (
        Exit::Unavailable,
        &[
            "address_in_use",
            "address_not_available",
            "address_unusable",
            "config_not_applied",
            "demo_cannot_start",
            "feed_not_loaded",
            "no_threads",
            "not_polled",
            "not_running",
            "socket_unusable",
            // Feed failures: the network or the server.
            "bad_response",
            "blocked_address",
            "client_error",
            "connect_failed",
            "connection_refused",
            "connection_reset",
            "forbidden",
            "insecure_redirect",
            "name_not_found",
            "no_tls",
            "not_found",
            "resolver_failed",
            "server_error",
            "timeout",
            "tls_failed",
            "too_many_redirects",
            "truncated",
            "unauthorized",
            // Poll outcomes without a document.
            "gone",
            "held",
            "modified",
            "not_modified",
            "throttled",
        ],
    ),
    (
        Exit::Software,
        &[
            "document_check_failed",
            "http_client_failed",
            "panicked",
            "render_panicked",
            "store_bug",
        ],
    ),
    (
        Exit::CannotCreate,
        &[
            "config_unwritable",
            "database_folder_unusable",
            "file_exists",
            "file_unwritable",
            "output_unwritable",
            "temp_dir_unusable",
        ],
    ),
    (
        Exit::Io,
        &[
            "database_damaged",
            "database_unreadable",
            "disk_readonly",
            "no_answer",
            "no_terminal",
            "nothing_readable",
            "output_disk_full",
            "outputs_differ",
            "stdio_failed",
            "store_corrupt",
            "store_damaged",
            "store_ended",
            "store_full",
            "store_io",
            "store_removed",
        ],
    ),
    (Exit::TempFail, &["clock_untrusted", "config_changed", "database_in_use", "store_busy"]),
    (
        Exit::NoPermission,
        &[
            "address_not_permitted",
            "database_permission_denied",
            "not_permitted",
            "output_permission_denied",
            "store_readonly",
        ],
    ),
    (Exit::Config, &["config_has_errors", "config_rejected"]),
];

/// Runs `work`. A panic becomes [`Exit::Software`] with a request to report it.
pub(super) fn catch_panic(work: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let text =
            "newswire: this is a bug in Newswire, unless 'newswire verify' finds damage; please report the lines above and the command\n";
        let _ = io::stderr().write_all(text.as_bytes());
        Exit::Software
    })
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

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
    #[error("cannot parse {option}: {value} is not a duration", value = in_quotes(.value))]
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
    #[error("{} has several values", in_quotes(.0))]
    RepeatedKey(String),
    /// `set` with the URL of another feed: both would be one.
    #[error("the config was not changed: another feed has this URL")]
    SameUrl,
    /// `tag` adds and removes the same tag.
    #[error("the tag {} is both added and removed", in_quotes(.0))]
    RepeatedTag(String),
    /// The daemon did not change its log levels.
    #[error("the daemon did not change its log levels: {0}")]
    LogLevel(String),
    /// No feed has this name.
    #[error("no feed has the id or URL {name}", name = in_quotes(.name))]
    UnknownFeed {
        /// Id or URL that was asked for.
        name: String,
        /// The most similar id.
        similar: Option<String>,
    },
    /// The config has the feed, and the daemon or the database does not know it yet.
    #[error("the config has the feed {}, but it is not loaded yet", in_quotes(.0))]
    NotLoaded(String),
    /// The feed is in a followed list only.
    #[error("the config has no [[feed]] for {name}: it is in a followed list", name = in_quotes(.name))]
    OnlyListed {
        /// Id or URL that was asked for.
        name: String,
        /// URL of the feed.
        url: String,
    },
    /// Neither a feed nor an item has this name.
    #[error("no feed and no item has the id, URL or number {name}", name = in_quotes(.name))]
    UnknownTarget {
        /// Id, URL or number that was asked for.
        name: String,
        /// The most similar id of a feed.
        similar: Option<String>,
    },
    /// `explain` was called with an unknown name.
    #[error("{name} is not a code, a config key, a feed or an item", name = in_quotes(.name))]
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
        Some(similar) => format!("did you mean {similar}? 'newswire list' lists the feeds", similar = in_quotes(similar)),
        None => "'newswire list' lists the feeds".to_owned(),
    },
    Self::NotLoaded(_) => "feed_not_loaded":
        "'newswire reload' makes the running daemon load the config; without a daemon, 'newswire poll' loads it",
    Self::OnlyListed { url, .. } => "only_listed": format!(
        "add [[feed]] with url = {url} and the keys that it is to have; it keeps the tags of the list, and stays when it \
         leaves the list. To stop polling it, remove it from the list", url = in_quotes(url),
    ),
    Self::UnknownTarget { similar, .. } => "unknown_item": match similar {
        Some(similar) => format!("did you mean the feed {similar}? 'newswire list' lists the feeds", similar = in_quotes(similar)),
        None => "'newswire list' lists the feeds; the merged feeds contain the ids and URLs of the items".to_owned(),
    },
    Self::UnknownName { similar, .. } => "unknown_name": match similar {
        Some(similar) => format!("did you mean {similar}?", similar = in_quotes(similar)),
        None => "'newswire explain' lists the codes, 'newswire status' the feeds".to_owned(),
    },
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::code;

    #[test]
    fn exit_codes_are_distinct() {
        let numbers: HashSet<u8> = Exit::ALL.iter().map(|exit| *exit as u8).collect();
        assert_eq!(numbers.len(), Exit::ALL.len());
    }

    #[test]
    fn a_panic_ends_with_the_exit_code_of_a_bug() {
        assert_eq!(catch_panic(|| panic!("a test")), Exit::Software);
        assert_eq!(catch_panic(|| Exit::TempFail), Exit::TempFail);
    }

    #[test]
    fn every_error_code_has_exactly_one_exit_code() {
        const GROUPS: [&str; 3] = ["Errors that end a command", "Feed failures", "Poll outcomes"];
        let documented: HashSet<&str> = code::texts()
            .iter()
            .filter(|text| GROUPS.contains(&text.group))
            .map(|text| text.code)
            .collect();
        let mut mapped = HashSet::new();
        for code in ERROR_CODES.iter().flat_map(|(_, codes)| *codes) {
            assert!(mapped.insert(*code), "{code} is in the table twice");
        }
        let missing: Vec<_> = documented.difference(&mapped).collect();
        let unknown: Vec<_> = mapped.difference(&documented).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "missing {missing:?}, unknown {unknown:?}"
        );
    }

    #[test]
    fn errors_that_ask_for_a_report_end_with_the_exit_code_of_a_bug() {
        use crate::store::{self, ErrorCause};
        for cause in ErrorCause::ALL {
            let failed = store::Error::Sqlite(*cause, "a test".to_owned());
            let reported = failed.help().is_some_and(|help| help.contains("report this"));
            assert_eq!(Exit::of(&failed) == Exit::Software, reported, "{cause:?}");
        }
    }
}
