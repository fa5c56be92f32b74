//! Gauges: values that are read at each scrape, in contrast to the counters of `metrics`. Those of this process are from
//! `/proc/self`; without procfs there are none.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::readiness::Problem;

/// The label set of a metric with one label: name and value.
pub(super) type Label = [(&'static str, String); 1];

/// A label. Its value is a slug or an id of newswire, never text of a publisher.
pub(super) fn label(name: &'static str, value: &str) -> Label {
    [(name, value.to_owned())]
}

/// The text format of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus text format 0.0.4.
    Prometheus,
    /// OpenMetrics text format 1.0.
    OpenMetrics,
}

/// The values of all gauges at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Time of the scrape.
    pub now: Timestamp,
    /// Number of feeds in each state, by slug, including states without feeds.
    pub states: Vec<(&'static str, usize)>,
    /// Values of each feed; empty unless `metrics = "feeds"`.
    pub feeds: Vec<FeedSample>,
    /// Values of each output.
    pub outputs: Vec<OutputSample>,
    /// Values of the database; `None`: unknown.
    pub store: Option<StoreSample>,
    /// Problems of newswire now.
    pub problems: Vec<Problem>,
}

/// Values of one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSample {
    /// Id of the feed.
    pub id: String,
    /// Time of the last successful poll; `None`: never.
    pub last_success: Option<Timestamp>,
    /// Number of failed polls since the last successful one.
    pub failures: u32,
}

/// Values of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSample {
    /// Id of the output.
    pub id: String,
    /// Number of items in its documents.
    pub items: usize,
    /// Numbers of clients and of reported subscribers of the last whole day; `None`: there were none.
    pub subscribers: Option<(u64, u64)>,
}

/// Values of the database, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSample {
    /// Size of the database file.
    pub size_bytes: u64,
    /// Size of the write-ahead log.
    pub wal_size_bytes: u64,
    /// Free space of its file system.
    pub filesystem_free_bytes: u64,
}

/// The result of a reload of the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The new config was applied.
    Accepted,
    /// The new config has errors; the previous one still applies.
    Rejected,
}

/// Values that rooms report when they change, for the next scrape.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    pub(super) started_at: Timestamp,
    /// Time of the last publication of each output, by id.
    pub(super) published: HashMap<String, Timestamp>,
    pub(super) reloaded: Reload,
    pub(super) reloaded_at: Timestamp,
    /// Time at which the next poll is due; `None`: there is none.
    pub(super) due: Option<Timestamp>,
}

impl Reported {
    pub(super) fn since(now: Timestamp) -> Self {
        let (started_at, reloaded_at) = (now, now);
        Self {
            started_at,
            published: HashMap::new(),
            reloaded: Reload::Accepted,
            reloaded_at,
            due: None,
        }
    }

    /// Delay of the poll that has been due the longest, in seconds.
    fn lag(&self, now: Timestamp) -> f64 {
        self.due.map_or(0.0, |due| (seconds(now) - seconds(due)).max(0.0))
    }
}

type Integer = Gauge<u64, AtomicU64>;
type Seconds = Gauge<f64, AtomicU64>;

impl Exposition {
    /// The value of `Content-Type`.
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
    /// The gauges as a registry.
    pub(super) fn registry(&self, reported: &Reported) -> Registry {
        let mut all = Registry::default();
        self.of_feeds(&mut all, reported);
        self.of_outputs(&mut all, reported);
        self.of_store(&mut all);
        self.of_newswire(&mut all);
        let accepted = i64::from(reported.reloaded == Reload::Accepted);
        all.register(
            "newswire_config_last_reload_successful",
            "Whether the last reload of the config succeeded",
            ConstGauge::new(accepted),
        );
        all.register(
            "newswire_config_last_reload_success_timestamp_seconds",
            "Time of the last successful reload of the config",
            ConstGauge::new(seconds(reported.reloaded_at)),
        );
        of_process(&mut all, reported);
        all
    }

