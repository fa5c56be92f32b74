//! Decides when a permanent redirect is adopted, and when an adopted address is dropped. Pure.
//!
//! The config is never rewritten: the adopted address is stored, and `status` shows what to change. A feed that
//! moved keeps its id, and so do its items.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::model::{Address, FailureKind, FetchOutcome, Hop, MoveCandidate};

/// A redirect is adopted when it has been seen for this time, and an adopted address that fails for this time is left.
/// Hijacked and misconfigured servers are usually repaired sooner.
const PROBATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether the document that was read is the same feed as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMatch {
    /// It has the same id or a known item, or nothing is known yet.
    Same,
    /// It has neither: a parked domain, a captive portal, another feed.
    Different,
    /// No document was read.
    NotRead,
}

/// What a poll shows about the address of a feed.
#[derive(Debug, Clone, Copy)]
pub struct MoveObservation<'a> {
    /// URL in the config.
    pub configured: &'a Url,
    /// The address before this poll.
    pub before: &'a Address,
    /// Redirects of this poll, in order.
    pub hops: &'a [Hop],
    /// Outcome of the poll.
    pub outcome: &'a FetchOutcome,
    /// Whether the document is the same feed.
    pub feed_match: FeedMatch,
    /// Time of the last success before this poll; `None`: there was none, or no server can be reached now.
    pub last_success: Option<Timestamp>,
    /// Time of the poll.
    pub now: Timestamp,
}

/// The address after this poll.
#[must_use]
pub fn address(moved: &MoveObservation<'_>) -> Address {
    let before = moved.before;
    if lost(moved.outcome) || has_failed_for_long(moved) {
        return gone(before);
    }
    if !moved.outcome.is_success() || moved.feed_match == FeedMatch::Different {
        // The redirects of a failure or of another feed do not count.
        return before.clone();
    }
    let Some(target) = permanent_target(moved.hops) else {
        return Address { candidate: None, ..before.clone() };
    };
    let mut configured = moved.configured.clone();
    configured.set_fragment(None);
    if target == configured {
        // The owner took the move back.
        return Address::default();
    }
    let asked = before.effective.as_ref().unwrap_or(moved.configured);
    if is_upgrade_to_https(asked, &target) {
        return Address { effective: Some(target), candidate: None };
    }
    match &before.candidate {
        Some(candidate) if candidate.url == target => {
            if moved.now.duration_since(candidate.since) < PROBATION {
                return before.clone();
            }
            Address { effective: Some(target), candidate: None }
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

/// Whether the adopted address has failed for as long as it takes to adopt one. The configured URL may lead elsewhere by now.
fn has_failed_for_long(moved: &MoveObservation<'_>) -> bool {
    matches!(moved.outcome, FetchOutcome::Failed(_))
        && moved.before.effective.is_some()
        && moved.last_success.is_some_and(|last| moved.now.duration_since(last) >= PROBATION)
}

/// The address that was requested is gone: continue with the target of its redirect, or with the configured URL.
fn gone(before: &Address) -> Address {
    match (&before.candidate, &before.effective) {
        (Some(candidate), _) => Address { effective: Some(candidate.url.clone()), candidate: None },
        (None, _) => Address::default(),
    }
}

/// Target of the permanent redirects before the first temporary one. RFC 9110 15.4.
fn permanent_target(hops: &[Hop]) -> Option<Url> {
    let permanent = hops.iter().take_while(|hop| matches!(hop.status, 301 | 308));
    permanent.last().and_then(|hop| Url::parse(&hop.location).ok())
}

/// Whether the two URLs differ only in http and https.
fn is_upgrade_to_https(from: &Url, to: &Url) -> bool {
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
        let (configured, last_success) = (&url(OLD), Some(Timestamp::UNIX_EPOCH));
        address(&MoveObservation {
            configured,
            before,
            hops,
            outcome,
            feed_match,
            last_success,
            now,
        })
    }

    fn seen(before: &Address, hops: &[Hop], day: i64) -> Address {
        after(before, hops, &FetchOutcome::Modified, FeedMatch::Same, day)
    }

    #[test]
    fn a_redirect_back_to_the_configured_url_ends_the_move_at_once() {
        let moved = Address { effective: Some(url(NEW)), candidate: None };
        assert_eq!(seen(&moved, &[hop(301, OLD)], 20), Address::default());
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
    fn a_redirect_that_changes_starts_again() {
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
            last_success: None,
            now,
        };
        assert_eq!(address(&moved).effective, Some(url(OLD)));
    }

    #[test]
    fn a_redirect_to_another_feed_is_not_adopted() {
        let hops = [hop(301, NEW)];
        let mut address = Address::default();
        for day in 0..30 {
            address = after(&address, &hops, &FetchOutcome::Modified, FeedMatch::Different, day);
        }
        assert_eq!(address, Address::default());
    }

    #[test]
    fn a_gone_address_is_replaced_by_its_redirect_target() {
        let pointed = seen(&Address::default(), &[hop(308, NEW)], 0);
        let missing = FetchOutcome::Failed(Failure::new(FailureKind::NotFound, "there is no feed"));
        for outcome in [FetchOutcome::Gone, missing.clone()] {
            let left = after(&pointed, &[], &outcome, FeedMatch::NotRead, 1);
            assert_eq!(left.effective, Some(url(NEW)));
        }
        // An adopted address that is gone is replaced by the configured one.
        let moved = Address { effective: Some(url(NEW)), candidate: None };
        assert_eq!(after(&moved, &[], &missing, FeedMatch::NotRead, 9), Address::default());
    }

    #[test]
    fn an_adopted_address_that_fails_for_seven_days_is_left() {
        let moved = Address { effective: Some(url(NEW)), candidate: None };
        for kind in [FailureKind::ServerError, FailureKind::Tls, FailureKind::DifferentFeed] {
            let failed = FetchOutcome::Failed(Failure::new(kind, "x"));
            assert_eq!(after(&moved, &[], &failed, FeedMatch::NotRead, 6), moved);
            assert_eq!(after(&moved, &[], &failed, FeedMatch::NotRead, 7), Address::default());
        }
        let throttled = FetchOutcome::Throttled;
        assert_eq!(after(&moved, &[], &throttled, FeedMatch::NotRead, 30), moved);
    }

    #[test]
    fn failures_of_the_configured_url_change_nothing() {
        let pointed = seen(&Address::default(), &[hop(301, NEW)], 0);
        let failed = FetchOutcome::Failed(Failure::new(FailureKind::ServerError, "x"));
        assert_eq!(after(&pointed, &[], &failed, FeedMatch::NotRead, 9), pointed);
    }
}
