//! The files of archive pages after a feed left the config or returned.

use newswire::config::Config;
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

/// The same world with these feeds in its config, after a publication.
async fn with_feeds(world: World, known: [Url; 2], feeds: &[Url]) -> Library {
    let engine = world.open_with(configured(&world, feeds)).await;
    engine.publish().await.unwrap();
    let site = Site::before(engine.served().clone()).await;
    Library { world, engine, site, feeds: known }
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

    async fn again(self, feeds: &[usize]) -> Self {
        let Self { world, engine, site, feeds: known } = self;
        drop((engine, site));
        let feeds: Vec<Url> = feeds.iter().map(|feed| known[*feed].clone()).collect();
        with_feeds(world, known, &feeds).await
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
