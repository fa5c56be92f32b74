//! The listening sockets and the web server on each of them.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::engine::Error;
use crate::web::{self, Listener, Site};

/// All listening sockets.
#[derive(Debug)]
pub(crate) struct Listeners {
    site: Arc<Site>,
    open: Vec<ActiveListener>,
    /// The configured address; `None` without one, or when the service manager provides the sockets.
    address: Option<SocketAddr>,
    sockets: Sockets,
}

/// Who creates the sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sockets {
    /// This process, at the configured address.
    Own,
    /// The service manager.
    Inherited,
}

/// Binds an address. On a machine without IPv6, all addresses (`[::]`) are all IPv4 addresses.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).or_else(|error| {
        let refused = [ErrorKind::AddrInUse, ErrorKind::PermissionDenied].contains(&error.kind());
        match address.is_ipv6() && address.ip().is_unspecified() && !refused {
            true => TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())),
            false => Err(error),
        }
    })
}

/// One listening socket with its server task.
#[derive(Debug)]
struct ActiveListener {
    /// Stops accepting connections when dropped.
    close: oneshot::Sender<()>,
    /// Ends after the last response.
    serving: JoinHandle<()>,
}

/// A prepared change of the listening socket, which cannot fail any more.
#[derive(Debug)]
pub(crate) enum ListenerChange {
    /// The address stays.
    Unchanged,
    /// Another address was configured, which needs a restart.
    AfterRestart,
    /// Replace the socket by this one; `None` closes it.
    Replace(Option<(SocketAddr, TcpListener)>),
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

impl Listeners {
    /// Serves on the sockets of the service manager, or else on `listen`.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) fn open(
        site: &Arc<Site>,
        inherited: Vec<Listener>,
        listen: Option<SocketAddr>,
    ) -> Result<Self, Error> {
        let mut listeners =
            Self { site: Arc::clone(site), open: Vec::new(), address: None, sockets: Sockets::Own };
        if inherited.is_empty() {
            let next = listeners.prepare(listen)?;
            listeners.switch(next);
        } else {
            listeners.sockets = Sockets::Inherited;
            info!(
                sockets = inherited.len(),
                "web server listening on sockets of the service manager"
            );
            listeners.open = inherited.into_iter().map(|socket| listeners.serve(socket)).collect();
        }
        Ok(listeners)
    }

    /// Whether there is a listening socket.
    pub(crate) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Binds another address without serving on it yet.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) fn prepare(&self, listen: Option<SocketAddr>) -> Result<ListenerChange, Error> {
        if self.sockets == Sockets::Inherited {
            return Ok(ListenerChange::AfterRestart);
        }
        if listen == self.address {
            return Ok(ListenerChange::Unchanged);
        }
        let Some(address) = listen else { return Ok(ListenerChange::Replace(None)) };
        match bind(address) {
            Ok(listener) => Ok(ListenerChange::Replace(Some((address, listener)))),
            // The socket of this process uses the port, and stays open without a gap.
            Err(error) if error.kind() == ErrorKind::AddrInUse && self.uses_port(address) => {
                Ok(ListenerChange::AfterRestart)
            }
            Err(source) => Err(Error::Listen { address, source }),
        }
    }

    /// Whether this process listens on the port, on any address.
    fn uses_port(&self, address: SocketAddr) -> bool {
        self.address.is_some_and(|own| own.port() == address.port())
    }

    /// Serves on the new socket, then closes the old one. Responses in progress are finished.
    pub(crate) fn switch(&mut self, next: ListenerChange) {
        let ListenerChange::Replace(next) = next else { return };
        let mut open = Vec::new();
        self.address = None;
        if let Some((address, listener)) = next {
            // With port 0 the system chooses the port.
            let bound = listener.local_addr().unwrap_or(address);
            info!(address = %bound, "web server listening");
            self.address = Some(address);
            open.push(self.serve(Listener::Tcp(listener)));
        }
        // The drop closes the old sockets.
        self.open = open;
    }

    fn serve(&self, listener: Listener) -> ActiveListener {
        let (close, closed) = oneshot::channel::<()>();
        let serving = web::serve(listener, Arc::clone(&self.site), async { drop(closed.await) });
        let serving = tokio::spawn(async move {
            if let Err(error) = serving.await {
                error!(%error, "web server stopped");
            }
        });
        ActiveListener { close, serving }
    }

    /// Closes all sockets and waits for the responses in progress.
    pub(crate) async fn close(self) {
        let listeners = self.open.into_iter().map(|active| (active.close, active.serving));
        let (close, serving): (Vec<_>, Vec<_>) = listeners.unzip();
        drop(close);
        for one in serving {
            let _ = one.await;
        }
    }
}
