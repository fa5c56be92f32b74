//! Follows lists of feeds: fetches lists on the web when they are due, keeps the last good copy, and reloads the
//! config when a list changed. `config` reads the content of the lists.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;
use tracing::{debug, info, warn};
use url::Url;

use super::handle::{DaemonHandle, ReloadResult};
use super::list_state::{
    ListState, RETRY, code_and_text, list_statuses, read_copy, read_list, write,
};
use super::setup::FollowedLists;
use crate::clock::Clock;
use crate::config::Followed;
use crate::fetch::{self, Request, Response, Wanted};
use crate::health::ListStatus;
use crate::model::{
    Asker, Failure, FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, Validators,
};
use crate::opml::{self, OpmlHead};
use crate::poll::{Answer, FinishedExchange, Gate, Limits, Urgency, Visit};
use crate::schedule::{self, IntervalMode};
use crate::telemetry::{Event, Problem, Readiness};

/// Interval of the checks for changed files and due lists.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Result of fetching lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListChange {
    /// All lists are as they were.
    Unchanged,
    /// At least one list has a new copy.
    Changed,
}

/// Fetches and follows lists.
#[derive(Debug)]
pub struct ListFollower {
    gate: Gate,
    clock: Clock,
}

/// Modification times and sizes of the lists that are files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamps(Vec<Option<(SystemTime, u64)>>);

impl ListFollower {
    /// A follower whose requests pass this gate.
    #[must_use]
    pub fn new(gate: Gate, clock: Clock) -> Self {
        Self { gate, clock }
    }

    /// Fetches the lists on the web that are due, at the same time within the limits of their sites. A list that cannot
    /// be fetched keeps its copy; the failure is logged and stored.
    pub async fn fetch(&self, lists: &FollowedLists) -> ListChange {
        let mut copies = HashSet::new();
        let mut fetches = Vec::new();
        for list in &lists.lists {
            let Followed::Web { url, interval, copy, is_known } = list else { continue };
            let state = ListState::load(copy);
            // Two sections may have the same URL.
            let is_due =
                || state.is_due(*interval, self.clock.now()) || !is_known && state.has_lost(copy);
            if copies.insert(copy) && is_due() {
                fetches.push(self.fetch_one(
                    (url, *interval),
                    &lists.fetch,
                    (copy.as_path(), state),
                ));
            }
        }
        match join_all(fetches).await.contains(&ListChange::Changed) {
            true => ListChange::Changed,
            false => ListChange::Unchanged,
        }
    }

    /// Fetches lists when they are due, reports those that fail, and reloads the config after each change of a list.
    /// Returns when the daemon ends.
    pub(crate) async fn follow(
        self,
        mut lists: watch::Receiver<Arc<FollowedLists>>,
        handle: DaemonHandle,
        readiness: Readiness,
    ) {
        let mut current = Arc::clone(&lists.borrow_and_update());
        let mut stamps = FileStamps::now(&current.lists);
        loop {
            // Not cancelled by a reload: the next request would wait as after one without a result.
            let change = self.fetch(&current).await;
            report_failing(&current.lists, &readiness);
            // Taken before the files are read: a change during the reload counts as another change.
            let before = std::mem::replace(&mut stamps, FileStamps::now(&current.lists));
            if change == ListChange::Changed || before != stamps {
                self.reload(&handle).await;
            } else {
                tokio::select! {
                    () = self.next_check(&current) => {}
                    changed = lists.changed() => if changed.is_err() { return },
                }
            }
            let before = std::mem::replace(&mut current, Arc::clone(&lists.borrow_and_update()));
            if before.lists != current.lists {
                stamps = FileStamps::now(&current.lists);
            }
        }
    }

    /// Reloads the config; repeats it after a temporary failure.
    async fn reload(&self, handle: &DaemonHandle) {
        while let ReloadResult::Failed(_) = handle.reload().await {
            self.clock.sleep_until(self.clock.elapsed() + CHECK_INTERVAL).await;
        }
    }

    /// Waits until the lists have to be checked again: forever, if there are none.
    async fn next_check(&self, lists: &FollowedLists) {
        match lists.lists.is_empty() {
            true => std::future::pending().await,
            false => self.clock.sleep_until(self.clock.elapsed() + CHECK_INTERVAL).await,
        }
    }

    /// Makes the exchange. Otherwise returns the end of the promise that forbids it; `None`: the ledger failed.
    async fn visit(&self, visit: Visit<'_>) -> Result<FinishedExchange, Option<Timestamp>> {
        let list = visit.request.url.to_string();
        match self.gate.fetch(visit).await {
            Ok(Answer::Finished(finished)) => Ok(*finished),
            Ok(Answer::Denied(denied)) => {
                debug!(list, until = %denied.until, "list of feeds held");
                Err(Some(denied.until))
            }
            Err(error) => {
                warn!(list, %error, "list of feeds not requested: ledger unavailable");
                Err(None)
            }
        }
    }

