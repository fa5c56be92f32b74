//! The elements of an HTML fragment as a tree, for selectors. Linear in the length of the fragment.
//!
//! The tree is made of the tokens that the sanitiser reads too. Elements end as in a browser in all common cases: with
//! their end tag, with their parent, and paragraphs, list items and cells where the next one begins.

use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::context::MatchingContext;
use selectors::matching::ElementSelectorFlags;
use selectors::{Element, OpaqueElement};

use super::plain_text::is_block;
use super::selectors::{Html, Never, Word};
use super::tokens::{Sink, Tag};
use super::writer::is_void;

/// Maximum number of elements of a fragment that selectors see.
pub(super) const MAX_ELEMENTS: usize = 5_000;
/// Maximum number of open elements among which that of an end tag is looked for.
const MAX_SEARCHED: usize = 100;

/// An element of a fragment, as selectors see it.
#[derive(Debug, Default)]
pub(super) struct Node {
    name: Box<str>,
    attributes: Vec<(Box<str>, Box<str>)>,
    parent: Option<usize>,
    previous: Option<usize>,
    next: Option<usize>,
    first_child: Option<usize>,
    has_text: bool,
    /// Numbers of its tags, from its start tag to its end tag or the last tag inside it.
    pub(super) tags: std::ops::Range<usize>,
    /// Whether the text behind the last of these tags belongs to it.
    pub(super) runs_on: bool,
}

/// A tree of elements, in the order of their start tags.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// The open elements with their nodes; `None`: beyond the limit.
    open: Vec<(Box<str>, Option<usize>)>,
    /// The last element without a parent.
    last_root: Option<usize>,
    /// The last child of each node.
    last_children: Vec<Option<usize>>,
    /// Number of tags so far.
    tags: usize,
}

impl Sink for Tree {
    fn text(&mut self, text: &str) {
        if !text.is_empty()
            && let Some((_, Some(node))) = self.open.last()
        {
            self.nodes[*node].has_text = true;
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let number = self.tags;
        self.tags += 1;
        if tag.end {
            self.end(&tag.name, number);
        } else {
            self.imply_ends(&tag.name, number);
            self.start(tag, number);
        }
        true
    }
}

impl Tree {
    /// Ends the elements that are still open.
    pub(super) fn finish(mut self) -> Vec<Node> {
        self.close_from(0, self.tags, false);
        self.nodes
    }

    fn start(&mut self, tag: &Tag<'_>, number: usize) {
        let foreign = self.open.iter().rev().take(MAX_SEARCHED).any(|(name, _)| is_foreign(name));
        let closed = is_void_element(&tag.name) || foreign && tag.self_closing;
        let node = (self.nodes.len() < MAX_ELEMENTS).then(|| self.add(tag, number));
        if !closed {
            self.open.push((Box::from(&*tag.name), node));
        }
    }

    fn add(&mut self, tag: &Tag<'_>, number: usize) -> usize {
        let parent = self.open.last().and_then(|(_, node)| *node);
        let this = self.nodes.len();
        let last = match parent {
            Some(parent) => &mut self.last_children[parent],
            None => &mut self.last_root,
        };
        let previous = last.replace(this);
        match (previous, parent) {
            (Some(previous), _) => self.nodes[previous].next = Some(this),
            (None, Some(parent)) => self.nodes[parent].first_child = Some(this),
            (None, None) => {}
        }
        let attributes = tag.attributes.iter();
        self.nodes.push(Node {
            name: Box::from(&*tag.name),
            attributes: attributes
                .map(|(name, value)| ((&**name).into(), (&**value).into()))
                .collect(),
            parent,
            previous,
            tags: number..number + 1,
            ..Node::default()
        });
        self.last_children.push(None);
        this
    }

    /// Ends elements that the start tag of another one ends (HTML 13.1.2.4).
    fn imply_ends(&mut self, name: &str, number: usize) {
        let (ended, until): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "tr" => (&["tr", "td", "th"], &["table", "tbody", "thead", "tfoot"]),
            "td" | "th" => (&["td", "th"], &["table", "tr"]),
            "option" => (&["option"], &["select"]),
            name if is_block(name) || name == "p" => (&["p"], &["td", "th", "li", "button"]),
            _ => return,
        };
        let near = self.open.iter().enumerate().rev().take(MAX_SEARCHED);
        let near = near.take_while(|(_, (open, _))| !until.contains(&&**open));
        let last = near.filter(|(_, (open, _))| ended.contains(&&**open)).last();
        if let Some(at) = last.map(|(at, _)| at) {
            self.close_from(at, number, false);
        }
    }

