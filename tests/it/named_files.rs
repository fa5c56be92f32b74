//! Files that the config names: a reload reads each of them again, and one with an error changes nothing.

use std::path::Path;
use std::time::Duration;

use newswire::daemon::ReloadResult;
use newswire::model::{FailureKind, Outcome};

use crate::config::private;
use crate::daemon::until;
use crate::reload::Running;
use crate::support::world::{HOUR, rss};
use crate::tls;

/// Reloads the config, which must be rejected because of this file.
async fn rejected(running: &Running, file: &Path) {
    let ReloadResult::Rejected(report) = running.handle.reload().await else {
        panic!("{} is accepted", file.display());
    };
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(report.contains(name), "{name} is missing in {report}");
}

#[tokio::test]
async fn a_reload_reads_authorities_again_and_keeps_them_if_they_are_damaged() {
    let body = rss(&[("s", "S")]);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (port, authority) = tls::server("b.test", answer).await;
    let (_, stranger) = tls::server("b.test", String::new()).await;
    let running = Running::start(&["a.test"], 1).await;
    let file = running.world.folder.path().join("ca.pem");
    let more =
        format!("[[feed]]\nid = \"b\"\nurl = \"https://b.test:{port}/feed\"\nca = {file:?}\n");
    std::fs::write(&file, &stranger).unwrap();
    running.write(&["a.test"], &more);
    running.reload().await;
    let state = |what: (Option<Outcome>, bool)| {
        let statuses = running.world.statuses();
        let b = statuses.into_iter().find(|status| status.info.id.as_str() == "b").unwrap();
        what == (b.last_outcome, b.last_success_at.is_some())
    };
    let failed = (Some(Outcome::Failed(FailureKind::Tls)), false);
    until(&running.world, "the poll of b has failed", || state(failed)).await;
    std::fs::write(&file, &authority).unwrap();
    running.reload().await;
    running.world.clock.advance(12 * HOUR);
    until(&running.world, "b is polled", || state((Some(Outcome::Modified), true))).await;
    // Cut, altered in its middle, without a certificate, removed.
    let text = String::from_utf8(authority.to_vec()).unwrap();
    let middle = text.len() / 2;
    let cut = format!("{}\n-----END CERTIFICATE-----\n", &text[..middle]);
    let altered = format!("{}AAAAAAAA{}", &text[..middle], &text[middle + 8..]);
    for broken in [Some(cut), Some(altered.replace("MI", "AA")), Some("none".to_owned()), None] {
        match broken {
            Some(broken) => std::fs::write(&file, broken).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        rejected(&running, &file).await;
    }
    let before = running.world.now();
    running.world.clock.advance(12 * HOUR);
    let polled = || {
        let statuses = running.world.statuses();
        let b = statuses.into_iter().find(|status| status.info.id.as_str() == "b").unwrap();
        b.last_success_at.is_some_and(|at| at > before) && b.failures == 0
    };
    until(&running.world, "the authority still applies", polled).await;
    running.end().await;
}

/// Writes a file of each kind: texts with this word, and a list with the feed of this host.
fn write_files(running: &Running, word: &str, host: &str) {
    let at = |name: &str| running.world.folder.path().join(name);
    let url = running.world.origin.url(host, "/feed");
    let list = format!(
        "<opml version='2.0'><body><outline type='rss' text='x' xmlUrl='{url}'/></body></opml>"
    );
    let logo = format!("<svg xmlns='http://www.w3.org/2000/svg'><desc>{word}-logo</desc></svg>");
    std::fs::write(at("header.html"), format!("<p>{word}-header</p>")).unwrap();
    std::fs::write(at("my.css"), format!(".{word}-style {{ color: red }}")).unwrap();
    std::fs::write(at("logo.svg"), logo).unwrap();
    std::fs::write(at("feeds.opml"), list).unwrap();
    private(&at("token"), &format!("{word}-token-0123456789"));
}

/// What does not show the texts with this word.
async fn missing(running: &Running, word: &str) -> Vec<&'static str> {
    let mut missing = Vec::new();
    for (path, part) in
        [("/second/", "header"), ("/second/theme.css", "style"), ("/second/logo", "logo")]
    {
        if !running.get(path).await.contains(&format!("{word}-{part}")) {
            missing.push(path);
        }
    }
    let closed = running.get(&format!("/closed.atom?token={word}-token-0123456789")).await;
    if !closed.starts_with("HTTP/1.1 200") {
        missing.push("/closed.atom");
    }
    missing
}

/// Waits until everything shows the texts with this word.
async fn all_show(running: &Running, word: &str) {
    for _ in 0..2_000 {
        if missing(running, word).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        running.world.clock.advance(Duration::from_millis(100));
    }
    panic!("{word} is not shown by {:?}", missing(running, word).await);
}

#[tokio::test]
async fn a_reload_reads_texts_pictures_tokens_and_lists_again_or_changes_nothing() {
    let running = Running::start(&["a.test", "b.test"], 1).await;
    let at = |name: &str| running.world.folder.path().join(name);
    let more = format!(
        "[[output]]\nid = \"second\"\nheader = {:?}\nstylesheet = {:?}\nlogo = {:?}\n\
         [[output]]\nid = \"closed\"\ntoken = {{ file = {:?} }}\n\
         [[subscriptions]]\nfile = {:?}\n",
        at("header.html"),
        at("my.css"),
        at("logo.svg"),
        at("token"),
        at("feeds.opml")
    );
    running.write(&[], &more);
    let urls = || running.world.statuses().into_iter().map(|it| it.info.url).collect::<Vec<_>>();
    for (word, host) in [("old", "a.test"), ("new", "b.test")] {
        write_files(&running, word, host);
        running.reload().await;
        all_show(&running, word).await;
        assert!(urls().len() == 1 && urls()[0].contains(host), "{:?}", urls());
    }
    let copies = || std::fs::read_dir(at("lists")).into_iter().flatten().flatten();
    let has_copy = |text: &str| {
        copies().any(|copy| std::fs::read_to_string(copy.path()).is_ok_and(|it| it.contains(text)))
    };
    until(&running.world, "the list has a copy", || has_copy("b.test")).await;
    for name in ["header.html", "my.css", "logo.svg", "token", "feeds.opml"] {
        std::fs::remove_file(at(name)).unwrap();
        std::fs::create_dir(at(name)).unwrap();
        match name {
            // Its copy is used.
            "feeds.opml" => drop(running.reload().await),
            name => rejected(&running, &at(name)).await,
        }
        std::fs::remove_dir(at(name)).unwrap();
        write_files(&running, "new", "b.test");
    }
    assert!(missing(&running, "new").await.is_empty());
    assert!(urls()[0].contains("b.test"), "{:?}", urls());
    running.end().await;
}
