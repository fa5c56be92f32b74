//! The config as operators write it: the example is valid, and every error has its place.

mod doubts;
mod edit;
mod online;
mod redaction;
mod shown;
mod split;
mod suggestions;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use newswire::config::{self, Config, KEYS, Key, Kind, Loaded, Section, Style};
use newswire::render::{AlsoAt, Content, Presentation, ShownDate};

use crate::support::empty_folder;

fn read(text: &str) -> Loaded {
    config::read(text.to_owned(), Path::new("newswire.toml"), Path::new("/state"))
}

fn good(text: &str) -> Config {
    let Loaded { config, report, .. } = read(text);
    config.unwrap_or_else(|| panic!("{}", report.draw(Style::Plain)))
}

/// A file that other users cannot read.
pub(crate) fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// What every config needs so as not to be warned of.
const HEAD: &str = "version = 1\nfetch.contact = \"me@example.org\"\n";
const FEED: &str = "[[feed]]\nurl = \"https://example.org/feed\"\n";
const OUTPUT: &str = "[[output]]\nid = \"planet\"\n";

#[test]
fn the_example_is_valid_and_has_every_key() {
    let config = good(EXAMPLE);
    assert_eq!((config.subscriptions.len(), config.outputs.len()), (0, 1));
    for key in KEYS.iter().filter(|key| key.section != Section::Rules) {
        let found = EXAMPLE
            .lines()
            .any(|line| line.trim_start_matches("# ").starts_with(&format!("{} = ", key.name)));
        assert!(found, "{} is missing", key.path());
    }
}

/// The lines that set these keys, each in its section.
fn set(keys: impl Iterator<Item = &'static Key>, value: fn(&Key) -> &str) -> String {
    let mut text = String::new();
    let mut section = Section::Top;
    for key in keys {
        if key.section != section {
            section = key.section;
            text.push_str(&format!("{}\n", section.heading()));
        }
        text.push_str(&format!("{} = {}\n", key.name, value(key)));
    }
    text
}

#[test]
fn the_defaults_of_the_definitions_are_the_defaults_of_the_rooms() {
    let single = |key: &&Key| !key.section.is_list() && key.section != Section::Rules;
    let keys = KEYS.iter().filter(single).filter(|key| !key.default.is_empty());
    let text = set(keys, |key| key.default);
    let (written, absent) = (good(&text), good("version = 1"));
    assert_eq!(format!("{written:?}"), format!("{absent:?}"));
    assert!(text.matches(" = ").count() > 20, "{text}");
    assert_eq!(absent.fetch, newswire::fetch::Settings::default());
    assert_eq!(*absent.dedupe, newswire::dedupe::Settings::default());
    assert_eq!(absent.web, newswire::web::Settings::default());
    let store = newswire::store::Settings::default();
    assert_eq!(absent.store.retention, store.retention);
    assert_eq!(absent.store.path, Path::new("/state").join(store.path));
    let config = good(&format!("{HEAD}{FEED}"));
    assert_eq!(*config.subscriptions[0].schedule, newswire::schedule::Settings::default());
}

/// Values of a key that are not its default, and for a choice all its words. Files are in `folder`.
fn values(key: &Key, folder: &Path) -> Vec<String> {
    let file = |name: &str| format!("{:?}", folder.join(name));
    let reference = format!("{{ file = {} }}", file("secret"));
    let value = match (key.path().as_str(), key.kind) {
        (_, Kind::Choice(words)) => return words.iter().map(|word| format!("{word:?}")).collect(),
        (_, Kind::Secret) => reference,
        (_, Kind::Secrets) => format!("{{ X-Key = {reference} }}"),
        ("fetch.ca", _) => file("ca.pem"),
        ("output.stylesheet" | "output.header" | "output.footer", _) => file("part.html"),
        ("output.logo", _) => file("logo.png"),
        ("subscriptions.file", _) => file("list"),
        ("store.path", _) => "\"other.db\"".to_owned(),
        ("store.retention", _) => "\"20d\"".to_owned(),
        ("include.tags", _) => "[\"rust\"]".to_owned(),
        ("include.feeds", _) => "[\"example.org-feed\"]".to_owned(),
        (_, Kind::Number { max, .. }) => max.min(9).to_string(),
        (_, kind) if kind.format().starts_with("duration") => "\"20h\"".to_owned(),
        (_, Kind::Flag) => (key.default != "true").to_string(),
        (_, kind) if kind.format().starts_with("size: ") => "\"7 MiB\"".to_owned(),
        ("web.listen" | "web.samples", _) => "\"127.0.0.1:1\"".to_owned(),
        (_, Kind::Choices(_)) => "[\"rss\"]".to_owned(),
        _ => key.example.to_owned(),
    };
    vec![value]
}

