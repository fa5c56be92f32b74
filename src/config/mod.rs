//! Reads the TOML file into the settings of the rooms below: strictly, and all faults in one run.
//!
//! ```text
//! section  one table with its place: typed values out, faults into the report
//! value    one value: durations, sizes, addresses
//! table    each table to the settings of the room it is named after
//! serving  to whom newswire serves, and by which names
//! stories  which stories an output takes, and how they look in it
//! cross    what no table can see alone
//! lists    feeds of lists that are followed
//! block    a feed as the config has it
//! report   faults drawn for people, or as JSON
//! key      the list of all keys, for the README and the example
//! ```
//!
//! Leaves what the settings do to the rooms, and printing to `cli`.

mod block;
mod cross;
mod dedupe;
mod key;
mod lists;
mod report;
mod section;
mod serving;
mod stories;
mod table;
mod token;
mod value;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeTable;

pub use self::block::feed_block;
pub use self::key::{KEYS, Key};
pub use self::lists::Followed;
pub use self::report::{Diagnostic, Quote, Report, Severity, Style};
use self::section::Section;
pub(crate) use self::section::nearest;
use self::table::{Defaults, Servers};
use crate::poll::Subscription;
use crate::publish::Output;
use crate::{fetch, schedule, store, telemetry, web};

/// Newest items that are read of one document, unless the config says otherwise.
const MAX_ITEMS: usize = 10_000;
/// Servers that are known to need other manners.
const SERVERS: &str = include_str!("servers.toml");
/// Simultaneous requests, unless the config says otherwise.
const CONCURRENCY: usize = 64;

/// A config, checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[fetch]`, as it holds for a feed that overrides nothing.
    pub fetch: fetch::Settings,
    /// `[fetch] concurrency`: simultaneous requests in all.
    pub concurrency: usize,
    /// `[dedupe]`, as it holds for a feed that overrides nothing.
    pub dedupe: Arc<crate::dedupe::Settings>,
    /// `[store]`, its path absolute or relative to the working directory.
    pub store: store::Settings,
    /// `[web]`
    pub web: web::Settings,
    /// `[log]`
    pub log: telemetry::Settings,
    /// Every `[[output]]`.
    pub outputs: Vec<Output>,
    /// Every `[[feed]]` with the settings in force for it, and behind them the feeds of lists.
    pub subscriptions: Vec<Subscription>,
    /// Every `[[subscriptions]]`.
    pub followed: Vec<Followed>,
}

/// A duration as the config has them: "45s", "30m", "30d".
///
/// # Errors
/// What is wrong with it, and how to write it.
pub fn duration(text: &str) -> Result<jiff::SignedDuration, String> {
    let duration =
        value::duration(text).map_err(|fault| format!("{}: {}", fault.message, fault.help))?;
    Ok(jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX))
}

/// A network as the config has them: "192.168.1.7", "10.0.0.0/8".
///
/// # Errors
/// What is wrong with it, and how to write it.
pub fn network(text: &str) -> Result<ipnet::IpNet, String> {
    value::network(text).map_err(|fault| format!("{}: {}", fault.message, fault.help))
}

impl Config {
    /// How long texts are compared at most, of all feeds.
    #[must_use]
    pub fn window(&self) -> Duration {
        let of_feeds = self.subscriptions.iter().map(|subscription| subscription.dedupe.window);
        of_feeds.chain([self.dedupe.window]).max().unwrap_or_default()
    }
}

/// What came of reading a config.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// `None` when there are errors.
    pub config: Option<Config>,
    /// Errors and warnings.
    pub report: Report,
    /// Where the database lies, as far as that can be made out: also of a broken config, so that the
    /// daemon that runs on it can be found.
    pub database: PathBuf,
}

/// What relative paths in the config at `path` count from: `$STATE_DIRECTORY`, which systemd sets,
/// else the folder of the file.
#[must_use]
pub fn state_folder(path: &Path) -> PathBuf {
    // Several are separated by colons, as the unit has them: the first is ours.
    let first =
        |names: OsString| PathBuf::from(names.to_string_lossy().split(':').next().unwrap_or(""));
    let state = std::env::var_os("STATE_DIRECTORY").map(first);
    state.unwrap_or_else(|| path.parent().unwrap_or(Path::new("")).to_owned())
}

/// Reads the file at `path`. Relative paths in it count from `$STATE_DIRECTORY`, which systemd
/// sets, else from the folder of the file.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    let state = state_folder(path);
    let failed = |message: String, help: &str| {
        let mut report = Report::new(path.to_owned(), String::new());
        report.push(Diagnostic::error("unreadable", 0..0, message).of_the_file().help(help));
        Loaded { config: None, report, database: state.join(DATABASE) }
    };
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => read(text, path, &state),
        Ok(Err(error)) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("the config is not UTF-8: byte {at} cannot be read");
            failed(message, "save it as UTF-8")
        }
        Err(error) => failed(
            format!("the config cannot be read: {error}"),
            "check the path and its permissions, or write one with 'newswire init'",
        ),
    }
}

/// Reads the text of a config; `path` is what faults name, `state` what relative paths count from.
#[must_use]
pub fn read(text: String, path: &Path, state: &Path) -> Loaded {
    let mut report = Report::new(path.to_owned(), String::new());
    let (root, errors) = DeTable::parse_recoverable(&text);
    for error in errors.iter().take(10) {
        let span = error.span().unwrap_or(0..0);
        report.push(Diagnostic::error(
            "syntax",
            span,
            error.message().trim_end().replace('\n', ", "),
        ));
    }
    let config =
        if errors.is_empty() { Some(tables(root.get_ref(), state, &mut report)) } else { None };
    let named = root.get_ref().get("store").and_then(|store| store.get_ref().as_table());
    let named = named.and_then(|store| store.get("path")?.get_ref().as_str());
    let database = state.join(named.unwrap_or(DATABASE));
    report.sort();
    report.text = text;
    let config = config.filter(|_| report.errors() == 0);
    Loaded { config, report, database }
}

