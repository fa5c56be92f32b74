//! The feeds that a web page links to, read with the tokenizer of html5ever, so that scripts, comments and
//! unclosed elements hide and add nothing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult,
    Tokenizer,
};
use url::Url;

use super::feed_link::{Attributes, Evidence, Kind, absolute, is_label, is_of_comments, is_sign};
use super::nesting::{Nesting, Place, Syntax};
use super::start::is_of_page;
use crate::model::{Link, joined};
use crate::text::html::limit_attributes;

/// Maximum number of links of each kind that are kept, and that are collected to choose them from.
const MAX_LINKS: usize = 20;
const MAX_COLLECTED: usize = 500;
/// Maximum length of the URL of a link, in bytes.
const MAX_HREF: usize = 8_000;

/// The links of a page to feeds, absolute and without duplicates, at most 20 each.
#[derive(Debug, Default)]
pub(crate) struct PageLinks {
    /// `<link>` elements with the type of a feed.
    pub(crate) declared: Vec<Link>,
    /// `<a>` elements with the type of a feed.
    pub(crate) anchors: Vec<Link>,
    /// Links that may lead to a feed, by their text, their URL or a type that a feed may have; those with the same
    /// evidence in one group, the likeliest first.
    pub(crate) possible: Vec<Vec<Link>>,
    /// The declared links that are left out, or else the `<a>` elements with the type of a feed.
    pub(crate) left_out: LeftOut,
    /// Target of `<meta http-equiv=refresh>`.
    pub(crate) refresh: Option<Url>,
    /// Whether the first element is of HTML.
    pub(crate) is_page: bool,
}

/// A number of links that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// This number.
    Exactly(usize),
    /// This number or more: not all links of the page were read.
    AtLeast(usize),
}

impl Default for LeftOut {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::AtLeast(count) => write!(f, "at least {count}"),
        }
    }
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

/// Reads the links of a page; `url` is its URL.
pub(crate) fn links(html: &str, url: &Url, syntax: Syntax) -> PageLinks {
    let input = BufferQueue::default();
    input.push_back(limit_attributes(html).as_ref().into());
    let found = Found { syntax, ..Found::default() };
    let tokenizer = Tokenizer::new(Collector(RefCell::new(found)), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut found = tokenizer.sink.0.into_inner();
    found.end_anchor();
    found.resolved(url)
}

/// Maximum length in bytes of the text of an `<a>` element that is kept.
const MAX_TEXT: usize = 200;

/// An open `<a>` element that nothing but its content may show to lead to a feed.
#[derive(Debug)]
struct Anchor {
    link: Link,
    text: String,
    /// Whether it shows the sign for feeds.
    has_sign: bool,
}

impl Anchor {
    fn add(&mut self, text: &str) {
        if self.text.len() <= MAX_TEXT {
            self.text.push(' ');
            self.text.push_str(text.trim());
        }
    }
}

#[derive(Debug)]
struct Found {
    syntax: Syntax,
    /// The first `<base href>`, as written.
    base: Option<String>,
    links: Vec<(Kind, Link)>,
    /// Whether there were more links with the type of a feed.
    has_more: bool,
    /// Whether the first element is of HTML; `None` before it.
    is_page: Option<bool>,
    nesting: Nesting,
    anchor: Option<Anchor>,
    /// Target of the first `<meta http-equiv=refresh>`, as written.
    refresh: Option<String>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            syntax: Syntax::Html,
            base: None,
            links: Vec::new(),
            has_more: false,
            is_page: None,
            nesting: Nesting::default(),
            anchor: None,
            refresh: None,
        }
    }
}

struct Collector(RefCell<Found>);

