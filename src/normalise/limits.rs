//! What is left out of the HTML of an item because of a limit.

use std::borrow::Cow;

use super::display::{Ends, Skipped};
use super::math::{self, Formulas};
use super::plain_text::{MAX_HTML, head, is_cut, is_hidden};
use super::tokens::{self, Sink, Tag};
use crate::text::html::escape;

/// Maximum depth of elements, because feed readers recurse. The tags of deeper elements are dropped.
/// Leaves room for parts of tables, which are always written.
pub(super) const MAX_DEPTH: usize = 128 - 4;
/// Maximum depth of the elements of a formula; deeper ones are read as a row.
pub(super) const MAX_FORMULA_DEPTH: usize = 64;
/// Maximum length of a formula in bytes.
pub(super) const MAX_FORMULA: usize = 16 * 1024;
/// Maximum length of an `alt` or `title` in characters.
pub(super) const MAX_LABEL: usize = 1_000;
/// Maximum number of candidates in a `srcset`.
pub(super) const MAX_CANDIDATES: usize = 24;

/// Numbers of what is left out of a fragment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Omissions {
    /// Candidates of `srcset` attributes.
    pub(super) candidates: usize,
    /// Descriptions of images and titles of links that are cut.
    pub(super) labels: usize,
    /// Formulas that are cut, or whose inner elements are read as a row.
    pub(super) formulas: usize,
    /// Elements that are too deep, whose tags are dropped.
    pub(super) elements: usize,
}

/// Attributes whose values are cut.
const LABELS: &[&str] = &["alt", "title", "datetime", "label"];

/// Maximum length of the value of an attribute in bytes, if the HTML is too long with it. Links and lists of pictures that
/// are published are shorter.
const MAX_VALUE: usize = 16 * 1024;

/// The part of an HTML fragment that is read.
pub(super) struct Readable<'a> {
    pub(super) html: Cow<'a, str>,
    /// Whether the end is left out because of the size limit.
    pub(super) is_cut: bool,
}

/// The part of an HTML fragment of any size that is read. The limit is for what can be shown: a fragment above it is
/// read without scripts, styles, drawings, comments, `data:` URLs and long attributes, which are not published anyway.
pub(super) fn readable(html: &str) -> Readable<'_> {
    if html.len() <= MAX_HTML {
        return Readable { html: Cow::Borrowed(html), is_cut: false };
    }
    let mut html = tokens::read(html, Lean::default).html;
    let length = head(&html).len();
    let is_cut = length < html.len();
    html.truncate(length);
    Readable { html: Cow::Owned(html), is_cut }
}

/// The start of a fragment, without large parts that are not shown. What it drops the sanitiser would drop too. Ends with
/// the token that exceeds [`MAX_HTML`].
#[derive(Default)]
struct Lean {
    html: String,
    /// The open element whose content is dropped.
    hidden: Option<Skipped>,
    /// Whether the text belongs to an element without markup, as `<xmp>`.
    is_raw: bool,
}

impl Lean {
    fn is_full(&self) -> bool {
        self.html.len() > MAX_HTML
    }
}

/// The start of a text, up to four bytes longer than the limit, so that a longer text exceeds it.
fn start(text: &str, limit: usize) -> &str {
    let end = (limit + 1..text.len()).find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(text.len())]
}

impl Sink for Lean {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() || self.is_full() {
            return;
        }
        let text = start(text, MAX_HTML);
        if self.is_raw {
            self.html.push_str(text);
        } else {
            self.html.push_str(&escape(text));
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        if let Some(hidden) = &mut self.hidden {
            let (ended, _) = hidden.ended_by(tag);
            if !ended {
                return false;
            }
            self.hidden = None;
        }
        // The text of a formula in a script is read.
        let has_formula = math::is_script(tag) || tag.name.starts_with("annotation");
        self.is_raw = tag.raw() && !has_formula;
        if !self.is_full() {
            lean(tag).write(&mut self.html);
        }
        if !tag.end && !tag.self_closing && is_hidden(&tag.name) && !has_formula {
            self.hidden = Some(Skipped::new(&tag.name, Ends::Common));
        }
        !has_formula
    }
}

