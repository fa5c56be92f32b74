//! Hostile values in headers, names and texts: no request is split, no file is written outside its folder, and no
//! command prints control characters.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use newswire::model::Validators;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::cli::{configured, newswire};
use crate::support::client::Client;
use crate::support::origin::{Answer, Names, Origin};

/// A server that keeps every byte of each connection, and answers each end of a head.
async fn raw_server(answers: Vec<Vec<u8>>) -> (u16, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\n") {
                match stream.read_buf(&mut read).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
            kept.lock().unwrap().push(read);
            let _ = stream.write_all(&answers.next().unwrap_or_default()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, heads)
}

/// Values with line breaks, NUL, other control characters, and characters beyond ASCII.
const VALUES: [&[u8]; 16] = [
    b"a\r\nX-Injected: 1",
    b"a\nX-Injected: 1",
    b"a\rX-Injected: 1",
    b"a\r\n\r\nGET /injected HTTP/1.1\r\nHost: x",
    b"a\0X-Injected: 1",
    b"a\x0bX-Injected: 1",
    b"a\x1b[31m",
    b"a\x7fb",
    b"a\x85X-Injected: 1",
    b"a\xe2\x80\xa8X-Injected: 1",
    b"a\xc3\xa9",
    b"a\xff\xfe",
    b"a%0d%0aX-Injected: 1",
    b"a\\r\\nX-Injected: 1",
    b"\r\nX-Injected: 1",
    b"\tX-Injected: 1",
];

fn assert_whole(heads: &[Vec<u8>], what: &str) {
    for head in heads {
        let text = String::from_utf8_lossy(head);
        let lines: Vec<&str> = text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
        assert!(lines[0].starts_with("GET /"), "{what}: {text}");
        let requests = lines.iter().filter(|line| line.starts_with("GET ")).count();
        assert_eq!(requests, 1, "{what}: {text}");
        assert!(!lines.iter().any(|line| line.starts_with("X-Injected")), "{what}: {text}");
        assert_eq!(text.matches("\r\n\r\n").count(), 1, "{what}: {text}");
        let head = head.strip_suffix(b"\r\n\r\n").unwrap();
        let breaks = head.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        assert_eq!(breaks, 2 * (lines.len() - 1), "{what}: {text}");
        assert!(!head.contains(&0), "{what}: {text}");
    }
}

