//! Items of a document and items that are stored: every difference has a parse warning. `NEWSWIRE_CORPUS` names a
//! folder of more documents.

use std::path::Path;

use newswire::daemon::FeedSelection;
use newswire::model::ParseWarning;

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

/// A document that was polled.
struct Counted {
    name: String,
    /// Number of its items, counted by this test.
    items: usize,
    /// Number of items in the store; `None`: the document was refused.
    stored: Option<usize>,
    warnings: Vec<ParseWarning>,
}

impl Counted {
    /// Whether items are missing and no parse warning says why. A warning about something else is not a reason, and the
    /// numbers in the warnings must account for all missing items, unless the document itself is damaged.
    fn is_silent_loss(&self) -> bool {
        const DAMAGED: &[&str] = &[
            "cut",
            "broken_markup",
            "unclosed_quote",
            "unclosed_cdata",
            "too_many_elements",
            "too_deep",
            "junk_after",
        ];
        let Some(stored) = self.stored.filter(|stored| *stored < self.items) else { return false };
        let reported: usize = self.warnings.iter().map(left_out).sum();
        let damaged = self.warnings.iter().any(|warning| DAMAGED.contains(&warning.code.as_ref()));
        stored + reported < self.items && !damaged
    }

    /// The difference in words; `None` if there is none.
    fn difference(&self) -> Option<String> {
        let Self { name, items, stored, warnings } = self;
        let warnings =
            || warnings.iter().map(|it| format!("{}: {}", it.code, it.message)).collect::<Vec<_>>();
        match stored {
            None => Some(format!("{name}: {items} items, refused")),
            Some(stored) if stored == items => None,
            Some(stored) => {
                Some(format!("{name}: {items} items, {stored} stored, {:?}", warnings()))
            }
        }
    }
}

/// The number of items that a parse warning says are left out.
fn left_out(warning: &ParseWarning) -> usize {
    let numbers = warning.message.split(|c: char| !c.is_ascii_digit()).filter(|it| !it.is_empty());
    let mut numbers = numbers.filter_map(|number| number.parse::<usize>().ok());
    match warning.code.as_ref() {
        // "3 items are copies of another item; left out"
        // "2 items have no title, text, link or file; left out"
        "copied_items" | "blank_items" => numbers.next().unwrap(),
        // "document has 1100 items; only the newest 1000 are read"
        "too_many_items" => numbers.next().unwrap() - numbers.next().unwrap(),
        // "an item of the JSON Feed is not an object; left out (2 more)"
        "bad_item" => 1 + numbers.next().unwrap_or_default(),
        _ => 0,
    }
}

/// Polls the documents, each as a feed.
async fn counted(documents: &[(String, Vec<u8>)]) -> Vec<Counted> {
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
        let status = statuses.iter().find(|status| status.info.url == url).unwrap();
        let poll = polled.iter().find(|poll| poll.feed == status.info.key).unwrap();
        Counted {
            name: name.clone(),
            items: items_in(&String::from_utf8_lossy(bytes)),
            stored: (poll.outcome.slug() == "modified").then_some(poll.recorded.new),
            warnings: status.parse_warnings.clone(),
        }
    };
    documents.iter().enumerate().map(of_feed).collect()
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
        ("blank items", rss("<item/><item><x/></item>"), 0),
        ("a cut document", rss(&items()).replace("</rss>", "").replace("</channel>", ""), 5),
        ("no objects", r#"{"version": "https://jsonfeed.org/version/1", "items": [1, {"id": "a", "title": "A"}]}"#.to_owned(), 1),
        ("too many", rss(&(0..1_100).map(item).collect::<String>()), 1_000),
    ];
    let bytes: Vec<(String, Vec<u8>)> = documents
        .iter()
        .map(|(name, document, _)| ((*name).to_owned(), document.clone().into_bytes()))
        .collect();
    let found = counted(&bytes).await;
    for ((name, _, expected), found) in documents.iter().zip(&found) {
        assert_eq!(found.stored, Some(*expected), "{name}: {:?}", found.warnings);
        assert!(!found.is_silent_loss(), "{:?}", found.difference());
    }
}

#[tokio::test]
async fn an_item_that_is_missing_without_its_warning_is_found() {
    // The test counts three items. The last one is a text of the second one, which has a date that is a warning.
    let planted = "<rss version='2.0'><channel><title>F</title><item><title>A</title></item><item><title>B</title>\
        <pubDate>soon</pubDate><description><item>C</item></description></item></channel></rss>";
    let whole = planted.replace("<item>C</item>", "C");
    let documents = [("planted", planted), ("whole", &whole)];
    let documents = documents.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let [planted, whole] = counted(&documents).await.try_into().ok().unwrap();
    assert_eq!((planted.items, planted.stored, planted.warnings.len()), (3, Some(2), 1));
    assert!(planted.is_silent_loss());
    assert_eq!((whole.items, whole.stored), (2, Some(2)));
    assert!(!whole.is_silent_loss() && whole.difference().is_none());
    let copies = |count: usize| {
        let message = format!("{count} items are copies of another item; left out");
        let warnings = vec![ParseWarning::new("copied_items", None, message)];
        Counted {
            warnings,
            ..Counted { name: "copies".to_owned(), items: 5, stored: Some(2), warnings: vec![] }
        }
    };
    assert!(copies(2).is_silent_loss() && !copies(3).is_silent_loss());
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the list of differences is the result")]
async fn every_item_of_the_corpus_is_stored_or_its_absence_has_a_warning() {
    let Some(corpus) = std::env::var_os("NEWSWIRE_CORPUS") else { return };
    let mut documents = Vec::new();
    files(Path::new(&corpus), &mut documents);
    let found = counted(&documents).await;
    let all: usize = found.iter().map(|it| it.items).sum();
    let stored: usize = found.iter().filter_map(|it| it.stored).sum();
    let refused = found.iter().filter(|it| it.stored.is_none() && it.items > 0).count();
    for difference in found.iter().filter_map(Counted::difference) {
        eprintln!("{difference}");
    }
    eprintln!(
        "{} documents, {refused} refused with items, {all} items, {stored} stored",
        found.len()
    );
    let silent: Vec<_> = found.iter().filter(|it| it.is_silent_loss()).collect();
    let silent: Vec<_> = silent.iter().filter_map(|it| it.difference()).collect();
    assert_eq!(silent, [""; 0], "{} of {} documents", silent.len(), documents.len());
    assert!(
        all > 0 && 100 * refused <= documents.len(),
        "{refused} of {} refused",
        documents.len()
    );
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
