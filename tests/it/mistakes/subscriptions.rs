//! `[[subscriptions]]`: lists that are followed.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[[subscriptions]]\nurl = \"https://a.b/\"\nfiel = \"x\"", "3:1", "unknown_key", "")
        .instead("file"),
    case(
        "[[subscriptions]]\nurl = \"https://a.b/\"\ninterval = \"1x\"",
        "3:12",
        "bad_duration",
        "is not a duration",
    ),
    case("[[subscriptions]]\ntags = [\"a\"]", "1:1", "missing_key", "neither file nor url"),
    case(
        "[[subscriptions]]\nfile = \"x\"\nurl = \"https://a.b/\"",
        "3:7",
        "missing_key",
        "both file and url",
    ),
];
