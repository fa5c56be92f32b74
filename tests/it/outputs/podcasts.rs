//! Outputs that are podcasts: the rules of Apple Podcasts and Podcasting 2.0, and which items are episodes.

use std::collections::HashSet;
use std::sync::Arc;

use newswire::daemon::FeedSelection;
use newswire::model::{Chapter, Enclosure, EpisodeType, Item, OutputItem, Podcast, PodcastFile};
use newswire::parse::{Input, parse};
use newswire::render::{Format, Output, PodcastCategory, PodcastChannel, Presentation, render};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::Value;
use url::Url;

use super::sample::{entries, entry, feed, output, some};
use crate::docs::{JSON, documented, keys};
use crate::support::origin::Answer;
use crate::support::world::{World, poll, shown_as};

/// `podcast:guid` of `https://wire.example.org/all.rss`, computed by another program.
const GUID: &str = "802a5347-3db0-5635-a601-fbde3171b51a";

fn podcast(category: &str) -> Output {
    let channel = PodcastChannel {
        category: PodcastCategory::named(category).unwrap(),
        explicit: false,
        email: some("radio@example.org"),
    };
    let own = output();
    let presentation = Presentation {
        language: some("en-GB"),
        podcast: Some(channel),
        ..own.presentation.clone()
    };
    Output { presentation, ..own }
}

/// Episodes: one with everything, one whose publisher left out types and counted from zero.
fn episodes() -> Vec<OutputItem> {
    let full = entries().remove(1);
    let file = |name: &str| PodcastFile {
        url: format!("https://cdn.example.net/{name}"),
        media_type: String::new(),
        language: None,
    };
    let mut trailer = Item { title: some("Trailer"), ..Item::default() };
    trailer.details.enclosures = vec![Enclosure {
        url: "https://cdn.example.net/trailer.mp4".to_owned(),
        media_type: "video/mp4".to_owned(),
        length: None,
        title: None,
        duration: Some(61),
    }];
    trailer.details.podcast = Some(Podcast {
        season: Some(0),
        episode: Some(0),
        episode_type: Some(EpisodeType::Trailer),
        explicit: None,
        block: true,
        transcripts: vec![file("trailer.srt"), file("trailer")],
        chapters: Some(file("trailer.json")),
        chapter_list: vec![Chapter { start: "00:00:00".to_owned(), ..Chapter::default() }],
    });
    let feed = Arc::new(feed(7, "film.example.org", "Film"));
    vec![full, entry(7, "urn:ex:trailer", "2025-01-01T00:00:00Z", &feed, trailer)]
}

fn document(output: &Output, format: Format, entries: &[OutputItem]) -> String {
    String::from_utf8(render(output, format, entries)).unwrap()
}

/// An element of an XML document.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn start(element: &BytesStart<'_>) -> Self {
        let attribute = |it: quick_xml::events::attributes::Attribute<'_>| {
            let value = quick_xml::escape::unescape(&it.value).unwrap().into_owned();
            (it.key.as_ref().to_owned(), value)
        };
        Self {
            name: element.name().as_ref().to_owned(),
            attributes: element.attributes().map(|it| attribute(it.unwrap())).collect(),
            ..Self::default()
        }
    }

    /// The root of a document.
    fn read(xml: &str) -> Self {
        let (mut reader, mut open) = (Reader::from_str(xml), vec![Self::default()]);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => open.push(Self::start(&element)),
                Event::Empty(element) => {
                    open.last_mut().unwrap().children.push(Self::start(&element));
                }
                Event::Text(text) => open.last_mut().unwrap().text.push_str(text.trim()),
                Event::End(_) => {
                    let closed = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(closed);
                }
                Event::Eof => return open.remove(0).children.remove(0),
                _ => {}
            }
        }
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The text of the only child of this name; empty if there is none or another one.
    fn text_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.only(name).map_or("", |child| child.text.as_str())
    }

    fn only<'a>(&'a self, name: &'a str) -> Option<&'a Self> {
        self.all(name).next().filter(|_| self.all(name).count() == 1)
    }
}

fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Which rules for the channel the document breaks.
fn broken_by_channel(channel: &Node) -> Vec<&'static str> {
    let picture = channel.only("itunes:image").map_or("", |image| image.attribute("href"));
    let owner = channel.only("itunes:owner");
    let category = channel.only("itunes:category");
    let rules = [
        ("title", !channel.text_of("title").is_empty()),
        ("link", is_web(channel.text_of("link"))),
        ("description", (1..=4_000).contains(&channel.text_of("description").len())),
        ("language", channel.text_of("language").len() >= 2),
        ("itunes:author", !channel.text_of("itunes:author").is_empty()),
        ("itunes:type", ["episodic", "serial"].contains(&channel.text_of("itunes:type"))),
        ("itunes:explicit", ["true", "false"].contains(&channel.text_of("itunes:explicit"))),
        (
            "itunes:image",
            is_web(picture) && [".png", ".jpg"].iter().any(|end| picture.ends_with(end)),
        ),
        ("itunes:category", category.is_some_and(is_category)),
        ("itunes:owner", owner.is_some_and(|owner| owner.text_of("itunes:email").contains('@'))),
        ("podcast:guid", channel.text_of("podcast:guid") == GUID),
        ("item", channel.all("item").next().is_some()),
    ];
    rules.into_iter().filter(|(_, kept)| !kept).map(|(rule, _)| rule).collect()
}

