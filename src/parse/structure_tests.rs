//! Feeds with a broken or unusual structure: no item is lost.

use url::Url;

use super::{Input, Parsed, parse};
use crate::model::{ParsedItem, TextKind};

fn read(document: &str) -> Parsed {
    let url = Url::parse("https://example.org/feed").unwrap();
    let input = Input { bytes: document.as_bytes(), content_type: None, url: &url, max_items: 100 };
    parse(input).unwrap_or_else(|failure| panic!("{failure}: {document}"))
}

fn codes(parsed: &Parsed) -> Vec<&str> {
    parsed.parse_warnings.iter().map(|warning| warning.code.as_ref()).collect()
}

fn title(item: &ParsedItem) -> &str {
    item.title.as_ref().map_or("", |title| title.value.as_str())
}

const ITEMS: &str = "<item><title>A</title><link>https://example.org/a</link><description>x</description></item>\
    <item><title>B</title><link>https://example.org/b</link><description>y</description></item>";
const ENTRIES: &str = "<entry><id>a</id><title>A</title><link href='https://example.org/a'/><summary>x</summary></entry>\
    <entry><id>b</id><title>B</title><link href='https://example.org/b'/><summary>y</summary></entry>";
const RDF: &str = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
const ATOM: &str = "xmlns='http://www.w3.org/2005/Atom'";

/// Both items with title, page and text.
fn check(document: &str) -> Parsed {
    let parsed = read(document);
    let items = &parsed.feed.items;
    let found: Vec<_> = items
        .iter()
        .map(|item| {
            let text = item.content.as_ref().or(item.summary.as_ref());
            (title(item), item.page().unwrap_or_default(), text.map_or("", |text| &text.value))
        })
        .collect();
    let expected = [("A", "https://example.org/a", "x"), ("B", "https://example.org/b", "y")];
    assert_eq!(found, expected, "{document}");
    parsed
}

#[test]
fn items_are_found_in_wrappers() {
    for document in [
        format!(
            "<rss version='2.0'><channel><title>F</title><items>{ITEMS}</items></channel></rss>"
        ),
        format!("<rss><channel><title>F</title><a><b><c>{ITEMS}</c></b></a></channel></rss>"),
        format!("<rss><wrapper><channel><title>F</title>{ITEMS}</channel></wrapper></rss>"),
        format!("<rss><channel><title>F</title></channel><items>{ITEMS}</items></rss>"),
        format!("<feed {ATOM}><title>F</title><entries>{ENTRIES}</entries></feed>"),
        format!("<feed {ATOM}><title>F</title><x:list xmlns:x='urn:x'>{ENTRIES}</x:list></feed>"),
        format!(
            "<rdf:RDF {RDF} xmlns='http://purl.org/rss/1.0/'><channel><title>F</title></channel><list>{ITEMS}</list></rdf:RDF>"
        ),
        format!("<channel><title>F</title><list>{ITEMS}</list></channel>"),
        format!(
            "<rss><channel><title>F</title>{}</channel></rss>",
            ITEMS.replace("</item><item>", "<item>") + "</item>"
        ),
    ] {
        let parsed = check(&document);
        assert_eq!(parsed.feed.title.unwrap().value, "F", "{document}");
    }
}

#[test]
fn a_json_feed_is_found_in_a_wrapper() {
    let document = r#"{"data": {"feed": {"version": "https://jsonfeed.org/version/1.1", "items": [
        {"id": "1", "title": "A", "url": "https://example.org/a", "content_text": "x"},
        {"id": "2", "title": "B", "url": "https://example.org/b", "content_text": "y"}]}}}"#;
    check(document);
}

