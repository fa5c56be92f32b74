//! What a request is sent with: an HTTP client with its resolver and guard, the certificates that it trusts, and the
//! connections that it probably keeps. Also tries whether a server can be reached, without a request.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use url::{Host, Origin, Url};

use super::resolve::GuardedResolver;
use super::settings::Settings;

/// How long an idle connection is kept for other feeds of the same host. Short, because a poll cycle may
/// contact thousands of hosts.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Largest number of origins that are remembered.
const MAX_ORIGINS: usize = 1024;

/// What a request is sent with. Feeds with the same certificates, networks and proxy share one.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) client: Client,
    pub(crate) resolver: GuardedResolver,
    pub(crate) kept: Arc<KeptConnections>,
}

/// Origins to which the client may have an idle connection, with the time of the last exchange.
#[derive(Debug, Default)]
pub(crate) struct KeptConnections(Mutex<HashMap<Origin, Timestamp>>);

impl KeptConnections {
    /// Records that an exchange with the origin of this URL ended well.
    pub(crate) fn insert(&self, url: &Url, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_ORIGINS {
            kept.retain(|_, at| is_recent(*at, now));
        }
        kept.insert(url.origin(), now);
    }

    /// Whether the next request to this URL may use a kept connection. That request is the only user of it.
    pub(crate) fn take(&self, url: &Url, now: Timestamp) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&url.origin()).is_some_and(|at| is_recent(at, now))
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let limit = SignedDuration::try_from(KEEP_ALIVE).unwrap_or(SignedDuration::MAX);
    now.duration_since(at).abs() <= limit
}

/// The certificates of the system, once they are read. More than a hundred files are read and parsed, and each client
/// would do that again and keep them.
static SYSTEM_CERTIFICATES: Mutex<Option<Arc<Verifier>>> = Mutex::new(None);

/// TLS of a client that trusts the certificates of the system. They are read once in a process.
///
/// # Errors
/// When the system has none.
pub(super) fn trusted_by_system() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut system = SYSTEM_CERTIFICATES.lock().unwrap_or_else(PoisonError::into_inner);
    let verifier = match &*system {
        Some(verifier) => Arc::clone(verifier),
        None => Arc::clone(system.insert(Arc::new(Verifier::new(Arc::clone(&provider))?))),
    };
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Time limit of one try, the lookup of the name included.
const REACH_LIMIT: Duration = Duration::from_secs(5);
/// Largest number of addresses that are tried.
const MAX_TRIED_ADDRESSES: usize = 4;

/// Whether a connection to the server of this URL, or to the proxy in front of it, can be opened. It is closed at once.
pub(super) async fn reaches(connector: &Connector, url: &Url, settings: &Settings) -> bool {
    if connector.resolver.guard.check_url(url).is_err() {
        return false;
    }
    let server = settings.proxy.as_ref().unwrap_or(url);
    tokio::time::timeout(REACH_LIMIT, opens(connector, server)).await.unwrap_or(false)
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
    for address in addresses.into_iter().take(MAX_TRIED_ADDRESSES) {
        if TcpStream::connect(SocketAddr::new(address, port)).await.is_ok() {
            return true;
        }
    }
    false
}
