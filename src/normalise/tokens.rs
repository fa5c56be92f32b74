//! The tokens of an HTML fragment: tags and text, in their order. HTML 13.2.5.
//!
//! What the web is full of is read here, on borrowed text. At the first thing that is unusual the
//! fragment is read from its start by html5ever, which knows all of it: both give the same tokens.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::tokenizer::{
    self, BufferQueue, CharacterTokens, TagToken, Token, TokenSinkResult, Tokenizer,
};

use super::crowd::thinned;
use super::reference::{Place, Reference, reference};

/// More attributes are for html5ever, whose cost for them `thinned` bounds.
const MAX_ATTRIBUTES: usize = 100;

/// A tag; names are in lower case, each attribute once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) end: bool,
    pub(super) self_closing: bool,
    /// Names and values.
    pub(super) attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What takes the tokens.
pub(super) trait Sink {
    /// A piece of text; pieces are as html5ever cuts them.
    fn text(&mut self, text: &str);

    /// A tag. True where its content is to be read as text, see [`Tag::raw`].
    fn tag(&mut self, tag: &Tag<'_>) -> bool;
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Whether its content holds no markup, HTML 13.2.6.4; that of an empty one holds nothing.
    pub(super) fn raw(&self) -> bool {
        !self.end && !self.self_closing && raw_kind(&self.name).is_some()
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

/// Reads a fragment, in linear time.
pub(super) fn read<S: Sink>(html: &str, start: impl Fn() -> S) -> S {
    let mut sink = start();
    match usual(html, &mut sink) {
        Some(()) => sink,
        None => whole(html, start()),
    }
}

/// Reads a fragment of which everything is usual; `None` as soon as something is not.
pub(super) fn usual(html: &str, sink: &mut impl Sink) -> Option<()> {
    // Line ends and nulls are changed on the way.
    if memchr::memchr2(b'\r', b'\0', html.as_bytes()).is_some() {
        return None;
    }
    let mut rest = html;
    while let Some(first) = rest.bytes().next() {
        rest = match first {
            b'&' => text_reference(rest, sink)?,
            b'<' => markup(rest, sink)?,
            // A line break that begins a piece is a piece.
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
    match reference(rest, Place::Text) {
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

/// Reads what begins with `<`.
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

/// What `thinned` would look at.
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
    // Only what is not shown is skipped here.
    if tag.name == "xmp" {
        return None;
    }
    let end = raw_end(rest, &tag.name);
    let inside = &rest[..end];
    (!inside.contains("<!--") && !has_tags(inside)).then_some(&rest[end..])
}

/// Where the end tag of an element is that holds no markup; the end of the text where there is none.
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

/// A tag and what follows it. HTML 13.2.5.6 to 40.
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
        // An equals sign here begins a name.
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

/// The value without references; `None` where it is unusual.
fn attribute_value(written: &str) -> Option<Cow<'_, str>> {
    if written.contains('<') {
        return None;
    }
    let Some(mut at) = written.find('&') else { return Some(Cow::Borrowed(written)) };
    let (mut value, mut rest) = (String::with_capacity(written.len()), written);
    loop {
        value.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest, Place::Attribute) {
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

/// Reads a fragment whatever is in it.
pub(super) fn whole<S: Sink>(html: &str, sink: S) -> S {
    let input = BufferQueue::default();
    input.push_back(thinned(html).as_ref().into());
    let tokenizer = Tokenizer::new(Theirs(RefCell::new(sink)), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// Our sink behind html5ever's tokenizer.
struct Theirs<S>(RefCell<S>);

impl<S: Sink> tokenizer::TokenSink for Theirs<S> {
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
