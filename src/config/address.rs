//! Texts that are addresses: URLs, hosts, networks, and addresses to listen on. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use url::Url;

use super::value::Invalid;
use crate::model::has_login;
use crate::text::chars;
use crate::text::quoted::in_quotes;
use crate::web::{ListenAddress, ListenAddressError};

/// An http or https URL without a user and a password.
pub(super) fn web_url(key: &str, text: &str) -> Result<Url, Invalid> {
    without_login(
        http_url(text)?,
        match key {
            "url" => "remove user and password from the URL; use authorization",
            _ => "remove user and password from the URL",
        },
    )
}

fn bad_url(message: String, help: &str) -> Invalid {
    Invalid::new("bad_url", message, help)
}

/// A text for a message; one with "@" may contain a password.
fn shown(text: &str) -> String {
    if text.contains('@') { "the text".to_owned() } else { in_quotes(text) }
}

fn http_url(text: &str) -> Result<Url, Invalid> {
    // What was copied from a page may have characters of no width at its ends, as it may have spaces.
    let text = text.trim_matches(chars::is_invisible);
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            let message = format!("{} is not an absolute URL", shown(text));
            let help = match text.starts_with(['/', '~', '.']) {
                true => "write the scheme and the host too; a local feed is written as file = \"/path/feed.xml\"",
                false => "write the scheme too",
            };
            bad_url(message, help).meant(meant_url(text))
        }
        error => bad_url(format!("{} is not a URL: {error}", shown(text)), "check the address"),
    })?;
    match url.scheme() {
        "http" | "https" => {}
        "file" => {
            let help = "a local feed is written as file = \"/path/feed.xml\"";
            return Err(bad_url("URLs with file: are not supported".to_owned(), help));
        }
        scheme => {
            let message = match text.contains('@') {
                true => "the scheme of the URL is not supported".to_owned(),
                false => format!("URLs with {scheme}: are not supported"),
            };
            let invalid = bad_url(message, "write a URL with http or https");
            return Err(invalid.meant(meant_url(text)));
        }
    }
    // A user and a password are reported as such.
    if !has_login(&url) && text.contains(char::is_whitespace) {
        let message = format!("{} contains a space", shown(text));
        return Err(bad_url(message, "write one URL; a space in it is written as %20"));
    }
    match url.host() {
        Some(url::Host::Domain("http" | "https")) if url.port().is_none() => {
            let meant = text.split_once("://").and_then(|(_, rest)| meant_url(rest));
            Err(bad_url(format!("{} has two schemes", shown(text)), "remove one").meant(meant))
        }
        Some(url::Host::Domain(name)) if !chars::is_host_name(name) => {
            let help = "a host name has letters, digits and '-', with single dots between them";
            Err(bad_url(format!("{name} is not a host name", name = in_quotes(name)), help))
        }
        _ => Ok(url),
    }
}

/// Ends of names of files rather than hosts.
const FILES: &[&str] =
    &[".xml", ".rss", ".atom", ".json", ".html", ".php", ".png", ".jpg", ".svg", ".ico"];

