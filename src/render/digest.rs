//! Digests: when a period ends, and the text of the entry that lists the stories of a period. Pure.
//!
//! A period ends at a local time of day. Where the clocks are set forward over that time, it ends at the first time after
//! it; where they are set back, at the first of the two (RFC 5545 3.3.5). So each period ends once.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::output::{AlsoAt, Output};
use super::shown::also_at_links;
use super::story::Story;
use super::text;
use super::texts::Texts;
use crate::model::OutputItem;
use crate::text::html;

/// Maximum length of the summary of a digest, in characters.
const MAX_SUMMARY: usize = 300;
/// Number of stories with an excerpt; those after them have only title and source.
const EXCERPTS: usize = 300;
/// Number of days in which every period ends.
const SEARCH: usize = 10;
/// The smallest step of the times that are stored.
const STEP: SignedDuration = SignedDuration::from_millis(1);

/// Settings of the digests of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// How often a period ends.
    pub every: DigestPeriod,
    /// Hour at which it ends, 0 to 23, in the time zone of the output.
    pub hour: i8,
    /// Whether stories are listed with the beginning of their texts.
    pub excerpts: bool,
}

/// How often a period of a digest ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestPeriod {
    /// Each day, at the time of the digest.
    Daily,
    /// Each week, on this day.
    Weekly(Weekday),
}

/// The text of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestText {
    /// The date, in the language of the output.
    pub title: String,
    /// The first titles of stories, plain text.
    pub summary: String,
    /// The stories as an HTML fragment.
    pub html: String,
}

impl Digest {
    /// Maximum number of digests of an output without `items`.
    pub const ITEMS: usize = 14;
    /// Number of digests on an archive page.
    pub const ARCHIVE_PAGE: u32 = 10;

    /// The first end of a period after this time.
    #[must_use]
    pub fn end_after(&self, at: Timestamp, zone: &TimeZone) -> Timestamp {
        let first = at.to_zoned_datetime(zone.clone()).date().checked_sub(1.day());
        let days = first.into_iter().flat_map(|first| first.series(1.day()).take(SEARCH));
        let mut ends = days.filter_map(|day| self.end_on(day, zone));
        ends.find(|end| *end > at).unwrap_or(Timestamp::MAX)
    }

    /// The last end of a period that is not after this time.
    #[must_use]
    pub fn end_until(&self, at: Timestamp, zone: &TimeZone) -> Timestamp {
        let last = at.to_zoned_datetime(zone.clone()).date().checked_add(1.day());
        let days = last.into_iter().flat_map(|last| last.series(-1.day()).take(SEARCH));
        let mut ends = days.filter_map(|day| self.end_on(day, zone));
        ends.find(|end| *end <= at).unwrap_or(Timestamp::MIN)
    }

    /// The start of the period that ends at this time.
    #[must_use]
    pub fn start_of(&self, end: Timestamp, zone: &TimeZone) -> Timestamp {
        end.checked_sub(STEP).map_or(end, |inside| self.end_until(inside, zone))
    }

    /// The end of a period on this day; `None`: no period ends on it.
    fn end_on(&self, day: Date, zone: &TimeZone) -> Option<Timestamp> {
        match self.every {
            DigestPeriod::Weekly(weekday) if day.weekday() != weekday => None,
            _ => zone.to_timestamp(day.at(self.hour, 0, 0, 0)).ok(),
        }
    }
}

/// The permanent id of the digest of a period, a tag URI (RFC 4151). It contains the id of the output, so that closing the
/// period again after a restored backup gives the same id.
#[must_use]
pub fn digest_id(output: &Output, ends_at: Timestamp) -> String {
    let host = output.base_url.domain().unwrap_or("localhost");
    let unique = output.identity.id.rsplit(':').next().unwrap_or_default();
    let unique: String =
        unique.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let day = ends_at.strftime("%Y-%m-%d");
    format!("tag:{host},{day}:{unique}/{}", ends_at.as_second())
}

/// The end of the period of the digest with this id; `None`: it is not the id of a digest.
#[must_use]
pub fn digest_end(id: &str) -> Option<Timestamp> {
    let (_, dated) = id.strip_prefix("tag:")?.split_once(',')?;
    let (day, unique) = dated.split_once(':')?;
    let end = Timestamp::from_second(unique.rsplit_once('/')?.1.parse().ok()?).ok()?;
    (end.strftime("%Y-%m-%d").to_string() == day).then_some(end)
}

/// The text of the digest of these stories, in their order, for a period with this start and end.
#[must_use]
pub fn digest_text(
    output: &Output,
    (start, end): (Timestamp, Timestamp),
    entries: &[OutputItem],
) -> DigestText {
    let look = &output.presentation;
    let zone = look.zone();
    let texts = Texts::of(look.language.as_deref());
    let calendar = texts.calendar();
    let day = |at: Timestamp| at.to_zoned_datetime(zone.clone()).date();
    // The last day of the period: a period that ends at midnight belongs to the day before.
    let last = day(end.checked_sub(STEP).unwrap_or(end));
    let title = match output.digest.map(|digest| digest.every) {
        Some(DigestPeriod::Weekly(_)) => {
            format!("{} – {}", calendar.date(day(start)), calendar.date(last))
        }
        _ => calendar.full_date(last),
    };
    let (mut html, mut titles) = (String::new(), Vec::new());
    for (n, entry) in entries.iter().enumerate() {
        let story = Story::of(entry, look);
        let excerpts = output.digest.is_none_or(|digest| digest.excerpts) && n < EXCERPTS;
        let names_others = look.also_at == AlsoAt::Content;
        write_story(&mut html, &story, (excerpts, names_others), texts);
        titles.push(story.title);
    }
    let summary = text::beginning(&titles.join(" · "), MAX_SUMMARY).unwrap_or_default();
    DigestText { title, summary, html }
}

