//! `[dedupe]`: what is the same thing.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("[dedupe]\nacross_feeds = \"links\"", "2:16", "unknown_value", "did you mean \"link\"?"),
    case("[dedupe]\nacross_feed = \"off\"", "2:1", "unknown_key", "").instead("across_feeds"),
    case("[dedupe]\nlikenes = \"loose\"", "2:1", "unknown_key", "").instead("likeness"),
    case("[dedupe]\nwindwo = \"1d\"", "2:1", "unknown_key", "").instead("window"),
    case("[dedupe]\nwindow = \"30d\"", "2:10", "too_long", "more than 14 days"),
    case("[dedupe]\nnew_feed_items = 0", "2:18", "out_of_range", "from 1").instead("1"),
    case("[dedupe]\nupdates = \"silnt\"", "2:11", "unknown_value", "").instead("silent"),
    case("[dedupe]\nbursts = \"hodl\"", "2:10", "unknown_value", "").instead("hold"),
    case("[dedupe]\nlikeness = \"lose\"", "2:12", "unknown_value", "").instead("loose"),
];
