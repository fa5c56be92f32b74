//! Each table of the config to the settings of the room it is named after.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::level_filters::LevelFilter;
use url::Url;

use super::key;
use super::places::{self, Look};
use super::report::{Diagnostic, Report};
use super::section::{Placed, Section, choose, take};
use super::{secret, stories, token, value};
use crate::fetch::Secret;
use crate::render::{Format, Output, OutputIdentity};
use crate::schedule::{IntervalMode, PublisherHints};
use crate::{dedupe, fetch, schedule, store, telemetry};

/// Nobody is asked more often than this.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// More often than this is worth a word.
const SHORT: Duration = Duration::from_secs(15 * 60);

/// What every feed shares unless it says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Defaults {
    pub(super) schedule: Arc<schedule::Settings>,
    pub(super) fetch: Arc<fetch::Settings>,
    pub(super) dedupe: Arc<dedupe::Settings>,
    pub(super) max_items: usize,
}

pub(super) fn schedule(
    section: &Section<'_>,
    base: &schedule::Settings,
    report: &mut Report,
) -> schedule::Settings {
    let read = section.parsed("interval", "bad_duration", value::interval, report);
    let pace = match read {
        Some(None) => IntervalMode::Auto,
        Some(Some(_)) => IntervalMode::Fixed,
        None => base.interval_mode,
    };
    let interval = read.flatten();
    let mut duration = |key| section.parsed(key, "bad_duration", value::duration, report);
    let (min, max) = (duration("min_interval"), duration("max_interval"));
    let mut settings = schedule::Settings {
        interval: interval.unwrap_or(base.interval),
        interval_mode: pace,
        min_interval: min.unwrap_or(base.min_interval),
        max_interval: max.unwrap_or(base.max_interval),
        host_spacing: duration("host_spacing").unwrap_or(base.host_spacing),
        budget: base.budget,
        per_host: base.per_host,
        publisher_hints: base.publisher_hints,
    };
    settings.publisher_hints = hints(section, report).unwrap_or(base.publisher_hints);
    settings.per_host = section.number("per_host", 1..=16, report).unwrap_or(base.per_host);
    // A feed that is polled more often on purpose need not say so twice.
    let fixed = interval.is_some();
    let sooner = fixed && !section.has("min_interval");
    if sooner && settings.interval < settings.min_interval {
        settings.min_interval = settings.interval;
    }
    if fixed && !section.has("max_interval") {
        settings.max_interval = settings.max_interval.max(settings.interval);
    }
    if settings.interval_mode == IntervalMode::Auto {
        // It begins with an interval that may be.
        let most = settings.max_interval.max(settings.min_interval);
        settings.interval = settings.interval.clamp(settings.min_interval, most);
    }
    let held = [
        Held::of(section, "min_interval", min, settings.min_interval),
        Held::of(section, "interval", interval, settings.interval),
        Held::of(section, "max_interval", max, settings.max_interval),
    ];
    bounds(section, &held, settings.interval_mode, report);
    if fixed && !section.has("min_interval") && settings.interval < base.min_interval {
        let message = format!(
            "interval is shorter than min_interval, {}, which follows it here",
            value::spelt(base.min_interval)
        );
        let fault = Diagnostic::warning("below_minimum", section.span("interval"), message);
        report.push(fault.help("set min_interval to the same value here, if it is meant"));
    }
    settings
}

fn hints(section: &Section<'_>, report: &mut Report) -> Option<PublisherHints> {
    let words = [("follow", PublisherHints::Follow), ("ignore", PublisherHints::Ignore)];
    let hints = section.one_of("publisher_hints", &words, report);
    if hints == Some(PublisherHints::Ignore) {
        let message = "the publisher's hints are ignored";
        let fault = Diagnostic::warning("ignored_hints", section.span("publisher_hints"), message);
        report
            .push(fault.help(
                "the site owner may block newswire for it; Retry-After is kept all the same",
            ));
    }
    hints
}

/// A bound as it holds, and what is known of it where it stands.
struct Held {
    key: &'static str,
    value: Duration,
    origin: HeldBy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HeldBy {
    /// It is set here.
    Here,
    /// It comes from elsewhere.
    Elsewhere,
    /// It is set here and is no duration: nothing can be said of it.
    Unknown,
}

impl Held {
    fn of(s: &Section<'_>, key: &'static str, read: Option<Duration>, value: Duration) -> Self {
        let origin = match read {
            Some(_) => HeldBy::Here,
            None if s.has(key) => HeldBy::Unknown,
            None => HeldBy::Elsewhere,
        };
        Self { key, value, origin }
    }

