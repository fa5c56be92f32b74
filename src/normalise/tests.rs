//! Items, field by field, and harmless HTML.

use jiff::Timestamp;
use url::Url;

use super::html::{fragment, paragraphs};
use super::links::LinkBase;
use super::{Context, item, leave_out_blank, profile};
use crate::model::{
    Enclosure, Image, Item, Link, ParsedFeed, ParsedItem, SourceInfo, Text, TextKind,
};

const NOW: i64 = 1_800_000_000;

fn document() -> Url {
    Url::parse("https://example.org/blog/feed.xml").unwrap()
}

fn read(parsed: &ParsedItem) -> Item {
    let now = Timestamp::from_second(NOW).unwrap();
    item(parsed, &Context { now, document_url: &document(), feed_language: Some("en_GB") })
}

fn link(rel: &str, href: &str) -> Link {
    Link { rel: rel.into(), href: href.into(), ..Link::default() }
}

fn titled(title: Text) -> Option<String> {
    read(&ParsedItem { title: Some(title), ..ParsedItem::default() }).title
}

fn sanitised(html: &str) -> String {
    let page = Some("https://example.org/blog/post");
    fragment(html, LinkBase { base: &document(), page }).unwrap_or_default()
}

#[test]
fn an_empty_item_is_an_empty_item_in_the_language_of_its_feed() {
    let empty = Item { language: Some("en-GB".into()), ..Item::default() };
    assert_eq!(read(&ParsedItem::default()), empty);
    let blank = Some(Text::html(" <p>\n</p> "));
    let parsed = ParsedItem {
        id: Some(" \n".into()),
        title: blank.clone(),
        summary: blank.clone(),
        content: blank.clone(),
        rights: blank,
        ..ParsedItem::default()
    };
    assert_eq!(read(&parsed), empty);
}

#[test]
fn a_plain_title_stays_literal_and_an_html_title_is_read() {
    for (title, kept) in [
        (Text::plain("a < b & <canvas>"), "a < b & <canvas>"),
        (Text::plain("AT&amp;T &#8217;26"), "AT&T ’26"),
        (Text::plain("&lt;canvas&gt; in depth"), "<canvas> in depth"),
        (Text::html("AT&amp;T <b>and</b>\n &lt;canvas&gt;"), "AT&T and <canvas>"),
        (Text::html("&amp;lt;b&amp;gt;"), "&lt;b&gt;"),
        (Text::html("Vec<T> &amp; the <details> element"), "Vec<T> & the <details> element"),
        (Text::html("<img alt=':-)' src=x>"), ":-)"),
        (Text::html("evil<script>alert(1)</script>"), "evil"),
        (Text::plain("a\u{202e}b\u{7}"), "a\u{202e}b\u{202c}"),
    ] {
        assert_eq!(titled(title).as_deref(), Some(kept));
    }
    let long = titled(Text::plain("word ".repeat(600))).unwrap();
    assert!(long.ends_with("word…") && (480..=500).contains(&long.chars().count()));
}

#[test]
fn an_id_is_kept_unless_it_is_too_long() {
    let id = |id: &str| read(&ParsedItem { id: Some(id.into()), ..ParsedItem::default() }).guid;
    assert_eq!(id(" tag:e.org,2026:a\u{0}\n b ").as_deref(), Some("tag:e.org,2026:a b"));
    let (one, other) = (id(&"x".repeat(2049)).unwrap(), id(&"x".repeat(2050)).unwrap());
    assert_eq!((one.len(), other.len()), (64, 64));
    assert_ne!(one, other);
    assert!(Url::parse(&one).is_err());
}

#[test]
fn the_page_is_the_first_valid_link() {
    let page = |links: Vec<Link>| {
        read(&ParsedItem {
            links,
            id: Some("https://e.org/id".into()),
            id_is_permalink: true,
            ..ParsedItem::default()
        })
        .url
    };
    assert_eq!(
        page(vec![link("self", "/x"), link("alternate", "javascript:x"), link("alternate", "/ok")])
            .as_deref(),
        Some("https://example.org/ok")
    );
    assert_eq!(page(vec![]).as_deref(), Some("https://e.org/id"));
    assert_eq!(page(vec![link("alternate", "data:x")]).as_deref(), Some("https://e.org/id"));
    let number =
        ParsedItem { id: Some("123".into()), id_is_permalink: true, ..ParsedItem::default() };
    assert_eq!(read(&number).url, None);
}

