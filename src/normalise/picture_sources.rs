//! Sources of pictures: which attribute of an `<img>` has the picture that the publisher's page shows in the end. Scripts
//! put it in the place of a placeholder or of a small preview.

use std::borrow::Cow;

use super::embedded::{is_tracker_url, names_media, names_picture};
use super::limits::MAX_CANDIDATES;
use super::links::{LinkBase, WEB};
use super::tokens::Tag;

/// Attributes whose value scripts put in the place of `src`, whatever that is.
const LAZY_SRC: &[&str] = &[
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-lazy",
    "data-orig-src",
    "data-actualsrc",
    "data-original-src",
    "data-lazyload",
    "data-cfsrc",
    "data-litespeed-src",
    "data-pagespeed-lazy-src",
    "nitro-lazy-src",
    // Of Discuz.
    "file",
];

/// Attributes that may have the URL of the picture, but also that of the page.
const MAYBE_SRC: &[&str] = &["data-url"];

/// Parts of names of attributes that have a smaller or another picture.
const POOR: &[&str] = &["low", "placeholder", "preview", "small", "thumb", "loading", "fallback"];

/// Parts of names of attributes that have the URL of a page, even if it contains that of a picture.
const PAGES: &[&str] = &["href", "link", "pin", "share"];

/// Prefixes of file names of placeholders. Those without a dot are common words: of a file that may be a photograph, they
/// are the whole name.
const PLACEHOLDERS: &[&str] = &[
    "1x1",
    "404.",
    "blank",
    "clear.",
    "cleardot",
    "empty.",
    "gray.",
    "grey.",
    "lazy",
    "loader",
    "loading",
    "none.",
    "pixel",
    "preload",
    "spacer",
    "trans.",
    "transparent",
];

/// Parts of file names of placeholders.
const PLACEHOLDER_PARTS: &[&str] = &[
    "-loader.",
    "lazy-load",
    "lazyload",
    "no-image",
    "no_image",
    "noimage",
    "placeholder",
    "spinner",
];

/// File names of placeholders that are GIF or PNG files. GIF files may also have a name of one letter.
const PLACEHOLDER_NAMES: &[&str] = &["black", "dot", "pix", "px", "space", "white"];

/// Folders with nothing but placeholders, if these are drawn.
const PLACEHOLDER_FOLDERS: &[&str] = &["/lazy/", "/lazyload/", "/placeholder/", "/placeholders/"];

/// Values of `src` without a picture.
const NOTHING: &[&str] = &["", ".", "./", "/", "?", "false", "nan", "none", "null", "undefined"];

/// Width in pixels that is enough for any reader.
const WIDE: u32 = 1_600;

/// When the publisher's page loads a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// Together with the page.
    Eager,
    /// Later, by a script. A copy in a `<noscript>` often follows.
    Lazy,
    /// Later, but only a placeholder is known.
    Placeholder,
}

/// The sources of a picture, as absolute URLs.
#[derive(Debug)]
pub(super) struct Sources {
    /// The best single one.
    pub(super) src: Option<String>,
    pub(super) srcset: Option<String>,
    /// The preview that a script replaces.
    pub(super) preview: Option<String>,
    pub(super) loading: Loading,
}

/// The sources of an `<img>`; `of_picture` is that of its `<picture>`.
pub(super) fn sources(tag: &Tag<'_>, link_base: LinkBase<'_>, of_picture: Option<&str>) -> Sources {
    let written = tag.attribute("src").and_then(|src| picture_url(src, link_base));
    let set = sets(tag).find_map(|(name, set)| Some((name, candidates(set, link_base)?)));
    let is_lazy_set = set.as_ref().is_some_and(|(name, _)| *name != "srcset");
    let srcset = set.map(|(_, set)| set);
    let real = written.as_deref().filter(|url| !is_placeholder(url));
    let later = later(tag, written.as_deref(), link_base).or_else(|| {
        let set = srcset.as_deref().filter(|_| is_lazy_set || real.is_none())?;
        let shows = |url: &str| set.split([' ', ',']).any(|part| part == url);
        if real.is_some_and(shows) { None } else { best(set).map(str::to_owned) }
    });
    let later = later.or_else(|| of_picture.filter(|_| real.is_none()).map(str::to_owned));
    let loading = match (&later, real) {
        (Some(_), None) if srcset.is_some() && !is_lazy_set && written.is_none() => Loading::Eager,
        (Some(_), _) => Loading::Lazy,
        (None, Some(_)) => Loading::Eager,
        (None, None) => Loading::Placeholder,
    };
    let preview = written.clone().filter(|url| later.is_some() && !is_placeholder(url));
    Sources { src: later.or(written), srcset, preview, loading }
}