#[test]
fn unclosed_elements_of_the_channel_hide_no_items() {
    for unclosed in [
        "<link>https://example.org/",
        "<description>About",
        "<image><url>https://example.org/i.png</url>",
        "<image><url>https://example.org/i.png",
        "<itunes:owner><itunes:name>X</itunes:name>",
        "<atom:link href='https://example.org/feed' rel='self'>",
        "<category>News",
        "<pubDate>Tue, 10 Nov 2026 08:00:00 GMT",
    ] {
        let document = format!(
            "<rss version='2.0'><channel><title>F</title>{unclosed}{ITEMS}</channel></rss>"
        );
        let parsed = check(&document);
        assert!(codes(&parsed).contains(&"unclosed_tag"), "{document}");
        assert_eq!(parsed.feed.title.unwrap().value, "F", "{document}");
    }
    check(&format!(
        "<rss><channel><title>F<link>https://example.org/</link>{ITEMS}</channel></rss>"
    ));
    check(&format!("<feed {ATOM}><title>F</title><author><name>X</name>{ENTRIES}</feed>"));
    check(&format!("<feed {ATOM}><title>F</title><subtitle>S{ENTRIES}</feed>"));
    check(&format!(
        "<rdf:RDF {RDF} xmlns='http://purl.org/rss/1.0/'><channel><title>F</title>{ITEMS}</rdf:RDF>"
    ));
}

#[test]
fn an_unclosed_item_ends_where_the_next_begins() {
    let open = ITEMS.replace("</item>", "");
    for document in [
        format!("<rss version='2.0'><channel><title>F</title>{open}</channel></rss>"),
        format!(
            "<rss version='2.0'><channel><title>F</title>{}</channel></rss>",
            ITEMS.replacen("</item>", "", 1)
        ),
        format!("<rdf:RDF {RDF} xmlns='http://purl.org/rss/1.0/'><channel/>{open}</rdf:RDF>"),
        format!("<feed {ATOM}><title>F</title>{}</feed>", ENTRIES.replace("</entry>", "")),
        format!(
            "<a:feed xmlns:a='http://www.w3.org/2005/Atom'>{}</a:feed>",
            ENTRIES
                .replace("</entry>", "")
                .replace("</", "</a:")
                .replace('<', "<a:")
                .replace("<a:/", "</")
        ),
        // Also the last element of the item is open.
        format!("<rss><channel>{}</channel></rss>", ITEMS.replace("</description></item>", "")),
        format!("<rss><channel>{}</channel></rss>", ITEMS.replace("</title>", "")),
    ] {
        let parsed = check(&document);
        assert!(codes(&parsed).contains(&"unclosed_tag"), "{document}");
    }
}

#[test]
fn an_entry_inside_an_element_of_a_module_is_no_item_of_the_feed() {
    let inner = format!(
        "<gd:link xmlns:gd='urn:gd'><feed>{}</feed></gd:link>",
        ENTRIES.replace("A<", "C<")
    );
    let document = format!(
        "<feed {ATOM}>{}</feed>",
        ENTRIES.replacen("</entry>", &format!("{inner}</entry>"), 1)
    );
    check(&document);
}

#[test]
fn an_unknown_default_namespace_is_decided_by_names() {
    for name in [
        "http://example.org/mine",
        "http://www.w3.org/1999/xhtml",
        "http://backend.userland.com/rss3",
        "urn:x",
    ] {
        for document in [
            format!(
                "<rss xmlns='{name}' version='2.0'><channel><title>F</title>{ITEMS}</channel></rss>"
            ),
            format!(
                "<rss version='2.0'><channel xmlns='{name}'><title>F</title>{ITEMS}</channel></rss>"
            ),
            format!(
                "<rss version='2.0'><channel><title>F</title>{}</channel></rss>",
                ITEMS.replace("<item>", &format!("<item xmlns='{name}'>"))
            ),
            format!(
                "<rdf:RDF {RDF} xmlns='{name}'><channel><title>F</title></channel>{ITEMS}</rdf:RDF>"
            ),
            format!("<feed xmlns='{name}'><title>F</title>{ENTRIES}</feed>"),
            format!(
                "<f:feed xmlns:f='{name}'><f:title>F</f:title>{}</f:feed>",
                ENTRIES.replace("</", "</f:").replace('<', "<f:").replace("<f:/", "</")
            ),
        ] {
            let parsed = check(&document);
            assert!(codes(&parsed).contains(&"unknown_namespace"), "{document}");
        }
    }
    let atom_on_rss =
        format!("<rss {ATOM} version='2.0'><channel><title>F</title>{ITEMS}</channel></rss>");
    check(&atom_on_rss);
    let rss_on_atom =
        format!("<feed xmlns='http://purl.org/rss/1.0/'><title>F</title>{ENTRIES}</feed>");
    check(&rss_on_atom);
    check(&format!("<feed><title>F</title>{ENTRIES}</feed>"));
}