#[test]
fn the_page_that_a_link_blog_refers_to_is_separate_from_its_page() {
    let of = |links: Vec<Link>| {
        let details = read(&ParsedItem { links, ..ParsedItem::default() }).details;
        (details.via, details.related)
    };
    let links = vec![
        link("alternate", "/a"),
        link("related", "https://e.org/r"),
        link("via", "https://e.org/x"),
        link("related", "/s"),
        link("related", "https://e.org/r"),
        link("related", "javascript:x"),
        link("via", "https://e.org/y"),
    ];
    let related = ["https://e.org/r", "https://example.org/s"].map(str::to_owned).to_vec();
    assert_eq!(of(links), (Some("https://e.org/x".to_owned()), related));
    let links = ["alternate", "via", "related"].map(|rel| link(rel, "/a")).to_vec();
    assert_eq!(of(links), (None, Vec::new()));
}

#[test]
fn only_items_with_nothing_to_show_are_left_out() {
    let title =
        |title: &str| ParsedItem { title: Some(Text::html(title)), ..ParsedItem::default() };
    let content =
        |html: &str| ParsedItem { content: Some(Text::html(html)), ..ParsedItem::default() };
    let linked = |rel: &str, href: &str| ParsedItem {
        links: vec![link(rel, href)],
        ..ParsedItem::default()
    };
    let with_id = |id: &str| ParsedItem {
        id: Some(id.into()),
        id_is_permalink: true,
        published: Timestamp::from_second(NOW).ok(),
        ..ParsedItem::default()
    };
    let file = |url: &str| ParsedItem {
        enclosures: vec![Enclosure { url: url.into(), ..Enclosure::default() }],
        ..ParsedItem::default()
    };
    let image = |url: &str| ParsedItem {
        thumbnails: vec![Image { url: url.into(), ..Image::default() }],
        ..ParsedItem::default()
    };
    let blank = [
        ParsedItem::default(),
        with_id("1"),
        title("<br>"),
        title("&nbsp;&#8203;"),
        content("<p> </p><script>x</script><!-- a -->"),
        content("<img src=/a.gif width=1 height=1>"),
        ParsedItem { summary: Some(Text::plain(" \u{200b}\n")), ..ParsedItem::default() },
        linked("alternate", "javascript:x"),
        linked("self", "https://e.org/"),
        file("file:///a.mp3"),
        image("data:,"),
    ];
    let shown = [
        with_id("https://e.org/1"),
        title("<img alt=Boat src=x>"),
        content("<img src=/a.png>"),
        content("<3"),
        ParsedItem { summary: Some(Text::plain("x")), ..ParsedItem::default() },
        linked("alternate", "/1"),
        linked("related", "https://e.org/"),
        file("/a.mp3"),
        image("/a.png"),
    ];
    for item in &blank {
        let mut feed = ParsedFeed { items: vec![item.clone()], ..ParsedFeed::default() };
        let warning = leave_out_blank(&mut feed, &document()).unwrap();
        assert_eq!((warning.code.as_ref(), feed.items.len()), ("blank_items", 0), "{item:?}");
        assert_eq!(warning.message, "1 item has no title, text, link or file; left out");
    }
    let items: Vec<ParsedItem> = blank.iter().chain(&shown).cloned().collect();
    let mut feed = ParsedFeed { items, ..ParsedFeed::default() };
    let message = "11 items have no title, text, link or file; left out";
    assert_eq!(leave_out_blank(&mut feed, &document()).unwrap().message, message);
    assert_eq!(feed.items, shown);
    assert_eq!(leave_out_blank(&mut feed, &document()), None);
}

#[test]
fn a_summary_alone_is_the_content_and_a_repeated_one_is_dropped() {
    let words = |content: Option<Text>, summary: Option<Text>| {
        let item = read(&ParsedItem { content, summary, ..ParsedItem::default() });
        (item.content, item.summary)
    };
    let content = || Some(Text::html("<p>Hello <b>world</b></p>"));
    let html = Some("<p>Hello <b>world</b></p>".to_owned());
    assert_eq!(words(None, content()), (html.clone(), None));
    assert_eq!(words(content(), Some(Text::plain("Hello  world"))), (html.clone(), None));
    assert_eq!(words(content(), Some(Text::html("<i>Hello</i>"))), (html, Some("Hello".into())));
    let long = "word ".repeat(400);
    assert_eq!(words(Some(Text::plain(&*long)), Some(Text::html(&*long))).1, None);
    assert!(words(content(), Some(Text::plain(&*long))).1.unwrap().chars().count() <= 1_000);
}