impl TokenSink for Collector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut found = self.0.borrow_mut();
        let tag = match token {
            TagToken(tag) => tag,
            CharacterTokens(text) => {
                found.anchor.iter_mut().for_each(|anchor| anchor.add(&text));
                return TokenSinkResult::Continue;
            }
            _ => return TokenSinkResult::Continue,
        };
        let name = match (found.syntax, tag.name.split_once(':')) {
            (Syntax::Xml, Some((_, local))) => local,
            _ => &*tag.name,
        };
        if tag.kind != StartTag {
            found.end(name);
            return TokenSinkResult::Continue;
        }
        // In HTML, only foreign elements can be closed in their start tag.
        let is_foreign = found.nesting.is_foreign();
        let is_closed = tag.self_closing
            && (found.syntax == Syntax::Xml || is_foreign || matches!(name, "svg" | "math"));
        if !is_closed {
            let is_shadow = || tag.attrs.iter().any(|found| &*found.name.local == "shadowrootmode");
            let links = found.links.len();
            found.nesting.start(name, links, is_shadow);
        }
        found.element(name, &tag);
        match name {
            _ if is_closed || found.nesting.is_foreign() => TokenSinkResult::Continue,
            "title" if is_foreign => TokenSinkResult::Continue,
            // Only XML has such names, and no such states.
            _ if name.len() < tag.name.len() => TokenSinkResult::Continue,
            "plaintext" => TokenSinkResult::Plaintext,
            "script" => TokenSinkResult::RawData(ScriptData),
            "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
            "style" | "xmp" | "iframe" | "noembed" => TokenSinkResult::RawData(Rawtext),
            _ => TokenSinkResult::Continue,
        }
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        let found = self.0.borrow();
        found.syntax == Syntax::Xml || found.nesting.is_foreign()
    }
}

impl Found {
    fn end(&mut self, name: &str) {
        if name == "a" {
            self.end_anchor();
        }
        if let Some(links) = self.nesting.end(name) {
            self.links.truncate(links);
            self.anchor.take_if(|_| name == "template");
        }
    }

    /// Keeps the link of the open `<a>` element if it names a feed.
    fn end_anchor(&mut self) {
        let Some(Anchor { link, text, has_sign }) = self.anchor.take() else { return };
        if is_label(&text) || has_sign && text.len() < MAX_TEXT {
            self.push(Kind::Possible(Evidence::Label), link);
        }
    }

    fn push(&mut self, kind: Kind, link: Link) {
        // A page for browsers without frames is another one.
        let kind = match kind {
            Kind::Declared if self.nesting.place() == Place::NoFrames => {
                Kind::Possible(Evidence::Label)
            }
            kind => kind,
        };
        let is_possible = |kind: &Kind| matches!(kind, Kind::Possible(_));
        let same = |(known, _): &&(Kind, Link)| is_possible(known) == is_possible(&kind);
        if self.links.iter().filter(same).count() < MAX_COLLECTED {
            self.links.push((kind, link));
        } else {
            self.has_more |= !is_possible(&kind);
        }
    }

    fn element(&mut self, name: &str, tag: &Tag) {
        self.is_page.get_or_insert_with(|| is_of_page(name));
        let value = |name: &str| {
            let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
            found.map(|found| found.value.trim()).unwrap_or_default()
        };
        let title = ["title", "aria-label", "alt"].into_iter().map(value).find(|it| !it.is_empty());
        let title = title.unwrap_or_default();
        let has_sign = ["class", "src", "xlink:href"].into_iter().map(value).any(is_sign)
            || name == "use" && is_sign(value("href"));
        if name == "a" {
            self.end_anchor();
        } else if let Some(anchor) = &mut self.anchor {
            anchor.has_sign |= has_sign;
            anchor.add(title);
        }
        let is_page = self.nesting.place() == Place::Page;
        if name == "meta" && is_page && value("http-equiv").eq_ignore_ascii_case("refresh") {
            let target = refresh_target(value("content")).map(str::to_owned);
            self.refresh = self.refresh.take().or(target);
        }
        let (href, rel, media_type) = (value("href"), value("rel"), value("type"));
        let has_href = tag.attrs.iter().any(|attribute| &*attribute.name.local == "href");
        if name == "base" && is_page && has_href && self.base.is_none() {
            self.base = Some(href.to_owned());
        }
        if href.is_empty() || href.len() > MAX_HREF {
            return;
        }
        let own = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
        let link = Link {
            href: href.to_owned(),
            rel: "alternate".to_owned(),
            media_type: own(media_type),
            title: own(title),
            ..Link::default()
        };
        let attributes = Attributes { href, rel, media_type, title };
        let kind = match name {
            "link" => attributes.kind_of_link(),
            "a" | "area" => attributes.kind_of_anchor(),
            _ => None,
        };
        match kind {
            Some(kind) => self.push(kind, link),
            None if name == "a" => {
                self.anchor = Some(Anchor { link, text: title.to_owned(), has_sign });
            }
            None => {}
        }
    }

