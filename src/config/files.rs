//! The files of a config: `newswire.toml`, and `conf.d/*.toml` beside it, ordered by name; and positions in them. Bytes are
//! counted through all files, so that one offset is enough.

use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use super::diagnostic::Diagnostic;
use super::environment::{self, is_variable};
use crate::text::file_kind;

/// The folder beside the main file.
const FOLDER: &str = "conf.d";
/// Set by systemd: the folder that relative paths start in.
pub(super) const STATE_VARIABLE: &str = "STATE_DIRECTORY";

/// The files of a config as they were read.
#[derive(Debug, Clone)]
pub struct Files {
    pub(super) sources: Sources,
    /// The folder that relative paths start in.
    pub(super) state: PathBuf,
}

impl Files {
    /// One file with this text.
    #[must_use]
    pub fn one(text: String, path: &Path, state: &Path) -> Self {
        let sources = Sources::new([(path.to_owned(), (text, None))]);
        Self { sources, state: state.to_owned() }
    }

    /// Reads the file at `path`, and those in `conf.d` beside it. See [`state_folder`] for relative paths.
    #[must_use]
    pub fn gather(path: &Path) -> Self {
        let mut files = vec![(path.to_owned(), read(path))];
        let folder = path.parent().unwrap_or(Path::new("")).join(FOLDER);
        match toml_files(&folder) {
            Ok(more) => files.extend(more.into_iter().map(|path| {
                let text = read(&path);
                (path, text)
            })),
            // The error of the main file says it already.
            Err(_) if files[0].1.1.is_some() => {}
            Err(error) => {
                let message = format!("cannot read the folder: {error}");
                let error = Diagnostic::error("unreadable", 0..0, message);
                let error = error.help("make it readable, or remove it");
                files.push((folder, (String::new(), Some(error))));
            }
        }
        files.extend(environment::files(std::env::vars_os()));
        Self { sources: Sources::new(files), state: state_folder(path) }
    }

    /// The same files with another text of the main file.
    #[must_use]
    pub fn with_main(self, text: String) -> Self {
        let main = self.sources.of(0).path.clone();
        self.with(&main, text)
    }

    /// The files with their texts, the main one first.
    pub fn texts(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.sources.iter().map(|source| (&*source.path, &*source.text))
    }

    /// The same files with another text of the file at `path`.
    #[must_use]
    pub fn with(self, path: &Path, text: String) -> Self {
        let files = self.sources.iter().map(|source| {
            let known = (source.text.clone(), source.error.clone());
            let text = if source.path == path { (text.clone(), None) } else { known };
            (source.path.clone(), text)
        });
        Self { sources: Sources::new(files), state: self.state }
    }

    /// The files whose text differs in `other`: path, text here, text there.
    pub fn changes<'f>(
        &'f self,
        other: &'f Self,
    ) -> impl Iterator<Item = (&'f Path, &'f str, &'f str)> {
        let pairs = self.sources.iter().zip(other.sources.iter());
        let differing = pairs.filter(|(here, there)| here.text != there.text);
        differing.map(|(here, there)| (&*here.path, &*here.text, &*there.text))
    }

    /// Why files could not be read.
    pub(super) fn errors(&self) -> impl Iterator<Item = Diagnostic> {
        self.sources.iter().filter_map(|source| {
            let error = source.error.clone()?;
            let span = error.span.map(|span| span.start + source.start..span.end + source.start);
            // The first byte represents another file than the main one.
            let whole = (source.start > 0).then_some(source.start..source.start);
            Some(Diagnostic { span: span.or(whole), ..error })
        })
    }
}

/// The folder that relative paths in the config at `path` start in: `$STATE_DIRECTORY`, which systemd sets;
/// else `/var/lib/newswire` for a config in `/etc/newswire`; else the folder of the file.
#[must_use]
pub fn state_folder(path: &Path) -> PathBuf {
    // Several are separated by colons; the first is the one of the database.
    let first =
        |names: OsString| PathBuf::from(names.to_string_lossy().split(':').next().unwrap_or(""));
    if let Some(state) = std::env::var_os(STATE_VARIABLE) {
        return first(state);
    }
    // Commands in a shell use the folder that the unit of the service has.
    let folder = path.parent().unwrap_or(Path::new(""));
    let service = folder == Path::new("/etc/newswire");
    let state = Path::new("/var/lib/newswire");
    if service && state.symlink_metadata().is_ok() { state } else { folder }.to_owned()
}

fn read(path: &Path) -> FileText {
    let bytes = std::fs::read(path);
    if let Some(no_text) = bytes.as_ref().ok().and_then(|bytes| no_text(bytes)) {
        // Its bytes are of no use on a terminal.
        return (String::new(), Some(no_text));
    }
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => (text, None),
        Ok(Err(error)) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("the file is not UTF-8: byte {at} is invalid");
            let invalid = Diagnostic::error("not_utf8", at..at + '\u{fffd}'.len_utf8(), message)
                .help("save it as UTF-8");
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(invalid))
        }
        Err(error) => {
            let message = format!("cannot read the config: {error}");
            let unreadable = Diagnostic::error("unreadable", 0..0, message).of_the_file();
            let help = match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    "run the command as a user who can read it, or name another config with --config FILE"
                }
                _ => "check the path and its permissions, or create a config with 'newswire init'",
            };
            (String::new(), Some(unreadable.help(help)))
        }
    }
}

/// The error of a file that is no text, or text in UTF-16.
fn no_text(bytes: &[u8]) -> Option<Diagnostic> {
    let (message, help) = match (file_kind::binary(bytes), file_kind::utf16(bytes)) {
        (Some(kind), _) => (format!("the file is {kind}, not a config"), "name a TOML file"),
        (None, Some(kind)) => (format!("the file is {kind}"), "save it as UTF-8"),
        (None, None) => return None,
    };
    Some(Diagnostic::error("not_utf8", 0..0, message).of_the_file().help(help))
}

/// The `*.toml` files in a folder, ordered by name; none if the folder does not exist.
fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| entry.map(|e| e.path())).collect();
    // Editors write hidden files.
    let visible = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        !hidden && path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir()
    };
    let mut paths: Vec<PathBuf> = paths?.into_iter().filter(visible).collect();
    paths.sort();
    Ok(paths)
}

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
