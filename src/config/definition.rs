//! The types that define the config: sections, keys and kinds of values. `keys` has the table of them.

use super::diagnostic::Severity;
use super::format::{Format, LISTEN_ADDRESS};
use super::keys::{KEYS, SECTIONS};
use crate::text::quoted::in_quotes;

/// A section of the config file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The keys before the first section.
    Top,
    /// `[schedule]`
    Schedule,
    /// `[fetch]`
    Fetch,
    /// `[dedupe]`
    Dedupe,
    /// `[store]`
    Store,
    /// `[web]`
    Web,
    /// `[log]`
    Log,
    /// `[[output]]`
    Output,
    /// The tables `include` and `exclude` of an output, a server, a feed or a list of feeds.
    Rules,
    /// `[[server]]`
    Server,
    /// `[[feed]]`
    Feed,
    /// `[[subscriptions]]`
    Subscriptions,
}

/// The definition of a section.
#[derive(Debug)]
pub(super) struct SectionDefinition {
    pub(super) section: Section,
    /// The name in the file; empty for the top.
    pub(super) name: &'static str,
    /// The section as messages name it: `[schedule]`.
    pub(super) heading: &'static str,
    /// Purpose of the section, one sentence, for the reference and the manual page.
    pub(super) doc: &'static str,
    /// Names that other programs use, which suggestions recognise.
    pub(super) aliases: &'static [&'static str],
}

/// A key of the config. This is the only place where it is defined: the reader, `newswire config`, the schema,
/// `explain`, the manual page, the example and the reference are derived from it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The section that it belongs to.
    pub section: Section,
    /// The name in the file.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// Limits of a duration or a size.
    pub(super) limits: &'static [Limit],
    /// The default as TOML; empty: none.
    pub default: &'static str,
    /// Whether the section is invalid without it.
    pub required: bool,
    /// Further sections that may set it, for a server or a feed alone.
    pub inherited_by: &'static [Section],
    /// The meaning, one sentence.
    pub doc: &'static str,
    /// When to change it, and what follows; empty: nothing more to know.
    pub details: &'static str,
    /// A value as TOML.
    pub example: &'static str,
    /// The first version of Newswire with this key.
    pub since: &'static str,
    /// Names that other programs use, which suggestions recognise.
    pub aliases: &'static [&'static str],
}

/// A limit of a duration or a size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) bound: Bound,
    /// The smallest or largest value, in the format of the key: "5m", "1 KiB".
    pub(super) value: &'static str,
    /// The code of the diagnostic.
    pub(super) code: &'static str,
    /// Whether a value outside is an error or a warning.
    pub(super) severity: Severity,
    /// What follows from a value outside, or which one suits; empty: nothing more to know.
    pub(super) advice: &'static str,
}

impl Limit {
    /// A limit below which a value is probably a typing error.
    pub(super) const fn minimum(value: &'static str) -> Self {
        let (code, severity) = ("out_of_range", Severity::Error);
        Self { bound: Bound::Minimum, value, code, severity, advice: "" }
    }

    pub(super) const fn maximum(value: &'static str) -> Self {
        Self { bound: Bound::Maximum, ..Self::minimum(value) }
    }

    pub(super) const fn code(self, code: &'static str, advice: &'static str) -> Self {
        Self { code, advice, ..self }
    }

    /// The same limit as a recommendation.
    pub(super) const fn recommended(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }
}

/// The side of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// Smaller values are outside.
    Minimum,
    /// Larger values are outside.
    Maximum,
}

