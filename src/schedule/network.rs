//! Detects that this machine is offline or behind a captive portal, so that failures are not counted against feeds.
//! Pure.
//!
//! The judgement uses the last poll of each feed since the last success of any feed, as the database has them, so that
//! it is the same in one long process and in many short ones.

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;

use jiff::Timestamp;

use crate::model::{FailureKind, FeedId, FeedKey, Outcome};

/// Number of different sites that must be unreachable, or that must send the same page.
const SITES: usize = 3;
/// A feed that failed more often in a row is not evidence: it fails for another reason.
const MOST_FAILURES: u32 = 2;
/// RFC 6585 6: Network Authentication Required.
const NETWORK_AUTHENTICATION_REQUIRED: u16 = 511;
/// Number of pages that are remembered.
const PAGES: usize = 64;

/// State of this machine's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkState {
    /// A server was reached since the first failure, or too few were tried.
    Online,
    /// No server is reachable, or a captive portal answers for all.
    Offline,
}

/// The last poll of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastOutcome {
    /// Key of the feed in the database.
    pub feed: FeedKey,
    /// Stable id of the feed, for reports.
    pub id: FeedId,
    /// Site of the feed.
    pub site: String,
    /// Outcome of the poll.
    pub outcome: Outcome,
    /// HTTP status; `None`: no response.
    pub status: Option<u16>,
    /// URL of the response, if it was redirected.
    pub redirected_to: Option<String>,
    /// SHA-256 of a complete body, if it is known.
    pub body_hash: Option<[u8; 32]>,
    /// Number of consecutive failures, this one included.
    pub failures: u32,
}

/// Derives the state of the network from the outcomes of polls.
#[derive(Debug, Default)]
pub struct NetworkMonitor {
    offline: bool,
    /// Whether a server was reached, and none failed to be since.
    known_online: bool,
    /// Time of the latest request that reached a server (UTC).
    reached: Option<Timestamp>,
    /// Feeds that failed before it was known that this machine is offline. Their polls may not be stored yet.
    blamed: Vec<LastOutcome>,
    /// Pages that were not feeds: hash, site and feed.
    pages: VecDeque<([u8; 32], String, FeedKey)>,
}

/// The judgement about one poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// State of the network.
    pub state: NetworkState,
    /// Feeds whose last failure is not theirs either.
    pub exonerated: Vec<(FeedKey, FeedId)>,
    /// Whether the failure of this feed before is taken back too.
    pub was_blamed: bool,
    /// Whether a server was reached after an outage, or for the first time: feeds may still wait because of it.
    pub is_back: bool,
}

impl Judgement {
    fn online() -> Self {
        let (state, exonerated) = (NetworkState::Online, Vec::new());
        Self { state, exonerated, was_blamed: false, is_back: false }
    }
}

impl NetworkMonitor {
    /// Whether this machine seems to be online, by the polls so far.
    #[must_use]
    pub fn state(&self) -> NetworkState {
        if self.offline { NetworkState::Offline } else { NetworkState::Online }
    }

    /// Whether [`NetworkMonitor::judge`] needs the polls since the last success.
    #[must_use]
    pub fn needs_others(&self, this: &LastOutcome) -> bool {
        !self.offline && (is_unreachable(this) || is_page(this))
    }

    /// Judges a poll. `others` has the last polls of other feeds since the last success, `time` is the time from the
    /// request to now (UTC).
    pub fn judge(
        &mut self,
        this: &LastOutcome,
        others: &[LastOutcome],
        time: &RangeInclusive<Timestamp>,
    ) -> Judgement {
        let required = this.status == Some(NETWORK_AUTHENTICATION_REQUIRED);
        if !required && !is_unreachable(this) && !is_page(this) {
            let is_back = !self.known_online;
            (self.offline, self.known_online) = (false, true);
            let before = self.reached.filter(|at| at <= time.end());
            self.reached = before.max(Some(*time.start()));
            self.blamed.clear();
            self.pages.clear();
            return Judgement { is_back, ..Judgement::online() };
        }
        if !required && is_unreachable(this) && self.reached.is_some_and(|at| time.contains(&at)) {
            // The network was there while this server did not respond.
            return Judgement::online();
        }
        // Polls that are not stored yet are evidence too.
        let mut all: Vec<LastOutcome> = others.to_vec();
        let is_known = |feed: FeedKey| others.iter().any(|other| other.feed == feed);
        all.extend(self.blamed.iter().filter(|it| !is_known(it.feed)).cloned());
        let others: Vec<LastOutcome> = all.into_iter().filter(|it| it.feed != this.feed).collect();
        let mut exonerated: HashSet<FeedKey> = HashSet::new();
        for evidence in
            [unreachable(this, &others), same_target(this, &others), self.same_page(this)]
        {
            exonerated.extend(evidence.unwrap_or_default());
        }
        // The state stays offline until a server is reached.
        self.offline |= required || !exonerated.is_empty();
        self.known_online &= !self.offline;
        if !self.offline {
            self.blamed.retain(|blamed| blamed.feed != this.feed);
            self.blamed.push(this.clone());
            return Judgement::online();
        }
        let of_others = others.iter().filter(|other| exonerated.contains(&other.feed));
        let of_others = of_others.map(|other| (other.feed, other.id.clone()));
        let blamed = self.blamed.len();
        self.blamed.retain(|blamed| blamed.feed != this.feed);
        let was_blamed = self.blamed.len() < blamed;
        let blamed = self.blamed.iter().map(|blamed| (blamed.feed, blamed.id.clone()));
        let mut exonerated: Vec<_> = of_others.chain(blamed).collect();
        exonerated.sort_unstable();
        exonerated.dedup();
        Judgement { state: NetworkState::Offline, exonerated, was_blamed, is_back: false }
    }

