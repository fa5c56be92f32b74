//! The tokens of an HTML fragment: tags and text (HTML 13.2.5).
//!
//! Common HTML is read by a fast tokenizer on borrowed text. If it meets anything unusual, html5ever
//! reads the whole fragment instead. Both give the same tokens.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::tokenizer::{
    self, BufferQueue, CharacterTokens, TagToken, Token, TokenSinkResult, Tokenizer,
};

use super::escaping::{Position, Reference, reference};
use crate::text::html::{escape, join_surrogates, limit_attributes};

/// Maximum number of attributes of a tag for the fast tokenizer.
const MAX_ATTRIBUTES: usize = 100;

/// A tag. Names are in lower case, attributes unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) end: bool,
    pub(super) self_closing: bool,
    /// Names and decoded values.
    pub(super) attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A receiver of tokens.
pub(super) trait Sink {
    /// Receives a piece of text, split as html5ever does.
    fn text(&mut self, text: &str);

    /// Receives a tag. Returns whether its content may be read as text, see [`Tag::raw`].
    fn tag(&mut self, tag: &Tag<'_>) -> bool;
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Whether the content has no markup (HTML 13.2.6.4), as in `<script>`.
    pub(super) fn raw(&self) -> bool {
        !self.end && !self.self_closing && raw_kind(&self.name).is_some()
    }

    /// Appends the tag as HTML, so that it is read as the same tag.
    pub(super) fn write(&self, html: &mut String) {
        html.push_str(if self.end { "</" } else { "<" });
        html.push_str(&self.name);
        for (name, value) in self.attributes.iter().filter(|_| !self.end) {
            html.extend([" ", name, "=\"", &escape(value).replace('"', "&quot;"), "\""]);
        }
        html.push_str(if self.self_closing { " />" } else { ">" });
    }

    fn add(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        if self.attribute(&name).is_none() {
            self.attributes.push((name, value));
        }
    }
}

fn raw_kind(name: &str) -> Option<tokenizer::states::RawKind> {
    use tokenizer::states::{Rawtext, Rcdata, ScriptData};
    match name {
        "script" => Some(ScriptData),
        "title" | "textarea" => Some(Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(Rawtext),
        _ => None,
    }
}

/// Tokenizes a fragment in linear time.
pub(super) fn read<S: Sink>(html: &str, start: impl Fn() -> S) -> S {
    // The tokenizers make U+FFFD of each half.
    let html = join_surrogates(html);
    let mut sink = start();
    match fast(&html, &mut sink) {
        Some(()) => sink,
        None => with_html5ever(&html, start()),
    }
}

/// The fast tokenizer; `None` if the fragment has anything unusual.
pub(super) fn fast(html: &str, sink: &mut impl Sink) -> Option<()> {
    // html5ever changes CR and null.
    if memchr::memchr2(b'\r', b'\0', html.as_bytes()).is_some() {
        return None;
    }
    let mut rest = html;
    while let Some(first) = rest.bytes().next() {
        rest = match first {
            b'&' => text_reference(rest, sink)?,
            b'<' => markup(rest, sink)?,
            // html5ever makes a line break at the start of a text a separate piece.
            b'\n' => {
                sink.text("\n");
                &rest[1..]
            }
            _ => {
                let end = memchr::memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
                sink.text(&rest[..end]);
                &rest[end..]
            }
        };
    }
    Some(())
}

fn text_reference<'a>(rest: &'a str, sink: &mut impl Sink) -> Option<&'a str> {
    match reference(rest, Position::Text) {
        Reference::None => {
            sink.text("&");
            Some(&rest[1..])
        }
        Reference::Characters { first, second, length } => {
            let mut utf_8 = [0; 4];
            sink.text(first.encode_utf8(&mut utf_8));
            if let Some(second) = second {
                sink.text(second.encode_utf8(&mut utf_8));
            }
            Some(&rest[length..])
        }
        Reference::Unusual => None,
    }
}

/// Reads markup that begins with `<`.
fn markup<'a>(rest: &'a str, sink: &mut impl Sink) -> Option<&'a str> {
    match *rest.as_bytes().get(1)? {
        b'!' => comment(rest),
        b'/' if rest.as_bytes().get(2)?.is_ascii_alphabetic() => element(rest, true, sink),
        b'/' | b'?' => None,
        letter if letter.is_ascii_alphabetic() => element(rest, false, sink),
        _ => {
            sink.text("<");
            Some(&rest[1..])
        }
    }
}