/// Writes a story of a digest: title, source, picture and excerpt. Only elements and attributes that every feed reader
/// keeps.
fn write_story(
    html: &mut String,
    story: &Story,
    (excerpts, names_others): (bool, bool),
    texts: &Texts,
) {
    let escape = html::escape;
    let language = story.language.as_deref().map(|tag| format!(" lang=\"{}\"", escape(tag)));
    let language = language.unwrap_or_default();
    // A story without a title begins with its text.
    let is_titled = story.has_own_title || story.excerpt.is_empty();
    let title = escape(if is_titled || !excerpts { &story.title } else { &story.excerpt });
    let title = match &story.url {
        Some(url) => format!("<a href=\"{}\">{title}</a>", escape(url)),
        None => title,
    };
    let authors = story.authors.iter().filter(|name| **name != story.source);
    let mut source = format!("<bdi>{}</bdi>", escape(&story.source));
    authors.for_each(|name| {
        // Writing into a String cannot fail.
        let _ = write!(source, "{}<bdi>{}</bdi>", texts.comma, escape(name));
    });
    let others = story.also_at.iter().filter(|_| names_others);
    let others = others.map(|other| (&other.url, &other.feed));
    if let Some(links) = also_at_links(others, texts) {
        let _ = write!(source, " · {links}");
    }
    let _ = write!(
        html,
        "<p{language} dir=\"{}\"><b>{title}</b><br><i>{source}</i></p>",
        story.title_direction
    );
    if !excerpts {
        return;
    }
    if let Some(image) = &story.image {
        let url = escape(&image.url);
        let _ = write!(html, "<p><img src=\"{url}\" alt=\"\"></p>");
    }
    if is_titled && !story.excerpt.is_empty() {
        let _ = write!(
            html,
            "<p{language} dir=\"{}\">{}</p>",
            story.text_direction,
            escape(&story.excerpt)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn digest(every: DigestPeriod, hour: i8) -> Digest {
        Digest { every, hour, excerpts: true }
    }

    /// The ends of periods between two times.
    fn ends(digest: Digest, zone: &str, from: &str, to: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let (mut now, mut found) = (at(from), Vec::new());
        loop {
            now = digest.end_after(now, &zone);
            if now > at(to) {
                return found;
            }
            assert_eq!(digest.end_until(now, &zone), now);
            assert!(digest.start_of(now, &zone) < now);
            found.push(now.to_string());
        }
    }

    #[test]
    fn an_id_with_another_day_than_its_end_is_not_that_of_a_digest() {
        let end = at("2026-11-25T06:00:00Z");
        let id = |day: &str| format!("tag:planet.example.org,{day}:1b9d/{}", end.as_second());
        assert_eq!(digest_end(&id("2026-11-25")), Some(end));
        assert_eq!(digest_end(&id("2026-11-24")), None);
        for other in ["urn:uuid:1", "tag:blogger.com,1999:blog-1.post-2", "tag:a,2026-11-25:b/c"] {
            assert_eq!(digest_end(other), None, "{other}");
        }
    }

    #[test]
    fn each_day_ends_once_when_the_clocks_are_set() {
        let daily = |hour| digest(DigestPeriod::Daily, hour);
        // Forward: 02:00 is 03:00. Back: 02:00 is there twice.
        assert_eq!(
            ends(daily(2), "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"),
            ["2026-03-28T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]
        );
        assert_eq!(
            ends(daily(2), "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
            ["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"]
        );
        // Midnight that does not exist.
        assert_eq!(
            ends(daily(0), "America/Santiago", "2026-09-05T00:00:00Z", "2026-09-07T12:00:00Z"),
            ["2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]
        );
        // A day that does not exist.
        assert_eq!(
            ends(daily(6), "Pacific/Apia", "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z"),
            ["2011-12-29T16:00:00Z", "2011-12-30T16:00:00Z", "2011-12-31T16:00:00Z"]
        );
    }

    #[test]
    fn a_week_ends_on_its_day() {
        let weekly = digest(DigestPeriod::Weekly(Weekday::Monday), 6);
        assert_eq!(
            ends(weekly, "UTC", "2026-11-23T06:00:00Z", "2026-12-10T00:00:00Z"),
            ["2026-11-30T06:00:00Z", "2026-12-07T06:00:00Z"]
        );
        assert_eq!(
            weekly.start_of(at("2026-11-30T06:00:00Z"), &TimeZone::UTC),
            at("2026-11-23T06:00:00Z")
        );
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_panic() {
        let daily = digest(DigestPeriod::Daily, 23);
        for time in [Timestamp::MIN, Timestamp::MAX] {
            assert!(daily.end_until(time, &TimeZone::UTC) <= time);
            assert!(daily.end_after(time, &TimeZone::UTC) >= time);
        }
    }
}
