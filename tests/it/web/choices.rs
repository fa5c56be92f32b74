//! What the operator chooses for the pages: whole texts, and an own style sheet alone. The way through many stories.

use std::collections::BTreeSet;

use newswire::model::Conditions;
use newswire::render::{Content, Logo, Output, PageText, Theme};

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

#[test]
fn a_filter_that_takes_few_items_has_the_way_back_too() {
    run(async {
        let name =
            |n: usize| format!("n{n} {}", if n.is_multiple_of(20) { "rare" } else { "common" });
        let names: Vec<String> = (0..1000).map(name).collect();
        let notes: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
        let rare = Conditions { title: regex::Regex::new("rare").ok(), ..Conditions::default() };
        let planet = Planet::of([rss(&notes[..900]), rss(&notes[900..])], |output| {
            output.filter.include = vec![rare];
        })
        .await;
        for first in ["/planet/", "/planet/?q=rare", "/planet/?q=n"] {
            let page = planet.get(first).await;
            assert_eq!(titles(&page).len(), 40, "{first}");
            let second = planet.get(&link(&page.text(), "next").unwrap()).await;
            assert_eq!(titles(&second).len(), 10, "{first}");
            let newer = planet.get(&link(&second.text(), "prev").unwrap()).await;
            assert_eq!(titles(&newer), titles(&page), "{first}");
        }
    });
}

/// The target of a link with this relation.
pub(super) fn link(page: &str, relation: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\" rel=\"{relation}\""))?;
    let target = before.rsplit("href=\"").next()?.replace("&#38;", "&").replace("&amp;", "&");
    Some(target.replace("../", "/"))
}

#[test]
fn every_page_but_the_first_leads_to_newer_stories() {
    run(async {
        let names: Vec<String> = (0..170).map(|n| format!("n{n} and wind")).collect();
        let notes: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
        let planet = Planet::of([rss(&notes[..85]), rss(&notes[85..])], |_| ()).await;
        for first in [
            "/planet/",
            "/planet/?month=2025-06",
            "/planet/?tag=news",
            "/planet/?q=wind",
            "/planet/?q=%22and+wind%22&month=2025-06",
            "/planet/?q=wi&feed=",
        ] {
            let mut pages = vec![(first.to_owned(), planet.get(first).await)];
            while let Some(older) = link(&pages.last().unwrap().1.text(), "next") {
                let page = planet.get(&older).await;
                pages.push((older, page));
            }
            assert_eq!(pages.len(), 5, "{first}");
            for (n, (url, page)) in pages.iter().enumerate() {
                let newer = link(&page.text(), "prev");
                assert_eq!(newer.is_some(), n > 0, "{url}: {newer:?}");
                let Some(newer) = newer else { continue };
                assert_eq!(titles(&planet.get(&newer).await), titles(&pages[n - 1].1), "{url}");
                let has_first = page.text().contains("Newest stories");
                assert_eq!(has_first, n > 1, "{url}: the second page has it as the newer one");
            }
        }
    });
}

#[test]
fn the_feed_is_named_only_where_stories_are_of_several_feeds() {
    run(async {
        let planet = Planet::open().await;
        let named = |page: &str, name: &str| {
            let stories = page.split("<section class=\"day\">").skip(1);
            let stories = stories.map(|day| day.split("<aside>").next().unwrap_or_default());
            stories.map(|day| day.matches(&format!("<bdi>{name}</bdi>")).count()).sum::<usize>()
        };
        let all = planet.get("/planet/").await.text();
        assert_eq!(named(&all, "Site &#60;A&#62;"), 2);
        let feeds: BTreeSet<&str> =
            all.split("?feed=").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(feeds.len(), 2, "{feeds:?}");
        for feed in feeds {
            let one = planet.get(&format!("/planet/?feed={feed}")).await.text();
            assert!(one.contains("<article>"));
            for name in ["Site &#60;A&#62;", "Site"] {
                assert_eq!(named(&one, name), 0, "{feed}: {name}");
            }
        }
    });
}

#[test]
fn the_name_of_a_feed_has_no_letter_before_it_without_the_style_sheet() {
    run(async {
        let planet = Planet::open().await;
        for path in ["/planet/", "/planet/story/1"] {
            let page = planet.get(path).await.text();
            let (before, _) = page.split_once("<bdi>Site").expect("a name");
            let text = before.rsplit_once("<a ").and_then(|(_, link)| link.split_once('>'));
            let text = text.map(|(_, text)| text.split('<').next().unwrap_or_default());
            assert_eq!(text, Some(""), "{path}");
            assert!(before.ends_with("aria-hidden=\"true\"></span>"), "{path}");
        }
        let list = planet.get("/planet/").await.text();
        assert!(list.contains("<a href=\"#subscribe\">") && list.contains("id=\"subscribe\""));
    });
}

#[test]
fn the_page_leads_to_the_site_of_its_output_and_previews_show_its_picture() {
    run(async {
        let planet = Planet::with(|output| {
            output.link = "https://club.example.org/planet/?a&b".parse().ok();
            output.presentation.icon = "https://club.example.org/icon.png".parse().ok();
        })
        .await;
        let home = "<a href=\"https://club.example.org/planet/?a&#38;b\">club.example.org</a>";
        let picture = "<meta property=\"og:image\" content=\"https://club.example.org/icon.png\">";
        for path in ["/planet/", "/planet/?tag=tech", "/planet/story/1"] {
            let page = planet.get(path).await.text();
            assert!(page.contains(home) && page.contains(picture), "{path}: {page}");
            assert!(page.contains("rel=\"icon\" type=\"image/svg+xml\""), "{path}: {page}");
        }
        let logo = Logo { bytes: b"x"[..].into(), media_type: "image/png" };
        let theme = Theme { logo: Some(logo), ..Theme::default() };
        let planet = Planet::with(|output| output.theme = theme).await;
        let page = planet.get("/planet/").await.text();
        assert!(page.contains("<link rel=\"icon\" href=\"../planet/logo\">"), "{page}");
        assert!(!page.contains("og:image"), "{page}");
    });
}
