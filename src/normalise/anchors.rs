//! Footnotes: links from one place of a fragment to another. They stay in the text if both ends are there.
//!
//! Ids get a prefix that is made from the page of the item, so that the ids of several items on one page differ.

use std::collections::HashSet;

use url::Url;

use super::allowlist::element;
use super::links::LinkBase;
use super::tokens::{self, Sink, Tag};

use crate::text::sha256::sha256;

/// The places of a fragment that are linked from the same fragment.
#[derive(Default)]
pub(super) struct Anchors {
    prefix: String,
    places: HashSet<String>,
}

/// Ids and local links of a fragment.
#[derive(Default)]
struct Ends {
    ids: HashSet<String>,
    links: HashSet<String>,
    page: Option<Page>,
}

/// The page of the fragment.
#[derive(Clone)]
struct Page {
    /// Its URL without fragment.
    url: String,
    /// Base of relative links.
    base: Url,
}

impl Page {
    fn of(link_base: LinkBase<'_>) -> Option<Self> {
        let url = link_base.page?.split('#').next().unwrap_or_default().to_owned();
        Some(Self { url, base: link_base.base.clone() })
    }

    /// Whether a link without its fragment leads to the page.
    fn is(&self, link: &str) -> bool {
        let relative = || self.base.join(link).is_ok_and(|link| link.as_str() == self.url);
        self.url == link || !link.is_empty() && self.url.ends_with(link) && relative()
    }
}

impl Sink for Ends {
    fn text(&mut self, _text: &str) {}

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        if tag.end {
            return false;
        }
        let known = element(&tag.name).is_some();
        if let Some(id) = id(tag).filter(|_| known) {
            self.ids.insert(id.to_owned());
        }
        if let Some(place) = tag.attribute("href").and_then(|href| place(href, self.page.as_ref()))
        {
            self.links.insert(place);
        }
        true
    }
}

/// The id of an element, or the name of an `<a>`.
fn id<'t>(tag: &'t Tag<'_>) -> Option<&'t str> {
    let name = || tag.attribute("name").filter(|_| &*tag.name == "a");
    tag.attribute("id").or_else(name).map(str::trim).filter(|id| !id.is_empty())
}

/// The place that a link to the same page leads to.
fn place(href: &str, page: Option<&Page>) -> Option<String> {
    let href = href.trim();
    let (before, place) = href.split_once('#')?;
    let same = before.is_empty() || page.is_some_and(|page| page.is(before));
    let decoded = percent_decoded(place);
    (same && !decoded.is_empty()).then_some(decoded)
}

/// Whether a fragment may have a link to a place in it. A cheap check before the exact one.
fn has_local_link(html: &str, page: Option<&str>) -> bool {
    let page = page.and_then(|page| page.split('#').next()).unwrap_or_default().as_bytes();
    memchr::memchr_iter(b'#', html.as_bytes()).any(|at| {
        let before = &html.as_bytes()[..at];
        // Each byte is searched once, because `#` ends the search too.
        let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b'=' | b' ' | b'#' | b'<' | b'>');
        let link = before.iter().rposition(ends).map_or(before, |end| &before[end + 1..]);
        if !link.is_empty() {
            return page.ends_with(link);
        }
        let bare = match before {
            [bare @ .., b'"' | b'\'' | b' '] => bare,
            bare => bare,
        };
        bare.last_chunk::<5>().is_some_and(|name| name.eq_ignore_ascii_case(b"href="))
    })
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    // The query of a URL is decoded in the same way; `+` and `&` are not special in a fragment.
    let safe = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let pairs = url::form_urlencoded::parse(safe.as_bytes());
    pairs.map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

impl Anchors {
    /// The places of `html` that are linked from it.
    pub(super) fn new(html: &str, link_base: LinkBase<'_>) -> Self {
        if !has_local_link(html, link_base.page) {
            return Self::default();
        }
        let ends = tokens::read(html, || Ends { page: Page::of(link_base), ..Ends::default() });
        let places: HashSet<String> = ends.ids.intersection(&ends.links).cloned().collect();
        if places.is_empty() {
            return Self::default();
        }
        let whose = link_base.page.unwrap_or_else(|| Url::as_str(link_base.base));
        let hash = sha256(whose);
        let prefix = format!("n{:02x}{:02x}{:02x}{:02x}-", hash[0], hash[1], hash[2], hash[3]);
        Self { prefix, places }
    }

