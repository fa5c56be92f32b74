//! Which representation a request gets, RFC 9110 12.5: pure.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::http::{HeaderMap, HeaderName};

use crate::render::Coding;

/// In the order that we like them, where the client likes them alike.
const OURS: [Coding; 4] = [Coding::Brotli, Coding::Zstd, Coding::Gzip, Coding::Identity];

/// The coding that the client likes best; as it is where it says nothing, or refuses everything.
pub(super) fn coding(headers: &HeaderMap) -> Coding {
    let mut offers = [None; OURS.len()];
    let mut any = None;
    for (name, quality) in offers_of(headers, &ACCEPT_ENCODING) {
        if name == "*" {
            any = Some(quality);
        }
        for (ours, offer) in OURS.iter().zip(&mut offers) {
            if is_named(*ours, name) {
                *offer = Some(quality);
            }
        }
    }
    let mut best = (Coding::Identity, 0);
    for (coding, offer) in OURS.into_iter().zip(offers) {
        // Without a word identity is acceptable, but only when nothing better is.
        let unsaid = any.unwrap_or(u16::from(coding == Coding::Identity));
        let quality = offer.unwrap_or(unsaid);
        if quality > best.1 {
            best = (coding, quality);
        }
    }
    best.0
}

/// What stands at the address of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The document, for a program.
    Feed,
    /// A page, for a person.
    Page,
}

/// A person's browser names HTML and likes it better than whatever a feed could pass for.
///
/// Feed readers name HTML too, beside the feeds, and take anything: these get the feed.
pub(super) fn wish(headers: &HeaderMap) -> Wish {
    let (mut page, mut feed) = (0, 0);
    for (name, quality) in offers_of(headers, &ACCEPT) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("text/html") {
            page = page.max(quality);
        } else if !is("application/xhtml+xml") && passes_for_a_feed(name) {
            feed = feed.max(quality);
        }
    }
    if page > feed { Wish::Page } else { Wish::Feed }
}

fn passes_for_a_feed(name: &str) -> bool {
    let (kind, subtype) = name.split_once('/').unwrap_or_default();
    subtype == "*" || {
        let subtype = subtype.to_ascii_lowercase();
        let text = kind.eq_ignore_ascii_case("text") || kind.eq_ignore_ascii_case("application");
        text && ["xml", "json"].iter().any(|syntax| subtype.ends_with(syntax))
    }
}

fn is_named(coding: Coding, name: &str) -> bool {
    let ours = coding.name().unwrap_or("identity");
    // RFC 9110 8.4.1.3: x-gzip is gzip.
    name.eq_ignore_ascii_case(ours)
        || (coding == Coding::Gzip && name.eq_ignore_ascii_case("x-gzip"))
}

/// The members of all lines of a header, each with its quality.
fn offers_of<'h>(
    headers: &'h HeaderMap,
    name: &'h HeaderName,
) -> impl Iterator<Item = (&'h str, u16)> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.to_str().unwrap_or_default().split(',').filter_map(offer))
}

/// `gzip;q=0.8`: the name, and the quality in thousandths.
fn offer(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    // What is no number is a broken client's wish, and refused rather than guessed.
    let quality = weight.map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (quality.clamp(0.0, 1.0) * 1000.0).round() as u16;
    Some((name, thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        headers
    }

    fn asked(lines: &[&'static str]) -> Coding {
        coding(&with(ACCEPT_ENCODING, lines))
    }

    #[test]
    fn the_client_gets_what_it_likes_best() {
        assert_eq!(asked(&["gzip, br"]), Coding::Brotli);
        assert_eq!(asked(&["gzip, deflate, br, zstd"]), Coding::Brotli);
        assert_eq!(asked(&["gzip, zstd"]), Coding::Zstd);
        assert_eq!(asked(&["gzip, deflate"]), Coding::Gzip);
        assert_eq!(asked(&["br;q=0.5, gzip;q=0.8"]), Coding::Gzip);
        assert_eq!(asked(&["br;q=0, X-GZIP"]), Coding::Gzip);
        assert_eq!(asked(&["gzip", "br"]), Coding::Brotli, "two lines are one list");
        assert_eq!(asked(&["identity;q=1, gzip;q=0.5"]), Coding::Identity);
    }

    #[test]
    fn a_star_stands_for_what_is_not_named() {
        assert_eq!(asked(&["*"]), Coding::Brotli);
        assert_eq!(asked(&["br;q=0, zstd;q=0, *"]), Coding::Gzip);
        assert_eq!(asked(&["*;q=0, gzip"]), Coding::Gzip);
    }

    #[test]
    fn who_says_nothing_or_nonsense_gets_it_as_it_is() {
        let nonsense =
            ["", "zst", "gzip;q=abc", "gzip;q=0", ";;;,,,q=", "identity;q=0", "gzip;q=NaN"];
        for line in nonsense {
            assert_eq!(asked(&[line]), Coding::Identity, "{line}");
        }
        assert_eq!(asked(&[]), Coding::Identity);
    }

    #[test]
    fn a_browser_gets_the_page() {
        for line in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html, application/xhtml+xml, image/jxr, */*;q=0.7",
            "text/html",
            "TEXT/HTML, application/rss+xml;q=0.5",
        ] {
            assert_eq!(wish(&with(ACCEPT, &[line])), Wish::Page, "{line}");
        }
    }

    #[test]
    fn a_feed_reader_gets_the_feed_whatever_else_it_would_take() {
        for line in [
            "*/*",
            "",
            "application/atom+xml",
            "application/xml, application/atom+xml, application/rss+xml, application/rdf+xml, \
             application/feed+json, text/html, */*;q=0.9",
            "application/atom+xml,application/rss+xml,application/xml;q=0.9,text/html;q=0.7,*/*;q=0.1",
            "application/feed+json, text/html",
            "text/html, */*",
            "text/html, text/xml",
            "text/html;q=0",
            "image/png",
        ] {
            assert_eq!(wish(&with(ACCEPT, &[line])), Wish::Feed, "{line}");
        }
        assert_eq!(wish(&HeaderMap::new()), Wish::Feed);
    }
}