    /// The feeds of sites that sent this page, if they are enough.
    fn same_page(&mut self, this: &LastOutcome) -> Option<Vec<FeedKey>> {
        let hash = this.body_hash.filter(|_| is_page(this) && is_new(this))?;
        self.pages.retain(|(_, _, feed)| *feed != this.feed);
        if self.pages.len() >= PAGES {
            self.pages.pop_front();
        }
        self.pages.push_back((hash, this.site.clone(), this.feed));
        let same = self.pages.iter().filter(|(other, _, _)| *other == hash);
        enough(same.map(|(_, site, feed)| (site.as_str(), *feed)))
    }
}

/// The unreachable feeds, if nothing was reached since the last success.
fn unreachable(this: &LastOutcome, others: &[LastOutcome]) -> Option<Vec<FeedKey>> {
    let reached = |other: &&LastOutcome| !is_unreachable(other) && !is_page(other);
    if !is_unreachable(this) || others.iter().any(|other| reached(&other)) {
        return None;
    }
    let all = others.iter().chain([this]).filter(|one| is_unreachable(one) && is_new(one));
    enough(all.map(|one| (one.site.as_str(), one.feed)))
}

/// The feeds that were redirected to the same page of another site.
fn same_target(this: &LastOutcome, others: &[LastOutcome]) -> Option<Vec<FeedKey>> {
    let target = this.redirected_to.as_ref().filter(|_| is_page(this))?;
    let same = |one: &&LastOutcome| {
        is_page(one) && is_new(one) && one.redirected_to.as_ref() == Some(target)
    };
    enough(others.iter().chain([this]).filter(same).map(|one| (one.site.as_str(), one.feed)))
}

/// The feeds, if they are of enough sites.
fn enough<'a>(feeds: impl Iterator<Item = (&'a str, FeedKey)>) -> Option<Vec<FeedKey>> {
    let (mut sites, mut keys) = (HashSet::new(), Vec::new());
    for (site, feed) in feeds {
        sites.insert(site);
        keys.push(feed);
    }
    (sites.len() >= SITES).then_some(keys)
}

/// Whether the feed worked until a short time ago.
fn is_new(poll: &LastOutcome) -> bool {
    poll.failures <= MOST_FAILURES
}

/// Whether neither the resolver nor the host answered. Any other failure comes from a server that was reached, as does
/// a response whose body takes too long.
fn is_unreachable(poll: &LastOutcome) -> bool {
    let kind = matches!(
        poll.outcome,
        Outcome::Failed(
            FailureKind::Resolver
                | FailureKind::Connect
                | FailureKind::Refused
                | FailureKind::Timeout
        )
    );
    kind && poll.status.is_none()
}

