//! Reads the sections of the file by the definitions of their keys.
//!
//! A value with an error is reported, left out and recorded as uncertain. Later checks do not report what may
//! be a consequence of it.

use std::any::Any;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::definition::{Key, Kind, Section};
use super::diagnostic::{AT_THE_TOP, Diagnostic, Report};
use super::environment::is_variable;
use super::files::Sources;
use super::parse;
use super::redact;
use super::secret;
use super::suggest::{
    Meaning, elsewhere, home, meaning_of_key, meaning_of_section, meaning_of_top_key, switch,
};
use super::value::{self, Item, Listed, Reader, Value, type_of, wrong_type};
use crate::text::quoted::in_quotes;

/// One section of the file: the keys that it sets.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) section: Section,
    pub(super) span: Range<usize>,
    entries: Vec<Entry>,
    /// Keys with an unknown value: the value has an error, or the name is probably misspelled.
    uncertain: Vec<&'static str>,
}

/// A key that a section sets.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    /// The value as TOML, without secrets.
    pub(super) toml: String,
    /// Where a secret is stored.
    pub(super) reference: Option<String>,
    /// The place of the name.
    pub(super) name: Range<usize>,
    /// The place of the value.
    pub(super) span: Range<usize>,
}

impl Layer {
    fn empty(section: Section, span: Range<usize>) -> Self {
        Self { section, span, entries: Vec::new(), uncertain: Vec::new() }
    }

    /// Reads a section.
    pub(super) fn read(
        section: Section,
        table: &DeTable<'_>,
        span: Range<usize>,
        reader: &mut Reader<'_>,
    ) -> Self {
        let mut layer = Self::empty(section, span);
        for (name, value) in table {
            match section.key(name.get_ref()) {
                Some(key) => layer.read_key(key, name.span(), value, reader),
                None => layer.report_unknown(name, value, table, reader.report),
            }
        }
        layer
    }

    fn read_key(
        &mut self,
        key: &'static Key,
        name: Range<usize>,
        value: &Item<'_>,
        reader: &mut Reader<'_>,
    ) {
        let Some(read) = read_value(key, value, reader) else {
            self.uncertain.push(key.name);
            return;
        };
        let (toml, reference) = match key.kind {
            Kind::Secret | Kind::Secrets => secret::shown(key.kind, value.get_ref()),
            _ => match read.get::<PathBuf>() {
                Some(path) => (quoted(&path.display().to_string()), None),
                None => (toml(value.get_ref()), None),
            },
        };
        self.entries.push(Entry { key, value: read, toml, reference, name, span: value.span() });
    }

    fn report_unknown(
        &mut self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Item<'_>,
        table: &DeTable<'_>,
        report: &mut Report,
    ) {
        let (section, text): (_, &str) = (self.section, name.get_ref());
        let message =
            format!("unknown key {text} in {}", section.heading(), text = in_quotes(text));
        let error = Diagnostic::error("unknown_key", name.span(), message);
        let mut meaning = meaning_of_key(text, section);
        if let Meaning::Here(keys) = &meaning
            && keys.iter().all(|key| table.contains_key(*key))
        {
            meaning = elsewhere(text, section).map_or(meaning, Meaning::Elsewhere);
        }
        report.push(match meaning {
            Meaning::Here(keys) => {
                self.uncertain.extend(&keys);
                meant_here(error, (section, text), &keys, (table, value))
            }
            Meaning::Elsewhere(key) if key.name == text => {
                self.uncertain.push(key.name);
                error.label(format!("it belongs in {}", home(key)))
            }
            Meaning::Elsewhere(key) => {
                let label = format!("did you mean {}?", in_quotes(key.name));
                error.label(label).help(format!("{} belongs in {}", key.name, home(key)))
            }
            Meaning::Section(other) => {
                let inherits = other.keys().any(|key| key.inherited_by.contains(&section));
                error.label(format!("{} is a section", other.heading())).help(match inherits {
                    true => format!(
                        "write the keys of {} directly in {}",
                        other.heading(),
                        section.heading()
                    ),
                    false => format!("write {} on its own line", other.heading()),
                })
            }
            Meaning::Unknown => {
                let known: Vec<&str> = section.accepted().map(|key| key.name).collect();
                error.help(format!("{} can contain: {}", section.heading(), known.join(", ")))
            }
        });
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.name == name)
    }

    /// Whether the key is set to a valid value.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    pub(super) fn is_uncertain(&self, name: &str) -> bool {
        self.uncertain.contains(&name)
    }

    /// Whether the key is set, or would be without an error.
    pub(super) fn may_set(&self, name: &str) -> bool {
        self.sets(name) || self.is_uncertain(name)
    }

    /// The place of the value of a key, else of the section.
    pub(super) fn span(&self, name: &str) -> Range<usize> {
        self.entry(name).map_or(self.span.clone(), |entry| entry.span.clone())
    }

    /// An error at the value of a key, else at the section.
    pub(super) fn error(
        &self,
        code: &'static str,
        name: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, self.span(name), message)
    }

    /// A warning at the value of a key, else at the section.
    pub(super) fn warning(
        &self,
        code: &'static str,
        name: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::warning(code, self.span(name), message)
    }

    /// The value of a key, if it is set to one of this type.
    pub(super) fn get<T: Any>(&self, name: &str) -> Option<&T> {
        self.entry(name)?.value.get()
    }

    /// The elements of a list; none if it is not set.
    pub(super) fn list(&self, name: &str) -> &[Listed] {
        self.get::<Vec<Listed>>(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get::<String>(name).map(String::as_str)
    }

    /// The tables of conditions of `include` or `exclude`; none if it is not set.
    pub(super) fn rules(&self, name: &str) -> &[Self] {
        self.get::<Vec<Self>>(name).map_or(&[], Vec::as_slice)
    }

    /// Whether this is the only key that it sets.
    pub(super) fn sets_only(&self, name: &str) -> bool {
        self.sets(name) && self.entries.len() == 1
    }

    /// Whether it sets nothing but empty lists.
    pub(super) fn is_blank(&self) -> bool {
        self.entries.iter().all(|entry| entry.value.get::<Vec<Listed>>().is_some_and(Vec::is_empty))
    }

    /// The keys that it sets with their values, as one inline table.
    pub(super) fn inline(&self) -> String {
        let pairs: Vec<String> =
            self.entries.iter().map(|e| format!("{} = {}", e.key.name, e.toml)).collect();
        format!("{{ {} }}", pairs.join(", "))
    }
}

