//! What readers really do with a merged feed, and what follows for every format: C1 to C7.
//!
//! Each document is read back as readers do: by the parser of newswire, and by one that, as some
//! are, knows neither a stack nor namespaces.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use newswire::daemon::FeedSelection;
use newswire::model::{
    AlsoAt, Category, Chapter, Enclosure, EpisodeType, Image, Item, OutputItem, ParsedItem, Person,
    Podcast, PodcastFile,
};
use newswire::parse::{Input, parse};
use newswire::render::{AlsoAt as Line, Format, Output, Presentation, ShownDate, Story, render};
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use url::Url;

use super::sample::{at, entries, entry, feed, output, some};
use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, rss, shown_as};

fn document(output: &Output, format: Format, entries: &[OutputItem]) -> String {
    String::from_utf8(render(output, format, entries)).unwrap()
}

/// The items as a parser reads them.
fn items(output: &Output, format: Format, entries: &[OutputItem]) -> Vec<ParsedItem> {
    let bytes = render(output, format, entries);
    let url = Url::parse(&output.self_url(format)).unwrap();
    let input = Input { bytes: &bytes, content_type: None, url: &url, max_items: 1_000 };
    let parsed = parse(input).unwrap();
    assert!(parsed.parse_warnings.is_empty(), "{format:?}: {:?}", parsed.parse_warnings);
    parsed.feed.items
}

/// Everything from `from` to `to`, each time.
fn parts<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let rest = text.split(from).skip(1);
    rest.map(|part| part.split(to).next().unwrap_or_default()).collect()
}

/// The items as seen by a reader that takes the first element with a name for that of the item, at any
/// depth and in any namespace.
fn without_a_stack(xml: &str, item: &str) -> Vec<HashMap<String, String>> {
    let (mut reader, mut seen, mut open) = (Reader::from_str(xml), Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(e) if e.name().as_ref() == item => seen.push(HashMap::new()),
            Event::Start(e) | Event::Empty(e) => {
                open = e.local_name().as_ref().to_owned();
                let value = |name: &str| {
                    let attribute = e.try_get_attribute(name).unwrap()?;
                    Some(quick_xml::escape::unescape(&attribute.value).unwrap().into_owned())
                };
                let Some(fields) = seen.last_mut() else { continue };
                // The page of the item for feedjira.
                let page = value("type").as_deref() == Some("text/html")
                    && value("rel").as_deref() == Some("alternate");
                if open == "link" && page {
                    fields.entry("page".to_owned()).or_insert(value("href").unwrap());
                }
                if let Some(kind) = value("type").filter(|_| open == "title") {
                    fields.entry(format!("title as {kind}")).or_default();
                }
            }
            Event::Text(text) => {
                let Some(fields) = seen.last_mut().filter(|_| !text.trim().is_empty()) else {
                    continue;
                };
                fields.entry(open.clone()).or_insert_with(|| text.to_string());
            }
            Event::End(_) => open.clear(),
            Event::Eof => return seen,
            _ => {}
        }
    }
}

