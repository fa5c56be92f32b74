//! Looks now and then at how all feeds and outputs are doing, and tells of what began and what is
//! over: in the table of incidents, in the log, and in the operator's own feed.
//!
//! Leaves what is the matter to `health`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

use super::engine::Engine;
use crate::clock::Clock;
use crate::health::{self, Condition};
use crate::model::{Incident, Trouble};
use crate::publish::{self, Shelf};
use crate::store::{self, Reader, Store};
use crate::telemetry::{self, Vitals};
use crate::web;

/// Nothing that is told here is in a hurry.
const EVERY: Duration = Duration::from_secs(60);
/// So many incidents are looked at, those that last first.
const KNOWN: usize = 1_000;

/// The task that looks; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Lookout(JoinHandle<()>);

impl Drop for Lookout {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Lookout {
    /// Starts the task.
    pub(crate) fn start(engine: &Engine) -> Self {
        let looker = Looker {
            store: Arc::clone(engine.store()),
            shelf: Arc::clone(engine.shelf()),
            site: Arc::clone(engine.site()),
            vitals: engine.vitals().clone(),
        };
        Self(tokio::spawn(work(looker, engine.clock().clone())))
    }
}

async fn work(looker: Looker, clock: Clock) {
    let mut unsaved = Vec::new();
    loop {
        if let Err(error) = looker.look(&mut unsaved, clock.now()).await {
            // Whatever it is, those who need the database say so louder.
            debug!("incidents cannot be told of: {error}");
        }
        clock.sleep_until(clock.elapsed() + EVERY).await;
    }
}

/// What it takes to look.
struct Looker {
    store: Arc<Store>,
    shelf: Arc<Shelf>,
    site: Arc<web::Site>,
    vitals: Vitals,
}

impl Looker {
    /// Looks once. What cannot be written is told all the same, and kept in `unsaved` until it can.
    async fn look(&self, unsaved: &mut Vec<Incident>, now: Timestamp) -> Result<(), store::Error> {
        let (reader, shelf) = (self.store.reader().clone(), Arc::clone(&self.shelf));
        let waiting = std::mem::take(unsaved);
        let troubles = self.vitals.troubles();
        let work = move || changes(&reader, &shelf, (waiting, &troubles), now);
        let (known, changed) =
            tokio::task::spawn_blocking(work).await.map_err(|_| store::Error::Closed)??;
        changed.iter().for_each(tell);
        if !changed.is_empty() && self.store.write_incidents(changed.clone()).await.is_err() {
            unsaved.clone_from(&changed);
        }
        let all = over(known, changed);
        match publish::incidents(&all, &self.site.settings().own_url()) {
            Ok(atom) => self.site.put_incidents(String::from_utf8_lossy(&atom).into_owned()),
            Err(error) => warn!("health.atom stays as it was: {error}; please report this"),
        }
        Ok(())
    }
}

/// The incidents that are known, and those that are new, have changed or are over.
fn changes(
    reader: &Reader,
    shelf: &Shelf,
    (waiting, troubles): (Vec<Incident>, &[telemetry::Trouble]),
    now: Timestamp,
) -> Result<(Vec<Incident>, Vec<Incident>), store::Error> {
    let statuses = reader.statuses()?.into_iter();
    let feeds: Vec<_> = statuses
        .map(|status| {
            let health = health::judge(&status, now);
            (status, health)
        })
        .collect();
    let mut present: HashSet<String> =
        feeds.iter().map(|(status, _)| status.info.id.to_string()).collect();
    let mut conditions = health::conditions(&feeds, now);
    conditions.extend(shelf.refusals().into_iter().map(refused));
    conditions.extend(troubles.iter().filter_map(troubled));
    present.extend(shelf.listings().iter().map(|listing| listing.id.clone()));
    present.extend(shelf.refusals().into_keys());
    let known = over(reader.incidents(KNOWN)?, waiting.clone());
    let mut changed = health::advance(&known, &conditions, &present, now);
    // Told before, but not written.
    let again = |old: &Incident| changed.iter().any(|new| same(old, new));
    let waiting: Vec<Incident> = waiting.into_iter().filter(|old| !again(old)).collect();
    changed.extend(waiting);
    Ok((known, changed))
}

fn refused((id, refusal): (String, publish::Refusal)) -> Condition {
    let listing = id.clone();
    Condition {
        kind: Trouble::Refused,
        subject: id,
        name: listing,
        state: Trouble::Refused.slug().to_owned(),
        text: refusal.why,
        remedy: "What was published last is still served.".to_owned(),
        toml: None,
        since: Some(refusal.since),
    }
}

/// What newswire itself suffers from.
fn troubled(trouble: &telemetry::Trouble) -> Option<Condition> {
    use telemetry::Trouble as Of;
    let kind = match trouble {
        Of::NoCycleYet => return None,
        Of::ConfigRefused => Trouble::Config,
        Of::StoreFull | Of::StoreReadonly | Of::StoreFailing => Trouble::Disk,
    };
    Some(Condition {
        kind,
        subject: String::new(),
        name: "newswire".to_owned(),
        state: trouble.slug().to_owned(),
        text: trouble.remedy().to_owned(),
        remedy: String::new(),
        toml: None,
        since: None,
    })
}

/// `known` with `changed` in their places.
fn over(mut known: Vec<Incident>, changed: Vec<Incident>) -> Vec<Incident> {
    known.retain(|old| !changed.iter().any(|new| same(old, new)));
    known.extend(changed);
    known
}

fn same(one: &Incident, other: &Incident) -> bool {
    (one.kind, &one.subject, one.opened_at) == (other.kind, &other.subject, other.opened_at)
}

/// A word to the log, once; what a poll or a publication has said already is not said again.
fn tell(incident: &Incident) {
    let Incident { kind, subject: feed, state, text, resolved_at, .. } = incident;
    if *kind != Trouble::Silent {
        return;
    }
    match resolved_at {
        None => warn!(feed, state, "{feed}: has gone silent: {text}: 'newswire why {feed}'"),
        Some(_) => info!(feed, state, "{feed}: is silent no more"),
    }
}
