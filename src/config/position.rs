//! Positions in several files. Bytes are counted through all files, so that one offset is enough.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::environment::is_variable;

/// The text of a file, or what could be read of it and why not all.
pub(super) type FileText = (String, Option<Diagnostic>);

/// One file of the config.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Why it could not be read completely; its place is counted from the first byte of the file.
    pub(super) error: Option<Diagnostic>,
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Offsets of its lines, counted from its first byte.
    lines: Vec<usize>,
}

/// Without the text, which may contain secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    fn new(path: PathBuf, (text, error): FileText, start: usize) -> Self {
        let lines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { path, lines: [0].into_iter().chain(lines).collect(), text, error, start }
    }

    /// The same bytes counted from the beginning of this file, on character boundaries.
    pub(super) fn local(&self, span: &Range<usize>) -> Range<usize> {
        let within = |offset: usize| {
            let offset = offset.saturating_sub(self.start).min(self.text.len());
            (0..=offset).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
        };
        let start = within(span.start);
        start..within(span.end).max(start)
    }
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'f> {
    /// Path of the file.
    pub path: &'f Path,
    /// Number of the line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_variable(self.path) {
            true => write!(f, "{}", self.path.display()),
            false => write!(f, "{}:{}", self.path.display(), self.line),
        }
    }
}

/// All files, the main one first; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sources(Arc<[Source]>);

impl Default for Sources {
    fn default() -> Self {
        Self::new([(PathBuf::new(), (String::new(), None))])
    }
}

impl Sources {
    pub(super) fn new(files: impl IntoIterator<Item = (PathBuf, FileText)>) -> Self {
        let mut start = 0;
        let sources = files.into_iter().map(|(path, text)| {
            let source = Source::new(path, text, start);
            // The end of a file is a position too.
            start += source.text.len() + 1;
            source
        });
        Self(sources.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// The file that contains a byte.
    pub(super) fn of(&self, offset: usize) -> &Source {
        let after = self.0.partition_point(|source| source.start <= offset);
        &self.0[after.saturating_sub(1)]
    }

    /// The line that contains a byte, without its indentation.
    pub(super) fn line(&self, offset: usize) -> &str {
        let source = self.of(offset);
        let line = source.lines[self.location(offset).line - 1];
        source.text[line..].lines().next().unwrap_or_default().trim_start()
    }

    pub(super) fn location(&self, offset: usize) -> Location<'_> {
        let source = self.of(offset);
        let at = source.local(&(offset..offset)).start;
        let line = source.lines.partition_point(|start| *start <= at);
        // A byte order mark has no column.
        let before = source.text[source.lines[line - 1]..at].trim_start_matches('\u{feff}');
        let column = before.chars().count() + 1;
        Location { path: &source.path, line, column }
    }
}
