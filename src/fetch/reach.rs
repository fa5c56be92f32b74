//! Tries whether a server can be reached, without a request.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use url::{Host, Url};

use super::connector::Connector;
use super::settings::Settings;

/// Time limit of one try, the lookup of the name included.
const LIMIT: Duration = Duration::from_secs(5);
/// Largest number of addresses that are tried.
const ADDRESSES: usize = 4;

/// Whether a connection to the server of this URL, or to the proxy in front of it, can be opened. It is closed at once.
pub(super) async fn reaches(connector: &Connector, url: &Url, settings: &Settings) -> bool {
    if connector.resolver.guard.check_url(url).is_err() {
        return false;
    }
    let server = settings.proxy.as_ref().unwrap_or(url);
    tokio::time::timeout(LIMIT, opens(connector, server)).await.unwrap_or(false)
}

async fn opens(connector: &Connector, server: &Url) -> bool {
    let (Some(host), Some(port)) = (server.host(), server.port_or_known_default()) else {
        // A proxy of a scheme without a usual port. The poll shows whether it works.
        return true;
    };
    let addresses: Vec<IpAddr> = match host {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        Host::Domain(name) => connector.resolver.lookup(name).await.unwrap_or_default(),
    };
    for address in addresses.into_iter().take(ADDRESSES) {
        if TcpStream::connect(SocketAddr::new(address, port)).await.is_ok() {
            return true;
        }
    }
    false
}
