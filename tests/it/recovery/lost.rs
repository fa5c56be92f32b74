//! The database is lost and nothing was read back yet, or not all can be.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{ITEMS, Planet};
use crate::cli::newswire;

impl Planet {
    /// Replaces a text in the config.
    fn change(&self, before: &str, after: &str) {
        let path = self.folder().join("newswire.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(before), "{before}");
        fs::write(path, text.replace(before, after)).unwrap();
    }

    /// The titles of the pages of stories, by their names.
    fn story_pages(&self) -> BTreeMap<String, String> {
        let pages = fs::read_dir(self.folder().join("www/planet/story")).unwrap();
        let paths = pages.map(|entry| entry.unwrap().path());
        let html = paths.filter(|path| path.extension().is_some_and(|it| it == "html"));
        let title = |path: PathBuf| {
            let text = fs::read_to_string(&path).unwrap();
            let title = text.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), title.to_owned())
        };
        html.map(title).collect()
    }

    /// The ids of RSS documents and archive pages, by their names.
    fn published_as_rss(&self) -> BTreeMap<&'static str, Vec<String>> {
        let names =
            ["planet.rss", "all.rss", "tide.rss", "planet/archive/1.rss", "planet/archive/2.rss"];
        let ids = |name: &str| -> Vec<String> {
            let text = self.text(name);
            let guids = text.split("<guid ").skip(1);
            let id =
                |guid: &str| guid.split_once('>').unwrap().1.split('<').next().unwrap().to_owned();
            guids.map(id).collect()
        };
        names.into_iter().map(|name| (name, ids(name))).collect()
    }

    /// A command that fails with this exit code and error code.
    fn fails(&self, arguments: &[&str], exit: i32, code: &str) -> String {
        let run = newswire(self.folder(), arguments);
        assert_eq!(run.code, exit, "{arguments:?}\n{}{}", run.out, run.err);
        let more = format!("newswire explain {code}\n");
        assert!(run.err.contains(&more), "{arguments:?}\n{}", run.err);
        run.err
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_does_not_replace_what_was_published() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    planet.lose_the_database();
    for arguments in [&["poll"][..], &["poll", "--all", "--force"], &["run"], &["poll"]] {
        let error = planet.fails(arguments, 66, "database_lost");
        assert!(error.contains("planet.atom") && error.contains("--from-outputs"), "{error}");
    }
    assert_eq!(planet.published(), before);
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([1, 0]);
    assert_eq!(planet.published(), before);
    planet.ok(&["verify"]);
    // On purpose.
    planet.lose_the_database();
    fs::rename(planet.folder().join("www"), planet.folder().join("old")).unwrap();
    planet.poll([0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_start_prints_no_address_and_adds_no_feed() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    planet.lose_the_database();
    planet.change("listen = \"off\"", "listen = \"127.0.0.1:0\"");
    let config = || fs::read_to_string(planet.folder().join("newswire.toml")).unwrap();
    let (before, asked) = (config(), planet.origin.count());
    let url = planet.origin.url("127.0.1.1", "/other").to_string();
    let starts = |code: &str, exit: i32| {
        let run = newswire(planet.folder(), &["run", &url]);
        assert_eq!((run.code, run.out.as_str()), (exit, ""), "{}", run.err);
        assert!(run.err.contains(&format!("newswire explain {code}\n")), "{}", run.err);
        assert_eq!((config(), planet.origin.count()), (before.clone(), asked));
    };
    starts("database_lost", 66);
    assert!(!planet.folder().join("newswire.db").exists());
    fs::write(planet.folder().join("newswire.db"), "not at all ".repeat(1000)).unwrap();
    starts("database_damaged", 74);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_only_compressed_are_read_back() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    planet.lose_the_database();
    let www = planet.folder().join("www");
    let archive = www.join("planet/archive");
    for entry in fs::read_dir(&www).unwrap().chain(fs::read_dir(archive).unwrap()) {
        let path = entry.unwrap().path();
        let extension = path.extension().map(|it| it.to_string_lossy().into_owned());
        if matches!(extension.as_deref(), Some("atom" | "rss" | "json")) {
            fs::remove_file(path).unwrap();
        }
    }
    planet.fails(&["poll"], 66, "database_lost");
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([1, 0]);
    assert_eq!(planet.published(), before);
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_without_items_or_of_another_program_are_replaced() {
    let planet = Planet::new("").await;
    let www = planet.folder().join("www");
    fs::create_dir(&www).unwrap();
    let other = "<feed xmlns='http://www.w3.org/2005/Atom'><title>P</title><generator>Venus</generator>\
                 <entry><id>urn:x:1</id><title>One</title></entry></feed>";
    fs::write(www.join("planet.atom"), other).unwrap();
    planet.serve(0);
    planet.poll([0, 1]);
    assert!(!planet.text("planet.atom").contains("Venus"));
    planet.lose_the_database();
    planet.serve(ITEMS);
    planet.poll([0, 1]);
    assert_eq!(planet.published()["all"].len(), 2 * ITEMS - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_a_feed_on_the_host_of_the_outputs_are_read_back_from_rss() {
    let planet = Planet::new("").await;
    let root = planet.origin.url("127.0.1.1", "/feeds/").to_string();
    planet.change("https://planet.test/", &root);
    planet.change("directory = \"www\"", "directory = \"www\"\nformats = [\"rss\"]");
    planet.poll([0, 1]);
    let before = planet.published_as_rss();
    planet.lose_the_database();
    let restored = planet.ok(&["restore", "--from-outputs"]);
    assert!(!restored.out.contains("no configured feed"), "{}", restored.out);
    assert!(restored.out.contains("and 2 archive pages"), "{}", restored.out);
    planet.poll([1, 0]);
    assert_eq!(planet.published_as_rss(), before);
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_without_any_feed_of_the_items_fails_and_nothing_is_replaced() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    planet.lose_the_database();
    planet.change("/feed\"", "/moved\"");
    let error = planet.fails(&["restore", "--from-outputs"], 65, "items_without_feed");
    assert!(error.contains("no configured feed has any of the "), "{error}");
    planet.fails(&["poll"], 66, "database_lost");
    assert_eq!(planet.published(), before);
    planet.change("/moved\"", "/feed\"");
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([1, 0]);
    assert_eq!(planet.published(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_stories_keep_their_names_without_the_database() {
    let planet = Planet::new("site = true\n").await;
    planet.poll([1, 0]);
    let before = planet.story_pages();
    assert_eq!(before.len(), 2 * ITEMS - 1);
    planet.lose_the_database();
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([0, 1]);
    assert_eq!(planet.story_pages(), before);
    // Documents in which all items have the same number are not trusted, and nothing is lost.
    let published = planet.published();
    for name in published.keys() {
        let path = match name.split_once('/') {
            Some((output, page)) => format!("{output}/archive/{page}.json"),
            None => format!("{name}.json"),
        };
        let mut document: Value = serde_json::from_str(&planet.text(&path)).unwrap();
        for item in document["items"].as_array_mut().unwrap() {
            item["_newswire"]["number"] = 7.into();
        }
        let path = planet.folder().join("www").join(path);
        fs::write(path, serde_json::to_vec(&document).unwrap()).unwrap();
    }
    planet.lose_the_database();
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([0, 1]);
    assert_eq!(planet.published(), published);
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_json_a_page_of_a_story_never_becomes_that_of_another_one() {
    let planet = Planet::new("site = true\n").await;
    planet.change("directory = \"www\"", "directory = \"www\"\nformats = [\"atom\"]");
    planet.poll([1, 0]);
    let before = planet.story_pages();
    planet.lose_the_database();
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([0, 1]);
    let after = planet.story_pages();
    assert_eq!(after.len(), before.len());
    for (name, title) in &after {
        assert!(before.get(name).is_none_or(|known| known == title), "{name}: {title}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_document_is_read_in_another_format() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    let www = planet.folder().join("www");
    fs::write(www.join("planet.json"), "").unwrap();
    let page = www.join("planet/archive/1.json");
    let text = fs::read(&page).unwrap();
    fs::write(&page, &text[..text.len() / 2]).unwrap();
    let verified = newswire(planet.folder(), &["verify"]);
    assert_eq!(verified.code, 74, "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("1.json is damaged; move it away"), "{}", verified.out);
    planet.lose_the_database();
    let restored = planet.ok(&["restore", "--from-outputs"]);
    for name in ["planet.json is damaged", "planet/archive/1.json is damaged"] {
        assert!(restored.out.contains(name), "{}", restored.out);
    }
    fs::remove_file(page).unwrap();
    planet.poll([1, 0]);
    planet.ok(&["verify"]);
    assert_eq!(planet.published(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_damaged_in_every_format_is_named_and_can_be_moved_away() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    let id = |text: &str| text.split("<id>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let own = id(&planet.text("planet.atom"));
    let www = fs::read_dir(planet.folder().join("www")).unwrap().map(|entry| entry.unwrap().path());
    let is_document = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy();
        ["planet.json", "planet.atom", "planet.rss"].iter().any(|it| name.starts_with(it))
    };
    // Also the compressed ones, each of which replaces a damaged one.
    let files: Vec<PathBuf> = www.filter(is_document).collect();
    files.iter().for_each(|file| fs::write(file, "").unwrap());
    planet.lose_the_database();
    let error = planet.fails(&["restore", "--from-outputs"], 65, "published_document_damaged");
    for part in ["www/planet.json", "www/planet.atom", "move all of them away"] {
        assert!(error.contains(part), "{error}");
    }
    files.iter().for_each(|file| fs::remove_file(file).unwrap());
    planet.ok(&["restore", "--from-outputs"]);
    planet.poll([1, 0]);
    assert_eq!(planet.published()["all"], before["all"]);
    assert_eq!(id(&planet.text("planet.atom")), own, "archive pages have it too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_archive_page_is_reported_and_the_next_poll_ends() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    let before = planet.published();
    planet.lose_the_database();
    for entry in fs::read_dir(planet.folder().join("www/planet/archive")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with("1.") || name.starts_with("2.json") {
            fs::remove_file(&path).unwrap();
        }
    }
    let restored = planet.ok(&["restore", "--from-outputs"]);
    assert!(restored.out.contains("and 1 archive page"), "{}", restored.out);
    let lost = "the output planet lost archive page 1: ";
    assert!(restored.out.contains(lost), "{}", restored.out);
    planet.poll([1, 0]);
    let after = planet.published();
    assert_eq!((&after["all"], &after["planet/2"]), (&before["all"], &before["planet/2"]));
    assert_eq!(after["planet/1"], Vec::<String>::new());
    planet.ok(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_reports_that_a_config_with_errors_leaves_outputs_unverified() {
    let planet = Planet::new("").await;
    planet.poll([0, 1]);
    fs::remove_file(planet.folder().join("www/planet.rss")).unwrap();
    planet.change("version = 1\n", "version = 1\n[shedule]\n");
    let verified = newswire(planet.folder(), &["verify"]);
    assert_eq!(verified.code, 78, "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("no damage found"), "{}", verified.out);
    assert!(verified.err.contains("were not compared"), "{}", verified.err);
    planet.change("[shedule]\n", "");
    assert_eq!(newswire(planet.folder(), &["verify"]).code, 74);
}
