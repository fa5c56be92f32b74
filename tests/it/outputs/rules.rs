//! Rules that subscribers can rely on, one per test.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use newswire::model::{Item, OutputItem};
use newswire::outputs::{Served, ServedOutput};
use newswire::render::{Document, Format, Output, Page, Token, max_age, render, render_page};
use serde_json::Value;
use url::Url;

use super::sample::{at, entries, entry, feed, output, some};

fn text(format: Format, entries: &[OutputItem]) -> String {
    String::from_utf8(render(&output(), format, entries)).unwrap()
}

fn json(entries: &[OutputItem]) -> Value {
    serde_json::from_str(&text(Format::Json, entries)).unwrap()
}

/// An output item made from an item.
fn one(item: Item) -> Vec<OutputItem> {
    let feed = Arc::new(feed(1, "a.example.org", "Feed A"));
    vec![entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &feed, item)]
}

/// The first text between `from` and `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = &text[text.find(from).unwrap_or_else(|| panic!("no {from}")) + from.len()..];
    &rest[..rest.find(to).unwrap()]
}

#[test]
fn the_date_of_a_document_is_that_of_its_newest_change() {
    let atom = text(Format::Atom, &entries());
    assert_eq!(between(&atom, "<updated>", "<"), "2025-11-20T09:30:00Z");
    let rss = text(Format::Rss, &entries());
    assert_eq!(between(&rss, "<lastBuildDate>", "<"), "Thu, 20 Nov 2025 09:30:00 +0000");
}

#[test]
fn a_title_is_made_from_the_text_except_in_json() {
    let made = one(Item { content: some("<p>Some &lt;b&gt; text</p>"), ..Item::default() });
    assert_eq!(
        between(&text(Format::Rss, &made), "<item>\n      <title>", "</"),
        "Some &#x3C;\u{2060}b&#x3E; text"
    );
    assert_eq!(json(&made)["items"][0].get("title"), None);
    let summary = one(Item { summary: some("A < B"), ..Item::default() });
    assert!(text(Format::Atom, &summary).contains("<title type=\"text\">A &lt; B</title>"));
    let nothing = one(Item::default());
    assert_eq!(between(&text(Format::Rss, &nothing), "<item>\n      <title>", "</"), "Feed A");
    assert_eq!(json(&nothing)["items"][0]["content_text"], "Feed A");
}

#[test]
fn an_item_without_an_author_is_by_its_feed() {
    let made = one(Item::default());
    assert!(text(Format::Rss, &made).contains("<dc:creator>Feed A</dc:creator>"));
    assert_eq!(json(&made)["items"][0]["authors"][0]["name"], "Feed A");
    assert_eq!(json(&made).get("authors"), None, "readers would add them to every item");
}

#[test]
fn an_email_address_is_never_published() {
    for format in Format::ALL {
        assert!(!text(*format, &entries()).contains("@example.org"), "{format:?}");
    }
}

#[test]
fn only_a_guid_that_is_the_page_is_a_permalink() {
    let rss = text(Format::Rss, &entries());
    assert!(rss.contains("<guid isPermaLink=\"true\">https://radio.example.net/ep/42</guid>"));
    assert_eq!(rss.matches("isPermaLink=\"true\"").count(), 2);
    assert_eq!(rss.matches("isPermaLink=\"false\"").count(), 4);
}

#[test]
fn no_date_is_before_1990() {
    let old = json(&entries());
    assert_eq!(old["items"][4]["date_published"], "2025-11-16T10:00:00Z", "as first seen");
}

#[test]
fn an_output_without_a_link_belongs_to_its_page() {
    let bare = Output { link: None, author: None, description: None, ..output() };
    let rss = String::from_utf8(render(&bare, Format::Rss, &[])).unwrap();
    assert_eq!(between(&rss, "<link>", "<"), "https://wire.example.org/all/");
    assert_eq!(between(&rss, "<description>", "<"), "The Daily Wire &#x26; Co");
}

#[test]
fn every_link_of_an_output_with_a_token_has_it() {
    let token = Some(Token::new("open sesame".to_owned()));
    let guarded = Output { link: None, token, ..output() };
    let page = Page::Archive { number: 2, newest: 3, oldest: 1 };
    for format in Format::ALL {
        for page in [Page::Subscription { archive: Some(3) }, page] {
            let bytes = render_page(&guarded, *format, page, &[]);
            let text = String::from_utf8(bytes).unwrap();
            let own = text.matches("https://wire.example.org/all").count();
            assert!(own >= 3, "{text}");
            assert_eq!(text.matches("?token=open+sesame").count(), own, "{text}");
        }
    }
}

