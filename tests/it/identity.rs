//! No item of a document is lost because its guid or link is another item's too.

use newswire::daemon::{Engine, FeedSelection};
use newswire::dedupe::IdentityRule;

use crate::support::origin::Answer;
use crate::support::papers::with;
use crate::support::world::{HOUR, World, poll, shown_as};

mod rules;

const HOST: &str = "site.test";

/// One item: id, link, title, day of May 2025, text.
type Entry<'a> = (&'a str, &'a str, &'a str, u8, &'a str);

fn rss(entries: &[Entry<'_>]) -> String {
    let item = |(id, link, title, day, text): &Entry<'_>| {
        let guid = if id.is_empty() { String::new() } else { format!("<guid>{id}</guid>") };
        format!(
            "<item>{guid}<link>{link}</link><title>{title}</title><description>{text}</description>\
             <pubDate>{day:02} May 2025 08:00:00 GMT</pubDate></item>"
        )
    };
    let items: String = entries.iter().map(item).collect();
    format!("<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
}

fn atom(entries: &[Entry<'_>]) -> String {
    let entry = |(id, link, title, day, text): &Entry<'_>| {
        format!(
            "<entry><id>{id}</id><link href='{link}'/><title>{title}</title><content>{text}</content>\
             <updated>2025-05-{day:02}T08:00:00Z</updated></entry>"
        )
    };
    let entries: String = entries.iter().map(entry).collect();
    format!("<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title>{entries}</feed>")
}

fn json(entries: &[Entry<'_>]) -> String {
    let item = |(id, link, title, day, text): &Entry<'_>| {
        serde_json::json!({"id": id, "url": link, "title": title, "content_text": text,
            "date_published": format!("2025-05-{day:02}T08:00:00Z")})
    };
    let items: Vec<_> = entries.iter().map(item).collect();
    serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": "S", "items": items})
        .to_string()
}

fn rdf(entries: &[Entry<'_>]) -> String {
    let item = |(_, link, title, day, text): &Entry<'_>| {
        format!(
            "<item><link>{link}</link><title>{title}</title><description>{text}</description>\
             <dc:date>2025-05-{day:02}</dc:date></item>"
        )
    };
    let items: String = entries.iter().map(item).collect();
    format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns='http://purl.org/rss/1.0/'>\
         <channel><title>S</title></channel>{items}</rdf:RDF>"
    )
}

const CRANE: &str = "The new cable holds and crane seven lifts the heavy crates again since noon.";
const GATE: &str = "Please enter by the northern gate until Sunday evening while painters work.";
const POWER: &str = "Ships at pier four are supplied by a generator until the wires are mended.";

/// The documents, polled one after another.
async fn polled(world: &World, rule: IdentityRule, documents: &[String]) -> (Engine, Vec<usize>) {
    world.origin.route(HOST, "/feed", documents.iter().map(|body| Answer::ok(body.as_str())));
    let config = world.config(&[world.origin.url(HOST, "/feed")]);
    let config = with(config, |settings| settings.identity = rule);
    let engine = world.open_with(config).await;
    let mut counts = Vec::new();
    for _ in documents {
        let polled = poll(&engine, FeedSelection::All).await;
        assert_eq!(polled[0].outcome.slug(), "modified", "{:?}", polled[0]);
        counts.push(polled[0].recorded.new);
        world.clock.advance(2 * HOUR);
    }
    (engine, counts)
}

#[tokio::test]
async fn items_that_share_guid_or_link_are_all_stored_once() {
    let link = "https://site.test/status";
    let entries = |id: &'static str, link: &'static str| {
        [(id, link, "Crane", 3, CRANE), (id, link, "Gate", 2, GATE), (id, link, "Power", 1, POWER)]
    };
    let documents = [
        rss(&entries("", link)),
        rss(&entries("N/A", "N/A")),
        rss(&entries("N/A", "")),
        rss(&entries(link, link)),
        atom(&entries("tag:site.test,2025:all", link)),
        json(&entries("0", link)),
        rdf(&entries("", link)),
    ];
    for document in documents {
        let world = World::new().await;
        let again = document.replace("Gate", "The gate");
        let all = [document.clone(), document.clone(), again];
        let body = all[0].clone();
        world.origin.route(HOST, "/feed", all.map(Answer::ok));
        let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
        let first = poll(&engine, FeedSelection::All).await;
        assert_eq!(first[0].recorded.new, 3, "{body}");
        assert_eq!(world.status().parse_warnings[0].code, "shared_keys", "{body}");
        poll(&engine, FeedSelection::All).await;
        let third = poll(&engine, FeedSelection::All).await;
        assert_eq!((third[0].recorded.new, third[0].recorded.changed), (0, 1), "{body}");
        assert_eq!(shown_as(&engine, "title"), ["Crane", "The gate", "Power"]);
    }
}

