//! The direction of titles and texts, for readers whose page runs from left to right.

use std::borrow::Cow;

use crate::text::bidi;
use crate::text::html::{Edge, Piece, attribute, pieces};

/// The value of `dir` for a text: `rtl` if it is in a language from right to left and most of its letters are, even if it
/// begins with a name in others; else `auto`, which asks the first letter.
pub(super) fn of_text(language: Option<&str>, text: &str) -> &'static str {
    of_letters(language, text.chars())
}

/// The value of `dir` for sanitised HTML.
pub(super) fn of_html(language: Option<&str>, html: &str) -> &'static str {
    let text = pieces(html).filter_map(|piece| match piece {
        Piece::Text(text) => Some(text),
        _ => None,
    });
    of_letters(language, text.flat_map(str::chars))
}

fn of_letters(language: Option<&str>, text: impl Iterator<Item = char>) -> &'static str {
    if !language.is_some_and(bidi::is_language_right_to_left) {
        return "auto";
    }
    let (mut right_to_left, mut others) = (0_u64, 0_u64);
    for letter in text.filter(|c| c.is_alphabetic()) {
        if bidi::is_right_to_left(letter) { right_to_left += 1 } else { others += 1 }
    }
    if right_to_left > others { "rtl" } else { "auto" }
}

/// Sanitised HTML with its own direction, if anything in it runs from right to left. An element inside that has one, such
/// as a quotation or code, does not say that of the text.
pub(super) fn with_direction<'h>(html: Cow<'h, str>, language: Option<&str>) -> Cow<'h, str> {
    if !bidi::has_right_to_left(&html) || is_within_direction(&html) {
        return html;
    }
    let direction = of_html(language, &html);
    Cow::Owned(format!("<div dir=\"{direction}\">{html}</div>"))
}

/// Whether one element with a direction is around the whole HTML.
fn is_within_direction(html: &str) -> bool {
    let mut tags = pieces(html.trim()).peekable();
    let Some(Piece::Tag(outer)) = tags.next() else { return false };
    if outer.edge == Edge::End || attribute(outer.source, "dir").is_none() {
        return false;
    }
    let mut open = 1_usize;
    while let Some(piece) = tags.next() {
        let Piece::Tag(tag) = piece else { continue };
        if tag.name != outer.name {
            continue;
        }
        open = if tag.edge == Edge::End { open - 1 } else { open + 1 };
        if open == 0 {
            return tags.peek().is_none();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_direction_of_its_language_if_most_letters_have_it() {
        for (language, text, expected) in [
            (Some("ar"), "iPhone يصل إلى مصر", "rtl"),
            (Some("he-IL"), "C++ בעברית פשוטה", "rtl"),
            (Some("az-Arab"), "PC بیلگی‌سایار", "rtl"),
            (Some("ar-u-nu-latn"), "PC بيت جديد", "rtl"),
            (Some("en-u-nu-arab"), "PC بيت جديد", "auto"),
            (Some("ur-Latn"), "PC بیلگی‌سایار", "auto"),
            (Some("ar"), "Hello world of مصر", "auto"),
            (Some("ar"), "2026", "auto"),
            (Some("en"), "iPhone يصل إلى مصر", "auto"),
            (None, "iPhone يصل إلى مصر", "auto"),
        ] {
            assert_eq!(of_text(language, text), expected, "{language:?} {text}");
        }
        let html = "<p class=\"latin letters only in the tag\">AB &amp; אבג</p>";
        assert_eq!(of_html(Some("he"), html), "rtl");
    }

    #[test]
    fn only_a_direction_around_the_whole_text_is_that_of_the_text() {
        let shown = |html| with_direction(Cow::Borrowed(html), Some("he"));
        for html in [
            "<div dir=\"rtl\"><div>א</div><div>ב</div></div>",
            "<p dir=\"auto\">א</p>\n",
            "<p>no letters of that kind</p>",
        ] {
            assert_eq!(shown(html), html);
        }
        for html in [
            "<p>א</p><blockquote><p lang=\"en\" dir=\"ltr\">b</p></blockquote>",
            "<pre dir=\"ltr\">c</pre><p>אבג</p>",
            "<p dir=\"ltr\">c</p><p>אבג</p>",
            "<p>א <span dir=\"ltr\">b</span> א</p>",
            "א <bdo dir=\"rtl\">abc</bdo> אבגד",
        ] {
            assert_ne!(shown(html), html);
            assert!(shown(html).starts_with("<div dir=\""), "{html}");
        }
        let html = Cow::Borrowed("<p>iPhone בארץ ישראל</p>");
        assert!(with_direction(html.clone(), Some("he")).starts_with("<div dir=\"rtl\">"));
        assert!(with_direction(html, None).starts_with("<div dir=\"auto\">"));
    }
}
