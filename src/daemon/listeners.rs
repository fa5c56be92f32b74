//! The listening sockets of `[web] listen`, the web site, and the web server on each socket.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::error::Error;
use super::setup::Setup;
use crate::images;
use crate::outputs::Served;
use crate::poll::Gate;
use crate::web::{self, ListenAddress, Listener, Site};

/// The listening sockets with their server tasks.
#[derive(Debug)]
pub(crate) struct Listeners {
    site: Arc<Site>,
    open: Vec<ActiveListener>,
    sockets: Sockets,
}

/// Who creates the sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sockets {
    /// This process, at the configured addresses.
    Own,
    /// The service manager, which passes them to this process (`sd_listen_fds(3)`).
    Inherited,
}

/// One configured address, or all sockets of the service manager, with a server task for each socket.
#[derive(Debug)]
struct ActiveListener {
    /// `None`: from the service manager.
    address: Option<ListenAddress>,
    servers: Vec<Server>,
    /// Removes the file of a Unix socket when dropped.
    _file: Option<SocketFile>,
}

/// The server task of one socket.
#[derive(Debug)]
struct Server {
    /// Stops accepting connections when dropped.
    close: oneshot::Sender<()>,
    /// Ends after the last response.
    serving: JoinHandle<()>,
}

/// A prepared change of the listening sockets, which cannot fail any more.
#[derive(Debug)]
pub(crate) enum ListenerChange {
    /// The configured addresses are the same as before.
    Unchanged,
    /// Other addresses were configured, which needs a restart.
    AfterRestart,
    /// Listen on these addresses, of which the second list has the new sockets.
    Replace(Vec<ListenAddress>, Vec<Bound>),
}

/// Takes over the sockets from the service manager (`sd_listen_fds(3)`). Must be called once, at the start.
#[must_use]
pub fn inherited_sockets() -> Vec<Listener> {
    let mut inherited = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(inherited.len());
    for index in 0..inherited.len() {
        let tcp = inherited.take_tcp_listener(index).ok().flatten().map(Listener::Tcp);
        let unix = || inherited.take_unix_listener(index).ok().flatten().map(Listener::Unix);
        match tcp.or_else(unix) {
            Some(listener) => listeners.push(listener),
            None => warn!(index, "socket of the service manager is not a listening socket"),
        }
    }
    listeners
}

/// Checks that the addresses can be listened on, unless the service manager has the sockets.
///
/// # Errors
/// When an address cannot be listened on.
pub(super) fn check_addresses(listen: &[ListenAddress]) -> Result<(), Error> {
    if std::env::var_os("LISTEN_FDS").is_some() {
        return Ok(());
    }
    for address in listen {
        Bound::open(address)
            .map_err(|source| Error::Listen { address: address.clone(), source })?;
    }
    Ok(())
}

