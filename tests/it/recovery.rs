//! `newswire restore --from-outputs` and `newswire verify`: after the loss of the database subscribers see nothing
//! twice. All ids are counted.

mod copies;
mod lost;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Finished, newswire};
use crate::support::empty_folder;
use crate::support::origin::{Answer, Origin};
use crate::support::papers::AGENCY;

/// Number of items of each feed, the shared story included.
const ITEMS: usize = 14;

/// A feed with its `count` oldest items, the newest first. `guid` makes an id from a number; the first item is the story that
/// all feeds carry.
fn feed(name: &str, count: usize, guid: fn(&str, usize) -> String) -> String {
    let item = |n: usize| {
        let (title, text) = match n {
            0 => ("Ferry Halcyon aground in fog".to_owned(), AGENCY.join(" ")),
            n => {
                let words: Vec<String> = (0..30).map(|word| format!("{name}x{n}y{word}")).collect();
                (format!("{name} {}", words[..3].join(" ")), words.join(" "))
            }
        };
        // Minutes apart, and one item without a date.
        let date = format!("<pubDate>Sun, 01 Jun 2025 10:{:02}:00 GMT</pubDate>", 59 - n);
        let date = if n == 3 { String::new() } else { date };
        let guid = guid(name, n);
        format!(
            "<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>\
             <link>https://{name}.test/{n}</link><description>{text}</description>{date}</item>"
        )
    };
    let items: String = (ITEMS - count..ITEMS).map(item).collect();
    format!(
        "<rss version='2.0'><channel><title>{name}</title><link>https://{name}.test/</link>{items}</channel></rss>"
    )
}

fn local_guid(_: &str, n: usize) -> String {
    n.to_string()
}

fn tag_guid(name: &str, n: usize) -> String {
    format!("tag:{name}.test,2025:{n}")
}

/// Two feeds with a story in common, and three outputs: one with archive pages, one with all items, one with one feed.
struct Planet {
    folder: TempDir,
    origin: Origin,
    urls: [String; 2],
}

