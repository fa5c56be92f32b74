//! Items whose publisher changes much at once: dates, guids, links, titles and texts.

use newswire::daemon::FeedSelection;

use crate::support::origin::Answer;
use crate::support::world::{HOUR, World, poll, shown_as};

const HOST: &str = "site.test";

/// An item: guid, link, title, date, text.
#[derive(Debug, Clone)]
struct Entry {
    guid: String,
    link: String,
    title: String,
    date: String,
    text: String,
    comments: String,
}

const TITLES: [&str; 7] = [
    "Gulls in the city",
    "Boats on the river",
    "A new bridge opens",
    "Market day returns",
    "Old tower restored",
    "Harbour fees rise again",
    "Library gets new roof",
];

/// A sentence about a title.
fn about(title: &str, n: usize) -> String {
    let words = ["ferry", "baker", "lamp", "crane", "gull", "barn", "bell", "oar", "salt", "net"];
    let word = |k: usize| format!("{}{}", words[(n * 7 + k * 3) % 10], n * 13 + k);
    format!("{title} {}", (0..14).map(word).collect::<Vec<_>>().join(" "))
}

/// Day, hour, minute and second of May 2025.
fn at(day: usize, hour: usize, minute: usize, second: usize) -> String {
    format!("{day:02} May 2025 {hour:02}:{minute:02}:{second:02} GMT")
}

fn entry(n: usize) -> Entry {
    let link = format!("https://site.test/2025/{}", TITLES[n].to_lowercase().replace(' ', "-"));
    Entry {
        guid: link.clone(),
        link,
        title: TITLES[n].to_owned(),
        date: at(20 - 2 * n, 8 + n, 11 * n % 60, 7 + n),
        text: about(TITLES[n], n),
        comments: String::new(),
    }
}

fn feed(entries: &[Entry]) -> String {
    let part = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}>{text}</{name}>"),
    };
    let item = |it: &Entry| {
        let parts = [
            part("guid", &it.guid),
            part("link", &it.link),
            part("title", &it.title),
            part("pubDate", &it.date),
            part("description", &it.text),
            part("comments", &it.comments),
        ];
        format!("<item>{}</item>", parts.concat())
    };
    let items: String = entries.iter().map(item).collect();
    format!("<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
}

/// A document of seven items, the first of which is changed.
fn with_first(change: impl Fn(&mut Entry)) -> String {
    let mut entries: Vec<Entry> = (0..7).map(entry).collect();
    change(&mut entries[0]);
    feed(&entries)
}

/// A document of seven items, all of which are changed.
fn with_all(change: impl Fn(usize, &mut Entry)) -> String {
    let mut entries: Vec<Entry> = (0..7).map(entry).collect();
    entries.iter_mut().enumerate().for_each(|(n, it)| change(n, it));
    feed(&entries)
}

/// Polls the documents two hours apart. Returns the numbers of new items, also those that are held, and the titles.
async fn polled(documents: &[String]) -> (Vec<usize>, Vec<String>) {
    let world = World::new().await;
    world.origin.route(HOST, "/feed", documents.iter().map(|body| Answer::ok(body.as_str())));
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    let mut counts = Vec::new();
    for _ in documents {
        let recorded = poll(&engine, FeedSelection::All).await.remove(0).recorded;
        counts.push(recorded.new + recorded.held);
        world.clock.advance(2 * HOUR);
    }
    (counts, shown_as(&engine, "title"))
}

async fn new_items(documents: &[String]) -> Vec<usize> {
    polled(documents).await.0
}

fn moved(it: &mut Entry, name: &str) {
    it.link = format!("https://site.test/2025/{name}");
    it.guid = it.link.clone();
}

#[tokio::test]
async fn an_item_is_known_by_its_last_date_too() {
    let future = || "03 May 2026 10:00:00 GMT".to_owned();
    let text = about("Servers", 31);
    let dated = |date: &str| with_first(|it| it.date = date.to_owned());
    let dated_and_moved = |date: &str| {
        with_first(|it| {
            it.date = date.to_owned();
            moved(it, "other-slug");
        })
    };
    let edit = |it: &mut Entry| {
        (it.title, it.text) = ("Home servers, explained".to_owned(), text.clone());
        it.date = at(22, 3, 4, 5);
    };
    let (later, hour) = (at(22, 3, 4, 5), at(20, 9, 0, 7));
    for (n, documents) in [
        vec![dated(&at(20, 8, 0, 7)), dated(&later), dated_and_moved(&later)],
        vec![
            with_first(|_| {}),
            with_first(edit),
            with_first(|it| {
                edit(it);
                moved(it, "home-servers");
            }),
        ],
        vec![dated(&future()), dated_and_moved(&future())],
        vec![dated(&future()), dated(&later), dated_and_moved(&later)],
        vec![with_first(|_| {}), dated(&hour), dated_and_moved(&hour)],
    ]
    .into_iter()
    .enumerate()
    {
        let mut expected = vec![0; documents.len()];
        expected[0] = 7;
        assert_eq!(new_items(&documents).await, expected, "{n}");
    }
    let other = with_first(|it| {
        it.date = later.clone();
        it.title = "Bread is dear".to_owned();
        it.text = about("Bread", 32);
        moved(it, "bread");
    });
    let documents = [with_first(|_| {}), dated(&later), other];
    assert_eq!(new_items(&documents).await, [7, 0, 1], "the same date of another item");
}

