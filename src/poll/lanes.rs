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
    places: Places,
    at_once: usize,
    /// Monotonic time of the earliest next start.
    next: Duration,
}

/// What a request acquires of a lane.
#[derive(Debug, Clone)]
struct Places {
    /// Held until the response arrives.
    turns: Arc<Semaphore>,
    /// Until the request is sent, which may take time: it is written first. Thus the spacing is that of the requests.
    door: Arc<Semaphore>,
}

/// The right to send one request; it ends when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// Whether it had to wait for others.
    pub(super) waited: bool,
    doors: Vec<OwnedSemaphorePermit>,
    turns: Vec<OwnedSemaphorePermit>,
}

/// The lanes of a request.
struct Turns {
    /// `None`: the site gets one request at once.
    url: Option<Places>,
    site: Places,
    /// `None` behind a proxy.
    address: Option<Places>,
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
        let (turns, door) = (Arc::new(Semaphore::new(at_once)), Arc::new(Semaphore::new(1)));
        Self { places: Places { turns, door }, at_once, next: Duration::ZERO }
    }

    /// Allows at least this many requests at once.
    fn widen(&mut self, at_once: usize) {
        if at_once > self.at_once {
            self.places.turns.add_permits(at_once - self.at_once);
            self.at_once = at_once;
        }
    }

    fn is_idle(&self, now: Duration) -> bool {
        self.next <= now && Arc::strong_count(&self.places.turns) == 1
    }
}

impl Lanes {
    /// Waits until the request may be sent.
    pub(super) async fn turn(&self, waiting: Waiting<'_>, clock: &Clock) -> Option<Turn> {
        let Turns { url, site, address } = self.turns(waiting, clock.elapsed());
        let mut turn = Turn { waited: false, doors: Vec::new(), turns: Vec::new() };
        if let Some(url) = url {
            let place = acquire(url.turns, &mut turn.waited).await?;
            turn.turns.push(place);
        }
        turn.enter(site).await?;
        turn.pause(self.reserve_site(waiting, clock.elapsed()), clock).await;
        // Other sites may use the address while this one waits for its own time.
        if let Some(address) = address {
            turn.enter(address).await?;
            turn.pause(self.reserve_address(waiting, clock.elapsed()), clock).await;
        }
        Some(turn)
    }

    /// Notes that the request was sent, so that the next one may take its time.
    pub(super) fn sent(&self, waiting: Waiting<'_>, turn: &mut Turn, now: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let spacing = waiting.limits.spacing;
        if let Some(site) = state.sites.get_mut(waiting.site) {
            site.next = site.next.max(now + spacing);
        }
        let address = waiting.address.and_then(|address| state.addresses.get_mut(&address));
        if let Some(address) = address {
            address.next = address.next.max(now + spacing / SHARED_ADDRESS);
        }
        turn.doors.clear();
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
            lane.places.clone()
        });
        let site = state.sites.entry(waiting.site.to_owned()).or_insert_with(|| {
            let mut lane = Lane::new(at_once);
            // Another process may have asked just before.
            let gone = waiting.since_last.unwrap_or(Duration::MAX);
            lane.next = now + waiting.limits.spacing.saturating_sub(gone);
            lane
        });
        site.widen(at_once);
        let site = site.places.clone();
        let address = waiting.address.map(|address| {
            let at_once = at_once.max(ADDRESS_AT_ONCE);
            let lane = state.addresses.entry(address).or_insert_with(|| Lane::new(at_once));
            lane.widen(at_once);
            lane.places.clone()
        });
        Turns { url, site, address }
    }

    /// Takes the next free time of the site. Returns it on the monotonic clock.
    fn reserve_site(&self, waiting: Waiting<'_>, now: Duration) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { sites, new_sites, next_new_site, .. } = &mut *state;
        let mut site = sites.get_mut(waiting.site);
        let mut start = site.as_ref().map_or(now, |site| now.max(site.next));
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
        start
    }

    /// Takes the next free time of the address. Returns it on the monotonic clock.
    fn reserve_address(&self, waiting: Waiting<'_>, now: Duration) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = waiting.address.and_then(|address| state.addresses.get_mut(&address));
        let Some(lane) = lane else { return now };
        let start = now.max(lane.next);
        lane.next = start + waiting.limits.spacing / SHARED_ADDRESS;
        start
    }
}

impl Turn {
    /// Takes a place and the door of a lane.
    async fn enter(&mut self, places: Places) -> Option<()> {
        self.turns.push(acquire(places.turns, &mut self.waited).await?);
        self.doors.push(acquire(places.door, &mut self.waited).await?);
        Some(())
    }

    /// Waits until `start` on the monotonic clock.
    async fn pause(&mut self, start: Duration, clock: &Clock) {
        if start > clock.elapsed() {
            self.waited = true;
            clock.sleep_until(start).await;
        }
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

    use futures_util::FutureExt as _;
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
            let site = lanes.reserve_site(*waiting, Duration::ZERO);
            lanes.reserve_address(*waiting, site).as_secs_f64()
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

    #[tokio::test]
    async fn the_spacing_counts_from_the_time_when_a_request_was_sent() {
        let limits = Limits { at_once: 3, ..LIMITS };
        for (other, rest) in [("a.test", 2_000), ("b.test", 200)] {
            let (lanes, clock) = (Lanes::default(), Clock::manual(Timestamp::UNIX_EPOCH));
            let first = Waiting { limits, ..waiting("a.test", 1, false) };
            let next = Waiting { limits, url: "https://a.test/2", ..waiting(other, 1, false) };
            let mut turn = lanes.turn(first, &clock).await.unwrap();
            let mut second = std::pin::pin!(lanes.turn(next, &clock));
            // The first one is not sent yet, although its time is over.
            clock.advance(Duration::from_secs(5));
            assert!((&mut second).now_or_never().is_none(), "{other}");
            lanes.sent(first, &mut turn, clock.elapsed());
            clock.advance(Duration::from_millis(rest - 1));
            assert!((&mut second).now_or_never().is_none(), "{other}");
            clock.advance(Duration::from_millis(1));
            assert!(second.await.is_some(), "{other}");
        }
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
                let mut turn = lanes.turn(waiting, &clock).await.unwrap();
                lanes.sent(waiting, &mut turn, clock.elapsed());
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
