//! The content of an item as safe HTML, which stays the same when it is sanitised again.
//!
//! First one pass rewrites the fragment: it makes links absolute, finds the sources of images, turns
//! players into links, and writes only elements of the `allowlist` with `writer`. Then ammonia checks
//! the result, unless it is `common_html`, which ammonia would not change. Hidden and foreign elements and
//! scripts are dropped with their content; of unknown elements only the tags are dropped. Plain text becomes
//! paragraphs.

use std::borrow::Cow;

use super::allowlist::{self, allowed_attributes, element};
use super::anchors::Anchors;
use super::common_html;
use super::embedded::{self, EmbeddedImage, Loading, player};
use super::escaping::{meant, without_cdata};
use super::limits::{Omissions, long_labels, may_exceed};
use super::links::LinkBase;
use super::math::{self, Formula, Formulas};
use super::plain_text::{self, MAX_HTML, breaks_out, head, is_block, is_hidden, text_of_html};
use super::tokens::{self, Sink, Tag};
use super::writer::{Attribute, HtmlWriter, MAX_OUTPUT, is_void};
use crate::model::{Text, TextKind};
use crate::text::chars;

/// Maximum number of passes before HTML is reduced to text.
const MAX_ROUNDS: usize = 4;
/// Width and height of emoji images in pixels.
const TEXT_SIZE: &str = "20";

/// The fragment as safe HTML of bounded size; `None` if nothing of it is visible.
///
/// Repeats until ammonia changes nothing. Nearly all HTML takes one pass.
pub(super) fn fragment(html: &str, link_base: LinkBase<'_>) -> Option<String> {
    let mut html = Cow::Borrowed(without_cdata(html));
    for _ in 0..MAX_ROUNDS {
        let rewritten = rewrite(&html, link_base);
        if !rewritten.visible {
            return None;
        }
        if common_html::is_clean(&rewritten.html) {
            return Some(rewritten.html.trim().to_owned());
        }
        let safe = allowlist::sanitise(&rewritten.html);
        if safe == rewritten.html {
            return Some(safe.trim().to_owned());
        }
        html = Cow::Owned(safe);
    }
    paragraphs(&text_of_html(&html), link_base)
}

/// Plain text as HTML. Empty lines separate paragraphs; line breaks, indentation and runs of spaces are kept.
pub(super) fn paragraphs(plain: &str, link_base: LinkBase<'_>) -> Option<String> {
    // Applies the size limit and the same serialisation.
    (!plain_text::is_blank(plain)).then(|| rewrite(&marked(plain), link_base).html)
}

/// Whether the end of a text is left out because of the size limit, and what because of other limits.
pub(super) fn losses(text: &Text, link_base: LinkBase<'_>) -> (bool, Omissions) {
    // HTML hardly grows; a character of plain text becomes at most six.
    let least = if text.kind == TextKind::Html { MAX_OUTPUT / 2 } else { MAX_OUTPUT / 6 };
    let size = text.value.len();
    let html = match text.kind {
        TextKind::Html => meant(&text.value),
        TextKind::Plain if size <= least => return (false, Omissions::default()),
        TextKind::Plain => Cow::Owned(marked(&text.value)),
    };
    if html.len() <= least && text.kind == TextKind::Html && !may_exceed(&html) {
        return (false, Omissions::default());
    }
    let Rewritten { is_cut, omissions, .. } = rewrite_with(Counting::Omissions, &html, link_base);
    (is_cut || size > MAX_HTML, omissions)
}

/// Plain text as HTML of any size.
fn marked(plain: &str) -> String {
    let mut html = String::with_capacity(plain.len() + 16);
    let plain = chars::clean(head(plain));
    let margin = margin(&plain);
    let mut in_paragraph = false;
    for line in plain.lines() {
        if line.trim().is_empty() {
            html.push_str(if in_paragraph { "</p>" } else { "" });
            in_paragraph = false;
            continue;
        }
        html.push_str(if in_paragraph { "<br>" } else { "<p>" });
        in_paragraph = true;
        spaced(line.get(margin..).unwrap_or(line).trim_end(), &mut html);
    }
    html.push_str(if in_paragraph { "</p>" } else { "" });
    html
}

/// The number of spaces that all lines begin with: the indentation of the element in its document.
fn margin(plain: &str) -> usize {
    let lines = plain.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len()).min().unwrap_or(0)
}