#[test]
fn a_part_with_its_own_namespace_is_read() {
    let document = format!(
        "<rss version='2.0'><channel><title>F</title>{}</channel></rss>",
        ITEMS.replace("<title>", "<title xmlns='urn:mine'>")
    );
    check(&document);
}

#[test]
fn numeric_references_from_128_to_159_are_windows_1252() {
    let documents = [
        "<rss version='2.0'><channel><title>F</title><item><title>don&#146;t</title>\
         <description>&#x93;a&#148; &#133; b</description></item></channel></rss>".to_owned(),
        format!("<feed {ATOM}><entry><title>don&#146;t</title><summary>&#x93;a&#148; &#133; b</summary></entry></feed>"),
        format!("<feed {ATOM}><broken><entry><title>don&#146;t</title><summary>&#x93;a&#148; &#133; b</summary></entry></feed>"),
        "{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [{\"title\": \"don\\u0092t\", \
         \"content_text\": \"\\u0093a\\u0094 \\u0085 b\"}]}".to_owned(),
    ];
    for document in documents {
        let parsed = read(&document);
        let item = &parsed.feed.items[0];
        let text = item.content.as_ref().or(item.summary.as_ref()).unwrap();
        assert_eq!((title(item), text.value.as_str()), ("don’t", "“a” … b"), "{document}");
    }
}

#[test]
fn an_item_without_an_author_has_that_of_its_source_or_feed() {
    let author = |document: &str| {
        let item = read(document).feed.items.remove(0);
        let names: Vec<String> = item.authors.into_iter().map(|person| person.name).collect();
        (names.join(", "), item.authors_are_inherited)
    };
    let ann = "<author><name>Ann</name></author>";
    let own = "<author><name>Own</name></author>";
    let inherited = ("Ann".to_owned(), true);
    let rss = |channel: &str| {
        author(&format!(
            "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>{channel}<item><title>A</title></item></channel></rss>"
        ))
    };
    assert_eq!(
        author(&format!("<feed {ATOM}>{ann}<entry><title>A</title></entry></feed>")),
        inherited
    );
    assert_eq!(
        author(&format!("<feed {ATOM}>{ann}<entry><title>A</title>{own}</entry></feed>")),
        ("Own".to_owned(), false)
    );
    assert_eq!(
        author(&format!(
            "<feed {ATOM}>{ann}<entry><title>A</title><source>{own}</source></entry></feed>"
        )),
        ("Own".to_owned(), false)
    );
    assert_eq!(rss("<dc:creator>Ann</dc:creator>"), inherited);
    assert_eq!(rss("<itunes:author>Ann</itunes:author>"), inherited);
    assert_eq!(rss("<managingEditor>ann@example.org (Ann)</managingEditor>"), inherited);
    assert_eq!(rss("<webMaster>root@example.org (Root)</webMaster>"), (String::new(), false));
    assert_eq!(
        author(
            "{\"version\": \"https://jsonfeed.org/version/1.1\", \"authors\": [{\"name\": \"Ann\"}], \"items\": [{\"id\": \"1\"}]}"
        ),
        inherited
    );
}

#[test]
fn the_author_that_media_rss_credits_is_that_of_the_item() {
    let author = |own: &str| {
        let document = format!(
            "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:dc='http://purl.org/dc/elements/1.1/'>\
             <channel><title>Uploads</title><item><title>A</title>{own}</item></channel></rss>"
        );
        let authors = read(&document).feed.items.remove(0).authors;
        authors.into_iter().map(|author| author.name).collect::<Vec<_>>()
    };
    let credit = "<media:credit role='author' scheme='urn:ebu'>Ann</media:credit>";
    let picture = "<media:credit role='author'>https://a.example/ann.png</media:credit>";
    assert_eq!(author(&format!("{credit}{picture}")), ["Ann"]);
    assert_eq!(author(&format!("{credit}<dc:creator>Bo</dc:creator>")), ["Bo"]);
    assert!(author("<media:credit role='photographer'>Cy</media:credit>").is_empty());
    let of_picture =
        format!("<media:content url='https://a.example/1.jpg'>{credit}</media:content>");
    assert!(author(&of_picture).is_empty());
}

