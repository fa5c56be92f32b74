//! Reads freshness and retry hints from response headers. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use reqwest::header::{self, HeaderMap, HeaderName};

use crate::model::Freshness;
use crate::text::dates;

/// Upper limit of all times, in seconds: ten years. Keeps the arithmetic in range.
const LONGEST: u64 = 10 * 365 * 86_400;

/// A number that differs from the Unix time by at most this many seconds is a time, not a wait.
const NEAR: i64 = 365 * 86_400;
/// Largest number that is read: about as many milliseconds as there are until the year 9999.
const MOST: u64 = 253_402_300_800_000;

/// Reads `Cache-Control`, `Expires`, `Age`, `Date`, `Retry-After` and rate limits. `now` is the time of receipt.
pub(crate) fn freshness(headers: &HeaderMap, status: u16, now: Timestamp) -> Freshness {
    // RFC 9110 6.6.1: a response without Date counts from its receipt.
    let date = http_date(headers, header::DATE).unwrap_or(now);
    let directives = Directives::of(headers);
    Freshness {
        remaining: remaining(headers, &directives, date),
        lifetime: directives.lifetime().and_then(|lifetime| lifetime.try_into().ok()),
        retry_after: retry_after(headers, date),
        host_pause: host_pause(headers, status, date),
    }
}

/// The freshness of a 304. Without `Cache-Control` it renews the stored lifetime (RFC 9111 4.3.4).
pub(crate) fn renewed(headers: &HeaderMap, stored: Option<Duration>, now: Timestamp) -> Freshness {
    let read = freshness(headers, 304, now);
    if headers.contains_key(header::CACHE_CONTROL) {
        return read;
    }
    let lifetime = stored.and_then(|lifetime| SignedDuration::try_from(lifetime).ok());
    let remaining = lifetime.and_then(|lifetime| less_age(headers, lifetime));
    Freshness { remaining: remaining.or(read.remaining), lifetime: stored, ..read }
}

/// Time since `Last-Modified`, by the clock of the server.
pub(crate) fn document_age(headers: &HeaderMap) -> Option<SignedDuration> {
    let (date, modified) =
        (http_date(headers, header::DATE)?, http_date(headers, header::LAST_MODIFIED)?);
    Some(date.duration_since(modified))
}

/// Longest pause that a rate limit causes, in seconds: seven days.
const LONGEST_PAUSE: f64 = 7.0 * 86_400.0;
/// Numbers from here on are Unix times, in seconds.
const UNIX_TIME: u32 = 1_000_000_000;
/// Values from here on are Unix times in milliseconds.
const UNIX_MILLIS: f64 = 1e12;

/// Time until the rate limit of the host is reset, when no requests are left. With several limits, the longest time.
fn host_pause(headers: &HeaderMap, status: u16, server_time: Timestamp) -> Option<SignedDuration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    // A 429 itself means that no requests are left.
    let none_left = (status == 429).then_some(0.0);
    let pairs = ["x-ratelimit", "ratelimit", "x-rate-limit"].into_iter().filter_map(|name| {
        let left = number(&format!("{name}-remaining")).or(none_left)?;
        Some((left, number(&format!("{name}-reset"))?))
    });
    let fields = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok());
    let waits = pairs.chain(fields.flat_map(limits)).filter(|(left, _)| *left < 1.0);
    let now = server_time.as_second() as f64;
    let seconds = waits.map(|(_, reset)| match reset {
        reset if reset >= UNIX_MILLIS => reset / 1000.0 - now,
        reset if reset >= f64::from(UNIX_TIME) => reset - now,
        reset => reset,
    });
    let longest = seconds.filter(|wait| *wait > 0.0 && *wait <= LONGEST_PAUSE).reduce(f64::max)?;
    SignedDuration::try_from_secs_f64(longest.ceil()).ok()
}

