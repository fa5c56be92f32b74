//! Base URL and language of an element, from `xml:base` and `xml:lang`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use url::Url;

use super::date_order::Order;
use super::namespace::Namespace;
use super::tree::Element;
use crate::model::{Link, ParseWarning, joined};
use crate::text::chars::{is_host_name, is_invisible};

/// Maximum number of messages of a code.
const MAX_MESSAGES: usize = 10;

/// Warnings about the values of a document, each with its number.
#[derive(Debug, Default)]
struct Reports(RefCell<Vec<Report>>);

#[derive(Debug)]
struct Report {
    code: &'static str,
    /// Message of the first warning with this code and message.
    message: String,
    count: usize,
}

/// Base URL and language of an element.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// Base of relative references.
    pub(crate) base: Option<Url>,
    /// Whether the base comes from `xml:base` or a link of the feed, not from the URL of the document.
    pub(crate) own_base: bool,
    /// Language tag (BCP 47).
    pub(crate) language: Option<String>,
    /// Language tag that the feed has for all of its items.
    pub(crate) feed_language: Option<String>,
    /// Order of the numbers in dates of the document, if they show it.
    pub(crate) date_order: Option<Order>,
    /// The page of the feed.
    pub(crate) home: Option<String>,
    /// Whether the document is Atom 0.3, in which a `div` around XHTML is part of the text.
    pub(crate) keeps_div: bool,
    /// Shared by all contexts of a document.
    reports: Rc<Reports>,
}

impl Context {
    /// Reports a value that had to be repaired or was left out.
    pub(crate) fn report(&self, code: &'static str, message: impl FnOnce() -> String) {
        let mut reports = self.reports.0.borrow_mut();
        match reports.iter_mut().find(|report| report.code == code) {
            Some(report) => report.count += 1,
            None => reports.push(Report { code, message: message(), count: 1 }),
        }
    }

    /// Reports what is left out, each message with its number.
    pub(crate) fn report_each(&self, code: &'static str, message: impl FnOnce() -> String) {
        let message = message();
        let mut reports = self.reports.0.borrow_mut();
        let of_code = reports.iter().filter(|report| report.code == code).count();
        match reports.iter_mut().find(|it| it.code == code && it.message == message) {
            Some(report) => report.count += 1,
            None if of_code < MAX_MESSAGES => reports.push(Report { code, message, count: 1 }),
            None => {
                let last = reports.iter_mut().rfind(|report| report.code == code);
                last.into_iter().for_each(|report| report.count += 1);
            }
        }
    }

    /// The warnings so far; those beyond a limit are counted in the last message of their code.
    pub(crate) fn parse_warnings(&self) -> Vec<ParseWarning> {
        let reports = self.reports.0.borrow();
        let warning = |report: &Report| {
            let message = match report.count {
                1 => report.message.clone(),
                count => format!("{} ({} more)", report.message, count - 1),
            };
            ParseWarning::new(report.code, None, message)
        };
        reports.iter().map(warning).collect()
    }

    /// The context of the document, fetched from `url`.
    pub(crate) fn document(url: &Url) -> Self {
        Self { base: Some(url.clone()), ..Self::default() }
    }

