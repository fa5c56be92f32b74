//! The text of a story as HTML for a page, which loads nothing but the pictures that the output shows, and has no
//! elements that the page itself needs.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::output::{Images, Presentation};
use super::shown::ShownItem;
use super::story::{Picture, SMALLEST, plain_look};
use super::text::is_title;
use super::texts::Texts;
use crate::model::OutputItem;
use crate::text::html::{self, attribute, tag_length, unescaped};
use crate::text::shown::shown_text;

/// The whole text of a story as HTML for a page. Pictures become links unless the output shows them, so that no other site
/// learns who reads it.
///
/// With [`Images::Proxy`], `picture` returns what is shown for the URL of a picture; `None`: a link.
#[must_use]
pub fn content_html(
    entry: &OutputItem,
    presentation: &Presentation,
    picture: impl Fn(&str) -> Option<Picture>,
) -> String {
    let presentation = plain_look(presentation);
    let shown = ShownItem::new(entry, &presentation);
    match (&shown.body.content, &shown.body.summary) {
        (Some(content), _) => {
            let content = without_title(content, entry.item.title.as_deref());
            let texts = Texts::of(presentation.language.as_deref());
            for_page(&content, presentation.images, texts, picture)
        }
        (None, Some(summary)) => {
            format!("<p>{}</p>", html::escape(summary).replace('\n', "<br>"))
        }
        (None, None) => String::new(),
    }
}

/// Number of repetitions of the title that are removed.
const REPETITIONS: usize = 2;

/// The HTML without headings and paragraphs at its beginning that repeat the title.
pub(super) fn without_title<'h>(content: &'h str, title: Option<&str>) -> Cow<'h, str> {
    let mut content = Cow::Borrowed(content);
    let Some(title) = title else { return content };
    for _ in 0..REPETITIONS {
        let Some((from, to)) = title_block(&content, title) else { break };
        content = [&content[..from], &content[to..]].concat().into();
    }
    content
}

/// Start and end of a heading or paragraph at the beginning of the HTML that is the title.
fn title_block(content: &str, title: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    loop {
        at += content[at..].len() - content[at..].trim_start().len();
        let rest = &content[at..];
        let length = tag_length(rest);
        if !rest.starts_with('<') || rest.starts_with("</") {
            return None;
        }
        match tag_name(&rest[..length]) {
            "div" | "article" | "section" | "header" | "main" => at += length,
            name @ ("h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "p") => {
                let end = rest.find(&format!("</{name}>"))?;
                let block = &rest[..end];
                let has_media = ["<img", "<audio", "<video"].iter().any(|tag| block.contains(tag));
                let is_title = !has_media
                    && (is_title(&html::to_text(block), title)
                        || is_title(&shown_text(block), title));
                return is_title.then(|| (at, at + end + name.len() + "</>".len()));
            }
            _ => return None,
        }
    }
}

