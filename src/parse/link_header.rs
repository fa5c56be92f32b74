//! The HTTP header `Link` (RFC 8288 3).

use url::Url;

use super::feed_link::{Attributes, Kind, absolute};
use crate::model::Link;

/// Maximum number of links that are read.
const MAX_LINKS: usize = 100;

/// The feeds that the values of the headers `Link`, joined by commas, declare. `url` is the URL of the document.
pub(super) fn feeds(values: &str, url: &Url) -> Vec<Link> {
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
            let found = feeds(value, &url);
            let first = found.first().map_or("", |link| link.href.as_str());
            assert_eq!(first, expected, "{value}");
        }
    }
}
