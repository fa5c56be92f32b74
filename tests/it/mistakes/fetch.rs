//! `[fetch]`: what a request looks like.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[fetch]\ntimeout = \"\"", "2:11", "bad_duration", "not a duration"),
    case("[fetch]\ntimeout = \"1ms\"", "2:11", "out_of_range", "timeout is shorter than 1s"),
    case("[fetch]\nmax_body = \"10 B\"", "2:12", "out_of_range", "max_body is smaller than 1 KiB"),
    case("[fetch]\nmax_body = \"10\"", "2:12", "bad_size", "a number and a unit"),
    case("[fetch]\nmax_body = \"10 MiBi\"", "2:12", "bad_size", "\"10 MiBi\" is not a size"),
    case("[fetch]\nmax_body = \"0 MB\"", "2:12", "bad_size", "not a size"),
    case("[fetch]\nconcurrency = 0", "2:15", "out_of_range", "concurrency must be from 1 to 1024"),
    case("[fetch]\nmax_redirects = 21", "2:17", "out_of_range", "from 0 to 20"),
    case("[fetch]\nmax_items = -1", "2:13", "out_of_range", "from 1 to 100000"),
    case("[fetch]\nallow_networks = [\"10.0.0.0/33\"]", "2:19", "bad_network", "is not a network"),
    case("[fetch]\nallow_networks = [\"home\"]", "2:19", "bad_network", "192.168.1.0/24"),
    case("[fetch]\nuser_agent = \"Ä\"", "2:14", "bad_header", "visible ASCII"),
    case("[fetch]\ncontact = \"Jürgen\"", "2:11", "bad_header", "visible ASCII"),
    case("[fetch]\ncontact = \" \"", "2:11", "empty_value", "contact is empty"),
    case("[fetch]\nca = \"/no/such/file\"", "2:6", "bad_certificates", "cannot read"),
    case("[fetch]\nca = \"/dev/null\"", "2:6", "bad_certificates", "not a regular file"),
    case("[fetch]\nproxy = \"x\"", "2:9", "bad_url", "not an absolute URL"),
    case("[fetch]\ncontcat = \"me@example.org\"", "2:1", "unknown_key", "").instead("contact"),
    case("[fetch]\nmax-body = \"1 MiB\"", "2:1", "unknown_key", "").instead("max_body"),
    case("[fetch]\nmaxbody = \"1 MiB\"", "2:1", "unknown_key", "").instead("max_body"),
    case("[fetch]\nautorization = { env = \"X\" }", "2:1", "unknown_key", "")
        .instead("authorization"),
    case("[fetch]\nconcurency = 8", "2:1", "unknown_key", "").instead("concurrency"),
    case("[fetch]\nallow_network = []", "2:1", "unknown_key", "").instead("allow_networks"),
    case("[fetch]\nmax_items = \"100\"", "2:13", "wrong_type", "write 100").instead("100"),
    case("[fetch]\nallow_networks = \"10.0.0.1\"", "2:18", "wrong_type", "write [")
        .instead("[\"10.0.0.1\"]"),
    case("[fetch]\ntimeout = \"10 secnds\"", "2:11", "bad_duration", "did you mean")
        .instead("10 seconds"),
    case("[fetch]\nmax_body = \"10 MBi\"", "2:12", "bad_size", "did you mean"),
    case("[fetch]\nmax_body = \"10 Mib/s\"", "2:12", "bad_size", "is not a size"),
    case(
        "[fetch]\nproxy = \"http://me:hunter2@a.b:3128\"",
        "2:9",
        "bad_url",
        "use proxy_authorization",
    ),
    case("[fetch]\nproxy = \"socks5://127.0.0.1:1080\"", "2:9", "bad_url", "is not supported")
        .instead("socks5h://127.0.0.1:1080"),
    case("[fetch]\nproxy = \"ftp://127.0.0.1\"", "2:9", "bad_url", "http or https"),
    case("[fetch]\nproxy = \"socks5h://a:b@127.0.0.1\"", "2:9", "bad_url", "proxy_authorization"),
];
