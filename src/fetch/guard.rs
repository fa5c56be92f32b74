//! The guard against server-side request forgery: which hosts, ports and addresses may be contacted. Pure.
//!
//! The operator chooses the URL of a feed, but other people control redirects and name servers. They must not
//! reach the internal network of this machine. All addresses that are not public are rejected unless
//! `allow_networks` contains them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;
use url::{Host, Url};

use super::own_addresses::OwnAddresses;
use crate::model::{Failure, FailureKind, has_login};
use crate::text::chars::{is_host_name, shortened};
use crate::text::quoted::in_quotes;

/// IPv4 networks that are not public, with names: the IANA IPv4 Special-Purpose Address Registry
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>, RFC 6890), and multicast (RFC 5771).
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

/// IPv6 networks that are not public, with names: the IANA IPv6 Special-Purpose Address Registry
/// (<https://www.iana.org/assignments/iana-ipv6-special-registry>), deprecated and multicast networks, then all that is
/// outside of `2000::/3`, the only network of global unicast addresses (RFC 4291 2.4). The first one that contains an
/// address is named.
const DENIED_V6: &[(&str, &str)] = &[
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "IPv4-compatible"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("::ffff:0:0:0/96", "IPv4-translated"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "discard"),
    ("100:0:0:1::/64", "dummy prefix"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
    ("::/3", "reserved"),
    ("4000::/2", "reserved"),
    ("8000::/1", "reserved"),
];

/// Name of an address of this machine.
const OWN_ADDRESS: &str = "an address of this machine";

/// Ports of other protocols (WHATWG Fetch 2.9).
const BAD_PORTS: &[u16] = &[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// The networks that are denied, with their names.
static DENIED: LazyLock<Vec<(IpNet, &'static str)>> = LazyLock::new(|| {
    let denied = DENIED_V4.iter().chain(DENIED_V6);
    denied.filter_map(|(net, name)| Some((net.parse().ok()?, *name))).collect()
});

/// The addresses of this machine, which are denied too, and what the operator allows.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    own: OwnAddresses,
    allowed: Vec<IpNet>,
}

/// An address that may not be contacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address}, which is not a public address ({network})")]
pub(crate) struct BlockedAddress {
    /// Address that the host name has.
    pub(crate) address: IpAddr,
    /// Name of the network that contains it.
    pub(crate) network: &'static str,
}

impl BlockedAddress {
    /// How to allow the address.
    pub(crate) fn help(&self) -> String {
        let address = self.address;
        format!(
            "if the feed is meant to be there, set allow_networks = [\"{address}\"] in its [[feed]]"
        )
    }
}

impl Guard {
    /// A guard that accepts public addresses except those in `own`, and those in `allowed`.
    pub(crate) fn new(allowed: &[IpNet], own: OwnAddresses) -> Self {
        Self { own, allowed: allowed.to_vec() }
    }