/// The tag without data in its attributes.
fn lean<'a>(tag: &'a Tag<'_>) -> Tag<'a> {
    let is_data = |value: &str| {
        let value = value.trim_start().as_bytes();
        value.first_chunk::<5>().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"data:"))
    };
    let value = |name: &str, value: &'a str| {
        if is_data(value) && !name.ends_with("srcset") {
            // Without the attribute, the element would have another source.
            return Some("data:,");
        }
        // The start of a label is published, which is shorter.
        let kept = value.len() <= MAX_VALUE || LABELS.contains(&name);
        kept.then(|| start(value, MAX_VALUE))
    };
    let attributes = tag.attributes.iter();
    let attributes = attributes.filter_map(|(name, written)| {
        let name: &'a str = name;
        Some((Cow::Borrowed(name), Cow::Borrowed(value(name, written)?)))
    });
    Tag { name: Cow::Borrowed(&tag.name), attributes: attributes.collect(), ..*tag }
}

/// Number of attributes of the element on the allowlist that are cut.
pub(super) fn long_labels(tag: &Tag<'_>, allowed: &[&'static str]) -> usize {
    let is_label = |name: &str| LABELS.contains(&name) && allowed.contains(&name);
    let labels = tag.attributes.iter().filter(|(name, _)| is_label(name));
    labels.filter(|(_, value)| is_cut(value, MAX_LABEL)).count()
}

/// Whether a fragment may exceed a limit. Counts tags and characters of attributes without reading the tree; stray end
/// tags can hide deep elements from it.
pub(super) fn may_exceed(html: &str) -> bool {
    let deepest = depth(html.as_bytes());
    let formulas =
        || (html.len() > MAX_FORMULA || deepest > MAX_FORMULA_DEPTH) && Formulas::of(html).exist;
    deepest > MAX_DEPTH || has_long_attribute(html.as_bytes()) || formulas()
}

/// Largest number of open elements, if each end tag closes one.
fn depth(html: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for at in memchr::memchr_iter(b'<', html) {
        match html.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() && !is_void(&html[at + 1..]) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            _ => {}
        }
    }
    deepest
}

