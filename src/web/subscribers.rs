//! How many subscribe to an output: different clients per day, and the numbers that services report.
//!
//! Nothing about a client is kept. Its network address and its User-Agent are hashed with a random key that is valid for
//! one day, in memory only, and the hash changes at most one of 4,096 small counters per output, from which the number of
//! different hashes is estimated (`HyperLogLog`). Neither the key nor the counters are ever written; the numbers are.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use jiff::Timestamp;

use super::site::Peer;
use crate::model::SubscriberCount;
use crate::render::Format;
use crate::text::sha256::{Sha256, sha256};

/// Maximum number of services per output.
const MAX_SERVICES: usize = 100;
/// The largest number of subscribers that is believed.
const MAX_REPORTED: u64 = 10_000_000;
/// Maximum length of a User-Agent that is read, in bytes.
const MAX_AGENT: usize = 500;

/// The counts of one process.
#[derive(Debug, Default)]
pub(super) struct Subscribers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The present day, counted from 1970-01-01.
    day: i64,
    /// The key of the day.
    key: [u8; 32],
    /// The counts of the day by output.
    outputs: BTreeMap<String, Counters>,
    /// Counts of earlier days that are not stored yet.
    ended: Vec<SubscriberCount>,
}

#[derive(Debug, Default)]
struct Counters {
    clients: Distinct,
    /// Number of subscribers by the hash of the name of a service and the format.
    services: HashMap<u64, u64>,
}

impl Subscribers {
    /// Counts a request for the feed of an output.
    pub(super) fn count(
        &self,
        now: Timestamp,
        (output, format): (&str, Format),
        client: Option<Peer>,
        headers: &HeaderMap,
    ) {
        let agent = headers.get(USER_AGENT).map_or(&[][..], |agent| agent.as_bytes());
        let agent = &agent[..agent.len().min(MAX_AGENT)];
        let reported = reported(agent);
        let address = address(client, headers);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(now);
        let key = state.key;
        let hash = |parts: &[&[u8]]| {
            let mut hasher = Sha256::new();
            hasher.update(key);
            for part in parts {
                hasher.update(part.len().to_be_bytes());
                hasher.update(part);
            }
            let digest = hasher.finish();
            u64::from_be_bytes(std::array::from_fn(|at| digest[at]))
        };
        if !state.outputs.contains_key(output) {
            state.outputs.insert(output.to_owned(), Counters::default());
        }
        let Some(counters) = state.outputs.get_mut(output) else { return };
        let Some(reported) = reported else {
            return counters.clients.add(hash(&[output.as_bytes(), &address, agent]));
        };
        let name: Vec<u8> = agent.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect();
        let service = hash(&[output.as_bytes(), format.extension().as_bytes(), &name]);
        let services = &mut counters.services;
        if services.len() < MAX_SERVICES || services.contains_key(&service) {
            let number = services.entry(service).or_default();
            *number = reported.max(*number);
        }
    }

    /// The counts of the present day, and those of earlier days that are not stored yet.
    pub(super) fn counts(&self, now: Timestamp) -> Vec<SubscriberCount> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(now);
        state.ended.iter().cloned().chain(state.today()).collect()
    }

    /// Forgets counts of earlier days, because they are stored.
    pub(super) fn forget(&self, stored: &[SubscriberCount]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended.retain(|count| !stored.contains(count));
    }
}

impl State {
    /// Begins another day with another key.
    fn turn(&mut self, now: Timestamp) {
        let day = now.as_second().div_euclid(86_400);
        if day == self.day && self.key != [0; 32] {
            return;
        }
        let ended: Vec<SubscriberCount> = self.today().collect();
        // Bounded while the database cannot be written.
        if self.ended.len() < 10_000 {
            self.ended.extend(ended);
        }
        self.outputs.clear();
        self.day = day;
        self.key = random();
    }

    fn today(&self) -> impl Iterator<Item = SubscriberCount> {
        self.outputs.iter().map(|(output, counters)| SubscriberCount {
            output: output.clone(),
            day: self.day,
            clients: counters.clients.estimate(),
            reported: counters.services.values().sum(),
        })
    }
}

/// A random key for the hashes of client addresses.
fn random() -> [u8; 32] {
    let mut key = [0; 32];
    let read = rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty());
    if read != Ok(key.len()) {
        // Only before the system has started. Another address of memory is hard to guess, too.
        let place = std::ptr::from_ref(&key).addr().to_be_bytes();
        key.copy_from_slice(&sha256(place));
    }
    key
}

