//! The setup for one config: feeds with their keys, outputs, limits. A reload replaces it as a whole.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::database::read;
use super::replan::{KnownTraffic, apply_budgets, replan};
use crate::clock::Clock;
use crate::config::{Config, Followed};
use crate::dedupe;
use crate::fetch;
use crate::model::{Address, FeedKey, Plan, Reason, StoredPlan, site};
use crate::outputs::{self, LEFT_FILES_REMEDY, LeftFiles, OutputFolders};
use crate::poll::{Subscription, Target, log_registered};
use crate::render::{Images, Output, OutputIdentity};
use crate::schedule::{self, HostLimit, PollCost, Queue, Resumed, spread};
use crate::store::{self, Reader, RegisteredFeed, RegisteredOutput, Store, Write};
use crate::stories::Policies;
use crate::telemetry;
use crate::web;

/// Shortest time between the starts of two polls, so that many feeds that are due at the same time, as after a
/// suspend, are spread.
const POLL_SPACING: Duration = Duration::from_millis(20);

/// One config with the data from the database that belongs to it.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) targets: Vec<Target>,
    by_key: HashMap<FeedKey, usize>,
    registered: Vec<RegisteredFeed>,
    /// Sites that were asked before.
    asked_sites: HashSet<String>,
    /// Feeds whose next poll was planned again because their settings changed.
    replanned: HashSet<FeedKey>,
    pub(crate) output_set: Arc<OutputSet>,
    concurrency: usize,
    pub(crate) web: web::Settings,
    pub(crate) retention: Duration,
    pub(crate) window: Duration,
    /// Subscriptions of servers with a budget as they are configured, with their feeds.
    budgeted: Vec<(FeedKey, Subscription)>,
    /// Schedule of feeds that have no own settings.
    schedule: Arc<schedule::Settings>,
    /// Matching settings of feeds that have no own settings.
    dedupe: Arc<dedupe::Settings>,
    /// The followed lists of feeds.
    pub(crate) lists: Arc<FollowedLists>,
    /// Path of the database; only a restart changes it.
    pub(crate) store: PathBuf,
    /// Log settings; only a restart changes the format.
    pub(crate) log: telemetry::Settings,
}

/// Lists of feeds that are followed.
#[derive(Debug, Clone)]
pub struct FollowedLists {
    /// The lists: files and URLs.
    pub lists: Vec<Followed>,
    /// Settings of the requests for lists on the web.
    pub fetch: fetch::Settings,
}

/// The outputs that are published together.
#[derive(Debug)]
pub(crate) struct OutputSet {
    /// All outputs, in the order of the config.
    pub(crate) outputs: Vec<Arc<Output>>,
}

impl Setup {
    /// Applies the config to the database.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub(crate) async fn of(
        config: Config,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, store::Error> {
        let (window, known_lists) = (config.window(), config.lists());
        // Without `..`: what is not kept here is not compared with the next config, see `differing_keys`.
        let Config {
            schedule,
            fetch,
            concurrency,
            dedupe,
            store: store::Settings { path, retention, write_log: _ },
            web,
            log,
            outputs,
            mut subscriptions,
            followed,
        } = config;
        let feeds = subscriptions.iter().map(|sub| sub.feed.clone()).collect();
        let mut registered = store.register(feeds, known_lists, clock.now()).await?;
        registered.iter().for_each(log_registered);
        let budgeted =
            budgeted(&mut subscriptions, &registered, (store.reader(), clock.now())).await?;
        let targets: Vec<Target> = subscriptions.into_iter().zip(&registered).map(target).collect();
        let by_key = targets.iter().enumerate().map(|(i, target)| (target.key, i)).collect();
        let replanned = replan(store, &targets, &mut registered, clock.now()).await?;
        let behind_login = |target: &&Target| !target.subscription.fetch.headers.is_empty();
        let outputs = registered_outputs(outputs, store, clock.now()).await?;
        note_folders(&outputs, store).await?;
        let private = targets.iter().filter(behind_login).map(|target| target.key).collect();
        let private: Arc<BTreeSet<FeedKey>> = Arc::new(private);
        let with_feeds =
            |output| Arc::new(Output { private_feeds: Arc::clone(&private), ..output });
        let output_set = OutputSet { outputs: outputs.into_iter().map(with_feeds).collect() };
        Ok(Self {
            output_set: Arc::new(output_set),
            budgeted,
            replanned,
            concurrency,
            web,
            retention,
            window,
            schedule,
            dedupe,
            lists: Arc::new(FollowedLists { lists: followed, fetch }),
            store: path,
            log,
            targets,
            by_key,
            registered,
            asked_sites: read(store.reader(), |reader| reader.asked_sites()).await?,
        })
    }

