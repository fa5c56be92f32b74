//! `newswire add`: one feed more, by its address or by that of a page which names it.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use url::Url;

use super::probe::{self, Document, MAX_ITEMS};
use super::subscribe::{self, Said, To};
use crate::config::{self, Config};
use crate::model::{Failure, FailureKind, Feed, Link, ParsedItem, Text, TextKind};
use crate::normalise::text_of_html;
use crate::parse::{self, Input, Parsed};

/// So many items show whether it is the right feed.
const SHOWN: usize = 3;
/// More of a title helps nobody.
const TITLE: usize = 100;

/// Why no feed was added.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for.
    #[error("{0:?} is no address of a feed or of a page: write it as \"https://example.org/feed\"")]
    Address(String),
    /// A secret in what was asked for.
    #[error(
        "user and password stand in the address: take them out, and put authorization into the [[feed]]"
    )]
    Secret,
    /// The server, or what it sent.
    #[error(transparent)]
    Probe(#[from] probe::Error),
    /// There is a choice that is not ours.
    #[error("{0} names several feeds: add the one that you want:\n{1}")]
    Choose(Url, String),
    /// The config.
    #[error(transparent)]
    Append(#[from] subscribe::Error),
}

/// Looks at the feed at `asked`, or at the only one that the page there names; shows its title and its
/// newest items, and appends it to the config or prints its block.
///
/// # Errors
/// When there is no feed or more than one, or the config cannot be changed.
pub(super) async fn run(
    asked: &str,
    tags: &[String],
    given: Option<&Path>,
    to: To,
) -> Result<Said, Error> {
    let found = subscribe::config(given, to)?;
    let config = found.as_ref().map(|(_, config)| config);
    let url = address(asked)?;
    if let Some(said) = known(&url, config) {
        return Ok(said);
    }
    let (url, parsed) = look(url, config).await?;
    if let Some(said) = known(&url, config) {
        return Ok(said);
    }
    let shown = show(&url, &parsed);
    let feed = Feed { id: None, url, title: None, tags: tags.to_vec() };
    match found.filter(|_| to == To::Config) {
        Some((path, _)) => {
            subscribe::append(&path, &[feed])?;
            let answer = format!("{shown}\nadded to {}\n", path.display());
            Ok(Said { answer, aside: String::new() })
        }
        None => Ok(Said { answer: config::feed_block(&feed), aside: shown }),
    }
}

/// What was asked for as an address; who leaves out the scheme means https.
fn address(asked: &str) -> Result<Url, Error> {
    let bad = || {
        let mut shown = asked.to_owned();
        config::veil_logins(&mut shown);
        Error::Address(shown)
    };
    let url = match Url::parse(asked.trim()) {
        // `example.org:8080/feed` looks like a scheme.
        Ok(url) if url.has_host() || url.scheme() == "mailto" => url,
        _ => Url::parse(&format!("https://{}", asked.trim())).map_err(|_| bad())?,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Secret);
    }
    Some(url).filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(bad)
}

/// Word that the config has it.
fn known(url: &Url, config: Option<&Config>) -> Option<Said> {
    let subscription = config?.subscriptions.iter().find(|s| s.feed.url == *url)?;
    let title = subscription.feed.title.as_deref();
    let named = title.map_or_else(String::new, |title| format!(", as {title:?}"));
    let answer = format!("{url} is configured already{named}\n");
    Some(Said { answer, aside: String::new() })
}

