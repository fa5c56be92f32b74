//! Documents whose publishers escaped a text once too often, or wrote it in the wrong place.

use url::Url;

use super::{Input, Parsed, parse};
use crate::model::{ParsedItem, TextKind};

fn read(document: &str) -> Parsed {
    let url = Url::parse("https://example.org/feeds/all.xml").unwrap();
    let input = Input { bytes: document.as_bytes(), content_type: None, url: &url, max_items: 9 };
    parse(input).unwrap_or_else(|failure| panic!("{failure}: {document}"))
}

fn rss(item: &str) -> String {
    format!(
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:media='http://search.yahoo.com/mrss/'>\
         <channel><title>F</title><item>{item}</item></channel></rss>"
    )
}

fn atom(entry: &str) -> String {
    format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><entry>{entry}</entry></feed>"
    )
}

fn only(document: &str) -> ParsedItem {
    read(document).feed.items.remove(0)
}

#[test]
fn delimiters_of_cdata_are_no_part_of_any_text() {
    let value =
        |text: Option<crate::model::Text>| text.map(|text| (text.kind, text.value)).unwrap();
    let html = |value: &str| (TextKind::Html, value.to_owned());
    let plain = |value: &str| (TextKind::Plain, value.to_owned());
    for (title, expected) in [
        ("&lt;![CDATA[Hello &amp;amp; you]]&gt;", html("Hello &amp; you")),
        ("<![CDATA[<![CDATA[Nested title]]]]><![CDATA[>]]>", plain("Nested title")),
        ("&amp;lt;![CDATA[Deep]]&amp;gt;", plain("Deep")),
        ("<![CDATA[Twice]]>]]>", plain("Twice")),
    ] {
        let item = only(&rss(&format!("<title>{title}</title>")));
        assert_eq!(value(item.title), expected, "{title}");
    }
    for (entry, expected) in [
        ("<title type='html'>&lt;![CDATA[A &lt;b&gt;t&lt;/b&gt;]]&gt;</title>", html("A <b>t</b>")),
        ("<title>&lt;![CDATA[A t]]&gt;</title>", plain("A t")),
        ("<title>The &lt;![CDATA[ of XML</title>", plain("The <![CDATA[ of XML")),
    ] {
        assert_eq!(value(only(&atom(entry)).title), expected, "{entry}");
    }
    for (body, expected) in [
        ("&lt;![CDATA[&lt;p&gt;a&lt;/p&gt;]]&gt;", "<p>a</p>"),
        ("<![cdata[<p>a</p>]]>", "<p>a</p>"),
        ("&lt;p&gt;a&lt;/p&gt;]]&gt;", "<p>a</p>"),
        ("&lt;p&gt;a &lt;![CDATA[b &amp;amp; c]]&gt; d&lt;/p&gt;", "<p>a b &amp; c d</p>"),
        ("<![CDATA[<p>a</p><![CDATA[inner]]> tail", "<p>a</p>inner tail"),
        ("< ![CDATA[<p>a</p>]]>", "<p>a</p>"),
    ] {
        let item = only(&rss(&format!("<description>{body}</description>")));
        assert_eq!(value(item.content), html(expected), "{body}");
    }
    let content = "<content>&lt;![CDATA[&lt;p&gt;c&lt;/p&gt;]]&gt;</content>";
    assert_eq!(value(only(&atom(content)).content), html("<p>c</p>"));
    let item = only(&rss(
        "<link>&lt;![CDATA[https://e.org/9]]&gt;</link><category>&lt;![CDATA[Cat]]&gt;</category>\
         <author>&lt;![CDATA[A B]]&gt;</author><guid>&lt;![CDATA[g]]&gt;</guid>\
         <pubDate>&lt;![CDATA[Tue, 10 Nov 2026 08:00:00 GMT]]&gt;</pubDate>",
    ));
    assert_eq!(item.links[0].href, "https://e.org/9");
    assert_eq!((item.categories[0].term.as_str(), item.authors[0].name.as_str()), ("Cat", "A B"));
    assert_eq!((item.id.as_deref(), item.published.is_some()), (Some("g"), true));
    let json = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "<![CDATA[F]]>",
        "items": [{"id": "1", "title": "<![CDATA[T]]>", "content_html": "<![CDATA[<p>c</p>]]>"}]}"#;
    let mut feed = read(json).feed;
    assert_eq!(feed.title.unwrap().value, "F");
    let item = feed.items.remove(0);
    assert_eq!((value(item.title), value(item.content)), (plain("T"), html("<p>c</p>")));
}

#[test]
fn a_section_with_the_end_tag_of_its_element_is_closed_if_no_part_follows() {
    for html in [
        "<details><summary>x</summary><p>y</p></details><script>//<![CDATA[ a ",
        "<pre><summary>..</summary><link>..</link><content><![CDATA[x</pre>",
        "<p>It ends with </summary> <b>there</b>, not with <![CDATA[",
    ] {
        let item = only(&atom(&format!("<summary type='html'><![CDATA[{html}]]></summary>")));
        let summary = item.summary.unwrap().value;
        assert!(["x</pre>", "//", "not with"].iter().any(|end| summary.contains(end)), "{summary}");
    }
    for next in ["<link>/a</link>", "<dc:creator>A</dc:creator>", "</item><item>"] {
        let item =
            format!("<title><![CDATA[T</title> {next}<description><![CDATA[x]]></description>");
        let title = read(&rss(&item)).feed.items.remove(0).title;
        assert_eq!(title.unwrap().value, "T", "{next}");
    }
}