#[tokio::test]
async fn items_are_known_when_guids_links_and_dates_all_move() {
    let shifted = |minutes: usize, session: usize| {
        with_all(|n, it| {
            it.link = format!("https://site.test/r?id={n}&amp;sess={session}");
            it.guid = it.link.clone();
            it.date = at(20 - 2 * n, 8 + n, minutes + n, 7 + n);
        })
    };
    let documents = [0, 5, 11, 16].map(|minutes| shifted(minutes, minutes * 97));
    assert_eq!(new_items(&documents).await, [7, 0, 0, 0], "minutes");
    let moved_to = |date: &dyn Fn(usize) -> String| {
        with_all(|n, it| {
            moved(it, &format!("posts/{n}-a"));
            it.date = date(n);
        })
    };
    let dates: [&dyn Fn(usize) -> String; 3] =
        [&|n| at(20 - 2 * n, 12, 0, 0), &|n| at(21 - 2 * n, 3 * n, 17 + n, 9), &|n| {
            at(31, 20 - 2 * n, 3 * n, 1)
        }];
    for (n, date) in dates.iter().enumerate() {
        let documents = [with_all(|_, _| {}), moved_to(date)];
        assert_eq!(new_items(&documents).await, [7, 0], "{n}");
    }
}

#[tokio::test]
async fn the_issues_of_the_next_week_are_new() {
    let week = |week: usize| {
        with_all(|n, it| {
            moved(it, &format!("shows/{week}-{n}"));
            it.date = at(3 + 7 * week + n, 18, 30 + 2 * week, n);
        })
    };
    let documents = [0, 1, 2].map(week);
    assert_eq!(new_items(&documents).await, [7, 7, 7]);
}

#[tokio::test]
async fn an_article_that_is_written_anew_under_its_guid_is_no_new_item() {
    for guid in ["https://site.test/?p=123456", "6f1c3b1e-0c3a-4f77-9a52-0d6f3c1a9e11"] {
        let version = |n: usize| {
            with_first(|it| {
                if n > 0 {
                    moved(it, &format!("storm-{n}"));
                    it.title = ["Thousands without power", "Two people die in gales"][n - 1].into();
                    it.text = about(&it.title, 40 + n);
                    it.date = at(20, 9 + 4 * n, 12, 5);
                }
                it.guid = guid.to_owned();
            })
        };
        let (counts, titles) = polled(&[0, 1, 2].map(version)).await;
        assert_eq!(counts, [7, 0, 0], "{guid}");
        assert_eq!(titles.len(), 7);
        assert!(titles.contains(&"Two people die in gales".to_owned()), "{titles:?}");
    }
}

#[tokio::test]
async fn guids_that_are_positions_or_places_hide_no_item() {
    // The newest item is the first.
    let position = |newest: usize, guid: fn(usize) -> String| {
        let item = |place: usize| Entry { guid: guid(place), ..entry(newest + 2 - place) };
        feed(&[item(0), item(1), item(2)])
    };
    let guids: [fn(usize) -> String; 5] = [
        |n| format!("{n}"),
        |n| format!("slot-{}", n + 10_001),
        |n| format!("item{n}"),
        |n| format!("https://site.test/feeds/12345#{n}"),
        |n| format!("urn:f:a1b2c3:{n}"),
    ];
    for guid in guids {
        let documents = [0, 1, 2, 3, 4].map(|newest| position(newest, guid));
        assert_eq!(new_items(&documents).await, [3, 1, 1, 1, 1], "{}", guid(0));
    }
    for guid in ["lead", "slot2", "tag:x1234.example,2026:lead"] {
        let lead = |n: usize| {
            let mut entries: Vec<Entry> = (3..7).map(entry).collect();
            entries.push(Entry { guid: guid.to_owned(), ..entry(n) });
            feed(&entries)
        };
        assert_eq!(new_items(&[0, 1, 2].map(lead)).await, [5, 1, 1], "{guid}");
    }
    let reset = |month: &str, n: usize| {
        let guid = "https://site.test/?p=123456".to_owned();
        let mut first = Entry { guid, ..entry(n) };
        first.date = first.date.replace("May", month);
        let mut entries: Vec<Entry> = (3..7).map(entry).collect();
        entries.push(first);
        feed(&entries)
    };
    assert_eq!(new_items(&[reset("Jan", 0), reset("May", 1)]).await, [5, 1], "months later");
}

