//! Accepts connections and lets them go: everything bounded, and nothing that a client or the
//! kernel does ends the loop.

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

use super::gate::Entrance;
use super::routes::App;
use super::site::{ASKING, Peer, Site};

/// Connections served at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 64;
/// And no more than this part of the file descriptors: the rest is for the database and the polls.
const DESCRIPTORS: u64 = 4;
/// Where somebody waits for a place, a connection that asks for nothing for so long gives its own up:
/// who wants something says so with the last packet of the handshake.
const GRACE: Duration = Duration::from_millis(100);
/// From the opening of a connection, or the last answer on it, to the end of the next request's
/// headers: what a slow or idle client may cost.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest request head: ours are all small.
const REQUEST_HEAD: usize = 16 * 1024;
/// After so long a connection gets no further requests, so that none holds its place for ever.
const LIFETIME: Duration = Duration::from_secs(120);
/// What a client may still take for the answer under way when its connection is to end.
const LAST_ANSWER: Duration = Duration::from_secs(60);
/// The same when the server itself ends: within the five seconds that the daemon drains.
const DRAIN: Duration = Duration::from_secs(3);
/// Who came in before the end and has asked nothing yet gets so long to.
const FIRST_WORD: Duration = Duration::from_millis(500);
/// After an error that the next try would meet again, as when there are no file descriptors left.
const BREATH: Duration = Duration::from_millis(50);

/// How often a thread says that it goes on.
const BEAT: Duration = Duration::from_secs(1);

/// No more threads than this accept and answer: enough for any network that feeds are read over.
const THREADS: usize = 4;

/// Where connections come in.
#[derive(Debug)]
pub enum Listener {
    /// From the network.
    Tcp(std::net::TcpListener),
    /// From this machine, through a socket in the file system.
    Unix(std::os::unix::net::UnixListener),
}

/// The same, as tokio has it.
enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, whatever it came by.
type Stream = tokio_util::either::Either<TcpStream, UnixStream>;

/// A connection, who is at its other end, and what it came in by.
struct Client {
    stream: Stream,
    peer: Peer,
    entrance: Entrance,
}

impl Listener {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }

    /// For the thread that this is called on.
    fn open(self) -> io::Result<Door> {
        Ok(match self {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Door::Tcp(TcpListener::from_std(listener)?)
            }
            Self::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Door::Unix(UnixListener::from_std(listener)?)
            }
        })
    }
}

impl Door {
    async fn accept(&self) -> io::Result<Client> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Answers are written whole; waiting to fill a packet only delays the last one.
                let _ = stream.set_nodelay(true);
                let ip = |address: io::Result<SocketAddr>| address.ok().map(|address| address.ip());
                let (bound, reached) = (ip(listener.local_addr()), ip(stream.local_addr()));
                let entrance = Entrance { bound, reached };
                Ok(Client {
                    stream: Stream::Left(stream),
                    peer: Peer::Address(address.ip()),
                    entrance,
                })
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let entrance = Entrance { bound: None, reached: None };
                Ok(Client { stream: Stream::Right(stream), peer: Peer::Unix, entrance })
            }
        }
    }
}

/// The places of all threads, and how to get one when all are taken.
struct Crowd {
    places: Arc<Semaphore>,
    /// Wakes the connection that has been idle for longest.
    room: Notify,
}

impl Crowd {
    fn new() -> Self {
        let share = telemetry::max_fds()
            .map_or(CONNECTIONS, |all| usize::try_from(all / DESCRIPTORS).unwrap_or(CONNECTIONS));
        let places = Arc::new(Semaphore::new(share.clamp(1, CONNECTIONS)));
        Self { places, room: Notify::new() }
    }

    /// A place for a connection; `None`: never again.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        self.room.notify_one();
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Returns once a connection that does nothing meanwhile should go.
    async fn idle(&self) {
        sleep(GRACE).await;
        self.room.notified().await;
    }
}

/// Serves `site` on `listener` until `shutdown` completes, and the answers under way are out, or
/// have had three seconds.
///
/// Answers on threads of its own, each with its own connections, so that neither a burst of polls
/// holds up readers nor the other way round, and no answer wanders between threads.
///
/// # Errors
/// When the system gives no threads. What goes wrong with one connection is that one's end.
pub async fn serve(
    listener: Listener,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let ending = CancellationToken::new();
    // Also when nobody waits for this any more.
    let _end = ending.clone().drop_guard();
    let (app, crowd) = (App::new(Arc::clone(&site)), Arc::new(Crowd::new()));
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS));
    let (mut ended, mut beats) = (Vec::with_capacity(threads), Vec::with_capacity(threads));
    for _ in 0..threads {
        let mut runtime = runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(ASKING).build()?;
        let (listener, app) = (listener.try_clone()?, app.clone());
        let (crowd, ending) = (Arc::clone(&crowd), ending.clone());
        let (beat, beating) = watch::channel(());
        beats.push(beating);
        let (alive, dead) = oneshot::channel::<()>();
        let work = move || {
            let _alive = alive;
            if let Err(error) = runtime.block_on(work(listener, &app, &crowd, (&ending, &beat))) {
                tracing::error!(%error, "a thread of the web server has ended");
            }
        };
        std::thread::Builder::new().name("web".to_owned()).spawn(work)?;
        ended.push(dead);
    }
    drop(listener);
    tokio::select! {
        () = shutdown => {}
        () = listen_for(&mut beats, &site) => {}
    }
    ending.cancel();
    for dead in ended {
        // Never sends: it is dropped when the thread is done.
        let _ = dead.await;
    }
    Ok(())
}

