//! Writes well-formed HTML of bounded size and depth, at linear cost.
//!
//! Closes elements where an HTML parser would close them, so that every parser builds the same tree.
//! The caller decides which elements are allowed.

use std::borrow::Cow;

use super::display::Spaces;
use super::limits::MAX_DEPTH;
use super::plain_text::{self, MAX_HTML, is_block};
use super::written_links::{WrittenLinks, without_overlays};
use crate::text::chars;

/// Name and unescaped value of an attribute.
pub(super) type Attribute<'a> = (&'static str, Cow<'a, str>);

/// Maximum number of tracked elements, including those without tags, whose end tags must close nothing
/// else.
const MAX_TRACKED: usize = 256;
/// Maximum size of the output in bytes. With all end tags it is below the input limit, so that the
/// output can be read again.
pub(super) const MAX_OUTPUT: usize = MAX_HTML - 4 * 1024;

/// Elements that limit the scope of an end tag, HTML 13.2.4.2.
const SCOPE: &[&str] = &["td", "th", "caption", "table"];

/// What is written into an element that has no visible content at its end.
#[derive(Clone)]
pub(super) enum Fallback {
    /// Nothing, and a link is not written at all: what it had is left out, or it leads nowhere else.
    Nothing,
    /// The text of a link.
    Text(String),
    /// A link to the page of what a script shows there.
    Link { href: String, label: String },
}

/// A link that was not written because it has no content.
#[derive(Clone)]
struct Idle {
    /// Its start tag.
    tag: String,
    /// Where it would begin.
    at: usize,
}

#[derive(Clone)]
struct Open {
    name: &'static str,
    written: bool,
    /// Where its start tag begins.
    tag: usize,
    /// Where its content begins.
    content: usize,
    /// What of the white space in its texts is shown.
    spaces: Spaces,
    fallback: Option<Fallback>,
}

/// A place of the output to which the writer can be rewound.
#[derive(Clone)]
pub(super) struct Mark {
    length: usize,
    open: Vec<Open>,
    visible: bool,
    too_deep: usize,
}

/// A writer of HTML.
#[derive(Default)]
pub(super) struct HtmlWriter {
    out: String,
    open: Vec<Open>,
    /// Whether visible content was written: text, an image or a player.
    pub(super) visible: bool,
    /// Whether content was dropped because of the size limit.
    pub(super) cut: bool,
    /// Number of elements without tags because of their depth.
    pub(super) too_deep: usize,
    /// What of the white space is shown in the element that is opened next; `None`: as around it.
    pub(super) spaces: Option<Spaces>,
    /// Where the last visible content ends.
    shown: usize,
    /// The last link without content.
    idle: Option<Idle>,
    /// The links that were written into elements without visible content.
    pub(super) filled: Vec<String>,
    /// The links that are searched for those of players.
    links: WrittenLinks,
    /// Where links begin that have a label instead of content, in ascending order.
    labelled: Vec<usize>,
    /// Where the last start tag begins.
    last_tag: usize,
    /// What is before this place is not changed, because of a mark.
    firm: usize,
}

