//! One value of the config: text to a duration, a size, an address. Pure; leaves places to `section`.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use ipnet::IpNet;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use regex::Regex;
use url::Url;

use super::named_file;
use super::near::nearest;
use crate::render::{PrefixError, TitlePrefix};

/// What is wrong with a value, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: String,
    /// What to write instead, where that is plain.
    pub(super) instead: Option<String>,
}

fn fault<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { message: message.into(), help: help.into(), instead: None })
}

impl Fault {
    /// The same with what was probably meant.
    fn instead(self, instead: impl Into<String>) -> Self {
        let instead = instead.into();
        let help = format!("did you mean {instead:?}? {}", self.help);
        Self { help, instead: Some(instead), ..self }
    }
}

/// `30m`, `1h 30m`, `2d`: never nought, never with months, which have no length.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    const HELP: &str = "write a number and a unit: \"45s\", \"30m\", \"1h 30m\", \"2d\", \"1w\"";
    let Ok(span) = text.trim().parse::<Span>() else {
        let end = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let (number, unit) = text.trim().split_at(end);
        return meant(format!("{text:?} is no duration"), HELP, number, unit, SPANS);
    };
    if span.get_years() != 0 || span.get_months() != 0 {
        return fault(
            format!("{text:?} has no fixed length"),
            "months and years differ: write days, \"30d\"",
        );
    }
    let duration = SpanRelativeTo::days_are_24_hours();
    match span.to_duration(duration).ok().and_then(|d: SignedDuration| Duration::try_from(d).ok()) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        Some(_) => fault("a duration of nought", HELP),
        None => fault(format!("{text:?} is negative"), HELP),
    }
}

/// An interval; `None` for "auto".
pub(super) fn interval(text: &str) -> Result<Option<Duration>, Fault> {
    match text.trim() {
        "auto" => Ok(None),
        other => duration(other).map(Some).map_err(|fault| {
            let help = format!("{}, or \"auto\"", fault.help);
            match nearest(other, ["auto"].into_iter()).filter(|_| fault.instead.is_none()) {
                Some(auto) => Fault { help, ..fault }.instead(auto),
                None => Fault { help, ..fault },
            }
        }),
    }
}

/// A duration as the config has it.
pub(super) fn spelt(duration: Duration) -> String {
    format!("\"{:#}\"", SignedDuration::try_from(duration).unwrap_or_default())
}

/// `10 MiB`, `500 kB`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, Fault> {
    const HELP: &str = "write a number and a unit: \"512 KiB\", \"10 MiB\", \"1 GB\"";
    let text_ = text.trim();
    let end = text_.find(|c: char| !c.is_ascii_digit()).unwrap_or(text_.len());
    let (number, unit) = text_.split_at(end);
    let factor: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "b" => Some(1),
        "kb" => Some(1_000),
        "kib" => Some(1 << 10),
        "mb" => Some(1_000_000),
        "mib" => Some(1 << 20),
        "gb" => Some(1_000_000_000),
        "gib" => Some(1 << 30),
        _ => None,
    };
    match number.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor)) {
        Some(size) if size > 0 => Ok(size),
        _ => meant(format!("{text:?} is no size"), HELP, number, unit, SIZES),
    }
}

/// Units of sizes and of durations as people write them.
const SIZES: &[&str] = &["B", "kB", "KiB", "MB", "MiB", "GB", "GiB"];
const SPANS: &[&str] = &[
    "second", "seconds", "sec", "minute", "minutes", "min", "hour", "hours", "day", "days", "week",
    "weeks",
];

