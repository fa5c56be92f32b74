//! The presentation of an output: the effect of each key in every format. All documents pass the check.

use std::sync::Arc;

use newswire::model::{AlsoAt, Item, OutputItem};
use newswire::render::{
    AlsoAt as Line, Content, Format, Output, Presentation, ShownDate, check, render,
};
use serde_json::Value;

use super::sample::{at, entries, entry, feed, output, some};

/// The document in every format as text, after the check.
fn documents(presentation: Presentation, entries: &[OutputItem]) -> [String; 3] {
    let output = Output { presentation, ..output() };
    [Format::Atom, Format::Rss, Format::Json].map(|format| {
        let bytes = render(&output, format, entries);
        check(&output, format, &bytes, entries).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

/// A story that another feed has too.
fn shared(content: Option<&str>, summary: Option<&str>) -> Vec<OutputItem> {
    let item = Item {
        url: some("https://a.example.org/1"),
        title: some("Title"),
        content: content.map(str::to_owned),
        summary: summary.map(str::to_owned),
        ..Item::default()
    };
    let here = Arc::new(feed(1, "a.example.org", "Feed A"));
    let mut made = vec![entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &here, item)];
    let elsewhere = |key, host: &str, title: &str| AlsoAt {
        url: Some(format!("https://{host}/?a=1&b=2")),
        title: None,
        feed: Arc::new(feed(key, host, title)),
    };
    made[0].also =
        vec![elsewhere(2, "b.example.org", "B & Co"), elsewhere(3, "c.example.org", "C")];
    made
}

fn json(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

#[test]
fn a_feed_whose_pages_are_nowhere_links_to_no_page() {
    let written = Output { link: None, has_pages: false, ..output() };
    let text = |output: &Output, format| {
        let bytes = render(output, format, &entries());
        check(output, format, &bytes, &entries()).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let page = "<link rel=\"alternate\" type=\"text/html\" href=\"https://wire.example.org/";
    assert!(!text(&written, Format::Atom).contains(page));
    assert_eq!(json(&text(&written, Format::Json))["home_page_url"], Value::Null);
    // RSS requires a link.
    let itself = format!("<link>{}</link>", written.self_url(Format::Rss));
    let rss = text(&written, Format::Rss);
    assert!(rss.contains(&itself) && !rss.contains(&format!("{}/</link>", written.id)), "{rss}");
    let linked = Output { link: output().base_url.join("about").ok(), ..written.clone() };
    assert!(text(&linked, Format::Atom).contains(&format!("{page}about\"")));
    let served = Output { has_pages: true, ..written };
    assert!(text(&served, Format::Atom).contains(page));
}

#[test]
fn content_is_full_summary_or_none() {
    let look = |content| Presentation { content, ..Presentation::default() };
    let long = format!("<p>{}</p>", "Words of a story. ".repeat(60));
    let all = shared(Some(&long), None);
    let [atom, rss, feed] = documents(look(Content::Full), &all);
    assert!(
        atom.contains("<content type=\"html\">&lt;p&gt;Words") && rss.contains("&lt;p&gt;Words")
    );
    assert_eq!(json(&feed)["items"][0]["content_html"], *long);
    let [atom, rss, feed] = documents(look(Content::Summary), &all);
    assert!(atom.contains("<summary type=\"text\">Words") && !atom.contains("<content"));
    assert!(rss.contains("<description>Words") && !rss.contains("content:encoded>"));
    let text = json(&feed)["items"][0]["content_text"].as_str().unwrap().to_owned();
    assert!(text.ends_with("story.…") || text.ends_with('…'), "{text}");
    assert!((200..=300).contains(&text.chars().count()), "{text}");
    let [atom, rss, feed] = documents(look(Content::None), &all);
    assert!(!atom.contains("Words") && !rss.contains("Words") && !feed.contains("Words"));
    assert!(rss.contains("<description>Title</description>"), "readers drop what has none");
    assert_eq!(json(&feed)["items"][0]["content_text"], "Title");
    // The summary of the publisher has precedence.
    let both = shared(Some(&long), Some("In short."));
    let [atom, _, feed] = documents(look(Content::Summary), &both);
    assert!(atom.contains("<summary type=\"text\">In short.</summary>"));
    assert_eq!(json(&feed)["items"][0]["content_text"], "In short.");
}

#[test]
fn a_summary_does_not_repeat_the_title() {
    let look = Presentation { content: Content::Summary, ..Presentation::default() };
    let summary = |content: Option<&str>, summary: Option<&str>| {
        let mut all = shared(content, summary);
        all[0].item.title = Some("It’s “Title” two".to_owned());
        let [atom, _, feed] = documents(look.clone(), &all);
        assert!(!atom.contains("type=\"text\">It’s “Title” two It"), "{atom}");
        json(&feed)["items"][0]["content_text"].as_str().unwrap().to_owned()
    };
    for html in [
        "<h2>It's \"Title\" two</h2><p>real text.</p>",
        "<p><strong>It’s “Title” two</strong></p>\n<p>real text.</p>",
        "<div><h1>It’s “Title” two</h1><h2>It’s “Title” two</h2>real text.</div>",
    ] {
        assert_eq!(summary(Some(html), None).trim(), "real text.", "{html}");
    }
    assert_eq!(summary(Some("It’s “Title” two<br>Real text."), None), "Real text.");
    assert_eq!(summary(None, Some("It's \"Title\" two Real text.")), "Real text.");
    assert_eq!(summary(Some("<p>It’s “Title” two</p>"), None), "It’s “Title” two", "nothing else");
}

#[test]
fn a_title_is_made_from_text_that_is_not_shown() {
    let mut made = shared(Some("<p>A status.</p>"), None);
    made[0].item.title = None;
    let [atom, _, feed] =
        documents(Presentation { content: Content::None, ..Presentation::default() }, &made);
    assert!(atom.contains("<title type=\"text\">A status.</title>"));
    assert_eq!(json(&feed)["items"][0]["content_text"], "A status.");
}

#[test]
fn also_at_is_a_line_after_the_content_if_configured() {
    let line = "<p>Also at: <a href=\"https://b.example.org/?a=1&amp;b=2\"><bdi>B &amp; Co</bdi></a>, \
                <a href=\"https://c.example.org/?a=1&amp;b=2\"><bdi>C</bdi></a></p>";
    let look = |also_at, content| Presentation { also_at, content, ..Presentation::default() };
    for (content, summary, expected) in [
        (Some("<p>Text</p>"), None, "<p>Text</p>"),
        (None, Some("1 < 2"), "<p>1 &lt; 2</p>"),
        (None, None, ""),
    ] {
        let all = shared(content, summary);
        let [atom, rss, feed] = documents(look(Line::Content, Content::Full), &all);
        let html = format!("{expected}{line}");
        assert_eq!(json(&feed)["items"][0]["content_html"], *html);
        let escaped = html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert!(atom.contains(&format!("<content type=\"html\">{escaped}</content>")), "{atom}");
        assert!(rss.contains(&format!("<description>{escaped}</description>")), "{rss}");
        for document in documents(look(Line::Links, Content::Full), &all) {
            assert!(!document.contains("Also at"));
            assert!(document.contains("https://b.example.org/?a=1"), "in a link too");
        }
        for document in documents(look(Line::Content, Content::None), &all) {
            assert!(!document.contains("Also at"), "there is no text to put it below");
        }
    }
    let mut alone = shared(Some("<p>Text</p>"), None);
    alone[0].also.clear();
    for document in documents(look(Line::Content, Content::Full), &alone) {
        assert!(!document.contains("Also at"));
    }
}

#[test]
fn other_feeds_are_named_in_the_language_of_the_output() {
    let all = shared(Some("<p>Text</p>"), None);
    for (language, line) in [
        ("en-GB", "<p>Also at: A, B</p>"),
        ("de", "<p>Auch bei: A, B</p>"),
        ("fr", "<p>Également sur\u{a0}: A, B</p>"),
        ("es-MX", "<p>También en: A, B</p>"),
        ("ja", "<p>ほかの掲載元：A、B</p>"),
        ("eo", "<p>Also at: A, B</p>"),
    ] {
        let look = Presentation {
            also_at: Line::Content,
            language: some(language),
            ..Presentation::default()
        };
        let link = |host: &str, name: &str| {
            format!("<a href=\"https://{host}/?a=1&amp;b=2\"><bdi>{name}</bdi></a>")
        };
        let line = line.replace('B', &link("c.example.org", "C"));
        let line = line.replacen("A、", &format!("{}、", link("b.example.org", "B &amp; Co")), 1);
        let line = line.replacen("A, ", &format!("{}, ", link("b.example.org", "B &amp; Co")), 1);
        let html = format!("<p>Text</p>{line}");
        let escaped = html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let [atom, rss, feed] = documents(look, &all);
        assert_eq!(json(&feed)["items"][0]["content_html"], *html, "{language}");
        assert!(atom.contains(&escaped) && rss.contains(&escaped), "{language}: {atom} {rss}");
    }
}

#[test]
fn icon_and_language_are_those_of_the_output() {
    let bare = documents(Presentation::default(), &entries());
    assert!(!bare[0].contains("<icon>") && !bare[1].contains("<image>"));
    assert!(!bare[0].split("<entry").next().unwrap().contains("xml:lang"), "there are many");
    assert!(!bare[1].contains("<language>") && json(&bare[2]).get("language").is_none());
    let icon = "https://wire.example.org/i.png?a=1&b=2";
    let look = Presentation {
        icon: icon.parse().ok(),
        language: some("de-AT"),
        ..Presentation::default()
    };
    let [atom, rss, feed] = documents(look, &entries());
    let icon_in_xml = icon.replace('&', "&amp;");
    assert!(atom.contains(&format!("<icon>{icon_in_xml}</icon>")));
    assert!(atom.contains("<feed xmlns=") && atom.contains(" xml:lang=\"de-AT\">"));
    assert!(atom.contains("<entry xml:lang=\"he\">"), "an item that says keeps its own");
    assert!(rss.contains(&format!("<url>{icon_in_xml}</url>")));
    assert!(rss.contains("<language>de-AT</language>"));
    let feed = json(&feed);
    assert_eq!((&feed["icon"], &feed["favicon"]), (&icon.into(), &icon.into()));
    assert_eq!((&feed["language"], &feed["items"][1]["language"]), (&"de-AT".into(), &"he".into()));
}

#[test]
fn the_first_seen_date_is_shown_in_every_format() {
    let mut late = shared(Some("<p>Text</p>"), None);
    late[0].first_seen = at("2025-03-04T05:06:07Z");
    let look = |date| Presentation { date, ..Presentation::default() };
    let [atom, rss, feed] = documents(look(ShownDate::FirstSeen), &late);
    assert!(atom.contains("<published>2025-03-04T05:06:07Z"));
    assert!(rss.contains("<pubDate>Tue, 04 Mar 2025 05:06:07 +0000"));
    assert_eq!(json(&feed)["items"][0]["date_published"], "2025-03-04T05:06:07Z");
    let [atom, ..] = documents(look(ShownDate::Published), &late);
    assert!(atom.contains("<published>2025-01-01T00:00:00Z"));
}

#[test]
fn content_from_right_to_left_has_its_own_direction() {
    let html = |content| {
        let [.., feed] = documents(Presentation::default(), &shared(Some(content), None));
        json(&feed)["items"][0]["content_html"].as_str().unwrap().to_owned()
    };
    assert_eq!(html("<p>שלום</p>"), "<div dir=\"auto\"><p>שלום</p></div>");
    assert_eq!(html("<p dir=\"rtl\">שלום</p>"), "<p dir=\"rtl\">שלום</p>", "as the publisher says");
    assert_eq!(html("<p>Hello</p>"), "<p>Hello</p>");
    let tweet = "<p>שלום</p><blockquote dir=\"ltr\">Hello</blockquote>";
    assert_eq!(html(tweet), format!("<div dir=\"auto\">{tweet}</div>"), "not of the quotation");
}

#[test]
fn content_in_a_language_from_right_to_left_may_begin_with_latin_letters() {
    let mut made = shared(Some("<p>iPhone בארץ ישראל</p>"), None);
    made[0].item.language = some("he");
    for document in documents(Presentation::default(), &made) {
        let text = document.replace("\\\"", "\"").replace("&lt;", "<").replace("&gt;", ">");
        assert!(text.contains("<div dir=\"rtl\"><p>iPhone"), "{text}");
    }
}

#[test]
fn a_link_post_leads_to_the_page_that_it_is_about() {
    let mut item = Item { title: some("Presentation"), ..Item::default() };
    item.details.via = some("https://elsewhere.example.org/tip");
    let here = Arc::new(feed(1, "a.example.org", "Feed A"));
    let made = [entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &here, item)];
    let [atom, rss, feed] = documents(Presentation::default(), &made);
    assert!(rss.contains("<link>https://elsewhere.example.org/tip</link>"));
    assert_eq!(json(&feed)["items"][0]["url"], "https://elsewhere.example.org/tip");
    assert_eq!(atom.matches("elsewhere").count(), 1, "and is not named twice");
    assert!(json(&feed)["items"][0].get("external_url").is_none());
}
