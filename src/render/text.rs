//! Plain text, ids and URLs for documents, as XML, validators and readers accept them: single lines, titles and summaries
//! cut to a length, and IRIs.

use std::borrow::Cow;

use uuid::Uuid;

use crate::model::OutputItem;
use crate::text::bidi::balanced;
use crate::text::chars::{self, boundary_before, clean, is_invisible};
use crate::text::uuid::urn_of;

/// The longest title made from an item's text, in characters, the ellipsis included.
const TITLE_LENGTH: usize = 80;

/// One clean line of plain text: white space collapsed, text direction balanced. `None` if nothing would be visible.
pub(super) fn line(text: &str) -> Option<String> {
    let text = clean(text);
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.contains(|c| !is_invisible(c)).then(|| balanced(line))
}

/// The text, clean; `None` if it is blank.
pub(super) fn non_blank(text: &str) -> Option<Cow<'_, str>> {
    let text = clean(text);
    (!text.trim().is_empty()).then_some(text)
}

/// Plain text of a document that stays the same when a feed reader parses it as HTML. Not for pages.
///
/// Many readers do so, also where Atom or JSON Feed says that it is text, and some even twice: they drop `Vec<T>`, show
/// `&lt;` as `<`, or run a script. A word joiner, which has no width, follows the first character of everything that looks
/// like a tag or a reference.
pub(super) fn without_markup(text: &str) -> Cow<'_, str> {
    let is_html = |(at, first): &(usize, &str)| {
        let rest = &text[at + 1..];
        if *first == "<" {
            // HTML, 13.2.5.6: in front of anything else a `<` is text.
            return rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        }
        let name = rest.split(';').next().unwrap_or_default();
        // The shortest names are `gt` and `lt`, the shortest number is one digit.
        let complete = name.len() < rest.len() && (2..=32).contains(&name.len());
        let number = name.strip_prefix('#').unwrap_or(name);
        complete && number.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let mut found = text.match_indices(['<', '&']).filter(is_html).peekable();
    if found.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut done) = (String::with_capacity(text.len() + 12), 0);
    for (at, _) in found {
        plain.push_str(&text[done..=at]);
        plain.push('\u{2060}');
        done = at + 1;
    }
    plain.push_str(&text[done..]);
    Cow::Owned(plain)
}

/// A title made from the beginning of a text, cut between two words.
pub(super) fn title_of(text: &str) -> Option<String> {
    beginning(text, TITLE_LENGTH)
}

/// The beginning of a text as one line of at most `length` characters, cut between two words.
pub(super) fn beginning(text: &str, length: usize) -> Option<String> {
    // White space runs are rare: enough for one line.
    let beginning: String = text.trim_start().chars().take(length * 8).collect();
    let line = line(&beginning)?;
    let Some((limit, _)) = line.char_indices().nth(length) else { return Some(line) };
    // One character less, to make room for the ellipsis.
    let limit = line[..limit].char_indices().next_back().map_or(limit, |(at, _)| at);
    let head = &line[..boundary_before(&line, limit)];
    // A very long word, or a script without spaces, is cut anywhere.
    let cut = head.rfind(' ').filter(|at| *at * 2 > head.len()).map_or(head, |at| &head[..at]);
    let cut = cut.trim_end_matches(|c: char| c.is_whitespace() || ",;:-–—".contains(c));
    Some(balanced(format!("{cut}…")))
}

/// Number of repetitions of the title that are left out.
const REPETITIONS: usize = 2;

/// The text behind its title, which many texts repeat at their beginning; empty if the text is the title.
pub(super) fn behind_title<'t>(text: &'t str, title: &str) -> &'t str {
    let mut text = text.trim_start();
    for _ in 0..REPETITIONS {
        let Some(rest) = after(text, title) else { break };
        let behind = rest.trim_start();
        // Not the beginning of a longer word or of a sentence.
        let is_whole = behind.is_empty()
            || behind.len() < rest.len() && behind.starts_with(|c: char| c.is_uppercase());
        if !is_whole {
            break;
        }
        text = behind;
    }
    text
}

