//! New plans for feeds whose last plan was made under other settings.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Considered, FeedId, FeedKey, Plan, Reason, ReasonKind};
use crate::poll::Target;
use crate::schedule::{self, LastPoll, PollCost};
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
