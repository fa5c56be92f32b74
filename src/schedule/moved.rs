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

/// Number of failures after which an https address is left that was adopted without probation.
const DOWNGRADED: u32 = 2;

/// Whether the document that was read is the same feed as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMatch {
    /// It has the same id or a known item, or nothing is known yet.
    Same,
    /// It has neither: a parked domain, a captive portal, another feed.
    Different,
    /// It has no items, and no id that is known: it may be any feed.
    Unknown,
    /// No document was read.
    NotRead,
}

/// What a poll shows about the address of a feed.
#[derive(Debug, Clone, Copy)]
pub struct MoveObservation<'a> {
    /// URL in the config.
    pub configured: &'a Url,
    /// URL of the request: the adopted one, also if the configured one led to it, or the configured one.
    pub asked: &'a Url,
    /// The address before this poll.
    pub before: &'a Address,
    /// Redirects of this poll from that URL on, in order.
    pub hops: &'a [Hop],
    /// Outcome of the poll.
    pub outcome: &'a FetchOutcome,
    /// Whether the document is the same feed.
    pub feed_match: FeedMatch,
    /// Number of consecutive failures, this poll included; 0 while no server can be reached.
    pub failures: u32,
    /// Time of the last success before this poll; `None`: there was none, or no server can be reached now.
    pub last_success: Option<Timestamp>,
    /// Time of the poll.
    pub now: Timestamp,
}

/// The address after this poll.
#[must_use]
pub fn address(moved: &MoveObservation<'_>) -> Address {
    let unmoved = Address::default();
    let before = if leads_elsewhere(moved) { &unmoved } else { moved.before };
    if is_downgraded(moved) {
        return unmoved;
    }
    if lost(moved.outcome) || has_failed_for_long(moved) {
        return gone(before);
    }
    let is_other = matches!(moved.feed_match, FeedMatch::Different | FeedMatch::Unknown);
    if !moved.outcome.is_success() || is_other {
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

/// Whether the configured URL was requested although another one is adopted, and has the feed or leads to it elsewhere. A
/// request that leads to the adopted address counts as one of that address.
fn leads_elsewhere(moved: &MoveObservation<'_>) -> bool {
    let requested_configured = moved.before.effective.is_some() && moved.asked == moved.configured;
    requested_configured && moved.outcome.is_success()
}

/// Whether an adopted https address does not work in a way that the configured http URL need not share. It leads back to
/// http, or has no TLS any more. An operator who configures http does without the protection of https.
fn is_downgraded(moved: &MoveObservation<'_>) -> bool {
    let FetchOutcome::Failed(failure) = moved.outcome else { return false };
    let is_upgraded = moved.configured.scheme() == "http"
        && moved.before.effective.as_ref().is_some_and(|url| url.scheme() == "https");
    is_upgraded
        && match failure.kind {
            FailureKind::InsecureRedirect => true,
            FailureKind::Tls | FailureKind::NoTls | FailureKind::Refused => {
                let adopted = moved.before.effective.as_ref();
                // An address on another host was adopted after a week of redirects, and is left after a week.
                moved.failures >= DOWNGRADED
                    && adopted.is_some_and(|url| is_upgrade_to_https(moved.configured, url))
            }
            _ => false,
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
            asked: before.effective.as_ref().unwrap_or(configured),
            failures: 1,
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
            asked: &configured,
            before: &before,
            hops: &hops,
            outcome,
            feed_match: FeedMatch::Same,
            failures: 0,
            last_success: None,
            now,
        };
        assert_eq!(address(&moved).effective, Some(url(OLD)));
    }

    /// The address of a feed that was adopted at `adopted`, after this number of failures of this kind.
    fn failed(configured: &str, adopted: &str, kind: FailureKind, failures: u32) -> Option<Url> {
        let (configured, adopted) = (url(configured), url(adopted));
        let before = Address { effective: Some(adopted.clone()), candidate: None };
        address(&MoveObservation {
            configured: &configured,
            asked: &adopted,
            before: &before,
            hops: &[],
            outcome: &FetchOutcome::Failed(Failure::new(kind, "x")),
            feed_match: FeedMatch::NotRead,
            failures,
            last_success: Some(Timestamp::UNIX_EPOCH),
            now: Timestamp::UNIX_EPOCH,
        })
        .effective
    }

    #[test]
    fn an_upgrade_to_https_that_leads_back_or_has_no_tls_is_undone() {
        const HTTP: &str = "http://old.example/feed";
        assert_eq!(failed(HTTP, OLD, FailureKind::InsecureRedirect, 1), None);
        for kind in [FailureKind::Tls, FailureKind::NoTls, FailureKind::Refused] {
            assert_eq!(failed(HTTP, OLD, kind, 1), Some(url(OLD)));
            assert_eq!(failed(HTTP, OLD, kind, 2), None);
            // Another host was adopted after a week.
            assert_eq!(failed(HTTP, NEW, kind, 2), Some(url(NEW)));
        }
        // Failures that the http URL may have too.
        for kind in [FailureKind::ServerError, FailureKind::Timeout, FailureKind::NameNotFound] {
            assert_eq!(failed(HTTP, OLD, kind, 9), Some(url(OLD)));
        }
        // A feed that is configured with https stays with https.
        for kind in [FailureKind::InsecureRedirect, FailureKind::Tls] {
            assert_eq!(failed(OLD, NEW, kind, 9), Some(url(NEW)));
        }
    }

    #[test]
    fn a_configured_url_that_leads_elsewhere_replaces_the_adopted_address() {
        const THIRD: &str = "https://third.example/feed";
        let moved = Address { effective: Some(url(NEW)), candidate: None };
        let (configured, now) = (url(OLD), Timestamp::UNIX_EPOCH);
        let configured_leads = |hops: &[Hop], outcome: &FetchOutcome| {
            address(&MoveObservation {
                configured: &configured,
                asked: &configured,
                before: &moved,
                hops,
                outcome,
                feed_match: FeedMatch::Same,
                failures: 0,
                last_success: Some(now),
                now,
            })
        };
        let candidate = MoveCandidate { url: url(THIRD), since: now };
        let followed = Address { effective: None, candidate: Some(candidate) };
        assert_eq!(configured_leads(&[hop(301, THIRD)], &FetchOutcome::Modified), followed);
        assert_eq!(configured_leads(&[], &FetchOutcome::Modified), Address::default());
    }

    #[test]
    fn a_redirect_to_an_empty_document_starts_no_probation() {
        let mut address = Address::default();
        for day in 0..30 {
            let hops = [hop(301, NEW)];
            address = after(&address, &hops, &FetchOutcome::Modified, FeedMatch::Unknown, day);
        }
        assert_eq!(address, Address::default());
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