    /// Computes the intervals of feeds of servers with a budget again. They apply from the next poll on.
    pub(crate) async fn refresh_budgets(
        &mut self,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        if self.budgeted.is_empty() {
            return Ok(());
        }
        let (keys, mut subscriptions): (Vec<FeedKey>, Vec<Subscription>) =
            self.budgeted.iter().cloned().unzip();
        apply_budgets(&mut subscriptions, &known_traffic(&self.budgeted, reader, now).await?);
        for (key, subscription) in keys.into_iter().zip(subscriptions) {
            let target = self.by_key.get(&key).and_then(|&i| self.targets.get_mut(i));
            if let Some(target) = target {
                target.subscription = Arc::new(subscription);
            }
        }
        Ok(())
    }

    /// The feed with this key.
    pub(crate) fn target(&self, key: FeedKey) -> Option<&Target> {
        self.by_key.get(&key).and_then(|&i| self.targets.get(i))
    }

    /// Each feed with the settings of the config, which a budget has not changed.
    pub(super) fn configured(&self) -> HashMap<FeedKey, &Subscription> {
        let targets = self.targets.iter().map(|target| (target.key, &*target.subscription));
        targets.chain(self.budgeted.iter().map(|(key, feed)| (*key, feed))).collect()
    }

    /// Sections and keys outside feeds and outputs whose values differ in `other`.
    pub(super) fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        // Without `..`, so that no setting is forgotten. What follows `log` is derived, or belongs to feeds and outputs.
        let Self {
            schedule,
            concurrency,
            web,
            retention,
            dedupe,
            lists,
            store,
            log: telemetry::Settings { level, format },
            targets: _,
            by_key: _,
            registered: _,
            asked_sites: _,
            replanned: _,
            output_set: _,
            window: _,
            budgeted: _,
        } = self;
        let FollowedLists { lists: followed, fetch } = &**lists;
        // What was read of the lists shows in the feeds.
        let sources = other.lists.lists.iter().map(Followed::source);
        let without_addresses =
            |web: &web::Settings| web::Settings { listen: Vec::new(), ..web.clone() };
        let keys = [
            ("store.path", *store != other.store),
            ("log.format", *format != other.log.format),
            ("web.listen", web.listen != other.web.listen),
            ("web", without_addresses(web) != without_addresses(&other.web)),
            ("log.level", *level != other.log.level),
            ("store.retention", *retention != other.retention),
            ("schedule", *schedule != other.schedule),
            ("fetch", *fetch != other.lists.fetch),
            ("fetch.concurrency", *concurrency != other.concurrency),
            ("dedupe", *dedupe != other.dedupe),
            ("subscriptions", !followed.iter().map(Followed::source).eq(sources)),
        ];
        keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// The matching settings of each feed.
    pub(crate) fn policies(&self) -> Policies {
        let feed = |target: &Target| (target.key, Arc::clone(&target.subscription.dedupe));
        Policies {
            feeds: self.targets.iter().map(feed).collect(),
            others: Arc::clone(&self.dedupe),
        }
    }

    /// How images on pages are requested.
    pub(crate) fn image_requests(&self) -> web::ImageRequests {
        let feed = |target: &Target| {
            let Subscription { fetch, schedule, .. } = &*target.subscription;
            let (fetch, spacing) = (Arc::clone(fetch), schedule.host_spacing);
            (target.id.clone(), web::FeedRequests { fetch, spacing })
        };
        let mut outputs = self.output_set.outputs.iter();
        let shows = outputs.any(|output| output.presentation.images == Images::Proxy);
        web::ImageRequests {
            feeds: self.targets.iter().filter(|_| shows).map(feed).collect(),
            others: web::FeedRequests {
                fetch: Arc::new(self.lists.fetch.clone()),
                spacing: schedule::Settings::default().host_spacing,
            },
            cache_size: self.web.image_cache,
        }
    }

    /// The registered feeds, in the order of the config.
    pub(crate) fn registered(&self) -> &[RegisteredFeed] {
        &self.registered
    }

    /// The queue of all feeds with the times when they are due.
    pub(crate) fn queue(&self, now: Timestamp) -> Queue {
        let feeds = self.polled().map(|(feed, target)| (target, due_time(feed, now)));
        let mut feeds: Vec<_> = feeds.collect();
        // Feeds that are due at the same time are polled in a pseudo-random order.
        feeds.sort_by_cached_key(|(target, _)| spread(&target.id, now, POLL_SPACING * 1_000_000));
        self.queue_of(feeds.into_iter(), POLL_SPACING)
    }

