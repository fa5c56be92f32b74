//! Documents of every dialect; feed-rs and newswire read the same texts. `NEWSWIRE_CORPUS` names a
//! folder of more documents to compare.

use std::path::Path;

use url::Url;

use super::context::Context;
use super::{Input, Parsed, decode, feed_rs, item, layout, parse, scan};
use crate::model::{Dialect, FailureKind, ParsedItem, Person, TextKind};

fn url() -> Url {
    Url::parse("https://example.org/feeds/all.xml").unwrap()
}

fn read(document: &str) -> Parsed {
    let input =
        Input { bytes: document.as_bytes(), content_type: None, url: &url(), max_items: 100 };
    parse(input).unwrap_or_else(|failure| panic!("{failure}: {document}"))
}

fn only(document: &str) -> ParsedItem {
    let mut feed = read(document).feed;
    assert_eq!(feed.items.len(), 1, "{document}");
    feed.items.remove(0)
}

fn content(item: &ParsedItem) -> (&str, TextKind) {
    item.content.as_ref().map_or(("", TextKind::Plain), |text| (text.value.as_str(), text.kind))
}

const RSS: &str = r#"<?xml version="1.0"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"
  xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Garden &amp; House</title><link>https://example.org/</link><description>Notes</description>
<ttl>60</ttl><skipHours><hour>0</hour><hour>24</hour><hour>5</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<atom:link rel="self" href="https://example.org/feeds/all.xml"/><atom:link rel="hub" href="https://hub.example.org/"/>
<item><title>Peas &amp;amp; beans</title><link>/peas</link><guid isPermaLink="false">peas-1</guid>
<pubDate>Mon, 06 Jan 2025 10:00:00 +0100</pubDate><dc:creator>Ann Lee</dc:creator><category domain="x">veg</category>
<description>Short &lt;b&gt;text&lt;/b&gt;</description><content:encoded><![CDATA[<p>Long text</p>]]></content:encoded>
<enclosure url="/peas.mp3" type="audio/mpeg" length="12"/><comments>https://example.org/peas#c</comments>
<source url="https://other.example/feed">Other</source></item></channel></rss>"#;

#[test]
fn rss_2_is_read_with_elements_that_feed_rs_drops() {
    let feed = read(RSS).feed;
    assert_eq!(feed.dialect, Some(Dialect::Rss2));
    assert_eq!(feed.title.unwrap().value, "Garden & House");
    assert_eq!((feed.hints.ttl, feed.hints.skip_hours), (Some(3600), vec![0, 5]));
    assert_eq!((feed.hints.skip_days, feed.hints.hubs.len()), (vec![6], 1));
    let item = only(RSS);
    assert_eq!((item.id.as_deref(), item.id_is_permalink), (Some("peas-1"), false));
    assert_eq!(item.page(), Some("https://example.org/peas"));
    assert_eq!(item.title.as_ref().unwrap().value, "Peas &amp; beans");
    assert_eq!(item.title.as_ref().unwrap().kind, TextKind::Html);
    assert_eq!(content(&item), ("<p>Long text</p>", TextKind::Html));
    assert_eq!(item.summary.as_ref().unwrap().value, "Short <b>text</b>");
    assert_eq!(item.published.unwrap().to_string(), "2025-01-06T09:00:00Z");
    assert_eq!(item.authors, [Person { name: "Ann Lee".to_owned(), ..Person::default() }]);
    assert_eq!(item.categories[0].scheme.as_deref(), Some("x"));
    assert_eq!(item.enclosures[0].url, "https://example.org/peas.mp3");
    assert_eq!(item.comments.as_deref(), Some("https://example.org/peas#c"));
    let source = item.source.unwrap();
    assert_eq!(source.title.as_deref(), Some("Other"));
    assert_eq!(source.feed_url.as_deref(), Some("https://other.example/feed"));
}

const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://example.org/blog/">
<id>tag:example.org,2025:blog</id><title type="html">A &lt;i&gt;b&lt;/i&gt;</title><updated>2025-01-06T10:00:00Z</updated>
<link href="./"/><link rel="self" href="atom.xml"/><author><name>Ann</name><uri>/ann</uri></author>
<entry><id> tag:example.org,2025:1 </id><title>1 &lt; 2</title><updated>2025-01-06T10:00:00Z</updated>
<published>2025-01-05T10:00:00Z</published><link href="one"/><link rel="enclosure" href="one.mp3" type="audio/mpeg" length="7"/>
<author><name>Bo</name><email>bo@example.org</email></author><category term="t" label="T"/>
<summary>short</summary><content type="html">&lt;a href="x"&gt;x&lt;/a&gt;</content>
<source><id>tag:other</id><title>Other</title><link rel="self" href="https://other.example/feed"/></source></entry></feed>"#;

