//! Checks the state of all feeds, lists and outputs once a minute, and reports the begin and the end of incidents: in
//! the database, in the log, and in the feed `health.atom`. `health` decides what an incident is.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{debug, error, info, warn};

use super::database::read;
use super::engine::Engine;
use super::error::Error;
use super::list_state::list_statuses;
use super::setup::{FollowedLists, HEALTH};
use super::stage_tasks::unwritten_problem;
use crate::clock::Clock;
use crate::health::{self, Condition, JudgedFeed, ListStatus};
use crate::model::{Coded as _, Incident, IncidentKind};
use crate::outputs::{self, Refusal, Served};
use crate::render::{self, OutputIdentity};
use crate::store::{self, RegisteredOutput, Store, Transaction, Write};
use crate::telemetry::{self, Event, Readiness};
use crate::web;

/// Interval of the checks.
const INTERVAL: Duration = Duration::from_secs(60);
/// Number of ended incidents that are considered, because a condition that returns within a day continues its
/// incident.
const MAX_ENDED: usize = 500;

/// Handle of the task. The task ends on drop.
#[derive(Debug)]
pub(crate) struct IncidentWatch(JoinHandle<()>);

impl Drop for IncidentWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl IncidentWatch {
    /// Starts the task that checks for incidents.
    pub(crate) fn start(engine: &Engine, lists: watch::Receiver<Arc<FollowedLists>>) -> Self {
        let watcher = Watcher {
            lists,
            store: Arc::clone(engine.store()),
            served: Arc::clone(engine.served()),
            site: Arc::clone(engine.site()),
            readiness: engine.readiness().clone(),
        };
        Self(tokio::spawn(work(watcher, engine.clock().clone())))
    }
}

async fn work(watcher: Watcher, clock: Clock) {
    let mut unsaved = Vec::new();
    loop {
        if let Err(error) = watcher.check(&mut unsaved, clock.now()).await {
            // Polls and publications report the failure of the database.
            debug!(%error, "incidents not checked");
        }
        clock.sleep_until(clock.elapsed() + INTERVAL).await;
    }
}

/// The data that is checked, and where the result goes.
struct Watcher {
    lists: watch::Receiver<Arc<FollowedLists>>,
    store: Arc<Store>,
    served: Arc<Served>,
    site: Arc<web::Site>,
    readiness: Readiness,
}

impl Watcher {
    /// Checks once. Incidents that cannot be stored are published too, and kept in `unsaved` until they are stored.
    async fn check(&self, unsaved: &mut Vec<Incident>, now: Timestamp) -> Result<(), store::Error> {
        let (served, waiting) = (Arc::clone(&self.served), unsaved.clone());
        let (lists, problems) = (Arc::clone(&self.lists.borrow()), self.readiness.problems());
        let (known, changed, identity) = read(self.store.reader(), move |reader| {
            let lists = list_statuses(&lists.lists, now);
            changes(reader, &served, (waiting, (&*lists, &*problems)), now)
        })
        .await?;
        let written =
            changed.is_empty() || self.store.write(Write::Incidents(changed.clone())).await.is_ok();
        *unsaved = if written { Vec::new() } else { changed.clone() };
        let all = merged(known, changed);
        let base_url = self.site.settings().local_url();
        match render::incidents(&all, &base_url, identity) {
            Ok(atom) => {
                self.site.put_incidents(String::from_utf8_lossy(&atom).into_owned(), &base_url);
            }
            Err(error) => error!(
                event = Event::OutputRejected.slug(),
                output = "health",
                text = %error,
                "output not published"
            ),
        }
        Ok(())
    }
}

/// The known incidents, those that began, changed or ended, and the id of their feed.
fn changes(
    reader: &Transaction<'_>,
    served: &Served,
    (waiting, (lists, problems)): (Vec<Incident>, (&[ListStatus], &[telemetry::Problem])),
    now: Timestamp,
) -> Result<(Vec<Incident>, Vec<Incident>, OutputIdentity), store::Error> {
    let feeds = health::judge_all(reader.feed_statuses()?, now);
    let mut present: HashSet<String> =
        feeds.iter().map(|feed| feed.status.info.id.to_string()).collect();
    let mut conditions = health::conditions(&feeds, now);
    conditions.extend(served.refusals().into_iter().map(rejected_output));
    conditions.extend(lists.iter().filter_map(|list| list.condition(now)));
    let mut own: Vec<Condition> = problems.iter().filter_map(degraded_daemon).collect();
    // Problems of one kind follow each other, the worst first.
    own.dedup_by_key(|condition| condition.kind);
    conditions.extend(own);
    present.extend(served.outputs().iter().map(|output| output.id.clone()));
    present.extend(served.refusals().into_keys());
    present.extend(lists.iter().map(|list| list.place.to_string()));
    let known = merged(reader.incidents(MAX_ENDED)?, waiting.clone());
    let mut changed = health::advance(&known, &conditions, &present, now);
    changed.iter().for_each(|incident| log(incident, &feeds));
    // Logged before, but not written.
    changed = merged(waiting, changed);
    // Registered when the daemon started.
    let identity = match reader.registered_output(HEALTH)? {
        Some(RegisteredOutput { id, since, .. }) => OutputIdentity { id, since },
        None => OutputIdentity::new(HEALTH, now),
    };
    Ok((known, changed, identity))
}

