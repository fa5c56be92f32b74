//! The publish gate: whatever strings come in, what is rendered passes; a planted fault does not.

use std::sync::Arc;

use newswire::model::{Category, Entry, Item, Person};
use newswire::publish::{CheckError, Format, check, render};
use proptest::prelude::*;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::sample::{self, entries, output};

/// The texts of every element of that name below every `item`, references resolved.
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

/// Two entries made of any strings; the second has a plain id, so that the two differ.
fn made_of(texts: &[String]) -> Vec<Entry> {
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
        sample::entry(2, "urn:plain", date, &feed, Item::default()),
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
            prop_assert_eq!(check(*format, &bytes, &entries), Ok(()));
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

/// What the gate says of the document with one change.
fn verdict(format: Format, from: &str, to: &str) -> Result<(), CheckError> {
    let entries = entries();
    let document = String::from_utf8(render(&output(), format, &entries)).unwrap();
    assert!(document.contains(from), "{from} is not in the document");
    check(format, document.replacen(from, to, 1).as_bytes(), &entries)
}

#[test]
fn a_document_that_is_not_well_formed_is_caught() {
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
        assert!(matches!(verdict, Err(CheckError::IllFormed { .. })), "{to}: {verdict:?}");
    }
}

#[test]
fn a_prefix_that_is_not_declared_is_caught() {
    for (from, to) in [
        ("<generator>", "<podcast:x/><generator>"),
        ("<generator>", "<generator podcast:x=\"1\">"),
        ("xmlns:media=", "xmlns:midea="),
    ] {
        let error = verdict(Format::Atom, from, to).unwrap_err().to_string();
        assert!(error.contains("is not declared"), "{error}");
    }
}

#[test]
fn a_missing_doubled_or_changed_item_is_caught() {
    let id = "https://radio.example.net/ep/42</";
    for (format, tag) in [(Format::Atom, "id"), (Format::Rss, "guid")] {
        let changed = verdict(format, &format!("{id}{tag}>"), &format!("x{id}{tag}>"));
        assert!(matches!(changed, Err(CheckError::Id { position: 1, .. })), "{changed:?}");
        let other = format!("tag:alice.example.com,2025:post-17</{tag}>");
        let doubled = verdict(format, &format!("{id}{tag}>"), &other);
        assert!(matches!(doubled, Err(CheckError::Repeated(_))), "{doubled:?}");
    }
    let lost = verdict(Format::Rss, "</guid>", "</guid><guid>2</guid>");
    assert!(matches!(lost, Err(CheckError::IllFormed { .. })), "two ids: {lost:?}");
    let all = entries();
    for format in Format::ALL {
        let bytes = render(&output(), *format, &all[1..]);
        let expected = CheckError::Count { expected: all.len(), found: all.len() - 1 };
        assert_eq!(check(*format, &bytes, &all), Err(expected));
        let mut swapped = all.clone();
        swapped.swap(0, 1);
        let bytes = render(&output(), *format, &swapped);
        assert!(matches!(check(*format, &bytes, &all), Err(CheckError::Id { position: 0, .. })));
    }
}

#[test]
fn json_that_is_no_json_feed_is_caught() {
    for (from, to) in [
        ("\"items\"", "\"Items\""),
        ("\"id\"", "\"Id\""),
        ("version/1.1", "version/2"),
        ("{", "["),
        ("\n}\n", "\n"),
    ] {
        let verdict = verdict(Format::Json, from, to);
        assert!(matches!(verdict, Err(CheckError::IllFormed { .. })), "{to}: {verdict:?}");
    }
    let bytes = render(&output(), Format::Json, &[]);
    let broken = [&bytes[..], b"\xff"].concat();
    assert!(check(Format::Json, &broken, &[]).is_err(), "not UTF-8");
}

#[test]
fn two_items_with_one_id_never_leave_the_building() {
    let mut all = entries();
    all[1].outward_id = all[0].outward_id.clone();
    for format in Format::ALL {
        let bytes = render(&output(), *format, &all);
        let expected = CheckError::Repeated(all[0].outward_id.clone());
        assert_eq!(check(*format, &bytes, &all), Err(expected));
    }
}
