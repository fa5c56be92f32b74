//! Recognises items that the feed showed before under another guid. Pure.
//!
//! In an incomplete document only unchanged items are recognised. Used only for stored items that are missing in the document: a stored item that is
//! still in it was not renamed. `poll` reads the stored items. What proves that two items are one is in `evidence`.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::canonical;
use super::evidence::{
    Calendar, Date, Guids, MINUTE, OwnKey, Pages, Pair, Place, Redating, Substance, Wording,
    are_next_issues, extends, naming, repeated, wording,
};
use super::guids::GuidForm;
use super::titles::Title;
use super::words::Words;
use crate::model::{Digest, ItemKey, ItemTraits, RecentItem, RecognisedBy};

/// An item that seems new, with what it may be recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnrecognisedItem {
    /// Index of the item in the document.
    pub index: usize,
    /// Whether a guid or a link identifies it in the document.
    pub own_key: OwnKey,
    /// What makes up a new item.
    pub substance: Substance,
    /// What its guid shows about its page.
    pub guid_form: GuidForm,
    /// URL, title, date and text of the item.
    pub seen: ItemTraits,
    /// The date that the publisher gave, also one in the future.
    pub dated: Option<Timestamp>,
    /// Words of its text, without boilerplate.
    pub words: Words,
}

/// A kept item that has another guid in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecognisedItem {
    /// Index of the item in the document.
    pub index: usize,
    /// Key of the stored item that is kept.
    pub key: ItemKey,
    /// What the two have in common.
    pub way: RecognisedBy,
}

/// A document and the stored items of its feed.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Items of the document that are not stored under their guids.
    pub unrecognised: &'a [UnrecognisedItem],
    /// Dates of all items of the document.
    pub dates: &'a [Option<Timestamp>],
    /// The newest stored items.
    pub stored: &'a [RecentItem],
    /// Those of them that are in the document.
    pub here: &'a HashSet<ItemKey>,
    /// Whether the other stored items are gone.
    pub coverage: Coverage,
    /// Time of the last successful poll.
    pub last_poll: Option<Timestamp>,
}

/// How much of a feed its document shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All current items.
    All,
    /// Some items; others may be current too.
    Part,
}

/// Minimum number of items under other guids, and half of the document, for a change instead of a coincidence.
const CHANGE: usize = 2;
/// Minimum number of them from which titles are enough.
const MIGRATION: usize = 5;
/// Time within which a report is brought up to date.
const HALF_DAY: SignedDuration = SignedDuration::from_hours(12);
/// Largest difference of the dates of one item that a feed makes from "3 hours ago", or in another time zone.
const DRIFT: SignedDuration = SignedDuration::from_hours(14);

/// By what a stored item is looked up, the most reliable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Page,
    /// Title and second.
    Moment,
    Text,
    Path,
    Title,
    /// A long number in the URL.
    Number,
    Second,
    /// Where the seconds were left out.
    Minute,
    /// Nothing but the text.
    Nothing,
}

const MARKS: [Mark; 8] = [
    Mark::Page,
    Mark::Moment,
    Mark::Text,
    Mark::Path,
    Mark::Title,
    Mark::Number,
    Mark::Second,
    Mark::Minute,
];

/// An unrecognised and a stored item that only have this mark.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    new: &'a UnrecognisedItem,
    old: &'a RecentItem,
    mark: Mark,
}

impl Candidate<'_> {
    /// The dates of the new and of the stored item, as the publisher gave them last.
    fn dates(&self) -> Option<(Timestamp, Timestamp)> {
        self.new.dated.zip(self.old.dated)
    }

    fn way(&self) -> RecognisedBy {
        match self.mark {
            Mark::Page => RecognisedBy::Page,
            Mark::Text | Mark::Nothing | Mark::Second | Mark::Minute => RecognisedBy::Text,
            Mark::Path | Mark::Number => RecognisedBy::Path,
            Mark::Moment | Mark::Title => RecognisedBy::Title,
        }
    }
}

/// The stored items whose words [`recognised`] compares.
#[must_use]
pub fn compared(shown: &Shown<'_>) -> Vec<ItemKey> {
    // Their digests are enough.
    if shown.coverage == Coverage::Part {
        return Vec::new();
    }
    let same = |pair: &Candidate<'_>| {
        let digest = pair.new.seen.text_digest;
        digest.is_some() && digest == pair.old.seen.text_digest
    };
    let keys: HashSet<ItemKey> =
        candidates(shown).iter().filter(|pair| !same(pair)).map(|pair| pair.old.key).collect();
    keys.into_iter().collect()
}

