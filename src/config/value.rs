//! One value of the config: text to a duration, a size, an address. Pure; leaves places to `section`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use ipnet::IpNet;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use regex::Regex;
use url::Url;

use super::report::Quote;
use crate::publish::TitlePrefix;

/// What is wrong with a value, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: String,
    pub(super) quote: Quote,
}

fn fault<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { message: message.into(), help: help.into(), quote: Quote::Line })
}

/// `30m`, `1h 30m`, `2d`: never nought, never with months, which have no length.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    const HELP: &str = "write a number and a unit: \"45s\", \"30m\", \"1h 30m\", \"2d\", \"1w\"";
    let Ok(span) = text.trim().parse::<Span>() else {
        return fault(format!("{text:?} is no duration"), HELP);
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
        other => duration(other)
            .map(Some)
            .map_err(|fault| Fault { help: format!("{}, or \"auto\"", fault.help), ..fault }),
    }
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
        _ => fault(format!("{text:?} is no size"), HELP),
    }
}

/// An http or https URL without credentials.
pub(super) fn web_url(text: &str) -> Result<Url, Fault> {
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return fault(
                format!("{text:?} is no absolute URL"),
                format!("write the scheme too: \"https://{}\"", text.trim_start_matches('/')),
            );
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
            quote: Quote::Nothing,
        });
    }
    Ok(url)
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

/// The certificates in a file.
pub(super) fn certificates(path: &str) -> Result<Arc<[u8]>, Fault> {
    const HELP: &str = "name a file with certificates in PEM, -----BEGIN CERTIFICATE-----";
    match std::fs::read(path) {
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
    text.parse::<TitlePrefix>().or_else(|error| {
        fault(error.to_string(), "write a text with the name of the feed in it: \"{source}: \"")
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
