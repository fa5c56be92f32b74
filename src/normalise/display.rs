//! How a browser displays an element: whether it can be seen, by its attributes and its style (CSS Style Attributes 3),
//! which elements hide their content and which tags end them, and which line breaks and spaces a style keeps
//! (`white-space: pre-wrap`), which HTML without the style does not.

use super::plain_text::{self, breaks_out, is_block};
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
        "dialog" => tag.attribute("open").is_none(),
        // They have no content.
        "area" | "base" | "embed" | "input" | "link" | "meta" | "param" => false,
        _ => tag.attribute("hidden").is_some() || by_style(),
    }
}

/// Classes of the controls that pages draw for a player, which HTML has itself.
const CONTROLS: &[&str] = &[
    "kg-audio-player",
    "kg-video-overlay",
    "kg-video-player",
    "mejs-controls",
    "plyr__controls",
    "vjs-control-bar",
];

/// Whether an element has the controls of a player: its time, its speed.
pub(super) fn is_controls(tag: &Tag<'_>) -> bool {
    tag.name == "div" && !tag.self_closing && has_class(tag, CONTROLS)
}

/// Whether an element has one of these classes.
pub(super) fn has_class(tag: &Tag<'_>, classes: &[&str]) -> bool {
    let mut own = tag.attribute("class").unwrap_or_default().split_ascii_whitespace();
    own.any(|class| classes.contains(&class))
}

/// Whether an element is a check box that can be seen.
pub(super) fn is_check_box(tag: &Tag<'_>) -> bool {
    let is_box = tag.attribute("type").is_some_and(|t| t.trim().eq_ignore_ascii_case("checkbox"));
    let class = tag.attribute("class").unwrap_or_default();
    is_box && !class.contains("toggle") && !is_hidden_element(tag)
}

/// Whether a check box outside of a list may be the switch of a style, which is set with the label of its id.
pub(super) fn is_switch(tag: &Tag<'_>) -> bool {
    tag.attribute("id").is_some() && tag.attribute("disabled").is_none()
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

/// The declarations of a style in lower case, in their order: name and value, without `!important`.
pub(super) fn declarations(style: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let pairs = style.split(';').filter_map(|part| part.split_once(':'));
    pairs.map(|(name, value)| (name.trim(), value.trim().trim_end_matches("!important").trim_end()))
}

/// What of the white space in the texts of an element is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// One space, as usual.
    One,
    /// Line breaks.
    Lines,
    /// Line breaks and all spaces.
    All,
}

impl Spaces {
    /// That of the style of an element; `None` if it is as in the element around it.
    pub(super) fn of(tag: &Tag<'_>) -> Option<Self> {
        let style =
            tag.attribute("style").filter(|style| style.contains(':'))?.to_ascii_lowercase();
        let (_, value) = declarations(&style).rfind(|(name, _)| *name == "white-space")?;
        match value {
            "pre" | "pre-wrap" | "break-spaces" => Some(Self::All),
            "pre-line" => Some(Self::Lines),
            "normal" | "nowrap" | "initial" => Some(Self::One),
            _ => None,
        }
    }

    /// A line of a text as it is shown.
    pub(super) fn shown(self, line: &str) -> String {
        match self {
            Self::All => firm_spaces(line.trim_end_matches('\r')),
            Self::One | Self::Lines => line.trim_end_matches('\r').to_owned(),
        }
    }
}

/// A line whose spaces can be seen: those at its start, and all but the last of several, are no-break spaces.
pub(super) fn firm_spaces(line: &str) -> String {
    let (mut firm, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(begins) = rest.find([' ', '\t']) {
        firm.push_str(&rest[..begins]);
        let behind = rest[begins..].trim_start_matches([' ', '\t']);
        let run = &rest[begins..rest.len() - behind.len()];
        let width: usize = run.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let is_indent = firm.is_empty();
        firm.extend(std::iter::repeat_n('\u{a0}', if is_indent { width } else { width - 1 }));
        firm.push_str(if is_indent { "" } else { " " });
        rest = behind;
    }
    firm + rest
}

/// Whether content that browsers do not show is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Hiding {
    #[default]
    Dropped,
    /// It is all that there is.
    Shown,
}

/// An element that is dropped with its content.
pub(super) struct Skipped {
    name: String,
    /// Number of open elements of this name inside it.
    inner: usize,
    /// Number of open blocks inside it.
    blocks: usize,
    /// Whether tags of blocks, or of any common element, end it too.
    ends: Ends,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Only its end tag.
    Itself,
    /// Its end tag, or that of a block around it; a block begins no content of a paragraph.
    Content,
    /// The end tags of blocks around it.
    Blocks,
    /// The elements of HTML 13.2.6.5.
    Common,
}

