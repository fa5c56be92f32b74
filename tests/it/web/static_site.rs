//! The static site of an output: the pages in its directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use newswire::daemon::{Engine, FeedSelection};
use newswire::model::Conditions;
use newswire::outputs::differences;
use newswire::render::{Content, Format, Logo, Output, Theme};
use newswire::store::{Reader, Store, Write};
use url::Url;

use super::site::{Site, run};
use crate::support::origin::Answer as Document;
use crate::support::world::{HOUR, World, poll, rss};

/// An engine with two feeds and an output with a static site.
struct Folder {
    world: World,
    engine: Engine,
    feeds: [Url; 2],
    output: Output,
}

impl Folder {
    async fn with(change: impl FnOnce(&mut Output)) -> Self {
        let world = World::new().await;
        let feeds = [world.origin.url("a.test", "/feed"), world.origin.url("b.test", "/feed")];
        let mut config = world.config(&feeds);
        config.subscriptions[0].feed.tags = vec!["tech".to_owned(), "Große Welt".to_owned()];
        config.outputs[0].site = true;
        change(&mut config.outputs[0]);
        let output = config.outputs[0].clone();
        let engine = world.open_with(config).await;
        let folder = Self { world, engine, feeds, output };
        folder.show(0, &[("x", "Fish &amp; &lt;chips&gt;"), ("y", "Café crème")]);
        folder.show(1, &notes(0..5));
        folder.poll().await;
        folder
    }

    /// After a restart with another output.
    async fn restarted(self, change: impl FnOnce(&mut Output)) -> Self {
        let Self { world, engine, feeds, mut output } = self;
        drop(engine);
        change(&mut output);
        Self::reopened(world, feeds, output).await
    }

    async fn reopened(world: World, feeds: [Url; 2], output: Output) -> Self {
        let opened = Self::opened(world, feeds, output).await;
        opened.engine.publish().await.unwrap();
        opened
    }

    /// After a poll of another process.
    async fn polled_again(self) -> Self {
        let Self { world, engine, feeds, output } = self;
        drop(engine);
        let opened = Self::opened(world, feeds, output).await;
        opened.poll().await;
        opened
    }

    async fn opened(world: World, feeds: [Url; 2], output: Output) -> Self {
        let mut config = world.config(&feeds);
        config.subscriptions[0].feed.tags = vec!["tech".to_owned(), "Große Welt".to_owned()];
        config.outputs[0] = output.clone();
        let engine = world.open_with(config).await;
        Self { world, engine, feeds, output }
    }

    fn show<T: AsRef<str>>(&self, feed: usize, items: &[(T, T)]) {
        let items: Vec<(&str, &str)> =
            items.iter().map(|(a, b)| (a.as_ref(), b.as_ref())).collect();
        let url = &self.feeds[feed];
        self.world.origin.route(url.host_str().unwrap(), url.path(), [Document::ok(rss(&items))]);
    }

    async fn poll(&self) {
        self.world.clock.advance(HOUR * 2);
        poll(&self.engine, FeedSelection::All).await;
    }

    fn www(&self) -> &Path {
        self.output.directory.as_deref().unwrap()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.www().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Every file of the site, with its inode, which changes when it is replaced.
    fn files(&self) -> BTreeMap<String, u64> {
        use std::os::unix::fs::MetadataExt as _;
        let mut found = BTreeMap::new();
        let mut folders = vec![self.www().join("planet")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(self.www()).unwrap().to_str().unwrap().to_owned();
                if !name.contains("/archive/") {
                    found.insert(name, path.metadata().unwrap().ino());
                }
            }
        }
        found
    }

    /// The pages and documents that differ from those of before.
    fn changed(&self, before: &BTreeMap<String, u64>) -> BTreeSet<String> {
        let now = self.files();
        let is_page = |name: &str| !name.ends_with(".gz") && !name.ends_with(".txt");
        let pages = now.iter().filter(|(name, _)| is_page(name));
        pages
            .filter(|(name, inode)| before.get(*name) != Some(*inode))
            .map(|(name, _)| name.strip_prefix("planet/").unwrap().to_owned())
            .collect()
    }

    fn differences(&self) -> Vec<String> {
        let reader = Reader::open(&self.world.database()).unwrap();
        reader.read(|reader| differences(reader, &self.output)).unwrap()
    }
}

fn notes(range: std::ops::Range<usize>) -> Vec<(String, String)> {
    range.rev().map(|n| (format!("n{n}"), format!("Note {n}"))).collect()
}

