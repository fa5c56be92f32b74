//! Turns of requests within this process: how many at once and how far apart, by site and by IP address.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::gate::Limits;
use crate::clock::Clock;
use crate::schedule::{FREE_HOSTS, new_host_spacing};

/// Least number of requests at once to one address that serves several sites.
const ADDRESS_AT_ONCE: usize = 2;
/// Requests to one address may follow each other this many times faster than requests to one site.
const SHARED_ADDRESS: u32 = 10;
/// Number of lanes from which those without requests are removed.
const MANY: usize = 2_048;

/// The lanes of all sites and addresses.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// URLs of sites that get several requests at once.
    urls: HashMap<String, Lane>,
    sites: HashMap<String, Lane>,
    addresses: HashMap<IpAddr, Lane>,
    /// Sites that were new when this process asked them.
    new_sites: HashSet<String>,
    /// Monotonic time of the earliest request to another new site.
    next_new_site: Duration,
}

#[derive(Debug)]
struct Lane {
    turns: Arc<Semaphore>,
    at_once: usize,
    /// Monotonic time of the earliest next start.
    next: Duration,
}

/// The right to send one request; it ends when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// Whether it had to wait for others.
    pub(super) waited: bool,
    _url: Option<OwnedSemaphorePermit>,
    _site: OwnedSemaphorePermit,
    _address: Option<OwnedSemaphorePermit>,
}

/// What a request has to acquire.
struct Turns {
    /// `None`: the site gets one request at once.
    url: Option<Arc<Semaphore>>,
    site: Arc<Semaphore>,
    /// `None` behind a proxy.
    address: Option<Arc<Semaphore>>,
}

/// A request that waits for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) url: &'a str,
    pub(super) site: &'a str,
    pub(super) address: Option<IpAddr>,
    pub(super) limits: Limits,
    /// Time since the last request to the site in any process; `None`: there was none.
    pub(super) since_last: Option<Duration>,
}

impl Lane {
    fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { turns: Arc::new(Semaphore::new(at_once)), at_once, next: Duration::ZERO }
    }

    /// Allows at least this many requests at once.
    fn widen(&mut self, at_once: usize) {
        if at_once > self.at_once {
            self.turns.add_permits(at_once - self.at_once);
            self.at_once = at_once;
        }
    }

    fn is_idle(&self, now: Duration) -> bool {
        self.next <= now && Arc::strong_count(&self.turns) == 1
    }
}

impl Lanes {
    /// Waits until the request may be sent.
    pub(super) async fn turn(&self, waiting: Waiting<'_>, clock: &Clock) -> Option<Turn> {
        let Turns { url, site, address } = self.turns(waiting, clock.elapsed());
        let mut waited = false;
        let url = match url {
            Some(url) => Some(acquire(url, &mut waited).await?),
            None => None,
        };
        let site = acquire(site, &mut waited).await?;
        let address = match address {
            Some(address) => Some(acquire(address, &mut waited).await?),
            None => None,
        };
        let start = self.reserve(waiting, clock.elapsed());
        if start > clock.elapsed() {
            waited = true;
            clock.sleep_until(start).await;
        }
        Some(Turn { waited, _url: url, _site: site, _address: address })
    }

    /// Notes that the request was sent, which may be later than its turn: it is written first.
    pub(super) fn sent(&self, waiting: Waiting<'_>, now: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let spacing = waiting.limits.spacing;
        if let Some(site) = state.sites.get_mut(waiting.site) {
            site.next = site.next.max(now + spacing);
        }
        let address = waiting.address.and_then(|address| state.addresses.get_mut(&address));
        if let Some(address) = address {
            address.next = address.next.max(now + spacing / SHARED_ADDRESS);
        }
    }

    /// The turns of the URL, of the site and of the address.
    fn turns(&self, waiting: Waiting<'_>, now: Duration) -> Turns {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.sites.len() + state.urls.len() > MANY {
            state.urls.retain(|_, lane| !lane.is_idle(now));
            state.sites.retain(|_, lane| !lane.is_idle(now));
            state.addresses.retain(|_, lane| !lane.is_idle(now));
        }
        let at_once = waiting.limits.at_once;
        let url = (at_once > 1).then(|| {
            let lane = state.urls.entry(waiting.url.to_owned()).or_insert_with(|| Lane::new(1));
            Arc::clone(&lane.turns)
        });
        let site = state.sites.entry(waiting.site.to_owned()).or_insert_with(|| {
            let mut lane = Lane::new(at_once);
            // Another process may have asked just before.
            let gone = waiting.since_last.unwrap_or(Duration::MAX);
            lane.next = now + waiting.limits.spacing.saturating_sub(gone);
            lane
        });
        site.widen(at_once);
        let site = Arc::clone(&site.turns);
        let address = waiting.address.map(|address| {
            let at_once = at_once.max(ADDRESS_AT_ONCE);
            let lane = state.addresses.entry(address).or_insert_with(|| Lane::new(at_once));
            lane.widen(at_once);
            Arc::clone(&lane.turns)
        });
        Turns { url, site, address }
    }

    /// Takes the next free time. Returns it on the monotonic clock.
    fn reserve(&self, waiting: Waiting<'_>, now: Duration) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { sites, addresses, new_sites, next_new_site, .. } = &mut *state;
        let (mut site, mut address) = (
            sites.get_mut(waiting.site),
            waiting.address.and_then(|address| addresses.get_mut(&address)),
        );
        let lanes = [site.as_ref(), address.as_ref()];
        let mut start = lanes.into_iter().flatten().fold(now, |start, lane| start.max(lane.next));
        let spacing = waiting.limits.spacing;
        if waiting.since_last.is_none() && new_sites.insert(waiting.site.to_owned()) {
            if new_sites.len() > FREE_HOSTS {
                start = start.max(*next_new_site);
            }
            *next_new_site = start + new_host_spacing(spacing);
        }
        if let Some(site) = &mut site {
            site.next = start + spacing;
        }
        if let Some(address) = &mut address {
            address.next = start + spacing / SHARED_ADDRESS;
        }
        start
    }
}

