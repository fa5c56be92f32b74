//! The listening sockets and the web server on each of them.

use std::io::ErrorKind;
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::bound::{Bound, SocketFile};
use super::engine::Error;
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
