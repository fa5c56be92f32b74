//! The measures of a set of carriers: how often a story is shown, which items share a story wrongly, and which
//! published stories fall apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::time::Duration;

use newswire::daemon::FeedSelection;
use rusqlite::Connection;
use url::Url;

use crate::sameness::Item;
use crate::support::origin::Answer;
use crate::support::papers::{in_json, with};
use crate::support::world::{World, poll};

pub(super) use newswire::dedupe::Similarity;

/// The class of items that share no story with any other.
pub(super) const OTHER: &str = "other";

/// An item of a feed, with the story that it reports.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    /// Class and name of the story: `wire/lighthouse`.
    pub(super) story: String,
    /// Host of the feed.
    pub(super) host: String,
    /// The first round of polls in which the feed shows the item.
    pub(super) round: usize,
    pub(super) item: Item,
}

impl Carrier {
    /// Whether no other item shares its story.
    pub(super) fn is_other(&self) -> bool {
        self.class() == OTHER
    }

    fn class(&self) -> &str {
        self.story.split_once('/').map_or(&self.story, |(class, _)| class)
    }
}

/// How a set is polled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polls {
    /// Start of the clock.
    pub(super) start: &'static str,
    /// All feeds are polled this many times.
    pub(super) rounds: usize,
    /// Parts in which the feeds of a round are polled, in another order in each round, drawn from `seed`.
    pub(super) parts: usize,
    pub(super) seed: u64,
    pub(super) similarity: Similarity,
    /// Polls at the same time; with 1 the order of arrival, and the figures, are the same in each run.
    pub(super) at_once: usize,
}

/// The figures of one class, or of several.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Score {
    /// Stories with at least two carriers.
    pub(super) stories: usize,
    /// Of these, the stories that are one group without other items.
    once: usize,
    /// Groups in which these stories are shown.
    entries: usize,
    right: usize,
    wrong: usize,
    missed: usize,
    /// Sums over the items, for B-cubed.
    precision: f64,
    recall: f64,
    items: usize,
    /// Items of stories that fell apart.
    pub(super) fell_apart: usize,
}

impl Score {
    fn add(mut self, other: &Self) -> Self {
        self.stories += other.stories;
        self.once += other.once;
        self.entries += other.entries;
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
        self.precision += other.precision;
        self.recall += other.recall;
        self.items += other.items;
        self.fell_apart += other.fell_apart;
        self
    }

    fn f1(&self) -> f64 {
        let items = self.items.max(1) as f64;
        let (p, r) = (self.precision / items, self.recall / items);
        2.0 * p * r / (p + r)
    }

    pub(super) fn shown_once(&self) -> f64 {
        self.once as f64 / self.stories.max(1) as f64
    }

    pub(super) fn entries_per_story(&self) -> f64 {
        self.entries as f64 / self.stories.max(1) as f64
    }

    pub(super) fn pair_precision(&self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    pub(super) fn pair_recall(&self) -> f64 {
        ratio(self.right, self.right + self.missed)
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name:<18} {:>3} of {:>3} shown once ({:.3}), {:.2} entries a story   pairs: precision {:.3} ({} wrong), \
             recall {:.3}   B-cubed F1 {:.3}   {} fell apart\n",
            self.once,
            self.stories,
            self.shown_once(),
            self.entries_per_story(),
            self.pair_precision(),
            self.wrong / 2,
            self.pair_recall(),
            self.f1(),
            self.fell_apart
        )
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// The figures of several sets by class, and their errors.
#[derive(Debug, Default)]
pub(super) struct Report {
    scores: BTreeMap<String, Score>,
    errors: String,
}

impl Report {
    /// Polls a set and adds its figures.
    pub(super) async fn measure(&mut self, carriers: &[Carrier], polls: Polls) {
        let Grouped { groups, fell_apart, ties } = grouped(carriers, polls).await;
        for n in fell_apart {
            self.scores.entry(carriers[n].class().to_owned()).or_default().fell_apart += 1;
        }
        self.count_items(carriers, &groups, &ties);
        self.count_stories(carriers, &groups, &ties);
    }