#[test]
fn atom_is_read_with_bases_languages_and_sources() {
    let feed = read(ATOM).feed;
    assert_eq!(feed.dialect, Some(Dialect::Atom));
    assert_eq!(feed.hints.self_url.as_deref(), Some("https://example.org/blog/atom.xml"));
    assert_eq!(feed.authors[0].uri.as_deref(), Some("https://example.org/ann"));
    let item = only(ATOM);
    assert_eq!(item.id.as_deref(), Some("tag:example.org,2025:1"));
    assert_eq!(item.page(), Some("https://example.org/blog/one"));
    assert_eq!(item.title.as_ref().unwrap().kind, TextKind::Plain);
    assert_eq!(item.title.as_ref().unwrap().value, "1 < 2");
    assert_eq!(item.language.as_deref(), Some("de"));
    let body = item.content.as_ref().unwrap();
    assert_eq!(body.base.as_deref(), Some("https://example.org/blog/"));
    assert_eq!(item.summary.as_ref().unwrap().value, "short");
    assert_eq!(item.enclosures[0].length, Some(7));
    assert_eq!(item.authors[0].email.as_deref(), Some("bo@example.org"));
    assert_eq!(item.source.unwrap().feed_url.as_deref(), Some("https://other.example/feed"));
}

#[test]
fn the_language_of_a_feed_decides_which_month_a_name_is() {
    let rss = |language: &str| {
        let text = format!(
            "<rss version='2.0'><channel><title>T</title>{language}<item><title>a</title>\
             <pubDate>3 listopada 2024</pubDate></item></channel></rss>"
        );
        only(&text).published.map(|at| at.to_string())
    };
    assert_eq!(rss("<language>pl</language>").as_deref(), Some("2024-11-03T00:00:00Z"));
    assert_eq!(rss("<language>hr-HR</language>").as_deref(), Some("2024-10-03T00:00:00Z"));
    assert_eq!(rss(""), None);
    let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","language":"pl",
        "items":[{"id":"1","title":"a","date_published":"3 listopada 2024"}]}"#;
    assert_eq!(
        only(json).published.map(|at| at.to_string()).as_deref(),
        Some("2024-11-03T00:00:00Z")
    );
}

#[test]
fn a_feed_in_xhtml_is_read_with_its_markup() {
    let item = only(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="xhtml"><div
        xmlns="http://www.w3.org/1999/xhtml">a <b title="&quot;&gt;">c</b></div></title>
        <content type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x &amp; y<h:br/></h:p></h:div></content>
        </entry></feed>"#,
    );
    assert_eq!(item.title.as_ref().unwrap().value, "a <b title=\"&quot;&gt;\">c</b>");
    assert_eq!(content(&item), ("<p>x &amp; y<br></p>", TextKind::Html));
}

#[test]
fn rss_1_is_read_with_its_dates_and_ids() {
    let feed = read(
        r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
        <channel rdf:about="https://example.org/"><title>T</title><link>https://example.org/</link>
        <sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency></channel>
        <item rdf:about="https://example.org/1"><title>One</title><link>https://example.org/1</link>
        <dc:date>2025-01-06</dc:date><dc:creator>Ann</dc:creator><dc:subject>s</dc:subject></item>
        <item rdf:about="https://example.org/2"><title>Two</title></item></rdf:RDF>"#,
    )
    .feed;
    assert_eq!(feed.dialect, Some(Dialect::Rss1));
    assert_eq!(feed.hints.period, Some(1800));
    let ids: Vec<_> = feed.items.iter().filter_map(|item| item.id.as_deref()).collect();
    assert_eq!(ids, ["https://example.org/1", "https://example.org/2"]);
    assert_eq!(feed.items[0].published.unwrap().to_string(), "2025-01-06T00:00:00Z");
    assert_eq!(feed.items[0].categories[0].term, "s");
}

