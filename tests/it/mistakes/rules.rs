//! `include` and `exclude` of an output.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[[output]]\nid = \"a\"\ninclude = { tag = [] }", "3:13", "unknown_key", "did you mean \"tags\"?"),
    case("[[output]]\nid = \"a\"\ninclude = { languages = [\"en\", \"e\"] }", "3:32", "bad_language", "\"e\" is not a language tag"),
    case("[[output]]\nid = \"a\"\ninclude = { enclosures = \"yes\" }", "3:26", "wrong_type", "enclosures must be true or false, not a string"),
    case("[[output]]\nid = \"a\"\nexclude = { language = [\"en\"] }", "3:13", "unknown_key", "did you mean \"languages\"?"),
    case("[[output]]\nid = \"a\"\nexclude = { title = \"(\" }", "3:21", "bad_regex", "unclosed group"),
    case("[[output]]\nid = \"a\"\ninclude = { titel = \"x\" }", "3:13", "unknown_key", "").instead("title"),
    case("[[output]]\nid = \"a\"\ninclude = { catgories = [\"x\"] }", "3:13", "unknown_key", "").instead("categories"),
    case("[[output]]\nid = \"a\"\ninclude = { enclosures = \"true\" }", "3:26", "wrong_type", "write true").instead("true"),
    case("[[output]]\nid = \"a\"\ninclude = { tags = \"a\" }", "3:20", "wrong_type", "write [\"a\"]").instead("[\"a\"]"),
    case("[[output]]\nid = \"a\"\ninclude = { tags = [\"rsut\"] }\n[[feed]]\nurl = \"https://a.b/\"\ntags = [\"rust\"]", "3:21", "no_such_feed", "did you mean").instead("rust"),
    case("[[output]]\nid = \"a\"\ninclude = { tags = [\"linux\"] }\n[[feed]]\nurl = \"https://a.b/\"\n", "3:21", "no_such_feed", "add the tag to a feed"),
    case("[[output]]\nid = \"a\"\ninclude = { feeds = [\"blgo\"] }\n[[feed]]\nurl = \"https://a.b/\"\nid = \"blog\"", "3:22", "no_such_feed", "did you mean").instead("blog"),
    case("[[output]]\nid = \"a\"\nexclude = { content = \"a{2000000000}\" }", "3:23", "bad_regex", "needs more than 1 MiB"),
    case("[[output]]\nid = \"a\"\ninclude = { max_age = \"1s\" }", "3:23", "out_of_range", "write \"1h\" or more"),
    case("[[output]]\nid = \"a\"\ninclude = { title = \"*\" }", "3:21", "bad_regex", ""),
    case("[[output]]\nid = \"a\"\nexclude = {}", "3:11", "empty_value", "exclude has no conditions"),
    case("[[output]]\nid = \"a\"\ninclude = [{ tags = [] }]", "3:12", "empty_value", "include has no conditions"),
    case("[[output]]\nid = \"a\"\nexclude = [\"x\"]", "3:12", "wrong_type", "exclude must be a table or a list of tables, not a string"),
    case("[[output]]\nid = \"a\"\nexclude = [{ title = \"x\" }, { title = \"(\" }]", "3:39", "bad_regex", "unclosed group"),
    case("[[output]]\nid = \"a\"\nexclude = { links = [\"a.example\", \"(\"] }", "3:35", "bad_regex", "unclosed group"),
    case("[[output]]\nid = \"a\"\nexclude = { links = [\"*.a.example\"] }", "3:22", "bad_regex", "includes its subdomains").instead("a.example"),
    case("[[output]]\nid = \"a\"\nexclude = { title = \"\\\\w{900}\" }", "3:21", "bad_regex", "needs more than 1 MiB"),
    case("[[feed]]\nurl = \"https://a.b/\"\nexclude = { feeds = [\"x\"] }", "3:13", "unknown_key", "feeds cannot be a condition in a [[feed]]"),
    case("[[feed]]\nurl = \"https://a.b/\"\nblocklist_rules = { title = \"x\" }", "3:1", "unknown_key", "").instead("exclude"),
    case("[[feed]]\nurl = \"https://a.b/\"\nexclude = { link = [\"x\"] }", "3:13", "unknown_key", "").instead("links"),
    case("[[feed]]\nurl = \"https://a.b/\"\nlinks = [\"x\"]", "3:1", "unknown_key", "include or exclude"),
    case("[[server]]\nhost = \"a.b\"\nexclude = { min_words = \"9\" }", "3:25", "wrong_type", "write 9").instead("9"),
];
