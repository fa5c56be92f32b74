//! A report for people, drawn as rustc draws, and for programs, as JSON.
//!
//! Lines are quoted with what is secret in them veiled. Leaves printing to `cli`.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::report::{Diagnostic, Report, Severity};
use super::sources::Source;
use super::veil;

/// More than this at once helps nobody.
const MAX_DRAWN: usize = 1000;

/// With colours or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For a terminal.
    Coloured,
    /// For a file, a pipe, a journal.
    Plain,
}

impl Report {
    /// For people.
    #[must_use]
    pub fn draw(&self, style: Style) -> String {
        let renderer = match style {
            Style::Coloured => Renderer::styled(),
            Style::Plain => Renderer::plain(),
        };
        let files: Vec<Shown<'_>> = self.sources.iter().map(Shown::of).collect();
        let mut drawn = String::new();
        for fault in self.diagnostics.iter().take(MAX_DRAWN) {
            drawn.push_str(&drawn_one(&renderer, fault, &files));
            drawn.push_str("\n\n");
        }
        drawn.push_str(&self.summary());
        drawn
    }

    fn summary(&self) -> String {
        let more = self.diagnostics.len().saturating_sub(MAX_DRAWN);
        let more =
            if more > 0 { format!(", of which {more} are not shown") } else { String::new() };
        let (errors, warnings) = (self.errors(), self.warnings());
        let many = |n: usize| if n == 1 { "" } else { "s" };
        let path = self.sources.of(0).path.display();
        let files = self.sources.iter().count() - 1;
        let files = match files {
            0 => String::new(),
            n => format!(" and {n} file{} in conf.d", many(n)),
        };
        format!(
            "{path}{files}: {errors} error{}, {warnings} warning{}{more}\n",
            many(errors),
            many(warnings)
        )
    }

    /// For editors and programs: one array.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.diagnostics.iter().map(|fault| self.fault_to_json(fault)).collect()
    }

    fn fault_to_json(&self, fault: &Diagnostic) -> Value {
        let at = |offset: usize| {
            let (line, column) = self.position(offset);
            json!({ "line": line, "col": column })
        };
        let (start, end) = match &fault.span {
            Some(span) => (at(span.start), at(span.end.max(span.start))),
            None => (json!({}), Value::Null),
        };
        let also = fault.also.as_ref().map(|(span, label)| {
            let file = self.place(span.start).path.display().to_string();
            json!({ "file": file, "start": at(span.start), "message": label })
        });
        json!({
            "severity": match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "code": fault.code,
            "message": fault.message,
            "label": fault.label,
            "file": self.source(fault).path.display().to_string(),
            "line": start["line"],
            "col": start["col"],
            "column": start["col"],
            "end": end,
            "also": also,
            "help": fault.help,
            "suggestion": fault.suggestion,
            "explain": format!("newswire explain {}", fault.code),
        })
    }
}

/// What is said at a place.
type Said<'q> = (AnnotationKind, &'q Range<usize>, &'q str);

/// A file as it may be shown.
struct Shown<'r> {
    source: &'r Source,
    path: String,
    /// As long as the text itself.
    veiled: String,
}

impl<'r> Shown<'r> {
    fn of(source: &'r Source) -> Self {
        let path = source.path.display().to_string();
        Self { source, path, veiled: veil::veiled(&source.text) }
    }

    /// The lines of it that these places are in, with what is said there.
    fn quote<'q>(&'q self, places: &[Said<'q>]) -> Snippet<'q, Annotation<'q>> {
        let local: Vec<_> = places.iter().map(|(_, span, _)| self.source.local(span)).collect();
        let first = local.iter().map(|span| span.start).min().unwrap_or_default();
        let last = local.iter().map(|span| span.end).max().unwrap_or_default();
        let text = self.veiled.as_str();
        let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline + 1);
        let line = text[..start].matches('\n').count() + 1;
        let mut snippet =
            Snippet::source(&text[start..end]).path(self.path.as_str()).line_start(line);
        for (span, (kind, _, label)) in local.iter().zip(places) {
            let span = span.start - start..span.end - start;
            snippet = snippet.annotation(kind.span(span).label(*label));
        }
        snippet
    }
}

fn drawn_one(renderer: &Renderer, fault: &Diagnostic, files: &[Shown<'_>]) -> String {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = |offset: usize| {
        let after = files.partition_point(|shown| shown.source.start <= offset);
        &files[after.saturating_sub(1)]
    };
    let title = level.primary_title(fault.message.as_str()).id(fault.code);
    let mut group = match &fault.span {
        None => title.element(Origin::path(file(0).path.as_str())),
        Some(span) => {
            let here = (AnnotationKind::Primary, span, fault.label.as_str());
            let there = fault.also.as_ref();
            let there = there.map(|(span, label)| (AnnotationKind::Context, span, label.as_str()));
            let (first, second) = (file(span.start), there.map(|there| file(there.1.start)));
            match there.zip(second) {
                Some((there, other)) if other.source.start == first.source.start => {
                    title.element(first.quote(&[here, there]))
                }
                Some((there, other)) => {
                    title.element(first.quote(&[here])).element(other.quote(&[there]))
                }
                None => title.element(first.quote(&[here])),
            }
        }
    };
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let explain = format!("newswire explain {}", fault.code);
    renderer.render(&[group.element(Level::HELP.message(explain))])
}