/// The limits of a `RateLimit` field: requests left, and the reset. Two forms are in use: `limit=9, remaining=0,
/// reset=30`, and the list of structured fields `"burst";r=0;t=30, "daily";r=99;t=3600`.
fn limits(field: &str) -> Vec<(f64, f64)> {
    let items: Vec<&str> = match field.contains("remaining") {
        true => vec![field],
        false => field.split(',').collect(),
    };
    let of = |item: &str, names: [&str; 2]| {
        let pairs = item.split([',', ';']).filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(name, _)| names.contains(&name.trim()));
        found.next().and_then(|(_, value)| value.trim().parse::<f64>().ok())
    };
    let limit = |item: &&str| Some((of(item, ["r", "remaining"])?, of(item, ["t", "reset"])?));
    items.iter().filter_map(limit).collect()
}

/// Remaining freshness lifetime: `max-age` or `Expires - Date` (RFC 9111 4.2.1) less `Age` (4.2.3).
///
/// `no-cache` and `no-store` give `None`: they ask for revalidation, not for shorter intervals.
fn remaining(
    headers: &HeaderMap,
    directives: &Directives,
    date: Timestamp,
) -> Option<SignedDuration> {
    if directives.never_fresh {
        return None;
    }
    let lifetime = match directives.lifetime() {
        Some(lifetime) => lifetime,
        None => http_date(headers, header::EXPIRES)?.duration_since(date),
    };
    less_age(headers, lifetime.min(SignedDuration::from_secs(LONGEST.cast_signed())))
}

/// The lifetime less `Age`. The time since `Date` is no age here: if the clocks of server and client differ, it would end the
/// lifetime early.
fn less_age(headers: &HeaderMap, lifetime: SignedDuration) -> Option<SignedDuration> {
    let age = text(headers, header::AGE).and_then(seconds).unwrap_or_default();
    let remaining = lifetime.saturating_sub(SignedDuration::from_secs(age));
    (remaining > SignedDuration::ZERO).then_some(remaining)
}

/// The longest `Retry-After` (RFC 9110 10.2.3): seconds, or a date relative to the clock of the server.
fn retry_after(headers: &HeaderMap, date: Timestamp) -> Option<SignedDuration> {
    let wait = |value: &str| match wait_seconds(value, date) {
        Some(seconds) => Some(SignedDuration::from_secs(seconds)),
        None => span(value).or_else(|| Some(any_date(value)?.duration_since(date))),
    };
    let longest = |value: &str| match wait(value) {
        Some(one) => Some(one),
        // Several fields that a proxy joined; a date contains a comma itself.
        None => value.split(',').filter_map(wait).max(),
    };
    let values =
        headers.get_all(header::RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    values.filter_map(longest).max().filter(|wait| *wait > SignedDuration::ZERO)
}

/// A wait with its units: `2 hours`, `1h 30m`, `PT2H`.
fn span(text: &str) -> Option<SignedDuration> {
    let span = text.trim().parse::<Span>().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// A date as HTTP writes it, or with an offset, as in feeds and mails.
fn any_date(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_matches('"');
    dates::parse_http(text)
        .or_else(|| text.parse().ok())
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp()))
}

/// A wait in whole seconds, in the spellings that servers use: `7200`, `"7200"`, `+7200`, `7200.5`, `7200s`. A number
/// near the Unix time of the server, in seconds or milliseconds, is a time.
fn wait_seconds(text: &str, server_time: Timestamp) -> Option<i64> {
    let text = text.trim().trim_matches('"').trim();
    let number = text.strip_prefix('+').unwrap_or(text);
    let number = number.strip_suffix(['s', 'S']).unwrap_or(number).trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    let asked = seconds_of(whole).filter(|_| digits)?.cast_signed();
    let until = |time: i64| time - server_time.as_second();
    // Below, a clock without a battery that starts in 1970 is near every number.
    let is_time = |time: &i64| *time >= i64::from(UNIX_TIME);
    let times = [asked, asked / 1000].into_iter().filter(is_time).map(until);
    let wait = match times.into_iter().find(|wait| wait.abs() <= NEAR) {
        Some(wait) => wait,
        None => asked + i64::from(part.bytes().any(|digit| digit != b'0')),
    };
    Some(wait.min(LONGEST.cast_signed()))
}

/// The directives of `Cache-Control` for a private cache.
#[derive(Default)]
struct Directives {
    max_age: Option<i64>,
    never_fresh: bool,
}

