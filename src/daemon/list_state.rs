//! What is kept of a list: its last copy, and beside it the last failure, and for a list on the web the validators and
//! the plan.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use url::Url;

use crate::config::{BrokenList, Followed, read_list_file};
use crate::health::{ATTENTION_FAILURES, ListFailure, ListPlace, ListStatus};
use crate::model::{Coded, Considered, FeedId, Hints, Plan, Validators};
use crate::opml::{self, OpmlHead};
use crate::outputs::write_atomically;
use crate::schedule::{self, IntervalMode, LastPoll};
use crate::store::CachedResponse;
use crate::telemetry::Event;

/// Longest wait between two requests for a list with a shorter interval: the longest that a server can ask for, and the
/// wait after a 410, which a list never ends with: it may have been sent by mistake.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest wait after a request without a result.
pub(super) const RETRY: Duration = Duration::from_secs(60 * 60);
/// A request that is planned by this much later than the longest wait was planned by a clock that was wrong.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(24);
/// Time after which a file that is still broken has failed again: a program that writes it has ended.
const WRITING: SignedDuration = SignedDuration::from_mins(1);

/// What is known about each followed list. Blocks.
#[must_use]
pub fn list_statuses(lists: &[Followed], now: Timestamp) -> Vec<ListStatus> {
    // Two sections may have the same list.
    let mut places = HashSet::new();
    let status = |list: &Followed| match list {
        Followed::Web { url, interval, copy, is_known } => {
            ListState::load(copy).status((url, *interval), *is_known)
        }
        Followed::File { path, copy, broken, .. } => ListStatus {
            place: ListPlace::File(path.clone()),
            has_copy: copy.is_file(),
            last_request_at: None,
            next_request_at: None,
            failure: broken.as_ref().map(|why| ListState::load(copy).with(why, now)),
        },
    };
    lists.iter().map(status).filter(|list| places.insert(list.place.clone())).collect()
}

/// Keeps what was read of the lists that are files: a copy of each good one, and since when the others are broken. Returns
/// whether all are good and have a copy. Blocks.
pub fn keep_list_files(lists: &[Followed], now: Timestamp) -> bool {
    let mut copies = HashSet::new();
    let keep = |list: &Followed| match list {
        Followed::File { path, copy, broken, .. } if copies.insert(copy.clone()) => match broken {
            Some(why) => keep_failure(path, copy, (why, now)),
            None => keep_copy(path, copy),
        },
        Followed::File { .. } | Followed::Web { .. } => true,
    };
    lists.iter().map(keep).fold(true, |all, kept| all & kept)
}

/// Replaces the copy of a file if its feeds changed. Returns whether they are kept.
fn keep_copy(path: &Path, copy: &Path) -> bool {
    // A file that changed since it was read is looked at again.
    let Ok(list) = read_list_file(path) else { return true };
    let (text, kept) = (opml::write(&OpmlHead::default(), &list.feeds), read_copy(copy));
    if kept.as_deref() != Some(text.as_bytes()) {
        if let Err(error) = write(copy, text.as_bytes()) {
            warn!(list = %path.display(), error, "copy of a list of feeds not stored");
            return false;
        }
        if kept.is_some() {
            log_changed(path.display());
        }
    }
    let mut state = ListState::load(copy);
    if state.failure.take().is_some() {
        state.store(copy);
    }
    true
}

/// Records that a file is broken. Returns false: it is not good.
fn keep_failure(path: &Path, copy: &Path, (why, now): (&BrokenList, Timestamp)) -> bool {
    let mut state = ListState::load(copy);
    let known = state.failure.as_ref();
    let is_new = known.is_none_or(|known| known.code != why.code || known.text != why.text);
    let failure = state.with(why, now);
    if is_new {
        log_failing(path.display(), &why.text, copy);
    }
    if is_new || known.is_some_and(|known| known.failures != failure.failures) {
        state.failure = Some(failure);
        state.store(copy);
    }
    false
}

/// Logs that a list has other feeds than before.
pub(super) fn log_changed(list: impl fmt::Display) {
    info!(event = Event::ListChanged.slug(), %list, "list of feeds changed");
}

/// Logs the failure of a list with this copy.
pub(super) fn log_failing(list: impl fmt::Display, text: &str, copy: &Path) {
    let (event, has_copy) = (Event::ListFailing.slug(), read_copy(copy).is_some());
    warn!(event, %list, text, has_copy, "list of feeds not updated");
}

/// Settings of the plan of a list with this interval.
pub(super) fn schedule_of(interval: Duration) -> schedule::Settings {
    let interval_mode = IntervalMode::Fixed;
    schedule::Settings { interval, interval_mode, ..schedule::Settings::default() }
}

/// The last good response of a list on the web that has a copy, with which a command makes its request conditional.
/// Blocks.
#[must_use]
pub fn list_response(list: &Followed) -> Option<(&Url, CachedResponse)> {
    let Followed::Web { url, copy, is_known: true, .. } = list else { return None };
    let ListState { etag, last_modified, url: sender, .. } = ListState::load(copy);
    let validators = Validators { etag, last_modified };
    let sender = sender.map(String::from);
    Some((url, CachedResponse { validators, url: sender, ..CachedResponse::default() }))
}

