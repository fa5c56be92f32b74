//! Enclosures and the image of an item.

use url::Url;

use super::links::{self, WEB};
use super::plain_text;
use crate::model::{Enclosure, Image, is_played};

/// Maximum number of enclosures of an item.
pub(super) const MAX_ENCLOSURES: usize = 50;

/// Media type of unknown content (RFC 2046 4.5.1).
const UNKNOWN: &str = "application/octet-stream";

const FLASH: &str = "application/x-shockwave-flash";

/// Media types by file name extension, for enclosures without media type.
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
    ("swf", FLASH),
    ("torrent", "application/x-bittorrent"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("wma", "audio/x-ms-wma"),
    ("wmv", "video/x-ms-wmv"),
    ("zip", "application/zip"),
];

/// The first enclosures in the order of the document, without duplicates, and the number of enclosures left out.
pub(super) fn enclosures(parsed: &[Enclosure], base: &Url) -> (Vec<Enclosure>, usize) {
    let (mut kept, mut surplus) = (Vec::<Enclosure>::new(), 0);
    for enclosure in parsed {
        let Some(url) = links::absolute(&enclosure.url, base, WEB) else { continue };
        let media_type = file_type(&enclosure.media_type, &url);
        // No program plays it since 2020. YouTube still writes it in its feeds.
        if media_type == FLASH || kept.iter().any(|kept| kept.url == url) {
            continue;
        }
        if kept.len() == MAX_ENCLOSURES {
            surplus += 1;
            continue;
        }
        kept.push(Enclosure {
            media_type,
            // RSS 2.0 requires a length; publishers write 0 if it is unknown.
            length: enclosure.length.filter(|length| *length > 0),
            title: enclosure
                .title
                .as_deref()
                .and_then(|title| plain_text::line(title, plain_text::NAME)),
            duration: enclosure.duration,
            url,
        });
    }
    (kept, surplus)
}

/// The image of the item: the widest thumbnail, or the first enclosure that is an image.
pub(super) fn item_image(
    thumbnails: &[Image],
    enclosures: &[Enclosure],
    base: &Url,
) -> Option<Image> {
    let mut best: Option<Image> = None;
    for thumbnail in thumbnails.iter().filter_map(|thumbnail| image(thumbnail, base)) {
        // The picture of the author, which WordPress.com writes first.
        if thumbnail.url.contains("gravatar.com/avatar/") {
            continue;
        }
        if best.as_ref().is_none_or(|best| thumbnail.width > best.width) {
            best = Some(thumbnail);
        }
    }
    let attached =
        || enclosures.iter().find(|enclosure| enclosure.media_type.starts_with("image/"));
    best.or_else(|| attached().map(|found| Image { url: found.url.clone(), ..Image::default() }))
}

/// An image with a valid URL; `None` for tracking pixels.
pub(super) fn image(parsed: &Image, base: &Url) -> Option<Image> {
    let side = |side: Option<u32>| side.filter(|pixels| *pixels > 0);
    let (width, height) = (side(parsed.width), side(parsed.height));
    let is_pixel = super::display::is_pixel(width, height);
    let url = links::absolute(&parsed.url, base, WEB)?;
    (!is_pixel && !super::embedded::is_tracker_url(&url)).then_some(Image { url, width, height })
}

/// Type and subtype of a media type (RFC 9110 8.3.1) in lower case; `None` if it is invalid.
pub(super) fn media_type(written: &str) -> Option<String> {
    let essence = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |part: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
        (1..=127).contains(&part.len()) && part.bytes().all(fits)
    };
    let (kind, subtype) = essence.split_once('/')?;
    (token(kind) && token(subtype)).then_some(essence)
}