fn comment(rest: &str) -> Option<&str> {
    let inside = rest.strip_prefix("<!--")?;
    let end = inside.find("-->")?;
    let (inside, rest) = (&inside[..end], &inside[end + 3..]);
    let odd = inside.starts_with(['>', '-']) || inside.contains("--!>") || has_tags(inside);
    (!odd).then_some(rest)
}

/// Whether a text contains anything like a tag, which `limit_attributes` would examine.
fn has_tags(text: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'/';
    memchr::memchr_iter(b'<', text.as_bytes())
        .any(|at| text.as_bytes().get(at + 1).is_some_and(begins))
}

fn element<'a>(rest: &'a str, end: bool, sink: &mut impl Sink) -> Option<&'a str> {
    let (tag, rest) = tag(rest, end)?;
    if !sink.tag(&tag) || !tag.raw() {
        return Some(rest);
    }
    // The content of `<xmp>` is shown.
    if tag.name == "xmp" {
        return None;
    }
    let end = raw_end(rest, &tag.name);
    let inside = &rest[..end];
    (!inside.contains("<!--") && !has_tags(inside)).then_some(&rest[end..])
}

/// Offset of the end tag of an element without markup, or the end of the text.
fn raw_end(text: &str, name: &str) -> usize {
    let ends = |at: &usize| {
        let rest = &text.as_bytes()[at + 1..];
        let is_it = |rest: &[u8]| rest.eq_ignore_ascii_case(name.as_bytes());
        rest.first() == Some(&b'/')
            && rest.get(1..=name.len()).is_some_and(is_it)
            && matches!(
                rest.get(name.len() + 1),
                Some(b' ' | b'\t' | b'\n' | b'\x0c' | b'/' | b'>')
            )
    };
    memchr::memchr_iter(b'<', text.as_bytes()).find(ends).unwrap_or(text.len())
}

/// A tag and the rest of the text, HTML 13.2.5.6 to 40.
fn tag(html: &str, end: bool) -> Option<(Tag<'_>, &str)> {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c');
    let html = &html[1 + usize::from(end)..];
    let bytes = html.as_bytes();
    let until = |from: usize, ends: &dyn Fn(&u8) -> bool| {
        let length = bytes.get(from..)?.iter().position(ends)?;
        Some(from + length)
    };
    let mut at = until(0, &|byte| space(byte) || matches!(byte, b'/' | b'>'))?;
    let name = lower(&html[..at]);
    let mut tag = Tag { name, end, self_closing: false, attributes: Vec::new() };
    for _ in 0..MAX_ATTRIBUTES {
        let before = at;
        at = until(at, &|byte| !space(byte) && *byte != b'/')?;
        if bytes[at] == b'>' {
            tag.self_closing = at > before && bytes[at - 1] == b'/';
            return Some((tag, &html[at + 1..]));
        }
        let begins = at;
        // An equals sign at this position begins a name.
        at = until(at + 1, &|byte| space(byte) || matches!(byte, b'/' | b'>' | b'='))?;
        let name = lower(&html[begins..at]);
        let equals = until(at, &|byte| !space(byte))?;
        if bytes[equals] != b'=' {
            tag.add(name, Cow::Borrowed(""));
            continue;
        }
        at = until(equals + 1, &|byte| !space(byte))?;
        let value = match bytes[at] {
            b'>' => return None,
            quote @ (b'"' | b'\'') => {
                let begins = at + 1;
                at = begins + memchr::memchr(quote, &bytes[begins..])? + 1;
                &html[begins..at - 1]
            }
            _ => {
                let begins = at;
                at = until(at, &|byte| space(byte) || *byte == b'>')?;
                &html[begins..at]
            }
        };
        tag.add(name, attribute_value(value)?);
    }
    None
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    Cow::Borrowed(name)
}

/// The value with references resolved; `None` if it is unusual.
fn attribute_value(written: &str) -> Option<Cow<'_, str>> {
    if written.contains('<') {
        return None;
    }
    let Some(mut at) = written.find('&') else { return Some(Cow::Borrowed(written)) };
    let (mut value, mut rest) = (String::with_capacity(written.len()), written);
    loop {
        value.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest, Position::Attribute) {
            Reference::None => {
                value.push('&');
                rest = &rest[1..];
            }
            Reference::Characters { first, second, length } => {
                value.push(first);
                value.extend(second);
                rest = &rest[length..];
            }
            Reference::Unusual => return None,
        }
        match rest.find('&') {
            Some(next) => at = next,
            None => break,
        }
    }
    value.push_str(rest);
    Some(Cow::Owned(value))
}

