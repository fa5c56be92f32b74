//! Pictures inside HTML: the real source of a lazily loaded one, and which are no pictures but trackers.

use super::links::WEB;
use super::place::Place;
use super::tokens::Tag;

/// Where scripts that load pictures late keep the source.
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

/// Where scripts that load pictures late keep the candidates.
const LAZY_SRCSET: &[&str] = &["data-srcset", "data-lazy-srcset", "data-original-set"];

/// What such scripts show until then, by the beginning of the file's name.
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

/// Hosts, with the paths below which they serve nothing but counters. A leading dot: any host below.
const BEACONS: &[(&str, &str)] = &[
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

/// What becomes of an `<img>`.
pub(super) enum Picture {
    /// It is for being counted, not for being looked at.
    Tracker,
    /// It has no source that could be shown.
    Sourceless,
    /// It is kept, with these.
    Kept { src: String, srcset: Option<String>, loading: Loading },
}

/// When the publisher's page loads the picture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// At once, as written.
    Eager,
    /// Late, by a script; so a copy for readers without scripts often follows in a `<noscript>`.
    Lazy,
}

/// Judges an `<img>`.
pub(super) fn picture(tag: &Tag<'_>, place: Place<'_>) -> Picture {
    let first = |names: &[&str]| {
        names.iter().filter_map(|name| tag.attribute(name)).find_map(|v| place.link(v, WEB))
    };
    let written = first(&["src"]);
    let lazy = first(LAZY_SRC);
    let srcset = srcset(tag, place);
    if is_tiny(tag) || written.iter().chain(&lazy).any(|url| is_beacon(url)) {
        return Picture::Tracker;
    }
    let real = written.as_deref().is_some_and(|url| !is_placeholder(url));
    let loading = if !real && lazy.is_some() { Loading::Lazy } else { Loading::Eager };
    let src = match (written, lazy) {
        (Some(written), _) if real => Some(written),
        (_, Some(lazy)) => Some(lazy),
        (written, None) => {
            let candidate = srcset.as_deref().and_then(|set| set.split([' ', ',']).next());
            candidate.map(str::to_owned).or(written)
        }
    };
    src.map_or(Picture::Sourceless, |src| Picture::Kept { src, srcset, loading })
}

/// The candidates of an `<img>` or `<source>`, absolute.
pub(super) fn srcset(tag: &Tag<'_>, place: Place<'_>) -> Option<String> {
    let mut sets = ["srcset"].iter().chain(LAZY_SRCSET).filter_map(|name| tag.attribute(name));
    sets.find_map(|set| candidates(set, place))
}

/// HTML 4.8.4.3.10: the image candidates of a `srcset`, made absolute; those that make no sense are left out.
pub(super) fn candidates(written: &str, place: Place<'_>) -> Option<String> {
    const MOST: usize = 24;
    let space = |c: char| c.is_ascii_whitespace();
    let mut rest = written;
    let mut kept: Vec<String> = Vec::new();
    while kept.len() < MOST {
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
            |link: &String| !link.starts_with(',') && !link.ends_with(',') && !is_beacon(link);
        if is_descriptor(descriptor)
            && let Some(link) = place.link(alone, WEB).filter(fits)
        {
            kept.push(format!("{link} {descriptor}").trim_end().to_owned());
        }
    }
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// `100w`, `1.5x` or nothing.
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

/// Nobody could see it: a side of 0 or 1, or hidden by its style.
pub(super) fn is_tiny(tag: &Tag<'_>) -> bool {
    // Read as a number, `00px` too: or it would be seen to be none only once it is written as one.
    let tiny = |side: &str| {
        side.trim().trim_end_matches("px").parse::<i32>().is_ok_and(|side| (0..=1).contains(&side))
    };
    let side = |name| tag.attribute(name).is_some_and(tiny);
    let hidden =
        |(property, value): (&str, &str)| match property.trim().to_ascii_lowercase().as_str() {
            "width" | "height" => tiny(&value.to_ascii_lowercase()),
            "display" => value.trim().eq_ignore_ascii_case("none"),
            "visibility" => value.trim().eq_ignore_ascii_case("hidden"),
            _ => false,
        };
    let style = tag.attribute("style").unwrap_or_default();
    side("width")
        || side("height")
        || style.split(';').filter_map(|part| part.split_once(':')).any(hidden)
}

/// The link, as `links` writes it, leads to what serves counters only.
pub(super) fn is_beacon(link: &str) -> bool {
    let Some((_, rest)) = link.split_once("://") else { return false };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.split(':').next().unwrap_or_default();
    BEACONS.iter().any(|(beacon, prefix)| {
        let same = if beacon.starts_with('.') { host.ends_with(beacon) } else { host == *beacon };
        same && path.starts_with(prefix)
    })
}

fn is_placeholder(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|placeholder| name.starts_with(placeholder))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::*;

    #[test]
    fn a_picture_that_nobody_could_see_is_seen_to_be_none_at_once() {
        let base = Url::parse("https://example.org/").unwrap();
        let place = Place { base: &base, page: None };
        for size in ["width=0", "width='00px'", "height=' +1 '", "style='width: 01px'"] {
            let html = format!("a<img src='x.png' {size}>b");
            assert_eq!(fragment(&html, place).as_deref(), Some("ab"), "{size}");
        }
    }
}
