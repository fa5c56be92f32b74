//! HTML fragments that `normalise` wrote: well-formed, without scripts and comments. For HTML of any kind there are only
//! [`join_surrogates`] and [`limit_attributes`], before html5ever reads it.
//!
//! Making HTML safe is done by `normalise` alone.

use std::borrow::Cow;

use memchr::memchr2;

/// A piece of an HTML fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text without character references, as it is in the source.
    Text(&'a str),
    /// A character reference, decoded.
    Char(char),
    /// A start or end tag.
    Tag(Tag<'a>),
}

/// A tag: the name of its element, and which end of the element it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Name of the element; lower case if a serialiser wrote it.
    pub name: &'a str,
    /// Start or end of the element.
    pub edge: Edge,
    /// The whole tag as it is written.
    pub source: &'a str,
}

/// Which end of an element a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// A start tag, also of a void element: `<p>`, `<br>`.
    Start,
    /// An end tag: `</p>`.
    End,
}

impl Tag<'_> {
    /// Whether the tag separates words: true for all but inline elements.
    #[must_use]
    pub fn breaks_words(&self) -> bool {
        // A serialiser writes lower case.
        !(is_inline(self.name)
            || self.name.bytes().any(|byte| byte.is_ascii_uppercase())
                && is_inline(&self.name.to_ascii_lowercase()))
    }
}

fn is_inline(name: &str) -> bool {
    #[rustfmt::skip]
    let inline = matches!(
        name.as_bytes(),
        [b'a' | b'b' | b'i' | b'q' | b's' | b'u'] | b"abbr" | b"bdi" | b"bdo" | b"cite" | b"code" | b"del" | b"em"
            | b"font" | b"ins" | b"kbd" | b"mark" | b"rp" | b"rt" | b"ruby" | b"samp" | b"small" | b"span"
            | b"strong" | b"sub" | b"sup" | b"time" | b"tt" | b"var" | b"wbr"
    );
    inline
}

/// The text with each `&name;` replaced by the result of `value(name)`; names have fewer than `longest`
/// bytes. Anything else stays as it is, because a bare `&` is common.
pub fn resolve_references<'t>(
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

/// The number of a numeric reference such as `#38` or `#x26`; `name` is without `&` and `;`.
#[must_use]
pub fn reference_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix('#')?;
    match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => number.parse().ok(),
    }
}

/// The text with each pair of references to the two halves of a UTF-16 surrogate pair, as in `&#55357;&#56832;` or
/// `&#xD83D;&#xDE00;`, replaced by its character. Some publishers escape each UTF-16 unit.
#[must_use]
pub fn join_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("&#") {
        return Cow::Borrowed(text);
    }
    let (mut joined, mut done) = (String::new(), 0);
    for (at, _) in text.match_indices("&#") {
        if at >= done
            && let Some((c, length)) = surrogate_pair(&text[at..])
        {
            joined.push_str(&text[done..at]);
            joined.push(c);
            done = at + length;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    joined.push_str(&text[done..]);
    Cow::Owned(joined)
}

/// The character of two references at the start of the text, and their length in bytes.
fn surrogate_pair(text: &str) -> Option<(char, usize)> {
    let (high, first) = code_unit(text)?;
    if !(0xd800..=0xdbff).contains(&high) {
        return None;
    }
    let (low, second) = code_unit(&text[first..])?;
    let c = char::decode_utf16([high, low]).next()?.ok()?;
    Some((c, first + second))
}

/// The number of the reference at the start of the text, and its length in bytes.
fn code_unit(text: &str) -> Option<(u16, usize)> {
    let name = text.strip_prefix('&')?;
    let end = name.bytes().take(9).position(|byte| byte == b';')?;
    // A sign is not part of a reference.
    let code = reference_number(&name[..end]).filter(|_| !name[..end].contains('+'))?;
    Some((u16::try_from(code).ok()?, "&;".len() + end))
}

/// The pieces of `html`, in order. Accepts any text and loses none of it.
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

/// The text of an HTML fragment, for comparison, search and titles.
#[must_use]
pub fn to_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_player = false;
    for piece in pieces(html) {
        match piece {
            Piece::Tag(Tag { name: "audio" | "video", edge, .. }) => {
                in_player = edge == Edge::Start;
                text.push(' ');
            }
            // Only shown by browsers without players.
            _ if in_player => {}
            Piece::Text(piece) => text.push_str(piece),
            Piece::Char(c) => text.push(c),
            Piece::Tag(tag) if tag.breaks_words() => text.push(' '),
            Piece::Tag(_) => {}
        }
    }
    text
}

