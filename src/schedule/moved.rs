//! When a permanent redirect is taken for good, and when it is let go again. Pure.
//!
//! The config is never rewritten: the address in force is kept beside it, and `status` says what
//! to change. A feed that moved keeps its identity, and so do its items.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::model::{Address, FailureKind, FetchOutcome, Hop, MoveCandidate};

/// A move is believed once it was seen for so long: hijacked and misconfigured servers are mended
/// sooner, as a rule.
const PROBATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether what was found at the other end is the same feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMatch {
    /// It shares an id or an item with what is known, or nothing is known yet.
    Same,
    /// It shares nothing: a parked domain, a captive portal, another feed.
    Different,
    /// Nothing was read this time.
    NotRead,
}

/// What is known after a poll of where a feed lives.
#[derive(Debug, Clone, Copy)]
pub struct MoveObservation<'a> {
    /// As the config says.
    pub configured: &'a Url,
    /// What was known before this poll.
    pub before: &'a Address,
    /// The redirects of this poll, from the address that was asked.
    pub hops: &'a [Hop],
    /// How it ended.
    pub outcome: &'a FetchOutcome,
    /// What was found.
    pub feed_match: FeedMatch,
    /// When.
    pub now: Timestamp,
}

/// The address after this poll.
#[must_use]
pub fn address(moved: &MoveObservation<'_>) -> Address {
    let before = moved.before;
    if lost(moved.outcome) {
        return gone(before);
    }
    if !moved.outcome.is_success() || moved.feed_match == FeedMatch::Different {
        // Nothing was learnt, or something that must not count.
        return before.clone();
    }
    let Some(target) = permanent_target(moved.hops) else {
        return Address { candidate: None, ..before.clone() };
    };
    let asked = before.effective.as_ref().unwrap_or(moved.configured);
    if is_same_but_safe(asked, &target) {
        return Address { effective: Some(target), candidate: None };
    }
    match &before.candidate {
        Some(candidate) if candidate.url == target => {
            if moved.now.duration_since(candidate.since) < PROBATION {
                return before.clone();
            }
            let effective = (target != *moved.configured).then_some(target);
            Address { effective, candidate: None }
        }
        _ => Address {
            candidate: Some(MoveCandidate { url: target, since: moved.now }),
            ..before.clone()
        },
    }
}

fn lost(outcome: &FetchOutcome) -> bool {
    match outcome {
        FetchOutcome::Gone => true,
        FetchOutcome::Failed(failure) => failure.kind == FailureKind::NotFound,
        _ => false,
    }
}

/// The address that was asked is gone: on to where it pointed last, or back to the config's.
fn gone(before: &Address) -> Address {
    match (&before.candidate, &before.effective) {
        (Some(candidate), _) => Address { effective: Some(candidate.url.clone()), candidate: None },
        (None, _) => Address::default(),
    }
}

/// Where the leading permanent redirects end; one that is temporary ends them. RFC 9110 15.4.
fn permanent_target(hops: &[Hop]) -> Option<Url> {
    let permanent = hops.iter().take_while(|hop| matches!(hop.status, 301 | 308));
    permanent.last().and_then(|hop| Url::parse(&hop.location).ok())
}

/// From http to https and nothing else: nobody loses by that.
fn is_same_but_safe(from: &Url, to: &Url) -> bool {
    from.scheme() == "http"
        && to.scheme() == "https"
        && from.host_str() == to.host_str()
        && from.path() == to.path()
        && from.query() == to.query()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    const OLD: &str = "https://old.example/feed";
    const NEW: &str = "https://new.example/feed";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn hop(status: u16, location: &str) -> Hop {
        Hop { status, location: location.to_owned() }
    }

    fn after(
        before: &Address,
        hops: &[Hop],
        outcome: &FetchOutcome,
        feed_match: FeedMatch,
        day: i64,
    ) -> Address {
        let now = Timestamp::from_second(day * 86_400).unwrap();
        address(&MoveObservation { configured: &url(OLD), before, hops, outcome, feed_match, now })
    }

    fn seen(before: &Address, hops: &[Hop], day: i64) -> Address {
        after(before, hops, &FetchOutcome::Modified, FeedMatch::Same, day)
    }

    #[test]
    fn a_permanent_redirect_is_adopted_after_seven_days_of_it() {
        let hops = [hop(301, NEW)];
        let first = seen(&Address::default(), &hops, 0);
        assert_eq!(first.effective, None);
        let sixth = seen(&first, &hops, 6);
        assert_eq!(sixth, first);
        assert_eq!(seen(&sixth, &hops, 7).effective, Some(url(NEW)));
    }

    #[test]
    fn only_the_leading_permanent_redirects_count() {
        let mixed = [hop(301, "https://a.example/"), hop(302, "https://b.example/"), hop(301, NEW)];
        let candidate = seen(&Address::default(), &mixed, 0).candidate.unwrap();
        assert_eq!(candidate.url, url("https://a.example/"));
        for status in [302, 303, 307] {
            assert_eq!(seen(&Address::default(), &[hop(status, NEW)], 0), Address::default());
        }
    }

    #[test]
    fn a_redirect_that_goes_away_or_changes_begins_anew() {
        let first = seen(&Address::default(), &[hop(301, NEW)], 0);
        assert_eq!(seen(&first, &[], 3).candidate, None);
        let other = seen(&first, &[hop(301, "https://other.example/")], 6);
        assert_eq!(other.candidate.unwrap().since, Timestamp::from_second(6 * 86_400).unwrap());
    }

    #[test]
    fn from_http_to_https_on_the_same_host_is_adopted_at_once() {
        let hops = [hop(301, "https://old.example/feed")];
        let (configured, before) = (url("http://old.example/feed"), Address::default());
        let (outcome, now) = (&FetchOutcome::Modified, Timestamp::UNIX_EPOCH);
        let moved = MoveObservation {
            configured: &configured,
            before: &before,
            hops: &hops,
            outcome,
            feed_match: FeedMatch::Same,
            now,
        };
        assert_eq!(address(&moved).effective, Some(url(OLD)));
    }

    #[test]
    fn a_stranger_at_the_other_end_is_held() {
        let hops = [hop(301, NEW)];
        let mut address = Address::default();
        for day in 0..30 {
            address = after(&address, &hops, &FetchOutcome::Modified, FeedMatch::Different, day);
        }
        assert_eq!(address, Address::default());
    }

    #[test]
    fn an_old_address_that_is_gone_is_left_for_where_it_pointed() {
        let pointed = seen(&Address::default(), &[hop(308, NEW)], 0);
        let missing = FetchOutcome::Failed(Failure::new(FailureKind::NotFound, "there is no feed"));
        for outcome in [FetchOutcome::Gone, missing.clone()] {
            let left = after(&pointed, &[], &outcome, FeedMatch::NotRead, 1);
            assert_eq!(left.effective, Some(url(NEW)));
        }
        // And a new address that is gone is left for the configured one.
        let moved = Address { effective: Some(url(NEW)), candidate: None };
        assert_eq!(after(&moved, &[], &missing, FeedMatch::NotRead, 9), Address::default());
    }

    #[test]
    fn errors_teach_nothing() {
        let pointed = seen(&Address::default(), &[hop(301, NEW)], 0);
        let failed = FetchOutcome::Failed(Failure::new(FailureKind::ServerError, "x"));
        assert_eq!(after(&pointed, &[], &failed, FeedMatch::NotRead, 9), pointed);
    }
}
