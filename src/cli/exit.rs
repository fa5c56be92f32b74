//! How a run ended, as the number that the shell, systemd and cron see; after BSD's `sysexits.h`.
//!
//! Scripts may rely on these numbers. A feed that fails is no failed run: that is data.

use std::io::{self, ErrorKind, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use super::fault::Fault as CommandFault;
use super::{add, decide, demo, dry, import, probe, replay, subscribe};
use crate::daemon::{self, control::AskError};
use crate::outputs;
use crate::store::{self, ErrorCause, OpenError};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// `newswire status`: a feed fails; `newswire health`: it runs, and is not of full use.
    Degraded = 1,
    /// `newswire status`: no feed is well; `newswire health`: nobody answers.
    Down = 2,
    /// The command line cannot be understood, or names a feed that is not there.
    Usage = 64,
    /// The database is not one that this newswire can read: newer, or another program's.
    DataErr = 65,
    /// A file to be read is not there.
    NoInput = 66,
    /// What is needed is not available: the port is taken.
    Unavailable = 69,
    /// A mistake in newswire.
    Software = 70,
    /// A file cannot be made: it exists already, or its folder cannot be written to.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// Later it may work: another program has the database.
    TempFail = 75,
    /// This user may not do this, or not read or write what has to be.
    NoPermission = 77,
    /// The config has errors.
    Config = 78,
}

impl Exit {
    /// Every way to end.
    pub const ALL: &'static [Self] = &[
        Self::Ok,
        Self::Degraded,
        Self::Down,
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

    /// What it means, for the README and the manual.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => {
                "all went well; that a feed fails is no error, `newswire status` tells of it"
            }
            Self::Degraded => {
                "`newswire status` and `newswire health` alone: a feed fails, or something else is wrong"
            }
            Self::Down => {
                "`newswire status` and `newswire health` alone: no feed is well, or nobody answers"
            }
            Self::Usage => {
                "the command line cannot be understood, or names a feed that is not there"
            }
            Self::DataErr => {
                "the database is newer than this newswire, or another program's; a document is no feed or no list of feeds"
            }
            Self::NoInput => "there is no config, no database yet, or no file of that name",
            Self::Unavailable => {
                "the address to listen on is taken, or no newswire runs that could be asked; `newswire check --online`: a feed cannot be had"
            }
            Self::Software => "a mistake in newswire: please report it",
            Self::CannotCreate => {
                "a file cannot be made: its folder is none, or its disk is read-only"
            }
            Self::Io => {
                "reading or writing failed: the disk, or the database on it, is full or broken"
            }
            Self::TempFail => {
                "another newswire, or another program, has the database, or somebody changed the config at the same time"
            }
            Self::NoPermission => "this user may not do this, or not write where it has to",
            Self::Config => "the config has errors",
        }
    }
}

/// Runs `work`; a panic in it is a mistake in newswire, told as such.
pub(super) fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let said = "newswire: this is a mistake in newswire: please report the lines above, with what you did\n";
        let _ = io::stderr().write_all(said.as_bytes());
        Exit::Software
    })
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&daemon::Error> for Exit {
    fn from(error: &daemon::Error) -> Self {
        match error {
            daemon::Error::Open(error) => error.into(),
            daemon::Error::Store(error) => error.into(),
            daemon::Error::Fetcher(_) => Self::Software,
            daemon::Error::Listen { .. } => Self::Unavailable,
            daemon::Error::NoSuchFeed(_) => Self::Usage,
            daemon::Error::Publication(outputs::Error::Write { source, .. }) => source.into(),
            daemon::Error::Publication(outputs::Error::Store(error)) => error.into(),
            daemon::Error::Publication(_) => Self::Software,
        }
    }
}

impl From<&CommandFault> for Exit {
    fn from(fault: &CommandFault) -> Self {
        match fault {
            CommandFault::Runtime(_) | CommandFault::NotInForce(_) => Self::Unavailable,
            CommandFault::Pipe(_) => Self::Io,
            CommandFault::Write(..) => Self::CannotCreate,
            CommandFault::Age(_)
            | CommandFault::Span(_)
            | CommandFault::Level(_)
            | CommandFault::Unknown { .. } => Self::Usage,
            CommandFault::Refused => Self::Config,
        }
    }
}

impl From<&AskError> for Exit {
    fn from(error: &AskError) -> Self {
        match error {
            AskError::Nobody { .. } => Self::Unavailable,
            AskError::Denied { .. } => Self::NoPermission,
            AskError::NoAnswer { .. } => Self::Io,
        }
    }
}

impl From<&OpenError> for Exit {
    fn from(error: &OpenError) -> Self {
        match error {
            OpenError::InUse { .. } => Self::TempFail,
            OpenError::Missing { .. } => Self::NoInput,
            OpenError::Newer { .. } | OpenError::NotOurs { .. } => Self::DataErr,
            OpenError::Io { source, .. } => source.into(),
            OpenError::Sqlite { .. } if ErrorCause::from(error) == ErrorCause::ReadOnly => {
                Self::NoPermission
            }
            OpenError::Sqlite { .. } | OpenError::Older { .. } => Self::Io,
        }
    }
}

