//! Whether a tag in HTML is markup, or the publisher wrote about code and forgot to escape it: `Vec<T>`, `How <script>
//! works`.
//!
//! In a text without other markup, all tags may be mentions. In one with markup, a tag is one only if it would hide what
//! follows, because the end tag that it needs is missing or is that of a later element of its name. Linear: what is examined
//! of a tag reaches to the tags beside it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::allowlist;
use super::plain_text::{is_block, is_hidden};
use crate::text::shown::breaks_no_words;

/// Where the HTML is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A line without paragraphs.
    Title,
    Text,
}

/// HTML with the tags that it only mentions as text.
pub(super) fn with_mentions(html: &str, place: Place) -> Cow<'_, str> {
    let mut found = Found::default();
    for at in memchr::memchr_iter(b'<', html.as_bytes()) {
        found.take(html, at, place);
    }
    found.with_text(html)
}

/// The tags of a fragment.
#[derive(Default)]
struct Found<'h> {
    /// Whether there is an end tag, a comment or a tag that is no mention.
    has_markup: bool,
    has_mention: bool,
    /// Whether a `<` is before no name: a comparison.
    compares: bool,
    /// By name, the start tags without an end tag of elements that would hide what follows: where they begin, and
    /// whether they are mentions.
    open: HashMap<Cow<'h, str>, Vec<(usize, bool)>>,
}

impl<'h> Found<'h> {
    /// Takes account of the `<` at this position.
    fn take(&mut self, html: &'h str, at: usize, place: Place) {
        let rest = &html[at + 1..];
        let name = lower(name(rest.strip_prefix('/').unwrap_or(rest)));
        match rest.bytes().next() {
            Some(b'/') => {
                self.has_markup = true;
                if let Some(open) = self.open.get_mut(&name) {
                    let _ = open.pop();
                }
            }
            Some(b'!' | b'?') => self.has_markup = true,
            Some(first) if first.is_ascii_alphabetic() => {
                // Most texts are markup.
                let needs_end = hides(&name) || name == "xmp";
                if self.has_markup && !needs_end {
                    return;
                }
                let tag = Start::new(html, at);
                let is_mention = self.is_mention(&name, &tag, place);
                self.has_mention |= is_mention;
                self.has_markup |= !is_mention;
                if needs_end && !tag.closes_itself() {
                    let is_code = is_code(&name) && tag.begins_line();
                    self.open.entry(name).or_default().push((at, is_mention && !is_code));
                }
            }
            _ => self.compares = true,
        }
    }

    /// Whether a start tag without an end tag is a mention.
    fn is_mention(&self, name: &str, tag: &Start<'_>, place: Place) -> bool {
        // `<https://x.example/?id=5>`
        if name.contains('@') || name.ends_with(':') && tag.attributes.starts_with("//") {
            return true;
        }
        let has_values = tag.attributes.contains('=');
        let Some(behind) = tag.behind else {
            // A text that was cut ends in a name or a value; a comparison goes on with words.
            let words = tag.attributes.split_ascii_whitespace().count();
            let is_comparison = if tag.is_last { self.compares } else { !is_element(name) };
            return !has_values && (is_comparison || words > 1 || words == 1 && !is_element(name));
        };
        if !is_element(name) {
            return !has_values;
        }
        if place == Place::Title {
            let is_shown = matches!(name, "br" | "wbr" | "img");
            return !is_shown && !has_values && tag.ends_word(behind);
        }
        match name {
            // They need no end tag.
            "br" | "dd" | "dt" | "hr" | "li" | "p" | "wbr" => false,
            // An address is hardly written in a text about tags.
            _ if has_values => {
                let may_be = !is_shown(name) && !tag.has_path() && !tag.closes_itself();
                may_be && tag.is_in_prose(behind)
            }
            _ if hides(name) => tag.ends_word(behind) && tag.is_before_prose(name, behind),
            _ if is_shown(name) => tag.is_in_prose(behind),
            _ => tag.ends_word(behind),
        }
    }

