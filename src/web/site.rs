//! What is served and how: shared by every listener, outlives a reload of the config.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::publish::{Listing, Shelf, Stacks, StacksError};
use crate::store::Reader;
use crate::telemetry::{Metrics, Part, Vitals};

use super::settings::Settings;

/// So many questions are put to the database at once; more wait, and the documents are not held up.
const ASKING: usize = 4;

/// All that is served.
#[derive(Debug)]
pub struct Site {
    /// The outbound feeds.
    pub(super) shelf: Arc<Shelf>,
    /// What the operator's pages are made from; `None`: there are no such pages.
    pub(super) backstage: Option<Backstage>,
    /// When this began.
    pub(super) since: Timestamp,
    /// What happens to newswire itself, Atom.
    incidents: RwLock<Option<Arc<str>>>,
    settings: RwLock<Arc<Settings>>,
    asking: Semaphore,
}

/// What the operator's pages are made from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backstage {
    /// The database. Its verbs block: see [`Site::off_thread`].
    pub reader: Reader,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// The signs of life.
    pub vitals: Vitals,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Somebody at this address.
    Address(IpAddr),
    /// Somebody on this machine, through a socket in the file system.
    Unix,
}

impl Site {
    /// Serves what is on the shelf, and nothing to the operator.
    #[must_use]
    pub fn new(shelf: Arc<Shelf>, settings: Settings) -> Self {
        let (settings, asking) = (RwLock::new(Arc::new(settings)), Semaphore::new(ASKING));
        let (since, incidents) = (Timestamp::UNIX_EPOCH, RwLock::default());
        Self { shelf, backstage: None, since, incidents, settings, asking }
    }

    /// Serves the operator's pages too.
    #[must_use]
    pub fn with_backstage(self, backstage: Backstage) -> Self {
        let since = backstage.clock.now();
        Self { backstage: Some(backstage), since, ..self }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        // A panic cannot leave a pointer half changed, so a poisoned lock is as good as any.
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over other settings, for every request from now on. Where it listens is not among
    /// them: that is for who calls [`super::serve`].
    pub fn configure(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Puts the feed of incidents on show, Atom.
    pub fn put_incidents(&self, atom: String) {
        *self.incidents.write().unwrap_or_else(PoisonError::into_inner) = Some(atom.into());
    }

    /// The feed of incidents.
    pub(super) fn incidents(&self) -> Option<Arc<str>> {
        self.incidents.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The web server has turned.
    pub(super) fn beat(&self) {
        if let Some(backstage) = &self.backstage {
            backstage.vitals.tick(Part::Web, backstage.clock.elapsed());
        }
    }

    /// Asks what is kept behind the output, off the async threads; `None` where nothing is.
    pub(super) async fn ask<T, E>(
        &self,
        listing: &Arc<Listing>,
        question: impl FnOnce(&dyn Stacks) -> Result<Option<T>, E> + Send + 'static,
    ) -> Result<Option<T>, E>
    where
        T: Send + 'static,
        E: From<StacksError> + Send + 'static,
    {
        let Some(stacks) = listing.stacks.clone() else { return Ok(None) };
        self.off_thread(move || question(&*stacks)).await
    }

    /// Does what blocks off the async threads, a few at a time.
    pub(super) async fn off_thread<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StacksError> + Send + 'static,
    {
        let _turn = self.asking.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| {
            self.panicked();
            Err(StacksError(error.to_string()).into())
        })
    }

    /// Something in an answer panicked.
    pub(super) fn panicked(&self) {
        if let Some(backstage) = &self.backstage {
            backstage.metrics.panicked();
        }
    }
}
