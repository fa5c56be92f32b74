//! What a new and a stored item of one feed have in common, and whether that proves that they are one item. Pure.
//!
//! A new guid means a new item unless two things agree that no other item of the feed has: page, time, title, text.
//! Another date, another number in the title and another text are vetoes. Where the guids of most items changed at
//! once, or where an item has none, title and text are enough.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::guids::GuidForm;
use super::likeness::slots;
use super::titles::Title;
use super::tuning::EXACT_WORDS;
use super::words::Words;

/// Longest difference of two dates that count as the same, in seconds.
pub(super) const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Number of equal dates without a time, or of equal steps, from which they are the time of the build.
const DATES_ALONE: usize = 3;

/// Whether two dates are at most a minute apart, and so count as the same.
#[must_use]
pub fn at_once(one: Timestamp, other: Timestamp) -> bool {
    (one.as_second() - other.as_second()).abs() <= MINUTE
}

/// How the dates of two items compare, the most alike first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Date {
    /// The same minute, which no other item has.
    Same,
    /// The same quarter of an hour on the clock, such as 08:00: perhaps the time at which all items are published.
    Round,
    /// The same date, but without a time, or one that other items have too.
    Day,
    /// One is missing, or all items have the time of the build.
    Unknown,
    /// They differ by a time zone.
    Shifted,
    Other,
}

/// How the titles of two items compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The same title, which no other item has.
    Same,
    /// The same title, which other items have too.
    Recurring,
    Alike,
    /// A part of the words, as of a headline that was written anew.
    Related,
    /// The same words with another number or day.
    Numbered,
    /// One has no title.
    Absent,
    Other,
}

/// How the texts of two items compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    /// The same words, which no other item has.
    Same,
    /// Nearly all of the shorter one is in the other, in the same order.
    Alike,
    /// Alike, but with other figures, as two forecasts are.
    Figures,
    /// Most of the shorter one is in the other, in the same order, with the same figures.
    Edited,
    /// Too short, partly the same, or the same for other items too.
    Unclear,
    Other,
}

/// How the pages of two items compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The same page, to which no other item links.
    Page,
    /// The same page, which may be constant.
    ConstantPage,
    /// The same path on another host.
    Path,
    /// Another page of the same site with a long number that no other page has: an article whose title in the URL was
    /// edited.
    Number,
    Other,
}

/// What the pages of a feed are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pages {
    /// Each is that of one item.
    Own,
    /// Some are those of several items, such as the replies of a topic.
    Threads,
}

/// Whether items that are the same but for their dates were only dated anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redating {
    /// The dates are close, or the new one is before the last poll, which would have shown a new item.
    Possible,
    /// It may be the next issue.
    Unlikely,
}

/// Whether the feed changed its guids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guids {
    Kept,
    /// Several items, and most of the document, are stored under other guids with the same text.
    Changed,
    /// A number from which their titles are enough.
    Moved,
}

/// What the dates of a feed are worth.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// All items of the document have one date, the time of its build.
    of_build: bool,
    /// Seconds that several items of the document, or several stored items, have.
    shared: HashSet<i64>,
}

impl Calendar {
    /// Reads the dates of the items of the document, and those of the stored items.
    pub(super) fn new(document: &[Option<Timestamp>], stored: &[Option<Timestamp>]) -> Self {
        let seconds = |dates: &[Option<Timestamp>]| -> Vec<i64> {
            dates.iter().flatten().map(|at| at.as_second()).collect()
        };
        let (here, kept) = (seconds(document), seconds(stored));
        let mut shared = repeated(here.iter().copied());
        shared.extend(repeated(kept.iter().copied()));
        Self { of_build: here.len() == document.len() && are_of_build(&here), shared }
    }