#[test]
fn html_that_is_escaped_twice_is_read_and_plain_text_has_paragraphs() {
    let words = |content: &str, summary: &str| {
        let (content, summary) = (Some(Text::html(content)), Some(Text::html(summary)));
        let item = read(&ParsedItem { content, summary, ..ParsedItem::default() });
        (item.content.unwrap_or_default(), item.summary.unwrap_or_default())
    };
    assert_eq!(
        words("&lt;p onclick=x&gt;a &amp;amp; b&lt;/p&gt;", "&lt;p&gt;c&lt;/p&gt;"),
        ("<p>a &amp; b</p>".to_owned(), "c".to_owned())
    );
    assert_eq!(
        words("The &lt;p&gt; element", "the &lt;p&gt; tag"),
        ("The &lt;p&gt; element".to_owned(), "the <p> tag".to_owned())
    );
    assert_eq!(words("a &amp;\nb\n\nc", "a & b c").0, "<p>a &amp;\nb</p><p>c</p>");
}

#[test]
fn emoji_that_are_written_as_surrogates_are_characters() {
    assert_eq!(sanitised("<p title='&#55357;&#56832;'>a &#xD83D;&#xDE00;"), "<p>a 😀</p>");
    assert_eq!(titled(Text::html("a &#55357;&#56832;")).as_deref(), Some("a 😀"));
    assert_eq!(titled(Text::plain("a &#55357;&#56832;")).as_deref(), Some("a 😀"));
}

#[test]
fn plain_content_becomes_paragraphs() {
    let link_base = |text: &str| paragraphs(text, LinkBase { base: &document(), page: None });
    assert_eq!(
        link_base("a < b\r\nc\n\n\n d & e\u{7} ").as_deref(),
        Some("<p>a &lt; b<br>c</p><p>&nbsp;d &amp; e</p>")
    );
    assert_eq!(
        link_base("Hello,\n\n  diff a\n  -old  <x>\n\t+new\n \nBye\n-- \nIda").as_deref(),
        Some(
            "<p>Hello,</p><p>&nbsp;&nbsp;diff a<br>&nbsp;&nbsp;-old&nbsp; &lt;x&gt;<br>\
             &nbsp;&nbsp;&nbsp;&nbsp;+new</p><p>Bye<br>--<br>Ida</p>"
        )
    );
    assert_eq!(link_base("\n      a\n        b\n").as_deref(), Some("<p>a<br>&nbsp;&nbsp;b</p>"));
    assert_eq!(link_base(" \n"), None);
}

#[test]
fn an_image_and_its_copy_for_clients_without_scripts_are_one_image() {
    let image = "<img src=\"https://example.org/a.jpg\">";
    let blank = "data:image/gif;base64,R0lGOD";
    for html in [
        format!("<figure><img src={blank}><noscript><img src=/a.jpg></noscript></figure>"),
        format!(
            "<figure><img src={blank} alt='Boat'> <noscript><img src=/a.jpg></noscript></figure>"
        ),
        "<figure><img src=/lazy.gif><noscript><img src=/a.jpg></noscript></figure>".to_owned(),
        "<figure><img loading=lazy src=/a.jpg><noscript><img src=/a.jpg></noscript></figure>"
            .to_owned(),
        format!(
            "<figure><noscript><img src=/a.jpg></noscript><img src={blank} data-src=/a.jpg></figure>"
        ),
        format!("<figure><noscript><img src=/a.jpg></noscript> <img src={blank}></figure>"),
        "<figure><img src=/small.jpg data-src=/a.jpg><noscript><img src=/a.jpg></noscript></figure>"
            .to_owned(),
        format!("<figure><a><img src={blank}></a><noscript><img src=/a.jpg></noscript></figure>"),
    ] {
        let kept = sanitised(&html).replace("> <", "><");
        assert_eq!(kept, format!("<figure>{image}</figure>"), "{html}");
    }
    assert_eq!(sanitised(&format!("a <img src={blank} alt=Boat> b")), "a Boat b");
    assert_eq!(sanitised(&format!("a <img src={blank} alt=Boat>")), "a Boat");
    assert_eq!(
        sanitised("<img src=/a.jpg><noscript>No scripts, no maps.</noscript>"),
        format!("{image}No scripts, no maps.")
    );
    assert_eq!(
        sanitised("<noscript><img src=/a.jpg></noscript><img src=/b.jpg>").matches("<img").count(),
        2
    );
}

