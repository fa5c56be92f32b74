//! `[dedupe]`: what is the same thing.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[dedupe]\nacross_feeds = \"links\"", "2:16", "unknown_value", "did you mean \"link\"?"),
    case("[dedupe]\nacross_feed = \"off\"", "2:1", "unknown_key", "").instead("across_feeds"),
    case("[dedupe]\nsimilarty = \"loose\"", "2:1", "unknown_key", "").instead("similarity"),
    case("[dedupe]\nwindwo = \"1d\"", "2:1", "unknown_key", "").instead("window"),
    case("[dedupe]\nwindow = \"30d\"", "2:10", "window_too_long", "window is longer than 14d"),
    case("[dedupe]\nwindow = \"1m\"", "2:10", "out_of_range", "write \"1h\" or more"),
    case("[dedupe]\ninitial_items = 0", "2:17", "out_of_range", "from 1").instead("1"),
    case("[dedupe]\nupdates = \"silnt\"", "2:11", "unknown_value", "").instead("silent"),
    case("[dedupe]\nburst_guard = \"hodl\"", "2:15", "unknown_value", "").instead("hold"),
    case("[dedupe]\nsimilarity = \"lose\"", "2:14", "unknown_value", "").instead("loose"),
];