/// A plain text as an HTML fragment: `&`, `<` and `>` escaped.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c => html.push(c),
        }
    }
    html
}

fn tag(tag: &str) -> Tag<'_> {
    let edge = if tag.starts_with("</") { Edge::End } else { Edge::Start };
    let name = tag.trim_start_matches(['<', '/']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    Tag { name: &name[..end], edge, source: tag }
}

/// Length in bytes of the tag at the start of `html`. A `>` inside a quoted attribute does not end it.
#[must_use]
pub fn tag_length(html: &str) -> usize {
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

/// The value of an attribute without references. Serialisers write no others.
#[must_use]
pub fn unescaped(value: &str) -> Cow<'_, str> {
    resolve_references(value, 6, |name| {
        Some(Cow::Borrowed(match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "nbsp" => "\u{a0}",
            _ => return None,
        }))
    })
}

/// The value of an attribute, still escaped. A serialiser puts all values in double quotes.
#[must_use]
pub fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
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

/// The character of the reference at the start of `html`, or a bare `&`, and its length in bytes. Knows the names that a serialiser of HTML writes.
fn reference(html: &str) -> (char, usize) {
    let Some(end) = html.bytes().take(12).position(|byte| byte == b';') else { return ('&', 1) };
    let name = &html[1..end];
    let numeric = || char::from_u32(reference_number(name)?);
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

/// Maximum number of attributes of a tag that html5ever reads.
const HTML5EVER_MAX_ATTRIBUTES: usize = 128;
/// Maximum number of bytes examined per byte of input. The rest of the input is then dropped.
const COST_FACTOR: usize = 32;

/// The HTML with each tag of more than 128 attributes turned into text: html5ever needs quadratic time
/// for attributes. Every `<` is examined, also in comments and scripts.
#[must_use]
pub fn limit_attributes(html: &str) -> Cow<'_, str> {
    let bytes = html.as_bytes();
    let mut limited = String::new();
    let mut done = 0;
    let mut budget = COST_FACTOR * bytes.len();
    for (at, _) in html.match_indices('<') {
        match count_attributes(bytes.get(at + 1..).unwrap_or_default(), &mut budget) {
            None => {
                limited.push_str(&html[done..at]);
                return Cow::Owned(limited);
            }
            Some(count) if count > HTML5EVER_MAX_ATTRIBUTES => {
                limited.push_str(&html[done..at]);
                limited.push_str("&lt;");
                done = at + 1;
            }
            Some(_) => {}
        }
    }
    if done == 0 {
        return Cow::Borrowed(html);
    }
    limited.push_str(&html[done..]);
    Cow::Owned(limited)
}

