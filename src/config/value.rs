//! One value of the config: from TOML to a typed value, by the kind of its key.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::definition::{Bound, Key, Kind, Limit, Unit};
use super::diagnostic::{Diagnostic, Report, Severity};
use super::section::Layer;
use super::suggest::nearest;
use super::{listen, named_file, page_files, podcast, quantity};
use crate::fetch::Secret;
use crate::model::LinkPattern;
use crate::normalise::Selector;
use crate::render::{Logo, PrefixError, TitlePrefix};
use crate::web::ListenAddress;

/// A value that its key accepts.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(usize),
    Duration(Duration),
    /// `"auto"`
    Auto,
    /// Bytes.
    Size(u64),
    Word(&'static str),
    Words(Vec<&'static str>),
    Texts(Vec<ListedText>),
    Networks(Vec<IpNet>),
    Url(Url),
    Path(PathBuf),
    Certificates(Arc<[u8]>),
    PageText(Arc<str>),
    Picture(Logo),
    Regex(Regex),
    TitlePrefix(TitlePrefix),
    /// None is `"off"`.
    Listen(Vec<ListenAddress>),
    /// `None` is `"off"`.
    Address(Option<SocketAddr>),
    Secrets(Vec<(String, Secret)>),
    Rules(Vec<Layer>),
    Links(Vec<LinkPattern>),
    Selectors(Vec<Selector>),
    Replacements(Vec<(Regex, String)>),
    TimeZone(TimeZone),
}

/// A text in a list, with its place.
#[derive(Debug, Clone)]
pub(super) struct ListedText {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// Why a value is invalid, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
    /// The value that was probably meant.
    pub(super) suggestion: Option<String>,
}

impl Invalid {
    pub(super) fn new(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { code, message: message.into(), help: help.into(), suggestion: None }
    }

    /// Suggests a value.
    pub(super) fn meant(self, meant: impl Into<String>) -> Self {
        let meant = meant.into();
        let help = format!("did you mean {meant:?}? {}", self.help);
        Self { help, suggestion: Some(meant), ..self }
    }

    pub(super) fn at(self, span: Range<usize>) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code, span, self.message).help(self.help);
        Diagnostic { suggestion: self.suggestion, ..diagnostic }
    }
}

type Parsed = Result<Value, Invalid>;

/// Parses the text of a value that is a string. Relative paths start in `state`.
pub(super) fn parse(key: &Key, text: &str, state: &Path) -> Parsed {
    let path = || filled(key, text).map(|path| state.join(path));
    match key.kind {
        Kind::Duration(unit, _) => quantity::positive(text, unit).map(Value::Duration),
        Kind::Spacing => quantity::duration(text, Unit::Seconds).map(Value::Duration),
        Kind::Interval(_) => {
            quantity::interval(text).map(|read| read.map_or(Value::Auto, Value::Duration))
        }
        Kind::Size => quantity::size(text).map(Value::Size),
        Kind::Rate => quantity::rate(text).map(Value::Size),
        Kind::Choice(words) => choice(key.name, text, words).map(Value::Word),
        Kind::Url => web_url(text).map(Value::Url),
        Kind::BaseUrl => base_url(text).map(Value::Url),
        Kind::Proxy => proxy_url(text).map(Value::Url),
        Kind::File | Kind::Folder => path().map(Value::Path),
        Kind::Certificates => certificates(&path()?).map(Value::Certificates),
        Kind::PageText => page_files::text(&path()?).map(Value::PageText),
        Kind::Picture => page_files::picture(&path()?).map(Value::Picture),
        Kind::Id => id(text).map(|id| Value::Text(id.to_owned())),
        Kind::Site => site(text).map(Value::Text),
        Kind::Language => language(text).map(Value::Text),
        Kind::Regex => regex(text).map(Value::Regex),
        Kind::PodcastCategory => podcast::category(text).map(Value::Word),
        Kind::TimeZone => time_zone(text).map(Value::TimeZone),
        Kind::TitlePrefix => title_prefix(text).map(Value::TitlePrefix),
        Kind::Listen => {
            listen::addresses(text).map(|found| Value::Listen(found.into_iter().collect()))
        }
        Kind::Address => listen::address(text).map(Value::Address),
        Kind::HeaderText => header_text(key, filled(key, text)?),
        _ => filled(key, text).map(|text| Value::Text(text.to_owned())),
    }
}