#[test]
fn a_source_on_the_site_of_the_feed_is_no_other_feed() {
    let source = |source: &str| {
        let document = format!(
            "<rss version='2.0'><channel><title>F</title><link>https://forum.example/</link><item><title>A topic</title>{source}</item></channel></rss>"
        );
        read(&document).feed.items.remove(0).source.and_then(|source| source.title)
    };
    assert_eq!(source("<source url='https://forum.example/t/1.rss'>Topic</source>"), None);
    assert_eq!(source("<source url='https://example.org/t/1.rss'>Topic</source>"), None);
    assert_eq!(source("<source url='https://other.example/1.rss'>A topic</source>"), None);
    assert_eq!(
        source("<source url='https://other.example/1.rss'>Other</source>"),
        Some("Other".to_owned())
    );
}

#[test]
fn a_draft_is_not_an_item_of_the_feed() {
    let app = "xmlns:app='http://www.w3.org/2007/app'";
    let titles = |draft: &str| {
        let control = format!("<app:control {app}>{draft}</app:control></entry>");
        let parsed =
            read(&format!("<feed {ATOM}>{}</feed>", ENTRIES.replacen("</entry>", &control, 1)));
        parsed.feed.items.iter().map(|item| title(item).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("<app:draft>yes</app:draft>"), ["B"]);
    assert_eq!(titles("<app:draft> Yes </app:draft>"), ["B"]);
    for public in ["<app:draft>no</app:draft>", "", "<app:draft/>"] {
        assert_eq!(titles(public), ["A", "B"], "{public}");
    }
}

#[test]
fn a_cut_item_is_left_out_also_if_it_is_the_only_one() {
    let begun = "<title>Title of";
    let php =
        "<link>https://example.org/1</link><br />\n<b>Fatal error</b>: x in <b>y.php</b><br />";
    let rss = |inner: &str| format!("<rss version='2.0'><channel><title>F</title>{inner}");
    let documents = |cut: &str| {
        [
            rss(&format!("<item>{cut}")),
            rss(&format!("<items><list><item>{cut}")),
            format!("<rss><channel><title>F</title></channel><item>{cut}"),
            format!(
                "<rdf:RDF {RDF} xmlns='http://purl.org/rss/1.0/'><channel><title>F</title></channel><item rdf:about='https://example.org/1'>{cut}"
            ),
            format!("<feed {ATOM}><title>F</title><entry>{cut}"),
            format!(
                "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>F</a:title><a:entry>{cut}"
            ),
            format!("<entry {ATOM}><id>urn:1</id>{cut}"),
            format!("<feed xmlns='urn:x'><title>F</title><entry>{cut}"),
        ]
    };
    for cut in [begun, "<title>T</title><guid>https://example.org/po", "<title>T</title></ite", php]
    {
        for document in documents(cut) {
            let parsed = read(&document);
            assert_eq!(parsed.feed.items, [], "{document}");
            assert!(parsed.feed.partial && codes(&parsed).contains(&"cut"), "{document}");
        }
    }
    let mut utf_16 = vec![0xff, 0xfe];
    utf_16.extend(rss("<item><title>Title of").encode_utf16().flat_map(u16::to_le_bytes));
    let _ = utf_16.pop();
    let url = Url::parse("https://example.org/feed").unwrap();
    let input = Input { bytes: &utf_16, content_type: None, url: &url, max_items: 9 };
    let parsed = parse(input).unwrap();
    assert!(parsed.feed.items.is_empty() && parsed.feed.partial);
}

#[test]
fn a_feed_that_is_a_file_has_its_own_link_as_base() {
    let url = Url::parse("file:///srv/feed.xml").unwrap();
    let of = |document: &str| {
        let input =
            Input { bytes: document.as_bytes(), content_type: None, url: &url, max_items: 9 };
        let item = parse(input).unwrap().feed.items.remove(0);
        (item.page().unwrap_or_default().to_owned(), item.content.unwrap().base)
    };
    let rss = |base: &str, link: &str| {
        of(&format!(
            "<rss version='2.0' {base}><channel><title>F</title><link>{link}</link><item><title>A</title>\
             <link>/post/1</link><description>&lt;img src='/a.png'></description></item></channel></rss>"
        ))
    };
    let found = |page: &str, base: &str| (page.to_owned(), Some(base.to_owned()));
    let at_link = found("https://f.example/post/1", "https://f.example/blog/");
    assert_eq!(rss("", "https://f.example/blog/"), at_link);
    let own = "xml:base='https://base.example/'";
    let at_base = found("https://base.example/post/1", "https://base.example/");
    assert_eq!(rss(own, "https://f.example/blog/"), at_base);
    assert_eq!(
        rss("xml:base='/x/'", "https://f.example/blog/"),
        found("https://f.example/post/1", "https://f.example/x/")
    );
    assert_eq!(rss("", "/"), ("file:///post/1".to_owned(), None));
    let links =
        "<link rel='self' href='https://s.example/feed'/><link href='https://f.example/blog/'/>";
    let entry =
        "<entry><title>A</title><link href='/post/1'/><content type='html'>x</content></entry>";
    assert_eq!(of(&format!("<feed {ATOM}>{links}{entry}</feed>")), at_link);
    let json = r#"{"version": "https://jsonfeed.org/version/1.1", "home_page_url": "https://f.example/blog/",
        "items": [{"id": "1", "url": "/post/1", "content_html": "<img src='/a.png'>"}]}"#;
    assert_eq!(of(json), at_link);
}

