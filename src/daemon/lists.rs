//! Follows lists of feeds: fetches lists on the web when they are due, keeps the last good copy, and reloads the
//! config when a list changed. `config` reads the content of the lists.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{debug, info, warn};
use url::Url;

use super::handle::{DaemonHandle, ReloadResult};
use super::setup::FollowedLists;
use crate::clock::Clock;
use crate::config::Followed;
use crate::fetch::{self, Request, Response, Wanted};
use crate::model::{
    Asker, Failure, FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, Validators,
};
use crate::opml::{self, OpmlHead};
use crate::outputs::write_atomically;
use crate::poll::{Answer, FinishedExchange, Gate, Limits, Urgency, Visit};
use crate::schedule::{self, IntervalMode};
use crate::telemetry::Event;

/// Interval of the checks for changed files and due lists.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// Longest wait after a request without a result.
const RETRY: Duration = Duration::from_secs(60 * 60);
/// Longest wait that the plan of a list can have, with jitter. A later time comes from a clock that was wrong.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Which lists on the web are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSelection {
    /// Lists that are due.
    Due,
    /// Lists that are due and have no copy yet.
    DueWithoutCopy,
}

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

/// The stored state of a list on the web, beside its copy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct ListState {
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
    /// URL that sent the validators.
    url: Option<Url>,
    /// Number of consecutive failures.
    failures: u32,
    /// Time of the last request, in seconds since 1970.
    last: Option<i64>,
    /// Time of the next fetch, in seconds since 1970.
    next: i64,
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

    /// Fetches lists on the web. A list that cannot be fetched keeps its copy; the failure is logged.
    pub async fn fetch(&self, lists: &FollowedLists, which: ListSelection) -> ListChange {
        let mut change = ListChange::Unchanged;
        for list in &lists.lists {
            let Followed::Web { url, interval, copy } = list else { continue };
            let kept = std::fs::read(copy).ok();
            let state = load_state(copy);
            let due = state.is_due(self.clock.now());
            if due && (which == ListSelection::Due || kept.is_none()) {
                let list = (url, *interval);
                let new = self.fetch_one(list, &lists.fetch, copy, (kept, state)).await;
                change = if new == ListChange::Changed { new } else { change };
            }
        }
        change
    }

    /// Reloads the config after each change of a list. Returns when the daemon ends.
    pub(crate) async fn follow(
        self,
        mut lists: watch::Receiver<Arc<FollowedLists>>,
        handle: DaemonHandle,
    ) {
        let mut current = Arc::clone(&lists.borrow_and_update());
        let mut stamps = FileStamps::now(&current.lists);
        loop {
            tokio::select! {
                () = self.changed(&current, &mut stamps) => self.reload(&handle).await,
                changed = lists.changed() => if changed.is_err() { return },
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

    /// Returns when a list on the web or a file changed; updates `stamps`.
    async fn changed(&self, lists: &FollowedLists, stamps: &mut FileStamps) {
        if lists.lists.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let change = self.fetch(lists, ListSelection::Due).await;
            // Taken before the files are read: a change during the reload counts as another change.
            let before = std::mem::replace(stamps, FileStamps::now(&lists.lists));
            if change == ListChange::Changed || before != *stamps {
                return;
            }
            self.clock.sleep_until(self.clock.elapsed() + CHECK_INTERVAL).await;
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
        copy: &Path,
        (kept, mut state): (Option<Vec<u8>>, ListState),
    ) -> ListChange {
        let validators = state.validators(kept.is_some());
        let from = state.url.clone();
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
        let finished = match self.visit(state.visit(request, interval)).await {
            Ok(finished) => finished,
            Err(until) => {
                state.next = until.unwrap_or(self.clock.now()).as_second();
                store_state(copy, &state);
                return ListChange::Unchanged;
            }
        };
        let FinishedExchange { mut response, asked_at, .. } = finished;
        state.last = asked_at.map(Timestamp::as_second).or(state.last);
        let (validators, freshness) = (response.validators.take(), response.freshness);
        let (sender, mut outcome) = (response.url.clone(), response.outcome.clone());
        let list = new_list(response, kept.as_deref());
        let change = match list.and_then(|new| store(copy, new)) {
            Ok(change) => {
                if let Some(Validators { etag, last_modified }) = validators {
                    (state.etag, state.last_modified) = (etag, last_modified);
                    state.url = Some(sender);
                }
                if change == ListChange::Changed {
                    let event = Event::ListChanged.slug();
                    info!(event, list = url.as_str(), "list of feeds changed");
                }
                change
            }
            Err(text) => {
                let has_copy = kept.is_some();
                let event = Event::ListFailing.slug();
                warn!(event, list = url.as_str(), text, has_copy, "list of feeds not updated");
                if outcome.is_success() {
                    outcome = FetchOutcome::Failed(Failure::new(FailureKind::NotAFeed, text));
                }
                ListChange::Unchanged
            }
        };
        let plan = state.plan((url, interval), &outcome, freshness, self.clock.now());
        state.next = plan.at.as_second();
        store_state(copy, &state);
        change
    }
}

impl ListState {
    /// Whether the list is due. A time too far in the future comes from a clock that was wrong.
    fn is_due(&self, now: Timestamp) -> bool {
        let latest = now.saturating_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
        self.next <= now.as_second() || self.next > latest.as_second()
    }

    /// The validators of the copy.
    fn validators(&self, has_copy: bool) -> Validators {
        match has_copy {
            true => {
                Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() }
            }
            false => Validators::default(),
        }
    }

    fn visit<'a>(&self, request: Request<'a>, interval: Duration) -> Visit<'a> {
        // A list that was never fetched is not left out for long because of a request that was killed.
        let interval = interval.min(RETRY);
        let schedule = schedule::Settings::default();
        let last = self.last.and_then(|at| Timestamp::from_second(at + 1).ok());
        Visit {
            request,
            by: Asker::List,
            urgency: Urgency::Scheduled { interval, last },
            limits: Limits { at_once: schedule.per_host, spacing: schedule.host_spacing },
            is_shared: false,
            known: None,
        }
    }

    /// The plan of the next fetch, as that of a feed. Counts the failure.
    fn plan(
        &mut self,
        (url, interval): (&Url, Duration),
        outcome: &FetchOutcome,
        freshness: Freshness,
        now: Timestamp,
    ) -> Plan {
        self.failures = if outcome.is_success() { 0 } else { self.failures.saturating_add(1) };
        schedule::plan(&schedule::Inputs {
            settings: &schedule::Settings {
                interval,
                interval_mode: IntervalMode::Fixed,
                ..schedule::Settings::default()
            },
            feed: &FeedId::derive(url),
            outcome,
            failures: self.failures,
            freshness,
            hints: &Hints::default(),
            learned: None,
            unconditional: None,
            promise: None,
            now,
        })
    }
}

