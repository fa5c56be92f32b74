//! Links that are safe to publish: absolute, with an allowed scheme, without credentials.
//!
//! Links are written in normal form (RFC 3986 6.2.2 and 6.2.3), because some feed readers normalise
//! other spellings and then treat the item as another one.

use std::borrow::Cow;

use url::{Position, Url};

use crate::model::joined;
use crate::text::chars;
use crate::text::html::{reference_number, resolve_references};

/// Schemes of pages, images and files.
pub(super) const WEB: &[&str] = &["http", "https"];
/// Schemes of a person's page or address.
pub(super) const PERSON: &[&str] = &["http", "https", "mailto"];
/// Schemes of links in HTML.
pub(super) const HYPERLINK: &[&str] = &["http", "https", "mailto", "magnet"];

/// Maximum length of a link in bytes. Servers reject longer ones.
const MAX_LINK: usize = 8 * 1024;

/// The link in normal form, resolved against `base`. `None` if it is invalid or its scheme is not in
/// `schemes`.
pub(super) fn absolute(written: &str, base: &Url, schemes: &[&str]) -> Option<String> {
    // WHATWG URL 4.4 strips C0 controls and spaces. Publishers add other invisible characters.
    let written = written.trim_matches(chars::is_invisible);
    if written.is_empty() || written.len() > MAX_LINK {
        return None;
    }
    let written = unescaped(written);
    let mut url = match Url::parse(&written) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => joined(base, &written)?,
        Err(_) => return None,
    };
    if !schemes.contains(&url.scheme()) {
        return None;
    }
    // RFC 3986 7.5: userinfo is a secret or misleading.
    if crate::model::has_login(&url)
        && (url.set_username("").is_err() || url.set_password(None).is_err())
    {
        return None;
    }
    if url.has_authority() {
        // Many feed readers drop an empty query or fragment.
        if url.query() == Some("") {
            url.set_query(None);
        }
        if url.fragment() == Some("") {
            url.set_fragment(None);
        }
    }
    // RFC 3986 3.2.2: brackets are allowed only around IPv6 addresses.
    let (host, rest) = (&url[..Position::BeforePath], &url[Position::BeforePath..]);
    let link = match escaped(rest) {
        Cow::Borrowed(_) => url.into(),
        Cow::Owned(rest) => format!("{host}{rest}"),
    };
    (link.len() <= MAX_LINK).then_some(link)
}

/// Maximum number of times that a link is unescaped.
const MAX_ESCAPED: usize = 3;

/// The link without references to `&`, which no URL contains: publishers escape links twice, or in a CDATA section.
fn unescaped(written: &str) -> Cow<'_, str> {
    let ampersand = |name: &str| {
        let is_it =
            name.eq_ignore_ascii_case("amp") || reference_number(name) == Some(u32::from('&'));
        is_it.then_some(Cow::Borrowed("&"))
    };
    let mut link = Cow::Borrowed(written);
    for _ in 0..MAX_ESCAPED {
        // The longest is `&#x0026;`.
        let shorter = match resolve_references(&link, 7, ampersand) {
            Cow::Owned(shorter) if shorter != *link => shorter,
            _ => break,
        };
        link = Cow::Owned(shorter);
    }
    link
}

/// Base of the relative links of a piece of HTML.
#[derive(Clone, Copy)]
pub(super) struct LinkBase<'a> {
    /// The `xml:base`, or else the URL of the document.
    pub(super) base: &'a Url,
    /// The item's page: the base of links that are only a fragment, such as `#note-1`.
    pub(super) page: Option<&'a str>,
}

impl LinkBase<'_> {
    /// The absolute link; see [`absolute`].
    pub(super) fn resolve(&self, written: &str, schemes: &[&str]) -> Option<String> {
        let page = self.page.filter(|_| written.trim_start().starts_with('#'));
        let page = page.and_then(|page| Url::parse(page).ok());
        absolute(written, page.as_ref().unwrap_or(self.base), schemes)
    }
}

/// Whether RFC 3986 (2.2, 2.3) allows the byte, or it is a percent sign.
fn is_uri_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?'
            | b'#' | b'@' | b'!' | b'$' | b'&'..=b',' | b';' | b'=' | b'%'
    )
}

