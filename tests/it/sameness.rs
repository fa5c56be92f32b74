//! Labelled pairs of items as a subscriber sees them: each item in a separate feed of a local origin,
//! all of them in one output.
//!
//! `tests/fixtures/sameness` has a folder per author with a file per class. `NEWSWIRE_PAIRS` names another
//! folder of the same form; `cargo test labelled -- --nocapture` shows the figures and the errors.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use newswire::daemon::FeedSelection;
use newswire::dedupe::{Similarity, Text, Weights};
use rusqlite::Connection;
use serde::Deserialize;
use url::Url;

use crate::support::origin::Answer;
use crate::support::papers::{in_json, with};
use crate::support::world::{World, poll};

#[derive(Debug, Deserialize)]
struct File {
    pair: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    name: String,
    same: bool,
    feeds: Option<String>,
    #[serde(default)]
    both: bool,
    site_a: Option<String>,
    site_b: Option<String>,
    a: Item,
    b: Item,
    #[serde(default)]
    others_a: Vec<Item>,
    #[serde(default)]
    others_b: Vec<Item>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    pub(crate) title: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) guid: Option<String>,
    pub(crate) published: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) summary: Option<String>,
}

/// The pairs of a file that are the same story in separate feeds, each with its name.
pub(crate) fn same_pairs(path: &Path) -> Vec<(String, Item, Item)> {
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let same = file.pair.into_iter().filter(|pair| pair.same && pair.feeds.is_none());
    same.map(|pair| (pair.name, pair.a, pair.b)).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Item {
    pub(crate) fn rss(&self) -> String {
        let mut rss = String::from("<item>");
        let published = self.published.as_deref().map(|at| {
            let at: jiff::Timestamp = at.parse().unwrap();
            at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        });
        let parts = [
            ("title", self.title.clone()),
            ("link", self.url.clone()),
            ("pubDate", published),
            ("description", self.summary.clone()),
            ("content:encoded", self.content.clone()),
        ];
        for (name, text) in parts {
            if let Some(text) = text {
                write!(rss, "<{name}>{}</{name}>", escaped(&text)).unwrap();
            }
        }
        if let Some(guid) = &self.guid {
            write!(rss, "<guid isPermaLink=\"false\">{}</guid>", escaped(guid)).unwrap();
        }
        rss + "</item>"
    }
}

fn rss(site: Option<&String>, items: &[&Item]) -> Answer {
    let items: String = items.iter().map(|item| item.rss()).collect();
    let link = site.map_or(String::new(), |site| format!("<link>{}</link>", escaped(site)));
    Answer::ok(format!(
        "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>\
         <title>Feed</title>{link}{items}</channel></rss>"
    ))
}

/// A pair with its class and the URLs of its items.
struct Case {
    class: String,
    pair: Pair,
    urls: Vec<Url>,
}

fn cases(folder: &Path, world: &World) -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let class = path.file_stem().unwrap().to_string_lossy().into_owned();
        for pair in file.pair {
            let host = |n: usize| format!("p{:04}-{n}.pair.test", cases.len());
            let url = |n: usize| world.origin.url(&host(n), "/feed");
            let one = pair.feeds.as_deref() == Some("one");
            let urls = if one { vec![url(0)] } else { vec![url(0), url(1)] };
            cases.push(Case { class: class.clone(), pair, urls });
        }
    }
    cases
}

fn all<'a>(first: &'a Item, others: &'a [Item]) -> Vec<&'a Item> {
    [first].into_iter().chain(others).collect()
}

fn script(world: &World, case: &Case) {
    let pair = &case.pair;
    let host = |n: usize| case.urls[n].host_str().unwrap();
    let (a, b) = (all(&pair.a, &pair.others_a), all(&pair.b, &pair.others_b));
    let answers = match (case.urls.len(), pair.both) {
        (1, true) => vec![rss(pair.site_a.as_ref(), &[a, b].concat())],
        (1, false) => vec![rss(pair.site_a.as_ref(), &a), rss(pair.site_a.as_ref(), &b)],
        _ => {
            world.origin.route(host(1), "/feed", vec![rss(pair.site_b.as_ref(), &b)]);
            vec![rss(pair.site_a.as_ref(), &a)]
        }
    };
    world.origin.route(host(0), "/feed", answers);
}

/// The fields of a row that identify the item.
#[derive(Debug, Clone)]
struct Row {
    key: i64,
    story: i64,
    title: Option<String>,
    url: Option<String>,
    guid: Option<String>,
    text: String,
}

