//! `newswire add`: adds feeds to the config, by their URLs or by the URLs of pages that link to them.

pub(super) mod summary;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use url::Url;

use self::summary::{line, summary};
use super::append_feeds::{self, CommandOutput, Destination};
use super::document::{Document, DocumentError};
use super::init;
use super::online::{Online, Promises};
use super::terminal::shell_word;
use crate::config::{self, Config, Files, Report};
use crate::edit::{EditError, FeedEdit, edit_feed};
use crate::fetch::{self, FetcherError};
use crate::model::{Coded as _, FailureKind, Feed, FeedId, Link, Outcome, Removal, has_login};
use crate::opml;
use crate::parse::{self, Parsed};
use crate::schedule;

/// Why no feed was added.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The argument is not an http(s) URL.
    #[error("{0:?} is not the URL of a feed or of a web page")]
    Url(String),
    /// The argument has a scheme in the place of the host: `https//example.org`.
    #[error("{written:?} is not the URL of a feed or of a web page")]
    Scheme {
        /// The argument.
        written: String,
        /// The URL that is meant.
        meant: Url,
    },
    /// The argument is the path of a file.
    #[error("{0:?} is a file, not a URL")]
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
    #[error("{}", document_error(.0, .1))]
    Document(Url, Box<DocumentError>),
    /// The config would have errors with the value of an option.
    #[error("cannot add a feed with {option}: {}", append_feeds::reasons(.report))]
    Option {
        /// The option, as it is written: `--title`.
        option: &'static str,
        /// The errors that the config would have.
        report: Box<Report>,
    },
    /// The page links to more than one feed.
    #[error("{page} links to several feeds")]
    Several {
        /// URL of the page, after redirects.
        page: Url,
        /// The commands that add one of the feeds, one per line.
        commands: String,
    },
    /// The page links to no feed.
    #[error("{page} is a web page that links to no feed")]
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
    Self::File(_) => "invalid_feed_url": "add a [[feed]] with file = \"PATH\" to the config",
    Self::Document(_, error) if matches!(**error, DocumentError::Held { .. }) => "held": "repeat the command after that time",
    Self::Option { report, .. } => "invalid_value": append_feeds::remedies(report),
    Self::Password => "password_in_url": "remove them, and set authorization in the [[feed]]",
    Self::OneUrl => "one_url": "add the feeds one by one, or leave the option out",
    Self::Several { commands, .. } => "multiple_feeds": format!("add one of them:\n{commands}"),
    Self::Unlinked { usual, .. } => "no_feed_linked": format!("look for the URL of its feed, or try one of these:\n{usual}"),
    ;
    Self::Fetcher(error) => error,
    Self::Document(_, error) => error,
    Self::Append(error) => error,
    Self::Init(error) => error,
}

/// What to add, from the command line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Request<'a> {
    /// The URL of a feed or of a page; `https://` may be missing.
    pub(super) url: &'a str,
    /// Id of the new feed; `None`: derived from its URL.
    pub(super) id: Option<&'a str>,
    /// Title that replaces the publisher's.
    pub(super) title: Option<&'a str>,
    /// Interval of its polls, as in the config.
    pub(super) interval: Option<&'a str>,
    /// Tags of the new feed.
    pub(super) tags: &'a [String],
    /// Private networks that the new feed may be in.
    pub(super) networks: &'a [IpNet],
    /// The command with its options, without URLs; begins the commands that are printed for copying.
    pub(super) command: &'a str,
    /// Added to the line about a config that was created; empty: nothing.
    pub(super) next: &'a str,
}

/// The URL of the document, unless the error names it.
fn document_error(url: &Url, error: &DocumentError) -> String {
    match error {
        DocumentError::Held { .. } => error.to_string(),
        error => format!("{url}: {error}"),
    }
}

