//! Images in HTML: tracking pixels, pictures that represent characters (emoji and smileys), and pictures with their sources.
//!
//! Also copies of pictures, films and players. A page that loads them by scripts has each twice: where the script puts it, and
//! in a `<noscript>`. Only what a browser with scripts shows is published.

use std::collections::HashSet;

use super::display::{is_hidden_element, is_pixel_element};
use super::links::LinkBase;
use super::picture_sources::{Loading, Sources, sources};
use super::tokens::Tag;

/// Hosts and path prefixes of tracking images, and of frames with a button to like or share a page. A leading dot includes
/// all subdomains.
const TRACKERS: &[(&str, &str)] = &[
    ("ad.doubleclick.net", "/"),
    ("analytics.twitter.com", "/"),
    ("apis.google.com", "/"),
    ("b.hatena.ne.jp", "/entry/button"),
    ("b.scorecardresearch.com", "/"),
    ("bat.bing.com", "/"),
    ("buttons.github.io", "/"),
    ("counter.theconversation.com", "/"),
    ("da.feedsportal.com", "/"),
    ("eotrx.substackcdn.com", "/open"),
    ("feedads.g.doubleclick.net", "/"),
    ("feedproxy.google.com", "/~r/"),
    ("feeds.feedblitz.com", "/_/"),
    ("feeds.feedburner.com", "/~r/"),
    ("feeds.feedburner.com", "/~ff/"),
    ("feeds.wordpress.com", "/1.0/"),
    ("ghbtns.com", "/"),
    ("googleads.g.doubleclick.net", "/"),
    ("medium.com", "/_/stat"),
    ("pixel.quantserve.com", "/"),
    ("pixel.wp.com", "/"),
    ("platform.twitter.com", "/widgets/follow_button"),
    ("platform.twitter.com", "/widgets/tweet_button"),
    ("plusone.google.com", "/"),
    ("px.ads.linkedin.com", "/"),
    ("rss.buysellads.com", "/"),
    ("stats.wordpress.com", "/"),
    ("t.co", "/i/adsct"),
    ("www.facebook.com", "/plugins/follow"),
    ("www.facebook.com", "/plugins/like"),
    ("www.facebook.com", "/plugins/share_button"),
    ("www.facebook.com", "/tr"),
    ("www.google-analytics.com", "/"),
    (".list-manage.com", "/track/open"),
];

/// The result of reading an `<img>`.
pub(super) enum EmbeddedImage {
    /// A tracking pixel, or a hidden picture. It is dropped.
    Tracker,
    /// An emoji, as text.
    Emoji(String),
    /// An image without valid source.
    Sourceless,
    /// An image with these attributes.
    Kept {
        src: String,
        srcset: Option<String>,
        loading: Loading,
        /// The preview that a script replaces.
        preview: Option<String>,
    },
}

/// How an `<img>` is shown: its sources, or what replaces it. `of_picture` is the source of its `<picture>`.
pub(super) fn embedded_image(
    tag: &Tag<'_>,
    link_base: LinkBase<'_>,
    of_picture: Option<&str>,
) -> EmbeddedImage {
    let Sources { src, srcset, preview, loading } = sources(tag, link_base, of_picture);
    // The size of a placeholder is not that of the picture that a script puts in its place.
    let is_pixel = || {
        let replaced = loading == Loading::Lazy && src.as_deref().is_some_and(names_picture);
        is_pixel_element(tag) && !replaced
    };
    let is_tracker = || src.iter().chain(&preview).any(|url| is_tracker_url(url));
    if is_hidden_element(tag) || is_pixel() || is_tracker() {
        return EmbeddedImage::Tracker;
    }
    if let Some(emoji) = emoji(tag) {
        return EmbeddedImage::Emoji(emoji);
    }
    let kept = |src| EmbeddedImage::Kept { src, srcset, loading, preview };
    src.map_or(EmbeddedImage::Sourceless, kept)
}

