//! The rooms put together for one config: store, poller, publisher, served.
//!
//! Shared by the daemon and by a single pass (`newswire poll`). Leaves the loop to the door.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::manager::patience;
use super::setup::{Setup, revised};
use super::trouble::Troubles;
use crate::clock::Clock;
use crate::config::Config;
use crate::fetch::{Fetcher, FetcherError, Resolver};
use crate::model::FeedKey;
use crate::outputs::{self, Publisher, Served};
use crate::poll::{Polled, Poller, Target};
use crate::render::Output;
use crate::schedule::{LastPoll, Queue};
use crate::store::{self, DiskSpace, OpenError, Store, Write};
use crate::stories::Matcher;
use crate::telemetry::{Metrics, Readiness};
use crate::web;

/// Why newswire itself cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No HTTP client can be made.
    #[error(transparent)]
    Fetcher(#[from] FetcherError),
    /// The address cannot be listened on.
    #[error(
        "failed to listen on {address}: {source}: is another program using it? Change [web] listen, or set it to \"off\""
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A feed was asked for that the config does not have.
    #[error("no feed has the id or the URL {0:?}: 'newswire status' lists the feeds")]
    NoSuchFeed(String),
    /// An output was asked for and could not be published.
    #[error(transparent)]
    Publication(#[from] outputs::Error),
}

crate::model::codes! {
    Error:
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => "address_in_use",
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "address_denied",
    Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrNotAvailable => "address_elsewhere",
    Self::Listen { .. } => "address_unusable",
    Self::NoSuchFeed(_) => "unknown_feed",
    ;
    Self::Open(error) => error,
    Self::Store(error) => error,
    Self::Fetcher(error) => error,
    Self::Publication(error) => error,
}

/// Which feeds a single pass polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those that are due.
    Due,
    /// All of them.
    All,
    /// These, by id or URL.
    Named(Vec<String>),
}

/// How the database is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// Nothing is wrong with it.
    Well,
    /// Nothing is wrong with it any more.
    Mended,
    /// It cannot be written to.
    Ill,
}

/// The rooms, put together.
#[derive(Debug)]
pub struct Engine {
    clock: Clock,
    store: Arc<Store>,
    poller: Poller,
    publisher: Publisher,
    served: Arc<Served>,
    site: Arc<web::Site>,
    matcher: Matcher,
    setup: Setup,
    metrics: Metrics,
    readiness: Readiness,
    troubles: Troubles,
}

