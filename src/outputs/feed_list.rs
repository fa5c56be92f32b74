//! The list of the feeds behind the outputs, as OPML: that of the web server, and a file in each directory.
//!
//! A file of the same name that Newswire did not write is the operator's, and stays. The first lines of its own
//! list name it, with a digest of the rest, so that damage is found without the database.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::Error;
use super::files::write_atomically;
use crate::files;
use crate::model::FeedInfo;
use crate::opml;
use crate::render::{Output, Selector};
use crate::store::{self, Transaction};
use crate::text::sha256::{hex, sha256};

/// Name of the list, on the web server and in the directory of an output.
pub const FEED_LIST: &str = "subscriptions.opml";
/// Beginning of the line by which Newswire knows its list. A digest of the other lines follows.
const MARK: &str =
    "<!-- Newswire writes this list and replaces changes. SHA-256 without this line: ";
/// Longest list that is looked at, in bytes.
const MAX_LIST: u64 = 1 << 30;
/// End of this line.
const MARK_END: &str = " -->\n";

/// What is at the path of the list in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A list of Newswire as it was written.
    Own,
    /// A list of Newswire that was changed since.
    Changed,
    /// Something of the operator.
    Foreign,
}

/// Every feed that one of these outputs takes and that is not private; outputs with a token do not count. `None`: every
/// output has a token.
///
/// # Errors
/// When the store fails.
pub(super) fn of(
    reader: &Transaction<'_>,
    outputs: &[&Output],
) -> Result<Option<String>, store::Error> {
    let open: Vec<&&Output> = outputs.iter().filter(|output| output.token.is_none()).collect();
    let title = match open.as_slice() {
        [] => return Ok(None),
        [one] => one.title.clone(),
        _ => "Newswire".to_owned(),
    };
    let taken = |feed: &FeedInfo| {
        let takes = |output: &&&Output| {
            !output.private_feeds.contains(&feed.key)
                && Selector::new(output, Timestamp::MIN).takes_feed(&feed.id, &feed.tags)
        };
        open.iter().any(takes)
    };
    let feeds = reader.feeds()?;
    let entries: Vec<opml::ListedFeed> =
        feeds.iter().filter(|feed| taken(feed)).filter_map(opml::ListedFeed::from_info).collect();
    Ok(Some(opml::write(&opml::OpmlHead { title, created: None }, &entries)))
}

/// The list of one directory.
#[derive(Debug)]
pub(super) struct DirectoryList {
    directory: PathBuf,
    /// `None`: all outputs in the directory have a token.
    list: Option<String>,
}

/// The lists of the directories of these outputs. Each has the feeds of the outputs in its directory.
///
/// # Errors
/// When the store fails.
pub(super) fn of_directories(
    reader: &Transaction<'_>,
    outputs: &[&Output],
) -> Result<Vec<DirectoryList>, store::Error> {
    // Several paths may lead to one directory.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let placed = outputs.iter().filter_map(|output| Some((output.directory.as_ref()?, *output)));
    let mut groups: Vec<(PathBuf, &PathBuf, Vec<&Output>)> = Vec::new();
    for (directory, output) in placed {
        let place = real(directory);
        match groups.iter_mut().find(|(known, ..)| *known == place) {
            Some((.., group)) => group.push(output),
            None => groups.push((place, directory, vec![output])),
        }
    }
    let list = |(_, directory, group): (PathBuf, &PathBuf, Vec<&Output>)| {
        Ok(DirectoryList { directory: directory.clone(), list: of(reader, &group)? })
    };
    groups.into_iter().map(list).collect()
}

/// Writes the lists into their directories, and removes those that were written before an output got a token.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(lists: &[DirectoryList]) -> Result<(), Error> {
    for DirectoryList { directory, list } in lists {
        let path = directory.join(FEED_LIST);
        let put = |found| match (found, list) {
            (Found::Foreign, _) | (Found::Nothing, None) => Ok(()),
            (_, Some(list)) => {
                write_atomically(directory, FEED_LIST, marked(list).as_bytes()).map(drop)
            }
            (_, None) => std::fs::remove_file(&path),
        };
        let done = found(directory).and_then(put);
        done.map_err(|source| Error::Write { path, source })?;
    }
    Ok(())
}