impl Planet {
    async fn new(prefix: &str) -> Self {
        let origin = Origin::any_address().await;
        let urls = ["127.0.1.1", "127.0.2.1"].map(|host| origin.url(host, "/feed").to_string());
        let planet = Self { folder: empty_folder(), origin, urls };
        planet.serve(ITEMS);
        let feeds: String = planet
            .urls
            .iter()
            .zip(["a", "b"])
            .map(|(url, id)| format!("[[feed]]\nurl = \"{url}\"\nid = \"{id}\"\n"))
            .collect();
        let text = format!(
            "version = 1\n[store]\nretention = \"36500d\"\n[schedule]\nhost_spacing = \"1ms\"\n[fetch]\nallow_networks = [\"127.0.0.0/8\"]\n\
             [web]\nlisten = \"off\"\npublic_url = \"https://planet.test/\"\n\
             [[output]]\nid = \"planet\"\ndirectory = \"www\"\nitems = 10\n{prefix}\
             [[output]]\nid = \"all\"\ndirectory = \"www\"\nitems = 100\n\
             [[output]]\nid = \"tide\"\ndirectory = \"www\"\nitems = 100\ninclude = {{ feeds = [\"b\"] }}\n{feeds}"
        );
        fs::write(planet.folder().join("newswire.toml"), text).unwrap();
        planet
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn serve(&self, count: usize) {
        let answers = |text: String| std::iter::repeat_n(Answer::ok(text), 20);
        self.origin.route("127.0.1.1", "/feed", answers(feed("gull", count, local_guid)));
        self.origin.route("127.0.2.1", "/feed", answers(feed("tide", count, tag_guid)));
    }

    fn ok(&self, arguments: &[&str]) -> Finished {
        let run = newswire(self.folder(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}\n{}{}", run.out, run.err);
        run
    }

    /// Polls the feeds in this order, and publishes.
    fn poll(&self, order: [usize; 2]) {
        for at in order {
            self.ok(&["poll", "--force", &self.urls[at]]);
        }
    }

    fn lose_the_database(&self) {
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("newswire.db") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// The ids of every document and archive page, by its name, in order.
    fn published(&self) -> BTreeMap<String, Vec<String>> {
        let www = self.folder().join("www");
        let mut documents = BTreeMap::new();
        for output in ["planet", "all", "tide"] {
            documents.insert(output.to_owned(), ids(&www.join(format!("{output}.json"))));
            for page in 1.. {
                let path = www.join(format!("{output}/archive/{page}.json"));
                if !path.exists() {
                    break;
                }
                documents.insert(format!("{output}/{page}"), ids(&path));
            }
        }
        documents
    }

    /// The whole text of a document.
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join("www").join(name)).unwrap()
    }
}

fn ids(path: &Path) -> Vec<String> {
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let items = document["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn distinct(documents: &BTreeMap<String, Vec<String>>, output: &str) -> BTreeSet<String> {
    let of_output = documents.iter().filter(|(name, _)| name.starts_with(output));
    of_output.flat_map(|(_, ids)| ids.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_the_outputs_keep_every_id_and_lead() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    assert!(before.contains_key("planet/2"), "two archive pages: {:?}", before.keys());
    // 13 items of each feed alone, and the story that both have.
    assert_eq!(distinct(&before, "all").len(), 2 * ITEMS - 1);
    planet.lose_the_database();
    let restored = planet.ok(&["restore", "--from-outputs"]);
    assert!(restored.out.contains("items of 3 outputs"), "{}", restored.out);
    planet.ok(&["verify"]);
    // The other feed comes first now; its item would lead the story.
    planet.poll([1, 0]);
    assert_eq!(planet.published(), before);
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_outputs_read_back_another_item_leads_the_story() {
    // The proof that the test above can fail.
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = distinct(&planet.published(), "all");
    planet.lose_the_database();
    fs::remove_dir_all(planet.folder().join("www")).unwrap();
    planet.poll([1, 0]);
    let after = distinct(&planet.published(), "all");
    assert_eq!(after.difference(&before).count(), 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_whose_first_lead_was_removed_keeps_its_id_without_the_database() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let config = planet.folder().join("newswire.toml");
    let both = fs::read_to_string(&config).unwrap();
    let (before, first) = both.split_once("[[feed]]").unwrap();
    let (_, second) = first.split_once("[[feed]]").unwrap();
    fs::write(&config, format!("{before}[[feed]]{second}")).unwrap();
    planet.poll([1, 1]);
    // Pages of the removed feed alone are empty.
    let documents = || {
        let mut published = planet.published();
        published.retain(|name, _| !name.contains('/'));
        published
    };
    let without = documents();
    assert_eq!(without["all"].len(), ITEMS);
    assert_ne!(
        without["all"], without["tide"],
        "the story was never shown with its first lead there"
    );
    for _ in 0..2 {
        planet.lose_the_database();
        planet.ok(&["restore", "--from-outputs"]);
        planet.poll([1, 1]);
        assert_eq!(documents(), without);
    }
    fs::write(&config, both).unwrap();
    planet.poll([1, 0]);
    planet.poll([0, 1]);
    planet.ok(&["verify"]);
    let with = planet.published();
    let of =
        |documents: &BTreeMap<String, Vec<String>>| BTreeSet::from_iter(documents["all"].clone());
    assert_eq!(with["all"].len(), 2 * ITEMS - 1);
    assert_eq!(of(&without).difference(&of(&with)).count(), 0);
    assert_eq!(with["tide"], without["tide"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_an_old_copy_is_read_back_from_the_outputs() {
    let planet = Planet::new("").await;
    planet.serve(ITEMS - 4);
    planet.poll([0, 1]);
    planet.ok(&["backup", "old.db"]);
    planet.serve(ITEMS);
    planet.poll([0, 1]);
    let before = planet.published();
    planet.ok(&["restore", "old.db", "--from-outputs"]);
    planet.poll([1, 0]);
    let after = planet.published();
    assert_eq!(after["all"].len(), 2 * ITEMS - 1);
    assert_eq!(distinct(&after, "all"), distinct(&before, "all"));
    assert_eq!(after["tide"], before["tide"]);
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_left_their_feeds_stay_as_they_were_published() {
    for (language, also_at) in [("en", "Also at: "), ("fr", "Également sur\u{a0}: ")] {
        stay_as_they_were_published(language, also_at).await;
    }
}

async fn stay_as_they_were_published(language: &str, also_at: &str) {
    let look = format!(
        "title_prefix = \"{{source}}: \"\nalso_at = \"content\"\nlanguage = \"{language}\"\n"
    );
    let planet = Planet::new(&look).await;
    planet.poll([0, 1]);
    let before = planet.text("planet.json");
    assert!(before.contains("gull: gull gullx") && before.contains(also_at), "{before}");
    planet.lose_the_database();
    planet.ok(&["restore", "--from-outputs"]);
    planet.serve(1);
    planet.poll([1, 0]);
    let (before, after): (Value, Value) = (
        serde_json::from_str(&before).unwrap(),
        serde_json::from_str(&planet.text("planet.json")).unwrap(),
    );
    for (before, after) in
        before["items"].as_array().unwrap().iter().zip(after["items"].as_array().unwrap())
    {
        for part in ["id", "title", "date_published", "url", "content_html", "content_text"] {
            assert_eq!(before[part], after[part], "{part}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_the_feed_itself_survives_the_loss_of_the_database() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let id = |text: &str| text.split("<id>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let before = id(&planet.text("planet.atom"));
    planet.lose_the_database();
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([0, 1]);
    assert_eq!(id(&planet.text("planet.atom")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_back_twice_or_without_documents() {
    let planet = Planet::new("").await;
    let none = newswire(planet.folder(), &["restore", "--from-outputs"]);
    assert_eq!(none.code, 66, "{}", none.err);
    assert!(none.err.contains("newswire explain no_documents"), "{}", none.err);
    planet.poll([0, 1]);
    let before = planet.published();
    let again = planet.ok(&["restore", "--from-outputs"]);
    assert!(again.out.starts_with("read back 0 items of 3 outputs"), "{}", again.out);
    assert!(again.out.contains("; the database had "), "{}", again.out);
    planet.poll([0, 1]);
    assert_eq!(planet.published(), before);
    assert_eq!(newswire(planet.folder(), &["restore"]).code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_changed_files_and_items_that_are_missing() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let good = planet.ok(&["verify"]);
    assert!(good.out.contains("the files of 3 outputs match"), "{}", good.out);
    planet.ok(&["backup", "copy.db"]);
    planet.ok(&["verify", "copy.db"]);
    let file = planet.folder().join("www/planet.rss");
    let written = fs::read(&file).unwrap();
    fs::write(&file, "other").unwrap();
    let changed = newswire(planet.folder(), &["verify"]);
    assert_eq!(changed.code, 74, "{}", changed.out);
    assert!(changed.out.contains("planet.rss is not what was published last"), "{}", changed.out);
    assert!(changed.err.contains("newswire explain outputs_differ"), "{}", changed.err);
    fs::write(&file, written).unwrap();
    let database = Connection::open(planet.folder().join("newswire.db")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM item WHERE id = 2").unwrap();
    drop(database);
    let missing = newswire(planet.folder(), &["verify"]);
    assert_eq!(missing.code, 74, "{}", missing.out);
    assert!(missing.out.contains("item 2, which does not exist"), "{}", missing.out);
    assert!(missing.out.contains("a row of body refers to a row of item"), "{}", missing.out);
}
