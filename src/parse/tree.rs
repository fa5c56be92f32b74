//! The element tree of a document. Names and texts borrow from the document. Items beyond `max_items` are dropped from it
//! while the document is read.

use std::borrow::Cow;

use jiff::Timestamp;

use super::entity::join_last_surrogates;
use super::namespace::Namespace;
use super::{item, markup};
use crate::model::ParseWarning;

/// An element with its content.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    /// The namespace of the name.
    pub(crate) namespace: Namespace,
    /// The name without prefix, as written.
    pub(crate) name: &'a str,
    /// Attributes in document order, without namespace declarations.
    pub(crate) attributes: Vec<Attribute<'a>>,
    /// Content in document order.
    pub(crate) nodes: Vec<Node<'a>>,
}

/// An attribute; its value is unescaped.
#[derive(Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) namespace: Namespace,
    pub(crate) name: &'a str,
    pub(crate) value: Cow<'a, str>,
}

/// A part of the content of an element.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    /// In a box, because most nodes are texts, and an element is three times as large.
    Element(Box<Element<'a>>),
    /// Unescaped text; adjacent texts are joined.
    Text(Cow<'a, str>),
}

/// The tree of a document.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    /// The outermost element of the document.
    pub(crate) root: Element<'a>,
    /// Namespace name of the root, as written.
    pub(crate) root_namespace: Cow<'a, str>,
    /// What had to be repaired; the first ones.
    pub(crate) parse_warnings: Vec<ParseWarning>,
    /// Whether nothing was repaired and only the entities of XML are used.
    pub(crate) clean: bool,
    /// Whether the end is missing or unreadable.
    pub(crate) partial: bool,
    /// Whether text follows the root.
    pub(crate) followed_by_text: bool,
    /// Number of items that were dropped while reading, because newer ones fill the limit.
    pub(crate) dropped: usize,
}