/// Lets the site know as long as every thread beats. Never returns.
async fn listen_for(beats: &mut [watch::Receiver<()>], site: &Site) {
    loop {
        for beat in &mut *beats {
            if beat.changed().await.is_err() {
                // It has said why; the others go on serving, and the watchdog will hear of it.
                return std::future::pending().await;
            }
        }
        site.beat();
    }
}

/// One thread's work.
async fn work(
    listener: Listener,
    app: &App,
    crowd: &Arc<Crowd>,
    (ending, beat): (&CancellationToken, &watch::Sender<()>),
) -> io::Result<()> {
    let (listener, connections) = (listener.open()?, TaskTracker::new());
    tokio::select! {
        () = accept(&listener, app, crowd, ending, &connections) => {}
        () = ending.cancelled() => {}
        () = beat_on(beat) => {}
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Beats. Never returns.
async fn beat_on(beat: &watch::Sender<()>) {
    loop {
        let _ = beat.send(());
        sleep(BEAT).await;
    }
}

/// Never returns.
async fn accept(
    listener: &Door,
    app: &App,
    crowd: &Arc<Crowd>,
    ending: &CancellationToken,
    connections: &TaskTracker,
) {
    let mut failing = false;
    loop {
        // The place first: a connection that cannot be served is not taken from the kernel.
        let Some(place) = crowd.place().await else { return };
        match listener.accept().await {
            Ok(client) => {
                failing = false;
                let (app, crowd, ending) = (app.clone(), Arc::clone(crowd), ending.clone());
                connections.spawn(async move {
                    let served = connection(client, app.clone(), &crowd, ending);
                    if AssertUnwindSafe(served).catch_unwind().await.is_err() {
                        app.panicked();
                    }
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Logged once a streak: this comes when things are bad enough already.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "cannot accept connections, will go on trying");
                }
                // Descriptors may be what is missing: who asks for nothing gives his up.
                crowd.room.notify_waiters();
                sleep(BREATH).await;
            }
        }
    }
}

/// The peer was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves one connection until its peer, its age or the server ends it.
async fn connection(client: Client, app: App, crowd: &Crowd, ending: CancellationToken) {
    let Client { stream, peer, entrance } = client;
    let rest = TowerToHyperService::new(app.routed());
    let (asked, first) = (AtomicU64::new(0), Notify::new());
    let answer = service_fn(|mut request| {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 {
            first.notify_one();
        }
        let refusal = app.refusal(&request, entrance);
        match refusal.or_else(|| app.at_once(&request)) {
            Some(response) => Either::Left(future::ready(Ok(response))),
            None => {
                request.extensions_mut().insert(peer);
                Either::Right(rest.call(request))
            }
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(REQUEST_HEAD)
        .serve_connection(TokioIo::new(stream), answer);
    let (mut served, mut lifetime) = (pin!(served), pin!(sleep(LIFETIME)));
    let patience = loop {
        let before = asked.load(Ordering::Relaxed);
        tokio::select! {
            // How a connection ends is the peer's affair, and no news to the operator.
            result = served.as_mut() => return drop(result),
            () = lifetime.as_mut() => break LAST_ANSWER,
            () = ending.cancelled() => break DRAIN,
            () = crowd.idle() => match asked.load(Ordering::Relaxed) {
                // Nobody is cut off who is waiting for an answer.
                0 => return,
                now if now == before => break LAST_ANSWER,
                _ => crowd.room.notify_one(),
            },
        }
    };
    if ending.is_cancelled() && asked.load(Ordering::Relaxed) == 0 {
        // Who has only just come in is about to ask, and would go away without an answer.
        tokio::select! {
            result = served.as_mut() => return drop(result),
            () = first.notified() => {}
            () = sleep(FIRST_WORD) => {}
        }
    }
    served.as_mut().graceful_shutdown();
    tokio::select! {
        _ = timeout(patience, served) => {}
        () = async { ending.cancelled().await; sleep(DRAIN).await } => {}
    }
}
