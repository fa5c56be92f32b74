//! `[fetch]`: what one request looks like and how much it may cost. Every key but `concurrency`
//! may be repeated in a `[[feed]]`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

use super::guard::Guard;
use crate::model::Failure;

/// What shapes a request, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A page or an address where a site owner finds who polls; goes into the User-Agent.
    pub contact: Option<String>,
    /// Sent instead of `newswire/VERSION (+contact)`.
    pub user_agent: Option<String>,
    /// For the whole exchange: name, connection, redirects, headers and body.
    pub timeout: Duration,
    /// Largest decoded body, in bytes.
    pub max_body: u64,
    /// Redirects that are followed.
    pub max_redirects: usize,
    /// Private networks that may be dialled; none by default.
    pub allow_networks: Vec<IpNet>,
    /// Certificates of authorities that are trusted beside the machine's own, in PEM. There is no
    /// switch to trust everybody.
    pub ca: Option<Arc<[u8]>>,
    /// Headers of the operator's own, `Authorization` among them: sent to the origin of the feed's
    /// address and to no other. RFC 9110 15.4.
    pub headers: Vec<(String, Secret)>,
    /// An HTTP proxy that all requests go through; it resolves names itself, so that the guard sees
    /// only addresses that are written as numbers.
    pub proxy: Option<Url>,
}

impl Settings {
    /// Why every request to `url` would be refused, as far as the address tells by itself.
    #[must_use]
    pub fn refuses(&self, url: &Url) -> Option<Failure> {
        // A name on the usual port is judged by what it resolves to.
        let usual = matches!(url.host(), Some(Host::Domain(_))) && url.port().is_none();
        let guard = (!usual).then(|| Guard::new(&self.allow_networks))?;
        guard.check_url(url).err()
    }
}

/// A value that is written into no log, page or message.
#[derive(Clone, PartialEq, Eq)]
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
        }
    }
}
