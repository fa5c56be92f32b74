//! Inheritance: the effective value of a key, and where it comes from.
//!
//! A chain has the layers that can set a key, the most specific first: for a feed its own section, the
//! `[[server]]` of its site, the built-in settings of the site, the section of the key, the defaults.

use std::any::Any;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use toml::de::DeTable;

use super::definition::{Key, Kind, Section};
use super::diagnostic::Report;
use super::keys::KEYS;
use super::quantity::spelled;
use super::section::{Document, Entry, FileKind, Layer, quoted};
use super::value::{Listed, Value};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The definition of the key.
    Default,
    /// A line of the config.
    Line {
        /// Offset of the name, counted through all files.
        offset: usize,
        /// The section that it is inherited from; `None`: the section itself.
        inherited: Option<&'static str>,
    },
    /// Built-in settings of a server.
    BuiltIn(String),
    /// The environment variable with this name.
    Environment(&'static str),
    /// Another value, which requires it.
    Derived(&'static str),
    /// A list of feeds that is followed.
    List,
}

/// An effective value with its origin.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    /// The value as TOML, without secrets.
    pub(super) toml: String,
    /// Where a secret is stored.
    pub(super) reference: Option<String>,
    pub(super) origin: Origin,
    /// Index of the layer in the chain; 0 is the most specific.
    pub(super) rank: usize,
}

/// The kind of a layer in a chain.
#[derive(Debug, Clone, Copy)]
enum Level<'c> {
    /// The section that the values are for.
    Own,
    /// A section that it inherits from.
    Inherited,
    BuiltIn(&'c str),
    /// Adjusted defaults, with the reason.
    Adjusted(&'static str),
    Default,
}

/// The layers that can set a key, the most specific first.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain<'c>(Vec<(&'c Layer, Level<'c>)>);

/// Settings of servers that need other settings than most.
const BUILT_IN: &str = include_str!("servers.toml");
/// Smallest number of feeds on one site that makes its default `host_spacing` longer.
pub(super) const MANY_FEEDS: usize = 11;
/// Default `host_spacing` of a site with many feeds.
const MANY_FEEDS_SPACING: &str = "[schedule]\nhost_spacing = \"10s\"\n";

/// Reads a text of this program, which has no errors.
fn built_in(text: &str) -> Document {
    let mut report = Report::default();
    let (root, errors) = DeTable::parse_recoverable(text);
    let files = [(root.into_inner(), FileKind::File)];
    let document = Document::read(&files, Path::new(""), &mut report);
    debug_assert!(errors.is_empty() && report.is_empty(), "{errors:?} {report:?}\n{text}");
    document
}

/// The defaults of all keys.
static DEFAULTS: LazyLock<Document> = LazyLock::new(|| {
    let mut text = String::new();
    for section in Section::all().filter(|section| *section != Section::Rules) {
        text.push_str(&match section {
            Section::Top => String::new(),
            list if list.is_list() => format!("[[{}]]\n", section.name()),
            _ => format!("[{}]\n", section.name()),
        });
        for key in section.keys() {
            match (key.default, key.required) {
                ("", false) => {}
                // Required keys have no default, and a section is invalid without them.
                ("", true) => text.push_str(&format!("{} = {}\n", key.name, key.example)),
                (default, _) => text.push_str(&format!("{} = {default}\n", key.name)),
            }
        }
    }
    built_in(&text)
});
static SERVERS: LazyLock<Document> = LazyLock::new(|| built_in(BUILT_IN));
static MANY: LazyLock<Document> = LazyLock::new(|| built_in(MANY_FEEDS_SPACING));

/// The built-in settings of a site.
pub(super) fn built_in_server(site: &str) -> Option<&'static Layer> {
    SERVERS.all(Section::Server).find(|server| server.text("host") == Some(site))
}

impl<'c> Chain<'c> {
    /// The chain of a section that inherits only defaults.
    pub(super) fn of(layer: &'c Layer) -> Self {
        Self::default().own(layer).defaults(layer.section)
    }

    pub(super) fn own(mut self, layer: &'c Layer) -> Self {
        self.0.push((layer, Level::Own));
        self
    }

    pub(super) fn inherited(mut self, layer: &'c Layer) -> Self {
        self.0.push((layer, Level::Inherited));
        self
    }

    pub(super) fn built_in(mut self, layer: &'c Layer, site: &'c str) -> Self {
        self.0.push((layer, Level::BuiltIn(site)));
        self
    }

    pub(super) fn many_feeds(mut self) -> Self {
        self.0.push((MANY.one(Section::Schedule), Level::Adjusted("many feeds on one server")));
        self
    }

    pub(super) fn defaults(mut self, section: Section) -> Self {
        self.0.push((DEFAULTS.one(section), Level::Default));
        self
    }

    /// Whether a layer has the key with an error.
    pub(super) fn is_uncertain(&self, name: &str) -> bool {
        self.0.iter().any(|(layer, _)| layer.is_uncertain(name))
    }

    pub(super) fn resolve(&self, key: &'static Key) -> Option<Resolved> {
        self.find(key.name, |_| true).filter(|found| {
            // The defaults contain examples of required keys.
            !key.required || found.origin != Origin::Default
        })
    }

