//! `[web]`: where it is served.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        "[web]\nlisten = 8420",
        "2:10",
        "wrong_type",
        "listen must be a text in quotes, not an integer",
    )
    .instead("\"127.0.0.1:8420\""),
    case("[web]\npublic_url = \"https://a.b/?x\"", "2:14", "bad_url", "no query"),
    case("[web]\nlisten = \"127.0.0.1\"", "2:10", "bad_address", "address and port")
        .instead("127.0.0.1:8420"),
    case("[web]\nlisen = \"off\"", "2:1", "unknown_key", "").instead("listen"),
    case("[web]\npublic_uri = \"https://a.b/\"", "2:1", "unknown_key", "").instead("public_url"),
    case(
        "[web]\nlisten = \"127.0.0.1:99999\"",
        "2:10",
        "bad_address",
        "not an address to listen on",
    ),
    case("[web]\nstatus = \"locl\"", "2:10", "unknown_value", "did you mean").instead("local"),
    case("[web]\nmetrics = \"feed\"", "2:11", "unknown_value", "did you mean").instead("feeds"),
    case("[web]\nimage_cache = \"256 B\"", "2:15", "out_of_range", "smaller than 1 MiB"),
    case("[web]\nmetric = \"on\"", "2:1", "unknown_key", "did you mean").instead("metrics"),
    case("[web]\nhosts = [\"https://a.b\"]", "2:10", "bad_host", "is not a host name"),
    case("[web]\nhosts = \"a.b\"", "2:9", "wrong_type", "write [").instead("[\"a.b\"]"),
];
