//! What is kept of a list on the web: its last copy, and beside it the validators, the plan and the last failure.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::warn;
use url::Url;

use crate::config::Followed;
use crate::health::{ListFailure, ListStatus};
use crate::model::{Coded, Validators};
use crate::opml::{self, FeedList};
use crate::outputs::write_atomically;
use crate::store::CachedResponse;

/// Longest wait between two requests for a list with a shorter interval: the longest that a server can ask for, and the
/// wait after a 410, which a list never ends with: it may have been sent by mistake.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest wait after a request without a result.
pub(super) const RETRY: Duration = Duration::from_secs(60 * 60);
/// A request that is planned by this much later than the longest wait was planned by a clock that was wrong.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(24);

/// Why a document cannot be used as a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It is not a list, or a damaged one.
    #[error(transparent)]
    Unreadable(#[from] opml::Error),
    /// None of its entries is a feed.
    #[error("the list contains no feed that can be polled")]
    WithoutFeeds,
}

crate::model::codes! {
    ListError:
    Self::WithoutFeeds => "list_without_feeds": "'newswire import' lists the reason for each entry",
    ;
    Self::Unreadable(error) => error,
}

/// Reads a list that is followed.
///
/// # Errors
/// When it cannot be read, or has no feeds.
pub fn read_list(bytes: &[u8]) -> Result<FeedList, ListError> {
    let list = opml::read(bytes)?;
    if list.feeds.is_empty() { Err(ListError::WithoutFeeds) } else { Ok(list) }
}

/// What is known about each followed list on the web. Blocks.
#[must_use]
pub fn list_statuses(lists: &[Followed]) -> Vec<ListStatus> {
    // Two sections may have the same URL.
    let mut urls = HashSet::new();
    let status = |list: &Followed| match list {
        Followed::Web { url, copy, is_known, .. } if urls.insert(url.clone()) => {
            Some(ListState::load(copy).status(url, *is_known))
        }
        Followed::Web { .. } | Followed::File(_) => None,
    };
    lists.iter().filter_map(status).collect()
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

/// The stored state of a list on the web, beside its copy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ListState {
    pub(super) etag: Option<Vec<u8>>,
    pub(super) last_modified: Option<Vec<u8>>,
    /// URL that sent the validators.
    pub(super) url: Option<Url>,
    /// Why the last request failed; `None`: it succeeded, or there was none.
    failure: Option<ListFailure>,
    /// Time of the last request, in seconds since 1970.
    pub(super) last: Option<i64>,
    /// Time of the next request, in seconds since 1970.
    pub(super) next: i64,
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

    /// Plans the next request at this time, or as late as allowed with this interval.
    pub(super) fn plan(&mut self, at: Timestamp, interval: Duration, now: Timestamp) {
        self.next = at.min(latest(interval, now)).as_second();
    }

    /// The interval without a copy: as the feeds of the list are missing, a failed request is soon repeated.
    pub(super) fn soon(&self, interval: Duration) -> Duration {
        if self.failures() > 0 { interval.min(RETRY) } else { interval }
    }

    /// Whether a list with this interval is due.
    pub(super) fn is_due(&self, interval: Duration, now: Timestamp) -> bool {
        let wrong = latest(interval, now).saturating_add(WRONG_CLOCK).unwrap_or(Timestamp::MAX);
        self.next <= now.as_second() || self.next > wrong.as_second()
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

    fn status(self, url: &Url, has_copy: bool) -> ListStatus {
        let time = |second: i64| Timestamp::from_second(second).ok();
        ListStatus {
            url: url.clone(),
            has_copy,
            last_request_at: self.last.and_then(time),
            next_request_at: Some(self.next).filter(|next| *next > 0).and_then(time),
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
    std::fs::read(copy).ok().filter(|bytes| read_list(bytes).is_ok())
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
