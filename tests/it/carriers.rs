//! Stories of three to eight carriers and feeds of templates, judged by group: how often a subscriber sees a
//! story, which items share a story wrongly, and whether a published story ever falls apart.
//!
//! The stories are the labelled wire texts of `tests/fixtures/sameness`: both versions of a pair, and
//! further carriers that are edited as papers edit. The items of many stories share 40 feeds with
//! boilerplate. `NEWSWIRE_STORIES` names the folder to use; `cargo test carriers -- --nocapture` prints the
//! figures.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use newswire::daemon::FeedSelection;
use rusqlite::Connection;
use url::Url;

use crate::sameness::{Item, same_pairs};
use crate::support::origin::Answer;
use crate::support::world::{World, poll};

const FEEDS: usize = 40;

/// An item with the story that it tells.
struct Carrier {
    class: String,
    story: String,
    feed: usize,
    item: Item,
}

/// What the groups are worth.
#[derive(Default)]
struct Score {
    stories: usize,
    once: usize,
    right: usize,
    wrong: usize,
    precision: f64,
    recall: f64,
    items: usize,
}

impl Score {
    fn f1(&self) -> f64 {
        let items = self.items as f64;
        let (p, r) = (self.precision / items, self.recall / items);
        2.0 * p * r / (p + r)
    }

    fn shown_once(&self) -> f64 {
        self.once as f64 / self.stories.max(1) as f64
    }

    fn pair_precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }
}

/// Replaces each word that one of `pairs` names.
fn restyled(text: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in pairs {
        text = text.replace(from, to);
    }
    text
}

const STYLE: &[(&str, &str)] = &[
    (" said", " told reporters"),
    ("percent", "per cent"),
    ("kilometres", "km"),
    ("kilometers", "km"),
    ("centre", "center"),
    ("harbour", "harbor"),
    ("colour", "color"),
    ("programme", "program"),
    ("organis", "organiz"),
    ("labour", "labor"),
    ("Prime Minister", "premier"),
    ("“", "\""),
    ("”", "\""),
    (" three ", " 3 "),
    (" four ", " 4 "),
    (" twelve ", " 12 "),
];

/// Weekdays as dates, in the house style of a paper that prints no weekdays.
fn dated(text: &str, published: Option<&str>) -> String {
    let Some(at) = published.and_then(|at| at.parse::<jiff::Timestamp>().ok()) else {
        return text.to_owned();
    };
    let today = jiff::tz::Offset::UTC.to_datetime(at).date();
    (0..6).fold(text.to_owned(), |text, back| {
        let day = today.saturating_sub(jiff::Span::new().days(back));
        text.replace(
            &format!("on {}", day.strftime("%A")),
            &format!("on {}", day.strftime("%b. %-d")),
        )
    })
}

/// The version of paper `n` of a text.
fn edited(item: &Item, other: &Item, n: usize) -> Item {
    let text = item.content.clone().or(item.summary.clone()).unwrap_or_default();
    let paragraphs: Vec<&str> = text.split_inclusive("</p>").collect();
    let title = item.title.clone().unwrap_or_default();
    let other_title = other.title.clone().unwrap_or_default();
    let (title, text) = match n % 6 {
        0 => (format!("{other_title}, officials say"), dated(&text, item.published.as_deref())),
        1 => {
            let most = (paragraphs.len() * 2).div_ceil(3);
            (
                title,
                format!("{}<p>Read the full story on our site.</p>", paragraphs[..most].concat()),
            )
        }
        2 => (other_title, paragraphs[..paragraphs.len().min(2)].concat()),
        3 => (format!("BREAKING: {title}"), restyled(&text, STYLE)),
        4 => {
            let last = paragraphs.len().saturating_sub(1);
            let own = "<p>Our correspondent on the spot adds that people here are waiting for more news.</p>";
            (title, format!("{}{own}{}", paragraphs[..last].concat(), paragraphs[last..].concat()))
        }
        _ => (other_title, dated(&restyled(&text, STYLE), item.published.as_deref())),
    };
    Item { title: Some(title), content: Some(text), summary: None, ..item.clone() }
}

fn stories(folder: &Path) -> Vec<Carrier> {
    let classes = ["wire-abridged", "wire-furniture", "wire-headline", "wire-languages"];
    let pairs = classes.iter().flat_map(|class| {
        let pairs = same_pairs(&folder.join(format!("{class}.toml")));
        pairs.into_iter().map(|pair| ((*class).to_owned(), pair))
    });
    let mut carriers = Vec::new();
    for (at, (class, (name, a, b))) in pairs.enumerate() {
        let edits = (0..at % 6 + 1).map(|n| edited(&a, &b, n + at));
        let items: Vec<Item> = [a.clone(), b.clone()].into_iter().chain(edits).collect();
        for (n, item) in items.into_iter().enumerate() {
            let feed = (at * 7 + n * 3) % FEEDS;
            carriers.push(Carrier { class: class.clone(), story: name.clone(), feed, item });
        }
    }
    carriers
}

