//! The feed that a URL leads to: the document there, or the only feed that the page there links to.
//!
//! Few requests: for the page, for a page that it shows instead, for the feed that is declared, and without one for four
//! other links at most.

use std::fmt::Write as _;

use url::Url;

use super::error::Error;
use super::summary::line;
use crate::cli::append_feeds;
use crate::cli::document::{Document, DocumentError};
use crate::cli::online::Online;
use crate::cli::terminal::shell_word;
use crate::config::Config;
use crate::fetch;
use crate::model::{Asker, Failure, FailureKind, Link, Outcome};
use crate::parse::{self, Alternates, LeftOut, Parsed};
use crate::poll::Denial;
use crate::schedule;

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
