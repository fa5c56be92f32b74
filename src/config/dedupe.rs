//! `[dedupe]`, and the same keys in a `[[feed]]`.

use std::time::Duration;

use super::report::{Diagnostic, Report};
use super::section::Section;
use super::value;
use crate::dedupe::{AcrossFeeds, Bursts, Likeness, Settings, Updates};

/// A longer window is a longer search, and joins what only looks alike.
const LONGEST: Duration = Duration::from_secs(14 * 86_400);

/// What counts as the same thing; what is not said is as in `base`.
pub(super) fn dedupe(section: &Section<'_>, base: &Settings, report: &mut Report) -> Settings {
    let across =
        [("cluster", AcrossFeeds::Cluster), ("link", AcrossFeeds::Link), ("off", AcrossFeeds::Off)];
    let likeness =
        [("strict", Likeness::Strict), ("normal", Likeness::Normal), ("loose", Likeness::Loose)];
    let updates =
        [("silent", Updates::Silent), ("ignore", Updates::Ignore), ("bump", Updates::Bump)];
    let bursts = [("hold", Bursts::Hold), ("pass", Bursts::Pass)];
    let window = section.parsed("window", "bad_duration", value::duration, report);
    if window.is_some_and(|window| window > LONGEST) {
        let fault = Diagnostic::error("too_long", section.span("window"), "more than 14 days");
        report.push(fault.help("papers run one text within days: 72h is the default"));
    }
    Settings {
        across_feeds: section.one_of("across_feeds", &across, report).unwrap_or(base.across_feeds),
        window: window.unwrap_or(base.window).min(LONGEST),
        likeness: section.one_of("likeness", &likeness, report).unwrap_or(base.likeness),
        updates: section.one_of("updates", &updates, report).unwrap_or(base.updates),
        new_feed_items: section
            .number("new_feed_items", 1..=100_000, report)
            .unwrap_or(base.new_feed_items),
        bursts: section.one_of("bursts", &bursts, report).unwrap_or(base.bursts),
    }
}
