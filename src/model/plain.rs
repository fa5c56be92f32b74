//! The text of sanitised HTML: of what `normalise` made, which is well-formed and has neither
//! scripts nor comments. Making HTML safe is its business, not ours.

/// The text of an HTML fragment, for matching, for searching and for titles.
#[must_use]
pub fn of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let (c, length) = reference(rest);
            text.push(c);
            rest = &rest[length..];
        } else {
            let length = tag_length(rest);
            if breaks_words(&rest[..length]) {
                text.push(' ');
            }
            rest = &rest[length..];
        }
    }
    text.push_str(rest);
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

/// Bytes of the tag at the start of `html`; a `>` inside a quoted attribute does not end it.
fn tag_length(html: &str) -> usize {
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    html.len()
}

/// Whether the tag ends a word: everything but the elements that stand inside a line.
fn breaks_words(tag: &str) -> bool {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "ins", "kbd",
        "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup",
        "time", "tt", "u", "var", "wbr",
    ];
    !INLINE.iter().any(|inline| tag_name(tag).eq_ignore_ascii_case(inline))
}

/// The character at the start of `html`, a reference or a bare `&`, and its length in bytes.
///
/// A serialiser of HTML writes only these names; whatever else there is stays as it stands.
fn reference(html: &str) -> (char, usize) {
    let Some(end) = html.bytes().take(12).position(|byte| byte == b';') else { return ('&', 1) };
    let name = &html[1..end];
    let numeric = || {
        let number = name.strip_prefix('#')?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        char::from_u32(code.ok()?)
    };
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => match numeric() {
            Some(c) => c,
            None => return ('&', 1),
        },
    };
    (c, end + 1)
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