/// The rows of each feed.
fn rows(world: &World) -> HashMap<String, Vec<Row>> {
    let connection = Connection::open(world.database()).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT feed.url, item.id, story_id, item.title, item.url, guid, ifnull(content, ifnull(summary, ''))
             FROM item JOIN feed ON feed.id = feed_id JOIN body ON body.item_id = item.id",
        )
        .unwrap();
    let mut found: HashMap<String, Vec<Row>> = HashMap::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let item = Row {
            key: row.get(1).unwrap(),
            story: row.get(2).unwrap(),
            title: row.get(3).unwrap(),
            url: row.get(4).unwrap(),
            guid: row.get(5).unwrap(),
            text: row.get(6).unwrap(),
        };
        found.entry(row.get(0).unwrap()).or_default().push(item);
    }
    found
}

fn letters(text: &str) -> String {
    let mut inside = false;
    let shown = text.chars().filter(|c| {
        inside = *c == '<' || inside && *c != '>';
        !inside
    });
    shown.filter(|c| c.is_alphanumeric()).collect()
}

/// The row of the feed that shows the item.
fn row_of<'a>(rows: &'a [Row], item: &Item) -> Option<&'a Row> {
    let text = letters(item.content.as_deref().or(item.summary.as_deref()).unwrap_or_default());
    let score = |row: &Row| {
        let title = item.title.as_deref().map(letters) == row.title.as_deref().map(letters);
        let shown = letters(&row.text);
        let same = shown.chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
        let text = 2 * same >= text.chars().count().max(shown.chars().count());
        usize::from(title) * 2
            + usize::from(item.url == row.url)
            + usize::from(item.guid == row.guid)
            + usize::from(text) * 3
    };
    rows.iter().max_by_key(|row| score(row))
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    right_same: usize,
    wrong_same: usize,
    missed: usize,
    right_apart: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.right_same += other.right_same;
        self.wrong_same += other.wrong_same;
        self.missed += other.missed;
        self.right_apart += other.right_apart;
    }

    fn precision(&self) -> f64 {
        ratio(self.right_same, self.right_same + self.wrong_same)
    }

    fn recall(&self) -> f64 {
        ratio(self.right_same, self.right_same + self.missed)
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name:<18} {:>4} same found, {:>3} wrongly, {:>3} missed, {:>4} kept apart   precision {:.3}  recall {:.3}",
            self.right_same,
            self.wrong_same,
            self.missed,
            self.right_apart,
            self.precision(),
            self.recall()
        )
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Weights of words, learned from the texts of the pairs.
fn learnt(cases: &[Case]) -> Vec<u8> {
    let items = || cases.iter().flat_map(|case| [&case.pair.a, &case.pair.b]);
    let mut weights = Weights::default();
    for item in items().cycle().take(items().count() * 9) {
        let text = Text::of_item(item.content.as_deref(), None);
        weights.read(&text.own_words(&HashSet::new()));
    }
    weights.learnt().expect("enough texts").to_bytes()
}

/// Source of the weights of words.
#[derive(Clone, Copy, PartialEq)]
enum Weighed {
    ByLength,
    AsLearnt,
}

/// Polls every pair and returns the results.
async fn judge(folder: &Path, weighed: Weighed, similarity: Similarity) -> (Tally, String) {
    let mut world = World::new().await;
    let cases = cases(folder, &world);
    world.clock = newswire::clock::Clock::manual("2026-03-11T00:00:00Z".parse().unwrap());
    for case in &cases {
        script(&world, case);
    }
    let urls: Vec<Url> = cases.iter().flat_map(|case| case.urls.clone()).collect();
    if weighed == Weighed::AsLearnt {
        drop(world.open(&urls).await);
        let connection = Connection::open(world.database()).unwrap();
        let now = world.now().as_millisecond();
        connection
            .execute("INSERT INTO word_weight VALUES (1, ?1, ?2)", (now, learnt(&cases)))
            .unwrap();
    }
    let config = with(world.config(&urls), |settings| settings.similarity = similarity);
    let engine = world.open_with(in_json(config)).await;
    poll(&engine, FeedSelection::All).await;
    let first = rows(&world);
    world.clock.advance(Duration::from_secs(7_200));
    let again = cases.iter().filter(|case| case.urls.len() == 1);
    let again = again.map(|case| case.urls[0].to_string()).collect();
    poll(&engine, FeedSelection::Named(again)).await;
    let (last, ties) = (rows(&world), ties(&world));
    report(&cases, &first, &last, &ties)
}