#[test]
fn c1_no_reader_takes_the_source_for_the_entry() {
    let entries = entries();
    let source = |entry: &OutputItem| entry.feed.url.clone();
    for (format, item, id) in [(Format::Atom, "entry", "id"), (Format::Rss, "item", "guid")] {
        let xml = document(&output(), format, &entries);
        let (strict, blind) = (items(&output(), format, &entries), without_a_stack(&xml, item));
        assert_eq!((strict.len(), blind.len()), (entries.len(), entries.len()));
        for ((strict, blind), entry) in strict.iter().zip(&blind).zip(&entries) {
            assert_eq!(strict.id.as_deref(), Some(&*entry.outward_id));
            assert_eq!(blind[id], entry.outward_id, "{format:?}");
            assert!(!blind["title"].starts_with(&entry.feed.title[..5]), "{}", blind["title"]);
            let name = if format == Format::Atom { "name" } else { "creator" };
            let author = &strict.authors[0].name;
            assert!(author.starts_with(blind[name].trim_end()), "{format:?} {author}");
            // The source is there for readers that know it.
            let elsewhere = entry.item.details.source.as_ref();
            let expected = elsewhere.map_or(&*entry.feed.title, |s| s.title.as_deref().unwrap());
            let Some(named) = strict.source.as_ref() else {
                // A source with the title of its item is not read as another feed.
                assert_eq!(blind["title"], expected, "{format:?}");
                continue;
            };
            assert_eq!(named.title.as_deref(), Some(expected), "{format:?}");
            if elsewhere.is_none() && entry.item.url.as_deref().is_some_and(|url| url.contains(':'))
            {
                assert_eq!(named.feed_url, Some(source(entry)), "{format:?}");
            }
            if format == Format::Atom {
                let page = entry.item.url.clone().filter(|url| url.starts_with("https:"));
                assert_eq!(blind.get("page"), page.as_ref(), "never the source's");
                let kinds = blind.keys().filter(|key| key.starts_with("title as "));
                assert_eq!(kinds.collect::<Vec<_>>(), ["title as text"], "one type for both");
            }
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&document(&output(), Format::Json, &entries)).unwrap();
    for (item, entry) in json["items"].as_array().unwrap().iter().zip(&entries) {
        assert_eq!(item["id"], *entry.outward_id);
        assert!(item["_newswire"]["source"]["title"].is_string());
    }
}

#[test]
fn c1_the_source_is_the_last_child_and_holds_nothing_that_readers_add_to_the_entry() {
    let atom = document(&output(), Format::Atom, &entries());
    for entry in atom.split("<entry").skip(1) {
        let (own, source) = entry.split_once("<source>").unwrap();
        let (source, rest) = source.split_once("</source>").unwrap();
        assert_eq!(rest.trim().trim_end_matches("</feed>").trim(), "</entry>");
        for element in ["<id>", "<title type=\"text\">", "<updated>", "<author>"] {
            assert!(own.contains(element) && !source.contains("<author>"), "{element}");
        }
        for foreign in ["text/html", "category", "enclosure", "email"] {
            assert!(!source.contains(foreign), "{foreign}");
        }
    }
}

#[test]
fn c2_titles_are_plain_text_and_alike_in_every_format() {
    let all = entries();
    let titles = |format| -> Vec<String> {
        let titles = items(&output(), format, &all).into_iter().map(|item| item.title);
        titles.map(|title| title.unwrap_or_default().value).collect()
    };
    let (atom, rss, json) = (titles(Format::Atom), titles(Format::Rss), titles(Format::Json));
    assert_eq!(atom, rss);
    assert_eq!(
        atom[0],
        "Crème brûlée & “smart” quotes — AT&T’s 5 > 4, <\u{2060}canvas> and &\u{2060}amp;"
    );
    for (n, (made, own)) in atom.iter().zip(&json).enumerate() {
        match all[n].item.title {
            Some(_) => assert_eq!(made, own),
            None => assert_eq!(own, "", "left out where JSON Feed can be without"),
        }
        assert!(!made.is_empty() && made.chars().count() <= 80, "{made}");
    }
    let xml = document(&output(), Format::Atom, &all);
    assert_eq!(xml.matches("<title").count(), xml.matches("<title type=\"text\"").count());
    // Escaped once: text that is escaped twice would stay a reference.
    let xml = document(&output(), Format::Rss, &all);
    assert!(parts(&xml, "<title>", "</title>").iter().all(|title| !title.contains("&#x26;lt;")));
    let described = parts(&xml, "<description>", "</description>");
    assert_eq!(described.len(), all.len() + 1, "there are readers that drop what has none");
    assert!(described.iter().all(|text| !text.trim().is_empty()));
}

#[test]
fn c2_no_reader_can_take_a_plain_text_for_html() {
    let evil = "<img src=x onerror=alert(1)></title><script>alert(1)</script>";
    let mut item = Item { title: some(evil), summary: some(evil), ..Item::default() };
    item.details.authors = vec![Person { name: evil.to_owned(), ..Default::default() }];
    item.details.categories = vec![Category { term: evil.to_owned(), ..Default::default() }];
    item.details.rights = some(evil);
    let feed = Arc::new(feed(1, "a.example.org", evil));
    let mut made = vec![entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &feed, item)];
    made[0].also = vec![AlsoAt { url: some("https://b.example.org/"), title: some(evil), feed }];
    let look = Presentation {
        title_prefix: "{source}: ".parse().ok(),
        also_at: Line::Content,
        ..Presentation::default()
    };
    for look in [Presentation::default(), look] {
        let output = Output {
            title: evil.to_owned(),
            description: some(evil),
            presentation: look,
            ..output()
        };
        for format in Format::ALL {
            let document = document(&output, *format, &made);
            // A reader that resolves references once and parses everything as HTML.
            let once = document.replace("&#x3C;", "<").replace("&lt;", "<").replace("&gt;", ">");
            for tag in ["<img", "<script", "</script"] {
                assert!(!once.contains(tag), "{format:?} has {tag}: {once}");
            }
        }
    }
}