    fn of_feeds(&self, all: &mut Registry, reported: &Reported) {
        let states = Family::<Label, Integer>::default();
        for (state, count) in &self.states {
            states.get_or_create(&label("state", state)).set(*count as u64);
        }
        all.register("newswire_feeds", "Configured feeds by state", states);
        all.register(
            "newswire_poll_lag_seconds",
            "Delay of the poll that has been due the longest",
            ConstGauge::new(reported.lag(self.now)),
        );
        if self.feeds.is_empty() {
            return;
        }
        let (success, failures) = <(Family<Label, Seconds>, Family<Label, Integer>)>::default();
        for feed in &self.feeds {
            let feed_label = label("feed", &feed.id);
            failures.get_or_create(&feed_label).set(feed.failures.into());
            let last = feed.last_success.map_or(0.0, seconds);
            success.get_or_create(&feed_label).set(last);
        }
        all.register(
            "newswire_feed_last_success_timestamp_seconds",
            "Time of the last successful poll of the feed, 0 if there was none",
            success,
        );
        all.register(
            "newswire_feed_consecutive_failures",
            "Failed polls of the feed since the last successful one",
            failures,
        );
    }

    fn of_outputs(&self, all: &mut Registry, reported: &Reported) {
        let (items, last) = <(Family<Label, Integer>, Family<Label, Seconds>)>::default();
        let (clients, reported_subscribers) =
            <(Family<Label, Integer>, Family<Label, Integer>)>::default();
        for output in &self.outputs {
            let output_label = label("output", &output.id);
            items.get_or_create(&output_label).set(output.items as u64);
            let (direct, by_services) = output.subscribers.unwrap_or_default();
            clients.get_or_create(&output_label).set(direct);
            reported_subscribers.get_or_create(&output_label).set(by_services);
            if let Some(at) = reported.published.get(&output.id) {
                last.get_or_create(&output_label).set(seconds(*at));
            }
        }
        all.register("newswire_output_items", "Items in the documents of the output", items);
        all.register(
            "newswire_output_clients",
            "Different clients that requested the feed of the output on the last whole day",
            clients,
        );
        all.register(
            "newswire_output_reported_subscribers",
            "Subscribers of the output that services reported on the last whole day",
            reported_subscribers,
        );
        all.register(
            "newswire_output_last_publication_timestamp_seconds",
            "Time of the last complete publication of the output",
            last,
        );
    }

    fn of_newswire(&self, all: &mut Registry) {
        let problems = Family::<Label, Integer>::default();
        for problem in Problem::ALL {
            let present = self.problems.contains(problem);
            problems.get_or_create(&label("code", problem.slug())).set(present.into());
        }
        all.register("newswire_problem", "Whether newswire has this problem now", problems);
    }

    fn of_store(&self, all: &mut Registry) {
        let Some(store) = self.store else { return };
        for (name, help, bytes) in [
            ("newswire_store_size_bytes", "Size of the database file", store.size_bytes),
            ("newswire_store_wal_size_bytes", "Size of the write-ahead log", store.wal_size_bytes),
            (
                "newswire_store_filesystem_free_bytes",
                "Free space of the file system of the database",
                store.filesystem_free_bytes,
            ),
        ] {
            all.register(name, help, ConstGauge::new(bytes));
        }
    }
}

/// The metrics that Prometheus expects of every process.
fn of_process(all: &mut Registry, reported: &Reported) {
    all.register(
        "process_start_time_seconds",
        "Time when the process started",
        ConstGauge::new(seconds(reported.started_at)),
    );
    let Some(process) = Process::read() else { return };
    all.register(
        "process_cpu_seconds",
        "Processor time in user and system mode",
        ConstCounter::new(process.cpu_seconds),
    );
    for (name, help, value) in [
        ("process_resident_memory_bytes", "Resident memory", process.resident_bytes),
        ("process_virtual_memory_bytes", "Virtual memory", process.virtual_bytes),
        ("process_open_fds", "Open file descriptors", process.open_fds),
        ("process_max_fds", "Maximum number of open file descriptors", process.max_fds),
        ("process_threads", "Threads of the operating system", process.threads),
    ] {
        all.register(name, help, ConstGauge::new(value));
    }
}

