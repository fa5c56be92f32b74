//! One pass over an HTML fragment that mends it: absolute links, real pictures, players as links.
//!
//! Only what `policy` knows is written, by `nest`, so the output is as safe as the policy; ammonia
//! judges it all the same. What is hidden, foreign or a script is left out with its content, what is
//! unknown is unwrapped.

use std::borrow::Cow;

use super::attributes;
use super::nest::{Attribute, Nest, is_void};
use super::picture::{self, Loading, Picture};
use super::place::Place;
use super::plain::{breaks_out, head, is_hidden};
use super::player::player;
use super::policy::{self, element};
use super::tokens::{self, Sink, Tag};

/// What the pass made of an HTML fragment.
pub(super) struct Rewritten {
    /// HTML, nested and escaped as a serialiser would.
    pub(super) html: String,
    /// There is something to see in it.
    pub(super) substance: bool,
}

/// Mends an HTML fragment.
pub(super) fn rewrite(html: &str, place: Place<'_>) -> Rewritten {
    let read = head(html);
    let room = read.len() + read.len() / 8;
    let mut nest = tokens::read(read, || Rewriter {
        place,
        nest: Nest::with_capacity(room),
        skipped: None,
        late: false,
    })
    .nest;
    nest.cut |= read.len() < html.len();
    Rewritten { substance: nest.substance, html: nest.finish() }
}

struct Rewriter<'a> {
    place: Place<'a>,
    nest: Nest,
    /// The element that is left out with its content.
    skipped: Option<String>,
    /// The last thing written was a picture that the publisher's page loads late.
    late: bool,
}

impl Sink for Rewriter<'_> {
    fn text(&mut self, text: &str) {
        if self.skipped.is_none() && !self.nest.cut {
            self.late &= text.trim().is_empty();
            self.nest.text(text);
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        if self.nest.cut {
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
            self.start(tag, self.place);
            return true;
        }
        match element(&tag.name) {
            Some((name, _)) if !is_void(name) => self.nest.end(name),
            _ => {}
        }
        false
    }
}

impl Rewriter<'_> {
    fn start(&mut self, tag: &Tag<'_>, place: Place<'_>) {
        let late = std::mem::take(&mut self.late);
        match &*tag.name {
            "iframe" | "embed" => self.player(tag, place),
            "img" | "image" | "amp-img" => self.picture(tag, place),
            // The state of a task, which the box alone would show.
            "input"
                if tag.attribute("type").is_some_and(|t| t.eq_ignore_ascii_case("checkbox")) =>
            {
                self.nest.text(if tag.attribute("checked").is_some() { "☑ " } else { "☐ " });
            }
            name => {
                if let Some((name, allowed)) = element(name) {
                    self.element(name, allowed, tag, place);
                }
            }
        }
        let again = late && &*tag.name == "noscript";
        if (is_hidden(&tag.name) || again) && !tag.self_closing {
            self.skipped = Some(tag.name.clone().into_owned());
        }
    }

    fn element(
        &mut self,
        name: &'static str,
        allowed: &[&'static str],
        tag: &Tag<'_>,
        place: Place<'_>,
    ) {
        let mut kept = attributes::kept(name, allowed, tag, place);
        if name == "source" {
            set(&mut kept, "srcset", picture::srcset(tag, place));
        }
        let has = |wanted: &[&str]| kept.iter().any(|(name, _)| wanted.contains(name));
        match name {
            "a" if !has(&["href"]) => self.nest.start_unwritten(name),
            "span" if kept.is_empty() => self.nest.start_unwritten(name),
            "source" | "track" if !has(&["src", "srcset"]) => {}
            _ => self.nest.start(name, &kept),
        }
    }

    fn picture(&mut self, tag: &Tag<'_>, place: Place<'_>) {
        let Some((name, allowed)) = policy::element("img") else { return };
        match picture::picture(tag, place) {
            Picture::Tracker => {}
            // Formulas and emoji are readable by their text.
            Picture::Sourceless => self.nest.text(tag.attribute("alt").unwrap_or_default()),
            Picture::Kept { src, srcset, loading } => {
                let mut kept = attributes::kept(name, allowed, tag, place);
                set(&mut kept, "src", Some(src));
                set(&mut kept, "srcset", srcset);
                self.nest.start(name, &kept);
                self.late = loading == Loading::Lazy;
            }
        }
    }

    fn player(&mut self, tag: &Tag<'_>, place: Place<'_>) {
        let Some(player) = player(tag, place) else { return };
        if self.nest.is_in("a") {
            return self.nest.text(&player.label);
        }
        let paragraph = self.nest.takes_paragraphs();
        if paragraph {
            self.nest.start("p", &[]);
        }
        self.nest.start("a", &[("href", Cow::Owned(player.href))]);
        self.nest.text(&player.label);
        self.nest.end("a");
        if paragraph {
            self.nest.end("p");
        }
    }
}

/// Gives an attribute another value, where it stands or at the end.
fn set(kept: &mut Vec<Attribute<'_>>, name: &'static str, value: Option<String>) {
    let Some(value) = value.map(Cow::Owned) else { return };
    match kept.iter_mut().find(|(kept, _)| *kept == name) {
        Some(attribute) => attribute.1 = value,
        None => kept.push((name, value)),
    }
}
