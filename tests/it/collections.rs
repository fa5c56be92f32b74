//! Round-ups: items that contain the texts of items of other feeds.

use newswire::daemon::FeedSelection;
use url::Url;

use crate::support::papers::{again, all, one, rss, story};
use crate::support::world::{World, poll, shown_as};

/// Articles that have nothing in common: title and text.
const ARTICLES: [(&str, &str); 4] = [
    (
        "Ferry runs aground off Onver in fog",
        "The ferry Marisol ran aground in thick fog early on Sunday with 41 people on board. Nobody was hurt, the \
         coastguard said, and all passengers were taken off by two lifeboats within an hour. Tugs will try to free \
         the ship at the next high water.",
    ),
    (
        "Bakers raise the price of a loaf",
        "Flour and heating cost more than a year ago, the guild explained, and most shops will therefore charge ten \
         cents extra from next month. Rolls and cakes stay as cheap as before, while pretzels shrink by a tenth.",
    ),
    (
        "Pupil of nine beats the champion",
        "Twelve moves were enough for a girl of nine to win against the strongest player of the valley, who \
         congratulated his opponent and asked for another game. She learned chess from an uncle only last winter.",
    ),
    (
        "Museum finds a lost herbarium",
        "Behind a false wall in the attic curators discovered nineteen boxes with pressed mosses, lichens and grasses \
         that a botanist had gathered before the war. Most labels are legible and name remote alpine meadows.",
    ),
];

/// The articles in a feed each.
fn articles(world: &World) -> Vec<Url> {
    let item = |n: usize| {
        let (title, text) = ARTICLES[n];
        one(world, &format!("paper{n}.test"), story(["1", "2", "3", "4"][n], title, &[text]))
    };
    (0..ARTICLES.len()).map(item).collect()
}

fn round_up<'a>(own: &str, of: &[(&str, &str)]) -> crate::support::papers::Story<'a> {
    let texts: Vec<String> = of.iter().map(|(title, text)| format!("{title}. {text}")).collect();
    let paragraphs: Vec<&str> = [own].into_iter().chain(texts.iter().map(String::as_str)).collect();
    story("r", "The day in four stories", &paragraphs)
}

const OWN: &str = "Good evening from the editors of the letter: here is what kept our town busy, with thanks to everybody \
                   who wrote, called or sent pictures. Answers to the riddle of last week are below, and tomorrow we \
                   will be back with recipes for pumpkin soup, a crossword and the winners of our summer lottery.";

#[tokio::test]
async fn a_round_up_of_published_articles_is_an_entry_and_joins_none() {
    for own in ["", OWN] {
        let world = World::new().await;
        let mut urls = articles(&world);
        let engine = world.open(&urls).await;
        all(&engine).await;
        assert_eq!(shown_as(&engine, "title").len(), 4);
        drop(engine);
        urls.push(one(&world, "letter.test", round_up(own, &ARTICLES)));
        let engine = world.open(&urls).await;
        again(&world, &engine).await;
        assert_eq!(shown_as(&engine, "title").len(), 5, "{own}");
    }
}

#[tokio::test]
async fn texts_without_their_headlines_are_parts_of_a_round_up_too() {
    for number in 3..=4 {
        let texts: Vec<&str> = ARTICLES[..number].iter().map(|(_, text)| *text).collect();
        let round_up = || story("r", "The day in several stories", &texts);
        let world = World::new().await;
        let mut urls = articles(&world);
        let engine = world.open(&urls).await;
        all(&engine).await;
        drop(engine);
        urls.push(one(&world, "letter.test", round_up()));
        let engine = world.open(&urls).await;
        again(&world, &engine).await;
        assert_eq!(shown_as(&engine, "title").len(), 5, "in a feed of its own, {number} texts");

        // The feed of the first article has it: these two are not compared.
        let world = World::new().await;
        let urls = articles(&world);
        let engine = world.open(&urls).await;
        all(&engine).await;
        drop(engine);
        let (title, text) = ARTICLES[0];
        let both = rss(&[round_up(), story("1", title, &[text])]);
        world.origin.route("paper0.test", "/feed", [both]);
        let engine = world.open(&urls).await;
        again(&world, &engine).await;
        assert_eq!(
            shown_as(&engine, "title").len(),
            5,
            "in the feed of an article, {number} texts"
        );
    }
}

#[tokio::test]
async fn a_round_up_of_two_texts_is_an_entry_though_a_rule_refuses_one_of_them() {
    let [first, second] = [0, 1].map(|n| format!("{} {}", ARTICLES[n].1, ARTICLES[n + 2].1));
    let texts = [first.as_str(), second.as_str()];
    let world = World::new().await;
    let mut urls = vec![
        one(&world, "paper0.test", story("1", ARTICLES[0].0, &texts[..1])),
        one(&world, "paper1.test", story("2", ARTICLES[1].0, &texts[1..])),
    ];
    let engine = world.open(&urls).await;
    all(&engine).await;
    drop(engine);
    urls.push(one(&world, "letter.test", story("r", "The day in two stories", &texts)));
    let engine = world.open(&urls).await;
    again(&world, &engine).await;
    assert_eq!(shown_as(&engine, "title").len(), 3);
}

#[tokio::test]
async fn a_round_up_that_comes_at_once_with_its_articles_or_first_joins_one_at_most() {
    // The first article that is matched after it looks like an excerpt; the next one shows what it is.
    let world = World::new().await;
    let urls =
        [articles(&world), vec![one(&world, "letter.test", round_up("", &ARTICLES))]].concat();
    let engine = world.open(&urls).await;
    all(&engine).await;
    assert!(shown_as(&engine, "title").len() >= 4);

    let world = World::new().await;
    let letter = one(&world, "letter.test", round_up("", &ARTICLES));
    let engine = world.open(&[articles(&world), vec![letter.clone()]].concat()).await;
    poll(&engine, FeedSelection::Named(vec![letter.to_string()])).await;
    assert_eq!(shown_as(&engine, "title").len(), 1);
    again(&world, &engine).await;
    assert!(shown_as(&engine, "title").len() >= 4);
}

#[tokio::test]
async fn a_copy_with_a_teaser_of_another_article_joins_its_own_story() {
    let world = World::new().await;
    let [ferry, _, chess, _] = ARTICLES;
    let text = format!("{} Read too: {}", ferry.1, &chess.1[..125]);
    let mut urls = articles(&world);
    urls.push(one(&world, "copy.test", story("c", "41 saved from ferry", &[&text])));
    let other = rss(&[story("t", "A girl of nine wins", &[chess.1])]);
    world.origin.route("other.test", "/feed", [other]);
    urls.push(world.origin.url("other.test", "/feed"));
    let engine = world.open(&urls).await;
    all(&engine).await;
    let titles = shown_as(&engine, "title");
    assert_eq!(titles.len(), 4, "{titles:?}");
}