/// Writes a line whose spaces can be seen: those at its start, and all but the last of several, as no-break
/// spaces.
fn spaced(line: &str, html: &mut String) {
    let mut rest = line;
    let mut at_start = true;
    while let Some(begins) = rest.find([' ', '\t']) {
        html.push_str(&crate::text::html::escape(&rest[..begins]));
        at_start &= begins == 0;
        let behind = rest[begins..].trim_start_matches([' ', '\t']);
        let run = &rest[begins..rest.len() - behind.len()];
        let width: usize = run.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let firm = if at_start { width } else { width - 1 };
        html.extend(std::iter::repeat_n("&nbsp;", firm));
        html.push_str(if at_start { "" } else { " " });
        at_start = false;
        rest = behind;
    }
    html.push_str(&crate::text::html::escape(rest));
}

/// An HTML fragment after rewriting, with what was found in it.
pub(super) struct Rewritten {
    /// Well-formed HTML with allowed elements only.
    pub(super) html: String,
    /// Whether anything in it is visible.
    pub(super) visible: bool,
    /// Whether the end is left out because of the size limit.
    pub(super) is_cut: bool,
    /// What is left out because of other limits, if that is counted.
    pub(super) omissions: Omissions,
}

/// Whether what is left out because of limits is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counting {
    Nothing,
    Omissions,
}

/// Rewrites an HTML fragment once.
pub(super) fn rewrite(html: &str, link_base: LinkBase<'_>) -> Rewritten {
    rewrite_with(Counting::Nothing, html, link_base)
}

fn rewrite_with(counting: Counting, html: &str, link_base: LinkBase<'_>) -> Rewritten {
    let read = head(html);
    let room = read.len() + read.len() / 8;
    let (anchors, formulas) = (Anchors::new(read, link_base), Formulas::of(read));
    let mut rewriter = tokens::read(read, || Rewriter {
        link_base,
        anchors: &anchors,
        formulas,
        writer: HtmlWriter::with_capacity(room),
        skipped: None,
        formula: None,
        image: Beside::Nothing,
        counting,
        omissions: Omissions::default(),
    });
    rewriter.end_formula();
    rewriter.settle();
    let (mut writer, mut omissions) = (rewriter.writer, rewriter.omissions);
    writer.cut |= read.len() < html.len();
    omissions.elements = writer.too_deep;
    Rewritten { visible: writer.visible, is_cut: writer.cut, omissions, html: writer.finish() }
}

struct Rewriter<'a> {
    link_base: LinkBase<'a>,
    anchors: &'a Anchors,
    /// The formulas of the fragment. If there are any, what is hidden from screen readers is their twin.
    formulas: Formulas,
    writer: HtmlWriter,
    /// The open element that is dropped with its content.
    skipped: Option<Skipped>,
    /// The formula whose end tag was not read yet.
    formula: Option<Formula>,
    /// The image before or inside the present place.
    image: Beside,
    counting: Counting,
    omissions: Omissions,
}

/// An image and its copy for clients without scripts: which of both is written.
enum Beside {
    Nothing,
    /// A lazily loaded image was written. Its copy follows.
    Lazy,
    /// An image with this source was written, and what a script loads in its place. A copy may follow.
    Written(String, Option<String>),
    /// A placeholder was not written. If no copy follows, its text, or the placeholder, is.
    Pending {
        alt: String,
        placeholder: Option<(String, Option<String>)>,
    },
    /// Inside a `<noscript>`; the source of the image that is before it, and of the one in it.
    NoScript {
        before: [Option<String>; 2],
        inside: Option<String>,
    },
    /// After a `<noscript>` with an image of this source. A lazily loaded copy may follow.
    After(String),
}

/// An element that is dropped with its content.
struct Skipped {
    name: String,
    /// Number of open elements of this name inside it.
    inner: usize,
    /// Whether tags of blocks, or of any common element, end it too.
    ends: Ends,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Only its end tag.
    Itself,
    /// The end tags of blocks around it.
    Blocks,
    /// The elements of HTML 13.2.6.5.
    Common,
}

impl Skipped {
    /// Whether a tag ends it. `true` in the second value: the tag is the end tag itself.
    fn ended_by(&mut self, tag: &Tag<'_>) -> (bool, bool) {
        let same = tag.name == self.name.as_str();
        let counts = self.ends != Ends::Common;
        if same && tag.end && self.inner == 0 {
            return (true, true);
        }
        if same && counts {
            self.inner =
                if tag.end { self.inner - 1 } else { self.inner + usize::from(!tag.self_closing) };
            return (false, false);
        }
        let breaks = match self.ends {
            Ends::Itself => false,
            Ends::Blocks => is_block(&tag.name),
            Ends::Common => breaks_out(&tag.name),
        };
        (breaks, false)
    }
}