impl From<&store::Error> for Exit {
    fn from(error: &store::Error) -> Self {
        match error.cause() {
            // Whoever wrote it, newswire reads it as it stands.
            _ if matches!(error, store::Error::Corrupt(_)) => Self::Io,
            ErrorCause::Bug => Self::Software,
            ErrorCause::Busy => Self::TempFail,
            _ => Self::Io,
        }
    }
}

/// Of a file that was to be made or written.
impl From<&io::Error> for Exit {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied => Self::NoPermission,
            ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists => Self::CannotCreate,
            // A disk that is full, or fails: it may be well when systemd tries again.
            _ => Self::Io,
        }
    }
}

impl From<&decide::Error> for Exit {
    fn from(error: &decide::Error) -> Self {
        match error {
            decide::Error::Open(error) => error.into(),
            decide::Error::Store(error) => error.into(),
            _ => Self::Usage,
        }
    }
}

impl From<&replay::Error> for Exit {
    fn from(error: &replay::Error) -> Self {
        match error {
            replay::Error::Open(error) => error.into(),
            replay::Error::Room(_) => Self::CannotCreate,
            replay::Error::Store(_) | replay::Error::Publication(_) => Self::Io,
        }
    }
}

impl From<&dry::Error> for Exit {
    fn from(error: &dry::Error) -> Self {
        match error {
            dry::Error::Room(_) => Self::CannotCreate,
            dry::Error::Daemon(error) => error.into(),
        }
    }
}

impl From<&demo::Error> for Exit {
    fn from(error: &demo::Error) -> Self {
        match error {
            demo::Error::Io(_) => Self::Unavailable,
            demo::Error::Daemon(error) => error.into(),
        }
    }
}

impl From<&probe::Error> for Exit {
    fn from(error: &probe::Error) -> Self {
        match error {
            probe::Error::File(..) => Self::NoInput,
            probe::Error::Fetcher(_) => Self::Software,
            probe::Error::Failed(..) => Self::DataErr,
        }
    }
}

impl From<&add::Error> for Exit {
    fn from(error: &add::Error) -> Self {
        match error {
            add::Error::Address(_) | add::Error::Secret | add::Error::Choose(..) => Self::Usage,
            add::Error::Probe(error) => error.into(),
            add::Error::Append(error) => error.into(),
            add::Error::Init(_) => Self::CannotCreate,
        }
    }
}

impl From<&import::Error> for Exit {
    fn from(error: &import::Error) -> Self {
        match error {
            import::Error::Read(..) => Self::NoInput,
            import::Error::List(..) | import::Error::Nothing(..) => Self::DataErr,
            import::Error::Append(error) => error.into(),
        }
    }
}

impl From<&subscribe::Error> for Exit {
    fn from(error: &subscribe::Error) -> Self {
        match error {
            subscribe::Error::None(_) | subscribe::Error::Read(..) => Self::NoInput,
            subscribe::Error::Config { .. } => Self::Config,
            subscribe::Error::Changed(_) => Self::TempFail,
            subscribe::Error::Replace(..) => Self::CannotCreate,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_end_has_a_number_of_its_own() {
        let numbers: HashSet<u8> = Exit::ALL.iter().map(|exit| *exit as u8).collect();
        assert_eq!(numbers.len(), Exit::ALL.len());
    }

    #[test]
    fn a_panic_ends_as_a_mistake_in_newswire_and_all_else_as_it_would() {
        assert_eq!(guarded(|| panic!("a test")), Exit::Software);
        assert_eq!(guarded(|| Exit::TempFail), Exit::TempFail);
    }

    #[test]
    fn the_readme_tells_of_every_end() {
        let readme = include_str!("../../README.md");
        for exit in Exit::ALL {
            let row = format!("\n| {} | {} |\n", *exit as u8, exit.meaning());
            assert!(readme.contains(&row), "README.md needs this row:{row}");
        }
    }

    #[test]
    fn what_is_to_be_reported_ends_as_a_mistake_in_newswire() {
        for fault in ErrorCause::ALL {
            let failed = store::Error::Sqlite(*fault, "a test".to_owned());
            let reported = failed.to_string().contains("report this");
            let exit = Exit::from(&daemon::Error::Store(failed));
            assert_eq!(exit == Exit::Software, reported, "{fault:?}");
        }
    }

    #[test]
    fn a_database_in_use_is_a_matter_of_time_and_an_unknown_feed_is_a_usage_error() {
        let held = OpenError::InUse { path: "newswire.db".into(), holder: "4711".to_owned() };
        assert_eq!(Exit::from(&daemon::Error::Open(held)), Exit::TempFail);
        let locked = store::Error::Sqlite(ErrorCause::Busy, "locked".to_owned());
        assert_eq!(Exit::from(&daemon::Error::Store(locked)), Exit::TempFail);
        let unknown = daemon::Error::NoSuchFeed("x".to_owned());
        assert_eq!(Exit::from(&unknown), Exit::Usage);
    }
}