    pub(super) fn compare(&self, new: Option<Timestamp>, old: Option<Timestamp>) -> Date {
        let Some((new, old)) = new.zip(old) else { return Date::Unknown };
        let (new, old) = (new.as_second(), old.as_second());
        let apart = (new - old).abs();
        let alone = is_midnight(new) || is_midnight(old);
        if self.of_build {
            if apart == 0 { Date::Day } else { Date::Unknown }
        } else if apart <= MINUTE {
            let shared = self.shared.contains(&new) || self.shared.contains(&old);
            match new % (HOUR / 4) {
                _ if alone || shared => Date::Day,
                0 => Date::Round,
                _ => Date::Same,
            }
        } else if alone && new.div_euclid(DAY) == old.div_euclid(DAY) {
            Date::Day
        } else if apart % (HOUR / 2) == 0 && apart <= 14 * HOUR {
            Date::Shifted
        } else {
            Date::Other
        }
    }
}

/// Difference by which an issue may come earlier or later on its day, in seconds.
const PUNCTUAL: i64 = 2 * HOUR;

/// Whether most of these pairs of dates, the new one first, are the same number of whole days apart: they are the next
/// issues of a programme.
pub(super) fn are_next_issues(dates: &[(Timestamp, Timestamp)]) -> bool {
    let days = dates.iter().filter_map(|(new, old)| {
        let later = new.as_second() - old.as_second();
        let days = (later + PUNCTUAL).div_euclid(DAY);
        (days > 0 && (later - days * DAY).abs() <= PUNCTUAL).then_some(days)
    });
    let mut counts: HashMap<i64, usize> = HashMap::new();
    days.for_each(|days| *counts.entry(days).or_default() += 1);
    counts.into_values().any(|count| 2 * count > dates.len())
}

/// Whether the dates of a document are the time of its build: all in one minute, or in equal steps to keep an order.
fn are_of_build(dates: &[i64]) -> bool {
    let alone = dates.iter().all(|at| is_midnight(*at));
    let mut sorted = dates.to_vec();
    sorted.sort_unstable();
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return false };
    let steps = || sorted.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
    let at_once = last - first <= MINUTE && dates.len() >= if alone { DATES_ALONE } else { 2 };
    let in_steps = longest <= MINUTE && longest - shortest <= 1 && dates.len() >= DATES_ALONE;
    at_once || in_steps
}

/// Whether a date has no time: it is midnight.
fn is_midnight(second: i64) -> bool {
    second.rem_euclid(DAY) == 0
}

/// The values that occur more than once.
pub(super) fn repeated<T: Clone + Eq + std::hash::Hash>(
    values: impl Iterator<Item = T>,
) -> HashSet<T> {
    let mut seen = HashSet::new();
    values.filter(|value| !seen.insert(value.clone())).collect()
}

/// Compares two titles; `recurring` are the digests of titles that several items have.
pub(super) fn naming(new: &Title, old: &Title, recurring: &HashSet<u64>) -> Naming {
    if new.is_empty() || old.is_empty() {
        Naming::Absent
    } else if new.digest() == old.digest() {
        if recurring.contains(&new.digest()) { Naming::Recurring } else { Naming::Same }
    } else if new.is_sibling(old) {
        Naming::Numbered
    } else if new.alike(old) >= 0.5 {
        Naming::Alike
    } else if new.alike(old) >= RELATED && new.shares(old) >= 2 {
        Naming::Related
    } else {
        Naming::Other
    }
}

/// Whether one title is the other with words before or behind it, and no number.
pub(super) fn extends(new: &Title, old: &Title) -> bool {
    let hashes = |title: &Title| title.words().iter().map(|word| word.hash).collect::<Vec<_>>();
    let same_numbers = new.numbers() == old.numbers();
    let (new, old) = (hashes(new), hashes(old));
    let (short, long) = if new.len() < old.len() { (new, old) } else { (old, new) };
    same_numbers && short.len() >= NAME && (long.starts_with(&short) || long.ends_with(&short))
}

/// Part of the shorter title that a headline about the same thing keeps.
const RELATED: f32 = 0.3;
/// Part of the shorter text that a small and a larger edit keep, and the part that another text has by chance.
const EDITED: f32 = 0.9;
const REWRITTEN: f32 = 0.7;
const BY_CHANCE: f32 = 0.4;