#[test]
fn authors_and_sources_are_where_every_reader_shows_them() {
    let all = entries();
    let look = Presentation { title_prefix: "{source}: ".parse().ok(), ..Presentation::default() };
    let prefixed = Output { presentation: look, ..output() };
    for format in Format::ALL {
        let named = items(&output(), *format, &all);
        assert_eq!(named[0].authors[0].name, "Alice", "{format:?}");
        assert_eq!(named[1].authors[0].name, "Morning Radio", "nobody is named: the feed is");
        let titles: Vec<_> = items(&prefixed, *format, &all)
            .into_iter()
            .map(|item| item.title.map(|title| title.value).unwrap_or_default())
            .collect();
        assert!(
            titles[0].starts_with("Alice’s Kitchen & Garden: Crème"),
            "{format:?} {}",
            titles[0]
        );
        let hebrew = "\u{2068}Morning Radio\u{2069}: \u{2068}פרק 42:";
        assert!(titles[1].starts_with(hebrew), "{format:?} {:?}", titles[1]);
        assert!(titles[5].starts_with("Carol’s Notes: "), "as the source calls itself");
    }
    let json = document(&output(), Format::Json, &all);
    assert!(!json.split("\"items\"").next().unwrap().contains("author"), "added to every item");
    for format in [Format::Atom, Format::Rss] {
        let xml = document(&output(), format, &all);
        let head = xml.split("<entry").next().unwrap().split("<item>").next().unwrap();
        assert!(!head.contains("rights") && !head.contains("copyright"), "they are the entries'");
    }
}

#[test]
fn c4_every_item_has_a_date_that_readers_believe() {
    let feed = Arc::new(feed(1, "a.example.org", "A"));
    let dated = |published: Option<&str>, updated: Option<&str>| {
        let item = Item { updated: updated.map(at), ..Item::default() };
        let mut made = entry(1, "urn:ex:1", "2025-06-01T00:00:00Z", &feed, item);
        made.item.published = published.map(at);
        made
    };
    let (seen, old) = ("2025-06-01T00:00:00Z", "2024-03-02T10:00:00.9Z");
    let first_seen = Output {
        presentation: Presentation { date: ShownDate::FirstSeen, ..Presentation::default() },
        ..output()
    };
    for (published, updated, shown, late) in [
        (None, None, seen, seen),
        (Some(old), None, "2024-03-02T10:00:00Z", seen),
        (Some("1970-01-01T00:00:00Z"), None, seen, seen),
        (Some("1989-12-31T23:59:59Z"), Some("1988-01-01T00:00:00Z"), seen, seen),
        (Some("2031-01-01T00:00:00Z"), None, seen, seen),
        (Some(old), Some("2023-01-01T00:00:00Z"), "2024-03-02T10:00:00Z", seen),
    ] {
        let made = [dated(published, updated)];
        for format in Format::ALL {
            for (output, expected) in [(output(), shown), (first_seen.clone(), late)] {
                let item = items(&output, *format, &made).remove(0);
                assert_eq!(item.published, Some(at(expected)), "{format:?} {published:?}");
                assert!(item.updated.is_none_or(|updated| updated >= at(expected)), "{format:?}");
            }
        }
    }
    // Every format has the date of a change in addition.
    let made = [dated(Some(old), Some("2025-05-01T00:00:00Z"))];
    for format in Format::ALL {
        let item = items(&output(), *format, &made).remove(0);
        assert_eq!(item.updated, Some(at("2025-05-01T00:00:00Z")), "{format:?}");
    }
}