    fn is_here(&self) -> bool {
        self.origin == HeldBy::Here
    }
}

fn bounds(section: &Section<'_>, held: &[Held; 3], pace: IntervalMode, report: &mut Report) {
    let [min, interval, max] = held;
    let learned = pace == IntervalMode::Auto;
    for Held { key, value, .. } in [interval, min].into_iter().filter(|held| held.is_here()) {
        if *value < SHORTEST {
            let message = format!("{key} is shorter than 5 minutes, which no site owner welcomes");
            let fault = Diagnostic::error("too_often", section.span(key), message);
            report.push(fault.help("write \"5m\" or more; 30 minutes to an hour suit most feeds"));
        } else if *value < SHORT {
            let message = format!("{key} is shorter than 15 minutes");
            let fault = Diagnostic::warning("often", section.span(key), message);
            report.push(
                fault.help("fine for a server of your own; others may block newswire for it"),
            );
        }
    }
    // What is learned lies between the two, where it can.
    if !learned {
        order(section, min, interval, report);
        order(section, interval, max, report);
    }
    // Else the interval between them has told of it.
    if min.is_here() && max.is_here() || learned {
        order(section, min, max, report);
    }
}

/// Reports a bound that is above the next, where the later of them stands.
fn order(section: &Section<'_>, low: &Held, high: &Held, report: &mut Report) {
    // What was inherited was reported where it stands, and so was what could not be read.
    let known = low.origin != HeldBy::Unknown && high.origin != HeldBy::Unknown;
    if !known || low.value <= high.value || !low.is_here() && !high.is_here() {
        return;
    }
    let message = format!("{} is longer than {}", low.key, high.key);
    let places = [low, high].map(|held| section.span(held.key));
    let (at, other) = match (low.is_here(), high.is_here()) {
        (true, true) if places[0].start < places[1].start => (high, low),
        (false, _) => (high, low),
        _ => (low, high),
    };
    let fault = Diagnostic::error("contradiction", section.span(at.key), message);
    report.push(match other.is_here() {
        true => fault.also(section.span(other.key), format!("{} is set here", other.key)),
        false => {
            let now = value::spelt(other.value);
            fault.help(format!("set {} too: it is {now} now", other.key))
        }
    });
}

pub(super) fn fetch(
    section: &Section<'_>,
    base: &fetch::Settings,
    report: &mut Report,
) -> fetch::Settings {
    let networks = section.list("allow_networks", report).map(|list| {
        let mut read =
            |placed: Placed| take(value::network(&placed.text), "bad_network", placed.span, report);
        list.into_iter().filter_map(&mut read).collect()
    });
    if networks
        .as_ref()
        .is_some_and(|all: &Vec<ipnet::IpNet>| all.iter().any(|n| n.prefix_len() == 0))
    {
        let message = "every address is allowed: a feed can make newswire ask your router";
        let span = section.span("allow_networks");
        let fault = Diagnostic::warning("open_guard", span, message);
        report.push(fault.help("name the networks that feeds are on"));
    }
    let timeout = section.parsed("timeout", "bad_duration", value::duration, report);
    if let Some(timeout) = timeout.filter(|timeout| timeout.as_secs() > 600) {
        let message =
            format!("a timeout of {timeout:?}: one slow server then holds a place for long");
        report.push(Diagnostic::warning("long_timeout", section.span("timeout"), message));
    }
    fetch::Settings {
        contact: section.words("contact", report).or_else(|| base.contact.clone()),
        user_agent: header(section, "user_agent", report).or_else(|| base.user_agent.clone()),
        timeout: timeout.unwrap_or(base.timeout),
        max_body: section
            .parsed("max_body", "bad_size", value::size, report)
            .unwrap_or(base.max_body),
        max_redirects: section
            .number("max_redirects", 0..=20, report)
            .unwrap_or(base.max_redirects),
        allow_networks: networks.unwrap_or_else(|| base.allow_networks.clone()),
        headers: own_headers(section, report).unwrap_or_else(|| base.headers.clone()),
        proxy: section
            .parsed("proxy", "bad_url", value::web_url, report)
            .or_else(|| base.proxy.clone()),
        ca: certificates(section, report).or_else(|| base.ca.clone()),
    }
}

fn certificates(section: &Section<'_>, report: &mut Report) -> Option<Arc<[u8]>> {
    let path = section.path("ca", report)?;
    take(value::certificates(&path), "bad_ca", section.span("ca"), report)
}

/// `authorization` and `headers`; `None`: neither is there.
fn own_headers(section: &Section<'_>, report: &mut Report) -> Option<Vec<(String, Secret)>> {
    if !section.has("authorization") && !section.has("headers") {
        return None;
    }
    let mut headers = Vec::new();
    if let Some(value) = secret::read(section, "authorization", report) {
        headers.push(("authorization".to_owned(), Secret(value::authorization(&value))));
    }
    if let Some(inner) = section.inner("headers", "headers", report) {
        for name in inner.names() {
            take(value::header_name(&name), "bad_header", inner.key_span(&name), report);
            headers.extend(secret::read(&inner, &name, report).map(|value| (name, Secret(value))));
        }
    }
    Some(headers)
}

/// What goes into a header must be visible ASCII. RFC 9110 5.5
fn header(section: &Section<'_>, key: &str, report: &mut Report) -> Option<String> {
    let text = section.words(key, report)?;
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Some(text);
    }
    let message = format!("{key} goes into a header and may only have visible ASCII characters");
    report.push(Diagnostic::error("bad_header", section.span(key), message));
    None
}

