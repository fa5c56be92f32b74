//! The HTML that a publisher means: without an escaped CDATA section, unescaped once more if all of it is escaped
//! twice, with the tags that it only mentions as text (`mentions`), and with paragraphs if it is plain text. Also the character
//! references of HTML.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

use super::mentions::{Place, with_mentions};
use super::plain_text::is_block;
use super::tokens::{self, Sink, Tag};
use crate::text::html::join_surrogates;

/// The HTML of a content or a summary as it is meant.
pub(super) fn meant(html: &str) -> Cow<'_, str> {
    let html = without_cdata(html);
    if let Some(unescaped) = escaped_twice(html) {
        return Cow::Owned(unescaped);
    }
    let read = with_mentions(html, Place::Text);
    if has_markup(&read) {
        return read;
    }
    paragraphs(&read).map_or(read, Cow::Owned)
}

/// The HTML of a title as it is meant.
pub(super) fn meant_title(html: &str) -> Cow<'_, str> {
    with_mentions(html, Place::Title)
}

/// The content of an escaped CDATA section; some publishers escape the delimiters too.
pub(super) fn without_cdata(html: &str) -> &str {
    let trimmed = html.trim();
    let inside = trimmed.strip_prefix("<![CDATA[").and_then(|html| html.strip_suffix("]]>"));
    inside.unwrap_or(html)
}

/// Maximum number of times that the content of a `<noscript>` is unescaped.
const MAX_ESCAPED: usize = 2;

/// The HTML with the tags that some publishers escape in a `<noscript>`, because it was text to the parser that they used.
pub(super) fn without_escaped_noscript(html: &str) -> Cow<'_, str> {
    let (mut unescaped, mut done) = (String::new(), 0);
    let bytes = html.as_bytes();
    for at in memchr::memchr_iter(b'<', bytes) {
        let is_noscript = bytes[at + 1..]
            .first_chunk::<8>()
            .is_some_and(|name| name.eq_ignore_ascii_case(b"noscript"));
        if !is_noscript || at < done {
            continue;
        }
        let Some(length) = memchr::memchr(b'>', &bytes[at..]) else { break };
        let begins = at + length + 1;
        // It has no tags before its end.
        let Some(length) = memchr::memchr(b'<', &bytes[begins..]) else { break };
        let inside = &html[begins..begins + length];
        if let Some(tags) = escaped_tags(inside) {
            unescaped.push_str(&html[done..begins]);
            unescaped.push_str(&tags);
            done = begins + length;
        }
    }
    if done == 0 {
        return Cow::Borrowed(html);
    }
    unescaped.push_str(&html[done..]);
    Cow::Owned(unescaped)
}

/// The markup of a text that is nothing but escaped markup.
fn escaped_tags(text: &str) -> Option<String> {
    let mut read = Cow::Borrowed(text.trim());
    if !read.starts_with('&') {
        return None;
    }
    for _ in 0..MAX_ESCAPED {
        let next = references(&read).into_owned();
        if has_markup(&next) {
            return (next.starts_with('<') && next.ends_with('>')).then_some(next);
        }
        read = Cow::Owned(next);
    }
    None
}

/// Whether a `<` begins a tag, a comment or the like (HTML 13.2.5.6).
fn has_markup(html: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || b"/!?".contains(byte);
    memchr::memchr_iter(b'<', html.as_bytes())
        .any(|at| html.as_bytes().get(at + 1).is_some_and(begins))
}

/// The markup in HTML that shows nothing but markup. What a plug-in adds to it, such as the picture that counts readers,
/// is escaped once.
fn escaped_twice(html: &str) -> Option<String> {
    let html = html.trim();
    if !html.starts_with('&') {
        return None;
    }
    let (escaped, added) = html.split_at(html.find('<').unwrap_or(html.len()));
    let unescaped = references(escaped.trim_end());
    let whole = unescaped.starts_with('<') && unescaped.ends_with('>');
    let is_whole = || tokens::read(&unescaped, Outline::default).is_whole();
    let has_text = || tokens::read(added, Outline::default).has_text;
    (whole && is_whole() && !has_text()).then(|| unescaped.into_owned() + added)
}

/// Elements in code that is shown, but not in the text of an item.
const OF_CODE: &[&str] = &["base", "body", "head", "html", "link", "meta", "script", "style"];

/// The outline of a fragment: whether blocks begin and end it, and all are closed.
#[derive(Default)]
struct Outline {
    /// Names of the open blocks.
    open: Vec<String>,
    /// Whether the first token is the start of a block.
    begins: Option<bool>,
    /// Whether the last token is the end of an outermost block.
    ends: bool,
    /// Whether a tag is of code, or an end tag does not match.
    is_broken: bool,
    has_text: bool,
    /// Whether there is a picture or the like.
    has_media: bool,
}

