//! The feed that a URL leads to: the document there, or the only feed that the page there links to; what `newswire add`
//! shows of it, or why it added no feed. Few requests: for the page, for a page that it shows instead, for the feed that is
//! declared, and without one for four other links at most.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Write as _;

use jiff::Timestamp;
use url::Url;

use crate::cli::online::{Document, DocumentError, Online};
use crate::cli::terminal::shell_word;
use crate::cli::{append_feeds, init};
use crate::config::{Config, Report};
use crate::fetch::{self, FetcherError};
use crate::model::{Asker, Failure, FailureKind, Link, Outcome, ParsedItem, Text, TextKind};
use crate::normalise::text_of_html;
use crate::parse::{self, Alternates, LeftOut, Parsed};
use crate::poll::Denial;
use crate::schedule;
use crate::text::chars::{self, shortened};
use crate::text::quoted::in_quotes;

/// What the requests for a feed need.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) online: &'a Online,
    pub(super) schedule: &'a schedule::Settings,
    pub(super) settings: &'a fetch::Settings,
    /// The URL as the operator wrote it.
    pub(super) written: &'a str,
    /// The command with its options, without URLs.
    pub(super) command: &'a str,
    /// The config, if there is one.
    pub(super) config: Option<&'a Config>,
}

/// What a URL leads to.
pub(super) enum Found {
    /// A feed with its permanent URL.
    New(Box<(Url, Document, Parsed)>),
    /// The URL of a feed that the config contains.
    Known(Url),
}

/// The feed at `url`, or the only feed that the page there links to. A page that only leads to another one is followed
/// once.
///
/// # Errors
/// When no feed or more than one is found.
pub(super) async fn find_feed(url: Url, asking: Asking<'_>) -> Result<Found, Error> {
    // The page that leads to `url`; only one is followed.
    let (mut url, mut from, mut left) = (url, None::<Url>, MAX_TRIED);
    loop {
        let document = get(&url, from.as_ref(), asking).await?;
        let failure = match document.parse() {
            Ok(parsed) => return Ok(new(&url, document, parsed)),
            Err(failure) => failure,
        };
        if failure.kind != FailureKind::NotAFeed {
            return Err(unread(url, from, failure));
        }
        let mut alternates = parse::alternates(document.input(), document.links.as_deref());
        let (refresh, usual) = (alternates.refresh.take(), std::mem::take(&mut alternates.usual));
        if let Some(found) = linked_feed(alternates, &document.url, &mut left, asking).await? {
            return Ok(found);
        }
        match refresh {
            Some(target) if from.is_none() => (url, from) = (target, Some(document.url)),
            _ if usual.is_empty() => return Err(unread(url, from, failure)),
            _ => {
                let usual = commands_for_urls(asking.command, &usual);
                return Err(Error::Unlinked { page: document.url, usual });
            }
        }
    }
}

fn unread(url: Url, page: Option<Url>, failure: Failure) -> Error {
    Error::Document { url, page: page.map(Box::new), error: Box::new(failure.into()) }
}

fn new(url: &Url, document: Document, parsed: Parsed) -> Found {
    Found::New(Box::new((document.permanent_url(url), document, parsed)))
}

/// The only feed that a page links to: the declared one or, if that is missing, one that another link leads to; `None`: no
/// link leads to a feed. `left` is the number of other links that may be requested.
async fn linked_feed(
    alternates: Alternates,
    page: &Url,
    left: &mut usize,
    asking: Asking<'_>,
) -> Result<Option<Found>, Error> {
    let Alternates { feeds, left_out, possible, .. } = alternates;
    let mut dead = None;
    let mut declared = linked(feeds);
    let several =
        |commands, left_out| Err(Error::Several { page: page.clone().into(), commands, left_out });
    match declared.len() {
        0 => {}
        1 => match feed_at(declared.swap_remove(0), page, asking).await {
            Err(error) if is_dead(&error) => dead = Some(error),
            found => return found.map(Some),
        },
        _ => return several(commands(asking.command, &declared), left_out),
    }
    let Feeds { mut found, untested } = feeds_among(possible, left, asking).await;
    match (found.len(), dead) {
        (0, None) => Ok(None),
        (0, Some(error)) => Err(error),
        (1, _) => feed_at(found.swap_remove(0), page, asking).await.map(Some),
        _ => {
            let mut text = commands(asking.command, &found);
            if !untested.is_empty() {
                let untested = commands(asking.command, &untested);
                let _ = write!(text, "\n  # links that were not requested:\n{untested}");
            }
            several(text, LeftOut::Exactly(0))
        }
    }
}

