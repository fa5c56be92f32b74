//! Every mistake that a config can hold, with its place and what to do.

use std::path::Path;

use newswire::config::{self, Loaded, Severity, Style};

fn read(text: &str) -> Loaded {
    config::read(text.to_owned(), Path::new("newswire.toml"), Path::new("/state"))
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
    // How an output looks.
    ("[[output]]\nid = \"a\"\ncontent = \"ful\"", (3, 11), "unknown_value", "\"full\"?"),
    ("[[output]]\nid = \"a\"\ncontent = true", (3, 11), "wrong_type", "a text in quotes"),
    ("[[output]]\nid = \"a\"\ndate = \"first\"", (3, 8), "unknown_value", "\"first_seen\"?"),
    ("[[output]]\nid = \"a\"\nalso_at = \"line\"", (3, 11), "unknown_value", "\"links\"?"),
    ("[[output]]\nid = \"a\"\nicon = \"i.png\"", (3, 8), "bad_url", "no absolute URL"),
    ("[[output]]\nid = \"a\"\nlanguage = \"english\"", (3, 12), "bad_language", "write its tag"),
    (
        "[[output]]\nid = \"a\"\ntitle_prefix = \"{feed}: \"",
        (3, 16),
        "bad_prefix",
        "{feed} is unknown",
    ),
    ("[[output]]\nid = \"a\"\ntitle_prefix = \" \"", (3, 16), "bad_prefix", "\"{source}: \""),
    (
        "[[output]]\nid = \"a\"\ninclude = { languages = [\"en\", \"e\"] }",
        (3, 32),
        "bad_language",
        "\"e\" is no language",
    ),
    (
        "[[output]]\nid = \"a\"\ninclude = { enclosures = \"yes\" }",
        (3, 26),
        "wrong_type",
        "enclosures is true or false, not a string",
    ),
    (
        "[[output]]\nid = \"a\"\nexclude = { language = [\"en\"] }",
        (3, 13),
        "unknown_key",
        "did you mean \"languages\"?",
    ),
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
    ("[[output]]\nid = \"status\"", (2, 6), "duplicate_output", "a page of newswire's own"),
    (
        "[[feed]]\nid = \"x\"\nurl = \"https://a.b\"\n[[feed]]\nid = \"y\"\nurl = \"https://A.b/\"",
        (6, 7),
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
        let Loaded { config, report, .. } = read(text);
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