/// Whether a text is the title, whatever its quotation marks and its white space.
pub(super) fn is_title(text: &str, title: &str) -> bool {
    after(text.trim_start(), title.trim()).is_some_and(|rest| rest.trim().is_empty())
}

/// What follows the title at the beginning of a text.
fn after<'t>(text: &'t str, title: &str) -> Option<&'t str> {
    let straight = |c: char| match c {
        '‘' | '’' | '‚' => '\'',
        '“' | '”' | '„' => '"',
        c => c,
    };
    let mut rest = text;
    for (n, word) in title.split_whitespace().enumerate() {
        let begins = rest.trim_start();
        if n > 0 && begins.len() == rest.len() {
            return None;
        }
        let mut chars = begins.chars();
        if !word.chars().all(|c| chars.next().is_some_and(|it| straight(it) == straight(c))) {
            return None;
        }
        rest = chars.as_str();
    }
    Some(rest).filter(|rest| rest.len() < text.len())
}

/// The id of an item in every format.
///
/// The store assigns IRIs (RFC 4287 4.2.6), which are written unchanged. Anything else, for example from a
/// publisher, becomes a UUID that is made from it and never changes.
pub(super) fn id_of(entry: &OutputItem) -> Cow<'_, str> {
    iri(&entry.outward_id)
}

/// The text if it is an IRI that is valid for its scheme, else a UUID that is made from it: as documents have ids.
#[must_use]
pub fn iri(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let well_formed = match scheme {
        "tag" => is_tag(rest),
        "urn" => is_urn(rest),
        _ => true,
    };
    if well_formed && is_iri(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(urn_of(text))
}

/// Whether it is `authority,date:specific`, RFC 4151 2.1.
fn is_tag(rest: &str) -> bool {
    let Some((authority, rest)) = rest.split_once(',') else { return false };
    let Some((date, _)) = rest.split_once(':') else { return false };
    let number =
        |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = date.split('-');
    let year = parts.next().is_some_and(|year| number(year, 4));
    let name = |c: char| c.is_ascii_alphanumeric() || "-._@".contains(c);
    !authority.is_empty()
        && authority.chars().all(name)
        && year
        && date.len() <= "2025-12-31".len()
        && parts.all(|part| number(part, 2))
}

/// Whether it is `nid:nss`, RFC 8141 2, and for `uuid` a UUID, RFC 9562 4.
fn is_urn(rest: &str) -> bool {
    let Some((nid, nss)) = rest.split_once(':') else { return false };
    if nid.eq_ignore_ascii_case("uuid") {
        return nss.len() == 36 && Uuid::try_parse(nss).is_ok();
    }
    (2..=32).contains(&nid.len())
        && !nss.is_empty()
        && nid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !nid.starts_with('-')
        && !nid.ends_with('-')
}

/// Whether it is an absolute IRI: a scheme, no white space, no delimiters.
pub(super) fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && rest.chars().all(|c| {
            chars::is_clean(c)
                && !c.is_control()
                && !c.is_whitespace()
                && !"<>\"{}|\\^`".contains(c)
        })
}