/// Parses one text of a list.
pub(super) fn parse_listed(key: &Key, text: &str) -> Result<String, Invalid> {
    match key.kind {
        Kind::Languages => language(text),
        Kind::Hosts => host(text),
        Kind::Networks => network(text).map(|network| network.to_string()),
        Kind::Links => link_pattern(text).map(|_| text.trim().to_owned()),
        Kind::Listen => listen::one(text).map(|_| text.trim().to_owned()),
        Kind::Selectors => selector(text).map(|_| text.trim().to_owned()),
        Kind::Choices(words) => choice(key.name, text, words).map(str::to_owned),
        _ => Ok(text.trim().to_owned()),
    }
}

/// Reports a duration outside the limits of its key. Returns whether it is acceptable.
pub(super) fn is_within(
    key: &Key,
    duration: Duration,
    span: &Range<usize>,
    report: &mut Report,
) -> bool {
    let limits = match key.kind {
        Kind::Duration(_, limits) | Kind::Interval(limits) => limits,
        _ => return true,
    };
    let exceeded = |limit: &&Limit| match limit.bound {
        Bound::Minimum => duration < Duration::from_secs(limit.seconds),
        Bound::Maximum => duration > Duration::from_secs(limit.seconds),
    };
    let Some(limit) = limits.iter().find(exceeded) else { return true };
    let side = if limit.bound == Bound::Minimum { "shorter" } else { "longer" };
    let bound = quantity::spelled(Duration::from_secs(limit.seconds));
    let message = format!("{} is {side} than {bound}", key.name);
    let diagnostic = match limit.severity {
        Severity::Error => Diagnostic::error(limit.code, span.clone(), message),
        Severity::Warning => Diagnostic::warning(limit.code, span.clone(), message),
    };
    report.push(diagnostic.help(limit.help));
    limit.severity == Severity::Warning
}

/// Parses a whole number.
pub(super) fn number(key: &Key, min: usize, max: usize, number: Option<usize>) -> Parsed {
    number.filter(|number| (min..=max).contains(number)).map(Value::Number).ok_or_else(|| {
        if min == max {
            let message = format!("this Newswire cannot read {} {}", key.name, number.unwrap_or(0));
            return Invalid::new(
                "unsupported_version",
                message,
                format!("write {} = {min}", key.name),
            );
        }
        let near = if number.is_some_and(|number| number > max) { max } else { min };
        let message = format!("{} must be from {min} to {max}", key.name);
        let help = format!("write {near}, or another number in this range");
        let invalid = Invalid::new("out_of_range", message, help);
        Invalid { suggestion: Some(near.to_string()), ..invalid }
    })
}

/// The error for a value of another TOML type than the key has.
pub(super) fn wrong_type(key: &Key, value: &Spanned<DeValue<'_>>) -> Diagnostic {
    let message = format!("{} must be {}, not {}", key.name, key.kind.wanted(), type_of(value));
    let diagnostic = Diagnostic::error("wrong_type", value.span(), message);
    let list = key.kind.wanted() == "a list of texts";
    let number = match value.get_ref() {
        DeValue::Integer(number) => number.as_str().replace('_', "").parse::<f64>().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    };
    let text = value.get_ref().as_str().unwrap_or_default().trim();
    let suggestion = match (key.kind, value.get_ref()) {
        (Kind::Number { .. }, DeValue::String(_)) => {
            let digits = text.trim_end_matches('%').trim().replace(['_', ','], "");
            digits.parse::<usize>().ok().map(|number| number.to_string())
        }
        (Kind::Number { .. }, DeValue::Float(_)) => {
            number.filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|number| number.to_string())
        }
        (Kind::Flag, DeValue::String(_)) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true".to_owned()),
            "false" | "no" | "off" => Some("false".to_owned()),
            _ => None,
        },
        (_, DeValue::String(_)) if list => {
            let parts: Vec<String> =
                text.split(',').map(|part| format!("{:?}", part.trim())).collect();
            Some(format!("[{}]", parts.join(", ")))
        }
        _ => meant_text(key.kind, value.get_ref(), number).map(|text| format!("{text:?}")),
    };
    let is_category = matches!(key.kind, Kind::PodcastCategory);
    let bare = !list && !is_category && !value.get_ref().is_table() && !value.get_ref().is_array();
    match suggestion {
        Some(suggestion) => diagnostic.help(format!("write {suggestion}")).suggest(suggestion),
        None if list => diagnostic.help("put it in brackets: [\"…\"]"),
        None if bare && key.kind.wanted() == "a text in quotes" => {
            diagnostic.help("put it in quotes, with a unit if it has one")
        }
        None => diagnostic.help(format!("write it as {}", key.example)),
    }
}

