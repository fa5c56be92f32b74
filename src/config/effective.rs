//! `newswire config`: every effective value with its origin, without secrets.

use std::fmt::{self, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use super::definition::{Key, Section};
use super::feeds::{ConfiguredFeed, Feeds};
use super::position::Sources;
use super::resolve::{Chain, Origin, Resolved, Values, schedule};
use super::section::{Document, quoted};
use crate::model::{Feed, site};

/// Column at which origins begin.
const ORIGIN_COLUMN: usize = 44;

/// A value that applies, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name of the key.
    pub key: &'static str,
    /// The value as TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The origin for people: `newswire.toml:3 [schedule]`.
    pub origin_text: String,
    /// Where a secret is stored.
    pub reference: Option<String>,
}

/// The values of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    section: Section,
    /// Id, URL, host or file of a section that the config can have several times.
    of: Option<String>,
    settings: Vec<Setting>,
}

/// All values that apply, by section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective(Vec<Table>);

impl Effective {
    /// Only the values of a feed, by id or URL; `None`: the feed is unknown.
    #[must_use]
    pub fn of(&self, feed: &str) -> Option<Self> {
        let named = |table: &Table| {
            // A feed that has an id in the database only is looked for by the URL of its file.
            let path = feed.strip_prefix("file://").map(Path::new);
            let is = |s: &Setting| match s.key {
                "file" if path.is_some_and(|path| path.ends_with(s.value.trim_matches('"'))) => {
                    true
                }
                key => matches!(key, "id" | "url" | "file") && s.value == quoted(feed),
            };
            table.section == Section::Feed && table.settings.iter().any(is)
        };
        let tables: Vec<Table> = self.0.iter().filter(|table| named(table)).cloned().collect();
        (!tables.is_empty()).then_some(Self(tables))
    }

    /// Only the values that are not defaults, and the sections that have some.
    #[must_use]
    pub fn changed(mut self) -> Self {
        let is_default = |setting: &Setting| {
            matches!(setting.origin, Origin::Default | Origin::Derived(_) | Origin::BuiltIn(_))
        };
        for table in &mut self.0 {
            table.settings.retain(|setting| !is_default(setting));
        }
        self.0.retain(|table| !table.settings.is_empty());
        self
    }

    /// A config with the origin of each value in a comment.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for table in &self.0 {
            if table.section != Section::Top {
                let gap = if text.is_empty() { "" } else { "\n" };
                let _ = writeln!(text, "{gap}{}", table.section.heading());
            }
            for Setting { key, value, origin_text, reference, .. } in &table.settings {
                let line = format!("{key} = {value}");
                let reference =
                    reference.as_ref().map_or_else(String::new, |text| format!(", {text}"));
                let _ = writeln!(text, "{line:<ORIGIN_COLUMN$}  # {origin_text}{reference}");
            }
        }
        text
    }

    /// One array, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let setting = |table: &Table, setting: &Setting| {
            json!({
                "table": table.section.heading().trim_matches(['[', ']']),
                "of": table.of,
                "key": setting.key,
                "value": setting.value,
                "origin": setting.origin_text,
                "default": setting.origin == Origin::Default,
                "secret": setting.reference,
            })
        };
        let settings =
            |table: &Table| table.settings.iter().map(|s| setting(table, s)).collect::<Vec<_>>();
        self.0.iter().flat_map(settings).collect()
    }

    /// Collects the values; `store` has those of `[store]`.
    pub(super) fn collect(
        document: &Document,
        feeds: &Feeds<'_>,
        store: Values,
        sources: &Sources,
    ) -> Self {
        let table = |section: Section, values: Vec<Resolved>, of: Option<String>| {
            let settings: Vec<Setting> =
                values.into_iter().map(|resolved| setting(resolved, sources)).collect();
            let name = |s: &&Setting| matches!(s.key, "id" | "host" | "file" | "url");
            let of = of.or_else(|| {
                let name = settings.iter().find(name).filter(|_| section.is_list());
                name.map(|setting| setting.value.trim_matches('"').to_owned())
            });
            Table { section, of, settings }
        };
        let single = |section: Section| {
            let chain = Chain::of(document.one(section));
            match section {
                Section::Schedule => schedule(&chain).0.0,
                Section::Store => store.0.clone(),
                _ => Values::of(&chain, section.keys()).0,
            }
        };
        let mut tables: Vec<Table> = Section::all()
            .filter(|section| !section.is_list() && *section != Section::Rules)
            .map(|section| table(section, single(section), None))
            .collect();
        for section in [Section::Output, Section::Server] {
            for layer in document.all(section) {
                let chain = Chain::of(layer);
                tables.push(table(section, Values::of(&chain, section.accepted()).0, None));
            }
        }
        for ConfiguredFeed { feed, layer, .. } in &feeds.feeds {
            let site = site(&feed.url);
            let chain = |section| feeds.chain(section, site, *layer);
            let mut values = match layer {
                Some(_) => Values::of(&chain(Section::Feed), Section::Feed.keys()).0,
                None => Section::Feed.keys().filter_map(|key| from_list(feed, key)).collect(),
            };
            values.extend(schedule(&chain(Section::Schedule)).0.0);
            for section in [Section::Fetch, Section::Dedupe] {
                let keys = section.keys().filter(|key| key.inherited_by.contains(&Section::Feed));
                values.extend(Values::of(&chain(section), keys).0);
            }
            let of = feed.id.as_ref().map_or_else(|| feed.url.to_string(), ToString::to_string);
            tables.push(table(Section::Feed, values, Some(of)));
        }
        for layer in document.all(Section::Subscriptions) {
            let keys = Section::Subscriptions.keys();
            tables.push(table(Section::Subscriptions, Values::of(&Chain::of(layer), keys).0, None));
        }
        Self(tables)
    }
}

fn setting(resolved: Resolved, sources: &Sources) -> Setting {
    let Resolved { key, toml, reference, origin, .. } = resolved;
    let origin_text = OriginText { origin: &origin, sources }.to_string();
    Setting { key: key.name, value: toml, origin_text, origin, reference }
}

/// The value of a feed that comes from a list.
fn from_list(feed: &Feed, key: &'static Key) -> Option<Resolved> {
    let tags = || feed.tags.iter().map(|tag| quoted(tag)).collect::<Vec<_>>().join(", ");
    let toml = match key.name {
        "url" => quoted(feed.url.as_str()),
        "title" => quoted(feed.title.as_deref()?),
        "tags" => format!("[{}]", tags()),
        _ => return None,
    };
    let value = super::value::Value::of(toml.clone());
    Some(Resolved { key, value, toml, reference: None, origin: Origin::List, rank: 0 })
}

/// An origin for people.
struct OriginText<'s> {
    origin: &'s Origin,
    sources: &'s Sources,
}

impl fmt::Display for OriginText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Default => f.write_str("default"),
            Origin::Line { offset, inherited } => {
                write!(f, "{}", self.sources.location(*offset))?;
                inherited.map_or(Ok(()), |section| write!(f, " {section}"))
            }
            Origin::BuiltIn(site) => write!(f, "built-in for {site}"),
            Origin::Environment(name) => write!(f, "default, in ${name}"),
            Origin::Derived(reason) => f.write_str(reason),
            Origin::List => f.write_str("a list that is followed"),
        }
    }
}
