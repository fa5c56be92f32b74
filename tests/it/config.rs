//! The config as operators write it: the example holds, and every mistake is told with its place.

use std::path::Path;
use std::time::Duration;

use newswire::config::{self, Config, KEYS, Loaded, Severity, Style};

fn read(text: &str) -> Loaded {
    config::read(text.to_owned(), Path::new("newswire.toml"), Path::new("/state"))
}

fn good(text: &str) -> Config {
    let Loaded { config, report } = read(text);
    config.unwrap_or_else(|| panic!("{}", report.draw(Style::Plain)))
}

const EXAMPLE: &str = include_str!("../../config.example.toml");
const README: &str = include_str!("../../README.md");

/// What every config needs so as not to be warned of.
const HEAD: &str = "version = 1\nfetch.contact = \"me@example.org\"\n";
const FEED: &str = "[[feed]]\nurl = \"https://example.org/feed\"\n";
const OUTPUT: &str = "[[output]]\nid = \"planet\"\n";

#[test]
fn the_example_holds_and_has_every_key() {
    let config = good(EXAMPLE);
    assert_eq!((config.subscriptions.len(), config.outputs.len()), (8, 1));
    for key in KEYS {
        let (shown, hidden) = (format!("\n{} = ", key.name), format!("\n# {} = ", key.name));
        assert!(EXAMPLE.contains(&shown) || EXAMPLE.contains(&hidden), "{} is missing", key.path());
    }
}

#[test]
fn the_defaults_in_the_example_are_the_true_ones() {
    // What is commented out, taken in: nothing may change but where there is no default.
    let mut table = "";
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(found) = ["schedule", "fetch", "dedupe", "store", "web", "log"]
            .iter()
            .find(|table| line.starts_with(&format!("[{table}]")))
        {
            table = found;
            text.push_str(&format!("[{table}]\n"));
        } else if line.starts_with("[[") {
            break;
        } else if let Some(key) = KEYS
            .iter()
            .find(|key| key.table == table && line.starts_with(&format!("{} = ", key.name)))
            .filter(|key| !key.default.is_empty())
        {
            let value = line.split_once(" = ").unwrap().1;
            assert_eq!(value.split('#').next().unwrap().trim(), key.default, "{}", key.path());
            text.push_str(&format!("{line}\n"));
        }
    }
    let (written, absent) = (good(&text), good("version = 1"));
    assert_eq!(format!("{written:?}"), format!("{absent:?}"));
    assert!(text.matches(" = ").count() > 15, "{text}");
}

#[test]
fn the_readme_has_a_row_for_every_key_with_its_default() {
    for key in KEYS {
        let default =
            if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let row = format!("| `{}` | {default} | {} |", key.path(), key.meaning);
        assert!(README.contains(&row), "README.md needs this row:\n{row}");
    }
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
        include = { tags = ["a"], title = "(?i)rust" }
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
    assert_eq!(second.fetch.allow_networks.len(), 2);
    assert_eq!(config.concurrency, 7);
    assert_eq!(config.store.path, Path::new("/state/x.db"));
    let output = &config.outputs[0];
    assert_eq!(output.directory.as_deref(), Some(Path::new("/state/www")));
    assert_eq!(output.base_url.as_str(), "https://example.org/planet/");
    assert_eq!((output.title.as_str(), output.items), ("planet", 100));
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
    assert_eq!((mine.per_host, mine.pace), (8, newswire::schedule::Pace::Auto));
}

#[test]
fn secrets_are_read_from_files_and_shown_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "ann:hunter2\n").unwrap();
    let text = format!(
        "[fetch]\nauthorization = {{ file = {path:?} }}\n[[feed]]\nurl = \"https://example.org/\"\n"
    );
    let config = good(&text);
    let (name, secret) = &config.subscriptions[0].fetch.headers[0];
    assert_eq!((name.as_str(), secret.0.as_str()), ("authorization", "Basic YW5uOmh1bnRlcjI="));
    assert!(!format!("{config:?}").contains("YW5u"));
}

