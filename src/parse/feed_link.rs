//! Which links of a web page lead to feeds, by element, `rel`, type, title and URL, and which links of the HTTP header
//! `Link` (RFC 8288 3).

use url::Url;

use crate::model::{Link, has_login, joined};

/// How a link leads to a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A `<link>` or a header `Link` with the type of a feed.
    Declared,
    /// An `<a>` or `<area>` with the type of a feed.
    Typed,
    /// Something else says so.
    Possible(Evidence),
}

/// What says that a link without the type of a feed leads to one, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// Its URL, such as `/feed.xml` or `?feed=rss2`.
    Url,
    /// Its text, title or picture.
    Label,
    /// Its type, which other documents have too: JSON or XML.
    Type,
}

/// Attributes of a `<link>` or an `<a>`, without blanks around them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes<'a> {
    pub(super) href: &'a str,
    pub(super) rel: &'a str,
    pub(super) media_type: &'a str,
    pub(super) title: &'a str,
}

impl Attributes<'_> {
    fn has_rel(&self, wanted: &str) -> bool {
        let mut words = self.rel.split(|c: char| c.is_ascii_whitespace() || c == ',');
        words.any(|word| word.eq_ignore_ascii_case(wanted))
    }

    /// The kind of a `<link>`; `None` if it does not lead to a feed.
    pub(super) fn kind_of_link(&self) -> Option<Kind> {
        let of_type = Type::of(self.media_type)?;
        let alternate = self.has_rel("alternate") || self.has_rel("alternative");
        // An early draft of HTML 5.
        let feed = self.has_rel("feed");
        let other = ["stylesheet", "search", "icon", "manifest", "service.post", "edit"];
        if other.into_iter().any(|rel| self.has_rel(rel)) {
            return None;
        }
        let evidence = || {
            let labelled = || is_label(self.title).then_some(Evidence::Label);
            if is_feed_url(self.href) { Some(Evidence::Url) } else { labelled() }
        };
        match of_type {
            Type::Feed if alternate || feed => Some(Kind::Declared),
            Type::Data | Type::None if feed => Some(Kind::Declared),
            Type::Feed => Some(Kind::Possible(evidence().unwrap_or(Evidence::Type))),
            Type::Data if alternate => Some(Kind::Possible(evidence().unwrap_or(Evidence::Type))),
            Type::None | Type::Any if alternate => evidence().map(Kind::Possible),
            _ => None,
        }
    }

    /// The kind of an `<a>` or `<area>` by its attributes; `None` if they do not show that it leads to a feed.
    pub(super) fn kind_of_anchor(&self) -> Option<Kind> {
        match Type::of(self.media_type)? {
            Type::Feed => Some(Kind::Typed),
            _ if is_feed_url(self.href) => Some(Kind::Possible(Evidence::Url)),
            _ if self.has_rel("feed") || is_label(self.title) => {
                Some(Kind::Possible(Evidence::Label))
            }
            _ => None,
        }
    }
}

/// What a media type says.
enum Type {
    /// A feed, in any spelling.
    Feed,
    /// JSON or XML.
    Data,
    /// A type of any file.
    Any,
    /// There is no type.
    None,
    /// Something else.
    Other,
}

impl Type {
    /// `None` if the type is that of an entry (RFC 5023 12.1).
    fn of(written: &str) -> Option<Self> {
        let lower = written.to_ascii_lowercase();
        let (bare, parameters) = lower.split_once(';').unwrap_or((&lower, ""));
        if parameters.split(';').any(|part| part.trim().trim_matches('"') == "type=entry") {
            return None;
        }
        let words = || bare.split(|c: char| !c.is_ascii_alphanumeric());
        let has = |wanted: &str| words().any(|word| word == wanted);
        // `application/rss+xml`, `application/x-rss+xml`, `text/rss`, `rss`, `application/json+feed`.
        let is_feed = ["rss", "rssxml", "atom", "atomxml", "rdf"].into_iter().any(has)
            || has("feed") && has("json");
        Some(match bare.trim() {
            "" => Self::None,
            _ if is_feed => Self::Feed,
            "application/json" | "application/xml" | "text/xml" => Self::Data,
            "text/plain" | "application/octet-stream" => Self::Any,
            _ => Self::Other,
        })
    }
}

/// Maximum number of characters of a text that names a feed.
const MAX_LABEL: usize = 40;

