//! How a run ended, as the number that the shell, systemd and cron see; after BSD's `sysexits.h`.
//!
//! Scripts may rely on these numbers. A feed that fails is no failed run: that is data.

use std::process::ExitCode;

use super::fault::Fault;
use super::{add, decide, demo, dry, import, probe, replay, subscribe};
use crate::daemon::{self, control::AskError};
use crate::publication;
use crate::store::OpenError;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// `newswire status`: a feed fails.
    Degraded = 1,
    /// `newswire status`: nothing works.
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
    /// Later it may work: another newswire has the database.
    TempFail = 75,
    /// Somebody else may do this.
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
            Self::Degraded => "`newswire status` alone: a feed fails, the others are well",
            Self::Down => "`newswire status` alone: no feed is well, or newswire does not run",
            Self::Usage => {
                "the command line cannot be understood, or names a feed that is not there"
            }
            Self::DataErr => {
                "the database is newer than this newswire, or another program's; a document is no feed or no list of feeds"
            }
            Self::NoInput => "there is no config, no database yet, or no file of that name",
            Self::Unavailable => {
                "the address to listen on is taken, or no newswire runs that could be asked"
            }
            Self::Software => "a mistake in newswire: please report it",
            Self::CannotCreate => "a file cannot be made",
            Self::Io => "reading or writing failed",
            Self::TempFail => {
                "another newswire has the database, or somebody changed the config at the same time"
            }
            Self::NoPermission => "not permitted: only newswire's own user and root may do this",
            Self::Config => "the config has errors",
        }
    }
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
            daemon::Error::Store(_) => Self::Io,
            daemon::Error::Fetcher(_) => Self::Software,
            daemon::Error::Listen { .. } => Self::Unavailable,
            daemon::Error::NoSuchFeed(_) => Self::Usage,
            daemon::Error::Publication(publication::Error::Write { .. }) => Self::CannotCreate,
            daemon::Error::Publication(publication::Error::Store(_)) => Self::Io,
            daemon::Error::Publication(_) => Self::Software,
        }
    }
}

impl From<&Fault> for Exit {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Runtime(_) | Fault::NotInForce(_) => Self::Unavailable,
            Fault::Pipe(_) => Self::Io,
            Fault::Write(..) => Self::CannotCreate,
            Fault::Age(_) | Fault::Unknown { .. } => Self::Usage,
            Fault::Refused => Self::Config,
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
            _ => Self::Io,
        }
    }
}

impl From<&decide::Error> for Exit {
    fn from(error: &decide::Error) -> Self {
        match error {
            decide::Error::Open(error) => error.into(),
            decide::Error::Store(_) => Self::Io,
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
    fn the_readme_tells_of_every_end() {
        let readme = include_str!("../../README.md");
        for exit in Exit::ALL {
            let row = format!("\n| {} | {} |\n", *exit as u8, exit.meaning());
            assert!(readme.contains(&row), "README.md needs this row:{row}");
        }
    }

    #[test]
    fn a_database_in_use_is_a_matter_of_time_and_an_unknown_feed_is_a_usage_error() {
        let held = OpenError::InUse { path: "newswire.db".into(), holder: "4711".to_owned() };
        assert_eq!(Exit::from(&daemon::Error::Open(held)), Exit::TempFail);
        let unknown = daemon::Error::NoSuchFeed("x".to_owned());
        assert_eq!(Exit::from(&unknown), Exit::Usage);
    }
}