#[tokio::test]
async fn values_that_a_server_sends_split_no_request() {
    let respond = |status: &str, name: &str, value: &[u8]| {
        let body = if status.starts_with('2') { &b"<rss/>"[..] } else { b"" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{name}: ", body.len());
        [head.as_bytes(), value, b"\r\n\r\n", body].concat()
    };
    for value in VALUES {
        for (status, name) in [
            ("200 OK", "ETag"),
            ("200 OK", "Last-Modified"),
            ("200 OK", "Set-Cookie"),
            ("302 Found", "Location"),
        ] {
            let what = format!("{name}: {}", String::from_utf8_lossy(value));
            let first = respond(status, name, value);
            let last = respond("200 OK", "X", b"y");
            let (port, heads) = raw_server(vec![first, last.clone(), last]).await;
            let mut client = Client::new(Arc::new(Names(Default::default())));
            let url = Url::parse(&format!("http://site.test:{port}/feed")).unwrap();
            let response = client.get(&url).await;
            // As stored, even if the response does not show them.
            client.validators = response.validators.unwrap_or(Validators {
                etag: (name == "ETag").then(|| value.to_vec()),
                last_modified: (name == "Last-Modified").then(|| value.to_vec()),
            });
            client.get(&url).await;
            let heads = heads.lock().unwrap();
            assert!(heads.len() >= 2, "{what}: {} requests", heads.len());
            assert_whole(&heads, &what);
            let cookies = heads.iter().any(|head| head.windows(7).any(|part| part == b"cookie:"));
            assert!(!cookies, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_configured_headers_split_no_request() {
    // In the config, where TOML has an escape for each character, and in a file that a secret is read from.
    for value in ["a\\r\\nX-Injected: 1", "a\\nX: 1", "a\\u0000b", "a\\u007fb", "é", "a\\u2028b"] {
        let folder = configured(&[]);
        let path = folder.path().join("newswire.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let header = format!("contact = \"me@example.org\"\nheaders = {{ X-Key = \"{value}\" }}");
        let text = text.replace("contact = \"me@example.org\"", &header);
        std::fs::write(&path, text).unwrap();
        let checked = newswire(folder.path(), &["check"]);
        assert_eq!(checked.code, 78, "{value}: {}{}", checked.out, checked.err);
        assert!(!checked.err.contains(['\0', '\x7f', '\u{2028}']), "{value}: {:?}", checked.err);
    }
    let (port, heads) =
        raw_server(vec![b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n".to_vec(); 8]).await;
    for value in VALUES {
        let mut client = Client::new(Arc::new(Names(Default::default())));
        let value = String::from_utf8_lossy(value).into_owned();
        client.settings.headers = vec![("x-key".to_owned(), newswire::fetch::Secret(value))];
        client.get(&Url::parse(&format!("http://site.test:{port}/feed")).unwrap()).await;
    }
    assert_whole(&heads.lock().unwrap(), "a configured header");
}

/// Ids, titles and names that would lead out of a folder, to a device or to another file, if one were named after them.
const HOSTILE_NAMES: [&str; 40] = [
    "../outside",
    "../../outside",
    "../../../../../../../../tmp/newswire-outside",
    "/tmp/newswire-outside",
    "//tmp/newswire-outside",
    "..",
    ".",
    "...",
    ".hidden",
    "./outside",
    "a/../../outside",
    "a/b/c",
    "..\\outside",
    "C:\\outside",
    "\\\\host\\share",
    "%2e%2e%2foutside",
    "..%2foutside",
    "%2e%2e/outside",
    "..%c0%afoutside",
    "\u{2025}/outside",
    "\u{ff0e}\u{ff0e}/outside",
    "\u{ff0e}\u{ff0e}\u{ff0f}outside",
    "file:///tmp/newswire-outside",
    "con",
    "nul.atom",
    "newswire.db",
    "newswire.toml",
    "planet.atom",
    "planet.json",
    "index.html",
    ".planet.atom.new",
    "-rf",
    "--config=/tmp/x",
    "$(touch outside)",
    "`touch outside`",
    ";touch outside;",
    "|touch outside",
    "~/outside",
    "a\u{202e}mota.b",
    "archive/../../../outside",
];

/// Paths of all files and folders below, relative to it.
fn tree(folder: &Path) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_of_items_lead_to_no_file_outside_the_folder() {
    let origin = Origin::start().await;
    let coded = |name: &str| name.replace('&', "&amp;").replace('<', "&lt;");
    let items: String = HOSTILE_NAMES
        .iter()
        .map(|name| {
            let name = coded(name);
            format!(
                "<item><guid isPermaLink=\"false\">{name}</guid><title>{name}</title><author>{name}</author>\
                 <category>{name}</category><link>https://site.test/{name}</link>\
                 <enclosure url=\"https://site.test/{name}\" type=\"audio/mpeg\" length=\"1\"/>\
                 <description>{name}</description><pubDate>Sat, 01 Feb 2025 10:00:00 GMT</pubDate></item>"
            )
        })
        .collect();
    let document = format!(
        "<rss version=\"2.0\"><channel><title>../../outside</title><link>https://site.test/../outside</link>\
         {items}</channel></rss>"
    );
    origin.route("127.0.0.1", "/feed", [Answer::ok(document)]);
    let outer = configured(&[origin.url("127.0.0.1", "/feed").to_string()]);
    let folder = outer.path().join("home");
    std::fs::create_dir(&folder).unwrap();
    let text = std::fs::read_to_string(outer.path().join("newswire.toml")).unwrap();
    let text = text.replace(
        "directory = \"www\"\n",
        "directory = \"www\"\nsite = true\nitems = 10\n[dedupe]\ninitial_items = 100\nburst_guard = \"off\"\n",
    );
    std::fs::write(folder.join("newswire.toml"), text).unwrap();
    std::fs::remove_file(outer.path().join("newswire.toml")).unwrap();
    let polled = newswire(&folder, &["poll"]);
    assert_eq!(polled.code, 0, "{}{}", polled.out, polled.err);
    let all = tree(outer.path());
    // The archive and the pages were written.
    assert!(all.iter().filter(|path| path.contains("www/")).count() > 30, "{all:?}");
    let allowed = |name: &str| {
        name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    for path in &all {
        assert!(path == "home" || path.starts_with("home/"), "{path}");
        let own = ["home", "www", "newswire.toml", "newswire.db", "newswire.db.lock"];
        let below = path.strip_prefix("home/www/").is_some_and(|rest| rest.split('/').all(allowed));
        let name = path.rsplit('/').next().unwrap();
        let is_known = own.contains(&name) || name.starts_with("newswire.db-");
        assert!(below || is_known, "{path}");
    }
    assert!(!Path::new("/tmp/newswire-outside").exists());
}

/// Number of embeddings, overrides and isolates that a line begins and does not end.
fn unended_marks(line: &str) -> i32 {
    let change = |it| match it {
        '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' | '\u{2066}'..='\u{2068}' => 1,
        '\u{202c}' | '\u{2069}' => -1,
        _ => 0,
    };
    line.chars().map(change).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_prints_control_characters_of_a_feed() {
    let origin = Origin::start().await;
    let hostile =
        "\u{1b}[31mred\u{9b}2J\u{85}\u{2028}next\u{202e}back\u{2066}\u{7f}\u{8}\r\nX-Line: 1";
    // XML has no form for most of them, JSON has one for each.
    let text = serde_json::to_string(hostile).unwrap();
    let item = |id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"title\":{text},\"url\":\"https://site.test/{id}\",\"content_text\":{text},\
             \"authors\":[{{\"name\":{text}}}],\"tags\":[{text}]}}"
        )
    };
    let document = format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":{text},\"home_page_url\":\"https://site.test/\",\
         \"description\":{text},\"items\":[{},{}]}}",
        item("one"),
        item("two"),
    );
    let failing = Answer::Raw(
        [&b"HTTP/1.1 404 \x1b[31mgone\x9b\r\nX: \x1b[0m\r\nContent-Length: 4\r\n\r\n\x1b[0m"[..]]
            .concat(),
    );
    origin.route("127.0.0.1", "/feed", [Answer::ok(document)]);
    origin.route("127.0.0.1", "/broken", [failing]);
    let url = origin.url("127.0.0.1", "/feed").to_string();
    let folder = configured(&[url.clone(), origin.url("127.0.0.1", "/broken").to_string()]);
    let lines = "poll|poll --dry-run --all|list|list --json|list --ids|status|status --json|logs FEED|\
        logs FEED --json|manners|why FEED|why FEED --json|why https://site.test/one|explain FEED|\
        explain https://site.test/one|probe FEED|probe FEED --json|verify|plan|replay|config|config --json|\
        check|check --online|check --json|export|release FEED|backup copy.db|\
        restore --from-outputs www|split https://site.test/one|join https://site.test/one https://site.test/two|\
        why https://site.test/two|health|set FEED title=x|tag FEED x|pause FEED|resume FEED|remove FEED";
    let mut texts = 0;
    for line in lines.split('|') {
        let line = line.trim().replace("FEED", &url);
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let said = newswire(folder.path(), &arguments);
        for printed in [&said.out, &said.err] {
            texts += usize::from(printed.contains("red"));
            let bad = printed.chars().find(|it| {
                let is_control = it.is_control() && !matches!(it, '\n' | '\t');
                is_control || matches!(it, '\u{2028}' | '\u{2029}')
            });
            assert_eq!(bad, None, "newswire {line}: {printed:?}");
            // Marks of text direction are ended where the text ends; in JSON they are data.
            let opened = printed.lines().find(|line| unended_marks(line) != 0);
            assert!(opened.is_none() || line.contains("--json"), "newswire {line}: {opened:?}");
            assert!(
                !printed.lines().any(|it| it.starts_with("X-Line")),
                "newswire {line}: {printed}"
            );
        }
        assert!([0, 64, 65, 69, 1, 2].contains(&said.code), "newswire {line}: {}", said.err);
    }
    assert!(texts >= 5, "only {texts} outputs have the text of the feed");
}