/// Tokenizes any fragment with html5ever.
pub(super) fn with_html5ever<S: Sink>(html: &str, sink: S) -> S {
    let input = BufferQueue::default();
    input.push_back(limit_attributes(html).as_ref().into());
    let tokenizer = Tokenizer::new(Html5everSink(RefCell::new(sink)), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// Adapter from html5ever to a [`Sink`].
struct Html5everSink<S>(RefCell<S>);

impl<S: Sink> tokenizer::TokenSink for Html5everSink<S> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut sink = self.0.borrow_mut();
        match token {
            CharacterTokens(text) => sink.text(&text),
            TagToken(tag) => {
                let attributes = tag.attrs.iter();
                let tag = Tag {
                    name: Cow::Borrowed(&*tag.name),
                    end: tag.kind == tokenizer::EndTag,
                    self_closing: tag.self_closing,
                    attributes: attributes
                        .map(|a| (Cow::Borrowed(&*a.name.local), Cow::Borrowed(&*a.value)))
                        .collect(),
                };
                if sink.tag(&tag)
                    && tag.raw()
                    && let Some(kind) = raw_kind(&tag.name)
                {
                    return TokenSinkResult::RawData(kind);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens as text. Content that is not shown is dropped; adjacent pieces are joined unless blank.
    #[derive(Default)]
    struct Record {
        tokens: Vec<String>,
        raw: bool,
    }

    impl Sink for Record {
        fn text(&mut self, text: &str) {
            let blank = |last: &&mut String| last.trim().is_empty() || last.starts_with("Tag ");
            match self.tokens.last_mut() {
                _ if self.raw => {}
                Some(last) if !blank(&last) => last.push_str(text),
                _ => self.tokens.push(text.to_owned()),
            }
        }

        fn tag(&mut self, tag: &Tag<'_>) -> bool {
            self.tokens.push(format!("{tag:?}"));
            self.raw = tag.raw() && tag.name != "xmp";
            true
        }
    }

    fn fast_tokens(html: &str) -> Option<Vec<String>> {
        let mut record = Record::default();
        fast(html, &mut record).map(|()| record.tokens)
    }

    #[test]
    fn common_html_is_read_by_the_fast_tokenizer() {
        for html in [
            "<p class=a>AT&amp;T &#8217; <b>x</b>\n\n<IMG SRC='a?b=1&c=2' alt=\"\"/><br />a & b < c",
            "<!-- more --><script async>if (a < b) {}</script><iframe src=x></iframe>&nbsp;",
        ] {
            assert_eq!(
                fast_tokens(html),
                Some(with_html5ever(html, Record::default()).tokens),
                "{html}"
            );
        }
        for html in
            ["<p", "<p a", "<!x>", "<?x>", "a\rb", "&copy 1", "<!-- <p> -->", "<xmp>a</xmp>"]
        {
            assert_eq!(fast_tokens(html), None, "{html}");
        }
    }

    fn html() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "<",
            "</",
            ">",
            "/>",
            "=",
            "'",
            "\"",
            " ",
            "\n",
            "\u{c}",
            "a",
            "B",
            "é",
            "\u{a0}",
            "&",
            ";",
            "#",
            "1",
            "x",
            "&amp;",
            "&#39;",
            "&#x80;",
            "&lt",
            "&not",
            "&NotEqualTilde;",
            "&b=",
            "p",
            "<p",
            "<p>",
            "<br/>",
            "</p>",
            "<a href=",
            "<img src='x' ",
            "<tr>",
            "<script>",
            "</script>",
            "<title>",
            "</title ",
            "<style/>",
            "<!--",
            "-->",
            "--!>",
            "-",
            "!",
            "?",
            "<pre>",
            "<td a=b c='d' E>",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn both_tokenizers_give_the_same_tokens(html in html()) {
            if let Some(tokens) = fast_tokens(&html) {
                prop_assert_eq!(tokens, with_html5ever(&html, Record::default()).tokens);
            }
        }
    }
}
