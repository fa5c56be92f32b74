//! What the web server serves. It is shared by all listeners and outlives reloads of the config.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tracing::info;
use url::Url;

use crate::clock::Clock;
use crate::outputs::{self, Contents, Served, ServedOutput};
use crate::store::{self, Reader};
use crate::telemetry::{Metrics, Part, Readiness};

use super::access::OperatorRefusal;
use super::base_url::{BaseUrl, Variants};
use super::images::ImageProxy;
use super::settings::Settings;
use super::subscribers::Subscribers;
use crate::model::SubscriberCount;
use crate::render::Format;

/// Number of database queries that run at once. Further queries wait; documents need none.
pub(super) const MAX_QUERIES: usize = 4;
/// Number of refused clients that are logged: more are scanners.
const MAX_LOGGED_REFUSALS: usize = 16;

/// The content of the server.
#[derive(Debug)]
pub struct Site {
    /// The outputs, as they were last published.
    pub(super) served: Arc<Served>,
    /// Sources of the operator pages; `None`: no such pages.
    pub(super) operator_pages: Option<OperatorPages>,
    /// Time when the process started.
    pub(super) started_at: Timestamp,
    /// Documents for other URLs of the server.
    pub(super) variants: Variants,
    /// The feed of incidents, Atom, and the URL of the server in it.
    incidents: RwLock<Option<(Arc<str>, Arc<str>)>>,
    subscribers: Subscribers,
    /// Makes copies of images; `None`: pages have links to them.
    images: Option<ImageProxy>,
    settings: RwLock<Arc<Settings>>,
    queries: Arc<Semaphore>,
    /// Clients whose refusal is logged already.
    refused: Mutex<HashSet<(Peer, OperatorRefusal)>>,
}

/// Sources of the operator pages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OperatorPages {
    /// The database. Its methods block, see [`Site::off_thread`].
    pub reader: Reader,
    /// Source of the time.
    pub clock: Clock,
    /// Counters of the process.
    pub metrics: Metrics,
    /// The heartbeats and problems of the process.
    pub readiness: Readiness,
}

/// The remote end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A client with this address.
    Address(IpAddr),
    /// A client of a Unix socket, most likely a proxy.
    Unix,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.to_canonical().fmt(f),
            Self::Unix => f.write_str("a client of a Unix socket"),
        }
    }
}

/// Why a page cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A query of an output failed.
    #[error(transparent)]
    Outputs(#[from] outputs::Error),
    /// A query of the store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A page could not be rendered.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// Rendering a page panicked with this message.
    #[error("{0}")]
    Panicked(String),
}

impl Site {
    /// A site with these outputs and without operator pages.
    #[must_use]
    pub fn new(served: Arc<Served>, settings: Settings) -> Self {
        Self {
            served,
            operator_pages: None,
            started_at: Timestamp::UNIX_EPOCH,
            variants: Variants::default(),
            incidents: RwLock::default(),
            subscribers: Subscribers::default(),
            images: None,
            settings: RwLock::new(Arc::new(settings)),
            queries: Arc::new(Semaphore::new(MAX_QUERIES)),
            refused: Mutex::default(),
        }
    }

    /// The site with operator pages.
    #[must_use]
    pub fn with_operator_pages(self, pages: OperatorPages) -> Self {
        let started_at = pages.clock.now();
        Self { operator_pages: Some(pages), started_at, ..self }
    }

    /// The site with copies of the images of other sites.
    #[must_use]
    pub fn with_images(self, images: ImageProxy) -> Self {
        Self { images: Some(images), ..self }
    }

    /// The proxy for images; `None`: pages link to the publishers' images.
    pub(super) fn images(&self) -> Option<ImageProxy> {
        self.images.clone()
    }