impl Sink for Rewriter<'_> {
    fn text(&mut self, text: &str) {
        if let Some(formula) = &mut self.formula {
            return formula.text(text);
        }
        if self.skipped.is_none() && !self.writer.cut {
            if !text.trim().is_empty() {
                self.settle();
            }
            self.formulas.pass(text);
            self.writer.text(text);
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        if self.writer.cut {
            return false;
        }
        if let Some(skipped) = &mut self.skipped {
            let (ended, itself) = skipped.ended_by(tag);
            if !ended {
                return false;
            }
            self.skipped = None;
            if itself {
                return false;
            }
        }
        if let Some(formula) = &mut self.formula {
            let breaks = breaks_out(&tag.name);
            if !breaks && !formula.tag(tag) {
                return false;
            }
            self.end_formula();
            if !breaks {
                return false;
            }
        }
        if !tag.end {
            self.start(tag, self.link_base);
            // The text of a formula in a script is read.
            return self.formula.is_none();
        }
        if &*tag.name == "noscript" {
            self.end_noscript();
        } else if is_block(&tag.name) && matches!(self.image, Beside::Pending { .. }) {
            self.settle();
        }
        match element(&tag.name) {
            Some((name, _)) if !is_void(name) => self.writer.end(name),
            _ => {}
        }
        false
    }
}