/// Which of the unrecognised items are stored ones under a new guid. `words` are the words of the stored items that
/// [`compared`] names.
#[must_use]
pub fn recognised(shown: &Shown<'_>, words: &HashMap<ItemKey, Words>) -> Vec<RecognisedItem> {
    let common = Common::new(shown);
    let candidates = candidates(shown);
    let mut pairs: Vec<(Candidate<'_>, Pair)> =
        candidates.into_iter().map(|it| (it, common.pair(&it, words))).collect();
    let dated_anew = pairs.iter().filter(|(_, pair)| pair.is_dated_anew());
    let dates: Vec<(Timestamp, Timestamp)> = dated_anew.filter_map(|(it, _)| it.dates()).collect();
    if are_next_issues(&dates) {
        pairs.iter_mut().for_each(|(_, pair)| pair.redating = Redating::Unlikely);
    }
    let guids = guids(shown, &pairs);
    let (mut found, mut taken) = (Vec::new(), HashSet::new());
    let mut matched: HashSet<usize> = HashSet::new();
    for (candidate, pair) in pairs {
        let (index, key) = (candidate.new.index, candidate.old.key);
        let is_one = match shown.coverage {
            Coverage::All => pair.is_one(guids),
            Coverage::Part => pair.is_unchanged(),
        };
        if matched.contains(&index) || taken.contains(&key) || !is_one {
            continue;
        }
        taken.insert(key);
        matched.insert(index);
        found.push(RecognisedItem { index, key, way: candidate.way() });
    }
    found
}

/// Whether the feed changed its guids: most items of the document seem to be stored ones.
fn guids(shown: &Shown<'_>, pairs: &[(Candidate<'_>, Pair)]) -> Guids {
    let (mut moved, mut changed) = (HashSet::new(), HashSet::new());
    for (candidate, pair) in pairs {
        let index = candidate.new.index;
        let same = pair.same_words() || pair.same_entry();
        if !pair.is_redated(Guids::Moved) && (same || pair.same_name()) {
            moved.insert(index);
        }
        if !pair.is_redated(Guids::Changed) && same {
            changed.insert(index);
        }
    }
    let (moved, changed) = (moved.len(), changed.len());
    let known = shown.here.len();
    if moved >= MIGRATION && moved > known {
        Guids::Moved
    } else if changed >= CHANGE && changed > known {
        Guids::Changed
    } else {
        Guids::Kept
    }
}

/// The pairs of an unrecognised item and a stored one that is not in the document, each with its most reliable mark. A
/// mark that several items have identifies none of them.
fn candidates<'a>(shown: &Shown<'a>) -> Vec<Candidate<'a>> {
    let gone: Vec<&RecentItem> =
        shown.stored.iter().filter(|stored| !shown.here.contains(&stored.key)).collect();
    let mut found = Vec::new();
    for by in MARKS {
        let mut new: HashMap<String, Vec<&UnrecognisedItem>> = HashMap::new();
        for item in shown.unrecognised {
            for mark in marks(&item.seen, item.dated, by) {
                new.entry(mark).or_default().push(item);
            }
        }
        let mut old: HashMap<String, Vec<&RecentItem>> = HashMap::new();
        for item in &gone {
            let marks = marks(&item.seen, item.dated, by);
            for mark in marks.into_iter().filter(|mark| new.contains_key(mark)) {
                old.entry(mark).or_default().push(item);
            }
        }
        for item in shown.unrecognised {
            for mark in marks(&item.seen, item.dated, by) {
                if let (Some([new]), Some([old])) =
                    (new.get(&mark).map(Vec::as_slice), old.get(&mark).map(Vec::as_slice))
                {
                    found.push(Candidate { new, old, mark: by });
                }
            }
        }
    }
    found.extend(without_marks(shown.unrecognised, &gone));
    // The comparison of two long texts is slow.
    let mut seen = HashSet::new();
    found.retain(|pair| seen.insert((pair.new.index, pair.old.key)));
    found
}

/// Maximum number of new and of stored items without a mark that are compared with each other.
const UNMARKED: usize = 20;