/// Compares two texts that are not the same.
pub(super) fn wording(new: &Words, old: &Words) -> Wording {
    let shorter = new.0.len().min(old.0.len());
    if shorter < NAME {
        return Wording::Unclear;
    }
    let laid = slots(&new.0, &old.0, None);
    let kept = laid.kept as f32 / shorter as f32;
    if new.size() < EXACT_WORDS || old.size() < EXACT_WORDS {
        // Only words that were added, because another word makes a short text another one.
        return if kept >= 1.0 { Wording::Alike } else { Wording::Unclear };
    }
    if kept >= EDITED {
        if laid.numbers > 0 { Wording::Figures } else { Wording::Alike }
    } else if kept >= REWRITTEN && laid.numbers == 0 {
        Wording::Edited
    } else if kept < BY_CHANCE {
        Wording::Other
    } else {
        Wording::Unclear
    }
}

/// What a subscriber gets of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substance {
    /// Title and text.
    Words,
    /// An audio or video file: its title and text may be constant.
    File,
}

/// Whether a guid or a link identifies an item in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnKey {
    /// No other item of the document has its guid, or its link if it has no guid.
    Present,
    /// Only title, date and text identify it: another key means that one of them changed.
    Absent,
}

/// A new and a stored item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) place: Place,
    pub(super) date: Date,
    pub(super) naming: Naming,
    pub(super) wording: Wording,
    /// Whether all that a subscriber would notice is the same.
    pub(super) same_content: bool,
    /// Number of words of the new title.
    pub(super) title_words: usize,
    /// Whether the new title is a sentence in which a number may rise: "Crash leaves 3 dead" and not "Open thread 3".
    pub(super) is_headline: bool,
    /// Whether the dates are at most half a day apart.
    pub(super) is_close: bool,
    /// Whether another date may be that of the same item, if title and text are the same for many: see [`Redating`].
    pub(super) redating: Redating,
    /// Whether one title is the other with words before or behind it, such as the name of the site.
    pub(super) extends_title: bool,
    /// What the new guid shows about the page.
    pub(super) guid_form: GuidForm,
    pub(super) pages: Pages,
    /// Whether a long number in the URL of the page, and in the guid, shows that it is that of one article.
    pub(super) has_article_page: bool,
    /// Number of items of the document.
    pub(super) items: usize,
    pub(super) own_key: OwnKey,
    pub(super) substance: Substance,
}

/// Number of words from which a title or a text may name one item.
const NAME: usize = 3;

impl Pair {
    /// Whether title and text are those of the stored item.
    pub(super) fn same_words(&self) -> bool {
        let named = match self.naming {
            Naming::Other | Naming::Related => false,
            // A counter in the title.
            Naming::Numbered => self.own_key == OwnKey::Absent,
            _ => true,
        };
        self.wording == Wording::Same && named
            || self.naming == Naming::Same && self.wording == Wording::Alike
    }

    /// Whether the title alone is that of the stored item.
    pub(super) fn same_name(&self) -> bool {
        self.has_name() && self.wording != Wording::Other
    }

    /// Whether both have a title that names one item of the feed.
    fn has_name(&self) -> bool {
        self.naming == Naming::Same && self.title_words >= NAME
    }

    /// Whether title and date are those of the stored item.
    pub(super) fn same_entry(&self) -> bool {
        matches!(self.date, Date::Same | Date::Round | Date::Day)
            && self.has_title()
            && self.wording != Wording::Other
    }

    fn has_title(&self) -> bool {
        matches!(self.naming, Naming::Same | Naming::Recurring)
    }

    /// Whether nothing but keys and date differs, and the date proves nothing if that is so for many items. A file may be
    /// that of the next programme with a constant text.
    pub(super) fn is_dated_anew(&self) -> bool {
        self.redating == Redating::Possible
            && self.substance == Substance::Words
            && self.same_words()
            && self.naming != Naming::Recurring
    }

    /// Whether the dates are those of two items.
    pub(super) fn is_redated(&self, guids: Guids) -> bool {
        match self.date {
            Date::Other => guids != Guids::Moved || !self.is_dated_anew(),
            Date::Shifted => guids != Guids::Moved,
            Date::Same | Date::Round | Date::Day | Date::Unknown => false,
        }
    }