/// A fault in a number with a unit, with what was probably meant.
fn meant<T>(
    message: String,
    help: &str,
    number: &str,
    unit: &str,
    known: &[&str],
) -> Result<T, Fault> {
    let unit = unit.trim();
    let number = number.trim().parse::<u64>().ok().filter(|number| *number > 0);
    let lower: Vec<String> = known.iter().map(|known| known.to_lowercase()).collect();
    let near = nearest(unit, lower.iter().map(String::as_str)).filter(|_| unit.len() > 1);
    let near = near.and_then(|near| known.iter().find(|known| known.eq_ignore_ascii_case(near)));
    let fault = Fault { message, help: help.to_owned(), instead: None };
    Err(match number.zip(near) {
        Some((number, unit)) => fault.instead(format!("{number} {unit}")),
        None => fault,
    })
}

/// An http or https URL without credentials.
pub(super) fn web_url(text: &str) -> Result<Url, Fault> {
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let instead = format!("https://{}", text.trim().trim_start_matches('/'));
            return Err(Fault {
                message: format!("{text:?} is no absolute URL"),
                help: format!("write the scheme too: {instead:?}"),
                instead: Some(instead),
            });
        }
        Err(error) => return fault(format!("{text:?} is no URL: {error}"), "check the address"),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return fault(
            format!("newswire cannot ask {}: addresses", url.scheme()),
            "only http and https are polled",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault {
            message: "credentials in an address: secrets are never values in this file".to_owned(),
            help: "take user and password out of the URL".to_owned(),
            instead: None,
        });
    }
    Ok(url)
}

/// A host as requests are counted by, its registrable domain.
pub(super) fn site(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("https://{text}/") };
    let url = Url::parse(&url).ok().filter(|url| url.has_host());
    let Some(site) = url.as_ref().map(crate::model::site) else {
        return fault(format!("{text:?} is no host"), "write a domain: \"example.org\"");
    };
    if site == text {
        return Ok(site.to_owned());
    }
    Err(Fault {
        message: format!("{text:?} is not what requests are counted by"),
        help: format!("write its registrable domain, without scheme, port and path: {site:?}"),
        instead: Some(site.to_owned()),
    })
}

/// The name of a header, RFC 9110 5.6.2, that is ours to choose.
pub(super) fn header_name(name: &str) -> Result<(), Fault> {
    /// What newswire says itself, or what is of one connection alone, RFC 9110 7.6.1.
    const TAKEN: &[&str] = &[
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "accept-encoding",
        "if-none-match",
        "if-modified-since",
        "range",
    ];
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return fault(format!("{name:?} is no name of a header"), "write it as \"X-Api-Key\"");
    }
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "user-agent" => fault("User-Agent is no secret", "write user_agent = \"…\" in [fetch]"),
        lower if TAKEN.contains(&lower) => {
            fault(format!("newswire sets {name} itself"), "leave it out")
        }
        _ => Ok(()),
    }
}

/// A network, `192.168.1.0/24`, or one address of it.
pub(super) fn network(text: &str) -> Result<IpNet, Fault> {
    let text = text.trim();
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    match text.parse::<IpNet>().ok().or_else(one) {
        Some(network) => Ok(network.trunc()),
        None => fault(
            format!("{text:?} is no network"),
            "write an address or a prefix: \"192.168.1.0/24\", \"fd00::/8\"",
        ),
    }
}

/// The value of `Authorization`: as it is, or made of `user:password`. RFC 7617 2.
pub(super) fn authorization(secret: &str) -> String {
    match secret.contains(':') && !secret.contains(' ') {
        true => format!("Basic {}", STANDARD.encode(secret)),
        false => secret.to_owned(),
    }
}

/// Maximum size in bytes of a file with certificates: more than all authorities that browsers trust.
const MAX_CERTIFICATES: u64 = 4 << 20;

/// The certificates in a file.
pub(super) fn certificates(path: &Path) -> Result<Arc<[u8]>, Fault> {
    const HELP: &str = "name a file with certificates in PEM, -----BEGIN CERTIFICATE-----";
    match named_file::read(path, MAX_CERTIFICATES) {
        Ok(pem) if pem.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----") => {
            Ok(pem.into())
        }
        Ok(_) => fault(format!("there is no certificate in {path:?}"), HELP),
        Err(error) => fault(format!("{path:?} cannot be read: {error}"), HELP),
    }
}