/// The source that a script puts in the place of `src`, or of a placeholder if there is no real one.
fn later(tag: &Tag<'_>, written: Option<&str>, link_base: LinkBase<'_>) -> Option<String> {
    let resolved = |name: &&str| picture_url(&filled_in(address(tag, name)?, tag)?, link_base);
    let lazy = || LAZY_SRC.iter().filter_map(resolved);
    let picture = lazy().find(|url| !is_placeholder(url));
    let Some(real) = written.filter(|url| !is_placeholder(url)) else {
        return picture
            .or_else(|| other(tag, written, link_base))
            .or_else(|| MAYBE_SRC.iter().find_map(resolved))
            .or_else(|| lazy().next());
    };
    // A script may add to the query of the same picture: `?is-pending-load=1`.
    let same = |lazy: &str| {
        lazy.strip_prefix(real).is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    };
    picture.filter(|lazy| !same(lazy) && (names_picture(lazy) || !names_picture(real)))
}

/// The URL of an attribute for scripts, with a width in the place of `{width}`; `None` if a script puts in what is unknown.
fn filled_in<'t>(written: &'t str, tag: &Tag<'_>) -> Option<Cow<'t, str>> {
    if !is_template(written) {
        return Some(Cow::Borrowed(written));
    }
    let numbers = tag.attribute("data-widths")?.split(|c: char| !c.is_ascii_digit());
    let widths = numbers.filter_map(|number| number.parse::<u32>().ok()).filter(|width| *width > 0);
    let width = widths.clone().filter(|width| *width <= WIDE).max().or_else(|| widths.min())?;
    let filled = written.replace("{width}", &width.to_string());
    (!filled.contains('{')).then_some(Cow::Owned(filled))
}

/// Whether a script puts something into a URL: `{width}`, `{{ width }}`, `%WIDTH%`. Not an id in braces, nor a character
/// that is encoded.
fn is_template(url: &str) -> bool {
    let in_braces = || {
        url.split('{').skip(1).any(|rest| {
            let name = rest.split('}').next().unwrap_or_default().trim();
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
            let is_word =
                name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_name);
            // An id is longer.
            rest.contains('}') && is_word && name.len() < 32
        })
    };
    let in_percents = || {
        let parts: Vec<&str> = url.split('%').collect();
        parts.iter().skip(1).rev().skip(1).any(|part| {
            let is_hex = part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
            part.len() > 1 && !is_hex && part.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        })
    };
    url.contains('{') && in_braces() || url.contains('%') && in_percents()
}

/// The value of an attribute for scripts, if it can be a URL. It may also be a flag: `true`, `lazy`, `600`.
fn address<'t>(tag: &'t Tag<'_>, name: &str) -> Option<&'t str> {
    let is_url = |value: &&str| value.contains('/') || names_picture(value) || names_media(value);
    tag.attribute(name).filter(is_url)
}

/// The first other attribute with the URL of a picture; full pictures before small ones. A small one is no better than a
/// written JPEG file, which is hardly a placeholder.
fn other(tag: &Tag<'_>, written: Option<&str>, link_base: LinkBase<'_>) -> Option<String> {
    let path = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let is_photo = written.map(path).is_some_and(|p| p.ends_with(".jpg") || p.ends_with(".jpeg"));
    let poor = |name: &str| POOR.iter().any(|part| name.contains(part));
    let page = |name: &str| *name == *"src" || PAGES.iter().any(|part| name.contains(part));
    let pictures = |is_poor: bool| {
        tag.attributes.iter().filter_map(move |(name, value)| {
            let is_url = value.contains('/') && !value.trim().contains(char::is_whitespace);
            let is_meant = is_url
                && names_picture(&path(value))
                && poor(name) == is_poor
                && !page(name)
                && !is_template(value);
            picture_url(value, link_base).filter(|url| is_meant && !is_placeholder(url))
        })
    };
    let small = pictures(true).filter(|_| !is_photo);
    pictures(false).chain(small).find(|url| !is_tracker_url(url))
}

