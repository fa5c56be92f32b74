//! Values of `listen` and `samples` in `[web]`: addresses to listen on. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::value::Invalid;
use crate::web::{ListenAddress, ListenAddressError};

const HELP: &str =
    "write address and port: \"127.0.0.1:8420\", \"localhost:8420\", \":8420\", or \"off\"";
const SOCKET_HELP: &str =
    "write \"unix:/run/newswire/web.sock\", or with a mode \"unix:/run/newswire/web.sock|660\"";

/// One address; `None` is "off".
pub(super) fn addresses(text: &str) -> Result<Option<ListenAddress>, Invalid> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    one(text).map(Some)
}

/// One address of a list.
pub(super) fn one(text: &str) -> Result<ListenAddress, Invalid> {
    text.parse::<ListenAddress>().map_err(|error| {
        let bad = |message, help| Invalid::new("bad_address", message, help);
        match error {
            ListenAddressError::Form(_) => {
                let invalid = bad(error.to_string(), HELP);
                meant(text).map_or(invalid.clone(), |meant| invalid.meant(meant))
            }
            _ => bad(error.to_string(), SOCKET_HELP),
        }
    })
}

/// An IP address and a port; `None` is "off".
pub(super) fn address(text: &str) -> Result<Option<SocketAddr>, Invalid> {
    let Some(listen) = addresses(text)? else { return Ok(None) };
    listen.reachable().map(Some).ok_or_else(|| {
        Invalid::new("bad_address", format!("{text:?} is not an IP address and a port"), HELP)
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
fn meant(text: &str) -> Option<String> {
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
            _ => (bare != lower && one(bare).is_ok()).then(|| bare.to_owned()),
        },
    }
}