/// Fetches the feed, or the only feed that the page links to. Shows its title and its newest items, and
/// appends it to the config or prints its block. Creates a config if no file exists and the operator named none.
///
/// # Errors
/// When no feed or more than one is found, or the config cannot be changed.
pub(super) async fn run(
    request: Request<'_>,
    config_path: Option<&Path>,
    destination: Destination,
) -> Result<CommandOutput, Error> {
    let existing = match append_feeds::config(config_path, destination) {
        Err(append_feeds::Error::NoConfig(_)) => None,
        found => found?,
    };
    let known = existing.as_ref();
    let config = known.map(|(_, config)| config);
    let mut settings = config.map(|config| config.fetch.clone()).unwrap_or_default();
    settings.allow_networks.extend(request.networks);
    let url = parse_url(request.url)?;
    if let Some(output) = already_configured(&url, known, request) {
        return Ok(output);
    }
    check_options(&url, known.map(|(path, _)| path.as_path()), request)?;
    let online = Online::new(config, Promises::Keep)?;
    let schedule = config.map_or_else(Arc::default, |config| Arc::clone(&config.schedule));
    let asking =
        Asking { online: &online, schedule: &schedule, settings: &settings, request, known };
    let (url, document, parsed) = match find_feed(url, asking).await? {
        Found::New(found) => *found,
        Found::Known(output) => return Ok(output),
    };
    if let Some(output) = already_configured(&url, known, request) {
        return Ok(output);
    }
    let summary = summary(&url, &parsed);
    let feed = feed(&url, request);
    let block = block(&feed, request);
    let (path, next) = match existing {
        _ if destination == Destination::Stdout => {
            return Ok(CommandOutput { stdout: block, stderr: summary });
        }
        Some((path, _)) => (path, ""),
        None => match init::run(Path::new(NEW_CONFIG)) {
            Ok(()) => (NEW_CONFIG.into(), request.next),
            // Another command has created it meanwhile.
            Err(init::Error::Exists(_)) => (NEW_CONFIG.into(), ""),
            Err(error) => return Err(error.into()),
        },
    };
    if append_feeds::append(&path, vec![feed], |_| block.clone())? == 0 {
        // Another command has added the feed meanwhile.
        let config = config::load(&path).config;
        let existing = config.map(|config| (path, config));
        return Ok(already_configured(&url, existing.as_ref(), request).unwrap_or_default());
    }
    // The feed is added in any case; its first poll then fetches the document again.
    if let Err(error) = online.hand_over(&config::load(&path).database, &url, &document).await {
        tracing::debug!(%error, "document not handed over");
    }
    let stdout = format!("{summary}\nadded to {}{next}\n", path.display());
    Ok(CommandOutput { stdout, stderr: String::new() })
}

/// Where a config is created.
const NEW_CONFIG: &str = "newswire.toml";

/// Checks each option as a part of the config, before anything is requested.
fn check_options(url: &Url, path: Option<&Path>, request: Request<'_>) -> Result<(), Error> {
    let none = Request { url: request.url, ..Request::default() };
    for (option, part) in [
        ("--id", request.id.map(|_| Request { id: request.id, ..none })),
        ("--title", request.title.map(|_| Request { title: request.title, ..none })),
        ("--interval", request.interval.map(|_| Request { interval: request.interval, ..none })),
        ("--tag", request.tags.first().map(|_| Request { tags: request.tags, ..none })),
    ] {
        let Some(part) = part else { continue };
        let feed = feed(url, part);
        match append_feeds::check(path, &feed, &block(&feed, part)) {
            Err(append_feeds::Error::Unfit(report)) => {
                return Err(Error::Option { option, report });
            }
            checked => checked?,
        }
    }
    Ok(())
}

