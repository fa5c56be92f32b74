//! Secrets, and headers that hold them.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        "[fetch]\nauthorization = \"x\"",
        "2:17",
        "bad_secret",
        "secrets belong in separate files",
    ),
    case(
        "[fetch]\nauthorization = { env = \"NO_SUCH_VARIABLE\" }",
        "2:17",
        "bad_secret",
        "is not set",
    ),
    case(
        "[fetch]\nheaders = { a = { file = \"/no/such\" } }",
        "2:17",
        "bad_secret",
        "cannot read a",
    ),
    case(
        "[fetch]\nauthorization = { file = \"/no/such\" }",
        "2:17",
        "bad_secret",
        "/no/such: No such file",
    ),
    case(
        "[fetch]\nauthorization = { file = \"~/secret\" }",
        "2:17",
        "bad_path",
        "~ is not replaced",
    ),
    case("[fetch]\nauthorization = { file = \"~bob/x\" }", "2:17", "bad_path", "~ is not replaced"),
    case(
        "[fetch]\nauthorization = { file = \"file:///srv/x\" }",
        "2:17",
        "bad_path",
        "did you mean \"/srv/x\"?",
    ),
    case(
        "[fetch]\nauthorization = { credential = \"x\" }",
        "2:17",
        "bad_secret",
        "$CREDENTIALS_DIRECTORY is not set",
    ),
    case(
        "[fetch]\nauthorization = { file = \"/a\", env = \"B\" }",
        "2:17",
        "bad_secret",
        "needs one of file",
    ),
    case("[fetch]\nauthorization = { fil = \"/a\" }", "2:19", "unknown_key", "").instead("file"),
    case(
        "[fetch]\nauthorization = { env = 1 }",
        "2:25",
        "wrong_type",
        "env must be a text in quotes",
    ),
    case("[fetch]\nauthorization = {}", "2:17", "bad_secret", "needs one of file"),
    case(
        "[[output]]\nid = \"a\"\ntoken = \"0123456789abcdef\"",
        "3:9",
        "bad_secret",
        "secrets belong in separate files",
    ),
    case("[fetch.headers]\nX-Key = \"x\"", "2:9", "bad_secret", "secrets belong in separate files"),
    case(
        "[fetch]\nheaders = { \"X Key\" = { env = \"HOME\" } }",
        "2:13",
        "bad_header",
        "is not a header name",
    ),
    case(
        "[fetch]\nheaders = { Host = { env = \"HOME\" } }",
        "2:13",
        "bad_header",
        "Newswire sets the header Host itself",
    ),
];
