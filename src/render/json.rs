//! Writes JSON Feed 1.1.
//!
//! No top-level authors, because some readers add them to every item. Facts that JSON Feed has no field for
//! are in the extension `_newswire`, which `docs/reference/json.md` documents.

use serde::Serialize;
use url::Url;

use super::media::{Channel, is_enclosure, media_type, medium};
use super::output::{Format, Output};
use super::page::Page;
use super::shown::{OtherFeed, ShownItem};
use super::text::{self, without_markup};
use crate::model::{Enclosure, Podcast};
use crate::text::dates::rfc3339;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    home_page_url: Option<String>,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Picture for a list of feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    /// The same picture; readers scale it.
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(rename = "_newswire", skip_serializing_if = "Option::is_none")]
    newswire: Option<FeedExtension<'a>>,
    items: Vec<Item<'a>>,
}

/// Facts of a podcast.
#[derive(Serialize)]
struct FeedExtension<'a> {
    podcast: Channel<'a>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(flatten)]
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_modified: Option<String>,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    #[serde(rename = "_newswire")]
    newswire: Newswire<'a>,
}

/// One of the two is required; readers drop items that have neither.
#[derive(Serialize)]
enum Content<'a> {
    #[serde(rename = "content_html")]
    Html(&'a str),
    #[serde(rename = "content_text")]
    Text(String),
}

#[derive(Serialize)]
struct Author<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<u32>,
}

#[derive(Serialize)]
struct Newswire<'a> {
    /// In the name of its page. The database has it too, and is lost more easily.
    number: i64,
    source: Source<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also_at: Vec<AlsoAt<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<&'a str>,
    /// Source of the information, unless it is the page that the item is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'a str>,
    /// Files that are not enclosures: pictures, pages, files of unknown type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<Attachment<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    podcast: Option<&'a Podcast>,
}

#[derive(Serialize)]
struct Source<'a> {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_url: Option<&'a str>,
}

#[derive(Serialize)]
struct AlsoAt<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    source_title: String,
}

/// The complete JSON Feed 1.1 document.
pub(super) fn render(output: &Output, page: Page, entries: &[ShownItem<'_>]) -> Vec<u8> {
    let older = |number| output.with_token(output.archive_url(number, Format::Json));
    let feed = Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: guarded(text::line(&output.title).unwrap_or_else(|| output.id.clone())),
        home_page_url: output.page(),
        feed_url: output.with_token(page.self_url(output, Format::Json)),
        next_url: page.older().map(older),
        description: output.description.as_deref().and_then(text::line).map(guarded),
        icon: output.presentation.icon.as_ref().map(Url::as_str),
        favicon: output.presentation.icon.as_ref().map(Url::as_str),
        language: output.language(),
        newswire: Channel::of(output, entries).map(|podcast| FeedExtension { podcast }),
        items: entries.iter().map(item).collect(),
    };
    // Fails only for maps with keys that are not strings. `check` would reject an empty document.
    let mut bytes = serde_json::to_vec_pretty(&feed).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn item<'a>(shown: &'a ShownItem<'_>) -> Item<'a> {
    let body = &shown.body;
    let text = || body.summary.as_deref().map_or_else(|| shown.made_title(), str::to_owned);
    let mut tags: Vec<String> = Vec::new();
    for (category, term) in shown.categories() {
        let tag = category.label.as_deref().and_then(text::line).unwrap_or(term);
        let tag = guarded(tag);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Item {
        id: &shown.id,
        url: shown.url,
        external_url: shown.about(),
        title: shown.own_title().map(guarded),
        // Without content, the summary is the content.
        summary: body.summary.as_deref().filter(|_| body.content.is_some()).map(guarded),
        content: body
            .content
            .as_deref()
            .map_or_else(|| Content::Text(guarded(text())), Content::Html),
        image: image(shown),
        date_published: rfc3339(shown.published),
        date_modified: (shown.updated != shown.published).then(|| rfc3339(shown.updated)),
        authors: authors(shown),
        tags,
        language: shown.language,
        attachments: attachments(shown),
        newswire: newswire(shown),
    }
}

/// Plain text for readers that parse it as HTML.
fn guarded(text: impl AsRef<str>) -> String {
    without_markup(text.as_ref()).into_owned()
}

fn authors<'a>(shown: &'a ShownItem<'_>) -> Vec<Author<'a>> {
    let authors = shown.authors_or_origin();
    authors
        .into_iter()
        .map(|author| Author { name: guarded(author.name), url: author.page })
        .collect()
}

/// The picture of the item, else the first file that is a picture.
fn image<'a>(shown: &'a ShownItem<'_>) -> Option<&'a str> {
    let file = || shown.files().find(|file| medium(file) == Some("image"));
    shown.image().map(|image| &*image.url).or_else(|| Some(&*file()?.url))
}

/// The enclosures, the main one first, as in the other formats.
fn attachments<'a>(shown: &'a ShownItem<'_>) -> Vec<Attachment<'a>> {
    shown.enclosures().map(|file| attachment(shown, file)).collect()
}

fn attachment<'a>(shown: &ShownItem<'_>, file: &'a Enclosure) -> Attachment<'a> {
    let of_item = shown.entry.item.details.duration.filter(|_| file.is_played());
    Attachment {
        url: &file.url,
        mime_type: media_type(file),
        title: file.title.as_deref().and_then(text::line).map(guarded),
        size_in_bytes: file.length,
        duration_in_seconds: file.duration.or(of_item),
    }
}

fn newswire<'a>(shown: &'a ShownItem<'_>) -> Newswire<'a> {
    let origin = &shown.origin;
    let others = shown.files().filter(|file| !is_enclosure(file));
    Newswire {
        number: shown.entry.key.0,
        source: Source {
            title: guarded(&*origin.title),
            url: origin.page,
            feed_url: origin.feed_url,
        },
        also_at: shown.also_at().map(also_at).collect(),
        related: shown.related().collect(),
        via: shown.via().filter(|via| shown.about() != Some(via)),
        files: others.map(|file| attachment(shown, file)).collect(),
        comments_url: shown.comments(),
        rights: shown.entry.item.details.rights.as_deref().and_then(text::line).map(guarded),
        podcast: shown.entry.item.details.podcast.as_ref(),
    }
}

fn also_at(other: OtherFeed<'_>) -> AlsoAt<'_> {
    AlsoAt { url: other.url, title: other.title.map(guarded), source_title: guarded(other.feed) }
}
