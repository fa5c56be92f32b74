//! Whether an element can be seen, by its attributes and its style.

use super::style::declarations;
use super::tokens::Tag;

/// Maximum side of a picture in pixels, as on the allowlist.
const MAX_SIDE: u32 = 20_000;

/// What a style has about the place that an element takes.
#[derive(Default)]
struct Style {
    is_hidden: bool,
    width: Side,
    height: Side,
}

/// A side of an element in a style.
#[derive(Clone, Copy, Default)]
enum Side {
    /// That of the attribute.
    #[default]
    Unset,
    Pixels(u32),
    /// A part of the page or the like, which is not nothing.
    Long,
}

impl Side {
    fn of(value: &str) -> Self {
        match pixels(value) {
            Some(number) => Self::Pixels(number),
            None if is_long(value) => Self::Long,
            None => Self::Unset,
        }
    }

    /// The side in pixels, with that of the attribute.
    fn or(self, attribute: Option<u32>) -> Option<u32> {
        match self {
            Self::Unset => attribute,
            Self::Pixels(number) => Some(number),
            Self::Long => Some(MAX_SIDE),
        }
    }
}

/// A side in pixels.
///
/// Parsed as a number, because `00px` is written as `0` and must be detected in the first pass. Longer sides are not
/// written.
fn pixels(side: &str) -> Option<u32> {
    let number: i32 = side.trim().trim_end_matches("px").parse().ok()?;
    u32::try_from(number).ok().filter(|number| *number <= MAX_SIDE)
}

/// Whether a length, the first of several, is more than a few pixels: `100%`, `56.25vw`, `20em`.
fn is_long(value: &str) -> bool {
    let value = value.split_whitespace().next().unwrap_or_default();
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f32 = value[..value.len() - unit.len()].parse().unwrap_or_default();
    match unit {
        "px" => number > 2.0,
        "%" | "vw" | "vh" | "em" | "rem" | "pt" | "cm" | "mm" | "in" => number > 0.0,
        _ => false,
    }
}

fn style(tag: &Tag<'_>) -> Style {
    let mut style = Style::default();
    let Some(written) = tag.attribute("style") else { return style };
    let written = written.to_ascii_lowercase();
    let (mut is_wide, mut is_tall) = (false, false);
    for (property, value) in declarations(&written) {
        match property {
            "width" => style.width = Side::of(value),
            "height" => style.height = Side::of(value),
            // `width: 0; min-width: 100%` makes a frame as wide as its page.
            "min-width" => is_wide |= is_long(value),
            // `height: 0; padding-top: 56%` keeps the ratio of a picture.
            "min-height" | "padding-top" | "padding-bottom" => is_tall |= is_long(value),
            "display" => style.is_hidden |= value == "none",
            "visibility" => style.is_hidden |= value == "hidden",
            _ => {}
        }
    }
    if is_wide {
        style.width = Side::Long;
    }
    if is_tall {
        style.height = Side::Long;
    }
    style
}

/// Whether an element is hidden by its style or its attribute `hidden`.
pub(super) fn is_hidden_element(tag: &Tag<'_>) -> bool {
    tag.attribute("hidden").is_some() || style(tag).is_hidden
}

/// Whether browsers show neither an element nor its content, whatever its content is.
pub(super) fn hides_content(tag: &Tag<'_>) -> bool {
    let written = |style: &str| style.to_ascii_lowercase().contains("none");
    let by_style = || tag.attribute("style").is_some_and(written) && displays_nothing(tag);
    match &*tag.name {
        "template" => tag.attribute("shadowrootmode").is_none(),
        // The next one ends it, which only a tree knows.
        "li" | "dd" | "dt" | "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "option" => false,
        "html" | "head" | "body" => false,
        // They have no content.
        "area" | "base" | "embed" | "input" | "link" | "meta" | "param" => false,
        _ => tag.attribute("hidden").is_some() || by_style(),
    }
}

