//! What it costs to write the items of a first poll, and of re-polls without news.
//!
//! `cargo bench --bench writer`. 300 feeds of 20 items each, with texts of 150 to 600 words, are written as the
//! poll stage writes them. The first line has everything; each line below it leaves one part out, so that the
//! difference is the cost of that part. CPU time is that of the whole process.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench is read by a person")]

mod support;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use newswire::clock::Clock;
use newswire::dedupe::{Facts, Fingerprint, Text};
use newswire::model::{Feed, FeedKey, FetchOutcome, Item, PageOwner, Plan, Reason, ReasonKind};
use newswire::store::{Bytes, Lists, NewItem, PollUpdate, Store, TextIndex, search_words};

use support::Numbers;

const FEEDS: usize = 300;
const ITEMS: usize = 20;
/// Shortest text, in words; the longest has four times as many.
const WORDS: usize = 150;
/// Each line is the fastest of this many runs.
const RUNS: usize = 3;

/// What is left out of each item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    SearchWords,
    Fingerprint,
    Text,
}

fn item(numbers: &mut Numbers, feed: usize, n: usize, now: Timestamp) -> NewItem {
    let guid = format!("tag:feed-{feed}.example,2026:{n}");
    let item = Item {
        guid: Some(guid.clone()),
        url: Some(format!("https://feed-{feed}.example/posts/{n}")),
        title: Some((0..8).map(|_| numbers.word()).collect::<Vec<_>>().join(" ")),
        content: Some(numbers.html(WORDS, 3 * WORDS)),
        published: Some(now),
        ..Item::default()
    };
    let facts = Facts {
        published: item.published,
        seen: now,
        url_key: None,
        page_owner: PageOwner::FeedSite,
    };
    let text = Text::of_item(item.content.as_deref(), None);
    let fingerprint = Fingerprint::new(&item, text, facts, &HashSet::new());
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&((feed * ITEMS + n) as u64).to_be_bytes());
    NewItem {
        identity: digest,
        other_identities: Vec::new(),
        url_key: Some(digest),
        content_digest: digest,
        outward_id: guid.clone(),
        own_id: format!("{guid}:own"),
        first_seen: now,
        text: TextIndex {
            digest: None,
            fingerprint: Some(fingerprint.to_bytes()),
            search_words: search_words(item.title.as_deref(), &item.text()),
        },
        page_owner: PageOwner::FeedSite,
        item,
        dated: None,
        held: None,
        filtered_by: None,
    }
}

fn update(feed: FeedKey, new: Vec<NewItem>, at: Timestamp) -> PollUpdate {
    let reason = Reason { kind: ReasonKind::Interval, text: "interval 1h".to_owned() };
    PollUpdate {
        feed,
        at,
        duration: Duration::from_millis(80),
        outcome: if new.is_empty() { FetchOutcome::NotModified } else { FetchOutcome::Modified },
        status: Some(if new.is_empty() { 304 } else { 200 }),
        redirected_to: None,
        bytes: Bytes { wire: 20_000, body: 90_000 },
        plan: Plan { at, reason, considered: Vec::new() },
        failures: 0,
        response: None,
        address: None,
        trust: None,
        document: None,
        new,
        changed: Vec::new(),
        guid_changes: Vec::new(),
        redated: Vec::new(),
        promises: Vec::new(),
        exonerated: Vec::new(),
        released: Vec::new(),
        shared: None,
    }
}

fn without(mut items: Vec<NewItem>, part: Without) -> Vec<NewItem> {
    for item in &mut items {
        match part {
            Without::Nothing => {}
            Without::SearchWords => item.text.search_words.clear(),
            Without::Fingerprint => item.text.fingerprint = None,
            Without::Text => item.item.content = None,
        }
    }
    items
}

/// CPU time that the writer thread has used so far.
fn writer_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let mut times = tasks.flatten().filter_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        (name.trim() == "store").then_some(times)
    });
    let times = times.next().expect("the writer thread is running");
    let nanoseconds = times.split_whitespace().next().and_then(|time| time.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// Writes all updates, as many at a time as polls run; returns the CPU time of the writer and the time taken.
async fn write(store: &Store, updates: Vec<PollUpdate>, clock: &Clock) -> (Duration, Duration) {
    let (cpu, begun) = (writer_cpu(), clock.elapsed());
    let writes = updates.into_iter().map(|update| store.write_poll(update));
    for counts in join_all(writes).await {
        counts.expect("the database can be written to");
    }
    (writer_cpu() - cpu, clock.elapsed() - begun)
}

/// Measures a first poll and a re-poll in a new database: CPU and wall time of each, and the database's size.
async fn run(
    path: &Path,
    items: &[Vec<NewItem>],
    part: Without,
) -> ([(Duration, Duration); 2], u64) {
    let clock = Clock::system();
    let now = clock.now();
    let store = Store::open(path, clock.clone()).expect("a database");
    let feed = |n| Feed {
        id: None,
        url: format!("https://feed-{n}.example/feed").parse().expect("a URL"),
        title: None,
        tags: Vec::new(),
        removal: Default::default(),
    };
    let feeds = (0..items.len()).map(feed).collect();
    let feeds = store.register(feeds, Lists::Known, now).await.expect("feeds");
    let first = feeds.iter().zip(items);
    let first = first.map(|(feed, items)| update(feed.key, without(items.clone(), part), now));
    let first = write(&store, first.collect(), &clock).await;
    let again = feeds.iter().map(|feed| update(feed.key, Vec::new(), now)).collect();
    let again = write(&store, again, &clock).await;
    drop(store);
    ([first, again], std::fs::metadata(path).expect("a file").len())
}

fn main() {
    let mut numbers = Numbers(7);
    let now = Timestamp::UNIX_EPOCH;
    let items: Vec<Vec<NewItem>> = (0..FEEDS)
        .map(|feed| (0..ITEMS).map(|n| item(&mut numbers, feed, n, now)).collect())
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    println!(
        "{:<22} {:>11} {:>12} {:>13} {:>10}",
        "items", "CPU an item", "wall an item", "CPU a re-poll", "size"
    );
    for (name, part) in [
        ("everything", Without::Nothing),
        ("without search words", Without::SearchWords),
        ("without fingerprint", Without::Fingerprint),
        ("without text", Without::Text),
    ] {
        let runs = (0..RUNS).map(|_| {
            let folder = tempfile::tempdir().expect("a folder");
            runtime.block_on(run(&folder.path().join("newswire.db"), &items, part))
        });
        let ([first, again], bytes) = runs.min_by_key(|(times, _)| times[0].0).expect("a run");
        let each = |time: Duration, count: usize| time.as_secs_f64() * 1e6 / count as f64;
        println!(
            "{name:<22} {:>8.1} µs {:>9.1} µs {:>10.1} µs {:>7.1} MB",
            each(first.0, FEEDS * ITEMS),
            each(first.1, FEEDS * ITEMS),
            each(again.0, FEEDS),
            bytes as f64 / 1e6,
        );
    }
}
