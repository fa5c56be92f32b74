//! Values that should be tables, and keys in the wrong table.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[schedule]\ntimeout = \"1m\"", "2:1", "unknown_key", "it belongs in [fetch]"),
    case("[schedul]", "1:2", "unknown_section", "did you mean [schedule]?"),
    case("interval = \"1h\"", "1:1", "unknown_key", "it belongs in [schedule]"),
    case("[fetch]\nzzz = 1", "2:1", "unknown_key", "[fetch] can contain: contact, user_agent"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\nconcurrency = 1",
        "3:1",
        "unknown_key",
        "it belongs in [fetch]",
    ),
    case("[[server]]\nhost = \"a.b\"\nurl = \"x\"", "3:1", "unknown_key", "it belongs in [[feed]]"),
    case("version = 2", "1:11", "unsupported_version", "write version = 1"),
    case("version = \"1\"", "1:11", "wrong_type", "version must be a whole number, not a string"),
    case("schedule = 1", "1:12", "wrong_type", "[schedule] must be a table, not an integer"),
    case("[output]\nid = \"a\"", "1:1", "wrong_type", "[[output]] must be a list of tables"),
    case("feed = [1]", "1:9", "wrong_type", "[[feed]] must be a table, not an integer"),
    case(
        "[[output]]\nid = \"a\"\ninclude = []",
        "3:11",
        "empty_value",
        "include has no conditions",
    ),
    case("[schedule]\ninterval = \"1m\"", "2:12", "interval_too_short", "shorter than 5m"),
    case(
        "[[output]]\nid = \"a\"\ntitle_prefix = \"{feed}: \"",
        "3:16",
        "bad_title_prefix",
        "unknown placeholder {feed}",
    ),
    case("[[feeds]]\nurl = \"https://a.b/\"", "1:3", "unknown_section", "").instead("feed"),
    case("[[ouput]]\nid = \"a\"", "1:3", "unknown_section", "").instead("output"),
    case("[wbe]\nlisten = \"off\"", "1:2", "unknown_section", "").instead("web"),
    case("[dedup]\nwindow = \"1d\"", "1:2", "unknown_section", "").instead("dedupe"),
    case("verison = 1", "1:1", "unknown_key", "").instead("version"),
    case("[web]\nintervall = \"1h\"", "2:1", "unknown_key", "interval belongs in [schedule]")
        .instead("interval"),
    case("[store]\nlisten = \"off\"", "2:1", "unknown_key", "it belongs in [web]"),
    case(
        "[[output]]\nid = \"a\"\ntags = [\"x\"]",
        "3:1",
        "unknown_key",
        "it belongs in include or exclude",
    ),
    case("[schedule]\nfeed = []", "2:1", "unknown_key", "[[feed]] is a section"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\n[feed.schedule]\ninterval = \"1h\"",
        "3:7",
        "unknown_key",
        "[schedule] is a section",
    ),
    case("[[web]]\nlisten = \"off\"", "1:1", "wrong_type", "write [web], with one bracket"),
    case("[server]\nhost = \"a.b\"", "1:1", "wrong_type", "[[server]] must be a list of tables"),
    case(
        "[subscriptions]\nfile = \"x\"",
        "1:1",
        "wrong_type",
        "[[subscriptions]] must be a list of tables",
    ),
    case("output = \"planet\"", "1:10", "wrong_type", "[[output]] must be a list of tables"),
    case("[fetch]\nheaders = \"x\"", "2:11", "wrong_type", "headers must be a table"),
];