    fn resolved(mut self, url: &Url) -> PageLinks {
        // HTML 4.2.3: a base that cannot be used does not count.
        let is_usable =
            |base: &Url| matches!(base.scheme(), "http" | "https") || base.scheme() == url.scheme();
        let base = self.base.take().and_then(|base| joined(url, &base)).filter(is_usable);
        let base = base.as_ref().unwrap_or(url);
        let address = |url: &Url| url[..url::Position::AfterQuery].to_owned();
        let is_other = |target: &Url| address(target) != address(url);
        let refresh = self.refresh.take().and_then(|target| absolute(base, &target));
        let refresh = refresh.filter(is_other);
        let is_page = self.is_page.unwrap_or_default();
        let mut links = PageLinks { is_page, refresh, ..PageLinks::default() };
        let mut possible: Vec<(Evidence, Link)> = Vec::new();
        let mut known: HashMap<String, Option<usize>> = HashMap::new();
        // What is declared comes before what is possible.
        self.links.sort_by_key(|(kind, _)| matches!(kind, Kind::Possible(_)));
        for (kind, link) in self.links {
            let Some(target) = absolute(base, &link.href).filter(is_other) else { continue };
            let href = String::from(target);
            let link = Link { href, ..link };
            match (known.get(&link.href).copied(), kind) {
                (Some(Some(at)), Kind::Possible(evidence)) => {
                    possible[at].0 = possible[at].0.min(evidence);
                }
                (Some(_), _) => {}
                (None, Kind::Possible(evidence)) => {
                    known.insert(link.href.clone(), Some(possible.len()));
                    possible.push((evidence, link));
                }
                (None, kind) => {
                    known.insert(link.href.clone(), None);
                    let list = match kind {
                        Kind::Declared => &mut links.declared,
                        _ => &mut links.anchors,
                    };
                    list.push(link);
                }
            }
        }
        possible.sort_by_key(|(evidence, _)| *evidence);
        possible.truncate(MAX_LINKS);
        let groups = possible.chunk_by(|one, other| one.0 == other.0);
        let of_group = |group: &[(Evidence, Link)]| {
            group.iter().map(|(_, link)| link.clone()).collect::<Vec<_>>()
        };
        links.possible = groups.map(of_group).collect();
        let shown = if links.declared.is_empty() { &links.anchors } else { &links.declared };
        let left_out = shown.len().saturating_sub(MAX_LINKS);
        links.left_out = match self.has_more {
            true => LeftOut::AtLeast(left_out),
            false => LeftOut::Exactly(left_out),
        };
        links.declared.truncate(MAX_LINKS);
        links.anchors.truncate(MAX_LINKS);
        links
    }
}

