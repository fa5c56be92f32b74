//! What the walk makes of documents in every state.

use super::scan::{MAX_ATTRIBUTES, MAX_ELEMENTS, scan};
use super::space::Space;
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
    assert_eq!(tree.root.child(Space::Rss, "B").unwrap().text(), "c < <d>");
}

#[test]
fn crossed_and_unclosed_tags_are_closed_by_their_parents() {
    let text = "<a><b>1<c>2</b>3</x></a>";
    assert_eq!(tree(text).root.child(Space::Rss, "b").unwrap().text(), "12");
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
fn what_stands_after_the_document_is_left_out_and_told_of() {
    assert_eq!(codes("<a/>\0<?xml version='1.0' encoding='latin1'?><a/>"), ["junk_after"]);
    assert!(!tree("<a><?xml version='1.0'?></a>").clean);
    assert!(tree("<a/>\n").clean && codes("<a/> <!-- made by hand -->").is_empty());
}

#[test]
fn what_is_cut_is_kept_as_far_as_it_goes() {
    for text in ["<a><b>1</b><b>2", "<a><b>1</b><b>2</b", "<a><b>1</b><b x='2"] {
        let tree = tree(text);
        assert!(tree.partial, "{text}");
        assert!(tree.root.all(Space::Rss, "b").count() >= 1, "{text}");
    }
    assert!(scan("nothing here").is_none());
}

#[test]
fn namespaces_are_resolved_where_declared_and_where_not() {
    let text = "<rss xmlns:d='http://purl.org/dc/elements/1.1/'><d:date/><itunes:author/>\
        <x xmlns='http://www.w3.org/2005/Atom'><link/></x><link/></rss>";
    let tree = tree(text);
    assert!(tree.root.child(Space::Dc, "date").is_some());
    assert!(tree.root.child(Space::Itunes, "author").is_some());
    assert!(tree.root.child(Space::Atom, "x").unwrap().child(Space::Atom, "link").is_some());
    assert!(tree.root.child(Space::Rss, "link").is_some());
    assert_eq!(codes(text), ["undeclared_prefix"]);
}

#[test]
fn depth_and_numbers_are_bounded_and_hostile_input_costs_no_square() {
    let deep = format!("<a>{}x{}</a>", "<b>".repeat(50_000), "</b>".repeat(50_000));
    assert!(tree(&deep).root.text().contains('x'));
    let signs = format!("<a>{}</a>", "< ".repeat(200_000));
    assert_eq!(tree(&signs).root.text().len(), 400_000);
    let quotes = format!("<a>{}</a>", "<b c=\"".repeat(50_001));
    assert!(!tree(&quotes).clean);
    let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS + 1));
    assert!(tree(&many).partial);
    let attributes: String = (0..50_000).map(|n| format!(" a{n}='1'")).collect();
    assert_eq!(tree(&format!("<a{attributes}/>")).root.attributes.len(), MAX_ATTRIBUTES);
}

#[test]
fn declared_entities_are_put_in_where_they_are_plain_and_little() {
    let text = |doctype: &str, inner: &str| {
        let document = format!("<!DOCTYPE a [{doctype}]><a>{inner}</a>");
        tree(&document).root.text().into_owned()
    };
    assert_eq!(text("<!ENTITY id 'tag:x,'><!ENTITY  y \"2006\" >", "&id;&y;"), "tag:x,2006");
    assert_eq!(text("<!ENTITY a 'x'><!ENTITY b '&a;&a;'>", "&b;"), "&b;");
    assert_eq!(text("<!ENTITY f SYSTEM 'file:///etc/passwd'>", "&f;"), "&f;");
    let long = format!("<!ENTITY a '{}'>", "x".repeat(500));
    assert!(text(&long, &"&a;".repeat(10_000)).len() < 100_000);
}