fn displays_nothing(tag: &Tag<'_>) -> bool {
    let style = tag.attribute("style").unwrap_or_default().to_ascii_lowercase();
    let last = declarations(&style).rfind(|(property, _)| *property == "display");
    last.is_some_and(|(_, value)| value == "none")
}

/// Whether the size of an element is that of a tracking pixel. Sizes of the style precede those of attributes.
pub(super) fn is_pixel_element(tag: &Tag<'_>) -> bool {
    let style = style(tag);
    let attribute = |name| tag.attribute(name).and_then(pixels);
    is_pixel(style.width.or(attribute("width")), style.height.or(attribute("height")))
}

/// Whether the attributes of an element have the size of a tracking pixel.
pub(super) fn has_pixel_attributes(tag: &Tag<'_>) -> bool {
    let attribute = |name| tag.attribute(name).and_then(pixels);
    is_pixel(attribute("width"), attribute("height"))
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

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::super::links::LinkBase;

    fn sanitised(html: &str) -> String {
        let base = Url::parse("https://example.org/").unwrap();
        fragment(html, LinkBase { base: &base, page: None }).unwrap_or_default()
    }

    #[test]
    fn an_invisible_image_is_dropped_in_the_first_pass() {
        for size in [
            "width=0",
            "width='00px'",
            "height=' +1 '",
            "style='width: 01px'",
            "width=2 height=1",
            "width=0 height=300",
            "width=1 height=30000",
            "style='height:2PX;width:2px'",
            "width=1 height=1 style='max-width:100%;padding:0'",
            "width=1 height=1 style='width:auto;height:auto'",
            "hidden",
            "style='display:none !important'",
        ] {
            let html = format!("a<img src='x.png' {size}>b");
            assert_eq!(sanitised(&html), "ab", "{size}");
        }
    }

    #[test]
    fn a_line_is_not_a_tracking_pixel() {
        for size in ["width=1 height=300", "width=600 height=2", "style='width:1px;height:9px'"] {
            let kept = sanitised(&format!("<a href='/a'><img src='x.png' {size}></a>"));
            assert!(kept.contains("<a ") && kept.contains("x.png"), "{size}: {kept}");
        }
    }

    #[test]
    fn an_element_that_its_style_makes_large_is_shown() {
        for size in [
            "style='width: 0; min-width: 100% !important; border: none' height=463",
            "style='width:1px;min-width:300px;height:300px'",
            "style='height:0;padding-top:56%'",
            "style='height:0;padding-bottom:56.25%;width:100%'",
            "style='position:absolute;width:100%;height:100%' width=0 height=0",
            "style='width:600px;height:400px' width=1 height=1",
        ] {
            assert!(
                sanitised(&format!("<iframe src=/x {size}></iframe>")).contains("/x"),
                "{size}"
            );
            let kept = sanitised(&format!("<img src=/x.png {size}>"));
            assert!(kept.contains("x.png"), "{size}");
            assert_eq!(sanitised(&kept), kept, "{size}");
        }
    }

    #[test]
    fn what_browsers_hide_is_not_shown_unless_it_is_all() {
        for (html, kept) in [
            ("<p hidden>a<p>b", "<p>b</p>"),
            ("<div style='display:none'>a<div>b</div></div>c", "c"),
            ("<span style='display: none !important'>a<br><p>b</p></span><p>c</p>", "<p>c</p>"),
            ("<div><span hidden>a</div>b", "<div></div>b"),
            ("<template><p>a</p></template>b", "b"),
            ("<input hidden>a<embed hidden src=/x>b", "ab"),
            (
                "<table><tr><td>a<span style='display:none'>x</td><td>b</td></tr></table>",
                "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>",
            ),
            ("<div hidden><table><tr><td>a<td>b</table></div>c", "c"),
            ("<div style='display:none'><p>a</p></div>", "<div><p>a</p></div>"),
            ("<p style='display:block'>a</p>", "<p>a</p>"),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }
}