#[test]
fn atom_0_3_and_rss_0_9x_are_read() {
    let item = only(
        r#"<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><id>x:1</id>
        <title mode="escaped" type="text/html">a &lt;b&gt;</title><issued>2004-01-01T00:00:00Z</issued>
        <modified>2004-01-02T00:00:00Z</modified><content type="application/xhtml+xml" mode="xml"><p>p</p></content>
        </entry></feed>"#,
    );
    assert_eq!(item.published.unwrap().to_string(), "2004-01-01T00:00:00Z");
    assert_eq!(content(&item), ("<p>p</p>", TextKind::Html));
    for version in ["", " version='0.90'", " version='0.91'", " version='0.92'", " version='0.94'"]
    {
        let document = format!(
            "<rss{version}><channel><title>t</title><item><title>i</title><guid>https://example.org/g</guid>\
            <description>a<p>b</p></description></item></channel></rss>"
        );
        let item = only(&document);
        assert_eq!(content(&item), ("a<p>b</p>", TextKind::Html), "{document}");
        assert_eq!(item.page(), Some("https://example.org/g"), "{document}");
    }
}

#[test]
fn json_feeds_are_read_with_wrong_types() {
    let feed = read(
        r#"{"version":"http://jsonfeed.org/version/1","feed_url":"https://example.org/f.json","language":"en",
        "author":{"name":"Ann"},"hubs":[{"type":"WebSub","url":"https://hub.example.org/"}],
        "items":[{"id":7,"url":"/7","content_html":"<p>x</p>","tags":["a",1],"date_published":"2025-01-06T10:00:00Z",
        "attachments":[{"url":"a.mp3","mime_type":"audio/mpeg","size_in_bytes":9}]}, 5, {"id":"8","content_text":"1 < 2"}]}"#,
    )
    .feed;
    assert_eq!((feed.dialect, feed.items.len()), (Some(Dialect::Json), 2));
    assert_eq!(feed.hints.hubs, ["https://hub.example.org/"]);
    assert_eq!(feed.items[0].id.as_deref(), Some("7"));
    assert_eq!(feed.items[0].page(), Some("https://example.org/7"));
    assert_eq!(feed.items[0].enclosures[0].length, Some(9));
    assert_eq!(content(&feed.items[1]), ("1 < 2", TextKind::Plain));
}

#[test]
fn an_id_that_is_a_url_is_the_page_of_an_item_of_json_without_another() {
    for (item, page) in [
        (r#""id": "https://example.org/1""#, Some("https://example.org/1")),
        (r#""id": "HTTP://example.org/1""#, Some("HTTP://example.org/1")),
        (r#""id": "https://example.org/1", "url": "/2""#, Some("https://example.org/2")),
        (
            r#""id": "https://example.org/1", "external_url": "https://e.org/""#,
            Some("https://e.org/"),
        ),
        (r#""id": "urn:x:1""#, None),
        (r#""id": "1""#, None),
    ] {
        let item = only(&format!("{{\"items\": [{{{item}, \"content_text\": \"x\"}}]}}"));
        assert_eq!(item.page(), page);
    }
}

#[test]
fn the_content_of_an_entry_at_another_url_is_its_file_or_its_page() {
    for (source, link, page, file) in [
        ("photo.jpg' type='image/jpeg", "/1", "1", Some("image/jpeg")),
        ("pod.mp3' type=' Audio/MPEG; x=y", "/1", "1", Some("audio/mpeg")),
        ("film.mp4' type='video/mp4", "", "", Some("video/mp4")),
        ("full.html' type='text/html; charset=utf-8", "", "feeds/full.html", None),
        ("full.xhtml' type='application/xhtml+xml", "", "feeds/full.xhtml", None),
        ("full.html' type='text/html", "/1", "1", None),
        ("full.html", "/1", "1", None),
        ("full", "", "feeds/full", None),
        ("notes.txt' type='text/plain", "", "feeds/notes.txt", None),
        ("paper.pdf' type='application/pdf", "/1", "1", None),
        ("paper.pdf' type='application/pdf", "", "feeds/paper.pdf", None),
    ] {
        let item = only(&format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='{link}'/><content src='{source}'/>\
             <summary>s</summary></entry></feed>"
        ));
        let expected = Some(format!("https://example.org/{page}")).filter(|_| !page.is_empty());
        assert_eq!(item.page(), expected.as_deref(), "{source}");
        let files: Vec<_> = item.enclosures.iter().map(|it| it.media_type.as_str()).collect();
        assert_eq!(files, Vec::from_iter(file), "{source}");
        assert!(item.links.iter().any(|link| link.rel == "content"), "{source}");
        let is_related = item.links.iter().any(|link| link.rel == "related");
        assert_eq!(is_related, source.starts_with("paper") && page == "1", "{source}");
        assert_eq!(item.summary.unwrap().value, "s", "{source}");
    }
}

#[test]
fn binary_files_are_named_although_they_have_braces() {
    for (bytes, kind) in [
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR{\"}"[..], "a PNG image"),
        (b"\x1f\x8b\x08\0\0\0\0\0\x02\xff{abc}", "a gzip file"),
        (b"PK\x03\x04{", "a ZIP archive"),
        (b"PK\x03\x04<rss", "a ZIP archive"),
        (b"{\0\x01", "a binary file"),
    ] {
        let failure =
            parse(Input { bytes, content_type: None, url: &url(), max_items: 9 }).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotAFeed);
        assert_eq!(failure.message, format!("the document is {kind}, not a feed"));
    }
}

#[test]
fn feed_rs_and_newswire_read_the_same_texts() {
    for document in [RSS, ATOM] {
        assert_eq!(agree(document), Some(Ok(())), "{document}");
    }
}

#[test]
fn feed_rs_does_not_read_documents_that_make_it_panic() {
    let hook = std::panic::take_hook();
    let panicked = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&panicked);
    let thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == thread {
            seen.store(true, std::sync::atomic::Ordering::Relaxed);
        } else {
            hook(info);
        }
    }));
    for inner in [
        "<webMaster>webmaster@example.co\u{fffd}m</webMaster>",
        "<managingEditor>作者（a@b.c）</managingEditor>",
    ] {
        let item = "<item><title>x</title><author>é a@b.c</author></item>";
        let read = read(&format!("<rss version='2.0'><channel>{inner}{item}</channel></rss>"));
        assert_eq!(read.feed.items.len(), 1);
    }
    assert!(!panicked.load(std::sync::atomic::Ordering::Relaxed));
}

