//! Whether this machine is offline: then the failures are no feed's fault. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::{FailureKind, FetchOutcome};

/// So many different hosts must be out of reach,
const HOSTS: usize = 3;
/// all within this time, and none reached in between.
const WINDOW: Duration = Duration::from_secs(60);

/// What the failures say of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkState {
    /// The network is there, as far as can be told.
    Online,
    /// It is not.
    Offline,
}

/// What the last polls tell of the network.
#[derive(Debug, Default)]
pub struct NetworkMonitor {
    /// Hosts that could not be reached, and when; none was reached since.
    lost: VecDeque<(Duration, String)>,
    offline: bool,
}

impl NetworkMonitor {
    /// What is believed now.
    #[must_use]
    pub fn state(&self) -> NetworkState {
        if self.offline { NetworkState::Offline } else { NetworkState::Online }
    }

    /// Takes in how the poll of a host ended, at a moment on the monotonic scale.
    pub fn observe(&mut self, host: &str, outcome: &FetchOutcome, now: Duration) -> NetworkState {
        if !is_out_of_reach(outcome) {
            self.lost.clear();
            self.offline = false;
            return NetworkState::Online;
        }
        while self.lost.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.lost.pop_front();
        }
        if !self.lost.iter().any(|(_, known)| known == host) && self.lost.len() < HOSTS {
            self.lost.push_back((now, host.to_owned()));
        }
        // Once offline, it lasts until somebody is reached.
        self.offline |= self.lost.len() >= HOSTS;
        self.state()
    }
}

/// No answer of the name server, or no connection: it may be us. Whatever a server says, it said.
fn is_out_of_reach(outcome: &FetchOutcome) -> bool {
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
    fn many_hosts_out_of_reach_at_once_are_our_own_fault() {
        let mut network = NetworkMonitor::default();
        let resolver = lost(FailureKind::Resolver);
        assert_eq!(network.observe("a", &resolver, seconds(0)), NetworkState::Online);
        assert_eq!(network.observe("a", &resolver, seconds(1)), NetworkState::Online);
        assert_eq!(
            network.observe("b", &lost(FailureKind::Connect), seconds(2)),
            NetworkState::Online
        );
        assert_eq!(network.observe("c", &resolver, seconds(3)), NetworkState::Offline);
        // It lasts as long as nobody is reached, however seldom somebody is tried.
        assert_eq!(network.observe("d", &resolver, seconds(900)), NetworkState::Offline);
        assert_eq!(
            network.observe("a", &FetchOutcome::NotModified, seconds(901)),
            NetworkState::Online
        );
        assert_eq!(network.observe("b", &resolver, seconds(902)), NetworkState::Online);
    }

    #[test]
    fn single_hosts_now_and_then_are_their_own() {
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
    fn whatever_a_server_says_was_said_by_a_server() {
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
