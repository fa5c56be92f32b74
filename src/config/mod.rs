//! Reads the TOML file into the settings of the rooms below: strictly, and all faults in one run.
//!
//! ```text
//! files     newswire.toml and conf.d; sources: their texts, counted one after the other
//! merge     one table of all of them
//! section   one table with its place: typed values out, faults into the report
//! value     one value: durations, sizes, addresses
//! secret    what stands elsewhere; near: the word that was meant
//! table     each table to the settings of the room it is named after
//! serving   to whom newswire serves, and by which names
//! feed      a feed with the settings in force for it
//! servers   servers with manners of their own
//! stories   which stories an output takes, and how they look in it
//! cross     what no table can see alone; doubt: what holds but is hardly meant
//! lists     feeds of lists that are followed
//! places    folders that cannot be
//! loaded    a config, checked and complete
//! block     a feed as the config has it
//! report    what is wrong; draw: for people, or as JSON; veil: without what is secret
//! key       the list of all keys; kind: what a key is
//! schema    the same for editors
//! effective every value in force, and where it comes from
//! ```
//!
//! Leaves what the settings do to the rooms, and printing to `cli`.

mod block;
mod cross;
mod dedupe;
mod depth;
mod doubt;
mod draw;
mod effective;
mod feed;
mod files;
mod key;
mod kind;
mod lists;
mod loaded;
mod merge;
mod named_file;
mod near;
mod places;
mod report;
mod schema;
mod secret;
mod section;
mod servers;
mod serving;
mod sources;
mod stories;
mod table;
mod token;
mod value;
mod veil;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

pub use self::block::feed_block;
pub use self::draw::Style;
pub use self::effective::{Effective, Origin, Setting};
pub use self::files::{Files, state_folder};
pub use self::key::KEYS;
pub use self::kind::{Key, Kind};
pub use self::lists::Followed;
pub use self::loaded::{Config, Loaded};
pub(crate) use self::near::nearest;
pub use self::places::Look;
pub use self::report::{Diagnostic, Report, Severity};
pub use self::schema::schema;
use self::section::Section;
use self::servers::Servers;
pub use self::sources::Place;
use self::table::Defaults;
pub use self::veil::logins as veil_logins;
use crate::{fetch, schedule};

/// Newest items that are read of one document, unless the config says otherwise.
const MAX_ITEMS: usize = 10_000;
/// Simultaneous requests, unless the config says otherwise.
const CONCURRENCY: usize = 64;

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

/// Reads the config at `path` with all its files, see [`Files::gather`].
#[must_use]
pub fn load(path: &Path) -> Loaded {
    Files::gather(path).read(Look::Quick)
}

/// Reads the text of a config; `path` is what faults name, `state` what relative paths count from.
#[must_use]
pub fn read(text: String, path: &Path, state: &Path) -> Loaded {
    Files::one(text, path, state).read(Look::Quick)
}

impl Files {
    /// Reads them as one config.
    #[must_use]
    pub fn read(&self, look: Look) -> Loaded {
        let mut report = Report::new(self.sources.clone());
        self.faults().for_each(|fault| report.push(fault));
        let root = merge::merged(&self.sources, &mut report);
        let mut found = Report::new(self.sources.clone());
        let config = tables(&Section::root(&root, &self.state), look, &mut found);
        if report.has_unread() {
            found.keep_certain(&report);
        }
        report.diagnostics.append(&mut found.diagnostics);
        report.sort();
        let (database, listen) = (config.store.path.clone(), config.web.listen);
        let config = Some(config).filter(|_| report.errors() == 0);
        Loaded { config, report, database, listen }
    }

    /// Every value in force, with where it comes from.
    ///
    /// # Errors
    /// What is wrong with the config, all of it.
    pub fn effective(&self) -> Result<Effective, Report> {
        let Loaded { config, report, .. } = self.read(Look::Quick);
        let config = config.ok_or(report)?;
        let mut heard = Report::new(self.sources.clone());
        let root = merge::merged(&self.sources, &mut heard);
        let root = Section::root(&root, &self.state);
        Ok(effective::effective(&root, &config, &self.sources))
    }
}

fn tables(root: &Section<'_>, look: Look, report: &mut Report) -> Config {
    root.refuse_unknown(key::TABLES, report);
    version(root, report);
    let empty = DeTable::new();
    let mut section = |name: &str| {
        let found = root.inner(name, key::table(name), report);
        let found = found.unwrap_or_else(|| root.empty(&empty));
        found.refuse_unknown(&key::names(name), report);
        found
    };
    let (schedule_table, fetch_table) = (section("schedule"), section("fetch"));
    let [same, store, web, log] = ["dedupe", "store", "web", "log"].map(section);
    let defaults = defaults(&schedule_table, &fetch_table, &same, report);
    let web = serving::web(&web, report);
    let base_url = web.base_url();
    let outputs = root.all("output", "[[output]]", report);
    let feeds = root.all("feed", "[[feed]]", report);
    let servers = Servers::read(root, &defaults, report);
    let subscribe = |section: &Section<'_>| {
        let feed = feed::feed(section, &defaults, &servers, report)?;
        Some((feed, section.span("url")))
    };
    let subscriptions = feeds.iter().filter_map(subscribe).collect();
    places::look(&store, "path", look, report);
    let store = table::store(&store, report);
    let mut subscriptions = cross::merged(subscriptions, report);
    let lists = root.all("subscriptions", "[[subscriptions]]", report);
    let with = (&defaults, &servers);
    let followed = lists::subscribe(&lists, with, &store.path, &mut subscriptions, report);
    if !schedule_table.has("host_spacing") {
        servers::spread_crowds(&mut subscriptions, &defaults);
    }
    let config = Config {
        fetch: (*defaults.fetch).clone(),
        concurrency: fetch_table.number("concurrency", 1..=1024, report).unwrap_or(CONCURRENCY),
        dedupe: Arc::clone(&defaults.dedupe),
        store,
        log: table::log(&log, report),
        outputs: outputs
            .iter()
            .filter_map(|output| table::output(output, &base_url, look, report))
            .collect(),
        subscriptions,
        followed,
        web,
    };
    named_twice(&outputs, &feeds, report);
    cross::missing(root, &config.subscriptions, &config.web, report);
    doubt::doubts((&outputs, &feeds), &config, report);
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

/// Reports what is named twice, and outputs named as newswire's own pages are.
fn named_twice(outputs: &[Section<'_>], feeds: &[Section<'_>], report: &mut Report) {
    let named = |sections: &[Section<'_>]| {
        let mut heard = Report::default();
        let named = sections.iter().filter_map(|section| section.text("id", &mut heard));
        named.map(|placed| (placed.text, placed.span)).collect::<Vec<(String, Range<usize>)>>()
    };
    let (outputs, feeds) = (named(outputs), named(feeds));
    cross::twice("output id", "duplicate_output", &outputs, report);
    cross::twice("feed id", "duplicate_feed", &feeds, report);
    cross::taken(&outputs, report);
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
