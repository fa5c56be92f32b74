//! What one config comes to: feeds with their rows, outputs, bounds. At a reload another one takes
//! its place as a whole.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::clock::Clock;
use crate::config::{Config, Followed};
use crate::model::{FeedKey, Plan, ReasonKind, site};
use crate::poll::{Subscription, Target};
use crate::render::Output;
use crate::schedule::{self, HostLimit, LastPoll, Queue, spread};
use crate::store::{self, Reader, RegisteredFeed, Store, Transaction, Write};
use crate::stories::Policies;
use crate::{dedupe, fetch, telemetry, web};

/// Between the starts of two polls of the daemon: however many feeds are due at once, after a
/// start or a suspend, they come in one after another.
const EACH: Duration = Duration::from_millis(20);

/// One config, as the daemon uses it.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) targets: Vec<Target>,
    by_key: HashMap<FeedKey, usize>,
    registered: Vec<RegisteredFeed>,
    /// Feeds that have another plan than they had under the config before.
    replanned: HashSet<FeedKey>,
    pub(crate) edition: Arc<Edition>,
    concurrency: usize,
    pub(crate) web: web::Settings,
    pub(crate) retention: Duration,
    pub(crate) window: Duration,
    /// What counts as one story, for feeds that say nothing of it.
    dedupe: Arc<dedupe::Settings>,
    /// Every list that is followed, and how it is asked for.
    pub(crate) lists: Arc<Lists>,
    /// What only a restart changes.
    pub(crate) store: PathBuf,
    pub(crate) log: telemetry::Settings,
}

/// Lists that are followed, and how those on the web are asked for.
pub(crate) type Lists = (Vec<Followed>, fetch::Settings);

/// What is published.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) outputs: Vec<Arc<Output>>,
    /// Feeds that are in no list: they are behind a login.
    pub(crate) hidden: HashSet<FeedKey>,
}

impl Setup {
    /// Makes the store agree with the config.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub(crate) async fn of(
        config: Config,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, store::Error> {
        let window = config.window();
        let feeds = config.subscriptions.iter().map(|sub| sub.feed.clone()).collect();
        let mut registered = store.register(feeds, clock.now()).await?;
        let targets: Vec<Target> =
            config.subscriptions.into_iter().zip(&registered).map(target).collect();
        let by_key = targets.iter().enumerate().map(|(i, target)| (target.key, i)).collect();
        let plans = replanned(store.reader(), &targets, &registered, clock.now()).await?;
        let times: HashMap<FeedKey, Timestamp> =
            plans.iter().map(|(feed, plan)| (*feed, plan.at)).collect();
        if !plans.is_empty() {
            store.write(Write::Replan(plans)).await?;
        }
        for feed in &mut registered {
            feed.next_poll_at = *times.get(&feed.key).unwrap_or(&feed.next_poll_at);
        }
        let behind_login = |target: &&Target| !target.subscription.fetch.headers.is_empty();
        let edition = Edition {
            outputs: config.outputs.into_iter().map(Arc::new).collect(),
            hidden: targets.iter().filter(behind_login).map(|target| target.key).collect(),
        };
        Ok(Self {
            edition: Arc::new(edition),
            replanned: times.into_keys().collect(),
            concurrency: config.concurrency,
            web: config.web,
            retention: config.store.retention,
            window,
            dedupe: config.dedupe,
            lists: Arc::new((config.followed, config.fetch)),
            store: config.store.path,
            log: config.log,
            targets,
            by_key,
            registered,
        })
    }

    /// The feed of a row.
    pub(crate) fn target(&self, key: FeedKey) -> Option<&Target> {
        self.by_key.get(&key).and_then(|&i| self.targets.get(i))
    }

    /// What counts as one story, feed by feed.
    pub(crate) fn policies(&self) -> Policies {
        let feed = |target: &Target| (target.key, Arc::clone(&target.subscription.dedupe));
        Policies {
            feeds: self.targets.iter().map(feed).collect(),
            others: Arc::clone(&self.dedupe),
        }
    }

    /// The rows of the feeds, in the config's order.
    pub(crate) fn registered(&self) -> &[RegisteredFeed] {
        &self.registered
    }