/// The URL that a text without scheme, or with another one, probably means; `None`: it names no host.
fn meant_url(text: &str) -> Option<String> {
    let quotes = ['"', '\'', '<', '>', '`'];
    let text = text.trim_matches(quotes);
    let lower = text.to_ascii_lowercase();
    // "feed:", "feed://" and "feed:https://" are addresses of feeds; "https//", "http:/" and the like are mistyped.
    let rest = if lower.starts_with("feed:") { &text["feed:".len()..] } else { text };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let lower = rest.to_ascii_lowercase();
    let (scheme, rest) = match lower.strip_prefix("https").or(lower.strip_prefix("http")) {
        Some(after) if after.starts_with([':', '/', ';']) || after.starts_with(".//") => {
            let scheme = &lower[..lower.len() - after.len()];
            (scheme, rest[scheme.len()..].trim_start_matches([':', '/', ';', '.', '\\']))
        }
        _ => ("https", rest),
    };
    let meant = format!("{scheme}://{rest}");
    let url = http_url(&meant).ok()?;
    let is_host = match url.host()? {
        url::Host::Domain(name) => {
            name.contains('.') || name == "localhost" || url.port().is_some()
        }
        // A number alone is a valid form too.
        url::Host::Ipv4(_) => rest.contains('.'),
        url::Host::Ipv6(_) => true,
    };
    let is_file = !rest.contains('/') && FILES.iter().any(|end| rest.ends_with(end));
    // A path is not a host, and "~" begins no name.
    (is_host && !is_file && rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        .then_some(meant)
}

fn without_login(url: Url, help: &str) -> Result<Url, Invalid> {
    if !has_login(&url) {
        return Ok(url);
    }
    let message = "the URL contains a user or a password, and secrets belong in separate files";
    Err(bad_url(message.to_owned(), help))
}

/// The URL of a proxy. SOCKS is supported as `socks5h` only, where the proxy resolves host names: otherwise the name
/// servers of this machine would see them.
pub(super) fn proxy_url(text: &str) -> Result<Url, Invalid> {
    const HELP: &str = "write \"http://HOST:PORT\" or \"socks5h://HOST:PORT\"";
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let url = match lower.split_once("://") {
        Some(("socks5h", _)) => Url::parse(&lower)
            .map_err(|_| bad_url(format!("{} is not a URL", shown(text)), HELP))?,
        Some((scheme @ ("socks" | "socks4" | "socks4a" | "socks5" | "tor"), rest)) => {
            let message = format!("a proxy with {scheme} is not supported");
            return Err(bad_url(message, HELP).meant(Some(format!("socks5h://{rest}"))));
        }
        Some(_) => http_url(text)?,
        None if matches!(&*lower, "off" | "no" | "none" | "false" | "direct" | "disabled") => {
            let help = "remove the key; without it here and in [fetch], no proxy is used";
            return Err(bad_url(format!("{text} is not a URL", text = in_quotes(text)), help));
        }
        None => {
            // 9050 and 9150 are the ports of Tor.
            let is_socks = lower.ends_with(":9050") || lower.ends_with(":9150");
            let scheme = if is_socks { "socks5h" } else { "http" };
            let meant = meant_url(text).filter(|_| lower.contains(':'));
            let meant = match lower.starts_with("http") && lower.contains("//") {
                true => meant,
                false => meant.map(|_| format!("{scheme}://{text}")),
            };
            let message = format!("{} is not an absolute URL", shown(text));
            return Err(bad_url(message, HELP).meant(meant));
        }
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad_url(format!("{} has no host", shown(text)), HELP));
    }
    without_login(url, "remove both from the URL; use proxy_authorization")
}

