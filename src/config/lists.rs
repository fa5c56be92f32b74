//! `[[subscriptions]]`: lists of feeds that are followed as if their feeds stood in the config.
//!
//! A file is read here and now; of an address, the copy that was kept last. Leaves asking for a new
//! one to the daemon.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use url::Url;

use super::key;
use super::named_file;
use super::report::{Diagnostic, Report};
use super::section::Section;
use super::servers::Servers;
use super::table::{Defaults, texts};
use super::value;
use crate::model::{Feed, Removal};
use crate::opml::{self, FeedList, ListedFeed};
use crate::poll::Subscription;

/// Between two requests for a list, unless the config says otherwise.
const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// Nobody is asked for a list more often.
const SHORTEST: Duration = Duration::from_secs(15 * 60);

/// A list that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// A file on this machine.
    File(PathBuf),
    /// A list on the web.
    Web {
        /// Its address.
        url: Url,
        /// Between two requests.
        interval: Duration,
        /// Where the last good copy of it lies, as OPML.
        copy: PathBuf,
    },
}

/// Every list that is followed; its feeds are added to `subscriptions`. A feed that is there already
/// keeps its settings, and has the tags of the list too.
pub(super) fn subscribe(
    sections: &[Section<'_>],
    (defaults, servers): (&Defaults, &Servers),
    database: &Path,
    subscriptions: &mut Vec<Subscription>,
    report: &mut Report,
) -> Vec<Followed> {
    let mut places: HashMap<Url, usize> =
        subscriptions.iter().enumerate().map(|(n, s)| (s.feed.url.clone(), n)).collect();
    // Positions of the feeds that are in no [[feed]].
    let mut listed = HashSet::new();
    let mut followed = Vec::new();
    for section in sections {
        section.refuse_unknown(&key::names("subscriptions"), report);
        let tags = texts(section.list("tags", report));
        let removals = [("keep", Removal::Keep), ("hide", Removal::Hide)];
        let removal = section.one_of("removed", &removals, report).unwrap_or(Removal::Keep);
        let Some(place) = place(section, database, report) else { continue };
        let list = match &place {
            Followed::File(path) => file(section, path, report),
            // What cannot be read of a copy is asked for anew.
            Followed::Web { copy, .. } => {
                std::fs::read(copy).ok().and_then(|bytes| opml::read(&bytes).ok())
            }
        };
        for ListedFeed { url, title, tags: own, .. } in list.unwrap_or_default().feeds {
            let n = *places.entry(url.clone()).or_insert(subscriptions.len());
            if n == subscriptions.len() {
                listed.insert(n);
                let schedule = servers.of(&url).unwrap_or(&defaults.schedule).clone();
                subscriptions.push(Subscription {
                    feed: Feed { id: None, url, title, tags: Vec::new(), removal },
                    schedule,
                    fetch: defaults.fetch.clone(),
                    dedupe: defaults.dedupe.clone(),
                    max_items: defaults.max_items,
                });
            }
            let feed = &mut subscriptions[n].feed;
            if removal == Removal::Keep && listed.contains(&n) {
                feed.removal = removal;
            }
            for tag in own.into_iter().chain(tags.iter().cloned()) {
                if !feed.tags.contains(&tag) {
                    feed.tags.push(tag);
                }
            }
        }
        followed.push(place);
    }
    followed
}

/// Where a list is; `None` where that is not said, or said twice.
fn place(section: &Section<'_>, database: &Path, report: &mut Report) -> Option<Followed> {
    let interval = section.parsed("interval", "bad_duration", value::duration, report);
    if interval.is_some_and(|interval| interval < SHORTEST) {
        let message = "interval is shorter than 15 minutes: a list of feeds changes seldom";
        let fault = Diagnostic::error("too_often", section.span("interval"), message);
        report.push(fault.help("leave it out: a list is asked for once a day"));
    }
    match (section.has("file"), section.has("url")) {
        (true, false) => section.path("file", report).map(Followed::File),
        (false, true) => {
            let url = section.parsed("url", "bad_url", value::web_url, report)?;
            let name = Sha256::digest(url.as_str());
            let name: String = name.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            let folder = database.parent().unwrap_or(Path::new("")).join("lists");
            let copy = folder.join(format!("{name}.opml"));
            Some(Followed::Web { url, interval: interval.unwrap_or(INTERVAL), copy })
        }
        (both, _) => {
            let message =
                if both { "a list with file and url" } else { "a list without file or url" };
            let fault = Diagnostic::error("missing_key", section.span("url"), message);
            report.push(fault.help("write file = \"feeds.opml\", or url = \"https://…\""));
            None
        }
    }
}

/// The list in a file; what of it cannot be taken is told.
fn file(section: &Section<'_>, path: &Path, report: &mut Report) -> Option<FeedList> {
    let (span, shown) = (section.span("file"), path.display());
    let read = named_file::read(path, opml::MAX_BYTES as u64).map_err(|error| error.to_string());
    let list = match read.and_then(|bytes| opml::read(&bytes).map_err(|error| error.to_string())) {
        Ok(list) => list,
        Err(why) => {
            let fault = Diagnostic::error("bad_list", span, format!("{shown}: {why}"));
            report.push(fault.help("name a list of feeds: OPML, a urls file, or a planet's ini"));
            return None;
        }
    };
    if let Some(first) = list.skipped.first() {
        let (count, line, why) = (list.skipped.len(), first.line, &first.reason);
        let message = format!("{shown}:{line}: {:?} is left out: {why}", first.name);
        let fault = Diagnostic::warning("left_out", span, message);
        report.push(fault.help(format!("left out in all: {count}; 'newswire import' names them")));
    }
    if let Some(first) = list.ignored.first() {
        let (count, line, why) = (list.ignored.len(), first.line, &first.reason);
        let message = format!("{shown}:{line}: {:?} is ignored: {why}", first.name);
        let fault = Diagnostic::warning("ignored_setting", section.span("file"), message);
        report.push(fault.help(format!("ignored in all: {count}; 'newswire import' names them")));
    }
    Some(list)
}
