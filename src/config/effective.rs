//! Every value in force, and where it comes from. No secret is among them, only where it is.
//!
//! Values of `[schedule]` are those that a feed is polled by; the others are as they are written.

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};
use url::Url;

use super::block::quoted;
use super::key;
use super::kind::{Key, Kind};
use super::loaded::Config;
use super::report::Report;
use super::section::Section;
use super::servers::KNOWN;
use super::sources::Sources;
use super::value;
use crate::model::{Feed, site};
use crate::poll::Subscription;
use crate::schedule::{self, IntervalMode, PublisherHints};

/// Where the origins begin in a line.
const MARGIN: usize = 44;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A file and its line; the table, where it is inherited from another one.
    Line(String, Option<&'static str>),
    /// newswire knows this server.
    Known(String),
    /// Another value made it so.
    Follows(&'static str),
    /// A list that is followed.
    List,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Line(place, None) => f.write_str(place),
            Self::Line(place, Some(table)) => write!(f, "{place} {table}"),
            Self::Known(host) => write!(f, "known of {host}"),
            Self::Follows(what) => f.write_str(what),
            Self::List => f.write_str("a list that is followed"),
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name of the key.
    pub key: &'static str,
    /// As TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Of a secret, where it is.
    pub kept: Option<String>,
}

/// The values of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: &'static str,
    /// Id or address, where there are many.
    of: Option<String>,
    settings: Vec<Setting>,
}

/// Every value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective(Vec<Table>);

impl Effective {
    /// The values of this feed alone, by id or address.
    #[must_use]
    pub fn of(self, feed: &str) -> Option<Self> {
        let named = |table: &Table| {
            let is = |s: &Setting| matches!(s.key, "id" | "url") && s.value == quoted(feed);
            table.name == "[[feed]]" && table.settings.iter().any(is)
        };
        let tables: Vec<Table> = self.0.into_iter().filter(named).collect();
        (!tables.is_empty()).then_some(Self(tables))
    }

    /// As a config with the origin behind each value.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for table in &self.0 {
            let gap = if text.is_empty() { "" } else { "\n" };
            let head = if table.name.starts_with('[') { table.name } else { "" };
            if !head.is_empty() {
                let _ = writeln!(text, "{gap}{head}");
            }
            for Setting { key, value, origin, kept } in &table.settings {
                let line = format!("{key} = {value}");
                let kept = kept.as_ref().map_or_else(String::new, |kept| format!(", {kept}"));
                let _ = writeln!(text, "{line:<MARGIN$}  # {origin}{kept}");
            }
        }
        text
    }

    /// For programs: one array.
    #[must_use]
    pub fn json(&self) -> Value {
        let setting = |table: &Table, setting: &Setting| {
            json!({
                "table": table.name.trim_matches(['[', ']']),
                "of": table.of,
                "key": setting.key,
                "value": setting.value,
                "origin": setting.origin.to_string(),
                "default": setting.origin == Origin::Default,
                "secret": setting.kept,
            })
        };
        let of =
            |table: &Table| table.settings.iter().map(|s| setting(table, s)).collect::<Vec<_>>();
        self.0.iter().flat_map(of).collect()
    }
}

/// Reads them off the config and what it was made of.
pub(super) fn effective(root: &Section<'_>, config: &Config, sources: &Sources) -> Effective {
    let mut heard = Report::default();
    let (known, _) = DeTable::parse_recoverable(KNOWN);
    let known_root = Section::root(known.get_ref(), Path::new(""));
    let hosts = |sections: Vec<Section<'_>>| -> HashMap<String, usize> {
        let host =
            |(n, s): (usize, &Section<'_>)| Some((s.text("host", &mut Report::default())?.text, n));
        sections.iter().enumerate().filter_map(host).collect()
    };
    let (ours, theirs) = (
        root.all("server", "[[server]]", &mut heard),
        known_root.all("server", "[[server]]", &mut heard),
    );
    let reading = Reading {
        sources,
        root: *root,
        our_hosts: hosts(ours.clone()),
        known_hosts: hosts(theirs.clone()),
        ours,
        known: theirs,
    };
    let mut tables = Vec::new();
    for name in ["", "schedule", "fetch", "dedupe", "store", "web", "log"] {
        tables.push(reading.table(name, config));
    }
    for output in root.all("output", "[[output]]", &mut heard) {
        tables.push(reading.listed("output", &output));
    }
    for server in &reading.ours {
        tables.push(reading.server(server));
    }
    let mut placed: HashMap<Url, Section<'_>> = HashMap::new();
    for feed in root.all("feed", "[[feed]]", &mut heard) {
        if let Some(url) = feed.parsed("url", "", value::web_url, &mut heard) {
            placed.entry(url).or_insert(feed);
        }
    }
    for subscription in &config.subscriptions {
        tables.push(reading.feed(subscription, placed.get(&subscription.feed.url)));
    }
    for list in root.all("subscriptions", "[[subscriptions]]", &mut heard) {
        tables.push(reading.listed("subscriptions", &list));
    }
    Effective(tables)
}

