//! `[store]`, and every path that cannot be.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[store]\nretention = \"1 month\"", "2:13", "bad_duration", "no fixed length"),
    case("[store]\nretention = \"1s\"", "2:13", "out_of_range", "retention is shorter than 1d"),
    case(
        "[store]\npath = \"file:///srv/x.db\"",
        "2:8",
        "bad_path",
        "a path is expected, not a URL",
    )
    .instead("/srv/x.db"),
    case("[store]\npth = \"x.db\"", "2:1", "unknown_key", "").instead("path"),
    case("[store]\nretension = \"1d\"", "2:1", "unknown_key", "").instead("retention"),
    case("[store]\nretention = 2024-01-01T00:00:00Z", "2:13", "wrong_type", "not a datetime"),
    case("[store]\npath = \"/dev/null/x.db\"", "2:8", "bad_path", "/dev/null is not a folder"),
    case("[store]\npath = \"/dev\"", "2:8", "bad_path", "is a folder"),
    case(
        "[[output]]\nid = \"a\"\ndirectory = \"/dev/null\"",
        "3:13",
        "bad_path",
        "is not a folder",
    ),
    case(
        "[[output]]\nid = \"a\"\ndirectory = \"/dev/null/www\"",
        "3:13",
        "bad_path",
        "is not a folder",
    ),
    case("[[subscriptions]]\nfile = \"/no/such.opml\"", "2:8", "bad_list", ""),
];
