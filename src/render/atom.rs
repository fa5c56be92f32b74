//! Writes Atom, RFC 4287, so that parsers without an element stack read it correctly too.
//!
//! Such parsers take the children of `atom:source` for children of the entry. So the source is the last
//! child, the entry has its own id, title, updated, author and link before it, both titles have the same
//! explicit type, and only the alternate link of the entry has `type="text/html"`.

use jiff::Timestamp;

use crate::model::Enclosure;

use super::media::{self, Channel, media_type};
use super::output::{Format, Output};
use super::page::Page;
use super::shown::ShownItem;
use super::text::{self, is_iri, without_markup};
use super::xml::XmlWriter;
use crate::text::dates::rfc3339;

/// The complete Atom document, RFC 4287.
pub(super) fn render(
    output: &Output,
    page: Page,
    entries: &[ShownItem<'_>],
    updated: Timestamp,
) -> Vec<u8> {
    let mut xml = XmlWriter::new();
    // All prefixes are declared on the root.
    let mut attributes = vec![
        ("xmlns", "http://www.w3.org/2005/Atom"),
        ("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ("xmlns:media", "http://search.yahoo.com/mrss/"),
        ("xmlns:podcast", "https://podcastindex.org/namespace/1.0"),
    ];
    if page.is_archive() {
        attributes.push(("xmlns:fh", "http://purl.org/syndication/history/1.0"));
    }
    // It applies to all entries without their own language, so it is written only if configured.
    attributes.extend(output.language().map(|language| ("xml:lang", language)));
    xml.open("feed", &attributes);
    head(&mut xml, output, page, updated);
    if let Some(channel) = Channel::of(output, entries) {
        channel.write(&mut xml, output);
    }
    for shown in entries {
        entry(&mut xml, shown);
    }
    xml.finish()
}

/// RFC 4287 4.1.1. No rights, because they would apply to all entries without their own (4.2.10).
fn head(xml: &mut XmlWriter, output: &Output, page: Page, updated: Timestamp) {
    let title = text::line(&output.title).unwrap_or_else(|| output.id.clone());
    let address = output.with_token(page.self_url(output, Format::Atom));
    plain(xml, "title", &title);
    if let Some(subtitle) = output.description.as_deref().and_then(text::line) {
        plain(xml, "subtitle", &subtitle);
    }
    // RFC 5005 4: archive pages have the id of the feed.
    xml.text("id", &[], &output.identity.id);
    xml.empty("link", &[("rel", "self"), ("type", Format::Atom.media_type()), ("href", &address)]);
    for (relation, url) in page.links(output, Format::Atom) {
        xml.empty("link", &[("rel", relation), ("href", &url)]);
    }
    if let Some(page) = output.page() {
        xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &page)]);
    }
    for format in output.formats.iter().filter(|format| **format != Format::Atom) {
        xml.empty(
            "link",
            &[
                ("rel", "alternate"),
                ("type", format.media_type()),
                ("href", &output.with_token(output.self_url(*format))),
                ("title", format.name()),
            ],
        );
    }
    xml.text("updated", &[], &rfc3339(updated));
    xml.open("author", &[]);
    let author = output.author.as_deref().and_then(text::line);
    xml.text("name", &[], &without_markup(&author.unwrap_or(title)));
    xml.close();
    xml.text("generator", &[], "newswire");
    if let Some(icon) = &output.presentation.icon {
        xml.text("icon", &[], icon.as_str());
    }
    if page.is_archive() {
        xml.empty("fh:archive", &[]);
    }
}

/// One `atom:entry`, RFC 4287 4.1.2.
fn entry(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    match shown.language {
        Some(language) => xml.open("entry", &[("xml:lang", language)]),
        None => xml.open("entry", &[]),
    }
    xml.text("id", &[], &shown.id);
    plain(xml, "title", &shown.made_title());
    links(xml, shown);
    xml.text("published", &[], &rfc3339(shown.published));
    xml.text("updated", &[], &rfc3339(shown.updated));
    for author in shown.authors_or_origin() {
        xml.open("author", &[]);
        xml.text("name", &[], &without_markup(&author.name));
        if let Some(page) = author.page {
            xml.text("uri", &[], page);
        }
        xml.close();
    }
    categories(xml, shown);
    body(xml, shown);
    if let Some(rights) = shown.entry.item.details.rights.as_deref().and_then(text::line) {
        plain(xml, "rights", &rights);
    }
    media::write_media(xml, shown);
    source(xml, shown);
    xml.close();
}

