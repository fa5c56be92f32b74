//! HTML to the text a reader would see: for titles, summaries, comparisons and filters.
//!
//! Reads tokens, not a tree: what is never shown is skipped, what is a block is a line. Nothing that
//! comes out of here is HTML; whoever puts it into HTML escapes it.

use std::cell::RefCell;

use html5ever::LocalName;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, EndTag, StartTag, Tag, TagToken, Token, TokenSink,
    TokenSinkResult, Tokenizer, states::RawKind,
};

use super::crowd::thinned;
use super::text;

/// How much of one HTML field is read, in bytes; the tree builder takes quadratic time on hostile input.
pub(super) const MAX_HTML: usize = 256 * 1024;

/// The text of an HTML fragment, blocks parted by line breaks; the `alt` texts where there is nothing else.
///
/// Character references are read once. Reads the first 256 KiB.
#[must_use]
pub fn text_of_html(html: &str) -> String {
    let html = head(html);
    if !html.contains(['<', '&']) {
        return text::one_line(html);
    }
    let Reading { text, alt, .. } = tokens(html, Reader::default()).0.into_inner();
    let text = text.trim();
    if text::is_blank(text) { text::one_line(&alt) } else { text.to_owned() }
}

/// As much of the HTML as is read, cut between two characters.
pub(super) fn head(html: &str) -> &str {
    if html.len() <= MAX_HTML {
        return html;
    }
    let end = (0..=MAX_HTML).rev().find(|at| html.is_char_boundary(*at)).unwrap_or(0);
    &html[..end]
}

/// Feeds the HTML to a sink, token by token; takes linear time.
pub(super) fn tokens<S: TokenSink<Handle = ()>>(html: &str, sink: S) -> S {
    let input = BufferQueue::default();
    input.push_back(thinned(html).as_ref().into());
    let tokenizer = Tokenizer::new(sink, Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink
}

/// How the content of an element is read that holds no markup, HTML 13.2.6.4; an empty one holds nothing.
pub(super) fn raw_kind(tag: &Tag) -> Option<RawKind> {
    match &*tag.name {
        _ if tag.self_closing => None,
        "script" => Some(RawKind::ScriptData),
        "title" | "textarea" => Some(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        _ => None,
    }
}

/// The value of an attribute.
pub(super) fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attr| &*attr.name.local == name).map(|attr| &*attr.value)
}

#[derive(Default)]
struct Reader(RefCell<Reading>);

#[derive(Default)]
struct Reading {
    text: String,
    alt: String,
    /// The element whose content is not shown.
    hidden: Option<LocalName>,
    /// How many `<pre>` are open.
    verbatim: usize,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        match token {
            CharacterTokens(characters) => reading.characters(&characters),
            TagToken(tag) => return reading.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reading {
    fn characters(&mut self, characters: &str) {
        if self.hidden.is_some() {
            return;
        }
        let characters = text::clean(characters);
        if self.verbatim > 0 {
            return self.text.push_str(&characters);
        }
        for c in characters.chars() {
            if !matches!(c, ' ' | '\t' | '\n') {
                self.text.push(c);
            } else if !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if let Some(hidden) = &self.hidden {
            if tag.kind == EndTag && tag.name == *hidden || breaks_out(name) {
                self.hidden = None;
            } else {
                return TokenSinkResult::Continue;
            }
        }
        match (name, tag.kind) {
            ("td" | "th", _) => self.characters(" "),
            ("pre", StartTag) => self.verbatim += 1,
            ("pre", EndTag) => self.verbatim = self.verbatim.saturating_sub(1),
            ("img", StartTag) => {
                self.alt.push_str(attribute(tag, "alt").unwrap_or_default());
                self.alt.push(' ');
            }
            _ => {}
        }
        if is_block(name) || name == "br" {
            self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
            // A reader of text wants to see paragraphs, not every wrapper around them.
            let most = if name == "br" { "\n\n" } else { "\n" };
            if !self.text.is_empty() && !self.text.ends_with(most) {
                self.text.push('\n');
            }
        }
        if tag.kind == EndTag {
            return TokenSinkResult::Continue;
        }
        if is_hidden(name) && !tag.self_closing {
            self.hidden = Some(tag.name.clone());
        }
        raw_kind(tag).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }
}

/// The content of the element is no text of the document.
pub(super) fn is_hidden(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "title"
            | "textarea"
            | "iframe"
            | "noembed"
            | "noframes"
            | "svg"
            | "select"
            | "datalist"
            | "annotation"
            | "annotation-xml"
    )
}

/// The element stands on lines of its own.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "footer"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tr"
            | "ul"
    )
}

/// Ends a foreign or unfinished element that was opened before it, HTML 13.2.6.5.
pub(super) fn breaks_out(name: &str) -> bool {
    is_block(name) || matches!(name, "b" | "br" | "code" | "em" | "i" | "img" | "span" | "strong")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_a_reader_would_see() {
        for (html, text) in [
            ("AT&amp;T &lt;b&gt; &euro;&#8217;", "AT&T <b> €’"),
            ("&amp;amp;", "&amp;"),
            ("a <b>bold</b>\n  word", "a bold word"),
            ("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
            ("<div><div><p>a</p></div></div><ul><li>b<li>c</ul>", "a\nb\nc"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
            ("<pre>a\n  b</pre>", "a\n  b"),
            ("a<script>x<b>y</script>b<style>z</style>c<!-- d -->", "abc"),
            ("a<svg><title>t</title><text>u</text></svg>b<svg><p>c", "ab\nc"),
            ("<iframe src=x>inside</iframe>after<iframe/>more", "aftermore"),
            ("a < b & c <3", "a < b & c <3"),
            ("just text\n here", "just text here"),
            ("x&#7;y&#x85;z&#0;", "xy…z"),
        ] {
            assert_eq!(text_of_html(html), text, "{html}");
        }
    }

    #[test]
    fn alt_texts_stand_in_where_there_is_nothing_else() {
        assert_eq!(
            text_of_html("<p><img alt='A cat' src=x><img alt=' and a dog'></p>"),
            "A cat and a dog"
        );
        assert_eq!(text_of_html("<p>Look: <img alt='A cat' src=x></p>"), "Look:");
    }

    #[test]
    fn no_more_than_the_head_is_read() {
        let long = format!("<p>{}", "ü".repeat(MAX_HTML));
        assert!(text_of_html(&long).len() <= MAX_HTML);
        assert!(head(&long).len() <= MAX_HTML && head(&long).ends_with('ü'));
    }
}