impl Directives {
    /// The freshness lifetime by `max-age`.
    fn lifetime(&self) -> Option<SignedDuration> {
        self.max_age.filter(|_| !self.never_fresh).map(SignedDuration::from_secs)
    }

    fn of(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for value in headers.get_all(header::CACHE_CONTROL) {
            for directive in outside_quotes(value.to_str().unwrap_or_default()) {
                let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
                match name.trim().to_ascii_lowercase().as_str() {
                    // With an argument, it is only about the fields that are named. RFC 9111 5.2.2.4
                    "no-cache" if !argument.is_empty() => {}
                    "no-cache" | "no-store" => directives.never_fresh = true,
                    // Of several, the first one counts. RFC 9111 4.2.1
                    // s-maxage is for shared caches. RFC 9111 5.2.2.10
                    "max-age" if directives.max_age.is_none() => {
                        directives.max_age = seconds(argument.trim().trim_matches('"'));
                    }
                    _ => {}
                }
            }
        }
        directives
    }
}

/// The directives of a field, with the commas inside quoted strings. RFC 9111 5.2, RFC 9110 5.6.4
fn outside_quotes(field: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    field.split(move |c: char| {
        let is_plain = !std::mem::take(&mut escaped);
        match c {
            '"' if is_plain => quoted = !quoted,
            '\\' if quoted && is_plain => escaped = true,
            _ => {}
        }
        c == ',' && !quoted
    })
}

/// Delta-seconds (RFC 9111 1.2.2), at most [`LONGEST`].
fn seconds(text: &str) -> Option<i64> {
    seconds_of(text.trim()).map(|seconds| seconds.min(LONGEST).cast_signed())
}