#[test]
fn emoji_images_become_characters_or_have_the_size_of_text() {
    for (html, kept) in [
        ("a <img class=emoji alt=🙂 src=/e.png>", "a 🙂"),
        ("a <img class=wp-smiley alt=':-)' src=/e.png style='height: 1em'>", "a :-)"),
        ("a <img src='https://s.w.org/images/core/emoji/72x72/1f600.png' alt=😀>", "a 😀"),
        ("a <img class=emoji alt='🇩🇪' width=20 src=/e.png>", "a 🇩🇪"),
        (
            "a <img class='emoji' alt=:ferris: src=/e.png width=64 height=64>",
            "a <img alt=\":ferris:\" src=\"https://example.org/e.png\" width=\"20\" height=\"20\">",
        ),
        (
            "a <img alt=❤ width=800 class=emoji src=/e.png>",
            "a <img alt=\"❤\" width=\"800\" src=\"https://example.org/e.png\">",
        ),
        ("a <img alt=❤ width=16 height=16 src=/e.png>", "a ❤"),
        ("a <img alt=❤ src=/e.png>", "a <img alt=\"❤\" src=\"https://example.org/e.png\">"),
    ] {
        assert_eq!(sanitised(html), kept, "{html}");
    }
}

#[test]
fn relative_links_are_resolved_against_the_base_of_the_html() {
    let content = |base: Option<&str>| {
        let text = Text {
            kind: TextKind::Html,
            value: "<a href='x'>a</a><a href='#n'>b</a>".into(),
            base: base.map(Into::into),
            language: None,
        };
        read(&ParsedItem {
            content: Some(text),
            links: vec![link("alternate", "/post")],
            ..ParsedItem::default()
        })
        .content
        .unwrap()
    };
    let expected =
        |x: &str| format!("<a href=\"{x}\">a</a><a href=\"https://example.org/post#n\">b</a>");
    assert_eq!(content(None), expected("https://example.org/blog/x"));
    assert_eq!(content(Some("https://cdn.example/y/")), expected("https://cdn.example/y/x"));
    assert_eq!(content(Some("/z/")), expected("https://example.org/z/x"));
}

#[test]
fn the_language_of_the_item_takes_precedence() {
    let german = Text { language: Some("de".into()), ..Text::plain("Hallo") };
    let of = |language: Option<&str>, title| {
        read(&ParsedItem { language: language.map(Into::into), title, ..ParsedItem::default() })
            .language
            .unwrap()
    };
    assert_eq!(of(Some("fr"), Some(german.clone())), "fr");
    assert_eq!(of(Some("not a language"), Some(german)), "de");
    assert_eq!(of(None, None), "en-GB");
}

#[test]
fn a_source_without_valid_values_is_dropped() {
    let source = |title: &str, url: &str| {
        let source = SourceInfo {
            title: Some(title.into()),
            url: Some(url.into()),
            ..SourceInfo::default()
        };
        read(&ParsedItem { source: Some(source), ..ParsedItem::default() }).details.source
    };
    assert_eq!(source(" ", "javascript:x"), None);
    let kept = source("R&amp;D", "https://e.org/").unwrap();
    assert_eq!((kept.title.as_deref(), kept.url.as_deref()), (Some("R&D"), Some("https://e.org/")));
}

#[test]
fn a_profile_is_normalised_like_an_item() {
    let parsed = ParsedFeed {
        id: Some(" urn:x \n".into()),
        title: Some(Text::html("A &amp; <b>B</b>")),
        links: vec![link("self", "/feed"), link("alternate", "/")],
        language: Some("de_DE".into()),
        icon: Some("/favicon.ico".into()),
        image: Some(Image { url: "data:x".into(), ..Image::default() }.into()),
        rights: Some(Text::plain("© me")),
        ..ParsedFeed::default()
    };
    let profile = profile(&parsed, &document());
    assert_eq!(profile.title.as_deref(), Some("A & B"));
    assert_eq!(profile.site_url.as_deref(), Some("https://example.org/"));
    assert_eq!(profile.atom_id.as_deref(), Some("urn:x"));
    assert_eq!(profile.language.as_deref(), Some("de-DE"));
    assert_eq!(profile.image.unwrap().url, "https://example.org/favicon.ico");
    assert_eq!(profile.rights.as_deref(), Some("© me"));
}

