//! Parts of the content of items that the operator does not want: `remove = ["css selector"]`. They are removed before
//! the sanitiser drops the classes and ids by which selectors find them.
//!
//! Two passes over the tokens: the first makes a tree for the selectors, the second writes what is left. HTML that no
//! selector matches stays as it is.

use std::collections::HashMap;
use std::ops::Range;

use selectors::context::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode,
    SelectorCaches,
};
use selectors::matching::matches_selector_list;

use super::escaping::meant;
use super::limits::readable;
use super::plain_text;
use super::selectors::Selector;
use super::tokens::{self, Sink, Tag};
use super::tree::{InTree, Node, Tree};
use crate::model::{ParsedItem, Removed, Text, TextKind};
use crate::text::html::escape;

/// Maximum length of the example of a removed text, in characters.
const EXAMPLE: usize = 80;

/// The items of a document that lose a part of their content, by their place, and what each selector removes.
#[derive(Debug, Default)]
pub struct Reduction {
    /// Items without the removed parts.
    pub items: HashMap<usize, ParsedItem>,
    /// Each selector with its effect, also one without any.
    pub effects: Vec<Removed>,
}

/// Applies selectors to content and summary of the items of a document.
#[must_use]
pub fn remove(items: &[ParsedItem], selectors: &[Selector]) -> Reduction {
    let effect = |selector: &Selector| Removed {
        selector: selector.as_str().to_owned(),
        ..Removed::default()
    };
    let mut reduction =
        Reduction { items: HashMap::new(), effects: selectors.iter().map(effect).collect() };
    if selectors.is_empty() {
        return reduction;
    }
    for (at, item) in items.iter().enumerate() {
        let before: Vec<usize> = reduction.effects.iter().map(|effect| effect.elements).collect();
        let mut reduce = |text: &Option<Text>| {
            let text = text.as_ref().filter(|text| text.kind == TextKind::Html)?;
            let value = without(&meant(&text.value), selectors, &mut reduction.effects)?;
            Some(Text { value, ..text.clone() })
        };
        let (content, summary) = (reduce(&item.content), reduce(&item.summary));
        if content.is_none() && summary.is_none() {
            continue;
        }
        for (effect, before) in reduction.effects.iter_mut().zip(before) {
            effect.items += usize::from(effect.elements > before);
        }
        let mut reduced = item.clone();
        reduced.content = content.or(reduced.content);
        reduced.summary = summary.or(reduced.summary);
        reduction.items.insert(at, reduced);
    }
    reduction
}

/// The HTML without the elements that a selector matches; `None` if no element matches.
fn without(html: &str, selectors: &[Selector], effects: &mut [Removed]) -> Option<String> {
    let html = readable(html).html;
    if !html.contains('<') {
        return None;
    }
    let nodes = tokens::read(&html, Tree::default).finish();
    let cuts = cuts(&nodes, selectors);
    if cuts.is_empty() {
        return None;
    }
    let mut rest = tokens::read(&html, || Rest { cuts: &cuts, ..Rest::default() });
    for (cut, text) in cuts.iter().zip(rest.texts.drain(..)) {
        let effect = &mut effects[cut.selector];
        effect.elements += 1;
        let text = || plain_text::line(&text, EXAMPLE);
        effect.example = effect.example.take().or_else(text);
    }
    Some(rest.html)
}

/// An element that is removed.
#[derive(Debug)]
struct Cut {
    /// Numbers of the tags that are removed.
    tags: Range<usize>,
    /// Whether the text behind the last of them is removed too.
    runs_on: bool,
    /// Index of the selector that matched it.
    selector: usize,
}

/// The outermost elements that a selector matches, in order.
fn cuts(nodes: &[Node], selectors: &[Selector]) -> Vec<Cut> {
    let mut caches = SelectorCaches::default();
    let mut context = MatchingContext::new(
        MatchingMode::Normal,
        None,
        &mut caches,
        QuirksMode::NoQuirks,
        NeedsSelectorFlags::No,
        MatchingForInvalidation::No,
    );
    let mut cuts: Vec<Cut> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        if cuts.last().is_some_and(|cut| node.tags.start < cut.tags.end) {
            continue;
        }
        let element = InTree { nodes, at };
        let matched =
            selectors.iter().position(|it| matches_selector_list(&it.list, element, &mut context));
        if let Some(selector) = matched {
            cuts.push(Cut { tags: node.tags.clone(), runs_on: node.runs_on, selector });
        }
    }
    cuts
}

/// The fragment without the cuts, and the text of each cut.
#[derive(Default)]
struct Rest<'c> {
    cuts: &'c [Cut],
    html: String,
    texts: Vec<String>,
    /// Number of tags so far.
    tags: usize,
    /// Index of the present or next cut.
    next: usize,
    in_cut: bool,
    /// Whether the text belongs to an element without markup, as `<script>`.
    raw: bool,
}

impl Rest<'_> {
    fn leave_cut(&mut self) {
        self.in_cut = false;
        self.next += 1;
    }
}

