//! The content of an item as safe HTML, which stays the same when it is sanitised again.
//!
//! First one pass rewrites the fragment: it makes links absolute, finds the sources of pictures and films, turns
//! players into links (see `media`), and writes only elements of the `allowlist` with `writer`. Then ammonia checks
//! the result, unless it is `common_html`, which ammonia would not change. Hidden and foreign elements and
//! scripts are dropped with their content; of unknown elements only the tags are dropped. Plain text becomes
//! paragraphs.

use std::borrow::Cow;

use url::Url;

use super::allowlist::{self, allowed_attributes, element};
use super::anchors::Anchors;
use super::common_html;
use super::display::{
    Ends, Hiding, Skipped, Spaces, firm_spaces, hides_content, is_check_box, is_controls, is_switch,
};
use super::empty;
use super::escaping::{self, meant, without_cdata};
use super::limits::{Omissions, long_labels, may_exceed, readable};
use super::links::{LinkBase, WEB};
use super::math::{self, Formula, Formulas};
use super::media::{Media, has_tag, is_image};
use super::picture_sources;
use super::plain_text::{self, MAX_HTML, breaks_out, head, is_block, is_hidden, text_of_html};
use super::tokens::{self, Sink, Tag};
use super::writer::{Attribute, HtmlWriter, MAX_OUTPUT, is_void};
use crate::model::{Text, TextKind};
use crate::text::chars;

/// Maximum number of passes before HTML is reduced to text.
const MAX_ROUNDS: usize = 4;

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
    let is_beyond = text.kind == TextKind::Plain && size > MAX_HTML;
    let html = match text.kind {
        TextKind::Html => meant(&text.value),
        TextKind::Plain if size <= least => return (false, Omissions::default()),
        TextKind::Plain => Cow::Owned(marked(&text.value)),
    };
    if html.len() <= least && text.kind == TextKind::Html && !may_exceed(&html) {
        return (false, Omissions::default());
    }
    let Rewritten { is_cut, omissions, .. } = rewrite_with(Counting::Omissions, &html, link_base);
    (is_cut || is_beyond, omissions)
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
        let line = firm_spaces(line.get(margin..).unwrap_or(line).trim_end());
        html.push_str(&crate::text::html::escape(&line));
    }
    html.push_str(if in_paragraph { "</p>" } else { "" });
    html
}

/// The number of spaces that all lines begin with: the indentation of the element in its document.
fn margin(plain: &str) -> usize {
    let lines = plain.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len()).min().unwrap_or(0)
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
    let read = readable(html);
    let unescaped = escaping::without_escaped_noscript(&read.html);
    let own_base = Base::of(&unescaped, link_base);
    let link_base = own_base.as_ref().map_or(link_base, |base| LinkBase { base, ..link_base });
    let anchors = Anchors::new(&unescaped, link_base);
    let reading = Reading { html: &unescaped, link_base, anchors: &anchors };
    let mut rewriter = reading.rewrite(counting, Hiding::Dropped);
    if !rewriter.writer.visible && rewriter.has_hidden {
        rewriter = reading.rewrite(counting, Hiding::Shown);
    }
    let (mut writer, mut omissions) = (rewriter.writer, rewriter.omissions);
    writer.cut |= read.is_cut;
    omissions.elements = writer.too_deep;
    Rewritten { visible: writer.visible, is_cut: writer.cut, omissions, html: writer.finish() }
}

/// A fragment that is rewritten.
struct Reading<'a> {
    html: &'a str,
    link_base: LinkBase<'a>,
    anchors: &'a Anchors,
}

