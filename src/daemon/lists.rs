//! Follows lists of feeds: fetches lists on the web when they are due, looks whether files changed, keeps the last good
//! copy of each, and reloads the config when a list changed. `config` reads the content of the lists.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tracing::{debug, warn};
use url::Url;

use super::handle::{DaemonHandle, ReloadResult};
use super::list_state::{
    ListState, RETRY, code_and_text, keep_list_files, list_statuses, log_changed, log_failing,
    read_copy, schedule_of, write,
};
use super::setup::FollowedLists;
use crate::clock::Clock;
use crate::config::{Followed, read_list_file};
use crate::fetch::{self, Request, Response, Wanted};
use crate::files::FileStamp;
use crate::health::ListStatus;
use crate::model::{
    Asker, Failure, FailureKind, FeedId, FetchOutcome, Freshness, Hints, Plan, Validators,
};
use crate::opml::{self, OpmlHead};
use crate::poll::{Answer, FinishedExchange, Gate, Limits, Urgency, Visit};
use crate::schedule;
use crate::telemetry::{Problem, Readiness};

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

/// Which lists on the web are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSelection {
    /// Those that are due.
    Due,
    /// All, like feeds that a command polls: not twice within [`crate::poll::COMMAND_GAP`], and demands of servers are kept.
    All,
}

/// Fetches and follows lists.
#[derive(Debug, Clone)]
pub struct ListFollower {
    gate: Gate,
    clock: Clock,
}

impl ListFollower {
    /// A follower whose requests pass this gate.
    #[must_use]
    pub fn new(gate: Gate, clock: Clock) -> Self {
        Self { gate, clock }
    }

    /// Fetches lists on the web, at the same time within the limits of their sites. A list that cannot be fetched keeps
    /// its copy; the failure is logged and stored.
    pub async fn fetch(&self, lists: &FollowedLists, selection: ListSelection) -> ListChange {
        let requests = self.requests(lists, selection, HashSet::new()).await;
        let fetches = requests.into_iter().map(|list| self.fetch_one(list, &lists.fetch));
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
        let mut current = Current::of(Arc::clone(&lists.borrow_and_update()));
        let mut fetches = Fetches::default();
        let mut selection = ListSelection::Due;
        loop {
            fetches.start(&self, &current.lists, selection).await;
            current.keep(&readiness, self.clock.now()).await;
            selection = ListSelection::Due;
            let change = tokio::select! {
                change = fetches.ended() => change,
                () = self.next_check(&current.lists) => ListChange::Unchanged,
                () = handle.lists_requested() => {
                    selection = ListSelection::All;
                    ListChange::Unchanged
                }
                changed = lists.changed() => match changed {
                    Ok(()) => ListChange::Unchanged,
                    Err(_) => return,
                },
            };
            current.replace(&lists.borrow_and_update());
            if current.look().await == ListChange::Changed || change == ListChange::Changed {
                self.reload(&handle).await;
                current.replace(&lists.borrow_and_update());
            }
        }
    }

    /// The lists on the web that are requested now, except those with the copies `but`.
    async fn requests(
        &self,
        lists: &FollowedLists,
        selection: ListSelection,
        but: HashSet<PathBuf>,
    ) -> Vec<ListRequest> {
        let (lists, now) = (lists.lists.clone(), self.clock.now());
        let requests = blocking(move || requests(&lists, selection, but, now)).await;
        requests.unwrap_or_default()
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

    async fn fetch_one(&self, mut list: ListRequest, settings: &fetch::Settings) -> ListChange {
        let (url, from) = (list.url.clone(), list.state.url.clone());
        let validators = list.state.validators_of(list.kept.as_deref());
        let request = Request {
            url: &url,
            wanted: Wanted::Feed,
            validators: &validators,
            validators_from: from.as_ref(),
            known_body: None,
            known_lifetime: None,
            settings,
            now: self.clock.now(),
        };
        let finished = self.visit(list.visit(request)).await;
        let now = self.clock.now();
        let taken = match finished {
            Ok(finished) => blocking(move || list.take(finished, now)).await,
            // Its plan stays.
            Err(_) if !list.is_due => None,
            Err(until) => {
                list.state.hold(until.unwrap_or(now));
                blocking(move || list.state.store(&list.copy)).await;
                None
            }
        };
        taken.unwrap_or(ListChange::Unchanged)
    }
}

/// Runs work that blocks; `None`: it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    task::spawn_blocking(work).await.ok()
}

/// The lists that a daemon follows.
#[derive(Debug)]
struct Current {
    lists: Arc<FollowedLists>,
    files: SeenFiles,
    /// Whether all files are good and have a copy.
    is_kept: bool,
}

impl Current {
    fn of(lists: Arc<FollowedLists>) -> Self {
        let files = SeenFiles::of(&lists.lists);
        Self { lists, files, is_kept: false }
    }

    /// Replaces the lists if a config was applied since.
    fn replace(&mut self, lists: &Arc<FollowedLists>) {
        if !Arc::ptr_eq(&self.lists, lists) {
            *self = Self::of(Arc::clone(lists));
        }
    }