/// Text, line and column of the fault, its code, a part of what is drawn.
const BROKEN: &[(&str, (usize, usize), &str, &str)] = &[
    // Syntax.
    ("[schedule", (1, 10), "syntax", "unclosed table"),
    ("a = ", (1, 5), "syntax", "must be quoted"),
    ("a = \"x", (1, 7), "syntax", ""),
    ("a = 1\na = 2", (2, 1), "syntax", "duplicate key"),
    ("[web]\n[web]", (2, 2), "syntax", "duplicate"),
    ("= 1", (1, 1), "syntax", ""),
    // Keys.
    ("[schedule]\nintervall = \"1h\"", (2, 1), "unknown_key", "did you mean \"interval\"?"),
    ("[schedule]\ntimeout = \"1m\"", (2, 1), "unknown_key", "it belongs in [fetch]"),
    ("[schedul]", (1, 2), "unknown_key", "did you mean \"schedule\"?"),
    ("interval = \"1h\"", (1, 1), "unknown_key", "it belongs in [schedule]"),
    ("[fetch]\nzzz = 1", (2, 1), "unknown_key", "known here: contact, user_agent"),
    ("[[feed]]\nurl = \"https://a.b/\"\ntag = []", (3, 1), "unknown_key", "did you mean \"tags\"?"),
    (
        "[[feed]]\nurl = \"https://a.b/\"\nconcurrency = 1",
        (3, 1),
        "unknown_key",
        "it belongs in [fetch]",
    ),
    ("[[output]]\nid = \"a\"\nitem = 1", (3, 1), "unknown_key", "did you mean \"items\"?"),
    (
        "[[output]]\nid = \"a\"\ninclude = { tag = [] }",
        (3, 13),
        "unknown_key",
        "did you mean \"tags\"?",
    ),
    ("[[output]]\ntitle = \"a\"", (1, 1), "missing_key", "an output without id"),
    ("[[feed]]\ntitle = \"a\"", (1, 1), "missing_key", "a feed without url"),
    ("[[server]]\nhost_spacing = \"1s\"", (1, 1), "missing_key", "a server without host"),
    ("[[server]]\nhost = \"a.b\"\nurl = \"x\"", (3, 1), "unknown_key", "it belongs in [[feed]]"),
    // Versions.
    ("version = 2", (1, 11), "version", "this newswire reads version = 1"),
    ("version = \"1\"", (1, 11), "wrong_type", "version is a whole number, not a string"),
    // Types.
    ("schedule = 1", (1, 12), "wrong_type", "[schedule] is a table, not an integer"),
    ("[feed]\nurl = \"https://a.b/\"", (1, 1), "wrong_type", "with two brackets"),
    ("[output]\nid = \"a\"", (1, 1), "wrong_type", "[[output]] is a list of tables"),
    ("feed = [1]", (1, 9), "wrong_type", "[[feed]] is a table, not an integer"),
    ("[schedule]\ninterval = 30", (2, 12), "wrong_type", "put it in quotes, with a unit"),
    ("[schedule]\nper_host = \"1\"", (2, 12), "wrong_type", "per_host is a whole number"),
    ("[web]\nlisten = 8420", (2, 10), "wrong_type", "listen is a text in quotes, not an integer"),
    (
        "[[feed]]\nurl = [\"https://a.b/\"]",
        (2, 7),
        "wrong_type",
        "url is a text in quotes, not an array",
    ),
    ("[[feed]]\nurl = \"https://a.b/\"\ntags = \"a\"", (3, 8), "wrong_type", "put it in brackets"),
    (
        "[[feed]]\nurl = \"https://a.b/\"\ntags = [1]",
        (3, 9),
        "wrong_type",
        "tags holds texts, not an integer",
    ),
    ("[[output]]\nid = \"a\"\ninclude = []", (3, 11), "wrong_type", "include is a table"),
    ("[log]\nlevel = true", (2, 9), "wrong_type", "level is a text in quotes, not a boolean"),
    // Durations.
    ("[schedule]\ninterval = \"soon\"", (2, 12), "bad_duration", "\"soon\" is no duration"),
    ("[schedule]\ninterval = \"30\"", (2, 12), "bad_duration", "a number and a unit"),
    ("[schedule]\ninterval = \"-5m\"", (2, 12), "bad_duration", "negative"),
    ("[schedule]\ninterval = \"0s\"", (2, 12), "bad_duration", "nought"),
    ("[store]\nretention = \"1 month\"", (2, 13), "bad_duration", "no fixed length"),
    ("[fetch]\ntimeout = \"\"", (2, 11), "bad_duration", "no duration"),
    ("[[output]]\nid = \"a\"\nmax_age = \"x\"", (3, 11), "bad_duration", "\"x\""),
    ("[schedule]\ninterval = \"1m\"", (2, 12), "too_often", "no site owner welcomes"),
    ("[schedule]\nmin_interval = \"1m\"", (2, 16), "too_often", "shorter than 5 minutes"),
    (
        "[schedule]\nmin_interval = \"2h\"",
        (2, 16),
        "contradiction",
        "min_interval is longer than interval",
    ),
    (
        "[schedule]\ninterval = \"2d\"\nmax_interval = \"1d\"",
        (2, 12),
        "contradiction",
        "max_interval is set here",
    ),
    (
        "[[feed]]\nurl = \"https://a.b/\"\ninterval = \"30m\"\nmin_interval = \"1h\"",
        (4, 16),
        "contradiction",
        "interval is set here",
    ),
    // Sizes and numbers.
    ("[fetch]\nmax_body = \"10\"", (2, 12), "bad_size", "a number and a unit"),
    ("[fetch]\nmax_body = \"10 MiBi\"", (2, 12), "bad_size", "\"10 MiBi\" is no size"),
    ("[fetch]\nmax_body = \"0 MB\"", (2, 12), "bad_size", "no size"),
    ("[fetch]\nconcurrency = 0", (2, 15), "out_of_range", "concurrency is from 1 to 1024"),
    ("[fetch]\nmax_redirects = 21", (2, 17), "out_of_range", "from 0 to 20"),
    ("[fetch]\nmax_items = -1", (2, 13), "out_of_range", "from 1 to 100000"),
    ("[schedule]\nper_host = 17", (2, 12), "out_of_range", "from 1 to 16"),
    ("[[output]]\nid = \"a\"\nitems = 0", (3, 9), "out_of_range", "items is from 1"),
    ("[[output]]\nid = \"a\"\nper_feed = 0", (3, 12), "out_of_range", "per_feed is from 1"),
    // Addresses.
    ("[[feed]]\nurl = \"example.org/feed\"", (2, 7), "bad_url", "\"https://example.org/feed\""),
    ("[[feed]]\nurl = \"ftp://example.org/\"", (2, 7), "bad_url", "only http and https"),
    ("[[feed]]\nurl = \"https://\"", (2, 7), "bad_url", "is no URL"),
    ("[[feed]]\nurl = \"https://me:secret@a.b/\"", (2, 7), "bad_url", "secrets are never values"),
    ("[web]\npublic_url = \"https://a.b/?x\"", (2, 14), "bad_url", "no query"),
    ("[web]\nlisten = \"localhost:1\"", (2, 10), "bad_address", "no address to listen on"),
    ("[web]\nlisten = \"127.0.0.1\"", (2, 10), "bad_address", "address and port"),
    ("[fetch]\nallow_networks = [\"10.0.0.0/33\"]", (2, 19), "bad_network", "is no network"),
    ("[fetch]\nallow_networks = [\"home\"]", (2, 19), "bad_network", "192.168.1.0/24"),
    ("[fetch]\nuser_agent = \"Ä\"", (2, 14), "bad_header", "visible ASCII"),
    ("[fetch]\ncontact = \" \"", (2, 11), "empty", "contact is empty"),
    ("[fetch]\nca = \"/no/such/file\"", (2, 6), "bad_ca", "cannot be read"),
    ("[fetch]\nca = \"/dev/null\"", (2, 6), "bad_ca", "no certificate in"),
    ("[fetch]\nauthorization = \"x\"", (2, 17), "bad_secret", "never values in this file"),
    (
        "[fetch]\nauthorization = { env = \"NO_SUCH_VARIABLE\" }",
        (2, 17),
        "bad_secret",
        "is not set",
    ),
    ("[fetch]\nheaders = { a = { file = \"/no/such\" } }", (2, 17), "bad_secret", "cannot be read"),
    ("[fetch]\nproxy = \"x\"", (2, 9), "bad_url", "no absolute URL"),
    // Words.
    ("[dedupe]\nacross_feeds = \"links\"", (2, 16), "unknown_value", "did you mean \"link\"?"),
    ("[log]\nlevel = \"warning\"", (2, 9), "unknown_value", "did you mean \"warn\"?"),
    (
        "[log]\nformat = \"xml\"",
        (2, 10),
        "unknown_value",
        "\"auto\", \"text\", \"json\", \"journal\"",
    ),
    (
        "[[output]]\nid = \"a\"\nformats = [\"atmo\"]",
        (3, 12),
        "unknown_value",
        "did you mean \"atom\"?",
    ),
    ("[[output]]\nid = \"a\"\nformats = []", (3, 11), "empty", "in no format"),
    ("[[output]]\nid = \"a\"\nexclude = { title = \"(\" }", (3, 21), "bad_regex", "unclosed group"),
    // Names.
    ("[[output]]\nid = \"My Planet\"", (2, 6), "bad_id", "1 to 64 characters"),
    ("[[output]]\nid = \"../x\"", (2, 6), "bad_id", "is no id"),
    ("[[feed]]\nurl = \"https://a.b/\"\nid = \"Ä\"", (3, 6), "bad_id", "is no id"),
    ("[[output]]\nid = \"a\"\n[[output]]\nid = \"a\"", (4, 6), "duplicate_output", "first here"),
    (
        "[[feed]]\nurl = \"https://a.b\"\n[[feed]]\nurl = \"https://A.b/\"",
        (4, 7),
        "duplicate_feed",
        "\"https://a.b/\" is used twice",
    ),
    (
        "[[feed]]\nid = \"x\"\nurl = \"https://a.b/1\"\n[[feed]]\nid = \"x\"\nurl = \"https://a.b/2\"",
        (5, 6),
        "duplicate_feed",
        "the feed id \"x\"",
    ),
];

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    assert!(BROKEN.len() >= 60);
    let mut wrong = String::new();
    for (text, place, code, part) in BROKEN {
        let Loaded { config, report } = read(text);
        let drawn = report.draw(Style::Plain);
        let errors = || report.diagnostics.iter().filter(|fault| fault.severity == Severity::Error);
        let told = errors().next().map(|fault| {
            let span = fault.span.clone().unwrap_or_default();
            (report.position(span.start), fault.code)
        });
        let right = config.is_none() && told == Some((*place, *code)) && drawn.contains(part);
        if !right || errors().count() != 1 {
            wrong.push_str(&format!("----\n{text}\n=> {place:?} {code} {part:?}, but:\n{drawn}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_mistake_of_a_file_is_told_in_one_run() {
    let all: String =
        "[schedule]\nintervall = 1\nper_host = 99\n[web]\nlisten = \"x\"\n".to_owned() + FEED;
    let codes: Vec<_> = read(&all).report.diagnostics.iter().map(|fault| fault.code).collect();
    for code in
        ["unknown_key", "out_of_range", "bad_address", "no_version", "no_outputs", "no_contact"]
    {
        assert!(codes.contains(&code), "{code} is missing in {codes:?}");
    }
}

#[test]
fn what_is_doubtful_is_a_warning_and_no_error() {
    for (text, code) in [
        ("[[output]]\nid = \"a\"\ninclude = { tags = [\"rsut\"] }\n", "no_such_feed"),
        ("[[output]]\nid = \"a\"\nexclude = { feeds = [\"nobody\"] }\n", "no_such_feed"),
        ("[schedule]\ninterval = \"10m\"\n", "often"),
        ("[schedule]\nhints = \"ignore\"\n", "ignored_hints"),
        ("[fetch]\ntimeout = \"1h\"\n", "long_timeout"),
        ("[web]\nlisten = \"0.0.0.0:80\"\n", "no_public_url"),
    ] {
        let head = if text.contains("[fetch]") { "version = 1\n" } else { HEAD };
        let output = if text.contains("[[output]]") { "" } else { OUTPUT };
        let Loaded { config, report } =
            read(&format!("{head}{text}{output}{FEED}tags = [\"rust\"]"));
        assert!(config.is_some(), "{}", report.draw(Style::Plain));
        assert!(report.diagnostics.iter().any(|fault| fault.code == code), "{code}: {report:?}");
    }
    assert!(read(&format!("{HEAD}{OUTPUT}{FEED}")).report.is_empty());
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
