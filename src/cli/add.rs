//! `newswire add`: adds feeds to the config, by their URLs or by the URLs of pages that link to them.

pub(super) mod discover;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use url::Url;

pub use self::discover::Error;
use self::discover::{Asking, Found, find_feed, summary};
use super::append_feeds::{self, CommandOutput, Destination};
use super::init;
use super::online::{Online, Promises};
use super::terminal::shell_word;
use crate::config::{self, Config, Files};
use crate::edit::{EditError, FeedEdit, edit_feed};
use crate::model::{Coded as _, Feed, FeedId, Removal, has_login};
use crate::opml;
use crate::text::chars::shortened;

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

/// Fetches the feed, or the only feed that the page links to. Shows its title and its newest items, and
/// appends it to the config or prints its block. Creates a config if no file exists and the operator named none.
///
/// # Errors
/// When no feed or more than one is found, the config cannot be changed, or has errors: without its proxy and its other
/// settings, the requests would be others.
pub(super) async fn run(
    request: Request<'_>,
    config_path: Option<&Path>,
    destination: Destination,
) -> Result<CommandOutput, Error> {
    let existing = match append_feeds::config(config_path, Destination::Config) {
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
    let (schedule, settings, written) = (&*schedule, &settings, without_marks(request.url));
    let (online, command) = (&online, request.command);
    let asking = Asking { online, schedule, settings, written, command, config };
    let configured = |url: &Url| already_configured(url, known, request);
    let (url, document, parsed) = match find_feed(url, asking).await {
        Ok(Found::New(found)) => *found,
        Ok(Found::Known(url)) => return Ok(configured(&url).unwrap_or_default()),
        // A redirect to a feed that was requested a short time ago.
        Err(error) => return error.held().and_then(configured).ok_or(error),
    };
    if let Some(output) = configured(&url) {
        return Ok(output);
    }
    let (feed, summary) = (feed(&url, request), summary(&url, &parsed));
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
    if let Some(page) = profile_page(text.trim()) {
        return Err(Error::Account { written: text.to_owned(), page });
    }
    let text = opml::without_feed_scheme(without_marks(text));
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

/// The URL without the marks around it that a mail or a text has.
fn without_marks(text: &str) -> &str {
    const MARKS: [(char, char); 8] = [
        ('<', '>'),
        ('"', '"'),
        ('“', '”'),
        ('„', '“'),
        ('”', '”'),
        ('‘', '’'),
        ('«', '»'),
        ('»', '«'),
    ];
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}');
    let inside = |(open, close)| text.strip_prefix(open)?.strip_suffix(close);
    MARKS.into_iter().find_map(inside).unwrap_or(text).trim()
}

/// The page of the profile of an account in the fediverse: that of `@jane@example.org` and `acct:jane@example.org`.
fn profile_page(text: &str) -> Option<Url> {
    let account = text.strip_prefix('@').or_else(|| text.strip_prefix("acct:"))?;
    let (user, host) = account.split_once('@')?;
    let page = Url::parse(&format!("https://{host}/@{user}")).ok()?;
    let is_name = |c: char| c.is_alphanumeric() || "._-".contains(c);
    (!user.is_empty() && account.replace('@', "").chars().all(is_name) && !has_login(&page))
        .then_some(page)
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
    // By its id it is found by all commands.
    let name = subscription.feed.id.as_ref().map(|id| format!(" as {id}")).unwrap_or_default();
    let stdout = format!("{} is already configured{name}\n", shortened(url.as_str()));
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
            ("“https://example.org/feed”", Some("https://example.org/feed")),
            ("<https://example.org/feed>", Some("https://example.org/feed")),
            (" «feed:example.org» ", Some("http://example.org/")),
            ("\u{200b}https://example.org/\u{200b}", Some("https://example.org/")),
            ("@user@mastodon.example", None),
        ] {
            let read = parse_url(text);
            assert_eq!(read.as_ref().ok().map(Url::as_str), expected, "{text}");
            assert!(!read.err().is_some_and(|error| error.to_string().contains("secret")));
        }
    }

    #[test]
    fn an_account_of_the_fediverse_leads_to_the_page_of_its_profile() {
        for text in ["@jane.d@social.example", "acct:jane.d@social.example"] {
            let error = parse_url(text).expect_err(text);
            assert_eq!(error.code(), "invalid_feed_url", "{text}");
            let help = error.help().unwrap_or_default();
            assert!(help.ends_with("https://social.example/@jane.d"), "{help}");
        }
        for text in
            ["jane:secret@social.example", "@jane:secret@social.example", "@@social.example"]
        {
            assert!(!matches!(parse_url(text), Err(Error::Account { .. })), "{text}");
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