/// Whether a text, as that of a link, names a feed.
pub(super) fn is_label(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    lower.chars().count() <= MAX_LABEL
        && (words.any(|word| matches!(word, "rss" | "rss2" | "atom"))
            || matches!(&*lower, "feed" | "feeds" | "web feed" | "xml")
            || lower.contains("フィード"))
}

/// Whether the name of a picture or of a class is that of the sign for feeds.
pub(super) fn is_sign(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word.eq_ignore_ascii_case("rss"))
}

/// Whether a word is in the names of feeds: `rss`, `feed1`.
fn is_feed_word(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(
        word,
        "atom" | "atomfeed" | "feed" | "feedrss" | "feeds" | "newsfeed" | "rdf" | "rss" | "rssfeed"
    )
}

/// Whether a URL has the form of those of feeds.
fn is_feed_url(url: &str) -> bool {
    let lower = url.split('#').next().unwrap_or_default().to_ascii_lowercase();
    let (path, query) = lower.split_once('?').unwrap_or((&lower, ""));
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let last = segments.next().unwrap_or_default();
    let (stem, extension) = last.rsplit_once('.').unwrap_or((last, ""));
    let in_folder = segments.next().is_some_and(is_feed_word);
    let words = || stem.split(['-', '_', '.']);
    has_scheme_of_feeds(&lower)
        || match extension {
            "rss" | "atom" | "rdf" => true,
            "xml" | "json" => {
                in_folder || words().any(is_feed_word) || stem == "index" && extension == "xml"
            }
            "" | "php" | "asp" | "aspx" | "cgi" => in_folder || words().all(is_feed_word),
            _ => false,
        }
        || query.split('&').any(is_feed_parameter)
}

/// Whether a part of a query asks for a feed: `feed=rss2`, `format=feed`, `rss`.
fn is_feed_parameter(part: &str) -> bool {
    let (key, value) = part.split_once('=').unwrap_or((part, ""));
    match key {
        "feed" | "format" | "type" | "alt" | "output" | "view" | "mode" => {
            value.split(['-', '_', '+']).any(is_feed_word)
        }
        "rss" | "atom" => matches!(value, "" | "1" | "true" | "yes"),
        _ => false,
    }
}

/// Schemes that mean http for a feed reader.
const SCHEMES: &[&str] = &["feed:", "itpc:", "pcast:", "podcast:", "rss:"];

fn has_scheme_of_feeds(url: &str) -> bool {
    SCHEMES.iter().any(|scheme| url.starts_with(scheme))
}

/// The absolute URL of a link without fragment; `None` if a feed cannot be requested there.
pub(super) fn absolute(base: &Url, href: &str) -> Option<Url> {
    let lower = href.to_ascii_lowercase();
    let scheme = SCHEMES.iter().find(|scheme| lower.starts_with(**scheme));
    let mut url = match scheme.map(|scheme| &href[scheme.len()..]) {
        None => joined(base, href)?,
        Some(rest) => {
            let bare = rest.strip_prefix("//").unwrap_or(rest);
            match bare.split_once("://") {
                Some(("http" | "https", _)) => Url::parse(bare).ok()?,
                _ if bare.len() == rest.len() && rest.starts_with('/') => joined(base, rest)?,
                _ => Url::parse(&format!("http://{bare}")).ok()?,
            }
        }
    };
    url.set_fragment(None);
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_file = url.scheme() == "file" && base.scheme() == "file";
    Some(url).filter(|url| (is_web || is_file) && !has_login(url))
}

/// Words for comments in the titles of feeds.
#[rustfmt::skip]
const COMMENTS: &[&str] = &[
    "comment", "comments", "comentario", "comentarios", "comentário", "comentários", "comentaris", "commentaire",
    "commentaires", "commenti", "commento", "hozzászólások", "kommentar", "kommentare", "kommentarer", "kommenttien",
    "kommentit", "kommentteja", "komentarze", "komentarzy", "komentáře", "komentářů", "komentari", "reacties", "reactie",
    "yorum", "yorumlar", "комментарии", "комментариев", "комментарий", "коментарі", "коментарів", "коментари", "σχόλια",
    "σχολίων", "تعليقات", "التعليقات", "תגובות",
];

/// The same in languages that do not separate words.
const COMMENTS_INSIDE: &[&str] = &["コメント", "评论", "評論", "留言", "댓글", "回响", "迴響"];