impl Rewriter<'_> {
    fn start(&mut self, tag: &Tag<'_>, link_base: LinkBase<'_>) {
        if self.formulas.exist && math::is_twin(tag) {
            self.skip_twin(tag);
            return;
        }
        self.formula = self.formulas.begun_by(tag);
        if self.formula.is_some() {
            return self.settle();
        }
        match &*tag.name {
            name if math::is_math(name) => return self.settle(),
            "noscript" => return self.begin_noscript(tag),
            "img" | "image" | "amp-img" => return self.image(tag, link_base),
            _ => self.settle(),
        }
        match &*tag.name {
            "iframe" | "embed" | "amp-iframe" | "amp-youtube" => self.player(tag, link_base),
            // The state of a task list item.
            "input"
                if tag.attribute("type").is_some_and(|t| t.eq_ignore_ascii_case("checkbox")) =>
            {
                self.writer.text(if tag.attribute("checked").is_some() { "☑ " } else { "☐ " });
            }
            name => {
                if let Some((name, allowed)) = element(name) {
                    self.element(name, allowed, tag, link_base);
                }
            }
        }
        if is_hidden(&tag.name) && !tag.self_closing {
            self.skip(tag, Ends::Common);
        }
    }

    /// Counts what is left out of the attributes of an element.
    fn count(&mut self, tag: &Tag<'_>, allowed: &[&'static str]) {
        if self.counting == Counting::Omissions {
            self.omissions.labels += long_labels(tag, allowed);
            if matches!(&*tag.name, "img" | "image" | "amp-img" | "source") {
                self.omissions.candidates += embedded::surplus_candidates(tag, self.link_base);
            }
        }
    }

    fn skip(&mut self, tag: &Tag<'_>, ends: Ends) {
        self.skipped = Some(Skipped { name: tag.name.clone().into_owned(), inner: 0, ends });
    }

    /// Drops what shows a formula a second time.
    fn skip_twin(&mut self, tag: &Tag<'_>) {
        let void = matches!(&*tag.name, "img" | "input" | "embed" | "source") || is_void(&tag.name);
        if !void && !tag.self_closing {
            let ends = if is_block(&tag.name) { Ends::Itself } else { Ends::Blocks };
            self.skip(tag, ends);
        }
    }

    fn end_formula(&mut self) {
        if let Some(formula) = self.formula.take() {
            self.omissions.formulas += usize::from(formula.is_cut());
            let text = self.formulas.end(formula);
            self.writer.text(&text);
        }
    }

    /// Writes what waited for a copy that does not follow.
    fn settle(&mut self) {
        match std::mem::replace(&mut self.image, Beside::Nothing) {
            Beside::Pending { alt, placeholder: None } => self.writer.text(&alt),
            Beside::Pending { alt, placeholder: Some((src, srcset)) } => {
                let mut kept = vec![("src", Cow::Owned(src))];
                set(&mut kept, "srcset", srcset);
                set(&mut kept, "alt", (!alt.is_empty()).then_some(alt));
                self.writer.start("img", &kept);
            }
            kept @ Beside::NoScript { .. } => self.image = kept,
            _ => {}
        }
    }

    fn begin_noscript(&mut self, tag: &Tag<'_>) {
        let before = match std::mem::replace(&mut self.image, Beside::Nothing) {
            Beside::Lazy if !tag.self_closing => return self.skip(tag, Ends::Itself),
            Beside::Written(src, later) => [Some(src), later],
            // The copy is written instead of what is pending.
            _ => [None, None],
        };
        self.image = Beside::NoScript { before, inside: None };
    }

    fn end_noscript(&mut self) {
        if let Beside::NoScript { inside, .. } = std::mem::replace(&mut self.image, Beside::Nothing)
            && let Some(src) = inside
        {
            self.image = Beside::After(src);
        }
    }

    fn element(
        &mut self,
        name: &'static str,
        allowed: &[&'static str],
        tag: &Tag<'_>,
        link_base: LinkBase<'_>,
    ) {
        self.count(tag, allowed);
        let mut kept = allowed_attributes(name, allowed, tag, link_base);
        if name == "source" {
            set(&mut kept, "srcset", embedded::srcset(tag, link_base));
        }
        if name == "a" {
            set(&mut kept, "href", self.anchors.link(tag, link_base));
        }
        set(&mut kept, "id", self.anchors.id(tag));
        let has = |wanted: &[&str]| kept.iter().any(|(name, _)| wanted.contains(name));
        match name {
            "a" if !has(&["href", "id"]) => self.writer.start_unwritten(name),
            "span" if kept.is_empty() => self.writer.start_unwritten(name),
            "source" | "track" if !has(&["src", "srcset"]) => {}
            _ => self.writer.start(name, &kept),
        }
    }

    fn image(&mut self, tag: &Tag<'_>, link_base: LinkBase<'_>) {
        let Some((name, allowed)) = allowlist::element("img") else { return };
        let alt = tag.attribute("alt").unwrap_or_default();
        match embedded::embedded_image(tag, link_base) {
            EmbeddedImage::Tracker => self.settle(),
            EmbeddedImage::Emoji(text) => {
                self.settle();
                self.writer.text(&text);
            }
            // A lazily loaded copy of the image in the `<noscript>` before it.
            EmbeddedImage::Sourceless if matches!(self.image, Beside::After(_)) => {}
            // Formulas have a readable text.
            EmbeddedImage::Sourceless => {
                self.settle();
                self.record_image(Beside::Pending { alt: alt.to_owned(), placeholder: None });
            }
            EmbeddedImage::Kept { src, srcset, loading, later } => {
                match &self.image {
                    Beside::After(before)
                        if loading != Loading::Eager
                            || *before == src
                            || later.as_ref() == Some(before) =>
                    {
                        return;
                    }
                    Beside::NoScript { before, .. }
                        if before.iter().flatten().any(|known| *known == src) =>
                    {
                        return;
                    }
                    _ => self.settle(),
                }
                if loading == Loading::Placeholder && !matches!(self.image, Beside::NoScript { .. })
                {
                    let (alt, placeholder) = (alt.to_owned(), Some((src, srcset)));
                    return self.record_image(Beside::Pending { alt, placeholder });
                }
                self.count(tag, allowed);
                let mut kept = allowed_attributes(name, allowed, tag, link_base);
                set(&mut kept, "src", Some(src.clone()));
                set(&mut kept, "srcset", srcset);
                if embedded::is_emoji_image(tag) {
                    // A picture without a character is shown in the size of the text.
                    set(&mut kept, "width", Some(TEXT_SIZE.to_owned()));
                    set(&mut kept, "height", Some(TEXT_SIZE.to_owned()));
                }
                set(&mut kept, "id", self.anchors.id(tag));
                self.writer.start(name, &kept);
                self.record_image(if loading == Loading::Lazy {
                    Beside::Lazy
                } else {
                    Beside::Written(src, later)
                });
            }
        }
    }

    /// Records the image at the present place. In a `<noscript>`, only its source or its alternative text is used.
    fn record_image(&mut self, image: Beside) {
        match (&mut self.image, image) {
            (Beside::NoScript { inside, .. }, Beside::Written(src, _)) => *inside = Some(src),
            (Beside::NoScript { .. }, Beside::Pending { alt, .. }) => self.writer.text(&alt),
            (Beside::NoScript { .. }, _) => {}
            (known, image) => *known = image,
        }
    }

    fn player(&mut self, tag: &Tag<'_>, link_base: LinkBase<'_>) {
        let Some(player) = player(tag, link_base) else { return };
        if self.writer.is_in("a") {
            return self.writer.text(&player.label);
        }
        let paragraph = self.writer.takes_paragraphs();
        if paragraph {
            self.writer.start("p", &[]);
        }
        self.writer.start("a", &[("href", Cow::Owned(player.href))]);
        self.writer.text(&player.label);
        self.writer.end("a");
        if paragraph {
            self.writer.end("p");
        }
    }
}

/// Sets the value of an attribute, or appends the attribute.
fn set(kept: &mut Vec<Attribute<'_>>, name: &'static str, value: Option<String>) {
    let Some(value) = value.map(Cow::Owned) else { return };
    match kept.iter_mut().find(|(kept, _)| *kept == name) {
        Some(attribute) => attribute.1 = value,
        None => kept.push((name, value)),
    }
}