    /// The context of a document that is a file, with a link of the feed as its base (RFC 3986 5.1.4). `links` are those
    /// of the feed; its page takes precedence over its own URL.
    pub(crate) fn with_web_base(&self, links: impl FnOnce() -> Vec<Link>) -> Cow<'_, Self> {
        if self.base.as_ref().is_none_or(|base| base.scheme() != "file") {
            return Cow::Borrowed(self);
        }
        let links = links();
        let named = ["alternate", "self"].into_iter();
        let mut urls = named.flat_map(|rel| links.iter().filter(move |link| link.rel == rel));
        let base = urls.find_map(|link| Url::parse(&link.href).ok().filter(is_web));
        match base {
            Some(base) => Cow::Owned(Self { base: Some(base), own_base: true, ..self.clone() }),
            None => Cow::Borrowed(self),
        }
    }

    /// The absolute form of a reference in `element`.
    pub(crate) fn resolve_in(&self, element: &Element<'_>, reference: &str) -> String {
        self.enter(element).resolve(reference)
    }

    /// The context inside `element` (RFC 4287 2, XML Base 3).
    pub(crate) fn enter(&self, element: &Element<'_>) -> Cow<'_, Self> {
        if element.attributes.iter().all(|attribute| attribute.namespace != Namespace::Xml) {
            return Cow::Borrowed(self);
        }
        let mut inner = self.clone();
        if let Some(base) = element.attribute_in(Namespace::Xml, "base") {
            let joined = match &self.base {
                Some(outer) => joined(outer, base),
                None => Url::parse(base).ok(),
            };
            // References cannot be resolved against URLs such as `mailto:`.
            if let Some(joined) = joined.filter(|joined| !joined.cannot_be_a_base()) {
                inner.base = Some(joined);
                inner.own_base = true;
            }
        }
        if let Some(language) = element.attribute_in(Namespace::Xml, "lang") {
            inner.language = (!language.is_empty()).then(|| language.to_owned());
        }
        Cow::Owned(inner)
    }

    /// The absolute form of a link: without what publishers write around it, and with the scheme that is meant.
    /// Unchanged if it is empty or cannot be resolved.
    pub(crate) fn resolve(&self, link: &str) -> String {
        let bare = bare(link);
        match bare.get(.."www.".len()) {
            Some(start) if start.eq_ignore_ascii_case("www.") && is_host(bare) => {
                format!("https://{bare}")
            }
            _ => match self.scheme_of_own_host(bare) {
                Some(scheme) => format!("{scheme}://{bare}"),
                None => self.resolve_as_written(bare),
            },
        }
    }

    /// The scheme of the feed or its page, if a link without scheme begins with the name of its host: `example.org/a`.
    fn scheme_of_own_host(&self, link: &str) -> Option<String> {
        let (host, _) = link.split_once('/')?;
        if !host.contains('.') || !is_host_name(host) {
            return None;
        }
        let is_own = |url: &Url| {
            url.host_str().is_some_and(|own| bare_host(own).eq_ignore_ascii_case(bare_host(host)))
        };
        let home = || Url::parse(self.home.as_deref()?).ok();
        let own = self.base.clone().filter(is_own).or_else(|| home().filter(is_own));
        own.filter(is_web).map(|own| own.scheme().to_owned())
    }

    /// The absolute form of a reference, or the reference unchanged if it is empty or cannot be resolved. For ids,
    /// which must not change.
    pub(crate) fn resolve_as_written(&self, reference: &str) -> String {
        let reference = reference.trim();
        // Feed readers that compare URLs as text must see the same spelling.
        if reference.is_empty() || has_scheme(reference) {
            return reference.to_owned();
        }
        let absolute = match &self.base {
            Some(base) => joined(base, reference),
            None => Url::parse(reference).ok(),
        };
        absolute.map_or_else(|| reference.to_owned(), Into::into)
    }

    /// The base for HTML, if it is not the URL of the document.
    pub(crate) fn html_base(&self) -> Option<String> {
        self.base.as_ref().filter(|_| self.own_base).map(|base| base.as_str().to_owned())
    }
}

/// The name of a host without `www.`.
fn bare_host(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

/// Pairs of characters around links.
const PAIRS: &[(char, char)] =
    &[('<', '>'), ('"', '"'), ('\'', '\''), ('‹', '›'), ('«', '»'), ('“', '”'), ('‘', '’')];

/// The link without invisible characters, quotes and brackets around it, and without a scheme before its scheme.
fn bare(link: &str) -> &str {
    let mut bare = link.trim_matches(is_invisible);
    bare = of_tag(bare).unwrap_or(bare);
    loop {
        let inside = PAIRS.iter().find_map(|(open, close)| {
            let inside = bare.strip_prefix(*open)?.strip_suffix(*close)?;
            Some(inside.trim_matches(is_invisible))
        });
        match inside.or_else(|| without_scheme(bare).filter(|rest| without_scheme(rest).is_some()))
        {
            Some(shorter) => bare = shorter,
            None => return bare,
        }
    }
}

/// The URL of a link that is written as the tag of an HTML link.
fn of_tag(link: &str) -> Option<&str> {
    let inside = link.strip_prefix('<')?.strip_prefix(['a', 'A'])?;
    let at = inside.to_ascii_lowercase().find(" href=")?;
    let value = &inside[at + " href=".len()..];
    let quote = ['"', '\''].into_iter().find(|quote| value.starts_with(*quote));
    match quote {
        Some(quote) => value[1..].split(quote).next(),
        None => value.split([' ', '>']).next(),
    }
}

/// What follows `http://` or `https://`.
fn without_scheme(link: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let start = link.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &link[scheme.len()..])
    })
}