impl Listeners {
    /// Serves on the sockets of the service manager, or else on `listen`.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub(crate) fn open(
        site: &Arc<Site>,
        inherited: Vec<Listener>,
        listen: &[ListenAddress],
    ) -> Result<Self, Error> {
        let mut listeners =
            Self { site: Arc::clone(site), open: Vec::new(), sockets: Sockets::Own };
        if inherited.is_empty() {
            let next = listeners.prepare(listen)?;
            listeners.switch(next);
        } else {
            listeners.sockets = Sockets::Inherited;
            info!(
                sockets = inherited.len(),
                "web server listening on sockets of the service manager"
            );
            let servers = inherited.into_iter().map(|socket| listeners.serve(socket)).collect();
            listeners.open = vec![ActiveListener { address: None, servers, _file: None }];
        }
        Ok(listeners)
    }

    /// Whether there is a listening socket.
    pub(crate) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Binds the addresses that are new, without serving on them yet.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub(crate) fn prepare(&self, listen: &[ListenAddress]) -> Result<ListenerChange, Error> {
        if self.sockets == Sockets::Inherited {
            return Ok(ListenerChange::AfterRestart);
        }
        let is_open = |address: &&ListenAddress| self.addresses().any(|open| open == *address);
        if listen.len() == self.open.len() && listen.iter().all(|address| is_open(&address)) {
            return Ok(ListenerChange::Unchanged);
        }
        let mut new = Vec::new();
        for address in listen.iter().filter(|address| !is_open(address)) {
            match Bound::open(address) {
                Ok(bound) => new.push(bound),
                // A socket of this process uses the address, and stays open without a gap.
                Err(error) if error.kind() == ErrorKind::AddrInUse && self.overlaps(address) => {
                    return Ok(ListenerChange::AfterRestart);
                }
                Err(source) => return Err(Error::Listen { address: address.clone(), source }),
            }
        }
        Ok(ListenerChange::Replace(listen.to_vec(), new))
    }

    fn addresses(&self) -> impl Iterator<Item = &ListenAddress> {
        self.open.iter().filter_map(|active| active.address.as_ref())
    }

    /// Whether this process listens on the port on any address, or on the Unix socket.
    fn overlaps(&self, address: &ListenAddress) -> bool {
        self.addresses().any(|open| match (open, address) {
            (ListenAddress::Unix { path: open, .. }, ListenAddress::Unix { path, .. }) => {
                open == path
            }
            (open, address) => {
                let port = |address: &ListenAddress| address.reachable().map(|at| at.port());
                port(open).is_some() && port(open) == port(address)
            }
        })
    }

    /// Serves on the new sockets, then closes those that are no longer wanted. Responses in progress are finished.
    pub(crate) fn switch(&mut self, next: ListenerChange) {
        let ListenerChange::Replace(listen, new) = next else { return };
        let new: Vec<_> = new.into_iter().map(|bound| self.activate(bound)).collect();
        self.open.retain(|active| {
            active.address.as_ref().is_some_and(|address| listen.contains(address))
        });
        self.open.extend(new);
    }

    fn activate(&self, bound: Bound) -> ActiveListener {
        let Bound { address, sockets, file } = bound;
        for socket in &sockets {
            // With port 0 the system chooses the port.
            let at = match socket {
                Listener::Tcp(tcp) => {
                    tcp.local_addr().map_or_else(|_| address.to_string(), |at| at.to_string())
                }
                Listener::Unix(_) => address.to_string(),
            };
            info!(address = %at, "web server listening");
        }
        let servers = sockets.into_iter().map(|socket| self.serve(socket)).collect();
        ActiveListener { address: Some(address), servers, _file: file }
    }

    fn serve(&self, listener: Listener) -> Server {
        let (close, closed) = oneshot::channel::<()>();
        let serving = web::serve(listener, Arc::clone(&self.site), async { drop(closed.await) });
        let serving = tokio::spawn(async move {
            if let Err(error) = serving.await {
                error!(%error, "web server stopped");
            }
        });
        Server { close, serving }
    }

    /// Closes all sockets and waits for the responses in progress.
    pub(crate) async fn close(self) {
        let servers = self.open.into_iter().flat_map(|active| active.servers);
        let (close, serving): (Vec<_>, Vec<_>) =
            servers.map(|server| (server.close, server.serving)).unzip();
        drop(close);
        for one in serving {
            let _ = one.await;
        }
    }
}

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

/// The site with operator pages and, if this program can read images, with copies of them in a folder beside the
/// database.
pub(super) fn site(
    setup: &Setup,
    served: &Arc<Served>,
    gate: Gate,
    pages: web::OperatorPages,
) -> (web::Site, web::ImageProxy) {
    let folder = pages.reader.path().with_file_name("images");
    let image_proxy = web::ImageProxy::open(folder, gate, pages.clock.clone());
    image_proxy.configure(setup.image_requests());
    let site = web::Site::new(Arc::clone(served), setup.web.clone()).with_operator_pages(pages);
    let site = match images::AVAILABLE {
        true => site.with_images(image_proxy.clone()),
        false => site,
    };
    (site, image_proxy)
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
