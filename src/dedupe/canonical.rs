//! The canonical form of an item's URL: equal forms mean the same page.
//!
//! Used for identity only; what is published stays the publisher's own URL.

use std::borrow::Cow;
use std::sync::LazyLock;

use url::Url;

use super::ids::digest;
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
    let url = aliased(&url).unwrap_or(url);
    let host = url.host_str()?.trim_end_matches('.');
    // The scheme is left out: http and https lead to one page. So is the door to one site.
    let bare = |door: &&str| host.strip_prefix(door).filter(|rest| rest.ends_with(site(&url)));
    let host = DOORS.iter().find_map(bare).unwrap_or(host);
    let query = canonical_query(&url);
    let path = canonical_path(url.path());
    // A link to the home page does not identify an item.
    if path.is_empty() && query.is_empty() {
        return None;
    }
    let mut canonical = host.to_owned();
    if let Some(port) = url.port() {
        canonical.push_str(&format!(":{port}"));
    }
    canonical.push_str(&path);
    if !query.is_empty() {
        canonical.push('?');
        canonical.push_str(&query);
    }
    // A fragment is a place in the page, but `#!` was once a separate page, and a comment is a separate thing.
    let counts = |fragment: &&str| fragment.starts_with('!') || names_a_comment(fragment);
    if let Some(fragment) = url.fragment().filter(counts) {
        canonical.push('#');
        canonical.push_str(fragment);
    }
    Some(canonical)
}

/// Addresses that are known to lead to a page with another address, such as short links.
fn aliased(url: &Url) -> Option<Url> {
    let host = url.host_str()?.trim_start_matches("www.");
    let parameter = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let part = |n: usize| url.path_segments()?.nth(n).filter(|part| !part.is_empty());
    match host {
        "youtu.be" => video(part(0)?),
        "youtube.com" | "m.youtube.com" => match part(0)? {
            "watch" => video(&parameter("v")?),
            "shorts" | "live" | "embed" => video(part(1)?),
            _ => None,
        },
        "old.reddit.com" | "new.reddit.com" | "np.reddit.com" => on_host(url, "reddit.com"),
        "dx.doi.org" => on_host(url, "doi.org"),
        // Google Alerts.
        "google.com" if url.path() == "/url" => {
            let target = parameter("url").or_else(|| parameter("q"))?;
            Url::parse(&target).ok().filter(|target| matches!(target.scheme(), "http" | "https"))
        }
        _ => None,
    }
}

fn video(id: &str) -> Option<Url> {
    Url::parse_with_params("https://youtube.com/watch", [("v", id)]).ok()
}

fn on_host(url: &Url, host: &str) -> Option<Url> {
    let mut url = url.clone();
    url.set_host(Some(host)).ok()?;
    Some(url)
}

/// The path without its other spellings, the id of a session and the mark of a page for telephones.
fn canonical_path(path: &str) -> String {
    let mut spelled = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        spelled.push('/');
        spelled.push_str(&unescaped(without_session(part)));
    }
    for ending in ["/amp", "/index.html", ".amp", ".amp.html"] {
        if let Some(rest) = spelled.strip_suffix(ending) {
            let suffix = if ending == ".amp.html" { ".html" } else { "" };
            return format!("{rest}{suffix}");
        }
    }
    spelled
}

/// A part of a path without the session that a Java server puts into it.
fn without_session(part: &str) -> &str {
    let at = part.to_ascii_lowercase().find(";jsessionid=");
    at.map_or(part, |at| &part[..at])
}

