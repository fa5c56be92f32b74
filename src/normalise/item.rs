//! One parsed item to one `Item`, and what the feed says of itself to its profile.
//!
//! Decides which of the publisher's words stands for what; how each is made safe is the business of
//! the files beside this one.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::links::{self, WEB};
use super::place::Place;
use super::plain::text_of_html;
use super::reference::references;
use super::text::{self, SUMMARY, TITLE};
use super::{attached, dates, html, language, people};
use crate::model::{
    Details, FeedProfile, Item, Link, ParsedFeed, ParsedItem, SourceInfo, Text, TextKind,
};
use crate::text::html::{Piece, pieces};
use crate::text::{bidi, chars};

/// Ids are compared and indexed; a longer one is kept as its hash.
const LONGEST_ID: usize = 2 * 1024;

/// What an item cannot say of itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// When the document was fetched.
    pub now: Timestamp,
    /// Where it was fetched from, after redirects.
    pub document_url: &'a Url,
    /// `language` of the feed.
    pub feed_language: Option<&'a str>,
}

/// The item as newswire keeps it; what is unsafe, untrue or empty is left out.
///
/// Never panics, takes bounded time, and asks nobody.
#[must_use]
pub fn item(parsed: &ParsedItem, context: &Context<'_>) -> Item {
    let base = context.document_url;
    let url = page(parsed, base);
    let (published, updated) = dates::both(parsed.published, parsed.updated, context.now);
    let (content, summary) = words(parsed, base, url.as_deref());
    let enclosures = attached::enclosures(&parsed.enclosures, base);
    let web = |link: &str| links::absolute(link, base, WEB);
    Item {
        guid: parsed.id.as_deref().and_then(id),
        title: parsed.title.as_ref().and_then(|title| plain(title, TITLE)),
        summary,
        content,
        published,
        updated,
        language: item_language(parsed, context),
        details: Details {
            authors: people::authors(&parsed.authors, base),
            categories: people::categories(&parsed.categories),
            image: attached::picture(&parsed.thumbnails, &enclosures, base),
            enclosures,
            comments: parsed.comments.as_deref().and_then(web),
            source: parsed.source.as_ref().and_then(|source| origin(source, base)),
            rights: parsed.rights.as_ref().and_then(|rights| plain(rights, TITLE)),
            via: via(&parsed.links, base).filter(|via| url.as_ref() != Some(via)),
            duration: parsed.duration.filter(|seconds| *seconds > 0),
        },
        url,
    }
}

/// What the feed says of itself.
#[must_use]
pub fn profile(parsed: &ParsedFeed, document_url: &Url) -> FeedProfile {
    let image =
        parsed.image.as_ref().and_then(|image| attached::image(&image.picture, document_url));
    let icon = || {
        let url = parsed.icon.clone()?;
        attached::image(&crate::model::Image { url, ..Default::default() }, document_url)
    };
    FeedProfile {
        title: parsed.title.as_ref().and_then(|title| plain(title, TITLE)),
        site_url: alternate(&parsed.links, document_url),
        atom_id: parsed.id.as_deref().and_then(id),
        language: parsed.language.as_deref().and_then(language::tag),
        image: image.or_else(icon),
        rights: parsed.rights.as_ref().and_then(|rights| plain(rights, TITLE)),
    }
}

/// The publisher's id without what XML cannot carry.
fn id(written: &str) -> Option<String> {
    let written = chars::clean(written);
    let id: String = written.trim().chars().filter(|c| !c.is_control()).collect();
    match id.len() {
        0 => None,
        // No IRI, so that nobody takes it for one that the publisher gave.
        length if length > LONGEST_ID => {
            Some(Sha256::digest(id).iter().map(|byte| format!("{byte:02x}")).collect())
        }
        _ => Some(id),
    }
}

/// The page of the item: the alternate link that can be followed, else an id that is one.
fn page(parsed: &ParsedItem, base: &Url) -> Option<String> {
    // RSS 2.0: a guid is a permalink unless it says otherwise, and many a number does not.
    let permalink = || {
        let id = parsed.id.as_deref().filter(|_| parsed.id_is_permalink)?;
        Url::parse(id.trim()).ok().and_then(|_| links::absolute(id, base, WEB))
    };
    alternate(&parsed.links, base).or_else(permalink)
}

/// The first alternate link that can be followed, a web page before others (RFC 4287 4.2.7.2).
fn alternate(links: &[Link], base: &Url) -> Option<String> {
    let html = |link: &&Link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html"));
    let alternates = || links.iter().filter(|link| link.rel == "alternate");
    let web = |link: &Link| links::absolute(&link.href, base, WEB);
    alternates().filter(html).find_map(web).or_else(|| alternates().find_map(web))
}

/// What a link-blog points at.
fn via(links: &[Link], base: &Url) -> Option<String> {
    let named = |link: &&Link| matches!(link.rel.as_str(), "related" | "via");
    links.iter().filter(named).find_map(|link| links::absolute(&link.href, base, WEB))
}

/// RFC 5646; what the item says, else its words, else the feed.
fn item_language(parsed: &ParsedItem, context: &Context<'_>) -> Option<String> {
    let words = [&parsed.content, &parsed.title, &parsed.summary];
    let of_words = words.into_iter().flatten().map(|text| text.language.as_deref());
    std::iter::once(parsed.language.as_deref())
        .chain(of_words)
        .chain([context.feed_language])
        .flatten()
        .find_map(language::tag)
}

/// Content as HTML and summary as text. A summary alone is the content; one that repeats it is none.
fn words(parsed: &ParsedItem, base: &Url, page: Option<&str>) -> (Option<String>, Option<String>) {
    let html = |text: &Text| {
        let own = text.base.as_deref().and_then(|own| base.join(own).ok());
        let place = Place { base: own.as_ref().unwrap_or(base), page };
        match text.kind {
            TextKind::Html => html::fragment(&text.value, place),
            TextKind::Plain => html::paragraphs(&text.value, place),
        }
    };
    let Some(content) = parsed.content.as_ref().and_then(html) else {
        return (parsed.summary.as_ref().and_then(html), None);
    };
    let summary = parsed.summary.as_ref().and_then(|summary| {
        let summary = plain(summary, SUMMARY)?;
        // Compared at the same length, for a long summary is cut here.
        let repeats = || text::line(&text_of_html(&content), SUMMARY).as_ref() == Some(&summary);
        (!may_repeat(&content, &summary) || !repeats()).then_some(summary)
    });
    (Some(content), summary)
}

/// Whether the text of sanitised HTML could begin like the summary; mostly the first words differ.
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
    // Without text, those of the pictures stand in.
    !compared || wanted.next().is_none()
}

/// A text construct as one line of plain text.
fn plain(text: &Text, max: usize) -> Option<String> {
    match text.kind {
        TextKind::Html => text::line(&text_of_html(&text.value), max),
        TextKind::Plain => text::line(&references(&text.value), max),
    }
}

/// The feed that the item was copied from, where anything of it can be kept.
fn origin(parsed: &SourceInfo, base: &Url) -> Option<SourceInfo> {
    let web = |link: &String| links::absolute(link, base, WEB);
    let title = parsed.title.as_deref().map(references);
    let source = SourceInfo {
        id: parsed.id.as_deref().and_then(id),
        title: title.and_then(|title| text::line(&title, TITLE)),
        url: parsed.url.as_ref().and_then(web),
        feed_url: parsed.feed_url.as_ref().and_then(web),
    };
    (source != SourceInfo::default()).then_some(source)
}
