//! A story for the web pages: the facts of the documents as plain text.

use jiff::Timestamp;

use super::direction;
use super::output::{AlsoAt, Images, Presentation};
use super::shown::ShownItem;
use super::story_html::image_tags;
use super::text;
use crate::model::{Enclosure, ItemKey, OutputItem};
use crate::text::chars::boundary_before;
use crate::text::html::{attribute, unescaped};
use crate::text::shown::shown_text;

/// Maximum length of an excerpt in characters.
const MAX_EXCERPT: usize = 300;
/// Least width and height of a picture for lists, in pixels.
pub(super) const SMALLEST: u32 = 100;
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
    /// Value of the attribute `dir` of the title: `rtl` or `auto`.
    pub title_direction: &'static str,
    /// The same of the text.
    pub text_direction: &'static str,
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
    let text = shown.body.content.as_deref().map(shown_text);
    let text = text.as_deref().or(shown.body.summary.as_deref())?;
    let found = find(text)?;
    let before = text[..found].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let before = boundary_before(text, before);
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
        let text = shown.body.content.as_deref().map(shown_text);
        let text = text.as_deref().or(shown.body.summary.as_deref());
        let title = shown.made_title();
        let own = shown.own_title().is_some();
        let text = text.map(|text| if own { text::behind_title(text, &title) } else { text });
        let excerpt = text.and_then(|text| text::beginning(text, MAX_EXCERPT)).unwrap_or_default();
        let text_direction = match &shown.body.content {
            Some(content) => direction::of_html(shown.language, content),
            None => direction::of_text(shown.language, &excerpt),
        };
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
            title_direction: direction::of_text(shown.language, &title),
            text_direction,
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

/// The presentation without additions for feed readers: pages have their own places for the source and for other
/// feeds with the story.
pub(super) fn plain_look(presentation: &Presentation) -> Presentation {
    Presentation { title_prefix: None, also_at: AlsoAt::Links, ..presentation.clone() }
}