/// Seconds since 1970, with milliseconds.
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

/// Resource usage of this process at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Process {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    open_fds: u64,
    max_fds: u64,
    threads: u64,
}

impl Process {
    /// Reads the current values; `None`: no procfs.
    fn read() -> Option<Self> {
        let stat = Stat::parse(&fs::read_to_string("/proc/self/stat").ok()?)?;
        // One of them is the directory that is being read.
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
        Some(Self {
            cpu_seconds: stat.ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
            resident_bytes: stat.resident_pages * rustix::param::page_size() as u64,
            virtual_bytes: stat.virtual_bytes,
            open_fds: open_fds as u64,
            max_fds: max_fds().unwrap_or_default(),
            threads: stat.threads,
        })
    }
}

/// The fields of `/proc/self/stat` that are used.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    ticks: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(line: &str) -> Option<Self> {
        // proc(5): the second field is the name in brackets, and may have anything in it.
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            ticks: field(14)? + field(15)?,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Maximum number of open file descriptors of this process; `None`: unknown or unlimited.
#[must_use]
pub fn max_fds() -> Option<u64> {
    soft_limit(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(output: &str) -> Sample {
        Sample {
            now: Timestamp::from_second(100).unwrap(),
            states: vec![("ok", 1)],
            feeds: Vec::new(),
            outputs: vec![OutputSample { id: output.to_owned(), items: 7, subscribers: None }],
            store: None,
            problems: vec![Problem::ClockJumped],
        }
    }

    #[test]
    fn each_problem_is_a_series() {
        let reported = Reported::since(Timestamp::UNIX_EPOCH);
        let registry = sample("planet").registry(&reported);
        let text = Exposition::Prometheus.write([&Registry::default(), &registry]);
        assert!(text.contains("newswire_problem{code=\"clock_jumped\"} 1\n"), "{text}");
        assert!(text.contains("newswire_problem{code=\"store_full\"} 0\n"), "{text}");
    }

    #[test]
    fn labels_are_escaped() {
        let reported = Reported::since(Timestamp::UNIX_EPOCH);
        let registry = sample("a\"} 1\nb\\").registry(&reported);
        for form in [Exposition::Prometheus, Exposition::OpenMetrics] {
            let text = form.write([&Registry::default(), &registry]);
            let line = "newswire_output_items{output=\"a\\\"} 1\\nb\\\\\"} 7\n";
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn the_poll_lag_is_never_negative() {
        let mut reported = Reported::since(Timestamp::UNIX_EPOCH);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(reported.lag(at(100)).abs() < f64::EPSILON);
        reported.due = Some(at(90));
        assert!((reported.lag(at(100)) - 10.0).abs() < f64::EPSILON);
        reported.due = Some(at(200));
        assert!(reported.lag(at(100)).abs() < f64::EPSILON);
    }

    #[test]
    fn a_process_name_with_brackets_and_spaces_moves_no_field() {
        let line =
            "42 (a) b (c) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 7 0 88 1048576 300 18 1 2";
        let stat = Stat { ticks: 200, threads: 7, virtual_bytes: 1_048_576, resident_pages: 300 };
        assert_eq!(Stat::parse(line), Some(stat));
        assert_eq!(Stat::parse("42 (a) S 1"), None);
    }

    #[test]
    fn an_unlimited_number_of_files_is_no_limit() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files  unlimited  unlimited  files\n"), None);
    }

    #[test]
    fn the_resources_of_this_process_are_plausible() {
        let Some(process) = Process::read() else { return };
        assert!(
            process.resident_bytes > 1 << 20 && process.virtual_bytes >= process.resident_bytes
        );
        assert!(process.open_fds >= 3 && process.threads >= 1 && process.cpu_seconds >= 0.0);
    }
}