#[test]
fn escaped_markup_beside_an_element_is_html() {
    let rss = "<rss version='2.0'><channel><title>F</title><item><title>A</title>\
        <description>&lt;p&gt;one&lt;/p&gt;<hr/><p>two</p></description></item></channel></rss>";
    let content = read(rss).feed.items.remove(0).content.unwrap();
    assert_eq!(
        (content.kind, content.value.as_str()),
        (TextKind::Html, "<p>one</p><hr><p>two</p>")
    );
    let atom = format!(
        "<feed {ATOM}><entry><title>A</title><content type='html'><div><![CDATA[<p>one</p>]]><hr/></div></content></entry></feed>"
    );
    let content = read(&atom).feed.items.remove(0).content.unwrap();
    assert_eq!((content.kind, content.value.as_str()), (TextKind::Html, "<p>one</p><hr>"));
    // Text about tags inside an element stays text.
    let about = format!(
        "<feed {ATOM}><entry><title>A</title><content type='html'><p>the &lt;b&gt; tag</p></content></entry></feed>"
    );
    assert_eq!(
        read(&about).feed.items[0].content.as_ref().unwrap().value,
        "<p>the &lt;b&gt; tag</p>"
    );
}

#[test]
fn items_of_both_names_are_read() {
    let entry = "<entry><title>B</title><link>https://example.org/b</link><description>y</description></entry>";
    let item = &ITEMS[..ITEMS.len() / 2];
    check(&format!("<rss version='2.0'><channel><title>F</title>{item}{entry}</channel></rss>"));
}

