//! What publishers change, move or bring up again reaches subscribers, and a published story stays one.

use std::time::Duration;

use newswire::daemon::{Engine, FeedSelection};
use newswire::store::PollCounts;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, again, one, rss, story, with};
use crate::support::world::{HOUR, World, poll, shown, shown_as};

const TITLES: [&str; 6] = [
    "Ferry aground in thick fog",
    "Bakers raise the price of bread",
    "New bridge opens in spring",
    "Lighthouse keeper retires after forty years",
    "Choir wins the prize of the county",
    "Storm damages the roof of the market hall",
];

const TEXTS: [&str; 6] = [
    "Forty passengers waited on deck for two hours until fishing boats took them off.",
    "Flour costs a third more than last year because the mills stood still in summer.",
    "Engineers tested the steel cables with twelve loaded lorries on Thursday evening.",
    "He lit the lamp every evening and kept a diary of all the ships that passed by.",
    "The jury praised the young sopranos and a piece that their teacher had written.",
    "Slates fell on the empty stalls at night and traders moved to the school yard.",
];

async fn polled(engine: &Engine) -> PollCounts {
    poll(engine, FeedSelection::All).await.remove(0).recorded
}

/// Polls after a time and returns the counts.
async fn later(world: &World, engine: &Engine, time: Duration) -> PollCounts {
    world.clock.advance(time);
    polled(engine).await
}

const TWENTY_MINUTES: Duration = Duration::from_secs(1_200);

/// The content of the only item.
fn content(engine: &Engine) -> String {
    shown(engine)[0]["content_html"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_correction_appears_after_many_changes_of_the_address_of_a_picture() {
    let world = World::new().await;
    let document = |number: usize, correction: &str| {
        let picture = format!(
            "{} &lt;img src=\"https://ads.test/p.png?cb={number}\" alt=\"A\"&gt; {correction}",
            TEXTS[0]
        );
        rss(&[story("1", TITLES[0], &[&picture])])
    };
    let documents = (0..40).map(|number| document(number, ""));
    let last = document(40, "Correction: nobody waited on deck.");
    world.origin.route("gull.test", "/feed", documents.chain([last]));
    let engine = world.open(&[world.origin.url("gull.test", "/feed")]).await;
    let mut changes = 0;
    for _ in 0..40 {
        changes += later(&world, &engine, TWENTY_MINUTES).await.changed;
    }
    assert!((12..=14).contains(&changes), "{changes}");
    later(&world, &engine, TWENTY_MINUTES).await;
    assert!(content(&engine).contains("Correction"), "{}", content(&engine));
}

#[tokio::test]
async fn words_that_always_change_are_taken_once_an_hour_and_the_last_are_kept() {
    let world = World::new().await;
    let document = |number: usize| {
        let text = format!("{} {number} comments so far.", TEXTS[0]);
        rss(&[story("1", TITLES[0], &[&text])])
    };
    // The last document stays.
    world.origin.route("gull.test", "/feed", (0..=37).map(document));
    let engine = world.open(&[world.origin.url("gull.test", "/feed")]).await;
    let mut changes = Vec::new();
    for _ in 0..38 {
        changes.push(later(&world, &engine, TWENTY_MINUTES).await.changed);
    }
    assert_eq!(changes[1..25].iter().sum::<usize>(), 24, "{changes:?}");
    assert!((3..=6).contains(&changes[25..].iter().sum::<usize>()), "{changes:?}");
    for _ in 0..3 {
        later(&world, &engine, TWENTY_MINUTES).await;
    }
    assert!(content(&engine).contains("37 comments"), "{}", content(&engine));
    assert_eq!(later(&world, &engine, HOUR).await.changed, 0);
}

fn posts<'a>(guids: &'a [String], host: &str) -> Vec<Story<'a>> {
    let dates = [
        "Sun, 01 Jun 2025 08:01:07 GMT",
        "Sat, 31 May 2025 09:12:09 GMT",
        "Fri, 30 May 2025 17:33:11 GMT",
        "Thu, 29 May 2025 06:44:13 GMT",
        "Wed, 28 May 2025 20:55:17 GMT",
        "Tue, 27 May 2025 11:06:19 GMT",
    ];
    let post = |(n, guid): (usize, &'a String)| Story {
        link: format!("https://{host}/2025/post-{n}/"),
        date: dates[n],
        ..story(guid, TITLES[n], &[TEXTS[n]])
    };
    guids.iter().enumerate().map(post).collect()
}

fn guids(host: &str) -> Vec<String> {
    (0..6).map(|n| format!("https://{host}/2025/post-{n}/")).collect()
}

