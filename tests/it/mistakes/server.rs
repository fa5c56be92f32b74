//! `[[server]]`: other manners.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[[server]]\nhost_spacing = \"1s\"", "1:1", "missing_key", "[[server]] has no host"),
    case("[[server]]\nhots = \"a.b\"\nhost = \"a.b\"", "2:1", "unknown_key", "host is already set"),
    case(
        "[[server]]\nhost = \"a.b\"\n[[server]]\nhost = \"a.b\"",
        "4:8",
        "duplicate_server",
        "first here",
    ),
    case("[[server]]\nhost = \"https://example.com/x\"", "2:8", "bad_host", "registrable domain")
        .instead("example.com"),
    case("[[server]]\nhost = \"www.example.com\"", "2:8", "bad_host", "registrable domain")
        .instead("example.com"),
    case(
        "[[server]]\nhost = \"a.b\"\nbudget = \"10 B/day\"",
        "3:10",
        "out_of_range",
        "budget is smaller than 10 kB/day",
    ),
    case("[[server]]\nhost = \"\"", "2:8", "bad_host", "is not a host"),
];
