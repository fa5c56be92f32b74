//! One polite, guarded, bounded HTTP exchange for one feed.
//!
//! GET only, conditional where there is something to ask with, redirects judged hop by hop, every
//! address checked before it is dialled, the body bounded. Whatever happens is a value: leaves
//! when to ask to `schedule`, and what the bytes mean to `parse`.

mod body;
mod classify;
mod exchange;
mod freshness;
mod guard;
mod request;
mod resolve;
pub mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy};
use url::Url;

pub use exchange::{Body, Request, Response};
pub use request::{request_shape, user_agent};
pub use resolve::{ResolveError, Resolver, SystemResolver};
pub use settings::{Secret, Settings};

use self::guard::Guard;
use self::resolve::GuardedResolver;
use crate::model::{Failure, FailureKind};

/// A connection is made in this time or not at all.
const CONNECT: Duration = Duration::from_secs(10);
/// A server that says nothing for so long, before or within its answer, says nothing more.
const SILENCE: Duration = Duration::from_secs(20);
/// Kept for the other feeds of the same host, no longer: thousands of hosts are asked.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Feeds with allow lists of their own are few.
const MAX_CLIENTS: usize = 64;

/// Networks that are allowed, authorities that are trusted beside the machine's own, and a proxy.
type Trusted = (Vec<IpNet>, Option<Arc<[u8]>>, Option<Url>);

/// No HTTP client can be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the HTTP client: {0}: check ca and proxy in [fetch]")]
pub struct FetcherError(#[from] reqwest::Error);

crate::model::codes! { FetcherError: Self(_) => "no_http_client", }

/// Fetches feeds; one serves them all.
pub struct Fetcher {
    resolver: Arc<dyn Resolver>,
    /// One for each choice of whom to trust: that is part of how a connection is made.
    clients: Mutex<HashMap<Trusted, (Client, Guard)>>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher that looks names up with `resolver`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(resolver: Arc<dyn Resolver>) -> Result<Self, FetcherError> {
        // Another one may be installed already, by a test; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let fetcher = Self { resolver, clients: Mutex::new(HashMap::new()) };
        fetcher.client(&Settings::default())?;
        Ok(fetcher)
    }

    /// Makes one exchange; never longer than `settings.timeout`.
    pub async fn fetch(&self, request: Request<'_>) -> Response {
        let (client, guard) = match self.client(request.settings) {
            Ok(client) => client,
            Err(error) => {
                let failure = Failure::new(FailureKind::BadResponse, error.to_string());
                return Response::failed(request.url.clone(), failure);
            }
        };
        let exchange = exchange::run(&client, &guard, &request);
        match tokio::time::timeout(request.settings.timeout, exchange).await {
            Ok(response) => response,
            Err(_) => {
                let seconds = request.settings.timeout.as_secs_f32();
                let message = format!(
                    "the exchange took longer than {seconds} s: raise timeout if the server is that slow"
                );
                Response::failed(request.url.clone(), Failure::new(FailureKind::Timeout, message))
            }
        }
    }

    /// The client that trusts whom these settings trust.
    fn client(&self, settings: &Settings) -> Result<(Client, Guard), FetcherError> {
        let (networks, proxy) = (settings.allow_networks.clone(), settings.proxy.clone());
        let trusted = (networks, settings.ca.clone(), proxy);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&trusted) {
            return Ok(client.clone());
        }
        let guard = Guard::new(&settings.allow_networks);
        let resolver =
            GuardedResolver { resolver: Arc::clone(&self.resolver), guard: guard.clone() };
        let client = build(resolver, settings)?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(trusted, (client.clone(), guard.clone()));
        Ok((client, guard))
    }
}

/// A client that does nothing by itself: redirects, proxies and codings are ours to judge.
fn build(resolver: GuardedResolver, settings: &Settings) -> Result<Client, FetcherError> {
    let ca = settings.ca.as_deref();
    let own = ca.map(Certificate::from_pem_bundle).transpose()?.unwrap_or_default();
    let proxy = settings.proxy.as_ref().map(|url| Proxy::all(url.as_str())).transpose()?;
    let builder = || {
        // A proxy resolves names itself and so voids half of the guard: none but one that is named.
        let bare = Client::builder().no_proxy();
        let builder = match proxy.clone() {
            Some(proxy) => bare.proxy(proxy),
            None => bare,
        };
        builder
            .redirect(Policy::none())
            .referer(false)
            .dns_resolver(resolver.clone())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(1)
    };
    // A machine without certificates can still poll over http; https then fails feed by feed.
    let trusting = builder().tls_certs_merge(own.clone()).build();
    Ok(trusting.or_else(|_| builder().tls_certs_only(own).build())?)
}