/// Whether a tag begins with the name of a common void element.
fn is_void(tag: &[u8]) -> bool {
    let is = |name: &[u8]| {
        tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && tag.get(name.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
    };
    [b"br".as_slice(), b"img", b"hr", b"source", b"wbr", b"col", b"input"].into_iter().any(is)
}

/// Whether a label may be cut or a `srcset` has many candidates.
fn has_long_attribute(html: &[u8]) -> bool {
    memchr::memchr_iter(b'=', html).any(|at| {
        let name = html[..at].trim_ascii_end();
        let ends = |end: &str| {
            let start = name.len().checked_sub(end.len());
            start.is_some_and(|start| name[start..].eq_ignore_ascii_case(end.as_bytes()))
        };
        if ends("srcset") {
            return memchr::memchr_iter(b',', value(&html[at + 1..])).count() >= MAX_CANDIDATES;
        }
        LABELS.iter().any(|label| ends(label)) && value(&html[at + 1..]).len() > MAX_LABEL
    })
}

/// The value of an attribute, from behind its `=`.
fn value(html: &[u8]) -> &[u8] {
    let html = html.trim_ascii_start();
    let (rest, end) = match html {
        [quote @ (b'"' | b'\''), rest @ ..] => (rest, memchr::memchr(*quote, rest)),
        _ => (html, html.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>')),
    };
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(part: &str) -> String {
        part.repeat(MAX_HTML / part.len() + 1)
    }

    #[test]
    fn html_within_the_limit_is_read_as_it_is() {
        let html = "<p>a</p><!-- b --><style>c</style><img src='data:,x' data-x=y>";
        let read = readable(html);
        assert!(matches!(read.html, Cow::Borrowed(_)) && read.html == html && !read.is_cut);
    }

    #[test]
    fn what_is_not_shown_takes_no_room_of_the_text() {
        let data = big("QUJD");
        for (hidden, kept) in [
            (
                format!("<img src=\"data:image/png;base64,{data}\" alt=\"a\">"),
                "<img src=\"data:,\" alt=\"a\">",
            ),
            (format!("<style>{data}</style>"), "<style></style>"),
            (format!("<script src=x>{data}</script>"), "<script src=\"x\"></script>"),
            (format!("<!-- {data} -->"), ""),
            (format!("<svg>{}<title>t</title></svg>", big("<path d='M1 2'/>")), "<svg></svg>"),
            (format!("<div data-state='{data}'>"), "<div>"),
        ] {
            let read = readable(&format!("<p>a &amp; b</p>{hidden}<p>c</p>")).html.into_owned();
            assert_eq!(read, format!("<p>a &amp; b</p>{kept}<p>c</p>"));
        }
    }

    #[test]
    fn shown_text_still_has_a_limit() {
        let read = readable(&format!("<p>{}</p><svg>x</svg>", big("ü"))).html.len();
        assert!(read <= MAX_HTML && read + 2 > MAX_HTML);
        assert!(readable(&big("word ")).is_cut);
    }

    #[test]
    fn what_exceeds_the_limit_is_not_collected() {
        let quotes = "\"".repeat(8 * MAX_HTML);
        for html in [
            "<i>&gt;</i>".repeat(MAX_HTML),
            ">".repeat(8 * MAX_HTML),
            format!("<img alt='{quotes}'>"),
            format!("<xmp>{quotes}</xmp>"),
        ] {
            let lean = tokens::read(&html, Lean::default).html;
            assert!(lean.len() <= 6 * MAX_HTML, "{} bytes", lean.len());
        }
        let label = format!("<p>a</p><img alt='{quotes}'><p>b</p>");
        let read = readable(&label);
        assert!(read.html.ends_with("\"><p>b</p>") && !read.is_cut);
        assert!(may_exceed(&read.html) && readable(&">".repeat(MAX_HTML + 1)).is_cut);
    }

    #[test]
    fn text_behind_a_drawing_without_end_and_formulas_are_kept() {
        let html = format!(
            "<svg><path><p>a</p><script type='math/tex'>x&lt;y</script><!--{}--><p>b</p>",
            big("c")
        );
        let read = readable(&html).html.into_owned();
        assert_eq!(read, "<svg><p>a</p><script type=\"math/tex\">x&lt;y</script><p>b</p>");
        let html = format!("<xmp><b>a</b></xmp><style>{}</style>", big("c"));
        assert_eq!(readable(&html).html, "<xmp><b>a</b></xmp><style></style>");
    }

    #[test]
    fn ordinary_html_is_read_once() {
        let candidates = "https://e.org/a.jpg 100w, ".repeat(24);
        for html in [
            "<p>a<br>b</p>".repeat(500),
            "<img src=a alt='a picture'><hr>".repeat(500),
            format!("<img srcset='{candidates}'>").replace(", '", "'"),
            "<div>".repeat(124) + &"</div>".repeat(124),
            format!("<a title=\"{}\" href=x>y</a>", "t".repeat(1_000)),
            "<p>alt=".to_owned() + &"word ".repeat(1_000),
            format!("<math><mi>x</mi></math>{}", "<p>text</p>".repeat(100)),
        ] {
            assert!(!may_exceed(&html), "{html}");
        }
    }

    #[test]
    fn what_may_exceed_a_limit_is_recognised() {
        for html in [
            "<div>".repeat(125),
            "<p><DIV class=a>x</div>".repeat(125),
            format!("<img SRCSET = \"{}\">", "a 1w,".repeat(25)),
            format!("<img data-srcset='{}'>", "a 1w,".repeat(25)),
            format!("<img alt=\"{}\">", "t".repeat(1_001)),
            format!("<track label={}>", "t".repeat(1_001)),
            format!("<math>{}</math>", "<mrow>".repeat(65)),
            format!("<math><mi>{}</mi></math>", "x".repeat(17_000)),
            format!("<script type=\"math/tex\">{}</script>", "x".repeat(17_000)),
        ] {
            assert!(may_exceed(&html), "{html}");
        }
    }
}
