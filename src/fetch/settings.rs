//! The settings of `[fetch]`: headers and limits of a request. All except `concurrency` can be set for a single
//! feed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

use super::guard::Guard;
use super::local::is_local;
use super::own_addresses::OwnAddresses;
use crate::model::Failure;

/// Headers and limits of the requests for one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// URL or email address in the User-Agent by which a site owner finds the operator.
    pub contact: Option<String>,
    /// Replaces the User-Agent `newswire/VERSION (+contact)`.
    pub user_agent: Option<String>,
    /// Time limit of the whole exchange: name lookup, connection, redirects, headers and body.
    pub timeout: Duration,
    /// Largest decoded body, in bytes.
    pub max_body: u64,
    /// Largest number of redirects that are followed.
    pub max_redirects: usize,
    /// Private networks that may be contacted; none by default.
    pub allow_networks: Vec<IpNet>,
    /// Certificates of additional authorities, in PEM. Certificates are always verified.
    pub ca: Option<Arc<[u8]>>,
    /// Additional headers such as `Authorization`. They are sent only to the origin of the configured URL
    /// (RFC 9110 15.4).
    pub headers: Vec<(String, Secret)>,
    /// Proxy for all requests: HTTP, or SOCKS 5 (`socks5h`). It resolves host names itself, so that the guard checks
    /// only literal addresses and names of local networks.
    pub proxy: Option<Url>,
    /// User and password for the proxy, `user:password`.
    pub proxy_login: Option<Secret>,
}

impl Settings {
    /// Why the guard would reject every request to `url`, as far as the URL alone shows.
    #[must_use]
    pub fn refuses(&self, url: &Url) -> Option<Failure> {
        if is_local(url) {
            return None;
        }
        // A host name on the default port is checked when it is resolved.
        let usual = matches!(url.host(), Some(Host::Domain(_))) && url.port().is_none();
        let guard = (!usual).then(|| Guard::new(&self.allow_networks, OwnAddresses::default()))?;
        guard.check_url(url).err()
    }
}

/// A value that must not appear in logs, pages or messages.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contact: None,
            user_agent: None,
            timeout: Duration::from_secs(60),
            max_body: 10 * 1024 * 1024,
            max_redirects: 5,
            allow_networks: Vec::new(),
            ca: None,
            headers: Vec::new(),
            proxy: None,
            proxy_login: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_request_is_in_debug_output() {
        let secret = || Secret("canary-7f3a".to_owned());
        let settings = Settings {
            headers: vec![("authorization".to_owned(), secret())],
            proxy_login: Some(secret()),
            ..Settings::default()
        };
        for shown in [format!("{settings:?}"), format!("{settings:#?}")] {
            assert!(shown.contains("***") && !shown.contains("canary"), "{shown}");
        }
    }
}
