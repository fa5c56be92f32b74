//! An HTTP client with its resolver and guard, and the connections that it probably keeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use url::{Origin, Url};

use super::resolve::GuardedResolver;

/// How long an idle connection is kept for other feeds of the same host. Short, because a poll cycle may
/// contact thousands of hosts.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Largest number of origins that are remembered.
const MAX_ORIGINS: usize = 1024;

/// What a request is sent with. Feeds with the same certificates, networks and proxy share one.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) client: Client,
    pub(crate) resolver: GuardedResolver,
    pub(crate) kept: Arc<KeptConnections>,
}

/// Origins to which the client may have an idle connection, with the time of the last exchange.
#[derive(Debug, Default)]
pub(crate) struct KeptConnections(Mutex<HashMap<Origin, Timestamp>>);

impl KeptConnections {
    /// Records that an exchange with the origin of this URL ended well.
    pub(crate) fn insert(&self, url: &Url, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_ORIGINS {
            kept.retain(|_, at| is_recent(*at, now));
        }
        kept.insert(url.origin(), now);
    }

    /// Whether the next request to this URL may use a kept connection. That request is the only user of it.
    pub(crate) fn take(&self, url: &Url, now: Timestamp) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&url.origin()).is_some_and(|at| is_recent(at, now))
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let limit = SignedDuration::try_from(KEEP_ALIVE).unwrap_or(SignedDuration::MAX);
    now.duration_since(at).abs() <= limit
}
