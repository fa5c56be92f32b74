//! Connections: accepted, served and closed within bounds.
//!
//! No error of a client or of the kernel ends the accept loop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{self, Either};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::telemetry;

use super::access::LocalEnd;
use super::routes::App;
use super::site::{MAX_QUERIES, Peer, Site};

/// Maximum number of open connections; more wait in the backlog of the kernel.
const MAX_CONNECTIONS: usize = 64;
/// Connections use at most one in this many file descriptors; the rest is for the database and the polls.
const DESCRIPTORS_PER_CONNECTION: u64 = 4;
/// If connections are waiting, one that is idle for this long is closed. Clients with a request send it
/// with the last packet of the handshake.
const IDLE_GRACE: Duration = Duration::from_millis(100);
/// Time from the start of a connection, or its last response, to the end of the next request head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of a request head in bytes: enough to answer a target that is too long, such as a long text in the search.
const MAX_REQUEST_HEAD: usize = 64 * 1024;
/// Age at which a connection accepts no further requests, so that none keeps its slot for ever.
const MAX_LIFETIME: Duration = Duration::from_secs(120);
/// Time to finish the last response of a connection that is closed.
const LAST_RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// The same when the server stops; less than the five seconds of the daemon.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);
/// Time for the first request of a connection that was accepted before the server stops.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);
/// Pause after an error of accept, for example when there are no file descriptors left.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Interval of the heartbeats of a thread.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Maximum number of threads that accept connections and answer requests.
const MAX_THREADS: usize = 4;

/// A bound listening socket.
#[derive(Debug)]
pub enum Listener {
    /// A bound TCP socket.
    Tcp(std::net::TcpListener),
    /// A bound Unix socket.
    Unix(std::os::unix::net::UnixListener),
}

/// A listener of tokio.
enum AsyncListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection over TCP or a Unix socket.
type Stream = tokio_util::either::Either<TcpStream, UnixStream>;

/// A connection with both of its ends.
struct Connection {
    stream: Stream,
    peer: Peer,
    local: LocalEnd,
}

impl Listener {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }

    /// The listener for the runtime of this thread.
    fn open(self) -> io::Result<AsyncListener> {
        Ok(match self {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                AsyncListener::Tcp(TcpListener::from_std(listener)?)
            }
            Self::Unix(listener) => {
                listener.set_nonblocking(true)?;
                AsyncListener::Unix(UnixListener::from_std(listener)?)
            }
        })
    }
}

impl AsyncListener {
    async fn accept(&self) -> io::Result<Connection> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Responses are written at once: Nagle's algorithm would only delay the last packet.
                let _ = stream.set_nodelay(true);
                let ip = |address: io::Result<SocketAddr>| address.ok().map(|address| address.ip());
                let (bound, connected) = (ip(listener.local_addr()), ip(stream.local_addr()));
                Ok(Connection {
                    stream: Stream::Left(stream),
                    peer: Peer::Address(address.ip()),
                    local: LocalEnd { bound, connected },
                })
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let local = LocalEnd { bound: None, connected: None };
                Ok(Connection { stream: Stream::Right(stream), peer: Peer::Unix, local })
            }
        }
    }
}

/// The slots for connections, shared by all threads.
struct Slots {
    free: Arc<Semaphore>,
    /// Wakes the connection that has been idle for longest.
    wanted: Notify,
}

impl Slots {
    fn new() -> Self {
        let limit = telemetry::max_fds().map_or(MAX_CONNECTIONS, |all| {
            usize::try_from(all / DESCRIPTORS_PER_CONNECTION).unwrap_or(MAX_CONNECTIONS)
        });
        let free = Arc::new(Semaphore::new(limit.clamp(1, MAX_CONNECTIONS)));
        Self { free, wanted: Notify::new() }
    }

    /// Waits for a slot; `None`: there will be none.
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(slot);
        }
        self.wanted.notify_one();
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// Returns when a connection that is idle meanwhile should be closed.
    async fn should_yield(&self) {
        sleep(IDLE_GRACE).await;
        self.wanted.notified().await;
    }
}

/// Serves `site` on `listener` until `shutdown` completes. Then responses get three seconds to finish.
///
/// The server has its own threads, and each thread its own connections. So a burst of polls does not
/// delay clients, nor the other way round, and no response moves between threads.
///
/// # Errors
/// When no threads can be created. An error of one connection ends that connection only.
pub async fn serve(
    listener: Listener,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let ending = CancellationToken::new();
    // Also if this future is dropped.
    let _end = ending.clone().drop_guard();
    let (app, slots) = (App::new(Arc::clone(&site)), Arc::new(Slots::new()));
    let threads =
        std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS));
    let (mut ended, mut heartbeats) = (Vec::with_capacity(threads), Vec::with_capacity(threads));
    for _ in 0..threads {
        let mut runtime = runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(MAX_QUERIES).build()?;
        let (listener, app) = (listener.try_clone()?, app.clone());
        let (heartbeat, received) = watch::channel(());
        heartbeats.push(received);
        let thread = Thread { app, slots: Arc::clone(&slots), ending: ending.clone(), heartbeat };
        let (alive, dead) = oneshot::channel::<()>();
        let work = move || {
            let _alive = alive;
            if let Err(error) = runtime.block_on(thread.run(listener)) {
                tracing::error!(%error, "a thread of the web server ended");
            }
        };
        std::thread::Builder::new().name("web".to_owned()).spawn(work)?;
        ended.push(dead);
    }
    drop(listener);
    tokio::select! {
        () = shutdown => {}
        () = watch_heartbeats(&mut heartbeats, &site) => {}
    }
    ending.cancel();
    for dead in ended {
        // The sender is dropped when the thread ends.
        let _ = dead.await;
    }
    Ok(())
}

