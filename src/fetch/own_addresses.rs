//! The addresses of this machine. A service that only this machine may use often accepts connections on all of
//! its addresses, public ones included.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Time after which the addresses are read again.
const READ_AGAIN: Duration = Duration::from_secs(60);
/// Maximum size in bytes of the routing table that is read: a router may have a large one.
const MAX_TABLE: u64 = 4 << 20;

/// The addresses of the network interfaces. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnAddresses(Option<Arc<Mutex<Option<ReadAddresses>>>>);

/// Addresses with the time since they were read.
#[derive(Debug)]
struct ReadAddresses {
    age: Stopwatch,
    addresses: Arc<[IpAddr]>,
}

impl OwnAddresses {
    /// The addresses of the system, read when they are needed.
    pub(crate) fn of_system() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether this is an address of the machine.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let Some(shared) = &self.0 else { return false };
        let mut known = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = match &*known {
            Some(known) if known.age.elapsed() < READ_AGAIN => Arc::clone(&known.addresses),
            _ => {
                let addresses: Arc<[IpAddr]> = read().into();
                let age = Stopwatch::start();
                *known = Some(ReadAddresses { age, addresses: Arc::clone(&addresses) });
                addresses
            }
        };
        addresses.contains(&address.to_canonical())
    }

    /// A fixed list of addresses, for tests.
    #[cfg(test)]
    pub(crate) fn fixed(addresses: &[IpAddr]) -> Self {
        let (age, addresses) = (Stopwatch::start(), addresses.into());
        Self(Some(Arc::new(Mutex::new(Some(ReadAddresses { age, addresses })))))
    }
}

fn read() -> Vec<IpAddr> {
    // `self` exists under ProcSubset=pid too.
    let table = |name: &str| read_bounded(&format!("/proc/self/net/{name}")).unwrap_or_default();
    let mut addresses = from_routes(&table("fib_trie"));
    addresses.extend(from_interfaces(&table("if_inet6")));
    addresses
}

fn read_bounded(path: &str) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_TABLE).read_to_string(&mut text)?;
    Ok(text)
}

/// The addresses in `fib_trie`: an address is followed by a line `/32 host LOCAL`.
fn from_routes(table: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let mut last = None;
    for line in table.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(last.map(IpAddr::V4));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The addresses in `if_inet6`: 32 hexadecimal digits at the start of each line.
fn from_interfaces(table: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let digits = line.split_ascii_whitespace().next().filter(|digits| digits.len() == 32)?;
        let bits = u128::from_str_radix(digits, 16).ok()?;
        Some(IpAddr::V6(Ipv6Addr::from_bits(bits)))
    };
    table.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_the_tables_of_the_kernel() {
        let routes = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     \
            |-- 203.0.113.7\n        /32 host LOCAL\n     |-- 203.0.113.255\n        /32 link BROADCAST\nLocal:\n     \
            |-- 203.0.113.7\n        /32 host LOCAL\n";
        assert_eq!(from_routes(routes), ["203.0.113.7".parse::<IpAddr>().unwrap()]);
        let interfaces = "20010db8000000000000000000000001 02 40 00 82     eth0\nnonsense\n";
        assert_eq!(from_interfaces(interfaces), ["2001:db8::1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn the_loopback_address_is_an_address_of_the_machine() {
        if std::path::Path::new("/proc/self/net/fib_trie").exists() {
            let own = OwnAddresses::of_system();
            assert!(own.contains("127.0.0.1".parse().unwrap()));
            assert!(own.contains("::ffff:127.0.0.1".parse().unwrap()));
            assert!(!own.contains("192.0.2.200".parse().unwrap()));
        }
    }
}