#[tokio::test]
async fn the_items_of_a_constant_link_are_distinct_over_time() {
    let link = "https://site.test/status";
    let at = |title, day, text| ("", link, title, day, text);
    let documents = [
        rss(&[at("Crane", 1, CRANE)]),
        rss(&[at("Gate", 2, GATE), at("Crane", 1, CRANE)]),
        rss(&[at("Power", 3, POWER), at("Gate", 2, GATE)]),
        rss(&[at("Power", 3, POWER)]),
        rss(&[at("Power", 4, POWER), at("Power", 3, POWER)]),
    ];
    let world = World::new().await;
    let (engine, counts) = polled(&world, IdentityRule::Auto, &documents).await;
    assert_eq!(counts, [1, 1, 1, 0, 1]);
    assert_eq!(shown_as(&engine, "title"), ["Power", "Power", "Gate", "Crane"]);
}

#[tokio::test]
async fn the_only_item_of_a_feed_is_new_if_title_and_text_are_new() {
    let link = "https://site.test/today";
    for id in ["", link, "today"] {
        let only = |title, day, text| rss(&[(id, link, title, day, text)]);
        let longer = format!("{CRANE} At night it rests.");
        let documents = [
            only("Saying for Monday", 1, CRANE),
            only("Saying for Monday", 1, &longer),
            only("Saying for Tuesday", 2, GATE),
            only("Saying for Tuesday, corrected", 2, GATE),
            // An old copy from a cache.
            only("Saying for Monday", 1, CRANE),
            only("Saying for Wednesday", 3, POWER),
        ];
        let world = World::new().await;
        let (engine, counts) = polled(&world, IdentityRule::Auto, &documents).await;
        assert_eq!(counts, [1, 0, 1, 0, 0, 1], "{id}");
        assert_eq!(
            shown_as(&engine, "title"),
            ["Saying for Wednesday", "Saying for Tuesday, corrected", "Saying for Monday"]
        );
    }
}

#[tokio::test]
async fn the_operator_decides_what_a_new_item_of_a_feed_is() {
    let link = "https://site.test/today";
    let only = |title, day, text| rss(&[("", link, title, day, text)]);
    let documents = [
        only("Report", 1, CRANE),
        only("Report", 2, GATE),
        only("Another report", 2, GATE),
        only("Saying of Monday", 3, POWER),
    ];
    for (rule, expected) in [
        (IdentityRule::Auto, [1, 0, 0, 1]),
        (IdentityRule::Key, [1, 0, 0, 0]),
        (IdentityRule::Title, [1, 0, 1, 1]),
        (IdentityRule::Date, [1, 1, 0, 1]),
    ] {
        let world = World::new().await;
        assert_eq!(polled(&world, rule, &documents).await.1, expected, "{rule:?}");
    }
}

#[tokio::test]
async fn copies_in_a_document_are_counted_and_reported() {
    let world = World::new().await;
    let item = ("1", "https://site.test/1", "Crane", 1, CRANE);
    world.origin.route(HOST, "/feed", [Answer::ok(rss(&[item, item, item]))]);
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    assert_eq!(poll(&engine, FeedSelection::All).await[0].recorded.new, 1);
    let warning = &world.status().parse_warnings[0];
    assert_eq!(warning.code, "copied_items");
    assert!(warning.message.starts_with("2 items"), "{}", warning.message);
}

const TEASER: &str = "Read the full report with all of the details on our website today.";

/// Items by id, link, title, date and text. An empty part is left out.
fn feed(items: &[[&str; 5]]) -> String {
    let part = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}>{text}</{name}>"),
    };
    let names = ["guid", "link", "title", "pubDate", "description"];
    let item = |parts: &[&str; 5]| -> String {
        let parts: String = names.iter().zip(parts).map(|(name, text)| part(name, text)).collect();
        format!("<item>{parts}</item>")
    };
    let items: String = items.iter().map(item).collect();
    format!("<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
}