/// What distinguishes the network of a client. A proxy on this machine, or before a Unix socket, reports it.
fn address(client: Option<Peer>, headers: &HeaderMap) -> Vec<u8> {
    let peer = match client {
        Some(Peer::Address(address)) => Some(address.to_canonical()),
        Some(Peer::Unix) | None => None,
    };
    if let Some(address) = peer.filter(|address| !address.is_loopback()) {
        return network(address);
    }
    // The last address is the one that the nearest proxy has added.
    let reported = headers.get_all("x-forwarded-for").iter().next_back();
    let reported =
        reported.and_then(|line| line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    reported.map_or_else(Vec::new, |address: IpAddr| network(address.to_canonical()))
}

/// An IPv4 address, or the first half of an IPv6 address, because the second half changes every day.
fn network(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// The number of subscribers in a User-Agent: `Feedbin feed-id:1 - 12 subscribers`.
fn reported(agent: &[u8]) -> Option<u64> {
    let words = agent.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut before: &[u8] = &[];
    for word in words {
        let names = word.eq_ignore_ascii_case(b"subscribers")
            || word.eq_ignore_ascii_case(b"subscriber")
            || word.eq_ignore_ascii_case(b"readers")
            || word.eq_ignore_ascii_case(b"reader");
        let number = str::from_utf8(before).ok().and_then(|number| number.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| names) {
            return Some(number.min(MAX_REPORTED));
        }
        before = word;
    }
    None
}

/// Number of bits of a hash that choose a counter.
const BITS: u32 = 12;
const COUNTERS: usize = 1 << BITS;

/// An estimate of the number of different hashes, with an error of about 2 %.
///
/// Flajolet, Fusy, Gandouet and Meunier: `HyperLogLog` (2007).
#[derive(Debug)]
struct Distinct(Box<[u8; COUNTERS]>);

impl Default for Distinct {
    fn default() -> Self {
        Self(Box::new([0; COUNTERS]))
    }
}

impl Distinct {
    fn add(&mut self, hash: u64) {
        let (place, rest) = (hash >> (u64::BITS - BITS), hash << BITS | 1 << (BITS - 1));
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(u8::MAX);
        if let Some(counter) = usize::try_from(place).ok().and_then(|at| self.0.get_mut(at)) {
            *counter = rank.max(*counter);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    fn estimate(&self) -> u64 {
        let count = COUNTERS as f64;
        let zeros = self.0.iter().filter(|counter| **counter == 0).count() as f64;
        let sum: f64 = self.0.iter().map(|counter| (-f64::from(*counter)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let estimate = match raw <= 2.5 * count && zeros > 0.0 {
            true => count * (count / zeros).ln(),
            false => raw,
        };
        estimate.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const NOON: i64 = 20_000 * 86_400 + 43_200;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn agent(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_str(text).unwrap())])
    }

    fn peer(address: &str) -> Option<Peer> {
        Some(Peer::Address(address.parse().unwrap()))
    }

    /// The counts of a day with a known key, because with a random one two of five clients share a counter in one of 400
    /// runs.
    fn counted_with(key: u8) -> Subscribers {
        Subscribers(Mutex::new(State { day: NOON / 86_400, key: [key; 32], ..State::default() }))
    }

    /// Clients and reported subscribers of the last day.
    fn last(subscribers: &Subscribers, now: i64) -> (u64, u64) {
        subscribers.counts(at(now)).last().map_or((0, 0), |count| (count.clients, count.reported))
    }

    #[test]
    fn clients_are_distinguished_by_address_and_user_agent() {
        let subscribers = counted_with(1);
        let count = |address, name: &str| {
            subscribers.count(at(NOON), ("planet", Format::Atom), peer(address), &agent(name));
            last(&subscribers, NOON).0
        };
        assert_eq!(count("192.0.2.1", "A/1"), 1);
        assert_eq!(count("192.0.2.1", "A/1"), 1, "the same again");
        assert_eq!(count("192.0.2.1", "B/1"), 2, "another program");
        assert_eq!(count("192.0.2.2", "A/1"), 3, "another address");
        assert_eq!(count("2001:db8::1", "A/1"), 4);
        assert_eq!(count("2001:db8::2", "A/1"), 4, "the same network");
        assert_eq!(count("2001:db8:0:1::2", "A/1"), 5);
    }

    #[test]
    fn a_proxy_on_this_machine_reports_the_addresses() {
        let subscribers = counted_with(1);
        let count = |peer, forwarded: &'static str| {
            let mut headers = agent("A/1");
            headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
            subscribers.count(at(NOON), ("planet", Format::Atom), peer, &headers);
            last(&subscribers, NOON).0
        };
        assert_eq!(count(peer("127.0.0.1"), "198.51.100.7"), 1);
        assert_eq!(count(Some(Peer::Unix), "10.0.0.1, 198.51.100.7"), 1, "the nearest proxy");
        assert_eq!(count(peer("::1"), "198.51.100.8"), 2);
        assert_eq!(count(peer("192.0.2.1"), "198.51.100.9"), 3);
        assert_eq!(count(peer("192.0.2.1"), "198.51.100.10"), 3, "no proxy of this machine");
    }

    #[test]
    fn services_report_their_subscribers() {
        for (agent, number) in [
            ("Feedbin feed-id:1373711 - 142 subscribers", Some(142)),
            ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers; )", Some(16)),
            ("Mozilla/5.0 (compatible; inoreader.com; 1 subscribers)", Some(1)),
            ("NewsBlur Feed Fetcher - 1 subscriber - https://newsblur.com", Some(1)),
            ("Netvibes (http://www.netvibes.com/; 99 readers)", Some(99)),
            ("X 99999999999999999 subscribers", Some(MAX_REPORTED)),
            ("Tiny Tiny RSS/2.0 (https://tt-rss.org/)", None),
            ("Feed Reader 2", None),
            ("subscribers", None),
            ("", None),
        ] {
            assert_eq!(reported(agent.as_bytes()), number, "{agent}");
        }
        let subscribers = counted_with(1);
        let count = |format, name: &str| {
            subscribers.count(at(NOON), ("planet", format), peer("192.0.2.1"), &agent(name));
            last(&subscribers, NOON)
        };
        assert_eq!(count(Format::Atom, "Feedbin feed-id:1 - 10 subscribers"), (0, 10));
        assert_eq!(count(Format::Atom, "Feedbin feed-id:1 - 12 subscribers"), (0, 12));
        assert_eq!(count(Format::Rss, "Feedbin feed-id:2 - 3 subscribers"), (0, 15));
        assert_eq!(count(Format::Atom, "NewsBlur - 5 subscribers"), (0, 20));
        assert_eq!(count(Format::Atom, "curl/8"), (1, 20));
    }

    #[test]
    fn each_day_has_another_key_and_counts_from_zero() {
        let count = |subscribers: &Subscribers, now: i64| {
            subscribers.count(at(now), ("planet", Format::Atom), peer("192.0.2.1"), &agent("A"));
            let state = subscribers.0.lock().unwrap();
            (state.key, *state.outputs["planet"].clients.0)
        };
        let marks = [1, 2].map(|key| count(&counted_with(key), NOON).1);
        assert_ne!(marks[0], marks[1], "the same client leaves another mark with another key");
        let subscribers = Subscribers::default();
        let keys = [NOON, NOON + 86_400].map(|now| count(&subscribers, now).0);
        assert_ne!(keys[0], keys[1]);
        let counts = subscribers.counts(at(NOON + 86_400));
        let days: Vec<_> = counts.iter().map(|count| (count.day, count.clients)).collect();
        assert_eq!(days, [(20_000, 1), (20_001, 1)]);
        assert_eq!(counts[0].date(), "2024-10-04");
        subscribers.forget(&counts);
        assert_eq!(subscribers.counts(at(NOON + 86_400)).len(), 1);
    }

    #[test]
    fn the_estimate_is_close_and_memory_is_bounded() {
        for number in [1_u64, 10, 100, 1_000, 20_000] {
            let mut distinct = Distinct::default();
            for n in 0..number {
                let digest = sha256(n.to_be_bytes());
                distinct.add(u64::from_be_bytes(std::array::from_fn(|at| digest[at])));
            }
            let error = (distinct.estimate() as f64 - number as f64).abs() / number as f64;
            assert!(error < 0.05, "{number}: {}", distinct.estimate());
        }
        let subscribers = Subscribers::default();
        for n in 0..10 * MAX_SERVICES {
            // Letters, because digits are left out.
            let name: String = n.to_string().bytes().map(|b| char::from(b + 49)).collect();
            let service = agent(&format!("{name} 1 subscribers"));
            subscribers.count(at(NOON), ("planet", Format::Atom), None, &service);
        }
        assert_eq!(last(&subscribers, NOON), (0, MAX_SERVICES as u64));
    }
}