fn ties(world: &World) -> HashMap<(i64, i64), String> {
    let connection = Connection::open(world.database()).unwrap();
    let mut statement = connection
        .prepare("SELECT item_id, other_id, same_story, rule, score, threshold FROM item_match")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let (item, other): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (same, rule): (bool, String) = (row.get(2)?, row.get(3)?);
        let (score, threshold): (f64, f64) = (row.get(4)?, row.get(5)?);
        let verdict = if same { "same" } else { "apart" };
        Ok(((item, other), format!("{verdict}, {rule} {score:.2} of {threshold:.2}")))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn report(
    cases: &[Case],
    first: &HashMap<String, Vec<Row>>,
    last: &HashMap<String, Vec<Row>>,
    ties: &HashMap<(i64, i64), String>,
) -> (Tally, String) {
    let mut classes: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut errors = String::new();
    let mut owner: HashMap<i64, &str> = HashMap::new();
    let empty = Vec::new();
    for case in cases {
        let (one, of_b) = (case.urls.len() == 1, case.urls.last().unwrap().as_str());
        let of_a = case.urls[0].as_str();
        let before = if one && !case.pair.both { first } else { last };
        let a = row_of(before.get(of_a).unwrap_or(&empty), &case.pair.a);
        let b = row_of(last.get(of_b).unwrap_or(&empty), &case.pair.b);
        let (Some(a), Some(b)) = (a, b) else {
            panic!("{}: an item was not kept", case.pair.name);
        };
        let same = if one { a.key == b.key } else { a.story == b.story };
        let tally = classes.entry(&case.class).or_default();
        match (case.pair.same, same) {
            (true, true) => tally.right_same += 1,
            (true, false) => tally.missed += 1,
            (false, true) => tally.wrong_same += 1,
            (false, false) => tally.right_apart += 1,
        }
        if case.pair.same != same {
            let tie =
                ties.get(&(a.key.max(b.key), a.key.min(b.key))).map_or("no tie", String::as_str);
            let what = if same { "wrongly one" } else { "missed" };
            writeln!(errors, "  {}/{}: {what} ({tie})", case.class, case.pair.name).unwrap();
        }
        for row in case.urls.iter().flat_map(|url| &last[url.as_str()]) {
            if let Some(other) = owner.insert(row.story, &case.pair.name)
                && other != case.pair.name
            {
                classes.entry(&case.class).or_default().wrong_same += 1;
                writeln!(errors, "  {}: one story with {other}", case.pair.name).unwrap();
            }
        }
    }
    let mut total = Tally::default();
    let mut text = String::new();
    for (class, tally) in &classes {
        total.add(*tally);
        writeln!(text, "{}", tally.line(class)).unwrap();
    }
    writeln!(text, "{}\n{errors}", total.line("all")).unwrap();
    (total, text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labelled_pairs_are_matched_with_the_documented_precision_and_recall() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sameness");
    // Each folder is a separate pool by another author.
    let own = vec![own.join("first"), own.join("second"), own.join("third")];
    let folders = std::env::var_os("NEWSWIRE_PAIRS").map_or(own, |path| vec![PathBuf::from(path)]);
    let (mut total, mut text) = (Tally::default(), String::new());
    for folder in folders.iter().filter(|folder| folder.exists()) {
        let (tally, told) = judge(folder, Weighed::ByLength, Similarity::Normal).await;
        total.add(tally);
        writeln!(text, "{}\n{told}", folder.display()).unwrap();
    }
    writeln!(text, "{}", total.line("of all folders")).unwrap();
    #[allow(clippy::print_stdout, reason = "the figures are what one runs it for")]
    {
        println!("{text}");
    }
    let pairs = total.right_same + total.missed + total.wrong_same + total.right_apart;
    assert!(pairs >= 100, "{pairs} pairs");
    assert!(total.precision() >= 0.99 && total.recall() >= 0.90, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn learned_weights_match_as_well_as_weights_by_length() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sameness");
    let (mut total, mut text) = (Tally::default(), String::new());
    for folder in [own.join("second"), own.join("third")] {
        let (tally, told) = judge(&folder, Weighed::AsLearnt, Similarity::Normal).await;
        total.add(tally);
        text.push_str(&told);
    }
    assert!(total.precision() >= 0.99 && total.recall() >= 0.90, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_joins_fewer_labelled_pairs_than_normal_and_loose_no_fewer() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sameness");
    let (mut tallies, mut text) = (Vec::new(), String::new());
    for similarity in [Similarity::Strict, Similarity::Normal, Similarity::Loose] {
        let mut total = Tally::default();
        for folder in [own.join("second"), own.join("third")] {
            total.add(judge(&folder, Weighed::ByLength, similarity).await.0);
        }
        writeln!(text, "{}", total.line(&format!("{similarity:?}"))).unwrap();
        tallies.push(total);
    }
    #[allow(clippy::print_stdout, reason = "the figures are what one runs it for")]
    {
        println!("{text}");
    }
    let [strict, normal, loose] = tallies[..] else { unreachable!("three settings") };
    assert!(strict.recall() < normal.recall() && normal.recall() <= loose.recall(), "{text}");
    assert!(strict.wrong_same <= normal.wrong_same, "{text}");
    assert!(normal.wrong_same <= loose.wrong_same, "{text}");
}
