//! Accepts connections and lets them go: everything bounded, and nothing that a client or the
//! kernel does ends the loop.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::publish::Shelf;

use super::routes;

/// Connections served at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 256;
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
/// After an error that the next try would meet again, as when there are no file descriptors left.
const BREATH: Duration = Duration::from_millis(200);

/// Serves `shelf` on `listener` until `shutdown` completes, and the answers under way are out, or
/// have had three seconds.
///
/// # Errors
/// None so far: what goes wrong with one connection is that connection's end.
pub async fn serve(
    listener: TcpListener,
    shelf: Arc<Shelf>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (ending, connections) = (CancellationToken::new(), TaskTracker::new());
    let app = routes::router(shelf);
    tokio::select! {
        () = accept(&listener, &app, &ending, &connections) => {}
        () = shutdown => {}
    }
    drop(listener);
    ending.cancel();
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Never returns.
async fn accept(
    listener: &TcpListener,
    app: &Router,
    ending: &CancellationToken,
    connections: &TaskTracker,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut failing = false;
    loop {
        // The place first: a connection that cannot be served is not taken from the kernel.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                failing = false;
                let (app, ending) = (app.clone(), ending.clone());
                connections.spawn(async move {
                    connection(stream, app, ending).await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Logged once a streak: this comes when things are bad enough already.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "cannot accept connections, will go on trying");
                }
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
async fn connection(stream: TcpStream, app: Router, ending: CancellationToken) {
    // Answers are written whole; waiting to fill a packet only delays the last one.
    let _ = stream.set_nodelay(true);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(REQUEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut served = pin!(served);
    let patience = tokio::select! {
        // How a connection ends is the peer's affair, and no news to the operator.
        result = served.as_mut() => return drop(result),
        () = sleep(LIFETIME) => LAST_ANSWER,
        () = ending.cancelled() => DRAIN,
    };
    served.as_mut().graceful_shutdown();
    tokio::select! {
        _ = timeout(patience, served) => {}
        () = async { ending.cancelled().await; sleep(DRAIN).await } => {}
    }
}