impl<'a> Element<'a> {
    /// Whether the element has this name; case is ignored.
    pub(crate) fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && self.name.eq_ignore_ascii_case(name)
    }

    /// The child elements, in document order.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element.as_ref()),
            Node::Text(_) => None,
        })
    }

    /// The child elements with this name.
    pub(crate) fn all(
        &self,
        namespace: Namespace,
        name: &str,
    ) -> impl Iterator<Item = &Element<'a>> {
        self.elements().filter(move |element| element.is(namespace, name))
    }

    /// The first child element with this name.
    pub(crate) fn child(&self, namespace: Namespace, name: &str) -> Option<&Element<'a>> {
        self.all(namespace, name).next()
    }

    /// The value of an attribute without namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_in(Namespace::Rss, name)
    }

    /// The value of an attribute in a namespace.
    pub(crate) fn attribute_in(&self, namespace: Namespace, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|found| found.namespace == namespace && found.name.eq_ignore_ascii_case(name))?;
        Some(found.value.trim())
    }

    /// The text, including that of inner elements, without the delimiters of an escaped CDATA section around it.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self.written() {
            Cow::Borrowed(text) => Cow::Borrowed(markup::inside_cdata(text).unwrap_or(text)),
            Cow::Owned(text) => match markup::inside_cdata(&text) {
                Some(inside) => Cow::Owned(inside.to_owned()),
                None => Cow::Owned(text),
            },
        }
    }

    /// Whether the text is in an escaped CDATA section.
    pub(crate) fn is_in_cdata(&self) -> bool {
        markup::inside_cdata(&self.written()).is_some()
    }

    /// Whether a text in the element may contain delimiters of CDATA sections.
    pub(crate) fn may_contain_cdata(&self) -> bool {
        self.nodes.iter().any(|node| match node {
            Node::Text(text) => markup::may_contain_cdata(text),
            Node::Element(element) => element.may_contain_cdata(),
        })
    }

    fn written(&self) -> Cow<'_, str> {
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

    /// The texts of an RDF container (RDF/XML 2.15), or the text of any other element.
    pub(crate) fn values(&self) -> Vec<Cow<'_, str>> {
        let is_container = |inner: &&Element<'_>| {
            ["Alt", "Bag", "Seq"].iter().any(|name| inner.is(Namespace::Rdf, name))
        };
        match self.elements().find(is_container) {
            Some(container) => container.all(Namespace::Rdf, "li").map(Element::text).collect(),
            None => vec![self.text()],
        }
    }

    /// The text without white space around it; `None` if it is empty.
    pub(crate) fn trimmed(&self) -> Option<String> {
        let text = self.text();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether there are child elements.
    pub(crate) fn has_elements(&self) -> bool {
        self.elements().next().is_some()
    }

    /// Appends text; adjacent texts are joined.
    pub(crate) fn push_text(&mut self, text: Cow<'a, str>) {
        if text.is_empty() {
            return;
        }
        match self.nodes.last_mut() {
            Some(Node::Text(last)) => {
                let last = last.to_mut();
                last.push_str(&text);
                if text.starts_with("&#") {
                    join_last_surrogates(last);
                }
            }
            _ => {
                // Most elements have one text and nothing else.
                if self.nodes.is_empty() {
                    self.nodes.reserve_exact(1);
                }
                self.nodes.push(Node::Text(text));
            }
        }
    }

    /// Whether the name is that of an item in any dialect.
    pub(crate) fn is_item(&self) -> bool {
        matches!(self.name.len(), 4 | 5)
            && matches!(self.namespace, Namespace::Rss | Namespace::Other | Namespace::Atom)
            && ["item", "entry"].iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    /// Number of elements, this one included.
    pub(crate) fn size(&self) -> usize {
        1 + self.elements().map(Element::size).sum::<usize>()
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

/// Smallest number of items from which items are dropped while reading, so that it is done rarely.
pub(crate) const MIN_ITEMS: usize = 1_000;

/// The items of an open element.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// Number of items that are kept so far.
    pub(crate) count: usize,
    /// Dates of the first ones, as far as they were needed.
    stamps: Vec<Timestamp>,
}

impl Items {
    /// Keeps the newest `max` items of `parent`, whose items these are. Returns the number of dropped items, and that
    /// of the elements in them.
    pub(crate) fn keep_newest(&mut self, parent: &mut Element<'_>, max: usize) -> (usize, usize) {
        let later = parent.elements().filter(|inner| inner.is_item());
        self.stamps.extend(later.skip(self.stamps.len()).map(item::stamp).collect::<Vec<_>>());
        let kept = newest(&self.stamps, max);
        let mut each = kept.iter().copied();
        self.stamps.retain(|_| each.next().unwrap_or_default());
        let (mut kept, mut elements) = (kept.into_iter(), 0);
        parent.nodes.retain(|node| match node {
            Node::Element(element) if element.is_item() => {
                let keep = kept.next().unwrap_or_default();
                elements += if keep { 0 } else { element.size() };
                keep
            }
            _ => true,
        });
        let dropped = self.count.saturating_sub(max);
        self.count = self.count.min(max);
        (dropped, elements)
    }
}

/// Which of the items with these dates are the newest `max`; of equally old ones the first.
pub(crate) fn newest(stamps: &[Timestamp], max: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..stamps.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(stamps[*index]));
    let mut kept = vec![false; stamps.len()];
    for index in order.into_iter().take(max) {
        kept[index] = true;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn tree(text: &str) -> Tree<'_> {
        scan(text).unwrap_or_else(|| panic!("no element in {text}"))
    }

    fn codes(text: &str) -> Vec<std::borrow::Cow<'static, str>> {
        tree(text).parse_warnings.into_iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn a_clean_document_is_clean() {
        let tree = tree("<?xml version='1.0'?><a x='1&amp;2'><b>c &lt; <![CDATA[<d>]]></b></a>");
        assert!(tree.clean && !tree.partial && tree.parse_warnings.is_empty());
        assert_eq!(tree.root.attribute("X"), Some("1&2"));
        assert_eq!(tree.root.child(Namespace::Rss, "B").unwrap().text(), "c < <d>");
    }

    #[test]
    fn crossed_and_unclosed_tags_are_closed_by_their_parents() {
        let text = "<a><b>1<c>2</b>3</x></a>";
        assert_eq!(tree(text).root.child(Namespace::Rss, "b").unwrap().text(), "12");
        assert_eq!(tree(text).root.text(), "123");
        assert_eq!(codes(text), ["unclosed_tag", "stray_end_tag"]);
    }

    #[test]
    fn bare_characters_and_html_entities_are_text() {
        let text = "<a>R&D &eacute; &#X41; &#150; 1 < 2 &nosuch; &</a>";
        assert_eq!(tree(text).root.text(), "R&D é A – 1 < 2 &nosuch; &");
        assert_eq!(
            codes(text),
            ["bare_ampersand", "bare_less_than", "unknown_entity", "bare_ampersand"]
        );
        assert_eq!(tree("<a b='x&y=1&copy;'/>").root.attribute("b"), Some("x&y=1©"));
        assert_eq!(tree("<a b=c d></a>").root.attribute("b"), Some("c"));
    }

    #[test]
    fn content_after_the_document_is_ignored_with_a_warning() {
        assert_eq!(codes("<a/>\0<?xml version='1.0' encoding='latin1'?><a/>"), ["junk_after"]);
        assert!(!tree("<a><?xml version='1.0'?></a>").clean);
        assert!(tree("<a/>\n").clean && codes("<a/> <!-- made by hand -->").is_empty());
    }

    #[test]
    fn a_truncated_document_is_read_up_to_its_end() {
        for text in ["<a><b>1</b><b>2", "<a><b>1</b><b>2</b", "<a><b>1</b><b x='2"] {
            assert!(tree(text).partial && tree(text).root.child(Namespace::Rss, "b").is_some());
        }
        assert!(scan("nothing here").is_none());
    }

    #[test]
    fn declared_and_undeclared_namespaces_are_resolved() {
        let text = "<rss xmlns:d='http://purl.org/dc/elements/1.1/'><d:date/><itunes:author/>\
            <x xmlns='http://www.w3.org/2005/Atom'><link/></x><link/></rss>";
        let tree = tree(text);
        assert!(tree.root.child(Namespace::Dc, "date").is_some());
        assert!(tree.root.child(Namespace::Itunes, "author").is_some());
        assert!(
            tree.root.child(Namespace::Atom, "x").unwrap().child(Namespace::Atom, "link").is_some()
        );
        assert!(tree.root.child(Namespace::Rss, "link").is_some());
        assert_eq!(codes(text), ["undeclared_prefix"]);
    }
}
