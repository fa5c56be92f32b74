//! Filters: what a feed keeps out is counted with its rule, and the recipes of the documentation work.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use newswire::config::{self, Config, Style};
use newswire::daemon::FeedSelection;
use newswire::model::{Category, Enclosure, FeedId, Filter, Item, Person, Subject};
use newswire::store::Reader;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{configured, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::papers::{Story, rss};
use crate::support::world::{World, poll, shown};

/// Five items, of which two are Shorts and one is an advertisement.
fn videos() -> Answer {
    let titles = ["A film", "Short one", "Sponsored: soap", "Short two", "A talk"];
    let video = |(n, title): (usize, &&'static str)| Story {
        guid: ["0", "1", "2", "3", "4"][n],
        title,
        link: match title.starts_with("Short") {
            true => format!("https://www.youtube.com/shorts/{n}"),
            false => format!("https://www.youtube.com/watch?v={n}"),
        },
        text: format!("Description of the video number {n}"),
        date: "Sun, 01 Jun 2025 08:00:00 GMT",
    };
    rss(&titles.iter().enumerate().map(video).collect::<Vec<_>>())
}

const FILTERS: &str =
    "exclude = [{ links = [\"youtube.com/shorts/\"] }, { title = \"^Sponsored\" }]\n";
const BY_LINK: &str = "exclude = { links = [\"youtube.com/shorts/\"] }";
const BY_TITLE: &str = "exclude = { title = \"^Sponsored\" }";

/// The filters of a feed with this line.
fn filters(line: &str) -> std::sync::Arc<[Filter]> {
    let text = format!("version = 1\n[[feed]]\nurl = \"https://a.test/\"\n{line}");
    read(&text).subscriptions[0].filters.clone()
}

fn read(text: &str) -> Config {
    let loaded = config::read(text.to_owned(), Path::new("newswire.toml"), Path::new("/state"));
    loaded.config.unwrap_or_else(|| panic!("{}\n{text}", loaded.report.draw(Style::Plain)))
}

#[tokio::test]
async fn what_a_feed_keeps_out_is_stored_and_counted_by_rule() {
    let world = World::new().await;
    world.origin.route("tube.test", "/feed", [videos()]);
    let url = world.origin.url("tube.test", "/feed");
    let mut config = world.config(std::slice::from_ref(&url));
    for subscription in &mut config.subscriptions {
        subscription.filters = filters(FILTERS);
    }
    let engine = world.open_with(config).await;
    let polled = poll(&engine, FeedSelection::All).await;
    let recorded = polled[0].recorded;
    assert_eq!((recorded.new, recorded.filtered, recorded.held), (2, 3, 0));
    let titles = |shown: Vec<Value>| {
        let mut titles: Vec<String> =
            shown.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect();
        titles.sort();
        titles
    };
    assert_eq!(titles(shown(&engine)), ["A film", "A talk"]);
    let status = world.status();
    assert_eq!((status.activity.filtered, status.activity.held, status.items), (3, 0, 2));
    let reader = Reader::open(&world.database()).unwrap();
    let rules = reader.read(|reader| reader.filtered_by_rule(status.info.key)).unwrap();
    assert_eq!(rules, [(BY_LINK.to_owned(), 2), (BY_TITLE.to_owned(), 1)]);
    // They are known: they are neither new nor counted again.
    world.clock.advance(crate::support::world::HOUR * 2);
    let again = poll(&engine, FeedSelection::All).await;
    assert_eq!((again[0].recorded.new, again[0].recorded.filtered), (0, 0));
    assert_eq!(world.status().activity.filtered, 3);
}

#[tokio::test]
async fn filtered_items_do_not_count_towards_the_burst_guard() {
    let world = World::new().await;
    world.origin.route("tube.test", "/feed", [videos()]);
    let url = world.origin.url("tube.test", "/feed");
    let mut config = world.config(std::slice::from_ref(&url));
    config.subscriptions[0].filters = filters(FILTERS);
    let dedupe = newswire::dedupe::Settings { initial_items: 2, ..Default::default() };
    config.subscriptions[0].dedupe = std::sync::Arc::new(dedupe);
    let engine = world.open_with(config).await;
    let recorded = poll(&engine, FeedSelection::All).await[0].recorded;
    assert_eq!((recorded.new, recorded.filtered, recorded.held), (2, 3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_what_filters_take() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/feed", [videos()]);
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let file = folder.path().join("newswire.toml");
    let open = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{open}{FILTERS}")).unwrap();
    let run = |arguments: &[&str]| {
        let run = newswire(folder.path(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
        run.out
    };
    let dry = run(&["poll", "--dry-run"]);
    assert!(dry.contains("2 new, 0 changed, 3 filtered"), "{dry}");
    let line = format!("\"Short one\" (127.0.0.1-feed): filtered by {BY_LINK}");
    assert!(dry.contains(&line), "{dry}");
    assert!(run(&["poll", "--force"]).contains("2 new, 0 changed, 3 filtered"));
    let why = run(&["why", "127.0.0.1-feed"]);
    assert!(why.contains(&format!("filtered       2 items by {BY_LINK}\n")), "{why}");
    let json: Value = serde_json::from_str(&run(&["why", "127.0.0.1-feed", "--json"])).unwrap();
    assert_eq!(json["filtered"][1]["rule"], BY_TITLE);
    let item = run(&["why", "https://www.youtube.com/shorts/1"]);
    assert!(item.contains(&format!("its feed filters it by {BY_LINK}")), "{item}");
    let status: Value = serde_json::from_str(&run(&["status", "--json"])).unwrap();
    assert_eq!(status["feeds"][0]["filtered_items"], 3);
    // Another filter is tried on what is stored: in the feed, and in the output.
    let other = "exclude = { title = \"film\" }\n";
    let output = "id = \"planet\"\nexclude = { title = \"talk\" }\n";
    let new = format!("{open}{other}").replace("id = \"planet\"\n", output);
    std::fs::write(folder.path().join("new.toml"), new).unwrap();
    let replay = run(&["replay", "--config", "new.toml"]);
    let taken = "filter of feeds: exclude = { title = \"film\" }\n  would keep out 1 of 5 items";
    assert!(replay.contains(taken) && replay.contains("  - A film (127.0.0.1-feed)"), "{replay}");
    assert!(replay.contains("the output filters it by exclude = { title = \"talk\" }"), "{replay}");
    // The operator wants them after all.
    let released = run(&["release", "127.0.0.1-feed", "--filtered"]);
    assert_eq!(released, "127.0.0.1-feed: 3 items released\n");
    let status: Value = serde_json::from_str(&run(&["status", "--json"])).unwrap();
    assert_eq!(status["feeds"][0]["filtered_items"], 0);
    assert!(!run(&["why", "https://www.youtube.com/shorts/1"]).contains("filters it"));
}

/// A folder whose database has this number of items, and the codes that `check` reports for a config made from its config.
async fn with_items(count: usize) -> (TempDir, String, impl Fn(String) -> Vec<String>) {
    let origin = Origin::start().await;
    let texts: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    let item = |guid| Story {
        guid,
        title: "Harbour news",
        link: format!("https://a.test/{guid}"),
        text: format!("Text number {guid}"),
        date: "Sun, 01 Jun 2025 08:00:00 GMT",
    };
    let items: Vec<Story<'_>> = texts.iter().map(String::as_str).map(item).collect();
    origin.route("127.0.0.1", "/feed", [rss(&items)]);
    let folder = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let file = folder.path().join("newswire.toml");
    let open = std::fs::read_to_string(&file).unwrap();
    let linked = "id = \"planet\"\nlink = \"https://planet.example/\"\n";
    let open = open.replace("id = \"planet\"\n", linked) + "initial_items = 200\n";
    std::fs::write(&file, &open).unwrap();
    assert_eq!(newswire(folder.path(), &["poll"]).code, 0);
    let path = folder.path().to_owned();
    let codes = move |text: String| -> Vec<String> {
        std::fs::write(&file, text).unwrap();
        let json = newswire(&path, &["check", "--json"]).out;
        let json: Value = serde_json::from_str(&json).unwrap();
        let code = |diagnostic: &Value| diagnostic["code"].as_str().unwrap().to_owned();
        json.as_array().unwrap().iter().map(code).collect()
    };
    (folder, open, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn check_warns_of_filters_that_match_none_or_all_of_the_stored_items() {
    let (_folder, open, codes) = with_items(120).await;
    assert_eq!(codes(open.clone()), [""; 0]);
    let with = |line: &str| format!("{open}{line}");
    assert_eq!(codes(with("exclude = { title = \"habour\" }\n")), ["filter_matches_nothing"]);
    assert_eq!(codes(with("exclude = { title = \"Harbour\" }\n")), ["filter_matches_all"]);
    assert_eq!(codes(with("exclude = { content = \"number 7\" }\n")), [""; 0]);
    let output =
        |line: &str| open.replace("id = \"planet\"\n", &format!("id = \"planet\"\n{line}"));
    assert_eq!(codes(output("include = { links = [\"b.test\"] }\n")), ["filter_matches_nothing"]);
    assert_eq!(codes(output("include = { links = [\"a.test\"] }\n")), ["filter_matches_all"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_few_items_check_warns_only_of_filters_that_leave_none() {
    let (_folder, open, codes) = with_items(12).await;
    let output =
        |line: &str| open.replace("id = \"planet\"\n", &format!("id = \"planet\"\n{line}\n"));
    for (line, expected) in [
        ("exclude = { title = \"rare\" }", &[][..]),
        ("include = { links = [\"a.test\"] }", &[]),
        ("include = [{ title = \"rare\" }, { title = \"new\" }]", &[]),
        ("exclude = { title = \"new\" }", &["filter_matches_all"]),
        ("include = { title = \"rare\" }", &["filter_matches_nothing"]),
    ] {
        assert_eq!(codes(output(line)), expected, "{line}");
    }
    let of_feed = |line: &str| format!("{open}{line}\n");
    assert_eq!(codes(of_feed("include = { title = \"rare\" }")), ["filter_matches_all"]);
    assert_eq!(codes(of_feed("exclude = { title = \"rare\" }")), [""; 0]);
}

#[test]
fn filters_of_server_and_list_apply_in_addition() {
    let folder = empty_folder();
    let list = folder.path().join("list");
    std::fs::write(&list, "https://www.youtube.com/feeds/a\nhttps://b.test/\n").unwrap();
    let config = read(&format!(
        "version = 1\n[[server]]\nhost = \"youtube.com\"\nexclude = {{ links = [\"/shorts/\"] }}\n\
         [[subscriptions]]\nfile = {list:?}\ninclude = {{ languages = [\"en\"] }}\n\
         [[feed]]\nurl = \"https://www.youtube.com/feeds/a\"\nexclude = {{ title = \"x\" }}\n\
         [[feed]]\nurl = \"https://c.test/\"\n"
    ));
    let rules: BTreeMap<String, Vec<String>> = config
        .subscriptions
        .iter()
        .map(|subscription| {
            let tables = subscription.filters.iter().flat_map(Filter::tables);
            let host = subscription.feed.url.host_str().unwrap().to_owned();
            (host, tables.map(|table| table.text.clone()).collect())
        })
        .collect();
    let (own, list) = ("exclude = { title = \"x\" }", "include = { languages = [\"en\"] }");
    assert_eq!(rules["www.youtube.com"], [own, list, "exclude = { links = [\"/shorts/\"] }"]);
    assert_eq!(rules["b.test"], [list]);
    assert_eq!(rules["c.test"], [""; 0]);
}

#[tokio::test]
async fn rewriting_changes_links_and_titles_and_no_identity() {
    let world = World::new().await;
    let text = "See &lt;a href=\"https://b.test/?utm_source=a&amp;amp;id=1\"&gt;this&lt;/a&gt;";
    let item = Story {
        guid: "1",
        title: "[Ad] A ship",
        link: "https://a.test/1?id=2&amp;utm_medium=feed".to_owned(),
        text: text.to_owned(),
        date: "Sun, 01 Jun 2025 08:00:00 GMT",
    };
    world.origin.route("a.test", "/feed", [rss(&[item])]);
    let url = world.origin.url("a.test", "/feed");
    let mut config = world.config(std::slice::from_ref(&url));
    let mut seen = Vec::new();
    let section =
        "[[output]]\nid = \"a\"\nstrip_tracking = true\ntitle_replace = [['^\\[Ad\\] ', '']]\n";
    for rewrite in
        [Default::default(), read(&format!("version = 1\n{section}")).outputs[0].rewrite.clone()]
    {
        config.outputs[0].rewrite = rewrite;
        let engine = world.open_with(config.clone()).await;
        poll(&engine, FeedSelection::All).await;
        engine.publish().await.unwrap();
        seen.push(shown(&engine));
        world.clock.advance(crate::support::world::HOUR * 2);
    }
    let [before, after] = &seen[..] else { panic!("two") };
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_eq!(before[0]["id"], after[0]["id"]);
    assert_eq!(before[0]["url"], "https://a.test/1?id=2&utm_medium=feed");
    assert_eq!(after[0]["url"], "https://a.test/1?id=2");
    assert_eq!(
        (&before[0]["title"], &after[0]["title"]),
        (&"[Ad] A ship".into(), &"A ship".into())
    );
    let html = after[0]["content_html"].as_str().unwrap();
    assert!(html.contains("href=\"https://b.test/?id=1\""), "{html}");
}

/// An item with a title.
fn titled(title: &str) -> Item {
    Item {
        title: Some(title.to_owned()),
        url: Some("https://news.test/a".to_owned()),
        content: Some("<p>words</p>".repeat(150)),
        ..Item::default()
    }
}

fn linked(url: &str) -> Item {
    Item { url: Some(url.to_owned()), ..titled("A title") }
}

fn by(name: &str) -> Item {
    let mut item = titled("A title");
    item.details.authors = vec![Person { name: name.to_owned(), ..Person::default() }];
    item
}

fn about(term: &str) -> Item {
    let mut item = titled("A title");
    item.details.categories = vec![Category { term: term.to_owned(), ..Category::default() }];
    item
}

fn in_language(tag: Option<&str>) -> Item {
    Item { language: tag.map(str::to_owned), ..titled("A title") }
}

fn with_file(media_type: &str) -> Item {
    let mut item = titled("A title");
    let url = "https://news.test/file".to_owned();
    let media_type = media_type.to_owned();
    item.details.enclosures = vec![Enclosure { url, media_type, ..Enclosure::default() }];
    item
}

fn of_length(words: usize, item: Item) -> Item {
    Item { content: Some("<p>word </p>".repeat(words)), ..item }
}

fn aged(days: u64) -> Item {
    let age = Duration::from_secs(days * 86_400);
    Item { published: Some(now() - age), ..titled("A title") }
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn titles(titles: &[&str]) -> Vec<Item> {
    titles.iter().map(|title| titled(title)).collect()
}

/// A recipe, items that pass, and items that do not. The items are in the feed `link-blog`.
type Sample = (&'static str, Vec<Item>, Vec<Item>);

/// Samples of the kinds of posts that are excluded most often.
fn samples_of_kinds() -> Vec<Sample> {
    vec![
        (
            "YouTube Shorts",
            vec![linked("https://www.youtube.com/watch?v=1"), titled("Shorts for summer")],
            vec![linked("https://www.youtube.com/shorts/1"), titled("Look! #shorts")],
        ),
        (
            "Sponsored posts",
            titles(&["Who sponsored the match?", "Werbungskosten erklärt"]),
            vec![titled("[Sponsored] Soap"), titled("Anzeige: Seife"), about("Advertorial")],
        ),
        (
            "Sites with a paywall",
            vec![linked("https://notft.com/a"), linked("https://a.test/?u=ft.com")],
            vec![linked("https://www.nytimes.com/a"), linked("https://ft.com/a")],
        ),
        (
            "Only some languages",
            vec![in_language(Some("en-GB")), in_language(Some("de"))],
            vec![in_language(Some("fr")), in_language(None)],
        ),
        (
            "All but one language",
            vec![in_language(Some("en")), in_language(None)],
            vec![in_language(Some("ja")), in_language(Some("ja-JP"))],
        ),
        (
            "Short notes",
            vec![of_length(21, titled("A title"))],
            vec![of_length(20, titled("A title")), of_length(0, titled("A title"))],
        ),
        (
            "Reposts",
            titles(&["RTFM", "Reporter wins a prize"]),
            titles(&["RT @ann: hello", "RT by @ann: hello", "🔁 hello", "Reposted hello"]),
        ),
        (
            "Live blogs",
            vec![titled("Live music in Bern"), linked("https://news.test/living/a")],
            vec![
                titled("Live: the election"),
                titled("Election liveblog"),
                titled("Storm: live updates"),
                titled("The match, as it happened"),
                linked("https://news.test/live/2026/a"),
            ],
        ),
    ]
}

/// Samples of files, dates, authors and advertisements.
fn samples_of_facts() -> Vec<Sample> {
    vec![
        (
            "Horoscopes and puzzles",
            titles(&["Stars over Bern", "A wordless film"]),
            titles(&["Your horoscope for June", "Today's Wordle answer", "Crossword 1234"]),
        ),
        (
            "Deals",
            titles(&["A trade deal is signed", "Profit falls 20%"]),
            vec![titled("Best deals today"), titled("Headphones 20% off"), about("Deals")],
        ),
        (
            "Job advertisements",
            titles(&["Why hiring is hard"]),
            vec![titled("Acme (YC S20) Is Hiring"), titled("[Hiring] A cook"), about("Jobs")],
        ),
        (
            "Podcasts only",
            vec![with_file("audio/mpeg")],
            vec![with_file("image/png"), titled("A title")],
        ),
        (
            "No podcasts",
            vec![with_file("image/png"), titled("A title")],
            vec![with_file("audio/mpeg")],
        ),
        ("Old items", vec![aged(0), aged(30), titled("undated")], vec![aged(31), aged(4_000)]),
        (
            "Certain authors",
            vec![by("Grace Hopper"), by("ada lovelace")],
            vec![by("Alan Turing"), titled("A title")],
        ),
    ]
}

/// Samples of authors, words, categories and links.
fn samples_of_words() -> Vec<Sample> {
    let untitled = Item { title: None, ..titled("") };
    let mentions = Item { content: Some("<p>Meet Ferris!</p>".to_owned()), ..titled("A crab") };
    vec![
        ("All but one author", vec![by("Ada"), titled("A title")], vec![by("Newsroom Bot")]),
        (
            "A word in the title or the text",
            vec![titled("Ferris the crab"), mentions],
            titles(&["A Ferrisburgh man", "Another title"]),
        ),
        (
            "Certain categories",
            vec![about("Linux"), about("Open Source")],
            vec![about("Linux kernel"), titled("A title")],
        ),
        ("Items without a title", titles(&["A title"]), vec![untitled]),
        (
            "Items that one feed repeats of another",
            vec![linked("https://news.test/a")],
            vec![linked("https://blog.rust-lang.org/2026/a.html")],
        ),
        (
            "Short sports news",
            vec![of_length(101, about("Sports")), of_length(9, about("Politics"))],
            vec![of_length(100, about("Sports"))],
        ),
        (
            "Links to PDF files",
            vec![linked("https://news.test/pdf"), linked("https://news.test/a.pdf.html")],
            vec![linked("https://news.test/a.pdf"), linked("https://news.test/a.pdf#page=2")],
        ),
        (
            "Titles in capitals",
            titles(&["NASA lands on Mars", "It", "C++"]),
            titles(&["YOU WON'T BELIEVE THIS!", "BREAKING"]),
        ),
    ]
}

/// The recipes of the documentation: heading and lines of the config.
fn recipes() -> BTreeMap<&'static str, String> {
    let text = include_str!("../../docs/filters.md");
    let (_, recipes) = text.split_once("\n## Recipes\n").unwrap();
    let parts = recipes.split("\n### ").skip(1);
    let parts = parts.map(|part| {
        let (heading, rest) = part.split_once('\n').unwrap();
        let toml = rest.split("```toml\n").nth(1).and_then(|block| block.split("```").next());
        (heading, toml.unwrap_or_else(|| panic!("{heading} has no block")).to_owned())
    });
    parts.collect()
}

#[test]
fn each_recipe_of_the_documentation_does_what_it_says() {
    let (mut recipes, feed) = (recipes(), FeedId::new("link-blog").unwrap());
    let samples = [samples_of_kinds(), samples_of_facts(), samples_of_words()].concat();
    assert!(samples.len() >= 20);
    for (heading, stays, goes) in samples {
        let lines = recipes.remove(heading).unwrap_or_else(|| panic!("no recipe {heading:?}"));
        let of_feed = "[[feed]]\nid = \"link-blog\"\nurl = \"https://link-blog.test/feed\"\n";
        let config = read(&format!("version = 1\n[[output]]\nid = \"planet\"\n{lines}{of_feed}"));
        let mut filters = vec![config.outputs[0].filter.clone()];
        if !lines.contains("feeds = ") {
            let config = read(&format!("version = 1\n{of_feed}{lines}"));
            filters.extend(config.subscriptions[0].filters.iter().cloned());
            assert_eq!(filters.len(), 2, "{heading}");
        }
        for filter in filters {
            let passes =
                |item: &Item| filter.refusal(&Subject::new(&feed, &[], item, now())).is_none();
            for item in &stays {
                assert!(passes(item), "{heading}: {item:?} should stay");
            }
            for item in &goes {
                assert!(!passes(item), "{heading}: {item:?} should go");
            }
        }
    }
    assert!(recipes.is_empty(), "without samples: {recipes:?}");
}

#[test]
fn the_two_forms_of_a_filter_in_the_documentation_are_the_same() {
    let text = include_str!("../../docs/filters.md");
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).take(2).collect();
    let filter = |block: &str| {
        let lines = block.split("```").next().unwrap();
        let config = read(&format!("version = 1\n[[output]]\nid = \"planet\"\n{lines}"));
        format!("{:?}", config.outputs[0].filter)
    };
    assert_eq!(filter(blocks[0]), filter(blocks[1]));
    assert!(filter(blocks[0]).contains("Bot"));
}

/// Patterns that take exponential or quadratic time where a search tracks back. This test would not end.
#[test]
fn no_pattern_of_an_operator_makes_a_title_slow() {
    let feed = FeedId::new("link-blog").unwrap();
    let mut found = Vec::new();
    for (pattern, part) in [
        ("^(a+)+$", "a"),
        ("(a+)+b", "a"),
        ("(a*)*c", "a"),
        ("(a|a)*$", "a"),
        ("(a|aa)+$", "a"),
        ("(.*a){12}!", "a"),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a"),
        ("([a-zA-Z]+)*[0-9]$", "a"),
        ("^(\\\\d+)*x$", "1"),
        ("(\\\\s*,\\\\s*)+;", " "),
        ("\\\\s+$", " "),
        ("<(.|\\n)*>", "<"),
        ("(x+x+)+y", "x"),
        ("^([a-z0-9]+[-._]?)*@", "a"),
        (".*.*=.*", "a"),
        ("(?:0|00)*$", "0"),
        ("^(?:a?){50}a{50}x", "a"),
        ("(a?b?)*c$", "ab"),
        ("^(.*?,){20}P", "1,"),
        ("(\\\\w+\\\\s?)*;$", "word "),
        ("^(\\\\w+\\\\.)+\\\\w+@", "a."),
        ("((ab)*)*c", "ab"),
        ("^([^=]+=?)+;", "a="),
        ("(?i)(z|Z)+y$", "z"),
        ("\\\\s*#?\\\\s*;", " "),
        ("(\\\\d+\\\\.?)+e", "1."),
        ("^((a|b)*)*x$", "ab"),
        (".*(.*)*=", "a"),
        ("^(a|[ab]|a.)*y", "ab"),
        ("(\\\\S+\\\\s+)+!\\\\?x", "w "),
    ] {
        let filter = filters(&format!("exclude = {{ title = \"{pattern}\" }}"));
        let item = titled(&format!("{}!?", part.repeat(1_000_000)));
        let subject = Subject::new(&feed, &[], &item, now());
        found.extend(filter[0].refusal(&subject).map(|_| pattern));
    }
    assert_eq!(found, ["(a|a)*$", "(.*a){12}!", "(?:0|00)*$"]);
}