/// Checks that a document is no feed, with this part of the message.
fn check_failure(document: &str, part: &str) {
    let input = Input { bytes: document.as_bytes(), content_type: None, url: &url(), max_items: 9 };
    let failure = parse(input).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAFeed, "{document}");
    assert!(failure.message.contains(part), "{document}: {failure}");
}

#[test]
fn documents_that_are_not_feeds_are_failures() {
    for (document, part) in [
        ("", "empty"),
        ("  \n", "empty"),
        ("hello", "neither"),
        ("<html><body>hi</body></html>", "web page"),
        ("<opml version='2.0'><body/></opml>", "a list of feeds (OPML)"),
        ("{\"a\":1}", "JSON Feed"),
        ("[{\"id\":1,\"title\":{\"rendered\":\"A\"}}]", "JSON array"),
        (" [] ", "JSON array"),
        ("[Error] no database", "neither XML nor JSON"),
        ("\"not found\"", "JSON string;"),
        ("\"<rss version='2.0'></rss>\"", "JSON string that contains a feed"),
        ("null", "null"),
        ("404", "JSON value;"),
        ("PHP Fatal error: x\n#0 {main}\n thrown", "neither XML nor JSON"),
        ("body { color: red }", "neither XML nor JSON"),
        ("cb({\"a\": 1});", "JSON Feed"),
        ("nothing", "neither XML nor JSON"),
        (
            "<redirect><newLocation>https://n.example/</newLocation></redirect>",
            "to https://n.example/",
        ),
    ] {
        check_failure(document, part);
    }
    let input = Input { bytes: b"{\"version\":", content_type: None, url: &url(), max_items: 9 };
    assert_eq!(parse(input).unwrap_err().kind, FailureKind::Malformed);
}

