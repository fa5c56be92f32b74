//! Validators and body hash kept between polls, and which of them are sent to a server. Pure.
//!
//! Servers are trusted until they prove otherwise. A lie is a 304, or the same validators, beside another document.
//! New validators beside another document prove nothing, because the document may have changed just now. The test is a
//! request without validators, made when the feed is overdue by its own rhythm. A changed answer to a conditional
//! request, or a week of tests without a lie, ends the distrust.
//!
//! A server may also reject conditional requests, in any way. If they fail for half a day, one request without
//! validators shows whether these are the reason. No server gets two of these tests within 24 hours. If the test fails too,
//! it shows nothing about a server that was down by chance: it is repeated after a day. A server that answered a request
//! with the validators of this document is trusted, and tested again after eight days at the earliest.
//!
//! A server that merely fails often may pass one such test by chance. It counts as rejecting conditional requests if they
//! failed twice and requests without validators worked twice, in turn. One conditional request a week, and one after a
//! failure without validators, shows whether it still does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::reading::Ending;
use crate::fetch;
use crate::health::silence::Gaps;
use crate::model::{
    Considered, FailureKind, FeedActivity, FetchOutcome, Outcome, Plan, Reason, ReasonKind,
    Validators,
};
use crate::schedule::UnconditionalWait;
use crate::store::{CachedResponse, FeedState, ValidatorTrust, ValidatorUse};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Shortest time from the last complete document to a test.
const TEST_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);
/// Shortest silence that counts as overdue.
const MIN_SILENCE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Silence that counts as overdue for a feed whose rhythm is unknown.
const UNKNOWN_RHYTHM: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Smallest number of 304 responses since the last new item before a test.
const MIN_NOT_MODIFIED: u32 = 5;
/// Caches may answer for this time from an older document.
const CACHE_DELAY: SignedDuration = SignedDuration::from_hours(1);
/// Number of responses with the same body after which a validator counts as useless.
const MISMATCHES: u32 = 2;
/// Shortest time between two requests without validators if nothing worked between them.
const SUSPECT_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);
/// Time for which requests with validators have to fail until one is sent without them, unless the status is about the
/// request.
const PERSISTENT: SignedDuration = SignedDuration::from_hours(12);
/// Ending of a request key: `A-IM` is not sent, because a request with it failed.
const WHOLE: &str = " whole";
/// Number of correct tests after which a server is trusted again.
const TESTS: u32 = 7;
/// Number of tests in a row that show that a server rejects validators, each after failures with them.
const PROOFS: u32 = 2;
/// Number of requests without validators after which one is sent with them: a week of daily requests.
const REFUSED_REQUESTS: u32 = 7;
/// The count of a suspected server that rejected validators before.
const REFUSED_BEFORE: u32 = 1;

/// What a request was sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// No validator is known.
    NoneKnown,
    /// None, although some are known.
    Withheld,
    /// One validator or both.
    Conditions,
}

/// The cached response, if it belongs to this URL and these request headers.
pub(super) fn usable(state: &FeedState, asked: &Url, settings: &fetch::Settings) -> CachedResponse {
    let (stored, request_key) = (&state.response, key(asked, settings));
    if stored.request_key == request_key || stored.request_key == marked(&request_key) {
        // An older version may have stored others.
        CachedResponse { validators: stored.validators.clone().usable(), ..stored.clone() }
    } else {
        CachedResponse { request_key, ..CachedResponse::default() }
    }
}

/// RFC 9110 8.8.3: a validator belongs to one representation of one resource.
pub(super) fn key(asked: &Url, settings: &fetch::Settings) -> String {
    format!("{asked} {}", fetch::request_shape(settings))
}

fn marked(request_key: &str) -> String {
    format!("{request_key}{WHOLE}")
}

/// What the next request asks for.
pub(super) fn wanted(memory: &CachedResponse) -> fetch::Wanted {
    match memory.request_key.ends_with(WHOLE) {
        true => fetch::Wanted::WholeFeed,
        false => fetch::Wanted::Feed,
    }
}

/// Whether enough time has passed since the last complete document for a test, so that it matters whether the feed is
/// overdue.
pub(super) fn may_be_tested(trust: ValidatorTrust, now: Timestamp) -> bool {
    trust.last_full_at.is_some() && last_full(trust).is_some_and(|at| now - at >= TEST_AFTER)
}

/// Whether a feed publishes as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// The last item is not older than usual, or too little is known.
    Usual,
    /// The feed should have published by now, by the gaps between its items.
    Overdue,
}