    /// The HTML with its mentions as text.
    fn with_text(self, html: &str) -> Cow<'_, str> {
        if !self.has_markup {
            return if self.has_mention { html.replace('<', "&lt;").into() } else { html.into() };
        }
        let open = self.open.into_values().flatten().filter(|(_, is_mention)| *is_mention);
        let mut mentions: Vec<usize> = open.map(|(at, _)| at).collect();
        mentions.sort_unstable();
        let (mut read, mut done) = (String::new(), 0);
        for at in mentions {
            read.extend([&html[done..at], "&lt;"]);
            done = at + 1;
        }
        if done == 0 {
            return Cow::Borrowed(html);
        }
        read.push_str(&html[done..]);
        Cow::Owned(read)
    }
}

/// What is around the name of a start tag.
struct Start<'h> {
    before: &'h str,
    /// The name as it is written.
    name: &'h str,
    attributes: &'h str,
    /// The text to the next tag; `None` if no `>` ends this one.
    behind: Option<&'h str>,
    /// Whether the HTML ends with it.
    is_last: bool,
    /// Whether the next tag is a start tag that is no line break.
    is_before_start: bool,
}

impl<'h> Start<'h> {
    fn new(html: &'h str, at: usize) -> Self {
        let (before, rest) = (&html[..at], &html[at + 1..]);
        let (piece, next) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        let (tag, behind) = piece.split_once('>').map_or((piece, None), |(tag, b)| (tag, Some(b)));
        let name = name(tag);
        let next_tag = &next[next.len().min(1)..];
        let is_before_start = next_tag.starts_with(|c: char| c.is_alphabetic())
            && !lower(self::name(next_tag)).eq("br");
        let attributes = &tag[name.len()..];
        let is_last = next.is_empty() && behind.is_none() && attributes.is_empty();
        Self { before, name, attributes, behind, is_last, is_before_start }
    }

    /// Whether a value may be an address.
    fn has_path(&self) -> bool {
        self.attributes.trim_end_matches('/').contains('/')
    }

    fn closes_itself(&self) -> bool {
        self.behind.is_some() && self.attributes.ends_with('/')
    }

    /// Whether nothing is before it on a line that is not the first: there, a script or style sheet is written.
    fn begins_line(&self) -> bool {
        let before = self.before.trim_end_matches([' ', '\t', '\u{a0}']);
        if before.ends_with(['\n', '\r']) {
            return true;
        }
        let tag = before.rfind('<').filter(|_| before.ends_with('>')).map(|at| &before[at + 1..]);
        tag.and_then(|tag| tag.strip_prefix('/')).is_some_and(|tag| {
            let name = lower(name(tag));
            is_block(&name) || hides(&name)
        })
    }

    /// Whether no word follows directly. There are no spaces between words of Chinese and Japanese.
    fn ends_word(&self, behind: &str) -> bool {
        let joins = |next: char| self.before.ends_with(|last| breaks_no_words(last, next));
        behind.chars().next().is_none_or(|next| !next.is_alphanumeric() || joins(next))
    }

    /// Whether the tag is a word of a sentence: something is before and behind it on its line.
    fn is_in_prose(&self, behind: &str) -> bool {
        let before = self.before.trim_end_matches([' ', '\u{a0}']);
        let (is_apart, last) = (before.len() < self.before.len(), before.chars().next_back());
        let is_sign = last.is_some_and(|last| ",;([\"'“„«‘‚`/".contains(last));
        let is_word = last.is_some_and(char::is_alphanumeric);
        // `List<Object>`.
        let is_type = || {
            let mut letters = self.name.chars();
            letters.next().is_some_and(char::is_uppercase) && letters.any(char::is_lowercase)
        };
        let is_joined = || last.is_some_and(|last| breaks_no_words(last, last));
        (is_sign || is_word && (is_apart || is_type() || is_joined()))
            && self.ends_word(behind)
            && !behind.starts_with(['\n', '\r'])
            && !behind.trim().is_empty()
    }

    /// Whether a text follows that is no content of the element, such as a script.
    fn is_before_prose(&self, name: &str, behind: &str) -> bool {
        let signs = ["{", "}", " = ", ");", "('", "(\""];
        let is_code = is_code(name) && signs.iter().any(|sign| behind.contains(sign));
        let is_last = behind.trim().is_empty() && self.is_before_start;
        (!is_code || self.is_in_prose(behind)) && !is_last
    }
}

