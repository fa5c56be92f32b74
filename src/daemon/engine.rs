//! The rooms put together for one config: store, poller, publisher, shelf.
//!
//! Shared by the daemon and by a single pass (`newswire poll`). Leaves the loop to the door.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::clock::Clock;
use crate::config::Config;
use crate::fetch::{Fetcher, FetcherError, Resolver};
use crate::model::{FeedKey, ReasonKind, site};
use crate::poll::{Librarian, Poller, Subscription, Target};
use crate::publication::{self, Publisher};
use crate::publish::{Output, Shelf};
use crate::schedule::{Gate, Queue, spread};
use crate::store::{self, OpenError, Registered, Store};

/// Between the starts of two polls of the daemon: however many feeds are due at once, after a
/// start or a suspend, they come in one after another.
const EACH: Duration = Duration::from_millis(20);

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
    Publication(#[from] publication::Error),
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

/// The rooms, put together.
#[derive(Debug)]
pub struct Engine {
    clock: Clock,
    store: Arc<Store>,
    poller: Poller,
    publisher: Publisher,
    shelf: Arc<Shelf>,
    targets: Vec<Target>,
    by_key: HashMap<FeedKey, usize>,
    registered: Vec<Registered>,
    outputs: Vec<Arc<Output>>,
    concurrency: usize,
    listen: Option<SocketAddr>,
    retention: Duration,
    window: Duration,
    librarian: Arc<Librarian>,
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
        let store = Arc::new(Store::open(&config.store.path, clock.clone())?);
        let window = config.window();
        let feeds = config.subscriptions.iter().map(|sub| sub.feed.clone()).collect();
        let registered = store.register(feeds, clock.now()).await?;
        let targets: Vec<Target> =
            config.subscriptions.into_iter().zip(&registered).map(target).collect();
        let by_key = targets.iter().enumerate().map(|(i, target)| (target.key, i)).collect();
        let behind_login = |target: &&Target| !target.subscription.fetch.headers.is_empty();
        let hidden = targets.iter().filter(behind_login).map(|target| target.key).collect();
        let fetcher = Arc::new(Fetcher::new(resolver)?);
        let shelf = Arc::new(Shelf::default());
        let librarian = Arc::new(Librarian::open(store.reader(), window, clock.now())?);
        Ok(Self {
            poller: Poller::new(fetcher, Arc::clone(&store), clock.clone(), Arc::clone(&librarian)),
            publisher: Publisher::new(Arc::clone(&store), Arc::clone(&shelf), clock.clone())
                .hiding(hidden),
            outputs: config.outputs.into_iter().map(Arc::new).collect(),
            concurrency: config.concurrency,
            listen: config.web.listen,
            retention: config.store.retention,
            window,
            librarian,
            clock,
            store,
            shelf,
            targets,
            by_key,
            registered,
        })
    }

    /// Every feed, in the config's order.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Every output.
    #[must_use]
    pub fn outputs(&self) -> &[Arc<Output>] {
        &self.outputs
    }

    /// What is served.
    #[must_use]
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The feed of a row.
    #[must_use]
    pub fn target(&self, key: FeedKey) -> Option<&Target> {
        self.by_key.get(&key).and_then(|&i| self.targets.get(i))
    }

    pub(crate) fn poller(&self) -> &Poller {
        &self.poller
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    pub(crate) fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// For a feed whose poll ended without an answer.
    pub(crate) fn in_an_hour(&self) -> Timestamp {
        self.clock.now().saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
    }

    /// Every feed, when it is due.
    pub(crate) fn queue(&self) -> Queue {
        let now = self.clock.now();
        let feeds = self.registered.iter().zip(&self.targets);
        let mut feeds: Vec<_> =
            feeds.map(|(feed, target)| (target, awake(feed, target, now))).collect();
        // What is due at once is asked in no order that anybody could have wished for.
        feeds.sort_by_cached_key(|(target, _)| spread(&target.id, now, EACH * 1_000_000));
        self.queue_of(feeds.into_iter(), EACH)
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
        let mut chosen: Vec<&Target> = Vec::new();
        match which {
            Which::All => chosen.extend(&self.targets),
            Which::Due => chosen.extend(
                self.registered
                    .iter()
                    .zip(&self.targets)
                    .filter(|(feed, target)| awake(feed, target, now) <= now)
                    .map(|(_, target)| target),
            ),
            Which::Named(names) => {
                for name in names {
                    let named = |t: &&Target| {
                        t.id.as_str() == name || t.subscription.feed.url.as_str() == name
                    };
                    let found = self.targets.iter().find(named);
                    chosen.push(found.ok_or_else(|| Error::NoSuchFeed(name.clone()))?);
                }
                chosen.sort_by_key(|target| target.key);
                chosen.dedup_by_key(|target| target.key);
            }
        }
        let count = chosen.len();
        let chosen = chosen.into_iter().map(|target| (target, now));
        Ok((self.queue_of(chosen, Duration::ZERO), count))
    }

    fn queue_of<'a>(
        &self,
        feeds: impl Iterator<Item = (&'a Target, Timestamp)>,
        pace: Duration,
    ) -> Queue {
        let mut queue = Queue::new(self.concurrency, pace);
        for (target, due) in feeds {
            let settings = &target.subscription.schedule;
            let gate = Gate { at_once: settings.per_host, spacing: settings.host_spacing };
            queue.add(target.key, site(&target.subscription.feed.url), gate, due);
        }
        queue
    }

    /// Publishes every output; the first failure is answered once all have been tried.
    ///
    /// # Errors
    /// When an output cannot be published.
    pub async fn publish(&self) -> Result<(), Error> {
        let mut result = Ok(());
        for output in &self.outputs {
            if let Err(error) = self.publisher.publish(output).await {
                result = result.and(Err(error.into()));
            }
        }
        result.and(self.publisher.list(&self.outputs).await.map_err(Into::into))
    }

    /// A number that changes when somebody else wrote to the database.
    pub(crate) async fn visits(&self) -> Result<i64, Error> {
        Ok(self.store.visits().await?)
    }

    /// Takes over what somebody else changed in the database.
    pub(crate) fn look_again(&self) -> Result<(), Error> {
        Ok(self.librarian.refill(self.store.reader(), self.window, self.clock.now())?)
    }

    /// Lets go of what is no longer needed: bodies past retention, a little at a time, and what left the
    /// window in which texts are compared.
    pub(crate) async fn forget(&self) -> Result<(), Error> {
        const STEP: usize = 500;
        let retention = SignedDuration::try_from(self.retention).unwrap_or(SignedDuration::MAX);
        let cutoff = self.clock.now().saturating_sub(retention).unwrap_or(Timestamp::MIN);
        while self.store.forget_bodies(cutoff, STEP).await? == STEP {}
        self.librarian.tidy(&self.store, self.window, self.clock.now()).await?;
        Ok(())
    }
}

fn target((subscription, registered): (Subscription, &Registered)) -> Target {
    Target { key: registered.key, id: registered.id.clone(), subscription: Arc::new(subscription) }
}

/// When a feed is due, unless the clock was set back since: then a feed must not sleep for years.
fn awake(feed: &Registered, target: &Target, now: Timestamp) -> Timestamp {
    let longest = match feed.reason {
        ReasonKind::Throttled | ReasonKind::Gone | ReasonKind::Hint => {
            SignedDuration::from_hours(8 * 24)
        }
        // Back-off goes up to two days, whatever the longest interval.
        _ => SignedDuration::try_from(target.subscription.schedule.max_interval)
            .unwrap_or(SignedDuration::MAX)
            .max(SignedDuration::from_hours(2 * 24))
            .saturating_add(SignedDuration::from_hours(1)),
    };
    let latest = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
    if feed.next_poll_at > latest {
        warn!(feed = %feed.id, "{}: was due far in the future: the clock must have been set back; polling it now", feed.id);
        return now;
    }
    feed.next_poll_at
}