/// Whether the feed is overdue, by the polls that were made. A pause of Newswire is not a silence of the feed.
pub(super) fn rhythm(state: &FeedState, activity: &FeedActivity, now: Timestamp) -> Rhythm {
    let (Some(newest), Some(seen)) = (activity.moments.first(), state.last_success) else {
        return Rhythm::Usual;
    };
    let limit = match Gaps::new(&activity.moments) {
        Some(gaps) => {
            let usual = (2 * gaps.longest).max(4 * gaps.p90) + 7 * gaps.median;
            SignedDuration::from_secs(usual).max(MIN_SILENCE)
        }
        None => UNKNOWN_RHYTHM,
    };
    // Each test doubles the time to the next one.
    let rested = last_full(state.trust)
        .is_none_or(|at| now.duration_since(at) >= at.duration_since(*newest));
    let silent = activity.not_modified >= MIN_NOT_MODIFIED && seen.duration_since(*newest) >= limit;
    if silent && rested { Rhythm::Overdue } else { Rhythm::Usual }
}

/// Time of the last complete document or request for one.
fn last_full(trust: ValidatorTrust) -> Option<Timestamp> {
    trust.last_full_at.max(trust.checked_at)
}

/// Whether the next request to a server that rejects validators shows whether it still does.
fn is_probe_due(trust: ValidatorTrust) -> bool {
    trust.validator_use == ValidatorUse::Refused && trust.count >= REFUSED_REQUESTS
}

/// Whether a request for the complete document is within the limit of one a day.
fn has_budget(trust: ValidatorTrust, now: Timestamp) -> bool {
    last_full(trust).is_none_or(|at| now.duration_since(at) >= DAY)
}

/// Time from which a request without validators may show whether they are the reason of the failures; `None`: they are
/// not suspected.
fn test_at(trust: ValidatorTrust, last_success: Option<Timestamp>) -> Option<Timestamp> {
    let after = |at: Option<Timestamp>, time| {
        at.map_or(Timestamp::MIN, |at| at.saturating_add(time).unwrap_or(Timestamp::MAX))
    };
    let rested = after(trust.checked_at.or(trust.last_full_at), DAY);
    match trust.validator_use {
        ValidatorUse::Rejected => Some(rested),
        ValidatorUse::Suspected | ValidatorUse::Unproven => {
            Some(rested.max(after(last_success, PERSISTENT)))
        }
        _ => None,
    }
}

/// The plan of a failing feed, which does not wait longer than to the test of a suspected server. Waits that a server
/// asked for are kept.
pub(super) fn in_time(
    plan: Plan,
    (trust, last_success): (ValidatorTrust, Option<Timestamp>),
    (interval, now): (Duration, Timestamp),
) -> Plan {
    let (Some(test_at), Some(why)) = (test_at(trust, last_success), trust.validator_use.reason())
    else {
        return plan;
    };
    let kept = |it: &&Considered| !matches!(it.kind, ReasonKind::BackOff | ReasonKind::Jitter);
    let kept = plan.considered.iter().filter(kept).map(|it| Duration::from_secs(it.wait)).max();
    let wait = SignedDuration::try_from(interval.max(kept.unwrap_or_default()));
    let earliest = now.saturating_add(wait.unwrap_or(SignedDuration::MAX));
    let at = test_at.max(earliest.unwrap_or(Timestamp::MAX));
    if plan.reason.kind != ReasonKind::BackOff || test_at <= now || at >= plan.at {
        return plan;
    }
    let (kind, text) = (ReasonKind::Unconditional, why.to_owned());
    let wait = at.duration_since(now).as_secs().unsigned_abs();
    let mut considered = plan.considered;
    considered.push(Considered { kind, text: text.clone(), wait });
    Plan { at, reason: Reason { kind, text }, considered }
}

/// Whether an older parser read the last document, so that it is requested and read again now.
pub(super) fn is_reread(state: &FeedState, now: Timestamp) -> bool {
    state.reread_at.is_some_and(|at| at <= now)
}

