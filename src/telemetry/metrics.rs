//! Metrics for Prometheus.
//!
//! Counters are incremented by one call where the thing happens; gauges are read at each scrape, as a
//! [`Sample`]. No metric contains a title, an address or a secret.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::sample::{Exposition, Label, Reload, Reported, Sample, label};

/// Buckets for the duration of polls, in seconds: up to the default timeout.
const DURATIONS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];
/// Buckets for delivery delays, in seconds: from a minute to two days.
const DELAYS: [f64; 10] =
    [60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0, 172_800.0];

/// Classes of HTTP statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counters of one process; clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    polls: Family<Label, Counter>,
    poll_duration: Histogram,
    received_bytes: Counter,
    requests: Family<Label, Counter>,
    held: Family<Label, Counter>,
    items: Family<Label, Counter>,
    delivery_delay: Histogram,
    blocked: Family<Label, Counter>,
    publications: Family<Label, Counter>,
    http_requests: Family<Label, Counter>,
    /// The counters of `http_requests`, by class of status, so that a request needs no lookup.
    by_class: [Counter; CLASSES.len()],
    panics: Counter,
    reported: Mutex<Reported>,
}

/// The result of a publication of one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// At least one document changed.
    Changed,
    /// All documents are as they were.
    Unchanged,
    /// A document was rejected or could not be written.
    Failed,
}

/// A request to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// It has `If-None-Match` or `If-Modified-Since`.
    Conditional,
    /// It has no validators.
    Unconditional,
}

/// A poll that is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poll<'a> {
    /// Slug of the outcome.
    pub outcome: &'static str,
    /// Slug of the failure if newswire itself blocked the request.
    pub blocked: Option<&'static str>,
    /// Time from the start until the document was read.
    pub duration: Duration,
    /// Bytes of the body as received, before decompression.
    pub received_bytes: u64,
    /// The items of the document by result.
    pub items: ItemCounts,
    /// Delivery delay of each new item; empty at the first poll of a feed.
    pub delivery_delays: &'a [Duration],
}

