//! The content of a list of feeds, the same for all formats: each feed once, the skipped entries and the ignored settings
//! with reasons, or why the list cannot be read as a whole. Also the text of all formats: bytes are decoded, references
//! resolved, and texts reduced to single lines.

use std::borrow::Cow;
use std::collections::HashMap;

use encoding_rs::{Encoding, UTF_8};
use url::{Host, ParseError, Url};

use crate::model::{FeedInfo, has_login};
use crate::text::html::{reference_number, resolve_references};
use crate::text::{bidi, chars, file_kind};

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
                match raw.title.filter(|title| !title.trim().is_empty()) {
                    Some(title) => {
                        let url = line(&without_login(raw.url), 120).unwrap_or_default();
                        self.skip(raw.line, title, format!("{reason}: {url}"));
                    }
                    None => self.skip(raw.line, &without_login(raw.url), reason),
                }
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
        for tag in raw.tags.iter().filter_map(|tag| line(&chars::as_seen(tag), MAX_TAG)) {
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
    match begins_with_scheme(rest) || rest.is_empty() {
        true => rest.into(),
        false => format!("http://{rest}").into(),
    }
}

/// Whether a text begins with a scheme and `://`. A path or a query may have one later.
#[must_use]
pub fn begins_with_scheme(text: &str) -> bool {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// Parses a URL by the rules that the config has too.
fn web_url(text: &str) -> Result<Url, Cow<'static, str>> {
    let text = text.trim();
    if text.len() > MAX_URL {
        return Err("its URL is longer than 4 KiB".into());
    }
    let parsed = Url::parse(&without_feed_scheme(text));
    let url = parsed.map_err(|error| match error {
        ParseError::RelativeUrlWithoutBase => "its URL is not absolute".into(),
        error => Cow::Owned(format!("its URL is not valid ({error})")),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its URL is neither http nor https".into());
    }
    if matches!(url.host(), Some(Host::Domain(name)) if !chars::is_host_name(name)) {
        return Err("its URL has no valid host name".into());
    }
    if has_login(&url) {
        let reason = "its URL contains a user name or a password; add it by hand and set authorization in its [[feed]]";
        return Err(reason.into());
    }
    Ok(url)
}

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The document is larger than [`MAX_BYTES`].
    #[error("the list is larger than 10 MiB")]
    TooLarge,
    /// More entries than [`MAX_OUTLINES`]; the line of the first one beyond.
    #[error("line {0}: the list has more than 20,000 feeds and folders")]
    TooMany(usize),
    /// No UTF-8, and no other encoding is declared; the offset of the first wrong byte.
    #[error("the list is not UTF-8 (byte {0}) and declares no other encoding")]
    Encoding(usize),
    /// Only white space and comments.
    #[error("the list is empty")]
    Empty,
    /// None of the three formats; what was found instead.
    #[error("{0}")]
    UnknownFormat(String),
    /// The markup is incomplete or not well-formed.
    #[error("line {line}: {message}")]
    Malformed {
        /// Line number from 1.
        line: usize,
        /// What is wrong with the markup.
        message: String,
    },
    /// A list that is followed has no entry that is a feed.
    #[error("the list contains no feed that can be polled")]
    WithoutFeeds,
}

crate::model::codes! {
    Error:
    Self::TooLarge => "list_too_large": "export only the subscriptions, as OPML",
    Self::TooMany(_) => "list_too_many_entries": "divide it into several lists",
    Self::Encoding(_) => "list_not_utf8": "save it as UTF-8",
    Self::Empty => "list_empty": "export or download it again",
    Self::UnknownFormat(_) => "not_a_feed_list": "a list is OPML, the urls file of newsboat, or the ini file of Planet or Venus",
    Self::Malformed { .. } => "list_malformed": "export or download it again; nothing was imported",
    Self::WithoutFeeds => "list_without_feeds": "'newswire import' lists the reason for each entry",
}

/// The text, in the encoding that a byte order mark or an XML declaration names, else UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    if file_kind::utf16(bytes).is_some() {
        // Without a byte order mark; the zeros are valid UTF-8.
        let at = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
        return Err(Error::Encoding(at));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let named = declared(bytes).filter(|encoding| *encoding != UTF_8);
            let encoding = named.ok_or(Error::Encoding(error.valid_up_to()))?;
            Ok(encoding.decode_without_bom_handling(bytes).0)
        }
    }
}

/// The encoding that `<?xml … encoding="…"?>` names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

/// Resolves the five references of XML and numeric references. Entities that the document declares are not
/// resolved, and text that is not a reference stays: a bare `&` in a URL is common.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    resolve_references(text, 10, |name| Some(Cow::Owned(character(name)?.to_string())))
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => char::from_u32(reference_number(name)?),
    }
}

/// One line of at most `most` characters, with white space collapsed, without control characters and
/// characters that XML 1.0 2.2 forbids. `None` when nothing is left.
pub(super) fn line(text: &str, most: usize) -> Option<String> {
    // Bidirectional controls would change the order of the text around them.
    let fits = |c: &char| !matches!(c, '\u{fffd}'..='\u{ffff}') && !bidi::is_control(*c);
    let mut line = String::with_capacity(text.len());
    let mut apart = false;
    for c in text.chars().filter(fits) {
        if c.is_whitespace() || c.is_control() {
            apart = !line.is_empty();
            continue;
        }
        if std::mem::take(&mut apart) {
            line.push(' ');
        }
        line.push(c);
    }
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
    }
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// A name without user name and password if it contains a URL, also one that is not valid; any other text unchanged.
fn hidden(name: &str) -> Cow<'_, str> {
    let scheme = name.split_once(':').map_or("", |(scheme, _)| scheme).trim();
    let has_scheme = ["http", "https", "feed"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
    let is_word = !name.contains(char::is_whitespace);
    let has_user = name.split_once('@').is_some_and(|(user, _)| user.contains(':'));
    let is_url = has_scheme || name.contains("://") || is_word && has_user;
    if is_url { without_login(name) } else { Cow::Borrowed(name) }
}

/// What was written as a URL, without user name and password. A text that no parser understands keeps only what follows
/// its last `@`, and a scheme: a password may contain what ends a host, or a scheme.
fn without_login(text: &str) -> Cow<'_, str> {
    let parsed = Url::parse(&without_feed_scheme(text.trim())).ok().filter(Url::has_host);
    if !text.contains('@') || parsed.as_ref().is_some_and(|url| !has_login(url)) {
        return Cow::Borrowed(text);
    }
    let schemes = ["https://", "http://", "https:", "http:", "//"];
    let is_first = |scheme: &&&str| {
        text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    let begin = schemes.iter().find(is_first).map_or(0, |scheme| scheme.len());
    let rest = &text[begin..];
    let slashes = rest.len() - rest.trim_start_matches(['/', '\\']).len();
    let host = rest[slashes..].find(['/', '\\', '?', '#']);
    let host = host.map_or(rest, |end| &rest[..slashes + end]);
    let in_host = parsed.and_then(|_| host.rfind('@'));
    let end = in_host.or_else(|| rest.rfind('@')).unwrap_or_default();
    Cow::Owned(format!("{}…{}", &text[..begin], &rest[end..]))
}