/// The database, unless the config says otherwise.
const DATABASE: &str = "newswire.db";

/// What may stand at the top of the file.
const TABLES: &[&str] = &[
    "version",
    "schedule",
    "fetch",
    "dedupe",
    "store",
    "web",
    "log",
    "output",
    "server",
    "feed",
    "subscriptions",
];

fn tables(root: &DeTable<'_>, state: &Path, report: &mut Report) -> Config {
    let top = Section::root(root);
    top.refuse_unknown(TABLES, key::home, report);
    version(&top, report);
    let empty = DeTable::new();
    let mut section = |name: &str, shown| {
        let found = Section::find(root, name, shown, report);
        let found = found.unwrap_or_else(|| Section::root(&empty));
        found.refuse_unknown(&key::names(name), key::home, report);
        found
    };
    let (schedule_table, fetch_table) =
        (section("schedule", "[schedule]"), section("fetch", "[fetch]"));
    let (same, store) = (section("dedupe", "[dedupe]"), section("store", "[store]"));
    let (web, log) = (section("web", "[web]"), section("log", "[log]"));
    let defaults = defaults(&schedule_table, &fetch_table, &same, report);
    let web = serving::web(&web, report);
    let base_url = web.base_url();
    let outputs = Section::find_all(root, "output", "[[output]]", report);
    let feeds = Section::find_all(root, "feed", "[[feed]]", report);
    let servers = servers(root, &defaults, report);
    let subscribe = |section: &Section<'_>| {
        let feed = table::feed(section, &defaults, &servers, report)?;
        Some((feed, section.span("url")))
    };
    let subscriptions = feeds.iter().filter_map(subscribe).collect();
    let store = table::store(&store, state, report);
    let mut subscriptions = cross::merged(subscriptions, report);
    let lists = Section::find_all(root, "subscriptions", "[[subscriptions]]", report);
    let (with, places) = ((&defaults, &servers), (state, store.path.as_path()));
    let followed = lists::subscribe(&lists, with, places, &mut subscriptions, report);
    if !schedule_table.has("host_spacing") {
        table::spread_crowds(&mut subscriptions, &defaults);
    }
    let config = Config {
        fetch: (*defaults.fetch).clone(),
        concurrency: fetch_table.number("concurrency", 1..=1024, report).unwrap_or(CONCURRENCY),
        dedupe: Arc::clone(&defaults.dedupe),
        store,
        log: table::log(&log, report),
        outputs: outputs
            .iter()
            .filter_map(|output| table::output(output, &base_url, state, report))
            .collect(),
        subscriptions,
        followed,
        web,
    };
    named_twice(&outputs, &feeds, report);
    cross::rules(&outputs, &config.subscriptions, report);
    cross::missing(&top, &config.subscriptions, &config.web, report);
    config
}

/// What every feed shares unless it says otherwise.
fn defaults(
    schedule: &Section<'_>,
    fetch: &Section<'_>,
    dedupe: &Section<'_>,
    report: &mut Report,
) -> Defaults {
    let max_items = table::max_items(fetch, MAX_ITEMS, report);
    let schedule = table::schedule(schedule, &schedule::Settings::default(), report);
    let fetch = table::fetch(fetch, &fetch::Settings::default(), report);
    let dedupe = dedupe::dedupe(dedupe, &crate::dedupe::Settings::default(), report);
    Defaults {
        schedule: Arc::new(schedule),
        fetch: Arc::new(fetch),
        dedupe: Arc::new(dedupe),
        max_items,
    }
}

/// Reports what is named twice.
fn named_twice(outputs: &[Section<'_>], feeds: &[Section<'_>], report: &mut Report) {
    let named = |sections: &[Section<'_>], key: &str| {
        let mut heard = Report::new(PathBuf::new(), String::new());
        let named = sections.iter().filter_map(|section| section.text(key, &mut heard));
        named.map(|placed| (placed.text, placed.span)).collect::<Vec<_>>()
    };
    cross::twice("output id", "duplicate_output", &named(outputs, "id"), report);
    cross::taken(&named(outputs, "id"), report);
    cross::twice("feed id", "duplicate_feed", &named(feeds, "id"), report);
}

/// The servers that are known to need other manners, and those that the config names.
fn servers(root: &DeTable<'_>, defaults: &Defaults, report: &mut Report) -> Servers {
    let mut servers = Servers::default();
    let (known, _) = DeTable::parse_recoverable(SERVERS);
    let mut faults = Report::new(PathBuf::from("servers.toml"), String::new());
    let sections = Section::find_all(known.get_ref(), "server", "[[server]]", &mut faults);
    servers.add(&sections, defaults, &mut faults);
    debug_assert!(faults.is_empty(), "{faults:?}");
    let sections = Section::find_all(root, "server", "[[server]]", report);
    servers.add(&sections, defaults, report);
    servers
}

/// Only one form of this file is known; a later one may mean other things by the same words.
fn version(top: &Section<'_>, report: &mut Report) {
    if !top.has("version") {
        let fault = Diagnostic::warning("no_version", 0..0, "no version").of_the_file();
        report.push(fault.help("write version = 1 at the top of the file"));
    } else if top.number("version", 0..=usize::MAX, report).is_some_and(|version| version != 1) {
        let fault = Diagnostic::error("version", top.span("version"), "an unknown version");
        report.push(fault.help("this newswire reads version = 1"));
    }
}
