//! Appends `[[feed]]` blocks to a config, for `newswire import` and `newswire add`.
//!
//! The existing content stays unchanged, byte for byte. The result is checked before it replaces the file
//! atomically.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config_file::{self, NoConfig};
use crate::config::{self, Config, Diagnostic, Files, Loaded, PathChecks, Report, Severity, Style};
use crate::files;
use crate::model::Feed;

/// Where new `[[feed]]` blocks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Standard output; no file changes.
    Stdout,
    /// The end of the config.
    Config,
}

/// What a command prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandOutput {
    /// The result, for standard output.
    pub stdout: String,
    /// Notes, for standard error.
    pub stderr: String,
}

/// Why a config was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No config was found.
    #[error(transparent)]
    NoConfig(#[from] NoConfig),
    /// The config cannot be read.
    #[error("failed to read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// The config has errors.
    #[error("the config was not changed: it has errors\n\n{}", .0.draw(Style::Plain))]
    Invalid(Box<Report>),
    /// The config would have errors with the change. It has none, so that no place in it is named.
    #[error("the config was not changed: {}", reasons(.0))]
    Unfit(Box<Report>),
    /// The config would have errors with the blocks at its end.
    #[error("the config was not changed: the new feeds cannot be appended: {}", reasons(.0))]
    Unappendable(Box<Report>),
    /// Another program wrote to the config at the same time.
    #[error("{0} was not changed: another program wrote to it at the same time")]
    Changed(PathBuf),
    /// Another command of Newswire changes the config, and did not end in time.
    #[error("{0} was not changed: another command is changing it")]
    Locked(PathBuf),
    /// The config cannot be replaced.
    #[error("failed to replace {0}: {1}; the file is unchanged")]
    Replace(PathBuf, io::Error),
}

crate::model::codes! {
    Error:
    Self::Read(..) => "config_unreadable": "name a config with --config FILE, or create one with 'newswire init FILE'",
    Self::Invalid(_) => "config_has_errors": "correct the errors; 'newswire check' lists them",
    Self::Unfit(report) => "invalid_value": remedies(report),
    Self::Unappendable(report) => "config_has_errors": remedies(report),
    Self::Changed(_) | Self::Locked(_) => "config_changed": "repeat the command",
    Self::Replace(_, error) => "config_unwritable": files::remedy(error).unwrap_or(
        "run the command as a user who can write to the folder of the config; a file without write permission is not changed",
    ),
    ;
    Self::NoConfig(error) => error,
}

/// Time for which a command waits for another one that changes the same config.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The lock of a config, released on drop.
#[derive(Debug)]
#[must_use]
pub(super) struct ConfigLock {
    _folder: Option<File>,
}

/// Waits until no other command changes the config at `path`. The lock has to be held from before the config is read
/// until it is replaced, and not while the network is asked.
///
/// # Errors
/// When another command does not end in time.
pub(super) fn lock(path: &Path) -> Result<ConfigLock, Error> {
    // The folder and not the file, because the file is replaced: a lock of the old file does not exclude a command that
    // opens the new one. Of a symbolic link, the folder of its target, which is what is replaced.
    let file = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = files::folder(&file);
    let lock = files::lock_folder(folder, LOCK_WAIT);
    let lock = lock.map_err(|_| Error::Locked(path.to_owned()))?;
    if lock.is_some() {
        files::remove_replacements(folder);
        // A command for one of these files as its main file has the lock of their folder.
        let more = files::folder(path).join("conf.d");
        if let Ok(Some(_lock)) = files::lock_folder(&more, Duration::ZERO) {
            files::remove_replacements(&more);
        }
    }
    Ok(ConfigLock { _folder: lock })
}

/// The error for a config that has errors.
pub(super) fn invalid(mut report: Report) -> Error {
    report.diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    Error::Invalid(Box::new(report))
}

/// The error for a change that would lead to errors.
pub(super) fn unfit(mut report: Report) -> Error {
    report.diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    Error::Unfit(Box::new(report))
}

/// What is wrong, with the codes.
pub(super) fn reasons(report: &Report) -> String {
    let errors = report.diagnostics.iter();
    let reason = |error: &Diagnostic| match error.label.as_str() {
        "" => format!("{} ({})", error.message, error.code),
        label => format!("{}: {label} ({})", error.message, error.code),
    };
    errors.map(reason).collect::<Vec<_>>().join("; ")
}

/// What the operator can do.
pub(super) fn remedies(report: &Report) -> String {
    let helps = report.diagnostics.iter().filter_map(|error| error.help.clone());
    let helps: Vec<String> = helps.collect();
    match helps.is_empty() {
        true => "'newswire explain feed' lists the keys and what they take".to_owned(),
        false => helps.join("; "),
    }
}

/// Path and content of the config that the feeds are compared with or appended to.
///
/// # Errors
/// When feeds are to be appended and the config does not exist or has errors.
pub(super) fn config(
    given: Option<&Path>,
    destination: Destination,
) -> Result<Option<(PathBuf, Config)>, Error> {
    let path = match destination {
        Destination::Config => Some(config_file::find(given)?),
        Destination::Stdout => config_file::find_existing(given),
    };
    let Some(path) = path else { return Ok(None) };
    if destination == Destination::Config || given.is_some() {
        std::fs::metadata(&path).map_err(|error| Error::Read(path.clone(), error))?;
    }
    let Loaded { config, report, .. } = config::load(&path);
    match config {
        Some(config) => Ok(Some((path, config))),
        // Printing needs no config.
        None if destination == Destination::Stdout && given.is_none() => Ok(None),
        None => Err(invalid(report)),
    }
}