    async fn fetch_one(
        &self,
        (url, interval): (&Url, Duration),
        settings: &fetch::Settings,
        (copy, mut state): (&Path, ListState),
    ) -> ListChange {
        let kept = read_copy(copy);
        let (validators, from) = (state.validators_of(kept.as_deref()), state.url.clone());
        let request = Request {
            url,
            wanted: Wanted::Feed,
            validators: &validators,
            validators_from: from.as_ref(),
            known_body: None,
            known_lifetime: None,
            settings,
            now: self.clock.now(),
        };
        let finished = match self.visit(visit(&state, request, interval)).await {
            Ok(finished) => finished,
            Err(until) => {
                state.next = until.unwrap_or(self.clock.now()).as_second();
                state.store(copy);
                return ListChange::Unchanged;
            }
        };
        let FinishedExchange { mut response, asked_at, .. } = finished;
        state.last = asked_at.map(Timestamp::as_second).or(state.last);
        let (validators, freshness) = (response.validators.take(), response.freshness);
        let (sender, mut outcome) = (response.url.clone(), response.outcome.clone());
        let list = new_list(response, kept.as_deref());
        let change = match list.and_then(|new| replace(copy, new)) {
            Ok(change) => {
                if let Some(Validators { etag, last_modified }) = validators {
                    (state.etag, state.last_modified) = (etag, last_modified);
                    state.url = Some(sender);
                }
                state.succeeded();
                if change == ListChange::Changed {
                    let event = Event::ListChanged.slug();
                    info!(event, list = url.as_str(), "list of feeds changed");
                }
                change
            }
            Err((code, text)) => {
                log_failing(url, &text, kept.as_deref());
                if outcome.is_success() {
                    let failure = Failure::new(FailureKind::NotAFeed, text.as_str());
                    outcome = FetchOutcome::Failed(failure);
                }
                state.failed((code, text), self.clock.now());
                ListChange::Unchanged
            }
        };
        let (outcome, now) = ((&outcome, state.failures()), self.clock.now());
        let soon = if kept.is_none() { state.soon(interval) } else { interval };
        state.plan(plan((url, soon), outcome, freshness, now).at, interval, now);
        state.store(copy);
        change
    }
}

/// Logs the failure of a list.
fn log_failing(url: &Url, text: &str, kept: Option<&[u8]>) {
    let (event, list, has_copy) = (Event::ListFailing.slug(), url.as_str(), kept.is_some());
    warn!(event, list, text, has_copy, "list of feeds not updated");
}

/// The request for a list that is due.
fn visit<'a>(state: &ListState, request: Request<'a>, interval: Duration) -> Visit<'a> {
    // A list that was never fetched is not left out for long because of a request that was killed.
    let interval = interval.min(RETRY);
    let schedule = schedule::Settings::default();
    let last = state.last.and_then(|at| Timestamp::from_second(at + 1).ok());
    Visit {
        request,
        by: Asker::List,
        urgency: Urgency::Scheduled { interval, last },
        limits: Limits { at_once: schedule.per_host, spacing: schedule.host_spacing },
        is_shared: false,
        known: None,
    }
}

/// The plan of the next request, as that of a feed.
fn plan(
    (url, interval): (&Url, Duration),
    (outcome, failures): (&FetchOutcome, u32),
    freshness: Freshness,
    now: Timestamp,
) -> Plan {
    schedule::plan(&schedule::Inputs {
        settings: &schedule::Settings {
            interval,
            interval_mode: IntervalMode::Fixed,
            ..schedule::Settings::default()
        },
        feed: &FeedId::derive(url),
        outcome,
        failures,
        freshness,
        hints: &Hints::default(),
        learned: None,
        unconditional: None,
        promise: None,
        now,
    })
}

/// Reports whether a list needs attention.
fn report_failing(lists: &[Followed], readiness: &Readiness) {
    match list_statuses(lists).iter().any(ListStatus::needs_attention) {
        true => readiness.add(Problem::ListFailing),
        false => readiness.remove(Problem::ListFailing),
    }
}

/// Code and text of a failure.
type Failed = (&'static str, String);

/// The received list as OPML; `None` if it is the stored one.
fn new_list(response: Response, kept: Option<&[u8]>) -> Result<Option<String>, Failed> {
    let body = match (response.outcome, response.body) {
        // A partial response (226) is not a list.
        (_, Some(body)) if response.body_hash.is_some() => body,
        (FetchOutcome::NotModified, _) => return Ok(None),
        (FetchOutcome::Failed(failure), _) => return Err(code_and_text(&failure)),
        (outcome, _) => {
            let text = match outcome {
                FetchOutcome::Throttled => "the server asks for fewer requests",
                FetchOutcome::Gone => "the server reports that the list is gone",
                _ => "the server sent no complete list",
            };
            return Err((outcome.slug(), text.to_owned()));
        }
    };
    let list = read_list(&body.bytes).map_err(|error| code_and_text(&error))?;
    let text = opml::write(&OpmlHead::default(), &list.feeds);
    Ok(Some(text).filter(|text| kept != Some(text.as_bytes())))
}

/// Replaces the copy by a new list.
fn replace(copy: &Path, new: Option<String>) -> Result<ListChange, Failed> {
    let Some(text) = new else { return Ok(ListChange::Unchanged) };
    write(copy, text.as_bytes()).map_err(|text| ("file_unwritable", text))?;
    Ok(ListChange::Changed)
}

impl FileStamps {
    /// Modification time and size of each list that is a file.
    fn now(followed: &[Followed]) -> Self {
        let look = |list: &Followed| match list {
            Followed::File(path) => {
                let meta = std::fs::metadata(path).ok()?;
                Some((meta.modified().ok()?, meta.len()))
            }
            Followed::Web { .. } => None,
        };
        Self(followed.iter().map(look).collect())
    }
}
