//! Writes RSS 2.0 after the RSS Advisory Board's Best Practices Profile.

use std::time::Duration;

use jiff::Timestamp;

use super::media::{self, Channel, media_type};
use super::output::{Format, Output};
use super::page::Page;
use super::shown::ShownItem;
use super::text::{self, without_markup};
use super::xml::XmlWriter;
use crate::text::dates::{rfc822, rfc3339};
use crate::text::html;

/// The whole document; `max_age` is its freshness lifetime.
pub(super) fn render(
    output: &Output,
    page: Page,
    entries: &[ShownItem<'_>],
    (updated, max_age): (Timestamp, Duration),
) -> Vec<u8> {
    let mut xml = XmlWriter::new();
    // All prefixes are declared on the root, with the names that readers search for literally.
    let mut namespaces = vec![
        ("version", "2.0"),
        ("xmlns:atom", "http://www.w3.org/2005/Atom"),
        ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
        ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
        ("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ("xmlns:media", "http://search.yahoo.com/mrss/"),
        ("xmlns:podcast", "https://podcastindex.org/namespace/1.0"),
    ];
    if page.is_archive() {
        namespaces.push(("xmlns:fh", "http://purl.org/syndication/history/1.0"));
    }
    xml.open("rss", &namespaces);
    xml.open("channel", &[]);
    let title = text::line(&output.title).unwrap_or_else(|| output.id.clone());
    xml.plain("title", &[], &title);
    xml.text("link", &[], &page_of(output));
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
        xml.text("ttl", &[], &(max_age.as_secs() / 60).to_string());
    }
    // The first atom:link, because some readers take the first one for the URL of the feed.
    let address = output.with_token(page.self_url(output, Format::Rss));
    xml.empty(
        "atom:link",
        &[("rel", "self"), ("type", Format::Rss.media_type()), ("href", &address)],
    );
    image(&mut xml, output, &title);
    if let Some(channel) = Channel::of(output, entries) {
        channel.write(&mut xml, output);
    }
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

/// The picture of the channel, with its title and link: RSS 2.0 "image".
fn image(xml: &mut XmlWriter, output: &Output, title: &str) {
    if let Some(icon) = &output.presentation.icon {
        xml.open("image", &[]);
        xml.text("url", &[], icon.as_str());
        xml.plain("title", &[], title);
        xml.text("link", &[], &page_of(output));
        xml.close();
    }
}

/// The page of the output, else its document: RSS 2.0 requires a link.
fn page_of(output: &Output) -> String {
    output.page().unwrap_or_else(|| output.with_token(output.self_url(Format::Rss)))
}

fn item(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    xml.open("item", &[]);
    xml.plain("title", &[], &shown.made_title());
    if let Some(url) = shown.url {
        xml.text("link", &[], url);
    }
    // `true` only if the id is the URL, because readers open permalinks.
    let is_permalink = if shown.url == Some(&*shown.id) { "true" } else { "false" };
    xml.text("guid", &[("isPermaLink", is_permalink)], &shown.id);
    xml.text("pubDate", &[], &rfc822(shown.published));
    // The element `author` requires an e-mail address.
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

/// A description is HTML; `content:encoded` must follow it.
fn body(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    match (&shown.body.summary, &shown.body.content) {
        (Some(summary), Some(content)) => {
            xml.text("description", &[], &summary_html(summary));
            xml.text("content:encoded", &[], content);
        }
        (None, Some(content)) => xml.text("description", &[], content),
        (Some(summary), None) => xml.text("description", &[], &summary_html(summary)),
        // Some readers drop items without a description, or show their guid.
        (None, None) => xml.text("description", &[], &summary_html(&shown.made_title())),
    }
}

/// Plain text as HTML, also for readers that decode it twice.
fn summary_html(text: &str) -> String {
    html::escape(&without_markup(text))
}

/// One enclosure, because validators warn about a second one. Media RSS has them all.
fn files(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    if let Some(file) = shown.enclosures().next() {
        // 0 if it is unknown: the attribute is required and must be a number.
        let (length, kind) = (file.length.unwrap_or(0).to_string(), media_type(file));
        xml.empty("enclosure", &[("url", &file.url), ("length", &length), ("type", &kind)]);
    }
    media::write_media(xml, shown);
}

fn attribution(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
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
    for related in shown.related() {
        xml.empty("atom:link", &[("rel", "related"), ("href", related)]);
    }
    for other in shown.also_at() {
        let title = other.link_title();
        xml.empty(
            "atom:link",
            &[("rel", "related"), ("href", other.url), ("title", &without_markup(&title))],
        );
    }
    if shown.updated != shown.published {
        xml.text("atom:updated", &[], &rfc3339(shown.updated));
    }
}
