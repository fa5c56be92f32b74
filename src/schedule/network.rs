//! Detects that this machine is offline, so that failures are not counted against feeds. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::{FailureKind, FetchOutcome};

/// Number of different hosts that must be unreachable.
const HOSTS: usize = 3;
/// Time within which they must be unreachable, without a reachable host in between.
const WINDOW: Duration = Duration::from_secs(60);

/// State of this machine's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkState {
    /// At least one host was reachable recently, or too few were tried.
    Online,
    /// No host is reachable.
    Offline,
}

/// Derives the state of the network from the outcomes of polls.
#[derive(Debug, Default)]
pub struct NetworkMonitor {
    /// Unreachable hosts and the times of the attempts, since the last reachable host.
    unreachable: VecDeque<(Duration, String)>,
    offline: bool,
}

impl NetworkMonitor {
    /// The state now.
    #[must_use]
    pub fn state(&self) -> NetworkState {
        if self.offline { NetworkState::Offline } else { NetworkState::Online }
    }

    /// Adds the outcome of a poll. `now` is monotonic. Returns the state.
    pub fn observe(&mut self, host: &str, outcome: &FetchOutcome, now: Duration) -> NetworkState {
        if !is_unreachable(outcome) {
            self.unreachable.clear();
            self.offline = false;
            return NetworkState::Online;
        }
        while self.unreachable.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.unreachable.pop_front();
        }
        if !self.unreachable.iter().any(|(_, known)| known == host)
            && self.unreachable.len() < HOSTS
        {
            self.unreachable.push_back((now, host.to_owned()));
        }
        // The state stays offline until a host is reached.
        self.offline |= self.unreachable.len() >= HOSTS;
        self.state()
    }
}

/// Whether neither the resolver nor the host answered. Any other failure comes from a server that was reached.
fn is_unreachable(outcome: &FetchOutcome) -> bool {
    match outcome {
        FetchOutcome::Failed(failure) => {
            matches!(failure.kind, FailureKind::Resolver | FailureKind::Connect)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    fn lost(kind: FailureKind) -> FetchOutcome {
        FetchOutcome::Failed(Failure::new(kind, "x"))
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn several_unreachable_hosts_mean_that_this_machine_is_offline() {
        let mut network = NetworkMonitor::default();
        let resolver = lost(FailureKind::Resolver);
        assert_eq!(network.observe("a", &resolver, seconds(0)), NetworkState::Online);
        assert_eq!(network.observe("a", &resolver, seconds(1)), NetworkState::Online);
        assert_eq!(
            network.observe("b", &lost(FailureKind::Connect), seconds(2)),
            NetworkState::Online
        );
        assert_eq!(network.observe("c", &resolver, seconds(3)), NetworkState::Offline);
        // The state stays offline however rarely a host is tried.
        assert_eq!(network.observe("d", &resolver, seconds(900)), NetworkState::Offline);
        assert_eq!(
            network.observe("a", &FetchOutcome::NotModified, seconds(901)),
            NetworkState::Online
        );
        assert_eq!(network.observe("b", &resolver, seconds(902)), NetworkState::Online);
    }

    #[test]
    fn single_unreachable_hosts_do_not_mean_offline() {
        let mut network = NetworkMonitor::default();
        for (n, host) in ["a", "b", "c", "d", "e"].iter().enumerate() {
            let at = seconds(40 * n as u64);
            assert_eq!(
                network.observe(host, &lost(FailureKind::Connect), at),
                NetworkState::Online
            );
        }
    }

    #[test]
    fn failures_that_a_server_reports_do_not_mean_offline() {
        let mut network = NetworkMonitor::default();
        for host in ["a", "b", "c", "d"] {
            for kind in [
                FailureKind::Refused,
                FailureKind::ServerError,
                FailureKind::NameNotFound,
                FailureKind::Tls,
            ] {
                assert_eq!(network.observe(host, &lost(kind), seconds(1)), NetworkState::Online);
            }
        }
    }
}