    /// All classes whose name satisfies `wanted`.
    pub(super) fn total(&self, wanted: impl Fn(&str) -> bool) -> Score {
        let scores = self.scores.iter().filter(|(class, _)| wanted(class));
        scores.fold(Score::default(), |sum, (_, score)| sum.add(score))
    }

    /// The figures as text, with the errors.
    pub(super) fn text(&self, title: &str) -> String {
        let lines: String = self.scores.iter().map(|(class, score)| score.line(class)).collect();
        format!("{title}\n{lines}{}{}", self.total(|_| true).line("all"), self.errors)
    }

    fn count_items(&mut self, carriers: &[Carrier], groups: &[i64], ties: &Ties) {
        for (n, carrier) in carriers.iter().enumerate() {
            let (mut same, mut together, mut all) = (0, 0, 0);
            for (m, other) in carriers.iter().enumerate() {
                let (one, grouped) = (other.story == carrier.story, groups[m] == groups[n]);
                same += usize::from(one);
                all += usize::from(grouped);
                together += usize::from(one && grouped);
                if grouped
                    && !one
                    && n < m
                    && let Some(found) = tie(carrier, other, ties)
                {
                    let (a, b) = (name(carrier), name(other));
                    writeln!(self.errors, "  wrongly one, {found}: {a}  {b}").unwrap();
                }
            }
            let score = self.scores.entry(carrier.class().to_owned()).or_default();
            score.right += together - 1;
            score.wrong += all - together;
            score.missed += same - together;
            score.precision += together as f64 / all as f64;
            score.recall += together as f64 / same as f64;
            score.items += 1;
        }
    }

    fn count_stories(&mut self, carriers: &[Carrier], groups: &[i64], ties: &Ties) {
        let mut members: HashMap<i64, Vec<&Carrier>> = HashMap::new();
        let mut stories: BTreeMap<&str, (&Carrier, Vec<i64>)> = BTreeMap::new();
        for (carrier, group) in carriers.iter().zip(groups) {
            members.entry(*group).or_default().push(carrier);
            stories.entry(&carrier.story).or_insert((carrier, Vec::new())).1.push(*group);
        }
        for (story, (carrier, groups)) in stories {
            if groups.len() < 2 {
                continue;
            }
            let groups: BTreeSet<i64> = groups.into_iter().collect();
            let alone = |group: &i64| members[group].iter().all(|other| other.story == *story);
            let score = self.scores.entry(carrier.class().to_owned()).or_default();
            score.stories += 1;
            score.entries += groups.len();
            score.once += usize::from(groups.len() == 1 && groups.iter().all(alone));
            if groups.len() > 1 {
                let all: Vec<&Carrier> = groups.iter().flat_map(|g| members[g].clone()).collect();
                writeln!(self.errors, "  {story} in {} parts", groups.len()).unwrap();
                for (n, one) in all.iter().enumerate() {
                    for other in &all[n + 1..] {
                        self.errors.push_str(&between(one, other, ties));
                    }
                }
            }
        }
    }
}

/// The comparison of two items.
fn tie<'t>(one: &Carrier, other: &Carrier, ties: &'t Ties) -> Option<&'t String> {
    let url = |carrier: &Carrier| carrier.item.url.clone().unwrap_or_default();
    ties.get(&(url(one), url(other))).or_else(|| ties.get(&(url(other), url(one))))
}

/// The comparison of two items that are not one story, as a line.
fn between(one: &Carrier, other: &Carrier, ties: &Ties) -> String {
    match tie(one, other, ties) {
        Some(found) if !found.starts_with("same") => {
            format!("    {found}: {} / {}\n", name(one), name(other))
        }
        _ => String::new(),
    }
}