/// Words that follow those for comments in such titles.
const FEED_WORDS: &[&str] =
    &["feed", "feeds", "rss", "atom", "xml", "2", "0", "1", "flux", "syöte", "kanalı"];

/// Words that follow those for comments at the beginning: "Comments on A", "Kommentare zu A".
const ABOUT: &[&str] = &[
    "on", "for", "to", "zu", "zum", "für", "sur", "pour", "de", "en", "em", "su", "op", "på", "на",
    "к", "a", "about",
];

/// Whether a feed has the comments on a site or a post, by its title or its URL.
pub(super) fn is_of_comments(link: &Link) -> bool {
    let lower = link.href.to_lowercase();
    let (path, query) = lower.split_once('?').unwrap_or((&lower, ""));
    let path = path.trim_end_matches('/');
    // WordPress and Blogger.
    let by_url =
        ["/comments/feed", "/comments/feed/atom", "/comments/feed/rss2", "/comments/default"]
            .into_iter()
            .any(|end| path.ends_with(end))
            || query.split('&').any(|part| part.starts_with("feed=comments-"));
    by_url || link.title.as_deref().is_some_and(is_title_of_comments)
}

fn is_title_of_comments(title: &str) -> bool {
    let lower = title.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is = |known: &[&str], word: Option<&&str>| word.is_some_and(|word| known.contains(word));
    let last = words.iter().rfind(|word| !FEED_WORDS.contains(*word));
    is(COMMENTS, last)
        || is(COMMENTS, words.first()) && is(ABOUT, words.get(1))
        || COMMENTS_INSIDE.iter().any(|word| lower.contains(word))
}

/// Maximum number of links that are read.
const MAX_LINKS: usize = 100;

/// The feeds that the values of the headers `Link`, joined by commas, declare. `url` is the URL of the document.
pub(super) fn feeds_of_header(values: &str, url: &Url) -> Vec<Link> {
    let (mut found, mut rest) = (Vec::new(), values);
    for _ in 0..MAX_LINKS {
        let Some((_, after)) = rest.split_once('<') else { break };
        let Some((href, after)) = after.split_once('>') else { break };
        let end = unquoted(after, ',');
        rest = &after[end..];
        let (mut rel, mut media_type, mut title) = (String::new(), String::new(), String::new());
        let mut parameters = &after[..end];
        while let Some(part) = parameters.get(unquoted(parameters, ';') + 1..) {
            let (name, value) = part[..unquoted(part, ';')].split_once('=').unwrap_or_default();
            let value = value.trim().trim_matches('"').to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "rel" => rel = value,
                "type" => media_type = value,
                "title" => title = value,
                _ => {}
            }
            parameters = part;
        }
        let href = href.trim();
        let attributes = Attributes { href, rel: &rel, media_type: &media_type, title: &title };
        if attributes.kind_of_link() == Some(Kind::Declared)
            && let Some(url) = absolute(url, href)
        {
            let own = |value: String| Some(value).filter(|value| !value.is_empty());
            found.push(Link {
                href: url.into(),
                rel: "alternate".to_owned(),
                media_type: own(media_type),
                title: own(title),
                ..Link::default()
            });
        }
    }
    found
}