/// Suggests the keys of the section that a name probably means, without those that are set.
fn meant_here(
    error: Diagnostic,
    (section, name): (Section, &str),
    keys: &[&'static str],
    (table, value): (&DeTable<'_>, &Item<'_>),
) -> Diagnostic {
    let mut free: Vec<&str> =
        keys.iter().copied().filter(|key| !table.contains_key(*key)).collect();
    // A name is a title rather than an id that is not needed.
    let is_required = |name: &str| section.key(name).is_some_and(|key| key.required);
    free.sort_by_key(|name| (!is_required(name), *name != "title"));
    match free.as_slice() {
        [] => {
            let set = table.get_key_value(keys[0]).map(|(first, _)| first.span());
            error
                .help(format!("{} is already set: remove {name}", keys[0]))
                .also(set.unwrap_or_default(), format!("{} is set here", keys[0]))
        }
        [key] => meant_value(error, (section, name), key, value),
        [first, more @ ..] => {
            let label = format!(
                "did you mean {first} or \"{}\"?",
                more.join("\", \""),
                first = in_quotes(first)
            );
            error.label(label).suggest(*first)
        }
    }
}

/// Suggests a key for its alias, or a whole line if the value has another form or meaning.
fn meant_value(
    error: Diagnostic,
    (section, alias): (Section, &str),
    name: &str,
    value: &Item<'_>,
) -> Diagnostic {
    let Some(key) = section.key(name) else { return error.meant(name) };
    let asked = error.clone().label(format!("did you mean {name}?", name = in_quotes(name)));
    if let Some(switch) = switch(alias, section) {
        return match value.get_ref().as_bool() {
            Some(true) => error.help(switch.on),
            Some(false) => asked.help(switch.off),
            None => asked.help(format!("write {name} = {}", key.example)),
        };
    }
    match value::judge(key, value, Path::new("")).and_then(|(_, meant)| meant) {
        Some(meant) if !redact::is_secret(alias) => asked.help(format!("write {name} = {meant}")),
        // "verbose = true" is not a level; which one is meant is not known.
        _ if value.get_ref().is_bool() && !matches!(key.kind, Kind::Flag) => {
            asked.help(format!("write it as {}", key.example))
        }
        _ => error.meant(name),
    }
}

/// All sections of a config.
#[derive(Debug)]
pub(super) struct Document {
    /// Every section that is not a list, and the lists, in the order of the files.
    layers: Vec<Layer>,
    /// Sections that are incomplete because of an error.
    uncertain: Vec<Section>,
}

impl Document {
    /// Reads the sections of all files: sections are joined key by key, lists of sections one after the other.
    /// `syntax` gets the errors of the parser.
    pub(super) fn read(sources: &Sources, syntax: &mut Report, reader: &mut Reader<'_>) -> Self {
        let single = Section::all().filter(|section| !section.is_list());
        let layers = single.map(|section| Layer::empty(section, 0..0)).collect();
        let mut document = Self { layers, uncertain: Vec::new() };
        for (source, root) in sources.iter().zip(parse::tables(sources, reader.state, syntax)) {
            let replaces = is_variable(&source.path);
            let mut top = Layer::empty(Section::Top, 0..0);
            for (name, value) in &root {
                let text: &str = name.get_ref();
                if let Some(key) = Section::Top.key(text) {
                    top.read_key(key, name.span(), value, reader);
                } else if let Some(section) = Section::tables().find(|known| known.name() == text) {
                    document.read_section(section, value, replaces, reader);
                } else {
                    document.report_unknown(&mut top, name, value, reader.report);
                }
            }
            document.join(top, replaces, reader.report);
        }
        document
    }

    /// Adds a section, or its keys to the same section of another file; `replaces`: instead of the values there.
    fn join(&mut self, layer: Layer, replaces: bool, report: &mut Report) {
        let section = layer.section;
        let same = |known: &&mut Layer| known.section == section && !section.is_list();
        let Some(known) = self.layers.iter_mut().find(same) else {
            return self.layers.push(layer);
        };
        known.uncertain.extend(layer.uncertain);
        for entry in layer.entries {
            let Some(first) =
                known.entries.iter_mut().find(|first| first.key.name == entry.key.name)
            else {
                known.entries.push(entry);
                continue;
            };
            // At the top, each file has its own version.
            if replaces {
                *first = entry;
            } else if section != Section::Top {
                let message = format!("{} is set in two files", entry.key.name);
                let error = Diagnostic::error("duplicate_key", entry.name, message);
                let error = error.also(first.name.clone(), "first here");
                report.push(error.help("remove one of them"));
            }
        }
    }

    fn read_section(
        &mut self,
        section: Section,
        value: &Item<'_>,
        replaces: bool,
        reader: &mut Reader<'_>,
    ) {
        let tables: Vec<&Item<'_>> = match (section.is_list(), value.get_ref()) {
            (true, DeValue::Array(array)) => array.iter().collect(),
            (true, _) => {
                self.uncertain.push(section);
                return reader.report.push(not_a_list(section, value));
            }
            (false, _) => vec![value],
        };
        for value in tables {
            match value.get_ref().as_table() {
                Some(table) => {
                    let layer = Layer::read(section, table, value.span(), reader);
                    for key in section.keys().filter(|k| k.required && !layer.may_set(k.name)) {
                        let message = format!("{} has no {}", section.heading(), key.name);
                        let error = Diagnostic::error("missing_key", value.span(), message);
                        let help = format!("write {} = {}", key.name, key.example);
                        reader.report.push(error.help(help));
                    }
                    self.join(layer, replaces, reader.report);
                }
                None => {
                    self.uncertain.push(section);
                    reader.report.push(not_a_table(section, value));
                }
            }
        }
    }

    fn report_unknown(
        &mut self,
        top: &mut Layer,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Item<'_>,
        report: &mut Report,
    ) {
        let text: &str = name.get_ref();
        let table = match value.get_ref() {
            DeValue::Array(array) => array.iter().all(|value| value.get_ref().is_table()),
            value => value.is_table(),
        };
        let (code, what) =
            if table { ("unknown_section", "section") } else { ("unknown_key", "key") };
        let message = format!("unknown {what} {text} {AT_THE_TOP}", text = in_quotes(text));
        let error = Diagnostic::error(code, name.span(), message);
        let meaning = if table { meaning_of_section(text) } else { meaning_of_top_key(text) };
        report.push(match meaning {
            Meaning::Here(keys) => {
                top.uncertain.extend(&keys);
                error.meant(keys[0])
            }
            Meaning::Section(known) => {
                self.uncertain.push(known);
                let error = match table {
                    true => error.suggest(known.name()),
                    // A section in place of a key would be another error.
                    false => error,
                };
                let error = error.label(format!("did you mean {}?", known.heading()));
                match table && known.is_list() != value.get_ref().is_array() {
                    true => error.help(format!("write it as {}", known.heading())),
                    false => error,
                }
            }
            Meaning::Elsewhere(key) => {
                self.uncertain.push(key.section);
                error.label(format!("it belongs in {}", home(key)))
            }
            Meaning::Unknown => {
                let known: Vec<&str> = Section::tables().map(Section::heading).collect();
                error.help(format!("the sections are {}", known.join(", ")))
            }
        });
    }

    /// Every section of this kind, in the order of the files.
    pub(super) fn all(&self, section: Section) -> impl Iterator<Item = &Layer> {
        self.layers.iter().filter(move |layer| layer.section == section)
    }

    /// The section, which is not a list; empty if no file has it.
    pub(super) fn one(&self, section: Section) -> &Layer {
        self.all(section).next().expect("each section that is not a list has a layer")
    }

    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Whether there is a section of this list.
    pub(super) fn has(&self, section: Section) -> bool {
        self.all(section).next().is_some()
    }

    /// Whether the file may have more of this section than was read.
    pub(super) fn is_uncertain(&self, section: Section) -> bool {
        self.uncertain.contains(&section)
    }

    /// Whether one of the keys in these sections, or a section, may be set in a way that was not understood.
    pub(super) fn are_uncertain(&self, sections: &[Section], names: &[&str]) -> bool {
        let is_key = |layer: &Layer| names.iter().any(|name| layer.is_uncertain(name));
        sections.iter().any(|of| self.is_uncertain(*of) || self.all(*of).any(is_key))
    }
}