/// RFC 3986 6.2.2: hexadecimal digits in upper case, and no escapes of unreserved characters.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        plain.push_str(before);
        let digits = behind.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(digits) = digits else {
            plain.push('%');
            rest = behind;
            continue;
        };
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                plain.push(char::from(byte));
            }
            _ => {
                plain.push('%');
                plain.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = &behind[2..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Names of fragments that, before a number, are a comment: `#comment-17`, `#discussion_r17`.
const COMMENTS: &[&str] = &["discussion_r", "note_", "reply-", "cmt-", "isso-"];

/// Whether a fragment names one comment of a page: `#comments` and `#respond` do not.
fn names_a_comment(fragment: &str) -> bool {
    let fragment = fragment.to_ascii_lowercase();
    let name = fragment.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = fragment.len() - name.len();
    let word = name.trim_end_matches(['-', '_', '=']);
    // Blogger has `#c` and a long number.
    number > 0
        && (word.ends_with("comment") || COMMENTS.contains(&name) || name == "c" && number >= 6)
}

/// Whether path or query may name one of many items: "/blog" does not.
#[must_use]
pub fn may_name_an_item(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let tail = format!("{}?{}", url.path().trim_end_matches('/'), url.query().unwrap_or_default());
    tail.len() >= 8 && tail.chars().any(|c| c.is_ascii_digit() || c == '-')
}

/// What an item without guid is recognised by: the canonical form, but with its fragment, for the
/// entries of a changelog are places in one page.
#[must_use]
pub fn within_feed(url: &str) -> String {
    let page = canonical(url).unwrap_or_else(|| url.to_owned());
    match url.split_once('#') {
        Some((_, place)) if !place.starts_with('!') && !names_a_comment(place) => {
            format!("{page}#{place}")
        }
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
    let kept: Vec<&str> = all.iter().copied().filter(|pair| !is_listed(&TRACKING, pair)).collect();
    if kept.len() == all.len() {
        return None;
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join(separator)) };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    Some(format!("{path}{query}{fragment}"))
}

/// The query without what only tracks or names a session; the rest in the order of the names, because few servers
/// depend on theirs. Values of one name keep their order.
fn canonical_query(url: &Url) -> String {
    let query = url.query().unwrap_or_default();
    // The mark of Blogger for telephones, which elsewhere may be a month.
    let mobile = query == "m=1" && url.path().ends_with(".html");
    let counts = |pair: &&str| !pair.is_empty() && !is_tracking(pair) && !mobile;
    let mut pairs: Vec<&str> =
        query.split('&').filter(counts).filter(|pair| !names_a_session(pair)).collect();
    // The only parameter of a program is what it shows.
    let is_program =
        url.path().rsplit('/').next().is_none_or(|end| end.is_empty() || end.contains('.'));
    if pairs.len() > 1 || !is_program {
        pairs.retain(|pair| !looks_like_a_session(pair));
    }
    let spelled = |pair: &&str| unescaped(&pair.replace('+', "%20")).into_owned();
    let mut kept: Vec<String> = pairs.iter().map(spelled).collect();
    let name = |pair: &String| pair.split('=').next().unwrap_or_default().to_owned();
    kept.sort_by_cached_key(name);
    kept.join("&")
}

/// Parameters that name the session of the client that requested the feed, with any value.
const SESSIONS: &[&str] = &["phpsessid", "jsessionid", "cfid", "cftoken", "oscsid", "zenid"];
/// Parameters that may, if the value is a long hexadecimal number.
const POSSIBLE_SESSIONS: &[&str] = &["sid", "s", "sessionid", "session_id"];
const SESSION_DIGITS: usize = 32;

fn names_a_session(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    SESSIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn looks_like_a_session(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let random =
        value.len() >= SESSION_DIGITS && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    random && POSSIBLE_SESSIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Parameters that name where a reader came from, unless they have a number: then they are a reference.
const ORIGINS: &[&str] = &["ref", "source", "src", "from", "via"];
/// Parameters that do if the value names the feed: `partner=rss`, `source=rss-abc------2`.
const FEED_ORIGINS: &[&str] = &["partner", "mod", "source", "ref", "from", "via", "src"];

/// Whether a parameter names where a reader came from.
pub(super) fn is_tracking(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = name.to_ascii_lowercase();
    let feed = |value: &str| {
        let rest = value.strip_prefix("rss");
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    if FEED_ORIGINS.contains(&name.as_str()) && feed(&value.to_ascii_lowercase()) {
        return true;
    }
    if ORIGINS.contains(&name.as_str()) {
        return !value.bytes().any(|byte| byte.is_ascii_digit());
    }
    is_listed(&TRACKING, pair)
}

/// Whether the name of a parameter is in a list, in which `*` ends a prefix.
pub(super) fn is_listed(list: &[&str], pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    list.iter().any(|known| match known.strip_suffix('*') {
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
            "https://example.org//a/b.amp?id=3",
            "https://example.org/%61/b;jsessionid=0A1B?id=3&PHPSESSID=x",
            "https://example.org/a/b?id=3&sid=0123456789abcdef0123456789abcdef",
            "https://example.org/a/b?id=3&source=rss-abc------2&partner=rss&emc=rss",
            "https://example.org/a/b?feedType=RSS&id=3&feedName=top&reflink=x",
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
            "https://example.org/a?id=3&sid=4711",
            "https://example.org/a?id=3&mod=rssi",
            "https://example.org/a?id=3&session=0123456789abcdef0123456789abcdef",
            "https://example.org/a?id=%33%26",
            "https://example.org/a?id=3#comment-17",
        ] {
            assert!(!same(page, other), "{other}");
        }
        let story = "https://example.org/story.php?sid=0123456789abcdef0123456789abcde";
        assert!(!same(&format!("{story}0"), &format!("{story}1")));
        assert!(!same("https://example.org/a%2Fb", "https://example.org/a/b"));
        assert!(!same("https://example.org/a?t=1&t=2", "https://example.org/a?t=2&t=1"));
        assert!(!same("https://example.org/a?y=26&m=1", "https://example.org/a?y=26"));
    }

    #[test]
    fn escapes_and_the_order_of_parameters_make_no_other_page() {
        for (a, b) in [
            ("https://x.example/%c3%a9-1", "https://x.example/é-1"),
            ("https://x.example/~ann/calm", "https://x.example/%7Eann/calm"),
            ("https://x.example/新闻", "https://x.example/%e6%96%b0%e9%97%bb"),
            ("https://x.example/a%2Fb", "https://x.example/a%2fb"),
            ("https://x.example/?q=a+b", "https://x.example/?q=a%20b"),
            ("https://x.example/p?a=1&b=2", "https://x.example/p?b=2&a=1"),
            ("https://x.example/100%", "https://x.example/100%#x"),
        ] {
            assert!(same(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn known_addresses_of_one_page_are_one() {
        let video = "https://www.youtube.com/watch?v=abcDEF12345";
        for other in [
            "https://youtu.be/abcDEF12345?si=xx",
            "https://www.youtube.com/shorts/abcDEF12345",
            "https://m.youtube.com/watch?v=abcDEF12345&feature=youtu.be&t=10",
        ] {
            assert!(same(video, other), "{other}");
        }
        assert!(!same(video, "https://youtu.be/abcDEF12346"));
        assert!(!same("https://www.youtube.com/channel/a1", "https://www.youtube.com/channel/a2"));
        for (a, b) in [
            (
                "https://www.reddit.com/r/a/comments/1/x/",
                "https://old.reddit.com/r/a/comments/1/x/",
            ),
            ("https://doi.org/10.1000/xyz", "http://dx.doi.org/10.1000/xyz"),
            (
                "https://x.example/calm",
                "https://www.google.com/url?rct=j&url=https://x.example/calm&ct=ga",
            ),
            ("https://b.example/2026/11/calm.html", "https://b.example/2026/11/calm.html?m=1"),
        ] {
            assert!(same(a, b), "{a} / {b}");
        }
        assert_eq!(canonical("https://www.google.com/url?q=https://x.example/"), None);
    }

    #[test]
    fn a_comment_is_another_thing_than_its_page() {
        let page = "https://x.example/boat/";
        for place in ["comments", "respond", "comment-", "c1", "chapter-2", "replies"] {
            assert!(same(page, &format!("{page}#{place}")), "{place}");
        }
        for comment in [
            "comment-17",
            "issuecomment-17",
            "discussion_r17",
            "div-comment-17",
            "c1234567890",
            "note_17",
        ] {
            assert!(!same(page, &format!("{page}#{comment}")), "{comment}");
        }
        assert!(!same(&format!("{page}#comment-17"), &format!("{page}#comment-18")));
        let place = |place: &str| within_feed(&format!("{page}#{place}"));
        assert_ne!(place("comment-17"), place("comment-18"));
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