    /// Keeps copies of files and their failures, and reports whether a list needs attention.
    async fn keep(&mut self, readiness: &Readiness, now: Timestamp) {
        let (lists, is_kept) = (Arc::clone(&self.lists), self.is_kept);
        let work = move || {
            let is_kept = is_kept || keep_list_files(&lists.lists, now);
            let mut lists = list_statuses(&lists.lists, now).into_iter();
            (is_kept, lists.any(|list| ListStatus::needs_attention(&list)))
        };
        let Some((is_kept, is_failing)) = blocking(work).await else { return };
        self.is_kept = is_kept;
        match is_failing {
            true => readiness.add(Problem::ListFailing),
            false => readiness.remove(Problem::ListFailing),
        }
    }

    /// Whether a file changed since the last look, or since the config was read.
    async fn look(&mut self) -> ListChange {
        let before = self.files.clone();
        let Some(now) = blocking(move || before.look()).await else { return ListChange::Unchanged };
        match std::mem::replace(&mut self.files, now.clone()) == now {
            true => ListChange::Unchanged,
            false => ListChange::Changed,
        }
    }
}

/// The lists that are files, by their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SeenFiles(HashMap<PathBuf, SeenFile>);

/// What was seen of a list that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SeenFile {
    stamp: Option<FileStamp>,
    is_good: bool,
}

impl SeenFiles {
    /// As they were when the config was read.
    fn of(lists: &[Followed]) -> Self {
        let file = |list: &Followed| match list {
            Followed::File { path, stamp, broken, .. } => {
                let seen = SeenFile { stamp: *stamp, is_good: broken.is_none() };
                Some((path.clone(), seen))
            }
            Followed::Web { .. } => None,
        };
        Self(lists.iter().filter_map(file).collect())
    }

    /// As they are now. A broken file is read again: what keeps it from being read may not be the file. Blocks.
    fn look(self) -> Self {
        let look = |(path, before): (PathBuf, SeenFile)| {
            let stamp = FileStamp::of(&path);
            let is_same = before.is_good && before.stamp == stamp;
            let is_good = is_same || read_list_file(&path).is_ok();
            (path, SeenFile { stamp, is_good })
        };
        Self(self.0.into_iter().map(look).collect())
    }
}

/// Requests that are under way. A slow one does not delay the use of the others.
#[derive(Debug, Default)]
struct Fetches {
    tasks: JoinSet<ListChange>,
    /// The copy of the list of each task.
    copies: HashMap<task::Id, PathBuf>,
    /// Monotonic times of the last requests, by copy. A list whose state cannot be stored stays due.
    begun: HashMap<PathBuf, Duration>,
}

impl Fetches {
    /// Starts requests; for no list that is due more often than the lists are checked.
    async fn start(
        &mut self,
        follower: &ListFollower,
        lists: &Arc<FollowedLists>,
        selection: ListSelection,
    ) {
        let now = follower.clock.elapsed();
        self.begun.retain(|_, begun| now < *begun + CHECK_INTERVAL);
        let mut but: HashSet<PathBuf> = self.copies.values().cloned().collect();
        if selection == ListSelection::Due {
            but.extend(self.begun.keys().cloned());
        }
        for list in follower.requests(lists, selection, but).await {
            let (follower, lists, copy) = (follower.clone(), Arc::clone(lists), list.copy.clone());
            let fetch = async move { follower.fetch_one(list, &lists.fetch).await };
            let id = self.tasks.spawn(fetch).id();
            self.copies.insert(id, copy.clone());
            self.begun.insert(copy, now);
        }
    }

    /// The result of the requests that have ended; waits for the next one, forever if no request runs.
    async fn ended(&mut self) -> ListChange {
        let Some(first) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let mut change = self.end(first);
        while let Some(next) = self.tasks.try_join_next_with_id() {
            change =
                if self.end(next) == ListChange::Changed { ListChange::Changed } else { change };
        }
        change
    }

    fn end(&mut self, ended: Result<(task::Id, ListChange), JoinError>) -> ListChange {
        let (id, change) = ended.unwrap_or_else(|error| (error.id(), ListChange::Unchanged));
        self.copies.remove(&id);
        change
    }
}

/// A list on the web that is requested now.
#[derive(Debug)]
struct ListRequest {
    url: Url,
    interval: Duration,
    copy: PathBuf,
    state: ListState,
    /// Content of the copy; `None`: it is missing or damaged.
    kept: Option<Vec<u8>>,
    /// Whether it is due; otherwise a command requests it.
    is_due: bool,
}