/// The error for a list of sections with another type.
fn not_a_list(section: Section, value: &Item<'_>) -> Diagnostic {
    let heading = section.heading();
    let message = format!("{heading} must be a list of tables");
    let error = Diagnostic::error("wrong_type", value.span(), message);
    let names = || value.get_ref().as_table().into_iter().flat_map(DeTable::keys);
    let knows = |section: Section| names().all(|name| section.key(name.get_ref()).is_some());
    let other = Section::tables().find(|other| !other.is_list() && knows(*other));
    match other.filter(|_| names().next().is_some() && !knows(section)) {
        Some(other) => error
            .label(format!("did you mean {}?", other.heading()))
            .help(format!("its keys belong in {}", other.heading())),
        None => error.help(format!("write {heading}, with two brackets, above each")),
    }
}

/// The error for a section with another type.
fn not_a_table(section: Section, value: &Item<'_>) -> Diagnostic {
    let heading = section.heading();
    let message = format!("{heading} must be a table, not {}", type_of(value));
    let error = Diagnostic::error("wrong_type", value.span(), message);
    match !section.is_list() && value.get_ref().is_array() {
        true => error.help(format!("write {heading}, with one bracket, and only once")),
        false => error.help(format!("write {heading} on its own line, and its keys below")),
    }
}

