//! One bounded HTTP exchange for one feed, list of feeds or image.
//!
//! GET requests only, conditional if validators are known. Redirects are checked hop by hop, every address is
//! checked before the connection, the size of the body is limited. Every result is a value. `schedule` decides
//! when to poll, `parse` what the bytes mean.

mod body;
mod budget;
mod classify;
mod exchange;
mod freshness;
mod guard;
mod local;
mod own_addresses;
mod request;
mod resolve;
mod response;
pub mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy};
use url::Url;

pub use budget::Reservation;
pub(crate) use classify::RETRIED;
pub use exchange::{
    BLOCKED_TARGET, Body, Exchange, KnownDocument, Request, Response, Step, after_redirects,
};
pub use guard::is_local_name;
pub use local::{is_local, read_local};
pub use request::{Wanted, request_shape, user_agent};
pub use resolve::{ResolveError, Resolver, SystemResolver};
pub use settings::{Secret, Settings};

use self::budget::Budget;
use self::guard::Guard;
use self::own_addresses::OwnAddresses;
use self::request::{Connector, KEEP_ALIVE};
use self::resolve::GuardedResolver;
use crate::model::{Failure, FailureKind};

/// Time limit of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit of a connection attempt through a proxy: Tor first has to build a circuit.
const PROXY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest pause before or within a response.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Largest number of header fields of a response. Some sites send hundreds, most of them `Link` or `Set-Cookie`.
const MAX_HEADERS: usize = 512;
/// Windows of HTTP/2 in bytes: of a stream, and of a connection.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 512 * 1024;
/// Largest number of HTTP clients that are kept.
const MAX_CLIENTS: usize = 64;

/// The settings that are part of a connection and therefore need a separate client.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ClientKey {
    allow_networks: Vec<IpNet>,
    ca: Option<Arc<[u8]>>,
    proxy: Option<Url>,
    proxy_login: Option<Secret>,
}

/// The HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the HTTP client: {0}")]
pub struct FetcherError(#[from] reqwest::Error);

crate::model::codes! {
    FetcherError:
    Self(_) => "http_client_failed": "check ca and proxy in [fetch]",
}

/// Fetches documents. One instance serves all feeds.
pub struct Fetcher {
    resolver: Arc<dyn Resolver>,
    clients: Mutex<HashMap<ClientKey, Connector>>,
    /// Memory for all bodies.
    budget: Budget,
    own: OwnAddresses,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher that resolves host names with `resolver`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(resolver: Arc<dyn Resolver>) -> Result<Self, FetcherError> {
        install_provider();
        let (clients, budget) = (Mutex::default(), Budget::default());
        let fetcher = Self { resolver, clients, budget, own: OwnAddresses::of_system() };
        fetcher.connector(&Settings::default())?;
        Ok(fetcher)
    }

    /// Begins an exchange. `poll::Gate` opens every request, so that no other code may call this.
    ///
    /// # Errors
    /// When the HTTP client for these settings cannot be set up.
    pub fn exchange<'a>(&self, request: Request<'a>) -> Result<Exchange<'a>, Failure> {
        match self.connector(request.settings) {
            Ok(connector) => Ok(Exchange::new(connector, self.budget.clone(), request)),
            Err(error) => Err(Failure::new(FailureKind::BadResponse, error.to_string())
                .help("check ca and proxy in [fetch] and in the [[feed]]")),
        }
    }

    /// Whether a connection to the server of this URL, or to the proxy in front of it, can be opened. No request is sent.
    pub async fn reaches(&self, url: &Url, settings: &Settings) -> bool {
        match self.connector(settings) {
            Ok(connector) => request::reaches(&connector, url, settings).await,
            Err(_) => false,
        }
    }

    /// Reads the configuration of the resolver again.
    pub fn reread_resolver(&self) {
        self.resolver.reread();
    }

    /// The client for these settings.
    fn connector(&self, settings: &Settings) -> Result<Connector, FetcherError> {
        let key = ClientKey {
            allow_networks: settings.allow_networks.clone(),
            ca: settings.ca.clone(),
            proxy: settings.proxy.clone(),
            proxy_login: settings.proxy_login.clone(),
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = clients.get(&key) {
            return Ok(connector.clone());
        }
        let guard = Guard::new(&settings.allow_networks, self.own.clone());
        let proxy = settings.proxy.as_ref().and_then(Url::host_str).map(str::to_owned);
        let resolver = GuardedResolver { resolver: Arc::clone(&self.resolver), guard, proxy };
        let client = build(resolver.clone(), settings)?;
        let connector = Connector { client, resolver, kept: Arc::default() };
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(key, connector.clone());
        Ok(connector)
    }
}

/// Checks that a client can trust these certificates, in PEM.
///
/// # Errors
/// When one cannot be read.
pub fn check_authorities(pem: &[u8]) -> Result<(), FetcherError> {
    install_provider();
    let authorities = Certificate::from_pem_bundle(pem)?;
    Client::builder().no_proxy().tls_certs_only(authorities).build()?;
    Ok(())
}

fn install_provider() {
    // A provider may already be installed by a test; any one is sufficient.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client without automatic redirects, proxies and decoding, which this room does itself.
fn build(resolver: GuardedResolver, settings: &Settings) -> Result<Client, FetcherError> {
    let proxy = settings.proxy.as_ref().map(|url| Proxy::all(url.as_str())).transpose()?;
    let login = settings.proxy_login.as_ref().and_then(|Secret(login)| login.split_once(':'));
    let proxy = match (proxy, login) {
        (Some(proxy), Some((user, password))) => {
            // It becomes a part of the URL of the proxy, and is decoded again.
            let coded = |text: &str| text.replace('%', "%25");
            Some(proxy.basic_auth(&coded(user), &coded(password)))
        }
        (proxy, _) => proxy,
    };
    let connect_timeout = if proxy.is_some() { PROXY_TIMEOUT } else { CONNECT_TIMEOUT };
    let builder = || {
        // A proxy resolves names itself, which bypasses the guard; only a configured one is used.
        let bare = Client::builder().no_proxy();
        let builder = match proxy.clone() {
            Some(proxy) => bare.proxy(proxy),
            None => bare,
        };
        builder
            .redirect(Policy::none())
            .referer(false)
            // The library would repeat a request at once, without the turn of the site and without the ledger.
            .retry(reqwest::retry::never())
            .dns_resolver(resolver.clone())
            .connect_timeout(connect_timeout)
            .read_timeout(READ_TIMEOUT)
            // RFC 9112 5.2: a user agent replaces a line folding by spaces.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            // Lines that are no valid header are left out, as by browsers.
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_max_headers(MAX_HEADERS)
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(1)
            // A server may send this much ahead of the reading, which takes no memory from the budget.
            .http2_initial_stream_window_size(H2_STREAM_WINDOW)
            .http2_initial_connection_window_size(H2_CONNECTION_WINDOW)
    };
    // A machine without certificates can still poll over http; only https feeds fail.
    let Some(ca) = settings.ca.as_deref() else {
        return Ok(match request::trusted_by_system() {
            Ok(tls) => builder().tls_backend_preconfigured(tls).build()?,
            Err(_) => builder().tls_certs_only([]).build()?,
        });
    };
    let own = Certificate::from_pem_bundle(ca)?;
    let client = builder().tls_certs_merge(own.clone()).build();
    Ok(client.or_else(|_| builder().tls_certs_only(own).build())?)
}