#[test]
fn c5_an_item_has_one_id_in_every_format_and_keeps_it_whatever_else_changes() {
    let mut all = entries();
    // The same guid in two feeds: the id that the store assigned is used.
    (all[2].item.guid, all[3].item.guid) = (some("1"), some("1"));
    all[4].outward_id = "not an iri".to_owned();
    let ids = |output: &Output, format, all: &[OutputItem]| -> Vec<String> {
        items(output, format, all).into_iter().map(|item| item.id.unwrap()).collect()
    };
    let before = ids(&output(), Format::Atom, &all);
    assert_eq!(before.iter().collect::<HashSet<_>>().len(), all.len());
    assert_eq!(before[0], all[0].outward_id, "a reader that has it from elsewhere shows it once");
    let mut later = all.clone();
    for entry in &mut later {
        let mut moved = (*entry.feed).clone();
        (moved.url, moved.title) = ("https://moved.example.org/".to_owned(), "New".to_owned());
        entry.feed = Arc::new(moved);
        entry.item.title = some("Corrected");
        entry.item.guid = None;
        entry.item.content = None;
        entry.item.details.enclosures.clear();
    }
    let look = Presentation { title_prefix: "x ".parse().ok(), ..Presentation::default() };
    let redone = Output { title: "New".to_owned(), presentation: look, ..output() };
    for format in Format::ALL {
        assert_eq!(ids(&output(), *format, &all), before, "{format:?}");
        assert_eq!(ids(&redone, *format, &later), before, "{format:?}");
        let own = output().self_url(*format);
        assert!(document(&redone, *format, &later).contains(&own), "and so does the feed");
    }
    let forms = |all| parts(&document(&output(), Format::Rss, all), "isPermaLink=", ">").join(" ");
    assert_eq!(forms(&all), forms(&later), "the form of a guid is part of it");
}

fn file(name: &str, media_type: &str, length: Option<u64>) -> Enclosure {
    let (url, media_type) = (format!("https://cdn.example.net/{name}"), media_type.to_owned());
    Enclosure { url, media_type, length, title: None, duration: None }
}