#[tokio::test]
async fn a_guid_that_begins_anew_takes_no_proof_from_the_others() {
    let storm = |n: usize| Entry {
        guid: "https://site.test/?p=123457".to_owned(),
        link: format!("https://site.test/storm-{n}"),
        title: ["Storm approaches coast", "Thousands without power", "Two dead in gales"][n].into(),
        date: at(20, 9 + 2 * n, 12, 5),
        text: about("Storm", 40 + n),
        comments: String::new(),
    };
    let release = |n: usize| Entry {
        guid: "https://site.test/?p=123456".to_owned(),
        link: format!("https://site.test/kelpd-1-{n}"),
        title: format!("kelpd 1.{n} is out"),
        date: at(20, 8 + 3 * n, 12, 5),
        text: about("Release", 50 + n),
        comments: String::new(),
    };
    let document = |(versions, releases)| {
        let mut entries: Vec<Entry> = (2..7).map(entry).collect();
        entries.extend([storm(versions), release(releases)]);
        feed(&entries)
    };
    let documents = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)].map(document);
    let (counts, titles) = polled(&documents).await;
    assert_eq!(counts, [7, 1, 0, 1, 0]);
    assert!(titles.contains(&"Two dead in gales".to_owned()), "{titles:?}");
}

#[tokio::test]
async fn each_reply_of_a_topic_is_a_new_item() {
    // Each topic has one entry, its last reply; the numbers of the replies are in the guids.
    let replies = |n: usize| {
        with_all(|place, it| {
            it.link = format!("https://site.test/t/12345{place}");
            it.guid = format!("urn:reply:98765{place}{}", if place == 0 { n } else { 0 });
            if place == 0 {
                it.title = "Boats on the river".to_owned();
                it.text = about("Reply", 60 + n);
                it.date = at(20, 8 + 2 * n, 3, 9);
            } else if it.title == "Boats on the river" {
                it.title = "Ships at the quay".to_owned();
            }
        })
    };
    assert_eq!(new_items(&[0, 1, 2].map(replies)).await, [7, 1, 1]);
    // The pages of two issues, with an entry for the last event of each.
    let journal = |n: usize| {
        let event = |issue: usize, n: usize| Entry {
            guid: format!("https://site.test/issues/{issue}?journal_id={}", 456 + n),
            link: format!("https://site.test/issues/{issue}"),
            title: format!("Bug #{issue}: no light at the pier"),
            date: at(20, 8 + 2 * n, 3, 9),
            text: about("Event", 70 + n),
            comments: String::new(),
        };
        feed(&[event(123, n), event(124, 9)])
    };
    assert_eq!(new_items(&[0, 1, 2].map(journal)).await, [2, 1, 1]);
}

#[tokio::test]
async fn guids_that_name_versions_of_a_page_make_no_new_items() {
    let version = |n: usize, title: &str| {
        with_all(|place, it| {
            it.link = format!("https://site.test/articles/c{place}?at_medium=RSS");
            let number = if place == 0 { n } else { 0 };
            it.guid = format!("https://site.test/articles/c{place}#{number}");
            if place == 0 && n > 0 {
                it.title = title.to_owned();
                it.text = about(title, 50 + n);
                it.date = at(20, 9 + 3 * n, 44, 8);
            }
        })
    };
    let documents =
        [version(0, ""), version(1, "Two dead in storm"), version(3, "Rail services suspended")];
    let (counts, titles) = polled(&documents).await;
    assert_eq!(counts, [7, 0, 0]);
    assert!(titles.contains(&"Rail services suspended".to_owned()), "{titles:?}");
    // The entries of one page in a feed of articles.
    let notes = |n: usize| {
        with_first(|it| {
            it.link = "https://site.test/notes-2025".to_owned();
            it.guid = format!("https://site.test/notes-2025#{n}");
            it.title = format!("Notes about {}", about("it", n));
            it.text = about("Notes", 60 + n);
            it.date = at(20 + n, 8, 3, 9);
        })
    };
    assert_eq!(new_items(&[0, 1, 2].map(notes)).await, [7, 1, 1]);
}

