//! The one line that a poll logs: loud when a feed's state changed or items came, else for debugging.

use tracing::{debug, info, warn};

use super::target::Target;
use crate::model::{FetchOutcome, Plan};
use crate::store::{FeedState, Recorded};

/// What there is to say of a poll.
pub(super) struct Line<'a> {
    pub(super) outcome: &'a FetchOutcome,
    pub(super) recorded: Recorded,
    pub(super) plan: &'a Plan,
    pub(super) duration: std::time::Duration,
}

/// The one line that a poll logs: loud when a feed's state changed or items came, else for debugging.
pub(super) fn log(target: &Target, before: &FeedState, polled: &Line<'_>) {
    let (feed, outcome) = (target.id.as_str(), polled.outcome.slug());
    let Recorded { new, joined, changed, renamed, held } = polled.recorded;
    if held > 0 && before.items > 0 {
        warn!(
            feed,
            new,
            renamed,
            held,
            "{feed}: {} items looked new at once: {renamed} are known under another guid, \
             {new} are let through, {held} wait: 'newswire release {feed}' lets them through",
            new + renamed + held
        );
    }
    let duration_ms = polled.duration.as_millis();
    let next = polled.plan.at.to_string();
    match polled.outcome {
        FetchOutcome::Failed(failure) if before.failures == 0 => {
            warn!(feed, outcome, duration_ms, next, "{feed}: {failure}");
        }
        _ if before.failures == 0 && !polled.outcome.is_success() => {
            warn!(
                feed,
                outcome, duration_ms, next, "{feed}: {outcome}, {}", polled.plan.reason.text
            );
        }
        _ if before.failures > 0 && polled.outcome.is_success() => {
            info!(
                feed,
                outcome, new, joined, changed, duration_ms, next, "{feed}: works again, {new} new"
            );
        }
        _ if new + changed > 0 => {
            info!(
                feed,
                outcome,
                new,
                joined,
                changed,
                duration_ms,
                next,
                "{feed}: {new} new, {changed} changed"
            );
        }
        _ => debug!(feed, outcome, duration_ms, next, "{feed}: {outcome}"),
    }
}