/// The validators to send.
pub(super) fn conditions(
    memory: &CachedResponse,
    state: &FeedState,
    rhythm: Rhythm,
    now: Timestamp,
) -> Validators {
    let both = || memory.validators.clone();
    let trust = state.trust;
    let tested = is_reread(state, now) || rhythm == Rhythm::Overdue && may_be_tested(trust, now);
    match trust.validator_use {
        ValidatorUse::Refused if !is_probe_due(trust) => Validators::default(),
        _ if test_at(trust, state.last_success).is_some_and(|at| at <= now) => {
            Validators::default()
        }
        ValidatorUse::Unreliable if has_budget(trust, now) => Validators::default(),
        _ if tested => Validators::default(),
        ValidatorUse::DateAlone if memory.validators.last_modified.is_some() => {
            Validators { etag: None, ..both() }
        }
        _ => both(),
    }
}

/// What a request with these validators is sent with.
pub(super) fn sent(memory: &CachedResponse, validators: &Validators) -> Sent {
    match (memory.validators.is_empty(), validators.is_empty()) {
        (true, _) => Sent::NoneKnown,
        (false, true) => Sent::Withheld,
        (false, false) => Sent::Conditions,
    }
}

/// A response, as far as it shows how the server handles validators.
pub(super) struct Evidence<'a> {
    pub(super) sent: Sent,
    pub(super) memory: &'a CachedResponse,
    pub(super) response: &'a fetch::Response,
    /// Whether the document has new or changed items.
    pub(super) news: bool,
    pub(super) ending: Ending,
    /// Outcome and time of the poll before.
    pub(super) before: Option<(Outcome, Timestamp)>,
    pub(super) now: Timestamp,
}

impl Evidence<'_> {
    fn is_complete(&self) -> bool {
        self.response.body_hash.is_some() && self.response.outcome.is_success()
    }

    /// Whether the server sent another document beside the same validators, or beside its 304.
    fn is_lie(&self) -> bool {
        let known = &self.memory.validators;
        let changed = self.memory.body_hash.is_some() && self.news && self.is_complete();
        let same = !known.is_empty() && self.response.validators.as_ref() == Some(known);
        let older_than_304 = match (self.before, self.response.document_age) {
            (Some((Outcome::NotModified, at)), Some(age)) => {
                age >= self.now.duration_since(at).saturating_add(CACHE_DELAY)
            }
            _ => false,
        };
        changed && (same || older_than_304)
    }

    /// Whether the date alone would have been answered by 304, but date and entity tag were not.
    fn is_etag_mismatch(&self) -> bool {
        let (known, now) = (&self.memory.validators, self.response.validators.as_ref());
        let date = now.and_then(|now| now.last_modified.as_ref());
        date.is_some() && date == known.last_modified.as_ref() && known.etag.is_some()
    }

    /// Whether a request reached the server. A document that another feed had requested has no status.
    fn was_asked(&self) -> bool {
        use FailureKind::{BadResponse, Reset, Timeout, Truncated};
        match &self.response.outcome {
            FetchOutcome::Failed(failure) => {
                let interrupted = matches!(failure.kind, BadResponse | Reset | Timeout | Truncated);
                interrupted || self.response.status.is_some()
            }
            FetchOutcome::Throttled => true,
            _ => self.response.status.is_some(),
        }
    }

    /// Whether a request with validators failed. They are sent only to the URL that they came from.
    fn failed_with_validators(&self) -> bool {
        let known = self.memory.url.as_deref();
        self.sent == Sent::Conditions
            && known.is_none_or(|url| url == self.response.url.as_str())
            && !self.response.outcome.is_success()
            && self.was_asked()
    }

    /// Whether the status is about the request, and not about the feed, the client or the server. RFC 9110 15.5
    fn is_rejection(&self) -> bool {
        match self.response.status {
            Some(401..=404 | 407 | 408 | 410 | 429 | 451) => false,
            Some(status) => (400..=499).contains(&status),
            None => false,
        }
    }

    /// Whether no request worked for half a day.
    fn is_persistent(&self) -> bool {
        self.before.is_none_or(|(_, success)| self.now.duration_since(success) >= PERSISTENT)
    }

    /// Whether nothing has worked since the last request without validators: no validator of its document ever did.
    fn is_unproven(&self, before: ValidatorTrust) -> bool {
        self.before.is_some_and(|(_, success)| Some(success) == before.checked_at)
    }

    /// The use after a failure of a request with validators.
    fn after_failure(&self, before: ValidatorTrust) -> (ValidatorUse, u32) {
        let rested = before.checked_at.is_none_or(|at| {
            let worked = self.before.is_some_and(|(_, success)| success >= at);
            worked || self.now.duration_since(at) >= SUSPECT_AFTER
        });
        let same = (before.validator_use, before.count);
        if !self.failed_with_validators() {
            return same;
        }
        match before.validator_use {
            // One failure may have any reason. The server may reject them in any way too, and then it always does. The
            // second test shows it, after the rest of the day.
            ValidatorUse::Doubted if self.is_rejection() || self.is_persistent() => {
                (ValidatorUse::Rejected, before.count)
            }
            ValidatorUse::Refused => (ValidatorUse::Refused, 0),
            // It gets a request without them within a day.
            ValidatorUse::Doubted
            | ValidatorUse::Unproven
            | ValidatorUse::Unreliable
            | ValidatorUse::Rejected => same,
            _ if !rested => same,
            // The next request has validators, but no A-IM.
            _ if self.is_rejection() && wanted(self.memory) == fetch::Wanted::WholeFeed => {
                (ValidatorUse::Rejected, 0)
            }
            ValidatorUse::Suspected => same,
            _ => (ValidatorUse::Suspected, 0),
        }
    }

    /// The key of the next request. Its mark shows that `A-IM` may be the reason of a failure.
    pub(super) fn next_key(&self, request_key: String, trust: ValidatorTrust) -> String {
        // RFC 3229: the server does not know the manipulation, or sent a part that cannot be used.
        let failed = self.failed_with_validators()
            && (self.is_rejection() || self.response.status == Some(226));
        // A request without validators and without A-IM worked.
        let worked_without = trust.validator_use == ValidatorUse::Doubted;
        match failed || worked_without || wanted(self.memory) == fetch::Wanted::WholeFeed {
            true => marked(&request_key),
            false => request_key,
        }
    }
}