/// Whether a page came instead of the feed, as from a captive portal.
fn is_page(poll: &LastOutcome) -> bool {
    matches!(
        poll.outcome,
        Outcome::Failed(
            FailureKind::NotAFeed | FailureKind::Malformed | FailureKind::DifferentFeed
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(feed: i64, kind: FailureKind) -> LastOutcome {
        LastOutcome {
            feed: FeedKey(feed),
            id: FeedId::new(&format!("f{feed}")).unwrap(),
            site: format!("h{feed}.test"),
            outcome: Outcome::Failed(kind),
            status: None,
            redirected_to: None,
            body_hash: None,
            failures: 1,
        }
    }

    fn reached(feed: i64) -> LastOutcome {
        LastOutcome { outcome: Outcome::NotModified, ..failed(feed, FailureKind::Timeout) }
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(n).unwrap()
    }

    /// The time from one second to another.
    fn during(from: i64, to: i64) -> RangeInclusive<Timestamp> {
        second(from)..=second(to)
    }

    fn judge(this: &LastOutcome, others: &[LastOutcome]) -> Judgement {
        NetworkMonitor::default().judge(this, others, &during(1, 1))
    }

    #[test]
    fn several_unreachable_sites_mean_that_this_machine_is_offline() {
        let others = [failed(1, FailureKind::Resolver), failed(2, FailureKind::Timeout)];
        let third = failed(3, FailureKind::Refused);
        let mut network = NetworkMonitor::default();
        let judged = network.judge(&others[1], &others[..1], &during(1, 1));
        assert_eq!(judged.state, NetworkState::Online);
        let judged = network.judge(&third, &others, &during(2, 2));
        assert_eq!(judged.state, NetworkState::Offline);
        assert_eq!(judged.exonerated.iter().map(|(feed, _)| feed.0).collect::<Vec<_>>(), [1, 2]);
        // The state stays offline however rarely a site is tried.
        let fourth = failed(4, FailureKind::Resolver);
        assert_eq!(network.judge(&fourth, &[], &during(3, 3)).state, NetworkState::Offline);
        let judged = network.judge(&reached(1), &[], &during(4, 4));
        assert_eq!((judged.state, judged.is_back), (NetworkState::Online, true));
        assert!(!network.judge(&reached(1), &[], &during(5, 5)).is_back);
        assert_eq!(network.judge(&fourth, &[], &during(6, 6)).state, NetworkState::Online);
    }

    #[test]
    fn servers_that_respond_too_slowly_were_reached() {
        let slow = |feed| LastOutcome { status: Some(200), ..failed(feed, FailureKind::Timeout) };
        assert_eq!(judge(&slow(3), &[slow(1), slow(2)]).state, NetworkState::Online);
        let dead = |feed| failed(feed, FailureKind::Timeout);
        assert_eq!(judge(&dead(3), &[dead(1), dead(2)]).state, NetworkState::Offline);
    }

    #[test]
    fn timeouts_while_other_servers_were_reached_are_no_evidence() {
        let dead = |feed| failed(feed, FailureKind::Timeout);
        let mut network = NetworkMonitor::default();
        network.judge(&reached(9), &[], &during(20, 21));
        // Their requests were sent before, and end a minute later.
        let states = [1, 2, 3, 4].map(|n| network.judge(&dead(n), &[], &during(n, 60 + n)).state);
        assert_eq!(states, [NetworkState::Online; 4]);
        // Requests that were sent later, with a clock that was set back meanwhile or not.
        for start in [22, -1_000] {
            let mut network = NetworkMonitor::default();
            network.judge(&reached(9), &[], &during(20, 21));
            let later = |n| during(start + n, start + n + 60);
            let states = [1, 2, 3].map(|n| network.judge(&dead(n), &[], &later(n)).state);
            assert_eq!(states[2], NetworkState::Offline, "{start}");
        }
    }

    #[test]
    fn feeds_of_one_site_and_feeds_that_failed_long_before_are_no_evidence() {
        let mut others = [failed(1, FailureKind::Timeout), failed(2, FailureKind::Timeout)];
        others[1].site = "h1.test".to_owned();
        let third = failed(3, FailureKind::Timeout);
        assert_eq!(judge(&third, &others).state, NetworkState::Online);
        others[1] = LastOutcome { failures: 9, ..failed(2, FailureKind::Timeout) };
        assert_eq!(judge(&third, &others).state, NetworkState::Online);
    }

    #[test]
    fn a_server_that_was_reached_means_online() {
        let mut others = vec![failed(1, FailureKind::Timeout), failed(2, FailureKind::Timeout)];
        others.push(failed(4, FailureKind::NotFound));
        assert_eq!(judge(&failed(3, FailureKind::Timeout), &others).state, NetworkState::Online);
    }

    #[test]
    fn one_page_for_three_sites_is_a_captive_portal() {
        let portal = |feed: i64| LastOutcome {
            status: Some(200),
            redirected_to: Some("http://portal.test/".to_owned()),
            ..failed(feed, FailureKind::NotAFeed)
        };
        let judged = judge(&portal(3), &[portal(1), portal(2)]);
        assert_eq!((judged.state, judged.exonerated.len()), (NetworkState::Offline, 2));
        assert_eq!(judge(&portal(3), &[portal(1)]).state, NetworkState::Online);
        let mut network = NetworkMonitor::default();
        let page = |feed: i64| LastOutcome {
            status: Some(200),
            body_hash: Some([7; 32]),
            ..failed(feed, FailureKind::NotAFeed)
        };
        let states = [1, 2, 3].map(|n| network.judge(&page(n), &[], &during(n, n)).state);
        assert_eq!(states, [NetworkState::Online, NetworkState::Online, NetworkState::Offline]);
        let required = LastOutcome { status: Some(511), ..failed(1, FailureKind::ServerError) };
        assert_eq!(judge(&required, &[]).state, NetworkState::Offline);
    }
}