/// The stored state of a list, beside its copy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ListState {
    pub(super) etag: Option<Vec<u8>>,
    pub(super) last_modified: Option<Vec<u8>>,
    /// URL that sent the validators.
    pub(super) url: Option<Url>,
    /// Why the list cannot be used; `None`: it can, or it was not requested yet.
    failure: Option<ListFailure>,
    /// Time of the last request, in seconds since 1970.
    pub(super) last: Option<i64>,
    /// Time of the next request, in seconds since 1970.
    pub(super) next: i64,
    /// Inputs of the plan of the next request; empty if a promise determined its time.
    considered: Vec<Considered>,
}

impl ListState {
    /// The stored state; the default, which is due, when it cannot be read.
    pub(super) fn load(copy: &Path) -> Self {
        let text = std::fs::read(path_beside(copy)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Stores the state; a failure is logged.
    pub(super) fn store(&self, copy: &Path) {
        let text = serde_json::to_vec(self).unwrap_or_default();
        if let Err(error) = write(&path_beside(copy), &text) {
            warn!(error, "state of a list of feeds not stored");
        }
    }

    /// Plans the next request, not later than allowed with this interval.
    pub(super) fn plan(&mut self, plan: Plan, interval: Duration, now: Timestamp) {
        self.next = plan.at.min(latest(interval, now)).as_second();
        self.considered = plan.considered;
    }

    /// Plans the next request for the end of a promise.
    pub(super) fn hold(&mut self, until: Timestamp) {
        (self.next, self.considered) = (until.as_second(), Vec::new());
    }

    /// Time of the next request in seconds since 1970. As with feeds, a changed interval counts from the last request.
    fn next_at(&self, url: &Url, interval: Duration) -> i64 {
        let settings = schedule_of(interval);
        let at = self.last.and_then(|at| Timestamp::from_second(at).ok());
        let last = at.map(|at| LastPoll { at, considered: &self.considered });
        match last.filter(|last| last.is_outdated(&settings)) {
            Some(last) => {
                let id = FeedId::derive(url);
                let plan = schedule::revise(&settings, &id, &last, &Hints::default(), None);
                plan.at.min(latest(interval, last.at)).as_second()
            }
            None => self.next,
        }
    }

    /// The interval without a copy: as the feeds of the list are missing, a failed request is soon repeated.
    pub(super) fn soon(&self, interval: Duration) -> Duration {
        if self.failures() > 0 { interval.min(RETRY) } else { interval }
    }

    /// Whether a list with this URL and this interval is due.
    pub(super) fn is_due(&self, (url, interval): (&Url, Duration), now: Timestamp) -> bool {
        let wrong = latest(interval, now).saturating_add(WRONG_CLOCK).unwrap_or(Timestamp::MAX);
        let next = self.next_at(url, interval);
        next <= now.as_second() || next > wrong.as_second()
    }

    /// Whether the list was read, and its copy was lost or damaged since.
    pub(super) fn has_lost(&self, copy: &Path) -> bool {
        self.last.is_some() && self.failure.is_none() && read_copy(copy).is_none()
    }

    /// The validators of the copy; none without one.
    pub(super) fn validators_of(&self, copy: Option<&[u8]>) -> Validators {
        let of_copy =
            |_| Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() };
        copy.map(of_copy).unwrap_or_default()
    }

    /// Number of failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failure.as_ref().map_or(0, |failure| failure.failures)
    }

    /// Records that the list was fetched and read.
    pub(super) fn succeeded(&mut self) {
        self.failure = None;
    }

    /// Records a failure with its code and its text.
    pub(super) fn failed(&mut self, (code, text): (&str, String), now: Timestamp) {
        let since = self.failure.as_ref().map_or(now, |failure| failure.since.min(now));
        let failures = self.failures().saturating_add(1);
        self.failure = Some(ListFailure { code: code.to_owned(), text, since, failures });
    }

    /// The failure of a file that is broken, which may have begun earlier.
    fn with(&self, why: &BrokenList, now: Timestamp) -> ListFailure {
        let since = self.failure.as_ref().map_or(now, |failure| failure.since.min(now));
        let is_lasting = now.duration_since(since) >= WRITING;
        let failures = if is_lasting { ATTENTION_FAILURES } else { self.failures().max(1) };
        ListFailure { code: why.code.to_owned(), text: why.text.clone(), since, failures }
    }

    fn status(self, (url, interval): (&Url, Duration), has_copy: bool) -> ListStatus {
        let time = |second: i64| Timestamp::from_second(second).ok();
        let next = self.next_at(url, interval);
        ListStatus {
            place: ListPlace::Web(url.clone()),
            has_copy,
            last_request_at: self.last.and_then(time),
            next_request_at: Some(next).filter(|next| *next > 0).and_then(time),
            failure: self.failure,
        }
    }
}

/// The latest time of the next request for a list with this interval.
fn latest(interval: Duration, now: Timestamp) -> Timestamp {
    let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
    now.saturating_add(interval.max(LONGEST_WAIT)).unwrap_or(Timestamp::MAX)
}

/// The copy of a list, if it is valid; a list with a damaged one is requested whole.
pub(super) fn read_copy(copy: &Path) -> Option<Vec<u8>> {
    std::fs::read(copy).ok().filter(|bytes| opml::read_followed(bytes).is_ok())
}

/// Replaces a file beside the database.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(""));
    write_atomically(folder, &name, bytes).map(drop).map_err(|error| error.to_string())
}

/// Path of the state of a list with this copy.
fn path_beside(copy: &Path) -> PathBuf {
    copy.with_extension("json")
}

/// Code and text of an error, as [`ListState::failed`] takes them.
pub(super) fn code_and_text(error: &impl Coded) -> (&'static str, String) {
    (error.code(), error.to_string())
}
