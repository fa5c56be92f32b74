//! Items of a document and items that are stored: every difference has a parse warning. `NEWSWIRE_CORPUS` names a
//! folder of more documents.

use std::path::Path;

use newswire::daemon::FeedSelection;

use crate::support::origin::Answer;
use crate::support::world::{World, poll};

const HOST: &str = "corpus.test";

/// The number of items by their start tags, in a way that shares nothing with the parser.
fn items_in(text: &str) -> usize {
    if text.trim_start().starts_with('{') {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        return value["items"].as_array().map_or(0, Vec::len);
    }
    let mut rest = text;
    let mut count = 0;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")]
            .iter()
            .find(|(open, _)| rest.starts_with(open))
            .map(|(open, close)| {
                rest[open.len()..].find(close).map_or(rest.len(), |end| end + open.len())
            });
        if let Some(end) = skipped {
            rest = &rest[end..];
            continue;
        }
        let name = rest[1..].split(|c: char| c.is_whitespace() || c == '>' || c == '/').next();
        let local = name.unwrap_or_default().rsplit(':').next().unwrap_or_default();
        count += usize::from(local.eq_ignore_ascii_case("item") || local == "entry");
        rest = &rest[1..];
    }
    count
}

/// The documents with the numbers of their items, of stored items, and their parse warnings.
async fn counted(documents: &[(String, Vec<u8>)]) -> Vec<(String, usize, usize, Vec<String>)> {
    let world = World::new().await;
    let path = |n: usize| format!("/{n}");
    for (n, (_, bytes)) in documents.iter().enumerate() {
        world.origin.route(HOST, &path(n), [Answer::ok(bytes.clone())]);
    }
    let urls: Vec<_> = (0..documents.len()).map(|n| world.origin.url(HOST, &path(n))).collect();
    let engine = world.open(&urls).await;
    let polled = poll(&engine, FeedSelection::All).await;
    let statuses = world.statuses();
    let of_feed = |(n, (name, bytes)): (usize, &(String, Vec<u8>))| {
        let url = urls[n].as_str();
        let status = statuses.iter().find(|status| status.info.url == url)?;
        let poll = polled.iter().find(|poll| poll.feed == status.info.key)?;
        let stored = poll.recorded.new;
        let warnings = status.parse_warnings.iter().map(|warning| warning.code.to_string());
        (poll.outcome.slug() == "modified").then(|| {
            (name.clone(), items_in(&String::from_utf8_lossy(bytes)), stored, warnings.collect())
        })
    };
    documents.iter().enumerate().filter_map(of_feed).collect()
}

#[tokio::test]
async fn every_item_is_stored_or_its_absence_has_a_warning() {
    let item = |n: u32| format!("<item><title>T{n}</title><link>https://e.org/x</link></item>");
    let items = || (0..5).map(item).collect::<String>();
    let rss = |inner: &str| {
        format!("<rss version='2.0'><channel><title>F</title>{inner}</channel></rss>")
    };
    let copies = item(1).repeat(3);
    let version = |hour: u32| {
        format!(
            "<entry><id>urn:a:b</id><title>A</title><published>2025-05-01T00:00:00Z</published><updated>2025-05-01T0{hour}:00:00Z</updated></entry>"
        )
    };
    let documents: Vec<(&str, String, usize)> = vec![
        ("one link for all", rss(&items()), 5),
        ("an unclosed element", rss(&format!("<image><url>x</url>{}", items())), 5),
        ("unclosed items", rss(&items().replace("</item>", "")), 5),
        ("a wrapper", rss(&format!("<items>{}</items>", items())), 5),
        ("copies", rss(&copies), 1),
        ("versions", format!("<feed xmlns='http://www.w3.org/2005/Atom'>{}{}</feed>", version(1), version(2)), 1),
        ("blank items", rss("<item/><item><x/></item>"), 1),
        ("a cut document", rss(&items()).replace("</rss>", "").replace("</channel>", ""), 5),
        ("no objects", r#"{"version": "https://jsonfeed.org/version/1", "items": [1, {"id": "a", "title": "A"}]}"#.to_owned(), 1),
        ("too many", rss(&(0..1_100).map(item).collect::<String>()), 1_000),
    ];
    let bytes: Vec<(String, Vec<u8>)> = documents
        .iter()
        .map(|(name, document, _)| ((*name).to_owned(), document.clone().into_bytes()))
        .collect();
    let found = counted(&bytes).await;
    assert_eq!(found.len(), documents.len());
    for ((name, _, expected), (_, items, stored, warnings)) in documents.iter().zip(&found) {
        assert_eq!(stored, expected, "{name}: {warnings:?}");
        assert!(items == stored || !warnings.is_empty(), "{name}: {items} items, {stored} stored");
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the list of differences is the result")]
async fn every_item_of_the_corpus_is_stored_or_its_absence_has_a_warning() {
    let Some(corpus) = std::env::var_os("NEWSWIRE_CORPUS") else { return };
    let mut documents = Vec::new();
    files(Path::new(&corpus), &mut documents);
    let mut silent = Vec::new();
    for (name, items, stored, warnings) in counted(&documents).await {
        if items != stored {
            eprintln!("{name}: {items} items, {stored} stored, {warnings:?}");
            if warnings.is_empty() && stored < items {
                silent.push(name);
            }
        }
    }
    assert_eq!(silent, [""; 0], "{} of {} documents", silent.len(), documents.len());
}

fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
}
