//! Archive pages, served and as files, after a change of the config.

use std::sync::Arc;

use newswire::config::Config;
use newswire::model::Conditions;
use newswire::outputs::{Publisher, Served};
use newswire::render::{Content, Output, Token};
use newswire::store::Store;
use regex::Regex;
use serde_json::Value;
use url::Url;

use super::{Library, notes, small, titles};
use crate::support::world::World;
use crate::web::site::{Site, run};

fn configured(world: &World, feeds: &[Url]) -> Config {
    let mut config = world.config(feeds);
    small(&mut config.outputs[0]);
    config
}

impl Library {
    fn file(&self, page: u32) -> Value {
        let path = self.world.folder.path().join(format!("www/planet/archive/{page}.json"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// Titles on these pages: in the files, which are what is served.
    async fn written(&self, pages: std::ops::RangeInclusive<u32>) -> Vec<Vec<String>> {
        let mut written = Vec::new();
        for page in pages {
            let file = self.file(page);
            assert_eq!(file, self.json(&format!("/planet/archive/{page}.json")).await, "{page}");
            written.push(titles(&file));
        }
        written
    }

    fn modified(&self, page: u32) -> std::time::SystemTime {
        let path = self.world.folder.path().join(format!("www/planet/archive/{page}.json"));
        path.metadata().unwrap().modified().unwrap()
    }

    /// After a restart with these feeds.
    async fn again(self, feeds: &[usize]) -> Self {
        let feeds: Vec<Url> = feeds.iter().map(|feed| self.feeds[*feed].clone()).collect();
        let config = configured(&self.world, &feeds);
        self.restarted(config).await
    }

    /// After a restart with another config.
    async fn changed(self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = configured(&self.world, &self.feeds);
        change(&mut config);
        self.restarted(config).await
    }

    async fn restarted(self, config: Config) -> Self {
        let Self { world, engine, site, feeds } = self;
        drop((engine, site));
        let engine = world.open_with(config).await;
        engine.publish().await.unwrap();
        let site = Site::before(engine.served().clone()).await;
        Self { world, engine, site, feeds }
    }
}

#[test]
fn files_lose_the_stories_of_a_feed_that_left_and_get_them_back_with_it() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..15)).await;
        library.arrive(1, &notes(100..110)).await;
        library.arrive(0, &notes(15..32)).await;
        let before = library.written(1..=4).await;
        assert!(before.iter().all(|page| page.len() == 10));
        let first = library.modified(1);

        let library = library.again(&[0]).await;
        let sizes = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&library.written(1..=4).await), [10, 5, 5, 10]);
        assert_eq!(library.modified(1), first, "a page without its stories is left alone");

        // Pages that become complete meanwhile are not written with it either.
        library.arrive(0, &notes(32..60)).await;
        let library = library.again(&[0, 1]).await;
        assert_eq!(library.written(1..=4).await, before);
        assert_eq!(library.modified(1), first);
    });
}

#[test]
fn files_name_another_feed_with_a_story_only_while_it_is_configured() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..5)).await;
        library.arrive(1, &notes(0..5)).await;
        library.arrive(0, &notes(0..15)).await;
        library.written(1..=1).await;
        let both = library.file(1);
        let library = library.again(&[0]).await;
        library.written(1..=1).await;
        assert_ne!(library.file(1), both);
        let library = library.again(&[0, 1]).await;
        library.written(1..=1).await;
        assert_eq!(library.file(1), both);
    });
}