/// Records whether a single pass could publish: the begin or the end of an incident, so that `status` knows it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn record_publication(
    engine: &Engine,
    published: &Result<(), Error>,
) -> Result<(), store::Error> {
    let mut conditions: Vec<Condition> =
        engine.served().refusals().into_iter().map(rejected_output).collect();
    if let Err(Error::Publication(error)) = published {
        conditions.extend(unwritten(error));
    }
    let problems = engine.readiness().problems();
    let damage = problems.iter().filter_map(degraded_daemon);
    conditions.extend(damage.filter(|condition| condition.kind == IncidentKind::Damage));
    let (store, now) = (engine.store(), engine.clock().now());
    let mut known = store.reader().read(|reader| reader.incidents(MAX_ENDED))?;
    known.retain(|it| match published {
        // Everything was stored and published.
        Ok(()) => {
            matches!(it.kind, IncidentKind::Disk | IncidentKind::Damage | IncidentKind::Rejected)
        }
        // Only what failed is known.
        Err(_) => conditions.iter().any(|new| (new.kind, &new.subject) == (it.kind, &it.subject)),
    });
    let present = engine.outputs().iter().map(|output| output.id.clone()).collect();
    let changed = health::advance(&known, &conditions, &present, now);
    match changed.is_empty() {
        true => Ok(()),
        false => store.write(Write::Incidents(changed)).await.map(drop),
    }
}

/// The condition of a file that a pass could not write; `None`: another error. Its text names the file.
fn unwritten(error: &outputs::Error) -> Option<Condition> {
    let condition = degraded_daemon(&unwritten_problem(error)?)?;
    let (text, remedy) = (error.to_string(), error.help().unwrap_or_default().into_owned());
    Some(Condition { text, remedy, ..condition })
}

/// The condition of an output whose documents failed the check.
fn rejected_output((id, refusal): (String, Refusal)) -> Condition {
    let name = id.clone();
    Condition {
        kind: IncidentKind::Rejected,
        subject: id,
        name,
        code: IncidentKind::Rejected.slug().to_owned(),
        text: refusal.why,
        remedy: "The previous documents are still served.".to_owned(),
        toml: None,
        since: Some(refusal.since),
    }
}

/// The condition of a degraded daemon; `None` before the first poll cycle, and for lists, which have their own.
fn degraded_daemon(problem: &telemetry::Problem) -> Option<Condition> {
    use telemetry::Problem as Of;
    let kind = match problem {
        Of::NotPolledYet | Of::ListFailing => return None,
        Of::ConfigRejected => IncidentKind::Config,
        Of::StoreFull | Of::StoreReadonly | Of::StoreFailing => IncidentKind::Disk,
        Of::OutputUnwritable | Of::OutputDiskFull | Of::LogLarge => IncidentKind::Disk,
        Of::StoreDamaged => IncidentKind::Damage,
        Of::ClockUntrusted | Of::ClockJumped => IncidentKind::Clock,
    };
    Some(Condition {
        kind,
        subject: String::new(),
        name: "newswire".to_owned(),
        code: problem.slug().to_owned(),
        text: problem.text().to_owned(),
        remedy: problem.remedy().to_owned(),
        toml: None,
        since: None,
    })
}

/// `known` with the incidents of `changed` replaced or added.
fn merged(mut known: Vec<Incident>, changed: Vec<Incident>) -> Vec<Incident> {
    let name = |incident: &Incident| (incident.kind, incident.subject.clone(), incident.opened_at);
    let new: HashSet<_> = changed.iter().map(name).collect();
    known.retain(|old| !new.contains(&name(old)));
    known.extend(changed);
    known
}

/// Logs the begin and the end of silence. Polls and publications log the other incidents.
fn log(incident: &Incident, feeds: &[JudgedFeed]) {
    let Incident { kind, subject: feed, state: code, text, resolved_at, .. } = incident;
    if *kind != IncidentKind::Silent {
        return;
    }
    let known = feeds.iter().find(|known| known.status.info.id.as_str() == feed);
    let url = known.map(|known| known.status.info.url.as_str()).unwrap_or_default();
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
    fn a_pass_reports_an_unwritable_file_under_the_code_of_the_daemon() {
        use std::io::ErrorKind::{NotFound, PermissionDenied, StorageFull};
        for (kind, code) in [
            (PermissionDenied, "output_unwritable"),
            (NotFound, "output_unwritable"),
            (StorageFull, "output_disk_full"),
        ] {
            let error = outputs::Error::Write { path: "www/all.atom".into(), source: kind.into() };
            let condition = unwritten(&error).unwrap();
            assert_eq!((condition.kind, &*condition.code), (IncidentKind::Disk, code));
            assert!(condition.text.contains("www/all.atom"), "{}", condition.text);
        }
    }

    #[test]
    fn every_problem_except_the_start_and_lists_becomes_an_incident() {
        use telemetry::Problem;
        for problem in Problem::ALL {
            let condition = degraded_daemon(problem);
            let is_other = matches!(problem, Problem::NotPolledYet | Problem::ListFailing);
            assert_eq!(condition.is_none(), is_other, "{problem:?}");
            assert!(condition.is_none_or(|it| !it.text.is_empty() && it.subject.is_empty()));
        }
    }
}