/// Whether a normalised link is a known tracker or button.
pub(super) fn is_tracker_url(link: &str) -> bool {
    let Some((_, rest)) = link.split_once("://") else { return false };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.split(':').next().unwrap_or_default();
    TRACKERS.iter().any(|(beacon, prefix)| {
        let same = if beacon.starts_with('.') { host.ends_with(beacon) } else { host == *beacon };
        same && path.starts_with(prefix)
    })
}

/// Parts of classes and URLs of images that represent characters.
const EMOJI: &[&str] = &["emoji", "smiley", "smilies", "smileys", "emoticon"];

/// Maximum side in pixels of an image that represents a character.
const MAX_EMOJI: u32 = 72;

/// Maximum side in pixels of an image with the size of a letter.
const MAX_LETTER: u32 = 32;

/// Whether an image represents a character, by its class or URL and its size.
pub(super) fn is_emoji_image(tag: &Tag<'_>) -> bool {
    let named = |name: &str| {
        let value = tag.attribute(name).unwrap_or_default().to_ascii_lowercase();
        EMOJI.iter().any(|word| value.contains(word))
    };
    let side = |name: &str| {
        let side = tag.attribute(name).unwrap_or_default();
        side.trim().trim_end_matches("px").parse::<u32>().unwrap_or_default()
    };
    // A file name such as `emoji-movie.jpg` is not evidence; a folder is.
    let folder = || {
        let src = tag.attribute("src").unwrap_or_default().to_ascii_lowercase();
        let folder = src.rsplit_once('/').map_or("", |(folder, _)| folder);
        EMOJI.iter().any(|word| folder.contains(word))
    };
    (named("class") || folder()) && side("width").max(side("height")) <= MAX_EMOJI
}

/// The character that an image represents.
pub(super) fn emoji(tag: &Tag<'_>) -> Option<String> {
    let alt = tag.attribute("alt")?.trim();
    let only_emoji = !alt.is_empty() && alt.chars().count() <= 12 && alt.chars().all(is_of_emoji);
    // `:-)`, but not `:custom:`.
    let face = || {
        (2..=4).contains(&alt.len())
            && alt.is_ascii()
            && !alt.contains(char::is_whitespace)
            && alt.contains(|c: char| c.is_ascii_punctuation())
            && !(alt.starts_with(':') && alt.ends_with(':'))
    };
    let is_it = only_emoji && !alt.is_ascii() || face();
    let small = || {
        let side =
            |name: &str| tag.attribute(name).and_then(|side| side.trim().parse::<u32>().ok());
        side("width").or_else(|| side("height")).is_some_and(|side| side <= MAX_LETTER)
    };
    (is_it && (is_emoji_image(tag) || only_emoji && small())).then(|| alt.to_owned())
}

/// Whether emoji are made of the character: symbols, joiners, variation selectors, flags and keycaps.
fn is_of_emoji(c: char) -> bool {
    matches!(c,
        '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' | '#' | '*' | '0'..='9' | '©' | '®'
        | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}' | '\u{e0020}'..='\u{e007f}')
}

/// Extensions of pictures, in lower case.
const PICTURES: &[&str] = &["avif", "bmp", "gif", "heic", "jpeg", "jpg", "png", "svg", "webp"];
/// Extensions of sound and films, in lower case.
const MEDIA: &[&str] = &["m3u8", "m4a", "m4v", "mov", "mp3", "mp4", "oga", "ogg", "ogv", "webm"];

/// Parameters of queries that choose another size or form of the same picture.
const FORMS: &[&str] = &[
    "auto", "blur", "crop", "dpr", "fit", "fm", "format", "h", "height", "q", "quality", "resize",
    "size", "w", "width",
];

/// What a fragment shows outside of `<noscript>`.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(HashSet<String>);

impl Shown {
    /// Adds a normalised URL.
    pub(super) fn add(&mut self, url: &str) {
        self.0.insert(key(url));
    }

    /// Adds the URLs of a normalised `srcset`.
    pub(super) fn add_all(&mut self, srcset: Option<&str>) {
        urls(srcset).for_each(|url| self.add(url));
    }

