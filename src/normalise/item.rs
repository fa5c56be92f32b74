//! A parsed item to an `Item`, and a parsed feed to its profile. Selects the elements for each field.

use jiff::Timestamp;
use url::Url;

use super::escaping::{meant, meant_title, references};
use super::links::{self, LinkBase, WEB};
use super::plain_text::{self, NAME, SUMMARY, TITLE, text_of_html};
use super::{enclosures, html, metadata};
use crate::model::{
    Chapter, Details, FeedProfile, Item, Link, ParseWarning, ParsedFeed, ParsedItem, Podcast,
    PodcastFile, SourceInfo, Text, TextKind,
};
use crate::text::html::{Piece, pieces};
use crate::text::sha256::{hex, sha256};
use crate::text::{bidi, chars};

/// Maximum length of an id in bytes. A longer one is replaced by its hash.
pub(super) const MAX_ID: usize = 2 * 1024;

/// Maximum number of related pages of an item.
const MAX_RELATED: usize = 20;

/// Facts about the document of an item.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Time when the document was fetched.
    pub now: Timestamp,
    /// URL of the document after redirects.
    pub document_url: &'a Url,
    /// Language of the feed as written.
    pub feed_language: Option<&'a str>,
}

/// The normalised item. Unsafe, implausible and empty values are dropped.
///
/// Never panics; takes bounded time.
#[must_use]
pub fn item(parsed: &ParsedItem, context: &Context<'_>) -> Item {
    let base = context.document_url;
    let url = page(parsed, base);
    let (published, updated) = metadata::dates(parsed.published, parsed.updated, context.now);
    let (content, summary) = content_and_summary(parsed, base, url.as_deref());
    let (files, _) = enclosures::enclosures(&parsed.enclosures, base);
    let web = |link: &str| links::absolute(link, base, WEB);
    let via = others(&parsed.links, "via", base, url.as_deref()).next();
    Item {
        guid: parsed.id.as_deref().and_then(id),
        title: parsed.title.as_ref().and_then(|title| plain(title, TITLE)),
        summary,
        content,
        published,
        updated,
        language: item_language(parsed, context),
        details: Details {
            authors: metadata::authors(&parsed.authors, base).0,
            categories: metadata::categories(&parsed.categories).0,
            image: enclosures::item_image(&parsed.thumbnails, &files, base),
            enclosures: files,
            comments: parsed.comments.as_deref().and_then(web),
            source: parsed.source.as_ref().and_then(|source| origin(source, base)),
            rights: parsed.rights.as_ref().and_then(|rights| plain(rights, TITLE)),
            via,
            related: related(&parsed.links, base, url.as_deref()),
            duration: parsed.duration.filter(|seconds| *seconds > 0),
            podcast: podcast(&parsed.podcast, base),
        },
        url,
    }
}

/// Leaves out the items that have nothing to show: no title, text, link, file or picture that can be published. Returns
/// the parse warning about them.
pub fn leave_out_blank(feed: &mut ParsedFeed, document_url: &Url) -> Option<ParseWarning> {
    let all = feed.items.len();
    feed.items.retain(|item| !is_blank(item, document_url));
    let message = match all - feed.items.len() {
        0 => return None,
        1 => "1 item has no title, text, link or file; left out".to_owned(),
        blank => format!("{blank} items have no title, text, link or file; left out"),
    };
    Some(ParseWarning::new("blank_items", None, message))
}

/// Whether nothing of an item can be shown. Nearly all items have a link, so that their texts are not read here.
fn is_blank(parsed: &ParsedItem, base: &Url) -> bool {
    let is_linked = |rel| others(&parsed.links, rel, base, None).next().is_some();
    let has_media = || {
        let (files, _) = enclosures::enclosures(&parsed.enclosures, base);
        !files.is_empty() || enclosures::item_image(&parsed.thumbnails, &files, base).is_some()
    };
    let title = || parsed.title.as_ref().and_then(|title| plain(title, TITLE));
    page(parsed, base).is_none()
        && !is_linked("via")
        && !is_linked("related")
        && title().is_none()
        && !has_media()
        && content_and_summary(parsed, base, None) == (None, None)
}

