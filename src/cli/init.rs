//! `newswire init`: a commented config to start from.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
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
    Self::Io(..) => "file_unwritable": "choose a folder that this user can write to",
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

/// Writes the example to `path`, and its schema beside it.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub fn run(path: &Path) -> Result<(), Error> {
    create(path, EXAMPLE)
}

/// Writes a config to `path`, and the schema beside it.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub(super) fn create(path: &Path, text: &str) -> Result<(), Error> {
    let name = path.display().to_string();
    let schema = path.with_file_name(SCHEMA);
    let is_schema = |head: &[u8]| String::from_utf8_lossy(head).contains("\"$schema\"");
    files::check_target(&schema, "a schema of Newswire", is_schema)?;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::write(schema, format!("{:#}\n", config::schema()))
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(name),
        _ => Error::Io(name, error),
    })
}
