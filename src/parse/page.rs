//! The feeds that a web page links to, read with the tokenizer of html5ever, so that scripts, comments and
//! unclosed elements hide and add nothing.

use std::cell::RefCell;

use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult,
    Tokenizer,
};
use url::Url;

use super::context::Context;
use crate::model::{Link, joined};
use crate::text::html::limit_attributes;

/// Maximum number of bytes of a page that are read.
const MAX_PAGE: usize = 2 << 20;
/// Maximum number of links.
const MAX_LINKS: usize = 20;

/// The links of a page to feeds, absolute and without duplicates, at most 20 each.
#[derive(Debug, Default)]
pub(crate) struct PageLinks {
    /// `<link>` elements with the type of a feed.
    pub(crate) declared: Vec<Link>,
    /// `<link>` elements with a type that a feed may have: JSON or XML.
    pub(crate) possible: Vec<Link>,
    /// `<a>` elements with the type of a feed.
    pub(crate) anchors: Vec<Link>,
    /// `<a>` elements that lead to a feed by their text or their URL alone.
    pub(crate) named: Vec<Link>,
    /// Whether any element of HTML was found.
    pub(crate) is_page: bool,
}

impl PageLinks {
    /// The declared links, or else those of `<a>` elements with a type. Feeds of comments come last, and are left out
    /// if there is exactly one other.
    pub(crate) fn best(self) -> Vec<Link> {
        let mut links = if self.declared.is_empty() { self.anchors } else { self.declared };
        links.sort_by_key(is_of_comments);
        if links.iter().filter(|link| !is_of_comments(link)).count() == 1 {
            links.truncate(1);
        }
        links
    }
}

/// Whether a feed has the comments on a site or a post, by its title or its URL.
pub(crate) fn is_of_comments(link: &Link) -> bool {
    let title = link.title.as_deref().unwrap_or_default().to_lowercase();
    let url = link.href.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    // WordPress and Blogger.
    title.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "comment" | "comments"))
        || url.ends_with("/comments/feed")
        || url.ends_with("/comments/default")
}

/// Reads the links of a page; `url` is its URL.
pub(crate) fn links(html: &str, url: &Url) -> PageLinks {
    let end = (0..=html.len().min(MAX_PAGE)).rev().find(|at| html.is_char_boundary(*at));
    let input = BufferQueue::default();
    input.push_back(limit_attributes(&html[..end.unwrap_or(0)]).as_ref().into());
    let sink = Collector(RefCell::new(Found {
        base: None,
        links: Vec::new(),
        is_page: false,
        inert: None,
        anchor: None,
    }));
    let tokenizer = Tokenizer::new(sink, Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut found = tokenizer.sink.0.into_inner();
    found.end_anchor();
    found.resolved(url)
}

/// Whether a root element shows that a document is a web page, also without `<html>` and `<head>`.
pub(crate) fn is_page(root: &str) -> bool {
    const OTHERS: &[&str] = &[
        "html", "head", "body", "title", "meta", "link", "base", "script", "noscript", "style",
        "div", "p", "h1", "h2", "header", "main", "nav", "center", "table", "section", "article",
        "br", "hr", "img", "a", "b", "span", "font", "ul", "ol", "form", "iframe", "frameset",
        "template",
    ];
    OTHERS.iter().any(|name| name.eq_ignore_ascii_case(root))
}

/// The kind of a link by its element, `rel` and `type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Declared,
    Possible,
    Anchor,
    Named,
}

/// Maximum length in bytes of the text of an `<a>` element that names a feed.
const MAX_NAME: usize = 40;

/// An `<a>` element without type: what it shows so far.
struct Anchor {
    link: Link,
    text: String,
}

impl Anchor {
    fn add(&mut self, text: &str) {
        if self.text.len() <= MAX_NAME {
            self.text.push(' ');
            self.text.push_str(text.trim());
        }
    }

