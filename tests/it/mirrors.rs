//! Feeds that bring the items of another feed days later, and feeds that only look as if they did.

use newswire::daemon::FeedSelection;

use crate::support::origin::Answer;
use crate::support::papers::{AGENCY, Story, all, one, story};
use crate::support::world::{HOUR, World, poll, shown};

/// Content, guid, date and title of an item.
type Entry<'a> = (&'a str, &'a str, &'a str, &'a str);

const AT: &str = "Sun, 01 Jun 2025 08:14:31 GMT";
const LATER: &str = "Sun, 01 Jun 2025 09:20:12 GMT";
const MIDNIGHT: &str = "Sun, 01 Jun 2025 00:00:00 GMT";
const UUID: &str = "6f1c3b1e-0c3a-4f77-9a52-0d6f3c1a9e11";

/// Number of entries if the second item is added five days after the first one.
async fn entries([first, second]: [Entry<'_>; 2]) -> usize {
    entries_after(5 * 24 * HOUR, [first, second]).await
}

/// The same with this time between the first polls of the two.
async fn entries_after(wait: std::time::Duration, [first, second]: [Entry<'_>; 2]) -> usize {
    let world = World::new().await;
    let item = |(text, guid, date, title): Entry<'_>, host: &str| {
        let body = format!(
            "<rss version=\"2.0\"><channel><title>F</title><item><guid isPermaLink=\"false\">{guid}</guid>\
             <title>{title}</title><link>https://{host}/posts/of-the-day</link><pubDate>{date}</pubDate>{text}\
             </item></channel></rss>"
        );
        world.origin.route(host, "/feed", [Answer::ok(body)]);
        world.origin.url(host, "/feed")
    };
    let urls = [item(first, "a.test"), item(second, "b.test")];
    let engine = world.open(&urls[..1]).await;
    all(&engine).await;
    drop(engine);
    world.clock.advance(wait);
    let engine = world.open(&urls).await;
    poll(&engine, FeedSelection::Named(vec![urls[1].to_string()])).await;
    shown(&engine).len()
}

fn text(words: &str) -> String {
    format!("<description>{words}</description>")
}

#[tokio::test]
async fn a_mirror_that_is_added_days_later_repeats_nothing() {
    let [a, b, c, _] = AGENCY;
    let (whole, part) = (text(&[a, b, c].join(" ")), text(&[a, b].join(" ")));
    let file = |name: &str, notes: &str| {
        let notes = text(notes);
        format!(
            "{notes}<enclosure url=\"https://cdn.test/{name}.mp3\" type=\"audio/mpeg\" length=\"9\"/>"
        )
    };
    let (ours, theirs) =
        (file("7", "Ann talks of lamps and piers."), file("7", "Our shop has cups."));
    let title = "Ferry Halcyon aground in thick fog";
    for pair in [
        // Title and text, or one of them.
        [(&*whole, "1", AT, title), (&whole, "2", AT, title)],
        [(&*whole, "1", AT, title), (&whole, "2", AT, "Ann: Ferry Halcyon aground in thick fog")],
        [(&*whole, "1", AT, title), (&part, "2", AT, title)],
        // A full hour.
        [
            (&*whole, "1", "Sun, 01 Jun 2025 08:00:00 GMT", title),
            (&whole, "2", "Sun, 01 Jun 2025 08:00:00 GMT", title),
        ],
        // The same UUID with another date, and the same file with other notes.
        [(&*whole, UUID, AT, title), (&whole, UUID, LATER, title)],
        [(&*ours, "1", AT, "Episode 7"), (&theirs, "2", AT, "Episode 7")],
    ] {
        assert_eq!(entries(pair).await, 1, "{pair:?}");
    }
}

#[tokio::test]
async fn items_of_one_second_or_one_title_are_not_one_for_that_alone() {
    let [a, b, ..] = AGENCY;
    let (whole, other) = (text(a), text(b));
    let status = |host: &str, part: &str| {
        text(&format!(
            "We will carry out maintenance on the {part} of {host}. During this time requests may be slow or fail for \
             a few minutes. No action is needed on your side, and we will post an update when it is done."
        ))
    };
    let (copper, granite) = (status("Copper", "database"), status("Granite", "mail gateway"));
    let weather = |town: &str, sky: &str, degrees: u8| {
        text(&format!(
            "Today in {town} it is {sky} with {degrees} degrees and a light wind from the north."
        ))
    };
    let (onver, velden) = (weather("Onver", "cloudy", 12), weather("Velden", "sunny", 21));
    for pair in [
        [
            (&*copper, "1", AT, "Scheduled maintenance"),
            (&granite, "2", AT, "Scheduled maintenance"),
        ],
        [(&*onver, "1", AT, "Weather today"), (&velden, "2", AT, "Weather today")],
        [(&*onver, "1", AT, "Weather in Onver"), (&velden, "2", AT, "Weather in Velden")],
        // Daily columns.
        [
            (&*whole, "1", MIDNIGHT, "Letter of the day"),
            (&other, "2", MIDNIGHT, "Letter of the day"),
        ],
        [(&*whole, "1", AT, "Letter of the day"), (&other, "2", AT, "Letter of the day")],
        // A constant id.
        [(&*whole, UUID, AT, "A ferry aground"), (&other, UUID, LATER, "Choir sings on")],
    ] {
        assert_eq!(entries(pair).await, 2, "{pair:?}");
    }
}

#[tokio::test]
async fn episodes_under_the_notes_of_their_network_are_one_only_with_one_date_or_file() {
    let episode = |name: &str, notes: &str| {
        let url = format!("https://cdn.test/{name}.mp3");
        format!("{}<enclosure url=\"{url}\" type=\"audio/mpeg\" length=\"9\"/>", text(notes))
    };
    let notes = "Subscribe now wherever you get your podcasts. New episodes every Monday. A production of Tram Media.";
    let (one, other) = (episode("t1", notes), episode("t2", notes));
    let long = AGENCY.join(" ");
    let (ours, theirs) = (episode("7", &long), episode("8", &long));
    let article = text(&long);
    for (pair, stories) in [
        ([(&*one, "1", AT, "Trailer"), (&*other, "2", LATER, "Trailer")], 2),
        ([(&*one, "1", MIDNIGHT, "Questions"), (&*other, "2", MIDNIGHT, "Questions")], 2),
        // The hosts of one podcast, and one file.
        ([(&*one, "1", AT, "Trailer"), (&*other, "2", AT, "Trailer")], 1),
        ([(&*one, "1", AT, "Trailer"), (&*one, "2", LATER, "Trailer")], 1),
        // A text of its own.
        ([(&*ours, "1", AT, "The ferry"), (&*theirs, "2", LATER, "The ferry")], 1),
        ([(&*ours, "1", AT, "The ferry"), (&*article, "2", LATER, "The ferry")], 1),
    ] {
        assert_eq!(entries_after(HOUR, pair).await, stories, "{pair:?}");
    }
}

#[tokio::test]
async fn standard_sentences_of_status_pages_make_no_incidents_of_two_services_one() {
    let begun = "Jun 1, 08:14 UTC Investigating - We are currently investigating this issue and will provide an update as \
                 soon as possible.";
    let later = begun.replace("08:14", "09:20");
    let ended = format!(
        "Jun 1, 10:02 UTC Resolved - This incident has been resolved. Jun 1, 09:41 UTC Monitoring - A fix has been \
         implemented and we are monitoring the results. {begun}"
    );
    let report = "A ferry with 31 people ran aground in thick fog near the harbour of Onver on Sunday morning.";
    let [begun, later, ended, report] = [begun, &later, &ended, report].map(text);
    for (pair, stories) in [
        (
            [
                (&*begun, "1", AT, "Elevated error rates"),
                (&*begun, "2", LATER, "Elevated error rates"),
            ],
            2,
        ),
        ([(&*begun, "1", AT, "Delayed emails"), (&*later, "2", LATER, "Login problems")], 2),
        ([(&*ended, "1", AT, "API down"), (&*ended, "2", LATER, "API down")], 2),
        // The page of the service, and a planet that has it.
        (
            [
                (&*begun, "1", AT, "Elevated error rates"),
                (&*begun, "2", AT, "Elevated error rates"),
            ],
            1,
        ),
        ([(&*report, "1", AT, "Ferry aground"), (&*report, "2", LATER, "Ferry aground")], 1),
    ] {
        assert_eq!(entries_after(HOUR, pair).await, stories, "{pair:?}");
    }
}

#[tokio::test]
async fn a_picture_without_a_text_is_one_entry_on_two_hosts() {
    let world = World::new().await;
    let comic = |guid: &'static str, title, picture: &str| {
        let text = format!("&lt;img src=\"https://pictures.test/{picture}.png\"&gt;");
        Story { text, date: AT, ..story(guid, title, &[]) }
    };
    let urls = [
        one(&world, "a.test", comic("1", "Kettle Comic for 1 June", "kettle-17")),
        one(&world, "b.test", comic("2", "Kettle Comic for 1 June", "kettle-17")),
        one(&world, "c.test", comic("3", "Monday", "lamp-3")),
        one(&world, "d.test", comic("4", "Monday", "gull-9")),
    ];
    let engine = world.open(&urls).await;
    all(&engine).await;
    assert_eq!(shown(&engine).len(), 3);
}
