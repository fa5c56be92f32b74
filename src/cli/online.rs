//! Documents that `probe`, `add` and `check --online` show, or the reason why one cannot be shown, and their requests, as a
//! poll makes them: conditional for a configured feed, and within the promises of the ledger.

use std::borrow::Cow;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::clock::Clock;
use crate::config::Config;
use crate::daemon;
use crate::fetch::{self, Fetcher, FetcherError, SystemResolver};
use crate::files;
use crate::model::{
    Asked, Asker, Coded, Failure, FetchOutcome, Hop, Outcome, ParseWarning, Validators, site,
};
use crate::opml;
use crate::parse::{self, Input, Parsed};
use crate::poll::{Answer, Denied, Gate, Ledger, Limits, MAX_SHARED, Urgency, Visit, denial_line};
use crate::schedule;
use crate::store::{self, CachedResponse, OpenError, Reader, SharedDocument, Store};

/// Which promises a command keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promises {
    /// All promises: a denied request fails.
    Keep,
    /// None (`--force`); the document is requested without validators.
    Ignore,
}

impl From<bool> for Promises {
    /// The promises that are kept with `--force` or without it.
    fn from(force: bool) -> Self {
        if force { Self::Ignore } else { Self::Keep }
    }
}

/// Makes requests beside a daemon that may be running.
#[derive(Debug)]
pub(super) struct Online {
    gate: Gate,
    /// For URLs that are not configured, where the database may not be accessible.
    without_ledger: Gate,
    /// The last good response of each configured feed and each followed list, by its URL.
    known: HashMap<String, CachedResponse>,
    clock: Clock,
    promises: Promises,
    /// Path of the database; empty without a config.
    database: PathBuf,
}

impl Online {
    /// Reads what is known about the configured feeds and the followed lists.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(super) fn new(config: Option<&Config>, promises: Promises) -> Result<Self, FetcherError> {
        let clock = Clock::system();
        let fetcher = Arc::new(Fetcher::new(Arc::new(SystemResolver::new()))?);
        let gate = |ledger| Gate::new(Arc::clone(&fetcher), ledger, clock.clone());
        let nowhere = Path::new("");
        let database = config.map_or(nowhere, |config| config.store.path.as_path());
        // A database that cannot be read is reported by the gate.
        let mut known = known(database).unwrap_or_default();
        let lists = config.map_or(&[][..], |config| &config.followed).iter();
        let lists = lists.filter_map(daemon::list_response);
        known.extend(lists.map(|(url, response)| (url.to_string(), response)));
        Ok(Self {
            gate: gate(Ledger::beside(database)),
            without_ledger: gate(Ledger::beside(nowhere)),
            known,
            clock,
            promises,
            database: database.to_owned(),
        })
    }

    /// Fetches the document of a URL, unless a promise denies the request. One that a command has fetched within the last
    /// five minutes is not requested again.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        settings: &fetch::Settings,
        schedule: &schedule::Settings,
    ) -> Result<Document, DocumentError> {
        let known = self.known.get(url.as_str());
        let cached = known.filter(|_| self.promises == Promises::Keep);
        let none = Validators::default();
        let from = cached.and_then(|cached| Url::parse(cached.url.as_deref()?).ok());
        let request = fetch::Request {
            url,
            wanted: fetch::Wanted::Feed,
            validators: cached.map_or(&none, |cached| &cached.validators),
            validators_from: from.as_ref(),
            known_body: cached.and_then(|cached| cached.body_hash),
            known_lifetime: cached.and_then(|cached| cached.lifetime),
            settings,
            now: self.clock.now(),
        };
        let answer = match self.gate.fetch(self.visit(request, schedule)).await {
            Err(_) if known.is_none() => {
                self.without_ledger.fetch(self.visit(request, schedule)).await
            }
            answer => answer,
        };
        let (response, requested_at) = match answer.map_err(DocumentError::Ledger)? {
            Answer::Finished(finished) => {
                let kept = finished.shared.as_ref().filter(|_| finished.asked_at.is_none());
                (finished.response, kept.map(|kept| kept.at))
            }
            Answer::Denied(denied) => {
                return Err(DocumentError::Held { denied, now: self.clock.now() });
            }
        };
        let document = document(response)?;
        // Feeds in the database have their own copy. What needs a login is not for others.
        if known.is_none() && requested_at.is_none() && settings.headers.is_empty() {
            let ledger = Ledger::beside(&self.database);
            if let Err(error) = self.share(&ledger, url, &document).await {
                tracing::debug!(%error, "document not kept for the next command");
            }
        }
        Ok(Document { requested_at, ..document })
    }

    /// Keeps what servers asked for, in a new database if the config names one that is missing. Returns whether it is
    /// kept.
    pub(super) async fn keep_demands(&self) -> bool {
        if self.database.as_os_str().is_empty() {
            return false;
        }
        create_missing(&self.database, &self.clock);
        self.database.exists() && self.gate.write_demands().await.is_ok()
    }

    /// Leaves the document of a feed that was added for its first poll, so that it is not fetched twice.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn hand_over(
        &self,
        database: &Path,
        url: &Url,
        document: &Document,
    ) -> Result<(), store::Error> {
        let (ledger, at) = (Ledger::beside(database), self.clock.now());
        if !database.exists() {
            if !is_own_folder(database) {
                return Ok(());
            }
            create(database, &self.clock)?;
            for url in &urls(url, document) {
                let (url, host) = (url.to_string(), site(url).to_owned());
                let (by, conditional, forced) = (Asker::Command, false, false);
                let (address, promised) = (None, false);
                let asked = Asked { url, host, address, by, conditional, forced, promised, at };
                ledger.asked(asked).await?;
            }
        }
        self.share(&ledger, url, document).await
    }

    /// Keeps a document as the answer to requests for `url`, which led to it, and for its own URL. One that polls would
    /// not keep for other feeds is not kept either.
    async fn share(
        &self,
        ledger: &Ledger,
        url: &Url,
        document: &Document,
    ) -> Result<(), store::Error> {
        let small = document.hash.filter(|_| document.bytes.len() <= MAX_SHARED);
        let Some(hash) = small else { return Ok(()) };
        let at = self.clock.now();
        for url in &urls(url, document) {
            let document = SharedDocument {
                url: url.to_string(),
                final_url: document.url.to_string(),
                hops: document.hops_from(url).to_vec(),
                content_type: document.content_type.clone(),
                links: document.links.clone(),
                validators: document.validators.clone(),
                hash,
                body: document.bytes.clone(),
                at,
            };
            ledger.share(document).await?;
        }
        Ok(())
    }

    fn visit<'a>(&self, request: fetch::Request<'a>, schedule: &schedule::Settings) -> Visit<'a> {
        Visit {
            request,
            by: Asker::Command,
            urgency: match self.promises {
                Promises::Keep => Urgency::Command,
                Promises::Ignore => Urgency::Forced { since: self.clock.now() },
            },
            limits: Limits { at_once: schedule.per_host, spacing: schedule.host_spacing },
            is_shared: false,
            known: None,
        }
    }
}

