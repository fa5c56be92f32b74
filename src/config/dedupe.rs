//! `[dedupe]`, and the same keys in a `[[feed]]`.

use std::time::Duration;

use super::report::{Diagnostic, Report};
use super::section::Section;
use super::value;
use crate::dedupe::{AcrossFeeds, BurstGuard, IdentityRule, Settings, Similarity, Updates};

/// A longer window is a longer search, and joins what only looks alike.
const LONGEST: Duration = Duration::from_secs(14 * 86_400);

/// What counts as the same thing; what is not said is as in `base`.
pub(super) fn dedupe(section: &Section<'_>, base: &Settings, report: &mut Report) -> Settings {
    let identity = [
        ("auto", IdentityRule::Auto),
        ("key", IdentityRule::Key),
        ("title", IdentityRule::Title),
        ("date", IdentityRule::Date),
    ];
    let across =
        [("text", AcrossFeeds::Text), ("link", AcrossFeeds::Link), ("off", AcrossFeeds::Off)];
    let similarity = [
        ("strict", Similarity::Strict),
        ("normal", Similarity::Normal),
        ("loose", Similarity::Loose),
    ];
    let updates =
        [("silent", Updates::Silent), ("ignore", Updates::Ignore), ("bump", Updates::Bump)];
    let burst_guard = [("hold", BurstGuard::Hold), ("off", BurstGuard::Off)];
    let window = section.parsed("window", "bad_duration", value::duration, report);
    if window.is_some_and(|window| window > LONGEST) {
        let fault = Diagnostic::error("too_long", section.span("window"), "more than 14 days");
        report.push(fault.help("papers run one text within days: 72h is the default"));
    }
    Settings {
        identity: section.one_of("identity", &identity, report).unwrap_or(base.identity),
        across_feeds: section.one_of("across_feeds", &across, report).unwrap_or(base.across_feeds),
        window: window.unwrap_or(base.window).min(LONGEST),
        similarity: section.one_of("similarity", &similarity, report).unwrap_or(base.similarity),
        updates: section.one_of("updates", &updates, report).unwrap_or(base.updates),
        initial_items: section
            .number("initial_items", 1..=100_000, report)
            .unwrap_or(base.initial_items),
        burst_guard: section
            .one_of("burst_guard", &burst_guard, report)
            .unwrap_or(base.burst_guard),
    }
}
