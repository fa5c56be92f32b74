//! The attributes of one element: which are kept, and what their values may be.
//!
//! Leaves pictures' sources to `picture`.

use std::borrow::Cow;

use super::links::{HYPERLINK, WEB};
use super::nest::Attribute;
use super::place::Place;
use super::policy::EVERYWHERE;
use super::tokens::Tag;
use super::{language, picture, text};

/// How many characters of an `alt` or `title` are kept.
const WORDS: usize = 1_000;

/// The attributes that the element is kept with.
///
/// `allowed` is what the policy allows an element called `name`.
pub(super) fn kept<'a>(
    name: &str,
    allowed: &[&'static str],
    tag: &'a Tag<'_>,
    place: Place<'_>,
) -> Vec<Attribute<'a>> {
    let mut kept: Vec<Attribute<'a>> = Vec::new();
    for (attribute, written) in &tag.attributes {
        let is_it = |known: &&&'static str| **known == attribute;
        if let Some(known) = allowed.iter().chain(EVERYWHERE).find(is_it)
            && let Some(value) = value(name, known, written, place)
        {
            kept.push((known, value));
        }
    }
    if matches!(name, "audio" | "video") && tag.attribute("controls").is_none() {
        // Without them, and without scripts, nobody can play it.
        kept.push(("controls", Cow::Borrowed("")));
    }
    kept
}

/// The value as it is kept, or `None` where it makes no sense.
fn value<'a>(
    element: &str,
    name: &str,
    written: &'a str,
    place: Place<'_>,
) -> Option<Cow<'a, str>> {
    let one_of = |words: &[&'static str]| {
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(written.trim()));
        word.map(|word| Cow::Borrowed(*word))
    };
    let number = |least: i32, most: i32| {
        let number: i32 = written.trim().trim_end_matches("px").parse().ok()?;
        (least..=most).contains(&number).then(|| Cow::Owned(number.to_string()))
    };
    match name {
        "href" => place.link(written, HYPERLINK).map(Cow::Owned),
        "src" | "poster" | "cite" => place.link(written, WEB).map(Cow::Owned),
        "srcset" => picture::candidates(written, place).map(Cow::Owned),
        "lang" | "hreflang" | "srclang" => language::tag(written).map(Cow::Owned),
        "dir" => one_of(&["ltr", "rtl", "auto"]),
        "align" => one_of(&["left", "right", "center", "justify"]),
        "scope" => one_of(&["row", "col", "rowgroup", "colgroup"]),
        "preload" => one_of(&["none", "metadata", "auto"]),
        "kind" => one_of(&["subtitles", "captions", "descriptions", "chapters", "metadata"]),
        "open" | "controls" | "loop" | "reversed" => Some(Cow::Borrowed("")),
        "width" | "height" => number(0, 20_000),
        "colspan" | "rowspan" | "span" => number(1, 1_000),
        "start" | "value" => number(i32::MIN, i32::MAX),
        "type" if element == "ol" => {
            ["1", "a", "A", "i", "I"].contains(&written).then_some(Cow::Borrowed(written))
        }
        "type" => super::attached::media_type(written).map(Cow::Owned),
        "sizes" | "media" => harmless_css(written).then_some(Cow::Borrowed(written)),
        "alt" => Some(Cow::Owned(text::line(written, WORDS).unwrap_or_default())),
        _ => text::line(written, WORDS).map(Cow::Owned),
    }
}

/// Lengths and media queries, without anything that could name a resource or run.
fn harmless_css(css: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " (),.:%<>=+-*/".contains(c);
    let lower = css.to_ascii_lowercase();
    (1..=300).contains(&css.len())
        && css.chars().all(plain)
        && !["url", "expression", "script", "import"].iter().any(|word| lower.contains(word))
}
