//! Looks now and then at how all feeds and outputs are doing, and tells of what began and what is
//! over: in the table of incidents, in the log, and in the operator's own feed.
//!
//! Leaves what is the matter to `health`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tracing::{debug, error, info, warn};

use super::engine::Engine;
use crate::clock::Clock;
use crate::health::{self, Condition, JudgedFeed};
use crate::model::{Incident, IncidentKind};
use crate::outputs::{Refusal, Served};
use crate::render;
use crate::store::{self, Store, Transaction, Write};
use crate::telemetry::{self, Event, Readiness};
use crate::web;

/// Nothing that is told here is in a hurry.
const EVERY: Duration = Duration::from_secs(60);
/// So many incidents that are over are looked at: what comes back within a day is no new one.
const OVER: usize = 500;

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
            served: Arc::clone(engine.served()),
            site: Arc::clone(engine.site()),
            readiness: engine.readiness().clone(),
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
    served: Arc<Served>,
    site: Arc<web::Site>,
    readiness: Readiness,
}

impl Looker {
    /// Looks once. What cannot be written is told all the same, and kept in `unsaved` until it can.
    async fn look(&self, unsaved: &mut Vec<Incident>, now: Timestamp) -> Result<(), store::Error> {
        let (reader, served) = (self.store.reader().clone(), Arc::clone(&self.served));
        let waiting = unsaved.clone();
        let troubles = self.readiness.problems();
        let work =
            move || reader.read(|reader| changes(reader, &served, (waiting, &troubles), now));
        let (known, changed) =
            tokio::task::spawn_blocking(work).await.map_err(|_| store::Error::Closed)??;
        let written =
            changed.is_empty() || self.store.write(Write::Incidents(changed.clone())).await.is_ok();
        *unsaved = if written { Vec::new() } else { changed.clone() };
        let all = over(known, changed);
        match render::incidents(&all, &self.site.settings().local_url()) {
            Ok(atom) => self.site.put_incidents(String::from_utf8_lossy(&atom).into_owned()),
            Err(error) => error!(
                event = Event::OutputRejected.slug(),
                output = "health",
                "health.atom stays as it was: {error}; please report this"
            ),
        }
        Ok(())
    }
}

/// The incidents that are known, and those that are new, have changed or are over.
fn changes(
    reader: &Transaction<'_>,
    served: &Served,
    (waiting, troubles): (Vec<Incident>, &[telemetry::Problem]),
    now: Timestamp,
) -> Result<(Vec<Incident>, Vec<Incident>), store::Error> {
    let feeds = health::judge_all(reader.feed_statuses()?, now);
    let mut present: HashSet<String> =
        feeds.iter().map(|feed| feed.status.info.id.to_string()).collect();
    let mut conditions = health::conditions(&feeds, now);
    conditions.extend(served.refusals().into_iter().map(refused));
    conditions.extend(troubles.iter().filter_map(troubled));
    present.extend(served.outputs().iter().map(|output| output.id.clone()));
    present.extend(served.refusals().into_keys());
    let known = over(reader.incidents(OVER)?, waiting.clone());
    let mut changed = health::advance(&known, &conditions, &present, now);
    changed.iter().for_each(|incident| tell(incident, &feeds));
    // Told before, but not written.
    changed = over(waiting, changed);
    Ok((known, changed))
}

fn refused((id, refusal): (String, Refusal)) -> Condition {
    let name = id.clone();
    Condition {
        kind: IncidentKind::Rejected,
        subject: id,
        name,
        code: IncidentKind::Rejected.slug().to_owned(),
        text: refusal.why,
        remedy: "What was published last is still served.".to_owned(),
        toml: None,
        since: Some(refusal.since),
    }
}

/// What newswire itself suffers from.
fn troubled(trouble: &telemetry::Problem) -> Option<Condition> {
    use telemetry::Problem as Of;
    let kind = match trouble {
        Of::NotPolledYet => return None,
        Of::ConfigRejected => IncidentKind::Config,
        Of::StoreFull | Of::StoreReadonly | Of::StoreFailing => IncidentKind::Disk,
    };
    Some(Condition {
        kind,
        subject: String::new(),
        name: "newswire".to_owned(),
        code: trouble.slug().to_owned(),
        text: trouble.text().to_owned(),
        remedy: trouble.remedy().to_owned(),
        toml: None,
        since: None,
    })
}

/// `known` with `changed` in their places.
fn over(mut known: Vec<Incident>, changed: Vec<Incident>) -> Vec<Incident> {
    let name = |incident: &Incident| (incident.kind, incident.subject.clone(), incident.opened_at);
    let new: HashSet<_> = changed.iter().map(name).collect();
    known.retain(|old| !new.contains(&name(old)));
    known.extend(changed);
    known
}

/// A word to the log, once; what a poll or a publication has said already is not said again.
fn tell(incident: &Incident, feeds: &[JudgedFeed]) {
    let Incident { kind, subject: feed, state: code, text, resolved_at, .. } = incident;
    if *kind != IncidentKind::Silent {
        return;
    }
    let named = feeds.iter().find(|known| known.status.info.id.as_str() == feed);
    let url = named.map(|known| known.status.info.url.as_str()).unwrap_or_default();
    if resolved_at.is_some() {
        let event = Event::FeedResumed.slug();
        info!(event, feed, url, code, "feed publishes again");
    } else {
        let event = Event::FeedSilent.slug();
        warn!(event, feed, url, code, text, "feed silent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_newswire_itself_may_suffer_from_is_told_but_the_first_minute() {
        for trouble in telemetry::Problem::ALL {
            let told = troubled(trouble);
            assert_eq!(told.is_none(), *trouble == telemetry::Problem::NotPolledYet, "{trouble:?}");
            assert!(told.is_none_or(|told| !told.text.is_empty() && told.subject.is_empty()));
        }
    }
}
