//! Dates as HTTP, feeds and people write them, always in UTC.

use std::time::UNIX_EPOCH;

use jiff::Timestamp;

/// An HTTP date, RFC 9110 5.6.7: `Tue, 14 Nov 2023 22:13:20 GMT`.
#[must_use]
pub fn http(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Parses an HTTP date in any of the three forms of RFC 9110 5.6.7.
#[must_use]
pub fn parse_http(text: &str) -> Option<Timestamp> {
    let at = httpdate::parse_http_date(text.trim()).ok()?;
    let seconds = at.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// An RFC 3339 date in whole seconds: `2023-11-14T22:13:20Z`.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An RFC 822 date with a year of four digits, as RSS requires it: `Tue, 14 Nov 2023 22:13:20 +0000`.
#[must_use]
pub fn rfc822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A date for people: `14 November 2023, 22:13 UTC`.
#[must_use]
pub fn long(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::constant(1_700_000_000, 900_000_000);

    #[test]
    fn dates_are_written_in_utc_and_whole_seconds() {
        assert_eq!(http(AT), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(rfc3339(AT), "2023-11-14T22:13:20Z");
        assert_eq!(rfc822(AT), "Tue, 14 Nov 2023 22:13:20 +0000");
        assert_eq!(long(AT), "14 November 2023, 22:13 UTC");
    }

    #[test]
    fn http_dates_are_read_in_all_three_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            " Sun Nov  6 08:49:37 1994 ",
        ] {
            assert_eq!(parse_http(text), Some(Timestamp::constant(784_111_777, 0)), "{text}");
        }
        for text in ["", "yesterday", "Sun, 06 Nov 1994 08:49:38", "Sun, 06 Nov 1894 08:49:37 GMT"]
        {
            assert_eq!(parse_http(text), None, "{text}");
        }
        assert_eq!(parse_http(&http(AT)).map(|at| at.as_second()), Some(AT.as_second()));
    }
}
