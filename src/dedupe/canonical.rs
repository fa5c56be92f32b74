//! The canonical form of an item's URL: equal forms mean the same page.
//!
//! Used for identity only; what is published stays the publisher's own URL.

use std::sync::LazyLock;

use url::Url;

use super::digest::digest;
use super::lexicon;
use crate::model::{Digest, site};

/// Query parameters that name where a reader came from, not what is read.
static TRACKING: LazyLock<Vec<&str>> =
    LazyLock::new(|| lexicon::lines(include_str!("data/tracking.txt")));

/// The digest of the canonical form; `None` where the URL does not name one page.
#[must_use]
pub fn url_key(url: &str) -> Option<Digest> {
    canonical(url).map(|url| digest(&[url.as_bytes()]))
}

/// Hosts that are another door to the same pages: for old browsers, for telephones.
const DOORS: &[&str] = &["www.", "m.", "mobile.", "amp."];

/// The canonical form itself, without scheme; `None` where the URL does not name one page.
#[must_use]
pub fn canonical(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?.trim_end_matches('.');
    // The scheme is left out: http and https lead to one page. So is the door to one site.
    let bare = |door: &&str| host.strip_prefix(door).filter(|rest| rest.ends_with(site(&url)));
    let host = DOORS.iter().find_map(bare).unwrap_or(host);
    let query = without_tracking(url.query().unwrap_or_default());
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/amp").or(path.strip_suffix("/index.html")).unwrap_or(path);
    // A link to the home page does not identify an item.
    if path.is_empty() && query.is_empty() {
        return None;
    }
    let mut canonical = host.to_owned();
    if let Some(port) = url.port() {
        canonical.push_str(&format!(":{port}"));
    }
    canonical.push_str(path);
    if !query.is_empty() {
        canonical.push('?');
        canonical.push_str(&query);
    }
    // A fragment is a place in the page, but `#!` was once a separate page.
    if let Some(fragment) = url.fragment().filter(|fragment| fragment.starts_with('!')) {
        canonical.push('#');
        canonical.push_str(fragment);
    }
    Some(canonical)
}

/// What an item without guid is recognised by: the canonical form, but with its fragment, for the
/// entries of a changelog are places in one page.
#[must_use]
pub fn within_feed(url: &str) -> String {
    let page = canonical(url).unwrap_or_else(|| url.to_owned());
    match url.split_once('#') {
        Some((_, fragment)) if !fragment.starts_with('!') => format!("{page}#{fragment}"),
        _ => page,
    }
}

/// Whether two URLs of one page may name the same place in it: not two fragments.
#[must_use]
pub fn may_be_one_place(url: &str, other: &str) -> bool {
    let fragment = |url: &str| url.split_once('#').map(|(_, fragment)| fragment.to_owned());
    fragment(url).zip(fragment(other)).is_none_or(|(one, another)| one == another)
}

/// The URL without the query parameters that only track readers; `separator` is between parameters: `&`, or `&amp;` in
/// HTML. `None`: it has none. The rest stays byte for byte. Parameters such as `ref` stay, because they may select a
/// page.
#[must_use]
pub fn without_trackers(url: &str, separator: &str) -> Option<String> {
    let (page, fragment) = url.split_once('#').map_or((url, None), |(page, at)| (page, Some(at)));
    let (path, query) = page.split_once('?')?;
    let all: Vec<&str> = query.split(separator).collect();
    let kept: Vec<&str> = all.iter().copied().filter(|pair| !is_listed(pair)).collect();
    if kept.len() == all.len() {
        return None;
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join(separator)) };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    Some(format!("{path}{query}{fragment}"))
}

/// The query without what only tracks; the rest in its order, byte for byte.
fn without_tracking(query: &str) -> String {
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect();
    kept.join("&")
}

/// Parameters that name where a reader came from, unless they have a number: then they are a reference.
const ORIGINS: &[&str] = &["ref", "source", "src", "from", "via"];