/// Reads a value by the kind of its key; `None`: it has an error, which is reported.
fn read_value(key: &'static Key, value: &Item<'_>, reader: &mut Reader<'_>) -> Option<Value> {
    let tables = match (key.kind, value.get_ref()) {
        (Kind::Secret | Kind::Secrets, _) => {
            return secret::read(key, value, reader).map(Value::of);
        }
        (Kind::Rules, DeValue::Table(_)) => vec![value],
        (Kind::Rules, DeValue::Array(tables)) => tables.iter().collect(),
        _ => return value::read(key, value, reader),
    };
    if tables.is_empty() {
        reader.report.push(no_conditions(key, value.span()));
        return None;
    }
    let mut rules = Vec::new();
    for value in tables {
        let Some(table) = value.get_ref().as_table() else {
            reader.report.push(wrong_type(key, value));
            return None;
        };
        rules.push(read_rules(key, table, value.span(), reader));
    }
    Some(Value::of(rules))
}

/// The error for conditions that would match every item, or none.
fn no_conditions(key: &Key, span: Range<usize>) -> Diagnostic {
    let message = format!("{} has no conditions", key.name);
    let help = format!("write a condition, such as {}", key.example);
    Diagnostic::error("empty_value", span, message).help(help)
}

/// Reads one table of conditions.
fn read_rules(
    key: &'static Key,
    table: &DeTable<'_>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) -> Layer {
    let rules = Layer::read(Section::Rules, table, span, reader);
    // An unknown condition has its own error.
    let are_known = table.iter().all(|(name, _)| Section::Rules.key(name.get_ref()).is_some());
    if are_known && rules.uncertain.is_empty() && rules.is_blank() {
        reader.report.push(no_conditions(key, rules.span.clone()));
    }
    for name in ["tags", "feeds"] {
        if let Some(entry) = rules.entry(name).filter(|_| key.section == Section::Feed) {
            let message = format!("{name} cannot be a condition in a [[feed]]");
            let error = Diagnostic::error("unknown_key", entry.name.clone(), message);
            reader.report.push(error.help("remove it: the conditions apply to this feed only"));
        }
    }
    rules
}

/// A value as TOML on one line.
pub(super) fn toml(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => number.as_str().to_owned(),
        },
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(array) => {
            let inner: Vec<String> = array.iter().map(|value| toml(value.get_ref())).collect();
            format!("[{}]", inner.join(", "))
        }
        DeValue::Table(table) => {
            let pairs = table.iter();
            let pairs = pairs
                .map(|(name, value)| format!("{} = {}", name.get_ref(), toml(value.get_ref())));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A basic string (TOML 1.0, "String").
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
