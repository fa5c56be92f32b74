//! The check before a publication: rendered documents pass for all strings, and documents with an error fail.

use std::collections::HashSet;
use std::sync::Arc;

use newswire::daemon::{self, FeedSelection};
use newswire::model::{Category, Item, ItemKey, OutputItem, Person};
use newswire::render::{CheckError, Format, PreviousPublication, check, render};
use newswire::store::{Write, transact};
use proptest::prelude::*;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::sample::{self, entries, output};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss, shown_as};

/// The texts of all elements with this name inside of items, with references resolved.
fn texts(document: &str, item: &str, name: &str) -> Vec<String> {
    let (mut reader, mut path, mut texts) = (Reader::from_str(document), Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                path.push(element.name().as_ref().to_owned());
                if path.len() >= 2 && path[path.len() - 2..] == [item, name] {
                    texts.push(String::new());
                }
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) if path.ends_with(&[item.to_owned(), name.to_owned()]) => {
                texts.last_mut().unwrap().push_str(&text);
            }
            Event::GeneralRef(reference) if path.ends_with(&[item.to_owned(), name.to_owned()]) => {
                let escaped = format!("&{};", &*reference);
                texts.last_mut().unwrap().push_str(&quick_xml::escape::unescape(&escaped).unwrap());
            }
            Event::Eof => return texts,
            _ => {}
        }
    }
}

