//! `newswire config`: every effective value with its origin, without secrets.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use url::Url;

use super::definition::{Key, Section};
use super::feeds::{ConfiguredFeed, Feeds};
use super::files::Sources;
use super::resolve::{Chain, Origin, schedule};
use super::section::{Document, Entry, Layer, quoted};
use crate::model::{Feed, site};

/// Column at which origins begin.
const ORIGIN_COLUMN: usize = 44;

/// A value that applies, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    /// Name of the key.
    key: &'static str,
    /// The value as TOML.
    value: String,
    /// Where it comes from.
    origin: Origin,
    /// The origin for people: `newswire.toml:3 [schedule]`.
    origin_text: String,
    /// Where a secret is stored.
    reference: Option<String>,
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
        let url = |text: &str| Url::parse(text.trim().trim_matches('"')).ok();
        let wanted = url(feed);
        let is_url = |value: &str| wanted.is_some() && url(value) == wanted;
        let named = |table: &Table| {
            // A feed that has an id in the database only is looked for by the URL of its file.
            let path = feed.strip_prefix("file://").map(Path::new);
            let is = |s: &Setting| match s.key {
                "file" if path.is_some_and(|path| path.ends_with(s.value.trim_matches('"'))) => {
                    true
                }
                "url" if is_url(&s.value) => true,
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
        store: &Chain<'_>,
        sources: &Sources,
    ) -> Self {
        let single = |section: Section| {
            let keys = section.keys();
            let chain = Chain::of(document.one(section));
            let settings = match section {
                Section::Schedule => schedule(chain).0.settings(keys, sources),
                Section::Store => store.settings(keys, sources),
                _ => chain.settings(keys, sources),
            };
            Table { section, of: None, settings }
        };
        let listed = |layer: &Layer| {
            let settings = Chain::of(layer).settings(layer.section.accepted(), sources);
            let name = settings.iter().find(|s| matches!(s.key, "id" | "host" | "file" | "url"));
            let of = name.map(|setting| setting.value.trim_matches('"').to_owned());
            Table { section: layer.section, of, settings }
        };
        let feed = |ConfiguredFeed { feed, layer, .. }: &ConfiguredFeed<'_>| {
            let site = site(&feed.url);
            let chain = |section| feeds.chain(section, site, *layer);
            let keys = Section::Feed.keys();
            let mut settings = match layer {
                Some(_) => chain(Section::Feed).settings(keys, sources),
                None => keys.filter_map(|key| from_list(feed, key, sources)).collect(),
            };
            let (schedule, _) = schedule(chain(Section::Schedule));
            settings.extend(schedule.settings(Section::Schedule.keys(), sources));
            for section in [Section::Fetch, Section::Dedupe] {
                let keys = section.keys().filter(|key| key.inherited_by.contains(&Section::Feed));
                settings.extend(chain(section).settings(keys, sources));
            }
            let of = feed.id.as_ref().map_or_else(|| feed.url.to_string(), ToString::to_string);
            Table { section: Section::Feed, of: Some(of), settings }
        };
        let is_single = |section: &Section| !section.is_list() && *section != Section::Rules;
        let all = |section| document.all(section).map(listed);
        let tables = Section::all().filter(is_single).map(single);
        let tables = tables.chain(all(Section::Output)).chain(all(Section::Server));
        let tables = tables.chain(feeds.feeds.iter().map(feed)).chain(all(Section::Subscriptions));
        Self(tables.collect())
    }
}

impl Chain<'_> {
    /// The effective values of some keys.
    fn settings(
        &self,
        keys: impl Iterator<Item = &'static Key>,
        sources: &Sources,
    ) -> Vec<Setting> {
        let setting = |(entry, origin): (&Entry, &Origin)| Setting {
            key: entry.key.name,
            value: entry.toml.clone(),
            origin: origin.clone(),
            origin_text: origin.text(entry.name.start, sources),
            reference: entry.reference.clone(),
        };
        keys.filter_map(|key| self.entry(key.name)).map(setting).collect()
    }
}

/// The value of a feed that comes from a list.
fn from_list(feed: &Feed, key: &Key, sources: &Sources) -> Option<Setting> {
    let tags = || feed.tags.iter().map(|tag| quoted(tag)).collect::<Vec<_>>().join(", ");
    let value = match key.name {
        "url" => quoted(feed.url.as_str()),
        "title" => quoted(feed.title.as_deref()?),
        "tags" => format!("[{}]", tags()),
        _ => return None,
    };
    let origin_text = Origin::List.text(0, sources);
    Some(Setting { key: key.name, value, origin: Origin::List, origin_text, reference: None })
}

impl Origin {
    /// The origin for people, of a key whose name is at `offset`.
    fn text(&self, offset: usize, sources: &Sources) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Own => sources.location(offset).to_string(),
            Self::Inherited(section) => format!("{} {section}", sources.location(offset)),
            Self::BuiltIn(site) => format!("built-in for {site}"),
            Self::Environment(name) => format!("default, in ${name}"),
            Self::Derived(reason) => (*reason).to_owned(),
            Self::List => "a list that is followed".to_owned(),
        }
    }
}
