//! The path of the control socket, which may be longer than the address of a socket.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::daemon::error::Error;
use crate::web::ListenAddress;

/// Longest path of a socket in bytes: `sun_path` of `sockaddr_un` has 108, with the zero at its end.
const MAX_PATH: usize = 107;

/// Path of the control socket: `newswire.sock` for `newswire.db`.
#[must_use]
pub fn socket_of(database: &Path) -> PathBuf {
    if database.extension().is_some_and(|extension| extension == "db") {
        return database.with_extension("sock");
    }
    let mut name = database.as_os_str().to_owned();
    name.push(".sock");
    name.into()
}

/// The path of a socket as the system takes it in an address, which has room for 107 bytes. A longer path leads through the
/// descriptor of its folder, which has to stay open meanwhile.
pub(super) fn short(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if path.as_os_str().len() <= MAX_PATH {
        return Ok((path.to_owned(), None));
    }
    let here = folder.as_os_str().is_empty();
    let folder = File::open(if here { Path::new(".") } else { folder })?;
    Ok((Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name), Some(folder)))
}

/// Connects to the socket at this path.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let (path, _folder) = short(path)?;
    UnixStream::connect(path)
}

/// Whether this address of the web server is the control socket of this database.
#[must_use]
pub fn is_socket_of(address: &ListenAddress, database: &Path) -> bool {
    let ListenAddress::Unix { path, .. } = address else { return false };
    // Without the symbolic links of the folder.
    let place = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        let folder = path.parent()?;
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        Some(folder.join(path.file_name()?))
    };
    place(path) == place(&socket_of(database))
}

/// Checks that the web server leaves the control socket of this database alone.
///
/// # Errors
/// When one of the addresses is its path.
pub(in crate::daemon) fn check_addresses(
    listen: &[ListenAddress],
    database: &Path,
) -> Result<(), Error> {
    match listen.iter().find(|address| is_socket_of(address, database)) {
        Some(address) => Err(Error::Listen {
            address: address.clone(),
            source: io::Error::new(io::ErrorKind::AlreadyExists, CONTROL_SOCKET),
        }),
        None => Ok(()),
    }
}

/// Why the web server cannot have this path.
pub const CONTROL_SOCKET: &str = "the control socket of newswire has this path";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_server_does_not_get_the_path_of_the_control_socket() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("newswire.db");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).expect("a link");
        let at = |path: PathBuf| ListenAddress::Unix { path, mode: 0o666 };
        for path in [socket_of(&database), link.join("newswire.sock")] {
            let error = check_addresses(&[at(path)], &database).expect_err("it is taken");
            assert!(error.to_string().contains(CONTROL_SOCKET), "{error}");
        }
        assert!(check_addresses(&[at(folder.path().join("web.sock"))], &database).is_ok());
    }
}