#[tokio::test]
async fn a_feed_that_moves_with_its_guids_is_the_same_feed() {
    let world = World::new().await;
    let (old, new) = (guids("old.test"), guids("new.test"));
    let moved = Answer::redirect(301, world.origin.url("new.test", "/feed"));
    world.origin.route("old.test", "/feed", [rss(&posts(&old, "old.test")), moved]);
    world.origin.route("new.test", "/feed", [rss(&posts(&new, "new.test"))]);
    let engine = world.open(&[world.origin.url("old.test", "/feed")]).await;
    polled(&engine).await;
    let ids = shown_as(&engine, "id");
    let counts = later(&world, &engine, 2 * HOUR).await;
    assert_eq!((counts.new, counts.held, counts.guid_changes), (0, 0, 6));
    assert_eq!(shown_as(&engine, "id"), ids);
    assert!(shown_as(&engine, "url").iter().all(|url| url.contains("new.test")));
}

#[tokio::test]
async fn a_story_stays_one_when_a_paper_takes_its_text_away() {
    let notice = ["Subscribe to read the whole article."];
    let other = ["", TEXTS[1], TEXTS[2], TEXTS[3], TEXTS[4], TEXTS[5]];
    for (title, text) in [
        ("Choir sings on ferry", &notice[..]),
        ("Choir sings on ferry", &[""]),
        ("Halcyon aground in fog", &other),
    ] {
        let world = World::new().await;
        let urls = [
            one(&world, "gull.test", story("1", "Halcyon aground in fog", &AGENCY)),
            one(&world, "pier.test", story("2", title, &AGENCY)),
        ];
        let engine = world.open(&urls).await;
        for url in &urls {
            poll(&engine, FeedSelection::Named(vec![url.to_string()])).await;
        }
        let before = shown_as(&engine, "id");
        assert_eq!(before.len(), 1, "{title}");
        one(&world, "pier.test", story("2", title, text));
        again(&world, &engine).await;
        assert_eq!(shown_as(&engine, "id"), before, "{title}: {text:?}");
    }
}

#[tokio::test]
async fn an_item_of_the_history_that_is_published_again_is_shown() {
    let world = World::new().await;
    let guids: Vec<String> = (0..6).map(|n| n.to_string()).collect();
    let mut threads = posts(&guids, "forum.test");
    let before = rss(&threads);
    // Dated anew alone, the next one stays in the history.
    threads[4].date = "Sun, 01 Jun 2025 12:20:00 GMT";
    threads[5].date = "Sun, 01 Jun 2025 13:05:31 GMT";
    threads[5].text = "The carpenters will begin with the new roof on Monday at seven.".to_owned();
    world.origin.route("forum.test", "/feed", [before, rss(&threads)]);
    let config = world.config(&[world.origin.url("forum.test", "/feed")]);
    let config = with(config, |settings| settings.initial_items = 3);
    let engine = world.open_with(config).await;
    assert_eq!(polled(&engine).await.held, 3);
    later(&world, &engine, 2 * HOUR).await;
    assert_eq!(shown_as(&engine, "title"), [TITLES[5], TITLES[0], TITLES[1], TITLES[2]]);
    assert_eq!(shown(&engine)[0]["date_published"], "2025-06-01T13:05:31Z");
    assert_eq!(later(&world, &engine, 2 * HOUR).await.changed, 0);
}

#[tokio::test]
async fn after_a_first_document_of_one_item_the_next_one_is_the_first() {
    let world = World::new().await;
    let guids: Vec<String> = (0..40).map(|n| format!("post-{n}")).collect();
    // Each is about another thing.
    let titles: Vec<String> = (0..40).map(|n| format!("{} {n}", TITLES[n % 6])).collect();
    let posts: Vec<Story<'_>> =
        (0..40).map(|n| story(&guids[n], &titles[n], &[TEXTS[n % 6]])).collect();
    let answers = [rss(&[story("maintenance", "Back soon", &["We are at work."])]), rss(&posts)];
    world.origin.route("blog.test", "/feed", answers);
    let engine = world.open(&[world.origin.url("blog.test", "/feed")]).await;
    assert_eq!(polled(&engine).await.new, 1);
    let counts = later(&world, &engine, 2 * HOUR).await;
    assert_eq!((counts.new, counts.held), (40, 0));
}

