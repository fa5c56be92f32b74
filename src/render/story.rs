//! A story for the web pages: the facts of the documents as plain text, and the content as HTML that loads
//! nothing but the pictures that the output shows.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::output::{AlsoAt, Images, Presentation};
use super::shown::ShownItem;
use super::text;
use super::texts::Texts;
use crate::model::{Enclosure, ItemKey, OutputItem};
use crate::text::html::{self, tag_length};

/// Maximum length of an excerpt in characters.
const MAX_EXCERPT: usize = 300;
/// Least width and height of a picture for lists, in pixels.
const SMALLEST: u32 = 100;
/// Number of characters of an excerpt before the word that is looked for.
const BEFORE: usize = 80;

/// A story as web pages list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Key of the item in the store.
    pub key: ItemKey,
    /// Title of the story; never empty.
    pub title: String,
    /// Whether the title is the publisher's; otherwise it was made from the text.
    pub has_own_title: bool,
    /// URL of the publisher's page.
    pub url: Option<String>,
    /// Time by which stories are sorted.
    pub at: Timestamp,
    /// Id of the feed.
    pub feed: String,
    /// Title of the feed that it is attributed to.
    pub source: String,
    /// Names of the authors.
    pub authors: Vec<String>,
    /// Language of the story, a BCP 47 tag.
    pub language: Option<String>,
    /// The beginning of the text; empty if there is no text.
    pub excerpt: String,
    /// Whether the text is longer than the excerpt.
    pub is_truncated: bool,
    /// The same story in other feeds, named by the feed.
    pub also_at: Vec<OtherHeadline>,
    /// Links to the attached files.
    pub files: Vec<StoryLink>,
    /// Its picture on lists, if pages show pictures: the one that the publisher names, else the first of the text.
    pub image: Option<StoryImage>,
    /// URL of the comments.
    pub comments_url: Option<String>,
}

/// The text behind the title, which many texts repeat at their beginning.
fn text_behind<'t>(text: &'t str, title: &str) -> &'t str {
    let text = text.trim_start();
    let rest = text.strip_prefix(title).unwrap_or_default();
    // Not the beginning of a longer word or of a sentence.
    let is_whole = rest.starts_with(char::is_whitespace)
        && rest.trim_start().starts_with(|c: char| c.is_uppercase());
    if is_whole { rest.trim_start() } else { text }
}

/// A part of the text of an entry with the first word that is searched for, whose position `find` returns; `None`: the
/// text has no such word.
#[must_use]
pub fn excerpt_around(
    entry: &OutputItem,
    presentation: &Presentation,
    find: impl Fn(&str) -> Option<usize>,
) -> Option<String> {
    let presentation = plain_look(presentation);
    let shown = ShownItem::new(entry, &presentation);
    let text = shown.body.content.as_deref().map(html::to_text);
    let text = text.as_deref().or(shown.body.summary.as_deref())?;
    let found = find(text)?;
    let before = text[..found].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let begins = match text[before..found].find(char::is_whitespace) {
        Some(space) if before > 0 => before + space,
        _ => before,
    };
    let part = text::beginning(&text[begins..], MAX_EXCERPT)?;
    Some(if begins > 0 { format!("… {part}") } else { part })
}

/// The same story in another feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHeadline {
    /// URL of the item in the other feed.
    pub url: String,
    /// Title of the feed.
    pub feed: String,
    /// Title of the item there, if it is another one.
    pub title: Option<String>,
}

/// A link of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryLink {
    /// Target of the link, http or https.
    pub url: String,
    /// Text of the link.
    pub name: String,
    /// How the page plays it; `None`: it is a link only.
    pub media: Option<Media>,
}

/// A picture of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryImage {
    /// URL of the picture, http or https.
    pub url: String,
    /// Whether it is only the first one of the text, which may be a small decoration.
    pub is_guess: bool,
}

/// A picture on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// URL that browsers load.
    pub source: String,
    /// Width and height in pixels, if they are known.
    pub size: Option<(u32, u32)>,
}

/// A kind of file that browsers play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Played by an `<audio>` element.
    Audio,
    /// Played by a `<video>` element.
    Video,
}

impl Media {
    fn of(file: &Enclosure) -> Option<Self> {
        match file.media_type.split('/').next() {
            Some("audio") => Some(Self::Audio),
            Some("video") => Some(Self::Video),
            _ => (file.media_type == "application/ogg").then_some(Self::Audio),
        }
    }
}

