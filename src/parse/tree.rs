//! The document as a tree, whatever state it is in: what the web serves is not what XML asks for.
//!
//! One walk with quick-xml, bounded in depth and in number of elements. Crossed and unclosed tags,
//! bare `&` and `<`, HTML entities and undeclared prefixes are mended, each with a parse warning.
//! Names and texts borrow from the document. Leaves meaning to the readers.

use std::borrow::Cow;

use super::space::Space;
use crate::model::ParseWarning;

/// One element with all that is in it.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    /// Who defines it.
    pub(crate) space: Space,
    /// Its name without the prefix, as written.
    pub(crate) name: &'a str,
    /// In document order, without declarations.
    pub(crate) attributes: Vec<Attribute<'a>>,
    /// In document order.
    pub(crate) nodes: Vec<Node<'a>>,
}

/// One attribute, its value unescaped.
#[derive(Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) space: Space,
    pub(crate) name: &'a str,
    pub(crate) value: Cow<'a, str>,
}

/// What an element holds.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Element(Element<'a>),
    /// Unescaped; neighbouring pieces are one.
    Text(Cow<'a, str>),
}

/// A document.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    /// The outermost element.
    pub(crate) root: Element<'a>,
    /// The namespace name that the root stands in, as written.
    pub(crate) namespace: Cow<'a, str>,
    /// What had to be mended; the first few of them.
    pub(crate) parse_warnings: Vec<ParseWarning>,
    /// Nothing had to be mended, and no entity but XML's own was used.
    pub(crate) clean: bool,
    /// The end was missing or could not be read.
    pub(crate) partial: bool,
}

impl<'a> Element<'a> {
    /// Whether it is this element; case never tells two apart.
    pub(crate) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name.eq_ignore_ascii_case(name)
    }

    /// The elements directly in it.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The children of that name.
    pub(crate) fn all(&self, space: Space, name: &str) -> impl Iterator<Item = &Element<'a>> {
        self.elements().filter(move |element| element.is(space, name))
    }

    /// The first child of that name.
    pub(crate) fn child(&self, space: Space, name: &str) -> Option<&Element<'a>> {
        self.all(space, name).next()
    }

    /// The value of an attribute in no namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_in(Space::Rss, name)
    }

    /// The value of an attribute.
    pub(crate) fn attribute_in(&self, space: Space, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|found| found.space == space && found.name.eq_ignore_ascii_case(name))?;
        Some(found.value.trim())
    }

    /// Its text, that of the elements in it included.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self.nodes.as_slice() {
            [] => Cow::Borrowed(""),
            [Node::Text(text)] => Cow::Borrowed(text.as_ref()),
            nodes => {
                let mut all = String::new();
                collect(nodes, &mut all);
                Cow::Owned(all)
            }
        }
    }

    /// Its text without white space around it; `None` when nothing is left.
    pub(crate) fn trimmed(&self) -> Option<String> {
        let text = self.text();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether there are elements in it.
    pub(crate) fn has_elements(&self) -> bool {
        self.elements().next().is_some()
    }

    /// Adds text, to the text that stands last if one does.
    pub(crate) fn push_text(&mut self, text: Cow<'a, str>) {
        if text.is_empty() {
            return;
        }
        match self.nodes.last_mut() {
            Some(Node::Text(last)) => last.to_mut().push_str(&text),
            _ => self.nodes.push(Node::Text(text)),
        }
    }
}

fn collect(nodes: &[Node<'_>], all: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => all.push_str(text),
            Node::Element(element) => collect(&element.nodes, all),
        }
    }
}
