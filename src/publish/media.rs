//! What Atom and RSS borrow from the podcast and the Media RSS namespace, the same in both.

use super::file;
use super::shown::Shown;
use super::xml::Document;
use crate::model::Enclosure;

/// Files, how long the main one plays, and the picture that stands for the entry.
pub(super) fn write(xml: &mut Document, shown: &Shown<'_>) {
    files(xml, shown);
    if let Some(duration) = shown.duration() {
        xml.text("itunes:duration", &[], &duration.to_string());
    }
    let Some(image) = shown.image() else { return };
    if shown.enclosures().next().is_some_and(file::is_played) {
        xml.empty("itunes:image", &[("href", &image.url)]);
    }
    let (width, height) = (image.width.map(|n| n.to_string()), image.height.map(|n| n.to_string()));
    let mut attributes = vec![("url", &*image.url)];
    attributes.extend(width.as_deref().map(|width| ("width", width)));
    attributes.extend(height.as_deref().map(|height| ("height", height)));
    xml.empty("media:thumbnail", &attributes);
}

/// What is no enclosure, and where there are several enclosures all of them: RSS has room for one.
fn files(xml: &mut Document, shown: &Shown<'_>) {
    for file in shown.files().filter(|file| !file::is_enclosure(file)) {
        content(xml, file, &[]);
    }
    let enclosures: Vec<&Enclosure> = shown.enclosures().collect();
    let Some((main, others)) = enclosures.split_first().filter(|(_, others)| !others.is_empty())
    else {
        return;
    };
    for file in others {
        content(xml, file, &[]);
    }
    // The last one: there are readers with room for one file that keep the last they see.
    content(xml, main, &[("isDefault", "true")]);
}

/// Media RSS 1.5.1; the size is `fileSize` there.
fn content(xml: &mut Document, file: &Enclosure, more: &[(&'static str, &str)]) {
    let kind = Some(file::media_type(file)).filter(|_| !file.media_type.is_empty());
    let number = |n: Option<u64>| n.map(|n| n.to_string());
    let (size, duration) = (number(file.length), number(file.duration.map(u64::from)));
    let mut attributes = vec![("url", &*file.url)];
    attributes.extend(kind.as_deref().map(|kind| ("type", kind)));
    attributes.extend(file::medium(file).map(|medium| ("medium", medium)));
    attributes.extend(size.as_deref().map(|size| ("fileSize", size)));
    attributes.extend(duration.as_deref().map(|duration| ("duration", duration)));
    attributes.extend_from_slice(more);
    xml.empty("media:content", &attributes);
}