/// The targets of all links of a page that lead to files.
fn links(page: &str) -> Vec<String> {
    let attributes = page.split("href=\"").skip(1).chain(page.split("src=\"").skip(1));
    let targets = attributes.map(|rest| rest.split('"').next().unwrap().to_owned());
    targets.filter(|target| !target.contains("://")).collect()
}

/// The file that a relative link in a file leads to.
fn resolved(from: &str, link: &str) -> PathBuf {
    let base = Url::parse(&format!("http://h.test/any/prefix/{from}")).unwrap();
    let path = base.join(link).unwrap().path().to_owned();
    PathBuf::from(path.strip_prefix("/any/prefix/").unwrap())
}

#[test]
fn the_canonical_url_of_a_static_page_is_public() {
    run(async {
        let public = Url::parse("https://planet.test/feeds/").unwrap();
        let folder = Folder::with(|output| output.base_url = public).await;
        let canonical = |path: &str| {
            let page = folder.read(path);
            let link = page.split("rel=\"canonical\" href=\"").nth(1).unwrap_or_default();
            link.split('"').next().unwrap().to_owned()
        };
        let root = "https://planet.test/feeds/planet";
        assert_eq!(canonical("planet/index.html"), format!("{root}/index.html"));
        let month = folder.files().into_keys().find(|name| name.starts_with("planet/20")).unwrap();
        assert_eq!(canonical(&month), format!("https://planet.test/feeds/{month}"));
    });
}

#[test]
fn every_link_of_a_static_page_leads_to_a_file() {
    run(async {
        let logo = Logo {
            bytes: b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..].into(),
            media_type: "image/svg+xml",
        };
        let theme = Theme {
            stylesheet: Some(Arc::from("body { color: red }")),
            logo: Some(logo),
            ..Theme::default()
        };
        let folder = Folder::with(|output| output.theme = theme).await;
        let files = folder.files();
        let pages: Vec<&String> = files.keys().filter(|name| name.ends_with(".html")).collect();
        let mut reached = BTreeSet::new();
        for page in &pages {
            let text = folder.read(page);
            for link in links(&text) {
                assert!(!link.contains('?') && !link.starts_with('/'), "{page}: {link}");
                let file = resolved(page, &link);
                assert!(folder.www().join(&file).is_file(), "{page}: {link}");
                reached.insert(file.to_str().unwrap().to_owned());
            }
            assert!(!text.contains("<form") && !text.contains("<script"), "{page}");
            assert!(text.contains("http-equiv=\"Content-Security-Policy\""), "{page}");
            assert!(files.contains_key(&format!("{page}.gz")), "{page}");
        }
        for page in &pages {
            assert!(reached.contains(*page), "nothing links to {page}");
        }
        let names: Vec<&str> = pages.iter().map(|name| name.as_str()).collect();
        assert!(
            names.contains(&"planet/index.html") && names.contains(&"planet/2025-06.html"),
            "{names:?}"
        );
        assert!(names.iter().any(|name| name.starts_with("planet/tag/gro-e-welt-")), "{names:?}");
        let one_story = names.iter().filter(|name| name.starts_with("planet/story/")).count();
        assert_eq!(one_story, 7);
        assert!(folder.read("planet/theme.css").contains("red"));
        assert_eq!(folder.differences(), Vec::<String>::new());
    });
}

#[test]
fn one_new_story_rewrites_only_the_pages_that_show_it() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let before = folder.files();
        folder.poll().await;
        assert_eq!(folder.files(), before, "a poll that brings nothing writes nothing");
        folder.show(1, &notes(0..6));
        folder.poll().await;
        let changed = folder.changed(&before);
        let stories = changed.iter().filter(|name| name.starts_with("story/")).count();
        assert_eq!(stories, 1, "{changed:?}");
        let lists: Vec<&str> =
            changed.iter().map(|name| &**name).filter(|name| !name.starts_with("story/")).collect();
        // Its feed has a page and three documents.
        assert_eq!(lists.len(), 6, "{lists:?}");
        assert!(folder.read("planet/index.html").contains("Note 5"));
        let mut corrected = notes(0..6);
        corrected[3].1 = "Note 2, corrected".to_owned();
        let before = folder.files();
        folder.show(1, &corrected);
        folder.poll().await;
        let changed = folder.changed(&before);
        assert_eq!(changed.iter().filter(|name| name.starts_with("story/")).count(), 1);
        assert!(folder.read("planet/index.html").contains("Note 2, corrected"));
    });
}

