//! What is kept of a list on the web: its last copy, and beside it the validators, the plan and the last failure.

use std::path::{Path, PathBuf};

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

/// Longest wait that the plan of a list can have, with jitter. A later time comes from a clock that was wrong.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(8 * 24);

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
    let status = |list: &Followed| match list {
        Followed::Web { url, copy, .. } => Some(ListState::load(copy).status(url, copy)),
        Followed::File(_) => None,
    };
    lists.iter().filter_map(status).collect()
}

/// The last good response of a list on the web that has a copy, with which a command makes its request conditional.
/// Blocks.
#[must_use]
pub fn list_response(list: &Followed) -> Option<(&Url, CachedResponse)> {
    let Followed::Web { url, copy, .. } = list else { return None };
    if !copy.is_file() {
        return None;
    }
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

    /// Whether the list is due. A time too far in the future comes from a clock that was wrong.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let latest = now.saturating_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
        self.next <= now.as_second() || self.next > latest.as_second()
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

    fn status(self, url: &Url, copy: &Path) -> ListStatus {
        let time = |second: i64| Timestamp::from_second(second).ok();
        ListStatus {
            url: url.clone(),
            has_copy: copy.is_file(),
            last_request_at: self.last.and_then(time),
            next_request_at: Some(self.next).filter(|next| *next > 0).and_then(time),
            failure: self.failure,
        }
    }
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