/// The frame of a template, its slots as `{0}`, `{1}` and `{2}`.
const FRAMES: &[(&str, &str, &str)] = &[
    (
        "cve",
        "{0}: {1} vulnerability",
        "<p>A flaw was found in {0}. A remote attacker could exploit it by sending a crafted request that \
         triggers {1} in {2}, which leads to a loss of confidentiality and integrity. Users are advised to \
         upgrade to the fixed version as soon as possible. No workaround is known at this time.</p>",
    ),
    (
        "packages",
        "[updates] {0} package updated",
        "<p>An updated package of {0} is available for all supported releases. The update corrects {1} that \
         was reported in {2}. Install it with the package manager and restart the services that use it.</p>",
    ),
    (
        "puzzles",
        "Hints for today's word: {0}",
        "<p>Need help with today's word puzzle? The word begins with the letter of {0}, it has to do with {1} \
         and it rhymes with {2}. Scroll down for the full answer, and come back tomorrow for more hints.</p>",
    ),
    (
        "listings",
        "For rent: flat near {0}",
        "<p>A bright flat near {0} with {1}, close to {2} and to public transport. The kitchen is fitted, the \
         bath has a window, heating is included. Viewings by appointment only, no agents please.</p>",
    ),
    (
        "earnings",
        "{0} reports quarterly results",
        "<p>The maker of {0} reported its results for the quarter before the market opened. Revenue from {1} \
         grew more than analysts had expected, while {2} weighed on the margin. The board confirmed its \
         outlook for the full year and will propose an unchanged dividend.</p>",
    ),
    (
        "horoscopes",
        "Your day: {0}",
        "<p>Today the stars favour {0}. Be careful with {1} in the morning, and do not let {2} spoil your \
         evening. Someone close to you has good news. Your lucky hour comes when you least expect it.</p>",
    ),
    (
        "weather",
        "Weather for {0}",
        "<p>In {0} the day begins with {1}, and from noon on {2} is expected. The wind blows lightly from the \
         west. At night it stays dry with clear spells. The outlook for the rest of the week is unsettled.</p>",
    ),
    (
        "jobs",
        "Job: {0} wanted",
        "<p>We look for people with experience in {0} to join our team. You will work on {1} together with \
         colleagues from {2}. We offer flexible hours, a yearly budget for training and thirty days of \
         holiday. Send us your application with the usual documents.</p>",
    ),
];

/// What fills the slots, by a number.
fn filling(n: usize) -> String {
    const HOW: [&str; 12] = [
        "old", "remote", "silver", "broken", "northern", "quiet", "hidden", "wooden", "rapid",
        "double", "narrow", "public",
    ];
    const WHAT: [&str; 13] = [
        "backup scheduler",
        "path handling",
        "mirror",
        "bridge",
        "garden",
        "printer queue",
        "river",
        "ledger",
        "session cache",
        "market hall",
        "lantern",
        "parser",
        "school",
    ];
    format!("{} {}", HOW[n % HOW.len()], WHAT[n % WHAT.len()])
}

/// Three feeds of each template with 12 items each, of which two tell the same in all three.
fn templates() -> Vec<Carrier> {
    let mut carriers = Vec::new();
    for (class, title, text) in FRAMES {
        for feed in 0..3 {
            for n in 0..12 {
                let what = if n < 2 { n } else { 2 + feed * 10 + n };
                let slots = [filling(what), filling(what * 5 + 3), filling(what * 7 + 1)];
                let fill = |text: &str| {
                    (0..3).fold(text.to_owned(), |text, k| {
                        text.replace(&format!("{{{k}}}"), &slots[k])
                    })
                };
                let item = Item {
                    title: Some(fill(title)),
                    published: Some("2026-03-10T08:00:00Z".to_owned()),
                    content: Some(fill(text)),
                    ..Item::default()
                };
                let (class, story) = ((*class).to_owned(), format!("{class}-{what}"));
                carriers.push(Carrier { class, story, feed: usize::MAX - feed, item });
            }
        }
    }
    carriers
}

fn host(carrier: &Carrier) -> String {
    match usize::MAX - carrier.feed {
        n @ 0..3 => format!("{}{n}-template.test", carrier.class),
        _ => format!("paper{}-wire.test", carrier.feed),
    }
}

