//! Element trees of clean and of broken documents.

use super::namespace::Namespace;
use super::scan::scan;
use super::tree::Tree;

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