/// The URL of this server: a slash at the end, no query.
pub(super) fn base_url(key: &str, text: &str) -> Result<Url, Invalid> {
    let mut url = web_url(key, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        let message = "public_url must have no query and no fragment";
        return Err(bad_url(message.to_owned(), "end it after the path"));
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
    let is_named = |url: &Url| match url.host() {
        Some(url::Host::Domain(name)) => chars::is_host_name(name),
        host => host.is_some(),
    };
    let url = Url::parse(&url).ok().filter(is_named);
    let bad = |message: String, help: &str| Invalid::new("bad_host", message, help);
    let Some(site) = url.as_ref().map(crate::model::site) else {
        return Err(bad(
            format!("{text} is not a host", text = in_quotes(text)),
            "write a domain: \"example.org\"",
        ));
    };
    if site == text {
        return Ok(site.to_owned());
    }
    let help =
        "a [[server]] applies to a registrable domain; write it without scheme, port and path";
    Err(bad(format!("{text} is not a registrable domain", text = in_quotes(text)), help)
        .meant(Some(site)))
}

/// Parses a network (`192.168.1.0/24`) or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Invalid> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        let help = "write the address, not the name";
        let invalid =
            Invalid::new("bad_network", format!("{text} is a name", text = in_quotes(text)), help);
        return Err(invalid.meant(Some("127.0.0.1")));
    }
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(one).map(|network| network.trunc()).ok_or_else(|| {
        let help = "write an address or a network: \"192.168.1.0/24\", \"fd00::/8\"";
        Invalid::new(
            "bad_network",
            format!("{text} is not a network", text = in_quotes(text)),
            help,
        )
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
        Ok(url::Host::Domain(name)) if chars::is_host_name(&name) => Ok(name),
        _ => {
            let help = "write the name without scheme and port: \"planet.example.org\"";
            let invalid = Invalid::new(
                "bad_host",
                format!("{text} is not a host name", text = in_quotes(text)),
                help,
            );
            let url =
                if text.contains("://") { text.to_owned() } else { format!("http://{text}/") };
            let url = Url::parse(&url).ok();
            let name = url.as_ref().and_then(Url::host_str);
            let name = name.filter(|name| *name != text && chars::is_host_name(name));
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
            format!("{text} is not an IP address and a port", text = in_quotes(text)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_url_has_the_host_that_was_written() {
        for (text, meant) in [
            ("example.org/feed", "https://example.org/feed"),
            ("//example.org/feed", "https://example.org/feed"),
            ("https//example.org/feed", "https://example.org/feed"),
            ("http;//example.org/feed", "http://example.org/feed"),
            ("FEED://example.org/feed", "https://example.org/feed"),
            ("feed:https://example.org/feed", "https://example.org/feed"),
            ("https://http//example.org/feed", "http://example.org/feed"),
            ("https.//example.org/feed", "https://example.org/feed"),
            ("'https://example.org/feed'", "https://example.org/feed"),
            ("<https://example.org/feed>", "https://example.org/feed"),
            ("localhost/feed", "https://localhost/feed"),
            ("nas:8080/feed", "https://nas:8080/feed"),
            ("192.0.2.1/feed", "https://192.0.2.1/feed"),
        ] {
            let invalid = web_url("url", text).expect_err(text);
            assert_eq!(invalid.suggestion.as_deref(), Some(meant), "{text}");
            assert!(web_url("url", meant).is_ok(), "{meant}");
        }
        for text in [
            "/srv/feed.xml",
            "~/feed.xml",
            "./feed.xml",
            "feed.xml",
            "query:Unread:unread = \"yes\"",
            "feed.xml@",
            "off",
            "none",
            "",
            "file:///srv/feed.xml",
            "ftp://example.org/feed",
            "https://example..org/feed",
            "https://${HOST}/feed",
            "https://a.example/f https://b.example/f",
        ] {
            let invalid = web_url("url", text).expect_err(text);
            assert_eq!(invalid.suggestion, None, "{text}: {}", invalid.message);
        }
    }

    #[test]
    fn what_cannot_be_seen_around_a_url_is_no_part_of_it() {
        for text in ["https://a.example/feed\u{200e}", "\u{feff} https://a.example/feed\u{200b} "] {
            let url = web_url("url", text).expect(text);
            assert_eq!(url.as_str(), "https://a.example/feed");
        }
    }

    #[test]
    fn the_password_of_a_proxy_belongs_to_the_proxy() {
        for url in ["http://bob:pw@proxy:3128", "socks5h://bob:pw@proxy:1080"] {
            let invalid = proxy_url(url).expect_err(url);
            assert!(invalid.help.ends_with("use proxy_authorization"), "{url}");
        }
        assert_eq!(proxy_url("off").expect_err("off").suggestion, None);
        for (text, meant) in [
            ("127.0.0.1:9050", "socks5h://127.0.0.1:9050"),
            ("http//proxy:3128", "http://proxy:3128"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("socks5://127.0.0.1:9050", "socks5h://127.0.0.1:9050"),
        ] {
            let invalid = proxy_url(text).expect_err(text);
            assert_eq!(invalid.suggestion.as_deref(), Some(meant), "{text}");
            assert!(proxy_url(meant).is_ok(), "{meant}");
        }
    }

    #[test]
    fn a_message_never_repeats_what_may_be_a_password() {
        for text in
            ["hunter2@api.example.org/feed", "hunter2:@example.org", "x hunter2@example.org"]
        {
            let invalid = web_url("url", text).expect_err(text);
            assert!(!invalid.message.contains("hunter2"), "{}", invalid.message);
        }
    }

    #[test]
    fn a_host_name_has_labels() {
        for text in [".example.org", "_", "example..org", "*.example.org", "${HOST}"] {
            assert!(host(text).is_err(), "{text}");
            assert!(site(text).is_err(), "{text}");
        }
        assert_eq!(host("example.org.").ok().as_deref(), Some("example.org"));
        assert_eq!(host("my_host").ok().as_deref(), Some("my_host"));
    }
}