/// The items of a document by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ItemCounts {
    /// Items that were not stored before.
    pub new: usize,
    /// Stored items with another text.
    pub changed: usize,
    /// Stored items with the same text.
    pub unchanged: usize,
    /// New items that the burst guard holds.
    pub held: usize,
    /// New items that a filter keeps out.
    pub filtered: usize,
    /// Items beyond `max_items`, which were not read.
    pub dropped: usize,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Counters of a process of this version that starts now, all 0.
    #[must_use]
    pub fn new(version: &str, now: Timestamp) -> Self {
        let http_requests = Family::<Label, Counter>::default();
        let counter = |class| http_requests.get_or_create(&label("code", class)).clone();
        let mut inner = Inner {
            by_class: CLASSES.map(counter),
            registry: Registry::default(),
            polls: Family::default(),
            poll_duration: Histogram::new(DURATIONS),
            received_bytes: Counter::default(),
            requests: Family::default(),
            held: Family::default(),
            items: Family::default(),
            delivery_delay: Histogram::new(DELAYS),
            blocked: Family::default(),
            publications: Family::default(),
            http_requests,
            panics: Counter::default(),
            reported: Mutex::new(Reported::since(now)),
        };
        inner.register(version);
        inner.start_at_zero();
        Self(Arc::new(inner))
    }

    /// Counts a poll that is stored.
    pub fn polled(&self, poll: &Poll<'_>) {
        let inner = &self.0;
        inner.polls.get_or_create(&label("outcome", poll.outcome)).inc();
        inner.poll_duration.observe(poll.duration.as_secs_f64());
        inner.received_bytes.inc_by(poll.received_bytes);
        if let Some(reason) = poll.blocked {
            inner.blocked.get_or_create(&label("reason", reason)).inc();
        }
        for (result, count) in poll.items.by_result() {
            inner.items.get_or_create(&label("result", result)).inc_by(count as u64);
        }
        for delay in poll.delivery_delays {
            inner.delivery_delay.observe(delay.as_secs_f64());
        }
    }

    /// Counts a request to a server, redirects included.
    pub fn requested(&self, kind: RequestKind) {
        let value = match kind {
            RequestKind::Conditional => "yes",
            RequestKind::Unconditional => "no",
        };
        self.0.requests.get_or_create(&label("conditional", value)).inc();
    }

    /// Counts a poll that a promise to a server ended, by the slug of its reason.
    pub fn held(&self, reason: &str) {
        self.0.held.get_or_create(&label("reason", reason)).inc();
    }

    /// Counts a publication of an output.
    pub fn published(&self, output: &str, publication: Publication, now: Timestamp) {
        let result = match publication {
            Publication::Changed => "changed",
            Publication::Unchanged => "unchanged",
            Publication::Failed => "failed",
        };
        self.0.publications.get_or_create(&label("result", result)).inc();
        if publication != Publication::Failed {
            self.report(|reported| {
                reported.published.insert(output.to_owned(), now);
            });
        }
    }

    /// Records the result of a reload of the config.
    pub fn reloaded(&self, result: Reload, now: Timestamp) {
        self.report(|reported| {
            reported.reloaded = result;
            if result == Reload::Accepted {
                reported.reloaded_at = now;
            }
        });
    }

    /// Records when the next poll is due; `None`: there is none.
    pub fn due(&self, at: Option<Timestamp>) {
        self.report(|reported| reported.due = at);
    }

    /// Counts a request that was answered with this HTTP status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1).min(CLASSES.len() - 1);
        self.0.by_class[class].inc();
    }

    /// Counts a panic that was caught in a poll, a publication or a request.
    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    /// All metrics as text.
    #[must_use]
    pub fn encode(&self, exposition: Exposition, sample: &Sample) -> String {
        let reported = self.0.reported.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sampled = sample.registry(&reported);
        exposition.write([&self.0.registry, &sampled])
    }

    fn report(&self, change: impl FnOnce(&mut Reported)) {
        // A panic cannot leave it in a state that matters.
        change(&mut self.0.reported.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Inner {
    fn register(&mut self, version: &str) {
        let build = Info::new([("version", version.to_owned())]);
        let all = &mut self.registry;
        all.register("newswire_build", "Version of newswire", build);
        all.register("newswire_polls", "Polls of feeds by outcome", self.polls.clone());
        all.register(
            "newswire_poll_duration_seconds",
            "Time from the start of a poll until its document was read",
            self.poll_duration.clone(),
        );
        all.register(
            "newswire_received_bytes",
            "Bytes of documents as received, before decompression",
            self.received_bytes.clone(),
        );
        all.register(
            "newswire_requests",
            "Requests to servers, redirects included, by whether they have validators",
            self.requests.clone(),
        );
        all.register(
            "newswire_held_polls",
            "Polls that a promise to a server ended, by reason",
            self.held.clone(),
        );
        all.register("newswire_items", "Items of fetched documents by result", self.items.clone());
        all.register(
            "newswire_delivery_delay_seconds",
            "Time from the publication of an item until newswire stored it",
            self.delivery_delay.clone(),
        );
        all.register(
            "newswire_blocked_requests",
            "Requests to feeds that newswire blocked itself, by reason",
            self.blocked.clone(),
        );
        all.register(
            "newswire_publications",
            "Publications of outputs by result",
            self.publications.clone(),
        );
        all.register(
            "newswire_http_requests",
            "Answered requests by class of status",
            self.http_requests.clone(),
        );
        all.register("newswire_panics", "Panics, each a bug in newswire", self.panics.clone());
    }

    /// Creates the series of known labels, because a counter that appears with its first event has no rate.
    fn start_at_zero(&self) {
        let begin = |family: &Family<Label, Counter>, name: &'static str, values: &[&str]| {
            for value in values {
                drop(family.get_or_create(&label(name, value)));
            }
        };
        begin(&self.polls, "outcome", &["modified", "not_modified"]);
        begin(&self.requests, "conditional", &["yes", "no"]);
        begin(
            &self.held,
            "reason",
            &["retry_after", "rate_limit", "throttled", "server_errors", "recent"],
        );
        begin(&self.items, "result", &ItemCounts::default().by_result().map(|(result, _)| result));
        begin(&self.blocked, "reason", &["blocked_address", "bad_url", "insecure_redirect"]);
        begin(&self.publications, "result", &["changed", "unchanged", "failed"]);
    }
}

impl ItemCounts {
    fn by_result(self) -> [(&'static str, usize); 6] {
        [
            ("new", self.new),
            ("changed", self.changed),
            ("unchanged", self.unchanged),
            ("held", self.held),
            ("filtered", self.filtered),
            ("dropped", self.dropped),
        ]
    }
}