/// The number of attributes of the tag that continues with `rest` (HTML 13.2.5.6 to 40), counted up to
/// one more than the maximum. `None` if `budget`, in bytes, is used up.
fn count_attributes(rest: &[u8], budget: &mut usize) -> Option<usize> {
    let mut bytes = rest.iter().copied().peekable();
    let mut left = || {
        *budget = budget.checked_sub(1)?;
        Some(())
    };
    let space = |byte: u8| byte.is_ascii_whitespace();
    let mut skip = |bytes: &mut std::iter::Peekable<_>, wanted: &dyn Fn(u8) -> bool| {
        while bytes.next_if(|byte| wanted(*byte)).is_some() {
            left()?;
        }
        Some(())
    };
    bytes.next_if_eq(&b'/');
    if !bytes.peek().is_some_and(u8::is_ascii_alphabetic) {
        return Some(0);
    }
    skip(&mut bytes, &|byte| !space(byte) && byte != b'/' && byte != b'>')?;
    for count in 0..=HTML5EVER_MAX_ATTRIBUTES {
        skip(&mut bytes, &|byte| space(byte) || byte == b'/')?;
        // An equals sign at this position begins a name.
        if bytes.next_if(|byte| *byte != b'>').is_none() {
            return Some(count);
        }
        skip(&mut bytes, &|byte| !space(byte) && !b"/>=".contains(&byte))?;
        skip(&mut bytes, &space)?;
        if bytes.next_if_eq(&b'=').is_none() {
            continue;
        }
        skip(&mut bytes, &space)?;
        if let Some(quote) = bytes.next_if(|byte| b"\"'".contains(byte)) {
            skip(&mut bytes, &|byte| byte != quote)?;
            bytes.next();
        } else {
            skip(&mut bytes, &|byte| !space(byte) && byte != b'>')?;
        }
    }
    Some(HTML5EVER_MAX_ATTRIBUTES + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_consists_of_text_characters_and_tags() {
        let tag = |source, name, edge| Piece::Tag(Tag { name, edge, source });
        let got: Vec<Piece<'_>> = pieces("<p class='a > b'>x &amp; y<br></p>").collect();
        let (start, end) = (Edge::Start, Edge::End);
        let expected = [
            tag("<p class='a > b'>", "p", start),
            Piece::Text("x "),
            Piece::Char('&'),
            Piece::Text(" y"),
            tag("<br>", "br", start),
            tag("</p>", "p", end),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn incomplete_references_and_tags_lose_no_text() {
        let got: Vec<Piece<'_>> = pieces("&é; & &#x41;<b").collect();
        let last = Piece::Tag(Tag { name: "b", edge: Edge::Start, source: "<b" });
        assert_eq!(got.last(), Some(&last));
        assert!(got.contains(&Piece::Char('A')));
    }

    #[test]
    fn html_becomes_the_text_that_it_shows() {
        assert_eq!(to_text("<p>fish &amp; <b>ch</b>ips</p>").trim(), "fish & chips");
        assert_eq!(to_text("one<br>two<li>three"), "one two three");
        assert_eq!(to_text("a<video><source src='x'>No <b>video</b>.</video>b"), "a  b");
        assert_eq!(to_text("<a title=\"a > b\" href='x'>c</a>"), "c");
        assert_eq!(to_text("1 &lt; 2 &#60;&#x3c; &nbsp;&unknown; &"), "1 < 2 << \u{a0}&unknown; &");
        assert_eq!(
            to_text("&amp;lt; &é;"),
            "&lt; &é;",
            "decoded once, and only at char boundaries"
        );
        assert_eq!(to_text("a <b"), "a ", "a tag that never ends");
        assert_eq!(to_text(&escape("a < b & \"c\" > d")), "a < b & \"c\" > d");
    }

    #[test]
    fn two_references_to_surrogates_are_one_character() {
        for (text, joined) in [
            ("a &#55357;&#56832; b", "a 😀 b"),
            ("&#xD83D;&#xDE00;&#Xd83d;&#xde01;", "😀😁"),
            ("&#55357;&#xDE00;", "😀"),
            ("é&#55357;&#55357;&#56832;", "é&#55357;😀"),
        ] {
            assert_eq!(join_surrogates(text), joined, "{text}");
        }
        for text in [
            "plain & simple",
            "&#8217;&#56832;",
            "&#55357;",
            "&#55357; &#56832;",
            "&#56832;&#55357;",
            "&#55357;&#8217;",
            "&#55357;&#56832",
            "&#+55357;&#56832;",
            "&#;&#x;&#é;",
        ] {
            assert!(matches!(join_surrogates(text), Cow::Borrowed(_)), "{text}");
        }
    }

    fn tag(attributes: usize) -> String {
        let attributes: String = (0..attributes).map(|n| format!(" a{n} = 'b>'/c{n}=d")).collect();
        format!("<p{attributes}>x")
    }

    #[test]
    fn only_a_tag_with_too_many_attributes_becomes_text() {
        let (fits, too_many) =
            (tag(HTML5EVER_MAX_ATTRIBUTES / 2), tag(HTML5EVER_MAX_ATTRIBUTES / 2 + 1));
        assert_eq!(limit_attributes(&fits), fits);
        assert_eq!(limit_attributes(&too_many), too_many.replacen('<', "&lt;", 1));
        let both = format!("{fits}<!-- <b x='{too_many}</p>é");
        assert_eq!(
            limit_attributes(&both),
            format!("{fits}<!-- <b x='&lt;{}</p>é", &too_many[1..])
        );
        for html in ["", "<", "</", "<p", "<p a=", "<p a='", "a < b", "<p a b c>", "< p", "<p =>"] {
            assert!(matches!(limit_attributes(html), Cow::Borrowed(_)), "{html}");
        }
    }

    #[test]
    fn a_tag_with_30_attributes_is_kept() {
        assert!(matches!(limit_attributes(&tag(30)), Cow::Borrowed(_)));
        assert!(matches!(limit_attributes(&tag(500)), Cow::Owned(_)));
    }

    #[test]
    fn a_long_value_is_one_attribute() {
        let html =
            format!("<img src='data:image/png;base64,{}' alt='a b c'>", "A b/c ".repeat(9_999));
        assert!(matches!(limit_attributes(&html), Cow::Borrowed(_)));
    }

    #[test]
    fn html_that_would_exceed_the_cost_limit_is_cut() {
        let html = format!("<p>kept{}", "<a/x=".repeat(20_000));
        let limited = limit_attributes(&html);
        assert!(limited.starts_with("<p>kept") && limited.len() < html.len() / 2);
    }
}