impl<'a> Reading<'a> {
    /// Rewrites the fragment. One with `<noscript>` is first read without them.
    fn rewrite(&self, counting: Counting, hiding: Hiding) -> Rewriter<'a> {
        let mut media = Media::of(self.html);
        if let Some(survey) = media.survey() {
            let Rewriter { writer, media: surveyed, .. } =
                self.pass(Counting::Nothing, hiding, &survey);
            media.shown = surveyed.shown;
            writer.filled.iter().for_each(|link| media.shown.add(link));
        }
        self.pass(counting, hiding, &media)
    }

    fn pass(&self, counting: Counting, hiding: Hiding, media: &Media) -> Rewriter<'a> {
        let room = self.html.len() + self.html.len() / 8;
        let formulas = Formulas::of(self.html);
        let mut rewriter = tokens::read(self.html, || Rewriter {
            link_base: self.link_base,
            anchors: self.anchors,
            formulas,
            hiding,
            has_hidden: false,
            writer: HtmlWriter::with_capacity(room),
            skipped: None,
            formula: None,
            media: media.clone(),
            counting,
            omissions: Omissions::default(),
        });
        rewriter.end_formula();
        rewriter.end_media();
        rewriter
    }
}

/// The first `<base>` of a document, which moves its relative links.
#[derive(Default)]
struct Base(Option<String>);

impl Base {
    fn of(html: &str, link_base: LinkBase<'_>) -> Option<Url> {
        if !has_tag(html, "base") {
            return None;
        }
        let href = tokens::read(html, Self::default).0?;
        Url::parse(&link_base.resolve(&href, WEB)?).ok()
    }
}

impl Sink for Base {
    fn text(&mut self, _text: &str) {}

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        if tag.name == "base" && !tag.end && self.0.is_none() {
            self.0 = tag.attribute("href").map(str::to_owned);
        }
        true
    }
}

pub(super) struct Rewriter<'a> {
    pub(super) link_base: LinkBase<'a>,
    pub(super) anchors: &'a Anchors,
    /// The formulas of the fragment. If there are any, what is hidden from screen readers is their twin.
    formulas: Formulas,
    hiding: Hiding,
    /// Whether content was dropped that browsers do not show.
    has_hidden: bool,
    pub(super) writer: HtmlWriter,
    /// The open element that is dropped with its content.
    skipped: Option<Skipped>,
    /// The formula whose end tag was not read yet.
    formula: Option<Formula>,
    pub(super) media: Media,
    counting: Counting,
    omissions: Omissions,
}

impl Sink for Rewriter<'_> {
    fn text(&mut self, text: &str) {
        if let Some(formula) = &mut self.formula {
            return formula.text(text);
        }
        if self.skipped.is_none() && !self.writer.cut && !self.is_fallback(text) {
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
        if self.is_tag_of_fallback(tag) {
            return true;
        }
        if !tag.end {
            self.start(tag, self.link_base);
            // The text of a formula in a script is read.
            return self.formula.is_none();
        }
        match &*tag.name {
            "noscript" => self.end_noscript(),
            "picture" => self.end_picture(),
            "object" => self.end_object(),
            // What waits in a link belongs to it.
            name if (name == "a" || is_block(name)) && self.is_image_pending() => self.settle(),
            _ => {}
        }
        match element(&tag.name) {
            Some(("video" | "audio", _)) => self.end_film(),
            Some((name, _)) if !is_void(name) => self.writer.end(name),
            _ => {}
        }
        false
    }
}

