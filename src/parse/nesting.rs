//! Open elements of a web page whose content is no content of the page, and the rules of foreign content (HTML 13.2.6.5).

/// Whether a page is read as HTML or as XML (HTML 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Html,
    Xml,
}

/// What an open element does to its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// HTML that is not shown.
    Template,
    /// The content of a template that is shown.
    Shadow,
    /// Names of SVG or `MathML`.
    Foreign,
    /// HTML in foreign content.
    Integration,
    /// HTML for browsers without frames.
    NoFrames,
}

#[derive(Debug)]
struct Open {
    name: String,
    effect: Effect,
    /// Number of links before it.
    links: usize,
}

/// The open elements that matter, outermost first.
#[derive(Debug, Default)]
pub(super) struct Nesting(Vec<Open>);

/// Where an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the page.
    Page,
    /// In `<noframes>`.
    NoFrames,
    /// In a template, or in a picture in which a link is no link of the page.
    Hidden,
}

/// Maximum number of elements that are tracked.
const MAX_OPEN: usize = 64;

/// Start tags that end foreign content.
#[rustfmt::skip]
const BREAK_OUT: &[&str] = &[
    "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1", "h2", "h3",
    "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre", "ruby", "s",
    "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var",
];

impl Nesting {
    /// Whether names are those of SVG or `MathML`.
    pub(super) fn is_foreign(&self) -> bool {
        self.0.last().is_some_and(|open| open.effect == Effect::Foreign)
    }

    /// Where the next element is.
    pub(super) fn place(&self) -> Place {
        let has = |effects: &[Effect]| self.0.iter().any(|open| effects.contains(&open.effect));
        if has(&[Effect::Template, Effect::Foreign]) {
            Place::Hidden
        } else if has(&[Effect::NoFrames]) {
            Place::NoFrames
        } else {
            Place::Page
        }
    }

    /// Takes account of a start tag, before `links` more are found. `is_shadow` is for a template with `shadowrootmode`.
    pub(super) fn start(&mut self, name: &str, links: usize, is_shadow: impl FnOnce() -> bool) {
        if self.is_foreign() && BREAK_OUT.contains(&name) {
            while self.is_foreign() {
                self.0.pop();
            }
        }
        let effect = match name {
            "svg" | "math" => Effect::Foreign,
            "foreignobject" | "desc" | "title" | "annotation-xml" | "mi" | "mo" | "mn" | "ms"
            | "mtext"
                if self.is_foreign() =>
            {
                Effect::Integration
            }
            _ if self.is_foreign() => return,
            "template" if is_shadow() => Effect::Shadow,
            "template" => Effect::Template,
            "noframes" => Effect::NoFrames,
            _ => return,
        };
        if self.0.len() < MAX_OPEN {
            self.0.push(Open { name: name.to_owned(), effect, links });
        }
    }

    /// Takes account of an end tag. Returns the number of links before the hidden element that it ends: what is inside it
    /// is no content of the page. If the end tag is missing, the publisher did not mean to hide the rest of the page.
    pub(super) fn end(&mut self, name: &str) -> Option<usize> {
        let at = self.0.iter().rposition(|open| open.name == name)?;
        // An end tag does not close what is around a template.
        if self.0[at..].iter().skip(1).any(|open| open.effect == Effect::Template)
            && name != "template"
        {
            return None;
        }
        let hidden = self
            .0
            .drain(at..)
            .find(|open| matches!(open.effect, Effect::Template | Effect::Foreign));
        hidden.map(|open| open.links)
    }
}
