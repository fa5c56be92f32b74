//! The lists of `[[subscriptions]]`: their sections and their content. A list that cannot be read is replaced by its last
//! good copy. `daemon` and `newswire poll` write the copies.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::diagnostic::{Diagnostic, Report};
use super::named_file;
use super::resolve::Chain;
use super::section::Layer;
use crate::files::FileStamp;
use crate::model::Coded;
use crate::opml::{self, FeedList};
use crate::text::quoted::in_quotes;
use crate::text::sha256::{hex, sha256};

/// A list that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// A file on this machine.
    File {
        /// Path of the file.
        path: PathBuf,
        /// Path of the last good copy, an OPML file.
        copy: PathBuf,
        /// The file before it was read; `None`: it could not be examined.
        stamp: Option<FileStamp>,
        /// Why the copy was read instead; `None`: the file was read.
        broken: Option<BrokenList>,
    },
    /// A list on the web.
    Web {
        /// URL of the list.
        url: Url,
        /// Time between two requests.
        interval: Duration,
        /// Path of the last valid copy, an OPML file.
        copy: PathBuf,
        /// Whether the copy was read. Without it, the feeds of the list are not known.
        is_known: bool,
    },
}

/// Where a list is, and how often it is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSource<'a> {
    /// Path of a file on this machine.
    File(&'a Path),
    /// URL of a list on the web, and the time between two requests.
    Web(&'a Url, Duration),
}

impl Followed {
    /// What the config has about the list, without what was read.
    #[must_use]
    pub fn source(&self) -> ListSource<'_> {
        match self {
            Self::File { path, .. } => ListSource::File(path),
            Self::Web { url, interval, .. } => ListSource::Web(url, *interval),
        }
    }
}

/// Why a list in a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenList {
    /// Code of the failure.
    pub code: &'static str,
    /// Why, without the path: plain text without a full stop.
    pub text: String,
    /// What the operator can do, a fragment.
    help: String,
}

/// Reads a followed list in a file, which has to have feeds. Blocks.
///
/// # Errors
/// Why it cannot be used.
pub fn read_list_file(path: &Path) -> Result<FeedList, BrokenList> {
    opml::read_followed(&bytes(path)?).map_err(|error| unusable(&error))
}

/// The content of the file.
fn bytes(path: &Path) -> Result<Vec<u8>, BrokenList> {
    named_file::read(path, opml::MAX_BYTES as u64).map_err(|error| BrokenList {
        code: "list_unreadable",
        text: error.to_string(),
        help: "check the path and its permissions; a relative path starts in the state directory"
            .to_owned(),
    })
}

/// A file with a content that cannot be used.
fn unusable(error: &opml::Error) -> BrokenList {
    let help = error.help().unwrap_or_default().into_owned();
    BrokenList { code: error.code(), text: error.to_string(), help }
}

/// The list of a section with its feeds; `None` if it has an error.
pub(super) fn read(
    layer: &Layer,
    database: &Path,
    report: &mut Report,
) -> Option<(Followed, FeedList)> {
    if layer.is_uncertain("file") || layer.is_uncertain("url") {
        return None;
    }
    let values = Chain::of(layer);
    match (layer.sets("file"), layer.sets("url")) {
        (true, false) => {
            let path: PathBuf = values.get("file")?;
            // The same from each working directory.
            let place = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            let copy = copy_of(place.as_os_str().as_encoded_bytes(), database);
            file(layer, path, copy, report)
        }
        (false, true) => {
            let url = values.get::<Url>("url")?;
            let interval = values.get("interval").unwrap_or_default();
            let copy = copy_of(url.as_str().as_bytes(), database);
            let list = read_copy(&copy);
            let is_known = list.is_some();
            Some((Followed::Web { url, interval, copy, is_known }, list.unwrap_or_default()))
        }
        (both, _) => {
            let what = if both { "both file and url" } else { "neither file nor url" };
            let message = format!("[[subscriptions]] has {what}");
            let error = layer.error("missing_key", "url", message);
            report.push(error.help("write either file = \"feeds.opml\" or url = \"https://…\""));
            None
        }
    }
}

/// Path of the copy of a list with this path or URL.
fn copy_of(place: &[u8], database: &Path) -> PathBuf {
    let folder = database.parent().unwrap_or(Path::new("")).join("lists");
    folder.join(format!("{}.opml", hex(&sha256(place)[..8])))
}

/// The list in a copy; `None`: the copy is missing or damaged.
fn read_copy(copy: &Path) -> Option<FeedList> {
    std::fs::read(copy).ok().and_then(|bytes| opml::read_followed(&bytes).ok())
}

/// The list in a file, or in its copy while the file cannot be used. A file without feeds counts only if there is no copy:
/// it may have been cut.
fn file(
    layer: &Layer,
    path: PathBuf,
    copy: PathBuf,
    report: &mut Report,
) -> Option<(Followed, FeedList)> {
    let span = layer.span("file");
    // Taken first: a change during the read counts as another change.
    let stamp = FileStamp::of(&path);
    let read = bytes(&path).and_then(|list| opml::read(&list).map_err(|error| unusable(&error)));
    let is_good = read.as_ref().is_ok_and(|list| !list.feeds.is_empty());
    let kept = if is_good { None } else { read_copy(&copy) };
    let why = match &read {
        Ok(_) => unusable(&opml::Error::WithoutFeeds),
        Err(why) => why.clone(),
    };
    let shown = path.display().to_string();
    let message = |why: &BrokenList| format!("cannot read {shown}: {}", why.text);
    let (list, broken) = match (read, kept) {
        (_, Some(kept)) => {
            let message = format!("{}; its copy{} is used", message(&why), time_of(&copy));
            report.push(Diagnostic::warning("bad_list", span, message).help(why.help.clone()));
            (kept, Some(why))
        }
        (Ok(list), None) => {
            if !is_good {
                let message = format!("{shown} contains no feed that can be polled");
                let warning = Diagnostic::warning("bad_list", span, message);
                report.push(warning.help("add feeds to it, or remove the section"));
            }
            left_out(layer, &shown, &list, report);
            (list, None)
        }
        (Err(why), None) => {
            report.push(Diagnostic::error("bad_list", span, message(&why)).help(why.help));
            return None;
        }
    };
    Some((Followed::File { path, copy, stamp, broken }, list))
}

/// The time of a copy for a message; empty if it is not known.
fn time_of(copy: &Path) -> String {
    let modified = std::fs::metadata(copy).and_then(|meta| meta.modified()).ok();
    let at = modified.and_then(|at| Timestamp::try_from(at).ok());
    at.map_or_else(String::new, |at| at.strftime(" of %Y-%m-%d %H:%M UTC").to_string())
}

/// Reports entries and settings of a list that are left out.
fn left_out(layer: &Layer, shown: &str, list: &FeedList, report: &mut Report) {
    for (code, verb, what, left_out) in [
        ("list_entry_skipped", "skipped", "entries", &list.skipped),
        ("ignored_setting", "ignored", "settings", &list.ignored),
    ] {
        let Some(first) = left_out.first() else { continue };
        let (line, name, why) = (first.line, &first.name, &first.reason);
        let message = format!("{shown}:{line}: {verb} {name}: {why}", name = in_quotes(name));
        let help = format!("{verb} {what}: {}; 'newswire import' lists them", left_out.len());
        report.push(Diagnostic::warning(code, layer.span("file"), message).help(help));
    }
}