#[tokio::test]
async fn the_next_version_of_the_only_paper_of_a_feed_is_an_update() {
    let paper = |version: usize, title: &str, text: &str| {
        feed(&[Entry {
            guid: format!("oai:arXiv.org:2411.00017v{version}"),
            link: "https://arxiv.org/abs/2411.00017".to_owned(),
            title: title.to_owned(),
            date: at(10 + version, 5, 0, 0),
            text: format!("{text}. Version {version}."),
            comments: String::new(),
        }])
    };
    let text = about("We study ropes", 70);
    let title = "On knots and ropes";
    assert_eq!(new_items(&[1, 2].map(|n| paper(n, title, &text))).await, [1, 0]);
    let other = paper(2, "Bread and its price", &about("Bread", 71));
    assert_eq!(new_items(&[paper(1, title, &text), other]).await, [1, 1]);
}

#[tokio::test]
async fn a_discussion_is_one_item_when_its_title_and_link_are_replaced() {
    let first = |title: &str, link: &str, comments: &str, date: &str| {
        with_all(|n, it| {
            it.guid.clear();
            it.comments = format!("https://news.test/item?id={n}");
            it.text = "Comments".to_owned();
            if n == 0 {
                it.title = title.to_owned();
                it.link = link.to_owned();
                it.comments = comments.to_owned();
                it.date = date.to_owned();
            }
        })
    };
    let (date, comments) = (at(21, 8, 3, 9), "https://news.test/item?id=100");
    let old = first("This changes everything", "https://a.test/p.pdf", comments, &date);
    let new = |comments: &str, date: &str| {
        first("SQLite 4 released", "https://b.test/sqlite-4", comments, date)
    };
    assert_eq!(new_items(&[old.clone(), new(comments, &date)]).await, [7, 0]);
    let later = at(21, 9, 3, 19);
    assert_eq!(new_items(&[old.clone(), new(comments, &later)]).await, [7, 1], "a thread");
    let other = "https://news.test/item?id=101";
    assert_eq!(new_items(&[old, new(other, &date)]).await, [7, 1], "another discussion");
}

#[tokio::test]
async fn a_page_of_comments_that_items_share_swallows_none() {
    // The forum of the site, and dates without a time.
    let document = |newest: usize| {
        let item = |place: usize| Entry {
            guid: String::new(),
            comments: "https://site.test/forum".to_owned(),
            date: at(20 + place.saturating_sub(1), 0, 0, 0),
            ..entry(place)
        };
        feed(&[item(newest), item(newest + 2)])
    };
    assert_eq!(new_items(&[document(0), document(1)]).await, [2, 2]);
}

#[tokio::test]
async fn dates_of_the_build_are_no_new_guids() {
    let world = World::new().await;
    let document = |hour: usize| {
        feed(&[0, 1, 2, 3].map(|n| Entry {
            guid: String::new(),
            comments: format!("https://site.test/item?id={n}"),
            date: at(20, hour, 1, 7),
            ..entry(n)
        }))
    };
    world.origin.route(HOST, "/feed", [8, 10, 12].map(|hour| Answer::ok(document(hour).as_str())));
    let engine = world.open(&[world.origin.url(HOST, "/feed")]).await;
    for expected in [4, 0, 0] {
        let recorded = poll(&engine, FeedSelection::All).await.remove(0).recorded;
        assert_eq!((recorded.new + recorded.held, recorded.guid_changes), (expected, 0));
        world.clock.advance(2 * HOUR);
    }
}

#[tokio::test]
async fn a_copy_from_a_cache_gives_no_item_its_old_date_back() {
    let document = |page: &str, hour: usize, text: usize| {
        let entry = |n: usize, page: &str, hour: usize, text: usize| {
            format!(
                "<entry><id>https://site.test/{page}</id><link href='https://site.test/{page}'/>\
                 <title>{}</title><updated>2025-06-01T{hour:02}:0{n}:09Z</updated><content>{}</content></entry>",
                TITLES[n],
                about(TITLES[n], text)
            )
        };
        let others: String = [1, 2, 3].map(|n| entry(n, &format!("other-{n}"), 6, 80 + n)).concat();
        let first = entry(0, page, hour, text);
        format!("<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title>{first}{others}</feed>")
    };
    let documents = [
        document("gulls", 8, 1),
        document("gulls", 11, 2),
        document("gulls", 8, 1),
        document("birds", 11, 2),
    ];
    assert_eq!(new_items(&documents).await, [4, 0, 0, 0]);
}
