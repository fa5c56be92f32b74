//! Reading, in MB/s, beside feed-rs alone, in turns within one run so that a busy machine favours
//! neither. `cargo bench --bench parse -- FILE…`; without files, documents of its own making.

use std::hint::black_box;
use std::time::Duration;

use newswire::clock::Clock;
use newswire::parse::{Input, parse};
use url::Url;

const ROUNDS: usize = 7;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let documents: Vec<Vec<u8>> = if paths.is_empty() {
        [10, 100, 1000].map(document).to_vec()
    } else {
        paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
    };
    let bytes: usize = documents.iter().map(Vec::len).sum();
    let url = Url::parse("https://example.org/feed").expect("a constant is a URL");
    let newswire = |bytes: &[u8]| {
        let input = Input { bytes, content_type: None, url: &url, max_items: 100_000 };
        parse(input).map_or(0, |parsed| parsed.feed.items.len())
    };
    let feed_rs = |bytes: &[u8]| {
        let parsing = std::panic::catch_unwind(|| feed_rs::parser::parse(bytes));
        parsing.ok().and_then(Result::ok).map_or(0, |feed| feed.entries.len())
    };
    std::panic::set_hook(Box::new(|_| {}));
    let clock = Clock::system();
    let time = |read: &dyn Fn(&[u8]) -> usize| {
        let begun = clock.elapsed();
        let items: usize = documents.iter().map(|document| read(black_box(document))).sum();
        (clock.elapsed() - begun, items)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_items, mut their_items) = (0, 0);
    for _ in 0..ROUNDS {
        let (took, items) = time(&newswire);
        ours.push(took);
        our_items = items;
        let (took, items) = time(&feed_rs);
        theirs.push(took);
        their_items = items;
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let speed = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    let say = |name: &str, took: Duration, items: usize| {
        let (files, speed) = (documents.len(), speed(took));
        let rate = files as f64 / took.as_secs_f64();
        format!("{name:<9} {speed:7.1} MB/s {rate:8.0} documents/s {items:7} items\n")
    };
    let report = say("newswire", ours, our_items)
        + &say("feed-rs", theirs, their_items)
        + &format!("ratio {:.2} of feed-rs's time\n", ours.as_secs_f64() / theirs.as_secs_f64());
    let _ = std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// RSS with this many items, each with some kB of text.
fn document(items: usize) -> Vec<u8> {
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