/// The config as it was written.
struct Reading<'d> {
    sources: &'d Sources,
    root: Section<'d>,
    ours: Vec<Section<'d>>,
    our_hosts: HashMap<String, usize>,
    known: Vec<Section<'d>>,
    known_hosts: HashMap<String, usize>,
}

impl Reading<'_> {
    /// What this table says of a key.
    fn said(
        &self,
        section: &Section<'_>,
        key: &Key,
        from: Option<&'static str>,
    ) -> Option<Setting> {
        let value = section.value(key.name)?;
        let place = self.sources.place(section.key_span(key.name).start).to_string();
        let (value, kept) = shown(key.kind, section, value.get_ref());
        Some(Setting { key: key.name, value, origin: Origin::Line(place, from), kept })
    }

    /// One of the tables that there is once.
    fn table(&self, name: &'static str, config: &Config) -> Table {
        let inner = self.root.inner(name, "", &mut Report::default());
        let section = if name.is_empty() { Some(self.root) } else { inner };
        let base = schedule::Settings::default();
        let shared = match &section {
            Some(section) if name == "schedule" => {
                super::table::schedule(section, &base, &mut Report::default())
            }
            _ => base,
        };
        let settings = of_table(name).filter_map(|key| {
            let said = section.as_ref().and_then(|section| self.said(section, key, None));
            let setting = said.or_else(|| default(key))?;
            Some(match (name, key.name) {
                ("schedule", _) => in_force(setting, &shared),
                ("store", "path") => {
                    Setting { value: quoted(&config.store.path.display().to_string()), ..setting }
                }
                _ => setting,
            })
        });
        Table { name: key::table(name), of: None, settings: settings.collect() }
    }

    /// One of the tables of which there are many.
    fn listed(&self, name: &'static str, section: &Section<'_>) -> Table {
        let said = |key: &Key| self.said(section, key, None).or_else(|| default(key));
        let settings: Vec<Setting> = of_table(name).filter_map(said).collect();
        Table { name: key::table(name), of: named(&settings), settings }
    }

    fn server(&self, section: &Section<'_>) -> Table {
        let keys = of_table("server").chain(of_table("schedule"));
        let settings: Vec<Setting> = keys.filter_map(|key| self.said(section, key, None)).collect();
        Table { name: key::table("server"), of: named(&settings), settings }
    }

    /// A feed: what it says itself, else its server, else the table that it inherits from.
    fn feed(&self, subscription: &Subscription, section: Option<&Section<'_>>) -> Table {
        let host = site(&subscription.feed.url);
        let inherited = |key: &Key| {
            let server = self.our_hosts.get(host).map(|n| &self.ours[*n]);
            let known = self.known_hosts.get(host).map(|n| &self.known[*n]);
            let of_server = key.table == "schedule";
            let ours = server.filter(|_| of_server);
            let ours = ours.and_then(|server| self.said(server, key, Some("[[server]]")));
            let known = known.filter(|s| of_server && s.has(key.name)).map(|section| {
                let value = section.value(key.name).map(|v| toml(v.get_ref())).unwrap_or_default();
                Setting { key: key.name, value, origin: Origin::Known(host.to_owned()), kept: None }
            });
            let table = self.root.inner(key.table, "", &mut Report::default());
            let table = table.and_then(|t| self.said(&t, key, Some(key::table(key.table))));
            ours.or(known).or(table).or_else(|| default(key))
        };
        let setting = |key: &Key| {
            let own = section.and_then(|section| self.said(section, key, None));
            if key.table == "feed" {
                return own.or_else(|| listed(&subscription.feed, key)).or_else(|| default(key));
            }
            let setting = own.or_else(|| inherited(key))?;
            let timed = key.table == "schedule";
            Some(if timed { in_force(setting, &subscription.schedule) } else { setting })
        };
        let settings = ["feed", "schedule", "fetch", "dedupe"].into_iter().flat_map(of_table);
        let settings = settings.filter(|key| key.name != "concurrency").filter_map(setting);
        let of = subscription.feed.id.as_ref().map(ToString::to_string);
        let of = of.unwrap_or_else(|| subscription.feed.url.to_string());
        Table { name: key::table("feed"), of: Some(of), settings: settings.collect() }
    }
}

