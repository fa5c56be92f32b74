//! Repairs of tags and sections that XML does not allow, where the scanner meets them.

use std::borrow::Cow;

use super::scan::Scanner;
use super::structure;
use super::tags::{self, End, Quotes};

/// Maximum number of repairs that search the rest of the document.
const MAX_FAR_REPAIRS: usize = 100;

/// The beginning of a CDATA section.
const CDATA: &str = "<![CDATA[";

impl<'a> Scanner<'a> {
    /// Handles a `<` that does not begin markup: it is text. quick-xml would search for its `>`.
    pub(super) fn stray_less_than(&mut self, at: usize) -> bool {
        let Some(rest) = self.text.get(at..).and_then(|rest| rest.strip_prefix('<')) else {
            return false;
        };
        let begins = |c: char| c.is_alphabetic() || matches!(c, '/' | '!' | '?' | '_' | ':');
        if rest.starts_with(begins) {
            return false;
        }
        self.repair(
            "bare_less_than",
            at,
            "`<` is not the start of a tag; it must be written as &lt;",
        );
        self.push_text(Cow::Borrowed("<"));
        self.jump(at + 1);
        true
    }

    /// Handles a tag without its `>` or with missing quotes. quick-xml would read the elements behind it as a part of it.
    pub(super) fn irregular_tag(&mut self, at: usize) -> bool {
        let text = self.text;
        let Some(rest) = text.get(at..).filter(|rest| rest.starts_with('<')) else { return false };
        if matches!(rest.as_bytes().get(1), Some(b'!' | b'?')) {
            return false;
        }
        let (end, is_misquoted) = match tags::end(rest) {
            End::Regular => return false,
            End::Cut(end) => (end, false),
            End::Misquoted(end) => (end, true),
        };
        if is_misquoted {
            self.repair("unclosed_quote", at, "the quotes of an attribute are not closed");
        } else {
            let message = "`<` is not the start of a tag, or the `>` of the tag is missing";
            self.repair("bare_less_than", at, message);
        }
        if rest.starts_with("</") {
            self.end_tag(at, at + end + 1);
        } else if is_misquoted {
            self.misquoted_tag(at + 1, at + end, at);
        } else if self.holds_elements() {
            self.start_tag(at + 1, at + end, at);
        } else {
            self.push_tag_as_text(&rest[1..end]);
        }
        self.jump(at + end + usize::from(is_misquoted));
        true
    }

    /// Whether the next part of the open element is an element rather than text.
    fn holds_elements(&self) -> bool {
        self.open.last().is_none_or(|open| structure::is_container(open.element.name))
    }

    /// Appends the text `<` and what follows it. Where text is the source of HTML, it is written as HTML has it.
    fn push_tag_as_text(&mut self, behind: &'a str) {
        let is_html = self.open.last().is_some_and(|open| structure::is_html(&open.element));
        self.push_text(Cow::Borrowed(if is_html { "&lt;" } else { "<" }));
        self.push_text(Cow::Borrowed(behind));
    }

    /// Adds an element whose start tag has wrong quotes.
    fn misquoted_tag(&mut self, from: usize, to: usize, offset: usize) {
        let content = self.text.get(from..to).unwrap_or_default();
        let inside = content.strip_suffix('/').unwrap_or(content);
        let depth = self.open.len() + self.too_deep;
        self.open_element(inside, Quotes::Wrong, offset);
        if inside.len() < content.len() && self.open.len() + self.too_deep > depth {
            self.close_one();
        }
    }

    /// Whether the slash of `<a b=c/>` belongs to the value: the element would have no content but has one.
    pub(super) fn has_slash_in_value(&self, before: usize, after: usize) -> bool {
        let inside = self.text.get(before + 1..after.saturating_sub(2)).unwrap_or_default();
        if !tags::ends_unquoted(inside) {
            return false;
        }
        let tag = inside.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        let local = tag.split_once(':').map_or(tag, |(_, local)| local);
        let behind = self.text.get(after..).unwrap_or_default();
        let next = behind.find('<').map_or("", |at| &behind[at..]);
        let is_closed = || {
            let rest = next.strip_prefix("</").and_then(|rest| rest.strip_prefix(tag));
            rest.is_some_and(|rest| rest.trim_start().starts_with('>'))
        };
        self.open.is_empty() || structure::is_group(local) || is_closed()
    }

