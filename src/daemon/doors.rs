//! Where readers come in: the sockets, and the server behind each.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::engine::Error;
use crate::web::{self, Listener, Site};

/// The open doors.
#[derive(Debug)]
pub(crate) struct Doors {
    site: Arc<Site>,
    open: Vec<Door>,
    /// Where we listen ourselves; `None`: nowhere, or where the service manager does.
    address: Option<SocketAddr>,
    sockets: Sockets,
}

/// Whose the sockets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sockets {
    /// Our own: the config says where.
    Own,
    /// The service manager's: it says where.
    Given,
}

/// One of them.
#[derive(Debug)]
struct Door {
    /// Closes it when dropped.
    close: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// A door to be opened that nobody can take from us any more.
#[derive(Debug)]
pub(crate) enum Next {
    /// The ones that are open.
    Same,
    /// The same, until a restart: another one was asked for.
    Kept,
    /// This one instead; `None`: none.
    Other(Option<(SocketAddr, TcpListener)>),
}

/// The sockets that the service manager holds for us, `sd_listen_fds(3)`. Call it once, first of all.
#[must_use]
pub fn given_sockets() -> Vec<Listener> {
    let mut given = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(given.len());
    for index in 0..given.len() {
        let tcp = given.take_tcp_listener(index).ok().flatten().map(Listener::Tcp);
        let unix = || given.take_unix_listener(index).ok().flatten().map(Listener::Unix);
        match tcp.or_else(unix) {
            Some(listener) => listeners.push(listener),
            None => warn!("socket {index} of the service manager is none that can be served on"),
        }
    }
    listeners
}

impl Doors {
    /// Opens the sockets that the service manager gave, else listens on `listen`.
    ///
    /// # Errors
    /// When that cannot be listened on.
    pub(crate) fn open(
        site: &Arc<Site>,
        given: Vec<Listener>,
        listen: Option<SocketAddr>,
    ) -> Result<Self, Error> {
        let mut doors =
            Self { site: Arc::clone(site), open: Vec::new(), address: None, sockets: Sockets::Own };
        if given.is_empty() {
            let next = doors.prepare(listen)?;
            doors.switch(next);
        } else {
            doors.sockets = Sockets::Given;
            info!("serving on {} sockets of the service manager", given.len());
            doors.open = given.into_iter().map(|listener| doors.door(listener)).collect();
        }
        Ok(doors)
    }

    /// Whether there is any.
    pub(crate) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes hold of another address, and changes nothing yet.
    ///
    /// # Errors
    /// When that cannot be listened on.
    pub(crate) fn prepare(&self, listen: Option<SocketAddr>) -> Result<Next, Error> {
        if self.sockets == Sockets::Given {
            return Ok(Next::Kept);
        }
        if listen == self.address {
            return Ok(Next::Same);
        }
        let Some(address) = listen else { return Ok(Next::Other(None)) };
        match TcpListener::bind(address) {
            Ok(listener) => Ok(Next::Other(Some((address, listener)))),
            // Our own door is in the way, and stays open rather than being closed for a moment.
            Err(error) if error.kind() == ErrorKind::AddrInUse && self.holds(address) => {
                Ok(Next::Kept)
            }
            Err(source) => Err(Error::Listen { address, source }),
        }
    }

    /// Whether we are at that port ourselves, on some address.
    fn holds(&self, address: SocketAddr) -> bool {
        self.address.is_some_and(|own| own.port() == address.port())
    }

    /// Opens the new door, then closes the old one; who is inside is served to the end.
    pub(crate) fn switch(&mut self, next: Next) {
        let Next::Other(next) = next else { return };
        let mut open = Vec::new();
        self.address = None;
        if let Some((address, listener)) = next {
            // With port 0 the system chose one.
            let bound = listener.local_addr().unwrap_or(address);
            info!(address = %bound, "serving on http://{bound}/");
            self.address = Some(address);
            open.push(self.door(Listener::Tcp(listener)));
        }
        // Dropping the old ones closes them.
        self.open = open;
    }

    fn door(&self, listener: Listener) -> Door {
        let (close, closed) = oneshot::channel::<()>();
        let serving = web::serve(listener, Arc::clone(&self.site), async { drop(closed.await) });
        let serving = tokio::spawn(async move {
            if let Err(error) = serving.await {
                error!("the web server has stopped: {error}");
            }
        });
        Door { close, serving }
    }

    /// Closes all; returns when the answers under way are out.
    pub(crate) async fn close(self) {
        let doors = self.open.into_iter().map(|door| (door.close, door.serving));
        let (close, serving): (Vec<_>, Vec<_>) = doors.unzip();
        drop(close);
        for one in serving {
            let _ = one.await;
        }
    }
}
