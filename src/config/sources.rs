//! Texts of several files whose bytes are counted one after the other, so that one number is a place
//! in one of them.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Where its first byte is, counted through all files.
    pub(super) start: usize,
}

/// There may be secrets in the text.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    /// The same bytes, counted from the beginning of this file.
    pub(super) fn local(&self, span: &Range<usize>) -> Range<usize> {
        let within = |offset: usize| {
            let offset = offset.saturating_sub(self.start).min(self.text.len());
            (0..=offset).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
        };
        let start = within(span.start);
        start..within(span.end).max(start)
    }
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'f> {
    /// The file.
    pub path: &'f Path,
    /// From 1.
    pub line: usize,
    /// From 1; counts characters.
    pub column: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// All files, the main one first; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sources(Arc<[Source]>);

impl Default for Sources {
    fn default() -> Self {
        Self::new([(PathBuf::new(), String::new())])
    }
}

impl Sources {
    pub(super) fn new(files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let mut start = 0;
        let placed = files.into_iter().map(|(path, text)| {
            let source = Source { path, text, start };
            // The end of a file is a place too.
            start += source.text.len() + 1;
            source
        });
        Self(placed.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// Where the first byte of the file of that number is.
    pub(super) fn start(&self, number: usize) -> usize {
        self.0.get(number).map_or(0, |source| source.start)
    }

    /// The file that a byte is in.
    pub(super) fn of(&self, offset: usize) -> &Source {
        let after = self.0.partition_point(|source| source.start <= offset);
        &self.0[after.saturating_sub(1)]
    }

    /// The line that a byte is in, without what it is indented by.
    pub(super) fn line(&self, offset: usize) -> &str {
        let source = self.of(offset);
        let at = source.local(&(offset..offset)).start;
        let start = source.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        source.text[start..].lines().next().unwrap_or_default().trim_start()
    }

    pub(super) fn place(&self, offset: usize) -> Place<'_> {
        let source = self.of(offset);
        let before = &source.text[..source.local(&(offset..offset)).start];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Place { path: &source.path, line, column: before[start..].chars().count() + 1 }
    }
}