/// The text that a number or a boolean probably means.
fn meant_text(kind: Kind, value: &DeValue<'_>, number: Option<f64>) -> Option<String> {
    match (kind, value) {
        (Kind::Choice(words), DeValue::Boolean(on)) => {
            let word = match on {
                true => words.first(),
                false => words.iter().find(|word| matches!(**word, "off" | "ignore" | "none")),
            };
            word.map(|word| (*word).to_owned())
        }
        (Kind::Listen | Kind::Address, DeValue::Boolean(false)) => Some("off".to_owned()),
        (Kind::Duration(unit, _), _) => quantity::bare_duration(number?, unit),
        (Kind::Spacing, _) => quantity::bare_duration(number?, Unit::Seconds),
        (Kind::Interval(_), _) => quantity::bare_duration(number?, Unit::Minutes),
        (Kind::Size, _) => number.filter(|n| *n > 0.0).and_then(quantity::bare_size),
        (Kind::Rate, _) => {
            let size = number.filter(|n| *n > 0.0).and_then(quantity::bare_size)?;
            Some(format!("{size}/day"))
        }
        (Kind::Listen | Kind::Address, _) => {
            Some(format!("127.0.0.1:{}", number.filter(|n| *n <= 65_535.0)?))
        }
        (Kind::Text | Kind::Id, DeValue::Integer(number)) => Some(number.as_str().to_owned()),
        (_, DeValue::Array(array)) if array.len() == 1 => {
            array.iter().next()?.get_ref().as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// The TOML type of a value, with its article.
pub(super) fn type_of(value: &Spanned<DeValue<'_>>) -> String {
    let name = value.get_ref().type_str();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// The text without space around it; an error if nothing is left.
fn filled<'t>(key: &Key, text: &'t str) -> Result<&'t str, Invalid> {
    let text = text.trim();
    match text.is_empty() {
        true => Err(Invalid::new(
            "empty_value",
            format!("{} is empty", key.name),
            "write a value, or remove the key",
        )),
        false => Ok(text),
    }
}

/// Text of visible ASCII characters (RFC 9110 5.5).
fn header_text(key: &Key, text: &str) -> Parsed {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(Value::Text(text.to_owned()));
    }
    let message = format!("{} has characters that a header cannot contain", key.name);
    Err(Invalid::new("bad_header", message, "use visible ASCII characters only"))
}

fn choice(key: &str, text: &str, words: &'static [&'static str]) -> Result<&'static str, Invalid> {
    if let Some(word) = words.iter().find(|word| **word == text) {
        return Ok(word);
    }
    let all: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    let message = format!("{text:?} is not a value of {key}");
    let invalid =
        Invalid::new("unknown_value", message, format!("write one of {}", all.join(", ")));
    Err(match nearest(text.trim(), words.iter().copied()) {
        Some(near) => invalid.meant(near),
        None => invalid,
    })
}

/// An http or https URL without a user and a password.
pub(super) fn web_url(text: &str) -> Result<Url, Invalid> {
    let bad = |message: String, help: &str| Invalid::new("bad_url", message, help);
    let url = Url::parse(text.trim()).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            let meant = format!("https://{}", text.trim().trim_start_matches('/'));
            let invalid = bad(format!("{text:?} is not an absolute URL"), "write the scheme too");
            if Url::parse(&meant).is_ok() { invalid.meant(meant) } else { invalid }
        }
        error => bad(format!("{text:?} is not a URL: {error}"), "check the address"),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!("URLs with {}: are not supported", url.scheme());
        let meant = match url.scheme() {
            "feed" => text.trim().replacen("feed:", "", 1),
            // "example.org:8080/feed" has the host as its scheme.
            scheme if scheme.contains('.') => text.trim().to_owned(),
            _ => return Err(bad(message, "write a URL with http or https")),
        };
        let meant = meant.trim_start_matches("//").to_owned();
        let meant = if meant.starts_with("http") { meant } else { format!("https://{meant}") };
        return Err(bad(message, "write a URL with http or https").meant(meant));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message =
            "the URL contains a user or a password, and secrets belong in files of their own";
        return Err(bad(
            message.to_owned(),
            "remove user and password from the URL; use authorization",
        ));
    }
    Ok(url)
}

