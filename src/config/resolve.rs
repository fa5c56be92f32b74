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

use super::definition::{Kind, Section};
use super::diagnostic::Report;
use super::quantity::spelled;
use super::section::{Entry, Layer, quoted};
use super::value::{Listed, Reader, Value};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The definition of the key.
    Default,
    /// The section that the value is for.
    Own,
    /// Another section with this heading.
    Inherited(&'static str),
    /// Built-in settings of a server.
    BuiltIn(String),
    /// The environment variable with this name.
    Environment(&'static str),
    /// Another value, which requires it.
    Derived(&'static str),
    /// A list of feeds that is followed.
    List,
}

/// Settings of servers that need other settings than most.
const BUILT_IN: &str = include_str!("servers.toml");
/// Smallest number of feeds on one site that makes its default `host_spacing` longer.
pub(super) const MANY_FEEDS: usize = 11;
/// Default `host_spacing` of a site with many feeds.
const MANY_FEEDS_SPACING: &str = "host_spacing = \"10s\"";

/// The keys of a section in a text of this program, which has no errors.
fn built_in(section: Section, text: &str) -> Layer {
    let mut report = Report::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { state: Path::new(""), report: &mut report };
    let layer = Layer::read(section, table.get_ref(), 0..0, &mut reader);
    debug_assert!(errors.is_empty() && report.is_empty(), "{errors:?} {report:?}\n{text}");
    layer
}

/// The defaults of each section.
static DEFAULTS: LazyLock<Vec<Layer>> = LazyLock::new(|| {
    let defaults = |section: Section| {
        let keys = section.keys().filter(|key| !key.default.is_empty());
        let lines = keys.map(|key| format!("{} = {}\n", key.name, key.default));
        built_in(section, &lines.collect::<String>())
    };
    Section::all().map(defaults).collect()
});
static SERVERS: LazyLock<Vec<Layer>> = LazyLock::new(|| {
    let sections = BUILT_IN.split("[[server]]\n").skip(1);
    sections.map(|text| built_in(Section::Server, text)).collect()
});
static MANY: LazyLock<Layer> = LazyLock::new(|| built_in(Section::Schedule, MANY_FEEDS_SPACING));

/// The built-in settings of a site.
pub(super) fn built_in_server(site: &str) -> Option<&'static Layer> {
    SERVERS.iter().find(|server| server.text("host") == Some(site))
}

/// The layers that can set a key, each with the origin of its values, the most specific first.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain<'c> {
    layers: Vec<(&'c Layer, Origin)>,
    /// Values that other values require; they replace those of the layers.
    derived: Vec<(Entry, Origin)>,
}

impl<'c> Chain<'c> {
    /// The chain of a section that inherits only defaults.
    pub(super) fn of(layer: &'c Layer) -> Self {
        Self::default().own(layer).defaults(layer.section)
    }

    fn with(mut self, layer: &'c Layer, origin: Origin) -> Self {
        self.layers.push((layer, origin));
        self
    }

    /// Adds the section that the values are for.
    pub(super) fn own(self, layer: &'c Layer) -> Self {
        self.with(layer, Origin::Own)
    }

    /// Adds a section that it inherits from.
    pub(super) fn inherited(self, layer: &'c Layer) -> Self {
        self.with(layer, Origin::Inherited(layer.section.heading()))
    }

    /// Adds the built-in settings of a site, if it has any.
    pub(super) fn built_in(self, site: &str) -> Self {
        match built_in_server(site) {
            Some(layer) => self.with(layer, Origin::BuiltIn(site.to_owned())),
            None => self,
        }
    }

    /// Adds the defaults of a site with many feeds.
    pub(super) fn many_feeds(self) -> Self {
        self.with(&MANY, Origin::Derived("many feeds on one server"))
    }

    /// Adds the defaults of a section.
    pub(super) fn defaults(self, section: Section) -> Self {
        self.with(&DEFAULTS[section as usize], Origin::Default)
    }

    /// Whether a layer has the key with an error.
    pub(super) fn is_uncertain(&self, name: &str) -> bool {
        self.layers.iter().any(|(layer, _)| layer.is_uncertain(name))
    }

    /// The effective value of a key with its origin.
    pub(super) fn entry(&self, name: &str) -> Option<(&Entry, &Origin)> {
        let derived = self.derived.iter().find(|(entry, _)| entry.key.name == name);
        let derived = derived.map(|(entry, origin)| (entry, origin));
        let mut layers = self.layers.iter();
        derived.or_else(|| layers.find_map(|(layer, origin)| Some((layer.entry(name)?, origin))))
    }

    /// The value of a key, if it has one of this type.
    pub(super) fn get<T: Any + Clone>(&self, name: &str) -> Option<T> {
        self.entry(name)?.0.value.get().cloned()
    }

    /// The elements of a list; none if it is not set.
    pub(super) fn list<T: Any + Clone>(&self, name: &str) -> Vec<T> {
        let listed = self.get::<Vec<Listed>>(name).unwrap_or_default();
        listed.iter().filter_map(|listed| listed.value.get().cloned()).collect()
    }

    /// The variant for the word of a key; `variants` are in the order of the words in its definition.
    pub(super) fn choice<T: Copy + Debug>(&self, name: &str, variants: &[T]) -> T {
        let Some((Entry { key, value, .. }, _)) = self.entry(name) else { return variants[0] };
        let Kind::Choice(words) = key.kind else { return variants[0] };
        let spelled = |variant: &T| format!("{variant:?}").to_lowercase();
        let mut pairs = words.iter().zip(variants);
        debug_assert!(
            pairs.all(|(word, v)| spelled(v).ends_with(&word.replace('_', ""))),
            "{name}"
        );
        let at = words.iter().position(|word| value.get() == Some(word));
        at.and_then(|at| variants.get(at)).copied().unwrap_or(variants[0])
    }

    /// The first duration in the layers, with the index of its layer; 0 is the most specific.
    fn ranked(&self, name: &str) -> Option<(Duration, usize)> {
        let mut layers = self.layers.iter().enumerate();
        layers.find_map(|(rank, (layer, _))| Some((*layer.get(name)?, rank)))
    }

    /// The duration that the most specific layer inherits; `None`: it sets one, or the default applies.
    pub(super) fn inherited_duration(&self, name: &str) -> Option<Duration> {
        let (duration, rank) = self.ranked(name)?;
        (rank > 0 && self.layers[rank].1 != Origin::Default).then_some(duration)
    }

    fn is_server(&self, rank: usize) -> bool {
        self.layers.get(rank).is_some_and(|(layer, _)| layer.section == Section::Server)
    }

    /// Replaces the value of a key. `text` is the value without quotes.
    fn replace(&mut self, name: &str, value: Value, text: &str, origin: Origin) {
        if let Some((entry, _)) = self.entry(name) {
            let entry = Entry { value, toml: quoted(text), ..entry.clone() };
            self.derived.push((entry, origin));
        }
    }

    /// Replaces a duration by one that another value requires.
    fn derive(&mut self, name: &str, duration: Duration, reason: &'static str) {
        self.replace(name, Value::of(duration), &spelled(duration), Origin::Derived(reason));
    }
}

/// The effective values of `[schedule]`, with bounds that fit together, and the interval that they contain;
/// for "auto" the one to start with.
pub(super) fn schedule(mut chain: Chain<'_>) -> (Chain<'_>, Duration) {
    const FOLLOWS: &str = "follows interval";
    /// Interval of a feed about which nothing is known, unless a section sets one.
    const START: Duration = Duration::from_secs(60 * 60);
    let fixed = chain.get::<Duration>("interval").is_some();
    let (mut interval, mut rank) = chain.ranked("interval").unwrap_or((START, 0));
    let (mut min, min_rank) = chain.ranked("min_interval").unwrap_or_default();
    let (mut max, max_rank) = chain.ranked("max_interval").unwrap_or_default();
    if interval < min && min_rank < rank && chain.is_server(min_rank) {
        (interval, rank) = (min, min_rank);
        if fixed {
            chain.derive("interval", interval, "raised to the min_interval of its server");
        }
    }
    if fixed && interval < min && rank < min_rank {
        min = interval;
        chain.derive("min_interval", min, FOLLOWS);
    }
    if fixed && interval > max && rank < max_rank {
        chain.derive("max_interval", interval, FOLLOWS);
    } else if min > max && min_rank < max_rank && chain.is_server(min_rank) {
        max = min;
        chain.derive("max_interval", max, "follows the min_interval of its server");
    }
    if !fixed {
        interval = interval.clamp(min, max.max(min));
    }
    (chain, interval)
}

/// The effective values of `[store]`; relative paths start in `state`.
pub(super) fn store<'c>(
    layer: &'c Layer,
    state: &Path,
    variable: Option<&'static str>,
) -> Chain<'c> {
    let mut chain = Chain::of(layer);
    if let Some(path) = chain.get::<PathBuf>("path").filter(|_| !layer.sets("path")) {
        let path = state.join(path);
        let (origin, text) =
            (variable.map_or(Origin::Default, Origin::Environment), path.display().to_string());
        chain.replace("path", Value::of(path), &text, origin);
    }
    chain
}