#[tokio::test]
async fn the_only_episode_of_a_feed_is_new_if_date_and_file_are_new() {
    let world = World::new().await;
    let episode = |hour: usize, token: usize| {
        Answer::ok(format!(
            "<rss version=\"2.0\"><channel><title>F</title><item><guid isPermaLink=\"false\">latest</guid>\
             <title>News at {hour}:00</title><link>https://news.test/</link>\
             <description>The latest news.</description>\
             <pubDate>Sun, 01 Jun 2025 {hour:02}:00:00 GMT</pubDate>\
             <enclosure url=\"https://news.test/{hour}.mp3?t={token}\" type=\"audio/mpeg\" length=\"9\"/>\
             </item></channel></rss>"
        ))
    };
    let answers = [episode(8, 1), episode(8, 2), episode(9, 3), episode(10, 4), episode(10, 5)];
    world.origin.route("news.test", "/feed", answers);
    let engine = world.open(&[world.origin.url("news.test", "/feed")]).await;
    let mut counts = Vec::new();
    for _ in 0..5 {
        counts.push(later(&world, &engine, 2 * HOUR).await.new);
    }
    assert_eq!(counts, [1, 0, 1, 1, 0]);
    assert_eq!(shown(&engine).len(), 3);
}

/// A feed in Atom with one entry: dates of publication and of the last change, and content.
fn atom(published: &str, updated: &str, content: &str) -> Answer {
    let published = match published {
        "" => String::new(),
        date => format!("<published>{date}</published>"),
    };
    Answer::ok(format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>tag:gull.test,2025:feed</id><title>F</title>\
         <updated>{updated}</updated><entry><id>tag:gull.test,2025:1</id><title>{}</title>{published}\
         <updated>{updated}</updated><link href=\"https://gull.test/2025/1\"/><category term=\"a\"/>\
         <content type=\"html\">{content}</content></entry></feed>",
        TITLES[0]
    ))
}

/// The date of the last change of the only item.
fn modified(engine: &Engine) -> Option<String> {
    shown(engine)[0]["date_modified"].as_str().map(str::to_owned)
}

const EARLY: &str = "2025-06-01T06:00:00Z";
const LATE: &str = "2025-06-01T09:00:00Z";

#[tokio::test]
async fn an_older_version_replaces_a_newer_one_only_if_it_stays_for_a_day() {
    for published in [EARLY, ""] {
        let world = World::new().await;
        let old = || atom(published, EARLY, TEXTS[0]);
        let corrected = format!("{} Correction: nobody waited.", TEXTS[0]);
        let new = || atom(published, LATE, &corrected);
        // Two servers behind one name, and one of them is late.
        world.origin.route("gull.test", "/feed", [old(), new(), old(), new(), old()]);
        let engine = world.open(&[world.origin.url("gull.test", "/feed")]).await;
        polled(&engine).await;
        assert_eq!(modified(&engine), None);
        for _ in 0..4 {
            later(&world, &engine, HOUR).await;
            assert!(content(&engine).contains("Correction"), "{published:?}");
            assert_eq!(modified(&engine).as_deref(), Some(LATE), "{published:?}");
        }
        // The publisher took the correction back.
        later(&world, &engine, 24 * HOUR).await;
        assert!(!content(&engine).contains("Correction"), "{published:?}");
    }
}

#[tokio::test]
async fn an_older_version_than_the_first_one_is_left_out() {
    let world = World::new().await;
    let corrected = format!("{} Correction: nobody waited.", TEXTS[0]);
    let documents = [atom("", LATE, &corrected), atom("", EARLY, TEXTS[0])];
    world.origin.route("gull.test", "/feed", documents);
    let engine = world.open(&[world.origin.url("gull.test", "/feed")]).await;
    polled(&engine).await;
    later(&world, &engine, HOUR).await;
    assert!(content(&engine).contains("Correction"));
}

#[tokio::test]
async fn another_token_of_a_picture_is_no_change_with_a_date() {
    let world = World::new().await;
    let document = |token: &str, updated: &str, more: &str| {
        let content =
            format!("{} &lt;img src=\"https://cdn.test/a.jpg?token={token}\"&gt;", TEXTS[0]);
        atom(EARLY, updated, &(content + more))
    };
    let documents = [
        document("1", EARLY, ""),
        document("2", "2025-06-01T08:00:00Z", ""),
        document("2", LATE, " Correction: nobody waited."),
    ];
    world.origin.route("gull.test", "/feed", documents);
    let engine = world.open(&[world.origin.url("gull.test", "/feed")]).await;
    polled(&engine).await;
    later(&world, &engine, HOUR).await;
    assert!(content(&engine).contains("token=2"), "{}", content(&engine));
    assert_eq!(modified(&engine), None);
    later(&world, &engine, HOUR).await;
    assert_eq!(modified(&engine).as_deref(), Some(LATE));
}
