//! Plans of polls that a promise to a server ended. Pure.

use jiff::{SignedDuration, Timestamp};

use super::plan::{short, spread};
use crate::model::{Considered, FeedId, Plan, Promise, PromiseScope, Reason, ReasonKind};

/// The plan of a feed that may not be requested because of a promise: after its end, and spread, so that not all feeds
/// of a site are polled at once then.
#[must_use]
pub fn after_promise(feed: &FeedId, promise: &Promise, now: Timestamp) -> Plan {
    let who = match promise.scope {
        PromiseScope::Url => "the server",
        PromiseScope::Host => "the host",
        PromiseScope::Address => "another host at this address",
    };
    let wait = span(now, promise.until);
    let text = format!("{who} asks to wait {} ({})", short(wait.unsigned_abs()), promise.reason);
    planned(feed, (promise.until, ReasonKind::Throttled), text, now)
}

/// The plan of a feed whose URL was requested at `asked_at` without a result.
#[must_use]
pub fn after_unfinished(
    feed: &FeedId,
    asked_at: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Plan {
    // The text is stored, so that it names no age.
    let at = asked_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let text = format!("requested at {at} without a result that was stored");
    planned(feed, (until, ReasonKind::BackOff), text, now)
}

fn planned(
    feed: &FeedId,
    (until, kind): (Timestamp, ReasonKind),
    text: String,
    now: Timestamp,
) -> Plan {
    let wait = span(now, until);
    // Less than the jitter of feeds that were polled, so that the feed that was held comes first.
    let longest = (wait / 20).min(SignedDuration::from_mins(15)).unsigned_abs();
    let at = spread(feed, until, longest);
    let considered =
        vec![Considered { kind, text: text.clone(), wait: wait.unsigned_abs().as_secs() }];
    Plan { at, reason: Reason { kind, text }, considered }
}

/// Time from one moment to a later one; zero if it is not later.
fn span(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PromiseReason;

    #[test]
    fn feeds_of_a_held_host_are_polled_after_its_end_one_after_another() {
        let (now, until) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(7200).unwrap());
        let promise = Promise {
            scope: PromiseScope::Host,
            key: "a.test".to_owned(),
            host: "a.test".to_owned(),
            until,
            reason: PromiseReason::RetryAfter,
            response_url: "http://a.test/".to_owned(),
            at: now,
        };
        let plan = |id: &str| after_promise(&FeedId::new(id).unwrap(), &promise, now);
        let (one, two) = (plan("one"), plan("two"));
        assert!(one.at >= until && two.at >= until && one.at != two.at);
        assert_eq!(one.reason.text, "the host asks to wait 2h (Retry-After)");
    }
}