/// The feed at `url`, or the only one that the page there names.
async fn look(url: Url, config: Option<&Config>) -> Result<(Url, Parsed), Error> {
    let (at, document) = probe::ask(url.clone(), config).await?;
    let failure = match read(&at, &document) {
        Ok(parsed) => return Ok((lasting(url, &document), parsed)),
        Err(failure) => failure,
    };
    let named = match failure.kind {
        FailureKind::NotAFeed => parse::alternates(input(&at, &document)),
        _ => Vec::new(),
    };
    let named: Vec<(Url, Link)> =
        named.into_iter().filter_map(|link| Some((address(&link.href).ok()?, link))).collect();
    let url = match named.as_slice() {
        [] => return Err(probe::Error::Failed(url.to_string(), failure).into()),
        [(only, _)] => only.clone(),
        several => return Err(Error::Choose(at, choice(several))),
    };
    let (at, document) = probe::ask(url.clone(), config).await?;
    let parsed = read(&at, &document);
    let parsed = parsed.map_err(|failure| probe::Error::Failed(url.to_string(), failure))?;
    Ok((lasting(url, &document), parsed))
}

fn input<'a>(url: &'a Url, document: &'a Document) -> Input<'a> {
    let content_type = document.content_type.as_deref();
    Input { bytes: &document.bytes, content_type, url, max_items: MAX_ITEMS }
}

fn read(url: &Url, document: &Document) -> Result<Parsed, Failure> {
    parse::parse(input(url, document))
}

/// Where the feed lives: what is moved for good counts, RFC 9110 15.4.2 and 15.4.9, but not what
/// comes behind a redirect for the moment.
pub(super) fn lasting(asked: Url, document: &Document) -> Url {
    let for_good = document.hops.iter().take_while(|hop| matches!(hop.status, 301 | 308));
    for_good.last().and_then(|hop| Url::parse(&hop.location).ok()).unwrap_or(asked)
}

fn choice(named: &[(Url, Link)]) -> String {
    let mut text = String::new();
    for (url, link) in named {
        let title = link.title.as_deref().map(line).filter(|title| !title.is_empty());
        let kind = link.media_type.as_deref().map(line).unwrap_or_default();
        let about = title.map_or_else(|| kind.clone(), |title| format!("{title}, {kind}"));
        let _ = writeln!(text, "  newswire add {url}   # {about}");
    }
    text.trim_end().to_owned()
}

/// The feed for people: whether it is the right one.
fn show(url: &Url, parsed: &Parsed) -> String {
    let feed = &parsed.feed;
    let title = feed.title.as_ref().map(plain).filter(|title| !title.is_empty());
    let mut text = format!("{}\n{url}\n", title.as_deref().unwrap_or("a feed without a title"));
    let stamp = |item: &ParsedItem| item.published.or(item.updated);
    let mut newest: Vec<&ParsedItem> = feed.items.iter().collect();
    newest.sort_by_key(|item| Reverse(stamp(item).unwrap_or(Timestamp::MIN)));
    for item in newest.into_iter().take(SHOWN) {
        let day = stamp(item).map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string());
        let title = item.title.as_ref().map(plain).filter(|title| !title.is_empty());
        let title = title.or_else(|| item.page().map(line));
        let _ = writeln!(text, "  {day:<10}  {}", title.as_deref().unwrap_or("without a title"));
    }
    if feed.items.is_empty() {
        text.push_str("  there are no items in it yet\n");
    }
    text
}

pub(super) fn plain(text: &Text) -> String {
    match text.kind {
        TextKind::Html => line(&text_of_html(&text.value)),
        TextKind::Plain => line(&text.value),
    }
}

/// One line; control characters are not for terminals.
fn line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_as_people_do() {
        for (asked, expected) in [
            ("https://example.org/feed", Some("https://example.org/feed")),
            ("example.org", Some("https://example.org/")),
            ("example.org:8080/feed", Some("https://example.org:8080/feed")),
            ("http://example.org", Some("http://example.org/")),
            ("", None),
            ("mailto:a@example.org", None),
            ("ftp://example.org/", None),
            ("https://me:secret@example.org/", None),
        ] {
            let read = address(asked);
            assert_eq!(read.as_ref().ok().map(Url::as_str), expected, "{asked}");
            assert!(!read.err().is_some_and(|error| error.to_string().contains("secret")));
        }
    }
}