impl HtmlWriter {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), ..Self::default() }
    }

    /// Writes text; characters that HTML reserves are escaped.
    pub(super) fn text(&mut self, written: &str) {
        let spaces = self.open.last().map_or(Spaces::One, |open| open.spaces);
        // White space between two tags is that of the source in nearly all cases.
        let is_between = self.out.ends_with('>') && written.trim().is_empty();
        if spaces == Spaces::One || is_between || self.is_in("pre") {
            return self.run(written);
        }
        for (number, line) in written.split('\n').enumerate() {
            if number > 0 && self.fits("<br>".len()) {
                self.out.push_str("<br>");
            }
            // A space at the start of a run is not at the start of a line.
            let (gap, line) =
                if number == 0 && line.starts_with(' ') { line.split_at(1) } else { ("", line) };
            self.run(gap);
            self.run(&spaces.shown(line));
        }
    }

    /// Writes text with its white space as it is.
    fn run(&mut self, written: &str) {
        let text = chars::clean(written);
        let blank = plain_text::is_blank(&text);
        if blank && self.in_table_parts() {
            return;
        }
        // HTML 13.2.6.4.7: parsers drop the first line break in `<pre>`. Drop all leading ones.
        let text = if self.begins_pre() { text.trim_start_matches('\n') } else { &text };
        if !blank {
            self.make_cell();
        }
        let text = self.fitting(text);
        escape(&mut self.out, text, Position::Text);
        if !blank && !plain_text::is_blank(text) {
            self.show();
        }
    }

    /// Records that what was written last is visible.
    fn show(&mut self) {
        self.visible = true;
        self.shown = self.out.len();
    }

    /// Opens an element; void elements are not left open.
    pub(super) fn start(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.start_or(name, attributes, None);
    }

    /// Opens an element with what is written into it if it has no visible content.
    pub(super) fn start_or(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        fallback: Option<Fallback>,
    ) {
        let sizes = attributes.iter().map(|(name, value)| name.len() + 4 + escaped_length(value));
        if !self.fits(name.len() + 2 + sizes.sum::<usize>()) || !self.make_room(name) {
            return;
        }
        let written = self.open.len() < MAX_DEPTH || is_table_part(name);
        if written {
            self.write_tag(name, attributes);
            if matches!(name, "img" | "audio" | "video") {
                self.show();
            }
        } else {
            self.too_deep += 1;
        }
        if is_void(name) {
            return;
        }
        let depth = self.open.len();
        self.push(name, written);
        if let Some(open) = self.open.get_mut(depth) {
            open.fallback = fallback;
        }
    }

    /// Leaves the open link out if it has no other content, because what it had is left out.
    pub(super) fn empty_link(&mut self) {
        if let Some(link) = self.open.iter_mut().rfind(|open| open.name == "a") {
            link.fallback = Some(Fallback::Nothing);
        }
    }

    /// Opens an element without writing its tags, so that its end tag closes nothing else.
    pub(super) fn start_unwritten(&mut self, name: &'static str) {
        self.push(name, false);
    }

    /// Closes an element with all open elements inside it, if it is open.
    pub(super) fn end(&mut self, name: &str) {
        let found = match name {
            "table" => self.find(&["table"], &[]),
            _ if is_table_part(name) => self.find(&[name], &["table"]),
            "li" => self.find(&["li"], &["td", "th", "caption", "table", "ul", "ol"]),
            _ if is_heading(name) => self.find(HEADINGS, SCOPE),
            _ => self.find(&[name], SCOPE),
        };
        if let Some(at) = found {
            self.close_to(at);
        }
    }

    /// Whether an element with this name is open and written.
    pub(super) fn is_in(&self, name: &str) -> bool {
        self.open.iter().any(|open| open.written && open.name == name)
    }

    /// Whether a paragraph can begin without closing other elements.
    pub(super) fn takes_paragraphs(&self) -> bool {
        self.top().is_none_or(|top| {
            is_block(top) && !is_heading(top) && !matches!(top, "p" | "pre" | "summary")
        })
    }

    /// The present place. Ends with [`Self::rewind`] or [`Self::release`].
    pub(super) fn mark(&mut self) -> Mark {
        self.firm = self.out.len();
        let (length, open) = (self.out.len(), self.open.clone());
        Mark { length, open, visible: self.visible, too_deep: self.too_deep }
    }

    /// Drops what was written since a place, unless the size limit was reached meanwhile.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.firm = 0;
        if !self.cut {
            self.out.truncate(mark.length);
            self.open = mark.open;
            self.visible = mark.visible;
            self.too_deep = mark.too_deep;
            self.shown = self.shown.min(mark.length);
            self.idle.take_if(|idle| idle.at >= mark.length);
            self.links.change(mark.length);
            // A link that is open again may get content.
            let link = self.open.iter().find(|open| open.written && open.name == "a");
            let from = link.map_or(mark.length, |link| link.tag);
            self.labelled.truncate(self.labelled.partition_point(|at| *at < from));
        }
    }

    /// Keeps what was written since the last mark.
    pub(super) fn release(&mut self) {
        self.firm = 0;
    }

    /// Closes all elements and returns the HTML.
    pub(super) fn finish(mut self) -> String {
        self.close_to(0);
        let mut html = without_overlays(self.out, &self.labelled);
        if self.cut {
            html.push('…');
        }
        html
    }

    /// Whether `size` bytes fit. After the first overflow nothing fits.
    fn fits(&mut self, size: usize) -> bool {
        self.cut |= self.out.len() + size > MAX_OUTPUT;
        !self.cut
    }

    /// The part of the text that fits.
    fn fitting<'t>(&mut self, text: &'t str) -> &'t str {
        if self.cut {
            return "";
        }
        let mut room = MAX_OUTPUT.saturating_sub(self.out.len());
        // No character takes more than six bytes.
        if text.len() <= room / 6 {
            return text;
        }
        let full = text.char_indices().find(|(_, c)| {
            let size = escaped(*c).filter(|_| *c != '"').map_or(c.len_utf8(), str::len);
            let fits = size <= room;
            room = room.saturating_sub(size);
            !fits
        });
        self.cut |= full.is_some();
        full.map_or(text, |(at, _)| &text[..at])
    }

    /// Whether the last output is a `<pre>` tag.
    fn begins_pre(&self) -> bool {
        self.out.ends_with('>')
            && self.out.rfind('<').is_some_and(|at| self.out[at..].starts_with("<pre"))
    }

    fn push(&mut self, name: &'static str, written: bool) {
        let around = self.open.last().map(|open| open.spaces);
        let spaces = self.spaces.take().or(around).unwrap_or(Spaces::One);
        if self.open.len() < MAX_TRACKED {
            let content = self.out.len();
            let (tag, fallback) = (self.last_tag, None);
            self.open.push(Open { name, written, tag, content, spaces, fallback });
        }
    }

    fn top(&self) -> Option<&'static str> {
        self.open.iter().rev().find(|open| open.written).map(|open| open.name)
    }

    /// Index of the innermost open element of `names`, if none of `limits` is open inside it.
    fn find(&self, names: &[&str], limits: &[&str]) -> Option<usize> {
        let at =
            self.open.iter().rposition(|o| names.contains(&o.name) || limits.contains(&o.name))?;
        self.open.get(at).filter(|open| names.contains(&open.name)).map(|_| at)
    }

    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth
            && let Some(open) = self.open.pop()
        {
            if open.written && (self.shown > open.content || self.fill(&open)) {
                self.out.push_str("</");
                self.out.push_str(open.name);
                self.out.push('>');
            }
        }
    }

    /// Writes what an element without visible content has instead. `false`: it is a link, and its start tag was removed.
    fn fill(&mut self, open: &Open) -> bool {
        match &open.fallback {
            Some(Fallback::Text(text)) => {
                // Other links may lead to its id.
                if !self.out[open.tag..open.content].contains(" id=\"") {
                    self.labelled.push(open.tag);
                }
                // Links side by side, such as those of icons, are words of their own.
                if self.out[..open.tag].ends_with("</a>") && self.fits(1) {
                    self.out.push(' ');
                }
                self.write_label(text);
            }
            Some(Fallback::Link { label, .. }) if self.is_in("a") => self.write_label(label),
            Some(Fallback::Link { href, label }) => {
                // The player itself may be beside it.
                let mut written = String::new();
                escape(&mut written, href, Position::Attribute);
                let is_shown = self.links.contain(&self.out, &written);
                // No character takes more than six bytes.
                let size = 6 * (href.len() + label.len()) + "<a href=\"\"></a>".len();
                if !is_shown && self.fits(size) {
                    self.filled.push(href.clone());
                    self.write_tag("a", &[("href", Cow::Borrowed(href))]);
                    self.write_label(label);
                    self.out.push_str("</a>");
                }
            }
            fallback if open.name == "a" => {
                // It may be the end of another link.
                if open.tag < self.firm || self.out[open.tag..].contains(" id=\"") {
                    return true;
                }
                let tag: String = self.out.drain(open.tag..open.content).collect();
                self.links.change(open.tag);
                if fallback.is_none() {
                    self.idle = Some(Idle { tag, at: open.tag });
                }
                return false;
            }
            _ if open.name == "blockquote" && !self.is_in("a") => self.write_idle(open.content),
            _ => {}
        }
        true
    }

    /// Writes the last link without content, if it is behind a place, with its host as text.
    fn write_idle(&mut self, from: usize) {
        let Some(idle) = self.idle.take_if(|idle| idle.at >= from) else { return };
        let Some(host) = host(&idle.tag) else { return };
        if self.fits(idle.tag.len() + host.len() + "</a>".len()) {
            self.out.push_str(&idle.tag);
            // It is escaped there.
            self.out.push_str(host);
            self.show();
            self.out.push_str("</a>");
        }
    }

    fn write_label(&mut self, label: &str) {
        if self.fits(escaped_length(label)) {
            escape(&mut self.out, label, Position::Text);
            self.show();
        }
    }

    fn close(&mut self, names: &[&str], limits: &[&str]) {
        if let Some(at) = self.find(names, limits) {
            self.close_to(at);
        }
    }

    /// Closes elements that cannot contain the element and opens those that must. `false` if the element
    /// is not allowed here.
    fn make_room(&mut self, name: &str) -> bool {
        match name {
            _ if is_table_part(name) => return self.make_table_part(name),
            // The start tags of HTML 13.2.6.4.7.
            "li" => self.close_item(&["li"]),
            "dd" | "dt" => self.close_item(&["dd", "dt"]),
            "a" => self.close(&["a"], SCOPE),
            "rt" | "rp" => self.close_implied(),
            _ => {}
        }
        if is_block(name) || name == "table" {
            self.close(&["p"], SCOPE);
        }
        if is_heading(name) && self.top().is_some_and(is_heading) {
            self.close(HEADINGS, SCOPE);
        }
        self.make_cell();
        true
    }

    /// Closes the previous list item, unless a block is open inside it.
    fn close_item(&mut self, names: &[&str]) {
        let limit = |name| {
            is_block(name) && !matches!(name, "address" | "div" | "p") || SCOPE.contains(&name)
        };
        let at = self.open.iter().rposition(|open| names.contains(&open.name) || limit(open.name));
        if let Some(at) =
            at.filter(|at| self.open.get(*at).is_some_and(|open| names.contains(&open.name)))
        {
            self.close_to(at);
        }
    }

    /// Closes elements with implied end tags inside a `<ruby>`, HTML 13.2.6.3.
    fn close_implied(&mut self) {
        let Some(ruby) = self.find(&["ruby"], SCOPE) else { return };
        while let Some(top) = self.open.iter().rposition(|open| open.written)
            && top > ruby
            && matches!(self.open[top].name, "dd" | "dt" | "li" | "p" | "rp" | "rt")
        {
            self.close_to(top);
        }
    }

    fn in_table_parts(&self) -> bool {
        matches!(self.top(), Some("table" | "tbody" | "thead" | "tfoot" | "tr" | "colgroup"))
    }

    /// Opens a cell for content between the cells of a table. Parsers would move it before the table.
    fn make_cell(&mut self) {
        if self.in_table_parts() && self.make_table_part("td") {
            self.write_tag("td", &[]);
            self.push("td", true);
        }
    }

    /// Closes elements up to the parent of a table part and opens missing parents, HTML 13.2.6.4.9 to 15.
    fn make_table_part(&mut self, name: &str) -> bool {
        let table = self.open.iter().rposition(|open| open.written && open.name == "table");
        let Some(table) = table else { return false };
        let inside = |open: &[Open], names: &[&str]| {
            let at = open.iter().skip(table + 1).position(|open| names.contains(&open.name))?;
            Some(table + 1 + at)
        };
        let (parent, parents): (_, &[&str]) = match name {
            "col" => ("colgroup", &["colgroup"]),
            "tr" => ("tbody", &["tbody", "thead", "tfoot"]),
            "td" | "th" => ("tr", &["tr"]),
            _ => {
                self.close_to(table + 1);
                return true;
            }
        };
        if let Some(at) = inside(&self.open, parents) {
            self.close_to(at + 1);
        } else if self.make_table_part(parent) {
            self.write_tag(parent, &[]);
            self.push(parent, true);
        }
        true
    }

    fn write_tag(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.last_tag = self.out.len();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value, Position::Attribute);
            self.out.push('"');
        }
        self.out.push('>');
    }
}