    /// Whether a normalised URL leads to the same picture or player as one that was added.
    pub(super) fn has(&self, url: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&key(url))
    }

    /// Whether [`Self::has`] a URL of a normalised `srcset`.
    pub(super) fn has_any(&self, srcset: Option<&str>) -> bool {
        urls(srcset).any(|url| self.has(url))
    }
}

/// The URLs of a normalised `srcset`.
fn urls(srcset: Option<&str>) -> impl Iterator<Item = &str> {
    let candidates = srcset.unwrap_or_default().split(", ");
    candidates.filter_map(|candidate| candidate.split(' ').next()).filter(|url| !url.is_empty())
}

/// What is the same for all sizes and forms of a picture: its URL without scheme, size and extension.
fn key(url: &str) -> String {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    let address = address.split('#').next().unwrap_or_default();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(stem) = stem(name, PICTURES) {
        return format!("{folder}/{}", without_size(stem));
    }
    if stem(name, MEDIA).is_some() {
        return path.to_owned();
    }
    let decisive = query.split('&').filter(|part| {
        let parameter = part.split('=').next().unwrap_or_default();
        !FORMS.contains(&parameter)
    });
    decisive.fold(format!("{path}?"), |key, part| key + part + "&")
}

/// The file name without its extensions, if the last one is of these.
fn stem<'n>(name: &'n str, extensions: &[&str]) -> Option<&'n str> {
    let bare = |name: &'n str| {
        let (stem, extension) = name.rsplit_once('.')?;
        extensions.contains(&&*extension.to_ascii_lowercase()).then_some(stem)
    };
    let stem = bare(name)?;
    // `a.jpg.webp`.
    Some(bare(stem).unwrap_or(stem))
}

/// The name without the size that content management systems append: `-300x200` or `-scaled`.
fn without_size(stem: &str) -> &str {
    let Some((name, suffix)) = stem.rsplit_once('-') else { return stem };
    let number = |side: &str| !side.is_empty() && side.bytes().all(|byte| byte.is_ascii_digit());
    let is_size =
        suffix.split_once('x').is_some_and(|(width, height)| number(width) && number(height));
    if is_size || suffix == "scaled" { name } else { stem }
}

/// Whether a URL, with its query, names a file that is a picture.
pub(super) fn names_picture(url: &str) -> bool {
    let lower = url.split('#').next().unwrap_or_default().to_ascii_lowercase();
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    lower.match_indices('.').any(|(at, _)| {
        let rest = &lower[at + 1..];
        PICTURES.iter().any(|extension| rest.strip_prefix(extension).is_some_and(ends))
    })
}

/// Whether the path of a URL ends as that of a film or of sound.
pub(super) fn names_media(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    stem(path.rsplit('/').next().unwrap_or_default(), MEDIA).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_forms_of_a_picture_are_copies() {
        let mut shown = Shown::default();
        shown.add("https://e.org/a/b-300x200.jpg?w=300#x");
        shown.add("https://e.org/image?id=1&w=20");
        shown.add("https://e.org/v.mp4?x=1");
        for copy in [
            "https://e.org/a/b.jpg",
            "http://e.org/a/b-scaled.webp",
            "https://e.org/a/b-1x1.jpg.webp?x",
            "https://e.org/image?w=900&id=1",
            "https://e.org/v.mp4",
        ] {
            assert!(shown.has(copy), "{copy}");
        }
        for other in [
            "https://e.org/b.jpg",
            "https://f.org/a/b.jpg",
            "https://e.org/a/b-2.jpg",
            "https://e.org/image?id=2&w=20",
            "https://e.org/v.webm",
        ] {
            assert!(!shown.has(other), "{other}");
        }
    }

    #[test]
    fn a_url_names_a_picture_in_its_path_or_its_query() {
        for url in ["/a.jpg", "https://e.org/A.JPEG?w=1", "/_next/image?url=%2Fa.png&w=640"] {
            assert!(names_picture(url), "{url}");
        }
        for url in ["/a", "https://e.jpg.org/", "/a.jpgx", "/a.html#b.jpg", "a.gif.php"] {
            assert!(!names_picture(url), "{url}");
        }
    }
}