/// The name at the beginning of a text.
fn name(text: &str) -> &str {
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '<' | '>');
    &text[..text.find(ends).unwrap_or(text.len())]
}

fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// Whether the text behind the start tag of an element may not be shown without its end tag.
fn hides(name: &str) -> bool {
    is_hidden(name) || matches!(name, "audio" | "dialog" | "template" | "video")
}

/// Whether the content of an element is for programs.
fn is_code(name: &str) -> bool {
    matches!(name, "script" | "style")
}

/// Elements that are not allowed in HTML, but whose content is shown, or which show something themselves.
#[rustfmt::skip]
const SHOWN: &[&str] = &[
    "applet", "big", "blink", "body", "button", "embed", "fieldset", "font", "form", "frame", "frameset", "head",
    "html", "input", "label", "legend", "marquee", "nobr", "object", "optgroup", "option", "rb", "rtc",
];

/// Elements that are neither allowed, hidden nor shown.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "area", "base", "basefont", "bgsound", "canvas", "data", "dialog", "link", "map", "math", "meta", "meter",
    "noscript", "output", "param", "plaintext", "portal", "progress", "search", "slot", "spacer", "template",
];

fn is_shown(name: &str) -> bool {
    allowlist::element(name).is_some() || is_block(name) || SHOWN.contains(&name)
}