/// The items `0..count` in a window of `size` items.
fn windows(count: usize, size: usize, item: impl Fn(usize) -> [String; 5]) -> Vec<String> {
    let window = |newest: usize| {
        let first = (newest + 1).saturating_sub(size);
        let items: Vec<[String; 5]> = (first..=newest).rev().map(&item).collect();
        let items: Vec<[&str; 5]> =
            items.iter().map(|item| item.each_ref().map(String::as_str)).collect();
        feed(&items)
    };
    (0..count).map(window).collect()
}

/// Another sentence for each number.
fn sentence(n: usize) -> String {
    let words = ["ferry", "baker", "lamp", "crane", "gull", "barn", "bell", "oar", "salt", "net"];
    let word = |k: usize| format!("{}{}", words[(n * 7 + k * 3) % 10], n * 13 + k);
    (0..14).map(word).collect::<Vec<_>>().join(" ")
}

/// Item `n` of a feed in which much recurs.
fn recurring(kind: &str, n: usize) -> [String; 5] {
    let time = format!("{:02} May 2025 08:{:02}:07 GMT", n + 1, n * 7 % 60);
    let page = format!("https://site.test/p{n}");
    let (day, date) = ("04 May 2025".to_owned(), format!("{:02} May 2025", n + 1));
    let own = |text: &str| text.to_owned();
    let (link, title, date, text) = match kind {
        "threads" => (page, own("Weekly open thread"), time, own(TEASER)),
        "threads by day" => (page, own("Open thread"), date, own(TEASER)),
        "episodes" => (page, format!("Episode {}", 100 + n), time, own(TEASER)),
        "briefings" => (page, format!("Press briefing {} May", n + 1), own(""), own(TEASER)),
        "agendas" => (page, own(["Council agenda", "Council minutes"][n % 2]), time, own(TEASER)),
        "accidents" => (page, own("Traffic accident"), day, sentence(n)),
        "teasers" => (page, sentence(n), day, own(TEASER)),
        "paths" => {
            let link = format!("https://h{n}.site.test/news-2026/latest");
            (link, own("Morning bulletin"), time, sentence(n))
        }
        "places" => {
            let link = format!("https://site.test/notes#d{n}");
            (link, own("Notes of the day"), time, sentence(n))
        }
        _ => (own("https://site.test/deal"), own("Deal of the day"), time, sentence(n)),
    };
    [format!("p{n}"), link, title, date, text]
}

#[tokio::test]
async fn a_new_item_does_not_replace_the_one_that_left_the_feed() {
    let kinds = [
        "threads",
        "threads by day",
        "episodes",
        "briefings",
        "agendas",
        "accidents",
        "teasers",
        "paths",
        "places",
        "deals",
    ];
    for (kind, size) in kinds.iter().flat_map(|kind| [1, 2, 5].map(|size| (*kind, size))) {
        let world = World::new().await;
        let documents = windows(6, size, |n| recurring(kind, n));
        let (engine, counts) = polled(&world, IdentityRule::Auto, &documents).await;
        assert_eq!(counts, [1; 6], "{kind}, {size}");
        assert_eq!(shown_as(&engine, "title").len(), 6, "{kind}, {size}");
    }
}

/// Item `n` of a feed that changes all but the words of its items at each poll.
fn repeating(kind: &str, n: usize, poll: usize) -> [String; 5] {
    let (title, text) =
        [("Crane", CRANE), ("Northern gate", GATE), ("Power at the pier", POWER)][n];
    let hour = |n: usize| format!("01 May 2025 {:02}:17:09 GMT", n + 7);
    let own = |text: &str| text.to_owned();
    let (guid, link) =
        (format!("{n}-{poll}"), format!("https://site.test/v{poll}/post-{n}-{poll}"));
    match kind {
        "link of all, date of the build" => {
            [own(""), own("https://site.test/"), own(title), hour(poll), own(text)]
        }
        "random keys, same words" => [guid, link, own("Up"), hour(n), own("ok")],
        "all guids and links" => [guid, link, own(title), hour(n), own(text)],
        "all guids, links and dates" => [guid, link, own(title), hour(poll), own(text)],
        "no key, no title, a counter" => {
            [own(""), own(""), own(""), hour(n), format!("{text} {} comments", poll * 3)]
        }
        _ => {
            let longer = format!("{text} {}", "Indeed. ".repeat(poll));
            [own(""), own(""), own(title), own(""), longer]
        }
    }
}

