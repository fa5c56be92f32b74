//! Secrets in a config are hidden in messages, also if the config is broken on that line.

use newswire::config::{redact_config, redact_logins};
use proptest::prelude::*;

#[test]
fn secrets_are_hidden_in_every_position() {
    for text in [
        "authorization = \"hunter2\"",
        "authorization = \"hunter2",
        "authorization = hunter2",
        "authorization = “hunter2”",
        "authorization : 'hunter2'",
        "authorisaton = \"x hunter2\" # x",
        "token=\"hunter2\" x",
        "fetch.authorization = { value = \"hunter2\" }",
        "authorization = { file = \"/etc/x\", value = \"hunter2\" }",
        "headers = { \"X-Key\" = \"hunter2\" }",
        "[fetch.headers]\nX-Key = \"hunter2\"",
        "[fetch.headers]\n\nX-Key = [\n\"x\",\n\"hunter2\"",
        "authorization = \"\"\"\nx\nhunter2\n\"\"\"",
        "authorization = \"\"\"\nhunter2",
        "password = \"hunter2\"",
        "feed = [{ url = \"https://a.b/\", autorization = \"hunter2\" }]",
        "interval = \"1h\" # the token is hunter2",
        "url = \"https://me:hunter2@a.b/\"",
        "url = \"https://hunter2@a.b/\"",
        "url = \"https://me:hun/hunter2@a.b/\"",
        "url = \"https://me:h@n/hunter2@a.b/\"",
        "url = \"me:hunter2@a.b/\"",
        "url = https://me:hunter2@a.b/",
        "url = \"hunter2@a.b/\"",
        "url = \"https://a.b:80/x https://me:hunter2@a.b/\"",
        "url = \"https://me:hun hunter2@a.b/\"",
        "url = https://me:hun hunter2@a.b/",
        "url = me:hun hunter2@a.b/",
        "ulr = \"hunter2@a.b/\"",
        "proxy = \"hunter2@a.b:3128\"",
        "users = { bob = \"hunter2\" }",
        "[users]\nbob = \"hunter2\"",
        "key = \"hunter2\"",
        "{\"token\": \"hunter2\"}",
        "password = \"hunter2:\"",
        "url = \"https://a.b/?from=https://me:hunter2@c.d/\"",
        "url = \"https://a.b:80/https://hunter2@c.d/\"",
        "proxy = 'http://CORP\\alice:hunter2@proxy:3128'",
        "proxy = \"http://CORP\\\\alice:hunter2@proxy:3128\"",
        "proxy = 'http://corp.example\\alice:hunter2@proxy:3128'",
        "url = \"https://me:12#hunter2@a.b/feed\"",
        "url = \"https://me:4711?hunter2@a.b/feed\"",
        "url = https://me:4711?hunter2@a.b/feed",
        "url = \"https://hunter2#x@a.b/\"",
        "url = \"https://a.b:8443/f?login=bob:hunter2@x\"",
        "url = \"https://a.b/f?u=https://bob:h/hunter2@x\"",
        "url = \"https://a.b/f?u=https://bob:h@n/hunter2@x\"",
        "url = \"https://me:h@x.y/hunter2@a.b/feed\"",
        "url = \"https://me:h@x.y/z:hunter2/@a.b/feed\"",
    ] {
        let redacted = redact_config(text);
        assert!(!redacted.contains("hunter2"), "{redacted}");
        assert_eq!(redacted.len(), text.len());
    }
}

#[test]
fn errors_of_broken_lines_do_not_contain_the_secret() {
    for line in [
        "authorization = “hunter2”",
        "authorization = hunter2",
        "authorization = ‘hunter2’ # x",
        "“authorization” = “hunter2”",
        "users = { bob = \"hunter2\" }",
        "[fetch.headers]\nX-Key = “hunter2”",
        "url = “https://me:hunter2@a.b/”",
    ] {
        let report = super::read(&format!("[fetch]\n{line}\n")).report;
        let text = report.draw(newswire::config::Style::Plain) + &report.to_json().to_string();
        assert!(report.errors() > 0 && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn values_that_are_not_secret_stay_readable() {
    for text in [
        "interval = \"30m\" # often, as its author asks for",
        "intervall = \"30m\"",
        "name = \"Planet\"",
        "file = \"/srv/ann@home/feed.xml\"",
        "author = \"Planet\"",
        "authorization = { file = \"/etc/newswire/secret\" }",
        "token = { credential = \"planet\" } # x",
        "headers = { X-Key = { env = \"FEED_KEY\" } }",
        "url = \"https://mastodon.example/@ann\"",
        "url = \"https://mastodon.example:8080/@ann\"",
        "url = \"https://a.b:80/proxy?url=https://medium.example/feed/@ann\"",
        "url = \"http://rsshub:1200/mastodon/acct/ann@mastodon.example/statuses\"",
        "url = \"http://127.0.0.1:22100/proxy?url=https://medium.example/feed/@ann\"",
        "url = \"https://a.b?mail=ann@example.org\"",
        "url = \"https://a.b#ann@example.org\"",
        "contact = \"mailto:ann@example.org\"",
        "contact = \"ann@example.org\"",
    ] {
        assert_eq!(redact_config(text), text);
    }
}

#[test]
fn only_the_login_of_a_url_is_masked() {
    for (text, expected) in [
        ("http://a.b:80/p?url=https://c.d/feed/@ann: gone", None),
        (
            "http://a.b/p?url=https://me:hunter2@c.d/@ann",
            Some("http://a.b/p?url=https://***@c.d/@ann"),
        ),
        ("http://me:hunter2@a.b/@ann", Some("http://***@a.b/@ann")),
        ("http://a.b\\@c.d/", None),
        (
            "http://me:hunter2@a.b/p?url=https://c.d/@ann",
            Some("http://***@a.b/p?url=https://c.d/@ann"),
        ),
        ("http://a.b/?u=https://me:hunter2@c.d/", Some("http://a.b/?u=https://***@c.d/")),
        ("http://me:hun/ter2@a.b/", Some("http://***@a.b/")),
    ] {
        let mut masked = text.to_owned();
        redact_logins(&mut masked);
        assert_eq!(masked, expected.unwrap_or(text));
    }
}

proptest! {
    #[test]
    fn redaction_keeps_the_length_of_every_text(text in r#"(?s)(token|=|"|'|\{|\[|\n|#|ä|.){0,60}"#) {
        prop_assert_eq!(redact_config(&text).len(), text.len());
    }
}
