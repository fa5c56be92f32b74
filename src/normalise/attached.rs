//! What hangs on an item: enclosures and its picture.

use url::Url;

use super::links::{self, WEB};
use super::text;
use crate::model::{Enclosure, Image};

/// More files are kept of no item.
const MOST: usize = 50;

/// RFC 2046 4.5.1: any bytes.
const UNKNOWN: &str = "application/octet-stream";

/// Media types by file name extension, for enclosures that come without one.
const EXTENSIONS: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("swf", "application/x-shockwave-flash"),
    ("torrent", "application/x-bittorrent"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("wma", "audio/x-ms-wma"),
    ("wmv", "video/x-ms-wmv"),
    ("zip", "application/zip"),
];

/// The files, each once, in the publisher's order.
pub(super) fn enclosures(parsed: &[Enclosure], base: &Url) -> Vec<Enclosure> {
    let mut kept: Vec<Enclosure> = Vec::new();
    for enclosure in parsed {
        let Some(url) = links::absolute(&enclosure.url, base, WEB) else { continue };
        if kept.iter().any(|kept| kept.url == url) {
            continue;
        }
        kept.push(Enclosure {
            media_type: file_type(&enclosure.media_type, &url),
            // RSS 2.0 wants a length, so those who do not know it write 0.
            length: enclosure.length.filter(|length| *length > 0),
            title: enclosure.title.as_deref().and_then(|title| text::line(title, text::NAME)),
            duration: enclosure.duration,
            url,
        });
        if kept.len() == MOST {
            break;
        }
    }
    kept
}

/// The picture that stands for the item: a thumbnail, the widest where widths are known, else a picture attached.
pub(super) fn picture(thumbnails: &[Image], enclosures: &[Enclosure], base: &Url) -> Option<Image> {
    let mut best: Option<Image> = None;
    for thumbnail in thumbnails.iter().take(MOST).filter_map(|thumbnail| image(thumbnail, base)) {
        if best.as_ref().is_none_or(|best| thumbnail.width > best.width) {
            best = Some(thumbnail);
        }
    }
    let attached =
        || enclosures.iter().find(|enclosure| enclosure.media_type.starts_with("image/"));
    best.or_else(|| attached().map(|found| Image { url: found.url.clone(), ..Image::default() }))
}

/// A picture that may be shown; one pixel is none.
pub(super) fn image(parsed: &Image, base: &Url) -> Option<Image> {
    let side = |side: Option<u32>| side.filter(|pixels| *pixels > 0);
    let (width, height) = (side(parsed.width), side(parsed.height));
    let counts = width == Some(1) || height == Some(1);
    let url = links::absolute(&parsed.url, base, WEB)?;
    (!counts && !super::picture::is_beacon(&url)).then_some(Image { url, width, height })
}

/// RFC 9110 8.3.1: type and subtype, lower-case, without parameters; `None` where it is no media type.
pub(super) fn media_type(written: &str) -> Option<String> {
    let essence = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |part: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
        (1..=127).contains(&part.len()) && part.bytes().all(fits)
    };
    let (kind, subtype) = essence.split_once('/')?;
    (token(kind) && token(subtype)).then_some(essence)
}

/// What the file is: as the publisher says, in the words of the registry; where that says nothing
/// (`application/octet-stream`, an application's own), as its name says, if that is something to play.
fn file_type(written: &str, url: &str) -> String {
    let Some(written) = media_type(written) else { return guessed(url).to_owned() };
    let vague = written == UNKNOWN || written.starts_with("application/x-");
    let played = |kind: &&str| kind.starts_with("audio/") || kind.starts_with("video/");
    let by_name = Some(guessed(url)).filter(|_| vague).filter(played);
    by_name.map_or_else(|| registered(&written), str::to_owned)
}

/// The name under which everybody knows the type.
fn registered(media_type: &str) -> String {
    // No such top-level type (RFC 6838 3.4): what was meant is behind it.
    let known = media_type.strip_prefix("x-").unwrap_or(media_type);
    match known {
        "audio/mp3" | "audio/x-mp3" | "audio/x-mpeg" | "audio/mpeg3" | "audio/mpg" => "audio/mpeg",
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        other => other,
    }
    .to_owned()
}