#[tokio::test]
async fn items_do_not_repeat_when_everything_but_their_words_changes() {
    for kind in [
        "link of all, date of the build",
        "random keys, same words",
        "all guids and links",
        "all guids, links and dates",
        "no key, no title, a counter",
        "no key, no date, a word more",
    ] {
        let document = |poll: usize| {
            let items = [0, 1, 2].map(|n| repeating(kind, n, poll));
            feed(&items.each_ref().map(|item| item.each_ref().map(String::as_str)))
        };
        let world = World::new().await;
        let documents = [0, 1, 2, 3].map(document);
        let (_, counts) = polled(&world, IdentityRule::Auto, &documents).await;
        assert_eq!(counts, [3, 0, 0, 0], "{kind}");
    }
}

#[tokio::test]
async fn the_same_article_under_two_guids_is_shown_once() {
    let date = "01 May 2025 08:10:09 GMT";
    let one = |guid| [guid, "https://site.test/a", "Crane", date, CRANE];
    let other = ["3", "https://site.test/b", "Gate", date, GATE];
    let documents =
        [feed(&[one("1"), other]), feed(&[one("2"), one("1"), other]), feed(&[one("2"), other])];
    let world = World::new().await;
    let (engine, counts) = polled(&world, IdentityRule::Auto, &documents).await;
    assert_eq!(counts, [2, 0, 0]);
    assert_eq!(shown_as(&engine, "title").len(), 2);
}

