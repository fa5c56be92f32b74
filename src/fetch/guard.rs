//! The SSRF guard: which hosts and addresses may be asked at all. Pure.
//!
//! A feed's address comes from the operator, but redirects and name servers belong to strangers:
//! nothing on the inside of this machine's network may be reached through them. Everything that is
//! not public is refused, and only `allow_networks` opens it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use crate::model::{Failure, FailureKind};

/// What is not public, IPv4. IANA special-purpose registry.
const DENIED_V4: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
];

/// What is not public, IPv6; forms that carry an IPv4 address are looked into as well.
const DENIED_V6: &[(&str, &str)] = &[
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "IPv4-compatible"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "discard"),
    ("2001::/32", "Teredo"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
];

/// Ports that no feed is on but that other protocols answer on. WHATWG Fetch 2.9.
const BAD_PORTS: &[u16] = &[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// The parsed deny lists, and what the operator opened.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    denied: std::sync::Arc<[(IpNet, &'static str)]>,
    allowed: Vec<IpNet>,
}

/// Why an address may not be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} is not a public address ({rule}): if this feed is meant to be there, open the network with [fetch] allow_networks = [\"{address}\"]"
)]
pub(crate) struct Blocked {
    /// The address.
    pub(crate) address: IpAddr,
    /// The rule's name.
    pub(crate) rule: &'static str,
}

impl Guard {
    /// A guard that lets through what is public and what is in `allowed`.
    pub(crate) fn new(allowed: &[IpNet]) -> Self {
        let denied = DENIED_V4.iter().chain(DENIED_V6);
        let denied = denied.filter_map(|(net, rule)| Some((net.parse().ok()?, *rule))).collect();
        Self { denied, allowed: allowed.to_vec() }
    }

    /// Whether the address may be dialled.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Blocked> {
        if self.allowed.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        let blocked = |rule| Err(Blocked { address, rule });
        if let Some(inner) = embedded(address) {
            // The operator may open 192.168.0.0/16 and mean it in every spelling.
            if self.allowed.iter().any(|net| net.contains(&IpAddr::V4(inner))) {
                return Ok(());
            }
        }
        match self.denied.iter().find(|(net, _)| net.contains(&address)) {
            Some((_, rule)) => blocked(rule),
            None => Ok(()),
        }
    }

    /// Whether the URL may be asked, as far as it tells by itself; names are checked once resolved.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), Failure> {
        let bad = |message: String| Err(Failure::new(FailureKind::BadUrl, message));
        if !matches!(url.scheme(), "http" | "https") {
            return bad(format!(
                "{}: is no http or https address: check the address",
                url.scheme()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad(
                "the address carries a user name or password, which are never sent: put them into authorization".to_owned()
            );
        }
        if let Some(port) = url.port().filter(|port| BAD_PORTS.contains(port)) {
            return bad(format!(
                "port {port} belongs to another protocol and is never asked: check the address"
            ));
        }
        let address = match url.host() {
            None => return bad("the address has no host: check it".to_owned()),
            Some(Host::Domain(name)) => return check_name(name),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        self.check(address).map_err(|b| Failure::new(FailureKind::BlockedAddress, b.to_string()))
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    if name.trim_end_matches('.').is_empty() {
        return Err(Failure::new(FailureKind::BadUrl, "the address has no host: check it"));
    }
    Ok(())
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, NAT64, 6to4, Teredo.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let s = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if v6 != Ipv6Addr::LOCALHOST => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // RFC 4380 4: the client's address is stored inverted.
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(allow: &[&str], url: &str) -> bool {
        let allowed: Vec<IpNet> = allow.iter().map(|net| net.parse().unwrap()).collect();
        match Url::parse(url) {
            Ok(url) => Guard::new(&allowed).check_url(&url).is_err(),
            Err(_) => true,
        }
    }

    #[test]
    fn every_rule_is_read() {
        assert_eq!(Guard::new(&[]).denied.len(), DENIED_V4.len() + DENIED_V6.len());
    }

    #[test]
    fn an_inside_address_is_refused_however_it_is_spelt() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0x7f000001",
            "017700000001",
            "127.0.0.1.",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.3.4",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "192.0.0.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:7f00:1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[100::1]",
            "[5f00::1]",
            "①②⑦.⓪.⓪.①",
            "127。0。0。1",
            "１２７.0.0.1",
            "127.0.0.1:8080",
            "user@127.0.0.1",
            "example.org@127.0.0.1",
            "192.88.99.1",
        ] {
            assert!(blocked(&[], &format!("http://{host}/feed")), "{host}");
        }
    }

    #[test]
    fn a_public_address_and_a_name_pass() {
        for host in [
            "93.184.216.34",
            "[2606:2800:220:1:248:1893:25c8:1946]",
            "example.org",
            "172.32.0.1",
            "11.0.0.1",
        ] {
            assert!(!blocked(&[], &format!("https://{host}/feed")), "{host}");
        }
    }

    #[test]
    fn allow_networks_opens_what_it_names_and_no_more() {
        assert!(!blocked(&["192.168.1.0/24"], "http://192.168.1.7/"));
        assert!(!blocked(&["192.168.1.0/24"], "http://[::ffff:192.168.1.7]/"));
        assert!(blocked(&["192.168.1.0/24"], "http://192.168.2.7/"));
        assert!(blocked(&["192.168.1.0/24"], "http://127.0.0.1/"));
        assert!(!blocked(&["127.0.0.0/8"], "http://127.0.0.1/"));
    }

    #[test]
    fn other_schemes_ports_and_credentials_are_refused() {
        for url in [
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "data:text/xml,x",
            "unix:/run/x",
            "http://example.org:25/",
            "https://example.org:6667/",
            "http://u:p@example.org/",
            "jar:http://e.org!/",
        ] {
            assert!(blocked(&[], url), "{url}");
        }
        assert!(!blocked(&[], "http://example.org:8080/"));
    }
}
