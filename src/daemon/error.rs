//! Why the daemon or a single pass cannot start or continue, and the check before a start whether the database was lost: the
//! outputs have items that it does not know.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::config::Config;
use crate::fetch::FetcherError;
use crate::outputs;
use crate::store::{self, OpenError, Reader};
use crate::text::quoted::in_quotes;
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
    #[error("no feed has the id or URL {}", in_quotes(.0))]
    NoSuchFeed(String),
    /// The clock shows a time before this version was made.
    #[error("the clock of the system is wrong: it shows {0}")]
    Clock(Timestamp),
    /// The database is new, and the outputs are not: this document has items.
    #[error("the database has no items, but {} has: the database was lost, or is another one", .0.display())]
    DatabaseLost(PathBuf),
    /// An output could not be published.
    #[error(transparent)]
    Publication(#[from] outputs::Error),
}

crate::model::codes! {
    Error:
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => "address_in_use":
        "stop the program that uses it ('ss -lnp'), or choose another address or \"off\" in [web] listen or with 'newswire run --listen'",
    Self::Listen { address: ListenAddress::Unix { .. }, source } if source.kind() == io::ErrorKind::AlreadyExists => "socket_unusable":
        "name another file: newswire replaces a socket that a process left behind, and no other file",
    Self::Listen { address: ListenAddress::Unix { .. }, .. } => "socket_unusable":
        "the folder must exist, and newswire must be able to write to it; the unit has /run/newswire",
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "address_not_permitted":
        "set [web] listen to a port above 1023",
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrNotAvailable => "address_not_available":
        "set [web] listen to an address of this machine ('ip address'), or to \"off\"",
    Self::Listen { .. } => "address_unusable": "set another [web] listen, or set it to \"off\"",
    Self::Clock(_) => "clock_untrusted": "set the clock, and check the time synchronisation (timedatectl)",
    Self::DatabaseLost(_) => "database_lost":
        "run 'newswire restore --from-outputs', so that subscribers see nothing twice; to begin anew, move the files of \
         the outputs away",
    Self::NoSuchFeed(_) => "unknown_feed": "'newswire status' lists the feeds",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
    Self::Fetcher(error) => error,
    Self::Publication(error) => error,
}

/// Checks that the database knows what the outputs published. Otherwise their items would be published again, under other
/// ids, and their documents could no longer be read back. Items of several files without titles cannot be read back anyway.
/// Creates no database.
///
/// # Errors
/// When an output has items and the database has none, or the database cannot be read.
pub(super) fn check_known(config: &Config) -> Result<(), Error> {
    let Config { subscriptions: feeds, outputs, .. } = config;
    if feeds.len() > 1
        && feeds.iter().all(|it| it.feed.url.scheme() == "file" && it.feed.title.is_none())
    {
        return Ok(());
    }
    let found = match Reader::open(&config.store.path) {
        Err(OpenError::Missing { .. } | OpenError::Empty { .. }) => {
            outputs.iter().find_map(outputs::document_with_items)
        }
        reader => reader?.read(|reader| outputs::unknown_document(reader, outputs))?,
    };
    found.map_or(Ok(()), |path| Err(Error::DatabaseLost(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Coded as _;

    #[test]
    fn a_file_at_the_path_of_a_socket_is_not_a_matter_of_its_folder() {
        let error = |kind: io::ErrorKind| {
            let address = ListenAddress::Unix { path: "/run/n/web.sock".into(), mode: 0o666 };
            let error = Error::Listen { address, source: kind.into() };
            (error.code(), error.help().unwrap_or_default().into_owned())
        };
        let (code, help) = error(io::ErrorKind::AlreadyExists);
        assert!(code == "socket_unusable" && help.starts_with("name another file"), "{help}");
        let (code, help) = error(io::ErrorKind::NotFound);
        assert!(code == "socket_unusable" && help.contains("folder"), "{help}");
    }
}
