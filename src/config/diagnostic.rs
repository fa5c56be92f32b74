//! Errors and warnings about a config, and the report of all of them: as text with quoted lines, as rustc prints errors, and
//! as JSON. Secrets are redacted.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::environment::is_variable;
use super::files::{Location, Source, Sources};
use super::redact;
use crate::model::code;
use crate::text::quoted::in_quotes;

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
        self.label(format!("did you mean {known}?", known = in_quotes(known))).suggest(known)
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

/// Largest number of diagnostics in a text.
const MAX_SHOWN: usize = 1000;

/// Width of a usual terminal, in columns: longer lines of a config are cut around the place.
const TERMINAL: usize = 80;

/// Whether a text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// With ANSI escape sequences, for terminals.
    Coloured,
    /// For files, pipes and the journal.
    Plain,
}

impl Report {
    /// The report as text.
    #[must_use]
    pub fn draw(&self, style: Style) -> String {
        let renderer = match style {
            Style::Coloured => Renderer::styled().term_width(TERMINAL),
            Style::Plain => Renderer::plain(),
        };
        let files: Vec<RedactedFile<'_>> = self.sources.iter().map(RedactedFile::new).collect();
        let mut text = String::new();
        for diagnostic in self.diagnostics.iter().take(MAX_SHOWN) {
            text.push_str(&snippet(&renderer, diagnostic, &files));
            text.push_str("\n\n");
        }
        text.push_str(&self.summary());
        text
    }

    fn summary(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let hidden = self.diagnostics.len().saturating_sub(MAX_SHOWN);
        let hidden =
            if hidden > 0 { format!(", of which {hidden} are not shown") } else { String::new() };
        let files = self.sources.iter().filter(|source| !is_variable(&source.path));
        let files = match files.count() - 1 {
            0 => String::new(),
            n => format!(" and {} in conf.d", count(n, "file")),
        };
        let path = self.sources.of(0).path.display();
        let (errors, warnings) = (count(self.errors(), "error"), count(self.warnings(), "warning"));
        format!("{path}{files}: {errors}, {warnings}{hidden}\n")
    }

    /// The report as an array, for editors and programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.diagnostics.iter().map(|diagnostic| self.diagnostic_to_json(diagnostic)).collect()
    }

    fn diagnostic_to_json(&self, diagnostic: &Diagnostic) -> Value {
        let at = |offset: usize| {
            let (line, column) = self.position(offset);
            json!({ "line": line, "col": column })
        };
        let (start, end) = match &diagnostic.span {
            Some(span) => (at(span.start), at(span.end.max(span.start))),
            None => (json!({}), Value::Null),
        };
        let file = |offset: usize| self.location(offset).path.display().to_string();
        let also = diagnostic.also.as_ref().map(|(span, label)| {
            json!({ "file": file(span.start), "start": at(span.start), "message": label })
        });
        json!({
            "severity": match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "code": diagnostic.code,
            "message": diagnostic.message,
            "label": diagnostic.label,
            "file": file(diagnostic.span.as_ref().map_or(0, |span| span.start)),
            "line": start["line"],
            "col": start["col"],
            "column": start["col"],
            "end": end,
            "also": also,
            "help": diagnostic.help,
            "suggestion": diagnostic.suggestion,
            "explain": format!("newswire explain {}", diagnostic.code),
        })
    }
}

/// A place in a file with its text.
type Annotated<'q> = (AnnotationKind, &'q Range<usize>, &'q str);

/// A file without its secrets.
struct RedactedFile<'r> {
    source: &'r Source,
    path: String,
    /// The text of the file with secrets masked; it has the same length.
    text: String,
}

impl<'r> RedactedFile<'r> {
    fn new(source: &'r Source) -> Self {
        let path = source.path.display().to_string();
        Self { source, path, text: redact::config(&source.text) }
    }

    /// The lines with these places.
    fn quote<'q>(&'q self, places: &[Annotated<'q>]) -> Snippet<'q, Annotation<'q>> {
        let local: Vec<_> = places.iter().map(|(_, span, _)| self.source.local(span)).collect();
        let first = local.iter().map(|span| span.start).min().unwrap_or_default();
        let last = local.iter().map(|span| span.end).max().unwrap_or_default();
        let start = self.text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end =
            self.text[last..].find('\n').map_or(self.text.len(), |newline| last + newline + 1);
        let line = self.text[..start].matches('\n').count() + 1;
        let mut snippet =
            Snippet::source(&self.text[start..end]).path(self.path.as_str()).line_start(line);
        for (span, (kind, _, label)) in local.iter().zip(places) {
            let span = span.start - start..span.end - start;
            snippet = snippet.annotation(kind.span(span).label(*label));
        }
        snippet
    }
}

/// One diagnostic as text.
fn snippet(renderer: &Renderer, diagnostic: &Diagnostic, files: &[RedactedFile<'_>]) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = |offset: usize| {
        let before = files.iter().rfind(|file| file.source.start <= offset);
        before.unwrap_or(&files[0])
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = match &diagnostic.span {
        None => title.element(Origin::path(file(0).path.as_str())),
        Some(span) => {
            let here = (AnnotationKind::Primary, span, diagnostic.label.as_str());
            let first = file(span.start);
            match &diagnostic.also {
                None => title.element(first.quote(&[here])),
                Some((also, label)) => {
                    let there = (AnnotationKind::Context, also, label.as_str());
                    let second = file(also.start);
                    match second.source.start == first.source.start {
                        true => title.element(first.quote(&[here, there])),
                        false => {
                            title.element(first.quote(&[here])).element(second.quote(&[there]))
                        }
                    }
                }
            }
        }
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let explain = format!("newswire explain {}", diagnostic.code);
    renderer.render(&[group.element(Level::HELP.message(explain))])
}
