//! The URL of the server, as a client sees it.
//!
//! Documents contain URLs of this server. With `public_url`, these are the same for all clients. Without it
//! the server does not know its name: documents then take the host of the request, which was checked before.
//!
//! `public_url` may have a path, the prefix, which a proxy removes from requests or not. A proxy for
//! `https://example.org/feeds/` sends `/feeds/planet.atom` or `/planet.atom`; both get the same answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
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

/// Names at the top that are not outputs.
const TOP: &[&str] = &[
    "style.css",
    "icon.svg",
    "healthz",
    "readyz",
    "metrics",
    "status",
    "status.json",
    "health.atom",
    "subscriptions.opml",
];

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// The path as it is.
    Unchanged,
    /// This path, which begins with a slash.
    Inside(&'p str),
    /// The prefix without its last slash: its last name, to which a slash is missing.
    WithoutSlash(&'p str),
}

/// What a request shows of the proxy that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    /// The field `X-Forwarded-Prefix` names the prefix: the proxy has removed it.
    Removes,
    /// Nothing: the proxy may keep the prefix.
    Unknown,
}

impl Proxy {
    /// What the fields of a request show.
    pub(super) fn of(headers: &HeaderMap, prefix: &str) -> Self {
        let sent = headers.get("x-forwarded-prefix").and_then(|value| value.to_str().ok());
        match sent.is_some_and(|sent| sent.trim().trim_matches('/') == prefix.trim_matches('/')) {
            true => Self::Removes,
            false => Self::Unknown,
        }
    }
}

/// Finds out whether `path` still has `prefix`, which has a slash at both ends. If an output has the name of the
/// prefix, `/planet/story/1` is a page of that output, and `/planet/planet/story/1` the same page behind the prefix.
///
/// Then `/planet/` alone may be the list of outputs behind the prefix or the page of the output without it. It is the page
/// only if the proxy shows that it removes the prefix. A client can send that field too, and gets no more than that page.
pub(super) fn place<'p>(
    path: &'p str,
    (prefix, proxy): (&str, Proxy),
    is_output: impl Fn(&str) -> bool,
) -> Place<'p> {
    let Some(rest) = path.strip_prefix(&prefix[..prefix.len() - 1]) else {
        return Place::Unchanged;
    };
    if rest.is_empty() {
        return Place::WithoutSlash(path.rsplit('/').next().unwrap_or_default());
    }
    let Some(inside) = rest.strip_prefix('/') else { return Place::Unchanged };
    let first = inside.split('/').next().unwrap_or_default();
    let id = first.rsplit_once('.').map_or(first, |(id, _)| id);
    let is_known = || match inside {
        "" => proxy == Proxy::Unknown,
        _ => first.is_empty() || TOP.contains(&first) || is_output(first) || is_output(id),
    };
    if is_output(prefix.trim_matches('/')) && !is_known() {
        return Place::Unchanged;
    }
    Place::Inside(rest)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

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

    #[test]
    fn a_prefix_is_removed_if_the_proxy_has_not_done_it() {
        let at =
            |path: &'static str| place(path, ("/a/feeds/", Proxy::Unknown), |id| id == "planet");
        assert_eq!(at("/a/feeds/planet.atom"), Place::Inside("/planet.atom"));
        assert_eq!(at("/a/feeds/planet/story/1"), Place::Inside("/planet/story/1"));
        assert_eq!(at("/a/feeds/other"), Place::Inside("/other"));
        assert_eq!(at("/a/feeds/"), Place::Inside("/"));
        assert_eq!(at("/a/feeds"), Place::WithoutSlash("feeds"));
        for path in ["/", "/planet.atom", "/a/feedsx", "/a/", "/planet/a/feeds/"] {
            assert_eq!(at(path), Place::Unchanged, "{path}");
        }
    }

    #[test]
    fn a_prefix_may_have_the_name_of_an_output() {
        let behind =
            |proxy, path: &'static str| place(path, ("/planet/", proxy), |id| id == "planet");
        let at = |path: &'static str| behind(Proxy::Unknown, path);
        assert_eq!(at("/planet/"), Place::Inside("/"));
        assert_eq!(behind(Proxy::Removes, "/planet/"), Place::Unchanged);
        for (path, inside) in [
            ("/planet/planet.atom", "/planet.atom"),
            ("/planet/planet/", "/planet/"),
            ("/planet/planet/story/1", "/planet/story/1"),
            ("/planet/style.css", "/style.css"),
        ] {
            assert_eq!(at(path), Place::Inside(inside), "{path}");
            assert_eq!(behind(Proxy::Removes, path), Place::Inside(inside), "{path}");
        }
        for path in
            ["/planet/story/1", "/planet/archive/1.atom", "/planet/theme.css", "/planet.atom"]
        {
            assert_eq!(at(path), Place::Unchanged, "{path}");
        }
    }

    #[test]
    fn a_proxy_names_the_prefix_that_it_removed() {
        let of = |value: &'static str| {
            let field = HeaderValue::from_static(value);
            let headers: HeaderMap =
                [(HeaderName::from_static("x-forwarded-prefix"), field)].into_iter().collect();
            Proxy::of(&headers, "/planet/")
        };
        for value in ["/planet", "/planet/", " /planet"] {
            assert_eq!(of(value), Proxy::Removes, "{value}");
        }
        for value in ["", "/", "/planets", "/a/planet"] {
            assert_eq!(of(value), Proxy::Unknown, "{value}");
        }
        assert_eq!(Proxy::of(&HeaderMap::new(), "/planet/"), Proxy::Unknown);
    }
}
