//! Whether a text that is either plain text or HTML is HTML.

/// Whether a text contains an HTML reference or tag.
pub(super) fn looks_like_html(text: &str) -> bool {
    // Bounds the cost: the end tag of each `<` is searched.
    let text = text.char_indices().nth(2_000).map_or(text, |(end, _)| &text[..end]);
    let reference = text.match_indices('&').any(|(at, _)| {
        let name = &text.as_bytes()[at + 1..];
        let end = name.iter().take(12).position(|byte| *byte == b';');
        end.is_some_and(|end| {
            end > 1 && name[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        })
    });
    reference
        || begins_emphasis(text)
        || text.match_indices('<').any(|(at, _)| is_markup(&text[at + 1..]))
}

/// Whether a comment or an HTML tag begins here and is closed if it must be. `Vec<T>` and `the <script> tag` are
/// text, and so is a void element that shows nothing, as in `the <input> element`.
fn is_markup(rest: &str) -> bool {
    if let Some(comment) = rest.strip_prefix("!--") {
        return comment.contains("-->");
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let name = name.to_ascii_lowercase();
    let Some((tag, content)) = rest.split_once('>') else { return false };
    let closed = || {
        let end = content.to_ascii_lowercase().find(&format!("</{name}"))?;
        Some(&content[..end])
    };
    match name.as_str() {
        "br" | "wbr" => true,
        "img" => tag.to_ascii_lowercase().contains("src"),
        name if INLINE.contains(&name) => closed().is_some(),
        name if OF_TITLES.contains(&name) => closed().is_some_and(|text| !text.trim().is_empty()),
        _ => false,
    }
}

/// Elements that are markup if they are closed.
#[rustfmt::skip]
const INLINE: &[&str] = &[
    "a", "abbr", "b", "big", "cite", "code", "del", "div", "em", "font", "i", "iframe", "ins", "kbd",
    "mark", "math", "p", "q", "s", "script", "small", "span", "strike", "strong", "style", "sub",
    "sup", "tt", "u",
];

/// Elements that are markup if they are closed and have content.
#[rustfmt::skip]
const OF_TITLES: &[&str] = &[
    "acronym", "bdi", "bdo", "blockquote", "center", "dfn", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "ol", "ruby", "samp", "time", "ul", "var",
];

/// Whether a text begins with the tag of an emphasis that is not closed: `<i>Hamlet reviewed`, but not `<b> or
/// <strong>`.
fn begins_emphasis(text: &str) -> bool {
    let text = text.trim_start();
    ["<b>", "<i>", "<u>", "<em>", "<strong>"].iter().any(|tag| {
        let (start, rest) = (text.get(..tag.len()), text.get(tag.len()..));
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
            && rest.is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
    })
}
/// Names of HTML elements that are common in texts.
#[rustfmt::skip]
const HTML: &[&str] = &[
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "big", "blockquote", "br",
    "caption", "center", "cite", "code", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "embed", "figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "i", "iframe", "img", "ins", "kbd", "li", "main", "mark", "nav", "object", "ol",
    "p", "picture", "pre", "q", "s", "samp", "script", "section", "small", "span", "strike",
    "strong", "style", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr",
    "tt", "u", "ul", "var", "video", "wbr",
];

/// Whether a text contains a complete tag of an HTML element.
pub(crate) fn has_tags(text: &str) -> bool {
    let Some(last) = text.rfind('>') else { return false };
    text[..last].match_indices('<').any(|(at, _)| {
        let rest = text[at + 1..].trim_start_matches('/');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        behind.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
            && name.len() <= 10
            && HTML.binary_search(&&*name.to_ascii_lowercase()).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_html_elements_are_sorted() {
        assert!(HTML.is_sorted());
    }

    #[test]
    fn html_markup_in_a_title_is_recognised() {
        for title in [
            "a &#8217; b",
            "a &amp; b",
            "<em>new</em>",
            "<math><mi>x</mi></math>",
            "<script>alert(1)</script>",
            "a<br/>b",
            "<h1>head</h1>",
            "<li class='x'>item</li>",
            "<ruby>漢<rt>kan</rt></ruby>",
            "a <!-- b --> c",
            "<i>Hamlet reviewed",
            " <STRONG>1984",
            "<img alt=x src='a.png'/> b",
        ] {
            assert!(looks_like_html(title), "{title}");
        }
    }

    #[test]
    fn a_title_about_markup_is_text() {
        for title in [
            "1 < 2 & 3",
            "AT&T; more",
            "Vec<T>",
            "List<i>s",
            "what the <script> tag does",
            "a <!-- b",
            "<!DOCTYPE html> history",
            "<h1> and <h2>",
            "the <li></li> tags",
            "<b> or <strong>",
            "<b>: the element",
            "the <input type='date'> element",
            "<link rel=preload> tips",
            "new <meta name='theme-color'> tag",
            "<hr> considered",
            "use the <img> tag",
            "</b> stray",
            "<",
        ] {
            assert!(!looks_like_html(title), "{title}");
        }
    }
}