#[test]
fn pages_scripts_and_manuals_that_contain_a_feed_are_no_feeds() {
    for (document, part) in [
        (
            "<html><script>document.write('<rss version=2.0>')</script><p><b><rss/></html>",
            "web page",
        ),
        ("<!doctype html><textarea><rss><channel><item/></channel></rss></textarea>", "web page"),
        ("<title>The <rss> element</title><p>text", "web page"),
        ("<x-a><feed><title>x</title></feed></x-a>", "web page"),
        ("Error: no <rss> element found", "neither XML nor JSON"),
        (
            "# How to\n\n```xml\n<rss><channel><item/></channel></rss>\n```\n",
            "neither XML nor JSON",
        ),
        (
            "let a = \"<?xml version='1.0'?><rss><channel><item/></channel></rss>\";",
            "neither XML nor JSON",
        ),
        ("function a() { return '<rss version=\"2.0\"><channel>' + b }", "neither XML nor JSON"),
        ("<s:Envelope xmlns:s='urn:x'><s:Body><feed/></s:Body></s:Envelope>", "<Envelope>"),
        (
            "<x:stylesheet xmlns:x='urn:x'><x:template><rss><channel><title/></channel></rss></x:template>\
          </x:stylesheet>",
            "<stylesheet>",
        ),
        ("<rdf:RDF xmlns:f='urn:f'><f:Person/></rdf:RDF>", "<RDF>"),
        (
            "The `<rss>` element\n```\n<rss><channel><item/></channel></rss>\n```",
            "neither XML nor JSON",
        ),
    ] {
        check_failure(document, part);
    }
}

#[test]
fn the_failure_for_a_web_page_names_its_feeds() {
    let page = "<html><head><meta charset=utf-8><link rel=stylesheet href=x>\
        <link rel='alternate' type='application/rss+xml' href='/feed.xml'>\
        <link rel=alternate type=application/atom+xml href=atom.xml></head><body>hi</html>";
    let input = Input { bytes: page.as_bytes(), content_type: None, url: &url(), max_items: 9 };
    let failure = parse(input).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAFeed);
    let named = "https://example.org/feed.xml and https://example.org/feeds/atom.xml";
    assert!(failure.message.ends_with(named), "{failure}");
}

#[test]
fn the_page_of_a_bot_protection_is_named() {
    let url = url();
    let page = b"<!DOCTYPE html><html><title>Just a moment...</title><p>Wait</html>";
    let input = Input { bytes: page, content_type: None, url: &url, max_items: 9 };
    let failure = parse(input).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Forbidden);
    assert!(failure.message.contains("challenge"), "{failure}");
}

#[test]
fn only_the_newest_items_are_kept_with_a_warning() {
    let items: String = (1..=9)
        .map(|day| format!("<item><guid>{day}</guid><pubDate>0{day} Jan 2025</pubDate></item>"))
        .collect();
    let document = format!("<rss version='2.0'><channel>{items}</channel></rss>");
    let input = Input { bytes: document.as_bytes(), content_type: None, url: &url(), max_items: 2 };
    let parsed = parse(input).unwrap();
    let ids: Vec<_> = parsed.feed.items.iter().filter_map(|item| item.id.as_deref()).collect();
    assert_eq!(ids, ["8", "9"]);
    assert_eq!(parsed.parse_warnings[0].code, "too_many_items");
}

#[test]
fn hostile_documents_neither_panic_nor_overflow() {
    let wrap =
        |inner: &str| format!("<rss version='2.0'><channel><item>{inner}</item></channel></rss>");
    for inner in [
        format!("{}{}", "<media:group>".repeat(20_000), "</media:group>".repeat(20_000)),
        format!("{}{}", "<itunes:category>".repeat(20_000), "</itunes:category>".repeat(20_000)),
        "<author>作者（foo@example.com）</author><title>t</title>".to_owned(),
        "<itunes:duration>٤٥:١٢</itunes:duration><title>t</title>".to_owned(),
        "<description>&a;&a;</description>".to_owned(),
        format!("<title>{}</title>", "&lt;b ".repeat(200_000)),
        format!("<title>{}</title>", "&amp;a".repeat(200_000)),
    ] {
        let document = wrap(&inner);
        // A small stack, as on a worker thread.
        let read = move || read(&document).feed.items.len();
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(read).unwrap();
        assert_eq!(thread.join().unwrap(), 1);
    }
    let level = |n: u32| format!("<!ENTITY e{n} '{}'>", format!("&e{};", n - 1).repeat(10));
    let levels: String = (1..10).map(level).collect();
    let bomb = format!(
        "<!DOCTYPE r [<!ENTITY e0 'aaaaaaaaaa'>{levels}]><rss version='2.0'><channel><item><title>&e9;</title>\
         </item></channel></rss>"
    );
    assert_eq!(only(&bomb).title.unwrap().value, "&e9;");
    assert_eq!(read(&bomb).parse_warnings[0].code, "unread_entity");
}

