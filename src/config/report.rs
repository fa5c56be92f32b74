//! What is wrong with a config, all of it at once: where, why, and what to do.
//!
//! Drawn as rustc draws, or as JSON for editors. Leaves finding faults to the readers.

use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

/// More than this at once helps nobody.
const MAX_DRAWN: usize = 40;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// newswire does not start with it.
    Error,
    /// It starts, but probably not as meant.
    Warning,
}

/// With colours or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For a terminal.
    Coloured,
    /// For a file, a pipe, a journal.
    Plain,
}

/// What of the file is shown with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quote {
    /// The line.
    #[default]
    Line,
    /// Nothing but the place: there is a secret in the line.
    Nothing,
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
    /// The bytes of the file that it is about; `None`: the file as a whole.
    pub span: Option<Range<usize>>,
    /// Whether the line may be shown.
    pub quote: Quote,
    /// Said at that place.
    pub label: String,
    /// A second place that belongs to it.
    pub also: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Every code there is.
    pub const CODES: &'static [&'static str] = &[
        "unreadable",
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
            quote: Quote::Line,
            label: String::new(),
            also: None,
            help: None,
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

    /// Shows the line, or only says where it is.
    #[must_use]
    pub fn quote(mut self, quote: Quote) -> Self {
        self.quote = quote;
        self
    }

    /// Says more at the place itself.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
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

/// Every fault of one config file.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
    /// In the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn new(path: PathBuf, text: String) -> Self {
        Self { path, text, diagnostics: Vec::new() }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Puts the faults into the order of the file.
    pub(crate) fn sort(&mut self) {
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

    /// Line and column of a byte, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// For people.
    #[must_use]
    pub fn draw(&self, style: Style) -> String {
        let renderer = match style {
            Style::Coloured => Renderer::styled(),
            Style::Plain => Renderer::plain(),
        };
        let path = self.path.display().to_string();
        let mut drawn = String::new();
        for fault in self.diagnostics.iter().take(MAX_DRAWN) {
            let level = match fault.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let title = level.primary_title(fault.message.as_str()).id(fault.code);
            let mut group = match &fault.span {
                Some(span) if fault.quote == Quote::Nothing => {
                    let (line, column) = self.position(span.start);
                    let place = annotate_snippets::Origin::path(path.as_str());
                    title.element(place.line(line).char_column(column))
                }
                Some(span) => {
                    let primary = AnnotationKind::Primary.span(self.within(span));
                    let mut snippet = Snippet::source(self.text.as_str())
                        .path(path.as_str())
                        .annotation(primary.label(fault.label.as_str()));
                    if let Some((span, label)) = &fault.also {
                        let also = AnnotationKind::Context.span(self.within(span));
                        snippet = snippet.annotation(also.label(label.as_str()));
                    }
                    title.element(snippet)
                }
                None => title.element(annotate_snippets::Origin::path(path.as_str())),
            };
            if let Some(help) = &fault.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            drawn.push_str(&renderer.render(&[group]));
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
        let path = self.path.display();
        format!(
            "{path}: {errors} error{}, {warnings} warning{}{more}\n",
            many(errors),
            many(warnings)
        )
    }

    fn within(&self, span: &Range<usize>) -> Range<usize> {
        let end = span.end.min(self.text.len());
        span.start.min(end)..end
    }

    /// For editors and programs: one array.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let of = |fault: &Diagnostic| {
            let place = fault.span.as_ref().map(|span| self.position(span.start));
            json!({
                "severity": match fault.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                "code": fault.code,
                "message": fault.message,
                "label": fault.label,
                "file": self.path.display().to_string(),
                "line": place.map(|(line, _)| line),
                "column": place.map(|(_, column)| column),
                "help": fault.help,
            })
        };
        self.diagnostics.iter().map(of).collect()
    }
}
