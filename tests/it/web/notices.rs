//! The pages that belong to no output: errors and the index, in the language of the output or of the client.

use newswire::daemon::{Engine, FeedSelection};
use newswire::render::{Output, Token};

use super::site::{Answer, Site, run};
use crate::support::world::{World, poll};

/// The `Accept` header of browsers.
const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn site(change: impl FnOnce(&mut Output)) -> (Engine, Site) {
    let world = World::new().await;
    let mut config = world.config(&[]);
    change(&mut config.outputs[0]);
    let engine = world.open_with(config).await;
    poll(&engine, FeedSelection::All).await;
    let site = Site::before(engine.served().clone()).await;
    (engine, site)
}

fn language(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("<html lang=\"").unwrap_or_else(|| panic!("{text}"));
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_browser_gets_errors_as_pages_in_the_language_of_the_output() {
    run(async {
        let german = |output: &mut Output| {
            output.title = "Zeitung & mehr".to_owned();
            output.presentation.language = Some("de-AT".to_owned());
        };
        let (_engine, site) = site(german).await;
        let japanese = "Accept-Language: ja, en;q=0.5";
        let missing = site.get("/planet/story/99", &[BROWSER, japanese]).await;
        assert_eq!((missing.status, language(&missing)), (404, "de".to_owned()));
        let text = missing.text();
        assert!(text.contains("<h1>Nicht gefunden</h1>") && text.contains("noindex"), "{text}");
        assert!(text.contains("href=\"../../style.css\""), "{text}");
        assert!(text.contains("<a href=\"../../planet/\" dir=\"auto\">Zeitung &#38; mehr</a>"));
        assert_eq!(missing.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(missing.header("content-length"), Some(&*text.len().to_string()));
        let vary = missing.header("vary").unwrap();
        assert!(vary.contains("Accept-Language") && vary.contains("Sec-Fetch-Mode"));
        assert!(missing.header("content-security-policy").unwrap().contains("'none'"));
        let elsewhere = site.get("/a/b", &[BROWSER, japanese]).await;
        assert_eq!((elsewhere.status, language(&elsewhere)), (404, "ja".to_owned()));
        assert!(!elsewhere.text().contains("Zeitung"));
        // Feed readers and scripts get a line.
        for accept in ["Accept: */*", "Accept: application/atom+xml"] {
            assert_eq!(site.get("/planet/story/99", &[accept]).await.text(), "not found\n");
        }
    });
}

#[test]
fn the_page_of_an_error_does_not_show_that_an_output_exists() {
    run(async {
        let private = |output: &mut Output| {
            output.presentation.language = Some("de".to_owned());
            output.token = Some(Token::new("open-sesame-0123456789".to_owned()));
        };
        let (_engine, site) = site(private).await;
        for (query, status) in [("", 404), ("?token=wrong", 401)] {
            let there = site.get(&format!("/planet/{query}"), &[BROWSER]).await;
            let nowhere = site.get(&format!("/nowhere/{query}"), &[BROWSER]).await;
            assert_eq!((there.status, nowhere.status), (status, status));
            assert_eq!(there.text(), nowhere.text());
            assert_eq!(language(&there), "en");
        }
        let denied = site.get("/planet/?token=wrong", &[BROWSER]).await;
        assert_eq!(denied.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        assert!(denied.text().contains("Ask the person who sent it to you for a new one"));
    });
}

#[test]
fn the_index_has_the_language_that_the_client_prefers() {
    run(async {
        let (_engine, site) = site(|_| ()).await;
        for (accepted, code, word) in [
            ("", "en", "no stories yet"),
            ("de-CH, en;q=0.5", "de", "noch keine Artikel"),
            ("fr", "fr", "aucun article pour l’instant"),
            ("nl, es;q=0.5", "es", "aún no hay artículos"),
            ("ja", "ja", "記事はまだありません"),
        ] {
            let index = site.get("/", &[BROWSER, &format!("Accept-Language: {accepted}")]).await;
            assert_eq!(language(&index), code);
            assert!(index.text().contains(word), "{}", index.text());
            assert_eq!(index.header("vary"), Some("Accept-Language"));
        }
    });
}
