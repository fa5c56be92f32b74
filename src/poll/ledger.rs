//! The ledger of promises: reads it before a request, writes each request before it is sent, and decides which promises a
//! response leads to.
//!
//! Requests that begin at about the same time are read about in one transaction, and written in one.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::batch::Batch;
use crate::fetch::Response;
use crate::model::{
    Asked, FetchOutcome, Freshness, LedgerEntry, Promise, PromiseReason, PromiseScope,
};
use crate::store::{self, OpenError, Reader, SharedDocument, Store, Transaction, Write};

/// The ledger of one database. Clones share it.
#[derive(Debug, Clone)]
pub struct Ledger {
    place: Place,
    /// URLs with their sites that wait to be read.
    entries: Batch<(String, String), Result<LedgerEntry, store::Error>>,
    /// Requests that wait to be written.
    requests: Batch<Asked, Result<(), store::Error>>,
}

/// Where the ledger is.
#[derive(Debug, Clone)]
enum Place {
    /// The database of this process.
    Store(Arc<Store>),
    /// A database that another process may have open. Without a file, nothing is known and nothing is written.
    Beside(Arc<Path>),
}

impl Ledger {
    fn new(place: Place) -> Self {
        Self { place, entries: Batch::default(), requests: Batch::default() }
    }

    /// The ledger in the database of this process.
    #[must_use]
    pub fn of_store(store: Arc<Store>) -> Self {
        Self::new(Place::Store(store))
    }

    /// The ledger in a database that another process may have open.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        Self::new(Place::Beside(database.into()))
    }

    /// Whether promises reach it with the polls of this process.
    pub(super) fn is_of_polls(&self) -> bool {
        matches!(self.place, Place::Store(_))
    }

    /// What is known about a URL and its site.
    pub(super) async fn entry(&self, url: &str, host: &str) -> Result<LedgerEntry, store::Error> {
        let ledger = self.clone();
        let read = move |keys| {
            let ledger = ledger.clone();
            async move { ledger.entries(keys).await }
        };
        let key = (url.to_owned(), host.to_owned());
        self.entries.ask(key, read).await.ok_or(store::Error::Closed)?
    }

    /// What is known about each of these URLs and its site, in the same order.
    async fn entries(&self, keys: Vec<(String, String)>) -> Vec<Result<LedgerEntry, store::Error>> {
        let number = keys.len();
        let read = self.read(move |reader| {
            Ok(keys.iter().map(|(url, host)| reader.ledger_entry(url, host)).collect::<Vec<_>>())
        });
        let mut entries = match read.await {
            Ok(entries) => entries,
            Err(error) => vec![Err(error); number],
        };
        // Without a database nothing is known.
        entries.resize_with(number, || Ok(LedgerEntry::default()));
        entries
    }

    /// The promises of these scopes that have not ended.
    pub(super) async fn open_promises(
        &self,
        scopes: &'static [PromiseScope],
        now: Timestamp,
    ) -> Result<Vec<Promise>, store::Error> {
        self.read(move |reader| reader.open_promises(scopes, now)).await
    }

    /// The promises about one key, also those that have ended.
    pub(super) async fn promises_about(
        &self,
        scope: PromiseScope,
        key: String,
    ) -> Result<Vec<Promise>, store::Error> {
        self.read(move |reader| reader.promises_about(scope, &key)).await
    }

    /// The document of a URL that several feeds are read from.
    pub(super) async fn shared_document(
        &self,
        url: &Url,
    ) -> Result<Option<SharedDocument>, store::Error> {
        let url = url.to_string();
        self.read(move |reader| reader.shared_document(&url)).await
    }

    /// Keeps a document for the feed that is about to be added.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn share(&self, document: SharedDocument) -> Result<(), store::Error> {
        self.write(Write::Share(Box::new(document))).await
    }

    async fn read<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, store::Error> {
        let place = self.place.clone();
        let read = move || match place {
            Place::Store(store) => store.reader().read(work),
            Place::Beside(path) => match Reader::open(&path) {
                Ok(reader) => reader.read(work),
                Err(OpenError::Missing { .. }) => Ok(T::default()),
                Err(error) => Err(error.into()),
            },
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| store::Error::Closed)?
    }

    /// Stores promises; returns when they are on disk.
    pub(super) async fn promise(&self, promises: Vec<Promise>) -> Result<(), store::Error> {
        match promises.is_empty() {
            true => Ok(()),
            false => self.write(Write::Promises(promises)).await,
        }
    }

    /// Writes a request; returns when it is written.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn asked(&self, asked: Asked) -> Result<(), store::Error> {
        let ledger = self.clone();
        let write = move |asked: Vec<Asked>| {
            let ledger = ledger.clone();
            async move {
                let requests = asked.len();
                vec![ledger.write(Write::Asked(asked)).await; requests]
            }
        };
        self.requests.ask(asked, write).await.ok_or(store::Error::Closed)?
    }

    async fn write(&self, write: Write) -> Result<(), store::Error> {
        let path = match &self.place {
            Place::Store(store) => return store.write(write).await.map(drop),
            Place::Beside(path) => Arc::clone(path),
        };
        let work = move || match store::transact(&path, |transaction| transaction.apply(&write)) {
            Ok(result) => result.map(drop),
            Err(OpenError::Missing { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| store::Error::Closed)?
    }
}

/// Longest wait that a server can ask for.
const LONGEST_DEMAND: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest freshness lifetime that is written: the default of `max_interval`.
const LONGEST_FRESH: SignedDuration = SignedDuration::from_hours(24);
/// Wait after a 429 without `Retry-After`. The plan of the feed adds its back-off.
const THROTTLED: SignedDuration = SignedDuration::from_mins(30);
/// Wait of a site after the third URL with a 5xx.
const SERVER_ERRORS: SignedDuration = SignedDuration::from_mins(60);
/// Number of other URLs of a site with a 5xx, within the time of [`THROTTLED_TOGETHER`], that hold it.
const OTHERS_FAILED: usize = 2;
/// If two URLs of one site are throttled within this time, the limit is the site's; the same for two sites of one
/// address.
const THROTTLED_TOGETHER: SignedDuration = SignedDuration::from_mins(10);

/// One response of an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) url: &'a Url,
    /// Site of the URL.
    pub(super) host: &'a str,
    /// `None` behind a proxy.
    pub(super) address: Option<IpAddr>,
    /// `None`: a redirect, or no response. See [`status`].
    pub(super) status: Option<u16>,
    pub(super) freshness: Freshness,
}