#[test]
fn harmless_html_stays_unchanged() {
    for html in [
        "<h2>Title</h2><p>Some <em>text</em> &amp; <a href=\"https://e.org/?a=1&amp;b=2\" title=\"t\">a link</a>.<br>New line</p>",
        "<ul><li>one</li><li>two<ol start=\"3\"><li>three</li></ol></li></ul>",
        "<table><caption>c</caption><colgroup><col span=\"2\"></colgroup><thead><tr><th scope=\"col\">h</th></tr></thead><tbody><tr><td colspan=\"2\" align=\"right\">d</td></tr></tbody></table>",
        "<figure><img src=\"https://e.org/a.png\" alt=\"\" width=\"600\" height=\"400\"><figcaption>c</figcaption></figure>",
        "<picture><source srcset=\"https://e.org/a.avif 1x, https://e.org/b.avif 2x\" type=\"image/avif\" media=\"(min-width: 40em)\"><img src=\"https://e.org/a.jpg\" sizes=\"(max-width: 600px) 100vw, 50vw\" srcset=\"https://e.org/a.jpg 400w\"></picture>",
        "<video src=\"https://e.org/v.mp4\" controls=\"\" poster=\"https://e.org/p.jpg\"><track src=\"https://e.org/s.vtt\" kind=\"subtitles\" srclang=\"de\"></video>",
        "<p dir=\"rtl\" lang=\"he\">שלום <bdi>x</bdi> <span lang=\"en\">hi</span></p>",
        "<pre><code>fn main() {\n    a &lt; b\n}</code></pre>",
        "<blockquote cite=\"https://e.org/\">q</blockquote><details open=\"\"><summary>s</summary>d</details>",
        "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl><hr><p>x<sup>2</sup>&nbsp;<time datetime=\"2026-11-24\">now</time></p>",
        "<a href=\"mailto:a@b.c\">m</a><a href=\"magnet:?xt=urn:btih:x\">n</a>",
        "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
    ] {
        assert_eq!(sanitised(html), html);
    }
}

#[test]
fn obsolete_and_malformed_html_is_repaired() {
    for (html, kept) in [
        ("<p>a<p>b<div>c", "<p>a</p><p>b</p><div>c</div>"),
        ("<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>c"),
        (
            "<table><tr><td>a<td>b<tr><td>c</table>",
            "<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>",
        ),
        (
            "<center><strike>a</strike> <tt>b</tt> <font color=red>c</font></center>",
            "<div><s>a</s> <code>b</code> c</div>",
        ),
        ("<td>a</td><tr>b", "ab"),
        ("<b>a<i>b</b>c</i>d", "<b>a<i>b</i></b>cd"),
        (
            "<a href=x>a<a href=y>b</a>",
            "<a href=\"https://example.org/blog/x\">a</a><a href=\"https://example.org/blog/y\">b</a>",
        ),
        ("<a name=top>a</a><span class=x>b</span>", "ab"),
        ("<div style='color:red' id=x class=y onclick=z>a</div>", "<div>a</div>"),
        ("<![CDATA[<p>a</p>]]>", "<p>a</p>"),
        ("<!-- c --><o:p>a</o:p><my-el>b</my-el>", "ab"),
        (
            "<ul><li><input type=checkbox checked disabled> done<li><input type=checkbox> not</ul>",
            "<ul><li>☑  done</li><li>☐  not</li></ul>",
        ),
        ("<p lang=english dir=up width=9>a", "<p>a</p>"),
        (
            "<video src=/v.mp4 autoplay></video>",
            "<video src=\"https://example.org/v.mp4\" controls=\"\"></video>",
        ),
        ("<math><mi>x</mi><annotation>\\x</annotation></math>", "x"),
        (
            "<table>a<tr><td>b</table>",
            "<table><tbody><tr><td>a</td></tr><tr><td>b</td></tr></tbody></table>",
        ),
    ] {
        assert_eq!(sanitised(html), kept, "{html}");
    }
}

