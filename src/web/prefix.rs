//! The path of `public_url`, when a proxy does not remove it. Pure.
//!
//! A proxy for `https://example.org/feeds/` sends `/feeds/planet.atom` or `/planet.atom`; both get the same answer.

use axum::http::HeaderMap;

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