impl Story {
    /// The story of `entry`, as an output with this `presentation` shows it.
    #[must_use]
    pub fn of(entry: &OutputItem, presentation: &Presentation) -> Self {
        let presentation = plain_look(presentation);
        let shown = ShownItem::new(entry, &presentation);
        let text = shown.body.content.as_deref().map(html::to_text);
        let text = text.as_deref().or(shown.body.summary.as_deref());
        let title = shown.made_title();
        let own = shown.own_title().is_some();
        let text = text.map(|text| if own { text_behind(text, &title) } else { text });
        let excerpt = text.and_then(|text| text::beginning(text, MAX_EXCERPT)).unwrap_or_default();
        let file = |file: &Enclosure| {
            let title = file.title.as_deref().and_then(text::line);
            let name = file.url.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&file.url);
            let name = title.unwrap_or_else(|| name.to_owned());
            StoryLink { url: file.url.clone(), name, media: Media::of(file) }
        };
        let also_at = shown.also_at().map(|also| OtherHeadline {
            url: also.url.to_owned(),
            feed: also.feed,
            title: also.title.filter(|other| *other != title),
        });
        let also_at = also_at.collect();
        Self {
            key: entry.key,
            has_own_title: own,
            url: shown.url.map(str::to_owned),
            at: entry.sort_at,
            feed: entry.feed.id.to_string(),
            source: shown.origin.title.clone(),
            authors: shown.authors.iter().map(|author| author.name.clone()).collect(),
            language: shown.language.map(str::to_owned),
            is_truncated: excerpt.ends_with('…') && excerpt.chars().count() > MAX_EXCERPT / 2,
            excerpt,
            also_at,
            title,
            files: shown.files().map(file).collect(),
            image: (presentation.images != Images::Link).then(|| image(&shown)).flatten(),
            comments_url: shown.comments().map(str::to_owned),
        }
    }
}

/// The picture for lists.
fn image(shown: &ShownItem<'_>) -> Option<StoryImage> {
    let named = shown.image().map(|image| StoryImage { url: image.url.clone(), is_guess: false });
    let content = shown.body.content.as_deref().unwrap_or_default();
    let is_large = |tag: &&str| {
        let sides = ["width", "height"].into_iter().filter_map(|side| attribute(tag, side));
        sides.filter_map(|side| side.parse().ok()).all(|side: u32| side >= SMALLEST)
    };
    named.or_else(|| {
        let first = image_tags(content).find(is_large)?;
        Some(StoryImage { url: unescaped(attribute(first, "src")?).into_owned(), is_guess: true })
    })
}

/// The web addresses of all pictures that pages of an output show of an entry.
#[must_use]
pub fn image_urls(entry: &OutputItem, presentation: &Presentation) -> Vec<String> {
    let presentation = plain_look(presentation);
    let shown = ShownItem::new(entry, &presentation);
    let content = shown.body.content.as_deref().unwrap_or_default();
    let of_text = image_tags(content).filter_map(|tag| attribute(tag, "src"));
    let named = shown.image().map(|image| image.url.clone());
    named.into_iter().chain(of_text.map(|url| unescaped(url).into_owned())).collect()
}

/// The `img` tags of HTML, in order.
fn image_tags(html: &str) -> impl Iterator<Item = &str> {
    let begins = html.match_indices("<img").map(|(at, _)| &html[at..]);
    begins.map(|rest| &rest[..tag_length(rest)]).filter(|tag| tag_name(tag) == "img")
}

/// The value of an attribute without references. Serialisers write no others.
fn unescaped(value: &str) -> Cow<'_, str> {
    html::resolve_references(value, 6, |name| {
        Some(Cow::Borrowed(match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "nbsp" => "\u{a0}",
            _ => return None,
        }))
    })
}

/// The whole text of a story as HTML for a page. Sounds and films become links, and so do pictures unless the output
/// shows them, so that no other site learns who reads it.
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
            with_pictures(&content, presentation.images, texts, picture)
        }
        (None, Some(summary)) => {
            format!("<p>{}</p>", html::escape(summary).replace('\n', "<br>"))
        }
        (None, None) => String::new(),
    }
}

/// The HTML without a heading at its beginning that repeats the title.
fn without_title<'h>(content: &'h str, title: Option<&str>) -> Cow<'h, str> {
    let mut at = 0;
    loop {
        at += content[at..].len() - content[at..].trim_start().len();
        let rest = &content[at..];
        let length = tag_length(rest);
        if !rest.starts_with('<') || rest.starts_with("</") {
            break;
        }
        match tag_name(&rest[..length]) {
            "div" | "article" | "section" | "header" => at += length,
            name @ ("h1" | "h2" | "h3") => {
                let Some((heading, behind)) = rest.split_once(&format!("</{name}>")) else { break };
                if title != Some(html::to_text(heading).trim()) {
                    break;
                }
                return format!("{}{behind}", &content[..at]).into();
            }
            _ => break,
        }
    }
    content.into()
}