    /// Every feed, when it is due.
    pub(crate) fn queue(&self, now: Timestamp) -> Queue {
        let feeds = self.registered.iter().zip(&self.targets);
        let mut feeds: Vec<_> =
            feeds.map(|(feed, target)| (target, awake(feed, target, now))).collect();
        // What is due at once is asked in no order that anybody could have wished for.
        feeds.sort_by_cached_key(|(target, _)| spread(&target.id, now, EACH * 1_000_000));
        self.queue_of(feeds.into_iter(), EACH)
    }

    /// Those that are due.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<&Target> {
        let feeds = self.registered.iter().zip(&self.targets);
        let due = feeds.filter(|(feed, target)| awake(feed, target, now) <= now);
        due.map(|(_, target)| target).collect()
    }

    /// These feeds.
    pub(crate) fn queue_of<'a>(
        &self,
        feeds: impl Iterator<Item = (&'a Target, Timestamp)>,
        pace: Duration,
    ) -> Queue {
        let mut queue = Queue::new(self.concurrency, pace);
        for (target, due) in feeds {
            let (host, gate) = place(target);
            queue.add(target.key, host, gate, due);
        }
        queue
    }

    /// Tells the queue what is different from `before`; the other feeds keep their turns.
    pub(crate) fn requeue(&self, before: &Self, queue: &mut Queue, now: Timestamp) {
        queue.set_concurrency(self.concurrency);
        for gone in before.targets.iter().filter(|target| self.target(target.key).is_none()) {
            queue.remove(gone.key);
        }
        for (feed, target) in self.registered.iter().zip(&self.targets) {
            let same = |old: &Target| {
                old.subscription.feed.url == target.subscription.feed.url
                    && place(old) == place(target)
            };
            let kept = before.target(target.key).is_some_and(same);
            if !kept || self.replanned.contains(&target.key) {
                let (host, gate) = place(target);
                queue.add(target.key, host, gate, awake(feed, target, now));
            }
        }
    }
}

/// Behind which gate a feed waits.
fn place(target: &Target) -> (&str, HostLimit) {
    let settings = &target.subscription.schedule;
    let gate = HostLimit { at_once: settings.per_host, spacing: settings.host_spacing };
    (site(&target.subscription.feed.url), gate)
}

fn target((subscription, registered): (Subscription, &RegisteredFeed)) -> Target {
    Target { key: registered.key, id: registered.id.clone(), subscription: Arc::new(subscription) }
}

/// The plans of feeds whose last one was made under other settings.
async fn replanned(
    reader: &Reader,
    targets: &[Target],
    registered: &[RegisteredFeed],
    now: Timestamp,
) -> Result<Vec<(FeedKey, Plan)>, store::Error> {
    let outdated = registered.iter().zip(targets).filter_map(|(feed, target)| {
        let last = LastPoll { at: feed.last_poll_at?, considered: &feed.considered };
        let settings = &target.subscription.schedule;
        last.is_outdated(settings).then(|| (feed.clone(), Arc::clone(settings)))
    });
    let outdated: Vec<_> = outdated.collect();
    if outdated.is_empty() {
        return Ok(Vec::new());
    }
    let reader = reader.clone();
    let work = move || {
        reader.read(|reader| {
            let plan = |(feed, settings): (RegisteredFeed, Arc<schedule::Settings>)| {
                let at = feed.last_poll_at.unwrap_or(now);
                let last = LastPoll { at, considered: &feed.considered };
                Ok((feed.key, revised(reader, (feed.key, &feed.id), &settings, &last, now)?))
            };
            outdated.into_iter().map(plan).collect()
        })
    };
    // It cannot have panicked: then newswire itself has.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Ok(Vec::new()))
}

/// What these settings make of the feed's last poll. Blocks.
///
/// # Errors
/// When the database fails.
pub(crate) fn revised(
    reader: &Transaction<'_>,
    (feed, id): (FeedKey, &crate::model::FeedId),
    settings: &schedule::Settings,
    last: &LastPoll<'_>,
    now: Timestamp,
) -> Result<Plan, store::Error> {
    let hints = reader.feed_state(feed)?.hints;
    let learned = schedule::learned(&reader.arrival_times(feed)?, now);
    Ok(schedule::revise(settings, id, last, &hints, learned))
}

/// When a feed is due, unless the clock was set back since: then a feed must not sleep for years.
fn awake(feed: &RegisteredFeed, target: &Target, now: Timestamp) -> Timestamp {
    let longest = match feed.reason {
        ReasonKind::Throttled | ReasonKind::Gone | ReasonKind::PublisherHint => {
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
