//! `newswire init`: a commented config to start from.

use std::io;
use std::path::Path;

use crate::config;
use crate::files::{self, TargetError};

/// The example that ships with newswire; every key with its default and why to change it.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Why no config was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Never overwritten: the file may have feeds.
    #[error("{0} already exists and was not changed")]
    Exists(String),
    /// The schema would replace another file.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The file cannot be written.
    #[error("failed to write {0}: {1}")]
    Io(String, io::Error),
}

crate::model::codes! {
    Error:
    Self::Target(TargetError::Occupied { .. }) => "file_exists": "name another file",
    Self::Target(TargetError::Io { .. }) => "file_unwritable": "choose a folder that this user can read and write to",
    Self::Exists(_) => "file_exists": "name another file: 'newswire init FILE'",
    Self::Io(_, error) => "file_unwritable": files::remedy(error).unwrap_or("choose a folder that this user can write to"),
}

/// What to do next.
#[must_use]
pub fn next(path: &Path) -> String {
    let config = match path.to_str() {
        Some("newswire.toml") => String::new(),
        _ => format!(" --config {}", path.display()),
    };
    format!(
        "wrote {0}, with all keys and no feeds yet. Next:\n\n  \
         newswire add URL{config}    # a feed, or the page of a site that has one\n  \
         newswire run{config}        # then subscribe to http://127.0.0.1:8420/planet.atom\n\n\
         'newswire check{config}' lists the errors and warnings of the file.\n",
        path.display()
    )
}

/// What the first line of the example names, for editors.
const SCHEMA: &str = "newswire.schema.json";

/// Writes the example to `path`, and its schema beside it. Creates the folder.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub fn run(path: &Path) -> Result<(), Error> {
    create(path, EXAMPLE)
}

/// Writes a config to `path`, and the schema beside it. Creates the folder.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub(super) fn create(path: &Path, text: &str) -> Result<(), Error> {
    let name = path.display().to_string();
    let schema = path.with_file_name(SCHEMA);
    let is_schema = |head: &[u8]| String::from_utf8_lossy(head).contains("\"$schema\"");
    files::check_target(&schema, "a schema of Newswire", is_schema)?;
    if path.symlink_metadata().is_ok() {
        return Err(Error::Exists(name));
    }
    let folder = files::folder(path);
    files::create_folder(folder).map_err(|error| Error::Io(folder.display().to_string(), error))?;
    // The config comes last: what creates it only if there is none must not find one without its schema, or a part of it.
    let written = files::create_or_replace(&schema, format!("{:#}\n", config::schema()).as_bytes())
        .and_then(|()| files::create(path, text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(name),
        _ => Error::Io(name, error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Coded as _;

    #[test]
    fn a_full_disk_is_named_in_the_help() {
        let failed = |kind: io::ErrorKind| Error::Io("newswire.toml".to_owned(), kind.into());
        let full = failed(io::ErrorKind::StorageFull);
        assert_eq!(full.code(), "file_unwritable");
        assert!(full.help().unwrap().contains("the disk is full"));
        let denied = failed(io::ErrorKind::PermissionDenied);
        assert!(denied.help().unwrap().contains("can write to"));
    }
}