#[test]
fn the_id_of_a_feed_contains_no_address() {
    let id = |base_url: &str| {
        let moved = Output { base_url: Url::parse(base_url).unwrap(), ..output() };
        let atom = String::from_utf8(render(&moved, Format::Atom, &[])).unwrap();
        between(&atom, "<id>", "<").to_owned()
    };
    assert!(id("http://0.0.0.0:8420/").starts_with("urn:uuid:"));
    assert_eq!(id("http://0.0.0.0:8420/"), id("https://wire.example.org/"));
}

#[test]
fn the_first_documents_of_an_output_have_a_short_lifetime() {
    let mut entries = entries();
    entries.iter_mut().for_each(|entry| entry.first_seen = at("2025-11-20T09:30:00Z"));
    assert_eq!(max_age(&entries), Duration::from_secs(300), "published over days, seen at once");
    let rss = String::from_utf8(render(&output(), Format::Rss, &entries)).unwrap();
    assert_eq!(between(&rss, "<ttl>", "<"), "5");
    for (hours, entry) in entries.iter_mut().enumerate() {
        entry.first_seen = at("2025-11-20T09:30:00Z") + SignedDuration::from_hours(hours as i64);
    }
    assert_eq!(max_age(&entries), Duration::from_secs(3600));
}

#[test]
fn an_empty_output_has_the_date_of_its_registration() {
    let atom = String::from_utf8(render(&output(), Format::Atom, &[])).unwrap();
    assert_eq!(between(&atom, "<updated>", "<"), "2025-11-01T00:00:00Z");
}

#[test]
fn an_output_is_replaced_as_a_whole() {
    let document = |body: &str, modified| {
        let max_age = Duration::from_secs(60);
        Arc::new(Document::prepare(Format::Rss, body.into(), at(modified), max_age))
    };
    let served = Served::new();
    let put = |documents| served.put(ServedOutput::new(&output(), 1, documents));
    assert!(served.document("all.rss").is_none());
    put(vec![
        (Format::Rss, document("rss 1", "2025-01-01T00:00:00Z")),
        (Format::Atom, document("atom 1", "2025-01-02T00:00:00Z")),
    ]);
    assert_eq!(&served.document("all.atom").unwrap().body[..], b"atom 1");
    assert_eq!(served.outputs()[0].modified(), Some(at("2025-01-02T00:00:00Z")));
    let kept = served.document("all.rss").unwrap();
    put(vec![(Format::Rss, document("rss 2", "2025-01-03T00:00:00Z"))]);
    assert_eq!(&served.document("all.rss").unwrap().body[..], b"rss 2");
    assert_eq!(&kept.body[..], b"rss 1", "who reads the old one keeps it");
    assert!(served.document("all.atom").is_none(), "a format that was taken away");
    for none in ["all", "all.xml", "ALL.rss", ".rss", "all.rss.rss", ""] {
        assert!(served.document(none).is_none(), "{none:?}");
    }
    served.keep_only(&["other"]);
    assert!(served.outputs().is_empty());
}

#[test]
fn the_lifetime_is_the_median_time_between_changes() {
    let every = |seconds: i64, count: i64| {
        let feed = std::sync::Arc::new(super::sample::feed(1, "a.example.org", "A"));
        let entry = |n: i64| {
            let at = at("2025-11-20T09:00:00Z") - jiff::SignedDuration::from_secs(seconds * n);
            super::sample::entry(n, "urn:x", &at.to_string(), &feed, Default::default())
        };
        (0..count).map(entry).collect::<Vec<_>>()
    };
    let age =
        |entries: &[newswire::model::OutputItem]| newswire::render::max_age(entries).as_secs();
    assert_eq!(age(&every(30 * 60, 20)), 30 * 60);
    assert_eq!(age(&every(8, 200)), 300, "never asked for more often");
    assert_eq!(age(&every(7 * 86_400, 20)), 3 * 3600, "a quiet output does not sleep for a day");
    assert_eq!((age(&[]), age(&every(1, 1))), (300, 300), "nothing is known yet");
    let mut uneven = every(3600, 5);
    uneven.extend(every(86_400, 3));
    assert_eq!(age(&uneven), 3600, "the usual, not the mean");
}