/// The URL of a frame, of a film or of sound: `src`, or where a script finds it.
pub(super) fn lazy_or_own(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<String> {
    let lazy = LAZY_SRC.iter().filter_map(|name| address(tag, name));
    let urls = tag.attribute("src").into_iter().chain(lazy);
    let mut urls = urls.filter(|url| !url.trim().starts_with('#'));
    urls.find_map(|url| link_base.resolve(url, WEB))
}

/// The absolute URL of a picture; `None` if it is the page itself or none at all.
fn picture_url(written: &str, link_base: LinkBase<'_>) -> Option<String> {
    let bare = written.trim();
    if bare.starts_with('#') || NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(bare)) {
        return None;
    }
    let url = link_base.resolve(written, WEB)?;
    let address = url.split_once("://").map_or("", |(_, address)| address);
    let path = address.split_once('/').map_or("", |(_, path)| path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_nothing = path.is_empty() || NOTHING.iter().skip(1).any(|nothing| *nothing == name);
    (!is_nothing).then_some(url)
}

/// The `srcset` attributes with their names; those for scripts first.
fn sets<'t>(tag: &'t Tag<'_>) -> impl Iterator<Item = (&'t str, &'t str)> {
    let lazy =
        tag.attributes.iter().filter(|(name, _)| name.ends_with("srcset") && name != "srcset");
    let own = tag.attributes.iter().filter(|(name, _)| name == "srcset");
    lazy.chain(own).map(|(name, set)| (&**name, &**set))
}

/// The `srcset` of an `<img>` or `<source>` with absolute URLs.
pub(super) fn srcset(tag: &Tag<'_>, link_base: LinkBase<'_>) -> Option<String> {
    sets(tag).find_map(|(_, set)| candidates(set, link_base))
}

/// The candidate of a normalised `srcset` for a reader that takes only one: the widest that is not too wide.
pub(super) fn best(srcset: &str) -> Option<&str> {
    let widths = srcset.split(", ").map(|candidate| {
        let (url, descriptor) = candidate.split_once(' ').unwrap_or((candidate, ""));
        (url, descriptor.strip_suffix('w').and_then(|width| width.parse::<u32>().ok()))
    });
    let fitting = widths.clone().filter(|(_, width)| width.is_some_and(|width| width <= WIDE));
    // `max_by_key` returns the last of equal ones; any will do.
    let widest = fitting.max_by_key(|(_, width)| *width);
    widest.or_else(|| widths.min_by_key(|(_, width)| *width)).map(|(url, _)| url)
}

