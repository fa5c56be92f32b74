//! Writes RSS 2.0 after the RSS Advisory Board's Best Practices Profile.

use std::time::Duration;

use jiff::Timestamp;

use super::files::{self, media_type};
use super::output::{Format, Output};
use super::page::Page;
use super::shown::Shown;
use super::text;
use super::xml::Document;
use crate::text::dates::{rfc822, rfc3339};
use crate::text::html;

/// The whole document; `fresh_for`: as long as HTTP lets a reader keep it.
pub(super) fn render(
    output: &Output,
    page: Page,
    entries: &[Shown<'_>],
    (updated, fresh_for): (Timestamp, Duration),
) -> Vec<u8> {
    let mut xml = Document::new();
    // Every prefix stands on the root, and under the name that readers look for literally.
    let mut namespaces = vec![
        ("version", "2.0"),
        ("xmlns:atom", "http://www.w3.org/2005/Atom"),
        ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
        ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
        ("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ("xmlns:media", "http://search.yahoo.com/mrss/"),
    ];
    if page.is_archive() {
        namespaces.push(("xmlns:fh", "http://purl.org/syndication/history/1.0"));
    }
    xml.open("rss", &namespaces);
    xml.open("channel", &[]);
    let title = text::line(&output.title).unwrap_or_else(|| output.id.clone());
    xml.plain("title", &[], &title);
    xml.text("link", &[], output.page());
    let description = output.description.as_deref().and_then(text::line);
    xml.plain("description", &[], description.as_ref().unwrap_or(&title));
    if let Some(language) = output.language() {
        xml.text("language", &[], language);
    }
    if !entries.is_empty() {
        xml.text("lastBuildDate", &[], &rfc822(updated));
    }
    xml.text("docs", &[], "https://www.rssboard.org/rss-specification");
    xml.text("generator", &[], "newswire");
    if !entries.is_empty() && !page.is_archive() {
        // RSS 2.0 "ttl": minutes.
        xml.text("ttl", &[], &(fresh_for.as_secs() / 60).to_string());
    }
    // The first of all atom:links: there are readers that take the first one for the feed's address.
    let address = page.self_url(output, Format::Rss);
    xml.empty(
        "atom:link",
        &[("rel", "self"), ("type", Format::Rss.media_type()), ("href", &address)],
    );
    image(&mut xml, output, &title);
    for (relation, url) in page.links(output, Format::Rss) {
        xml.empty("atom:link", &[("rel", relation), ("href", &url)]);
    }
    if page.is_archive() {
        xml.empty("fh:archive", &[]);
    }
    for shown in entries {
        item(&mut xml, shown);
    }
    xml.finish()
}

/// The picture of the channel: title and link as its own, RSS 2.0 "image".
fn image(xml: &mut Document, output: &Output, title: &str) {
    if let Some(icon) = &output.look.icon {
        xml.open("image", &[]);
        xml.text("url", &[], icon.as_str());
        xml.plain("title", &[], title);
        xml.text("link", &[], output.page());
        xml.close();
    }
}

fn item(xml: &mut Document, shown: &Shown<'_>) {
    xml.open("item", &[]);
    xml.plain("title", &[], &shown.made_title());
    if let Some(url) = shown.url {
        xml.text("link", &[], url);
    }
    // A permalink only where it is one: else readers take the id for an address.
    let is_permalink = if shown.url == Some(&*shown.id) { "true" } else { "false" };
    xml.text("guid", &[("isPermaLink", is_permalink)], &shown.id);
    xml.text("pubDate", &[], &rfc822(shown.published));
    // RSS author must be an e-mail address; a name goes here.
    for author in shown.authors_or_origin() {
        xml.plain("dc:creator", &[], &author.name);
    }
    if let Some(language) = shown.language {
        xml.text("dc:language", &[], language);
    }
    for (category, term) in shown.categories() {
        let label = category.label.as_deref().and_then(text::line);
        let scheme = category.scheme.as_deref().and_then(text::line);
        let domain: Vec<_> = scheme.iter().map(|scheme| ("domain", &**scheme)).collect();
        xml.plain("category", &domain, label.as_ref().unwrap_or(&term));
    }
    body(xml, shown);
    if let Some(comments) = shown.comments() {
        xml.text("comments", &[], comments);
    }
    files(xml, shown);
    attribution(xml, shown);
    xml.close();
}

/// A description is HTML; `content:encoded` comes after it, never before.
fn body(xml: &mut Document, shown: &Shown<'_>) {
    match (&shown.body.summary, &shown.body.content) {
        (Some(summary), Some(content)) => {
            xml.text("description", &[], &html::escape(summary));
            xml.text("content:encoded", &[], content);
        }
        (None, Some(content)) => xml.text("description", &[], content),
        (Some(summary), None) => xml.text("description", &[], &html::escape(summary)),
        // Some readers drop an item without a description, or show its guid.
        (None, None) => xml.text("description", &[], &html::escape(&shown.made_title())),
    }
}

/// One enclosure, for a second one warns; `media` has all of them.
fn files(xml: &mut Document, shown: &Shown<'_>) {
    if let Some(file) = shown.enclosures().next() {
        // 0 where it is unknown: the attribute is required and must be a number.
        let (length, kind) = (file.length.unwrap_or(0).to_string(), media_type(file));
        xml.empty("enclosure", &[("url", &file.url), ("length", &length), ("type", &kind)]);
    }
    files::write_media(xml, shown);
}

fn attribution(xml: &mut Document, shown: &Shown<'_>) {
    let origin = &shown.origin;
    if let Some(url) = origin.feed_url.or(origin.page) {
        xml.plain("source", &[("url", url)], &origin.title);
    }
    if let Some(rights) = shown.entry.item.details.rights.as_deref().and_then(text::line) {
        xml.plain("dc:rights", &[], &rights);
    }
    if let Some(via) = shown.via() {
        xml.empty("atom:link", &[("rel", "via"), ("href", via)]);
    }
    for (url, title) in shown.also_titles() {
        xml.empty("atom:link", &[("rel", "related"), ("href", url), ("title", &title)]);
    }
    if shown.updated != shown.published {
        xml.text("atom:updated", &[], &rfc3339(shown.updated));
    }
}