/// A config with one line in the section of a key.
fn config_with(key: &Key, line: &str, folder: &Path) -> String {
    let of = |section: Section| if key.section == section { line } else { "" };
    let single = match key.section.is_list() || key.section == Section::Rules {
        true => String::new(),
        false => format!("{}\n{line}", key.section.heading()),
    };
    let server = match key.section {
        Section::Server => format!("[[server]]\nhost = \"example.org\"\n{line}"),
        _ => String::new(),
    };
    // The interval must not be shorter than the minimum.
    let interval = if key.name == "min_interval" { "interval = \"20h\"\n" } else { "" };
    // They have an effect only on a podcast.
    let podcast = if key.name.starts_with("podcast_") { "podcast = \"Arts\"\n" } else { "" };
    // They have an effect only on a digest, the day only on a weekly one.
    let digest = match key.name {
        "digest_hour" => "digest = \"daily\"\n",
        "digest_day" => "digest = \"weekly\"\n",
        _ => "",
    };
    let list = match (key.path().as_str(), line) {
        ("subscriptions.tags" | "subscriptions.removed" | "subscriptions.remove", _) => {
            format!("file = {:?}\n", folder.join("list"))
        }
        ("subscriptions.interval", _) | (_, "") => "url = \"https://a.b/\"\n".to_owned(),
        _ => String::new(),
    };
    let list = format!("[[subscriptions]]\n{list}{}", of(Section::Subscriptions));
    let list = if key.section == Section::Subscriptions { list.as_str() } else { "" };
    let rules = match of(Section::Rules) {
        "" => String::new(),
        line => format!("[output.include]\n{line}"),
    };
    format!(
        "version = 1\n{single}{interval}{server}{FEED}tags = [\"rust\"]\n{}{OUTPUT}{podcast}{digest}{}{rules}{list}",
        of(Section::Feed),
        of(Section::Output),
    )
}

#[test]
fn every_key_and_every_word_of_it_has_an_effect() {
    let folder = empty_folder();
    let folder = folder.path();
    private(&folder.join("secret"), "sesame:0123456789");
    std::fs::write(folder.join("ca.pem"), crate::tls::authority()).unwrap();
    std::fs::write(folder.join("list"), "https://example.org/listed\n").unwrap();
    std::fs::write(folder.join("part.html"), "<p>Part</p>").unwrap();
    std::fs::write(folder.join("logo.png"), "PNG").unwrap();
    // The config below needs or contains these.
    let apart = ["version", "id", "host", "url", "include", "exclude"];
    let is_apart =
        |key: &Key| apart.contains(&key.name) || ["feed.tags", "feed.file"].contains(&&*key.path());
    let mut checked = 0;
    for key in KEYS.iter().filter(|key| !is_apart(key)) {
        // The only key that needs another one.
        let beside = if key.path() == "output.site" { "directory = \"www\"\n" } else { "" };
        let with = |line: &str| good(&config_with(key, &format!("{beside}{line}"), folder));
        let shown = |line: &str| format!("{:?}", with(line));
        let mut seen = BTreeSet::new();
        for value in values(key, folder) {
            let is_new = seen.insert(shown(&format!("{} = {value}\n", key.name)));
            assert!(is_new, "{} = {value}: no effect", key.path());
        }
        // One of the words of a choice is the default.
        let choice = matches!(key.kind, Kind::Choice(_));
        assert_eq!(seen.contains(&shown("")), choice, "{}", key.path());
        checked += 1;
    }
    assert!(checked > 55, "{checked}");
}