/// The URL of a proxy. SOCKS is supported as `socks5h` only, where the proxy resolves host names: otherwise the name
/// servers of this machine would see them.
fn proxy_url(text: &str) -> Result<Url, Invalid> {
    let lower = text.trim().to_ascii_lowercase();
    let bad = |message: String| {
        Invalid::new("bad_url", message, "write \"http://HOST:PORT\" or \"socks5h://HOST:PORT\"")
    };
    let Some((scheme, rest)) = lower.split_once("://") else { return web_url(text) };
    let url = match scheme {
        "socks5h" => Url::parse(&lower).map_err(|_| bad(format!("{text:?} is not a URL")))?,
        "socks" | "socks4" | "socks4a" | "socks5" | "tor" => {
            let message = format!("a proxy with {scheme} is not supported");
            return Err(bad(message).meant(format!("socks5h://{rest}")));
        }
        _ => web_url(text)?,
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(format!("{text:?} has no host")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message =
            "the URL contains a user or a password, and secrets belong in files of their own";
        return Err(Invalid::new(
            "bad_url",
            message,
            "remove both from the URL; use proxy_authorization",
        ));
    }
    Ok(url)
}

/// The URL of this server: a slash at the end, no query.
fn base_url(text: &str) -> Result<Url, Invalid> {
    let mut url = web_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        let message = "public_url must have no query and no fragment";
        return Err(Invalid::new("bad_url", message, "end it after the path"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The registrable domain of a server, or an IP address.
fn site(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("https://{text}/") };
    let url = Url::parse(&url).ok().filter(Url::has_host);
    let bad = |message: String, help: &str| Invalid::new("bad_host", message, help);
    let Some(site) = url.as_ref().map(crate::model::site) else {
        return Err(bad(format!("{text:?} is not a host"), "write a domain: \"example.org\""));
    };
    if site == text {
        return Ok(site.to_owned());
    }
    let help =
        "a [[server]] applies to a registrable domain; write it without scheme, port and path";
    Err(bad(format!("{text:?} is not a registrable domain"), help).meant(site))
}

/// Parses a network (`192.168.1.0/24`) or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Invalid> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        let help = "write the address of this machine";
        let invalid = Invalid::new("bad_network", format!("{text:?} is a name"), help);
        return Err(invalid.meant("127.0.0.1"));
    }
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(one).map(|network| network.trunc()).ok_or_else(|| {
        let help = "write an address or a network: \"192.168.1.0/24\", \"fd00::/8\"";
        Invalid::new("bad_network", format!("{text:?} is not a network"), help)
    })
}

/// Maximum size in bytes of a file with certificates: more than all authorities that browsers trust.
const MAX_CERTIFICATES: u64 = 4 << 20;

/// The certificates in a file (PEM).
fn certificates(path: &Path) -> Result<Arc<[u8]>, Invalid> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const HELP: &str = "name a file with certificates in PEM, -----BEGIN CERTIFICATE-----";
    match named_file::read(path, MAX_CERTIFICATES) {
        Ok(pem) if pem.windows(BEGIN.len()).any(|part| part == BEGIN) => Ok(pem.into()),
        Ok(_) => {
            Err(Invalid::new("bad_certificates", format!("{path:?} has no certificate"), HELP))
        }
        Err(error) => {
            let message = format!("cannot read {path:?}: {error}");
            Err(Invalid::new("bad_certificates", message, HELP))
        }
    }
}

/// A host name or an IP address without port; lower case, IPv6 without brackets.
fn host(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let literal = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = literal.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    match url::Host::parse(text.strip_suffix('.').unwrap_or(text)) {
        Ok(url::Host::Domain(name)) if !text.contains('*') => Ok(name),
        _ => {
            let help = "write the name without scheme and port: \"planet.example.org\"";
            let invalid = Invalid::new("bad_host", format!("{text:?} is not a host name"), help);
            let url =
                if text.contains("://") { text.to_owned() } else { format!("http://{text}/") };
            let url = Url::parse(&url).ok().filter(|_| !text.contains('*'));
            let name = url.as_ref().and_then(Url::host_str).filter(|name| *name != text);
            Err(match name {
                Some(name) => invalid.meant(name),
                None => invalid,
            })
        }
    }
}

