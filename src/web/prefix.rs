//! The path of `public_url`, when a proxy does not remove it. Pure.
//!
//! A proxy for `https://example.org/feeds/` sends `/feeds/planet.atom` or `/planet.atom`; both get the same answer.

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

/// Finds out whether `path` still has `prefix`, which has a slash at both ends. If an output has the name of the
/// prefix, `/planet/story/1` is a page of that output, and `/planet/planet/story/1` the same page behind the prefix.
pub(super) fn place<'p>(
    path: &'p str,
    prefix: &str,
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
    let is_known = || first.is_empty() || TOP.contains(&first) || is_output(first) || is_output(id);
    if is_output(prefix.trim_matches('/')) && !is_known() {
        return Place::Unchanged;
    }
    Place::Inside(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_removed_if_the_proxy_has_not_done_it() {
        let at = |path: &'static str| place(path, "/a/feeds/", |id| id == "planet");
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
        let at = |path: &'static str| place(path, "/planet/", |id| id == "planet");
        for (path, inside) in [
            ("/planet/", "/"),
            ("/planet/planet.atom", "/planet.atom"),
            ("/planet/planet/", "/planet/"),
            ("/planet/planet/story/1", "/planet/story/1"),
            ("/planet/style.css", "/style.css"),
        ] {
            assert_eq!(at(path), Place::Inside(inside), "{path}");
        }
        for path in
            ["/planet/story/1", "/planet/archive/1.atom", "/planet/theme.css", "/planet.atom"]
        {
            assert_eq!(at(path), Place::Unchanged, "{path}");
        }
    }
}
