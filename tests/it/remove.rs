//! `remove`: parts of the content that selectors name do not enter, are counted, and the recipes of the documentation work.

use std::path::Path;
use std::sync::Arc;

use newswire::config::{self, Config, Style};
use newswire::daemon::FeedSelection;
use newswire::model::{ParsedItem, Text, TextKind};
use newswire::normalise::{Selector, remove};
use serde_json::Value;

use crate::cli::{configured, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::papers::{Story, rss};
use crate::support::world::{HOUR, World, poll, shown};

fn read(text: &str) -> Config {
    let loaded = config::read(text.to_owned(), Path::new("newswire.toml"), Path::new("/state"));
    loaded.config.unwrap_or_else(|| panic!("{}\n{text}", loaded.report.draw(Style::Plain)))
}

fn selectors(texts: &[&str]) -> Arc<[Selector]> {
    texts.iter().map(|text| Selector::parse(text).unwrap()).collect()
}

/// A feed with one post whose share counter has this number.
fn blog(shares: usize) -> Answer {
    let text = format!(
        "<p>The harbour opens in May.</p><div class=\"share\">Shared <b>{shares}</b> times</div>"
    );
    rss(&[Story {
        guid: "1",
        title: "Harbour",
        link: "https://blog.test/1".to_owned(),
        text,
        date: "Sun, 01 Jun 2025 08:00:00 GMT",
    }])
}

async fn world_with(answers: Vec<Answer>, texts: &[&str]) -> (World, newswire::daemon::Engine) {
    let world = World::new().await;
    world.origin.route("blog.test", "/feed", answers);
    let mut config = world.config(&[world.origin.url("blog.test", "/feed")]);
    config.subscriptions[0].remove = selectors(texts);
    let engine = world.open_with(config).await;
    (world, engine)
}

fn content(engine: &newswire::daemon::Engine) -> String {
    shown(engine)[0]["content_html"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_removed_part_is_not_shown_and_its_changes_are_no_edits() {
    let (world, engine) = world_with(vec![blog(1), blog(2)], &[".share", ".sahre"]).await;
    assert_eq!(poll(&engine, FeedSelection::All).await[0].recorded.new, 1);
    assert_eq!(content(&engine), "<p>The harbour opens in May.</p>");
    let removed = world.status().removed;
    let counts: Vec<_> = removed.iter().map(|it| (&*it.selector, it.elements, it.items)).collect();
    assert_eq!(counts, [(".share", 1, 1), (".sahre", 0, 0)]);
    assert_eq!(removed[0].example.as_deref(), Some("Shared 1 times"));
    world.clock.advance(HOUR * 30);
    let again = poll(&engine, FeedSelection::All).await[0].recorded;
    assert_eq!((again.new, again.changed), (0, 0));
    assert_eq!(world.status().removed[0].example.as_deref(), Some("Shared 2 times"));
}

#[tokio::test]
async fn a_new_selector_edits_the_stored_items_of_the_next_document() {
    let (world, engine) = world_with(vec![blog(1), blog(2)], &[]).await;
    poll(&engine, FeedSelection::All).await;
    assert!(content(&engine).contains("Shared"));
    drop(engine);
    let mut config = world.config(&[world.origin.url("blog.test", "/feed")]);
    config.subscriptions[0].remove = selectors(&[".share"]);
    let engine = world.open_with(config).await;
    world.clock.advance(HOUR * 30);
    let again = poll(&engine, FeedSelection::All).await[0].recorded;
    assert_eq!((again.new, again.changed), (0, 1));
    assert_eq!(content(&engine), "<p>The harbour opens in May.</p>");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_what_selectors_remove() {
    let origin = Origin::start().await;
    origin.route("127.0.0.1", "/feed", [blog(7)]);
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let folder = configured(std::slice::from_ref(&url));
    let file = folder.path().join("newswire.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{config}remove = [\".share\", \"#none\"]\n")).unwrap();
    let run = |arguments: &[&str]| {
        let run = newswire(folder.path(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
        run.out
    };
    let effect = "1 element of 1 item by .share: \"Shared 7 times\"\n";
    let dry = run(&["poll", "--dry-run"]);
    assert!(dry.contains(&format!("127.0.0.1-feed: removed {effect}")), "{dry}");
    assert!(dry.contains("127.0.0.1-feed: removed 0 elements of 0 items by #none\n"), "{dry}");
    run(&["poll", "--force"]);
    let why = run(&["why", "127.0.0.1-feed"]);
    assert!(why.contains(&format!("removed        {effect}")), "{why}");
    let json: Value = serde_json::from_str(&run(&["why", "127.0.0.1-feed", "--json"])).unwrap();
    assert_eq!(json["removed"][0]["items"], 1);
    assert_eq!(json["removed"][1]["selector"], "#none");
    let probe = run(&["probe", "--force", &url]);
    assert!(probe.contains(effect) && !probe.contains("<b>7"), "{probe}");
    let json: Value = serde_json::from_str(&run(&["probe", "--force", "--json", &url])).unwrap();
    assert_eq!(json["removed"][0]["elements"], 1);
}

#[test]
fn selectors_of_server_and_list_apply_in_addition() {
    let folder = empty_folder();
    let list = folder.path().join("list");
    std::fs::write(&list, "https://a.test/feed\n").unwrap();
    let config = read(&format!(
        "version = 1\n[[server]]\nhost = \"a.test\"\nremove = [\".server\"]\n\
         [[subscriptions]]\nfile = {list:?}\nremove = [\".list\"]\n\
         [[feed]]\nurl = \"https://a.test/feed\"\nremove = [\".feed\"]\n"
    ));
    let texts: Vec<&str> = config.subscriptions[0].remove.iter().map(Selector::as_str).collect();
    assert_eq!(texts, [".feed", ".list", ".server"]);
}

/// For each recipe of the documentation HTML that it removes; the rest `keep` stays.
const SAMPLES: &[(&str, &[&str], &str)] = &[
    (
        "Share buttons",
        &[
            "<div class=\"sharedaddy sd-sharing-enabled\"><h3>Share</h3></div>",
            "<div class=feedflare>a</div>",
        ],
        "<p class=\"sharing\">We share all.</p>",
    ),
    (
        "\"Read more\" links",
        &["<a class=\"more-link\" href=\"/a\">Continue</a>", "<a href=\"/a/#more-12\">More</a>"],
        "<a href=\"/a/more\">More</a>",
    ),
    (
        "Related posts",
        &["<div id=jp-relatedposts><ul><li>a</ul></div>", "<div class=\"related-box\">a</div>"],
        "<p class=\"unrelated\">a</p>",
    ),
    (
        "A heading and the list below it",
        &["<h3 class=also>See also</h3><ul><li>a<li>b</ul>"],
        "<h3>List</h3><ul><li>a</li></ul>",
    ),
    (
        "Forms for a newsletter",
        &["<form>a</form>", "<div class=\"wp subscribe-widget-2\">b</div>"],
        "<p>Subscribe by feed</p>",
    ),
    (
        "A box about the author",
        &["<div class=author-box>a</div>", "<a rel=author>b</a>"],
        "<p>a</p>",
    ),
    (
        "Advertisements",
        &["<ins class=\"adsbygoogle\">a</ins>", "<div id=\"div-gpt-ad-1\">b</div>"],
        "<ins>An addition</ins>",
    ),
    (
        "Counters of comments",
        &["<span class=comment-count>3</span>", "<a href=\"/a#comments\">3</a>"],
        "<a href=\"/a\">a</a>",
    ),
    (
        "Pictures of a certain host",
        &["<img src=\"https://secure.gravatar.com/a.png\">", "<img src=\"//gravatar.com/b\">"],
        "<img src=\"/gravatar.com.png\">",
    ),
    ("A table of contents", &["<div id=toc>a</div>", "<nav><ol><li>a</ol></nav>"], "<p>a</p>"),
    (
        "The last paragraph",
        &["<p>The post A appeared first on B.</p>"],
        "<p>Text</p><blockquote><p>Last of the quotation</p></blockquote>",
    ),
];

#[test]
fn each_recipe_for_removal_does_what_it_says() {
    let text = include_str!("../../docs/remove.md");
    let (_, recipes) = text.split_once("\n## Recipes\n").unwrap();
    let mut known: Vec<&str> =
        recipes.split("\n### ").skip(1).filter_map(|part| part.lines().next()).collect();
    for (heading, goes, stays) in SAMPLES {
        let at = known.iter().position(|name| name == heading);
        known.remove(at.unwrap_or_else(|| panic!("no recipe {heading:?}")));
        let (_, part) = recipes.split_once(&format!("### {heading}\n")).unwrap();
        let lines = part.split("```toml\n").nth(1).and_then(|block| block.split("```").next());
        let feed = "version = 1\n[[feed]]\nurl = \"https://a.test/feed\"\n";
        let config = read(&format!("{feed}{}", lines.unwrap()));
        let selectors = &config.subscriptions[0].remove;
        for removed in *goes {
            let value = format!("{stays}{removed}");
            let content = Text { value, kind: TextKind::Html, ..Text::default() };
            let item = ParsedItem { content: Some(content), ..ParsedItem::default() };
            let reduction = remove(&[item], selectors);
            let left = reduction.items.get(&0).and_then(|item| item.content.as_ref());
            assert_eq!(left.map(|text| &*text.value), Some(*stays), "{heading}: {removed}");
        }
    }
    assert!(known.is_empty(), "without samples: {known:?}");
}