/// What is known about the server after this response.
pub(super) fn trust(before: ValidatorTrust, evidence: &Evidence<'_>) -> ValidatorTrust {
    let (validator_use, count) =
        if evidence.ending == Ending::Cut && evidence.response.outcome.is_success() {
            let earlier = if before.validator_use == ValidatorUse::Cut { before.count } else { 0 };
            (ValidatorUse::Cut, earlier.saturating_add(1))
        } else {
            match evidence.sent {
                Sent::NoneKnown => after_unconditional(before, evidence),
                Sent::Conditions => after_conditional(before, evidence),
                Sent::Withheld => after_test(before, evidence),
            }
        };
    let unconditional = evidence.sent != Sent::Conditions && evidence.was_asked();
    let complete = evidence.is_complete() && evidence.ending != Ending::Cut;
    ValidatorTrust {
        last_full_at: if complete { Some(evidence.now) } else { before.last_full_at },
        checked_at: if unconditional { Some(evidence.now) } else { before.checked_at },
        validator_use,
        count,
    }
}

/// No validator was known.
fn after_unconditional(before: ValidatorTrust, evidence: &Evidence<'_>) -> (ValidatorUse, u32) {
    match before.validator_use {
        ValidatorUse::Cut if evidence.is_complete() => (ValidatorUse::Both, 0),
        same => (same, before.count),
    }
}

/// The use after a request with validators.
fn after_conditional(before: ValidatorTrust, evidence: &Evidence<'_>) -> (ValidatorUse, u32) {
    let trusted = match before.validator_use {
        kept @ (ValidatorUse::DateAlone | ValidatorUse::BothUnmatched) => kept,
        _ => ValidatorUse::Both,
    };
    match (&evidence.response.outcome, evidence.response.status) {
        (FetchOutcome::NotModified, Some(304)) => match before.validator_use {
            ValidatorUse::Unreliable => (ValidatorUse::Unreliable, before.count),
            _ => (trusted, 0),
        },
        (FetchOutcome::Modified, Some(_)) => (trusted, 0),
        (FetchOutcome::NotModified, Some(_)) => {
            let count = before.count.saturating_add(1);
            match before.validator_use {
                ValidatorUse::Both if !evidence.is_etag_mismatch() => (ValidatorUse::Both, 0),
                ValidatorUse::Both if count >= MISMATCHES => (ValidatorUse::DateAlone, 0),
                ValidatorUse::DateAlone if count >= MISMATCHES => (ValidatorUse::BothUnmatched, 0),
                // The server does not reject them.
                ValidatorUse::Suspected
                | ValidatorUse::Unproven
                | ValidatorUse::Rejected
                | ValidatorUse::Doubted
                | ValidatorUse::Refused => (ValidatorUse::Both, 0),
                same => (same, count),
            }
        }
        (outcome, _) if !outcome.is_success() => evidence.after_failure(before),
        _ => (before.validator_use, before.count),
    }
}

