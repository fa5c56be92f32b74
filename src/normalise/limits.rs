//! What is left out of the HTML of an item because of a limit.

use super::math::Formulas;
use super::plain_text::is_cut;
use super::tokens::Tag;

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