/// Whether a category is one of Apple's, with at most one subcategory of it.
fn is_category(category: &Node) -> bool {
    let subcategories: Vec<&Node> = category.all("itunes:category").collect();
    match (category.attribute("text"), subcategories.as_slice()) {
        ("News", [subcategory]) => subcategory.attribute("text") == "Tech News",
        ("Society & Culture" | "Technology", []) => true,
        _ => false,
    }
}

/// Which rules for episodes the item breaks.
fn broken_by_item(item: &Node) -> Vec<&'static str> {
    let file = item.only("enclosure");
    let file = |name: &'static str| file.map_or("", |file| file.attribute(name));
    let is_number = |text: &str| text.parse::<u32>().is_ok_and(|number| number > 0);
    let optional = |name: &str, is_valid: &dyn Fn(&str) -> bool| {
        item.all(name).next().is_none() || is_valid(item.text_of(name))
    };
    let linked = |name| item.all(name).all(|file| is_web(file.attribute("url")));
    let dated = jiff::fmt::rfc2822::parse(item.text_of("pubDate")).is_ok();
    let rules = [
        ("title", !item.text_of("title").is_empty()),
        ("guid", !item.text_of("guid").is_empty()),
        ("pubDate", dated),
        ("enclosure url", is_web(file("url"))),
        ("enclosure length", file("length").parse::<u64>().is_ok()),
        ("enclosure type", ["audio/mpeg", "audio/x-m4a", "video/mp4"].contains(&file("type"))),
        ("itunes:duration", optional("itunes:duration", &is_number)),
        ("itunes:season", optional("itunes:season", &is_number)),
        ("itunes:episode", optional("itunes:episode", &is_number)),
        (
            "itunes:episodeType",
            optional("itunes:episodeType", &|text| ["full", "trailer", "bonus"].contains(&text)),
        ),
        ("itunes:explicit", optional("itunes:explicit", &|text| ["true", "false"].contains(&text))),
        ("itunes:block", optional("itunes:block", &|text| text == "Yes")),
        ("podcast:transcript url", linked("podcast:transcript")),
        (
            "podcast:transcript type",
            item.all("podcast:transcript").all(|it| it.attribute("type").contains('/')),
        ),
        ("podcast:chapters url", linked("podcast:chapters")),
        (
            "podcast:chapters type",
            item.all("podcast:chapters")
                .all(|it| it.attribute("type") == "application/json+chapters"),
        ),
        ("podcast:chapters", item.all("podcast:chapters").count() <= 1),
    ];
    rules.into_iter().filter(|(_, kept)| !kept).map(|(rule, _)| rule).collect()
}

/// Which rules of the directories the RSS document breaks.
fn broken(xml: &str) -> Vec<&'static str> {
    let root = Node::read(xml);
    let channel = root.only("channel").expect("a channel");
    let mut broken = broken_by_channel(channel);
    let items: Vec<&Node> = channel.all("item").collect();
    broken.extend(items.iter().flat_map(|item| broken_by_item(item)));
    let guids: HashSet<&str> = items.iter().map(|item| item.text_of("guid")).collect();
    if guids.len() < items.len() {
        broken.push("two items with one guid");
    }
    broken
}

#[test]
fn a_podcast_keeps_the_rules_of_the_directories() {
    for category in ["Tech News", "Technology", "Society & Culture"] {
        let xml = document(&podcast(category), Format::Rss, &episodes());
        assert_eq!(broken(&xml), [""; 0], "{xml}");
    }
}

#[test]
fn the_rules_of_the_directories_find_what_is_missing() {
    let plain = Output {
        presentation: Presentation { podcast: None, ..podcast("Technology").presentation },
        ..output()
    };
    let missing = [
        "itunes:author",
        "itunes:type",
        "itunes:explicit",
        "itunes:image",
        "itunes:category",
        "itunes:owner",
        "podcast:guid",
    ];
    let of_channel = |xml: &str| broken_by_channel(Node::read(xml).only("channel").unwrap());
    let missing = [&["language"][..], &missing].concat();
    let undeclared = document(&output(), Format::Rss, &episodes());
    assert_eq!(of_channel(&undeclared), missing, "another output");
    assert_eq!(of_channel(&document(&plain, Format::Rss, &episodes())), missing[1..]);
    let all = document(&podcast("Technology"), Format::Rss, &entries());
    assert!(broken(&all).contains(&"enclosure url"), "an item without a file is no episode");
}