impl Answered<'_> {
    /// Whether the server asked for fewer requests. RFC 6585 4, RFC 9110 15.6.4.
    pub(super) fn is_throttled(&self) -> bool {
        match self.status {
            Some(429) => true,
            Some(503) => self.freshness.retry_after.is_some(),
            _ => false,
        }
    }
}

/// The status of a response. A request that HTTP/2 throttled has none, and counts as a 429.
pub(super) fn status(response: &Response) -> Option<u16> {
    match response.outcome {
        FetchOutcome::Throttled => response.status.or(Some(429)),
        _ => response.status,
    }
}

/// Promises of before this time do not count together with those of `now`.
pub(super) fn recent_since(now: Timestamp) -> Timestamp {
    now.saturating_sub(THROTTLED_TOGETHER).unwrap_or(Timestamp::MIN)
}

/// The promises of one response. `known` has those about its site and its address.
pub(super) fn promises_of(
    answered: &Answered<'_>,
    known: &[Promise],
    now: Timestamp,
) -> Vec<Promise> {
    let Answered { url, host, freshness, .. } = *answered;
    let promise = |scope, key: &str, wait: SignedDuration, reason| Promise {
        scope,
        key: key.to_owned(),
        host: host.to_owned(),
        until: now.saturating_add(wait).unwrap_or(Timestamp::MAX),
        reason,
        response_url: url.to_string(),
        at: now,
    };
    let (mut promises, this) = (Vec::new(), url.as_str());
    let asked = freshness.retry_after.map(|wait| wait.min(LONGEST_DEMAND));
    if let Some(wait) = asked {
        promises.push(promise(PromiseScope::Url, this, wait, PromiseReason::RetryAfter));
    }
    if let Some(wait) = freshness.host_pause {
        promises.push(promise(PromiseScope::Host, host, wait, PromiseReason::RateLimit));
    }
    if let Some(wait) = freshness.remaining.map(|wait| wait.min(LONGEST_FRESH)) {
        promises.push(promise(PromiseScope::Url, this, wait, PromiseReason::Fresh));
    }
    if answered.is_throttled() {
        let wait = asked.unwrap_or(THROTTLED);
        if asked.is_none() {
            promises.push(promise(PromiseScope::Url, this, wait, PromiseReason::Throttled));
        }
        for (scope, key, wait) in wider(answered, known, wait, now) {
            promises.push(promise(scope, &key, wait, PromiseReason::Throttled));
        }
    } else if matches!(answered.status, Some(500..)) {
        // A promise that has ended, from which the third one is recognised.
        let reason = PromiseReason::ServerErrors;
        promises.push(promise(PromiseScope::Url, this, SignedDuration::ZERO, reason));
        if other_failures(answered, known, now) >= OTHERS_FAILED {
            promises.push(promise(PromiseScope::Host, host, SERVER_ERRORS, reason));
        }
    }
    promises
}