/// Compares the texts read by feed-rs and by newswire; `None` if feed-rs does not read the document.
fn agree(document: &str) -> Option<Result<(), String>> {
    let url = Url::parse("https://example.org/feeds/all.xml").ok()?;
    let tree = scan::scan(document)?;
    let layout = layout::layout(&tree)?;
    let root = Context::document(&url).enter(layout.root).into_owned();
    let own = std::ptr::eq(layout.root, layout.channel);
    let context = if own { root } else { root.enter(layout.channel).into_owned() };
    let theirs = feed_rs::texts(document, &layout, &context)?;
    for (n, (theirs, element)) in theirs.iter().zip(&layout.items).enumerate() {
        let ours = item::texts(element, &context);
        if *theirs != ours {
            return Some(Err(format!("item {n}\nfeed-rs: {theirs:?}\nours:    {ours:?}")));
        }
    }
    Some(Ok(()))
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn feed_rs_and_newswire_read_the_same_texts_in_the_corpus() {
    let Some(corpus) = std::env::var_os("NEWSWIRE_CORPUS") else {
        // The check prints whether the folder exists.
        return;
    };
    let mut paths = Vec::new();
    files(Path::new(&corpus), &mut paths);
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in &paths {
        let bytes = std::fs::read(path).unwrap();
        let decoded = decode::decode(&bytes, None, None);
        match agree(decoded.document()) {
            None => {}
            Some(Ok(())) => compared += 1,
            Some(Err(difference)) => wrong.push(format!("{}: {difference}", path.display())),
        }
    }
    assert!(compared > 100, "only {compared} of {} documents were compared", paths.len());
    let shown: Vec<&String> = wrong.iter().take(12).collect();
    assert!(wrong.is_empty(), "{} of {} differ: {shown:#?}", wrong.len(), compared + wrong.len());
}

#[test]
fn declared_entities_are_expanded_with_limits() {
    let text = |doctype: &str, inner: &str| {
        let document = format!("<!DOCTYPE a [{doctype}]><a>{inner}</a>");
        scan::scan(&document).unwrap().root.text().into_owned()
    };
    assert_eq!(text("<!ENTITY id 'tag:x,'><!ENTITY  y \"2006\" >", "&id;&y;"), "tag:x,2006");
    assert_eq!(text("<!ENTITY a 'x'><!ENTITY b '&a;&a;'>", "&b;"), "xx");
    assert_eq!(text("<!ENTITY f SYSTEM 'file:///etc/passwd'>", "&f;"), "&f;");
    let attribute =
        "<!DOCTYPE a [<!ENTITY s 'https://e.org'><!ENTITY u '&s;/'>]><a href='&u;x&amp;y'/>";
    assert_eq!(scan::scan(attribute).unwrap().root.attribute("href"), Some("https://e.org/x&y"));
    let external = "<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><a>&f;</a>";
    let warnings = scan::scan(external).unwrap().parse_warnings;
    assert_eq!(warnings[0].code, "unread_entity");
    let reason = "entity &f; is not read: it is external, and external entities are not fetched";
    assert_eq!(warnings[0].message, reason);
    let long = format!("<!ENTITY a '{}'>", "x".repeat(500));
    assert!(text(&long, &"&a;".repeat(10_000)).len() < 100_000);
}

fn scanned(text: &str) -> super::tree::Tree<'_> {
    scan::scan(text).unwrap()
}

#[test]
fn depth_and_size_are_limited_and_hostile_input_has_linear_cost() {
    let deep = format!("<a>{}x{}</a>", "<b>".repeat(50_000), "</b>".repeat(50_000));
    assert!(scanned(&deep).root.text().contains('x'));
    let signs = format!("<a>{}</a>", "< ".repeat(200_000));
    assert_eq!(scanned(&signs).root.text().len(), 400_000);
    let quotes = format!("<a>{}</a>", "<b c=\"".repeat(50_001));
    assert!(!scanned(&quotes).clean);
    let many = format!("<a>{}</a>", "<b/>".repeat(scan::MAX_ELEMENTS + 1));
    assert!(scanned(&many).partial);
    let attributes: String = (0..50_000).map(|n| format!(" a{n}='1'")).collect();
    assert_eq!(scanned(&format!("<a{attributes}/>")).root.attributes.len(), scan::MAX_ATTRIBUTES);
}

