//! The report as text with quoted lines, as rustc prints errors, and as JSON. Secrets are redacted.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Report, Severity};
use super::environment::is_variable;
use super::position::Source;
use super::redact;

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