    /// Whether the new item is the stored one.
    pub(super) fn is_one(&self, guids: Guids) -> bool {
        if self.is_version() {
            return true;
        }
        let same_time = matches!(self.date, Date::Same | Date::Round);
        let counter = self.wording == Wording::Same
            && (same_time || guids != Guids::Kept && self.same_words());
        if self.naming == Naming::Numbered && !counter && !self.counts_up() {
            return false;
        }
        let same_page = matches!(self.place, Place::Page | Place::ConstantPage);
        if same_page && (self.same_content || same_time) {
            return true;
        }
        if self.place == Place::Page && self.is_one_by_page(guids) || self.is_one_by_number() {
            return true;
        }
        !self.is_redated(guids) && (self.is_one_by_words() || self.is_one_by_guids(guids))
    }

    /// Whether the guid names another version of an article, in a feed whose pages are those of one item each.
    fn is_version(&self) -> bool {
        self.guid_form == GuidForm::Version
            && self.pages == Pages::Own
            && self.place == Place::Page
            && self.substance == Substance::Words
            && self.items > 1
            && (self.naming != Naming::Numbered || self.is_soon())
    }

    /// Whether a number in a headline may have risen in this time.
    fn is_soon(&self) -> bool {
        self.date == Date::Same || self.is_close && self.is_headline
    }

    /// Whether a number rises in a headline of one page, as that of the victims does in a report.
    fn counts_up(&self) -> bool {
        let alike = matches!(self.wording, Wording::Same | Wording::Alike | Wording::Figures);
        self.place == Place::Page && self.substance == Substance::Words && alike && self.is_soon()
    }

    /// Whether the new item is the stored one, where the rest of the document is unknown: nothing of it changed.
    pub(super) fn is_unchanged(&self) -> bool {
        self.place == Place::Page && self.same_content && !self.is_redated(Guids::Kept)
    }

    /// Whether an item with the same page is an edit of it, with any date.
    fn is_one_by_page(&self, guids: Guids) -> bool {
        let redated = self.is_redated(guids);
        if redated && self.substance == Substance::File {
            return false;
        }
        match self.wording {
            // An article was written anew under its headline within hours. The page of a daily issue may be constant, and
            // that of a topic shows its last reply.
            Wording::Other => {
                let is_article = self.has_article_page && self.pages == Pages::Own;
                is_article && self.is_close && self.has_name()
            }
            Wording::Same => true,
            Wording::Alike | Wording::Figures => self.has_related_title(),
            Wording::Edited | Wording::Unclear => match self.naming {
                Naming::Same => self.title_words >= NAME || guids != Guids::Kept,
                Naming::Recurring => !redated && self.title_words >= NAME,
                _ => false,
            },
        }
    }

    /// Whether the titles may be those of one item.
    fn has_related_title(&self) -> bool {
        !matches!(self.naming, Naming::Other | Naming::Related)
    }

    /// Whether a number in the URL and similar words show that an article was edited, with any date.
    fn is_one_by_number(&self) -> bool {
        let worded = matches!(self.wording, Wording::Same | Wording::Alike | Wording::Edited);
        let named = !matches!(self.naming, Naming::Other | Naming::Numbered | Naming::Absent);
        self.place == Place::Number && worded && named && self.substance == Substance::Words
    }

    /// Whether the words prove it, with the time, with the path, or because the item has no key.
    fn is_one_by_words(&self) -> bool {
        let alike = matches!(self.wording, Wording::Same | Wording::Alike | Wording::Figures);
        let by_time = match (self.date, self.wording) {
            // Its text was written anew.
            (Date::Same, Wording::Other) => self.has_name() && self.own_key == OwnKey::Present,
            (_, Wording::Other) => false,
            (Date::Same, Wording::Same) => true,
            (Date::Same, Wording::Alike | Wording::Figures) => self.has_related_title(),
            // Headline and summary were written anew, and the headline in the URL with them.
            (Date::Same, Wording::Edited) => self.naming != Naming::Other,
            (Date::Same, Wording::Unclear) => {
                self.has_title() || self.naming == Naming::Absent || self.extends_title
            }
            // A counter in the title.
            (Date::Round, Wording::Same) if self.naming == Naming::Numbered => true,
            (Date::Round, _) => alike && (self.has_title() || self.naming == Naming::Absent),
            _ => false,
        };
        let by_path = self.place == Place::Path && (self.has_title() && alike || self.same_name());
        by_time || by_path || self.own_key == OwnKey::Absent && self.is_one_without_key()
    }