#[test]
fn what_is_set_is_in_force_and_a_feed_overrides_it() {
    let config = good(
        r#"version = 1
        [schedule]
        interval = "2h"
        [fetch]
        contact = "me@example.org"
        max_body = "1 MiB"
        concurrency = 7
        [store]
        path = "x.db"
        [web]
        public_url = "https://example.org/planet"
        [[output]]
        id = "planet"
        formats = ["rss"]
        directory = "www"
        max_age = "2d"
        include = { tags = ["a"], title = "(?i)rust", languages = ["en"], enclosures = true }
        icon = "https://example.org/icon.png"
        language = "de-AT"
        content = "summary"
        title_prefix = "{source}: "
        date = "first_seen"
        also_at = "content"
        [[feed]]
        url = "https://example.org/1"
        tags = ["a"]
        [[feed]]
        url = "https://example.org/2"
        interval = "10m"
        timeout = "5s"
        allow_networks = ["10.0.0.1", "fd00::/8"]"#,
    );
    let [first, second] = config.subscriptions.as_slice() else { panic!("two feeds") };
    assert_eq!(first.schedule.interval, Duration::from_secs(7200));
    assert_eq!(second.schedule.interval, Duration::from_secs(600));
    // Who asks for ten minutes means it, although the default minimum is more.
    assert_eq!(second.schedule.min_interval, Duration::from_secs(600));
    assert_eq!((second.fetch.max_body, second.fetch.timeout.as_secs()), (1 << 20, 5));
    assert_eq!((second.fetch.allow_networks.len(), config.concurrency), (2, 7));
    assert_eq!(config.store.path, Path::new("/state/x.db"));
    let output = &config.outputs[0];
    assert_eq!(output.directory.as_deref(), Some(Path::new("/state/www")));
    assert_eq!(output.base_url.as_str(), "https://example.org/planet/");
    assert_eq!((output.title.as_str(), output.items), ("planet", 100));
    assert_eq!(output.filter.include[0].enclosures, Some(true));
    let look = Presentation {
        icon: "https://example.org/icon.png".parse().ok(),
        language: Some("de-AT".to_owned()),
        content: Content::Summary,
        title_prefix: "{source}: ".parse().ok(),
        date: ShownDate::FirstSeen,
        also_at: AlsoAt::Content,
        ..Presentation::default()
    };
    assert_eq!(output.presentation, look);
    let default = good(&format!("{HEAD}{FEED}{OUTPUT}"));
    assert_eq!(default.outputs[0].presentation, Presentation::default());
}

#[test]
fn servers_that_need_other_manners_are_known_and_may_be_overridden() {
    let config = good(
        r#"version = 1
        [[server]]
        host = "github.com"
        host_spacing = "20s"
        [[server]]
        host = "mine.example"
        per_host = 8
        [[feed]]
        url = "https://www.reddit.com/r/rust/.rss"
        [[feed]]
        url = "https://github.com/rust-lang/rust/releases.atom"
        [[feed]]
        url = "https://blog.mine.example/feed"
        interval = "auto"
        [[feed]]
        url = "https://example.org/feed""#,
    );
    let seconds: Vec<_> =
        config.subscriptions.iter().map(|feed| feed.schedule.host_spacing.as_secs()).collect();
    assert_eq!(seconds, [65, 20, 2, 2]);
    let mine = &config.subscriptions[2].schedule;
    assert_eq!((mine.per_host, mine.interval_mode), (8, newswire::schedule::IntervalMode::Auto));
}