/// Whether HTML has an element of this name.
fn is_element(name: &str) -> bool {
    is_shown(name) || is_hidden(name) || OTHERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::escaping::{meant, meant_title};
    use super::*;

    #[test]
    fn tags_that_a_text_only_mentions_are_text() {
        for (html, text) in [
            ("How <script> works, and why.", "How &lt;script> works, and why."),
            ("<select> boxes, <svg> icons", "&lt;select> boxes, &lt;svg> icons"),
            (
                "Option<T> by Bob <bob@x.example>, <https://x.example>",
                "Option&lt;T> by Bob &lt;bob@x.example>, &lt;https://x.example>",
            ),
            (
                "See <https://x.example/?id=5> and Vec<T>",
                "See &lt;https://x.example/?id=5> and Vec&lt;T>",
            ),
            ("if x <y then &amp; a < b", "if x &lt;y then &amp; a &lt; b"),
            ("Fix Vec<T>\n\nand Map<K, V>", "<p>Fix Vec&lt;T></p><p>and Map&lt;K, V></p>"),
        ] {
            assert_eq!(meant(html), text, "{html}");
        }
    }

    #[test]
    fn every_element_may_be_mentioned() {
        for html in [
            "The <dialog> element is in all browsers. How to use it.",
            "Fix focus in <dialog> and <details>. 14 other bugs are mended.",
            "Use <template>: hidden until cloned. Important text here.",
            "The <title> element; the <style> element; the <table> element.",
            "Changed <meta charset=\"utf-8\"> in the head; rest of the text",
            "New element <video controls> with a lot of prose behind it.",
            "commit: replace <b> with <strong> in all templates",
            "Template <head> and <body> tags",
            "Stop using <object> and <embed>. Text follows.",
            "<noscript> fallback text. More here.",
            "<math> in browsers. Text follows.",
            "The \"<td>\" cell and a <Button>, or List<Object> x = y",
            "使用<template>元素和<b>标签",
            "int <= 5 && a <b",
            "if a <b and c, then",
        ] {
            assert_eq!(meant(html), html.replace('<', "&lt;"), "{html}");
        }
    }

    #[test]
    fn a_mention_beside_markup_hides_no_text() {
        for (html, text) in [
            ("<p>The <title> element.</p><p>More</p>", "<p>The &lt;title> element.</p><p>More</p>"),
            (
                "<b>New:</b> the <dialog> element. How to use it.",
                "<b>New:</b> the &lt;dialog> element. How to use it.",
            ),
            (
                "<code><title></code> is long<script>x()</script>",
                "<code>&lt;title></code> is long<script>x()</script>",
            ),
            ("a<br>the <template> tag", "a<br>the &lt;template> tag"),
            ("<style>p { }</style>the <style> tag", "<style>p { }</style>the &lt;style> tag"),
            (
                "<p>How the <script> element works.</p><p>b</p><script src='https://t.test/x.js'></script>",
                "<p>How the &lt;script> element works.</p><p>b</p><script src='https://t.test/x.js'></script>",
            ),
            (
                "<p>The <title> element.</p><svg><title>x</title></svg>",
                "<p>The &lt;title> element.</p><svg><title>x</title></svg>",
            ),
            (
                "<p>The <script> tag (\"inline\"); x = 1 in <style> {braces}.</p><p>b</p>",
                "<p>The &lt;script> tag (\"inline\"); x = 1 in &lt;style> {braces}.</p><p>b</p>",
            ),
            ("<p>Use <template><br>for it</p>", "<p>Use &lt;template><br>for it</p>"),
            ("<p>The <code><script></code> tag</p>", "<p>The <code>&lt;script></code> tag</p>"),
            ("<p>The <xmp> element. <b>b</b></p>", "<p>The &lt;xmp> element. <b>b</b></p>"),
        ] {
            assert_eq!(meant(html), text, "{html}");
        }
        for html in [
            "<p>a</p><template> <p>b</p> </template>",
            "<p>a</p><title> b </title>",
            "<p>a</p><script> f('b');",
            "<p>a</p><style> p { color: red",
            "<p>a</p><select><option>b",
            "<p>a</p><svg> <path d='M0'/>",
            "<p>a</p><iframe src='https://e.org/v'> ",
            "<p>a</p><dialog>Cookies",
            "<p>a</p><script> window.foo=window.foo||[]",
            "<p>a</p><script>\nif (a<b) f(1)",
            "<p>a</p>\n<style> .a, .b",
            "<p>Click <svg class=\"icon\"/> here.</p>",
            "<p>New <svg/> icon</p>",
            "<p>a</p><xmp>b</xmp>",
        ] {
            assert!(matches!(meant(html), Cow::Borrowed(_)), "{html}");
        }
    }

    #[test]
    fn a_long_text_of_mentions_is_read_in_linear_time() {
        // With a search to the end for each tag this test would not end.
        for tag in ["<script> tags ", "<template> ", "a <b ", "<title></b>", "</title><title> "] {
            let long = tag.repeat(300_000);
            assert!(!meant(&long).is_empty());
            assert!(!meant(&(long + "{")).is_empty());
        }
    }

    #[test]
    fn html_of_any_age_stays_as_it_is() {
        for html in [
            "one<p>two<p>three",
            "one<br>two <T>",
            "A <b>text that is cut",
            "<i>Hamlet <u>reviewed",
            "<T> <a href='https://a.test/'>x",
            "<x-y data-a=b> z",
            "<o:p></o:p> a <T>",
            "a <T> <!-- b -->",
            "<style> p { color: red }",
            "<script>alert(1)",
            "<style>p",
            "a <hr> b",
            "a <ima",
            "a <img src=\"https://a.test/x",
            "a <a hre",
            "Text. <div> More text that is cut",
            "Text\n<div>\nMore text",
            "<div class=a> <div> Text that is cut",
            "<html> <body> Text",
            "<font size=2> Text <font color=red> more",
            "<form> <label> Text",
            "Text <video src='a.mp4'> more",
            "Text <iframe src='https://a.test/v'> more",
            "Text <img src=a> more",
            "Text <input type=checkbox> more",
            "1 < 2",
        ] {
            assert!(matches!(meant(html), Cow::Borrowed(_)), "{html}");
        }
    }

    #[test]
    fn a_title_with_a_reference_keeps_the_tags_that_it_mentions() {
        for (title, text) in [
            ("Vec<T> &amp; x", "Vec&lt;T> &amp; x"),
            ("The <details> element &amp; more", "The &lt;details> element &amp; more"),
            ("Why <b> matters &amp; how", "Why &lt;b> matters &amp; how"),
            ("<i>New</i>: the <title> element", "<i>New</i>: the &lt;title> element"),
        ] {
            assert_eq!(meant_title(title), text);
        }
        for title in [
            "<i>Hamlet</i> &amp; <T>",
            "<i>Hamlet &amp; others",
            "a<br>b &amp; c",
            "a &amp; <img src=b>",
            "a<p>b &amp; c",
            "a &amp; <!-- b -->",
        ] {
            assert!(matches!(meant_title(title), Cow::Borrowed(_)), "{title}");
        }
    }
}