fn name(carrier: &Carrier) -> String {
    let Item { title, url, content, .. } = &carrier.item;
    let title: String = title.as_deref().unwrap_or_default().chars().take(16).collect();
    let url = url.as_deref().unwrap_or_default().trim_start_matches("https://");
    format!("{url} '{title}' {}", content.as_deref().unwrap_or_default().len())
}

/// Verdict, rule and score of pairs of items, by their addresses.
type Ties = HashMap<(String, String), String>;

fn ties(world: &World) -> Ties {
    let connection = Connection::open(world.database()).unwrap();
    let query = "SELECT a.url, b.url, same_story, rule, score, threshold FROM item_match
                 JOIN item AS a ON a.id = item_id JOIN item AS b ON b.id = other_id";
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| {
        let (same, rule): (bool, String) = (row.get(2)?, row.get(3)?);
        let (score, threshold): (f64, f64) = (row.get(4)?, row.get(5)?);
        let verdict = if same { "same" } else { "separate" };
        Ok(((row.get(0)?, row.get(1)?), format!("{verdict}, {rule} {score:.2} of {threshold:.2}")))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The result of the polls of a set.
struct Grouped {
    /// The row of the story of each carrier.
    groups: Vec<i64>,
    /// Places of carriers whose published story fell apart.
    fell_apart: Vec<usize>,
    ties: Ties,
}

/// The rows of the stories of the items, by address.
fn placed(world: &World) -> HashMap<String, i64> {
    let connection = Connection::open(world.database()).unwrap();
    let mut statement = connection.prepare("SELECT url, story_id FROM item").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// What each feed shows in each round.
fn script(world: &World, carriers: &[Carrier], rounds: usize) -> Vec<Url> {
    let mut feeds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for carrier in carriers {
        let documents = feeds.entry(&carrier.host).or_insert_with(|| vec![String::new(); rounds]);
        let shown = documents.iter_mut().skip(carrier.round);
        shown.for_each(|document| document.push_str(&carrier.item.rss()));
    }
    let route = |(host, documents): (&str, Vec<String>)| {
        let answers = documents.into_iter().map(|items| {
            Answer::ok(format!(
                "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>\
                 <title>{host}</title><link>https://{host}/</link>{items}</channel></rss>"
            ))
        });
        world.origin.route(host, "/feed", answers.collect::<Vec<_>>());
        world.origin.url(host, "/feed")
    };
    feeds.into_iter().map(route).collect()
}

async fn grouped(carriers: &[Carrier], polls: Polls) -> Grouped {
    let mut world = World::new().await;
    world.clock = newswire::clock::Clock::manual(polls.start.parse().unwrap());
    world.concurrency = polls.at_once;
    let mut urls = script(&world, carriers, polls.rounds);
    let config = with(world.config(&urls), |settings| settings.similarity = polls.similarity);
    let engine = world.open_with(in_json(config)).await;
    let mut state = polls.seed;
    let url = |carrier: &Carrier| carrier.item.url.clone().expect("an address");
    let (mut before, mut fell_apart): (HashMap<String, i64>, Vec<usize>) = Default::default();
    for _ in 0..polls.rounds {
        urls.sort_by_cached_key(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 20
        });
        for some in urls.chunks(urls.len().div_ceil(polls.parts)) {
            poll(&engine, FeedSelection::Named(some.iter().map(Url::to_string).collect())).await;
            let now = placed(&world);
            let mut moved: HashMap<i64, i64> = HashMap::new();
            for (n, url) in carriers.iter().map(url).enumerate() {
                if let Some(story) = before.get(&url)
                    && *moved.entry(*story).or_insert(now[&url]) != now[&url]
                {
                    fell_apart.push(n);
                }
            }
            before = now;
        }
        world.clock.advance(Duration::from_secs(7_200));
    }
    assert_eq!(before.len(), carriers.len(), "every item is kept");
    let groups = carriers.iter().map(|carrier| before[&url(carrier)]).collect();
    Grouped { groups, fell_apart, ties: ties(&world) }
}