pub(super) fn max_items(section: &Section<'_>, base: usize, report: &mut Report) -> usize {
    section.number("max_items", 1..=100_000, report).unwrap_or(base)
}

pub(super) fn store(section: &Section<'_>, report: &mut Report) -> store::Settings {
    let base = store::Settings::default();
    let path = section.path("path", report).unwrap_or_else(|| section.beside(&base.path));
    let retention = section.parsed("retention", "bad_duration", value::duration, report);
    store::Settings { path, retention: retention.unwrap_or(base.retention), write_log: None }
}

pub(super) fn log(section: &Section<'_>, report: &mut Report) -> telemetry::Settings {
    use crate::telemetry::Format::{Auto, Journal, Json, Text};
    let levels = [
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    let formats = [("auto", Auto), ("text", Text), ("json", Json), ("journal", Journal)];
    let base = telemetry::Settings::default();
    telemetry::Settings {
        level: section.one_of("level", &levels, report).unwrap_or(base.level),
        format: section.one_of("format", &formats, report).unwrap_or(base.format),
    }
}

pub(super) fn texts(list: Option<Vec<Placed>>) -> Vec<String> {
    list.into_iter().flatten().map(|placed| placed.text).collect()
}

/// An output; `None` when it has no id.
pub(super) fn output(
    section: &Section<'_>,
    base_url: &Url,
    look: Look,
    report: &mut Report,
) -> Option<Output> {
    section.refuse_unknown(&key::names("output"), report);
    if !section.has("id") {
        let fault = Diagnostic::error("missing_key", section.span("id"), "an output without id");
        report.push(
            fault.help("write id = \"planet\": it becomes planet.atom, planet.rss, planet.json"),
        );
    }
    let formats = section.list("formats", report).map(|list| formats(&list, section, report));
    let number = |key, report: &mut Report| section.number(key, 1..=Output::MAX_ITEMS, report);
    let rules = |key, report: &mut Report| {
        let inner =
            section.inner(key, if key == "include" { "include" } else { "exclude" }, report);
        inner.map(|inner| stories::rules(&inner, report)).unwrap_or_default()
    };
    let items = number("items", report).unwrap_or(100);
    let [per_feed, min_feeds] = ["per_feed", "min_feeds"].map(|key| number(key, report));
    let (include, exclude) = (rules("include", report), rules("exclude", report));
    let title = section.words("title", report);
    places::look(section, "directory", look, report);
    let directory = section.path("directory", report);
    let id = section.parsed("id", "bad_id", |text| value::id(text).map(str::to_owned), report)?;
    Some(Output {
        title: title.unwrap_or_else(|| id.clone()),
        description: section.words("description", report),
        link: section.parsed("link", "bad_url", value::web_url, report),
        author: section.words("author", report),
        formats: formats.unwrap_or_else(|| Format::ALL.to_vec()),
        directory,
        token: token::read(section, report),
        items,
        max_age: section.parsed("max_age", "bad_duration", value::duration, report),
        per_feed,
        per_feed_percent: section.number("per_feed_percent", 1..=100, report),
        min_feeds,
        include,
        exclude,
        presentation: stories::look(section, report),
        deltas: section.flag("deltas", report).unwrap_or(false),
        base_url: base_url.clone(),
        // The daemon replaces it by the id in the database.
        identity: OutputIdentity::new(&id, Timestamp::UNIX_EPOCH),
        id,
    })
}

fn formats(list: &[Placed], section: &Section<'_>, report: &mut Report) -> Vec<Format> {
    let words = [("atom", Format::Atom), ("rss", Format::Rss), ("json", Format::Json)];
    let mut formats: Vec<Format> = Vec::new();
    for placed in list {
        let format = choose(placed, "format", &words, report);
        formats.extend(format.filter(|format| !formats.contains(format)));
    }
    if list.is_empty() {
        let fault = Diagnostic::error("empty", section.span("formats"), "an output in no format");
        report.push(fault.help("one of \"atom\", \"rss\", \"json\", or leave the key out for all"));
    }
    formats
}
