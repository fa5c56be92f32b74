//! The files that a config is made of: `newswire.toml`, and `conf.d/*.toml` beside it by name.
//!
//! Their bytes are counted one after the other, so that one number is a place in one of them.
//! Leaves joining their tables to `merge`.

use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::report::Diagnostic;
use super::sources::Sources;

/// The folder beside the main file.
const FOLDER: &str = "conf.d";

/// The files of a config as they were read.
#[derive(Debug, Clone)]
pub struct Files {
    pub(super) sources: Sources,
    /// What kept a file from being read, with its number.
    faults: Vec<(usize, Diagnostic)>,
    /// What relative paths in them count from.
    pub(super) state: PathBuf,
}

/// A text, or what there is of it and why that is not all.
type Read = (String, Option<Diagnostic>);

impl Files {
    /// One file, with this text.
    #[must_use]
    pub fn one(text: String, path: &Path, state: &Path) -> Self {
        Self::of([(path.to_owned(), (text, None))], state.to_owned())
    }

    /// The file at `path`, and those in `conf.d` beside it. Relative paths in them count from
    /// `$STATE_DIRECTORY`, which systemd sets, else from the folder of the file.
    #[must_use]
    pub fn gather(path: &Path) -> Self {
        let mut files = vec![(path.to_owned(), read(path))];
        let folder = path.parent().unwrap_or(Path::new("")).join(FOLDER);
        match beside(&folder) {
            Ok(more) => files.extend(more.into_iter().map(|path| {
                let text = read(&path);
                (path, text)
            })),
            Err(error) => {
                let message = format!("the folder cannot be read: {error}");
                let fault = Diagnostic::error("unreadable", 0..0, message);
                let fault = fault.help("let newswire read it, or take it away");
                files.push((folder, (String::new(), Some(fault))));
            }
        }
        Self::of(files, state_folder(path))
    }

    fn of(files: impl IntoIterator<Item = (PathBuf, Read)>, state: PathBuf) -> Self {
        let mut faults = Vec::new();
        let texts = files.into_iter().enumerate().map(|(n, (path, (text, fault)))| {
            faults.extend(fault.map(|fault| (n, fault)));
            (path, text)
        });
        let sources = Sources::new(texts);
        Self { sources, faults, state }
    }

    /// The same with another text in the main file.
    #[must_use]
    pub fn with_main(self, text: String) -> Self {
        let mut files: Vec<(PathBuf, String)> =
            self.sources.iter().map(|source| (source.path.clone(), source.text.clone())).collect();
        files[0].1 = text;
        let faults = self.faults.into_iter().filter(|(n, _)| *n != 0).collect();
        Self { sources: Sources::new(files), faults, state: self.state }
    }

    /// What kept files from being read.
    pub(super) fn faults(&self) -> impl Iterator<Item = Diagnostic> {
        self.faults.iter().map(|(n, fault)| {
            let start = self.sources.start(*n);
            let shift = |span: &Range<usize>| span.start + start..span.end + start;
            // As a whole, the main file is none of its bytes; another one is its first.
            let whole = (*n > 0).then_some(start..start);
            Diagnostic { span: fault.span.as_ref().map(shift).or(whole), ..fault.clone() }
        })
    }
}

/// What relative paths in the config at `path` count from: `$STATE_DIRECTORY`, which systemd sets,
/// else `/var/lib/newswire` for the service's config in `/etc/newswire`, else the folder of the file.
#[must_use]
pub fn state_folder(path: &Path) -> PathBuf {
    // Several are separated by colons, as the unit has them: the first is ours.
    let first =
        |names: OsString| PathBuf::from(names.to_string_lossy().split(':').next().unwrap_or(""));
    if let Some(state) = std::env::var_os("STATE_DIRECTORY") {
        return first(state);
    }
    // Whoever asks the service's newswire from a shell means the folder that its unit gives it.
    let folder = path.parent().unwrap_or(Path::new(""));
    let service = folder == Path::new("/etc/newswire");
    let state = Path::new("/var/lib/newswire");
    if service && state.symlink_metadata().is_ok() { state } else { folder }.to_owned()
}

fn read(path: &Path) -> Read {
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => (text, None),
        Ok(Err(error)) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("the config is not UTF-8: byte {at} cannot be read");
            let fault = Diagnostic::error("not_utf8", at..at + '\u{fffd}'.len_utf8(), message)
                .help("save it as UTF-8");
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(fault))
        }
        Err(error) => {
            let message = format!("the config cannot be read: {error}");
            let fault = Diagnostic::error("unreadable", 0..0, message).of_the_file();
            let help = "check the path and its permissions, or write one with 'newswire init'";
            (String::new(), Some(fault.help(help)))
        }
    }
}

/// The `*.toml` files in a folder that there need not be, by name.
fn beside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| entry.map(|e| e.path())).collect();
    // What begins with a dot is an editor's.
    let ours = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        !hidden && path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir()
    };
    let mut paths: Vec<PathBuf> = paths?.into_iter().filter(ours).collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_through_all_files() {
        let file = |name: &str, text: &str| (PathBuf::from(name), text.to_owned());
        let sources = Sources::new([file("a", "x\nä="), file("b", ""), file("c", "yz")]);
        let places = [(0, "a", 1, 1), (2, "a", 2, 1), (4, "a", 2, 2), (5, "a", 2, 3)];
        let more = [(6, "b", 1, 1), (7, "c", 1, 1), (9, "c", 1, 3), (99, "c", 1, 3)];
        for (offset, path, line, column) in places.into_iter().chain(more) {
            let place = sources.place(offset);
            assert_eq!((place.path, place.line, place.column), (Path::new(path), line, column));
        }
    }
}