#[test]
fn many_feeds_on_one_server_are_kept_further_apart_unless_the_config_says_how_far() {
    let feeds = |host: &str, n: usize| -> String {
        (0..n).map(|n| format!("[[feed]]\nurl = \"https://w{n}.{host}/\"\n")).collect()
    };
    let all = feeds("crowd.example", 11) + &feeds("few.example", 10);
    let spacing = |text: String| {
        let config = good(&text);
        let of = |n: usize| config.subscriptions[n].schedule.host_spacing.as_secs();
        (of(0), of(11))
    };
    assert_eq!(spacing(all.clone()), (10, 2));
    assert_eq!(spacing(format!("[schedule]\nhost_spacing = \"3s\"\n{all}")), (3, 3));
}

#[test]
fn two_feeds_of_one_address_are_one_that_is_asked_once_with_the_tags_of_both() {
    let text = "[[feed]]\nurl = \"https://a.b\"\ntags = [\"x\", \"y\"]\n\
        [[feed]]\nurl = \"https://A.b/\"\nid = \"ab\"\ntitle = \"AB\"\ntags = [\"y\", \"z\"]\n";
    let Loaded { config, report, .. } = read(text);
    let config = config.unwrap();
    let [one] = config.subscriptions.as_slice() else { panic!("{config:?}") };
    assert_eq!(one.feed.tags, ["x", "y", "z"]);
    assert_eq!(one.feed.id.as_ref().map(|id| id.as_str()), Some("ab"));
    assert_eq!(one.feed.title.as_deref(), Some("AB"));
    let drawn = report.draw(Style::Plain);
    assert!(drawn.contains("used twice") && drawn.contains("with the tags of both"), "{drawn}");
}

#[test]
fn secrets_are_read_from_files_and_never_shown() {
    let folder = empty_folder();
    let path = folder.path().join("secret");
    private(&path, "ann:hunter2\n");
    let text = format!(
        "[fetch]\nauthorization = {{ file = {path:?} }}\n[[feed]]\nurl = \"https://example.org/\"\n"
    );
    let config = good(&text);
    let (name, secret) = &config.subscriptions[0].fetch.headers[0];
    assert_eq!((name.as_str(), secret.0.as_str()), ("authorization", "Basic YW5uOmh1bnRlcjI="));
    assert!(!format!("{config:?}").contains("YW5u"));
}

#[test]
fn a_token_is_long_secret_and_guards_no_folder() {
    let folder = empty_folder();
    let path = folder.path().join("token");
    let text = |more: &str| format!("{HEAD}{OUTPUT}token = {{ file = {path:?} }}\n{more}{FEED}");
    private(&path, "sesame-0123456789\n");
    let config = good(&text(""));
    let token = config.outputs[0].token.as_ref().unwrap();
    assert!(token.matches(b"sesame-0123456789") && !format!("{config:?}").contains("sesame"));
    let code = |text: String| {
        let report = read(&text).report;
        let drawn = report.draw(Style::Plain) + &report.to_json().to_string();
        assert!(!drawn.contains("sesame"), "{drawn}");
        report.diagnostics.first().map(|fault| fault.code)
    };
    assert_eq!(code(text("directory = \"www\"\n")), Some("contradiction"));
    std::fs::write(&path, "sesame").unwrap();
    assert_eq!(code(text("")), Some("bad_token"));
    let literal = format!("{HEAD}{OUTPUT}token = \"sesame-0123456789\"\n{FEED}");
    assert_eq!(code(literal), Some("bad_secret"), "never a value of this file");
}

#[test]
fn every_error_of_a_file_is_reported_in_one_run() {
    let all: String =
        "[schedule]\nintervall = 1\nper_host = 99\n[web]\nlisten = \"x\"\n".to_owned() + FEED;
    let codes: Vec<_> = read(&all).report.diagnostics.iter().map(|fault| fault.code).collect();
    for code in [
        "unknown_key",
        "out_of_range",
        "bad_address",
        "missing_version",
        "no_outputs",
        "no_contact",
    ] {
        assert!(codes.contains(&code), "{code} is missing in {codes:?}");
    }
}