    /// The current settings.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        // A panic cannot leave the pointer in a wrong state.
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the settings for all further requests. The caller of [`super::serve`] moves listeners.
    pub fn configure(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Replaces the feed of incidents, Atom, which contains this URL of the server.
    pub fn put_incidents(&self, atom: String, base_url: &Url) {
        let new = Some((atom.into(), base_url.as_str().into()));
        *self.incidents.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// The feed of incidents for clients that reach the server at this URL; `None`: there is none yet.
    pub(super) fn incidents(&self, base: &BaseUrl) -> Option<String> {
        let incidents = self.incidents.read().unwrap_or_else(PoisonError::into_inner).clone();
        incidents.map(|(atom, default)| base.apply_to_links(&default, &atom))
    }

    /// Counts a request for the feed of an output.
    pub(super) fn count_subscriber(
        &self,
        document: (&str, Format),
        peer: Option<Peer>,
        headers: &HeaderMap,
    ) {
        if let Some(pages) = &self.operator_pages {
            self.subscribers.count(pages.clock.now(), document, peer, headers);
        }
    }

    /// The numbers of subscribers of the present day, and of earlier days that are not stored yet.
    #[must_use]
    pub fn subscribers(&self) -> Vec<SubscriberCount> {
        let pages = self.operator_pages.as_ref();
        pages.map(|pages| self.subscribers.counts(pages.clock.now())).unwrap_or_default()
    }

    /// Forgets numbers of earlier days, because they are stored.
    pub fn forget_subscribers(&self, stored: &[SubscriberCount]) {
        self.subscribers.forget(stored);
    }

    /// Records that all threads of the server run.
    pub(super) fn heartbeat(&self) {
        if let Some(pages) = &self.operator_pages {
            pages.readiness.heartbeat(Part::Web, pages.clock.elapsed());
        }
    }

    /// Logs why a client may not see the operator pages: once for each client and reason, for a few of them.
    pub(super) fn log_refusal(&self, peer: Peer, refusal: OperatorRefusal) {
        let Some((reason, help)) = refusal.explanation() else { return };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < MAX_LOGGED_REFUSALS && refused.insert((peer, refusal)) {
            info!(%peer, reason, help, "operator page refused");
        }
    }

    /// Counts a response with this status.
    pub(super) fn count_response(&self, status: u16) {
        if let Some(pages) = &self.operator_pages {
            pages.metrics.answered(status);
        }
    }

    /// Counts a panic while a request was answered.
    pub(super) fn count_panic(&self) {
        if let Some(pages) = &self.operator_pages {
            pages.metrics.panicked();
        }
    }

    /// Queries the items of an output, off the async threads; `None` if the output has only documents.
    pub(super) async fn query<T: Send + 'static>(
        &self,
        output: &ServedOutput,
        query: impl FnOnce(&Contents) -> Result<Option<T>, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let Some(contents) = output.contents.clone() else { return Ok(None) };
        self.off_thread(move || query(&contents)).await
    }

    /// Runs blocking work off the async threads, [`MAX_QUERIES`] at a time.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.queries).acquire_owned().await;
        // The work continues after its request was cancelled, so the permit moves into it.
        let work = move || {
            let _permit = permit;
            work()
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| {
            self.count_panic();
            Err(Error::Panicked(error.to_string()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_cancelled_request_keeps_its_permit_until_the_work_is_done() {
        let site = Site::new(Arc::new(Served::new()), Settings::default());
        let begun = Arc::new(AtomicUsize::new(0));
        let mut held = Vec::new();
        for _ in 0..3 * MAX_QUERIES {
            let (begun, (hold, wait)) = (Arc::clone(&begun), mpsc::channel::<()>());
            held.push(hold);
            let work = move || {
                begun.fetch_add(1, Ordering::SeqCst);
                // Ends when the other end is dropped.
                let _ = wait.recv();
                Ok(())
            };
            assert!(site.off_thread(work).now_or_never().is_none());
        }
        assert_eq!(site.queries.available_permits(), 0);
        drop(held);
        let all = site.queries.acquire_many(MAX_QUERIES as u32).await;
        assert!(all.is_ok());
        assert_eq!(begun.load(Ordering::SeqCst), MAX_QUERIES);
    }
}
