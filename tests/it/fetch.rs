//! Exchanges through the real HTTP stack: requests, responses and failures.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_compression::tokio::write::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use newswire::fetch::ResolveError;
use newswire::model::{FailureKind, FetchOutcome, Validators};
use tokio::io::AsyncWriteExt as _;
use url::Url;

use crate::support::client::{Client, HOST, body, kind, site};
use crate::support::origin::{Answer, Names};

async fn coded(coding: &str, plain: &[u8]) -> Vec<u8> {
    macro_rules! with {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(plain).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    match coding {
        "gzip" => with!(GzipEncoder),
        "br" => with!(BrotliEncoder),
        "zstd" => with!(ZstdEncoder),
        "deflate" => with!(ZlibEncoder),
        "bare deflate" => with!(DeflateEncoder),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_request_is_a_get_with_few_headers() {
    let (origin, client, url) = site(Answer::ok("<rss/>").with("Set-Cookie", "a=b")).await;
    client.get(&url).await;
    client.get(&url).await;
    let asked = origin.last();
    assert_eq!((asked.method.as_str(), origin.count()), ("GET", 2));
    let agent = asked.header("user-agent").unwrap();
    assert!(agent.starts_with("newswire/") && agent.ends_with(" (+https://planet.test/about)"));
    assert!(asked.header("accept").unwrap().starts_with("application/atom+xml"));
    assert_eq!(asked.header("accept-encoding"), Some("gzip, br, zstd, deflate"));
    assert_eq!(asked.headers[0].0, "host", "RFC 9110 7.2");
    let mut names: Vec<_> = asked.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn the_query_is_sent_unchanged() {
    let (origin, client, url) = site(Answer::ok("<rss/>")).await;
    for query in ["b=2&a=1", "a=%7E%20+&&x", "q=a;b=c", "?"] {
        let mut asked = url.clone();
        asked.set_query(Some(query));
        client.get(&asked).await;
        assert_eq!(origin.last().target, format!("/feed?{query}"));
    }
}

#[tokio::test]
async fn both_validators_are_sent_back_unchanged() {
    // Weak or unquoted tags and odd dates are opaque.
    for (etag, last_modified) in [
        ("\"abc\"", "Mon, 06 Jan 2025 10:00:00 GMT"),
        ("W/\"a b;c\"", "yesterday"),
        ("unquoted", "0"),
        ("\"only\"", ""),
        ("", "Mon, 06 Jan 2025 10:00:00 GMT"),
    ] {
        let mut answer = Answer::ok("x");
        if !etag.is_empty() {
            answer = answer.with("ETag", etag);
        }
        if !last_modified.is_empty() {
            answer = answer.with("Last-Modified", last_modified);
        }
        let (origin, mut client, url) = site(answer).await;
        client.validators = client.get(&url).await.validators.unwrap();
        client.get(&url).await;
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        assert_eq!(origin.last().header("if-none-match"), some(etag));
        assert_eq!(origin.last().header("if-modified-since"), some(last_modified));
    }
}

#[tokio::test]
async fn entity_tags_that_match_every_document_are_not_stored() {
    // RFC 9110 13.1.2: "If-None-Match: *" is false for every document.
    for (etag, is_stored) in [
        ("*", false),
        ("", false),
        ("W/*", false),
        ("\"a\", *", false),
        ("*, \"a\"", false),
        ("\"*\"", true),
        ("\"a, *\"", true),
        ("\"\"", true),
        ("a*", true),
    ] {
        let (_origin, client, url) = site(Answer::ok("x").with("ETag", etag)).await;
        let validators = client.get(&url).await.validators.unwrap();
        assert_eq!(validators.etag.is_some(), is_stored, "{etag}");
    }
}

#[tokio::test]
async fn a_304_with_another_entity_tag_changes_no_validator() {
    // RFC 9111 4.3.4
    let (kept, renewed) = (("\"1\"", "then"), ("\"1\"", "later"));
    for (etag, date, expected) in [
        (None, None, kept),
        (Some("\"2\""), None, kept),
        (Some("W/\"2\""), None, kept),
        (Some("\"2\""), Some("later"), kept),
        (None, Some("later"), kept),
        (Some("\"1\""), None, kept),
        (Some("\"1\""), Some("later"), renewed),
        (Some("W/\"1\""), Some("later"), renewed),
    ] {
        let headers = [("ETag", etag), ("Last-Modified", date)];
        let mut answer = Answer::status(304);
        for (name, value) in headers {
            answer = value.into_iter().fold(answer, |answer, value| answer.with(name, value));
        }
        let (_origin, client, url) = site(answer).await;
        let response = client.knowing("\"1\"", "then").get(&url).await;
        assert_eq!(response.outcome, FetchOutcome::NotModified);
        let validators = response.validators.unwrap();
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        let (etag, date) = (text(validators.etag), text(validators.last_modified));
        assert_eq!((etag.as_str(), date.as_str()), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_304_to_an_unconditional_request_is_a_failure() {
    let (_origin, client, url) = site(Answer::status(304)).await;
    assert_eq!(kind(&client.get(&url).await), FailureKind::BadResponse);
}

#[tokio::test]
async fn a_200_replaces_both_validators_even_by_nothing() {
    let (_origin, client, url) = site(Answer::ok("x").with("ETag", "\"2\"")).await;
    let validators = client.knowing("\"1\"", "then").get(&url).await.validators.unwrap();
    assert_eq!(validators, Validators { etag: Some(b"\"2\"".to_vec()), last_modified: None });
}

#[tokio::test]
async fn the_same_body_is_not_modified_and_its_new_validators_are_kept() {
    let (_origin, mut client, url) = site(Answer::ok("same").with("ETag", "\"2\"")).await;
    let first = client.get(&url).await;
    assert_eq!(first.outcome, FetchOutcome::Modified);
    client.known_body = first.body_hash;
    let second = client.get(&url).await;
    assert_eq!(second.outcome, FetchOutcome::NotModified);
    assert!(second.body.is_none() && second.validators.unwrap().etag.is_some());
}

#[tokio::test]
async fn the_same_tag_with_another_body_is_modified() {
    let (_origin, mut client, url) = site(Answer::ok("new").with("ETag", "\"1\"")).await;
    client.known_body = Some([7; 32]);
    let response = client.knowing("\"1\"", "").get(&url).await;
    assert_eq!((response.outcome.slug(), body(&response)), ("modified", &b"new"[..]));
}

#[tokio::test]
async fn errors_keep_the_validators() {
    for status in [400, 401, 403, 404, 410, 429, 500, 503] {
        let answer = Answer::status(status).with("ETag", "\"error page\"");
        let (_origin, client, url) = site(answer).await;
        let response = client.knowing("\"1\"", "").get(&url).await;
        assert_eq!((response.status, response.validators), (Some(status), None));
        assert!(!response.outcome.is_success(), "{status}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_a_known_contact_is_to_be_asked() {
    let (_origin, mut client, url) = site(Answer::status(403)).await;
    for (contact, expect) in
        [(None, "set contact in [fetch], "), (Some("https://planet.test/"), "ask the site owner")]
    {
        client.settings.contact = contact.map(str::to_owned);
        let FetchOutcome::Failed(failure) = client.get(&url).await.outcome else { panic!() };
        let help = failure.help.unwrap();
        assert!(help.starts_with(expect), "{help}");
        assert!(!help.contains("user_agent"), "{help}");
    }
}

#[tokio::test]
async fn every_status_has_its_outcome() {
    for (answer, slug) in [
        (Answer::status(401), "unauthorized"),
        (Answer::status(403), "forbidden"),
        (Answer::status(404), "not_found"),
        (Answer::status(418), "client_error"),
        (Answer::status(500), "server_error"),
        (Answer::status(503), "server_error"),
        (Answer::status(503).with("Retry-After", "120"), "throttled"),
        (Answer::status(429), "throttled"),
        (Answer::status(410), "gone"),
        (Answer::status(206), "bad_response"),
        (Answer::status(226), "bad_response"),
        (Answer::status(300), "client_error"),
        (Answer::status(301), "client_error"),
        (Answer::status(600), "server_error"),
        (Answer::status(999), "server_error"),
        (Answer::status(200), "modified"),
    ] {
        let (_origin, client, url) = site(answer).await;
        assert_eq!(client.get(&url).await.outcome.slug(), slug);
    }
}

#[tokio::test]
async fn retry_after_and_freshness_are_read_from_any_status() {
    let answer =
        Answer::status(429).with("Retry-After", "120").with("Cache-Control", "max-age=600");
    let (_origin, client, url) = site(answer).await;
    let freshness = client.get(&url).await.freshness;
    assert_eq!(freshness.retry_after.map(|d| d.as_secs()), Some(120));
    assert_eq!(freshness.remaining.map(|d| d.as_secs()), Some(600));
}

#[tokio::test]
async fn freshness_applies_to_304_and_errors_too() {
    for status in [304, 404, 500] {
        let answer = Answer::status(status).with("Cache-Control", "max-age=900").with("Age", "300");
        let (_origin, client, url) = site(answer).await;
        let freshness = client.knowing("\"1\"", "").get(&url).await.freshness;
        assert_eq!(freshness.remaining.map(|left| left.as_secs()), Some(600), "{status}");
    }
}

#[tokio::test]
async fn every_content_coding_is_decoded() {
    let plain = "<rss>".repeat(1000);
    for coding in ["gzip", "br", "zstd", "deflate", "bare deflate"] {
        let bytes = coded(coding, plain.as_bytes()).await;
        let label = coding.rsplit(' ').next().unwrap();
        let (_origin, client, url) =
            site(Answer::ok(bytes.clone()).with("Content-Encoding", label)).await;
        let response = client.get(&url).await;
        assert_eq!(body(&response), plain.as_bytes(), "{coding}");
        assert_eq!((response.wire_bytes, response.body_bytes), (bytes.len() as u64, 5000));
    }
}

#[tokio::test]
async fn repeated_missing_and_unrequested_codings_are_handled() {
    let twice = coded("gzip", &coded("gzip", b"<rss/>").await).await;
    let once = coded("gzip", b"<rss/>").await;
    for answer in [
        Answer::ok(twice.clone()).with("Content-Encoding", "gzip, gzip"),
        Answer::ok(twice.clone()).with("Content-Encoding", "gzip"),
        Answer::ok(twice),
        Answer::ok(once),
        Answer::ok("<rss/>").with("Content-Encoding", "gzip"),
        Answer::ok("<rss/>").with("Content-Encoding", "identity"),
    ] {
        let (_origin, client, url) = site(answer).await;
        assert_eq!(body(&client.get(&url).await), b"<rss/>");
    }
    let (_origin, client, url) = site(Answer::ok("x").with("Content-Encoding", "compress")).await;
    assert_eq!(kind(&client.get(&url).await), FailureKind::BadCoding);
}

#[tokio::test]
async fn a_challenge_for_browsers_is_named_whatever_its_status() {
    for (header, value) in [
        ("cf-mitigated", "challenge"),
        ("x-amzn-waf-action", "challenge"),
        ("x-amzn-waf-action", "captcha"),
        ("sg-captcha", "challenge"),
    ] {
        for status in [200, 202, 403, 405] {
            let body = b"<html>prove it</html>".to_vec();
            let page = Answer::Plain { status, headers: Vec::new(), body };
            let (_origin, client, url) = site(page.with(header, value)).await;
            let FetchOutcome::Failed(failure) = client.get(&url).await.outcome else {
                panic!("{header}, {status}")
            };
            assert_eq!(failure.kind, FailureKind::Forbidden, "{header}, {status}");
            assert!(failure.message.contains("challenge"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_challenge_that_only_its_page_shows_is_named_too() {
    let answer =
        |body: &[u8]| Answer::Plain { status: 202, headers: Vec::new(), body: body.to_vec() };
    let (_origin, client, url) =
        site(answer(b"<html><title>Just a moment...</title></html>")).await;
    let FetchOutcome::Failed(failure) = client.get(&url).await.outcome else { panic!() };
    assert_eq!(failure.kind, FailureKind::Forbidden);
    let (_origin, client, url) = site(answer(b"accepted")).await;
    assert_eq!(body(&client.get(&url).await), b"accepted");
}

#[tokio::test]
async fn bytes_after_the_end_of_a_gzip_body_are_ignored() {
    let gzip = coded("gzip", b"<rss>").await;
    let second = coded("gzip", b"</rss>").await;
    let behind = [&b"\r\n"[..], &[0; 512], b"<!-- cached -->", b"x"];
    let members = [
        &b"\x1f\x8b\x09\x00 is no member"[..],
        b"\x1f\x8b\x08\xff\xff\xff",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xff",
        b"\x1f\x8b<!-- cached -->",
    ];
    for behind in behind.into_iter().chain(members) {
        let bytes = [&gzip, &second, behind].concat();
        let (_origin, client, url) = site(Answer::ok(bytes).with("Content-Encoding", "gzip")).await;
        let response = client.get(&url).await;
        assert_eq!(body(&response), b"<rss></rss>", "{behind:?}");
        let is_reported = response.body.unwrap().parse_warning().is_some();
        assert_eq!(is_reported, behind != b"\r\n" && behind != [0; 512], "{behind:?}");
    }
    // A member that is damaged after its beginning is part of the document.
    let numbers: String =
        (0..90_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect();
    let mut damaged = coded("gzip", numbers.as_bytes()).await;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 99].fill(0xff);
    let bytes = [gzip, damaged].concat();
    let (_origin, client, url) = site(Answer::ok(bytes).with("Content-Encoding", "gzip")).await;
    assert_eq!(kind(&client.get(&url).await), FailureKind::BadCoding);
}

#[tokio::test]
async fn a_body_that_is_not_encoded_is_read_whatever_its_header_says() {
    let plain = "\u{feff}\n<?xml version=\"1.0\"?><rss version=\"2.0\"/>";
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let answer = Answer::ok(plain).with("Content-Encoding", coding);
        let (_origin, client, url) = site(answer).await;
        assert_eq!(body(&client.get(&url).await), plain.as_bytes(), "{coding}");
    }
}

#[tokio::test]
async fn a_response_may_have_hundreds_of_headers() {
    let mut answer = Answer::ok("<rss/>");
    for n in 0..300 {
        answer = answer.with(&format!("X-Header-{n}"), n);
    }
    let (_origin, client, url) = site(answer).await;
    assert_eq!(body(&client.get(&url).await), b"<rss/>");
}

#[tokio::test]
async fn a_content_encoding_that_names_no_coding_is_ignored() {
    for value in [
        "utf-8",
        "UTF-8",
        "none",
        "null",
        "binary",
        "8bit",
        "gzip, utf-8",
        "UTF8",
        "chunked",
        "text/html",
        "latin1",
    ] {
        let bytes = match value.starts_with("gzip") {
            true => coded("gzip", b"<rss/>").await,
            false => b"<rss/>".to_vec(),
        };
        let (_origin, client, url) = site(Answer::ok(bytes).with("Content-Encoding", value)).await;
        assert_eq!(body(&client.get(&url).await), b"<rss/>", "{value}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_rejected_whatever_its_content_length() {
    let (_origin, mut client, url) = site(Answer::ok(vec![b'x'; 4096])).await;
    client.settings.max_body = 1000;
    assert_eq!(kind(&client.get(&url).await), FailureKind::TooLarge);
    let endless = b"HTTP/1.1 200 OK\r\n\r\n".iter().copied().chain([b'x'; 4096]).collect();
    let (_origin, mut client, url) = site(Answer::Raw(endless)).await;
    client.settings.max_body = 1000;
    assert_eq!(kind(&client.get(&url).await), FailureKind::TooLarge);
}

#[tokio::test]
async fn a_decompression_bomb_is_rejected_in_every_coding() {
    // 8 MiB of one letter, in a few kB.
    let plain = vec![b'x'; 8 << 20];
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let bytes = coded(coding, &plain).await;
        let (_origin, mut client, url) =
            site(Answer::ok(bytes).with("Content-Encoding", coding)).await;
        client.settings.max_body = 1 << 30;
        let response = client.get(&url).await;
        assert_eq!(kind(&response), FailureKind::TooLarge, "{coding}");
    }
}

#[tokio::test]
async fn codings_are_undone_in_any_order_and_a_nested_bomb_is_rejected() {
    let codings = ["gzip", "br", "zstd", "deflate"];
    let (plain, bomb) = (b"<rss/>".repeat(20), vec![b'x'; 8 << 20]);
    for (inner, outer) in codings.iter().flat_map(|inner| codings.map(|outer| (*inner, outer))) {
        let header = format!("{inner}, {outer}");
        let bytes = coded(outer, &coded(inner, &plain).await).await;
        let answer = Answer::ok(bytes).with("Content-Encoding", &header);
        let (_origin, client, url) = site(answer).await;
        assert_eq!(body(&client.get(&url).await), plain, "{header}");
        let bytes = coded(outer, &coded(inner, &bomb).await).await;
        assert!(bytes.len() < 64 << 10, "{header}: {}", bytes.len());
        let answer = Answer::ok(bytes).with("Content-Encoding", &header);
        let (_origin, mut client, url) = site(answer).await;
        client.settings.max_body = 1 << 30;
        assert_eq!(kind(&client.get(&url).await), FailureKind::TooLarge, "{header}");
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_truncated() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n",
    ] {
        let (_origin, client, url) = site(Answer::Raw(bytes.to_vec())).await;
        assert_eq!(kind(&client.get(&url).await), FailureKind::Truncated);
    }
    let cut = coded("gzip", "<rss>".repeat(100).as_bytes()).await;
    let (_origin, client, url) =
        site(Answer::ok(&cut[..cut.len() / 2]).with("Content-Encoding", "gzip")).await;
    assert!(matches!(
        kind(&client.get(&url).await),
        FailureKind::Truncated | FailureKind::BadCoding
    ));
}

#[tokio::test]
async fn a_stalled_response_ends_with_the_timeout() {
    // The one timeout covers everything.
    for bytes in [&b""[..], b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<rss"] {
        let (_origin, mut client, url) = site(Answer::Stall(bytes.to_vec())).await;
        client.settings.timeout = Duration::from_millis(60);
        assert_eq!(kind(&client.get(&url).await), FailureKind::Timeout);
    }
}

#[tokio::test]
async fn a_response_that_is_not_http_is_a_bad_response() {
    for bytes in [&b"SSH-2.0-OpenSSH_9\r\n"[..], b"\0\0\0\0\0\0\0\0\n", b""] {
        let (_origin, client, url) = site(Answer::Raw(bytes.to_vec())).await;
        let kind = kind(&client.get(&url).await);
        let closed = matches!(kind, FailureKind::Reset | FailureKind::Truncated);
        assert!(closed || kind == FailureKind::BadResponse, "{kind:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_differ() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = Url::parse(&format!("http://gone.test:{unused}/")).unwrap();
    let client = Client::new(Arc::new(Names(HashMap::new())));
    assert_eq!(kind(&client.get(&url).await), FailureKind::Refused);
    for (error, expected) in [
        (ResolveError::NotFound("gone.test".to_owned()), FailureKind::NameNotFound),
        (ResolveError::Failed("gone.test".to_owned(), "refused".to_owned()), FailureKind::Resolver),
    ] {
        let client = Client::new(Names::but("gone.test", Err(error)));
        assert_eq!(kind(&client.get(&url).await), expected);
    }
}

#[tokio::test]
async fn an_unknown_2xx_is_a_200() {
    // RFC 9110 15
    for status in [201, 202, 203, 207, 208, 250, 299] {
        let (headers, body) = (Vec::new(), b"<rss/>".to_vec());
        let answer = Answer::Plain { status, headers, body }.with("ETag", "\"1\"");
        let (_origin, client, url) = site(answer).await;
        let response = client.get(&url).await;
        assert_eq!(response.outcome, FetchOutcome::Modified, "{status}");
        assert_eq!(response.validators.unwrap().etag.as_deref(), Some(&b"\"1\""[..]));
    }
}

#[tokio::test]
async fn a_response_without_content_is_an_empty_document() {
    for status in [200, 204, 205] {
        let (_origin, client, url) = site(Answer::status(status)).await;
        let response = client.knowing("\"1\"", "").get(&url).await;
        assert_eq!((response.outcome.slug(), body(&response)), ("modified", &b""[..]), "{status}");
    }
}

#[tokio::test]
async fn a_document_whose_announced_length_is_too_large_is_not_read() {
    // The body never comes: only the header can be the reason.
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_vec();
    let (_origin, client, url) = site(Answer::Stall(head)).await;
    let response = client.get(&url).await;
    assert_eq!((kind(&response), response.wire_bytes), (FailureKind::TooLarge, 0));
}

#[tokio::test]
async fn lines_that_are_no_valid_header_are_left_out() {
    for line in ["no colon", "X-Odd: a\u{1}b", "X y: z", ": empty"] {
        let raw = format!(
            "HTTP/1.1 200 OK\r\nCache-Control : max-age=7200\r\n{line}\r\nETag: \"1\"\r\nContent-Length: 6\r\n\r\n<rss/>"
        );
        let (_origin, client, url) = site(Answer::Raw(raw.into_bytes())).await;
        let response = client.get(&url).await;
        assert_eq!(body(&response), b"<rss/>", "{line:?}");
        assert_eq!(response.freshness.remaining.unwrap().as_secs(), 7200, "{line:?}");
        assert_eq!(response.validators.unwrap().etag.as_deref(), Some(&b"\"1\""[..]), "{line:?}");
    }
}

#[tokio::test]
async fn a_folded_header_is_read() {
    // RFC 9112 5.2
    let raw = b"HTTP/1.1 200 OK\r\nCache-Control: public,\r\n  max-age=7200\r\nContent-Length: 6\r\n\r\n<rss/>";
    let (_origin, client, url) = site(Answer::Raw(raw.to_vec())).await;
    let response = client.get(&url).await;
    assert_eq!(response.outcome, FetchOutcome::Modified);
    assert_eq!(response.freshness.remaining.unwrap().as_secs(), 7200);
}

#[tokio::test]
async fn a_request_on_a_kept_connection_that_was_closed_is_sent_once_more() {
    let (origin, client, url) = site(Answer::ok("<rss/>")).await;
    let closed = || Answer::Raw(Vec::new());
    origin.route(HOST, "/feed", [Answer::ok("<rss/>"), closed(), Answer::ok("<rss/>"), closed()]);
    for _ in 0..2 {
        assert_eq!(client.get(&url).await.outcome, FetchOutcome::Modified);
    }
    assert_eq!(origin.count(), 3, "one request was lost");
    // The connection of the last exchange, then a new one: not a third time.
    assert_eq!(kind(&client.get(&url).await), FailureKind::Reset);
    assert_eq!(origin.count(), 5);
    assert_eq!(kind(&client.get(&url).await), FailureKind::Reset);
    assert_eq!(origin.count(), 6, "a new connection that is closed is a failure");
}

#[tokio::test]
async fn a_fragment_is_no_part_of_a_url() {
    let (origin, client, url) = site(Answer::ok("<rss/>")).await;
    origin.route(HOST, "/feed", [Answer::redirect(302, format!("{url}#top"))]);
    let mut asked = url.clone();
    asked.set_fragment(Some("x"));
    let response = client.get(&asked).await;
    assert_eq!(kind(&response), FailureKind::TooManyRedirects, "a loop");
    assert_eq!((origin.count(), response.url), (1, url));
}