/// Whether a link without scheme begins with the name of a host: `www.example.org/a`, but not `www.html`.
fn is_host(link: &str) -> bool {
    let end = link.find(['/', '?', '#', ':']).unwrap_or(link.len());
    let host = &link[..end];
    host.matches('.').count() >= 2 && is_host_name(host)
}

/// Whether a placeholder is written instead of a link.
pub(super) fn is_no_link(link: &str) -> bool {
    const PLACEHOLDERS: &[&str] = &["", "#", "-", "n/a", "no link", "none", "null", "undefined"];
    let link = bare(link);
    PLACEHOLDERS.iter().any(|placeholder| placeholder.eq_ignore_ascii_case(link))
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether a reference is absolute (RFC 3986 3.1).
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    #[test]
    fn bases_are_nested_and_absolute_references_stay_unchanged() {
        let document =
            Context::document(&Url::parse("https://example.org/feeds/atom.xml").unwrap());
        let tree = scan("<a xml:base='/blog/' xml:lang='de'><b xml:base='2024/'/></a>").unwrap();
        let outer = document.enter(&tree.root);
        let inner = outer.enter(tree.root.elements().next().unwrap());
        assert_eq!(document.resolve("x"), "https://example.org/feeds/x");
        assert_eq!(inner.resolve(" x "), "https://example.org/blog/2024/x");
        assert_eq!(inner.resolve("HTTP://Example.com"), "HTTP://Example.com");
        assert_eq!(inner.resolve("//other.example/a b"), "https://other.example/a%20b");
        assert_eq!(inner.language.as_deref(), Some("de"));
        assert_eq!((document.html_base(), inner.own_base), (None, true));
        assert_eq!(inner.resolve(""), "");
    }

    #[test]
    fn links_are_read_without_what_is_around_them() {
        let document = Context::document(&Url::parse("https://example.org/blog/feed.xml").unwrap());
        for (written, link) in [
            ("\u{feff}https://e.org/a\u{200b} ", "https://e.org/a"),
            ("\"https://e.org/a\"", "https://e.org/a"),
            ("<https://e.org/a>", "https://e.org/a"),
            ("“ <https://e.org/a>”", "https://e.org/a"),
            ("‹https://e.org/a›", "https://e.org/a"),
            ("'/a'", "https://example.org/a"),
            ("www.example.net/a?b", "https://www.example.net/a?b"),
            ("WWW.Example.net", "https://WWW.Example.net"),
            ("www.example.net:8080/a", "https://www.example.net:8080/a"),
            ("www.html", "https://example.org/blog/www.html"),
            ("www./a.b", "https://example.org/blog/www./a.b"),
            ("example.org/post/1", "https://example.org/post/1"),
            ("example.net/post/1", "https://example.org/blog/example.net/post/1"),
            ("example.org", "https://example.org/blog/example.org"),
            ("http://https://e.org/a", "https://e.org/a"),
            ("https://HTTP://e.org/a", "HTTP://e.org/a"),
            ("http://e.org/?to=http://e.net/", "http://e.org/?to=http://e.net/"),
            ("https://e.org/a'", "https://e.org/a'"),
            ("https://e.org/(a)", "https://e.org/(a)"),
            ("\"", "https://example.org/blog/%22"),
            ("<>", ""),
            ("<a href=\"https://e.org/a\">", "https://e.org/a"),
            ("<a class=x href=/a>a</a>", "https://example.org/a"),
            ("<A Class=x HREF=/a>a</a>", "https://example.org/a"),
            ("<a href='", ""),
        ] {
            assert_eq!(document.resolve(written), link, "{written}");
        }
        assert_eq!(document.resolve_as_written("www.a.b"), "https://example.org/blog/www.a.b");
        let intranet = Context::document(&Url::parse("http://intranet.local/feed.xml").unwrap());
        let home = Some("http://www.example.org/".to_owned());
        let intranet = Context { home, ..intranet };
        assert_eq!(intranet.resolve("intranet.local/post/1"), "http://intranet.local/post/1");
        assert_eq!(intranet.resolve("example.org/post/1"), "http://example.org/post/1");
    }

    #[test]
    fn placeholders_are_no_links() {
        for written in ["N/A", " none ", "#", "", "\u{200b}", "No link", "“none”", "-"] {
            assert!(is_no_link(written), "{written}");
        }
        for written in [
            "/",
            "a",
            "#top",
            "?p=1",
            "/a b",
            "./a b",
            "https://e.org/a b",
            "a.html",
            "mailto:a b",
            "//e.org",
            "www.e.org/a b",
        ] {
            assert!(!is_no_link(written), "{written}");
        }
    }
}