/// The feeds that `config` does not contain, and those that it contains.
pub(super) fn new_and_known(feeds: Vec<Feed>, config: Option<&Config>) -> (Vec<Feed>, Vec<Feed>) {
    let subscriptions = config.map_or(&[][..], |config| &config.subscriptions);
    let known: HashSet<&str> = subscriptions.iter().map(|s| address(&s.feed.url)).collect();
    feeds.into_iter().partition(|feed| !known.contains(address(&feed.url)))
}

/// The URL without its fragment, which is not sent.
pub(super) fn address(url: &url::Url) -> &str {
    &url[..url::Position::AfterQuery]
}

/// The blocks of these feeds, separated by empty lines.
pub(super) fn blocks(feeds: &[Feed]) -> String {
    feeds.iter().map(config::feed_block).collect::<Vec<_>>().join("\n")
}

/// Appends the blocks of those feeds to the config at `path` that it does not contain. Returns their number.
///
/// # Errors
/// See [`Error`]; the file is unchanged then.
pub(super) fn append(
    path: &Path,
    feeds: Vec<Feed>,
    block: impl Fn(&Feed) -> String,
) -> Result<usize, Error> {
    let _lock = lock(path)?;
    let files = Files::gather(path);
    // Another command may have added some of them since the config was read.
    let (feeds, _) = new_and_known(feeds, files.read(PathChecks::Existence).config.as_ref());
    if feeds.is_empty() {
        return Ok(0);
    }
    let blocks = feeds.iter().map(block).collect::<Vec<_>>().join("\n");
    // The target of a symbolic link, so that the link stays.
    let path = fs::canonicalize(path).map_err(|error| Error::Read(path.to_owned(), error))?;
    let read = || fs::read_to_string(&path).map_err(|error| Error::Read(path.clone(), error));
    let before = read()?;
    let after = joined(&before, &blocks);
    fits(files.with_main(after.clone()), &feeds).map_err(|error| match error {
        Error::Unfit(report) => Error::Unappendable(report),
        error => error,
    })?;
    if read()? != before {
        return Err(Error::Changed(path));
    }
    let replaced = files::replace(&path, after.as_bytes());
    replaced.map_err(|error| Error::Replace(path.clone(), error))?;
    Ok(feeds.len())
}

/// Checks that the files contain the feeds and have no errors.
fn fits(files: Files, feeds: &[Feed]) -> Result<(), Error> {
    let Loaded { config, report, .. } = files.read(PathChecks::Existence);
    let contains = |feed: &Feed| {
        let subscriptions = config.iter().flat_map(|config| &config.subscriptions);
        let same = |url| address(url) == address(&feed.url);
        subscriptions.into_iter().any(|subscription| same(&subscription.feed.url))
    };
    if feeds.iter().all(contains) { Ok(()) } else { Err(unfit(report)) }
}

/// Checks the config with `blocks` at its end, before anything is requested. Without a config, a new one is checked.
///
/// # Errors
/// When it would have errors.
pub(super) fn check(path: Option<&Path>, feed: &Feed, block: &str) -> Result<(), Error> {
    let files = match path {
        Some(path) => {
            let text = fs::read_to_string(path);
            let text = text.map_err(|error| Error::Read(path.to_owned(), error))?;
            Files::gather(path).with_main(joined(&text, block))
        }
        None => Files::one(
            joined(super::init::EXAMPLE, block),
            Path::new("newswire.toml"),
            Path::new(""),
        ),
    };
    fits(files, std::slice::from_ref(feed))
}

/// The text with the blocks at its end, in the line ends of the text.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_and_a_read_only_disk_are_named_in_the_help() {
        use crate::model::Coded as _;
        let failed = |kind: io::ErrorKind| Error::Replace("newswire.toml".into(), kind.into());
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(failed(kind).help().unwrap().contains("the disk is full"), "{kind:?}");
        }
        let help = |kind| failed(kind).help().unwrap();
        assert!(help(io::ErrorKind::ReadOnlyFilesystem).contains("mounted read-only"));
        assert!(help(io::ErrorKind::PermissionDenied).contains("a user who can write"));
    }

    #[test]
    fn a_feed_that_another_command_has_added_is_not_appended_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.toml");
        fs::write(&path, "version = 1\n").unwrap();
        let feed = |url: &str| Feed {
            id: None,
            url: url.parse().unwrap(),
            title: None,
            tags: Vec::new(),
            removal: crate::model::Removal::Hide,
        };
        let (one, two) = (feed("https://a.example/feed"), feed("https://b.example/feed"));
        let added = append(&path, vec![one.clone()], config::feed_block).unwrap();
        let more = append(&path, vec![one.clone(), two], config::feed_block).unwrap();
        let again = append(&path, vec![one], config::feed_block).unwrap();
        assert_eq!((added, more, again), (1, 1, 0));
        let expected = "version = 1\n\n[[feed]]\nurl = \"https://a.example/feed\"\n\n[[feed]]\nurl = \"https://b.example/feed\"\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn blocks_follow_an_empty_line_with_the_line_ends_of_the_file() {
        assert_eq!(joined("", "a\nb\n"), "a\nb\n");
        assert_eq!(joined("x", "a\n"), "x\n\na\n");
        assert_eq!(joined("x\n", "a\n"), "x\n\na\n");
        assert_eq!(joined("x\r\n", "a\nb\n"), "x\r\n\r\na\r\nb\r\n");
    }
}
