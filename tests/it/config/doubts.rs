//! A valid value that is probably not meant is a warning at its place; there are no other warnings.

use newswire::config::Severity;

use super::{FEED, HEAD, OUTPUT, read};

/// A podcast that directories accept.
const PODCAST: &str = "podcast = \"Arts\"\nlanguage = \"en\"\nicon = \"https://a.b/i.png\"\n";

/// No web server.
const OFF: &str = "[web]\nlisten = \"off\"\npublic_url = \"https://planet.example/\"\n";

/// A feed with these keys.
fn feed(more: &str) -> String {
    let path = more.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    format!("[[feed]]\nurl = \"https://example.org/{path}\"\n{more}\n")
}

/// An output with these keys.
fn output(more: &str) -> String {
    format!("{OUTPUT}{more}\n")
}

/// The config has one warning, at this line and column.
fn assert_warns(text: &str, code: &str, at: (usize, usize)) {
    let loaded = read(&format!("{HEAD}{text}"));
    let report = &loaded.report;
    let found: Vec<_> = report
        .diagnostics
        .iter()
        .map(|fault| {
            (
                fault.code,
                report.position(fault.span.clone().unwrap_or_default().start),
                fault.severity,
            )
        })
        .collect();
    assert!(loaded.config.is_some(), "{code}: {found:?}");
    assert_eq!(found, [(code, at, Severity::Warning)], "{text}");
}

#[test]
fn improbable_values_are_warnings_at_their_place() {
    let tagged = feed("tags = [\"rust\"]");
    let rust = "include = { tags = [\"rust\"] }";
    for (text, code, at) in [
        (output(rust) + &tagged + &feed(""), "feed_without_output", (10, 7)),
        (output(rust) + &tagged + &feed("tags = [\"rsut\"]"), "tag_without_output", (11, 9)),
        (
            output("include = { tags = [\"rust\"] }\nexclude = { tags = [\"rust\"] }")
                + &tagged
                + "[[output]]\nid = \"all\"\n",
            "output_without_feeds",
            (5, 11),
        ),
        (output("min_feeds = 2") + &tagged, "output_without_feeds", (5, 13)),
        (output("include = { title = \".*\" }") + FEED, "filter_matches_all", (5, 21)),
        (output("exclude = { content = \"(?i)\" }") + FEED, "filter_matches_all", (5, 23)),
        (output("exclude = { title = \"(i?)ad\" }") + FEED, "unlikely_regex", (5, 21)),
        (output("include = { content = \"/rust/i\" }") + FEED, "unlikely_regex", (5, 23)),
        (output("title_replace = [[\"/Ad: /g\", \"\"]]") + FEED, "unlikely_regex", (5, 17)),
        (output("formats = [\"json\"]") + FEED, "only_json_feed", (5, 11)),
        (output("podcast = \"Arts\"\nlanguage = \"en\"") + FEED, "podcast_incomplete", (5, 11)),
        (output(&format!("{PODCAST}formats = [\"atom\"]")) + FEED, "podcast_incomplete", (8, 11)),
        (
            output(&format!("{PODCAST}podcast_email = \"a b\"")) + FEED,
            "podcast_incomplete",
            (8, 17),
        ),
        (
            output(&format!("{PODCAST}include = {{ enclosures = false }}")) + FEED,
            "filter_matches_nothing",
            (8, 26),
        ),
        (
            output(&format!("{PODCAST}exclude = {{ enclosures = true }}")) + FEED,
            "filter_matches_nothing",
            (8, 26),
        ),
        (output("directory = \".\"") + FEED, "database_in_output_directory", (5, 13)),
        (output("max_age = \"500d\"") + FEED, "retention_below_max_age", (5, 11)),
        (output("") + &feed("allow_networks = [\"0.0.0.0/0\"]"), "all_networks_allowed", (8, 18)),
        (
            format!("[schedule]\nmin_interval = \"1h\"\n{OUTPUT}{}", feed("interval = \"30m\"")),
            "interval_below_minimum",
            (9, 12),
        ),
        (output("exclude = { tags = [\"spam\"] }") + FEED, "no_such_feed", (5, 21)),
        (output("") + &feed("authorization = { env = \"HOME\" }"), "unlikely_secret", (8, 17)),
    ] {
        assert_warns(&text, code, at);
    }
}