/// A number of digits. One that is too large for the type, or at the limit of the arithmetic, is limited.
fn seconds_of(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse::<u64>().map_or(MOST, |number| number.min(MOST)))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn http_date(headers: &HeaderMap, name: HeaderName) -> Option<Timestamp> {
    dates::parse_http(text(headers, name)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn read(headers: &[(HeaderName, &str)]) -> Freshness {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        freshness(&map, 200, dates::parse_http(NOW).unwrap())
    }

    fn remaining(headers: &[(HeaderName, &str)]) -> Option<i64> {
        read(headers).remaining.map(|duration| duration.as_secs())
    }

    fn retry(headers: &[(HeaderName, &str)]) -> Option<i64> {
        read(headers).retry_after.map(|duration| duration.as_secs())
    }

    #[test]
    fn age_is_subtracted_from_max_age() {
        let headers =
            [(header::CACHE_CONTROL, "public, max-age=600, s-maxage=9000"), (header::AGE, "100")];
        assert_eq!(remaining(&headers), Some(500));
        assert_eq!(remaining(&[(header::CACHE_CONTROL, "max-age=60"), (header::AGE, "90")]), None);
    }

    #[test]
    fn a_clock_that_differs_from_the_server_shortens_no_lifetime() {
        // Twenty minutes before and after the clock of the test.
        for date in ["Sun, 06 Nov 1994 08:29:37 GMT", "Sun, 06 Nov 1994 09:09:37 GMT"] {
            let headers = [(header::CACHE_CONTROL, "max-age=1800"), (header::DATE, date)];
            assert_eq!(remaining(&headers), Some(1800), "{date}");
            let [lifetime, date] = headers;
            assert_eq!(remaining(&[lifetime, date, (header::AGE, "600")]), Some(1200));
        }
    }

    #[test]
    fn expires_is_relative_to_the_date_of_the_server() {
        let headers = [
            (header::DATE, "Sun, 06 Nov 2033 08:00:00 GMT"),
            (header::EXPIRES, "Sun, 06 Nov 2033 09:00:00 GMT"),
        ];
        assert_eq!(remaining(&headers), Some(3600));
    }

    #[test]
    fn expires_without_a_date_counts_from_the_receipt() {
        assert_eq!(remaining(&[(header::EXPIRES, "Sun, 06 Nov 1994 09:49:37 GMT")]), Some(3600));
    }

    #[test]
    fn a_304_without_cache_control_renews_the_stored_lifetime() {
        let renewed = |headers: &[(HeaderName, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(name, value.parse().unwrap());
            }
            let stored = Some(Duration::from_secs(7200));
            let freshness = renewed(&map, stored, dates::parse_http(NOW).unwrap());
            (freshness.remaining.map(|left| left.as_secs()), freshness.lifetime)
        };
        let stored = Some(Duration::from_secs(7200));
        assert_eq!(renewed(&[]), (Some(7200), stored));
        assert_eq!(renewed(&[(header::AGE, "200")]), (Some(7000), stored));
        // Of the stored response, max-age has priority over Expires. RFC 9111 5.3
        assert_eq!(renewed(&[(header::EXPIRES, "0")]), (Some(7200), stored));
        assert_eq!(renewed(&[(header::CACHE_CONTROL, "no-cache")]), (None, None));
        let shorter = [(header::CACHE_CONTROL, "max-age=60")];
        assert_eq!(renewed(&shorter), (Some(60), Some(Duration::from_secs(60))));
    }

    #[test]
    fn the_longest_of_several_retry_after_counts() {
        let three = [
            (header::RETRY_AFTER, "60"),
            (header::RETRY_AFTER, "Sun, 06 Nov 1994 09:49:37 GMT"),
            (header::RETRY_AFTER, "soon"),
        ];
        assert_eq!(retry(&three), Some(3600));
        assert_eq!(retry(&[(header::RETRY_AFTER, "60, 7200")]), Some(7200));
    }

    #[test]
    fn a_request_for_revalidation_is_no_hint() {
        assert_eq!(remaining(&[(header::DATE, NOW), (header::EXPIRES, "0")]), None);
        assert_eq!(remaining(&[(header::CACHE_CONTROL, "max-age=0")]), None);
        assert_eq!(remaining(&[(header::CACHE_CONTROL, "no-cache, max-age=600")]), None);
        assert_eq!(remaining(&[(header::CACHE_CONTROL, "s-maxage=600")]), None);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(retry(&[(header::RETRY_AFTER, "120")]), Some(120));
        let date = [(header::RETRY_AFTER, "Sun, 06 Nov 1994 09:49:37 GMT")];
        assert_eq!(retry(&date), Some(3600));
        let skewed = [
            (header::DATE, "Sun, 06 Nov 1994 09:39:37 GMT"),
            (header::RETRY_AFTER, "Sun, 06 Nov 1994 09:49:37 GMT"),
        ];
        assert_eq!(retry(&skewed), Some(600));
        assert_eq!(retry(&[(header::RETRY_AFTER, "soon")]), None);
    }

    #[test]
    fn seconds_are_no_time_although_the_clock_of_the_server_starts_in_1970() {
        let headers =
            [(header::DATE, "Sat, 03 Jan 1970 02:00:00 GMT"), (header::RETRY_AFTER, "172800")];
        assert_eq!(retry(&headers), Some(172_800));
    }

    #[test]
    fn a_wait_is_read_in_every_spelling() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let read = |value: &str| {
            let mut map = HeaderMap::new();
            map.append(header::RETRY_AFTER, value.parse().unwrap());
            freshness(&map, 503, now).retry_after.map(|wait| wait.as_secs())
        };
        let epoch = (now.as_second() + 7200).to_string();
        let millis = format!("{epoch}000");
        for spelling in ["7200", "+7200", "\"7200\"", " 7200 ", "7200s", "7200 s", "7200.0"] {
            assert_eq!(read(spelling), Some(7200), "{spelling}");
        }
        for spelling in [
            "2 hours",
            "120 min",
            "1h 60m",
            "PT2H",
            "2026-01-01T02:00:00Z",
            "2026-01-01T04:00:00+02:00",
            "Thu, 01 Jan 2026 04:00:00 +0200",
            "Thu, 01 Jan 2026 02:00:00 +0000",
        ] {
            assert_eq!(read(spelling), Some(7200), "{spelling}");
        }
        assert_eq!(read("2 days"), Some(2 * 86_400));
        for past in ["2 hours ago", "-PT2H", "2025-12-31T22:00:00Z", "in a while", "tomorrow"] {
            assert_eq!(read(past), None, "{past}");
        }
        assert_eq!(read("7200.5"), Some(7201));
        assert_eq!((read(&epoch), read(&millis)), (Some(7200), Some(7200)));
        // A Unix time that has passed, and a number that is none.
        assert_eq!(read(&(now.as_second() - 60).to_string()), None);
        assert_eq!(read("1000000000"), Some(LONGEST.cast_signed()));
        for none in ["-7200", "0", "0.0", "7200x", "7200.x", "1e3", "s", "+", "\"\"", "."] {
            assert_eq!(read(none), None, "{none}");
        }
        for endless in ["999999999", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert!(read(endless).unwrap() >= LONGEST.cast_signed(), "{endless}");
        }
    }

    #[test]
    fn the_last_day_of_the_last_year_is_a_long_lifetime() {
        let expires = [(header::EXPIRES, "Fri, 31 Dec 9999 23:59:59 GMT")];
        assert_eq!(remaining(&expires), Some(LONGEST.cast_signed()));
    }

    #[test]
    fn directives_are_split_outside_quotes() {
        for (value, expected) in [
            ("foo=\"a, max-age=21600\"", None),
            ("foo=\"a, max-age=21600\", max-age=60", Some(60)),
            ("foo=\"a\\\", max-age=21600\", max-age=60", Some(60)),
            ("private=\"x, no-store\", max-age=60", Some(60)),
            ("max-age=\"60\"", Some(60)),
            ("foo=\"a\", max-age=60, bar=\"b\"", Some(60)),
        ] {
            assert_eq!(remaining(&[(header::CACHE_CONTROL, value)]), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_header_causes_a_panic(name in 0..5_usize, value in "[ -~]{0,40}") {
            let names = [header::CACHE_CONTROL, header::EXPIRES, header::AGE, header::DATE, header::RETRY_AFTER];
            let read = read(&[(names[name].clone(), &value), (header::CACHE_CONTROL, "max-age=99999999999999999999")]);
            if let Some(remaining) = read.remaining {
                prop_assert!(remaining <= SignedDuration::from_secs(LONGEST as i64));
            }
        }
    }

    #[test]
    fn an_exhausted_rate_limit_gives_the_time_until_its_reset() {
        let pause = |left: &'static str, reset: &'static str| {
            let name = |name: &'static str| HeaderName::from_static(name);
            let headers =
                [(name("x-ratelimit-remaining"), left), (name("x-ratelimit-reset"), reset)];
            read(&headers).host_pause.map(|pause| pause.as_secs())
        };
        assert_eq!(pause("0", "59"), Some(59));
        assert_eq!(pause("0.0", "59.2"), Some(60));
        assert_eq!(pause("12.0", "59"), None);
        // A Unix time, not seconds: the clock of the test is in 1994.
        assert_eq!(pause("0", "784111837"), None);
        assert_eq!(pause("0", "1764000000"), None);
        assert_eq!(pause("none", "soon"), None);
    }

    #[test]
    fn a_rate_limit_is_read_in_every_form() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let pause = |headers: &[(&'static str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::from_static(name), value.parse().unwrap());
            }
            freshness(&map, 200, now).host_pause.map(|pause| pause.as_secs())
        };
        let reset = (now.as_second() + 90).to_string();
        let millis = format!("{reset}000");
        for reset in [reset.as_str(), millis.as_str(), "90"] {
            let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)];
            assert_eq!(pause(&headers), Some(90), "{reset}");
        }
        let separate = [("ratelimit-remaining", "0"), ("ratelimit-reset", "40")];
        assert_eq!(pause(&separate), Some(40));
        assert_eq!(pause(&[("ratelimit", "limit=10, remaining=0, reset=50")]), Some(50));
        assert_eq!(pause(&[("ratelimit", "limit=10, remaining=3, reset=50")]), None);
        let list = "\"burst\";r=0;t=30, \"daily\";r=99;t=3600, \"hourly\";r=0;t=60";
        assert_eq!(pause(&[("ratelimit", list)]), Some(60));
    }
}
