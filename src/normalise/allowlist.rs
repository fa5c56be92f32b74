//! Elements and attributes that are allowed in HTML, and the sanitiser that enforces this list.
//!
//! `html` and ammonia use the same list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::anchors::is_outward;
use super::limits::MAX_LABEL;
use super::links::{HYPERLINK, LinkBase, WEB};
use super::tokens::Tag;
use super::writer::Attribute;
use super::{metadata, picture_sources, plain_text};

/// Attributes that are allowed on every element.
///
/// `style`, `name` and `class` would affect the page that shows the item. Of ids, only those of footnotes are
/// allowed; see `anchors`.
pub(super) const EVERYWHERE: &[&str] = &["dir", "lang"];

/// Allowed elements with their attributes. The tags of other elements are dropped.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("a", &["href", "hreflang", "title"]),
    ("abbr", &["title"]),
    ("address", &[]),
    ("article", &[]),
    ("aside", &[]),
    ("audio", &["src", "controls", "loop", "preload"]),
    ("b", &[]),
    ("bdi", &[]),
    ("bdo", &[]),
    ("blockquote", &["cite"]),
    ("br", &[]),
    ("caption", &[]),
    ("cite", &[]),
    ("code", &[]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("dd", &[]),
    ("del", &["cite", "datetime"]),
    ("details", &["open"]),
    ("dfn", &["title"]),
    ("div", &[]),
    ("dl", &[]),
    ("dt", &[]),
    ("em", &[]),
    ("figcaption", &[]),
    ("figure", &[]),
    ("footer", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("header", &[]),
    ("hr", &[]),
    ("i", &[]),
    ("img", &["src", "srcset", "sizes", "alt", "title", "width", "height"]),
    ("ins", &["cite", "datetime"]),
    ("kbd", &[]),
    ("li", &["value"]),
    ("main", &[]),
    ("mark", &[]),
    ("nav", &[]),
    ("ol", &["start", "type", "reversed"]),
    ("p", &[]),
    ("picture", &[]),
    ("pre", &[]),
    ("q", &["cite"]),
    ("rp", &[]),
    ("rt", &[]),
    ("ruby", &[]),
    ("s", &[]),
    ("samp", &[]),
    ("section", &[]),
    ("small", &[]),
    ("source", &["src", "srcset", "sizes", "type", "media", "width", "height"]),
    ("span", &[]),
    ("strong", &[]),
    ("sub", &[]),
    ("summary", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["align", "colspan", "rowspan"]),
    ("tfoot", &[]),
    ("th", &["align", "colspan", "rowspan", "scope"]),
    ("thead", &[]),
    ("time", &["datetime"]),
    ("tr", &[]),
    ("track", &["src", "kind", "srclang", "label"]),
    ("u", &[]),
    ("ul", &[]),
    ("var", &[]),
    ("video", &["src", "poster", "controls", "loop", "preload", "width", "height"]),
    ("wbr", &[]),
];

/// Obsolete elements with their replacement.
const RENAMED: &[(&str, &str)] = &[
    ("acronym", "abbr"),
    ("amp-anim", "img"),
    ("amp-audio", "audio"),
    ("amp-img", "img"),
    ("amp-video", "video"),
    ("center", "div"),
    ("dir", "ul"),
    ("image", "img"),
    ("listing", "pre"),
    ("menu", "ul"),
    ("strike", "s"),
    ("tt", "code"),
    ("xmp", "pre"),
];

/// Name and attributes of an allowed element; `None` if it is not allowed.
pub(super) fn element(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    let known = |name: &str| ELEMENTS.binary_search_by_key(&name, |(known, _)| *known).ok();
    let renamed = || RENAMED.iter().find(|(old, _)| *old == name).and_then(|(_, new)| known(new));
    known(name).or_else(renamed).and_then(|at| ELEMENTS.get(at).copied())
}

/// The sanitiser. It only removes; `html` resolves links before.
static AMMONIA: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: HashMap<_, HashSet<_>> = ELEMENTS
        .iter()
        .map(|(name, attributes)| (*name, attributes.iter().copied().collect()))
        .collect();
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.iter().map(|(name, _)| *name).collect())
        .tag_attributes(attributes)
        .generic_attributes(EVERYWHERE.iter().copied().chain(["id"]).collect())
        .clean_content_tags(HashSet::from(["script", "style", "iframe", "svg", "math", "template"]))
        .url_schemes(HYPERLINK.iter().copied().collect())
        .url_relative(UrlRelative::Custom(Box::new(local_link)))
        // Links have no `target`, so that `noopener` is not needed.
        .link_rel(None)
        .strip_comments(true)
        .attribute_filter(web_only);
    builder
});