/// The item as an episode, with valid links; `None` if nothing of it is known.
fn podcast(parsed: &Podcast, base: &Url) -> Option<Podcast> {
    let file = |file: &PodcastFile| {
        let url = links::absolute(&file.url, base, WEB)?;
        let media_type = enclosures::media_type(&file.media_type).unwrap_or_default();
        let language = file.language.as_deref().and_then(metadata::language_tag);
        Some(PodcastFile { url, media_type, language })
    };
    let chapter = |chapter: &Chapter| Chapter {
        start: chapter.start.clone(),
        title: chapter.title.as_deref().and_then(|title| plain_text::line(title, NAME)),
        url: chapter.url.as_deref().and_then(|url| links::absolute(url, base, WEB)),
        image: chapter.image.as_deref().and_then(|url| links::absolute(url, base, WEB)),
    };
    let podcast = Podcast {
        transcripts: parsed.transcripts.iter().filter_map(file).collect(),
        chapters: parsed.chapters.as_ref().and_then(file),
        chapter_list: parsed.chapter_list.iter().map(chapter).collect(),
        ..parsed.clone()
    };
    (podcast != Podcast::default()).then_some(podcast)
}

/// The normalised description of a feed.
#[must_use]
pub fn profile(parsed: &ParsedFeed, document_url: &Url) -> FeedProfile {
    let image =
        parsed.image.as_ref().and_then(|image| enclosures::image(&image.picture, document_url));
    let icon = || {
        let url = parsed.icon.clone()?;
        enclosures::image(&crate::model::Image { url, ..Default::default() }, document_url)
    };
    FeedProfile {
        title: parsed.title.as_ref().and_then(|title| plain(title, TITLE)),
        site_url: alternate(&parsed.links, document_url),
        atom_id: parsed.id.as_deref().and_then(id),
        language: parsed.language.as_deref().and_then(metadata::language_tag),
        image: image.or_else(icon),
        rights: parsed.rights.as_ref().and_then(|rights| plain(rights, TITLE)),
    }
}

/// The publisher's id without characters that XML cannot carry.
fn id(written: &str) -> Option<String> {
    let written = chars::clean(written);
    let id: String = written.trim().chars().filter(|c| !c.is_control()).collect();
    match id.len() {
        0 => None,
        // Not an IRI, so that it is not mistaken for an id of the publisher.
        length if length > MAX_ID => Some(hex(&sha256(id))),
        _ => Some(id),
    }
}

/// The page of the item: the first valid alternate link, or else an id that is a URL.
pub(super) fn page(parsed: &ParsedItem, base: &Url) -> Option<String> {
    // RSS 2.0: a guid is a permalink by default, but many are numbers.
    let permalink = || {
        let id = parsed.id.as_deref().filter(|_| parsed.id_is_permalink)?;
        Url::parse(id.trim()).ok().and_then(|_| links::absolute(id, base, WEB))
    };
    alternate(&parsed.links, base).or_else(permalink)
}

/// The first valid alternate link, web pages first (RFC 4287 4.2.7.2).
fn alternate(links: &[Link], base: &Url) -> Option<String> {
    let html = |link: &&Link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html"));
    let alternates = || links.iter().filter(|link| link.rel == "alternate");
    let web = |link: &Link| links::absolute(&link.href, base, WEB);
    alternates().filter(html).find_map(web).or_else(|| alternates().find_map(web))
}

/// The valid links with this relation to other pages than that of the item.
fn others(
    links: &[Link],
    rel: &str,
    base: &Url,
    page: Option<&str>,
) -> impl Iterator<Item = String> {
    let named = links.iter().filter(move |link| link.rel == rel);
    let urls = named.filter_map(move |link| links::absolute(&link.href, base, WEB));
    urls.filter(move |url| page != Some(url.as_str()))
}

