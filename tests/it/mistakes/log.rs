//! `[log]`: what is logged.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        "[log]\nlevel = true",
        "2:9",
        "wrong_type",
        "level must be a text in quotes, not a boolean",
    ),
    case("[log]\nlevel = \"warning\"", "2:9", "unknown_value", "did you mean \"warn\"?"),
    case(
        "[log]\nformat = \"xml\"",
        "2:10",
        "unknown_value",
        "\"auto\", \"text\", \"json\", \"journal\"",
    ),
    case("[log]\nlevl = \"info\"", "2:1", "unknown_key", "").instead("level"),
    case("[log]\nfromat = \"text\"", "2:1", "unknown_key", "").instead("format"),
    case("[log]\nformat = \"jurnal\"", "2:10", "unknown_value", "").instead("journal"),
];
