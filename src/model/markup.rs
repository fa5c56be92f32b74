//! Reads HTML that `normalise` made: well-formed, without scripts or comments. What it shows, piece by
//! piece. Making HTML safe is the business of `normalise`, and what the pieces mean that of the asker.

use std::borrow::Cow;

use memchr::memchr2;

/// A piece of a fragment, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text without references.
    Text(&'a str),
    /// A character reference, decoded.
    Char(char),
    /// A tag.
    Tag(Tag<'a>),
}

/// A tag: its element and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'a> {
    /// As written; a serialiser writes lower case.
    pub name: &'a str,
    /// Which end of the element it is.
    pub edge: Edge,
}

/// Which end of an element a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// `<p>`, also `<br>`.
    Start,
    /// `</p>`.
    End,
}

impl Tag<'_> {
    /// Whether it ends a word: everything but the elements that stand inside a line.
    #[must_use]
    pub fn breaks_words(&self) -> bool {
        const INLINE: &[&str] = &[
            "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "ins", "kbd",
            "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup",
            "time", "tt", "u", "var", "wbr",
        ];
        // Sorted; a serialiser writes lower case.
        let known = |name: &str| INLINE.binary_search(&name).is_ok();
        !(known(self.name)
            || self.name.bytes().any(|byte| byte.is_ascii_uppercase())
                && known(&self.name.to_ascii_lowercase()))
    }
}

/// The text with each `&name;` replaced by what `value` makes of the name, which has fewer than `longest`
/// bytes; what is no reference stays as it is, for a bare `&` is common.
pub fn resolved<'t>(
    text: &'t str,
    longest: usize,
    value: impl Fn(&str) -> Option<Cow<'static, str>>,
) -> Cow<'t, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.bytes().take(longest).position(|byte| byte == b';');
        match end.and_then(|end| Some((end, value(&rest[..end])?))) {
            Some((end, value)) => {
                plain.push_str(&value);
                rest = &rest[end + 1..];
            }
            None => plain.push('&'),
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The pieces of `html`; anything at all may be given, and nothing of its text is lost.
pub fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let (piece, length) = match rest.bytes().next()? {
            b'&' => {
                let (c, length) = reference(rest);
                (Piece::Char(c), length)
            }
            b'<' => {
                let length = tag_length(rest);
                (Piece::Tag(tag(&rest[..length])), length)
            }
            _ => {
                let length = memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
                (Piece::Text(&rest[..length]), length)
            }
        };
        rest = &rest[length..];
        Some(piece)
    })
}

fn tag(tag: &str) -> Tag<'_> {
    let edge = if tag.starts_with("</") { Edge::End } else { Edge::Start };
    let name = tag.trim_start_matches(['<', '/']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    Tag { name: &name[..end], edge }
}

/// Bytes of the tag at the start of `html`; a `>` inside a quoted attribute does not end it.
pub(super) fn tag_length(html: &str) -> usize {
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
    fn a_fragment_is_text_characters_and_tags() {
        let tag = |name, edge| Piece::Tag(Tag { name, edge });
        let got: Vec<Piece<'_>> = pieces("<p class='a > b'>x &amp; y<br></p>").collect();
        let (start, end) = (Edge::Start, Edge::End);
        let expected = [
            tag("p", start),
            Piece::Text("x "),
            Piece::Char('&'),
            Piece::Text(" y"),
            tag("br", start),
            tag("p", end),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn what_is_no_reference_and_no_whole_tag_ends_nothing() {
        let got: Vec<Piece<'_>> = pieces("&é; & &#x41;<b").collect();
        let last = Piece::Tag(Tag { name: "b", edge: Edge::Start });
        assert_eq!(got.last(), Some(&last));
        assert!(got.contains(&Piece::Char('A')));
    }
}