    /// Appends the text of a CDATA section. One that is not closed ends with its element.
    pub(super) fn cdata(&mut self, text: Cow<'a, str>, at: usize) {
        let tag = self.open.last().map_or("", |open| open.tag);
        // What follows the end of the element is read again.
        match end_in_section(&text, tag).filter(|_| self.far_repairs < MAX_FAR_REPAIRS) {
            Some(end) => {
                self.far_repairs += 1;
                self.repair("unclosed_cdata", at, "CDATA section is not closed");
                let from = at + CDATA.len();
                self.push_text(Cow::Borrowed(&self.text[from..from + end]));
                self.jump(from + end);
            }
            None => self.push_text(text),
        }
    }

    /// Repairs markup that quick-xml rejects.
    pub(super) fn broken(&mut self, at: usize, error: &quick_xml::Error) {
        self.far_repairs += 1;
        let rest = self.text.get(at..).unwrap_or_default();
        if self.far_repairs > MAX_FAR_REPAIRS || self.open.is_empty() {
            self.repair("broken_markup", at, format!("document is unreadable from here: {error}"));
            self.partial = true;
            return;
        }
        if rest.get(..CDATA.len()).is_some_and(|start| start.eq_ignore_ascii_case(CDATA)) {
            let inside = &rest[CDATA.len()..];
            let (end, length) = match inside.find("]]>") {
                Some(end) => {
                    self.repair("broken_markup", at, format!("{CDATA} is not in capital letters"));
                    (end, "]]>".len())
                }
                None => {
                    // An unclosed section ends with its element.
                    let tag = self.open.last().map_or("", |open| open.tag);
                    self.repair("unclosed_cdata", at, "CDATA section is not closed");
                    (inside.find(&format!("</{tag}")).unwrap_or(inside.len()), 0)
                }
            };
            self.push_text(Cow::Borrowed(&inside[..end]));
            self.jump(at + CDATA.len() + end + length);
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            // It ends with its `>`, or where the next tag begins.
            self.repair("broken_markup", at, error.to_string());
            let end = rest[1..].find(['<', '>']).map_or(rest.len(), |end| end + 1);
            self.jump(at + end + usize::from(rest[end..].starts_with('>')));
        } else if let Some(end) = rest.find('>').filter(|_| rest.starts_with('<')) {
            // An attribute value is not closed.
            self.repair("unclosed_quote", at, error.to_string());
            self.start_tag(at + 1, at + end, at);
            self.jump(at + end + 1);
        } else {
            self.repair("cut", at, "document ends inside a tag");
            self.partial = true;
        }
    }
}

/// Byte offset at which the element of a CDATA section that is not closed ends: before another section, and before the next
/// part of a feed. A text about feeds, or with an HTML element of that name, also has the start tag.
fn end_in_section(text: &str, tag: &str) -> Option<usize> {
    let next = memchr::memmem::find(text.as_bytes(), CDATA.as_bytes());
    let before = &text[..next.filter(|next| *next > tag.len())?];
    let end_tag = format!("</{tag}>");
    let end = before.find(&end_tag)?;
    let behind = before[end + end_tag.len()..].trim_start().strip_prefix('<')?;
    let name = behind.trim_start_matches('/');
    let name = &name[..name.find(|c: char| c.is_ascii_whitespace() || "/>".contains(c))?];
    let local = name.split_once(':').map_or(name, |(_, local)| local);
    let is_of_feed = match behind.starts_with('/') {
        true => structure::is_group(local),
        // Names of HTML elements have no prefix.
        false => structure::is_part(local) || structure::is_group(local) || local != name,
    };
    (is_of_feed && !before[..end].contains(&format!("<{tag}"))).then_some(end)
}
