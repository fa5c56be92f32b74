//! The URL of the server, as a client sees it.
//!
//! Documents contain URLs of this server. With `public_url`, these are the same for all clients. Without it
//! the server does not know its name: documents then take the host of the request, which was checked before.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::{Host, Url};

use crate::outputs::ServedOutput;
use crate::render::Document;

/// Number of documents that are kept in memory for requests by other hosts.
const KEPT: usize = 16;

/// The URL that a request was sent to; ends with a slash. `None`: the default of the documents holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct BaseUrl(Option<Arc<str>>);

impl BaseUrl {
    /// The URL for this value of the Host field.
    pub(super) fn of_host(host: &str) -> Self {
        let url = Url::parse(&format!("http://{host}/")).ok();
        Self(url.filter(is_plain).map(|url| String::from(url).into()))
    }

    /// `url`, which begins with the URL `default` of the server.
    pub(super) fn apply(&self, default: &str, url: &str) -> String {
        match &self.0 {
            Some(base) => url.replacen(default, base, 1),
            None => url.to_owned(),
        }
    }

    /// A whole Atom document with `default` in the attributes `href`.
    pub(super) fn apply_to_links(&self, default: &str, atom: &str) -> String {
        match &self.0 {
            Some(base) => atom.replace(&format!("href=\"{default}"), &format!("href=\"{base}")),
            None => atom.to_owned(),
        }
    }
}

/// Whether it has nothing but host and port, and the host is an address that can be reached.
fn is_plain(url: &Url) -> bool {
    let unspecified = match url.host() {
        Some(Host::Ipv4(address)) => address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_unspecified(),
        Some(Host::Domain(_)) => false,
        None => true,
    };
    let bare = !crate::model::has_login(url) && url.path() == "/";
    !unspecified && bare && url.query().is_none() && url.fragment().is_none()
}

/// Documents with other URLs of the server than the default, made at the first request and kept for the next.
#[derive(Debug, Default)]
pub(super) struct Variants(Mutex<VecDeque<Variant>>);

#[derive(Debug)]
struct Variant {
    base: Arc<str>,
    /// The document that it was made from.
    of: Arc<Document>,
    document: Arc<Document>,
}

impl Variants {
    /// The document for this URL of the server if it needs no work; `None`: call [`Variants::make`].
    pub(super) fn find(
        &self,
        output: &ServedOutput,
        document: &Arc<Document>,
        base: &BaseUrl,
    ) -> Option<Arc<Document>> {
        let Some(base) = base.0.as_ref().filter(|base| ***base != *output.base_url.as_str()) else {
            return Some(Arc::clone(document));
        };
        let is_it = |kept: &&Variant| Arc::ptr_eq(&kept.of, document) && kept.base == *base;
        self.lock().iter().find(is_it).map(|kept| Arc::clone(&kept.document))
    }

    /// The document for this URL of the server. Copies it, which may block an async thread.
    pub(super) fn make(
        &self,
        output: &ServedOutput,
        document: &Arc<Document>,
        base: &BaseUrl,
    ) -> Arc<Document> {
        if let Some(found) = self.find(output, document, base) {
            return found;
        }
        let Some(base) = &base.0 else { return Arc::clone(document) };
        let own = Some(&*output.id).filter(|_| output.is_digest);
        let made = Arc::new(document.with_base_url(output.base_url.as_str(), base, own));
        let of = Arc::clone(document);
        let mut kept = self.lock();
        kept.push_front(Variant { base: Arc::clone(base), of, document: Arc::clone(&made) });
        kept.truncate(KEPT);
        made
    }

    // A panic cannot leave the list half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Variant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_host_becomes_a_url() {
        let url = |host: &str| BaseUrl::of_host(host).0;
        assert_eq!(url("planet.example:8420").as_deref(), Some("http://planet.example:8420/"));
        assert_eq!(url("PLANET.example:80").as_deref(), Some("http://planet.example/"));
        assert_eq!(url("[2001:db8::1]:8420").as_deref(), Some("http://[2001:db8::1]:8420/"));
        for host in ["0.0.0.0:8420", "[::]", "", "me@planet.example", "a/b", "a?b", "a#b", "a b"] {
            assert_eq!(url(host), None, "{host}");
        }
    }
}
