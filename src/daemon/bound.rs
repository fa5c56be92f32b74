//! Binds one address of `[web] listen`.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::web::{ListenAddress, Listener};

/// A bound address that is not served yet.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(super) address: ListenAddress,
    /// Two for `localhost` on a machine with IPv6.
    pub(super) sockets: Vec<Listener>,
    pub(super) file: Option<SocketFile>,
}

impl Bound {
    /// Binds the address.
    ///
    /// # Errors
    /// As the system reports them; `AddrInUse` also for a Unix socket that a process listens on.
    pub(super) fn open(address: &ListenAddress) -> io::Result<Self> {
        let (sockets, file) = match address {
            ListenAddress::Tcp(address) => (vec![Listener::Tcp(tcp(*address)?)], None),
            ListenAddress::Localhost(port) => (localhost(*port)?, None),
            ListenAddress::Unix { path, mode } => {
                let (listener, file) = unix(path, *mode)?;
                (vec![Listener::Unix(listener)], Some(file))
            }
        };
        Ok(Self { address: address.clone(), sockets, file })
    }
}

/// Binds an IP address. On a machine without IPv6, all addresses (`[::]`) are all IPv4 addresses.
fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).or_else(|error| {
        let refused = [ErrorKind::AddrInUse, ErrorKind::PermissionDenied].contains(&error.kind());
        match address.is_ipv6() && address.ip().is_unspecified() && !refused {
            true => TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())),
            false => Err(error),
        }
    })
}

/// Binds one port of both loopback addresses; only 127.0.0.1 on a machine without IPv6.
fn localhost(port: u16) -> io::Result<Vec<Listener>> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    // The port that the system chose for port 0.
    let port = v4.local_addr()?.port();
    Ok(match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(v6) => vec![Listener::Tcp(v4), Listener::Tcp(v6)],
        Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
        Err(_) => vec![Listener::Tcp(v4)],
    })
}

/// The file of a Unix socket; removed on drop if it is still the same file.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode number of the file.
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have replaced it.
        if fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == self.identity)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds a Unix socket. A socket that a process left behind is replaced; any other file is an error.
fn unix(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "the file is not a socket"));
        }
        Ok(_) => match UnixStream::connect(path) {
            // No process listens: it is left over.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(ErrorKind::AddrInUse.into()),
        },
    }
    // Created under another name until the mode is set: clients find the old socket, or this one.
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(".new");
    let hidden = PathBuf::from(hidden);
    if fs::symlink_metadata(&hidden).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(&hidden)?;
    }
    let listener = UnixListener::bind(&hidden)?;
    let finish = || {
        fs::set_permissions(&hidden, fs::Permissions::from_mode(mode))?;
        let made = fs::symlink_metadata(&hidden)?;
        fs::rename(&hidden, path)?;
        Ok(SocketFile { path: path.to_owned(), identity: (made.dev(), made.ino()) })
    };
    match finish() {
        Ok(file) => Ok((listener, file)),
        Err(error) => {
            let _ = fs::remove_file(&hidden);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, mode: u32) -> io::Result<Bound> {
        Bound::open(&ListenAddress::Unix { path: path.to_owned(), mode })
    }

    #[test]
    fn a_unix_socket_has_its_mode_and_is_removed_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        let bound = open(&path, 0o640).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(UnixStream::connect(&path).is_ok());
        drop(bound);
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }

    #[test]
    fn only_a_socket_without_a_listener_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        // Dropped without removing the file, as after a kill.
        drop(UnixListener::bind(&path).unwrap());
        let first = open(&path, 0o666).unwrap();
        assert_eq!(open(&path, 0o666).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert!(UnixStream::connect(&path).is_ok(), "the first one still listens");
        drop(first);
        fs::write(&path, "a letter").unwrap();
        assert_eq!(open(&path, 0o666).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
    }

    #[test]
    fn a_file_that_replaced_the_socket_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        let bound = open(&path, 0o666).unwrap();
        fs::write(folder.path().join("other"), "x").unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        drop(bound);
        assert!(path.exists());
    }

    #[test]
    fn localhost_is_both_loopback_addresses() {
        let bound = Bound::open(&ListenAddress::Localhost(0)).unwrap();
        let addresses: Vec<SocketAddr> = bound
            .sockets
            .iter()
            .filter_map(|socket| match socket {
                Listener::Tcp(tcp) => tcp.local_addr().ok(),
                Listener::Unix(_) => None,
            })
            .collect();
        assert!(addresses[0].ip() == Ipv4Addr::LOCALHOST);
        let has_v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        assert_eq!(addresses.len(), 1 + usize::from(has_v6));
        assert!(addresses.iter().all(|at| at.port() == addresses[0].port()));
    }
}
