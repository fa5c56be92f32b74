//! Reading a document, stage by stage, beside the two crates that do the same work without us: feed-rs
//! and ammonia. The stages take turns within one run, so that a busy machine favours none of them.
//! `cargo bench --bench parse -- FILE…`; without files, generated documents.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use newswire::clock::Clock;
use newswire::model::ParsedFeed;
use newswire::normalise;
use newswire::parse::{Input, parse};
use url::Url;

const ROUNDS: usize = 7;

/// What is measured; the last two are the floor.
const STAGES: [(&str, Stage); 4] =
    [("parse", parsed), ("normalise", normalised), ("feed-rs", feed_rs), ("ammonia", ammonia)];

/// One stage of one document: how many items it read.
type Stage = fn(&Document) -> usize;

/// A document with what the later stages start from.
struct Document {
    bytes: Vec<u8>,
    url: Url,
    feed: ParsedFeed,
    /// The HTML of the items as feed-rs reads them.
    html: Vec<String>,
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let paths: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let bodies: Vec<Vec<u8>> = if paths.is_empty() {
        [10, 100, 1000].map(body).to_vec()
    } else {
        paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
    };
    let documents: Vec<Document> = bodies.into_iter().filter_map(document).collect();
    let clock = Clock::system();
    let mut times = [(); 4].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        for (times, (_, stage)) in times.iter_mut().zip(STAGES) {
            let begun = clock.elapsed();
            for document in &documents {
                black_box(stage(black_box(document)));
            }
            times.push(clock.elapsed() - begun);
        }
    }
    let mut out = std::io::stdout();
    let bytes: usize = documents.iter().map(|document| document.bytes.len()).sum();
    let items: usize = documents.iter().map(|document| document.feed.items.len()).sum();
    let medians = times.map(median);
    for (took, (name, _)) in medians.iter().zip(STAGES) {
        let seconds = took.as_secs_f64();
        let (speed, each) = (bytes as f64 / 1e6 / seconds, seconds * 1e6 / items as f64);
        let _ = writeln!(out, "{name:<9} {speed:7.1} MB/s {each:7.1} µs/item {seconds:7.3} s");
    }
    let [parse, normalise, feed_rs, ammonia] = medians.map(|took| took.as_secs_f64());
    let ratio = (parse + normalise) / (feed_rs + ammonia);
    let _ = writeln!(out, "{items} items, {bytes} bytes: {ratio:.2} times feed-rs and ammonia");
}

/// Reads what every stage needs; `None` for what is not a feed.
fn document(bytes: Vec<u8>) -> Option<Document> {
    let url = Url::parse("https://example.org/feed").ok()?;
    let feed = parse(input(&bytes, &url)).ok()?.feed;
    let html = entries(&bytes)
        .into_iter()
        .filter_map(|entry| {
            let content = entry.content.and_then(|content| content.body);
            content.or(entry.summary.map(|summary| summary.content))
        })
        .collect();
    Some(Document { bytes, url, feed, html })
}

fn input<'a>(bytes: &'a [u8], url: &'a Url) -> Input<'a> {
    Input { bytes, content_type: None, url, max_items: 100_000 }
}

/// feed-rs panics on some documents.
fn entries(bytes: &[u8]) -> Vec<feed_rs::model::Entry> {
    let parsing = std::panic::catch_unwind(|| feed_rs::parser::parse(bytes));
    parsing.ok().and_then(Result::ok).map_or_else(Vec::new, |feed| feed.entries)
}

fn parsed(document: &Document) -> usize {
    let parsed = parse(input(&document.bytes, &document.url));
    parsed.map_or(0, |parsed| parsed.feed.items.len())
}

fn normalised(document: &Document) -> usize {
    let context = normalise::Context {
        now: Timestamp::MAX,
        document_url: &document.url,
        feed_language: document.feed.language.as_deref(),
    };
    let items = document.feed.items.iter();
    items.map(|item| usize::from(normalise::item(item, &context).content.is_some())).sum()
}

fn feed_rs(document: &Document) -> usize {
    entries(&document.bytes).len()
}

fn ammonia(document: &Document) -> usize {
    document.html.iter().map(|html| usize::from(!::ammonia::clean(html).is_empty())).sum()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// RSS with this many items, each with some kB of text.
fn body(items: usize) -> Vec<u8> {
    let text =
        "&lt;p&gt;Words of a feed, &lt;b&gt;some of them bold&lt;/b&gt;.&lt;/p&gt; ".repeat(40);
    let item = |n: usize| {
        format!(
            "<item><title>Item {n}</title><link>https://example.org/{n}</link><guid>https://example.org/{n}</guid>\
             <pubDate>Mon, 06 Jan 2025 10:00:00 +0100</pubDate><description>{text}</description></item>"
        )
    };
    let items: String = (0..items).map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Bench</title>{items}</channel></rss>")
        .into_bytes()
}