/// The waits of the site and of the address of a throttled URL. The first throttled URL leaves waits that have ended,
/// from which the second one is recognised.
fn wider(
    answered: &Answered<'_>,
    known: &[Promise],
    wait: SignedDuration,
    now: Timestamp,
) -> Vec<(PromiseScope, String, SignedDuration)> {
    let (url, host) = (answered.url.as_str(), answered.host);
    let recent =
        |it: &&Promise| it.reason == PromiseReason::Throttled && it.at >= recent_since(now);
    let known: Vec<&Promise> = known.iter().filter(recent).collect();
    let of = |scope, key: String, is_other: bool| {
        (scope, key, if is_other { wait } else { SignedDuration::ZERO })
    };
    let about = |it: &&&Promise, scope, key: &str| it.scope == scope && it.key == key;
    let mut sites = known.iter().filter(|it| about(it, PromiseScope::Host, host));
    let other_url = sites.any(|it| it.response_url != url || it.until > it.at);
    let mut waits = vec![of(PromiseScope::Host, host.to_owned(), other_url)];
    if let Some(address) = answered.address.map(|address| address.to_string()) {
        let mut same = known.iter().filter(|it| about(it, PromiseScope::Address, &address));
        let other_site = same.any(|it| it.host != host || it.until > it.at);
        waits.push(of(PromiseScope::Address, address, other_site));
    }
    waits
}

/// Number of other URLs of the site that failed recently.
fn other_failures(answered: &Answered<'_>, known: &[Promise], now: Timestamp) -> usize {
    let failed = |it: &&Promise| {
        it.scope == PromiseScope::Url
            && it.reason == PromiseReason::ServerErrors
            && it.host == answered.host
            && it.at >= recent_since(now)
    };
    let urls: HashSet<&str> = known.iter().filter(failed).map(|it| it.key.as_str()).collect();
    urls.into_iter().filter(|url| *url != answered.url.as_str()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn throttled(url: &str, known: &[Promise], retry_after: Option<i64>) -> Vec<Promise> {
        let url = Url::parse(url).unwrap();
        let retry_after = retry_after.map(SignedDuration::from_secs);
        let answered = Answered {
            url: &url,
            host: url.host_str().unwrap(),
            address: Some([192, 0, 2, 1].into()),
            status: Some(429),
            freshness: Freshness { retry_after, ..Freshness::default() },
        };
        promises_of(&answered, known, now())
    }

    fn open(promises: &[Promise]) -> Vec<PromiseScope> {
        promises.iter().filter(|it| it.until > now()).map(|it| it.scope).collect()
    }

    #[test]
    fn a_second_throttled_url_of_a_site_holds_the_site() {
        let first = throttled("http://a.test/1", &[], Some(60));
        assert_eq!(open(&first), [PromiseScope::Url]);
        assert_eq!(open(&throttled("http://a.test/1", &first, Some(60))), [PromiseScope::Url]);
        let second = throttled("http://a.test/2", &first, None);
        assert_eq!(open(&second), [PromiseScope::Url, PromiseScope::Host]);
    }

    #[test]
    fn three_server_errors_hold_the_other_feeds_of_the_host() {
        let mut known = Vec::new();
        let mut failed = |url: &str| {
            let url = Url::parse(url).unwrap();
            let answered = Answered {
                url: &url,
                host: url.host_str().unwrap(),
                address: None,
                status: Some(502),
                freshness: Freshness::default(),
            };
            let new = promises_of(&answered, &known, now());
            known.extend(new.iter().cloned());
            open(&new)
        };
        assert_eq!(failed("http://a.test/1"), []);
        assert_eq!(failed("http://b.test/1"), [], "another host");
        assert_eq!(failed("http://a.test/2"), []);
        assert_eq!(failed("http://a.test/2"), [], "the same URL");
        assert_eq!(failed("http://a.test/3"), [PromiseScope::Host]);
    }

    #[test]
    fn a_second_throttled_site_of_an_address_holds_the_address() {
        let first = throttled("http://a.test/1", &[], Some(60));
        let second = throttled("http://b.test/1", &first, Some(60));
        assert_eq!(open(&second), [PromiseScope::Url, PromiseScope::Address]);
    }
}