    /// Whether its text or its URL names a feed.
    fn names_feed(&self) -> bool {
        #[rustfmt::skip]
        const NAMES: &[&str] = &[
            "atom", "atom.xml", "feed", "feed.json", "feed.xml", "feeds", "index.rdf", "index.xml", "rss",
            "rss.xml", "rss2.xml",
        ];
        let path = self.link.href.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let text = self.text.trim().to_ascii_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        NAMES.contains(&last)
            || last.ends_with(".rss")
            || last.ends_with(".atom")
            || text.len() <= MAX_NAME && words.any(|word| matches!(word, "rss" | "atom"))
    }
}

struct Found {
    /// The first `<base href>`, as written.
    base: Option<String>,
    links: Vec<(Kind, Link)>,
    is_page: bool,
    /// The outermost open element whose links are none, and the number of links before it.
    inert: Option<(String, usize)>,
    /// The open `<a>` element, if it has no type.
    anchor: Option<Anchor>,
}

struct Collector(RefCell<Found>);

impl TokenSink for Collector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let tag = match token {
            TagToken(tag) => tag,
            CharacterTokens(text) => {
                self.0.borrow_mut().anchor.iter_mut().for_each(|anchor| anchor.add(&text));
                return TokenSinkResult::Continue;
            }
            _ => return TokenSinkResult::Continue,
        };
        if tag.kind != StartTag {
            self.0.borrow_mut().end(&tag.name);
            return TokenSinkResult::Continue;
        }
        self.0.borrow_mut().tag(&tag);
        match &*tag.name {
            "script" => TokenSinkResult::RawData(ScriptData),
            "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                TokenSinkResult::RawData(Rawtext)
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Found {
    /// Drops the links inside an element whose links are none: HTML 4.12.3 for templates. If its end tag is missing,
    /// they are kept, because the publisher did not mean to hide the rest of the page.
    fn end(&mut self, name: &str) {
        if name == "a" {
            self.end_anchor();
        }
        if let Some((_, before)) = self.inert.take_if(|(open, _)| open == name) {
            self.links.truncate(before);
        }
    }

    /// Keeps the link of the open `<a>` element if it names a feed.
    fn end_anchor(&mut self) {
        if let Some(anchor) = self.anchor.take().filter(Anchor::names_feed) {
            self.push(Kind::Named, anchor.link);
        }
    }

    fn push(&mut self, kind: Kind, link: Link) {
        if self.links.iter().filter(|(known, _)| *known == kind).count() < MAX_LINKS {
            self.links.push((kind, link));
        }
    }

    fn tag(&mut self, tag: &Tag) {
        self.is_page |= is_page(&tag.name);
        if matches!(&*tag.name, "template" | "svg") && !tag.self_closing {
            self.inert.get_or_insert((tag.name.to_string(), self.links.len()));
        }
        let value = |name: &str| {
            let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
            Some(found.value.trim()).filter(|value| !value.is_empty())
        };
        let own = |name| value(name).map(str::to_owned);
        match &*tag.name {
            "img" => {
                let alt = value("alt").unwrap_or_default();
                self.anchor.iter_mut().for_each(|anchor| anchor.add(alt));
            }
            "a" => self.end_anchor(),
            _ => {}
        }
        let Some(href) = value("href") else { return };
        if &*tag.name == "base" && self.base.is_none() {
            self.base = Some(href.to_owned());
        }
        let (media_type, title) = (own("type"), own("title"));
        let (href, rel) = (href.to_owned(), "alternate".to_owned());
        let link = Link { href, rel, media_type, title, ..Link::default() };
        match kind(&tag.name, value("rel"), value("type")) {
            Some(kind) => self.push(kind, link),
            None if &*tag.name == "a" && link.media_type.is_none() => {
                let text = link.title.clone().unwrap_or_default();
                self.anchor = Some(Anchor { link, text });
            }
            None => {}
        }
    }

    fn resolved(self, url: &Url) -> PageLinks {
        let base = self.base.and_then(|base| joined(url, &base));
        let context = Context::document(base.as_ref().unwrap_or(url));
        let mut links = PageLinks { is_page: self.is_page, ..PageLinks::default() };
        for (kind, link) in self.links {
            let href = context.resolve(&link.href);
            let list = match kind {
                Kind::Declared => &mut links.declared,
                Kind::Possible => &mut links.possible,
                Kind::Anchor => &mut links.anchors,
                Kind::Named => &mut links.named,
            };
            if list.iter().all(|known| known.href != href) {
                list.push(Link { href, ..link });
            }
        }
        links
    }
}

/// The kind of a link; `None` if it does not lead to a feed.
fn kind(element: &str, rel: Option<&str>, media_type: Option<&str>) -> Option<Kind> {
    let has_rel = |wanted: &str| {
        rel.is_some_and(|rel| {
            rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(wanted))
        })
    };
    let lower = media_type.unwrap_or_default().to_ascii_lowercase();
    let (bare, parameters) = lower.split_once(';').unwrap_or((&lower, ""));
    // RFC 5023 12.1: an entry, not a feed.
    if parameters.split(';').any(|part| part.trim().trim_matches('"') == "type=entry") {
        return None;
    }
    let feed = matches!(
        bare.trim(),
        "application/rss+xml"
            | "application/atom+xml"
            | "application/feed+json"
            | "application/rdf+xml"
            | "application/rss"
            | "application/atom"
            | "text/rss+xml"
    );
    let possible = matches!(bare.trim(), "application/json" | "application/xml" | "text/xml");
    match element {
        "link" if has_rel("stylesheet") => None,
        "link" if feed && has_rel("alternate") => Some(Kind::Declared),
        // An early draft of HTML 5.
        "link" if has_rel("feed") && (feed || possible || media_type.is_none()) => {
            Some(Kind::Declared)
        }
        "link" if possible && has_rel("alternate") => Some(Kind::Possible),
        "a" | "area" if feed => Some(Kind::Anchor),
        _ => None,
    }
}