/// Records a heartbeat of the server whenever all threads have had one. Never returns.
async fn watch_heartbeats(heartbeats: &mut [watch::Receiver<()>], site: &Site) {
    loop {
        for heartbeat in &mut *heartbeats {
            if heartbeat.changed().await.is_err() {
                // The thread logged why it ended. The others continue; the watchdog notices.
                return std::future::pending().await;
            }
        }
        site.heartbeat();
    }
}

/// A thread of the server.
struct Thread {
    app: App,
    slots: Arc<Slots>,
    ending: CancellationToken,
    heartbeat: watch::Sender<()>,
}

impl Thread {
    /// Serves connections until the server stops and the last of them is closed.
    async fn run(self, listener: Listener) -> io::Result<()> {
        let (listener, connections) = (listener.open()?, TaskTracker::new());
        tokio::select! {
            () = self.accept(&listener, &connections) => {}
            () = self.ending.cancelled() => {}
            () = self.send_heartbeats() => {}
        }
        drop(listener);
        connections.close();
        connections.wait().await;
        Ok(())
    }

    /// Sends a heartbeat at each interval. Never returns.
    async fn send_heartbeats(&self) {
        loop {
            let _ = self.heartbeat.send(());
            sleep(HEARTBEAT).await;
        }
    }

    /// Accepts connections. Returns only if there will be no more slots.
    async fn accept(&self, listener: &AsyncListener, connections: &TaskTracker) {
        let mut failing = false;
        loop {
            // The slot first: connections that cannot be served stay in the backlog.
            let Some(slot) = self.slots.acquire().await else { return };
            match listener.accept().await {
                Ok(connection) => {
                    failing = false;
                    let (app, slots) = (self.app.clone(), Arc::clone(&self.slots));
                    let ending = self.ending.clone();
                    connections.spawn(async move {
                        let served = serve_connection(connection, app.clone(), &slots, ending);
                        if AssertUnwindSafe(served).catch_unwind().await.is_err() {
                            app.count_panic();
                        }
                        drop(slot);
                    });
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Logged once for a series of errors.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "cannot accept connections");
                    }
                    // If file descriptors are missing, idle connections must give theirs back.
                    self.slots.wanted.notify_waiters();
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}

/// Whether the error concerns only a connection whose peer is gone.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves one connection until its peer, its age, a waiting connection or the server ends it.
async fn serve_connection(
    connection: Connection,
    app: App,
    slots: &Slots,
    ending: CancellationToken,
) {
    let Connection { stream, peer, local } = connection;
    let router = TowerToHyperService::new(app.router());
    let (requests, first) = (AtomicU64::new(0), Notify::new());
    let respond = service_fn(|mut request| {
        if requests.fetch_add(1, Ordering::Relaxed) == 0 {
            first.notify_one();
        }
        let rejection = app.rejection(&request, local);
        let moved = rejection.or_else(|| app.remove_prefix(&mut request));
        match moved.or_else(|| app.document(&request, peer)) {
            Some(response) => Either::Left(future::ready(Ok(response))),
            None => {
                let base = app.base_url(&request);
                request.extensions_mut().insert(peer);
                request.extensions_mut().insert(base);
                Either::Right(router.call(request))
            }
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_REQUEST_HEAD)
        .serve_connection(TokioIo::new(stream), respond);
    let (mut served, mut lifetime) = (pin!(served), pin!(sleep(MAX_LIFETIME)));
    let last_response = loop {
        let before = requests.load(Ordering::Relaxed);
        tokio::select! {
            // Errors of a connection are those of its peer, and not logged.
            result = served.as_mut() => return drop(result),
            () = lifetime.as_mut() => break LAST_RESPONSE_TIMEOUT,
            () = ending.cancelled() => break SHUTDOWN_TIMEOUT,
            () = slots.should_yield() => match requests.load(Ordering::Relaxed) {
                // No request is waiting for its response.
                0 => return,
                now if now == before => break LAST_RESPONSE_TIMEOUT,
                _ => slots.wanted.notify_one(),
            },
        }
    };
    if ending.is_cancelled() && requests.load(Ordering::Relaxed) == 0 {
        // A new connection is about to send its first request. Half of one gets no response: hyper would wait for the rest.
        tokio::select! {
            result = served.as_mut() => return drop(result),
            () = first.notified() => {}
            () = sleep(FIRST_REQUEST_TIMEOUT) => return,
        }
    }
    served.as_mut().graceful_shutdown();
    tokio::select! {
        _ = timeout(last_response, served) => {}
        () = async { ending.cancelled().await; sleep(SHUTDOWN_TIMEOUT).await } => {}
    }
}