/// The document of a response.
fn document(response: fetch::Response) -> Result<Document, DocumentError> {
    match (response.outcome, response.body) {
        // The part of a document that was cut off is not a document.
        (FetchOutcome::Failed(failure), _) => Err(DocumentError::Failed(failure)),
        (_, Some(body)) => Ok(Document {
            url: response.url,
            ignored: body.parse_warning(),
            bytes: body.bytes,
            content_type: body.content_type,
            links: body.links,
            hops: response.hops,
            validators: response.validators.unwrap_or_default(),
            hash: response.body_hash,
            requested_at: None,
        }),
        (outcome, None) => Err(DocumentError::Absent {
            outcome: outcome.kind(),
            status: response.status.unwrap_or_default(),
            recorded: true,
        }),
    }
}

/// The URL that led to a document, and that of the document if it is another one; without fragments, as they are requested.
fn urls(url: &Url, document: &Document) -> Vec<Url> {
    let mut urls = vec![url.clone(), document.url.clone()];
    urls.iter_mut().for_each(|url| url.set_fragment(None));
    urls.dedup();
    urls
}

/// Creates an empty database, so that the first requests are in its ledger too.
fn create(database: &Path, clock: &Clock) -> Result<(), store::Error> {
    drop(Store::open(database, clock.clone())?);
    Ok(())
}

/// Creates the database if it is missing and its folder belongs to this user. What prevents it is reported when the
/// database is opened.
pub(super) fn create_missing(database: &Path, clock: &Clock) {
    if !database.exists() && is_own_folder(database) {
        let _ = create(database, clock);
    }
}

/// Whether the folder of the database belongs to this user, so that a database of another user is not created.
fn is_own_folder(database: &Path) -> bool {
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.uid());
    let folder = owner(files::folder(database));
    folder.is_some() && folder == owner(Path::new("/proc/self"))
}

/// The last good response of each feed that has validators.
fn known(database: &Path) -> Result<HashMap<String, CachedResponse>, store::Error> {
    let reader = match Reader::open(database) {
        Err(OpenError::Missing { .. }) => return Ok(HashMap::new()),
        opened => opened?,
    };
    reader.read(|reader| {
        let feeds = reader.feeds()?.into_iter();
        feeds.map(|feed| Ok((feed.url, reader.feed_state(feed.key)?.response))).collect()
    })
}

/// Upper limit of items that are read from one document.
pub(super) const MAX_ITEMS: usize = 100_000;