#[test]
fn the_first_warning_of_each_kind_is_kept() {
    let many = "<b c=\"1\">&nosuch;</b>".repeat(30);
    let warnings = scanned(&format!("<a>{many}<d>1</a>")).parse_warnings;
    assert_eq!(warnings.last().unwrap().code, "unclosed_tag");
    assert!(warnings.last().unwrap().message.ends_with("(10 more repairs)"));
}

fn read_item(item: &str) -> ParsedItem {
    let namespaces = "xmlns:media='http://search.yahoo.com/mrss/' \
        xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'";
    let item = format!("<item><title>A</title>{item}</item>");
    let document =
        format!("<rss version='2.0' {namespaces}><channel><title>T</title>{item}</channel></rss>");
    read(&document).feed.items.remove(0)
}

#[test]
fn descriptions_of_media_and_podcasts_may_be_html() {
    for (item, kind) in [
        ("<media:description type='html'>&lt;p&gt;x&lt;/p&gt;</media:description>", TextKind::Html),
        ("<media:description type='plain'>x &lt; y</media:description>", TextKind::Plain),
        (
            "<media:group><media:description>&lt;b&gt;x&lt;/b&gt;</media:description></media:group>",
            TextKind::Html,
        ),
        ("<itunes:summary><![CDATA[<p>x</p>]]></itunes:summary>", TextKind::Html),
        ("<itunes:summary>line\nline</itunes:summary>", TextKind::Plain),
    ] {
        assert_eq!(read_item(item).content.unwrap().kind, kind, "{item}");
    }
}

#[test]
fn media_keywords_are_categories() {
    let item = read_item("<category>c</category><media:keywords>a, c</media:keywords>");
    let terms: Vec<&str> = item.categories.iter().map(|it| it.term.as_str()).collect();
    assert_eq!(terms, ["c", "a"]);
}

#[test]
fn an_author_without_a_name_has_that_of_the_podcast() {
    let item = read_item("<author>a@e.org</author><itunes:author>Ann</itunes:author>");
    assert_eq!(
        (item.authors[0].name.as_str(), item.authors[0].email.as_deref()),
        ("Ann", Some("a@e.org"))
    );
    let item = read_item("<author>a@e.org (Bo)</author><itunes:author>Ann</itunes:author>");
    assert_eq!((item.authors.len(), item.authors[0].name.as_str()), (1, "Bo"));
}

#[test]
fn invalid_json_is_repaired_with_a_warning() {
    let start = "{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [{\"id\": \"1\", ";
    for (rest, code, partial) in [
        ("\"content_text\": \"a\nb\"}]}", "broken_markup", false),
        ("\"content_text\": \"a\\'b\",},]}", "broken_markup", false),
        ("/* x */ \"content_text\": \"a // b\"}]} // end", "broken_markup", false),
        ("\"content_text\": \"a\", \"_x\": 1e400}]}", "broken_markup", false),
        ("\"content_text\": \"a\"}]});", "junk_after", false),
        (
            "\"content_text\": \"a\"}]}\n<!-- Performance optimized by \"W3\" -->",
            "junk_after",
            false,
        ),
        ("\"content_text\": \"a\"}]}<script>var a = [{x: \"\"</script>", "junk_after", false),
        ("\"content_text\": \"a\",}]}\0\0", "broken_markup", false),
        ("\"content_text\": \"a\"}, {\"id\": \"2\", \"ti", "cut", true),
    ] {
        let parsed = read(&format!("{start}{rest}"));
        assert_eq!(parsed.feed.items.len(), 1, "{rest}");
        assert!(parsed.feed.items[0].content.is_some());
        assert_eq!(parsed.parse_warnings[0].code, code);
        assert_eq!(parsed.feed.partial, partial);
    }
}

#[test]
fn sizes_that_no_file_has_are_left_out() {
    let document = r#"{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "attachments": [
        {"url": "/a", "mime_type": "audio/mpeg", "size_in_bytes": 1e30, "duration_in_seconds": 1e15},
        {"url": "/b", "mime_type": "audio/mpeg", "size_in_bytes": 1e3, "duration_in_seconds": 60.5}]}]}"#;
    let files = &read(document).feed.items[0].enclosures;
    let sizes: Vec<_> = files.iter().map(|file| (file.length, file.duration)).collect();
    assert_eq!(sizes, [(None, None), (Some(1000), Some(60))]);
}
