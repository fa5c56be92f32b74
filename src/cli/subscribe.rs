//! Puts `[[feed]]` blocks at the end of a config, for `newswire import` and `newswire add`.
//!
//! What stands in the file stays, byte for byte. The result is read before it takes the place of the
//! old one, in one step.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::place::{self, NoConfig};
use crate::config::{self, Config, Files, Loaded, Look, Report, Severity, Style};
use crate::model::Feed;

/// Where the blocks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// Standard output.
    Output,
    /// The end of the config.
    Config,
}

/// What a command has to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// What was asked for, for standard output.
    pub answer: String,
    /// What else there is to know, for standard error.
    pub aside: String,
}

/// Why a config was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error(transparent)]
    None(#[from] NoConfig),
    /// It cannot be read.
    #[error(
        "failed to read {0}: {1}: name a config with --config FILE, or make one with 'newswire init'"
    )]
    Read(PathBuf, io::Error),
    /// It has errors, before or because of the blocks.
    #[error("the config was left as it is: {why}\n\n{}", .report.draw(Style::Plain))]
    Config {
        /// The errors.
        report: Box<Report>,
        /// Since when.
        why: &'static str,
    },
    /// Somebody else wrote to it in between.
    #[error("{0} was left as it is: somebody changed it just now: try once more")]
    Changed(PathBuf),
    /// It cannot be replaced.
    #[error("failed to replace {0}, which was left as it is: {1}: its folder must allow it")]
    Replace(PathBuf, io::Error),
}

/// The config that blocks are held against or put into: its place, and what stands in it.
///
/// # Errors
/// When blocks are to go into it, and it is not there or has errors.
pub(super) fn config(given: Option<&Path>, to: To) -> Result<Option<(PathBuf, Config)>, Error> {
    let path = match to {
        To::Config => Some(place::find(given)?),
        To::Output => place::find_quietly(given),
    };
    let Some(path) = path else { return Ok(None) };
    if to == To::Config || given.is_some() {
        std::fs::metadata(&path).map_err(|error| Error::Read(path.clone(), error))?;
    }
    let Loaded { config, report, .. } = config::load(&path);
    match config {
        Some(config) => Ok(Some((path, config))),
        // What is only printed needs no config.
        None if to == To::Output && given.is_none() => Ok(None),
        None => {
            Err(Error::Config { report: Box::new(report), why: "it has errors: mend them first" })
        }
    }
}

/// The feeds that `config` does not have, and the others.
pub(super) fn parted(feeds: Vec<Feed>, config: Option<&Config>) -> (Vec<Feed>, Vec<Feed>) {
    let subscriptions = config.map_or(&[][..], |config| &config.subscriptions);
    let known: HashSet<&str> = subscriptions.iter().map(|s| s.feed.url.as_str()).collect();
    feeds.into_iter().partition(|feed| !known.contains(feed.url.as_str()))
}

/// The blocks of these feeds, an empty line between two.
pub(super) fn blocks(feeds: &[Feed]) -> String {
    feeds.iter().map(config::feed_block).collect::<Vec<_>>().join("\n")
}

/// Appends the blocks of `feeds` to the config at `path`.
///
/// # Errors
/// See [`Error`]; then the file is as it was.
pub(super) fn append(path: &Path, feeds: &[Feed]) -> Result<(), Error> {
    let files = Files::gather(path);
    // Where a link leads, so that it stays a link.
    let path = fs::canonicalize(path).map_err(|error| Error::Read(path.to_owned(), error))?;
    let read = || fs::read_to_string(&path).map_err(|error| Error::Read(path.clone(), error));
    let before = read()?;
    let after = joined(&before, &blocks(feeds));
    let Loaded { config, mut report, .. } = files.with_main(after.clone()).read(Look::Quick);
    let has = |feed: &Feed| {
        let subscriptions = config.iter().flat_map(|config| &config.subscriptions);
        subscriptions.into_iter().any(|subscription| subscription.feed.url == feed.url)
    };
    if !feeds.iter().all(has) {
        report.diagnostics.retain(|fault| fault.severity == Severity::Error);
        let why = "with the new feeds it would have errors";
        return Err(Error::Config { report: Box::new(report), why });
    }
    if read()? != before {
        return Err(Error::Changed(path));
    }
    replace(&path, after.as_bytes()).map_err(|error| Error::Replace(path.clone(), error))
}

/// The blocks behind the text, with its own line ends.
fn joined(text: &str, blocks: &str) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut joined = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        joined.push_str(end);
    }
    if !text.is_empty() {
        joined.push_str(end);
    }
    joined.push_str(&blocks.replace('\n', end));
    joined
}

/// One step, so that nobody reads half a config; mode and owner stay.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let old = fs::metadata(path)?;
    let mut file = tempfile::Builder::new().prefix(".newswire.toml.").tempfile_in(folder)?;
    file.write_all(bytes)?;
    // Only root may give a file away; who may not owns it already, or its group can read it.
    let _ = chown(file.path(), Some(old.uid()), Some(old.gid()));
    file.as_file().set_permissions(old.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself lies in the folder.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_behind_an_empty_line_with_the_line_ends_of_the_file() {
        assert_eq!(joined("", "a\nb\n"), "a\nb\n");
        assert_eq!(joined("x", "a\n"), "x\n\na\n");
        assert_eq!(joined("x\n", "a\n"), "x\n\na\n");
        assert_eq!(joined("x\r\n", "a\nb\n"), "x\r\n\r\na\r\nb\r\n");
    }
}