/// Percent-encodes characters of a serialised URL that WHATWG allows and RFC 3986 does not.
fn escaped(url: &str) -> Cow<'_, str> {
    if url.bytes().all(is_uri_byte) {
        return Cow::Borrowed(url);
    }
    let mut uri = String::with_capacity(url.len() + 8);
    let mut utf8 = [0; 4];
    for c in url.chars() {
        for &byte in c.encode_utf8(&mut utf8).as_bytes() {
            match is_uri_byte(byte) {
                true => uri.push(char::from(byte)),
                false => uri.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    Cow::Owned(uri)
}

/// The file name extension of the path of a URL, in lower case.
pub(super) fn extension(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let (_, extension) = url.path_segments()?.next_back()?.rsplit_once('.')?;
    Some(extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(written: &str) -> Option<String> {
        absolute(written, &Url::parse("https://example.org/blog/feed.xml").unwrap(), WEB)
    }

    #[test]
    fn a_valid_link_stays_unchanged() {
        for link in [
            "https://example.org/a//b;c?x=1&y=%5B2%5D&&=~!$*+,@:#f/?",
            "https://example.org/%7eme/%E2%82%AC?utm_source=rss",
            "http://example.org:8080/A",
            "https://[2001:db8::1]/",
        ] {
            assert_eq!(web(link).as_deref(), Some(link));
            assert_eq!(web(&format!(" \n{link}\t\u{a0}")).as_deref(), Some(link));
        }
    }

    #[test]
    fn a_link_is_written_in_normal_form() {
        for (written, kept) in [
            ("HTTP://Example.ORG:80/A/../b", "http://example.org/b"),
            (
                "https://example.org/a[1]?b[]=c#[d]",
                "https://example.org/a%5B1%5D?b%5B%5D=c#%5Bd%5D",
            ),
            ("https://example.org/?", "https://example.org/"),
            ("https://example.org/a#", "https://example.org/a"),
            ("https://example.org/a?#", "https://example.org/a"),
            ("https://example.org/a?b#", "https://example.org/a?b"),
        ] {
            assert_eq!(web(written).as_deref(), Some(kept), "{written}");
            assert_eq!(web(kept).as_deref(), Some(kept), "again: {written}");
        }
    }

    #[test]
    fn a_link_that_only_browsers_accept_is_repaired() {
        for (written, repaired) in [
            ("/a", "https://example.org/a"),
            ("http://example.org", "http://example.org/"),
            ("b?c", "https://example.org/blog/b?c"),
            ("//cdn.example.org/x", "https://cdn.example.org/x"),
            ("http:/example.org/x", "http://example.org/x"),
            ("http:///example.org/x", "http://example.org/x"),
            ("http:\\\\example.org\\x", "http://example.org/x"),
            ("https://example.org/a b|c?d|e^f", "https://example.org/a%20b%7Cc?d%7Ce%5Ef"),
            ("https://ex\nample.org/\ta", "https://example.org/a"),
            ("https://exämple.org/ü", "https://xn--exmple-cua.org/%C3%BC"),
        ] {
            assert_eq!(web(written).as_deref(), Some(repaired), "{written}");
            assert_eq!(web(repaired).as_deref(), Some(repaired), "again: {written}");
        }
    }

    #[test]
    fn an_escaped_ampersand_in_a_link_is_unescaped() {
        for (written, kept) in [
            ("https://e.org/?a=1&amp;b=2&amp;c=3", "https://e.org/?a=1&b=2&c=3"),
            ("https://e.org/?a=1&amp;amp;b=2", "https://e.org/?a=1&b=2"),
            ("https://e.org/?a=1&#038;b=2&#38;c&#x26;d", "https://e.org/?a=1&b=2&c&d"),
            ("?a=1&#038;b=2#x", "https://example.org/blog/feed.xml?a=1&b=2#x"),
            ("https://e.org/?a=1&lt;=2&copy;&#39;#&", "https://e.org/?a=1&lt;=2&copy;&#39;#&"),
            ("https://e.org/&amp", "https://e.org/&amp"),
        ] {
            assert_eq!(web(written).as_deref(), Some(kept), "{written}");
        }
    }

    #[test]
    fn a_password_in_a_link_is_dropped() {
        assert_eq!(
            web("https://me:secret@example.org/a").as_deref(),
            Some("https://example.org/a")
        );
        assert_eq!(web("https://example.com@evil.org/").as_deref(), Some("https://evil.org/"));
    }

    #[test]
    fn a_link_without_an_allowed_scheme_is_dropped() {
        for link in [
            "",
            " ",
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            "java\nscript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "mailto:a@b.c",
            "http://",
            "https://exa mple.org/",
            "http://[::1",
            "ftp://example.org/",
            "feed:https://example.org/",
            "blob:https://e.org/1",
        ] {
            assert_eq!(web(link), None, "{link}");
        }
        assert_eq!(web(&format!("https://e.org/{}", "a".repeat(9000))), None);
    }

    #[test]
    fn the_extension_is_that_of_the_path() {
        assert_eq!(extension("https://e.org/a.b/c.MP3?x=y.ogg").as_deref(), Some("mp3"));
        assert_eq!(extension("https://e.org/a.b/c"), None);
    }
}
