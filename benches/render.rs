//! One publication's work on 100 and on 1,000 stories: render each format, read it back and check
//! `cargo bench --bench render`; `cargo bench --bench render -- DATABASE` also selects
//! from a database, and prints the cost per item.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::clock::Clock;
use newswire::model::{
    Category, Enclosure, FeedId, FeedInfo, FeedKey, FeedProfile, Item, ItemKey, OutputItem, Person,
    StoryKey,
};
use newswire::outputs::select;
use newswire::render::{
    Format, Output, OutputIdentity, Page, Presentation, check, render, render_checked,
};
use newswire::store::Reader;
use url::Url;

const ROUNDS: usize = 21;

fn main() {
    let output = output();
    let clock = Clock::system();
    let time = |work: &dyn Fn()| {
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let begun = clock.elapsed();
                work();
                clock.elapsed() - begun
            })
            .collect();
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64() * 1_000.0
    };
    let mut report = format!(
        "{:>5} {:<9} {:>9} {:>10} {:>10} {:>9}\n",
        "items", "format", "kB", "render ms", "check ms", "MB/s"
    );
    for count in [100, 1_000] {
        let entries: Vec<OutputItem> = (0..count).map(entry).collect();
        for &format in Format::ALL {
            let bytes = render(&output, format, &entries);
            let rendering = time(&|| drop(black_box(render(&output, format, black_box(&entries)))));
            let checking = time(&|| {
                check(&output, format, black_box(&bytes), &entries)
                    .expect("what is rendered passes");
            });
            let size = bytes.len() as f64 / 1_000.0;
            let (name, speed) = (format.name(), size / rendering);
            report += &format!(
                "{count:>5} {name:<9} {size:>9.1} {rendering:>10.2} {checking:>10.2} {speed:>9.1}\n"
            );
        }
    }
    // Cargo adds --bench.
    if let Some(database) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        report += &publication(Path::new(&database), &clock);
    }
    let _ = std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes());
}

/// The cost of a publication from this database: select the newest 1,000 items, render every format,
/// read each back.
fn publication(database: &Path, clock: &Clock) -> String {
    let reader = Reader::open(database).expect("the database can be opened");
    let output = Output { items: 1_000, ..output() };
    let (mut selecting, mut rendering, mut count) = (Duration::ZERO, Duration::ZERO, 0);
    for _ in 0..ROUNDS {
        let begun = clock.elapsed();
        let entries = reader
            .read(|reader| select(reader, &output, clock.now()))
            .expect("the database can be read");
        let selected = clock.elapsed();
        let rendered = render_checked(&output, Format::ALL, Page::ALONE, &entries);
        drop(black_box(rendered.expect("what is rendered passes")));
        (selecting, rendering) =
            (selecting + (selected - begun), rendering + (clock.elapsed() - selected));
        count += entries.len();
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count.max(1) as f64;
    format!(
        "{} items of a database, µs an item: select {:.1}, render and check 3 formats {:.1}, both {:.1}\n",
        count / ROUNDS,
        each(selecting),
        each(rendering),
        each(selecting + rendering)
    )
}

fn output() -> Output {
    let url = |text: &str| Url::parse(text).expect("a constant is a URL");
    Output {
        id: "bench".to_owned(),
        title: "Bench".to_owned(),
        description: Some("Many stories".to_owned()),
        link: None,
        author: None,
        formats: Format::ALL.to_vec(),
        directory: None,
        items: 1_000,
        max_age: None,
        per_feed: None,
        per_feed_percent: None,
        min_feeds: None,
        filter: Default::default(),
        rewrite: Default::default(),
        theme: Default::default(),
        token: None,
        presentation: Presentation::default(),
        deltas: false,
        digest: None,
        site: false,
        has_pages: true,
        base_url: url("https://wire.example.org/"),
        identity: OutputIdentity::new("bench", Timestamp::UNIX_EPOCH),
        filtered: None,
        private_feeds: Arc::default(),
    }
}

/// Four kB of text, two authors, tags; one in ten without a title, one in ten a podcast.
fn entry(n: usize) -> OutputItem {
    let number = i64::try_from(n).unwrap_or_default();
    let page = format!("https://blog{}.example.org/posts/{n}?a=1&b=2", n % 50);
    let words =
        "<p>Words of a story &amp; a <a href=\"https://example.org/?x=1&amp;y=2\">link</a>.</p>";
    let published = Timestamp::constant(1_760_000_000, 0) - SignedDuration::from_mins(number * 17);
    let mut item = Item {
        url: Some(page.clone()),
        title: (!n.is_multiple_of(10))
            .then(|| format!("Story {n}: of cabbages & kings, Vec<T> and “more”")),
        summary: n.is_multiple_of(3).then(|| "In short.".to_owned()),
        content: Some(words.repeat(4_000 / words.len())),
        published: Some(published),
        language: Some("en".to_owned()),
        ..Item::default()
    };
    let person = |name: &str| Person { name: name.to_owned(), ..Person::default() };
    item.details.authors = vec![person("Ada"), person("Charles")];
    item.details.categories = ["rust", "feeds", "web"]
        .map(|term| Category { term: term.to_owned(), ..Category::default() })
        .to_vec();
    if n % 10 == 1 {
        item.details.enclosures = vec![Enclosure {
            url: format!("https://cdn.example.org/{n}.mp3"),
            media_type: "audio/mpeg".to_owned(),
            length: Some(34_216_300),
            ..Enclosure::default()
        }];
    }
    let host = format!("blog{}.example.org", n % 50);
    let feed = FeedInfo {
        key: FeedKey(number % 50),
        id: FeedId::new(&host).expect("a host is an id"),
        url: format!("https://{host}/feed"),
        title: format!("Blog {}", n % 50),
        tags: Vec::new(),
        profile: FeedProfile { site_url: Some(format!("https://{host}/")), ..Default::default() },
    };
    OutputItem {
        key: ItemKey(number),
        story: StoryKey(number),
        outward_id: page,
        first_seen: published,
        sort_at: published,
        item,
        feed: Arc::new(feed),
        also: Vec::new(),
    }
}
