//! The archive of an output, RFC 5005: every story that ever came, on pages that stay as they are.

mod changes;
mod gaps;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use newswire::cli::operator_decisions::{self, Release};
use newswire::config::Config;
use newswire::daemon::{Engine, FeedSelection};
use newswire::outputs::{ArchiveState, Publisher, Served};
use newswire::render::{Output, Token};
use newswire::store::{Store, Write};
use rusqlite::Connection;
use serde_json::Value;
use url::Url;

use crate::support::origin::Answer as Document;
use crate::support::world::{HOUR, World, poll, rss};
use crate::web::site::{Site, run};

/// An engine with two feeds, and a server before it.
struct Library {
    world: World,
    engine: Engine,
    site: Site,
    feeds: [Url; 2],
}

/// Pages of ten items, the smallest number that an output can have.
fn small(output: &mut Output) {
    output.items = 10;
}

impl Library {
    async fn with(change: impl FnOnce(&mut Output)) -> Self {
        Self::configured(|config| change(&mut config.outputs[0])).await
    }

    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let world = World::new().await;
        let feeds = [world.origin.url("a.test", "/feed"), world.origin.url("b.test", "/feed")];
        for feed in &feeds {
            answer(&world, feed, rss(&[]));
        }
        let mut config = world.config(&feeds);
        change(&mut config);
        let engine = world.open_with(config).await;
        let site = Site::before(engine.served().clone()).await;
        Self { world, engine, site, feeds }
    }

    /// The feed shows these items at the next poll, which is now.
    /// Returns how many of them are held.
    async fn arrive(&self, feed: usize, items: &[(String, String)]) -> usize {
        let items: Vec<(&str, &str)> = items.iter().map(|(a, b)| (&**a, &**b)).collect();
        self.arrive_document(feed, &rss(&items)).await
    }

    /// The same with a whole document.
    async fn arrive_document(&self, feed: usize, document: &str) -> usize {
        answer(&self.world, &self.feeds[feed], document.to_owned());
        self.world.clock.advance(HOUR * 2);
        let polled = poll(&self.engine, FeedSelection::All).await;
        polled.iter().map(|polled| polled.recorded.held).sum()
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.site.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Every document from the newest back to the oldest.
    async fn history(&self, first: &str) -> Vec<Value> {
        let (mut documents, mut next) = (Vec::new(), Some(first.to_owned()));
        while let Some(path) = next {
            let document = self.json(&path).await;
            let url = document["next_url"].as_str();
            next = url.map(|url| url.replace("http://127.0.0.1:8420", ""));
            documents.push(document);
        }
        documents
    }
}

fn answer(world: &World, url: &Url, body: String) {
    world.origin.route(url.host_str().unwrap(), url.path(), [Document::ok(body)]);
}

fn notes(range: std::ops::Range<usize>) -> Vec<(String, String)> {
    range.rev().map(|n| (format!("n{n}"), format!("Note {n}"))).collect()
}

/// A document with one item of this time.
fn dated(guid: &str, title: &str, date: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>Site</title><item><guid isPermaLink=\"false\">{guid}</guid>\
         <title>{title}</title><description>About {title}</description><pubDate>{date}</pubDate></item></channel></rss>"
    )
}

/// A document with items without a date.
fn undated(range: std::ops::Range<usize>) -> String {
    let item = |(guid, title): &(String, String)| {
        format!("<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title></item>")
    };
    let items: String = notes(range).iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Site</title>{items}</channel></rss>")
}

/// The id of an Atom feed.
fn feed_id(atom: &str) -> &str {
    atom.split_once("<id>").unwrap().1.split_once("</id>").unwrap().0
}

fn titles(document: &Value) -> Vec<String> {
    let items = document["items"].as_array().unwrap();
    items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_subscriber_finds_every_story_that_ever_came() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..24)).await;
        library.arrive(1, &notes(100..113)).await;
        library.arrive(0, &notes(20..37)).await;
        let history = library.history("/planet.json").await;
        assert_eq!(history.len(), 1 + 5, "50 stories on five pages");
        let all: BTreeSet<String> = history.iter().flat_map(titles).collect();
        assert_eq!(all.len(), 50);
        assert!(history[1..].iter().all(|page| titles(page).len() == 10));
        assert_eq!(history[5]["feed_url"], "http://127.0.0.1:8420/planet/archive/1.json");
        assert_eq!(history[5]["next_url"], Value::Null);
    });
}