#[test]
fn no_cut_makes_another_item() {
    let item = |n| {
        format!(
            "<item><title>T{n}</title><link>https://a.test/{n}</link><description>&lt;p>a &amp;amp; b\
             <![CDATA[c]]></description>\n<guid isPermaLink='false'>g{n}</guid><category>x</category></item>"
        )
    };
    let entry = |n| {
        format!(
            "<entry><id>tag:{n}</id><title>T{n}</title><link href='https://a.test/{n}'/>\n\
             <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>a</p></div></content></entry>"
        )
    };
    let object = |n| format!("{{\"id\": \"{n}\", \"title\": \"T\", \"content_html\": \"<p>a\"}}");
    let rss =
        format!("<rss version='2.0'><channel>{}{}{}</channel></rss>", item(1), item(2), item(3));
    let atom = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{}{}</feed>",
        entry(1),
        entry(2)
    );
    let rdf = format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>\
         <channel><title>F</title></channel>{}{}</rdf:RDF>",
        item(1),
        item(2)
    );
    let json = format!(
        "{{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [{}, {}]}}",
        object(1),
        object(2)
    );
    for document in [rss, atom, rdf, json] {
        let url = Url::parse("https://a.test/feed").unwrap();
        let items = |bytes: &[u8]| {
            let input = Input { bytes, content_type: None, url: &url, max_items: 100 };
            parse(input).map_or(Vec::new(), |parsed| parsed.feed.items)
        };
        let whole = items(document.as_bytes());
        assert!(whole.len() >= 2);
        let mut counts = vec![0; 4];
        for end in 0..document.len() {
            let read = items(&document.as_bytes()[..end]);
            counts[read.len()] += 1;
            for (read, whole) in read.iter().zip(&whole) {
                assert_eq!(read, whole, "{}", &document[..end]);
            }
        }
        assert!(counts[1] > 0 && counts[2] > 0, "{counts:?}");
    }
}

/// The item and the one behind it, read from a document with one broken part.
fn two(document: &str) -> (ParsedItem, ParsedItem) {
    let mut items = read(document).feed.items;
    assert_eq!(items.len(), 2, "{document}");
    let second = items.remove(1);
    assert_eq!((title(&second), second.page()), ("B", Some("https://example.org/b")), "{document}");
    (items.remove(0), second)
}

#[test]
fn a_less_than_sign_is_text_where_its_tag_has_no_end() {
    let document = |channel: &str, part: &str, broken: &str| {
        let items = ITEMS.replacen(part, broken, 1);
        format!("<rss version='2.0'><channel>{channel}<title>F</title>{items}</channel></rss>")
    };
    for text in
        ["When x<y", "News <br", "C<T, U", "Use <b", "日本<語", "a<b/", "a \"<b", "x<y=\"1\" "]
    {
        let (item, _) = two(&document("", "<title>A", &format!("<title>{text}")));
        assert_eq!(title(&item), text.trim());
        assert_eq!(item.page(), Some("https://example.org/a"), "{text}");
        let (item, _) = two(&document("", "<description>x", &format!("<description>{text}")));
        assert_eq!(item.content.unwrap().value, text.trim().replace('<', "&lt;"));
        let (item, _) = two(&document("", "<link>", &format!("<category>{text}</category><link>")));
        assert_eq!(item.categories[0].term, text.trim());
        let channel = format!("<description>{text}</description><copyright>{text}</copyright>");
        let (item, _) = two(&document(&channel, "", ""));
        assert_eq!(title(&item), "A", "{text}");
        let entries = ENTRIES.replacen("<title>A", &format!("<title>{text}"), 1);
        let (item, _) = two(&format!("<feed {ATOM}><title>F</title>{entries}</feed>"));
        assert_eq!(title(&item), text.trim());
    }
    // Where an element is expected, its start tag lacks the `>`.
    for broken in ["<item <title>A", "<item\n<title>A"] {
        let (item, _) = two(&document("", "<item><title>A", broken));
        assert_eq!(title(&item), "A");
    }
    let (item, _) = two(&document("", "A</title><link>", "A</title <link>"));
    assert_eq!((title(&item), item.page()), ("A", Some("https://example.org/a")));
    // HTML without escapes stays HTML.
    let html = "<p class=\"a\">one<br/>two <a href=\"/x?a=1>2\" title='a < b'>c</a></p>";
    let (item, _) = two(&document("", "<description>x", &format!("<description>{html}")));
    assert!(item.content.unwrap().value.contains("two <a href="), "{html}");
}