    /// Whether an item without a key is an edit of the stored one.
    fn is_one_without_key(&self) -> bool {
        let named = matches!(self.naming, Naming::Same | Naming::Absent | Naming::Alike);
        let alike = matches!(self.wording, Wording::Alike | Wording::Figures);
        let edited = match self.date {
            Date::Round if self.has_title() => self.wording != Wording::Other,
            // In a document of one item, the text may be constant.
            Date::Round | Date::Day if self.wording == Wording::Same => named || self.items > 1,
            Date::Round | Date::Day => named && alike,
            Date::Unknown => self.naming == Naming::Absent && alike,
            _ => false,
        };
        self.same_content || edited || named && self.same_words()
    }

    fn is_one_by_guids(&self, guids: Guids) -> bool {
        match guids {
            Guids::Kept => false,
            Guids::Changed => self.same_words() || self.same_entry(),
            Guids::Moved => self.same_words() || self.same_entry() || self.same_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_date_proves_something_only_if_it_has_a_time_of_its_own() {
        let (noon, later) = (at("2026-03-01T12:00:07Z"), at("2026-03-02T09:30:00Z"));
        let day = at("2026-03-01T00:00:00Z");
        let calendar = Calendar::new(&[noon, later], &[noon]);
        for (new, old, expected) in [
            (noon, noon, Date::Same),
            (noon, at("2026-03-01T12:01:00Z"), Date::Same),
            (noon, at("2026-03-01T12:02:00Z"), Date::Other),
            (noon, at("2026-03-01T14:00:07Z"), Date::Shifted),
            (noon, later, Date::Other),
            (later, later, Date::Round),
            (noon, day, Date::Day),
            (day, day, Date::Day),
            (day, at("2026-03-02T00:00:00Z"), Date::Other),
            (noon, None, Date::Unknown),
        ] {
            assert_eq!(calendar.compare(new, old), expected, "{new:?} {old:?}");
        }
        for (document, stored) in
            [(vec![noon, noon, later], vec![noon]), (vec![noon, later], vec![noon, noon])]
        {
            let found = Calendar::new(&document, &stored).compare(noon, noon);
            assert_eq!(found, Date::Day, "{document:?} {stored:?}");
        }
    }

    #[test]
    fn the_time_of_the_build_is_no_date() {
        let (now, before) = (at("2026-03-02T09:30:01Z"), at("2026-03-01T12:00:07Z"));
        let of = |document: &[Option<Timestamp>]| {
            Calendar::new(document, &[before]).compare(now, before)
        };
        assert_eq!(of(&[now, at("2026-03-02T09:30:03Z")]), Date::Unknown);
        let steps = ["2026-03-02T09:29:01Z", "2026-03-02T09:28:02Z"].map(at);
        assert_eq!(of(&[now, steps[0], steps[1]]), Date::Unknown);
        assert_eq!(of(&[now, steps[1]]), Date::Other);
        assert_eq!(of(&[now, before]), Date::Other);
        assert_eq!(of(&[now, None]), Date::Other);
        assert_eq!(of(&[now]), Date::Other, "one item has its own date");
    }

    #[test]
    fn a_text_is_alike_after_an_edit_and_other_in_a_form() {
        let read = Words::of_text;
        let text = "The ferry to the island ran aground in thick fog this morning, 3 comments.";
        for (other, expected) in [
            (text.replace("3 comments", "7 comments"), Wording::Figures),
            (text.replace("thick fog", "fog"), Wording::Alike),
            (format!("{text} It floats again."), Wording::Alike),
            (
                "Bakers in the old town have raised the price of a loaf again.".into(),
                Wording::Other,
            ),
            ("The ferry ran aground.".into(), Wording::Alike),
            ("The boat ran aground.".into(), Wording::Unclear),
            (text.replace("ferry to the island", "bus to a village"), Wording::Edited),
            (text.replace("island ran aground in thick fog", "town hit a bus"), Wording::Unclear),
        ] {
            assert_eq!(wording(&read(text), &read(&other)), expected, "{other}");
        }
    }
}
