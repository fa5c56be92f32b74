//! What newswire counts, for Prometheus and what reads its formats.
//!
//! Counters are fed by one call where the thing happens; what the rooms know anyway is asked of them at
//! each scrape, as a [`Sample`]. No metric has a title, an address or a secret in it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::label::{Label, label};
use super::sample::{Exposition, Kept, Reload, Sample};

/// Up to the default time-out and beyond, in seconds.
const FETCH: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];
/// From a minute to two days, in seconds.
const DELAY: [f64; 10] =
    [60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0, 172_800.0];

/// Of answers to requests.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counters of one process; clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    fetches: Family<Label, Counter>,
    fetch_duration: Histogram,
    fetch_bytes: Counter,
    entries: Family<Label, Counter>,
    delay: Histogram,
    blocked: Family<Label, Counter>,
    publications: Family<Label, Counter>,
    answers: Family<Label, Counter>,
    /// The same, by class of status: counted at every request, so at hand.
    answered: [Counter; CLASSES.len()],
    panics: Counter,
    kept: Mutex<Kept>,
}

/// How a publication ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// At least one document became different.
    Changed,
    /// Every document is as it was.
    Unchanged,
    /// Not all documents are where they belong.
    Failed,
}

/// One poll, once it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poll<'a> {
    /// Slug of how it ended.
    pub result: &'static str,
    /// Slug of why the request was not made, or not to its end, where that is ours to forbid.
    pub blocked: Option<&'static str>,
    /// How long it took.
    pub took: Duration,
    /// Of the body, as they came over the wire.
    pub bytes: u64,
    /// What became of the items of the document.
    pub entries: Entries,
    /// From the publication of each new item to now; none of a feed's first poll.
    pub delays: &'a [Duration],
}

/// What became of the items of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entries {
    /// Never seen before.
    pub new: usize,
    /// Seen before with other words.
    pub updated: usize,
    /// As they were.
    pub unchanged: usize,
    /// Kept back, by a rule of the config.
    pub filtered: usize,
    /// Not read: more than a document may have.
    pub dropped: usize,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// For a process of this version that started now.
    #[must_use]
    pub fn new(version: &str, now: Timestamp) -> Self {
        let answers = Family::<Label, Counter>::default();
        let counter = |class| answers.get_or_create(&label("code", class)).clone();
        let mut inner = Inner {
            answered: CLASSES.map(counter),
            registry: Registry::default(),
            fetches: Family::default(),
            fetch_duration: Histogram::new(FETCH),
            fetch_bytes: Counter::default(),
            entries: Family::default(),
            delay: Histogram::new(DELAY),
            blocked: Family::default(),
            publications: Family::default(),
            answers,
            panics: Counter::default(),
            kept: Mutex::new(Kept::since(now)),
        };
        inner.register(version);
        inner.begin_at_nought();
        Self(Arc::new(inner))
    }

    /// A poll ended and is stored.
    pub fn polled(&self, poll: &Poll<'_>) {
        let inner = &self.0;
        inner.fetches.get_or_create(&label("result", poll.result)).inc();
        inner.fetch_duration.observe(poll.took.as_secs_f64());
        inner.fetch_bytes.inc_by(poll.bytes);
        if let Some(reason) = poll.blocked {
            inner.blocked.get_or_create(&label("reason", reason)).inc();
        }
        for (action, count) in poll.entries.by_action() {
            inner.entries.get_or_create(&label("action", action)).inc_by(count as u64);
        }
        for delay in poll.delays {
            inner.delay.observe(delay.as_secs_f64());
        }
    }

    /// An output was published, or could not be.
    pub fn published(&self, output: &str, how: Publication, now: Timestamp) {
        let result = match how {
            Publication::Changed => "changed",
            Publication::Unchanged => "unchanged",
            Publication::Failed => "failed",
        };
        self.0.publications.get_or_create(&label("result", result)).inc();
        if how != Publication::Failed {
            self.keep(|kept| {
                kept.published.insert(output.to_owned(), now);
            });
        }
    }

    /// The config was read again.
    pub fn reloaded(&self, how: Reload, now: Timestamp) {
        self.keep(|kept| {
            kept.reloaded = how;
            if how == Reload::Taken {
                kept.reloaded_at = now;
            }
        });
    }

    /// The earliest moment at which a feed that is not being polled is due; `None`: there is none.
    pub fn due(&self, at: Option<Timestamp>) {
        self.keep(|kept| kept.due = at);
    }

    /// A request was answered with this HTTP status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1).min(CLASSES.len() - 1);
        self.0.answered[class].inc();
    }

    /// Something in newswire panicked.
    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    /// Everything, as text in the form that was asked for.
    #[must_use]
    pub fn encode(&self, exposition: Exposition, sample: &Sample) -> String {
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sampled = sample.registry(&kept);
        exposition.write([&self.0.registry, &sampled])
    }

    fn keep(&self, change: impl FnOnce(&mut Kept)) {
        // A panic cannot leave it half changed in a way that matters.
        change(&mut self.0.kept.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Inner {
    fn register(&mut self, version: &str) {
        let build = Info::new([("version", version.to_owned())]);
        let all = &mut self.registry;
        all.register("newswire_build", "Version of newswire", build);
        all.register("newswire_fetches", "Polls of feeds, by how they ended", self.fetches.clone());
        all.register(
            "newswire_fetch_duration_seconds",
            "Time from the start of a poll until its document was read",
            self.fetch_duration.clone(),
        );
        all.register(
            "newswire_fetch_bytes",
            "Bytes of documents as they came over the wire",
            self.fetch_bytes.clone(),
        );
        all.register(
            "newswire_entries",
            "Items of fetched documents, by what became of them",
            self.entries.clone(),
        );
        all.register(
            "newswire_publication_delay_seconds",
            "Time from the publication of an item until newswire had it",
            self.delay.clone(),
        );
        all.register(
            "newswire_blocked_requests",
            "Requests to feeds that newswire forbade itself, by reason",
            self.blocked.clone(),
        );
        all.register(
            "newswire_publications",
            "Publications of outputs, by how they ended",
            self.publications.clone(),
        );
        all.register(
            "newswire_http_requests",
            "Requests that were answered, by class of status",
            self.answers.clone(),
        );
        all.register("newswire_panics", "Panics, each a mistake in newswire", self.panics.clone());
    }

    /// A counter that is not there before it first counts has no rate when it does.
    fn begin_at_nought(&self) {
        let begin = |family: &Family<Label, Counter>, name: &'static str, values: &[&str]| {
            for value in values {
                drop(family.get_or_create(&label(name, value)));
            }
        };
        begin(&self.fetches, "result", &["modified", "not_modified"]);
        begin(&self.entries, "action", &Entries::default().by_action().map(|(action, _)| action));
        begin(&self.blocked, "reason", &["blocked_address", "bad_url", "insecure_redirect"]);
        begin(&self.publications, "result", &["changed", "unchanged", "failed"]);
    }
}

impl Entries {
    fn by_action(self) -> [(&'static str, usize); 5] {
        [
            ("new", self.new),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("filtered", self.filtered),
            ("dropped", self.dropped),
        ]
    }
}