    /// Whether the address may be contacted.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), BlockedAddress> {
        if self.allowed.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        if let Some(inner) = embedded(address) {
            // An allowed IPv4 network includes its addresses in IPv6 notation.
            if self.allowed.iter().any(|net| net.contains(&IpAddr::V4(inner))) {
                return Ok(());
            }
        }
        match DENIED.iter().find(|(net, _)| net.contains(&address)) {
            Some((_, network)) => Err(BlockedAddress { address, network }),
            None if self.own.contains(address) => {
                Err(BlockedAddress { address, network: OWN_ADDRESS })
            }
            None => Ok(()),
        }
    }

    /// Whether a URL may be requested through a proxy, which resolves its host name: not if the name belongs to a local
    /// network, unless the operator allows some network.
    pub(crate) fn check_proxied(&self, url: &Url) -> Result<(), Failure> {
        match url.host() {
            Some(Host::Domain(name)) if self.allowed.is_empty() && is_local_name(name) => {
                let message = format!("the host name {name} belongs to a local network");
                Err(Failure::new(FailureKind::BlockedAddress, message).help(
                    "if the feed is meant to be there, set allow_networks in its [[feed]] to the network behind the proxy",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether the URL may be requested: scheme, port, user name and literal address. Host names are checked
    /// when they are resolved.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), Failure> {
        let bad =
            |message: String| Failure::new(FailureKind::BadUrl, message).help("check the URL");
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = shortened(url.scheme());
            return Err(bad(format!("the URL has the scheme {scheme}, not http or https")));
        }
        if has_login(url) {
            return Err(bad("the URL contains a user name or a password".to_owned())
                .help("remove them, and set authorization in the [[feed]]"));
        }
        if let Some(port) = url.port().filter(|port| BAD_PORTS.contains(port)) {
            return Err(bad(format!("the port {port} belongs to another protocol")));
        }
        let no_host = || bad("the URL has no host".to_owned());
        let address = match url.host() {
            None => return Err(no_host()),
            Some(Host::Domain(name)) if name.trim_end_matches('.').is_empty() => {
                return Err(no_host());
            }
            Some(Host::Domain(name)) if !is_host_name(name) => {
                return Err(bad(format!("{} is not a host name", in_quotes(shortened(name)))));
            }
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        self.check(address).map_err(|blocked| {
            let message = format!("the URL names {blocked}");
            Failure::new(FailureKind::BlockedAddress, message).help(blocked.help())
        })
    }
}

/// Whether a host name belongs to a local network: it has no dot, or one of the endings for such networks (RFC 6761,
/// RFC 6762 with its appendix G, RFC 8375), or one that resolvers, routers and Kubernetes add.
#[must_use]
pub fn is_local_name(name: &str) -> bool {
    #[rustfmt::skip]
    const ENDINGS: &[&str] = &[
        "localhost", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "test",
        "localdomain", "fritz.box", "svc",
    ];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let ends_with = |end: &&str| {
        name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    !name.contains('.') || ENDINGS.iter().any(ends_with)
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
            Ok(url) => Guard::new(&allowed, OwnAddresses::default()).check_url(&url).is_err(),
            Err(_) => true,
        }
    }

    #[test]
    fn every_network_is_parsed() {
        assert_eq!(DENIED.len(), DENIED_V4.len() + DENIED_V6.len());
    }

    #[test]
    fn an_internal_address_is_blocked_in_every_notation() {
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
            "[2001:20::1]",
            "[2001:1ff:ffff::1]",
            "[3fff::1]",
            "[3fff:fff::1]",
            "[100:0:0:1::1]",
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
    fn a_name_that_no_server_can_have_is_a_wrong_url() {
        let long = format!("http://{}.example/feed", "a".repeat(64));
        let guard = Guard::new(&[], OwnAddresses::default());
        for url in ["http://a..b/feed", "http://-.example/feed", &long] {
            let failure = guard.check_url(&Url::parse(url).unwrap()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::BadUrl, "{url}");
        }
    }

    #[test]
    fn public_addresses_and_names_are_allowed() {
        for host in [
            "93.184.216.34",
            "[2606:2800:220:1:248:1893:25c8:1946]",
            "[2001:200::1]",
            "[3fff:1000::1]",
            "example.org",
            "my_blog.example",
            "-foo.example",
            "172.32.0.1",
            "11.0.0.1",
        ] {
            assert!(!blocked(&[], &format!("https://{host}/feed")), "{host}");
        }
    }

    #[test]
    fn only_global_unicast_addresses_are_public() {
        for host in [
            "[::ffff:0:127.0.0.2]",
            "[64:ff9b:0:0:0:1:a00:1]",
            "[1::1]",
            "[200::1]",
            "[4000::1]",
            "[f000::1]",
            "[fe00::1]",
        ] {
            assert!(blocked(&[], &format!("http://{host}/feed")), "{host}");
        }
    }

    #[test]
    fn names_of_local_networks_are_recognised() {
        for name in [
            "localhost",
            "printer",
            "x.localhost.localdomain",
            "wiki.corp",
            "nas.Home.",
            "a.intranet",
            "a.private",
            "a.internal",
            "fritz.box",
            "nas.fritz.box",
            "kubernetes.default.svc",
            "api.default.svc.cluster.local",
            "home.arpa",
        ] {
            assert!(is_local_name(name), "{name}");
        }
        for name in ["example.org", "my-fritz.box", "x.box", "home.example", "work.at-home.example"]
        {
            assert!(!is_local_name(name), "{name}");
        }
    }

    #[test]
    fn an_address_of_the_machine_is_blocked_unless_it_is_allowed() {
        let public: IpAddr = "93.184.216.34".parse().unwrap();
        let own = OwnAddresses::fixed(&[public]);
        let refused = Guard::new(&[], own.clone()).check(public).unwrap_err();
        assert_eq!(refused.network, OWN_ADDRESS);
        let other: IpAddr = "93.184.216.35".parse().unwrap();
        assert!(Guard::new(&[], own.clone()).check(other).is_ok());
        assert!(Guard::new(&[public.into()], own).check(public).is_ok());
    }

    #[test]
    fn allow_networks_allows_only_its_own_addresses() {
        assert!(!blocked(&["192.168.1.0/24"], "http://192.168.1.7/"));
        assert!(!blocked(&["192.168.1.0/24"], "http://[::ffff:192.168.1.7]/"));
        assert!(blocked(&["192.168.1.0/24"], "http://192.168.2.7/"));
        assert!(blocked(&["192.168.1.0/24"], "http://127.0.0.1/"));
        assert!(!blocked(&["127.0.0.0/8"], "http://127.0.0.1/"));
    }

    #[test]
    fn other_schemes_ports_and_credentials_are_rejected() {
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
        for port in BAD_PORTS {
            assert!(blocked(&[], &format!("http://example.org:{port}/")), "{port}");
        }
        assert!(!blocked(&[], "http://example.org:8080/"));
    }
}
