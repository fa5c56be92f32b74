//! `[[feed]]`: what is polled.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        "[[feed]]\nurl = \"https://a.b/\"\ntag = []",
        "3:1",
        "unknown_key",
        "did you mean \"tags\"?",
    ),
    case("[[feed]]\ntitle = \"a\"", "1:1", "missing_key", "[[feed]] has no url"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\nfile = \"a.xml\"",
        "2:7",
        "missing_key",
        "both url and file",
    ),
    case("[feed]\nurl = \"https://a.b/\"", "1:1", "wrong_type", "with two brackets"),
    case(
        "[[feed]]\nurl = [\"https://a.b/\"]",
        "2:7",
        "wrong_type",
        "url must be a text in quotes, not an array",
    ),
    case("[[feed]]\nurl = \"https://a.b/\"\ntags = \"a\"", "3:8", "wrong_type", "write [\"a\"]"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\ntags = [1]",
        "3:9",
        "wrong_type",
        "tags must contain texts, not an integer",
    ),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\ninterval = \"30m\"\nmin_interval = \"1h\"",
        "4:16",
        "contradiction",
        "interval is set here",
    ),
    case(
        "[schedule]\nmin_interval = \"30m\"\n[[feed]]\nurl = \"https://a.b/\"\ninterval = \"aut\"\n\
         max_interval = \"45m\"",
        "5:12",
        "bad_duration",
        "",
    )
    .instead("auto"),
    case("[[feed]]\nurl = \"example.org/feed\"", "2:7", "bad_url", "\"https://example.org/feed\"?"),
    case("[[feed]]\nurl = \"ftp://example.org/\"", "2:7", "bad_url", "http or https"),
    case("[[feed]]\nurl = \"https://\"", "2:7", "bad_url", "is not a URL"),
    case(
        "[[feed]]\nurl = \"https://me:secret@a.b/\"",
        "2:7",
        "bad_url",
        "secrets belong in separate files",
    ),
    case("[[feed]]\nurl = \"https://a.b/\"\nid = \"Ä\"", "3:6", "bad_id", "is not an id"),
    case(
        "[[feed]]\nid = \"x\"\nurl = \"https://a.b\"\n[[feed]]\nid = \"y\"\nurl = \"https://A.b/\"",
        "6:7",
        "duplicate_feed",
        "\"https://a.b/\" is used twice",
    ),
    case(
        "[[feed]]\nid = \"x\"\nurl = \"https://a.b/1\"\n[[feed]]\nid = \"x\"\nurl = \"https://a.b/2\"",
        "5:6",
        "duplicate_feed",
        "the feed id \"x\"",
    ),
    case(
        "[[feed]]\nulr = \"https://a.b/\"\nurl = \"https://a.b/\"",
        "2:1",
        "unknown_key",
        "url is already set",
    ),
    case("[[feed]]\nurl = \"https://a.b/\"\ntaggs = [\"a\"]", "3:1", "unknown_key", "")
        .instead("tags"),
    case("[[feed]]\nurl = \"https://a.b/\"\nintreval = \"1h\"", "3:1", "unknown_key", "")
        .instead("interval"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\nremove = [\".a\", \"p:hover\"]",
        "3:17",
        "bad_selector",
        "not supported",
    ),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\nremove = [\"div >\"]",
        "3:11",
        "bad_selector",
        "a selector is missing after a combinator",
    ),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\nremove = \".a\"",
        "3:10",
        "wrong_type",
        "write [\".a\"]",
    )
    .instead("[\".a\"]"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\nstrip_id_or_class = [\".a\"]",
        "3:1",
        "unknown_key",
        "",
    )
    .instead("remove"),
];