/// Two items with arbitrary strings; the second has a plain id, so that they differ.
fn made_of(texts: &[String]) -> Vec<OutputItem> {
    let text = |n: usize| texts[n % texts.len()].clone();
    let mut feed = sample::feed(1, "a.example.org", &text(0));
    feed.url = text(1);
    feed.profile.atom_id = Some(text(2));
    feed.profile.site_url = Some(text(3));
    feed.profile.rights = Some(text(4));
    let feed = Arc::new(feed);
    let mut item = Item {
        guid: Some(text(0)),
        url: Some(text(5)),
        title: Some(text(6)),
        summary: Some(text(7)),
        content: Some(text(8)),
        language: Some(text(9)),
        ..Item::default()
    };
    item.details.authors = vec![Person { name: text(1), uri: Some(text(2)), email: Some(text(3)) }];
    item.details.categories =
        vec![Category { term: text(4), scheme: Some(text(5)), label: Some(text(6)) }];
    item.details.comments = Some(format!("https://{}", text(7)));
    item.details.via = Some(format!("http://x/{}", text(8)));
    item.details.rights = Some(text(9));
    let date = "2025-01-01T00:00:00Z";
    vec![
        sample::entry(1, &text(9), date, &feed, item),
        sample::entry(2, "urn:ex:plain", date, &feed, Item::default()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_strings_come_in_the_document_passes_and_reads_back(
        texts in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[\\PC\\x00-\\x20&<>\"'\\]]{0,40}",
                "(https?://[a-z]{1,5}\\.org/)?[\\x00-\\x7f]{0,20}",
                "[\u{202a}-\u{202e}\u{2066}-\u{2069}a ]{0,12}",
            ],
            10,
        )
    ) {
        let entries = made_of(&texts);
        let ids: Vec<Vec<String>> = Format::ALL.iter().map(|format| {
            let bytes = render(&output(), *format, &entries);
            prop_assert_eq!(check(&output(), *format, &bytes, &entries), Ok(()));
            let document = String::from_utf8(bytes).unwrap();
            Ok(match format {
                Format::Atom => self::texts(&document, "entry", "id"),
                Format::Rss => self::texts(&document, "item", "guid"),
                Format::Json => {
                    let json: serde_json::Value = serde_json::from_str(&document).unwrap();
                    let items = json["items"].as_array().unwrap();
                    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
                }
            })
        }).collect::<Result<_, TestCaseError>>()?;
        prop_assert_eq!(&ids[0], &ids[1], "every format names an item alike");
        prop_assert_eq!(&ids[0], &ids[2]);
        let atom = String::from_utf8(render(&output(), Format::Atom, &entries)).unwrap();
        let rss = String::from_utf8(render(&output(), Format::Rss, &entries)).unwrap();
        let titles = self::texts(&atom, "entry", "title");
        prop_assert_eq!(&titles, &self::texts(&rss, "item", "title"));
        prop_assert!(titles.iter().all(|title| !title.trim().is_empty()));
        prop_assert!(!atom.contains("]]>") && !rss.contains("]]>"));
    }
}

/// The result of the check of the document with one change.
fn verdict(format: Format, from: &str, to: &str) -> Result<(), CheckError> {
    let entries = entries();
    let document = String::from_utf8(render(&output(), format, &entries)).unwrap();
    assert!(document.contains(from), "{from} is not in the document");
    check(&output(), format, document.replacen(from, to, 1).as_bytes(), &entries)
}

#[test]
fn malformed_documents_are_rejected() {
    for (from, to) in [
        ("</entry>", ""),
        ("</entry>", "</Entry>"),
        ("</feed>", ""),
        ("</feed>", "</feed><feed/>"),
        ("</feed>", "</feed>and on"),
        ("<generator>", "<generator>\u{7}"),
        ("<generator>", "<generator>&#7;"),
        ("<generator>", "<generator>&nbsp;"),
        ("<generator>", "<generator>&"),
        ("<generator>", "<generator>]]>"),
        ("<generator>", "<generator a=\"1\" a=\"2\">"),
        ("<generator>", "<generator a=\"<\">"),
        ("<generator>", "<generator a=\"&#0;\">"),
        ("<generator>", "<generator a=1>"),
        ("<generator>", "<![CDATA[x]]><generator>"),
        ("<feed", "<!DOCTYPE feed><feed"),
        ("<feed", "<rss"),
        ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"),
    ] {
        let verdict = verdict(Format::Atom, from, to);
        assert!(matches!(verdict, Err(CheckError::Malformed { .. })), "{to}: {verdict:?}");
    }
}

#[test]
fn undeclared_prefixes_are_rejected() {
    for (from, to) in [
        ("<generator>", "<unknown:x/><generator>"),
        ("<generator>", "<generator unknown:x=\"1\">"),
        ("xmlns:media=", "xmlns:midea="),
    ] {
        let error = verdict(Format::Atom, from, to).unwrap_err().to_string();
        assert!(error.contains("is not declared"), "{error}");
    }
}

#[test]
fn missing_duplicate_and_changed_items_are_rejected() {
    let id = "https://radio.example.net/ep/42</";
    for (format, tag) in [(Format::Atom, "id"), (Format::Rss, "guid")] {
        let changed = verdict(format, &format!("{id}{tag}>"), &format!("x{id}{tag}>"));
        assert!(
            matches!(changed, Err(CheckError::Differs { position: 1, fact: "id", .. })),
            "{changed:?}"
        );
        let other = format!("tag:alice.example.com,2025:post-17</{tag}>");
        let doubled = verdict(format, &format!("{id}{tag}>"), &other);
        assert!(matches!(doubled, Err(CheckError::DuplicateId(_))), "{doubled:?}");
    }
    let lost = verdict(Format::Rss, "</guid>", "</guid><guid>2</guid>");
    assert!(matches!(lost, Err(CheckError::Malformed { .. })), "two ids: {lost:?}");
    let all = entries();
    for format in Format::ALL {
        let bytes = render(&output(), *format, &all[1..]);
        let expected = CheckError::Count { expected: all.len(), found: all.len() - 1 };
        assert_eq!(check(&output(), *format, &bytes, &all), Err(expected));
        let mut swapped = all.clone();
        swapped.swap(0, 1);
        let bytes = render(&output(), *format, &swapped);
        assert!(matches!(
            check(&output(), *format, &bytes, &all),
            Err(CheckError::Differs { position: 0, fact: "id", .. })
        ));
    }
}

#[test]
fn items_that_differ_from_the_selection_are_rejected() {
    let podcast = "https://radio.example.net/ep/42";
    let atom_page = format!("type=\"text/html\" href=\"{podcast}\"");
    let (rss_page, json_page) = (format!("<link>{podcast}"), format!("\"url\": \"{podcast}\""));
    for (format, fact, from, to) in [
        (Format::Atom, "title", "<title type=\"text\">פרק", "<title type=\"text\">פ"),
        (Format::Atom, "page", &*atom_page, "type=\"text/html\" href=\"https://e.org/\""),
        (Format::Atom, "page", &*atom_page, "type=\"text/html\""),
        (Format::Atom, "page", &*format!("rel=\"alternate\" {atom_page}"), "rel=\"related\""),
        (Format::Atom, "date", "<published>2025-11-19", "<published>2025-11-18"),
        (Format::Atom, "source", "<title type=\"text\">Morning Radio", "<title type=\"text\">"),
        (Format::Rss, "title", "<title>פרק", "<title>"),
        (Format::Rss, "page", &*rss_page, "<link>"),
        (Format::Rss, "date", "<pubDate>Wed, 19", "<pubDate>Tue, 18"),
        (Format::Rss, "source", "\">Morning Radio", "\">Evening Radio"),
        (Format::Json, "title", "\"title\": \"פרק", "\"title\": \""),
        (Format::Json, "page", &*json_page, "\"image\": \"x\""),
        (
            Format::Json,
            "date",
            "\"date_published\": \"2025-11-19",
            "\"date_published\": \"2025-11-20",
        ),
        (Format::Json, "source", "\"title\": \"Morning Radio\"", "\"title\": \"\""),
    ] {
        match verdict(format, from, to) {
            Err(CheckError::Differs { position: 1, fact: found, .. }) => assert_eq!(found, fact),
            other => panic!("{format:?} {from}: {other:?}"),
        }
    }
}

#[test]
fn duplicate_fields_and_missing_ids_are_rejected() {
    for (format, from, to, expected) in [
        (Format::Atom, "<published>", "<id>x</id><published>", "two <id>"),
        (Format::Atom, "<published>", "<title>x</title><published>", "two <title>"),
        (Format::Atom, "<published>", "<link href=\"x\"/><published>", "two pages"),
        (Format::Rss, "<pubDate>", "<link>x</link><pubDate>", "two <link>"),
        (Format::Rss, "<guid", "<guid/><guid", "two <guid>"),
        (
            Format::Rss,
            "<guid isPermaLink=\"false\">tag:alice.example.com,2025:post-17</guid>",
            "",
            "without an id",
        ),
    ] {
        let error = verdict(format, from, to).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn published_ids_never_change() {
    let before = entries();
    let last = PreviousPublication::new(&before);
    assert_eq!(last.compare(&before, &HashSet::new(), None), Ok(vec![]));
    let mut changed = before.clone();
    changed[2].outward_id = "urn:ex:new".to_owned();
    let was = before[2].outward_id.clone();
    let expected = CheckError::IdChanged { was: was.clone(), is: "urn:ex:new".to_owned() };
    assert_eq!(last.compare(&changed, &HashSet::new(), None), Err(expected));
    // The id of a removed item on another item: readers would hide it.
    let mut taken = before.clone();
    taken[2].key = ItemKey(99);
    assert_eq!(last.compare(&taken, &HashSet::new(), None), Err(CheckError::IdReused(was)));
    // The output gave the id to another item of the story.
    let assigned = HashSet::from([taken[2].key]);
    assert_eq!(last.compare(&taken, &assigned, None), Ok(vec![]));
}

#[test]
fn only_items_that_were_not_displaced_are_reported_missing() {
    let before = entries();
    let last = PreviousPublication::new(&before);
    // A new item of its feed displaces the oldest.
    let mut pushed = before.clone();
    pushed.remove(4);
    assert_eq!(
        last.compare(&pushed, &HashSet::new(), None),
        Ok(vec![]),
        "older than all others of its feed"
    );
    // The newest of three items of a feed is missing.
    let mut lost = before.clone();
    let gone = lost.remove(2).outward_id;
    assert_eq!(last.compare(&lost, &HashSet::new(), None), Ok(vec![&*gone]));
    let oldest = before.iter().map(|entry| entry.sort_at).min();
    assert_eq!(
        last.compare(&[], &HashSet::new(), oldest).unwrap().len(),
        before.len() - 1,
        "one has no room"
    );
    let all = last.compare(&[], &HashSet::new(), None).unwrap();
    assert_eq!(all.len(), before.len(), "every feed was taken away");
}

#[tokio::test]
async fn a_failed_publication_keeps_the_previous_documents() {
    let world = World::new().await;
    let answer = |items| Answer::ok(rss(items));
    world.origin.route(
        "site.test",
        "/feed",
        [answer(&[("a", "A")]), answer(&[("b", "B"), ("a", "A")])],
    );
    let engine = world.open(&[world.origin.url("site.test", "/feed")]).await;
    poll(&engine, FeedSelection::Due).await;
    let file = world.folder.path().join("www/planet.atom");
    let (before, written) = (shown_as(&engine, "id"), std::fs::read(&file).unwrap());
    // The output shows the item under another id.
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let key = database.query_row("SELECT id FROM item", [], |row| row.get(0)).map(ItemKey).unwrap();
    let item_ids = vec![(key, "urn:ex:planted".to_owned())];
    let plant = Write::Archive { output: "planet".to_owned(), pages: Vec::new(), item_ids };
    transact(&world.database(), |transaction| transaction.apply(&plant)).unwrap().unwrap();
    world.clock.advance(2 * HOUR);
    let error =
        daemon::pass(&engine, (&FeedSelection::Due, newswire::poll::Trigger::Due), |_, _| {})
            .await
            .unwrap_err()
            .to_string();
    assert!(
        error.contains("the previous one stays") && error.contains("urn:ex:planted"),
        "{error}"
    );
    assert_eq!(shown_as(&engine, "id"), before);
    assert_eq!(std::fs::read(&file).unwrap(), written);
    // After the correction the new story is published.
    database.execute("DELETE FROM output_item_id", []).unwrap();
    engine.publish().await.unwrap();
    assert_eq!(shown_as(&engine, "title"), ["B", "A"]);
    assert_ne!(std::fs::read(&file).unwrap(), written);
}

#[test]
fn json_that_is_not_a_json_feed_is_rejected() {
    for (from, to) in [
        ("\"items\"", "\"Items\""),
        ("\"id\"", "\"Id\""),
        ("version/1.1", "version/2"),
        ("{", "["),
        ("\n}\n", "\n"),
    ] {
        let verdict = verdict(Format::Json, from, to);
        assert!(matches!(verdict, Err(CheckError::Malformed { .. })), "{to}: {verdict:?}");
    }
    let bytes = render(&output(), Format::Json, &[]);
    let broken = [&bytes[..], b"\xff"].concat();
    assert!(check(&output(), Format::Json, &broken, &[]).is_err(), "not UTF-8");
}

#[test]
fn duplicate_ids_are_never_published() {
    let mut all = entries();
    all[1].outward_id = all[0].outward_id.clone();
    for format in Format::ALL {
        let bytes = render(&output(), *format, &all);
        let expected = CheckError::DuplicateId(all[0].outward_id.clone());
        assert_eq!(check(&output(), *format, &bytes, &all), Err(expected));
    }
}