/// The HTML as a page shows it: sounds and films have players that load nothing before they are played, pictures are
/// links unless they are shown, and the parts of an article are no landmarks of the page.
fn for_page(
    html: &str,
    images: Images,
    texts: &Texts,
    picture: impl Fn(&str) -> Option<Picture>,
) -> String {
    let mut kept = String::with_capacity(html.len());
    let (mut rest, mut in_link) = (html, false);
    while let Some(at) = rest.find('<') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let (tag, behind) = rest.split_at(tag_length(rest));
        rest = behind;
        let is_end = tag.starts_with("</");
        match tag_name(tag) {
            "img" if images == Images::Direct => {
                kept.push_str("<img loading=\"lazy\" referrerpolicy=\"no-referrer\"");
                kept.push_str(tag.trim_start_matches("<img"));
            }
            "img" => {
                let source = || attribute(tag, "src").filter(|_| images == Images::Proxy);
                match source().and_then(|source| picture(&unescaped(source))) {
                    Some(copy) => push_picture(&mut kept, tag, &copy, (in_link, texts)),
                    None => push_link(&mut kept, tag, attribute(tag, "src"), (in_link, texts)),
                }
            }
            name @ ("audio" | "video") if !is_end => {
                let (inside, behind) = rest.split_once(&format!("</{name}>")).unwrap_or((rest, ""));
                // Without a file, what is shown in its place is all there is.
                if push_player(&mut kept, tag, inside, (in_link, texts)) {
                    rest = behind;
                }
            }
            "audio" | "picture" | "source" | "track" | "video" => {}
            name @ ("article" | "aside" | "footer" | "header" | "main" | "nav" | "section") => {
                kept.push_str(if is_end { "</div" } else { "<div" });
                kept.push_str(&tag[tag.find(name).map_or(0, |at| at + name.len())..]);
            }
            // They scroll, also without a mouse.
            name @ ("pre" | "table") if !is_end => {
                kept.push_str(&format!("<{name} tabindex=\"0\""));
                kept.push_str(&tag[1 + name.len()..]);
            }
            name => {
                if name == "a" {
                    in_link = !is_end;
                }
                kept.push_str(tag);
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Appends a player for an audio or video element with these tag and content; inside of a link, only its name. Returns
/// whether it has a file.
fn push_player(
    kept: &mut String,
    tag: &str,
    inside: &str,
    (in_link, texts): (bool, &Texts),
) -> bool {
    let tags = inside.match_indices("<source").map(|(at, _)| &inside[at..]);
    let tags = tags.map(|rest| &rest[..tag_length(rest)]);
    let sources: Vec<&str> =
        std::iter::once(tag).chain(tags).filter(|tag| attribute(tag, "src").is_some()).collect();
    let Some(first) = sources.first() else { return false };
    let file = attribute(first, "src");
    if in_link {
        push_link(kept, tag, file, (in_link, texts));
        return true;
    }
    let name = tag_name(tag);
    kept.push_str(&format!("<{name} controls preload=\"none\">"));
    for source in sources {
        kept.push_str("<source");
        for key in ["src", "type"] {
            if let Some(value) = attribute(source, key) {
                // Writing into a String cannot fail.
                let _ = write!(kept, " {key}=\"{value}\"");
            }
        }
        kept.push('>');
    }
    // For browsers without players.
    push_link(kept, tag, file, (in_link, texts));
    let _ = write!(kept, "</{name}>");
    true
}

/// Appends a picture that leads to the original of it, unless it is inside of another link.
fn push_picture(kept: &mut String, tag: &str, picture: &Picture, (in_link, texts): (bool, &Texts)) {
    let original = attribute(tag, "src").filter(|_| !in_link);
    let alt = attribute(tag, "alt").unwrap_or_default();
    // A link needs a name.
    let alt = if alt.trim().is_empty() && original.is_some() { texts.picture } else { alt };
    if let Some(url) = original {
        kept.push_str("<a href=\"");
        kept.push_str(url);
        kept.push_str("\" rel=\"noopener noreferrer nofollow\">");
    }
    let source = html::escape(&picture.source);
    // Writing into a String cannot fail.
    let _ = write!(kept, "<img loading=\"lazy\" src=\"{source}\" alt=\"{alt}\"");
    let declared = |side| attribute(tag, side)?.parse::<u32>().ok();
    // A publisher shows emoji and formulas smaller than they are.
    let small = declared("height").filter(|height| *height < SMALLEST);
    match (picture.size, small) {
        (Some((width, height)), Some(small)) => {
            let width = u64::from(width) * u64::from(small) / u64::from(height.max(1));
            let _ = write!(kept, " width=\"{width}\" height=\"{small}\"");
        }
        (Some((width, height)), None) => {
            let _ = write!(kept, " width=\"{width}\" height=\"{height}\"");
        }
        (None, _) => {
            if let (Some(width), Some(height)) = (declared("width"), declared("height")) {
                let _ = write!(kept, " width=\"{width}\" height=\"{height}\"");
            }
        }
    }
    kept.push('>');
    if original.is_some() {
        kept.push_str("</a>");
    }
}

/// Appends a link to the file that `tag` would load, named by its alternative text. Inside of another
/// link, appends the name alone.
fn push_link(kept: &mut String, tag: &str, source: Option<&str>, (in_link, texts): (bool, &Texts)) {
    let name = attribute(tag, "alt");
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or(match tag_name(tag) {
        "img" => texts.picture,
        "audio" => texts.sound,
        _ => texts.film,
    });
    let name = name.replace('<', "&lt;").replace('>', "&gt;");
    match source.filter(|_| !in_link) {
        Some(source) => {
            kept.push_str("<a href=\"");
            kept.push_str(source);
            kept.push_str("\" rel=\"noopener noreferrer nofollow\">[");
            kept.push_str(&name);
            kept.push_str("]</a>");
        }
        None => {
            kept.push('[');
            kept.push_str(&name);
            kept.push(']');
        }
    }
}

/// The `img` tags of HTML, in order.
pub(super) fn image_tags(html: &str) -> impl Iterator<Item = &str> {
    let begins = html.match_indices("<img").map(|(at, _)| &html[at..]);
    begins.map(|rest| &rest[..tag_length(rest)]).filter(|tag| tag_name(tag) == "img")
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_does_not_begin_with_its_title() {
        let shown = |html: &'static str| without_title(html, Some("A & B")).into_owned();
        assert_eq!(shown("<h1>A &amp; B</h1><p>x</p>"), "<p>x</p>");
        assert_eq!(
            shown(" <div><h2><a href=\"https://a.test/\">A &amp; B</a></h2>y</div>"),
            " <div>y</div>"
        );
        assert_eq!(shown("<p><b>A &amp; B</b></p><h2>A &amp; B</h2>x"), "x");
        let picture = "<p>A &amp; B<img src=\"https://e.org/x\"></p>";
        let kept = [
            "<h1>A</h1>x",
            "<p>x</p><h1>A &amp; B</h1>",
            "A & B",
            "",
            "<h1>A &amp; B",
            "<div>",
            picture,
        ];
        for kept in kept.into_iter().chain(["</div><h1>A &amp; B</h1>", "h1"]) {
            assert_eq!(shown(kept), kept);
        }
        assert_eq!(without_title("<h1>x</h1>", None), "<h1>x</h1>");
    }

    #[test]
    fn a_picture_becomes_a_link() {
        let rel = "rel=\"noopener noreferrer nofollow\"";
        for (html, expected) in [
            (
                "<p>a<img alt=\"dish &amp; <x>\" src=\"https://e.org/b.jpg?a&amp;b\" width=\"1\"></p>",
                format!(
                    "<p>a<a href=\"https://e.org/b.jpg?a&amp;b\" {rel}>[dish &amp; &lt;x&gt;]</a></p>"
                ),
            ),
            (
                "<a href=\"https://e.org/\"><img src=\"https://e.org/b.jpg\" alt=\"\"></a>",
                "<a href=\"https://e.org/\">[image]</a>".to_owned(),
            ),
            (
                "<picture><source srcset=\"x\"><img title=\"src=\" alt=\"A\"></picture>",
                "[A]".to_owned(),
            ),
            ("no <b>media</b> &lt;img src=x&gt;", "no <b>media</b> &lt;img src=x&gt;".to_owned()),
        ] {
            assert_eq!(for_page(html, Images::Link, Texts::of(None), |_| None), expected);
        }
    }

    #[test]
    fn only_pictures_are_loaded_if_the_output_shows_them() {
        let html = "<a href=\"/\"><img alt=\"x\" src=\"https://e.org/b\"></a>";
        let shown = for_page(html, Images::Direct, Texts::of(None), |_| None);
        let image = "<img loading=\"lazy\" referrerpolicy=\"no-referrer\" alt=\"x\" src=\"https://e.org/b\">";
        assert_eq!(shown, format!("<a href=\"/\">{image}</a>"));
    }

    #[test]
    fn copies_of_pictures_replace_them_and_lead_to_the_original() {
        let copy = |url: &str| {
            let size = url.contains("known").then_some((640, 480));
            (!url.ends_with("svg")).then(|| Picture { source: format!("/copy?{url}&t=1"), size })
        };
        let shown = |html: &str| for_page(html, Images::Proxy, Texts::of(None), copy);
        let link = |url: &str| format!("<a href=\"{url}\" rel=\"noopener noreferrer nofollow\">");
        let start = "<img loading=\"lazy\" src=\"/copy?https://e.org/";
        assert_eq!(
            shown(
                "<img src=\"https://e.org/a?b&amp;c\" srcset=\"https://e.org/x 2x\" alt=\"&lt;A\" width=\"300\" height=\"200\">"
            ),
            format!(
                "{}{start}a?b&amp;c&amp;t=1\" alt=\"&lt;A\" width=\"300\" height=\"200\"></a>",
                link("https://e.org/a?b&amp;c")
            )
        );
        assert_eq!(
            shown("<a href=\"/\"><img alt=\"\" src=\"https://e.org/known\"></a>"),
            format!(
                "<a href=\"/\">{start}known&amp;t=1\" alt=\"\" width=\"640\" height=\"480\"></a>"
            )
        );
        assert!(
            shown("<img src=\"https://e.org/known\" height=\"24\">")
                .contains("alt=\"image\" width=\"32\" height=\"24\"")
        );
        assert_eq!(
            shown("<img src=\"https://e.org/svg\">"),
            format!("{}[image]</a>", link("https://e.org/svg"))
        );
        assert_eq!(
            shown(
                "<picture><source srcset=\"https://e.org/s\"><img src=\"https://e.org/p\" alt=\"P\"></picture>"
            ),
            format!("{}{start}p&amp;t=1\" alt=\"P\"></a>", link("https://e.org/p"))
        );
    }

    #[test]
    fn sounds_and_films_have_players_that_load_nothing() {
        let link = |url: &str, name: &str| {
            format!("<a href=\"{url}\" rel=\"noopener noreferrer nofollow\">[{name}]</a>")
        };
        let (v, w) = (link("https://e.org/v", "video"), link("https://e.org/w", "audio"));
        for (html, expected) in [
            (
                "<video src=\"https://e.org/v\" poster=\"https://e.org/p\" controls=\"\"><track src=\"x\">No video.</video>z",
                format!(
                    "<video controls preload=\"none\"><source src=\"https://e.org/v\">{v}</video>z"
                ),
            ),
            (
                "<p><audio preload=\"auto\"><source src=\"https://e.org/w\" type=\"audio/ogg\" media=\"x\"><source src=\"https://e.org/x\">Not <b>here</b></audio></p>",
                format!(
                    "<p><audio controls preload=\"none\"><source src=\"https://e.org/w\" type=\"audio/ogg\"><source src=\"https://e.org/x\">{w}</audio></p>"
                ),
            ),
            (
                "<a href=\"/\"><video src=\"https://e.org/v\">x</video></a>",
                "<a href=\"/\">[video]</a>".to_owned(),
            ),
            ("<video><a href=\"/v\">File</a></video>", "<a href=\"/v\">File</a>".to_owned()),
            (
                "<video src=\"https://e.org/v\">x",
                format!(
                    "<video controls preload=\"none\"><source src=\"https://e.org/v\">{v}</video>"
                ),
            ),
        ] {
            for images in [Images::Link, Images::Direct] {
                assert_eq!(for_page(html, images, Texts::of(None), |_| None), expected);
            }
        }
    }

    #[test]
    fn an_article_has_no_landmarks_of_the_page() {
        assert_eq!(
            for_page(
                "<article><header lang=\"de\">a</header><main dir=\"rtl\">b<pre>c</pre></main></article><headers>",
                Images::Link,
                Texts::of(None),
                |_| None
            ),
            "<div><div lang=\"de\">a</div><div dir=\"rtl\">b<pre tabindex=\"0\">c</pre></div></div><headers>"
        );
    }
}
