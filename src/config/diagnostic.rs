//! Errors and warnings about a config, and the report of all of them.

use std::ops::Range;

use super::position::{Location, Sources};
use super::redact;
use crate::model::code;

/// How severe a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Newswire does not start with this config.
    Error,
    /// Newswire starts, but the config is probably not what the operator wants.
    Warning,
}

/// An error or a warning about a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How severe it is.
    pub severity: Severity,
    /// Stable slug, which `newswire explain` knows: `unknown_key`.
    pub code: &'static str,
    /// What is wrong; begins in lower case.
    pub message: String,
    /// The bytes that it is about, counted through all files; `None`: the main file as a whole.
    pub span: Option<Range<usize>>,
    /// A text for this place; empty: none.
    pub label: String,
    /// A second place with a text.
    pub also: Option<(Range<usize>, String)>,
    /// What the operator can do.
    pub help: Option<String>,
    /// A replacement for the text at `span`, if it is known.
    pub suggestion: Option<String>,
}

/// The end of messages about unknown keys before the first section.
pub(super) const AT_THE_TOP: &str = "at the top of the file";

impl Diagnostic {
    /// An error at `span`.
    #[must_use]
    pub fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        debug_assert!(code::of(code).next().is_some(), "docs/codes.md has no {code}");
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

    /// The same about the file as a whole.
    #[must_use]
    pub fn of_the_file(self) -> Self {
        Self { span: None, ..self }
    }

    /// Adds a text at its place.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// Asks whether `known` was meant, and suggests it.
    #[must_use]
    pub fn meant(self, known: &str) -> Self {
        self.label(format!("did you mean {known:?}?")).suggest(known)
    }

    /// Suggests a replacement for the text at its place.
    #[must_use]
    pub fn suggest(self, replacement: impl Into<String>) -> Self {
        Self { suggestion: Some(replacement.into()), ..self }
    }

    /// Adds a second place.
    #[must_use]
    pub fn also(self, span: Range<usize>, label: impl Into<String>) -> Self {
        Self { also: Some((span, label.into())), ..self }
    }

    /// Adds what the operator can do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// All diagnostics of a config.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The files, the main one first.
    pub(super) sources: Sources,
    /// The diagnostics, in the order of the files and of their positions.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, diagnostics: Vec::new() }
    }

    /// Adds a diagnostic, without the passwords of URLs in its texts. A suggestion with a password is left out: without
    /// it, it would be another value.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        let also = diagnostic.also.as_mut().map(|(_, label)| label);
        let texts = [&mut diagnostic.message, &mut diagnostic.label].into_iter().chain(also);
        for text in texts.chain(&mut diagnostic.help) {
            redact::logins(text);
        }
        let is_public = |text: &String| {
            let mut redacted = text.clone();
            redact::logins(&mut redacted);
            redacted == *text
        };
        diagnostic.suggestion = diagnostic.suggestion.filter(is_public);
        self.diagnostics.push(diagnostic);
    }

    /// Whether a part of the files could not be parsed.
    pub(super) fn is_incomplete(&self) -> bool {
        let codes = ["syntax", "unclosed_bracket", "unreadable", "not_utf8"];
        self.diagnostics.iter().any(|diagnostic| codes.contains(&diagnostic.code))
    }

    /// Removes what may be a consequence of the syntax errors in `broken`, which hide parts of the files.
    pub(super) fn remove_consequences(&mut self, broken: &Self) {
        /// Codes of diagnostics that may only follow from a key that is missing or in another section.
        const DEPENDENT: &[&str] = &[
            "missing_key",
            "contradiction",
            "zero_host_spacing",
            "no_such_feed",
            "output_without_feeds",
        ];
        let line = |offset: usize| broken.location(offset).line;
        let spans = || broken.diagnostics.iter().filter_map(|error| error.span.as_ref());
        let of_a_file = spans().count() < broken.diagnostics.len();
        let header = spans().any(|span| self.sources.line(span.start).starts_with('['));
        let same_file = |a: usize, b: usize| broken.location(a).path == broken.location(b).path;
        self.diagnostics.retain(|found| {
            // The parser replaces a value that it cannot read by one without a place.
            let Some(span) = found.span.as_ref().filter(|span| !span.is_empty()) else {
                return false;
            };
            // A text or a list of several lines may contain the line that follows it.
            let several = usize::from(line(span.end) > line(span.start));
            let lines = line(span.start)..=line(span.end) + several;
            let near = |error: &Range<usize>| {
                same_file(error.start, span.start) && lines.contains(&line(error.start))
            };
            let inside = broken.diagnostics.iter().any(|error| {
                let open = error.span.as_ref().filter(|_| error.code == "unclosed_bracket");
                open.is_some_and(|open| same_file(open.start, span.start) && open.start < span.end)
            });
            let moved = header && found.message.ends_with(AT_THE_TOP);
            let certain = found.severity == Severity::Error && !DEPENDENT.contains(&found.code);
            certain && !moved && !of_a_file && !inside && !spans().any(near)
        });
    }

    /// Sorts the diagnostics in the order of the files.
    pub(super) fn sort(&mut self) {
        self.diagnostics.sort_by_key(|found| found.span.as_ref().map_or(0, |span| span.start));
    }

    /// Whether the report has no diagnostics.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Number of diagnostics that are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count()
    }

    /// Number of diagnostics that are warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.diagnostics.len() - self.errors()
    }

    /// File, line and column of a byte, counted through all files.
    #[must_use]
    pub fn location(&self, offset: usize) -> Location<'_> {
        self.sources.location(offset)
    }

    /// Line and column of a byte in its file, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let location = self.location(offset);
        (location.line, location.column)
    }
}