/// The kind of a value: its TOML type, and for texts the format.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Number {
        /// What the number counts, in the plural: `items`.
        unit: &'static str,
        /// Smallest allowed number.
        min: usize,
        /// Largest allowed number.
        max: usize,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// A text in this format.
    Text(&'static Format),
    /// A list of texts.
    List(&'static Format),
    /// Addresses to listen on, one or a list, or `"off"`.
    Listen,
    /// Pairs of a regular expression and a text.
    Replacements,
    /// A reference to a secret.
    Secret,
    /// Header names, each with a reference to a secret.
    Secrets,
    /// The conditions of `include` or `exclude`: one table, or a list of tables.
    Rules,
}

impl Kind {
    /// How a value is written, or what a number counts.
    #[must_use]
    pub fn format(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number { unit, .. } => unit,
            Self::Choice(_) => "word",
            Self::Choices(_) => "list of words",
            Self::Text(format) | Self::List(format) => format.name,
            Self::Listen => LISTEN_ADDRESS.name,
            Self::Replacements => "list of pairs: regular expression, text",
            Self::Secret => "secret: file, credential or env",
            Self::Secrets => "header names, each with a secret",
            Self::Rules => "table of conditions, or several",
        }
    }

    /// The TOML type as messages name it.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number { .. } => "a whole number",
            Self::Choices(_) | Self::List(_) => "a list of texts",
            Self::Choice(_) | Self::Text(_) | Self::Listen | Self::Secret => "a text in quotes",
            Self::Replacements => "a list of pairs",
            Self::Secrets => "a table",
            Self::Rules => "a table or a list of tables",
        }
    }

    /// Whether a value is a list of texts.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Choices(_) | Self::List(_))
    }

    /// Whether a value can be one text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Choice(_) | Self::Text(_) | Self::Listen)
    }
}

impl Section {
    pub(super) fn definition(self) -> &'static SectionDefinition {
        &SECTIONS[self as usize]
    }

    /// The name in the file; empty for the top.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// The section as messages name it: `[schedule]`, `[[feed]]`.
    #[must_use]
    pub fn heading(self) -> &'static str {
        self.definition().heading
    }

    /// The meaning, one sentence.
    #[must_use]
    pub fn doc(self) -> &'static str {
        self.definition().doc
    }

    /// Every section, in the order of the example.
    pub fn all() -> impl Iterator<Item = Self> {
        SECTIONS.iter().map(|definition| definition.section)
    }

    /// The sections that are tables of the file, in the order of the example.
    pub(super) fn tables() -> impl Iterator<Item = Self> {
        Self::all().filter(|section| !matches!(section, Self::Top | Self::Rules))
    }

    /// Whether the file may have any number of them.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Self::Output | Self::Server | Self::Feed | Self::Subscriptions)
    }

    /// The keys that belong to the section.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.section == self)
    }

    /// The keys that may be in the section: its own, and those that it may override.
    pub fn accepted(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.section == self || key.inherited_by.contains(&self))
    }

    /// The key of this name that may be in the section.
    #[must_use]
    pub fn key(self, name: &str) -> Option<&'static Key> {
        self.accepted().find(|key| key.name == name)
    }
}

impl Key {
    pub(super) const fn new(section: Section, name: &'static str, kind: Kind) -> Self {
        Self {
            section,
            name,
            kind,
            limits: &[],
            default: "",
            required: false,
            inherited_by: &[],
            doc: "",
            details: "",
            example: "",
            since: "0.1.0",
            aliases: &[],
        }
    }

    pub(super) const fn limits(self, limits: &'static [Limit]) -> Self {
        Self { limits, ..self }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, example: default, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn inherited_by(self, inherited_by: &'static [Section]) -> Self {
        Self { inherited_by, ..self }
    }

    pub(super) const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    pub(super) const fn details(self, details: &'static str) -> Self {
        Self { details, ..self }
    }

    pub(super) const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    pub(super) const fn also_called(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The name with its section: `schedule.interval`.
    #[must_use]
    pub fn path(&self) -> String {
        match self.section {
            Section::Top => self.name.to_owned(),
            section => format!("{}.{}", section.name(), self.name),
        }
    }

    /// The smallest and the largest value, for people; empty: not limited.
    #[must_use]
    pub fn range(&self) -> String {
        let limit = |limit: &Limit| {
            let recommended =
                if limit.severity == Severity::Warning { "recommended: " } else { "" };
            let side = if limit.bound == Bound::Minimum { "at least" } else { "at most" };
            format!("{recommended}{side} {}", limit.value)
        };
        let parts: Vec<String> = match self.kind {
            Kind::Number { min, max, .. } => return format!("{min} to {max}"),
            Kind::Choice(words) | Kind::Choices(words) => words.iter().map(in_quotes).collect(),
            _ => self.limits.iter().map(limit).collect(),
        };
        parts.join(", ")
    }

    /// The headings of all sections that may set it.
    pub fn sections(&self) -> impl Iterator<Item = &'static str> {
        [self.section].into_iter().chain(self.inherited_by.iter().copied()).map(Section::heading)
    }
}
