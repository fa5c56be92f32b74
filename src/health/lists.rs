//! The state of a followed list of feeds on the web: what failed, since when, and what the operator can do. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::incidents::Condition;
use crate::model::IncidentKind;
use crate::text::amounts::span;

/// Number of failures in a row from which on a list with a copy needs attention. Most failures pass.
const ATTENTION_FAILURES: u32 = 2;

/// What is known about a followed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStatus {
    /// URL of the list.
    pub url: Url,
    /// Whether there is a copy, whose feeds are polled while the list fails.
    pub has_copy: bool,
    /// Time of the last request; `None`: there was none.
    pub last_request_at: Option<Timestamp>,
    /// Time of the next request; `None`: as soon as possible.
    pub next_request_at: Option<Timestamp>,
    /// Why the last request failed; `None`: it succeeded, or there was none.
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
    /// Number of failures in a row.
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
        let seconds = now.duration_since(*since).as_secs().max(0).unsigned_abs();
        let lasting = match failures {
            0 | 1 => String::new(),
            times => format!(", {times} times in {}", span(seconds)),
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
        Some(format!(
            "Open the list in a browser, and correct its url in [[subscriptions]] if it has moved. Run 'newswire explain {code}'."
        ))
    }

    /// The condition of a list that needs attention.
    #[must_use]
    pub fn condition(&self, now: Timestamp) -> Option<Condition> {
        let failure = self.failure.as_ref().filter(|_| self.needs_attention())?;
        Some(Condition {
            kind: IncidentKind::List,
            subject: self.url.to_string(),
            name: self.url.to_string(),
            code: failure.code.clone(),
            text: self.text(now)?,
            remedy: self.remedy()?,
            toml: None,
            since: Some(failure.since),
        })
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
            url: "https://list.example/x.opml".parse().unwrap(),
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
        let expected =
            "the server answers 404, 3 times in 5h; the feeds of its last copy are polled";
        assert_eq!(text, expected);
        let condition = list(false, 1).condition(at(5)).unwrap();
        assert_eq!((condition.kind.slug(), &*condition.code), ("list", "not_found"));
        assert!(condition.text.ends_with("its feeds are missing"), "{condition:?}");
        assert!(condition.remedy.contains("'newswire explain not_found'"), "{condition:?}");
    }
}
