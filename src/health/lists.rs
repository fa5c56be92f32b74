//! The state of a followed list of feeds: what failed, since when, and what the operator can do. Pure.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::incidents::Condition;
use crate::model::{FailureKind, IncidentKind};
use crate::text::amounts::span;

/// Number of failures in a row from which on a list with a copy needs attention. Most failures pass.
pub const ATTENTION_FAILURES: u32 = 2;

/// Where a followed list is. Shown as its path or its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListPlace {
    /// A file on this machine.
    File(PathBuf),
    /// A list on the web.
    Web(Url),
}

impl fmt::Display for ListPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Web(url) => url.fmt(f),
        }
    }
}

/// What is known about a followed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStatus {
    /// Where the list is.
    pub place: ListPlace,
    /// Whether there is a copy, whose feeds are polled while the list fails.
    pub has_copy: bool,
    /// Time of the last request; `None`: there was none, or the list is a file.
    pub last_request_at: Option<Timestamp>,
    /// Time of the next request; `None`: as soon as possible, or the list is a file.
    pub next_request_at: Option<Timestamp>,
    /// Why the list cannot be used; `None`: it can, or it was not requested yet.
    pub failure: Option<ListFailure>,
}

/// Why a list cannot be fetched or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFailure {
    /// Code of the last failure.
    pub code: String,
    /// What failed, plain text without a full stop.
    pub text: String,
    /// Time of the first failure.
    pub since: Timestamp,
    /// Number of failures in a row; of a file at most [`ATTENTION_FAILURES`].
    pub failures: u32,
}

impl ListStatus {
    /// Whether the operator should look at the list: its feeds are missing, or it failed repeatedly.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        let is_lasting = |failure: &ListFailure| failure.failures >= ATTENTION_FAILURES;
        self.failure.as_ref().is_some_and(|failure| !self.has_copy || is_lasting(failure))
    }

    /// What is wrong, plain text without a full stop; `None`: the list does not fail.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> Option<String> {
        let ListFailure { text, since, failures, .. } = self.failure.as_ref()?;
        let lasted = span(now.duration_since(*since).as_secs().max(0).unsigned_abs());
        let lasting = match (&self.place, failures) {
            (_, 0 | 1) => String::new(),
            (ListPlace::File(_), _) => format!(", for {lasted}"),
            // The failures may be of several kinds.
            (ListPlace::Web(_), requests) => {
                format!("; {requests} requests in {lasted} without success")
            }
        };
        let feeds = match self.has_copy {
            true => "the feeds of its last copy are polled",
            false => "there is no copy, so its feeds are missing",
        };
        Some(format!("{text}{lasting}; {feeds}"))
    }

    /// What to do, in sentences; `None`: the list does not fail.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let ListFailure { code, .. } = self.failure.as_ref()?;
        let advice = match (&self.place, FailureKind::from_slug(code)) {
            (ListPlace::File(_), _) => advice_for_file(code),
            (ListPlace::Web(_), Some(kind)) => advice_for_request(kind),
            (ListPlace::Web(_), None) => advice_for_document(code),
        };
        Some(format!("{advice} Run 'newswire explain {code}'."))
    }

    /// The condition of a list that needs attention.
    #[must_use]
    pub fn condition(&self, now: Timestamp) -> Option<Condition> {
        let failure = self.failure.as_ref().filter(|_| self.needs_attention())?;
        Some(Condition {
            kind: IncidentKind::List,
            subject: self.place.to_string(),
            name: self.place.to_string(),
            code: failure.code.clone(),
            text: self.text(now)?,
            remedy: self.remedy()?,
            toml: None,
            since: Some(failure.since),
        })
    }
}

/// What to do about a list that cannot be fetched. The remedies of feeds name keys of `[[feed]]`.
fn advice_for_request(kind: FailureKind) -> &'static str {
    use FailureKind as Of;
    match kind {
        Of::BadUrl => "Correct its url in [[subscriptions]].",
        Of::NameNotFound
        | Of::NotFound
        | Of::TooManyRedirects
        | Of::DifferentFeed
        | Of::NotAFeed => {
            "Open the list in a browser, and correct its url in [[subscriptions]] if it has moved."
        }
        Of::Resolver => {
            "Run 'getent hosts NAME' and check /etc/resolv.conf. The list is requested again."
        }
        Of::BlockedAddress => {
            "If the list is meant to be there, add its address to allow_networks in [fetch]."
        }
        Of::Refused | Of::NoTls => {
            "Check the port and the scheme in its url in [[subscriptions]]. The list is requested again."
        }
        Of::Tls => {
            "Run 'curl -v URL', and report it to the site owner. For your own server, set ca in [fetch] to the \
             certificate of its authority."
        }
        Of::InsecureRedirect => "Set its url in [[subscriptions]] to the https URL of the list.",
        Of::Unauthorized | Of::Forbidden => {
            "Ask the site owner for access, or let another program download the list, and follow it as a file."
        }
        Of::TooLarge => "If the list is meant to be so large, raise max_body in [fetch].",
        Of::Timeout => {
            "Nothing if it happens once: the list is requested again. Otherwise set a longer timeout in [fetch]."
        }
        Of::Panicked => "Report it with the URL of the list.",
        Of::FeedFile => "Name the file with file instead of url in [[subscriptions]].",
        Of::Connect
        | Of::Reset
        | Of::BadResponse
        | Of::Truncated
        | Of::ClientError
        | Of::ServerError
        | Of::BadCoding
        | Of::Malformed => {
            "Nothing if it happens once: the list is requested again. Otherwise run 'curl -v URL', and report it to \
             the site owner."
        }
    }
}