#[test]
fn what_is_doubtful_is_a_warning_and_no_error() {
    for (text, code) in [
        ("[[output]]\nid = \"a\"\nexclude = { tags = [\"rsut\"] }\n", "no_such_feed"),
        ("[[output]]\nid = \"a\"\ncontent = \"none\"\nalso_at = \"content\"\n", "no_effect"),
        ("[[output]]\nid = \"a\"\nicon = \"https://a.b/favicon.ico\"\n", "icon_too_small"),
        ("[[output]]\nid = \"a\"\nexclude = { feeds = [\"nobody\"] }\n", "no_such_feed"),
        ("[schedule]\ninterval = \"10m\"\n", "interval_below_recommended"),
        ("[schedule]\npublisher_hints = \"ignore\"\n", "publisher_hints_ignored"),
        ("[fetch]\ntimeout = \"1h\"\n", "timeout_above_recommended"),
        ("[fetch]\nuser_agent = \"Mozilla/5.0 (X11) Firefox/140.0\"\n", "masquerading_user_agent"),
        ("[fetch]\nuser_agent = \"FeedBurner/1.0\"\n", "masquerading_user_agent"),
        ("[[feed]]\nurl = \"http://10.0.0.7/f\"\n", "address_not_allowed"),
        ("[[feed]]\nurl = \"http://[::1]/f\"\n", "address_not_allowed"),
        ("[[feed]]\nurl = \"http://example.org:25/f\"\n", "address_not_allowed"),
        ("[web]\nlisten = \"0.0.0.0:80\"\n", "no_public_url"),
        ("[web]\nlisten = \"[::]:80\"\n", "host_names_unchecked"),
    ] {
        let head = if text.contains("[fetch]") { "version = 1\n" } else { HEAD };
        let output = if text.contains("[[output]]") { "" } else { OUTPUT };
        let Loaded { config, report, .. } =
            read(&format!("{head}{text}{output}{FEED}tags = [\"rust\"]"));
        assert!(config.is_some(), "{}", report.draw(Style::Plain));
        assert!(report.diagnostics.iter().any(|fault| fault.code == code), "{code}: {report:?}");
    }
    assert!(read(&format!("{HEAD}{OUTPUT}{FEED}")).report.is_empty());
    let opened = "[[feed]]\nurl = \"http://10.0.0.7/f\"\nallow_networks = [\"10.0.0.0/8\"]\n";
    assert!(read(&format!("{HEAD}{OUTPUT}{FEED}{opened}")).report.is_empty());
}

#[test]
fn a_secret_in_an_address_is_not_shown_again() {
    let report = read("[[feed]]\nurl = \"https://me:hunter2@example.org/\"").report;
    let drawn = report.draw(Style::Coloured) + &report.to_json().to_string();
    assert!(!drawn.contains("hunter2") && drawn.contains("newswire.toml:2:7"), "{drawn}");
}

#[test]
fn a_report_is_json_for_editors() {
    let json = read("[schedule]\nper_host = 99").report.to_json();
    let fault = json.as_array().unwrap().iter().find(|fault| fault["severity"] == "error").unwrap();
    assert_eq!((&fault["line"], &fault["column"]), (&2.into(), &12.into()));
    assert_eq!(fault["code"], "out_of_range");
}

#[test]
fn settings_are_shared_among_feeds_that_override_nothing() {
    let config = good(&format!("{HEAD}{FEED}[[feed]]\nurl = \"https://example.org/2\""));
    let [first, second] = config.subscriptions.as_slice() else { panic!("two feeds") };
    assert!(std::sync::Arc::ptr_eq(&first.schedule, &second.schedule));
    assert!(std::sync::Arc::ptr_eq(&first.fetch, &second.fetch));
}
