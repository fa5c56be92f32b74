//! What is not TOML at all.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[schedule", "1:10", "syntax", "unclosed table"),
    case("a = ", "1:5", "syntax", "must be quoted"),
    case("a = \"x", "1:7", "syntax", ""),
    case("version = 1\nversion = 2", "2:1", "syntax", "set twice"),
    case("[web]\n[web]", "2:2", "syntax", "is there twice: first in line 1"),
    case("= 1", "1:1", "syntax", ""),
    case("[log]\nlevel = info", "2:9", "syntax", "put quotes around it").instead("\"info\""),
    case("[schedule]\ninterval = 1h", "2:12", "syntax", "put quotes around it").instead("\"1h\""),
    case("[log]\nlevel: \"info\"", "2:6", "syntax", "write key = value"),
    case("[log]\nlevel \"info\"", "2:7", "syntax", "write key = value"),
    case("[log]\nlevel = \"info\" \"x\"", "2:16", "syntax", "unexpected"),
    case("[log]\nlevel = 'info", "2:14", "syntax", ""),
    case("[[output]]\nid = \"a\"\ninclude = { enclosures = yes }", "3:26", "syntax", ""),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\ntags = [\"a\" \"b\"]",
        "3:13",
        "syntax",
        "missing comma",
    ),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\ntags = [\"a\", \"b\"\ninterval = \"1h\"\n[web]\nlisten = \"off\"",
        "4:1",
        "unclosed_bracket",
        "a bracket before this is not closed",
    ),
    case(
        "[[output]]\nid = \"a\"\ninclude = { tags = [\"a\"]\n[web]\nlisten = \"off\"",
        "4:1",
        "unclosed_bracket",
        "a bracket before this is not closed",
    ),
    case("[[feed]\nurl = \"https://a.b/\"", "1:8", "syntax", "unclosed array table"),
    case("[feed]]\nurl = \"https://a.b/\"", "1:7", "syntax", ""),
    case("[schedule]\ninterval = \"\\q\"", "2:14", "syntax", ""),
    case("[schedule]\ninterval = 2024-13-01", "2:12", "syntax", "month"),
    case("{\"version\": 1}", "1:1", "syntax", ""),
    case(
        "[schedule]\n interval = \"1h\"\n interval = \"2h\"",
        "3:2",
        "syntax",
        "remove one of them",
    ),
    case("[log]\nlevel = \"\"\"info\nformat = \"text\"", "3:16", "syntax", ""),
];