#[test]
fn a_lazily_loaded_image_is_shown() {
    let shown = "<img src=\"https://example.org/a.jpg\">";
    for html in [
        "<img data-src=/a.jpg>",
        "<img src=data:image/gif;base64,R0lGOD data-lazy-src=/a.jpg>",
        "<img src=/img/blank.gif data-original=/a.jpg>",
        "<img src='' data-src='' data-lazy-src=/a.jpg>",
        "<img src=/b.jpg data-src=/a.jpg>",
        "<img data-src=/a.jpg> <noscript><img src=/a.jpg></noscript>",
        "<img src=data:x><noscript><img src=/a.jpg></noscript>",
    ] {
        assert_eq!(sanitised(html).trim(), shown, "{html}");
    }
    assert_eq!(
        sanitised("<img data-srcset='/a.jpg 1x,/b.jpg 2x' srcset='data:x 1x'>"),
        "<img src=\"https://example.org/a.jpg\" srcset=\"https://example.org/a.jpg 1x, https://example.org/b.jpg 2x\">"
    );
    assert_eq!(sanitised("<p>E = <img src=data:x alt='mc²'></p>"), "<p>E = mc²</p>");
}

#[test]
fn invalid_image_candidates_are_dropped() {
    let link_base = LinkBase { base: &document(), page: None };
    for (written, kept) in [
        ("/a, /b 2x", Some("https://example.org/a, https://example.org/b 2x")),
        ("/a 100w 50h,/b 0w,/c -1x,/d +5w,/e foo", Some("https://example.org/a 100w")),
        (" ,, /a\n1.5x ,", Some("https://example.org/a 1.5x")),
        ("https://e.org/w_1,h_2/a.jpg 300w", Some("https://e.org/w_1,h_2/a.jpg 300w")),
        ("javascript:x 1x, data:y 2x", None),
        ("", None),
    ] {
        assert_eq!(
            super::picture_sources::candidates(written, link_base).as_deref(),
            kept,
            "{written}"
        );
    }
}

#[test]
fn trackers_are_dropped_and_images_are_kept() {
    for tracker in [
        "<img src=/a.gif width=1 height=1>",
        "<img src=/a.gif width=1px height=0 alt=x>",
        "<img src=/a.gif style='width: 1px; height: 1px'>",
        "<img src=/a.gif style='display:none'>",
        "<img src=https://feeds.feedburner.com/~r/x/~4/y>",
        "<img data-src=https://pixel.wp.com/b.gif?x>",
        "<img src=https://x.us1.list-manage.com/track/open.php?u=1>",
        "<img src=/a.gif srcset='https://pixel.wp.com/x 1x' height=1>",
        "<iframe src=https://www.facebook.com/tr?x></iframe><iframe src=/x width=0></iframe>",
    ] {
        assert_eq!(sanitised(tracker), "", "{tracker}");
    }
    for picture in [
        "<img src=/a.gif width=100% height=auto>",
        "<img src=/a style='max-width:1px;border:0'>",
        "<img src=https://pixel.example/a.gif>",
    ] {
        assert!(sanitised(picture).starts_with("<img src="), "{picture}");
    }
}

#[test]
fn html_that_is_too_long_is_cut_with_an_ellipsis() {
    let long = format!("<div>{}</div>", "<p>word</p>".repeat(30_000));
    let kept = sanitised(&long);
    assert!(
        kept.len() < super::plain_text::MAX_HTML
            && kept.len() > super::plain_text::MAX_HTML - 9_000
    );
    assert!(kept.ends_with("</div>…"), "{}", &kept[kept.len() - 30..]);
}

#[test]
fn large_parts_that_are_not_shown_take_no_room_of_the_text() {
    let data = "QUJD".repeat(90_000);
    for html in [
        format!("<p>a</p><img src='data:image/png;base64,{data}' alt=b><p>c</p><img src=/d.png>"),
        format!("<svg><path d='{data}'/></svg><p>a</p><style>{data}</style><p>c</p>"),
        format!("<p data-a='{data}'>a</p><!--{data}--><script>{data}</script><p>&lt;c&gt;</p>"),
    ] {
        let short = sanitised(&html.replace(&data, "QUJD"));
        assert!(short.contains("<p>a</p>") && short.contains("c"), "{short}");
        assert_eq!(sanitised(&html), short);
        let losses =
            super::html::losses(&Text::html(html), LinkBase { base: &document(), page: None });
        assert!(!losses.0, "nothing of {short} is cut");
    }
}

#[test]
fn html_without_visible_content_is_none() {
    for html in [
        "",
        " ",
        "<p></p>",
        "<div><br>&nbsp;</div>",
        "<script>x</script>",
        "<img>",
        "<!-- x -->",
        "<a href=/x></a>",
    ] {
        assert_eq!(sanitised(html), "", "{html}");
    }
}