#[tokio::test]
async fn an_episode_without_guid_and_link_is_known_by_its_file() {
    let episode = |n: usize, title: &str| {
        format!(
            "<item><title>{title}</title>\
             <enclosure url='https://site.test/{n}.mp3' type='audio/mpeg' length='{n}'/></item>"
        )
    };
    let document = |items: &[String]| {
        let items = items.concat();
        format!("<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
    };
    let documents = [
        document(&[episode(2, "On ferries"), episode(1, "On barns")]),
        document(&[episode(2, "On ferries, corrected"), episode(1, "About barns")]),
        document(&[episode(3, "On ferries"), episode(2, "On ferries, corrected")]),
    ];
    let world = World::new().await;
    let (engine, counts) = polled(&world, IdentityRule::Auto, &documents).await;
    assert_eq!(counts, [2, 0, 1]);
    let titles = shown_as(&engine, "title");
    assert!(titles.contains(&"About barns".to_owned()) && titles.len() == 3, "{titles:?}");
}

/// Polls the documents of a feed with this rule. Returns the numbers of new and of changed items.
async fn outcomes(rule: IdentityRule, documents: &[String]) -> (World, Vec<(usize, usize)>) {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", documents.iter().map(|body| Answer::ok(body.as_str())));
    let config = world.config(&[world.origin.url(HOST, "/feed")]);
    let engine = world.open_with(with(config, |settings| settings.identity = rule)).await;
    let mut counts = Vec::new();
    for _ in documents {
        let recorded = poll(&engine, FeedSelection::All).await.remove(0).recorded;
        counts.push((recorded.new, recorded.changed));
        world.clock.advance(2 * HOUR);
    }
    drop(engine);
    (world, counts)
}

/// The numbers of new items with the default rule.
async fn new_items(documents: &[String]) -> Vec<usize> {
    let (_, counts) = outcomes(IdentityRule::Auto, documents).await;
    counts.into_iter().map(|(new, _)| new).collect()
}

/// A document whose end is missing, after its last item.
fn without_end(document: &str) -> String {
    document.replace("</channel></rss>", "")
}

/// Items without guid and link: title, date, text, file, media type.
fn enclosed(items: &[[&str; 5]]) -> String {
    let item = |[title, date, text, file, media_type]: &[&str; 5]| {
        let date =
            if date.is_empty() { String::new() } else { format!("<pubDate>{date}</pubDate>") };
        format!(
            "<item><title>{title}</title>{date}<description>{text}</description>\
             <enclosure url='https://site.test/{file}' type='{media_type}' length='7'/></item>"
        )
    };
    let items: String = items.iter().map(item).collect();
    format!("<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
}

#[tokio::test]
async fn a_file_whose_name_is_constant_is_another_item_with_title_and_date() {
    let days = ["Monday", "Tuesday", "Wednesday"];
    let at = |n: usize, minute: usize| format!("0{} May 2025 08:{minute}:09 GMT", n + 5);
    for shows in [&["News"][..], &["News", "Weather"]] {
        let document = |n: usize| {
            let item = |show: &&str| {
                let minute = 10 + show.len();
                [format!("{show}, {}", days[n]), at(n, minute), format!("{show}-latest.mp3")]
            };
            let items: Vec<[String; 3]> = shows.iter().map(item).collect();
            let items: Vec<[&str; 5]> =
                items.iter().map(|[a, b, c]| [a, b, TEASER, c, "audio/mpeg"]).collect();
            enclosed(&items)
        };
        let n = shows.len();
        let documents = [0, 1, 2, 2].map(document);
        assert_eq!(new_items(&documents).await, [n, n, n, 0], "{shows:?}");
    }
}

#[tokio::test]
async fn pictures_that_items_share_identify_none_of_them() {
    let document = |n: usize| {
        let items = [2 * n, 2 * n + 1].map(|n| (sentence(n + 20), sentence(n)));
        let file = |n: usize| ["icons/sport.png", "icons/politics.png"][n];
        let item = |n: usize| [&*items[n].0, "", &*items[n].1, file(n), "image/png"];
        enclosed(&[item(0), item(1)])
    };
    assert_eq!(new_items(&[0, 1, 2, 2].map(document)).await, [2, 2, 2, 0]);
}

#[tokio::test]
async fn undated_items_that_differ_only_in_the_guid_are_distinct() {
    let log = |n: usize| {
        let guids: Vec<String> = (0..=n).rev().map(|n| format!("ring-{n}")).collect();
        let rang = |guid: &String| {
            ["https://site.test/bell", "The bell rang", CRANE, guid].map(str::to_owned)
        };
        let items: Vec<[String; 4]> = guids.iter().map(rang).collect();
        let items: Vec<[&str; 5]> = items
            .iter()
            .map(|[link, title, text, guid]| [&**guid, link, title, "", text])
            .collect();
        feed(&items)
    };
    assert_eq!(new_items(&[1, 2, 3, 3].map(log)).await, [2, 1, 1, 0]);
}

#[tokio::test]
async fn the_guids_of_copies_that_were_left_out_are_known() {
    let date = "01 May 2025 08:10:09 GMT";
    let one = |guid| [guid, "https://site.test/a", "Crane", date, CRANE];
    let other = ["3", "https://site.test/b", "Gate", date, GATE];
    let copies = [
        feed(&[one("1"), one("2"), other]),
        feed(&[one("2"), one("1"), other]),
        feed(&[one("2"), other]),
        feed(&[one("1"), one("2"), one("4"), other]),
        feed(&[one("4"), other]),
    ];
    let unchanged = [(2, 0), (0, 0), (0, 0), (0, 0), (0, 0)];
    assert_eq!(outcomes(IdentityRule::Title, &copies).await.1, unchanged);
    assert_eq!(
        outcomes(IdentityRule::Auto, &copies.clone().map(|it| without_end(&it))).await.1,
        unchanged
    );
}

#[tokio::test]
async fn a_parameter_that_tracks_is_no_change_of_an_item() {
    let date = |n: usize| format!("0{} May 2025 08:10:09 GMT", n + 1);
    for guids in [["1", "1", "1"], ["a", "b", "c"]] {
        let document = |poll: usize, title: &str| {
            let item = |n: usize| {
                let link = format!("https://site.test/n/{n}?utm_term={poll}");
                [
                    guids[n].to_owned(),
                    link,
                    format!("{title} {}", sentence(n)),
                    date(n),
                    sentence(n + 5),
                ]
            };
            let items = [0, 1, 2].map(item);
            feed(&items.each_ref().map(|item| item.each_ref().map(String::as_str)))
        };
        let mut documents: Vec<String> = (0..4).map(|poll| document(poll, "News:")).collect();
        documents.push(document(4, "More news:"));
        let counts = outcomes(IdentityRule::Auto, &documents).await.1;
        assert_eq!(counts, [(3, 0), (0, 0), (0, 0), (0, 0), (0, 3)], "{guids:?}");
    }
}

#[tokio::test]
async fn an_item_with_another_guid_at_each_poll_is_not_written() {
    let document = |poll: usize, more: &str| {
        let item = |n: usize| {
            let date = format!("0{} May 2025 08:10:09 GMT", n + 1);
            let text = format!("{}{more}", sentence(n + 5));
            [format!("{poll}-{n}"), format!("https://site.test/n/{n}"), sentence(n), date, text]
        };
        let items = [0, 1, 2].map(item);
        feed(&items.each_ref().map(|item| item.each_ref().map(String::as_str)))
    };
    let mut documents: Vec<String> = (0..30).map(|poll| document(poll, "")).collect();
    documents.push(document(30, " They regret an error in the first version of it."));
    let (world, counts) = outcomes(IdentityRule::Auto, &documents).await;
    assert_eq!((counts[0], counts[30]), ((3, 0), (0, 3)));
    assert!(counts[1..30].iter().all(|counts| *counts == (0, 0)), "{counts:?}");
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let most = "SELECT max(n) FROM (SELECT count(*) n FROM identity GROUP BY item_id)";
    let most: i64 = database.query_row(most, [], |row| row.get(0)).unwrap();
    assert_eq!(most, 9, "the first guid and the newest ones");
    let without_end: Vec<String> = documents[..3].iter().map(|it| without_end(it)).collect();
    assert_eq!(outcomes(IdentityRule::Auto, &without_end).await.1, [(3, 0), (0, 0), (0, 0)]);
}

#[tokio::test]
async fn a_number_that_rises_in_a_headline_makes_no_new_item() {
    let others =
        [1, 2, 3].map(|n| [format!("{n}"), format!("https://site.test/n/{n}"), sentence(n)]);
    let document = |guid: &str, title: &str, date: &str, text: &str| {
        let mut items = vec![[guid, "https://site.test/n/c123", title, date, text]];
        let other = |n: usize| {
            let [guid, link, title] = &others[n];
            [&**guid, &**link, &**title, "01 May 2025 08:10:09 GMT", &**title]
        };
        items.extend([0, 1, 2].map(other));
        feed(&items)
    };
    let crash = |n: usize, text: &str| {
        let title = format!("Bus crash near Lyon leaves {} dead", n + 3);
        let date = format!("02 May 2025 {:02}:22:09 GMT", 9 + n);
        document(&format!("https://site.test/n/c123#{n}"), &title, &date, text)
    };
    let report = |n: usize| {
        format!(
            "At least {} people are dead after a coach overturned in heavy snow on a motorway.",
            n + 3
        )
    };
    assert_eq!(new_items(&[0, 1, 2].map(|n| crash(n, CRANE))).await, [4, 0, 0]);
    assert_eq!(new_items(&[0, 1, 2].map(|n| crash(n, &report(n)))).await, [4, 0, 0]);
    let thread = |n: usize| {
        let date = format!("{:02} May 2025 09:22:09 GMT", n + 2);
        document(&format!("thread-{n}"), &format!("Open thread {}", n + 101), &date, TEASER)
    };
    assert_eq!(new_items(&[0, 1, 2].map(thread)).await, [4, 1, 1]);
    let bulletin = |n: usize| {
        let date = format!("02 May 2025 {:02}:00:09 GMT", 9 + n);
        document(&format!("at-{n}"), &format!("News at {}", n + 9), &date, TEASER)
    };
    assert_eq!(new_items(&[0, 1, 2].map(bulletin)).await, [4, 1, 1]);
}

#[tokio::test]
async fn a_forecast_with_other_figures_is_new() {
    let forecast = |n: usize| {
        let date = format!("{:02} May 2025 06:00:03 GMT", n + 1);
        let item = |day: &str| {
            let text = format!(
                "Forecast for {day}: cloudy with a chance of light rain in the afternoon and wind from the west \
                 at {} km per hour, high of {} degrees.",
                20 + n,
                11 + n
            );
            [format!("{day}-{n}"), String::new(), day.to_owned(), date.clone(), text]
        };
        let items = ["Today", "Tomorrow"].map(item);
        feed(&items.each_ref().map(|item| item.each_ref().map(String::as_str)))
    };
    assert_eq!(new_items(&[0, 1, 2].map(forecast)).await, [2, 2, 2]);
}

#[tokio::test]
async fn all_items_of_a_large_document_are_known_under_new_guids() {
    let documents = ["a", "b"].map(|guid| {
        let item = |n: usize| {
            let date = format!("01 May 2025 {:02}:{:02}:09 GMT", n / 60, n % 60);
            let link = format!("https://site.test/n/{n}");
            [format!("{guid}-{n}"), link, sentence(n), date, sentence(n + 5)]
        };
        let items: Vec<[String; 5]> = (0..600).map(item).collect();
        let items = items.iter().map(|item| item.each_ref().map(String::as_str));
        feed(&items.collect::<Vec<_>>())
    });
    let (world, _) = outcomes(IdentityRule::Auto, &documents).await;
    assert_eq!(world.status().items, 600);
}
