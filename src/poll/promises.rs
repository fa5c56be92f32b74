//! The promises that a response leads to. Pure.

use std::collections::HashSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::model::{Freshness, Promise, PromiseReason, PromiseScope};

/// Longest wait that a server can ask for.
const LONGEST_DEMAND: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest freshness lifetime that is written: the default of `max_interval`.
const LONGEST_FRESH: SignedDuration = SignedDuration::from_hours(24);
/// Wait after a 429 without `Retry-After`. The plan of the feed adds its back-off.
const THROTTLED: SignedDuration = SignedDuration::from_mins(30);
/// Wait of a site after the third URL with a 5xx.
const SERVER_ERRORS: SignedDuration = SignedDuration::from_mins(60);
/// Number of other URLs of a site with a 5xx, within the time of [`THROTTLED_TOGETHER`], that hold it.
const OTHERS_FAILED: usize = 2;
/// If two URLs of one site are throttled within this time, the limit is the site's; the same for two sites of one
/// address.
const THROTTLED_TOGETHER: SignedDuration = SignedDuration::from_mins(10);

/// One response of an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) url: &'a Url,
    /// Site of the URL.
    pub(super) host: &'a str,
    /// `None` behind a proxy.
    pub(super) address: Option<IpAddr>,
    /// `None`: a redirect, or no response.
    pub(super) status: Option<u16>,
    pub(super) freshness: Freshness,
}

impl Answered<'_> {
    /// Whether the server asked for fewer requests. RFC 6585 4, RFC 9110 15.6.4.
    pub(super) fn is_throttled(&self) -> bool {
        match self.status {
            Some(429) => true,
            Some(503) => self.freshness.retry_after.is_some(),
            _ => false,
        }
    }
}

/// Promises of before this time do not count together with those of `now`.
pub(super) fn recent(now: Timestamp) -> Timestamp {
    now.saturating_sub(THROTTLED_TOGETHER).unwrap_or(Timestamp::MIN)
}

/// The promises of one response. `known` has those about its site and its address.
pub(super) fn of(answered: &Answered<'_>, known: &[Promise], now: Timestamp) -> Vec<Promise> {
    let Answered { url, host, freshness, .. } = *answered;
    let promise = |scope, key: &str, wait: SignedDuration, reason| Promise {
        scope,
        key: key.to_owned(),
        host: host.to_owned(),
        until: now.saturating_add(wait).unwrap_or(Timestamp::MAX),
        reason,
        response_url: url.to_string(),
        at: now,
    };
    let (mut promises, this) = (Vec::new(), url.as_str());
    let asked = freshness.retry_after.map(|wait| wait.min(LONGEST_DEMAND));
    if let Some(wait) = asked {
        promises.push(promise(PromiseScope::Url, this, wait, PromiseReason::RetryAfter));
    }
    if let Some(wait) = freshness.host_pause {
        promises.push(promise(PromiseScope::Host, host, wait, PromiseReason::RateLimit));
    }
    if let Some(wait) = freshness.remaining.map(|wait| wait.min(LONGEST_FRESH)) {
        promises.push(promise(PromiseScope::Url, this, wait, PromiseReason::Fresh));
    }
    if answered.is_throttled() {
        let wait = asked.unwrap_or(THROTTLED);
        if asked.is_none() {
            promises.push(promise(PromiseScope::Url, this, wait, PromiseReason::Throttled));
        }
        for (scope, key, wait) in wider(answered, known, wait, now) {
            promises.push(promise(scope, &key, wait, PromiseReason::Throttled));
        }
    } else if matches!(answered.status, Some(500..=599)) {
        // A promise that has ended, from which the third one is recognised.
        let reason = PromiseReason::ServerErrors;
        promises.push(promise(PromiseScope::Url, this, SignedDuration::ZERO, reason));
        if other_failures(answered, known, now) >= OTHERS_FAILED {
            promises.push(promise(PromiseScope::Host, host, SERVER_ERRORS, reason));
        }
    }
    promises
}