/// The feed with the title and the tags of the request, each tag once.
fn feed(url: &Url, request: Request<'_>) -> Feed {
    let mut tags: Vec<String> = Vec::new();
    for tag in request.tags {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    let title = request.title.map(str::to_owned);
    Feed { id: None, url: url.clone(), title, tags, removal: Removal::Hide }
}

/// The `[[feed]]` block with the keys of the request.
fn block(feed: &Feed, request: Request<'_>) -> String {
    let mut block = config::feed_block(feed);
    for (key, value) in [("id", request.id), ("interval", request.interval)] {
        if let Some(value) = value {
            let _ = writeln!(block, "{key} = {}", config::quoted(value));
        }
    }
    if !request.networks.is_empty() {
        let _ = writeln!(block, "allow_networks = {}", networks(request.networks));
    }
    block
}

/// Parses the argument; a missing scheme means https.
fn parse_url(text: &str) -> Result<Url, Error> {
    let invalid = || {
        let mut shown = text.to_owned();
        config::redact_logins(&mut shown);
        Error::Url(shown)
    };
    let text = opml::without_feed_scheme(text.trim());
    let text = match text.strip_prefix("//") {
        // A URL without its scheme, as web pages have them.
        Some(rest) if !Path::new(&*text).exists() => rest,
        _ => &*text,
    };
    let is_path = ["/", "./", "../", "~", "file:"].iter().any(|start| text.starts_with(start));
    if is_path || Path::new(text).is_file() {
        return Err(Error::File(text.to_owned()));
    }
    let url = match Url::parse(text) {
        // `example.org:8080/feed` looks like a scheme.
        Ok(url) if url.has_host() || url.scheme() == "mailto" => url,
        // `http://` and `https://a b/` are not names of hosts.
        Err(_) if opml::begins_with_scheme(text) => return Err(invalid()),
        _ => Url::parse(&format!("https://{text}")).map_err(|_| invalid())?,
    };
    let is_scheme = matches!(url.host_str(), Some("http" | "https"));
    let meant =
        if is_scheme { after_second_scheme(&url).ok_or_else(invalid)? } else { url.clone() };
    if has_login(&meant) {
        return Err(Error::Password);
    }
    if is_scheme {
        return Err(Error::Scheme { written: text.to_owned(), meant });
    }
    Some(url).filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(invalid)
}

/// The URL that is meant by one whose host is a scheme, as that of `https//example.org` and `http://https://example.org`.
fn after_second_scheme(url: &Url) -> Option<Url> {
    let scheme = url.host_str()?;
    let rest = url[url::Position::BeforePath..].trim_start_matches('/');
    Url::parse(&format!("{scheme}://{rest}")).ok()
}

/// The output for a feed that the config already contains.
fn already_configured(
    url: &Url,
    known: Option<&(PathBuf, Config)>,
    request: Request<'_>,
) -> Option<CommandOutput> {
    let (path, config) = known?;
    let same = |other: &Url| append_feeds::address(other) == append_feeds::address(url);
    let subscription = config.subscriptions.iter().find(|s| same(&s.feed.url))?;
    let title = subscription.feed.title.as_deref();
    let title = title.map_or_else(String::new, |title| format!(" as {title:?}"));
    let stdout = format!("{url} is already configured{title}\n");
    Some(CommandOutput { stdout, stderr: not_applied(path, &subscription.feed, request) })
}

/// How the options of the request can be applied to the feed, which the config at `path` or one of its lists contains;
/// empty without options.
fn not_applied(path: &Path, known: &Feed, request: Request<'_>) -> String {
    let name = known.id.as_ref().map_or(known.url.as_str(), FeedId::as_str);
    let commands = commands_for(name, request);
    if commands.is_empty() {
        return commands;
    }
    let no_change = FeedEdit::Tag { add: &[], remove: &[] };
    match edit_feed(&Files::gather(path), name, no_change) {
        Ok(_) => {
            format!("the options were not applied; these commands change the feed:\n{commands}")
        }
        // No command changes a feed of a followed list.
        Err(EditError::NoFeed { .. }) => {
            let block = block(&feed(&known.url, request), request);
            let block: String = block.lines().map(|line| format!("  {line}\n")).collect();
            format!(
                "the options were not applied: the feed is in a followed list; this section in the config applies \
                 them:\n{block}"
            )
        }
        Err(error) => {
            let help = error.help().map_or_else(String::new, |help| format!("  help: {help}\n"));
            format!("the options were not applied: {error}\n{help}")
        }
    }
}

/// The commands that apply the options of the request to the feed `name`, one per line; empty without options.
fn commands_for(name: &str, request: Request<'_>) -> String {
    let mut values = Vec::new();
    for (key, value) in
        [("id", request.id), ("title", request.title), ("interval", request.interval)]
    {
        values.extend(value.map(|value| format!(" {key}={}", shell_word(value))));
    }
    if !request.networks.is_empty() {
        values.push(format!(
            " {}",
            shell_word(&format!("allow_networks={}", networks(request.networks)))
        ));
    }
    let mut commands = String::new();
    if !values.is_empty() {
        let _ = writeln!(commands, "  newswire set {}{}", shell_word(name), values.concat());
    }
    if !request.tags.is_empty() {
        let tags: Vec<String> = request.tags.iter().map(|tag| shell_word(tag)).collect();
        let _ = writeln!(commands, "  newswire tag {} {}", shell_word(name), tags.join(" "));
    }
    commands
}

/// The networks as a list in TOML.
fn networks(networks: &[IpNet]) -> String {
    let networks: Vec<String> = networks.iter().map(|network| format!("\"{network}\"")).collect();
    format!("[{}]", networks.join(", "))
}

/// What the requests for a feed need.
#[derive(Clone, Copy)]
struct Asking<'a> {
    online: &'a Online,
    schedule: &'a schedule::Settings,
    settings: &'a fetch::Settings,
    request: Request<'a>,
    /// The config with its path, if there is one.
    known: Option<&'a (PathBuf, Config)>,
}