/// The received list as OPML; `None` if it is the stored one.
fn new_list(response: Response, kept: Option<&[u8]>) -> Result<Option<String>, String> {
    let body = match (response.outcome, response.body) {
        // A partial response (226) is not a list.
        (_, Some(body)) if response.body_hash.is_some() => body,
        (FetchOutcome::NotModified, _) => return Ok(None),
        (FetchOutcome::Failed(failure), _) => return Err(failure.to_string()),
        (outcome, _) => return Err(format!("the server sent no list: {}", outcome.slug())),
    };
    let list = opml::read(&body.bytes).map_err(|error| error.to_string())?;
    if list.feeds.is_empty() {
        return Err("the list contains no feed that can be polled".to_owned());
    }
    let text = opml::write(&OpmlHead::default(), &list.feeds);
    Ok(Some(text).filter(|text| kept != Some(text.as_bytes())))
}

fn store(copy: &Path, new: Option<String>) -> Result<ListChange, String> {
    let Some(text) = new else { return Ok(ListChange::Unchanged) };
    write(copy, text.as_bytes())?;
    Ok(ListChange::Changed)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(""));
    write_atomically(folder, &name, bytes).map(drop).map_err(|error| error.to_string())
}

fn state_path(copy: &Path) -> PathBuf {
    copy.with_extension("json")
}

/// The stored state; the default, which is due, when it cannot be read.
fn load_state(copy: &Path) -> ListState {
    let text = std::fs::read(state_path(copy)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn store_state(copy: &Path, state: &ListState) {
    let text = serde_json::to_vec(state).unwrap_or_default();
    if let Err(error) = write(&state_path(copy), &text) {
        warn!(error, "state of a list of feeds not stored");
    }
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
