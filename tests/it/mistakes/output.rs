//! `[[output]]`: what is published.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[[output]]\nid = \"a\"\nitem = 1", "3:1", "unknown_key", "did you mean \"items\"?"),
    case("[[output]]\ntitle = \"a\"", "1:1", "missing_key", "[[output]] has no id"),
    case("[[output]]\nid = \"a\"\nmax_age = \"x\"", "3:11", "bad_duration", "\"x\""),
    case("[[output]]\nid = \"a\"\nmax_age = \"1m\"", "3:11", "out_of_range", "shorter than 1h"),
    case("[[output]]\nid = \"a\"\nitems = 0", "3:9", "out_of_range", "items must be from 1"),
    case("[[output]]\nid = \"a\"\nper_feed = 0", "3:12", "out_of_range", "per_feed must be from 1"),
    case("[[output]]\nid = \"a\"\ncontent = \"ful\"", "3:11", "unknown_value", "\"full\"?"),
    case("[[output]]\nid = \"a\"\ncontent = true", "3:11", "wrong_type", "a text in quotes"),
    case("[[output]]\nid = \"a\"\ndate = \"first\"", "3:8", "unknown_value", "\"first_seen\"?"),
    case("[[output]]\nid = \"a\"\nalso_at = \"line\"", "3:11", "unknown_value", "\"links\"?"),
    case("[[output]]\nid = \"a\"\nicon = \"i.png\"", "3:8", "bad_url", "not an absolute URL"),
    case("[[output]]\nid = \"a\"\nlanguage = \"english\"", "3:12", "bad_language", "write a tag"),
    case(
        "[[output]]\nid = \"a\"\ntitle_prefix = \" \"",
        "3:16",
        "bad_title_prefix",
        "\"{source}: \"",
    ),
    case("[[output]]\nid = \"a\"\ntitle_prefix = \"{soruce}: \"", "3:16", "bad_title_prefix", "")
        .instead("{source}: "),
    case(
        "[[output]]\nid = \"a\"\nformats = [\"atmo\"]",
        "3:12",
        "unknown_value",
        "did you mean \"atom\"?",
    ),
    case("[[output]]\nid = \"a\"\nformats = []", "3:11", "empty_value", "formats is empty"),
    case("[[output]]\nid = \"My Planet\"", "2:6", "bad_id", "1 to 64 characters"),
    case("[[output]]\nid = \"../x\"", "2:6", "bad_id", "is not an id"),
    case("[[output]]\nid = \"a\"\n[[output]]\nid = \"a\"", "4:6", "duplicate_output", "first here"),
    case(
        "[[output]]\nid = \"a\"\n[[output]]\nid = \"a.json\"",
        "4:6",
        "duplicate_output",
        "the path of a document of the output \"a\"",
    ),
    case(
        "[[output]]\nid = \"a\"\ndirectory = \"w\"\n[[output]]\nid = \"b\"\ndirectory = \"w/b/../a/archive/x\"",
        "6:13",
        "duplicate_output",
        "w/a/archive, a folder of the output \"a\"",
    ),
    case(
        "[[output]]\nid = \"a\"\ndirectory = \"w\"\nsite = true\n[[output]]\nid = \"tag\"\ndirectory = \"w/a\"",
        "6:6",
        "duplicate_output",
        "w/a/tag would be of this output and of the output \"a\"",
    ),
    case("[[output]]\nid = \"a\"\ntitel = \"x\"", "3:1", "unknown_key", "").instead("title"),
    case("[[output]]\nid = \"a\"\nformtas = [\"rss\"]", "3:1", "unknown_key", "")
        .instead("formats"),
    case("[[output]]\nid = \"a\"\nmax_aeg = \"1d\"", "3:1", "unknown_key", "").instead("max_age"),
    case("[[output]]\nid = \"a\"\nperfeed = 3", "3:1", "unknown_key", "").instead("per_feed"),
    case("[[output]]\nid = \"a\"\ntoekn = { env = \"X\" }", "3:1", "unknown_key", "")
        .instead("token"),
    case("[[output]]\nid = \"a\"\nexlude = { tags = [\"a\"] }", "3:1", "unknown_key", "")
        .instead("exclude"),
    case(
        "[[output]]\nid = \"a\"\nitems = true",
        "3:9",
        "wrong_type",
        "a whole number, not a boolean",
    ),
    case("[[output]]\nid = \"a\"\nformats = \"rss\"", "3:11", "wrong_type", "write [")
        .instead("[\"rss\"]"),
    case("[[output]]\nid = \"a\"\nper_feed_percent = 101", "3:20", "out_of_range", "from 1 to 100")
        .instead("100"),
    case("[[output]]\nid = \"a\"\nmin_feeds = 0", "3:13", "out_of_range", "from 1").instead("1"),
    case("[[output]]\nid = \"a\"\nformats = [\"atom\", \"jsno\"]", "3:20", "unknown_value", "")
        .instead("json"),
    case("[[output]]\nid = \".x\"", "2:6", "bad_id", "does not begin with a dot"),
    case(
        "[[output]]\nid = \"a\"\nlink = \"www.example.org\"",
        "3:8",
        "bad_url",
        "write the scheme too",
    )
    .instead("https://www.example.org"),
    case("[[output]]\nid = \"status\"", "2:6", "duplicate_output", "a page of Newswire"),
    case(
        "[[output]]\nid = \"a\"\ntime_zone = \"Berlin\"",
        "3:13",
        "bad_time_zone",
        "did you mean \"Europe/Berlin\"?",
    )
    .instead("Europe/Berlin"),
    case(
        "[[output]]\nid = \"a\"\ntime_zone = \"Mars/Base\"",
        "3:13",
        "bad_time_zone",
        "IANA database",
    ),
    case(
        "[[output]]\nid = \"a\"\ntitle_replace = [[\"(\", \"\"]]",
        "3:19",
        "bad_regex",
        "unclosed group",
    ),
    case(
        "[[output]]\nid = \"a\"\ntitle_replace = [[\"(a)\", \"$1st\"]]",
        "3:26",
        "bad_regex",
        "has no group \"1st\"",
    ),
    case(
        "[[output]]\nid = \"a\"\ntitle_replace = [[\"^(?<a>x)\", \"$$5 ${1} $a $ ${ $2\"]]",
        "3:31",
        "bad_regex",
        "has no group \"2\"",
    ),
    case(
        "[[output]]\nid = \"a\"\ntitle_replace = [[\"\", \"x\"]]",
        "3:19",
        "empty_value",
        "the beginning of a title",
    ),
    case(
        "[[output]]\nid = \"a\"\nexclude = { links = [\"https://nytimes.com/\"] }",
        "3:22",
        "bad_regex",
        "a host name includes its subdomains",
    )
    .instead("nytimes.com"),
    case(
        "[[output]]\nid = \"a\"\ntitle_replace = [\"a\", \"b\"]",
        "3:18",
        "wrong_type",
        "title_replace must contain pairs of texts",
    ),
    case(
        "[[output]]\nid = \"a\"\npodcast = \"News > Tech news\"",
        "3:11",
        "unknown_value",
        "docs/feeds.md lists the categories",
    )
    .instead("Tech News"),
    case("[[output]]\nid = \"a\"\npodcast = true", "3:11", "wrong_type", "\"Technology\""),
    case("[[output]]\nid = \"a\"\nimages = \"inline\"", "3:10", "unknown_value", "write one of"),
    case(
        "[[output]]\nid = \"a\"\nstylesheet = \"none.css\"",
        "3:14",
        "bad_file",
        "of at most 256 KiB",
    ),
    case("[[output]]\nid = \"a\"\nlogo = \"logo.gif\"", "3:8", "bad_file", "is not a picture"),
    case(
        "[[output]]\nid = \"a\"\ndigest = \"daily\"\ndigest_day = \"friday\"",
        "4:14",
        "contradiction",
        "set digest to \"weekly\"",
    ),
    case(
        "[[output]]\nid = \"a\"\ndigest = \"daily\"\nmax_age = \"3d\"",
        "4:11",
        "contradiction",
        "the number of digests is items",
    ),
    case(
        "[[output]]\nid = \"a\"\ndigest = \"daily\"\nitems = 101",
        "4:9",
        "contradiction",
        "too many for a document",
    ),
    case(
        "[[output]]\nid = \"a\"\ndigest = \"daily\"\ndigest_hour = 24",
        "4:15",
        "out_of_range",
        "23",
    ),
    case("[[output]]\nid = \"a\"\ndigest = \"monthly\"", "3:10", "unknown_value", "write one of"),
    case(
        "[[output]]\nid = \"a\"\nsite = true",
        "3:8",
        "contradiction",
        "the pages of a static site need a folder",
    ),
];