/// The pages that are related to that of the item, the first ones without duplicates.
fn related(links: &[Link], base: &Url, page: Option<&str>) -> Vec<String> {
    let mut related = Vec::new();
    for url in others(links, "related", base, page) {
        if related.len() < MAX_RELATED && !related.contains(&url) {
            related.push(url);
        }
    }
    related
}

/// The language tag (RFC 5646) of the item, or else of its texts, or else of the feed.
fn item_language(parsed: &ParsedItem, context: &Context<'_>) -> Option<String> {
    let words = [&parsed.content, &parsed.title, &parsed.summary];
    let of_words = words.into_iter().flatten().map(|text| text.language.as_deref());
    std::iter::once(parsed.language.as_deref())
        .chain(of_words)
        .chain([context.feed_language])
        .flatten()
        .find_map(metadata::language_tag)
}

/// Content as HTML and summary as text. A summary alone is the content; one that repeats the content
/// is dropped.
fn content_and_summary(
    parsed: &ParsedItem,
    base: &Url,
    page: Option<&str>,
) -> (Option<String>, Option<String>) {
    let html = |text: &Text| {
        let own = text_base(text, base);
        let link_base = LinkBase { base: own.as_ref().unwrap_or(base), page };
        match text.kind {
            TextKind::Html => html::fragment(&meant(&text.value), link_base),
            TextKind::Plain => html::paragraphs(&text.value, link_base),
        }
    };
    let Some(content) = parsed.content.as_ref().and_then(html) else {
        return (parsed.summary.as_ref().and_then(html), None);
    };
    let summary = parsed.summary.as_ref().and_then(|summary| {
        let summary = match summary.kind {
            TextKind::Html => plain_text::line(&text_of_html(&meant(&summary.value)), SUMMARY),
            TextKind::Plain => plain(summary, SUMMARY),
        }?;
        // Compared at the same length, because a long summary is cut.
        let repeats =
            || plain_text::line(&text_of_html(&content), SUMMARY).as_ref() == Some(&summary);
        (!may_repeat(&content, &summary) || !repeats()).then_some(summary)
    });
    (Some(content), summary)
}

/// The `xml:base` of a text.
pub(super) fn text_base(text: &Text, base: &Url) -> Option<Url> {
    text.base.as_deref().and_then(|own| crate::model::joined(base, own))
}

/// Whether the text of sanitised HTML may begin with the summary. A cheap check before the exact one.
fn may_repeat(content: &str, summary: &str) -> bool {
    let seen = |c: &char| !chars::is_invisible(*c) && !bidi::is_control(*c);
    let mut wanted = summary.trim_end_matches('…').chars().filter(seen);
    let mut utf_8 = [0; 4];
    let mut compared = false;
    for piece in pieces(content) {
        let text = match piece {
            Piece::Text(text) => text,
            Piece::Char(c) => c.encode_utf8(&mut utf_8),
            Piece::Tag(_) => continue,
        };
        for c in text.chars().filter(seen) {
            compared = true;
            match wanted.next() {
                Some(wanted) if wanted == c => {}
                other => return other.is_none(),
            }
        }
    }
    // Without text, `text_of_html` returns the `alt` texts of images.
    !compared || wanted.next().is_none()
}

/// A text construct as a line of plain text.
fn plain(text: &Text, max: usize) -> Option<String> {
    match text.kind {
        TextKind::Html => plain_text::line(&text_of_html(&meant_title(&text.value)), max),
        TextKind::Plain => plain_text::line(&references(&text.value), max),
    }
}

/// The feed that the item was copied from; `None` if no value is valid.
fn origin(parsed: &SourceInfo, base: &Url) -> Option<SourceInfo> {
    let web = |link: &String| links::absolute(link, base, WEB);
    let title = parsed.title.as_deref().map(references);
    let source = SourceInfo {
        id: parsed.id.as_deref().and_then(id),
        title: title.and_then(|title| plain_text::line(&title, TITLE)),
        url: parsed.url.as_ref().and_then(web),
        feed_url: parsed.feed_url.as_ref().and_then(web),
    };
    (source != SourceInfo::default()).then_some(source)
}
