//! Outputs with a token.

use std::sync::Arc;
use std::time::Duration;

use newswire::outputs::ServedOutput;
use newswire::render::{Document, Format, Output, Token, render};

use super::site::{MODIFIED, Site, run};
use crate::outputs::sample::{at, entries, output};

const TOKEN: &str = "open-sesame-0123456789";

/// A site with a public output, and one with a token and the id `board`.
async fn guarded() -> Site {
    let site = Site::open().await;
    let token = Some(Token::new(TOKEN.to_owned()));
    let board = Output { id: "board".to_owned(), token, ..output() };
    let body = render(&board, Format::Atom, &entries());
    let document = Document::prepare(Format::Atom, body, at(MODIFIED), Duration::from_secs(300))
        .at(&board.self_url(Format::Atom));
    site.served.put(ServedOutput::new(&board, 6, vec![(Format::Atom, Arc::new(document))]));
    site
}

#[test]
fn the_token_is_accepted_in_the_url_and_in_a_header() {
    run(async {
        let site = guarded().await;
        let bearer = format!("Authorization: Bearer {TOKEN}");
        let by_header = site.get("/board.atom", &[&bearer]).await;
        let by_address = site.get(&format!("/board.atom?x=1&token={TOKEN}"), &[]).await;
        for answer in [&by_header, &by_address] {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), Some("private, max-age=300"));
            assert_eq!(answer.header("access-control-allow-origin"), None);
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            let own = answer.text().matches("https://wire.example.org/board.").count();
            assert_eq!(answer.text().matches(TOKEN).count(), own, "in every link to the server");
            let link =
                "<https://wire.example.org/board.atom?token=open-sesame-0123456789>; rel=\"self\"";
            assert_eq!(answer.header("link"), Some(link));
        }
        let etag = format!("If-None-Match: {}", by_header.header("etag").unwrap());
        let lower = "authorization: bearer open-sesame-0123456789";
        assert_eq!(site.get("/board.atom", &[lower, &etag]).await.status, 304);
        assert_eq!(site.get("/board.atom", &[&etag]).await.status, 404, "not even a 304");
    });
}

#[test]
fn clients_without_a_token_cannot_tell_that_an_output_exists() {
    run(async {
        let site = guarded().await;
        let (there, nowhere) =
            (site.get("/board.atom", &[]).await, site.get("/none.atom", &[]).await);
        assert_eq!((there.status, there.body), (404, nowhere.body));
        for wrong in ["?token=", "?token=open-sesame", "?token=OPEN-SESAME-0123456789"] {
            let there = site.get(&format!("/board.atom{wrong}"), &[]).await;
            let nowhere = site.get(&format!("/none.atom{wrong}"), &[]).await;
            assert_eq!((there.status, nowhere.status), (401, 401), "{wrong}");
            assert_eq!(there.head.len(), nowhere.head.len());
            assert_eq!(there.body, nowhere.body);
            assert_eq!(there.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        }
        let basic = format!("Authorization: Basic {TOKEN}");
        assert_eq!(site.get("/board.atom", &[&basic]).await.status, 401);
        assert!(!site.get("/", &[]).await.text().contains("board"), "not on the index page");
        assert_eq!(site.get("/all.atom?token=whatever", &[]).await.status, 200, "an open one");
    });
}