#[test]
fn c6_a_podcast_stays_one() {
    let mut item = Item { title: some("Episode"), ..Item::default() };
    item.details.enclosures = vec![
        file("cover.jpg", "image/jpeg", Some(1)),
        file("notes.pdf", "application/pdf", Some(2)),
        file("ep.mp3", "audio/mpeg", Some(34_216_300)),
        file("ep.opus", "audio/ogg", Some(3)),
        file("player", "text/html", None),
        file("what", "", None),
    ];
    item.details.duration = Some(1830);
    item.details.image =
        Some(Image { url: "https://e.org/c.jpg".to_owned(), width: Some(9), height: None });
    let feed = Arc::new(feed(1, "a.example.org", "A"));
    let made = vec![entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &feed, item)];
    let main = "https://cdn.example.net/ep.mp3";
    for format in Format::ALL {
        let document = document(&output(), *format, &made);
        let item = items(&output(), *format, &made).remove(0);
        let kept = item.enclosures.iter().find(|file| file.url == main).expect("the episode");
        let facts = (&*kept.media_type, kept.length);
        assert_eq!(facts, ("audio/mpeg", Some(34_216_300)), "{format:?}");
        let duration = item.duration.or(kept.duration);
        assert_eq!(duration, Some(1830), "{format:?}");
        for name in ["cover.jpg", "notes.pdf", "ep.opus", "player", "what"] {
            let url = format!("https://cdn.example.net/{name}");
            assert!(document.contains(&url), "{format:?} has lost {name}");
        }
        assert!(document.contains("https://e.org/c.jpg"), "{format:?} has lost the picture");
    }
    let json: serde_json::Value =
        serde_json::from_str(&document(&output(), Format::Json, &made)).unwrap();
    let urls = |list: &serde_json::Value| -> Vec<String> {
        let name = |file: &serde_json::Value| {
            file["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
        };
        list.as_array().unwrap().iter().map(name).collect()
    };
    let item = &json["items"][0];
    assert_eq!(urls(&item["attachments"]), ["ep.mp3", "notes.pdf", "ep.opus"], "enclosures only");
    assert_eq!(urls(&item["_newswire"]["files"]), ["cover.jpg", "player", "what"]);
    let rss = document(&output(), Format::Rss, &made);
    let enclosure = "<enclosure url=\"https://cdn.example.net/ep.mp3\" length=\"34216300\" type=\"audio/mpeg\"/>";
    assert_eq!((rss.matches("<enclosure ").count(), rss.matches(enclosure).count()), (1, 1));
    let atom = document(&output(), Format::Atom, &made);
    let links = parts(&atom, "<link rel=\"enclosure\"", "/>");
    assert_eq!(links.len(), 2, "one to play, one to keep: {links:?}");
    assert!(links[0].contains("ep.mp3") && links[0].contains("length=\"34216300\""));
    for xml in [&atom, &rss] {
        let media = parts(xml, "<media:content ", "/>");
        assert_eq!(media.len(), 6, "all of them");
        assert!(media[5].contains("ep.mp3"), "the last is what some readers keep: {media:?}");
        assert!(media[5].contains("fileSize=") && !xml.contains("media:content length"));
        assert!(xml.contains("<itunes:duration>1830</itunes:duration>"));
        assert!(xml.contains("<itunes:image href=\"https://e.org/c.jpg\"/>"));
    }
}

#[test]
fn c6_an_episode_keeps_its_numbers_transcripts_and_chapters() {
    let mut item = Item { title: some("Episode"), ..Item::default() };
    item.details.enclosures = vec![file("ep.mp3", "audio/mpeg", Some(3))];
    let part = |name: &str, media_type: &str, language: Option<&str>| PodcastFile {
        url: format!("https://cdn.example.net/{name}"),
        media_type: media_type.to_owned(),
        language: language.map(str::to_owned),
    };
    item.details.podcast = Some(Podcast {
        season: Some(2),
        episode: Some(7),
        episode_type: Some(EpisodeType::Bonus),
        explicit: Some(true),
        block: true,
        transcripts: vec![part("7.vtt", "text/vtt", Some("de"))],
        chapters: Some(part("7.json", "application/json+chapters", None)),
        chapter_list: vec![Chapter {
            start: "00:03:07.250".to_owned(),
            title: some("A & B"),
            url: some("https://e.org/b"),
            image: None,
        }],
    });
    let feed = Arc::new(feed(1, "a.example.org", "A"));
    let made = vec![entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &feed, item)];
    for format in [Format::Atom, Format::Rss] {
        let xml = document(&output(), format, &made);
        for part in [
            "<itunes:season>2</itunes:season>",
            "<itunes:episode>7</itunes:episode>",
            "<itunes:episodeType>bonus</itunes:episodeType>",
            "<itunes:explicit>true</itunes:explicit>",
            "<itunes:block>Yes</itunes:block>",
            "<podcast:transcript url=\"https://cdn.example.net/7.vtt\" type=\"text/vtt\" language=\"de\"/>",
            "<podcast:chapters url=\"https://cdn.example.net/7.json\" type=\"application/json+chapters\"/>",
            "xmlns:podcast=\"https://podcastindex.org/namespace/1.0\"",
            "<psc:chapters version=\"1.2\" xmlns:psc=\"http://podlove.org/simple-chapters\">",
            "<psc:chapter start=\"00:03:07.250\" title=\"A &amp; B\" href=\"https://e.org/b\"/>",
        ] {
            assert!(xml.contains(part), "{format:?} has lost {part}");
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&document(&output(), Format::Json, &made)).unwrap();
    let podcast = &json["items"][0]["_newswire"]["podcast"];
    assert_eq!((&podcast["season"], &podcast["episode"]), (&2.into(), &7.into()));
    assert_eq!((&podcast["episode_type"], &podcast["block"]), (&"bonus".into(), &true.into()));
    assert_eq!(podcast["transcripts"][0]["url"], "https://cdn.example.net/7.vtt");
    assert_eq!(podcast["chapters"]["url"], "https://cdn.example.net/7.json");
    assert_eq!(podcast["chapter_list"][0]["start"], "00:03:07.250");
}