#[test]
fn a_full_page_keeps_its_stories_whatever_comes_or_changes_later() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..25)).await;
        let first = library.json("/planet/archive/1.json").await;
        let mut again = notes(0..40);
        again.iter_mut().for_each(|(_, title)| title.push_str(", corrected"));
        library.arrive(0, &again).await;
        let now = library.json("/planet/archive/1.json").await;
        let ids = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap();
            items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&now), ids(&first));
        assert!(titles(&now)[0].ends_with(", corrected"), "as it reads today");
    });
}

#[test]
fn the_documents_are_linked_as_the_rfc_has_it() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..30)).await;
        let text = async |path: &str| {
            let answer = library.site.get(path, &[]).await;
            assert_eq!(answer.status, 200, "{path}");
            answer.text()
        };
        let base = "http://127.0.0.1:8420/planet";
        for (kind, link) in [("atom", "link"), ("rss", "atom:link")] {
            let link = |relation: &str, url: &str| {
                format!("<{link} rel=\"{relation}\" href=\"{base}{url}\"")
            };
            let current = text(&format!("/planet.{kind}")).await;
            assert!(current.contains(&link("prev-archive", &format!("/archive/3.{kind}"))));
            assert!(!current.contains("fh:archive") && !current.contains("rel=\"current\""));
            let middle = text(&format!("/planet/archive/2.{kind}")).await;
            assert!(middle.contains("<fh:archive/>"), "{middle}");
            assert!(middle.contains("xmlns:fh=\"http://purl.org/syndication/history/1.0\""));
            assert!(middle.contains(&link("current", &format!(".{kind}"))));
            assert!(middle.contains(&link("prev-archive", &format!("/archive/1.{kind}"))));
            assert!(middle.contains(&link("next-archive", &format!("/archive/3.{kind}"))));
            assert!(middle.contains(&format!("href=\"{base}/archive/2.{kind}\"")), "rel=self");
            let oldest = text(&format!("/planet/archive/1.{kind}")).await;
            assert!(!oldest.contains("prev-archive"));
            let newest = text(&format!("/planet/archive/3.{kind}")).await;
            assert!(!newest.contains("next-archive"));
        }
        let current = text("/planet.atom").await;
        assert_eq!(feed_id(&text("/planet/archive/2.atom").await), feed_id(&current), "the same");
    });
}

#[test]
fn a_page_is_served_like_any_document_and_for_long() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..25)).await;
        let page = library.site.get("/planet/archive/2.atom", &[]).await;
        assert_eq!(page.header("cache-control"), Some("public, max-age=86400"));
        let link = "<http://127.0.0.1:8420/planet/archive/2.atom>; rel=\"self\"";
        assert_eq!(page.header("link"), Some(link));
        let etag = format!("If-None-Match: {}", page.header("etag").unwrap());
        assert_eq!(library.site.get("/planet/archive/2.atom", &[&etag]).await.status, 304);
        let since = "If-Modified-Since: Sun, 01 Jun 2035 12:00:00 GMT";
        assert_eq!(library.site.get("/planet/archive/2.atom", &[since]).await.status, 200);
        for none in ["0", "3", "02", "+2", "-1", "x", "99999999999"] {
            let path = format!("/planet/archive/{none}.atom");
            assert_eq!(library.site.get(&path, &[]).await.status, 404, "{none}");
        }
        for none in ["/planet/archive/2", "/planet/archive/2.xml", "/other/archive/2.atom"] {
            assert_eq!(library.site.get(none, &[]).await.status, 404, "{none}");
        }
    });
}

#[test]
fn the_archive_is_the_same_after_a_restart_and_for_an_output_that_comes_late() {
    run(async {
        let library = Library::with(|output| {
            small(output);
            output.directory = None;
        })
        .await;
        library.arrive(0, &notes(0..25)).await;
        let before = library.site.get("/planet/archive/2.atom", &[]).await.body;
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        let mut config = world.config(&feeds);
        small(&mut config.outputs[0]);
        config.outputs[0].directory = None;
        let mut late = config.outputs[0].clone();
        late.id = "late".to_owned();
        config.outputs.push(late);
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        let site = Site::before(engine.served().clone()).await;
        assert_eq!(site.get("/planet/archive/2.atom", &[]).await.body, before);
        let late = site.get("/late/archive/2.atom", &[]).await.text();
        let before = String::from_utf8(before).unwrap();
        let renamed = before.replace("/planet", "/late").replace(feed_id(&before), feed_id(&late));
        assert_eq!(late, renamed);
    });
}

