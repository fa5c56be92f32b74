//! The types that define the config: sections, keys and kinds of values. `keys` has the table of them.

use super::keys::{KEYS, SECTIONS};

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
    /// One sentence.
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
    /// The kind of its value, with the range.
    pub kind: Kind,
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
    pub(super) aliases: &'static [&'static str],
}

/// A limit of a duration.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub(super) bound: Bound,
    pub(super) seconds: u64,
    /// The code of the diagnostic.
    pub(super) code: &'static str,
    /// Whether a value outside is an error or a warning.
    pub(super) severity: super::diagnostic::Severity,
    pub(super) help: &'static str,
}

/// The side of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Shorter values are outside.
    Minimum,
    /// Longer values are outside.
    Maximum,
}

/// The unit that a number without unit probably has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number above 600 has milliseconds.
    Seconds,
    /// A number above 240 has seconds.
    Minutes,
    /// A number above 336 has seconds.
    Hours,
    /// A number above 3650 has seconds.
    Days,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text that is not blank.
    Text,
    /// Text of visible ASCII characters.
    HeaderText,
    /// True or false.
    Flag,
    /// A whole number.
    Number {
        /// What it counts.
        unit: &'static str,
        /// The smallest number.
        min: usize,
        /// The largest number.
        max: usize,
    },
    /// A duration: `"30m"`.
    Duration(Unit, &'static [Limit]),
    /// A duration that may be zero.
    Spacing,
    /// A duration, or `"auto"`.
    Interval(&'static [Limit]),
    /// A size: `"10 MiB"`.
    Size,
    /// A size per day: `"5 MB/day"`.
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of host names and regular expressions.
    Links,
    /// A list of CSS selectors.
    Selectors,
    /// A list of language tags.
    Languages,
    /// A list of IP addresses and networks.
    Networks,
    /// A list of host names.
    Hosts,
    /// An http or https URL without a password.
    Url,
    /// URL of a proxy: http, https or socks5h.
    Proxy,
    /// A URL without a query, to which a slash is added.
    BaseUrl,
    /// The path of a file.
    File,
    /// The path of a folder.
    Folder,
    /// The path of a file with certificates.
    Certificates,
    /// The path of a text file for pages.
    PageText,
    /// The path of a picture.
    Picture,
    /// An id, which becomes a file name.
    Id,
    /// A registrable domain.
    Site,
    /// A language tag.
    Language,
    /// A regular expression.
    Regex,
    /// Pairs of a regular expression and a text.
    Replacements,
    /// A category of Apple Podcasts.
    PodcastCategory,
    /// A time zone of the IANA database.
    TimeZone,
    /// A prefix of titles.
    TitlePrefix,
    /// Addresses to listen on, one or a list, or `"off"`.
    Listen,
    /// IP address and port, or `"off"`.
    Address,
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
            Self::Text | Self::HeaderText => "text",
            Self::Flag => "true or false",
            Self::Number { unit, .. } => unit,
            Self::Duration(..) | Self::Spacing => "duration: ms, s, m, h, d, w",
            Self::Interval(_) => "duration (ms, s, m, h, d, w) or \"auto\"",
            Self::Size => "size: B, kB, KiB, MB, MiB, GB, GiB",
            Self::Rate => "size per day, such as 5 MB/day",
            Self::Choice(_) => "word",
            Self::Choices(_) => "list of words",
            Self::Texts => "list of texts",
            Self::Links => "list of host names and regular expressions",
            Self::Selectors => "list of CSS selectors",
            Self::Languages => "list of language tags",
            Self::Networks => "list of IP addresses and networks",
            Self::Hosts => "list of host names",
            Self::Url | Self::BaseUrl => "http or https URL",
            Self::Proxy => "http, https or socks5h URL",
            Self::File | Self::Certificates | Self::PageText | Self::Picture => "path of a file",
            Self::Folder => "path of a folder",
            Self::Id => "1 to 64 characters of a-z, 0-9, '.', '_', '-'",
            Self::Site => "registrable domain",
            Self::Language => "language tag",
            Self::Regex => "regular expression",
            Self::Replacements => "list of pairs: regular expression, text",
            Self::PodcastCategory => "category of Apple Podcasts",
            Self::TimeZone => "name of a time zone",
            Self::TitlePrefix => "text with {source}",
            Self::Listen => "address and port, unix:/path, a list of these, or \"off\"",
            Self::Address => "address and port, or \"off\"",
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
            Self::Choices(_)
            | Self::Texts
            | Self::Links
            | Self::Selectors
            | Self::Languages
            | Self::Networks
            | Self::Hosts => "a list of texts",
            Self::Secrets => "a table",
            Self::Rules => "a table or a list of tables",
            Self::Replacements => "a list of pairs",
            _ => "a text in quotes",
        }
    }

    /// The smallest and the largest value, for people; empty: not limited.
    #[must_use]
    pub fn range(self) -> String {
        let limits = match self {
            Self::Number { min, max, .. } => return format!("{min} to {max}"),
            Self::Choice(words) | Self::Choices(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                return words.join(", ");
            }
            Self::Duration(_, limits) | Self::Interval(limits) => limits,
            _ => return String::new(),
        };
        let limits: Vec<String> = limits
            .iter()
            .map(|limit| {
                let recommended = limit.severity == super::diagnostic::Severity::Warning;
                let side = if limit.bound == Bound::Minimum { "at least" } else { "at most" };
                let text = super::quantity::spelled(std::time::Duration::from_secs(limit.seconds));
                format!("{}{side} {text}", if recommended { "recommended: " } else { "" })
            })
            .collect();
        limits.join(", ")
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
    pub(super) fn key(self, name: &str) -> Option<&'static Key> {
        self.accepted().find(|key| key.name == name)
    }
}

impl Key {
    pub(super) const fn new(section: Section, name: &'static str, kind: Kind) -> Self {
        Self {
            section,
            name,
            kind,
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

    /// Names that other programs use for it.
    #[must_use]
    pub fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// The headings of all sections that may set it.
    pub fn sections(&self) -> impl Iterator<Item = &'static str> {
        [self.section].into_iter().chain(self.inherited_by.iter().copied()).map(Section::heading)
    }
}
