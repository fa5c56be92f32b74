//! Names to addresses. The network is injected here: tests map every name to a local origin.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hickory_resolver::TokioResolver;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::{Blocked, Guard};

/// A name server answers in this time or is asked once more; both together stay below the time
/// that a connection may take, so that a silent name server is not blamed on the feed's server.
const ANSWER: Duration = Duration::from_secs(4);

/// Looks names up.
pub trait Resolver: Send + Sync + 'static {
    /// Every address of `host`.
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>>;
}

/// Why a name has no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name does not exist, or has no address: the publisher's fault, or a typing error.
    #[error("the name {0} does not exist: check the address")]
    NotFound(String),
    /// No answer, or a useless one: the network's fault.
    #[error("the name {0} could not be looked up ({1}): check this machine's name server")]
    Failed(String, String),
}

/// The system's name servers and hosts file.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    inner: Result<TokioResolver, String>,
}

impl SystemResolver {
    /// Reads the system's configuration; where there is none, each look-up says so.
    #[must_use]
    pub fn new() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = ANSWER;
            options.attempts = 2;
            builder.build()
        });
        let inner = built.map_err(|error| {
            format!("the system's resolver configuration cannot be read: {error}")
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

/// What reqwest asks: the addresses it gets are the ones it dials, so none can change in between.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) guard: Guard,
}

/// Why reqwest got no address; found again in the chain of its error.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NoAddress {
    #[error(transparent)]
    Resolve(ResolveError),
    #[error("the name {host} leads to {blocked}")]
    Blocked { host: String, blocked: Blocked },
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (found, guard) = (self.resolver.resolve(&host), self.guard.clone());
        Box::pin(async move {
            let found = found.await.map_err(NoAddress::Resolve)?;
            let mut public = Vec::new();
            let mut refused = None;
            for address in found {
                match guard.check(address) {
                    Ok(()) => public.push(SocketAddr::new(address, 0)),
                    Err(blocked) => refused = Some(blocked),
                }
            }
            match refused {
                // A mixed answer may be an honest mistake: the public half is dialled.
                _ if !public.is_empty() => Ok(Box::new(public.into_iter()) as Addrs),
                Some(blocked) => Err(NoAddress::Blocked { host, blocked }.into()),
                None => Err(NoAddress::Resolve(ResolveError::NotFound(host)).into()),
            }
        })
    }
}
