//! Images and players in HTML: sources of lazily loaded images, tracking pixels, and links to the pages
//! of embedded players.

use url::Url;

use super::limits::MAX_CANDIDATES;
use super::links::{self, LinkBase, WEB};
use super::plain_text;
use super::tokens::Tag;

/// Attributes with the source of lazily loaded images.
const LAZY_SRC: &[&str] = &[
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-lazy",
    "data-orig-src",
    "data-actualsrc",
    "data-original-src",
    "data-url",
];

/// Attributes with the `srcset` of lazily loaded images.
const LAZY_SRCSET: &[&str] = &["data-srcset", "data-lazy-srcset", "data-original-set"];

/// Prefixes of file names of placeholder images.
const PLACEHOLDERS: &[&str] = &[
    "1x1",
    "blank",
    "clear.",
    "empty.",
    "gray.",
    "grey.",
    "lazy",
    "loader",
    "loading",
    "pixel",
    "placeholder",
    "spacer",
    "trans.",
    "transparent",
];

/// Hosts and path prefixes of tracking images. A leading dot includes all subdomains.
const TRACKERS: &[(&str, &str)] = &[
    ("ad.doubleclick.net", "/"),
    ("analytics.twitter.com", "/"),
    ("b.scorecardresearch.com", "/"),
    ("bat.bing.com", "/"),
    ("counter.theconversation.com", "/"),
    ("da.feedsportal.com", "/"),
    ("eotrx.substackcdn.com", "/open"),
    ("feedads.g.doubleclick.net", "/"),
    ("feedproxy.google.com", "/~r/"),
    ("feeds.feedblitz.com", "/_/"),
    ("feeds.feedburner.com", "/~r/"),
    ("feeds.feedburner.com", "/~ff/"),
    ("feeds.wordpress.com", "/1.0/"),
    ("googleads.g.doubleclick.net", "/"),
    ("medium.com", "/_/stat"),
    ("pixel.quantserve.com", "/"),
    ("pixel.wp.com", "/"),
    ("px.ads.linkedin.com", "/"),
    ("rss.buysellads.com", "/"),
    ("stats.wordpress.com", "/"),
    ("t.co", "/i/adsct"),
    ("www.facebook.com", "/tr"),
    ("www.google-analytics.com", "/"),
    (".list-manage.com", "/track/open"),
];

/// The result of reading an `<img>`.
pub(super) enum EmbeddedImage {
    /// A tracking pixel, which is dropped.
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
        /// Source that a script puts in the place of `src`.
        later: Option<String>,
    },
}

/// When the publisher's page loads the image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// Together with the page.
    Eager,
    /// Later, by a script. A copy in a `<noscript>` often follows.
    Lazy,
    /// Later, but only a placeholder is known.
    Placeholder,
}