/// A document and what is known about its transfer.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// Address of the last hop, or of the file.
    pub(super) url: Url,
    /// The body without content coding.
    pub(super) bytes: Vec<u8>,
    /// Value of the `Content-Type` header.
    pub(super) content_type: Option<String>,
    /// Values of the headers `Link`, joined by commas.
    pub(super) links: Option<String>,
    /// Redirects that were followed, in order.
    pub(super) hops: Vec<Hop>,
    /// `ETag` and `Last-Modified` of the response.
    pub(super) validators: Validators,
    /// SHA-256 of the body; `None`: of a file.
    pub(super) hash: Option<[u8; 32]>,
    /// What was ignored while the body was decoded.
    pub(super) ignored: Option<ParseWarning>,
    /// Time when an earlier command requested it; `None`: this one did, or it is a file.
    pub(super) requested_at: Option<Timestamp>,
}

/// Why a document cannot be shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DocumentError {
    /// It could not be fetched or parsed.
    #[error("{0}")]
    Failed(Failure),
    /// The server answered without a document.
    #[error("{} (HTTP {status})", absence(*outcome))]
    Absent {
        /// How the exchange ended.
        outcome: Outcome,
        /// HTTP status of the last response.
        status: u16,
        /// Whether the ledger keeps what the server asked for.
        recorded: bool,
    },
    /// A promise to the server forbids the request now.
    #[error("{}", denial_line(denied, *now))]
    Held {
        /// The promise, with its end and its reason.
        denied: Box<Denied>,
        /// Time of the command (UTC).
        now: Timestamp,
    },
    /// It is not a list of feeds that can be followed.
    #[error(transparent)]
    List(#[from] opml::Error),
    /// The ledger of promises cannot be read or written.
    #[error(transparent)]
    Ledger(store::Error),
}

impl DocumentError {
    /// The codes of this type alone.
    #[cfg(test)]
    pub(super) const CODES: &'static [&'static str] = &["held"];
}

impl Coded for DocumentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code(),
            Self::Absent { outcome, .. } => outcome.slug(),
            Self::Held { .. } => "held",
            Self::List(error) => error.code(),
            Self::Ledger(error) => error.code(),
        }
    }

    fn help(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Failed(failure) => failure.help(),
            Self::Absent { outcome: Outcome::Gone, .. } => {
                Some("look for another feed on the site".into())
            }
            Self::Absent { outcome: Outcome::Throttled, recorded: false, .. } => Some(
                "wait before you repeat the command; without a database Newswire cannot record until when"
                    .into(),
            ),
            Self::Absent { outcome: Outcome::Throttled, .. } => Some(
                "repeat the command later; Newswire does not ask the server before the time that it named".into(),
            ),
            Self::Absent { outcome: Outcome::NotModified, .. } => {
                Some("--force requests the complete document".into())
            }
            Self::Absent { .. } => Some("try the URL with 'curl -v'".into()),
            Self::Held { .. } => Some("wait; --force requests it anyway".into()),
            Self::List(error) => error.help(),
            Self::Ledger(error) => error.help(),
        }
    }
}

impl From<Failure> for DocumentError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn absence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Gone => "the server reports that the feed is gone permanently",
        Outcome::Throttled => "the server asks clients to send fewer requests",
        Outcome::NotModified => "the document has not changed since the last poll",
        _ => "the server sent no document",
    }
}

impl Document {
    /// The document as input of the parser.
    pub(super) fn input(&self) -> Input<'_> {
        let content_type = self.content_type.as_deref();
        Input { bytes: &self.bytes, content_type, url: &self.url, max_items: MAX_ITEMS }
    }

    /// Parses the document as a feed.
    pub(super) fn parse(&self) -> Result<Parsed, Failure> {
        let at_target = |failure| fetch::after_redirects(failure, &self.hops, &self.url);
        let mut parsed = parse::parse(self.input()).map_err(at_target)?;
        parsed.parse_warnings.extend(self.ignored.clone());
        Ok(parsed)
    }

    /// The redirects that led from `url` to the document: those after the one to `url`, or all.
    pub(super) fn hops_from(&self, url: &Url) -> &[Hop] {
        let to_url = self.hops.iter().rposition(|hop| hop.location == url.as_str());
        &self.hops[to_url.map_or(0, |hop| hop + 1)..]
    }

    /// Where the feed at `requested` is now: the target of the permanent redirects at the start of the
    /// chain (RFC 9110 15.4.2, 15.4.9). A temporary redirect and all that follow it do not count.
    pub(super) fn permanent_url(&self, requested: &Url) -> Url {
        let permanent = self.hops.iter().take_while(|hop| matches!(hop.status, 301 | 308));
        let last = permanent.last().and_then(|hop| Url::parse(&hop.location).ok());
        last.unwrap_or_else(|| requested.clone())
    }
}