#[test]
fn an_unclosed_section_ends_with_its_element() {
    let document = |broken: &str| {
        let items = ITEMS.replacen("<title>A", &format!("<title>{broken}"), 1);
        let items = items.replace(">y<", "><![CDATA[y]]><");
        format!("<rss version='2.0'><channel><title>F</title>{items}</channel></rss>")
    };
    for (broken, expected) in [("<![CDATA[A", "A"), ("A<!-- b", "A"), ("A<?php", "A")] {
        assert_eq!(title(&two(&document(broken)).0), expected, "{broken}");
    }
    // A section that quotes another one is closed.
    let quoted = "<![CDATA[Use <![CDATA[x]]]]><![CDATA[> in XML]]>";
    assert_eq!(title(&two(&document(quoted)).0), "Use <![CDATA[x]]> in XML");
}

#[test]
fn values_without_quotes_or_with_one_end_where_they_are_meant_to_end() {
    let items = |part: &str| ITEMS.replacen("<description>x", &format!("{part}<description>x"), 1);
    let dc = "xmlns:dc=http://purl.org/dc/elements/1.1/";
    let document = |part: &str| {
        format!("<rss version=2.0 {dc}><channel><title>F</title>{}</channel></rss>", items(part))
    };
    let (item, _) = two(&document("<dc:creator>Ann</dc:creator>"));
    assert_eq!(item.authors[0].name, "Ann");
    let (item, _) = two(&document("<source url=https://other.example/feed/>Other</source>"));
    assert_eq!(item.source.unwrap().title.as_deref(), Some("Other"));
    // A void element stays empty.
    let (item, _) = two(&document("<enclosure url=/a.mp3 type=audio/mpeg/>"));
    assert_eq!(item.content.unwrap().value, "x");
    for part in [
        "<enclosure url=\"/a.mp3 type=\"audio/mpeg\" length=\"1\"/>",
        "<enclosure url=\"/a.mp3/>",
        "<enclosure type='audio/mpeg' url=\"/a.mp3>",
    ] {
        let (item, _) = two(&document(&format!("{part}<guid isPermaLink=\"false\">g</guid>")));
        assert_eq!(item.enclosures[0].url, "https://example.org/a.mp3", "{part}");
        assert_eq!(item.content.unwrap().value, "x", "{part}");
    }
}

#[test]
fn a_permalink_counts_more_than_a_link_to_the_page_of_the_feed() {
    let page = |link: &str, guid: &str| {
        let item = format!("<item><title>A</title><link>{link}</link>{guid}</item>");
        let channel = "<title>F</title><link>https://h.example/</link>";
        let parsed = read(&format!("<rss><channel>{channel}{item}</channel></rss>"));
        parsed.feed.items[0].page().unwrap_or_default().to_owned()
    };
    let permalink = "<guid isPermaLink='true'>https://h.example/post/1</guid>";
    for home in ["https://h.example/", "https://h.example"] {
        assert_eq!(page(home, permalink), "https://h.example/post/1");
    }
    for (link, guid, expected) in [
        ("https://h.example/post/2", permalink, "https://h.example/post/2"),
        ("https://h.example/", "<guid>https://ids.example/1</guid>", "https://h.example/"),
        ("https://h.example/", "<guid>https://h.example/8f14e45f</guid>", "https://h.example/"),
        ("https://h.example/", "<guid>42</guid>", "https://h.example/"),
        ("h.example/post/3", permalink, "https://h.example/post/3"),
    ] {
        assert_eq!(page(link, guid), expected, "{link} {guid}");
    }
    let not = "<guid isPermaLink='false'>https://h.example/post/1</guid>";
    assert_eq!(page("https://h.example/", not), "https://h.example/");
}

#[test]
fn one_certain_date_of_a_feed_shows_the_order_of_the_others() {
    let items = ["11/10/2026 08:00", "30/10/26 08:00"]
        .map(|date| {
            let updated = "<dcterms:modified>2026-11-10</dcterms:modified>";
            format!("<item><title>A</title><pubDate>{date}</pubDate>{updated}</item>")
        })
        .concat();
    let parsed = read(&format!("<rss><channel><title>F</title>{items}</channel></rss>"));
    let dates: Vec<String> =
        parsed.feed.items.iter().map(|item| item.published.unwrap().to_string()).collect();
    assert_eq!(dates, ["2026-10-11T08:00:00Z", "2026-10-30T08:00:00Z"]);
}