#[test]
fn a_site_is_repaired_after_a_kill_and_after_changes_by_others() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let before = folder.files();
        let story = before.keys().find(|name| name.ends_with("/5.html")).unwrap().clone();
        std::fs::write(folder.www().join("planet/about.html"), "mine").unwrap();
        // As after a kill: a page that the manifest does not list, a lost one, one of other bytes, and a line cut off.
        std::fs::write(folder.www().join("planet/story/999.html"), "old").unwrap();
        std::fs::remove_file(folder.www().join(&story)).unwrap();
        std::fs::write(folder.www().join("planet/index.html"), "other").unwrap();
        std::fs::remove_file(folder.www().join("planet/2025-06.html.gz")).unwrap();
        let manifest = folder.www().join("planet/site-manifest.txt");
        let found = folder.differences();
        for name in [&*story, "planet/index.html", "2025-06.html.gz"] {
            assert!(found.iter().any(|line| line.contains(name)), "{name}: {found:?}");
        }
        let text = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(&manifest, &text[..text.len() - 20]).unwrap();
        let folder = folder.restarted(|_| ()).await;
        assert_eq!(folder.differences(), Vec::<String>::new());
        let after = folder.files();
        assert!(after.contains_key(&story) && !after.contains_key("planet/story/999.html"));
        assert!(folder.read("planet/index.html").contains("Note 4"));
        assert_eq!(folder.read("planet/about.html"), "mine");
        let same = before.iter().filter(|(name, inode)| after.get(*name) == Some(*inode)).count();
        assert!(same > before.len() - 8, "only {same} of {} files stayed", before.len());
    });
}

#[test]
fn a_poll_that_brings_nothing_repairs_a_site_and_then_leaves_it() {
    run(async {
        // Each poll is a process of its own, as in cron.
        let folder = Folder::with(|_| ()).await.polled_again().await;
        let www = folder.www().to_owned();
        let at = |path: &str| www.join("planet").join(path);
        let mut folder = Some(folder);
        for damage in ["index.html", "2025-06.html", "story/3.html", "story/3.html.gz"] {
            let before = std::fs::read(at(damage)).unwrap();
            match damage {
                "index.html" => std::fs::write(at(damage), "other").unwrap(),
                _ => std::fs::remove_file(at(damage)).unwrap(),
            }
            let damaged = folder.take().unwrap();
            assert!(!damaged.differences().is_empty(), "{damage}");
            let repaired = damaged.polled_again().await;
            assert_eq!(repaired.differences(), Vec::<String>::new(), "{damage}");
            assert_eq!(std::fs::read(at(damage)).unwrap(), before, "{damage}");
            folder = Some(repaired);
        }
        // As after a copy of the folder: the same bytes at another time.
        let page = std::fs::read(at("index.html")).unwrap();
        std::fs::write(at("index.html"), page).unwrap();
        let manifest = || std::fs::read(at("site-manifest.txt")).unwrap();
        let text = manifest();
        let folder = folder.unwrap().polled_again().await;
        let noted = manifest();
        assert_ne!(noted, text, "the site was compared");
        let folder = folder.polled_again().await;
        assert_eq!(manifest(), noted, "but not again");
        assert_eq!(folder.differences(), Vec::<String>::new());
    });
}

#[test]
fn addresses_of_a_static_site_lead_to_the_served_pages() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let site = Site::before(folder.engine.served().clone()).await;
        let mut moved = 0;
        for name in folder.files().into_keys() {
            let is_feed = [".atom", ".rss", ".json"].iter().any(|end| name.ends_with(end));
            if !name.ends_with(".html") && !is_feed || name.contains("/story/") {
                continue;
            }
            let path = format!("/{name}");
            let answer = site.get(&path, &[]).await;
            assert_eq!(answer.status, 307, "{path}");
            let base = Url::parse("http://localhost").unwrap().join(&path).unwrap();
            let target = base.join(answer.header("location").unwrap()).unwrap();
            let target = format!("{}?{}", target.path(), target.query().unwrap_or_default());
            let accept = if is_feed { "Accept: application/atom+xml" } else { "Accept: text/html" };
            let shown = site.get(&target, &[accept]).await;
            assert_eq!(shown.status, 200, "{path}: {target}");
            // The same stories.
            let (file, text) = (folder.read(&name), shown.text());
            for note in ["Note 1", "Note 4", "Café crème"] {
                assert_eq!(text.contains(note), file.contains(note), "{path}: {target}: {note}");
            }
            moved += 1;
        }
        assert!(moved > 12, "{moved}");
        for path in [
            "index.atom",
            "feed/none.html",
            "tag/none.atom",
            "2025-06.atom",
            "2025-13.html",
            "x.html",
        ] {
            assert_eq!(site.get(&format!("/planet/{path}"), &[]).await.status, 404, "{path}");
            assert_eq!(site.get(&format!("/none/{path}"), &[]).await.status, 404, "{path}");
        }
    });
}