impl Engine {
    /// Opens the store and makes it agree with the config.
    ///
    /// # Errors
    /// When the database cannot be opened or fails, or no HTTP client can be made.
    pub async fn open(
        config: Config,
        clock: Clock,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, Error> {
        let opening = patience("opening the database");
        let path = &config.store.path;
        let store = Arc::new(match &config.store.write_log {
            Some(log) => Store::open_logged(path, clock.clone(), log)?,
            None => Store::open(path, clock.clone())?,
        });
        drop(opening);
        let setup = Setup::of(config, &store, &clock).await?;
        let fetcher = Arc::new(Fetcher::new(resolver)?);
        let served = Arc::new(Served::default());
        let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), clock.now());
        let readiness = Readiness::default();
        let operator_pages = web::OperatorPages {
            reader: store.reader().clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            readiness: readiness.clone(),
        };
        let site = web::Site::new(Arc::clone(&served), setup.web.clone())
            .with_operator_pages(operator_pages);
        let (shared, policies) = (Arc::clone(&store), setup.policies());
        let matcher = Matcher::new(shared, clock.clone(), policies, setup.window);
        Ok(Self {
            poller: Poller::new(fetcher, Arc::clone(&store), clock.clone())
                .counting(metrics.clone()),
            publisher: Publisher::new(Arc::clone(&store), Arc::clone(&served), clock.clone())
                .counting(metrics.clone()),
            site: Arc::new(site),
            troubles: Troubles::new(clock.clone(), readiness.clone()),
            matcher,
            clock,
            store,
            served,
            setup,
            metrics,
            readiness,
        })
    }

    /// Puts another config in the place of this one; answers with the one that was in force.
    ///
    /// # Errors
    /// When the database fails; then all is as it was.
    pub(crate) async fn renew(&mut self, config: Config) -> Result<Setup, Error> {
        let setup = Setup::of(config, &self.store, &self.clock).await?;
        let before = std::mem::replace(&mut self.setup, setup);
        self.site.configure(self.setup.web.clone());
        self.matcher.configure(self.setup.policies());
        if before.window != self.setup.window {
            self.matcher.set_window(self.setup.window);
        }
        Ok(before)
    }

    /// Goes on with what only a restart changes, so that it is named again until then.
    pub(crate) fn keep(&mut self, before: Setup) {
        self.setup.store = before.store;
        self.setup.log.format = before.log.format;
    }

    /// Every feed, in the config's order.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.setup.targets
    }

    /// Every output.
    #[must_use]
    pub fn outputs(&self) -> &[Arc<Output>] {
        &self.setup.edition.outputs
    }

    /// What is served.
    #[must_use]
    pub fn served(&self) -> &Arc<Served> {
        &self.served
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The feed of a row.
    #[must_use]
    pub fn target(&self, key: FeedKey) -> Option<&Target> {
        self.setup.target(key)
    }

    /// What the config comes to.
    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What is served, and how.
    pub(crate) fn site(&self) -> &Arc<web::Site> {
        &self.site
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The signs of life.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Finds stories.
    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    pub(crate) fn poller(&self) -> &Poller {
        &self.poller
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// What is wrong with the database.
    pub(crate) fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// Looks whether the database can be written to: while something is wrong, and for the room that is
    /// left. `Mended` only at the moment when it can again.
    ///
    /// # Errors
    /// When newswire cannot go on.
    pub(crate) async fn examine(&self) -> Result<Health, Error> {
        let store = Arc::clone(&self.store);
        let room = tokio::task::spawn_blocking(move || store.disk_space())
            .await
            .unwrap_or(DiskSpace::Enough);
        let before = self.troubles.now()?;
        let proved = match (room, before) {
            (DiskSpace::Low { free, needed }, _) => {
                Err(store::Error::NoRoom { free, wanted: needed })
            }
            (DiskSpace::Enough, None) => return Ok(Health::Well),
            (DiskSpace::Enough, Some(_)) => self.store.check_writable().await,
        };
        match proved {
            Ok(()) => {
                self.troubles.over();
                Ok(Health::Mended)
            }
            Err(error) => {
                self.troubles.met(error)?;
                Ok(Health::Ill)
            }
        }
    }

    /// Goes on after what passes by itself.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn survive(&self, error: Error) -> Result<(), Error> {
        match error {
            Error::Store(error) => Ok(self.troubles.met(error)?),
            error => Err(error),
        }
    }

    /// For a feed whose poll could not be kept.
    pub(crate) fn soon(&self) -> Timestamp {
        self.clock.now().saturating_add(SignedDuration::from_secs(30)).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// For a feed whose poll ended without an answer.
    pub(crate) fn in_an_hour(&self) -> Timestamp {
        self.clock.now().saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
    }

    /// How many feeds a pass would poll.
    ///
    /// # Errors
    /// When a name is no feed's.
    pub fn count(&self, which: &Which) -> Result<usize, Error> {
        self.pass(which).map(|(_, count)| count)
    }

    /// The feeds of one pass, each due at once, and how many they are.
    ///
    /// # Errors
    /// When a name is no feed's.
    pub(crate) fn pass(&self, which: &Which) -> Result<(Queue, usize), Error> {
        let now = self.clock.now();
        let chosen = match which {
            Which::All => self.targets().iter().collect(),
            Which::Due => self.setup.due(now),
            Which::Named(names) => self.named(names)?,
        };
        let count = chosen.len();
        let chosen = chosen.into_iter().map(|target| (target, now));
        Ok((self.setup.queue_of(chosen, Duration::ZERO), count))
    }

    fn named(&self, names: &[String]) -> Result<Vec<&Target>, Error> {
        let mut chosen = Vec::with_capacity(names.len());
        for name in names {
            let named =
                |t: &&Target| t.id.as_str() == name || t.subscription.feed.url.as_str() == name;
            let found = self.targets().iter().find(named);
            chosen.push(found.ok_or_else(|| Error::NoSuchFeed(name.clone()))?);
        }
        chosen.sort_by_key(|target| target.key);
        chosen.dedup_by_key(|target| target.key);
        Ok(chosen)
    }

    /// Publishes every output, once all that is pending is matched, and completes its archive in its
    /// directory; returns the first error once all have been tried.
    ///
    /// # Errors
    /// When the database fails, or an output cannot be published.
    pub async fn publish(&self) -> Result<(), Error> {
        let mut result = self.publish_documents().await;
        for output in &self.setup.edition.outputs {
            if let Err(error) = self.publisher.complete_archive(output).await {
                result = result.and(Err(error.into()));
            }
        }
        result
    }

    /// As [`Engine::publish`], of the outputs whose files are not what would be written now.
    ///
    /// # Errors
    /// When the database fails, or an output cannot be published.
    pub(crate) async fn publish_changed(&self) -> Result<(), Error> {
        self.matcher.catch_up().await?;
        let edition = &self.setup.edition;
        let published = self.publisher.publish_changed(&edition.outputs).await;
        let listed = self.publisher.list(&edition.outputs, &edition.hidden).await;
        Ok(published.and(listed)?)
    }

    /// Publishes every output, once all that is pending is matched; its archive pages are left to be written later.
    ///
    /// # Errors
    /// When the database fails, or an output cannot be published.
    pub(crate) async fn publish_documents(&self) -> Result<(), Error> {
        self.matcher.catch_up().await?;
        let (mut result, edition) = (Ok(()), &self.setup.edition);
        for output in &edition.outputs {
            if let Err(error) = self.publisher.publish(output).await {
                result = result.and(Err(error.into()));
            }
        }
        let listed = self.publisher.list(&edition.outputs, &edition.hidden).await;
        result.and(listed.map_err(Into::into))
    }

    /// Plans anew what was planned under settings that no longer hold: the config was changed during
    /// the poll.
    pub(crate) async fn catch_up(
        &self,
        polled_as: &Target,
        polled: &mut Polled,
    ) -> Result<(), Error> {
        let Some(target) = self.target(polled_as.key) else { return Ok(()) };
        let (old, new) = (&polled_as.subscription.schedule, &target.subscription.schedule);
        if old == new {
            return Ok(());
        }
        let (now, reader) = (self.clock.now(), self.store.reader().clone());
        let considered = polled.plan.considered.clone();
        let (key, id, settings) = (target.key, target.id.clone(), Arc::clone(new));
        let work = move || {
            let last = LastPoll { at: now, considered: &considered };
            let outdated = last.is_outdated(&settings);
            let revise =
                || reader.read(|reader| revised(reader, (key, &id), &settings, &last, now));
            outdated.then(revise).transpose()
        };
        if let Some(plan) = tokio::task::spawn_blocking(work).await.unwrap_or(Ok(None))? {
            polled.plan = plan.clone();
            self.store.write(Write::Replan(vec![(key, plan)])).await?;
        }
        Ok(())
    }

    /// A number that changes when somebody else wrote to the database.
    pub(crate) async fn visits(&self) -> Result<i64, Error> {
        Ok(self.store.data_version().await?)
    }

    /// Lets go of what is no longer needed: bodies past retention, a little at a time, and what left the
    /// window in which texts are compared.
    pub(crate) async fn forget(&self) -> Result<(), Error> {
        const STEP: usize = 500;
        let retention =
            SignedDuration::try_from(self.setup.retention).unwrap_or(SignedDuration::MAX);
        let cutoff = self.clock.now().saturating_sub(retention).unwrap_or(Timestamp::MIN);
        let forget = Write::ForgetBodies { cutoff, limit: STEP };
        while self.store.write(forget.clone()).await? == STEP {}
        self.matcher.tidy(self.setup.window).await?;
        Ok(())
    }
}
