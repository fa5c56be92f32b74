//! What the operator chooses for the pages: whole texts, and an own style sheet alone. The way through many stories.

use newswire::render::{Content, Output, PageText};

use super::page::{Planet, titles};
use super::site::run;
use crate::support::world::rss;

/// Two feeds; the first one has a long story with a sound.
fn documents() -> [String; 2] {
    let text = format!(
        "&lt;p&gt;{}&lt;b&gt;The end.&lt;/b&gt;&lt;/p&gt;",
        "Fog over the bay. ".repeat(60)
    );
    let story = format!(
        "<item><guid isPermaLink=\"false\">fog</guid><title>Fog</title><link>https://a.test/fog</link>\
         <description>{text}</description><enclosure url=\"https://a.test/fog.mp3\" type=\"audio/mpeg\" length=\"9\"/></item>"
    );
    let feed = |items: &str| {
        format!(
            "<rss version=\"2.0\"><channel><title>Weather</title><link>https://a.test/</link>{items}</channel></rss>"
        )
    };
    [feed(&story), feed("")]
}

#[test]
fn lists_show_whole_texts_with_players_if_the_operator_wants_them() {
    run(async {
        let full = |output: &mut Output| output.presentation.page_text = PageText::Full;
        let planet = Planet::of(documents(), full).await;
        let page = planet.get("/planet/").await.text();
        assert!(page.contains("<b>The end.</b>") && page.contains("<audio controls"), "{page}");
        assert!(!page.contains("class=\"excerpt\""), "{page}");
        let found = planet.get("/planet/?q=fog").await.text();
        assert!(found.contains("<mark>Fog</mark>") && !found.contains("<b>The end."), "{found}");
        let planet = Planet::of(documents(), |_| ()).await;
        let page = planet.get("/planet/").await.text();
        assert!(!page.contains("The end.") && page.contains("class=\"excerpt\""), "{page}");
        // Nothing is shown of a text that the output does not have.
        let summary = |output: &mut Output| {
            output.presentation.page_text = PageText::Full;
            output.presentation.content = Content::Summary;
        };
        let page = Planet::of(documents(), summary).await.get("/planet/").await.text();
        assert!(!page.contains("The end.") && page.contains("class=\"excerpt\""), "{page}");
    });
}

#[test]
fn an_own_style_sheet_can_be_the_only_one() {
    run(async {
        for (css, only, expected) in
            [(true, true, [false, true]), (true, false, [true, true]), (false, true, [true, false])]
        {
            let change = |output: &mut Output| {
                output.theme.stylesheet = css.then(|| "body { color: red }".into());
                output.theme.stylesheet_only = only;
            };
            let planet = Planet::of(documents(), change).await;
            for path in ["/planet/", "/planet/story/1"] {
                let page = planet.get(path).await.text();
                let has = ["style.css\"", "theme.css\""].map(|name| page.contains(name));
                assert_eq!(has, expected, "{path}: {page}");
            }
        }
    });
}

/// The target of a link with this relation.
fn link(page: &str, relation: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\" rel=\"{relation}\""))?;
    let target = before.rsplit("href=\"").next()?.replace("&#38;", "&").replace("&amp;", "&");
    Some(target.replace("../", "/"))
}

#[test]
fn every_page_but_the_first_two_leads_to_newer_stories() {
    run(async {
        let names: Vec<String> = (0..170).map(|n| format!("n{n}")).collect();
        let notes: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
        let planet = Planet::of([rss(&notes[..85]), rss(&notes[85..])], |_| ()).await;
        for first in ["/planet/", "/planet/?month=2025-06", "/planet/?tag=news"] {
            let mut pages = vec![(first.to_owned(), planet.get(first).await)];
            while let Some(older) = link(&pages.last().unwrap().1.text(), "next") {
                let page = planet.get(&older).await;
                pages.push((older, page));
            }
            assert_eq!(pages.len(), 5, "{first}");
            for (n, (url, page)) in pages.iter().enumerate() {
                let newer = link(&page.text(), "prev");
                assert_eq!(newer.is_some(), n > 1, "{url}: {newer:?}");
                let Some(newer) = newer else { continue };
                assert_eq!(titles(&planet.get(&newer).await), titles(&pages[n - 1].1), "{url}");
            }
        }
    });
}