    /// The feeds that are not paused.
    pub(crate) fn not_paused(&self) -> impl Iterator<Item = &Target> {
        self.polled().map(|(_, target)| target)
    }

    /// The same, with what is registered about them.
    fn polled(&self) -> impl Iterator<Item = (&RegisteredFeed, &Target)> {
        let feeds = self.registered.iter().zip(&self.targets);
        feeds.filter(|(_, target)| !target.subscription.schedule.paused)
    }

    /// The feeds that are due.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<&Target> {
        let due = self.polled().filter(|(feed, _)| due_time(feed, now) <= now);
        // A host that answers few requests must not answer the same feeds each time.
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(feed, _)| feed.last_poll_at);
        due.into_iter().map(|(_, target)| target).collect()
    }

    /// A queue of these feeds.
    pub(crate) fn queue_of<'a>(
        &self,
        feeds: impl Iterator<Item = (&'a Target, Timestamp)>,
        pace: Duration,
    ) -> Queue {
        let queue = Queue::new(self.concurrency, pace);
        let mut queue = queue.ramping(self.asked_sites.clone());
        for (target, due) in feeds {
            let (host, gate) = self.host_gate(target);
            queue.add(target.key, host, gate, due);
            let registered = self.by_key.get(&target.key).and_then(|&i| self.registered.get(i));
            if registered.is_some_and(|feed| feed.is_suspect) {
                queue.isolate(target.key);
            }
        }
        queue
    }

    /// New plans for the feeds whose stored times are wrong because the clock was set back. The next process keeps them.
    pub(crate) fn moved_plans(&self, now: Timestamp) -> Vec<(FeedKey, Plan)> {
        let plan = |feed: &RegisteredFeed| {
            let Resumed { due, moved } = resumed(feed, now);
            let text = "the clock was set back: its wait starts again".to_owned();
            let reason = Reason { kind: feed.reason, text };
            moved.then(|| (feed.key, Plan { at: due, reason, considered: feed.considered.clone() }))
        };
        self.registered.iter().filter_map(plan).collect()
    }

    /// Computes the times of the feeds anew that were not polled by this process, if the clock was behind their last poll
    /// before it jumped.
    pub(crate) fn resume_unstarted(&self, queue: &mut Queue, now: Timestamp, jump: SignedDuration) {
        let before = now.saturating_sub(jump).unwrap_or(now);
        for (feed, target) in self.registered.iter().zip(&self.targets) {
            let was_behind = feed.last_poll_at.is_some_and(|last| last > before);
            if was_behind && !queue.was_started(target.key) {
                let (host, gate) = self.host_gate(target);
                queue.add(target.key, host, gate, due_time(feed, now));
            }
        }
    }

    /// Gives a feed another time in the queue.
    pub(crate) fn requeue_at(&self, target: &Target, queue: &mut Queue, due: Timestamp) {
        let (host, gate) = self.host_gate(target);
        queue.add(target.key, host, gate, due);
    }

    /// Moves a feed whose address changed to the queue of its site.
    pub(crate) fn adopt(
        &mut self,
        (feed, address): (FeedKey, &Address),
        queue: &mut Queue,
        due: Timestamp,
    ) {
        let Some(&i) = self.by_key.get(&feed) else { return };
        if let Some(registered) = self.registered.get_mut(i) {
            registered.effective.clone_from(&address.effective);
        }
        if let Some(target) = self.targets.get(i)
            && !target.subscription.schedule.paused
        {
            self.requeue_at(target, queue, due);
        }
    }

    /// Site of the URL that is requested for a feed, and the limits for polls of that site.
    fn host_gate(&self, target: &Target) -> (&str, HostLimit) {
        let settings = &target.subscription.schedule;
        let gate = HostLimit { at_once: settings.per_host, spacing: settings.host_spacing };
        let registered = self.by_key.get(&target.key).and_then(|&i| self.registered.get(i));
        let moved = registered.and_then(|feed| feed.effective.as_ref());
        let url = moved.or_else(|| Some(&self.target(target.key)?.subscription.feed.url));
        (url.map(site).unwrap_or_default(), gate)
    }

    /// Updates the queue for the feeds that differ from `before`; the others keep their positions.
    pub(crate) fn requeue(&self, before: &Self, queue: &mut Queue, now: Timestamp) {
        queue.set_concurrency(self.concurrency);
        for gone in before.targets.iter().filter(|target| self.target(target.key).is_none()) {
            queue.remove(gone.key);
        }
        for (feed, target) in self.registered.iter().zip(&self.targets) {
            if target.subscription.schedule.paused {
                queue.remove(target.key);
                continue;
            }
            let same = |old: &Target| {
                old.subscription.feed.url == target.subscription.feed.url
                    && before.host_gate(old) == self.host_gate(target)
            };
            let kept = before.target(target.key).is_some_and(same);
            if !kept || self.replanned.contains(&target.key) {
                let (host, gate) = self.host_gate(target);
                queue.add(target.key, host, gate, due_time(feed, now));
            }
        }
    }
}

