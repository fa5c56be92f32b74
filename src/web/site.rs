//! What is served and how: shared by every listener, outlives a reload of the config.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::outputs::{Contents, Served, ServedOutput};
use crate::store::Reader;
use crate::telemetry::{Metrics, Part, Vitals};

use super::error::Error;
use super::settings::Settings;

/// So many questions are put to the database at once; more wait, and the documents are not held up.
pub(super) const ASKING: usize = 4;

/// All that is served.
#[derive(Debug)]
pub struct Site {
    /// The outbound feeds.
    pub(super) served: Arc<Served>,
    /// What the operator's pages are made from; `None`: there are no such pages.
    pub(super) backstage: Option<Backstage>,
    /// When this began.
    pub(super) since: Timestamp,
    /// What happens to newswire itself, Atom.
    incidents: RwLock<Option<Arc<str>>>,
    settings: RwLock<Arc<Settings>>,
    asking: Arc<Semaphore>,
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
    /// Through a socket in the file system: a proxy, most likely.
    Unix,
}

impl Site {
    /// Serves these outputs, without pages for the operator.
    #[must_use]
    pub fn new(served: Arc<Served>, settings: Settings) -> Self {
        let settings = RwLock::new(Arc::new(settings));
        let asking = Arc::new(Semaphore::new(ASKING));
        let (since, incidents) = (Timestamp::UNIX_EPOCH, RwLock::default());
        Self { served, backstage: None, since, incidents, settings, asking }
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

    /// Queries the contents of an output, off the async threads; `None` where it has documents only.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        output: &ServedOutput,
        query: impl FnOnce(&Contents) -> Result<Option<T>, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let Some(contents) = output.contents.clone() else { return Ok(None) };
        self.off_thread(move || query(&contents)).await
    }

    /// Runs blocking work off the async threads, a few at a time.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = Arc::clone(&self.asking).acquire_owned().await;
        // The work goes on when who asked has gone, so its turn lasts until it is done.
        let work = move || {
            let _turn = turn;
            work()
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| {
            self.panicked();
            Err(Error::Panicked(error.to_string()))
        })
    }

    /// Something in an answer panicked.
    pub(super) fn panicked(&self) {
        if let Some(backstage) = &self.backstage {
            backstage.metrics.panicked();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_asks_and_goes_away_keeps_his_turn_until_the_work_is_done() {
        let site = Site::new(Arc::new(Served::new()), Settings::default());
        let begun = Arc::new(AtomicUsize::new(0));
        let mut held = Vec::new();
        for _ in 0..3 * ASKING {
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
        assert_eq!(site.asking.available_permits(), 0);
        drop(held);
        let all = site.asking.acquire_many(ASKING as u32).await;
        assert!(all.is_ok());
        assert_eq!(begun.load(Ordering::SeqCst), ASKING);
    }
}
