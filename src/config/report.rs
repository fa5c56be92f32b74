//! What is wrong with a config, all of it at once: where, why, and what to do.
//!
//! Leaves finding faults to the readers, and drawing them to `draw`.

use std::ops::Range;

use super::sources::{Place, Source, Sources};
use super::veil;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// newswire does not start with it.
    Error,
    /// It starts, but probably not as meant.
    Warning,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable slug.
    pub code: &'static str,
    /// What is wrong, a lowercase fragment.
    pub message: String,
    /// The bytes that it is about, counted through all files; `None`: the main file as a whole.
    pub span: Option<Range<usize>>,
    /// Said at that place.
    pub label: String,
    /// A second place that belongs to it.
    pub also: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
    /// What to write in the place of what stands at `span`, where that mends it.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    /// Every code there is.
    pub const CODES: &'static [&'static str] = &[
        "unreadable",
        "not_utf8",
        "syntax",
        "unknown_key",
        "wrong_type",
        "unknown_value",
        "out_of_range",
        "missing_key",
        "empty",
        "version",
        "no_version",
        "bad_duration",
        "bad_size",
        "bad_url",
        "bad_address",
        "bad_host",
        "bad_network",
        "bad_header",
        "bad_secret",
        "bad_token",
        "bad_ca",
        "bad_regex",
        "bad_language",
        "bad_prefix",
        "bad_id",
        "bad_list",
        "left_out",
        "ignored_setting",
        "too_often",
        "often",
        "too_long",
        "long_timeout",
        "contradiction",
        "duplicate_feed",
        "duplicate_output",
        "merged_feeds",
        "ignored_hints",
        "no_content",
        "small_icon",
        "no_feeds",
        "no_outputs",
        "no_contact",
        "no_public_url",
        "any_host",
        "refused_address",
        "bad_path",
        "below_minimum",
        "duplicate_key",
        "duplicate_server",
        "few_readers",
        "matches_all",
        "open_guard",
        "public_database",
        "short_retention",
        "unclosed",
        "unreached_output",
        "unshown_feed",
        "unused_tag",
        "unwritable",
        "no_such_feed",
    ];

    /// An error at `span`.
    #[must_use]
    pub fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: Some(span),
            label: String::new(),
            also: None,
            help: None,
            suggestion: None,
        }
    }

    /// A warning at `span`.
    #[must_use]
    pub fn warning(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// About the file as a whole.
    #[must_use]
    pub fn of_the_file(mut self) -> Self {
        self.span = None;
        self
    }

    /// Says more at the place itself.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Proposes `known` in the place of what stands there.
    #[must_use]
    pub fn meant(mut self, known: &str) -> Self {
        self.label = format!("did you mean {known:?}?");
        self.suggest(known)
    }

    /// Says what to write in the place of what stands there.
    #[must_use]
    pub fn suggest(mut self, instead: impl Into<String>) -> Self {
        self.suggestion = Some(instead.into());
        self
    }

    /// Shows a second place.
    #[must_use]
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Every fault of one config, in all its files.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The files, the main one first.
    pub(super) sources: Sources,
    /// In the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, diagnostics: Vec::new() }
    }

    /// Takes a fault in. What it says shows no secret, whatever the config has in its addresses.
    pub(super) fn push(&mut self, mut diagnostic: Diagnostic) {
        let texts = [&mut diagnostic.message, &mut diagnostic.label];
        let more = diagnostic.also.as_mut().map(|(_, label)| label);
        let more = more.into_iter().chain(&mut diagnostic.help).chain(&mut diagnostic.suggestion);
        for text in texts.into_iter().chain(more) {
            veil::logins(text);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Whether a part of the files could not be read.
    pub(super) fn has_unread(&self) -> bool {
        let unread = ["syntax", "unclosed", "unreadable", "not_utf8"];
        self.diagnostics.iter().any(|fault| unread.contains(&fault.code))
    }

    /// Drops what may be there only because `broken` kept a part from being read.
    pub(super) fn keep_certain(&mut self, broken: &Self) {
        /// These are told of by what is missing, or by what stands elsewhere.
        const GUESSED: &[&str] =
            &["missing_key", "contradiction", "no_such_feed", "unreached_output"];
        let line = |offset: usize| broken.place(offset).line;
        let spans = || broken.diagnostics.iter().filter_map(|fault| fault.span.as_ref());
        let whole = spans().count() < broken.diagnostics.len();
        let header = spans().any(|span| self.sources.line(span.start).starts_with('['));
        self.diagnostics.retain(|fault| {
            let Some(span) = &fault.span else { return false };
            // A text or a list over several lines may have taken in what follows it.
            let lines =
                line(span.start)..=line(span.end) + usize::from(line(span.end) > line(span.start));
            let same = |at: usize| broken.place(at).path == broken.place(span.start).path;
            let near =
                |other: &Range<usize>| same(other.start) && lines.contains(&line(other.start));
            // What follows an open bracket may be in it or not.
            let inside =
                broken.diagnostics.iter().filter(|fault| fault.code == "unclosed").any(|fault| {
                    fault
                        .span
                        .as_ref()
                        .is_some_and(|open| same(open.start) && open.start < span.end)
                });
            let astray =
                header && fault.code == "unknown_key" && fault.message.ends_with("the file");
            let certain = fault.severity == Severity::Error && !GUESSED.contains(&fault.code);
            certain && !astray && !whole && !inside && !spans().any(near)
        });
    }

    /// Puts the faults into the order of the files.
    pub(super) fn sort(&mut self) {
        self.diagnostics.sort_by_key(|fault| fault.span.as_ref().map_or(0, |span| span.start));
    }

    /// Nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// How many errors there are.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|fault| fault.severity == Severity::Error).count()
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.diagnostics.len() - self.errors()
    }

    /// Where a byte is, of all files counted one after the other.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place<'_> {
        self.sources.place(offset)
    }

    /// Line and column of a byte in its file, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let place = self.place(offset);
        (place.line, place.column)
    }

    /// The file of a fault.
    pub(super) fn source(&self, fault: &Diagnostic) -> &Source {
        self.sources.of(fault.span.as_ref().map_or(0, |span| span.start))
    }
}