/// Where to listen; `None` for "off".
pub(super) fn listen(text: &str) -> Result<Option<SocketAddr>, Fault> {
    match text.trim() {
        "off" => Ok(None),
        address => match address.parse() {
            Ok(address) => Ok(Some(address)),
            Err(_) => fault(
                format!("{text:?} is no address to listen on"),
                "write address and port: \"127.0.0.1:8420\", \"[::]:8420\", or \"off\"",
            ),
        },
    }
}

/// A name or an address that requests may call this server by, without port; IPv6 without brackets.
pub(super) fn host(text: &str) -> Result<String, Fault> {
    let bare = text.trim();
    let literal = bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(bare);
    if let Ok(address) = literal.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    match url::Host::parse(bare.strip_suffix('.').unwrap_or(bare)) {
        Ok(url::Host::Domain(name)) if !bare.contains('*') => Ok(name),
        _ => fault(
            format!("{text:?} is no name of a host"),
            "write the name alone, without scheme and port: \"planet.example.org\"",
        ),
    }
}

/// A regular expression.
pub(super) fn regex(text: &str) -> Result<Regex, Fault> {
    Regex::new(text).or_else(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        fault(
            format!("{text:?} is no regular expression: {why}"),
            "see docs.rs/regex for the syntax",
        )
    })
}

/// A language by its tag, RFC 5646 2.1, as far as a reader checks it.
pub(super) fn language(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let primary = text.split('-').next().unwrap_or_default();
    let letters =
        (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    if !letters || !text.split('-').all(part) {
        return fault(
            format!("{text:?} is no language"),
            "write its tag: \"en\", \"de-AT\", \"zh-Hant\"",
        );
    }
    Ok(text.to_owned())
}

/// What is put before titles.
pub(super) fn title_prefix(text: &str) -> Result<TitlePrefix, Fault> {
    text.parse::<TitlePrefix>().map_err(|error| {
        let help = "write a text with the name of the feed in it: \"{source}: \"".to_owned();
        let fault = Fault { message: error.to_string(), help, instead: None };
        let PrefixError::Unknown(braced) = &error else { return fault };
        let word = braced.trim_matches(['{', '}', ' ']);
        match nearest(word, ["source"].into_iter()) {
            Some(near) => fault.instead(text.replacen(braced, &format!("{{{near}}}"), 1)),
            None => fault,
        }
    })
}

/// What follows `host` in public: a slash at the end, no query.
pub(super) fn public_url(text: &str) -> Result<Url, Fault> {
    let mut url = web_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return fault("a public address has no query and no fragment", "cut it after the path");
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// An id, which becomes a file name and a path.
pub(super) fn id(text: &str) -> Result<&str, Fault> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if !(1..=64).contains(&text.len()) || !text.chars().all(fits) || text.starts_with('.') {
        return fault(
            format!("{text:?} is no id"),
            "an id has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', and begins with no dot",
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("30m", 1800), ("1h 30m", 5400), ("2d", 172_800), ("1w", 604_800), ("90 seconds", 90)]
        {
            assert_eq!(duration(text).map(|d| d.as_secs()), Ok(seconds), "{text}");
        }
        for text in ["", "30", "0s", "-5m", "1 month", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_and_nothing_beside() {
        for (text, name) in [
            ("planet.example.org", "planet.example.org"),
            ("Planet.Example.org.", "planet.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(name), "{text}");
        }
        for text in ["", "https://a.test", "a.test:80", "a.test/x", "*.a.test", "a b", "1.2.3"] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_with_both_kinds_of_units() {
        for (text, bytes) in [("10 MiB", 10 << 20), ("10MB", 10_000_000), ("1 KiB", 1024)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "10", "0 MB", "-1 MB", "1.5 MB", "99999999999 GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