#[test]
fn what_waits_for_the_operator_comes_to_the_archive_when_it_is_let_through() {
    run(async {
        let library = Library::with(small).await;
        assert_eq!(library.arrive(0, &notes(0..24)).await, 0);
        let held = library.arrive(0, &notes(0..120)).await;
        assert!(held > 0, "a burst that no publisher writes");
        let archived = async || {
            let history = library.history("/planet.json").await;
            history[1..].iter().flat_map(titles).collect::<Vec<_>>()
        };
        let before = archived().await;
        assert_eq!(before.len(), (120 - held) / 10 * 10);
        let mut hidden = 0;
        for key in 1..=120 {
            let story = library.site.get(&format!("/planet/story/{key}"), &[]).await;
            hidden += usize::from(story.status == 404);
        }
        assert_eq!(hidden, held, "nor can it be read by its number");
        let config = library.world.config(&library.feeds);
        operator_decisions::release(&config, &library.world.clock, "a.test-feed", Release::Held)
            .await
            .unwrap();
        library.arrive(1, &notes(900..901)).await;
        let after = archived().await;
        let once: BTreeSet<&String> = after.iter().collect();
        assert_eq!((after.len(), once.len()), (120, 120));
        assert_eq!(after[120 - before.len()..], before, "the full pages are as they were");
    });
}

#[test]
fn a_story_that_several_feeds_must_carry_comes_to_the_archive_with_the_last_of_them() {
    run(async {
        let library = Library::with(|output| {
            small(output);
            output.min_feeds = Some(2);
        })
        .await;
        library.arrive(0, &notes(0..12)).await;
        assert_eq!(library.history("/planet.json").await.len(), 1, "one feed is not enough");
        library.arrive(1, &notes(1..13)).await;
        let history = library.history("/planet.json").await;
        let all: BTreeSet<String> = history.iter().flat_map(titles).collect();
        assert_eq!((history.len(), titles(&history[1]).len(), all.len()), (2, 10, 11));
    });
}

#[test]
fn the_history_ends_where_nothing_is_kept_any_more() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..20)).await;
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        let store = Store::open(&world.database(), world.clock.clone()).unwrap();
        let cutoff = world.now() + jiff::SignedDuration::from_hours(1);
        let kept = store.write(Write::ForgetBodies { cutoff, limit: 15 }).await;
        assert_eq!(kept.unwrap(), 15);
        drop(store);
        let mut config = world.config(&feeds);
        small(&mut config.outputs[0]);
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        let site = Site::before(engine.served().clone()).await;
        let library = Library { world, engine, site, feeds };
        let history = library.history("/planet.json").await;
        assert_eq!(history.iter().map(|page| titles(page).len()).collect::<Vec<_>>(), [5, 5]);
        let empty = library.json("/planet/archive/1.json").await;
        assert!(titles(&empty).is_empty(), "its address still answers");
    });
}

#[test]
fn a_story_of_two_feeds_is_in_the_archive_once() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..15)).await;
        library.arrive(1, &notes(0..15)).await;
        library.arrive(1, &notes(50..60)).await;
        let history = library.history("/planet.json").await;
        let archived: Vec<String> = history[1..].iter().flat_map(titles).collect();
        let once: BTreeSet<&String> = archived.iter().collect();
        assert_eq!((archived.len(), once.len()), (20, 20));
        let also = &history[2]["items"][0]["_newswire"]["also_at"];
        assert_eq!(also.as_array().map(Vec::len), Some(1), "{also}");
    });
}

/// Every file below `folder`, by its path there.
fn files(folder: &Path, below: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, below, found),
            false => drop(found.insert(path.strip_prefix(below).unwrap().display().to_string())),
        }
    }
}

#[test]
fn a_folder_alone_can_be_served_with_its_whole_history() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..15)).await;
        library.arrive(0, &notes(0..25)).await;
        let www = library.world.folder.path().join("www");
        let mut found = BTreeSet::new();
        files(&www, &www, &mut found);
        let mut expected = BTreeSet::from(["subscriptions.opml".to_owned()]);
        for format in ["atom", "rss", "json"] {
            for name in ["planet", "planet/archive/1", "planet/archive/2"] {
                let codings: &[&str] = match name {
                    "planet" => &["", ".gz", ".br", ".zst"],
                    // Requested rarely.
                    _ => &["", ".gz"],
                };
                expected.extend(codings.iter().map(|coding| format!("{name}.{format}{coding}")));
            }
        }
        assert_eq!(found, expected);
        for (path, codings) in [("planet.rss", ""), ("planet/archive/1.atom", "")] {
            let served = library.site.get(&format!("/{path}"), &[]).await.body;
            assert_eq!(std::fs::read(www.join(path)).unwrap(), served, "{path}{codings}");
        }
        let packed = library.site.get("/planet/archive/2.json", &["Accept-Encoding: gzip"]).await;
        assert_eq!(std::fs::read(www.join("planet/archive/2.json.gz")).unwrap(), packed.body);
    });
}