    /// The id that an element keeps.
    pub(super) fn id(&self, tag: &Tag<'_>) -> Option<String> {
        id(tag).filter(|id| self.places.contains(*id)).map(|id| self.outward(id))
    }

    /// The local link of an element, if both ends are in the text.
    pub(super) fn link(&self, tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<String> {
        if self.places.is_empty() {
            return None;
        }
        let place = place(tag.attribute("href")?, Page::of(link_base).as_ref())?;
        self.places.contains(&place).then(|| format!("#{}", self.outward(&place)))
    }

    /// The place with the prefix. Characters that a fragment of a URL cannot carry are replaced.
    fn outward(&self, place: &str) -> String {
        if is_outward(place) && place.starts_with(&self.prefix) {
            return place.to_owned();
        }
        let fits = |c: char| if c.is_ascii_alphanumeric() || "-_.:".contains(c) { c } else { '_' };
        // Two places may become the same text, so that the original is part of it.
        let plain: String = place.chars().map(fits).take(100).collect();
        if plain == place {
            return format!("{}{plain}", self.prefix);
        }
        let hash = sha256(place);
        format!("{}{plain}-{:02x}{:02x}", self.prefix, hash[0], hash[1])
    }
}

/// Whether an id has the form of those that are kept.
pub(super) fn is_outward(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.first() == Some(&b'n')
        && bytes.get(1..9).is_some_and(|hash| hash.iter().all(u8::is_ascii_hexdigit))
        && bytes.get(9) == Some(&b'-')
        && bytes.len() <= 120
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::super::html::fragment;
    use super::*;

    fn read(html: &str, page: Option<&str>) -> String {
        let base = Url::parse("https://example.org/feed").unwrap();
        fragment(html, LinkBase { base: &base, page }).unwrap_or_default()
    }

    const PAGE: Option<&str> = Some("https://example.org/post");

    #[test]
    fn a_footnote_is_linked_inside_the_text() {
        for html in [
            "<p>a<sup id=r1><a href=#f1>1</a></sup></p><ol><li id=f1>Note <a href=#r1>back</a></li></ol>",
            "<p>a<sup id=r1><a href=/post#f1>1</a></sup></p><ol><li id=f1>Note <a href=\"post#r1\">back</a></li></ol>",
            "<p>a<sup id=r1><a href=https://example.org/post#f1>1</a></sup></p><ol><li id=f1>Note <a href=#r1>back</a></li></ol>",
        ] {
            let safe = read(html, PAGE);
            let prefix = Anchors::new(
                html,
                LinkBase { base: &Url::parse("https://example.org/feed").unwrap(), page: PAGE },
            )
            .prefix;
            assert_eq!(
                safe,
                format!(
                    "<p>a<sup id=\"{prefix}r1\"><a href=\"#{prefix}f1\">1</a></sup></p><ol><li id=\"{prefix}f1\">Note <a href=\"#{prefix}r1\">back</a></li></ol>"
                )
            );
            assert_eq!(read(&safe, PAGE), safe, "sanitised again");
        }
        let named = read("<a href='#fn:1'>1</a><p><a name='fn:1'></a>Note</p>", PAGE);
        assert!(named.contains("<a id=\"n") && named.contains("href=\"#n"), "{named}");
    }

    #[test]
    fn a_link_to_a_place_that_is_not_in_the_text_leads_to_the_page() {
        assert_eq!(
            read("<a href=#f1>1</a><p id=other>x</p>", PAGE),
            "<a href=\"https://example.org/post#f1\">1</a><p>x</p>"
        );
        assert_eq!(
            read("<a href=https://other.example/post#f1>1</a><p id=f1>x</p>", PAGE),
            "<a href=\"https://other.example/post#f1\">1</a><p>x</p>"
        );
    }

    #[test]
    fn ids_of_two_items_differ_and_unusual_ones_are_escaped() {
        let html = "<a href='#é b'>1</a><p id='é b'>x</p>";
        let (one, other) = (read(html, PAGE), read(html, Some("https://example.org/other")));
        assert_ne!(one, other);
        assert_eq!(read(&one, PAGE), one);
        assert!(one.is_ascii() && one.contains("__b-"), "{one}");
        let encoded = read("<a href='#%C3%A9'>1</a><p id='é'>x</p>", PAGE);
        assert!(encoded.contains("href=\"#n"), "{encoded}");
    }
}