impl Rewriter<'_> {
    fn start(&mut self, tag: &Tag<'_>, link_base: LinkBase<'_>) {
        // What is hidden of a formula is its text, beside a picture of it.
        if self.hiding == Hiding::Dropped
            && !self.formulas.exist
            && !is_void(&tag.name)
            && !tag.self_closing
            && hides_content(tag)
        {
            self.has_hidden = true;
            return self.skip(tag, Ends::Content);
        }
        if is_controls(tag) {
            return self.skip(tag, Ends::Content);
        }
        if self.formulas.exist && math::is_twin(tag) {
            return self.skip_twin(tag);
        }
        self.formula = self.formulas.begun_by(tag);
        if self.formula.is_some() {
            return self.settle();
        }
        match &*tag.name {
            name if math::is_math(name) => return self.settle(),
            "noscript" => return self.begin_noscript(tag),
            name if is_image(name) => return self.image(tag),
            // They show nothing.
            "script" | "style" | "link" | "meta" | "span" => {}
            _ => self.settle(),
        }
        match &*tag.name {
            "iframe" | "embed" | "amp-iframe" | "amp-youtube" | "amp-vimeo" | "amp-dailymotion"
            | "lite-youtube" | "lite-vimeo" => self.player(tag),
            "object" => return self.object(tag),
            "param" => self.parameter(tag),
            "script" => self.script(tag),
            // The state of a task list item.
            "input" if is_check_box(tag) && (self.writer.is_in("li") || !is_switch(tag)) => {
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
    pub(super) fn count(&mut self, tag: &Tag<'_>, allowed: &[&'static str]) {
        if self.counting == Counting::Omissions {
            self.omissions.labels += long_labels(tag, allowed);
            if is_image(&tag.name) || tag.name == "source" {
                self.omissions.candidates +=
                    picture_sources::surplus_candidates(tag, self.link_base);
            }
        }
    }

    pub(super) fn skip(&mut self, tag: &Tag<'_>, ends: Ends) {
        self.skip_to(&tag.name, ends);
    }

    /// Drops what follows, to the end of the open element of this name.
    pub(super) fn skip_to(&mut self, name: &str, ends: Ends) {
        self.skipped = Some(Skipped::new(name, ends));
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

    fn element(
        &mut self,
        name: &'static str,
        allowed: &[&'static str],
        tag: &Tag<'_>,
        link_base: LinkBase<'_>,
    ) {
        self.count(tag, allowed);
        self.writer.spaces = Spaces::of(tag);
        let mut kept = allowed_attributes(name, allowed, tag, link_base);
        match name {
            "source" if !self.source(tag, &mut kept) => return,
            "video" | "audio" => return self.begin_film(name, tag, kept),
            "picture" => self.begin_picture(),
            _ => {}
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
            _ => {
                let href = kept.iter().find(|(name, _)| *name == "href").map(|(_, href)| &**href);
                let fallback = empty::fallback(tag, href, link_base);
                self.writer.start_or(name, &kept, fallback);
            }
        }
    }
}

/// Sets the value of an attribute, or appends the attribute.
pub(super) fn set(kept: &mut Vec<Attribute<'_>>, name: &'static str, value: Option<String>) {
    let Some(value) = value.map(Cow::Owned) else { return };
    match kept.iter_mut().find(|(kept, _)| *kept == name) {
        Some(attribute) => attribute.1 = value,
        None => kept.push((name, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sanitised(html: &str) -> String {
        let base = Url::parse("https://example.org/").unwrap();
        fragment(html, LinkBase { base: &base, page: None }).unwrap_or_default()
    }

    #[test]
    fn a_link_without_content_is_dropped_and_an_anchor_is_kept() {
        for (html, kept) in [
            ("a<a href=/x><img src=/p.gif width=1 height=1></a>b", "ab"),
            ("a<a href=/x> </a>b", "a b"),
            ("a<a href=/x></a><a href=#n>1</a><a href=/y id=n></a>", "3"),
        ] {
            match kept {
                "3" => assert_eq!(sanitised(html).matches("<a ").count(), 2, "{html}"),
                kept => assert_eq!(sanitised(html), kept, "{html}"),
            }
        }
    }

    #[test]
    fn the_base_of_a_document_inside_an_item_is_that_of_its_links() {
        let html = "<html><head><base href='https://b.example/z/'></head><body><a href=a>x</a></body></html>";
        assert_eq!(sanitised(html), "<a href=\"https://b.example/z/a\">x</a>");
        let html = "<base href=javascript:x><a href=a>x</a>";
        assert_eq!(sanitised(html), "<a href=\"https://example.org/a\">x</a>");
    }
}