/// The lists that are requested now. Blocks.
fn requests(
    lists: &[Followed],
    selection: ListSelection,
    mut copies: HashSet<PathBuf>,
    now: Timestamp,
) -> Vec<ListRequest> {
    let request = |list: &Followed| {
        let Followed::Web { url, interval, copy, is_known } = list else { return None };
        // Two sections may have the same URL.
        if !copies.insert(copy.clone()) {
            return None;
        }
        let (url, interval, state) = (url.clone(), *interval, ListState::load(copy));
        let is_due = state.is_due((&url, interval), now) || !is_known && state.has_lost(copy);
        let (kept, copy) = (read_copy(copy), copy.clone());
        let is_selected = is_due || selection == ListSelection::All;
        is_selected.then_some(ListRequest { url, interval, copy, state, kept, is_due })
    };
    lists.iter().filter_map(request).collect()
}

impl ListRequest {
    fn visit<'a>(&self, request: Request<'a>) -> Visit<'a> {
        // A list that was never fetched is not left out for long because of a request that was killed.
        let interval = self.interval.min(RETRY);
        let schedule = schedule::Settings::default();
        let last = self.state.last.and_then(|at| Timestamp::from_second(at + 1).ok());
        Visit {
            request,
            by: Asker::List,
            urgency: match self.is_due {
                true => Urgency::Scheduled { interval, last },
                false => Urgency::Command,
            },
            limits: Limits { at_once: schedule.per_host, spacing: schedule.host_spacing },
            is_shared: false,
            known: None,
        }
    }

    /// Takes what was received: replaces the copy, plans the next request, and stores the state. Blocks.
    fn take(self, finished: FinishedExchange, now: Timestamp) -> ListChange {
        let Self { url, interval, copy, mut state, kept, .. } = self;
        let FinishedExchange { mut response, asked_at, .. } = finished;
        state.last = asked_at.map(Timestamp::as_second).or(state.last);
        let (validators, freshness) = (response.validators.take(), response.freshness);
        let (sender, mut outcome) = (response.url.clone(), response.outcome.clone());
        let list = new_list(response, kept.as_deref());
        let change = match list.and_then(|new| replace(&copy, new)) {
            Ok(change) => {
                if let Some(Validators { etag, last_modified }) = validators {
                    (state.etag, state.last_modified) = (etag, last_modified);
                    state.url = Some(sender);
                }
                state.succeeded();
                if change == ListChange::Changed {
                    log_changed(&url);
                }
                change
            }
            Err((code, text)) => {
                log_failing(&url, &text, &copy);
                if outcome.is_success() {
                    let failure = Failure::new(FailureKind::NotAFeed, text.as_str());
                    outcome = FetchOutcome::Failed(failure);
                }
                state.failed((code, text), now);
                ListChange::Unchanged
            }
        };
        let outcome = (&outcome, state.failures());
        let soon = if kept.is_none() { state.soon(interval) } else { interval };
        state.plan(plan((&url, soon), outcome, freshness, now), interval, now);
        state.store(&copy);
        change
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
        settings: &schedule_of(interval),
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
    let list = opml::read_followed(&body.bytes).map_err(|error| code_and_text(&error))?;
    let text = opml::write(&OpmlHead::default(), &list.feeds);
    Ok(Some(text).filter(|text| kept != Some(text.as_bytes())))
}

/// Replaces the copy by a new list.
fn replace(copy: &Path, new: Option<String>) -> Result<ListChange, Failed> {
    let Some(text) = new else { return Ok(ListChange::Unchanged) };
    write(copy, text.as_bytes()).map_err(|text| ("file_unwritable", text))?;
    Ok(ListChange::Changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Fetcher, SystemResolver};
    use crate::poll::Ledger;

    #[tokio::test]
    async fn a_list_whose_state_cannot_be_stored_is_requested_once_in_a_check() {
        let folder = tempfile::tempdir().unwrap();
        let blocker = folder.path().join("lists");
        std::fs::write(&blocker, "").unwrap();
        let clock = Clock::manual("2026-11-01T12:00:00Z".parse().unwrap());
        let fetcher = Arc::new(Fetcher::new(Arc::new(SystemResolver::new())).unwrap());
        let ledger = Ledger::beside(&folder.path().join("newswire.db"));
        let follower = ListFollower::new(Gate::new(fetcher, ledger, clock.clone()), clock.clone());
        let list = Followed::Web {
            // The guard refuses it without a request.
            url: Url::parse("http://127.0.0.1:9/list.opml").unwrap(),
            interval: Duration::from_secs(86_400),
            copy: blocker.join("list.opml"),
            is_known: true,
        };
        let lists =
            Arc::new(FollowedLists { lists: vec![list], fetch: fetch::Settings::default() });
        let mut fetches = Fetches::default();
        for (selection, seconds, requests) in [
            (ListSelection::Due, 0, 1),
            (ListSelection::Due, 59, 0),
            (ListSelection::Due, 1, 1),
            (ListSelection::All, 30, 1),
        ] {
            clock.advance(Duration::from_secs(seconds));
            fetches.start(&follower, &lists, selection).await;
            assert_eq!(fetches.tasks.len(), requests, "{selection:?} {seconds}");
            if requests > 0 {
                assert_eq!(fetches.ended().await, ListChange::Unchanged);
            }
        }
    }
}