/// Paths where feeds often are, for the operator to try.
const USUAL_PATHS: &[&str] = &["feed", "rss.xml", "atom.xml", "feed.xml", "index.xml", "feed.json"];

/// URLs on the site of a page where feeds often are. Newswire requests none of them by itself.
pub(crate) fn usual_urls(page: &Url) -> Vec<Url> {
    let root = page.join("/").ok();
    USUAL_PATHS.iter().filter_map(|path| root.as_ref()?.join(path).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(html: &str) -> Vec<String> {
        let links = links(html, &Url::parse("https://example.org/blog/page").unwrap());
        links.declared.into_iter().map(|link| link.href).collect()
    }

    const LINK: &str = "<link rel=alternate type=application/rss+xml href=feed>";

    #[test]
    fn the_links_of_a_page_are_found_wherever_they_are() {
        let meta: String = (0..300).map(|n| format!("<meta name=m{n} content=c>")).collect();
        for html in [
            format!("<!doctype html><html><head>{LINK}</head><body>"),
            format!("<!doctype html>{meta}{LINK}"),
            format!("<title>x</title>{LINK}<p>y"),
            format!("<p>unclosed <div>{meta}<br><img>{LINK}"),
            format!("<template>{}</template>{LINK}", LINK.replace("feed", "bogus")),
            format!("<svg>{}</svg>{LINK}", LINK.replace("feed", "bogus")),
            format!("<template><p>{LINK}"),
            format!(
                "<script>document.write('<link rel=alternate type=application/rss+xml href=/bogus>')</script>{LINK}"
            ),
            format!("<!-- <link rel=alternate type=application/rss+xml href=/bogus> -->{LINK}"),
            format!(
                "<textarea><link rel=alternate type=application/rss+xml href=/bogus></textarea>{LINK}"
            ),
            format!(
                "<link rel=alternate type='application/atom+xml;type=entry' href=/bogus>{LINK}"
            ),
            format!("<link rel='alternate stylesheet' type=application/rss+xml href=/bogus>{LINK}"),
            LINK.to_uppercase().replace("FEED", "feed"),
            LINK.replace("alternate", "'Alternate home'"),
            LINK.replace("xml", "'xml; charset=utf-8'")
                .replace("=application/rss+'", "='application/rss+"),
        ] {
            assert_eq!(declared(&html), ["https://example.org/blog/feed"], "{html}");
        }
    }

    #[test]
    fn links_are_relative_to_the_first_base() {
        let html = format!("<base target=_blank><base href=/other/><base href=/third/>{LINK}");
        assert_eq!(declared(&html), ["https://example.org/other/feed"]);
        let html = format!("{LINK}<base href='https://static.example/x/'>");
        assert_eq!(declared(&html), ["https://static.example/x/feed"]);
    }

    #[test]
    fn json_is_possible_and_links_in_the_text_come_last() {
        let html = "<link rel=alternate type=application/json href=/a.json>\
            <a type=application/rss+xml href=/b>RSS</a><a href=/c>no feed</a>";
        let found = links(html, &Url::parse("https://example.org/").unwrap());
        assert_eq!(found.possible[0].href, "https://example.org/a.json");
        assert_eq!(found.best()[0].href, "https://example.org/b");
        let both = format!("{html}{LINK}");
        let found = links(&both, &Url::parse("https://example.org/").unwrap());
        assert_eq!(
            found.best().iter().map(|l| l.href.as_str()).collect::<Vec<_>>(),
            ["https://example.org/feed"]
        );
    }

    #[test]
    fn links_that_name_a_feed_are_found_by_their_text_or_url() {
        for (html, href) in [
            ("<a href=/feed.xml>Subscribe</a>", Some("https://example.org/feed.xml")),
            ("<a href=/blog/feed/>x</a>", Some("https://example.org/blog/feed/")),
            ("<a href=/x.rss?a=1>x</a>", Some("https://example.org/x.rss?a=1")),
            ("<a href=/x><b>RSS</b> feed</a>", Some("https://example.org/x")),
            ("<a href=/x><img src=/rss.png alt=RSS></a>", Some("https://example.org/x")),
            ("<a href=/x title='Atom feed'><i></i></a>", Some("https://example.org/x")),
            ("<a href=/x>RSS", Some("https://example.org/x")),
            ("<a href=/y>y<a href=/x>RSS</a>", Some("https://example.org/x")),
            ("<a href=/x>x</a> RSS", None),
            ("<a href=/x>What the inventor of RSS said about feeds today</a>", None),
            ("<a href=/newsfeeders>x</a>", None),
            ("<template><a href=/feed.xml>RSS</a></template>", None),
        ] {
            let found = links(html, &Url::parse("https://example.org/").unwrap());
            assert_eq!(found.named.first().map(|link| link.href.as_str()), href, "{html}");
            assert!(found.possible.is_empty() && found.anchors.is_empty(), "{html}");
        }
    }

    #[test]
    fn feeds_of_comments_come_last_and_are_no_choice_beside_one_feed() {
        let best = |links: &[(&str, &str)]| {
            let link = |(href, title): &(&str, &str)| {
                format!("<link rel=alternate type=application/rss+xml title='{title}' href={href}>")
            };
            let html: String = links.iter().map(link).collect();
            let found = super::links(&html, &Url::parse("https://e.org").unwrap()).best();
            found.into_iter().map(|link| link.href).collect::<Vec<_>>()
        };
        let (feed, comments) = (("/feed", "Blog"), ("/c", "Blog » Comments Feed"));
        assert_eq!(best(&[comments, feed]), ["https://e.org/feed"]);
        assert_eq!(best(&[("/comments/feed/", ""), feed]), ["https://e.org/feed"]);
        let two = ["https://e.org/feed", "https://e.org/podcast", "https://e.org/c"];
        assert_eq!(best(&[comments, feed, ("/podcast", "")]), two);
        assert_eq!(best(&[comments]), ["https://e.org/c"]);
        assert_eq!(best(&[feed, ("/commenters", "Commentary")]).len(), 2);
    }

    #[test]
    fn large_pages_have_linear_cost() {
        assert_eq!(declared(&"<a ".repeat(500_000)), [""; 0]);
        let attributes: String = (0..200_000).map(|n| format!(" a{n}")).collect();
        assert_eq!(declared(&format!("<a{attributes}>{LINK}")).len(), 1);
        assert_eq!(declared(&format!("{}{LINK}", "<p>".repeat(100_000))).len(), 1);
    }
}
