//! The text of sanitised HTML: of what `normalise` made, which is well-formed and has neither
//! scripts nor comments. Making HTML safe is its business, not ours.

use super::markup::{Piece, pieces, tag_length};

/// The text of an HTML fragment, for matching, for searching and for titles.
#[must_use]
pub fn of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Char(c) => text.push(c),
            Piece::Tag(tag) if tag.breaks_words() => text.push(' '),
            Piece::Tag(_) => {}
        }
    }
    text
}

/// The same HTML without whatever would be loaded: in the place of a picture, a sound or a film
/// stands a link to it.
#[must_use]
pub fn without_media(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let (mut rest, mut in_link) = (html, false);
    while let Some(at) = rest.find('<') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let (tag, behind) = rest.split_at(tag_length(rest));
        rest = behind;
        match tag_name(tag) {
            "img" | "audio" | "video" if !tag.starts_with("</") => link(&mut kept, tag, in_link),
            "audio" | "img" | "picture" | "source" | "track" | "video" => {}
            name => {
                if name == "a" {
                    in_link = !tag.starts_with("</");
                }
                kept.push_str(tag);
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// A link to what `tag` would load, named by its alternative text; the name alone inside a link.
fn link(kept: &mut String, tag: &str, in_link: bool) {
    let (source, name) = (attribute(tag, "src"), attribute(tag, "alt"));
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or(match tag_name(tag) {
        "img" => "picture",
        "audio" => "sound",
        _ => "film",
    });
    let name = name.replace('<', "&lt;").replace('>', "&gt;");
    match source.filter(|_| !in_link) {
        Some(source) => {
            kept.push_str("<a href=\"");
            kept.push_str(source);
            kept.push_str("\" rel=\"noopener noreferrer nofollow\">[");
            kept.push_str(&name);
            kept.push_str("]</a>");
        }
        None => {
            kept.push('[');
            kept.push_str(&name);
            kept.push(']');
        }
    }
}

/// The value as it stands in the tag, escaped; a serialiser puts all of them in double quotes.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag.split_once(char::is_whitespace)?.1;
    while let Some((key, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"')?;
        if key.split_whitespace().next_back() == Some(name) {
            return Some(value);
        }
        rest = behind;
    }
    None
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_loaded_becomes_a_link_to_it() {
        let rel = "rel=\"noopener noreferrer nofollow\"";
        for (html, expected) in [
            (
                "<p>a<img alt=\"dish &amp; <x>\" src=\"https://e.org/b.jpg?a&amp;b\" width=\"1\"></p>",
                format!(
                    "<p>a<a href=\"https://e.org/b.jpg?a&amp;b\" {rel}>[dish &amp; &lt;x&gt;]</a></p>"
                ),
            ),
            (
                "<a href=\"https://e.org/\"><img src=\"https://e.org/b.jpg\" alt=\"\"></a>",
                "<a href=\"https://e.org/\">[picture]</a>".to_owned(),
            ),
            (
                "<video src=\"https://e.org/v\" poster=\"https://e.org/p\"><track src=\"x\"></video>z",
                format!("<a href=\"https://e.org/v\" {rel}>[film]</a>z"),
            ),
            (
                "<picture><source srcset=\"x\"><img title=\"src=\" alt=\"A\"></picture>",
                "[A]".to_owned(),
            ),
            ("no <b>media</b> &lt;img src=x&gt;", "no <b>media</b> &lt;img src=x&gt;".to_owned()),
        ] {
            assert_eq!(without_media(html), expected);
        }
    }

    #[test]
    fn html_becomes_the_text_that_it_shows() {
        assert_eq!(of_html("<p>fish &amp; <b>ch</b>ips</p>").trim(), "fish & chips");
        assert_eq!(of_html("one<br>two<li>three"), "one two three");
        assert_eq!(of_html("<a title=\"a > b\" href='x'>c</a>"), "c");
        assert_eq!(of_html("1 &lt; 2 &#60;&#x3c; &nbsp;&unknown; &"), "1 < 2 << \u{a0}&unknown; &");
        assert_eq!(
            of_html("&amp;lt; &é;"),
            "&lt; &é;",
            "decoded once, cut nowhere inside a character"
        );
        assert_eq!(of_html("a <b"), "a ", "a tag that never ends");
    }
}