/// What a URL leads to.
enum Found {
    /// A feed with its permanent URL.
    New(Box<(Url, Document, Parsed)>),
    /// A feed that the config contains.
    Known(CommandOutput),
}

/// The feed at `url`, or the only feed that the page there links to.
async fn find_feed(url: Url, asking: Asking<'_>) -> Result<Found, Error> {
    let document = match get(&url, asking).await? {
        Ok(document) => document,
        Err(known) => return Ok(Found::Known(known)),
    };
    let failure = match document.parse() {
        Ok(parsed) => {
            let url = document.permanent_url(&url);
            return Ok(Found::New(Box::new((url, document, parsed))));
        }
        Err(failure) => failure,
    };
    if failure.kind != FailureKind::NotAFeed {
        return Err(Error::Document(url, Box::new(failure.into())));
    }
    let alternates = parse::alternates(document.input());
    let mut links = match alternates.feeds.is_empty() {
        true => feeds_among(alternates.possible, asking).await,
        false => linked(alternates.feeds),
    };
    let command = asking.request.command;
    let Linked { url, document, .. } = match links.len() {
        0 if alternates.usual.is_empty() => {
            return Err(Error::Document(url, Box::new(failure.into())));
        }
        0 => {
            let usual = usual(command, &alternates.usual);
            return Err(Error::Unlinked { page: document.url, usual });
        }
        1 => links.swap_remove(0),
        _ => {
            let commands = commands(command, &links);
            return Err(Error::Several { page: document.url, commands });
        }
    };
    if let Some(output) = already_configured(&url, asking.known, asking.request) {
        return Ok(Found::Known(output));
    }
    let document = match document {
        Some(document) => document,
        None => match get(&url, asking).await? {
            Ok(document) => document,
            Err(known) => return Ok(Found::Known(known)),
        },
    };
    match document.parse() {
        Ok(parsed) => {
            let url = document.permanent_url(&url);
            Ok(Found::New(Box::new((url, document, parsed))))
        }
        Err(failure) => Err(Error::Document(url, Box::new(failure.into()))),
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
        .filter_map(|link| Some(Linked { url: parse_url(&link.href).ok()?, link, document: None }))
        .collect()
}

/// Maximum number of links with another type that are requested.
const MAX_TRIED: usize = 4;

/// The feeds among links with the type of JSON or XML, which is also that of other documents.
async fn feeds_among(links: Vec<Link>, asking: Asking<'_>) -> Vec<Linked> {
    let mut feeds = Vec::new();
    for tried in linked(links).into_iter().take(MAX_TRIED) {
        if let Ok(document) =
            asking.online.fetch(&tried.url, asking.settings, asking.schedule).await
            && document.parse().is_ok()
        {
            feeds.push(Linked { document: Some(document), ..tried });
        }
    }
    feeds
}

fn usual(command: &str, urls: &[Url]) -> String {
    let line = |url: &Url| format!("  {command} {}", shell_word(url.as_str()));
    urls.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The document, or the output for a redirect to a configured feed that was requested a short time ago.
async fn get(url: &Url, asking: Asking<'_>) -> Result<Result<Document, CommandOutput>, Error> {
    let mut error = match asking.online.fetch(url, asking.settings, asking.schedule).await {
        Ok(document) => return Ok(Ok(document)),
        Err(error) => error,
    };
    if let DocumentError::Held { denied, .. } = &error
        && let Some(output) = already_configured(&denied.url, asking.known, asking.request)
    {
        return Ok(Err(output));
    }
    if let DocumentError::Absent { outcome: Outcome::Throttled, recorded, .. } = &mut error {
        *recorded = asking.online.keep_demands().await;
    }
    if let DocumentError::Failed(failure) = &mut error
        && failure.kind == FailureKind::BlockedAddress
    {
        // Here the feed is in no config yet, so that the option helps and not the key.
        let address = literal(url.host_str().unwrap_or_default());
        let (command, url) = (asking.request.command, shell_word(asking.request.url));
        let help = format!(
            "allow its network if the feed is meant to be there, for example: {command} \
             --allow-network {address} {url}"
        );
        failure.help = Some(help.into());
    }
    Err(Error::Document(url.clone(), Box::new(error)))
}

/// The host when it is an IP address, else a placeholder.
fn literal(host: &str) -> &str {
    let bare = host.trim_matches(['[', ']']);
    if bare.parse::<std::net::IpAddr>().is_ok() { bare } else { "ADDRESS" }
}

fn commands(command: &str, links: &[Linked]) -> String {
    let mut text = String::new();
    for Linked { url, link, .. } in links {
        let title = link.title.as_deref().map(line).filter(|title| !title.is_empty());
        let kind = link.media_type.as_deref().map(line).unwrap_or_default();
        let about = title.map_or_else(|| kind.clone(), |title| format!("{title}, {kind}"));
        let _ = writeln!(text, "  {command} {}   # {about}", shell_word(url.as_str()));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_be_written_without_its_scheme() {
        for (text, expected) in [
            ("https://example.org/feed", Some("https://example.org/feed")),
            ("example.org", Some("https://example.org/")),
            ("example.org:8080/feed", Some("https://example.org:8080/feed")),
            ("http://example.org", Some("http://example.org/")),
            ("feed://example.org/feed", Some("http://example.org/feed")),
            ("feed://http://example.org/feed", Some("http://example.org/feed")),
            ("feed:https://example.org/feed", Some("https://example.org/feed")),
            ("FEED:http://example.org/feed", Some("http://example.org/feed")),
            ("feed:example.org", Some("http://example.org/")),
            ("//example.org/feed", Some("https://example.org/feed")),
            ("///example.org/feed", None),
            ("/example.org/feed", None),
            ("", None),
            ("mailto:a@example.org", None),
            ("ftp://example.org/", None),
            ("https://me:secret@example.org/", None),
            ("https//me:secret@example.org/", None),
            (
                "example.org/?from=http://example.net",
                Some("https://example.org/?from=http://example.net"),
            ),
            ("https://", None),
            ("https//", None),
            ("https://example.org:99999/", None),
            ("https://two words.test/", None),
            ("~/feed.xml", None),
            ("~me/feed.xml", None),
        ] {
            let read = parse_url(text);
            assert_eq!(read.as_ref().ok().map(Url::as_str), expected, "{text}");
            assert!(!read.err().is_some_and(|error| error.to_string().contains("secret")));
        }
    }

    #[test]
    fn a_scheme_in_the_place_of_the_host_is_an_error_with_the_url_that_is_meant() {
        for (text, meant) in [
            ("https//example.org/feed?a=1", "https://example.org/feed?a=1"),
            ("http//example.org", "http://example.org/"),
            ("HTTPS/example.org", "https://example.org/"),
            ("http://https://example.org/feed", "https://example.org/feed"),
            ("http://http//example.org/", "http://example.org/"),
        ] {
            let error = parse_url(text).expect_err(text);
            assert_eq!(error.code(), "invalid_feed_url", "{text}");
            let help = error.help().unwrap_or_default();
            assert!(help.ends_with(&format!("did you mean \"{meant}\"?")), "{text}: {help}");
        }
        assert!(parse_url("http.example.org").is_ok());
    }
}