#[test]
fn c6_a_picture_alone_is_no_podcast() {
    let mut item = Item { title: some("Photo"), ..Item::default() };
    item.details.enclosures = vec![file("a.jpg", "image/jpeg", Some(1)), file("b", "", None)];
    let feed = Arc::new(feed(1, "a.example.org", "A"));
    let made = vec![entry(1, "urn:ex:1", "2025-01-01T00:00:00Z", &feed, item)];
    for format in [Format::Atom, Format::Rss] {
        let xml = document(&output(), format, &made);
        assert!(!xml.contains("enclosure") && !xml.contains("itunes:image"), "{xml}");
        assert_eq!(xml.matches("<media:content ").count(), 2);
        assert!(!xml.contains("octet-stream"), "nothing is claimed that nobody knows");
    }
    let json = document(&output(), Format::Json, &made);
    assert!(!json.contains("\"attachments\""), "{json}");
    assert!(json.contains("\"image\": \"https://cdn.example.net/a.jpg\""), "{json}");
}

#[tokio::test]
async fn c7_a_feed_that_fails_leaves_no_trace_in_the_output() {
    let world = World::new().await;
    let good = Answer::ok(rss(&[("a", "A")]));
    world.origin.route("good.test", "/feed", [good.clone(), good]);
    world.origin.route(
        "bad.test",
        "/feed",
        [Answer::status(500), Answer::ok("<html>no feed</html>")],
    );
    let urls = [world.origin.url("good.test", "/feed"), world.origin.url("bad.test", "/feed")];
    let engine = world.open(&urls).await;
    for _ in 0..2 {
        poll(&engine, FeedSelection::Due).await;
        assert_eq!(shown_as(&engine, "title"), ["A"]);
        for format in Format::ALL {
            let name = format!("planet.{}", format.extension());
            let document = engine.served().document(&name).unwrap();
            let text = String::from_utf8(document.body.to_vec()).unwrap();
            assert!(!text.contains("bad.test"), "{name}");
        }
        world.clock.advance(24 * HOUR);
    }
    assert!(world.statuses().iter().any(|status| status.failures > 0), "it did fail");
}

#[test]
fn a_title_made_of_text_keeps_its_numbers_or_describes_the_picture() {
    let planet = Arc::new(feed(1, "planet.example", "Planet"));
    let note = "<sup><a href=\"https://h.example/1#n\">1</a></sup>";
    for (content, title, excerpt) in [
        (
            format!(
                "<p>We sold 10<sup>6</sup> boats{note} for <del>100</del><ins>80</ins> euros</p>"
            ),
            "We sold 10⁶ boats for 80 euros",
            "We sold 10⁶ boats for 80 euros",
        ),
        (
            "<img src=\"https://h.example/a.jpg\" alt=\"A gull on a pier\">".to_owned(),
            "A gull on a pier",
            "",
        ),
        ("<img src=\"https://h.example/a.jpg\" alt=\"IMG_1.jpg\">".to_owned(), "Planet", ""),
    ] {
        let item = Item { content: Some(content), ..Item::default() };
        let entries =
            [entry(1, "tag:planet.example,2025:1", "2025-11-20T10:00:00Z", &planet, item)];
        let items = items(&output(), Format::Rss, &entries);
        let made = items[0].title.as_ref().map(|title| &*title.value);
        assert_eq!(made, Some(title));
        assert_eq!(Story::of(&entries[0], &Presentation::default()).excerpt, excerpt);
    }
}