/// The valid image candidates of a `srcset` with absolute URLs (HTML 4.8.4.3.10).
pub(super) fn candidates(written: &str, link_base: LinkBase<'_>) -> Option<String> {
    let kept = up_to(MAX_CANDIDATES, written, link_base);
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// Number of valid candidates that are left out of the `srcset` of an element.
pub(super) fn surplus_candidates(tag: &Tag<'_>, link_base: LinkBase<'_>) -> usize {
    let numbers = sets(tag).map(|(_, set)| up_to(usize::MAX, set, link_base).len());
    let all = numbers.into_iter().find(|number| *number > 0);
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

/// Whether the file of a URL is a placeholder for a picture that is loaded later.
fn is_placeholder(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let (stem, extension) = name.split_once('.').unwrap_or((&name, ""));
    let is_drawn = matches!(name.rsplit('.').next(), Some("gif" | "png" | "svg" | "webp"));
    let is_word = |prefix: &str| is_drawn || prefix.ends_with('.') || stem == prefix;
    let is_in_folder = || PLACEHOLDER_FOLDERS.iter().any(|folder| path.contains(folder));
    is_drawn && is_in_folder()
        || PLACEHOLDERS.iter().any(|prefix| name.starts_with(prefix) && is_word(prefix))
        || PLACEHOLDER_PARTS.iter().any(|part| name.contains(part))
        || PLACEHOLDER_NAMES.contains(&stem) && matches!(extension, "gif" | "png")
        || extension == "gif" && stem.len() == 1
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::*;

    /// The source of a picture that is published.
    fn shown(html: &str) -> String {
        let base = Url::parse("https://e.org/feed.xml").unwrap();
        let kept = fragment(html, LinkBase { base: &base, page: Some("https://e.org/post") });
        let kept = kept.unwrap_or_default();
        kept.split_once(" src=\"")
            .map_or(kept.clone(), |(_, src)| src.split('"').next().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_placeholder_or_preview_is_replaced_by_the_picture() {
        for src in [
            "#",
            "/",
            "?",
            " ",
            "undefined",
            "null",
            "javascript:;",
            "data:image/gif;base64,R0",
            "/t.gif",
            "/white.png",
            "/space.gif",
            "/spinner.gif",
            "/img-placeholder.png",
            "/noimage.jpg",
            "/a.jpg?w=20&blur=50",
            "/a-20x20.jpg",
            "/lqip/a.jpg",
        ] {
            for name in ["data-src", "data-original", "data-lazy-src", "data-cfsrc"] {
                let html = format!("<img src='{src}' {name}='/r.jpg?w=1200'>");
                assert_eq!(shown(&html), "https://e.org/r.jpg?w=1200", "{html}");
            }
        }
        assert_eq!(
            shown("<img src=/a.jpg data-src='/a.jpg?is-pending-load=1'>"),
            "https://e.org/a.jpg"
        );
        assert_eq!(shown("<img src=/a.jpg data-orig-file=/huge.jpg>"), "https://e.org/a.jpg");
        assert_eq!(shown("<img src=/a.jpg data-src=/page>"), "https://e.org/a.jpg");
        for flag in ["data-lazy=true", "data-lazyload=lazy data-original=600", "data-src=1"] {
            assert_eq!(
                shown(&format!("<img src=/img/12 {flag}>")),
                "https://e.org/img/12",
                "{flag}"
            );
            for film in [
                format!("<video {flag}><source src=/f.mp4></video>"),
                format!("<video><source {flag} src=/f.mp4></video>"),
            ] {
                assert_eq!(shown(&film), "https://e.org/f.mp4", "{film}");
            }
            assert_eq!(shown(&format!("<iframe {flag}></iframe>x")), "x", "{flag}");
        }
        assert_eq!(
            shown("<img src=/tiny.jpg data-srcset='/a.jpg 400w, /b.jpg 800w, /c.jpg 4000w'>"),
            "https://e.org/b.jpg"
        );
        assert_eq!(shown("<img src=# alt=Boat>"), "Boat");
    }

    #[test]
    fn a_template_or_placeholder_for_scripts_does_not_replace_a_picture() {
        for lazy in [
            "/a_{width}x.jpg",
            "/a_{{ width }}x.jpg",
            "/%WIDTH%/a.jpg",
            "/a_{w}.jpg",
            "/placeholder.png",
            "/none.gif",
        ] {
            for name in ["data-src", "data-original", "file"] {
                let html = format!("<img src=/a_20x.jpg {name}='{lazy}'>");
                assert_eq!(shown(&html), "https://e.org/a_20x.jpg", "{html}");
            }
        }
        for (html, src) in [
            (
                "<img src=/a_20x.jpg data-src=/a_{width}x.jpg data-widths='[180, 360]'>",
                "a_360x.jpg",
            ),
            ("<img src=# data-src=/a_{width}x.jpg data-widths='[180,1080,2048]'>", "a_1080x.jpg"),
            ("<img src=# data-src=/none.gif data-full=/r.jpg>", "r.jpg"),
            ("<img src=# data-src=/pixel-9.png>", "pixel-9.png"),
            ("<img src=/t.gif data-src='/%DCBER%20x%C3%9F.jpg'>", "%DCBER%20x%C3%9F.jpg"),
            (
                "<img src=/t.gif data-src='/{F3A0B1C2-0000-4000-8000-0123456789AB}/a.jpg'>",
                "%7BF3A0B1C2-0000-4000-8000-0123456789AB%7D/a.jpg",
            ),
        ] {
            assert_eq!(shown(html), format!("https://e.org/{src}"), "{html}");
        }
        assert_eq!(shown("<img src=# data-src=/a_{width}x.jpg alt=Boat>"), "Boat");
    }

    #[test]
    fn the_picture_of_a_placeholder_is_in_any_attribute() {
        for attribute in [
            "data-orig",
            "data-orig-file",
            "data-large-file",
            "data-2000src",
            "data-hi-res-src",
            "data-full-url",
            "data-echo",
            "data-runner-src",
            "nitro-lazy-src",
            "data-url",
            "zoomfile",
        ] {
            for place in [
                "",
                "src=/static/image/common/none.gif",
                "src=/lazy/ph.svg",
                "src='data:image/gif;base64,R0' width=1 height=1",
            ] {
                let html = format!("<img {place} data-link=/post {attribute}=/r.jpg alt=P>");
                assert_eq!(shown(&html), "https://e.org/r.jpg", "{html}");
            }
        }
        for written in ["pixel-9.jpg", "loading-dock.jpg", "lazy-dog.jpg", "blank.jpg"] {
            let html = format!("<img src=/{written} data-thumb=/t.jpg>");
            assert_eq!(shown(&html), format!("https://e.org/{written}"), "{html}");
        }
        for page in ["data-share=/p.jpg", "data-permalink=/p.jpg", "data-x='/pin?media=/p.jpg'"] {
            assert_eq!(shown(&format!("<img {page} alt=P>")), "P", "{page}");
        }
        assert_eq!(shown("<img data-thumb=/t.jpg data-x=/r.jpg>"), "https://e.org/r.jpg");
        assert_eq!(shown("<img data-thumb=/t.jpg alt=P>"), "https://e.org/t.jpg");
        assert_eq!(shown("<img src=data:, data-x='see a/b.jpg there' alt=P>"), "P");
        assert_eq!(shown("<img width=1 height=1 data-src=https://t.org/open?x>b"), "b");
    }
}