#[test]
fn what_the_source_has_of_an_episode_is_in_the_podcast() {
    let xml = document(&podcast("Tech News"), Format::Rss, &episodes());
    let root = Node::read(&xml);
    let items: Vec<&Node> = root.only("channel").unwrap().all("item").collect();
    let facts = ["itunes:duration", "itunes:season", "itunes:episode", "itunes:explicit"];
    assert_eq!(facts.map(|name| items[0].text_of(name)), ["1830", "3", "42", "false"]);
    assert_eq!(facts.map(|name| items[1].text_of(name)), ["61", "", "", ""], "zero is no number");
    let types: Vec<&str> = items.iter().map(|item| item.text_of("itunes:episodeType")).collect();
    assert_eq!(types, ["full", "trailer"]);
    let blocked: Vec<&str> = items.iter().map(|item| item.text_of("itunes:block")).collect();
    assert_eq!(blocked, ["", "Yes"]);
    let transcript = items[0].only("podcast:transcript").unwrap();
    assert_eq!(transcript.attribute("type"), "text/vtt");
    let kinds: Vec<&str> =
        items[1].all("podcast:transcript").map(|it| it.attribute("type")).collect();
    assert_eq!(kinds, ["application/x-subrip", "text/plain"]);
    assert!(items[1].only("podcast:chapters").is_some() && items[1].only("psc:chapters").is_some());
}

#[test]
fn atom_and_json_feed_name_the_podcast_too() {
    let output = podcast("Tech News");
    let atom = Node::read(&document(&output, Format::Atom, &episodes()));
    let category = atom.only("itunes:category").unwrap();
    assert!(is_category(category) && category.attribute("text") == "News");
    let facts = ["podcast:guid", "itunes:author", "itunes:explicit"];
    assert_eq!(facts.map(|name| atom.text_of(name)), [GUID, "The Editors", "false"]);
    let json: Value = serde_json::from_str(&document(&output, Format::Json, &episodes())).unwrap();
    let found = &json["_newswire"]["podcast"];
    assert_eq!(
        [&found["guid"], &found["category"], &found["subcategory"]],
        [GUID, "News", "Tech News"]
    );
    assert_eq!(keys(found), documented(JSON, "| key of a podcast |"));
    for format in Format::ALL {
        let bytes = render(&output, *format, &episodes());
        let url = Url::parse(&output.self_url(*format)).unwrap();
        let read = parse(Input { bytes: &bytes, content_type: None, url: &url, max_items: 9 });
        assert_eq!(read.unwrap().parse_warnings, [], "{format:?}");
    }
}

#[test]
fn the_channel_is_explicit_while_it_shows_such_an_episode() {
    let explicit = |output: &Output, entries: &[OutputItem]| {
        let root = Node::read(&document(output, Format::Rss, entries));
        root.only("channel").unwrap().text_of("itunes:explicit").to_owned()
    };
    let mut output = podcast("Technology");
    let mut all = episodes();
    assert_eq!(explicit(&output, &all), "false");
    all[0].item.details.podcast.as_mut().unwrap().explicit = Some(true);
    assert_eq!(explicit(&output, &all), "true");
    assert_eq!(explicit(&output, &all[1..]), "false");
    output.presentation.podcast.as_mut().unwrap().explicit = true;
    assert_eq!(explicit(&output, &all[1..]), "true");
}

#[tokio::test]
async fn a_podcast_shows_only_items_with_audio_or_video() {
    let file = |kind: &str| format!("<enclosure url='https://a.test/f' length='9' type='{kind}'/>");
    let items = [
        ("Song", file("audio/mpeg")),
        ("Post", String::new()),
        ("Film", file("video/mp4")),
        ("Picture", file("image/png")),
        ("Paper", file("application/pdf")),
    ];
    let item = |(title, file): &(&str, String)| {
        format!("<item><guid isPermaLink='false'>{title}</guid><title>{title}</title>{file}</item>")
    };
    let items: String = items.iter().map(item).collect();
    let body = format!("<rss version='2.0'><channel><title>A</title>{items}</channel></rss>");
    let world = World::new().await;
    world.origin.route("a.test", "/feed", [Answer::ok(body)]);
    let mut config = world.config(&[world.origin.url("a.test", "/feed")]);
    config.outputs[0].presentation.podcast = podcast("Technology").presentation.podcast;
    let engine = world.open_with(config).await;
    poll(&engine, FeedSelection::Due).await;
    let mut shown = shown_as(&engine, "title");
    shown.sort();
    assert_eq!(shown, ["Film", "Song"]);
}

#[test]
fn the_documentation_lists_every_category() {
    let docs = include_str!("../../../docs/feeds.md");
    let (_, list) = docs.split_once("## Podcasts").expect("a chapter");
    let (list, _) = list.split_once("\n## ").unwrap();
    for name in PodcastCategory::names() {
        let is_listed = list.split(['|', ',', '\n']).any(|listed| listed.trim() == name);
        assert!(is_listed, "{name}");
    }
}