/// The use after a request without the known validators.
fn after_test(before: ValidatorTrust, evidence: &Evidence<'_>) -> (ValidatorUse, u32) {
    let good = evidence.response.outcome.is_success();
    let count = before.count.saturating_add(1);
    match before.validator_use {
        same if !evidence.was_asked() => (same, before.count),
        // It fails anyway, or rejects validators and works again: the next request shows which.
        ValidatorUse::Suspected if before.count == REFUSED_BEFORE => {
            (ValidatorUse::Refused, REFUSED_REQUESTS)
        }
        // It answered without them before, and never with them. Between two tests it may.
        ValidatorUse::Rejected if !good && before.count > 0 => {
            (ValidatorUse::Doubted, before.count)
        }
        ValidatorUse::Unproven if !good => (ValidatorUse::Unproven, 0),
        ValidatorUse::Suspected | ValidatorUse::Rejected if !good => {
            match evidence.is_unproven(before) {
                true => (ValidatorUse::Unproven, 0),
                // The validators were not the reason of the failure.
                false => (ValidatorUse::Both, 0),
            }
        }
        ValidatorUse::Suspected | ValidatorUse::Unproven | ValidatorUse::Rejected => {
            match count >= PROOFS {
                true => (ValidatorUse::Refused, 0),
                false => (ValidatorUse::Doubted, count),
            }
        }
        ValidatorUse::Refused if good => (ValidatorUse::Refused, count),
        // Requests with validators may work by now. They follow at the usual back-off.
        ValidatorUse::Refused => (ValidatorUse::Suspected, REFUSED_BEFORE),
        _ if good && evidence.is_lie() => (ValidatorUse::Unreliable, 0),
        ValidatorUse::Unreliable if count >= TESTS => (ValidatorUse::Both, 0),
        ValidatorUse::Unreliable => (ValidatorUse::Unreliable, count),
        same => (same, before.count),
    }
}

/// The wait before a request that will have no validators: at most one complete document a day.
pub(super) fn wait(trust: ValidatorTrust, now: Timestamp) -> Option<UnconditionalWait> {
    let rest = || {
        let at = last_full(trust)?.saturating_add(DAY).ok()?;
        Duration::try_from(at.duration_since(now)).ok()
    };
    let why = trust.validator_use.reason()?;
    match trust.validator_use {
        ValidatorUse::Refused if is_probe_due(trust) => None,
        ValidatorUse::Refused => Some(UnconditionalWait::Rest { rest: rest()?, why }),
        ValidatorUse::Rejected => {
            let rest = Duration::try_from(test_at(trust, None)?.duration_since(now)).ok()?;
            Some(UnconditionalWait::Rest { rest, why })
        }
        ValidatorUse::Cut => Some(UnconditionalWait::Repeated { times: trust.count, why }),
        _ => None,
    }
}

/// The cached response after this poll; `None` if unchanged.
///
/// A failure changes nothing. With the validators of an unreadable document, its items would stay
/// hidden. `request_key` is that of the next request, so that the response is kept over a permanent
/// redirect.
pub(super) fn remembered(
    memory: CachedResponse,
    response: &fetch::Response,
    ending: Ending,
    request_key: String,
) -> Option<CachedResponse> {
    let answered = Some(response.url.to_string());
    let lifetime = response.freshness.lifetime;
    let now = if response.status == Some(304) && memory.url != answered {
        // 304 from a URL that never sent the document: the next request has no validators.
        CachedResponse {
            request_key,
            url: answered,
            validators: Validators::default(),
            ..memory.clone()
        }
    } else if ending != Ending::Complete && response.outcome.is_success() {
        // With the validators, the rest of the document, or a postponed change, would stay hidden behind a 304.
        CachedResponse { request_key, url: answered, ..CachedResponse::default() }
    } else if response.outcome.is_success() {
        let mut validators =
            response.validators.clone().unwrap_or_else(|| memory.validators.clone());
        if response.status == Some(304) {
            // The entity tag may not have been sent.
            validators.etag = validators.etag.or_else(|| memory.validators.etag.clone());
        }
        let body_hash = match response.status {
            // The hash of a partial document is that of no complete one.
            Some(226) => None,
            _ => response.body_hash.or(memory.body_hash),
        };
        CachedResponse { request_key, validators, body_hash, url: answered, lifetime }
    } else {
        CachedResponse { request_key, ..memory.clone() }
    };
    (now != memory).then_some(now)
}
