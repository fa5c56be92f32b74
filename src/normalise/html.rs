//! The content of an item as safe HTML, which stays the same when it is sanitised again.
//!
//! First one pass rewrites the fragment: it makes links absolute, finds the sources of images, turns
//! players into links, and writes only elements of the `allowlist` with `writer`. Then ammonia checks
//! the result. Hidden and foreign elements and scripts are dropped with their content; of unknown
//! elements only the tags are dropped. Plain text becomes paragraphs.

use std::borrow::Cow;

use super::allowlist::{self, allowed_attributes, element};
use super::embedded::{self, EmbeddedImage, Loading, player};
use super::links::LinkBase;
use super::plain_text::{self, breaks_out, head, is_hidden, text_of_html};
use super::tokens::{self, Sink, Tag};
use super::writer::{Attribute, HtmlWriter, is_void};
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
        let safe = allowlist::sanitise(&rewritten.html);
        if safe == rewritten.html {
            return Some(safe.trim().to_owned());
        }
        html = Cow::Owned(safe);
    }
    paragraphs(&text_of_html(&html), link_base)
}

/// Plain text as HTML. Empty lines separate paragraphs; line breaks are kept.
pub(super) fn paragraphs(plain: &str, link_base: LinkBase<'_>) -> Option<String> {
    if plain_text::is_blank(plain) {
        return None;
    }
    let mut html = String::with_capacity(plain.len() + 16);
    let plain = chars::clean(head(plain));
    for paragraph in plain.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
        html.push_str("<p>");
        for (n, line) in paragraph.lines().enumerate() {
            html.push_str(if n > 0 { "<br>" } else { "" });
            html.push_str(&crate::text::html::escape(line));
        }
        html.push_str("</p>");
    }
    // Applies the size limit and the same serialisation.
    Some(rewrite(&html, link_base).html)
}

/// The content of an escaped CDATA section; some publishers escape the delimiters too.
fn without_cdata(html: &str) -> &str {
    let trimmed = html.trim();
    let inside = trimmed.strip_prefix("<![CDATA[").and_then(|html| html.strip_suffix("]]>"));
    inside.unwrap_or(html)
}

/// A rewritten fragment.
pub(super) struct Rewritten {
    /// Well-formed HTML.
    pub(super) html: String,
    /// Whether anything in it is visible.
    pub(super) visible: bool,
}

/// Rewrites an HTML fragment once.
pub(super) fn rewrite(html: &str, link_base: LinkBase<'_>) -> Rewritten {
    let read = head(html);
    let room = read.len() + read.len() / 8;
    let mut writer = tokens::read(read, || Rewriter {
        link_base,
        writer: HtmlWriter::with_capacity(room),
        skipped: None,
        after_lazy_image: false,
    })
    .writer;
    writer.cut |= read.len() < html.len();
    Rewritten { visible: writer.visible, html: writer.finish() }
}

struct Rewriter<'a> {
    link_base: LinkBase<'a>,
    writer: HtmlWriter,
    /// Name of the open element that is dropped with its content.
    skipped: Option<String>,
    /// Whether the last output is a lazily loaded image.
    after_lazy_image: bool,
}

impl Sink for Rewriter<'_> {
    fn text(&mut self, text: &str) {
        if self.skipped.is_none() && !self.writer.cut {
            self.after_lazy_image &= text.trim().is_empty();
            self.writer.text(text);
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        if self.writer.cut {
            return false;
        }
        if let Some(skipped) = &self.skipped {
            if tag.end && tag.name == *skipped {
                self.skipped = None;
                return false;
            }
            if !breaks_out(&tag.name) || skipped == "noscript" {
                return false;
            }
            self.skipped = None;
        }
        if !tag.end {
            self.start(tag, self.link_base);
            return true;
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
        let after_lazy_image = std::mem::take(&mut self.after_lazy_image);
        match &*tag.name {
            "iframe" | "embed" => self.player(tag, link_base),
            "img" | "image" | "amp-img" => self.image(tag, link_base),
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
        let again = after_lazy_image && &*tag.name == "noscript";
        if (is_hidden(&tag.name) || again) && !tag.self_closing {
            self.skipped = Some(tag.name.clone().into_owned());
        }
    }

    fn element(
        &mut self,
        name: &'static str,
        allowed: &[&'static str],
        tag: &Tag<'_>,
        link_base: LinkBase<'_>,
    ) {
        let mut kept = allowed_attributes(name, allowed, tag, link_base);
        if name == "source" {
            set(&mut kept, "srcset", embedded::srcset(tag, link_base));
        }
        let has = |wanted: &[&str]| kept.iter().any(|(name, _)| wanted.contains(name));
        match name {
            "a" if !has(&["href"]) => self.writer.start_unwritten(name),
            "span" if kept.is_empty() => self.writer.start_unwritten(name),
            "source" | "track" if !has(&["src", "srcset"]) => {}
            _ => self.writer.start(name, &kept),
        }
    }

    fn image(&mut self, tag: &Tag<'_>, link_base: LinkBase<'_>) {
        let Some((name, allowed)) = allowlist::element("img") else { return };
        match embedded::embedded_image(tag, link_base) {
            EmbeddedImage::Tracker => {}
            // Formulas and emoji have a readable text.
            EmbeddedImage::Sourceless => self.writer.text(tag.attribute("alt").unwrap_or_default()),
            EmbeddedImage::Kept { src, srcset, loading } => {
                let mut kept = allowed_attributes(name, allowed, tag, link_base);
                set(&mut kept, "src", Some(src));
                set(&mut kept, "srcset", srcset);
                self.writer.start(name, &kept);
                self.after_lazy_image = loading == Loading::Lazy;
            }
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