/// Row and story of each carrier's item, by address.
fn placed(world: &World) -> HashMap<String, i64> {
    let connection = Connection::open(world.database()).unwrap();
    let mut statement = connection.prepare("SELECT url, story_id FROM item").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Polls all feeds, a tenth at a time in an order of `seed`; returns the groups and which stories fell apart.
async fn grouped(carriers: &[Carrier], seed: u64) -> (HashMap<String, i64>, usize) {
    let mut world = World::new().await;
    world.clock = newswire::clock::Clock::manual("2026-03-11T00:00:00Z".parse().unwrap());
    let mut feeds: BTreeMap<String, String> = BTreeMap::new();
    for (n, carrier) in carriers.iter().enumerate() {
        let host = host(carrier);
        let item = Item {
            url: Some(format!("https://{host}/{n}")),
            guid: None,
            content: carrier.item.content.as_ref().map(|text| {
                format!(
                    "{text}<p>Sign up for the newsletter of {host} and read us every morning.</p>"
                )
            }),
            ..carrier.item.clone()
        };
        feeds.entry(host).or_default().push_str(&item.rss());
    }
    let mut urls: Vec<Url> = Vec::new();
    for (host, items) in &feeds {
        let body = format!(
            "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>\
             <title>{host}</title><link>https://{host}/</link>{items}</channel></rss>"
        );
        world.origin.route(host, "/feed", vec![Answer::ok(body)]);
        urls.push(world.origin.url(host, "/feed"));
    }
    let engine = world.open(&urls).await;
    let mut state = seed;
    urls.sort_by_cached_key(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 20
    });
    let (mut before, mut broken): (HashMap<String, i64>, usize) = (HashMap::new(), 0);
    for some in urls.chunks(urls.len().div_ceil(10)) {
        poll(&engine, FeedSelection::Named(some.iter().map(Url::to_string).collect())).await;
        let now = placed(&world);
        let mut groups: HashMap<i64, i64> = HashMap::new();
        for (url, story) in &before {
            let moved = groups.entry(*story).or_insert(now[url]);
            broken += usize::from(*moved != now[url]);
        }
        before = now;
    }
    (before, broken)
}

fn scores(carriers: &[Carrier], groups: &HashMap<String, i64>) -> BTreeMap<String, Score> {
    let group = |n: usize| groups[&format!("https://{}/{n}", host(&carriers[n]))];
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut stories: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for (n, carrier) in carriers.iter().enumerate() {
        stories.entry((&carrier.class, &carrier.story)).or_default().push(group(n));
        let (mut same, mut together, mut all) = (0, 0, 0);
        for (m, other) in carriers.iter().enumerate() {
            let one = other.story == carrier.story;
            let grouped = group(m) == group(n);
            same += usize::from(one);
            all += usize::from(grouped);
            together += usize::from(one && grouped);
        }
        let score = scores.entry(carrier.class.clone()).or_default();
        score.right += together - 1;
        score.wrong += all - together;
        score.precision += together as f64 / all as f64;
        score.recall += together as f64 / same as f64;
        score.items += 1;
    }
    for ((class, _), mut groups) in stories {
        if groups.len() > 1 {
            groups.sort_unstable();
            groups.dedup();
            let score = scores.get_mut(class).unwrap();
            score.stories += 1;
            score.once += usize::from(groups.len() == 1);
        }
    }
    scores
}

fn total<'s>(scores: impl Iterator<Item = &'s Score>) -> Score {
    scores.fold(Score::default(), |sum, score| Score {
        stories: sum.stories + score.stories,
        once: sum.once + score.once,
        right: sum.right + score.right,
        wrong: sum.wrong + score.wrong,
        precision: sum.precision + score.precision,
        recall: sum.recall + score.recall,
        items: sum.items + score.items,
    })
}

fn line(name: &str, score: &Score) -> String {
    format!(
        "{name:<16} {:>3} of {:>3} stories shown once, pair precision {:.3} ({} wrong), B-cubed F1 {:.3}\n",
        score.once,
        score.stories,
        score.pair_precision(),
        score.wrong / 2,
        score.f1()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carriers_of_a_story_are_shown_once_and_templates_apart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sameness");
    let folders = std::env::var("NEWSWIRE_STORIES").unwrap_or_else(|_| "first,second".to_owned());
    let mut report = String::new();
    let (mut all, mut broken) = (Vec::new(), 0);
    for (seed, folder) in folders.split(',').enumerate() {
        let carriers: Vec<Carrier> =
            stories(&root.join(folder)).into_iter().chain(templates()).collect();
        let (groups, apart) = grouped(&carriers, seed as u64 + 7).await;
        broken += apart;
        let scores = scores(&carriers, &groups);
        for (class, score) in &scores {
            report.push_str(&line(class, score));
        }
        all.extend(scores);
    }
    let wires = total(all.iter().filter(|(class, _)| class.starts_with("wire")).map(|(_, s)| s));
    let all = total(all.iter().map(|(_, score)| score));
    writeln!(report, "{}{}fell apart: {broken}", line("all wires", &wires), line("all", &all))
        .unwrap();
    #[allow(clippy::print_stdout, reason = "the figures are the purpose of the run")]
    {
        println!("{report}");
    }
    assert!(wires.stories >= 30, "{report}");
    assert!(wires.shown_once() >= 0.95, "{report}");
    assert!(all.pair_precision() >= 0.99, "{report}");
    assert_eq!(broken, 0, "{report}");
}