#[test]
fn many_lists_are_written_in_steps_and_the_first_page_last() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let Folder { world, feeds, output, engine } = folder;
        drop(engine);
        let mut config = world.config(&feeds);
        config.subscriptions[0].feed.tags = (0..70).map(|n| format!("tag-{n}")).collect();
        config.outputs[0] = output.clone();
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        std::fs::remove_dir_all(output.directory.as_ref().unwrap().join("planet")).unwrap();
        let sites = newswire::web::StaticSites::new(engine.served().clone());
        let output = Arc::new(output);
        let is_there = |name: &str| output.directory.as_ref().unwrap().join(name).is_file();
        let mut steps = 0;
        loop {
            let step = sites.write(&output).await.unwrap();
            steps += 1;
            assert_eq!(is_there("planet/index.html"), step.is_complete, "step {steps}");
            assert!(is_there("planet/tag/tag-1.html"), "step {steps}");
            if step.is_complete {
                break;
            }
        }
        // 2 feeds, 70 tags, a month and the first page, 32 in a step.
        assert_eq!(steps, 3);
        assert!(is_there("planet/tag/tag-69.html") && is_there("planet/tag/tag-69.atom"));
        let folder = Folder { world, engine, feeds, output: Output::clone(&output) };
        assert_eq!(folder.differences(), Vec::<String>::new());
    });
}

#[test]
fn pages_of_stories_that_leave_are_removed() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let before = folder.files();
        let count = |folder: &Folder| {
            folder.files().keys().filter(|name| name.contains("/story/")).count() / 2
        };
        assert_eq!(count(&folder), 7);
        let folder = folder.restarted(|output| {
            let tags = vec!["tech".to_owned()];
            output.filter.include = vec![Conditions { tags, ..Conditions::default() }];
        });
        let folder = folder.await;
        assert_eq!(count(&folder), 2, "{:?}", folder.files());
        assert!(!folder.read("planet/index.html").contains("Note"), "those of the other feed");
        assert!(folder.files().len() < before.len());
        // Past their retention.
        let Folder { world, engine, feeds, output } = folder;
        drop(engine);
        {
            let store = Store::open(&world.database(), world.clock.clone()).unwrap();
            let cutoff = world.clock.now() + jiff::SignedDuration::from_hours(1000);
            store.write(Write::ForgetBodies { cutoff, limit: 500 }).await.unwrap();
        }
        let folder = Folder::reopened(world, feeds, output).await;
        assert_eq!(count(&folder), 0, "{:?}", folder.files());
        assert_eq!(folder.differences(), Vec::<String>::new());
        let folder = folder.restarted(|output| output.site = false).await;
        assert!(folder.files().is_empty(), "{:?}", folder.files());
    });
}

#[test]
fn a_story_that_a_filter_excludes_loses_its_page() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let stories = |folder: &Folder| {
            folder.files().keys().filter(|name| name.contains("/story/")).count() / 2
        };
        assert_eq!(stories(&folder), 7);
        let folder = folder.restarted(|output| {
            let title = regex::Regex::new("Note 4").ok();
            output.filter.exclude = vec![Conditions { title, ..Conditions::default() }];
        });
        let folder = folder.await;
        assert_eq!(stories(&folder), 6, "{:?}", folder.files());
        assert_eq!(folder.differences(), Vec::<String>::new());
    });
}

#[test]
fn a_story_is_in_the_files_of_each_of_its_feeds_as_it_is_served() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        // The second feed leads these.
        folder.show(0, &notes(3..5));
        folder.poll().await;
        let site = Site::before(folder.engine.served().clone()).await;
        let items = |text: &str| {
            let document: serde_json::Value = serde_json::from_str(text).unwrap();
            let items = document["items"].as_array().unwrap().iter();
            items
                .map(|item| (item["id"].to_string(), item["title"].to_string()))
                .collect::<Vec<_>>()
        };
        let all = items(&folder.read("planet.json"));
        assert_eq!(all.len(), 7, "{all:?}");
        for (page, query, count) in [
            ("feed/a.test-feed", "feed=a.test-feed", 4),
            ("feed/b.test-feed", "feed=b.test-feed", 5),
            ("tag/tech", "tag=tech", 4),
        ] {
            let written = items(&folder.read(&format!("planet/{page}.json")));
            assert_eq!(written.len(), count, "{page}: {written:?}");
            let served = site.get(&format!("/planet.json?{query}"), &[]).await.text();
            assert_eq!(written, items(&served), "{page}");
            assert!(written.iter().all(|item| all.contains(item)), "{page}: {written:?}");
            let name = format!("planet/{page}.html");
            let html = folder.read(&name);
            assert_eq!(html.matches("<article").count(), count, "{page}: {html}");
            for link in links(&html) {
                let file = folder.www().join(resolved(&name, &link));
                assert!(file.exists(), "{page}: {link}");
            }
        }
        let index = folder.read("planet/index.html");
        assert_eq!(index.matches("<article").count(), 7, "{index}");
        assert_eq!(folder.differences(), Vec::<String>::new());
    });
}