    fn end(&mut self, name: &str, number: usize) {
        let of_tables = ["table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption"];
        let crosses = of_tables.contains(&name);
        for at in (0..self.open.len()).rev().take(MAX_SEARCHED) {
            let open = &*self.open[at].0;
            if open == name {
                return self.close_from(at, number, true);
            }
            if matches!(open, "td" | "th" | "caption") && !crosses {
                return;
            }
        }
    }

    /// Ends the open elements from a place on; with `closed` the tag of this number is the end tag of the first.
    fn close_from(&mut self, at: usize, number: usize, closed: bool) {
        for (place, (_, node)) in self.open.drain(at..).enumerate() {
            if let Some(node) = node {
                let own_tag = closed && place == 0;
                self.nodes[node].tags.end = number + usize::from(own_tag);
                self.nodes[node].runs_on = !own_tag;
            }
        }
    }
}

fn is_foreign(name: &str) -> bool {
    matches!(name, "svg" | "math")
}

/// Void elements (HTML 13.1.2), with those of old.
fn is_void_element(name: &str) -> bool {
    is_void(name)
        || matches!(name, "area" | "base" | "embed" | "image" | "input" | "link" | "meta" | "param")
}

/// An element in its tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct InTree<'a> {
    pub(super) nodes: &'a [Node],
    pub(super) at: usize,
}

impl<'a> InTree<'a> {
    fn node(self) -> &'a Node {
        &self.nodes[self.at]
    }

    fn at(self, at: Option<usize>) -> Option<Self> {
        at.map(|at| Self { at, ..self })
    }

    fn attribute(self, name: &str) -> Option<&'a str> {
        self.node().attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }
}

impl Element for InTree<'_> {
    type Impl = Html;

    fn opaque(&self) -> OpaqueElement {
        OpaqueElement::new(self.node())
    }

    fn parent_element(&self) -> Option<Self> {
        self.at(self.node().parent)
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.at(self.node().previous)
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.at(self.node().next)
    }

    fn first_element_child(&self) -> Option<Self> {
        self.at(self.node().first_child)
    }

    fn is_html_element_in_html_document(&self) -> bool {
        true
    }

    fn has_local_name(&self, name: &str) -> bool {
        *self.node().name == *name
    }

    fn has_namespace(&self, _: &str) -> bool {
        true
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.node().name == other.node().name
    }

    fn attr_matches(
        &self,
        _: &NamespaceConstraint<&Word>,
        name: &Word,
        operation: &AttrSelectorOperation<&Word>,
    ) -> bool {
        self.attribute(name.as_ref()).is_some_and(|value| operation.eval_str(value))
    }

    fn match_non_ts_pseudo_class(&self, class: &Never, _: &mut MatchingContext<'_, Html>) -> bool {
        match *class {}
    }

    fn match_pseudo_element(&self, element: &Never, _: &mut MatchingContext<'_, Html>) -> bool {
        match *element {}
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        matches!(&*self.node().name, "a" | "area") && self.attribute("href").is_some()
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_id(&self, id: &Word, case: CaseSensitivity) -> bool {
        self.attribute("id").is_some_and(|own| case.eq(own.as_bytes(), id.as_ref().as_bytes()))
    }

    fn has_class(&self, name: &Word, case: CaseSensitivity) -> bool {
        let classes = self.attribute("class").unwrap_or_default().split_ascii_whitespace();
        classes.into_iter().any(|class| case.eq(class.as_bytes(), name.as_ref().as_bytes()))
    }

    fn has_custom_state(&self, _: &Word) -> bool {
        false
    }

    fn imported_part(&self, _: &Word) -> Option<Word> {
        None
    }

    fn is_part(&self, _: &Word) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        !self.node().has_text && self.node().first_child.is_none()
    }

    fn is_root(&self) -> bool {
        false
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