impl Skipped {
    /// That which the start tag of this name begins.
    pub(super) fn new(name: &str, ends: Ends) -> Self {
        Self { name: name.to_owned(), inner: 0, blocks: 0, ends }
    }

    /// Whether a tag ends it. `true` in the second value: the tag is the end tag itself.
    pub(super) fn ended_by(&mut self, tag: &Tag<'_>) -> (bool, bool) {
        let same = tag.name == self.name.as_str();
        let counts = self.ends != Ends::Common;
        let is_block = is_block(&tag.name) && tag.name != "hr"
            || matches!(&*tag.name, "td" | "th" | "tbody" | "thead" | "tfoot");
        if self.ends == Ends::Content && !same && is_block {
            if self.name == "p" && !tag.end || self.blocks == 0 && tag.end {
                return (true, false);
            }
            self.blocks = if tag.end { self.blocks - 1 } else { self.blocks + 1 };
        }
        if self.ends == Ends::Content && same && self.name == "p" && !tag.end {
            return (true, false);
        }
        if same && tag.end && self.inner == 0 {
            return (true, true);
        }
        if same && counts {
            self.inner =
                if tag.end { self.inner - 1 } else { self.inner + usize::from(!tag.self_closing) };
            return (false, false);
        }
        let breaks = match self.ends {
            Ends::Itself | Ends::Content => false,
            Ends::Blocks => plain_text::is_block(&tag.name),
            Ends::Common => breaks_out(&tag.name),
        };
        (breaks, false)
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

    #[test]
    fn a_dialog_is_shown_if_it_is_open() {
        assert_eq!(sanitised("<dialog><p>Cookies</p></dialog><p>b</p>"), "<p>b</p>");
        assert_eq!(sanitised("<dialog open><p>a</p></dialog><p>b</p>"), "<p>a</p><p>b</p>");
        assert_eq!(sanitised("<dialog><p>a</p></dialog>"), "<p>a</p>");
    }

    #[test]
    fn the_controls_that_a_page_draws_for_a_player_are_dropped() {
        let html = "<div class=kg-card><audio src=/a.mp3></audio><div class=kg-audio-title>T</div>\
            <div class=kg-audio-player><span>0:00</span><div class=kg-audio-time>/<span>190.7</span></div>\
            <button>1×</button></div></div><p>b</p>";
        let kept = sanitised(html);
        assert!(kept.ends_with("<div>T</div></div><p>b</p>"), "{kept}");
        let html = "<div class='kg-audio-player-container x'>a</div>";
        assert_eq!(sanitised(html), "<div>a</div>");
    }

    #[test]
    fn a_box_is_shown_unless_it_is_a_switch_of_a_style() {
        for (html, kept) in [
            ("a<input type=checkbox id=sn1 class=margin-toggle>b", "ab"),
            ("a<input type=checkbox hidden>b", "ab"),
            ("a<input type=checkbox style='display:none'>b", "ab"),
            ("a<label for=t>b</label><input type=checkbox id=t>", "ab"),
            ("<p><input type=checkbox> Milk</p>", "<p>☐  Milk</p>"),
            ("<input type=CHECKBOX id=x disabled checked>a", "☑ a"),
            ("<ul><li><input type=checkbox id=x>a</ul>", "<ul><li>☐ a</li></ul>"),
        ] {
            assert_eq!(sanitised(html), kept, "{html}");
        }
    }

    #[test]
    fn lines_and_spaces_that_a_style_keeps_are_shown() {
        let base = Url::parse("https://e.org/").unwrap();
        for (html, kept) in [
            (
                "<p style='white-space: pre-wrap'>One\n  Two\nThree <b>x</b> y</p>",
                "<p>One<br>&nbsp;&nbsp;Two<br>Three <b>x</b> y</p>",
            ),
            ("<div style='white-space:pre-line'>One\n  Two</div>", "<div>One<br>  Two</div>"),
            (
                "<p><span style=white-space:pre>a    b</span>\nc</p>",
                "<p>a&nbsp;&nbsp;&nbsp; b\nc</p>",
            ),
            (
                "<div style=white-space:pre-wrap>\n<p>a\nb</p>\n<p style=white-space:normal>c\nd</p></div>",
                "<div>\n<p>a<br>b</p>\n<p>c\nd</p></div>",
            ),
            ("<pre style=white-space:pre-wrap>a\n  b</pre>", "<pre>a\n  b</pre>"),
            ("<p style=white-space:pre-wrap>a &amp; b\n&lt; c</p>", "<p>a &amp; b<br>&lt; c</p>"),
        ] {
            let link_base = LinkBase { base: &base, page: None };
            assert_eq!(fragment(html, link_base).as_deref(), Some(kept), "{html}");
        }
    }
}
