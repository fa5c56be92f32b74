//! The files of an item: which are enclosures, and which of them is the main one.
//!
//! An enclosure can be played or downloaded, has a known type (RSS 2.0 requires type and length), and is on
//! a public server (validators require a dot in its name). Pictures, pages, Flash players and files
//! of unknown type are written as `media:content` instead, because podcast clients drop such
//! enclosures, or fetch them.

use crate::model::{Chapter, Enclosure, PodcastFile};

use super::shown::ShownItem;
use super::text;
use super::xml::XmlWriter;

/// RFC 2046 4.5.1: any bytes.
const UNKNOWN: &str = "application/octet-stream";

/// Whether it is audio or video.
pub(super) fn is_played(file: &Enclosure) -> bool {
    let kind = file.media_type.as_str();
    kind.starts_with("audio/") || kind.starts_with("video/") || kind == "application/ogg"
}

/// Whether it is an enclosure: a file to play or to download.
pub(super) fn is_enclosure(file: &Enclosure) -> bool {
    file.is_file() && text::line(&file.media_type).is_some() && is_reachable(&file.url)
}

/// Whether the host can be public; a name without a dot is in a local network.
fn is_reachable(url: &str) -> bool {
    let host = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next());
    host.flatten().is_some_and(|host| host.contains(['.', '[']))
}

/// The media type, for formats that require one.
pub(super) fn media_type(file: &Enclosure) -> String {
    text::line(&file.media_type).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The `medium` of Media RSS; `None`: it has none for this type.
pub(super) fn medium(file: &Enclosure) -> Option<&'static str> {
    ["image", "audio", "video"].into_iter().find(|medium| {
        file.media_type.strip_prefix(medium).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Writes the elements of the podcast and Media RSS namespaces, the same for Atom and RSS: files, playing
/// time of the main file, and picture of the item.
pub(super) fn write_media(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    write_files(xml, shown);
    if let Some(duration) = shown.duration() {
        xml.text("itunes:duration", &[], &duration.to_string());
    }
    write_podcast(xml, shown);
    let Some(image) = shown.image() else { return };
    if shown.enclosures().next().is_some_and(is_played) {
        xml.empty("itunes:image", &[("href", &image.url)]);
    }
    let (width, height) = (image.width.map(|n| n.to_string()), image.height.map(|n| n.to_string()));
    let mut attributes = vec![("url", &*image.url)];
    attributes.extend(width.as_deref().map(|width| ("width", width)));
    attributes.extend(height.as_deref().map(|height| ("height", height)));
    xml.empty("media:thumbnail", &attributes);
}

/// Writes what makes an item an episode of a podcast.
fn write_podcast(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    let Some(podcast) = &shown.entry.item.details.podcast else { return };
    // Validators reject zero, which publishers write for a trailer.
    if let Some(season) = podcast.season.filter(|season| *season > 0) {
        xml.text("itunes:season", &[], &season.to_string());
    }
    if let Some(episode) = podcast.episode.filter(|episode| *episode > 0) {
        xml.text("itunes:episode", &[], &episode.to_string());
    }
    if let Some(explicit) = podcast.explicit {
        xml.text("itunes:explicit", &[], if explicit { "true" } else { "false" });
    }
    for transcript in &podcast.transcripts {
        let mut attributes = vec![("url", &*transcript.url), ("type", transcript_type(transcript))];
        attributes.extend(transcript.language.as_deref().map(|language| ("language", language)));
        xml.empty("podcast:transcript", &attributes);
    }
    if let Some(chapters) = &podcast.chapters {
        let kind = Some(&*chapters.media_type).filter(|kind| !kind.is_empty());
        let kind = kind.unwrap_or("application/json+chapters");
        let attributes = [("url", &*chapters.url), ("type", kind)];
        xml.empty("podcast:chapters", &attributes);
    }
    write_chapters(xml, &podcast.chapter_list);
}

/// The media type of a transcript, which the format requires: of the publisher, else by the end of its URL.
fn transcript_type(transcript: &PodcastFile) -> &str {
    let path = transcript.url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next() {
        _ if !transcript.media_type.is_empty() => &transcript.media_type,
        Some("vtt") => "text/vtt",
        Some("srt") => "application/x-subrip",
        Some("json") => "application/json",
        Some("html" | "htm") => "text/html",
        _ => "text/plain",
    }
}

/// Writes the list of chapters. The namespace is declared here, because few feeds use it.
fn write_chapters(xml: &mut XmlWriter, chapters: &[Chapter]) {
    if chapters.is_empty() {
        return;
    }
    let attributes = [("version", "1.2"), ("xmlns:psc", "http://podlove.org/simple-chapters")];
    xml.open("psc:chapters", &attributes);
    for chapter in chapters {
        let mut attributes = vec![("start", &*chapter.start)];
        attributes.extend(chapter.title.as_deref().map(|title| ("title", title)));
        attributes.extend(chapter.url.as_deref().map(|url| ("href", url)));
        attributes.extend(chapter.image.as_deref().map(|image| ("image", image)));
        xml.empty("psc:chapter", &attributes);
    }
    xml.close();
}

/// Writes files that are not enclosures; if there are several enclosures, also them, because RSS has only one.
fn write_files(xml: &mut XmlWriter, shown: &ShownItem<'_>) {
    for file in shown.files().filter(|file| !is_enclosure(file)) {
        write_content(xml, file, &[]);
    }
    let enclosures: Vec<&Enclosure> = shown.enclosures().collect();
    let Some((main, others)) = enclosures.split_first().filter(|(_, others)| !others.is_empty())
    else {
        return;
    };
    for file in others {
        write_content(xml, file, &[]);
    }
    // At the end, because readers that know only one file keep the last.
    write_content(xml, main, &[("isDefault", "true")]);
}

/// One `media:content`, Media RSS 1.5.1.
fn write_content(xml: &mut XmlWriter, file: &Enclosure, more: &[(&'static str, &str)]) {
    let kind = Some(media_type(file)).filter(|_| !file.media_type.is_empty());
    let number = |n: Option<u64>| n.map(|n| n.to_string());
    let (size, duration) = (number(file.length), number(file.duration.map(u64::from)));
    let mut attributes = vec![("url", &*file.url)];
    attributes.extend(kind.as_deref().map(|kind| ("type", kind)));
    attributes.extend(medium(file).map(|medium| ("medium", medium)));
    attributes.extend(size.as_deref().map(|size| ("fileSize", size)));
    attributes.extend(duration.as_deref().map(|duration| ("duration", duration)));
    attributes.extend_from_slice(more);
    xml.empty("media:content", &attributes);
}
