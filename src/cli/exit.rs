//! Exit codes, after `sysexits.h` of BSD, and the table that maps error codes to them.
//!
//! Scripts may rely on these numbers. A feed that fails does not fail the command: that is data.

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::model::Coded;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command did what was asked.
    Ok = 0,
    /// `status` and `health`: some feeds fail, or the daemon is not ready.
    Degraded = 1,
    /// `status` and `health`: all feeds fail, or the daemon does not respond.
    Down = 2,
    /// `status --check`: no config was found.
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
    ];

    /// Its meaning, for the manual and `docs/reference/exit-codes.md`.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => {
                "success, even if a feed fails; `newswire status` shows the state of the feeds"
            }
            Self::Degraded => {
                "only `newswire status` and `newswire health`: a feed fails, or the daemon is not ready"
            }
            Self::Down => {
                "only `newswire status` and `newswire health`: all feeds fail, or the daemon does not respond"
            }
            Self::Unknown => "only `newswire status --check`: there is no config",
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