/// Memory limit of a compiled regular expression, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// A time zone of the IANA database.
fn time_zone(text: &str) -> Result<TimeZone, Invalid> {
    let text = text.trim();
    TimeZone::get(text).map_err(|_| {
        let message = format!("{text:?} is not a time zone");
        let help = "write a name of the IANA database: \"Europe/Berlin\", \"UTC\"";
        let invalid = Invalid::new("bad_time_zone", message, help);
        let spelled = text.replace(' ', "_").to_lowercase();
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let is_named = |name: &&String| {
            let lower = name.to_lowercase();
            lower.rsplit('/').next() == Some(&*spelled)
        };
        match known.iter().find(is_named) {
            Some(name) => invalid.meant(name),
            None => invalid,
        }
    })
}

pub(super) fn regex(text: &str) -> Result<Regex, Invalid> {
    RegexBuilder::new(text).size_limit(MAX_REGEX).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            let message = format!("{text:?} needs more than 1 MiB as a regular expression");
            let help = "shorten it, or replace \\w by [a-z] and large counts by \"+\"";
            return Invalid::new("bad_regex", message, help);
        }
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let message = format!("{text:?} is not a regular expression: {why}");
        Invalid::new("bad_regex", message, "docs.rs/regex describes the syntax")
    })
}

/// A pattern of links: a host name with its subdomains, or a regular expression.
pub(super) fn link_pattern(text: &str) -> Result<LinkPattern, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        let help = "write a host name or a regular expression";
        return Err(Invalid::new("empty_value", "a text in links is empty", help));
    }
    if let Some(name) = text.strip_prefix("*.") {
        let message = format!("{text:?} is not a host name");
        let help = "a host name includes its subdomains";
        return Err(Invalid::new("bad_regex", message, help).meant(name));
    }
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_host = text.contains('.')
        && text.split('.').all(label)
        && (last.chars().any(char::is_alphabetic) || text.parse::<Ipv4Addr>().is_ok());
    match url::Host::parse(text) {
        Ok(host) if is_host => Ok(LinkPattern::Host(host.to_string())),
        _ => regex(text).map(LinkPattern::Regex),
    }
}

/// A CSS selector.
pub(super) fn selector(text: &str) -> Result<Selector, Invalid> {
    Selector::parse(text).map_err(|why| {
        let message = format!("{text:?} is not a CSS selector: {why}");
        let help =
            "docs/remove.md has examples, such as \".share\", \"#related\", \"a[href*='utm_']\"";
        Invalid::new("bad_selector", message, help)
    })
}

/// A language tag, RFC 5646 2.1, as far as a feed reader checks it.
fn language(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let primary = text.split('-').next().unwrap_or_default();
    let letters =
        (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    if letters && text.split('-').all(part) {
        return Ok(text.to_owned());
    }
    let help = "write a tag: \"en\", \"de-AT\", \"zh-Hant\"";
    let invalid = Invalid::new("bad_language", format!("{text:?} is not a language tag"), help);
    let dashed = text.split('.').next().unwrap_or_default().replace('_', "-");
    Err(match dashed != text && language(&dashed).is_ok() {
        true => invalid.meant(dashed),
        false => invalid,
    })
}

fn title_prefix(text: &str) -> Result<TitlePrefix, Invalid> {
    text.parse::<TitlePrefix>().map_err(|error| {
        let help = "write a text with the title of the feed in it: \"{source}: \"";
        let invalid = Invalid::new("bad_title_prefix", error.to_string(), help);
        let PrefixError::Unknown(braced) = &error else { return invalid };
        let word = braced.trim_matches(['{', '}', ' ']);
        match nearest(word, ["source"].into_iter()) {
            Some(near) => invalid.meant(text.replacen(braced, &format!("{{{near}}}"), 1)),
            None => invalid,
        }
    })
}

/// An id, which becomes a file name and a path.
fn id(text: &str) -> Result<&str, Invalid> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('.') {
        return Ok(text);
    }
    let help =
        "an id has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', and does not begin with a dot";
    let invalid = Invalid::new("bad_id", format!("{text:?} is not an id"), help);
    let meant: String =
        text.trim().to_lowercase().chars().map(|c| if c == ' ' { '-' } else { c }).collect();
    Err(match meant != text && id(&meant).is_ok() {
        true => invalid.meant(meant),
        false => invalid,
    })
}