#[test]
fn an_output_without_full_texts_has_no_pages_of_stories() {
    run(async {
        let folder = Folder::with(|output| output.presentation.content = Content::Summary).await;
        let files = folder.files();
        assert!(!files.keys().any(|name| name.contains("/story/")), "{files:?}");
        let index = folder.read("planet/index.html");
        assert!(index.contains("Note 4") && !index.contains("/story/"), "{index}");
    });
}

#[test]
fn the_page_of_a_feed_and_of_a_tag_has_documents_with_its_stories() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let site = Site::before(folder.engine.served().clone()).await;
        let files = folder.files();
        let pages: Vec<&str> = files.keys().filter_map(|name| name.strip_suffix(".html")).collect();
        let pages =
            pages.into_iter().filter(|page| page.contains("/feed/") || page.contains("/tag/"));
        let pages: Vec<&str> = pages.collect();
        assert_eq!(pages.len(), 4, "{files:?}");
        for page in &pages {
            let html = folder.read(&format!("{page}.html"));
            for format in Format::ALL {
                let name = format!("{page}.{}", format.extension());
                let link = format!("type=\"{}\" href=\"../../{name}\"", format.media_type());
                assert!(html.contains(&format!("rel=\"alternate\" {link}")), "{name}: {html}");
                let url = format!("http://127.0.0.1:8420/{name}");
                assert!(html.contains(&format!("<code>{url}</code>")), "{name}: {html}");
                let text = folder.read(&name);
                assert!(text.contains(&url) && text.contains(&format!("/{page}.html")), "{text}");
                let stories = html.matches("<article").count();
                assert_eq!(stories, if page.ends_with("b.test-feed") { 5 } else { 2 }, "{page}");
                let begin = ["<entry", "<item>", "\"date_published\""][*format as usize];
                assert_eq!(text.matches(begin).count(), stories, "{name}: {text}");
                assert!(files.contains_key(&format!("{name}.gz")), "{name}");
            }
        }
        // The same feed as the server has for the query, at another address.
        let served = site.get("/planet.atom?tag=tech", &[]).await.text();
        let id =
            |text: &str| text.split("<id>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let title = |text: &str| {
            text.split("<title").nth(1).unwrap().split("</").next().unwrap().to_owned()
        };
        let written = folder.read("planet/tag/tech.atom");
        assert_eq!(id(&written), id(&served));
        assert_eq!(title(&written), title(&served));
        assert_ne!(id(&written), id(&folder.read("planet.atom")));
        assert_eq!(folder.differences(), Vec::<String>::new());
    });
}

#[test]
fn documents_of_pages_leave_with_the_format_the_tag_and_the_feed() {
    run(async {
        let folder = Folder::with(|_| ()).await;
        let count = |folder: &Folder, end: &str| {
            let files = folder.files();
            files.keys().filter(|name| name.ends_with(end)).count()
        };
        assert_eq!([".atom", ".rss.gz", ".json"].map(|end| count(&folder, end)), [4, 4, 4]);
        std::fs::write(folder.www().join("planet/tag/tech.atom"), "other").unwrap();
        std::fs::remove_file(folder.www().join("planet/tag/tech.rss.gz")).unwrap();
        assert_eq!(folder.differences().len(), 2);
        let folder =
            folder.restarted(|output| output.formats = vec![Format::Atom, Format::Rss]).await;
        assert_eq!([".atom", ".rss.gz", ".json"].map(|end| count(&folder, end)), [4, 4, 0]);
        assert_eq!(folder.differences(), Vec::<String>::new());
        assert!(!folder.read("planet/tag/tech.html").contains("json"));
        let folder = folder.restarted(|output| {
            let feeds = vec!["b.test-feed".to_owned()];
            output.filter.include = vec![Conditions { feeds, ..Conditions::default() }];
        });
        let folder = folder.await;
        assert_eq!([".atom", ".rss.gz", ".json"].map(|end| count(&folder, end)), [1, 1, 0]);
        assert_eq!(folder.differences(), Vec::<String>::new());
        let folder = folder.restarted(|output| output.site = false).await;
        assert!(folder.files().is_empty(), "{:?}", folder.files());
    });
}
