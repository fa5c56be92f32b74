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
    // What the key accepts decides what a value without quotes means.
    case(
        "[[output]]\nid = \"a\"\ndigest = on",
        "3:10",
        "syntax",
        "write one of \"off\", \"daily\"",
    ),
    case("[schedule]\npaused = yes", "2:10", "syntax", "write true").instead("true"),
    case("[schedule]\npaused = off", "2:10", "syntax", "write false").instead("false"),
    case("[schedule]\nper_host = +06", "2:12", "syntax", "write 6").instead("6"),
    case("[schedule]\nper_host = 07.5", "2:12", "syntax", "write a whole number: 1 to 16"),
    case("[schedule]\ninterval = +06", "2:12", "syntax", "").instead("\"6m\""),
    case("[schedule]\ninterval = 07.5", "2:12", "syntax", "write \"7.5m\"").instead("\"7.5m\""),
    case("[web]\nlisten = :80", "2:10", "syntax", "put quotes around it").instead("\":80\""),
    case("[[feed]]\nurl = \"https://a.b/\"\ntags = a, b", "3:8", "syntax", "")
        .instead("[\"a\", \"b\"]"),
    case("[[feed]]\nurl = \"https://a.b/\"\ntags = [a]", "3:9", "syntax", "").instead("\"a\""),
    case("[schedule]\nper_host := 2", "2:10", "syntax", "write key = value"),
    case("[schedule]\nper_host == 2", "2:11", "syntax", "write key = value"),
    case("[schedule]\nper_host => 2", "2:11", "syntax", "write key = value"),
    case(
        "[[feed]]\nurl = \"https://a.b/\"\ntags = [\n\"a\"\n\"b\"\n]",
        "5:1",
        "syntax",
        "separate values with commas",
    ),
    case("[log]\nlevel: \"info\"", "2:6", "syntax", "write key = value"),
    case("[log]\nlevel \"info\"", "2:7", "syntax", "write key = value"),
    case("[log]\nlevel = \"info\" \"x\"", "2:16", "syntax", "unexpected"),
    case("[log]\nlevel = 'info", "2:14", "syntax", ""),
    case("[[output]]\nid = \"a\"\ninclude = { enclosures = yes }", "3:26", "syntax", "write true")
        .instead("true"),
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