/// Byte offset of the first `wanted` outside quotes, or the length of the text.
fn unquoted(text: &str, wanted: char) -> usize {
    let mut quoted = false;
    let found = text.find(|c: char| {
        quoted ^= c == '"';
        c == wanted && !quoted
    });
    found.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_feeds_are_recognised_in_every_spelling() {
        #[rustfmt::skip]
        let types = [
            "application/rss+xml", "APPLICATION/ATOM+XML; charset=utf-8", "application/feed+json", "application/rdf+xml",
            "application/x-rss+xml", "application/xml+rss", "text/rss", "application/x.atom+xml", "application/x-atom+xml",
            "application/rss+xml, application/xml", "application/json+feed", "rss", "applicaton/rss+xml",
        ];
        let kind = |rel, media_type, title| {
            Attributes { href: "/x", rel, media_type, title }.kind_of_link()
        };
        for media_type in types {
            assert_eq!(kind("alternate", media_type, ""), Some(Kind::Declared), "{media_type}");
        }
        for media_type in ["text/html", "application/json+oembed", "text/xml+oembed", "text/plain"]
        {
            assert_eq!(kind("alternate", media_type, ""), None, "{media_type}");
        }
        let entry = "application/atom+xml;type=entry";
        assert_eq!(kind("alternate", entry, ""), None);
        assert_eq!(kind("alternative", "rss", ""), Some(Kind::Declared));
        assert_eq!(kind("alternate,nofollow", "rss", ""), Some(Kind::Declared));
        assert_eq!(kind("alternate stylesheet", "rss", ""), None);
        assert_eq!(kind("", "rss", ""), Some(Kind::Possible(Evidence::Type)));
        assert_eq!(kind("alternate", "", "RSS"), Some(Kind::Possible(Evidence::Label)));
        assert_eq!(kind("alternate", "", "Deutsch"), None);
        assert_eq!(kind("feed", "", ""), Some(Kind::Declared));
    }

    #[test]
    fn urls_of_feeds_are_recognised() {
        for url in [
            "/feed",
            "/feed/",
            "/rss2",
            "/feed.php",
            "/rss.php",
            "/rss/all.xml",
            "/blog-rss.xml",
            "/a.rdf",
            "/index.xml",
            "/?feed=rss2",
            "?format=feed&type=rss",
            "/a/b.atom#x",
            "/feed1.xml",
            "/feeds/posts",
            "/rss-feed",
            "feed:http://a.test/x",
            "/rss.json",
            "/p?rss",
        ] {
            assert!(is_feed_url(url), "{url}");
        }
        for url in [
            "/",
            "/newsfeeders",
            "/sitemap.xml",
            "/what-is-rss",
            "/rss.html",
            "/x?tag=rss",
            "/feedback",
            "/a.json",
        ] {
            assert!(!is_feed_url(url), "{url}");
        }
    }

    #[test]
    fn links_are_absolute_web_urls() {
        let base = Url::parse("https://a.test/b/c").unwrap();
        for (href, url) in [
            ("feed", Some("https://a.test/b/feed")),
            ("https:/feed#x", Some("https://a.test/feed")),
            ("feed:http://b.test/x", Some("http://b.test/x")),
            ("PODCAST://b.test/x", Some("http://b.test/x")),
            ("feed:/x", Some("https://a.test/x")),
            ("tel:1", None),
            ("mailto:a@b.test", None),
            ("http://u:p@b.test/", None),
        ] {
            assert_eq!(absolute(&base, href).as_ref().map(Url::as_str), url, "{href}");
        }
    }

    #[test]
    fn feeds_of_comments_are_recognised_in_many_languages() {
        let of_comments = |title: &str, href: &str| {
            let (title, href) = (Some(title.to_owned()), href.to_owned());
            is_of_comments(&Link { href, title, ..Link::default() })
        };
        for title in [
            "Blog » Comments Feed",
            "Blog » Hallo-Kommentar-Feed",
            "Blog » Flux des commentaires",
            "Comments on: A",
            "B » コメントフィード",
            "Feed de los comentarios",
            "Reacties (RSS 2.0)",
            "Лента комментариев",
        ] {
            assert!(of_comments(title, "https://a.test/x"), "{title}");
        }
        for title in ["Comments Section Podcast", "Commentary", "Shop news", ""] {
            assert!(!of_comments(title, "https://a.test/x"), "{title}");
        }
        assert!(of_comments("", "https://a.test/?feed=comments-rss2"));
        assert!(of_comments("", "https://a.test/comments/feed/"));
    }

    #[test]
    fn feeds_in_the_header_link_are_found() {
        let url = Url::parse("https://a.test/b/").unwrap();
        for (value, expected) in [
            ("</feed>; rel=\"alternate\"; type=\"application/rss+xml\"", "https://a.test/feed"),
            (
                "<https://a.test/api>; rel=x, <f>;rel=alternate; title=\"a, <b>; c\";type=application/atom+xml",
                "https://a.test/b/f",
            ),
            ("</feed>; rel=feed", "https://a.test/feed"),
            ("</feed>; rel=preload; type=\"application/rss+xml\"", ""),
            ("</x>; rel=alternate; hreflang=de", ""),
            ("<", ""),
            ("<>;;;=\"", ""),
            ("", ""),
        ] {
            let found = feeds_of_header(value, &url);
            let first = found.first().map_or("", |link| link.href.as_str());
            assert_eq!(first, expected, "{value}");
        }
    }
}