/// Allows only relative links to footnotes.
fn local_link(url: &str) -> Option<Cow<'_, str>> {
    url.strip_prefix('#').is_some_and(is_outward).then_some(Cow::Borrowed(url))
}

/// Sanitises HTML. Takes quadratic time in the worst case; the caller limits the size.
pub(super) fn sanitise(html: &str) -> String {
    AMMONIA.clean(html).to_string()
}

/// Allows only http and https in attributes that load content, and in URL attributes that ammonia does
/// not check.
fn web_only<'v>(_element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let is_web = |url: &str| {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| WEB.iter().any(|web| web.eq_ignore_ascii_case(scheme)))
    };
    let allowed = match attribute {
        "src" | "poster" | "cite" => is_web(value),
        "srcset" => value.split(", ").all(is_web),
        "id" => is_outward(value),
        _ => true,
    };
    allowed.then_some(Cow::Borrowed(value))
}

/// The allowed attributes of a tag with valid values. `allowed` are the attributes of the element
/// `name` on the allowlist.
pub(super) fn allowed_attributes<'a>(
    name: &str,
    allowed: &[&'static str],
    tag: &'a Tag<'_>,
    link_base: LinkBase<'_>,
) -> Vec<Attribute<'a>> {
    let mut kept: Vec<Attribute<'a>> = Vec::new();
    for (attribute, written) in &tag.attributes {
        let is_it = |known: &&&'static str| **known == attribute;
        if let Some(known) = allowed.iter().chain(EVERYWHERE).find(is_it)
            && let Some(value) = value(name, known, written, link_base)
        {
            kept.push((known, value));
        }
    }
    if matches!(name, "audio" | "video") && tag.attribute("controls").is_none() {
        // Without scripts, a player without controls cannot be used.
        kept.push(("controls", Cow::Borrowed("")));
    }
    kept
}

/// The valid form of an attribute value; `None` if there is none.
fn value<'a>(
    element: &str,
    name: &str,
    written: &'a str,
    link_base: LinkBase<'_>,
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
        "href" => link_base.resolve(written, HYPERLINK).map(Cow::Owned),
        "src" | "poster" | "cite" => link_base.resolve(written, WEB).map(Cow::Owned),
        "srcset" => picture_sources::candidates(written, link_base).map(Cow::Owned),
        "lang" | "hreflang" | "srclang" => metadata::language_tag(written).map(Cow::Owned),
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
        "type" => super::enclosures::media_type(written).map(Cow::Owned),
        "sizes" | "media" => harmless_css(written).then_some(Cow::Borrowed(written)),
        "alt" => Some(Cow::Owned(plain_text::line(written, MAX_LABEL).unwrap_or_default())),
        _ => plain_text::line(written, MAX_LABEL).map(Cow::Owned),
    }
}

/// Whether CSS is only a length or a media query, without references to resources and without code.
pub(super) fn harmless_css(css: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " (),.:%<>=+-*/".contains(c);
    let lower = css.to_ascii_lowercase();
    (1..=300).contains(&css.len())
        && css.chars().all(plain)
        && !["url", "expression", "script", "import"].iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowed_elements_are_sorted() {
        assert!(ELEMENTS.is_sorted_by_key(|(name, _)| name));
        assert!(RENAMED.iter().all(|(old, new)| element(old).is_some_and(|found| found.0 == *new)));
    }

    #[test]
    fn ammonia_alone_enforces_the_allowlist() {
        for (html, safe) in [
            ("<p onclick=x style=y id=z class=c name=n>a</p>", "<p>a</p>"),
            ("<a href='javascript:x'>a</a><a href='b'>c</a>", "<a>a</a><a>c</a>"),
            ("<a href='#x'>a</a><p id=nzzzzzzzz-x>b</p>", "<a>a</a><p>b</p>"),
            (
                "<a href='#n01234567-x'>a</a><p id=n01234567-x>b</p>",
                "<a href=\"#n01234567-x\">a</a><p id=\"n01234567-x\">b</p>",
            ),
            ("<img src='mailto:a@b.c'><img srcset='https://e.org/a, data:x 2x'>", "<img><img>"),
            (
                "<video poster='javascript:x'></video><q cite='magnet:?x'></q>",
                "<video></video><q></q>",
            ),
            (
                "<svg><p>a</svg><iframe srcdoc='<b>'></iframe><style>b</style><form>c</form>",
                "<p>a</p>c",
            ),
            (
                "<a href='https://e.org/?a&amp;b' dir=rtl>x</a>",
                "<a href=\"https://e.org/?a&amp;b\" dir=\"rtl\">x</a>",
            ),
        ] {
            assert_eq!(sanitise(html), safe, "{html}");
        }
    }
}
