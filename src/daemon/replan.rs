//! New plans for feeds whose last plan was made under other settings, and longer intervals for the feeds of servers with a
//! bandwidth budget.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Considered, FeedId, FeedKey, Plan, Reason, ReasonKind, site};
use crate::poll::{Subscription, Target};
use crate::schedule::{self, BudgetShare, LastPoll, PollCost, stretch, stretched};
use crate::store::{self, Reader, RegisteredFeed, Store, Transaction, Write};

/// Plans the feeds again whose last plan was made under other settings. Returns their keys.
pub(super) async fn replan(
    store: &Store,
    targets: &[Target],
    registered: &mut [RegisteredFeed],
    now: Timestamp,
) -> Result<HashSet<FeedKey>, store::Error> {
    let plans = replanned(store.reader(), targets, registered, now).await?;
    let times: HashMap<FeedKey, Timestamp> =
        plans.iter().map(|(feed, plan)| (*feed, plan.at)).collect();
    if !plans.is_empty() {
        store.write(Write::Replan(plans)).await?;
    }
    for feed in registered {
        feed.next_poll_at = *times.get(&feed.key).unwrap_or(&feed.next_poll_at);
    }
    Ok(times.into_keys().collect())
}

async fn replanned(
    reader: &Reader,
    targets: &[Target],
    registered: &[RegisteredFeed],
    now: Timestamp,
) -> Result<Vec<(FeedKey, Plan)>, store::Error> {
    let outdated = registered.iter().zip(targets).filter_map(|(feed, target)| {
        let settings = &target.subscription.schedule;
        is_outdated(feed, settings).then(|| (feed.clone(), Arc::clone(settings)))
    });
    let outdated: Vec<_> = outdated.collect();
    if outdated.is_empty() {
        return Ok(Vec::new());
    }
    let reader = reader.clone();
    let work = move || {
        reader.read(|reader| {
            let plan = |(feed, settings): (RegisteredFeed, Arc<schedule::Settings>)| {
                Ok((feed.key, new_plan(reader, &feed, &settings, now)?))
            };
            outdated.into_iter().map(plan).collect()
        })
    };
    // A panic in the task keeps the old plans.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Ok(Vec::new()))
}

/// The plan of a feed under these settings, if its last one was made under others. Blocks.
///
/// # Errors
/// When the database fails.
pub fn plan_under(
    reader: &Transaction<'_>,
    feed: &RegisteredFeed,
    settings: &schedule::Settings,
    now: Timestamp,
) -> Result<Option<Plan>, store::Error> {
    let outdated = is_outdated(feed, settings);
    outdated.then(|| new_plan(reader, feed, settings, now)).transpose()
}

/// Whether the last plan of a feed was made under other settings.
fn is_outdated(feed: &RegisteredFeed, settings: &schedule::Settings) -> bool {
    let was_paused = feed.reason == ReasonKind::Paused;
    if was_paused || settings.paused {
        return was_paused != settings.paused;
    }
    let outdated = |at| LastPoll { at, considered: &feed.considered }.is_outdated(settings);
    feed.last_poll_at.is_some_and(outdated)
}

fn new_plan(
    reader: &Transaction<'_>,
    feed: &RegisteredFeed,
    settings: &schedule::Settings,
    now: Timestamp,
) -> Result<Plan, store::Error> {
    match feed.last_poll_at {
        _ if settings.paused => Ok(paused_plan(&feed.considered, now)),
        None => Ok(resumed_plan(feed, now)),
        Some(at) => {
            let last = LastPoll { at, considered: &feed.considered };
            revised(reader, (feed.key, &feed.id), settings, &last, now)
        }
    }
}

/// Time until which a paused feed is planned: it is in no queue meanwhile.
const PAUSE: SignedDuration = SignedDuration::from_hours(100 * 365 * 24);

/// The plan of a paused feed, with the inputs of its last plan.
pub(super) fn paused_plan(considered: &[Considered], now: Timestamp) -> Plan {
    let reason = Reason { kind: ReasonKind::Paused, text: "paused in the config".to_owned() };
    let at = now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX);
    Plan { at, reason, considered: considered.to_vec() }
}

/// The plan of a feed that was paused before its first poll.
fn resumed_plan(feed: &RegisteredFeed, now: Timestamp) -> Plan {
    let reason = Reason { kind: ReasonKind::New, text: "no longer paused".to_owned() };
    Plan { at: now, reason, considered: feed.considered.clone() }
}

/// The plan after the last poll under these settings. Blocks.
///
/// # Errors
/// When the database fails.
pub(super) fn revised(
    reader: &Transaction<'_>,
    (feed, id): (FeedKey, &FeedId),
    settings: &schedule::Settings,
    last: &LastPoll<'_>,
    now: Timestamp,
) -> Result<Plan, store::Error> {
    let state = reader.feed_state(feed)?;
    let cost = PollCost::of(state.last_success.map(|_| &state.response.validators));
    let learned = schedule::learned(&reader.publishing(feed)?, settings.interval, cost, now);
    Ok(schedule::revise(settings, id, last, &state.hints, learned))
}

/// Expected size of the responses of a feed that was never polled, in bytes.
const UNKNOWN: f64 = 50_000.0;
/// The factor grows in steps of this size, so that small differences of the traffic change no plan.
const STEP: f64 = 0.25;

/// What is known about the traffic of a feed.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownTraffic {
    /// Mean size of its responses, those without a body included, in bytes; `None`: it was never polled.
    pub mean_bytes: Option<f64>,
    /// The learned interval; `None`: nothing is known.
    pub learned: Option<Duration>,
}

/// Makes the intervals of feeds longer until the feeds of each server with a budget fit into it. `traffic` is in the
/// order of the feeds.
pub fn apply_budgets(subscriptions: &mut [Subscription], traffic: &[KnownTraffic]) {
    let mut servers: HashMap<String, (u64, Vec<usize>)> = HashMap::new();
    for (n, subscription) in subscriptions.iter().enumerate() {
        if let Some(budget) = subscription.schedule.budget {
            let server = site(&subscription.feed.url).to_owned();
            servers.entry(server).or_insert((budget, Vec::new())).1.push(n);
        }
    }
    for (budget, feeds) in servers.into_values() {
        let share = |n: &usize| {
            let known = traffic.get(*n).copied().unwrap_or_default();
            BudgetShare {
                interval: subscriptions[*n].schedule.interval_of(known.learned),
                mean_bytes: known.mean_bytes.unwrap_or(UNKNOWN),
            }
        };
        let shares: Vec<BudgetShare> = feeds.iter().map(share).collect();
        let factor = (stretch(&shares, budget) / STEP - 1e-6).ceil() * STEP;
        if factor <= 1.0 {
            continue;
        }
        for n in feeds {
            let schedule = stretched_settings(&subscriptions[n].schedule, factor);
            subscriptions[n].schedule = Arc::new(schedule);
        }
    }
}

/// Longer by this factor, whether the interval is fixed or learned: a learned one is proportional to `interval`, within
/// the limits.
fn stretched_settings(settings: &schedule::Settings, factor: f64) -> schedule::Settings {
    let of = |limit| stretched(limit, factor);
    let (interval, min_interval) = (of(settings.interval), of(settings.min_interval));
    let max_interval = of(settings.max_interval).max(interval);
    schedule::Settings { interval, min_interval, max_interval, ..settings.clone() }
}