fn of_table(name: &'static str) -> impl Iterator<Item = &'static Key> {
    key::KEYS.iter().filter(move |key| key.table == name)
}

fn named(settings: &[Setting]) -> Option<String> {
    let name = |s: &&Setting| matches!(s.key, "id" | "host" | "file" | "url");
    settings.iter().find(name).map(|s| s.value.trim_matches('"').to_owned())
}

fn default(key: &Key) -> Option<Setting> {
    let value = Some(key.default).filter(|default| !default.is_empty())?.to_owned();
    Some(Setting { key: key.name, value, origin: Origin::Default, kept: None })
}

/// What a list says of a feed.
fn listed(feed: &Feed, key: &Key) -> Option<Setting> {
    let tags = || feed.tags.iter().map(|tag| quoted(tag)).collect::<Vec<_>>().join(", ");
    let value = match key.name {
        "url" => quoted(feed.url.as_str()),
        "title" => quoted(feed.title.as_deref()?),
        "tags" if !feed.tags.is_empty() => format!("[{}]", tags()),
        _ => return None,
    };
    Some(Setting { key: key.name, value, origin: Origin::List, kept: None })
}

/// The value that holds, where another one changed what was written.
fn in_force(setting: Setting, settings: &schedule::Settings) -> Setting {
    let timed = |duration: Duration| {
        let written = setting.value.trim_matches('"');
        let same = value::duration(written).is_ok_and(|written| written == duration);
        (!same).then(|| value::spelt(duration))
    };
    let (changed, why) = match setting.key {
        "interval" if settings.interval_mode == IntervalMode::Auto => (None, ""),
        "interval" => (timed(settings.interval), "raised to the min_interval of its server"),
        "min_interval" => (timed(settings.min_interval), "follows interval"),
        "max_interval" => (timed(settings.max_interval), "follows interval"),
        "host_spacing" => (timed(settings.host_spacing), "many feeds on one server"),
        "publisher_hints" => (
            (settings.publisher_hints == PublisherHints::Ignore && setting.value != "\"ignore\"")
                .then(|| "\"ignore\"".to_owned()),
            "",
        ),
        _ => (None, ""),
    };
    match changed {
        Some(value) => Setting { value, origin: Origin::Follows(why), ..setting },
        None => setting,
    }
}

/// A value that may be shown, and where the secret is that may not.
fn shown(kind: Kind, section: &Section<'_>, value: &DeValue<'_>) -> (String, Option<String>) {
    match (kind, value) {
        (Kind::Secret, _) => ("\"***\"".to_owned(), Some(whereabouts(value))),
        (Kind::Secrets, DeValue::Table(table)) => {
            let names = table.iter().map(|(name, value)| {
                (
                    format!("{} = \"***\"", quoted(name.get_ref())),
                    format!("{}: {}", name.get_ref(), whereabouts(value.get_ref())),
                )
            });
            let (shown, kept): (Vec<String>, Vec<String>) = names.unzip();
            (format!("{{ {} }}", shown.join(", ")), Some(kept.join(", ")))
        }
        (Kind::Path, DeValue::String(path)) => {
            (quoted(&section.beside(Path::new(path.trim())).display().to_string()), None)
        }
        _ => (toml(value), None),
    }
}

/// `file "/etc/x"`.
fn whereabouts(value: &DeValue<'_>) -> String {
    let Some(table) = value.as_table() else { return String::new() };
    let part = |(name, value): (
        &toml::Spanned<std::borrow::Cow<'_, str>>,
        &toml::Spanned<DeValue<'_>>,
    )| { format!("{} {}", name.get_ref(), toml(value.get_ref())) };
    table.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// A value on one line.
fn toml(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(array) => {
            let inner: Vec<String> = array.iter().map(|value| toml(value.get_ref())).collect();
            format!("[{}]", inner.join(", "))
        }
        DeValue::Table(table) => {
            let pair = |(key, value): (
                &toml::Spanned<std::borrow::Cow<'_, str>>,
                &toml::Spanned<DeValue<'_>>,
            )| { format!("{} = {}", key.get_ref(), toml(value.get_ref())) };
            format!("{{ {} }}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}
