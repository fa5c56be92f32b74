//! Why the daemon or a single pass cannot start or continue.

use std::io;

use jiff::Timestamp;

use crate::fetch::FetcherError;
use crate::outputs;
use crate::store::{self, OpenError};
use crate::web::ListenAddress;

/// Why the daemon or a single pass cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading or writing the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Fetcher(#[from] FetcherError),
    /// The address cannot be listened on.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// The address in the config.
        address: ListenAddress,
        /// The error of the system.
        source: io::Error,
    },
    /// The config contains no feed of this name.
    #[error("no feed has the id or URL {0:?}")]
    NoSuchFeed(String),
    /// The clock shows a time before this version was made.
    #[error("the clock of the system is wrong: it shows {0}")]
    Clock(Timestamp),
    /// An output could not be published.
    #[error(transparent)]
    Publication(#[from] outputs::Error),
}

crate::model::codes! {
    Error:
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => "address_in_use":
        "stop the program that uses it ('ss -lnp'), set another [web] listen, or set it to \"off\"",
    Self::Listen { address: ListenAddress::Unix { .. }, .. } => "socket_unusable":
        "the folder must exist, and newswire must be able to write to it; the unit has /run/newswire",
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "address_not_permitted":
        "set [web] listen to a port above 1023",
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrNotAvailable => "address_not_available":
        "set [web] listen to an address of this machine ('ip address'), or to \"off\"",
    Self::Listen { .. } => "address_unusable": "set another [web] listen, or set it to \"off\"",
    Self::Clock(_) => "clock_untrusted": "set the clock, and check the time synchronisation (timedatectl)",
    Self::NoSuchFeed(_) => "unknown_feed": "'newswire status' lists the feeds",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
    Self::Fetcher(error) => error,
    Self::Publication(error) => error,
}