/// The waits of the site and of the address of a throttled URL. The first throttled URL leaves waits that have ended,
/// from which the second one is recognised.
fn wider(
    answered: &Answered<'_>,
    known: &[Promise],
    wait: SignedDuration,
    now: Timestamp,
) -> Vec<(PromiseScope, String, SignedDuration)> {
    let (url, host) = (answered.url.as_str(), answered.host);
    let recent = |it: &&Promise| it.reason == PromiseReason::Throttled && it.at >= recent(now);
    let known: Vec<&Promise> = known.iter().filter(recent).collect();
    let of = |scope, key: String, is_other: bool| {
        (scope, key, if is_other { wait } else { SignedDuration::ZERO })
    };
    let about = |it: &&&Promise, scope, key: &str| it.scope == scope && it.key == key;
    let mut sites = known.iter().filter(|it| about(it, PromiseScope::Host, host));
    let other_url = sites.any(|it| it.response_url != url || it.until > it.at);
    let mut waits = vec![of(PromiseScope::Host, host.to_owned(), other_url)];
    if let Some(address) = answered.address.map(|address| address.to_string()) {
        let mut same = known.iter().filter(|it| about(it, PromiseScope::Address, &address));
        let other_site = same.any(|it| it.host != host || it.until > it.at);
        waits.push(of(PromiseScope::Address, address, other_site));
    }
    waits
}

/// Number of other URLs of the site that failed recently.
fn other_failures(answered: &Answered<'_>, known: &[Promise], now: Timestamp) -> usize {
    let failed = |it: &&Promise| {
        it.scope == PromiseScope::Url
            && it.reason == PromiseReason::ServerErrors
            && it.host == answered.host
            && it.at >= recent(now)
    };
    let urls: HashSet<&str> = known.iter().filter(failed).map(|it| it.key.as_str()).collect();
    urls.into_iter().filter(|url| *url != answered.url.as_str()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn throttled(url: &str, known: &[Promise], retry_after: Option<i64>) -> Vec<Promise> {
        let url = Url::parse(url).unwrap();
        let retry_after = retry_after.map(SignedDuration::from_secs);
        let answered = Answered {
            url: &url,
            host: url.host_str().unwrap(),
            address: Some([192, 0, 2, 1].into()),
            status: Some(429),
            freshness: Freshness { retry_after, ..Freshness::default() },
        };
        of(&answered, known, now())
    }

    fn open(promises: &[Promise]) -> Vec<PromiseScope> {
        promises.iter().filter(|it| it.until > now()).map(|it| it.scope).collect()
    }

    #[test]
    fn a_second_throttled_url_of_a_site_holds_the_site() {
        let first = throttled("http://a.test/1", &[], Some(60));
        assert_eq!(open(&first), [PromiseScope::Url]);
        assert_eq!(open(&throttled("http://a.test/1", &first, Some(60))), [PromiseScope::Url]);
        let second = throttled("http://a.test/2", &first, None);
        assert_eq!(open(&second), [PromiseScope::Url, PromiseScope::Host]);
    }

    #[test]
    fn three_server_errors_hold_the_other_feeds_of_the_host() {
        let mut known = Vec::new();
        let mut failed = |url: &str| {
            let url = Url::parse(url).unwrap();
            let answered = Answered {
                url: &url,
                host: url.host_str().unwrap(),
                address: None,
                status: Some(502),
                freshness: Freshness::default(),
            };
            let new = of(&answered, &known, now());
            known.extend(new.iter().cloned());
            open(&new)
        };
        assert_eq!(failed("http://a.test/1"), []);
        assert_eq!(failed("http://b.test/1"), [], "another host");
        assert_eq!(failed("http://a.test/2"), []);
        assert_eq!(failed("http://a.test/2"), [], "the same URL");
        assert_eq!(failed("http://a.test/3"), [PromiseScope::Host]);
    }

    #[test]
    fn a_second_throttled_site_of_an_address_holds_the_address() {
        let first = throttled("http://a.test/1", &[], Some(60));
        let second = throttled("http://b.test/1", &first, Some(60));
        assert_eq!(open(&second), [PromiseScope::Url, PromiseScope::Address]);
    }
}
