//! What HTML may be passed on: the elements, their attributes, and the sanitiser that keeps to them.
//!
//! One table for `rewrite`, which mends, and for ammonia, which judges what `rewrite` wrote.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::links::{HYPERLINK, WEB};

/// What every element may have.
///
/// No `style`, `id`, `name` or `class`: they reach out of the item into the page that shows it.
pub(super) const EVERYWHERE: &[&str] = &["dir", "lang"];

/// Every element that is kept, with the attributes of its own. All else is unwrapped.
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

/// Elements of the past by the name they have today.
const RENAMED: &[(&str, &str)] = &[
    ("acronym", "abbr"),
    ("amp-img", "img"),
    ("center", "div"),
    ("dir", "ul"),
    ("image", "img"),
    ("listing", "pre"),
    ("menu", "ul"),
    ("strike", "s"),
    ("tt", "code"),
    ("xmp", "pre"),
];

/// The attributes that an element of this name may have; `None` where it is not kept.
pub(super) fn element(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    let known = |name: &str| ELEMENTS.binary_search_by_key(&name, |(known, _)| *known).ok();
    let renamed = || RENAMED.iter().find(|(old, _)| *old == name).and_then(|(_, new)| known(new));
    known(name).or_else(renamed).and_then(|at| ELEMENTS.get(at).copied())
}

/// The sanitiser. Nothing is resolved or mended here: it only refuses.
static AMMONIA: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: HashMap<_, HashSet<_>> = ELEMENTS
        .iter()
        .map(|(name, attributes)| (*name, attributes.iter().copied().collect()))
        .collect();
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.iter().map(|(name, _)| *name).collect())
        .tag_attributes(attributes)
        .generic_attributes(EVERYWHERE.iter().copied().collect())
        .clean_content_tags(HashSet::from(["script", "style", "iframe", "svg", "math", "template"]))
        .url_schemes(HYPERLINK.iter().copied().collect())
        .url_relative(UrlRelative::Deny)
        // No link has a target, so none needs `noopener`; where it leads is the subscriber's choice.
        .link_rel(None)
        .strip_comments(true)
        .attribute_filter(web_only);
    builder
});

/// Runs the sanitiser. Quadratic in the worst case: the caller bounds `html`.
pub(super) fn sanitise(html: &str) -> String {
    AMMONIA.clean(html).to_string()
}

/// Refuses in the URL attributes that ammonia does not know, and in those that load, all but the web.
fn web_only<'v>(_element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let is_web = |url: &str| {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| WEB.iter().any(|web| web.eq_ignore_ascii_case(scheme)))
    };
    let allowed = match attribute {
        "src" | "poster" | "cite" => is_web(value),
        "srcset" => value.split(", ").all(is_web),
        _ => true,
    };
    allowed.then_some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ELEMENTS.is_sorted_by_key(|(name, _)| name));
        assert!(RENAMED.iter().all(|(old, new)| element(old).is_some_and(|found| found.0 == *new)));
    }

    #[test]
    fn ammonia_alone_keeps_to_the_policy() {
        for (html, safe) in [
            ("<p onclick=x style=y id=z class=c name=n>a</p>", "<p>a</p>"),
            ("<a href='javascript:x'>a</a><a href='b'>c</a>", "<a>a</a><a>c</a>"),
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