/// The target of `content` of `<meta http-equiv=refresh>` (HTML 4.2.5.3), if it is not far in the future.
fn refresh_target(content: &str) -> Option<&str> {
    const MAX_SECONDS: u32 = 30;
    let end = content.find(|c: char| !c.is_ascii_digit()).unwrap_or(content.len());
    let seconds: u32 = content[..end].parse().ok()?;
    let rest = content[end..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ';' | ','));
    let url = rest.get(..3).filter(|start| start.eq_ignore_ascii_case("url"));
    let written = url.and_then(|_| rest[3..].trim_start().strip_prefix('=')).unwrap_or(rest).trim();
    let quote = written.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let target = match quote {
        Some(quote) => written[1..].split(quote).next().unwrap_or_default(),
        None => written,
    };
    Some(target.trim()).filter(|target| !target.is_empty() && seconds <= MAX_SECONDS)
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

    fn read(html: &str) -> PageLinks {
        links(html, &Url::parse("https://example.org/blog/page").unwrap(), Syntax::Html)
    }

    fn hrefs(links: &[Link]) -> Vec<&str> {
        links.iter().map(|link| link.href.as_str()).collect()
    }

    fn declared(html: &str) -> Vec<String> {
        hrefs(&read(html).declared).into_iter().map(str::to_owned).collect()
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
                "<template><template></template>{}</template>{LINK}",
                LINK.replace("feed", "bogus")
            ),
            format!("<svg><svg></svg><desc>{}</desc></svg>{LINK}", LINK.replace("feed", "bogus")),
            format!("<svg><title/><style/><script/><path d=M0 /></svg>{LINK}"),
            format!("<svg><style>a > b {{}}</style><title>x</title></svg>{LINK}"),
            format!("<svg><symbol><path><p>x</p>{LINK}"),
            format!(
                "<svg><style><![CDATA[ </svg>{} ]]></style></svg>{LINK}",
                LINK.replace("feed", "bogus")
            ),
            format!("<x-a><template shadowrootmode=open>{LINK}</template></x-a>"),
            format!("<template><base href=/bogus/></template><svg><base href=/bogus/></svg>{LINK}"),
            format!("<p>{}</p>{LINK}", "lorem ipsum ".repeat(300_000)),
            format!("<noframes>{}</noframes>{LINK}", LINK.replace("feed", "bogus")),
            format!("{LINK}{}", LINK.replace("feed", "feed#top")),
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
        for unusable in
            ["javascript:void(0)", "about:blank", "data:text/plain,x", "http://", "mailto:x"]
        {
            let html = format!("<base href='{unusable}'><base href=/other/>{LINK}");
            assert_eq!(declared(&html), ["https://example.org/blog/feed"], "{unusable}");
        }
    }

    #[test]
    fn a_page_in_xml_is_read_by_the_rules_of_xml() {
        let link = LINK.replace('>', " />");
        for page in [
            format!("<html><head><title/><script src='a.js'/><style/>{link}</head></html>"),
            format!("<html><body><iframe src='a'/><textarea/><template/>{link}</body></html>"),
            format!(
                "<html><script><![CDATA[ if (a<b) {{ x('{}') }} ]]></script>{link}</html>",
                link.replace("feed", "bogus")
            ),
            format!("<h:html><h:title>x</h:title>{}</h:html>", link.replace("<link", "<h:link")),
        ] {
            let url = Url::parse("https://example.org/blog/page").unwrap();
            let found = links(&page, &url, Syntax::Xml);
            assert_eq!(hrefs(&found.declared), ["https://example.org/blog/feed"], "{page}");
        }
    }

    #[test]
    fn the_target_of_a_page_that_is_left_at_once_is_found() {
        for (content, target) in [
            ("0; url=/en/", Some("https://example.org/en/")),
            ("0;URL='en'", Some("https://example.org/blog/en")),
            ("1.5 , /en/", Some("https://example.org/en/")),
            ("0; url=\"/en/\" x", Some("https://example.org/en/")),
            ("0;url=page#top", None),
            ("300; url=/en/", None),
            ("30", None),
            ("0; url=javascript:x", None),
            ("url=/en/", None),
        ] {
            let html =
                format!("<meta http-equiv=Refresh content='{}'>", content.replace('\'', "&#39;"));
            assert_eq!(read(&html).refresh.as_ref().map(Url::as_str), target, "{content}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let many: String = (0..30).map(|n| LINK.replace("feed", &format!("feed{n}"))).collect();
        let found = read(&many);
        assert_eq!((found.declared.len(), found.left_out), (20, LeftOut::Exactly(10)));
        let many: String = (0..3_000).map(|n| LINK.replace("feed", &format!("feed{n}"))).collect();
        assert_eq!(read(&many).left_out, LeftOut::AtLeast(480));
    }

    #[test]
    fn json_is_possible_and_links_in_the_text_come_last() {
        let html = "<link rel=alternate type=application/json href=/a.json>\
            <a type=application/rss+xml href=/b>RSS</a><a href=/c>no feed</a>";
        let found = read(html);
        assert_eq!(hrefs(&found.possible[0]), ["https://example.org/a.json"]);
        assert_eq!(found.best()[0].href, "https://example.org/b");
        let both = format!("{html}{LINK}");
        assert_eq!(hrefs(&read(&both).best()), ["https://example.org/blog/feed"]);
        // The likeliest come first, wherever they are in the page.
        let many: String = (0..30).map(|n| format!("<a href=/about/{n}>RSS</a>")).collect();
        let json = "<link rel=alternate type=application/json href=/a.json>";
        let found = read(&format!("{json}{many}<a href=/feed.xml>x</a>")).possible;
        assert_eq!(hrefs(&found[0]), ["https://example.org/feed.xml"]);
        assert_eq!((found[1].len(), found.len()), (19, 2));
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
            ("<a href=/x aria-label=RSS><svg></svg></a>", Some("https://example.org/x")),
            ("<a href=/x><i class='fa fa-rss'></i></a>", Some("https://example.org/x")),
            ("<a href=/x><svg><use href='#icon-rss'/></svg></a>", Some("https://example.org/x")),
            ("<a href=/x><svg><title>RSS</title></svg></a>", Some("https://example.org/x")),
            ("<a href=/x><img src=/rss.png></a>", Some("https://example.org/x")),
            ("<a href=/x>RSSフィード</a>", Some("https://example.org/x")),
            ("<a href=/x>RSS订阅</a>", Some("https://example.org/x")),
            ("<a rel=feed href=/x>x</a>", Some("https://example.org/x")),
            ("<area href=/x alt=RSS>", Some("https://example.org/x")),
            ("<noframes><a href=/x>RSS</a></noframes>", Some("https://example.org/x")),
            ("<a href=feed:http://example.org/x>x</a>", Some("http://example.org/x")),
            ("<base href=javascript:x><a href=tel:1>RSS</a>", None),
            ("<a href=#rss>RSS</a>", None),
            ("<a href=/x>RSS", Some("https://example.org/x")),
            ("<a href=/y>y<a href=/x>RSS</a>", Some("https://example.org/x")),
            ("<a href=/x>x</a> RSS", None),
            ("<a href=/x>What the inventor of RSS said about feeds today</a>", None),
            ("<a href=/newsfeeders>x</a>", None),
            ("<template><a href=/feed.xml>RSS</a></template>", None),
        ] {
            let found = read(html);
            let named = found.possible.first().and_then(|group| group.first());
            assert_eq!(named.map(|link| link.href.as_str()), href, "{html}");
            assert!(found.declared.is_empty() && found.anchors.is_empty(), "{html}");
        }
    }

    #[test]
    fn feeds_of_comments_come_last_and_are_no_choice_beside_one_feed() {
        let best = |links: &[(&str, &str)]| {
            let link = |(href, title): &(&str, &str)| {
                format!("<link rel=alternate type=application/rss+xml title='{title}' href={href}>")
            };
            let html: String = links.iter().map(link).collect();
            let url = Url::parse("https://e.org").unwrap();
            let found = super::links(&html, &url, Syntax::Html).best();
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