fn guessed(url: &str) -> &'static str {
    let extension = links::extension(url).unwrap_or_default();
    let known = EXTENSIONS.iter().find(|(known, _)| *known == extension);
    known.map_or(UNKNOWN, |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://example.org/").unwrap()
    }

    fn enclosure(url: &str, media_type: &str, length: Option<u64>) -> Enclosure {
        Enclosure { url: url.into(), media_type: media_type.into(), length, ..Enclosure::default() }
    }

    #[test]
    fn an_enclosure_has_a_web_address_a_media_type_and_an_honest_length() {
        let parsed = [
            enclosure("/a.MP3", "", Some(0)),
            enclosure("https://e.org/b", "Audio/MPEG; codecs=x", Some(7)),
            enclosure("https://e.org/c", "mp3", None),
            enclosure("javascript:alert(1)", "audio/mpeg", None),
            enclosure("https://e.org/b", "audio/ogg", None),
        ];
        let kept = enclosures(&parsed, &base());
        let seen: Vec<_> =
            kept.iter().map(|e| (e.url.as_str(), e.media_type.as_str(), e.length)).collect();
        assert_eq!(
            seen,
            [
                ("https://example.org/a.MP3", "audio/mpeg", None),
                ("https://e.org/b", "audio/mpeg", Some(7)),
                ("https://e.org/c", "application/octet-stream", None),
            ]
        );
    }

    #[test]
    fn a_file_has_the_type_by_which_players_know_it() {
        for (written, url, kept) in [
            ("x-audio/mp3", "https://e.org/a", "audio/mpeg"),
            ("audio/mp3", "https://e.org/a.mp3", "audio/mpeg"),
            ("image/jpg", "https://e.org/a.jpg", "image/jpeg"),
            ("application/x-ms-wmd", "https://e.org/a.wmv", "video/x-ms-wmv"),
            ("application/octet-stream", "https://e.org/a.mp3?x", "audio/mpeg"),
            ("application/octet-stream", "https://e.org/a", "application/octet-stream"),
            ("application/x-bittorrent", "https://e.org/a.mp3.torrent", "application/x-bittorrent"),
            ("application/x-bittorrent", "https://e.org/a.pdf", "application/x-bittorrent"),
            ("application/pdf", "https://e.org/a.mp3", "application/pdf"),
        ] {
            assert_eq!(file_type(written, url), kept, "{written} {url}");
        }
    }

    #[test]
    fn no_more_than_fifty_enclosures_are_kept() {
        let many: Vec<_> = (0..99).map(|n| enclosure(&format!("/{n}.png"), "", None)).collect();
        assert_eq!(enclosures(&many, &base()).len(), MOST);
    }

    #[test]
    fn the_picture_is_the_widest_thumbnail_else_an_attached_one() {
        let thumbnail = |url: &str, width| Image { url: url.into(), width, height: None };
        let attached = [
            enclosure("https://e.org/x.mp3", "audio/mpeg", None),
            enclosure("https://e.org/x.png", "image/png", None),
        ];
        let of =
            |thumbnails: &[Image]| picture(thumbnails, &attached, &base()).map(|image| image.url);
        assert_eq!(
            of(&[thumbnail("/a", Some(90)), thumbnail("/b", Some(300)), thumbnail("/c", None)])
                .as_deref(),
            Some("https://example.org/b")
        );
        assert_eq!(
            of(&[thumbnail("/a", None), thumbnail("/b", None)]).as_deref(),
            Some("https://example.org/a")
        );
        assert_eq!(
            of(&[thumbnail("/a", Some(1)), thumbnail("data:x", None)]).as_deref(),
            Some("https://e.org/x.png")
        );
    }

    #[test]
    fn media_types_are_checked() {
        assert_eq!(media_type(" Application/Atom+XML ;x").as_deref(), Some("application/atom+xml"));
        for bad in ["", "mp3", "/", "a/", "/b", "a/b/c", "a/b c", "a/\u{e9}"] {
            assert_eq!(media_type(bad), None, "{bad}");
        }
    }
}