    fn find(&self, name: &str, accepted: impl Fn(&Value) -> bool) -> Option<Resolved> {
        let mut layers = self.0.iter().enumerate();
        layers.find_map(|(rank, (layer, level))| {
            let Entry { key, value, toml, reference, name, .. } =
                layer.entry(name).filter(|entry| accepted(&entry.value))?;
            let line = |inherited| Origin::Line { offset: name.start, inherited };
            let origin = match level {
                Level::Own => line(None),
                Level::Inherited => line(Some(layer.section.heading())),
                Level::BuiltIn(site) => Origin::BuiltIn((*site).to_owned()),
                Level::Adjusted(reason) => Origin::Derived(reason),
                Level::Default => Origin::Default,
            };
            let (toml, reference) = (toml.clone(), reference.clone());
            Some(Resolved { key, value: value.clone(), toml, reference, origin, rank })
        })
    }

    fn is_server(&self, rank: usize) -> bool {
        self.0.get(rank).is_some_and(|(layer, _)| layer.section == Section::Server)
    }
}

/// Effective values of some keys.
#[derive(Debug, Clone)]
pub(super) struct Values(pub(super) Vec<Resolved>);

impl Values {
    pub(super) fn of(chain: &Chain<'_>, keys: impl Iterator<Item = &'static Key>) -> Self {
        Self(keys.filter_map(|key| chain.resolve(key)).collect())
    }

    pub(super) fn resolved(&self, key: &str) -> Option<&Resolved> {
        self.0.iter().find(|resolved| resolved.key.name == key)
    }

    /// The value of a key, if it has one of this type.
    pub(super) fn get<T: Any + Clone>(&self, key: &str) -> Option<T> {
        self.resolved(key)?.value.get().cloned()
    }

    /// The elements of a list; none if it is not set.
    pub(super) fn list<T: Any + Clone>(&self, key: &str) -> Vec<T> {
        let listed = self.get::<Vec<Listed>>(key).unwrap_or_default();
        listed.iter().filter_map(|listed| listed.value.get().cloned()).collect()
    }

    /// The variant for the word of a key; `variants` are in the order of the words in its definition.
    pub(super) fn choice<T: Copy + Debug>(&self, key: &str, variants: &[T]) -> T {
        let Some(Resolved { key: Key { kind: Kind::Choice(words), .. }, value, .. }) =
            self.resolved(key)
        else {
            return variants[0];
        };
        let name = |variant: &T| format!("{variant:?}").to_lowercase();
        let mut pairs = words.iter().zip(variants);
        debug_assert!(pairs.all(|(word, v)| name(v).ends_with(&word.replace('_', ""))), "{key}");
        let at = words.iter().position(|word| value.get() == Some(word));
        at.and_then(|at| variants.get(at)).copied().unwrap_or(variants[0])
    }

    /// Replaces a duration by one that another value requires.
    pub(super) fn derive(&mut self, key: &str, duration: Duration, reason: &'static str) {
        if let Some(resolved) = self.0.iter_mut().find(|resolved| resolved.key.name == key) {
            resolved.value = Value::of(duration);
            resolved.toml = quoted(&spelled(duration));
            resolved.origin = Origin::Derived(reason);
        }
    }
}

/// The effective values of `[schedule]`, with bounds that fit together, and the interval that they contain;
/// for "auto" the one to start with.
pub(super) fn schedule(chain: &Chain<'_>) -> (Values, Duration) {
    const FOLLOWS: &str = "follows interval";
    /// Interval of a feed about which nothing is known, unless a section sets one.
    const START: Duration = Duration::from_secs(60 * 60);
    let keys = || KEYS.iter().filter(|key| key.section == Section::Schedule);
    let mut values = Values::of(chain, keys());
    let fixed = values.get::<Duration>("interval").is_some();
    let of = |values: &Values, name: &str| {
        let rank = values.resolved(name).map_or(0, |resolved| resolved.rank);
        (values.get(name).unwrap_or_default(), rank)
    };
    let start = chain.find("interval", |value| value.get::<Duration>().is_some());
    let start = start.and_then(|found| Some((*found.value.get()?, found.rank)));
    let (mut interval, mut rank): (Duration, usize) = start.unwrap_or((START, 0));
    let (min, min_rank) = of(&values, "min_interval");
    if interval < min && min_rank < rank && chain.is_server(min_rank) {
        (interval, rank) = (min, min_rank);
        if fixed {
            values.derive("interval", interval, "raised to the min_interval of its server");
        }
    }
    if fixed && interval < min && rank < min_rank {
        values.derive("min_interval", interval, FOLLOWS);
    }
    let (max, max_rank) = of(&values, "max_interval");
    let (min, _) = of(&values, "min_interval");
    if fixed && interval > max && rank < max_rank {
        values.derive("max_interval", interval, FOLLOWS);
    } else if min > max && min_rank < max_rank && chain.is_server(min_rank) {
        values.derive("max_interval", min, "follows the min_interval of its server");
    }
    if !fixed {
        let (max, _) = of(&values, "max_interval");
        interval = interval.clamp(min, max.max(min));
    }
    (values, interval)
}

/// The effective values of `[store]`; relative paths start in `state`.
pub(super) fn store(layer: &Layer, state: &Path, variable: Option<&'static str>) -> Values {
    let mut values = Values::of(&Chain::of(layer), Section::Store.keys());
    for resolved in values.0.iter_mut().filter(|resolved| resolved.origin == Origin::Default) {
        if let Some(path) = resolved.value.get::<PathBuf>() {
            let path = state.join(path);
            resolved.toml = quoted(&path.display().to_string());
            resolved.value = Value::of(path);
            resolved.origin = variable.map_or(Origin::Default, Origin::Environment);
        }
    }
    values
}