/// Media type of a file under its registered name. If it is vague (`application/octet-stream` or `application/x-…`) or
/// that of a text or a picture, an audio or video type by file name extension.
fn file_type(written: &str, url: &str) -> String {
    // Only the medium is known.
    let bare = ["audio", "image", "video"].iter().find(|m| written.trim().eq_ignore_ascii_case(m));
    let bare = bare.map(|medium| format!("{medium}/"));
    if let Some(medium) = bare.as_deref().or_else(|| written.strip_suffix('*')) {
        let by_name = guessed(url);
        return match medium.to_ascii_lowercase().as_str() {
            medium if by_name.starts_with(medium) => by_name,
            "audio/" => "audio/mpeg",
            "image/" => "image/jpeg",
            "video/" => "video/mp4",
            _ => by_name,
        }
        .to_owned();
    }
    let Some(written) = media_type(written) else { return guessed(url).to_owned() };
    // A server that does not know the file labels it as its error page or its cover.
    let begins = |kinds: &[&str]| kinds.iter().any(|kind| written.starts_with(kind));
    let ends = |kinds: &[&str]| kinds.iter().any(|kind| written.ends_with(kind));
    let wrong = begins(&["text/", "image/", "font/", "message/", "multipart/"])
        || ends(&["/xml", "+xml", "/json", "+json"]);
    let vague = written == UNKNOWN || written.starts_with("application/x-");
    let by_name = Some(guessed(url)).filter(|kind| (vague || wrong) && is_played(kind));
    by_name.map_or_else(|| registered(&written), str::to_owned)
}

/// The registered name of a media type.
fn registered(media_type: &str) -> String {
    // `x-` is not a top-level type (RFC 6838 3.4); the type follows it.
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
    fn an_enclosure_has_a_url_a_media_type_and_no_length_of_zero() {
        let parsed = [
            enclosure("/a.MP3", "", Some(0)),
            enclosure("https://e.org/b", "Audio/MPEG; codecs=x", Some(7)),
            enclosure("https://e.org/c", "mp3", None),
            enclosure("javascript:alert(1)", "audio/mpeg", None),
            enclosure("https://e.org/b", "audio/ogg", None),
            enclosure("https://e.org/v/abc", "application/x-shockwave-flash", None),
        ];
        let (kept, _) = enclosures(&parsed, &base());
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
    fn a_file_has_its_registered_media_type() {
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
            ("text/html", "https://e.org/a.mp3", "audio/mpeg"),
            ("text/html; charset=utf-8", "https://e.org/a.M4A?x#y", "audio/mp4"),
            ("text/plain", "https://e.org/a.webm", "video/webm"),
            ("image/jpeg", "https://e.org/a.mp4", "video/mp4"),
            ("application/xhtml+xml", "https://e.org/a.ogg", "audio/ogg"),
            ("text/html", "https://e.org/a", "text/html"),
            ("text/html", "https://e.org/player?file=a.mp3", "text/html"),
            ("text/plain", "https://e.org/a.zip", "text/plain"),
            ("image/jpeg", "https://e.org/a.png", "image/jpeg"),
            ("video/mp4", "https://e.org/a.mp3", "video/mp4"),
            ("audio/*", "https://e.org/a.ogg", "audio/ogg"),
            ("audio/*", "https://e.org/a?id=1", "audio/mpeg"),
            ("video/*", "https://e.org/a.mp3", "video/mp4"),
            ("image/*", "https://e.org/a.png", "image/png"),
            ("image/*", "https://e.org/a", "image/jpeg"),
            ("image", "https://e.org/a", "image/jpeg"),
            (" Audio", "https://e.org/a.ogg", "audio/ogg"),
            ("application/*", "https://e.org/a.pdf", "application/pdf"),
        ] {
            assert_eq!(file_type(written, url), kept, "{written} {url}");
        }
    }

    #[test]
    fn no_more_than_fifty_enclosures_are_kept() {
        let many: Vec<_> = (0..99).map(|n| enclosure(&format!("/{n}.png"), "", None)).collect();
        let (kept, surplus) = enclosures(&many, &base());
        assert_eq!((kept.len(), surplus), (MAX_ENCLOSURES, 49));
    }

    #[test]
    fn the_image_is_the_widest_thumbnail_or_else_an_enclosure() {
        let thumbnail = |url: &str, width| Image { url: url.into(), width, height: None };
        let attached = [
            enclosure("https://e.org/x.mp3", "audio/mpeg", None),
            enclosure("https://e.org/x.png", "image/png", None),
        ];
        let of = |thumbnails: &[Image]| {
            item_image(thumbnails, &attached, &base()).map(|image| image.url)
        };
        assert_eq!(
            of(&[thumbnail("/a", Some(90)), thumbnail("/b", Some(300)), thumbnail("/c", None)])
                .as_deref(),
            Some("https://example.org/b")
        );
        let avatar = thumbnail("https://1.gravatar.com/avatar/abc?s=96", Some(96));
        assert_eq!(of(&[avatar, thumbnail("/b", None)]).as_deref(), Some("https://example.org/b"));
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