fn is_tracking(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = name.to_ascii_lowercase();
    if ORIGINS.contains(&name.as_str()) {
        return !value.bytes().any(|byte| byte.is_ascii_digit());
    }
    is_listed(pair)
}

/// Whether the name of a parameter is in the list.
fn is_listed(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    TRACKING.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        canonical(a).is_some() && canonical(a) == canonical(b)
    }

    #[test]
    fn only_parameters_that_track_are_removed_from_a_link() {
        for (url, rest) in [
            ("https://a.b/?utm_source=rss&id=3&UTM_medium=x#c", "https://a.b/?id=3#c"),
            ("https://a.b/p?fbclid=x", "https://a.b/p"),
            ("https://a.b/p?fbclid=x#!c?d", "https://a.b/p#!c?d"),
            ("https://a.b/?b=%C3%A4&&gclid=1&a", "https://a.b/?b=%C3%A4&&a"),
        ] {
            assert_eq!(without_trackers(url, "&").as_deref(), Some(rest));
            let escaped = url.replace('&', "&amp;");
            let rest = rest.replace('&', "&amp;");
            assert_eq!(without_trackers(&escaped, "&amp;"), Some(rest));
        }
        for url in
            ["https://a.b/utm_source=x", "https://a.b/?ref=home&src=a", "https://a.b/#?utm_a=b"]
        {
            assert_eq!(without_trackers(url, "&"), None, "{url}");
        }
    }

    #[test]
    fn spellings_of_one_page_are_one() {
        let page = "https://example.org/a/b?id=3";
        for other in [
            "http://example.org/a/b?id=3",
            "https://www.example.org/a/b?id=3",
            "https://EXAMPLE.org:443/a/b?id=3",
            "https://example.org/a/b?id=3#comments",
            "https://example.org/a/b?utm_source=rss&id=3&fbclid=x",
            "https://example.org/a/b/?id=3",
            "https://example.org./a/b?id=3&",
            "https://example.org/a/b?id=3&ref=frontpage",
            "https://m.example.org/a/b?id=3",
            "https://amp.example.org/a/b/amp?id=3",
        ] {
            assert!(same(page, other), "{other}");
        }
    }

    #[test]
    fn pages_that_differ_stay_apart() {
        let page = "https://example.org/a?id=3";
        for other in [
            "https://example.org/a?id=4",
            "https://example.org/A?id=3",
            "https://example.org:8443/a?id=3",
            "https://sub.example.org/a?id=3",
            "https://example.org/a?id=3#!/other",
            "https://example.org/a",
            "https://m.com/a?id=3",
            "https://example.org/a?id=3&ref=4711",
        ] {
            assert!(!same(page, other), "{other}");
        }
        assert!(!same("https://example.org/a?x=1&y=2", "https://example.org/a?y=2&x=1"));
    }

    #[test]
    fn fragments_of_one_page_are_different_within_a_feed() {
        let place = |fragment: &str| within_feed(&format!("http://example.org/changes#{fragment}"));
        assert_ne!(place("v1"), place("v2"));
        let one = |fragment: &str| {
            let url = |place: &str| format!("http://example.org/changes{place}");
            may_be_one_place(&url("#v1"), &url(fragment))
        };
        assert!(one("#v1") && one("") && !one("#v2"));
        assert_eq!(
            within_feed("http://example.org/a"),
            within_feed("https://www.example.org/a?utm_source=x")
        );
    }

    #[test]
    fn a_link_to_a_home_page_or_to_no_page_is_no_identity() {
        for url in [
            "https://example.org/",
            "https://example.org",
            "https://e.org/?utm_source=x",
            "mailto:a@b.c",
            "",
        ] {
            assert_eq!(canonical(url), None, "{url}");
        }
        assert!(canonical("https://example.org/?p=17").is_some());
    }
}
