//! What a poll logs: one line where items came or a feed's state changed, else one for debugging.

use std::time::Duration;

use tracing::{debug, info, warn};
use url::Url;

use super::target::Target;
use crate::model::{FetchOutcome, Outcome, Plan, ReasonKind};
use crate::schedule::NetworkState;
use crate::store::{FeedState, PollCounts};
use crate::telemetry::Event;

/// What there is to say of a poll.
pub(super) struct Line<'a> {
    /// The address that was asked.
    pub(super) asked: &'a Url,
    /// HTTP, if there was an answer.
    pub(super) status: Option<u16>,
    pub(super) outcome: &'a FetchOutcome,
    pub(super) recorded: PollCounts,
    pub(super) plan: &'a Plan,
    pub(super) duration: Duration,
    /// Where the feed was found to live for good, just now.
    pub(super) moved: Option<&'a Url>,
}

/// How a feed is doing, as far as a change of it is worth a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    Failing,
    Throttled,
    Gone,
}

impl State {
    fn before(feed: &FeedState) -> Self {
        match (feed.failures, feed.last_outcome) {
            (0, _) => Self::Well,
            (_, Some(Outcome::Throttled)) => Self::Throttled,
            (_, Some(Outcome::Gone)) => Self::Gone,
            _ => Self::Failing,
        }
    }

    fn after(outcome: &FetchOutcome) -> Self {
        match outcome {
            FetchOutcome::Modified | FetchOutcome::NotModified => Self::Well,
            FetchOutcome::Throttled => Self::Throttled,
            FetchOutcome::Gone => Self::Gone,
            FetchOutcome::Failed(_) => Self::Failing,
        }
    }
}

/// The one line that a poll logs; a move and items that are held have a line of their own.
pub(super) fn log(target: &Target, feed_before: &FeedState, polled: &Line<'_>) {
    let (feed, url) = (target.id.as_str(), polled.asked.as_str());
    let (status, outcome) = (polled.status, polled.outcome.slug());
    let code = match polled.outcome {
        FetchOutcome::Failed(failure) => Some(failure.kind.slug()),
        _ => None,
    };
    let PollCounts { new, changed, .. } = polled.recorded;
    let duration_ms = u64::try_from(polled.duration.as_millis()).unwrap_or(u64::MAX);
    let next = polled.plan.at.to_string();
    /// Every line has the same fields; those without a value are left out.
    macro_rules! say {
        ($level:ident, $event:ident, $($text:tt)+) => {
            $level!(
                event = Event::$event.slug(), feed, url, status, code, duration_ms, new, changed,
                outcome, next, $($text)+
            )
        };
    }
    aside(target, feed_before, polled);
    // While this machine is offline nothing is known of any feed.
    if polled.plan.reason.kind == ReasonKind::Offline {
        return debug!(feed, url, outcome, duration_ms, next, "{feed}: {outcome}, offline");
    }
    let reason = &polled.plan.reason.text;
    match (State::before(feed_before), State::after(polled.outcome)) {
        (State::Well, State::Well) if new + changed > 0 => {
            say!(info, FeedChanged, "{feed}: {new} new, {changed} changed");
        }
        (before, after) if before == after => {
            debug!(feed, url, status, outcome, duration_ms, next, "{feed}: {outcome}");
        }
        (_, State::Well) => say!(info, FeedRecovered, "{feed}: works again, {new} new"),
        (_, State::Throttled) => {
            say!(warn, FeedThrottled, "{feed}: asked for fewer requests: {reason}");
        }
        (_, State::Gone) => say!(warn, FeedGone, "{feed}: {reason}"),
        (_, State::Failing) => match polled.outcome {
            FetchOutcome::Failed(failure) => say!(warn, FeedFailing, "{feed}: {failure}"),
            _ => say!(warn, FeedFailing, "{feed}: {outcome}"),
        },
    }
}

/// What happened beside.
fn aside(target: &Target, before: &FeedState, polled: &Line<'_>) {
    let (feed, url) = (target.id.as_str(), polled.asked.as_str());
    let PollCounts { new, guid_changes: renamed, held, .. } = polled.recorded;
    if held > 0 && before.items > 0 {
        let came = new + renamed + held;
        warn!(
            event = Event::ItemsHeld.slug(),
            feed,
            url,
            new,
            renamed,
            held,
            "{feed}: {came} items looked new at once: {renamed} are known under another guid, \
             {new} are let through, {held} wait: 'newswire release {feed}' lets them through"
        );
    }
    if let Some(to) = polled.moved.map(Url::as_str) {
        let url = target.subscription.feed.url.as_str();
        warn!(
            event = Event::FeedMoved.slug(),
            feed,
            url,
            to,
            "{feed}: has moved for good and is asked at {to} now: put that address into the config"
        );
    }
}

/// The network went, or came back.
pub(super) fn network(before: NetworkState, now: NetworkState) {
    match (before, now) {
        (NetworkState::Online, NetworkState::Offline) => warn!(
            event = Event::Offline.slug(),
            "no host can be reached: this machine seems to be offline; no feed is blamed, all are asked again soon"
        ),
        (NetworkState::Offline, NetworkState::Online) => {
            info!(event = Event::Online.slug(), "hosts can be reached again");
        }
        _ => {}
    }
}
