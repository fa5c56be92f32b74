//! Resolves host names. Tests replace the resolver to map every name to a local server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hickory_resolver::TokioResolver;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::{BlockedAddress, Guard};

/// Time limit of one query. Two queries take less than the time limit of a connection, so that a name server
/// that does not respond is reported as such.
const QUERY_TIMEOUT: Duration = Duration::from_secs(4);

/// Resolves host names.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of `host`.
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>>;
}

/// Why a host name could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name does not exist or has no address.
    #[error("the host name {0} does not exist")]
    NotFound(String),
    /// The name servers did not give a usable answer: the name and the reason.
    #[error("cannot resolve the host name {0}: {1}")]
    Failed(String, String),
}

/// The system's name servers and hosts file.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    inner: Result<TokioResolver, String>,
}

impl SystemResolver {
    /// Reads the configuration of the system. Without one, each lookup fails.
    #[must_use]
    pub fn new() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = QUERY_TIMEOUT;
            options.attempts = 2;
            builder.build()
        });
        let inner = built.map_err(|error| {
            format!("cannot read the resolver configuration of the system: {error}")
        });
        Self { inner }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let (inner, host) = (self.inner.clone(), host.to_owned());
        async move {
            let resolver = inner.map_err(|why| ResolveError::Failed(host.clone(), why))?;
            match resolver.lookup_ip(host.as_str()).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(error) if error.is_nx_domain() || error.is_no_records_found() => {
                    Err(ResolveError::NotFound(host))
                }
                Err(error) => Err(ResolveError::Failed(host, error.to_string())),
            }
        }
        .boxed()
    }
}

/// The resolver of the HTTP client. The client connects only to the addresses that were checked here.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) guard: Guard,
}

/// Why the HTTP client got no address; `classify` finds it in the causes of the error of the client.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LookupError {
    #[error(transparent)]
    Resolve(ResolveError),
    #[error("the host name {host} resolves to {blocked}")]
    Blocked { host: String, blocked: BlockedAddress },
}

impl GuardedResolver {
    /// The addresses of a host that may be contacted, at least one.
    pub(crate) async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, LookupError> {
        let found = self.resolver.resolve(host).await.map_err(LookupError::Resolve)?;
        let mut public = Vec::new();
        let mut blocked = None;
        for address in found {
            match self.guard.check(address) {
                Ok(()) => public.push(address),
                Err(address) => blocked = Some(address),
            }
        }
        match blocked {
            // Of a mixed answer only the public addresses are used.
            _ if !public.is_empty() => Ok(public),
            Some(blocked) => Err(LookupError::Blocked { host: host.to_owned(), blocked }),
            None => Err(LookupError::Resolve(ResolveError::NotFound(host.to_owned()))),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.lookup(name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
