//! Bytes from anywhere to every output: what is published passes the check in every format and look.
//!
//! The first byte chooses the look, the rest is either a document, or strings that go straight into
//! an entry, as an old database or a mistake of another room might bring them.
#![no_main]

use std::sync::Arc;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use newswire::model::{
    AlsoAt, Category, Enclosure, OutputItem, FeedId, FeedInfo, FeedKey, FeedProfile, Image, Item,
    ItemKey, Person, SourceInfo, StoryKey,
};
use newswire::normalise::{self, Context};
use newswire::parse::{Input, parse};
use newswire::render::{self, Content, Format, Output, OutputIdentity, Presentation, ShownDate, check, render};
use url::Url;

const SEEN: Timestamp = Timestamp::constant(1_750_000_000, 0);

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let mut entries = if first & 1 == 0 { of_document(bytes) } else { of_strings(bytes) };
    // What the store promises: each entry has its own id.
    let mut seen = std::collections::HashSet::new();
    entries.retain(|entry| seen.insert(entry.outward_id.clone()));
    let output = output(*first, bytes);
    let mut ids: Option<Vec<String>> = None;
    for format in Format::ALL {
        let document = render(&output, *format, &entries);
        if let Err(error) = check(&output, *format, &document, &entries) {
            panic!("{format:?}: {error}\n{}", String::from_utf8_lossy(&document));
        }
        // All readers see the same items.
        let url = Url::parse(&output.self_url(*format)).expect("a constant is a URL");
        let read = parse(Input { bytes: &document, content_type: None, url: &url, max_items: 10_000 });
        let read = read.unwrap_or_else(|error| panic!("{format:?}: {error:?}"));
        let found: Vec<String> = read.feed.items.into_iter().filter_map(|item| item.id).collect();
        let ids = ids.get_or_insert_with(|| found.clone());
        assert_eq!(*ids, found, "{format:?}");
    }
});

fn output(first: u8, bytes: &[u8]) -> Output {
    let bit = |n: u8| first >> n & 1 == 1;
    let text = || String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
    Output {
        id: "planet".to_owned(),
        title: if bit(1) { text() } else { "Planet".to_owned() },
        description: bit(2).then(text),
        link: None,
        author: bit(3).then(text),
        formats: Format::ALL.to_vec(),
        directory: None,
        items: 100,
        max_age: None,
        per_feed: None,
        min_feeds: None,
        per_feed_percent: None,
        token: None,
        filter: Default::default(),
            rewrite: Default::default(),
            theme: Default::default(),
        presentation: Presentation {
            icon: bit(4).then(|| Url::parse("https://e.org/i.png?a&b").expect("a constant is a URL")),
            language: bit(4).then(text),
            content: [Content::Full, Content::Summary, Content::Full, Content::None]
                [usize::from(first >> 5 & 3)],
            title_prefix: bit(5).then(|| "[{source}] ".parse().expect("a constant is a prefix")),
            date: if bit(6) { ShownDate::FirstSeen } else { ShownDate::Published },
            also_at: if bit(7) { render::AlsoAt::Content } else { render::AlsoAt::Links },
            ..Presentation::default()
        },
        deltas: false,
        digest: None,
            site: false,
        has_pages: true,
        base_url: Url::parse("https://wire.example.org/").expect("a constant is a URL"),
        identity: OutputIdentity::new("planet", Timestamp::UNIX_EPOCH),
        filtered: None,
        private_feeds: Arc::default(),
    }
}

/// The whole way: parsed, normalised, published.
fn of_document(bytes: &[u8]) -> Vec<OutputItem> {
    let url = Url::parse("https://example.org/feeds/all.xml").expect("a constant is a URL");
    let Ok(parsed) = parse(Input { bytes, content_type: None, url: &url, max_items: 100 }) else {
        return Vec::new();
    };
    let profile = normalise::profile(&parsed.feed, &url);
    let feed = Arc::new(feed(url.as_str(), profile.title.clone().unwrap_or_default(), profile));
    let language = parsed.feed.language.as_deref();
    let context = Context { now: SEEN, document_url: &url, feed_language: language };
    let items = parsed.feed.items.iter().map(|item| normalise::item(item, &context));
    items.enumerate().map(|(n, item)| entry(n, &feed, item)).collect()
}

/// Strings in every place of two entries.
fn of_strings(bytes: &[u8]) -> Vec<OutputItem> {
    let text = String::from_utf8_lossy(bytes);
    let parts: Vec<&str> = text.split('|').collect();
    let part = |n: usize| parts[n % parts.len()].to_owned();
    let web = |n: usize| format!("https://{}", part(n));
    let profile = FeedProfile {
        title: Some(part(0)),
        site_url: Some(web(1)),
        atom_id: Some(part(2)),
        language: Some(part(3)),
        image: None,
        rights: Some(part(4)),
    };
    let feed = Arc::new(feed(&web(5), part(6), profile));
    let item = |n: usize| {
        let mut item = Item {
            guid: Some(part(n)),
            url: Some(web(n + 1)),
            title: Some(part(n + 2)),
            summary: Some(part(n + 3)),
            content: Some(part(n + 4)),
            published: Timestamp::from_second(i64::try_from(bytes.len()).unwrap_or(0) * 1_000_000).ok(),
            language: Some(part(n + 5)),
            ..Item::default()
        };
        let details = &mut item.details;
        details.authors =
            vec![Person { name: part(n + 6), uri: Some(web(n + 7)), email: Some(part(n)) }];
        details.categories = vec![Category {
            term: part(n + 8),
            scheme: Some(part(n + 9)),
            label: Some(part(n + 10)),
        }];
        let file = |n: usize| Enclosure {
            url: web(n),
            media_type: part(n + 1),
            title: Some(part(n + 2)),
            length: Some(bytes.len() as u64),
            duration: Some(7),
        };
        details.enclosures = vec![file(n), file(n + 3), file(n + 5)];
        details.image = Some(Image { url: web(n + 2), width: Some(1), height: None });
        details.comments = Some(web(n + 3));
        details.via = Some(web(n + 4));
        details.rights = Some(part(n + 5));
        details.source = Some(SourceInfo {
            id: Some(part(n)),
            title: Some(part(n + 1)),
            url: Some(web(n + 2)),
            feed_url: Some(web(n + 3)),
        });
        item
    };
    let mut entries = vec![entry(0, &feed, item(0)), entry(1, &feed, item(7))];
    entries[0].outward_id = part(11);
    entries[0].also = vec![AlsoAt { url: Some(web(8)), title: Some(part(9)), feed }];
    entries
}

fn feed(url: &str, title: String, profile: FeedProfile) -> FeedInfo {
    let id = FeedId::new("a").expect("a constant is an id");
    FeedInfo { key: FeedKey(1), id, url: url.to_owned(), title, tags: Vec::new(), profile }
}

fn entry(n: usize, feed: &Arc<FeedInfo>, item: Item) -> OutputItem {
    let key = i64::try_from(n).unwrap_or_default();
    OutputItem {
        key: ItemKey(key),
        story: StoryKey(key),
        outward_id: format!("urn:ex:{n}"),
        first_seen: SEEN,
        sort_at: SEEN,
        item,
        feed: Arc::clone(feed),
        also: Vec::new(),
    }
}