/// Whether it is an http or https URL with a host.
pub(super) fn is_web(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    is_iri(url) && host.is_some_and(|host| host.starts_with(|c: char| !"/?#:".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_survives_readers_that_parse_it_as_html() {
        let plain = |text: &'static str| without_markup(text).replace('\u{2060}', "·");
        assert_eq!(plain("Vec<T>, a < b, <3 & </p>"), "Vec<·T>, a < b, <3 & <·/p>");
        assert_eq!(
            plain("<img src=x onerror=alert(1)><!-- <"),
            "<·img src=x onerror=alert(1)><·!-- <"
        );
        assert_eq!(
            plain("&lt;b&gt; &#60; &#x3c; &amp;lt;"),
            "&·lt;b&·gt; &·#60; &·#x3c; &·amp;lt;"
        );
        for text in ["1 < 2", "AT&T; Q&A", "R&D & so on;", "&;", "&#;", "&&"] {
            assert!(matches!(without_markup(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(without_markup(&without_markup("<b>")), "<\u{2060}b>", "and only once");
    }

    #[test]
    fn a_line_has_visible_text_and_no_line_breaks() {
        assert_eq!(line(" a\n\tb\u{a0} c ").as_deref(), Some("a b c"));
        assert_eq!(line("Vec<T> &amp;").as_deref(), Some("Vec<T> &amp;"));
        assert_eq!(line(" \u{0}\n"), None);
        assert_eq!(line("\u{202c}\u{200b} \u{feff}"), None, "nothing would be visible");
    }

    #[test]
    fn a_title_made_from_text_ends_between_words() {
        let text = "Just shipped the new build. It is twice as fast and half the size, which is nice, is it not?";
        let title = title_of(text).unwrap();
        assert_eq!(
            title,
            "Just shipped the new build. It is twice as fast and half the size, which is…"
        );
        let word = title_of(&"ä".repeat(200)).unwrap();
        assert_eq!(word.chars().count(), TITLE_LENGTH);
        assert_eq!(title_of(&"a".repeat(80)).unwrap(), "a".repeat(80), "short enough");
        assert_eq!(title_of("  "), None);
    }

    #[test]
    fn a_text_is_cut_between_characters_as_they_are_seen() {
        for letter in [
            "👨\u{200d}👩\u{200d}👧",
            "🇩🇪",
            "👍🏽",
            "e\u{323}\u{308}",
            "1\u{fe0f}\u{20e3}",
            "\u{1112}\u{1161}\u{11ab}",
            "क्षि",
            "น้ำ",
        ] {
            for before in 0..9 {
                let text = "x".repeat(before) + &letter.repeat(90);
                let cut = title_of(&text).unwrap();
                let kept = cut[before..].trim_end_matches('…');
                assert!(kept.replace(letter, "").is_empty() && !kept.is_empty(), "{cut}");
                assert!(cut.chars().count() <= TITLE_LENGTH);
            }
        }
    }

    #[test]
    fn a_text_does_not_repeat_the_title() {
        for (text, title, behind) in [
            ("All Stars\nThe best of the best", "All Stars", "The best of the best"),
            ("All Stars  All\u{a0}Stars Best", "All Stars", "Best"),
            ("“It’s” on Now", "\"It's\" on", "Now"),
            (" All Stars ", "All Stars", ""),
        ] {
            assert_eq!(behind_title(text, title), behind);
        }
        for text in ["All Stars are out", "All StarsX", "AllStars", "All", "Other text", ""] {
            assert_eq!(behind_title(text, "All Stars"), text);
        }
        assert_eq!(behind_title("Text", ""), "Text");
        assert!(
            is_title(" “All” Stars ", "\"All\"  Stars") && !is_title("All Stars.", "All Stars")
        );
    }

    #[test]
    fn valid_ids_stay_unchanged() {
        for id in [
            "https://example.org/ä?q=1#f",
            "tag:a.org,2025:b/c",
            "tag:me@a.org,2025-01-31:x",
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
            "urn:x-a:b",
            "yt:video:abc",
        ] {
            assert_eq!(iri(id), id);
        }
    }

    #[test]
    fn invalid_ids_become_stable_uuids() {
        for id in [
            "1",
            "http://x/\u{7}",
            "http://e.org/a b",
            "tag:a.org,200301:x",
            "tag:a.org:x",
            "tag:a.org,2025-1:x",
            "tag:,2025:x",
            "urn:x",
            "urn:a+b:1",
            "urn:-a:1",
            "urn:uuid:8d5261ba-bf62-ac81-946c-9276ea617917c",
            "urn:uuid:x",
        ] {
            assert!(iri(id).starts_with("urn:uuid:"), "{id}");
            assert_ne!(iri(id), id);
        }
        assert_eq!(iri("1"), "urn:uuid:b80c8fef-a677-5340-85fb-2c162d75df03");
        assert_ne!(iri("a b:c"), iri("a  b:c"));
    }
}