#[test]
fn a_setting_without_effect_is_a_warning_at_its_place() {
    for (text, at) in [
        (output("podcast_explicit = true") + FEED, (5, 20)),
        (output("stylesheet_only = true") + FEED, (5, 19)),
        (output("content = \"summary\"\npage_text = \"full\"") + FEED, (6, 13)),
        (output("digest_hour = 6") + FEED, (5, 15)),
        (output("digest_hour = 6\ndigest = \"off\"") + FEED, (5, 15)),
        (output("") + &feed("proxy_authorization = { env = \"PATH\" }"), (8, 23)),
        (
            output("")
                + &feed("headers = { X-Key = { env = \"HOME\" }, x-key = { env = \"HOME\" } }"),
            (8, 39),
        ),
        (output("") + FEED + "[[server]]\nhost = \"exampel.org\"\n", (9, 8)),
    ] {
        assert_warns(&text, "no_effect", at);
    }
}

#[test]
fn what_is_meant_is_not_doubted() {
    for text in [
        // Tags are for the page, too.
        format!("{OUTPUT}{FEED}tags = [\"anything\"]\n"),
        format!(
            "{OUTPUT}include = {{ title = \"(?i)rust\" }}\nexclude = {{ title = \"^$\" }}\n{FEED}"
        ),
        format!(
            "{OUTPUT}formats = [\"json\", \"atom\"]\ndirectory = \"www\"\nmax_age = \"30d\"\n{FEED}"
        ),
        format!("{OUTPUT}{FEED}interval = \"30m\"\n"),
        format!("{OUTPUT}{PODCAST}podcast_email = \"a@b.example\"\n{FEED}"),
        // Files with a page, or in formats that need none.
        format!("{OFF}{OUTPUT}directory = \"www\"\nlink = \"https://planet.example/\"\n{FEED}"),
        format!("{OFF}{OUTPUT}directory = \"www\"\nsite = true\n{FEED}"),
        format!("{OFF}{OUTPUT}directory = \"www\"\nformats = [\"atom\", \"json\"]\n{FEED}"),
        // Defaults that are written out.
        format!("{OUTPUT}digest_hour = 0\nstylesheet_only = false\n{FEED}"),
        format!(
            "fetch.proxy = \"http://127.0.0.1:3128\"\n{OUTPUT}{FEED}\
             proxy_authorization = {{ env = \"PATH\" }}\n"
        ),
        // A list can bring feeds on the server.
        format!(
            "{OUTPUT}{FEED}[[server]]\nhost = \"a.example\"\n\
             [[subscriptions]]\nurl = \"https://example.org/list\"\n"
        ),
        // The operator's own server.
        format!(
            "{OUTPUT}[[feed]]\nurl = \"http://10.0.0.7/a\"\nallow_networks = [\"10.0.0.7\"]\n\
             interval = \"5m\"\nmin_interval = \"5m\"\n"
        ),
    ] {
        let report = read(&format!("{HEAD}{text}")).report;
        assert!(report.is_empty(), "{report:?}");
    }
}

#[test]
fn only_servers_of_others_need_a_contact() {
    for (url, codes) in [
        ("http://127.0.0.1:8421/feed", &[][..]),
        ("http://nas.local/feed", &[]),
        ("https://example.org/feed", &["no_contact"]),
    ] {
        let allow = "allow_networks = [\"127.0.0.1\"]";
        let text = format!("version = 1\n{OUTPUT}[[feed]]\nurl = \"{url}\"\n{allow}\n");
        let report = read(&text).report;
        let found: Vec<_> = report.diagnostics.iter().map(|fault| fault.code).collect();
        assert_eq!(found, codes, "{url}");
    }
}

#[test]
fn copies_of_images_need_a_program_that_reads_images() {
    let report = read(&format!("{HEAD}{OUTPUT}images = \"proxy\"\n{FEED}")).report;
    let found: Vec<_> = report.diagnostics.iter().map(|fault| fault.code).collect();
    let expected: &[&str] = if newswire::images::AVAILABLE { &[] } else { &["images_not_built"] };
    assert_eq!(found, expected);
}