/// Name of the feed of incidents among the outputs in the database. No output of the config can have it.
pub(crate) const HEALTH: &str = "/health";

/// The outputs with their permanent ids.
async fn registered_outputs(
    mut outputs: Vec<Output>,
    store: &Store,
    now: Timestamp,
) -> Result<Vec<Output>, store::Error> {
    let new = |name: &str| {
        // Other installations have outputs of the same name.
        let seed = format!("{name} {}", std::process::id());
        let OutputIdentity { id, since } = OutputIdentity::new(&seed, now);
        RegisteredOutput { name: name.to_owned(), id, since }
    };
    let names = outputs.iter().map(|output| output.id.as_str()).chain([HEALTH]);
    let registered = store.register_outputs(names.map(new).collect()).await?;
    for (output, RegisteredOutput { id, since, .. }) in outputs.iter_mut().zip(registered) {
        output.identity = OutputIdentity { id, since };
    }
    Ok(outputs)
}

/// Notes the folders that the outputs are written to, and logs the files that are left in others.
async fn note_folders(outputs: &[Output], store: &Store) -> Result<(), store::Error> {
    let outputs = outputs.to_vec();
    let (known, OutputFolders { folders, left }) = read(store.reader(), move |reader| {
        Ok((reader.output_folders()?, outputs::output_folders(reader, &outputs)?))
    })
    .await?;
    for LeftFiles { output, directory, files } in left {
        let (directory, files) = (directory.display(), files.join(", "));
        warn!(output, %directory, files, help = LEFT_FILES_REMEDY, "files of an output are no longer written");
    }
    if folders != known {
        store.write(Write::OutputFolders(folders)).await?;
    }
    Ok(())
}

fn target((subscription, registered): (Subscription, &RegisteredFeed)) -> Target {
    Target { key: registered.key, id: registered.id.clone(), subscription: Arc::new(subscription) }
}

/// Applies the budgets of servers. Returns the subscriptions of these servers as they were before.
async fn budgeted(
    subscriptions: &mut [Subscription],
    registered: &[RegisteredFeed],
    (reader, now): (&Reader, Timestamp),
) -> Result<Vec<(FeedKey, Subscription)>, store::Error> {
    let of_server = |(subscription, feed): (&Subscription, &RegisteredFeed)| {
        subscription.schedule.budget.map(|_| (feed.key, subscription.clone()))
    };
    let before: Vec<_> = subscriptions.iter().zip(registered).filter_map(of_server).collect();
    if !before.is_empty() {
        let known = known_traffic(&before, reader, now).await?;
        let keys = before.iter().map(|(key, _)| *key);
        let known: HashMap<FeedKey, KnownTraffic> = keys.zip(known).collect();
        let known = |feed: &RegisteredFeed| known.get(&feed.key).copied().unwrap_or_default();
        let known: Vec<_> = registered.iter().map(known).collect();
        apply_budgets(subscriptions, &known);
    }
    Ok(before)
}

/// The traffic of these feeds, in their order.
async fn known_traffic(
    feeds: &[(FeedKey, Subscription)],
    reader: &Reader,
    now: Timestamp,
) -> Result<Vec<KnownTraffic>, store::Error> {
    let start =
        |(key, subscription): &(FeedKey, Subscription)| (*key, subscription.schedule.interval);
    let feeds: Vec<_> = feeds.iter().map(start).collect();
    read(reader, move |reader| {
        let means = reader.mean_bytes()?;
        let known = |(feed, start): (FeedKey, Duration)| {
            let state = reader.feed_state(feed)?;
            let cost = PollCost::of(state.last_success.map(|_| &state.response.validators));
            let learned = schedule::learned(&reader.publishing(feed)?, start, cost, now);
            let learned = learned.map(|learned| learned.interval);
            Ok(KnownTraffic { mean_bytes: means.get(&feed).copied(), learned })
        };
        feeds.into_iter().map(known).collect()
    })
    .await
}

/// Time when a feed is due, also after the clock was set.
fn due_time(feed: &RegisteredFeed, now: Timestamp) -> Timestamp {
    resumed(feed, now).due
}

fn resumed(feed: &RegisteredFeed, now: Timestamp) -> schedule::Resumed {
    let RegisteredFeed { next_poll_at, last_poll_at, reason, .. } = *feed;
    schedule::resume(StoredPlan { next_poll_at, last_poll_at, reason }, now)
}
