//! A sample selection with everything that is difficult in merged feeds.

use std::sync::Arc;

use jiff::Timestamp;
use newswire::model::{
    AlsoAt, Category, Enclosure, EpisodeType, FeedId, FeedInfo, FeedKey, FeedProfile, Image, Item,
    ItemKey, OutputItem, Person, Podcast, PodcastFile, SourceInfo, StoryKey,
};
use newswire::render::{Format, Output, OutputIdentity, Presentation};
use url::Url;

pub(crate) fn output() -> Output {
    Output {
        id: "all".to_owned(),
        title: "The Daily Wire & Co".to_owned(),
        description: Some("Many <feeds>, one wire".to_owned()),
        link: Some(Url::parse("https://wire.example.org/about").unwrap()),
        author: Some("The Editors".to_owned()),
        formats: Format::ALL.to_vec(),
        directory: None,
        token: None,
        items: 100,
        max_age: None,
        per_feed: None,
        per_feed_percent: None,
        min_feeds: None,
        filter: Default::default(),
        rewrite: Default::default(),
        theme: Default::default(),
        presentation: Presentation {
            icon: Some(Url::parse("https://wire.example.org/icon.png").unwrap()),
            ..Presentation::default()
        },
        deltas: true,
        digest: None,
        site: false,
        has_pages: true,
        base_url: Url::parse("https://wire.example.org/").unwrap(),
        identity: OutputIdentity::new("all", at("2025-11-01T00:00:00Z")),
        filtered: None,
        private_feeds: Arc::default(),
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn feed(key: i64, host: &str, title: &str) -> FeedInfo {
    FeedInfo {
        key: FeedKey(key),
        id: FeedId::new(host).unwrap(),
        url: format!("https://{host}/feed?a=1&b=2"),
        title: title.to_owned(),
        tags: Vec::new(),
        profile: FeedProfile { site_url: Some(format!("https://{host}/")), ..Default::default() },
    }
}

pub(crate) fn entry(
    key: i64,
    id: &str,
    published: &str,
    feed: &Arc<FeedInfo>,
    item: Item,
) -> OutputItem {
    OutputItem {
        key: ItemKey(key),
        story: StoryKey(key),
        outward_id: id.to_owned(),
        first_seen: at(published),
        sort_at: at(published),
        item: Item { published: item.published.or(Some(at(published))), ..item },
        feed: Arc::clone(feed),
        also: Vec::new(),
    }
}

/// Newest first: an article with everything, a podcast, a status, and so on.
pub(crate) fn entries() -> Vec<OutputItem> {
    let mut kitchen = feed(1, "alice.example.com", "Alice’s Kitchen & Garden");
    kitchen.profile.atom_id = some("tag:alice.example.com,2025:feed");
    kitchen.profile.rights = some("© 2025 Alice, CC BY 4.0");
    let mut radio = feed(2, "radio.example.net", "Morning Radio");
    radio.profile.language = some("he");
    let (kitchen, radio) = (Arc::new(kitchen), Arc::new(radio));
    let micro = Arc::new(feed(3, "micro.example.io", "Bob on micro"));
    let mut entries = vec![article(&kitchen), podcast(&radio), status(&micro), bare(&micro)];
    entries.push(hostile(&micro));
    entries.push(copied(&kitchen));
    entries[0].also.push(AlsoAt {
        url: some("https://radio.example.net/on-brulee"),
        title: some("What Alice \u{202e}cooked"),
        feed: radio,
    });
    entries[0].also.push(AlsoAt { url: None, title: None, feed: micro });
    entries
}

fn article(feed: &Arc<FeedInfo>) -> OutputItem {
    let html = "<p>A <a href=\"https://alice.example.com/recipes/9\">recipe</a> with an \
         <img src=\"https://alice.example.com/b.jpg\" alt=\"dish\"> and code: \
         <code>if a &lt; b &amp;&amp; c</code>.</p>";
    let mut item = Item {
        url: some("https://alice.example.com/posts/17?x=1&y=2"),
        title: some("Crème brûlée & “smart” quotes — AT&T’s 5 > 4, <canvas> and &amp;"),
        summary: some("Short: a < b."),
        content: some(html),
        updated: Some(at("2025-11-20T09:30:00.75Z")),
        language: some("en-GB"),
        ..Item::default()
    };
    item.details.authors = vec![
        Person { name: "Alice".to_owned(), uri: some("https://alice.example.com/"), email: None },
        Person { name: "Bob".to_owned(), uri: some("javascript:x"), email: some("b@example.org") },
        Person { email: some("nobody@example.org"), ..Person::default() },
    ];
    item.details.categories = vec![
        Category {
            term: "food".to_owned(),
            scheme: some("urn:x:topics"),
            label: some("Food & Drink"),
        },
        Category { term: " ".to_owned(), ..Category::default() },
        Category { term: "web".to_owned(), ..Category::default() },
    ];
    item.details.comments = some("https://alice.example.com/posts/17#comments");
    item.details.via = some("https://elsewhere.example.org/tip");
    item.details.related = vec![
        "https://elsewhere.example.org/more".to_owned(),
        "https://radio.example.net/on-brulee".to_owned(),
    ];
    item.details.rights = some("Public domain");
    entry(1, "tag:alice.example.com,2025:post-17", "2025-11-20T09:00:00Z", feed, item)
}

fn podcast(feed: &Arc<FeedInfo>) -> OutputItem {
    let mut item = Item {
        url: some("https://radio.example.net/ep/42"),
        title: some("פרק 42: \u{202b}חדשות הבוקר"),
        content: some("<p dir=\"rtl\">שלום עולם</p>"),
        ..Item::default()
    };
    let file = |name: &str, media_type: &str, length| Enclosure {
        url: format!("https://cdn.example.net/{name}"),
        media_type: media_type.to_owned(),
        length,
        title: some("The episode"),
        duration: Some(1830),
    };
    item.details.enclosures = vec![
        file("ep42.mp3", "audio/mpeg", Some(34_216_300)),
        file("42.jpg", "image/jpeg", Some(20_000)),
        file("ep42.opus", "audio/ogg", None),
        file("notes", "", None),
        file("ep42.mp3", "audio/mpeg", Some(34_216_300)),
    ];
    item.details.duration = Some(1830);
    item.details.podcast = Some(Podcast {
        season: Some(3),
        episode: Some(42),
        episode_type: Some(EpisodeType::Full),
        explicit: Some(false),
        block: false,
        transcripts: vec![PodcastFile {
            url: "https://cdn.example.net/ep42.vtt".to_owned(),
            media_type: "text/vtt".to_owned(),
            language: some("he"),
        }],
        chapters: None,
        chapter_list: Vec::new(),
    });
    item.details.image = Some(Image {
        url: "https://radio.example.net/42.jpg".to_owned(),
        width: Some(640),
        height: None,
    });
    entry(2, "https://radio.example.net/ep/42", "2025-11-19T06:00:00Z", feed, item)
}

fn status(feed: &Arc<FeedInfo>) -> OutputItem {
    let text =
        "Just shipped the new build 🦊. It is twice as fast, half the size &amp; was long overdue.";
    let item = Item {
        url: some("https://micro.example.io/@bob/9001"),
        content: Some(format!("<p>{text}</p>")),
        ..Item::default()
    };
    entry(3, "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", "2025-11-18T22:15:07Z", feed, item)
}

/// An item with only a title and an invalid URL.
fn bare(feed: &Arc<FeedInfo>) -> OutputItem {
    let item = Item { title: some("Only a title"), url: some("/relative"), ..Item::default() };
    entry(4, "urn:uuid:5f1f2b0e-7a43-5f4e-9d43-0b9c6f1f7a01", "2025-11-17T10:00:00Z", feed, item)
}

/// Control characters, the end of a CDATA section, and a date before 1990.
fn hostile(feed: &Arc<FeedInfo>) -> OutputItem {
    let item = Item {
        url: some("https://micro.example.io/@bob/8999"),
        title: some("Bell \u{7} and ]]> and\r\nnull \u{0}\u{85}\u{fffd} end"),
        content: some("<p>x ]]&gt; y \u{1b}[31m z\u{fffe}</p>"),
        language: some("not a language!"),
        published: Some(Timestamp::UNIX_EPOCH),
        ..Item::default()
    };
    entry(5, "tag:micro.example.io,2025:status/8999", "2025-11-16T10:00:00Z", feed, item)
}

/// An item of a merged feed: its source is kept.
fn copied(feed: &Arc<FeedInfo>) -> OutputItem {
    let mut item = Item {
        url: some("https://carol.example.org/p/1"),
        title: some("Carol’s first"),
        summary: some("Only a summary, 1 < 2."),
        ..Item::default()
    };
    item.details.source = Some(SourceInfo {
        id: None,
        title: some("Carol’s Notes"),
        url: some("https://carol.example.org/"),
        feed_url: some("https://carol.example.org/rss"),
    });
    entry(6, "https://carol.example.org/p/1", "2025-11-01T10:00:00Z", feed, item)
}
