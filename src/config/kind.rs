//! What one key of the config is and takes. The list of them is in `key`.

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The table it stands in; empty for the top of the file.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its default as TOML; empty: there is none.
    pub default: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The version of newswire that first knew it.
    pub since: &'static str,
    /// A value that may stand there, as TOML.
    pub example: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text that is not blank.
    Text,
    /// `"30m"`.
    Duration,
    /// `"30m"` or `"auto"`.
    Interval,
    /// `"10 MiB"`.
    Size,
    /// `true` or `false`.
    Flag,
    /// A whole number of something, from and to.
    Number(&'static str, usize, usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words.
    Choices(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of addresses and prefixes.
    Networks,
    /// An http or https address without a login.
    Url,
    /// A file or a folder.
    Path,
    /// An id, which becomes a file name.
    Id,
    /// A registrable domain.
    Host,
    /// A language by its tag.
    Language,
    /// Address and port, or `"off"`.
    Listen,
    /// Where a secret is.
    Secret,
    /// Names, each with where its secret is.
    Secrets,
    /// Conditions of `include` and `exclude`.
    Rules,
}

impl Kind {
    /// What its values are measured in, or how they are written.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Text | Self::Texts => "text",
            Self::Duration | Self::Interval => "duration: s, m, h, d, w",
            Self::Size => "size: B, kB, KiB, MB, MiB, GB, GiB",
            Self::Flag => "true or false",
            Self::Number(unit, ..) => unit,
            Self::Choice(_) | Self::Choices(_) => "word",
            Self::Networks => "IP address or prefix",
            Self::Url => "http or https address",
            Self::Path => "path",
            Self::Id => "a-z, 0-9, '.', '_', '-'",
            Self::Host => "registrable domain",
            Self::Language => "language tag",
            Self::Listen => "IP address and port",
            Self::Secret => "secret: file, credential or env",
            Self::Secrets => "header names, each with a secret",
            Self::Rules => "conditions",
        }
    }
}

impl Key {
    /// Whether a `[[feed]]` may carry it for itself alone.
    #[must_use]
    pub fn of_a_feed(&self) -> bool {
        matches!(self.table, "schedule" | "dedupe")
            || self.table == "fetch" && self.name != "concurrency"
    }

    /// `schedule.interval`.
    #[must_use]
    pub fn path(&self) -> String {
        if self.table.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.table, self.name)
        }
    }

    /// A key of a `kind`; its example is its default.
    pub(super) const fn new(
        kind: Kind,
        table: &'static str,
        name: &'static str,
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { table, name, default, meaning, kind, since: "0.1.0", example: default }
    }

    /// The same with an example of its own.
    pub(super) const fn such_as(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}
