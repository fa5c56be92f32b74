//! Follows lists of feeds: asks for those on the web when they are due and keeps the last good copy,
//! and tells when a list has changed. Leaves what is in them to `config`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{info, warn};
use url::Url;

use super::remote::{Remote, Verdict};
use super::setup::Lists;
use crate::clock::Clock;
use crate::config::Followed;
use crate::fetch::{self, Fetcher, FetcherError, Request, Resolver, Response};
use crate::model::{FetchOutcome, Validators};
use crate::opml::{self, Head};
use crate::outputs::write_atomically;
use crate::telemetry::Event;

/// How often files are looked at, and whether a list on the web is due.
const LOOK: Duration = Duration::from_secs(60);
/// A list that could not be had is asked for again after so long.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Which lists on the web are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Those that are due.
    Due,
    /// Of these, those of which there is no copy yet.
    Missing,
}

/// What asking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Every list is as it was.
    Same,
    /// There is a new copy of one.
    New,
}

/// Asks for lists.
#[derive(Debug)]
pub struct Follower {
    fetcher: Fetcher,
    clock: Clock,
}

/// What is remembered of a list beside its copy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
    /// When it is due, in seconds since 1970.
    next: i64,
}

/// How the files among the lists looked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen(Vec<Option<(SystemTime, u64)>>);

impl Follower {
    /// One that asks as feeds are asked, the guard and the limits included.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(clock: Clock, resolver: Arc<dyn Resolver>) -> Result<Self, FetcherError> {
        Ok(Self { fetcher: Fetcher::new(resolver)?, clock })
    }

    /// Asks for lists on the web; one that cannot be had stays as it was kept, and is told in the log.
    pub async fn ask(&self, lists: &Lists, which: Ask) -> Freshness {
        let (followed, settings) = lists;
        let mut change = Freshness::Same;
        for list in followed {
            let Followed::Web { url, interval, copy } = list else { continue };
            let kept = std::fs::read(copy).ok();
            let memory = recall(copy);
            let due = memory.next <= self.clock.now().as_second();
            if due && (which == Ask::Due || kept.is_none()) {
                let new = self.one((url, *interval), settings, copy, (kept, memory)).await;
                change = if new == Freshness::New { new } else { change };
            }
        }
        change
    }

    /// Has the config read again whenever a list has become different. Never returns.
    pub(crate) async fn follow(self, mut lists: watch::Receiver<Arc<Lists>>, remote: Remote) {
        let mut current = Arc::clone(&lists.borrow_and_update());
        let mut seen = Seen::now(&current.0);
        loop {
            tokio::select! {
                () = self.changed(&current, &mut seen) => self.reload(&remote).await,
                changed = lists.changed() => if changed.is_err() { return },
            }
            let before = std::mem::replace(&mut current, Arc::clone(&lists.borrow_and_update()));
            if before.0 != current.0 {
                seen = Seen::now(&current.0);
            }
        }
    }

    /// Has the config read again; what failed for a reason that may pass is tried until it does.
    async fn reload(&self, remote: &Remote) {
        while let Verdict::Failed(_) = remote.reload().await {
            self.clock.sleep_until(self.clock.elapsed() + LOOK).await;
        }
    }

    /// Returns when a list has become different from how it was `seen`.
    async fn changed(&self, lists: &Lists, seen: &mut Seen) {
        if lists.0.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let fresh = self.ask(lists, Ask::Due).await;
            // As it is before anybody reads it: what changes while it is read is another change.
            let before = std::mem::replace(seen, Seen::now(&lists.0));
            if fresh == Freshness::New || before != *seen {
                return;
            }
            self.clock.sleep_until(self.clock.elapsed() + LOOK).await;
        }
    }

    async fn one(
        &self,
        (url, interval): (&Url, Duration),
        settings: &fetch::Settings,
        copy: &Path,
        (kept, mut memory): (Option<Vec<u8>>, Memory),
    ) -> Freshness {
        let now = self.clock.now();
        let validators = match &kept {
            Some(_) => Validators {
                etag: memory.etag.clone(),
                last_modified: memory.last_modified.clone(),
            },
            None => Validators::default(),
        };
        let known_body = None;
        let request = Request { url, validators: &validators, known_body, settings, now };
        let mut response = self.fetcher.fetch(request).await;
        let told = response.validators.take();
        let answer = judged(response, kept.as_deref());
        let wait = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        let (wait, change) = match answer.and_then(|new| keep(copy, new)) {
            Ok(change) => {
                if let Some(Validators { etag, last_modified }) = told {
                    (memory.etag, memory.last_modified) = (etag, last_modified);
                }
                if change == Freshness::New {
                    let event = Event::ListChanged.slug();
                    info!(event, list = url.as_str(), "{url}: the list of feeds has changed");
                }
                (wait, change)
            }
            Err(why) => {
                let now = if kept.is_some() { "its last copy holds" } else { "there is no copy" };
                let event = Event::ListFailing.slug();
                warn!(event, list = url.as_str(), "{url}: the list of feeds: {why}: {now}");
                (wait.min(AGAIN), Freshness::Same)
            }
        };
        memory.next = now.saturating_add(wait).unwrap_or(Timestamp::MAX).as_second();
        remember(copy, &memory);
        change
    }
}

/// The list that came, if it is a new one.
fn judged(response: Response, kept: Option<&[u8]>) -> Result<Option<String>, String> {
    let body = match (response.outcome, response.body) {
        // A part of a list (226) is none.
        (_, Some(body)) if response.body_hash.is_some() => body,
        (FetchOutcome::NotModified, _) => return Ok(None),
        (FetchOutcome::Failed(failure), _) => return Err(failure.to_string()),
        (outcome, _) => return Err(format!("the server sends no list: {}", outcome.slug())),
    };
    let list = opml::read(&body.bytes).map_err(|error| error.to_string())?;
    if list.entries.is_empty() {
        return Err("there is no feed in it that newswire can take".to_owned());
    }
    let text = opml::write(&Head::default(), &list.entries);
    Ok(Some(text).filter(|text| kept != Some(text.as_bytes())))
}

fn keep(copy: &Path, new: Option<String>) -> Result<Freshness, String> {
    let Some(text) = new else { return Ok(Freshness::Same) };
    write(copy, text.as_bytes())?;
    Ok(Freshness::New)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(""));
    write_atomically(folder, &name, bytes).map(drop).map_err(|error| error.to_string())
}

fn memory_of(copy: &Path) -> PathBuf {
    copy.with_extension("json")
}

/// What cannot be read is asked for anew.
fn recall(copy: &Path) -> Memory {
    let text = std::fs::read(memory_of(copy)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn remember(copy: &Path, memory: &Memory) {
    let text = serde_json::to_vec(memory).unwrap_or_default();
    if let Err(error) = write(&memory_of(copy), &text) {
        warn!("{error}");
    }
}

impl Seen {
    /// How they look now.
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