fn links(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    if let Some(url) = shown.url {
        xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", url)]);
    }
    // One playable enclosure, as in RSS: readers that know only one keep the first or the last.
    // Media RSS has them all.
    let kept = |(n, file): &(usize, &Enclosure)| *n == 0 || !file.is_played();
    for (_, file) in shown.enclosures().enumerate().filter(kept) {
        let (kind, length) = (media_type(file), file.length.map(|length| length.to_string()));
        let title = file.title.as_deref().and_then(text::line);
        let mut attributes = vec![("rel", "enclosure"), ("type", &*kind)];
        attributes.extend(length.as_deref().map(|length| ("length", length)));
        let title = title.as_deref().map(without_markup);
        attributes.extend(title.as_deref().map(|title| ("title", title)));
        attributes.push(("href", &file.url));
        xml.empty("link", &attributes);
    }
    if let Some(via) = shown.via() {
        xml.empty("link", &[("rel", "via"), ("href", via)]);
    }
    for related in shown.related() {
        xml.empty("link", &[("rel", "related"), ("href", related)]);
    }
    for other in shown.also_at() {
        let title = other.link_title();
        xml.empty(
            "link",
            &[("rel", "related"), ("href", other.url), ("title", &without_markup(&title))],
        );
    }
    // RFC 4685 4.
    if let Some(comments) = shown.comments() {
        xml.empty("link", &[("rel", "replies"), ("type", "text/html"), ("href", comments)]);
    }
}

fn categories(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    for (category, term) in shown.categories() {
        let scheme = category.scheme.as_deref().filter(|scheme| is_iri(scheme));
        let label = category.label.as_deref().and_then(text::line);
        let (term, label) = (without_markup(&term), label.as_deref().map(without_markup));
        let mut attributes = vec![("term", &*term)];
        attributes.extend(scheme.map(|scheme| ("scheme", scheme)));
        attributes.extend(label.as_deref().map(|label| ("label", label)));
        xml.empty("category", &attributes);
    }
}

fn body(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    if let Some(summary) = &shown.body.summary {
        plain(xml, "summary", summary);
    }
    if let Some(content) = &shown.body.content {
        xml.text("content", &[("type", "html")], content);
    } else if shown.url.is_none() || shown.body.summary.is_none() {
        // RFC 4287 4.1.2: without content there must be an alternate link. Readers show entries
        // without any text as broken.
        let text = shown.body.summary.as_deref().map_or_else(|| shown.made_title(), str::to_owned);
        plain(xml, "content", &text);
    }
}

/// A text construct of plain text, RFC 4287 3.1.1.1.
fn plain(xml: &mut XmlWriter, name: &'static str, text: &str) {
    xml.text(name, &[("type", "text")], &without_markup(text));
}

/// RFC 4287 4.2.11. Without author, because some readers add it to those of the entry.
fn source(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    let origin = &shown.origin;
    xml.open("source", &[]);
    xml.text("id", &[], &origin.id);
    plain(xml, "title", &origin.title);
    // The date of the entry, so that its bytes depend on that entry alone.
    xml.text("updated", &[], &rfc3339(shown.updated));
    // Only if the entry has its own link, which parsers without a stack find first.
    if shown.url.is_some() {
        if let Some(url) = origin.feed_url {
            xml.empty("link", &[("rel", "self"), ("href", url)]);
        }
        if let Some(page) = origin.page {
            xml.empty("link", &[("rel", "alternate"), ("href", page)]);
        }
    }
    if let Some(rights) = &origin.rights {
        plain(xml, "rights", rights);
    }
    xml.close();
}
