//! `A-IM: feed`, RFC 3229: clients with an earlier version get only what changed.

use newswire::model::OutputItem;
use newswire::render::{Format, check, render};

use super::site::{Answer, Site, put, run};
use crate::outputs::sample::{entries, output};

const DELTA: &str = "A-IM: gzip, feed";

fn publish(site: &Site, entries: &[OutputItem]) {
    let rendered = |format: &Format| (*format, render(&output(), *format, entries));
    put(&site.served, &Format::ALL.iter().map(rendered).collect::<Vec<_>>());
}

async fn ask(site: &Site, path: &str, etag: &str) -> Answer {
    site.get(path, &[DELTA, &format!("If-None-Match: {etag}")]).await
}

#[test]
fn deltas_have_new_and_changed_items_in_every_format() {
    run(async {
        let site = Site::open().await;
        let mut all = entries();
        for format in Format::ALL {
            publish(&site, &all[2..]);
            let path = format!("/{}", output().file_name(*format));
            let before = site.get(&path, &[]).await;
            let etag = before.header("etag").unwrap().to_owned();
            all[3].item.title = Some("Corrected".to_owned());
            publish(&site, &all);
            let delta = ask(&site, &path, &etag).await;
            assert_eq!((delta.status, delta.header("im")), (226, Some("feed")));
            let wanted = [all[0].clone(), all[1].clone(), all[3].clone()];
            assert_eq!(check(&output(), *format, &delta.body, &wanted), Ok(()));
            assert_eq!(delta.body, render(&output(), *format, &wanted));
            let whole = site.get(&path, &[]).await;
            assert_eq!(delta.header("etag"), whole.header("etag"), "of the whole document");
            assert_eq!(delta.header("content-type"), whole.header("content-type"));
            assert_eq!(delta.header("last-modified"), whole.header("last-modified"));
            let again = ask(&site, &path, delta.header("etag").unwrap()).await;
            assert_eq!((again.status, again.body.len()), (304, 0));
            all = entries();
        }
    });
}

#[test]
fn caches_do_not_store_deltas() {
    run(async {
        let site = Site::open().await;
        let etag = site.get("/all.atom", &[]).await.header("etag").unwrap().to_owned();
        publish(&site, &entries()[1..]);
        let delta = ask(&site, "/all.atom", &etag).await;
        assert_eq!(delta.status, 226);
        assert_eq!(delta.header("cache-control"), Some("no-store, im, max-age=300"));
        assert_eq!(
            delta.header("vary"),
            Some("Accept, Accept-Encoding, Sec-Fetch-Mode, A-IM, If-None-Match")
        );
        assert_eq!(
            check(&output(), Format::Atom, &delta.body, &[]),
            Ok(()),
            "an entry went, none came"
        );
        let head = site.ask("HEAD", "/all.atom", &[DELTA, &format!("If-None-Match: {etag}")]).await;
        assert_eq!((head.status, head.body.len()), (226, 0));
    });
}

#[test]
fn clients_without_a_known_version_get_the_whole_document() {
    run(async {
        let site = Site::open().await;
        let etag = site.get("/all.atom", &[]).await.header("etag").unwrap().to_owned();
        let known = format!("If-None-Match: {etag}");
        publish(&site, &entries()[1..]);
        for headers in [
            &[&*known][..],
            &[DELTA],
            &[DELTA, "If-None-Match: \"never-was\""],
            &[DELTA, "If-Modified-Since: Thu, 20 Nov 2025 09:00:00 GMT"],
            &["A-IM: feed;q=0", &known],
            &["A-IM: feeds, gzip", &known],
        ] {
            let answer = site.get("/all.atom", headers).await;
            assert_eq!((answer.status, answer.header("im")), (200, None), "{headers:?}");
        }
        let mut other = entries();
        other.iter_mut().for_each(|entry| entry.item.title = Some("All different".to_owned()));
        publish(&site, &other);
        assert_eq!(ask(&site, "/all.atom", &etag).await.status, 200, "nothing is left out");
    });
}

#[test]
fn a_tag_of_any_coding_identifies_the_version() {
    run(async {
        let site = Site::open().await;
        publish(&site, &entries()[1..]);
        let gzip = site.get("/all.json", &["Accept-Encoding: gzip"]).await;
        let etag = gzip.header("etag").unwrap().to_owned();
        assert!(etag.ends_with("-gz\""), "{etag}");
        publish(&site, &entries());
        let condition = format!("If-None-Match: \"x\", W/{etag}");
        let delta = site.get("/all.json", &[DELTA, &condition, "Accept-Encoding: br"]).await;
        assert_eq!((delta.status, delta.header("content-encoding")), (226, Some("br")));
        assert!(delta.header("etag").unwrap().ends_with("-br\""));
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &*delta.body, &mut plain).unwrap();
        assert_eq!(check(&output(), Format::Json, &plain, &entries()[..1]), Ok(()));
    });
}

#[test]
fn the_number_of_known_versions_is_bounded() {
    run(async {
        let site = Site::open().await;
        let mut all = entries();
        let mut etags = Vec::new();
        for n in 0..300 {
            all[0].item.title = Some(format!("Version {n}"));
            put(&site.served, &[(Format::Atom, render(&output(), Format::Atom, &all))]);
            etags.push(site.served.document("all.atom").unwrap().etag.clone());
        }
        assert_eq!(ask(&site, "/all.atom", &etags[298]).await.status, 226);
        assert_eq!(ask(&site, "/all.atom", &etags[60]).await.status, 226);
        assert_eq!(ask(&site, "/all.atom", &etags[10]).await.status, 200, "too long ago");
    });
}
