//! What Atom and RSS borrow from the podcast and the Media RSS namespace, the same in both.

use super::shown::Shown;
use super::xml::Document;

/// How long it plays, and the picture that stands for it.
pub(super) fn write(xml: &mut Document, shown: &Shown<'_>) {
    if let Some(duration) = shown.duration() {
        xml.text("itunes:duration", &[], &duration.to_string());
    }
    let Some(image) = shown.image() else { return };
    let (width, height) = (image.width.map(|n| n.to_string()), image.height.map(|n| n.to_string()));
    let mut attributes = vec![("url", &*image.url)];
    attributes.extend(width.as_deref().map(|width| ("width", width)));
    attributes.extend(height.as_deref().map(|height| ("height", height)));
    xml.empty("media:thumbnail", &attributes);
}
