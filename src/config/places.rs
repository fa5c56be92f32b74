//! Folders and files that newswire is to write: whether that can be.
//!
//! Leaves making them to the rooms that write.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::report::{Diagnostic, Report};
use super::section::Section;
use crate::store;

/// How closely places are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Folders of outputs as they are.
    Quick,
    /// The database too, and whether this user may write there, by trying it with a file that has no
    /// name.
    Close,
}

/// Reports a `path` or a `directory` that nothing can be written to.
pub(super) fn look(section: &Section<'_>, key: &str, look: Look, report: &mut Report) {
    // A database that cannot be is the store's to tell, with an exit code of its own.
    if key == "path" && look == Look::Quick {
        return;
    }
    // Its faults are reported where it is read.
    let path = match section.path(key, &mut Report::default()) {
        Some(path) => path,
        // The database has a place of its own.
        None if key == "path" && !section.has(key) => {
            section.beside(&store::Settings::default().path)
        }
        None => return,
    };
    let named = section.has(key);
    let mut tell = |fault: Diagnostic| {
        report.push(if named { fault } else { fault.of_the_file() });
    };
    let folder = match key {
        "directory" => path.as_path(),
        _ if path.is_dir() => {
            let message = format!("{} is a folder", path.display());
            let fault = Diagnostic::error("bad_path", section.span(key), message);
            tell(fault.help("name a file in it"));
            return;
        }
        _ => path.parent().unwrap_or(Path::new("")),
    };
    let there = nearest(folder);
    if !there.is_dir() {
        let message = format!("{} is no folder", there.display());
        let fault = Diagnostic::error("bad_path", section.span(key), message);
        tell(fault.help("name a folder, or one that can be made"));
        return;
    }
    if look == Look::Quick {
        return;
    }
    if let Err(error) = tempfile::tempfile_in(&there) {
        let message = format!("{} cannot be written to: {error}", there.display());
        let span = section.span(key);
        // Who is not root may be somebody else than the service.
        tell(match nobody_can(&error) {
            true => Diagnostic::error("unwritable", span, message).help(match named {
                true => "name another folder",
                false => "set path in [store] to a file in another folder",
            }),
            false => Diagnostic::warning("unwritable", span, message)
                .help("fine if newswire runs as a user who may"),
        });
    }
}

/// The folder, or the one above that is there already: the rest is made.
fn nearest(folder: &Path) -> PathBuf {
    let here =
        |path: &Path| if path.as_os_str().is_empty() { Path::new(".") } else { path }.to_owned();
    folder.ancestors().map(here).find(|path| path.exists()).unwrap_or_else(|| PathBuf::from("/"))
}

fn nobody_can(error: &io::Error) -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    root || error.kind() == io::ErrorKind::ReadOnlyFilesystem
}
