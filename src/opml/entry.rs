//! What a list of feeds comes to: the feeds, each once, and what was left out and why.

use std::collections::HashMap;

use url::Url;

use super::text::{hidden, line};
use crate::model::FeedInfo;

/// The largest list, in bytes.
pub const MAX_BYTES: usize = 10 << 20;
/// Outlines are nested no deeper.
pub const MAX_DEPTH: usize = 32;
/// No list has more outlines, or lines with a feed.
pub const MAX_OUTLINES: usize = 20_000;
/// No feed has more tags.
const MAX_TAGS: usize = 64;
/// The longest title, in characters,
const MAX_TITLE: usize = 300;
/// the longest tag,
const MAX_TAG: usize = 100;
/// and the longest address, in bytes.
const MAX_URL: usize = 4096;

/// A feed of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its address; http or https, no userinfo.
    pub url: Url,
    /// What the list calls it; one line.
    pub title: Option<String>,
    /// The page that it belongs to; http or https.
    pub page: Option<Url>,
    /// Its categories, and the folders that it lies in from the outermost on.
    pub tags: Vec<String>,
}

impl Entry {
    /// A feed as the database knows it; `None` where its address is none.
    #[must_use]
    pub fn of(feed: &FeedInfo) -> Option<Self> {
        let page = feed.profile.site_url.as_deref();
        Some(Self {
            url: Url::parse(&feed.url).ok()?,
            title: Some(feed.title.clone()),
            page: page.and_then(|page| web_url(page).ok()),
            tags: feed.tags.clone(),
        })
    }
}

/// What a list has that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// From 1.
    pub line: usize,
    /// As it is called there; never with a password.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// A list of feeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// Every feed once, in the order of the list.
    pub entries: Vec<Entry>,
    /// In the order of the list.
    pub left_out: Vec<LeftOut>,
}

/// What a form of list says of one feed.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) line: usize,
    pub(super) url: &'a str,
    pub(super) title: Option<&'a str>,
    pub(super) page: Option<&'a str>,
    pub(super) tags: Vec<&'a str>,
}

/// A list being read.
#[derive(Debug, Default)]
pub(super) struct Gather {
    list: List,
    /// Where a feed stands, by its address.
    places: HashMap<Url, usize>,
}

impl Gather {
    /// Takes a feed in, or tells why not. One that is there already gets the new tags.
    pub(super) fn take(&mut self, said: Said<'_>) {
        let url = match web_url(said.url) {
            Ok(url) => url,
            Err(why) => {
                let named = said.title.filter(|title| !title.trim().is_empty());
                self.leave(said.line, named.unwrap_or(said.url), why);
                return;
            }
        };
        let place = *self.places.entry(url.clone()).or_insert(self.list.entries.len());
        if place == self.list.entries.len() {
            self.list.entries.push(Entry { url, title: None, page: None, tags: Vec::new() });
        }
        let entry = &mut self.list.entries[place];
        // Some programs, ours among them, write the address or the host where they know no title.
        let host = entry.url.host_str();
        let title = said
            .title
            .map(str::trim)
            .filter(|title| *title != said.url.trim() && Some(*title) != host);
        entry.title = entry.title.take().or_else(|| line(title?, MAX_TITLE));
        entry.page = entry.page.take().or_else(|| web_url(said.page?).ok());
        for tag in said.tags.iter().filter_map(|tag| line(tag, MAX_TAG)) {
            if entry.tags.len() < MAX_TAGS && !entry.tags.contains(&tag) {
                entry.tags.push(tag);
            }
        }
    }

    /// Tells of what is not taken.
    pub(super) fn leave(&mut self, line: usize, what: &str, why: impl Into<String>) {
        let what = self::line(&hidden(what), 120).unwrap_or_else(|| "an entry".to_owned());
        self.list.left_out.push(LeftOut { line, what, why: why.into() });
    }

    /// The list.
    pub(super) fn finish(self) -> List {
        self.list
    }
}

/// An address that can be asked, by the rules that the config has too.
fn web_url(text: &str) -> Result<Url, &'static str> {
    let text = text.trim();
    if text.len() > MAX_URL {
        return Err("its address is longer than 4 KiB");
    }
    // What browsers once handed to feed readers: feed://host/path, feed:https://host/path.
    let begins =
        |scheme: &str| text.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    let parsed = match text.get(5..).filter(|_| begins("feed:")) {
        Some(rest) if rest.starts_with("//") => Url::parse(&format!("http:{rest}")),
        Some(rest) => Url::parse(rest),
        None => Url::parse(text),
    };
    let Ok(url) = parsed else { return Err("its address is no absolute URL") };
    if !matches!(url.scheme(), "http" | "https") {
        return Err("newswire asks http and https alone");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "user and password stand in its address: add it by hand, with authorization in its [[feed]]",
        );
    }
    Ok(url)
}