/// How an `<img>` is shown: its sources, or what replaces it.
pub(super) fn embedded_image(tag: &Tag<'_>, link_base: LinkBase<'_>) -> EmbeddedImage {
    let first = |names: &[&str]| {
        names.iter().filter_map(|name| tag.attribute(name)).find_map(|v| link_base.resolve(v, WEB))
    };
    let written = first(&["src"]);
    let lazy = first(LAZY_SRC);
    let srcset = srcset(tag, link_base);
    if is_invisible_element(tag) || written.iter().chain(&lazy).any(|url| is_tracker_url(url)) {
        return EmbeddedImage::Tracker;
    }
    if let Some(emoji) = emoji(tag) {
        return EmbeddedImage::Emoji(emoji);
    }
    let real = written.as_deref().is_some_and(|url| !is_placeholder(url));
    let loading = match (&written, &lazy) {
        _ if real => Loading::Eager,
        (_, Some(_)) => Loading::Lazy,
        (Some(_), None) if srcset.is_none() => Loading::Placeholder,
        _ => Loading::Eager,
    };
    let (src, later) = match (written, lazy) {
        (Some(written), lazy) if real => (Some(written), lazy),
        (_, Some(lazy)) => (Some(lazy), None),
        (written, None) => {
            let candidate = srcset.as_deref().and_then(|set| set.split([' ', ',']).next());
            (candidate.map(str::to_owned).or(written), None)
        }
    };
    let kept = |src| EmbeddedImage::Kept { src, srcset, loading, later };
    src.map_or(EmbeddedImage::Sourceless, kept)
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
fn emoji(tag: &Tag<'_>) -> Option<String> {
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

/// The `srcset` of an `<img>` or `<source>` with absolute URLs.
pub(super) fn srcset(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<String> {
    let mut sets = ["srcset"].iter().chain(LAZY_SRCSET).filter_map(|name| tag.attribute(name));
    sets.find_map(|set| candidates(set, link_base))
}

/// The valid image candidates of a `srcset` with absolute URLs (HTML 4.8.4.3.10).
pub(super) fn candidates(written: &str, link_base: LinkBase<'_>) -> Option<String> {
    let kept = up_to(MAX_CANDIDATES, written, link_base);
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// Number of valid candidates that are left out of the `srcset` of an element.
pub(super) fn surplus_candidates(tag: &Tag<'_>, link_base: LinkBase<'_>) -> usize {
    let sets = ["srcset"].iter().chain(LAZY_SRCSET).filter_map(|name| tag.attribute(name));
    let all = sets.map(|set| up_to(usize::MAX, set, link_base).len()).find(|number| *number > 0);
    all.unwrap_or_default().saturating_sub(MAX_CANDIDATES)
}

/// The first valid candidates.
fn up_to(most: usize, written: &str, link_base: LinkBase<'_>) -> Vec<String> {
    let space = |c: char| c.is_ascii_whitespace();
    let mut rest = written;
    let mut kept: Vec<String> = Vec::new();
    while kept.len() < most {
        rest = rest.trim_start_matches(|c| space(c) || c == ',');
        if rest.is_empty() {
            break;
        }
        let (url, behind) = rest.split_at(rest.find(space).unwrap_or(rest.len()));
        let alone = url.trim_end_matches(',');
        let (descriptor, behind) = match alone.len() < url.len() {
            true => ("", behind),
            false => behind.split_at(behind.find(',').unwrap_or(behind.len())),
        };
        rest = behind;
        let descriptor = descriptor.split(space).find(|word| !word.is_empty()).unwrap_or_default();
        let fits =
            |link: &String| !link.starts_with(',') && !link.ends_with(',') && !is_tracker_url(link);
        if is_descriptor(descriptor)
            && let Some(link) = link_base.resolve(alone, WEB).filter(fits)
        {
            kept.push(format!("{link} {descriptor}").trim_end().to_owned());
        }
    }
    kept
}

/// Whether an image descriptor is valid: `100w`, `1.5x` or empty.
fn is_descriptor(descriptor: &str) -> bool {
    let positive = |number: &str| number.parse::<u32>().is_ok_and(|n| n > 0);
    match (descriptor.strip_suffix('w'), descriptor.strip_suffix('x')) {
        (Some(width), _) => positive(width) && !width.starts_with('+'),
        (_, Some(density)) => {
            density.starts_with(|c: char| c.is_ascii_digit())
                && density.parse::<f32>().is_ok_and(f32::is_normal)
        }
        _ => descriptor.is_empty(),
    }
}

/// Maximum side of a picture in pixels, as on the allowlist.
const MAX_SIDE: u32 = 20_000;

/// Whether an element is invisible: a tracking pixel by its attributes or its style, or hidden by its style.
pub(super) fn is_invisible_element(tag: &Tag<'_>) -> bool {
    // Parsed as a number, because `00px` is written as `0` and must be detected in the first pass. Longer sides are
    // not written.
    let pixels = |side: &str| {
        let number: i32 = side.trim().trim_end_matches("px").parse().ok()?;
        u32::try_from(number).ok().filter(|number| *number <= MAX_SIDE)
    };
    let side = |name| tag.attribute(name).and_then(pixels);
    let (mut width, mut height, mut hidden) = (None, None, false);
    let style = tag.attribute("style").unwrap_or_default().to_ascii_lowercase();
    for (property, value) in style.split(';').filter_map(|part| part.split_once(':')) {
        match property.trim() {
            "width" => width = pixels(value),
            "height" => height = pixels(value),
            "display" => hidden |= value.trim() == "none",
            "visibility" => hidden |= value.trim() == "hidden",
            _ => {}
        }
    }
    hidden || is_pixel(side("width"), side("height")) || is_pixel(width, height)
}

/// Whether a picture of this size cannot be seen. A picture that is narrow or flat, but not both, is a line.
pub(super) fn is_pixel(width: Option<u32>, height: Option<u32>) -> bool {
    match (width, height) {
        (Some(0), _) | (_, Some(0)) => true,
        (Some(width), Some(height)) => width <= 2 && height <= 2,
        (Some(side), None) | (None, Some(side)) => side == 1,
        (None, None) => false,
    }
}

/// Whether a normalised link is a known tracker.
pub(super) fn is_tracker_url(link: &str) -> bool {
    let Some((_, rest)) = link.split_once("://") else { return false };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.split(':').next().unwrap_or_default();
    TRACKERS.iter().any(|(beacon, prefix)| {
        let same = if beacon.starts_with('.') { host.ends_with(beacon) } else { host == *beacon };
        same && path.starts_with(prefix)
    })
}

fn is_placeholder(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|placeholder| name.starts_with(placeholder))
}

/// A link to the page of an embedded player (`<iframe>`, `<embed>`, `<amp-youtube>`).
pub(super) struct Player {
    pub(super) href: String,
    pub(super) label: String,
}

/// The link that replaces an embedded page; `None` if the page is invisible.
pub(super) fn player(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<Player> {
    let sources = ["src", "data-src", "data-lazy-src", "data-litespeed-src"];
    let source = || {
        let mut written = sources.iter().filter_map(|name| tag.attribute(name));
        written.find_map(|written| link_base.resolve(written, WEB))
    };
    let video = || {
        let id = word(tag.attribute("data-videoid").filter(|_| tag.name == "amp-youtube")?)?;
        Some(format!("https://www.youtube.com/embed/{id}"))
    };
    let embedded = source().or_else(video)?;
    if is_invisible_element(tag) || is_tracker_url(&embedded) {
        return None;
    }
    let url = Url::parse(&embedded).ok()?;
    let host = url.host_str()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    let label = tag.attribute("title").and_then(|title| plain_text::line(title, plain_text::NAME));
    let label = label.unwrap_or_else(|| host.to_owned());
    Some(Player { href: player_page(host, &url).unwrap_or(embedded), label })
}

/// The web page of the video or audio, for known players.
fn player_page(host: &str, url: &Url) -> Option<String> {
    let path = url.path();
    let query = |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value);
    match host {
        "youtube.com" | "youtube-nocookie.com" => {
            let id = path.strip_prefix("/embed/").or_else(|| path.strip_prefix("/v/"))?;
            match (id, query("list")) {
                ("videoseries", list) => {
                    word(&list?).map(|list| format!("https://www.youtube.com/playlist?list={list}"))
                }
                _ => word(id).map(|id| format!("https://www.youtube.com/watch?v={id}")),
            }
        }
        "player.vimeo.com" => {
            word(path.strip_prefix("/video/")?).map(|id| format!("https://vimeo.com/{id}"))
        }
        "dailymotion.com" => word(path.strip_prefix("/embed/video/")?)
            .map(|id| format!("https://www.dailymotion.com/video/{id}")),
        "open.spotify.com" => {
            let what = path.strip_prefix("/embed/")?;
            Some(format!("https://open.spotify.com/{what}"))
        }
        "w.soundcloud.com" => {
            let track = Url::parse(&query("url")?).ok()?;
            links::absolute(track.as_str(), url, WEB)
        }
        _ => None,
    }
}

/// An id, if it needs no escaping.
fn word(id: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!id.is_empty() && id.chars().all(fits)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::super::html::fragment;
    use super::*;

    #[test]
    fn an_invisible_image_is_dropped_in_the_first_pass() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for size in [
            "width=0",
            "width='00px'",
            "height=' +1 '",
            "style='width: 01px'",
            "width=2 height=1",
            "width=0 height=300",
            "width=1 height=30000",
            "style='height:2PX;width:2px'",
        ] {
            let html = format!("a<img src='x.png' {size}>b");
            assert_eq!(fragment(&html, link_base).as_deref(), Some("ab"), "{size}");
        }
    }

    #[test]
    fn a_line_is_not_a_tracking_pixel() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for size in ["width=1 height=300", "width=600 height=2", "style='width:1px;height:9px'"] {
            let html = format!("<a href='/a'><img src='x.png' {size}></a>");
            let kept = fragment(&html, link_base).unwrap_or_default();
            assert!(kept.contains("<a ") && kept.contains("x.png"), "{size}: {kept}");
        }
    }

    #[test]
    fn the_media_of_amp_are_read_like_those_of_html() {
        let base = Url::parse("https://example.org/").unwrap();
        let link_base = LinkBase { base: &base, page: None };
        for (html, kept) in [
            (
                "<amp-img src=/a.jpg width=600 height=400 layout=responsive></amp-img>",
                "<img src=\"https://example.org/a.jpg\" width=\"600\" height=\"400\">",
            ),
            (
                "<amp-video src=/v.mp4 autoplay></amp-video>",
                "<video src=\"https://example.org/v.mp4\" controls=\"\"></video>",
            ),
            (
                "<amp-audio src=/a.mp3></amp-audio>",
                "<audio src=\"https://example.org/a.mp3\" controls=\"\"></audio>",
            ),
            (
                "<amp-youtube data-videoid=a_B-1 width=480 height=270></amp-youtube>",
                "<p><a href=\"https://www.youtube.com/watch?v=a_B-1\">youtube.com</a></p>",
            ),
            (
                "<amp-iframe src=https://e.org/x title=Map></amp-iframe>",
                "<p><a href=\"https://e.org/x\">Map</a></p>",
            ),
            ("<amp-youtube data-videoid='a b'></amp-youtube>a", "a"),
        ] {
            assert_eq!(fragment(html, link_base).as_deref(), Some(kept), "{html}");
        }
    }
}