/// What to do about a list on the web that was answered, but cannot be used.
fn advice_for_document(code: &str) -> &'static str {
    match code {
        "throttled" => {
            "Nothing: the list is requested when the server permits it. If it lasts, set a longer interval."
        }
        "gone" => {
            "Look for another list, and remove this one. It is requested once a week in case it comes back."
        }
        "file_unwritable" => {
            "Check the folder lists beside the database with 'ls -ld FOLDER' and 'df FOLDER'."
        }
        "not_a_feed_list" => {
            "Open the list in a browser, and correct its url in [[subscriptions]] if it has moved."
        }
        _ => "Open the list in a browser, and report it to its maintainer if it is damaged.",
    }
}

/// What to do about a list that is a file.
fn advice_for_file(code: &str) -> &'static str {
    match code {
        "list_unreadable" => {
            "Check the file and its folders with 'ls -l FILE', and whether its file system is mounted. The file is \
             used again when it can be read."
        }
        "list_malformed" | "list_empty" | "list_without_feeds" => {
            "Look into the file: it may have been cut. A program that writes it should write to a temporary file and \
             then rename it. To follow no feeds, remove its [[subscriptions]]."
        }
        "list_not_utf8" => "Save the file as UTF-8.",
        "list_too_large" | "list_too_many_entries" => "Divide the list into several files.",
        _ => {
            "Replace the file by OPML, the urls file of newsboat, or the ini file of Planet or Venus."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn list(has_copy: bool, failures: u32) -> ListStatus {
        let failure = ListFailure {
            code: "not_found".to_owned(),
            text: "the server answers 404".to_owned(),
            since: at(0),
            failures,
        };
        ListStatus {
            place: ListPlace::Web("https://list.example/x.opml".parse().unwrap()),
            has_copy,
            last_request_at: Some(at(0)),
            next_request_at: None,
            failure: (failures > 0).then_some(failure),
        }
    }

    #[test]
    fn a_list_needs_attention_without_a_copy_or_after_two_failures() {
        for (has_copy, failures, needs) in [
            (false, 0, false),
            (false, 1, true),
            (true, 0, false),
            (true, 1, false),
            (true, 2, true),
        ] {
            let list = list(has_copy, failures);
            assert_eq!(list.needs_attention(), needs, "{list:?}");
            assert_eq!(list.condition(at(1)).is_some(), needs, "{list:?}");
            assert_eq!(list.text(at(1)).is_some(), failures > 0, "{list:?}");
        }
    }

    #[test]
    fn the_text_of_a_failing_list_has_its_duration_and_the_consequence() {
        let text = list(true, 3).text(at(5)).unwrap();
        let expected = "the server answers 404; 3 requests in 5h without success; the feeds of its last copy are polled";
        assert_eq!(text, expected);
        let condition = list(false, 1).condition(at(5)).unwrap();
        assert_eq!((condition.kind.slug(), &*condition.code), ("list", "not_found"));
        assert!(condition.text.ends_with("its feeds are missing"), "{condition:?}");
        assert!(condition.remedy.contains("'newswire explain not_found'"), "{condition:?}");
    }

    #[test]
    fn every_failure_of_a_list_has_its_own_remedy() {
        let remedy = |place: &ListPlace, code: &str| {
            let mut list = ListStatus { place: place.clone(), ..list(true, 1) };
            list.failure.as_mut().unwrap().code = code.to_owned();
            list.remedy().unwrap()
        };
        let web = list(true, 1).place;
        for kind in FailureKind::ALL {
            let remedy = remedy(&web, kind.slug());
            assert!(!remedy.contains("[[feed]]") && remedy.contains(kind.slug()), "{remedy}");
        }
        let file = ListPlace::File("/srv/feeds.opml".into());
        for (place, code, part) in [
            (&web, "tls_failed", "set ca in [fetch]"),
            (&web, "blocked_address", "allow_networks in [fetch]"),
            (&web, "not_found", "correct its url"),
            (&web, "throttled", "when the server permits it"),
            (&web, "list_malformed", "its maintainer"),
            (&file, "list_malformed", "rename it"),
            (&file, "list_unreadable", "is mounted"),
            (&file, "not_a_feed_list", "by OPML"),
        ] {
            let remedy = remedy(place, code);
            assert!(remedy.contains(part), "{place} {code}: {remedy}");
        }
    }

    #[test]
    fn the_text_of_a_broken_file_has_its_duration() {
        let file = ListPlace::File("/srv/feeds.opml".into());
        let list = ListStatus { place: file, ..list(true, 2) };
        let text = list.text(at(5)).unwrap();
        assert!(text.contains(", for 5h; the feeds of its last copy"), "{text}");
        assert_eq!(list.condition(at(5)).unwrap().subject, "/srv/feeds.opml");
    }
}
