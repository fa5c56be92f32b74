//! The content of an item as HTML that is safe to pass on, and stays the same when cleaned again.
//!
//! First `rewrite` mends, then `policy` judges. Plain text becomes paragraphs.

use std::borrow::Cow;

use super::place::Place;
use super::plain::{head, text_of_html};
use super::rewrite::rewrite;
use super::{policy, text};
use crate::text::chars;

/// How often HTML is mended before it is given up and kept as text.
const MAX_ROUNDS: usize = 4;

/// The fragment, safe and bounded; `None` where nothing of it can be seen.
///
/// Done when the sanitiser finds nothing to change in what was mended: then neither would find
/// anything the next time. Nearly all HTML takes one round; what never settles is hostile.
pub(super) fn fragment(html: &str, place: Place<'_>) -> Option<String> {
    let mut html = Cow::Borrowed(unwrapped(html));
    for _ in 0..MAX_ROUNDS {
        let rewritten = rewrite(&html, place);
        if !rewritten.substance {
            return None;
        }
        let safe = policy::sanitise(&rewritten.html);
        if safe == rewritten.html {
            return Some(safe.trim().to_owned());
        }
        html = Cow::Owned(safe);
    }
    paragraphs(&text_of_html(&html), place)
}

/// Plain text as HTML: an empty line parts paragraphs, a line break is one.
pub(super) fn paragraphs(plain: &str, place: Place<'_>) -> Option<String> {
    if text::is_blank(plain) {
        return None;
    }
    let mut html = String::with_capacity(plain.len() + 16);
    let plain = chars::clean(head(plain));
    for paragraph in plain.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
        html.push_str("<p>");
        for (n, line) in paragraph.lines().enumerate() {
            html.push_str(if n > 0 { "<br>" } else { "" });
            html.push_str(&crate::text::html::escape(line));
        }
        html.push_str("</p>");
    }
    // What was just written needs no mending, only its bounds and the one way of writing it.
    Some(rewrite(&html, place).html)
}

/// Some publishers escape a CDATA section together with its marks.
fn unwrapped(html: &str) -> &str {
    let trimmed = html.trim();
    let inside = trimmed.strip_prefix("<![CDATA[").and_then(|html| html.strip_suffix("]]>"));
    inside.unwrap_or(html)
}