/// Whether a directory has a file at the path of the list that Newswire did not write, and never replaces.
#[must_use]
pub fn has_foreign_list(directory: &Path) -> bool {
    // In a directory that cannot be read the list is not seen.
    found(directory).is_ok_and(|found| found == Found::Foreign)
}

/// How the list in a directory differs from what was written; `None`: it does not, or Newswire did not write it.
pub(super) fn difference(directory: &Path) -> Option<String> {
    let path = directory.join(FEED_LIST);
    let path = path.display();
    match found(directory) {
        Ok(Found::Nothing) => Some(format!("{path} does not exist")),
        Ok(Found::Changed) => Some(format!("{path} is not what was published last")),
        Ok(Found::Own | Found::Foreign) => None,
        Err(error) => Some(format!("{path} cannot be read: {error}")),
    }
}

fn found(directory: &Path) -> io::Result<Found> {
    let path = directory.join(FEED_LIST);
    match path.symlink_metadata() {
        Ok(meta) if meta.is_file() => {}
        // What is not a file was not written by Newswire.
        Ok(_) => return Ok(Found::Foreign),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    }
    let file = match files::open_regular(&path) {
        // What Newswire may not read, it did not write.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Found::Foreign),
        file => file?,
    };
    let bytes = files::read_bounded(file, MAX_LIST)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let Some((before, marked)) = text.split_once(MARK) else { return Ok(Found::Foreign) };
    let rest = marked.split_once(MARK_END);
    Ok(match rest.is_some_and(|(digest, after)| digest_of(before, after) == digest) {
        true => Found::Own,
        false => Found::Changed,
    })
}

/// The list with the line by which it is known, below its first line.
fn marked(list: &str) -> String {
    let start = list.find('\n').map_or(0, |end| end + 1);
    let (before, after) = list.split_at(start);
    format!("{before}{MARK}{}{MARK_END}{after}", digest_of(before, after))
}

fn digest_of(before: &str, after: &str) -> String {
    hex(&sha256(format!("{before}{after}")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LIST: &str = "<?xml version=\"1.0\"?>\n<opml version=\"2.0\"><body/></opml>\n";

    fn put(directory: &Path, list: Option<&str>) {
        let (directory, list) = (directory.to_owned(), list.map(str::to_owned));
        write(&[DirectoryList { directory, list }]).unwrap();
    }

    #[test]
    fn a_list_of_the_operator_is_never_replaced_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FEED_LIST);
        for own in [LIST, "", "\u{0}", "no list"] {
            fs::write(&path, own).unwrap();
            for list in [Some(LIST), None] {
                put(folder.path(), list);
                assert_eq!(fs::read_to_string(&path).unwrap(), own);
            }
            assert!(has_foreign_list(folder.path()));
            assert_eq!(difference(folder.path()), None);
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        put(folder.path(), Some(LIST));
        assert!(path.is_symlink() && has_foreign_list(folder.path()));
    }

    #[test]
    fn the_list_of_newswire_is_written_again_after_damage_and_removed_with_a_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FEED_LIST);
        let read = || fs::read_to_string(&path).unwrap();
        assert!(difference(folder.path()).unwrap().ends_with("does not exist"));
        put(folder.path(), Some(LIST));
        let written = read();
        assert_eq!(written.lines().count(), LIST.lines().count() + 1);
        assert!(written.starts_with("<?xml") && !has_foreign_list(folder.path()));
        assert!(opml::read(written.as_bytes()).is_ok());
        assert_eq!(difference(folder.path()), None);
        fs::write(&path, written.replace("body", "dody")).unwrap();
        assert!(difference(folder.path()).unwrap().ends_with("is not what was published last"));
        put(folder.path(), Some(LIST));
        assert_eq!(read(), written);
        put(folder.path(), None);
        assert!(!path.exists());
    }
}
