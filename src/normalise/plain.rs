//! HTML to the text a reader would see: for titles, summaries, comparisons and filters.
//!
//! Reads tokens, not a tree: what is never shown is skipped, what is a block is a line. Nothing that
//! comes out of here is HTML; whoever puts it into HTML escapes it.

use super::text;
use super::tokens::{self, Sink, Tag};
use crate::text::chars;

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
    let Reading { text, alt, .. } = tokens::read(html, Reading::default);
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

#[derive(Default)]
struct Reading {
    text: String,
    alt: String,
    /// The element whose content is not shown.
    hidden: Option<String>,
    /// How many `<pre>` are open.
    verbatim: usize,
}

impl Sink for Reading {
    fn text(&mut self, characters: &str) {
        if self.hidden.is_some() {
            return;
        }
        let characters = chars::clean(characters);
        if self.verbatim > 0 {
            return self.text.push_str(&characters);
        }
        let mut words = characters.split([' ', '\t', '\n']);
        self.text.push_str(words.next().unwrap_or_default());
        for word in words {
            if !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let name = &*tag.name;
        if let Some(hidden) = &self.hidden {
            if tag.end && name == hidden || breaks_out(name) {
                self.hidden = None;
            } else {
                return false;
            }
        }
        match (name, tag.end) {
            ("td" | "th", _) => self.text(" "),
            ("pre", false) => self.verbatim += 1,
            ("pre", true) => self.verbatim = self.verbatim.saturating_sub(1),
            ("img", false) => {
                self.alt.push_str(tag.attribute("alt").unwrap_or_default());
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
        if !tag.end && is_hidden(name) && !tag.self_closing {
            self.hidden = Some(name.to_owned());
        }
        !tag.end
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