/// The pairs of items without guid, link and title: an edit changes all that they are looked up by.
fn without_marks<'a>(
    unrecognised: &'a [UnrecognisedItem],
    gone: &[&'a RecentItem],
) -> Vec<Candidate<'a>> {
    let bare = |seen: &ItemTraits| seen.url.is_none() && seen.title.is_none();
    let new = unrecognised.iter().filter(|new| new.own_key == OwnKey::Absent && bare(&new.seen));
    let old: Vec<&RecentItem> =
        gone.iter().copied().filter(|old| bare(&old.seen)).take(UNMARKED).collect();
    let mark = Mark::Nothing;
    let pairs = new.take(UNMARKED).flat_map(|new| old.iter().map(move |old| (new, *old)));
    pairs.map(|(new, old)| Candidate { new, old, mark }).collect()
}

/// What an item is looked up by: more than one mark if its date was changed.
fn marks(seen: &ItemTraits, dated: Option<Timestamp>, by: Mark) -> Vec<String> {
    let mut dates = vec![seen.published];
    if matches!(by, Mark::Moment | Mark::Second | Mark::Minute) {
        dates.extend((dated != seen.published).then_some(dated));
    }
    let mut marks: Vec<String> =
        dates.into_iter().filter_map(|date| mark(seen, date, by)).collect();
    marks.dedup();
    marks
}

fn mark(seen: &ItemTraits, date: Option<Timestamp>, by: Mark) -> Option<String> {
    let title = || Title::new(seen.title.as_deref());
    match by {
        Mark::Page => seen.url_key.map(|key| format!("{key:?}")),
        Mark::Moment => {
            let second = date?.as_second();
            Some(format!("{second} {}", title().digest()))
        }
        Mark::Text => seen.text_digest.map(|key| key.to_string()),
        Mark::Path => path(seen.url.as_deref()?),
        Mark::Number => number(seen.url.as_deref()?),
        Mark::Second => Some(date?.as_second().to_string()),
        Mark::Minute => Some(date?.as_second().div_euclid(MINUTE).to_string()),
        Mark::Title => {
            let title = title();
            (!title.is_empty()).then(|| title.digest().to_string())
        }
        Mark::Nothing => None,
    }
}

/// Path and query of a URL, if they identify an item: "/blog" does not.
fn path(url: &str) -> Option<String> {
    if !canonical::may_name_an_item(url) {
        return None;
    }
    let url = url::Url::parse(url).ok()?;
    Some(format!("{}?{}", url.path().trim_end_matches('/'), url.query().unwrap_or_default()))
}

/// Number of digits from which a number in a URL is the id of an article.
const ID_DIGITS: usize = 6;

/// Host and longest number of a URL, if it is long enough for an id and no date.
fn number(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let tail = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let numbers = tail.split(|c: char| !c.is_ascii_digit());
    let is_date = |number: &str| {
        let month = number.get(4..6).and_then(|month| month.parse().ok()).unwrap_or(0);
        number.starts_with("20") && (1..=12).contains(&month)
    };
    let ids = numbers.filter(|number| number.len() >= ID_DIGITS && !is_date(number));
    let id = ids.max_by_key(|number| number.len())?;
    Some(format!("{} {id}", url.host_str()?))
}

/// What items of the feed have in common, so that it proves nothing.
struct Common {
    calendar: Calendar,
    titles: HashSet<u64>,
    texts: HashSet<i64>,
    pages: HashSet<Digest>,
    kind: Pages,
    numbers: HashSet<String>,
    /// Number of items of the document.
    items: usize,
    /// Time of the last successful poll.
    last_poll: Option<Timestamp>,
}