/// The presentation without additions for feed readers: pages have their own places for the source and for other
/// feeds with the story.
fn plain_look(presentation: &Presentation) -> Presentation {
    Presentation { title_prefix: None, also_at: AlsoAt::Links, ..presentation.clone() }
}

/// The HTML with every sound, film and, unless they are shown, picture replaced by a link to it.
fn with_pictures(
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
        match tag_name(tag) {
            "img" if images == Images::Direct => {
                kept.push_str("<img loading=\"lazy\" referrerpolicy=\"no-referrer\"");
                kept.push_str(tag.trim_start_matches("<img"));
            }
            name @ ("img" | "audio" | "video") if !tag.starts_with("</") => {
                let copy = (name == "img" && images == Images::Proxy)
                    .then(|| picture(&unescaped(attribute(tag, "src")?)))
                    .flatten();
                match copy {
                    Some(copy) => push_picture(&mut kept, tag, &copy, (in_link, texts)),
                    None => push_link(&mut kept, tag, in_link, texts),
                }
            }
            "audio" | "img" | "picture" | "source" | "track" | "video" => {}
            name => {
                if name == "a" {
                    in_link = !tag.starts_with("</");
                }
                kept.push_str(tag);
            }
        }
    }
    kept.push_str(rest);
    kept
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
fn push_link(kept: &mut String, tag: &str, in_link: bool, texts: &Texts) {
    let (source, name) = (attribute(tag, "src"), attribute(tag, "alt"));
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

/// The value of an attribute, still escaped. A serialiser puts all values in double quotes.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag.split_once(char::is_whitespace)?.1;
    while let Some((key, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"')?;
        if key.split_whitespace().next_back() == Some(name) {
            return Some(value);
        }
        rest = behind;
    }
    None
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
        let kept =
            ["<h1>A</h1>x", "<p>x</p><h1>A &amp; B</h1>", "A & B", "", "<h1>A &amp; B", "<div>"];
        for kept in kept.into_iter().chain(["</div><h1>A &amp; B</h1>", "h1"]) {
            assert_eq!(shown(kept), kept);
        }
        assert_eq!(without_title("<h1>x</h1>", None), "<h1>x</h1>");
    }

    #[test]
    fn an_excerpt_does_not_repeat_the_title() {
        assert_eq!(
            text_behind("All Stars\nThe best of the best", "All Stars"),
            "The best of the best"
        );
        for text in ["All Stars are out", "All StarsX", "All Stars", "Other text"] {
            assert_eq!(text_behind(text, "All Stars"), text);
        }
    }

    #[test]
    fn media_becomes_a_link() {
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
                "<video src=\"https://e.org/v\" poster=\"https://e.org/p\"><track src=\"x\"></video>z",
                format!("<a href=\"https://e.org/v\" {rel}>[video]</a>z"),
            ),
            (
                "<picture><source srcset=\"x\"><img title=\"src=\" alt=\"A\"></picture>",
                "[A]".to_owned(),
            ),
            ("no <b>media</b> &lt;img src=x&gt;", "no <b>media</b> &lt;img src=x&gt;".to_owned()),
        ] {
            assert_eq!(with_pictures(html, Images::Link, Texts::of(None), |_| None), expected);
        }
    }

    #[test]
    fn only_pictures_are_loaded_if_the_output_shows_them() {
        let html = "<a href=\"/\"><img alt=\"x\" src=\"https://e.org/b\"></a><audio src=\"https://e.org/s\"></audio>";
        let shown = with_pictures(html, Images::Direct, Texts::of(None), |_| None);
        let image = "<img loading=\"lazy\" referrerpolicy=\"no-referrer\" alt=\"x\" src=\"https://e.org/b\">";
        assert!(
            shown.starts_with(&format!("<a href=\"/\">{image}</a><a href=\"https://e.org/s\""))
        );
        assert!(shown.ends_with(">[audio]</a>"), "{shown}");
    }

    #[test]
    fn copies_of_pictures_replace_them_and_lead_to_the_original() {
        let copy = |url: &str| {
            let size = url.contains("known").then_some((640, 480));
            (!url.ends_with("svg")).then(|| Picture { source: format!("/copy?{url}&t=1"), size })
        };
        let shown = |html: &str| with_pictures(html, Images::Proxy, Texts::of(None), copy);
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
}