/// A link of a page that leads to a feed.
#[derive(Debug)]
struct Linked {
    url: Url,
    link: Link,
    /// The document there, if it is read already.
    document: Option<Document>,
}

fn linked(links: Vec<Link>) -> Vec<Linked> {
    let links = links.into_iter();
    links
        .filter_map(|link| Some(Linked { url: Url::parse(&link.href).ok()?, link, document: None }))
        .collect()
}

/// The feed that a link of a page leads to.
async fn feed_at(link: Linked, page: &Url, asking: Asking<'_>) -> Result<Found, Error> {
    let Linked { url, document, .. } = link;
    if is_known(&url, asking) {
        return Ok(Found::Known(url));
    }
    let document = match document {
        Some(document) => document,
        None => get(&url, Some(page), asking).await?,
    };
    match document.parse() {
        Ok(parsed) => Ok(new(&url, document, parsed)),
        Err(failure) => Err(unread(url, Some(page.clone()), failure)),
    }
}

fn is_known(url: &Url, asking: Asking<'_>) -> bool {
    let same = |other: &Url| append_feeds::address(other) == append_feeds::address(url);
    asking.config.is_some_and(|config| config.subscriptions.iter().any(|s| same(&s.feed.url)))
}

/// Whether there is no feed at a URL, so that other links of the page are worth a request.
fn is_dead(error: &Error) -> bool {
    let Error::Document { error, .. } = error else { return false };
    match &**error {
        DocumentError::Failed(failure) => {
            matches!(failure.kind, FailureKind::NotFound | FailureKind::NotAFeed)
        }
        DocumentError::Absent { outcome, .. } => *outcome == Outcome::Gone,
        // A command that requested it before kept no document.
        DocumentError::Held { denied, .. } => {
            matches!(denied.reason, Denial::Recent { by: Asker::Command, .. })
        }
        _ => false,
    }
}

/// Maximum number of links without the type of a feed that are requested.
const MAX_TRIED: usize = 4;

/// A group of links that may lead to feeds.
#[derive(Default)]
struct Feeds {
    /// Those that lead to feeds.
    found: Vec<Linked>,
    /// Those that were not requested.
    untested: Vec<Linked>,
}

/// The first group of links with a feed; empty without one.
async fn feeds_among(groups: Vec<Vec<Link>>, left: &mut usize, asking: Asking<'_>) -> Feeds {
    for group in groups {
        let (mut found, mut links) = (Vec::new(), linked(group).into_iter());
        while *left > 0
            && let Some(tried) = links.next()
        {
            if is_known(&tried.url, asking) {
                found.push(tried);
                continue;
            }
            *left -= 1;
            if let Ok(document) =
                asking.online.fetch(&tried.url, asking.settings, asking.schedule).await
                && document.parse().is_ok()
            {
                found.push(Linked { document: Some(document), ..tried });
            }
        }
        if !found.is_empty() {
            return Feeds { found, untested: links.collect() };
        }
    }
    Feeds::default()
}

/// The document at a URL, which `page` leads to unless the operator named it.
async fn get(url: &Url, page: Option<&Url>, asking: Asking<'_>) -> Result<Document, Error> {
    let mut error = match asking.online.fetch(url, asking.settings, asking.schedule).await {
        Ok(document) => return Ok(document),
        Err(error) => error,
    };
    if let DocumentError::Absent { outcome: Outcome::Throttled, recorded, .. } = &mut error {
        *recorded = asking.online.keep_demands().await;
    }
    if let DocumentError::Failed(failure) = &mut error {
        failure.help = failure.help.take().map(|help| before_adding(failure.kind, help));
    }
    if let DocumentError::Failed(failure) = &mut error
        && failure.kind == FailureKind::BlockedAddress
    {
        let is_chosen = page.is_none() && failure.help.as_deref() != Some(fetch::BLOCKED_TARGET);
        failure.help = Some(if is_chosen {
            // Here the feed is in no config yet, so that the option helps and not the key.
            let address = literal(url.host_str().unwrap_or_default());
            let (command, url) = (asking.command, shell_word(asking.written));
            let help = format!(
                "allow its network if the feed is meant to be there, for example: {command} \
                 --allow-network {address} {url}"
            );
            help.into()
        } else {
            fetch::BLOCKED_TARGET.into()
        });
    }
    let page = page.cloned().map(Box::new);
    Err(Error::Document { url: url.clone(), page, error: Box::new(error) })
}

