//! A story for the web pages: the facts of the documents as plain text, and the content as HTML that loads
//! nothing.

use jiff::Timestamp;

use super::output::{AlsoAt, Images, Presentation};
use super::shown::ShownItem;
use super::text;
use crate::model::{Enclosure, ItemKey, OutputItem};
use crate::text::html::{self, tag_length};

/// Maximum length of an excerpt in characters.
const MAX_EXCERPT: usize = 300;
/// Number of characters of an excerpt before the word that is looked for.
const BEFORE: usize = 80;

/// One story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Key of the item in the store.
    pub key: ItemKey,
    /// Title, never empty.
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
    /// Language, BCP 47.
    pub language: Option<String>,
    /// The beginning of the text; empty if there is no text.
    pub excerpt: String,
    /// Whether the text is longer than the excerpt.
    pub is_truncated: bool,
    /// The same story in other feeds, named by the feed.
    pub also_at: Vec<OtherHeadline>,
    /// Attached files.
    pub files: Vec<StoryLink>,
    /// URL of its picture, if pages show pictures.
    pub image: Option<String>,
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

/// A part of the text of an entry with the first word that is searched for; `None`: the text has no such word.
#[must_use]
pub fn excerpt_around(
    entry: &OutputItem,
    presentation: &Presentation,
    is_wanted: impl Fn(&str) -> bool,
) -> Option<String> {
    let presentation = plain_look(presentation);
    let shown = ShownItem::new(entry, &presentation);
    let text = shown.body.content.as_deref().map(html::to_text);
    let text = text.as_deref().or(shown.body.summary.as_deref())?;
    let mut words = text.split_inclusive(|c: char| !c.is_alphanumeric());
    let mut found = 0;
    loop {
        let word = words.next()?;
        if is_wanted(word) {
            break;
        }
        found += word.len();
    }
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
    /// Web address.
    pub url: String,
    /// Title of the feed.
    pub feed: String,
    /// Title of the item there, if it is another one.
    pub title: Option<String>,
}

/// A link of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryLink {
    /// Web address.
    pub url: String,
    /// Text of the link.
    pub name: String,
    /// How the page plays it; `None`: it is a link only.
    pub media: Option<Media>,
}

/// A kind of file that browsers play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Sound.
    Audio,
    /// A film.
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

/// Names of media without a text of their own, in the language of the page.
#[derive(Debug, Clone, Copy)]
pub struct MediaNames {
    /// Of a picture.
    pub picture: &'static str,
    /// Of a sound.
    pub sound: &'static str,
    /// Of a film.
    pub film: &'static str,
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
            image: shown
                .image()
                .filter(|_| presentation.images == Images::Direct)
                .map(|image| image.url.clone()),
            comments_url: shown.comments().map(str::to_owned),
        }
    }
}

/// The whole text of a story as HTML for a page. Sounds and films become links, and so do pictures unless the output
/// shows them, so that no other site learns who reads it.
#[must_use]
pub fn content_html(entry: &OutputItem, presentation: &Presentation, names: &MediaNames) -> String {
    let presentation = plain_look(presentation);
    let shown = ShownItem::new(entry, &presentation);
    match (&shown.body.content, &shown.body.summary) {
        (Some(content), _) => without_media(content, presentation.images, names),
        (None, Some(summary)) => {
            format!("<p>{}</p>", html::escape(summary).replace('\n', "<br>"))
        }
        (None, None) => String::new(),
    }
}

/// The presentation without additions for feed readers: pages have their own places for the source and for other
/// feeds with the story.
fn plain_look(presentation: &Presentation) -> Presentation {
    Presentation { title_prefix: None, also_at: AlsoAt::Links, ..presentation.clone() }
}

/// The HTML with every sound, film and, unless they are shown, picture replaced by a link to it.
fn without_media(html: &str, images: Images, names: &MediaNames) -> String {
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
            "img" | "audio" | "video" if !tag.starts_with("</") => {
                push_link(&mut kept, tag, in_link, names);
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

/// Appends a link to the file that `tag` would load, named by its alternative text. Inside of another
/// link, appends the name alone.
fn push_link(kept: &mut String, tag: &str, in_link: bool, names: &MediaNames) {
    let (source, name) = (attribute(tag, "src"), attribute(tag, "alt"));
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or(match tag_name(tag) {
        "img" => names.picture,
        "audio" => names.sound,
        _ => names.film,
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
    fn an_excerpt_does_not_repeat_the_title() {
        assert_eq!(
            text_behind("All Stars\nThe best of the best", "All Stars"),
            "The best of the best"
        );
        for text in ["All Stars are out", "All StarsX", "All Stars", "Other text"] {
            assert_eq!(text_behind(text, "All Stars"), text);
        }
    }

    const NAMES: MediaNames = MediaNames { picture: "picture", sound: "sound", film: "film" };

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
                "<a href=\"https://e.org/\">[picture]</a>".to_owned(),
            ),
            (
                "<video src=\"https://e.org/v\" poster=\"https://e.org/p\"><track src=\"x\"></video>z",
                format!("<a href=\"https://e.org/v\" {rel}>[film]</a>z"),
            ),
            (
                "<picture><source srcset=\"x\"><img title=\"src=\" alt=\"A\"></picture>",
                "[A]".to_owned(),
            ),
            ("no <b>media</b> &lt;img src=x&gt;", "no <b>media</b> &lt;img src=x&gt;".to_owned()),
        ] {
            assert_eq!(without_media(html, Images::Link, &NAMES), expected);
        }
    }

    #[test]
    fn only_pictures_are_loaded_if_the_output_shows_them() {
        let html = "<a href=\"/\"><img alt=\"x\" src=\"https://e.org/b\"></a><audio src=\"https://e.org/s\"></audio>";
        let shown = without_media(html, Images::Direct, &NAMES);
        let image = "<img loading=\"lazy\" referrerpolicy=\"no-referrer\" alt=\"x\" src=\"https://e.org/b\">";
        assert!(
            shown.starts_with(&format!("<a href=\"/\">{image}</a><a href=\"https://e.org/s\""))
        );
        assert!(shown.ends_with(">[sound]</a>"), "{shown}");
    }
}