/// The host of a link without `www.`, by its start tag.
fn host(tag: &str) -> Option<&str> {
    let (_, address) = tag.split_once(" href=\"")?.1.split_once("://")?;
    let host = address.split(['/', '?', '#', ':', '"']).next().unwrap_or_default();
    Some(host.strip_prefix("www.").unwrap_or(host)).filter(|host| !host.is_empty())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Text,
    Attribute,
}

/// Escapes text (HTML 13.3). Also escapes `<` and `>` in attributes, for incorrect parsers.
fn escape(out: &mut String, text: &str, position: Position) {
    let (bytes, mut done) = (text.as_bytes(), 0);
    let quoted = position == Position::Attribute && text.contains('"');
    if !quoted && text.is_ascii() && memchr::memchr3(b'&', b'<', b'>', bytes).is_none() {
        return out.push_str(text);
    }
    for (at, byte) in text.bytes().enumerate() {
        let (reference, length) = match byte {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' if position == Position::Attribute => ("&quot;", 1),
            // U+00A0.
            0xc2 if bytes.get(at + 1) == Some(&0xa0) => ("&nbsp;", 2),
            _ => continue,
        };
        out.push_str(&text[done..at]);
        out.push_str(reference);
        done = at + length;
    }
    out.push_str(&text[done..]);
}

fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\u{a0}' => Some("&nbsp;"),
        _ => None,
    }
}

fn escaped_length(text: &str) -> usize {
    text.chars().map(|c| escaped(c).map_or(c.len_utf8(), str::len)).sum()
}

const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];

fn is_heading(name: &str) -> bool {
    HEADINGS.contains(&name)
}

fn is_table_part(name: &str) -> bool {
    matches!(
        name,
        "caption" | "col" | "colgroup" | "tbody" | "td" | "tfoot" | "th" | "thead" | "tr"
    )
}

/// Whether an element of the allowlist is void, HTML 13.1.2.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "col" | "hr" | "img" | "source" | "track" | "wbr")
}