#[test]
fn many_sections_that_are_not_closed_cost_linear_time() {
    let part = "<title><![CDATA[</title><link>";
    let document =
        format!("<rss><channel><item>{}]]></title></item></channel></rss>", part.repeat(20_000));
    let _ = super::scan::scan(&document);
}

#[test]
fn the_entries_of_an_rdf_container_are_separate() {
    let item = only(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:enc='http://purl.oclc.org/net/rss_2.0/enc#' \
         xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>F</title></channel>\
         <item rdf:about='https://e.org/1'><title>T</title>\
         <dc:creator><rdf:Seq><rdf:li>Ann A</rdf:li><rdf:li>Bo B</rdf:li></rdf:Seq></dc:creator>\
         <dc:subject><rdf:Bag><rdf:li>cranes</rdf:li><rdf:li>ships</rdf:li></rdf:Bag></dc:subject>\
         <enc:enclosure rdf:resource='https://e.org/a.mp3' enc:type='audio/mpeg' enc:length='7'/>\
         <content:items><rdf:Bag><rdf:li><content:item><rdf:value>&lt;p&gt;Full&lt;/p&gt;</rdf:value>\
         </content:item></rdf:li></rdf:Bag></content:items></item></rdf:RDF>",
    );
    let names: Vec<_> = item.authors.iter().map(|person| person.name.as_str()).collect();
    let terms: Vec<_> = item.categories.iter().map(|category| category.term.as_str()).collect();
    assert_eq!((names, terms), (vec!["Ann A", "Bo B"], vec!["cranes", "ships"]));
    assert_eq!(item.page(), Some("https://e.org/1"));
    let file = &item.enclosures[0];
    assert_eq!((file.url.as_str(), file.length), ("https://e.org/a.mp3", Some(7)));
    assert_eq!(item.content.unwrap().value, "<p>Full</p>");
}

#[test]
fn a_text_is_found_in_each_place_and_keeps_its_lines() {
    let text = |inner: &str| {
        let content = only(&rss(inner)).content.unwrap_or_default();
        (content.kind, content.value)
    };
    let plain = |value: &str| (TextKind::Plain, value.to_owned());
    let html = |value: &str| (TextKind::Html, value.to_owned());
    let described = |text: &str| {
        format!("<media:group><media:description>{text}</media:description></media:group>")
    };
    for (inner, expected) in [
        (
            "<media:description type='plain'>a &lt;b&gt;b&lt;/b&gt;</media:description>",
            plain("a <b>b</b>"),
        ),
        ("<media:description type='html'>a &amp;amp; b</media:description>", html("a &amp; b")),
        ("<media:content><media:description>a</media:description></media:content>", plain("a")),
        (&described("a &lt;b&gt;b&lt;/b&gt;\nc &amp;amp;"), plain("a <b>b</b>\nc &amp;")),
        (&described("the &lt;br&gt; tag\nc"), plain("the <br> tag\nc")),
        (&described("a&lt;br&gt;\nc"), html("a<br>\nc")),
        (&described("&lt;p&gt;a&lt;/p&gt;\n&lt;p&gt;b&lt;/p&gt;"), html("<p>a</p>\n<p>b</p>")),
        ("<itunes:subtitle>Sub</itunes:subtitle>", plain("Sub")),
        ("<description>x</description><yandex:full-text>Full</yandex:full-text>", plain("Full")),
        (
            "<t:content xmlns:t='http://turbo.yandex.ru'>&lt;p&gt;a&lt;/p&gt;</t:content>",
            html("<p>a</p>"),
        ),
    ] {
        assert_eq!(text(inner), expected, "{inner}");
    }
    let item = only(
        "<!DOCTYPE rss [<!ENTITY mk \"&#60;b>bold&#60;/b>\">]><rss version='2.0'><channel><title>F</title>\
         <item><description>&mk; x</description></item></channel></rss>",
    );
    assert_eq!(item.content.unwrap().value, "<b>bold</b> x");
}

#[test]
fn references_of_cdf_are_relative_to_its_base() {
    let feed = read(
        "<CHANNEL HREF='https://e.org/' BASE='https://e.org/b/'><TITLE>F</TITLE><ITEM HREF='1.html'><TITLE>T</TITLE>\
         </ITEM><ITEM><A HREF='2.html'/><TITLE>U</TITLE></ITEM></CHANNEL>",
    )
    .feed;
    let pages: Vec<_> = feed.items.iter().filter_map(ParsedItem::page).collect();
    assert_eq!(pages, ["https://e.org/b/1.html", "https://e.org/b/2.html"]);
}

#[test]
fn notices_of_programs_around_a_feed_are_left_out() {
    let feed =
        "<rss version='2.0'><channel><title>T</title><item><title>a</title></item></channel></rss>";
    let notice = "Warning: x in /y.php on line 3\n";
    assert_eq!(only(&format!("{notice}{feed}\n{notice}")).title.unwrap().value, "a");
}