#[test]
fn pages_that_were_taken_away_or_name_an_old_address_are_written_anew() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..45)).await;
        let www = library.world.folder.path().join("www/planet/archive");
        std::fs::remove_file(www.join("1.atom")).unwrap();
        let Library { world, engine, feeds, .. } = library;
        engine.publish().await.unwrap();
        assert!(www.join("1.atom").exists());
        drop(engine);
        let mut config = world.config(&feeds);
        small(&mut config.outputs[0]);
        config.outputs[0].base_url = Url::parse("https://planet.test/").unwrap();
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        for number in 1..=4 {
            let page = std::fs::read_to_string(www.join(format!("{number}.rss"))).unwrap();
            assert!(page.contains("https://planet.test/planet.rss"), "{number}");
        }
    });
}

#[test]
fn who_has_the_token_can_follow_the_links() {
    run(async {
        let library = Library::with(|output| {
            small(output);
            output.directory = None;
            output.token = Some(Token::new("sesame-0123456789".to_owned()));
        })
        .await;
        library.arrive(0, &notes(0..25)).await;
        let stranger = library.site.get("/planet/archive/1.json", &[]).await;
        assert_eq!(stranger.status, 404);
        let history = library.history("/planet.json?token=sesame-0123456789").await;
        assert_eq!(history.len(), 3);
        for document in &history {
            let url = document["feed_url"].as_str().unwrap();
            assert!(url.ends_with(".json?token=sesame-0123456789"), "{url}");
        }
        let atom = library.site.get("/planet/archive/1.atom?token=sesame-0123456789", &[]).await;
        assert!(atom.text().contains(
            "rel=\"current\" href=\"http://127.0.0.1:8420/planet.atom?token=sesame-0123456789\""
        ));
        assert!(!feed_id(&atom.text()).contains("sesame"));
    });
}

#[test]
fn a_story_that_leaves_the_document_is_in_the_archive_at_once() {
    run(async {
        let library = Library::with(small).await;
        // It is older than the feed is configured: it is shown by its date, as the last one.
        let first = dated("first", "First", "Sun, 01 Jun 2025 00:30:00 GMT");
        library.arrive_document(1, &first).await;
        library.arrive(0, &notes(0..9)).await;
        let document = library.json("/planet.json").await;
        assert!(titles(&document).contains(&"First".to_owned()), "{:?}", titles(&document));
        let new = dated("new", "New", "Sun, 01 Jun 2025 11:30:00 GMT");
        library.arrive_document(1, &new).await;
        let history = library.history("/planet.json").await;
        assert!(!titles(&history[0]).contains(&"First".to_owned()));
        assert!(titles(&history[1]).contains(&"First".to_owned()), "{history:?}");
        // Each story is in the archive once.
        library.arrive(0, &notes(0..30)).await;
        let history = library.history("/planet.json").await;
        let all: Vec<String> = history[1..].iter().flat_map(titles).collect();
        assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "{all:?}");
    });
}

#[test]
fn a_story_that_is_older_than_all_others_is_in_the_document_when_it_arrives() {
    run(async {
        let library = Library::with(small).await;
        library.arrive_document(0, &undated(0..12)).await;
        // Its server was down for hours.
        let late = dated("late", "Late", "Sun, 01 Jun 2025 13:00:00 GMT");
        library.arrive_document(1, &late).await;
        let urls = ["/planet.json", "/planet.json?feed=b.test-feed"];
        for url in urls {
            let document = library.json(url).await;
            assert_eq!(titles(&document).last().unwrap(), "Late", "{url}, in the order of dates");
        }
        assert_eq!(titles(&library.json("/planet.json").await).len(), 10);
        // As many others have room with it.
        for end in [17, 21] {
            assert_eq!(library.arrive_document(0, &undated(8..end)).await, 0, "none is held");
        }
        let document = library.json("/planet.json").await;
        assert!(titles(&document).contains(&"Late".to_owned()), "9 arrived later");
        library.arrive_document(0, &undated(9..22)).await;
        let history = library.history("/planet.json").await;
        assert!(!titles(&history[0]).contains(&"Late".to_owned()), "10 arrived later");
        assert!(history[1..].iter().flat_map(titles).any(|title| title == "Late"));
    });
}

