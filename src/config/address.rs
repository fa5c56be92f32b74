//! Texts that are addresses: URLs, hosts, networks, and addresses to listen on. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use toml::de::DeValue;
use url::Url;

use super::quantity::number_of;
use super::value::Invalid;
use crate::web::{ListenAddress, ListenAddressError};

/// An http or https URL without a user and a password.
pub(super) fn web_url(text: &str) -> Result<Url, Invalid> {
    let bad = |message: String, help: &str| Invalid::new("bad_url", message, help);
    let url = Url::parse(text.trim()).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            let meant = format!("https://{}", text.trim().trim_start_matches('/'));
            let invalid = bad(format!("{text:?} is not an absolute URL"), "write the scheme too");
            invalid.meant(Url::parse(&meant).is_ok().then_some(meant))
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
        return Err(bad(message, "write a URL with http or https").meant(Some(meant)));
    }
    without_login(url, "remove user and password from the URL; use authorization")
}

fn without_login(url: Url, help: &str) -> Result<Url, Invalid> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    let message = "the URL contains a user or a password, and secrets belong in separate files";
    Err(Invalid::new("bad_url", message, help))
}

/// The URL of a proxy. SOCKS is supported as `socks5h` only, where the proxy resolves host names: otherwise the name
/// servers of this machine would see them.
pub(super) fn proxy_url(text: &str) -> Result<Url, Invalid> {
    let lower = text.trim().to_ascii_lowercase();
    let bad = |message: String| {
        Invalid::new("bad_url", message, "write \"http://HOST:PORT\" or \"socks5h://HOST:PORT\"")
    };
    let Some((scheme, rest)) = lower.split_once("://") else { return web_url(text) };
    let url = match scheme {
        "socks5h" => Url::parse(&lower).map_err(|_| bad(format!("{text:?} is not a URL")))?,
        "socks" | "socks4" | "socks4a" | "socks5" | "tor" => {
            let message = format!("a proxy with {scheme} is not supported");
            return Err(bad(message).meant(Some(format!("socks5h://{rest}"))));
        }
        _ => web_url(text)?,
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(format!("{text:?} has no host")));
    }
    without_login(url, "remove both from the URL; use proxy_authorization")
}

/// The URL of this server: a slash at the end, no query.
pub(super) fn base_url(text: &str) -> Result<Url, Invalid> {
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
pub(super) fn site(text: &str) -> Result<String, Invalid> {
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
    Err(bad(format!("{text:?} is not a registrable domain"), help).meant(Some(site)))
}

/// Parses a network (`192.168.1.0/24`) or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Invalid> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        let help = "write the address, not the name";
        let invalid = Invalid::new("bad_network", format!("{text:?} is a name"), help);
        return Err(invalid.meant(Some("127.0.0.1")));
    }
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(one).map(|network| network.trunc()).ok_or_else(|| {
        let help = "write an address or a network: \"192.168.1.0/24\", \"fd00::/8\"";
        Invalid::new("bad_network", format!("{text:?} is not a network"), help)
    })
}

/// A host name or an IP address without port; lower case, IPv6 without brackets.
pub(super) fn host(text: &str) -> Result<String, Invalid> {
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
            Err(invalid.meant(name))
        }
    }
}

const LISTEN_HELP: &str =
    "write address and port: \"127.0.0.1:8420\", \"localhost:8420\", \":8420\", or \"off\"";
const SOCKET_HELP: &str =
    "write \"unix:/run/newswire/web.sock\", or with a mode \"unix:/run/newswire/web.sock|660\"";

/// One address; `None` is "off".
pub(super) fn listen_or_off(text: &str) -> Result<Option<ListenAddress>, Invalid> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    listen(text).map(Some)
}

/// One address of a list.
pub(super) fn listen(text: &str) -> Result<ListenAddress, Invalid> {
    text.parse::<ListenAddress>().map_err(|error| {
        let bad = |message, help| Invalid::new("bad_address", message, help);
        match error {
            ListenAddressError::Form(_) => {
                bad(error.to_string(), LISTEN_HELP).meant(meant_listen(text))
            }
            _ => bad(error.to_string(), SOCKET_HELP),
        }
    })
}

/// An IP address and a port; `None` is "off".
pub(super) fn socket(text: &str) -> Result<Option<SocketAddr>, Invalid> {
    let Some(listen) = listen_or_off(text)? else { return Ok(None) };
    listen.reachable().map(Some).ok_or_else(|| {
        Invalid::new(
            "bad_address",
            format!("{text:?} is not an IP address and a port"),
            LISTEN_HELP,
        )
    })
}

/// Removes addresses that another one of the list includes.
pub(super) fn without_repeats(mut addresses: Vec<ListenAddress>) -> Vec<ListenAddress> {
    let all = |port| ListenAddress::Tcp(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
    let known = addresses.clone();
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| {
        // On Linux `[::]` includes `0.0.0.0`.
        let is_included = matches!(address, ListenAddress::Tcp(tcp)
            if tcp.is_ipv4() && tcp.ip().is_unspecified() && known.contains(&all(tcp.port())));
        !is_included && seen.insert(address.clone())
    });
    addresses
}

/// The address that another spelling probably means.
fn meant_listen(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let port = |text: &str| text.parse::<u16>().ok();
    let bare = lower.trim_start_matches("https://").trim_start_matches("http://");
    let bare = bare.split('/').next().unwrap_or_default();
    match bare {
        "false" | "no" | "none" | "disabled" | "never" => Some("off".to_owned()),
        "localhost" | "*" => Some(format!("{}:8420", bare.trim_start_matches('*'))),
        _ if lower.starts_with('/') => Some(format!("unix:{}", text.trim())),
        _ if port(bare).is_some() => Some(format!("127.0.0.1:{bare}")),
        _ => match (bare.parse::<IpAddr>(), bare.rsplit_once(':')) {
            // "::1:8420" is an address too, but hardly meant as one.
            (Ok(IpAddr::V6(_)), Some((address, number)))
                if number.len() == 4
                    && port(number).is_some()
                    && address.parse::<Ipv6Addr>().is_ok() =>
            {
                Some(format!("[{address}]:{number}"))
            }
            (Ok(address), _) => Some(SocketAddr::new(address, 8420).to_string()),
            (Err(_), Some(("*", number))) => port(number).map(|port| format!(":{port}")),
            _ => (bare != lower && listen(bare).is_ok()).then(|| bare.to_owned()),
        },
    }
}

/// The address that a number or a boolean probably means.
pub(super) fn bare_listen(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Boolean(false) => Some("off".to_owned()),
        value => Some(format!("127.0.0.1:{}", number_of(value).filter(|port| *port <= 65_535.0)?)),
    }
}
