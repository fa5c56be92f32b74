//! Parts that several pages show: times, remedies and names of feeds. The counterpart of
//! `templates/parts.html`.

use jiff::Timestamp;
use url::Url;

use crate::health::Remedy;
use crate::model::FeedInfo;
use crate::text::{amounts, dates};

/// A time as a page shows it.
#[derive(Debug, Clone)]
pub(super) struct Time {
    /// RFC 3339, for the attribute `datetime`.
    pub(super) machine: String,
    /// Full date: `14 November 2023, 22:13 UTC`.
    pub(super) date: String,
    /// Distance from now: `3h ago`, `in 3h`.
    pub(super) relative: String,
}

impl Time {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            machine: dates::rfc3339(at),
            date: dates::long(at),
            relative: if at > now { amounts::ahead(at, now) } else { amounts::ago(at, now) },
        }
    }
}

/// A remedy as a page shows it; parts that it does not have are empty.
#[derive(Debug, Clone)]
pub(super) struct RemedyParts {
    pub(super) text: String,
    pub(super) toml: String,
    pub(super) command: String,
}

impl RemedyParts {
    pub(super) fn new(remedy: &Remedy) -> Self {
        Self {
            text: remedy.text.clone(),
            toml: remedy.toml.clone().unwrap_or_default(),
            command: remedy.command.clone().unwrap_or_default(),
        }
    }
}

/// The name of a feed in a list: its title, or its id if the title is only the host, which many feeds
/// may share.
pub(super) fn feed_name(info: &FeedInfo) -> String {
    let url = Url::parse(&info.url).ok();
    match url.as_ref().and_then(Url::host_str) {
        Some(host) if host == info.title => info.id.to_string(),
        _ => info.title.clone(),
    }
}

/// The first letter or digit of a name, in upper case.
pub(super) fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric());
    first.map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
}

/// The number of a colour that depends on the id of the feed alone, 0 to 7.
pub(super) fn colour(id: &str) -> u8 {
    id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_always_has_the_same_colour_and_initial() {
        assert_eq!(
            (initial("«éclair»"), initial("7 days"), initial("…")),
            ("É".to_owned(), "7".to_owned(), "•".to_owned())
        );
        assert_eq!(colour("example.org-feed"), colour("example.org-feed"));
        assert!((0..200).all(|n| colour(&format!("feed-{n}")) < 8));
    }
}
