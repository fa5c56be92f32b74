//! One pass over an HTML fragment that mends it: absolute links, real pictures, players as links.
//!
//! Only what `policy` knows is written, by `nest`, so the output is as safe as the policy; ammonia
//! judges it all the same. What is hidden, foreign or a script is left out with its content, what is
//! unknown is unwrapped.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::LocalName;
use html5ever::tokenizer::{
    CharacterTokens, EndTag, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult,
};

use super::attributes;
use super::nest::{Attribute, Nest, is_void};
use super::picture::{self, Loading, Picture};
use super::place::Place;
use super::plain::{attribute, breaks_out, head, is_hidden, raw_kind, tokens};
use super::player::player;
use super::policy::{self, element};

/// What the pass made of an HTML fragment.
pub(super) struct Rewritten {
    /// HTML, nested and escaped as a serialiser would.
    pub(super) html: String,
    /// There is something to see in it.
    pub(super) substance: bool,
}

/// Mends an HTML fragment.
pub(super) fn rewrite(html: &str, place: Place<'_>) -> Rewritten {
    let rewriter = Rewriter { place, state: RefCell::default() };
    let mut state = tokens(head(html), rewriter).state.into_inner();
    state.nest.cut |= head(html).len() < html.len();
    Rewritten { substance: state.nest.substance, html: state.nest.finish() }
}

struct Rewriter<'a> {
    place: Place<'a>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    nest: Nest,
    /// The element that is left out with its content.
    skipped: Option<LocalName>,
    /// The last thing written was a picture that the publisher's page loads late.
    late: bool,
}

impl TokenSink for Rewriter<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            _ if state.nest.cut => {}
            CharacterTokens(text) if state.skipped.is_none() => {
                state.late &= text.trim().is_empty();
                state.nest.text(&text);
            }
            TagToken(tag) => return state.tag(&tag, self.place),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn tag(&mut self, tag: &Tag, place: Place<'_>) -> TokenSinkResult<()> {
        if let Some(skipped) = &self.skipped {
            if tag.kind == EndTag && tag.name == *skipped {
                self.skipped = None;
                return TokenSinkResult::Continue;
            }
            if !breaks_out(&tag.name) || &**skipped == "noscript" {
                return TokenSinkResult::Continue;
            }
            self.skipped = None;
        }
        if tag.kind == StartTag {
            self.start(tag, place);
            return raw_kind(tag).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
        }
        match element(&tag.name) {
            Some((name, _)) if !is_void(name) => self.nest.end(name),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn start(&mut self, tag: &Tag, place: Place<'_>) {
        let late = std::mem::take(&mut self.late);
        match &*tag.name {
            "iframe" | "embed" => self.player(tag, place),
            "img" | "image" | "amp-img" => self.picture(tag, place),
            // The state of a task, which the box alone would show.
            "input"
                if attribute(tag, "type").is_some_and(|t| t.eq_ignore_ascii_case("checkbox")) =>
            {
                self.nest.text(if attribute(tag, "checked").is_some() { "☑ " } else { "☐ " });
            }
            name => {
                if let Some((name, allowed)) = element(name) {
                    self.element(name, allowed, tag, place);
                }
            }
        }
        let again = late && &*tag.name == "noscript";
        if (is_hidden(&tag.name) || again) && !tag.self_closing {
            self.skipped = Some(tag.name.clone());
        }
    }

    fn element(
        &mut self,
        name: &'static str,
        allowed: &[&'static str],
        tag: &Tag,
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

    fn picture(&mut self, tag: &Tag, place: Place<'_>) {
        let Some((name, allowed)) = policy::element("img") else { return };
        match picture::picture(tag, place) {
            Picture::Tracker => {}
            // Formulas and emoji are readable by their text.
            Picture::Sourceless => self.nest.text(attribute(tag, "alt").unwrap_or_default()),
            Picture::Kept { src, srcset, loading } => {
                let mut kept = attributes::kept(name, allowed, tag, place);
                set(&mut kept, "src", Some(src));
                set(&mut kept, "srcset", srcset);
                self.nest.start(name, &kept);
                self.late = loading == Loading::Lazy;
            }
        }
    }

    fn player(&mut self, tag: &Tag, place: Place<'_>) {
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