impl Common {
    fn new(shown: &Shown<'_>) -> Self {
        let title = |seen: &ItemTraits| Title::new(seen.title.as_deref()).digest();
        let new = || shown.unrecognised.iter().map(|new| &new.seen);
        let stored = || shown.stored.iter().map(|stored| &stored.seen);
        let mut titles = repeated(new().map(title));
        titles.extend(repeated(stored().map(title)));
        let mut texts = repeated(new().filter_map(|seen| seen.text_digest));
        texts.extend(repeated(stored().filter_map(|seen| seen.text_digest)));
        let number = |seen: &ItemTraits| number(seen.url.as_deref()?);
        let mut numbers = repeated(new().filter_map(number));
        numbers.extend(repeated(stored().filter_map(number)));
        let mut dates: Vec<Option<Timestamp>> = stored().map(|seen| seen.published).collect();
        let redated = shown.stored.iter().filter(|stored| stored.dated != stored.seen.published);
        dates.extend(redated.map(|stored| stored.dated));
        let pages = repeated(stored().filter_map(|seen| seen.url_key));
        // Several items of a document have its page, or had it.
        let is_shared = |seen: &ItemTraits| seen.url.is_some() && seen.url_key.is_none();
        let here = shown.stored.iter().filter(|stored| shown.here.contains(&stored.key));
        let threads =
            !pages.is_empty() || new().chain(here.map(|stored| &stored.seen)).any(is_shared);
        Self {
            calendar: Calendar::new(shown.dates, &dates),
            titles,
            texts,
            pages,
            kind: if threads { Pages::Threads } else { Pages::Own },
            numbers,
            items: shown.dates.len(),
            last_poll: shown.last_poll,
        }
    }

    fn pair(&self, candidate: &Candidate<'_>, words: &HashMap<ItemKey, Words>) -> Pair {
        let Candidate { new, old, .. } = candidate;
        let title = Title::new(new.seen.title.as_deref());
        let says_something = !title.is_empty() || !new.words.0.is_empty();
        let old_title = Title::new(old.seen.title.as_deref());
        let dates = candidate.dates();
        let within = |most| dates.is_some_and(|(new, old)| new.duration_since(old).abs() <= most);
        let before = dates.zip(self.last_poll).is_some_and(|((new, _), last)| new <= last);
        Pair {
            place: self.place(new, &old.seen),
            date: self.date(new, old),
            naming: naming(&title, &old_title, &self.titles),
            wording: self.wording(new, old, words),
            same_content: says_something
                && new.seen.content_digest.is_some()
                && new.seen.content_digest == old.seen.content_digest,
            title_words: title.len(),
            is_headline: title.is_headline(),
            is_close: within(HALF_DAY),
            redating: if within(DRIFT) || before { Redating::Possible } else { Redating::Unlikely },
            extends_title: extends(&title, &old_title),
            guid_form: new.guid_form,
            pages: self.kind,
            has_article_page: new.guid_form == GuidForm::Article
                && new.seen.url.as_deref().and_then(number).is_some(),
            items: self.items,
            own_key: new.own_key,
            substance: new.substance,
        }
    }

    /// How the date compares with the first and with the last date of the stored item, whichever is more alike.
    fn date(&self, new: &UnrecognisedItem, old: &RecentItem) -> Date {
        let first = self.calendar.compare(new.seen.published, old.seen.published);
        first.min(self.calendar.compare(new.dated, old.dated))
    }

    fn wording(
        &self,
        new: &UnrecognisedItem,
        old: &RecentItem,
        words: &HashMap<ItemKey, Words>,
    ) -> Wording {
        let digest = new.seen.text_digest;
        let recurs = digest.is_some_and(|digest| self.texts.contains(&digest));
        let found = match (digest, words.get(&old.key)) {
            (Some(_), _) if digest == old.seen.text_digest => Wording::Same,
            (_, Some(words)) => wording(&new.words, words),
            _ => Wording::Unclear,
        };
        match found {
            Wording::Same | Wording::Alike | Wording::Edited | Wording::Figures if recurs => {
                Wording::Unclear
            }
            found => found,
        }
    }

    fn have_one_number(&self, url: &str, other: &str) -> bool {
        number(url)
            .is_some_and(|id| number(other).as_ref() == Some(&id) && !self.numbers.contains(&id))
    }

    fn place(&self, new: &UnrecognisedItem, old: &ItemTraits) -> Place {
        let (Some(url), Some(old_url)) = (&new.seen.url, &old.url) else { return Place::Other };
        let same_page = new.seen.url_key.is_some() && new.seen.url_key == old.url_key;
        match new.seen.url_key {
            Some(page) if same_page && canonical::may_be_one_place(url, old_url) => {
                let alone = self.items < 2 && new.guid_form != GuidForm::Version;
                let constant = alone || self.pages.contains(&page) || new.own_key == OwnKey::Absent;
                if constant { Place::ConstantPage } else { Place::Page }
            }
            _ if !same_page && path(url).is_some() && path(url) == path(old_url) => Place::Path,
            _ if !same_page && self.have_one_number(url, old_url) => Place::Number,
            _ => Place::Other,
        }
    }
}

#[cfg(test)]
mod tests;