/// Takes a turn; notes whether it had to wait.
async fn acquire(turns: Arc<Semaphore>, waited: &mut bool) -> Option<OwnedSemaphorePermit> {
    if let Ok(turn) = Arc::clone(&turns).try_acquire_owned() {
        return Some(turn);
    }
    *waited = true;
    turns.acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;

    use super::*;

    const LIMITS: Limits = Limits { at_once: 1, spacing: Duration::from_secs(2) };

    fn waiting(site: &str, address: u8, is_new: bool) -> Waiting<'_> {
        let since_last = (!is_new).then_some(Duration::from_secs(3600));
        let (url, address) = ("https://a.test/feed", Some([192, 0, 2, address].into()));
        Waiting { url, site, address, limits: LIMITS, since_last }
    }

    /// The times at which requests to these sites may start, if all ask at once.
    fn starts(requests: &[Waiting<'_>]) -> Vec<f64> {
        let lanes = Lanes::default();
        let start = |waiting: &Waiting<'_>| {
            drop(lanes.turns(*waiting, Duration::ZERO));
            lanes.reserve(*waiting, Duration::ZERO).as_secs_f64()
        };
        requests.iter().map(start).collect()
    }

    #[test]
    fn requests_to_a_site_are_spaced_whatever_url_leads_to_it() {
        let same = [waiting("a.test", 1, false); 3];
        assert_eq!(starts(&same), [0.0, 2.0, 4.0]);
    }

    #[test]
    fn sites_at_one_address_are_asked_one_after_another() {
        let sites = ["a.test", "b.test", "c.test"].map(|site| waiting(site, 1, false));
        assert_eq!(starts(&sites), [0.0, 0.2, 0.4]);
        let apart = [waiting("a.test", 1, false), waiting("b.test", 2, false)];
        assert_eq!(starts(&apart), [0.0, 0.0]);
    }

    #[test]
    fn new_sites_beyond_the_first_ones_start_two_in_a_second() {
        let sites: Vec<String> = (0..20).map(|n| format!("h{n}.test")).collect();
        let new: Vec<_> = (0..20).map(|n| waiting(&sites[n as usize], n, true)).collect();
        let starts = starts(&new);
        assert_eq!(starts[..16], [0.0; 16]);
        assert_eq!(starts[16..], [0.5, 1.0, 1.5, 2.0]);
    }

    #[test]
    fn the_spacing_counts_from_the_time_when_a_request_was_sent() {
        let (lanes, waiting) = (Lanes::default(), waiting("a.test", 1, false));
        drop(lanes.turns(waiting, Duration::ZERO));
        assert_eq!(lanes.reserve(waiting, Duration::ZERO), Duration::ZERO);
        lanes.sent(waiting, Duration::from_secs(5));
        assert_eq!(lanes.reserve(waiting, Duration::from_secs(5)), Duration::from_secs(7));
    }

    #[test]
    fn a_request_of_another_process_counts_for_the_spacing() {
        let since_last = Some(Duration::from_millis(500));
        let just = Waiting { since_last, ..waiting("a.test", 1, false) };
        assert_eq!(starts(&[just]), [1.5]);
    }

    #[tokio::test]
    async fn fifteen_sites_at_one_address_get_two_requests_at_once() {
        let (lanes, clock) = (Arc::new(Lanes::default()), Clock::manual(Timestamp::UNIX_EPOCH));
        let limits = Limits { at_once: 1, spacing: Duration::ZERO };
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..15 {
            let (lanes, clock, open, most) =
                (Arc::clone(&lanes), clock.clone(), Arc::clone(&open), Arc::clone(&most));
            tasks.spawn(async move {
                let site = format!("h{n}.test");
                let waiting = Waiting { limits, ..waiting(&site, 1, false) };
                let turn = lanes.turn(waiting, &clock).await.unwrap();
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                open.fetch_sub(1, Ordering::SeqCst);
                drop(turn);
            });
        }
        while tasks.join_next().await.is_some() {}
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