impl Outline {
    fn is_whole(&self) -> bool {
        self.begins == Some(true)
            && self.ends
            && !self.is_broken
            && (self.has_text || self.has_media)
    }
}

impl Sink for Outline {
    fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.begins.get_or_insert(false);
            self.ends = false;
            self.has_text = true;
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let name = &*tag.name;
        let is_open = is_block(name) && name != "hr";
        self.begins.get_or_insert(is_open && !tag.end);
        self.ends = false;
        self.is_broken |= OF_CODE.contains(&name);
        self.has_media |= matches!(name, "img" | "iframe" | "video" | "audio");
        if is_open && tag.end {
            self.is_broken |= self.open.pop().as_deref() != Some(name);
            self.ends = self.open.is_empty();
        } else if is_open {
            self.open.push(name.to_owned());
        }
        true
    }
}

/// The paragraphs of plain text that empty lines separate; `None` if there is only one. Single line breaks stay white
/// space, because many publishers wrap lines.
fn paragraphs(plain: &str) -> Option<String> {
    let (mut html, mut number, mut is_open) = (String::new(), 0, false);
    for line in plain.trim().lines() {
        if line.trim().is_empty() {
            html.push_str(if is_open { "</p>" } else { "" });
            is_open = false;
            continue;
        }
        number += usize::from(!is_open);
        html.push_str(if is_open { "\n" } else { "<p>" });
        is_open = true;
        html.push_str(line.trim_end());
    }
    html.push_str("</p>");
    (number > 1).then_some(html)
}

/// Length of the longest name: `&CounterClockwiseContourIntegral;`.
const MAX_REFERENCE: usize = 33;

/// Where a reference is. Attributes keep references without semicolon.
#[derive(Clone, Copy)]
pub(super) enum Position {
    Text,
    Attribute,
}

/// What follows an `&`.
pub(super) enum Reference {
    /// The `&` is a plain character.
    None,
    /// A reference with its length in bytes.
    Characters { first: char, second: Option<char>, length: usize },
    /// A reference without semicolon, an invalid one, or an ambiguous one.
    Unusual,
}

/// The reference at the start of `text`, HTML 13.2.5.72 to 84.
pub(super) fn reference(text: &str, position: Position) -> Reference {
    if text.as_bytes().get(1) == Some(&b'#') {
        return complete(text).map_or(Reference::Unusual, |(length, [first, second])| {
            first.map_or(Reference::Unusual, |first| Reference::Characters {
                first,
                second,
                length,
            })
        });
    }
    let name = text.as_bytes()[1..].iter().take(MAX_REFERENCE);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let behind = text.as_bytes().get(1 + length);
    if length == 0 {
        return Reference::None;
    }
    if behind == Some(&b';')
        && let Some((length, [Some(first), second])) = complete(text)
    {
        return Reference::Characters { first, second, length };
    }
    let known = |end: usize| NAMED_ENTITIES.get(&text[1..=end]).is_some_and(|found| found.0 != 0);
    // URLs in attributes contain `?a=1&b=2`.
    let ambiguous = match position {
        Position::Attribute => behind != Some(&b'=') && known(length),
        Position::Text => (1..=length).any(known),
    };
    if length == MAX_REFERENCE || ambiguous { Reference::Unusual } else { Reference::None }
}

/// Resolves character references that double escaping left in plain text.
///
/// Many publishers write `AT&amp;amp;T` or `&#8217;` in titles of type `text`. Only complete and known
/// references are resolved, once. A text with a raw `<` is really plain text and stays unchanged.
pub(super) fn references(text: &str) -> Cow<'_, str> {
    if !text.contains('&') || text.contains('<') {
        return Cow::Borrowed(text);
    }
    let mut read = String::with_capacity(text.len());
    let joined = join_surrogates(text);
    let mut rest = &*joined;
    while let Some(at) = rest.find('&') {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        match complete(rest) {
            Some((length, [first, second])) => {
                read.extend(first);
                read.extend(second);
                rest = &rest[length..];
            }
            None => {
                read.push('&');
                rest = &rest[1..];
            }
        }
    }
    read.push_str(rest);
    Cow::Owned(read)
}

/// The complete reference at the start of `text`: its length in bytes, and one or two characters.
fn complete(text: &str) -> Option<(usize, [Option<char>; 2])> {
    let end = text.bytes().take(MAX_REFERENCE).position(|byte| byte == b';')?;
    let name = text.get(1..=end)?;
    let characters = if let Some(number) =
        name.strip_prefix('#').and_then(|number| number.strip_suffix(';'))
    {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
            None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse(),
            _ => return None,
        };
        [Some(numbered(code.ok()?)?), None]
    } else {
        let &(first, second) = NAMED_ENTITIES.get(name)?;
        let character = |code| char::from_u32(code).filter(|c| *c != '\0');
        [Some(character(first)?), character(second)]
    };
    Some((end + 1, characters))
}