/// The help for a failure of a feed that is in no config yet: no poll repeats the request, and it has no `[[feed]]`.
fn before_adding(kind: FailureKind, help: Cow<'static, str>) -> Cow<'static, str> {
    match help.strip_prefix(fetch::RETRIED) {
        Some(rest) => format!("nothing was added; repeat the command later{rest}").into(),
        None if kind == FailureKind::Unauthorized => {
            "nothing was added; write a [[feed]] with url and authorization into the config".into()
        }
        None => help,
    }
}

/// The host when it is an IP address, else a placeholder.
fn literal(host: &str) -> &str {
    let bare = host.trim_matches(['[', ']']);
    if bare.parse::<std::net::IpAddr>().is_ok() { bare } else { "ADDRESS" }
}

fn commands_for_urls(command: &str, urls: &[Url]) -> String {
    let line = |url: &Url| format!("  {command} {}", shell_word(url.as_str()));
    urls.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn commands(command: &str, links: &[Linked]) -> String {
    let mut text = String::new();
    for Linked { url, link, .. } in links {
        let about = [&link.title, &link.media_type].into_iter().flatten().map(|text| line(text));
        let about = about.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        let about = if about.is_empty() { about } else { format!("   # {about}") };
        let _ = writeln!(text, "  {command} {}{about}", shell_word(url.as_str()));
    }
    text.trim_end().to_owned()
}

/// Why no feed was added.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The argument is not an http(s) URL.
    #[error("{} is not the URL of a feed or of a web page", in_quotes(shortened(.0)))]
    Url(String),
    /// The argument has a scheme in the place of the host: `https//example.org`.
    #[error("{} is not the URL of a feed or of a web page", in_quotes(shortened(written)))]
    Scheme {
        /// The argument.
        written: String,
        /// The URL that is meant.
        meant: Url,
    },
    /// The argument names an account: `@jane@example.org`.
    #[error("{} is the name of an account, not a URL", in_quotes(shortened(written)))]
    Account {
        /// The argument.
        written: String,
        /// The page of its profile on a Mastodon server.
        page: Url,
    },
    /// The argument is the path of a file.
    #[error("{} is a file, not a URL", in_quotes(.0))]
    File(String),
    /// The argument contains a user name or a password.
    #[error("the URL contains a user name or a password")]
    Password,
    /// An option that names one feed, and several URLs.
    #[error("--id and --title can be used with only one URL")]
    OneUrl,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Fetcher(#[from] FetcherError),
    /// The document of this URL cannot be fetched or parsed.
    #[error("{}", document_error(page.as_deref(), url, error))]
    Document {
        /// URL of the document, before redirects.
        url: Url,
        /// URL of the page that leads to it; `None`: it is the URL of the command.
        page: Option<Box<Url>>,
        /// What failed.
        error: Box<DocumentError>,
    },
    /// The config would have errors with the value of an option.
    #[error("cannot add a feed with {option}: {}", append_feeds::reasons(.report))]
    Option {
        /// The option, as it is written: `--title`.
        option: &'static str,
        /// The errors that the config would have.
        report: Box<Report>,
    },
    /// The page links to more than one feed.
    #[error("{} links to several feeds{}", shortened(page.as_str()), others(left_out))]
    Several {
        /// URL of the page, after redirects.
        page: Box<Url>,
        /// The commands that add one of the feeds, one per line.
        commands: String,
        /// Number of feeds without a command.
        left_out: LeftOut,
    },
    /// The page links to no feed.
    #[error("{} is a web page that links to no feed", shortened(page.as_str()))]
    Unlinked {
        /// URL of the page, after redirects.
        page: Url,
        /// The commands that try usual URLs of feeds, one per line.
        usual: String,
    },
    /// The config cannot be changed.
    #[error(transparent)]
    Append(#[from] append_feeds::Error),
    /// A new config cannot be created.
    #[error(transparent)]
    Init(#[from] init::Error),
}

crate::model::codes! {
    Error:
    Self::Url(_) => "invalid_feed_url": "write it as \"https://example.org/feed\"",
    Self::Scheme { meant, .. } => "invalid_feed_url": format!("a scheme ends with \"://\"; did you mean \"{meant}\"?"),
    Self::Account { page, .. } => "invalid_feed_url": format!("add the page of its profile, for example {page}"),
    Self::File(_) => "invalid_feed_url": "add a [[feed]] with file = \"PATH\" to the config",
    Self::Document { error, .. } if matches!(**error, DocumentError::Held { .. }) => "held": "repeat the command after that time",
    Self::Option { report, .. } => "invalid_value": append_feeds::remedies(report),
    Self::Password => "password_in_url": "remove them, and set authorization in the [[feed]]",
    Self::OneUrl => "one_url": "add the feeds one by one, or leave the option out",
    Self::Several { commands, .. } => "multiple_feeds": format!("add one of them:\n{commands}"),
    Self::Unlinked { usual, .. } => "no_feed_linked": format!("look for the URL of its feed, or try one of these:\n{usual}"),
    ;
    Self::Fetcher(error) => error,
    Self::Document { error, .. } => error,
    Self::Append(error) => error,
    Self::Init(error) => error,
}

impl Error {
    /// The URL that a promise forbids to request now.
    pub(super) fn held(&self) -> Option<&Url> {
        match self {
            Self::Document { error, .. } => match &**error {
                DocumentError::Held { denied, .. } => Some(&denied.url),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The URL of the document, unless the error names it, and the page that leads to it.
fn document_error(page: Option<&Url>, url: &Url, error: &DocumentError) -> String {
    match (error, page) {
        (DocumentError::Held { .. }, _) => error.to_string(),
        (error, None) => format!("{}: {error}", shortened(url.as_str())),
        (error, Some(page)) => {
            format!("{} leads to {}: {error}", shortened(page.as_str()), shortened(url.as_str()))
        }
    }
}

/// The part of the message about feeds that are not listed.
fn others(left_out: &LeftOut) -> String {
    match left_out {
        LeftOut::Exactly(0) => String::new(),
        left_out => format!("; {left_out} more are not listed here"),
    }
}

/// Number of items that are shown.
const SHOWN_ITEMS: usize = 3;
/// Longest title that is shown, in characters.
const MAX_TITLE: usize = 100;

/// Title, URL and newest items of a feed, by which the operator recognises it.
pub(super) fn summary(url: &Url, parsed: &Parsed) -> String {
    let feed = &parsed.feed;
    let title = feed.title.as_ref().map(plain).filter(|title| !title.is_empty());
    let mut text = format!("{}\n{url}\n", title.as_deref().unwrap_or("feed without a title"));
    let stamp = |item: &ParsedItem| item.published.or(item.updated);
    let mut newest: Vec<&ParsedItem> = feed.items.iter().collect();
    newest.sort_by_key(|item| Reverse(stamp(item).unwrap_or(Timestamp::MIN)));
    for item in newest.into_iter().take(SHOWN_ITEMS) {
        let day = stamp(item).map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string());
        let title = item.title.as_ref().map(plain).filter(|title| !title.is_empty());
        let title = title.or_else(|| item.page().map(line));
        let _ = writeln!(text, "  {day:<10}  {}", title.as_deref().unwrap_or("untitled"));
    }
    if feed.items.is_empty() {
        text.push_str("  no items yet\n");
    }
    for warning in parsed.parse_warnings.iter().take(SHOWN_ITEMS) {
        let _ = writeln!(text, "  warning: {} ({})", line(&warning.message), warning.code);
    }
    text
}

/// A text as one line of plain text.
pub(in crate::cli) fn plain(text: &Text) -> String {
    match text.kind {
        TextKind::Html => line(&text_of_html(&text.value)),
        TextKind::Plain => line(&text.value),
    }
}

/// A text of the feed or of a page as one line, cut after [`MAX_TITLE`] characters.
fn line(text: &str) -> String {
    chars::line(text, MAX_TITLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::chars::MAX_SHOWN;

    #[test]
    fn messages_contain_a_long_url_cut() {
        let long = "x".repeat(2 * MAX_SHOWN);
        let page: Url = format!("https://example.org/{long}").parse().expect("a URL");
        let commands = String::new();
        let left_out = LeftOut::Exactly(0);
        for error in [
            Error::Url(long.clone()),
            Error::Scheme { written: long.clone(), meant: page.clone() },
            Error::Several { page: Box::new(page.clone()), commands, left_out },
            Error::Unlinked { page, usual: String::new() },
        ] {
            let text = error.to_string();
            assert!(text.contains('…') && text.chars().count() < MAX_SHOWN + 60, "{text}");
        }
    }
}
