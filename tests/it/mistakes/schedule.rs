//! `[schedule]`: how often.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[schedule]\nintervall = \"1h\"", "2:1", "unknown_key", "did you mean \"interval\"?"),
    case("[schedule]\ninterval = 30", "2:12", "wrong_type", "write \"30m\"").instead("\"30m\""),
    case("[schedule]\nper_host = \"1\"", "2:12", "wrong_type", "per_host must be a whole number"),
    case("[schedule]\ninterval = \"soon\"", "2:12", "bad_duration", "\"soon\" is not a duration"),
    case("[schedule]\ninterval = \"30\"", "2:12", "bad_duration", "a number and a unit")
        .instead("30m"),
    case("[schedule]\ninterval = \"-5m\"", "2:12", "bad_duration", "negative"),
    case("[schedule]\ninterval = \"0s\"", "2:12", "bad_duration", "zero"),
    case("[schedule]\nmin_interval = \"1m\"", "2:16", "interval_too_short", "shorter than 5m"),
    case("[schedule]\nmax_interval = \"1s\"", "2:16", "interval_too_short", "shorter than 5m"),
    case(
        "[schedule]\nmin_interval = \"2d\"",
        "2:16",
        "contradiction",
        "set max_interval too; it is \"24h\"",
    ),
    case(
        "[schedule]\ninterval = \"2d\"\nmax_interval = \"1d\"",
        "3:16",
        "contradiction",
        "interval is longer than max_interval",
    ),
    case("[schedule]\nper_host = 17", "2:12", "out_of_range", "from 1 to 16"),
    case("[schedule]\nper_host = \"17\"", "2:12", "wrong_type", "1 to 16"),
    case("[schedule]\nmin_intervall = \"1h\"", "2:1", "unknown_key", "").instead("min_interval"),
    case("[schedule]\nhost_spaceing = \"1s\"", "2:1", "unknown_key", "").instead("host_spacing"),
    case("[schedule]\npublisher_hint = \"follow\"", "2:1", "unknown_key", "")
        .instead("publisher_hints"),
    case("[schedule]\nhost_spacing = 2.5", "2:16", "wrong_type", "not a float"),
    case("[schedule]\ninterval = 2024-01-01", "2:12", "wrong_type", "not a datetime"),
    case("[schedule]\nper_host = 1.5", "2:12", "wrong_type", "a whole number, not a float"),
    case("[schedule]\ninterval = \"30 minuts\"", "2:12", "bad_duration", "did you mean")
        .instead("30 minutes"),
    // What cannot be read is compared with nothing.
    case(
        "[schedule]\ninterval = \"3 huors\"\nmax_interval = \"30m\"",
        "2:12",
        "bad_duration",
        "did you mean \"3 hours\"?",
    ),
    case("[schedule]\nmin_interval = \"2h\"\ninterval = \"30 minuts\"", "3:12", "bad_duration", "")
        .instead("30 minutes"),
    case(
        "[schedule]\ninterval = \"autp\"",
        "2:12",
        "bad_duration",
        "did you mean \"auto\"? write a number and a unit",
    )
    .instead("auto"),
    case(
        "[schedule]\ninterval = \"auto\"\nmin_interval = \"2h\"\nmax_interval = \"1h\"",
        "4:16",
        "contradiction",
        "min_interval is longer than max_interval",
    ),
    case("[schedule]\npublisher_hints = \"ignroe\"", "2:19", "unknown_value", "").instead("ignore"),
];