#[test]
fn files_have_new_settings_without_a_restart_too() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..45)).await;
        let before = library.modified(2);
        let Library { world, engine, feeds, .. } = library;
        drop(engine);
        let output = configured(&world, &feeds).outputs.remove(0);
        let www = output.directory.clone().unwrap();
        let store = Arc::new(Store::open(&world.database(), world.clock.clone()).unwrap());
        let publisher = Publisher::new(store, Arc::new(Served::new()), world.clock.clone());
        let published = async |output: Output| {
            let output = Arc::new(output);
            publisher.publish(&output).await.unwrap();
            publisher.complete_archive(&output).await.unwrap();
            let path = |page: u32| www.join(format!("planet/archive/{page}.json"));
            (1..=4).map(|page| std::fs::read_to_string(path(page)).unwrap()).collect::<Vec<_>>()
        };
        let pages = published(Output { items: 15, ..output.clone() }).await;
        assert!(pages.iter().all(|page| page.contains("About Note")));
        let path = www.join("planet/archive/2.json");
        assert_eq!(path.metadata().unwrap().modified().unwrap(), before, "the same bytes");

        let base_url = Url::parse("https://new.test/").unwrap();
        let pages = published(Output { base_url, ..output.clone() }).await;
        assert!(pages.iter().all(|page| page.contains("https://new.test/planet/archive/")));
        let mut without_texts = output;
        without_texts.presentation.content = Content::None;
        let pages = published(without_texts).await;
        assert!(pages.iter().all(|page| !page.contains("About Note")));
    });
}

#[test]
fn files_have_a_replaced_title_and_the_new_title_of_a_feed_on_whichever_page() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..15)).await;
        library.arrive(1, &notes(100..110)).await;
        library.arrive(0, &notes(15..45)).await;
        let replaced = |config: &mut Config| {
            config.outputs[0].rewrite.titles =
                vec![(Regex::new("Note 12$").unwrap(), "Twelve".to_owned())];
        };
        let library = library.changed(replaced).await;
        let pages = library.written(1..=4).await;
        assert!(pages[1].iter().any(|title| title == "Twelve"), "{pages:?}");
        let renamed = |config: &mut Config| {
            config.subscriptions[1].feed.title = Some("Night Paper".to_owned());
        };
        let library = library.changed(renamed).await;
        library.written(1..=4).await;
        assert!(library.file(3).to_string().contains("Night Paper"));
    });
}

#[test]
fn stories_of_a_feed_that_the_output_excludes_leave_the_archive_and_return_with_it() {
    run(async {
        let library = Library::with(small).await;
        library.arrive(0, &notes(0..15)).await;
        library.arrive(1, &notes(100..110)).await;
        library.arrive(0, &notes(15..32)).await;
        let before = library.written(1..=4).await;
        let id =
            |config: &mut Config| config.subscriptions[1].feed.tags = vec!["outside".to_owned()];
        let library = library
            .changed(|config| {
                id(config);
                let tags = vec!["outside".to_owned()];
                config.outputs[0].filter.exclude =
                    vec![Conditions { tags, ..Conditions::default() }];
            })
            .await;
        let sizes: Vec<usize> = library.written(1..=4).await.iter().map(Vec::len).collect();
        assert_eq!(sizes, [10, 5, 5, 10]);
        let library = library.changed(id).await;
        assert_eq!(library.written(1..=4).await, before);
    });
}

#[test]
fn what_was_archived_with_a_token_is_public_only_if_the_output_takes_it() {
    run(async {
        let token = || Some(Token::new("sesame-0123456789".to_owned()));
        let without_three = |config: &mut Config| {
            let title = Some(Regex::new("Note 3$").unwrap());
            config.outputs[0].filter.exclude = vec![Conditions { title, ..Conditions::default() }];
        };
        let library = Library::with(|output| {
            small(output);
            output.token = token();
        })
        .await;
        library.arrive(0, &notes(0..15)).await;
        assert_eq!(titles(&library.file(1)).len(), 10);
        let library = library.changed(without_three).await;
        let public = library.written(1..=1).await.remove(0);
        assert!(public.len() == 9 && !public.contains(&"Note 3".to_owned()), "{public:?}");
        // Pages of the time without a token keep their stories, as RFC 5005 wants it.
        library.arrive(0, &notes(10..22)).await;
        library.arrive(0, &notes(15..32)).await;
        let without_another = |config: &mut Config| {
            let title = Some(Regex::new("Note (3|21)$").unwrap());
            config.outputs[0].filter.exclude = vec![Conditions { title, ..Conditions::default() }];
        };
        let library = library.changed(without_another).await;
        let pages = library.written(1..=3).await;
        assert!(pages[0].len() == 9 && pages[2].contains(&"Note 21".to_owned()), "{pages:?}");
        let library = library.changed(|config| config.outputs[0].token = token()).await;
        assert_eq!(titles(&library.file(1)).len(), 10);
    });
}
