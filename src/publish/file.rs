//! The files of an entry: which are enclosures, and which of them is the main one.
//!
//! An enclosure is something to play or to keep, of a known type (RSS 2.0 wants type and length),
//! on a server that can be reached from anywhere (validators want a dot in its name).
//! Pictures, pages, Flash players and files of which nobody knows what they are go out as
//! `media:content` instead: readers that look for a podcast drop such an enclosure, or fetch it.

use crate::model::Enclosure;

use super::text;

/// RFC 2046 4.5.1: any bytes.
const UNKNOWN: &str = "application/octet-stream";

/// Something to hear or to watch.
pub(super) fn is_played(file: &Enclosure) -> bool {
    let kind = file.media_type.as_str();
    kind.starts_with("audio/") || kind.starts_with("video/") || kind == "application/ogg"
}

/// Something to play or to keep.
pub(super) fn is_enclosure(file: &Enclosure) -> bool {
    !matches!(
        file.media_type.as_str(),
        "" | UNKNOWN | "text/html" | "application/xhtml+xml" | "application/x-shockwave-flash"
    ) && !file.media_type.starts_with("image/")
        && text::line(&file.media_type).is_some()
        && is_reachable(&file.url)
}

/// A host of one word is one of somebody's own network.
fn is_reachable(url: &str) -> bool {
    let host = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next());
    host.flatten().is_some_and(|host| host.contains(['.', '[']))
}

/// The media type, for formats that cannot be without.
pub(super) fn media_type(file: &Enclosure) -> String {
    text::line(&file.media_type).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// `medium` of Media RSS, where it has a word for it.
pub(super) fn medium(file: &Enclosure) -> Option<&'static str> {
    ["image", "audio", "video"].into_iter().find(|medium| {
        file.media_type.strip_prefix(medium).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Whether the item brings something to play or to keep.
pub(super) fn has_enclosure(files: &[Enclosure]) -> bool {
    files.iter().any(is_enclosure)
}
