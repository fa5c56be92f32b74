//! The config: reads `newswire.toml` strictly, with all errors in one report.
//!
//! `keys` defines each key once. Everything else is derived from these definitions:
//!
//! ```text
//! files       the files and their texts, and places in them
//! environment variables that set keys, as files
//! parse       TOML
//! section     sections and keys by their definitions, all files joined
//! value       single values; format: the formats of texts, with the parsers in quantity, address, text, named_file
//! secret      values that are stored elsewhere
//! suggest     what an unknown name probably means
//! resolve     inheritance: the effective value of a key and its origin
//! settings    from values to the settings of the rooms; feeds: the same for each feed; followed: lists of feeds
//! checks      what only the config as a whole shows; outputs: the same of outputs
//! diagnostic  errors and warnings, as text and JSON; redact: without secrets
//! effective   newswire config; schema: newswire schema
//! ```

mod address;
mod checks;
mod definition;
mod diagnostic;
mod effective;
mod environment;
mod feeds;
mod files;
mod followed;
mod format;
mod keys;
mod named_file;
mod outputs;
mod parse;
mod quantity;
mod redact;
mod resolve;
mod schema;
mod secret;
mod section;
mod settings;
mod suggest;
mod text;
mod value;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::checks::PathChecks;
use self::checks::check;
pub use self::definition::{Key, Kind, Section};
pub use self::diagnostic::{Diagnostic, Report, Severity, Style};
pub use self::effective::Effective;
use self::feeds::Feeds;
pub use self::feeds::with_ids;
use self::files::STATE_VARIABLE;
pub use self::files::{Files, Location, state_folder};
pub use self::followed::{BrokenList, Followed, ListSource, read_list_file};
pub use self::keys::KEYS;
pub use self::redact::{config as redact_config, logins as redact_logins};
use self::resolve::Chain;
pub use self::schema::schema;
use self::section::Document;
pub(crate) use self::section::quoted;
pub use self::settings::Config;
pub(crate) use self::suggest::nearest;
use self::value::Reader;
use crate::model::Feed;
use crate::web::ListenAddress;

/// The result of reading a config.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The config; `None` if it has errors.
    pub config: Option<Config>,
    /// All errors and warnings that were found.
    pub report: Report,
    /// Path of the database. With errors elsewhere in the config too, so that the running daemon can be found.
    pub database: PathBuf,
    /// `[web] listen`, with errors elsewhere in the config too.
    pub listen: Vec<ListenAddress>,
}

/// Reads the config at `path` with all its files, see [`Files::gather`].
#[must_use]
pub fn load(path: &Path) -> Loaded {
    Files::gather(path).read(PathChecks::Existence)
}

/// Reads the text of a config. `path` is its name in messages; relative paths start in `state`.
#[must_use]
pub fn read(text: String, path: &Path, state: &Path) -> Loaded {
    Files::one(text, path, state).read(PathChecks::Existence)
}

/// Parses a duration as the config has it: "45s", "30m", "30d".
///
/// # Errors
/// Why it is invalid, and how to write it.
pub fn duration(text: &str) -> Result<jiff::SignedDuration, String> {
    let duration = quantity::positive(text, quantity::Unit::Days)
        .map_err(|invalid| format!("{}: {}", invalid.message, invalid.advice()))?;
    Ok(jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX))
}

/// Parses a network or an address as the config has it: "192.168.1.7", "10.0.0.0/8".
///
/// # Errors
/// Why it is invalid, and how to write it.
pub fn network(text: &str) -> Result<ipnet::IpNet, String> {
    address::network(text).map_err(|invalid| format!("{}: {}", invalid.message, invalid.advice()))
}

/// The `[[feed]]` section of a feed: its URL, and its id, title and tags if it has any.
#[must_use]
pub fn feed_block(feed: &Feed) -> String {
    let mut block = format!("[[feed]]\nurl = {}\n", quoted(feed.url.as_str()));
    if let Some(id) = &feed.id {
        let _ = writeln!(block, "id = {}", quoted(id.as_str()));
    }
    if let Some(title) = &feed.title {
        let _ = writeln!(block, "title = {}", quoted(title));
    }
    if !feed.tags.is_empty() {
        let tags: Vec<String> = feed.tags.iter().map(|tag| quoted(tag)).collect();
        let _ = writeln!(block, "tags = [{}]", tags.join(", "));
    }
    block
}

impl Files {
    /// Reads the files as one config.
    #[must_use]
    pub fn read(&self, paths: PathChecks) -> Loaded {
        let (_, config, report) = self.parts(paths);
        let (database, listen) = (config.store.path.clone(), config.web.listen.clone());
        let config = Some(config).filter(|_| report.errors() == 0);
        Loaded { config, report, database, listen }
    }

    /// Every effective value with its origin.
    ///
    /// # Errors
    /// All errors of the config.
    pub fn effective(&self) -> Result<Effective, Report> {
        let (document, config, report) = self.parts(PathChecks::Existence);
        if report.errors() > 0 {
            return Err(report);
        }
        let feeds = Feeds::collect(&document, &config.store.path, &mut Report::default());
        Ok(Effective::collect(&document, &feeds, &self.store(&document), &self.sources))
    }

    /// The sections of all files, the config that they make, and all errors and warnings.
    fn parts(&self, paths: PathChecks) -> (Document, Config, Report) {
        let mut report = Report::new(self.sources.clone());
        self.errors().for_each(|error| report.push(error));
        let mut found = Report::new(self.sources.clone());
        let mut reader = Reader { state: &self.state, report: &mut found };
        let document = Document::read(&self.sources, &mut report, &mut reader);
        let config = self.config(&document, paths, &mut found);
        if report.is_incomplete() {
            found.remove_consequences(&report);
        }
        report.diagnostics.append(&mut found.diagnostics);
        report.sort();
        (document, config, report)
    }

    fn store<'d>(&self, document: &'d Document) -> Chain<'d> {
        let variable = std::env::var_os(STATE_VARIABLE).map(|_| STATE_VARIABLE);
        resolve::store(document.one(Section::Store), &self.state, variable)
    }

    fn config(&self, document: &Document, paths: PathChecks, report: &mut Report) -> Config {
        let values = |section: Section| Chain::of(document.one(section));
        let fetch = values(Section::Fetch);
        let web = settings::web(&values(Section::Web));
        let outputs = document.all(Section::Output);
        let outputs: Vec<_> =
            outputs.filter_map(|output| settings::output(output, &web, report)).collect();
        let mut config = Config {
            schedule: Arc::new(settings::schedule(values(Section::Schedule))),
            fetch: settings::fetch(&fetch),
            concurrency: fetch.get("concurrency").unwrap_or(1),
            dedupe: Arc::new(settings::dedupe(&values(Section::Dedupe))),
            store: settings::store(&self.store(document)),
            web,
            log: settings::log(&values(Section::Log)),
            outputs,
            subscriptions: Vec::new(),
            followed: Vec::new(),
        };
        let feeds = Feeds::collect(document, &config.store.path, report);
        config.subscriptions = feeds.subscriptions(&config, report);
        config.followed = feeds.followed;
        check(document, &config, paths, report);
        config
    }
}
