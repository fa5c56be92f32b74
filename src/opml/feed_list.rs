//! The content of a list of feeds: each feed once, the skipped entries and the ignored settings with reasons.

use std::borrow::Cow;
use std::collections::HashMap;

use url::{Host, Url};

use super::text::{hidden, line};
use crate::model::{FeedInfo, has_login};
use crate::text::chars;

/// The largest list, in bytes.
pub const MAX_BYTES: usize = 10 << 20;
/// Largest depth of nested outlines.
pub const MAX_DEPTH: usize = 32;
/// Largest number of outlines, lines with a feed, or sections.
pub const MAX_OUTLINES: usize = 20_000;
/// Largest number of tags of a feed.
const MAX_TAGS: usize = 64;
/// Longest title, in characters.
const MAX_TITLE: usize = 300;
/// Longest tag, in characters.
const MAX_TAG: usize = 100;
/// Longest URL, in bytes.
const MAX_URL: usize = 4096;

/// A feed of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFeed {
    /// Its URL: http or https, without user name and password.
    pub url: Url,
    /// Its title in the list, a single line.
    pub title: Option<String>,
    /// URL of its site, http or https.
    pub page: Option<Url>,
    /// Its categories, then the folders that contain it from the outermost to the innermost.
    pub tags: Vec<String>,
}

impl ListedFeed {
    /// A feed from the database; `None` when its URL is not http or https: subscribers must not learn the path of a file.
    #[must_use]
    pub fn from_info(feed: &FeedInfo) -> Option<Self> {
        let page = feed.profile.site_url.as_deref();
        Some(Self {
            url: web_url(&feed.url).ok()?,
            title: Some(feed.title.clone()),
            page: page.and_then(|page| web_url(page).ok()),
            tags: feed.tags.clone(),
        })
    }
}

/// An entry or a setting of a list that is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Line number from 1.
    pub line: usize,
    /// Its name in the list, without passwords.
    pub name: String,
    /// Why it is skipped, and what the operator can do.
    pub reason: String,
}

/// A list of feeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedList {
    /// Each feed once, in the order of the list.
    pub feeds: Vec<ListedFeed>,
    /// Entries that are not feeds that Newswire can poll, in the order of the list.
    pub skipped: Vec<SkippedEntry>,
    /// Entries with the URL of an earlier one, which got their tags, in the order of the list.
    pub repeated: Vec<SkippedEntry>,
    /// Settings that have no counterpart in Newswire, such as filters, in the order of the list.
    pub ignored: Vec<SkippedEntry>,
}

/// One feed as it is written in a list, before checks.
#[derive(Debug, Default)]
pub(super) struct RawFeed<'a> {
    pub(super) line: usize,
    pub(super) url: &'a str,
    pub(super) title: Option<&'a str>,
    pub(super) page: Option<&'a str>,
    pub(super) tags: Vec<&'a str>,
}

/// Collects the content of a list.
#[derive(Debug, Default)]
pub(super) struct ListBuilder {
    list: FeedList,
    /// Index in `list.feeds` by URL.
    index: HashMap<Url, usize>,
}

impl ListBuilder {
    /// Adds a feed, or skips it with the reason. A feed that is in the list already gets the new tags.
    pub(super) fn add(&mut self, raw: RawFeed<'_>) {
        let url = match web_url(raw.url) {
            Ok(url) => url,
            Err(reason) => {
                let title = raw.title.filter(|title| !title.trim().is_empty());
                self.skip(raw.line, title.unwrap_or(raw.url), reason);
                return;
            }
        };
        let index = *self.index.entry(url.clone()).or_insert(self.list.feeds.len());
        if index == self.list.feeds.len() {
            self.list.feeds.push(ListedFeed { url, title: None, page: None, tags: Vec::new() });
        } else {
            let name = raw.title.filter(|title| !title.trim().is_empty()).unwrap_or(raw.url);
            let reason = "its URL is that of an earlier entry, which got its tags".to_owned();
            self.list.repeated.push(skipped(raw.line, name, reason));
        }
        let feed = &mut self.list.feeds[index];
        // Some programs, Newswire included, write the URL or the host for a missing title.
        let host = feed.url.host_str();
        let title = raw
            .title
            .map(str::trim)
            .filter(|title| *title != raw.url.trim() && Some(*title) != host);
        feed.title = feed.title.take().or_else(|| line(title?, MAX_TITLE));
        feed.page = feed.page.take().or_else(|| web_url(raw.page?).ok());
        for tag in raw.tags.iter().filter_map(|tag| line(tag, MAX_TAG)) {
            if feed.tags.len() < MAX_TAGS && !feed.tags.contains(&tag) {
                feed.tags.push(tag);
            }
        }
    }

    /// Records an entry that is not imported.
    pub(super) fn skip(&mut self, line: usize, name: &str, reason: impl Into<String>) {
        self.list.skipped.push(skipped(line, name, reason.into()));
    }

    /// Records a setting that has no counterpart.
    pub(super) fn ignore(&mut self, line: usize, name: &str, reason: impl Into<String>) {
        self.list.ignored.push(skipped(line, name, reason.into()));
    }

    /// The list, with everything that was recorded.
    pub(super) fn build(self) -> FeedList {
        self.list
    }
}

fn skipped(line: usize, name: &str, reason: String) -> SkippedEntry {
    let name = self::line(&hidden(name), 120).unwrap_or_else(|| "an entry".to_owned());
    SkippedEntry { line, name, reason }
}

/// The URL in the forms that browsers used to pass to feed readers: `feed://host/path` and `feed:host/path` mean http,
/// `feed:https://host/path` and `feed://https://host/path` have their scheme. Other texts are unchanged.
#[must_use]
pub fn without_feed_scheme(text: &str) -> Cow<'_, str> {
    let scheme = text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("feed:"));
    let Some(rest) = scheme.map(|scheme| &text[scheme.len()..]) else { return text.into() };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let has_scheme = rest.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme));
    if has_scheme || rest.is_empty() { rest.into() } else { format!("http://{rest}").into() }
}

/// Parses a URL by the rules that the config has too.
fn web_url(text: &str) -> Result<Url, &'static str> {
    let text = text.trim();
    if text.len() > MAX_URL {
        return Err("its URL is longer than 4 KiB");
    }
    let parsed = Url::parse(&without_feed_scheme(text));
    let Ok(url) = parsed else { return Err("its URL is not absolute") };
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its URL is neither http nor https");
    }
    if matches!(url.host(), Some(Host::Domain(name)) if !chars::is_host_name(name)) {
        return Err("its URL has no valid host name");
    }
    if has_login(&url) {
        return Err(
            "its URL contains a user name or a password; add it by hand and set authorization in its [[feed]]",
        );
    }
    Ok(url)
}
