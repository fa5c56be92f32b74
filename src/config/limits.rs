//! Limits of values beyond their kind, with codes and help texts.

use super::definition::{Bound, Limit};
use super::diagnostic::Severity;

/// A limit of intervals between requests for feeds.
pub(super) const INTERVALS: &[Limit] = &[
    limit(
        Bound::Minimum,
        5 * 60,
        "interval_too_short",
        Severity::Error,
        "write \"5m\" or more; 30 minutes to an hour suit most feeds",
    ),
    limit(
        Bound::Minimum,
        15 * 60,
        "interval_below_recommended",
        Severity::Warning,
        "polls this frequent suit your own servers; other site owners may block Newswire",
    ),
];
pub(super) const LIST_INTERVALS: &[Limit] = &[limit(
    Bound::Minimum,
    15 * 60,
    "interval_too_short",
    Severity::Error,
    "remove the key: the default of one day suits lists of feeds",
)];
pub(super) const WINDOWS: &[Limit] = &[limit(
    Bound::Maximum,
    14 * 86_400,
    "window_too_long",
    Severity::Error,
    "write \"14d\" or less; the default \"72h\" suits most feeds",
)];
pub(super) const TIMEOUTS: &[Limit] = &[limit(
    Bound::Maximum,
    600,
    "timeout_above_recommended",
    Severity::Warning,
    "write \"60s\": a slow server occupies one of the simultaneous requests until the timeout",
)];

const fn limit(
    bound: Bound,
    seconds: u64,
    code: &'static str,
    severity: Severity,
    help: &'static str,
) -> Limit {
    Limit { bound, seconds, code, severity, help }
}
