//! Images in HTML: tracking pixels, emoji, and pictures with their sources.

use super::copies::names_picture;
use super::emoji::emoji;
use super::links::LinkBase;
use super::picture_sources::{Loading, Sources, sources};
use super::sizes::{is_hidden_element, is_pixel_element};
use super::tokens::Tag;

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
