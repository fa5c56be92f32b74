//! No item of a document is lost because its guid or link is another item's too.

use newswire::daemon::{Engine, FeedSelection};
use newswire::dedupe::IdentityRule;

use crate::support::origin::Answer;
use crate::support::papers::with;
use crate::support::world::{HOUR, World, poll, shown_as};

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