impl Sink for Rest<'_> {
    fn text(&mut self, text: &str) {
        match (self.in_cut, self.raw) {
            (false, true) => self.html.push_str(text),
            (false, false) => self.html.push_str(&escape(text)),
            (true, true) => {}
            (true, false) => {
                let removed = &mut self.texts[self.next];
                if removed.len() < 4 * EXAMPLE {
                    removed.push_str(text);
                }
            }
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let number = self.tags;
        self.tags += 1;
        self.raw = tag.raw();
        let ends = |cut: &Cut| number >= cut.tags.end;
        if self.in_cut && self.cuts.get(self.next).is_some_and(ends) {
            self.leave_cut();
        }
        let Some(cut) = self.cuts.get(self.next).filter(|cut| cut.tags.contains(&number)) else {
            tag.write(&mut self.html);
            return true;
        };
        if cut.tags.start == number {
            self.in_cut = true;
            self.texts.push(String::new());
        }
        if number + 1 == cut.tags.end && !cut.runs_on {
            self.leave_cut();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The HTML without what the selectors match, and the effects.
    fn removed(html: &str, selectors: &[&str]) -> (String, Vec<Removed>) {
        let selectors: Vec<Selector> =
            selectors.iter().map(|text| Selector::parse(text).unwrap()).collect();
        let content = Text { value: html.to_owned(), kind: TextKind::Html, ..Text::default() };
        let item = ParsedItem { content: Some(content), ..ParsedItem::default() };
        let reduction = remove(&[item], &selectors);
        let reduced = reduction.items.get(&0).and_then(|item| item.content.clone());
        (reduced.map_or_else(|| html.to_owned(), |text| text.value), reduction.effects)
    }

    #[test]
    fn matched_elements_are_removed_with_their_content() {
        for (html, selector, rest) in [
            ("<p>a</p><div class='x share'>b<p>c</p></div>d", ".share", "<p>a</p>d"),
            ("a<img class=pixel>b", ".pixel", "ab"),
            ("a<br class=x>b<br>c", "br.x", "ab<br>c"),
            ("<p class=x>a<b>b</b>c<p>d", ".x", "<p>d"),
            ("<ul><li class=x>a<ul><li>b</ul>c<li>d</ul>", "li.x", "<ul><li>d</ul>"),
            ("<table><tr><td class=x>a<td>b</table>", ".x", "<table><tr><td>b</table>"),
            ("a<div id=related>b", "#related", "a"),
            ("<div><p class=x>a</div>b", ".x", "<div></div>b"),
            ("<p>a</p><p>b</p><p>c</p>", "p:last-child", "<p>a</p><p>b</p>"),
            ("<h2>Related</h2><ul><li>a</ul>b", "h2, h2 + ul", "b"),
            ("<DIV Class=X>a</DIV>b", "div.X", "b"),
            ("<svg><a class=x /></svg>b", ".x", "<svg></svg>b"),
            ("<p>a <a href='/s?u=1'>s</a></p>", "a[href*='?u=']", "<p>a </p>"),
        ] {
            assert_eq!(removed(html, &[selector]).0, rest, "{html} without {selector}");
        }
    }

    #[test]
    fn what_is_left_reads_as_before() {
        let html = "<a href='?a=1&amp;b=\"2\"' title=\"&lt;\">x &amp;lt; y</a><br/>\n<script>a && b</script>";
        let (rest, _) = removed(&format!("{html}<i class=x>z</i>"), &[".x"]);
        let tokens = |html: &str| {
            let mut tokens = Tokens::default();
            tokens::fast(html, &mut tokens).expect("common HTML");
            tokens.0
        };
        assert_eq!(tokens(&rest), tokens(html));
    }

    /// The tokens as text.
    #[derive(Default)]
    struct Tokens(String);

    impl Sink for Tokens {
        fn text(&mut self, text: &str) {
            self.0.push_str(text);
        }

        fn tag(&mut self, tag: &Tag<'_>) -> bool {
            self.0.push_str(&format!("{tag:?}"));
            true
        }
    }

    #[test]
    fn html_without_a_match_stays_as_it_is() {
        let html = "<P CLASS=a>x & y</P><!-- c -->";
        assert_eq!(removed(html, &[".b", "p > p"]).0, html);
    }

    #[test]
    fn each_selector_reports_what_it_removes() {
        let html = "<p class=a>Share this</p><p class=a>x</p><p class=b><i class=a>z</i></p>";
        let (_, effects) = removed(html, &[".a", ".b", ".c"]);
        let effect =
            |at: usize| (effects[at].elements, effects[at].items, effects[at].example.as_deref());
        assert_eq!(effect(0), (2, 1, Some("Share this")));
        assert_eq!(effect(1), (1, 1, Some("z")));
        assert_eq!(effect(2), (0, 0, None));
    }

    #[test]
    fn elements_beyond_the_limit_are_kept() {
        let many = "<i>a</i>".repeat(super::super::tree::MAX_ELEMENTS);
        let (rest, effects) = removed(&format!("<b class=x>b</b>{many}<b class=x>c</b>"), &[".x"]);
        assert!(rest.ends_with("<b class=\"x\">c</b>") && !rest.starts_with("<b"));
        assert_eq!(effects[0].elements, 1);
    }

    #[test]
    fn deep_nesting_and_wrong_end_tags_are_read() {
        let html = format!("{}a{}", "<div><b>".repeat(20_000), "</i></b>".repeat(20_000));
        let (rest, effects) = removed(&html, &["div b div .x", "div ~ b", "div > b:nth-child(2)"]);
        assert_eq!((rest.len(), effects.len()), (html.len(), 3));
    }
}
