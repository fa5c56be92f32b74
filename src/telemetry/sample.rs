//! What is asked of the rooms at each scrape, beside what was counted: how all is now.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::label::{Label, label};
use super::process::Process;

/// A form that metrics are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus' own text, 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// How all is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The time.
    pub now: Timestamp,
    /// How many feeds are in each state, by its slug; states that none is in too.
    pub states: Vec<(&'static str, usize)>,
    /// Each feed by itself; empty where that is not wanted.
    pub feeds: Vec<FeedSample>,
    /// Each output: its id and how many stories it shows.
    pub outputs: Vec<(String, usize)>,
    /// The database; `None`: not known.
    pub store: Option<StoreSample>,
}

/// One feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSample {
    /// Its id.
    pub id: String,
    /// When it last answered; `None`: never.
    pub last_success: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
}

/// The database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSample {
    /// Its file.
    pub bytes: u64,
    /// Its write-ahead log.
    pub wal_bytes: u64,
    /// Room that is left where it lies.
    pub free_bytes: u64,
}

/// How reading the config again ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// It is in force.
    Taken,
    /// It has errors; the one before stays in force.
    Refused,
}

/// What the rooms told when it happened, and is asked for at a scrape.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) started_at: Timestamp,
    /// When each output was last published, by its id.
    pub(super) published: HashMap<String, Timestamp>,
    pub(super) reloaded: Reload,
    pub(super) reloaded_at: Timestamp,
    /// The earliest moment at which a feed that is not being polled is due.
    pub(super) due: Option<Timestamp>,
}

impl Kept {
    pub(super) fn since(now: Timestamp) -> Self {
        let (started_at, reloaded_at) = (now, now);
        Self {
            started_at,
            published: HashMap::new(),
            reloaded: Reload::Taken,
            reloaded_at,
            due: None,
        }
    }

    /// How late the poll is that should have begun first, in seconds.
    fn lag(&self, now: Timestamp) -> f64 {
        self.due.map_or(0.0, |due| (seconds(now) - seconds(due)).max(0.0))
    }
}

type Whole = Gauge<u64, AtomicU64>;
type Stamp = Gauge<f64, AtomicU64>;

impl Exposition {
    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    pub(super) fn write(self, registries: [&Registry; 2]) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Prometheus => {
                registries.iter().try_for_each(|all| prometheus_text::encode(&mut out, all))
            }
            Self::OpenMetrics => registries
                .iter()
                .try_for_each(|all| text::encode_registry(&mut out, all))
                .and_then(|()| text::encode_eof(&mut out)),
        };
        out
    }
}

impl Sample {
    /// As metrics of their own, beside the counted ones.
    pub(super) fn registry(&self, kept: &Kept) -> Registry {
        let mut all = Registry::default();
        self.of_feeds(&mut all, kept);
        self.of_outputs(&mut all, kept);
        self.of_store(&mut all);
        let taken = i64::from(kept.reloaded == Reload::Taken);
        all.register(
            "newswire_config_last_reload_successful",
            "Whether the config was taken when it was last read",
            ConstGauge::new(taken),
        );
        all.register(
            "newswire_config_last_reload_success_timestamp_seconds",
            "When the config in force was read",
            ConstGauge::new(seconds(kept.reloaded_at)),
        );
        of_process(&mut all, kept);
        all
    }

    fn of_feeds(&self, all: &mut Registry, kept: &Kept) {
        let states = Family::<Label, Whole>::default();
        for (state, count) in &self.states {
            states.get_or_create(&label("state", state)).set(*count as u64);
        }
        all.register("newswire_feeds", "Configured feeds, by how they are doing", states);
        all.register(
            "newswire_poll_lag_seconds",
            "How late the poll is that should have begun first",
            ConstGauge::new(kept.lag(self.now)),
        );
        if self.feeds.is_empty() {
            return;
        }
        let (success, failures) = <(Family<Label, Stamp>, Family<Label, Whole>)>::default();
        for feed in &self.feeds {
            let feed_label = label("feed", &feed.id);
            failures.get_or_create(&feed_label).set(feed.failures.into());
            let last = feed.last_success.map_or(0.0, seconds);
            success.get_or_create(&feed_label).set(last);
        }
        all.register(
            "newswire_feed_last_success_timestamp_seconds",
            "When the feed last answered; 0: never",
            success,
        );
        all.register(
            "newswire_feed_consecutive_failures",
            "Polls of the feed that failed since it last answered",
            failures,
        );
    }

    fn of_outputs(&self, all: &mut Registry, kept: &Kept) {
        let (entries, last) = <(Family<Label, Whole>, Family<Label, Stamp>)>::default();
        for (id, count) in &self.outputs {
            entries.get_or_create(&label("output", id)).set(*count as u64);
            if let Some(at) = kept.published.get(id) {
                last.get_or_create(&label("output", id)).set(seconds(*at));
            }
        }
        all.register("newswire_output_entries", "Stories that the output shows", entries);
        all.register(
            "newswire_output_last_publish_timestamp_seconds",
            "When the output was last published whole, changed or not",
            last,
        );
    }

    fn of_store(&self, all: &mut Registry) {
        let Some(store) = self.store else { return };
        for (name, help, bytes) in [
            ("newswire_store_bytes", "Size of the database", store.bytes),
            ("newswire_store_wal_bytes", "Size of its write-ahead log", store.wal_bytes),
            ("newswire_store_free_bytes", "Room that is left where it lies", store.free_bytes),
        ] {
            all.register(name, help, ConstGauge::new(bytes));
        }
    }
}

/// What Prometheus expects every process to tell of itself.
fn of_process(all: &mut Registry, kept: &Kept) {
    all.register(
        "process_start_time_seconds",
        "When the process started",
        ConstGauge::new(seconds(kept.started_at)),
    );
    let Some(process) = Process::read() else { return };
    all.register(
        "process_cpu_seconds",
        "Processor time in user and system mode",
        ConstCounter::new(process.cpu_seconds),
    );
    for (name, help, value) in [
        ("process_resident_memory_bytes", "Memory in use", process.resident_bytes),
        ("process_virtual_memory_bytes", "Addresses in use", process.virtual_bytes),
        ("process_open_fds", "File descriptors in use", process.open_fds),
        ("process_max_fds", "File descriptors that may be in use", process.max_fds),
        ("process_threads", "Threads of the operating system", process.threads),
    ] {
        all.register(name, help, ConstGauge::new(value));
    }
}

/// Since 1970, with milliseconds.
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(output: &str) -> Sample {
        Sample {
            now: Timestamp::from_second(100).unwrap(),
            states: vec![("well", 1)],
            feeds: Vec::new(),
            outputs: vec![(output.to_owned(), 7)],
            store: None,
        }
    }

    #[test]
    fn no_label_can_break_out_of_its_quotes() {
        let kept = Kept::since(Timestamp::UNIX_EPOCH);
        let registry = sample("a\"} 1\nb\\").registry(&kept);
        for form in [Exposition::Prometheus, Exposition::OpenMetrics] {
            let text = form.write([&Registry::default(), &registry]);
            let line = "newswire_output_entries{output=\"a\\\"} 1\\nb\\\\\"} 7\n";
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn polls_are_as_late_as_the_first_that_is_due_and_never_early() {
        let mut kept = Kept::since(Timestamp::UNIX_EPOCH);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(kept.lag(at(100)).abs() < f64::EPSILON);
        kept.due = Some(at(90));
        assert!((kept.lag(at(100)) - 10.0).abs() < f64::EPSILON);
        kept.due = Some(at(200));
        assert!(kept.lag(at(100)).abs() < f64::EPSILON);
    }
}