/// The character of a numeric reference. Numbers of C1 controls are Windows-1252, HTML 13.2.5.80.
fn numbered(code: u32) -> Option<char> {
    let c1 = usize::try_from(code).ok()?.checked_sub(0x80).and_then(|at| C1_REPLACEMENTS.get(at));
    c1.copied().flatten().or_else(|| char::from_u32(code)).filter(|c| *c != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_that_is_escaped_twice_is_unescaped() {
        for (html, expected) in [
            ("&lt;p&gt;text&lt;/p&gt;", "<p>text</p>"),
            (" &#60;p&#x3E;a &amp;amp; b&lt;/p&gt;\n", "<p>a &amp; b</p>"),
            (
                "&lt;div class=&quot;x&quot;&gt;&lt;p&gt;a&lt;br&gt;b&lt;/p&gt;&lt;/div&gt;",
                "<div class=\"x\"><p>a<br>b</p></div>",
            ),
            (
                "&lt;h2&gt;a&lt;/h2&gt; b &lt;ul&gt;&lt;li&gt;c&lt;/li&gt;&lt;/ul&gt;",
                "<h2>a</h2> b <ul><li>c</li></ul>",
            ),
            ("&lt;figure&gt;&lt;img src=a&gt;&lt;/figure&gt;", "<figure><img src=a></figure>"),
            ("<![CDATA[&lt;p&gt;a&lt;/p&gt;]]>", "<p>a</p>"),
            (
                "&lt;p&gt;a&lt;/p&gt;\n<img src='https://e.org/1.gif'>",
                "<p>a</p><img src='https://e.org/1.gif'>",
            ),
            (
                "&lt;p&gt;a&lt;/p&gt;<br clear=all><a href=b><img src=c></a>",
                "<p>a</p><br clear=all><a href=b><img src=c></a>",
            ),
        ] {
            assert_eq!(meant(html), expected, "{html}");
        }
    }

    #[test]
    fn text_about_code_stays_text() {
        for html in [
            "The &lt;p&gt; element",
            "&lt;p&gt; is an element",
            "&lt;p&gt;a&lt;/p&gt; is a paragraph",
            "How to close &lt;p&gt;a&lt;/p&gt;",
            "&lt;p&gt;a &lt;p&gt;b&lt;/p&gt;",
            "&lt;div&gt;a&lt;/p&gt;&lt;/div&gt;",
            "&lt;div&gt;&lt;/div&gt;",
            "&lt;b&gt;a&lt;/b&gt;",
            "&lt;div&gt;&lt;script&gt;x&lt;/script&gt;&lt;/div&gt;",
            "&lt;html&gt;&lt;p&gt;a&lt;/p&gt;&lt;/html&gt;",
            "<b>a</b> &lt;p&gt;b&lt;/p&gt;",
            "&lt;p&gt;a&lt;/p&gt; <p>is a paragraph</p>",
            "&lt;p&gt;a&lt;/p&gt; <b>is a paragraph</b>",
            "&lt;p&gt;a < b&lt;/p&gt;",
            "&lt;T&gt;",
            "&",
        ] {
            assert!(matches!(meant(html), Cow::Borrowed(_)), "{html}");
        }
    }

    #[test]
    fn plain_text_with_empty_lines_has_paragraphs() {
        for (text, expected) in [
            ("a\nb\n\nc &amp; d", "<p>a\nb</p><p>c &amp; d</p>"),
            ("a\r\n \t\r\nb < c\r\n\r\n\r\nd\n", "<p>a</p><p>b < c</p><p>d</p>"),
            ("\n\n a\n\n b ", "<p>a</p><p> b</p>"),
        ] {
            assert_eq!(meant(text), expected, "{text:?}");
        }
        for text in
            ["a\nb", "\n\na\n\n", "", "a<br>b\n\nc", "<p>a</p>\n\n<p>b</p>", "a\n\n<!-- x -->"]
        {
            assert!(matches!(meant(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn references_left_by_double_escaping_are_resolved_once() {
        for (written, read) in [
            ("AT&amp;T", "AT&T"),
            ("It&#8217;s &#x201c;ok&#x201D;", "It’s “ok”"),
            ("R&D & more; &unknown; &amp", "R&D & more; &unknown; &amp"),
            ("&amp;amp;", "&amp;"),
            ("a < b &amp; c", "a < b &amp; c"),
            ("&#146;&#0;&#xD800;&#99999999;", "’&#0;&#xD800;&#99999999;"),
            ("&;&#;&#x;&é;", "&;&#;&#x;&é;"),
            ("&NotEqualTilde;", "≂̸"),
            ("&#55357;&#56832; &#x2764;", "😀 ❤"),
        ] {
            assert_eq!(references(written), read);
        }
    }
}