#[test]
fn what_a_feed_had_published_before_it_was_added_displaces_nothing() {
    run(async {
        let library = Library::with(small).await;
        library.arrive_document(0, &undated(0..12)).await;
        let before = titles(&library.json("/planet.json").await);
        let old = dated("old", "Old", "Sat, 31 May 2025 02:30:00 GMT");
        library.arrive_document(1, &old).await;
        assert_eq!(titles(&library.json("/planet.json").await), before);
        let document = library.json("/planet.json?feed=b.test-feed").await;
        assert_eq!(titles(&document), ["Old"]);
    });
}

#[test]
fn texts_past_retention_leave_database_and_directory_under_poll_too() {
    run(async {
        let library = Library::configured(|config| {
            small(&mut config.outputs[0]);
            config.store.retention = HOUR * 24 * 10;
        })
        .await;
        let archive = library.world.folder.path().join("www/planet/archive");
        let page = |number: u32| std::fs::read_to_string(archive.join(format!("{number}.json")));
        let database = Connection::open(library.world.database()).unwrap();
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            database.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        library.arrive(0, &notes(0..25)).await;
        assert!(page(1).is_ok() && page(2).is_ok() && count("body") == 25);
        library.world.clock.advance(HOUR * 24 * 9);
        library.arrive(0, &notes(25..50)).await;
        assert!(page(3).unwrap().contains("planet/archive/2.json"));
        assert_eq!(count("body"), 50);
        library.world.clock.advance(HOUR * 24 * 2);
        library.arrive(0, &notes(40..52)).await;
        assert_eq!((count("body"), count("item")), (27, 52), "ids are kept");
        assert!(page(1).is_err() && page(2).is_err(), "pages without a text are removed");
        assert!(!archive.join("1.json.gz").exists());
        let third = page(3).unwrap();
        assert!(third.contains("Note 25") && !third.contains("\"Note 24\""), "{third}");
        assert!(!third.contains("planet/archive/2.json"), "a link to a removed page");
    });
}

#[test]
fn a_first_publication_precedes_its_archive_and_later_ones_follow_theirs() {
    run(async {
        let library = Library::with(|output| {
            small(output);
            output.directory = None;
        })
        .await;
        library.arrive(0, &notes(0..45)).await;
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        let mut output = world.config(&feeds).outputs.remove(0);
        small(&mut output);
        let www = output.directory.clone().unwrap();
        let output = Arc::new(output);
        let store = Arc::new(Store::open(&world.database(), world.clock.clone()).unwrap());
        let publisher =
            || Publisher::new(Arc::clone(&store), Arc::new(Served::new()), world.clock.clone());
        let link = || {
            let json = std::fs::read(www.join("planet.json")).unwrap();
            serde_json::from_slice::<Value>(&json).unwrap()["next_url"].clone()
        };
        let page = |name: &str| www.join("planet/archive").join(name);
        let first = publisher();
        first.publish(&output).await.unwrap();
        assert_eq!(link(), Value::Null);
        assert!(!page("1.json").exists(), "not a page before the documents");
        let state = first.write_archive(&output).await.unwrap();
        assert_eq!((state, link()), (ArchiveState::Unfinished, Value::Null));
        assert!(page("4.json").exists());
        assert_eq!(first.write_archive(&output).await.unwrap(), ArchiveState::Unannounced);
        first.publish(&output).await.unwrap();
        assert_eq!(first.write_archive(&output).await.unwrap(), ArchiveState::Complete);
        assert_eq!(link(), "http://127.0.0.1:8420/planet/archive/4.json");
        // As a process leaves it that was killed between two renames; and a sibling of long ago.
        let before = std::fs::read(page("3.rss")).unwrap();
        for name in ["3.rss", "4.rss", "4.rss.gz", "4.json"] {
            std::fs::remove_file(page(name)).unwrap();
        }
        std::fs::write(page(".4.rss.new"), "half").unwrap();
        std::fs::write(page("3.rss.br"), "old").unwrap();
        let second = publisher();
        second.publish(&output).await.unwrap();
        // What is not in the document any more is in the archive when the document appears.
        assert_eq!(link(), "http://127.0.0.1:8420/planet/archive/4.json");
        assert_eq!(std::fs::read(page("3.rss")).unwrap(), before);
        second.complete_archive(&output).await.unwrap();
        assert!(page("4.rss.gz").exists() && !page("3.rss.br").exists());
        assert!(!page(".4.rss.new").exists());
    });
}
